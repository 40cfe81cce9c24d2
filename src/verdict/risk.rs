//! What a verdict on one meter risks: the probability of conformity and the specific risks (JCGM 106 clause 7).

use super::{Fault, Verdict, finite, positive};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// An interval of values, perhaps open to one side: a tolerance or an acceptance interval (JCGM 106 clause 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Row", into = "Row")]
pub struct Bounds {
    lower: f64,
    upper: f64,
}

/// Bounds in a file: a side without a limit has no key there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lower: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upper: Option<f64>,
}

impl TryFrom<Row> for Bounds {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        Self::checked(row.lower.unwrap_or(f64::NEG_INFINITY), row.upper.unwrap_or(f64::INFINITY))
    }
}

impl From<Bounds> for Row {
    fn from(bounds: Bounds) -> Self {
        Self {
            lower: Some(bounds.lower).filter(|l| l.is_finite()),
            upper: Some(bounds.upper).filter(|u| u.is_finite()),
        }
    }
}

impl Bounds {
    fn checked(lower: f64, upper: f64) -> Result<Self, Fault> {
        for (what, seen) in [("lower limit", lower), ("upper limit", upper)] {
            if seen.is_nan() {
                return Err(Fault::NotFinite { what, seen });
            }
        }
        if lower < upper { Ok(Self { lower, upper }) } else { Err(Fault::Empty { lower, upper }) }
    }

    /// From −`half_width` to +`half_width`: the limit of a metering error.
    pub fn symmetric(half_width: f64) -> Result<Self, Fault> {
        let half_width = positive("limit", half_width)?;
        Self::checked(-half_width, half_width)
    }

    /// From `lower` to `upper`.
    pub fn between(lower: f64, upper: f64) -> Result<Self, Fault> {
        Self::checked(finite("lower limit", lower)?, finite("upper limit", upper)?)
    }

    /// A single upper limit.
    pub fn at_most(upper: f64) -> Result<Self, Fault> {
        Self::checked(f64::NEG_INFINITY, finite("upper limit", upper)?)
    }

    /// A single lower limit.
    pub fn at_least(lower: f64) -> Result<Self, Fault> {
        Self::checked(finite("lower limit", lower)?, f64::INFINITY)
    }

    /// The lower limit; −∞ where there is none.
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper limit; +∞ where there is none.
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// Whether a value lies inside; the limits belong to it.
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }

    /// The interval less a guard band `w` at each limit (JCGM 106 8.3.2); a negative one widens it.
    pub fn guarded(&self, w: f64) -> Result<Self, Fault> {
        let w = finite("guard band", w)?;
        Self::checked(self.lower + w, self.upper - w)
    }

    /// Probabilities inside and outside, each summed from its own tails so that a small one keeps its digits.
    pub(super) fn split(&self, cdf: &impl Fn(f64) -> f64, survival: &impl Fn(f64) -> f64) -> (f64, f64) {
        let (below, above) = (cdf(self.lower), survival(self.upper));
        // Φ(b) − Φ(a), taken on the side where both are small.
        let inside = if self.lower > 0.0 { survival(self.lower) - above } else { cdf(self.upper) - below };
        let middle = (1.0 - below - above).clamp(0.0, 1.0);
        let far = self.lower > 0.0 || self.upper < 0.0;
        (if far { inside.clamp(0.0, 1.0) } else { middle }, (below + above).min(1.0))
    }
}

/// What is believed of one meter after its measurement (JCGM 106 clause 7).
///
/// The measured value is the best estimate and its uncertainty the whole knowledge, a prior that says next to nothing
/// (JCGM 106 clause 7): normal with standard deviation u, or, where u itself rests on few degrees of freedom, Student's t
/// scaled by u (GUM G.3.2, JCGM 101 6.4.9). The t is the right one here: U = k·u takes its k from the same t, so that a
/// guard band of one U means the same 2.5 % whatever the degrees of freedom; with a normal distribution in its place
/// five readings would look as certain as five hundred. As in k, the degrees of freedom are cut to an integer and
/// count as infinite from 10⁴ on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Conformity {
    /// Probability of conformity Pc (JCGM 106 clause 7).
    pub probability: f64,
    /// The probability that it does not conform, 1 − Pc, with all its digits.
    pub complement: f64,
}

