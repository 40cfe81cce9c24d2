//! The simulated bench in process: its clock jumps to the next thing that happens, so that ten minutes pass in
//! milliseconds, or runs at a chosen multiple of real time.

use super::slave::{SharedWorld, Slave, SlaveLink, hold};
use super::world::{Sight, World};
use crate::bench::{Bench, Waited};
use crate::link::Link;
use crate::link::fault_injector::{FaultInjector, Mischief};
use crate::meter::access::Described;
use crate::meter::output::Switched;
use crate::meter::transaction::{Order, Transacted};
use crate::meter::{self, Answer, Meter, Query};
use crate::plan::Load;
use crate::run::{Action, Device, Event};
use crate::time::{self, Instant, Span};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex};

/// From a command to the source's answer.
const COMMAND: Span = Span::from_millis(30);
/// From a question to the meter's whole answer.
const ANSWER: Span = Span::from_millis(120);
/// Longest rest at a chosen pace before somebody may stop the run.
const SLICE: Span = Span::from_millis(50);

/// Something that will have come in at a moment, in the order of asking.
struct Due {
    at: Instant,
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The bench and its world.
pub struct InProcess {
    world: SharedWorld,
    client: Option<Box<dyn Meter>>,
    now: Instant,
    /// Answers of source and meter on their way.
    due: BinaryHeap<Reverse<Due>>,
    order: u64,
    /// What the world has shown and was not told yet, in order of time.
    shown: VecDeque<(Instant, Event)>,
    sights: Vec<Sight>,
    /// The engine has asked for it.
    heart_stopped: bool,
    /// Real time for one second of the run; none: as fast as it goes.
    pace: Option<(f64, Instant, Instant)>,
}

impl InProcess {
    /// The bench of `world`. `meter` answers on its data output. `pace` is the multiple of real time, none for the
    /// fastest.
    pub fn new(world: World, meter: Option<(Slave, Described)>, pace: Option<f64>) -> Self {
        let (now, mischief) = (world.now(), world.mischief());
        let world: SharedWorld = Arc::new(Mutex::new(world));
        let client = meter.map(|(slave, described)| {
            described.over(line(SlaveLink::new(slave, Arc::clone(&world)), mischief))
        });
        let pace = pace.map(|factor| (factor, time::now(), now));
        Self {
            world,
            client,
            now,
            due: BinaryHeap::new(),
            order: 0,
            shown: VecDeque::new(),
            sights: vec![],
            heart_stopped: false,
            pace,
        }
    }

    /// Whether the source is at anything but off.
    pub fn is_live(&self) -> bool {
        hold(&self.world).is_live()
    }

    /// Whether the engine has stopped the heartbeat.
    pub fn is_heart_stopped(&self) -> bool {
        self.heart_stopped
    }

    fn later(&mut self, span: Span, event: Event) {
        self.order += 1;
        self.due.push(Reverse(Due { at: self.now + span, order: self.order, event }));
    }

    fn ask(&mut self, query: Query) {
        let Some(client) = &mut self.client else {
            return self.later(
                COMMAND,
                Event::Fault { device: Device::Meter, what: "there is no line to it".into() },
            );
        };
        // Its own clock does not jump: what it read a simulated minute ago looks new to it.
        client.forget();
        let answer = client.read(query);
        let taken = hold(&self.world).now();
        let event = match answer {
            // The bytes went through the real client; only the moment is the simulated clock's.
            Ok(answer) => Event::Answer(
                Answer { asked: self.now, taken, taken_half_width: ANSWER.half(), ..answer }.into(),
            ),
            Err(fault @ meter::Fault::NotInProfile { .. }) => {
                Event::Answer(Answer { taken, ..Answer::absent(query, self.now, fault.to_string()) }.into())
            }
            Err(fault) => Event::Fault { device: Device::Meter, what: fault.to_string() },
        };
        self.later(ANSWER, event);
    }

