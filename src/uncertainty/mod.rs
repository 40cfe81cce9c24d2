//! Uncertainty in GUM's words: components with their evidence, combined by one list that is also the printed budget.
//!
//! | part | what it is |
//! |---|---|
//! | here | a budget of independent components, u_c, ν_eff, k, U; what two results have in common |
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

/// Coverage probability of every stated interval: `k = t_0.95(ν)`, 1.96 with infinite degrees of freedom (GUM G.1.3,
/// Table G.2).
pub const COVERAGE: f64 = 0.95;

/// How a component was found (GUM 4.2, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// From repeated observations.
    A,
    /// From other knowledge.
    B,
}

/// The distribution that is assumed of a component (JCGM 101 6.4); `u` is its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Normal; Student's t scaled by `u` where the degrees of freedom are finite (JCGM 101 6.4.7, 6.4.9).
    #[default]
    Normal,
    /// Every value within ±√3·u as likely (GUM 4.3.7).
    Rectangular,
    /// The sum of two equal rectangular ones, within ±√6·u (GUM 4.3.9).
    Triangular,
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
    /// Its distribution.
    #[serde(default)]
    pub shape: Shape,
    /// By how much the result changes for one unit of the quantity itself, in its own unit as `evidence` gives it; with
    /// its sign, so that a shared cause may cancel. 1 where that quantity is in the unit of the result.
    #[serde(default = "one")]
    pub sensitivity: f64,
    /// The cause that other results of the same run share: an unknown of the same size there, and of the same sign but
    /// for the sensitivity. None: a cause of this result alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
}

fn one() -> f64 {
    1.0
}

impl Component {
    /// A component of kind B with infinite degrees of freedom, normal.
    pub fn b(label: &str, u: f64, evidence: impl Into<String>) -> Self {
        Self {
            label: label.to_owned(),
            kind: Kind::B,
            u,
            dof: None,
            evidence: evidence.into(),
            shape: Shape::Normal,
            sensitivity: 1.0,
            shared: None,
        }
    }

    /// A component of kind A with its degrees of freedom (GUM 4.2).
    pub fn a(label: &str, u: f64, dof: f64, evidence: impl Into<String>) -> Self {
        Self { kind: Kind::A, dof: Some(dof), ..Self::b(label, u, evidence) }
    }

    /// A quantity known to lie within ±`half_width`, every value as likely (GUM 4.3.7).
    pub fn rectangular(label: &str, half_width: f64, evidence: impl Into<String>) -> Self {
        Self { shape: Shape::Rectangular, ..Self::b(label, half_width / 3f64.sqrt(), evidence) }
    }

    /// A quantity known to lie within ±`half_width`, values in the middle likelier (GUM 4.3.9): the difference of two
    /// rectangular ones of half of that each.
    pub fn triangular(label: &str, half_width: f64, evidence: impl Into<String>) -> Self {
        Self { shape: Shape::Triangular, ..Self::b(label, half_width / 6f64.sqrt(), evidence) }
    }

    /// The same seen in a result that changes by `sensitivity` for one unit of it.
    #[must_use]
    pub fn with_sensitivity(self, sensitivity: f64) -> Self {
        Self { u: self.u * sensitivity.abs(), sensitivity, ..self }
    }

    /// The same as one that other results share by this cause.
    #[must_use]
    pub fn sharing(self, cause: impl Into<String>) -> Self {
        Self { shared: Some(cause.into()), ..self }
    }

    /// With its sign, for what is summed with others of the same cause.
    fn signed(&self) -> f64 {
        self.u * self.sensitivity.signum()
    }
}

/// Correlation coefficient of two results by the causes that they share, r = Σ u(a)ᵢ·u(b)ᵢ/(u(a)·u(b)) (GUM F.1.2.3);
/// 0 where one of them has no uncertainty.
pub fn correlation_by_causes(a: &[Component], b: &[Component]) -> f64 {
    let u = |budget: &[Component]| budget.iter().map(|c| c.u * c.u).sum::<f64>().sqrt();
    let scale = u(a) * u(b);
    let pairs = a.iter().filter(|x| x.shared.is_some()).flat_map(|x| b.iter().map(move |y| (x, y)));
    let covariance: f64 =
        pairs.filter(|(x, y)| x.shared == y.shared).map(|(x, y)| x.signed() * y.signed()).sum();
    if scale > 0.0 { (covariance / scale).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The share of a result's standard uncertainty that comes from one cause, with its sign: −1 to 1.
pub fn share_of_cause(budget: &[Component], cause: &str) -> f64 {
    let u = budget.iter().map(|c| c.u * c.u).sum::<f64>().sqrt();
    let of_cause: f64 =
        budget.iter().filter(|c| c.shared.as_deref() == Some(cause)).map(Component::signed).sum();
    if u > 0.0 { (of_cause / u).clamp(-1.0, 1.0) } else { 0.0 }
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
        // GUM Table G.2, column p = 95 %.
        for (dof, k) in [(1.0, 12.71), (2.0, 4.30), (5.0, 2.57), (10.0, 2.23), (50.0, 2.01)] {
            assert!((coverage_factor(Some(dof)) - k).abs() < 0.006, "{dof}: {}", coverage_factor(Some(dof)));
        }
        assert!((coverage_factor(None) - 1.960).abs() < 0.0005);
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
        let a = Component::a("a", 1.0, 1.0, "");
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
    fn the_half_widths_of_the_shapes_are_those_of_the_gum() {
        let flat = Component::rectangular("flat", 3f64.sqrt(), "");
        let triangle = Component::triangular("triangle", 6f64.sqrt(), "").with_sensitivity(-2.0);
        assert!((flat.u - 1.0).abs() < 1e-12 && (triangle.u - 2.0).abs() < 1e-12);
        assert_eq!((flat.shape, triangle.shape), (Shape::Rectangular, Shape::Triangular));
    }

    #[test]
    fn results_are_correlated_by_the_causes_they_share_and_by_no_others() {
        let own = || Component::b("own", 3.0, "");
        let shared = |c: f64| Component::b("reference", 4.0, "").with_sensitivity(c).sharing("reference 1");
        let r = |a, b| correlation_by_causes(&[own(), a], &[own(), b]);
        assert!((r(shared(1.0), shared(1.0)) - 16.0 / 25.0).abs() < 1e-12);
        assert!((r(shared(1.0), shared(-1.0)) + 16.0 / 25.0).abs() < 1e-12);
        assert_eq!(r(shared(1.0), shared(1.0).sharing("reference 2")), 0.0);
        assert_eq!(correlation_by_causes(&[], &[own()]), 0.0);
        assert!((share_of_cause(&[own(), shared(-1.0)], "reference 1") + 0.8).abs() < 1e-12);
    }

    #[test]
    fn a_component_of_an_older_record_is_read_as_normal_and_its_own() {
        let text = r#"{"label":"x","kind":"B","u":1.0,"dof":null,"evidence":"y"}"#;
        assert_eq!(serde_json::from_str::<Component>(text).unwrap(), Component::b("x", 1.0, "y"));
    }

    #[test]
    fn one_reading_has_no_scatter() {
        assert!(type_a(&[1.0]).is_none());
        let (mean, u, dof) = type_a(&[1.0, 3.0]).unwrap();
        assert_eq!((mean, u, dof), (2.0, 1.0, 1.0));
    }
}
