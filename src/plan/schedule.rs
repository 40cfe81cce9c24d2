//! Makes the plan: which steps, at which load, how long, and what runs beside what; of several the shortest.

mod lay;
mod pre_check;

use super::budget::{Seen, Setting, Surroundings};
use super::{
    Capability, DemandedItem, Entries, Fault, Load, Method, Nameplate, Plan, TEN_MINUTES, THREE_MINUTES,
    Windows,
};
use crate::calibration::Standards;
use crate::quantity::{Current, Energy, PulseConstant, Ratio};
use crate::regulation::{Class, Currents, Demand, Item, Kind, Profile};
use crate::time::Span;
use crate::uncertainty::sequential::Sequential;
use crate::uncertainty::{COVERAGE, combine, coverage_factor};
use jiff::civil::Date;
use lay::Choice;
pub(super) use lay::Laid;
pub use pre_check::pre_check;
use rust_decimal::prelude::ToPrimitive;

/// Pulses a second that a counter takes (reference pulses up to 10 kHz by edges are what the bench is built for).
const PULSE_RATE_MAX: f64 = 10_000.0;
/// A run longer than a day is no visit to a charger.
const TOTAL_MAX: Span = Span::from_secs(86_400);
/// A meter may count less than was planned, down to its limits and a little more.
const SLOW_METER: f64 = 1.03;

/// Longer windows than this are no way to a smaller uncertainty in the field; a choice of this house.
const WINDOW_MAX: Span = Span::from_secs(120);
/// A wait for the first pulse below this is not worth the uncertainty of a window that opens before its load stands; a
/// choice of this house.
const WAIT_WORTH_SAVING: Span = Span::from_secs(5);
/// So much of the energy of a window may have passed before the load stood; it is corrected for, with its uncertainty.
pub const LEAD_SHARE: f64 = 0.15;

/// The connection is checked at this share of the nominal voltage.
const LOW_VOLTAGE: f64 = 0.1;

/// Makes the plan of a verification on `day`, or says why there is none.
pub fn make(
    nameplate: Nameplate,
    profile: Profile,
    kind: Kind,
    standards: Standards,
    capability: Capability,
    entries: Entries,
    day: Date,
) -> Result<Plan, Fault> {
    Wanted { nameplate, profile, kind, standards, capability, entries, day }.plan(None)
}

/// What a plan is made of.
#[derive(Clone)]
struct Wanted {
    nameplate: Nameplate,
    profile: Profile,
    kind: Kind,
    standards: Standards,
    capability: Capability,
    entries: Entries,
    day: Date,
}

impl Wanted {
    /// The plan; a pre-check's at these points only.
    fn plan(self, points: Option<&[Current]>) -> Result<Plan, Fault> {
        let Self { nameplate, profile, kind, standards, capability, entries, day } = self;
        let class = profile.class(&nameplate.class)?;
        let currents = profile.currents(&nameplate.current, &class)?;
        let draft = Draft {
            nameplate: &nameplate,
            profile: &profile,
            kind,
            class: &class,
            currents: &currents,
            standards: &standards,
            bench: &capability,
            entries: &entries,
            day,
            points,
        };
        let fastest = nameplate.constant_imp_per_kwh.rate(nameplate.voltage_v * currents.imax);
        if fastest > PULSE_RATE_MAX {
            let what =
                format!("{fastest:.0} pulses a second at Imax; a counter takes {PULSE_RATE_MAX} at most");
            return Err(Fault::Senseless { what });
        }
        let register_energy = draft.register_energy()?;
        let mut laid = draft.shortest(register_energy)?;
        let total_max = if points.is_none() { laid.allow_more_readings() } else { laid.total };
        if laid.total > TOTAL_MAX {
            let longest = laid.steps.iter().max_by_key(|s| s.duration).map_or("a step", |s| s.title.as_str());
            let what = format!(
                "`{longest}` would take longer than {TOTAL_MAX}: check constant and register resolution"
            );
            return Err(Fault::Senseless { what });
        }
        draft.hold_nameplate(&laid.steps)?;
        let most = if points.is_none() { TEN_MINUTES } else { THREE_MINUTES };
        let (advice, doubts) = (draft.advice(&laid)?, draft.doubts(&laid));
        Ok(Plan {
            planned_on: day,
            items: draft.items(),
            register_energy,
            early_stop: Sequential { risk: 1.0 - COVERAGE },
            total: laid.total,
            total_max,
            lower_bound: laid.lower_bound,
            fits: laid.total <= most,
            pre_check: points.is_some(),
            steps: laid.steps,
            advice,
            doubts,
            class,
            currents,
            nameplate,
            kind,
            profile,
            standards,
            capability,
            entries,
            seals_before: super::seal::History::default(),
        })
    }
}

