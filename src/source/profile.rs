//! A source as data: its commands, ranges and settle rule, from `assets/instruments/*.toml`.

use crate::link::Provenance;
use crate::link::scpi::Dialect;
use crate::plan::Settle;
use crate::quantity::{Current, Voltage};
use serde::{Deserialize, Serialize};

/// A profile that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("source profile {origin}: {what}")]
pub struct NoProfile {
    origin: String,
    what: String,
}

/// How a source is driven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The form's version.
    pub schema: u32,
    /// Says that this is a source.
    pub kind: IsSource,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Where the commands were read.
    pub origin: String,
    /// How sure they are.
    #[serde(default)]
    pub provenance: Provenance,
    /// A stand-in: whatever it does is marked simulated.
    #[serde(default)]
    pub simulated: bool,
    /// Which outputs it has.
    #[serde(default)]
    pub output: Output,
    /// How it is talked to.
    pub dialect: Dialect,
    /// What it reaches. A profile for a whole family has none; then the bench file gives it from the nameplate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// What is sent.
    pub command: Command,
    /// What is asked after setting and switching.
    #[serde(default, skip_serializing_if = "Readback::is_empty")]
    pub readback: Readback,
    /// What tells of a protection that has tripped, or of a compliance that was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// When it counts as settled.
    pub settle: Settle,
}

/// The word `source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsSource {
    /// It is one.
    Source,
}

/// The outputs of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// A voltage output and a current output: a whole phantom load.
    #[default]
    Pair,
    /// One output, used as voltage source or as current source: a phantom load needs two such instruments.
    Single,
}

/// Greatest outputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Highest voltage.
    pub voltage_max_v: Voltage,
    /// Highest current.
    pub current_max_a: Current,
}

impl Range {
    /// The smaller of two, in each quantity.
    #[must_use]
    pub fn narrowed(self, by: Self) -> Self {
        Self {
            voltage_max_v: self.voltage_max_v.min(by.voltage_max_v),
            current_max_a: self.current_max_a.min(by.current_max_a),
        }
    }

    fn is_sound(self) -> bool {
        self.voltage_max_v > Voltage::ZERO && self.current_max_a > Current::ZERO
    }
}

/// Command templates; `{voltage_v}` and `{current_a}` are replaced by numbers with six decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// In this order for a load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Instead of `set` where a single output stands as voltage source: `{current_a}` is the limit of its current.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_as_voltage: Vec<String>,
    /// Instead of `set` where a single output stands as current source: `{voltage_v}` is the limit of its voltage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_as_current: Vec<String>,
    /// Before `set_as_voltage`, only while the output is off: what makes it a voltage source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mode_as_voltage: Vec<String>,
    /// Before `set_as_current`, only while the output is off: what makes it a current source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mode_as_current: Vec<String>,
    /// After the read-back of what was set: switches on. Left out where `set` does it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// In this order for off.
    pub off: Vec<String>,
}

/// Questions that hold what was taken over against what was told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readback {
    /// The voltage that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage: Option<String>,
    /// The current that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The current limit of a voltage source, where it is asked in another way than `current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_limit: Option<String>,
    /// The voltage limit of a current source, where it is asked in another way than `voltage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_limit: Option<String>,
    /// How far a value read back may lie from the one that was set, in percent of it; the instrument rounds to its step.
    #[serde(default)]
    pub within_percent: f64,
    /// The same, in volt, at small voltages.
    #[serde(default)]
    pub within_v: f64,
    /// The same, in ampere, at small currents.
    #[serde(default)]
    pub within_a: f64,
    /// Whether the output is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The answers that say on, and those that say off.
    #[serde(default = "says_on")]
    pub says_on: Vec<String>,
    /// The answers that say off.
    #[serde(default = "says_off")]
    pub says_off: Vec<String>,
    /// The voltage at its terminals, by its own measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_voltage: Option<String>,
    /// The current through them, by its own measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_current: Option<String>,
    /// The greatest voltage that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_max: Option<String>,
    /// The greatest current that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_max: Option<String>,
}

fn says_on() -> Vec<String> {
    vec!["1".into(), "ON".into()]
}

fn says_off() -> Vec<String> {
    vec!["0".into(), "OFF".into()]
}

impl Readback {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Registers that tell how the output does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The question for the register of protections (SCPI: `STATus:QUEStionable:CONDition?`).
    pub query: String,
    /// Bits that are a fault, and what each says.
    pub bits: Vec<Bit>,
    /// The question for the register that tells how the output is regulated, and the masks of its bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regulation: Option<Regulation>,
}

/// A bit of a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bit {
    /// Its number, from 0.
    pub bit: u8,
    /// What it says.
    pub says: String,
}

