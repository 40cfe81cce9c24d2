//! An error from every edge of a window: a straight line through counted and reference energy.
//!
//! The regulation's value uses the first and the last edge only; with N edges each off by a random σ its uncertainty
//! falls as 1/N, that of the line's slope as 1/N^1.5. Both are found from the same data, and [`Fit::compare`] says
//! whether they agree. Spurious, doubled and missing pulses are found from the intervals, in [`rhythm`].
//!
//! # Which way the line is fitted
//!
//! The count k/C at a rising edge is an exact number; what is uncertain is the moment of the edge and so the reference
//! energy at that moment. The reference is therefore fitted on the count, `E_ref = a + s·E_counted`, and the error is
//! 1/s − 1. Fitting the other way round would be biased towards −100 % by 12σ²/N² (σ in pulses).
//!
//! # What is assumed
//!
//! That edges scatter about the line independently and equally (white noise). Where the residuals are serially
//! correlated (a reference that is interpolated between its samples, a meter that counts in coarse steps of time, a
//! source that wanders) the plain uncertainty is too small. `u` is therefore inflated by the lag-1 autocorrelation of
//! the residuals, (1 + ρ)/(1 − ρ) in variance as for a first-order autoregressive process, with ρ freed of its bias in
//! a short series, and the degrees of freedom shrink by the same factor. It never falls below the plain one. In 20 000
//! seeded windows each, the 95.45 % interval held the truth in 95.6 to 96.8 % for white noise (5 to 300 edges), in
//! 95.1 to 96.7 % for ρ up to 0.97 at 100 edges and more (91 to 95 % at 30), and for a random walk, where each interval
//! scatters by itself, in 90 % at 30 edges and 93 % at 300: little is left there that tells a wander from a slope,
//! and the regulation's value is the better one.

mod even;
pub mod rhythm;

pub use even::Even;

use crate::quantity::{Energy, PulseConstant, Ratio};

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Two points are always on a line.
    #[error("a line with its scatter needs at least {needed} edges, not {seen}")]
    TooFew {
        /// Edges given.
        seen: u64,
        /// Edges needed.
        needed: u64,
    },
    /// A constant that says nothing.
    #[error("the meter constant must be above zero, not {constant}")]
    NoConstant {
        /// The constant.
        constant: PulseConstant,
    },
    /// The reference stood still or ran backwards.
    #[error("the reference energy does not rise over the {edges} edges; there is no error to state")]
    NoEnergy {
        /// Edges given.
        edges: u64,
    },
    /// The arithmetic left the finite numbers.
    #[error("{what} of the fitted line is {seen}, no finite number")]
    NotFinite {
        /// Which figure.
        what: &'static str,
        /// What came out.
        seen: f64,
    },
}

/// A straight line through all edges of a window, beside the regulation's value from the first and the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Edges used.
    pub edges: u64,
    /// The metering error by the line.
    pub error: Ratio,
    /// Its standard uncertainty from the scatter (kind A, GUM 4.2), inflated for serial correlation.
    pub u: Ratio,
    /// Degrees of freedom of `u`.
    pub dof: f64,
    /// The same if the residuals were white: smaller or equal; n − 2 degrees of freedom.
    pub u_white: Ratio,
    /// Lag-1 autocorrelation of the residuals; none where there is no scatter.
    pub correlation: Option<f64>,
    /// Standard deviation of the residuals, as reference energy.
    pub scatter: Energy,
    /// The regulation's value: N/C against the reference from the first edge to the last (JJG 596-2026 7.3.2.5 b1).
    pub first_to_last: Ratio,
    /// Standard uncertainty of the regulation's value from the same scatter, two edges' worth.
    pub u_first_to_last: Ratio,
}

/// Whether the line and the regulation's value agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Line minus first-to-last.
    pub difference: Ratio,
    /// Three combined standard uncertainties.
    pub allowed: Ratio,
    /// Whether the difference is allowed.
    pub agrees: bool,
    /// The same in words; where they disagree, a finding.
    pub words: String,
}