/// No load may be more than this times the nameplate's voltage or largest current; a choice of this house, above the
/// 1.15 times that regulations ask for the voltage at creep.
const BEYOND_PLATE: f64 = 1.2;

pub(super) struct Draft<'a> {
    pub(super) nameplate: &'a Nameplate,
    pub(super) profile: &'a Profile,
    kind: Kind,
    pub(super) class: &'a Class,
    currents: &'a Currents,
    standards: &'a Standards,
    bench: &'a Capability,
    entries: &'a Entries,
    day: Date,
    /// The only load points of a pre-check; none: the regulation's.
    points: Option<&'a [Current]>,
}

impl<'a> Draft<'a> {
    /// No regulation file may ask of a meter what its nameplate does not bear.
    fn hold_nameplate(&self, steps: &[super::Step]) -> Result<(), Fault> {
        let (volts, amperes) = (self.nameplate.voltage_v * BEYOND_PLATE, self.currents.imax * BEYOND_PLATE);
        let beyond = |step: &&super::Step| step.load.voltage_v > volts || step.load.current_a > amperes;
        steps.iter().find(beyond).map_or(Ok(()), |step| {
            Err(Fault::Senseless {
                what: format!(
                    "`{}` asks for {}, {}; a meter of {}, {} on its nameplate takes {BEYOND_PLATE} times that at most",
                    step.title, step.load.voltage_v, step.load.current_a, self.nameplate.voltage_v, self.currents.imax
                ),
            })
        })
    }

    /// The same for another nameplate.
    pub(super) fn with(&self, nameplate: &'a Nameplate) -> Self {
        Draft { nameplate, ..*self }
    }

    fn items(&self) -> Vec<DemandedItem> {
        let mut items = vec![];
        for item in [
            Item::Identity,
            Item::Appearance,
            Item::Withstand,
            Item::Seal,
            Item::Creep,
            Item::Start,
            Item::BasicError,
            Item::MeterConstant,
            Item::ClockIndication,
            Item::DailyRate,
            Item::TariffRegisters,
            Item::DataOutput,
        ] {
            let demand = match item {
                // House items: where the meter can be read, what it says must not contradict what is measured.
                Item::Identity | Item::Seal | Item::DataOutput => {
                    if self.reads() || (item == Item::Seal && !self.entries.seal.is_empty()) {
                        Demand::IfPresent
                    } else {
                        Demand::No
                    }
                }
                item => self.profile.demand(self.kind, item),
            };
            if self.leaves_out(item) {
                continue;
            }
            if demand != Demand::No {
                items.push(DemandedItem { item, demand });
            }
        }
        items
    }

    fn reads(&self) -> bool {
        self.nameplate.data_output.is_some()
    }

    /// The data output, where the meter signs records of transactions; a pre-check has no two minutes for one.
    fn signing(&self) -> Option<&super::nameplate::DataOutput> {
        self.nameplate.data_output.as_ref().filter(|output| output.signs() && !self.is_pre_check())
    }

    fn wants(&self, item: Item) -> bool {
        !self.leaves_out(item) && self.profile.demand(self.kind, item) != Demand::No
    }

    fn constant(&self) -> PulseConstant {
        self.nameplate.constant_imp_per_kwh
    }

    fn min_time(&self) -> Span {
        Span::from_secs_f64(self.profile.basic_error.min_seconds.value)
    }

