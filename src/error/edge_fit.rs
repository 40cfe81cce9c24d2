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

pub mod rhythm;

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
    /// No pulse was counted between the edges.
    #[error("all {edges} edges stand at the same count")]
    SameCount {
        /// Edges given.
        edges: u64,
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

/// Running sums over the edges of one window: constant memory, one pass, however many edges.
///
/// The sums are centred and compensated, and the residual sum of squares is built from the prediction error of each
/// new edge (recursive least squares), so that nothing is lost by subtraction of large numbers: at 10⁷ edges a jitter
/// of a thousandth of a pulse is still resolved.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EdgeFit {
    edges: u64,
    /// Where both axes begin.
    origin: Point,
    last: Point,
    mean_counted: Sum,
    mean_reference: Sum,
    /// Sum of squares of the counted energy about its mean.
    spread: f64,
    slope: Sum,
    /// Sum of squared residuals about the present line.
    residual: f64,
    steps: Steps,
}

/// An edge: counted and reference energy in joules, from the first edge.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Point {
    counted: f64,
    reference: f64,
}

/// A sum that keeps what rounding cuts off (Neumaier): ten million small steps add up to the right place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, step: f64) {
        let sum = self.high + step;
        self.low +=
            if self.high.abs() >= step.abs() { (self.high - sum) + step } else { (step - sum) + self.high };
        self.high = sum;
    }

    /// How far `x` lies above it.
    fn below(self, x: f64) -> f64 {
        (x - self.high) - self.low
    }

    fn value(self) -> f64 {
        self.high + self.low
    }
}

/// Sums over neighbouring edges, about a provisional slope so that the jitter keeps its digits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Steps {
    slope: f64,
    counted_squared: f64,
    mixed: f64,
    squared: f64,
}

impl Steps {
    fn add(&mut self, counted: f64, reference: f64) {
        let rest = reference - self.slope * counted;
        self.counted_squared += counted * counted;
        self.mixed += counted * rest;
        self.squared += rest * rest;
    }

    /// Sum of squared differences of neighbouring residuals about a line of this slope.
    fn differences(&self, slope: f64) -> f64 {
        let turn = slope - self.slope;
        (self.squared - 2.0 * turn * self.mixed + turn * turn * self.counted_squared).max(0.0)
    }
}

impl EdgeFit {
    /// The edges k = 0, 1, 2 … of a window, given the reference energy at the moment of each.
    pub fn over(constant: PulseConstant, reference: impl IntoIterator<Item = Energy>) -> Self {
        let mut fit = Self::default();
        for (k, energy) in reference.into_iter().enumerate() {
            fit.push(constant.energy(k as u64), energy);
        }
        fit
    }

    /// Adds an edge: energy counted up to it, and the reference's energy at its moment. A quantity is never NaN, so
    /// none can enter here.
    pub fn push(&mut self, counted: Energy, reference: Energy) {
        let absolute = Point { counted: counted.joules(), reference: reference.joules() };
        if self.edges == 0 {
            (self.edges, self.origin) = (1, absolute);
            return;
        }
        let point = Point {
            counted: absolute.counted - self.origin.counted,
            reference: absolute.reference - self.origin.reference,
        };
        let n = self.edges as f64;
        let (dx, dy) = (self.mean_counted.below(point.counted), self.mean_reference.below(point.reference));
        let weight = n / (n + 1.0);
        let prediction_error = self.off_line(dx, dy);
        let spread = self.spread + weight * dx * dx;
        if spread > 0.0 {
            self.residual += weight * prediction_error * prediction_error * self.spread / spread;
            self.slope.add(weight * dx * prediction_error / spread);
        }
        self.spread = spread;
        self.mean_counted.add(dx / (n + 1.0));
        self.mean_reference.add(dy / (n + 1.0));
        if self.edges == 1 {
            self.steps.slope = self.slope.value();
        }
        self.steps.add(point.counted - self.last.counted, point.reference - self.last.reference);
        (self.last, self.edges) = (point, self.edges + 1);
    }

    /// How far a point lies off the line, both measured from the mean.
    fn off_line(&self, dx: f64, dy: f64) -> f64 {
        (dy - self.slope.high * dx) - self.slope.low * dx
    }

    /// Edges so far.
    pub fn edges(&self) -> u64 {
        self.edges
    }

    /// The line through what has come in. It may be asked at any time and more edges may follow.
    pub fn finish(&self) -> Result<Fit, Fault> {
        let edges = self.edges;
        if edges < 3 {
            return Err(Fault::TooFew { seen: edges, needed: 3 });
        }
        // In this order a NaN is named as what it is and not taken for a standstill.
        let slope = self.slope.value();
        for (what, seen) in [("spread", self.spread), ("slope", slope), ("scatter", self.residual)] {
            if !seen.is_finite() {
                return Err(Fault::NotFinite { what, seen });
            }
        }
        if self.spread <= 0.0 || self.last.counted <= 0.0 {
            return Err(Fault::SameCount { edges });
        }
        if slope <= 0.0 || self.last.reference <= 0.0 {
            return Err(Fault::NoEnergy { edges });
        }
        let n = edges as f64;
        let correlation = self.correlation();
        // In a short series about a fitted line ρ comes out too low, by some 2/n at ρ = 0 and 10/n at a random walk;
        // these figures were set by the coverage that is told above.
        let unbiased = correlation.map_or(0.0, |rho| rho + (2.0 + 8.0 * rho) / n);
        let unbiased = unbiased.clamp(0.0, 1.0 - 1.0 / n);
        let inflation = (1.0 + unbiased) / (1.0 - unbiased);
        let plain = self.residual / (n - 2.0);
        // What the line has taken up of a correlated scatter is given back.
        let variance =
            if inflation > 1.0 { self.residual / (n - 2.0 * inflation).max(n / 8.0) } else { plain };
        let variance = variance.max(plain);
        // error = 1/s − 1, so that u(error) = u(s)/s².
        let sensitivity = 1.0 / (slope * slope);
        let u_white = (plain / self.spread).sqrt() * sensitivity;
        let u = (inflation * variance / self.spread).sqrt() * sensitivity;
        let dof = (n / inflation - 2.0).max(2.0).min(n - 2.0);
        let ends = self.last.counted / self.last.reference;
        let u_ends = (2.0 * variance).sqrt() / self.last.reference * ends;
        let ratio = |what, value: f64| {
            Ratio::try_from_fraction(value).map_err(|_| Fault::NotFinite { what, seen: value })
        };
        Ok(Fit {
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

    /// Lag-1 autocorrelation of the residuals, exactly as if they had all been kept. `None` where what is left of them
    /// is no more than the rounding of the arithmetic.
    fn correlation(&self) -> Option<f64> {
        let residual = |p: Point| {
            self.off_line(self.mean_counted.below(p.counted), self.mean_reference.below(p.reference))
        };
        let (first, last) = (residual(Point::default()), residual(self.last));
        let rounding = self.last.reference * f64::EPSILON;
        if self.residual <= self.edges as f64 * (64.0 * rounding).powi(2) {
            return None;
        }
        let neighbours =
            self.residual - (first * first + last * last + self.steps.differences(self.slope.value())) / 2.0;
        Some((neighbours / self.residual).clamp(-1.0, 1.0))
    }
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
