//! The chain of entries over every run started. An entry is never changed, and each names the one before it.
//!
//! An entry is JSON in the one form of RFC 8785, of integers and texts only. On the disk it stands as one line: a compact JWS
//! (RFC 7515) whose payload is that JSON; without a key an unsecured one (`alg` none). `prev` is the SHA-256 of the
//! payload before it, so that a signed entry also holds all that stand before it.

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
