//! The status panel of a bench file, driven by the commands that run and by what is begun on the touchscreen.

use super::inputs::{Chosen, Inputs};
use super::{Ended, Stop, print_text, say};
use phantomload::bench::Description;
use phantomload::bench::board;
use phantomload::certificate::record::{Outcome, Record};
use phantomload::machine::Machine;
use phantomload::panel::display::{self, Display};
use phantomload::panel::status::{Ending, How, Progress, Stage};
use phantomload::panel::{Shown, Status};
use phantomload::plan::Plan;
use phantomload::run::{Run, Snapshot};
use phantomload::time::{self, Instant, Span};
use phantomload::verdict::Verdict;
use std::cell::Cell;
use std::path::Path;

/// Looked at this often while a run goes on: its seconds change once a second.
const LOOK: Span = Span::from_millis(200);

/// The panel that a bench file names, or none: then nothing is shown.
pub struct Panel {
    shown: Option<Shown>,
    simulated: bool,
    address: Option<String>,
    /// Steps of the plan, and whether it is a pre-check's.
    plan: Cell<(usize, bool)>,
    /// It shows that nobody has seen the load go: that stays until somebody has.
    warns: Cell<bool>,
    next: Instant,
}

impl Panel {
    /// Of the bench that was chosen.
    pub fn of(inputs: &Inputs) -> Self {
        Self::of_bench(match &inputs.bench {
            Chosen::Simulated(_) => None,
            Chosen::Real(description) => Some(description),
        })
    }

    /// Of a bench file; none: the simulated bench, which has no panel.
    pub fn of_bench(description: Option<&Description>) -> Self {
        let named = description.and_then(|description| description.file.panel.clone());
        Self::new(named, description.is_none_or(Description::is_simulated))
    }

    /// The tester waits.
    pub fn ready(&self) {
        if !self.warns.get() {
            self.show(Stage::Ready);
        }
    }

    fn new(named: Option<board::Panel>, simulated: bool) -> Self {
        let address = named.as_ref().and_then(|_| Machine::address());
        let shown = named.map(|panel| {
            let language = panel.language;
            let open = move || match (panel.i2c, &panel.png) {
                (_, Some(path)) => Ok(Box::new(display::File { path: path.clone() }) as Box<dyn Display>),
                (bus, None) => display::oled(bus.unwrap_or(1), panel.address, panel.turned),
            };
            Shown::start(open, language)
        });
        Self {
            shown,
            simulated,
            address,
            plan: Cell::new((0, false)),
            warns: Cell::new(false),
            next: Instant::ZERO,
        }
    }

    fn show(&self, stage: Stage) {
        if let Stage::Ended(ending) = &stage {
            self.warns.set(!ending.safe);
        }
        let Some(shown) = &self.shown else { return };
        shown.show(Status { stage, simulated: self.simulated, address: self.address.clone() });
        if let Some(fault) = shown.fault() {
            say(&format!("{fault}. The run goes on without it"));
        }
    }

    /// The devices are opened.
    pub fn opening(&self) {
        self.show(Stage::Opening);
    }

    /// They could not be opened. That nothing is live was not seen.
    pub fn not_opened(&self, why: &str) {
        self.warn(why.to_owned(), "");
    }

    /// A run was interrupted and waits. That nothing is live was not seen.
    pub fn interrupted(&self, number: &str, why: &str) {
        self.warn(format!("interrupted: {why}"), number);
    }

    /// A look at the wiring has ended. The tester waits again, where the source was seen to be off.
    pub fn looked(&self, seen: &Snapshot) {
        if seen.safe_to_disconnect {
            self.warns.set(false);
            self.ready();
            return;
        }
        let why = match &seen.outcome {
            Some(Outcome::Aborted { why } | Outcome::Faulted { why }) => why.clone(),
            Some(Outcome::Completed) | None => "the source was not seen to go off".to_owned(),
        };
        self.warn(why, "");
    }

    fn warn(&self, why: String, number: &str) {
        let how = How::Faulted(why);
        self.show(Stage::Ended(Ending { how, number: number.to_owned(), safe: false }));
    }

    /// A run begins.
    pub fn begins(&self, plan: &Plan) {
        self.plan.set((plan.steps.len(), plan.pre_check));
    }

    /// Looks at the run.
    pub fn watch(&mut self, run: &Run, now: Instant) {
        let real = time::now();
        if self.shown.is_none() || real < self.next {
            return;
        }
        self.next = real + LOOK;
        let (steps, pre_check) = self.plan.get();
        self.show(Stage::Running(Progress::of(&run.snapshot(now), steps, pre_check)));
    }

    /// What came of it. It stays on the panel, also when the program has ended.
    pub fn ended(&self, record: &Record) {
        let number = record.certificate_no.as_ref().unwrap_or(&record.record_no).clone();
        let safe = record.results.switched_off.is_some_and(|off| off.is_safe());
        let of = |verdict| record.results.items.iter().filter(|item| item.verdict == verdict).count();
        let how = match (&record.outcome, record.plan.pre_check) {
            (Outcome::Completed, true) => {
                How::PreCheck { beyond: of(Verdict::Fail), undecided: of(Verdict::Undecided) }
            }
            (outcome, _) => How::of(outcome, record.results.verdict),
        };
        self.show(Stage::Ended(Ending { how, number, safe }));
    }

    /// Waits until the last picture stands.
    fn end(&mut self) {
        if let Some(fault) = self.shown.take().and_then(Shown::end) {
            say(&fault.to_string());
        }
    }
}

/// Shows that it is ready on the panel of a bench file.
pub fn try_out(bench: &Path) -> Ended {
    let description = Description::load(bench).map_err(Stop::input)?;
    let Some(named) = description.file.panel.clone() else {
        return Err(Stop::input(format!(
            "{} names no status panel: add [panel] with `i2c = 1`, the number of its bus",
            bench.display()
        )));
    };
    let place = match &named.png {
        Some(path) => path.display().to_string(),
        None => format!("/dev/i2c-{}, address {:#04x}", named.i2c.unwrap_or(1), named.address),
    };
    let mut panel = Panel::new(Some(named), description.is_simulated());
    panel.show(Stage::Ready);
    if let Some(fault) = panel.shown.take().and_then(Shown::end) {
        return Err(Stop::fault(fault));
    }
    print_text(&format!("the status panel on {place} shows that the tester is ready\n"))?;
    Ok(0)
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.end();
    }
}
