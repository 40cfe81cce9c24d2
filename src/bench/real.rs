//! The bench of real devices: one worker each, one stream of events.

use super::devices::Devices;
use super::heartbeat::{self, Needed, Vital};
use super::workers::{self, Ended, Order, Talk};
use super::{Bench, Stopper, Waited, watch};
use crate::pulse::Input;
use crate::run::{Action, Device, Event};
use crate::time::{Instant, Span, now};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

/// The longest wait before somebody may stop the run: a person must not wait for the red button.
const SLICE: Span = Span::from_millis(50);

/// Devices at work.
pub struct Real {
    events: Receiver<Event>,
    source: Option<Sender<Order>>,
    source_worker: Option<JoinHandle<()>>,
    meter: Option<Sender<Talk>>,
    own: Sender<Event>,
    ended: Ended,
    /// Up from the first off on; the source's worker sets no load any more.
    off: Ended,
    /// Signs of life for the heartbeat.
    vital: Arc<Vital>,
}

impl Real {
    pub(super) fn start(devices: Devices) -> Self {
        let Devices {
            source,
            reference,
            reference_profile,
            pulse,
            seconds,
            meter,
            board,
            tally,
            heartbeat,
            ..
        } = devices;
        let (own, events) = channel();
        let ended = Ended::default();
        let (orders, order_queue) = channel();
        let off = Ended::default();
        let vital = Arc::new(Vital::new(now()));
        let (flag, needed) = (Arc::clone(&off), Needed(Arc::clone(&vital)));
        let source_worker = workers::spawn(Device::Source, own.clone(), move |events| {
            workers::source(source, &order_queue, &flag, &needed, events);
        });
        if let Some(mut beat) = heartbeat {
            let (flag, alive) = (Arc::clone(&ended), Arc::clone(&vital));
            workers::spawn(Device::Heartbeat, own.clone(), move |events| {
                if let Err(what) = heartbeat::run(beat.as_mut(), &alive, &flag) {
                    let _ = events.send(Event::Fault { device: Device::Heartbeat, what });
                }
            });
        }
        if let Some((board, roles)) = board {
            let (flag, counted, off) = (Arc::clone(&ended), tally.clone(), Arc::clone(&off));
            let device = if roles.iter().any(|role| matches!(role, super::board::Role::Pulses { .. })) {
                Device::Pulse
            } else {
                Device::Interlock
            };
            workers::spawn(device, own.clone(), move |events| {
                watch::run(board, &roles, counted.as_deref(), (&off, &flag), events);
            });
        }
        let flag = Arc::clone(&ended);
        let interval = reference_profile.interval();
        workers::spawn(Device::Reference, own.clone(), move |events| {
            workers::reference(reference, tally.as_deref(), interval, &flag, events);
        });
        let counters =
            [(pulse, Input::Meter, Device::Pulse), (seconds, Input::Seconds, Device::SecondsPulse)];
        for (counter, input, device) in counters {
            if let Some(counter) = counter {
                let flag = Arc::clone(&ended);
                workers::spawn(device, own.clone(), move |events| {
                    workers::counter(counter, input, &flag, events);
                });
            }
        }
        let meter = meter.map(|client| {
            let (talks, queue) = channel();
            workers::spawn(Device::Meter, own.clone(), move |events| {
                workers::meter(client, &queue, events);
            });
            talks
        });
        Self {
            events,
            source: Some(orders),
            source_worker: Some(source_worker),
            meter,
            own,
            ended,
            off,
            vital,
        }
    }

    fn order(&self, order: Order) {
        // A worker that is gone has told its fault already; a second one does no harm.
        if self.source.as_ref().is_none_or(|source| source.send(order).is_err()) {
            self.fault(Device::Source, "its worker is gone".into());
        }
    }

    fn talk(&self, talk: Talk) {
        if self.meter.as_ref().is_none_or(|meter| meter.send(talk).is_err()) {
            self.fault(Device::Meter, "there is no line to it".into());
        }
    }

    fn fault(&self, device: Device, what: String) {
        let _ = self.own.send(Event::Fault { device, what });
    }
}

impl Bench for Real {
    fn now(&self) -> Instant {
        now()
    }

    fn act(&mut self, action: Action) {
        // Whoever orders is there: a slow disk before the first order must not look like a dead conductor behind it.
        self.vital.conductor_looked(now());
        match action {
            Action::SetSource(load) => self.order(Order::Set(load)),
            Action::SourceOff => {
                self.off.store(true, Ordering::SeqCst);
                self.order(Order::Off);
            }
            Action::Ask(query) => self.talk(Talk::Query(query)),
            Action::Transact { order, id } => self.talk(Talk::Transact(order, id)),
            Action::SwitchSecondsPulse => self.talk(Talk::SwitchSecondsPulse),
            Action::AskOpinion { count } => self.order(Order::Opinion { count }),
            Action::StopHeartbeat => self.vital.stop(),
        }
    }

    fn wait(&mut self, until: Option<Instant>) -> Waited {
        self.vital.conductor_looked(now());
        let left = until.map_or(SLICE, |until| until - now());
        match self.events.recv_timeout(left.min(SLICE).to_std()) {
            Ok(event) => Waited::Event(event),
            Err(RecvTimeoutError::Timeout) if left <= SLICE && until.is_some() => Waited::Due,
            Err(_) => Waited::Nothing,
        }
    }

    fn stopper(&self) -> Option<Stopper> {
        let own = self.own.clone();
        Some(Box::new(move |why| {
            let _ = own.send(Event::Abort { why: why.to_owned() });
        }))
    }
}

impl Drop for Real {
    /// Ends the workers; returns only when the source's has switched off.
    fn drop(&mut self) {
        // Up before the orders end: a ramp on its way is not finished first, and nothing in the queue is set.
        self.off.store(true, Ordering::SeqCst);
        self.meter = None;
        self.source = None;
        if let Some(worker) = self.source_worker.take() {
            let _ = worker.join();
        }
        // Only now: whoever watches the load must not end before it is off.
        self.ended.store(true, Ordering::Relaxed);
    }
}
