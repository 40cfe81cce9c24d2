//! The program at its front door: exit codes, JSON, messages to people who gave it something wrong.

mod support;

use std::fs;
use std::path::Path;
use support::{altered, json, phantomload, stderr};

fn data() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn verify(data: &Path, more: &[&str]) -> std::process::Output {
    let mut arguments = vec!["verify", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    phantomload(&arguments)
}

#[test]
fn verify_without_arguments_passes_and_leaves_a_package_that_replays() {
    let dir = data();
    let output = verify(dir.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = json(&output);
    assert_eq!((&told["verdict"], &told["simulated"]), (&"pass".into(), &true.into()));
    for key in ["certificate_no", "regulation", "plan_secs", "elapsed_secs", "record", "package"] {
        assert!(!told[key].is_null(), "{key}");
    }
    let items = told["items"].as_array().unwrap();
    assert!(items.len() >= 12);
    for key in [
        "item",
        "current_a",
        "voltage_v",
        "error_percent",
        "rounded_percent",
        "limit_percent",
        "expanded_u_percent",
        "verdict",
        "attempts",
    ] {
        assert!(items.iter().all(|item| item.get(key).is_some()), "{key}");
    }
    assert!((told["plan_secs"].as_f64().unwrap() - told["elapsed_secs"].as_f64().unwrap()).abs() < 5.0);
    let package = Path::new(told["package"].as_str().unwrap());
    for file in fs::read_dir(package).unwrap() {
        let path = file.unwrap().path();
        // Signatures over the manifest, which says so itself; a code that says so when it is read.
        if path.extension().is_some_and(|end| end == "p7s" || end == "jws") || path.ends_with("qr.txt") {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).to_lowercase();
        assert!(text.contains("simulated"), "{} does not say that it is simulated", path.display());
    }
    let replay = phantomload(&["replay", told["record"].as_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&replay.stdout).starts_with("identical"));
    let number = told["certificate_no"].as_str().unwrap();
    let shown = phantomload(&["certificate", "show", number, "--data", dir.path().to_str().unwrap()]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("SIMULATED") && shown.contains(number) && shown.contains("unconfirmed"),
        "{shown}"
    );
    let listed = phantomload(&["certificate", "list", "--json", "--data", dir.path().to_str().unwrap()]);
    assert_eq!(json(&listed).as_array().map(Vec::len), Some(1));
}

#[test]
fn exit_codes_tell_the_verdict() {
    let dir = data();
    let codes = [
        ("fast", 1),
        ("not-starting", 1),
        ("cover-opened", 4),
        ("standard-register", 0),
        ("led-off", 1),
        ("stale-power", 4),
        ("coarse-register", 4),
    ];
    for (meter, code) in codes {
        assert_eq!(verify(dir.path(), &["--meter", meter, "--json"]).status.code(), Some(code), "{meter}");
    }
    let entries = dir.path().join("entries.toml");
    fs::write(&entries, "operator = \"Li\"\nappearance = { ok = true }").unwrap();
    let undecided = verify(dir.path(), &["--entries", entries.to_str().unwrap(), "--json"]);
    assert_eq!(undecided.status.code(), Some(4), "function was not looked at");
    assert_eq!(json(&undecided)["verdict"], "undecided");
}

#[test]
fn a_record_that_was_changed_replays_as_different() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--json"]));
    let text = fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    let changed = dir.path().join("changed.json");
    fs::write(&changed, text.replacen("\"verdict\":\"pass\"", "\"verdict\":\"fail\"", 1)).unwrap();
    let replay = phantomload(&["replay", changed.to_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&replay.stdout).starts_with("DIFFERS"));
}

#[test]
fn plan_tells_the_total_and_what_forbids_ten_minutes() {
    let good = json(&phantomload(&["plan", "--json"]));
    assert_eq!(good["fits"], true);
    assert!(good["lower_bound_secs"].as_f64() < good["total_secs"].as_f64());
    assert!(good["steps"].as_array().unwrap().len() > 10);
    let slow = phantomload(&["plan", "--meter", "slow-pulses"]);
    assert_eq!(slow.status.code(), Some(0));
    let text = String::from_utf8_lossy(&slow.stdout).into_owned();
    assert!(text.contains("Does NOT fit") && text.contains("would bring the total to"), "{text}");
}

#[test]
fn wrong_input_is_told_by_name_and_ends_with_two() {
    let dir = data();
    let meter = |name: &str, from: &str, to: &str| {
        altered(dir.path(), name, "assets/demo/good.toml", &[(from, to)]).to_str().unwrap().to_owned()
    };
    let regulation = |name: &str, from: &str, to: &str| {
        altered(dir.path(), name, "assets/regulations/dc-meter.toml", &[(from, to)])
            .to_str()
            .unwrap()
            .to_owned()
    };
    let meters = [
        ("/no/such/meter.toml".to_owned(), "/no/such/meter.toml"),
        (meter("key.toml", "maker =", "makre ="), "makre"),
        (meter("neg.toml", "voltage_v = 750.0", "voltage_v = -750.0"), "voltage_v"),
        (meter("nan.toml", "voltage_v = 750.0", "voltage_v = nan"), "finite"),
        (meter("imin.toml", "imin_a = 5.0", "imin_a = 300.0"), "Imin 300 A is above Imax 250 A"),
        (meter("class.toml", "class = \"1\"", "class = \"7\""), "class `7`"),
        (meter("const.toml", "kwh = 4000.0", "kwh = 0.0"), "constant_imp_per_kwh"),
        (meter("imax.toml", "imax_a = 250.0", "imax_a = 900.0"), "not at 900 A"),
        (meter("un.toml", "voltage_v = 750.0", "voltage_v = 950.0"), "beyond the source"),
        (meter("model.toml", "profile = \"simulated-dc\"", "profile = \"nothing\""), "nothing"),
        (meter("address.toml", "address = \"202611210001\"", "address = \"12\""), "12 digits"),
    ];
    for (file, words) in &meters {
        refused(&verify(dir.path(), &["--meter", file]), words);
    }
    let regulations = [
        ("no-such-regulation".to_owned(), "no-such-regulation"),
        (regulation("unknown.toml", "[basic_error]", "surprise = 1\n[basic_error]"), "surprise"),
        (
            regulation(
                "figure.toml",
                "provenance = \"unconfirmed\", note = \"read for AC",
                "note = \"read for AC",
            ),
            "provenance",
        ),
    ];
    for (file, words) in &regulations {
        refused(&verify(dir.path(), &["--regulation", file]), words);
    }
    refused(&verify(dir.path(), &["--kind", "sometimes"]), "sometimes");
    refused(&verify(dir.path(), &["--pace", "-1"]), "pace");
    refused(&verify(dir.path(), &["--entries", "/no/such/entries.toml"]), "/no/such/entries.toml");
    refused(&verify(dir.path(), &["--bench", "/no/such/bench.toml"]), "/no/such/bench.toml");
    refused(&phantomload(&["replay", "/no/such/record.json"]), "/no/such/record.json");
    refused(&phantomload(&["certificate", "show", "PL-1", "--data", dir.path().to_str().unwrap()]), "PL-1");
    refused(&phantomload(&["meter", "read", "--link", "/dev/no-such-line"]), "/dev/no-such-line");
    refused(&phantomload(&["meter", "read", "--link", "tcp:127.0.0.1"]), "tcp:127.0.0.1");
    assert!(
        fs::read_dir(dir.path().join("packages")).map_or(0, Iterator::count) == 0,
        "nothing was half-written"
    );
}

fn refused(output: &std::process::Output, words: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{words}: {said}");
    assert!(said.contains(words), "`{words}` is not in: {said}");
}

#[test]
fn a_bench_file_that_names_an_absent_device_is_refused_before_anything_is_switched() {
    let dir = data();
    let bench = dir.path().join("bench.toml");
    let text = "schema = 1\nsimulated = true\n\
        [source]\nprofile = \"simulated-source\"\nlink = \"/dev/no-such-source\"\n\
        [reference]\nprofile = \"simulated-reference\"\nlink = \"tcp:127.0.0.1:1\"\n\
        [pulse]\nlink = \"tcp:127.0.0.1:1\"\n";
    fs::write(&bench, text).unwrap();
    refused(
        &verify(dir.path(), &["--meter", "good", "--bench", bench.to_str().unwrap()]),
        "/dev/no-such-source",
    );
    fs::write(&bench, text.replace("[pulse]", "[pluse]")).unwrap();
    refused(&verify(dir.path(), &["--meter", "good", "--bench", bench.to_str().unwrap()]), "pluse");
    fs::write(&bench, text.replace("simulated-source", "no-profile.toml")).unwrap();
    refused(&verify(dir.path(), &["--meter", "good", "--bench", bench.to_str().unwrap()]), "no-profile.toml");
}

#[test]
fn a_record_that_hides_its_simulation_is_refused() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--json"]));
    let text = fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    let changed = dir.path().join("changed.json");
    fs::write(&changed, text.replacen("\"simulated\":true", "\"simulated\":false", 1)).unwrap();
    refused(&phantomload(&["replay", changed.to_str().unwrap()]), "does not say SIMULATED");
    refused(&phantomload(&["certificate", "show", changed.to_str().unwrap()]), "does not say SIMULATED");
}

