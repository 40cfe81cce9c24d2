//! The time of entries and what the device's clock is worth: in this one place.

use crate::certificate::chain::Clock;
use crate::machine::{ClockSource, Machine};
use crate::time::Stamp;

/// The date and hour now, by the system's clock.
pub(super) fn now() -> Stamp {
    Stamp::now()
}

/// What that clock is worth: by what the system's clock was set, and how long ago.
pub(super) fn clock() -> Clock {
    let source = Machine::this().clock(now());
    let age_s = match source {
        ClockSource::Ntp(age) => Some(age.secs() as u64),
        _ => None,
    };
    Clock { source: source.word().into(), age_s }
}
