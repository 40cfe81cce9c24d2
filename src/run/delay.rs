//! How late edges come in, and what that says of the clock of their counter.

use crate::time::{Instant, Span};

/// So far may the stamps of a counter run away from our clock within a run; a choice of this house: beyond what a line delays
/// all edges of ten seconds, and 0.2 % of the shortest run.
const RUNS_AWAY: Span = Span::from_millis(250);
/// Delays are compared over stretches of this length at least.
const DELAYS_OVER: Span = Span::from_secs(10);
/// And of so many edges: of one or two each may be late.
const DELAYS_OF: u32 = 5;

/// How late edges come in: the least delay of each stretch. Edges may be told late; that the least of many delays changes
/// is a clock that runs away, the counter's or ours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delay {
    since: Option<Instant>,
    least: Option<(Span, Instant)>,
    edges: u32,
    seen: Option<Delays>,
}

/// The least delays of several stretches, each with its moment: with a counter that is slow it is the first of its stretch,
/// with one that is fast the last.
#[derive(Debug, Clone, Copy)]
struct Delays {
    first: (Span, Instant),
    shortest: Span,
    longest: Span,
    /// When the least of the last stretch was seen.
    to: Instant,
}

impl Delay {
    /// How far the stamps have run away by the end of a stretch, where that is too far.
    pub fn push(&mut self, now: Instant, at: Instant) -> Option<Span> {
        let since = *self.since.get_or_insert(now);
        let delay = now - at;
        let (least, to) = self.least.filter(|(least, _)| *least <= delay).unwrap_or((delay, now));
        self.edges += 1;
        if now - since < DELAYS_OVER || self.edges < DELAYS_OF {
            self.least = Some((least, to));
            return None;
        }
        (self.since, self.least, self.edges) = (Some(now), None, 0);
        let begin = Delays { first: (least, to), shortest: least, longest: least, to };
        let seen = self.seen.get_or_insert(begin);
        (seen.shortest, seen.longest, seen.to) = (seen.shortest.min(least), seen.longest.max(least), to);
        let first = seen.first.0;
        let away = if least > first { least - first } else { first - least };
        (away > RUNS_AWAY).then_some(away)
    }

    /// How far the stamps have moved against our clock, and in which time.
    pub fn moved(&self) -> Option<(Span, Span)> {
        let seen = self.seen.filter(|seen| seen.to > seen.first.1)?;
        Some((seen.longest - seen.shortest, (seen.to - seen.first.1).max(DELAYS_OVER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_edge_is_no_clock_that_runs_away() {
        let told = |delay: &mut Delay, at: i64, late: i64| {
            let at = Instant::from_nanos(at * 1_000_000_000);
            delay.push(at + Span::from_millis(late), at)
        };
        // Two minutes apart: one of them is late.
        let mut slow = Delay::default();
        assert!((0..20).all(|n| told(&mut slow, n * 120, if n == 7 { 400 } else { 1 }).is_none()));
        // All of them are, more and more.
        let mut away = Delay::default();
        assert!((0..60).any(|n| told(&mut away, n, n * 20).is_some()));
    }

    #[test]
    fn a_counter_that_moves_too_little_to_be_refused_is_seen_at_its_rate_fast_or_slow() {
        // Often at first, then seldom, and with a pause: stretches that are not alike.
        let often = (0..20_000).map(|n| n * 10);
        let seldom = (0..9).map(|n| 203_000 + n * 3_300);
        let later = (0..8_000).map(|n| 260_000 + n * 20);
        let moments: Vec<i64> = often.chain(seldom).chain(later).collect();
        for by in [0.0002, -0.0002] {
            let mut delay = Delay::default();
            for ms in &moments {
                let now = Instant::from_nanos(ms * 1_000_000);
                assert_eq!(delay.push(now, now + (now - Instant::ZERO) * by), None);
            }
            let (moved, within) = delay.moved().unwrap();
            assert!((moved.secs() / within.secs() - 0.0002).abs() < 2e-8, "{by}: {moved:?} in {within:?}");
        }
        assert_eq!(Delay::default().moved(), None);
    }
}
