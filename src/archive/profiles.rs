//! A laboratory answers for the unconfirmed figures of a regulation profile of exactly one text, and gives a period of
//! validity where the profile has none: verifier, checker and approver are three persons, as for a certificate, and each
//! answer is an entry of the chain.

use super::persons::For;
use super::{About, Archive, Fault, clock, sha256};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::Role;
use crate::certificate::sign;
use crate::regulation::Approval;
use crate::time::Stamp;

/// SHA-256 of the profile's text in an answer.
pub(super) const TEXT: &str = "profile_sha256";
/// The period of validity that a laboratory gives, in years.
const VALIDITY: &str = "validity_years";
/// It gives none longer than this.
const VALIDITY_MAX: u32 = 20;

/// What a laboratory answers with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Its name.
    pub laboratory: String,
    /// The period of validity in years, where the profile has none.
    pub validity_years: Option<u32>,
}

/// What the chain knows of a profile's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    terms: Terms,
    demo: bool,
    /// Who has signed, in the order of the roles.
    signed: Vec<String>,
    /// The last answer that all three have signed.
    holds: Option<(Approval, bool)>,
}

impl Answers {
    /// Takes an answer of the chain. The verifier's begins anew; one out of turn counts for nothing.
    pub fn take(&mut self, entry: &Entry) {
        let said = |key: &str| entry.said.get(key).cloned().unwrap_or_default();
        let (person, role, demo) = (said("person"), said("role"), entry.said.contains_key("demo"));
        let terms = Terms { laboratory: said("laboratory"), validity_years: said(VALIDITY).parse().ok() };
        let Ok(at) = entry.time.parse::<Stamp>() else { return };
        if entry.alg == sign::NONE || terms.laboratory.is_empty() || person.is_empty() {
            return;
        }
        if role == Role::Verifier.to_string() {
            (self.terms, self.demo, self.signed) = (terms.clone(), demo, vec![]);
        }
        let is_next = self.next().is_some_and(|next| next.to_string() == role);
        if !is_next || self.signed.contains(&person) || (&self.terms, self.demo) != (&terms, demo) {
            return;
        }
        self.signed.push(person.clone());
        if self.next().is_none() {
            let Terms { laboratory, validity_years } = terms;
            self.holds = Some((Approval { laboratory, person, date: at.date(), validity_years }, demo));
        }
    }

    /// As what somebody signs next; none: all have.
    pub fn next(&self) -> Option<Role> {
        Role::ALL.get(self.signed.len()).copied()
    }

    /// The answer that holds. One sealed with a DEMO key holds on the simulated bench alone.
    pub fn approval(&self, simulated: bool) -> Option<&Approval> {
        self.holds.as_ref().filter(|(_, demo)| simulated || !demo).map(|(approval, _)| approval)
    }

    /// Why this person may not answer as this role now.
    fn refuses(&self, role: Role, person: &str, terms: &Terms, demo: bool) -> Option<String> {
        if role == Role::Verifier {
            return None;
        }
        let next = self.next().unwrap_or(Role::Verifier);
        if next != role {
            return Some(format!("the {next} signs before the {role}"));
        }
        if self.signed.iter().any(|signed| signed == person) {
            return Some(format!(
                "{person} has signed already; verifier, checker and approver are three persons"
            ));
        }
        if self.terms.laboratory != terms.laboratory {
            return Some(format!(
                "the verifier signed for \"{}\", not for \"{}\"",
                self.terms.laboratory, terms.laboratory
            ));
        }
        if self.terms.validity_years != terms.validity_years {
            let years =
                |years: Option<u32>| years.map_or("none".to_owned(), |years| format!("{years} years"));
            let (was, is) = (years(self.terms.validity_years), years(terms.validity_years));
            return Some(format!("the verifier signed for --validity-years {was}, not {is}"));
        }
        (self.demo != demo)
            .then(|| "the verifier signed with another key; begin with the verifier again".into())
    }
}

impl Archive {
    /// A person of a laboratory signs for the unconfirmed figures of a regulation profile of exactly this text, with the
    /// PIN. Gives the answer and who signs next; with none left the laboratory answers for the profile.
    pub fn approve_profile(
        &mut self,
        (id, text): (&str, &str),
        mut terms: Terms,
        role: Role,
        (person, pin): (&str, &str),
    ) -> Result<(Approval, Option<Role>), Fault> {
        let refuse = |what: String| Fault::State { number: id.to_owned(), what };
        if let Some(years) = terms.validity_years.filter(|years| !(1..=VALIDITY_MAX).contains(years)) {
            return Err(refuse(format!(
                "--validity-years {years}: from 1 to {VALIDITY_MAX} years are allowed"
            )));
        }
        let entered = self.laboratory()?;
        let entered = if entered.name_zh.is_empty() { entered.name_en } else { entered.name_zh };
        let given = terms.laboratory.trim();
        terms.laboratory = if given.is_empty() { entered } else { given.to_owned() };
        if terms.laboratory.is_empty() {
            let what =
                "no laboratory answers for it: give --laboratory NAME, or enter the name in laboratory.toml";
            return Err(refuse(what.into()));
        }
        let demo = self.keys.pair().is_some_and(|pair| pair.demo);
        self.needs_key(demo)?;
        let text = sha256(text.as_bytes());
        let answers = self.chain.state.profiles.get(&text).cloned().unwrap_or_default();
        if let Some(what) = answers.refuses(role, person, &terms, demo) {
            return Err(refuse(what));
        }
        self.identify(person, For::Role(role), pin)?;
        let mut about = About::default().simulated(demo);
        about = about
            .say("profile", id)
            .say(TEXT, &text)
            .say("laboratory", &terms.laboratory)
            .say("person", person)
            .say("role", role.to_string());
        if let Some(years) = terms.validity_years {
            about = about.say(VALIDITY, years.to_string());
        }
        if demo {
            about = about.say("demo", "true");
        }
        let entry = self.write(Kind::Approval, about)?;
        let date = entry.time.parse::<Stamp>().map_or_else(|_| clock::now().date(), Stamp::date);
        let next = self.chain.state.profiles.get(&text).and_then(Answers::next);
        let Terms { laboratory, validity_years } = terms;
        Ok((Approval { laboratory, person: person.to_owned(), date, validity_years }, next))
    }
}
