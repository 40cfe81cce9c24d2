//! `register.csv`: read leniently for numbers, strictly for people; appended to, never rewritten.

use super::{Fault, disk};
use crate::certificate::csv::{BOM, REGISTER_HEADER, register_header, unguarded};
use crate::certificate::issue::Status;
use crate::certificate::number::Number;
use crate::certificate::report::page::{clean, left, width};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What the program itself reads of a row.
const COLUMNS: [&str; 6] = ["seq", "certificate_no", "record_no", "status", "verdict", "manifest_sha256"];

/// A row of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRow {
    line: u64,
    cells: Vec<String>,
}

impl RegisterRow {
    /// The line it begins in, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// All cells as they stand in the file, in the order of the columns.
    pub(super) fn cells(&self) -> &[String] {
        &self.cells
    }

    /// The text in a column, without the guard against formulas; empty where there is none.
    pub fn get(&self, column: &str) -> &str {
        cell(&self.cells, column)
    }

    /// Whether the run was simulated.
    pub fn is_simulated(&self) -> bool {
        self.get("simulated") != "false" || self.get("certificate_no").starts_with("SIM")
    }
}

impl Serialize for RegisterRow {
    /// As a map from column to text, in the order of the columns.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(REGISTER_HEADER.len()))?;
        for column in REGISTER_HEADER {
            map.serialize_entry(column, self.get(column))?;
        }
        map.end()
    }
}

fn cell<'a>(cells: &'a [String], column: &str) -> &'a str {
    let place = REGISTER_HEADER.iter().position(|name| *name == column);
    place.and_then(|place| cells.get(place)).map_or("", |cell| unguarded(cell))
}

/// The register as it is on the disk.
pub(super) struct Register {
    path: PathBuf,
    is_new: bool,
    /// Every number in it.
    pub numbers: HashSet<Number>,
    /// How many rows it has.
    pub count: u64,
    next_seq: u64,
    /// Paper, state and manifest of each row, hashed.
    known: HashSet<u64>,
    /// Those that no entry of the chain was seen for, with the bytes before them.
    strange: HashMap<u64, u64>,
    /// The last row of each paper by the bytes before it, and its verdict, hashed.
    verdicts: HashMap<u64, (u64, u64)>,
    /// A row whose verdict is not the one of the chain, by the bytes before it.
    edited: Option<u64>,
}

