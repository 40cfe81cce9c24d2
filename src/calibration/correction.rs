//! The corrections: interpolated between calibrated points, never beyond them.

use super::{Fault, Standard, StandardKind};
use crate::quantity::{Current, Power, Ratio, Temperature, Voltage};

/// An error of a standard with its standard uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// (indicated - true)/true.
    pub error: Ratio,
    /// The standard uncertainty U/k.
    pub u: Ratio,
    /// Degrees of freedom behind `u`; infinite where the certificate gives none.
    pub dof: f64,
}

impl Corrected {
    /// The true power behind an indicated one.
    pub fn true_power(self, indicated: Power) -> Power {
        indicated / (1.0 + self.error.fraction())
    }
}

/// One calibrated value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// In %, ppm or K as the kind of standard has it.
    pub error: f64,
    /// U, in the same unit.
    pub expanded: f64,
    /// The coverage factor of U.
    pub k: f64,
    pub dof: Option<f64>,
}

/// One calibrated point as the certificate states it, for showing and comparing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibratedPoint {
    /// The voltage, for a reference or a source.
    pub voltage: Option<Voltage>,
    /// The current, for a reference or a source.
    pub current: Option<Current>,
    /// The temperature, for a temperature sensor.
    pub temperature: Option<Temperature>,
    /// (indicated - true)/true, or indicated - true for a temperature, in `unit`. The correction is its opposite.
    pub error: f64,
    /// U, in `unit`.
    pub expanded: f64,
    /// The coverage factor of U.
    pub k: f64,
    /// Degrees of freedom, where the certificate gives them.
    pub dof: Option<f64>,
    /// `%`, `ppm` or `K`.
    pub unit: &'static str,
}

/// A calibrated point of power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PowerPoint {
    pub voltage_v: f64,
    pub current_a: f64,
    pub found: Found,
}

/// What was calibrated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Points {
    /// Of a reference or a source: rising voltage, then rising current.
    Power(Vec<PowerPoint>),
    /// Of a time base.
    Rate(Found),
    /// Of a temperature sensor: (temperature in °C, error), rising.
    Temperature(Vec<(f64, Found)>),
}

/// The difference up to which a voltage or current is the calibrated one: arithmetic, not measurement.
const SAME: f64 = 1e-9;

fn percent(found: Found) -> Corrected {
    Corrected {
        error: Ratio::from_percent(found.error),
        u: Ratio::from_percent(found.expanded / found.k),
        dof: found.dof.unwrap_or(f64::INFINITY),
    }
}

/// Linear between two; of the uncertainties the larger, with its degrees of freedom.
fn between(low: Corrected, high: Corrected, share: f64) -> Corrected {
    let wider = if high.u > low.u { high } else { low };
    let error = low.error + (high.error - low.error) * share;
    Corrected { error, u: wider.u, dof: if high.u == low.u { low.dof.min(high.dof) } else { wider.dof } }
}

/// The neighbours of `x` among knots that rise, by the number that `knot` has of each, and its share of the way on the
/// axis given by `axis`.
fn neighbours<T: Copy>(
    knots: impl Iterator<Item = T>,
    knot: impl Fn(T) -> f64,
    x: f64,
    axis: fn(f64) -> f64,
) -> Option<(T, T, f64)> {
    let mut low = None;
    for high in knots {
        let at = knot(high);
        if (x - at).abs() <= SAME * at.abs() {
            return Some((high, high, 0.0));
        }
        if at > x {
            let low = low?;
            let (a, b) = (axis(knot(low)), axis(at));
            return Some((low, high, (axis(x) - a) / (b - a)));
        }
        low = Some(high);
    }
    None
}

impl Standard {
    /// The error of indicated power at a load, (indicated - true)/true.
    ///
    /// Between points the error is linear in the logarithm of the current, then linear in the voltage. The
    /// uncertainty is not interpolated: the larger one of the neighbours holds. Never extrapolated.
    pub fn power_correction(&self, voltage: Voltage, current: Current) -> Result<Corrected, Fault> {
        let Points::Power(points) = &self.points else {
            return Err(self.wrong(StandardKind::Reference));
        };
        let rows = points.chunk_by(|a, b| a.voltage_v.total_cmp(&b.voltage_v).is_eq());
        let (low, high, share) = neighbours(rows, |row| row[0].voltage_v, voltage.volts(), |volts| volts)
            .ok_or_else(|| Fault::OutOfRange {
                standard: self.name(),
                from: Voltage::from_volts(points[0].voltage_v).to_string(),
                to: Voltage::from_volts(points[points.len() - 1].voltage_v).to_string(),
                seen: voltage.to_string(),
            })?;
        Ok(between(self.at_voltage(low, current)?, self.at_voltage(high, current)?, share))
    }

    /// The error among the points of one voltage.
    fn at_voltage(&self, row: &[PowerPoint], current: Current) -> Result<Corrected, Fault> {
        let (low, high, share) = neighbours(row.iter(), |point| point.current_a, current.amperes(), f64::ln)
            .ok_or_else(|| {
                let (first, last) = (&row[0], &row[row.len() - 1]);
                Fault::OutOfRange {
                    standard: self.name(),
                    from: Current::from_amperes(first.current_a).to_string(),
                    to: format!("{} at {} V", Current::from_amperes(last.current_a), first.voltage_v),
                    seen: current.to_string(),
                }
            })?;
        Ok(between(percent(low.found), percent(high.found), share))
    }

