//! LEM DCBM 400/600, a DC meter with a web server: what it measures, and records that it signs of a transaction.
//!
//! Sources: protocols.md §4.1 (LEM's manual of 21 January 2021, `EVerest`'s driver) and data/lem/samples.json. Paths under
//! `v1`; a firmware above 1 has `v2` for measurement, transaction and record, whose further start fields are not fully
//! known here: **unconfirmed**. A transaction is the only thing in this program that changes a meter's state: it writes
//! no setting, no clock and no register, but the meter's log will show it.

mod client;
mod transactions;

pub use client::{Client, Waiting, Wrap};

use crate::link;
use crate::time::Span;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The shortest transaction that the meter takes (manual).
pub const SHORTEST: Span = crate::plan::nameplate::SHORTEST_TRANSACTION;
/// The longest of the names in a transaction, in characters (manual).
pub const NAME_MAX: usize = 37;

/// Why the meter could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line.
    #[error(transparent)]
    Line(#[from] link::Fault),
    /// The meter answered a question with a refusal.
    #[error("meter at {whom} answered {asked} with status {status} and `{said}`; {advice}")]
    Refused {
        /// Where it is.
        whom: String,
        /// Method and path.
        asked: String,
        /// HTTP's number.
        status: u16,
        /// The begin of its words.
        said: String,
        /// What to look at.
        advice: &'static str,
    },
    /// An answer that is none of this meter.
    #[error("meter at {whom} answered {asked} with `{said}`: {why}; is it a LEM DCBM?")]
    Unreadable {
        /// Where it is.
        whom: String,
        /// Method and path.
        asked: String,
        /// The begin of its words.
        said: String,
        /// What is missing.
        why: String,
    },
    /// It says of itself that it cannot make a transaction now.
    #[error("meter at {whom} cannot make a transaction: {why}")]
    NotReady {
        /// Where it is.
        whom: String,
        /// Its own state, in words.
        why: String,
    },
    /// A signature that does not come.
    #[error(
        "meter at {whom} gave no signed record of transaction {transaction} within {patience} (its last answer: {said}); ask again later, the meter keeps it"
    )]
    NoRecord {
        /// Where it is.
        whom: String,
        /// Which.
        transaction: String,
        /// How long was waited.
        patience: Span,
        /// The last answer.
        said: String,
    },
    /// A name that the meter has no room for.
    #[error("`{seen}` is longer than the {NAME_MAX} characters that the meter keeps, or no plain text")]
    Name {
        /// What was given.
        seen: String,
    },
}

/// Bits of the meter's state, each as far as it tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bits {
    /// The link to the sensor unit.
    pub su_link_status_is_ok: Option<bool>,
    /// A fatal error of the meter unit (the meter writes it so).
    #[serde(rename = "muFatalErrorOccured")]
    pub mu_fatal_error: Option<bool>,
    /// A transaction is running.
    #[serde(alias = "transactionIsOngoing")]
    pub transaction_is_on_going: Option<bool>,
    /// It was tampered with.
    pub tampering_is_detected: Option<bool>,
    /// Its clock is synchronised (valid for 48 h).
    pub time_sync_status_is_ok: Option<bool>,
    /// It is too hot.
    pub over_temperature_is_detected: Option<bool>,
    /// Its voltage is reversed.
    pub reversed_voltage: Option<bool>,
    /// The sensor unit failed to measure.
    pub su_measure_failure_occurred: Option<bool>,
}

/// What the meter says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Its serial number.
    pub meter_id: Option<String>,
    /// Version of its application firmware.
    pub firmware: Option<String>,
    /// Its clock, as it writes it.
    pub time: Option<String>,
    /// Its state.
    pub bits: Bits,
    /// The key it says it signs records with. It proves nothing: it comes with the records.
    pub public_key: Option<String>,
    /// The answer as it came.
    pub raw: String,
}

