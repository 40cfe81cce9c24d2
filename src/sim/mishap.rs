//! What goes wrong in a simulated meter or on the simulated bench, as data: `[[truth.mishap]]` in the meter's file.
//!
//! Each row is something that happens, from one second of the run to another. Without rows nothing here draws a number or
//! touches a value: a good bench is the same bit for bit.

use super::truth::{gauss, uniform};
use crate::link::fault_injector::{Echo, Mischief, Odds};
use crate::meter::{Query, Value};
use crate::plan::Load;
use crate::pulse::{Edge, Input};
use crate::quantity::{Current, Energy, Power};
use crate::reference::Sample;
use crate::time::{Instant, Span};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde::Deserialize;
use std::collections::VecDeque;

/// More rows than this say nothing more about a meter.
const ROWS_MAX: usize = 32;
/// What an instrument says in place of a number it does not have (SCPI-99 7.2.1.4: not a number).
const NOT_A_NUMBER_W: f64 = 9.91e37;
/// A spike on the pulse line is so wide.
const SPIKE: Span = Span::from_nanos(50_000);
/// The source's ripple swings once in so many seconds; slow enough that a sample every 100 ms sees it.
const RIPPLE_SECS: f64 = 1.7;
/// The mishaps' own luck, beside that of the world.
const LUCK: u64 = 0x4D69_7368_6170_7321;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mishap {
    /// What.
    pub what: What,
    /// From this second of the run on.
    #[serde(default)]
    pub from_secs: f64,
    /// Until this second; absent: to the end.
    #[serde(default)]
    pub to_secs: Option<f64>,
    /// Only each so-manieth pulse; absent: each.
    #[serde(default)]
    pub every: Option<u64>,
    /// How much, in the unit that the kind names.
    #[serde(default)]
    pub by: f64,
}

/// The kinds of mishaps. Where a kind takes `every` or `by`, its sentence says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The meter leaves out a pulse (`every`).
    PulseMissing,
    /// The meter gives a second pulse behind a pulse (`every`).
    PulseDouble,
    /// The pulse contact breaks off after `by` milliseconds and comes back (`every`).
    PulseBounce,
    /// Light or noise makes whole pulses, `by` a second on average.
    StrayPulse,
    /// Spikes of 50 µs on the line, `by` a second on average.
    Spike,
    /// The counter loses an edge and its numbers show it (`every`).
    EdgeLost,
    /// A falling edge is not seen, and the numbers have no hole (`every`).
    EdgeUnseen,
    /// The counter says that its buffer ran over.
    Overflow,
    /// The head is off: nothing is seen.
    HeadOff,
    /// The line stays high.
    LevelStuck,
    /// The counter begins its numbers anew.
    CounterRestarts,
    /// The counter's numbers have `by` bits.
    CounterWraps,
    /// The counter's clock is `by` seconds ahead.
    CounterJumps,
    /// The counter's clock is fast by the share `by`.
    CounterFast,
    /// Energy and seconds pulses are plugged into one another's inputs.
    InputsSwapped,
    /// The reference repeats its last values, at new moments.
    ReferenceStuck,
    /// The reference gives no samples.
    ReferenceSilent,
    /// The reference's values are those of `by` seconds ago.
    ReferenceLate,
    /// The reference says "no number".
    ReferenceOverrange,
    /// The reference scatters by the share `by` besides.
    ReferenceNoisy,
    /// The reference's power and energy are off by the share `by`; its voltage and current are right.
    ReferencePowerOff,
    /// The reference's current, and with it power and energy, is off by the share `by`: a wrong range or shunt.
    ReferenceCurrentOff,
    /// The reference's count of energy stands still.
    ReferenceCountStuck,
    /// The current leads of the reference are reversed.
    CurrentReversed,
    /// No voltage comes to the reference.
    VoltageOpen,
    /// The source's current runs away by the share `by` a second.
    SourceDrift,
    /// The source's current swings by the share `by`.
    SourceRipple,
    /// The source's current is off by the share `by`.
    SourceDip,
    /// The source gives no more than `by` amperes.
    SourceLimit,
    /// The source says yes and does nothing.
    SourceDeaf,
    /// The source says off and stays on.
    SourceStaysOn,
    /// The meter boots: no pulses, no count, no answers.
    MeterReboot,
    /// The meter does not answer on its data output.
    MeterSilent,
    /// The register stands still.
    RegisterFrozen,
    /// The register is `by` kWh off.
    RegisterJump,
    /// The register begins at nought again at `by` kWh.
    RegisterWraps,
    /// The power on the data output is `by` kW, whatever the load.
    PowerStands,
    /// The power on the data output is `by` times what it should be.
    PowerTimes,
    /// The current on the data output is `by` times what it should be.
    CurrentTimes,
    /// The voltage on the data output is `by` times what it should be.
    VoltageTimes,
    /// The meter's clock stands still.
    ClockStopped,
    /// The registers of a Modbus value come in the other order.
    WordsSwapped,
    /// Own bytes come back on the line to the meter, as on a two-wire line.
    LineEcho,
    /// An answer comes in two pieces with the probability `by`.
    LineSplits,
    /// A bit of a byte is turned over with the probability `by`.
    LineNoise,
    /// A byte is lost with the probability `by`.
    LineDrops,
}

