//! What the bench can do, as far as planning needs it: ranges, speed, stability, exchange times.

use crate::quantity::{Current, Energy, Ratio, Voltage};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A phantom load: voltage and current from two sources, no real power between them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Load {
    /// Voltage at the meter's voltage circuit.
    pub voltage_v: Voltage,
    /// Current through the meter's current circuit.
    pub current_a: Current,
}

impl Load {
    /// Nothing at the terminals.
    pub const OFF: Self = Self { voltage_v: Voltage::ZERO, current_a: Current::ZERO };
}

/// The rule by which a load counts as settled and stays stable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Half-width of the voltage band, in percent of the set value.
    pub voltage_band_percent: f64,
    /// Half-width of the current band, in percent of the set value.
    pub current_band_percent: f64,
    /// Half-width of the current band at small currents, in ampere.
    pub current_floor_a: Current,
    /// How long all samples must lie in the band.
    pub hold_secs: f64,
    /// How long to wait for it before the source is called unstable.
    pub timeout_secs: f64,
    /// Slew rate of the voltage.
    pub voltage_slew_v_per_s: f64,
    /// Slew rate of the current.
    pub current_slew_a_per_s: f64,
}

/// A wider band than this lets any load pass.
const BAND_MAX_PERCENT: f64 = 5.0;

impl Settle {
    /// Time from one load to another at the source's slew rates.
    pub fn ramp(&self, from: Load, to: Load) -> Span {
        let voltage = (to.voltage_v - from.voltage_v).abs().volts() / self.voltage_slew_v_per_s;
        let current = (to.current_a - from.current_a).abs().amperes() / self.current_slew_a_per_s;
        Span::from_secs_f64(voltage.max(current))
    }

    /// How long all samples must lie in the band.
    pub fn hold(&self) -> Span {
        Span::from_secs_f64(self.hold_secs)
    }

    /// Half-widths of the bands around `load`.
    pub fn bands(&self, load: Load) -> (Voltage, Current) {
        let voltage = load.voltage_v.abs() * (self.voltage_band_percent / 100.0);
        let current = load.current_a.abs() * (self.current_band_percent / 100.0);
        (voltage.max(Voltage::from_volts(0.5)), current.max(self.current_floor_a))
    }

    /// A figure that cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        for (key, value) in [
            ("voltage_band_percent", self.voltage_band_percent),
            ("current_band_percent", self.current_band_percent),
            ("hold_secs", self.hold_secs),
            ("timeout_secs", self.timeout_secs),
            ("voltage_slew_v_per_s", self.voltage_slew_v_per_s),
            ("current_slew_a_per_s", self.current_slew_a_per_s),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(format!("settle.{key} is {value}; allowed is a number above 0"));
            }
        }
        for (key, percent) in [
            ("voltage_band_percent", self.voltage_band_percent),
            ("current_band_percent", self.current_band_percent),
        ] {
            if percent > BAND_MAX_PERCENT {
                return Err(format!("settle.{key} is {percent}; above {BAND_MAX_PERCENT} % it is no gate"));
            }
        }
        if !(self.current_floor_a >= Current::ZERO && self.current_floor_a.amperes() <= 1.0) {
            return Err(format!("settle.current_floor_a is {}; allowed is 0 A to 1 A", self.current_floor_a));
        }
        if self.timeout_secs <= self.hold_secs {
            return Err("settle.timeout_secs must be longer than settle.hold_secs".into());
        }
        Ok(())
    }
}

/// How the reference energy of a window is found (JJG 596-2026 7.3.2.5 b1, b2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The reference counts energy itself: γ = (m0 − m)/m.
    StandardMeter,
    /// The reference measures power, our time base the time: γ = (T − t)/t.
    PowerTime,
}

/// An error calculator that is not ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondOpinion {
    /// Its name.
    pub of: String,
    /// One error reading takes so long at least.
    pub reading: Span,
    /// Its expanded uncertainty (k = 2) in percent, from its certificate; none: it is held against nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_percent: Option<f64>,
}

impl SecondOpinion {
    /// How many readings fit into a stretch, one at least.
    pub fn readings_in(&self, stretch: Span) -> u32 {
        // The rest is left for the way there and back, and for a reading that ends with a pulse and not with the time.
        let fit = (stretch.secs() * FILLED / self.reading.secs().max(1e-3)).floor();
        (fit as u32).clamp(1, READINGS_MAX)
    }
}

/// Part of a load point's time that another calculator's readings may fill. A house rule.
const FILLED: f64 = 0.8;
/// More readings make its mean no better than ours. A house rule; the regulations ask for two or more.
const READINGS_MAX: u32 = 10;

/// The bench, as the plan sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Highest voltage of the source.
    pub voltage_max_v: Voltage,
    /// Highest current of the source.
    pub current_max_a: Current,
    /// Settle rule of the source.
    pub settle: Settle,
    /// Time between two samples of the reference.
    pub sample_interval: Span,
    /// Oldest sample that still speaks for now; also the widest allowed gap between samples.
    pub sample_age_max: Span,
    /// Resolution of the reference's power, relative to the reading.
    pub reference_resolution: Ratio,
    /// One step of the reference's energy count.
    pub energy_step: Energy,
    /// Half-width of the time stamp of an edge.
    pub edge_time_half_width: Span,
    /// How the reference energy is found.
    pub method: Method,
    /// Whether a second input for the meter's seconds pulse is there.
    pub seconds_input: bool,
    /// Planned time of one exchange with the meter's data output.
    pub exchange: Span,
    /// Half-width of the current by which meter and reference may differ: what leaks past one of them. None: the bench
    /// does not say, and the budget has no such component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_current_a: Option<Current>,
    /// Half-width of the voltage by which meter and reference may differ: drop along the leads between the two, thermal
    /// EMF. None: the bench does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_voltage_v: Option<Voltage>,
    /// Standard deviation of one power sample, reference and source together, as the reference's file states it; it
    /// serves before the run, when no sample has been seen. None: the settle band is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_scatter: Option<Ratio>,
    /// Another error calculator on the bench: a second opinion at each load point. None: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<SecondOpinion>,
    /// Identities the instruments gave, for the record.
    pub instruments: Vec<String>,
}