#[test]
fn a_stored_record_that_was_altered_is_told_when_it_is_asked_for_by_number() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--json"]));
    let (record, number) = (told["record"].as_str().unwrap(), told["certificate_no"].as_str().unwrap());
    let text = fs::read_to_string(record).unwrap();
    fs::write(record, text.replacen("DEMO-CHARGER-01", "OTHER-CHARGER-1", 1)).unwrap();
    let replay = phantomload(&["replay", number, "--data", dir.path().to_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(1));
    assert!(stderr(&replay).contains("altered"), "{}", stderr(&replay));
}

#[test]
fn nobody_at_the_terminal_loses_no_record() {
    let dir = data();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_phantomload"));
    program.args(["verify", "--data", dir.path().to_str().unwrap()]).stderr(full);
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::read_dir(dir.path().join("packages")).unwrap().next().is_some());
}

#[test]
fn figures_that_would_let_everything_pass_are_refused() {
    let dir = data();
    let rounding = altered(
        dir.path(),
        "rounding.toml",
        "assets/regulations/dc-meter.toml",
        &[("rounding_percent = { value = 0.1,", "rounding_percent = { value = 100.0,")],
    );
    refused(&verify(dir.path(), &["--regulation", rounding.to_str().unwrap()]), "rounding_percent");
    let many =
        altered(dir.path(), "many.toml", "assets/demo/good.toml", &[("kwh = 4000.0", "kwh = 9000000.0")]);
    refused(&verify(dir.path(), &["--meter", many.to_str().unwrap()]), "pulses a second");
    let odd = altered(dir.path(), "odd.toml", "assets/demo/good.toml", &[("[0.4, 1.2]", "[0.4, nan]")]);
    refused(&verify(dir.path(), &["--meter", odd.to_str().unwrap()]), "truth");
}

