//! Propagation of distributions by a Monte Carlo method (JCGM 101:2008, clause 7), with the adaptive number of trials
//! of 7.9, and the validation of the law of propagation by it (clause 8).
//!
//! Pure: the caller gives the uniform numbers. The same numbers give the same result, bit for bit.

mod drawing;
mod tally;

use super::Estimate;
use super::distribution::Random;
use super::model::Model;
use drawing::Drawing;
use tally::Tally;

/// Validation wants the Monte Carlo result this much more exact than the tolerance it judges with (JCGM 101 8.2 note).
const FINER: f64 = 5.0;
/// The adaptive procedure ends here at the latest: 40 MB an output, and a wait that a person accepts.
pub const TRIALS_MAX: usize = 5_000_000;
/// A fixed number of trials beyond this fills the memory of a small computer.
const FIXED_MAX: usize = 50_000_000;

/// Why there is no Monte Carlo result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A coverage probability that is none.
    #[error("coverage probability is {seen}; it must lie between 0 and 1, such as 0.95")]
    Probability {
        /// What was given.
        seen: f64,
    },
    /// Significant digits other than 1 or 2.
    #[error("significant digits of u are {seen}; they are 1 or 2 (JCGM 101 7.9.2)")]
    Digits {
        /// What was given.
        seen: u8,
    },
    /// A number of trials that gives no interval, or fills the memory.
    #[error(
        "{seen} trials; at p = {p} at least {least} are needed and at most {FIXED_MAX} are done (JCGM 101 7.2, 7.9.4)"
    )]
    Trials {
        /// What was given.
        seen: usize,
        /// The coverage probability.
        p: f64,
        /// How many are needed.
        least: usize,
    },
    /// Student's t with two degrees of freedom or fewer has no standard deviation.
    #[error(
        "no Monte Carlo: `{input}` has {dof} degrees of freedom; with 2 or fewer a t-distribution has no standard deviation (JCGM 101 6.4.9.4); take at least 4 observations"
    )]
    NoDeviation {
        /// The input.
        input: String,
        /// Its degrees of freedom.
        dof: f64,
    },
    /// Correlated inputs of which no joint distribution is known.
    #[error(
        "no Monte Carlo: `{input}` is correlated and {seen}; a joint distribution is known for inputs that are all normal, or all t with the same dof (JCGM 101 6.4.8)"
    )]
    NotJoint {
        /// The input.
        input: String,
        /// Its distribution.
        seen: String,
    },
    /// The model has no value somewhere within the distributions of its inputs.
    #[error(
        "no Monte Carlo: `{output}` has no value in trial {trial}, at {at}; the inputs reach where the expression is undefined"
    )]
    Undefined {
        /// The output.
        output: String,
        /// Which trial, from 1.
        trial: usize,
        /// The inputs drawn.
        at: String,
    },
}

/// How many trials M are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trials {
    /// Until y, u(y) and both ends of the interval are stable (JCGM 101 7.9), at most [`TRIALS_MAX`].
    Adaptive,
    /// As many as this (JCGM 101 7.2).
    Fixed(usize),
}

/// What is asked of a Monte Carlo calculation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Coverage probability p.
    pub p: f64,
    /// Significant decimal digits `n_dig` of u(y) that are regarded as meaningful: 1 or 2 (JCGM 101 7.9.2).
    pub digits: u8,
    /// Number of trials.
    pub trials: Trials,
}

/// What the Monte Carlo says of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The output.
    pub name: String,
    /// Mean of the model values (JCGM 101 7.6).
    pub value: f64,
    /// Their standard deviation, u(y).
    pub u: f64,
    /// Lower end of the probabilistically symmetric coverage interval (JCGM 101 7.7).
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Lower end of the shortest coverage interval (JCGM 101 7.7, 5.3.4).
    pub shortest_low: f64,
    /// Its upper end.
    pub shortest_high: f64,
    /// Number of trials M that were done.
    pub trials: usize,
    /// Numerical tolerance δ of u(y) (JCGM 101 7.9.2): half a unit of its last meaningful digit.
    pub tolerance: f64,
    /// Twice the standard deviation of the averages over the batches, the largest of y, u and both ends (7.9.4 k).
    pub spread: f64,
    /// Whether that is within δ/5, as validation asks; otherwise the trials ran out.
    pub settled: bool,
}

