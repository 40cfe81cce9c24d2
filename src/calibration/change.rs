//! How far a standard may have changed since its calibration: by age and by temperature.

use super::{Fault, Standard, StandardKind};
use crate::quantity::{Ratio, Temperature, shown};
use jiff::civil::Date;

/// Days of a year, as drift is counted.
const YEAR: f64 = 365.25;

/// What a standard may have changed by: a half-width, and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The standard's error lies within ± this of the calibrated one, as far as this cause goes.
    pub half_width: Ratio,
    /// The cause in words.
    pub evidence: String,
}

impl Standard {
    /// The unit of its figures, as the keys of its file have it.
    fn unit(&self) -> &'static str {
        if self.kind == StandardKind::TimeBase { "ppm" } else { "percent" }
    }

    fn figure(&self, ratio: Ratio) -> String {
        if self.kind == StandardKind::TimeBase {
            format!("{} ppm", shown(ratio.ppm(), 4))
        } else {
            format!("{} %", shown(ratio.percent(), 4))
        }
    }

    fn unstated(&self, key: String) -> Fault {
        Fault::Unstated { standard: self.name(), certificate_no: self.certificate_no.clone(), key }
    }

    /// Drift from the day of calibration to `day`: the stated drift in a year times the age. A day before the
    /// calibration counts like one after it; [`super::Standards::check_dates`] complains of it.
    pub fn drift_until(&self, day: Date) -> Result<Change, Fault> {
        let yearly = self
            .drift_per_year()
            .ok_or_else(|| self.unstated(format!("drift_{}_per_year", self.unit())))?
            .abs();
        let days = (day - self.calibrated_on).get_days().abs();
        Ok(Change {
            half_width: yearly * (f64::from(days) / YEAR),
            evidence: format!("{} a year, {days} days since {}", self.figure(yearly), self.calibrated_on),
        })
    }

    /// Effect of a temperature between `low` and `high`: the stated coefficient times the greatest distance from the
    /// temperature of calibration. A coefficient of 0 needs neither.
    pub fn temperature_effect(&self, low: Temperature, high: Temperature) -> Result<Change, Fault> {
        let coefficient = self
            .temperature_coefficient()
            .ok_or_else(|| self.unstated(format!("temperature_coefficient_{}_per_k", self.unit())))?
            .abs();
        if coefficient == Ratio::ZERO {
            return Ok(Change { half_width: Ratio::ZERO, evidence: "no effect, as its file says".into() });
        }
        let at = self.calibrated_at.ok_or_else(|| self.unstated("calibrated_at_c".into()))?;
        let from = |t: Temperature| (t.degrees_celsius() - at.degrees_celsius()).abs();
        let kelvin = from(low).max(from(high));
        let half_width = Ratio::try_from_fraction(coefficient.fraction() * kelvin)
            .map_err(|_| self.unstated(format!("temperature_coefficient_{}_per_k", self.unit())))?;
        let evidence =
            format!("{} a kelvin, {kelvin:.1} K from calibration at {at}", self.figure(coefficient));
        Ok(Change { half_width, evidence })
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin_simulated;
    use super::super::correction::tests::reference;
    use jiff::civil::date;

    #[test]
    fn a_standard_drifts_with_its_age() {
        let standards = builtin_simulated();
        let drift = |day| standards.reference().drift_until(day).unwrap();
        assert_eq!(drift(date(2026, 1, 5)).half_width.percent(), 0.0);
        let two_years = drift(date(2028, 1, 5));
        assert!((two_years.half_width.percent() - 0.005 * 730.0 / 365.25).abs() < 1e-12, "{two_years:?}");
        assert_eq!(two_years.evidence, "0.005 % a year, 730 days since 2026-01-05");
        assert!(
            (standards.time_base().drift_until(date(2027, 1, 5)).unwrap().half_width.ppm() - 1.0).abs()
                < 0.01
        );
    }

    #[test]
    fn the_farthest_temperature_of_the_span_counts() {
        let celsius = crate::quantity::Temperature::from_degrees_celsius;
        let standards = builtin_simulated();
        let effect = standards.reference().temperature_effect(celsius(22.0), celsius(28.0)).unwrap();
        assert!((effect.half_width.percent() - 0.0025).abs() < 1e-12, "{effect:?}");
    }

    #[test]
    fn a_figure_that_is_not_stated_is_asked_for_by_name() {
        let celsius = crate::quantity::Temperature::from_degrees_celsius;
        let fault = reference().drift_until(date(2026, 6, 1)).unwrap_err().to_string();
        assert_eq!(
            fault,
            "R no. 1: certificate C1 states no `drift_percent_per_year`, and without it there is no uncertainty to state; add it to the calibration file, 0 only where that is known"
        );
        let fault = reference().temperature_effect(celsius(20.0), celsius(25.0)).unwrap_err();
        assert!(fault.to_string().contains("temperature_coefficient_percent_per_k"), "{fault}");
    }
}
