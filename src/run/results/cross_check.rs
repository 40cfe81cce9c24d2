//! The ways to one energy (pulses, register, the meter's own power, a signed record) against the reference and against
//! one another, and what a disagreement points to.
//!
//! The stretch goes from rest to rest, where the register is read without any doubt about the moment. The meter's
//! power is taken at one load point and carried over the stretch by its deviation from the reference there: a meter
//! within its limits deviates by no more at any load than the limit that is allowed for. That the power follows a
//! change of load is seen at every other load point.

use super::{Judge, kilowatt_hours, to_f64};
use crate::certificate::cross_check::{Agreement, CrossCheck, Pair, Said, Way, Witness};
use crate::certificate::record::{Attempt, Point};
use crate::meter::{Answer, Query, Reading};
use crate::plan::budget::Seen;
use crate::plan::{Lane, Load, Method, Step, Windows, Work};
use crate::pulse::Input;
use crate::quantity::{Energy, Ratio};
use crate::reference::Mean;
use crate::time::{Instant, Span};
use crate::uncertainty::{Component, combine};
use rust_decimal::Decimal;

/// Stretch around the meter's answer over which the reference is averaged.
const AROUND: Span = Span::from_millis(500);
/// How old the meter's power may be when it is answered: meters refresh it about once a second. Taken to be so by this
/// house; no clause says it.
const AGE: Span = Span::from_secs(1);
/// Beyond this many times, or below one such part, no metering error is meant but another constant.
const CONSTANT_APART: f64 = 1.5;
/// A register's coarser step is believed where a fine register would look so in one of a million runs. House rule.
const BY_CHANCE: f64 = 1e-6;
/// Around another load's power that of the meter counts as the same, in limits of the error; as for the whole
/// cross-check with the data output.
const SAME_POWER_LIMITS: f64 = super::data::CROSS_CHECK_LIMITS;

/// The meter's own power at a load point, beside the reference's at that moment.
struct OwnPower<'a> {
    step: &'a Step,
    kilowatts: Decimal,
    reference_kw: f64,
}

impl OwnPower<'_> {
    fn digit(&self) -> f64 {
        last_digit(self.kilowatts)
    }
}

/// The stretch that all ways are compared over, and the reference's energy in it.
pub(super) struct Stretch<'a> {
    step: &'a Step,
    windows: &'a Windows,
    pub(super) from: Instant,
    pub(super) to: Instant,
    /// From the register at rest to the register at rest, through every load; else the windows of the load point.
    pub(super) from_rest: bool,
    pub(super) reference: Energy,
}

