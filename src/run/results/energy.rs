//! The uncertainty budget of an error by pulses, and the meter constant.

use super::super::evidence::Evidence;
use super::{Judge, decimal, kilowatt_hours, lead_in, to_f64, undecided};
use crate::certificate::record::{ItemResult, PulseReading, Unit};
use crate::error;
use crate::meter::Query;
use crate::plan::{Method, Plan, Step, Work};
use crate::quantity::{Energy, Ratio};
use crate::regulation::Item;
use crate::uncertainty::{Component, Kind, type_a};
use crate::verdict::Verdict;

/// The reference's last digit: of its power, or of its energy count at both ends of a window.
fn resolution(plan: &Plan, readings: &[&PulseReading], sensitivity: f64) -> Component {
    let bench = &plan.capability;
    let label = "resolution of the reference";
    match bench.method {
        Method::PowerTime => {
            let step = bench.reference_resolution.percent();
            Component::rectangular(label, step / 2.0 * sensitivity, format!("{step} % of reading"))
        }
        Method::StandardMeter => {
            let least = readings.iter().map(|r| r.reference_energy_j.joules()).fold(f64::INFINITY, f64::min);
            let u = bench.energy_step.joules() / 6f64.sqrt() / least * 100.0 * sensitivity;
            Component::b(label, u, format!("{} at either end of {least:.0} J", bench.energy_step))
        }
    }
}

/// The reference's certificate as a component of an error in percent.
pub(super) fn reference_component(plan: &Plan, step: &Step, error: Ratio) -> Result<Component, String> {
    let reference = plan
        .standards
        .reference()
        .power_correction(step.load.voltage_v, step.load.current_a)
        .map_err(|fault| fault.to_string())?;
    Ok(Component {
        label: "reference certificate".into(),
        kind: Kind::B,
        u: reference.u.percent() * (1.0 + error.fraction()).abs(),
        dof: reference.dof.is_finite().then_some(reference.dof),
        evidence: format!("certificate {}", plan.standards.reference().certificate_no()),
    })
}

/// Mean error of the readings in percent, with its budget in percent. The error is 100·(E/E₀ − 1), so a relative
/// uncertainty of the reference enters with the sensitivity 1 + error, near 1 for any meter worth a verdict.
pub(super) fn budget(
    plan: &Plan,
    evidence: &Evidence,
    step: &Step,
    readings: &[&PulseReading],
) -> Result<(f64, Vec<Component>), String> {
    let (errors, open): (Vec<f64>, Vec<f64>) =
        readings.iter().map(|reading| lead_in::corrected(plan, evidence, reading)).unzip();
    let (mean, scatter, dof) = type_a(&errors).ok_or("one reading has no scatter")?;
    let sensitivity = (1.0 + mean / 100.0).abs();
    let standards = &plan.standards;
    let rate = standards.time_base().rate_error().map_err(|fault| fault.to_string())?;
    let n = (readings.len() as f64).sqrt();
    let window = readings.iter().map(|r| r.window.elapsed().secs()).fold(f64::INFINITY, f64::min);
    let bench = &plan.capability;
    let half_width = bench.edge_time_half_width.secs();
    let mut budget = vec![
        reference_component(plan, step, Ratio::from_percent(mean))?,
        // By power and time it is the time itself; where the reference counts, edges are laid on its samples by it.
        Component::b(
            "time base",
            rate.u.percent() * sensitivity,
            format!("certificate {}", standards.time_base().certificate_no()),
        ),
        // Two stamps bound a window; windows follow one another, so each of the mean's n windows has its own.
        Component::rectangular(
            "edge time stamps",
            half_width / window * 100.0 * 2f64.sqrt() / n * sensitivity,
            format!("±{:.0} µs each", half_width * 1e6),
        ),
        resolution(plan, readings, sensitivity),
        Component {
            label: "repeatability".into(),
            kind: Kind::A,
            u: scatter,
            dof: Some(dof),
            evidence: format!("{} readings", readings.len()),
        },
    ];
    budget.extend(lead_in::component(&open, readings));
    if bench.method == Method::StandardMeter {
        let moment = readings
            .iter()
            .map(|r| evidence.track.taken_half_width(r.window.opened, r.window.closed).secs())
            .fold(0.0, f64::max);
        budget.push(Component::rectangular(
            "moment of the reference's energy count",
            moment / window * 100.0 * 2f64.sqrt() / n * sensitivity,
            format!("±{:.1} ms between question and answer", moment * 1e3),
        ));
    }
    Ok((mean, budget))
}

impl Judge<'_> {
    /// Register against pulses over the run, from rest to rest: no timing enters, only the two register steps and the
    /// pulse at either end.
    pub(super) fn meter_constant(&mut self) -> ItemResult {
        let item = Item::MeterConstant;
        if self.plan.nameplate.data_output.is_none() {
            return undecided(item, "the register cannot be read: no data output on the nameplate".into());
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
            Component::b(
                "register step",
                resolution / 6f64.sqrt() / register.abs() * 100.0,
                format!("{resolution} kWh"),
            ),
            Component::b(
                "pulse at either end",
                constant.energy(1).kilowatt_hours() / 6f64.sqrt() / register.abs() * 100.0,
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
}
