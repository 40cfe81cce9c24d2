//! `chain.jws`: one line an entry, read link by link, appended to in one write and forced to the disk.
//!
//! Reading begins at the last checkpoint, so that a long chain opens as quickly as a short one. A checkpoint is derived
//! from the chain; without it the chain is read from its first line.

use super::{Fault, disk, rows};
use crate::certificate::chain::{Entry, Kind, NONE_BEFORE, VERSION};
use crate::certificate::number::Number;
use crate::certificate::sign;
use crate::regulation::Approval;
use crate::time::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The file.
pub(super) const FILE: &str = "chain.jws";
/// What is known at some line of it.
const CHECKPOINT: &str = "chain.checkpoint";
/// Room that is given back to a full disk, so that the end of a run can still be told.
const RESERVE: &str = "chain.reserve";
/// Much more than an entry takes.
const RESERVE_BYTES: usize = 1 << 16;
/// A checkpoint is made where more than this was read.
const CHECKPOINT_BYTES: u64 = 4 << 20;

/// A run that was opened and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenRun {
    /// Its record's number.
    pub record_no: String,
    /// The number that its paper would have.
    pub certificate_no: String,
    /// Whether its bench is simulated.
    pub simulated: bool,
}

/// What follows from the entries up to a line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Bytes up to there.
    length: u64,
    /// Entries up to there.
    pub seq: u64,
    /// SHA-256 of the last of them.
    pub head: String,
    /// Whose chain it is; empty before the first entry.
    pub device: String,
    /// The run that has not ended.
    pub run: Option<OpenRun>,
    /// The key in use, and the one before it.
    pub key_id: String,
    pub replaced_key_id: String,
    /// SHA-256 of `persons.json`.
    pub persons: String,
    /// SHA-256 of `laboratory.toml`.
    pub laboratory: String,
    /// Rows that the entries ask for in the register.
    pub rows: u64,
    /// The highest number of each kind and year.
    numbers: Vec<String>,
    /// Who answers for which regulation profile, by SHA-256 of its text.
    pub profiles: BTreeMap<String, ProfileApproval>,
}

/// A laboratory's answer for a regulation profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProfileApproval {
    pub approval: Approval,
    /// Sealed with a DEMO key: holds on the simulated bench alone.
    pub demo: bool,
}

impl State {
    fn apply(&mut self, entry: &Entry, sha256: String) -> Result<(), String> {
        let head = if self.seq == 0 { NONE_BEFORE } else { &self.head };
        if entry.v != VERSION {
            return Err(format!("the entry has version {}, this program reads {VERSION}", entry.v));
        }
        if entry.seq != self.seq + 1 {
            return Err(format!(
                "entry {} follows on entry {}: one is missing or doubled",
                entry.seq, self.seq
            ));
        }
        if entry.prev != head {
            return Err(format!(
                "entry {} does not name the one before it: one of both was changed",
                entry.seq
            ));
        }
        let said = |key: &str| entry.said.get(key).cloned();
        for number in entry.record.iter().chain(&entry.cert) {
            self.see(number);
        }
        match entry.kind {
            Kind::RunOpen => {
                self.run = Some(OpenRun {
                    record_no: entry.record.clone().unwrap_or_default(),
                    certificate_no: entry.cert.clone().unwrap_or_default(),
                    simulated: said("simulated").is_some(),
                });
            }
            Kind::Verdict | Kind::Aborted => {
                self.run.take_if(|run| Some(&run.record_no) == entry.record.as_ref());
            }
            Kind::ConfigChange => {
                self.persons = said("persons").unwrap_or_else(|| std::mem::take(&mut self.persons));
                self.laboratory = said("laboratory").unwrap_or_else(|| std::mem::take(&mut self.laboratory));
            }
            Kind::KeyChange => {
                self.replaced_key_id = said("replaces").unwrap_or_default();
                self.key_id = said("key_id").unwrap_or_default();
            }
            Kind::Approval => self.approve(entry),
            _ => {}
        }
        self.rows += rows::due(entry, "").len() as u64;
        self.device.clone_from(&entry.device);
        self.seq = entry.seq;
        self.head = sha256;
        Ok(())
    }

