//! A phantom load of two sources with one output each: one makes the voltage, the other the current.

use super::{Fault, Source};
use crate::plan::Load;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a pair asks of each of its halves, beside setting and switching.
pub trait Half: Source {
    /// Refuses a load that is beyond it. Nothing is sent.
    fn check_range(&self, load: Load) -> Result<(), Fault>;
    /// Whether `load` asks nothing of it.
    fn is_idle_at(&self, load: Load) -> bool;
    /// Sends off and waits for no answer.
    fn tell_off(&mut self);
}

impl Half for super::scpi::Scpi {
    fn check_range(&self, load: Load) -> Result<(), Fault> {
        self.check_range(load)
    }
    fn is_idle_at(&self, load: Load) -> bool {
        self.is_idle_at(load)
    }
    fn tell_off(&mut self) {
        self.tell_off();
    }
}

fn caught<T>(act: impl FnOnce() -> T) -> std::thread::Result<T> {
    catch_unwind(AssertUnwindSafe(act))
}

/// Both sources. Whatever fails, off is sent to each.
pub struct Pair<V: Half, C: Half> {
    voltage: V,
    current: C,
}

impl<V: Half, C: Half> Pair<V, C> {
    /// Of a voltage source and a current source.
    pub fn new(voltage: V, current: C) -> Self {
        Self { voltage, current }
    }
}

impl<V: Half, C: Half> Source for Pair<V, C> {
    /// Both must be able to before either is told. What goes off goes first, and the voltage stands before current flows.
    fn set(&mut self, load: Load) -> Result<(), Fault> {
        self.voltage.check_range(load)?;
        self.current.check_range(load)?;
        if self.current.is_idle_at(load) {
            self.current.off()?;
        }
        self.voltage.set(load)?;
        if self.current.is_idle_at(load) { Ok(()) } else { self.current.set(load) }
    }

    /// Each hears it before either is asked whether it has obeyed: one that is silent or broken holds the other up neither
    /// for its answer nor for ever.
    fn off(&mut self) -> Result<(), Fault> {
        let _ = caught(|| self.current.tell_off());
        let _ = caught(|| self.voltage.tell_off());
        let current = caught(|| self.current.off());
        let voltage = caught(|| self.voltage.off());
        match (current, voltage) {
            (Ok(current), Ok(voltage)) => current.and(voltage),
            // The panic goes on, now that both were told.
            (Err(panic), _) | (_, Err(panic)) => resume_unwind(panic),
        }
    }

    fn check(&mut self) -> Result<(), Fault> {
        self.voltage.check()?;
        self.current.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{Current, Voltage};
    use std::sync::{Arc, Mutex};

    /// Notes what it is told; its off fails where it is to.
    struct Noted(&'static str, Arc<Mutex<Vec<String>>>, bool);

    impl Noted {
        fn note(&self, what: &str) {
            self.1.lock().unwrap().push(format!("{} {what}", self.0));
        }
        fn fault(&self) -> Fault {
            Fault::Range { peer: self.0.into(), asked: "x".into(), allowed: "y".into() }
        }
    }

    impl Source for Noted {
        fn set(&mut self, _: Load) -> Result<(), Fault> {
            self.note("set");
            Ok(())
        }
        fn off(&mut self) -> Result<(), Fault> {
            self.note("off");
            assert!(self.0 != "broken", "on purpose");
            if self.2 { Err(self.fault()) } else { Ok(()) }
        }
        fn check(&mut self) -> Result<(), Fault> {
            Ok(())
        }
    }

    impl Half for Noted {
        fn check_range(&self, load: Load) -> Result<(), Fault> {
            let beyond = load.voltage_v.volts() > 1000.0 || load.current_a.amperes() > 100.0;
            if beyond { Err(self.fault()) } else { Ok(()) }
        }
        fn is_idle_at(&self, load: Load) -> bool {
            if self.0 == "U" { load.voltage_v == Voltage::ZERO } else { load.current_a == Current::ZERO }
        }
        fn tell_off(&mut self) {
            self.note("told off");
        }
    }

    fn load(volts: f64, amperes: f64) -> Load {
        Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) }
    }

    #[test]
    fn neither_is_told_what_one_of_them_cannot_and_no_current_means_off() {
        let notes = Arc::default();
        let mut pair =
            Pair::new(Noted("U", Arc::clone(&notes), false), Noted("I", Arc::clone(&notes), false));
        assert!(pair.set(load(750.0, 101.0)).is_err());
        assert!(notes.lock().unwrap().is_empty());
        pair.set(load(750.0, 10.0)).unwrap();
        pair.set(load(750.0, 0.0)).unwrap();
        assert_eq!(*notes.lock().unwrap(), ["U set", "I set", "I off", "U set"]);
    }

    #[test]
    fn the_voltage_goes_off_also_where_the_current_does_not() {
        let notes = Arc::default();
        let mut pair = Pair::new(Noted("U", Arc::clone(&notes), false), Noted("I", Arc::clone(&notes), true));
        assert!(pair.off().is_err());
        assert_eq!(*notes.lock().unwrap(), ["I told off", "U told off", "I off", "U off"]);
    }

    #[test]
    fn the_voltage_goes_off_also_where_the_current_source_breaks_down() {
        let notes = Arc::default();
        let broken = Noted("broken", Arc::clone(&notes), false);
        let mut pair = Pair::new(Noted("U", Arc::clone(&notes), false), broken);
        assert!(catch_unwind(AssertUnwindSafe(|| pair.off())).is_err());
        assert_eq!(notes.lock().unwrap().last().unwrap(), "U off");
    }
}
