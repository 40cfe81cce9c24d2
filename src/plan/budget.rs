//! The uncertainty budget of an error by pulses: the one place that makes its components, beforehand for the plan and
//! afterwards for the run.
//!
//! The error is γ = 100·(N/C/E₀ − 1) %. A relative uncertainty of the reference energy E₀ enters with the sensitivity
//! −(1 + γ), a time at either end of a window with (1 + γ)/window, what goes past the reference with (1 + γ)/I or /U.
//!
//! Windows that follow one another share the edge between them: what an edge is off by lengthens the one and shortens
//! the other, and goes out of their mean. Of n windows in g unbroken stretches only 2·g ends are left, and each counts
//! by 1/n.
//!
//! No scatter is counted twice. What edges and samples are seen to scatter by inside the windows has its rows; the
//! repeatability has only what the readings scatter by beyond that (see [`Setting::repeatability`]), and the jitter of
//! the meter only what the edges scatter by beyond their time stamps.
//!
//! Not in the budget, because it is not there: a quantisation of pulses, since windows are whole periods from edge to
//! edge; and the rounding of the result. U is stated with the value as measured, of which the papers print digits
//! far below U (GUM 7.2.6). The value rounded as the regulation says serves its verdict alone (JJG 596-2026 compares
//! it with the limit); it is no estimate, it is off by a known amount, and with a row for it U would be too large for
//! the value that it stands beside. This is a choice of this house.

use super::{Capability, Entries, Load, Method};
use crate::calibration::{Change, Fault, Standard, Standards};
use crate::quantity::{Ratio, Temperature, shown};
use crate::regulation::{Class, Profile};
use crate::time::Span;
use crate::uncertainty::{Component, type_a};
use jiff::civil::Date;

/// How warm the standards are.
#[derive(Debug, Clone, PartialEq)]
pub enum Surroundings {
    /// As the operator entered it.
    Entered(Temperature),
    /// Not entered: assumed anywhere in the span that the regulation allows.
    Assumed {
        /// From.
        low: Temperature,
        /// To.
        high: Temperature,
        /// Document and clause of the span.
        clause: String,
    },
}

impl Surroundings {
    /// The operator's entry, or else the regulation's reference conditions for the class.
    pub fn of(entries: &Entries, profile: &Profile, class: &Class) -> Result<Self, Fault> {
        if let Some(entered) = entries.temperature_degc {
            return Ok(Self::Entered(entered));
        }
        let no = || Fault::NoTemperature { document: profile.document.clone() };
        let conditions = profile.conditions.as_ref().ok_or_else(no)?;
        let (middle, tolerance) = (conditions.temperature_c.value, conditions.tolerance_k(class.name()));
        let celsius = |c| Temperature::try_from_degrees_celsius(c).map_err(|_| no());
        Ok(Self::Assumed {
            low: celsius(middle - tolerance)?,
            high: celsius(middle + tolerance)?,
            clause: format!("{} {}", profile.document, conditions.temperature_c.clause),
        })
    }

    fn effect(&self, standard: &Standard) -> Result<Change, Fault> {
        match self {
            Self::Entered(at) => standard.temperature_effect(*at, *at),
            Self::Assumed { low, high, clause } => {
                let Change { half_width, evidence } = standard.temperature_effect(*low, *high)?;
                let evidence = format!(
                    "{evidence}; the temperature was not entered and is assumed between {low} and {high} ({clause})"
                );
                Ok(Change { half_width, evidence })
            }
        }
    }
}

/// The component of the counter's clock.
pub(crate) const COUNTER: &str = "clock of the counter";
/// A rate of the counter's clock below this, in percent, is not stated: it shows in no digit of U.
const COUNTER_LEAST: f64 = 2e-4;

/// What a run has seen in its windows. The default is what is known before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Relative standard deviation of a power sample, and how many samples stand behind it in all windows together.
    pub samples: Option<(Ratio, usize)>,
    /// Standard deviation of an edge about the line through all edges, in seconds, with its degrees of freedom. None:
    /// not seen, and nothing is assumed; a scatter of the meter then shows in the repeatability.
    pub edges: Option<(f64, f64)>,
    /// Half-width of the moment of the reference's energy count (standard-meter method).
    pub moment: Span,
    /// Unbroken stretches that the windows make.
    pub stretches: u32,
    /// How far the counter's stamps moved against our clock, and in which time, where enough edges came to say.
    pub counter: Option<(Span, Span)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { samples: None, edges: None, moment: Span::ZERO, stretches: 1, counter: None }
    }
}

