//! What the desk asks of the program and what it is told: plain values.

use crate::archive::Trace;
use crate::certificate::issue::{Field, Role, Status};
use crate::history::{Board, Comparison, History};
use crate::regulation::house;
use crate::run::ErrorSeen;
use crate::screen::values::State;
use crate::uncertainty::Component;
use crate::verdict::Verdict;
use jiff::civil::Date;
use std::path::PathBuf;

/// Which rows of the register are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The begin of a serial number, or a part of a site's, customer's or verifier's name; empty: all.
    pub text: String,
    /// This verdict.
    pub verdict: Option<Verdict>,
    /// This state.
    pub status: Option<Status>,
}

/// A person who answers with a PIN. It is never shown, nor written by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name.
    pub person: String,
    /// The PIN, as typed.
    pub pin: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("person", &self.person).finish_non_exhaustive()
    }
}

/// A PIN that somebody is to have. It is never shown, nor written by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(pub String);

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin")
    }
}

/// What is done to a paper, or to those who sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Sign it.
    Sign(Role),
    /// Issue it; nobody's PIN is asked.
    Issue,
    /// Draft another in its place, with one thing corrected.
    Amend {
        /// What was written down wrongly.
        field: Field,
        /// What it should say.
        to: String,
        /// Why.
        reason: String,
    },
    /// Take it back.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// Somebody may sign from now on.
    AddPerson {
        /// The name as papers print it.
        name: String,
        /// As what.
        roles: Vec<Role>,
        /// The PIN.
        pin: Pin,
    },
    /// A person gets a new PIN, which also unlocks.
    NewPin {
        /// Who.
        name: String,
        /// The PIN.
        pin: Pin,
    },
    /// A person signs no more.
    Disable {
        /// Who.
        name: String,
    },
    /// A certificate of a standard is taken in from a file.
    Import {
        /// The file.
        path: PathBuf,
    },
    /// A laboratory answers for the unconfirmed figures of a regulation profile.
    Approve {
        /// Its name among [`ProfileSeen`].
        profile: String,
        /// As what somebody signs.
        role: Role,
        /// The period of validity in years, where the profile has none.
        validity_years: Option<u32>,
    },
}

impl Act {
    /// Whether it is done to the paper that is shown.
    pub fn is_of_paper(&self) -> bool {
        matches!(self, Self::Sign(_) | Self::Issue | Self::Amend { .. } | Self::Withdraw { .. })
    }
}

/// In which form something is taken along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The rows of the register that are wanted, as CSV.
    Csv(Wanted),
    /// The same as XLSX.
    Xlsx(Wanted),
    /// The PDF of a paper.
    Pdf(String),
    /// The whole package of a paper.
    Package(String),
}

/// A list that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheet {
    /// Certificates of the standards.
    Standards,
    /// The audit trail, as far as it speaks of something; empty: all of it.
    Trail(String),
}

/// Of several things that are done the one: what came of it is told of it alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// How all chargers stand.
    Board,
    /// The visits of a charger, serial or certificate number.
    History(String),
    /// Which rows there are.
    Register(Wanted),
    /// Rows of the list that was found last.
    Rows {
        /// From this one on.
        from: usize,
        /// So many.
        count: usize,
    },
    /// A paper.
    Paper(String),
    /// A list.
    Sheet(Sheet),
    /// Two papers against one another.
    Compare(String, String),
    /// Who may sign.
    Persons,
    /// Files that could be certificates of standards.
    Files,
    /// The regulation profiles.
    Profiles,
    /// Save a profile of the house: a profile with a figure changed, under its own name.
    Change {
        /// Which of the things that are done.
        ticket: Ticket,
        /// The name of the profile that is changed.
        profile: String,
        /// The new name.
        id: String,
        /// What.
        change: house::Change,
    },
    /// Something is done to a paper, or to those who sign.
    Do {
        /// Which of the things that are done.
        ticket: Ticket,
        /// The number of the paper; empty where it is done to none.
        number: String,
        /// What.
        act: Act,
        /// Who answers for it.
        by: Option<Signer>,
    },
    /// Where something may be taken along to.
    Places,
    /// Take something along.
    Export {
        /// Which of the things that are done.
        ticket: Ticket,
        /// What.
        form: Form,
        /// The folder.
        to: PathBuf,
    },
}

