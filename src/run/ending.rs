//! The one way out of a run: off, then no current and a safe voltage seen by the reference, or the hardware watchdog.

use super::load_lane::Phase;
use super::{Action, Run};
use crate::certificate::record::Outcome;
use crate::plan::Load;
use crate::quantity::{Current, Voltage};
use crate::reference::Sample;
use crate::source::SwitchedOff;
use crate::time::{Instant, Span};

/// How long the terminals may take to fall below the safe voltage before that is reported.
const DISCHARGE_TIME: Span = Span::from_secs(10);
/// How long off may stay unconfirmed before the heartbeat is stopped, so that a hardware watchdog opens the contactor;
/// a choice of this house, and no harm where the source was only slow: the run is over.
const CUT_TIME: Span = Span::from_secs(3);
/// Terminals below this may be touched (60 V DC; the discharge is confirmed by the reference).
const SAFE: f64 = 60.0;
/// What an instrument may still show at no current, as a share of the bench's largest; a choice of this house.
const CURRENT_GONE: f64 = 1e-3;
/// The same in half-widths of the settle band at small currents.
const CURRENT_FLOORS: f64 = 10.0;

impl Run {
    /// Ends the run: the source goes off before anything else.
    pub(super) fn end(&mut self, now: Instant, outcome: Outcome) {
        if self.load_lane.phase.is_leaving() {
            // All was measured and the load is going off: who ends the waiting for a signature ends no run.
            if let Outcome::Aborted { why } = &outcome {
                self.stop_waiting(why);
            }
            return;
        }
        let unsent = self.actions.iter().any(|action| matches!(action, Action::Transact { .. }));
        self.actions.clear();
        self.actions.push_back(Action::SourceOff);
        self.leave_transaction(now, &outcome, unsent);
        let safe = Voltage::from_volts(SAFE);
        let seen = self.evidence.track.last().map_or(Voltage::ZERO, |sample| sample.voltage.abs());
        let unwitnessed = self.load_lane.load.voltage_v >= safe && seen < safe;
        self.load_lane.load = Load::OFF;
        self.evidence.switched_off = Some(SwitchedOff { unwitnessed, ..SwitchedOff::begin(now) });
        self.enter(now, Phase::Ending { outcome, since: now, off: false });
    }

    /// When the way out wants to be woken.
    pub(super) fn ending_deadline(&self, since: Instant) -> Instant {
        let cut = self.evidence.switched_off.is_some_and(|off| off.cut.is_some());
        since + if cut { DISCHARGE_TIME } else { CUT_TIME }
    }

    fn is_current_gone(&self, sample: &Sample) -> bool {
        let bench = &self.plan.capability;
        let floor: Current = bench.settle.current_floor_a * CURRENT_FLOORS;
        sample.current.abs() <= floor.max(bench.current_max_a * CURRENT_GONE)
    }

    /// Takes in what the reference and the source have said since off was decided.
    fn see_off(&mut self, now: Instant, since: Instant, off: bool) -> SwitchedOff {
        let safe = Voltage::from_volts(SAFE);
        let mut seen = self.evidence.switched_off.unwrap_or(SwitchedOff::begin(since));
        if off {
            seen.said = seen.said.or(Some(now - since));
        }
        if let Some(sample) = self.evidence.track.last().filter(|s| s.taken >= since).copied() {
            let passed = sample.taken - since;
            // What comes back was not gone.
            let still = |held: bool, before: Option<Span>| held.then(|| before.unwrap_or(passed));
            seen.current_gone = still(self.is_current_gone(&sample), seen.current_gone);
            seen.voltage_safe = still(sample.voltage.abs() < safe, seen.voltage_safe);
        }
        self.evidence.switched_off = Some(seen);
        seen
    }

    pub(super) fn discharge(&mut self, now: Instant, outcome: Outcome, since: Instant, off: bool) -> bool {
        let mut seen = self.see_off(now, since, off);
        if off && seen.is_safe() {
            self.off_is_seen(now, outcome);
            return true;
        }
        if now - since >= CUT_TIME && seen.cut.is_none() {
            seen.cut = Some(now - since);
            self.evidence.switched_off = Some(seen);
            self.actions.push_back(Action::StopHeartbeat);
        }
        if now - since < DISCHARGE_TIME {
            return false;
        }
        let words = if off { "the source said off, but" } else { "the source did not say off, and" };
        if seen.is_safe() {
            let volts = self.evidence.track.last().map_or(String::new(), |s| s.voltage.to_string());
            self.evidence
                .findings
                .push(format!("the source did not say that it is off; the reference measured {volts}"));
            self.off_is_seen(now, outcome);
            return true;
        }
        let danger = if seen.zero().is_some() {
            format!("{words} the reference saw no voltage before either: that it sees none now is no proof")
        } else if seen.voltage_safe.is_some() {
            let amperes = self.evidence.track.last().map_or(String::new(), |s| s.current.to_string());
            format!("{words} a current of {amperes} still flows after {DISCHARGE_TIME}")
        } else {
            format!("{words} a voltage below {SAFE} V was not seen within {DISCHARGE_TIME}")
        };
        self.evidence.note(format!(
            "DANGER: {danger}. Do not touch the terminals; switch the tester off at its mains switch"
        ));
        let outcome = match outcome {
            Outcome::Completed => Outcome::Faulted { why: "the discharge was not confirmed".into() },
            other => other,
        };
        self.finish(now, outcome);
        true
    }

    /// The load is gone. A transaction that is being ended or signed is waited for; the leads may be taken off by now.
    fn off_is_seen(&mut self, now: Instant, outcome: Outcome) {
        if self.is_signing() {
            self.off_seen = Some(now);
            self.enter(now, Phase::Signing { outcome });
        } else {
            self.finish(now, outcome);
        }
    }

    pub(super) fn finish(&mut self, now: Instant, outcome: Outcome) {
        self.load_lane.phase = Phase::Over(outcome);
        self.ended = Some(now);
    }
}
