//! The meter's data outputs: what a meter says about itself, asked one [`Query`] at a time and only ever read.
//!
//! One recipe for each protocol: bytes and their meaning without I/O, then a client that is a [`Meter`] on any link.
//! [`access`] finds the protocol's client for a nameplate; [`exchange`] is the craft of the bus that all share. The one
//! command that switches something of a meter stands apart, in [`output`].
//!
//! An [`Answer`] holds the value or the reason for none, the time at which the meter took it, and every byte exchanged.

pub mod access;
pub mod crc;
pub mod dlt645;
pub mod dlt698;
pub mod exchange;
pub mod iec62056;
pub mod lem;
pub mod modbus;
pub mod obis;
pub mod ocmf;
pub mod output;
pub mod sml;
pub mod transaction;
pub mod watch;

use crate::link::{self, hex};
use crate::time::{Instant, Span};
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    /// The communication address; gives a text.
    Address,
    /// The meter number; gives a text.
    MeterNumber,
    /// Forward active energy, all tariffs; gives kWh.
    Energy,
    /// Forward active energy of one tariff, 1..=63; gives kWh.
    TariffEnergy(u8),
    /// Reverse active energy, all tariffs; gives kWh.
    ReverseEnergy,
    /// Voltage (phase A); gives V.
    Voltage,
    /// Current (phase A), negative against the counting direction; gives A.
    Current,
    /// Active power, total, negative against the counting direction; gives kW.
    Power,
    /// The meter's date and time.
    Clock,
    /// The active meter constant; gives imp/kWh.
    Constant,
    /// How often the meter's cover was opened; gives a count.
    CoverOpenCount,
    /// The last opening of the cover.
    CoverOpenLast,
    /// How often the terminal cover was opened; gives a count.
    TerminalCoverOpenCount,
    /// The last opening of the terminal cover.
    TerminalCoverOpenLast,
    /// How often the meter was programmed; gives a count.
    ProgrammingCount,
    /// When it was programmed last.
    ProgrammingLast,
    /// How often its clock was set; gives a count.
    ClockSetCount,
    /// The last setting of the clock.
    ClockSetLast,
    /// How often its supply was lost; gives a count.
    PowerLossCount,
    /// The last loss of its supply.
    PowerLossLast,
    /// The words in which the meter keeps its own state; gives a text: seven words in hex, then what of them is known.
    StatusWords,
    /// The n-th day of each month at which the meter settles, 1..=3; gives a day and an hour.
    SettlementDay(u8),
    /// Forward active energy as it stood at the n-th last settlement, 1..=12; gives kWh.
    SettledEnergy(u8),
    /// When the meter kept its registers for the n-th last day, 1..=62; gives a moment.
    DayKeptAt(u8),
    /// Forward active energy as it was kept then; gives kWh.
    DayEnergy(u8),
}

impl Query {
    /// Every query; those with a number, of which there may be many, come besides.
    pub const fn all() -> [Self; 20] {
        [
            Self::Address,
            Self::MeterNumber,
            Self::Energy,
            Self::ReverseEnergy,
            Self::Voltage,
            Self::Current,
            Self::Power,
            Self::Clock,
            Self::Constant,
            Self::CoverOpenCount,
            Self::CoverOpenLast,
            Self::TerminalCoverOpenCount,
            Self::TerminalCoverOpenLast,
            Self::ProgrammingCount,
            Self::ProgrammingLast,
            Self::ClockSetCount,
            Self::ClockSetLast,
            Self::PowerLossCount,
            Self::PowerLossLast,
            Self::StatusWords,
        ]
    }

    /// Whether `other` is of the same numbered series. Such are kept without a hole: behind the first that is not there is
    /// none.
    pub const fn is_series_of(self, other: Self) -> bool {
        match self {
            Self::TariffEnergy(_) => matches!(other, Self::TariffEnergy(_)),
            Self::SettledEnergy(_) => matches!(other, Self::SettledEnergy(_)),
            Self::DayKeptAt(_) | Self::DayEnergy(_) => {
                matches!(other, Self::DayKeptAt(_) | Self::DayEnergy(_))
            }
            _ => false,
        }
    }

