//! `phantomload` and `phantomload screen`: the touchscreen, and behind it threads that do what it asks.

mod desk;
mod house;
mod jobs;
mod photo;
mod result;
mod sound;
mod visit;
mod waiting;

use super::panel::Panel;
use super::verify::{Pace, pace, stop_flag};
use super::{Data, Ended, Stop, Task, selftest};
use phantomload::archive;
use phantomload::bench::Description;
use phantomload::plan::Entries;
use phantomload::run::Command;
use phantomload::screen::desk::port::Told;
use phantomload::screen::port::{Backstage, News, Order, pair};
use phantomload::screen::token::Theme;
use phantomload::screen::values::{Connection, Ended as Finished, Light, State};
use phantomload::screen::{Hooks, Language, Options, open};
use phantomload::time::{Span, Stamp, sleep};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// So often it is looked whether the system wants the program to end.
const LOOK_EVERY: Span = Span::from_millis(200);
/// A wrong PIN keeps the next one waiting so long for each before it, at most a minute.
const WRONG_PIN: Span = Span::from_secs(2);
const WRONG_PIN_MAX: u32 = 30;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    data: Data,
    /// Size of the window in pixels, such as 800x480; left out: the whole display
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
    /// The first language: zh or en
    #[arg(long, default_value = "zh", value_parser = language)]
    language: Language,
    /// The first theme: light, dark, or sun (high contrast)
    #[arg(long, default_value = "light", value_parser = theme)]
    theme: Theme,
    /// Pace of the simulated bench: `max`, or a multiple of real time
    #[arg(long, value_name = "max|N", default_value = "1", value_parser = pace, allow_negative_numbers = true)]
    pace: Pace,
    /// Seed of the simulated bench's chances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The screen is locked after so many minutes without a touch, where a person has a PIN; 0: never
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    lock_after: u32,
    /// Folder in which photographs are looked for [default: `photos` in the data folder]
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// For a test: the screen's thread hangs in a run as long as this file exists
    #[arg(long, value_name = "FILE", hide = true)]
    freeze_while: Option<PathBuf>,
    /// For a test: when the first frame was there and how long all took
    #[arg(long, value_name = "FILE", hide = true)]
    frame_times: Option<PathBuf>,
    /// For a test: it is painted without a pause as long as this file exists, and how long each frame took on the whole is kept
    #[arg(long, value_name = "FILE", hide = true)]
    paint_while: Option<PathBuf>,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match sides {
        Some((w, h)) if (320..=7680).contains(&w) && (320..=7680).contains(&h) => Ok((w, h)),
        _ => Err(format!("`{text}` is no size; write it like 800x480, each side from 320 to 7680")),
    }
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "zh" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        _ => Err("zh or en".into()),
    }
}

fn theme(text: &str) -> Result<Theme, String> {
    match text {
        "light" => Ok(Theme::Light),
        "dark" => Ok(Theme::Dark),
        "sun" => Ok(Theme::Sun),
        _ => Err("light, dark or sun".into()),
    }
}

/// What every thread behind the screen has.
pub(super) struct Program {
    arguments: Arguments,
    dir: PathBuf,
    backstage: Backstage,
    /// The system wants the program to end.
    ending: Arc<AtomicBool>,
    /// The bench is at work: only one may be.
    busy: AtomicBool,
    desk: desk::Desk,
    /// The status panel of the bench file: it shows what is done here, and that the tester waits.
    panel: Mutex<Panel>,
}

