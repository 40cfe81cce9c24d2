//! A reference standard as data: its question, the fields of its answer, its resolution, from `assets/instruments/*.toml`.

use crate::link::Provenance;
use crate::link::scpi::Dialect;
use crate::plan::Method;
use crate::quantity::{Energy, Ratio};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A profile that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reference profile {origin}: {what}")]
pub struct NoProfile {
    origin: String,
    what: String,
}

/// How a reference is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The form's version.
    pub schema: u32,
    /// Says that this is a reference.
    pub kind: IsReference,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Where the commands were read.
    pub origin: String,
    /// How sure they are.
    #[serde(default)]
    pub provenance: Provenance,
    /// A stand-in: whatever it says is marked simulated.
    #[serde(default)]
    pub simulated: bool,
    /// How it is talked to.
    pub dialect: Dialect,
    /// How a sample is taken.
    pub sample: Sampling,
}

/// The word `reference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsReference {
    /// It is one.
    Reference,
}

/// The question for a sample and the answer's fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The question.
    pub query: String,
    /// What stands between the answer's fields.
    pub separator: String,
    /// What the fields are, in order.
    pub fields: Vec<Field>,
    /// Further questions, where one answer does not hold everything; the sample then speaks for the time from the first
    /// question to the last answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The text behind whose last occurrence an answer's values begin: `]:` in `POW4:P1:[W]:2300;`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_after: Option<String>,
    /// Time between two samples.
    pub interval_secs: f64,
    /// Oldest sample that still speaks for now.
    pub age_max_secs: f64,
    /// Resolution of the power, in percent of the reading.
    pub resolution_percent: f64,
    /// Standard deviation of one sample of power at a settled load, in percent of the reading, where it is known; it
    /// serves to plan with, the run sees for itself.
    #[serde(default)]
    pub scatter_percent: Option<f64>,
    /// One step of its energy count, in joule; asked for by the standard-meter method.
    #[serde(default)]
    pub energy_step_j: Option<f64>,
    /// How the reference energy is found.
    pub method: Method,
}

/// A further question of a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// The question.
    pub query: String,
    /// What the answer's fields are, in order.
    pub fields: Vec<Field>,
}

/// A field of the answer, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Voltage in volt.
    VoltageV,
    /// Current in ampere.
    CurrentA,
    /// Power in watt.
    PowerW,
    /// Power in kilowatt.
    PowerKw,
    /// Counted energy in joule (watt-second).
    EnergyJ,
    /// Counted energy in watt-hour.
    EnergyWh,
    /// Not used.
    Skip,
}

impl Sampling {
    /// The questions of a sample, each with the fields of its answer.
    pub fn questions(&self) -> impl Iterator<Item = (&str, &[Field])> {
        let also = self.also.iter().map(|also| (also.query.as_str(), also.fields.as_slice()));
        std::iter::once((self.query.as_str(), self.fields.as_slice())).chain(also)
    }
}

impl Profile {
    /// Reads a profile; `origin` names it in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, NoProfile> {
        let refuse = |what: String| NoProfile { origin: origin.to_owned(), what };
        let mut profile: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        profile.simulated |= profile.dialect.is_stand_in();
        if profile.schema != 1 {
            return Err(refuse(format!("schema is {}; this program reads 1", profile.schema)));
        }
        let sample = &profile.sample;
        for (key, value) in [
            ("interval_secs", sample.interval_secs),
            ("age_max_secs", sample.age_max_secs),
            ("resolution_percent", sample.resolution_percent),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(refuse(format!("sample.{key} is {value}; allowed is a number above 0")));
            }
        }
        if sample.age_max_secs <= sample.interval_secs {
            return Err(refuse("sample.age_max_secs must be longer than sample.interval_secs".into()));
        }
        if sample.separator.is_empty() {
            return Err(refuse("sample.separator must not be empty".into()));
        }
        profile.dialect.check().map_err(refuse)?;
        let fields: Vec<Field> = sample.questions().flat_map(|(_, fields)| fields.to_vec()).collect();
        let has = |field| fields.contains(&field);
        if !(has(Field::VoltageV) && has(Field::CurrentA) && (has(Field::PowerW) || has(Field::PowerKw))) {
            return Err(refuse(
                "sample.fields must hold voltage_v, current_a and power_w or power_kw".into(),
            ));
        }
        if sample.method == Method::StandardMeter && !(has(Field::EnergyJ) || has(Field::EnergyWh)) {
            return Err(refuse("sample.method standard-meter needs a field energy_j or energy_wh".into()));
        }
        if let Some(scatter) = sample.scatter_percent.filter(|s| !(0.0..=5.0).contains(s)) {
            return Err(refuse(format!("sample.scatter_percent is {scatter}; allowed is 0 to 5")));
        }
        let step = sample.energy_step_j;
        if step.is_some_and(|j| !(j.is_finite() && j > 0.0))
            || (sample.method == Method::StandardMeter && step.is_none())
        {
            return Err(refuse(
                "sample.energy_step_j must be above 0, and the standard-meter method needs it".into(),
            ));
        }
        Ok(profile)
    }

    /// Time between two samples.
    pub fn interval(&self) -> Span {
        Span::from_secs_f64(self.sample.interval_secs)
    }

    /// Oldest sample that still speaks for now.
    pub fn age_max(&self) -> Span {
        Span::from_secs_f64(self.sample.age_max_secs)
    }

    /// One step of its energy count; nothing where it is not said.
    pub fn energy_step(&self) -> Energy {
        Energy::from_joules(self.sample.energy_step_j.unwrap_or(0.0))
    }

    /// Standard deviation of one sample of power, relative, where it is known.
    pub fn scatter(&self) -> Option<Ratio> {
        self.sample.scatter_percent.map(Ratio::from_percent)
    }

    /// Resolution of the power, relative to the reading.
    pub fn resolution(&self) -> Ratio {
        Ratio::from_percent(self.sample.resolution_percent)
    }
}