impl Ask {
    /// Of something that is done.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Change { ticket, .. } | Self::Do { ticket, .. } | Self::Export { ticket, .. } => {
                Some(*ticket)
            }
            _ => None,
        }
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// How all chargers stand.
    Board(Result<Board, String>),
    /// The visits.
    History(Result<Vec<History>, String>),
    /// So many rows are as wanted.
    Found(Result<usize, String>),
    /// Rows, from one on.
    Rows {
        /// The first.
        from: usize,
        /// They.
        rows: Vec<Row>,
    },
    /// The paper of this number.
    Paper(String, Result<Box<PaperSeen>, String>),
    /// A list.
    Sheet(Sheet, Result<Vec<Line>, String>),
    /// Two papers.
    Compared(Result<Box<Comparison>, String>),
    /// Who may sign.
    Persons(Result<Vec<PersonSeen>, String>),
    /// Files that could be certificates of standards: a name and the file.
    Files(Vec<(String, PathBuf)>),
    /// The regulation profiles.
    Profiles(Vec<ProfileSeen>),
    /// What came of something that was done.
    Done(Ticket, Result<String, String>),
    /// Where something may be taken along to: a name and the folder.
    Places(Vec<(String, PathBuf)>),
    /// How far an export is, in files or rows of all.
    Progress {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
}

/// A row of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The paper.
    pub number: String,
    /// Its day.
    pub day: String,
    /// Its state.
    pub status: String,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// The meter.
    pub meter: String,
    /// The charger and where it stands.
    pub charger: String,
    /// The customer.
    pub customer: String,
    /// Of a simulated bench.
    pub simulated: bool,
}

/// A line of a list: a heading with what stands beside it, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub head: String,
    /// What is to be known of it.
    pub about: Vec<String>,
    /// How it is.
    pub state: State,
}

/// How a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// May sign.
    Active,
    /// Too many wrong PINs.
    Locked,
    /// Signs no more.
    Disabled,
}

/// A person who signs, or has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSeen {
    /// The name as papers print it.
    pub name: String,
    /// As what.
    pub roles: Vec<Role>,
    /// How the person stands.
    pub standing: Standing,
}

/// A regulation profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileSeen {
    /// Its name, by which it is called here.
    pub id: String,
    /// What it is.
    pub head: String,
    /// What is to be known of it.
    pub about: Vec<String>,
    /// Its file; none: it comes with the program.
    pub file: Option<PathBuf>,
    /// Its figures; empty where it cannot be read.
    pub figures: Vec<house::Entry>,
    /// Figures that nobody has confirmed.
    pub unconfirmed: usize,
    /// Who answers for them.
    pub approved: Option<String>,
    /// As what somebody signs next for them.
    pub next: Option<Role>,
    /// It has no period of validity that was read.
    pub wants_validity: bool,
}

/// A load point of a paper.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSeen {
    /// What was measured, as a run shows it.
    pub seen: ErrorSeen,
    /// The coverage factor.
    pub k: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// The components of its uncertainty, in percent.
    pub budget: Vec<Component>,
}

/// A paper, as far as a screen shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PaperSeen {
    /// Its number.
    pub number: String,
    /// How far it has come.
    pub status: Status,
    /// Of a simulated bench.
    pub simulated: bool,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// What it is called; none where the run gives no paper.
    pub document: Option<crate::certificate::record::Document>,
    /// The meter.
    pub meter: String,
    /// The charger and where it stands.
    pub charger: String,
    /// The customer.
    pub customer: String,
    /// When it was measured.
    pub performed: String,
    /// The last day on which it holds.
    pub valid_until: Option<Date>,
    /// The regulation.
    pub regulation: String,
    /// Who has signed: as what, who, when.
    pub signatures: Vec<(Role, String, String)>,
    /// As what it is to be signed next; none where it needs no signature any more.
    pub next: Option<Role>,
    /// Who may sign as that, and who may take it back or draft another.
    pub may: Vec<(Role, String)>,
    /// What stands against it: altered, replaced, withdrawn; in words.
    pub against: Vec<String>,
    /// Load points with their budgets, as measured.
    pub points: Vec<PointSeen>,
    /// Findings.
    pub findings: Vec<String>,
    /// Its entries in the chain: number, kind, time.
    pub entries: Vec<(u64, String, String)>,
}

/// Of a SHA-256 its begin: in one line of a screen there is more to be said.
fn shortened(text: &str) -> String {
    let is_print = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_print { format!("{}…", &text[..8]) } else { text.to_owned() }
}

/// A line of the audit trail in words.
pub fn trace_line(trace: &Trace) -> Line {
    let number = trace.number.clone().unwrap_or_default();
    let said = trace.said.iter().map(|(key, text)| format!("{key}: {}", shortened(text)));
    Line {
        head: format!("{}  {}  {number}", trace.seq, trace.kind).trim_end().to_owned(),
        about: std::iter::once(trace.time.clone()).chain(said).collect(),
        state: if trace.is_signed { State::Good } else { State::Unknown },
    }
}
