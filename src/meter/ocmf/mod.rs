//! Signed records in the Open Charge Metering Format: read, checked over the exact bytes that were signed, compared.
//!
//! Source: OCMF as SAFE e.V. publishes it (revision 1.4.1 as the house's protocol notes have it, field tables of
//! revision 1.2). A record is `OCMF|payload|signature`; the payload is never written anew, since a space or a zero more
//! would be another record. Whether it is authentic, and whether it keeps to the specification, are two questions:
//! [`check`] answers both. A key that comes with a record proves nothing and is never taken by itself.

mod conformance;
pub mod envelope;
mod key;
mod object;
mod reading;
mod record;
mod signature;

pub use key::{Key, NoKey};
pub use reading::{Imported, Reading};
pub use record::{Malformed, RECORD_MAX, Record};
pub use signature::Curve;

use serde::Serialize;
use std::fmt;

/// Whether a record is the meter's. Only [`Authenticity::Valid`] says yes; each other answer says whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Authenticity {
    /// The key has signed exactly these bytes.
    Valid,
    /// It has not: changed since, or signed by another.
    NotAuthentic {
        /// In words.
        why: String,
    },
    /// No key of this meter is at hand: nothing can be said.
    KeyUnknown,
    /// The record is signed in a way that this program does not check: nothing can be said.
    Unsupported {
        /// As the record or the key names it.
        algorithm: String,
    },
    /// No record, or one that was damaged so far that there is nothing to check.
    Malformed(Malformed),
}

impl Authenticity {
    /// Whether the record is the meter's.
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }

    /// One word, as in the program's JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotAuthentic { .. } => "not_authentic",
            Self::KeyUnknown => "key_unknown",
            Self::Unsupported { .. } => "unsupported",
            Self::Malformed(_) => "malformed",
        }
    }
}

impl fmt::Display for Authenticity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("valid: the key has signed exactly these bytes"),
            Self::NotAuthentic { why } => write!(f, "not authentic: {why}"),
            Self::KeyUnknown => f.write_str(
                "key unknown: without the meter's public key nothing can be said; read it from the meter's label or its maker's register",
            ),
            Self::Unsupported { algorithm } => {
                write!(f, "algorithm unsupported: `{algorithm}` is not one that this program checks")
            }
            Self::Malformed(malformed) => write!(f, "malformed: {malformed}"),
        }
    }
}

/// Where a record departs from the specification, or from what was measured beside it. It does not touch authenticity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// The field: `RD[1].RV`, `SD`, `energy`.
    pub at: String,
    /// What stands there and what should.
    pub what: String,
}

impl Deviation {
    fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into() }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// What checking a record has brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Whether it is the meter's.
    pub authenticity: Authenticity,
    /// What departs from the specification.
    pub deviations: Vec<Deviation>,
    /// The record; none where it is malformed.
    pub record: Option<Record>,
}

/// Checks the bytes of one record with the meter's public key, if that is known. Never panics, whatever comes.
pub fn check(bytes: &[u8], key: Option<&Key>) -> Checked {
    let malformed = |malformed| Checked {
        authenticity: Authenticity::Malformed(malformed),
        deviations: vec![],
        record: None,
    };
    let record = match Record::parse(bytes) {
        Ok(record) => record,
        Err(why) => return malformed(why),
    };
    let mut deviations = record.deviations().to_vec();
    let authenticity = match signature::verify(&record, key, &mut deviations) {
        Authenticity::Malformed(why) => return malformed(why),
        authenticity => authenticity,
    };
    Checked { authenticity, deviations, record: Some(record) }
}
