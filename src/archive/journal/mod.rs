//! `journal.sqlite`: every event of the run that is open, on the disk before anything is done because of it.
//!
//! `SQLite` with a write-ahead log that is forced to the disk at each commit. One row of `batch` holds the events of one
//! commit, one JSON line each, in the form of the record. `run` holds the frozen header: with it and the events the run is
//! made again as it was ([`crate::run::rebuilt`]). `beside` holds what belongs to the record and is no event: photographs,
//! the seals at the end. When the record is stored all of it is deleted but for the line that says so: the record has it. A
//! run that was given up without a record keeps everything.
//!
//! Each batch is sealed: HMAC-SHA-256 over the seal before it and its bytes, with a secret that follows from the device's
//! key. Events that somebody else wrote are not believed. Batches cut off at the end cannot be told from a crash.

mod keeper;
mod tables;

pub use keeper::{InStep, Keeper, NotKept, Writer};

use super::{Fault, Photograph};
use crate::certificate::photograph::SIZE_MAX;
use crate::certificate::raw::Logged;
use crate::certificate::record::Program;
use crate::plan::Plan;
use crate::plan::seal::Closing;
use crate::time::{Instant, Stamp};
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tables::{Broken, GIVES_UP, migrate, put_aside, regular, version, words};

/// The file; beside it `SQLite` keeps its write-ahead log.
pub const FILE: &str = "journal.sqlite";
/// What the device's key signs to give the secret of the seals; the signature is never shown.
pub(super) const SECRET: &[u8] = b"phantomload: the secret that seals the journal of runs, version 1";
/// How long another reader may keep a commit waiting.
const BUSY: Duration = Duration::from_secs(5);
/// Events of one commit, and of a whole run, in bytes: more is no journal of ours.
const BATCH_MAX: usize = 64 << 20;
const RUN_MAX: usize = 1 << 30;
/// Under this name stands in `beside` what was written down when the meter was closed again; all others are photographs.
const CLOSING: &str = "closing.json";

/// How the bench of a run is found again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// The bench file, or `simulated`.
    pub bench: String,
    /// The meter that was named beside it: a file, or a demo meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// The text of that meter on the simulated bench, as it was; none in journals older than it, and for a real one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Seed of the simulated bench.
    pub seed: u64,
    /// Pace of the simulated bench; none: as fast as it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<f64>,
}

/// What a run is made of before its first event. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The number in the chain.
    pub record_no: String,
    /// The number that its paper would have.
    pub certificate_no: String,
    /// Whether its bench is simulated.
    pub simulated: bool,
    /// The program that began it.
    pub program: Program,
    /// Date and hour of the begin.
    pub started: Stamp,
    /// The same on the run's own time.
    pub began: Instant,
    /// Its bench.
    pub way: Way,
    /// Nameplate, regulation, calibration, bench and steps.
    pub plan: Plan,
}

/// A run as the journal has it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What it is made of.
    pub header: Header,
    /// Every event that was kept.
    pub log: Vec<Logged>,
    /// When the last of them was put on the disk; the begin where none was.
    pub last: Stamp,
    /// What the kernel called the time in which that was; empty where it did not say.
    pub boot: String,
}

/// One line of the list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The run.
    pub record_no: String,
    /// When its record was stored; none where it was not.
    pub stored: Option<String>,
    /// When it was given up: it has ended in the chain, and no record of it was or will be stored from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up: Option<String>,
    /// How often the program sat down to it.
    pub sittings: u64,
    /// Events that are kept.
    pub events: u64,
}

/// The run that is being written.
#[derive(Debug)]
struct Page {
    record_no: String,
    count: u64,
    seal: Vec<u8>,
}

/// The journal of a data folder that nobody else writes.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    connection: Connection,
    secret: Vec<u8>,
    page: Option<Page>,
}

impl Book {
    /// Opens the journal, and makes it where there is none. A damaged one is put aside, and the words say so. `whole`: read
    /// from end to end first, to see whether it is damaged.
    pub(super) fn open(dir: &Path, secret: &[u8], whole: bool) -> Result<(Self, Vec<String>), Fault> {
        let path = dir.join(FILE);
        match Self::at(&path, secret, whole) {
            Ok(book) => Ok((book, vec![])),
            Err(Broken::Damaged(what)) => {
                let aside = put_aside(&path)?;
                let words = format!(
                    "{}: the journal is damaged ({what}); it was put aside as {}, nothing of it was changed, and a new one was begun",
                    path.display(),
                    aside.display()
                );
                let book = Self::at(&path, secret, true).map_err(|broken| broken.fault(&path))?;
                Ok((book, vec![words]))
            }
            Err(broken) => Err(broken.fault(&path)),
        }
    }

