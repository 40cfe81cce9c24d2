//! Reading meters that this project did not write, through the program's front door: Modbus RTU and TCP (`PyPI`
//! `pymodbus`), DL/T 698.45 (`dlt698`), IEC 62056-21 (`iec62056-21`), SML (dumps of real meters, pushed).
//!
//! Needs a Python with these packages: `PHANTOMLOAD_WIRES_PYTHON`, as `.ci/run` makes it. Without one the tests say
//! loudly that they were skipped, and fail where nothing may be skipped.

use crate::support::{json, phantomload, stderr};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The meter, ended when dropped.
struct Peer {
    child: Child,
    link: String,
}

impl Peer {
    fn start(arguments: &[&str]) -> Option<Self> {
        let python = std::env::var("PHANTOMLOAD_WIRES_PYTHON").unwrap_or("python3".into());
        let has = Command::new(&python)
            .args(["-c", "import pymodbus, dlt698, iec62056_21, serial"])
            .stderr(Stdio::null())
            .status();
        if !has.is_ok_and(|status| status.success()) {
            crate::skip::skipped(
                "no Python with pymodbus, dlt698, iec62056_21; set PHANTOMLOAD_WIRES_PYTHON (.ci/run does)",
            );
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent_wires.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "{arguments:?} does not say where it is");
        Some(Self { child, link: line.trim().to_owned() })
    }

    /// Reads it and holds items against what it was given.
    fn reads(&self, more: &[&str], expected: &[(&str, &str)]) -> serde_json::Value {
        let mut arguments = vec!["meter", "read", "--json", "--raw", "--link", &self.link];
        arguments.extend(more);
        let output = phantomload(&arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        let told = json(&output);
        for (item, value) in expected {
            let row = row(&told, item);
            assert_eq!(row["value"], *value, "{arguments:?} {item}: {row:#}");
            assert!(row["age_ms"].as_f64().is_some_and(|age| age >= 0.0), "{row:#}");
            assert!(row["exchanges"].as_array().is_some_and(|all| !all.is_empty()), "{row:#}");
        }
        told
    }
}

fn row<'a>(told: &'a serde_json::Value, item: &str) -> &'a serde_json::Value {
    let items = told["items"].as_array().unwrap();
    items.iter().find(|row| row["item"] == item).unwrap_or_else(|| panic!("no {item}"))
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SDM230: [(&str, &str); 4] =
    [("energy", "1234.500"), ("voltage", "230.2500"), ("current", "5.125000"), ("power", "1.180500")];

#[test]
fn an_independent_modbus_meter_is_read_over_tcp() {
    let Some(peer) = Peer::start(&["modbus-tcp"]) else { return };
    let told = peer.reads(&["--protocol", "modbus-tcp", "--profile", "eastron-sdm230"], &SDM230);
    // What the map does not have is absent and no fault (trap R: an optional feature missing fails nothing).
    let clock = row(&told, "clock");
    assert!(clock["fault"].is_null() && clock["absent"].is_string(), "{clock:#}");
    // The protocol follows from the model.
    peer.reads(&["--profile", "eastron-sdm230"], &SDM230);
    let output = phantomload(&[
        "meter",
        "order",
        "--link",
        &peer.link,
        "--profile",
        "eastron-sdm230",
        "--voltage",
        "231",
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("as the model has it"), "{said}{}", stderr(&output));
    let output = phantomload(&[
        "meter",
        "order",
        "--link",
        &peer.link,
        "--profile",
        "eastron-sdm230",
        "--voltage",
        "750",
    ]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn an_independent_modbus_meter_is_read_on_a_serial_line() {
    let Some(mut peer) = Peer::start(&["modbus-rtu"]) else { return };
    peer.link += ",9600,8N1";
    peer.reads(&["--protocol", "modbus-rtu", "--profile", "eastron-sdm230"], &SDM230);
}

#[test]
fn an_independent_698_meter_is_read_and_where_it_wants_it_connected_to() {
    let expected = [
        ("energy", "1234.56"),
        ("voltage", "750.1"),
        ("current", "200.123"),
        ("meter_number", "202611210001"),
    ];
    for kind in ["dlt698", "dlt698-connected"] {
        let Some(peer) = Peer::start(&[kind]) else { return };
        let told = peer.reads(&["--protocol", "dlt698", "--address", "123456789012"], &expected);
        assert_eq!(told["address"], "123456789012");
        // An object that it does not have is absent and no fault.
        let power = row(&told, "power");
        assert!(power["fault"].is_null() && power["absent"].is_string(), "{power:#}");
        let found = peer.reads(&["--address", "123456789012"], &expected);
        assert_eq!(found["protocol"], "dlt698", "found by itself");
    }
}

#[test]
fn an_independent_698_meter_that_logs_in_and_splits_its_answers_is_read_with_its_events() {
    let Some(peer) = Peer::start(&["dlt698-parts"]) else { return };
    let told = peer.reads(
        &["--protocol", "dlt698", "--address", "123456789012"],
        &[
            ("energy", "1234.56"),
            ("reverse_energy", "0.77"),
            ("voltage", "750.1"),
            ("cover_open_last", "2026-11-18T08:15:30 to 2026-11-18T08:20:01"),
        ],
    );
    let none = row(&told, "programming_last");
    assert!(none["absent"].as_str().is_some_and(|why| why.contains("DAR 4")), "{none:#}");
    // What was said between the parts stands in the raw bytes.
    let exchange = &row(&told, "energy")["exchanges"][0];
    let said = exchange["request"].as_str().unwrap();
    assert!(said.contains("68 11 00 63"), "{exchange:#}");
}

#[test]
fn an_independent_optical_meter_is_read_out_behind_its_own_echo() {
    let Some(peer) = Peer::start(&["iec62056-21"]) else { return };
    peer.reads(
        &["--protocol", "iec62056-21"],
        &[
            ("energy", "1234.567"),
            ("voltage", "230.2"),
            ("current", "5.13"),
            ("power", "1.180"),
            ("clock", "2026-11-20T10:15:30"),
            ("meter_number", "12345678"),
        ],
    );
}

#[test]
fn pushed_dumps_of_real_sml_meters_are_read_with_their_resolution() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sml");
    if !data.is_dir() {
        return crate::skip::skipped(&format!("{} is absent, no dump was pushed", data.display()));
    }
    for (dump, energy) in [
        ("iskra_mt631-d1a52-k0z-h01_with_pin", "2043.1047"),
        ("ebz_dd3_dd32r06dta-smz1", "13024"),
        ("dzg_dvs-7420.2v.g2_mtr1", "2353.6569"),
    ] {
        let path = data.join(format!("{dump}.hex"));
        let Some(peer) = Peer::start(&["sml", path.to_str().unwrap()]) else { return };
        peer.reads(&["--protocol", "sml"], &[("energy", energy)]);
    }
}
