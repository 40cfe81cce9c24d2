//! How a paper stands: what the chain says of it, and where its package is.

use super::known::{self, Wanted};
use super::profiles::Answers;
use super::rows::{self, KEPT, MANIFEST};
use super::{Fault, ISSUED, PACKAGES, PAPERS, disk, papers};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::{Issue, Role, Signature, Status};
use crate::certificate::number::Number;
use crate::certificate::package::{self, RECORD};
use crate::certificate::sign;
use crate::regulation::Approval;
use std::path::{Path, PathBuf};

/// A paper as the chain knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperStanding {
    /// Its number.
    pub certificate_no: String,
    /// The original record's number.
    pub record_no: String,
    /// How far it has come.
    pub status: Status,
    /// The folder of its package; none where it is not in the data folder.
    pub package: Option<PathBuf>,
    /// SHA-256 of the manifest of that package.
    pub manifest_sha256: String,
    /// SHA-256 of the original record; none where no completed run is known.
    pub record_sha256: Option<String>,
    /// Whether its papers were sealed with a key.
    pub is_sealed: bool,
    /// Who has signed it, in order.
    pub signatures: Vec<Signature>,
    /// The paper that replaces it, and why.
    pub replaced_by: Option<(String, String)>,
    /// Why it was taken back.
    pub withdrawn: Option<String>,
    /// Whose chain it is.
    pub device: String,
    /// The entries that tell of it: number, kind, time.
    pub entries: Vec<(u64, Kind, String)>,
}

impl PaperStanding {
    /// What of its package is not as its manifest says, in words; none where all is in order.
    pub fn altered(&self) -> Option<String> {
        self.check_files().err().map(|fault| fault.to_string())
    }

    /// Refuses a package that is not there or not as its manifest says.
    pub(super) fn check_files(&self) -> Result<Entry, Fault> {
        let fault = |what: String| Fault::State { number: self.certificate_no.clone(), what };
        let folder = self.package.as_ref().ok_or_else(|| {
            fault("its package is gone, or its manifest was altered; take it from a backup".into())
        })?;
        let manifest = Entry::from_json(&disk::read(&folder.join(MANIFEST))?)
            .map_err(|e| Fault::File { path: folder.join(MANIFEST), what: e.to_string() })?;
        let altered = papers::altered(folder, &manifest)?;
        if altered.is_empty() {
            return Ok(manifest);
        }
        let what = format!("the package was altered: {}. Take it from a backup", altered.join("; "));
        Err(fault(what))
    }
}

/// How a paper of a data folder stands.
pub fn standing(dir: &Path, number: &str) -> Result<PaperStanding, Fault> {
    let mut paper = PaperStanding::new(number);
    known::tell(dir, &Wanted::Number(number), |entry, sha256| paper.take(entry, sha256))?;
    if paper.entries.is_empty() {
        return Err(Fault::NotFound { wanted: number.to_owned(), dir: dir.to_owned() });
    }
    paper.package = rows::package(dir, number, &paper.manifest_sha256);
    Ok(paper)
}

impl PaperStanding {
    /// Of a paper of which no entry was seen yet.
    pub(super) fn new(number: &str) -> Self {
        Self {
            certificate_no: number.to_owned(),
            record_no: String::new(),
            status: Status::Draft,
            package: None,
            manifest_sha256: String::new(),
            record_sha256: None,
            is_sealed: false,
            signatures: vec![],
            replaced_by: None,
            withdrawn: None,
            device: String::new(),
            entries: vec![],
        }
    }

