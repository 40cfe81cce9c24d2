//! Three persons sign, then the paper is issued; it may be amended or withdrawn afterwards. An amendment is a draft under a
//! number of its own until three persons have signed that too. Each is an entry, none changes a file that is there.

use super::chain;
use super::papers::{Making, photographs};
use super::persons::For;
use super::rows;
use super::standing::{PaperStanding, standing};
use super::{About, Archive, Fault, ISSUED, PAPERS, Photograph, Stored, clock, disk};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::{Amendment, Correction, Field, Issue, Role, Status};
use crate::certificate::number::Number;
use crate::certificate::package::{self, RECORD, corrected, text_of};
use crate::certificate::record::{Document, ItemResult, Record};
use crate::plan::nameplate::is_code;
use crate::regulation::Item;
use crate::verdict::Verdict;

/// An entry of an issued paper names the manifest of the draft that was signed.
pub(super) const DRAFT: &str = "draft_manifest";
/// A reason is not longer, in characters.
const REASON_MAX: usize = 200;

/// What an issued paper is made of.
struct Package {
    paper: PaperStanding,
    record: Record,
    json: Vec<u8>,
    issue: Issue,
    photographs: Vec<Photograph>,
}

fn state(number: &str, what: impl Into<String>) -> Fault {
    Fault::State { number: number.to_owned(), what: what.into() }
}

pub(super) fn known(reason: &str) -> Result<&str, Fault> {
    let reason = reason.trim();
    if reason.is_empty() {
        let what = "a reason must be given; it stands in the chain for ever".to_owned();
        return Err(Fault::Person { person: "--reason".into(), what });
    }
    let is_line = !reason.chars().any(is_code);
    let length = reason.chars().count();
    if !is_line || length > REASON_MAX {
        let what = format!(
            "a reason is one line of at most {REASON_MAX} characters without control characters; this one has {length}"
        );
        return Err(Fault::Person { person: "--reason".into(), what });
    }
    Ok(reason)
}

impl Archive {
    /// A key must be there that may seal: what nobody can check is worth nothing.
    pub(super) fn needs_key(&self, simulated: bool) -> Result<(), Fault> {
        self.signer(simulated, clock::now()).map(|_| ()).map_err(|what| Fault::Key { what })
    }

    fn package_of(&self, number: &str) -> Result<Package, Fault> {
        let paper = standing(&self.dir, number)?;
        paper.check_files()?;
        let folder = paper.package.clone().unwrap_or_default();
        let json = disk::read(&folder.join(RECORD))?;
        let issue = package::read_issue(&disk::read(&folder.join(package::ISSUE))?)?;
        let record = rows::record(&folder)?;
        let photographs = photographs(&folder, &record)?;
        Ok(Package { paper, record, json, issue, photographs })
    }

    /// A draft that may be signed or issued.
    fn draft_of(&self, number: &str) -> Result<PaperStanding, Fault> {
        let paper = standing(&self.dir, number)?;
        match paper.status {
            Status::Draft | Status::Checked => {}
            Status::Issued => return Err(state(number, "it is issued already")),
            Status::Amended | Status::Withdrawn => return Err(gone(&paper)),
        }
        if paper.record_sha256.is_none() {
            return Err(state(number, "the run was not completed; it has no papers to sign"));
        }
        if !paper.is_sealed {
            let what =
                format!("its papers are not made yet; `phantomload certificate papers {number}` makes them");
            return Err(state(number, what));
        }
        paper.check_files()?;
        // An amendment waits for its signatures: the paper that it replaces may be gone by now.
        let folder = paper.package.clone().unwrap_or_default();
        let issue = package::read_issue(&disk::read(&folder.join(package::ISSUE))?)?;
        if let Some(amends) = issue.amends {
            let old = standing(&self.dir, &amends.replaces)?;
            if old.status != Status::Issued {
                return Err(gone(&old));
            }
        }
        Ok(paper)
    }

