//! Pulses that do not belong: spurious, doubled and missing ones, found from the intervals between rising edges.
//!
//! Each interval is counted in pulses that were due in it, n = E·C with the reference energy E between its two edges, so
//! that neither a wander of the source nor a change of load is a change of rhythm. What is usual is learned from the window itself and not from the nameplate: a meter with a constant
//! error, however large, keeps its own steady rhythm. The nameplate's 1/(P·C) is the second witness: a usual interval
//! far from it is worth a [hint](Rhythm::hint), and where the window has no steady rhythm of its own it decides.
//!
//! A window whose edges all lie within a quarter of an interval of one even grid is clean, jitter and all. Otherwise
//! an edge is one too many where its two neighbours stand closer than one and a half usual intervals, and a pulse is
//! missing in an interval of one and a half and more. Jitter of ±20 % of an interval at each edge passes; a pulse that
//! is missing or added only at the very end of a short window, by less than that, cannot be told from jitter.
//!
//! Two or three intervals have no usual one among them: there the longest must stay below one and a half of the
//! shortest, and the nameplate says which of the two is the wrong one. One interval has nothing to be compared with.

use super::Even;
use crate::pulse::Edge;
use crate::quantity::{Energy, PulseConstant};
use crate::time::{Instant, Span};
use std::fmt;

/// The rising edges of one window.
#[derive(Debug, Clone, Copy)]
pub struct Pulses<'a> {
    /// The moment of each.
    pub at: &'a [Instant],
    /// The reference's energy from any one moment, the same for all, up to each.
    pub energy: &'a [Energy],
    /// All edges of the window, falling ones among them: they tell the counter's number of one that does not belong.
    pub edges: &'a [Edge],
}

impl Pulses<'_> {
    /// The counter's number of one of them.
    fn number(&self, index: usize) -> u64 {
        self.edges.iter().filter(|edge| edge.rising).nth(index).map_or(0, |edge| edge.seq)
    }
}

/// What does not belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// An edge somewhere between two pulses: light, interference.
    Spurious,
    /// An edge right after another: contact bounce, a flash seen twice.
    Doubled,
    /// Pulses that should have come before the edge.
    Missing {
        /// How many.
        pulses: u64,
    },
}

/// One pulse or gap that does not belong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The edge: the one too many, or the first one after the gap.
    pub edge: u64,
    /// How long after the first edge of the window.
    pub into: Span,
    /// What it is.
    pub stray: Stray,
    /// The interval that ends with the edge.
    pub seen: Span,
    /// The window's usual interval at that power.
    pub usual: Span,
    /// The nameplate's interval 1/(P·C) at that power.
    pub nominal: Span,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge = format!("edge number {}, {:.4} s into the window,", self.edge, self.into.secs());
        match self.stray {
            Stray::Spurious => write!(f, "{edge} is spurious")?,
            Stray::Doubled => write!(f, "{edge} doubles the one before it")?,
            Stray::Missing { pulses: 1 } => write!(f, "a pulse is missing before {edge}")?,
            Stray::Missing { pulses } => write!(f, "{pulses} pulses are missing before {edge}")?,
        }
        write!(
            f,
            " after an interval of {:.4} s where {:.4} s are usual and 1/(P·C) is {:.4} s",
            self.seen.secs(),
            self.usual.secs(),
            self.nominal.secs()
        )
    }
}

/// Why intervals cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Nothing to compare with.
    #[error("a rhythm needs at least {needed} rising edges, not {seen}")]
    TooFew {
        /// Edges given.
        seen: usize,
        /// Edges needed.
        needed: usize,
    },
    /// Time ran backwards.
    #[error("edge number {edge} is not later than the one before it")]
    Backwards {
        /// The edge.
        edge: u64,
    },
    /// No pulse is due without energy.
    #[error("the reference energy does not rise before edge number {edge}; no pulse is due there")]
    NoEnergy {
        /// The edge.
        edge: u64,
    },
    /// A constant that says nothing.
    #[error("the meter constant must be above zero, not {constant}")]
    NoConstant {
        /// The constant.
        constant: PulseConstant,
    },
}

/// The rhythm of a window and what does not belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// The usual interval in units of 1/(P·C): 1/(1 + error) of the meter.
    pub usual_over_nominal: f64,
    /// What does not belong, in order of time.
    pub findings: Vec<Finding>,
    /// Whether so much does not belong that the window has no rhythm of its own.
    pub irregular: bool,
}

