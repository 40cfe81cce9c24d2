//! The wiring as source and reference see it, at the low level of the first step and before any full load.
//!
//! The source is told a voltage and a current; the reference measures what came of it. A circuit that is open shows
//! nothing, one whose source has reached its compliance shows less than was set, reversed leads show the other sign, and
//! leads on the wrong terminals show a power that is not the product of the two. The shares below are choices of this
//! house, far from any class and any settle band.

use super::Run;
use crate::plan::{Load, Work};
use crate::reference::Sample;
use crate::time::Instant;

/// Less than this share of what was set is nothing.
const NOTHING: f64 = 0.1;
/// Less than this share of what was set is too little: a limit was reached.
const REACHED: f64 = 0.9;
/// A power may differ by so much from voltage times current before they are not those of one circuit.
const APART: f64 = 0.05;
/// So many samples must say the same.
const SAMPLES: usize = 3;

/// What one sample says of the wiring; none where it is as it should be.
pub(super) fn examine(sample: &Sample, load: Load) -> Option<&'static str> {
    let share = |seen: f64, set: f64| if set == 0.0 { 1.0 } else { seen / set };
    let voltage = share(sample.voltage.volts(), load.voltage_v.volts());
    let current = share(sample.current.amperes(), load.current_a.amperes());
    let product = sample.voltage * sample.current;
    let apart = (sample.power - product).abs() > product.abs() * APART;
    Some(match (voltage, current) {
        (u, i) if u.abs() < NOTHING && i.abs() < NOTHING => {
            "neither voltage nor current reaches the reference: look whether the source's outputs are connected and enabled"
        }
        (_, i) if i.abs() < NOTHING => {
            "the current circuit is open: check its leads, terminals and fuse; a current source at an open circuit stands at its full compliance voltage"
        }
        (u, _) if u.abs() < NOTHING => {
            "no voltage reaches the reference, or it is shorted: look whether the voltage leads are off or sit on the current terminals"
        }
        (u, _) if u < 0.0 => "the voltage leads are reversed: swap them",
        (_, i) if i < 0.0 => "the current leads are reversed: swap them",
        (_, i) if i < REACHED => {
            "the current source has reached its compliance: the current circuit has too much resistance; tighten the terminals, use thicker or shorter leads"
        }
        (u, _) if u < REACHED => {
            "the voltage source has reached its limit: something draws current from the voltage circuit; look whether its leads sit on the current terminals"
        }
        _ if apart => {
            "the reference's power is not its voltage times its current: they are not those of one circuit; look for leads on the wrong terminals"
        }
        _ => return None,
    })
}

impl Run {
    /// What is wrong with the wiring by all of the latest samples, once the ramp of the first step is over.
    pub(super) fn wrong_wiring(&self, now: Instant) -> Option<String> {
        let step = self.step().filter(|step| step.work == Work::Connect)?;
        let hold = self.plan.capability.settle.hold();
        let ramped = self.load_lane.since + step.settle + hold;
        if now < ramped + hold {
            return None;
        }
        let load = self.load_lane.load;
        let samples = self.evidence.track.since(ramped);
        let samples = &samples[samples.len().checked_sub(SAMPLES)?..];
        let last = samples.last()?;
        let wrong = examine(last, load)?;
        samples.iter().all(|s| examine(s, load) == Some(wrong)).then(|| {
            format!(
                "connection: {wrong} ({}, {} and {} were measured where {}, {} are set)",
                last.voltage, last.current, last.power, load.voltage_v, load.current_a
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{Current, Power, Voltage};
    use crate::time::Span;

    fn said(volts: f64, amperes: f64, watts: f64) -> &'static str {
        let sample = Sample {
            taken: Instant::ZERO,
            taken_half_width: Span::ZERO,
            voltage: Voltage::from_volts(volts),
            current: Current::from_amperes(amperes),
            power: Power::from_watts(watts),
            energy: None,
        };
        let load = Load { voltage_v: Voltage::from_volts(50.0), current_a: Current::from_amperes(2.0) };
        examine(&sample, load).unwrap_or("right")
    }

    #[test]
    fn each_fault_of_the_wiring_has_its_own_words() {
        assert_eq!(said(50.1, 2.01, 100.7), "right");
        for (volts, amperes, words) in [
            (0.1, 0.0, "neither voltage nor current"),
            (50.0, 0.01, "current circuit is open"),
            (0.3, 2.0, "no voltage reaches"),
            (-50.0, 2.0, "voltage leads are reversed"),
            (50.0, -2.0, "current leads are reversed"),
            (50.0, 1.2, "reached its compliance"),
            (30.0, 2.0, "voltage source has reached its limit"),
        ] {
            let seen = said(volts, amperes, volts * amperes);
            assert!(seen.contains(words), "{volts} V, {amperes} A: {seen}");
        }
        assert!(said(50.0, 2.0, 60.0).contains("wrong terminals"));
    }
}
