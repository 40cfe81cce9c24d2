//! What a rule risks over a whole population of meters: the global risks for a stated prior (JCGM 106 9.5).

use super::risk::{Bounds, Zones};
use super::{Fault, Verdict, at_least, finite, positive};
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Gamma, Normal};

/// What is known of the population before the measurement: a stated assumption, printed with every global risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "prior", rename_all = "snake_case")]
pub enum Prior {
    /// Errors scattered about a mean (JCGM 106 9.5).
    Normal {
        /// Mean of the population.
        mean: f64,
        /// Its standard deviation.
        sd: f64,
    },
    /// A quantity that is never negative (JCGM 106 9.5.4): mean shape/rate.
    Gamma {
        /// Shape, at least 1.
        shape: f64,
        /// Rate, the inverse of the scale.
        rate: f64,
    },
}

/// A prior that was checked, ready for integration.
enum Density {
    Normal(Normal),
    Gamma(Gamma),
}

impl Density {
    fn at(&self, x: f64) -> f64 {
        match self {
            Self::Normal(normal) => normal.pdf(x),
            Self::Gamma(gamma) => gamma.pdf(x),
        }
    }

    fn split(&self, bounds: Bounds) -> (f64, f64) {
        match self {
            Self::Normal(normal) => bounds.split(&|x| normal.cdf(x), &|x| normal.sf(x)),
            Self::Gamma(gamma) => {
                // Below zero there is nothing; the distribution's own functions do not say so for −∞.
                let low = bounds.lower().max(0.0);
                let below = if low > 0.0 { gamma.cdf(low) } else { 0.0 };
                let above = if bounds.upper() <= 0.0 { 1.0 } else { gamma.sf(bounds.upper()) };
                ((1.0 - below - above).clamp(0.0, 1.0), (below + above).min(1.0))
            }
        }
    }
}

impl Prior {
    /// Mean and standard deviation.
    fn moments(&self) -> (f64, f64) {
        match *self {
            Self::Normal { mean, sd } => (mean, sd),
            Self::Gamma { shape, rate } => (shape / rate, shape.sqrt() / rate),
        }
    }

    fn density(&self) -> Result<Density, Fault> {
        match *self {
            Self::Normal { mean, sd } => {
                let (mean, sd) = (finite("prior mean", mean)?, positive("prior standard deviation", sd)?);
                Normal::new(mean, sd)
                    .map(Density::Normal)
                    .map_err(|_| Fault::NotPositive { what: "prior standard deviation", seen: sd })
            }
            Self::Gamma { shape, rate } => {
                let (shape, rate) = (at_least("prior shape", shape, 1.0)?, positive("prior rate", rate)?);
                Gamma::new(shape, rate)
                    .map(Density::Gamma)
                    .map_err(|_| Fault::NotPositive { what: "prior rate", seen: rate })
            }
        }
    }

    /// Where practically all of it lies: what is beyond counts less than 10⁻¹⁵.
    fn support(&self) -> (f64, f64) {
        let (mean, sd) = self.moments();
        match self {
            Self::Normal { .. } => (mean - 9.0 * sd, mean + 9.0 * sd),
            Self::Gamma { .. } => (0.0, mean + 40.0 * sd),
        }
    }
}

/// Shares of a population that is measured and judged (JCGM 106 9.5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Global {
    /// Conforming, before any measurement.
    pub conforming: f64,
    /// Passed.
    pub passed: f64,
    /// Failed; what is neither passed nor failed is undecided.
    pub failed: f64,
    /// Global consumer's risk: passed and yet not conforming, the false acceptances (JCGM 106 9.5).
    pub consumer: f64,
    /// Global producer's risk: failed and yet conforming, the false rejections (JCGM 106 9.5).
    pub producer: f64,
}

