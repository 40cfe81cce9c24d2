//! Which instruments make the load: one with two outputs, or two with one each; their ranges and their settle rule.

use super::description::Fault;
use crate::link::Address;
use crate::plan::Settle;
use crate::quantity::{Current, Voltage};
use crate::source::profile::{NoProfile, Output, Range};
use crate::source::xl9600::Setting;
use crate::source::{Profile, Role};
use serde::{Deserialize, Serialize};

/// `[source]` of a bench file as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name of a shipped profile, or the path of one: an instrument with both outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Address>,
    /// What it may be asked for, from its nameplate or from what the wiring bears; the smaller one of this and the
    /// profile's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Instead: the instrument that makes the voltage …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage: Option<HalfEntry>,
    /// … and the one that makes the current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<HalfEntry>,
    /// Or an XL-9600 bench on `link`, which makes both and calculates errors too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xl9600: Option<Setting>,
}

/// `[source.voltage]` or `[source.current]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfEntry {
    /// Name of a shipped profile, or the path of one.
    pub profile: String,
    /// Its line.
    pub link: Address,
    /// What it may be asked for; as in `[source]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Of the voltage source: the most current that it may give, in ampere (what the meter's voltage circuit draws, and
    /// a little).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<Current>,
    /// Of the current source: the highest voltage that it may make, in volt (the drop along the current path, and a
    /// little).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_v: Option<Voltage>,
}

impl Entry {
    /// One instrument with both outputs.
    pub fn one(profile: &str, link: Address) -> Self {
        Self {
            profile: Some(profile.into()),
            link: Some(link),
            range: None,
            voltage: None,
            current: None,
            xl9600: None,
        }
    }
}

/// An instrument, ready to be opened.
#[derive(Debug, Clone)]
pub struct Part {
    /// The profile's name in the bench file.
    pub name: String,
    /// How it is driven.
    pub profile: Profile,
    /// Its line.
    pub link: Address,
    /// What it does.
    pub role: Role,
    /// What it may be asked for.
    pub range: Range,
}

/// What makes the load.
#[derive(Debug, Clone)]
pub enum Sources {
    /// One instrument.
    One(Box<Part>),
    /// Two.
    Two {
        /// Makes the voltage.
        voltage: Box<Part>,
        /// Makes the current.
        current: Box<Part>,
    },
    /// The XL-9600 bench.
    Xl9600 {
        /// Its line.
        link: Address,
        /// What is set in it.
        setting: Box<Setting>,
    },
}

/// Planning figures of ours for the XL-9600, whose maker states none that we know: a slow ramp, and the time in which its
/// commands fall silent. The run itself looks at the reference.
const XL9600_SETTLE: Settle = Settle {
    voltage_band_percent: 0.5,
    current_band_percent: 0.5,
    current_floor_a: Current::ZERO,
    hold_secs: 2.0,
    timeout_secs: 30.0,
    voltage_slew_v_per_s: 100.0,
    current_slew_a_per_s: 20.0,
};

