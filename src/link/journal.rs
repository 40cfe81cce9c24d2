//! The raw interface log: every byte to and from every device, with time and direction, in plain text, bounded on disk.
//!
//! ```text
//! # phantomload interface log 1; dropped before: 0 transfers
//! # opening
//! 2026-11-20T10:02:00.123+08:00 source > 2A 49 44 4E 3F 0A
//! # run PL-2026-000001 begins
//! # run PL-2026-000001 has ended
//! ```
//!
//! The newest file is `interface.log`, older ones `interface.1.log`, `interface.2.log` … The oldest is dropped when there
//! would be too many, and how many transfers went with it is said at the head of the next file. A disk that takes no more
//! does not stop a run: what was lost is counted and said as soon as the disk takes it.

use super::recorder::Direction;
use super::{Fault as LinkFault, Link, hex};
use crate::time::{Span, Stamp};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Marks that devices are about to be opened for a run.
const OPENING: &str = "# opening";
/// Begins the first line of a file.
const HEAD: &str = "# phantomload interface log 1; dropped before: ";
/// Files that are kept, the newest one with them.
pub const FILES_KEPT: usize = 8;
/// Files that are looked for when reading: also those of a log that was kept with other bounds.
const FILES_READ: usize = 64;
/// Size at which a file is closed, in bytes; eight of these are a few days of verifications.
pub const FILE_MAX: u64 = 8 << 20;

/// Why the log cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The disk.
    #[error("interface log {path}: {why}. Check rights and room, or name another folder by --log DIR")]
    Disk {
        /// The file or folder.
        path: String,
        /// The system's words.
        why: String,
    },
    /// Two runs in one log could not be told apart.
    #[error(
        "interface log {path}: another program writes it: a run is under way on this data folder. Wait for its end, or name another folder by --log DIR"
    )]
    Taken {
        /// The folder.
        path: String,
    },
    /// The run is not in the log, or not any more.
    #[error(
        "the interface log in {path} has no run {run}; it holds {held}. The log is bounded ({dropped} older transfers were dropped), and the simulated bench in process has no lines to log"
    )]
    NoRun {
        /// The folder or file.
        path: String,
        /// What was asked for.
        run: String,
        /// The runs that are there.
        held: String,
        /// Transfers dropped.
        dropped: u64,
    },
    /// A line that is none of ours.
    #[error(
        "line {number} of {path} is `{seen}`; it must be `TIME DEVICE > 68 AA …` (sent) or `<` (received). Is it an interface log?"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// Counted from 1.
        number: usize,
        /// The line, or its beginning.
        seen: String,
    },
}

/// Bytes that went over one device's line at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Stamp,
    /// Which device, as the bench names it.
    pub device: String,
    /// Which way.
    pub direction: Direction,
    /// What.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.direction == Direction::Sent { '>' } else { '<' };
        write!(f, "{} {} {arrow} {}", self.at, self.device, hex::text(&self.bytes))
    }
}

impl Entry {
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(4, ' ');
        let (at, device, arrow, bytes) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let direction = match arrow {
            ">" => Direction::Sent,
            "<" => Direction::Received,
            _ => return None,
        };
        let bytes = hex::bytes(bytes).filter(|bytes| !bytes.is_empty())?;
        Some(Self { at: at.parse().ok()?, device: device.to_owned(), direction, bytes })
    }
}

/// The log being written. Copies write to the same files.
#[derive(Debug, Clone)]
pub struct Journal {
    writer: Arc<Mutex<Writer>>,
}

#[derive(Debug)]
struct Writer {
    dir: PathBuf,
    file: File,
    /// Held as long as this program writes.
    _lock: File,
    size: u64,
    file_max: u64,
    files_kept: usize,
    /// Transfers that went with dropped files, over all time.
    dropped: u64,
    /// Transfers that the disk did not take and that no line tells of yet.
    lost: u64,
}

fn disk(path: &Path) -> impl Fn(std::io::Error) -> Fault + '_ {
    move |e| Fault::Disk { path: path.display().to_string(), why: e.to_string() }
}

fn path(dir: &Path, age: usize) -> PathBuf {
    dir.join(if age == 0 { "interface.log".to_owned() } else { format!("interface.{age}.log") })
}

