//! Several ways to one energy, each against the reference over the same stretch, and whether every two of them agree.
//!
//! A list of ways and a list of pairs: a further way is one more entry. Nothing here is averaged; a disagreement is
//! kept as what it is, with the cause that the other ways make likely.

use super::record::Point;
use crate::quantity::Energy;
use crate::time::Instant;
use crate::uncertainty::{Component, Estimate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to the energy of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Our reference, corrected by its certificate.
    Reference,
    /// Counted pulses: N/C.
    Pulses,
    /// Difference of the meter's register.
    Register,
    /// The meter's own power, times time.
    Power,
    /// A record that the meter signs.
    SignedRecord,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reference => "reference",
            Self::Pulses => "pulses",
            Self::Register => "register",
            Self::Power => "active power",
            Self::SignedRecord => "signed record",
        })
    }
}

/// What a way says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// An energy.
    Energy {
        /// Over the whole stretch.
        energy_j: Energy,
        /// Its deviation from the reference's energy in percent of that. The uncertainty is the way's own: that of the
        /// reference, which all ways share, stands in the reference's line alone.
        deviation: Estimate,
        /// What makes that uncertainty, in percent.
        budget: Vec<Component>,
    },
    /// Nothing, and why.
    Nothing {
        /// In words.
        why: String,
    },
}

/// A way and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// The way.
    pub way: Way,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
}

/// Whether two ways agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Within what limits and uncertainty allow.
    Agree,
    /// So uncertain that agreement would say nothing: U is beyond the limit of the error itself.
    TooCoarse,
    /// Further apart than limits and uncertainty allow together.
    Disagree,
}

/// Two ways held against one another. All numbers in percent of the reference's energy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Which two.
    pub ways: [Way; 2],
    /// The first minus the second.
    pub difference: f64,
    /// Combined expanded uncertainty of the difference, k as in each way's estimate.
    pub expanded: f64,
    /// What the meter's limits allow besides.
    pub allowed: f64,
    /// The outcome.
    pub agreement: Agreement,
    /// What likely lies behind it; none where they agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// The cross-check of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossCheck {
    /// The load point whose power and limit are used.
    pub point: Point,
    /// Begin of the stretch.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
    /// The ways, the reference first.
    pub witnesses: Vec<Witness>,
    /// Every two of those that say something.
    pub pairs: Vec<Pair>,
}
