//! The data folder: chain, packages, papers issued, register, key, persons. Nothing in it is changed or deleted.
//!
//! ```text
//! chain.jws                    one line an entry: each run started, its end, signatures, issues; names the one before
//! packages/<certificate_no>/   the draft of a completed run, made by the device
//! papers/<certificate_no>/     the same, where its papers were made later than the verdict
//! issued/<certificate_no>/     the same, issued after three signatures, or in place of another
//! unfinished/<record_no>/      record and account of a run without verdict: aborted, faulted, a pre-check
//! register.index               where the rows of the register are; made from it, and made again if it is lost
//! register.csv                 one row for each change of a paper's state
//! key/  trust/                 the device's key with its certificate and authority; authorities believed
//! laboratory.toml              the institution, as papers name it
//! persons.json                 who may sign, with the hash of the PIN; mode 0600
//! journal.sqlite               what came in during the run that is open; emptied when its record is stored
//! lock                         held by the one instance that writes
//! ```
//!
//! A run is in the chain before its first point ([`Archive::open_run`]), so that none can vanish. A package is made under
//! a temporary name, forced to the disk and renamed; then its manifest is appended to the chain; then the register gets
//! its row. If the power fails between these, the next [`Archive::open`] writes what is missing from what is there. A run
//! that was opened and left neither a package nor a [`journal`] is then aborted.

mod approval;
mod backup;
mod calibration;
mod chain;
mod clock;
mod disk;
mod export;
mod fault;
mod index;
pub mod journal;
mod keys;
mod known;
mod opening;
mod papers;
mod persons;
mod profiles;
mod register;
mod rows;
mod reader;
mod seals;
mod settings;
mod sheet;
mod standing;
mod tester;
mod trail;
mod visit;

pub use backup::{Copied, back_up, check as check_folder, restore};
pub use calibration::{CALIBRATION, Import, imported};
pub use disk::{keep as keep_private, read as read_regular, store_private as replace_private, sync_folder};
pub use export::{export_csv, export_xlsx, write_whole};
pub use fault::Fault;
pub use index::{Filter, Found, Index};
pub use opening::check_register;
pub use papers::{photographs_beside, record_bytes};
pub use persons::{Person, TRIES_MAX};
pub use profiles::Terms;
pub use register::{RegisterRow, list, table};
pub use seals::seal_history;
pub use settings::{KeyInfo, key_info, persons, who_has_pin};
pub use standing::{PaperStanding, issue_of, package_folder, profile_approval, profile_next, standing};
pub use tester::{Kept, kept};
pub use trail::{Trace, trail};
pub use visit::{results_of, unfinished, unfinished_results};

use crate::certificate::chain::{Entry, Kind, NONE_BEFORE, VERSION};
use crate::certificate::issue::Laboratory;
use crate::certificate::number::Number;
use crate::certificate::package::RECORD;
use crate::certificate::record::{Outcome, Record};
use crate::certificate::sign::key::P256Key;
use crate::certificate::sign::{self, Signer};
use crate::plan::Plan;
use crate::time::Stamp;
use chain::{Chain, OpenRun, State};
use journal::Book;
use keys::Keys;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const PACKAGES: &str = "packages";
const PAPERS: &str = "papers";
const ISSUED: &str = "issued";
const UNFINISHED: &str = "unfinished";
const LABORATORY: &str = "laboratory.toml";
/// An entry says so where its bench was simulated.
const SIMULATED: &str = "simulated";

/// The numbers of a run that was opened. They are used from then on, whatever comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Of the original record.
    pub record_no: String,
    /// Of the paper; for a completed run only.
    pub certificate_no: String,
}

/// A photograph beside a record: its name in the package, and its bytes.
pub type Photograph = (String, Vec<u8>);

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: PathBuf,
    /// The folder it stands in.
    pub package: PathBuf,
    /// All files of the folder.
    pub files: Vec<PathBuf>,
    /// What somebody should know: why nothing was sealed, that a certificate soon ends.
    pub notices: Vec<String>,
}

