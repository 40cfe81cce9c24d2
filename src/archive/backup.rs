//! A copy of the data folder that is consistent while a run writes, checked after copying; and the way back.
//!
//! A row of the register is written after its entry in the chain, and an entry after its package. So they are copied the
//! other way round: register, chain, journal, then all else. What a run adds meanwhile is in the copy as a power failure
//! would leave it, and opening it clears that up. Beside the files stands `backup.json` with the SHA-256 of each.
//!
//! The device's private key is among them: whoever has the backup can sign as the device.

use super::rows::{KEPT, MANIFEST, MANIFEST_JWS, MANIFEST_P7S};
use super::{Fault, chain, disk, journal, register};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::record::Program;
use crate::certificate::sign;
use crate::time::Stamp;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

/// The list of a backup.
pub const LIST: &str = "backup.json";
const SCHEMA: u32 = 1;
/// The largest list that is read, and how deep a data folder is.
const LIST_MAX: u64 = 1 << 28;
const DEPTH_MAX: usize = 8;
/// Copied first, in this order.
const FIRST: [&str; 2] = ["register.csv", chain::FILE];
/// Made anew where they are missing, or of no use elsewhere.
const LEFT_OUT: [&str; 4] = ["lock", "register.index", "chain.reserve", LIST];

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Print {
    bytes: u64,
    sha256: String,
}

/// `backup.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct List {
    schema: u32,
    made: Stamp,
    program: Program,
    device: String,
    entries: u64,
    files: BTreeMap<String, Print>,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Where it stands now.
    pub to: PathBuf,
    /// When the backup was made.
    pub made: String,
    /// Whose data folder it is.
    pub device: String,
    /// Files and their bytes.
    pub files: usize,
    /// See files.
    pub bytes: u64,
    /// Entries of the chain.
    pub entries: u64,
    /// A run, or another program, was writing meanwhile.
    pub in_use: bool,
    /// What somebody should know.
    pub notices: Vec<String>,
}

/// Copies a data folder into a new folder `to`, and checks the copy.
pub fn back_up(dir: &Path, to: &Path) -> Result<Copied, Fault> {
    let (dir, to) = (whole(dir)?, absolute(to)?);
    if !dir.join(chain::FILE).is_file() {
        let what = "holds no data folder: there is no chain.jws".to_owned();
        return Err(Fault::File { path: dir, what });
    }
    is_new(&to)?;
    if to.starts_with(&dir) {
        let what = "lies inside the data folder itself; choose another place, best another disk".to_owned();
        return Err(Fault::File { path: to, what });
    }
    // Held where it can be had, so that nobody begins to write; a run that holds it goes on.
    let lock = File::options().write(true).open(dir.join("lock")).ok();
    let in_use = lock.as_ref().is_some_and(|lock| lock.try_lock().is_err());
    let half = beside(&to)?;
    let copied = fill(&dir, &half).and_then(|(list, mut notices)| {
        notices.extend(check(&half)?);
        disk::store_private(&half, LIST, &to_json(&list)?)?;
        disk::sync_folder(&half)?;
        put(&half, &to)?;
        Ok(told(&list, &to, in_use, notices))
    });
    if copied.is_err() {
        // Best effort: the fault is told in any case.
        let _ = fs::remove_dir_all(&half);
    }
    copied
}

/// Makes a data folder of a backup, after checking it. What is there is never overwritten.
pub fn restore(from: &Path, dir: &Path) -> Result<Copied, Fault> {
    let (from, dir) = (whole(from)?, absolute(dir)?);
    is_new(&dir)?;
    let list = read_list(&from)?;
    let half = beside(&dir)?;
    let copied = bring_back(&from, &half, &list).and_then(|()| {
        let notices = check(&half)?;
        put(&half, &dir)?;
        Ok(told(&list, &dir, false, notices))
    });
    if copied.is_err() {
        let _ = fs::remove_dir_all(&half);
    }
    copied
}

