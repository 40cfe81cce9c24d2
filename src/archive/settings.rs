//! Changes of key, persons and laboratory, each with its entry in the chain.

use super::chain::{CERTIFICATE, NEW_PIN, WRONG_PIN};
use super::keys::{CA_PEM, FOLDER, Folder, Keys, New, demo};
use super::persons::{Denied, For, Person, Persons};
use super::{About, Archive, Fault, LABORATORY, clock, disk, sha256};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::Role;
use crate::certificate::sign::authority::{self, Subject};
use crate::certificate::sign::key::P256Key;
use crate::certificate::sign::{Signer, x509};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::path::Path;

/// What the device's key is, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// Whose chain it seals.
    pub device: String,
    /// The key's short name; none where there is no key with a certificate.
    pub key_id: Option<String>,
    /// The algorithm.
    pub algorithm: Option<String>,
    /// How it is kept.
    pub protection: Option<String>,
    /// Whom the certificate names.
    pub subject: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// Whether it is for demonstration.
    pub demo: bool,
    /// Why nothing can be sealed on a real bench, and what to do; none where all is well.
    pub problem: Option<String>,
    /// That the certificate soon ends.
    pub warning: Option<String>,
}

/// The key of a data folder, without the lock.
pub fn key_info(dir: &Path) -> Result<KeyInfo, Fault> {
    let (keys, state) = (Keys::load(dir)?, super::known::state(dir)?);
    let (at, pair) = (clock::now(), keys.pair());
    let certificate = pair.map(|pair| pair.key.certificate());
    Ok(KeyInfo {
        device: state.device,
        key_id: pair.map(|pair| pair.key.key_id()),
        algorithm: pair.map(|pair| pair.key.algorithm().to_owned()),
        protection: pair.map(|pair| pair.key.protection().to_owned()),
        subject: certificate.map(x509::subject).transpose()?,
        issuer: certificate.map(x509::issuer).transpose()?,
        demo: pair.is_some_and(|pair| pair.demo),
        problem: keys.signer(false, at, &state.key_id).err(),
        warning: keys.warning(at),
    })
}

/// The persons of a data folder, without the lock.
pub fn persons(dir: &Path) -> Result<Vec<Person>, Fault> {
    Ok(super::persons::seen(dir)?.list)
}

/// Whose PIN this is, to open a locked screen; see there how it is kept from being guessed.
pub fn who_has_pin(dir: &Path, pin: &str) -> Result<Option<String>, Fault> {
    Ok(super::persons::seen(dir)?.who_has(pin).map(str::to_owned))
}

impl Archive {
    fn subject(&self, organization: &str) -> Subject {
        let common_name = format!("Phantomload {}", self.device);
        Subject { common_name, organization: organization.to_owned(), ..Subject::default() }
    }

    /// Makes the device's key, which then waits for its certificate; with `laboratory_ca` also an authority of the
    /// laboratory on this machine, which issues the certificate at once. `device` names the tester in its chain as long
    /// as that has no entry. Gives what was done, in words.
    pub fn key_init(
        &mut self,
        device: Option<&str>,
        organization: &str,
        laboratory_ca: bool,
    ) -> Result<Vec<String>, Fault> {
        if let Some(pair) = self.keys.pair().filter(|pair| !pair.demo) {
            let what = format!(
                "the device has the key {} already; `phantomload key rotate` replaces it",
                pair.key.key_id()
            );
            return Err(Fault::Key { what });
        }
        if let Some(name) = device {
            self.name_device(name)?;
        }
        self.new_key(organization, laboratory_ca)
    }

    /// Replaces the key by a new one: at once where the laboratory's authority is on this machine, otherwise when its
    /// certificate is installed. The old key signs that it ends.
    pub fn key_rotate(&mut self, organization: &str) -> Result<Vec<String>, Fault> {
        if self.keys.pair().is_none_or(|pair| pair.demo) {
            return Err(Fault::Key {
                what: "the device has no key of its own yet: `phantomload key init`".into(),
            });
        }
        let at_once = Folder::of(&self.dir)?.laboratory_if_there()?.is_some();
        self.new_key(organization, at_once)
    }

