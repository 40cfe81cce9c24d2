//! `tester/`: what laboratories found when they verified the tester itself; each file is named by an entry of the chain.

use super::{About, Archive, Fault, chain, clock, disk, sha256};
use crate::calibration::tester::{Plan, Sheet};
use crate::certificate::chain::Kind;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const FOLDER: &str = "tester";
/// In an entry: the file.
const FILE: &str = "tester_file";
/// In an entry: its SHA-256.
const SHA256: &str = "tester_sha256";

/// A verification of the tester that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The file in `tester/`.
    pub file: String,
    /// What was found; or why it cannot be believed.
    pub sheet: Result<Sheet, String>,
}

impl Archive {
    /// Keeps what a laboratory found, with an entry in the chain. Nothing is kept twice; a file whose entry the power did not
    /// let be written gets it.
    pub fn keep_tester(&mut self, sheet: &Sheet, text: &str) -> Result<String, Fault> {
        if !self.chain.state.key_id.is_empty() {
            self.signer(true, clock::now()).map_err(|what| Fault::Key { what })?;
        }
        let sha256 = sha256(text.as_bytes());
        let folder = self.dir.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|e| Fault::write(&folder, "the folder", &e))?;
        let name = format!("{}_{}.toml", sheet.performed_on, &sha256[..8]);
        let known = known(&self.dir)?;
        match (disk::read_if_there(&folder.join(&name))?, known.get(&name)) {
            (Some(there), Some(_)) if there == text.as_bytes() => {
                return Err(Fault::State { number: name, what: "it is kept already".into() });
            }
            (Some(there), _) if there != text.as_bytes() => {
                let what = "another file stands there under this name: it was altered; take it from a backup";
                return Err(Fault::State { number: name, what: what.into() });
            }
            (Some(_), _) => {}
            (None, _) => disk::store_file(&folder, &name, text.as_bytes())?,
        }
        disk::sync_folder(&folder)?;
        disk::sync_folder(&self.dir)?;
        let about = About::default()
            .say("change", "the tester was verified")
            .say(FILE, &name)
            .say(SHA256, &sha256)
            .say("laboratory", &sheet.laboratory);
        self.write(Kind::ConfigChange, about)?;
        Ok(name)
    }
}

/// The files that the chain names, with their SHA-256.
fn known(dir: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let mut known = BTreeMap::new();
    chain::read(dir, |entry, _| {
        if let (Some(file), Some(sha256)) = (entry.said.get(FILE), entry.said.get(SHA256)) {
            known.insert(file.clone(), sha256.clone());
        }
    })?;
    Ok(known)
}

/// The verifications of the tester in a data folder, without the lock. One that the chain does not know, or knows
/// otherwise, is named.
pub fn kept(dir: &Path, plan: &Plan) -> Result<Vec<Kept>, Fault> {
    let known = known(dir)?;
    let folder = dir.join(FOLDER);
    let mut files = if folder.is_dir() { disk::names(&folder)? } else { vec![] };
    files.extend(known.keys().filter(|file| !folder.join(file).exists()).cloned());
    files.sort();
    let read = |file: &String| -> Result<Sheet, String> {
        let bytes = disk::read(&folder.join(file)).map_err(|e| e.to_string())?;
        match known.get(file) {
            None => return Err("the chain does not know it; it counts for nothing".into()),
            Some(known) if *known != sha256(&bytes) => {
                return Err("it was altered; take it from a backup".into());
            }
            Some(_) => {}
        }
        Sheet::from_toml(file, &String::from_utf8_lossy(&bytes), plan).map_err(|e| e.to_string())
    };
    Ok(files.into_iter().map(|file| Kept { sheet: read(&file), file }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = "schema = 1\ntester = \"PL-0007\"\nperformed_on = \"2026-11-20\"\nlaboratory = \"L\"\nstandard = \"S\"\nclass_percent = 0.05\n[[check]]\nitem = \"ports_display\"\ngood = true\n";

    #[test]
    fn what_was_found_is_kept_and_known_by_the_chain() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan::builtin().unwrap();
        assert_eq!(kept(dir.path(), &plan).unwrap(), []);
        let sheet = Sheet::from_toml("x", FOUND, &plan).unwrap();
        let mut archive = Archive::open(dir.path()).unwrap();
        let name = archive.keep_tester(&sheet, FOUND).unwrap();
        let fault = archive.keep_tester(&sheet, FOUND).unwrap_err().to_string();
        assert!(fault.contains("kept already"), "{fault}");
        assert_eq!(kept(dir.path(), &plan).unwrap(), [Kept { file: name.clone(), sheet: Ok(sheet.clone()) }]);
        // The power failed between the file and its entry: it is entered when it is recorded again, and kept once.
        drop(archive);
        let chain_file = dir.path().join("chain.jws");
        let text = fs::read_to_string(&chain_file).unwrap();
        let cut = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
        fs::write(&chain_file, &text[..cut]).unwrap();
        let mut archive = Archive::open(dir.path()).unwrap();
        assert!(kept(dir.path(), &plan).unwrap().remove(0).sheet.is_err());
        assert_eq!(archive.keep_tester(&sheet, FOUND).unwrap(), name);
        assert_eq!(kept(dir.path(), &plan).unwrap(), [Kept { file: name.clone(), sheet: Ok(sheet.clone()) }]);
        assert!(archive.keep_tester(&sheet, FOUND).is_err());
        let path = dir.path().join(FOLDER).join(&name);
        let why = || kept(dir.path(), &plan).unwrap().remove(0).sheet.unwrap_err();
        fs::write(&path, FOUND.replace("true", "false")).unwrap();
        assert!(why().contains("altered"));
        let fault = archive.keep_tester(&sheet, FOUND).unwrap_err().to_string();
        assert!(fault.contains("it was altered"), "{fault}");
        fs::rename(&path, path.with_file_name("2020-01-01_other.toml")).unwrap();
        assert!(why().contains("does not know it"));
        fs::remove_dir_all(dir.path().join(FOLDER)).unwrap();
        assert!(why().contains(&name), "a lost one is told: {}", why());
    }
}
