//! The simulated bench's physics: source, reference and meter on one clock, advanced tick by tick from a seed.
//!
//! The clock is *ours* (the tester's time base); nature runs on true time, which the time base misses by its own error.

use super::Rig;
use super::mishap::{self, Mishaps, Passed, What};
use super::truth::{BenchTruth, Luck, SecondsPulse, Signing, Truth, gauss, uniform};
use crate::calibration::{Change, Fault, Standards};
use crate::link::fault_injector::Mischief;
use crate::meter::{Query, Unit, Value};
use crate::plan::{Capability, Load, Nameplate, Settle};
use crate::pulse::{Edge, Input};
use crate::quantity::{Current, Energy, Power, Ratio, Voltage};
use crate::reference::Sample;
use crate::time::{self, Instant, Span, Stamp};
use jiff::civil::{Date, DateTime};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

/// Longest tick while the source moves.
const RAMP_TICK: Span = Span::from_millis(20);
/// Time between two samples of the simulated reference.
pub const SAMPLE_INTERVAL: Span = Span::from_millis(100);
/// A pulse is high for so long, or 40 % of its period if that is shorter.
const PULSE_WIDTH: Span = Span::from_millis(30);
/// The seconds pulse is high for so long.
const SECOND_WIDTH: Span = Span::from_millis(80);
/// The day on which a simulated meter was opened and programmed last.
const LAST_OPENED: Date = jiff::civil::date(2026, 11, 17);
/// Discharge of the voltage circuit after off, per second.
const DISCHARGE_V_PER_S: f64 = 2000.0;

/// Something the world shows to the bench.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight {
    /// An edge on an output of the meter, as its counter stamps it, at the moment at which it came.
    Edge(Edge, Instant),
    /// A sample of the reference is due.
    Sample(Sample),
    /// The counter of an input says that its buffer ran over.
    Overflow(Input),
}

/// The simulated bench with its meter.
pub struct World {
    nameplate: Nameplate,
    truth: Truth,
    mishaps: Mishaps,
    bench: BenchTruth,
    settle: Settle,
    standards: Standards,
    /// What the bench states of itself, and keeps to: resolution, stamps, leads.
    stated: Capability,
    luck: Luck,
    /// How far the reference has changed since its calibration, relative.
    reference_change: f64,
    time_base_rate: f64,
    seed: u64,
    rng: ChaCha8Rng,
    began: Instant,
    started: Stamp,
    now: Instant,
    next_sample: Instant,
    set: Load,
    real: Load,
    /// What was there when the source was last told otherwise.
    left: Load,
    phase: f64,
    register_j: f64,
    reference_j: f64,
    /// The power that the meter counts with.
    counted: Power,
    next_second: f64,
    /// Whether the seconds pulse is on the output.
    gives_seconds: bool,
    pending: Vec<Edge>,
    seq: [u64; 2],
}

impl World {
    /// A world of `rig` that begins `now`, which is `started` by the wall clock.
    pub fn new(rig: &Rig, seed: u64, now: Instant, started: Stamp) -> Self {
        let standards = rig.standards.clone();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drawn = Luck::draw(&mut rng);
        let luck = rig.bench.luck.unwrap_or(drawn);
        // The simulated standards age by the calendar as real ones do: their certificates are never due, so that the
        // bench works for ever, but the drift that they state happens, and grows.
        let (day, warm) = (started.date(), rig.bench.temperature);
        let half_width = |change: Result<Change, Fault>| change.map_or(0.0, |c| c.half_width.fraction());
        let reference = standards.reference();
        let reference_change = luck.reference_drift * half_width(reference.drift_until(day))
            + luck.reference_temperature * half_width(reference.temperature_effect(warm, warm));
        let clock = standards.time_base();
        let rate = clock.rate_error();
        let time_base_rate = rate.map_or(0.0, |r| r.error.fraction() + r.u.fraction() * luck.time_base)
            + luck.time_base_drift * half_width(clock.drift_until(day))
            + luck.time_base_temperature * half_width(clock.temperature_effect(warm, warm));
        let phase = uniform(&mut rng);
        let next_second = uniform(&mut rng);
        Self {
            nameplate: rig.nameplate.clone(),
            truth: rig.truth.clone(),
            mishaps: Mishaps::new(&rig.truth.mishap, seed),
            bench: rig.bench,
            settle: rig.settle,
            standards,
            stated: rig.capability(),
            luck,
            reference_change,
            time_base_rate,
            seed,
            rng,
            began: now,
            started,
            now,
            next_sample: now,
            set: Load::OFF,
            real: Load::OFF,
            left: Load::OFF,
            phase,
            register_j: 0.0,
            reference_j: 0.0,
            counted: Power::ZERO,
            next_second,
            gives_seconds: rig.truth.seconds_pulse == SecondsPulse::Always,
            pending: vec![],
            seq: [0; 2],
        }
    }

