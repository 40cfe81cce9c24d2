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
    pub fn proof(&self) -> Result<Proof, Flaw> {
        let looked = &self.looked;
        let falling = self.edges - looked.rising.len() as u64;
        if let Some(Edge { seq, rising, .. }) = looked.unseen.filter(|_| falling > 0) {
            return Err(Flaw::Unseen { after: seq, rising });
        }
        let (shortest, longest) = looked.intervals.ends().unwrap_or_default();
        let widths = looked.extremes.ends().zip(looked.usual);
        let widths = widths.map(|((narrowest, widest), usual)| (narrowest, usual, widest));
        Ok(Proof { edges: self.edges, falling, shortest, longest, widths })
    }
}

/// What is seen of the edges, of pulses and intervals once the load stood.
#[derive(Debug, Default)]
struct Looked {
    /// The moments of the rising edges.
    rising: Vec<Instant>,
    /// The narrowest and the widest pulse.
    extremes: Extremes,
    /// The usual width.
    usual: Option<Span>,
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
/// load: nearly every window is so. It is looked through without a branch that chance decides, at half of the time of
/// [`one_by_one`], which says of the others what is wrong.
fn alternating(edges: &[Edge]) -> Option<Looked> {
    let closing = edges.last().filter(|edge| edge.rising && edges.len() % 2 == 1)?;
    let pulses = edges.len() / 2;
    let mut rising = vec![closing.at; pulses + 1];
    let (mut extremes, mut intervals) = (Extremes::default(), Extremes::default());
    let mut middle = Middle::sought_in(edges);
    let Edge { mut seq, at: mut rise, rising: mut rises, .. } = edges[0];
    // Any bit is a number that is not the next one; the sign, a low level that did not last.
    let (mut odd, mut short, mut falls) = (0, 0, true);
    for ([fall, next], at) in edges[1..].as_chunks::<2>().0.iter().zip(&mut rising) {
        odd |= (fall.seq ^ seq.wrapping_add(1)) | (next.seq ^ seq.wrapping_add(2));
        rises &= next.rising;
        falls &= !fall.rising;
        short |= next.at.nanos().wrapping_sub(fall.at.nanos()).wrapping_sub(1);
        let width = Span::from_nanos(fall.at.nanos().wrapping_sub(rise.nanos()));
        let interval = Span::from_nanos(next.at.nanos().wrapping_sub(rise.nanos()));
        (extremes, intervals) = (extremes.with(width), intervals.with(interval));
        middle.take(width);
        *at = rise;
        (seq, rise) = (next.seq, next.at);
    }
    // Each step is forward, and their sum is below what a moment can hold, so that no difference has wrapped. What is not so
    // goes the general way.
    let forward = extremes.shortest > Span::ZERO && intervals.shortest > Span::ZERO && short >= 0;
    let longest = i64::try_from(pulses).ok().and_then(|pulses| intervals.longest.nanos().checked_mul(pulses));
    let spans = longest.is_some() && edges[0].at < closing.at && edges[0].seq <= closing.seq;
    (odd == 0 && rises && falls && forward && spans).then(|| Looked {
        rising,
        usual: middle.found(pulses).or_else(|| usual_width(edges)),
        extremes,
        intervals,
        unseen: None,
    })
}

/// The median of many widths in one pass: it lies nearly always between two widths that a sample of them names, so that
/// those below are counted and only those between are kept. Where it does not, or more than a quarter of all lie between,
/// nothing is found.
struct Middle {
    low: Span,
    /// How far the higher one is from the lower one.
    apart: u64,
    below: usize,
    between: usize,
    /// The first ones of those between.
    kept: Vec<Span>,
}

impl Middle {
    /// So many widths are a sample, or up to a quarter more: the rank of its median scatters by half of the root of their
    /// number, 16 to 18.
    const SAMPLE: usize = 1024;
    /// So far from the middle of the sample: near four times that scatter.
    const AWAY: usize = 64;

