//! The phantom load: voltage and current from two separate sources. Off is owned by an object, [`Guard`].

pub mod pair;
pub mod profile;
pub mod scpi;
pub mod xl9600;

pub use profile::{Profile, Role};

use crate::plan::Load;

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
}

/// Owns a source and switches it off when dropped: at the end of a run, on a fault, on a panic.
pub struct Guard<S: Source> {
    source: S,
    live: bool,
}

impl<S: Source> Guard<S> {
    /// Takes the source over, and switches it off first: what it did before is unknown.
    pub fn new(mut source: S) -> Result<Self, Fault> {
        source.off()?;
        Ok(Self { source, live: false })
    }

    /// Sets `load`.
    pub fn set(&mut self, load: Load) -> Result<(), Fault> {
        self.live = true;
        self.source.set(load)
    }

    /// Asks whether it is still there and content.
    pub fn check(&mut self) -> Result<(), Fault> {
        self.source.check()
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
        // Twice, because the first may fall into a line that is just recovering; a third would not help.
        if self.live && self.source.off().is_err() {
            let _ = self.source.off();
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
