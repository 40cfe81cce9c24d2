//! The device's key, its certificate and the authority that issued it: `key/` of the data folder.
//!
//! ```text
//! key/device.key, device.pem, ca.pem   in use
//! key/next/…                           a new key until its certificate is installed
//! key/old/<key_id>/…                   what was in use before; nothing is deleted
//! key/laboratory-ca.key, .pem          a laboratory's own authority, where it was made on this machine
//! ```

use super::{Fault, disk};
use crate::certificate::issue::Seal;
use crate::certificate::sign::authority::{self, Subject};
use crate::certificate::sign::key::P256Key;
use crate::certificate::sign::trust::{Standing, Trust};
use crate::certificate::sign::{self, Signer, x509};
use crate::time::{Span, Stamp};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) const FOLDER: &str = "key";
const NEXT: &str = "next";
const OLD: &str = "old";
pub(super) const DEVICE_KEY: &str = "device.key";
pub(super) const DEVICE_PEM: &str = "device.pem";
pub(super) const CA_PEM: &str = "ca.pem";
const LABORATORY_KEY: &str = "laboratory-ca.key";
const LABORATORY_PEM: &str = "laboratory-ca.pem";
/// How long before its end a certificate is warned of.
const WARNING: Span = Span::from_secs(30 * DAY);
const DAY: i64 = 86_400;
/// How long a certificate holds that is issued here.
const DEVICE_DAYS: i64 = 3 * 365;
const AUTHORITY_DAYS: i64 = 10 * 365;
/// Clocks differ a little: a certificate begins so long before it is made.
const BEFORE: Span = Span::from_secs(-300);

/// A key with a certificate of its own.
#[derive(Debug)]
pub(super) struct Pair {
    pub key: P256Key,
    pub demo: bool,
    authority: String,
}

impl Pair {
    fn new(key_pem: &str, certificate_pem: &str, authority: String) -> Result<Self, sign::Fault> {
        let key = P256Key::from_pem(key_pem, certificate_pem)?;
        let demo = x509::subject(key.certificate())?.contains("DEMO ");
        Ok(Self { key, demo, authority })
    }

    /// Why nothing is sealed with it at this time; nothing where all is well.
    pub fn unfit(&self, at: Stamp) -> Result<Option<String>, sign::Fault> {
        let renew =
            "Have it issued anew: `phantomload key csr`, then `phantomload key install CERT.pem CA.pem`";
        let mut trust = Trust::new(at.timestamp());
        trust.add_authorities(&self.authority)?;
        Ok(match trust.judge(self.key.certificate(), Some(at.timestamp()))? {
            Standing::Known { .. } => None,
            Standing::Expired { ended, .. } => {
                Some(format!("the device certificate, or that of its authority, ended on {ended}. {renew}"))
            }
            Standing::NotYetValid { begins, .. } => Some(format!(
                "the device certificate, or that of its authority, begins on {begins} only; now it is {at}. Set the clock, or wait"
            )),
            Standing::Unfit { why, .. } => {
                Some(format!("the device certificate signs no papers: {why}. {renew}"))
            }
            Standing::Unknown { issuer, .. } => Some(format!(
                "key/ca.pem is not the authority that issued the device certificate ({issuer}). {renew}"
            )),
        })
    }
}

/// What there is of a key.
#[derive(Debug)]
pub(super) enum Keys {
    /// Nothing, or nothing that fits together, and what to do.
    None { why: String, absent: bool },
    /// A key that others may read: it signs nothing, and what to do.
    Exposed { why: String },
    /// A key and its certificate.
    Pair(Box<Pair>),
}

impl Keys {
    /// Reads the key folder; what does not fit together is no fault, but nothing is sealed with it.
    pub fn load(dir: &Path) -> Result<Self, Fault> {
        let folder = dir.join(FOLDER);
        let [key, certificate, ca] = [DEVICE_KEY, DEVICE_PEM, CA_PEM].map(|name| text(&folder.join(name)));
        let (Some(key), certificate, ca) = (key?, certificate?, ca?) else {
            let waits = folder.join(NEXT).join(DEVICE_KEY).is_file();
            let why = if waits {
                "the device's key waits for its certificate: send the text of `phantomload key csr` to the laboratory's authority, then `phantomload key install CERT.pem CA.pem`"
            } else {
                "the device has no key: `phantomload key init` makes one (with --laboratory-ca also an authority on this machine)"
            };
            return Ok(Self::None { why: why.into(), absent: !waits });
        };
        if let Some(why) = disk::exposed(&folder.join(DEVICE_KEY)) {
            return Ok(Self::Exposed { why });
        }
        let none = |why: String| Self::None { why, absent: false };
        let (Some(certificate), Some(ca)) = (certificate, ca) else {
            return Ok(none(format!(
                "{} has a private key, but not both {DEVICE_PEM} and {CA_PEM}: `phantomload key install CERT.pem CA.pem`",
                folder.display()
            )));
        };
        Ok(match Pair::new(&key, &certificate, ca) {
            Ok(pair) => Self::Pair(Box::new(pair)),
            Err(fault) => none(format!("{}: {fault}", folder.display())),
        })
    }

