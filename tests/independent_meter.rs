//! Reading a DL/T 645 meter that this project did not write (`PyPI` `dlt645`), over TCP and over a pseudo-terminal.
//!
//! Needs a Python with that package: `PHANTOMLOAD_DLT645_PYTHON`, as `.ci/run` makes it. Without one the test says
//! loudly that it was skipped, and fails where nothing may be skipped.

#[path = "support/skip.rs"]
mod skip;
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use support::{json, phantomload, stderr};

/// The meter, ended when dropped.
struct Peer {
    child: Child,
    tcp: String,
    device: String,
}

impl Peer {
    fn start() -> Option<Self> {
        let python = std::env::var("PHANTOMLOAD_DLT645_PYTHON").unwrap_or("python3".into());
        let has = Command::new(&python).args(["-c", "import dlt645"]).stderr(Stdio::null()).status();
        if !has.is_ok_and(|status| status.success()) {
            skip::skipped("no Python with the package dlt645; set PHANTOMLOAD_DLT645_PYTHON (.ci/run does)");
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent_meter.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (tcp, device) = line.trim().split_once(' ').expect("the meter says where it is");
        Some(Self { tcp: tcp.to_owned(), device: device.to_owned(), child })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_item_of_an_independent_meter_is_read_over_both_lines() {
    let Some(peer) = Peer::start() else { return };
    for (link, address) in [(&peer.tcp, "123456781012"), (&peer.device, "123456781012"), (&peer.tcp, "auto")]
    {
        let output = phantomload(&["meter", "read", "--link", link, "--address", address, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{link}: {}", stderr(&output));
        let told = json(&output);
        assert_eq!(told["address"], "123456781012");
        let value = |item: &str| {
            let items = told["items"].as_array().unwrap();
            let found = items.iter().find(|row| row["item"] == item).unwrap_or_else(|| panic!("no {item}"));
            found["value"].as_str().unwrap_or_else(|| panic!("{item}: {found}")).to_owned()
        };
        for (item, expected) in [
            ("meter_number", "202611200042"),
            ("energy", "1234.56"),
            ("voltage", "220.5"),
            ("current", "5.123"),
            ("power", "1.1296"),
            ("clock", "2026-11-20T10:15:30"),
            ("constant", "1200"),
            ("cover_open_count", "3"),
        ] {
            assert_eq!(value(item), expected, "{link} {item}");
        }
    }
}

#[test]
fn a_meter_of_another_address_is_silence_in_words() {
    let Some(peer) = Peer::start() else { return };
    // This stand-in answers for other addresses with an error where a real meter is silent; both must end in words.
    let output = phantomload(&["meter", "read", "--link", &peer.device, "--address", "000000000009"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("000000000009"), "{}", stderr(&output));
}
