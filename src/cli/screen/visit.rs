//! The inspector's way behind the screen: plan, look at the wiring, verification.

use super::Program;
use super::{house, result};
use crate::cli::Stop;
use crate::cli::inputs::Inputs;
use crate::cli::photographs;
use crate::cli::verification::{self, How, Opened, Ready};
use crate::cli::verify::keep_elsewhere;
use phantomload::archive;
use phantomload::bench::{Bench, Waited, conduct};
use phantomload::certificate::record::Outcome;
use phantomload::meter::{Query, Reading};
use phantomload::plan::conventional::Assumptions;
use phantomload::plan::{Plan, TEN_MINUTES, THREE_MINUTES, Work};
use phantomload::regulation::{Demand, Item};
use phantomload::run::{Action, Command, Event, Run, Snapshot};
use phantomload::screen::draft::Draft;
use phantomload::screen::port::Live;
use phantomload::screen::values::{Bar, Connection, Ended, PlanSeen};
use phantomload::time::{Instant, Span, Stamp, now};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The run is shown so often.
const SHOW_EVERY: Span = Span::from_millis(100);
/// A screen that was not drawn for so long hangs: nobody can press STOP on it. A choice of this house.
const SCREEN_GONE: Span = Span::from_secs(5);
/// A meter that does not answer in this time does not answer.
const ANSWER_TIME: Span = Span::from_secs(15);
/// Waits of the bench at most, when the meter alone is read.
const TURNS_MAX: usize = 100_000;

impl Program {
    fn inputs(&self, draft: &Draft) -> Result<Inputs, String> {
        let meter = Some(("nameplate".to_owned(), draft.text()));
        let mut entries = draft.entries();
        let photographs =
            photographs::take(&mut entries.seal, &self.photos(), "before").map_err(|stop| stop.message)?;
        let entries = Some((entries, photographs));
        let data = self.dir.exists().then_some(self.dir.as_path());
        let mut task = self.arguments.task.clone();
        if let Some(id) = &draft.regulation {
            task.regulation = house::named(&self.dir, id)?;
        }
        let inputs = Inputs::of(&task, meter, draft.kind, entries, data);
        let mut inputs = inputs.map_err(|stop| stop.message)?;
        inputs.pre_check = draft.pre_check;
        Ok(inputs)
    }

