//! What a screen may see of a run, and what it may ask of it: plain values, made anew at each look.
//!
//! A look costs what the plan has steps and readings, never what the record has edges.

use super::{Device, Phase, Run, results};
use crate::certificate::record::{Attempt, Outcome};
use crate::plan::{Lane, Load, Step, Work};
use crate::reference::Sample;
use crate::regulation::Item;
use crate::time::{Instant, Span};
use crate::verdict::Verdict;

/// A device that has been silent for so long has lost its contact; a slow one gets three of its own intervals.
const LOST_AFTER: Span = Span::from_secs(1);

/// What a screen may ask of a run under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Source off, then the end of the run.
    Stop {
        /// Who asked, and by what: it stands in the record.
        why: String,
    },
}

/// The state of a run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The moment.
    pub now: Instant,
    /// Number and title of the present step.
    pub step: Option<(usize, String)>,
    /// What is being done there, in a word.
    pub doing: &'static str,
    /// Good readings at this step.
    pub readings: usize,
    /// Since the begin.
    pub elapsed: Span,
    /// Planned until the end.
    pub remaining: Span,
    /// Planned in all.
    pub total: Span,
    /// What the source was last told; nothing when off.
    pub load: Load,
    /// How the source really is.
    pub source: SourceState,
    /// The latest sample.
    pub sample: Option<Sample>,
    /// Pulses that have come.
    pub pulses: usize,
    /// The load is off and the meter signs its record: so much patience is left.
    pub signing_left: Option<Span>,
    /// Since the last of them.
    pub pulse_age: Option<Span>,
    /// A device that is silent although it should speak, and for how long.
    pub lost: Option<(Device, Span)>,
    /// All steps, in the order of their planned begin.
    pub steps: Vec<StepSeen>,
    /// What is known of each error by pulses, in the order of the plan.
    pub errors: Vec<ErrorSeen>,
    /// Observations that are no verdict.
    pub findings: Vec<String>,
    /// How the run has ended.
    pub outcome: Option<Outcome>,
    /// Of a completed run.
    pub verdict: Option<Verdict>,
    /// The run is over, or only the meter's signature is waited for; no current flows, and the reference has seen a voltage
    /// below 60 V: the leads may be taken off.
    pub safe_to_disconnect: bool,
}

/// How the source really is, as far as it was told and the reference has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// Told off; no current and less than 60 V were measured since.
    Off,
    /// On its way to a load.
    Changing,
    /// The load stands.
    On,
    /// Told off; not yet seen to be so.
    GoingOff,
    /// Told off, and that the load is gone was not seen.
    NotSafe,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its time will come.
    Waiting,
    /// At it.
    Active,
    /// Done.
    Done,
    /// The run ended before it was done.
    NotReached,
}

/// A step of the plan and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSeen {
    /// Its number.
    pub no: usize,
    /// The item it serves.
    pub item: Item,
    /// Its title.
    pub title: String,
    /// Where it runs.
    pub lane: Lane,
    /// Planned begin.
    pub start: Span,
    /// Planned duration.
    pub duration: Span,
    /// How far it is.
    pub stage: Stage,
    /// Good readings, where it takes readings.
    pub readings: usize,
    /// Attempts that were spoiled.
    pub spoiled: usize,
}

/// What is known of an error by pulses at a load point. All numbers in percent.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorSeen {
    /// Number of the step.
    pub step: usize,
    /// Start or basic error.
    pub item: Item,
    /// The point as the regulation names it.
    pub term: String,
    /// Its load.
    pub load: Load,
    /// Symmetric limit.
    pub limit: f64,
    /// Readings that are wanted at least.
    pub wanted: u32,
    /// The readings so far.
    pub readings: Vec<f64>,
    /// Their mean, corrected, and its expanded uncertainty; once there are as many readings as are wanted.
    pub mean: Option<(f64, f64)>,
    /// No pulse came where pulses were due: the error lies below this.
    pub below: Option<f64>,
}