    /// Of edges in turn, a rising one first.
    fn sought_in(edges: &[Edge]) -> Self {
        let (both, _) = edges.as_chunks::<2>();
        let (mut low, mut high, mut room) = (0, i64::MAX, both.len());
        if both.len() > 4 * Self::SAMPLE {
            let drawn = both.iter().step_by(both.len() / Self::SAMPLE);
            let mut sample: Vec<i64> =
                drawn.map(|[rise, fall]| fall.at.nanos().wrapping_sub(rise.at.nanos())).collect();
            sample.sort_unstable();
            let middle = sample.len() / 2;
            (low, high) = (sample[middle - Self::AWAY], sample[middle + Self::AWAY]);
            room = both.len() / 4;
        }
        let apart = high.wrapping_sub(low).cast_unsigned();
        Self { low: Span::from_nanos(low), apart, below: 0, between: 0, kept: vec![Span::ZERO; room] }
    }

    /// One more; of widths that are not all more than zero nothing is found that means anything.
    fn take(&mut self, width: Span) {
        if let Some(place) = self.kept.get_mut(self.between) {
            *place = width;
        }
        let off = width.nanos().wrapping_sub(self.low.nanos());
        self.below += usize::from(off < 0);
        self.between += usize::from(off.cast_unsigned() <= self.apart);
    }

    /// The median, where there are enough widths and it lies between.
    fn found(mut self, pulses: usize) -> Option<Span> {
        let rank = (pulses / 2).checked_sub(self.below)?;
        if pulses < FEWEST || rank >= self.between {
            return None;
        }
        if self.apart == 0 {
            return Some(self.low);
        }
        // Where many are alike, there may be more of them than places.
        Some(*self.kept.get_mut(..self.between)?.select_nth_unstable(rank).1)
    }
}

/// Any edges, each the next one after the one before.
fn one_by_one(edges: &[Edge], stood: Instant) -> Result<Looked, Flaw> {
    whole(edges)?;
    let standing = &edges[edges.partition_point(|edge| edge.at < stood)..];
    let widths = pulses(standing).map(|(_, width)| width);
    let rises = |edges: &[Edge]| -> Vec<Instant> {
        edges.iter().filter(|edge| edge.rising).map(|edge| edge.at).collect()
    };
    let intervals =
        rises(standing).windows(2).map(|pair| pair[1] - pair[0]).fold(Extremes::default(), Extremes::with);
    Ok(Looked {
        rising: rises(edges),
        extremes: widths.fold(Extremes::default(), Extremes::with),
        usual: usual_width(standing),
        intervals,
        unseen: standing.windows(2).find(|pair| pair[0].rising == pair[1].rising).map(|pair| pair[0]),
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
    let middle = widths.len() / 2;
    (widths.len() >= FEWEST).then(|| *widths.select_nth_unstable(middle).1)
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
        for at in 1..=20 {
            let mut edges = sound.clone();
            edges[at].at = edges[at - 1].at;
            assert!(alternating(&edges).is_none(), "{at}: not later than the one before it");
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
    fn the_usual_width_of_many_is_their_median_however_they_spread() {
        type Spread = fn(i64) -> i64;
        let spreads: [(&str, Spread); 8] = [
            ("as chance has it", |n| {
                n.wrapping_mul(n).wrapping_mul(-0x61C8_8646_80B5_83EB).rem_euclid(1_000_003)
            }),
            ("one width", |_| 30),
            ("two widths, more of them between than there are places", |n| 30 + n % 2),
            ("two widths, one of them more often", |n| if n % 3 == 0 { 30 } else { 31 }),
            ("few widths", |n| n * 7 % 5),
            ("ever wider", |n| n),
            ("wide where the sample looks", |n| if n % 19 == 0 { 1_000 } else { n % 1_000 }),
            ("narrow where the sample looks", |n| if n % 19 == 0 { 0 } else { 1 + n % 1_000 }),
        ];
        let edge = |n: i64, at: i64, rising: bool| {
            let seq = 2 * n.unsigned_abs() + u64::from(!rising);
            Edge { input: Input::Meter, seq, at: Instant::from_nanos(n * 40_000_000 + at), rising }
        };
        for (told, spread) in spreads {
            for pulses in [0, 1, 2, 3, 4096, 4097, 20_000] {
                let both =
                    (0..pulses).flat_map(|n| [edge(n, 0, true), edge(n, 1_000_000 + spread(n), false)]);
                let edges: Vec<Edge> = both.chain([edge(pulses, 0, true)]).collect();
                let usual = alternating(&edges).map(|looked| looked.usual);
                assert_eq!(usual, (pulses > 0).then(|| usual_width(&edges)), "{told}, {pulses}");
            }
        }
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
