//! A simulated meter of known error: the stated interval holds it in the promised share of seeded runs, no less often
//! and no more often, and what the bench states of itself is really drawn.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::calibration::{Standard, Standards};
use phantomload::certificate::record::Record;
use phantomload::quantity::Temperature;
use phantomload::regulation::{Item, Kind};
use phantomload::run::recompute;
use phantomload::sim::{Luck, Rig};
use phantomload::uncertainty::COVERAGE;
use phantomload::verdict::Verdict;
use simulated::{plan_of, record_of, rig};
use statrs::distribution::{Binomial, DiscreteCDF};

const RUNS: u64 = 400;
/// Probability that a share lies outside its interval although the promise is kept, a half on either side.
const DOUBT: f64 = 0.001;

/// Value, expanded uncertainty and truth at each point by pulses, Ist first.
fn points(rig: &Rig, record: &Record) -> Vec<(f64, f64, f64)> {
    let by_pulses = record.results.items.iter().filter(|i| matches!(i.item, Item::Start | Item::BasicError));
    by_pulses
        .map(|item| {
            let (measured, point) = (item.measured.as_ref().unwrap(), item.point.as_ref().unwrap());
            let truth = rig.truth.error_at(point.current_a).percent();
            (measured.estimate.value, measured.estimate.expanded, truth)
        })
        .collect()
}

#[test]
fn the_stated_interval_holds_the_truth_as_often_as_it_says() {
    let rig = rig("good");
    let plan = plan_of(&rig, "jjg596-2026", Kind::Subsequent);
    let mut held = [0u64; 5];
    for seed in 0..RUNS {
        let record = record_of(&rig, plan.clone(), seed);
        assert_eq!(
            record.results.verdict,
            Some(Verdict::Pass),
            "seed {seed}: a good meter fails in no ordinary noise"
        );
        let points = points(&rig, &record);
        assert_eq!(points.len(), held.len());
        for (count, (value, expanded, truth)) in held.iter_mut().zip(points) {
            *count += u64::from((value - truth).abs() <= expanded);
        }
    }
    let counts = Binomial::new(COVERAGE, RUNS).unwrap();
    let (least, most) = (counts.inverse_cdf(DOUBT / 2.0), counts.inverse_cdf(1.0 - DOUBT / 2.0));
    let shares: Vec<_> = held.iter().map(|h| format!("{:.3}", *h as f64 / RUNS as f64)).collect();
    println!("seeds 0..{RUNS}: held {held:?} = {shares:?} of {COVERAGE} promised, {least} to {most} allowed");
    assert!(held.iter().all(|h| (least..=most).contains(h)), "{held:?} of {RUNS}: {least} to {most} allowed");
}

#[test]
fn what_the_bench_states_of_itself_is_seen_in_the_error_where_it_comes_true() {
    // Each alone at its extreme, against a world that has nothing of it: by how much the errors in percent differ.
    let mut rig = rig("good");
    rig.bench.temperature = Temperature::from_degrees_celsius(28.0);
    let plan = plan_of(&rig, "jjg596-2026", Kind::Subsequent);
    let mut errors = |luck: Luck| {
        rig.bench.luck = Some(luck);
        points(&rig, &record_of(&rig, plan.clone(), 7))
            .into_iter()
            .map(|(value, ..)| value)
            .collect::<Vec<_>>()
    };
    let none = errors(Luck::default());
    let days =
        f64::from((simulated::started().date() - plan.standards.reference().calibrated_on()).get_days());
    // Shares of the half-widths stated in calibration/ and src/sim/mod.rs; the last two at Ist = 0.4 A, 750 V.
    for (luck, expected, what) in [
        (Luck { reference: 1.0, ..Luck::default() }, -0.025, "certificate"),
        (Luck { reference_drift: 1.0, ..Luck::default() }, -0.005 * days / 365.25, "drift"),
        (Luck { reference_temperature: -1.0, ..Luck::default() }, 0.0005 * 5.0, "temperature"),
        (Luck { time_base: 10.0, ..Luck::default() }, -5e-4, "time base"),
        (Luck { current_leads: 1.0, ..Luck::default() }, 20e-6 / 0.4 * 100.0, "current leads"),
        (Luck { voltage_leads: -1.0, ..Luck::default() }, -0.01 / 750.0 * 100.0, "voltage leads"),
    ] {
        let moved = errors(luck)[0] - none[0];
        println!("{what}: {moved:+.5} %, expected {expected:+.5} %");
        // Noise is the same in both; what is left is rounding to the last digit and an edge that falls elsewhere.
        assert!((moved - expected).abs() < 5e-4, "{what}: {moved} instead of {expected}");
        assert!((moved - expected).abs() < expected.abs() / 2.0, "{what}: {moved} instead of {expected}");
    }
}

