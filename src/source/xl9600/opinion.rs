//! The answer to 误差读取 as a second opinion.

use super::message::Message;
use crate::plan::Load;
use crate::source::Opinion;

/// From the answer to 误差读取 (均值 the mean, 原始值 each reading); `None` where it holds no mean, or readings that are no
/// numbers.
pub(super) fn read(load: Load, message: &Message) -> Option<Opinion> {
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
    Some(Opinion { load, mean_percent, readings_percent, raw: message.to_string() })
}
