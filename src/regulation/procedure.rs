//! The procedures as their figures: how the basic error, creep, start, constant, clock and registers are tested.

use super::{CurrentTerm, Figure, Kind, Provenance};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A figure that depends on the kind of verification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ByKind<T> {
    /// At first verification.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub first: Option<Figure<T>>,
    /// At subsequent verification.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub subsequent: Option<Figure<T>>,
    /// At a check in service.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub in_service: Option<Figure<T>>,
}

impl<T> ByKind<T> {
    /// The figure of one kind of verification.
    pub fn of(&self, kind: Kind) -> Option<&Figure<T>> {
        match kind {
            Kind::First => self.first.as_ref(),
            Kind::Subsequent => self.subsequent.as_ref(),
            Kind::InService => self.in_service.as_ref(),
        }
    }
}

/// A figure of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByClass {
    /// The class.
    pub class: String,
    /// The figure.
    pub value: f64,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How the basic error is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicError {
    /// The least length of one reading, in s.
    pub min_seconds: Figure<f64>,
    /// The least number of readings at a point; their mean is the result.
    pub readings: Figure<u32>,
    /// What one count of the reference may be of the limit: 1/m0 below this share of it.
    pub resolution_share: Figure<f64>,
    /// The coarsest step the energy may be shown in, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment_kwh: Option<Figure<f64>>,
}

/// How creep is tested: voltage on, no current, hardly a pulse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creep {
    /// The test voltage as a multiple of the nominal one.
    pub voltage_factor: Figure<f64>,
    /// The most pulses a good meter may give.
    pub max_pulses: Figure<u32>,
    /// How long.
    pub dwell: CreepDwell,
}

/// How long creep is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CreepDwell {
    /// Δt in h = numerator/(voltage factor · b · C · elements · Unom · Imin), with b the limit at Imin in %.
    Imin {
        /// The numerator.
        numerator: Figure<f64>,
        /// The number of measuring elements, d.
        elements: Figure<f64>,
    },
    /// Δt in min = numerator of the class/(C · elements · Unom · Imax).
    Imax {
        /// The numerators.
        numerators: Vec<ByClass>,
        /// The number of measuring elements, m.
        elements: Figure<f64>,
    },
}

/// How the start is tested: as an error at the starting current.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The current of the test.
    pub current: Figure<CurrentTerm>,
    /// The methods allowed.
    pub methods: Figure<Vec<StartMethod>>,
    /// The number of errors taken by the reference meter.
    pub readings: Figure<u32>,
    /// The number of consecutive pulses that bound the interval.
    pub pulses: Figure<u32>,
}

/// A method of the start test; both are judged by the limit at the starting current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartMethod {
    /// a) The error against the reference meter.
    ErrorAtIst,
    /// b) The interval between consecutive pulses against the one due.
    PulseInterval,
}

impl fmt::Display for StartMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ErrorAtIst => "error-at-ist",
            Self::PulseInterval => "pulse-interval",
        })
    }
}

/// How pulses are compared with the register.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterConstant {
    /// The limit as a share of the base limit, the one at Imax.
    pub share_of_limit: Figure<f64>,
    /// The least energy in kWh is this times R/b: R the resolution in kWh, b the limit at Imax in %.
    pub energy_factor: Figure<f64>,
}

/// How the clock is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The limit ± of the hour shown, in s.
    pub indication_seconds: ByKind<f64>,
    /// The rounding interval of its error, in s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding_seconds: Option<Figure<f64>>,
    /// The daily rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_rate: Option<DailyRate>,
}

/// How the daily rate of the clock is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyRate {
    /// The limit ±, in s/d.
    pub limit_seconds: ByKind<f64>,
    /// The number of readings; their mean is the result.
    pub readings: Figure<u32>,
    /// The length of one reading, in s.
    pub reading_seconds: Figure<f64>,
    /// The rounding interval, in s/d.
    pub rounding_seconds: Figure<f64>,
}

/// How the tariff registers are tested against the total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffRegisters {
    /// The limit of `|W - ΣWi|`, in kWh.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub difference_kwh: ByKind<f64>,
    /// The run through the tariffs, where the limit comes from the registers' own step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<TariffRun>,
}

fn nothing() -> ByKind<f64> {
    ByKind { first: None, subsequent: None, in_service: None }
}

fn is_nothing(by_kind: &ByKind<f64>) -> bool {
    *by_kind == nothing()
}

/// The run through the tariffs at first verification: `|W - ΣWi|` ≤ (n - 1) steps of the registers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffRun {
    /// The least advance of each register, in steps of its last digit.
    pub least_steps: Figure<u32>,
    /// The least number of tariff switches.
    pub least_switches: Figure<u32>,
    /// The limit in steps of the last digit for each register beyond the first.
    pub limit_steps: Figure<u32>,
}

/// The reference conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The tolerance ± of the voltage, in %.
    pub voltage_tolerance_percent: Figure<f64>,
    /// The reference temperature, in °C.
    pub temperature_c: Figure<f64>,
    /// Its tolerance ±, in K.
    pub temperature_tolerance_k: Figure<f64>,
    /// The wider tolerance ±, in K, for `wider_classes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wider_tolerance_k: Option<Figure<f64>>,
    /// The classes that may use the wider tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wider_classes: Option<Figure<Vec<String>>>,
    /// The share of the limit the uncertainty from temperature must stay below, to use the wider tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wider_uncertainty_share: Option<Figure<f64>>,
    /// The most magnetic flux density from outside, in mT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flux_density_mt: Option<Figure<f64>>,
}

impl Conditions {
    /// The tolerance ± of the temperature for a class, in K: the wider one where the regulation allows it.
    pub fn tolerance_k(&self, class: &str) -> f64 {
        let wider =
            self.wider_classes.as_ref().is_some_and(|classes| classes.value.iter().any(|c| c == class));
        match &self.wider_tolerance_k {
            Some(wide) if wider => wide.value,
            _ => self.temperature_tolerance_k.value,
        }
    }
}

/// What is asked of the tester.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// How many times the expanded uncertainty must fit into the limit.
    pub limit_over_uncertainty: Figure<f64>,
    /// The limit ± of the clock standard's hour, in s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_seconds: Option<Figure<f64>>,
    /// The limit ± of the clock standard's daily rate, in s/d.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_daily_seconds: Option<Figure<f64>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_of_a_kind_is_found_or_missing() {
        let text = "[in-service]\nvalue = 1.0\nclause = \"5.6\"\nprovenance = \"read\"";
        let by_kind: ByKind<f64> = toml::from_str(text).unwrap();
        assert!(by_kind.of(Kind::InService).is_some_and(|figure| figure.clause == "5.6"));
        assert!(by_kind.of(Kind::First).is_none());
        assert!(toml::from_str::<ByKind<f64>>("[later]\nvalue = 1.0").is_err());
    }
}