/// Constant voltage or constant current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regulation {
    /// The question.
    pub query: String,
    /// The bit of constant voltage, from 0.
    pub constant_voltage_bit: u8,
    /// The bit of constant current, from 0.
    pub constant_current_bit: u8,
}

impl Profile {
    /// Reads a profile; `origin` names it in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, NoProfile> {
        let refuse = |what: String| NoProfile { origin: origin.to_owned(), what };
        let mut profile: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        profile.check().map_err(refuse)?;
        profile.simulated |= profile.dialect.is_stand_in();
        Ok(profile)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != 1 {
            return Err(format!("schema is {}; this program reads 1", self.schema));
        }
        self.settle.check()?;
        self.dialect.check()?;
        if self.range.is_some_and(|range| !range.is_sound()) {
            return Err("range: voltage_max_v and current_max_a must be above 0".into());
        }
        self.check_commands()?;
        let back = &self.readback;
        for (key, value) in [("percent", back.within_percent), ("v", back.within_v), ("a", back.within_a)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(format!("readback.within_{key} is {value}; allowed is 0 or more"));
            }
        }
        let asked = back.voltage.is_some() || back.current.is_some();
        if asked && back.within_percent == 0.0 && (back.within_v == 0.0 || back.within_a == 0.0) {
            return Err("readback: say how far a value read back may lie from the set one (within_percent, within_v, within_a)".into());
        }
        if back.says_on.iter().any(|word| back.says_off.contains(word)) {
            return Err("readback: a word cannot say both on and off".into());
        }
        let bits = self.status.iter().flat_map(|status| status.bits.iter().map(|bit| bit.bit));
        let regulation = self.status.iter().filter_map(|status| status.regulation.as_ref());
        let masks = regulation.flat_map(|r| [r.constant_voltage_bit, r.constant_current_bit]);
        if let Some(bit) = bits.chain(masks).find(|bit| *bit > 31) {
            return Err(format!("status: bit {bit} is not in a register of 32 bits"));
        }
        Ok(())
    }

    fn check_commands(&self) -> Result<(), String> {
        let command = &self.command;
        let sets: Vec<&[String]> = match self.output {
            Output::Pair => vec![&command.set],
            Output::Single => [Role::VOLTAGE, Role::CURRENT].map(|role| self.set(role)).to_vec(),
        };
        for set in sets {
            let set = set.concat();
            if !(set.contains("{voltage_v}") && set.contains("{current_a}")) {
                return Err("command: each `set` must hold {voltage_v} and {current_a}".into());
            }
        }
        if command.off.is_empty() {
            return Err("command: `off` must not be empty".into());
        }
        // Setting up happens before anybody has asked for a load.
        let mut quiet =
            self.dialect.setup.iter().chain(&command.mode_as_voltage).chain(&command.mode_as_current);
        if let Some(live) = quiet.find(|line| command.on.contains(line)) {
            return Err(format!("`{live}` switches on; it may stand in command.on only"));
        }
        Ok(())
    }

    /// The templates for setting in a role.
    pub fn set(&self, role: Role) -> &[String] {
        let command = &self.command;
        match role {
            Role::Voltage { .. } if !command.set_as_voltage.is_empty() => &command.set_as_voltage,
            Role::Current { .. } if !command.set_as_current.is_empty() => &command.set_as_current,
            _ => &command.set,
        }
    }

    /// What makes it what its role asks, while it is off.
    pub fn mode(&self, role: Role) -> &[String] {
        match role {
            Role::Both => &[],
            Role::Voltage { .. } => &self.command.mode_as_voltage,
            Role::Current { .. } => &self.command.mode_as_current,
        }
    }

    /// The questions for the voltage and the current that are set, in a role.
    pub fn back(&self, role: Role) -> (Option<&str>, Option<&str>) {
        let back = &self.readback;
        let voltage = match role {
            Role::Current { .. } => back.voltage_limit.as_ref().or(back.voltage.as_ref()),
            _ => back.voltage.as_ref(),
        };
        let current = match role {
            Role::Voltage { .. } => back.current_limit.as_ref().or(back.current.as_ref()),
            _ => back.current.as_ref(),
        };
        (voltage.map(String::as_str), current.map(String::as_str))
    }
}

/// What an instrument does in a phantom load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Both: it has two outputs.
    Both,
    /// The voltage; its current is limited.
    Voltage {
        /// The most that may flow.
        limit: Current,
    },
    /// The current; its voltage is limited.
    Current {
        /// The most that may stand at its terminals.
        limit: Voltage,
    },
}

impl Role {
    const VOLTAGE: Self = Self::Voltage { limit: Current::ZERO };
    const CURRENT: Self = Self::Current { limit: Voltage::ZERO };
}
