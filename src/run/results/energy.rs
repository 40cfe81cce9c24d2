//! The uncertainty budget of an error by pulses, and the meter constant.

use super::super::evidence::Evidence;
use super::super::unit::RegisterUnit;
use super::{Judge, decimal, kilowatt_hours, lead_in, to_f64, undecided};
use crate::certificate::record::{ItemResult, PulseReading, Unit};
use crate::error;
use crate::meter::Query;
use crate::plan::budget::{Seen, Setting, Surroundings};
use crate::plan::{Step, Work};
use crate::pulse::Input;
use crate::quantity::{Energy, Ratio};
use crate::regulation::Item;
use crate::time::Span;
use crate::uncertainty::Component;
use crate::verdict::Verdict;

/// In powers of ten, how near to a whole one a ratio lies that another unit explains; a choice of this house.
const TEN_APART: f64 = 0.05;

/// Everything that the windows have shown of scatter.
fn seen(evidence: &Evidence, readings: &[&PulseReading]) -> Seen {
    let scatters: Vec<(f64, usize)> = readings
        .iter()
        .filter_map(|r| evidence.track.scatter(r.stood(), r.window.closed))
        .map(|(scatter, n)| (scatter.fraction(), n))
        .collect();
    let samples: usize = scatters.iter().map(|(_, n)| n).sum();
    // Each line leaves n − 2 degrees of freedom; pooled as variances of one population are.
    let lines: Vec<(f64, f64)> = readings
        .iter()
        .filter_map(|r| {
            let line = r.line.as_ref()?;
            let energy_per_second = r.reference_energy_j.joules() / r.window.elapsed().secs();
            Some((line.scatter_j?.joules() / energy_per_second, line.edges.checked_sub(2)? as f64))
        })
        .collect();
    let dof: f64 = lines.iter().map(|(_, dof)| dof).sum();
    let breaks =
        readings.windows(2).filter(|pair| pair[0].window.last_seq != pair[1].window.first_seq).count();
    Seen {
        samples: Ratio::try_from_fraction(pooled(scatters.iter().map(|(s, n)| (*s, *n as f64))))
            .ok()
            .map(|scatter| (scatter, samples)),
        edges: Some((pooled(lines.iter().copied()), dof)).filter(|_| dof > 0.0),
        moment: readings
            .iter()
            .map(|r| evidence.track.taken_half_width(r.window.opened, r.window.closed))
            .max()
            .unwrap_or_default(),
        stretches: 1 + breaks as u32,
        // One clock with one rate: what the line delays in a short part counts by its length.
        counter: evidence
            .counter_against_us(Input::Meter)
            .reduce(|(moved, within), part| (moved + part.0, within + part.1)),
    }
}

/// Standard deviation of all from those of parts with their weights; NaN of none.
fn pooled(parts: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (square, weight) =
        parts.fold((0.0, 0.0), |(square, weight), (s, w)| (square + s * s * w, weight + w));
    (square / weight).sqrt()
}

/// Whether pulses over register are off by a power of ten, as by another reading of a disputed unit.
fn is_another_unit(ratio: f64) -> bool {
    let tens = ratio.log10();
    tens.round() != 0.0 && (tens - tens.round()).abs() < TEN_APART
}

