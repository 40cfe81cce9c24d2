//! The line through every edge: exact, honest about its scatter, stable over ten million edges.

use super::*;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

const CONSTANT: f64 = 1000.0;

fn constant() -> PulseConstant {
    PulseConstant::from_impulses_per_kilowatt_hour(CONSTANT)
}

/// Joules of one pulse.
const PULSE: f64 = 3.6e6 / CONSTANT;

/// The split-mix generator: a fixed stream of numbers in [0, 1) for each seed.
pub(super) struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn gauss(random: &mut Random) -> f64 {
    Normal::standard().inverse_cdf(random.unit().max(1e-300))
}

/// A window of `n` edges of a meter with `error`, each edge's reference energy off by `noise(k)` pulses.
fn window(n: u64, error: f64, mut noise: impl FnMut(u64) -> f64) -> Result<Fit, Fault> {
    fit((0..n).map(|k| 1e9 + PULSE * (k as f64 + noise(k)) / (1.0 + error)))
}

/// The fit through these joules.
fn fit(joules: impl Iterator<Item = f64>) -> Result<Fit, Fault> {
    let energies: Vec<_> = joules.map(Energy::from_joules).collect();
    Fit::of(&Even::through(&energies)?, constant())
}

#[test]
fn a_clean_window_gives_the_error_exactly_both_ways() {
    for error in [-0.5, -0.01, 0.0, 0.0003, 0.02, 0.5, 9.0] {
        let fit = window(1000, error, |_| 0.0).unwrap();
        assert!((fit.error.fraction() - error).abs() < 1e-9 * (1.0 + error), "{error}: {fit:?}");
        assert!((fit.first_to_last.fraction() - error).abs() < 1e-9 * (1.0 + error));
        let agreement = fit.compare();
        assert!(agreement.agrees, "{}", agreement.words);
    }
}

#[test]
fn ten_million_edges_keep_the_digits_of_a_small_jitter() {
    let mut random = Random(1);
    let fit = window(10_000_000, 0.002, |_| 1e-3 * (random.unit() - 0.5)).unwrap();
    let jitter = 1e-3 / 12f64.sqrt() * PULSE / 1.002;
    assert!((fit.scatter.joules() / jitter - 1.0).abs() < 0.01, "{fit:?}");
    assert!((fit.error.fraction() - 0.002).abs() < 1e-12, "{fit:?}");
    assert!(fit.correlation.unwrap().abs() < 1e-2, "{fit:?}");
}

#[test]
fn jitter_falls_faster_than_between_first_and_last() {
    let spread = |n: u64| {
        let (mut line, mut ends) = (0.0, 0.0);
        for seed in 0..200 {
            let mut random = Random(seed);
            let fit = window(n, 0.0, |_| 0.1 * gauss(&mut random)).unwrap();
            line += fit.error.fraction().powi(2);
            ends += fit.first_to_last.fraction().powi(2);
        }
        ((line / 200.0).sqrt(), (ends / 200.0).sqrt())
    };
    let (few, many) = (spread(50), spread(800));
    // Sixteen times the edges: 16^1.5 = 64 for the line, 16 for the two ends.
    assert!((50.0..80.0).contains(&(few.0 / many.0)), "{few:?} {many:?}");
    assert!((13.0..19.0).contains(&(few.1 / many.1)), "{few:?} {many:?}");
}

/// Share of seeded windows whose interval ±t·u holds the true error, and the mean of u.
fn coverage(n: u64, mut noise: impl FnMut(&mut Random, &mut f64) -> f64) -> f64 {
    let mut held = 0;
    for seed in 0..1000 {
        let mut random = Random(seed * 7 + n);
        let mut state = f64::NAN;
        let fit = window(n, 0.01, |_| noise(&mut random, &mut state)).unwrap();
        let k = StudentsT::new(0.0, 1.0, fit.dof.floor()).unwrap().inverse_cdf(0.977_25);
        held += i32::from((fit.error.fraction() - 0.01).abs() <= k * fit.u.fraction());
    }
    f64::from(held) / 1000.0
}

#[test]
fn the_stated_uncertainty_holds_the_truth_for_white_jitter() {
    for n in [10, 30, 300] {
        let gaussian = coverage(n, |random, _| 0.1 * gauss(random));
        let even = coverage(n, |random, _| 0.4 * (random.unit() - 0.5));
        assert!(gaussian >= 0.945 && even >= 0.945, "{n}: {gaussian} {even}");
    }
}

#[test]
fn the_stated_uncertainty_holds_the_truth_for_correlated_residuals() {
    for n in [30, 100, 1000] {
        for rho in [0.5, 0.9, 1.0] {
            // ρ = 1 is a random walk: each interval scatters by itself.
            let share = coverage(n, |random, state| {
                *state = if state.is_nan() {
                    gauss(random)
                } else {
                    rho * *state + (1.0 - rho * rho).max(0.01).sqrt() * gauss(random)
                };
                0.05 * *state
            });
            // What the module's page tells, less three standard deviations of a thousand windows.
            let promised = if n < 100 {
                0.87
            } else if rho < 1.0 {
                0.93
            } else {
                0.90
            };
            assert!(share >= promised, "{n} edges, ρ = {rho}: {share}");
        }
    }
}

