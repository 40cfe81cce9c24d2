//! Owns devices and threads, does what the engine asks, and makes safe.

pub mod board;
pub mod check;
mod conductor;
pub mod deadman;
pub mod description;
pub mod devices;
pub mod heartbeat;
pub mod notify;
pub mod probe;
mod real;
pub mod resume;
pub mod sources;
mod watch;
pub mod words;
mod workers;

pub use conductor::{Later, conduct, conduct_kept};
pub use description::Description;
pub use devices::Devices;
pub use real::Real;
pub use sources::Sources;

use crate::run::{Action, Event};
use crate::time::Instant;

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