impl Judge<'_> {
    pub(super) fn setting<'a>(
        &'a self,
        step: &Step,
        surroundings: &'a Surroundings,
        error: Ratio,
        window: Span,
        readings: u32,
        seen: Seen,
    ) -> Setting<'a> {
        Setting {
            standards: &self.plan.standards,
            bench: &self.plan.capability,
            load: step.load,
            day: self.started.date(),
            surroundings,
            window,
            readings,
            error,
            seen,
        }
    }

    /// Mean error of the readings in percent, with its budget in percent.
    pub(super) fn budget(
        &self,
        step: &Step,
        readings: &[&PulseReading],
    ) -> Result<(f64, Vec<Component>), String> {
        let (errors, open): (Vec<f64>, Vec<f64>) =
            readings.iter().map(|reading| lead_in::corrected(self.plan, self.evidence, reading)).unzip();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let error = Ratio::try_from_fraction(mean / 100.0).map_err(|fault| fault.to_string())?;
        let surroundings = self.plan.surroundings().map_err(|fault| fault.to_string())?;
        let window = readings.iter().map(|r| r.window.elapsed()).min().unwrap_or_default();
        let count = u32::try_from(errors.len()).unwrap_or(u32::MAX);
        let setting = self.setting(step, &surroundings, error, window, count, seen(self.evidence, readings));
        let mut budget = setting.components().map_err(|fault| fault.to_string())?;
        budget.extend(lead_in::component(&open, readings));
        budget.push(setting.repeatability(&errors).ok_or("one reading has no scatter")?);
        Ok((mean, budget))
    }

    /// The budget of a bound, found where the meter was silent for `waited`.
    pub(super) fn budget_of_bound(
        &self,
        step: &Step,
        bound: Ratio,
        waited: Span,
    ) -> Result<Vec<Component>, String> {
        let surroundings = self.plan.surroundings().map_err(|fault| fault.to_string())?;
        let setting = self.setting(step, &surroundings, bound, waited, 1, Seen::default());
        setting.components().map_err(|fault| fault.to_string())
    }

    /// What the bench should state and does not, where errors by pulses were asked for.
    pub(super) fn leads(&mut self) {
        let bench = &self.plan.capability;
        let missing: Vec<_> = [
            ("leads_current_a", bench.leads_current_a.is_none()),
            ("leads_voltage_v", bench.leads_voltage_v.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, missing)| missing.then_some(key))
        .collect();
        if !missing.is_empty() {
            self.findings.push(format!(
                "the bench states no {}: what leaks past the reference or is lost on its leads is not in the uncertainty",
                missing.join(" and ")
            ));
        }
    }

    /// Says what is known of the unit of the register.
    pub(super) fn unit_of_register(&mut self) {
        let words = match &self.evidence.unit {
            Some(RegisterUnit::Settled { decimals, source, shown }) => format!(
                "unit of the register: {decimals} digits behind the point in kWh ({source}), since the display shows {shown} kWh"
            ),
            Some(RegisterUnit::Open(why)) => format!("no energy of the register was judged: {why}"),
            Some(RegisterUnit::Plain { shown: Some(shown) }) => {
                format!("unit of the register: the display shows {shown} kWh, as the register")
            }
            _ => return,
        };
        self.findings.push(words);
    }

    /// Register against pulses over the run, from rest to rest: no timing enters, only the two register steps and the
    /// pulse at either end.
    pub(super) fn meter_constant(&mut self) -> ItemResult {
        let item = Item::MeterConstant;
        if self.plan.nameplate.data_output.is_none() {
            return undecided(item, "the register cannot be read: no data output on the nameplate".into());
        }
        if let Some(RegisterUnit::Open(why)) = &self.evidence.unit {
            return undecided(item, why.clone());
        }
        let start = self.value(|w| *w == Work::RegisterStart, Query::Energy);
        let end = self.value(|w| *w == Work::RegisterEnd, Query::Energy);
        let (Some((start_value, start)), Some((end_value, end))) = (start, end) else {
            return undecided(item, "the register was not read at both ends".into());
        };
        let (Some(from), Some(to)) = (kilowatt_hours(&start_value), kilowatt_hours(&end_value)) else {
            return undecided(item, "the register gave no number".into());
        };
        let pulses = match self.countable(start.taken, end.taken) {
            Ok(pulses) => pulses,
            Err(why) => return undecided(item, why),
        };
        let plan = self.plan;
        let limit = match plan.profile.constant_limit(&plan.class, &plan.currents) {
            Ok(limit) => limit,
            Err(fault) => return undecided(item, fault.to_string()),
        };
        let constant = plan.nameplate.constant_imp_per_kwh;
        let resolution = self.register_step(to);
        let Some(difference) = to.checked_sub(from).filter(|d| !d.is_sign_negative()) else {
            return undecided(
                item,
                format!("the register ran back from {from} to {to} kWh: read the display"),
            );
        };
        let moved = to_f64(difference);
        if pulses == 0 && moved.abs() < resolution {
            return undecided(item, "neither pulses nor register moved".into());
        }
        // A register that did not move has moved by less than a step; that step is the kindest reading of it.
        let register = if moved.abs() < resolution { resolution } else { moved };
        let error = error::register_energy(decimal(register))
            .and_then(|e| error::meter_constant(pulses, constant, e));
        let Ok(error) = error else { return undecided(item, "the register gave no number".into()) };
        let counted = constant.energy(pulses).kilowatt_hours();
        let budget = vec![
            // Two register steps cut off at random: a triangle of half-width R, standard deviation R/√6.
            Component::triangular(
                "register step",
                resolution / register.abs() * 100.0,
                format!("{resolution} kWh"),
            ),
            Component::triangular(
                "pulse at either end",
                constant.energy(1).kilowatt_hours() / register.abs() * 100.0,
                format!("1 of {pulses}"),
            ),
        ];
        let interval = self.interval() / rust_decimal::Decimal::TEN;
        let mut result = self.measured(
            item,
            error.percent(),
            Unit::Percent,
            interval,
            limit.ratio.percent(),
            budget,
            &limit.clause,
        );
        result.reason =
            format!("{} ({counted:.4} kWh by {pulses} pulses, {difference} kWh by register)", result.reason);
        if result.verdict == Verdict::Fail
            && is_another_unit(1.0 + error.fraction())
            && let Some(slip) = self.slip_of_the_point()
        {
            result.verdict = Verdict::Undecided;
            result.reason = slip;
        }
        let least = plan
            .profile
            .constant_energy_min(&plan.class, resolution, &plan.currents)
            .map_or(f64::INFINITY, Energy::kilowatt_hours);
        if counted.max(moved) < least {
            result.verdict = Verdict::Undecided;
            result.reason =
                format!("less than the {least} kWh that a register step of {resolution} kWh asks for");
        }
        result
    }

    /// The slip of a person that puts the register off by a power of ten, where a person has said where its point is: such a
    /// slip must not fail a meter.
    fn slip_of_the_point(&self) -> Option<String> {
        if let Some(RegisterUnit::Settled { decimals, shown, .. }) = &self.evidence.unit {
            return Some(format!(
                "the pulses contradict the {decimals} digits behind the point that the display, entered as {shown} kWh, gives the register: read the display again, with its point"
            ));
        }
        let decimals = self.plan.nameplate.data_output.as_ref()?.energy_decimals?;
        Some(format!(
            "the pulses contradict the {decimals} digits behind the point that the nameplate gives the register: compare the display"
        ))
    }
}
