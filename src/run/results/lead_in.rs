//! Windows that opened with an edge of the load before: what the meter counted until its load stood is taken out.
//!
//! With E the reference energy of the window, E₀ its part before the load stood, e the error over the whole window and
//! `e_before` the error at the load before, the error at the point is (e·E − `e_before`·E₀)/(E − E₀). E₀ passed mostly at
//! the load before and partly between the two, where the error lies somewhere between; half of the difference is
//! the half-width of what that leaves open (rectangular; a judgement of this house).

use super::super::evidence::Evidence;
use crate::certificate::record::{Attempt, PulseReading};
use crate::plan::{Plan, Work};
use crate::quantity::Current;
use crate::uncertainty::Component;

/// The error of a reading in percent at its own load, and half the width of what the correction leaves open.
pub(super) fn corrected(plan: &Plan, evidence: &Evidence, reading: &PulseReading) -> (f64, f64) {
    let error = reading.error.percent();
    let Some(lead) = &reading.lead_in else { return (error, 0.0) };
    let share = lead.reference_energy_j.joules() / reading.reference_energy_j.joules();
    let rest = share / (1.0 - share);
    match error_at(plan, evidence, lead.current_a) {
        Some(before) => {
            let corrected = error + (error - before) * rest;
            (corrected, rest * (corrected - before).abs() / 2.0)
        }
        // Nothing is known of the load before; what its limit allows may be wrong with it.
        None => (error, rest * (error.abs() + limit_at(plan, lead.current_a))),
    }
}

/// One row of the budget for what the lead-ins of the readings leave open, if they have any.
pub(super) fn component(half_widths: &[f64], readings: &[&PulseReading]) -> Option<Component> {
    let lead = readings.iter().find_map(|reading| reading.lead_in.as_ref())?;
    // They are off the same way: no averaging.
    let half_width = half_widths.iter().sum::<f64>() / half_widths.len() as f64;
    let evidence =
        format!("{} passed between {} and the load point", lead.reference_energy_j, lead.current_a);
    Some(Component::rectangular("energy before the load stood", half_width, evidence))
}

/// Mean error of the readings at a basic-error point of this current.
fn error_at(plan: &Plan, evidence: &Evidence, current: Current) -> Option<f64> {
    let is = |work: &Work| matches!(work, Work::BasicError(_));
    let step = plan.steps.iter().find(|step| step.load.current_a == current && is(&step.work))?;
    let errors = evidence.attempts.get(&step.no)?.iter().filter_map(|attempt| match attempt {
        Attempt::Reading(reading) => Some(reading.error.percent()),
        _ => None,
    });
    let errors: Vec<f64> = errors.collect();
    (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
}

fn limit_at(plan: &Plan, current: Current) -> f64 {
    let limits = plan.steps.iter().filter(|step| step.load.current_a == current);
    let limit = limits.filter_map(|step| match &step.work {
        Work::BasicError(windows) => Some(windows.limit.percent()),
        _ => None,
    });
    limit.fold(0.0, f64::max)
}
