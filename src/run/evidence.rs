//! What has come in, in the form the results ask it for.

use super::delay::Delay;
use super::unit::RegisterUnit;
use crate::certificate::record::{Attempt, LeadIn, Line, PulseReading};
use crate::error;
use crate::error::edge_fit::{Even, Fit, rhythm};
use crate::meter::output::Switched;
use crate::meter::transaction::Transacted;
use crate::meter::{Answer, Query, Reading};
use crate::plan::{Load, Method, Plan, Step, Work};
use crate::pulse::proof::Seen;
use crate::pulse::{Edge, Flaw, Input, Window, follows};
use crate::quantity::{Energy, Ratio};
use crate::reference::Track;
use crate::source::{Opinion, SwitchedOff};
use crate::time::{Instant, Span, Stamp};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Counted and integrated energy of one reference may differ by its sampling; so far apart one of them is wrong.
const ENERGIES_APART: f64 = 0.01;

/// An answer and the step it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// Number of the step.
    pub step: usize,
    /// The answer.
    pub answer: Answer,
}

/// When the meter did something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Best estimate.
    pub at: Instant,
    /// It lies within `at` ± this.
    pub half_width: Span,
}

impl From<&Transacted> for Moment {
    fn from(told: &Transacted) -> Self {
        Self { at: told.taken, half_width: told.taken_half_width }
    }
}

/// What has come of the transaction of a meter that signs.
#[derive(Debug, Clone, Default)]
pub(super) struct SignedEvidence {
    /// Its name.
    pub id: String,
    /// When it began.
    pub begun: Option<Moment>,
    /// When it ended.
    pub ended: Option<Moment>,
    /// The record as it came.
    pub bytes: Option<Vec<u8>>,
    /// From the end to the record.
    pub waited: Option<Span>,
    /// Why there is no record.
    pub why_none: Option<String>,
    /// The meter's last answer in place of a record.
    pub last_answer: Option<String>,
}

/// The evidence of a run so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// Samples of the reference.
    pub track: Track,
    /// Edges of the meter's energy pulses.
    pub meter_edges: Vec<Edge>,
    /// Edges of the meter's seconds pulse.
    pub seconds_edges: Vec<Edge>,
    /// Answers of the data output.
    pub answers: Vec<Answered>,
    /// The transaction of a meter that signs.
    pub signed: Option<SignedEvidence>,
    /// What came of telling the meter to give its seconds pulse; nothing where it was not told.
    pub switched: Option<Switched>,
    /// What is known of the unit of its energy register; nothing before the first reading.
    pub unit: Option<RegisterUnit>,
    /// What another error calculator said, by step number; the last one counts.
    pub opinions: BTreeMap<usize, Opinion>,
    /// Attempts at windows, by step number.
    pub attempts: BTreeMap<usize, Vec<Attempt>>,
    /// Begin and end of the creep dwell that held.
    pub creep: Option<(Instant, Instant)>,
    /// Observations that are no verdict.
    pub findings: Vec<String>,
    /// How the load went away.
    pub switched_off: Option<SwitchedOff>,
    /// How late the meter's edges come in.
    delay: Delay,
    /// Those of the seconds, which may come from another counter.
    seconds_delay: Delay,
    /// What the two said before each interruption.
    moved: Vec<(Input, Span, Span)>,
    /// When the run was last taken up again, on its own time and by the clock of the day.
    pub again: Option<(Instant, Stamp)>,
    /// Who the meter said it was before it was interrupted.
    pub known_as: Vec<(Query, String)>,
    /// All seconds pulses that are needed came before an interruption; later ones say nothing more.
    pub seconds_closed: bool,
    /// Stretches in which a counter's edges are not to be believed, by their numbers or by its own word, and why.
    lost: Vec<(Input, Instant, Instant, String)>,
}

/// A bench that makes more observations than this is broken, and the first ones say how.
const FINDINGS_MAX: usize = 100;

/// A counter that stamps two edges in the wrong order by this much or less has jitter; by more, its clock has fallen back
/// and lies beside ours no longer. A choice of this house: no sample of a reference is shorter.
const EDGE_BACK_MAX: Span = Span::from_millis(100);

/// An edge this far from the present tells of a counter whose clock has jumped.
const EDGE_AGE_MAX: Span = Span::from_secs(5);

