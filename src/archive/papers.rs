//! Making packages: of a run that ended, of papers that come later, of what is issued.

use super::keys::seal;
use super::rows::{self, KEPT, MANIFEST, MANIFEST_JWS, MANIFEST_P7S};
use super::{
    About, Archive, Fault, PACKAGES, PAPERS, Photograph, Stored, UNFINISHED, check, clock, disk, sha256,
    standing,
};
use crate::certificate::chain::{Entry, Kind, NONE_BEFORE};
use crate::certificate::issue::{Issue, Link, Status};
use crate::certificate::package::{self, RECORD};
use crate::certificate::record::{Outcome, Record};
use crate::certificate::report;
use crate::certificate::sign::{Signer, cms};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What a package is made of.
pub(super) struct Making<'a> {
    /// The folder of packages it goes into.
    pub folder: &'static str,
    /// The entry it is the manifest of.
    pub kind: Kind,
    pub about: About,
    pub record: &'a Record,
    /// The bytes of the original record.
    pub json: Vec<u8>,
    /// What the paper says; its place in the chain and its seal are filled in here.
    pub issue: Issue,
    /// Those that the record names, as far as they are at hand.
    pub photographs: &'a [Photograph],
}

/// The bytes of a record's file.
pub fn record_bytes(record: &Record) -> Result<Vec<u8>, Fault> {
    Ok((record.to_json()? + "\n").into_bytes())
}

/// Refuses photographs that the record does not name, and a record whose photographs are others or not there.
pub(super) fn depicted(record: &Record, photographs: &[Photograph]) -> Result<(), Fault> {
    let refuse = |what: String| Fault::State { number: record.record_no.clone(), what };
    for seal in record.photographed() {
        let name = seal.photograph.as_deref().unwrap_or_default();
        let found = photographs.iter().find(|(own, _)| own == name);
        if found.map(|(_, bytes)| sha256(bytes)) != seal.photograph_sha256 {
            return Err(refuse(format!("the photograph {name} is not the one that the record names")));
        }
    }
    let named = |name: &str| record.photographed().any(|seal| seal.photograph.as_deref() == Some(name));
    match photographs.iter().find(|(name, _)| !named(name)) {
        Some((name, _)) => Err(refuse(format!("the record names no photograph {name}"))),
        None => Ok(()),
    }
}

/// Of these photographs those that the record names, byte for byte.
pub(super) fn own(photographs: &[Photograph], record: &Record) -> Vec<Photograph> {
    let is_own = |(name, bytes): &&Photograph| {
        let print = Some(sha256(bytes));
        record
            .photographed()
            .any(|seal| seal.photograph.as_ref() == Some(name) && seal.photograph_sha256 == print)
    };
    photographs.iter().filter(is_own).cloned().collect()
}

/// The photographs of a record from its package, as far as they are there.
pub(super) fn photographs(folder: &Path, record: &Record) -> Result<Vec<Photograph>, Fault> {
    let mut found = vec![];
    for seal in record.photographed() {
        let name = seal.photograph.clone().unwrap_or_default();
        // The name is the program's own, and no path.
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let bytes = if is_plain { disk::read_if_there(&folder.join(&name))? } else { None };
        found.extend(bytes.filter(|bytes| Some(sha256(bytes)) == seal.photograph_sha256).map(|b| (name, b)));
    }
    Ok(found)
}

/// The same of a record that was kept in a file elsewhere: those that lie beside it.
pub fn photographs_beside(file: &Path, record: &Record) -> Result<Vec<Photograph>, Fault> {
    photographs(file.parent().unwrap_or(Path::new("")), record)
}

/// A photograph that a record names and that is not among these.
fn missing(record: &Record, photographs: &[Photograph]) -> Option<String> {
    let named = record.photographed().filter_map(|seal| seal.photograph.clone());
    named.into_iter().find(|named| !photographs.iter().any(|(name, _)| name == named))
}

