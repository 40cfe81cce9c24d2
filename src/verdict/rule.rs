//! The decision rules as data: the regulation's own, simple and guarded acceptance, and ILAC-G8's four answers.

use super::risk::{Bounds, Zones};
use super::rounding::as_written;
use super::{Fault, Verdict, at_least, finite, positive};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decision rule. The regulation's own is the statutory one; the others stand beside it and never replace it.
///
/// The regulation's rule judges the rounded value, because the regulation says so; all others judge the value as it
/// was measured, because a guard band narrower than the rounding would otherwise be rounded away.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// The rounded value against the limit where U is at most `ratio` times the limit; elsewhere the value with its
    /// uncertainty must lie wholly on one side of the limit, or nothing is decided (practice of JJF 1094-2002).
    RoundedIfCapable {
        /// Greatest U/MPE for which the uncertainty may be left out.
        ratio: f64,
    },
    /// Simple acceptance, w = 0 (ILAC-G8:09/2019 4.2.1): the value against the limit, whatever its uncertainty.
    Simple,
    /// Guarded acceptance (ILAC-G8:09/2019 4.2.2, JCGM 106 8.3.2): pass inside AL = TL − w with w = r·U, else fail.
    Guarded {
        /// Width of the guard band in units of U. With 1 a pass is false in at most 2.5 % of cases while U ≤ MPE/3;
        /// where U nears the limit itself both limits threaten, up to 5 %.
        r: f64,
    },
    /// Four answers (ILAC-G8:09/2019 4.2.3): the guard band w = r·U on both sides of the limit is conditional.
    NonBinary {
        /// Width of the guard band in units of U.
        r: f64,
    },
}

/// The four answers of ILAC-G8:09/2019 4.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Inside TL − w.
    Pass,
    /// Between TL − w and TL.
    ConditionalPass,
    /// Between TL and TL + w.
    ConditionalFail,
    /// Beyond TL + w.
    Fail,
}

impl Zone {
    /// As a verdict: what is conditional is not decided.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::ConditionalPass | Self::ConditionalFail => Verdict::Undecided,
            Self::Fail => Verdict::Fail,
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::ConditionalPass => "conditional pass",
            Self::ConditionalFail => "conditional fail",
            Self::Fail => "fail",
        })
    }
}

impl Rule {
    /// The rule in words for the paper.
    pub fn words(&self) -> String {
        match self {
            Self::RoundedIfCapable { ratio } => format!(
                "Rounded value against the limit (simple acceptance) where U ≤ MPE × {ratio:.3}; otherwise pass only if |error| ≤ MPE − U, fail only if |error| ≥ MPE + U, else undecided."
            ),
            Self::Simple => "Simple acceptance (ILAC-G8:09/2019 4.2.1): pass if |error| ≤ MPE, else fail; the value as measured, its uncertainty left out.".into(),
            Self::Guarded { r } => format!(
                "Guarded acceptance (ILAC-G8:09/2019 4.2.2) with guard band w = {r} × U: pass if |error| ≤ MPE − w, else fail; the value as measured."
            ),
            Self::NonBinary { r } => format!(
                "Non-binary rule (ILAC-G8:09/2019 4.2.3) with guard band w = {r} × U: pass if |error| ≤ MPE − w, conditional pass up to MPE, conditional fail up to MPE + w, fail beyond; a conditional answer is undecided; the value as measured."
            ),
        }
    }

    /// Judges `value` (unrounded and rounded) with expanded uncertainty `u_expanded` against ±`limit`, all in the
    /// same unit, and says why. A value, limit or uncertainty that is no number decides nothing, nor does a rule
    /// whose own figure is none.
    pub fn judge(&self, value: f64, rounded: Decimal, u_expanded: f64, limit: f64) -> (Verdict, String) {
        let (Some(limit_exact), Some(rounded_abs)) = (as_written(limit), rounded.abs().to_f64()) else {
            return (Verdict::Undecided, "limit or value is no number".into());
        };
        if !(value.is_finite() && u_expanded.is_finite() && u_expanded >= 0.0) {
            return (Verdict::Undecided, "the value or its uncertainty is no number".into());
        }
        let ratio = match *self {
            Self::RoundedIfCapable { ratio } => ratio,
            Self::Simple => {
                return if value.abs() <= limit_exact.to_f64().unwrap_or(f64::NAN) {
                    (Verdict::Pass, format!("|{value:.4}| ≤ {limit_exact}"))
                } else {
                    (Verdict::Fail, format!("|{value:.4}| > {limit_exact}"))
                };
            }
            Self::Guarded { .. } | Self::NonBinary { .. } => {
                return match self.zone(value, u_expanded, limit) {
                    Err(fault) => (Verdict::Undecided, fault.to_string()),
                    Ok((zone, w)) => (
                        if matches!(self, Self::NonBinary { .. }) || zone == Zone::Pass {
                            zone.verdict()
                        } else {
                            Verdict::Fail
                        },
                        format!("{zone}: |{value:.4}| against {limit_exact} with guard band {w:.4}"),
                    ),
                };
            }
        };
        if u_expanded <= ratio * limit * (1.0 + 1e-12) {
            return if rounded.abs() <= limit_exact {
                (Verdict::Pass, format!("|{rounded}| ≤ {limit_exact}"))
            } else {
                (Verdict::Fail, format!("|{rounded}| > {limit_exact}"))
            };
        }
        let magnitude = value.abs().max(rounded_abs);
        if magnitude <= limit - u_expanded {
            (Verdict::Pass, "U above the ratio; the value with U lies within the limit".into())
        } else if value.abs().min(rounded_abs) >= limit + u_expanded {
            (Verdict::Fail, "U above the ratio; the value less U lies beyond the limit".into())
        } else {
            (
                Verdict::Undecided,
                format!(
                    "U = {u_expanded:.3} is more than {ratio:.3} of the limit {limit_exact}, and the limit lies within U"
                ),
            )
        }
    }