/// Refuses rows that cannot be, in words.
pub(super) fn check(rows: &[Mishap]) -> Result<(), String> {
    if rows.len() > ROWS_MAX {
        return Err(format!("{} mishaps; at most {ROWS_MAX} are allowed", rows.len()));
    }
    for (n, row) in rows.iter().enumerate() {
        let to = row.to_secs.unwrap_or(f64::MAX);
        let times = row.from_secs >= 0.0 && row.from_secs <= to && row.every != Some(0);
        if !(times && row.by.is_finite() && row.by.abs() <= 1e7) {
            return Err(format!(
                "mishap {}: allowed are from_secs of 0 or more, to_secs not before it, every of 1 or more and a by within ±1e7",
                n + 1
            ));
        }
    }
    Ok(())
}

/// What came of an edge on its way to the counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Passed {
    /// It is seen.
    Seen(Edge),
    /// It was counted and lost.
    Lost,
    /// It never was.
    Unseen,
}

/// The mishaps of one world, with what they remember.
pub(super) struct Mishaps {
    /// The rows, each with the pulses that it has looked at.
    rows: Vec<(Mishap, u64)>,
    rng: ChaCha8Rng,
    /// Samples of the last while, where the reference is late.
    past: VecDeque<Sample>,
    /// What a stuck reference repeats.
    stuck: Option<Sample>,
    count: Option<Energy>,
    level_stuck: bool,
    overflow_told: bool,
    /// The number from which a restarted counter counts.
    restarted: Option<u64>,
}

impl Mishaps {
    pub fn new(rows: &[Mishap], seed: u64) -> Self {
        Self {
            rows: rows.iter().cloned().map(|row| (row, 0)).collect(),
            rng: ChaCha8Rng::seed_from_u64(seed ^ LUCK),
            past: VecDeque::new(),
            stuck: None,
            count: None,
            level_stuck: false,
            overflow_told: false,
            restarted: None,
        }
    }

    /// The `by` of a kind that happens at this second of the run.
    pub fn by(&self, what: What, secs: f64) -> Option<f64> {
        let due = |row: &Mishap| {
            row.what == what && secs >= row.from_secs && row.to_secs.is_none_or(|to| secs < to)
        };
        self.rows.iter().find(|(row, _)| due(row)).map(|(row, _)| row.by)
    }

    /// Whether it happens at this second.
    pub fn is(&self, what: What, secs: f64) -> bool {
        !self.rows.is_empty() && self.by(what, secs).is_some()
    }

    /// The same for a kind that takes only each so-manieth pulse.
    fn strikes(&mut self, what: What, secs: f64) -> Option<f64> {
        self.by(what, secs)?;
        let (row, seen) = self.rows.iter_mut().find(|(row, _)| row.what == what)?;
        *seen += 1;
        seen.is_multiple_of(row.every.unwrap_or(1)).then_some(row.by)
    }

    /// What the meter makes of one pulse: none, one or two, each with its width.
    pub fn pulses(&mut self, secs: f64, at: Instant, width: Span) -> [Option<(Instant, Span)>; 2] {
        let whole = Some((at, width));
        if self.rows.is_empty() {
            return [whole, None];
        }
        if self.strikes(What::PulseMissing, secs).is_some() {
            return [None, None];
        }
        if self.strikes(What::PulseDouble, secs).is_some() {
            return [whole, Some((at + width * 1.25, width * 0.5))];
        }
        if let Some(millis) = self.strikes(What::PulseBounce, secs) {
            let gap = Span::from_secs_f64(millis * 1e-3).min(width * 0.2);
            return [Some((at, gap)), Some((at + gap * 2.0, width - gap * 2.0))];
        }
        [whole, None]
    }

    /// Pulses that no meter has made, in a stretch; `width` is that of a pulse.
    pub fn strays(&mut self, secs: f64, span: Span, width: Span) -> [Option<(f64, Span)>; 2] {
        let mut found = [None; 2];
        if self.rows.is_empty() {
            return found;
        }
        for (place, (what, width)) in
            [(What::StrayPulse, width), (What::Spike, SPIKE)].into_iter().enumerate()
        {
            if let Some(rate) = self.by(what, secs)
                && uniform(&mut self.rng) < rate * span.secs()
            {
                found[place] = Some((uniform(&mut self.rng), width));
            }
        }
        found
    }