impl Global {
    /// For a population by `prior`, measured with standard uncertainty `u` (normal about the true value), meters
    /// conforming inside `tolerance`, judged by `zones`.
    ///
    /// The inner integral of the formulas, over the measured value, is the operating characteristic and is known
    /// exactly; the outer one, over the true value, is done by Gauss–Legendre on panels that end at every edge.
    pub fn of(prior: Prior, u: f64, tolerance: Bounds, zones: Zones) -> Result<Self, Fault> {
        let u = positive("u", u)?;
        let density = prior.density()?;
        let (conforming, _) = density.split(tolerance);
        let (from, to) = prior.support();
        let panels = panels(prior, u, tolerance, zones);
        let rule = gauss_legendre();
        let share = |verdict: Verdict, low: f64, high: f64| -> Result<f64, Fault> {
            let (low, high) = (low.max(from), high.min(to));
            let mut sum = 0.0;
            for panel in panels.windows(2) {
                let (a, b) = (panel[0].max(low), panel[1].min(high));
                if a >= b {
                    continue;
                }
                let (centre, half) = (f64::midpoint(a, b), (b - a) / 2.0);
                for (node, weight) in rule {
                    let truth = centre + half * node;
                    sum += weight
                        * half
                        * density.at(truth)
                        * zones.operating_characteristic(verdict, truth, u)?;
                }
            }
            Ok(sum)
        };
        let (lower, upper) = (tolerance.lower(), tolerance.upper());
        let inside = |verdict| share(verdict, lower, upper);
        let outside =
            |verdict| Ok(share(verdict, f64::NEG_INFINITY, lower)? + share(verdict, upper, f64::INFINITY)?);
        let (consumer, producer) = (outside(Verdict::Pass)?, inside(Verdict::Fail)?);
        let (passed, failed) = (inside(Verdict::Pass)? + consumer, outside(Verdict::Fail)? + producer);
        Ok(Self { conforming, passed, failed, consumer, producer })
    }
}

/// Panel ends: the density bends within a standard deviation, the operating characteristic within u of each edge.
fn panels(prior: Prior, u: f64, tolerance: Bounds, zones: Zones) -> Vec<f64> {
    let (mean, sd) = prior.moments();
    let (from, to) = prior.support();
    let mut ends = vec![from, to];
    ends.extend((-18..=80).map(|half| mean + f64::from(half) * 0.5 * sd));
    let edges = [Some(tolerance), zones.accept, zones.tolerate].into_iter().flatten();
    for edge in edges.flat_map(|b| [b.lower(), b.upper()]).filter(|edge| edge.is_finite()) {
        ends.extend((-9..=9).map(|step| edge + f64::from(step) * u));
    }
    ends.retain(|end| (from..=to).contains(end));
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    ends
}