/// Opens the screen.
pub fn run(arguments: Arguments) -> Ended {
    let dir = arguments.data.dir()?;
    let kind = arguments.task.kind.parse().map_err(Stop::input)?;
    let ending = stop_flag()?;
    // A wrong bench file or regulation is told here, and not on the third page.
    let simulated = arguments.task.bench == "simulated";
    let description = if simulated {
        None
    } else {
        Some(Description::load(Path::new(&arguments.task.bench)).map_err(Stop::input)?)
    };
    super::inputs::regulation(&arguments.task.regulation)?;
    let simulated = description.as_ref().is_none_or(Description::is_simulated);
    let entries = match &arguments.task.entries {
        Some(path) => {
            let text = super::inputs::read(path)?;
            Entries::from_toml(&path.display().to_string(), &text).map_err(Stop::input)?
        }
        None if simulated => Entries::simulated(),
        None => Entries::default(),
    };
    // What a file says was seen of one meter; the simulated bench has nothing to look at, whatever meter is on it.
    let later = if arguments.task.entries.is_none() {
        entries.clone()
    } else {
        Entries {
            operator: entries.operator.clone(),
            customer: entries.customer.clone(),
            customer_address: entries.customer_address.clone(),
            site: entries.site.clone(),
            ..Entries::default()
        }
    };
    let lock = Some(arguments.lock_after).filter(|minutes| *minutes > 0);
    let options = Options {
        size: arguments.size,
        language: arguments.language,
        theme: arguments.theme,
        lock_after: lock.map(|minutes| Span::from_secs(i64::from(minutes) * 60)),
        kind,
        entries,
        later,
        bench: bench_name(&arguments),
        simulated,
        hooks: Hooks {
            freeze_while: arguments.freeze_while.clone(),
            frame_times: arguments.frame_times.clone(),
            paint_while: arguments.paint_while.clone(),
        },
    };
    let (port, backstage, orders) = pair();
    let program = Arc::new(Program {
        arguments,
        dir,
        backstage: backstage.clone(),
        ending,
        busy: AtomicBool::new(false),
        desk: desk::Desk::default(),
        panel: Mutex::new(Panel::of_bench(description.as_ref())),
    });
    let worker = {
        let program = Arc::clone(&program);
        std::thread::spawn(move || serve(&program, &orders))
    };
    let opened = open(options, port);
    // The window is gone: nobody can press STOP any more.
    backstage.put_command(Command::Stop { why: "the screen was closed".into() });
    let _ = worker.join();
    opened.map_err(Stop::fault)?;
    Ok(0)
}

/// The bench in a word: its file's folder or name.
fn bench_name(arguments: &Arguments) -> String {
    if arguments.task.bench == "simulated" {
        return String::new();
    }
    let path = Path::new(&arguments.task.bench);
    let folder = path.parent().and_then(Path::file_name);
    folder.or(path.file_name()).map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// Takes orders until the screen is gone, and then waits until the bench is off.
fn serve(program: &Arc<Program>, orders: &Receiver<Order>) {
    let mut works: Vec<JoinHandle<()>> = vec![];
    let mut wrong_pins = 0;
    loop {
        match orders.recv_timeout(LOOK_EVERY.to_std()) {
            Ok(Order::Unlock { pin }) => unlock(program, &pin, &mut wrong_pins),
            Ok(Order::Locked) if !is_somebody(&program.dir) => {
                program.backstage.tell(News::Unlocked(Ok(())));
            }
            Ok(Order::Locked) => {}
            // Before anything that needs the data folder for itself. Where it breaks down the screen goes on being served.
            Ok(Order::FindWaiting) => {
                if let Err(what) = unbroken(|| program.find_waiting()) {
                    let words = vec![NotDone::BrokeDown(what).to_string()];
                    program.backstage.tell(News::Left { waiting: None, words, is_known: false });
                }
            }
            Ok(order) => {
                let program = Arc::clone(program);
                works.push(std::thread::spawn(move || program.handle(order)));
            }
            Err(RecvTimeoutError::Timeout) => {
                if program.ending.load(Ordering::SeqCst) && !program.busy.load(Ordering::SeqCst) {
                    program.backstage.close();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        works.retain(|work| !work.is_finished());
    }
    for work in works {
        let _ = work.join();
    }
}

/// Whether anybody could open a locked screen. Where that cannot be read there is somebody: nobody opens it by breaking it.
fn is_somebody(dir: &Path) -> bool {
    dir.exists()
        && archive::persons(dir).map_or(true, |persons| persons.iter().any(|person| !person.disabled))
}

/// Does something; `Err`: it broke down, and with what words.
fn unbroken<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        words.or_else(|| panic.downcast_ref().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
    })
}

/// Why something that needs the bench was not done.
#[derive(Debug, thiserror::Error)]
enum NotDone {
    #[error("the bench is at work; wait until it is done")]
    Busy,
    #[error(
        "a bug in this program: it broke down at it ({0}). The source was told off as it was let go of, and nobody has seen it go off"
    )]
    BrokeDown(String),
}

impl NotDone {
    /// As the end of a run.
    fn ended(self) -> Finished {
        match self {
            Self::Busy => result::not_begun(self.to_string()),
            Self::BrokeDown(_) => result::not_ended(self.to_string()),
        }
    }

    /// As what came of a look at the wiring.
    fn connection(self) -> Connection {
        match self {
            Self::Busy => Connection::NotOpened(self.to_string()),
            Self::BrokeDown(_) => Connection::NotSafe { why: self.to_string(), danger: String::new() },
        }
    }
}

