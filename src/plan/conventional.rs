//! How long the same items take one after another, timed by hand, with nothing beside them: what the planning gains.
//!
//! The assumptions are data with their sources, in `assets/conventional.toml`. Nothing of this enters a run.

use super::{Lane, Plan, Step, Work};
use crate::quantity::Energy;
use crate::regulation::Provenance;
use crate::time::Span;
use serde::Deserialize;

/// An assumption file that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{origin}: {what}")]
pub struct Fault {
    origin: String,
    what: String,
}

/// The assumptions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    schema: u32,
    manual_timing: ManualTiming,
    one_after_another: Practice,
    #[serde(default)]
    reported: Vec<Practice>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManualTiming {
    seconds: f64,
    source: String,
    provenance: Provenance,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Practice {
    words: String,
    source: String,
    provenance: Option<Provenance>,
}

impl Practice {
    fn line(&self) -> String {
        let provenance = self.provenance.map_or(String::new(), |p| format!("; {p}"));
        format!("{} [{}{provenance}]", self.words, self.source)
    }
}

/// The comparison: each item's time one after another, their sum, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Conventional {
    /// Title and time of each part.
    pub parts: Vec<(String, Span)>,
    /// Their sum.
    pub total: Span,
    /// The assumptions, each with its source.
    pub assumptions: Vec<String>,
    /// Durations told of real loads; other items and chargers, for orientation only.
    pub reported: Vec<String>,
}

impl Assumptions {
    /// Reads the file; `origin` names it in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let refuse = |what: String| Fault { origin: origin.to_owned(), what };
        let read: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        if read.schema != 1 {
            return Err(refuse(format!("schema {}; this program reads schema 1", read.schema)));
        }
        let seconds = read.manual_timing.seconds;
        if !(seconds > 0.0 && seconds <= 3600.0) {
            return Err(refuse(format!("manual_timing.seconds is {seconds}; allowed is above 0 up to 3600")));
        }
        Ok(read)
    }

    /// Those that come with the program.
    pub fn builtin() -> Result<Self, Fault> {
        Self::from_toml("assets/conventional.toml", include_str!("../../assets/conventional.toml"))
    }

    /// The time that the items of a plan take this way.
    pub fn time(&self, plan: &Plan) -> Conventional {
        let mut parts: Vec<(String, Span)> =
            plan.steps.iter().map(|step| (step.title.clone(), self.step(plan, step))).collect();
        parts.extend(register_run(plan));
        parts.retain(|(_, time)| *time > Span::ZERO);
        let timing = &self.manual_timing;
        let manual = format!(
            "a reading timed by hand takes at least {} s [{}; {}]",
            timing.seconds, timing.source, timing.provenance
        );
        Conventional {
            total: parts.iter().map(|(_, time)| *time).sum(),
            parts,
            assumptions: vec![manual, self.one_after_another.line()],
            reported: self.reported.iter().map(Practice::line).collect(),
        }
    }

    fn step(&self, plan: &Plan, step: &Step) -> Span {
        let hold = plan.capability.settle.hold();
        match &step.work {
            Work::Start(windows) | Work::BasicError(windows) => {
                let mut by_hand = windows.clone();
                if matches!(step.work, Work::BasicError(_)) {
                    by_hand.min_time = windows.min_time.max(Span::from_secs_f64(self.manual_timing.seconds));
                }
                step.settle + hold + windows.pulse_period.half() + by_hand.whole(windows.readings)
            }
            Work::Creep { dwell, .. } => step.settle + *dwell,
            // The register run is counted by itself.
            Work::RegisterEnd => Span::ZERO,
            _ if step.lane == Lane::Data || step.duration > Span::ZERO => step.duration,
            _ => Span::ZERO,
        }
    }
}

/// The meter constant by a run of its own at the highest current, from rest to rest.
fn register_run(plan: &Plan) -> Option<(String, Span)> {
    if plan.register_energy == Energy::ZERO {
        return None;
    }
    let step = plan.steps.iter().find(|step| matches!(step.work, Work::BasicError(_)))?;
    let power = step.load.voltage_v * step.load.current_a;
    let run = Span::from_secs_f64(plan.register_energy.joules() / power.watts());
    let settle = (step.settle + plan.capability.settle.hold()) * 2.0;
    Some(("Meter constant, run by itself".into(), settle + run + plan.capability.exchange))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assumptions_that_come_with_the_program_can_be_read() {
        assert!(Assumptions::builtin().is_ok());
    }

    #[test]
    fn an_assumption_that_cannot_be_is_refused_with_its_place() {
        let text = include_str!("../../assets/conventional.toml");
        let fault = Assumptions::from_toml("x.toml", &text.replace("50.0", "-1.0")).unwrap_err();
        assert!(fault.to_string().contains("x.toml: manual_timing.seconds is -1"), "{fault}");
        assert!(Assumptions::from_toml("x.toml", &text.replace("schema = 1", "schema = 2")).is_err());
    }
}