/// Nodes and weights of the 16-point rule on (−1, 1), by Newton's method on the Legendre polynomial.
fn gauss_legendre() -> [(f64, f64); 16] {
    std::array::from_fn(|i| {
        let n = 16.0;
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut p, mut before) = (1.0, 0.0);
            for k in 0..16 {
                let k = f64::from(k);
                (p, before) = (((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0), p);
            }
            slope = n * (x * p - before) / (x * x - 1.0);
            x -= p / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Rule;
    use proptest::prelude::*;

    fn phi(x: f64) -> f64 {
        Normal::standard().cdf(x)
    }

    #[test]
    fn the_integration_rule_is_exact_for_polynomials() {
        let integral = |power: i32| gauss_legendre().iter().map(|(x, w)| w * x.powi(power)).sum::<f64>();
        for power in [0, 2, 10, 30] {
            assert!(
                (integral(power) - 2.0 / f64::from(power + 1)).abs() < 1e-14,
                "{power}: {}",
                integral(power)
            );
        }
        assert!(integral(7).abs() < 1e-14);
    }

    #[test]
    fn a_measurement_without_doubt_has_no_risk_and_a_hopeless_one_has_all() {
        let prior = Prior::Normal { mean: 0.2, sd: 0.6 };
        let tolerance = Bounds::symmetric(1.0).unwrap();
        let sharp = Global::of(prior, 1e-7, tolerance, Zones::binary(tolerance)).unwrap();
        assert!(
            sharp.consumer < 1e-7 && sharp.producer < 1e-7 && (sharp.passed - sharp.conforming).abs() < 1e-9
        );
        let blunt = Global::of(prior, 1e4, tolerance, Zones::binary(tolerance)).unwrap();
        assert!((blunt.producer - blunt.conforming).abs() < 1e-3);
    }

    #[test]
    fn a_guard_band_moves_the_risk_from_the_consumer_to_the_producer() {
        let prior = Prior::Normal { mean: 0.0, sd: 0.5 };
        let tolerance = Bounds::symmetric(1.0).unwrap();
        let risks = |r: f64| {
            let zones = Rule::Guarded { r }.zones(0.2, 1.0, rust_decimal::Decimal::ONE).unwrap();
            Global::of(prior, 0.1, tolerance, zones).unwrap()
        };
        let (none, half, full) = (risks(0.0), risks(0.5), risks(1.0));
        assert!(none.consumer > half.consumer && half.consumer > full.consumer);
        assert!(none.producer < half.producer && half.producer < full.producer);
        // Four answers reject later than two: the producer's risk becomes small as well.
        let zones = Rule::NonBinary { r: 1.0 }.zones(0.2, 1.0, rust_decimal::Decimal::ONE).unwrap();
        let four = Global::of(prior, 0.1, tolerance, zones).unwrap();
        assert!((four.consumer - full.consumer).abs() < 1e-15 && four.producer < none.producer);
    }

    #[test]
    fn where_nothing_is_accepted_everything_good_is_rejected() {
        let tolerance = Bounds::symmetric(1.0).unwrap();
        let zones = Zones { accept: None, tolerate: None };
        let global = Global::of(Prior::Normal { mean: 0.0, sd: 0.5 }, 0.1, tolerance, zones).unwrap();
        assert!(
            (global.producer - global.conforming).abs() < 1e-11 && global.passed.abs() < 1e-15,
            "{global:?}"
        );
    }

    #[test]
    fn a_prior_that_is_none_is_refused_by_name() {
        let tolerance = Bounds::symmetric(1.0).unwrap();
        let fault =
            |prior, u| Global::of(prior, u, tolerance, Zones::binary(tolerance)).unwrap_err().to_string();
        let good = Prior::Normal { mean: 0.0, sd: 1.0 };
        assert!(fault(good, 0.0).starts_with("u must be above zero"));
        assert!(fault(good, f64::NAN).starts_with("u must be a finite"));
        assert!(fault(Prior::Normal { mean: f64::NAN, sd: 1.0 }, 0.1).starts_with("prior mean"));
        assert!(fault(Prior::Normal { mean: 0.0, sd: 0.0 }, 0.1).starts_with("prior standard deviation"));
        assert!(
            fault(Prior::Gamma { shape: 0.5, rate: 1.0 }, 0.1).starts_with("prior shape must be at least 1")
        );
        assert!(fault(Prior::Gamma { shape: 2.0, rate: f64::NAN }, 0.1).starts_with("prior rate"));
    }

    proptest! {
        // y is normal with variance sd² + u²: the share that passes is known without any integral over the truth.
        #[test]
        fn the_shares_add_up_to_what_is_known_in_closed_form(
            mean in -1.5f64..1.5, sd in 0.01f64..2.0, u in 0.001f64..1.0, w in -0.5f64..0.9,
        ) {
            let tolerance = Bounds::symmetric(1.0).unwrap();
            let accept = tolerance.guarded(w).unwrap();
            let global = Global::of(Prior::Normal { mean, sd }, u, tolerance, Zones::binary(accept)).unwrap();
            let spread = sd.hypot(u);
            let passed = phi((accept.upper() - mean) / spread) - phi((accept.lower() - mean) / spread);
            prop_assert!((global.passed - passed).abs() < 1e-10, "{} {passed}", global.passed);
            prop_assert!((global.passed + global.failed - 1.0).abs() < 1e-10);
            prop_assert!((global.passed - global.consumer + global.producer - global.conforming).abs() < 1e-10);
        }

        #[test]
        fn the_sign_of_the_population_changes_no_risk(mean in 0.0f64..1.5, sd in 0.05f64..1.0, u in 0.01f64..0.5) {
            let tolerance = Bounds::symmetric(1.0).unwrap();
            let risk = |mean| Global::of(Prior::Normal { mean, sd }, u, tolerance, Zones::binary(tolerance)).unwrap();
            let (plus, minus) = (risk(mean), risk(-mean));
            prop_assert!((plus.consumer - minus.consumer).abs() < 1e-12 && (plus.producer - minus.producer).abs() < 1e-12);
        }
    }
}