impl Conformity {
    /// For a measured `value` with standard uncertainty `u` and its degrees of freedom (absent: infinite) against
    /// `limits`: Pc = F((upper − y)/u) − F((lower − y)/u)
    /// (JCGM 106 clause 7).
    pub fn of(value: f64, u: f64, dof: Option<f64>, limits: Bounds) -> Result<Self, Fault> {
        let (value, u) = (finite("value", value)?, positive("u", u)?);
        let standardised = Bounds { lower: (limits.lower - value) / u, upper: (limits.upper - value) / u };
        let (probability, complement) = match dof {
            Some(dof) if dof.is_nan() || dof <= 0.0 => {
                return Err(Fault::NotPositive { what: "degrees of freedom", seen: dof });
            }
            Some(dof) if dof < 1e4 => match StudentsT::new(0.0, 1.0, dof.floor().max(1.0)) {
                Ok(t) => standardised.split(&|x| t.cdf(x), &|x| t.sf(x)),
                Err(_) => return Err(Fault::NotPositive { what: "degrees of freedom", seen: dof }),
            },
            _ => {
                let normal = Normal::standard();
                standardised.split(&|x| normal.cdf(x), &|x| normal.sf(x))
            }
        };
        Ok(Self { probability, complement })
    }

    /// The specific risk of a verdict (JCGM 106 clauses 3.3 and 7): of a pass, that the meter does not conform
    /// (specific consumer's risk, 1 − Pc); of a fail, that it does (specific producer's risk, Pc). Who decides nothing
    /// risks nothing.
    pub fn specific_risk(&self, verdict: Verdict) -> Option<f64> {
        match verdict {
            Verdict::Pass => Some(self.complement),
            Verdict::Fail => Some(self.probability),
            Verdict::Undecided => None,
        }
    }
}

/// Where a rule accepts and where it rejects a measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Zones {
    /// Values that pass; none where the guard band leaves no room.
    pub accept: Option<Bounds>,
    /// Values that do not fail: the same as `accept` in a binary rule. None: every value fails.
    pub tolerate: Option<Bounds>,
}

impl Zones {
    /// A binary rule: pass inside, fail outside.
    pub fn binary(accept: Bounds) -> Self {
        Self { accept: Some(accept), tolerate: Some(accept) }
    }

