//! What was counted beside what was promised.

use super::promise::{self, CONFIDENCE, Judged, Shares, at_most, clopper_pearson};
use super::tally::{BIN, Outcomes, PointTally, REACH, Verdicts};
use super::{Law, Study, Tally};
use crate::regulation::Item;
use crate::time::Span;
use crate::uncertainty::COVERAGE;
use crate::verdict::{Fault, Rule, Verdict, Zones};
use serde::Serialize;

/// The form of the JSON object.
pub const SCHEMA: u32 = 1;

/// Bins of the operating characteristic on either side of each limit.
const BINS_A_SIDE: usize = 10;

/// Below so many runs no claim on the promises is made: the 99 % interval of a coverage is then wider than ±5 %. A
/// choice of this house.
pub const RUNS_TO_TELL: u64 = 100;

/// A larger share of runs in which the bench did not work is a problem of its own. A choice of this house.
const FAULTED_MAX: f64 = 0.01;

/// Decisions that were wrong, against what the rule promises of this population at the uncertainty that the program
/// states. A faulted or undecided run is no accept and no reject.
///
/// Promised is how many there are at most where the program's own risk holds: the 99 % binomial quantile about the
/// number expected. In one of a hundred honest studies more are seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Risks {
    /// Passed although the truth lies beyond the tolerance.
    pub false_accepts: u64,
    /// Expected number of them; absent where no uncertainty was stated.
    pub false_accepts_expected: Option<f64>,
    /// How many the promised risk gives at most (99 % binomial quantile).
    pub false_accepts_promised: Option<u64>,
    /// Whether no more were seen.
    pub false_accepts_within_promise: bool,
    /// Failed although the truth lies within the tolerance.
    pub false_rejects: u64,
    /// Expected number of them.
    pub false_rejects_expected: Option<f64>,
    /// How many the promised risk gives at most.
    pub false_rejects_promised: Option<u64>,
    /// Whether no more were seen.
    pub false_rejects_within_promise: bool,
}

impl Risks {
    fn new(seen: Outcomes, promised: Option<Shares>, judged: u64) -> Self {
        let expected = |share: Option<f64>| share.map(|s| s * judged as f64);
        let most = |share: Option<f64>| share.and_then(|s| at_most(s, judged));
        let (accepts, rejects) = (promised.map(|p| p.false_accepts), promised.map(|p| p.false_rejects));
        let within = |seen: u64, most: Option<u64>| most.is_some_and(|most| seen <= most);
        Self {
            false_accepts: seen.false_accepts,
            false_accepts_expected: expected(accepts),
            false_accepts_promised: most(accepts),
            false_accepts_within_promise: within(seen.false_accepts, most(accepts)),
            false_rejects: seen.false_rejects,
            false_rejects_expected: expected(rejects),
            false_rejects_promised: most(rejects),
            false_rejects_within_promise: within(seen.false_rejects, most(rejects)),
        }
    }
}

/// How often intervals hold the truth. The ends are absent where nothing was stated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Share of the stated intervals, value ± U, that hold the true error.
    pub coverage: Option<f64>,
    /// Lower end of its 99 % interval (Clopper and Pearson).
    pub coverage_low: Option<f64>,
    /// Upper end.
    pub coverage_high: Option<f64>,
    /// What the program promises.
    pub coverage_promised: f64,
    /// Whether the interval contains the promise.
    pub coverage_as_promised: bool,
}

impl Coverage {
    /// Of `held` among `stated` intervals, as sure as `effective` independent ones make it.
    fn new(held: u64, stated: u64, effective: f64) -> Self {
        let share = (stated > 0).then(|| held as f64 / stated as f64);
        let ends = share.and_then(|share| clopper_pearson(share * effective, effective));
        Self {
            coverage: share,
            coverage_low: ends.map(|e| e.0),
            coverage_high: ends.map(|e| e.1),
            coverage_promised: COVERAGE,
            coverage_as_promised: ends.is_some_and(|(low, high)| (low..=high).contains(&COVERAGE)),
        }
    }
}

/// One load point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Starting current or basic error.
    pub item: Item,
    /// As the regulation names it.
    pub point: String,
    /// Its current.
    pub current_a: f64,
    /// The limit, in percent.
    pub limit_percent: f64,
    /// The limit with what the regulation's rounding adds to it.
    pub edge_percent: f64,
    /// Completed runs that stated an interval here.
    pub runs: u64,
    /// Intervals.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// Median of the stated standard uncertainties; the promises are made from it.
    pub u_median_percent: Option<f64>,
    /// Median of the stated expanded uncertainties.
    pub expanded_u_median_percent: Option<f64>,
    /// Where the rule accepts and rejects at that uncertainty, in percent.
    pub zones: Option<Zones>,
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Neither.
    pub undecided: u64,
    /// Against the limit.
    #[serde(flatten)]
    pub risks: Risks,
    /// Against `edge_percent`: what the regulation's rounding concedes is no false accept here.
    pub beyond_rounding: Risks,
}