impl Run {
    /// The state now.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let lane = &self.load_lane;
        let step = self.step();
        let total = self.plan.total;
        let remaining = match (&lane.phase, step) {
            (Phase::Over(_) | Phase::Signing { .. }, _) | (_, None) => Span::ZERO,
            (_, Some(step)) => {
                let inside = (step.duration - (now - lane.step_began)).max(Span::ZERO);
                total - step.end() + inside
            }
        };
        let outcome = self.outcome().cloned();
        let verdict =
            outcome.as_ref().filter(|o| **o == Outcome::Completed).and_then(|_| self.results().verdict);
        Snapshot {
            now,
            step: step.map(|s| (s.no, s.title.clone())),
            doing: match lane.phase {
                Phase::Setting => "setting",
                Phase::Settling => "settling",
                Phase::Working { .. } => "measuring",
                Phase::Ending { .. } => "switching off",
                Phase::Signing { .. } => "waiting for the meter's signature",
                Phase::Over(_) => "over",
            },
            readings: step.map_or(0, |s| self.evidence.readings(s.no)),
            elapsed: self.ended.unwrap_or(now) - self.began,
            remaining: remaining.max(Span::ZERO),
            total,
            load: lane.load,
            source: self.source_state(),
            sample: self.evidence.track.last().copied(),
            pulses: self.evidence.meter_edges.len() / 2,
            signing_left: self.signing_left(now),
            pulse_age: self.evidence.meter_edges.last().map(|edge| (now - edge.at).max(Span::ZERO)),
            lost: self.lost(now),
            steps: self.steps_seen(now),
            errors: self.errors_seen(),
            findings: self.evidence.findings.clone(),
            outcome,
            verdict,
            safe_to_disconnect: self.is_safe_to_disconnect(),
        }
    }

    fn is_safe_to_disconnect(&self) -> bool {
        let no_load = self.is_over() || matches!(self.load_lane.phase, Phase::Signing { .. });
        no_load && self.evidence.switched_off.is_some_and(|off| off.is_safe())
    }

    fn source_state(&self) -> SourceState {
        match self.load_lane.phase {
            Phase::Setting | Phase::Settling => SourceState::Changing,
            Phase::Working { .. } => SourceState::On,
            Phase::Ending { .. } => SourceState::GoingOff,
            Phase::Signing { .. } | Phase::Over(_) if self.is_safe_to_disconnect() => SourceState::Off,
            Phase::Signing { .. } | Phase::Over(_) => SourceState::NotSafe,
        }
    }

    /// The reference is the one that must speak all the time; the others are watched by their workers.
    fn lost(&self, now: Instant) -> Option<(Device, Span)> {
        let silent = now - self.reference_heard();
        let patience = LOST_AFTER.max(self.plan.capability.sample_interval * 3);
        (!self.is_over() && silent > patience).then_some((Device::Reference, silent))
    }

    fn steps_seen(&self, now: Instant) -> Vec<StepSeen> {
        let lane = &self.load_lane;
        let over = matches!(lane.phase, Phase::Ending { .. } | Phase::Signing { .. } | Phase::Over(_));
        let stage = |index: usize, step: &Step| match step.lane {
            Lane::Load => match lane.steps.iter().position(|i| *i == index) {
                // Done before an interruption, and not gone through again.
                None => Stage::Done,
                Some(place) if place < lane.cursor => Stage::Done,
                Some(place) if place == lane.cursor => match (&lane.phase, &step.work) {
                    (Phase::Over(Outcome::Completed), Work::Discharge) => Stage::Done,
                    (Phase::Ending { .. }, Work::Discharge) => Stage::Active,
                    _ if over => Stage::NotReached,
                    _ => Stage::Active,
                },
                _ if over => Stage::NotReached,
                _ => Stage::Waiting,
            },
            Lane::Data => match self.data_stage(step, now) {
                Stage::Waiting | Stage::Active if over => Stage::NotReached,
                stage => stage,
            },
        };
        let mut steps: Vec<_> = self.plan.steps.iter().enumerate().collect();
        steps.sort_by_key(|(_, step)| (step.start, step.no));
        let seen = |(index, step): (usize, &Step)| StepSeen {
            no: step.no,
            item: step.item,
            title: step.title.clone(),
            lane: step.lane,
            start: step.start,
            duration: step.duration,
            stage: stage(index, step),
            readings: self.evidence.readings(step.no),
            spoiled: self.evidence.spoiled(step.no),
        };
        steps.into_iter().map(seen).collect()
    }

    fn data_stage(&self, step: &Step, now: Instant) -> Stage {
        let begun = self.data_lane.has_begun();
        match step.work {
            Work::Look => Stage::Done,
            Work::DailyRate { .. } if begun && self.daily_rate_done(now) => Stage::Done,
            Work::DailyRate { .. } if begun => Stage::Active,
            _ if self.data_lane.is_busy(step.no) => Stage::Active,
            _ if self.data_lane.is_asked(step.no) => Stage::Done,
            _ => Stage::Waiting,
        }
    }

    fn errors_seen(&self) -> Vec<ErrorSeen> {
        let points = self.plan.steps.iter().filter_map(|step| Some((step, step.work.windows()?)));
        let seen = |(step, windows): (&Step, &crate::plan::Windows)| {
            let attempts = self.evidence.attempts.get(&step.no).map(Vec::as_slice).unwrap_or_default();
            let readings = attempts.iter().filter_map(|attempt| match attempt {
                Attempt::Reading(reading) => Some(reading.error.percent()),
                _ => None,
            });
            let below = attempts.iter().find_map(|attempt| match attempt {
                Attempt::Silent { bound, .. } => Some(bound.percent()),
                _ => None,
            });
            ErrorSeen {
                step: step.no,
                item: step.item,
                term: windows.term.clone(),
                load: step.load,
                limit: windows.limit.percent(),
                wanted: windows.readings,
                readings: readings.collect(),
                mean: results::so_far(&self.plan, &self.evidence, self.started, step, windows),
                below,
            }
        };
        points.map(seen).collect()
    }
}
