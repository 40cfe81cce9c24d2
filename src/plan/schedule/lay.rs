//! Lays the steps on the two lanes: what follows what, what runs beside it, and how long it takes.

use super::{Draft, LOW_VOLTAGE};
use crate::plan::nameplate::{Protocol, SHORTEST_TRANSACTION};
use crate::plan::{Capability, Fault, Lane, Load, Step, TEN_MINUTES, Windows, Work};
use crate::quantity::{Current, Energy};
use crate::regulation::{Item, Kind};
use crate::time::Span;

/// A point whose readings scatter may take so many more than the regulation asks; a choice of this house.
const MORE_READINGS: u32 = 3;

/// What the optimiser may choose; everything else follows from regulation, meter and bench.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::plan) struct Choice {
    /// The current at which the pulse input is heard.
    pub hear: Current,
    /// Whether the pulse heard there opens the first window at the starting current.
    pub opens_start: bool,
}

/// Steps laid on the two lanes.
pub(in crate::plan) struct Laid {
    pub steps: Vec<Step>,
    pub total: Span,
    pub lower_bound: Span,
    /// Where the load lane has come to.
    at: Span,
    load: Load,
    /// Energy planned since the register was read.
    moved: Energy,
}

impl Draft<'_> {
    /// The whole plan for one choice.
    pub fn lay(&self, register_energy: Energy, choice: Choice) -> Result<Laid, Fault> {
        let nominal = self.nameplate.voltage_v;
        let mut laid = Laid {
            steps: vec![],
            total: Span::ZERO,
            lower_bound: Span::ZERO,
            at: Span::ZERO,
            load: Load::OFF,
            moved: Energy::ZERO,
        };
        laid.beside(Item::Appearance, "Operator's entries", Work::Look, Span::ZERO, Span::ZERO);
        let low = Load { voltage_v: nominal * LOW_VOLTAGE, current_a: self.currents.imin };
        let look = if self.reads() { self.bench.exchange * 2.0 } else { self.bench.sample_interval };
        laid.step(
            self.bench,
            Doing::settled(Item::Identity, "Connection and polarity", Work::Connect, look),
            low,
        )?;
        let data_from = laid.at;
        self.hear(&mut laid, choice.hear)?;
        let dwell = self.warm_up()?;
        if dwell > Span::ZERO {
            let load =
                Load { voltage_v: nominal, current_a: (self.currents.itr * 10.0).min(self.currents.imax) };
            let doing = Doing::settled(Item::BasicError, "Warm-up", Work::WarmUp { dwell }, dwell);
            laid.step(self.bench, doing.demanded(dwell), load)?;
        }
        let data = self.data_steps(&mut laid, data_from);
        self.start(&mut laid, choice)?;
        self.creep(&mut laid, data)?;
        let begun = laid.at;
        self.points(&mut laid, register_energy)?;
        if self.reads() && !self.is_pre_check() {
            let rest = Load { voltage_v: nominal, current_a: Current::ZERO };
            let mut dwell = self.bench.exchange;
            if self.signing().is_some() {
                // A transaction that is too short yet is waited for at rest.
                let passed = laid.at + laid.settle(self.bench, rest) - begun;
                dwell = (SHORTEST_TRANSACTION - passed).max(dwell) + self.bench.exchange * 2.0;
            }
            let doing = Doing::settled(Item::MeterConstant, "Register, end", Work::RegisterEnd, dwell);
            laid.step(self.bench, doing, rest)?;
            if let Some(output) = self.signing() {
                let work =
                    Work::SignedRecord { shortest: SHORTEST_TRANSACTION, within: output.sign_within() };
                laid.beside(Item::DataOutput, "Signed record", work, begun, laid.at - begun);
            }
        }
        // Nothing of the data lane may be cut off: the source stays on until the last of it is done.
        laid.at = laid.at.max(laid.lane(Lane::Data).map(Step::end).max().unwrap_or_default());
        let seen = self.bench.sample_interval;
        laid.step(self.bench, Doing::moving(Item::Identity, "Discharge", Work::Discharge, seen), Load::OFF)?;
        laid.finish();
        Ok(laid)
    }

    /// The maker's warm-up, else the regulation's; a pre-check has none.
    pub(super) fn warm_up(&self) -> Result<Span, Fault> {
        if self.is_pre_check() {
            return Ok(Span::ZERO);
        }
        Ok(match self.nameplate.warm_up() {
            Some(dwell) => dwell,
            None => self.profile.warm_up(self.class)?.unwrap_or_default(),
        })
    }

    /// A short load at which pulses come: a head that is not on the meter is found before minutes are spent, and
    /// silence during start and creep is evidence.
    fn hear(&self, laid: &mut Laid, current: Current) -> Result<(), Fault> {
        let load = Load { voltage_v: self.nameplate.voltage_v, current_a: current };
        let period = self.period(load);
        // Also a meter whose constant is a tenth of its nameplate's is heard.
        let work = Work::Hear { give_up: period * 15.0 + Span::from_secs(2) };
        laid.step(self.bench, Doing::settled(Item::Identity, "Pulse input heard", work, period.half()), load)
    }

    /// Reads that need no particular load, begun as soon as the connection is known to be right.
    fn data_steps(&self, laid: &mut Laid, from: Span) -> Span {
        let mut at = from;
        let rate = self.profile.clock.as_ref().and_then(|clock| clock.daily_rate.as_ref());
        if let (true, Some(rate)) = (self.wants(Item::DailyRate) && self.bench.seconds_input, rate) {
            // One second to find the first pulse; the windows follow one another.
            let (reading, readings) = (Span::from_secs_f64(rate.reading_seconds.value), rate.readings.value);
            let time = reading * f64::from(readings);
            let output = self.nameplate.data_output.as_ref();
            let switch = output.is_some_and(|output| output.protocol == Protocol::Dlt645);
            let work = Work::DailyRate { reading, readings, switch };
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
        // Five counts, and the last times of what there was.
        read(laid, Item::Seal, "Event records", Work::SealRecords, 7.0);
        if self.wants(Item::ClockIndication) && self.nameplate.clock {
            read(laid, Item::ClockIndication, "Clock", Work::Clock { delay: true }, 3.0);
        }
        if self.wants(Item::TariffRegisters) && self.nameplate.tariffs && self.kind != Kind::First {
            read(laid, Item::TariffRegisters, "Tariff registers", Work::TariffRegisters, 6.0);
        }
        // Asked when nobody else asks anything: it takes no time of the plan.
        read(laid, Item::DataOutput, "Energy by month and day", Work::EnergyLog, 0.0);
        at
    }

    /// Before creep, because the pulse that was just heard can open its first window.
    fn start(&self, laid: &mut Laid, choice: Choice) -> Result<(), Fault> {
        let Some((load, mut windows)) = self.start_windows()? else { return Ok(()) };
        windows.opens_before = choice.opens_start;
        let title = format!("Start at {}", load.current_a);
        laid.step(self.bench, Doing::windows(Item::Start, &title, &windows, Work::Start), load)
    }

    fn creep(&self, laid: &mut Laid, data_end: Span) -> Result<(), Fault> {
        // The transaction of a meter that signs begins at rest too, and is held against its register.
        let constant = (self.wants(Item::MeterConstant) && self.reads()) || self.signing().is_some();
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
        let begin = laid.at + laid.settle(self.bench, load);
        // The register is read at rest, after the other reads and before the first current.
        let read = if constant { self.bench.exchange } else { Span::ZERO };
        let begin_transaction = if self.signing().is_some() { self.bench.exchange * 2.0 } else { Span::ZERO };
        let busy = (data_end - begin).max(Span::ZERO) + read;
        let (item, title, work) = if creep.is_some() {
            (Item::Creep, "Creep", Work::Creep { dwell, max_pulses })
        } else {
            (Item::MeterConstant, "Register at rest", Work::Rest)
        };
        let dwell_planned = dwell.max(busy) + begin_transaction;
        laid.step(self.bench, Doing::settled(item, title, work, dwell_planned).demanded(dwell), load)?;
        if constant {
            let start = laid.at - read - begin_transaction;
            laid.beside(Item::MeterConstant, "Register, start", Work::RegisterStart, start, read);
            laid.moved = Energy::ZERO;
        }
        Ok(())
    }

    fn points(&self, laid: &mut Laid, register_energy: Energy) -> Result<(), Fault> {
        let mut points = self.point_windows()?;
        // What the later windows move; the rest is made where it goes fastest, at the highest current.
        let rest = |all: Energy, time: fn(&Windows) -> Span| {
            let later =
                points.iter().skip(1).map(|(load, windows)| load.voltage_v * load.current_a * time(windows));
            later.fold(all, |left, energy| left - energy)
        };
        let target = rest(register_energy, |windows| windows.whole(windows.readings));
        let least = rest(self.register_need(1.0)?, Windows::floor);
        let mut demanded = Span::ZERO;
        if target > Energy::ZERO
            && let Some((load, first)) = points.first_mut()
        {
            first.register_energy = target;
            let power = load.voltage_v * load.current_a;
            demanded = Span::from_secs_f64(least.joules() / power.watts());
        }
        for (index, (load, windows)) in points.into_iter().enumerate() {
            let title = format!("Basic error at {}", load.current_a);
            let at = laid.at + laid.settle(self.bench, load);
            let mut doing = Doing::windows(Item::BasicError, &title, &windows, Work::BasicError);
            if windows.register_energy > Energy::ZERO {
                let floor = doing.floor.max(demanded);
                doing = doing.demanded(floor).moving_register(windows.register_energy);
            }
            laid.step(self.bench, doing, load)?;
            if index == 0 && self.reads() {
                let work = Work::CrossCheck { during: 0 };
                laid.beside(Item::DataOutput, "Cross-check U, I, P", work, at, self.bench.exchange * 3.0);
            }
        }
        Ok(())
    }
}

