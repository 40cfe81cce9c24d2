//! The demo meters verified by each protocol: the same verdicts, whatever the wire, and under ten minutes.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use support::{json, phantomload, stderr};

/// Protocol, model, address; the first is what the others are held against.
const WIRES: [(&str, &str, &str); 7] = [
    ("dlt645-2007", "simulated-dc", "202611210001"),
    ("modbus-rtu", "simulated-dc-modbus", "1"),
    ("modbus-tcp", "simulated-dc-modbus", "auto"),
    ("dlt698", "dlt698", "202611210001"),
    ("iec62056-21", "iec62056-21", "auto"),
    ("sml", "sml", "auto"),
    // A web server that signs a record of each transaction.
    ("lem-dcbm", "lem-dcbm", "auto"),
];

/// The demo meter's file with another data output.
fn on(dir: &Path, demo: &str, (protocol, profile, address): (&str, &str, &str)) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").join(format!("{demo}.toml"));
    let mut plate: toml::Table = std::fs::read_to_string(from).unwrap().parse().unwrap();
    let output = plate["data_output"].as_table_mut().unwrap();
    for (key, value) in [("protocol", protocol), ("profile", profile), ("address", address)] {
        output.insert(key.to_owned(), value.into());
    }
    // What a meter pushes as SML holds no clock: its nameplate claims none.
    if protocol == "sml" {
        plate.insert("clock".to_owned(), false.into());
    }
    let path = dir.join(format!("{demo}-{protocol}.toml"));
    std::fs::write(&path, toml::to_string(&plate).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Verdict of each item and point, and the overall one.
fn verdicts(dir: &Path, meter: &str) -> (String, BTreeMap<String, String>) {
    // A data folder of its own: to a tester that knows a meter's counts a protocol that does not tell them is a finding.
    let data = dir.join("data").join(Path::new(meter).file_stem().unwrap());
    let output = phantomload(&["verify", "--json", "--meter", meter, "--data", data.to_str().unwrap()]);
    assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{meter}: {}", stderr(&output));
    let told = json(&output);
    assert!(told["elapsed_secs"].as_f64().unwrap() < 600.0, "{meter}: {}", told["elapsed_secs"]);
    let items = told["items"].as_array().unwrap().iter();
    let all = items.map(|i| (format!("{} {}", i["item"], i["point"]), i["verdict"].to_string()));
    (told["verdict"].to_string(), all.collect())
}

#[test]
fn the_wire_changes_no_verdict() {
    let dir = tempfile::tempdir().unwrap();
    for demo in ["good", "bad-at-imin"] {
        let (overall, expected) = verdicts(dir.path(), &on(dir.path(), demo, WIRES[0]));
        for wire in &WIRES[1..] {
            let (seen, items) = verdicts(dir.path(), &on(dir.path(), demo, *wire));
            for (item, verdict) in &items {
                assert_eq!(expected.get(item), Some(verdict), "{demo} by {}: {item}", wire.0);
            }
            // What a protocol has no object for is left out and nothing else: openings of the cover, tariffs.
            let lacking: Vec<_> = expected.keys().filter(|item| !items.contains_key(*item)).collect();
            let silent = wire.0 == "sml";
            let known = |item: &&&String| {
                item.contains("seal") || item.contains("tariff_registers") || silent && item.contains("clock")
            };
            assert!(lacking.iter().all(|item| known(&item)), "{demo} by {}: {lacking:?}", wire.0);
            assert_eq!(seen, overall, "{demo} by {}", wire.0);
        }
    }
}

#[test]
fn r_a_feature_that_a_protocol_lacks_fails_no_test() {
    let dir = tempfile::tempdir().unwrap();
    // IEC 62056-21 has neither the constant nor the record of openings here.
    let (overall, items) = verdicts(dir.path(), &on(dir.path(), "good", WIRES[4]));
    assert!(!items.is_empty() && items.values().all(|verdict| !verdict.contains("fail")), "{items:#?}");
    assert!(!overall.contains("fail"), "{overall}");
}
