//! What is really so with a simulated meter and bench, and what the program has to find out.

use super::mishap::{self, Mishap};
use crate::link::hex;
use crate::plan::entries::SIMULATED_DEGREES;
use crate::plan::nameplate::Fault;
use crate::quantity::{Current, Power, Ratio, Temperature};
use rand_chacha::rand_core::Rng;
use rust_decimal::Decimal;
use serde::Deserialize;

/// The truth about a meter: the `[truth]` table of a demo meter. Left out, the meter is a good one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Truth {
    /// What is shown about this meter, in a sentence.
    pub about: String,
    /// Error over current: `[[A, %], …]`, straight lines over the logarithm of the current, level beyond the ends.
    pub error_curve: Vec<(Current, f64)>,
    /// Below this current the meter stands still.
    pub start_current_a: Current,
    /// Power that the meter counts with no current.
    pub creep_power_w: Power,
    /// How many times too much the register takes for one pulse.
    pub register_factor: f64,
    /// How many times too many pulses the output gives for the energy that register and power tell.
    pub pulse_factor: f64,
    /// The step in which the register really moves; absent: the nameplate's.
    pub register_step_kwh: Option<Decimal>,
    /// The data output's power is still that of the load before.
    pub power_stale: bool,
    /// What the data output says of the constant; absent: the nameplate's.
    pub told_constant: Option<f64>,
    /// Register before the run.
    #[serde(with = "rust_decimal::serde::str")]
    pub register_start_kwh: Decimal,
    /// Standard deviation of a pulse's moment.
    pub pulse_jitter_us: f64,
    /// How slowly the meter's count follows a change of load: time constant; 0: at once.
    pub lag_secs: f64,
    /// Clock ahead of ours.
    pub clock_ahead_secs: f64,
    /// Its daily rate.
    pub clock_rate_s_per_day: f64,
    /// Cover openings, the last on 2026-11-17.
    pub cover_openings: u32,
    /// Whether the cover is open now.
    pub cover_open: bool,
    /// Programmings, the last on 2026-11-17.
    pub programmings: u32,
    /// Its register at the last settlements, each on the first day of a month at midnight, the newest first; none: the meter
    /// keeps none.
    pub settled_kwh: Vec<Decimal>,
    /// Its register at the last midnights, the newest first; none: the meter keeps none.
    pub daily_kwh: Vec<Decimal>,
    /// When its output gives seconds pulses.
    pub seconds_pulse: SecondsPulse,
    /// Digits behind the point of its energy register, where sources dispute them.
    pub register_decimals: Option<i32>,
    /// Number on the data output; absent: the nameplate's serial number.
    pub told_number: Option<String>,
    /// How it signs records, where its data output does.
    pub signing: Signing,
    /// Its number by DIN 43863-5 where it pushes SML, in hex; absent: the simulator's. By it a maker's quirks are known.
    pub sml_server: Option<String>,
    /// What goes wrong in it or on its bench.
    pub mishap: Vec<Mishap>,
}

/// The truth about a meter that signs: the `[truth.signing]` table. Left out, it signs at once and rightly.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signing {
    /// How long it takes to sign, also minutes.
    pub sign_secs: f64,
    /// How many times too much the signed energy is.
    pub energy_factor: f64,
    /// The last digit of the signed energy is changed when it was signed already.
    pub forged: bool,
    /// Whether it makes transactions at all.
    pub records: bool,
    /// What it says of its clock's synchronisation; left out, it says nothing.
    pub clock_synced: Option<bool>,
}

impl Default for Signing {
    fn default() -> Self {
        Self { sign_secs: 0.0, energy_factor: 1.0, forged: false, records: true, clock_synced: None }
    }
}

/// When a meter's output gives seconds pulses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondsPulse {
    /// Of itself.
    Always,
    /// Once it was told to (1DH).
    Told,
    /// Never: it refuses the command.
    Refused,
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            about: "a good meter".into(),
            error_curve: vec![],
            start_current_a: Current::ZERO,
            creep_power_w: Power::ZERO,
            register_factor: 1.0,
            pulse_factor: 1.0,
            register_step_kwh: None,
            power_stale: false,
            told_constant: None,
            register_start_kwh: Decimal::new(12_345_678, 3),
            pulse_jitter_us: 20.0,
            lag_secs: 0.0,
            clock_ahead_secs: 1.0,
            clock_rate_s_per_day: 0.1,
            cover_openings: 0,
            cover_open: false,
            programmings: 0,
            settled_kwh: vec![],
            daily_kwh: vec![],
            seconds_pulse: SecondsPulse::Always,
            register_decimals: None,
            told_number: None,
            signing: Signing::default(),
            sml_server: None,
            mishap: vec![],
        }
    }
}

