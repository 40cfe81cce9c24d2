//! The reference standard beside the source: samples of U, I, P and, where it counts itself, energy.

pub mod profile;
pub mod scpi;
mod track;

pub use profile::Profile;
pub use track::{Mean, Track, Unsteady, in_band};

use crate::quantity::{self, Current, Energy, Power, Voltage};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// Why the reference gave no sample.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Line or identity.
    #[error(transparent)]
    Instrument(#[from] crate::link::scpi::Fault),
    /// An answer that is no sample.
    #[error("the reference on {peer} answered `{seen}` to `{query}`; expected {expected}")]
    Garbage {
        /// Where.
        peer: String,
        /// What was asked.
        query: String,
        /// What came.
        seen: String,
        /// What should have come.
        expected: String,
    },
}

/// One sample of the reference, as it came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "Row", try_from = "Row")]
pub struct Sample {
    /// The moment it speaks for, on our clock.
    pub taken: Instant,
    /// Half-width of that moment: it was taken between question and answer.
    pub taken_half_width: Span,
    /// Voltage.
    pub voltage: Voltage,
    /// Current.
    pub current: Current,
    /// Active power.
    pub power: Power,
    /// Energy counted since it was switched on, where it counts.
    pub energy: Option<Energy>,
}

/// A sample in the record: `[taken ns, half-width ns, V, A, W, J or null]`.
#[derive(Serialize, Deserialize)]
struct Row(Instant, Span, f64, f64, f64, Option<f64>);

impl From<Sample> for Row {
    fn from(s: Sample) -> Self {
        Self(
            s.taken,
            s.taken_half_width,
            s.voltage.volts(),
            s.current.amperes(),
            s.power.watts(),
            s.energy.map(Energy::joules),
        )
    }
}

impl TryFrom<Row> for Sample {
    type Error = quantity::Fault;
    fn try_from(Row(taken, taken_half_width, u, i, p, e): Row) -> Result<Self, quantity::Fault> {
        Ok(Self {
            taken,
            taken_half_width,
            voltage: Voltage::try_from_volts(u)?,
            current: Current::try_from_amperes(i)?,
            power: Power::try_from_watts(p)?,
            energy: e.map(Energy::try_from_joules).transpose()?,
        })
    }
}

/// A reference standard.
pub trait Reference: Send {
    /// Takes one sample.
    fn sample(&mut self) -> Result<Sample, Fault>;
}
