//! Seals over the visits: what a meter said of itself when it passed the last time, and what a person has answered for
//! since. An answer is an entry of the chain, given for one record before the run that it lets pass; it changes nothing that
//! was measured or judged before it.

use super::approval::known;
use super::known::Wanted;
use super::persons::For;
use super::rows::KEPT;
use super::standing::PaperStanding;
use super::visit::without_raw;
use super::{About, Archive, Fault, ISSUED, PACKAGES, PAPERS, disk, find, sha256};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::{Role, Status};
use crate::certificate::package::RECORD;
use crate::certificate::record::Record;
use crate::certificate::sign;
use crate::plan::Nameplate;
use crate::plan::seal::{Answer, Earlier, Events, History, Kept, Seal};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// A run with which a meter passed, as the walk along the chain finds it.
struct Passed {
    /// Of its record.
    sha256: String,
    /// The entry of its verdict.
    entry: u64,
    /// Whether the device has signed it. A number that somebody used again makes no signed verdict doubtful.
    signed: bool,
    /// Its record could not be stored when it ended, and no papers were made since.
    outside: bool,
    /// Every number under which its record lies here, the first one first.
    numbers: Vec<String>,
    /// How the last of them stands.
    paper: PaperStanding,
}

/// What is known of a meter's seals: its last paper with which it passed that was not withdrawn, and what was answered for. A
/// paper that was not issued counts as well: with it nothing was unanswered either. A verdict that nobody has signed although
/// the key could have is nobody's. Where the record of that paper is gone or altered nothing is guessed: it is a fault.
pub fn seal_history(dir: &Path, plate: &Nameplate, simulated: bool) -> Result<History, Fault> {
    let mut opened = BTreeMap::new();
    // Oldest first, and where each stands by its numbers.
    let mut passed: Vec<Passed> = vec![];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let state = super::known::tell(dir, &Wanted::Serial(&plate.serial), |entry, sha256| {
        let said = |key: &str| entry.said.get(key).map_or("", String::as_str);
        if entry.kind == Kind::RunOpen {
            let same = [("maker", &plate.maker), ("model", &plate.model), ("serial", &plate.serial)]
                .iter()
                .all(|(key, own)| typed(said(key)) == typed(own));
            if same && entry.said.contains_key(super::SIMULATED) == simulated {
                opened.extend(entry.record.clone().map(|record| (record, entry.seq)));
            }
            return;
        }
        let Some(number) = &entry.cert else { return };
        let is_own = entry.record.as_ref().is_some_and(|record| opened.contains_key(record));
        if entry.kind == Kind::Verdict && is_own && entry.verdict.as_deref() == Some("pass") {
            let Some(record) = entry.files.get(RECORD) else { return };
            let signed = entry.alg != sign::NONE;
            if !signed && places.contains_key(number) {
                return;
            }
            places.insert(number.clone(), passed.len());
            passed.push(Passed {
                sha256: record.clone(),
                entry: entry.seq,
                signed,
                outside: entry.said.contains_key(KEPT),
                numbers: vec![number.clone()],
                paper: PaperStanding::new(number),
            });
        }
        if entry.kind == Kind::Amend
            && let Some(place) = places.get(said("replaces")).copied()
        {
            passed[place].numbers.push(number.clone());
            passed[place].paper = PaperStanding::new(number);
            places.insert(number.clone(), place);
        }
        if let Some(place) = places.get(number) {
            let passed = &mut passed[*place];
            passed.outside &= entry.kind != Kind::Papers;
            passed.paper.take(entry, sha256);
        }
    })?;
    passed.retain(|passed| {
        let stands = passed.signed || !state.doubtful.contains(&passed.numbers[0]);
        stands && passed.paper.status != Status::Withdrawn
    });
    let mut last: Option<Earlier> = None;
    for passed in passed.iter().rev() {
        if last.as_ref().is_some_and(|last| Kept::ALL.into_iter().all(|kept| told(&last.events, kept))) {
            break;
        }
        let older = match earlier(dir, passed) {
            Ok(older) => older,
            // Only what older papers would add to the last one that is here.
            Err(_) if last.is_some() => continue,
            Err(fault) => return Err(fault),
        };
        let Some(older) = older else { continue };
        let Some(last) = &mut last else {
            last = Some(older);
            continue;
        };
        // A meter that falls silent about a kind is held to what it told of it last.
        for events in older.events.into_iter().filter(|events| events.count.is_some()) {
            if !told(&last.events, events.kept) {
                last.events.retain(|own| own.kept != events.kept);
                last.events.push(events);
            }
        }
    }
    // An answer for a run that is older than the last paper says nothing of what came after that paper.
    let paper = last.as_ref().map_or(0, |last| last.entry);
    let mut answers = state.seals.get(&meter(plate, simulated)).cloned().unwrap_or_default();
    answers.retain(|answer| opened.get(&answer.record_no).is_none_or(|opened| *opened > paper));
    Ok(History { last, answers })
}

/// Whether a meter has told how often.
fn told(events: &[Events], kept: Kept) -> bool {
    events.iter().any(|events| events.kept == kept && events.count.is_some())
}

/// What a paper knows of the seals; `None` where its record is older than the event records, or never came into the folder.
/// A record that was here and is gone, or is not the one in the chain, is a fault.
fn earlier(dir: &Path, passed: &Passed) -> Result<Option<Earlier>, Fault> {
    let number = passed.numbers.last().map_or("", String::as_str);
    // An amendment has the same record, byte for byte, and so has what it replaced: any of them will do.
    let folders = passed.numbers.iter().rev().flat_map(|number| {
        [ISSUED, PACKAGES, PAPERS].map(|folder| dir.join(folder).join(number).join(RECORD))
    });
    let is_it = |json: &Vec<u8>| sha256(json) == passed.sha256;
    let Some(json) = folders.filter_map(|path| disk::read(&path).ok()).find(is_it) else {
        if passed.outside {
            return Ok(None);
        }
        let what = "with it this meter passed the last time, and what it then said of its openings and seals cannot be known: its record is gone or was altered. Take its package from a backup (`phantomload data check` names what else is missing), or begin another data folder with --data".to_owned();
        return Err(Fault::State { number: number.to_owned(), what });
    };
    let record = without_raw(number, &json)?;
    let Some(seals) = record.results.seals.as_ref().filter(|seals| seals.waiting.is_empty()) else {
        return Ok(None);
    };
    if record.results.verdict != Some(Verdict::Pass) {
        return Ok(None);
    }
    // What nobody says was changed at the end was left as it was found.
    let closing = record.closing.as_ref().map_or(&[][..], |closing| &closing.seal);
    let found =
        record.plan.entries.seal.iter().filter(|found| !closing.iter().any(|new| new.is_beside(found)));
    let left: Vec<Seal> = found.chain(closing).cloned().collect();
    Ok(Some(Earlier {
        certificate_no: number.to_owned(),
        at: record.started,
        status: passed.paper.status.to_string(),
        entry: passed.entry,
        events: seals.events.clone(),
        seals: left,
    }))
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
