//! Energy by month and day: read by the real driver over the simulated meter's line, kept in the record, and shown where an
//! operator looks for it. A meter that does not give it says so in words.

#[path = "support/served.rs"]
mod served;
#[path = "support/simulated.rs"]
mod simulated;
#[path = "support/stage.rs"]
mod stage;
mod support;

use phantomload::certificate::record::Record;
use phantomload::history::{Board, History, Visit};
use phantomload::regulation::Kind;
use phantomload::screen::Language;
use phantomload::screen::desk::port::Told;
use phantomload::screen::port::News;
use serde_json::{Value, json};
use served::Served;
use std::path::{Path, PathBuf};
use support::{altered, json, phantomload, short_regulation, stderr};

fn run(dir: &Path, arguments: &[&str]) -> std::process::Output {
    let mut all = arguments.to_vec();
    all.extend(["--data", dir.to_str().unwrap()]);
    phantomload(&all)
}

fn told(dir: &Path, arguments: &[&str]) -> Value {
    let output = run(dir, &[arguments, &["--json"]].concat());
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    json(&output)
}

fn text(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The good demo meter with another data output.
fn with_output(dir: &Path, name: &str, replace: &[(&str, &str)]) -> PathBuf {
    altered(dir, name, "assets/demo/good.toml", replace)
}

#[test]
fn a_pre_check_and_a_verification_tell_the_months_and_days_that_the_meter_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let checked = told(dir.path(), &["precheck", "--meter", "good"]);
    assert!(checked["elapsed_secs"].as_f64().unwrap() <= 180.0, "it made the pre-check no longer: {checked}");
    let history = told(dir.path(), &["history", "202611210001"]);
    let energy = &history[0]["energy"];
    assert_eq!(energy["absent"], json!([]), "{energy}");
    let months = energy["months"].as_array().unwrap();
    // Twelve settlements are eleven months, and what has come since the last.
    assert_eq!(months.len(), 12, "{energy}");
    assert_eq!((&months[0]["running"], &months[1]["running"]), (&json!(true), &json!(false)));
    let kwh = |used: &Value| used["kwh"].as_str().unwrap().to_owned();
    assert_eq!((kwh(&months[1]), kwh(&months[11])), ("509.15".into(), "530.10".into()), "{energy}");
    let days = energy["days"].as_array().unwrap();
    assert_eq!((days.len(), kwh(&days[1])), (8, "13.15".into()), "{energy}");
    let from = energy["from"].to_string();
    for words in ["00010001", "04000B01: not confirmed", "05060101: not confirmed"] {
        assert!(from.contains(words), "{from}");
    }
    // Months end at the first of a month at midnight, days one after the other.
    for pair in months[1..].windows(2) {
        assert_eq!(pair[0]["from"], pair[1]["to"], "{pair:?}");
        assert!(pair[0]["to"].as_str().unwrap().ends_with("-01T00:00:00"), "{pair:?}");
    }
    let page = text(dir.path(), &["history", "202611210001"]);
    assert!(
        page.contains("509.15") && page.contains("not over yet") && page.contains("from 00010001"),
        "{page}"
    );
    // The record is the same when it is computed anew.
    let replay = phantomload(&["replay", checked["record"].as_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));

    // A verification asks too; both together say each month once.
    told(dir.path(), &["verify", "--meter", "good"]);
    let both = told(dir.path(), &["history", "DEMO-CHARGER-01"]);
    assert_eq!(both[0]["energy"]["months"].as_array().unwrap().len(), 12);
    let board = told(dir.path(), &["board"]);
    let card = &board["cards"][0]["energy"];
    assert_eq!(card["month"]["kwh"], "509.15", "{board}");
    assert_eq!(card["day"]["kwh"], "13.15", "{board}");
    let page = text(dir.path(), &["board"]);
    assert!(page.contains("509.15 kWh") && !page.contains("absent"), "{page}");
    // What was read once is remembered, and says the same; so does nonsense in its place.
    for bytes in ["{", "{\"SIM-R-2026-000001\": 7}"] {
        for name in ["energy.cache", "board.cache"] {
            assert!(dir.path().join(name).is_file(), "{name}");
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        assert_eq!(told(dir.path(), &["board"]), board);
        assert_eq!(told(dir.path(), &["history", "DEMO-CHARGER-01"]), both);
    }
}

#[test]
fn a_meter_that_gives_none_says_so_in_words_and_the_run_is_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let modbus = with_output(
        dir.path(),
        "modbus.toml",
        &[
            ("\"dlt645-2007\"", "\"modbus-rtu\""),
            ("\"simulated-dc\"", "\"simulated-dc-modbus\""),
            ("address = \"202611210001\"", "address = \"1\""),
        ],
    );
    for (meter, words) in
        [("clock-off", "no requested data"), (modbus.to_str().unwrap(), "simulated-dc-modbus")]
    {
        let data = tempfile::tempdir().unwrap();
        let made = told(data.path(), &["verify", "--meter", meter]);
        let history = told(data.path(), &["history", "202611210001"]);
        let energy = &history[0]["energy"];
        assert_eq!(energy["months"], json!([]), "{meter}: {energy}");
        assert!(energy["absent"].to_string().contains(words), "{meter}: {energy}");
        let page = text(data.path(), &["history", "202611210001"]);
        assert!(page.contains("absent: forward active energy at the 1. last settlement: "), "{page}");
        assert!(text(data.path(), &["board"]).contains("energy by day and month: absent"));
        // No finding of it: it is no business of a verification.
        assert!(!made["findings"].to_string().contains("settlement"), "{made}");
    }
}

