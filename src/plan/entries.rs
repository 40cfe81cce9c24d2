//! The operator's entries: what only a person can see, and where and for whom the run is made.

use super::seal::{self, Seal};
use crate::quantity::{Ratio, Temperature};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The temperature of the simulated bench, in °C: a kelvin above the calibration of its standards, so that their
/// coefficients have something to do.
pub const SIMULATED_DEGREES: f64 = 24.0;

/// No meter's display shows more, in kWh.
const DISPLAY_MAX: u64 = 1_000_000_000;

/// One thing a person has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Whether it is as the regulation wants it.
    pub ok: bool,
    /// What was seen.
    #[serde(default)]
    pub remark: String,
}

/// What the operator enters for a run. A thing not entered was not looked at, and its item stays undecided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// Who stands at the charger.
    #[serde(default)]
    pub operator: String,
    /// Who asked for it.
    #[serde(default)]
    pub customer: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer_address: String,
    /// Where the charger stands.
    #[serde(default)]
    pub site: String,
    /// Appearance, marks, seals, as found.
    #[serde(default)]
    pub appearance: Option<Look>,
    /// Display, indicators, test output, as found.
    #[serde(default)]
    pub function: Option<Look>,
    /// Withstand test, made elsewhere (first verification only).
    #[serde(default)]
    pub withstand: Option<Look>,
    /// Register-combination test with tariff switches, made elsewhere (first verification only).
    #[serde(default)]
    pub tariff_registers: Option<Look>,
    /// The seals as found before anything was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seal: Vec<Seal>,
    /// What the meter's display shows as its energy before the run, in kWh, with all its digits: settles a disputed unit.
    #[serde(default, with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    pub display_energy_kwh: Option<Decimal>,
    /// Cover openings that papers from elsewhere know of: asked by plans older than the event records alone. In newer ones an
    /// approver answers (`phantomload seal answer`), not an entry.
    #[serde(default)]
    pub known_cover_openings: Option<u32>,
    /// Whether the tester's own clock was compared with a time signal today, its zone included.
    #[serde(default)]
    pub tester_clock_checked: bool,
    /// Air temperature at the meter.
    #[serde(default)]
    pub temperature_degc: Option<Temperature>,
    /// Relative humidity, as a percent number.
    #[serde(default)]
    pub humidity_percent: Option<f64>,
}

impl Entries {
    /// Reads entries from TOML; the message names `origin`, line and key.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, super::nameplate::Fault> {
        let refuse =
            |what: String| super::nameplate::Fault::Form { origin: format!("entries {origin}"), what };
        let entries: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        if let Some(humidity) = entries.humidity_percent
            && !(0.0..=100.0).contains(&humidity)
        {
            return Err(refuse(format!("humidity_percent is {humidity}; allowed is 0 to 100")));
        }
        if let Some(temperature) = entries.temperature_degc
            && !(-60.0..=100.0).contains(&temperature.degrees_celsius())
        {
            return Err(refuse(format!("temperature_degc is {temperature}; allowed is -60 to 100 °C")));
        }
        for (key, text) in [
            ("operator", &entries.operator),
            ("customer", &entries.customer),
            ("customer_address", &entries.customer_address),
            ("site", &entries.site),
        ] {
            if !super::nameplate::printable(text) {
                return Err(refuse(format!("{key} must be at most 200 printable characters, on one line")));
            }
        }
        seal::check(&entries.seal).map_err(refuse)?;
        entries.display().map_err(refuse)?;
        Ok(entries)
    }

    /// The energy on the display, where it was entered and can be one.
    fn display(&self) -> Result<Option<Decimal>, String> {
        match self.display_energy_kwh {
            Some(shown) if shown.is_sign_negative() || shown >= Decimal::from(DISPLAY_MAX) => Err(format!(
                "display_energy_kwh is {shown}; allowed is what a display can show, 0 to {DISPLAY_MAX} kWh"
            )),
            shown => Ok(shown),
        }
    }

    /// What the simulated operator sees on the simulated bench, which has nothing to look at.
    pub fn simulated() -> Self {
        let seen = || Some(Look { ok: true, remark: "SIMULATED: nobody looked".into() });
        Self {
            operator: "SIMULATED operator".into(),
            customer: "SIMULATED customer".into(),
            customer_address: String::new(),
            site: "SIMULATED site".into(),
            appearance: seen(),
            function: seen(),
            withstand: seen(),
            seal: vec![],
            display_energy_kwh: None,
            tariff_registers: seen(),
            known_cover_openings: Some(0),
            tester_clock_checked: true,
            temperature_degc: Some(Temperature::from_degrees_celsius(SIMULATED_DEGREES)),
            humidity_percent: Some(50.0),
        }
    }

    /// Relative humidity.
    pub fn humidity(&self) -> Option<Ratio> {
        self.humidity_percent.map(Ratio::from_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_entered_was_not_seen() {
        let entries = Entries::from_toml("e.toml", "operator = \"Li\"\nappearance = { ok = true }").unwrap();
        assert!(entries.appearance.is_some() && entries.function.is_none());
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["humidity_percent = 130", "apperance = { ok = true }", "temperature_degc = 900"] {
            assert!(Entries::from_toml("e.toml", text).unwrap_err().to_string().contains("e.toml"), "{text}");
        }
    }
}
