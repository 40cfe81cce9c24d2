//! A straight line through energies numbered 0, 1, 2 …: what the rhythm and the estimator both stand on.

use super::Fault;
use crate::quantity::Energy;

/// So many sums run side by side: the processor need not wait for one addition before the next. Two fill the registers of
/// every processor this runs on.
const LANES: usize = 2;

/// The line of least squares through the reference's energies at the rising edges of a window, by the number of the edge.
///
/// A line is guessed through the first and the last edge; one pass sums what each edge is off it, and mends it. Only
/// these small rests are squared and subtracted, never the energies: at 10⁷ edges a jitter of a thousandth of a pulse keeps
/// its digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Even {
    /// Edges.
    pub(super) edges: u64,
    /// From the first edge to the last, joule.
    pub(super) whole: f64,
    /// Joules from one edge to the next.
    pub(super) slope: f64,
    /// How far the line passes above the first edge, joule.
    above_first: f64,
    /// Sum of squares of the numbers about their middle.
    pub(super) spread: f64,
    /// Sum of squared residuals.
    pub(super) residual: f64,
    /// Lag-1 sum of the residuals' products.
    pub(super) neighbours: f64,
}

impl Even {
    /// Through these energies from any one moment; two at least.
    pub fn through(energies: &[Energy]) -> Result<Self, Fault> {
        let [first, .., last] = energies else {
            return Err(Fault::TooFew { seen: energies.len() as u64, needed: 2 });
        };
        let (first, last, pairs) = (first.joules(), last.joules(), energies.len() - 1);
        let n = energies.len() as f64;
        let (half, whole) = (pairs as f64 / 2.0, last - first);
        let guess = whole / pairs as f64;
        // Numbers are counted from the middle, where the guess is half of the whole.
        let middle = first + whole / 2.0;
        let mut number: [f64; LANES] = std::array::from_fn(|lane| lane as f64 - half);
        let [mut rests, mut mixed, mut squares, mut steps] = [[0.0; LANES]; 4];
        let mut add = |here: &[Energy], next: &[Energy]| {
            for (lane, (here, next)) in here.iter().zip(next).enumerate() {
                let rest = (here.joules() - middle) - guess * number[lane];
                let step = (next.joules() - here.joules()) - guess;
                rests[lane] += rest;
                mixed[lane] += rest * number[lane];
                squares[lane] += rest * rest;
                steps[lane] += step * step;
                number[lane] += LANES as f64;
            }
        };
        let (here, next) = (energies[..pairs].as_chunks::<LANES>(), energies[1..].as_chunks::<LANES>());
        here.0.iter().zip(next.0).for_each(|(here, next)| add(here, next));
        add(here.1, next.1);
        // The guess passes through the first edge and the last, so that neither has a rest but for rounding.
        let sum = |lanes: [f64; LANES]| lanes.iter().sum::<f64>();
        let spread = n * (n * n - 1.0) / 12.0;
        let (shift, turn) = (sum(rests) / n, sum(mixed) / spread);
        let residual = sum(squares) - n * shift * shift - turn * turn * spread;
        // What is no number stays none, and is refused as such.
        let residual = if residual < 0.0 { 0.0 } else { residual };
        // Rests begin and end at nothing: their steps add up to nothing, and a turn adds its own square to each.
        let differences = sum(steps) + turn * turn * pairs as f64;
        let (at_first, at_last) = (turn * half - shift, -turn * half - shift);
        let ends = at_first * at_first + at_last * at_last;
        Ok(Self {
            edges: energies.len() as u64,
            whole,
            slope: guess + turn,
            above_first: -at_first,
            spread,
            residual,
            neighbours: residual - f64::midpoint(ends, differences),
        })
    }

    /// Lag-1 autocorrelation of the residuals, exactly as if they had all been kept. `None` where what is left of them
    /// is no more than the rounding of the arithmetic.
    pub(super) fn correlation(&self) -> Option<f64> {
        let rounding = self.whole * f64::EPSILON;
        if self.residual <= self.edges as f64 * (64.0 * rounding).powi(2) {
            return None;
        }
        Some((self.neighbours / self.residual).clamp(-1.0, 1.0))
    }

    /// Whether no edge is farther off the line than this share of its step. Given are the energies that it was laid
    /// through.
    pub(super) fn holds(&self, energies: &[Energy], share: f64) -> bool {
        let most = share * self.slope;
        let origin = energies.first().map_or(0.0, |first| first.joules()) + self.above_first;
        let off = |number: u32, energy: &Energy| {
            ((energy.joules() - origin) - self.slope * f64::from(number)).abs()
        };
        energies.iter().zip(0..).fold(true, |all, (energy, number)| all & (off(number, energy) <= most))
    }
}