impl Evidence {
    /// Notes an observation; the same one again says nothing new.
    pub fn note(&mut self, finding: String) {
        if !self.findings.contains(&finding) && self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// How far the stamps of an input's counter have moved against our clock, and in which time: one entry for each part
    /// between interruptions in which enough edges came to say. What the line delays edges by differently is in it.
    pub fn counter_against_us(&self, input: Input) -> impl Iterator<Item = (Span, Span)> {
        let now = if input == Input::Seconds { &self.seconds_delay } else { &self.delay };
        let before = self.moved.iter().filter(move |(of, ..)| *of == input);
        before.map(|(_, moved, within)| (*moved, *within)).chain(now.moved())
    }

    /// From when on the output gives seconds pulses because it was told to.
    pub fn seconds_from(&self) -> Option<Instant> {
        self.switched.as_ref().filter(|switched| switched.refused.is_none()).map(|switched| switched.done)
    }

    /// The seconds pulses: what the output gave before it was told to give them were others.
    pub fn seconds_pulses(&self) -> impl Iterator<Item = &Edge> {
        let from = self.seconds_from().unwrap_or(Instant::ZERO);
        self.seconds_edges.iter().filter(move |edge| edge.rising && edge.at >= from)
    }

    /// Takes an edge in, or says why its counter cannot be believed any more.
    pub fn push_edge(&mut self, now: Instant, edge: Edge) -> Result<(), String> {
        if now - edge.at > EDGE_AGE_MAX || edge.at - now > EDGE_AGE_MAX {
            return Err(format!(
                "edge number {} is stamped {} away from now: its clock has jumped",
                edge.seq,
                edge.at - now
            ));
        }
        if edge.input == Input::Meter
            && let Some(away) = self.delay.push(now, edge.at)
        {
            return Err(format!(
                "edge number {} is stamped by a clock that has run {away} away from ours since the begin: pulses cannot be laid beside the reference",
                edge.seq
            ));
        }
        if edge.input == Input::Seconds {
            // How far it is too far the daily rate judges; nothing else is measured with it.
            self.seconds_delay.push(now, edge.at);
        }
        let edges = match edge.input {
            Input::Meter => &mut self.meter_edges,
            Input::Seconds if self.seconds_closed => return Ok(()),
            Input::Seconds => &mut self.seconds_edges,
            // The bench tallies them; one that comes all the same says nothing about the meter.
            Input::Reference => return Ok(()),
        };
        // A counter that was opened anew counts anew; what passed meanwhile is lost in any case.
        let again = self.again.map_or(Instant::ZERO, |(at, _)| at);
        if let Some(last) = edges.last().copied().filter(|last| self.again.is_none() || last.at >= again)
            && let Err(flaw) = follows(&last, &edge)
        {
            let (from, to) = (last.at.min(edge.at), last.at.max(edge.at));
            match flaw {
                Flaw::Restarted { .. } => return Err(flaw.to_string()),
                Flaw::Backwards { .. } if last.at - edge.at > EDGE_BACK_MAX => {
                    return Err(format!(
                        "edge number {} is stamped {} before the one before it: its clock has fallen back",
                        edge.seq,
                        last.at - edge.at
                    ));
                }
                // What is not pushed leaves no hole of its own; the stretch is spoiled by its reason.
                Flaw::Repeated { .. } | Flaw::Backwards { .. } => {
                    self.lost.push((edge.input, from, to, flaw.to_string()));
                    return Ok(());
                }
                _ => self.lost.push((edge.input, from, to, flaw.to_string())),
            }
        }
        edges.push(edge);
        Ok(())
    }

    /// The counter says that it lost edges, somewhere between the last one it told and now.
    pub fn push_lost(&mut self, now: Instant, input: Input, what: &str) {
        let from = match input {
            Input::Meter => self.meter_edges.last().map(|e| e.at),
            Input::Seconds => self.seconds_edges.last().map(|e| e.at),
            // The last sample had a sound count.
            Input::Reference => self.track.last().map(|s| s.taken),
        };
        let from = from.unwrap_or(Instant::ZERO);
        self.lost.push((input, from.min(now), now, format!("the counter lost edges: {what}")));
    }

    /// Nothing was seen or counted between these moments.
    pub fn interrupt(&mut self, from: Instant, to: Instant, again: Stamp, why: &str) {
        for input in [Input::Meter, Input::Reference] {
            self.lost.push((input, from, to, why.to_owned()));
        }
        self.again = Some((to, again));
        // The counter's clock was laid beside ours anew.
        for (input, delay) in [(Input::Meter, &mut self.delay), (Input::Seconds, &mut self.seconds_delay)] {
            self.moved.extend(std::mem::take(delay).moved().map(|(moved, within)| (input, moved, within)));
        }
    }

    /// Whether edges of an input may be missing in a stretch.
    pub fn broken(&self, input: Input, from: Instant, to: Instant) -> bool {
        self.flaw(input, from, to).is_some()
    }

    /// Why the edges of an input are not to be believed in a stretch.
    fn flaw(&self, input: Input, from: Instant, to: Instant) -> Option<&str> {
        let mut flaws = self.lost.iter();
        let found = flaws.find(|(lossy, begin, end, _)| *lossy == input && *begin <= to && *end >= from)?;
        Some(&found.3)
    }

    /// Index of the first meter edge after `at`.
    pub fn first_edge_after(&self, at: Instant) -> usize {
        self.meter_edges.partition_point(|e| e.at <= at)
    }

    /// Meter edges in (from, to].
    pub fn edges_between(&self, from: Instant, to: Instant) -> &[Edge] {
        let (first, end) = (self.first_edge_after(from), self.first_edge_after(to));
        self.meter_edges.get(first..end).unwrap_or_default()
    }

    /// Silence between two moments means something only on an input that was heard before and after it.
    pub fn heard_around(&self, from: Instant, to: Instant) -> bool {
        let before = &self.meter_edges[..self.first_edge_after(from)];
        let after = &self.meter_edges[self.first_edge_after(to)..];
        before.iter().any(|e| e.rising) && after.iter().any(|e| e.rising)
    }

    /// The answer to `query` in the step numbered `step`.
    pub fn answer(&self, step: usize, query: Query) -> Option<&Answer> {
        self.answers.iter().rev().find(|a| a.step == step && a.answer.query == query).map(|a| &a.answer)
    }

    /// All answers to `query` in the step numbered `step`, oldest first.
    pub fn all(&self, step: usize, query: Query) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(move |a| a.step == step && a.answer.query == query).map(|a| &a.answer)
    }

