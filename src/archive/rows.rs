//! Which rows of the register follow from an entry of the chain, and their bytes from the package that it names.

use super::{Fault, ISSUED, PACKAGES, PAPERS, disk, sha256};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::csv::{self, Standing};
use crate::certificate::issue::{Role, Signature, Status};
use crate::certificate::package;
use crate::certificate::record::Record;
use crate::time::Stamp;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The manifest's name in a package.
pub(super) const MANIFEST: &str = "manifest.json";
/// Its signature as JWS: the line in the chain.
pub(super) const MANIFEST_JWS: &str = "manifest.jws";
/// Its signature as CMS.
pub(super) const MANIFEST_P7S: &str = "manifest.json.p7s";
/// An entry says so where its package could not be stored.
pub(super) const KEPT: &str = "kept";

/// An entry says so which paper it replaces.
pub(super) const REPLACES: &str = "replaces";

/// A row that an entry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// The paper.
    pub certificate_no: String,
    /// Its state from here on.
    pub status: Status,
    /// SHA-256 of the manifest of its package.
    pub manifest_sha256: String,
    /// Who has signed so far, where the package does not say it yet.
    signed: Vec<Signature>,
}

impl Due {
    /// What the register knows it by.
    pub fn key(&self) -> u64 {
        super::register::row_key(&self.certificate_no, &self.status.to_string(), &self.manifest_sha256)
    }
}

/// The rows that an entry of this hash asks for.
pub(super) fn due(entry: &Entry, sha256: &str) -> Vec<Due> {
    let said = |key: &str| entry.said.get(key).cloned().unwrap_or_default();
    let row = |certificate_no: Option<String>, status: Status, manifest_sha256: String| Due {
        certificate_no: certificate_no.unwrap_or_default(),
        status,
        manifest_sha256,
        signed: vec![],
    };
    let (cert, own) = (entry.cert.clone(), sha256.to_owned());
    match entry.kind {
        Kind::Verdict if entry.said.contains_key(KEPT) => vec![],
        Kind::Verdict | Kind::Papers => vec![row(cert, Status::Draft, own)],
        Kind::Issue => vec![row(cert, Status::Issued, own)],
        Kind::Amend => vec![
            row(Some(said(REPLACES)), Status::Amended, said("replaced_manifest")),
            row(cert, Status::Issued, own),
        ],
        Kind::Withdraw => vec![row(cert, Status::Withdrawn, said("manifest"))],
        Kind::Approval if cert.is_some() && said("role") == Role::Checker.to_string() => {
            let at: Stamp = entry.time.parse().unwrap_or_else(|_| super::clock::now());
            let signed = [(Role::Verifier, said("verifier")), (Role::Checker, said("person"))];
            let signed = signed.map(|(role, person)| Signature { role, person, at, seq: entry.seq }).into();
            vec![Due { signed, ..row(cert, Status::Checked, said("manifest")) }]
        }
        _ => vec![],
    }
}

/// The folder of the package with this manifest.
pub(super) fn package(dir: &Path, certificate_no: &str, manifest_sha256: &str) -> Option<PathBuf> {
    let folders = [ISSUED, PAPERS, PACKAGES].map(|folder| dir.join(folder).join(certificate_no));
    folders.into_iter().find(|folder| {
        disk::read(&folder.join(MANIFEST)).is_ok_and(|bytes| sha256(&bytes) == manifest_sha256)
    })
}

/// The bytes of a row. `made` is the record of the package with this manifest, where it is at hand: it is large to be read again.
pub(super) fn row(dir: &Path, due: &Due, seq: u64, made: Option<(&str, &Record)>) -> Result<Vec<u8>, Fault> {
    let Due { certificate_no, status, manifest_sha256, signed } = due;
    let folder = package(dir, certificate_no, manifest_sha256).ok_or_else(|| Fault::State {
        number: certificate_no.clone(),
        what: format!("the package with the manifest {manifest_sha256} is gone; take it from a backup"),
    })?;
    let manifest = Entry::from_json(&disk::read(&folder.join(MANIFEST))?)
        .map_err(|e| Fault::File { path: folder.join(MANIFEST), what: e.to_string() })?;
    let record = match made {
        Some((of, record)) if of == manifest_sha256 => Cow::Borrowed(record),
        _ => Cow::Owned(record(&folder)?),
    };
    let mut issue = package::read_issue(&disk::read(&folder.join(package::ISSUE))?)?;
    issue.signatures.extend(signed.iter().cloned());
    let standing = Standing { status: *status, issue: &issue, manifest: &manifest, manifest_sha256 };
    Ok(csv::register_row(&record, seq, &standing)?)
}

/// The record in a package.
pub(super) fn record(folder: &Path) -> Result<Record, Fault> {
    let path = folder.join(package::RECORD);
    let json = disk::read(&path)?;
    Ok(Record::from_json(&path.display().to_string(), &String::from_utf8_lossy(&json))?)
}
