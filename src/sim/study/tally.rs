//! What a study counts, run by run. Whole numbers and unsorted lists only: the order of the runs changes nothing.

use super::{Place, Study};
use crate::certificate::record::{ItemResult, Outcome, Unit};
use crate::run::Run;
use crate::sim::Truth;
use crate::time::Span;
use crate::verdict::{Rule, Verdict};
use std::collections::BTreeMap;

/// True errors are sorted into bins of this width, in limits, for the operating characteristic.
pub const BIN: f64 = 0.01;
/// Farther from zero than this, in limits, nothing is sorted any more.
pub const REACH: f64 = 1.5;

/// The two wrong ones among the outcomes of a decision (JCGM 106 clause 9).
///
/// What conforms is said by a tolerance: the limit itself, or the limit with what the regulation's rounding adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Passed although the truth lies beyond.
    pub false_accepts: u64,
    /// Failed although the truth lies within.
    pub false_rejects: u64,
}

impl Outcomes {
    fn add(&mut self, verdict: Verdict, conforms: bool) {
        self.false_accepts += u64::from(verdict == Verdict::Pass && !conforms);
        self.false_rejects += u64::from(verdict == Verdict::Fail && conforms);
    }

    fn merge(&mut self, other: Self) {
        self.false_accepts += other.false_accepts;
        self.false_rejects += other.false_rejects;
    }
}

/// Verdicts of one kind: on a load point, or on the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Neither.
    pub undecided: u64,
    /// Against the limit.
    pub by_limit: Outcomes,
    /// Against the outermost value that the rule accepts when nothing is uncertain.
    pub by_edge: Outcomes,
}

impl Verdicts {
    fn add(&mut self, verdict: Verdict, within_limit: bool, within_edge: bool) {
        match verdict {
            Verdict::Pass => self.passed += 1,
            Verdict::Fail => self.failed += 1,
            Verdict::Undecided => self.undecided += 1,
        }
        self.by_limit.add(verdict, within_limit);
        self.by_edge.add(verdict, within_edge);
    }

    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.undecided += other.undecided;
        self.by_limit.merge(other.by_limit);
        self.by_edge.merge(other.by_edge);
    }
}

/// What was counted at a load point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointTally {
    /// The point.
    pub place: Place,
    /// The outermost value, in percent, that the rule accepts when nothing is uncertain: the limit, and by the
    /// regulation's own rule what is rounded to it.
    pub edge_percent: f64,
    /// Intervals that hold the truth.
    pub held: u64,
    /// Standard and expanded uncertainty of each interval stated, in percent; unsorted.
    pub stated: Vec<(f64, f64)>,
    /// Verdicts of completed runs.
    pub verdicts: Verdicts,
}

/// What was counted in a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Runs that came to their end; only they are judged.
    pub completed: u64,
    /// Runs in which the bench did not work.
    pub faulted: u64,
    /// By rising current.
    pub points: Vec<PointTally>,
    /// On the meter. It conforms where it does so at every load point.
    pub overall: Verdicts,
    /// How many runs had so many intervals that hold, of so many stated.
    pub held_of: BTreeMap<(usize, usize), u64>,
    /// From the first action to the confirmed discharge, of completed runs; unsorted.
    pub elapsed: Vec<Span>,
    /// Load points by their true error in bins of [`BIN`] limits from −[`REACH`]: judged, and passed.
    pub bins: Vec<(u64, u64)>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(study: &Study) -> Self {
        let plan = study.plan();
        let (rule, interval) = (Rule::of(&plan.profile), plan.rounding_interval());
        let points = study.places().iter().map(|place| {
            let zones = rule.zones(0.0, place.limit_percent, interval).ok();
            let edge = zones.and_then(|z| z.accept).map_or(place.limit_percent, |accept| accept.upper());
            PointTally {
                place: place.clone(),
                edge_percent: edge,
                held: 0,
                stated: vec![],
                verdicts: Verdicts::default(),
            }
        });
        Self {
            completed: 0,
            faulted: 0,
            points: points.collect(),
            overall: Verdicts::default(),
            held_of: BTreeMap::new(),
            elapsed: vec![],
            bins: vec![(0, 0); (2.0 * REACH / BIN).round() as usize],
        }
    }

    /// Counts an ended run of a meter of this truth. A run that was not completed has no verdict and states nothing.
    pub fn add(&mut self, truth: &Truth, run: &Run) {
        if run.outcome() != Some(&Outcome::Completed) {
            self.faulted += 1;
            return;
        }
        self.completed += 1;
        let results = run.results();
        self.elapsed.push(results.elapsed);
        let (mut held, mut stated) = (0, 0);
        let (mut all_within_limit, mut all_within_edge) = (true, true);
        for point in &mut self.points {
            let place = &point.place;
            let error = truth.error_at(place.current).percent();
            let within = (error.abs() <= place.limit_percent, error.abs() <= point.edge_percent);
            all_within_limit &= within.0;
            all_within_edge &= within.1;
            let is_here = |item: &&ItemResult| {
                item.item == place.item && item.point.as_ref().is_some_and(|p| p.current_a == place.current)
            };
            let result = results.items.iter().find(is_here);
            let verdict = result.map_or(Verdict::Undecided, |item| item.verdict);
            point.verdicts.add(verdict, within.0, within.1);
            // A bound of a silent meter is no interval.
            let measured = result.filter(|item| item.bound().is_none()).and_then(|i| i.measured.as_ref());
            if let Some(measured) = measured.filter(|m| m.unit == Unit::Percent) {
                let estimate = &measured.estimate;
                let holds = (estimate.value - error).abs() <= estimate.expanded;
                point.stated.push((estimate.u, estimate.expanded));
                point.held += u64::from(holds);
                stated += 1;
                held += usize::from(holds);
                let bin = ((error / place.limit_percent + REACH) / BIN).floor();
                if bin >= 0.0
                    && let Some((judged, passed)) = self.bins.get_mut(bin as usize)
                {
                    *judged += 1;
                    *passed += u64::from(verdict == Verdict::Pass);
                }
            }
        }
        *self.held_of.entry((held, stated)).or_default() += 1;
        let verdict = results.verdict.unwrap_or(Verdict::Undecided);
        self.overall.add(verdict, all_within_limit, all_within_edge);
    }

    /// Adds what another thread of the same study has counted.
    pub fn merge(&mut self, other: Self) {
        self.completed += other.completed;
        self.faulted += other.faulted;
        for (point, more) in self.points.iter_mut().zip(other.points) {
            point.held += more.held;
            point.stated.extend(more.stated);
            point.verdicts.merge(more.verdicts);
        }
        self.overall.merge(other.overall);
        for (key, runs) in other.held_of {
            *self.held_of.entry(key).or_default() += runs;
        }
        self.elapsed.extend(other.elapsed);
        for (bin, (judged, passed)) in self.bins.iter_mut().zip(other.bins) {
            bin.0 += judged;
            bin.1 += passed;
        }
    }
}
