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

use super::{Edge, Flaw, whole};
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

/// What one pass over the edges of a standing load sees.
#[derive(Default)]
struct Looked {
    /// The first of two edges of one kind without the other between them.
    unseen: Option<Edge>,
    shortest: Option<Span>,
    longest: Option<Span>,
    widths: Vec<Span>,
}

impl Looked {
    fn at(standing: &[Edge]) -> Self {
        let mut looked = Self { widths: Vec::with_capacity(standing.len() / 2), ..Self::default() };
        let mut rose: Option<Instant> = None;
        let mut last: Option<Edge> = None;
        for edge in standing {
            match last {
                Some(last) if last.rising == edge.rising => _ = looked.unseen.get_or_insert(last),
                Some(last) if last.rising => looked.widths.push(edge.at - last.at),
                _ => {}
            }
            if edge.rising {
                if let Some(rose) = rose {
                    let interval = edge.at - rose;
                    looked.shortest = Some(looked.shortest.map_or(interval, |span| span.min(interval)));
                    looked.longest = Some(looked.longest.map_or(interval, |span| span.max(interval)));
                }
                rose = Some(edge.at);
            }
            last = Some(*edge);
        }
        looked
    }

    /// Narrowest, usual and widest pulse, where there are enough for a usual one.
    fn widths(&mut self) -> Option<(Span, Span, Span)> {
        if self.widths.len() < FEWEST {
            return None;
        }
        let (narrowest, widest) = (*self.widths.iter().min()?, *self.widths.iter().max()?);
        let middle = self.widths.len() / 2;
        Some((narrowest, *self.widths.select_nth_unstable(middle).1, widest))
    }
}

/// Proves a window, or says what is wrong with it. Before `stood` the load was changing, and with it the pulses.
pub fn prove(edges: &[Edge], stood: Instant) -> Result<Proof, Flaw> {
    whole(edges)?;
    let falling = edges.iter().filter(|e| !e.rising).count() as u64;
    let mut looked = Looked::at(&edges[edges.partition_point(|e| e.at < stood)..]);
    if let Some(Edge { seq, rising, .. }) = looked.unseen.filter(|_| falling > 0) {
        return Err(Flaw::Unseen { after: seq, rising });
    }
    Ok(Proof {
        edges: edges.len() as u64,
        falling,
        shortest: looked.shortest.unwrap_or_default(),
        longest: looked.longest.unwrap_or_default(),
        widths: looked.widths(),
    })
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
    let (_, usual, _) = Looked::at(standing).widths()?;
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
    Looked::at(edges).widths().map(|(_, usual, _)| usual)
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
