//! What a decision must hold whatever comes: more doubt decides nothing in the meter's favour, what is decided stays
//! decided, what is unfinished or repeated hides nothing, and no order of equal things matters.

#[path = "support/simulated.rs"]
mod simulated;
mod support;

use phantomload::calibration::{Standard, Standards};
use phantomload::certificate::record::{Attempt, ItemResult, Measured, Record, Unit};
use phantomload::pulse::Input;
use phantomload::quantity::Current;
use phantomload::regulation::{self, Item, Kind, Profile};
use phantomload::run::{Event, Logged, Run, recompute};
use phantomload::sim::Rig;
use phantomload::uncertainty::{Component, combine, type_a};
use phantomload::verdict::{Rule, Verdict, overall, round_to_interval};
use proptest::prelude::*;
use rust_decimal::Decimal;
use simulated::{Meddled, plan_of, record_of, record_with, rig, table};
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use support::{altered, json, phantomload, stderr};

const RULES: [&str; 6] =
    ["rounded", "simple", "guarded 1 U", "guarded 0.5 U", "non-binary 1 U", "non-binary 0.5 U"];

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn rule(text: &str) -> regulation::Rule {
    text.parse().unwrap()
}

/// A meter of this error, in percent, at every load.
fn meter_of(percent: f64) -> Rig {
    let mut rig = rig("good");
    rig.truth.error_curve = vec![(Current::from_amperes(1.0), percent)];
    rig
}

