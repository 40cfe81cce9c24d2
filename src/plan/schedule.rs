//! Makes the plan: which steps, at which load, how long, and what runs beside what.

use super::{
    Capability, DemandedItem, Entries, Fault, Lane, Load, Method, Nameplate, Plan, Step, TEN_MINUTES,
    Windows, Work,
};
use crate::calibration::Standards;
use crate::quantity::{Current, Energy, PulseConstant};
use crate::regulation::{Class, Currents, Demand, Item, Kind, Profile};
use crate::time::Span;
use rust_decimal::prelude::ToPrimitive;

/// Pulses a second that a counter takes (reference pulses up to 10 kHz by edges are what the bench is built for).
const PULSE_RATE_MAX: f64 = 10_000.0;
/// A run longer than a day is no visit to a charger.
const TOTAL_MAX: Span = Span::from_secs(86_400);
/// Coverage factor taken for the reverse uncertainty of the meter constant; its components are all of kind B.
const K: f64 = 2.0;
/// A meter may count less than was planned, down to its limits and a little more.
const SLOW_METER: f64 = 1.03;

/// The connection is checked at this share of the nominal voltage.
const LOW_VOLTAGE: f64 = 0.1;

/// Makes the plan of a verification, or says why there is none.
pub fn make(
    nameplate: Nameplate,
    profile: Profile,
    kind: Kind,
    standards: Standards,
    capability: Capability,
    entries: Entries,
) -> Result<Plan, Fault> {
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
    };
    let fastest = nameplate.constant_imp_per_kwh.rate(nameplate.voltage_v * currents.imax);
    if fastest > PULSE_RATE_MAX {
        let what = format!("{fastest:.0} pulses a second at Imax; a counter takes {PULSE_RATE_MAX} at most");
        return Err(Fault::Senseless { what });
    }
    let register_energy = draft.register_energy()?;
    let laid = draft.lay(register_energy)?;
    if laid.total > TOTAL_MAX {
        let longest = laid.steps.iter().max_by_key(|s| s.duration).map_or("a step", |s| s.title.as_str());
        let what =
            format!("`{longest}` would take longer than {TOTAL_MAX}: check constant and register resolution");
        return Err(Fault::Senseless { what });
    }
    let advice = draft.advice(&laid)?;
    Ok(Plan {
        items: draft.items(),
        register_energy,
        total: laid.total,
        lower_bound: laid.lower_bound,
        fits: laid.total <= TEN_MINUTES,
        steps: laid.steps,
        advice,
        class,
        currents,
        nameplate,
        kind,
        profile,
        standards,
        capability,
        entries,
    })
}

pub(super) struct Draft<'a> {
    pub(super) nameplate: &'a Nameplate,
    pub(super) profile: &'a Profile,
    kind: Kind,
    pub(super) class: &'a Class,
    currents: &'a Currents,
    standards: &'a Standards,
    bench: &'a Capability,
}

/// Steps laid on the two lanes.
pub(super) struct Laid {
    pub(super) steps: Vec<Step>,
    pub(super) total: Span,
    lower_bound: Span,
    at: Span,
    load: Load,
}

