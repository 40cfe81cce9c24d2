//! A chain as this process has read it, so that a chain of many years is read from its first line once, and not for each page
//! that is opened.
//!
//! Nothing is kept on the disk, and nothing is believed but bytes that were read and held link by link here: where the file is
//! still the very one it is not read again, and where it was written the bytes that are known must be the same, by their
//! SHA-256, before reading goes on behind them. Otherwise it is read from its first line.

use super::chain::{self, FILE, State, Step};
use super::register::{self, Register};
use super::{Fault, disk, rows};
use crate::certificate::chain::Entry;
use crate::time::{Span, Stamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The chain that was read last: a program has one data folder.
static READ: Mutex<Option<Known>> = Mutex::new(None);
/// A file that was written so short a time before it was looked at may be written again under the same time.
const FRESH: Span = Span::from_secs(2);
/// In `open_run`: the meter's serial number.
const SERIAL: &str = "serial";

/// What is known of a chain. Texts stand as their hashes: what they find is looked at in the entry itself.
struct Known {
    path: PathBuf,
    state: State,
    /// SHA-256 of all bytes that were read.
    bytes: Sha256,
    /// What the file was then; none where it was too fresh to be known again by that.
    mark: Option<Mark>,
    /// Where each entry begins.
    begins: Vec<u64>,
    /// A number or serial with an entry that speaks of it, by its place in `begins`.
    places: Vec<(u64, u32)>,
    /// Rows that the register has to have, with the entry that asks for each.
    rows: Vec<(u64, u32)>,
    /// Papers with the verdict that their rows say.
    verdicts: Vec<(u64, u64)>,
}

/// What tells a file from another one, and from itself as it was before it was written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark([i128; 5]);

#[cfg(unix)]
fn mark(file: &File) -> Option<Mark> {
    use std::os::unix::fs::MetadataExt;
    let about = file.metadata().ok()?;
    let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    let changed = nanos(about.ctime(), about.ctime_nsec());
    let fresh = Stamp::now().timestamp().as_nanosecond() - i128::from(FRESH.nanos());
    let written = nanos(about.mtime(), about.mtime_nsec());
    let mark = Mark([about.dev().into(), about.ino().into(), about.len().into(), changed, written]);
    (changed < fresh).then_some(mark)
}

/// Elsewhere the bytes alone say it.
#[cfg(not(unix))]
fn mark(_: &File) -> Option<Mark> {
    None
}

fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The numbers that an entry speaks of.
fn numbers(entry: &Entry) -> impl Iterator<Item = &String> {
    entry.record.iter().chain(&entry.cert).chain(entry.said.get(rows::REPLACES))
}

impl Known {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            state: State::default(),
            bytes: Sha256::new(),
            mark: None,
            begins: vec![],
            places: vec![],
            rows: vec![],
            verdicts: vec![],
        }
    }

    /// Whether the file begins with the bytes that are known.
    fn is_of(&self, file: &mut File) -> std::io::Result<bool> {
        file.seek(SeekFrom::Start(0))?;
        let (mut bytes, mut left) = (Sha256::new(), self.state.length);
        let mut part = vec![0; 1 << 18];
        while left > 0 {
            let most = part.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = file.read(&mut part[..most])?;
            if read == 0 {
                return Ok(false);
            }
            bytes.update(&part[..read]);
            left -= read as u64;
        }
        Ok(bytes.finalize() == self.bytes.clone().finalize())
    }

    /// Reads on behind what is known.
    fn go_on(&mut self, file: &mut File) -> Result<(), Fault> {
        let path = self.path.clone();
        file.seek(SeekFrom::Start(self.state.length)).map_err(|e| Fault::read(&path, &e))?;
        let state = std::mem::take(&mut self.state);
        let reader = BufReader::with_capacity(1 << 18, file);
        self.state = chain::walk(&path, reader, state, &mut |step| self.take(step))?;
        Ok(())
    }

    fn take(&mut self, Step { entry, sha256, line, begin }: Step<'_>) {
        self.bytes.update(line);
        // Four thousand million entries are more than a chain has.
        let place = self.begins.len() as u32;
        self.begins.push(begin);
        self.places.extend(numbers(entry).map(|number| (key(number), place)));
        self.places.extend(entry.said.get(SERIAL).map(|serial| (serial_key(serial), place)));
        if let (Some(paper), Some(verdict)) = (&entry.cert, &entry.verdict) {
            self.verdicts.push((register::paper_key(paper), register::verdict_key(verdict)));
        }
        self.rows.extend(rows::due(entry, sha256).iter().map(|due| (due.key(), place)));
    }

    /// The entry at a place in `begins`, and its hash.
    fn entry(&self, file: &mut File, place: u32) -> Result<(Entry, String), Fault> {
        let broken =
            |what: String| Fault::Chain { path: self.path.clone(), line: u64::from(place) + 1, what };
        let begin = self.begins.get(place as usize).copied().unwrap_or(self.state.length);
        let mut line = String::new();
        file.seek(SeekFrom::Start(begin))
            .and_then(|_| BufReader::new(file).take(chain::LINE_MAX).read_line(&mut line))
            .map_err(|e| Fault::read(&self.path, &e))?;
        let entry = Entry::from_line(line.trim_end_matches('\n')).map_err(|e| broken(e.to_string()))?;
        let sha256 = chain::hash(&entry);
        Ok((entry, sha256))
    }

    /// The entries of these keys, in the order of the chain.
    fn of(&self, keys: &BTreeSet<u64>) -> BTreeSet<u32> {
        self.places.iter().filter(|(key, _)| keys.contains(key)).map(|(_, place)| *place).collect()
    }
}

