//! The windows of a load point: from edge to edge, back to back, until the regulation has its readings.
//!
//! The first window need not wait for the hold of the settle rule: it may open as soon as the load is in its band, and
//! that the load stood is then seen over the whole window. At the starting current it may even open with the last edge
//! of the load before, because the reference integrates through the change. A meter that follows a change slowly would
//! carry the load before into such a window; `Run::lead_in_differs` looks for that and lets the window open at the gate. If
//! even what comes then differs from what follows, the window is spoiled and the point repeated.

use super::Run;
use super::load_lane::{Phase, SPOILED_MAX};
use super::results::stop;
use crate::certificate::record::Attempt;
use crate::error::edge_fit::{Even, Fit};
use crate::plan::{LEAD_SHARE, Load, Step, Windows};
use crate::pulse::Input;
use crate::time::{Instant, Span};

/// What the first part of a window may shift its error by, as a share of the limit; a choice of this house.
const LEAD_SHIFT: f64 = 0.02;
/// Where the pulses scatter, that much of the limit at most; repeatability and jitter in the budget answer for it.
const LEAD_SHIFT_MAX: f64 = 0.2;
/// Standard uncertainties by which two parts of a window must differ before the difference counts.
const CLEARLY: f64 = 3.0;

/// Progress through the windows of a step.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Scan {
    /// Since when the load has been in its band.
    stood: Instant,
    /// When the gate opened.
    armed: Instant,
    /// Next edge to look at.
    next: usize,
    /// The rising edge that opened the present window.
    open: Option<usize>,
    /// What the first part of the first window says of its opening.
    opening: Opening,
    /// The rising edge that will close it, waiting for the reference to cover it.
    close: Option<usize>,
    /// Waiting for pulses has ended.
    gave_up: bool,
    /// The readings suffice.
    enough: bool,
}

/// What is known of the opening of the first window.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Not yet compared with what follows.
    #[default]
    Untried,
    /// It differed, and the window was opened at the gate.
    Later,
    /// It agrees.
    Agrees,
}

impl Run {
    /// Looks for windows from now on, the load having stood in its band since `stood`.
    pub(super) fn arm(&mut self, now: Instant, stood: Instant) {
        let next = self.evidence.first_edge_after(stood);
        let open = self.opened_before(stood);
        let next = open.map_or(next, |edge| edge + 1);
        let enough = self.step().is_some_and(|step| self.enough(step));
        self.load_lane.scan = Scan { stood, armed: now, next, open, enough, ..Scan::default() };
    }

    /// Whether the readings of a step suffice, by the plan's rule for an early stop.
    fn enough(&self, step: &Step) -> bool {
        step.work
            .windows()
            .is_some_and(|windows| stop(&self.plan, &self.evidence, self.started, step, windows).is_some())
    }

    /// The last edge of the load before, where the plan lets it open the window and little passed since.
    fn opened_before(&self, stood: Instant) -> Option<usize> {
        let step = self.step()?;
        let windows = step.work.windows()?;
        // After a spoiled attempt the load has stood all along: there is no load before.
        if !windows.opens_before || self.evidence.spoiled(step.no) > 0 {
            return None;
        }
        let before = self.evidence.first_edge_after(stood);
        let edge = (0..before).rev().find(|index| self.evidence.meter_edges[*index].rising)?;
        let lead = self.evidence.track.energy_through_change(self.evidence.meter_edges[edge].at, stood)?;
        let window = step.load.voltage_v * step.load.current_a * windows.whole(1);
        (lead <= window * LEAD_SHARE).then_some(edge)
    }

    /// The load before the present step.
    fn load_before(&self) -> Option<Load> {
        let cursor = self.load_lane.cursor.checked_sub(1)?;
        self.load_lane.steps.get(cursor).map(|index| self.plan.steps[*index].load)
    }

    /// Since when no pulse has come at this step.
    fn quiet_since(&self) -> Instant {
        let scan = &self.load_lane.scan;
        let last = self.evidence.meter_edges[..scan.next].iter().rev().find(|e| e.rising);
        last.map_or(scan.armed, |e| e.at.max(scan.armed))
    }

    fn readings_done(&self) -> bool {
        self.load_lane.scan.gave_up || self.load_lane.scan.enough
    }