/// One interval at least.
const FEWEST: usize = 2;
/// Edges from which on intervals have a median that one stray does not move.
const MANY: usize = 5;
/// Greatest distance of an edge from an even grid, in intervals, that is jitter.
const JITTER: f64 = 0.25;
/// Above this many usual intervals one is missing; two that make less have one edge too many between them.
const LONG: f64 = 1.5;
/// Shorter than any interval can become by jitter.
const SHORT: f64 = 0.5;
/// An edge this close after another is its double.
const BOUNCE: f64 = 0.25;
/// So many places are told in words.
const PLACES: usize = 3;

/// Looks through the rising edges of one window, with the line through their energies.
pub fn examine(pulses: &Pulses, line: &Even, constant: PulseConstant) -> Result<Rhythm, Fault> {
    let (at, energy) = (pulses.at, pulses.energy);
    if at.len() < FEWEST || at.len() != energy.len() {
        return Err(Fault::TooFew { seen: at.len().min(energy.len()), needed: FEWEST });
    }
    if constant <= PulseConstant::ZERO {
        return Err(Fault::NoConstant { constant });
    }
    if !rises(at) || !rises(energy) {
        return Err(standstill(pulses));
    }
    // Most windows are even, and need no more than this.
    if at.len() >= MANY && line.holds(energy, JITTER) {
        let usual_over_nominal = constant.pulses(Energy::from_joules(line.slope));
        return Ok(Rhythm { usual_over_nominal, findings: vec![], irregular: false });
    }
    // Pulses due from the first edge up to each.
    let due: Vec<f64> = energy.iter().map(|energy| constant.pulses(*energy - pulses.energy[0])).collect();
    let (usual, found, irregular) = if due.len() < MANY {
        let (usual, found) = few(&due);
        (usual, found, false)
    } else {
        uneven(&due)
    };
    let findings = found.into_iter().map(|(index, stray)| {
        let (before, here) = (at[index - 1], at[index]);
        let seen = here - before;
        let nominal = seen * (1.0 / (due[index] - due[index - 1]));
        Finding {
            edge: pulses.number(index),
            into: here - at[0],
            stray,
            seen,
            usual: nominal * usual,
            nominal,
        }
    });
    Ok(Rhythm { usual_over_nominal: usual, findings: findings.collect(), irregular })
}

/// Whether each is above the one before it.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "to look at all without a branch is faster than to stop at the first"
)]
fn rises<T: PartialOrd>(row: &[T]) -> bool {
    row.windows(2).fold(true, |all, pair| all & (pair[1] > pair[0]))
}

/// Where time or energy does not rise.
fn standstill(pulses: &Pulses) -> Fault {
    let stands = |index: &usize| pulses.at[*index] <= pulses.at[*index - 1];
    let index = (1..pulses.at.len()).find(|i| stands(i) || pulses.energy[*i] <= pulses.energy[*i - 1]);
    let index = index.unwrap_or(1);
    let edge = pulses.number(index);
    if stands(&index) { Fault::Backwards { edge } } else { Fault::NoEnergy { edge } }
}

/// Usual interval and stray of one to three intervals.
fn few(due: &[f64]) -> (f64, Vec<(usize, Stray)>) {
    let intervals = || due.windows(2).enumerate().map(|(before, pair)| (before + 1, pair[1] - pair[0]));
    let by_length = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let (Some(short), Some(long)) = (intervals().min_by(by_length), intervals().max_by(by_length)) else {
        return (1.0, vec![]);
    };
    if long.1 < LONG * short.1 {
        return (due[due.len() - 1] / (due.len() - 1) as f64, vec![]);
    }
    if short.1.ln().abs() <= long.1.ln().abs() {
        let pulses = (long.1 / short.1).round() as u64 - 1;
        (short.1, vec![(long.0, Stray::Missing { pulses })])
    } else {
        let stray = if short.1 < BOUNCE * long.1 { Stray::Doubled } else { Stray::Spurious };
        (long.1, vec![(short.0, stray)])
    }
}

/// Usual interval and strays where the edges lie on no even grid, and whether there is no rhythm at all.
fn uneven(due: &[f64]) -> (f64, Vec<(usize, Stray)>, bool) {
    let intervals = due.len() - 1;
    // The window's own usual interval: medians over one and over several intervals, whichever leaves least to explain.
    let lags = [1, intervals / 16, intervals / 8, intervals / 4].into_iter().filter(|lag| *lag > 0);
    let strays = |usual: f64| (usual, strays(due, usual));
    let fewest = |a: (f64, Vec<(usize, Stray)>), b: (f64, Vec<(usize, Stray)>)| {
        if cost(&b.1) < cost(&a.1) { b } else { a }
    };
    let own = lags.map(|lag| strays(median(due, lag))).reduce(fewest).unwrap_or_else(|| strays(1.0));
    let much = |found: &[(usize, Stray)]| found.len() * 4 > intervals;
    let irregular = much(&own.1);
    let (usual, found) = if irregular { fewest(own, strays(1.0)) } else { own };
    (usual, found, irregular)
}