/// A serial number as two people may type it.
fn serial_key(serial: &str) -> u64 {
    key(&format!("serial {}", super::seals::typed(serial)))
}

/// Does something with the chain of a data folder as it is now.
fn with<T>(dir: &Path, work: impl FnOnce(&Known, Option<&mut File>) -> Result<T, Fault>) -> Result<T, Fault> {
    let path = dir.join(FILE);
    let mut slot = READ.lock().unwrap_or_else(PoisonError::into_inner);
    // Whatever goes wrong, nothing half read is known afterwards.
    let before = slot.take().filter(|known| known.path == path);
    let mut file = match disk::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return work(&Known::new(&path), None),
        Err(e) => return Err(Fault::read(&path, &e)),
    };
    let mark = mark(&file);
    let mut known = match before {
        Some(known) if mark.is_some() && known.mark == mark => known,
        Some(known) if known.is_of(&mut file).map_err(|e| Fault::read(&path, &e))? => known,
        _ => Known::new(&path),
    };
    if mark.is_none() || known.mark != mark {
        known.go_on(&mut file)?;
        known.mark = mark;
    }
    let done = work(&known, Some(&mut file))?;
    *slot = Some(known);
    Ok(done)
}

/// What follows from a chain as it stands, without the lock.
pub(super) fn state(dir: &Path) -> Result<State, Fault> {
    with(dir, |known, _| Ok(known.state.clone()))
}

/// Which entries are wanted.
pub(super) enum Wanted<'a> {
    /// Those of a paper or record, and of what replaced it or was replaced by it.
    Number(&'a str),
    /// Those of the runs on meters of this serial number.
    Serial(&'a str),
}

/// Tells each entry that has to do with something, oldest first, with its hash; and the state of the whole chain.
pub(super) fn tell(
    dir: &Path,
    wanted: &Wanted<'_>,
    mut tell: impl FnMut(&Entry, &str),
) -> Result<State, Fault> {
    let first = match wanted {
        Wanted::Number(number) => key(number),
        Wanted::Serial(serial) => serial_key(serial),
    };
    with(dir, |known, file| {
        let Some(file) = file else { return Ok(known.state.clone()) };
        let (mut keys, mut places) = (BTreeSet::from([first]), BTreeSet::new());
        // The papers of a run, what replaced them, and so on.
        loop {
            let found = known.of(&keys);
            let new: Vec<u32> = found.difference(&places).copied().collect();
            if new.is_empty() {
                break;
            }
            for place in new {
                keys.extend(numbers(&known.entry(file, place)?.0).map(|number| key(number)));
            }
            places = found;
        }
        for place in places {
            let (entry, sha256) = known.entry(file, place)?;
            tell(&entry, &sha256);
        }
        Ok(known.state.clone())
    })
}

/// Holds the register against the chain: each row is then known to be of it, and each verdict to be its. Gives the entries whose
/// rows it lacks, with their hashes, and the state of the chain.
pub(super) fn hold(dir: &Path, register: &mut Register) -> Result<(Vec<(Entry, String)>, State), Fault> {
    with(dir, |known, file| {
        for (paper, verdict) in &known.verdicts {
            register.hold(*paper, *verdict);
        }
        let mut lacking: Vec<u32> =
            known.rows.iter().filter(|(row, _)| !register.see(*row)).map(|r| r.1).collect();
        lacking.dedup();
        let Some(file) = file else { return Ok((vec![], known.state.clone())) };
        let missing = lacking.into_iter().map(|place| known.entry(file, place)).collect::<Result<_, _>>()?;
        Ok((missing, known.state.clone()))
    })
}
