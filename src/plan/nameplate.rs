//! The nameplate: what is printed on the meter and known of the charger it sits in.

use crate::quantity::{PulseConstant, Voltage};
use crate::regulation::{Ratings, Supply};
use crate::time::Span;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The version of the nameplate file's form.
pub const SCHEMA: u32 = 1;

/// What is wrong with a nameplate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The file is not of the form.
    #[error("{origin}: {what}")]
    Form {
        /// File or demo name.
        origin: String,
        /// Line, key and what was expected.
        what: String,
    },
    /// A figure that no meter can have.
    #[error("nameplate {origin}: {key} is {seen}; allowed is {allowed}. Read it again from the meter")]
    Figure {
        /// File or demo name.
        origin: String,
        /// The key in the file.
        key: &'static str,
        /// What stands there.
        seen: String,
        /// What may stand there.
        allowed: &'static str,
    },
}

/// A meter as its nameplate describes it. Read from TOML; frozen into the plan and the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameplate {
    /// The form's version.
    pub schema: u32,
    /// Who made the meter.
    pub maker: String,
    /// Its type or model.
    #[serde(rename = "type")]
    pub model: String,
    /// Its serial number as printed.
    pub serial: String,
    /// The charger it is built into.
    pub charger: String,
    /// The connector it bills.
    pub connector: String,
    /// The accuracy class as printed: `1`, `0.5`, `B` …
    pub class: String,
    /// Direct or alternating current; this tester's meters are DC unless they say otherwise.
    #[serde(default = "dc")]
    pub supply: Supply,
    /// Nominal voltage.
    pub voltage_v: Voltage,
    /// Constant of the output that is counted.
    pub constant_imp_per_kwh: PulseConstant,
    /// One step of the finest register that can be read.
    #[serde(with = "rust_decimal::serde::str")]
    pub register_resolution_kwh: Decimal,
    /// Warm-up that the maker's manual asks for; absent: the regulation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up_secs: Option<f64>,
    /// Whether the meter has tariff registers.
    #[serde(default = "yes")]
    pub tariffs: bool,
    /// Whether the meter has a clock that prices depend on.
    #[serde(default = "yes")]
    pub clock: bool,
    /// Ist, Imin, Itr, Imax or Ib/In, Imax.
    pub current: Ratings,
    /// How the meter is read, where it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_output: Option<DataOutput>,
}

fn dc() -> Supply {
    Supply::Dc
}

fn yes() -> bool {
    true
}

/// A meter's data output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataOutput {
    /// The protocol.
    pub protocol: Protocol,
    /// Name of the meter profile (`assets/meters`) that says which identifier is what.
    pub profile: String,
    /// Communication address, or `auto` where only one meter is on the line.
    pub address: String,
    /// Where sources disagree about the unit of the energy register: digits behind the point in kWh, as a person has
    /// confirmed them against the meter's display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_decimals: Option<i32>,
    /// Public key by which the meter's signed records are checked, from its label or its maker's register: SPKI or
    /// point, in hex, base64 or PEM. Without it a record is kept, and nothing is said of who signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// How long a meter that signs is waited for after the end of its transaction; absent: [`SIGN_WITHIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_within_secs: Option<f64>,
    /// Entry of the meter's cable table, 0 to 7, for transactions: for a phantom load one whose resistance is 0. Absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cable: Option<u8>,
}

/// How long a meter that signs is waited for where the nameplate does not say; a choice of this house. Meters are known
/// that take minutes (`EVerest` issue 572).
pub const SIGN_WITHIN: Span = Span::from_secs(600);
/// The shortest transaction that the LEM DCBM takes (manual of 21 January 2021).
pub const SHORTEST_TRANSACTION: Span = Span::from_secs(120);
/// A text that is a public key is no longer.
const KEY_TEXT_MAX: usize = 4096;

impl DataOutput {
    /// Whether the meter signs records of transactions that it is told to begin and end.
    pub const fn signs(&self) -> bool {
        matches!(self.protocol, Protocol::LemDcbm)
    }

