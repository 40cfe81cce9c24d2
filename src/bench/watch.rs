//! The worker that watches the board's lines: pulses become edges, interlocks that open end the run.

use super::board::{Level, Role};
use crate::pulse::gpio::{Board, Fault, Sight};
use crate::pulse::tally::Tally;
use crate::pulse::{Edge, Input};
use crate::run::{Device, Event};
use crate::source::interlock::{Chain, Open};
use crate::time::{Span, now};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

/// The level of each interlock is looked at this often, besides the edges that tell of it at once.
const LOOK_EVERY: Span = Span::from_millis(20);

/// Lines whose edges and levels can be seen.
pub(super) trait Watch: Send {
    /// The next edge on any of them.
    fn wait(&mut self, at_most: Span) -> Result<Option<Sight>, Fault>;
    /// The level of one now.
    fn is_high(&self, line: usize) -> bool;
}

impl Watch for Board {
    fn wait(&mut self, at_most: Span) -> Result<Option<Sight>, Fault> {
        Board::wait(self, at_most)
    }
    fn is_high(&self, line: usize) -> bool {
        Board::is_high(self, line)
    }
}

/// Looks at the interlocks among the lines by their levels.
pub(super) fn look(board: &impl Watch, roles: &[Role], chain: &mut Chain) -> Vec<Open> {
    let contacts = roles.iter().enumerate().filter_map(|(line, role)| match role {
        Role::Interlock(interlock, safe) => Some((line, *interlock, *safe == Level::High)),
        Role::Pulses { .. } => None,
    });
    contacts
        .filter_map(|(line, interlock, high)| chain.look(interlock, board.is_high(line) == high))
        .collect()
}

/// What an open interlock is to the engine.
fn told(open: Open) -> Event {
    if open.0.is_a_persons() {
        Event::Abort { why: format!("interlock: {open}") }
    } else {
        Event::Fault { device: Device::Interlock, what: open.to_string() }
    }
}

/// Watches until the run ends or the board is gone. `off` goes up with an interlock that opens.
pub(super) fn run(
    mut board: impl Watch,
    roles: &[Role],
    tally: Option<&Tally>,
    (off, ended): (&AtomicBool, &AtomicBool),
    events: &Sender<Event>,
) {
    let pulses = roles.iter().any(|role| matches!(role, Role::Pulses { .. }));
    let mut chain = Chain::default();
    let mut looked = now();
    while !ended.load(Ordering::Relaxed) {
        let before = now();
        let seen = match board.wait(LOOK_EVERY) {
            Ok(seen) => seen,
            Err(fault) => {
                let device = if pulses { Device::Pulse } else { Device::Interlock };
                let _ = events.send(Event::Fault { device, what: fault.to_string() });
                return;
            }
        };
        if let (None, Some(tally)) = (&seen, tally) {
            tally.seen_until(before);
        }
        let mut found: Vec<Event> = vec![];
        if let Some(sight) = seen {
            match roles.get(sight.line) {
                Some(Role::Pulses { input, inverted }) => {
                    let edge =
                        Edge { input: *input, seq: sight.seq, at: sight.at, rising: sight.high != *inverted };
                    match (input, tally) {
                        (Input::Reference, Some(tally)) => {
                            if let Err(flaw) = tally.push(edge) {
                                found.push(Event::Lost { input: *input, what: flaw.to_string() });
                            }
                        }
                        _ => found.push(Event::Edge(edge)),
                    }
                }
                Some(Role::Interlock(interlock, safe)) => {
                    let safe = sight.high == (*safe == Level::High);
                    found.extend(chain.look(*interlock, safe).map(told));
                }
                None => {}
            }
        }
        if now() - looked >= LOOK_EVERY {
            looked = now();
            found.extend(look(&board, roles, &mut chain).into_iter().map(told));
        }
        for event in found {
            // An open interlock does not queue behind the edges: the source's worker sees this at once.
            if matches!(event, Event::Abort { .. } | Event::Fault { device: Device::Interlock, .. }) {
                off.store(true, Ordering::SeqCst);
            }
            if events.send(event).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::PulseConstant;
    use crate::source::interlock::Interlock;
    use crate::time::Instant;
    use std::collections::VecDeque;
    use std::sync::mpsc::channel;

    /// Lines that show what they are told to, then vanish.
    struct Scripted {
        sights: VecDeque<Sight>,
        levels: Vec<bool>,
    }

    impl Watch for Scripted {
        fn wait(&mut self, _: Span) -> Result<Option<Sight>, Fault> {
            self.sights.pop_front().map(Some).ok_or(Fault::Vanished { chip: "/dev/gpiochip0".into() })
        }
        fn is_high(&self, line: usize) -> bool {
            self.levels[line]
        }
    }

    const ROLES: [Role; 4] = [
        Role::Pulses { input: Input::Meter, inverted: true },
        Role::Pulses { input: Input::Reference, inverted: false },
        Role::Interlock(Interlock::EmergencyStop, Level::High),
        Role::Interlock(Interlock::OverTemperature, Level::Low),
    ];

    fn sight(line: usize, seq: u64, high: bool) -> Sight {
        Sight { line, seq, at: Instant::from_nanos(seq.cast_signed() * 1000), high }
    }

    #[test]
    fn pulses_are_edges_interlocks_end_the_run_once_and_a_gone_board_is_a_fault() {
        let sights = [
            sight(0, 1, false),
            sight(1, 1, true),
            sight(1, 2, false),
            sight(1, 5, true),
            sight(2, 1, false),
            sight(2, 2, true),
            sight(2, 3, false),
            sight(3, 1, true),
        ];
        let board = Scripted { sights: sights.into(), levels: vec![true, false, true, false] };
        let tally = Tally::new(PulseConstant::from_impulses_per_kilowatt_hour(3.6e6));
        let (events, came) = channel();
        let (off, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        run(board, &ROLES, Some(&tally), (&off, &ended), &events);
        drop(events);
        let came: Vec<Event> = came.iter().collect();
        assert!(matches!(came[0], Event::Edge(Edge { input: Input::Meter, seq: 1, rising: true, .. })));
        assert!(matches!(&came[1], Event::Lost { input: Input::Reference, what } if what.contains("lost")));
        assert!(matches!(&came[2], Event::Abort { why } if why.contains("emergency stop is pressed")));
        assert!(
            matches!(&came[3], Event::Fault { device: Device::Interlock, what } if what.contains("too hot"))
        );
        assert!(
            matches!(&came[4], Event::Fault { device: Device::Pulse, what } if what.contains("vanished"))
        );
        assert_eq!(came.len(), 5);
        assert!(off.load(Ordering::SeqCst), "an open interlock does not wait for the conductor");
        tally.seen_until(Instant::ZERO + Span::from_secs(1));
        assert_eq!(tally.energy(Instant::ZERO + Span::from_secs(1)).unwrap().joules().round(), 2.0);
    }

    #[test]
    fn a_contact_that_is_not_safe_is_seen_before_the_start() {
        let board = Scripted { sights: VecDeque::new(), levels: vec![true, false, false, false] };
        let open = look(&board, &ROLES, &mut Chain::default());
        assert_eq!(open, [Open(Interlock::EmergencyStop)]);
    }
}
