//! After any beginning of a run and any way it ends, the last thing the source was told is off.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::archive::journal::Keeper;
use phantomload::bench::{conduct, conduct_kept};
use phantomload::certificate::record::Outcome;
use phantomload::quantity::{Current, Power, Voltage};
use phantomload::reference::Sample;
use phantomload::regulation::Kind;
use phantomload::run::{Action, Device, Event, Logged, Run, SourceState};
use phantomload::time::{Instant, Span};
use proptest::prelude::*;
use simulated::{Meddled, plan_of, record_of, rig, started};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// How a run is disturbed.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Fault(Device),
    Abort,
    /// Nothing comes from the reference any more.
    Silence,
    /// The source never says that it is off.
    MuteSource,
}

fn disturbances() -> impl Strategy<Value = Disturbance> {
    prop_oneof![
        Just(Disturbance::Fault(Device::Source)),
        Just(Disturbance::Fault(Device::Reference)),
        Just(Disturbance::Fault(Device::Pulse)),
        Just(Disturbance::Fault(Device::Meter)),
        Just(Disturbance::Abort),
        Just(Disturbance::Silence),
        Just(Disturbance::MuteSource),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_end_is_off(at in 0usize..22_000, disturbance in disturbances()) {
        let rig = rig("good");
        let mut run = Run::new(Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent)), Instant::ZERO, started());
        let orders = RefCell::new(vec![]);
        let mut bench = Meddled {
            bench: Box::new(rig.in_process(1, started(), None)),
            order: Box::new(|action| if !matches!(action, Action::Ask(_)) { orders.borrow_mut().push(action.clone()) }),
            count: 0,
            waiting: VecDeque::new(),
            meddle: Box::new(move |count, event| match disturbance {
                Disturbance::Fault(device) if count == at => vec![Event::Fault { device, what: "on purpose".into() }],
                Disturbance::Abort if count == at => vec![Event::Abort { why: "on purpose".into() }],
                Disturbance::Silence if count >= at && matches!(event, Event::Sample(_)) => vec![],
                Disturbance::MuteSource if event == Event::SourceOff => vec![],
                _ => vec![event],
            }),
        };
        conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
        drop(bench);
        prop_assert!(run.is_over(), "{disturbance:?} at {at}: the run did not end");
        let orders = orders.into_inner();
        let told: Vec<_> = orders.iter().filter(|o| **o != Action::StopHeartbeat).collect();
        prop_assert_eq!(told.last(), Some(&&Action::SourceOff));
        // No load is set after the first off.
        let first_off = orders.iter().position(|o| *o == Action::SourceOff).unwrap();
        prop_assert!(orders[first_off..].iter().all(|o| !matches!(o, Action::SetSource(_))));
        if run.outcome() != Some(&Outcome::Completed) {
            prop_assert_eq!(run.results().verdict, None);
        }
    }
}

/// A disk that takes so many events in and then no more.
struct Full {
    took: u64,
    room: u64,
}

impl Keeper for Full {
    fn take(&mut self, events: &[Logged]) {
        self.took += events.len() as u64;
    }
    fn kept(&mut self, _: bool) -> Result<u64, String> {
        if self.took > self.room { Err("no space left on the disk".into()) } else { Ok(self.took) }
    }
    fn finish(&mut self) -> Result<(), String> {
        self.kept(true).map(|_| ())
    }
}

#[test]
fn the_end_of_a_run_is_seen_also_where_the_disk_takes_no_more() {
    let rig = rig("good");
    let plan = Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent));
    // In the first load, in the middle, and so late that only the end itself finds no room.
    let mut whole = Run::new(Arc::clone(&plan), Instant::ZERO, started());
    conduct(&mut whole, &mut rig.in_process(1, started(), None), &mut || None, &mut |_, _| {});
    let all = whole.log().len() as u64;
    for room in [40, all / 2, all - 1] {
        let mut run = Run::new(Arc::clone(&plan), Instant::ZERO, started());
        let mut bench = rig.in_process(1, started(), None);
        let (mut seen, mut off_shown) = (None, false);
        let mut keeper = Full { took: 0, room };
        let kept = conduct_kept(&mut run, &mut bench, &mut keeper, &mut || None, &mut |run, at| {
            let shown = run.snapshot(at);
            off_shown |= shown.source == SourceState::GoingOff;
            seen = Some((shown.outcome, shown.safe_to_disconnect));
        });
        assert_eq!(kept, Err("no space left on the disk".into()), "{room} of {all}");
        let (outcome, safe) = seen.expect("nothing was shown");
        assert_eq!(
            outcome.as_ref(),
            run.outcome(),
            "{room} of {all}: the last that was shown is not the end"
        );
        assert!(outcome.is_some() && safe, "{room} of {all}: {outcome:?}");
        assert!(off_shown || room == all - 1, "{room} of {all}: that the source goes off was not shown");
    }
}