    /// The reference energy between two moments, uncorrected. `stood`: since when the load has been there, where that is
    /// later than `from`.
    pub fn energy(&self, plan: &Plan, from: Instant, to: Instant, stood: Option<Instant>) -> Option<Energy> {
        let method = plan.capability.method;
        match stood.filter(|stood| *stood > from) {
            None => self.track.energy(from, to, method),
            Some(stood) => {
                Some(self.track.energy_through_change(from, stood)? + self.track.energy(stood, to, method)?)
            }
        }
    }

    /// The reference energy from the first of these moments up to each, uncorrected. Only the first may lie before the
    /// load stood; there the reference's own count is taken.
    pub fn energies(&self, moments: &[Instant], stood: Instant, method: Method) -> Option<Vec<Energy>> {
        let (first, later) = moments.split_first()?;
        if stood <= *first {
            return self.track.energies(*first, moments, method);
        }
        let lead = self.track.energy_through_change(*first, stood)?;
        let after = self.track.energies(stood, later, method)?;
        Some(std::iter::once(Energy::ZERO).chain(after.into_iter().map(|e| lead + e)).collect())
    }

    /// An energy with our standards' corrections for this step's load.
    ///
    /// Where the reference counts energy itself its own time base is in its certificate; where energy is power by our
    /// time, our time base is corrected too.
    pub fn corrected(plan: &Plan, step: &Step, energy: Energy) -> Option<Energy> {
        let correction =
            plan.standards.reference().power_correction(step.load.voltage_v, step.load.current_a).ok()?;
        let energy = energy / (1.0 + correction.error.fraction());
        match plan.capability.method {
            Method::StandardMeter => Some(energy),
            Method::PowerTime => {
                let rate = plan.standards.time_base().rate_error().ok()?;
                Some(energy / (1.0 + rate.error.fraction()))
            }
        }
    }

    /// When the register before the pulses was read, if it was.
    pub fn register_start(&self, plan: &Plan) -> Option<Instant> {
        let step = plan.steps.iter().find(|s| s.work == Work::RegisterStart)?;
        let answer = self.answer(step.no, Query::Energy)?;
        matches!(answer.reading, Reading::Value(_)).then_some(answer.taken)
    }

