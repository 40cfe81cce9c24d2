//! Seals over the visits: what a meter said of itself when it passed the last time, and what a person has answered for
//! since. An answer is an entry of the chain, given for one record before the run that it lets pass; it changes nothing that
//! was measured or judged before it.

use super::approval::known;
use super::known::Wanted;
use super::persons::For;
use super::{About, Archive, Fault, disk, find, sha256, standing};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::Role;
use crate::certificate::package::RECORD;
use crate::certificate::record::Record;
use crate::certificate::sign;
use crate::plan::Nameplate;
use crate::plan::seal::{Answer, Earlier, Events, History, Seal};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// In an answer: of which meter.
pub(super) const METER: &str = "seals_of";
/// In an answer: what was found, as JSON.
const FOUND: &str = "found";
/// Who answers: the one who also withdraws papers. A choice of this house.
const ROLE: Role = Role::Approver;

/// What an answer was given for.
#[derive(Serialize, Deserialize)]
struct Found {
    events: Vec<Events>,
    seals: Vec<Seal>,
}

/// Answers by meter.
pub(super) type Answers = BTreeMap<String, Vec<Answer>>;

/// Which meter is meant; one that was made up is another than one of the same name.
fn meter(plate: &Nameplate, simulated: bool) -> String {
    let name = [&plate.maker, &plate.model, &plate.serial].map(|text| format!("{:?}", typed(text))).join(" ");
    if simulated { format!("SIMULATED {name}") } else { name }
}

/// A name or number as one reads it: blanks and the case of letters are a matter of typing, leading zeros too.
pub(super) fn typed(text: &str) -> String {
    let text = text.split_whitespace().collect::<String>().to_lowercase();
    let short = text.trim_start_matches('0');
    if short.is_empty() { text } else { short.to_owned() }
}

/// Takes an answer of the chain; what is not signed counts for nothing.
pub(super) fn take(answers: &mut Answers, entry: &Entry) {
    let said = |key: &str| entry.said.get(key).cloned();
    let answer = || {
        let found: Found = serde_json::from_str(&said(FOUND)?).ok()?;
        Some(Answer {
            person: said("person")?,
            role: said("role").filter(|role| *role == ROLE.to_string())?,
            at: entry.time.parse().ok()?,
            why: said("reason")?,
            record_no: entry.record.clone()?,
            entry: entry.seq,
            events: found.events,
            seals: found.seals,
        })
    };
    if entry.alg != sign::NONE
        && let (Some(meter), Some(answer)) = (said(METER), answer())
    {
        answers.entry(meter).or_default().push(answer);
    }
}

/// Which of a record's answers the chain does not know.
pub(super) fn unknown<'a>(answers: &Answers, record: &'a Record) -> Option<&'a Answer> {
    let known = answers.get(&meter(&record.plan.nameplate, record.simulated));
    let is_known = |answer: &Answer| known.is_some_and(|known| known.contains(answer));
    record.plan.seals_before.answers.iter().find(|answer| !is_known(answer))
}

/// What is known of a meter's seals: its last paper with which it passed that was neither withdrawn nor altered, and what
/// was answered for. A paper that was not issued counts as well: with it nothing was unanswered either.
pub fn seal_history(dir: &Path, plate: &Nameplate, simulated: bool) -> Result<History, Fault> {
    let mut own = BTreeSet::new();
    let mut gone = BTreeSet::new();
    // Number and SHA-256 of the record, and the entry of its verdict; oldest first.
    let mut papers: Vec<(String, String, u64)> = vec![];
    let mut opened = BTreeMap::new();
    let state = super::known::tell(dir, &Wanted::Serial(&plate.serial), |entry, _| {
        let said = |key: &str| entry.said.get(key).map_or("", String::as_str);
        let is_own = || entry.record.as_ref().is_some_and(|record| own.contains(record));
        let cert = entry.cert.clone().unwrap_or_default();
        match entry.kind {
            Kind::RunOpen => {
                let same = [("maker", &plate.maker), ("model", &plate.model), ("serial", &plate.serial)]
                    .iter()
                    .all(|(key, own)| typed(said(key)) == typed(own));
                if same && entry.said.contains_key(super::SIMULATED) == simulated {
                    own.extend(entry.record.clone());
                    opened.extend(entry.record.clone().map(|record| (record, entry.seq)));
                }
            }
            Kind::Verdict if is_own() && entry.verdict.as_deref() == Some("pass") => {
                papers.extend(entry.files.get(RECORD).map(|sha256| (cert, sha256.clone(), entry.seq)));
            }
            Kind::Amend => {
                for paper in papers.iter_mut().filter(|(number, ..)| number == said("replaces")) {
                    paper.0.clone_from(&cert);
                }
            }
            Kind::Withdraw => {
                gone.insert(cert);
            }
            _ => {}
        }
    })?;
    let standing_papers = papers.iter().rev().filter(|(number, ..)| !gone.contains(number));
    let mut standing_papers =
        standing_papers.filter_map(|(number, sha256, seq)| earlier(dir, number, sha256, *seq));
    let mut last = standing_papers.next();
    if let Some(last) = &mut last {
        // A meter that falls silent about a kind is held to what it told of it last.
        for older in standing_papers {
            for events in older.events.into_iter().filter(|events| events.count.is_some()) {
                if !last.events.iter().any(|own| own.kept == events.kept && own.count.is_some()) {
                    last.events.retain(|own| own.kept != events.kept);
                    last.events.push(events);
                }
            }
        }
    }
    // An answer for a run that is older than the last paper says nothing of what came after that paper.
    let paper = last.as_ref().map_or(0, |last| last.entry);
    let mut answers = state.seals.get(&meter(plate, simulated)).cloned().unwrap_or_default();
    answers.retain(|answer| opened.get(&answer.record_no).is_none_or(|opened| *opened > paper));
    Ok(History { last, answers })
}

