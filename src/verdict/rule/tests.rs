//! Each rule by its clause, and what holds for all of them.

use super::*;
use crate::verdict::round_to_interval;
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

const STATUTORY: Rule = Rule::RoundedIfCapable { ratio: 1.0 / 3.0 };
const RULES: [Rule; 6] = [
    STATUTORY,
    Rule::Simple,
    Rule::Guarded { r: 1.0 },
    Rule::Guarded { r: 0.6 },
    Rule::NonBinary { r: 1.0 },
    Rule::NonBinary { r: 0.0 },
];

#[test]
fn the_verdict_uses_the_rounded_value() {
    assert_eq!(STATUTORY.judge(1.04, d("1.0"), 0.1, 1.0).0, Verdict::Pass);
    assert_eq!(STATUTORY.judge(1.06, d("1.1"), 0.1, 1.0).0, Verdict::Fail);
    assert_eq!(STATUTORY.judge(-1.06, d("-1.1"), 0.1, 1.0).0, Verdict::Fail);
}

#[test]
fn a_large_uncertainty_decides_only_what_it_cannot_hide() {
    assert_eq!(STATUTORY.judge(0.2, d("0.2"), 0.5, 1.0).0, Verdict::Pass);
    assert_eq!(STATUTORY.judge(0.7, d("0.7"), 0.5, 1.0).0, Verdict::Undecided);
    assert_eq!(STATUTORY.judge(1.6, d("1.6"), 0.5, 1.0).0, Verdict::Fail);
    assert_eq!(STATUTORY.judge(0.0, d("0.0"), f64::NAN, 1.0).0, Verdict::Undecided);
}

#[test]
fn simple_acceptance_looks_at_the_value_as_measured() {
    assert_eq!(Rule::Simple.judge(1.04, d("1.0"), 0.1, 1.0).0, Verdict::Fail);
    assert_eq!(Rule::Simple.judge(1.0, d("1.0"), 5.0, 1.0).0, Verdict::Pass);
    assert_eq!(
        Rule::Simple.judge(0.3, d("0.3"), 0.1, 0.1 + 0.2).0,
        Verdict::Pass,
        "binary residue is no limit"
    );
}

#[test]
fn a_guard_band_takes_its_width_from_the_limit() {
    let rule = Rule::Guarded { r: 1.0 };
    assert_eq!(rule.judge(0.79, d("0.8"), 0.2, 1.0).0, Verdict::Pass);
    assert_eq!(rule.judge(0.81, d("0.8"), 0.2, 1.0).0, Verdict::Fail, "binary: outside is a fail");
    assert_eq!(rule.judge(0.0, d("0.0"), 1.2, 1.0).0, Verdict::Fail, "no room is left inside the guard band");
    assert_eq!(Rule::Guarded { r: 0.5 }.judge(0.85, d("0.8"), 0.2, 1.0).0, Verdict::Pass);
}

#[test]
fn the_non_binary_rule_keeps_its_four_words() {
    let rule = Rule::NonBinary { r: 1.0 };
    for (value, zone, verdict, word) in [
        (0.79, Zone::Pass, Verdict::Pass, "pass:"),
        (-0.9, Zone::ConditionalPass, Verdict::Undecided, "conditional pass:"),
        (1.1, Zone::ConditionalFail, Verdict::Undecided, "conditional fail:"),
        (-1.21, Zone::Fail, Verdict::Fail, "fail:"),
    ] {
        assert_eq!(rule.zone(value, 0.2, 1.0).unwrap().0, zone);
        let (answer, reason) = rule.judge(value, d("0.0"), 0.2, 1.0);
        assert_eq!(answer, verdict);
        assert!(reason.starts_with(word), "{reason}");
    }
}