impl Fit {
    /// The line by the error of a meter of this constant.
    pub fn of(line: &Even, constant: PulseConstant) -> Result<Self, Fault> {
        let edges = line.edges;
        if edges < 3 {
            return Err(Fault::TooFew { seen: edges, needed: 3 });
        }
        if constant <= PulseConstant::ZERO {
            return Err(Fault::NoConstant { constant });
        }
        // In this order a NaN is named as what it is and not taken for a standstill.
        let pulse = constant.energy(1).joules();
        let slope = line.slope / pulse;
        for (what, seen) in [("slope", slope), ("scatter", line.residual)] {
            if !seen.is_finite() {
                return Err(Fault::NotFinite { what, seen });
            }
        }
        if slope <= 0.0 || line.whole <= 0.0 {
            return Err(Fault::NoEnergy { edges });
        }
        let n = edges as f64;
        let spread = line.spread * pulse * pulse;
        let correlation = line.correlation();
        // In a short series about a fitted line ρ comes out too low, by some 2/n at ρ = 0 and 10/n at a random walk;
        // these figures were set by the coverage that is told above.
        let unbiased = correlation.map_or(0.0, |rho| rho + (2.0 + 8.0 * rho) / n);
        let unbiased = unbiased.clamp(0.0, 1.0 - 1.0 / n);
        let inflation = (1.0 + unbiased) / (1.0 - unbiased);
        let plain = line.residual / (n - 2.0);
        // What the line has taken up of a correlated scatter is given back.
        let variance =
            if inflation > 1.0 { line.residual / (n - 2.0 * inflation).max(n / 8.0) } else { plain };
        let variance = variance.max(plain);
        // error = 1/s − 1, so that u(error) = u(s)/s².
        let sensitivity = 1.0 / (slope * slope);
        let u_white = (plain / spread).sqrt() * sensitivity;
        let u = (inflation * variance / spread).sqrt() * sensitivity;
        let dof = (n / inflation - 2.0).max(2.0).min(n - 2.0);
        let ends = constant.energy(edges - 1).joules() / line.whole;
        let u_ends = (2.0 * variance).sqrt() / line.whole * ends;
        let ratio = |what, value: f64| {
            Ratio::try_from_fraction(value).map_err(|_| Fault::NotFinite { what, seen: value })
        };
        Ok(Self {
            edges,
            error: ratio("error", 1.0 / slope - 1.0)?,
            u: ratio("uncertainty", u)?,
            dof,
            u_white: ratio("uncertainty", u_white)?,
            correlation,
            scatter: Energy::try_from_joules(plain.sqrt())
                .map_err(|_| Fault::NotFinite { what: "scatter", seen: plain })?,
            first_to_last: ratio("first-to-last error", ends - 1.0)?,
            u_first_to_last: ratio("first-to-last uncertainty", u_ends)?,
        })
    }

    /// Compares both values: |difference| ≤ 3 combined standard uncertainties. Both come from the same edges, so that
    /// the true scatter of the difference is smaller than this (for white noise u²(difference) = u²(first-to-last) −
    /// u²(line)); what lies outside is therefore a finding beyond doubt.
    pub fn compare(&self) -> Agreement {
        let difference = self.error - self.first_to_last;
        // Rounding of the arithmetic is no scatter of the meter.
        let combined = self.u.fraction().hypot(self.u_first_to_last.fraction()).max(1e-12);
        let allowed = Ratio::from_fraction(3.0 * combined);
        let agrees = difference.abs() <= allowed;
        let both = format!(
            "{:+.4} % by the line through {} edges, {:+.4} % from the first to the last; difference {:+.4} %, allowed {:.4} %",
            self.error.percent(),
            self.edges,
            self.first_to_last.percent(),
            difference.percent(),
            allowed.percent()
        );
        let words = if agrees {
            format!("both estimates agree: {both}")
        } else {
            format!(
                "the estimates disagree: {both}. An edge at either end is not where the others say, or the error changed during the window"
            )
        };
        Agreement { difference, allowed, agrees, words }
    }
}

#[cfg(test)]
mod tests;