    /// Whether there is no key at all, nor one that waits for its certificate.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::None { absent: true, .. })
    }

    /// Why the key is none that may be used, where others may read it.
    pub fn exposed(&self) -> Option<&str> {
        match self {
            Self::Exposed { why } => Some(why),
            _ => None,
        }
    }

    /// The key with its certificate, whatever it is worth.
    pub fn pair(&self) -> Option<&Pair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::None { .. } | Self::Exposed { .. } => None,
        }
    }

    /// The key that seals at this time, or why none does, in words. A DEMO key seals what is simulated only. `known` is the
    /// key in use by the chain: no other seals.
    pub fn signer(&self, simulated: bool, at: Stamp, known: &str) -> Result<&P256Key, String> {
        let pair = match self {
            Self::Pair(pair) => pair,
            Self::Exposed { why } => return Err(why.clone()),
            Self::None { why, .. } if known.is_empty() => return Err(why.clone()),
            Self::None { .. } => return Err(lost(known)),
        };
        if pair.demo && !simulated {
            return Err(
                "the key is a DEMO key and worth nothing on a real bench: `phantomload key init` makes the device's own"
                    .into(),
            );
        }
        match pair.unfit(at) {
            Ok(None) if known.is_empty() => Err(
                "the key in key/ never entered the chain: `phantomload key install key/device.pem key/ca.pem` takes it into use"
                    .into(),
            ),
            Ok(None) if pair.key.key_id() != known => Err(lost(known)),
            Ok(None) => Ok(&pair.key),
            Ok(Some(why)) => Err(why),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// The key that signs a change of key: the one in use by the chain, also where its certificate has ended. Without one
    /// in the chain what lies in the folder, if anything.
    pub fn predecessor(&self, known: &str) -> Result<Option<&Pair>, String> {
        if let Self::Exposed { why } = self {
            return Err(why.clone());
        }
        match self.pair() {
            Some(pair) if known.is_empty() || pair.key.key_id() == known => Ok(Some(pair)),
            None if known.is_empty() => Ok(None),
            _ => Err(lost(known)),
        }
    }

    /// That the certificate soon ends.
    pub fn warning(&self, at: Stamp) -> Option<String> {
        let pair = self.pair()?;
        if pair.unfit(at).ok()?.is_some() {
            return None;
        }
        let soon = pair.unfit(at.after(WARNING)).ok()??;
        Some(format!("within 30 days no certificate can be sealed any more: {soon}"))
    }
}

/// The key that the chain knows is not there.
fn lost(known: &str) -> String {
    format!(
        "the chain is signed by the key {known}, and key/ does not hold it, or not with its certificate. Take the folder key/ from a backup; a chain goes on with its own key only. If the key is lost, begin another data folder with --data and keep this one to be read"
    )
}

/// What a paper says of the key that seals it.
pub(super) fn seal(key: &P256Key) -> Result<Seal, sign::Fault> {
    Ok(Seal {
        algorithm: key.algorithm().to_owned(),
        key_id: key.key_id(),
        protection: key.protection().to_owned(),
        subject: x509::subject(key.certificate())?,
        issuer: x509::issuer(key.certificate())?,
    })
}

/// The text of a file; none where there is no file.
pub(super) fn text(path: &Path) -> Result<Option<String>, Fault> {
    Ok(disk::read_if_there(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Bytes of the system's randomness.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Fault::Random { what: e.to_string() })?;
    Ok(bytes)
}

fn new_key() -> Result<String, Fault> {
    // All but one in 2³² draws is a key.
    for _ in 0..3 {
        if let Ok(key) = authority::new_key(random()?) {
            return Ok(key);
        }
    }
    Err(Fault::Random { what: "three draws gave no key".into() })
}

fn serial() -> Result<u64, Fault> {
    // Positive and above zero (RFC 5280 4.1.2.2).
    Ok((u64::from_be_bytes(random()?) >> 1) | 1)
}

fn days(at: Stamp, days: i64) -> jiff::Timestamp {
    at.after(Span::from_secs(days * DAY)).timestamp()
}

/// A new key with its certificate and authority, PEM, not yet in use.
pub(super) struct New {
    pub key: String,
    pub certificate: String,
    pub authority: String,
}

impl New {
    pub fn pair(&self) -> Result<Pair, sign::Fault> {
        Pair::new(&self.key, &self.certificate, self.authority.clone())
    }
}

/// A demo authority and a demo key; the authority's own key is forgotten at once.
pub(super) fn demo(device: &str, at: Stamp) -> Result<New, Fault> {
    let subject = |common_name: String| Subject {
        common_name,
        organization: "DEMO (no trust)".into(),
        ..Subject::default()
    };
    let (from, to) = (at.after(BEFORE).timestamp(), days(at, AUTHORITY_DAYS));
    let (ca_key, key_pem) = (new_key()?, new_key()?);
    let named = subject("DEMO authority (no trust)".into());
    let authority_pem = authority::authority(&ca_key, &named, serial()?, from, to)?;
    let request = authority::request(&key_pem, &subject(format!("DEMO {device} (no trust)")))?;
    let certificate_pem = authority::issue(&ca_key, &authority_pem, &request, serial()?, from, to)?;
    Ok(New { key: key_pem, certificate: certificate_pem, authority: authority_pem })
}

/// The key folder, for those who change it.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn of(dir: &Path) -> Result<Self, Fault> {
        let folder = Self(dir.join(FOLDER));
        fs::create_dir_all(folder.next()).map_err(|e| Fault::write(&folder.next(), "the key folder", &e))?;
        // Nobody else looks into it; best effort, the keys have their own mode.
        #[cfg(unix)]
        let _ = fs::set_permissions(&folder.0, std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Ok(folder)
    }

    fn next(&self) -> PathBuf {
        self.0.join(NEXT)
    }

    /// The key that waits for its certificate, else the one in use.
    pub fn waiting(&self) -> Result<Option<String>, Fault> {
        match text(&self.next().join(DEVICE_KEY))? {
            Some(key) => Ok(Some(key)),
            None => text(&self.0.join(DEVICE_KEY)),
        }
    }

    /// Makes a key that waits for its certificate; one that waits already stays.
    pub fn make_next(&self) -> Result<String, Fault> {
        if let Some(key) = text(&self.next().join(DEVICE_KEY))? {
            return Ok(key);
        }
        let key = new_key()?;
        disk::store_secret(&self.next(), DEVICE_KEY, key.as_bytes())?;
        Ok(key)
    }

    /// A laboratory's own authority on this machine; `organization` names it where it is made now.
    pub fn laboratory(&self, organization: &str, at: Stamp) -> Result<(String, String), Fault> {
        if let Some(authority) = self.laboratory_if_there()? {
            return Ok(authority);
        }
        let subject = Subject {
            common_name: "Phantomload laboratory authority".into(),
            organization: organization.to_owned(),
            ..Subject::default()
        };
        let key = new_key()?;
        let (from, to) = (at.after(BEFORE).timestamp(), days(at, AUTHORITY_DAYS));
        let pem = authority::authority(&key, &subject, serial()?, from, to)?;
        // The certificate first: a key without it would never be replaced.
        disk::store_file(&self.0, LABORATORY_PEM, pem.as_bytes())?;
        disk::store_secret(&self.0, LABORATORY_KEY, key.as_bytes())?;
        Ok((key, pem))
    }

    pub fn laboratory_if_there(&self) -> Result<Option<(String, String)>, Fault> {
        let path = self.0.join(LABORATORY_KEY);
        let key = text(&path)?;
        if let Some(what) = disk::exposed(&path) {
            return Err(Fault::Key { what });
        }
        Ok(key.zip(text(&self.0.join(LABORATORY_PEM))?))
    }

    /// A certificate for a key by the laboratory's authority.
    pub fn certify((ca_key, ca_pem): &(String, String), request: &str, at: Stamp) -> Result<String, Fault> {
        let (from, to) = (at.after(BEFORE).timestamp(), days(at, DEVICE_DAYS));
        Ok(authority::issue(ca_key, ca_pem, request, serial()?, from, to)?)
    }

    /// Lays a new key with its certificate ready; nothing in use is touched.
    pub fn lay_ready(&self, new: &New) -> Result<(), Fault> {
        let next = self.next();
        match text(&next.join(DEVICE_KEY))? {
            Some(waiting) if waiting == new.key => {}
            Some(_) => {
                let what =
                    "another key waits for its certificate in key/next; install that one's first".into();
                return Err(Fault::Key { what });
            }
            None => disk::store_secret(&next, DEVICE_KEY, new.key.as_bytes())?,
        }
        disk::store_file(&next, CA_PEM, new.authority.as_bytes())?;
        disk::store_file(&next, DEVICE_PEM, new.certificate.as_bytes())
    }

    /// Whether a key lies ready under this name.
    pub fn is_ready(&self, key_id: &str) -> Result<bool, Fault> {
        let Some(pem) = text(&self.next().join(DEVICE_PEM))? else { return Ok(false) };
        Ok(x509::der_from_pem(&pem).is_ok_and(|der| sign::key_id(&der) == key_id))
    }

    /// Takes what lies ready into use; what was in use goes to `key/old`. It may be repeated after a crash: the
    /// certificate goes last.
    pub fn promote(&self, replaced: &str) -> Result<(), Fault> {
        let old = self.0.join(OLD).join(if replaced.is_empty() { "unused" } else { replaced });
        for name in [DEVICE_KEY, CA_PEM, DEVICE_PEM] {
            let (from, to) = (self.next().join(name), self.0.join(name));
            if !from.is_file() {
                continue;
            }
            if to.is_file() {
                fs::create_dir_all(&old).map_err(|e| Fault::write(&old, "the folder of old keys", &e))?;
                let kept = old.join(name);
                fs::rename(&to, &kept).map_err(|e| Fault::write(&kept, "the old key", &e))?;
            }
            fs::rename(&from, &to).map_err(|e| Fault::write(&to, "the new key", &e))?;
        }
        disk::sync_folder(&self.0)
    }
}