    fn approve(&mut self, entry: &Entry) {
        let said = |key: &str| entry.said.get(key).cloned();
        if let (Some(sha256), Some(laboratory), Some(person), Ok(at)) =
            (said("profile_sha256"), said("laboratory"), said("person"), entry.time.parse::<Stamp>())
            && entry.alg != sign::NONE
        {
            let approval = Approval { laboratory, person, date: at.date() };
            self.profiles.insert(sha256, ProfileApproval { approval, demo: said("demo").is_some() });
        }
    }

    /// A number that is used from now on.
    pub fn see(&mut self, number: &str) {
        let Ok(number) = number.parse::<Number>() else { return };
        let same = |n: &Number| {
            (n.simulated, n.original_record, n.year)
                == (number.simulated, number.original_record, number.year)
        };
        for seen in &mut self.numbers {
            if seen.parse::<Number>().is_ok_and(|seen| same(&seen)) {
                let highest = seen.parse::<Number>().map_or(number, |seen| seen.max(number));
                *seen = highest.to_string();
                return;
            }
        }
        self.numbers.push(number.to_string());
    }

    /// The next number of a kind and year.
    pub fn next(&self, simulated: bool, original_record: bool, year: i16) -> Number {
        let numbers = self.numbers.iter().filter_map(|n| n.parse::<Number>().ok());
        let same = numbers
            .filter(|n| (n.simulated, n.original_record, n.year) == (simulated, original_record, year));
        let seq = same.map(|n| n.seq).max().unwrap_or(0).saturating_add(1);
        Number { simulated, original_record, year, seq }
    }
}

/// SHA-256 of an entry in lower-case hexadecimal.
pub(super) fn hash(entry: &Entry) -> String {
    sign::hex(&entry.sha256())
}

/// The chain of a data folder that nobody else writes.
#[derive(Debug)]
pub(super) struct Chain {
    dir: PathBuf,
    pub state: State,
}

impl Chain {
    /// Reads a chain and tells each entry that was read with its hash. `known_rows` of the register stand already: where
    /// they are fewer than a checkpoint counts, the chain is read from its first line.
    pub fn open(dir: &Path, known_rows: u64, mut tell: impl FnMut(&Entry, &str)) -> Result<Self, Fault> {
        let path = dir.join(FILE);
        let from = checkpoint(dir)?.filter(|state| state.rows <= known_rows).unwrap_or_default();
        let begin = from.length;
        let state = walk(&path, from, &mut tell)?;
        let chain = Self { dir: dir.to_owned(), state };
        if chain.state.length - begin > CHECKPOINT_BYTES {
            let json = serde_json::to_vec(&chain.state).map_err(|e| chain.broken(0, e.to_string()))?;
            disk::store_file(dir, CHECKPOINT, &json)?;
        }
        Ok(chain)
    }

    fn broken(&self, line: u64, what: String) -> Fault {
        Fault::Chain { path: self.dir.join(FILE), line, what }
    }

    /// Appends the line of the next entry. Nobody else may have written meanwhile.
    pub fn append(&mut self, entry: &Entry, line: &str) -> Result<String, Fault> {
        let path = self.dir.join(FILE);
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(e) if e.kind() == ErrorKind::NotFound => 0,
            Err(e) => return Err(Fault::read(&path, &e)),
        };
        if length != self.state.length {
            let what = format!("it has {length} bytes where it had {}", self.state.length);
            return Err(self.broken(self.state.seq + 1, what));
        }
        let sha256 = hash(entry);
        let mut after = self.state.clone();
        after.apply(entry, sha256.clone()).map_err(|what| self.broken(entry.seq, what))?;
        let bytes = [line.as_bytes(), b"\n"].concat();
        disk::append(&path, "an entry of the chain", &bytes)?;
        after.length += bytes.len() as u64;
        self.state = after;
        Ok(sha256)
    }

    /// Holds some room back, before a run begins.
    pub fn reserve(&self) -> Result<(), Fault> {
        let path = self.dir.join(RESERVE);
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == RESERVE_BYTES as u64) {
            return Ok(());
        }
        disk::store_file(&self.dir, RESERVE, &vec![b'='; RESERVE_BYTES])
    }

    /// Gives that room back, so that an entry still fits on a disk that is full.
    pub fn give_back(&self) {
        // Best effort: what follows says whether there is room.
        let _ = fs::remove_file(self.dir.join(RESERVE));
    }
}