#[test]
fn a_regulation_about_other_meters_gives_no_certificate() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--regulation", "jjg596-2026", "--json"]));
    assert_eq!((&told["verdict"], &told["document"]), (&"pass".into(), &"test_report".into()));
    let ac = altered(
        dir.path(),
        "ac.toml",
        "assets/demo/good.toml",
        &[("class = \"1\"", "class = \"B\"\nsupply = \"ac\"")],
    );
    let told = json(&verify(
        dir.path(),
        &["--regulation", "jjg596-2026", "--meter", ac.to_str().unwrap(), "--json"],
    ));
    assert_eq!(told["document"], "verification_certificate", "{}", told["why_no_certificate"]);
}

/// A bench file with certificates of its own, in a folder; its lines lead nowhere.
fn bench_with(dir: &Path, certificates: &str, profile: &str) -> String {
    let path = dir.join("bench.toml");
    let text = format!(
        "schema = 1\n{certificates}[source]\nprofile = \"{profile}source{}\"\nlink = \"tcp:127.0.0.1:1\"\n\
         [reference]\nprofile = \"{profile}reference{}\"\nlink = \"tcp:127.0.0.1:1\"\n[pulse]\nlink = \"tcp:127.0.0.1:1\"\n",
        if profile == "real-" { ".toml" } else { "" },
        if profile == "real-" { ".toml" } else { "" },
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const CERTIFICATES: &str = "[calibration]\nreference = \"reference.toml\"\ntime_base = \"time-base.toml\"\n";
const REFERENCE: &str = "calibration/simulated-reference.toml";
const TIME_BASE: &str = "calibration/simulated-time-base.toml";

#[test]
fn a_certificate_past_due_is_told_before_the_run_and_makes_a_test_report_of_the_paper() {
    let dir = data();
    let bench = bench_with(dir.path(), CERTIFICATES, "simulated-");
    altered(dir.path(), "time-base.toml", TIME_BASE, &[]);
    altered(
        dir.path(),
        "reference.toml",
        REFERENCE,
        &[("due_on = \"2099-12-31\"", "due_on = \"2026-02-01\"")],
    );
    let words = "certificate SIMULATED-REF-1 was due on 2026-02-01; have it calibrated again";
    let planned = phantomload(&["plan", "--meter", "good", "--bench", &bench]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    let said = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(said.contains("No certificate today: ") && said.contains(words), "{said}");
    let told = json(&phantomload(&["plan", "--meter", "good", "--bench", &bench, "--json"]));
    assert!(told["calibration_problems"][0].as_str().unwrap().contains(words), "{told:#}");

    // A run that would give a verification certificate gives none by such a standard.
    let ac = altered(
        dir.path(),
        "ac.toml",
        "assets/demo/good.toml",
        &[("class = \"1\"", "class = \"B\"\nsupply = \"ac\"")],
    );
    let told = json(&verify(
        dir.path(),
        &["--regulation", "jjg596-2026", "--meter", ac.to_str().unwrap(), "--json"],
    ));
    assert_eq!(told["document"], "verification_certificate");
    let text = fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    assert!(text.contains("\"due_on\":\"2099-12-31\""));
    let due = dir.path().join("due.json");
    fs::write(&due, text.replacen("\"due_on\":\"2099-12-31\"", "\"due_on\":\"2026-02-01\"", 1)).unwrap();
    let shown = phantomload(&["certificate", "show", due.to_str().unwrap()]);
    let paper = String::from_utf8_lossy(&shown.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(paper.contains("检测报告 Test report") && paper.contains("was due on 2026-02-01"), "{paper}");
}

#[test]
fn a_missing_certificate_a_point_outside_it_and_a_figure_that_is_none_are_refused_with_their_reason() {
    let dir = data();
    let plan = |bench: &str| phantomload(&["plan", "--meter", "good", "--bench", bench]);
    altered(dir.path(), "time-base.toml", TIME_BASE, &[]);
    let bench = bench_with(dir.path(), CERTIFICATES, "simulated-");
    refused(&plan(&bench), "reference.toml");
    altered(dir.path(), "reference.toml", TIME_BASE, &[]);
    refused(&plan(&bench), "where a reference meter is needed");

    let narrow = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(REFERENCE)).unwrap();
    let beyond = ["200", "400", "600", "630"].map(|a| format!("current_a = {a},"));
    let narrow: Vec<_> = narrow.lines().filter(|line| !beyond.iter().any(|b| line.contains(b))).collect();
    fs::write(dir.path().join("reference.toml"), narrow.join("\n")).unwrap();
    refused(&plan(&bench), "not at 250 A");

    for (from, to) in [("expanded_u_percent = 0.02", "expanded_u_percent = nan"), ("k = 2", "k = inf")] {
        altered(dir.path(), "reference.toml", REFERENCE, &[(from, to)]);
        refused(&plan(&bench), &to.replace(" = nan", " is NaN").replace(" = inf", " is inf"));
    }

    // Devices that are real, and nobody vouches for them.
    for device in ["source", "reference"] {
        let file = format!("assets/instruments/simulated-{device}.toml");
        altered(
            dir.path(),
            &format!("real-{device}.toml"),
            &file,
            &[("simulated = true\n", ""), ("PHANTOMLOAD,SIMULATED", "MAKER,REAL")],
        );
    }
    refused(
        &plan(&bench_with(dir.path(), "", "real-")),
        "no [calibration]: give `reference` and `time_base`",
    );
}

#[test]
fn a_budget_component_that_is_no_number_is_refused_by_its_name() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--json"]));
    let text = fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    let at = text.find("\"label\":\"reference certificate\"").unwrap();
    let u = at + text[at..].find("\"u\":").unwrap() + "\"u\":".len();
    let end = u + text[u..].find(',').unwrap();
    let changed = dir.path().join("changed.json");
    // JSON knows no NaN: writers put null in its place.
    fs::write(&changed, format!("{}null{}", &text[..u], &text[end..])).unwrap();
    refused(&phantomload(&["replay", changed.to_str().unwrap()]), "expected f64");
    fs::write(&changed, format!("{}-0.5{}", &text[..u], &text[end..])).unwrap();
    let replay = phantomload(&["replay", changed.to_str().unwrap(), "--json"]);
    assert_eq!(replay.status.code(), Some(1));
    let told = json(&replay);
    let words = "uncertainty component `reference certificate` is -0.5; it must be a number not below zero";
    let budgets = told["budgets"].as_array().unwrap();
    assert!(budgets.iter().any(|b| b["reason"] == words && b["agree"].is_null()), "{told:#}");
}

#[test]
fn replay_holds_each_budget_against_the_monte_carlo() {
    let dir = data();
    let told = json(&verify(dir.path(), &["--json", "--kind", "in-service"]));
    let record = told["record"].as_str().unwrap();
    let replay = phantomload(&["replay", record, "--json"]);
    assert_eq!(replay.status.code(), Some(0));
    let replayed = json(&replay);
    let budgets = replayed["budgets"].as_array().unwrap();
    let numbers =
        told["items"].as_array().unwrap().iter().filter(|i| !i["probability_of_conformity"].is_null());
    assert_eq!(budgets.len(), numbers.count());
    for budget in budgets {
        let number = |key: &str| budget[key].as_f64().unwrap_or_else(|| panic!("{key} in {budget:#}"));
        let apart = |side: &str| number(&format!("law_{side}")) - number(&format!("monte_carlo_{side}"));
        let worse = apart("low").abs().max(apart("high").abs());
        match budget["agree"].as_bool() {
            Some(agree) => assert_eq!(agree, worse <= number("tolerance"), "{budget:#}"),
            None => assert!(!budget["reason"].is_null(), "{budget:#}"),
        }
    }
    let text = String::from_utf8_lossy(&phantomload(&["replay", record]).stdout).into_owned();
    assert!(text.starts_with("identical") && text.contains("JCGM 101 clause 8"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), budgets.len(), "{text}");
    assert!(json(&phantomload(&["replay", record, "--json", "--no-monte-carlo"]))["budgets"].is_null());
}

#[test]
fn the_rule_is_data_of_the_profile_and_a_wrong_one_is_refused_with_what_is_allowed() {
    let dir = data();
    let with = |rule: &str| {
        let value = format!("value = \"{rule}\"");
        let file = altered(
            dir.path(),
            "rule.toml",
            "assets/regulations/dc-meter.toml",
            &[("value = \"rounded\"", &value)],
        );
        verify(dir.path(), &["--json", "--kind", "in-service", "--regulation", file.to_str().unwrap()])
    };
    let told = json(&with("non-binary 1 U"));
    assert_eq!(told["rule"]["rule"], "non_binary");
    assert_eq!(told["rule"]["r"], 1.0);
    let numbers: Vec<_> =
        told["items"].as_array().unwrap().iter().filter(|i| i["item"] == "basic_error").collect();
    for item in numbers {
        assert_eq!((&item["zone"], &item["verdict"]), (&"pass".into(), &"pass".into()), "{item:#}");
        for key in ["specific_risk", "global_false_accept", "global_false_reject"] {
            assert!((0.0..0.05).contains(&item[key].as_f64().unwrap()), "{key}: {item:#}");
        }
    }
    for rule in ["guarded", "guarded 0 U", "guarded 9 U", "guarded nan U", "strict"] {
        refused(&with(rule), "write `rounded`, `simple`, `guarded 1 U` or `non-binary 1 U`");
    }
}
