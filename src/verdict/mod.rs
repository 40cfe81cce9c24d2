//! From a number to an answer: rounding as the regulation says, the decision rule named on paper, and what the answer
//! risks.
//!
//! A [`Rule`] is data: it judges one value against a symmetric limit and says in words what it did. Beside its verdict
//! stands [`Conformity`], the probability that this meter conforms (JCGM 106 clause 7), and for a whole population
//! with a stated [`Prior`] the [`Global`] risks of false acceptance and false rejection (JCGM 106 9.5).

mod global;
mod joint;
mod risk;
mod rounding;
mod rule;

pub use global::{Global, Prior};
pub use joint::{Shared, joint_conformity};
pub use risk::{Bounds, Conformity, Zones};
pub use rounding::round_to_interval;
pub use rule::{Rule, Zone};

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

/// Why no risk can be stated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Not a number or infinite.
    #[error("{what} must be a finite number, not {seen}")]
    NotFinite {
        /// The name of the number.
        what: &'static str,
        /// What was given.
        seen: f64,
    },
    /// Zero or below.
    #[error("{what} must be above zero, not {seen}; without it there is no probability to state")]
    NotPositive {
        /// The name of the number.
        what: &'static str,
        /// What was given.
        seen: f64,
    },
    /// Too small a number.
    #[error("{what} must be at least {least}, not {seen}")]
    TooSmall {
        /// The name of the number.
        what: &'static str,
        /// What was given.
        seen: f64,
        /// The least allowed.
        least: f64,
    },
    /// Limits that leave no value between them.
    #[error("no value lies between {lower} and {upper}")]
    Empty {
        /// The lower limit.
        lower: f64,
        /// The upper limit.
        upper: f64,
    },
}

/// Refuses NaN and infinity by name.
fn finite(what: &'static str, seen: f64) -> Result<f64, Fault> {
    if seen.is_finite() { Ok(seen) } else { Err(Fault::NotFinite { what, seen }) }
}

/// Refuses NaN, infinity, zero and what is below it, by name.
fn positive(what: &'static str, seen: f64) -> Result<f64, Fault> {
    if finite(what, seen)? > 0.0 { Ok(seen) } else { Err(Fault::NotPositive { what, seen }) }
}

/// Refuses NaN, infinity and what is below `least`, by name.
fn at_least(what: &'static str, seen: f64, least: f64) -> Result<f64, Fault> {
    if finite(what, seen)? >= least { Ok(seen) } else { Err(Fault::TooSmall { what, seen, least }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_item_is_no_pass_and_one_fail_fails() {
        assert_eq!(overall([]), Verdict::Undecided);
        assert_eq!(overall([Verdict::Pass, Verdict::Undecided, Verdict::Fail]), Verdict::Fail);
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        assert_eq!(
            finite("value", f64::NAN).unwrap_err().to_string(),
            "value must be a finite number, not NaN"
        );
        assert!(positive("u", 0.0).unwrap_err().to_string().starts_with("u must be above zero, not 0"));
        assert!(positive("u", f64::INFINITY).is_err() && positive("u", -1.0).is_err());
        assert_eq!(at_least("r", -0.5, 0.0).unwrap_err().to_string(), "r must be at least 0, not -0.5");
    }
}
