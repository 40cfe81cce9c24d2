//! What stands behind the count of a window: that no edge is missing, none came twice, and each pulse has a width.
//!
//! Numbers without a hole prove what the counter saw. What it did not see is looked for in the edges themselves: two
//! rising edges without a falling one between them are an edge that was too fast for the counter (Linux reads the level
//! when it gets to an interrupt for both edges: `edge_irq_thread` in `drivers/gpio/gpiolib-cdev.c`); a pulse much
//! narrower or wider than the others of its window is a spike, a bounce, or two pulses in one. How much is a choice of
//! this house: pulses of one output at one load have one width. Whether the intervals are possible for P·C is the
//! rhythm's part ([`crate::error::edge_fit::rhythm`]).
//!
//! A counter that tells rising edges only is believed in its numbers, and the proof says that no width was seen.

use super::{Edge, Flaw, Window, whole};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// A pulse narrower than this share of the usual width, or wider than its inverse, does not belong.
const WIDTH_SHARE: f64 = 0.25;
/// Fewer pulses have no usual width.
const FEWEST: usize = 3;

/// What was seen of the edges of a sound window; in the record beside its reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Edges of both kinds, numbered without a hole.
    pub edges: u64,
    /// Falling ones among them; 0: the counter tells none, and widths were not seen.
    pub falling: u64,
    /// Shortest interval between rising edges once the load stood.
    pub shortest: Span,
    /// Longest one.
    pub longest: Span,
    /// Narrowest, usual and widest pulse once the load stood; none where fewer than three were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widths: Option<(Span, Span, Span)>,
}

impl Proof {
    /// [`odd_width`] of the window that was proven: where the narrowest and the widest pulse belong, all do.
    pub fn odd_width(&self, edges: &[Edge], stood: Instant) -> Option<Flaw> {
        let (narrowest, usual, widest) = self.widths?;
        if is_odd(narrowest, usual) || is_odd(widest, usual) { odd_width(edges, stood) } else { None }
    }
}

/// What one pass over the edges of a window has seen: numbers without a hole, time that runs forward.
#[derive(Debug)]
pub struct Seen {
    /// The window, from its first to its last rising edge.
    pub window: Window,
    looked: Looked,
    edges: u64,
}

impl Seen {
    /// Looks at the edges of a window. Before `stood` the load was changing, and with it the pulses; without it the load
    /// stood from the first rising edge on.
    pub fn of(edges: &[Edge], stood: Option<Instant>) -> Result<Self, Flaw> {
        let opened = edges.iter().find(|edge| edge.rising).map(|edge| edge.at);
        let stood = stood.or(opened).unwrap_or_default();
        let even = if opened.is_some_and(|opened| stood <= opened) { alternating(edges) } else { None };
        let looked = even.map_or_else(|| one_by_one(edges, stood), Ok)?;
        let number = |edge: Option<&Edge>| edge.map(|edge| edge.seq).ok_or(Flaw::TooFew);
        let first_seq = number(edges.iter().find(|edge| edge.rising))?;
        let last_seq = number(edges.iter().rfind(|edge| edge.rising))?;
        let [opened, .., closed] = looked.rising[..] else { return Err(Flaw::TooFew) };
        let pulses = looked.rising.len() as u64 - 1;
        let window = Window { opened, closed, pulses, first_seq, last_seq };
        Ok(Self { window, looked, edges: edges.len() as u64 })
    }

    /// The moments of its rising edges.
    pub fn rising(&self) -> &[Instant] {
        &self.looked.rising
    }

    /// What it proves of the window, or what is wrong with it.
    pub fn proof(&mut self) -> Result<Proof, Flaw> {
        let looked = &mut self.looked;
        let falling = self.edges - looked.rising.len() as u64;
        if let Some(Edge { seq, rising, .. }) = looked.unseen.filter(|_| falling > 0) {
            return Err(Flaw::Unseen { after: seq, rising });
        }
        let (shortest, longest) = looked.intervals.ends().unwrap_or_default();
        let widths = looked.extremes.ends().zip(usual(&mut looked.widths));
        let widths = widths.map(|((narrowest, widest), usual)| (narrowest, usual, widest));
        Ok(Proof { edges: self.edges, falling, shortest, longest, widths })
    }
}

