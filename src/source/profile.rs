//! A source as data: its commands, ranges and settle rule, from `assets/instruments/*.toml`.

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
    /// Where the commands were read, and how sure that is.
    pub origin: String,
    /// A stand-in: whatever it does is marked simulated.
    #[serde(default)]
    pub simulated: bool,
    /// How it is talked to.
    pub dialect: Dialect,
    /// What it reaches.
    pub range: Range,
    /// What is sent.
    pub command: Command,
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

/// Greatest outputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Highest voltage.
    pub voltage_max_v: Voltage,
    /// Highest current.
    pub current_max_a: Current,
}

/// Command templates; `{voltage_v}` and `{current_a}` are replaced by numbers with six decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// In this order for a load.
    pub set: Vec<String>,
    /// In this order for off.
    pub off: Vec<String>,
}

impl Profile {
    /// Reads a profile; `origin` names it in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, NoProfile> {
        let refuse = |what: String| NoProfile { origin: origin.to_owned(), what };
        let profile: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        if profile.schema != 1 {
            return Err(refuse(format!("schema is {}; this program reads 1", profile.schema)));
        }
        profile.settle.check().map_err(refuse)?;
        if profile.range.voltage_max_v <= Voltage::ZERO || profile.range.current_max_a <= Current::ZERO {
            return Err(refuse("range: voltage_max_v and current_max_a must be above 0".into()));
        }
        let set = profile.command.set.concat();
        if !(set.contains("{voltage_v}") && set.contains("{current_a}")) || profile.command.off.is_empty() {
            return Err(refuse(
                "command: `set` must hold {voltage_v} and {current_a}, and `off` must not be empty".into(),
            ));
        }
        Ok(profile)
    }
}