/// Checks a data folder as it stands, without its lock: chain, register, every package, the journal. What the chain names
/// has to be there. A broken one is a fault; what is only worth knowing comes back in words.
pub fn check(dir: &Path) -> Result<Vec<String>, Fault> {
    let mut notices = vec![];
    let (mut papers, mut records) = (0, 0);
    // The rows first: each was written after its entry.
    let lacking = super::opening::lacking(dir)?;
    let rows = register::list(dir)?.len();
    let mut manifests = vec![];
    let state = chain::read(dir, |entry, _| {
        if !entry.files.is_empty() && !entry.said.contains_key(KEPT) {
            manifests.push(entry.clone());
        }
    })?;
    let mut lines = lines(&dir.join(chain::FILE))?;
    for entry in &manifests {
        let line = lines.line(entry.seq)?;
        let (folder, number) = match entry.kind {
            Kind::Verdict => (super::PACKAGES, &entry.cert),
            Kind::Papers => (super::PAPERS, &entry.cert),
            Kind::Issue | Kind::Amend => (super::ISSUED, &entry.cert),
            Kind::Aborted => (super::UNFINISHED, &entry.record),
            _ => continue,
        };
        let Some(number) = number else { continue };
        check_folder(&dir.join(folder).join(number), entry, &line)?;
        *(if entry.kind == Kind::Aborted { &mut records } else { &mut papers }) += 1;
    }
    let journal = dir.join(journal::FILE);
    if journal.exists() {
        let fault = |what: String| Fault::Journal { path: journal.clone(), what };
        let open = Connection::open_with_flags(&journal, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let said: rusqlite::Result<String> =
            open.and_then(|open| open.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)));
        match said.map_err(|e| fault(e.to_string()))?.as_str() {
            "ok" => {}
            what => return Err(fault(format!("is damaged: {what}"))),
        }
    }
    if let Some(run) = &state.run {
        notices.push(format!("run {} is open in it", run.record_no));
    }
    if lacking > 0 {
        notices.push(format!(
            "{lacking} entries of the chain have no row in the register; they get it when the data folder is opened"
        ));
    }
    notices.push(format!(
        "{} entries of the chain of {}, {papers} packages and {records} records of unfinished runs were read and are as they were written; {rows} rows of the register have their entries, with the verdicts of these",
        state.seq, state.device
    ));
    Ok(notices)
}

/// Whether a folder has the files that its entry names, none else, and the entry itself as its manifest, with its line of
/// the chain; a run without verdict has none.
fn check_folder(folder: &Path, entry: &Entry, line: &str) -> Result<(), Fault> {
    let fault = |what: String| {
        let what = format!(
            "{what}; entry {} of the chain ({}) names it. Take it from a backup",
            entry.seq, entry.kind
        );
        Fault::File { path: folder.to_owned(), what }
    };
    if !folder.is_dir() {
        return Err(fault("is gone".into()));
    }
    if entry.kind != Kind::Aborted {
        let read = |name: &str| disk::read_if_there(&folder.join(name));
        if read(MANIFEST)?.as_deref() != Some(entry.to_json().as_slice()) {
            return Err(fault(format!("its {MANIFEST} is missing, or was altered")));
        }
        // Its signatures lie beside it.
        if read(MANIFEST_JWS)?.is_none_or(|own| own.trim_ascii_end() != line.as_bytes()) {
            return Err(fault(format!("its {MANIFEST_JWS} is missing, or was altered")));
        }
        if entry.alg != sign::NONE && read(MANIFEST_P7S)?.is_none() {
            return Err(fault(format!("its {MANIFEST_P7S} is missing")));
        }
    }
    let altered = super::papers::altered(folder, entry)?;
    if altered.is_empty() { Ok(()) } else { Err(fault(altered.join("; "))) }
}

/// The lines of a chain, one after the other.
struct Lines {
    path: PathBuf,
    rest: io::Lines<BufReader<File>>,
    /// How many were taken.
    taken: u64,
}