/// Load points whose true error, in limits, lies in one bin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// From this true error, in limits.
    pub from: f64,
    /// Up to this.
    pub to: f64,
    /// Judged.
    pub judged: u64,
    /// Passed.
    pub passed: u64,
    /// Lower end of the 99 % interval of their share (Clopper and Pearson).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The computed operating characteristic in the middle of the bin, the mean of the points.
    pub computed: Option<f64>,
}

/// The whole outcome of a study, with no clock in it: the same study gives the same report.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own in the JSON")]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The form's version.
    pub schema: u32,
    /// Always: nothing here says anything of a real meter.
    pub simulated: bool,
    /// The seed.
    pub seed: u64,
    /// Where the nameplate comes from.
    pub meter: String,
    /// The regulation profile.
    pub regulation: String,
    /// The kind of verification.
    pub kind: String,
    /// The population.
    pub population: Population,
    /// The decision rule in words.
    pub decision_rule: String,
    /// Confidence of all intervals and bounds here.
    pub confidence: f64,
    /// Runs asked for.
    pub runs_asked: u64,
    /// Runs made; fewer than asked where the study was interrupted.
    pub runs: u64,
    /// Whether it was.
    pub interrupted: bool,
    /// Runs that came to their end and were judged.
    pub completed: u64,
    /// Runs in which the bench did not work.
    pub faulted: u64,
    /// Intervals of all points together.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// How many intervals were stated.
    pub intervals: u64,
    /// How many independent ones they are worth: those of one run share a reference.
    pub intervals_effective: f64,
    /// Meters passed.
    pub passed: u64,
    /// Meters failed.
    pub failed: u64,
    /// Neither.
    pub undecided: u64,
    /// Meters, against the limits: a false accept passes although its truth lies beyond the limit at one point at
    /// least, a false reject fails although it lies within at every point.
    #[serde(flatten)]
    pub risks: Risks,
    /// Meters, against the limits with what the regulation's rounding adds.
    pub beyond_rounding: Risks,
    /// By rising current.
    pub points: Vec<Point>,
    /// From the first action to the confirmed discharge, in the simulated time of completed runs: the least.
    pub duration_min_secs: Option<f64>,
    /// The median.
    pub duration_median_secs: Option<f64>,
    /// 95 % take no longer.
    pub duration_p95_secs: Option<f64>,
    /// The longest.
    pub duration_max_secs: Option<f64>,
    /// The planned time.
    pub plan_secs: f64,
    /// What regulation and pulse rate alone demand with a perfect bench.
    pub lower_bound_secs: f64,
    /// Their ratio; absent where the lower bound is zero.
    pub plan_over_lower_bound: Option<f64>,
    /// Probability of pass over the true error, in limits, near −1 and +1; all points together.
    pub operating_characteristic: Vec<Bin>,
    /// What is not as promised, in words: coverage whose interval does not contain the promise, false accepts
    /// (against the limit) beyond what chance gives, more than 1 % of runs faulted.
    pub problems: Vec<String>,
    /// Fewer runs than [`RUNS_TO_TELL`]: that there is no problem says little.
    pub too_few_runs: bool,
    /// Whether there is no problem, and runs enough to say so.
    pub as_promised: bool,
}

/// The population with its law in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Population {
    /// In words.
    pub words: String,
    /// See [`Law`].
    pub common_sd_over_limit: f64,
    /// See [`Law`].
    pub own_sd_over_limit: f64,
}

