//! What can go wrong in the data folder.

use crate::certificate::{chain, csv, package, record, sign};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why something was not stored or not found.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system does not let it be written.
    #[error("{}: {what} could not be written: {why}. {advice}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// The system's words.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The system does not let it be read.
    #[error("{}: cannot be read: {why}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Somebody else is writing.
    #[error("{}: another instance of this program holds the lock on this data folder. End it, or choose another folder with --data", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A number that is none or does not fit the run.
    #[error("number `{seen}` does not fit: {why}")]
    Number {
        /// The number.
        seen: String,
        /// Why.
        why: String,
    },
    /// The package is there, its row is not.
    #[error("the package {} is stored whole, but the register has no row for it yet: {why}. The row is added when the data folder is opened the next time", package.display())]
    NotRegistered {
        /// The package.
        package: PathBuf,
        /// Why there is no row.
        why: String,
    },
    /// A register that is not ours or was damaged.
    #[error("{}, line {line}: {what}. Set it right from a backup; no row was changed by this program", path.display())]
    Row {
        /// The register.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A chain that was changed.
    #[error("{}, line {line}: {what}. Nothing is written on top of a broken chain: take the data folder from a backup, or begin another with --data. What is there stays readable", path.display())]
    Chain {
        /// The chain.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Only a run that the chain knows of is stored.
    #[error(
        "run {record_no} was not opened in the chain of this data folder; a run is opened before its first point, and only that run is stored"
    )]
    NotOpened {
        /// The run.
        record_no: String,
    },
    /// The verdict stands in the chain; the package does not.
    #[error(
        "the verdict stands in the chain with the record's SHA-256, but the package could not be stored: {why}. The papers are made later from the record's file by `phantomload certificate papers FILE`"
    )]
    NotStored {
        /// Why.
        why: String,
    },
    /// Neither package nor chain could be written; the verdict is signed.
    #[error("{why}")]
    NotWritten {
        /// Why.
        why: String,
        /// The line of the chain that says it: kept beside the record, it stands for it later.
        verdict: String,
    },
    /// A key that cannot be used as it was asked for.
    #[error("{what}")]
    Key {
        /// What was seen, and what to do.
        what: String,
    },
    /// A person who cannot do it.
    #[error("{person}: {what}")]
    Person {
        /// The person.
        person: String,
        /// What was seen, and what to do.
        what: String,
    },
    /// A paper that is not in the state for it.
    #[error("{number}: {what}")]
    State {
        /// The paper.
        number: String,
        /// What was seen, and what to do.
        what: String,
    },
    /// A file of the data folder that somebody edited wrongly or changed.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was seen, and what to do.
        what: String,
    },
    /// The system gives no randomness.
    #[error("the system gives no random numbers: {what}; no key and no salt can be made")]
    Random {
        /// Its words.
        what: String,
    },
    /// The index of the register, which is only a copy.
    #[error("{}: the register cannot be searched: {what}. The register itself is not touched by this; free some space, or delete this file", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The journal of runs.
    #[error("{}: the journal {what}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What was seen, and what to do.
        what: String,
    },
    /// More than a spreadsheet holds.
    #[error(
        "{rows} rows are wanted, and a sheet holds {allowed}. Choose fewer with --from and --to, or export CSV"
    )]
    TooManyRows {
        /// How many.
        rows: usize,
        /// How many are allowed.
        allowed: usize,
    },
    /// Nothing of that name.
    #[error("`{wanted}` is neither a record file nor a package nor a number in {}. `phantomload certificate list` shows the numbers", dir.display())]
    NotFound {
        /// What was asked for.
        wanted: String,
        /// Where.
        dir: PathBuf,
    },
    /// A paper that cannot be made.
    #[error(transparent)]
    Csv(#[from] csv::Fault),
    /// A record that cannot be read or written.
    #[error(transparent)]
    Record(#[from] record::Fault),
    /// A package that cannot be made.
    #[error(transparent)]
    Package(#[from] package::Fault),
    /// An entry of the chain that cannot be written.
    #[error(transparent)]
    Entry(#[from] chain::Fault),
    /// A signature that cannot be made.
    #[error(transparent)]
    Sign(#[from] sign::Fault),
}

impl Fault {
    pub(super) fn write(path: &Path, what: &'static str, error: &io::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "Free some space and try again; nothing half-written was left"
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                "Give this user the right to write there, or choose another folder with --data"
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "A file stands in the way: choose another folder with --data"
            }
            _ => "Check the disk, or choose another folder with --data",
        };
        Self::Write { path: path.to_owned(), what, why: error.to_string(), advice }
    }

    pub(super) fn read(path: &Path, error: &io::Error) -> Self {
        Self::Read { path: path.to_owned(), why: error.to_string() }
    }
}