/// The bench is at work as long as it lives, and not after, however the work ends.
struct AtWork<'a>(&'a Program);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.backstage.arm(None);
        self.0.busy.store(false, Ordering::SeqCst);
    }
}

fn unlock(program: &Program, pin: &str, wrong: &mut u32) {
    let answer = match archive::who_has_pin(&program.dir, pin) {
        Ok(Some(_)) => {
            *wrong = 0;
            Ok(())
        }
        Ok(None) => {
            *wrong = (*wrong + 1).min(WRONG_PIN_MAX);
            sleep(WRONG_PIN * f64::from(*wrong));
            Err("wrong PIN".to_owned())
        }
        Err(fault) => Err(fault.to_string()),
    };
    program.backstage.tell(News::Unlocked(answer));
}

impl Program {
    fn handle(&self, order: Order) {
        let tell = |news| self.backstage.tell(news);
        match order {
            // Asked for whenever the first page is shown.
            Order::TestSelf => {
                if !self.busy.load(Ordering::SeqCst) {
                    self.panel().ready();
                }
                tell(News::Lights(self.lights()));
            }
            Order::ListJobs => tell(News::Jobs(self.jobs())),
            Order::Find(number) => {
                let job = self.find(&number).map(Box::new);
                tell(News::Found { number, job });
            }
            Order::ReadMeter(draft) => {
                let read = self.alone(|| self.read_meter(&draft));
                tell(News::MeterRead(read.unwrap_or_else(|not_done| Err(not_done.to_string()))));
            }
            Order::Plan(draft) => tell(News::Planned(self.plan(&draft).map(Box::new))),
            Order::Connect(draft) => {
                let seen = self.alone(|| self.connect(&draft));
                tell(News::Connected(seen.unwrap_or_else(NotDone::connection)));
            }
            Order::Verify(draft) => self.end_with(|| self.verify(&draft)),
            Order::GoOn { serial } => self.end_with(|| self.go_on(serial.as_deref())),
            Order::CloseWaiting => self.end_with(|| self.close_waiting()),
            Order::ListPhotos => tell(News::Photos(photo::list(&self.photos()))),
            Order::TakePhoto => tell(News::Photo(photo::take(&self.photos()))),
            Order::Play(which) => sound::play(which),
            Order::Desk(ask) => {
                let ticket = ask.ticket();
                let done = unbroken(|| self.desk.handle(&self.dir, ask, &|told| tell(News::Desk(told))));
                // Whoever waits for it waits no longer.
                if let (Err(what), Some(ticket)) = (done, ticket) {
                    let why = format!(
                        "a bug in this program: it broke down at it ({what}). Look whether it was done"
                    );
                    tell(News::Desk(Told::Done(ticket, Err(why))));
                }
            }
            // Answered in the order in which they come.
            Order::Unlock { .. } | Order::Locked | Order::FindWaiting => {}
        }
    }

    pub(super) fn photos(&self) -> PathBuf {
        self.arguments.photos.clone().unwrap_or_else(|| self.dir.join("photos"))
    }

    fn panel(&self) -> MutexGuard<'_, Panel> {
        self.panel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what needs the bench, as the only one. What breaks down at it takes nobody with it.
    fn alone<T>(&self, work: impl FnOnce() -> T) -> Result<T, NotDone> {
        if self.busy.swap(true, Ordering::SeqCst) {
            return Err(NotDone::Busy);
        }
        let _at_work = AtWork(self);
        unbroken(work).map_err(|what| {
            let broke = NotDone::BrokeDown(what);
            self.panel().not_opened(&broke.to_string());
            broke
        })
    }

    /// Does what ends with a result page, and tells it.
    fn end_with(&self, work: impl FnOnce() -> Finished) {
        let ended = self.alone(work).unwrap_or_else(NotDone::ended);
        self.backstage.tell(News::Ended(Box::new(ended)));
    }

    fn lights(&self) -> Vec<Light> {
        let description = match self.arguments.task.bench.as_str() {
            "simulated" => None,
            file => Description::load(Path::new(file)).ok(),
        };
        let mut lights = selftest::lights(description.as_ref(), &self.dir, Stamp::now());
        lights.push(sound::light());
        lights.into_iter().map(light).collect()
    }
}

fn light(light: selftest::Light) -> Light {
    let state = match light.state {
        selftest::State::Good => State::Good,
        selftest::State::Unknown => State::Unknown,
        selftest::State::Care => State::Care,
        selftest::State::Bad => State::Bad,
    };
    let todo = light.todo.unwrap_or_default().to_owned();
    Light { what: light.what, state, seen: light.seen, todo }
}

#[cfg(test)]
mod tests;
