//! What has come in, in the form the results ask it for.

use crate::certificate::record::{Attempt, PulseReading};
use crate::error;
use crate::meter::{Answer, Query};
use crate::plan::{Method, Plan, Step};
use crate::pulse::{Edge, Input, Window};
use crate::quantity::{Energy, Ratio};
use crate::reference::Track;
use crate::time::Instant;
use std::collections::BTreeMap;

/// An answer and the step it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// Number of the step.
    pub step: usize,
    /// The answer.
    pub answer: Answer,
}

/// The evidence of a run so far.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Samples of the reference.
    pub track: Track,
    /// Edges of the meter's energy pulses.
    pub meter_edges: Vec<Edge>,
    /// Edges of the meter's seconds pulse.
    pub seconds_edges: Vec<Edge>,
    /// Answers of the data output.
    pub answers: Vec<Answered>,
    /// Attempts at windows, by step number.
    pub attempts: BTreeMap<usize, Vec<Attempt>>,
    /// Begin and end of the creep dwell that held.
    pub creep: Option<(Instant, Instant)>,
    /// Observations that are no verdict.
    pub findings: Vec<String>,
}

impl Evidence {
    pub fn push_edge(&mut self, edge: Edge) {
        match edge.input {
            Input::Meter => self.meter_edges.push(edge),
            Input::Seconds => self.seconds_edges.push(edge),
        }
    }

    /// Index of the first meter edge after `at`.
    pub fn first_edge_after(&self, at: Instant) -> usize {
        self.meter_edges.partition_point(|e| e.at <= at)
    }

    /// Meter edges in (from, to].
    pub fn edges_between(&self, from: Instant, to: Instant) -> &[Edge] {
        &self.meter_edges[self.first_edge_after(from)..self.first_edge_after(to)]
    }

    /// Whether any pulse has come at all: only then does silence mean something.
    pub fn pulse_input_lives(&self) -> bool {
        self.meter_edges.iter().any(|e| e.rising)
    }

    /// The answer to `query` in the step numbered `step`.
    pub fn answer(&self, step: usize, query: Query) -> Option<&Answer> {
        self.answers.iter().rev().find(|a| a.step == step && a.answer.query == query).map(|a| &a.answer)
    }

    /// The reference energy between two moments, with our standards' corrections for this step's load.
    ///
    /// Where the reference counts energy itself its own time base is in its certificate; where energy is power by our
    /// time, our time base is corrected too.
    pub fn corrected_energy(&self, plan: &Plan, step: &Step, from: Instant, to: Instant) -> Option<Energy> {
        let energy = self.track.energy(from, to, plan.capability.method)?;
        let correction = plan.standards.reference().power_correction(step.load.voltage_v, step.load.current_a).ok()?;
        let energy = energy / (1.0 + correction.error.fraction());
        match plan.capability.method {
            Method::StandardMeter => Some(energy),
            Method::PowerTime => {
                let rate = plan.standards.time_base().rate_error().ok()?;
                Some(energy / (1.0 + rate.error.fraction()))
            }
        }
    }

    /// The attempt that the edges `first..=last` of the meter make at a step.
    pub fn attempt(&self, plan: &Plan, step: &Step, first: usize, last: usize) -> Attempt {
        let edges = &self.meter_edges[first..=last];
        let (from, to) = (edges[0].at, edges[edges.len() - 1].at);
        match self.reading(plan, step, edges) {
            Ok(reading) => Attempt::Reading(reading),
            Err(why) => Attempt::Spoiled { from, to, why },
        }
    }

    fn reading(&self, plan: &Plan, step: &Step, edges: &[Edge]) -> Result<PulseReading, String> {
        let window = Window::over(edges).map_err(|flaw| flaw.to_string())?;
        let (from, to) = (window.opened, window.closed);
        let bench = &plan.capability;
        self.track
            .steady(from, to, step.load, &bench.settle, bench.sample_age_max)
            .map_err(|unsteady| unsteady.to_string())?;
        let none = || "the reference gave no energy for it".to_owned();
        let mean = self.track.mean(from, to).ok_or_else(none)?;
        let reference = self.corrected_energy(plan, step, from, to).ok_or_else(none)?;
        let constant = plan.nameplate.constant_imp_per_kwh;
        let indicated = constant.energy(window.pulses);
        let error = match bench.method {
            Method::StandardMeter => error::standard_meter(indicated, reference),
            Method::PowerTime => {
                let power = reference / window.elapsed().secs();
                error::power_time(window.pulses, constant, crate::quantity::Power::from_watts(power.joules()), window.elapsed())
            }
        };
        Ok(PulseReading {
            window,
            voltage_v: mean.voltage,
            current_a: mean.current,
            power_w: mean.power,
            reference_energy_j: reference,
            indicated_energy_j: indicated,
            error: error.map_err(|fault| fault.to_string())?,
        })
    }

    /// The attempt that ends without a pulse, although pulses were due.
    pub fn silent(&self, plan: &Plan, step: &Step, from: Instant, to: Instant) -> Option<Attempt> {
        let reference = self.corrected_energy(plan, step, from, to)?;
        let constant = plan.nameplate.constant_imp_per_kwh;
        let bound: Ratio = error::upper_bound(0, constant, reference).ok()?;
        Some(Attempt::Silent { from, to, reference_energy_j: reference, due: constant.pulses(reference), bound })
    }

    /// Good readings of a step.
    pub fn readings(&self, step: usize) -> usize {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        attempts.iter().filter(|a| matches!(a, Attempt::Reading(_))).count()
    }

    /// Spoiled attempts of a step.
    pub fn spoiled(&self, step: usize) -> usize {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        attempts.iter().filter(|a| matches!(a, Attempt::Spoiled { .. })).count()
    }
}
