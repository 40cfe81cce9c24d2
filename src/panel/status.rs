//! The status panel's picture: what the tester does, for whoever stands beside it without a touchscreen.
//!
//! 128 by 64 dots, an SSD1306's. It is drawn from plain values: the same values give the same dots.

use super::bitmap::Bitmap;
use super::letters::{self, SQUARE, Size, draw, draw_double, width, wrap};
use super::words;
pub use crate::bench::board::PanelLanguage as Language;
use crate::certificate::record::Outcome;
use crate::plan::Load;
use crate::run::Snapshot;
use crate::time::Span;
use crate::verdict::Verdict;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};

/// Dots across.
pub const WIDTH: u32 = 128;
/// Dots down.
pub const HEIGHT: u32 = 64;
/// Dots an inch of a module of 0.96 inch across its diagonal, for a picture printed at its size.
const DPI: u32 = 149;

/// What the panel shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What the tester does.
    pub stage: Stage,
    /// The bench is simulated.
    pub simulated: bool,
    /// Its address in the network; none without one.
    pub address: Option<String>,
}

/// What the tester does.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Nothing; it waits.
    Ready,
    /// Devices are opened and asked who they are.
    Opening,
    /// A run is under way.
    Running(Progress),
    /// A run has ended.
    Ended(Ending),
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Number and title of the step.
    pub step: Option<(usize, String)>,
    /// Steps of the plan.
    pub steps: usize,
    /// What is being done there, in the engine's word.
    pub doing: &'static str,
    /// Planned until the end.
    pub remaining: Span,
    /// Planned in all.
    pub total: Span,
    /// The source was last told to make a load.
    pub live: bool,
    /// A pre-check: nothing is certified.
    pub pre_check: bool,
}

impl Progress {
    /// Of a run as it is now.
    pub fn of(seen: &Snapshot, steps: usize, pre_check: bool) -> Self {
        Self {
            step: seen.step.clone(),
            steps,
            doing: seen.doing,
            remaining: seen.remaining,
            total: seen.total,
            live: seen.load != Load::OFF,
            pre_check,
        }
    }
}

/// How a run has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// With what.
    pub how: How,
    /// Number of the paper, else of the record.
    pub number: String,
    /// The leads may be taken off: no current and a safe voltage were seen.
    pub safe: bool,
}

/// With what a run has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// On the meter.
    Verdict(Verdict),
    /// A pre-check: so many points beyond their limit, or undecided.
    PreCheck {
        /// Beyond.
        beyond: usize,
        /// Undecided.
        undecided: usize,
    },
    /// A person or the system ended it.
    Aborted(String),
    /// The bench did not work.
    Faulted(String),
}

impl How {
    /// Of a run without a verdict, or with one.
    pub fn of(outcome: &Outcome, verdict: Option<Verdict>) -> Self {
        match (outcome, verdict) {
            (Outcome::Completed, verdict) => Self::Verdict(verdict.unwrap_or(Verdict::Undecided)),
            (Outcome::Aborted { why }, _) => Self::Aborted(why.clone()),
            (Outcome::Faulted { why }, _) => Self::Faulted(why.clone()),
        }
    }
}

/// The picture of a status.
pub fn draw_status(status: &Status, language: Language) -> Bitmap {
    let mut sheet = Sheet { bitmap: Bitmap::new(WIDTH, HEIGHT, DPI), language };
    match &status.stage {
        Stage::Ready | Stage::Opening => sheet.waiting(status),
        Stage::Running(progress) => sheet.running(progress, status.simulated),
        Stage::Ended(ending) => match &ending.how {
            How::Verdict(_) | How::PreCheck { .. } => sheet.result(status, ending),
            How::Aborted(why) | How::Faulted(why) => sheet.fault(status, ending, why),
        },
    }
    sheet.bitmap
}

struct Sheet {
    bitmap: Bitmap,
    language: Language,
}

