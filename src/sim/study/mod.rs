//! The whole program against meters of known error drawn around the limits: what its intervals and verdicts are worth.
//!
//! | part | what it is |
//! |---|---|
//! | here | the population, one run after another on every core |
//! | [`tally`] | what is counted, in sums that do not depend on the order of the runs |
//! | [`promise`] | what the program promises: the risks of its rule over this population, and how far chance may stray |
//! | [`report`](mod@report) | the counts beside the promises, as printed and as JSON |
//! | [`picture`](mod@picture) | the same as SVG |

pub mod picture;
pub mod promise;
pub mod report;
pub mod tally;

pub use picture::picture;
pub use report::Report;
pub use tally::Tally;

use super::truth::gauss;
use super::{Rig, Truth};
use crate::bench::conduct;
use crate::plan::{Plan, Work};
use crate::quantity::Current;
use crate::regulation::Item;
use crate::run::Run;
use crate::time::{Instant, Stamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// More runs than this are no study of a few hours any more, and their counts would fill the memory of a small machine.
pub const RUNS_MAX: u64 = 1_000_000;

/// The law by which the meters of a study are drawn, in shares of the limit at each load point.
///
/// True error over limit = `common_sd` · z + `own_sd` · zₚ, all z standard normal: z the same at every point of a meter
/// (a wrong adjustment moves the whole curve), zₚ each point's own. Between the points the curve is a straight line
/// over the logarithm of the current.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Law {
    /// Standard deviation of the part that all points of a meter share, in limits; 0 or above.
    pub common_sd: f64,
    /// Standard deviation of each point's own part, in limits; above 0.
    pub own_sd: f64,
}

impl Law {
    /// The population of a study: a choice of this house, no survey of meters stands behind it. It is worse than any
    /// that a maker would deliver, so that many meters lie near their limits, where a verdict is hard: 15 % of the
    /// points lie beyond the limit.
    pub const HOUSE: Self = Self { common_sd: 0.6, own_sd: 0.35 };

    /// Standard deviation of the true error at a point, in limits.
    pub fn sd(&self) -> f64 {
        self.common_sd.hypot(self.own_sd)
    }

    /// In words, for people.
    pub fn words(&self) -> String {
        format!(
            "true error at each load point normal about 0 with standard deviation {:.3} of the limit: {} common to all points of a meter, {} each point's own",
            self.sd(),
            self.common_sd,
            self.own_sd
        )
    }

    /// One meter: its error in limits at so many points.
    fn draw(&self, points: usize, rng: &mut impl Rng) -> Vec<f64> {
        let common = self.common_sd * gauss(rng);
        (0..points).map(|_| common + self.own_sd * gauss(rng)).collect()
    }
}

/// A load point of the plan at which an error is measured and judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Starting current or basic error.
    pub item: Item,
    /// As the regulation names it.
    pub term: String,
    /// Its current.
    pub current: Current,
    /// The limit there, in percent, to both sides.
    pub limit_percent: f64,
}

/// A study before it is made.
pub struct Study {
    rig: Rig,
    plan: Arc<Plan>,
    law: Law,
    seed: u64,
    places: Vec<Place>,
}

impl Study {
    /// A study of the bench and meter of `rig` by `plan`. The meter's error curve is drawn anew by `law` for each run; its
    /// nameplate and the jitter of its pulses stay, and in all else it is a good one, so that only its errors decide.
    ///
    /// What the bench's standards really are comes from `rig`, what the program believes of them from `plan`: where
    /// the two differ, the study finds it out.
    pub fn new(rig: Rig, plan: Plan, law: Law, seed: u64) -> Self {
        let places = plan.steps.iter().filter_map(|step| match &step.work {
            Work::Start(windows) | Work::BasicError(windows) => Some(Place {
                item: step.item,
                term: windows.term.clone(),
                current: step.load.current_a,
                limit_percent: windows.limit.percent(),
            }),
            _ => None,
        });
        let mut places: Vec<_> = places.collect();
        places.sort_by(|a, b| a.current.amperes().total_cmp(&b.current.amperes()));
        Self { rig, plan: Arc::new(plan), law, seed, places }
    }

    /// The plan of every run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The law of the population.
    pub fn law(&self) -> Law {
        self.law
    }

    /// The seed from which everything follows.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The load points, by rising current.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Makes `runs` runs on so many threads and counts. `go_on` is asked after each run, by the thread that made it;
    /// when it says no, what is under way is finished and the study ends with what was counted.
    ///
    /// Each run has its own stream of chances, from the seed and its number alone: the counts of a study that came to its
    /// end do not depend on the threads.
    pub fn conduct(&self, runs: u64, threads: NonZero<usize>, go_on: &(dyn Fn() -> bool + Sync)) -> Tally {
        let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
        let work = || {
            let mut tally = Tally::new(self);
            while !stopped.load(Ordering::Relaxed) {
                let no = next.fetch_add(1, Ordering::Relaxed);
                if no >= runs {
                    break;
                }
                self.run(no, &mut tally);
                if !go_on() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            tally
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
            workers.into_iter().fold(Tally::new(self), |mut all, worker| {
                match worker.join() {
                    Ok(tally) => all.merge(tally),
                    // A panic in a run is a bug of this program: it goes on up, with its own words.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
                all
            })
        })
    }

    /// One whole verification: a drawn meter, plan, bench, results.
    fn run(&self, no: u64, tally: &mut Tally) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(no);
        let rig = Rig { truth: self.meter(&mut rng), ..self.rig.clone() };
        let started = started();
        let mut run = Run::new(Arc::clone(&self.plan), Instant::ZERO, started);
        let mut bench = rig.in_process(rng.next_u64(), started, None);
        conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
        tally.add(&rig.truth, &run);
    }

    fn meter(&self, rng: &mut impl Rng) -> Truth {
        let drawn = self.law.draw(self.places.len(), rng);
        let errors = self.places.iter().zip(drawn).map(|(place, e)| (place.current, e * place.limit_percent));
        let mut error_curve: Vec<_> = errors.collect();
        // A current that is measured twice has one true error.
        error_curve.dedup_by_key(|(current, _)| *current);
        Truth { error_curve, pulse_jitter_us: self.rig.truth.pulse_jitter_us, ..Truth::default() }
    }
}

/// The same moment for every run: the date on the wall is no part of what is studied. It lies within the validity of
/// the simulated bench's certificates.
fn started() -> Stamp {
    const WHEN: &str = "2026-11-20T10:00:00.000+08:00";
    WHEN.parse().unwrap_or_else(|e| unreachable!("a stamp: {e}"))
}
