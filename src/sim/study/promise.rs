//! What the program promises of a population, and how far chance alone may stray from it.

use super::Law;
use crate::verdict::{Bounds, Fault, Global, Prior, Zones};
use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};
use std::collections::BTreeMap;

/// Confidence of every interval and bound of a study: one in a hundred is missed by chance alone.
pub const CONFIDENCE: f64 = 0.99;

/// Where the integral over what all points of a meter share ends, in standard deviations, and its step. The integrand
/// is smooth and dies away on both sides: there the trapezoidal rule converges faster than any power of the step.
const SHARED: (i32, f64) = (28, 0.25);

/// A load point as the program says it judges it: what its promise is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The limit, in percent; the population is drawn in units of it.
    pub limit_percent: f64,
    /// Stated standard uncertainty, in percent.
    pub u_percent: f64,
    /// Where the rule accepts and rejects at the stated uncertainty, in percent.
    pub zones: Zones,
}

/// Shares of a population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Passed although the truth lies beyond the tolerance.
    pub false_accepts: f64,
    /// Failed although the truth lies within.
    pub false_rejects: f64,
}

/// The global risks at one load point (JCGM 106 9.5), for meters that conform within ±`tolerance` percent.
pub fn at_point(law: Law, judged: &Judged, tolerance: f64) -> Result<Shares, Fault> {
    let prior = Prior::Normal { mean: 0.0, sd: law.sd() * judged.limit_percent };
    let global = Global::of(prior, judged.u_percent, Bounds::symmetric(tolerance)?, judged.zones)?;
    Ok(Shares { false_accepts: global.consumer, false_rejects: global.producer })
}

/// The same on the meter: passed at every point although beyond at one, failed at one although within at all.
///
/// Given what all points of a meter share, its points are independent; over that one number an integral is left. The
/// errors of measurement at different points are taken as independent. They are not quite, for the points share a
/// reference; but they are small beside the population, and taken as wholly common they move these risks by a few
/// percent of themselves, as the test below shows.
pub fn on_meter(law: Law, points: &[(Judged, f64)]) -> Result<Shares, Fault> {
    let (ends, step) = SHARED;
    let mut shares = Shares { false_accepts: 0.0, false_rejects: 0.0 };
    for no in -ends..=ends {
        let z = f64::from(no) * step;
        let weight = step * (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let (mut passed, mut rightly_passed, mut conforming, mut spared) = (1.0, 1.0, 1.0, 1.0);
        for (judged, tolerance) in points {
            let limit = judged.limit_percent;
            let prior = Prior::Normal { mean: law.common_sd * z * limit, sd: law.own_sd * limit };
            let global = Global::of(prior, judged.u_percent, Bounds::symmetric(*tolerance)?, judged.zones)?;
            passed *= global.passed;
            rightly_passed *= (global.passed - global.consumer).max(0.0);
            conforming *= global.conforming;
            spared *= (global.conforming - global.producer).max(0.0);
        }
        shares.false_accepts += weight * (passed - rightly_passed);
        shares.false_rejects += weight * (conforming - spared);
    }
    Ok(shares)
}

/// The interval of Clopper and Pearson for a share of which `held` of `n` were seen, at [`CONFIDENCE`], by the quantiles
/// of the beta distribution. None where nothing was seen. `n` need not be whole ([`effective`]).
pub fn clopper_pearson(held: f64, n: f64) -> Option<(f64, f64)> {
    if n <= 0.0 {
        return None;
    }
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).ok().map(|beta| beta.inverse_cdf(p));
    let low = if held <= 0.0 { Some(0.0) } else { quantile(held, n - held + 1.0, tail) };
    let high = if held >= n { Some(1.0) } else { quantile(held + 1.0, n - held, 1.0 - tail) };
    low.zip(high)
}

/// How many independent intervals the intervals of all points are worth: those of one run share a reference, and miss
/// together. `held_of` says how many runs had so many intervals that hold, of so many stated.
///
/// n* = p(1 − p)/v, v the variance of the share p by runs as clusters (Korn and Graubard 1998, without their factor
/// from Student's t), never more than were stated; the runs themselves where all or none hold, or there is but one.
pub fn effective(held_of: &BTreeMap<(usize, usize), u64>) -> f64 {
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        held_of.iter().map(|(&(held, stated), &runs)| runs as f64 * of(held as f64, stated as f64)).sum()
    };
    let (held, stated, runs) = (sum(&|h, _| h), sum(&|_, n| n), sum(&|_, n| f64::from(n > 0.0)));
    let share = held / stated;
    let scatter = sum(&|h, n| (h - share * n).powi(2)) / stated.powi(2) * runs / (runs - 1.0);
    let worth = share * (1.0 - share) / scatter;
    if worth.is_finite() && worth > 0.0 { worth.min(stated) } else { runs }
}

