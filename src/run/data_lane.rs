//! The data lane: questions to the meter's data output, one at a time, beside the loads.

use super::evidence::Answered;
use super::{Action, Device, Run};
use crate::certificate::record::Outcome;
use crate::meter::output::Switched;
use crate::meter::{Answer, Query, Reading, Value};
use crate::plan::{Lane, Plan, Step, Work};
use crate::time::{self, Instant, Span};
use std::collections::{BTreeSet, VecDeque};

/// An answer that takes longer does not come; the driver below gives up long before.
const ANSWER_TIME: Span = Span::from_secs(30);
/// Seconds pulses that come of themselves have been heard by then: a meter whose output gives them is told nothing.
const SECONDS_HEARD: Span = Span::from_secs(3);
/// Tariff registers that DL/T 645 has; they are asked upward until one is not there.
const TARIFFS: u8 = 63;

/// Questions to be asked.
#[derive(Debug, Clone, Default)]
pub(super) struct DataLane {
    queue: VecDeque<(usize, Query)>,
    /// Those that are put when there is no other, and that nobody waits for.
    spare: VecDeque<(usize, Query)>,
    /// The one on the way, and since when.
    out: Option<(usize, Query, Instant)>,
    asked: BTreeSet<usize>,
    /// The reads that need no load have been queued, at this moment.
    begun: Option<Instant>,
    /// Since when the meter has been told to give its seconds pulse.
    switching: Option<Instant>,
    /// Length and number of the readings of the daily rate, where one is planned.
    rate: Option<(Span, u32)>,
    /// The step whose questions nobody waits for.
    spared: Option<usize>,
}

impl DataLane {
    pub fn new(plan: &Plan) -> Self {
        let rate = plan.steps.iter().find_map(|s| match s.work {
            Work::DailyRate { reading, readings, .. } => Some((reading, readings)),
            _ => None,
        });
        let spared = plan.steps.iter().find(|step| step.work == Work::EnergyLog).map(|step| step.no);
        Self { rate, spared, ..Self::default() }
    }

    /// Puts questions before all others.
    pub fn ask_first(&mut self, step: usize, queries: &[Query]) {
        for query in queries.iter().rev() {
            self.queue.push_front((step, *query));
        }
    }

    /// Puts the questions of a step behind the others, once.
    pub fn ask_once(&mut self, step: usize, queries: &[Query]) {
        if self.asked.insert(step) {
            let queue = if self.spared == Some(step) { &mut self.spare } else { &mut self.queue };
            queue.extend(queries.iter().map(|query| (step, *query)));
        }
    }

    /// Puts one more question of a step behind the others.
    pub fn ask_also(&mut self, step: usize, query: Query) {
        self.queue.push_back((step, query));
    }

    /// What is to be asked is asked anew once the connection is known to be right.
    pub fn begin_again(&mut self) {
        *self = Self { rate: self.rate, spared: self.spared, ..Self::default() };
    }

    /// Nothing to ask and nothing on the way that anybody waits for.
    pub fn is_idle(&self) -> bool {
        let waited_for = self.out.filter(|(step, ..)| self.spared != Some(*step));
        self.queue.is_empty() && waited_for.is_none() && self.switching.is_none()
    }

    /// Asks for nothing more of the series of this question: behind the first that is not there is none.
    fn give_up(&mut self, query: Query) {
        for queue in [&mut self.queue, &mut self.spare] {
            queue.retain(|(_, waiting)| !query.is_series_of(*waiting));
        }
    }

    /// The reads that need no load are under way or done.
    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// A question of this step waits or is on its way.
    pub fn is_busy(&self, step: usize) -> bool {
        self.queue.iter().chain(&self.spare).any(|(no, _)| *no == step)
            || self.out.is_some_and(|(no, ..)| no == step)
    }

    /// The questions of this step were put.
    pub fn is_asked(&self, step: usize) -> bool {
        self.asked.contains(&step)
    }
}

impl Run {
    pub(super) fn handle_answer(&mut self, now: Instant, answer: Answer) {
        if let Some(other) = self.other_meter(&answer) {
            return self.end(now, Outcome::Faulted { why: other });
        }
        match self.data_lane.out {
            Some((step, query, _)) if query == answer.query => {
                self.data_lane.out = None;
                if matches!(answer.reading, Reading::Absent(_)) {
                    self.data_lane.give_up(query);
                }
                if nothing_of_it(&answer)
                    && let Some(last) = super::results::last_of(query)
                    && self.step_numbered(step).is_some_and(|step| step.work == Work::SealRecords)
                {
                    // What never was has no last time.
                    self.data_lane.queue.retain(|queued| *queued != (step, last));
                }
                let answer = self.settled(answer);
                self.evidence.answers.push(Answered { step, answer });
            }
            _ => self
                .evidence
                .findings
                .push(format!("an answer to `{}` came that was not asked for", answer.query)),
        }
    }

    pub(super) fn handle_switched(&mut self, switched: Switched) {
        if self.data_lane.switching.take().is_none() {
            let what = "the meter's output was switched, and nobody had asked for it".to_owned();
            return self.evidence.note(what);
        }
        self.evidence.switched = Some(switched);
    }

    fn step_numbered(&self, no: usize) -> Option<&Step> {
        self.plan.steps.iter().find(|step| step.no == no)
    }