#[test]
fn the_plain_uncertainty_is_never_the_larger_one() {
    let mut random = Random(3);
    for n in 3..60 {
        let fit = window(n, 0.0, |_| 0.2 * gauss(&mut random)).unwrap();
        assert!(fit.u >= fit.u_white && fit.dof <= n as f64 - 2.0 && fit.dof >= 1.0, "{fit:?}");
    }
}

#[test]
fn the_autocorrelation_is_that_of_the_residuals() {
    let noise = |k: u64| 0.1 * ((k * k) as f64).sin() + 0.05 * (k as f64 / 5.0).cos();
    let fit = window(200, 0.03, noise).unwrap();
    let (x, y): (Vec<f64>, Vec<f64>) = (0..200).map(|k| (k as f64, (k as f64 + noise(k)) / 1.03)).unzip();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / 200.0;
    let (mx, my) = (mean(&x), mean(&y));
    let slope = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
        / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>();
    let residuals: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - my - slope * (x - mx)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let lagged: f64 = residuals.windows(2).map(|p| p[0] * p[1]).sum();
    assert!((fit.correlation.unwrap() - lagged / squares).abs() < 1e-6, "{fit:?} {}", lagged / squares);
    assert!((fit.scatter.joules() / PULSE - (squares / 198.0).sqrt()).abs() < 1e-9);
    assert!((fit.error.fraction() - (1.0 / slope - 1.0)).abs() < 1e-10);
}

#[test]
fn an_edge_that_is_late_at_the_end_is_a_finding() {
    let mut random = Random(4);
    let fit = window(500, 0.0, |k| 0.01 * gauss(&mut random) + if k == 499 { 0.4 } else { 0.0 }).unwrap();
    let agreement = fit.compare();
    assert!(
        !agreement.agrees && agreement.words.starts_with("the estimates disagree"),
        "{}",
        agreement.words
    );
}

#[test]
fn ordinary_jitter_is_no_finding() {
    let disagreements = (0..500u64)
        .filter(|seed| {
            let mut random = Random(*seed);
            let n = 3 + seed % 200;
            !window(n, 0.005, |_| 0.4 * (random.unit() - 0.5)).unwrap().compare().agrees
        })
        .count();
    assert_eq!(disagreements, 0);
}

#[test]
fn what_gives_no_line_is_refused_by_name() {
    assert_eq!(window(1, 0.0, |_| 0.0), Err(Fault::TooFew { seen: 1, needed: 2 }));
    assert_eq!(window(2, 0.0, |_| 0.0), Err(Fault::TooFew { seen: 2, needed: 3 }));
    assert_eq!(fit([7.0; 5].into_iter()), Err(Fault::NoEnergy { edges: 5 }));
    assert_eq!(fit((0..5).map(|k| -f64::from(k))), Err(Fault::NoEnergy { edges: 5 }));
    let line = Even::through(&[0.0, 1.0, 2.0].map(Energy::from_joules)).unwrap();
    assert!(matches!(Fit::of(&line, PulseConstant::ZERO), Err(Fault::NoConstant { .. })));
}

#[test]
fn nan_cannot_enter_and_an_overflow_is_refused() {
    assert!(Energy::try_from_joules(f64::NAN).is_err(), "the door of the quantity");
    for vast in [
        [0.0, 1e300, -1e300, 2e300, 3e300],
        [0.0, 1.5e308, -1.5e308, 1.0, 1.5e308],
        [0.0, 1e-300, 0.0, 0.0, 1e-300],
    ] {
        assert!(matches!(fit(vast.into_iter()), Err(Fault::NotFinite { .. })), "{:?}", fit(vast.into_iter()));
    }
}

#[test]
fn the_line_is_that_of_the_plain_sums_at_every_length() {
    let mut random = Random(11);
    for n in 3..40_u32 {
        let values: Vec<f64> = (0..n).map(|k| 1e6 + 3.0 * f64::from(k) + random.unit()).collect();
        let energies: Vec<_> = values.iter().copied().map(Energy::from_joules).collect();
        let line = Even::through(&energies).unwrap();
        let (middle, mean) = ((f64::from(n) - 1.0) / 2.0, values.iter().sum::<f64>() / f64::from(n));
        let numbered = || (0..n).map(f64::from).zip(&values);
        let spread: f64 = numbered().map(|(k, _)| (k - middle).powi(2)).sum();
        let slope = numbered().map(|(k, y)| (k - middle) * (y - mean)).sum::<f64>() / spread;
        let residuals: Vec<f64> = numbered().map(|(k, y)| y - mean - slope * (k - middle)).collect();
        let close =
            |seen: f64, told: f64| assert!((seen - told).abs() < 1e-7, "{n} edges: {seen}, not {told}");
        close(line.slope, slope);
        close(line.spread / spread, 1.0);
        close(line.residual, residuals.iter().map(|r| r * r).sum());
        close(line.neighbours, residuals.windows(2).map(|pair| pair[0] * pair[1]).sum());
        let widest = residuals.iter().fold(0.0, |widest: f64, r| widest.max(r.abs()));
        assert!(line.holds(&energies, widest / slope * 1.000_001), "{n} edges");
        assert!(!line.holds(&energies, widest / slope * 0.999_999), "{n} edges");
    }
}