fn lines(path: &Path) -> Result<Lines, Fault> {
    let file = disk::open(path).map_err(|e| Fault::read(path, &e))?;
    Ok(Lines { path: path.to_owned(), rest: BufReader::with_capacity(1 << 18, file).lines(), taken: 0 })
}

impl Lines {
    /// The line of an entry, which comes after those that were asked for before. The chain was read: it is there.
    fn line(&mut self, seq: u64) -> Result<String, Fault> {
        let mut line = String::new();
        while self.taken < seq {
            line = self.rest.next().transpose().map_err(|e| Fault::read(&self.path, &e))?.unwrap_or_default();
            self.taken += 1;
        }
        Ok(line)
    }
}

fn told(list: &List, to: &Path, in_use: bool, notices: Vec<String>) -> Copied {
    Copied {
        to: to.to_owned(),
        made: list.made.to_string(),
        device: list.device.clone(),
        files: list.files.len(),
        bytes: list.files.values().map(|print| print.bytes).sum(),
        entries: list.entries,
        in_use,
        notices,
    }
}

/// Copies everything; the list of what was copied.
fn fill(dir: &Path, half: &Path) -> Result<(List, Vec<String>), Fault> {
    let (mut files, mut notices) = (BTreeMap::new(), vec![]);
    for name in FIRST {
        let path = dir.join(name);
        let mut file = match disk::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(Fault::read(&path, &e)),
        };
        // What is appended meanwhile is not of this copy, and a line that is just being written is not there yet.
        let whole = file.metadata().map(|about| about.len()).and_then(|length| match name {
            chain::FILE => whole_lines(&mut file, length),
            _ => Ok(length),
        });
        let whole = whole.map_err(|e| Fault::read(&path, &e))?;
        files.insert(name.to_owned(), store(&half.join(name), &mut file, whole)?);
    }
    if dir.join(journal::FILE).exists() {
        let path = dir.join(journal::FILE);
        let fault = |e: rusqlite::Error| Fault::Journal { path: path.clone(), what: e.to_string() };
        let open = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
        open.busy_timeout(std::time::Duration::from_secs(5)).map_err(fault)?;
        let target = half.join(journal::FILE);
        open.execute("VACUUM INTO ?", [target.to_string_lossy()]).map_err(fault)?;
        force(&target)?;
        files.insert(journal::FILE.to_owned(), print(&target)?);
    }
    copy_folder(dir, half, Path::new(""), 0, &mut files, &mut notices)?;
    let state = chain::read(half, |_, _| {})?;
    let list = List {
        schema: SCHEMA,
        made: Stamp::now(),
        program: Program::this(),
        device: state.device,
        entries: state.seq,
        files,
    };
    compare(half, &list)?;
    Ok((list, notices))
}

/// Up to the last line end of a file of this length, which is read again from its begin then.
fn whole_lines(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(1 << 16);
        file.seek(SeekFrom::Start(begin))?;
        let mut part = vec![];
        (&mut *file).take(end - begin).read_to_end(&mut part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = begin + at as u64 + 1;
            break;
        }
        end = begin;
    }
    file.rewind()?;
    Ok(end)
}

