//! The plain values that come from behind the screen.

use crate::certificate::record::Document;
use crate::plan::Lane;
use crate::regulation::Item;
use crate::time::{Span, Stamp};
use crate::verdict::Verdict;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// In order.
    Good,
    /// It does not tell.
    Unknown,
    /// Work goes on; somebody should see to it.
    Care,
    /// No work.
    Bad,
}

/// A light of the self test; its texts are the program's English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Light {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where there is nothing.
    pub todo: String,
}

/// A bar of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Number of the step.
    pub no: usize,
    /// Its title.
    pub title: String,
    /// The item it serves.
    pub item: Item,
    /// Where it runs.
    pub lane: Lane,
    /// Planned begin.
    pub start: Span,
    /// Planned duration.
    pub duration: Span,
}

/// A plan, as far as a screen shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSeen {
    /// The bars, in the order of their begin.
    pub bars: Vec<Bar>,
    /// The whole planned time.
    pub total: Span,
    /// At most, where readings scatter.
    pub total_max: Span,
    /// What regulation, pulse rate and register demand with a perfect bench.
    pub lower_bound: Span,
    /// The same items by hand; none where that is not known.
    pub by_hand: Option<Span>,
    /// Whether that is within `most`.
    pub fits: bool,
    /// Ten minutes, of a pre-check three.
    pub most: Span,
    /// What would make it shorter.
    pub advice: Vec<String>,
    /// What the plan doubts.
    pub doubts: Vec<String>,
    /// Items that are demanded and cannot be decided here, and why.
    pub cannot: Vec<(Item, String)>,
    /// Why the paper will be a test report and no certificate.
    pub no_certificate: Vec<String>,
    /// What a pre-check leaves out of the regulation; none: it is a verification.
    pub left_out: Option<Vec<String>>,
    /// Where the seals sit that the meter's last paper has left on it.
    pub seal_places: Vec<String>,
    /// The regulation.
    pub regulation: String,
    /// Whether the bench is simulated.
    pub simulated: bool,
}

/// What came of the look at the wiring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// As it should be; the source was seen to be off again.
    Good,
    /// Not so: what is wrong, in words. The source was seen to be off again.
    Wrong(String),
    /// Somebody stopped it; the source was seen to be off.
    Stopped(String),
    /// The bench could not be opened: nothing was measured.
    NotOpened(String),
    /// That the source went off was not seen.
    NotSafe {
        /// How the look ended; empty where it came to its end.
        why: String,
        /// What the engine found dangerous, in its words; empty where it could say nothing.
        danger: String,
    },
}

/// Whether the leads may be taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// No current flows, and less than 60 V were seen.
    Safe,
    /// That the load is gone was not seen.
    NotSafe,
    /// Nothing was measured.
    Unknown,
}

/// A line of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLine {
    /// The item.
    pub item: Item,
    /// Its load point; empty where it has none.
    pub point: String,
    /// The number as papers print it, with its unit; empty where there is none.
    pub value: String,
    /// The limit.
    pub limit: String,
    /// The expanded uncertainty.
    pub expanded: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// A run that a crash or a power failure has left: it is gone on with or closed before another begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Number of its record.
    pub number: String,
    /// Its meter: maker, type, serial number.
    pub meter: String,
    /// Where it was, in the program's English; empty where its journal cannot be read.
    pub at: String,
    /// When the last of it was put on the disk.
    pub last: Option<Stamp>,
    /// Why it was interrupted, or why it can only be closed; in the program's English.
    pub why: String,
    /// Whether it can be gone on with.
    pub may_go_on: bool,
    /// The meter cannot say who it is: somebody reads its serial number from the nameplate again.
    pub asks_serial: bool,
}

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a verdict on the meter.
    Decided(Verdict),
    /// A pre-check, of which nothing follows on paper: so many items beyond their limit, so many not decided.
    Checked {
        /// Beyond.
        beyond: usize,
        /// Not decided.
        undecided: usize,
        /// What the regulation asks for and nobody has looked at.
        left_out: Vec<String>,
    },
    /// A person or the system ended it.
    Aborted(String),
    /// The bench did not work.
    Faulted(String),
    /// It did not begin, or what was measured could not be stored.
    Failed(String),
}

/// A square of dark and light, for a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Square {
    /// Modules a side.
    pub size: usize,
    /// Row by row.
    pub dark: Vec<bool>,
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// The kind of paper; none where there is none.
    pub document: Option<Document>,
    /// Number of the paper, or of the record where there is no paper.
    pub number: String,
    /// Whether that is the number of a paper.
    pub is_paper: bool,
    /// When it ended.
    pub at: Option<Stamp>,
    /// From the first action to the confirmed discharge.
    pub elapsed: Span,
    /// All items, as they were judged.
    pub lines: Vec<ResultLine>,
    /// Observations that are no verdict.
    pub findings: Vec<String>,
    /// What somebody should know of what was written.
    pub notices: Vec<String>,
    /// The folder.
    pub folder: String,
    /// The QR code of the paper; none where none was made.
    pub qr: Option<Square>,
    /// Whether the leads may be taken off.
    pub leads: Leads,
    /// Whether the bench is simulated.
    pub simulated: bool,
}

/// A picture on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFile {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// A sound, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// Passed.
    Pass,
    /// Failed.
    Fail,
    /// Undecided, stopped, faulted: come and look.
    Look,
    /// A key was taken.
    Tick,
}