/// What is seen of the edges, of pulses and intervals once the load stood.
#[derive(Debug, Default)]
struct Looked {
    /// The moments of the rising edges.
    rising: Vec<Instant>,
    /// How wide the pulses were.
    widths: Vec<Span>,
    extremes: Extremes,
    intervals: Extremes,
    /// The first of two edges of one kind without the other between them.
    unseen: Option<Edge>,
}

/// The shortest and the longest of some spans.
#[derive(Debug, Clone, Copy)]
struct Extremes {
    shortest: Span,
    longest: Span,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { shortest: Span::from_nanos(i64::MAX), longest: Span::from_nanos(i64::MIN) }
    }
}

impl Extremes {
    fn with(self, span: Span) -> Self {
        Self { shortest: self.shortest.min(span), longest: self.longest.max(span) }
    }

    /// Both, if there was any.
    fn ends(self) -> Option<(Span, Span)> {
        (self.shortest <= self.longest).then_some((self.shortest, self.longest))
    }
}

/// Rising and falling edges in turn, from one rising edge to another, each the next one after the one before, under one
/// load: nearly every window is so. It is looked through without a branch, at half of the time of [`one_by_one`], which
/// says of the others what is wrong.
fn alternating(edges: &[Edge]) -> Option<Looked> {
    let closing = edges.last().filter(|edge| edge.rising && edges.len() % 2 == 1)?;
    let pulses = edges.len() / 2;
    let mut looked = Looked {
        rising: vec![closing.at; pulses + 1],
        widths: vec![Span::ZERO; pulses],
        ..Looked::default()
    };
    let (mut extremes, mut intervals) = (looked.extremes, looked.intervals);
    let both = edges.as_chunks::<2>().0.iter().zip(edges[1..].as_chunks::<2>().0);
    // Any bit is a number, a moment or a kind that is not the next one.
    let (mut seq, mut odd) = (edges[0].seq, 0);
    for (([rise, fall], [_, next]), (at, width)) in both.zip(looked.rising.iter_mut().zip(&mut looked.widths))
    {
        odd |= (rise.seq ^ seq) | (fall.seq ^ seq.wrapping_add(1));
        odd |= u64::from(!rise.rising) | u64::from(fall.rising);
        odd |= u64::from(fall.at <= rise.at) | u64::from(next.at <= fall.at);
        seq = seq.wrapping_add(2);
        let high = fall.at.nanos().wrapping_sub(rise.at.nanos());
        let low = next.at.nanos().wrapping_sub(fall.at.nanos());
        let interval = high.wrapping_add(low);
        intervals = intervals.with(Span::from_nanos(interval));
        (*at, *width) = (rise.at, Span::from_nanos(high));
        extremes = extremes.with(*width);
    }
    (looked.extremes, looked.intervals) = (extremes, intervals);
    // Farther apart than a span can say, or numbers that wrap: the general way knows what to make of it.
    let spans = closing.at.nanos().checked_sub(edges[0].at.nanos()).is_some();
    let sound = odd | (closing.seq ^ seq) == 0 && spans && edges[0].seq <= closing.seq;
    sound.then_some(looked)
}

/// Any edges, each the next one after the one before.
fn one_by_one(edges: &[Edge], stood: Instant) -> Result<Looked, Flaw> {
    whole(edges)?;
    let standing = &edges[edges.partition_point(|edge| edge.at < stood)..];
    let widths: Vec<Span> = pulses(standing).map(|(_, width)| width).collect();
    let rises = |edges: &[Edge]| -> Vec<Instant> {
        edges.iter().filter(|edge| edge.rising).map(|edge| edge.at).collect()
    };
    let intervals =
        rises(standing).windows(2).map(|pair| pair[1] - pair[0]).fold(Extremes::default(), Extremes::with);
    Ok(Looked {
        rising: rises(edges),
        extremes: widths.iter().copied().fold(Extremes::default(), Extremes::with),
        widths,
        intervals,
        unseen: standing.windows(2).find(|pair| pair[0].rising == pair[1].rising).map(|pair| pair[0]),
    })
}

