//! The bench's own error readings: kept beside ours, never averaged with them.

use super::message::Message;
use crate::plan::Load;
use crate::uncertainty::Estimate;
use serde::{Deserialize, Serialize};

/// What the bench's error calculator says of the meter at a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// At which load.
    pub load: Load,
    /// 均值: the mean, in percent.
    pub mean_percent: f64,
    /// 原始值: each reading, in percent.
    pub readings_percent: Vec<f64>,
    /// The answer in one line, as it came.
    pub raw: String,
}

impl Opinion {
    /// From the answer to 误差读取; `None` where it holds no mean, or readings that are no numbers.
    pub(super) fn read(load: Load, message: &Message) -> Option<Self> {
        let percent = |text: &str| -> Option<f64> {
            text.trim().trim_end_matches('%').parse().ok().filter(|n: &f64| n.is_finite())
        };
        let mean_percent = percent(message.get("均值")?)?;
        let readings = message.get("原始值").unwrap_or_default();
        let readings_percent = readings
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .map(percent)
            .collect::<Option<Vec<f64>>>()?;
        Some(Self { load, mean_percent, readings_percent, raw: message.to_string() })
    }

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

/// Holds the bench's opinion against our error, in percent: a finding where they differ by more than both expanded
/// uncertainties together. `bench_expanded_percent` is from the bench's own certificate.
pub fn second_opinion(ours: &Estimate, theirs: &Opinion, bench_expanded_percent: f64) -> Option<String> {
    let scatter = 2.0 * theirs.scatter_percent().unwrap_or(0.0);
    let their_expanded = bench_expanded_percent.hypot(scatter);
    let apart = theirs.mean_percent - ours.value;
    (apart.abs() > ours.expanded.hypot(their_expanded)).then(|| {
        format!(
            "at {}, {} the XL-9600's own error calculator says {:+.3} % ± {:.3} %, we say {:+.3} % ± {:.3} %: they differ by more than both uncertainties. Is the constant the same at both, and the pulse line whole?",
            theirs.load.voltage_v,
            theirs.load.current_a,
            theirs.mean_percent,
            their_expanded,
            ours.value,
            ours.expanded
        )
    })
}