/// The last checkpoint, where the chain still says what it says.
fn checkpoint(dir: &Path) -> Result<Option<State>, Fault> {
    let Some(bytes) = disk::read_if_there(&dir.join(CHECKPOINT))? else { return Ok(None) };
    let Ok(state) = serde_json::from_slice::<State>(&bytes) else { return Ok(None) };
    let Some(line) = last_line(&dir.join(FILE), state.length) else { return Ok(None) };
    let fits = Entry::from_line(&line).is_ok_and(|e| e.seq == state.seq && hash(&e) == state.head);
    Ok(fits.then_some(state))
}

/// The line that ends at `end`.
fn last_line(path: &Path, end: u64) -> Option<String> {
    use std::io::Read;
    let begin = end.saturating_sub(RESERVE_BYTES as u64);
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut tail = vec![0; usize::try_from(end - begin).ok()?];
    file.read_exact(&mut tail).ok()?;
    let tail = tail.strip_suffix(b"\n")?;
    let begin = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    String::from_utf8(tail[begin..].to_vec()).ok()
}

/// Reads on from a state to the last whole line.
fn walk(path: &Path, from: State, tell: &mut impl FnMut(&Entry, &str)) -> Result<State, Fault> {
    let mut state = from;
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(state),
        Err(e) => return Err(Fault::read(path, &e)),
    };
    file.seek(SeekFrom::Start(state.length)).map_err(|e| Fault::read(path, &e))?;
    let mut reader = BufReader::new(file);
    let mut line = String::new();
    loop {
        line.clear();
        let broken = |what: String| Fault::Chain { path: path.to_owned(), line: state.seq + 1, what };
        let read = match reader.read_line(&mut line) {
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::InvalidData => return Err(broken("it is no text".into())),
            Err(e) => return Err(Fault::read(path, &e)),
        };
        // A line that breaks off was never said to be written; see `mend`.
        let Some(text) = line.strip_suffix('\n') else { return Ok(state) };
        let entry = Entry::from_line(text).map_err(|e| broken(e.to_string()))?;
        let (sha256, line) = (hash(&entry), state.seq + 1);
        state.apply(&entry, sha256.clone()).map_err(|what| Fault::Chain {
            path: path.to_owned(),
            line,
            what,
        })?;
        state.length += read as u64;
        tell(&entry, &sha256);
    }
}

/// Moves a line that a crash has torn into a file of its own. Says what it did.
pub(super) fn mend(dir: &Path) -> Result<Option<String>, Fault> {
    let path = dir.join(FILE);
    let length = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Fault::read(&path, &e)),
    };
    if length == 0 || last_line(&path, length).is_some() {
        return Ok(None);
    }
    let bytes = disk::read(&path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole == bytes.len() {
        return Ok(None);
    }
    disk::move_tail(&path, whole, "the last entry of the chain", &bytes)
}

/// What follows from a chain as it stands, without the lock; each entry is told with its hash.
pub(super) fn read(
    dir: &Path,
    from_the_first: bool,
    mut tell: impl FnMut(&Entry, &str),
) -> Result<State, Fault> {
    let from = if from_the_first { None } else { checkpoint(dir)? };
    walk(&dir.join(FILE), from.unwrap_or_default(), &mut tell)
}