    fn transact(&mut self, order: Order, id: &str) {
        let (now, taken) = (self.now, hold(&self.world).now());
        let client = self.client.as_mut().and_then(|client| client.transactions());
        let told = client.map_or_else(
            || Transacted::refused(order, id, now, "it signs nothing".to_owned()),
            |client| client.transact(order, id),
        );
        let told = Transacted { asked: now, taken, taken_half_width: ANSWER.half(), ..told };
        self.later(ANSWER, Event::Transacted(told.into()));
    }

    fn switch(&mut self) {
        let asked = self.now;
        let switched = match self.client.as_mut().and_then(|client| client.outputs()) {
            None => Ok(Switched::refused(asked, asked, "its protocol has no command for it".into())),
            Some(outputs) => outputs.seconds_pulse(),
        };
        let event = match switched {
            Ok(switched) => Event::Switched(Switched { asked, done: asked + ANSWER, ..switched }.into()),
            Err(fault) => Event::Fault { device: Device::Meter, what: fault.to_string() },
        };
        self.later(ANSWER, event);
    }

    /// Lets the world run until it has shown something or has come to `until`.
    fn look(&mut self, until: Instant) {
        let mut world = hold(&self.world);
        while self.shown.is_empty() && world.now() < until {
            world.tick(until, &mut self.sights);
            for sight in self.sights.drain(..) {
                self.shown.push_back(match sight {
                    // Whatever the counter's clock says, it tells neither sooner nor later.
                    Sight::Edge(edge, came) => (came, Event::Edge(edge)),
                    Sight::Sample(sample) => (sample.taken, Event::Sample(sample.into())),
                    Sight::Overflow(input) => {
                        (world.now(), Event::Lost { input, what: "its buffer ran over".into() })
                    }
                });
            }
        }
    }

    /// Rests until real time has come as far as `at` at the chosen pace; false if that is still far.
    fn rest_until(&mut self, at: Instant) -> bool {
        let Some((factor, real_began, began)) = self.pace else { return true };
        let due = real_began + (at - began) * (1.0 / factor);
        let left = due - time::now();
        time::sleep(left.min(SLICE));
        left <= SLICE
    }
}

/// The line to the meter, with what happens to its bytes.
fn line(link: SlaveLink, mischief: Option<Mischief>) -> Box<dyn Link> {
    match mischief {
        Some(mischief) => Box::new(FaultInjector::new(link, mischief)),
        None => Box::new(link),
    }
}

impl Bench for InProcess {
    fn now(&self) -> Instant {
        self.now
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::SetSource(load) => {
                hold(&self.world).set_source(load);
                self.later(COMMAND, Event::SourceSet(load));
            }
            Action::SourceOff => {
                hold(&self.world).set_source(Load::OFF);
                self.later(COMMAND, Event::SourceOff);
            }
            Action::Ask(query) => self.ask(query),
            Action::Transact { order, id } => self.transact(order, &id),
            Action::SwitchSecondsPulse => self.switch(),
            // The bench in process has no other calculator.
            Action::AskOpinion { .. } => {}
            Action::StopHeartbeat => self.heart_stopped = true,
        }
    }

    fn wait(&mut self, until: Option<Instant>) -> Waited {
        let answer = self.due.peek().map(|Reverse(due)| due.at);
        let horizon = time::earliest(&[until, answer]).unwrap_or(self.now + Span::from_secs(1));
        self.look(horizon);
        let shown = self.shown.front().map(|(at, _)| *at);
        let next = time::earliest(&[shown, answer, until]).unwrap_or(horizon);
        if !self.rest_until(next) {
            return Waited::Nothing;
        }
        // A jittered edge may lie a little before what was told last; time does not go back for it.
        self.now = self.now.max(next);
        if shown.is_some_and(|at| at <= next)
            && let Some((_, event)) = self.shown.pop_front()
        {
            return Waited::Event(event);
        }
        if answer.is_some_and(|at| at <= next)
            && let Some(Reverse(due)) = self.due.pop()
        {
            return Waited::Event(due.event);
        }
        if until.is_some_and(|at| at <= next) { Waited::Due } else { Waited::Nothing }
    }
}