    /// The unit of its number; `None` where the answer is no number with a unit.
    pub const fn unit(self) -> Option<Unit> {
        match self {
            Self::Energy
            | Self::TariffEnergy(_)
            | Self::ReverseEnergy
            | Self::SettledEnergy(_)
            | Self::DayEnergy(_) => Some(Unit::KilowattHour),
            Self::Voltage => Some(Unit::Volt),
            Self::Current => Some(Unit::Ampere),
            Self::Power => Some(Unit::Kilowatt),
            Self::Constant => Some(Unit::ImpulsesPerKilowattHour),
            _ => None,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "communication address",
            Self::MeterNumber => "meter number",
            Self::Energy => "forward active energy",
            Self::TariffEnergy(tariff) => return write!(f, "forward active energy of tariff {tariff}"),
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Power => "active power",
            Self::Clock => "clock",
            Self::Constant => "meter constant",
            Self::CoverOpenCount => "number of cover openings",
            Self::CoverOpenLast => "last cover opening",
            Self::TerminalCoverOpenCount => "number of terminal cover openings",
            Self::TerminalCoverOpenLast => "last terminal cover opening",
            Self::ProgrammingCount => "number of programmings",
            Self::ProgrammingLast => "last programming",
            Self::ClockSetCount => "number of clock settings",
            Self::ClockSetLast => "last clock setting",
            Self::PowerLossCount => "number of power losses",
            Self::PowerLossLast => "last power loss",
            Self::ReverseEnergy => "reverse active energy",
            Self::StatusWords => "status words",
            Self::SettlementDay(n) => return write!(f, "settlement day {n} of a month"),
            Self::SettledEnergy(n) => return write!(f, "forward active energy at the {n}. last settlement"),
            Self::DayKeptAt(n) => return write!(f, "moment of the {n}. last daily freeze"),
            Self::DayEnergy(n) => return write!(f, "forward active energy at the {n}. last daily freeze"),
        })
    }
}

/// The unit a meter's number is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// kWh
    #[serde(rename = "kWh")]
    KilowattHour,
    /// V
    #[serde(rename = "V")]
    Volt,
    /// A
    #[serde(rename = "A")]
    Ampere,
    /// kW
    #[serde(rename = "kW")]
    Kilowatt,
    /// imp/kWh
    #[serde(rename = "imp/kWh")]
    ImpulsesPerKilowattHour,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KilowattHour => "kWh",
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::Kilowatt => "kW",
            Self::ImpulsesPerKilowattHour => "imp/kWh",
        })
    }
}

/// How sure it is that a meter keeps an item so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Seen in captures of a meter, or several independent sources agree.
    Confirmed,
    /// One source only: compare with the meter's display before relying on it.
    Unconfirmed,
    /// Made up for the simulator; no meter is known to do so.
    Invented,
}

/// What a meter said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Exactly the digits the meter gave; the decimal's scale is the meter's resolution (0.260 kWh resolves 0.001 kWh).
    /// Numbers compare equal across resolutions.
    Number(Decimal, Unit),
    /// How often.
    Count(u32),
    /// A name or number that is not calculated with.
    Text(String),
    /// What the meter's clock shows, in the meter's own zone.
    Clock(DateTime),
    /// An opening of the cover, or a loss of supply; no `from`: there never was one; no `to`: it still lasts.
    CoverOpen {
        /// Opened.
        from: Option<DateTime>,
        /// Closed.
        to: Option<DateTime>,
    },
    /// When something was done last; none: never.
    Event {
        /// When.
        at: Option<DateTime>,
    },
    /// A setting of the clock; none: never.
    ClockSet {
        /// What it showed before.
        before: Option<DateTime>,
        /// What it was set to.
        after: Option<DateTime>,
    },
    /// A day and an hour of each month.
    MonthDay {
        /// The day, from 1.
        day: u8,
        /// The hour, from 0.
        hour: u8,
    },
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number, unit) => write!(f, "{number} {unit}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Text(text) => f.write_str(text),
            Self::Clock(clock) => write!(f, "{clock}"),
            Self::MonthDay { day, hour } => write!(f, "day {day}, {hour} h"),
            Self::CoverOpen { from: Some(from), to: None } => write!(f, "{from}, still open"),
            Self::CoverOpen { from: Some(from), to: Some(to) } => write!(f, "{from} to {to}"),
            Self::CoverOpen { from: None, .. }
            | Self::Event { at: None }
            | Self::ClockSet { before: None, after: None } => f.write_str("never"),
            Self::Event { at: Some(at) } => write!(f, "{at}"),
            Self::ClockSet { before, after } => {
                let shown = |at: &Option<DateTime>| at.map_or("?".to_owned(), |at| at.to_string());
                write!(f, "from {} to {}", shown(before), shown(after))
            }
        }
    }
}