/// The usual width, where there are enough.
fn usual(widths: &mut [Span]) -> Option<Span> {
    let middle = widths.len() / 2;
    (widths.len() >= FEWEST).then(|| *widths.select_nth_unstable(middle).1)
}

fn is_odd(width: Span, usual: Span) -> bool {
    width < usual * WIDTH_SHARE || width > usual * (1.0 / WIDTH_SHARE)
}

fn pulses(edges: &[Edge]) -> impl Iterator<Item = (usize, Span)> {
    let pairs = edges.windows(2).enumerate().filter(|(_, pair)| pair[0].rising && !pair[1].rising);
    pairs.map(|(index, pair)| (index, pair[1].at - pair[0].at))
}

/// The first pulse whose width does not belong, in words: interval and rhythm may say more about the same place.
pub fn odd_width(edges: &[Edge], stood: Instant) -> Option<Flaw> {
    let standing = &edges[edges.partition_point(|e| e.at < stood)..];
    let usual = usual_width(standing)?;
    let (index, seen) = pulses(standing).find(|(_, width)| is_odd(*width, usual))?;
    let seq = standing[index].seq;
    // A contact that bounces comes back within a quarter of a pulse; a spike stands alone.
    let again =
        standing.get(index + 2).is_some_and(|next| next.at - standing[index + 1].at < usual * WIDTH_SHARE);
    let before =
        index.checked_sub(1).is_some_and(|i| standing[index].at - standing[i].at < usual * WIDTH_SHARE);
    Some(match (seen < usual, again || before) {
        (true, true) => Flaw::Bounce { seq, seen, usual },
        (true, false) => Flaw::Glitch { seq, seen, usual },
        (false, _) => Flaw::Wide { seq, seen, usual },
    })
}

/// The usual width of these pulses, where there are enough of them.
pub fn usual_width(edges: &[Edge]) -> Option<Span> {
    let mut widths: Vec<Span> = pulses(edges).map(|(_, width)| width).collect();
    usual(&mut widths)
}