    fn how(&self) -> How<'_> {
        let Self { arguments, dir, .. } = self;
        How { dir, pace: arguments.pace.0, seed: arguments.seed, log: None }
    }

    /// Whether somebody wants the run to end, and why.
    fn asked_to_stop(&self, since: Instant) -> Option<String> {
        if let Some(Command::Stop { why }) = self.backstage.command() {
            return Some(why);
        }
        if self.ending.load(Ordering::SeqCst) {
            return Some("stopped by the operator (Ctrl-C, SIGTERM or hang-up)".into());
        }
        let drawn = self.backstage.drawn().max(since);
        (now() - drawn > SCREEN_GONE).then(|| {
            format!("the screen did not answer for {SCREEN_GONE}: nobody could have pressed STOP on it")
        })
    }

    /// Shows the run, not more often than eyes can follow.
    fn shower(&self, only_wiring: bool) -> impl FnMut(&Run, Instant) {
        let mut shown = Instant::ZERO;
        let mut first = true;
        move |run, at| {
            let looked = now();
            if first || looked - shown >= SHOW_EVERY || run.is_over() {
                (first, shown) = (false, looked);
                self.backstage.show(Some(Live { snapshot: run.snapshot(at), looked, only_wiring }));
            }
            self.panel().watch(run, at);
        }
    }

    pub(super) fn plan(&self, draft: &Draft) -> Result<PlanSeen, String> {
        let inputs = self.inputs(draft)?;
        let plan = inputs.plan(inputs.capability()).map_err(|stop| stop.message)?;
        Ok(plan_seen(&plan, inputs.simulated))
    }

    /// Asks the meter alone; nothing is switched on.
    pub(super) fn read_meter(&self, draft: &Draft) -> Result<(Option<String>, Vec<String>), String> {
        let inputs = self.inputs(draft)?;
        if inputs.nameplate.data_output.is_none() {
            return Err("the nameplate has no data output: nothing can be read".into());
        }
        let message = |stop: Stop| stop.message;
        let Opened { mut bench, .. } =
            verification::open(&inputs, &self.how(), Stamp::now(), &|_| ()).map_err(message)?;
        let mut lines = vec![];
        let mut serial = None;
        for query in [Query::MeterNumber, Query::Constant, Query::Energy] {
            match ask(bench.as_mut(), query)? {
                Reading::Value(value) => {
                    if query == Query::MeterNumber {
                        serial = Some(value.to_string());
                    }
                    lines.push(format!("{query} {value}"));
                }
                Reading::Absent(why) => lines.push(format!("{query}: {why}")),
            }
        }
        Ok((serial, lines))
    }

    /// The low-level look at the wiring: the first step of a run, and nothing after it.
    pub(super) fn connect(&self, draft: &Draft) -> Connection {
        self.panel().opening();
        let opened = self.inputs(draft).and_then(|inputs| {
            verification::open(&inputs, &self.how(), Stamp::now(), &|_| ()).map_err(|stop| stop.message)
        });
        let Opened { plan, mut bench, .. } = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.panel().not_opened(&why);
                return Connection::NotOpened(why);
            }
        };
        let plan = plan.only_wiring();
        self.panel().begins(&plan);
        let mut run = Run::new(Arc::new(plan), bench.now(), Stamp::now());
        let since = now();
        self.backstage.arm(bench.stopper());
        conduct(&mut run, bench.as_mut(), &mut || self.asked_to_stop(since), &mut self.shower(true));
        self.backstage.arm(None);
        let seen = run.snapshot(bench.now());
        drop(bench);
        self.panel().looked(&seen);
        connection(seen)
    }

    /// The verification, to the papers.
    pub(super) fn verify(&self, draft: &Draft) -> Ended {
        let inputs = match self.inputs(draft) {
            Ok(inputs) => inputs,
            Err(why) => return result::not_begun(why),
        };
        self.panel().opening();
        let begins = |plan: &Plan, _: &_| self.panel().begins(plan);
        let ready = match verification::prepare(&inputs, &self.how(), &crate::cli::say, &begins) {
            Ok(ready) => ready,
            Err(stop) => {
                self.panel().not_opened(&stop.message);
                return result::not_begun(stop.message);
            }
        };
        self.bring_to_end(ready)
    }

    /// Conducts the run with its picture on the screen, and stores what comes of it.
    pub(super) fn bring_to_end(&self, ready: Ready) -> Ended {
        let since = now();
        self.backstage.arm(ready.stopper());
        let mut asked = || self.asked_to_stop(since);
        let conducted = ready.conduct(&mut asked, &mut self.shower(false), &crate::cli::say);
        self.backstage.arm(None);
        let mut conducted = match conducted {
            Ok(conducted) => conducted,
            Err(stop) => {
                self.panel().not_opened(&stop.message);
                return result::not_ended(stop.message);
            }
        };
        self.panel().ended(&conducted.record);
        let stored = conducted.store();
        let record = &conducted.record;
        match stored {
            Ok(stored) => result::of(record, &stored),
            Err(fault @ archive::Fault::NotRegistered { .. }) => {
                result::not_stored(record, &fault.to_string())
            }
            Err(fault) => result::not_stored(record, &keep_elsewhere(record, &fault).message),
        }
    }
}

/// What came of the look at the wiring, by the last that was seen of it.
fn connection(seen: Snapshot) -> Connection {
    let danger = seen.findings.into_iter().find(|finding| finding.starts_with("DANGER"));
    let why = match &seen.outcome {
        Some(Outcome::Aborted { why } | Outcome::Faulted { why }) => why.clone(),
        Some(Outcome::Completed) => String::new(),
        None => "the source did not go off in time".into(),
    };
    match seen.outcome {
        _ if !seen.safe_to_disconnect => Connection::NotSafe { why, danger: danger.unwrap_or_default() },
        Some(Outcome::Completed) => Connection::Good,
        Some(Outcome::Aborted { .. }) => Connection::Stopped(why),
        Some(Outcome::Faulted { .. }) | None => Connection::Wrong(why),
    }
}

fn ask(bench: &mut dyn Bench, query: Query) -> Result<Reading, String> {
    bench.act(Action::Ask(query));
    let end = bench.now() + ANSWER_TIME;
    for _ in 0..TURNS_MAX {
        match bench.wait(Some(end)) {
            Waited::Event(Event::Answer(answer)) if answer.query == query => return Ok(answer.reading),
            Waited::Event(Event::Fault { device, what }) => return Err(format!("{device}: {what}")),
            Waited::Due => break,
            _ => {}
        }
    }
    Err(format!("no answer to `{query}` within {ANSWER_TIME}"))
}