/// Median of the distance over `lag` intervals, per interval.
fn median(due: &[f64], lag: usize) -> f64 {
    let mut spans: Vec<f64> = due.iter().zip(&due[lag..]).map(|(a, b)| b - a).collect();
    let middle = spans.len() / 2;
    *spans.select_nth_unstable_by(middle, f64::total_cmp).1 / lag as f64
}

/// Edges too many and pulses missing, by index of the edge, if this interval is the usual one.
fn strays(due: &[f64], usual: f64) -> Vec<(usize, Stray)> {
    let distance = |a: usize, b: usize| (due[b] - due[a]) / usual;
    let mut kept = vec![0];
    let mut found = vec![];
    for at in 1..due.len() {
        if distance(kept[kept.len() - 1], at) < BOUNCE {
            found.push((at, Stray::Doubled));
        } else {
            kept.push(at);
        }
    }
    // Each round takes out those whose neighbours stand closest; a burst needs several.
    loop {
        // After the last edge one more is imagined where it should come.
        let around = |i: usize| {
            kept.get(i + 1).map_or(1.0 + distance(kept[i - 1], kept[i]), |n| distance(kept[i - 1], *n))
        };
        let too_many = |i: usize| around(i) < LONG || distance(kept[i - 1], kept[i]) < SHORT;
        let mut left = vec![kept[0]];
        for i in 1..kept.len() {
            let stands = left[left.len() - 1] == kept[i - 1];
            let before = if i > 1 { around(i - 1) } else { f64::INFINITY };
            let after = if i + 1 < kept.len() { around(i + 1) } else { f64::INFINITY };
            if stands && too_many(i) && around(i) <= before.min(after) {
                found.push((kept[i], Stray::Spurious));
            } else {
                left.push(kept[i]);
            }
        }
        if left.len() == kept.len() {
            break;
        }
        kept = left;
    }
    for pair in kept.windows(2) {
        let seen = distance(pair[0], pair[1]);
        if seen >= LONG {
            found.push((pair[1], Stray::Missing { pulses: seen.round() as u64 - 1 }));
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found
}

/// Pulses too many and missing, all counted.
fn cost(found: &[(usize, Stray)]) -> u64 {
    found.iter().map(|(_, stray)| if let Stray::Missing { pulses } = stray { *pulses } else { 1 }).sum()
}

impl Rhythm {
    /// Why the window is no evidence, in words: how many of each kind, and where the first ones are. None where every
    /// pulse belongs.
    pub fn spoils(&self) -> Option<String> {
        let count = |is: fn(&Stray) -> Option<u64>| self.findings.iter().filter_map(|f| is(&f.stray)).sum();
        let kinds: [(u64, &str); 3] = [
            (count(|s| if let Stray::Missing { pulses } = s { Some(*pulses) } else { None }), "missing"),
            (count(|s| (*s == Stray::Spurious).then_some(1)), "spurious"),
            (count(|s| (*s == Stray::Doubled).then_some(1)), "doubled"),
        ];
        let kinds: Vec<String> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, kind)| format!("{n} {kind}")).collect();
        let places: Vec<String> = self.findings.iter().take(PLACES).map(Finding::to_string).collect();
        let more = match self.findings.len().saturating_sub(PLACES) {
            0 => String::new(),
            more => format!("; and {more} more places"),
        };
        let steady = if self.irregular { "the pulses have no steady rhythm; " } else { "" };
        (!places.is_empty())
            .then(|| format!("{steady}pulses {}: {}{more}", kinds.join(", "), places.join("; ")))
    }

    /// What a usual interval far from the nameplate's may mean. It spoils nothing: the metering error says the same.
    pub fn hint(&self) -> Option<String> {
        let ratio = self.usual_over_nominal;
        let times = if ratio >= 1.0 { ratio } else { 1.0 / ratio };
        if times < LONG {
            return None;
        }
        let (word, guess) = if ratio >= 1.0 { ("longer", "missed") } else { ("shorter", "doubled") };
        let whole = (times - times.round()).abs() < 0.02 * times;
        let or = if whole { format!(", or are pulses regularly {guess}") } else { String::new() };
        Some(format!(
            "the meter's usual interval is {times:.2} times {word} than 1/(P·C): is the constant on the nameplate the right one{or}?"
        ))
    }
}

#[cfg(test)]
mod tests;