#[test]
fn it_comes_over_a_real_line_too_and_makes_the_run_no_longer() {
    let served = Served::start(&["--meter", "good", "--pace", "4"]);
    let regulation = short_regulation(served.dir());
    let (bench, data) = (served.path("bench.toml"), served.path("data"));
    let arguments =
        ["precheck", "--bench", bench.to_str().unwrap(), "--regulation", regulation.to_str().unwrap()];
    let checked = told(&data, &arguments);
    let (planned, took) = (checked["plan_secs"].as_f64().unwrap(), checked["elapsed_secs"].as_f64().unwrap());
    assert!(took < planned + 5.0, "planned {planned}, took {took}");
    let history = told(&data, &["history", "202611210001"]);
    let months = history[0]["energy"]["months"].as_array().unwrap();
    assert_eq!(months[1]["kwh"], "509.15", "{history}");
    println!("{} months, {} days", months.len(), history[0]["energy"]["days"].as_array().unwrap().len());
}

#[test]
fn a_record_from_before_opens_and_says_nothing_of_it() {
    let record = simulated::record("good", "dc-meter", Kind::Subsequent, 1);
    assert_eq!(record.results.energy_log.as_ref().unwrap().months.len(), 12);
    let mut old: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
    old["results"].as_object_mut().unwrap().remove("energy_log");
    let old = Record::from_json("old", &old.to_string()).unwrap();
    let again: Value = serde_json::from_str(&old.to_json().unwrap()).unwrap();
    assert_eq!(again["results"].get("energy_log"), None);
    let visit = Visit::of(&old, "SIM-2026-000001", "issued");
    assert_eq!(History::of(visit.meter.clone(), vec![visit], vec![]).energy, None);
}

/// What the screen shows of runs of these demo meters.
fn shown(meter: &str) -> (Board, History) {
    let dir = tempfile::tempdir().unwrap();
    told(dir.path(), &["verify", "--meter", meter]);
    let today = "2026-11-22".parse().unwrap();
    let board = phantomload::history::board::board(dir.path(), today).unwrap();
    (board, phantomload::history::of(dir.path(), "202611210001").unwrap().remove(0))
}

#[test]
fn board_and_history_show_it_on_all_screens_in_both_languages() {
    let words =
        |language, zh: &'static str, en: &'static str| if language == Language::Chinese { zh } else { en };
    for (meter, gives) in [("good", true), ("clock-off", false)] {
        let (board, history) = shown(meter);
        for size in stage::SIZES {
            for language in [Language::Chinese, Language::English] {
                let what = |page: &str| format!("{meter}, {page}, {size:?}, {language:?}");
                let mut stage = stage::Stage::new(size, stage::options(language));
                let readable = |stage: &stage::Stage, page: &str| {
                    let wrong = stage.unreadable();
                    assert!(wrong.is_empty(), "{}:\n{}", what(page), wrong.join("\n"));
                };
                let tell = |stage: &mut stage::Stage, told: Told| {
                    stage.backstage.tell(News::Desk(told));
                    stage.look();
                    stage.look();
                };
                stage.press(words(language, "实验室", "Lab"));
                stage.press(words(language, "充电桩看板", "Board"));
                tell(&mut stage, Told::Board(Ok(board.clone())));
                readable(&stage, "board");
                assert_eq!(stage.said("509.15 kWh"), gives, "{}", what("board"));
                stage.press("DEMO-CHARGER-01 1");
                tell(&mut stage, Told::History(Ok(vec![history.clone()])));
                readable(&stage, "history");
                stage.press(words(language, "按月电量", "Energy by month"));
                readable(&stage, "energy");
                assert_eq!(stage.said("509.15 kWh"), gives, "{}", what("energy"));
                let absent = words(language, "电能表不提供", "The meter does not give it");
                assert_eq!(stage.said(absent), !gives, "{}", what("energy"));
                stage.press(words(language, "返回", "Back"));
            }
        }
    }
}