impl Sheet {
    fn pick(&self, pair: (&'static str, &'static str)) -> &'static str {
        words::pick(pair, self.language)
    }

    fn fill(&mut self, x: i32, y: i32, across: u32, down: u32) {
        let style = PrimitiveStyle::with_fill(BinaryColor::On);
        // The picture takes every dot.
        let Ok(()) = Rectangle::new(Point::new(x, y), embedded_graphics::geometry::Size::new(across, down))
            .into_styled(style)
            .draw(&mut self.bitmap);
    }

    fn text(&mut self, text: &str, size: Size, x: i32, y: i32) -> i32 {
        draw(&mut self.bitmap, text, size, x, y, true)
    }

    /// A text that ends at this place.
    fn right(&mut self, text: &str, size: Size, x: i32, y: i32) {
        self.text(text, size, x - width(text, size).cast_signed(), y);
    }

    /// Dark letters on a light field that ends at `x`; gives where it begins.
    fn badge(&mut self, text: &str, x: i32) -> i32 {
        let across = width(text, Size::Beside) + 4;
        let left = x - across.cast_signed();
        self.fill(left, 0, across, SQUARE);
        let y = if letters::height(text, Size::Beside) == SQUARE { 0 } else { 2 };
        draw(&mut self.bitmap, text, Size::Beside, left + 2, y, false);
        left
    }

    /// The word at the head, and what must never be overlooked at its right.
    fn head(&mut self, word: &str, badges: &[Option<&'static str>]) {
        let y = if letters::height(word, Size::Beside) == SQUARE { 0 } else { 2 };
        self.text(word, Size::Beside, 0, y);
        badges.iter().flatten().fold(WIDTH.cast_signed(), |x, badge| self.badge(badge, x) - 3);
    }

    fn simulated(&self, simulated: bool) -> Option<&'static str> {
        simulated.then(|| self.pick(words::SIMULATED))
    }

    fn waiting(&mut self, status: &Status) {
        let word = self.pick(words::head(&status.stage));
        self.head(word, &[self.simulated(status.simulated)]);
        self.text(concat!("Phantomload ", env!("CARGO_PKG_VERSION")), Size::Small, 0, 20);
        if status.stage == Stage::Opening {
            let words = self.pick(words::OPENING);
            self.text(words, Size::Small, 0, 33);
        }
        let none = self.pick(words::NO_NETWORK);
        let address = status.address.as_deref().unwrap_or(none);
        // An address of IPv6 may take two lines.
        let lines = wrap(address, Size::Small, WIDTH, 1);
        let (size, line) = match &lines[..] {
            [line] if line == address => (Size::Small, line.clone()),
            _ => (Size::Tiny, address.to_owned()),
        };
        let y = HEIGHT - letters::height(&line, size);
        self.text(&line, size, 0, y.cast_signed());
    }

    fn running(&mut self, progress: &Progress, simulated: bool) {
        let word = if progress.pre_check { ("预检", "CHECK") } else { ("检定", "RUN") };
        let word = self.pick(word);
        let live = progress.live.then(|| self.pick(words::LIVE));
        self.head(word, &[live, self.simulated(simulated)]);
        // Seconds are rounded up: 0:00 is the end.
        let secs = progress.remaining.secs().ceil().clamp(0.0, 59_999.0) as u64;
        let clock = format!("{}:{:02}", secs / 60, secs % 60);
        let behind = draw_double(&mut self.bitmap, &clock, Size::Beside, 0, 17, true);
        let left = self.pick(words::LEFT);
        let right = WIDTH.cast_signed();
        if behind + width(left, Size::Small).cast_signed() <= right {
            self.right(left, Size::Small, right, if self.language == Language::Chinese { 26 } else { 30 });
        }
        let no = progress.step.as_ref().map_or(0, |(no, _)| *no);
        self.right(&format!("{no}/{}", progress.steps), Size::Tiny, right, 17);
        let words = match &progress.step {
            Some((_, title)) => words::step(title, self.language).unwrap_or_else(|| title.clone()),
            None => String::new(),
        };
        let doing = words::doing(progress.doing, self.language);
        let room = WIDTH.saturating_sub(width(doing, Size::Small) + 4);
        let line = wrap(&words, Size::Small, WIDTH, 1).pop().unwrap_or_default();
        let y = if letters::height(&line, Size::Small) == SQUARE { 43 } else { 46 };
        self.text(&line, Size::Small, 0, y);
        if width(&line, Size::Small) <= room
            && letters::height(doing, Size::Small) <= letters::height(&line, Size::Small)
        {
            self.right(doing, Size::Small, right, y);
        }
        let done = 1.0 - progress.remaining.secs() / progress.total.secs().max(1e-9);
        let across = (done.clamp(0.0, 1.0) * f64::from(WIDTH - 2)).round() as u32;
        self.fill(0, HEIGHT.cast_signed() - 4, WIDTH, 1);
        self.fill(0, HEIGHT.cast_signed() - 1, WIDTH, 1);
        self.fill(1, HEIGHT.cast_signed() - 4, across, 4);
    }

    /// Whether the leads may be taken off: the last line of every picture of an ended run.
    fn leads(&mut self, safe: bool, address: Option<&str>) {
        let words = self.pick(if safe { words::SAFE } else { words::UNSAFE });
        let high = letters::height(words, Size::Small);
        let y = HEIGHT.cast_signed() - high.cast_signed();
        if !safe {
            self.fill(0, y, WIDTH, high);
            let x = (WIDTH - width(words, Size::Small)) / 2;
            draw(&mut self.bitmap, words, Size::Small, x.cast_signed(), y, false);
            return;
        }
        let behind = self.text(words, Size::Small, 0, y);
        if let Some(address) = address
            && behind + 3 + width(address, Size::Tiny).cast_signed() <= WIDTH.cast_signed()
        {
            self.right(address, Size::Tiny, WIDTH.cast_signed(), y + (high.cast_signed() - 8));
        }
    }

    fn result(&mut self, status: &Status, ending: &Ending) {
        let word = self.pick(words::head(&status.stage));
        let doubled = width(word, Size::Beside) * 2;
        let passed =
            matches!(ending.how, How::Verdict(Verdict::Pass) | How::PreCheck { beyond: 0, undecided: 0 });
        // What did not pass stands on a light field: seen from afar, and not by a colour.
        if !passed {
            self.fill(0, 0, WIDTH, 33);
        }
        let badge = if doubled + 40 <= WIDTH { 0 } else { WIDTH };
        if doubled <= WIDTH {
            let y = if letters::height(word, Size::Beside) == SQUARE { 0 } else { 4 };
            draw_double(&mut self.bitmap, word, Size::Beside, 0, y, passed);
        } else {
            draw(&mut self.bitmap, word, Size::Beside, 0, 10, passed);
        }
        let mut line = ending.number.clone();
        if status.simulated {
            let words = self.pick(words::SIMULATED);
            if badge == 0 && passed {
                self.badge(words, WIDTH.cast_signed());
            } else {
                line = format!("{words} {line}");
            }
        }
        if let How::PreCheck { beyond, undecided } = ending.how {
            // No number: there is none to be looked up.
            let what = self.pick(words::NO_CERTIFICATE);
            let count =
                if beyond + undecided > 0 { format!(" ({})", beyond + undecided) } else { String::new() };
            line = format!("{what}{count}");
        }
        let y = if letters::height(&line, Size::Small) == SQUARE { 33 } else { 37 };
        let line = wrap(&line, Size::Small, WIDTH, 1).pop().unwrap_or_default();
        self.text(&line, Size::Small, 0, y);
        self.leads(ending.safe, status.address.as_deref());
    }

    fn fault(&mut self, status: &Status, ending: &Ending, why: &str) {
        let word = self.pick(words::head(&status.stage));
        self.head(word, &[self.simulated(status.simulated)]);
        let why = words::fault(why, self.language);
        let last = letters::height(self.pick(words::SAFE), Size::Small);
        let mut y = SQUARE;
        let mut lines = wrap(&why, Size::Small, WIDTH, 3);
        // Chinese lines are taller: as many as there is room for.
        let fits = |lines: &[String]| {
            lines.iter().map(|line| letters::height(line, Size::Small)).sum::<u32>() + SQUARE + last <= HEIGHT
        };
        let mut most = 3;
        while !fits(&lines) && most > 1 {
            most -= 1;
            lines = wrap(&why, Size::Small, WIDTH, most);
        }
        if lines.is_empty() {
            lines = vec![self.pick(words::NO_VERDICT).to_owned()];
        }
        for line in lines {
            self.text(&line, Size::Small, 0, y.cast_signed());
            y += letters::height(&line, Size::Small);
        }
        self.leads(ending.safe, status.address.as_deref());
    }
}

#[cfg(test)]
mod tests;
