//! The load lane: one load after another. Set, settle, work, next; and the one way out, which is off.

use super::windows::Scan;
use super::{Action, Device, Run};
use crate::certificate::record::{Attempt, Outcome};
use crate::plan::{Lane, Load, Plan, Step, Work};
use crate::pulse::Input;
use crate::time::{self, Instant, Span};

/// A device that has not taken a command over in this time does not work.
const COMMAND_TIME: Span = Span::from_secs(10);
/// A spoiled attempt is repeated; after so many at one step the bench is not fit to measure.
pub(super) const SPOILED_MAX: usize = 3;
/// Beside three times its planned duration, a step may take so much longer.
const STEP_SLACK: Span = Span::from_secs(120);

/// What the load lane is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// The source was told and has not said yes.
    Setting,
    /// Waiting for the source-stable gate.
    Settling,
    /// At work since.
    Working {
        /// When the gate opened.
        since: Instant,
    },
    /// Source off, waiting for the terminals.
    Ending {
        /// How the run ends.
        outcome: Outcome,
        /// Since when.
        since: Instant,
        /// The source has said that it is off.
        off: bool,
    },
    /// Off, and seen to be safe; what is still waited for is the meter's transaction.
    Signing {
        /// How the run ends.
        outcome: Outcome,
    },
    /// Over.
    Over(Outcome),
}

impl Phase {
    /// On the way out, or there: no load comes any more.
    pub fn is_leaving(&self) -> bool {
        matches!(self, Self::Ending { .. } | Self::Signing { .. } | Self::Over(_))
    }
}

/// The lane's state.
#[derive(Debug, Clone)]
pub(super) struct LoadLane {
    /// Indices of the lane's steps in the plan.
    pub steps: Vec<usize>,
    /// Which of them.
    pub cursor: usize,
    /// What it does there.
    pub phase: Phase,
    /// Since when the phase lasts.
    pub since: Instant,
    /// The load last sent, [`Load::OFF`] before the first.
    pub load: Load,
    /// Progress through the windows of the present step.
    pub scan: Scan,
    /// When the present step began, for the countdown.
    pub step_began: Instant,
    /// So many of the first steps are gone through again after an interruption, before the interrupted one.
    pub again: usize,
}

impl LoadLane {
    pub fn new(plan: &Plan, now: Instant) -> Self {
        let steps =
            plan.steps.iter().enumerate().filter(|(_, s)| s.lane == Lane::Load).map(|(i, _)| i).collect();
        Self {
            steps,
            cursor: 0,
            phase: Phase::Setting,
            since: now,
            load: Load::OFF,
            scan: Scan::default(),
            step_began: now,
            again: 0,
        }
    }

    /// Index of the present step in the plan.
    pub fn step_index(&self) -> Option<usize> {
        self.steps.get(self.cursor).copied()
    }

    pub fn handle_source_set(&mut self, load: Load) {
        if self.phase == Phase::Setting && load == self.load {
            self.phase = Phase::Settling;
        }
    }

    pub fn handle_source_off(&mut self) {
        if let Phase::Ending { off, .. } = &mut self.phase {
            *off = true;
        }
    }
}

impl Run {
    /// The present step of the load lane.
    pub(super) fn step(&self) -> Option<&Step> {
        self.load_lane.step_index().map(|index| &self.plan.steps[index])
    }

    pub(super) fn enter(&mut self, now: Instant, phase: Phase) {
        self.load_lane.phase = phase;
        self.load_lane.since = now;
    }

    /// Begins the present step: sends its load, or ends the run at the last one.
    pub(super) fn begin_step(&mut self, now: Instant) {
        let Some(step) = self.step() else { return self.end(now, Outcome::Completed) };
        if step.work == Work::Discharge {
            return self.end(now, Outcome::Completed);
        }
        let load = step.load;
        self.load_lane.load = load;
        self.load_lane.scan = Scan::default();
        self.load_lane.step_began = now;
        self.actions.push_back(Action::SetSource(load));
        self.enter(now, Phase::Setting);
    }

