//! `chain.jws`: one line an entry, read link by link, appended to in one write and forced to the disk.
//!
//! It is always read from its first line: who may sign, which key is in use and which profiles are answered for follow
//! from the entries alone, and nothing beside the chain is believed. From the first `key_change` on an entry is signed by
//! the key in use. Only what the program has to write without a fit key may be unsigned, and no signature of a person or
//! laboratory is among that. A signed entry names the one before it, and so holds all before it: the last one of each key
//! is checked, and each change of key.

use super::persons::TRIES_MAX;
use super::profiles::{self, Answers};
use super::{Fault, SIMULATED, disk, seals};
use crate::certificate::chain::{Entry, Kind, NONE_BEFORE, VERSION};
use crate::certificate::number::Number;
use crate::certificate::sign::jws::{self, Checker};
use crate::certificate::sign::{self, x509};
use crate::time::Stamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The file.
pub(super) const FILE: &str = "chain.jws";
/// Room that is given back to a full disk, so that the end of a run can still be told.
const RESERVE: &str = "chain.reserve";
/// Much more than an entry takes.
const RESERVE_BYTES: usize = 1 << 16;
/// A line is no longer: many times the longest entry.
const LINE_MAX: u64 = 1 << 20;
/// In `key_change`: the new device certificate, DER in Base64.
pub(super) const CERTIFICATE: &str = "certificate";
/// An entry says so of whom a wrong PIN was given.
pub(super) const WRONG_PIN: &str = "wrong_pin_of";
/// An entry says so who got a new PIN.
pub(super) const NEW_PIN: &str = "new_pin_of";
/// In `open_run`: SHA-256 of the regulation profile's text.
pub(super) const PROFILE: &str = "regulation_sha256";

/// A run that was opened and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenRun {
    /// Its record's number.
    pub record_no: String,
    /// The number that its paper would have.
    pub certificate_no: String,
    /// Whether its bench is simulated.
    pub simulated: bool,
    /// What was said of it when it began: the meter, the regulation.
    pub said: BTreeMap<String, String>,
}

/// Wrong PINs of a person since the last right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tries {
    pub wrong: u32,
    /// When the last was given.
    pub last: Option<Stamp>,
}

