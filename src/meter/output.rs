//! Outputs that a meter can be told to switch: writing, and so apart from [`Meter`](super::Meter), which only reads. Nobody
//! comes here who does not ask for it by name.

use super::{Exchange, Fault};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A meter whose multi-function output can be switched.
pub trait Outputs {
    /// Puts the clock's seconds pulse on the multi-function output, once.
    fn seconds_pulse(&mut self) -> Result<Switched, Fault>;
}

/// What came of the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switched {
    /// When the first attempt began.
    pub asked: Instant,
    /// When the answer had come.
    pub done: Instant,
    /// Every attempt, also failed ones, oldest first.
    pub exchanges: Vec<Exchange>,
    /// Why the output was not switched, in the meter's own words decoded; none where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Switched {
    /// What was not done: the meter has no such command, or says nothing to it.
    pub fn refused(asked: Instant, done: Instant, why: String) -> Self {
        Self { asked, done, exchanges: vec![], refused: Some(why) }
    }
}
