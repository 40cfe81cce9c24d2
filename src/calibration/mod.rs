//! The tester's own standards: what their calibration certificates say, and until when they may say it.
//!
//! One TOML file a certificate, in `calibration/`: superseded by a new file, never edited. A correction is
//! interpolated between calibrated points and never extrapolated; outside them there is a [`Fault`], no number.

mod change;
mod correction;
mod sheet;
pub mod tester;

pub use change::Change;
pub use correction::{CalibratedPoint, Corrected};

use crate::quantity::{Ratio, Temperature};
use correction::Points;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a certificate cannot be used, or not here.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The text is no certificate file.
    #[error("{origin} is no calibration file: {message}")]
    Text {
        /// The file.
        origin: String,
        /// What the parser met, with its line.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{origin}: {place} is {seen}; allowed: {allowed}")]
    Sense {
        /// The file or the standard.
        origin: String,
        /// The key.
        place: String,
        /// What stands there.
        seen: String,
        /// What may stand there.
        allowed: String,
    },
    /// A correction outside the calibrated points.
    #[error(
        "{standard} is calibrated from {from} to {to}, not at {seen}; measure inside that range or have the standard calibrated there"
    )]
    OutOfRange {
        /// The standard.
        standard: String,
        /// Where the points begin.
        from: String,
        /// Where they end.
        to: String,
        /// What was asked for.
        seen: String,
    },
    /// A figure that the budget needs and the file does not have.
    #[error(
        "{standard}: certificate {certificate_no} states no `{key}`, and without it there is no uncertainty to state; add it to the calibration file, 0 only where that is known"
    )]
    Unstated {
        /// The standard.
        standard: String,
        /// Its certificate.
        certificate_no: String,
        /// The key of the file.
        key: String,
    },
    /// Neither an entry nor the regulation says how warm the standards were.
    #[error(
        "the temperature at the bench was not entered, and {document} gives no span in which to assume it; enter temperature_degc"
    )]
    NoTemperature {
        /// The regulation.
        document: String,
    },
    /// Another kind of standard was needed.
    #[error("{standard} is a {seen}, where a {wanted} is needed; name the right calibration file")]
    WrongStandard {
        /// The standard.
        standard: String,
        /// Its kind.
        seen: StandardKind,
        /// The kind needed.
        wanted: StandardKind,
    },
}

/// What a standard stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandardKind {
    /// The reference meter of power and energy.
    Reference,
    /// The phantom load's own voltage and current.
    Source,
    /// The clock everything is timed with.
    TimeBase,
    /// The thermometer at the meter.
    TemperatureSensor,
}

impl fmt::Display for StandardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "reference meter",
            Self::Source => "source",
            Self::TimeBase => "time base",
            Self::TemperatureSensor => "temperature sensor",
        })
    }
}

/// One standard as its certificate describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "sheet::Sheet", into = "sheet::Sheet")]
pub struct Standard {
    kind: StandardKind,
    model: String,
    serial: String,
    certificate_no: String,
    laboratory: String,
    calibrated_on: Date,
    due_on: Date,
    simulated: bool,
    note: Option<String>,
    drift_percent_per_year: Option<f64>,
    drift_ppm_per_year: Option<f64>,
    temperature_coefficient_percent_per_k: Option<f64>,
    temperature_coefficient_ppm_per_k: Option<f64>,
    calibrated_at: Option<Temperature>,
    points: Points,
}

impl Standard {
    /// Reads a certificate file; `origin` is its name for messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let sheet: sheet::Sheet = toml::from_str(text)
            .map_err(|fault| Fault::Text { origin: origin.to_owned(), message: fault.to_string() })?;
        sheet.standard(origin)
    }

    /// What it stands for.
    pub fn kind(&self) -> StandardKind {
        self.kind
    }

    /// The maker's model name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The serial number.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The number of the calibration certificate.
    pub fn certificate_no(&self) -> &str {
        &self.certificate_no
    }

    /// Who calibrated it.
    pub fn laboratory(&self) -> &str {
        &self.laboratory
    }

    /// The day of calibration.
    pub fn calibrated_on(&self) -> Date {
        self.calibrated_on
    }

    /// The last day the certificate is good for.
    pub fn due_on(&self) -> Date {
        self.due_on
    }

    /// Whether it belongs to the simulated bench and nothing physical stands behind it.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// What else is to be known.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The expected drift in a year, if stated.
    pub fn drift_per_year(&self) -> Option<Ratio> {
        self.drift_percent_per_year.map(Ratio::from_percent).or(self.drift_ppm_per_year.map(Ratio::from_ppm))
    }

    /// The temperature coefficient, per kelvin, if stated.
    pub fn temperature_coefficient(&self) -> Option<Ratio> {
        let percent = self.temperature_coefficient_percent_per_k.map(Ratio::from_percent);
        percent.or(self.temperature_coefficient_ppm_per_k.map(Ratio::from_ppm))
    }

    /// The temperature during calibration, if stated.
    pub fn calibrated_at(&self) -> Option<Temperature> {
        self.calibrated_at
    }

    /// Whether `date` is past the due date. On the due date itself the certificate still holds.
    pub fn is_due(&self, date: Date) -> bool {
        date > self.due_on
    }

    /// Model and serial number, for messages and papers.
    pub fn name(&self) -> String {
        format!("{} no. {}", self.model, self.serial)
    }

    fn wrong(&self, wanted: StandardKind) -> Fault {
        Fault::WrongStandard { standard: self.name(), seen: self.kind, wanted }
    }
}

