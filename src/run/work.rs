//! What is done at the steps of the load lane once the load stands: connection, pulse input, creep, register at rest.

use super::load_lane::Phase;
use super::{Action, Run};
use crate::certificate::record::Outcome;
use crate::meter::{Query, Reading, Value};
use crate::plan::{Step, Work};
use crate::time::{Instant, Span};

impl Run {
    /// What begins with the work of a step.
    pub(super) fn begin_work(&mut self) {
        let Some(step) = self.step() else { return };
        let (no, work) = (step.no, step.work.clone());
        let reads = self.plan.nameplate.data_output.is_some();
        match work {
            Work::Connect if reads => {
                self.data_lane.ask_first(no, &[Query::Voltage, Query::Current]);
            }
            Work::RegisterEnd => self.data_lane.ask_first(no, &[Query::Energy]),
            Work::BasicError(_) => {
                self.ask_opinion(no);
                let plan = std::sync::Arc::clone(&self.plan);
                let crosses = |s: &&Step| matches!(s.work, Work::CrossCheck { during } if during == no);
                if let Some(cross) = plan.steps.iter().find(crosses) {
                    self.data_lane.ask_once(cross.no, &[Query::Voltage, Query::Current, Query::Power]);
                } else if reads {
                    // Whether the meter's own power follows a change of load is seen at another load.
                    self.data_lane.ask_once(no, &[Query::Power]);
                }
                if reads {
                    // In what steps the register moves is seen in many readings.
                    self.data_lane.ask_also(no, Query::Energy);
                }
            }
            _ => {}
        }
    }

    /// A second opinion, where the bench has another error calculator: as many readings as fit beside ours.
    fn ask_opinion(&mut self, no: usize) {
        let Some(other) = &self.plan.capability.second_opinion else { return };
        let Some(Step { work: Work::BasicError(windows), .. }) = self.plan.steps.iter().find(|s| s.no == no)
        else {
            return;
        };
        // The first window opened with the last edge of the load before, or when this one was first in its band: a part of
        // the point's time is over.
        let hold = Span::from_secs_f64(self.plan.capability.settle.hold_secs);
        let gone = if windows.opens_before { self.now - self.load_lane.step_began } else { hold };
        let count = other.readings_in(windows.min_time * f64::from(windows.readings) - gone);
        self.actions.push_back(Action::AskOpinion { count });
    }

    pub(super) fn work(&mut self, now: Instant, since: Instant) -> bool {
        // The plan is held beside the run, so that no step is copied for every event.
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(step) = self.load_lane.step_index().map(|index| &plan.steps[index]) else { return false };
        let left_band = self.evidence.track.last().is_some_and(|sample| {
            sample.taken >= since
                && !crate::reference::in_band(sample, self.load_lane.load, &self.plan.capability.settle)
        });
        if left_band {
            let seen =
                self.evidence.track.last().map_or(String::new(), |s| format!("{}, {}", s.voltage, s.current));
            self.spoil(
                now,
                since,
                format!(
                    "the source left its band: {seen} at {}, {}",
                    step.load.voltage_v, step.load.current_a
                ),
            );
            return true;
        }
        let done = match &step.work {
            Work::Connect => self.connect(now, step),
            Work::WarmUp { dwell } => now >= since + *dwell,
            Work::Hear { give_up } => self.hear(now, since, *give_up),
            Work::Creep { dwell, .. } => self.creep(now, step, since, *dwell),
            Work::Rest => self.register_start(now) && self.transaction_begun(now),
            Work::Start(windows) | Work::BasicError(windows) => self.windows(now, step, windows),
            Work::RegisterEnd => {
                self.evidence.answer(step.no, Query::Energy).is_some() && self.transaction_ended(now)
            }
            _ => true,
        };
        // The next load must not cut off what runs beside: the register at rest, and all before the end.
        if done && matches!(self.load_lane.phase, Phase::Working { .. }) && self.may_leave(now) {
            self.next_step(now);
            return true;
        }
        // A fault or a spoiled window has moved the phase on.
        self.load_lane.phase != (Phase::Working { since })
    }