    /// A person signs a draft with the PIN: verifier, then checker, then approver, three different persons.
    pub fn sign(&mut self, number: &str, role: Role, person: &str, pin: &str) -> Result<Entry, Fault> {
        let paper = self.draft_of(number)?;
        let next = Role::ALL.get(paper.signatures.len()).copied();
        match next {
            None => {
                let what =
                    format!("all three have signed; `phantomload certificate issue {number}` issues it");
                return Err(state(number, what));
            }
            Some(next) if next != role => {
                let what = if role < next {
                    let signed = paper.signatures.iter().find(|s| s.role == role);
                    let by = signed.map_or(String::new(), |s| format!(", {}", s.person));
                    format!("the {role}{by}, has signed already; the {next} is next")
                } else {
                    format!("the {next} signs before the {role}")
                };
                return Err(state(number, what));
            }
            Some(_) => {}
        }
        if let Some(signed) = paper.signatures.iter().find(|signed| signed.person == person) {
            let what = format!(
                "has signed {number} as {} already; verifier, checker and approver are three persons",
                signed.role
            );
            return Err(Fault::Person { person: person.to_owned(), what });
        }
        let mut about = About::paper(number);
        self.needs_key(about.takes_demo())?;
        self.identify(person, For::Role(role), pin)?;
        about.record = Some(paper.record_no.clone());
        about =
            about.say("person", person).say("role", role.to_string()).say("manifest", &paper.manifest_sha256);
        if let Some(first) = paper.signatures.first() {
            about = about.say("verifier", &first.person);
        }
        let entry = self.write(Kind::Approval, about)?;
        self.add_rows(&entry, &chain::hash(&entry), None)?;
        Ok(entry)
    }

    /// Issues a paper that all three have signed.
    pub fn issue(&mut self, number: &str) -> Result<Stored, Fault> {
        let paper = self.draft_of(number)?;
        if let Some(next) = Role::ALL.get(paper.signatures.len()) {
            let what = format!(
                "the {next} has not signed; `phantomload certificate sign {number} --role {next} --person NAME`"
            );
            return Err(state(number, what));
        }
        self.note_laboratory()?;
        let Package { record, json, paper, issue: draft, photographs } = self.package_of(number)?;
        self.needs_key(record.simulated)?;
        self.institution(number, &record, &draft)?;
        let mut about = About::run(&record).say(DRAFT, &paper.manifest_sha256);
        let mut kind = Kind::Issue;
        if let Some(amends) = &draft.amends {
            kind = Kind::Amend;
            let old = standing(&self.dir, &amends.replaces)?;
            about = about
                .say("replaces", &amends.replaces)
                .say("replaced_manifest", &old.manifest_sha256)
                .say("reason", &amends.reason);
        }
        let issue = Issue {
            status: Status::Issued,
            signatures: paper.signatures.clone(),
            issued_at: Some(clock::now()),
            amends: draft.amends,
            ..self.draft(number)?
        };
        let folder = ISSUED;
        self.make(Making { folder, kind, about, record: &record, json, issue, photographs: &photographs })
    }

    /// The institution of a paper is the one that stood on what the three have signed; a certificate or notice of a real
    /// meter has one, with its authorisation and the standard's own certificate in force (印证管理办法 art. 8; ISO/IEC
    /// 17025:2017 7.8.2.1 b).
    fn institution(&self, number: &str, record: &Record, draft: &Issue) -> Result<(), Fault> {
        let laboratory = self.laboratory()?;
        if laboratory != draft.laboratory {
            let what = "laboratory.toml was changed after the draft was made and signed; set it back as the draft has it, or make a new run";
            return Err(state(number, what));
        }
        if record.simulated || record.document() == Some(Document::TestReport) {
            return Ok(());
        }
        let missing: Vec<_> = [
            ("name_zh", &laboratory.name_zh),
            ("address", &laboratory.address),
            ("authorisation_no", &laboratory.authorisation_no),
            ("standard_certificate_no", &laboratory.standard_certificate_no),
        ]
        .into_iter()
        .filter_map(|(key, text)| text.trim().is_empty().then_some(key))
        .collect();
        if !missing.is_empty() {
            let what =
                format!("laboratory.toml states no {}; no institution, no certificate", missing.join(", "));
            return Err(state(number, what));
        }
        let day = record.started.date();
        match laboratory.standard_valid_until {
            Some(until) if until >= day => Ok(()),
            Some(until) => {
                let what = format!(
                    "the certificate of the measurement standard ended on {until}, before the run of {day}"
                );
                Err(state(number, what))
            }
            None => Err(state(number, "laboratory.toml states no standard_valid_until")),
        }
    }