/// SHA-256 of each file by its name.
pub(super) fn prints(files: &[(String, Vec<u8>)]) -> BTreeMap<String, String> {
    files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect()
}

/// How a run without verdict ended, and why, for the chain.
pub(super) fn ended(record: &Record) -> (&'static str, String) {
    match &record.outcome {
        Outcome::Aborted { why } => ("aborted", why.clone()),
        Outcome::Faulted { why } => ("faulted", why.clone()),
        // The chain has one kind of entry for every run that certifies nothing.
        Outcome::Completed if record.plan.pre_check => {
            ("pre_check", "a pre-check certifies nothing".to_owned())
        }
        Outcome::Completed => ("aborted", "completed without a verdict".to_owned()),
    }
}

impl Archive {
    /// A draft of this record: nobody has signed, and its place in the chain is not known yet.
    pub(super) fn draft(&self, certificate_no: &str) -> Result<Issue, Fault> {
        Ok(Issue {
            laboratory: self.laboratory()?,
            status: Status::Draft,
            certificate_no: certificate_no.to_owned(),
            signatures: vec![],
            issued_at: None,
            amends: None,
            link: Link { device: String::new(), seq: 0, prev: String::new() },
            seal: None,
        })
    }

    /// A completed run: its package, its verdict in the chain, its row in the register.
    pub(super) fn store_completed(
        &mut self,
        record: &Record,
        photographs: &[Photograph],
    ) -> Result<Stored, Fault> {
        let json = record_bytes(record)?;
        let print = sha256(&json);
        let making = |issue: Issue| Making {
            folder: PACKAGES,
            kind: Kind::Verdict,
            about: About::run(record),
            record,
            json,
            issue,
            photographs,
        };
        let number = record.certificate_no.as_deref().unwrap_or_default();
        let stored = self.draft(number).and_then(|issue| self.make(making(issue)));
        match stored {
            Ok(stored) => Ok(stored),
            Err(fault @ Fault::NotRegistered { .. }) => Err(fault),
            Err(fault) => {
                // The disk is full, or what belongs to the papers is not in order. That the run was completed, and with
                // which record, still goes into the chain, if anything does.
                self.chain.give_back();
                let mut about = About::run(record).say(KEPT, "outside the data folder");
                about.files.insert(RECORD.to_owned(), print);
                match self.write(Kind::Verdict, about.clone()) {
                    Ok(_) => Err(Fault::NotStored { why: fault.to_string() }),
                    Err(_) => Err(self.not_written(about, fault)),
                }
            }
        }
    }

    /// Nothing can be written at all: the verdict is signed all the same, to be kept beside the record.
    fn not_written(&self, about: About, fault: Fault) -> Fault {
        let at = clock::now();
        let Ok(key) = self.signer(about.takes_demo(), at) else { return fault };
        match self.entry(Kind::Verdict, about, Some(key), at).line(Some(key)) {
            Ok(verdict) => Fault::NotWritten { why: fault.to_string(), verdict },
            Err(_) => fault,
        }
    }

    /// A run without verdict: its record and an account of it.
    pub(super) fn store_unfinished(
        &mut self,
        record: &Record,
        photographs: &[Photograph],
    ) -> Result<Stored, Fault> {
        let number = &record.record_no;
        let mut files = vec![
            (RECORD.to_owned(), record_bytes(record)?),
            (format!("{number}_report.txt"), report::text(record).into_bytes()),
        ];
        files.extend(photographs.iter().cloned());
        let (ended, reason) = ended(record);
        let mut about = About::run(record).say("ended", ended).say("reason", reason);
        about.cert = self.chain.state.run.as_ref().map(|run| run.certificate_no.clone());
        about.files = prints(&files);
        let package = match disk::store_folder(&self.dir.join(UNFINISHED), number, &files) {
            Ok(package) => package,
            Err(fault) => {
                self.chain.give_back();
                // Best effort: otherwise the run is aborted when the data folder is opened the next time.
                let _ = self.write(Kind::Aborted, about.say(KEPT, "outside the data folder"));
                return Err(fault);
            }
        };
        self.write(Kind::Aborted, about)?;
        let files = files.iter().map(|(name, _)| package.join(name)).collect();
        Ok(Stored { record: package.join(RECORD), package, files, notices: vec![] })
    }

