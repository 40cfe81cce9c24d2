//! From a number to an answer: rounding as the regulation says, and the decision rule, named on paper.

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is said of the meter. Ordered: a worse answer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Conforms.
    Pass,
    /// The evidence does not suffice for either.
    Undecided,
    /// Does not conform.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Undecided => "UNDECIDED",
            Self::Fail => "FAIL",
        })
    }
}

/// The verdict on the meter from those on its items: one fail fails it, one undecided leaves it undecided, and no
/// item at all is no pass.
pub fn overall(items: impl IntoIterator<Item = Verdict>) -> Verdict {
    items.into_iter().max().unwrap_or(Verdict::Undecided)
}

/// Rounds to the interval, an exact half to the even multiple (JJG 596-2026 7.4.1): value/n → integer → × n.
///
/// Exact decimals throughout: 0.15 at 0.1 is a half, although binary arithmetic says it is a little less. A value
/// too large for a decimal (beyond 10²⁸) gives `None`.
pub fn round_to_interval(value: f64, interval: Decimal) -> Option<Decimal> {
    let exact = Decimal::from_f64(value)?;
    let steps = exact.checked_div(interval)?.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    let mut rounded = steps.checked_mul(interval)?;
    rounded.rescale(interval.scale());
    // There is no negative nothing on paper.
    Some(if rounded.is_zero() { rounded.abs() } else { rounded })
}

/// A decision rule. The regulation's own is the statutory one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// The rounded value against the limit where U is at most `ratio` times the limit; elsewhere the value with its
    /// uncertainty must lie wholly on one side of the limit, or nothing is decided.
    RoundedIfCapable {
        /// Greatest U/MPE for which the uncertainty may be left out.
        ratio: f64,
    },
}

impl Rule {
    /// The rule in words for the paper.
    pub fn words(&self) -> String {
        match self {
            Self::RoundedIfCapable { ratio } => format!(
                "Rounded value against the limit (simple acceptance) where U ≤ MPE × {ratio:.3}; otherwise pass only if |error| ≤ MPE − U, fail only if |error| ≥ MPE + U, else undecided."
            ),
        }
    }

    /// Judges `value` (unrounded and rounded) with expanded uncertainty `u_expanded` against ±`limit`, all in the
    /// same unit, and says why. A value, limit or uncertainty that is no number decides nothing.
    pub fn judge(&self, value: f64, rounded: Decimal, u_expanded: f64, limit: f64) -> (Verdict, String) {
        let Self::RoundedIfCapable { ratio } = *self;
        let (Some(limit_exact), Some(rounded_abs)) = (Decimal::from_f64(limit), rounded.abs().to_f64())
        else {
            return (Verdict::Undecided, "limit or value is no number".into());
        };
        if !(value.is_finite() && u_expanded.is_finite() && u_expanded >= 0.0) {
            return (Verdict::Undecided, "the value or its uncertainty is no number".into());
        }
        // The limit as a person would write it: binary residue below 1e-9 is no part of it.
        let limit_exact = limit_exact.round_dp(9).normalize();
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_exact_half_goes_to_the_even_multiple() {
        for (value, interval, printed) in [
            (0.15, "0.1", "0.2"),
            (0.25, "0.1", "0.2"),
            (-0.25, "0.1", "-0.2"),
            (0.35, "0.1", "0.4"),
            (0.049, "0.1", "0.0"),
            (-0.049, "0.1", "0.0"),
            (0.3, "0.2", "0.4"),
            (0.1, "0.2", "0.0"),
            (1.0249, "0.05", "1.00"),
            (0.025, "0.05", "0.00"),
        ] {
            assert_eq!(
                round_to_interval(value, d(interval)).unwrap().to_string(),
                printed,
                "{value} at {interval}"
            );
        }
    }

    #[test]
    fn the_verdict_uses_the_rounded_value() {
        let rule = Rule::RoundedIfCapable { ratio: 1.0 / 3.0 };
        assert_eq!(rule.judge(1.04, d("1.0"), 0.1, 1.0).0, Verdict::Pass);
        assert_eq!(rule.judge(1.06, d("1.1"), 0.1, 1.0).0, Verdict::Fail);
        assert_eq!(rule.judge(-1.06, d("-1.1"), 0.1, 1.0).0, Verdict::Fail);
    }

    #[test]
    fn a_large_uncertainty_decides_only_what_it_cannot_hide() {
        let rule = Rule::RoundedIfCapable { ratio: 1.0 / 3.0 };
        assert_eq!(rule.judge(0.2, d("0.2"), 0.5, 1.0).0, Verdict::Pass);
        assert_eq!(rule.judge(0.7, d("0.7"), 0.5, 1.0).0, Verdict::Undecided);
        assert_eq!(rule.judge(1.6, d("1.6"), 0.5, 1.0).0, Verdict::Fail);
        assert_eq!(rule.judge(0.0, d("0.0"), f64::NAN, 1.0).0, Verdict::Undecided);
    }

    #[test]
    fn no_item_is_no_pass_and_one_fail_fails() {
        assert_eq!(overall([]), Verdict::Undecided);
        assert_eq!(overall([Verdict::Pass, Verdict::Undecided, Verdict::Fail]), Verdict::Fail);
    }

    proptest! {
        #[test]
        fn more_uncertainty_never_makes_a_pass(value in -3.0f64..3.0, u in 0.0f64..3.0, more in 0.0f64..3.0) {
            let rule = Rule::RoundedIfCapable { ratio: 1.0 / 3.0 };
            let rounded = round_to_interval(value, d("0.1")).unwrap();
            let (before, after) = (rule.judge(value, rounded, u, 1.0).0, rule.judge(value, rounded, u + more, 1.0).0);
            prop_assert!(before == Verdict::Pass || after != Verdict::Pass, "{value} {u} {more}: {before:?} → {after:?}");
        }
    }
}
