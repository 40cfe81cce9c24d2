//! Edges of the meter's pulse outputs, with the counter's own time and sequence number.
//!
//! A doubtful window is invalid, never wrong: [`Window::over`] refuses a gap in the sequence numbers and time that runs
//! backwards, [`mod@proof`] an edge that was never seen and a width that does not belong.

pub mod gpio;
pub mod proof;
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
    /// One edge came twice.
    #[error("edge number {seq} came twice")]
    Repeated {
        /// The edge.
        seq: u64,
    },
    /// The counter's number has come to its end and begun anew.
    #[error(
        "the counter has wrapped: number {after} is followed by number {before}, as a count of {bits} bits does; its form asks for one that does not end"
    )]
    Wrapped {
        /// The last one.
        after: u64,
        /// The next one.
        before: u64,
        /// Its width.
        bits: u32,
    },
    /// The counter's number has fallen back.
    #[error("edge number {before} came after number {after}: the counter has restarted")]
    Restarted {
        /// The last one.
        after: u64,
        /// The next one.
        before: u64,
    },
    /// Two edges of one kind without the other between them.
    #[error(
        "an edge was not seen: edge number {after} and the next are both {}", if *.rising { "rising" } else { "falling" }
    )]
    Unseen {
        /// The first of the two.
        after: u64,
        /// Their kind.
        rising: bool,
    },
    /// A spike.
    #[error("glitch: the pulse at edge number {seq} is {:.3} ms wide where {:.3} ms are usual", .seen.secs() * 1e3, .usual.secs() * 1e3)]
    Glitch {
        /// Its rising edge.
        seq: u64,
        /// Its width.
        seen: Span,
        /// The window's usual width.
        usual: Span,
    },
    /// A contact that bounces.
    #[error("bounce: at edge number {seq} the pulse breaks off after {:.3} ms and comes back, where {:.3} ms are usual; a debounce in the bench file or a cleaner contact helps", .seen.secs() * 1e3, .usual.secs() * 1e3)]
    Bounce {
        /// Its rising edge.
        seq: u64,
        /// Its width.
        seen: Span,
        /// The window's usual width.
        usual: Span,
    },
    /// Two pulses in one.
    #[error("the pulse at edge number {seq} is {:.3} ms wide where {:.3} ms are usual: two in one, or light on the head", .seen.secs() * 1e3, .usual.secs() * 1e3)]
    Wide {
        /// Its rising edge.
        seq: u64,
        /// Its width.
        seen: Span,
        /// The window's usual width.
        usual: Span,
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
        proof::Seen::of(edges, None).map(|seen| seen.window)
    }

    /// Its length.
    pub fn elapsed(&self) -> Span {
        self.closed - self.opened
    }
}

/// Whether the sequence has no hole and time runs forward.
pub fn whole(edges: &[Edge]) -> Result<(), Flaw> {
    edges.windows(2).try_for_each(|pair| follows(&pair[0], &pair[1]))
}

/// A count that ends wraps this close to its end; what falls back elsewhere has restarted.
const WRAP_ROOM: u64 = 64;

/// Whether an edge is the next one after another.
pub fn follows(last: &Edge, next: &Edge) -> Result<(), Flaw> {
    let (after, before) = (last.seq, next.seq);
    if before == after {
        return Err(Flaw::Repeated { seq: before });
    }
    if before < after {
        let ends = |bits: &u32| after < 1 << bits && after + WRAP_ROOM >= 1 << bits && before < WRAP_ROOM;
        let flaw = match [8, 16, 24, 32].into_iter().find(ends) {
            Some(bits) => Flaw::Wrapped { after, before, bits },
            None => Flaw::Restarted { after, before },
        };
        return Err(flaw);
    }
    if next.at <= last.at {
        return Err(Flaw::Backwards { seq: before });
    }
    if before != after + 1 {
        return Err(Flaw::Lost { after, before });
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
    fn a_count_that_ends_is_told_from_one_that_restarts() {
        let edge = |seq, ms| Edge {
            input: Input::Meter,
            seq,
            at: Instant::ZERO + Span::from_millis(ms),
            rising: true,
        };
        let after = |seq| follows(&edge(seq, 0), &edge(0, 1)).unwrap_err();
        assert_eq!(after(65_535), Flaw::Wrapped { after: 65_535, before: 0, bits: 16 });
        assert_eq!(
            after(u64::from(u32::MAX)),
            Flaw::Wrapped { after: u64::from(u32::MAX), before: 0, bits: 32 }
        );
        assert_eq!(after(40_000), Flaw::Restarted { after: 40_000, before: 0 });
        assert_eq!(follows(&edge(3, 0), &edge(3, 0)), Err(Flaw::Repeated { seq: 3 }));
    }

    #[test]
    fn time_does_not_run_backwards() {
        assert!(matches!(Window::over(&edges(&[0, 100, 50])), Err(Flaw::Backwards { .. })));
        assert_eq!(Window::over(&edges(&[0])), Err(Flaw::TooFew));
    }
}
