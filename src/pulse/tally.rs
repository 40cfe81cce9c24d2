//! The reference's own energy pulses, up to 10 kHz, counted into an energy that its samples can ask for.
//!
//! Whole pulses only: what is between two of them is the `energy_step` of the bench. A hole in the numbers is told, and
//! whatever measures across it is spoiled; the count itself goes on, because only differences of it are used.

use super::{Edge, Flaw, whole};
use crate::quantity::{Energy, PulseConstant};
use crate::time::Instant;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Rising edges that are kept, so that a sample may ask for a moment that has just passed: 6 s at 10 kHz.
const KEPT: usize = 1 << 16;

/// Counts pulses on one side, answers for a moment on the other.
#[derive(Debug)]
pub struct Tally {
    constant: PulseConstant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Edge>,
    count: u64,
    recent: VecDeque<Instant>,
    /// All edges up to here have been taken in.
    seen_until: Option<Instant>,
}

impl Tally {
    /// Of pulses with this constant.
    pub fn new(constant: PulseConstant) -> Self {
        Self { constant, state: Mutex::default() }
    }

    /// Takes an edge in; says why what is counted across it is not to be believed.
    pub fn push(&self, edge: Edge) -> Result<(), Flaw> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sound = match state.last.replace(edge) {
            None => Ok(()),
            Some(last) => whole(&[last, edge]),
        };
        state.seen_until = state.seen_until.max(Some(edge.at));
        if edge.rising {
            state.count += 1;
            state.recent.push_back(edge.at);
            if state.recent.len() > KEPT {
                state.recent.pop_front();
            }
        }
        sound
    }

    /// No edge is waiting that happened up to this moment.
    pub fn seen_until(&self, at: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen_until = state.seen_until.max(Some(at));
    }

    /// The energy of all pulses up to this moment. `None` where it lies further back than is kept, or where edges of
    /// before may still be on their way.
    pub fn energy(&self, at: Instant) -> Option<Energy> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen_until.filter(|seen| *seen >= at)?;
        let later = state.recent.iter().rev().take_while(|edge| **edge > at).count();
        let known = later < state.recent.len() || state.count == later as u64;
        known.then(|| self.constant.energy(state.count - later as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::Input;
    use crate::time::Span;

    fn edge(seq: u64, micros: i64) -> Edge {
        let at = Instant::ZERO + Span::from_nanos(micros * 1000);
        Edge { input: Input::Reference, seq, at, rising: seq.is_multiple_of(2) }
    }

    #[test]
    fn a_sample_gets_the_energy_of_the_pulses_up_to_its_own_moment() {
        let tally = Tally::new(PulseConstant::from_impulses_per_kilowatt_hour(3.6e6));
        for seq in 0..20 {
            tally.push(edge(seq, seq.cast_signed() * 50)).unwrap();
        }
        tally.seen_until(Instant::ZERO + Span::from_secs(1));
        // Rising edges every 100 µs from 0 on, one joule each.
        let at = |micros: i64| Instant::ZERO + Span::from_nanos(micros * 1000);
        assert_eq!(tally.energy(at(-1)), Some(Energy::ZERO));
        let joules = |micros| tally.energy(at(micros)).unwrap().joules().round();
        assert_eq!(joules(0), 1.0);
        assert_eq!(joules(499), 5.0);
        assert_eq!(joules(5000), 10.0);
    }

    #[test]
    fn a_hole_is_told_and_the_count_goes_on() {
        let tally = Tally::new(PulseConstant::from_impulses_per_kilowatt_hour(3.6e6));
        tally.push(edge(0, 0)).unwrap();
        assert_eq!(tally.push(edge(4, 200)), Err(Flaw::Lost { after: 0, before: 4 }));
        assert_eq!(tally.push(edge(5, 250)), Ok(()));
        let later = Instant::ZERO + Span::from_secs(1);
        assert_eq!(tally.energy(later), None, "edges of before may be on their way");
        tally.seen_until(later);
        assert_eq!(tally.energy(later).unwrap().joules().round(), 2.0);
    }
}
