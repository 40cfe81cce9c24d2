//! A run that was interrupted and is taken up again: the interrupted point is repeated whole, and what must be known anew
//! is asked anew.
//!
//! The bench may have been taken apart meanwhile. So the connection is checked again, the input heard, the warm-up waited
//! for, and the meter asked who it is; another meter ends the run. The register is read at rest again, and moved again where
//! the meter constant is wanted: no pulse was counted in between. Silence that nothing was heard after is no evidence, and
//! its step is repeated too. What was done before stays.

use super::load_lane::{Phase, SPOILED_MAX};
use super::{Action, Interruption, Run};
use crate::certificate::record::{Attempt, Outcome, PulseReading};
use crate::meter::{Answer, Query, Reading};
use crate::plan::{Load, Step, Work};
use crate::quantity::Energy;
use crate::source::SwitchedOff;
use crate::time::Instant;

/// By these a meter is known again.
const NAMES: [Query; 2] = [Query::Address, Query::MeterNumber];

impl Run {
    /// Takes the run up again, or closes it. `before`: the last moment of which the run was told anything.
    pub(super) fn handle_interrupted(&mut self, before: Instant, now: Instant, told: &Interruption) {
        self.actions.clear();
        let at = self.step().map_or("its end".to_owned(), |step| format!("`{}`", step.title));
        let words = format!(
            "interrupted at {at}: {}; the last that was kept is of {}, and it went on at {}",
            told.why, told.last, told.again
        );
        self.evidence.interrupt(before, now, told.again, &words);
        if let Some(why) = &told.closed {
            let why = format!("interrupted at {at}: {}; {why}", told.why);
            return self.close(now, &told.last.to_string(), why);
        }
        self.evidence.note(words.clone());
        match self.load_lane.phase.clone() {
            Phase::Ending { outcome, .. } => {
                // Off was decided. Whether it came is looked for again; who sees no voltage now has not seen it go.
                self.actions.push_back(Action::SourceOff);
                self.evidence.switched_off =
                    Some(SwitchedOff { unwitnessed: true, ..SwitchedOff::begin(now) });
                self.transaction_goes_on(now);
                return self.enter(now, Phase::Ending { outcome, since: now, off: false });
            }
            Phase::Signing { .. } => {
                // Off was seen, and no load was set since.
                self.actions.push_back(Action::SourceOff);
                return self.transaction_goes_on(now);
            }
            _ => {}
        }
        self.know_the_meter();
        if self.seconds_complete() {
            self.evidence.seconds_closed = true;
        } else {
            self.evidence.seconds_edges.clear();
            // A meter that was without supply meanwhile does not give them any more: it is told again.
            self.evidence.switched = None;
        }
        let Some(present) = self.interrupted_step() else { return self.end(now, Outcome::Completed) };
        if self.load_lane.cursor >= self.load_lane.again {
            self.spoil_interrupted(before, present, &words);
        }
        let no = self.plan.steps[present].no;
        if self.evidence.spoiled(no) > SPOILED_MAX {
            let title = &self.plan.steps[present].title;
            let why =
                format!("{title}: no sound window in {} attempts; the last was {words}", SPOILED_MAX + 1);
            return self.end(now, Outcome::Faulted { why });
        }
        let target = self.unheard_silence().map_or(present, |silent| silent.min(present));
        self.forget_answers(no);
        self.data_lane.begin_again();
        self.transaction_again();
        self.go_back_to(target);
        self.begin_step(now);
    }

    /// Ends a run that nobody goes on with. No device is there to be asked, so nothing is known of the load.
    fn close(&mut self, now: Instant, last: &str, why: String) {
        self.leave_transaction_unasked();
        if let Phase::Signing { outcome } = self.load_lane.phase.clone() {
            // All was measured and off was seen: who ends the waiting for a signature ends no run.
            return self.finish(now, outcome);
        }
        self.evidence.note(format!(
            "that the load went away was not seen: the last that was kept is of {last}, when the run was interrupted"
        ));
        let outcome = match self.load_lane.phase.clone() {
            Phase::Ending { outcome, .. } if outcome != Outcome::Completed => outcome,
            _ => Outcome::Aborted { why },
        };
        self.load_lane.load = Load::OFF;
        self.finish(now, outcome);
    }

    /// Index in the plan of the step at which the run was, or to which it was on its way back.
    fn interrupted_step(&self) -> Option<usize> {
        let lane = &self.load_lane;
        lane.steps.get(lane.cursor.max(lane.again)).copied()
    }

    /// The point is repeated whole: its good readings count no more. What they said stays beside the reason, so that no
    /// bad reading can be got rid of by pulling the plug.
    fn spoil_interrupted(&mut self, before: Instant, present: usize, words: &str) {
        let step = &self.plan.steps[present];
        if step.work.windows().is_none() {
            return;
        }
        let (from, working) = (self.load_lane.since, matches!(self.load_lane.phase, Phase::Working { .. }));
        let attempts = self.evidence.attempts.entry(step.no).or_default();
        let is_reading = |attempt: &Attempt| matches!(attempt, Attempt::Reading(_));
        let (readings, mut kept): (Vec<_>, Vec<_>) = attempts.drain(..).partition(is_reading);
        let readings: Vec<PulseReading> = readings
            .into_iter()
            .filter_map(|attempt| if let Attempt::Reading(reading) = attempt { Some(reading) } else { None })
            .collect();
        let said: Vec<String> = readings.iter().map(|r| format!("{:+.3} %", r.error.percent())).collect();
        let worst = readings.iter().map(|r| r.error).max_by(|a, b| {
            let size = |error: &crate::quantity::Ratio| error.fraction().abs();
            size(a).total_cmp(&size(b))
        });
        let why = if said.is_empty() {
            words.to_owned()
        } else {
            format!("{words}; {} good readings before it do not count: {}", said.len(), said.join(", "))
        };
        let from = readings.first().map_or(from, |reading| reading.window.opened);
        if working || worst.is_some() {
            kept.push(Attempt::Spoiled { from, to: before, why, error: worst });
        }
        *attempts = kept;
        self.evidence.opinions.remove(&step.no);
    }