fn copy_folder(
    dir: &Path,
    half: &Path,
    inside: &Path,
    depth: usize,
    files: &mut BTreeMap<String, Print>,
    notices: &mut Vec<String>,
) -> Result<(), Fault> {
    let folder = dir.join(inside);
    if depth > DEPTH_MAX {
        let what = format!("lies deeper than {DEPTH_MAX} folders; that is none of this program's");
        return Err(Fault::File { path: folder, what });
    }
    for name in disk::names(&folder)? {
        let inner = inside.join(&name);
        let (path, is_top) = (dir.join(&inner), depth == 0);
        let of_journal = is_top && name.starts_with(journal::FILE);
        if is_top && (LEFT_OUT.contains(&name.as_str()) || FIRST.contains(&name.as_str()) || of_journal) {
            continue;
        }
        let about = fs::symlink_metadata(&path).map_err(|e| Fault::read(&path, &e))?;
        if about.is_dir() {
            disk::make_private(&half.join(&inner))
                .map_err(|e| Fault::write(&half.join(&inner), "a folder of the backup", &e))?;
            copy_folder(dir, half, &inner, depth + 1, files, notices)?;
        } else if about.is_file() {
            let mut file = File::open(&path).map_err(|e| Fault::read(&path, &e))?;
            // What is appended meanwhile is not of this copy.
            let print = store(&half.join(&inner), &mut file, about.len())?;
            files.insert(inner.to_string_lossy().into_owned(), print);
        } else {
            notices.push(format!("{}: neither file nor folder; it is not in the backup", path.display()));
        }
    }
    disk::sync_folder(&half.join(inside))
}

/// Writes a new file that only this user may read, and forces it to the disk.
fn store(path: &Path, from: &mut dyn Read, most: u64) -> Result<Print, Fault> {
    let fault = |e: &io::Error| Fault::write(path, "a file of the copy", e);
    let mut file = disk::private().open(path).map_err(|e| fault(&e))?;
    let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    let mut from = from.take(most);
    loop {
        let count = from.read(&mut buffer).map_err(|e| Fault::read(path, &e))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(|e| fault(&e))?;
        bytes += count as u64;
    }
    file.sync_all().map_err(|e| fault(&e))?;
    Ok(Print { bytes, sha256: sign::hex(&hasher.finalize()) })
}

fn force(path: &Path) -> Result<(), Fault> {
    let done = File::open(path).and_then(|file| file.sync_all());
    done.map_err(|e| Fault::write(path, "a file of the copy", &e))
}

/// What a file is now.
fn print(path: &Path) -> Result<Print, Fault> {
    let mut file = File::open(path).map_err(|e| Fault::read(path, &e))?;
    let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let count = file.read(&mut buffer).map_err(|e| Fault::read(path, &e))?;
        if count == 0 {
            return Ok(Print { bytes, sha256: sign::hex(&hasher.finalize()) });
        }
        hasher.update(&buffer[..count]);
        bytes += count as u64;
    }
}

/// Whether every file of the list is there as the list says.
fn compare(folder: &Path, list: &List) -> Result<(), Fault> {
    for (name, expected) in &list.files {
        let path = folder.join(name);
        let seen = print(&path)?;
        if seen != *expected {
            let what = format!(
                "is not what was copied: {} bytes with SHA-256 {}, the list says {} and {}. The disk or stick does not keep what is written; take another",
                seen.bytes, seen.sha256, expected.bytes, expected.sha256
            );
            return Err(Fault::File { path, what });
        }
    }
    Ok(())
}

fn bring_back(from: &Path, half: &Path, list: &List) -> Result<(), Fault> {
    compare(from, list)?;
    for name in list.files.keys() {
        let target = half.join(name);
        if let Some(folder) = target.parent() {
            disk::make_private(folder).map_err(|e| Fault::write(folder, "a folder of the copy", &e))?;
        }
        let path = from.join(name);
        let mut file = File::open(&path).map_err(|e| Fault::read(&path, &e))?;
        store(&target, &mut file, u64::MAX)?;
        if let Some(folder) = target.parent() {
            disk::sync_folder(folder)?;
        }
    }
    compare(half, list)
}

fn to_json(list: &List) -> Result<Vec<u8>, Fault> {
    let json = serde_json::to_vec_pretty(list);
    json.map_err(|e| Fault::File { path: LIST.into(), what: e.to_string() })
}

