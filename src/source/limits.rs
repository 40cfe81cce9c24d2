//! The limits of the tester itself, beside those of its source: leads, terminals, fuses; and how softly a load comes up.
//!
//! The smallest of tester, nameplate and instrument profile wins. Plan and guard hold it both: the plan says so before a
//! device is touched, the guard refuses whatever comes all the same.

use crate::plan::Load;
use crate::quantity::{Current, Voltage};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Between two steps of a soft ramp.
pub const RAMP_EVERY: Span = Span::from_millis(100);

/// What the tester bears. Left out: what the source reaches, as fast as it does.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Highest voltage of leads and terminals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_max_v: Option<Voltage>,
    /// Highest current of leads, terminals and fuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_max_a: Option<Current>,
    /// Fastest rise of the voltage; a fall is not slowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp_v_per_s: Option<f64>,
    /// Fastest rise of the current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp_a_per_s: Option<f64>,
}

impl Limits {
    /// A figure that cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        let maxima = [
            ("voltage_max_v", self.voltage_max_v.map(Voltage::volts)),
            ("current_max_a", self.current_max_a.map(Current::amperes)),
            ("ramp_v_per_s", self.ramp_v_per_s),
            ("ramp_a_per_s", self.ramp_a_per_s),
        ];
        for (key, value) in maxima {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                let seen = value.unwrap_or_default();
                return Err(format!("limits.{key} is {seen}; allowed is a number above 0, or nothing"));
            }
        }
        Ok(())
    }

    /// The same, with no more current than the meter bears.
    #[must_use]
    pub fn narrowed(self, imax: Current) -> Self {
        let most = self.current_max_a.map_or(imax, |most| most.min(imax));
        Self { current_max_a: Some(most), ..self }
    }

    /// Why the tester does not bear a load; none where it does.
    pub fn refuses(&self, load: Load) -> Option<String> {
        let beyond = |what: &str, asked: f64, most: Option<f64>, unit: &str| {
            let most = most.filter(|most| asked.abs() > *most)?;
            Some(format!("{asked} {unit} is beyond the {what} limit of tester and meter of {most} {unit}"))
        };
        let volts = self.voltage_max_v.map(Voltage::volts);
        let amperes = self.current_max_a.map(Current::amperes);
        beyond("voltage", load.voltage_v.volts(), volts, "V")
            .or_else(|| beyond("current", load.current_a.amperes(), amperes, "A"))
    }

    /// The loads on the way from one to another, one each [`RAMP_EVERY`], the last one the goal. What falls falls at once.
    pub fn ramp(&self, from: Load, to: Load) -> impl Iterator<Item = Load> {
        let rise = |from: f64, to: f64| (to.abs() - from.abs()).max(0.0);
        let (volts, amperes) = (
            rise(from.voltage_v.volts(), to.voltage_v.volts()),
            rise(from.current_a.amperes(), to.current_a.amperes()),
        );
        let secs = |rise: f64, rate: Option<f64>| rate.map_or(0.0, |rate| rise / rate);
        let secs = secs(volts, self.ramp_v_per_s).max(secs(amperes, self.ramp_a_per_s));
        let steps = (secs / RAMP_EVERY.secs()).ceil().max(1.0);
        let towards = move |from: f64, to: f64, share: f64| {
            if to.abs() > from.abs() && share < 1.0 { from + (to - from) * share } else { to }
        };
        (1..=steps as u32).map(move |n| {
            let share = f64::from(n) / steps;
            let voltage = towards(from.voltage_v.volts(), to.voltage_v.volts(), share);
            let current = towards(from.current_a.amperes(), to.current_a.amperes(), share);
            Load { voltage_v: Voltage::from_volts(voltage), current_a: Current::from_amperes(current) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(volts: f64, amperes: f64) -> Load {
        Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) }
    }

    #[test]
    fn a_load_rises_softly_and_falls_at_once() {
        let limits = Limits { ramp_v_per_s: Some(500.0), ramp_a_per_s: Some(1000.0), ..Limits::default() };
        let up: Vec<Load> = limits.ramp(Load::OFF, load(250.0, 10.0)).collect();
        assert_eq!(up.len(), 5);
        assert_eq!((up[0], up[4]), (load(50.0, 2.0), load(250.0, 10.0)));
        assert!(
            up.windows(2)
                .all(|pair| pair[1].voltage_v - pair[0].voltage_v <= Voltage::from_volts(50.0 + 1e-9))
        );
        let down: Vec<Load> = limits.ramp(load(250.0, 10.0), load(0.0, 1.0)).collect();
        assert_eq!(down, [load(0.0, 1.0)]);
        let change: Vec<Load> = limits.ramp(load(250.0, 10.0), load(100.0, 210.0)).collect();
        assert!(change.len() == 2 && change.iter().all(|l| l.voltage_v == load(100.0, 0.0).voltage_v));
        assert_eq!(Limits::default().ramp(Load::OFF, load(250.0, 10.0)).count(), 1);
    }

    #[test]
    fn what_the_tester_does_not_bear_is_refused_in_words() {
        let limits = Limits { voltage_max_v: Some(Voltage::from_volts(800.0)), ..Limits::default() };
        assert_eq!(limits.refuses(load(800.0, 600.0)), None);
        let why = limits.refuses(load(850.0, 1.0)).unwrap();
        assert_eq!(why, "850 V is beyond the voltage limit of tester and meter of 800 V");
        assert!(Limits { ramp_a_per_s: Some(0.0), ..limits }.check().is_err());
    }
}