/// What it measures now; exactly the digits it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// V
    pub voltage_v: Decimal,
    /// A
    pub current_a: Decimal,
    /// kW
    pub power_kw: Decimal,
    /// Total drawn, kWh.
    pub import_kwh: Decimal,
    /// Total given back, kWh.
    pub export_kwh: Decimal,
    /// The meter's own stamp of it.
    pub timestamp: Option<String>,
    /// The answer as it came.
    pub raw: String,
}

/// A transaction to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its name, new for each.
    pub id: String,
    /// The charging point.
    pub evse: String,
    /// The customer: here this program.
    pub client: String,
    /// 0 to 4.
    pub tariff: u8,
    /// 0 to 7; for a phantom load one whose resistance is 0, which is seen in the table of the meter, not by the number.
    pub cable: u8,
}

/// What the meter says at the end of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Drawn, kWh.
    pub import_kwh: Option<Decimal>,
    /// Resistance of the cable that it took off, in the unit of its table; anything but 0 has changed the energy.
    pub cable_resistance: Option<Decimal>,
    /// The answer as it came.
    pub raw: String,
}

impl Transaction {
    /// Names that the meter has room for, figures that it knows.
    pub fn check(&self) -> Result<(), Fault> {
        let plain = |c: char| c.is_ascii_graphic() && !"\"\\&?#%|".contains(c);
        for name in [&self.id, &self.evse, &self.client] {
            if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
                return Err(Fault::Name { seen: name.clone() });
            }
        }
        if self.tariff > 4 || self.cable > 7 {
            let seen = format!("tariff {}, cable {}", self.tariff, self.cable);
            return Err(Fault::Name { seen });
        }
        Ok(())
    }

    /// The body of `POST /v1/legal`.
    fn body(&self) -> String {
        let Self { id, evse, client, tariff, cable } = self;
        serde_json::json!({
            "evseId": evse, "transactionId": id, "clientId": client,
            "tariffId": tariff, "cableId": cable, "userData": ""
        })
        .to_string()
    }
}

/// A number of the meter with the digits it wrote.
fn number(raw: Option<&RawValue>) -> Option<Decimal> {
    let text = raw?.get();
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Reads `GET /v1/status`.
pub fn status(body: &str) -> Result<Status, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        meter_id: Option<String>,
        time: Option<String>,
        #[serde(default)]
        status: Inside,
        #[serde(default)]
        version: Version,
        public_key_ocmf: Option<String>,
        public_key: Option<String>,
    }
    #[derive(Default, Deserialize)]
    struct Inside {
        #[serde(default)]
        bits: Bits,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        application_firmware_version: Option<String>,
    }
    let told: Told = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    Ok(Status {
        meter_id: told.meter_id,
        firmware: told.version.application_firmware_version,
        time: told.time,
        bits: told.status.bits,
        public_key: told.public_key_ocmf.or(told.public_key),
        raw: body.to_owned(),
    })
}

/// Reads `GET /v1/livemeasure`.
pub fn live(body: &str) -> Result<Live, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told<'a> {
        #[serde(borrow)]
        voltage: Option<&'a RawValue>,
        #[serde(borrow)]
        current: Option<&'a RawValue>,
        #[serde(borrow)]
        power: Option<&'a RawValue>,
        #[serde(borrow)]
        energy_import_total: Option<&'a RawValue>,
        #[serde(borrow)]
        energy_export_total: Option<&'a RawValue>,
        timestamp: Option<String>,
    }
    let told: Told = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    let need = |raw, name: &str| number(raw).ok_or_else(|| format!("no number in `{name}`"));
    Ok(Live {
        voltage_v: need(told.voltage, "voltage")?,
        current_a: need(told.current, "current")?,
        power_kw: need(told.power, "power")?,
        import_kwh: need(told.energy_import_total, "energyImportTotal")?,
        export_kwh: need(told.energy_export_total, "energyExportTotal")?,
        timestamp: told.timestamp,
        raw: body.to_owned(),
    })
}

