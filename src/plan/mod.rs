//! Nameplate + regulation + calibration → an immutable list of steps with their times.
//!
//! The plan says before the start whether ten minutes suffice, and if not, which step forbids it and what would help.
//! It freezes all that a verdict depends on: nothing that changes afterwards can change a result.

mod advice;
pub mod budget;
pub mod capability;
pub mod conventional;
pub mod entries;
pub mod gantt;
pub mod nameplate;
mod schedule;
pub mod seal;

pub use capability::{Capability, Load, Method, SecondOpinion, Settle};
pub use entries::{Entries, Look};
pub use nameplate::Nameplate;
pub use schedule::{LEAD_SHARE, make, pre_check};

use crate::calibration::{self, Standards};
use crate::quantity::{Energy, Ratio};
use crate::regulation::{self, Class, Currents, Item, Kind, Profile};
use crate::time::Span;
use crate::uncertainty::sequential::Sequential;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde::{Deserialize, Serialize};

/// The time a verification may take in the field.
pub const TEN_MINUTES: Span = Span::from_secs(600);
/// The time that an operator's pre-check may take.
pub const THREE_MINUTES: Span = Span::from_secs(180);

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The nameplate does not fit.
    #[error(transparent)]
    Nameplate(#[from] nameplate::Fault),
    /// The regulation does not know the meter.
    #[error(transparent)]
    Regulation(#[from] regulation::Fault),
    /// The source cannot make a load that the plan needs.
    #[error(
        "the load {voltage_v} V, {current_a} A ({why}) is beyond the source or the tester's own limits: the smaller of the two is {max_v} V and {max_a} A. Use a larger one"
    )]
    BeyondSource {
        /// Voltage asked.
        voltage_v: f64,
        /// Current asked.
        current_a: f64,
        /// For what.
        why: String,
        /// What the source reaches.
        max_v: f64,
        /// What the source reaches.
        max_a: f64,
    },
    /// The certificates of our standards do not cover a point.
    #[error("{point}: {why}. Have the reference calibrated there, or use another")]
    Uncovered {
        /// The load point.
        point: String,
        /// The calibration's own words.
        why: String,
    },
    /// A plan that nobody can carry out.
    #[error("no plan: {what}")]
    Senseless {
        /// What cannot be, and what would be allowed.
        what: String,
    },
    /// The reference is too coarse for the regulation's minimum count at a point.
    #[error(
        "at {point} the reference resolves {resolution_percent} % of its reading, but 1/20 of the limit {limit_percent} % is asked (JJG 596-2026 7.3.2.5). Use a finer reference"
    )]
    CoarseReference {
        /// The load point.
        point: String,
        /// Resolution in percent.
        resolution_percent: f64,
        /// Limit in percent.
        limit_percent: f64,
    },
}

/// On which of the two lanes a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Needs its own load: one after another.
    Load,
    /// Needs no particular load: runs beside the load lane.
    Data,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Work {
    /// Take over the operator's entries.
    Look,
    /// Wait as the maker or the regulation asks before the first point.
    WarmUp {
        /// How long.
        dwell: Span,
    },
    /// Low load; both circuits closed, right way round.
    Connect,
    /// The pulse input must be heard before silence on it is judged.
    Hear {
        /// A pulse that has not come in this time does not come.
        give_up: Span,
    },
    /// No current: at most so many pulses.
    Creep {
        /// How long.
        dwell: Span,
        /// Pulses allowed.
        max_pulses: u32,
    },
    /// No current, nothing judged: only for the register to stand still.
    Rest,
    /// Error at the starting current.
    Start(Windows),
    /// Error at a load point.
    BasicError(Windows),
    /// Current off, voltage on: the register stands still and is read; pulses and register are then compared.
    RegisterEnd,
    /// Source off, terminals below the safe voltage.
    Discharge,
    /// Who the meter says it is, and its constant.
    Identify,
    /// Cover-open record alone; in older plans.
    Seal,
    /// All event records that the protocol gives, counts and last times.
    SealRecords,
    /// The meter's clock against ours.
    Clock {
        /// Whether the transport delay that was taken out is stated; not in older plans.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        delay: bool,
    },
    /// Total against the sum of the tariff registers.
    TariffRegisters,
    /// What the meter has kept of its energy by months and days; asked where there is time for it, and never waited for.
    EnergyLog,
    /// Register before the pulses to be compared; the current is off.
    RegisterStart,
    /// The meter's own U, I, P against the reference, during the named load step.
    CrossCheck {
        /// Number of the step whose load it uses.
        during: usize,
    },
    /// A transaction of a meter that signs, from the register at rest before the load points to that behind them. Its
    /// record is fetched when the load is off again.
    SignedRecord {
        /// The meter takes none shorter.
        shortest: Span,
        /// How long it may take to sign.
        within: Span,
    },
    /// Seconds pulse against our time base.
    DailyRate {
        /// One reading.
        reading: Span,
        /// How many.
        readings: u32,
        /// Whether the meter may be told to give its seconds pulse where none comes of itself; not in older plans.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        switch: bool,
    },
}

