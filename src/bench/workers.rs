//! One worker a device: each owns its device, turns what it says into events, and ends with the run.

use super::heartbeat::Needed;
use crate::meter::output::Switched;
use crate::meter::transaction::{Order as Deed, Transacted};
use crate::meter::{self, Answer, Meter, Query};
use crate::plan::Load;
use crate::pulse::stream::{Counter, Fault as StreamFault};
use crate::pulse::tally::Tally;
use crate::pulse::{Input, Told};
use crate::quantity::Energy;
use crate::reference::Reference;
use crate::run::{Device, Event};
use crate::source::limits::RAMP_EVERY;
use crate::source::{Guard, Opinion, Source};
use crate::time::{self, Instant, Span, now};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

/// A source with nothing to do is asked this often whether it is still there.
const CHECK_EVERY: Span = Span::from_secs(1);
/// With a load on, or its own error calculator at work, it is looked after this often.
const LOOK_EVERY: Span = Span::from_millis(100);
/// Off that was not taken over is tried again this often.
const OWED_EVERY: Span = Span::from_millis(500);
/// Off is tried so often before the failure stands.
const OFF_TRIES: usize = 3;
/// Edges of the reference that are on their way are waited for so long: two looks of the watch.
const COUNTED_WITHIN: Span = Span::from_millis(100);
/// Bad samples or lines in a row after which a device does not work. One may be line noise; the gap rule of the
/// windows sees to it that a missing one spoils what it must.
const BAD_MAX: usize = 3;

/// An order to the source.
pub(super) enum Order {
    /// Bring this load.
    Set(Load),
    /// Ask its own error calculator.
    Opinion {
        /// For so many readings.
        count: u32,
    },
    /// Off.
    Off,
}

/// Runs `work` on a thread of its own; a panic there is a fault of the device, not the end of the program.
pub(super) fn spawn(
    device: Device,
    events: Sender<Event>,
    work: impl FnOnce(&Sender<Event>) + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        if catch_unwind(AssertUnwindSafe(|| work(&events))).is_err() {
            let what = "its worker broke down: a bug in this program; the source was switched off".to_owned();
            let _ = events.send(Event::Fault { device, what });
        }
    })
}

