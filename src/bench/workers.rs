//! One worker a device: each owns its device, turns what it says into events, and ends with the run.

use crate::meter::{self, Answer, Meter, Query};
use crate::plan::Load;
use crate::pulse::Input;
use crate::pulse::stream::{Counter, Fault as StreamFault, Told};
use crate::reference::Reference;
use crate::run::{Device, Event};
use crate::source::{Guard, Source};
use crate::time::{self, Span, now};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

/// A source with nothing to do is asked this often whether it is still there.
const CHECK_EVERY: Span = Span::from_secs(1);
/// Off is tried so often before the failure stands.
const OFF_TRIES: usize = 3;
/// Bad samples or lines in a row after which a device does not work. One may be line noise; the gap rule of the
/// windows sees to it that a missing one spoils what it must.
const BAD_MAX: usize = 3;

/// An order to the source.
pub(super) enum Order {
    /// Bring this load.
    Set(Load),
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
    events: &Sender<Event>,
) {
    let fault = |what: String| {
        let _ = events.send(Event::Fault { device: Device::Source, what });
    };
    let mut told = false;
    loop {
        match orders.recv_timeout(CHECK_EVERY.to_std()) {
            Ok(Order::Set(_)) if off.load(Ordering::SeqCst) => {}
            Ok(Order::Set(load)) => match guard.set(load) {
                Ok(()) => {
                    let _ = events.send(Event::SourceSet(load));
                }
                Err(why) => fault(why.to_string()),
            },
            Ok(Order::Off) => {
                let tried = (0..OFF_TRIES).map(|_| guard.off()).find_or_last_ok();
                match tried {
                    Ok(()) => {
                        let _ = events.send(Event::SourceOff);
                    }
                    Err(why) => fault(format!("it did not take over OFF: {why}")),
                }
            }
            Err(RecvTimeoutError::Timeout) => match guard.check() {
                Ok(()) => told = false,
                Err(why) if !told => {
                    told = true;
                    fault(why.to_string());
                }
                Err(_) => {}
            },
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
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

/// Samples at the interval.
pub(super) fn reference<R: Reference>(
    mut reference: R,
    interval: Span,
    ended: &AtomicBool,
    events: &Sender<Event>,
) {
    let mut bad = 0;
    let mut next = now();
    while !ended.load(Ordering::Relaxed) {
        match reference.sample() {
            Ok(sample) => {
                bad = 0;
                if events.send(Event::Sample(sample)).is_err() {
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

/// Answers, one question at a time.
pub(super) fn meter(mut client: Box<dyn Meter>, queries: &Receiver<Query>, events: &Sender<Event>) {
    // A question that this meter has answered before.
    let mut known = None;
    while let Ok(query) = queries.recv() {
        let event = match client.read(query) {
            Ok(answer) => {
                known = known.or(Some(query));
                Event::Answer(answer)
            }
            Err(fault @ meter::Fault::NotInProfile { .. }) => Event::Answer(absent(query, fault.to_string())),
            // Many meters are silent to what they do not have, or send what their model does not say. One that still
            // answers the question it knew is there; it lacks this item, and that is no fault of the bench.
            Err(fault)
                if !matches!(fault, meter::Fault::Line(_))
                    && known.is_some_and(|known| client.read(known).is_ok()) =>
            {
                Event::Answer(absent(query, fault.to_string()))
            }
            Err(fault) => Event::Fault { device: Device::Meter, what: fault.to_string() },
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// What the meter's model has no item for is absent, without a byte on the line.
pub(crate) fn absent(query: Query, why: String) -> Answer {
    Answer::absent(query, now(), why)
}

/// A flag that ends the workers.
pub(super) type Ended = Arc<AtomicBool>;
