//! A second opinion: what an error calculator that is not ours says of the meter. Kept beside ours, never averaged with it.

use crate::plan::Load;
use serde::{Deserialize, Serialize};

/// Error readings of another calculator at a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// At which load.
    pub load: Load,
    /// The mean as it was given, in percent.
    pub mean_percent: f64,
    /// Each reading, in percent.
    pub readings_percent: Vec<f64>,
    /// The answer in one line, as it came.
    pub raw: String,
}

impl Opinion {
    /// Standard uncertainty of the mean by the scatter of its readings (JCGM 100 4.2.3), in percent; `None` for fewer than
    /// two.
    pub fn scatter_percent(&self) -> Option<f64> {
        let count = self.readings_percent.len();
        if count < 2 {
            return None;
        }
        let mean = self.readings_percent.iter().sum::<f64>() / count as f64;
        let squares: f64 = self.readings_percent.iter().map(|x| (x - mean).powi(2)).sum();
        Some((squares / ((count - 1) as f64 * count as f64)).sqrt())
    }
}
