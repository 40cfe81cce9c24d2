//! `persons.json`: who may sign, as what, with which PIN. The chain holds the file's SHA-256, so that a person who was
//! added or changed past the program is seen.
//!
//! A PIN is 6 to 12 figures, kept as its argon2id hash (RFC 9106) alone. After five wrong PINs a person is locked until an
//! approver lets `phantomload person pin` set a new one; a day later the person may do so with the old PIN, one try a day,
//! so that the only approver is not locked out for ever. Wrong PINs are counted in a file before they are looked at, and
//! in the chain after: without the file the chain still knows them. Each change is an entry of the chain.

use super::chain::{State, Tries};
use super::{Fault, disk, sha256};
use crate::certificate::issue::Role;
use crate::plan::nameplate::is_code;
use crate::time::{Span, Stamp};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "persons.json";
/// A change whose entry may not be in the chain yet.
const NEXT: &str = "persons.next.json";
/// How many wrong PINs in a row, by person.
const TRIES: &str = "persons.tries.json";
/// Then a person is locked.
pub const TRIES_MAX: u32 = 5;
/// After this the old PIN of a locked person is looked at once more, for a new one.
const PAUSE: Span = Span::from_secs(86_400);
/// So often chain and file are read again where a person changes meanwhile.
const READ_AGAIN: usize = 3;

/// Who may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name, as papers print it.
    pub name: String,
    /// As what.
    pub roles: Vec<Role>,
    /// The PIN's hash in the PHC form.
    pin: String,
    /// Whether the person signs no more.
    pub disabled: bool,
    /// Whether too many wrong PINs were tried.
    #[serde(skip)]
    pub locked: bool,
}

/// The persons of a data folder.
#[derive(Debug)]
pub(super) struct Persons {
    dir: PathBuf,
    pub list: Vec<Person>,
    /// Wrong PINs as the chain knows them.
    noted: BTreeMap<String, Tries>,
}

/// What a PIN is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// To act in this role.
    Role(Role),
    /// For a new PIN of one's own, at this time.
    OwnPin(Stamp),
}

/// Why a person is not believed.
#[derive(Debug)]
pub(super) enum Denied {
    /// The PIN is wrong: to be noted in the chain.
    Wrong(Fault),
    /// Anything else.
    Other(Fault),
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Self {
        Self::Other(fault)
    }
}

/// A PIN is 6 to 12 figures, and none of the first that anybody tries: one figure throughout, or figures in a row.
fn check_pin(name: &str, pin: &str) -> Result<(), Fault> {
    if !((6..=12).contains(&pin.len()) && pin.bytes().all(|b| b.is_ascii_digit())) {
        return Err(fault(name, "a PIN is 6 to 12 figures"));
    }
    let steps = |step: u8| pin.as_bytes().windows(2).all(|two| (two[1] + 10 - two[0]) % 10 == step);
    if [0, 1, 9].into_iter().any(steps) {
        return Err(fault(
            name,
            "this PIN is among the first that anybody tries: neither one figure throughout nor figures in a row, such as 111111, 123456 or 654321",
        ));
    }
    Ok(())
}

const UNLOCK: &str = "An approver unlocks with `phantomload person pin NAME --by APPROVER`; a day after the last wrong PIN the old one is looked at once more for `phantomload person pin NAME`";

fn fault(person: &str, what: impl Into<String>) -> Fault {
    Fault::Person { person: person.to_owned(), what: what.into() }
}

fn hash(name: &str, pin: &str) -> Result<String, Fault> {
    let hash = Argon2::default().hash_password(pin.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|e| fault(name, format!("the PIN cannot be hashed: {e}")))
}

/// Clears up after a change in which the power failed: it counts where its entry was written. For whoever holds the lock
/// alone: what lies ready may be another's who is just writing that entry.
pub(super) fn mend(dir: &Path, state: &State) -> Result<(), Fault> {
    let (path, next) = (dir.join(FILE), dir.join(NEXT));
    let Some(bytes) = disk::read_if_there(&next)? else { return Ok(()) };
    let done =
        if sha256(&bytes) == state.persons { fs::rename(&next, &path) } else { fs::remove_file(&next) };
    done.map_err(|e| Fault::write(&path, "the persons", &e))?;
    disk::sync_folder(dir)
}

