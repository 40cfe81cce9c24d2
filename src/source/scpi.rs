//! A source that speaks text lines, driven by its [`Profile`]. What is told is refused before it is sent where it is out
//! of range; each setting is followed by a look at the error queue, a read-back, and the state of the output.

use super::profile::{Range, Role};
use super::{Fault, Profile, Source};
use crate::link::Link;
use crate::link::scpi::{self, Instrument};
use crate::plan::Load;
use crate::quantity::{Current, Voltage};

/// A source on a line.
pub struct Scpi {
    instrument: Instrument,
    profile: Profile,
    role: Role,
    range: Range,
    /// Switched on by us.
    live: bool,
}

impl Scpi {
    /// Asks who is there. Nothing is switched on by that. `range` is what it may be asked for: its own, or less.
    pub fn open(link: Box<dyn Link>, profile: Profile, role: Role, range: Range) -> Result<Self, Fault> {
        let instrument = Instrument::open(link, profile.dialect.clone())?;
        let mut source = Self { instrument, profile, role, range, live: false };
        source.check_own_range()?;
        Ok(source)
    }

    /// What it says it is.
    pub fn identity(&self) -> &str {
        self.instrument.identity()
    }

    /// Its line.
    pub fn peer(&self) -> &str {
        self.instrument.peer()
    }

    /// What it may be asked for.
    pub fn range(&self) -> Range {
        self.range
    }

    /// The greatest voltage and current that it says it takes, where its profile knows how to ask.
    pub fn own_range(&mut self) -> Result<(Option<f64>, Option<f64>), Fault> {
        let back = &self.profile.readback;
        let (voltage, current) = (back.voltage_max.clone(), back.current_max.clone());
        let voltage = voltage.map(|question| self.instrument.ask_number(&question)).transpose()?;
        let current = current.map(|question| self.instrument.ask_number(&question)).transpose()?;
        Ok((voltage, current))
    }

    /// A smaller instrument than the profile or the bench file says is found before the first load.
    fn check_own_range(&mut self) -> Result<(), Fault> {
        let (voltage, current) = self.own_range()?;
        let short = voltage.is_some_and(|most| most < self.range.voltage_max_v.volts())
            || current.is_some_and(|most| most < self.range.current_max_a.amperes());
        if !short {
            return Ok(());
        }
        let said = |most: Option<f64>, unit| most.map_or(String::from("?"), |most| format!("{most} {unit}"));
        Err(Fault::Range {
            peer: self.peer().to_owned(),
            asked: format!(
                "the range {}, {} of its profile",
                self.range.voltage_max_v, self.range.current_max_a
            ),
            allowed: format!("{}, {} by its own words", said(voltage, "V"), said(current, "A")),
        })
    }

    /// What it measures at its own terminals, where its profile knows how to ask: volts and amperes.
    pub fn measured(&mut self) -> Result<(Option<f64>, Option<f64>), Fault> {
        let back = &self.profile.readback;
        let (voltage, current) = (back.measured_voltage.clone(), back.measured_current.clone());
        let voltage = voltage.map(|question| self.instrument.ask_number(&question)).transpose()?;
        let current = current.map(|question| self.instrument.ask_number(&question)).transpose()?;
        Ok((voltage, current))
    }

    /// Whether its output says that it is off; `None` where its profile knows no question for that.
    pub fn says_off(&mut self) -> Result<Option<bool>, Fault> {
        let back = &self.profile.readback;
        let Some(question) = back.output.clone() else { return Ok(None) };
        let seen = self.instrument.ask(&question)?;
        Ok(Some(self.profile.readback.says_off.iter().any(|word| seen.trim() == word)))
    }

    /// The oldest entry of its error queue; the queue is empty afterwards.
    pub fn first_error(&mut self) -> Result<Option<String>, Fault> {
        Ok(self.instrument.first_error()?)
    }

    /// The load as this instrument sees it: the other quantity is its limit.
    fn asked(&self, load: Load) -> (Voltage, Current) {
        match self.role {
            Role::Both => (load.voltage_v, load.current_a),
            Role::Voltage { limit } => (load.voltage_v, limit),
            Role::Current { limit } => (limit, load.current_a),
        }
    }

    /// Sends every off command and waits for no answer.
    pub fn tell_off(&mut self) {
        for command in self.profile.command.off.clone() {
            // Whether it was taken over is asked after.
            let _ = self.instrument.send_only(&command);
        }
    }

    /// Refuses a load that is beyond it. Nothing is sent.
    pub fn check_range(&self, load: Load) -> Result<(), Fault> {
        let (voltage, current) = self.asked(load);
        let fits = |value: f64, most: f64| (0.0..=most).contains(&value);
        if fits(voltage.volts(), self.range.voltage_max_v.volts())
            && fits(current.amperes(), self.range.current_max_a.amperes())
        {
            return Ok(());
        }
        Err(Fault::Range {
            peer: self.peer().to_owned(),
            asked: format!("{voltage}, {current}"),
            allowed: format!("0 V to {}, 0 A to {}", self.range.voltage_max_v, self.range.current_max_a),
        })
    }

    /// Whether `load` asks nothing of this instrument: then it is switched off rather than set to zero, because a zero
    /// that is set is a zero with an offset.
    pub fn is_idle_at(&self, load: Load) -> bool {
        match self.role {
            Role::Both => false,
            Role::Voltage { .. } => load.voltage_v == Voltage::ZERO,
            Role::Current { .. } => load.current_a == Current::ZERO,
        }
    }