/// The most events that chance gives where `share` of `n` are expected: more are seen in one study of a hundred
/// (the binomial quantile at [`CONFIDENCE`]).
pub fn at_most(share: f64, n: u64) -> Option<u64> {
    let binomial = Binomial::new(share.clamp(0.0, 1.0), n).ok()?;
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = u64::midpoint(low, high);
        if binomial.cdf(middle) >= CONFIDENCE {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::truth::gauss;
    use crate::verdict::Verdict;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn the_interval_of_clopper_and_pearson_ends_where_the_binomial_tails_say() {
        // Their definition: at each end of the interval the tail from the seen count on holds half of the rest.
        for (held, n) in [(3u64, 10u64), (38, 40), (952, 1000), (9545, 10_000), (949_000, 1_000_000)] {
            let (low, high) = clopper_pearson(held as f64, n as f64).unwrap();
            let at_low = Binomial::new(low, n).unwrap().sf(held - 1);
            let at_high = Binomial::new(high, n).unwrap().cdf(held);
            assert!(
                (at_low - 0.005).abs() < 1e-5 && (at_high - 0.005).abs() < 1e-5,
                "{held}/{n}: {low} {high}"
            );
        }
        // Closed forms: with all held the lower end is 0.005^(1/n).
        let (low, high) = clopper_pearson(40.0, 40.0).unwrap();
        assert!((low - 0.005f64.powf(1.0 / 40.0)).abs() < 1e-9 && high == 1.0, "{low}");
        let (low, high) = clopper_pearson(0.0, 40.0).unwrap();
        assert!((high - (1.0 - 0.005f64.powf(1.0 / 40.0))).abs() < 1e-9 && low == 0.0, "{high}");
        assert_eq!(clopper_pearson(0.0, 0.0), None);
    }

    #[test]
    fn intervals_that_miss_together_are_worth_one() {
        // 100 runs of 5 intervals: in 95 all hold, in 5 none.
        let together = BTreeMap::from([((5, 5), 95), ((0, 5), 5)]);
        assert!((effective(&together) - 99.0).abs() < 1e-9, "{}", effective(&together));
        // One miss in each of 25 runs: spread more evenly than chance would, but never worth more than was stated.
        assert_eq!(effective(&BTreeMap::from([((5, 5), 75), ((4, 5), 25)])), 500.0);
        assert_eq!(effective(&BTreeMap::from([((5, 5), 40)])), 40.0);
    }

    #[test]
    fn chance_gives_no_more_than_the_binomial_quantile() {
        // P(X ≤ 4) of B(10, 0.2) is 0.9672, P(X ≤ 5) is 0.9936.
        assert_eq!(at_most(0.2, 10), Some(5));
        assert_eq!((at_most(0.0, 1000), at_most(1.0, 7)), (Some(0), Some(7)));
    }

    /// Draws meters and measures them: `shared` is the part of each error of measurement's variance that is common to
    /// all points.
    fn drawn(law: Law, points: &[(Judged, f64)], shared: f64, meters: u32) -> Shares {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (mut accepts, mut rejects) = (0u32, 0u32);
        for _ in 0..meters {
            let luck = gauss(&mut rng);
            let errors = law.draw(points.len(), &mut rng);
            let (mut passed, mut failed, mut within) = (true, false, true);
            for ((judged, tolerance), error) in points.iter().zip(errors) {
                let truth = error * judged.limit_percent;
                let noise = shared.sqrt() * luck + (1.0 - shared).sqrt() * gauss(&mut rng);
                let verdict = judged.zones.verdict(truth + noise * judged.u_percent);
                passed &= verdict == Verdict::Pass;
                failed |= verdict == Verdict::Fail;
                within &= truth.abs() <= *tolerance;
            }
            accepts += u32::from(passed && !within);
            rejects += u32::from(failed && within);
        }
        let share = |count: u32| f64::from(count) / f64::from(meters);
        Shares { false_accepts: share(accepts), false_rejects: share(rejects) }
    }

    #[test]
    fn the_promise_on_a_meter_is_what_drawn_meters_show() {
        // Accepting a little beyond the limit, as rounding does, and with an uncertainty of a tenth of it.
        let judged = |limit: f64| Judged {
            limit_percent: limit,
            u_percent: 0.05 * limit,
            zones: Zones::binary(Bounds::symmetric(1.03 * limit).unwrap()),
        };
        let points = [1.0, 1.0, 1.5, 18.75].map(|limit| (judged(limit), limit));
        let promised = on_meter(Law::HOUSE, &points).unwrap();
        let meters = 200_000;
        for (shared, slack) in [(0.0, 0.0), (1.0, 0.06)] {
            let seen = drawn(Law::HOUSE, &points, shared, meters);
            println!("{shared}: promised {promised:?}, seen {seen:?} of {meters}");
            for (p, s) in
                [(promised.false_accepts, seen.false_accepts), (promised.false_rejects, seen.false_rejects)]
            {
                let chance = 3.0 * (p / f64::from(meters)).sqrt();
                assert!((p - s).abs() <= chance + slack * p, "{shared}: {p} {s}");
            }
        }
        // With a single point both ways are the same.
        let one = on_meter(Law::HOUSE, &points[..1]).unwrap();
        let same = at_point(Law::HOUSE, &points[0].0, 1.0).unwrap();
        assert!((one.false_accepts - same.false_accepts).abs() < 1e-9, "{one:?} {same:?}");
        assert!((one.false_rejects - same.false_rejects).abs() < 1e-9, "{one:?} {same:?}");
    }
}