    /// When the meter is to be told to give its seconds pulse, unless one comes of itself until then; `None` where it is not
    /// to be told, or has been.
    fn switch_due(&self) -> Option<Instant> {
        let told = self.data_lane.switching.is_some() || self.evidence.switched.is_some();
        let begun = self.data_lane.begun.filter(|_| !told && self.evidence.seconds_edges.is_empty())?;
        // Asked at every event: the plan is looked through only where it matters.
        let planned =
            self.plan.steps.iter().any(|step| matches!(step.work, Work::DailyRate { switch: true, .. }));
        planned.then(|| begun.max(self.sat_down() + SECONDS_HEARD))
    }

    pub(super) fn data_deadline(&self) -> Option<Instant> {
        let asked = self.data_lane.out.map(|(_, _, since)| since);
        let answer = asked.or(self.data_lane.switching).map(|since| since + ANSWER_TIME);
        // Wakes the load lane when the seconds pulses have had their time.
        let rate = self.daily_rate_end().filter(|_| !self.seconds_complete());
        time::earliest(&[answer, rate, self.switch_due()])
    }

    pub(super) fn advance_data(&mut self, now: Instant) {
        if self.load_lane.phase.is_leaving() {
            return;
        }
        if let Some((_, query, since)) = self.data_lane.out
            && now >= since + ANSWER_TIME
        {
            let what = format!("no answer to `{query}` within {ANSWER_TIME}");
            return self.handle_fault(now, Device::Meter, &what);
        }
        if self.data_lane.switching.is_some_and(|since| now >= since + ANSWER_TIME) {
            let what = format!("no answer to the command for the seconds pulse within {ANSWER_TIME}");
            return self.handle_fault(now, Device::Meter, &what);
        }
        self.begin_data(now);
        self.poll_data(now);
    }

    /// Queues the reads that need no load, once the connection is known to be right.
    fn begin_data(&mut self, now: Instant) {
        let connected = self.step().is_some_and(|step| step.work != Work::Connect);
        if self.data_lane.begun.is_some() || !connected {
            return;
        }
        self.data_lane.begun = Some(now);
        let plan = std::sync::Arc::clone(&self.plan);
        let known_address =
            plan.nameplate.data_output.as_ref().is_some_and(|output| output.address != "auto");
        for step in plan.steps.iter().filter(|s| s.lane == Lane::Data) {
            let queries: Vec<Query> = match step.work {
                // The address is asked by a wildcard, which only one meter on the line can bear: not where it is known.
                Work::Identify if known_address => vec![Query::MeterNumber, Query::Constant],
                Work::Identify => vec![Query::Address, Query::MeterNumber, Query::Constant],
                Work::Seal => vec![Query::CoverOpenCount, Query::CoverOpenLast],
                Work::SealRecords => super::results::seal_queries(),
                Work::Clock { .. } => vec![Query::Clock],
                Work::TariffRegisters => {
                    // The total before and after: it may move while its parts are read.
                    let parts = (1..=TARIFFS).map(Query::TariffEnergy);
                    std::iter::once(Query::Energy).chain(parts).chain([Query::Energy]).collect()
                }
                Work::EnergyLog => super::results::energy_queries(),
                _ => continue,
            };
            self.data_lane.ask_once(step.no, &queries);
        }
    }

    /// Sends the next question when the line is free.
    pub(super) fn poll_data(&mut self, now: Instant) {
        if self.data_lane.out.is_some() || self.data_lane.switching.is_some() {
            return;
        }
        if self.switch_due().is_some_and(|due| now >= due) {
            self.data_lane.switching = Some(now);
            self.actions.push_back(Action::SwitchSecondsPulse);
        } else if let Some((step, query)) =
            self.data_lane.queue.pop_front().or_else(|| self.data_lane.spare.pop_front())
        {
            self.data_lane.out = Some((step, query, now));
            self.actions.push_back(Action::Ask(query));
        }
    }

    /// When the slowest of what runs beside must be done.
    pub(super) fn data_lane_end(&self) -> Option<Instant> {
        self.daily_rate_end()
    }

    fn daily_rate_work(&self) -> Option<(Span, u32)> {
        self.data_lane.rate
    }

    fn daily_rate_end(&self) -> Option<Instant> {
        let (reading, readings) = self.daily_rate_work()?;
        // A seconds pulse that is not there in five seconds is not there.
        let begun = self.evidence.seconds_from().or(self.data_lane.begun)?;
        Some(begun + reading * readings + Span::from_secs(5))
    }

    pub(super) fn seconds_complete(&self) -> bool {
        let Some((reading, readings)) = self.daily_rate_work() else { return true };
        let pulses = self.evidence.seconds_pulses().count();
        pulses as f64 > reading.secs() * f64::from(readings)
    }

    /// Whether the seconds pulses suffice for all readings, or have had their time.
    pub(super) fn daily_rate_done(&self, now: Instant) -> bool {
        let refused = self.evidence.switched.as_ref().is_some_and(|switched| switched.refused.is_some());
        // A meter that was told and does not give it is not waited for.
        (refused && self.evidence.seconds_edges.is_empty())
            || self.seconds_complete()
            || self.daily_rate_end().is_some_and(|end| now >= end)
    }
}

/// Whether a count says that there was none, or is not given.
fn nothing_of_it(answer: &Answer) -> bool {
    matches!(answer.reading, Reading::Absent(_) | Reading::Value(Value::Count(0)))
}