    /// Takes the next entry of the chain, of this hash; those of other papers are passed over.
    pub(super) fn take(&mut self, entry: &Entry, sha256: &str) {
        let said = |key: &str| entry.said.get(key).cloned().unwrap_or_default();
        let is_own = entry.cert.as_ref() == Some(&self.certificate_no);
        let is_replaced = entry.kind == Kind::Amend && said("replaces") == self.certificate_no;
        if !is_own && !is_replaced {
            return;
        }
        self.entries.push((entry.seq, entry.kind, entry.time.clone()));
        self.device.clone_from(&entry.device);
        if is_replaced {
            self.status = Status::Amended;
            self.replaced_by = Some((entry.cert.clone().unwrap_or_default(), said("reason")));
            return;
        }
        self.record_no = entry.record.clone().unwrap_or_else(|| std::mem::take(&mut self.record_no));
        match entry.kind {
            Kind::Verdict | Kind::Papers | Kind::Issue | Kind::Amend => {
                if matches!(entry.kind, Kind::Verdict | Kind::Papers) {
                    // Another draft: nobody has signed it yet.
                    self.signatures.clear();
                }
                sha256.clone_into(&mut self.manifest_sha256);
                self.record_sha256 = entry.files.get(RECORD).cloned();
                // Where no paper could be made the manifest is signed all the same, over the record and what lies beside it.
                self.is_sealed = entry.alg != sign::NONE
                    && !entry.said.contains_key(KEPT)
                    && entry.files.contains_key(package::PDF);
                if matches!(entry.kind, Kind::Issue | Kind::Amend) {
                    self.status = Status::Issued;
                }
            }
            Kind::Approval if said("manifest") == self.manifest_sha256 => {
                let role = Role::ALL.into_iter().find(|role| role.to_string() == said("role"));
                // In their order, three different persons: whatever else stands there is no signature.
                let is_next = role.is_some() && role == Role::ALL.get(self.signatures.len()).copied();
                let is_new = !self.signatures.iter().any(|signed| signed.person == said("person"));
                if let (Some(role), Ok(at), true) = (role, entry.time.parse(), is_next && is_new) {
                    self.signatures.push(Signature { role, person: said("person"), at, seq: entry.seq });
                    if role == Role::Checker {
                        self.status = Status::Checked;
                    }
                }
            }
            Kind::Withdraw => {
                self.status = Status::Withdrawn;
                self.withdrawn = Some(said("reason"));
            }
            _ => {}
        }
    }
}

/// Who answers for a regulation profile, by the SHA-256 of its text. An answer sealed with a DEMO key holds on the
/// simulated bench alone.
pub fn profile_approval(
    dir: &Path,
    profile_sha256: &str,
    simulated: bool,
) -> Result<Option<Approval>, Fault> {
    let state = known::state(dir)?;
    Ok(state.profiles.get(profile_sha256).and_then(|answers| answers.approval(simulated)).cloned())
}

/// As what somebody signs next for the unconfirmed figures of a regulation profile of this text; none: all three have signed.
pub fn profile_next(dir: &Path, profile_sha256: &str) -> Result<Option<Role>, Fault> {
    let state = known::state(dir)?;
    Ok(state.profiles.get(profile_sha256).map_or(Some(Role::Verifier), Answers::next))
}

/// The folder in which a paper's last package stands: issued, else its draft.
pub fn package_folder(dir: &Path, number: &str) -> Result<PathBuf, Fault> {
    let places = [ISSUED, PAPERS, PACKAGES].map(|folder| dir.join(folder).join(number));
    let found = places.into_iter().find(|folder| number.parse::<Number>().is_ok() && folder.is_dir());
    found.ok_or_else(|| Fault::NotFound { wanted: number.to_owned(), dir: dir.to_owned() })
}

/// What a paper says besides its record; none where its package is not at hand or not as it should be.
pub fn issue_of(paper: &PaperStanding) -> Option<Issue> {
    paper.check_files().ok()?;
    package::read_issue(&disk::read(&paper.package.as_ref()?.join(package::ISSUE)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sample;

    #[test]
    fn a_photograph_beside_a_record_is_no_paper() {
        let mut entry = sample::manifest(&sample::completed(0.3));
        (entry.kind, entry.alg) = (Kind::Verdict, sign::ES256.to_owned());
        let sealed = |entry: &Entry| {
            let mut paper = PaperStanding::new(entry.cert.as_deref().unwrap());
            paper.take(entry, "00");
            paper.is_sealed
        };
        let names = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "00".to_owned())).collect();
        entry.files = names(&[RECORD, package::ISSUE, "photograph-before-1.png", "photograph-after-1.png"]);
        assert!(!sealed(&entry));
        entry.files = names(&[RECORD, package::ISSUE, package::PDF, package::DCC]);
        assert!(sealed(&entry));
        entry.said.insert(KEPT.into(), "outside the data folder".into());
        assert!(!sealed(&entry));
    }
}