    fn at(path: &Path, secret: &[u8], whole: bool) -> Result<Self, Broken> {
        regular(path)?;
        // A file of a format that does not exist would be opened for reading only (`SQLite` file format, bytes 18 and 19).
        // Where there is a log, that has the head.
        let has_log = fs::metadata(format!("{}-wal", path.display())).is_ok_and(|log| log.len() > 0);
        let mut head = [0; 20];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
        if read.is_ok() && !has_log && head[18..].iter().any(|format| ![1, 2].contains(format)) {
            return Err(Broken::Damaged(format!("its head names the formats {:?}", &head[18..])));
        }
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Broken::Unfit(format!(
                "cannot have a write-ahead log here (mode {mode}): choose another disk with --data"
            )));
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        if whole {
            let checked: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if checked != "ok" {
                return Err(Broken::Damaged(checked));
            }
        }
        migrate(&mut connection)?;
        Ok(Self { path: path.to_owned(), connection, secret: secret.to_vec(), page: None })
    }

    /// Whether it has this run, with its events.
    pub fn holds(&self, record_no: &str) -> Result<bool, Fault> {
        let mut asked = self.sql(
            self.connection
                .prepare("SELECT 1 FROM run WHERE record_no = ? AND ended IS NULL AND given_up IS NULL"),
        )?;
        self.sql(asked.exists([record_no]))
    }

    /// Begins a run: its header is on the disk when this returns, and the photographs that its plan names.
    pub fn begin(&mut self, header: &Header, boot: &str, photographs: &[Photograph]) -> Result<(), Fault> {
        let text =
            serde_json::to_string(header).map_err(|e| self.fault(format!("cannot hold this run: {e}")))?;
        let seal = self.first_seal(&text);
        let sealed: Vec<_> = photographs
            .iter()
            .map(|(name, bytes)| (name, bytes, self.seal_beside(&seal, name, bytes)))
            .collect();
        let done = self.connection.transaction().and_then(|transaction| {
            transaction.execute(
                "INSERT INTO run (record_no, header) VALUES (?, ?)",
                params![header.record_no, text],
            )?;
            for (name, bytes, seal) in sealed {
                put_beside(&transaction, &header.record_no, name, bytes, &seal)?;
            }
            sit_down(&transaction, &header.record_no, boot)?;
            transaction.commit()
        });
        self.sql(done)?;
        self.page = Some(Page { record_no: header.record_no.clone(), count: 0, seal });
        Ok(())
    }

    /// Keeps what was written down when the meter was closed again, and its photographs, until the record is stored.
    pub fn close_meter(
        &mut self,
        record_no: &str,
        closing: &Closing,
        photographs: &[Photograph],
    ) -> Result<(), Fault> {
        let closing =
            serde_json::to_vec(closing).map_err(|e| self.fault(format!("cannot hold the seals: {e}")))?;
        let (header, _) = self.seals(record_no)?;
        let first = self.first_seal(&header);
        let all = photographs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        for (name, bytes) in all.chain([(CLOSING, closing.as_slice())]) {
            let seal = self.seal_beside(&first, name, bytes);
            self.sql(put_beside(&self.connection, record_no, name, bytes, &seal))?;
        }
        Ok(())
    }

    /// Photographs of a run, and the seals at its end. What somebody else wrote is not among them.
    pub fn beside(&self, record_no: &str) -> Result<(Vec<Photograph>, Option<Closing>), Fault> {
        let (header, _) = self.seals(record_no)?;
        let first = self.first_seal(&header);
        let mut asked = self.sql(self.connection.prepare(
            "SELECT name, bytes, seal FROM beside WHERE record_no = ? AND length(bytes) <= ? ORDER BY name",
        ))?;
        let rows = asked.query_map(params![record_no, SIZE_MAX.cast_signed()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let (mut photographs, mut closing) = (vec![], None);
        for row in self.sql(rows)? {
            let (name, bytes, seal) = self.sql(row)?;
            if seal != self.seal_beside(&first, &name, &bytes) {
                continue;
            }
            if name == CLOSING {
                closing = serde_json::from_slice(&bytes).ok();
            } else {
                photographs.push((name, bytes));
            }
        }
        Ok((photographs, closing))
    }

    /// Goes on with a run that was read, and had so many events.
    pub fn go_on(&mut self, record_no: &str, count: usize, boot: &str) -> Result<(), Fault> {
        let (text, seals) = self.seals(record_no)?;
        let seal = seals.last().cloned().unwrap_or_else(|| self.first_seal(&text));
        self.sql(sit_down(&self.connection, record_no, boot))?;
        self.page = Some(Page { record_no: record_no.to_owned(), count: count as u64, seal });
        Ok(())
    }

    /// Puts events on the disk: they are there when this returns. Gives how many the run has there now.
    pub fn append(&mut self, events: &[Logged]) -> Result<u64, Fault> {
        let Some(page) = &self.page else {
            return Err(self.fault("has no run begun: a bug in this program".into()));
        };
        if events.is_empty() {
            return Ok(page.count);
        }
        let mut text = String::new();
        for event in events {
            let line =
                serde_json::to_string(event).map_err(|e| self.fault(format!("cannot hold an event: {e}")))?;
            text.push_str(&line);
            text.push('\n');
        }
        let seal = self.seal(&page.seal, page.count, text.as_bytes());
        let done = self.connection.prepare_cached(
            "INSERT INTO batch (record_no, first, count, stamp, events, seal) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let done = done.and_then(|mut insert| {
            insert.execute(params![
                page.record_no,
                page.count.cast_signed(),
                (events.len() as u64).cast_signed(),
                Stamp::now().to_string(),
                text,
                seal
            ])
        });
        self.sql(done)?;
        let count = page.count + events.len() as u64;
        self.page = Some(Page { record_no: page.record_no.clone(), count, seal });
        Ok(count)
    }

    /// The run with every event that was kept; none where it has none. A batch whose seal does not hold is refused: nothing
    /// follows from events that the program may not have written.
    pub fn read(&self, record_no: &str) -> Result<Option<Kept>, Fault> {
        let found: Option<String> = self.sql(
            self.connection
                .query_row(
                    "SELECT header FROM run WHERE record_no = ? AND ended IS NULL",
                    [record_no],
                    |row| row.get(0),
                )
                .optional(),
        )?;
        let Some(text) = found else { return Ok(None) };
        let header: Header = serde_json::from_str(&text).map_err(|e| {
            self.fault(format!("has a header of {record_no} that this program cannot read: {e}"))
        })?;
        let mut seal = self.first_seal(&text);
        let (mut log, mut last, mut bytes) = (vec![], header.started, 0);
        let mut asked = self.sql(self.connection.prepare(
            "SELECT first, count, stamp, events, seal FROM batch WHERE record_no = ? ORDER BY first",
        ))?;
        let mut rows = self.sql(asked.query([record_no]))?;
        while let Some(row) = self.sql(rows.next())? {
            let (first, count, stamp, events, sealed) = self.sql(batch(row))?;
            bytes += events.len();
            if events.len() > BATCH_MAX || bytes > RUN_MAX {
                return Err(self.fault(format!("has more events of {record_no} than a run can have")));
            }
            let strange = |what: &str| {
                self.fault(format!(
                    "was changed: {what} at event {first} of {record_no}. Nothing follows from it; `phantomload run close --unread` ends the run without them"
                ))
            };
            if first.cast_unsigned() != log.len() as u64 {
                return Err(strange("events are missing or doubled"));
            }
            seal = self.seal(&seal, log.len() as u64, events.as_bytes());
            if seal != sealed {
                return Err(strange("the seal does not hold"));
            }
            for line in events.lines() {
                log.push(serde_json::from_str(line).map_err(|e| strange(&e.to_string()))?);
            }
            if log.len() as u64 != first.cast_unsigned().saturating_add(count.cast_unsigned()) {
                return Err(strange("the count is another"));
            }
            last = stamp.parse().unwrap_or(last);
        }
        let boot = self.sql(
            self.connection
                .query_row(
                    "SELECT boot FROM sitting WHERE record_no = ? ORDER BY n DESC LIMIT 1",
                    [record_no],
                    |row| row.get(0),
                )
                .optional(),
        )?;
        Ok(Some(Kept { header, log, last, boot: boot.unwrap_or_default() }))
    }

    /// The record of a run is stored: its events are not needed here any more, nor is its header, which is its plan.
    pub fn stored(&mut self, record_no: &str) -> Result<(), Fault> {
        let done = self.connection.transaction().and_then(|transaction| {
            let now = Stamp::now().to_string();
            transaction.execute(
                "UPDATE run SET ended = ?, header = '' WHERE record_no = ?",
                params![now, record_no],
            )?;
            transaction.execute("DELETE FROM batch WHERE record_no = ?", [record_no])?;
            transaction.execute("DELETE FROM beside WHERE record_no = ?", [record_no])?;
            transaction.commit()
        });
        self.page = None;
        self.sql(done)
    }

    /// A run has ended, and no record follows from what is here: it stays for whoever asks, and is asked for no more.
    pub fn give_up(&mut self, record_no: &str) -> Result<(), Fault> {
        let done = self.connection.execute(
            "UPDATE run SET given_up = ? WHERE record_no = ? AND ended IS NULL AND given_up IS NULL",
            params![Stamp::now().to_string(), record_no],
        );
        self.sql(done).map(|_| ())
    }

    /// Runs whose record is not known to be stored, oldest first, without those that were given up.
    pub fn unstored(&self) -> Result<Vec<String>, Fault> {
        let mut asked = self.sql(self.connection.prepare(
            "SELECT record_no FROM run INDEXED BY run_unstored WHERE ended IS NULL AND given_up IS NULL ORDER BY rowid",
        ))?;
        let rows = self.sql(asked.query_map([], |row| row.get(0)))?;
        self.sql(rows.collect())
    }

    fn seals(&self, record_no: &str) -> Result<(String, Vec<Vec<u8>>), Fault> {
        let header =
            self.connection
                .query_row("SELECT header FROM run WHERE record_no = ?", [record_no], |row| row.get(0));
        let mut asked = self.sql(
            self.connection.prepare("SELECT seal FROM batch WHERE record_no = ? ORDER BY first DESC LIMIT 1"),
        )?;
        let seals = self.sql(asked.query_map([record_no], |row| row.get(0)))?;
        Ok((self.sql(header)?, self.sql(seals.collect())?))
    }

    fn first_seal(&self, header: &str) -> Vec<u8> {
        self.seal(&[], u64::MAX, header.as_bytes())
    }

    fn seal_beside(&self, first: &[u8], name: &str, bytes: &[u8]) -> Vec<u8> {
        let name = self.seal(first, u64::MAX, name.as_bytes());
        self.seal(&name, u64::MAX, bytes)
    }

    fn seal(&self, before: &[u8], first: u64, bytes: &[u8]) -> Vec<u8> {
        // A key of any length does (RFC 2104).
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return vec![] };
        mac.update(before);
        mac.update(&first.to_be_bytes());
        mac.update(bytes);
        mac.finalize().into_bytes().to_vec()
    }

    fn fault(&self, what: String) -> Fault {
        Fault::Journal { path: self.path.clone(), what }
    }

    fn sql<T>(&self, done: rusqlite::Result<T>) -> Result<T, Fault> {
        done.map_err(|e| self.fault(words(&e)))
    }
}

