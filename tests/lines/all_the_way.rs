//! Whole runs on the served bench: two-second windows and a hastened clock keep them short; the long one is in README.

use crate::served::Served;
use crate::support::{json, phantomload, short_regulation, stderr};
use std::path::Path;
use std::process::Output;

/// How many times as fast as the clock most of these benches live, and the program with them.
pub const PACE: &str = "4";

/// Verifies on it with short windows, and tells it as JSON.
pub fn verify(served: &Served, more: &[&str]) -> Output {
    told(served, &[&["--json"], more].concat())
}

/// Verifies on it with short windows, and tells it in words unless it is told otherwise.
fn told(served: &Served, more: &[&str]) -> Output {
    let regulation = short_regulation(served.dir());
    let [bench, data] = ["bench.toml", "data"].map(|name| served.path(name));
    let text = |path: &'static str, at: &Path| [path.to_owned(), at.to_str().unwrap().to_owned()];
    let paths = [text("--bench", &bench), text("--data", &data), text("--regulation", &regulation)].concat();
    let mut arguments = vec!["verify", "--kind", "in-service"];
    arguments.extend(paths.iter().map(String::as_str));
    arguments.extend(more);
    phantomload(&arguments)
}

#[test]
fn a_whole_run_over_real_lines_takes_the_planned_time_and_gives_the_verdicts_of_the_run_in_process() {
    let served = Served::start(&["--pace", PACE, "--meter", "bad-at-imin"]);
    let told = json(&verify(&served, &[]));
    assert_eq!((&told["verdict"], &told["simulated"]), (&"fail".into(), &true.into()), "{told:#}");
    let (planned, took) = (told["plan_secs"].as_f64().unwrap(), told["elapsed_secs"].as_f64().unwrap());
    println!("planned {planned:.1} s, took {took:.1} s");
    assert!((planned - took).abs() < 5.0, "planned {planned}, took {took}");
    let regulation = short_regulation(served.dir());
    let in_process = json(&phantomload(&[
        "verify",
        "--json",
        "--meter",
        "bad-at-imin",
        "--kind",
        "in-service",
        "--regulation",
        regulation.to_str().unwrap(),
        "--data",
        served.path("other").to_str().unwrap(),
    ]));
    let verdicts = |told: &serde_json::Value| -> Vec<String> {
        let items = told["items"].as_array().unwrap();
        items
            .iter()
            .map(|i| format!("{} {} {} {}", i["item"], i["point"], i["rounded_percent"], i["verdict"]))
            .filter(|l| !l.contains("data_output"))
            .collect()
    };
    assert_eq!(verdicts(&told), verdicts(&in_process));
    let replay = phantomload(&["replay", told["record"].as_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(0), "{}", String::from_utf8_lossy(&replay.stdout));
}

#[test]
fn a_meter_that_signs_is_verified_over_its_real_web_server_with_a_countdown_to_its_signature() {
    let served = Served::start(&["--pace", PACE, "--meter", "signing"]);
    let output = told(&served, &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", stderr(&output));
    assert!(said.contains("signed record: valid: the key has signed exactly these bytes"), "{said}");
    assert!(
        stderr(&output).contains("off, safe to disconnect; the meter signs its record"),
        "{}",
        stderr(&output)
    );
    let package = std::fs::read_dir(served.path("data/packages")).unwrap().next().unwrap().unwrap().path();
    assert!(std::fs::read(package.join("signed-record.ocmf")).unwrap().starts_with(b"OCMF|{"));
}
