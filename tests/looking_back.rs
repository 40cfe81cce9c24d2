//! Looking back, and the operator's pre-check, at the program's front door.

#[path = "support/papers.rs"]
mod papers;
#[path = "support/served.rs"]
mod served;
#[path = "support/simulated.rs"]
mod simulated;
mod support;

use jiff::{ToSpan, civil::Date};
use phantomload::certificate::chain::{Clock, Entry, Kind, NONE_BEFORE, VERSION};
use phantomload::certificate::csv::{Standing, register_header, register_row};
use phantomload::certificate::issue::Status;
use phantomload::certificate::package;
use phantomload::certificate::record::Record;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use support::{json, phantomload, stderr};

fn data() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn run(dir: &Path, arguments: &[&str]) -> std::process::Output {
    let mut all = arguments.to_vec();
    all.extend(["--data", dir.to_str().unwrap()]);
    phantomload(&all)
}

fn told(dir: &Path, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.push("--json");
    let output = run(dir, &all);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    json(&output)
}

fn text(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A meter that was verified on these days and whose errors had moved by so much on each: a data folder as the program
/// leaves it, but for its chain.
fn years(visits: &[(&str, f64)]) -> tempfile::TempDir {
    let dir = data();
    let first = papers::approved("good");
    let mut register = register_header().unwrap();
    for (n, (day, moved)) in visits.iter().enumerate() {
        let number = format!("PL-{}-{:06}", &day[..4], n + 1);
        let record = visit(&first, &number, day, *moved);
        let issue = phantomload::certificate::issue::Issue {
            certificate_no: number.clone(),
            ..papers::issued(&record)
        };
        let record_json = record.to_json().unwrap().into_bytes();
        let folder = dir.path().join("issued").join(&number);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(package::RECORD), &record_json).unwrap();
        for (name, bytes) in package::kept(&record, &issue).unwrap() {
            fs::write(folder.join(name), bytes).unwrap();
        }
        let manifest = Entry {
            v: VERSION,
            seq: n as u64 + 1,
            prev: NONE_BEFORE.to_owned(),
            device: "PL-1".into(),
            kind: Kind::Issue,
            record: Some(record.record_no.clone()),
            cert: Some(number.clone()),
            time: record.started.to_string(),
            clock: Clock { source: "system".into(), age_s: None },
            verdict: Some("pass".into()),
            said: BTreeMap::new(),
            files: BTreeMap::new(),
            alg: "none".into(),
            key_id: String::new(),
        };
        let sha256 = format!("{n:064x}");
        let standing =
            Standing { status: Status::Issued, issue: &issue, manifest: &manifest, manifest_sha256: &sha256 };
        register.extend(register_row(&record, n as u64 + 1, &standing).unwrap());
    }
    fs::write(dir.path().join("register.csv"), register).unwrap();
    dir
}

fn visit(record: &Record, number: &str, day: &str, moved: f64) -> Record {
    papers::changed(record, |record| {
        record["certificate_no"] = number.into();
        record["record_no"] = number.replacen("PL-", "PL-R-", 1).into();
        record["started"] = format!("{day}T10:00:00.000+08:00").into();
        for item in record["results"]["items"].as_array_mut().unwrap() {
            if item["item"] == "basic_error" {
                item["measured"]["estimate"]["value"] = json!(moved);
            }
        }
    })
}

fn basic_errors(history: &Value) -> Vec<&Value> {
    let drifts = history[0]["drifts"].as_array().unwrap();
    drifts.iter().filter(|drift| drift["item"] == "basic_error").collect()
}

#[test]
fn a_meter_of_four_years_says_when_it_would_reach_its_limit() {
    let visits = [("2023-11-20", 0.10), ("2024-11-20", 0.30), ("2025-11-20", 0.50), ("2026-11-20", 0.70)];
    let dir = years(&visits);
    let history = told(dir.path(), &["history", "PL-2024-000002"]);
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["visits"].as_array().unwrap().len(), 4);
    let drifts = basic_errors(&history);
    assert!(drifts.len() >= 3, "{drifts:?}");
    let last: Date = "2026-11-20".parse().unwrap();
    for drift in drifts {
        let outlook = &drift["outlook"];
        let limit = drift["limit"].as_f64().unwrap();
        let slope = drift["line"]["per_year"].as_f64().unwrap();
        assert!((slope - 0.2).abs() < 0.002, "{drift}");
        if limit <= 0.7 {
            assert_eq!(outlook["says"], "beyond", "{drift}");
            continue;
        }
        // A line of two tenths a year from 0.7 %.
        let due = last
            .checked_add(((limit - 0.7) / 0.2 * 365.25).round().to_string().parse::<i64>().unwrap().days());
        match outlook["says"].as_str().unwrap() {
            "reaches" => {
                let on: Date = outlook["on"].as_str().unwrap().parse().unwrap();
                assert!((on - due.unwrap()).get_days().abs() <= 15, "{drift}");
                assert!(outlook["not_before"].as_str() <= outlook["on"].as_str());
            }
            other => panic!("{other}: {drift}"),
        }
    }
    let page = text(dir.path(), &["history", "PL-2024-000002"]);
    assert!(page.contains("An estimate, no finding") && page.contains("it would reach ±1 % on 20"), "{page}");
    assert!(page.contains("the last two visits") && page.contains("E_n"), "{page}");
    assert!(!page.contains("SIMULATED"), "{page}");
    // The same by the meter's number, and by its charger.
    let serial = history[0]["meter"]["serial"].as_str().unwrap();
    let charger = history[0]["visits"][0]["charger"].as_str().unwrap();
    for wanted in [serial, charger] {
        assert_eq!(told(dir.path(), &["history", wanted]), history, "{wanted}");
    }
}