    pub(super) fn windows_deadline(&self, windows: &Windows) -> Option<Instant> {
        // Energy for the register is seen in the samples; their silence is watched elsewhere.
        (!self.readings_done()).then(|| self.quiet_since() + windows.give_up)
    }

    /// Works through the edges that have come; true when the step has all it needs.
    pub(super) fn windows(&mut self, now: Instant, step: &Step, windows: &Windows) -> bool {
        while !self.readings_done() {
            let mut restless = None;
            if self.load_lane.scan.close.is_none() {
                self.look_for_close(windows.min_time);
            }
            let scan = &self.load_lane.scan;
            let (Some(open), Some(close)) = (scan.open, scan.close) else { break };
            if !self.evidence.track.covers(self.evidence.meter_edges[close].at) {
                break;
            }
            let early = self.evidence.meter_edges[open].at < scan.armed;
            if scan.opening == Opening::Later || early && scan.opening == Opening::Untried {
                match self.lead_in_differs(step, windows, open, close) {
                    None if now >= self.quiet_since() + windows.give_up => {
                        // The pulses that would tell do not come: the silence is to be judged.
                        let scan = &mut self.load_lane.scan;
                        (scan.open, scan.close, scan.opening) = (Some(close), None, Opening::Agrees);
                        break;
                    }
                    None => break,
                    Some(None) => self.load_lane.scan.opening = Opening::Agrees,
                    Some(Some((gated, why))) if self.load_lane.scan.opening == Opening::Untried => {
                        self.evidence.note(why);
                        let scan = &mut self.load_lane.scan;
                        (scan.open, scan.next, scan.close, scan.opening) =
                            (Some(gated), gated + 1, None, Opening::Later);
                        continue;
                    }
                    // Not even then has the meter come to rest: the window is kept as spoiled, with its error.
                    Some(Some((_, why))) => restless = Some(why),
                }
            }
            let lead = self.load_before().map(|load| (load, self.load_lane.scan.stood));
            let attempt = match (self.evidence.attempt(&self.plan, step, open..=close, lead), restless) {
                (Attempt::Reading(reading), Some(why)) => {
                    let (from, to) = (reading.window.opened, reading.window.closed);
                    Attempt::Spoiled { from, to, why, error: Some(reading.error) }
                }
                (attempt, _) => attempt,
            };
            let spoiled = matches!(attempt, Attempt::Spoiled { .. });
            self.evidence.attempts.entry(step.no).or_default().push(attempt);
            if spoiled && self.evidence.irregular(step.no) > SPOILED_MAX {
                // Pulses that never belong together are the meter's doing, or light on the head: no number comes of
                // them, but the bench has worked and the rest of the run is worth having.
                self.load_lane.scan.gave_up = true;
                break;
            }
            if spoiled {
                self.repeat(now);
                return false;
            }
            let enough = self.enough(step);
            let scan = &mut self.load_lane.scan;
            // The next window opens with the edge that closed this one.
            (scan.open, scan.close, scan.enough) = (Some(close), None, enough);
        }
        if !self.readings_done()
            && now >= self.quiet_since() + windows.give_up
            && self.load_lane.scan.close.is_none()
        {
            self.give_up(now, step);
        }
        let still_here = matches!(self.load_lane.phase, Phase::Working { .. });
        still_here && self.readings_done() && self.register_has_moved(windows)
    }

    /// Whether the register has moved as much as the meter constant asks for at the end of this step. Where it was not
    /// read there is nothing to wait for.
    fn register_has_moved(&self, windows: &Windows) -> bool {
        let Some(start) = self.evidence.register_start(&self.plan) else { return true };
        let Some(last) = self.evidence.track.last() else { return true };
        let moved = self.evidence.track.energy(start, last.taken, self.plan.capability.method);
        // After an interruption the loads behind this one may be done, and will not move it any more.
        let interrupted = self.evidence.again.is_some();
        let wanted = if interrupted { self.plan.register_energy } else { windows.register_energy };
        moved.is_none_or(|moved| moved >= wanted)
    }