/// A step of the load lane before it has its place.
struct Doing<'a> {
    item: Item,
    title: &'a str,
    work: Work,
    /// Whether the work begins only when the load has stood for the hold time.
    hold: bool,
    /// From the load in its band, or the hold where it is waited for, to the end.
    dwell: Span,
    /// What regulation and pulse rate alone demand.
    floor: Span,
    /// Energy since the register was read that must have passed at the end.
    register: Energy,
}

impl<'a> Doing<'a> {
    fn settled(item: Item, title: &'a str, work: Work, dwell: Span) -> Self {
        Self { item, title, work, hold: true, dwell, floor: Span::ZERO, register: Energy::ZERO }
    }

    /// Nothing waits for the load to stand.
    fn moving(item: Item, title: &'a str, work: Work, dwell: Span) -> Self {
        Self { hold: false, ..Self::settled(item, title, work, dwell) }
    }

    /// Windows may open as soon as the load is in its band: that it has stood is then seen over the whole window.
    fn windows(item: Item, title: &'a str, windows: &Windows, work: fn(Windows) -> Work) -> Self {
        let (dwell, floor) = (windows.expected(), windows.floor());
        Self { floor, ..Self::moving(item, title, work(windows.clone()), dwell) }
    }

    fn demanded(self, floor: Span) -> Self {
        Self { floor, ..self }
    }

