//! The chain of entries over every run started. An entry is never changed, and each names the one before it.
//!
//! An entry is JSON in the one form of RFC 8785, of integers and texts only. On the disk it stands as one line: a compact JWS
//! (RFC 7515) whose payload is that JSON; without a key an unsecured one (`alg` none). `prev` is the SHA-256 of the
//! payload before it, so that a signed entry also holds all that stand before it.

mod check;

pub use check::{ChainReport, Depth, Finding, Flaw, Head, certificates, check, check_each};

use super::sign::{self, Doubt, ES256, NONE, Signer, jws};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the form.
pub const VERSION: u32 = 1;

/// `prev` of the first entry.
pub const NONE_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A run was started; on the disk before its first point.
    RunOpen,
    /// A run was completed: the package with its files.
    Verdict,
    /// A run ended without a verdict, or the program died in it.
    Aborted,
    /// The papers of a completed run were made later than its verdict.
    Papers,
    /// A person signed as verifier, checker or approver; or a laboratory answers for a regulation profile.
    Approval,
    /// A paper was issued: its package.
    Issue,
    /// A paper was issued in place of another: its package.
    Amend,
    /// A paper was taken back.
    Withdraw,
    /// Another key or device certificate from here on.
    KeyChange,
    /// Persons, laboratory or another setting changed.
    ConfigChange,
    /// The device's clock was set.
    ClockSet,
}

impl fmt::Display for Kind {
    /// The word of files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RunOpen => "run_open",
            Self::Verdict => "verdict",
            Self::Aborted => "aborted",
            Self::Papers => "papers",
            Self::Approval => "approval",
            Self::Issue => "issue",
            Self::Amend => "amend",
            Self::Withdraw => "withdraw",
            Self::KeyChange => "key_change",
            Self::ConfigChange => "config_change",
            Self::ClockSet => "clock_set",
        })
    }
}

/// What the device's clock was worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// `system`, `ntp`, `gnss`, `rtc` or `unset`.
    pub source: String,
    /// Seconds since it was last compared; absent where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
}

/// One entry. As `manifest.json` of a package it also says what the package holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version of the form.
    pub v: u32,
    /// Counts the entries of a device from 1.
    pub seq: u64,
    /// SHA-256 of the entry before it, in lower-case hexadecimal.
    pub prev: String,
    /// The device.
    pub device: String,
    /// What it tells of.
    pub kind: Kind,
    /// The original record's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The paper's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// When, with offset.
    pub time: String,
    /// What the clock was worth.
    pub clock: Clock,
    /// `pass`, `fail` or `undecided`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// What else is said: `person`, `role`, `reason`, `replaces`, `profile` …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub said: BTreeMap<String, String>,
    /// SHA-256 of each file of the package, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The algorithm that signs it; `none` without a key.
    pub alg: String,
    /// The key that signs it; empty without one.
    pub key_id: String,
}

/// What an entry is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not JSON of an entry, or not in the one form.
    #[error("no entry of a chain: {what}")]
    Form {
        /// What was seen.
        what: String,
    },
    /// The line around it does not hold.
    #[error(transparent)]
    Line(#[from] Doubt),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] sign::Fault),
    /// It names another key than the one that signs.
    #[error("the entry names the key `{named}` ({alg}), it is signed by `{signed}`")]
    OtherKey {
        /// The algorithm in the entry.
        alg: String,
        /// The key in the entry.
        named: String,
        /// The key of the signature.
        signed: String,
    },
}

impl Entry {
    /// Its bytes: JSON in the one form of RFC 8785. This is also `manifest.json`.
    ///
    /// # Panics
    /// Never: an entry is made of texts and integers only.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(self).expect("texts and integers can be written")
    }

    /// Reads an entry; bytes that would be written otherwise are refused.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Fault> {
        let form = |what: String| Fault::Form { what };
        let entry: Self = serde_json::from_slice(bytes).map_err(|e| form(e.to_string()))?;
        if entry.v != VERSION {
            return Err(form(format!("version {}; this program knows {VERSION}", entry.v)));
        }
        if entry.to_json() != bytes {
            return Err(form("not written in the form of RFC 8785".into()));
        }
        Ok(entry)
    }

    /// SHA-256 of its bytes: `prev` of the next entry.
    pub fn sha256(&self) -> [u8; 32] {
        sign::sha256(&self.to_json())
    }

    /// Its line, signed where there is a key. `alg` and `key_id` must name that key.
    pub fn line(&self, signer: Option<&dyn Signer>) -> Result<String, Fault> {
        self.names(signer.map(|s| sign::key_id(s.certificate())).as_deref())?;
        Ok(jws::sign(signer, &self.to_json())?)
    }

    /// Reads a line, without its line feed. Its signature is not checked here: [`check`].
    pub fn from_line(line: &str) -> Result<Self, Fault> {
        let parts = jws::parts(line)?;
        let entry = Self::from_json(&parts.payload)?;
        entry.names(parts.key_id.as_deref())?;
        Ok(entry)
    }

    fn names(&self, key_id: Option<&str>) -> Result<(), Fault> {
        let expected = key_id.map_or((NONE, ""), |id| (ES256, id));
        if (self.alg.as_str(), self.key_id.as_str()) == expected {
            return Ok(());
        }
        Err(Fault::OtherKey {
            alg: self.alg.clone(),
            named: self.key_id.clone(),
            signed: expected.1.to_owned(),
        })
    }
}
