//! A simulated meter of known error: the stated interval holds it in the promised share of seeded runs.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::regulation::{Item, Kind};
use phantomload::uncertainty::COVERAGE;
use phantomload::verdict::Verdict;
use simulated::{plan_of, record_of, rig};

const RUNS: u64 = 300;

#[test]
fn the_stated_interval_holds_the_truth_as_often_as_it_says() {
    let rig = rig("good");
    let plan = plan_of(&rig, "jjg596-2026", Kind::InService);
    let mut held = [0u32; 4];
    for seed in 0..RUNS {
        let record = record_of(&rig, plan.clone(), seed);
        assert_eq!(
            record.results.verdict,
            Some(Verdict::Pass),
            "seed {seed}: a good meter fails in no ordinary noise"
        );
        let points = record.results.items.iter().filter(|i| i.item == Item::BasicError);
        for (count, item) in held.iter_mut().zip(points) {
            let (measured, point) = (item.measured.as_ref().unwrap(), item.point.as_ref().unwrap());
            let truth = rig.truth.error_at(point.current_a).percent();
            *count += u32::from((measured.estimate.value - truth).abs() <= measured.estimate.expanded);
        }
    }
    // 99 % of binomial counts with the promised share lie above this (normal approximation).
    let n = f64::from(u32::try_from(RUNS).unwrap());
    let least = n * COVERAGE - 2.326 * (n * COVERAGE * (1.0 - COVERAGE)).sqrt();
    println!("seeds 0..{RUNS}: held {held:?} of {RUNS}, at least {least:.1} asked");
    assert!(held.iter().all(|h| f64::from(*h) >= least), "{held:?} of {RUNS}");
}
