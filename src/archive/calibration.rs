//! `calibration/`: certificates of the standards that were taken in at the desk; each is named by an entry of the chain, with who
//! answered for it and the fingerprint of its file. What was laid there by hand the chain does not know.

use super::persons::For;
use super::{About, Archive, Fault, chain, clock, disk, sha256};
use crate::calibration::Standard;
use crate::certificate::chain::{Entry, Kind};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The folder.
pub const CALIBRATION: &str = "calibration";
/// In an entry: the file.
const FILE: &str = "calibration_file";
/// In an entry: its SHA-256.
const SHA256: &str = "calibration_sha256";
/// A file of this name is no path.
const NAME_MAX: usize = 100;

/// Who took a certificate in, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Who answered for it; none where there was no approver yet.
    pub by: Option<String>,
    /// When.
    pub time: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

impl Archive {
    /// Takes a standard's certificate in under this file name, with an entry in the chain. Once there was an approver, one
    /// answers for it: `by` is the name with the PIN.
    pub fn import_calibration(
        &mut self,
        name: &str,
        standard: &Standard,
        text: &str,
        by: Option<(&str, &str)>,
    ) -> Result<Entry, Fault> {
        let refuse = |what: &str| Fault::State { number: name.to_owned(), what: what.to_owned() };
        let plain = !name.starts_with('.') && !name.contains(['/', '\\']) && name.len() <= NAME_MAX;
        if !plain || name.chars().any(char::is_control) {
            return Err(refuse("a file name has 1 to 100 characters and no path; give it another name"));
        }
        if !self.chain.state.key_id.is_empty() {
            self.signer(true, clock::now()).map_err(|what| Fault::Key { what })?;
        }
        let folder = self.dir.join(CALIBRATION);
        let out = folder.join(name);
        if out.exists() {
            return Err(refuse("a file of this name is there already; give the new one another name"));
        }
        let by: Option<(&str, For, &str)> = self.vouched(by)?;
        let mut about = About::default()
            .say("change", "certificate of a standard imported")
            .say("standard", standard.name())
            .say("certificate", standard.certificate_no())
            .say(FILE, name)
            .say(SHA256, sha256(text.as_bytes()));
        if let Some((person, what_for, pin)) = by {
            self.identify(person, what_for, pin)?;
            about = about.say("by", person);
        }
        fs::create_dir_all(&folder).map_err(|e| Fault::write(&folder, "the folder", &e))?;
        disk::store_file(&folder, name, text.as_bytes())?;
        self.write(Kind::ConfigChange, about).inspect_err(|_| {
            // What the chain does not tell of was not taken in.
            let _ = fs::remove_file(&out);
        })
    }
}

/// The certificates that the chain knows to have been taken in, by their files.
pub fn imported(dir: &Path) -> Result<BTreeMap<String, Import>, Fault> {
    let mut known = BTreeMap::new();
    chain::read(dir, |entry, _| {
        if let (Some(file), Some(sha256)) = (entry.said.get(FILE), entry.said.get(SHA256)) {
            let by = entry.said.get("by").cloned();
            known.insert(file.clone(), Import { by, time: entry.time.clone(), sha256: sha256.clone() });
        }
    })?;
    Ok(known)
}