/// A data folder that nobody else writes.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    notices: Vec<String>,
    chain: Chain,
    keys: Keys,
    /// Whose chain it is.
    device: String,
    /// The journal was read from end to end, and is sound.
    journal_read: AtomicBool,
    /// Held as long as this lives; the system lets go of it also after a crash.
    _lock: File,
}

/// What an entry tells; its place in the chain, time and key come with writing.
#[derive(Debug, Clone, Default)]
struct About {
    record: Option<String>,
    cert: Option<String>,
    verdict: Option<String>,
    said: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

impl About {
    /// Of the run of a record.
    fn run(record: &Record) -> Self {
        let verdict = record.results.verdict.map(|verdict| verdict.to_string().to_lowercase());
        let (no, cert) = (record.record_no.clone(), record.certificate_no.clone());
        Self { record: Some(no), cert, verdict, ..Self::default() }.simulated(record.simulated)
    }

    /// Of a paper by its number.
    fn paper(number: &str) -> Self {
        let simulated = number.parse::<Number>().is_ok_and(|number| number.simulated);
        Self { cert: Some(number.to_owned()), ..Self::default() }.simulated(simulated)
    }

    fn simulated(self, simulated: bool) -> Self {
        if simulated { self.say(SIMULATED, "true") } else { self }
    }

    fn say(mut self, key: &str, text: impl Into<String>) -> Self {
        self.said.insert(key.to_owned(), text.into());
        self
    }

    /// Whether a DEMO key may sign it: what is simulated, and what is of no run at all.
    fn takes_demo(&self) -> bool {
        self.said.contains_key(SIMULATED) || (self.record.is_none() && self.cert.is_none())
    }
}

impl Archive {
    /// What [`Archive::open`] found and set right, in words.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Opens a run: allots its numbers and writes that it begins, before anything is switched on. `about` is what is known
    /// of it: the meter, the regulation. On the simulated bench a device without a key gets one for demonstration.
    pub fn open_run(
        &mut self,
        simulated: bool,
        year: i16,
        about: BTreeMap<String, String>,
    ) -> Result<Numbers, Fault> {
        if let Some(run) = &self.chain.state.run {
            let what = "this run is still open; it ends before the next one begins: `phantomload run resume`, or `phantomload run close`".to_owned();
            return Err(Fault::State { number: run.record_no.clone(), what });
        }
        // A verdict that this key could have signed and did not would be doubted for ever: nothing is begun.
        if let Some(why) = self.keys.exposed() {
            return Err(Fault::Key { what: why.to_owned() });
        }
        if simulated && self.keys.is_absent() && self.chain.state.key_id.is_empty() {
            self.make_demo_key()?;
        }
        let now = clock::now();
        if let Err(what) = self.signer(simulated, now)
            && self.chain.state.could_sign(now, simulated)
        {
            return Err(Fault::Key { what });
        }
        self.note_laboratory()?;
        self.chain.reserve()?;
        let next = |original| self.chain.state.next(simulated, original, year).to_string();
        let numbers = Numbers { record_no: next(true), certificate_no: next(false) };
        let about = About {
            record: Some(numbers.record_no.clone()),
            cert: Some(numbers.certificate_no.clone()),
            said: about,
            ..About::default()
        };
        self.write(Kind::RunOpen, about.simulated(simulated))?;
        Ok(numbers)
    }

    /// The numbers of the run that has not ended.
    pub fn open_numbers(&self) -> Option<Numbers> {
        let run = self.chain.state.run.as_ref()?;
        Some(Numbers { record_no: run.record_no.clone(), certificate_no: run.certificate_no.clone() })
    }