    /// How far the world has come.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The source takes over a load; it gets there at its slew rate.
    pub fn set_source(&mut self, load: Load) {
        if !self.mishaps.obeys(self.secs(), load) {
            return;
        }
        if load != self.set {
            self.left = self.load_now();
        }
        self.set = load;
    }

    /// The meter is told to give its seconds pulse; false where it refuses.
    pub fn give_seconds(&mut self) -> bool {
        self.gives_seconds |= self.truth.seconds_pulse == SecondsPulse::Told;
        self.gives_seconds
    }

    /// Seconds since it began.
    fn secs(&self) -> f64 {
        (self.now - self.began).secs()
    }

    /// Whether the meter's data output says nothing at all now.
    pub(super) fn is_mute(&self) -> bool {
        self.mishaps.is_mute(self.secs())
    }

    /// Whether the meter gives the registers of a Modbus value in the other order.
    pub(super) fn swaps_words(&self) -> bool {
        self.mishaps.is(What::WordsSwapped, self.secs())
    }

    /// What happens to the bytes on the line to the meter.
    pub(super) fn mischief(&self) -> Option<Mischief> {
        mishap::mischief(&self.truth.mishap, self.seed)
    }

    /// The meter's number where it pushes SML.
    pub(super) fn sml_server(&self) -> Option<&str> {
        self.truth.sml_server.as_deref()
    }

    /// Whether anything is at the terminals that the source put there.
    pub fn is_live(&self) -> bool {
        self.set != Load::OFF
    }

    /// The number of the last edge shown on an input; the first edge is number 0.
    pub fn edges_shown(&self, input: Input) -> u64 {
        self.seq[input as usize]
    }

    /// Lets one tick pass, at most up to `until`, and tells what was to be seen, in order of time.
    pub fn tick(&mut self, until: Instant, sights: &mut Vec<Sight>) {
        let moving = self.set != self.real;
        let longest = if moving { RAMP_TICK } else { SAMPLE_INTERVAL };
        let end = (self.now + longest).min(self.next_sample).min(until).max(self.now);
        let span = end - self.now;
        if span > Span::ZERO {
            let before = self.load_now();
            self.slew(span.secs());
            let after = self.load_now();
            let load = Load {
                voltage_v: (before.voltage_v + after.voltage_v) * 0.5,
                current_a: (before.current_a + after.current_a) * 0.5,
            };
            self.flow(load, span, end);
            self.seconds(end);
            self.strays(span, end);
            self.now = end;
        }
        self.show_edges(end, sights);
        if end >= self.next_sample {
            let sample = self.sample();
            if !self.mishaps.is(What::ReferenceSilent, self.secs()) {
                sights.push(Sight::Sample(sample));
            }
            self.next_sample = end + SAMPLE_INTERVAL;
        }
    }

    /// A sample of the reference now: truth, its own error, scatter, and no finer than its last digit.
    pub fn sample(&mut self) -> Sample {
        let load = self.load_now();
        let noise = self.bench.sample_noise;
        let error = self.reference_error(load);
        let voltage = load.voltage_v * (1.0 + noise * gauss(&mut self.rng) / 2.0);
        let current = load.current_a * (1.0 + noise * gauss(&mut self.rng) / 2.0);
        let power = load.voltage_v * load.current_a * (1.0 + error) * (1.0 + noise * gauss(&mut self.rng));
        let digit = self.real.voltage_v * self.real.current_a * self.stated.reference_resolution.fraction();
        let power = if digit > Power::ZERO { digit * (power.watts() / digit.watts()).round() } else { power };
        let step = self.stated.energy_step.joules();
        let counted = if step > 0.0 { (self.reference_j / step).floor() * step } else { self.reference_j };
        let energy = Some(Energy::from_joules(counted));
        let sample =
            Sample { taken: self.now, taken_half_width: Span::ZERO, voltage, current, power, energy };
        self.mishaps.sample(self.secs(), sample)
    }

