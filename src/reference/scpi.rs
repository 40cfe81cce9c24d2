//! A reference standard that speaks text lines, asked as its [`Profile`] says.

use super::profile::{Field, Sampling};
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
        let mut sample = NOTHING;
        for (query, fields) in self.profile.sample.questions() {
            let answer = self.instrument.ask(query)?;
            read(&self.profile.sample, fields, &answer, &mut sample).ok_or_else(|| Fault::Garbage {
                peer: self.instrument.peer().to_owned(),
                query: query.to_owned(),
                seen: answer.chars().take(80).collect(),
                expected: expected(&self.profile.sample, fields),
            })?;
        }
        let half = (now() - asked).half();
        Ok(Sample { taken: asked + half, taken_half_width: half, ..sample })
    }
}

/// A sample before anything was asked.
const NOTHING: Sample = Sample {
    taken: crate::time::Instant::ZERO,
    taken_half_width: crate::time::Span::ZERO,
    voltage: Voltage::ZERO,
    current: Current::ZERO,
    power: Power::ZERO,
    energy: None,
};

fn expected(sampling: &Sampling, fields: &[Field]) -> String {
    let after = sampling.value_after.as_ref().map_or(String::new(), |mark| format!(" behind `{mark}`"));
    match fields.len() {
        1 => format!("a finite number{after}"),
        count => format!("{count} finite numbers with `{}` between{after}", sampling.separator),
    }
}

/// Takes the fields of an answer into `sample`; `None` where it is none.
fn read(sampling: &Sampling, fields: &[Field], answer: &str, sample: &mut Sample) -> Option<()> {
    let values = match &sampling.value_after {
        Some(mark) => answer.rsplit_once(mark.as_str())?.1,
        None => answer,
    };
    let numbers: Vec<f64> = values
        .trim()
        .trim_end_matches(';')
        .split(sampling.separator.as_str())
        .map(|text| text.trim().parse().ok())
        .collect::<Option<_>>()?;
    if numbers.len() != fields.len() {
        return None;
    }
    for (field, number) in fields.iter().zip(numbers) {
        take(sample, *field, number).ok()?;
    }
    Some(())
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

    fn parse(profile: &Profile, answer: &str) -> Option<Sample> {
        let mut sample = NOTHING;
        read(&profile.sample, &profile.sample.fields, answer, &mut sample).map(|()| sample)
    }

    #[test]
    fn the_values_may_stand_behind_a_mark() {
        let mut profile = profile();
        profile.sample.value_after = Some("]:".into());
        profile.sample.fields = vec![Field::PowerW];
        assert_eq!(parse(&profile, "POW4:P1:[W]:2300;").unwrap().power.watts(), 2300.0);
        assert!(parse(&profile, "2300;").is_none() && parse(&profile, "POW4:P1:[W]:;").is_none());
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