impl Register {
    /// Reads what can be read, one row at a time; a row that makes no sense still counts.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let source = source(path)?;
        let mut register = Self {
            path: path.to_owned(),
            is_new: source.is_none(),
            numbers: HashSet::new(),
            count: 0,
            next_seq: 1,
            known: HashSet::new(),
            strange: HashMap::new(),
            verdicts: HashMap::new(),
            edited: None,
        };
        let Some((reader, begin)) = source else { return Ok(register) };
        let places = COLUMNS.map(|column| REGISTER_HEADER.iter().position(|name| *name == column));
        let mut reader = ::csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(reader);
        let mut row = ::csv::ByteRecord::new();
        let broken = |e: ::csv::Error| Fault::Row { path: path.to_owned(), line: 0, what: e.to_string() };
        while reader.read_byte_record(&mut row).map_err(broken)? {
            let at = begin + row.position().map_or(0, ::csv::Position::byte);
            let cells = places.map(|place| place.and_then(|place| row.get(place)).unwrap_or_default());
            let cells = cells.map(String::from_utf8_lossy);
            register.take(at, cells.each_ref().map(|cell| unguarded(cell)));
        }
        Ok(register)
    }

    fn take(&mut self, at: u64, [seq, paper, record_no, status, verdict, manifest]: [&str; 6]) {
        self.numbers.extend([paper, record_no].into_iter().filter_map(|no| no.parse::<Number>().ok()));
        self.next_seq = self.next_seq.max(seq.parse::<u64>().unwrap_or(0).saturating_add(1));
        self.count += 1;
        let row = row_key(paper, status, manifest);
        self.known.insert(row);
        self.strange.insert(row, at);
        let verdict = verdict_key(verdict);
        let before = self.verdicts.insert(paper_key(paper), (at, verdict));
        if before.is_some_and(|(_, before)| before != verdict) {
            self.edited.get_or_insert(at);
        }
        // A paper is issued once: asked for without its manifest.
        self.known.insert(row_key(paper, status, ""));
    }

    /// The number of the next row.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Whether a paper has the row of this state and manifest.
    pub fn has(&self, certificate_no: &str, status: Status, manifest_sha256: &str) -> bool {
        self.known.contains(&row_key(certificate_no, &status.to_string(), manifest_sha256))
    }

    /// Whether it has the row of this [key](row_key), for which the chain has an entry then.
    pub fn see(&mut self, row: u64) -> bool {
        self.strange.remove(&row);
        self.known.contains(&row)
    }

    /// Holds the verdict in a paper's rows against that of its entry; both as their keys.
    pub fn hold(&mut self, paper: u64, verdict: u64) {
        if let Some((at, said)) = self.verdicts.get(&paper)
            && *said != verdict
        {
            self.edited.get_or_insert(*at);
        }
    }

    /// A row says the verdict of its entry, and is written after it. One that no entry was [seen](Self::see) for: the chain's end was cut off, or the
    /// row is none of ours.
    pub fn check_strange(&self) -> Result<(), Fault> {
        if let Some(at) = self.edited {
            let line = line_at(&self.path, at)?;
            let what = "its verdict is not the one that the chain holds: it was changed by hand. Rename register.csv: it is made again from the chain".into();
            return Err(Fault::Row { path: self.path.clone(), line, what });
        }
        let Some(at) = self.strange.values().min() else { return Ok(()) };
        let line = line_at(&self.path, *at)?;
        let what = format!(
            "the chain has no entry for this row ({} such rows): either the end of chain.jws was cut off, then take it from a backup; or the row was changed or added by hand, then rename register.csv: it is made again from the chain",
            self.strange.len()
        );
        Err(Fault::Row { path: self.path.clone(), line, what })
    }

    /// Appends rows, with the header where there is none yet.
    pub fn append(&self, rows: &[u8]) -> Result<(), Fault> {
        let header = if self.is_new { register_header()? } else { vec![] };
        disk::append(&self.path, "a row of the register", &[&header, rows].concat())
    }
}

/// What a row is known by: the paper, its state, and the manifest of its package.
pub(super) fn row_key(certificate_no: &str, status: &str, manifest_sha256: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (certificate_no, status, manifest_sha256).hash(&mut hasher);
    hasher.finish()
}

/// What a paper is known by.
pub(super) fn paper_key(certificate_no: &str) -> u64 {
    row_key(certificate_no, "", "")
}

/// What a verdict is known by.
pub(super) fn verdict_key(verdict: &str) -> u64 {
    row_key("", verdict, "")
}

/// The rows behind the header, and how many bytes that is; none of an empty register.
fn source(path: &Path) -> Result<Option<(BufReader<File>, u64)>, Fault> {
    let mut file = match disk::open_list(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Fault::read(path, &e)),
    };
    let mut head = vec![];
    let length = register_header()?.len() as u64;
    (&mut file).take(length).read_to_end(&mut head).map_err(|e| Fault::read(path, &e))?;
    headed(path, &head)?;
    Ok((!head.is_empty()).then(|| (BufReader::with_capacity(1 << 18, file), length)))
}

/// The line that begins behind so many bytes, from 1.
fn line_at(path: &Path, at: u64) -> Result<u64, Fault> {
    let fault = |e: std::io::Error| Fault::read(path, &e);
    let mut reader = BufReader::with_capacity(1 << 18, disk::open(path).map_err(fault)?).take(at + 1);
    // The csv reader's place lags behind a line end of two characters: it has taken CR and not yet LF.
    let mut ended = 0;
    loop {
        let part = reader.fill_buf().map_err(fault)?;
        if part.is_empty() {
            return Ok(ended + 1);
        }
        let length = part.len();
        ended += lines(part);
        reader.consume(length);
    }
}

