//! Between the screen and the program: plain values and commands, over channels. The screen never waits for the other side,
//! and the other side wakes the screen when there is something new.
//!
//! [`Port`] is the screen's end, [`Backstage`] the program's. What is asked is an [`Order`], what comes back is [`News`]. The run
//! under way stands in one place that is written over at each look ([`Live`]): a screen that is slow sees the latest, never
//! a queue. STOP goes past all of it: a flag that whoever conducts the run asks at each turn.

use super::desk::port::{Ask, Told};
use super::draft::{Draft, Job};
use super::values::{Connection, Ended, Light, PhotoFile, PlanSeen, Sound, Waiting};
use crate::run::{Command, Snapshot};
use crate::time::{Instant, now};
use eframe::egui::{Context, ViewportCommand};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the screen asks of the program.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// The self test.
    TestSelf,
    /// What could be verified.
    ListJobs,
    /// What a crash or a power failure has left.
    FindWaiting,
    /// The run that waits goes on.
    GoOn {
        /// The meter's serial number, read from the nameplate again, where it cannot say who it is.
        serial: Option<String>,
    },
    /// The run that waits ends without a verdict.
    CloseWaiting,
    /// The meter or charger of this number, scanned or typed.
    Find(String),
    /// The meter says over its data output who it is.
    ReadMeter(Box<Draft>),
    /// A plan, or why there is none.
    Plan(Box<Draft>),
    /// The low-level look at the wiring.
    Connect(Box<Draft>),
    /// The verification.
    Verify(Box<Draft>),
    /// Pictures that can be taken over.
    ListPhotos,
    /// A picture by the camera.
    TakePhoto,
    /// The screen has locked itself: does anybody have a PIN that opens it?
    Locked,
    /// The PIN that opens the locked screen.
    Unlock {
        /// As typed.
        pin: String,
    },
    /// A sound.
    Play(Sound),
    /// Something for the desk.
    Desk(Ask),
}

impl Order {
    /// Whether it needs the bench, as the only one.
    const fn takes_the_bench(&self) -> bool {
        matches!(
            self,
            Self::ReadMeter(_) | Self::Connect(_) | Self::Verify(_) | Self::GoOn { .. } | Self::CloseWaiting
        )
    }
}

/// What the program tells the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// The self test's lights.
    Lights(Vec<Light>),
    /// What could be verified.
    Jobs(Vec<Job>),
    /// What a crash or a power failure has left.
    Left {
        /// The run that waits.
        waiting: Option<Box<Waiting>>,
        /// What was set right, in the program's English.
        words: Vec<String>,
        /// Whether the data folder could say whether a run waits.
        is_known: bool,
    },
    /// What is known of a number.
    Found {
        /// The number.
        number: String,
        /// The meter with its last visit; none where nothing is known of it.
        job: Option<Box<Job>>,
    },
    /// What the meter said of itself, in words, with the serial number where it gave one.
    MeterRead(Result<(Option<String>, Vec<String>), String>),
    /// The plan.
    Planned(Result<Box<PlanSeen>, String>),
    /// What came of the look at the wiring.
    Connected(Connection),
    /// The verification has ended, and what was written.
    Ended(Box<Ended>),
    /// Pictures that can be taken over.
    Photos(Result<Vec<PhotoFile>, String>),
    /// A picture was taken.
    Photo(Result<PhotoFile, String>),
    /// Whether the PIN opens the screen; it opens too where nobody has one.
    Unlocked(Result<(), String>),
    /// Something for the desk.
    Desk(Told),
}

/// The run under way as it was seen last.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its state.
    pub snapshot: Snapshot,
    /// When it was looked at, by this machine's own clock.
    pub looked: Instant,
    /// Whether it is only the look at the wiring.
    pub only_wiring: bool,
}

/// Ends a run past the turns of its conductor, with the reason why; from any thread.
pub type Stopper = Box<dyn Fn(&str) + Send>;

/// What both ends hold.
#[derive(Default)]
struct Shared {
    live: Mutex<Option<Arc<Live>>>,
    command: Mutex<Option<Command>>,
    /// The fast way for STOP.
    stopper: Mutex<Option<Stopper>>,
    context: Mutex<Option<Context>>,
    /// When the screen was drawn last, in nanoseconds of our clock.
    drawn: AtomicI64,
}