    /// Which of ILAC-G8's four answers a value gets, and the guard band w that drew the lines. Without a guard band
    /// (the other rules) w is zero and only pass and fail are left.
    pub fn zone(&self, value: f64, u_expanded: f64, limit: f64) -> Result<(Zone, f64), Fault> {
        let magnitude = finite("value", value)?.abs();
        let limit = finite("limit", limit)?;
        let w = self.guard(u_expanded)?;
        let zone = if magnitude <= limit - w {
            Zone::Pass
        } else if magnitude <= limit {
            Zone::ConditionalPass
        } else if magnitude <= limit + w {
            Zone::ConditionalFail
        } else {
            Zone::Fail
        };
        Ok((zone, w))
    }

    fn guard(&self, u_expanded: f64) -> Result<f64, Fault> {
        let expanded = at_least("U", u_expanded, 0.0)?;
        match *self {
            Self::Guarded { r } | Self::NonBinary { r } => {
                // A negative guard band would be a relaxed acceptance: more uncertainty would help the meter.
                finite("guard band", at_least("guard factor r", r, 0.0)? * expanded)
            }
            Self::Simple | Self::RoundedIfCapable { .. } => Ok(0.0),
        }
    }

    /// Where the rule accepts and where it rejects a measured value, for an expanded uncertainty, a symmetric limit
    /// and the rounding interval (which only the regulation's rule looks at): what [`super::Global`] and the operating
    /// characteristic are made from.
    pub fn zones(&self, u_expanded: f64, limit: f64, interval: Decimal) -> Result<Zones, Fault> {
        let limit = positive("limit", limit)?;
        let w = self.guard(u_expanded)?;
        let within = |half_width: f64| (half_width > 0.0).then(|| Bounds::symmetric(half_width)).transpose();
        match *self {
            Self::Simple | Self::Guarded { .. } => {
                let accept = within(limit - w)?;
                Ok(Zones { accept, tolerate: accept })
            }
            Self::NonBinary { .. } => Ok(Zones { accept: within(limit - w)?, tolerate: within(limit + w)? }),
            Self::RoundedIfCapable { ratio } => {
                let n = positive("rounding interval", interval.to_f64().unwrap_or(f64::NAN))?;
                // What is rounded to a multiple within the limit lies up to half an interval beyond that multiple.
                let up_to = |x: f64| multiples(x, interval).map(|(below, _)| below + n / 2.0);
                let from = |x: f64| multiples(x, interval).map(|(_, above)| above - n / 2.0);
                if u_expanded <= ratio * limit * (1.0 + 1e-12) {
                    let accept = within(up_to(limit)?)?;
                    return Ok(Zones { accept, tolerate: accept });
                }
                let (low, high) = (limit - u_expanded, limit + u_expanded);
                let accept = if low >= 0.0 { within(low.min(up_to(low)?))? } else { None };
                Ok(Zones { accept, tolerate: within(high.max(from(high)?))? })
            }
        }
    }
}

/// The greatest multiple of the interval that is not above `x`, and the least that is not below it.
fn multiples(x: f64, interval: Decimal) -> Result<(f64, f64), Fault> {
    let refused = Fault::NotFinite { what: "value in rounding intervals", seen: x };
    let steps = Decimal::from_f64(x).and_then(|x| x.round_dp(9).checked_div(interval));
    let back = |steps: Decimal| steps.checked_mul(interval)?.to_f64();
    steps.and_then(|s| Some((back(s.floor())?, back(s.ceil())?))).ok_or(refused)
}

#[cfg(test)]
mod tests;
