//! A reference standard that speaks text lines, asked as its [`Profile`] says.

use super::profile::Field;
use super::{Fault, Profile, Reference, Sample};
use crate::link::Link;
use crate::link::scpi::Instrument;
use crate::quantity::{self, Current, Energy, Power, Voltage};
use crate::time::now;

/// A reference on a line.
pub struct Scpi {
    instrument: Instrument,
    profile: Profile,
}

impl Scpi {
    /// Asks who is there.
    pub fn open(link: Box<dyn Link>, profile: Profile) -> Result<Self, Fault> {
        Ok(Self { instrument: Instrument::open(link, profile.dialect.clone())?, profile })
    }

    /// What it says it is.
    pub fn identity(&self) -> &str {
        self.instrument.identity()
    }
}

impl Reference for Scpi {
    fn sample(&mut self) -> Result<Sample, Fault> {
        let asked = now();
        let answer = self.instrument.ask(&self.profile.sample.query)?;
        let half = (now() - asked).half();
        let numbers = parse(&self.profile, &answer).ok_or_else(|| Fault::Garbage {
            peer: self.instrument.peer().to_owned(),
            query: self.profile.sample.query.clone(),
            seen: answer.chars().take(80).collect(),
            expected: format!(
                "{} finite numbers with `{}` between",
                self.profile.sample.fields.len(),
                self.profile.sample.separator
            ),
        })?;
        Ok(Sample { taken: asked + half, taken_half_width: half, ..numbers })
    }
}

/// The sample in an answer, without its time; `None` where it is none.
fn parse(profile: &Profile, answer: &str) -> Option<Sample> {
    let numbers: Vec<f64> = answer
        .trim()
        .trim_end_matches(';')
        .split(profile.sample.separator.as_str())
        .map(|text| text.trim().parse().ok())
        .collect::<Option<_>>()?;
    if numbers.len() != profile.sample.fields.len() {
        return None;
    }
    let mut sample: Sample = Sample {
        taken: crate::time::Instant::ZERO,
        taken_half_width: crate::time::Span::ZERO,
        voltage: Voltage::ZERO,
        current: Current::ZERO,
        power: Power::ZERO,
        energy: None,
    };
    for (field, number) in profile.sample.fields.iter().zip(numbers) {
        take(&mut sample, *field, number).ok()?;
    }
    Some(sample)
}

fn take(sample: &mut Sample, field: Field, number: f64) -> Result<(), quantity::Fault> {
    match field {
        Field::VoltageV => sample.voltage = Voltage::try_from_volts(number)?,
        Field::CurrentA => sample.current = Current::try_from_amperes(number)?,
        Field::PowerW => sample.power = Power::try_from_watts(number)?,
        Field::PowerKw => sample.power = Power::try_from_kilowatts(number)?,
        Field::EnergyJ => sample.energy = Some(Energy::try_from_joules(number)?),
        Field::EnergyWh => sample.energy = Some(Energy::try_from_kilowatt_hours(number / 1000.0)?),
        Field::Skip => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let text = include_str!("../../assets/instruments/simulated-reference.toml");
        Profile::from_toml("simulated-reference", text).unwrap()
    }

    #[test]
    fn an_answer_is_four_finite_numbers_or_nothing() {
        let sample = parse(&profile(), "750.01, 10.002,7501.6,360000").unwrap();
        assert_eq!((sample.voltage.volts(), sample.energy.unwrap().joules()), (750.01, 360_000.0));
        for bad in ["", "1,2,3", "1,2,3,4,5", "1,2,x,4", "1,2,nan,4", "1,2,inf,4", "1;2;3;4"] {
            assert!(parse(&profile(), bad).is_none(), "{bad}");
        }
    }
}