/// The first pulse that is far narrower than the usual one, by number and width.
pub fn spike(edges: &[Edge], usual: Span) -> Option<(u64, Span)> {
    let (index, width) = pulses(edges).find(|(_, width)| *width < usual * WIDTH_SHARE)?;
    Some((edges[index].seq, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::Input;

    fn prove(edges: &[Edge], stood: Instant) -> Result<Proof, Flaw> {
        Seen::of(edges, Some(stood))?.proof()
    }

    /// Pulses of 30 ms each 100 ms; each entry is an extra level change, in ms.
    fn edges(extra: &[(i64, bool)]) -> Vec<Edge> {
        let mut moments: Vec<(i64, bool)> =
            (0..10).flat_map(|n| [(n * 100, true), (n * 100 + 30, false)]).collect();
        moments.extend(extra);
        moments.sort_unstable_by_key(|(at, _)| *at);
        let edge = |(n, (at, rising)): (usize, (i64, bool))| Edge {
            input: Input::Meter,
            seq: n as u64,
            at: Instant::ZERO + Span::from_millis(at),
            rising,
        };
        moments.into_iter().enumerate().map(edge).collect()
    }

    #[test]
    fn a_sound_window_is_proven_with_its_intervals_and_widths() {
        let proof = prove(&edges(&[]), Instant::ZERO).unwrap();
        let ms = Span::from_millis;
        assert_eq!((proof.edges, proof.falling), (20, 10));
        assert_eq!(
            (proof.shortest, proof.longest, proof.widths),
            (ms(100), ms(100), Some((ms(30), ms(30), ms(30))))
        );
        assert_eq!(odd_width(&edges(&[]), Instant::ZERO), None);
    }

    #[test]
    fn both_ways_of_looking_see_the_same() {
        let told = |looked: &Looked| format!("{looked:?}");
        let opens = |edges: &[Edge]| edges[0].at;
        let mut sound = edges(&[(1_000, true)]);
        sound[20].at = Instant::ZERO + Span::from_millis(1_007);
        for from in (0..20).step_by(2) {
            let window = &sound[from..];
            let quick = alternating(window).expect("rising and falling in turn");
            assert_eq!(told(&quick), told(&one_by_one(window, opens(window)).unwrap()), "from {from}");
        }
        // Whatever is wrong with one edge of it, the quick way leaves it to the other one.
        let spoils: [fn(&mut Edge); 5] = [
            |edge| edge.seq += 1,
            |edge| edge.seq -= 1,
            |edge| edge.at = edge.at + Span::from_secs(3),
            |edge| edge.at = edge.at - Span::from_secs(3),
            |edge| edge.rising = !edge.rising,
        ];
        for (n, spoil) in spoils.iter().enumerate() {
            for at in 1..20 {
                let mut edges = sound.clone();
                spoil(&mut edges[at]);
                assert!(alternating(&edges).is_none(), "way {n} at {at}");
            }
        }
        assert!(alternating(&sound[1..]).is_none() && alternating(&sound[..20]).is_none());
        let mut far = sound[..3].to_vec();
        (far[0].at, far[2].at) = (Instant::from_nanos(i64::MIN), Instant::from_nanos(i64::MAX));
        assert!(alternating(&far).is_none(), "farther apart than a span can say");
        for wrapped in [[i64::MAX, i64::MIN, i64::MIN + 1], [0, i64::MIN, 0]] {
            for (edge, at) in far.iter_mut().zip(wrapped) {
                edge.at = Instant::from_nanos(at);
            }
            assert!(alternating(&far).is_none(), "{wrapped:?}");
        }
        let mut wraps = sound[..3].to_vec();
        (wraps[0].seq, wraps[1].seq, wraps[2].seq) = (u64::MAX - 1, u64::MAX, 0);
        assert!(alternating(&wraps).is_none());
    }

    #[test]
    fn a_spike_a_bounce_and_two_pulses_in_one_are_told_apart() {
        let odd = |extra: &[(i64, bool)]| odd_width(&edges(extra), Instant::ZERO);
        assert!(matches!(odd(&[(365, true), (367, false)]), Some(Flaw::Glitch { seq: 8, .. })));
        assert!(matches!(odd(&[(302, false), (304, true)]), Some(Flaw::Bounce { seq: 6, .. })));
        let mut merged = edges(&[]);
        merged.drain(7..9);
        assert!(
            matches!(odd_width(&merged, Instant::ZERO), Some(Flaw::Wide { .. })),
            "{:?}",
            odd_width(&merged, Instant::ZERO)
        );
    }

    #[test]
    fn a_spike_is_told_by_the_pulses_of_other_windows() {
        let both = edges(&[(2_000, true), (2_001, false)]);
        assert_eq!(spike(&both, Span::from_millis(30)), Some((20, Span::from_millis(1))));
        assert_eq!(spike(&edges(&[]), Span::from_millis(30)), None);
    }

    #[test]
    fn an_edge_too_fast_to_be_seen_shows_in_the_ones_around_it() {
        let mut edges = edges(&[]);
        edges.remove(7);
        for (n, edge) in edges.iter_mut().enumerate() {
            edge.seq = n as u64;
        }
        assert_eq!(prove(&edges, Instant::ZERO), Err(Flaw::Unseen { after: 6, rising: true }));
        edges.retain(|e| e.rising);
        for (n, edge) in edges.iter_mut().enumerate() {
            edge.seq = n as u64;
        }
        let proof = prove(&edges, Instant::ZERO).unwrap();
        assert_eq!(
            (proof.falling, proof.widths),
            (0, None),
            "a counter of rising edges has no widths to show"
        );
    }
}