    /// How long the meter may take to sign.
    pub fn sign_within(&self) -> Span {
        self.sign_within_secs.map_or(SIGN_WITHIN, Span::from_secs_f64)
    }
}

/// Protocols of data outputs that this program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// DL/T 645-2007.
    #[serde(rename = "dlt645-2007")]
    Dlt645,
    /// DL/T 645-1997.
    #[serde(rename = "dlt645-1997")]
    Dlt645Of1997,
    /// DL/T 698.45.
    #[serde(rename = "dlt698")]
    Dlt698,
    /// Modbus RTU on a serial line.
    #[serde(rename = "modbus-rtu")]
    ModbusRtu,
    /// Modbus over TCP.
    #[serde(rename = "modbus-tcp")]
    ModbusTcp,
    /// IEC 62056-21, modes A and C, on an optical head.
    #[serde(rename = "iec62056-21")]
    Iec62056,
    /// SML, pushed by the meter.
    #[serde(rename = "sml")]
    Sml,
    /// The LEM DCBM's web server, HTTP or HTTPS, with signed records.
    #[serde(rename = "lem-dcbm")]
    LemDcbm,
}

impl Protocol {
    /// All of them, in the order in which they are tried on an unknown line; the last is no line but a web server.
    pub const ALL: [Self; 8] = [
        Self::Dlt645,
        Self::Dlt698,
        Self::ModbusRtu,
        Self::ModbusTcp,
        Self::Sml,
        Self::Iec62056,
        Self::Dlt645Of1997,
        Self::LemDcbm,
    ];

    /// As files and the command line write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dlt645 => "dlt645-2007",
            Self::Dlt645Of1997 => "dlt645-1997",
            Self::Dlt698 => "dlt698",
            Self::ModbusRtu => "modbus-rtu",
            Self::ModbusTcp => "modbus-tcp",
            Self::Iec62056 => "iec62056-21",
            Self::Sml => "sml",
            Self::LemDcbm => "lem-dcbm",
        }
    }
}

/// A text that can stand on paper: not longer than a line or two, nothing that moves a terminal's cursor.
pub(super) fn printable(text: &str) -> bool {
    text.chars().count() <= 200 && !text.chars().any(is_code)
}