    fn moving_register(self, register: Energy) -> Self {
        Self { register, ..self }
    }
}

impl Laid {
    fn lane(&self, lane: Lane) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.lane == lane)
    }

    /// From the present load to another that has stood for the hold time.
    fn settle(&self, bench: &Capability, load: Load) -> Span {
        bench.settle.ramp(self.load, load) + bench.settle.hold()
    }

    fn step(&mut self, bench: &Capability, doing: Doing<'_>, load: Load) -> Result<(), Fault> {
        let Doing { item, title, work, hold, dwell, floor, register } = doing;
        if load.voltage_v > bench.voltage_max_v || load.current_a > bench.current_max_a {
            return Err(Fault::BeyondSource {
                voltage_v: load.voltage_v.volts(),
                current_a: load.current_a.amperes(),
                why: title.to_owned(),
                max_v: bench.voltage_max_v.volts(),
                max_a: bench.current_max_a.amperes(),
            });
        }
        let ramp = bench.settle.ramp(self.load, load);
        let power = load.voltage_v * load.current_a;
        // Half of the final power over the ramp is a guess for the plan only; the run looks at the reference.
        let ramped = power * ramp.half();
        let missing = register - self.moved - ramped;
        let mut dwell = if hold { bench.settle.hold() + dwell } else { dwell };
        if missing > Energy::ZERO && register > Energy::ZERO {
            dwell = dwell.max(Span::from_secs_f64(missing.joules() / power.watts()));
        }
        self.moved = self.moved + ramped + power * dwell;
        let settle = if hold { ramp + bench.settle.hold() } else { ramp };
        let (start, duration) = (self.at, ramp + dwell);
        let title = title.to_owned();
        self.steps.push(Step {
            no: 0,
            item,
            lane: Lane::Load,
            title,
            load,
            work,
            start,
            settle,
            duration,
            floor,
        });
        self.at = start + duration;
        self.load = load;
        Ok(())
    }

    fn beside(&mut self, item: Item, title: &str, work: Work, start: Span, duration: Span) {
        let (lane, load, title) = (Lane::Data, self.load, title.to_owned());
        let (settle, floor) = (Span::ZERO, Span::ZERO);
        self.steps.push(Step { no: 0, item, lane, title, load, work, start, settle, duration, floor });
    }

    /// Lets every point take as many more readings as ten minutes leave room for, and tells the total that makes.
    pub fn allow_more_readings(&mut self) -> Span {
        let mut longest = self.total;
        for more in 1..=MORE_READINGS {
            let all = self.steps.iter().filter_map(|step| step.work.windows());
            let total = all.fold(self.total, |total, windows| total + windows.whole(more));
            if total > TEN_MINUTES {
                break;
            }
            longest = total;
            for windows in self.steps.iter_mut().filter_map(|step| step.work.windows_mut()) {
                windows.readings_max = windows.readings + more;
            }
        }
        longest
    }

    /// Numbers the steps and adds them up.
    fn finish(&mut self) {
        self.total = self.at;
        let beside = self.lane(Lane::Data).map(|s| s.floor).max().unwrap_or_default();
        self.lower_bound = self.lane(Lane::Load).map(|s| s.floor).sum::<Span>().max(beside);
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.no = index + 1;
        }
        let first_point = self.steps.iter().position(|s| matches!(s.work, Work::BasicError(_)));
        for step in &mut self.steps {
            if let (Work::CrossCheck { during }, Some(point)) = (&mut step.work, first_point) {
                *during = point + 1;
            }
        }
    }
}

