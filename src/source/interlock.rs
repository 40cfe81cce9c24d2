//! Interlocks: contacts of the tester that must be safe before a load is set, and end the run when they are not.
//!
//! What each of them does to a run is a choice of this house: a person's hand (emergency stop, lid, lock) aborts it, a
//! condition of the tester (over-temperature, isolation) is its fault. Either way the source goes off first.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A contact that guards the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interlock {
    /// The emergency stop.
    EmergencyStop,
    /// The lid over the terminals.
    Lid,
    /// The key or lock that enables the output.
    Lock,
    /// The tester's temperature switch.
    OverTemperature,
    /// The isolation monitor.
    Isolation,
}

impl Interlock {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::EmergencyStop, Self::Lid, Self::Lock, Self::OverTemperature, Self::Isolation];

    /// What it means that it is not safe.
    pub fn unsafe_words(self) -> &'static str {
        match self {
            Self::EmergencyStop => "the emergency stop is pressed",
            Self::Lid => "the lid over the terminals is open",
            Self::Lock => "the lock is open",
            Self::OverTemperature => "the tester is too hot",
            Self::Isolation => "the isolation monitor has tripped",
        }
    }

    /// What is to be done.
    pub fn advice(self) -> &'static str {
        match self {
            Self::EmergencyStop => "See that nobody is in danger, then pull it out again",
            Self::Lid => "Close it",
            Self::Lock => "Turn the key",
            Self::OverTemperature => "Let it cool with the fan free",
            Self::Isolation => "Do not touch the leads; switch off and look for moisture and worn insulation",
        }
    }

    /// Whether a person did it, or a condition of the tester.
    pub fn is_a_persons(self) -> bool {
        matches!(self, Self::EmergencyStop | Self::Lid | Self::Lock)
    }
}

impl fmt::Display for Interlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmergencyStop => "emergency stop",
            Self::Lid => "lid",
            Self::Lock => "lock",
            Self::OverTemperature => "over-temperature",
            Self::Isolation => "isolation",
        })
    }
}

/// An interlock that is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}. {}", .0.unsafe_words(), .0.advice())]
pub struct Open(pub Interlock);

/// The state of the interlocks that a bench has. One that was not safe once stays so until it is asked for anew: a
/// contact that chatters must not let a run go on.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    tripped: Vec<Interlock>,
}

impl Chain {
    /// Takes a look at one contact in; gives it back the first time that it is not safe.
    pub fn look(&mut self, interlock: Interlock, safe: bool) -> Option<Open> {
        if safe || self.tripped.contains(&interlock) {
            return None;
        }
        self.tripped.push(interlock);
        Some(Open(interlock))
    }

    /// The first one that was not safe.
    pub fn check(&self) -> Result<(), Open> {
        self.tripped.first().map_or(Ok(()), |interlock| Err(Open(*interlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interlock_that_chatters_stays_tripped_and_is_told_once() {
        let mut chain = Chain::default();
        assert_eq!(chain.look(Interlock::Lid, true), None);
        assert_eq!(chain.check(), Ok(()));
        assert_eq!(chain.look(Interlock::Lid, false), Some(Open(Interlock::Lid)));
        assert_eq!(chain.look(Interlock::Lid, true), None);
        assert_eq!(chain.look(Interlock::Lid, false), None);
        assert_eq!(chain.check(), Err(Open(Interlock::Lid)));
    }

    #[test]
    fn each_says_what_is_wrong_and_what_to_do() {
        for interlock in Interlock::ALL {
            let words = Open(interlock).to_string();
            assert!(words.starts_with("the ") && words.matches(". ").count() >= 1, "{words}");
        }
    }
}