    /// The journal of runs, with the words for what was wrong with the last one. It is sealed with a secret that only this
    /// device's key gives; without a key it is only guarded against damage.
    pub fn journal(&self) -> Result<(Book, Vec<String>), Fault> {
        let secret = self.keys.pair().map(|pair| pair.key.sign(journal::SECRET)).transpose()?;
        // From end to end once: while the lock is held nobody else writes it.
        let whole = !self.journal_read.load(Ordering::Relaxed);
        let opened = Book::open(&self.dir, &secret.unwrap_or_default(), whole)?;
        self.journal_read.store(true, Ordering::Relaxed);
        Ok(opened)
    }

    /// Whether the run that is open was opened with this plan. One of an older version did not say.
    pub fn is_open_with(&self, plan: &Plan) -> bool {
        let said = self.chain.state.run.as_ref().and_then(|run| run.said.get(chain::PLAN));
        said.is_none_or(|was| *was == plan_sha256(plan))
    }

    /// Whether there is a journal at all.
    pub fn has_journal(&self) -> bool {
        self.dir.join(journal::FILE).exists()
    }

    /// Whether a record of this run is stored here.
    pub fn has_record(&self, numbers: &Numbers) -> bool {
        let papers = [PACKAGES, PAPERS].map(|folder| self.dir.join(folder).join(&numbers.certificate_no));
        let unfinished = self.dir.join(UNFINISHED).join(&numbers.record_no);
        papers.into_iter().chain([unfinished]).any(|folder| folder.join(RECORD).is_file())
    }

    /// Whether papers of such a bench can be sealed now, and why not: to be told before a run and not after it.
    pub fn why_unsealed(&self, simulated: bool) -> Option<String> {
        self.signer(simulated, clock::now()).err()
    }

    /// Stores the record of the run that is open, with its papers, all or nothing, and ends it in the chain.
    pub fn store(&mut self, record: &Record) -> Result<Stored, Fault> {
        self.store_with(record, &[])
    }

    /// The same with the photographs that the record names.
    pub fn store_with(&mut self, record: &Record, photographs: &[Photograph]) -> Result<Stored, Fault> {
        papers::depicted(record, photographs)?;
        self.store_run(record, photographs)
    }

    /// The same for a run that a crash has left: a photograph that is not at hand any more keeps no record out.
    pub fn store_left(&mut self, record: &Record, photographs: &[Photograph]) -> Result<Stored, Fault> {
        let own = papers::own(photographs, record);
        let missing = record.photographed().count().saturating_sub(own.len());
        let mut stored = self.store_run(record, &own)?;
        if missing > 0 && record.certificate_no.is_none() {
            stored.notices.push(format!("{missing} photographs that the record names are not at hand"));
        }
        Ok(stored)
    }

    fn store_run(&mut self, record: &Record, photographs: &[Photograph]) -> Result<Stored, Fault> {
        check(record)?;
        let run = self.chain.state.run.clone().filter(|run| run.record_no == record.record_no);
        let run = run.ok_or_else(|| Fault::NotOpened { record_no: record.record_no.clone() })?;
        opened_for(&run, record, &self.chain.state)?;
        if let Some(number) = record.certificate_no.as_ref().filter(|no| **no != run.certificate_no) {
            let why = format!("the run was opened as {}", run.certificate_no);
            return Err(Fault::Number { seen: number.clone(), why });
        }
        if record.certificate_no.is_some() {
            self.store_completed(record, photographs)
        } else {
            self.store_unfinished(record, photographs)
        }
    }

    /// The next entry of the chain, signed or not.
    fn entry(&self, kind: Kind, about: About, signer: Option<&dyn Signer>, at: Stamp) -> Entry {
        let state = &self.chain.state;
        Entry {
            v: VERSION,
            seq: state.seq + 1,
            prev: if state.seq == 0 { NONE_BEFORE.to_owned() } else { state.head.clone() },
            device: self.device.clone(),
            kind,
            record: about.record,
            cert: about.cert,
            time: at.to_string(),
            clock: clock::clock(),
            verdict: about.verdict,
            said: about.said,
            files: about.files,
            alg: signer.map_or(sign::NONE, |signer| signer.algorithm()).to_owned(),
            key_id: signer.map_or(String::new(), |signer| sign::key_id(signer.certificate())),
        }
    }