impl Work {
    /// The windows of a load point.
    pub fn windows(&self) -> Option<&Windows> {
        match self {
            Self::Start(windows) | Self::BasicError(windows) => Some(windows),
            _ => None,
        }
    }

    fn windows_mut(&mut self) -> Option<&mut Windows> {
        match self {
            Self::Start(windows) | Self::BasicError(windows) => Some(windows),
            _ => None,
        }
    }
}

impl Windows {
    /// The least that regulation and pulse rate demand: the regulation's readings in its shortest windows.
    pub fn floor(&self) -> Span {
        self.pulses_in(self.regulation_time) * f64::from(self.readings)
    }

    /// So many whole windows of this plan.
    pub fn whole(&self, readings: u32) -> Span {
        self.pulses_in(self.min_time) * f64::from(readings)
    }

    /// The least whole number of pulse periods that lasts so long.
    fn pulses_in(&self, time: Span) -> Span {
        let period = self.pulse_period.secs();
        Span::from_secs_f64((time.secs() / period - 1e-9).ceil().max(1.0) * period)
    }

    /// The time to expect from the load in its band: half a period for the first pulse, then the windows.
    pub fn expected(&self) -> Span {
        let first = if self.opens_before { Span::ZERO } else { self.pulse_period.half() };
        first + self.whole(self.readings)
    }
}