impl Truth {
    /// The `[truth]` of a meter file; a file without one describes a good meter.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            truth: Truth,
        }
        let file: File = toml::from_str(text)
            .map_err(|e| Fault::Form { origin: origin.to_owned(), what: e.to_string() })?;
        let truth = file.truth;
        let rising = truth.error_curve.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let sane =
            truth.error_curve.iter().all(|(i, e)| i.amperes() > 0.0 && e.is_finite() && e.abs() < 100.0);
        let finite = [
            truth.register_factor,
            truth.pulse_factor,
            truth.pulse_jitter_us,
            truth.lag_secs,
            truth.clock_ahead_secs,
            truth.clock_rate_s_per_day,
            truth.signing.sign_secs,
            truth.signing.energy_factor,
        ];
        let steps = truth.register_step_kwh.is_none_or(|step| step > Decimal::ZERO);
        if !(rising && sane && steps && finite.iter().all(|n| n.is_finite() && n.abs() <= 1e7)) {
            let what = "[truth]: numbers must be finite, the error curve in rising currents with errors within ±100 %, a register step above 0";
            return Err(Fault::Form { origin: origin.to_owned(), what: what.into() });
        }
        if truth.sml_server.as_deref().is_some_and(|text| hex::bytes(text).is_none()) {
            let what = "[truth]: sml_server must be bytes in hex, such as \"0A 01 49 53 4B 00 00 00 00 01\"";
            return Err(Fault::Form { origin: origin.to_owned(), what: what.into() });
        }
        mishap::check(&truth.mishap)
            .map_err(|why| Fault::Form { origin: origin.to_owned(), what: format!("[truth]: {why}") })?;
        Ok(truth)
    }

    /// The meter's true error at a current.
    pub fn error_at(&self, current: Current) -> Ratio {
        let curve = &self.error_curve;
        let amperes = current.amperes().abs().max(1e-9);
        let percent = match curve.iter().position(|(i, _)| i.amperes() >= amperes) {
            _ if curve.is_empty() => 0.0,
            None => curve[curve.len() - 1].1,
            Some(0) => curve[0].1,
            Some(n) => {
                let ((i0, e0), (i1, e1)) = (curve[n - 1], curve[n]);
                let share = (amperes / i0.amperes()).ln() / (i1.amperes() / i0.amperes()).ln();
                e0 + (e1 - e0) * share
            }
        };
        Ratio::from_percent(percent)
    }
}

/// The truth about the bench: what its certificates leave open, and what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BenchTruth {
    /// Scatter of a sample, relative.
    pub sample_noise: f64,
    /// Slow wander of the source, relative amplitude.
    pub wander: f64,
    /// From this second of the run on the source drifts away, relative per second; none: it does not.
    pub drift_from: Option<(f64, f64)>,
    /// How warm the standards are.
    pub temperature: Temperature,
    /// What the certificates leave open, set by hand; none: drawn from the seed.
    pub luck: Option<Luck>,
}

/// What certificates and bench leave open, as it really is in one world: each statement of the budget comes true
/// somewhere within its own distribution.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Luck {
    /// The reference's error beyond its certificate's, in standard uncertainties.
    pub reference: f64,
    /// Its drift since calibration, as a share of the half-width stated: −1 to 1. So all that follow, but the clock's own.
    pub reference_drift: f64,
    /// Its effect of temperature.
    pub reference_temperature: f64,
    /// The clock's rate beyond its certificate's, in standard uncertainties.
    pub time_base: f64,
    /// Its drift.
    pub time_base_drift: f64,
    /// Its effect of temperature.
    pub time_base_temperature: f64,
    /// The current that goes past the reference.
    pub current_leads: f64,
    /// The voltage that meter and reference differ by.
    pub voltage_leads: f64,
}

impl Luck {
    /// Draws it: standard uncertainties from a standard normal, half-widths from a flat distribution.
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        let mut flat = || 2.0 * uniform(rng) - 1.0;
        let luck = Self {
            reference_drift: flat(),
            reference_temperature: flat(),
            time_base_drift: flat(),
            time_base_temperature: flat(),
            current_leads: flat(),
            voltage_leads: flat(),
            ..Self::default()
        };
        Self { reference: gauss(rng), time_base: gauss(rng), ..luck }
    }
}

/// A number from 0 up to 1.
pub(super) fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A standard normal deviate (Box–Muller).
pub(super) fn gauss(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

impl Default for BenchTruth {
    fn default() -> Self {
        Self {
            sample_noise: 30e-6,
            wander: 50e-6,
            drift_from: None,
            temperature: Temperature::from_degrees_celsius(SIMULATED_DEGREES),
            luck: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_level_beyond_its_ends_and_straight_between() {
        let text = "[truth]\nerror_curve = [[1.0, 2.0], [100.0, 0.0]]";
        let truth = Truth::from_toml("t", text).unwrap();
        for (amperes, percent) in [(0.1, 2.0), (1.0, 2.0), (10.0, 1.0), (100.0, 0.0), (600.0, 0.0)] {
            let found = truth.error_at(Current::from_amperes(amperes)).percent();
            assert!((found - percent).abs() < 1e-9, "{amperes} A: {found}");
        }
        assert!(Truth::from_toml("t", "[truth]\nlies = 1").unwrap_err().to_string().contains("lies"));
    }
}