    fn read_back(&mut self, voltage: Voltage, current: Current) -> Result<(), Fault> {
        let (ask_voltage, ask_current) = self.profile.back(self.role);
        let (ask_voltage, ask_current) = (ask_voltage.map(str::to_owned), ask_current.map(str::to_owned));
        let (share, volts, amperes) = {
            let back = &self.profile.readback;
            (back.within_percent / 100.0, back.within_v, back.within_a)
        };
        if let Some(question) = ask_voltage {
            self.compare("a voltage of", voltage.volts(), &question, volts, share, "V")?;
        }
        if let Some(question) = ask_current {
            self.compare("a current of", current.amperes(), &question, amperes, share, "A")?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        what: &'static str,
        set: f64,
        question: &str,
        floor: f64,
        share: f64,
        unit: &str,
    ) -> Result<(), Fault> {
        let read = self.instrument.ask_number(question)?;
        let within = floor.max(set.abs() * share);
        if (read - set).abs() <= within {
            return Ok(());
        }
        Err(Fault::NotTaken {
            peer: self.peer().to_owned(),
            what,
            set: format!("{set} {unit}"),
            read: format!("{read} {unit}"),
            within: format!("±{within} {unit}"),
        })
    }

    /// The output must say what it was told.
    fn output_is(&mut self, on: bool) -> Result<(), Fault> {
        let Some(question) = self.profile.readback.output.clone() else { return Ok(()) };
        let seen = self.instrument.ask(&question)?;
        let back = &self.profile.readback;
        let words = if on { &back.says_on } else { &back.says_off };
        if words.iter().any(|word| seen.trim() == word) {
            return Ok(());
        }
        let (told, remedy) = if on {
            ("ON", "Has a protection or an interlock of its own switched it off?")
        } else {
            ("OFF", "DANGER: take its supply away")
        };
        Err(Fault::Output { peer: self.peer().to_owned(), told, question, seen, remedy })
    }

    /// Protections, and whether it holds the quantity it is to hold.
    fn check_status(&mut self) -> Result<(), Fault> {
        let Some(status) = self.profile.status.clone() else { return Ok(()) };
        let bits = self.instrument.ask_bits(&status.query)?;
        let told: Vec<&str> =
            status.bits.iter().filter(|b| bits >> b.bit & 1 == 1).map(|b| b.says.as_str()).collect();
        if !told.is_empty() {
            return Err(Fault::Tripped {
                peer: self.peer().to_owned(),
                what: told.join(", "),
                question: status.query,
                bits,
            });
        }
        let Some(regulation) = status.regulation.filter(|_| self.live) else { return Ok(()) };
        let bits = self.instrument.ask_bits(&regulation.query)?;
        let (role, wrong, limit, remedy) = match self.role {
            Role::Both => return Ok(()),
            Role::Voltage { limit } => (
                "voltage",
                regulation.constant_current_bit,
                limit.to_string(),
                "Something draws current at the voltage terminals: wrong terminal, or a short circuit?",
            ),
            Role::Current { limit } => (
                "current",
                regulation.constant_voltage_bit,
                limit.to_string(),
                "Is the current path open, or its leads too thin or too long?",
            ),
        };
        if bits >> wrong & 1 == 0 {
            return Ok(());
        }
        Err(Fault::AtLimit { peer: self.peer().to_owned(), role, limit, remedy })
    }

    fn switch_on(&mut self) -> Result<(), Fault> {
        for command in self.profile.command.on.clone() {
            self.instrument.tell(&command)?;
        }
        self.instrument.finish("switching on")?;
        self.output_is(true)
    }
}

impl Source for Scpi {
    fn set(&mut self, load: Load) -> Result<(), Fault> {
        self.check_range(load)?;
        if self.is_idle_at(load) {
            return self.off();
        }
        let (voltage, current) = self.asked(load);
        if !self.live {
            for command in self.profile.mode(self.role).to_vec() {
                self.instrument.tell(&command)?;
            }
        }
        for template in self.profile.set(self.role).to_vec() {
            let command = template
                .replace("{voltage_v}", &format!("{:.6}", voltage.volts()))
                .replace("{current_a}", &format!("{:.6}", current.amperes()));
            self.instrument.tell(&command)?;
        }
        self.instrument.finish(&format!("setting {voltage}, {current}"))?;
        self.read_back(voltage, current)?;
        if !self.live {
            // Before the switch: what fails half-way may be on.
            self.live = true;
            self.switch_on()?;
        }
        Ok(())
    }

    fn off(&mut self) -> Result<(), Fault> {
        // Every off command is sent, also after one that failed; the first failure is told.
        let commands = self.profile.command.off.clone();
        let told: Vec<_> = commands.iter().map(|command| self.instrument.tell(command)).collect();
        told.into_iter().collect::<Result<(), scpi::Fault>>()?;
        self.instrument.finish("switching off")?;
        self.output_is(false)?;
        self.live = false;
        Ok(())
    }

    fn check(&mut self) -> Result<(), Fault> {
        if let Some(said) = self.instrument.first_error()? {
            let peer = self.peer().to_owned();
            return Err(scpi::Fault::Refused { peer, command: "(nothing was sent)".into(), said }.into());
        }
        self.check_status()?;
        if self.live { self.output_is(true) } else { Ok(()) }
    }
}