#[test]
fn each_rule_is_named_on_paper_and_survives_its_file() {
    for (rule, word) in RULES.iter().zip(["Rounded", "4.2.1", "4.2.2", "0.6 × U", "4.2.3", "0 × U"]) {
        assert!(rule.words().contains(word), "{}", rule.words());
        let text = serde_json::to_string(rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), *rule, "{text}");
    }
    assert_eq!(serde_json::to_string(&Rule::Guarded { r: 1.0 }).unwrap(), r#"{"rule":"guarded","r":1.0}"#);
    assert_eq!(serde_json::from_str::<Rule>(r#"{"rule":"simple"}"#).unwrap(), Rule::Simple);
}

#[test]
fn a_rule_or_a_number_that_is_none_decides_nothing() {
    for r in [f64::NAN, -1.0, f64::INFINITY] {
        for rule in [Rule::Guarded { r }, Rule::NonBinary { r }] {
            let (verdict, reason) = rule.judge(0.0, d("0.0"), 0.1, 1.0);
            assert_eq!(verdict, Verdict::Undecided);
            assert!(reason.contains("guard factor r must be"), "{reason}");
            assert!(rule.zones(0.1, 1.0, d("0.1")).is_err());
        }
    }
    for rule in RULES {
        for (value, u, limit) in [
            (f64::NAN, 0.1, 1.0),
            (0.0, f64::NAN, 1.0),
            (0.0, -0.1, 1.0),
            (0.0, 0.1, f64::NAN),
            (f64::INFINITY, 0.1, 1.0),
        ] {
            assert_eq!(
                rule.judge(value, d("0.0"), u, limit).0,
                Verdict::Undecided,
                "{rule:?} {value} {u} {limit}"
            );
        }
    }
}

proptest! {
    #[test]
    fn more_uncertainty_never_makes_a_pass(
        rule in prop::sample::select(RULES.to_vec()), value in -3.0f64..3.0, u in 0.0f64..3.0, more in 0.0f64..3.0,
    ) {
        let rounded = round_to_interval(value, d("0.1")).unwrap();
        let (before, after) = (rule.judge(value, rounded, u, 1.0).0, rule.judge(value, rounded, u + more, 1.0).0);
        prop_assert!(before == Verdict::Pass || after != Verdict::Pass, "{rule:?} {value} {u} {more}: {before:?} → {after:?}");
    }

    #[test]
    fn the_sign_of_the_error_changes_nothing(
        rule in prop::sample::select(RULES.to_vec()), value in -3.0f64..3.0, u in 0.0f64..3.0,
    ) {
        let [plus, minus] = [value, -value].map(|v| rule.judge(v, round_to_interval(v, d("0.1")).unwrap(), u, 1.0).0);
        prop_assert_eq!(plus, minus);
    }

    #[test]
    fn a_guarded_pass_is_a_simple_pass(value in -3.0f64..3.0, u in 0.0f64..3.0, r in 0.0f64..3.0) {
        let judge = |rule: Rule| rule.judge(value, d("0.0"), u, 1.0).0;
        if judge(Rule::Guarded { r }) == Verdict::Pass {
            prop_assert_eq!(judge(Rule::Simple), Verdict::Pass);
            prop_assert_eq!(judge(Rule::NonBinary { r }), Verdict::Pass);
        }
    }

    #[test]
    fn the_zones_are_where_the_judgements_fall(
        rule in prop::sample::select(RULES.to_vec()), value in -3.0f64..3.0, u in 0.0f64..1.5,
        limit in prop::sample::select(vec![0.3, 1.0, 1.05, 2.0]), interval in prop::sample::select(vec!["0.1", "0.05", "0.2"]),
    ) {
        let zones = rule.zones(u, limit, d(interval)).unwrap();
        let edges = [zones.accept, zones.tolerate].into_iter().flatten();
        prop_assume!(edges.clone().all(|b| (value.abs() - b.upper()).abs() > 1e-9));
        let rounded = round_to_interval(value, d(interval)).unwrap();
        prop_assert_eq!(rule.judge(value, rounded, u, limit).0, zones.verdict(value), "{:?} {} {} {}", rule, value, u, limit);
    }
}