/// What goes wrong, beside an event that ends the run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Broken {
    /// Nothing: the bench obeys.
    Nothing,
    /// The source does not take OFF over and says so.
    RefusesOff,
    /// The source says nothing, and nothing happens.
    IgnoresOff,
    /// The source says that it is off, and the relay behind it is stuck: voltage and current stay.
    StuckRelay,
    /// The voltage falls, the current goes on.
    CurrentStays,
    /// The reference says nothing any more.
    DeadReference,
    /// Everything is silent: the line hung up.
    AllSilent,
}

/// How the run is ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    /// A worker panicked, a line hung up, garbage came: what the bench makes of it.
    Fault(Device),
    /// A person, a signal, a dead screen, an interlock.
    Abort,
    /// Two of them.
    AbortTwice,
    /// Nothing comes any more at all; only time passes.
    Silence,
}

const BROKEN: [Broken; 7] = [
    Broken::Nothing,
    Broken::RefusesOff,
    Broken::IgnoresOff,
    Broken::StuckRelay,
    Broken::CurrentStays,
    Broken::DeadReference,
    Broken::AllSilent,
];
const ENDINGS: [Ending; 10] = [
    Ending::Fault(Device::Source),
    Ending::Fault(Device::Reference),
    Ending::Fault(Device::Pulse),
    Ending::Fault(Device::SecondsPulse),
    Ending::Fault(Device::Meter),
    Ending::Fault(Device::Interlock),
    Ending::Fault(Device::Heartbeat),
    Ending::Abort,
    Ending::AbortTwice,
    Ending::Silence,
];

/// What the source was told and what is really at the terminals, after the ending has begun.
struct Tail {
    now: Instant,
    live: bool,
    last: Option<Action>,
    set_after_off: bool,
    heart_stopped: bool,
    due: VecDeque<Event>,
}

impl Tail {
    /// Carries orders out as far as what is broken lets it.
    fn obey(&mut self, run: &mut Run, broken: Broken) {
        while let Some(action) = run.poll_action() {
            match &action {
                Action::SetSource(load) => {
                    self.set_after_off |= self.last == Some(Action::SourceOff);
                    self.live = true;
                    self.due.push_back(Event::SourceSet(*load));
                    self.last = Some(action);
                }
                Action::SourceOff => {
                    match broken {
                        Broken::RefusesOff => {
                            let what = "it did not take over OFF".to_owned();
                            self.due.push_back(Event::Fault { device: Device::Source, what });
                        }
                        Broken::IgnoresOff | Broken::AllSilent => {}
                        Broken::StuckRelay | Broken::CurrentStays => self.due.push_back(Event::SourceOff),
                        Broken::Nothing | Broken::DeadReference => {
                            self.live = false;
                            self.due.push_back(Event::SourceOff);
                        }
                    }
                    self.last = Some(action);
                }
                Action::StopHeartbeat => {
                    // The hardware watchdog opens the contactor.
                    self.heart_stopped = true;
                    self.live = false;
                }
                Action::Ask(_)
                | Action::AskOpinion { .. }
                | Action::Transact { .. }
                | Action::SwitchSecondsPulse => {}
            }
        }
    }

    fn sample(&self, broken: Broken) -> Option<Sample> {
        let (volts, amperes) = match broken {
            Broken::DeadReference | Broken::AllSilent => return None,
            _ if !self.live => (0.1, 0.0),
            Broken::CurrentStays => (0.1, 100.0),
            _ => (750.0, 100.0),
        };
        Some(Sample {
            taken: self.now,
            taken_half_width: Span::ZERO,
            voltage: Voltage::from_volts(volts),
            current: Current::from_amperes(amperes),
            power: Power::from_watts(volts * amperes),
            energy: None,
        })
    }
}