    /// The key that seals at this time, or why none does.
    fn signer(&self, simulated: bool, at: Stamp) -> Result<&P256Key, String> {
        self.keys.signer(simulated, at, &self.chain.state.key_id)
    }

    /// Says in the chain that the clock stands before its last entry, where it does: before anything else is written.
    fn mind_clock(&mut self, at: Stamp) -> Result<(), Fault> {
        let Some(last) = self.chain.state.time.filter(|last| at.timestamp() < last.timestamp()) else {
            return Ok(());
        };
        let reason = format!("the clock stands at {at}, before the last entry, {last}: it was set back");
        self.notices.push(reason.clone());
        let about = About::default().say("from", last.to_string()).say("reason", reason);
        self.append(Kind::ClockSet, about, at).map(|_| ())
    }

    /// Writes an entry, signed where a key is there that may.
    fn write(&mut self, kind: Kind, about: About) -> Result<Entry, Fault> {
        let at = clock::now();
        self.mind_clock(at)?;
        self.append(kind, about, at)
    }

    fn append(&mut self, kind: Kind, about: About, at: Stamp) -> Result<Entry, Fault> {
        let key = self.signer(about.takes_demo(), at).ok();
        let signer = key.map(|key| key as &dyn Signer);
        let entry = self.entry(kind, about, signer, at);
        let line = entry.line(signer)?;
        self.chain.append(&entry, &line)?;
        Ok(entry)
    }

    /// The institution; nothing is entered where there is no file.
    fn laboratory(&self) -> Result<Laboratory, Fault> {
        let path = self.dir.join(LABORATORY);
        let text = keys::text(&path)?.unwrap_or_default();
        toml::from_str(&text).map_err(|e| Fault::File { path, what: e.to_string() })
    }