impl Journal {
    /// Goes on with the log in `dir`, or begins one.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        Self::open_bounded(dir, FILE_MAX, FILES_KEPT)
    }

    /// With other bounds: files of at most about `file_max` bytes, `files_kept` of them (at least two).
    pub fn open_bounded(dir: &Path, file_max: u64, files_kept: usize) -> Result<Self, Fault> {
        fs::create_dir_all(dir).map_err(disk(dir))?;
        let lock_path = dir.join("interface.lock");
        let lock = File::create(&lock_path).map_err(disk(&lock_path))?;
        if matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return Err(Fault::Taken { path: dir.display().to_string() });
        }
        let newest = path(dir, 0);
        let dropped = fs::read_to_string(&newest).ok().and_then(|text| dropped_before(&text)).unwrap_or(0);
        let (file, size) = begin(&newest, dropped)?;
        let files_kept = files_kept.max(2);
        let dir = dir.to_owned();
        let writer = Writer { dir, file, _lock: lock, size, file_max, files_kept, dropped, lost: 0 };
        Ok(Self { writer: Arc::new(Mutex::new(writer)) })
    }

    /// Notes what goes over `link` under the name of `device`; blanks in it become `-`.
    pub fn wrap(&self, device: &str, link: Box<dyn Link>) -> Box<dyn Link> {
        Box::new(Noted { link, device: device.replace(' ', "-"), journal: self.clone() })
    }

    /// Marks that devices are about to be opened for a run whose number is not given yet.
    pub fn opening(&self) {
        self.mark(OPENING);
    }

    /// Marks the begin of a run.
    pub fn run_begins(&self, record_no: &str) {
        self.mark(&begins(record_no));
    }

    /// Marks its end, when its devices are closed.
    pub fn run_ended(&self, record_no: &str) {
        self.mark(&ended(record_no));
    }

    fn mark(&self, text: &str) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).write(text);
    }

    /// Notes one transfer. What the disk does not take is counted.
    pub fn note(&self, entry: &Entry) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).note(entry);
    }
}

impl Writer {
    fn note(&mut self, entry: &Entry) {
        self.write(&entry.to_string());
    }

    fn write(&mut self, line: &str) {
        if self.size >= self.file_max && self.rotate().is_err() {
            self.lost += 1;
            return;
        }
        let mut text = String::new();
        if self.lost > 0 {
            text = format!("# lost here: {} transfers that the disk did not take\n", self.lost);
        }
        text += line;
        text.push('\n');
        match self.file.write_all(text.as_bytes()) {
            Ok(()) => {
                self.size += text.len() as u64;
                self.lost = 0;
            }
            Err(_) => self.lost += 1,
        }
    }

    /// Every file grows one older; the oldest goes.
    fn rotate(&mut self) -> Result<(), Fault> {
        let oldest = path(&self.dir, self.files_kept - 1);
        if let Ok(text) = fs::read_to_string(&oldest) {
            self.dropped += text.lines().filter(|line| !line.starts_with('#')).count() as u64;
            fs::remove_file(&oldest).map_err(disk(&oldest))?;
        }
        for age in (0..self.files_kept - 1).rev() {
            let from = path(&self.dir, age);
            if from.exists() {
                fs::rename(&from, path(&self.dir, age + 1)).map_err(disk(&from))?;
            }
        }
        (self.file, self.size) = begin(&path(&self.dir, 0), self.dropped)?;
        Ok(())
    }
}

fn begins(record_no: &str) -> String {
    format!("# run {record_no} begins")
}

fn ended(record_no: &str) -> String {
    format!("# run {record_no} has ended")
}

/// Opens a file at its end; a new one gets its head. A line that a power cut left unfinished is closed.
fn begin(path: &Path, dropped: u64) -> Result<(File, u64), Fault> {
    let text = fs::read(path).unwrap_or_default();
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(disk(path))?;
    let mut size = text.len() as u64;
    let head = match text.last() {
        None => format!("{HEAD}{dropped} transfers\n"),
        Some(b'\n') => String::new(),
        Some(_) => "\n".to_owned(),
    };
    file.write_all(head.as_bytes()).map_err(disk(path))?;
    size += head.len() as u64;
    Ok((file, size))
}

fn dropped_before(text: &str) -> Option<u64> {
    text.lines().next()?.strip_prefix(HEAD)?.split(' ').next()?.parse().ok()
}

/// What was read of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Transfers dropped before the first of them.
    pub dropped: u64,
    /// What the log says of itself, and lines that a power cut left unfinished.
    pub remarks: Vec<String>,
}

/// The files of a log, oldest first: one, or all of a folder.
fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_dir() {
        (0..FILES_READ).rev().map(|age| path(place, age)).filter(|file| file.exists()).collect()
    } else {
        vec![place.to_owned()]
    }
}

fn text_of(file: &Path) -> Result<String, Fault> {
    Ok(String::from_utf8_lossy(&fs::read(file).map_err(disk(file))?).into_owned())
}

