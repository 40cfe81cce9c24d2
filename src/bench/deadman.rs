//! A screen that hangs must not leave a load behind: whoever shows the run says that it lives, and is missed.

use crate::time::{Instant, Span};
use std::sync::atomic::{AtomicI64, Ordering};

/// A screen is drawn several times a second; one that has not been for so long is dead. A choice of this house.
pub const SCREEN_MAX: Span = Span::from_secs(3);

/// The sign of life of a screen. Asked by the `stop` of [`super::conduct`].
#[derive(Debug)]
pub struct Deadman(AtomicI64);

impl Deadman {
    /// Alive at this moment.
    pub fn new(at: Instant) -> Self {
        Self(AtomicI64::new(at.nanos()))
    }

    /// The screen has been drawn.
    pub fn alive(&self, at: Instant) {
        self.0.store(at.nanos(), Ordering::SeqCst);
    }

    /// Why the run must end, if it must.
    pub fn missed(&self, at: Instant) -> Option<String> {
        let silent = at - Instant::from_nanos(self.0.load(Ordering::SeqCst));
        (silent > SCREEN_MAX).then(|| format!("the screen has not answered for {silent}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Waited, conduct};
    use crate::certificate::record::Outcome;
    use crate::run::{Action, Event};

    #[test]
    fn a_screen_that_hangs_is_missed() {
        let at = |secs| Instant::ZERO + Span::from_secs(secs);
        let screen = Deadman::new(at(0));
        assert_eq!(screen.missed(at(3)), None);
        screen.alive(at(3));
        assert_eq!(screen.missed(at(6)), None);
        assert!(screen.missed(at(7)).unwrap().contains("4.0 s"));
    }

    #[test]
    fn off_comes_before_anything_else_when_the_screen_is_dead() {
        /// A bench on which only time passes, a second at a look.
        struct Idle(Instant, Vec<Action>);
        impl Bench for Idle {
            fn now(&self) -> Instant {
                self.0
            }
            fn act(&mut self, action: Action) {
                self.1.push(action);
            }
            fn wait(&mut self, _: Option<Instant>) -> Waited {
                self.0 = self.0 + Span::from_secs(1);
                match self.1.last() {
                    Some(Action::SourceOff) => Waited::Event(Event::SourceOff),
                    _ => Waited::Due,
                }
            }
        }
        let rig = crate::sim::Rig::new("good", crate::sim::demo_meter("good").unwrap()).unwrap();
        let started = "2026-11-20T10:00:00.000+08:00".parse().unwrap();
        let plan = crate::plan::make(
            rig.nameplate.clone(),
            crate::regulation::Profile::builtin("dc-meter").unwrap(),
            crate::regulation::Kind::InService,
            rig.standards.clone(),
            rig.capability(),
            crate::plan::Entries::simulated(),
            crate::time::Stamp::date(started),
        )
        .unwrap();
        let mut run = crate::run::Run::new(std::sync::Arc::new(plan), Instant::ZERO, started);
        let mut bench = Idle(Instant::ZERO, vec![]);
        let (screen, clock) = (Deadman::new(Instant::ZERO), std::cell::Cell::new(Instant::ZERO));
        conduct(&mut run, &mut bench, &mut || screen.missed(clock.get()), &mut |_, now| clock.set(now));
        assert!(
            matches!(run.outcome(), Some(Outcome::Aborted { why }) if why.contains("screen")),
            "{:?}",
            run.outcome()
        );
        let off = bench.1.iter().position(|a| *a == Action::SourceOff).unwrap();
        assert!(bench.1[off..].iter().all(|a| !matches!(a, Action::SetSource(_))));
    }
}
