//! The phantom load: voltage and current from two separate sources. Off is owned by an object, [`Guard`].

pub mod interlock;
pub mod limits;
pub mod opinion;
pub mod pair;
pub mod profile;
pub mod scpi;
pub mod xl9600;

pub use limits::Limits;
pub use opinion::Opinion;
pub use profile::{Profile, Role};

use crate::plan::Load;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How the load went away, from the moment at which off was decided. What was not seen is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchedOff {
    /// When off was decided: by the plan's end, an abort or a fault.
    pub decided: Instant,
    /// Until the source said that it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Span>,
    /// Until the reference measured no current any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_gone: Option<Span>,
    /// Until it measured a voltage below 60 V.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_safe: Option<Span>,
    /// Until the heartbeat was stopped, so that a hardware watchdog opens the contactor; none where that was not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Span>,
    /// The reference had not seen the voltage that was to stand when off was decided: that it sees none is no proof then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwitnessed: bool,
}

impl SwitchedOff {
    /// Nothing seen yet.
    pub fn begin(decided: Instant) -> Self {
        Self { decided, said: None, current_gone: None, voltage_safe: None, cut: None, unwitnessed: false }
    }

    /// From the decision to no current and a voltage below 60 V, both seen by the reference.
    pub fn zero(&self) -> Option<Span> {
        Some(self.current_gone?.max(self.voltage_safe?))
    }

    /// Whether the terminals may be touched.
    pub fn is_safe(&self) -> bool {
        self.zero().is_some() && (self.said.is_some() || !self.unwitnessed)
    }
}