/// Reads a log: a file, or a folder with all its files.
pub fn read(place: &Path) -> Result<Read, Fault> {
    let mut read = Read::default();
    for (index, file) in files(place).iter().enumerate() {
        let text = text_of(file)?;
        if index == 0 {
            read.dropped = dropped_before(&text).unwrap_or(0);
        }
        read.take(&text, &file.display().to_string())?;
    }
    Ok(read)
}

impl Read {
    /// What stands in a text of the log's form; `origin` names it in messages.
    pub fn from_text(text: &str, origin: &str) -> Result<Self, Fault> {
        let mut read = Self { dropped: dropped_before(text).unwrap_or(0), ..Self::default() };
        read.take(text, origin)?;
        Ok(read)
    }

    fn take(&mut self, text: &str, origin: &str) -> Result<(), Fault> {
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with(HEAD) || line == OPENING {
                continue;
            }
            match (Entry::read(line), line.starts_with('#')) {
                (_, true) => self.remarks.push(line.trim_start_matches('#').trim().to_owned()),
                (Some(entry), _) => self.entries.push(entry),
                // The last line before a power cut; a line that does not even begin with a time is another file's.
                (None, _) if line.split(' ').next().is_some_and(|at| at.parse::<Stamp>().is_ok()) => {
                    self.remarks.push(format!("line {} of {origin} is unfinished", number + 1));
                }
                (None, _) => {
                    let seen = line.chars().take(60).collect();
                    return Err(Fault::Unreadable { path: origin.to_owned(), number: number + 1, seen });
                }
            }
        }
        Ok(())
    }
}

/// The part of the log that belongs to a run, from the opening of its devices to their end, in the log's own form: text to
/// be laid beside its record.
pub fn of_run(place: &Path, record_no: &str) -> Result<String, Fault> {
    let (begins, ended) = (begins(record_no), ended(record_no));
    let mut part: Vec<String> = vec![];
    let (mut inside, mut whole, mut dropped) = (false, false, None);
    let mut held: Vec<String> = vec![];
    for file in files(place) {
        let text = text_of(&file)?;
        let before = dropped_before(&text).unwrap_or(0);
        dropped = dropped.or(Some(before));
        for line in text.lines().filter(|line| !line.starts_with(HEAD)) {
            if line == OPENING {
                if inside {
                    // The one before was killed: it left no end.
                    part.push("# the log does not tell the end of this run".into());
                    return Ok(told(&part, whole));
                }
                part.clear();
                whole = true;
            } else if line == begins {
                inside = true;
            } else if let Some(run) =
                line.strip_prefix("# run ").and_then(|rest| rest.strip_suffix(" begins"))
            {
                held.push(run.to_owned());
            }
            part.push(line.to_owned());
            if line == ended && inside {
                return Ok(told(&part, whole));
            }
            // What belongs to other runs is not kept in memory.
            if !inside && line.ends_with(" has ended") && line.starts_with("# run ") {
                part.clear();
                whole = false;
            }
        }
    }
    if inside {
        part.push("# the log does not tell the end of this run".into());
        return Ok(told(&part, whole));
    }
    let held = match (held.first(), held.last()) {
        (Some(first), Some(last)) if held.len() > 1 => format!("{} runs, {first} to {last}", held.len()),
        (Some(only), _) => format!("run {only}"),
        _ => "none".into(),
    };
    let (path, run) = (place.display().to_string(), record_no.to_owned());
    Err(Fault::NoRun { path, run, held, dropped: dropped.unwrap_or(0) })
}

fn told(part: &[String], whole: bool) -> String {
    let remark = if whole { "" } else { "# the beginning of this run was dropped for room\n" };
    format!("{HEAD}0 transfers\n{remark}{}\n", part.join("\n"))
}

/// A link whose transfers are noted in a journal.
struct Noted {
    link: Box<dyn Link>,
    device: String,
    journal: Journal,
}

impl Noted {
    fn note(&self, direction: Direction, bytes: &[u8]) {
        let (at, device, bytes) = (Stamp::now(), self.device.clone(), bytes.to_vec());
        self.journal.note(&Entry { at, device, direction, bytes });
    }
}

impl Link for Noted {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFault> {
        // Sent before it is noted: OFF does not wait for a disk.
        let sent = self.link.send(bytes);
        if !bytes.is_empty() {
            self.note(Direction::Sent, bytes);
        }
        sent
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, LinkFault> {
        let count = self.link.receive(buffer, patience)?;
        if count > 0 {
            self.note(Direction::Received, &buffer[..count]);
        }
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), LinkFault> {
        self.link.discard_input()
    }

    fn peer(&self) -> &str {
        self.link.peer()
    }