    fn register_path(&self) -> PathBuf {
        self.dir.join("register.csv")
    }
}

/// The record of a number, or of a path to a record or its folder.
pub fn find(dir: &Path, number_or_path: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(number_or_path);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if path.join(RECORD).is_file() {
        return Ok(path.join(RECORD));
    }
    if let Ok(number) = number_or_path.parse::<Number>() {
        // A paper's folder has its number; of a record the register knows the paper.
        let row = (number.original_record && dir.join("register.csv").is_file())
            .then(|| Index::open(dir).and_then(|index| index.of_record(number_or_path)));
        let row = row.and_then(|row| row.ok().flatten());
        let certificate = row.as_ref().map_or(number_or_path, |row| row.get("certificate_no"));
        let places = [
            dir.join(ISSUED).join(certificate),
            dir.join(PACKAGES).join(certificate),
            dir.join(PAPERS).join(certificate),
            dir.join(UNFINISHED).join(number_or_path),
        ];
        if let Some(found) = places.into_iter().map(|folder| folder.join(RECORD)).find(|path| path.is_file())
        {
            return Ok(found);
        }
    }
    Err(Fault::NotFound { wanted: number_or_path.to_owned(), dir: dir.to_owned() })
}

/// Whether the numbers of a record fit it; gives the one that names its folder.
fn check(record: &Record) -> Result<Number, Fault> {
    let simulated = record.simulated || record.plan.standards.is_simulated();
    let fits = |text: &str, original_record: bool| -> Result<Number, Fault> {
        let why = |why: String| Fault::Number { seen: text.to_owned(), why };
        let number: Number =
            text.parse().map_err(|e: crate::certificate::number::NoNumber| why(e.to_string()))?;
        if number.original_record != original_record {
            return Err(why("records have an R in their number, papers have none".into()));
        }
        if number.simulated != simulated {
            return Err(why(format!("the run is {}simulated", if simulated { "" } else { "not " })));
        }
        Ok(number)
    };
    if simulated && !record.simulated {
        return Err(Fault::Number {
            seen: record.record_no.clone(),
            why: "its standards are simulated, and the record does not say SIMULATED".into(),
        });
    }
    let record_no = fits(&record.record_no, true)?;
    let completed = record.outcome == Outcome::Completed && record.results.verdict.is_some();
    match &record.certificate_no {
        Some(certificate_no) if completed => fits(certificate_no, false),
        None if !completed => Ok(record_no),
        Some(certificate_no) => Err(Fault::Number {
            seen: certificate_no.clone(),
            why: "the run was not completed; only a completed run has a certificate".into(),
        }),
        None => Err(Fault::Number {
            seen: record.record_no.clone(),
            why: "the run was completed and has no certificate number".into(),
        }),
    }
}

/// Whether a record is of the run that was opened: of its bench, meter and regulation, and no laboratory answers for its
/// profile but the one in the chain.
fn opened_for(run: &OpenRun, record: &Record, state: &State) -> Result<(), Fault> {
    let other = |what: String| Fault::State { number: record.record_no.clone(), what };
    if run.simulated != record.simulated {
        return Err(other("the run was opened on another bench: real and simulated differ".into()));
    }
    for (key, is) in facts(&record.plan) {
        if let Some(was) = run.said.get(key).filter(|was| **was != is) {
            return Err(other(format!("the run was opened with {key} \"{was}\", the record says \"{is}\"")));
        }
    }
    if let Some(answer) = seals::unknown(&state.seals, record) {
        return Err(other(format!(
            "{} has answered for its seals, and the chain knows nothing of that; `phantomload seal answer` enters it",
            answer.person
        )));
    }
    if let Some(approval) = &record.plan.profile.approval {
        let known = run.said.get(chain::PROFILE).and_then(|sha256| state.profiles.get(sha256));
        if known.and_then(|known| known.approval(record.simulated)) != Some(approval) {
            return Err(other(format!(
                "{} of {} answers for its regulation profile, and the chain knows nothing of that; `phantomload profile approve` enters it",
                approval.person, approval.laboratory
            )));
        }
    }
    if run.said.get(chain::PLAN).is_some_and(|was| *was != plan_sha256(&record.plan)) {
        return Err(other("the run was opened with another plan".into()));
    }
    Ok(())
}

/// What the chain says of a run when it begins.
fn facts(plan: &Plan) -> BTreeMap<&'static str, String> {
    let plate = &plan.nameplate;
    BTreeMap::from([
        ("maker", plate.maker.clone()),
        ("model", plate.model.clone()),
        ("serial", plate.serial.clone()),
        ("regulation", plan.profile.id.clone()),
        ("kind", plan.kind.to_string()),
        ("class", plan.class.name().to_owned()),
        ("reference_certificate", plan.standards.reference().certificate_no().to_owned()),
    ])
}

/// What the chain says of a run when it begins: of its meter, bench and regulation, and which text of the regulation profile holds.
pub fn opening(plan: &Plan, profile_sha256: &str) -> BTreeMap<String, String> {
    let profile = (chain::PROFILE.to_owned(), profile_sha256.to_owned());
    let whole = (chain::PLAN.to_owned(), plan_sha256(plan));
    facts(plan).into_iter().map(|(key, text)| (key.to_owned(), text)).chain([profile, whole]).collect()
}

/// SHA-256 of a plan as this program writes it: limits, loads, seals before, everything.
fn plan_sha256(plan: &Plan) -> String {
    sha256(&serde_json::to_vec(plan).expect("a plan is texts, numbers and lists of them"))
}

/// The record number in a record, without reading the rest of it.
fn peek(path: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        record_no: String,
    }
    let named: Named = serde_json::from_slice(&disk::read(path).ok()?).ok()?;
    Some(named.record_no)
}

/// SHA-256 in lower-case hexadecimal, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    sign::hex(&sign::sha256(bytes))
}

#[cfg(test)]
mod tests;