    pub(super) fn next_step(&mut self, now: Instant) {
        self.load_lane.cursor += 1;
        self.begin_step(now);
    }

    pub(super) fn handle_fault(&mut self, now: Instant, device: Device, what: &str) {
        let why = format!("{device}: {what}");
        if let Phase::Ending { .. } | Phase::Signing { .. } = self.load_lane.phase {
            // The run is already on its way out; how it ends is decided.
            self.evidence.note(format!("after the source was sent off, {why}"));
        } else {
            self.end(now, Outcome::Faulted { why });
        }
    }

    pub(super) fn handle_lost(&mut self, now: Instant, input: Input, what: &str) {
        let counter = if input == Input::Reference { "reference pulses" } else { "pulse counter" };
        self.evidence.note(format!("{counter}: {what}"));
        self.evidence.push_lost(now, input, what);
        if input != Input::Seconds {
            let from = self.load_lane.since;
            self.spoil(now, from, format!("{counter}: {what}"));
        }
    }

    /// Keeps the attempt with its reason and goes back to the gate; too often, and the bench is not fit.
    pub(super) fn spoil(&mut self, now: Instant, from: Instant, why: String) {
        let Phase::Working { .. } = self.load_lane.phase else { return };
        let Some(step) = self.step() else { return };
        let no = step.no;
        self.evidence.attempts.entry(no).or_default().push(Attempt::Spoiled {
            from,
            to: now,
            why,
            error: None,
        });
        self.repeat(now);
    }

    /// Goes back to the gate after a spoiled attempt; too often, and the bench is not fit.
    pub(super) fn repeat(&mut self, now: Instant) {
        let Some(step) = self.step() else { return };
        let (no, title) = (step.no, step.title.clone());
        if self.evidence.spoiled(no) > SPOILED_MAX {
            let why = self.evidence.last_spoiled(no);
            let why = format!(
                "{title}: no sound window in {} attempts; the last was spoiled: {why}",
                SPOILED_MAX + 1
            );
            return self.end(now, Outcome::Faulted { why });
        }
        self.load_lane.scan = Scan::default();
        self.enter(now, Phase::Settling);
    }

    /// When the load lane wants to be woken.
    pub(super) fn load_deadline(&self) -> Option<Instant> {
        let lane = &self.load_lane;
        let settle = &self.plan.capability.settle;
        let step = self.step();
        let phase_deadline = match &lane.phase {
            Phase::Setting => Some(lane.since + COMMAND_TIME),
            Phase::Settling => {
                // A slow source gets the time that its slew rate asks for, and its time limit on top.
                let ramp = step.map_or(Span::ZERO, |s| s.settle);
                Some(lane.since + ramp + Span::from_secs_f64(settle.timeout_secs))
            }
            Phase::Working { since } => match step.map(|s| &s.work) {
                Some(Work::Creep { dwell, .. } | Work::WarmUp { dwell }) => Some(*since + *dwell),
                Some(Work::Start(windows) | Work::BasicError(windows)) => self.windows_deadline(windows),
                Some(Work::Hear { give_up }) => Some(*since + *give_up),
                _ => None,
            },
            Phase::Ending { since, .. } => Some(self.ending_deadline(*since)),
            Phase::Signing { .. } | Phase::Over(_) => None,
        };
        let silence = match lane.phase {
            _ if lane.phase.is_leaving() => None,
            _ => Some(self.reference_heard() + COMMAND_TIME),
        };
        let step_end = match lane.phase {
            _ if lane.phase.is_leaving() => None,
            _ => self.step_time_limit(),
        };
        // What was due when the engine was last told the time has been seen to; it must not wake it for ever.
        let due = [phase_deadline, silence, step_end, self.data_deadline(), self.signing_deadline()];
        time::earliest(&due.map(|due| due.filter(|due| *due > self.now)))
    }