/// What is not seen, and makes a line look like another one: control characters, ends of lines and paragraphs, letters
/// without width, what turns the direction of writing (UAX #9).
pub fn is_code(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

impl Nameplate {
    /// Reads a nameplate. `origin` names it in messages. A `[truth]` table is the simulator's and is passed over.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let form = |what: String| Fault::Form { origin: origin.to_owned(), what };
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| form(e.to_string()))?;
        if table.remove("truth").is_none() {
            // Parsed from the text itself, so that a message can show line and column.
            let nameplate: Self = toml::from_str(text).map_err(|e| form(e.to_string()))?;
            nameplate.check(origin)?;
            return Ok(nameplate);
        }
        let nameplate: Self = table.try_into().map_err(|e: toml::de::Error| form(e.to_string()))?;
        nameplate.check(origin)?;
        Ok(nameplate)
    }

    /// Refuses figures that no meter can have, and texts that no nameplate has room for.
    pub fn check(&self, origin: &str) -> Result<(), Fault> {
        let refuse =
            |key, seen: String, allowed| Err(Fault::Figure { origin: origin.to_owned(), key, seen, allowed });
        if self.schema != SCHEMA {
            return refuse("schema", self.schema.to_string(), "1 (this program's form of a nameplate)");
        }
        for (key, text) in [("serial", &self.serial), ("type", &self.model), ("class", &self.class)] {
            if text.trim().is_empty() {
                return refuse(key, "empty".into(), "the text printed on the meter");
            }
        }
        for (key, text) in [
            ("maker", &self.maker),
            ("type", &self.model),
            ("serial", &self.serial),
            ("charger", &self.charger),
            ("connector", &self.connector),
        ] {
            if !printable(text) {
                let seen = format!("{} characters, or with control characters", text.chars().count());
                return refuse(key, seen, "at most 200 printable characters");
            }
        }
        let voltage = self.voltage_v.volts();
        if !(voltage > 0.0 && voltage <= 1500.0) {
            return refuse("voltage_v", self.voltage_v.to_string(), "above 0 V and at most 1500 V");
        }
        let constant = self.constant_imp_per_kwh.impulses_per_kilowatt_hour();
        if !(1e-3..=1e7).contains(&constant) {
            let seen = self.constant_imp_per_kwh.to_string();
            return refuse("constant_imp_per_kwh", seen, "0.001 to 10000000 imp/kWh");
        }
        if self.register_resolution_kwh <= Decimal::ZERO || self.register_resolution_kwh > Decimal::from(1000)
        {
            return refuse(
                "register_resolution_kwh",
                self.register_resolution_kwh.to_string(),
                "above 0 and at most 1000 kWh, as decimal text such as \"0.01\"",
            );
        }
        if let Some(secs) = self.warm_up_secs
            && !(0.0..=86_400.0).contains(&secs)
        {
            return refuse("warm_up_secs", secs.to_string(), "0 to 86400 s, as the maker's manual says");
        }
        if let Some(output) = &self.data_output {
            if output.public_key.as_ref().is_some_and(|key| key.len() > KEY_TEXT_MAX) {
                let seen = "longer than 4096 characters".to_owned();
                return refuse("data_output.public_key", seen, "a public key in hex, base64 or PEM");
            }
            if let Some(secs) = output.sign_within_secs
                && !(1.0..=3600.0).contains(&secs)
            {
                return refuse("data_output.sign_within_secs", secs.to_string(), "1 to 3600 s");
            }
            if let Some(cable) = output.cable.filter(|cable| *cable > 7) {
                return refuse("data_output.cable", cable.to_string(), "0 to 7");
            }
        }
        let currents = &self.current;
        for (key, current) in [
            ("current.imax_a", Some(currents.imax)),
            ("current.ist_a", currents.ist),
            ("current.imin_a", currents.imin),
            ("current.itr_a", currents.itr),
            ("current.ib_a", currents.ib),
            ("current.in_a", currents.i_n),
        ] {
            if let Some(current) = current
                && !(current.amperes() >= 1e-6 && current.amperes() <= 10_000.0)
            {
                return refuse(key, current.to_string(), "0.000001 A to 10000 A");
            }
        }
        Ok(())
    }

    /// The maker's warm-up, where the nameplate gives one.
    pub fn warm_up(&self) -> Option<Span> {
        self.warm_up_secs.map(Span::from_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        schema = 1
        maker = "Maker"
        type = "DC1"
        serial = "42"
        charger = "C"
        connector = "1"
        class = "1"
        voltage_v = 750.0
        constant_imp_per_kwh = 1000.0
        register_resolution_kwh = "0.01"
        [current]
        connection = "direct"
        imin_a = 5.0
        itr_a = 10.0
        imax_a = 250.0
    "#;

    #[test]
    fn a_nameplate_is_read_with_its_resolution_kept() {
        let nameplate = Nameplate::from_toml("test", GOOD).unwrap();
        assert_eq!(nameplate.register_resolution_kwh.to_string(), "0.01");
        assert!(nameplate.clock && nameplate.data_output.is_none());
    }

    #[test]
    fn bad_figures_are_refused_by_key() {
        for (from, to, key) in [
            ("constant_imp_per_kwh = 1000.0", "constant_imp_per_kwh = 0.0", "constant_imp_per_kwh"),
            ("voltage_v = 750.0", "voltage_v = -750.0", "voltage_v"),
            ("voltage_v = 750.0", "voltage_v = nan", "voltage_v"),
            ("imax_a = 250.0", "imax_a = -1.0", "imax_a"),
            ("\"0.01\"", "\"0\"", "register_resolution_kwh"),
            ("serial = \"42\"", "serial = \" \"", "serial"),
            ("serial = \"42\"", "serial = \"42\"\nserail = \"43\"", "serail"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let fault = Nameplate::from_toml("file.toml", &text).unwrap_err().to_string();
            assert!(fault.contains(key) && fault.contains("file.toml"), "{fault}");
        }
    }
}