    /// Before the register is read at the end, and before the source goes off, the data lane must be done.
    fn may_leave(&self, now: Instant) -> bool {
        let next = self.load_lane.steps.get(self.load_lane.cursor + 1).map(|i| &self.plan.steps[*i].work);
        match next {
            Some(Work::RegisterEnd | Work::Discharge) => {
                self.data_lane.is_idle() && self.daily_rate_done(now)
            }
            _ => true,
        }
    }

    fn connect(&mut self, now: Instant, step: &Step) -> bool {
        if self.plan.nameplate.data_output.is_none() {
            return true;
        }
        let (voltage, current) =
            (self.evidence.answer(step.no, Query::Voltage), self.evidence.answer(step.no, Query::Current));
        let (Some(voltage), Some(current)) = (voltage, current) else { return false };
        let number = |reading: &Reading| match reading {
            Reading::Value(Value::Number(number, _)) => rust_decimal::prelude::ToPrimitive::to_f64(number),
            _ => None,
        };
        let seen = [
            ("voltage", number(&voltage.reading), step.load.voltage_v.volts()),
            ("current", number(&current.reading), step.load.current_a.amperes()),
        ];
        let wrong = seen.iter().find_map(|(what, seen, set)| wrong_connection(what, (*seen)?, *set));
        for (what, ..) in seen.iter().filter(|(_, seen, _)| seen.is_none()) {
            self.evidence.note(format!(
                "the meter gives no {what}: its connection was not checked on the meter's side"
            ));
        }
        if let Some(wrong) = wrong {
            self.end(now, Outcome::Faulted { why: wrong });
        }
        true
    }

    /// The pulse input must be heard before silence on it is judged.
    fn hear(&mut self, now: Instant, since: Instant, give_up: Span) -> bool {
        let heard = self.evidence.edges_between(since, now).iter().any(|e| e.rising);
        if !heard && now >= since + give_up {
            let why = format!(
                "pulse counter: no pulse in {give_up} although the load is on. Put the head on the meter's pulse output, check the lead; if the display counts no energy either, the meter is dead"
            );
            self.end(now, Outcome::Faulted { why });
        }
        heard
    }

    fn creep(&mut self, now: Instant, step: &Step, since: Instant, dwell: Span) -> bool {
        let end = since + dwell;
        if self.evidence.creep.is_none() {
            if !self.evidence.track.covers(end) {
                return false;
            }
            let bench = &self.plan.capability;
            if let Err(unsteady) =
                self.evidence.track.steady(since, end, step.load, &bench.settle, bench.sample_age_max)
            {
                self.spoil(now, since, unsteady.to_string());
                return false;
            }
            self.evidence.creep = Some((since, end));
        }
        self.register_start(now) && self.transaction_begun(now)
    }

    /// Asks for the register at rest once all else is read; done when it has come or is not wanted.
    fn register_start(&mut self, now: Instant) -> bool {
        let start = self.plan.steps.iter().find(|s| s.work == Work::RegisterStart).map(|s| s.no);
        let Some(no) = start else { return true };
        if self.data_lane.is_idle() && self.evidence.answer(no, Query::Energy).is_none() {
            self.data_lane.ask_once(no, &[Query::Energy]);
            self.poll_data(now);
        }
        self.evidence.answer(no, Query::Energy).is_some()
    }
}

/// What a wrong connection looks like on the meter's own display of U or I; half and double are far beyond any class.
fn wrong_connection(what: &str, seen: f64, set: f64) -> Option<String> {
    let ratio = seen / set;
    let advice = if ratio < -0.5 {
        "the leads are reversed: swap them"
    } else if ratio.abs() < 0.5 {
        "the circuit is open or on the wrong terminal: check the leads"
    } else if ratio > 2.0 {
        "another source feeds the meter, or the nameplate is another's: disconnect and look"
    } else {
        return None;
    };
    Some(format!("connection: the meter shows a {what} of {seen} where {set} is set; {advice}"))
}