/// The windows of pulses that a point asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    /// The load point as the regulation names it.
    pub term: String,
    /// Shortest window of this plan: the regulation's, or longer where the uncertainty asks for it.
    pub min_time: Span,
    /// Shortest window of the regulation.
    pub regulation_time: Span,
    /// At least so many windows; their mean is the result.
    pub readings: u32,
    /// At most so many, where those before decide nothing.
    pub readings_max: u32,
    /// The first window opens with the last edge of the load before: the reference integrates through the change.
    pub opens_before: bool,
    /// Time between two pulses of a meter without error.
    pub pulse_period: Span,
    /// A pulse that has not come in this time does not come.
    pub give_up: Span,
    /// The load is held until so much energy has passed since the register was read, so that it moves enough.
    pub register_energy: Energy,
    /// The limit here.
    pub limit: Ratio,
    /// Its clause.
    pub clause: String,
}

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Number, from 1.
    pub no: usize,
    /// The item it serves.
    pub item: Item,
    /// Where it runs.
    pub lane: Lane,
    /// What it is called on screen and paper.
    pub title: String,
    /// The load it needs (load lane) or finds (data lane).
    pub load: Load,
    /// What it does.
    pub work: Work,
    /// Planned begin, from the start of the run.
    pub start: Span,
    /// Planned time to change and settle the load, part of the duration.
    pub settle: Span,
    /// Planned duration.
    pub duration: Span,
    /// The part that regulation and pulse rate alone demand, with a perfect bench.
    pub floor: Span,
}

impl Step {
    /// Planned end.
    pub fn end(&self) -> Span {
        self.start + self.duration
    }
}

/// An item of the verification, as this kind of verification demands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandedItem {
    /// The item.
    pub item: Item,
    /// Must it be there, or only where the meter has the function.
    pub demand: regulation::Demand,
}

/// All that a run is: frozen before its first action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The day it was made; the run states its drift for its own day. Year 0 in records older than this field.
    #[serde(default)]
    pub planned_on: Date,
    /// The meter.
    pub nameplate: Nameplate,
    /// First, subsequent or in service.
    pub kind: Kind,
    /// An operator's pre-check: it yields no verdict and no paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pre_check: bool,
    /// The regulation, whole.
    pub profile: Profile,
    /// The class of the meter in the regulation's words.
    pub class: Class,
    /// The meter's currents in the regulation's words.
    pub currents: Currents,
    /// Certificates of our standards.
    pub standards: Standards,
    /// The bench.
    pub capability: Capability,
    /// The operator's entries.
    pub entries: Entries,
    /// What was known of the meter's seals before; nothing in older records.
    #[serde(default, skip_serializing_if = "seal::History::is_empty")]
    pub seals_before: seal::History,
    /// Items to be judged.
    pub items: Vec<DemandedItem>,
    /// The steps, load lane in order, data lane beside it.
    pub steps: Vec<Step>,
    /// Energy that the register must move so that its step is fine enough.
    pub register_energy: Energy,
    /// When readings at a point end, between the regulation's number and the planned maximum.
    pub early_stop: Sequential,
    /// The whole planned time.
    pub total: Span,
    /// The same where every point takes its greatest number of readings.
    pub total_max: Span,
    /// What regulation, pulse rate and the meter's own register demand with a perfect bench: no settling, no waiting, no
    /// uncertainty but that of the register's step, for which the rule asks U ≤ a share of the limit as everywhere.
    pub lower_bound: Span,
    /// Whether ten minutes suffice.
    pub fits: bool,
    /// Which step forbids ten minutes and what would help; empty where it fits.
    pub advice: Vec<String>,
    /// Points whose uncertainty is to be expected above the share of the limit that the rule asks.
    pub doubts: Vec<String>,
}

impl Plan {
    /// Whether `item` is judged in this run.
    pub fn demands(&self, item: Item) -> bool {
        self.items.iter().any(|demanded| demanded.item == item)
    }

    /// Only the look at the wiring, at low level, and the way back to off.
    #[must_use]
    pub fn only_wiring(mut self) -> Self {
        self.steps.retain(|step| matches!(step.work, Work::Connect | Work::Discharge));
        let mut at = Span::ZERO;
        for step in &mut self.steps {
            step.start = at;
            at = step.end();
        }
        self.total = at;
        self.total_max = at;
        self
    }

    /// The planned total as a multiple of its lower bound.
    pub fn over_lower_bound(&self) -> f64 {
        self.total.secs() / self.lower_bound.secs()
    }

    /// How warm the standards are, as far as is known.
    pub fn surroundings(&self) -> Result<budget::Surroundings, calibration::Fault> {
        budget::Surroundings::of(&self.entries, &self.profile, &self.class)
    }

    /// The interval to which an error is rounded before it meets its limit, in percent, as it was written in the
    /// regulation; 0.01 % where the regulation has none (a choice of this house).
    pub fn rounding_interval(&self) -> Decimal {
        let percent = self.profile.rounding_interval(&self.class).ok().flatten().map_or(0.01, Ratio::percent);
        Decimal::from_f64(percent).map_or(Decimal::ONE, |d| d.round_dp(9).normalize())
    }

    /// What the regulation asks for and a pre-check leaves out, in words; empty for a verification.
    pub fn left_out(&self) -> Vec<String> {
        if !self.pre_check {
            return vec![];
        }
        let items = Item::ALL.into_iter().filter(|item| {
            self.profile.demand(self.kind, *item) != regulation::Demand::No && !self.demands(*item)
        });
        let measured = |current| {
            self.steps.iter().any(|s| matches!(s.work, Work::BasicError(_)) && s.load.current_a == current)
        };
        let points = self.profile.load_points(self.kind, &self.currents);
        let points = points.iter().filter(|point| !measured(point.current));
        let points = points.map(|point| format!("basic_error at {}", point.term));
        items.map(|item| item.to_string()).chain(points).chain(["warm-up".to_owned()]).collect()
    }

    /// The figures of the regulation that nobody has confirmed and this run uses.
    pub fn unconfirmed(&self) -> Vec<String> {
        self.profile.unconfirmed_figures(self.kind, &self.class)
    }
}