/// The two standards every verification leans on, as they are frozen into its record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "sheet::Pair")]
pub struct Standards {
    reference: Standard,
    time_base: Standard,
}

impl Standards {
    /// A reference and a time base; anything else is refused.
    pub fn new(reference: Standard, time_base: Standard) -> Result<Self, Fault> {
        for (standard, wanted) in
            [(&reference, StandardKind::Reference), (&time_base, StandardKind::TimeBase)]
        {
            if standard.kind != wanted {
                return Err(standard.wrong(wanted));
            }
        }
        Ok(Self { reference, time_base })
    }

    /// The reference meter.
    pub fn reference(&self) -> &Standard {
        &self.reference
    }

    /// The time base.
    pub fn time_base(&self) -> &Standard {
        &self.time_base
    }

    /// Whether any of them is simulated.
    pub fn is_simulated(&self) -> bool {
        self.reference.simulated || self.time_base.simulated
    }

    /// What is wrong with their dates on `date`, in words; empty when all certificates hold.
    pub fn check_dates(&self, date: Date) -> Vec<String> {
        let mut problems = Vec::new();
        for standard in [&self.reference, &self.time_base] {
            let (name, number) = (standard.name(), &standard.certificate_no);
            if standard.is_due(date) {
                problems.push(format!(
                    "{} {name}: certificate {number} was due on {}; have it calibrated again",
                    standard.kind, standard.due_on
                ));
            }
            if date < standard.calibrated_on {
                problems.push(format!(
                    "{} {name}: certificate {number} of {} lies after {date}; check the date of this machine",
                    standard.kind, standard.calibrated_on
                ));
            }
        }
        problems
    }
}

/// The standards of the simulated bench, as shipped.
pub fn builtin_simulated() -> Standards {
    let reference = include_str!("../../calibration/simulated-reference.toml");
    let time_base = include_str!("../../calibration/simulated-time-base.toml");
    Standard::from_toml("calibration/simulated-reference.toml", reference)
        .and_then(|reference| {
            let time_base = Standard::from_toml("calibration/simulated-time-base.toml", time_base)?;
            Standards::new(reference, time_base)
        })
        .unwrap_or_else(|fault| unreachable!("shipped and tested: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::correction::tests::{at, reference};
    use super::*;
    use crate::quantity::{Current, Voltage};

    #[test]
    fn a_certificate_holds_to_the_end_of_its_due_date() {
        let standard = reference();
        assert!(!standard.is_due(jiff::civil::date(2027, 1, 4)));
        assert!(standard.is_due(jiff::civil::date(2027, 1, 5)));
    }

    #[test]
    fn dates_are_complained_of_in_words() {
        let standards = Standards::new(reference(), builtin_simulated().time_base).unwrap();
        assert_eq!(standards.check_dates(jiff::civil::date(2026, 6, 1)), Vec::<String>::new());
        let late = standards.check_dates(jiff::civil::date(2027, 6, 1));
        assert_eq!(
            late,
            ["reference meter R no. 1: certificate C1 was due on 2027-01-04; have it calibrated again"]
        );
        assert_eq!(standards.check_dates(jiff::civil::date(2020, 1, 1)).len(), 2);
    }

    #[test]
    fn the_simulated_standards_cover_the_whole_tester() {
        let standards = builtin_simulated();
        assert!(standards.is_simulated());
        for u in [10.0, 333.0, 750.0, 1000.0] {
            for i in [0.1, 0.2, 0.7, 5.0, 250.0, 600.0] {
                let found = at(standards.reference(), u, i).unwrap();
                assert!(found.error.percent().abs() < 0.02 && found.u.percent() <= 0.025, "{u} V {i} A");
            }
        }
        let rate = standards.time_base().rate_error().unwrap();
        assert!((rate.error.ppm() - 2.0).abs() < 1e-12 && (rate.u.ppm() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn standards_survive_the_record() {
        let standards = builtin_simulated();
        let json = serde_json::to_string(&standards).unwrap();
        assert_eq!(serde_json::from_str::<Standards>(&json).unwrap(), standards);
    }

    #[test]
    fn a_standard_of_another_kind_is_refused() {
        let standards = builtin_simulated();
        let fault = standards.time_base().power_correction(Voltage::ZERO, Current::ZERO).unwrap_err();
        assert!(fault.to_string().contains("is a time base, where a reference meter is needed"), "{fault}");
        assert!(Standards::new(standards.time_base.clone(), standards.reference).is_err());
    }
}
