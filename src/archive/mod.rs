//! The data folder: packages of completed runs, records of the others, the register. Append-only.
//!
//! ```text
//! packages/<certificate_no>/   record.json, <certificate_no>_results.csv, <certificate_no>_report.txt
//! unfinished/<record_no>/      record.json, <record_no>_report.txt
//! register.csv                 one row a certificate
//! lock                         held by the one instance that writes
//! ```
//!
//! A package is made under a temporary name, forced to the disk and renamed, so that half a package never has a
//! number; then the register gets its row in one write. If the power fails between the two, the next
//! [`Archive::open`] adds the row from the package. Nothing that was once stored is changed or deleted.

mod disk;
mod fault;
mod register;

pub use fault::Fault;
pub use register::{RegisterRow, list, table};

use crate::certificate::csv::{self, Fingerprints};
use crate::certificate::number::Number;
use crate::certificate::record::{Outcome, Record};
use crate::certificate::report;
use register::Register;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

const PACKAGES: &str = "packages";
const UNFINISHED: &str = "unfinished";
const RECORD: &str = "record.json";

/// The next free numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Of the original record; every run that is stored has one.
    pub record_no: String,
    /// Of the paper; for a completed run only.
    pub certificate_no: String,
    /// Of the next row in the register.
    pub seq: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: PathBuf,
    /// The folder it stands in.
    pub package: PathBuf,
    /// All files of the folder.
    pub files: Vec<PathBuf>,
}

/// A data folder that nobody else writes.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    notices: Vec<String>,
    /// Held as long as this lives; the system lets go of it also after a crash.
    _lock: File,
}

impl Archive {
    /// Opens a data folder for writing, makes it where there is none, and clears up after a crash; see
    /// [`Archive::notices`].
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        for folder in [dir.to_owned(), dir.join(PACKAGES), dir.join(UNFINISHED)] {
            fs::create_dir_all(&folder).map_err(|e| Fault::write(&folder, "the data folder", &e))?;
        }
        let path = dir.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(|e| Fault::write(&path, "the lock", &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Fault::Locked { path }),
            Err(TryLockError::Error(e)) => return Err(Fault::write(&path, "the lock", &e)),
        }
        let mut archive = Self { dir: dir.to_owned(), notices: vec![], _lock: lock };
        for folder in [archive.dir.clone(), archive.dir.join(PACKAGES), archive.dir.join(UNFINISHED)] {
            archive.notices.extend(disk::remove_leftovers(&folder)?);
        }
        archive.notices.extend(register::mend(&archive.register_path())?);
        archive.register_packages()?;
        Ok(archive)
    }

    /// What [`Archive::open`] found and set right, in words.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The next free numbers. A number is used once it is stored, and then never again.
    pub fn next_numbers(&self, simulated: bool, year: i16) -> Result<Numbers, Fault> {
        let register = Register::read(&self.register_path())?;
        let used = self.used(&register)?;
        let next = |original_record: bool| {
            let same = |n: &&Number| {
                n.simulated == simulated && n.original_record == original_record && n.year == year
            };
            let seq = used.iter().filter(same).map(|n| n.seq).max().unwrap_or(0);
            Number { simulated, original_record, year, seq: seq.saturating_add(1) }.to_string()
        };
        Ok(Numbers { record_no: next(true), certificate_no: next(false), seq: register.next_seq() })
    }

    /// Stores the record of an ended run with its papers, all or nothing.
    pub fn store(&mut self, record: &Record) -> Result<Stored, Fault> {
        let number = check(record)?;
        let register = Register::read(&self.register_path())?;
        let used = self.used(&register)?;
        for text in std::iter::once(&record.record_no).chain(&record.certificate_no) {
            if text.parse().is_ok_and(|number| used.contains(&number)) {
                return Err(Fault::NumberUsed { number: text.clone(), dir: self.dir.clone() });
            }
        }
        let json = record.to_json()? + "\n";
        let text = report::text(record);
        let mut files = vec![(RECORD.to_owned(), json.into_bytes())];
        let mut row = None;
        if record.certificate_no.is_some() {
            let results = csv::results_csv(record)?;
            let prints = Fingerprints {
                record_json: sha256(&files[0].1),
                results_csv: sha256(&results),
                report_txt: sha256(text.as_bytes()),
            };
            row = Some(csv::register_row(record, register.next_seq(), &prints)?);
            files.push((format!("{number}_results.csv"), results));
        }
        files.push((format!("{number}_report.txt"), text.into_bytes()));
        let folder = self.dir.join(if row.is_some() { PACKAGES } else { UNFINISHED });
        let package = disk::store_folder(&folder, &number.to_string(), &files)?;
        if let Some(row) = row {
            register
                .append(&row)
                .map_err(|fault| Fault::NotRegistered { package: package.clone(), why: fault.to_string() })?;
        }
        let files = files.iter().map(|(name, _)| package.join(name)).collect();
        Ok(Stored { record: package.join(RECORD), package, files })
    }

    fn register_path(&self) -> PathBuf {
        self.dir.join("register.csv")
    }

    /// Every number that stands in the register, names a folder, or stands in a package that is not registered.
    fn used(&self, register: &Register) -> Result<Vec<Number>, Fault> {
        let mut used = register.numbers();
        for name in disk::names(&self.dir.join(UNFINISHED))? {
            used.extend(name.parse::<Number>());
        }
        for name in disk::names(&self.dir.join(PACKAGES))? {
            let Ok(number) = name.parse::<Number>() else { continue };
            if !used.contains(&number) {
                used.push(number);
                let peeked = peek(&self.dir.join(PACKAGES).join(&name).join(RECORD));
                used.extend(peeked.and_then(|record_no| record_no.parse::<Number>().ok()));
            }
        }
        Ok(used)
    }

    /// Adds the rows of packages that were stored when the power failed before their row was.
    fn register_packages(&mut self) -> Result<(), Fault> {
        let known = Register::read(&self.register_path())?.numbers();
        for name in disk::names(&self.dir.join(PACKAGES))? {
            let Ok(number) = name.parse::<Number>() else { continue };
            if known.contains(&number) {
                continue;
            }
            let package = self.dir.join(PACKAGES).join(&name);
            self.notices.push(match self.register_package(&package, &name) {
                Ok(()) => format!("{}: had no row in the register; it was added", package.display()),
                Err(fault) => format!(
                    "{}: has no row in the register, and none can be made: {fault}",
                    package.display()
                ),
            });
        }
        Ok(())
    }

    fn register_package(&self, package: &Path, name: &str) -> Result<(), Fault> {
        let json = disk::read(&package.join(RECORD))?;
        let origin = package.join(RECORD).display().to_string();
        let record = Record::from_json(&origin, &String::from_utf8_lossy(&json))?;
        if record.certificate_no.as_deref() != Some(name) {
            let seen = record.certificate_no.unwrap_or_default();
            return Err(Fault::Number { seen, why: format!("the folder is named {name}") });
        }
        check(&record)?;
        let prints = Fingerprints {
            record_json: sha256(&json),
            results_csv: sha256(&disk::read(&package.join(format!("{name}_results.csv")))?),
            report_txt: sha256(&disk::read(&package.join(format!("{name}_report.txt")))?),
        };
        let register = Register::read(&self.register_path())?;
        register.append(&csv::register_row(&record, register.next_seq(), &prints)?)
    }
}