impl Sources {
    /// From a bench file's `[source]`; `text` gives a profile's text by its name.
    pub fn read(
        entry: &Entry,
        form: &dyn Fn(String) -> Fault,
        text: &dyn Fn(&str) -> Result<String, Fault>,
    ) -> Result<Self, Fault> {
        let profile = |name: &str| -> Result<Profile, Fault> {
            text(name).and_then(|text| Profile::from_toml(name, &text).map_err(NoProfile::into))
        };
        if let (Some(setting), None, Some(link), None) =
            (&entry.xl9600, &entry.profile, &entry.link, entry.range)
            && entry.voltage.is_none()
            && entry.current.is_none()
        {
            setting.check().map_err(form)?;
            if !matches!(link, Address::Udp { .. }) {
                return Err(form(format!(
                    "source.link is {link}; an XL-9600 is asked by datagrams: write udp:HOST:24433"
                )));
            }
            return Ok(Self::Xl9600 { link: link.clone(), setting: Box::new(setting.clone()) });
        }
        match (&entry.profile, &entry.link, &entry.voltage, &entry.current) {
            (Some(name), Some(link), None, None) if entry.xl9600.is_none() => {
                let profile = profile(name)?;
                if profile.output != Output::Pair {
                    return Err(form(format!(
                        "source: {name} has one output; a load needs two: write [source.voltage] and [source.current], each with its profile and link"
                    )));
                }
                let range = range(&profile, entry.range, name, form)?;
                let (name, link) = (name.clone(), link.clone());
                Ok(Self::One(Box::new(Part { name, profile, link, role: Role::Both, range })))
            }
            (None, None, Some(voltage), Some(current)) if entry.xl9600.is_none() => {
                let (Some(limit_a), None) = (voltage.limit_a, voltage.limit_v) else {
                    return Err(form(
                        "source.voltage: give limit_a, the most current that it may give (and no limit_v)".into(),
                    ));
                };
                let (Some(limit_v), None) = (current.limit_v, current.limit_a) else {
                    return Err(form(
                        "source.current: give limit_v, the highest voltage that it may make (and no limit_a)".into(),
                    ));
                };
                let part = |half: &HalfEntry, role, key| -> Result<Box<Part>, Fault> {
                    let profile = profile(&half.profile)?;
                    if profile.output != Output::Single {
                        let name = &half.profile;
                        return Err(form(format!(
                            "source.{key}: {name} has both outputs; write it as [source] alone, with profile and link"
                        )));
                    }
                    let range = range(&profile, half.range, &half.profile, form)?;
                    let (name, link) = (half.profile.clone(), half.link.clone());
                    Ok(Box::new(Part { name, profile, link, role, range }))
                };
                let voltage = part(voltage, Role::Voltage { limit: limit_a }, "voltage")?;
                let current = part(current, Role::Current { limit: limit_v }, "current")?;
                if !(limit_a > Current::ZERO && limit_a <= voltage.range.current_max_a) {
                    let most = voltage.range.current_max_a;
                    return Err(form(format!(
                        "source.voltage.limit_a is {limit_a}; allowed is above 0 A to {most}"
                    )));
                }
                if !(limit_v > Voltage::ZERO && limit_v <= current.range.voltage_max_v) {
                    let most = current.range.voltage_max_v;
                    return Err(form(format!(
                        "source.current.limit_v is {limit_v}; allowed is above 0 V to {most}"
                    )));
                }
                Ok(Self::Two { voltage, current })
            }
            _ => Err(form(
                "source: give profile and link of one instrument with both outputs, or [source.voltage] and [source.current] of two, or link and [source.xl9600]"
                    .into(),
            )),
        }
    }

    /// The instruments, and what each is called.
    pub fn parts(&self) -> Vec<(&'static str, &Part)> {
        match self {
            Self::One(part) => vec![("source", part)],
            Self::Two { voltage, current } => vec![("voltage source", voltage), ("current source", current)],
            Self::Xl9600 { .. } => vec![],
        }
    }

    /// What they reach together.
    pub fn range(&self) -> Range {
        match self {
            Self::One(part) => part.range,
            Self::Two { voltage, current } => Range {
                voltage_max_v: voltage.range.voltage_max_v,
                current_max_a: current.range.current_max_a,
            },
            Self::Xl9600 { setting, .. } => Range {
                voltage_max_v: setting.rated_voltage_v * (setting.most_percent / 100.0),
                current_max_a: setting.rated_current_a * (setting.most_percent / 100.0),
            },
        }
    }

    /// When they count as settled: each quantity by its own instrument's rule, and the longer times.
    pub fn settle(&self) -> Settle {
        match self {
            Self::One(part) => part.profile.settle,
            Self::Xl9600 { .. } => XL9600_SETTLE,
            Self::Two { voltage, current } => {
                let (u, i) = (voltage.profile.settle, current.profile.settle);
                Settle {
                    voltage_band_percent: u.voltage_band_percent,
                    voltage_slew_v_per_s: u.voltage_slew_v_per_s,
                    current_band_percent: i.current_band_percent,
                    current_floor_a: i.current_floor_a,
                    current_slew_a_per_s: i.current_slew_a_per_s,
                    hold_secs: u.hold_secs.max(i.hold_secs),
                    timeout_secs: u.timeout_secs.max(i.timeout_secs),
                }
            }
        }
    }

    /// Whether one of them is a stand-in.
    pub fn is_simulated(&self) -> bool {
        self.parts().iter().any(|(_, part)| part.profile.simulated)
    }
}

fn range(
    profile: &Profile,
    given: Option<Range>,
    name: &str,
    form: &dyn Fn(String) -> Fault,
) -> Result<Range, Fault> {
    let sound = |range: &Range| range.voltage_max_v > Voltage::ZERO && range.current_max_a > Current::ZERO;
    if let Some(given) = given.filter(|range| !sound(range)) {
        return Err(form(format!(
            "source: the range {}, {} of {name} must be above 0",
            given.voltage_max_v, given.current_max_a
        )));
    }
    match (profile.range, given) {
        (Some(own), Some(given)) => Ok(own.narrowed(given)),
        (Some(range), None) | (None, Some(range)) => Ok(range),
        (None, None) => Err(form(format!(
            "source: {name} is the profile of a whole family and has no range; give range = {{ voltage_max_v = …, current_max_a = … }} from the instrument's nameplate"
        ))),
    }
}