/// Sets and switches off as ordered, and is off when the orders end. Once `off` is up, no load is set any more, also
/// not one that was ordered before and waited in the queue.
pub(super) fn source<S: Source>(
    mut guard: Guard<S>,
    orders: &Receiver<Order>,
    off: &AtomicBool,
    needed: &Needed,
    events: &Sender<Event>,
) {
    let fault = |what: String| {
        let _ = events.send(Event::Fault { device: Device::Source, what });
    };
    let mut told = false;
    let mut at = Load::OFF;
    // Its own error calculator is at work.
    let mut asked = false;
    // Its output may be on. Off is owed as long as it was not taken over.
    let (mut live, mut owed) = (false, false);
    let mut checked = now();
    loop {
        needed.0.source_ready(now());
        if asked && let Some(event) = opinion(guard.poll_opinion(Span::ZERO)) {
            asked = false;
            let _ = events.send(event);
        }
        let wait = if owed {
            OWED_EVERY
        } else if asked || live {
            LOOK_EVERY
        } else {
            CHECK_EVERY
        };
        let order = orders.recv_timeout(wait.to_std());
        match order {
            Ok(Order::Opinion { .. } | Order::Set(_)) if off.load(Ordering::SeqCst) => {}
            Ok(Order::Opinion { count }) => match guard.ask_opinion(count) {
                Ok(has_one) => asked = has_one,
                Err(why) => {
                    let _ = events.send(Event::NoOpinion { why: why.to_string() });
                }
            },
            Ok(Order::Set(load)) => {
                live = true;
                match raise(&mut guard, at, load, off, needed) {
                    Ok(true) => {
                        // What was asked at the load before is not waited for.
                        (at, asked) = (load, false);
                        let _ = events.send(Event::SourceSet(load));
                    }
                    // Off came in the middle of the ramp; its order is the next.
                    Ok(false) => {}
                    Err(why) => fault(why.to_string()),
                }
            }
            Ok(Order::Off) => {
                let tried = (0..OFF_TRIES).map(|_| guard.off()).find_or_last_ok();
                match tried {
                    Ok(()) => {
                        (at, asked, live, owed) = (Load::OFF, false, false, false);
                        let _ = events.send(Event::SourceOff);
                    }
                    Err(why) => {
                        owed = true;
                        fault(format!("it did not take over OFF: {why}"));
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let is_gone = needed.0.conductor_is_gone(now());
                if live && is_gone && !off.swap(true, Ordering::SeqCst) {
                    fault("nobody looks at the bench any more: it is switched off".into());
                }
                if owed || (live && off.load(Ordering::SeqCst)) {
                    owed = guard.off().is_err();
                    if !owed {
                        (at, asked, live) = (Load::OFF, false, false);
                        let _ = events.send(Event::SourceOff);
                    }
                } else if !asked && now() - checked >= CHECK_EVERY {
                    checked = now();
                    match guard.check() {
                        Ok(()) => told = false,
                        Err(why) if !told => {
                            told = true;
                            fault(why.to_string());
                        }
                        Err(_) => {}
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What another error calculator said, if it has said something.
fn opinion(said: Result<Option<Opinion>, crate::source::Fault>) -> Option<Event> {
    match said {
        Ok(opinion) => opinion.map(|opinion| Event::Opinion(opinion.into())),
        Err(why) => Some(Event::NoOpinion { why: why.to_string() }),
    }
}

/// Brings a load softly, step by step; false where off came meanwhile.
fn raise<S: Source>(
    guard: &mut Guard<S>,
    from: Load,
    to: Load,
    off: &AtomicBool,
    needed: &Needed,
) -> Result<bool, crate::source::Fault> {
    let limits = *guard.limits();
    for (n, load) in limits.ramp(from, to).enumerate() {
        if n > 0 {
            time::sleep(RAMP_EVERY);
            needed.0.source_ready(now());
        }
        if needed.0.conductor_is_gone(now()) {
            off.store(true, Ordering::SeqCst);
        }
        if off.load(Ordering::SeqCst) {
            return Ok(false);
        }
        guard.set(load)?;
    }
    Ok(true)
}

/// The first success, or the last failure.
trait FirstOk<E> {
    fn find_or_last_ok(self) -> Result<(), E>;
}

impl<E, I: Iterator<Item = Result<(), E>>> FirstOk<E> for I {
    fn find_or_last_ok(self) -> Result<(), E> {
        let mut last = Ok(());
        for tried in self {
            last = tried;
            if last.is_ok() {
                break;
            }
        }
        last
    }
}

/// The energy up to a moment; edges that are on their way are waited for. Without it the sample has no energy.
fn counted(tally: &Tally, at: Instant) -> Option<Energy> {
    let end = now() + COUNTED_WITHIN;
    loop {
        let energy = tally.energy(at);
        if energy.is_some() || now() >= end {
            return energy;
        }
        time::sleep(Span::from_millis(5));
    }
}

/// Samples at the interval.
pub(super) fn reference<R: Reference>(
    mut reference: R,
    tally: Option<&Tally>,
    interval: Span,
    ended: &AtomicBool,
    events: &Sender<Event>,
) {
    let mut bad = 0;
    let mut next = now();
    while !ended.load(Ordering::Relaxed) {
        match reference.sample() {
            Ok(mut sample) => {
                bad = 0;
                if let Some(tally) = tally {
                    sample.energy = counted(tally, sample.taken);
                }
                if events.send(Event::Sample(sample.into())).is_err() {
                    return;
                }
            }
            Err(why) => {
                bad += 1;
                if bad >= BAD_MAX {
                    let _ = events.send(Event::Fault { device: Device::Reference, what: why.to_string() });
                    return;
                }
            }
        }
        next = (next + interval).max(now());
        time::sleep(next - now());
    }
}

/// Edges as they come.
pub(super) fn counter(mut counter: Counter, input: Input, ended: &AtomicBool, events: &Sender<Event>) {
    let device = if input == Input::Meter { Device::Pulse } else { Device::SecondsPulse };
    let mut bad = 0;
    while !ended.load(Ordering::Relaxed) {
        let event = match counter.listen() {
            Ok(Told::Alive) => continue,
            Ok(Told::Edge(edge)) => {
                bad = 0;
                Event::Edge(edge)
            }
            Ok(Told::Lost(what)) => Event::Lost { input, what },
            Err(fault @ StreamFault::Garbage { .. }) if bad + 1 < BAD_MAX => {
                bad += 1;
                Event::Lost { input, what: fault.to_string() }
            }
            Err(fault) => {
                let _ = events.send(Event::Fault { device, what: fault.to_string() });
                return;
            }
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// What the meter's worker is to do.
pub(super) enum Talk {
    /// Ask.
    Query(Query),
    /// Begin or end a transaction, or fetch its record.
    Transact(Deed, String),
    /// Put the seconds pulse on the multi-function output.
    SwitchSecondsPulse,
}

/// Answers, one question at a time.
pub(super) fn meter(mut client: Box<dyn Meter>, queue: &Receiver<Talk>, events: &Sender<Event>) {
    // A question that this meter has answered before.
    let mut known = None;
    while let Ok(talk) = queue.recv() {
        let query = match talk {
            Talk::Query(query) => query,
            Talk::Transact(deed, id) => {
                let told = client.transactions().map_or_else(
                    || Transacted::refused(deed, &id, now(), "it signs nothing".to_owned()),
                    |meter| meter.transact(deed, &id),
                );
                if events.send(Event::Transacted(told.into())).is_err() {
                    return;
                }
                continue;
            }
            Talk::SwitchSecondsPulse => {
                if events.send(switch(client.as_mut(), known)).is_err() {
                    return;
                }
                continue;
            }
        };
        let event = match client.read(query) {
            Ok(answer) => {
                known = known.or(Some(query));
                Event::Answer(answer.into())
            }
            Err(fault @ meter::Fault::NotInProfile { .. }) => {
                Event::Answer(absent(query, fault.to_string()).into())
            }
            // Many meters are silent to what they do not have, or send what their model does not say. One that still
            // answers the question it knew is there; it lacks this item, and that is no fault of the bench.
            Err(fault)
                if !matches!(fault, meter::Fault::Line(_))
                    && known.is_some_and(|known| client.read(known).is_ok()) =>
            {
                Event::Answer(absent(query, fault.to_string()).into())
            }
            Err(fault) => Event::Fault { device: Device::Meter, what: fault.to_string() },
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Tells the meter to give its seconds pulse. One that is silent to that and still answers the question it knew lacks the
/// function, and that is no fault of the bench.
fn switch(client: &mut dyn Meter, known: Option<Query>) -> Event {
    let asked = now();
    let Some(outputs) = client.outputs() else {
        return Event::Switched(
            Switched::refused(asked, now(), "its protocol has no command for it".into()).into(),
        );
    };
    match outputs.seconds_pulse() {
        Ok(switched) => Event::Switched(switched.into()),
        Err(fault)
            if !matches!(fault, meter::Fault::Line(_))
                && known.is_some_and(|known| client.read(known).is_ok()) =>
        {
            Event::Switched(Switched::refused(asked, now(), fault.to_string()).into())
        }
        Err(fault) => Event::Fault { device: Device::Meter, what: fault.to_string() },
    }
}

/// What the meter's model has no item for is absent, without a byte on the line.
pub(crate) fn absent(query: Query, why: String) -> Answer {
    Answer::absent(query, now(), why)
}

/// A flag that ends the workers.
pub(super) type Ended = Arc<AtomicBool>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::heartbeat::{CONDUCTOR_GONE, Vital};
    use crate::quantity::{Current, Voltage};
    use crate::source::{Fault, Limits};
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    /// A source that panics at one of its calls, or refuses it; what reached it is in the log.
    struct Flaky {
        log: Log,
        calls: usize,
        at: usize,
        panics: bool,
    }

    impl Flaky {
        fn call(&mut self, command: &'static str) -> Result<(), Fault> {
            self.calls += 1;
            if self.calls == self.at {
                assert!(!self.panics, "on purpose");
                return Err(Fault::Limit("on purpose".into()));
            }
            self.log.lock().unwrap().push(command);
            Ok(())
        }
    }

    impl Source for Flaky {
        fn set(&mut self, _: Load) -> Result<(), Fault> {
            self.call("set")
        }
        fn off(&mut self) -> Result<(), Fault> {
            self.call("off")
        }
        fn check(&mut self) -> Result<(), Fault> {
            self.call("check")
        }
    }

    fn load(amperes: f64) -> Load {
        Load { voltage_v: Voltage::from_volts(50.0), current_a: Current::from_amperes(amperes) }
    }

    #[test]
    fn wherever_the_sources_worker_panics_or_is_refused_the_last_command_is_off_and_the_heartbeat_stops() {
        for at in 2..12 {
            for panics in [false, true] {
                for sets in 0..6 {
                    let log = Log::default();
                    let flaky = Flaky { log: Arc::clone(&log), calls: 0, at, panics };
                    let guard = Guard::new(flaky).unwrap();
                    let vital = Arc::new(Vital::new(now()));
                    let (orders, queue) = channel();
                    for n in 0..sets {
                        orders.send(Order::Set(load(f64::from(n) + 1.0))).unwrap();
                    }
                    if sets % 2 == 0 {
                        orders.send(Order::Off).unwrap();
                    }
                    drop(orders);
                    let (events, came) = channel();
                    let needed = Needed(Arc::clone(&vital));
                    let worker = spawn(Device::Source, events, move |events| {
                        source(guard, &queue, &AtomicBool::new(false), &needed, events);
                    });
                    worker.join().unwrap();
                    let case = format!("call {at}, panics {panics}, {sets} loads: {:?}", log.lock().unwrap());
                    assert_eq!(log.lock().unwrap().last(), Some(&"off"), "{case}");
                    assert!(!vital.is_well(now()), "{case}");
                    let faults = came.iter().filter(|e| matches!(e, Event::Fault { .. })).count();
                    assert!(faults <= 1, "{case}");
                }
            }
        }
    }

    #[test]
    fn a_conductor_that_looks_no_more_does_not_leave_a_load_behind() {
        let log = Log::default();
        let flaky = Flaky { log: Arc::clone(&log), calls: 0, at: 0, panics: false };
        let guard = Guard::new(flaky).unwrap();
        // It has not looked for most of the time already; the orders stay open, as they do where it hangs.
        let looked = now() - (CONDUCTOR_GONE - Span::from_millis(300));
        let (off, vital) = (Arc::new(AtomicBool::new(false)), Arc::new(Vital::new(now())));
        vital.conductor_looked(looked);
        let (orders, queue) = channel();
        let (events, came) = channel();
        orders.send(Order::Set(load(1.0))).unwrap();
        let (up, needed) = (Arc::clone(&off), Needed(Arc::clone(&vital)));
        let worker = spawn(Device::Source, events, move |events| source(guard, &queue, &up, &needed, events));
        let came: Vec<Event> = came.iter().take(3).collect();
        assert!(matches!(came[0], Event::SourceSet(_)), "{came:?}");
        assert!(matches!(&came[1], Event::Fault { what, .. } if what.contains("nobody looks")), "{came:?}");
        assert_eq!(came[2], Event::SourceOff);
        assert!(off.load(Ordering::SeqCst));
        assert_eq!(log.lock().unwrap().last(), Some(&"off"));
        drop(orders);
        worker.join().unwrap();
    }

    #[test]
    fn off_in_the_middle_of_a_ramp_stops_it_there() {
        let log = Log::default();
        let flaky = Flaky { log: Arc::clone(&log), calls: 0, at: 0, panics: false };
        let limits = Limits { ramp_a_per_s: Some(0.001), ..Limits::default() };
        let guard = Guard::new(flaky).unwrap().within(limits);
        let (off, needed) = (AtomicBool::new(true), Needed(Arc::new(Vital::new(now()))));
        let (orders, queue) = channel();
        let (events, _came) = channel();
        let mut guard = guard;
        assert_eq!(raise(&mut guard, Load::OFF, load(600.0), &off, &needed), Ok(false));
        orders.send(Order::Set(load(600.0))).unwrap();
        orders.send(Order::Off).unwrap();
        drop(orders);
        source(guard, &queue, &off, &needed, &events);
        assert!(!log.lock().unwrap().contains(&"set"), "{:?}", log.lock().unwrap());
        assert_eq!(log.lock().unwrap().last(), Some(&"off"));
    }
}