    /// The attempt that a stretch of the meter's edges makes at a step. `lead`: the load before, and since when this
    /// step's load has stood.
    pub fn attempt(
        &self,
        plan: &Plan,
        step: &Step,
        edges: RangeInclusive<usize>,
        lead: Option<(Load, Instant)>,
    ) -> Attempt {
        let edges = &self.meter_edges[edges];
        let (from, to) = (edges[0].at, edges[edges.len() - 1].at);
        let lead = lead.filter(|(_, stood)| *stood > from);
        match self.reading(plan, step, edges, lead) {
            Ok(reading) => Attempt::Reading(reading),
            // The error stands beside the reason: a meter that drops pulses must not be able to hide in repetitions.
            Err((why, error)) => Attempt::Spoiled { from, to, why, error },
        }
    }

    fn reading(
        &self,
        plan: &Plan,
        step: &Step,
        edges: &[Edge],
        lead: Option<(Load, Instant)>,
    ) -> Result<PulseReading, (String, Option<Ratio>)> {
        if let (Some(first), Some(last)) = (edges.first(), edges.last())
            && let Some(flaw) = self.flaw(Input::Meter, first.at, last.at)
        {
            return Err((flaw.to_owned(), None));
        }
        let seen = Seen::of(edges, lead.map(|(_, stood)| stood)).map_err(|flaw| (flaw.to_string(), None))?;
        let stood = lead.map_or(seen.window.opened, |(_, stood)| stood);
        let mut reading = self.read_window(plan, step, seen.window, lead).map_err(|why| (why, None))?;
        let own = self.row(&seen, stood, plan.capability.method, reading.reference_energy_j);
        reading.line = own.as_ref().and_then(|row| line(plan, row));
        reading.proof = Some(seen.proof().map_err(|flaw| (flaw.to_string(), Some(reading.error)))?);
        let odd = reading.proof.and_then(|proof| proof.odd_width(edges, stood));
        // Once the load stands, what is due between two edges is told by the reference's power: the steps of its energy
        // count may be as coarse as a pulse.
        let by_power = match plan.capability.method {
            Method::PowerTime => own,
            Method::StandardMeter => self.row(&seen, stood, Method::PowerTime, reading.reference_energy_j),
        };
        let strays = by_power.map_or_else(
            || Some("the reference gave no power for it".to_owned()),
            |row| strays(plan, edges, seen.rising(), &row),
        );
        let why: Vec<String> = strays.into_iter().chain(odd.map(|flaw| flaw.to_string())).collect();
        if why.is_empty() { Ok(reading) } else { Err((why.join("; "), Some(reading.error))) }
    }

    /// The rising edges of a window by the reference's energy, which comes to `whole` at the last of them.
    fn row(&self, seen: &Seen, stood: Instant, method: Method, whole: Energy) -> Option<Row> {
        let mut energies = self.energies(seen.rising(), stood, method)?;
        let correction = whole.ratio_to(*energies.last()?).map_or(1.0, Ratio::fraction);
        for energy in &mut energies {
            *energy = *energy * correction;
        }
        let line = Even::through(&energies).ok()?;
        Some(Row { energies, line })
    }

    fn read_window(
        &self,
        plan: &Plan,
        step: &Step,
        window: Window,
        lead: Option<(Load, Instant)>,
    ) -> Result<PulseReading, String> {
        let (from, to) = (window.opened, window.closed);
        let stood = lead.map_or(from, |(_, stood)| stood);
        let bench = &plan.capability;
        self.track
            .steady(stood, to, step.load, &bench.settle, bench.sample_age_max)
            .map_err(|unsteady| unsteady.to_string())?;
        if let Some(why) = self.flaw(Input::Reference, from, to) {
            return Err(format!("the reference's own pulses: {why}"));
        }
        let none = || "the reference gave no energy for it".to_owned();
        let mean = self.track.mean(stood, to).ok_or_else(none)?;
        let corrected = |energy: Option<Energy>| Self::corrected(plan, step, energy?);
        let whole = self.energy(plan, from, to, Some(stood));
        let reference = corrected(whole).ok_or_else(none)?;
        let lead_in = match lead {
            None => None,
            Some((load, stood)) => Some(LeadIn {
                current_a: load.current_a,
                stood,
                reference_energy_j: corrected(self.track.energy_through_change(from, stood))
                    .ok_or_else(none)?,
            }),
        };
        self.energies_agree(bench.method, stood, to)?;
        let constant = plan.nameplate.constant_imp_per_kwh;
        let indicated = constant.energy(window.pulses);
        let error = match bench.method {
            Method::StandardMeter => error::standard_meter(indicated, reference),
            Method::PowerTime => {
                let power = reference / window.elapsed().secs();
                error::power_time(
                    window.pulses,
                    constant,
                    crate::quantity::Power::from_watts(power.joules()),
                    window.elapsed(),
                )
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
            line: None,
            lead_in,
            proof: None,
        })
    }