/// Reads the answer to `PUT /v1/legal`; what of it is missing is left open, the signed record counts.
pub fn stopped(body: &str) -> Result<Stopped, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told<'a> {
        #[serde(borrow)]
        cable_sp: Option<Cable<'a>>,
        #[serde(borrow)]
        meter_value: Option<Values<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Cable<'a> {
        #[serde(borrow)]
        cable_sp_res: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Values<'a> {
        #[serde(borrow)]
        sample_value: Option<Sample<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sample<'a> {
        #[serde(borrow)]
        energy_import: Option<&'a RawValue>,
    }
    let told: Told = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    let sample = told.meter_value.and_then(|values| values.sample_value);
    Ok(Stopped {
        import_kwh: number(sample.and_then(|sample| sample.energy_import)),
        cable_resistance: number(told.cable_sp.and_then(|cable| cable.cable_sp_res)),
        raw: body.to_owned(),
    })
}

impl Status {
    /// Why it can make no transaction now, as far as it says. What it does not tell does not hinder: an optional feature
    /// that is missing is no fault.
    pub fn hindrance(&self) -> Option<&'static str> {
        let bits = &self.bits;
        let is = |bit: Option<bool>, bad: bool| bit == Some(bad);
        if is(bits.mu_fatal_error, true) {
            Some("it reports a fatal error")
        } else if is(bits.su_link_status_is_ok, false) {
            Some("the link to its sensor unit is broken")
        } else if is(bits.transaction_is_on_going, true) {
            Some("a transaction is already running; end it at the charger first")
        } else if is(bits.time_sync_status_is_ok, false) {
            Some(
                "its clock is not synchronised, and it signs only with a clock that was set in the last 48 h; let the charger set it (this program sets no meter's clock unasked)",
            )
        } else {
            None
        }
    }

    /// The first number of the firmware: 1 speaks `v1`, a higher one `v2`.
    fn major(&self) -> u32 {
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
        let firmware = self.firmware.as_deref().unwrap_or_default();
        digits(firmware.trim_start_matches(|c: char| !c.is_ascii_digit())).parse().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_that_tells_little_is_not_hindered_and_one_that_tells_of_trouble_is() {
        let plain = status("{}").unwrap();
        assert_eq!(plain.hindrance(), None);
        assert_eq!(plain.major(), 1);
        let synced = r#"{"meterId":"1","status":{"bits":{"timeSyncStatusIsOk":false}},"version":{"applicationFirmwareVersion":"2.0.1"}}"#;
        let told = status(synced).unwrap();
        assert!(told.hindrance().unwrap().contains("48 h"));
        assert_eq!(told.major(), 2);
        for (bit, word) in [
            (r#""muFatalErrorOccured":true"#, "fatal"),
            (r#""suLinkStatusIsOk":false"#, "sensor"),
            (r#""transactionIsOnGoing":true"#, "running"),
        ] {
            let told = status(&format!("{{\"status\":{{\"bits\":{{{bit}}}}}}}")).unwrap();
            assert!(told.hindrance().unwrap().contains(word), "{bit}");
        }
    }

    #[test]
    fn live_values_keep_their_digits_and_one_that_is_missing_is_named() {
        let body =
            r#"{"voltage":4.20,"current":4,"power":3,"energyImportTotal":1.000,"energyExportTotal":2}"#;
        let told = live(body).unwrap();
        assert_eq!((told.voltage_v.to_string(), told.import_kwh.scale()), ("4.20".into(), 3));
        assert!(live(r#"{"voltage":4.2}"#).unwrap_err().contains("current"));
        assert!(live(r#"{"voltage":null,"current":1}"#).unwrap_err().contains("voltage"));
    }

    #[test]
    fn names_that_would_become_another_question_are_refused() {
        let good = Transaction { id: "t1".into(), evse: "e".into(), client: "c".into(), tariff: 0, cable: 0 };
        assert_eq!(good.check(), Ok(()));
        for id in ["", "a&b", "a b", "a\r\nb", &"x".repeat(38)] {
            assert!(Transaction { id: id.into(), ..good.clone() }.check().is_err(), "{id}");
        }
        assert!(Transaction { tariff: 5, ..good }.check().is_err());
    }
}
