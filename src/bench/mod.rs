//! Owns devices and threads, does what the engine asks, and makes safe.

pub mod board;
pub mod check;
pub mod deadman;
pub mod description;
pub mod devices;
pub mod heartbeat;
pub mod notify;
pub mod probe;
mod real;
pub mod sources;
mod watch;
pub mod words;
mod workers;

pub use description::Description;
pub use devices::Devices;
pub use real::Real;
pub use sources::Sources;

use crate::run::{Action, Event, Run};
use crate::time::{Instant, Span};

/// What waiting brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Waited {
    /// Something came in.
    Event(Event),
    /// The moment that was waited for has come.
    Due,
    /// A little time has passed; look whether somebody wants to end the run, and wait on.
    Nothing,
}

/// Ends the run that is conducted, past the turns of whoever conducts it: says why.
pub type Stopper = Box<dyn Fn(&str) + Send>;

/// A bench, real or simulated.
pub trait Bench {
    /// The time of the run.
    fn now(&self) -> Instant;
    /// Does it, without waiting for the outcome, which comes as an event.
    fn act(&mut self, action: Action);
    /// Waits for an event, `until` at most.
    fn wait(&mut self, until: Option<Instant>) -> Waited;
    /// The fast way to the end, where waiting can be broken off from another thread; the slow one is asked at each turn.
    fn stopper(&self) -> Option<Stopper> {
        None
    }
}

/// Between the source's off and giving up on an engine that does not end.
const ENDING_TIME: Span = Span::from_secs(60);

/// Conducts `run` on `bench` to its end. `stop` is asked again and again whether somebody wants to end it, and why;
/// `watch` sees the run after each event.
pub fn conduct(
    run: &mut Run,
    bench: &mut dyn Bench,
    stop: &mut dyn FnMut() -> Option<String>,
    watch: &mut dyn FnMut(&Run, Instant),
) {
    let mut stopped: Option<Instant> = None;
    loop {
        // Before anything is done: what was asked to end is not switched on first.
        if stopped.is_none()
            && let Some(why) = stop()
        {
            stopped = Some(bench.now());
            run.handle(bench.now(), Event::Abort { why });
        }
        while let Some(action) = run.poll_action() {
            bench.act(action);
        }
        if run.is_over() || stopped.is_some_and(|at| bench.now() - at > ENDING_TIME) {
            break;
        }
        match bench.wait(run.poll_timeout()) {
            Waited::Event(event) => run.handle(bench.now(), event),
            Waited::Due => run.handle(bench.now(), Event::Timeout),
            Waited::Nothing => {}
        }
        watch(run, bench.now());
    }
    bench.act(Action::SourceOff);
}
