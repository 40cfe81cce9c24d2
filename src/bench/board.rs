//! What of the bench hangs on the Raspberry Pi's GPIO, as the bench file says it: pulses, interlocks, heartbeat.
//!
//! ```toml
//! [pulse]
//! gpio = { meter = 17, seconds = 27, reference = 22, reference_constant_imp_per_kwh = 1e9, pull = "up", active = "low" }
//! edge_half_width_us = 20
//!
//! [interlock]
//! emergency_stop = { gpio = 5 }            # safe = "high" unless it says "low"
//! lid = { gpio = 6 }
//!
//! [heartbeat]
//! gpio = 16
//!
//! [panel]
//! i2c = 1                                    # /dev/i2c-1; address 0x3C, language "zh", unless they say otherwise
//! ```
//!
//! An interlock is a closed loop: the contact drives the line to its safe level, and the Raspberry Pi's own resistor
//! pulls it the other way, so that a broken wire is not safe. The numbers are the BCM numbers that rppal takes.

use crate::link::Address;
use crate::pulse::Input;
use crate::pulse::gpio::{DEBOUNCE_MAX, HEADER, Line, Pull};
use crate::quantity::PulseConstant;
use crate::source::interlock::Interlock;
use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The pulse inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulses {
    /// The meter's energy pulses.
    pub meter: u8,
    /// Its seconds pulse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u8>,
    /// The reference's own energy pulses, up to 10 kHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u8>,
    /// Their constant, at the range that the reference is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_constant_imp_per_kwh: Option<PulseConstant>,
    /// Pull of these inputs.
    #[serde(default)]
    pub pull: PullWord,
    /// The level of a pulse: an open collector with a pull-up is low while it conducts.
    #[serde(default)]
    pub active: Level,
    /// The kernel's debounce; its stamps are late by that, so `edge_half_width_us` must hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debounce_us: Option<f64>,
}

/// A level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 3.3 V.
    #[default]
    High,
    /// 0 V.
    Low,
}

/// A pull, in the bench file's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullWord {
    /// As the wiring does it.
    #[default]
    Off,
    /// Up to 3.3 V.
    Up,
    /// Down to ground.
    Down,
}

/// The contact of an interlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// BCM number of its line.
    pub gpio: u8,
    /// The level at which it is safe.
    #[serde(default)]
    pub safe: Level,
}

/// The interlocks that the bench has.
pub type Interlocks = BTreeMap<Interlock, Contact>;

/// Where the heartbeat goes: a line of the board, or a watchdog relay that takes `+` and `-` on a line of bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// BCM number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpio: Option<u8>,
    /// The line of a watchdog relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Address>,
}

/// A small status display, or a file in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The number of its bus: 1 is `/dev/i2c-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i2c: Option<u8>,
    /// Its address on the bus: 0x3C, or 0x3D by its jumper.
    #[serde(default = "panel_address")]
    pub address: u8,
    /// It is built in upside down.
    #[serde(default)]
    pub turned: bool,
    /// A PNG file that always holds its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub png: Option<PathBuf>,
    /// `zh` or `en`.
    #[serde(default)]
    pub language: PanelLanguage,
}

fn panel_address() -> u8 {
    0x3C
}

/// The language of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PanelLanguage {
    /// Chinese.
    #[default]
    #[serde(rename = "zh")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Panel {
    /// What cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.i2c.is_some() == self.png.is_some() {
            return Err("panel: give `i2c`, the number of its bus, or `png`, a file in its place".into());
        }
        // SSD1306 rev 1.1, 8.1.5: by its pin SA0.
        if !matches!(self.address, 0x3C | 0x3D) {
            let seen = self.address;
            return Err(format!("panel: address is {seen:#04x}; an SSD1306 has 0x3c or 0x3d"));
        }
        Ok(())
    }
}

/// What a watched line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Pulses; `inverted` where a pulse is low.
    Pulses {
        /// Whose.
        input: Input,
        /// A pulse is low.
        inverted: bool,
    },
    /// An interlock, safe at this level.
    Interlock(Interlock, Level),
}

/// The lines to be watched, each with what it is for.
pub fn lines(pulses: Option<&Pulses>, interlocks: &Interlocks) -> Vec<(Line, Role)> {
    let mut found = vec![];
    if let Some(pulses) = pulses {
        let pull = match pulses.pull {
            PullWord::Off => Pull::Off,
            PullWord::Up => Pull::Up,
            PullWord::Down => Pull::Down,
        };
        let debounce = pulses.debounce_us.map(|us| Span::from_secs_f64(us * 1e-6));
        let inputs = [
            (Some(pulses.meter), Input::Meter),
            (pulses.seconds, Input::Seconds),
            (pulses.reference, Input::Reference),
        ];
        for (number, input) in inputs {
            if let Some(number) = number {
                let line = Line { number, role: input.to_string(), pull, debounce };
                found.push((line, Role::Pulses { input, inverted: pulses.active == Level::Low }));
            }
        }
    }
    for (interlock, contact) in interlocks {
        let pull = if contact.safe == Level::High { Pull::Down } else { Pull::Up };
        let line = Line { number: contact.gpio, role: interlock.to_string(), pull, debounce: None };
        found.push((line, Role::Interlock(*interlock, contact.safe)));
    }
    found
}