/// A value or the reason for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The meter gave it.
    Value(Value),
    /// The meter answered with nothing; why, in the meter's own words decoded.
    Absent(String),
}

/// One attempt: what was sent and all that came back until the answer was whole or patience ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Sent bytes; in files as `68 AA …`.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub request: Vec<u8>,
    /// Received bytes, echo and noise included; none after silence.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub reply: Vec<u8>,
}

fn to_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::text(bytes))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::bytes(&text).ok_or_else(|| {
        serde::de::Error::custom(format!("`{text}` are no bytes; write pairs of hex digits like 68 AA 16"))
    })
}

/// What came of one query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What was asked.
    pub query: Query,
    /// When the first attempt began.
    pub asked: Instant,
    /// Best estimate of the moment the meter took the value: the middle between the request being on the wire and the
    /// answer's first byte. After a repeated request it counts from the first one, whose answer may be the one that came.
    pub taken: Instant,
    /// The moment lies within `taken` ± this.
    pub taken_half_width: Span,
    /// Every attempt, also failed ones, oldest first.
    pub exchanges: Vec<Exchange>,
    /// The value or the reason for none.
    pub reading: Reading,
    /// What must be known of how it came about: quirks of the meter in force, figures that are not confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// A number whose unit sources dispute: `reading` is absent, and this is what the register holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed: Option<Disputed>,
}

/// A register that is read, and whose unit is not sure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disputed {
    /// All its digits, as a whole number.
    pub digits: Decimal,
    /// By each source: how many of them stand behind the point, in kWh, and the source.
    pub by_source: Vec<(u32, String)>,
}

impl Disputed {
    /// The number with so many digits behind the point; `None` where it has no room for them.
    pub fn with(&self, decimals: u32) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.digits.mantissa(), self.digits.scale() + decimals).ok()
    }
}

impl Answer {
    /// How old the value is at `now`.
    pub fn age(&self, now: Instant) -> Span {
        now - self.taken
    }

    /// An answer whose value the meter took between two moments.
    pub fn between(
        query: Query,
        asked: Instant,
        (not_before, not_after): (Instant, Instant),
        exchanges: Vec<Exchange>,
        reading: Reading,
        remarks: Vec<String>,
    ) -> Self {
        let taken_half_width = (not_after - not_before).half();
        let taken = not_before + taken_half_width;
        Self { query, asked, taken, taken_half_width, exchanges, reading, remarks, disputed: None }
    }

    /// What is absent without a byte on the line: the model has no such item.
    pub fn absent(query: Query, at: Instant, why: String) -> Self {
        Self {
            query,
            asked: at,
            taken: at,
            taken_half_width: Span::ZERO,
            exchanges: vec![],
            reading: Reading::Absent(why),
            remarks: vec![],
            disputed: None,
        }
    }
}

/// A meter under test, read over its data output, whatever the protocol. Nothing here changes a meter.
pub trait Meter: Send {
    /// Asks once (with the protocol's own repetitions) and waits for the answer. A value that came unasked and was not
    /// told before is an answer too; its `taken` says when it came. What was told once is never told as new.
    fn read(&mut self, query: Query) -> Result<Answer, Fault>;

    /// The meter's address as far as known, in the protocol's own form.
    fn address(&self) -> String;

    /// Protocol and model in use, with what of it is not confirmed: for the record.
    fn model(&self) -> String;

    /// Tells nothing any more of what came before: for a bench whose clock jumps.
    fn forget(&mut self) {}

    /// The meter as one that is told to begin and end transactions; none where it signs no records. Reading it never
    /// needs this.
    fn transactions(&mut self) -> Option<&mut dyn transaction::Transactions> {
        None
    }

    /// What can be switched, where the protocol has a command for it. Whoever writes to a meter does it through this door.
    fn outputs(&mut self) -> Option<&mut dyn output::Outputs> {
        None
    }
}

