//! Edges of the meter's pulse outputs, with the counter's own time and sequence number.
//!
//! A doubtful window is invalid, never wrong: [`Window::over`] refuses a gap in the sequence numbers, time that runs
//! backwards, and an interval that the other intervals rule out.

pub mod gpio;
pub mod stream;
pub mod tally;

use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// Which input an edge came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The meter's energy pulses.
    Meter,
    /// The meter's seconds pulse.
    Seconds,
    /// The reference's own energy pulses; they are tallied into its samples and never reach the engine one by one.
    Reference,
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Meter => "meter pulses",
            Self::Seconds => "seconds pulse",
            Self::Reference => "reference pulses",
        })
    }
}

/// What a counter tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// An edge.
    Edge(Edge),
    /// Edges are missing.
    Lost(String),
    /// Nothing new.
    Alive,
}

/// One edge, as it came. The window counts rising edges; falling ones are kept as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Row", from = "Row")]
pub struct Edge {
    /// The input.
    pub input: Input,
    /// The counter's number of this edge; each input counts by itself, without a hole.
    pub seq: u64,
    /// When, on the counter's own clock laid beside ours once before the run.
    pub at: Instant,
    /// Rising or falling.
    pub rising: bool,
}

/// An edge in the record: `[input, sequence number, ns, rising]`.
#[derive(Serialize, Deserialize)]
struct Row(Input, u64, Instant, bool);

impl From<Edge> for Row {
    fn from(e: Edge) -> Self {
        Self(e.input, e.seq, e.at, e.rising)
    }
}

impl From<Row> for Edge {
    fn from(Row(input, seq, at, rising): Row) -> Self {
        Self { input, seq, at, rising }
    }
}

/// Why a window is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Edges are missing.
    #[error("edges lost: number {after} is followed by number {before}")]
    Lost {
        /// The last one before the hole.
        after: u64,
        /// The first one after it.
        before: u64,
    },
    /// Time ran backwards.
    #[error("edge number {seq} is not later than the one before it")]
    Backwards {
        /// The edge.
        seq: u64,
    },
    /// Not even one interval.
    #[error("fewer than two pulses")]
    TooFew,
}

/// A stretch from one rising edge to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The rising edge that opened it.
    pub opened: Instant,
    /// The rising edge that closed it.
    pub closed: Instant,
    /// Pulses in between: rising edges without the first.
    pub pulses: u64,
    /// Sequence number of the first edge.
    pub first_seq: u64,
    /// Sequence number of the last edge.
    pub last_seq: u64,
}

impl Window {
    /// The window over `edges`, from its first to its last rising edge, if none is missing by number; whether its
    /// intervals belong together is seen against the reference's energy ([`crate::error::edge_fit::rhythm`]).
    pub fn over(edges: &[Edge]) -> Result<Self, Flaw> {
        whole(edges)?;
        let mut rising = edges.iter().filter(|e| e.rising);
        let (first, last) = (rising.next().ok_or(Flaw::TooFew)?, rising.next_back().ok_or(Flaw::TooFew)?);
        let pulses = rising.count() as u64 + 1;
        Ok(Self { opened: first.at, closed: last.at, pulses, first_seq: first.seq, last_seq: last.seq })
    }

    /// Its length.
    pub fn elapsed(&self) -> Span {
        self.closed - self.opened
    }
}

/// Whether the sequence has no hole and time runs forward.
pub fn whole(edges: &[Edge]) -> Result<(), Flaw> {
    for pair in edges.windows(2) {
        if pair[1].seq != pair[0].seq + 1 {
            return Err(Flaw::Lost { after: pair[0].seq, before: pair[1].seq });
        }
        if pair[1].at <= pair[0].at {
            return Err(Flaw::Backwards { seq: pair[1].seq });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(times_ms: &[i64]) -> Vec<Edge> {
        let both = times_ms.iter().flat_map(|t| [(*t, true), (*t + 10, false)]);
        both.enumerate()
            .map(|(n, (t, rising))| Edge {
                input: Input::Meter,
                seq: n as u64 + 7,
                at: Instant::from_nanos(t * 1_000_000),
                rising,
            })
            .collect()
    }

    #[test]
    fn a_window_counts_the_pulses_after_the_first() {
        let window = Window::over(&edges(&[0, 100, 200, 300])).unwrap();
        assert_eq!((window.pulses, window.elapsed()), (3, Span::from_millis(300)));
    }

    #[test]
    fn a_lost_edge_is_a_flaw_not_a_lower_count() {
        let mut edges = edges(&[0, 100, 200, 300]);
        edges.remove(3);
        assert_eq!(Window::over(&edges), Err(Flaw::Lost { after: 9, before: 11 }));
    }

    #[test]
    fn time_does_not_run_backwards() {
        assert!(matches!(Window::over(&edges(&[0, 100, 50])), Err(Flaw::Backwards { .. })));
        assert_eq!(Window::over(&edges(&[0])), Err(Flaw::TooFew));
    }
}
