//! Uncertainty in GUM's words: components with their evidence, combined by one list that is also the printed budget.

//!
//! | part | what it is |
//! |---|---|
//! | here | a budget of independent components, u_c, ν_eff, k, U |
//! | [`expression`] | the measurement model as text |
//! | [`distribution`] | what is known of an input, and draws from it |
//! | [`model`] | inputs, correlations, series of simultaneous observations, outputs |
//! | [`propagation`] | the law of propagation with correlations (GUM 5.2.2) |
//! | [`monte_carlo`] | propagation of distributions (JCGM 101), and whether it agrees with the law |
//! | [`sequential`] | when to stop taking readings |
//! | [`file`](mod@file) | a model as a TOML file |

mod correlation;
pub mod distribution;
pub mod expression;
pub mod file;
pub mod model;
pub mod monte_carlo;
pub mod propagation;
pub mod sequential;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Coverage probability for which k = 2 with infinite degrees of freedom.
pub const COVERAGE: f64 = 0.9545;

/// How a component was found (GUM 4.2, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// From repeated observations.
    A,
    /// From other knowledge.
    B,
}

/// One line of a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// What it is.
    pub label: String,
    /// A or B.
    pub kind: Kind,
    /// Its standard uncertainty, already multiplied with its sensitivity: in the unit of the result.
    pub u: f64,
    /// Degrees of freedom; absent: infinite.
    pub dof: Option<f64>,
    /// Where it is known from.
    pub evidence: String,
}

impl Component {
    /// A component of kind B with infinite degrees of freedom.
    pub fn b(label: &str, u: f64, evidence: impl Into<String>) -> Self {
        Self { label: label.to_owned(), kind: Kind::B, u, dof: None, evidence: evidence.into() }
    }

    /// A quantity known to lie within ±`half_width`, every value as likely (GUM 4.3.7).
    pub fn rectangular(label: &str, half_width: f64, evidence: impl Into<String>) -> Self {
        Self::b(label, half_width / 3f64.sqrt(), evidence)
    }
}

/// A value with its combined standard uncertainty, degrees of freedom and expanded uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Combined standard uncertainty.
    pub u: f64,
    /// Effective degrees of freedom; absent: infinite.
    pub dof: Option<f64>,
    /// Coverage factor.
    pub k: f64,
    /// Expanded uncertainty U = k·u.
    pub expanded: f64,
}

/// A budget that cannot be combined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("uncertainty component `{label}` is {u}; it must be a number not below zero")]
pub struct Fault {
    label: String,
    u: f64,
}

/// Mean, standard uncertainty of the mean and degrees of freedom of repeated readings (GUM 4.2). `None` for fewer
/// than two: one reading has no scatter, which is not the same as none.
pub fn type_a(readings: &[f64]) -> Option<(f64, f64, f64)> {
    let n = readings.len();
    if n < 2 {
        return None;
    }
    let mean = readings.iter().sum::<f64>() / n as f64;
    let square = readings.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    Some((mean, (square / n as f64).sqrt(), (n - 1) as f64))
}

/// Combines independent components (GUM 5.1.2) with Welch–Satterthwaite (GUM G.4.1) and k from Student's t (GUM G.3).
pub fn combine(value: f64, budget: &[Component]) -> Result<Estimate, Fault> {
    if let Some(bad) = budget.iter().find(|c| !(c.u.is_finite() && c.u >= 0.0)) {
        return Err(Fault { label: bad.label.clone(), u: bad.u });
    }
    let u = budget.iter().map(|c| c.u * c.u).sum::<f64>().sqrt();
    let spread: f64 = budget.iter().filter_map(|c| c.dof.map(|dof| c.u.powi(4) / dof)).sum();
    let dof = (spread > 0.0).then(|| u.powi(4) / spread);
    let k = coverage_factor(dof);
    Ok(Estimate { value, u, dof, k, expanded: k * u })
}

/// k for [`COVERAGE`]; degrees of freedom are cut to the next lower integer (GUM G.4.1 note), above 10⁴ infinite.
pub fn coverage_factor(dof: Option<f64>) -> f64 {
    coverage_factor_at(COVERAGE, dof)
}

/// `k_p` = `t_p(ν)` for coverage probability `p` between 0 and 1 (GUM G.3.2), ν cut and bounded as above.
pub fn coverage_factor_at(p: f64, dof: Option<f64>) -> f64 {
    let upper = f64::midpoint(1.0, p);
    match dof.map(whole_dof) {
        Some(dof) if dof < 1e4 => StudentsT::new(0.0, 1.0, dof).map_or(f64::NAN, |t| t.inverse_cdf(upper)),
        _ => Normal::standard().inverse_cdf(upper),
    }
}

/// Degrees of freedom cut to the next lower integer (GUM G.4.1 note), never below 1. What is a whole number but for
/// rounding stays that number: four degrees of freedom computed as 3.999 999 999 9 are four.
pub fn whole_dof(dof: f64) -> f64 {
    (dof * (1.0 + 1e-9)).floor().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_follows_the_table_of_gum_g2() {
        // GUM Table G.2, column p = 95.45 %.
        for (dof, k) in [(1.0, 13.97), (2.0, 4.53), (5.0, 2.65), (10.0, 2.28), (50.0, 2.05)] {
            assert!((coverage_factor(Some(dof)) - k).abs() < 0.006, "{dof}: {}", coverage_factor(Some(dof)));
        }
        assert!((coverage_factor(None) - 2.0).abs() < 0.001);
    }

    #[test]
    fn four_degrees_of_freedom_stay_four() {
        assert_eq!((whole_dof(3.999_999_999_9), whole_dof(3.99), whole_dof(0.2)), (4.0, 3.0, 1.0));
        assert!((coverage_factor(Some(3.999_999_999_9)) - coverage_factor(Some(4.0))).abs() < 1e-12);
    }

    #[test]
    fn components_add_in_squares() {
        let estimate = combine(1.0, &[Component::b("a", 3.0, "x"), Component::b("b", 4.0, "y")]).unwrap();
        assert!((estimate.u - 5.0).abs() < 1e-12 && estimate.dof.is_none());
    }

    #[test]
    fn welch_satterthwaite_keeps_the_few_readings_in_mind() {
        let a =
            Component { label: "a".into(), kind: Kind::A, u: 1.0, dof: Some(1.0), evidence: String::new() };
        let estimate = combine(0.0, &[a, Component::b("b", 1.0, "")]).unwrap();
        assert!((estimate.dof.unwrap() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_component_that_is_no_number_is_refused_by_name() {
        assert!(
            combine(0.0, &[Component::b("drift", f64::NAN, "")]).unwrap_err().to_string().contains("drift")
        );
    }

    #[test]
    fn one_reading_has_no_scatter() {
        assert!(type_a(&[1.0]).is_none());
        let (mean, u, dof) = type_a(&[1.0, 3.0]).unwrap();
        assert_eq!((mean, u, dof), (2.0, 1.0, 1.0));
    }
}