    /// What the counter sees of an edge.
    pub fn pass(&mut self, secs: f64, mut edge: Edge) -> Passed {
        if self.rows.is_empty() {
            return Passed::Seen(edge);
        }
        if self.is(What::InputsSwapped, secs) {
            edge.input = if edge.input == Input::Meter { Input::Seconds } else { Input::Meter };
        }
        // The seconds come from the same counter.
        if let Some(share) = self.by(What::CounterFast, secs) {
            edge.at = edge.at + Span::from_secs_f64(secs * share);
        }
        if edge.input != Input::Meter {
            return Passed::Seen(edge);
        }
        if self.is(What::HeadOff, secs) {
            return Passed::Unseen;
        }
        if self.is(What::LevelStuck, secs) {
            self.level_stuck |= !edge.rising;
            if self.level_stuck {
                return Passed::Unseen;
            }
        }
        if !edge.rising && self.strikes(What::EdgeUnseen, secs).is_some() {
            return Passed::Unseen;
        }
        if edge.rising && self.strikes(What::EdgeLost, secs).is_some() {
            return Passed::Lost;
        }
        if let Some(ahead) = self.by(What::CounterJumps, secs) {
            edge.at = edge.at + Span::from_secs_f64(ahead);
        }
        Passed::Seen(edge)
    }

    /// The number that the counter gives an edge.
    pub fn number(&mut self, secs: f64, edge: Edge) -> u64 {
        if self.rows.is_empty() || edge.input != Input::Meter {
            return edge.seq;
        }
        if self.is(What::CounterRestarts, secs) {
            return edge.seq - *self.restarted.get_or_insert(edge.seq);
        }
        match self.by(What::CounterWraps, secs) {
            Some(bits) => edge.seq % (1 << (bits as u32).clamp(1, 63)),
            None => edge.seq,
        }
    }

    /// Whether the counter says now, once, that its buffer ran over.
    pub fn overflows(&mut self, secs: f64) -> bool {
        let now = !self.overflow_told && self.is(What::Overflow, secs);
        self.overflow_told |= now;
        now
    }

    /// What the reference says in place of a sample.
    pub fn sample(&mut self, secs: f64, fresh: Sample) -> Sample {
        let mut said = fresh;
        if self.rows.is_empty() {
            return said;
        }
        if let Some(late) = self.by(What::ReferenceLate, secs) {
            self.past.push_back(fresh);
            while self.past.len() > 1 && (fresh.taken - self.past[1].taken).secs() >= late {
                self.past.pop_front();
            }
            said = Sample { taken: fresh.taken, ..self.past[0] };
        }
        if self.is(What::ReferenceStuck, secs) {
            said = Sample { taken: fresh.taken, ..*self.stuck.get_or_insert(said) };
        }
        if let Some(share) = self.by(What::ReferenceCurrentOff, secs) {
            said.current = said.current * (1.0 + share);
        }
        for what in [What::ReferenceCurrentOff, What::ReferencePowerOff] {
            if let Some(share) = self.by(what, secs) {
                said.power = said.power * (1.0 + share);
                said.energy = said.energy.map(|energy| energy * (1.0 + share));
            }
        }
        if let Some(share) = self.by(What::ReferenceNoisy, secs) {
            said.power = said.power * (1.0 + share * gauss(&mut self.rng));
        }
        if self.is(What::CurrentReversed, secs) {
            said.current = -said.current;
            said.power = -said.power;
        }
        if self.is(What::VoltageOpen, secs) {
            said.voltage = said.voltage * 0.0;
            said.power = said.power * 0.0;
        }
        if self.is(What::ReferenceOverrange, secs) {
            said.power = Power::from_watts(NOT_A_NUMBER_W);
        }
        if self.is(What::ReferenceCountStuck, secs)
            && let Some(energy) = said.energy
        {
            said.energy = Some(*self.count.get_or_insert(energy));
        }
        said
    }

    /// What the source really gives where it means to give `load`.
    pub fn load(&self, secs: f64, mut load: Load) -> Load {
        if self.rows.is_empty() {
            return load;
        }
        let began =
            |what| self.rows.iter().find(|(row, _)| row.what == what).map_or(0.0, |(row, _)| row.from_secs);
        if let Some(share) = self.by(What::SourceDrift, secs) {
            load.current_a = load.current_a * (1.0 + share * (secs - began(What::SourceDrift)));
        }
        if let Some(share) = self.by(What::SourceRipple, secs) {
            let swing = (secs * std::f64::consts::TAU / RIPPLE_SECS).sin();
            load.current_a = load.current_a * (1.0 + share * swing);
        }
        if let Some(share) = self.by(What::SourceDip, secs) {
            load.current_a = load.current_a * (1.0 + share);
        }
        if let Some(most) = self.by(What::SourceLimit, secs) {
            load.current_a = load.current_a.min(Current::from_amperes(most));
        }
        load
    }