    /// A reference that counts energy and measures power must say the same with both.
    fn energies_agree(&self, method: Method, from: Instant, to: Instant) -> Result<(), String> {
        let (counted, integrated) = (
            self.track.energy(from, to, Method::StandardMeter),
            self.track.energy(from, to, Method::PowerTime),
        );
        match (counted, integrated) {
            (Some(counted), Some(integrated))
                if (counted - integrated).abs() > integrated.abs() * ENERGIES_APART =>
            {
                Err(format!("the reference counted {counted} where its power makes {integrated}"))
            }
            (None, _) if method == Method::StandardMeter => Err("the reference counted no energy".into()),
            _ => Ok(()),
        }
    }

    /// The attempt that ends without a pulse, although pulses were due and the source was steady.
    pub fn silent(&self, plan: &Plan, step: &Step, from: Instant, to: Instant) -> Option<Attempt> {
        let bench = &plan.capability;
        let steady = self.track.steady(from, to, step.load, &bench.settle, bench.sample_age_max);
        if let Err(unsteady) = steady {
            return Some(Attempt::Spoiled { from, to, why: unsteady.to_string(), error: None });
        }
        let energy = self.energy(plan, from, to, None)?;
        let reference = Self::corrected(plan, step, energy).filter(|e| *e > Energy::ZERO)?;
        let constant = plan.nameplate.constant_imp_per_kwh;
        let bound: Ratio = error::upper_bound(0, constant, reference).ok()?;
        Some(Attempt::Silent {
            from,
            to,
            reference_energy_j: reference,
            due: constant.pulses(reference),
            bound,
        })
    }

    /// Good readings of a step.
    pub fn readings(&self, step: usize) -> usize {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        attempts.iter().filter(|a| matches!(a, Attempt::Reading(_))).count()
    }

    /// Why the last spoiled attempt of a step was.
    pub fn last_spoiled(&self, step: usize) -> String {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        let last = attempts
            .iter()
            .rev()
            .find_map(|a| if let Attempt::Spoiled { why, .. } = a { Some(why) } else { None });
        last.cloned().unwrap_or_default()
    }

    /// Attempts of a step that only the rhythm of the pulses has spoiled.
    pub fn irregular(&self, step: usize) -> usize {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        attempts.iter().filter(|a| matches!(a, Attempt::Spoiled { error: Some(_), .. })).count()
    }

    /// Spoiled attempts of a step.
    pub fn spoiled(&self, step: usize) -> usize {
        let attempts = self.attempts.get(&step).map(Vec::as_slice).unwrap_or_default();
        attempts.iter().filter(|a| matches!(a, Attempt::Spoiled { .. })).count()
    }
}

/// The rising edges of a window by the reference's energy from the first to each, and the line through them.
struct Row {
    energies: Vec<Energy>,
    line: Even,
}

/// The error by every edge, beside the regulation's value.
fn line(plan: &Plan, row: &Row) -> Option<Line> {
    let fit = Fit::of(&row.line, plan.nameplate.constant_imp_per_kwh).ok()?;
    let agreement = fit.compare();
    let disagrees = (!agreement.agrees).then_some(agreement.words);
    Some(Line { error: fit.error, u: fit.u, scatter_j: Some(fit.scatter), edges: fit.edges, disagrees })
}

/// Which pulses of a window do not belong, in words.
fn strays(plan: &Plan, edges: &[Edge], rising: &[Instant], row: &Row) -> Option<String> {
    let pulses = rhythm::Pulses { at: rising, energy: &row.energies, edges };
    match rhythm::examine(&pulses, &row.line, plan.nameplate.constant_imp_per_kwh) {
        Ok(rhythm) => rhythm.spoils(),
        Err(fault) => Some(fault.to_string()),
    }
}
