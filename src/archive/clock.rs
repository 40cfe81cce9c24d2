//! The time of entries and what the device's clock is worth: in this one place.

use crate::certificate::chain::Clock;
use crate::time::Stamp;

/// The date and hour now, by the system's clock.
pub(super) fn now() -> Stamp {
    Stamp::now()
}

/// What that clock is worth. Nobody tells this program by what the system's clock was set, so it says `system` and no age.
pub(super) fn clock() -> Clock {
    Clock { source: "system".into(), age_s: None }
}