fn plan_seen(plan: &Plan, simulated: bool) -> PlanSeen {
    let mut steps: Vec<_> = plan.steps.iter().filter(|step| step.work != Work::Look).collect();
    steps.sort_by_key(|step| (step.start, step.no));
    let bar = |step: &&phantomload::plan::Step| Bar {
        no: step.no,
        title: step.title.clone(),
        item: step.item,
        lane: step.lane,
        start: step.start,
        duration: step.duration,
    };
    let mut no_certificate = plan.standards.check_dates(Stamp::now().date());
    if !plan.profile.may_certify(plan.kind, &plan.class) {
        no_certificate.push(format!(
            "{} figures of {} are unconfirmed and not approved by a laboratory",
            plan.unconfirmed().len(),
            plan.profile.id
        ));
    }
    let by_hand = Assumptions::builtin().ok().map(|by_hand| by_hand.time(plan).total);
    PlanSeen {
        bars: steps.iter().map(bar).collect(),
        total: plan.total,
        total_max: plan.total_max,
        lower_bound: plan.lower_bound,
        by_hand: by_hand.filter(|_| !plan.pre_check),
        fits: plan.fits,
        most: if plan.pre_check { THREE_MINUTES } else { TEN_MINUTES },
        advice: plan.advice.clone(),
        doubts: plan.doubts.clone(),
        cannot: cannot(plan),
        no_certificate,
        left_out: plan.pre_check.then(|| plan.left_out()),
        seal_places: plan
            .seals_before
            .last
            .iter()
            .flat_map(|last| &last.seals)
            .map(|s| s.place.clone())
            .collect(),
        regulation: plan.profile.id.clone(),
        simulated,
    }
}

/// Items that are demanded and that this run cannot decide.
fn cannot(plan: &Plan) -> Vec<(Item, String)> {
    let entries = &plan.entries;
    let no_output = plan.nameplate.data_output.is_none();
    let required = plan.items.iter().filter(|item| item.demand == Demand::Required);
    let why = |item: Item| match item {
        Item::Appearance if entries.appearance.is_none() || entries.function.is_none() => {
            Some("not entered by the operator")
        }
        Item::Withstand if entries.withstand.is_none() => Some("not entered by the operator"),
        Item::MeterConstant if no_output => {
            Some("the register cannot be read: no data output on the nameplate")
        }
        Item::ClockIndication if no_output && plan.nameplate.clock => {
            Some("the clock cannot be read: no data output on the nameplate")
        }
        Item::TariffRegisters if no_output && plan.nameplate.tariffs => {
            Some("the registers cannot be read: no data output on the nameplate")
        }
        Item::DailyRate if !plan.capability.seconds_input => Some("the bench has no seconds-pulse input"),
        _ => None,
    };
    required.filter_map(|item| Some((item.item, why(item.item)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use phantomload::quantity::{Current, Voltage};
    use phantomload::regulation::{Kind, Profile};
    use phantomload::sim::{Rig, demo_meter};

    /// The last picture of a look at the wiring whose reference says this from the source's off on.
    fn seen(stuck: bool) -> Snapshot {
        let rig = Rig::new("good", demo_meter("good").unwrap()).unwrap();
        let started: Stamp = "2026-11-20T10:00:00+08:00".parse().unwrap();
        let plan = phantomload::plan::make(
            rig.nameplate.clone(),
            Profile::builtin("dc-meter").unwrap(),
            Kind::Subsequent,
            rig.standards.clone(),
            rig.capability(),
            phantomload::plan::Entries::simulated(),
            started.date(),
        );
        let mut run = Run::new(Arc::new(plan.unwrap().only_wiring()), Instant::ZERO, started);
        let mut bench = Stuck { bench: rig.in_process(1, started, None), sticks: stuck, off: false };
        conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
        run.snapshot(bench.now())
    }

    /// A bench whose relay sticks: from off on the reference sees what it has seen before.
    struct Stuck<B> {
        bench: B,
        sticks: bool,
        off: bool,
    }

    impl<B: Bench> Bench for Stuck<B> {
        fn now(&self) -> Instant {
            self.bench.now()
        }
        fn act(&mut self, action: Action) {
            self.off |= self.sticks && action == Action::SourceOff;
            self.bench.act(action);
        }
        fn wait(&mut self, until: Option<Instant>) -> Waited {
            match self.bench.wait(until) {
                Waited::Event(Event::Sample(mut sample)) if self.off => {
                    sample.voltage = Voltage::from_volts(150.0);
                    sample.current = Current::from_amperes(5.0);
                    Waited::Event(Event::Sample(sample))
                }
                other => other,
            }
        }
    }

    #[test]
    fn a_wiring_is_good_only_where_the_source_was_seen_to_go_off_again() {
        assert_eq!(connection(seen(false)), Connection::Good);
        let stuck = connection(seen(true));
        let Connection::NotSafe { danger, .. } = &stuck else { panic!("{stuck:?}") };
        assert!(danger.starts_with("DANGER"), "{danger}");
    }
}
