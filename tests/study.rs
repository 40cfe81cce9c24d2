//! `phantomload study`: the front door, and that it finds out what is not as promised.

mod support;
#[path = "support/simulated.rs"]
mod simulated;

use phantomload::calibration::{Standard, Standards};
use phantomload::regulation::Kind;
use phantomload::sim::Rig;
use phantomload::sim::study::{Law, Report, Study, Tally, picture};
use serde_json::Value;
use simulated::{plan_of, rig};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use support::{altered, json, phantomload, stderr};

fn study_of(rig: Rig, seed: u64) -> Study {
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    Study::new(rig, plan, Law::HOUSE, seed)
}

fn conduct(study: &Study, runs: u64, threads: usize) -> Tally {
    study.conduct(runs, NonZero::new(threads).unwrap(), &|| true)
}

fn report(study: &Study, runs: u64, tally: &Tally) -> Report {
    Report::of(study, "good", runs, tally).unwrap()
}

/// The shipped reference with this much, in percent, added to the error that its certificate states.
fn reference_off_by(percent: f64) -> Standards {
    let mut sheet: toml::Table = include_str!("../calibration/simulated-reference.toml").parse().unwrap();
    for point in sheet["point"].as_array_mut().unwrap() {
        let stated = point["error_percent"].as_float().unwrap();
        point.as_table_mut().unwrap().insert("error_percent".into(), (stated + percent).into());
    }
    let reference = Standard::from_toml("off", &sheet.to_string()).unwrap();
    Standards::new(reference, rig("good").standards.time_base().clone()).unwrap()
}

/// A study in whose world the reference is off, and nobody has told the plan.
fn study_with_hidden_error(percent: f64) -> Study {
    let mut rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    rig.standards = reference_off_by(percent);
    Study::new(rig, plan, Law::HOUSE, 7)
}

#[test]
fn the_same_seed_gives_the_same_study_with_every_key() {
    let ask = || phantomload(&["study", "--runs", "40", "--seed", "7", "--json"]);
    let timeless = |told: &Value| {
        let mut told = told.clone();
        for key in ["seconds", "runs_per_second"] {
            assert!(told[key].as_f64().unwrap() > 0.0, "{key}");
            told.as_object_mut().unwrap().remove(key);
        }
        told
    };
    let output = ask();
    assert!(output.stderr.is_empty(), "quiet with --json: {}", stderr(&output));
    let told = json(&output);
    let problems = told["problems"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!problems.is_empty())), "{problems:?}");
    assert_eq!((&told["too_few_runs"], &told["as_promised"]), (&true.into(), &false.into()));
    assert_eq!((&told["runs"], &told["seed"], &told["simulated"]), (&40.into(), &7.into(), &true.into()));
    for key in [
        "seconds",
        "coverage",
        "coverage_low",
        "coverage_high",
        "coverage_promised",
        "false_accepts",
        "false_accepts_promised",
        "false_accepts_expected",
        "false_rejects",
        "false_rejects_promised",
        "duration_median_secs",
        "duration_p95_secs",
        "duration_max_secs",
        "plan_over_lower_bound",
        "undecided",
        "faulted",
    ] {
        assert!(told[key].is_number(), "{key}: {}", told[key]);
    }
    assert!(told["population"]["words"].as_str().unwrap().contains("normal"), "the law is told");
    let points = told["points"].as_array().unwrap();
    assert_eq!(points.len(), 5, "Ist, Imin, Itr, 10 Itr, Imax");
    for point in points {
        assert!(point["item"].is_string() && point["beyond_rounding"].is_object(), "{point}");
        for key in ["current_a", "coverage", "coverage_low", "coverage_high", "coverage_promised"] {
            assert!(point[key].is_number(), "{key}: {point}");
        }
        let sum: u64 = ["passed", "failed", "undecided"].iter().map(|k| point[k].as_u64().unwrap()).sum();
        assert_eq!(sum, 40, "{point}");
        let ends =
            (point["coverage_low"].as_f64(), point["coverage"].as_f64(), point["coverage_high"].as_f64());
        assert!(ends.0 <= ends.1 && ends.1 <= ends.2, "{ends:?}");
    }
    // Drawn around the limits: both verdicts occur.
    assert!(told["passed"].as_u64().unwrap() > 5 && told["failed"].as_u64().unwrap() > 5, "{told}");
    assert_eq!(timeless(&told), timeless(&json(&ask())));
    let other = json(&phantomload(&["study", "--runs", "40", "--seed", "8", "--json"]));
    assert_ne!(timeless(&told)["points"], timeless(&other)["points"], "another seed, other meters");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let study = study_of(rig("good"), 3);
    let told = |threads| {
        let tally = conduct(&study, 24, threads);
        serde_json::to_string(&report(&study, 24, &tally)).unwrap()
    };
    let one = told(1);
    assert_eq!(one, told(2));
    assert_eq!(one, told(5));
}

#[test]
fn a_reference_with_a_hidden_error_of_five_u_does_not_keep_the_promised_coverage() {
    // U of the reference is 0.02 % from 1 A on.
    let study = study_with_hidden_error(0.1);
    let report = report(&study, 60, &conduct(&study, 60, 2));
    assert_eq!(report.completed, 60);
    assert!(report.coverage.coverage.unwrap() < 0.2, "{:?}", report.coverage);
    assert!(!report.as_promised && !report.coverage.coverage_as_promised);
    for point in &report.points {
        assert!(!point.coverage.coverage_as_promised, "{point:?}");
        let named = format!("{} {}: coverage", point.item, point.point);
        assert!(report.problems.iter().any(|p| p.starts_with(&named)), "{named}: {:?}", report.problems);
    }
}