/// What the budget of one point depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting<'a> {
    /// Certificates.
    pub standards: &'a Standards,
    /// The bench.
    pub bench: &'a Capability,
    /// The load.
    pub load: Load,
    /// The day of the measurement, for the drift.
    pub day: Date,
    /// The temperature of the standards.
    pub surroundings: &'a Surroundings,
    /// The shortest of the windows.
    pub window: Span,
    /// How many windows; the result is the mean of their errors.
    pub readings: u32,
    /// The error found or expected.
    pub error: Ratio,
    /// What was seen of it.
    pub seen: Seen,
}

/// A component that is drawn anew in each reading.
struct Random {
    /// In the mean.
    component: Component,
    /// Standard uncertainty in one reading alone, in percent.
    single: f64,
}

impl Setting<'_> {
    /// The components of the mean error, each in percent of error, without the repeatability. `Err`: a standard does
    /// not cover the load, or its file lacks a figure that is needed.
    pub fn components(&self) -> Result<Vec<Component>, Fault> {
        let mut budget = self.of_standards()?;
        budget.extend(self.of_counter());
        budget.extend(self.of_reading());
        budget.extend(self.of_leads());
        budget.extend(self.random().into_iter().map(|random| random.component));
        Ok(budget)
    }

    /// The components of one value of the data output against the reference's mean power over the window, each in
    /// percent of it, without those of the meter: no time enters, so neither clock nor edges. `Err`: as above.
    pub fn components_of_power(&self) -> Result<Vec<Component>, Fault> {
        let bench = Capability { method: Method::PowerTime, ..self.bench.clone() };
        let power = Setting { bench: &bench, ..self.clone() };
        let mut budget = power.of_reference()?.to_vec();
        budget.extend(power.of_reading());
        budget.extend(power.of_leads());
        budget.push(power.sampling().component);
        Ok(budget)
    }

    /// What `errors`, the readings in percent, scatter by beyond what the other rows say of a single one: s² less the
    /// squares of those, nothing where it is less, over n (GUM 4.2.3), n − 1 degrees of freedom. So the larger of what
    /// is seen between the windows and what is seen inside them counts, and none of it twice: a choice of this house.
    /// `None` with fewer than two readings.
    pub fn repeatability(&self, errors: &[f64]) -> Option<Component> {
        let (_, u, dof) = type_a(errors)?;
        let n = errors.len() as f64;
        let expected = self.random().iter().map(|random| random.single.powi(2)).sum::<f64>();
        let scatter = u * n.sqrt();
        // f64::max would take a NaN for nothing.
        let beyond = if scatter.powi(2) < expected { 0.0 } else { scatter.powi(2) - expected };
        let evidence = format!(
            "{} readings scatter by {} %; by the rows above {} % was to be expected",
            errors.len(),
            shown(scatter, 3),
            shown(expected.sqrt(), 3)
        );
        Some(Component::a("repeatability", (beyond / n).sqrt(), dof, evidence))
    }

    /// 1 + γ.
    fn gain(&self) -> f64 {
        1.0 + self.error.fraction()
    }

    fn of_reference(&self) -> Result<[Component; 3], Fault> {
        let reference = self.standards.reference();
        let at = reference.power_correction(self.load.voltage_v, self.load.current_a)?;
        let dof = at.dof.is_finite().then_some(at.dof);
        self.of_standard("reference", reference, at.u, dof)
    }

    fn of_standards(&self) -> Result<Vec<Component>, Fault> {
        let mut budget = self.of_reference()?.to_vec();
        // Where the reference counts energy, its own clock is in its certificate, and ours lays edges between counts
        // that it has stamped itself: its rate goes out.
        if self.bench.method == Method::PowerTime {
            let clock = self.standards.time_base();
            let rate = clock.rate_error()?;
            let dof = rate.dof.is_finite().then_some(rate.dof);
            budget.extend(self.of_standard("time base", clock, rate.u, dof)?);
        }
        Ok(budget)
    }

    /// Certificate, drift and temperature of one standard. All three are taken to be the same unknown at every point
    /// of the run: fully correlated, which a certificate need not be. A choice of this house.
    fn of_standard(
        &self,
        name: &str,
        standard: &Standard,
        u: Ratio,
        dof: Option<f64>,
    ) -> Result<[Component; 3], Fault> {
        let drift = standard.drift_until(self.day)?;
        let temperature = self.surroundings.effect(standard)?;
        let shared = |component: Component| {
            let cause = format!("{} of {}", component.label, standard.serial());
            component.with_sensitivity(-self.gain()).sharing(cause)
        };
        let certificate = format!("{} % by certificate {}", shown(u.percent(), 4), standard.certificate_no());
        let changed = |what: &str, change: Change| {
            let half_width = change.half_width.percent();
            Component::rectangular(
                &format!("{name} {what}"),
                half_width,
                format!("±{} %: {}", shown(half_width, 3), change.evidence),
            )
        };
        Ok([
            shared(Component {
                dof,
                ..Component::b(&format!("{name} certificate"), u.percent(), certificate)
            }),
            shared(changed("drift", drift)),
            shared(changed("temperature", temperature)),
        ])
    }

    /// The counter stamps the edges by its own clock, laid beside ours once: by what its stamps have moved since, the
    /// windows may be too long or too short, all of them by the same share (a step of the clock shows in the repeatability,
    /// where it falls between readings of one point). That it lies anywhere within what was seen is a choice of this house;
    /// a share that shows in no digit is left out.
    fn of_counter(&self) -> Option<Component> {
        let (moved, within) = self.seen.counter?;
        let half_width = 100.0 * moved.secs() / within.secs();
        let label = COUNTER;
        let evidence = format!(
            "±{} %: its stamps moved {} ms against our clock in {within}",
            shown(half_width, 3),
            shown(moved.secs() * 1e3, 3)
        );
        (half_width > COUNTER_LEAST).then(|| {
            Component::rectangular(label, half_width, evidence).with_sensitivity(self.gain()).sharing(label)
        })
    }

    /// The last digit of the power; that of a count is another one at either end of each window.
    fn of_reading(&self) -> Option<Component> {
        let step = self.bench.reference_resolution.percent();
        (self.bench.method == Method::PowerTime).then(|| {
            let evidence = format!("steps of {} % of the reading", shown(step, 4));
            Component::rectangular("resolution of the reference", step / 2.0, evidence)
                .with_sensitivity(-self.gain())
        })
    }

    /// What goes past the reference or is lost on the way from it: the lower the load the more of it.
    fn of_leads(&self) -> Vec<Component> {
        let part = |label: &str, half_width: f64, nominal: f64, unit: &str| {
            Component::rectangular(
                label,
                half_width,
                format!("±{} {unit} at {} {unit}", shown(half_width, 4), shown(nominal, 4)),
            )
            .with_sensitivity(100.0 / nominal * self.gain())
            .sharing(label)
        };
        let (volts, amperes) = (self.load.voltage_v.volts(), self.load.current_a.amperes());
        let current =
            self.bench.leads_current_a.map(|half| part("current leads", half.amperes(), amperes, "A"));
        let voltage = self.bench.leads_voltage_v.map(|half| part("voltage leads", half.volts(), volts, "V"));
        current.into_iter().chain(voltage).collect()
    }

    /// Percent of error for one second at one end of a single window.
    fn per_second(&self) -> f64 {
        100.0 * self.gain() / self.window.secs()
    }

    fn n(&self) -> f64 {
        f64::from(self.readings)
    }

    /// A quantity that lies within ±`half_width` at each end of each window, with the percent of error that a unit of
    /// it makes in one window.
    fn at_ends(&self, label: &str, half_width: f64, percent: f64, evidence: String) -> Random {
        let stretches = self.seen.stretches.max(1);
        let component = if stretches == 1 {
            Component::triangular(label, 2.0 * half_width, evidence)
        } else {
            Component::b(label, half_width * (2.0 * f64::from(stretches) / 3.0).sqrt(), evidence)
        };
        let single = half_width * (2.0f64 / 3.0).sqrt() * percent.abs();
        Random { component: component.with_sensitivity(percent / self.n()), single }
    }

    /// The same of a normal quantity with its standard deviation.
    fn normal_at_ends(&self, component: Component, percent: f64) -> Random {
        let single = component.u * 2f64.sqrt() * percent.abs();
        let u = component.u * (2.0 * f64::from(self.seen.stretches.max(1))).sqrt();
        Random { component: Component { u, ..component }.with_sensitivity(percent / self.n()), single }
    }

    fn random(&self) -> Vec<Random> {
        let stamp = self.bench.edge_time_half_width.secs();
        let mut random = vec![self.at_ends(
            "edge time stamps",
            stamp,
            self.per_second(),
            format!("±{} s each", shown(stamp, 4)),
        )];
        if let Some((scatter, dof)) = self.seen.edges {
            let beyond = (scatter.powi(2) - stamp.powi(2) / 3.0).max(0.0).sqrt();
            let evidence = format!(
                "edges scatter by {} s about their line, {} s of it beyond their stamps",
                shown(scatter, 3),
                shown(beyond, 3)
            );
            let jitter = Component::a("pulse jitter of the meter", beyond, dof.max(1.0), evidence);
            random.push(self.normal_at_ends(jitter, self.per_second()));
        }
        random.push(self.sampling());
        if self.bench.method == Method::StandardMeter {
            let step = self.bench.energy_step;
            let window = self.load.voltage_v * self.load.current_a * self.window;
            let percent = -100.0 * self.gain() / window.joules();
            let evidence = format!("{step} at either end of {:.0} J", window.joules());
            random.push(self.at_ends("resolution of the reference", step.joules() / 2.0, percent, evidence));
        }
        if self.seen.moment > Span::ZERO && self.bench.method == Method::StandardMeter {
            let half_width = self.seen.moment.secs();
            random.push(self.at_ends(
                "moment of the reference's energy count",
                half_width,
                self.per_second(),
                format!("±{} s between question and answer", shown(half_width, 3)),
            ));
        }
        random
    }

    /// What the power does between two samples and each sample scatters by: it enters the mean of the samples, or where
    /// the reference counts, the share of an interval that lies before an edge.
    fn sampling(&self) -> Random {
        let label = "sampling and source instability";
        let interval = self.bench.sample_interval.secs();
        let due = (self.window.secs() / interval).max(1.0);
        let (scatter, samples, dof, words) = match (self.seen.samples, self.bench.sample_scatter) {
            // The differences of n neighbours are worth 2/3 of their number (asymptotic efficiency for a normal).
            (Some((scatter, samples)), _) => {
                let (seen, n) = (samples as f64, self.n());
                let dof = ((seen - n) * 2.0 / 3.0).max(1.0);
                (scatter.percent(), (seen / n).max(1.0), Some(dof), format!("of {samples} samples seen"))
            }
            (None, Some(stated)) => {
                (stated.percent(), due, None, "of a sample as its file states".to_owned())
            }
            (None, None) => {
                let (voltage, current) = self.bench.settle.bands(self.load);
                let relative = voltage.volts() / self.load.voltage_v.volts()
                    + current.amperes() / self.load.current_a.amperes();
                (
                    100.0 * relative / 3f64.sqrt(),
                    due,
                    None,
                    "of a sample anywhere in the settle band".to_owned(),
                )
            }
        };
        let component = |u: f64| {
            let evidence = format!("{} % {words}", shown(scatter, 3));
            dof.map_or_else(
                || Component::b(label, u, evidence.clone()),
                |dof| Component::a(label, u, dof, evidence.clone()),
            )
        };
        match self.bench.method {
            Method::PowerTime => {
                let single = scatter / samples.sqrt();
                Random {
                    component: component(single / self.n().sqrt()).with_sensitivity(-self.gain()),
                    single: single * self.gain().abs(),
                }
            }
            // Within an interval a line is drawn between two counts. Power that is off by δ in one half of it and by
            // −δ in the other bends the truth away from that line by δ·interval/2 at most.
            Method::StandardMeter => {
                self.normal_at_ends(component(scatter / 100.0 * interval / 2.0), self.per_second())
            }
        }
    }
}

#[cfg(test)]
mod tests;