    /// How the meter signs.
    pub(super) fn signing(&self) -> Signing {
        self.truth.signing.clone()
    }

    /// What the meter's data output says now; `None` where it has nothing.
    pub fn told(&self, query: Query) -> Option<Value> {
        Some(self.mishaps.told(self.secs(), query, self.says(query)?))
    }

    fn says(&self, query: Query) -> Option<Value> {
        let load = self.load_now();
        let error = 1.0 + self.truth.error_at(load.current_a).fraction();
        let number = |value: f64, decimals: u32, unit| {
            Some(Value::Number(Decimal::from_f64(value)?.trunc_with_scale(decimals), unit))
        };
        match query {
            Query::Address | Query::MeterNumber => Some(Value::Text(
                self.truth.told_number.clone().unwrap_or_else(|| self.nameplate.serial.clone()),
            )),
            Query::Energy | Query::TariffEnergy(1) => {
                let step = self.truth.register_step_kwh.unwrap_or(self.nameplate.register_resolution_kwh);
                let counted = Decimal::from_f64(self.register_j / 3.6e6)? / step;
                Some(Value::Number(
                    self.truth.register_start_kwh + counted.trunc() * step,
                    Unit::KilowattHour,
                ))
            }
            // No simulated load flows back, and no simulated meter has anything to report.
            Query::ReverseEnergy => {
                let scale = self.nameplate.register_resolution_kwh.scale();
                Some(Value::Number(Decimal::new(0, scale), Unit::KilowattHour))
            }
            Query::StatusWords => Some(Value::Text(["0000"; 7].join(" "))),
            Query::Voltage => number(load.voltage_v.volts(), 3, Unit::Volt),
            Query::Current => number(load.current_a.amperes() * error, 4, Unit::Ampere),
            Query::Power => {
                let load = if self.truth.power_stale { self.left } else { load };
                let error = 1.0 + self.truth.error_at(load.current_a).fraction();
                number((load.voltage_v * load.current_a).kilowatts() * error, 4, Unit::Kilowatt)
            }
            Query::Clock => Some(Value::Clock(self.clock())),
            Query::Constant => {
                let nameplate = self.nameplate.constant_imp_per_kwh.impulses_per_kilowatt_hour();
                let told = self.truth.told_constant.unwrap_or(nameplate);
                Some(Value::Number(Decimal::from_f64(told)?, Unit::ImpulsesPerKilowattHour))
            }
            Query::CoverOpenCount => Some(Value::Count(self.truth.cover_openings)),
            Query::CoverOpenLast if self.truth.cover_openings > 0 => Some(Value::CoverOpen {
                from: Some(LAST_OPENED.to_datetime(jiff::civil::time(9, 30, 0, 0))),
                to: (!self.truth.cover_open).then(|| LAST_OPENED.to_datetime(jiff::civil::time(9, 41, 0, 0))),
            }),
            Query::ProgrammingCount => Some(Value::Count(self.truth.programmings)),
            Query::ProgrammingLast => {
                let at = LAST_OPENED.to_datetime(jiff::civil::time(9, 35, 0, 0));
                Some(Value::Event { at: (self.truth.programmings > 0).then_some(at) })
            }
            // What is opened is cut off as well in no simulated meter.
            Query::TerminalCoverOpenCount | Query::ClockSetCount | Query::PowerLossCount => {
                Some(Value::Count(0))
            }
            Query::ClockSetLast => Some(Value::ClockSet { before: None, after: None }),
            Query::TerminalCoverOpenLast | Query::PowerLossLast => {
                Some(Value::CoverOpen { from: None, to: None })
            }
            Query::SettledEnergy(n) => kept(&self.truth.settled_kwh, n),
            Query::DayEnergy(n) => kept(&self.truth.daily_kwh, n),
            Query::DayKeptAt(n) => {
                kept(&self.truth.daily_kwh, n)?;
                let midnight =
                    self.clock().date().checked_sub(jiff::Span::new().days(i64::from(n) - 1)).ok()?;
                Some(Value::Event { at: Some(midnight.to_datetime(jiff::civil::Time::midnight())) })
            }
            Query::SettlementDay(1) if !self.truth.settled_kwh.is_empty() => {
                Some(Value::MonthDay { day: 1, hour: 0 })
            }
            Query::CoverOpenLast | Query::TariffEnergy(_) | Query::SettlementDay(_) => None,
        }
    }