/// What the Monte Carlo says of all outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Each output, in the model's order.
    pub outputs: Vec<Sampled>,
    /// Correlation of the model values of each two outputs (JCGM 102 7.4); 0 where one does not vary.
    pub correlation: Vec<Vec<f64>>,
}

impl Sampled {
    /// How far the ends of y ± `U_p` lie from those found here: `d_low` and `d_high` (JCGM 101 8.1, Equations (34), (35)).
    pub fn differences(&self, law: &Estimate) -> (f64, f64) {
        ((law.value - law.expanded - self.low).abs(), (law.value + law.expanded - self.high).abs())
    }

    /// Whether the law of propagation is validated: both differences at most δ (JCGM 101 8.1). No answer where the
    /// adaptive procedure did not settle and its spread could turn the answer.
    pub fn agrees(&self, law: &Estimate, trials: Trials) -> Option<bool> {
        let (low, high) = self.differences(law);
        let worse = low.max(high);
        let doubt = if self.settled || trials != Trials::Adaptive { 0.0 } else { self.spread };
        if worse + doubt <= self.tolerance {
            Some(true)
        } else {
            (worse - doubt > self.tolerance).then_some(false)
        }
    }
}

/// δ = ½·10^l where u = c·10^l and c is an integer of `digits` digits (JCGM 101 7.9.2); 0 for no uncertainty.
pub fn tolerance(u: f64, digits: u8) -> f64 {
    if !(u.is_finite() && u > 0.0) {
        return 0.0;
    }
    let exponent = u.log10().floor() as i32 + 1 - i32::from(digits);
    let rounded_up = (u / 10f64.powi(exponent)).round() >= 10f64.powi(i32::from(digits));
    0.5 * 10f64.powi(exponent + i32::from(rounded_up))
}

/// Draws the inputs, evaluates the outputs, and summarises them. `uniform` gives independent numbers in [0, 1).
pub fn sample(model: &Model, setup: Setup, uniform: impl FnMut() -> f64) -> Result<Samples, Fault> {
    let Setup { p, digits, trials } = setup;
    if !(p > 0.0 && p < 1.0) {
        return Err(Fault::Probability { seen: p });
    }
    if !(1..=2).contains(&digits) {
        return Err(Fault::Digits { seen: digits });
    }
    // J of 7.9.4 b): the smallest integer not below 100/(1 − p), here with the rounding of 1 − p forgiven.
    let least = (100.0 / (1.0 - p) - 1e-6).ceil() as usize;
    let most = if let Trials::Fixed(n) = trials { n } else { TRIALS_MAX };
    if most < least || most > FIXED_MAX {
        return Err(Fault::Trials { seen: most, p, least });
    }
    let mut drawing = Drawing::new(model, Random::new(uniform))?;
    let batch = least.max(10_000);
    let mut found: Vec<Tally> = model.outputs.iter().map(|_| Tally::default()).collect();
    let mut done = 0;
    while done < most {
        let count = batch.min(most - done);
        for trial in 0..count {
            drawing.trial(done + trial + 1, &mut found)?;
        }
        done += count;
        for tally in &mut found {
            tally.close(count, batch, p);
        }
        let settled = |tally: &Tally| tally.spread() <= tolerance(tally.u(), digits) / FINER;
        if trials == Trials::Adaptive && found.iter().all(settled) {
            break;
        }
    }
    let correlation = found.iter().map(|a| found.iter().map(|b| a.correlation(b)).collect()).collect();
    let outputs =
        model.outputs.iter().zip(found).map(|(output, tally)| tally.summary(&output.name, p, digits));
    Ok(Samples { outputs: outputs.collect(), correlation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tolerance_is_half_a_unit_of_the_last_meaningful_digit() {
        // JCGM 101 7.9.2, examples: u = 0.000 35 g with two digits → 0.000 005; u = 2 K with one digit → 0.5.
        for (u, digits, delta) in
            [(0.000_35, 2, 5e-6), (2.0, 1, 0.5), (2.0, 2, 0.05), (9.96, 2, 0.5), (0.0754, 1, 0.005)]
        {
            assert!(
                (tolerance(u, digits) / delta - 1.0).abs() < 1e-12,
                "{u} {digits}: {}",
                tolerance(u, digits)
            );
        }
        assert!(tolerance(0.0, 2).abs() < f64::MIN_POSITIVE);
    }
}