/// The record of a number, or of a path to a record or its folder.
pub fn find(dir: &Path, number_or_path: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(number_or_path);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if path.join(RECORD).is_file() {
        return Ok(path.join(RECORD));
    }
    if number_or_path.parse::<Number>().is_ok() {
        let rows = list(dir).unwrap_or_default();
        let certificate = rows.iter().find(|row| row.get("record_no") == number_or_path);
        let certificate = certificate.map_or(number_or_path, |row| row.get("certificate_no"));
        let places = [dir.join(PACKAGES).join(certificate), dir.join(UNFINISHED).join(number_or_path)];
        if let Some(found) = places.into_iter().map(|folder| folder.join(RECORD)).find(|path| path.is_file())
        {
            return Ok(found);
        }
    }
    Err(Fault::NotFound { wanted: number_or_path.to_owned(), dir: dir.to_owned() })
}

/// Whether the numbers of a record fit it; gives the one that names its folder.
fn check(record: &Record) -> Result<Number, Fault> {
    let simulated = record.simulated || record.plan.standards.is_simulated();
    let fits = |text: &str, original_record: bool| -> Result<Number, Fault> {
        let why = |why: String| Fault::Number { seen: text.to_owned(), why };
        let number: Number =
            text.parse().map_err(|e: crate::certificate::number::NoNumber| why(e.to_string()))?;
        if number.original_record != original_record {
            return Err(why("records have an R in their number, papers have none".into()));
        }
        if number.simulated != simulated {
            return Err(why(format!("the run is {}simulated", if simulated { "" } else { "not " })));
        }
        Ok(number)
    };
    if simulated && !record.simulated {
        return Err(Fault::Number {
            seen: record.record_no.clone(),
            why: "its standards are simulated, and the record does not say SIMULATED".into(),
        });
    }
    let record_no = fits(&record.record_no, true)?;
    let completed = record.outcome == Outcome::Completed && record.results.verdict.is_some();
    match &record.certificate_no {
        Some(certificate_no) if completed => fits(certificate_no, false),
        None if !completed => Ok(record_no),
        Some(certificate_no) => Err(Fault::Number {
            seen: certificate_no.clone(),
            why: "the run was not completed; only a completed run has a certificate".into(),
        }),
        None => Err(Fault::Number {
            seen: record.record_no.clone(),
            why: "the run was completed and has no certificate number".into(),
        }),
    }
}

/// The record number in a record, without reading the rest of it.
fn peek(path: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        record_no: String,
    }
    let named: Named = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(named.record_no)
}

/// SHA-256 in lower-case hexadecimal, as `sha256sum` prints it.
fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