    /// Makes a package, appends its manifest to the chain and its row to the register. Without a key that may seal, the
    /// sealed papers are left out and a notice says what to do.
    pub(super) fn make(&mut self, making: Making) -> Result<Stored, Fault> {
        let Making { folder, kind, mut about, record, json, mut issue, photographs } = making;
        let at = clock::now();
        self.mind_clock(at)?;
        let mut notices = vec![];
        let key = match self.signer(record.simulated, at) {
            Ok(key) => Some(key),
            Err(why) => {
                let later = format!("`phantomload certificate papers {}`", issue.certificate_no);
                notices.push(format!("nothing is sealed: {why}. Then the papers are made by {later}"));
                None
            }
        };
        notices.extend(self.keys.warning(at));
        let signer = key.map(|key| key as &dyn Signer);
        let state = &self.chain.state;
        let prev = if state.seq == 0 { NONE_BEFORE.to_owned() } else { state.head.clone() };
        issue.link = Link { device: self.device.clone(), seq: state.seq + 1, prev };
        issue.seal = key.map(seal).transpose()?;
        let json = Arc::new(json);
        let mut files = match package::files(record, &json, &issue, signer, at) {
            Err(fault) if kind == Kind::Verdict => {
                notices.push(format!(
                    "the papers could not be made: {fault}. The record is kept; `phantomload certificate papers {}` tries again",
                    issue.certificate_no
                ));
                issue.seal = None;
                package::kept(record, &issue)?
            }
            made => made?,
        };
        files.push((RECORD.to_owned(), Arc::unwrap_or_clone(json)));
        if photographs.len() < record.photographed().count() {
            notices.push(
                "not all photographs that the record names are at hand: they are not in the package".into(),
            );
        }
        files.extend(photographs.iter().cloned());
        files.sort();
        about.cert = Some(issue.certificate_no.clone());
        about.files = prints(&files);
        let entry = self.entry(kind, about, signer, at);
        let (manifest, line) = (entry.to_json(), entry.line(signer)?);
        if let Some(signer) = signer {
            files.push((MANIFEST_P7S.to_owned(), cms::sign(signer, &manifest, at.timestamp())?));
        }
        files.push((MANIFEST.to_owned(), manifest));
        files.push((MANIFEST_JWS.to_owned(), line.clone().into_bytes()));
        let package = disk::store_folder(&self.dir.join(folder), &issue.certificate_no, &files)?;
        // They are on the disk now, and tens of megabytes.
        let files = files.into_iter().map(|(name, _)| package.join(name)).collect();
        let not_registered =
            |fault: Fault| Fault::NotRegistered { package: package.clone(), why: fault.to_string() };
        let sha256 = self.chain.append(&entry, &line).map_err(not_registered)?;
        self.add_rows(&entry, &sha256, Some(record)).map_err(not_registered)?;
        Ok(Stored { record: package.join(RECORD), package, files, notices })
    }

    /// Makes the papers of a completed run that have none, once a key is there that may seal, or once there is room: by
    /// the number of the paper.
    pub fn make_papers(&mut self, number: &str) -> Result<Stored, Fault> {
        let paper = standing(&self.dir, number)?;
        let folder = paper.package.clone().ok_or_else(|| Fault::State {
            number: number.to_owned(),
            what: "its record is not in this data folder; give the file in which it was kept".into(),
        })?;
        paper.check_files()?;
        let json = disk::read(&folder.join(RECORD))?;
        let record = rows::record(&folder)?;
        let photographs = photographs(&folder, &record)?;
        self.make_papers_of(&paper, &record, json, &photographs)
    }

