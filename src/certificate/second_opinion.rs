//! Another error calculator's reading beside ours at a load point.

use crate::quantity::{Current, Voltage};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What it said, and what we say. All errors in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondOpinion {
    /// Who.
    pub of: String,
    /// At which voltage.
    pub voltage_v: Voltage,
    /// At which current.
    pub current_a: Current,
    /// Its mean.
    pub mean_percent: f64,
    /// Its expanded uncertainty, certificate and scatter together; none where its certificate's is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_percent: Option<f64>,
    /// Readings in its mean.
    pub readings: usize,
    /// Our error.
    pub ours_percent: f64,
    /// Our expanded uncertainty.
    pub ours_expanded_percent: f64,
    /// Its difference from ours in parts of both expanded uncertainties together (`E_n`, ISO 13528); none where its own is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_n: Option<f64>,
}

impl SecondOpinion {
    /// A difference beyond both uncertainties, in words.
    pub fn finding(&self) -> Option<String> {
        let e_n = self.e_n.filter(|n| n.abs() > 1.0)?;
        Some(format!(
            "second opinion: {self}: they differ by more than both uncertainties (E_n = {e_n:+.1}). Is the constant the same at both, and the pulse line whole?"
        ))
    }
}

impl fmt::Display for SecondOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at {}, {} the {} says {:+.3} %",
            self.voltage_v, self.current_a, self.of, self.mean_percent
        )?;
        if let Some(expanded) = self.expanded_percent {
            write!(f, " ± {expanded:.3} %")?;
        }
        write!(f, ", we say {:+.3} % ± {:.3} %", self.ours_percent, self.ours_expanded_percent)
    }
}