    /// The calibrated points in their order.
    pub fn points(&self) -> Vec<CalibratedPoint> {
        let bare = |found: Found, unit| CalibratedPoint {
            voltage: None,
            current: None,
            temperature: None,
            error: found.error,
            expanded: found.expanded,
            k: found.k,
            dof: found.dof,
            unit,
        };
        match &self.points {
            Points::Power(points) => points
                .iter()
                .map(|point| CalibratedPoint {
                    voltage: Some(Voltage::from_volts(point.voltage_v)),
                    current: Some(Current::from_amperes(point.current_a)),
                    ..bare(point.found, "%")
                })
                .collect(),
            Points::Rate(found) => vec![bare(*found, "ppm")],
            Points::Temperature(points) => points
                .iter()
                .map(|(celsius, found)| CalibratedPoint {
                    temperature: Some(Temperature::from_degrees_celsius(*celsius)),
                    ..bare(*found, "K")
                })
                .collect(),
        }
    }

    /// The relative error of the clock's rate, (indicated - true)/true of an elapsed time.
    pub fn rate_error(&self) -> Result<Corrected, Fault> {
        match self.points {
            Points::Rate(found) => Ok(Corrected {
                error: Ratio::from_ppm(found.error),
                u: Ratio::from_ppm(found.expanded / found.k),
                dof: found.dof.unwrap_or(f64::INFINITY),
            }),
            Points::Power(_) | Points::Temperature(_) => Err(self.wrong(StandardKind::TimeBase)),
        }
    }

    /// Error and standard uncertainty of a temperature sensor, both in kelvin, by the same rules.
    pub fn temperature_correction(&self, shown: Temperature) -> Result<(f64, f64), Fault> {
        let Points::Temperature(points) = &self.points else {
            return Err(self.wrong(StandardKind::TemperatureSensor));
        };
        let (low, high, share) = neighbours(points.iter(), |point| point.0, shown.degrees_celsius(), |t| t)
            .ok_or_else(|| Fault::OutOfRange {
            standard: self.name(),
            from: Temperature::from_degrees_celsius(points[0].0).to_string(),
            to: Temperature::from_degrees_celsius(points[points.len() - 1].0).to_string(),
            seen: shown.to_string(),
        })?;
        let (low, high) = (low.1, high.1);
        let u = (low.expanded / low.k).max(high.expanded / high.k);
        Ok((low.error + (high.error - low.error) * share, u))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::calibration) fn reference() -> Standard {
        let text = r#"
schema = 1
standard = "reference"
model = "R"
serial = "1"
certificate_no = "C1"
laboratory = "L"
calibrated_on = "2026-01-05"
due_on = "2027-01-04"
point = [
  { voltage_v = 100, current_a = 1, error_percent = 0.0, expanded_u_percent = 0.05, k = 2 },
  { voltage_v = 100, current_a = 100, error_percent = 0.02, expanded_u_percent = 0.02, k = 2 },
  { voltage_v = 200, current_a = 1, error_percent = 0.04, expanded_u_percent = 0.02, k = 2, dof = 30 },
  { voltage_v = 200, current_a = 100, error_percent = 0.06, expanded_u_percent = 0.02, k = 2 },
]
"#;
        Standard::from_toml("test.toml", text).unwrap()
    }

    pub(in crate::calibration) fn at(standard: &Standard, u: f64, i: f64) -> Result<Corrected, Fault> {
        standard.power_correction(Voltage::from_volts(u), Current::from_amperes(i))
    }

    #[test]
    fn a_correction_is_interpolated_in_log_current_and_in_voltage() {
        let found = at(&reference(), 150.0, 10.0).unwrap();
        assert!((found.error.percent() - 0.03).abs() < 1e-12, "{found:?}");
        assert!((at(&reference(), 200.0, 100.0).unwrap().error.percent() - 0.06).abs() < 1e-12);
    }

    #[test]
    fn the_larger_uncertainty_of_the_neighbours_holds() {
        let found = at(&reference(), 150.0, 10.0).unwrap();
        assert!((found.u.percent() - 0.025).abs() < 1e-12);
        assert!(found.dof.is_infinite());
        let found = at(&reference(), 200.0, 1.0).unwrap();
        assert!((found.dof - 30.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_extrapolated() {
        let fault = at(&reference(), 150.0, 100.1).unwrap_err().to_string();
        assert_eq!(
            fault,
            "R no. 1 is calibrated from 1 A to 100 A at 100 V, not at 100.1 A; measure inside that range or have the standard calibrated there"
        );
        assert!(at(&reference(), 99.0, 10.0).unwrap_err().to_string().contains("from 100 V to 200 V"));
        assert!(at(&reference(), 100.0, 0.0).is_err());
    }

    #[test]
    fn the_true_power_is_the_indicated_one_without_its_error() {
        let found = Corrected { error: Ratio::from_percent(1.0), u: Ratio::ZERO, dof: f64::INFINITY };
        assert!((found.true_power(Power::from_watts(101.0)).watts() - 100.0).abs() < 1e-9);
    }
}