    /// Compares the first part of a window, up to the gate or for a hold time, with what came after. `None`: the pulses
    /// that tell are still to come. `Some(None)`: they agree. Else the edge at which the window has to open, and why.
    #[expect(clippy::option_option, reason = "not yet, agrees, differs: three answers of one look")]
    fn lead_in_differs(
        &self,
        step: &Step,
        windows: &Windows,
        open: usize,
        close: usize,
    ) -> Option<Option<(usize, String)>> {
        let edges = &self.evidence.meter_edges;
        let rising = |from: usize| (from..edges.len()).find(|index| edges[*index].rising);
        let scan = &self.load_lane.scan;
        let part_end = scan.armed.max(edges[open].at + self.plan.capability.settle.hold());
        let gated = (open + 1..edges.len()).find(|i| edges[*i].rising && edges[*i].at >= part_end)?;
        // Where edges were lost it is the counter that differs: the window is made as it is, and kept as spoiled by them.
        if self.evidence.broken(Input::Meter, edges[open].at, edges[gated].at) {
            return Some(None);
        }
        let last = close.max(rising(gated + 1)?);
        if !self.evidence.track.covers(edges[last].at) {
            return None;
        }
        let energy = |from: usize, to: usize| {
            Some(self.evidence.energy(&self.plan, edges[from].at, edges[to].at, Some(scan.stood))?.joules())
        };
        let constant = self.plan.nameplate.constant_imp_per_kwh;
        let counted = |from: usize, to: usize| {
            let pulses = edges[from + 1..=to].iter().filter(|e| e.rising).count() as u64;
            constant.energy(pulses).joules()
        };
        let (early, late, whole) = (energy(open, gated)?, energy(gated, last)?, energy(open, close)?);
        let difference = counted(open, gated) / early - counted(gated, last) / late;
        let shift = difference * early / whole.max(early);
        // What the pulses scatter by is seen in the later part, where the change of load is over. Each of the two parts
        // has two ends: together two scatters of an edge over the window.
        let later = edges[gated..=last].iter().filter(|edge| edge.rising);
        let later: Vec<Instant> = later.map(|edge| edge.at).collect();
        let energies = self.evidence.energies(&later, edges[gated].at, self.plan.capability.method)?;
        let fit = Even::through(&energies).and_then(|line| Fit::of(&line, constant));
        let scatter = fit.map_or(0.0, |fit| fit.scatter.joules());
        let by_chance = CLEARLY * 2.0 * scatter / whole.max(early);
        let limit = windows.limit.fraction();
        if shift.abs() <= by_chance.clamp(limit * LEAD_SHIFT, limit * LEAD_SHIFT_MAX) {
            return Some(None);
        }
        // Where pulses are missing or too many in the later part it is not the change of load that differs: the window is
        // made as it is, and will be found spoiled by them.
        if matches!(self.evidence.attempt(&self.plan, step, gated..=last, None), Attempt::Spoiled { .. }) {
            return Some(None);
        }
        let why = format!(
            "{}: just after the change of load the meter's error differs by {:+.2} % from that a moment later: it follows slowly, or its pulses are not even; the window was opened later",
            step.title,
            difference * 100.0
        );
        Some(Some((gated, why)))
    }

    fn look_for_close(&mut self, min_time: Span) {
        let scan = &mut self.load_lane.scan;
        while let Some(edge) = self.evidence.meter_edges.get(scan.next) {
            let index = scan.next;
            scan.next += 1;
            if !edge.rising || edge.at < scan.stood {
                continue;
            }
            match scan.open {
                None => scan.open = Some(index),
                Some(open) if edge.at - self.evidence.meter_edges[open].at >= min_time => {
                    scan.close = Some(index);
                    return;
                }
                Some(_) => {}
            }
        }
    }

    /// Pulses that are due do not come. Whether that is the meter's answer or a head that came off is seen by whether
    /// the input is heard again; the results look at that.
    fn give_up(&mut self, now: Instant, step: &Step) {
        let from = self.quiet_since();
        let to = self.evidence.track.last().map_or(from, |s| s.taken.min(now));
        let Some(attempt) = self.evidence.silent(&self.plan, step, from, to) else { return };
        let spoiled = matches!(attempt, Attempt::Spoiled { .. });
        self.evidence.attempts.entry(step.no).or_default().push(attempt);
        if spoiled {
            return self.repeat(now);
        }
        self.load_lane.scan.gave_up = true;
    }
}
