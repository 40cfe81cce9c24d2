//! How a profile wants errors judged, and what it assumes of meters before they are measured.

use super::Figure;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The decision rule of a profile, as its file has it: `rounded`, `simple`, `guarded 1 U`, `non-binary 1 U`. What each of
/// them does is said where it is done: `verdict::Rule`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rule {
    /// The regulation's own: the rounded error against the limit, where the uncertainty is small enough.
    Rounded,
    /// The error as it is against the limit.
    Simple,
    /// The error against the limit less a guard band w = r·U.
    Guarded {
        /// Above 0, at most 3.
        r: f64,
    },
    /// Four answers, with a guard band w = r·U on either side of the limit.
    NonBinary {
        /// Above 0, at most 3.
        r: f64,
    },
}

/// The widest guard band that ILAC-G8:09/2019 Table 1 names, in units of U; that nothing wider is taken is a choice of
/// this house.
const R_MAX: f64 = 3.0;

/// A text that is no decision rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{seen}` is no decision rule; write `rounded`, `simple`, `guarded 1 U` or `non-binary 1 U`, where the number is the guard band in units of U, above 0 and at most {R_MAX} (ILAC-G8:09/2019 Table 1)"
)]
pub struct NoRule {
    seen: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rounded => f.write_str("rounded"),
            Self::Simple => f.write_str("simple"),
            Self::Guarded { r } => write!(f, "guarded {r} U"),
            Self::NonBinary { r } => write!(f, "non-binary {r} U"),
        }
    }
}

impl FromStr for Rule {
    type Err = NoRule;
    fn from_str(text: &str) -> Result<Self, NoRule> {
        let factor = |r: &str| r.parse().ok().filter(|r| *r > 0.0 && *r <= R_MAX);
        let rule = match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["rounded"] => Some(Self::Rounded),
            ["simple"] => Some(Self::Simple),
            ["guarded", r, "U"] => factor(r).map(|r| Self::Guarded { r }),
            ["non-binary", r, "U"] => factor(r).map(|r| Self::NonBinary { r }),
            _ => None,
        };
        rule.ok_or_else(|| NoRule { seen: text.to_owned() })
    }
}

impl TryFrom<String> for Rule {
    type Error = NoRule;
    fn try_from(text: String) -> Result<Self, NoRule> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

/// What is assumed of the errors of meters before they are measured: normal, in units of the limit (JCGM 106 9.5
/// needs a prior). Only the global risks beside a verdict follow from it, no verdict does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Mean of the population over the limit, from −10 to 10.
    pub mean_over_limit: Figure<f64>,
    /// Its standard deviation over the limit, from 0.01 to 100.
    pub sd_over_limit: Figure<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_its_own_text() {
        for text in ["rounded", "simple", "guarded 1 U", "guarded 0.83 U", "non-binary 1 U", "guarded 3 U"] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{text}\""));
        }
        assert_eq!(" non-binary   0.50 U".parse::<Rule>().unwrap(), Rule::NonBinary { r: 0.5 });
    }

    #[test]
    fn a_guard_band_that_is_none_is_refused_with_what_is_allowed() {
        for text in [
            "guarded",
            "guarded U",
            "guarded 0 U",
            "guarded -1 U",
            "guarded nan U",
            "guarded 3.1 U",
            "non-binary 1",
            "rounded 1 U",
            "strict",
            "",
        ] {
            let fault = text.parse::<Rule>().unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!(
                    "`{text}` is no decision rule; write `rounded`, `simple`, `guarded 1 U`"
                )) && fault.contains("above 0 and at most 3"),
                "{fault}"
            );
        }
    }
}
