//! Whole runs on the simulated bench, in process.

#![allow(dead_code, reason = "each test file uses its part")]

use phantomload::bench::{Bench, Waited, conduct};
use phantomload::certificate::record::{ItemResult, Record};
use phantomload::plan::{self, Entries, Plan};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::{Action, Event, Run};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Stamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// The moment at which all these runs begin.
pub fn started() -> Stamp {
    "2026-11-20T10:00:00.000+08:00".parse().unwrap()
}

/// The bench with a demo meter.
pub fn rig(meter: &str) -> Rig {
    Rig::new(meter, demo_meter(meter).expect("a demo meter")).unwrap()
}

/// The plan for a rig.
pub fn plan_of(rig: &Rig, regulation: &str, kind: Kind) -> Plan {
    let profile = Profile::builtin(regulation).unwrap();
    plan::make(
        rig.nameplate.clone(),
        profile,
        kind,
        rig.standards.clone(),
        rig.capability(),
        Entries::simulated(),
        started().date(),
    )
    .unwrap()
}

/// A run to its end.
pub fn record_of(rig: &Rig, plan: Plan, seed: u64) -> Record {
    record_with(rig, plan, seed, |bench| bench)
}

/// A run to its end on a bench that is wrapped.
pub fn record_with<'a>(
    rig: &Rig,
    plan: Plan,
    seed: u64,
    wrap: impl FnOnce(Box<dyn Bench + 'a>) -> Box<dyn Bench + 'a>,
) -> Record {
    let mut run = Run::new(Arc::new(plan), Instant::ZERO, started());
    let mut bench = wrap(Box::new(rig.in_process(seed, started(), None)));
    conduct(&mut run, bench.as_mut(), &mut || None, &mut |_, _| {});
    assert!(run.is_over(), "the run did not end");
    run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).unwrap()
}

/// The record of a demo meter.
pub fn record(meter: &str, regulation: &str, kind: Kind, seed: u64) -> Record {
    let rig = rig(meter);
    let plan = plan_of(&rig, regulation, kind);
    record_of(&rig, plan, seed)
}

/// A bench in whose stream of events something is changed, and whose orders are seen.
pub struct Meddled<'a> {
    /// The bench behind it.
    pub bench: Box<dyn Bench + 'a>,
    /// Told each event with its number; gives what comes in instead: none, one, or several.
    pub meddle: Box<dyn FnMut(usize, Event) -> Vec<Event> + 'a>,
    /// What it gave and has not come in yet.
    pub waiting: VecDeque<Event>,
    /// Told each order.
    pub order: Box<dyn FnMut(&Action) + 'a>,
    /// Events so far.
    pub count: usize,
}

impl<'a> Meddled<'a> {
    /// Only the events are changed.
    pub fn events<I: IntoIterator<Item = Event>>(
        bench: Box<dyn Bench + 'a>,
        mut meddle: impl FnMut(usize, Event) -> I + 'a,
    ) -> Box<dyn Bench + 'a> {
        let meddle = Box::new(move |count, event| meddle(count, event).into_iter().collect());
        Box::new(Self { bench, meddle, order: Box::new(|_| {}), waiting: VecDeque::new(), count: 0 })
    }
}

impl Bench for Meddled<'_> {
    fn now(&self) -> Instant {
        self.bench.now()
    }
    fn act(&mut self, action: Action) {
        (self.order)(&action);
        self.bench.act(action);
    }
    fn wait(&mut self, until: Option<Instant>) -> Waited {
        if let Some(event) = self.waiting.pop_front() {
            return Waited::Event(event);
        }
        match self.bench.wait(until) {
            Waited::Event(event) => {
                self.count += 1;
                self.waiting.extend((self.meddle)(self.count, event));
                self.waiting.pop_front().map_or(Waited::Nothing, Waited::Event)
            }
            other => other,
        }
    }
}

/// One line an item, as a golden table.
pub fn table(items: &[ItemResult]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for item in items {
        let point = item.point.as_ref().map_or(String::new(), |p| format!("{} = {}", p.term, p.current_a));
        let number = item.measured.as_ref().map_or(String::new(), |m| {
            format!("{} ±{:.3} limit {} {}", m.rounded, m.estimate.expanded, m.limit, m.unit)
        });
        writeln!(text, "{:<16} {point:<16} {number:<32} {}", item.item.to_string(), item.verdict).unwrap();
    }
    text
}
