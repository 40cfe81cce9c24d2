//! A source that speaks text lines, driven by its [`Profile`]. Each setting is followed by a look at its error queue.

use super::{Fault, Profile, Source};
use crate::link::Link;
use crate::link::scpi::Instrument;
use crate::plan::Load;

/// A source on a line.
pub struct Scpi {
    instrument: Instrument,
    profile: Profile,
}

impl Scpi {
    /// Asks who is there. Nothing is switched on by that.
    pub fn open(link: Box<dyn Link>, profile: Profile) -> Result<Self, Fault> {
        Ok(Self { instrument: Instrument::open(link, profile.dialect.clone())?, profile })
    }

    /// What it says it is.
    pub fn identity(&self) -> &str {
        self.instrument.identity()
    }
}

impl Source for Scpi {
    fn set(&mut self, load: Load) -> Result<(), Fault> {
        let range = &self.profile.range;
        if load.voltage_v.abs() > range.voltage_max_v || load.current_a.abs() > range.current_max_a {
            return Err(Fault::Range {
                peer: self.instrument.peer().to_owned(),
                asked: format!("{}, {}", load.voltage_v, load.current_a),
                allowed: format!("{}, {}", range.voltage_max_v, range.current_max_a),
            });
        }
        for template in &self.profile.command.set {
            let command = template
                .replace("{voltage_v}", &format!("{:.6}", load.voltage_v.volts()))
                .replace("{current_a}", &format!("{:.6}", load.current_a.amperes()));
            self.instrument.tell(&command)?;
        }
        Ok(())
    }

    fn off(&mut self) -> Result<(), Fault> {
        // Every off command is sent, also after one that failed; the first failure is told.
        let told: Vec<_> =
            self.profile.command.off.iter().map(|command| self.instrument.tell(command)).collect();
        told.into_iter().collect::<Result<(), _>>()?;
        Ok(())
    }

    fn check(&mut self) -> Result<(), Fault> {
        match self.instrument.first_error()? {
            None => Ok(()),
            Some(said) => Err(crate::link::scpi::Fault::Refused {
                peer: self.instrument.peer().to_owned(),
                command: "(nothing was sent)".into(),
                said,
            }
            .into()),
        }
    }
}
