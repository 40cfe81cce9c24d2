//! What a screen may see of a run: plain values, made anew at each look.

use super::{Phase, Run};
use crate::plan::Load;
use crate::reference::Sample;
use crate::time::{Instant, Span};

/// The state of a run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Number and title of the present step.
    pub step: Option<(usize, String)>,
    /// What is being done there, in a word.
    pub doing: &'static str,
    /// Good readings at this step.
    pub readings: usize,
    /// Since the begin.
    pub elapsed: Span,
    /// Planned until the end.
    pub remaining: Span,
    /// Planned in all.
    pub total: Span,
    /// What the source was last told; nothing when off.
    pub load: Load,
    /// The latest sample.
    pub sample: Option<Sample>,
    /// Pulses that have come.
    pub pulses: usize,
    /// The load is off and the meter signs its record: so much patience is left.
    pub signing_left: Option<Span>,
    /// The run is over, or only the meter's signature is waited for; no current flows, and the reference has seen a voltage below 60 V: the leads may be taken off.
    pub safe_to_disconnect: bool,
}

impl Run {
    /// The state now.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let lane = &self.load_lane;
        let step = self.step();
        let total = self.plan.total;
        let remaining = match (&lane.phase, step) {
            (Phase::Over(_) | Phase::Signing { .. }, _) | (_, None) => Span::ZERO,
            (_, Some(step)) => {
                let inside = (step.duration - (now - lane.step_began)).max(Span::ZERO);
                total - step.end() + inside
            }
        };
        Snapshot {
            step: step.map(|s| (s.no, s.title.clone())),
            doing: match lane.phase {
                Phase::Setting => "setting",
                Phase::Settling => "settling",
                Phase::Working { .. } => "measuring",
                Phase::Ending { .. } => "switching off",
                Phase::Signing { .. } => "waiting for the meter's signature",
                Phase::Over(_) => "over",
            },
            readings: step.map_or(0, |s| self.evidence.readings(s.no)),
            elapsed: self.ended.unwrap_or(now) - self.began,
            remaining: remaining.max(Span::ZERO),
            total,
            load: lane.load,
            sample: self.evidence.track.last().copied(),
            pulses: self.evidence.meter_edges.len() / 2,
            signing_left: self.signing_left(now),
            safe_to_disconnect: (self.is_over() || matches!(lane.phase, Phase::Signing { .. }))
                && self.evidence.switched_off.is_some_and(|off| off.is_safe()),
        }
    }
}