    /// The same from a record that was kept elsewhere, because the data folder failed at the end of its run. Its SHA-256
    /// must be the one in the chain. A run that is still open there has no such: its record is not believed. See
    /// [`Archive::open_with`].
    pub fn bring_in(&mut self, record: &Record, json: &[u8]) -> Result<Stored, Fault> {
        self.bring_in_with(record, json, &[])
    }

    /// The same with the photographs that the record names, as far as they are at hand.
    pub fn bring_in_with(
        &mut self,
        record: &Record,
        json: &[u8],
        photographs: &[Photograph],
    ) -> Result<Stored, Fault> {
        if self.chain.state.run.as_ref().is_some_and(|run| run.record_no == record.record_no) {
            let what = "the run has not ended in the chain, which does not know the SHA-256 of its record; no paper follows from a record alone".to_owned();
            return Err(Fault::State { number: record.record_no.clone(), what });
        }
        let Some(number) = &record.certificate_no else {
            let what = "the run was not completed; it has no papers".to_owned();
            return Err(Fault::State { number: record.record_no.clone(), what });
        };
        let mut photographs = own(photographs, record);
        photographs.sort();
        photographs.dedup();
        self.make_papers_of(&standing(&self.dir, number)?, record, json.to_vec(), &photographs)
    }

    fn make_papers_of(
        &mut self,
        paper: &standing::PaperStanding,
        record: &Record,
        json: Vec<u8>,
        photographs: &[Photograph],
    ) -> Result<Stored, Fault> {
        let state = |what: &str| Fault::State { number: paper.certificate_no.clone(), what: what.to_owned() };
        if paper.is_sealed {
            return Err(state("its papers are made already"));
        }
        let Some(known) = &paper.record_sha256 else {
            return Err(state(
                "the chain knows no completed run of this number; no paper follows from a record alone",
            ));
        };
        if sha256(&json) != *known {
            return Err(state("this is not the record whose SHA-256 stands in the chain: it was altered"));
        }
        if self.chain.state.doubtful.contains(&paper.certificate_no) {
            return Err(state(
                "its verdict is not signed in the chain, although the key in use then was good: nobody can know that the program wrote it, and no paper follows",
            ));
        }
        check(record)?;
        if let Some(name) = missing(record, photographs) {
            return Err(state(&format!(
                "the photograph {name}, which its record names, is not at hand, and its papers would never be whole: put it beside the record's file"
            )));
        }
        let run = (Some(&paper.certificate_no), &paper.record_no);
        if (record.certificate_no.as_ref(), &record.record_no) != run {
            return Err(state("the record is of another run"));
        }
        self.note_laboratory()?;
        self.signer(record.simulated, clock::now()).map_err(|what| Fault::Key { what })?;
        let issue = self.draft(&paper.certificate_no)?;
        let about = About::run(record);
        self.make(Making { folder: PAPERS, kind: Kind::Papers, about, record, json, issue, photographs })
    }
}

/// Whether the files of a package are those of its manifest: names what was altered, is missing or was added.
pub(super) fn altered(folder: &Path, manifest: &Entry) -> Result<Vec<String>, Fault> {
    let mut altered = vec![];
    let mut there = disk::names(folder)?;
    there.retain(|name| ![MANIFEST, MANIFEST_JWS, MANIFEST_P7S].contains(&name.as_str()));
    for (name, print) in &manifest.files {
        match disk::read_if_there(&folder.join(name))? {
            None => altered.push(format!("{name} is missing")),
            Some(bytes) if sha256(&bytes) != *print => altered.push(format!("{name} was altered")),
            Some(_) => {}
        }
    }
    there.retain(|name| !manifest.files.contains_key(name));
    altered.extend(there.into_iter().map(|name| format!("{name} was added")));
    Ok(altered)
}