/// Ends a run that stands somewhere in the middle, and says what is wrong with the way it ended.
fn end(mut run: Run, now: Instant, ending: Ending, broken: Broken, live: bool) -> Result<(), String> {
    let (last, due) = (None, VecDeque::new());
    let mut tail = Tail { now, live, last, set_after_off: false, heart_stopped: false, due };
    while run.poll_action().is_some() {}
    match ending {
        Ending::Fault(device) => {
            run.handle(now, Event::Fault { device, what: "its worker broke down".into() });
        }
        Ending::Abort => run.handle(now, Event::Abort { why: "on purpose".into() }),
        Ending::AbortTwice => {
            run.handle(now, Event::Abort { why: "on purpose".into() });
            run.handle(now, Event::Abort { why: "and again".into() });
        }
        Ending::Silence => {}
    }
    let silent = ending == Ending::Silence;
    // Bounded: silence takes the engine 10 s, a step's end some minutes, the way out 10 s; samples come each 200 ms.
    for _ in 0..20_000 {
        tail.obey(&mut run, broken);
        if run.is_over() {
            break;
        }
        tail.now = tail.now + Span::from_millis(200);
        if let Some(event) = tail.due.pop_front() {
            run.handle(tail.now, event);
        } else if let (Some(sample), false) = (tail.sample(broken), silent && tail.last.is_none()) {
            run.handle(tail.now, Event::Sample(sample.into()));
        } else {
            run.handle(tail.now, Event::Timeout);
        }
    }
    tail.obey(&mut run, broken);
    let wrong = |what: &str| Err(format!("{what}: outcome {:?}", run.outcome()));
    let safe = run.snapshot(tail.now).safe_to_disconnect;
    let seen_safe =
        tail.sample(broken).is_some_and(|s| s.voltage.volts() < 60.0 && s.current.amperes() < 1.0);
    match () {
        () if !run.is_over() => wrong("the run did not end"),
        () if tail.last != Some(Action::SourceOff) => wrong("the last command was not off"),
        () if tail.set_after_off => wrong("a load was set after off"),
        () if tail.live => wrong("the load is still there and the heartbeat beats"),
        () if safe && !seen_safe => wrong("`safe to disconnect` was shown unseen"),
        () if broken == Broken::Nothing && !safe => wrong("`safe to disconnect` was not shown"),
        () if !(safe && seen_safe || tail.heart_stopped) => {
            wrong("neither seen safe nor the heartbeat stopped")
        }
        () if run.outcome() == Some(&Outcome::Completed) => wrong("completed"),
        () => Ok(()),
    }
}

/// Random beginnings of a run, each ended in a random way on a bench broken in a random way. The run is walked through
/// once; at each place that was drawn a copy of the engine is taken aside and ended.
#[test]
fn ten_thousand_random_prefixes_times_faults_end_with_off_or_a_stopped_heartbeat() {
    const CASES: usize = 10_000;
    const SEED: u64 = 0x5AFE;
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::InService);
    let honest = record_of(&rig, plan.clone(), 1);
    // xorshift64* (Vigna 2016): any sequence does, as long as it is the same every time.
    let mut state = SEED;
    let mut draw = |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    };
    // The last events belong to the way out; prefixes before it are what is asked for.
    let begins_to_end = honest.raw.iter().position(|logged| logged.1 == Event::SourceOff).unwrap();
    let mut places: Vec<(usize, Ending, Broken)> = (0..CASES)
        .map(|_| (draw(begins_to_end), ENDINGS[draw(ENDINGS.len())], BROKEN[draw(BROKEN.len())]))
        .collect();
    places.sort_by_key(|(place, ..)| *place);
    let mut run = Run::new(Arc::new(plan), honest.began, honest.started);
    let mut next = places.into_iter().peekable();
    let (mut ended, mut live) = (0, false);
    for (index, Logged(at, event)) in honest.raw.iter().enumerate() {
        while let Some((_, ending, broken)) = next.next_if(|(place, ..)| *place == index) {
            let before = *at;
            if let Err(why) = end(run.clone(), before, ending, broken, live) {
                panic!("seed {SEED:#x}, event {index}, {ending:?}, {broken:?}: {why}");
            }
            ended += 1;
        }
        run.handle(*at, event.clone());
        while let Some(action) = run.poll_action() {
            live |= matches!(action, Action::SetSource(_));
        }
    }
    println!("{ended} prefixes of {} events", honest.raw.len());
    assert_eq!(ended, CASES);
}
