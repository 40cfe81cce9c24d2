//! The raw interface log: every byte to and from every device, with time and direction, in plain text, bounded on disk.
//!
//! ```text
//! # phantomload interface log 1; dropped before: 0 transfers
//! 2026-11-20T10:02:00.123+08:00 source > 2A 49 44 4E 3F 0A
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

/// Begins the first line of a file.
const HEAD: &str = "# phantomload interface log 1; dropped before: ";
/// Files that are kept, the newest one with them.
pub const FILES_KEPT: usize = 8;
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
        let newest = path(dir, 0);
        let dropped = fs::read_to_string(&newest).ok().and_then(|text| dropped_before(&text)).unwrap_or(0);
        let (file, size) = begin(&newest, dropped)?;
        let files_kept = files_kept.max(2);
        let writer = Writer { dir: dir.to_owned(), file, size, file_max, files_kept, dropped, lost: 0 };
        Ok(Self { writer: Arc::new(Mutex::new(writer)) })
    }

    /// Notes what goes over `link` under the name of `device`; blanks in it become `-`.
    pub fn wrap(&self, device: &str, link: Box<dyn Link>) -> Box<dyn Link> {
        Box::new(Noted { link, device: device.replace(' ', "-"), journal: self.clone() })
    }

    /// Notes one transfer. What the disk does not take is counted.
    pub fn note(&self, entry: &Entry) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).note(entry);
    }
}

impl Writer {
    fn note(&mut self, entry: &Entry) {
        if self.size >= self.file_max && self.rotate().is_err() {
            self.lost += 1;
            return;
        }
        let mut text = String::new();
        if self.lost > 0 {
            text = format!("# lost here: {} transfers that the disk did not take\n", self.lost);
        }
        text += &format!("{entry}\n");
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

/// Reads a log: a file, or a folder with all its files.
pub fn read(place: &Path) -> Result<Read, Fault> {
    let files: Vec<PathBuf> = if place.is_dir() {
        (0..FILES_KEPT.max(64)).rev().map(|age| path(place, age)).filter(|file| file.exists()).collect()
    } else {
        vec![place.to_owned()]
    };
    let mut read = Read::default();
    for (index, file) in files.iter().enumerate() {
        let text = String::from_utf8_lossy(&fs::read(file).map_err(disk(file))?).into_owned();
        if index == 0 {
            read.dropped = dropped_before(&text).unwrap_or(0);
        }
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with(HEAD) {
                continue;
            }
            match (Entry::read(line), line.starts_with('#')) {
                (_, true) => read.remarks.push(line.trim_start_matches('#').trim().to_owned()),
                (Some(entry), _) => read.entries.push(entry),
                // The last line before a power cut; a line that does not even begin with a time is another file's.
                (None, _) if line.split(' ').next().is_some_and(|at| at.parse::<Stamp>().is_ok()) => {
                    read.remarks.push(format!("line {} of {} is unfinished", number + 1, file.display()));
                }
                (None, _) => {
                    let seen = line.chars().take(60).collect();
                    let path = file.display().to_string();
                    return Err(Fault::Unreadable { path, number: number + 1, seen });
                }
            }
        }
    }
    Ok(read)
}

/// The part of the log in `dir` from `from` to `to`, as text bytes to be laid beside a record.
pub fn between(dir: &Path, from: Stamp, to: Stamp) -> Result<Vec<u8>, Fault> {
    let read = read(dir)?;
    let mut text = format!("{HEAD}{} transfers\n", read.dropped);
    let inside = |at: Stamp| at.since(from) >= Span::ZERO && to.since(at) >= Span::ZERO;
    for entry in read.entries.iter().filter(|entry| inside(entry.at)) {
        text += &format!("{entry}\n");
    }
    Ok(text.into_bytes())
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
        if !bytes.is_empty() {
            self.note(Direction::Sent, bytes);
        }
        self.link.send(bytes)
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
    fn the_part_of_a_run_is_bytes_for_its_package() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        (0..10).for_each(|number| journal.note(&entry(number)));
        let bytes = between(dir.path(), entry(3).at, entry(5).at).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("source > 03") && !text.contains("source > 06"), "{text}");
    }
}