/// Moves a row that a crash has torn into a file of its own. Says what it did.
pub(super) fn mend(path: &Path) -> Result<Option<String>, Fault> {
    let Some((whole, tail)) = torn(path)? else { return Ok(None) };
    // A quote lost in a text editor looks like one long torn row. That is no crash, and nothing is moved.
    let text = String::from_utf8_lossy(&tail);
    let is_row = |line: &str| line.split(',').nth(2).is_some_and(|number| number.parse::<Number>().is_ok());
    if text.split('\n').skip(1).any(is_row) {
        let what = "a quote is missing or too many from here on".into();
        return Err(Fault::Row { path: path.to_owned(), line: line_at(path, whole)?, what });
    }
    let whole = usize::try_from(whole).unwrap_or(usize::MAX);
    disk::move_tail(path, whole, "the last row", &tail)
}

/// Length of the whole rows, and what stands behind them; none where nothing does.
fn torn(path: &Path) -> Result<Option<(u64, Vec<u8>)>, Fault> {
    let fault = |e: std::io::Error| Fault::read(path, &e);
    let mut file = match disk::open_list(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fault(e)),
    };
    let (mut part, mut end) = (vec![0; 1 << 18], End::default());
    loop {
        let read = file.read(&mut part).map_err(fault)?;
        if read == 0 {
            break;
        }
        end.take(&part[..read]);
    }
    if end.whole == end.length {
        return Ok(None);
    }
    let mut tail = vec![];
    file.seek(SeekFrom::Start(end.whole)).and_then(|_| file.read_to_end(&mut tail)).map_err(fault)?;
    Ok(Some((end.whole, tail)))
}

/// Where the whole rows of a file end: at the last line end outside quotes.
#[derive(Default)]
struct End {
    length: u64,
    whole: u64,
    quoted: bool,
    /// The last byte was CR.
    returned: bool,
}

impl End {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.length += 1;
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted && self.returned => self.whole = self.length,
                _ => {}
            }
            self.returned = *byte == b'\r';
        }
    }
}

/// Length of the whole rows.
fn whole(bytes: &[u8]) -> usize {
    let mut end = End::default();
    end.take(bytes);
    usize::try_from(end.whole).unwrap_or(bytes.len())
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// The rows' bytes with their header, which must be ours: another program version may have another form.
pub(super) fn headed<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a [u8], Fault> {
    let header = register_header()?;
    if bytes.is_empty() || bytes.starts_with(&header) {
        return Ok(bytes.strip_prefix(BOM).unwrap_or(bytes));
    }
    let what = "this is not the header of a register of schema 1, or a program changed it".into();
    Err(Fault::Row { path: path.to_owned(), line: 1, what })
}

fn rows(path: &Path, text: &[u8]) -> Result<Vec<RegisterRow>, Fault> {
    let mut found = vec![];
    each_row(path, text, |row| found.push(row))?;
    Ok(found)
}

/// The rows one after the other: a register of many years is not held whole. Lines are counted on from the row before.
fn each_row(path: &Path, text: &[u8], mut take: impl FnMut(RegisterRow)) -> Result<(), Fault> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let mut row = ::csv::ByteRecord::new();
    let (mut counted, mut ended) = (0, 0);
    loop {
        let broken = |e: ::csv::Error| Fault::Row { path: path.to_owned(), line: 0, what: e.to_string() };
        if !reader.read_byte_record(&mut row).map_err(broken)? {
            return Ok(());
        }
        // The reader's own count lags behind a line end of two characters: it has taken CR and not yet LF.
        let byte = row.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(0)).min(text.len());
        ended += lines(&text[counted.min(byte)..byte]);
        counted = byte;
        let line = ended + 1 + u64::from(text.get(byte) == Some(&b'\n'));
        take(RegisterRow {
            line,
            cells: row.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect(),
        });
    }
}