    /// Moves on as far as what has come in allows.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.reference_is_silent(now) {
            let what = format!("no sample for {COMMAND_TIME}");
            return self.handle_fault(now, Device::Reference, &what);
        }
        let late = self.step_time_limit().is_some_and(|limit| now >= limit);
        if late && !self.load_lane.phase.is_leaving() {
            let title = self.step().map_or(String::new(), |s| s.title.clone());
            let why = format!("{title}: it does not come to an end; the load must not stay on for ever");
            return self.end(now, Outcome::Faulted { why });
        }
        self.advance_data(now);
        self.advance_signing(now);
        // Bounded: each turn leaves a phase or a step behind.
        for _ in 0..self.load_lane.steps.len() * 4 + 4 {
            if !self.advance_once(now) {
                break;
            }
        }
    }

    /// No step may hold its load for ever, whatever the devices do: three times its plan and room for repetitions.
    fn step_time_limit(&self) -> Option<Instant> {
        let data = self.data_lane_end().max(self.transaction_end_limit()).unwrap_or(Instant::ZERO);
        self.step().map(|step| (self.load_lane.step_began + step.duration * 3).max(data) + STEP_SLACK)
    }

    /// When the run began, or was last taken up again.
    pub(super) fn sat_down(&self) -> Instant {
        self.evidence.again.map_or(self.began, |(at, _)| at)
    }

    /// When the reference was heard last; it cannot have been before the run began or was taken up again.
    pub(super) fn reference_heard(&self) -> Instant {
        let since = self.sat_down();
        self.evidence.track.last().map_or(since, |sample| sample.taken.max(since))
    }

    fn reference_is_silent(&self, now: Instant) -> bool {
        !self.load_lane.phase.is_leaving() && now >= self.reference_heard() + COMMAND_TIME
    }

    fn advance_once(&mut self, now: Instant) -> bool {
        let waited = now - self.load_lane.since;
        match &self.load_lane.phase {
            Phase::Setting if waited >= COMMAND_TIME => {
                let load = self.load_lane.load;
                let what =
                    format!("did not take over {}, {} within {COMMAND_TIME}", load.voltage_v, load.current_a);
                self.handle_fault(now, Device::Source, &what);
                true
            }
            Phase::Settling => self.settle(now),
            Phase::Working { since } => self.work(now, *since),
            Phase::Ending { outcome, since, off } => self.discharge(now, outcome.clone(), *since, *off),
            Phase::Signing { outcome } if !self.is_signing() => {
                self.finish(now, outcome.clone());
                true
            }
            Phase::Setting | Phase::Signing { .. } | Phase::Over(_) => false,
        }
    }

    fn settle(&mut self, now: Instant) -> bool {
        let bench = &self.plan.capability;
        let steady =
            self.evidence.track.steady_since(self.load_lane.load, &bench.settle, bench.sample_age_max);
        let hold = Span::from_secs_f64(bench.settle.hold_secs);
        // The hold counts from the setting at the earliest: samples of the load before do not speak for this one.
        let from = steady.map(|since| since.max(self.load_lane.since));
        let last = self.evidence.track.last().map(|s| s.taken);
        if let (Some(from), Some(last)) = (from, last)
            && last - from >= hold
        {
            self.enter(now, Phase::Working { since: now });
            self.arm(now, from);
            self.begin_work();
            return true;
        }
        if let Some(why) = self.wrong_wiring(now) {
            self.end(now, Outcome::Faulted { why });
            return true;
        }
        let ramp = self.step().map_or(Span::ZERO, |s| s.settle);
        if now - self.load_lane.since >= ramp + Span::from_secs_f64(bench.settle.timeout_secs) {
            let load = self.load_lane.load;
            let seen = self.evidence.track.last();
            let seen = seen.map_or("nothing".to_owned(), |s| format!("{}, {}", s.voltage, s.current));
            let what = format!(
                "set to {}, {} it does not stay in its band ({seen} was measured last): voltage or current circuit open, compliance reached, or it drifts. Check the leads",
                load.voltage_v, load.current_a
            );
            self.handle_fault(now, Device::Source, &what);
            return true;
        }
        false
    }
}