    /// The verdict on a measured value.
    pub fn verdict(&self, value: f64) -> Verdict {
        let inside = |bounds: Option<Bounds>| bounds.is_some_and(|b| b.contains(value));
        match (inside(self.accept), inside(self.tolerate)) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Undecided,
            (false, false) => Verdict::Fail,
        }
    }

    /// The operating characteristic: the probability that a meter of the true value `truth`, measured with standard
    /// uncertainty `u`, is given this verdict. P(pass | truth) is the usual curve.
    pub fn operating_characteristic(&self, verdict: Verdict, truth: f64, u: f64) -> Result<f64, Fault> {
        let (truth, u) = (finite("true value", truth)?, positive("u", u)?);
        let normal = Normal::standard();
        let split = |bounds: Option<Bounds>| {
            bounds.map_or((0.0, 1.0), |b| {
                let about = Bounds { lower: (b.lower - truth) / u, upper: (b.upper - truth) / u };
                about.split(&|x| normal.cdf(x), &|x| normal.sf(x))
            })
        };
        let (pass, fail) = (split(self.accept).0, split(self.tolerate).1);
        Ok(match verdict {
            Verdict::Pass => pass,
            Verdict::Fail => fail,
            Verdict::Undecided => (1.0 - pass - fail).max(0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertainty::coverage_factor;
    use crate::verdict::Rule;
    use proptest::prelude::*;

    fn one() -> Bounds {
        Bounds::symmetric(1.0).unwrap()
    }

    #[test]
    fn a_value_at_the_limit_conforms_with_one_half() {
        let c = Conformity::of(1.0, 0.01, None, one()).unwrap();
        assert!((c.probability - 0.5).abs() < 1e-12 && (c.complement - 0.5).abs() < 1e-12);
        assert_eq!(c.specific_risk(Verdict::Undecided), None);
    }

    #[test]
    fn a_small_risk_keeps_its_digits() {
        // 1 − Φ(8) = 6.220960574e-16.
        let c = Conformity::of(0.2, 0.1, None, Bounds::at_most(1.0).unwrap()).unwrap();
        assert!((c.complement / 6.220_960_574e-16 - 1.0).abs() < 1e-6, "{c:?}");
        let beyond = Conformity::of(1.8, 0.1, None, Bounds::at_most(1.0).unwrap()).unwrap();
        assert!((beyond.probability / 6.220_960_574e-16 - 1.0).abs() < 1e-6, "{beyond:?}");
    }

    #[test]
    fn a_guard_band_of_one_u_risks_at_most_two_and_a_half_percent() {
        for dof in [None, Some(2.0), Some(4.9), Some(30.0), Some(9e3), Some(2e4)] {
            // Up to U = MPE/3, beyond which the regulation's own rule changes.
            for expanded in [1e-3, 0.1, 1.0 / 3.0] {
                let rule = Rule::Guarded { r: 1.0 };
                let accept = rule.zones(expanded, 1.0, rust_decimal::Decimal::ONE).unwrap().accept.unwrap();
                let c = Conformity::of(accept.upper(), expanded / coverage_factor(dof), dof, one()).unwrap();
                let risk = c.specific_risk(Verdict::Pass).unwrap();
                assert!((0.022..=0.025 + 1e-9).contains(&risk), "{dof:?} {expanded}: {risk}");
            }
        }
    }

    #[test]
    fn an_uncertainty_as_wide_as_the_limit_is_threatened_from_both_sides() {
        let c = Conformity::of(0.0, 1.0 / coverage_factor(None), None, one()).unwrap();
        assert!((c.complement - (1.0 - crate::uncertainty::COVERAGE)).abs() < 1e-6, "{c:?}");
    }

    #[test]
    fn few_degrees_of_freedom_make_less_sure() {
        let at = |dof| Conformity::of(0.9, 0.04, dof, one()).unwrap().probability;
        assert!(at(Some(2.0)) < at(Some(10.0)) && at(Some(10.0)) < at(None));
        assert!((at(Some(2e4)) - at(None)).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_probability_is_refused_by_name() {
        let fault = |value, u, dof| Conformity::of(value, u, dof, one()).unwrap_err().to_string();
        assert_eq!(fault(f64::NAN, 0.1, None), "value must be a finite number, not NaN");
        assert!(fault(0.0, 0.0, None).starts_with("u must be above zero"));
        assert!(fault(0.0, f64::NAN, None).starts_with("u must be a finite number"));
        assert!(fault(0.0, 0.1, Some(f64::NAN)).starts_with("degrees of freedom"));
        assert!(fault(0.0, 0.1, Some(0.0)).starts_with("degrees of freedom"));
        assert!(Bounds::symmetric(f64::NAN).is_err() && Bounds::symmetric(0.0).is_err());
        assert!(Bounds::between(2.0, 1.0).is_err() && Bounds::at_most(f64::INFINITY).is_err());
        assert_eq!(one().guarded(1.5).unwrap_err(), Fault::Empty { lower: 0.5, upper: -0.5 });
        assert!(Zones::binary(one()).operating_characteristic(Verdict::Pass, 0.0, -1.0).is_err());
    }

    #[test]
    fn bounds_survive_their_file() {
        for bounds in [one(), Bounds::at_most(2.0).unwrap(), Bounds::at_least(-1.0).unwrap()] {
            let text = serde_json::to_string(&bounds).unwrap();
            assert_eq!(serde_json::from_str::<Bounds>(&text).unwrap(), bounds, "{text}");
        }
        assert!(serde_json::from_str::<Bounds>(r#"{"lower":1.0,"upper":0.5}"#).is_err());
    }

    proptest! {
        #[test]
        fn the_sign_of_the_error_changes_no_probability(
            value in -3.0f64..3.0, u in 1e-3f64..2.0, dof in prop::option::of(1.0f64..100.0),
        ) {
            let [plus, minus] = [value, -value].map(|v| Conformity::of(v, u, dof, one()).unwrap());
            prop_assert!((plus.probability - minus.probability).abs() < 1e-9);
            prop_assert!((plus.probability + plus.complement - 1.0).abs() < 1e-9);
        }

        #[test]
        fn the_three_verdicts_share_all_probability(truth in -3.0f64..3.0, u in 1e-3f64..1.0, w in 0.0f64..1.5) {
            let zones = Zones { accept: one().guarded(w).ok(), tolerate: one().guarded(-w).ok() };
            let p = |verdict| zones.operating_characteristic(verdict, truth, u).unwrap();
            let sum = p(Verdict::Pass) + p(Verdict::Undecided) + p(Verdict::Fail);
            prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