#[test]
fn a_drift_beyond_what_is_stated_is_not_covered() {
    let mut rig = rig("good");
    let plan = plan_of(&rig, "jjg596-2026", Kind::Subsequent);
    // Ten times the half-width of the drift: some 0.04 %, where U is 0.02 % and 0.05 % at Ist.
    rig.bench.luck = Some(Luck { reference_drift: 10.0, ..Luck::default() });
    let held = points(&rig, &record_of(&rig, plan, 3));
    let held: Vec<bool> =
        held.iter().map(|(value, expanded, truth)| (value - truth).abs() <= *expanded).collect();
    assert_eq!(held[1..], [false; 4], "{held:?}");
}

#[test]
fn a_standard_without_a_needed_figure_leaves_the_errors_undecided_and_says_which() {
    let mut rig = rig("good");
    let text =
        include_str!("../calibration/simulated-reference.toml").replace("drift_percent_per_year = 0.005", "");
    let reference = Standard::from_toml("no-drift.toml", &text).unwrap();
    rig.standards = Standards::new(reference, rig.standards.time_base().clone()).unwrap();
    let record = record_of(&rig, plan_of(&rig, "jjg596-2026", Kind::Subsequent), 1);
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
    let errors = record.results.items.iter().filter(|i| matches!(i.item, Item::Start | Item::BasicError));
    for item in errors {
        assert_eq!((item.verdict, &item.measured), (Verdict::Undecided, &None));
        assert!(item.reason.contains("`drift_percent_per_year`"), "{}", item.reason);
        assert!(item.readings().count() > 0, "the readings are kept");
    }
}

#[test]
fn leads_that_the_bench_does_not_state_are_a_finding_and_no_row_of_nothing() {
    let rig = rig("good");
    let mut plan = plan_of(&rig, "jjg596-2026", Kind::Subsequent);
    let leads = |record: &Record| {
        let budgets = record.results.items.iter().filter_map(|i| i.measured.as_ref()).flat_map(|m| &m.budget);
        let rows = budgets.filter(|c| c.label.contains("leads")).count();
        (
            rows,
            record
                .results
                .findings
                .iter()
                .filter(|f| f.contains("leads_current_a and leads_voltage_v"))
                .count(),
        )
    };
    // Two for each of five points, and two for the data output.
    assert_eq!(leads(&record_of(&rig, plan.clone(), 1)), (12, 0));
    (plan.capability.leads_current_a, plan.capability.leads_voltage_v) = (None, None);
    assert_eq!(leads(&record_of(&rig, plan, 1)), (0, 1));
}

#[test]
fn points_that_share_their_reference_are_correlated_and_judged_together() {
    let rig = rig("good");
    let record = record_of(&rig, plan_of(&rig, "jjg596-2026", Kind::Subsequent), 1);
    let results = &record.results;
    assert_eq!(results.correlations.len(), 5 * 4 / 2);
    for c in &results.correlations {
        let start = results.items[c.a].item == Item::Start;
        // At Ist the leads are a larger part, and the reference another point of its certificate.
        assert!(if start { (0.9..1.0).contains(&c.r) } else { (0.97..1.0).contains(&c.r) }, "{c:?}");
    }
    assert!(results.joint_conformity.is_some_and(|p| p > 0.999_999), "{:?}", results.joint_conformity);
    assert_eq!(recompute(&record).1, record.results);
    let text = phantomload::certificate::report::text(&record);
    assert!(text.contains("reference certificate *") && text.contains("全部合格概率"), "{text}");
}