impl<M: Meter + ?Sized> Meter for Box<M> {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        (**self).read(query)
    }
    fn address(&self) -> String {
        (**self).address()
    }
    fn model(&self) -> String {
        (**self).model()
    }
    fn forget(&mut self) {
        (**self).forget();
    }
    fn transactions(&mut self) -> Option<&mut dyn transaction::Transactions> {
        (**self).transactions()
    }
    fn outputs(&mut self) -> Option<&mut dyn output::Outputs> {
        (**self).outputs()
    }
}

/// Why a meter could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line.
    #[error(transparent)]
    Line(#[from] link::Fault),
    /// No byte came.
    #[error(
        "no answer from meter {whom} to {attempts} requests for {what}; check wiring (A/B), power, address, baud rate and parity"
    )]
    Silent {
        /// The meter's address and the line: `000000000161 at /dev/ttyUSB0`.
        whom: String,
        /// What was asked.
        what: String,
        /// How often.
        attempts: u32,
    },
    /// Bytes came, but no sound answer.
    #[error(
        "meter {whom} gave no sound answer to {attempts} requests for {what}: {seen}; check baud rate, parity, termination and that one master asks"
    )]
    Garbled {
        /// The meter's address and the line: `000000000161 at /dev/ttyUSB0`.
        whom: String,
        /// What was asked.
        what: String,
        /// How often.
        attempts: u32,
        /// What was wrong with what came last.
        seen: String,
    },
    /// The meter model has no such item.
    #[error("meter model `{profile}` has no {query}; choose another model or add the item to its file")]
    NotInProfile {
        /// The model.
        profile: String,
        /// What was asked.
        query: Query,
    },
    /// A sound frame with data that are no such value.
    #[error("meter {whom} gave `{data}` for {what}: {why}; is `{profile}` the right meter model?")]
    Unreadable {
        /// The meter's address and the line: `000000000161 at /dev/ttyUSB0`.
        whom: String,
        /// What was asked.
        what: String,
        /// The data bytes.
        data: String,
        /// What is wrong with them.
        why: String,
        /// The model in use.
        profile: String,
    },
    /// More than one meter answers a question to whoever is there.
    #[error(
        "{count} meters answer on {line} ({who}); connect only the meter under test, or give its address"
    )]
    SeveralMeters {
        /// The line.
        line: String,
        /// How many were heard.
        count: usize,
        /// Their addresses.
        who: String,
    },
    /// Date and time never belonged together.
    #[error(
        "the date of meter {whom} changed between {attempts} pairs of readings; its clock does not run as a clock"
    )]
    ClockUnsteady {
        /// The meter's address and the line: `000000000161 at /dev/ttyUSB0`.
        whom: String,
        /// How often.
        attempts: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_survives_its_own_text_with_its_resolution() {
        let answer = Answer {
            query: Query::TariffEnergy(3),
            asked: Instant::from_nanos(1),
            taken: Instant::from_nanos(5),
            taken_half_width: Span::from_nanos(2),
            exchanges: vec![Exchange { request: vec![0x68, 0xAA], reply: vec![] }],
            reading: Reading::Value(Value::Number("0.260".parse().unwrap(), Unit::KilowattHour)),
            remarks: vec![],
            disputed: None,
        };
        let text = serde_json::to_string(&answer).unwrap();
        assert!(text.contains(r#""request":"68 AA""#) && text.contains(r#"["0.260","kWh"]"#), "{text}");
        let read: Answer = serde_json::from_str(&text).unwrap();
        assert_eq!(read, answer);
        let Reading::Value(Value::Number(number, _)) = read.reading else { panic!("{read:?}") };
        assert_eq!(number.scale(), 3);
        assert!(serde_json::from_str::<Exchange>(r#"{"request":"6","reply":""}"#).is_err());
    }

    #[test]
    fn every_kind_of_value_survives_its_own_text() {
        let clock: DateTime = "2026-11-20T10:02:00".parse().unwrap();
        for value in [
            Value::Count(3),
            Value::Text("000000000161".to_owned()),
            Value::Clock(clock),
            Value::CoverOpen { from: Some(clock), to: None },
            Value::Event { at: None },
            Value::ClockSet { before: Some(clock), after: Some(clock) },
        ] {
            let reading = Reading::Value(value);
            let text = serde_json::to_string(&reading).unwrap();
            assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading, "{text}");
        }
    }
}