impl Judge<'_> {
    /// Every way against every other; disagreements go among the findings. None before the load point was measured.
    pub(super) fn four_ways(&mut self) -> Option<CrossCheck> {
        let check = self.crossing()?;
        let limit = self.stretch()?.windows.limit.percent();
        let CrossCheck { witnesses, pairs, .. } = &check;
        let coarse = witnesses.iter().filter(|w| own_expanded(w) > limit).map(|w| {
            let u = own_expanded(w);
            format!("cross-check: the {} is too coarse to say anything: its U = {u:.3} % is beyond the limit {limit} %", w.way)
        });
        let disagree = pairs.iter().filter(|pair| pair.agreement == Agreement::Disagree).filter_map(|pair| {
            let [a, b] = pair.ways;
            Some(format!(
                "cross-check: {a} and {b} are {:+.3} % apart, allowed {:.3} % with U = {:.3} %: {}",
                pair.difference,
                pair.allowed,
                pair.expanded,
                pair.cause.as_ref()?
            ))
        });
        let findings: Vec<String> = coarse.chain(disagree).collect();
        self.findings.extend(findings);
        if let Some((seen, claimed)) = self.coarse_register() {
            self.findings.push(format!(
                "coarse register: it moves in steps of {seen} kWh, but the nameplate and its digits promise {claimed} kWh"
            ));
        }
        Some(check)
    }

    /// The same without a word among the findings.
    pub(super) fn crossing(&self) -> Option<CrossCheck> {
        let stretch = self.stretch()?;
        let ways = [
            (Way::Reference, self.by_reference(&stretch)),
            (Way::Pulses, self.by_pulses(&stretch)),
            (Way::Register, self.by_register(&stretch)),
            (Way::Power, self.by_power(&stretch)),
            (Way::SignedRecord, self.by_signed(&stretch)),
        ];
        let witnesses: Vec<Witness> = ways
            .into_iter()
            .map(|(way, said)| Witness { way, said: said.unwrap_or_else(|why| Said::Nothing { why }) })
            .collect();
        let mut pairs = vec![];
        for (n, a) in witnesses.iter().enumerate() {
            pairs.extend(witnesses[n + 1..].iter().filter_map(|b| self.pair(&stretch, &witnesses, a, b)));
        }
        let point = Point {
            term: stretch.windows.term.clone(),
            voltage_v: stretch.step.load.voltage_v,
            current_a: stretch.step.load.current_a,
        };
        let (from, to) = (stretch.from, stretch.to);
        Some(CrossCheck { point, from, to, witnesses, pairs })
    }

    fn stretch(&self) -> Option<Stretch<'_>> {
        let crossed = self.plan.steps.iter().find_map(|s| match s.work {
            Work::CrossCheck { during } => during.checked_sub(1),
            _ => None,
        });
        let steps = crossed.and_then(|index| self.plan.steps.get(index)).into_iter().chain(&self.plan.steps);
        let (step, windows) = steps.into_iter().find_map(|step| match &step.work {
            Work::BasicError(windows) => Some((step, windows)),
            _ => None,
        })?;
        let (from, to) = self.measured_between(step)?;
        self.stretch_at_rest(step, windows).or_else(|| self.stretch_between(step, windows, from, to, false))
    }

    /// From the first reading of a load point to the last.
    fn measured_between(&self, step: &Step) -> Option<(Instant, Instant)> {
        let readings = super::readings(self.evidence.attempts.get(&step.no).map(Vec::as_slice)?);
        Some((readings.first()?.window.opened, readings.last()?.window.closed))
    }

    fn stretch_at_rest<'a>(&'a self, step: &'a Step, windows: &'a Windows) -> Option<Stretch<'a>> {
        let (start, _, end, _) = self.register_at_rest().ok()?;
        self.stretch_between(step, windows, start.taken, end.taken, true)
    }

    fn stretch_between<'a>(
        &'a self,
        step: &'a Step,
        windows: &'a Windows,
        from: Instant,
        to: Instant,
        from_rest: bool,
    ) -> Option<Stretch<'a>> {
        let energy = self.evidence.energy(self.plan, from, to, None).filter(|e| e.joules() > 0.0)?;
        let reference = super::Evidence::corrected(self.plan, step, energy)?;
        Some(Stretch { step, windows, from, to, from_rest, reference })
    }

    /// The register from rest to rest against the reference: deviation in percent, with the components of both.
    pub(super) fn register_beside(&self, step: &Step, windows: &Windows) -> Option<(f64, Vec<Component>)> {
        let stretch = self.stretch_at_rest(step, windows)?;
        let (reference, register) = (self.by_reference(&stretch).ok()?, self.by_register(&stretch).ok()?);
        match (reference, register) {
            (Said::Energy { budget: one, .. }, Said::Energy { deviation, budget: other, .. }) => {
                Some((deviation.value, [one, other].concat()))
            }
            _ => None,
        }
    }

    fn by_reference(&self, stretch: &Stretch) -> Result<Said, String> {
        let plan = self.plan;
        let mut budget = self.budget_of_bound(stretch.step, Ratio::ZERO, stretch.to - stretch.from)?;
        if stretch.from_rest && plan.capability.method == Method::PowerTime {
            // Between two samples the load may have jumped at any moment; the trapezoid is then off by up to half of
            // the jump times the interval, either way.
            let steps: Vec<Load> =
                plan.steps.iter().filter(|s| s.lane == Lane::Load).map(|s| s.load).collect();
            let jumps = steps.windows(2).map(|pair| {
                let jump = pair[1].voltage_v * pair[1].current_a - pair[0].voltage_v * pair[0].current_a;
                (jump.abs() * plan.capability.sample_interval).joules() / 2.0
            });
            let open = jumps.map(|jump| jump * jump).sum::<f64>().sqrt();
            budget.push(Component::rectangular(
                "changes of load between samples",
                open / stretch.reference.joules() * 100.0,
                format!("{} between samples", plan.capability.sample_interval),
            ));
        }
        said(stretch.reference, stretch.reference, budget)
    }

    fn by_pulses(&self, stretch: &Stretch) -> Result<Said, String> {
        let constant = self.plan.nameplate.constant_imp_per_kwh;
        let pulses = self.countable(stretch.from, stretch.to)?;
        // One pulse begun and one not ended, each cut off at random: a triangle. Windows are whole pulses.
        let pulse = constant.energy(1).joules() / stretch.reference.joules() * 100.0;
        let ends = Component::triangular("pulse at either end", pulse, format!("1 of {pulses}"));
        let budget = if stretch.from_rest { vec![ends] } else { vec![] };
        said(constant.energy(pulses), stretch.reference, budget)
    }

    fn by_register(&self, stretch: &Stretch) -> Result<Said, String> {
        let (_, from, _, to) = self.register_at_rest()?;
        let moved = to.checked_sub(from).map_or(f64::NAN, to_f64);
        let energy = Energy::try_from_kilowatt_hours(moved).map_err(|fault| fault.to_string())?;
        let step = self.register_step(to);
        let part = step / stretch.reference.kilowatt_hours() * 100.0;
        let budget = vec![Component::triangular("register step", part, format!("{step} kWh"))];
        said(energy, stretch.reference, budget)
    }

    fn by_power(&self, stretch: &Stretch) -> Result<Said, String> {
        let answer = self.power_answer(stretch.step).ok_or_else(|| self.unread("the active power"))?;
        let (deviation, budget) = self.momentary(stretch.step, Query::Power, answer)?;
        // What all ways share stands in the reference's line.
        let mut budget: Vec<_> = budget.into_iter().filter(|c| c.shared.is_none()).collect();
        budget.extend(self.carried_over(stretch));
        said(stretch.reference * (1.0 + deviation / 100.0), stretch.reference, budget)
    }

    /// The power was compared at one load only. Where the energy flowed at another, its deviation may be anything within
    /// the limits there; they are taken to be no wider than at this load, a choice of this house.
    fn carried_over(&self, stretch: &Stretch) -> Option<Component> {
        let (load, settle) = (stretch.step.load, &self.plan.capability.settle);
        let here = self.evidence.track.energy_in_band(stretch.from, stretch.to, load, settle);
        let elsewhere = (1.0 - here.joules() / stretch.reference.joules()).clamp(0.0, 1.0);
        let limit = stretch.windows.limit.percent();
        let evidence =
            format!("{:.1} % of the energy flowed at other loads; limit {limit} %", elsewhere * 100.0);
        (elsewhere > 0.0).then(|| Component::rectangular("carried over", elsewhere * limit, evidence))
    }

    /// One value of the data output against the reference at its moment, at the load of a step: deviation in percent,
    /// with the components of both.
    ///
    /// The window is what the reference is averaged over, a second. Its certificate is of power, so power alone is
    /// corrected; that voltage and current by themselves are off by no more than their product, correction and budget,
    /// is a choice of this house.
    pub(super) fn momentary(
        &self,
        step: &Step,
        query: Query,
        answer: &Answer,
    ) -> Result<(f64, Vec<Component>), String> {
        let number = given(answer)?;
        let mean = self
            .beside(answer, step.load)
            .ok_or("its load did not stand around the moment at which it was answered")?;
        let of = |mean: &Mean| match query {
            Query::Voltage => mean.voltage.volts(),
            Query::Current => mean.current.amperes(),
            _ => mean.power.kilowatts(),
        };
        let plan = self.plan;
        let certificate = plan.standards.reference();
        let off = certificate
            .power_correction(step.load.voltage_v, step.load.current_a)
            .map_err(|fault| fault.to_string())?
            .error;
        let corrected = query == Query::Power;
        let reference = of(&mean) / if corrected { 1.0 + off.fraction() } else { 1.0 };
        let deviation =
            Ratio::try_from_fraction(to_f64(number) / reference - 1.0).map_err(|fault| fault.to_string())?;
        let (from, to) = (answer.taken - AROUND, answer.taken + AROUND);
        let seen = Seen { samples: self.evidence.track.scatter(from, to), ..Seen::default() };
        let surroundings = plan.surroundings().map_err(|fault| fault.to_string())?;
        let setting = self.setting(step, &surroundings, deviation, to - from, 1, seen);
        let mut budget = setting.components_of_power().map_err(|fault| fault.to_string())?;
        if !corrected {
            let evidence = format!("certificate {} is of power", certificate.certificate_no());
            budget.push(Component::rectangular("reference not corrected", off.percent().abs(), evidence));
        }
        let drift = self.evidence.track.mean(answer.taken - AGE, answer.taken);
        let drift = drift.map_or(0.0, |before| (of(&before) - of(&mean)).abs());
        let digit = last_digit(number);
        budget.extend([
            Component::rectangular(
                "last digit",
                digit / 2.0 / reference.abs() * 100.0,
                format!("steps of {digit} in {query}"),
            ),
            Component::rectangular(
                "age of the value",
                drift / reference.abs() * 100.0,
                format!("what the reference moved in the {AGE} before"),
            ),
        ]);
        Ok((deviation.percent(), budget))
    }

    fn pair(&self, stretch: &Stretch, all: &[Witness], a: &Witness, b: &Witness) -> Option<Pair> {
        let ((value_a, budget_a), (value_b, budget_b)) = (told(a)?, told(b)?);
        let limit = stretch.windows.limit.percent();
        let allowed = match (a.way, b.way) {
            // The signed readings are those of the register: no metering error lies between the two.
            (Way::Register, Way::SignedRecord) => 0.0,
            (Way::Pulses, Way::Register | Way::SignedRecord) => {
                let (class, currents) = (&self.plan.class, &self.plan.currents);
                self.plan.profile.constant_limit(class, currents).map_or(limit, |l| l.ratio.percent())
            }
            _ => limit,
        };
        let difference = value_a - value_b;
        let expanded = combine(difference, &[budget_a, budget_b].concat()).ok()?.expanded;
        let agreement = match difference.abs() {
            apart if apart > allowed + expanded => Agreement::Disagree,
            _ if expanded > limit => Agreement::TooCoarse,
            _ => Agreement::Agree,
        };
        let cause = match agreement {
            Agreement::Agree => None,
            Agreement::TooCoarse => {
                let coarser = if own_expanded(a) >= own_expanded(b) { a.way } else { b.way };
                Some(format!("U is beyond the limit {limit} % by the {coarser}"))
            }
            Agreement::Disagree => Some(self.cause(all, a, b)),
        };
        Some(Pair { ways: [a.way, b.way], difference, expanded, allowed, agreement, cause })
    }

    /// What likely lies behind a disagreement: the odd one of the two is the one further from all other ways.
    fn cause(&self, all: &[Witness], a: &Witness, b: &Witness) -> String {
        let value = |w: &Witness| told(w).map_or(0.0, |(value, _)| value);
        let others: Vec<&Witness> =
            all.iter().filter(|w| w.way != a.way && w.way != b.way && told(w).is_some()).collect();
        let alone = |w: &Witness| others.iter().map(|o| (value(o) - value(w)).abs()).sum::<f64>();
        let (odd, even) = if alone(a) >= alone(b) { (a, b) } else { (b, a) };
        if others.is_empty() {
            return format!(
                "nothing else tells which of the two is off ({})",
                self.meaning(odd.way, odd, even)
            );
        }
        let side = others.iter().map(|w| w.way.to_string()).collect::<Vec<_>>().join(" and ");
        let near = if others.len() == 1 { "is" } else { "are" };
        format!("{} ({side} {near} nearer to the {})", self.meaning(odd.way, odd, even), even.way)
    }

    /// What it means that this way is off.
    fn meaning(&self, way: Way, odd: &Witness, even: &Witness) -> String {
        let part = |w: &Witness| 1.0 + told(w).map_or(0.0, |(value, _)| value) / 100.0;
        let ratio = part(odd) / part(even);
        let apart = ratio > 0.0 && !(1.0 / CONSTANT_APART..=CONSTANT_APART).contains(&ratio);
        let constant = self.plan.nameplate.constant_imp_per_kwh.impulses_per_kilowatt_hour();
        match way {
            Way::Pulses | Way::Register if apart => {
                let inside = if way == Way::Pulses { constant * ratio } else { constant / ratio };
                let own = self
                    .answer(|w| *w == Work::Identify, Query::Constant)
                    .and_then(|answer| given(answer).ok())
                    .filter(|told| (to_f64(*told) / inside - 1.0).abs() < 0.02);
                let own = own.map_or(String::new(), |told| format!("; the meter itself says {told} imp/kWh"));
                format!(
                    "wrong constant: the {way} takes {ratio:.3} times the energy of the {}, which {inside:.0} imp/kWh in place of {constant} would explain{own}",
                    even.way
                )
            }
            Way::Pulses => format!(
                "LED and register differ: the pulse output gives {:+.2} % too much",
                (ratio - 1.0) * 100.0
            ),
            Way::Register => {
                format!(
                    "register and LED differ: the register takes {:+.2} % too much",
                    (ratio - 1.0) * 100.0
                )
            }
            Way::Power if self.stale_power().is_some() => {
                "stale value: the active power does not follow a change of load".into()
            }
            Way::Power => format!(
                "the meter's own power is off: it is {ratio:.3} times what it should be (scale, phase or sign)"
            ),
            Way::Reference => "the metering error itself, all that the meter gives says the same".into(),
            Way::SignedRecord => {
                format!("the signed record takes {:+.2} % too much", (ratio - 1.0) * 100.0)
            }
        }
    }

    /// Why the meter's own power is that of another load, at the first load point where it is.
    pub(super) fn stale_power(&self) -> Option<String> {
        let powers = self.own_powers();
        powers.iter().find_map(|own| {
            let Work::BasicError(windows) = &own.step.work else { return None };
            let share = windows.limit.fraction() * SAME_POWER_LIMITS;
            let kilowatts = to_f64(own.kilowatts);
            let same = |other: f64| (kilowatts - other).abs() <= other * share + own.digit();
            if same(own.reference_kw) {
                return None;
            }
            let here = format!(
                "stale value: at {} the meter answered an active power of {} kW where the reference measured {:.4} kW",
                own.step.load.current_a, own.kilowatts, own.reference_kw
            );
            let earlier = self.plan.steps.iter().take_while(|s| s.no < own.step.no).filter(|s| s.lane == Lane::Load);
            let before = earlier.filter(|s| s.load.current_a.amperes() > 0.0);
            let before = before.last().filter(|s| same((s.load.voltage_v * s.load.current_a).kilowatts()));
            if let Some(before) = before {
                return Some(format!("{here}: it is still that of the load before, {}", before.load.current_a));
            }
            let again = powers.iter().find(|o| o.step.no != own.step.no && o.kilowatts == own.kilowatts)?;
            Some(format!("{here}: it answered the same at {}", again.step.load.current_a))
        })
    }

    fn own_powers(&self) -> Vec<OwnPower<'_>> {
        let points = self.plan.steps.iter().filter(|s| matches!(s.work, Work::BasicError(_)));
        let own = points.filter_map(|step| {
            let answer = self.power_answer(step)?;
            let reference_kw = self.beside(answer, step.load)?.power.kilowatts();
            Some(OwnPower { step, kilowatts: given(answer).ok()?, reference_kw })
        });
        own.collect()
    }

    /// The meter's power at a load point: asked in the cross-check there, or for itself.
    fn power_answer(&self, point: &Step) -> Option<&Answer> {
        let crossed = |w: &Work| *w == Work::CrossCheck { during: point.no };
        self.answer(crossed, Query::Power).or_else(|| self.evidence.answer(point.no, Query::Power))
    }

    /// The reference around the moment of an answer, if the load stood there: an answer that came when its load had
    /// gone says nothing of that load.
    pub(super) fn beside(&self, answer: &Answer, load: Load) -> Option<Mean> {
        let (from, to) = (answer.taken - AROUND, answer.taken + AROUND);
        let bench = &self.plan.capability;
        self.evidence.track.steady(from, to, load, &bench.settle, bench.sample_age_max).ok()?;
        self.evidence.track.mean(from, to)
    }

    /// Both readings of the register at rest, each with its number.
    pub(super) fn register_at_rest(&self) -> Result<(&Answer, Decimal, &Answer, Decimal), String> {
        let start = self.answer(|w| *w == Work::RegisterStart, Query::Energy);
        let end = self.answer(|w| *w == Work::RegisterEnd, Query::Energy);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(self.unread("the register at rest, before and after,"));
        };
        Ok((start, given(start)?, end, given(end)?))
    }

    fn unread(&self, what: &str) -> String {
        match self.plan.nameplate.data_output {
            None => "no data output on the nameplate".into(),
            Some(_) => format!("{what} was not read in this run"),
        }
    }

    /// Pulses between two moments, or why none can be told.
    pub(super) fn countable(&self, from: Instant, to: Instant) -> Result<u64, String> {
        if self.evidence.broken(Input::Meter, from, to) {
            return Err("the counter lost edges between the two readings".into());
        }
        let silent = self.evidence.attempts.values().flatten().find_map(|attempt| match attempt {
            Attempt::Silent { from, to, .. } => Some((*from, *to)),
            _ => None,
        });
        if silent.is_some_and(|(from, to)| !self.evidence.heard_around(from, to)) {
            return Err("the pulse input fell silent in between and was not heard again".into());
        }
        Ok(self.evidence.edges_between(from, to).iter().filter(|e| e.rising).count() as u64)
    }

    /// The register's step in kWh: its last digit as it answered, the nameplate's where the answer shows more than it
    /// counts, or the one it was seen to move in where that is coarser still.
    pub(super) fn register_step(&self, shown: Decimal) -> f64 {
        let claimed = last_digit(shown).max(to_f64(self.plan.nameplate.register_resolution_kwh));
        self.coarse_register().map_or(claimed, |(seen, _)| seen.max(claimed))
    }

    /// The step in which the register was seen to move and the one it claims, in kWh, where the first is coarser beyond
    /// chance. A register of step s whose readings all differ by multiples of n·s while it should have moved is so by
    /// chance in one of n cases each time.
    fn coarse_register(&self) -> Option<(f64, f64)> {
        let answers = self.evidence.answers.iter().map(|a| &a.answer).filter(|a| a.query == Query::Energy);
        let mut readings: Vec<(Instant, Decimal)> =
            answers.filter_map(|a| Some((a.taken, given(a).ok()?))).collect();
        readings.sort_by_key(|(taken, _)| *taken);
        let shown = readings.iter().map(|(_, reading)| *reading).max_by_key(Decimal::scale)?;
        let digit = last_digit(shown);
        let claimed = digit.max(to_f64(self.plan.nameplate.register_resolution_kwh));
        let constant = self.plan.nameplate.constant_imp_per_kwh;
        let (mut common, mut chances) = (0u64, 0i32);
        for pair in readings.windows(2) {
            let ((from, before), (to, after)) = (pair[0], pair[1]);
            let moved = after.checked_sub(before)?.checked_div(Decimal::new(1, shown.scale()))?.abs();
            common = gcd(common, u64::try_from(moved.trunc().mantissa()).ok()?);
            let pulses = self.evidence.edges_between(from, to).iter().filter(|e| e.rising).count() as u64;
            chances += i32::from(constant.energy(pulses).kilowatt_hours() >= claimed);
        }
        let seen = common as f64 * digit;
        let times = seen / claimed;
        // A register that stands still has no step.
        (times > 1.5 && times.powi(-chances) <= BY_CHANCE).then_some((seen, claimed))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn last_digit(number: Decimal) -> f64 {
    10f64.powi(-(number.scale().cast_signed()))
}

/// The number of an answer, or why there is none.
fn given(answer: &Answer) -> Result<Decimal, String> {
    match &answer.reading {
        Reading::Value(value) => kilowatt_hours(value).ok_or_else(|| format!("{value} is no number")),
        Reading::Absent(why) => Err(why.clone()),
    }
}

/// An energy against the reference's, in percent, with the way's own uncertainty.
pub(super) fn said(energy_j: Energy, reference: Energy, budget: Vec<Component>) -> Result<Said, String> {
    let ratio = energy_j.ratio_to(reference).map_err(|fault| fault.to_string())?;
    let deviation = combine((ratio.fraction() - 1.0) * 100.0, &budget).map_err(|fault| fault.to_string())?;
    Ok(Said::Energy { energy_j, deviation, budget })
}

/// A way's own expanded uncertainty in percent; zero where it says nothing.
fn own_expanded(witness: &Witness) -> f64 {
    match &witness.said {
        Said::Energy { deviation, .. } => deviation.expanded,
        Said::Nothing { .. } => 0.0,
    }
}

fn told(witness: &Witness) -> Option<(f64, &[Component])> {
    match &witness.said {
        Said::Energy { deviation, budget, .. } => Some((deviation.value, budget)),
        Said::Nothing { .. } => None,
    }
}
