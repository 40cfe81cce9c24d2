//! The tester itself, through the front door: the self test, and what laboratories found when they verified it.

mod support;

use std::fs;
use std::path::Path;
use support::{json, phantomload, stderr};

const FOUND: &str = r#"
schema = 1
tester = "PL-0007"
performed_on = "2026-11-20"
laboratory = "Some laboratory"
standard = "Higher standard, certificate 123"
class_percent = 0.05
[[point]]
item = "energy_error"
at = "500 V, 100 A"
errors = [0.010, 0.014]
expanded_u = 0.010
[[check]]
item = "ports_display"
good = true
"#;

fn at(dir: &Path, arguments: &[&str]) -> std::process::Output {
    phantomload(&[arguments, &["--data", dir.to_str().unwrap()]].concat())
}

#[test]
fn the_years_of_the_tester_are_kept_and_show_its_drift() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("found.toml");
    let record = |text: &str| {
        fs::write(&file, text).unwrap();
        at(&data, &["tester", "record", file.to_str().unwrap()])
    };
    let refused = record(&FOUND.replace("[0.010, 0.014]", "[\"x\"]"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("found.toml") && !data.exists(), "{}", stderr(&refused));
    let said = record(FOUND);
    assert_eq!(said.status.code(), Some(0), "{}", stderr(&said));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("+0.0120 %, U = 0.0100 % (k = 2), n = 2, s = 0.0028 %"), "{said}");
    assert!(
        said.contains("unconfirmed as a limit") && said.contains("not recorded: limit_operating"),
        "{said}"
    );
    assert_eq!(record(FOUND).status.code(), Some(2), "nothing is kept twice");
    let later = FOUND.replace("2026-11-20", "2028-11-19").replace("[0.010, 0.014]", "[0.032]");
    assert_eq!(record(&later).status.code(), Some(0));
    let history = json(&at(&data, &["tester", "history", "--json"]));
    assert_eq!(history["found"].as_array().unwrap().len(), 2);
    let step = &history["drift"][0]["steps"][0];
    assert!((step["change"].as_f64().unwrap() - 0.02).abs() < 1e-9, "{step}");
    let text = at(&data, &["tester", "history"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("E_n = 1.41, MORE than both"), "{text:?}");
    // What was altered is told and not believed.
    let kept = fs::read_dir(data.join("tester")).unwrap().next().unwrap().unwrap().path();
    fs::write(&kept, FOUND.replace("0.014", "0.011")).unwrap();
    let told = at(&data, &["tester", "history"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(stderr(&told).contains("it was altered"), "{}", stderr(&told));
}

#[test]
fn the_self_test_lights_each_part() {
    let dir = tempfile::tempdir().unwrap();
    let told = json(&at(dir.path(), &["selftest", "--json"]));
    let lights = told["lights"].as_array().unwrap();
    let light =
        |what: &str| lights.iter().find(|light| light["what"] == what).unwrap_or_else(|| panic!("{what}"));
    for what in
        ["program", "clock", "disk", "file system", "flash memory", "temperature", "supply", "standards"]
    {
        assert!(light(what)["seen"].as_str().is_some_and(|seen| !seen.is_empty()), "{what}");
    }
    assert_eq!(light("program")["state"], "good");
    // A chain that was damaged is no tester to work with.
    assert_eq!(at(dir.path(), &["verify"]).status.code(), Some(0));
    let chain = dir.path().join("chain.jws");
    let text = fs::read_to_string(&chain).unwrap();
    fs::write(&chain, text.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    let told = at(dir.path(), &["selftest"]);
    assert_eq!(told.status.code(), Some(1));
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("[BAD ] data folder: "), "{text}");
}