fn read_list(from: &Path) -> Result<List, Fault> {
    let path = from.join(LIST);
    let fault = |what: String| Fault::File { path: path.clone(), what };
    let file = disk::open(&path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            fault("is not there: this folder is no backup that `phantomload data backup` has finished".into())
        }
        _ => Fault::read(&path, &e),
    })?;
    let mut text = String::new();
    file.take(LIST_MAX).read_to_string(&mut text).map_err(|e| Fault::read(&path, &e))?;
    let list: List = serde_json::from_str(&text).map_err(|e| fault(e.to_string()))?;
    if list.schema != SCHEMA {
        return Err(fault(format!("has schema {}; this program reads schema {SCHEMA}", list.schema)));
    }
    // A list comes from outside: no name in it leads out of the folder.
    let is_inside = |name: &str| {
        let mut parts = Path::new(name).components();
        !name.is_empty()
            && name.split('/').count() <= DEPTH_MAX + 2
            && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    if let Some(name) = list.files.keys().find(|name| !is_inside(name)) {
        return Err(fault(format!("names `{name}`, which leads out of the folder")));
    }
    for name in list.files.keys() {
        let about = fs::symlink_metadata(from.join(name)).map_err(|e| Fault::read(&from.join(name), &e))?;
        if !about.is_file() {
            return Err(fault(format!("names `{name}`, which is no file")));
        }
    }
    Ok(list)
}

/// A new, private folder beside `whole`, in which it is made.
fn beside(whole: &Path) -> Result<PathBuf, Fault> {
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    let half = whole.with_file_name(format!(".tmp-{name}-{}", std::process::id()));
    disk::make_private(half.parent().unwrap_or(Path::new("/")))
        .and_then(|()| fs::create_dir(&half))
        .and_then(|()| disk::keep_to_oneself(&half))
        .map_err(|e| Fault::write(&half, "the copy", &e))?;
    Ok(half)
}

/// Gives the finished folder its name.
fn put(half: &Path, whole: &Path) -> Result<(), Fault> {
    disk::sync_folder(half)?;
    // An empty folder may stand there; anything in it makes this fail.
    fs::rename(half, whole).map_err(|e| Fault::write(whole, "the copy", &e))?;
    whole.parent().map_or(Ok(()), disk::sync_folder)
}

fn is_new(path: &Path) -> Result<(), Fault> {
    let is_free = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    let what = "is there already, and nothing is overwritten: choose a name that is free".to_owned();
    Err(Fault::File { path: path.to_owned(), what })
}

fn whole(path: &Path) -> Result<PathBuf, Fault> {
    fs::canonicalize(path).map_err(|e| Fault::read(path, &e))
}

fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    let path = std::path::absolute(path).map_err(|e| Fault::read(path, &e))?;
    // Of what is there already, links are followed: a way into the data folder stays one.
    let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    Ok(parent.zip(path.file_name()).map_or(path.clone(), |(parent, name)| parent.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_copied_up_to_its_last_line_end_and_may_be_longer_than_a_package() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(chain::FILE);
        for (text, length) in [("", 0), ("torn", 0), ("a\nb\n", 4), ("a\nb\ntorn", 4)] {
            fs::write(&path, text).unwrap();
            let mut file = File::open(&path).unwrap();
            assert_eq!(whole_lines(&mut file, text.len() as u64).unwrap(), length, "{text:?}");
            assert_eq!(file.stream_position().unwrap(), 0);
        }
        // Longer than what is read of a package, with a torn line longer than what is looked at in one piece.
        let long = (256 << 20) + (1 << 20);
        let mut file = File::create(&path).unwrap();
        file.set_len(long).unwrap();
        file.seek(SeekFrom::Start(long)).unwrap();
        file.write_all(&[b"\n".to_vec(), vec![b'x'; 200_000]].concat()).unwrap();
        let mut file = File::open(&path).unwrap();
        assert_eq!(whole_lines(&mut file, long + 200_001).unwrap(), long + 1);
        // It is copied; that it is no chain is seen then.
        let elsewhere = tempfile::tempdir().unwrap();
        let fault = back_up(dir.path(), &elsewhere.path().join("copy")).unwrap_err().to_string();
        assert!(fault.contains("line 1: it is longer than"), "{fault}");
    }
}
