//! Conducts a run from plan to results: events in, actions out. It neither sleeps nor speaks.
//!
//! [`Run::handle`] takes what came in, [`Run::poll_action`] gives what is to be done, [`Run::poll_timeout`] says when
//! to come back. The same events give the same record, bit for bit; [`recompute`] proves it from a stored one (to the
//! last bits from one of an earlier arithmetic).

mod data_lane;
mod delay;
mod ending;
mod evidence;
mod interruption;
mod load_lane;
mod results;
mod signing;
mod snapshot;
mod unit;
mod windows;
mod wiring;
mod work;

pub use crate::certificate::raw::{Device, Event, Interruption, Logged};
pub use snapshot::{Command, ErrorSeen, Snapshot, SourceState, Stage, StepSeen};

use crate::certificate::record::{Outcome, Record, Results};
use crate::meter::Query;
use crate::meter::transaction::Order;
use crate::plan::{Load, Plan, Step, Work};
use crate::pulse::Input;
use crate::reference::Sample;
use crate::source::Opinion;
use crate::time::{Instant, Span, Stamp};
use data_lane::DataLane;
use evidence::Evidence;
use load_lane::{LoadLane, Phase};
use signing::SigningLane;
use std::collections::VecDeque;
use std::sync::Arc;

/// A sample so many times beyond the source's range is no measurement.
const BEYOND: f64 = 10.0;

/// Something the bench is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Bring this load to the meter.
    SetSource(Load),
    /// Both outputs off, now.
    SourceOff,
    /// Ask the meter's data output.
    Ask(Query),
    /// Tell a meter that signs something about the transaction of this name.
    Transact {
        /// What.
        order: Order,
        /// Its name.
        id: String,
    },
    /// Tell the meter to put the clock's seconds pulse on its multi-function output.
    SwitchSecondsPulse,
    /// Ask the other error calculator for the mean of so many readings at the load that stands.
    AskOpinion {
        /// How many.
        count: u32,
    },
    /// Off was not seen: stop the heartbeat, so that a hardware watchdog opens the contactor.
    StopHeartbeat,
}

/// A run under way.
#[derive(Clone)]
pub struct Run {
    plan: Arc<Plan>,
    began: Instant,
    /// The last time the engine was told.
    now: Instant,
    started: Stamp,
    log: Vec<Logged>,
    actions: VecDeque<Action>,
    evidence: Evidence,
    load_lane: LoadLane,
    data_lane: DataLane,
    signing: SigningLane,
    /// When the load was seen to be gone, where something else was still waited for.
    off_seen: Option<Instant>,
    ended: Option<Instant>,
}

impl Run {
    /// Begins a run; the first action is there at once.
    pub fn new(plan: Arc<Plan>, now: Instant, started: Stamp) -> Self {
        let mut run = Self {
            evidence: Evidence::default(),
            load_lane: LoadLane::new(&plan, now),
            data_lane: DataLane::new(&plan),
            signing: SigningLane::default(),
            off_seen: None,
            plan,
            began: now,
            now,
            started,
            log: vec![],
            actions: VecDeque::new(),
            ended: None,
        };
        run.begin_step(now);
        run
    }

    /// Takes in what happened. Events after the end are not taken.
    pub fn handle(&mut self, now: Instant, event: Event) {
        if self.is_over() {
            return;
        }
        let before = std::mem::replace(&mut self.now, now);
        self.log.push(Logged(now, event.clone()));
        let waits = matches!(self.load_lane.phase, Phase::Signing { .. });
        match event {
            // The load was seen to be gone: leads and heads may be taken off, and nothing of that is evidence.
            Event::Sample(_) | Event::Edge(_) | Event::Lost { .. } if waits => {}
            Event::Fault { device, .. } if waits && device != Device::Source => {}
            Event::Timeout => {}
            Event::Sample(sample) => self.handle_sample(*sample),
            Event::Edge(edge) => {
                if let Err(what) = self.evidence.push_edge(now, edge) {
                    let device =
                        if edge.input == Input::Meter { Device::Pulse } else { Device::SecondsPulse };
                    self.handle_fault(now, device, &what);
                }
            }
            Event::Lost { input, what } => self.handle_lost(now, input, &what),
            Event::SourceSet(load) => self.load_lane.handle_source_set(load),
            Event::SourceOff => self.load_lane.handle_source_off(),
            Event::Opinion(opinion) => self.handle_opinion(*opinion),
            Event::NoOpinion { why } => self.evidence.note(format!("second opinion: none: {why}")),
            Event::Answer(answer) => self.handle_answer(now, *answer),
            Event::Transacted(told) => self.handle_transacted(now, &told),
            Event::Switched(switched) => self.handle_switched(*switched),
            Event::Fault { device, what } => self.handle_fault(now, device, &what),
            Event::Abort { why } => self.end(now, Outcome::Aborted { why }),
            Event::Interrupted(interruption) => self.handle_interrupted(before, now, &interruption),
        }
        self.advance(now);
    }