#[test]
fn two_visits_are_compared_and_state_no_day() {
    let dir = years(&[("2025-11-20", 0.10), ("2026-11-20", 0.50)]);
    let both = told(dir.path(), &["history", "PL-2025-000001"]);
    for drift in basic_errors(&both) {
        assert_eq!(drift["outlook"]["says"], "too_few", "{drift}");
    }
    let pairs = both[0]["last_two"]["pairs"].as_array().unwrap();
    let moved = pairs.iter().filter(|pair| pair["item"] == "basic_error");
    for pair in moved {
        let by_hand = 0.4 / (pair["before_u"].as_f64().unwrap().hypot(pair["after_u"].as_f64().unwrap()));
        assert!((pair["e_n"].as_f64().unwrap() - by_hand).abs() < 1e-6, "{pair}");
        // Both were made with one certificate: the change is seen more sharply.
        assert!(pair["e_n_shared"].as_f64().unwrap() > pair["e_n"].as_f64().unwrap(), "{pair}");
    }
    let page = text(dir.path(), &["history", "PL-2025-000001"]);
    assert!(page.contains("no day is stated: 2 of 3 visits that a line needs"), "{page}");
}

#[test]
fn runs_of_the_program_are_compared_and_a_stranger_is_refused_in_words() {
    let dir = data();
    // The demo meters are one meter in many states.
    let other = support::altered(
        dir.path(),
        "fast.toml",
        "assets/demo/fast.toml",
        &[("202611210001", "202611210009")],
    );
    let other = other.to_str().unwrap();
    for (meter, code) in [("good", 0), ("good", 0), (other, 1)] {
        let seed = if meter == "good" { "3" } else { "4" };
        let made = run(dir.path(), &["verify", "--meter", meter, "--seed", seed, "--json"]);
        assert_eq!(made.status.code(), Some(code), "{}", stderr(&made));
    }
    let numbers: Vec<String> = told(dir.path(), &["certificate", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["certificate_no"].as_str().unwrap().to_owned())
        .collect();
    let [fast, second, first] = &numbers[..] else { panic!("{numbers:?}") };
    let same = told(dir.path(), &["compare", first, second]);
    assert_eq!(same["same_meter"], true);
    assert!(
        same["pairs"].as_array().unwrap().iter().all(|pair| pair["e_n"].as_f64().unwrap() < 1.0),
        "{same}"
    );
    // The same whatever the order.
    assert_eq!(told(dir.path(), &["compare", second, first]), same);
    let other = told(dir.path(), &["compare", first, fast]);
    assert_eq!(other["same_meter"], false);
    let page = text(dir.path(), &["compare", first, fast]);
    assert!(page.contains("TWO DIFFERENT METERS") && page.contains("CHANGED"), "{page}");
    for (arguments, words) in [
        (vec!["compare", first, "SIM-2026-009999"], "SIM-2026-009999"),
        (vec!["history", "nowhere"], "no visit of `nowhere`"),
        (vec!["history", ""], "no visit of ``"),
    ] {
        let refused = run(dir.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    }
    let board = told(dir.path(), &["board", "--today", "2026-11-21"]);
    assert_eq!(board["red"], 1, "{board}");
    assert_eq!(board["cards"][0]["colour"], "red");
    let page = text(dir.path(), &["board"]);
    assert!(page.contains("RED") && page.contains("it failed") && page.contains("SIMULATED"), "{page}");
    assert!(page.contains("energy by day and month: absent"), "{page}");
    // What was counted once is remembered, and counts the same.
    assert!(dir.path().join("board.cache").is_file());
    assert_eq!(told(dir.path(), &["board", "--today", "2026-11-21"]), board);
    fs::write(dir.path().join("board.cache"), "{nonsense").unwrap();
    assert_eq!(told(dir.path(), &["board", "--today", "2026-11-21"]), board);
}

#[test]
fn an_overdue_charger_is_red_and_one_due_soon_is_yellow() {
    let dir = years(&[("2026-11-20", 0.10)]);
    let colours = ["2027-01-01", "2029-09-19", "2029-09-20", "2029-11-19", "2029-11-20"].map(|today| {
        let board = told(dir.path(), &["board", "--today", today]);
        board["cards"][0]["colour"].as_str().unwrap().to_owned()
    });
    let findings = told(dir.path(), &["board"])["cards"][0]["findings"].as_u64().unwrap();
    let calm = if findings == 0 { "green" } else { "yellow" };
    assert_eq!(colours, [calm, calm, "yellow", "yellow", "red"], "valid until 2029-11-19");
}

#[test]
fn a_pre_check_takes_three_minutes_has_no_number_and_says_so_everywhere() {
    let dir = data();
    for (meter, code, seen) in
        [("good", 0, "NOTHING FOUND"), ("fast", 1, "FINDINGS"), ("bad-at-imin", 1, "FINDINGS")]
    {
        let output = run(dir.path(), &["precheck", "--meter", meter]);
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{meter}: {page}{}", stderr(&output));
        assert!(page.contains("PRE-CHECK 预检") && page.contains(seen), "{page}");
        assert!(page.contains("not a certificate 不是检定证书; left out: "), "{page}");
        assert!(!page.contains("SIM-2026-"), "a number that could be looked up: {page}");
    }
    let told = json(&run(dir.path(), &["precheck", "--json"]));
    assert_eq!(
        (&told["verdict"], &told["certificate_no"], &told["document"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(told["pre_check"], true);
    assert!(
        told["plan_secs"].as_f64().unwrap() <= 180.0 && told["elapsed_secs"].as_f64().unwrap() <= 190.0,
        "{told}"
    );
    assert!(told["items"].as_array().unwrap().iter().any(|item| item["verdict"] == "pass"));
    assert!(told["left_out"].as_array().unwrap().iter().any(|item| item == "creep"));
    // On the paper too: at the head and the foot of each page; no package, no code, no row of the register.
    let folder = Path::new(told["package"].as_str().unwrap());
    let names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let paper = names.iter().find(|name| name.ends_with("_report.txt")).unwrap();
    let paper = fs::read_to_string(folder.join(paper)).unwrap();
    let (heads, marks) =
        (paper.matches("预检记录 PRE-CHECK").count(), paper.matches("不是检定证书 ***").count());
    assert!(heads > 0 && marks == 2 * heads, "{heads} {marks} {paper}");
    assert!(!paper.contains("DRAFT") && paper.contains("No verdict, no certificate"), "{paper}");
    assert!(!dir.path().join("register.csv").exists());
    assert_eq!(json(&run(dir.path(), &["certificate", "list", "--json"])), json!([]));
    let number = told["record_no"].as_str().unwrap();
    let replay = phantomload(&["replay", told["record"].as_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));
    // Nothing of it can be made a paper, issued or labelled.
    for arguments in [
        vec!["certificate", "papers", number],
        vec!["certificate", "label", number],
        vec!["certificate", "papers", told["record"].as_str().unwrap()],
    ] {
        let refused = run(dir.path(), &arguments);
        assert_ne!(refused.status.code(), Some(0), "{arguments:?}");
    }
    // The chain holds it, and goes on behind it.
    let chain = run(dir.path(), &["verify", "--json"]);
    assert_eq!(chain.status.code(), Some(0), "{}", stderr(&chain));
}

#[test]
fn the_status_panel_of_a_bench_file_shows_the_verdict_when_the_run_is_over() {
    let (served, dir) = (served::Served::start(&["--pace", "4"]), data());
    let bench = fs::read_to_string(served.path("bench.toml")).unwrap();
    let with = |name: &str, panel: &str| {
        let path = served.path(name);
        fs::write(&path, format!("{bench}\n[panel]\n{panel}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shown = with("shown.toml", "png = \"panel.png\"\nlanguage = \"en\"");
    let tried = phantomload(&["bench", "panel", &shown]);
    assert_eq!(tried.status.code(), Some(0), "{}", stderr(&tried));
    let ready = fs::read(served.path("panel.png")).unwrap();
    let short = support::short_regulation(dir.path());
    let arguments = ["precheck", "--bench", &shown, "--regulation", short.to_str().unwrap(), "--json"];
    let made = run(dir.path(), &arguments);
    assert!(made.status.code().is_some_and(|code| code <= 4 && code != 2), "{}", stderr(&made));
    let ended = fs::read(served.path("panel.png")).unwrap();
    assert!(ended.starts_with(b"\x89PNG") && ended != ready);
    // A bus that is not there is told once, and the answer is a fault of the panel alone.
    let none = with("none.toml", "i2c = 251");
    let tried = phantomload(&["bench", "panel", &none]);
    assert_eq!(tried.status.code(), Some(3));
    assert!(stderr(&tried).contains("/dev/i2c-251 cannot be opened"), "{}", stderr(&tried));
    let nothing = phantomload(&["bench", "panel", served.path("bench.toml").to_str().unwrap()]);
    assert!(stderr(&nothing).contains("names no status panel"), "{}", stderr(&nothing));
}
