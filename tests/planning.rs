//! What the planner chooses, and that the run keeps to it: early windows, more readings, bounds.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::certificate::record::{Attempt, ItemResult, Record};
use phantomload::plan::{Plan, Windows};
use phantomload::quantity::Energy;
use phantomload::regulation::{Item, Kind};
use phantomload::sim::Rig;
use phantomload::verdict::Verdict;
use simulated::{plan_of, record_of, rig};

fn plan(rig: &Rig) -> Plan {
    plan_of(rig, "dc-meter", Kind::Subsequent)
}

fn windows(plan: &Plan) -> impl Iterator<Item = &Windows> {
    plan.steps.iter().filter_map(|step| step.work.windows())
}

fn errors(record: &Record) -> Vec<&ItemResult> {
    record.results.items.iter().filter(|i| matches!(i.item, Item::Start | Item::BasicError)).collect()
}

fn assert_true(rig: &Rig, record: &Record) {
    for item in errors(record) {
        let (measured, point) = (item.measured.as_ref().unwrap(), item.point.as_ref().unwrap());
        let off = measured.estimate.value - rig.truth.error_at(point.current_a).percent();
        // Twice U: a seed may lie just outside of U.
        assert!(off.abs() < 2.0 * measured.estimate.expanded, "{}: off by {off} %", point.term);
    }
}

#[test]
fn the_demo_plan_is_within_a_tenth_of_what_regulation_and_pulse_rate_demand() {
    let plan = plan(&rig("good"));
    assert!(plan.over_lower_bound() <= 1.10, "{} over {}", plan.total, plan.lower_bound);
    assert!(plan.fits && plan.total_max >= plan.total);
}

#[test]
fn a_run_takes_the_time_that_was_planned() {
    for meter in ["good", "standard-register"] {
        let rig = rig(meter);
        let plan = plan(&rig);
        let elapsed = record_of(&rig, plan.clone(), 1).results.elapsed;
        let ratio = elapsed.secs() / plan.total.secs();
        assert!((0.97..1.02).contains(&ratio), "{meter}: planned {}, took {elapsed}", plan.total);
    }
}

#[test]
fn the_pulse_heard_before_opens_the_start_window_where_that_saves_a_long_wait_and_the_reference_counts() {
    let mut rig = rig("good");
    let opens = |plan: &Plan| windows(plan).filter(|w| w.opens_before).count();
    assert_eq!(opens(&plan(&rig)), 0, "a second and a half is not worth it");
    // A pulse every 30 s at Ist.
    rig.nameplate.constant_imp_per_kwh = rig.nameplate.constant_imp_per_kwh * 0.1;
    let counting = plan(&rig);
    let record = record_of(&rig, counting.clone(), 1);
    let leads = |item: &ItemResult| item.readings().filter(|r| r.lead_in.is_some()).count();
    assert_eq!(leads(errors(&record)[0]), 1, "only the first window has a lead-in");
    assert_true(&rig, &record);
    let mut blind = rig.capability();
    blind.energy_step = Energy::ZERO;
    let profile = phantomload::regulation::Profile::builtin("dc-meter").unwrap();
    let (kind, entries) = (Kind::Subsequent, phantomload::plan::Entries::simulated());
    let blind = phantomload::plan::make(
        rig.nameplate.clone(),
        profile,
        kind,
        rig.standards.clone(),
        blind,
        entries,
        simulated::started().date(),
    );
    let blind = blind.unwrap();
    assert_eq!((opens(&blind), opens(&counting)), (0, 1));
    assert!((blind.total - counting.total).secs() > 10.0, "{} against {}", blind.total, counting.total);
}

#[test]
fn a_meter_that_follows_the_load_slowly_gets_its_windows_later_and_the_same_errors() {
    let mut rig = rig("good");
    rig.truth.lag_secs = 0.3;
    let record = record_of(&rig, plan(&rig), 3);
    let later = record.results.findings.iter().filter(|f| f.contains("follows slowly")).count();
    assert!(later >= 3, "{:?}", record.results.findings);
    assert_true(&rig, &record);
    assert_eq!(record.results.verdict, Some(Verdict::Pass));
}

#[test]
fn readings_that_scatter_are_followed_by_more_but_never_more_than_planned() {
    let quiet = rig("good");
    let mut scattered = rig("good");
    // 1.5 % at 250 A is beyond the limit with the meter's own −0.2 %; 30 ms in 10 s are 0.3 %.
    scattered.truth.pulse_jitter_us = 30_000.0;
    scattered.truth.error_curve = vec![(phantomload::quantity::Current::from_amperes(5.0), 1.3)];
    let count =
        |record: &Record| -> Vec<usize> { errors(record).iter().map(|i| i.readings().count()).collect() };
    let record = record_of(&quiet, plan(&quiet), 1);
    assert_eq!(count(&record), [2; 5]);
    assert!(errors(&record).iter().all(|i| i.stopped.as_ref().unwrap().starts_with("2 readings of 2 to 5")));
    let plan = plan(&scattered);
    let record = record_of(&scattered, plan.clone(), 1);
    let counts = count(&record);
    assert!(counts.iter().any(|n| *n > 2), "{counts:?}");
    for (taken, windows) in counts.iter().zip(windows(&plan)) {
        assert!((windows.readings..=windows.readings_max).contains(&(*taken as u32)), "{taken}");
    }
    assert!(record.results.elapsed <= plan.total_max, "{} over {}", record.results.elapsed, plan.total_max);
}

