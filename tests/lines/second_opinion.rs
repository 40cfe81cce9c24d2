//! The XL-9600's own error readings beside ours, through the program's front door: a stand-in of the bench on loopback, a
//! run by `verify --bench`. One whose calculator agrees, one whose calculator is off.

use crate::served::Served;
use crate::support::{json, phantomload, regulation_of_windows, stderr};

/// Long enough that readings of one second fit beside ours, once the load stands.
const WINDOW_SECS: u32 = 5;

/// With an XL-9600 as its source, whose calculator says so many percent more than the truth.
fn xl9600(off_percent: &str) -> Served {
    Served::start(&["--xl9600", off_percent, "--pace", "4"])
}

fn verify(served: &Served) -> serde_json::Value {
    let path = |name: &str| served.path(name).to_str().unwrap().to_owned();
    let regulation = regulation_of_windows(served.dir(), WINDOW_SECS);
    let output = phantomload(&[
        "verify",
        "--json",
        "--bench",
        &path("bench.toml"),
        "--data",
        &path("data"),
        "--regulation",
        regulation.to_str().unwrap(),
        "--kind",
        "in-service",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    json(&output)
}

fn findings(told: &serde_json::Value) -> Vec<&str> {
    let findings = told["findings"].as_array().unwrap();
    findings.iter().filter_map(|f| f.as_str()).filter(|f| f.starts_with("second opinion")).collect()
}

/// Errors of the load points, as they stand in the table.
fn errors(told: &serde_json::Value) -> Vec<f64> {
    let items = told["items"].as_array().unwrap();
    items.iter().filter(|i| i["item"] == "basic_error").filter_map(|i| i["error_percent"].as_f64()).collect()
}

#[test]
fn an_opinion_that_agrees_stands_beside_ours_and_is_no_finding() {
    let served = xl9600("0");
    let told = verify(&served);
    let opinions = told["opinions"].as_array().unwrap();
    let points = errors(&told).len();
    assert!(points > 2, "{told:#}");
    assert_eq!(opinions.len(), points, "{told:#}");
    for opinion in opinions {
        assert!(
            opinion["readings"].as_u64().unwrap() >= 1
                && opinion["expanded_percent"].as_f64().unwrap() >= 0.05
        );
        assert!(opinion["e_n"].as_f64().unwrap().abs() <= 1.0, "{opinion:#}");
    }
    assert_eq!(findings(&told), [""; 0]);
}

#[test]
fn an_opinion_beyond_both_uncertainties_is_a_finding_at_each_point_and_moves_no_error_and_no_verdict() {
    let served = xl9600("0.5");
    let told = verify(&served);
    let found = findings(&told);
    let opinions = told["opinions"].as_array().unwrap();
    assert!(!opinions.is_empty() && found.len() == opinions.len(), "{found:#?}");
    assert!(found.iter().all(|f| f.contains("more than both uncertainties")), "{found:#?}");
    let ours = errors(&told);
    for (opinion, error) in opinions.iter().zip(&ours) {
        let (theirs, own) =
            (opinion["mean_percent"].as_f64().unwrap(), opinion["ours_percent"].as_f64().unwrap());
        assert_eq!(own, *error, "what stands in the table is ours alone");
        assert!((theirs - own - 0.5).abs() < 0.1, "{opinion:#}");
    }
    assert_eq!(told["verdict"], "pass");
    let record = std::fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    assert!(record.contains("误差读取应答"), "what it said is among the raw data, as it came");
    let replay = phantomload(&["replay", told["record"].as_str().unwrap()]);
    assert_eq!(replay.status.code(), Some(0), "{}", String::from_utf8_lossy(&replay.stdout));
}