    fn airtime(&self, bytes: usize) -> Span {
        self.link.airtime(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback;
    use super::*;

    fn entry(number: u8) -> Entry {
        let at: Stamp = "2026-11-20T10:02:00.000+08:00".parse().unwrap();
        let at = at.after(Span::from_secs(i64::from(number)));
        Entry { at, device: "source".into(), direction: Direction::Sent, bytes: vec![number] }
    }

    #[test]
    fn every_byte_of_a_device_is_noted_and_can_be_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let (here, mut there) = loopback::pair();
        let mut here = journal.wrap("voltage source", Box::new(here));
        here.send(b"*IDN?\n").unwrap();
        there.send(&[0x00, 0xFF]).unwrap();
        assert_eq!(here.receive(&mut [0; 8], Span::ZERO), Ok(2));
        let read = read(dir.path()).unwrap();
        let seen: Vec<_> = read.entries.iter().map(|e| (&*e.device, e.direction, &*e.bytes)).collect();
        assert_eq!(seen[0], ("voltage-source", Direction::Sent, b"*IDN?\n".as_slice()));
        assert_eq!(seen[1], ("voltage-source", Direction::Received, [0x00, 0xFF].as_slice()));
    }

    #[test]
    fn the_log_is_bounded_and_counts_what_it_dropped_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        for half in [0..100u8, 100..200] {
            let journal = Journal::open_bounded(dir.path(), 300, 3).unwrap();
            half.for_each(|number| journal.note(&entry(number)));
        }
        assert!(!path(dir.path(), 3).exists());
        let size: u64 = (0..3).map(|age| fs::metadata(path(dir.path(), age)).unwrap().len()).sum();
        assert!(size < 3 * 400, "{size}");
        let read = read(dir.path()).unwrap();
        let kept = read.entries.len() as u64;
        assert_eq!(read.entries.last(), Some(&entry(199)));
        // The newest head tells of all that went before.
        let newest = fs::read_to_string(path(dir.path(), 0)).unwrap();
        assert_eq!(dropped_before(&newest), Some(200 - kept), "{newest}");
    }

    #[test]
    fn a_line_cut_by_a_power_failure_is_a_remark_and_another_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Journal::open(dir.path()).unwrap().note(&entry(1));
        let file = path(dir.path(), 0);
        let mut text = fs::read_to_string(&file).unwrap();
        text.truncate(text.len() - 2);
        fs::write(&file, &text).unwrap();
        Journal::open(dir.path()).unwrap().note(&entry(2));
        let seen = read(dir.path()).unwrap();
        assert_eq!((seen.entries, seen.remarks.len()), (vec![entry(2)], 1));
        fs::write(&file, "number,date\n1,2026\n").unwrap();
        let fault = read(&file).unwrap_err().to_string();
        assert!(fault.contains("line 1 of") && fault.contains("number,date"), "{fault}");
    }

    #[test]
    fn the_part_of_a_run_is_text_for_its_package() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        for (run, first) in [("A", 0), ("B", 10), ("C", 20)] {
            journal.opening();
            journal.note(&entry(first));
            journal.run_begins(run);
            journal.note(&entry(first + 1));
            // The last one is killed.
            if run != "C" {
                journal.run_ended(run);
            }
        }
        let part = |run| Read::from_text(&of_run(dir.path(), run).unwrap(), run).unwrap();
        assert_eq!(part("A").entries, [entry(0), entry(1)]);
        assert_eq!(part("B").entries, [entry(10), entry(11)]);
        assert_eq!(part("B").remarks, ["run B begins", "run B has ended"]);
        assert_eq!(part("C").entries, [entry(20), entry(21)]);
        assert!(part("C").remarks[1].contains("does not tell the end"));
        let fault = of_run(dir.path(), "D").unwrap_err().to_string();
        assert!(fault.contains("no run D") && fault.contains("3 runs, A to C"), "{fault}");
    }

    #[test]
    fn a_run_whose_beginning_was_dropped_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_bounded(dir.path(), 300, 2).unwrap();
        journal.opening();
        (0..100).for_each(|number| journal.note(&entry(number)));
        journal.run_begins("A");
        journal.note(&entry(101));
        journal.run_ended("A");
        let part = of_run(dir.path(), "A").unwrap();
        assert!(part.contains("was dropped for room") && part.contains("> 65"), "{part}");
    }

    #[test]
    fn two_programs_cannot_write_one_log() {
        let dir = tempfile::tempdir().unwrap();
        let first = Journal::open(dir.path()).unwrap();
        assert!(matches!(Journal::open(dir.path()), Err(Fault::Taken { .. })));
        drop(first);
        assert!(Journal::open(dir.path()).is_ok());
    }
}