    /// The energy that the register has to move: the regulation's least, and as much as brings U of the meter constant
    /// down to the share of the limit that the rule asks, for the meter's own register step and pulse. `margin`: the
    /// latter so many times, for a meter that counts less than was planned.
    fn register_need(&self, margin: f64) -> Result<Energy, Fault> {
        if !self.wants(Item::MeterConstant) || !self.reads() {
            return Ok(Energy::ZERO);
        }
        let resolution = self.nameplate.register_resolution_kwh.to_f64().unwrap_or(f64::MAX);
        let least = self.profile.constant_energy_min(self.class, resolution, self.currents)?;
        // Reverse uncertainty: two register steps and two pulses, each a triangle of standard deviation step/√6, must
        // expand to no more than the share of the limit that the rule asks.
        let limit =
            self.limit_share() * self.profile.constant_limit(self.class, self.currents)?.ratio.fraction();
        let pulse = self.constant().energy(1).kilowatt_hours();
        let u_kwh = (resolution.powi(2) + pulse.powi(2)).sqrt() / 6f64.sqrt();
        let fine = Energy::try_from_kilowatt_hours(coverage_factor(None) * u_kwh / limit * margin);
        Ok(least.max(fine.unwrap_or(least)))
    }

    pub(super) fn register_energy(&self) -> Result<Energy, Fault> {
        self.register_need(SLOW_METER)
    }

    /// Time between two pulses of a meter without error.
    fn period(&self, load: Load) -> Span {
        Span::from_secs_f64(1.0 / self.constant().rate(load.voltage_v * load.current_a))
    }

    /// The shortest of all plans that can be chosen between.
    pub(super) fn shortest(&self, register_energy: Energy) -> Result<Laid, Fault> {
        let mut best: Option<Laid> = None;
        for choice in self.choices()? {
            let laid = self.lay(register_energy, choice)?;
            if best.as_ref().is_none_or(|best| laid.total < best.total) {
                best = Some(laid);
            }
        }
        best.ok_or_else(|| Fault::Senseless { what: "the regulation names no load point".into() })
    }

    /// The input may be heard at ten times Itr or at any load point; from a load point the start window may open too,
    /// where that saves a long wait, what passes before the starting current stands is a small share of it, and the reference counts it. The
    /// error at that point is then known from its own windows.
    fn choices(&self) -> Result<Vec<Choice>, Fault> {
        let fast = (self.currents.itr * 10.0).min(self.currents.imax);
        let mut choices = vec![Choice { hear: fast, opens_start: false }];
        let at_once = self.bench.energy_step > Energy::ZERO && self.warm_up()? == Span::ZERO;
        let start = self
            .start_windows()?
            .filter(|(_, windows)| at_once && windows.pulse_period.half() >= WAIT_WORTH_SAVING);
        for point in self.profile.load_points(self.kind, self.currents) {
            choices.push(Choice { hear: point.current, opens_start: false });
            let Some((ist, windows)) = &start else { continue };
            let before = Load { voltage_v: ist.voltage_v, current_a: point.current };
            let change = self.bench.settle.ramp(before, *ist) + self.bench.sample_interval;
            // After the last edge less than one pulse has been counted.
            let lead = (before.voltage_v * before.current_a * change).min(self.constant().energy(1));
            let window = ist.voltage_v * ist.current_a * windows.whole(1);
            if lead <= window * LEAD_SHARE {
                choices.push(Choice { hear: point.current, opens_start: true });
            }
        }
        Ok(choices)
    }

    /// Load and windows of the start item, where it is wanted.
    fn start_windows(&self) -> Result<Option<(Load, Windows)>, Fault> {
        let (true, Some(rule)) = (self.wants(Item::Start), &self.profile.start) else { return Ok(None) };
        let load = Load { voltage_v: self.nameplate.voltage_v, current_a: self.currents.ist };
        Ok(Some((load, self.windows("Ist".into(), load, rule.readings.value, self.min_time())?)))
    }

    /// Loads and windows of the basic error, in the regulation's order.
    fn point_windows(&self) -> Result<Vec<(Load, Windows)>, Fault> {
        let readings = self.profile.basic_error.readings.value;
        let points = self.profile.load_points(self.kind, self.currents);
        let is_taken = |current: &Current| self.points.is_none_or(|taken| taken.contains(current));
        let windows = points.iter().filter(|point| is_taken(&point.current)).map(|point| {
            let load = Load { voltage_v: self.nameplate.voltage_v, current_a: point.current };
            Ok((load, self.windows(point.term.to_string(), load, readings, self.min_time())?))
        });
        windows.collect()
    }