/// The persons without the lock. A change that comes in between chain and file is no file that somebody changed: both are
/// read again.
pub(super) fn seen(dir: &Path) -> Result<Persons, Fault> {
    let mut state = super::known::state(dir)?;
    for _ in 0..READ_AGAIN {
        match Persons::load(dir, &state) {
            Err(fault) => {
                let now = super::known::state(dir)?;
                if now.persons == state.persons {
                    return Err(fault);
                }
                state = now;
            }
            loaded => return loaded,
        }
    }
    Persons::load(dir, &state)
}

impl Persons {
    /// The persons, as the chain knows them. Nothing is changed: whoever only reads comes by here too.
    pub fn load(dir: &Path, state: &State) -> Result<Self, Fault> {
        // SHA-256 of the file; empty where there is none.
        let expected = &state.persons;
        let path = dir.join(FILE);
        // A change is in force from its entry on, also before it has its name.
        let next = disk::read_if_there(&dir.join(NEXT))?.filter(|bytes| sha256(bytes) == *expected);
        let bytes = if next.is_some() { next } else { disk::read_if_there(&path)? };
        let seen = bytes.as_deref().map_or(String::new(), sha256);
        if seen != *expected {
            let what = "it is not the file that the chain knows: it was changed or removed past this program. Take it from a backup";
            return Err(Fault::File { path, what: what.into() });
        }
        let mut list: Vec<Person> = match &bytes {
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|e| Fault::File { path: path.clone(), what: e.to_string() })?,
            None => vec![],
        };
        let tries = tries(dir)?;
        for person in &mut list {
            let counted = tries.get(&person.name).is_some_and(|tries| *tries >= TRIES_MAX);
            person.locked = counted || state.is_locked(&person.name);
        }
        Ok(Self { dir: dir.to_owned(), list, noted: state.tries.clone() })
    }

    /// Adds a person.
    pub fn add(&mut self, name: &str, roles: &[Role], pin: &str) -> Result<(), Fault> {
        let name = name.trim();
        if name.is_empty() || name.chars().any(is_code) || name.chars().count() > 60 {
            let what =
                "a name has 1 to 60 characters, none of them a control character or one that is not seen";
            return Err(fault(name, what));
        }
        if roles.is_empty() {
            return Err(fault(name, "no role; give --role verifier,checker,approver or some of them"));
        }
        // Who reads a paper tells Ann from ANN as little as the verifier from the checker.
        let read = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
        if self.list.iter().any(|person| read(&person.name) == read(name)) {
            return Err(fault(name, "is there already; a name stands for one person for ever"));
        }
        check_pin(name, pin)?;
        let mut roles = roles.to_vec();
        roles.sort();
        roles.dedup();
        let pin = hash(name, pin)?;
        self.list.push(Person { name: name.to_owned(), roles, pin, disabled: false, locked: false });
        Ok(())
    }

    /// A new PIN, which also unlocks.
    pub fn set_pin(&mut self, name: &str, pin: &str) -> Result<(), Fault> {
        check_pin(name, pin)?;
        let hash = hash(name, pin)?;
        self.find(name)?.pin = hash;
        self.count(name, 0)
    }

    /// A person who signs no more.
    pub fn disable(&mut self, name: &str) -> Result<(), Fault> {
        let person = self.find(name)?;
        if person.disabled {
            return Err(fault(name, "is disabled already"));
        }
        person.disabled = true;
        let approves = |person: &Person| !person.disabled && person.roles.contains(&Role::Approver);
        if self.has_approver() && !self.list.iter().any(approves) {
            return Err(fault(name, "is the only approver; add another one first"));
        }
        Ok(())
    }

    /// Whether there ever was an approver: from then on one lets persons be added and disabled.
    pub fn has_approver(&self) -> bool {
        self.list.iter().any(|person| person.roles.contains(&Role::Approver))
    }

    fn find(&mut self, name: &str) -> Result<&mut Person, Fault> {
        let found = self.list.iter_mut().find(|person| person.name == name);
        found.ok_or_else(|| {
            fault(name, "is nobody of this data folder; `phantomload person list` shows who is")
        })
    }

    /// Lays a change ready and gives its SHA-256 for the chain; see [`Persons::settle`]. What lay ready before is gone
    /// then: [`mend`] comes first.
    pub fn lay_ready(&self) -> Result<String, Fault> {
        let path = self.dir.join(FILE);
        let json = serde_json::to_string_pretty(&self.list)
            .map_err(|e| Fault::File { path, what: e.to_string() })?
            + "\n";
        disk::store_private(&self.dir, NEXT, json.as_bytes())?;
        Ok(sha256(json.as_bytes()))
    }

    /// Takes the change into use, once its entry is in the chain.
    pub fn settle(&self) -> Result<(), Fault> {
        let path = self.dir.join(FILE);
        fs::rename(self.dir.join(NEXT), &path).map_err(|e| Fault::write(&path, "the persons", &e))?;
        disk::sync_folder(&self.dir)
    }

    /// Whether it is this person, who may do it. A try is counted before it is looked at, so that nothing is won by
    /// ending the program; a person who is not there takes as long as one who is.
    pub fn identify(&self, name: &str, what_for: For, pin: &str) -> Result<(), Denied> {
        let person = self.list.iter().find(|person| person.name == name);
        if let Some(person) = person {
            if person.disabled {
                return Err(fault(name, "is disabled and signs no more").into());
            }
            if person.locked {
                self.waited(name, what_for)?;
            }
            if let For::Role(role) = what_for
                && !person.roles.contains(&role)
            {
                let roles: Vec<_> = person.roles.iter().map(ToString::to_string).collect();
                return Err(fault(name, format!("may sign as {}, not as {role}", roles.join(", "))).into());
            }
        }
        let noted = self.noted.get(name).map_or(0, |tries| tries.wrong);
        let before = if person.is_some() { *tries(&self.dir)?.get(name).unwrap_or(&0) } else { 0 };
        let before = before.max(noted);
        if person.is_some() {
            self.count(name, before + 1)?;
        }
        let stranger;
        let hash = if let Some(person) = person {
            &person.pin
        } else {
            stranger = hash(name, "000000")?;
            &stranger
        };
        let right = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok());
        if person.is_none() {
            let what = "is nobody of this data folder; `phantomload person list` shows who is";
            return Err(fault(name, what).into());
        }
        if !right {
            let left = TRIES_MAX.saturating_sub(before + 1);
            let what = match left {
                0 => format!("wrong PIN; locked now. {UNLOCK}"),
                1 => "wrong PIN; one try is left".to_owned(),
                _ => format!("wrong PIN; {left} tries are left"),
            };
            return Err(Denied::Wrong(fault(name, what)));
        }
        Ok(self.count(name, 0)?)
    }

    /// Whose PIN this is, to open a locked screen: nothing is signed by it, no try is counted, and whoever asks has to keep
    /// the next question waiting.
    pub fn who_has(&self, pin: &str) -> Option<&str> {
        let mut able = self.list.iter().filter(|person| !person.disabled && !person.locked);
        let has = |person: &&Person| {
            PasswordHash::new(&person.pin)
                .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
        };
        able.find(has).map(|person| person.name.as_str())
    }

    /// A locked person may get a new PIN by the old one a day after the last wrong one, where the chain knows when.
    fn waited(&self, name: &str, what_for: For) -> Result<(), Fault> {
        let last = self.noted.get(name).and_then(|tries| tries.last);
        if let (For::OwnPin(now), Some(last)) = (what_for, last)
            && now.timestamp() >= last.after(PAUSE).timestamp()
        {
            return Ok(());
        }
        Err(fault(name, format!("is locked after {TRIES_MAX} wrong PINs. {UNLOCK}")))
    }

    fn count(&self, name: &str, wrong: u32) -> Result<(), Fault> {
        let mut tries = tries(&self.dir)?;
        if wrong == 0 {
            if tries.remove(name).is_none() {
                return Ok(());
            }
        } else {
            tries.insert(name.to_owned(), wrong);
        }
        let json = serde_json::to_vec(&tries)
            .map_err(|e| Fault::File { path: self.dir.join(TRIES), what: e.to_string() })?;
        disk::store_private(&self.dir, TRIES, &json)?;
        disk::sync_folder(&self.dir)
    }
}

fn tries(dir: &Path) -> Result<BTreeMap<String, u32>, Fault> {
    let path = dir.join(TRIES);
    let Some(bytes) = disk::read_if_there(&path)? else { return Ok(BTreeMap::new()) };
    let what = "it is not of the form, so nobody can sign. Remove it; the chain knows the wrong PINs too";
    serde_json::from_slice(&bytes).map_err(|_| Fault::File { path, what: what.into() })
}