/// What cannot be in these parts of a bench file, in words. `edge_half_width_us` is that of the pulses.
pub fn check(
    pulses: Option<&Pulses>,
    edge_half_width_us: f64,
    interlocks: &Interlocks,
    heartbeat: Option<&Heartbeat>,
) -> Result<(), String> {
    let mut taken: BTreeMap<u8, String> = BTreeMap::new();
    let watched = lines(pulses, interlocks).into_iter().map(|(line, _)| (line.number, line.role));
    let beaten = heartbeat.and_then(|h| h.gpio).map(|number| (number, "heartbeat".to_owned()));
    for (number, role) in watched.chain(beaten) {
        if !HEADER.contains(&number) {
            return Err(format!(
                "gpio {number} ({role}): the header has {} to {}",
                HEADER.start(),
                HEADER.end()
            ));
        }
        if let Some(other) = taken.insert(number, role.clone()) {
            return Err(format!(
                "gpio {number} is given to {other} and to {role}; each needs a line of its own"
            ));
        }
    }
    if heartbeat.is_some_and(|h| h.gpio.is_some() == h.link.is_some()) {
        return Err("heartbeat: give `gpio`, a line of the board, or `link`, a watchdog relay's line".into());
    }
    let Some(pulses) = pulses else { return Ok(()) };
    if let Some(us) = pulses.debounce_us {
        let most = DEBOUNCE_MAX.secs() * 1e6;
        if !(us >= 1.0 && us <= most) {
            return Err(format!("pulse: debounce_us is {us}; allowed is 1 to {most}, or nothing"));
        }
        if edge_half_width_us < us {
            return Err(format!(
                "pulse: debounce_us is {us}, and the kernel stamps an edge when that time is over: edge_half_width_us must be {us} at least, not {edge_half_width_us}"
            ));
        }
    }
    match (pulses.reference, pulses.reference_constant_imp_per_kwh) {
        (Some(_), Some(constant)) if constant > PulseConstant::ZERO => Ok(()),
        (None, None) => Ok(()),
        _ => Err("pulse: `reference` and `reference_constant_imp_per_kwh` (above 0) go together".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Part {
        gpio: Pulses,
        interlock: Interlocks,
        heartbeat: Heartbeat,
    }

    const WHOLE: &str = r#"
        gpio = { meter = 17, seconds = 27, active = "low", pull = "up" }
        [interlock]
        emergency_stop = { gpio = 5 }
        isolation = { gpio = 6, safe = "low" }
        [heartbeat]
        gpio = 16
    "#;

    fn part(replace: (&str, &str)) -> Result<(), String> {
        let text = WHOLE.replace(replace.0, replace.1);
        let part: Part = toml::from_str(&text).map_err(|e| e.to_string())?;
        check(Some(&part.gpio), 20.0, &part.interlock, Some(&part.heartbeat))
    }

    #[test]
    fn a_panel_has_a_bus_or_a_file_and_an_address_that_there_is() {
        let panel = |text: &str| {
            let panel: Panel = toml::from_str(text).map_err(|e| e.to_string())?;
            panel.check().map(|()| panel)
        };
        let usual = panel("i2c = 1").unwrap();
        assert_eq!((usual.address, usual.language), (0x3C, PanelLanguage::Chinese));
        assert_eq!(panel("i2c = 1\naddress = 0x3D\nlanguage = \"en\"").unwrap().address, 0x3D);
        for (text, words) in [
            ("", "give `i2c`"),
            ("i2c = 1\npng = \"p.png\"", "give `i2c`"),
            ("i2c = 1\naddress = 0x27", "0x3c or 0x3d"),
            ("i2c = 1\nlanguage = \"de\"", "expected `zh` or `en`"),
            ("i2c = 300", "300"),
            ("i2c = 1\nspi = 0", "spi"),
        ] {
            let why = panel(text).unwrap_err();
            assert!(why.contains(words), "`{words}` is not in `{why}`");
        }
    }

    #[test]
    fn a_broken_wire_of_an_interlock_is_not_safe() {
        let part: Part = toml::from_str(WHOLE).unwrap();
        let lines = lines(Some(&part.gpio), &part.interlock);
        let pulls: Vec<_> = lines.iter().map(|(line, role)| (line.number, line.pull, *role)).collect();
        assert_eq!(pulls[0], (17, Pull::Up, Role::Pulses { input: Input::Meter, inverted: true }));
        assert_eq!(pulls[2], (5, Pull::Down, Role::Interlock(Interlock::EmergencyStop, Level::High)));
        assert_eq!(pulls[3], (6, Pull::Up, Role::Interlock(Interlock::Isolation, Level::Low)));
    }

    #[test]
    fn what_cannot_be_wired_is_refused_in_words() {
        assert_eq!(part(("", "")), Ok(()));
        for (from, to, words) in [
            ("gpio = 5", "gpio = 17", "is given to meter pulses and to emergency stop"),
            ("gpio = 16", "gpio = 6", "is given to isolation and to heartbeat"),
            ("meter = 17", "meter = 40", "the header has 2 to 27"),
            ("pull = \"up\"", "debounce_us = 500", "edge_half_width_us must be 500 at least"),
            ("pull = \"up\"", "debounce_us = 0", "allowed is 1 to 100000"),
            ("pull = \"up\"", "reference = 22", "go together"),
            ("gpio = 16", "", "give `gpio`"),
            ("emergency_stop", "emergency_brake", "emergency_brake"),
        ] {
            let why = part((from, to)).unwrap_err();
            assert!(why.contains(words), "`{words}` is not in `{why}`");
        }
    }
}