    /// Silence after which nothing was heard in the same sitting is taken back: the head may have come off. Gives the
    /// first step of which that is so, as its index in the plan.
    fn unheard_silence(&mut self) -> Option<usize> {
        let heard = self.evidence.meter_edges.iter().rev().find(|edge| edge.rising).map(|edge| edge.at);
        let unheard = |to: Instant| heard.is_none_or(|heard| heard <= to);
        let mut silent = vec![];
        let plan = std::sync::Arc::clone(&self.plan);
        if self.evidence.creep.is_some_and(|(_, to)| unheard(to)) {
            self.evidence.creep = None;
            silent.extend(plan.steps.iter().position(|step| matches!(step.work, Work::Creep { .. })));
        }
        for (index, step) in plan.steps.iter().enumerate() {
            let Some(attempts) = self.evidence.attempts.get_mut(&step.no) else { continue };
            let before = attempts.len();
            attempts.retain(|attempt| !matches!(attempt, Attempt::Silent { to, .. } if unheard(*to)));
            silent.extend((attempts.len() < before).then_some(index));
        }
        silent.into_iter().min()
    }

    /// The way back: what must be known anew, then everything from `target` on.
    fn go_back_to(&mut self, target: usize) {
        let at_rest = |step: &Step| matches!(step.work, Work::RegisterStart | Work::SignedRecord { .. });
        let register = self.plan.steps.iter().any(at_rest);
        let first = |step: &Step| match &step.work {
            Work::Connect | Work::Hear { .. } | Work::WarmUp { .. } => true,
            Work::Rest | Work::Creep { .. } => register,
            Work::BasicError(windows) => register && windows.register_energy > Energy::ZERO,
            _ => false,
        };
        let lane = crate::plan::Lane::Load;
        let steps = || self.plan.steps.iter().enumerate().filter(|(_, step)| step.lane == lane);
        let again: Vec<usize> =
            steps().filter(|(index, step)| *index < target && first(step)).map(|(index, _)| index).collect();
        let rest: Vec<usize> = steps().map(|(index, _)| index).filter(|index| *index >= target).collect();
        self.load_lane.again = again.len();
        self.load_lane.steps = [again, rest].concat();
        self.load_lane.cursor = 0;
    }

    /// Answers that belong to a load point that is done stay; all others are asked for again.
    fn forget_answers(&mut self, interrupted: usize) {
        let plan = std::sync::Arc::clone(&self.plan);
        self.evidence.answers.retain(|answered| {
            let step = plan.steps.iter().find(|step| step.no == answered.step);
            step.is_some_and(|step| match step.work {
                Work::BasicError(_) => step.no != interrupted,
                Work::CrossCheck { during } => during != interrupted,
                _ => false,
            })
        });
    }

    /// Remembers who the meter said it was, the first time.
    fn know_the_meter(&mut self) {
        let identify = self.plan.steps.iter().find(|step| step.work == Work::Identify).map(|step| step.no);
        let Some(no) = identify else { return };
        for query in NAMES {
            let known = self.evidence.known_as.iter().any(|(known, _)| *known == query);
            if let (false, Some(Answer { reading: Reading::Value(name), .. })) =
                (known, self.evidence.answer(no, query))
            {
                let name = name.to_string();
                self.evidence.known_as.push((query, name));
            }
        }
    }

    /// What is wrong with an answer that says who the meter is, where it was interrupted and was another before.
    pub(super) fn other_meter(&self, answer: &Answer) -> Option<String> {
        let (_, was) = self.evidence.known_as.iter().find(|(query, _)| *query == answer.query)?;
        let is = match &answer.reading {
            Reading::Value(name) if name.to_string() == *was => return None,
            Reading::Value(name) => format!("it is {name}"),
            Reading::Absent(why) => format!("nothing: {why}"),
        };
        Some(format!(
            "the meter is another than before the interruption: asked for its {} it said {was} then, and now {is}. One run verifies one meter: begin a new run for this one",
            answer.query
        ))
    }

    /// Who the meter said it was: what must be the same where the run is taken up again.
    pub fn meter_known_as(&self) -> Vec<(Query, String)> {
        let mut copy = self.clone();
        copy.know_the_meter();
        copy.evidence.known_as
    }

    /// All that came in so far.
    pub fn log(&self) -> &[super::Logged] {
        &self.log
    }

    /// Changes whenever a step, an attempt or the end of the run is reached: what a screen shows as done.
    pub fn milestone(&self) -> (usize, usize, bool) {
        let no = self.step().map_or(0, |step| step.no);
        (self.load_lane.cursor, self.evidence.attempts.get(&no).map_or(0, Vec::len), self.is_over())
    }

    /// Date and hour of the begin.
    pub fn started(&self) -> crate::time::Stamp {
        self.started
    }

    /// When the engine was last told something.
    pub fn told_at(&self) -> Instant {
        self.now
    }

    /// Whether off has been decided, whatever comes of it.
    pub fn is_ending(&self) -> bool {
        self.load_lane.phase.is_leaving()
    }
}