impl<'a> Draft<'a> {
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
                    if self.reads() {
                        Demand::IfPresent
                    } else {
                        Demand::No
                    }
                }
                item => self.profile.demand(self.kind, item),
            };
            if demand != Demand::No {
                items.push(DemandedItem { item, demand });
            }
        }
        items
    }

    fn reads(&self) -> bool {
        self.nameplate.data_output.is_some()
    }

    fn wants(&self, item: Item) -> bool {
        self.profile.demand(self.kind, item) != Demand::No
    }

    fn constant(&self) -> PulseConstant {
        self.nameplate.constant_imp_per_kwh
    }

    fn min_time(&self) -> Span {
        Span::from_secs_f64(self.profile.basic_error.min_seconds.value)
    }

    pub(super) fn register_energy(&self) -> Result<Energy, Fault> {
        if !self.wants(Item::MeterConstant) || !self.reads() {
            return Ok(Energy::ZERO);
        }
        let resolution = self.nameplate.register_resolution_kwh.to_f64().unwrap_or(f64::MAX);
        let least = self.profile.constant_energy_min(self.class, resolution, self.currents)?;
        // Reverse uncertainty: two register steps and two pulses, each a triangle of standard deviation step/√6, must
        // expand to no more than the share of the limit that the rule asks.
        let over = self.profile.bench.as_ref().map_or(3.0, |bench| bench.limit_over_uncertainty.value);
        let limit = self.profile.constant_limit(self.class, self.currents)?.ratio.fraction();
        let pulse = self.constant().energy(1).kilowatt_hours();
        let u_kwh = (resolution.powi(2) + pulse.powi(2)).sqrt() / 6f64.sqrt();
        let fine = Energy::try_from_kilowatt_hours(K * u_kwh * over / limit * SLOW_METER);
        Ok(least.max(fine.unwrap_or(least)))
    }

    pub(super) fn lay(&self, register_energy: Energy) -> Result<Laid, Fault> {
        let nominal = self.nameplate.voltage_v;
        let mut laid = Laid {
            steps: vec![],
            total: Span::ZERO,
            lower_bound: Span::ZERO,
            at: Span::ZERO,
            load: Load::OFF,
        };
        laid.beside(Item::Appearance, "Operator's entries", Work::Look, Span::ZERO, Span::ZERO);
        let low = Load { voltage_v: nominal * LOW_VOLTAGE, current_a: self.currents.imin };
        let look = if self.reads() { self.bench.exchange * 2.0 } else { self.bench.sample_interval };
        self.step(
            &mut laid,
            Item::Identity,
            "Connection and polarity",
            low,
            Work::Connect,
            look,
            Span::ZERO,
        )?;
        let data_from = laid.at;
        self.hear(&mut laid)?;
        let dwell = match self.nameplate.warm_up() {
            Some(dwell) => dwell,
            None => self.profile.warm_up(self.class)?.unwrap_or_default(),
        };
        if dwell > Span::ZERO {
            let load = Load { voltage_v: nominal, current_a: self.currents.itr * 10.0 };
            self.step(&mut laid, Item::BasicError, "Warm-up", load, Work::WarmUp { dwell }, dwell, dwell)?;
        }
        let data = self.data_steps(&mut laid, data_from);
        self.creep(&mut laid, data)?;
        if let (true, Some(rule)) = (self.wants(Item::Start), &self.profile.start) {
            let load = Load { voltage_v: nominal, current_a: self.currents.ist };
            let windows = self.windows("Ist".into(), load, rule.readings.value, self.min_time())?;
            let (expected, floor) = (windows.expected(), windows.floor());
            let title = format!("Start at {}", load.current_a);
            self.step(&mut laid, Item::Start, &title, load, Work::Start(windows), expected, floor)?;
        }
        self.points(&mut laid, register_energy)?;
        if self.reads() {
            let rest = Load { voltage_v: nominal, current_a: Current::ZERO };
            self.step(
                &mut laid,
                Item::MeterConstant,
                "Register, end",
                rest,
                Work::RegisterEnd,
                self.bench.exchange,
                Span::ZERO,
            )?;
        }
        // Nothing of the data lane may be cut off: the source stays on until the last of it is done.
        let data_end =
            laid.steps.iter().filter(|s| s.lane == Lane::Data).map(Step::end).max().unwrap_or_default();
        laid.at = laid.at.max(data_end);
        self.step(
            &mut laid,
            Item::Identity,
            "Discharge",
            Load::OFF,
            Work::Discharge,
            self.bench.sample_interval,
            Span::ZERO,
        )?;
        laid.total = laid.at;
        let side =
            laid.steps.iter().filter(|s| s.lane == Lane::Data).map(|s| s.floor).max().unwrap_or_default();
        laid.lower_bound =
            laid.steps.iter().filter(|s| s.lane == Lane::Load).map(|s| s.floor).sum::<Span>().max(side);
        for (index, step) in laid.steps.iter_mut().enumerate() {
            step.no = index + 1;
        }
        let first_point = laid.steps.iter().position(|s| matches!(s.work, Work::BasicError(_)));
        for step in &mut laid.steps {
            if let (Work::CrossCheck { during }, Some(point)) = (&mut step.work, first_point) {
                *during = point + 1;
            }
        }
        Ok(laid)
    }

    /// A short load at which pulses come fast: a head that is not on the meter is found before minutes are spent, and
    /// silence during creep and start is evidence.
    fn hear(&self, laid: &mut Laid) -> Result<(), Fault> {
        let current = (self.currents.itr * 10.0).min(self.currents.imax);
        let load = Load { voltage_v: self.nameplate.voltage_v, current_a: current };
        let period = Span::from_secs_f64(1.0 / self.constant().rate(load.voltage_v * load.current_a));
        // Also a meter whose constant is a tenth of its nameplate's is heard.
        let work = Work::Hear { give_up: period * 15.0 + Span::from_secs(2) };
        self.step(laid, Item::Identity, "Pulse input heard", load, work, period.half(), Span::ZERO)
    }

    /// Reads that need no particular load, begun as soon as the connection is known to be right.
    fn data_steps(&self, laid: &mut Laid, from: Span) -> Span {
        let mut at = from;
        let rate = self.profile.clock.as_ref().and_then(|clock| clock.daily_rate.as_ref());
        if let (true, Some(rate)) = (self.wants(Item::DailyRate) && self.bench.seconds_input, rate) {
            // One second to find the first pulse; the windows follow one another.
            let (reading, readings) = (Span::from_secs_f64(rate.reading_seconds.value), rate.readings.value);
            let time = reading * f64::from(readings);
            let work = Work::DailyRate { reading, readings };
            laid.beside(Item::DailyRate, "Daily clock rate", work, from, time + Span::from_secs(1));
            if let Some(step) = laid.steps.last_mut() {
                step.floor = time;
            }
        }
        if !self.reads() {
            return at;
        }
        let exchange = self.bench.exchange;
        let mut read = |laid: &mut Laid, item, title, work, exchanges: f64| {
            laid.beside(item, title, work, at, exchange * exchanges);
            at = at + exchange * exchanges;
        };
        read(laid, Item::Identity, "Identity and constant", Work::Identify, 3.0);
        read(laid, Item::Seal, "Cover record", Work::Seal, 2.0);
        if self.wants(Item::ClockIndication) && self.nameplate.clock {
            read(laid, Item::ClockIndication, "Clock", Work::Clock, 3.0);
        }
        if self.wants(Item::TariffRegisters) && self.nameplate.tariffs && self.kind != Kind::First {
            read(laid, Item::TariffRegisters, "Tariff registers", Work::TariffRegisters, 6.0);
        }
        at
    }

    fn creep(&self, laid: &mut Laid, data_end: Span) -> Result<(), Fault> {
        let constant = self.wants(Item::MeterConstant) && self.reads();
        let creep = self.profile.creep.as_ref().filter(|_| self.wants(Item::Creep));
        let (factor, dwell, max_pulses) = match creep {
            Some(rule) => {
                let un = self.nameplate.voltage_v;
                let dwell = self.profile.creep_dwell(self.class, un, self.constant(), self.currents)?;
                (rule.voltage_factor.value, dwell, rule.max_pulses.value)
            }
            None if constant => (1.0, Span::ZERO, 0),
            None => return Ok(()),
        };
        let load = Load { voltage_v: self.nameplate.voltage_v * factor, current_a: Current::ZERO };
        let begin = laid.at + self.bench.settle.time(laid.load, load);
        // The register is read at rest, after the other reads and before the first current.
        let read = if constant { self.bench.exchange } else { Span::ZERO };
        let busy = (data_end - begin).max(Span::ZERO) + read;
        let (item, title, work) = if creep.is_some() {
            (Item::Creep, "Creep", Work::Creep { dwell, max_pulses })
        } else {
            (Item::MeterConstant, "Register at rest", Work::Rest)
        };
        self.step(laid, item, title, load, work, dwell.max(busy), dwell)?;
        if constant {
            let start = laid.at - read;
            laid.beside(Item::MeterConstant, "Register, start", Work::RegisterStart, start, read);
        }
        Ok(())
    }

    fn points(&self, laid: &mut Laid, register_energy: Energy) -> Result<(), Fault> {
        let nominal = self.nameplate.voltage_v;
        let readings = self.profile.basic_error.readings.value;
        let points = self.profile.load_points(self.kind, self.currents);
        let mut windows = vec![];
        for point in &points {
            let load = Load { voltage_v: nominal, current_a: point.current };
            windows.push((load, self.windows(point.term.to_string(), load, readings, self.min_time())?));
        }
        // What the windows alone will move; the rest is made where it goes fastest, at the highest current.
        let moved = windows.iter().map(|(load, w)| load.voltage_v * load.current_a * w.floor());
        let missing = moved.fold(register_energy, |left, energy| left - energy);
        if missing > Energy::ZERO
            && let Some((load, first)) = windows.first_mut()
        {
            let more = Span::from_secs_f64(missing.joules() / (load.voltage_v * load.current_a).watts());
            first.min_dwell = first.floor() + more;
        }
        for (index, (load, windows)) in windows.into_iter().enumerate() {
            let (expected, floor) = (windows.expected(), windows.floor().max(windows.min_dwell));
            let title = format!("Basic error at {}", load.current_a);
            let at = laid.at + self.bench.settle.time(laid.load, load);
            self.step(laid, Item::BasicError, &title, load, Work::BasicError(windows), expected, floor)?;
            if index == 0 && self.reads() {
                let work = Work::CrossCheck { during: 0 };
                laid.beside(Item::DataOutput, "Cross-check U, I, P", work, at, self.bench.exchange * 3.0);
            }
        }
        Ok(())
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
        let rate = self.constant().rate(load.voltage_v * load.current_a);
        let pulse_period = Span::from_secs_f64(1.0 / rate);
        // A meter at its limit needs 1/(1 − limit) periods for a pulse; half as much again is beyond doubt.
        let slack = (1.5 / (1.0 - limit.ratio.fraction().min(0.9))).max(2.0);
        let give_up = (pulse_period * slack).max(Span::from_secs(2));
        let clause = limit.clause;
        Ok(Windows {
            term,
            min_time,
            readings,
            pulse_period,
            give_up,
            min_dwell: Span::ZERO,
            limit: limit.ratio,
            clause,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a step has that many sides; each call reads as one line of the plan"
    )]
    fn step(
        &self,
        laid: &mut Laid,
        item: Item,
        title: &str,
        load: Load,
        work: Work,
        dwell: Span,
        floor: Span,
    ) -> Result<(), Fault> {
        let bench = self.bench;
        if load.voltage_v > bench.voltage_max_v || load.current_a > bench.current_max_a {
            return Err(Fault::BeyondSource {
                voltage_v: load.voltage_v.volts(),
                current_a: load.current_a.amperes(),
                why: title.to_owned(),
                max_v: bench.voltage_max_v.volts(),
                max_a: bench.current_max_a.amperes(),
            });
        }
        let settle = bench.settle.time(laid.load, load);
        let duration = settle + dwell;
        let start = laid.at;
        laid.steps.push(Step {
            no: 0,
            item,
            lane: Lane::Load,
            title: title.to_owned(),
            load,
            work,
            start,
            settle,
            duration,
            floor,
        });
        laid.at = start + duration;
        laid.load = load;
        Ok(())
    }
}

impl Laid {
    fn beside(&mut self, item: Item, title: &str, work: Work, start: Span, duration: Span) {
        let (lane, load) = (Lane::Data, self.load);
        let (settle, floor) = (Span::ZERO, Span::ZERO);
        self.steps.push(Step {
            no: 0,
            item,
            lane,
            title: title.to_owned(),
            load,
            work,
            start,
            settle,
            duration,
            floor,
        });
    }
}

impl Windows {
    /// The least that regulation and pulse rate demand: `readings` whole windows.
    pub fn floor(&self) -> Span {
        let period = self.pulse_period.secs();
        let pulses = (self.min_time.secs() / period - 1e-9).ceil().max(1.0);
        Span::from_secs_f64(pulses * period * f64::from(self.readings))
    }

    /// The time to expect: half a period for the first pulse, then the windows.
    pub fn expected(&self) -> Span {
        (self.pulse_period.half() + self.floor()).max(self.min_dwell)
    }
}