    /// Keeps a sample, unless it is beyond anything the bench can do: instruments say "no number" that way (9.91E37).
    /// Left out, it makes a gap, and the gap spoils what it must.
    fn handle_sample(&mut self, sample: Sample) {
        let bench = &self.plan.capability;
        let (voltage, current) = (bench.voltage_max_v * BEYOND, bench.current_max_a * BEYOND);
        if sample.voltage.abs() > voltage
            || sample.current.abs() > current
            || sample.power.abs() > voltage * current
        {
            let what = format!(
                "the reference said {}, {}, {}: left out",
                sample.voltage, sample.current, sample.power
            );
            self.evidence.note(what);
        } else {
            self.evidence.track.push(sample);
        }
    }

    /// Keeps what the other calculator says of the load point that stands; of a load that has gone it says nothing.
    fn handle_opinion(&mut self, opinion: Opinion) {
        match self.step() {
            Some(Step { no, load, work: Work::BasicError(_), .. }) if *load == opinion.load => {
                let no = *no;
                self.evidence.opinions.insert(no, opinion);
            }
            _ => self.evidence.note(format!(
                "second opinion: it came when {}, {} had gone: left out",
                opinion.load.voltage_v, opinion.load.current_a
            )),
        }
    }

    /// The next thing to do, if any.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Timeout`] is wanted, if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over() { None } else { self.load_deadline() }
    }

    /// What is to be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether the run has ended and the source is off, or the waiting for that has ended.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.load_lane.phase {
            Phase::Over(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The results so far; with a verdict only after a completed run, and never of a pre-check.
    pub fn results(&self) -> Results {
        let elapsed = self.off_seen.or(self.ended).map_or(Span::ZERO, |end| end - self.began);
        let mut results = results::all(&self.plan, &self.evidence, self.began, self.started, elapsed);
        if self.outcome() != Some(&Outcome::Completed) || self.plan.pre_check {
            results.verdict = None;
        }
        results
    }

    /// Number of the present step.
    pub fn step_no(&self) -> Option<usize> {
        self.step().map(|step| step.no)
    }

    /// What was found at the seals and waits for an answer, as far as it has been read: to be told at once, since whoever
    /// can answer may be called now.
    pub fn waiting_seals(&self) -> Vec<String> {
        results::waiting_seals(&self.plan, &self.evidence, self.began, self.started)
    }

    /// The record of an ended run. `None` while it runs.
    pub fn record(
        self,
        record_no: String,
        certificate_no: Option<String>,
        simulated: bool,
    ) -> Option<Record> {
        let results = self.results();
        let outcome = self.outcome()?.clone();
        Some(Record {
            schema: crate::certificate::record::SCHEMA,
            simulated,
            record_no,
            certificate_no,
            program: crate::certificate::record::Program::this(),
            started: self.started,
            began: self.began,
            outcome,
            results,
            plan: Arc::unwrap_or_clone(self.plan),
            raw: self.log,
            closing: None,
        })
    }
}

/// The run as it was after these events. What it asked for then is done or gone: it waits for
/// [`Event::Interrupted`], which says whether it goes on.
pub fn rebuilt(plan: Arc<Plan>, began: Instant, started: Stamp, log: Vec<Logged>) -> Run {
    let mut run = Run::new(plan, began, started);
    for Logged(at, event) in log {
        run.handle(at, event);
    }
    run.actions.clear();
    run
}

/// Computes outcome and results anew from the frozen plan and the raw data of a record, by the code that made them.
pub fn recompute(record: &Record) -> (Option<Outcome>, Results) {
    let mut run = Run::new(Arc::new(record.plan.clone()), record.began, record.started);
    for Logged(at, event) in &record.raw {
        run.handle(*at, event.clone());
    }
    (run.outcome().cloned(), run.results())
}