/// What a paper knows of the seals; `None` where its record is not at hand, is not the one in the chain, or is older than
/// the event records.
fn earlier(dir: &Path, number: &str, expected: &str, entry: u64) -> Option<Earlier> {
    let path = find(dir, number).ok()?;
    let json = disk::read(&path).ok().filter(|json| sha256(json) == expected)?;
    let record = Record::from_json(number, &String::from_utf8_lossy(&json)).ok()?;
    let seals = record.results.seals.as_ref().filter(|seals| seals.waiting.is_empty())?;
    if record.results.verdict != Some(Verdict::Pass) {
        return None;
    }
    // What nobody says was changed at the end was left as it was found.
    let closing = record.closing.as_ref().map_or(&[][..], |closing| &closing.seal);
    let found =
        record.plan.entries.seal.iter().filter(|found| !closing.iter().any(|new| new.is_beside(found)));
    let left: Vec<Seal> = found.chain(closing).cloned().collect();
    Some(Earlier {
        certificate_no: number.to_owned(),
        at: record.started,
        status: standing(dir, number).map_or_else(|_| String::new(), |paper| paper.status.to_string()),
        entry,
        events: seals.events.clone(),
        seals: left,
    })
}

impl Archive {
    /// A person with the role answers, with the PIN, for what was found at the seals of a meter in the run of this number:
    /// of a record or paper. From then on a run in which the meter says the same may pass.
    pub fn answer_seals(
        &mut self,
        number: &str,
        why: &str,
        (person, pin): (&str, &str),
    ) -> Result<Entry, Fault> {
        let refuse = |what: String| Fault::State { number: number.to_owned(), what };
        let why = known(why)?;
        let path = find(&self.dir, number)?;
        let json = disk::read(&path)?;
        let record = Record::from_json(&path.display().to_string(), &String::from_utf8_lossy(&json))?;
        let (print, mut is_known) = (sha256(&json), false);
        super::known::tell(&self.dir, &Wanted::Number(&record.record_no), |entry, _| {
            is_known |=
                entry.record.as_ref() == Some(&record.record_no) && entry.files.get(RECORD) == Some(&print);
        })?;
        if !is_known {
            return Err(refuse(
                "its record is not the one whose SHA-256 stands in the chain; nobody can answer for it"
                    .into(),
            ));
        }
        let waiting = record.results.seals.as_ref().map(|seals| seals.waiting.clone()).unwrap_or_default();
        if waiting.is_empty() {
            return Err(refuse("nothing at its seals waits for an answer".into()));
        }
        let meter = meter(&record.plan.nameplate, record.simulated);
        let events = record.results.seals.as_ref().map(|seals| seals.events.clone()).unwrap_or_default();
        let seals = record.plan.entries.seal.clone();
        let answered = |answer: &Answer| (&answer.events, &answer.seals) == (&events, &seals);
        let history = seal_history(&self.dir, &record.plan.nameplate, record.simulated)?;
        if history.answers_since().next_back().is_some_and(answered) {
            return Err(refuse("it has been answered already; verify the meter again".into()));
        }
        self.needs_key(record.simulated)?;
        self.identify(person, For::Role(ROLE), pin)?;
        let found = serde_json::to_string(&Found { events, seals })
            .map_err(|e| Fault::File { path, what: e.to_string() })?;
        let mut about = About::default()
            .simulated(record.simulated)
            .say(METER, meter)
            .say(FOUND, found)
            .say("reason", why)
            .say("person", person)
            .say("role", ROLE.to_string());
        about.record = Some(record.record_no.clone());
        self.write(Kind::Approval, about)
    }
}