/// The rows of a data folder's register, without the lock. A broken row is named by its line.
pub fn list(dir: &Path) -> Result<Vec<RegisterRow>, Fault> {
    let path = dir.join("register.csv");
    let Some(bytes) = disk::read_list_if_there(&path)? else { return Ok(vec![]) };
    let broken = |line: u64, what: String| Fault::Row { path: path.clone(), line, what };
    let whole = whole(&bytes);
    if whole < bytes.len() {
        return Err(broken(
            lines(&bytes[..whole]) + 1,
            "the row breaks off; it is set right when a run is next stored".into(),
        ));
    }
    let rows = rows(&path, headed(&path, &bytes)?)?;
    rows.iter().try_for_each(|row| check(&path, row))?;
    Ok(rows)
}

/// A row from its bytes, as strictly as [`list`].
pub(super) fn row(path: &Path, line: u64, bytes: &[u8]) -> Result<RegisterRow, Fault> {
    let row = RegisterRow { line, cells: super::reader::cells(bytes) };
    check(path, &row)?;
    Ok(row)
}

/// Refuses a row that is not of our form.
fn check(path: &Path, row: &RegisterRow) -> Result<(), Fault> {
    let broken = |what: String| Fault::Row { path: path.to_owned(), line: row.line, what };
    if row.cells.len() != REGISTER_HEADER.len() {
        return Err(broken(format!("{} cells, there must be {}", row.cells.len(), REGISTER_HEADER.len())));
    }
    let wrong = |column: &str, allowed: &str| {
        broken(format!("{column} is `{}`; allowed: {allowed}", clean(row.get(column))))
    };
    if row.get("seq").parse::<u64>().is_err() {
        return Err(wrong("seq", "a whole number"));
    }
    for column in ["certificate_no", "record_no"] {
        if row.get(column).parse::<Number>().is_err() {
            return Err(wrong(column, "a number like PL-2026-000001 or PL-R-2026-000001"));
        }
    }
    if !["pass", "fail", "undecided"].contains(&row.get("verdict")) {
        return Err(wrong("verdict", "pass, fail, undecided"));
    }
    if !["draft", "checked", "issued", "amended", "withdrawn"].contains(&row.get("status")) {
        return Err(wrong("status", "draft, checked, issued, amended, withdrawn"));
    }
    if !["true", "false"].contains(&row.get("simulated")) {
        return Err(wrong("simulated", "true, false"));
    }
    Ok(())
}

/// The register for the terminal.
pub fn table(rows: &[RegisterRow]) -> String {
    const TITLES: [&str; 9] =
        ["certificate", "date", "document", "state", "verdict", "meter", "charger", "customer", "site"];
    let cells = |row: &RegisterRow| {
        let simulated = if row.is_simulated() { " SIMULATED" } else { "" };
        [
            row.get("certificate_no").to_owned(),
            row.get("performed_from").chars().take(16).collect(),
            row.get("doc_type").replace('_', " "),
            row.get("status").to_owned(),
            row.get("verdict").to_uppercase() + simulated,
            format!("{} {}", row.get("dut_model"), row.get("dut_serial")),
            row.get("charger").to_owned(),
            row.get("customer").to_owned(),
            row.get("site").to_owned(),
        ]
        .map(|cell| clean(&cell))
    };
    let table: Vec<[String; 9]> =
        std::iter::once(TITLES.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let columns: Vec<usize> =
        (0..TITLES.len()).map(|n| table.iter().map(|row| width(&row[n])).max().unwrap_or(0)).collect();
    let line = |row: &[String; 9]| {
        let cells: Vec<String> =
            row.iter().zip(&columns).map(|(cell, columns)| left(cell, *columns)).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    table.iter().map(line).collect()
}