    /// Whether the source does what it was told.
    pub fn obeys(&self, secs: f64, load: Load) -> bool {
        !(self.is(What::SourceDeaf, secs) || load == Load::OFF && self.is(What::SourceStaysOn, secs))
    }

    /// What the meter's data output says in place of a value.
    pub fn told(&self, secs: f64, query: Query, value: Value) -> Value {
        let Value::Number(number, unit) = value else { return value };
        let decimal = |by: f64| Decimal::from_f64(by).unwrap_or(number);
        let times = |what| self.by(what, secs).map(|by| number.checked_mul(decimal(by)).unwrap_or(number));
        let said = match query {
            _ if self.rows.is_empty() => None,
            Query::Energy | Query::TariffEnergy(_) => {
                let jumped = self.by(What::RegisterJump, secs).map_or(number, |by| number + decimal(by));
                let end = self.by(What::RegisterWraps, secs).map(decimal).filter(|end| !end.is_zero());
                Some(end.map_or(jumped, |end| jumped % end))
            }
            Query::Power => match self.by(What::PowerStands, secs) {
                Some(by) => Some(decimal(by)),
                None => times(What::PowerTimes),
            },
            Query::Current => times(What::CurrentTimes),
            Query::Voltage => times(What::VoltageTimes),
            _ => None,
        };
        Value::Number(said.unwrap_or(number), unit)
    }

    /// Whether the meter says anything on its data output.
    pub fn is_mute(&self, secs: f64) -> bool {
        self.is(What::MeterSilent, secs) || self.is(What::MeterReboot, secs)
    }
}

/// What happens to the bytes on the line to the meter; none where it is sound.
pub(super) fn mischief(rows: &[Mishap], seed: u64) -> Option<Mischief> {
    let by = |what| rows.iter().find(|row| row.what == what).map(|row| row.by);
    let odds = Odds {
        drop_byte: by(What::LineDrops).unwrap_or(0.0),
        flip_bit: by(What::LineNoise).unwrap_or(0.0),
        split: by(What::LineSplits).unwrap_or(0.0),
        delay: 0.0,
    };
    let echo = if by(What::LineEcho).is_some() { Echo::Whole } else { Echo::Off };
    let wrong = odds != Odds::default() || echo != Echo::Off;
    wrong.then(|| Mischief { seed, receiving: odds, echo, ..Mischief::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Mishaps {
        #[derive(Deserialize)]
        struct File {
            mishap: Vec<Mishap>,
        }
        let file: File = toml::from_str(text).unwrap();
        assert_eq!(check(&file.mishap), Ok(()));
        Mishaps::new(&file.mishap, 1)
    }

    #[test]
    fn a_row_happens_between_its_seconds_and_to_each_so_manieth_pulse() {
        let mut mishaps =
            rows("mishap = [{ what = 'pulse-missing', from_secs = 5.0, to_secs = 6.0, every = 3 }]");
        let mut left = |secs| {
            (0..9).filter(|_| mishaps.pulses(secs, Instant::ZERO, Span::from_millis(30))[0].is_none()).count()
        };
        assert_eq!((left(4.9), left(5.0), left(6.0)), (0, 3, 0));
    }

    #[test]
    fn a_late_reference_says_what_was_a_while_ago() {
        let mut mishaps = rows("mishap = [{ what = 'reference-late', by = 0.3 }]");
        let mut said = vec![];
        for n in 0..6 {
            let sample = Sample {
                taken: Instant::ZERO + Span::from_millis(100 * n),
                taken_half_width: Span::ZERO,
                voltage: crate::quantity::Voltage::from_volts(1.0),
                current: Current::from_amperes(n as f64),
                power: Power::from_watts(n as f64),
                energy: None,
            };
            let late = mishaps.sample(0.0, sample);
            assert_eq!(late.taken, sample.taken);
            said.push(late.current.amperes());
        }
        assert_eq!(said, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn rows_that_cannot_be_are_refused() {
        let row = Mishap { what: What::Spike, from_secs: 2.0, to_secs: None, every: None, by: 1.0 };
        for wrong in [
            Mishap { to_secs: Some(1.0), ..row.clone() },
            Mishap { every: Some(0), ..row.clone() },
            Mishap { by: f64::NAN, ..row.clone() },
            Mishap { from_secs: -1.0, ..row.clone() },
        ] {
            assert!(check(&[row.clone(), wrong]).unwrap_err().starts_with("mishap 2"));
        }
        assert!(check(&vec![row; 33]).is_err());
    }
}