    /// The share of the limit that the expanded uncertainty may reach.
    fn limit_share(&self) -> f64 {
        1.0 / self.profile.bench.as_ref().map_or(3.0, |bench| bench.limit_over_uncertainty.value)
    }

    /// Expanded uncertainty to be expected of the mean of windows of this length. `None` where the budget lacks a
    /// figure; the run then says which.
    pub(super) fn expected_u(&self, load: Load, readings: u32, window: Span) -> Option<Ratio> {
        let surroundings = Surroundings::of(self.entries, self.profile, self.class).ok()?;
        let setting = Setting {
            standards: self.standards,
            bench: self.bench,
            load,
            day: self.day,
            surroundings: &surroundings,
            window,
            readings,
            error: Ratio::ZERO,
            seen: Seen::default(),
        };
        let expanded = combine(0.0, &setting.components().ok()?).ok()?.expanded;
        Ratio::try_from_fraction(expanded / 100.0).ok()
    }

    /// Reverse uncertainty: the shortest window, not below `least`, whose expected U is no more than asked. `None` where
    /// no window reaches that, or nothing is known.
    fn shortest_window(&self, load: Load, readings: u32, asked: Ratio, least: Span) -> Option<Span> {
        let reaches = |window: Span| Some(self.expected_u(load, readings, window)? <= asked);
        if reaches(least)? {
            return Some(least);
        }
        if !reaches(WINDOW_MAX)? {
            return None;
        }
        let (mut short, mut long) = (least, WINDOW_MAX);
        while long - short > Span::from_millis(100) {
            let middle = short + (long - short).half();
            if reaches(middle)? {
                long = middle;
            } else {
                short = middle;
            }
        }
        Some(long)
    }

    /// Points whose uncertainty will be above the share of the limit however long they take, in words.
    fn doubts(&self, laid: &Laid) -> Vec<String> {
        let windows = laid.steps.iter().filter_map(|step| Some((step, step.work.windows()?)));
        let doubts = windows.filter_map(|(step, windows)| {
            let expected = self.expected_u(step.load, windows.readings, windows.min_time)?;
            let asked = windows.limit * self.limit_share();
            (expected > asked).then(|| {
                format!(
                    "{}: U = {:.3} % is to be expected, more than {:.3} % ({:.2} of the limit), and no longer window mends it; a finer reference would",
                    step.title,
                    expected.percent(),
                    asked.percent(),
                    self.limit_share()
                )
            })
        });
        doubts.collect()
    }

    fn windows(&self, term: String, load: Load, readings: u32, min_time: Span) -> Result<Windows, Fault> {
        let limit = self.profile.limit(self.class, load.current_a, self.currents)?;
        let covered = self.standards.reference().power_correction(load.voltage_v, load.current_a);
        covered.map_err(|fault| Fault::Uncovered { point: term.clone(), why: fault.to_string() })?;
        let asked = limit.ratio.fraction() * self.profile.basic_error.resolution_share.value;
        // The shortest window has the least energy for a counted step to be a part of.
        let counted = (load.voltage_v * load.current_a * min_time).joules();
        let resolution = match self.bench.method {
            Method::PowerTime => self.bench.reference_resolution.fraction(),
            Method::StandardMeter => self.bench.energy_step.joules() / counted,
        };
        if resolution >= asked {
            return Err(Fault::CoarseReference {
                point: term,
                resolution_percent: resolution * 100.0,
                limit_percent: limit.ratio.percent(),
            });
        }
        let ratio = limit.ratio * self.limit_share();
        let regulation_time = min_time;
        let min_time = self.shortest_window(load, readings, ratio, min_time).unwrap_or(min_time);
        let pulse_period = self.period(load);
        // A meter at its limit needs 1/(1 − limit) periods for a pulse; half as much again is beyond doubt.
        let slack = (1.5 / (1.0 - limit.ratio.fraction().min(0.9))).max(2.0);
        let give_up = (pulse_period * slack).max(Span::from_secs(2));
        let clause = limit.clause;
        Ok(Windows {
            term,
            min_time,
            regulation_time,
            readings,
            readings_max: readings,
            opens_before: false,
            pulse_period,
            give_up,
            register_energy: Energy::ZERO,
            limit: limit.ratio,
            clause,
        })
    }
}