    /// Makes the draft of a paper in place of an issued one: what a person wrote down is corrected, nothing that was
    /// measured. An approver asks for it; verifier, checker and approver sign it like any other, and nothing is carried
    /// over from the signatures of the old paper, which holds until the new one is issued.
    pub fn amend(
        &mut self,
        number: &str,
        reason: &str,
        set: &[(Field, String)],
        person: &str,
        pin: &str,
    ) -> Result<(String, Stored), Fault> {
        let reason = known(reason)?;
        let Package { paper, record, json, issue: old, photographs } = self.issued(number)?;
        let corrections = corrections(number, &record, &old, set)?;
        self.needs_key(record.simulated)?;
        self.identify(person, For::Role(Role::Approver), pin)?;
        self.note_laboratory()?;
        let (simulated, year) = (record.simulated, clock::now().date().year());
        let new = self.chain.state.next(simulated, false, year).to_string();
        let issue = Issue {
            amends: Some(Amendment { replaces: number.to_owned(), reason: reason.to_owned(), corrections }),
            ..self.draft(&new)?
        };
        // Not `replaces`: the old paper is replaced by the entry of the issue, not by a draft.
        let about = About::run(&record)
            .say("amends", number)
            .say("amended_manifest", &paper.manifest_sha256)
            .say("reason", reason)
            .say("person", person)
            .say("role", Role::Approver.to_string());
        let (folder, kind) = (PAPERS, Kind::Papers);
        let stored = self.make(Making {
            folder,
            kind,
            about,
            record: &record,
            json,
            issue,
            photographs: &photographs,
        })?;
        Ok((new, stored))
    }

    /// Takes an issued paper back. It stays where it is; chain and register say that it no longer counts.
    pub fn withdraw(&mut self, number: &str, reason: &str, person: &str, pin: &str) -> Result<Entry, Fault> {
        let reason = known(reason)?;
        let Package { paper, .. } = self.issued(number)?;
        let mut about = About::paper(number)
            .say("reason", reason)
            .say("person", person)
            .say("role", Role::Approver.to_string())
            .say("manifest", &paper.manifest_sha256);
        about.record = Some(paper.record_no);
        // Without a key too: a wrong paper must not stay valid because a certificate has ended. One that holds has to sign;
        // where its key is lost or exposed, that is said before anything is entered.
        if self.chain.state.could_sign(clock::now(), about.takes_demo()) {
            self.needs_key(about.takes_demo())?;
        }
        self.identify(person, For::Role(Role::Approver), pin)?;
        let entry = self.write(Kind::Withdraw, about)?;
        self.add_rows(&entry, &chain::hash(&entry), None)?;
        Ok(entry)
    }

    /// A paper that is issued now.
    fn issued(&self, number: &str) -> Result<Package, Fault> {
        if number.parse::<Number>().is_ok_and(|number| number.original_record) {
            return Err(state(number, "this is the number of a record; give the paper's"));
        }
        let paper = standing(&self.dir, number)?;
        match paper.status {
            Status::Issued => self.package_of(number),
            Status::Amended | Status::Withdrawn => Err(gone(&paper)),
            Status::Draft | Status::Checked => {
                Err(state(number, "it is a draft; only what was issued is amended or withdrawn"))
            }
        }
    }
}

/// In words, that a paper no longer counts.
fn gone(paper: &PaperStanding) -> Fault {
    let what = match (&paper.replaced_by, &paper.withdrawn) {
        (_, Some(reason)) => format!("it was withdrawn already: {reason}"),
        (Some((by, reason)), None) => format!("it was replaced by {by} already: {reason}; amend that one"),
        (None, None) => "it no longer counts".to_owned(),
    };
    state(&paper.certificate_no, what)
}

/// What the new paper says otherwise than the record: what an earlier amendment corrected, and what this one does.
fn corrections(
    number: &str,
    record: &Record,
    old: &Issue,
    set: &[(Field, String)],
) -> Result<Vec<Correction>, Fault> {
    if set.is_empty() {
        return Err(state(number, "nothing is corrected; give --set FIELD=TEXT"));
    }
    let named = |item: &ItemResult| item.item == Item::Identity && item.verdict == Verdict::Pass;
    if set.iter().any(|(field, _)| *field == Field::Serial) && record.results.items.iter().any(named) {
        let what = "the meter itself was asked for its number, and it is the recorded one; a paper for another number needs another run";
        return Err(state(number, what));
    }
    let shown = corrected(record, old);
    let mut corrections = vec![];
    for field in Field::ALL {
        let from = text_of(&shown, field).to_owned();
        let mut news = set.iter().filter(|(set, _)| *set == field);
        match (news.next(), news.next()) {
            (Some(_), Some(_)) => return Err(state(number, format!("{field} is given twice"))),
            (Some((_, to)), None) if *to == from => {
                return Err(state(
                    number,
                    format!("{field} is \"{to}\" already; nothing would be corrected"),
                ));
            }
            (Some((_, to)), None) => corrections.push(Correction { field, from, to: to.clone() }),
            // Corrected earlier: carried on.
            (None, _) if from != text_of(record, field) => {
                corrections.push(Correction { field, to: from.clone(), from });
            }
            (None, _) => {}
        }
    }
    Ok(corrections)
}