    fn name_device(&mut self, name: &str) -> Result<(), Fault> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        if name.is_empty() || name.len() > 40 || !name.bytes().all(fits) {
            let what = format!("`{name}` names no device: 1 to 40 letters, figures, `-` and `.` are allowed");
            return Err(Fault::Key { what });
        }
        if self.chain.state.seq > 0 && self.chain.state.device != name {
            let what = format!(
                "this is the chain of {}; its name stays. Another device has another data folder",
                self.chain.state.device
            );
            return Err(Fault::Key { what });
        }
        name.clone_into(&mut self.device);
        Ok(())
    }

    fn new_key(&mut self, organization: &str, laboratory_ca: bool) -> Result<Vec<String>, Fault> {
        let folder = Folder::of(&self.dir)?;
        let key_pem = folder.make_next()?;
        let subject = self.subject(organization);
        if !laboratory_ca {
            // The name in the request must be the one that the chain keeps.
            let about =
                About::default().say("change", "a private key was made; it waits for its certificate");
            if self.may_change() {
                self.write(Kind::ConfigChange, about)?;
            }
            self.keys = Keys::load(&self.dir)?;
            return Ok(vec![
                format!("a private key was made in {}", self.dir.join(FOLDER).join("next").display()),
                "next: `phantomload key csr > request.csr`; have the authority issue the certificate; `phantomload key install CERT.pem CA.pem`".into(),
            ]);
        }
        let at = clock::now();
        let laboratory = folder.laboratory(organization, at)?;
        let request = authority::request(&key_pem, &subject)?;
        let certificate = Folder::certify(&laboratory, &request, at)?;
        self.take_key(&New { key: key_pem, certificate, authority: laboratory.1 })
    }

    /// The request for a certificate: of the key that waits for one, else of the key in use, to renew it.
    pub fn key_request(&self, organization: &str) -> Result<String, Fault> {
        let waiting = Folder::of(&self.dir)?.waiting()?;
        let key = waiting.ok_or_else(|| Fault::Key {
            what: "the device has no key yet: `phantomload key init` makes one".into(),
        })?;
        Ok(authority::request(&key, &self.subject(organization))?)
    }

    /// Installs a certificate with its authority's, for the key that waits for one or, renewed, for the key in use.
    pub fn key_install(&mut self, certificate_pem: &str, authority_pem: &str) -> Result<Vec<String>, Fault> {
        let waiting = Folder::of(&self.dir)?.waiting()?;
        let key = waiting.ok_or_else(|| Fault::Key {
            what: "the device has no key yet: `phantomload key init` makes one".into(),
        })?;
        // Whoever checks a paper finds the device's name in it.
        let der = x509::der_from_pem(certificate_pem)?;
        if !x509::names(&der, &self.device)? {
            let what = format!(
                "this certificate names another device ({}): its common name must hold the name of this one, {}. Have it issued for the request of `phantomload key csr`",
                x509::subject(&der)?,
                self.device
            );
            return Err(Fault::Key { what });
        }
        self.take_key(&New {
            key,
            certificate: certificate_pem.to_owned(),
            authority: authority_pem.to_owned(),
        })
    }

    /// A demo authority and a demo key: for the simulated bench alone, and only where there is no key.
    pub fn make_demo_key(&mut self) -> Result<Vec<String>, Fault> {
        if !self.keys.is_absent() || !self.chain.state.key_id.is_empty() {
            let what =
                "a key is there already, or waits for its certificate; `phantomload key show` says which";
            return Err(Fault::Key { what: what.into() });
        }
        let new = demo(&self.device, clock::now())?;
        self.take_key(&new)
    }

    /// Lays a new key ready, writes the change into the chain, signed by the key before it, and takes the new one into use.
    fn take_key(&mut self, new: &New) -> Result<Vec<String>, Fault> {
        let at = clock::now();
        let pair = new.pair()?;
        if let Some(why) = pair.unfit(at)? {
            return Err(Fault::Key { what: format!("this certificate cannot be installed: {why}") });
        }
        self.mind_clock(at)?;
        let known = self.chain.state.key_id.clone();
        let old = self.keys.predecessor(&known).map_err(|what| Fault::Key { what })?;
        if pair.key.key_id() == known {
            return Err(Fault::Key { what: "this certificate is in use already".into() });
        }
        let folder = Folder::of(&self.dir)?;
        folder.lay_ready(new)?;
        let key_id = pair.key.key_id();
        let replaced = old.map(|old| old.key.key_id()).unwrap_or_default();
        let mut words = vec![];
        let mut about = About::default()
            .simulated(pair.demo)
            .say("key_id", &key_id)
            .say("replaces", &replaced)
            .say(CERTIFICATE, STANDARD.encode(pair.key.certificate()));
        let signing: &P256Key = match old {
            Some(old) => {
                if let Some(why) = old.unfit(at)? {
                    let note =
                        format!("the key {replaced}, which signs this change, is no longer valid: {why}");
                    about = about.say("note", &note);
                    words.push(note);
                }
                &old.key
            }
            None => &pair.key,
        };
        let signer: &dyn Signer = signing;
        let entry = self.entry(Kind::KeyChange, about, Some(signer), at);
        let line = entry.line(Some(signer))?;
        self.chain.append(&entry, &line)?;
        folder.promote(&replaced)?;
        self.keys = Keys::load(&self.dir)?;
        words.push(format!("the key {key_id} is in use: {}", x509::subject(pair.key.certificate())?));
        words.push(format!("its authority: {}", self.dir.join(FOLDER).join(CA_PEM).display()));
        Ok(words)
    }

    /// Whether a change can be entered: signed, once a key was in use.
    fn may_change(&self) -> bool {
        self.chain.state.key_id.is_empty() || self.signer(true, clock::now()).is_ok()
    }

    /// Writes into the chain that the institution's file changed, if it did. Without a fit key nothing is sealed either:
    /// it is entered later.
    pub(super) fn note_laboratory(&mut self) -> Result<(), Fault> {
        self.laboratory()?;
        let bytes = disk::read_if_there(&self.dir.join(LABORATORY))?;
        let seen = bytes.as_deref().map_or(String::new(), sha256);
        if seen == self.chain.state.laboratory {
            return Ok(());
        }
        if !self.may_change() {
            return Ok(());
        }
        let about = About::default().say("change", "laboratory.toml").say("laboratory", seen);
        self.write(Kind::ConfigChange, about).map(|_| ())
    }

    /// Enters a change of the persons. `by` answers for it with a PIN.
    fn change_persons(
        &mut self,
        about: About,
        by: Option<(&str, For, &str)>,
        with: impl FnOnce(&mut Persons) -> Result<(), Fault>,
    ) -> Result<Entry, Fault> {
        if !self.chain.state.key_id.is_empty() {
            self.signer(true, clock::now()).map_err(|what| Fault::Key { what })?;
        }
        let mut about = about;
        if let Some((name, what_for, pin)) = by {
            self.identify(name, what_for, pin)?;
            about = about.say("by", name);
        }
        super::persons::mend(&self.dir, &self.chain.state)?;
        let mut persons = Persons::load(&self.dir, &self.chain.state)?;
        with(&mut persons)?;
        let sha256 = persons.lay_ready()?;
        let entry = self.write(Kind::ConfigChange, about.say("persons", sha256))?;
        persons.settle()?;
        Ok(entry)
    }

    /// Whether it is this person, who may do it. A wrong PIN is noted in the chain.
    pub(super) fn identify(&mut self, name: &str, what_for: For, pin: &str) -> Result<(), Fault> {
        match Persons::load(&self.dir, &self.chain.state)?.identify(name, what_for, pin) {
            Ok(()) => Ok(()),
            Err(Denied::Other(fault)) => Err(fault),
            Err(Denied::Wrong(fault)) => {
                if self.may_change() {
                    let about = About::default().say("change", format!("wrong PIN of {name}"));
                    self.write(Kind::ConfigChange, about.say(WRONG_PIN, name))?;
                }
                Err(fault)
            }
        }
    }

    /// The approver who answers for a change of persons or standards; until there ever was one, nobody has to.
    pub(super) fn vouched<'a>(
        &self,
        by: Option<(&'a str, &'a str)>,
    ) -> Result<Option<(&'a str, For, &'a str)>, Fault> {
        let by = by.map(|(name, pin)| (name, For::Role(Role::Approver), pin));
        if by.is_none() && Persons::load(&self.dir, &self.chain.state)?.has_approver() {
            let what = "an approver answers for changes of persons and standards: give --by APPROVER, and that person's PIN";
            return Err(Fault::Person { person: "--by".into(), what: what.into() });
        }
        Ok(by)
    }

    /// Adds a person who may sign. Once there was an approver, one answers for it: `by` is the name with the PIN.
    pub fn add_person(
        &mut self,
        name: &str,
        roles: &[Role],
        pin: &str,
        by: Option<(&str, &str)>,
    ) -> Result<Entry, Fault> {
        let words: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let change = format!("person {} added as {}", name.trim(), words.join(", "));
        let by = self.vouched(by)?;
        self.change_persons(About::default().say("change", change), by, |persons| {
            persons.add(name, roles, pin)
        })
    }

    /// Gives a person a new PIN and unlocks: by the old PIN, or by another person, an approver, with that one's.
    pub fn set_pin(&mut self, name: &str, pin: &str, by: (&str, &str)) -> Result<Entry, Fault> {
        let (who, old) = by;
        let what_for = if who == name { For::OwnPin(clock::now()) } else { For::Role(Role::Approver) };
        let about = About::default().say("change", format!("new PIN of {name}")).say(NEW_PIN, name);
        self.change_persons(about, Some((who, what_for, old)), |persons| persons.set_pin(name, pin))
    }

    /// A person signs no more. What was signed stays signed.
    pub fn disable_person(&mut self, name: &str, by: Option<(&str, &str)>) -> Result<Entry, Fault> {
        let by = self.vouched(by)?;
        let about = About::default().say("change", format!("person {name} disabled"));
        self.change_persons(about, by, |persons| persons.disable(name))
    }
}