    fn clock(&self) -> DateTime {
        // A clock that stands shows the moment of the begin for ever.
        let stands = self.mishaps.is(What::ClockStopped, self.secs());
        let elapsed = if stands { 0.0 } else { self.secs() };
        let ahead = self.truth.clock_ahead_secs + elapsed * self.truth.clock_rate_s_per_day / 86_400.0;
        let shown = self.started.after(Span::from_secs_f64(elapsed / time::pace() + ahead)).civil();
        shown.with().subsec_nanosecond(0).build().unwrap_or(shown)
    }

    /// The certificate's error at this load, what its uncertainty leaves open, and what has changed since.
    fn reference_error(&self, load: Load) -> f64 {
        let (voltage, current) =
            (load.voltage_v.max(Voltage::from_volts(10.0)), load.current_a.max(Current::from_amperes(0.1)));
        let at = self.standards.reference().power_correction(voltage, current);
        at.map_or(0.0, |c| c.error.fraction() + self.luck.reference * c.u.fraction()) + self.reference_change
    }

    /// The load with the source's wander, and its drift if it has one.
    fn load_now(&self) -> Load {
        let secs = self.secs();
        let mut factor = 1.0 + self.bench.wander * (secs / 17.0).sin();
        if let Some((from, per_second)) = self.bench.drift_from {
            factor += per_second * (secs - from).max(0.0);
        }
        let load = Load { voltage_v: self.real.voltage_v, current_a: self.real.current_a * factor };
        self.mishaps.load(secs, load)
    }

    fn slew(&mut self, secs: f64) {
        let towards = |now: f64, goal: f64, step: f64| now + (goal - now).clamp(-step, step);
        let discharging = self.set == Load::OFF;
        let volts_per_s = if discharging { DISCHARGE_V_PER_S } else { self.settle.voltage_slew_v_per_s };
        let amperes_per_s = self.settle.current_slew_a_per_s;
        self.real = Load {
            voltage_v: Voltage::from_volts(towards(
                self.real.voltage_v.volts(),
                self.set.voltage_v.volts(),
                volts_per_s * secs,
            )),
            current_a: Current::from_amperes(towards(
                self.real.current_a.amperes(),
                self.set.current_a.amperes(),
                amperes_per_s * secs,
            )),
        };
    }

    /// Energy through reference and meter in a tick; pulses where the meter's count passes a whole number.
    fn flow(&mut self, load: Load, span: Span, end: Instant) {
        let secs = span.secs() / (1.0 + self.time_base_rate);
        let power = load.voltage_v * load.current_a;
        self.reference_j += power.watts() * (1.0 + self.reference_error(load)) * secs;
        let counted = self.follow(self.counted_power(load, power), secs);
        if counted <= Power::ZERO || self.mishaps.is(What::MeterReboot, self.secs()) {
            return;
        }
        let joules = counted.watts() * secs;
        if !self.mishaps.is(What::RegisterFrozen, self.secs()) {
            self.register_j += joules * self.truth.register_factor;
        }
        let pulses =
            self.nameplate.constant_imp_per_kwh.pulses(Energy::from_joules(joules)) * self.truth.pulse_factor;
        let begin = self.phase;
        self.phase += pulses;
        let period = Span::from_secs_f64(span.secs() / pulses);
        let width = PULSE_WIDTH.min(period * 0.4);
        let mut crossing = begin.floor() + 1.0;
        while crossing <= self.phase {
            let at = end - span + span * ((crossing - begin) / pulses);
            let jitter = Span::from_secs_f64(gauss(&mut self.rng) * self.truth.pulse_jitter_us * 1e-6);
            let jitter = jitter.clamp(Span::ZERO - period * 0.2, period * 0.2);
            let secs = self.secs();
            for (at, width) in self.mishaps.pulses(secs, at + jitter, width).into_iter().flatten() {
                self.pend(Input::Meter, at, width, period);
            }
            crossing += 1.0;
        }
        self.phase -= self.phase.floor();
    }

