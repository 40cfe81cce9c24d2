//! The windows of a load point: from edge to edge, back to back, until the regulation has its readings.

use super::Run;
use super::load_lane::SPOILED_MAX;
use crate::certificate::record::Attempt;
use crate::plan::{Step, Windows};
use crate::time::{Instant, Span};

/// Progress through the windows of a step.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Scan {
    /// When the gate opened; edges before do not count.
    armed: Instant,
    /// Next edge to look at.
    next: usize,
    /// The rising edge that opened the present window.
    open: Option<usize>,
    /// The rising edge that will close it, waiting for the reference to cover it.
    close: Option<usize>,
    /// Waiting for pulses has ended.
    gave_up: bool,
}

impl Scan {
    pub fn from(next: usize, armed: Instant) -> Self {
        Self { armed, next, ..Self::default() }
    }
}

impl Run {
    /// Since when no pulse has come at this step.
    fn quiet_since(&self) -> Instant {
        let last = self.evidence.meter_edges[..self.load_lane.scan.next].iter().rev().find(|e| e.rising);
        last.map_or(self.load_lane.scan.armed, |e| e.at.max(self.load_lane.scan.armed))
    }

    fn readings_done(&self, step: &Step, windows: &Windows) -> bool {
        self.load_lane.scan.gave_up || self.evidence.readings(step.no) >= windows.readings as usize
    }

    pub(super) fn windows_deadline(&self, windows: &Windows, since: Instant) -> Option<Instant> {
        let step = self.step()?;
        if self.readings_done(step, windows) {
            Some(since + windows.min_dwell)
        } else {
            Some(self.quiet_since() + windows.give_up)
        }
    }

    /// Works through the edges that have come; true when the step has all it needs.
    pub(super) fn windows(&mut self, now: Instant, step: &Step, windows: &Windows, since: Instant) -> bool {
        while !self.readings_done(step, windows) {
            if self.load_lane.scan.close.is_none() {
                self.look_for_close(windows.min_time);
            }
            let scan = &self.load_lane.scan;
            let (Some(open), Some(close)) = (scan.open, scan.close) else { break };
            if !self.evidence.track.covers(self.evidence.meter_edges[close].at) {
                break;
            }
            let attempt = self.evidence.attempt(&self.plan, step, open, close);
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
            // The next window opens with the edge that closed this one.
            self.load_lane.scan.open = Some(close);
            self.load_lane.scan.close = None;
        }
        if !self.readings_done(step, windows)
            && now >= self.quiet_since() + windows.give_up
            && self.load_lane.scan.close.is_none()
        {
            self.give_up(now, step);
        }
        let still_here = matches!(self.load_lane.phase, super::load_lane::Phase::Working { .. });
        still_here && self.readings_done(step, windows) && now >= since + windows.min_dwell
    }

    fn look_for_close(&mut self, min_time: Span) {
        let scan = &mut self.load_lane.scan;
        while let Some(edge) = self.evidence.meter_edges.get(scan.next) {
            let index = scan.next;
            scan.next += 1;
            if !edge.rising || edge.at < scan.armed {
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