/// The simulated standards, their reference with so many times its U.
fn blunter(times: f64) -> Standards {
    let read = |name: &str| {
        fs::read_to_string(format!("{}/calibration/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let mut reference = read("simulated-reference.toml");
    for u in [0.02, 0.05] {
        let key = format!("expanded_u_percent = {u},");
        assert!(reference.contains(&key), "{key}");
        reference = reference.replace(&key, &format!("expanded_u_percent = {},", u * times));
    }
    Standards::new(
        Standard::from_toml("reference", &reference).unwrap(),
        Standard::from_toml("time base", &read("simulated-time-base.toml")).unwrap(),
    )
    .unwrap()
}

fn pulse_errors(items: &[ItemResult]) -> impl Iterator<Item = &ItemResult> {
    items.iter().filter(|i| matches!(i.item, Item::Start | Item::BasicError))
}

proptest! {
    #![proptest_config(few(40))]

    /// Through a whole run: the same events, judged by a bench whose reference is known less well. Holds for every
    /// rule; for `simple`, which leaves U out, and for `rounded` up to the ratio, because nothing changes at all.
    #[test]
    fn more_uncertainty_never_turns_fail_or_undecided_into_pass(
        name in prop::sample::select(RULES.to_vec()), error in -2.0f64..2.0, times in 1.0f64..60.0, more in 1.0f64..10.0,
    ) {
        let rig = meter_of(error);
        let mut plan = plan_of(&rig, "dc-meter", Kind::InService);
        plan.profile.rule.value = rule(name);
        let mut record = record_of(&rig, plan, 1);
        let [before, after] = [times, times * more].map(|times| {
            record.plan.standards = blunter(times);
            recompute(&record).1
        });
        prop_assert_eq!(before.items.len(), after.items.len());
        for (b, a) in before.items.iter().zip(&after.items) {
            prop_assert!(
                b.verdict == Verdict::Pass || a.verdict != Verdict::Pass,
                "{} at {} %: {}\n{}", name, error, table(&before.items), table(&after.items)
            );
        }
        prop_assert!(before.verdict == Some(Verdict::Pass) || after.verdict != Some(Verdict::Pass));
    }
}

proptest! {
    #![proptest_config(few(2000))]

    /// What `simple` and `rounded` leave out, said as a property: `simple` all of U, `rounded` U up to the ratio. A pass
    /// beyond it is never made of a fail: where U exceeds the ratio, `rounded` passes only what it passed without U.
    #[test]
    fn simple_ignores_u_and_rounded_ignores_it_up_to_the_ratio(
        value in -3.0f64..3.0, u in 0.0f64..3.0, limit in prop::sample::select(vec![0.5, 1.0, 1.5]),
    ) {
        let rounded = round_to_interval(value, Decimal::new(1, 1)).unwrap();
        let judge = |rule: Rule, u: f64| rule.judge(value, rounded, u, limit).0;
        let statutory = Rule::RoundedIfCapable { ratio: 1.0 / 3.0 };
        prop_assert_eq!(judge(Rule::Simple, u), judge(Rule::Simple, 0.0));
        let without = judge(statutory, 0.0);
        prop_assert_ne!(without, Verdict::Undecided);
        if u <= limit / 3.0 {
            prop_assert_eq!(judge(statutory, u), without);
        } else if judge(statutory, u) == Verdict::Pass {
            prop_assert_eq!(without, Verdict::Pass);
        }
    }

    /// Readings of equal standing have no order: mean, U, rounded value and verdict are the same for every permutation, to
    /// the rounding of a sum; and so is the verdict on the meter, to the last bit.
    #[test]
    fn the_order_of_equal_readings_changes_nothing(
        (readings, shuffled) in prop::collection::vec(-2.0f64..2.0, 2..8)
            .prop_flat_map(|readings| (Just(readings.clone()), Just(readings).prop_shuffle())),
        name in prop::sample::select(RULES.to_vec()),
        (verdicts, mixed) in prop::collection::vec(prop::sample::select(vec![Verdict::Pass, Verdict::Undecided, Verdict::Fail]), 0..9)
            .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
    ) {
        let mut profile = DC.clone();
        profile.rule.value = rule(name);
        let judged = |readings: &[f64]| {
            let (mean, u, dof) = type_a(readings).unwrap();
            let repeatability = Component::a("repeatability", u, dof, "");
            let budget = vec![Component::b("reference certificate", 0.01, ""), repeatability];
            let estimate = combine(mean, &budget).unwrap();
            Measured::judged(&profile, Unit::Percent, estimate, Decimal::new(1, 1), 1.0, budget).unwrap()
        };
        let ((first, verdict, _), (second, other, _)) = (judged(&readings), judged(&shuffled));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(1.0);
        prop_assert!(near(first.estimate.value, second.estimate.value));
        prop_assert!(near(first.estimate.expanded, second.estimate.expanded));
        prop_assert_eq!((first.rounded, first.zone, verdict), (second.rounded, second.zone, other));
        prop_assert_eq!(overall(verdicts), overall(mixed));
    }
}

static DC: LazyLock<Profile> = LazyLock::new(|| Profile::builtin("dc-meter").unwrap());

/// A good meter's whole run, for properties over its beginnings.
static GOOD: LazyLock<Record> = LazyLock::new(|| {
    let rig = rig("good");
    record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1)
});

proptest! {
    #![proptest_config(few(60))]

    /// Wherever a run stands still: a number is the mean of whole readings, at least as many as the regulation wants, each
    /// of them finished by then and the very reading of the whole run. What is unfinished enters no mean.
    #[test]
    fn an_unfinished_reading_enters_no_mean(share in 0.0f64..1.0) {
        let (record, until) = (&*GOOD, (GOOD.raw.len() as f64 * share) as usize);
        let mut run = Run::new(Arc::new(record.plan.clone()), record.began, record.started);
        let mut now = record.began;
        for Logged(at, event) in &record.raw[..until] {
            run.handle(*at, event.clone());
            now = *at;
        }
        let results = run.results();
        prop_assert_eq!(results.verdict, None, "an unfinished run has no verdict");
        let wanted = record.plan.profile.basic_error.readings.value as usize;
        for item in pulse_errors(&results.items) {
            let whole = pulse_errors(&record.results.items).find(|w| w.item == item.item && w.point == item.point).unwrap();
            for reading in item.readings() {
                prop_assert!(reading.window.closed <= now);
                prop_assert!(whole.readings().any(|r| r == reading), "a reading that is not of the run");
            }
            let errors: Vec<f64> = item.readings().map(|r| r.error.percent()).collect();
            match &item.measured {
                None => prop_assert!(errors.len() < wanted && item.verdict == Verdict::Undecided),
                Some(measured) => {
                    prop_assert!(errors.len() >= wanted);
                    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
                    prop_assert!((measured.estimate.value - mean).abs() < 1e-12);
                }
            }
        }
    }
}

/// The stretch of the first reading of a point by its number, in nanoseconds of the run.
fn first_reading(record: &Record, point: usize) -> (i64, i64) {
    let item = record.results.items.iter().filter(|i| i.item == Item::BasicError).nth(point).unwrap();
    let window = item.readings().next().unwrap().window;
    (window.opened.nanos(), window.closed.nanos())
}

proptest! {
    #![proptest_config(few(24))]

    /// An edge lost in the first window of a point: the window is kept with its reason, a later one takes its place, and
    /// no reading overlaps what was spoiled. A meter beyond its limits fails all the same.
    #[test]
    fn a_retry_keeps_every_attempt_and_hides_no_fail(
        point in 0usize..4, share in 0.1f64..0.9, error in prop::sample::select(vec![0.2, -1.9, 2.2]),
    ) {
        let rig = meter_of(error);
        let plan = plan_of(&rig, "dc-meter", Kind::InService);
        let clean = record_of(&rig, plan.clone(), 1);
        let (opened, closed) = first_reading(&clean, point);
        let at = opened + ((closed - opened) as f64 * share) as i64;
        let mut lost = false;
        let record = record_with(&rig, plan, 1, |bench| {
            Meddled::events(bench, move |_, event| match event {
                Event::Edge(edge) if !lost && edge.input == Input::Meter && edge.at.nanos() > at => {
                    lost = true;
                    None
                }
                other => Some(other),
            })
        });
        let item = record.results.items.iter().filter(|i| i.item == Item::BasicError).nth(point).unwrap();
        let spoiled: Vec<_> = item.attempts.iter().filter_map(|a| match a {
            Attempt::Spoiled { from, to, why, .. } => Some((*from, *to, why)),
            _ => None,
        }).collect();
        prop_assert!(!spoiled.is_empty() && spoiled.iter().all(|(.., why)| !why.is_empty()), "{:?}", item.attempts);
        prop_assert_eq!(spoiled.len() + item.readings().count(), item.attempts.len());
        for reading in item.readings() {
            let apart = spoiled.iter().all(|(from, to, _)| reading.window.closed <= *from || reading.window.opened >= *to);
            prop_assert!(apart, "a reading out of a spoiled window: {:?}", item.attempts);
        }
        let expected = if error.abs() < 1.0 { Verdict::Pass } else { Verdict::Fail };
        prop_assert_eq!(item.verdict, expected, "{}", table(&record.results.items));
    }

    /// A meter that drops pulses in its first window only, so many that the window's error lies beyond the limit: the
    /// retry is in order, and the point does not pass.
    #[test]
    fn a_good_retry_does_not_wash_a_bad_window_away(point in 0usize..4, every in 4u64..12, seed in 0u64..1000) {
        let rig = rig("good");
        let mut plan = plan_of(&rig, "dc-meter", Kind::InService);
        // Without the register nothing but the windows can tell.
        plan.nameplate.data_output = None;
        let clean = record_of(&rig, plan.clone(), seed);
        let (opened, closed) = first_reading(&clean, point);
        let (mut seen, mut skipped) = (0u64, 0u64);
        let record = record_with(&rig, plan, seed, |bench| {
            Meddled::events(bench, move |_, event| match event {
                Event::Edge(mut edge) if edge.input == Input::Meter => {
                    seen += u64::from(edge.rising);
                    // Both edges of a pulse, and the counter's numbers have no hole: the meter itself left it out.
                    if (opened + 1..closed).contains(&edge.at.nanos()) && seen % every == 0 {
                        skipped += 1;
                        return None;
                    }
                    edge.seq -= skipped;
                    Some(Event::Edge(edge))
                }
                other => Some(other),
            })
        });
        let item = record.results.items.iter().filter(|i| i.item == Item::BasicError).nth(point).unwrap();
        let kept = item.attempts.iter().any(|a| matches!(a, Attempt::Spoiled { error: Some(e), .. } if e.percent() < -3.0));
        prop_assert!(kept || item.verdict == Verdict::Fail, "{:?}", item.attempts);
        prop_assert_ne!(item.verdict, Verdict::Pass, "{}\n{:?}", table(&record.results.items), item.attempts);
        prop_assert_ne!(record.results.verdict, Some(Verdict::Pass));
    }
}

#[test]
fn each_rule_judges_a_whole_run_and_is_named_in_it() {
    // 0.96 % at a limit of 1 % with U of some 0.1 %: within the limit, not by a guard band.
    let rig = meter_of(0.96);
    let mut plan = plan_of(&rig, "dc-meter", Kind::InService);
    plan.standards = blunter(5.0);
    for (name, verdict, words) in [
        ("rounded", Verdict::Pass, "Rounded value"),
        ("simple", Verdict::Pass, "4.2.1"),
        ("guarded 1 U", Verdict::Fail, "w = 1 × U"),
        ("guarded 0.1 U", Verdict::Pass, "w = 0.1 × U"),
        ("non-binary 1 U", Verdict::Undecided, "4.2.3"),
    ] {
        plan.profile.rule.value = rule(name);
        let record = record_of(&rig, plan.clone(), 1);
        let item = record.results.items.iter().find(|i| i.item == Item::BasicError).unwrap();
        assert_eq!(item.verdict, verdict, "{name}: {}", item.reason);
        assert!(record.results.decision_rule.contains(words), "{}", record.results.decision_rule);
        assert_eq!(record.results.rule, Some(Rule::of(&plan.profile)));
        let measured = item.measured.as_ref().unwrap();
        assert_eq!(
            measured.guarded,
            Some(Verdict::Fail),
            "{name}: the guarded verdict stands beside every rule"
        );
        let (conformity, global) = (measured.conformity.unwrap(), measured.global.unwrap());
        assert!((0.5..0.95).contains(&conformity), "{name}: {conformity}");
        let risk = measured.specific_risk(item.verdict);
        let expected = match verdict {
            Verdict::Pass => Some(1.0 - conformity),
            Verdict::Fail => Some(conformity),
            Verdict::Undecided => None,
        };
        assert_eq!(risk, expected, "{name}");
        assert!(
            global.consumer > 0.0 && global.producer > 0.0 && global.consumer < 0.03,
            "{name}: {global:?}"
        );
        assert_eq!(measured.zone.is_some(), name.starts_with("non-binary"));
        if let Some(zone) = measured.zone {
            assert_eq!(zone.to_string(), "conditional pass");
            assert!(item.reason.starts_with("conditional pass"), "{}", item.reason);
        }
        // What is frozen gives it again.
        assert_eq!(recompute(&record).1, record.results, "{name}");
    }
}

#[test]
fn a_profile_without_a_prior_states_no_global_risk_and_decides_the_same() {
    let mut record = GOOD.clone();
    record.plan.profile.prior = None;
    let results = recompute(&record).1;
    assert!(results.items.iter().filter_map(|i| i.measured.as_ref()).all(|m| m.global.is_none()));
    let verdicts = |items: &[ItemResult]| items.iter().map(|i| i.verdict).collect::<Vec<_>>();
    assert_eq!(verdicts(&results.items), verdicts(&record.results.items));
    assert!(record.results.items.iter().any(|i| i.measured.as_ref().is_some_and(|m| m.global.is_some())));
}

/// Through the front door: the files that a run was made with are changed afterwards. The record is read and computed
/// anew from what it froze; a new run, by the changed files, comes out otherwise.
#[test]
fn limits_and_constants_changed_after_the_run_change_no_stored_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (regulation, meter) = (dir.path().join("regulation.toml"), dir.path().join("meter.toml"));
    let write = |limits: &[(&str, &str)], constant: &[(&str, &str)]| {
        altered(dir.path(), "regulation.toml", "assets/regulations/dc-meter.toml", limits);
        altered(dir.path(), "meter.toml", "assets/demo/good.toml", constant);
    };
    let verify = |data: &str| {
        let data = text(&dir.path().join(data));
        json(&phantomload(&[
            "verify",
            "--json",
            "--data",
            &data,
            "--regulation",
            &text(&regulation),
            "--meter",
            &text(&meter),
        ]))
    };
    write(&[], &[]);
    let told = verify("first");
    assert_eq!(told["verdict"], "pass");
    let record = told["record"].as_str().unwrap();
    let stored = fs::read(record).unwrap();

    write(&[("percent = 1.0", "percent = 0.1"), ("percent = 1.5", "percent = 0.15")], &[]);
    assert_eq!(verify("limits")["verdict"], "fail", "the change of the limits would matter");
    let constant = ("constant_imp_per_kwh = 4000.0", "constant_imp_per_kwh = 3900.0");
    write(&[], &[constant]);
    let other = verify("constant");
    assert_ne!(
        other["items"][5]["error_percent"], told["items"][5]["error_percent"],
        "the constant would matter"
    );
    write(&[("value = \"rounded\"", "value = \"guarded 3 U\"")], &[]);
    assert!(verify("rule")["decision_rule"].as_str().unwrap().contains("w = 3 × U"));

    assert_eq!(fs::read(record).unwrap(), stored, "nothing wrote to the record");
    let replay = phantomload(&["replay", record, "--json", "--no-monte-carlo"]);
    assert_eq!(
        (replay.status.code(), &json(&replay)["identical"]),
        (Some(0), &true.into()),
        "{}",
        stderr(&replay)
    );
    let shown = phantomload(&["certificate", "show", record, "--json"]);
    assert_eq!(json(&shown)["results"]["verdict"], "pass");
}