    /// What a meter that follows the load slowly counts by now (first order).
    fn follow(&mut self, goal: Power, secs: f64) -> Power {
        let lag = self.truth.lag_secs;
        let share = if lag > 0.0 { 1.0 - (-secs / lag).exp() } else { 1.0 };
        self.counted = self.counted + (goal - self.counted) * share;
        self.counted
    }

    fn counted_power(&self, load: Load, power: Power) -> Power {
        if load.current_a.amperes() < 1e-3 {
            return if load.voltage_v.volts() > 1.0 { self.truth.creep_power_w } else { Power::ZERO };
        }
        if load.current_a < self.truth.start_current_a {
            return Power::ZERO;
        }
        // The meter has what the reference has, and what goes past that.
        let (leaks, drops) = (self.stated.leads_current_a, self.stated.leads_voltage_v);
        let current = load.current_a + leaks.unwrap_or_default() * self.luck.current_leads;
        let voltage = load.voltage_v + drops.unwrap_or_default() * self.luck.voltage_leads;
        let power = if power > Power::ZERO { voltage * current } else { power };
        power * (1.0 + self.truth.error_at(load.current_a).fraction())
    }

    fn seconds(&mut self, end: Instant) {
        if !self.nameplate.clock {
            return;
        }
        let rate = (1.0 + self.truth.clock_rate_s_per_day / 86_400.0) / (1.0 + self.time_base_rate);
        loop {
            let at = self.began + Span::from_secs_f64(self.next_second / rate);
            if at > end {
                return;
            }
            if self.gives_seconds {
                self.pend(Input::Seconds, at, SECOND_WIDTH, Span::from_secs(1));
            }
            self.next_second += 1.0;
        }
    }

    /// Pulses that no meter has made.
    fn strays(&mut self, span: Span, end: Instant) {
        for (share, width) in self.mishaps.strays(self.secs(), span, PULSE_WIDTH).into_iter().flatten() {
            self.pend(Input::Meter, end - span * share, width, width);
        }
    }

    /// Both edges of a pulse, as the counter stamps them; stamps are never so far off that edges change places.
    fn pend(&mut self, input: Input, at: Instant, width: Span, period: Span) {
        let most = self.stated.edge_time_half_width.min(period * 0.05);
        for (at, rising) in [(at, true), (at + width, false)] {
            let at = at + most * (2.0 * uniform(&mut self.rng) - 1.0);
            self.pending.push(Edge { input, seq: 0, at, rising });
        }
    }

    fn show_edges(&mut self, end: Instant, sights: &mut Vec<Sight>) {
        self.pending.sort_by_key(|e| e.at);
        let due = self.pending.partition_point(|e| e.at <= end);
        let secs = self.secs();
        for edge in self.pending.drain(..due) {
            let came = edge.at;
            let (mut edge, seen) = match self.mishaps.pass(secs, edge) {
                Passed::Seen(edge) => (edge, true),
                Passed::Lost => (edge, false),
                Passed::Unseen => continue,
            };
            let seq = &mut self.seq[edge.input as usize];
            edge.seq = *seq;
            *seq += 1;
            edge.seq = self.mishaps.number(secs, edge);
            if seen {
                sights.push(Sight::Edge(edge, came));
            }
        }
        if self.mishaps.overflows(secs) {
            sights.push(Sight::Overflow(Input::Meter));
        }
    }

    /// The true error of the meter at a load, for tests and studies.
    pub fn true_error(&self, current: Current) -> Ratio {
        self.truth.error_at(current)
    }
}

/// What was kept at the n-th last time.
fn kept(register: &[Decimal], n: u8) -> Option<Value> {
    let kwh = register.get(usize::from(n).checked_sub(1)?)?;
    Some(Value::Number(*kwh, Unit::KilowattHour))
}