/// What follows from the entries up to a line.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// The certificate of the key in use, DER; empty before there is one.
    certificate: Vec<u8>,
    /// When the last entry was written.
    pub time: Option<Stamp>,
    /// Who gave wrong PINs, as the chain knows it.
    pub tries: BTreeMap<String, Tries>,
    /// Papers whose verdict was not signed although a key was in use that could have.
    pub doubtful: BTreeSet<String>,
    /// SHA-256 of `persons.json`.
    pub persons: String,
    /// SHA-256 of `laboratory.toml`.
    pub laboratory: String,
    /// The highest number of each kind and year.
    numbers: Vec<String>,
    /// Who answers for which regulation profile, by SHA-256 of its text.
    pub profiles: BTreeMap<String, Answers>,
    /// Who has answered for what was found at the seals of which meter.
    pub seals: seals::Answers,
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
        self.signed(entry)?;
        let said = |key: &str| entry.said.get(key).cloned();
        for number in entry.record.iter().chain(&entry.cert) {
            self.see(number);
        }
        match entry.kind {
            Kind::RunOpen => {
                self.run = Some(OpenRun {
                    record_no: entry.record.clone().unwrap_or_default(),
                    certificate_no: entry.cert.clone().unwrap_or_default(),
                    simulated: said(SIMULATED).is_some(),
                    said: entry.said.clone(),
                });
            }
            Kind::Verdict | Kind::Aborted => {
                if entry.kind == Kind::Verdict && entry.alg == sign::NONE && self.could_sign(entry) {
                    self.doubtful.extend(entry.cert.clone());
                }
                self.run.take_if(|run| Some(&run.record_no) == entry.record.as_ref());
            }
            Kind::ConfigChange => {
                self.persons = said("persons").unwrap_or_else(|| std::mem::take(&mut self.persons));
                self.laboratory = said("laboratory").unwrap_or_else(|| std::mem::take(&mut self.laboratory));
            }
            Kind::KeyChange => {
                self.replaced_key_id = said("replaces").unwrap_or_default();
                self.key_id = said("key_id").unwrap_or_default();
                self.certificate = certificate(entry)?;
            }
            Kind::Approval => {
                if let Some(text) = said(profiles::TEXT) {
                    self.profiles.entry(text).or_default().take(entry);
                }
                seals::take(&mut self.seals, entry);
            }
            _ => {}
        }
        self.count_pins(entry);
        self.time = entry.time.parse().ok().or(self.time);
        self.device.clone_from(&entry.device);
        self.seq = entry.seq;
        self.head = sha256;
        Ok(())
    }

    /// Whether the entry may stand here: signed by the key in use, or of a kind that needs no signature.
    fn signed(&self, entry: &Entry) -> Result<(), String> {
        let Entry { seq, kind, .. } = entry;
        let unsigned = entry.alg == sign::NONE;
        if self.key_id.is_empty() {
            let personal = matches!(kind, Kind::Approval | Kind::Issue | Kind::Amend | Kind::Papers);
            if personal {
                return Err(format!(
                    "entry {seq} ({kind}) stands before any key was in use; it counts for nothing"
                ));
            }
            return Ok(());
        }
        if unsigned {
            let open = match kind {
                Kind::RunOpen | Kind::Verdict | Kind::Aborted | Kind::ClockSet => true,
                // A paper is taken back without a signature only where its certificate has ended: otherwise anybody who
                // may write into the folder could take back what was issued, a notice of rejection too.
                Kind::Withdraw => !self.could_sign(entry),
                _ => false,
            };
            if open {
                return Ok(());
            }
            let key = &self.key_id;
            return Err(format!(
                "entry {seq} ({kind}) is not signed, and the key {key} is in use; it counts for nothing"
            ));
        }
        if entry.key_id != self.key_id {
            return Err(format!(
                "entry {seq} ({kind}) is signed by the key {}, and the key {} is in use; it counts for nothing",
                entry.key_id, self.key_id
            ));
        }
        Ok(())
    }

    /// Whether the key in use has signed this line.
    pub fn check_line(&self, line: &str) -> Result<(), String> {
        let checker = Checker::new(&self.certificate).map_err(|e| e.to_string())?;
        jws::parts(line).and_then(|parts| parts.check(&checker)).map_err(|e| e.to_string())
    }

    /// Whether the key in use could have signed this entry at its time: no DEMO key on a real bench, and in its validity.
    pub fn could_sign(&self, entry: &Entry) -> bool {
        let Ok(certificate) = x509::read(&self.certificate) else { return false };
        let demo = x509::subject(&self.certificate).is_ok_and(|subject| subject.contains("DEMO "));
        let validity = certificate.tbs_certificate().validity();
        let [from, to] =
            [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
        let at =
            entry.time.parse::<Stamp>().ok().and_then(|at| u64::try_from(at.timestamp().as_second()).ok());
        (!demo || entry.said.contains_key(SIMULATED)) && at.is_some_and(|at| (from..=to).contains(&at))
    }

    /// Wrong PINs; a right one, which every other entry of a person is, or a new one begins anew.
    fn count_pins(&mut self, entry: &Entry) {
        if let Some(person) = entry.said.get(WRONG_PIN) {
            let tries = self.tries.entry(person.clone()).or_insert(Tries { wrong: 0, last: None });
            tries.wrong = tries.wrong.saturating_add(1);
            tries.last = entry.time.parse().ok();
            return;
        }
        for person in ["person", "by", NEW_PIN].into_iter().filter_map(|key| entry.said.get(key)) {
            self.tries.remove(person);
        }
    }

    /// Whether a person is locked by what the chain knows.
    pub fn is_locked(&self, person: &str) -> bool {
        self.tries.get(person).is_some_and(|tries| tries.wrong >= TRIES_MAX)
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

/// The certificate that a change of key names, DER.
fn certificate(entry: &Entry) -> Result<Vec<u8>, String> {
    let bad = |what: &str| format!("entry {} (key_change): {what}", entry.seq);
    let text = entry.said.get(CERTIFICATE).ok_or_else(|| bad("it names no certificate"))?;
    let der = STANDARD.decode(text).map_err(|e| bad(&format!("its certificate is no Base64: {e}")))?;
    if entry.said.get("key_id") != Some(&sign::key_id(&der)) {
        return Err(bad("its certificate is not the one of the key that it names"));
    }
    Ok(der)
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
    /// Reads a chain and tells each entry with its hash.
    pub fn open(dir: &Path, mut tell: impl FnMut(&Entry, &str)) -> Result<Self, Fault> {
        let state = walk(&dir.join(FILE), &mut tell)?;
        Ok(Self { dir: dir.to_owned(), state })
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

/// The line that ends at `end`.
fn last_line(path: &Path, end: u64) -> Option<String> {
    let begin = end.saturating_sub(RESERVE_BYTES as u64);
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut tail = vec![0; usize::try_from(end - begin).ok()?];
    file.read_exact(&mut tail).ok()?;
    let tail = tail.strip_suffix(b"\n")?;
    let begin = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    String::from_utf8(tail[begin..].to_vec()).ok()
}

/// Reads to the last whole line.
fn walk(path: &Path, tell: &mut impl FnMut(&Entry, &str)) -> Result<State, Fault> {
    let mut state = State::default();
    let file = match disk::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(state),
        Err(e) => return Err(Fault::read(path, &e)),
    };
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut line = String::new();
    // The last signed line of the key in use, and where it stands.
    let mut sealed: Option<(u64, String)> = None;
    let broken = |line: u64, what: String| Fault::Chain { path: path.to_owned(), line, what };
    let forged = |line: u64, what: String| broken(line, format!("its signature does not hold: {what}"));
    loop {
        line.clear();
        let at = state.seq + 1;
        let read = match (&mut reader).take(LINE_MAX).read_line(&mut line) {
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::InvalidData => return Err(broken(at, "it is no text".into())),
            Err(e) => return Err(Fault::read(path, &e)),
        };
        if read as u64 == LINE_MAX {
            return Err(broken(at, format!("it is longer than {LINE_MAX} bytes; no entry is")));
        }
        // A line that breaks off was never said to be written; see `mend`.
        let Some(text) = line.strip_suffix('\n') else { break };
        let entry = Entry::from_line(text).map_err(|e| broken(at, e.to_string()))?;
        let had_key = !state.key_id.is_empty();
        if had_key && entry.kind == Kind::KeyChange {
            state.signed(&entry).map_err(|what| broken(at, what))?;
            state.check_line(text).map_err(|what| forged(at, what))?;
        }
        let sha256 = hash(&entry);
        state.apply(&entry, sha256.clone()).map_err(|what| broken(at, what))?;
        if entry.kind == Kind::KeyChange {
            // The first one may be signed by a key that the chain does not know; nothing before it counts on a key.
            if !had_key && entry.key_id == state.key_id {
                state.check_line(text).map_err(|what| forged(at, what))?;
            }
            sealed = None;
        } else if had_key && entry.alg != sign::NONE {
            sealed = Some((at, text.to_owned()));
        }
        state.length += read as u64;
        tell(&entry, &sha256);
    }
    if let Some((at, text)) = sealed {
        state.check_line(&text).map_err(|what| forged(at, what))?;
    }
    Ok(state)
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
    let bytes = disk::read_list_if_there(&path)?.unwrap_or_default();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole == bytes.len() {
        return Ok(None);
    }
    disk::move_tail(&path, whole, "the last entry of the chain", &bytes)
}

/// What follows from a chain as it stands, without the lock; each entry is told with its hash.
pub(super) fn read(dir: &Path, mut tell: impl FnMut(&Entry, &str)) -> Result<State, Fault> {
    walk(&dir.join(FILE), &mut tell)
}
