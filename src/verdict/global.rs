//! What a rule risks over a whole population of meters: the global risks for a stated prior (JCGM 106 9.5).

use super::risk::{Bounds, Zones};
use super::{Fault, Verdict, at_least, finite, positive};
use crate::regulation::Profile;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Gamma, Normal};
use std::sync::LazyLock;

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
    /// What a regulation profile assumes of the errors of meters against a symmetric `limit`, in the limit's unit; none
    /// where it assumes nothing.
    pub fn of(profile: &Profile, limit: f64) -> Option<Self> {
        let prior = profile.prior.as_ref()?;
        let (mean, sd) = (prior.mean_over_limit.value * limit, prior.sd_over_limit.value * limit);
        Some(Self::Normal { mean, sd })
    }

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
    /// conforming inside `tolerance`, judged by `zones`; all in one unit.
    ///
    /// The inner integral of the formulas, over the measured value, is the operating characteristic and is known
    /// exactly; the outer one, over the true value, is done by Gauss–Legendre near the edges of the zones. Elsewhere
    /// every meter gets the same verdict, and the prior's own distribution function is exact. Cheap enough to stand
    /// beside every number of a run.
    pub fn of(prior: Prior, u: f64, tolerance: Bounds, zones: Zones) -> Result<Self, Fault> {
        let population =
            Population { density: prior.density()?, u: positive("u", u)?, zones, edges: edges(zones) };
        let (conforming, _) = population.density.split(tolerance);
        let (from, to) = prior.support();
        let ends = population.panels(prior, tolerance);
        let (mut good, mut bad) = (Shares::default(), Shares::default());
        for panel in ends.windows(2) {
            let (a, b) = (panel[0].max(from), panel[1].min(to));
            let side = if tolerance.contains(f64::midpoint(a, b)) { &mut good } else { &mut bad };
            population.add(side, a, b)?;
        }
        Ok(Self {
            conforming,
            passed: good.pass + bad.pass,
            failed: good.fail + bad.fail,
            consumer: bad.pass,
            producer: good.fail,
        })
    }
}

/// Shares of a population that were given a verdict.
#[derive(Default)]
struct Shares {
    pass: f64,
    fail: f64,
}

/// A population with its measurement and its zones, checked.
struct Population {
    density: Density,
    u: f64,
    zones: Zones,
    edges: Vec<f64>,
}

/// So many u from an edge the verdict is certain to 10⁻¹⁵.
const NEAR: f64 = 8.0;

fn edges(zones: Zones) -> Vec<f64> {
    let edges = [zones.accept, zones.tolerate].into_iter().flatten().flat_map(|b| [b.lower(), b.upper()]);
    let mut edges: Vec<f64> = edges.filter(|edge| edge.is_finite()).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

impl Population {
    /// Panel ends, so narrow that 16 nodes suffice: the density bends within some standard deviations, the operating
    /// characteristic within u of each edge; at the limits conforming ends.
    fn panels(&self, prior: Prior, tolerance: Bounds) -> Vec<f64> {
        let (mean, sd) = prior.moments();
        let (from, to) = prior.support();
        let mut ends = vec![from, to];
        match prior {
            Prior::Normal { .. } => ends.extend((-2..=2).map(|third| mean + f64::from(third) * 3.0 * sd)),
            // Bent sharply where it begins.
            Prior::Gamma { .. } => ends.extend((0..=80).map(|half| f64::from(half) * 0.5 * sd)),
        }
        let steps = [-NEAR, -NEAR / 3.0, NEAR / 3.0, NEAR];
        ends.extend(self.edges.iter().flat_map(|edge| steps.map(|step| edge + step * self.u)));
        ends.extend([tolerance.lower(), tolerance.upper()]);
        ends.retain(|end| (from..=to).contains(end));
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        ends
    }

    /// Adds what the meters with true values between `a` and `b` are given.
    fn add(&self, shares: &mut Shares, a: f64, b: f64) -> Result<(), Fault> {
        let (centre, half) = (f64::midpoint(a, b), (b - a) / 2.0);
        if half <= 0.0 {
            return Ok(());
        }
        if self.edges.iter().all(|edge| (centre - edge).abs() > NEAR * self.u) {
            let (all, _) = self.density.split(Bounds::between(a, b)?);
            match self.zones.verdict(centre) {
                Verdict::Pass => shares.pass += all,
                Verdict::Fail => shares.fail += all,
                Verdict::Undecided => {}
            }
            return Ok(());
        }
        for (node, weight) in NODES.iter() {
            let truth = centre + half * node;
            let (pass, fail) = self.zones.chances(truth, self.u);
            let weight = weight * half * self.density.at(truth);
            shares.pass += weight * pass;
            shares.fail += weight * fail;
        }
        Ok(())
    }
}

/// Nodes and weights, computed once.
static NODES: LazyLock<[(f64, f64); 16]> = LazyLock::new(gauss_legendre);

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
