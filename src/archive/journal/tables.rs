//! The tables of the journal from version to version, and what becomes of a file that is none.

use super::super::Fault;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of one journal.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];
/// `PRAGMA application_id`: four letters of our name.
const APPLICATION: i32 = 0x5068_4C64;
/// No program of ours has so many versions of the tables.
const VERSION_MAX: i64 = 1000;
/// From this version on a run can be given up.
pub(super) const GIVES_UP: i64 = 3;

/// What leads from each version of the tables to the next. A released one is never changed: `tests/records.rs`.
const MIGRATIONS: [&str; 3] = ["
    CREATE TABLE run (record_no TEXT PRIMARY KEY, header TEXT NOT NULL, ended TEXT) STRICT;
    CREATE TABLE sitting (n INTEGER PRIMARY KEY, record_no TEXT NOT NULL, began TEXT NOT NULL, boot TEXT NOT NULL) STRICT;
    CREATE TABLE batch (n INTEGER PRIMARY KEY, record_no TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
        stamp TEXT NOT NULL, events TEXT NOT NULL, seal BLOB NOT NULL) STRICT;
    CREATE INDEX batch_of_run ON batch (record_no, first);", "
    CREATE TABLE beside (record_no TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, seal BLOB NOT NULL,
        PRIMARY KEY (record_no, name)) STRICT;", "
    ALTER TABLE run ADD COLUMN given_up TEXT;
    UPDATE run SET header = '' WHERE ended IS NOT NULL;
    CREATE INDEX run_unstored ON run (record_no) WHERE ended IS NULL AND given_up IS NULL;
    CREATE INDEX sitting_of_run ON sitting (record_no);"];

/// The version of the tables.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the tables to the present version, all or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Broken> {
    let version = version(connection)?;
    let latest = (MIGRATIONS.len() as u64).cast_signed();
    if version == latest {
        return Ok(());
    }
    let ours: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if !(0..VERSION_MAX).contains(&version) || (version == 0) == (ours == APPLICATION) {
        return Err(Broken::Damaged(format!(
            "version {version} and application {ours:#x} do not go together"
        )));
    }
    let Some(steps) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..)) else {
        return Err(Broken::Unfit(format!(
            "has version {version}, and this program knows versions up to {latest}: use the program that wrote it. Where none that is newer ever ran here the file is damaged: move it away by hand"
        )));
    };
    let transaction = connection.transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", latest)?;
    transaction.commit()?;
    Ok(())
}

/// A pipe in its place would be waited for.
pub(super) fn regular(path: &Path) -> Result<(), Broken> {
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        let what = "is no regular file, but a folder, a pipe or a device: move it away".to_owned();
        return Err(Broken::Unfit(what));
    }
    Ok(())
}

/// Why a journal was not opened.
pub(super) enum Broken {
    /// Its file is no sound database.
    Damaged(String),
    /// It cannot be used as it is, in words.
    Unfit(String),
}

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OutOfMemory,
            PermissionDenied, ReadOnly, SystemIoFailure,
        };
        // What is of the disk or of the moment will be another time; all else is of the file.
        match error.sqlite_error_code() {
            Some(
                CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | FileLockingProtocolFailed
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure,
            ) => Self::Unfit(words(&error)),
            _ => Self::Damaged(error.to_string()),
        }
    }
}

impl Broken {
    pub(super) fn fault(self, path: &Path) -> Fault {
        let (Self::Damaged(what) | Self::Unfit(what)) = self;
        Fault::Journal { path: path.to_owned(), what }
    }
}

/// What went wrong and what to do, in the words of this house.
pub(super) fn words(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let advice = match error.sqlite_error_code() {
        Some(DiskFull) => "the disk is full: free some space",
        Some(ReadOnly | PermissionDenied | CannotOpen) => {
            "give this user the right to write there, or choose another folder with --data"
        }
        Some(SystemIoFailure) => {
            "the disk does not work or is full: look at it, or choose another folder with --data"
        }
        Some(DatabaseBusy) => "another program reads it and does not let go: end that one",
        Some(DatabaseCorrupt) => {
            "it is damaged; it is put aside when the data folder is opened the next time"
        }
        _ => "look at the disk, or choose another folder with --data",
    };
    format!("could not be read or written: {error}; {advice}")
}

/// Renames a damaged journal with its log; nothing is deleted.
pub(super) fn put_aside(path: &Path) -> Result<PathBuf, Fault> {
    let name = |n: u32, part: &str| PathBuf::from(format!("{}.damaged-{n}{part}", path.display()));
    let free = |n: &u32| PARTS.iter().all(|part| fs::symlink_metadata(name(*n, part)).is_err());
    let Some(n) = (1..u32::MAX).find(free) else {
        return Err(Fault::Journal { path: path.to_owned(), what: "cannot be put aside".into() });
    };
    for part in PARTS {
        let from = PathBuf::from(format!("{}{part}", path.display()));
        if fs::symlink_metadata(&from).is_ok() {
            fs::rename(&from, name(n, part))
                .map_err(|e| Fault::write(&from, "the journal, put aside,", &e))?;
        }
    }
    Ok(name(n, ""))
}