impl Report {
    /// Of a study that was to make `runs_asked` runs on the meter of `meter`. A fault says that the program stated an
    /// uncertainty or limit from which no risk follows.
    pub fn of(study: &Study, meter: &str, runs_asked: u64, tally: &Tally) -> Result<Self, Fault> {
        let (plan, law) = (study.plan(), study.law());
        let points =
            tally.points.iter().map(|point| Point::of(study, point)).collect::<Result<Vec<_>, _>>()?;
        let risks = |edge: bool, seen: Outcomes| -> Result<Risks, Fault> {
            let judged: Option<Vec<_>> =
                points.iter().map(|p| Some((p.judged()?, p.tolerance(edge)))).collect();
            let promised = judged.map(|points| promise::on_meter(law, &points)).transpose()?;
            Ok(Risks::new(seen, promised, tally.completed))
        };
        let (by_limit, by_edge) =
            (risks(false, tally.overall.by_limit)?, risks(true, tally.overall.by_edge)?);
        let (held, stated) = (tally.points.iter().map(|p| p.held).sum(), points.iter().map(|p| p.runs).sum());
        let effective = promise::effective(&tally.held_of);
        let mut elapsed: Vec<_> = tally.elapsed.iter().map(|span| span.secs()).collect();
        elapsed.sort_by(f64::total_cmp);
        let runs = tally.completed + tally.faulted;
        let Verdicts { passed, failed, undecided, .. } = tally.overall;
        let mut report = Self {
            schema: SCHEMA,
            simulated: true,
            seed: study.seed(),
            meter: meter.to_owned(),
            regulation: plan.profile.id.clone(),
            kind: plan.kind.to_string(),
            population: Population::of(law),
            decision_rule: Rule::of(&plan.profile).words(),
            confidence: CONFIDENCE,
            runs_asked,
            runs,
            interrupted: runs < runs_asked,
            completed: tally.completed,
            faulted: tally.faulted,
            coverage: Coverage::new(held, stated, effective),
            intervals: stated,
            intervals_effective: effective,
            passed,
            failed,
            undecided,
            risks: by_limit,
            beyond_rounding: by_edge,
            operating_characteristic: characteristic(&points, &tally.bins)?,
            points,
            duration_min_secs: elapsed.first().copied(),
            duration_median_secs: quantile(&elapsed, 0.5),
            duration_p95_secs: quantile(&elapsed, 0.95),
            duration_max_secs: elapsed.last().copied(),
            plan_secs: plan.total.secs(),
            lower_bound_secs: plan.lower_bound.secs(),
            plan_over_lower_bound: (plan.lower_bound > Span::ZERO)
                .then(|| plan.total.secs() / plan.lower_bound.secs()),
            problems: vec![],
            too_few_runs: runs < RUNS_TO_TELL,
            as_promised: false,
        };
        report.problems = report.problems();
        report.as_promised = report.problems.is_empty() && !report.too_few_runs;
        Ok(report)
    }

    fn problems(&self) -> Vec<String> {
        let of_points =
            self.points.iter().map(|p| (format!("{} {}", p.item, p.point), &p.coverage, &p.risks));
        let of_all = std::iter::once(("all points together".to_owned(), &self.coverage, &self.risks));
        let mut problems = vec![];
        if self.faulted as f64 > self.runs as f64 * FAULTED_MAX {
            problems.push(format!(
                "{} of {} runs faulted; more than {} % of them says that the bench does not work",
                self.faulted,
                self.runs,
                FAULTED_MAX * 100.0
            ));
        }
        for (place, coverage, risks) in of_points.chain(of_all) {
            match (coverage.coverage_low, coverage.coverage_high) {
                (Some(low), Some(high)) if !coverage.coverage_as_promised => problems.push(format!(
                    "{place}: coverage {:.2} % to {:.2} % does not contain the promised {:.2} %",
                    low * 100.0,
                    high * 100.0,
                    COVERAGE * 100.0
                )),
                (Some(_), Some(_)) => {}
                _ => problems.push(format!("{place}: no interval was stated in any run")),
            }
            if let (Some(expected), Some(high)) = (risks.false_accepts_expected, risks.false_accepts_promised)
                && !risks.false_accepts_within_promise
            {
                problems.push(format!(
                    "{place}: {} false accepts, promised are {high} at most, {expected:.1} were to be expected",
                    risks.false_accepts
                ));
            }
        }
        problems
    }
}

impl Population {
    fn of(law: Law) -> Self {
        let Law { common_sd, own_sd } = law;
        Self { words: law.words(), common_sd_over_limit: common_sd, own_sd_over_limit: own_sd }
    }
}

impl Point {
    fn of(study: &Study, tally: &PointTally) -> Result<Self, Fault> {
        let place = &tally.place;
        let (mut us, mut expanded): (Vec<_>, Vec<_>) = tally.stated.iter().copied().unzip();
        us.sort_by(f64::total_cmp);
        expanded.sort_by(f64::total_cmp);
        let (u, expanded) = (quantile(&us, 0.5), quantile(&expanded, 0.5));
        let plan = study.plan();
        let zones = expanded.map(|expanded| {
            Rule::of(&plan.profile).zones(expanded, place.limit_percent, plan.rounding_interval())
        });
        let zones = zones.transpose()?;
        let runs = us.len() as u64;
        let judged = u.zip(zones).map(|(u_percent, zones)| Judged {
            limit_percent: place.limit_percent,
            u_percent,
            zones,
        });
        let risks = |seen: Outcomes, tolerance: f64| -> Result<Risks, Fault> {
            let promised = judged.map(|j| promise::at_point(study.law(), &j, tolerance)).transpose()?;
            Ok(Risks::new(seen, promised, runs))
        };
        let Verdicts { passed, failed, undecided, by_limit, by_edge } = tally.verdicts;
        Ok(Self {
            item: place.item,
            point: place.term.clone(),
            current_a: place.current.amperes(),
            limit_percent: place.limit_percent,
            edge_percent: tally.edge_percent,
            runs,
            coverage: Coverage::new(tally.held, runs, runs as f64),
            u_median_percent: u,
            expanded_u_median_percent: expanded,
            zones,
            passed,
            failed,
            undecided,
            risks: risks(by_limit, place.limit_percent)?,
            beyond_rounding: risks(by_edge, tally.edge_percent)?,
        })
    }

