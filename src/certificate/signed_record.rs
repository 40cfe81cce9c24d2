//! The record that a meter signed of the run's transaction: whether it is the meter's, what it says, what stands against
//! it. The bytes themselves are among the raw data; this is computed from them alone.
//!
//! What each answer does to the verdict is a rule of this house; no regulation of the profiles speaks of signed records.
//! Not authentic, malformed, of another meter or transaction, or an energy that contradicts the meter's own register:
//! the data output is undecided, so that no pass comes of it. Key unknown, algorithm unsupported, a departure from the
//! form, no record at all: a finding, the verdict is that of the other ways.

use super::raw::Event;
use super::record::Record;
use crate::meter::ocmf::{Authenticity, Checked, Imported};
use crate::meter::transaction::Came;
use crate::time::{Instant, Span};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Whether a record is the meter's, as in `phantomload ocmf verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The key has signed exactly these bytes.
    Valid,
    /// It has not.
    NotAuthentic,
    /// No key is on the nameplate.
    KeyUnknown,
    /// The way it is signed is not checked by this program.
    Unsupported,
    /// No record, or damaged so far that there is nothing to check.
    Malformed,
}

impl Answer {
    /// Of a check.
    pub const fn of(authenticity: &Authenticity) -> Self {
        match authenticity {
            Authenticity::Valid => Self::Valid,
            Authenticity::NotAuthentic { .. } => Self::NotAuthentic,
            Authenticity::KeyUnknown => Self::KeyUnknown,
            Authenticity::Unsupported { .. } => Self::Unsupported,
            Authenticity::Malformed(_) => Self::Malformed,
        }
    }

    /// Whether a record of this kind may be the meter's, so that its energy is worth a look.
    pub const fn may_be_the_meters(self) -> bool {
        matches!(self, Self::Valid | Self::KeyUnknown | Self::Unsupported)
    }
}

/// What a record says of its transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The register.
    pub register: String,
    /// At the begin.
    #[serde(with = "rust_decimal::serde::str")]
    pub from_kwh: Decimal,
    /// At the end.
    #[serde(with = "rust_decimal::serde::str")]
    pub to_kwh: Decimal,
    /// The difference.
    #[serde(with = "rust_decimal::serde::str")]
    pub energy_kwh: Decimal,
}

impl From<Imported> for Said {
    fn from(imported: Imported) -> Self {
        let Imported { register, from_kwh, to_kwh, energy_kwh, .. } = imported;
        Self { register, from_kwh, to_kwh, energy_kwh }
    }
}

/// A record that came, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Whether it is the meter's.
    pub result: Answer,
    /// The same in words.
    pub words: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The key it was checked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The meter it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// How it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The energy of the transaction, where it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<Said>,
    /// From the end of the transaction to the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Span>,
    /// Where it departs from its specification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<String>,
    /// What stands against it and keeps a pass away, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<String>,
}

/// The signed record of a run, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedRecord {
    /// Name of the transaction.
    pub transaction: String,
    /// When the meter began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Instant>,
    /// When it ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Instant>,
    /// The record, checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Looked>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_none: Option<String>,
}

impl Looked {
    /// What a check has brought; what stands against it besides is added by who knows the run.
    pub fn new(checked: &Checked, sha256: String, key: Option<String>, waited: Option<Span>) -> Self {
        let result = Answer::of(&checked.authenticity);
        let field = |name: &str| Some(checked.record.as_ref()?.field(name)?.to_owned());
        let against = match result {
            Answer::NotAuthentic | Answer::Malformed => {
                vec![format!("the signed record is {}", checked.authenticity)]
            }
            Answer::Valid | Answer::KeyUnknown | Answer::Unsupported => vec![],
        };
        Self {
            result,
            words: checked.authenticity.to_string(),
            sha256,
            key,
            meter: field("MS").or_else(|| field("GS")),
            page: field("PG"),
            algorithm: checked.record.as_ref().map(|record| record.algorithm().to_owned()),
            energy: checked.record.as_ref().and_then(|record| record.imported().ok()).map(Said::from),
            waited,
            deviations: checked.deviations.iter().map(ToString::to_string).collect(),
            against,
        }
    }
}

/// The bytes of the signed record among the raw data, exactly as the meter gave them.
pub fn bytes(record: &Record) -> Option<&[u8]> {
    record.raw.iter().rev().find_map(|logged| match &logged.1 {
        Event::Transacted(told) => match &told.came {
            Came::Record(bytes) => Some(bytes.as_slice()),
            _ => None,
        },
        _ => None,
    })
}