#[test]
fn no_more_readings_are_planned_than_ten_minutes_hold() {
    let plan = plan(&rig("standard-register"));
    assert!(plan.fits && plan.total_max <= phantomload::plan::TEN_MINUTES);
    assert!(windows(&plan).all(|w| w.readings_max < w.readings + 3), "there is no room for three more");
}

#[test]
fn a_spoiled_attempt_after_a_lead_in_is_repeated_with_the_load_standing() {
    use phantomload::run::Event;
    use simulated::{Meddled, record_with};
    let mut rig = rig("good");
    rig.nameplate.constant_imp_per_kwh = rig.nameplate.constant_imp_per_kwh * 0.1;
    let mut lost = false;
    let record = record_with(&rig, plan(&rig), 1, |bench| {
        Meddled::events(bench, move |_, event| match event {
            // One sample at the starting current far out of its band.
            Event::Sample(mut sample) if !lost && sample.taken.nanos() > 8_000_000_000 => {
                lost = true;
                sample.current = sample.current * 3.0;
                Some(Event::Sample(sample))
            }
            other => Some(other),
        })
    });
    let start = errors(&record)[0];
    assert!(start.attempts.iter().any(|a| matches!(a, Attempt::Spoiled { .. })), "{:?}", start.attempts);
    assert!(start.readings().all(|r| r.lead_in.is_none()));
    assert_eq!(start.verdict, Verdict::Pass);
}

#[test]
fn a_noisy_reference_gets_longer_windows_and_one_that_no_window_mends_a_word() {
    let rig = rig("good");
    let made = |scatter: f64, leads_a: Option<f64>| {
        let mut bench = rig.capability();
        bench.sample_scatter = Some(phantomload::quantity::Ratio::from_percent(scatter));
        bench.leads_current_a = leads_a.map(phantomload::quantity::Current::from_amperes);
        let profile = phantomload::regulation::Profile::builtin("dc-meter").unwrap();
        let (kind, entries) = (Kind::Subsequent, phantomload::plan::Entries::simulated());
        let day = simulated::started().date();
        phantomload::plan::make(
            rig.nameplate.clone(),
            profile,
            kind,
            rig.standards.clone(),
            bench,
            entries,
            day,
        )
        .unwrap()
    };
    let (quiet, noisy, hopeless) = (made(0.003, None), made(3.0, None), made(0.003, Some(0.05)));
    let imax = |plan: &Plan| windows(plan).nth(1).unwrap().clone();
    assert_eq!(imax(&quiet).min_time, imax(&quiet).regulation_time);
    assert!(imax(&noisy).min_time > imax(&noisy).regulation_time * 1.5, "{}", imax(&noisy).min_time);
    assert_eq!(noisy.lower_bound, quiet.lower_bound, "the bench's noise is none of the regulation's");
    assert!(quiet.doubts.is_empty() && noisy.doubts.is_empty(), "{:?}", noisy.doubts);
    assert!(hopeless.doubts.iter().any(|d| d.starts_with("Basic error at 5 A")), "{:?}", hopeless.doubts);
}

#[test]
fn a_meter_beyond_its_limit_does_not_pass_because_it_follows_the_load_slowly() {
    // Found by a review: a first window that carried the load before was averaged in and made −1.10 % pass.
    let mut rig = rig("good");
    let amperes = phantomload::quantity::Current::from_amperes;
    rig.truth.error_curve =
        vec![(amperes(0.4), 1.2), (amperes(5.0), 0.3), (amperes(10.0), -1.1), (amperes(100.0), -0.1)];
    for (lag, seed) in [(0.0, 1), (0.25, 2), (0.3, 1), (0.3, 3), (0.3, 4), (1.0, 1)] {
        rig.truth.lag_secs = lag;
        let record = record_of(&rig, plan(&rig), seed);
        assert_true(&rig, &record);
        assert_eq!(record.results.verdict, Some(Verdict::Fail), "lag {lag} s, seed {seed}");
    }
}

#[test]
fn a_good_meter_never_fails_for_following_slowly_nor_for_pulses_that_scatter() {
    let mut rig = rig("good");
    for (lag, jitter_us) in [(0.3, 20.0), (1.0, 20.0), (2.0, 20.0), (0.0, 1_500.0), (0.0, 5_000.0)] {
        (rig.truth.lag_secs, rig.truth.pulse_jitter_us) = (lag, jitter_us);
        let record = record_of(&rig, plan(&rig), 1);
        let findings = &record.results.findings;
        // What a meter that needs seconds counts just after a change of load cannot be told from a fault of it.
        let slow = lag >= 1.0 && record.results.verdict == Some(Verdict::Undecided);
        assert!(slow || record.results.verdict == Some(Verdict::Pass), "lag {lag} s: {findings:?}");
        let accused = findings.iter().filter(|f| f.contains("follows slowly")).count();
        assert!(lag > 0.0 || accused == 0, "{jitter_us} µs: {findings:?}");
    }
}