/// Why a source did not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Line, identity or refusal.
    #[error(transparent)]
    Instrument(#[from] crate::link::scpi::Fault),
    /// The XL-9600 bench.
    #[error(transparent)]
    Xl9600(#[from] xl9600::Fault),
    /// A load beyond its ranges; nothing was sent.
    #[error("{asked} is beyond the source on {peer}: it reaches {allowed}. Nothing was sent")]
    Range {
        /// Where.
        peer: String,
        /// What was asked.
        asked: String,
        /// What it can do.
        allowed: String,
    },
    /// A load beyond the tester's own limits; nothing was sent.
    #[error("{0}. Nothing was sent")]
    Limit(String),
    /// It took over something else than it was told.
    #[error(
        "the source on {peer} was told {what} {set} and says {read} (allowed is {within}). Is its range or a limit of its own in the way?"
    )]
    NotTaken {
        /// Where.
        peer: String,
        /// Voltage or current.
        what: &'static str,
        /// What was sent.
        set: String,
        /// What it says.
        read: String,
        /// How far apart they may be.
        within: String,
    },
    /// Its output is not as it was told.
    #[error("the source on {peer} was told {told}, but answers `{seen}` to `{question}`. {remedy}")]
    Output {
        /// Where.
        peer: String,
        /// On or off.
        told: &'static str,
        /// What was asked.
        question: String,
        /// What it says.
        seen: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A protection of its own has tripped.
    #[error(
        "the source on {peer} tells of {what} (`{question}` gives {bits}). Find the cause before it is used again"
    )]
    Tripped {
        /// Where.
        peer: String,
        /// The protections, in words.
        what: String,
        /// What was asked.
        question: String,
        /// The register.
        bits: u32,
    },
    /// It does not hold the quantity that it is to hold.
    #[error("the {role} source on {peer} is at its limit of {limit} and does not hold its {role}. {remedy}")]
    AtLimit {
        /// Where.
        peer: String,
        /// Voltage or current.
        role: &'static str,
        /// The limit.
        limit: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// A pair of voltage and current sources.
pub trait Source: Send {
    /// Sets and switches on `load`.
    fn set(&mut self, load: Load) -> Result<(), Fault>;
    /// Both outputs off.
    fn off(&mut self) -> Result<(), Fault>;
    /// Asks whether it is still there and content.
    fn check(&mut self) -> Result<(), Fault>;
    /// Asks its own error calculator for the mean of so many readings at the load that stands; false where it has none.
    fn ask_opinion(&mut self, count: u32) -> Result<bool, Fault> {
        let _ = count;
        Ok(false)
    }
    /// The answer to [`Source::ask_opinion`], if it has come within `patience`.
    fn poll_opinion(&mut self, patience: Span) -> Result<Option<Opinion>, Fault> {
        let _ = patience;
        Ok(None)
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn set(&mut self, load: Load) -> Result<(), Fault> {
        (**self).set(load)
    }
    fn off(&mut self) -> Result<(), Fault> {
        (**self).off()
    }
    fn check(&mut self) -> Result<(), Fault> {
        (**self).check()
    }
    fn ask_opinion(&mut self, count: u32) -> Result<bool, Fault> {
        (**self).ask_opinion(count)
    }
    fn poll_opinion(&mut self, patience: Span) -> Result<Option<Opinion>, Fault> {
        (**self).poll_opinion(patience)
    }
}

/// Owns a source and switches it off when dropped: at the end of a run, on a fault, on a panic.
pub struct Guard<S: Source> {
    source: S,
    live: bool,
    limits: Limits,
}

impl<S: Source> Guard<S> {
    /// Takes the source over, and switches it off first: what it did before is unknown.
    pub fn new(mut source: S) -> Result<Self, Fault> {
        source.off()?;
        Ok(Self { source, live: false, limits: Limits::default() })
    }

    /// With the limits of the tester.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The limits of the tester.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets `load`.
    pub fn set(&mut self, load: Load) -> Result<(), Fault> {
        if let Some(why) = self.limits.refuses(load) {
            return Err(Fault::Limit(why));
        }
        self.live = true;
        self.source.set(load)
    }

    /// Asks whether it is still there and content.
    pub fn check(&mut self) -> Result<(), Fault> {
        self.source.check()
    }

    /// Asks its own error calculator; false where it has none.
    pub fn ask_opinion(&mut self, count: u32) -> Result<bool, Fault> {
        self.source.ask_opinion(count)
    }

    /// What its own error calculator says, if it has said it.
    pub fn poll_opinion(&mut self, patience: Span) -> Result<Option<Opinion>, Fault> {
        self.source.poll_opinion(patience)
    }

    /// Switches off.
    pub fn off(&mut self) -> Result<(), Fault> {
        self.source.off()?;
        self.live = false;
        Ok(())
    }
}

impl<S: Source> Drop for Guard<S> {
    fn drop(&mut self) {
        // Twice, because the first may fall into a line that is just recovering; a third would not help. A driver that
        // panics must not take the second one away, nor, while another panic unwinds, the whole program.
        let mut off = || catch_unwind(AssertUnwindSafe(|| self.source.off())).is_ok_and(|told| told.is_ok());
        if self.live && !off() {
            off();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{Current, Voltage};
    use std::sync::{Arc, Mutex};

    struct Logged(Arc<Mutex<Vec<&'static str>>>);
    impl Source for Logged {
        fn set(&mut self, _: Load) -> Result<(), Fault> {
            self.0.lock().unwrap().push("set");
            Ok(())
        }
        fn off(&mut self) -> Result<(), Fault> {
            self.0.lock().unwrap().push("off");
            Ok(())
        }
        fn check(&mut self) -> Result<(), Fault> {
            Ok(())
        }
    }

    #[test]
    fn a_source_that_is_dropped_or_panicked_over_is_off() {
        let log = Arc::new(Mutex::new(vec![]));
        let load = Load { voltage_v: Voltage::from_volts(1.0), current_a: Current::from_amperes(1.0) };
        let mut guard = Guard::new(Logged(log.clone())).unwrap();
        guard.set(load).unwrap();
        drop(guard);
        assert_eq!(*log.lock().unwrap(), ["off", "set", "off"]);
        let inner = log.clone();
        let _ = std::panic::catch_unwind(move || {
            let mut guard = Guard::new(Logged(inner)).unwrap();
            guard.set(load).unwrap();
            panic!("on purpose");
        });
        assert_eq!(log.lock().unwrap().last(), Some(&"off"));
    }
}