#[test]
fn a_reference_that_flatters_the_meters_is_found_by_its_false_accepts() {
    // A reference that shows too much makes fast meters look right. Beyond a third of the limit its own voltage and current
    // contradict it.
    let study = study_with_hidden_error(0.3);
    let report = report(&study, 250, &conduct(&study, 250, 2));
    assert_eq!(report.completed, 250);
    let broken: Vec<_> = report.points.iter().filter(|p| !p.risks.false_accepts_within_promise).collect();
    assert!(!broken.is_empty(), "{:?}", report.points.iter().map(|p| &p.risks).collect::<Vec<_>>());
    assert!(report.problems.iter().any(|p| p.contains("false accepts")), "{:?}", report.problems);
}

#[test]
fn a_bench_that_does_not_work_states_nothing_and_promises_nothing() {
    let mut rig = rig("good");
    // The source runs away from the first second on.
    rig.bench.drift_from = Some((0.0, 0.01));
    let study = study_of(rig, 1);
    let report = report(&study, 3, &conduct(&study, 3, 1));
    assert_eq!((report.runs, report.faulted, report.completed), (3, 3, 0));
    assert_eq!(
        (report.passed, report.failed, report.risks.false_accepts),
        (0, 0, 0),
        "a fault is no verdict"
    );
    assert!(!report.as_promised && report.problems.iter().any(|p| p.contains("no interval was stated")));
    assert!(report.problems.iter().any(|p| p.contains("3 of 3 runs faulted")), "{:?}", report.problems);
    assert!(report.coverage.coverage.is_none() && report.risks.false_accepts_expected.is_none());
    well_formed(&picture(&report));
}

#[test]
fn an_interrupted_study_says_so_and_counts_what_was_made() {
    let study = study_of(rig("good"), 1);
    let made = AtomicU64::new(0);
    let go_on = || made.fetch_add(1, Ordering::Relaxed) + 1 < 5;
    let tally = study.conduct(1000, NonZero::new(2).unwrap(), &go_on);
    let report = report(&study, 1000, &tally);
    assert!(report.interrupted && (5..=6).contains(&report.runs), "{}", report.runs);
    assert_eq!(report.runs, made.load(Ordering::Relaxed));
    assert!(picture(&report).contains("of 1000 runs (interrupted)"));
}

#[test]
fn what_is_wrong_is_said_before_any_run() {
    for (arguments, said) in [
        (&["--runs", "0"][..], "1..=1000000"),
        (&["--runs", "1000001"], "1..=1000000"),
        (&["--runs", "many"], "invalid digit"),
        (&["--seed", "-1"], "invalid value '-1' for '--seed"),
        (&["--meter", "nowhere.toml"], "nowhere.toml"),
        (&["--regulation", "jjg0"], "dc-meter"),
        (&["--kind", "never"], "subsequent"),
        (&["--picture", "/nowhere/at/all/study.svg"], "/nowhere/at/all/study.svg"),
        (&["--picture", "."], "give a file"),
    ] {
        let mut whole = vec!["study"];
        whole.extend(arguments);
        let output = phantomload(&whole);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_text_and_the_picture_show_promise_limits_and_that_all_is_simulated() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.svg");
    // A name that would break a careless writer.
    let meter = altered(dir.path(), "a & <b> \"c\".toml", "assets/demo/good.toml", &[("[truth]", "[truth]")]);
    let meter = meter.to_str().unwrap();
    let output = phantomload(&[
        "study",
        "--runs",
        "12",
        "--seed",
        "7",
        "--meter",
        meter,
        "--picture",
        file.to_str().unwrap(),
    ]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for said in
        ["SIMULATED", "12 runs, seed 7", "population: ", "coverage", "lower bound", "a second", "10 Itr"]
    {
        assert!(text.contains(said), "{said}: {text}\n{}", stderr(&output));
    }
    for said in ["too few runs to tell", "draws its own faults"] {
        assert!(text.contains(said) && !text.contains("as promised:"), "{said}: {text}");
    }
    let left = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().ends_with(".part")).count(), 0);
    let svg = std::fs::read_to_string(&file).unwrap();
    well_formed(&svg);
    assert_eq!(svg.matches("class=\"limit\"").count(), 2, "a line at each limit");
    assert_eq!(svg.matches("class=\"promised\"").count(), 1);
    for said in
        ["SIMULATED", "12 runs, seed 7", "lower limit −1", "upper limit +1", "probability of pass", "Imax"]
    {
        assert!(svg.contains(said), "{said}");
    }
    assert!(svg.contains("a &amp; &lt;b&gt; &quot;c&quot;.toml"));
}

/// Every element is closed in its order, every attribute quoted, no bare `&` or `<`, no number that is none.
fn well_formed(svg: &str) {
    let mut open = vec![];
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        let (text, more) = rest.split_at(at);
        assert!(!text.contains('>'), "a bare > in `{text}`");
        for (at, _) in text.match_indices('&') {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|e| text[at..].starts_with(e));
            assert!(known, "a bare & in `{text}`");
        }
        let end = more.find('>').expect("an element that ends");
        let tag = &more[1..end];
        assert!(!tag.contains('<') && tag.matches('"').count() % 2 == 0, "`{tag}`");
        let name = tag.trim_matches('/').split_whitespace().next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = &more[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} left open");
    assert!(svg.starts_with("<svg xmlns=") && !svg.contains("NaN") && !svg.contains("inf "), "{svg}");
}