    fn judged(&self) -> Option<Judged> {
        Some(Judged {
            limit_percent: self.limit_percent,
            u_percent: self.u_median_percent?,
            zones: self.zones?,
        })
    }

    fn tolerance(&self, edge: bool) -> f64 {
        if edge { self.edge_percent } else { self.limit_percent }
    }

    /// The computed probability of pass for a true error in limits; absent where no uncertainty was stated.
    pub fn pass_probability(&self, limits: f64) -> Result<Option<f64>, Fault> {
        let Some(Judged { limit_percent, u_percent, zones }) = self.judged() else { return Ok(None) };
        zones.operating_characteristic(Verdict::Pass, limits * limit_percent, u_percent).map(Some)
    }
}

/// The mean of the points' operating characteristics: the law draws as many meters into a bin at one point as at
/// another, for it counts in limits.
pub(super) fn mean_characteristic(points: &[Point], limits: f64) -> Result<Option<f64>, Fault> {
    let computed: Option<Vec<f64>> =
        points.iter().map(|p| p.pass_probability(limits)).collect::<Result<_, _>>()?;
    Ok(computed.filter(|c| !c.is_empty()).map(|c| c.iter().sum::<f64>() / c.len() as f64))
}

/// The counts near either limit, as far as anything but certainty is to be seen there, in bins of equal width.
fn characteristic(points: &[Point], bins: &[(u64, u64)]) -> Result<Vec<Bin>, Fault> {
    // Five u beyond the farthest edge of the zones the verdict is certain to one in a million.
    let far = points.iter().filter_map(|p| {
        let Judged { limit_percent, u_percent, zones } = p.judged()?;
        let edges =
            [zones.accept, zones.tolerate].into_iter().flatten().map(|b| (b.upper() - limit_percent).abs());
        Some((edges.fold(0.0, f64::max) + 5.0 * u_percent) / limit_percent)
    });
    let merged = (far.fold(0.0, f64::max) / BIN / BINS_A_SIDE as f64).ceil().clamp(1.0, 5.0) as usize;
    let (half, middle) = (merged * BINS_A_SIDE, bins.len() / 2);
    let one = (1.0 / BIN).round() as usize;
    let mut found = vec![];
    for limit in [middle - one, middle + one] {
        let near = bins.get(limit - half..limit + half).unwrap_or_default();
        for (no, chunk) in near.chunks(merged).enumerate() {
            let (judged, passed) = chunk.iter().fold((0, 0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1));
            let from = (limit - half + no * merged) as f64 * BIN - REACH;
            let width = merged as f64 * BIN;
            let Some((low, high)) = clopper_pearson(passed as f64, judged as f64) else { continue };
            let computed = mean_characteristic(points, from + width / 2.0)?;
            found.push(Bin { from: tidy(from), to: tidy(from + width), judged, passed, low, high, computed });
        }
    }
    Ok(found)
}

/// A bin's end without the residue of binary arithmetic.
fn tidy(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

/// The least of sorted values that at least this share does not exceed.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&values, 0.5), Some(2.0));
        assert_eq!((quantile(&values, 0.95), quantile(&values, 0.0)), (Some(4.0), Some(1.0)));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn coverage_that_its_interval_excludes_is_not_as_promised() {
        let good = Coverage::new(955, 1000, 1000.0);
        assert!(good.coverage_as_promised, "{good:?}");
        for held in [900, 999] {
            let off = Coverage::new(held, 1000, 1000.0);
            assert!(!off.coverage_as_promised, "{off:?}");
        }
        assert!(!Coverage::new(0, 0, 0.0).coverage_as_promised, "nothing stated keeps no promise");
    }

    #[test]
    fn more_false_accepts_than_chance_gives_break_the_promise() {
        let promised = Some(Shares { false_accepts: 0.01, false_rejects: 0.01 });
        let risks = |seen| Risks::new(Outcomes { false_accepts: seen, false_rejects: 0 }, promised, 1000);
        assert_eq!(risks(10).false_accepts_expected, Some(10.0));
        let high = risks(10).false_accepts_promised.unwrap();
        assert!((17..=19).contains(&high), "{high}");
        assert!(risks(high).false_accepts_within_promise && !risks(high + 1).false_accepts_within_promise);
        assert!(!Risks::new(Outcomes::default(), None, 10).false_accepts_within_promise);
    }
}