/// The list of runs of a data folder, without its lock; empty where there is no journal.
pub fn list(dir: &Path) -> Result<Vec<Line>, Fault> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(vec![]);
    }
    regular(&path).map_err(|broken| broken.fault(&path))?;
    let fault = |e: rusqlite::Error| Fault::Journal { path: path.clone(), what: words(&e) };
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    lines(&connection).map_err(fault)
}

/// Every run that was begun with a journal, oldest first. It is read as an older program left it, too.
fn lines(connection: &Connection) -> rusqlite::Result<Vec<Line>> {
    let given_up = if version(connection)? < GIVES_UP { "NULL" } else { "given_up" };
    let mut asked = connection.prepare(&format!(
        "SELECT record_no, ended, (SELECT count(*) FROM sitting WHERE sitting.record_no = run.record_no), \
         (SELECT coalesce(sum(count), 0) FROM batch WHERE batch.record_no = run.record_no), {given_up} \
         FROM run ORDER BY rowid"
    ))?;
    let rows = asked.query_map([], |row| {
        let number = |n| row.get::<_, i64>(n).map(i64::cast_unsigned);
        Ok(Line {
            record_no: row.get(0)?,
            stored: row.get(1)?,
            given_up: row.get(4)?,
            sittings: number(2)?,
            events: number(3)?,
        })
    })?;
    rows.collect()
}

/// First event, count, stamp, events and seal of a row.
type Batch = (i64, i64, String, String, Vec<u8>);

fn batch(row: &rusqlite::Row) -> rusqlite::Result<Batch> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn put_beside(
    connection: &Connection,
    record_no: &str,
    name: &str,
    bytes: &[u8],
    seal: &[u8],
) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO beside (record_no, name, bytes, seal) VALUES (?, ?, ?, ?)",
            params![record_no, name, bytes, seal],
        )
        .map(|_| ())
}

fn sit_down(connection: &Connection, record_no: &str, boot: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO sitting (record_no, began, boot) VALUES (?, ?, ?)",
            params![record_no, Stamp::now().to_string(), boot],
        )
        .map(|_| ())
}
