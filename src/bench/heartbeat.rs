//! The heartbeat: a line that changes its level as long as conductor and source worker live. A hardware watchdog behind
//! it opens the tester's main contactor when the changes stop, whatever has become of this program.
//!
//! It stops, and stays stopped, when the conductor has not looked for [`CONDUCTOR_MAX`], when the source's worker has
//! ended or been stuck in one command for [`SOURCE_MAX`], and when the engine asks for it because off was not seen. All
//! times are choices of this house; the watchdog's own time must be longer than a few beats and is set there.

use crate::link::Link;
use crate::pulse::gpio::Output;
use crate::time::{self, Instant, Span, now};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Between two changes of level.
pub const BEAT_EVERY: Span = Span::from_millis(50);
/// The conductor looks at its bench every 50 ms; one that has not for so long is dead.
pub const CONDUCTOR_MAX: Span = Span::from_millis(1000);
/// A conductor that has not looked for so long will not: the source's worker switches off by itself, also where no
/// watchdog is. Longer than [`CONDUCTOR_MAX`], since without a contactor a slow moment is no danger yet.
pub const CONDUCTOR_GONE: Span = Span::from_secs(3);
/// A source that has held its worker up for so long does not obey; the engine gives a command as long.
pub const SOURCE_MAX: Span = Span::from_secs(10);

/// Where beats go.
pub trait Beat: Send {
    /// Brings the line to this level, or says why not.
    fn beat(&mut self, high: bool) -> Result<(), String>;
}

impl Beat for Output {
    fn beat(&mut self, high: bool) -> Result<(), String> {
        self.set(high);
        if self.is_high() == high { Ok(()) } else { Err("the heartbeat's line does not follow".into()) }
    }
}

/// A watchdog relay on a line of bytes: `+` and `-` in turn.
pub struct Relay(pub Box<dyn Link>);

impl Beat for Relay {
    fn beat(&mut self, high: bool) -> Result<(), String> {
        self.0.send(if high { b"+" } else { b"-" }).map_err(|fault| fault.to_string())
    }
}

/// Signs of life of those on whom the load depends.
#[derive(Debug)]
pub struct Vital {
    conductor: AtomicI64,
    source: AtomicI64,
    stopped: AtomicBool,
}

impl Vital {
    /// All alive at this moment.
    pub fn new(at: Instant) -> Self {
        Self {
            conductor: AtomicI64::new(at.nanos()),
            source: AtomicI64::new(at.nanos()),
            stopped: AtomicBool::new(false),
        }
    }

    /// The conductor has looked at the bench.
    pub fn conductor_looked(&self, at: Instant) {
        self.conductor.store(at.nanos(), Ordering::SeqCst);
    }

    /// The source's worker is ready for its next order.
    pub fn source_ready(&self, at: Instant) {
        self.source.store(at.nanos(), Ordering::SeqCst);
    }

    /// Whether the conductor has not looked for [`CONDUCTOR_GONE`]: then the load goes off without it.
    pub fn conductor_is_gone(&self, at: Instant) -> bool {
        at - Instant::from_nanos(self.conductor.load(Ordering::SeqCst)) > CONDUCTOR_GONE
    }

    /// No beat any more, ever.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether the heart may beat; once it may not, it never may again.
    pub fn is_well(&self, at: Instant) -> bool {
        let since = |sign: &AtomicI64| at - Instant::from_nanos(sign.load(Ordering::SeqCst));
        if since(&self.conductor) > CONDUCTOR_MAX || since(&self.source) > SOURCE_MAX {
            self.stop();
        }
        !self.stopped.load(Ordering::SeqCst)
    }
}

/// Stops the heartbeat when dropped: whoever holds it is needed, also when it ends by a panic.
pub(super) struct Needed(pub std::sync::Arc<Vital>);

impl Drop for Needed {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Beats until it may not any more. The line is left low.
pub(super) fn run(beat: &mut dyn Beat, vital: &Vital, ended: &AtomicBool) -> Result<(), String> {
    let mut high = false;
    while !ended.load(Ordering::Relaxed) && vital.is_well(now()) {
        high = !high;
        if let Err(why) = beat.beat(high) {
            vital.stop();
            return Err(why);
        }
        time::sleep(BEAT_EVERY);
    }
    beat.beat(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn it_stops_for_ever_when_the_conductor_or_the_source_is_dead() {
        let at = |millis| Instant::ZERO + Span::from_millis(millis);
        let vital = Vital::new(at(0));
        assert!(vital.is_well(at(900)));
        vital.conductor_looked(at(900));
        assert!(vital.is_well(at(1900)));
        assert!(!vital.is_well(at(1901)));
        vital.conductor_looked(at(1901));
        assert!(!vital.is_well(at(1901)), "a heart that has stopped does not start again by itself");
        let vital = Vital::new(at(0));
        vital.conductor_looked(at(10_001));
        assert!(!vital.is_well(at(10_001)), "the source's worker has been stuck");
    }

    #[test]
    fn a_worker_that_panics_stops_it_at_once() {
        let vital = Arc::new(Vital::new(Instant::ZERO));
        let needed = Needed(Arc::clone(&vital));
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _needed = needed;
            panic!("on purpose");
        }));
        assert!(!vital.is_well(Instant::ZERO));
    }

    #[test]
    fn the_line_is_left_low_and_a_line_that_does_not_follow_ends_it() {
        struct Wire(Vec<bool>, bool);
        impl Beat for Wire {
            fn beat(&mut self, high: bool) -> Result<(), String> {
                self.0.push(high);
                if self.1 { Err("broken".into()) } else { Ok(()) }
            }
        }
        let (mut wire, vital) = (Wire(vec![], false), Vital::new(now()));
        vital.stop();
        assert_eq!(run(&mut wire, &vital, &AtomicBool::new(false)), Ok(()));
        assert_eq!(wire.0, [false]);
        let (mut wire, vital) = (Wire(vec![], true), Vital::new(now()));
        assert!(run(&mut wire, &vital, &AtomicBool::new(false)).is_err());
        assert!(!vital.is_well(now()));
    }
}