/// A value that nobody leaves half written: a thread that broke down while holding it does no harm.
fn hold<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The screen's end.
pub struct Port {
    orders: Sender<Order>,
    news: Receiver<News>,
    shared: Arc<Shared>,
}

/// The program's end; each of its threads has one.
#[derive(Clone)]
pub struct Backstage {
    news: Sender<News>,
    shared: Arc<Shared>,
}

/// The two ends, and the orders as they come in.
pub fn pair() -> (Port, Backstage, Receiver<Order>) {
    let (orders, ordered) = channel();
    let (told, news) = channel();
    let shared = Arc::new(Shared::default());
    let backstage = Backstage { news: told, shared: Arc::clone(&shared) };
    (Port { orders, news, shared }, backstage, ordered)
}

impl Port {
    /// Asks something. False: nobody is there any more.
    pub fn order(&self, order: Order) -> bool {
        if order.takes_the_bench() {
            // No command is left over from what was before; one that comes from now on counts.
            *hold(&self.shared.command) = None;
        }
        !matches!(self.orders.send(order), Err(SendError(_)))
    }

    /// Orders what is conducted. Nothing is left of the run before, neither its picture nor its command: what is commanded
    /// from here on is meant for this one, also while its bench is being opened.
    pub fn begin(&self, order: Order) -> bool {
        *hold(&self.shared.command) = None;
        self.forget();
        self.order(order)
    }

    /// Commands the run under way, or the one that is being opened; the first command stands. STOP does not wait for anybody's turn.
    pub fn command(&self, command: Command) {
        let Command::Stop { why } = command.clone();
        let mut before = hold(&self.shared.command);
        if before.is_none() {
            *before = Some(command);
            if let Some(stop) = hold(&self.shared.stopper).as_ref() {
                stop(&why);
            }
        }
    }

    /// What has come, oldest first.
    pub fn news(&self) -> impl Iterator<Item = News> + '_ {
        self.news.try_iter()
    }

    /// The run under way.
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        hold(&self.shared.live).clone()
    }

    /// What was seen of the last run is not shown any more.
    pub(super) fn forget(&self) {
        *hold(&self.shared.live) = None;
    }

    /// The screen that is to be woken.
    pub(super) fn attach(&self, context: &Context) {
        *hold(&self.shared.context) = Some(context.clone());
    }

    /// The screen is there: it was drawn now.
    pub(super) fn drawn(&self) {
        self.shared.drawn.store(now().nanos(), Ordering::Relaxed);
    }
}

impl Backstage {
    /// Tells the screen something. A screen that has gone hears nothing.
    pub fn tell(&self, news: News) {
        let _ = self.news.send(news);
        self.wake();
    }

    /// Shows how the run is now; none: there is none.
    pub fn show(&self, live: Option<Live>) {
        *hold(&self.shared.live) = live.map(Arc::new);
        self.wake();
    }

    /// How a run is ended past the turns of its conductor; none: there is no such way, or no run.
    pub fn arm(&self, stopper: Option<Stopper>) {
        *hold(&self.shared.stopper) = stopper;
    }

    /// What was commanded.
    pub fn command(&self) -> Option<Command> {
        hold(&self.shared.command).clone()
    }

    /// Commands the run from behind the screen: a signal, an end of the program.
    pub fn put_command(&self, command: Command) {
        hold(&self.shared.command).get_or_insert(command);
    }

    /// When the screen was drawn last.
    pub fn drawn(&self) -> Instant {
        Instant::from_nanos(self.shared.drawn.load(Ordering::Relaxed))
    }

    /// Closes the window.
    pub fn close(&self) {
        if let Some(context) = hold(&self.shared.context).clone() {
            context.send_viewport_cmd(ViewportCommand::Close);
        }
        self.wake();
    }

    fn wake(&self) {
        let context = hold(&self.shared.context).clone();
        if let Some(context) = context {
            context.request_repaint();
        }
    }
}
