//! A meter with a web server that signs its transactions, played by a stand-in that shares nothing with the program.
//!
//! Needs a Python with the package `cryptography`: `PHANTOMLOAD_OCMF_PYTHON`, as `.ci/run` makes it.

use crate::support::{json, phantomload, stderr};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The meter, ended when dropped.
struct Peer {
    child: Child,
    told: Value,
}

impl Peer {
    fn start(options: &[&str]) -> Option<Self> {
        let python = std::env::var("PHANTOMLOAD_OCMF_PYTHON").unwrap_or("python3".into());
        let has = Command::new(&python).args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
        if !has.is_ok_and(|status| status.success()) {
            crate::skip::skipped(
                "no Python with the package cryptography; set PHANTOMLOAD_OCMF_PYTHON (.ci/run does)",
            );
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ocmf_meter.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, told: serde_json::from_str(&line).expect("the meter says where it is") })
    }

    fn key(&self) -> &str {
        self.told["key"].as_str().unwrap()
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.told["port"])
    }

    fn record(&self, more: &[&str]) -> std::process::Output {
        let url = self.url("http");
        let start = ["meter", "record", "--link", &url, "--seconds", "1", "--json"];
        phantomload(&[&start, more].concat())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_transaction_is_started_stopped_signed_and_its_record_is_the_meters() {
    let Some(peer) = Peer::start(&[]) else { return };
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = json(&output);
    assert_eq!(told["result"], "valid");
    assert_eq!(told["findings"], serde_json::json!([]));
    assert_eq!(told["deviations"], serde_json::json!([]));
    assert_eq!(told["meter"], "12024072805");
    let energy: f64 = told["imported"]["energy_kwh"].as_str().unwrap().parse().unwrap();
    assert!(energy > 0.02, "{energy}");
    // Without the key nothing is said for it, although the meter names one.
    let output = peer.record(&[]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(json(&output)["result"], "key_unknown");
}

#[test]
fn a_record_that_was_changed_or_is_another_transactions_is_found_out() {
    let Some(peer) = Peer::start(&["--tamper"]) else { return };
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(json(&output)["result"], "not_authentic");

    let peer = Peer::start(&["--replay"]).unwrap();
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let told = json(&output);
    assert_eq!(told["result"], "valid");
    assert!(told["findings"][0].as_str().unwrap().contains("another transaction's"), "{told}");
}

#[test]
fn a_signed_energy_apart_from_the_reference_and_a_compensated_cable_are_findings() {
    let Some(peer) = Peer::start(&["--cable", "2"]) else { return };
    let output = peer.record(&["--key", peer.key(), "--reference-kwh", "1"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let findings = json(&output)["findings"].to_string();
    for part in ["cable compensation", "the reference measured 1.000000 kWh"] {
        assert!(findings.contains(part), "{findings}");
    }
}

#[test]
fn trap_q_a_meter_that_takes_its_time_to_sign_is_waited_for_with_a_countdown() {
    let Some(peer) = Peer::start(&["--sign-after", "3"]) else { return };
    let output = peer.record(&["--key", peer.key(), "--patience", "40"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("the meter signs; 40 s left"), "{}", stderr(&output));
    // Patience has an end, and says that nothing is lost.
    let peer = Peer::start(&["--sign-after", "1000"]).unwrap();
    let output = peer.record(&["--patience", "3"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("ask again later"), "{}", stderr(&output));
}

#[test]
fn trap_r_a_meter_that_tells_nothing_of_its_clock_is_no_fault_and_one_that_is_not_set_says_so() {
    let Some(peer) = Peer::start(&["--no-sync-bit"]) else { return };
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let peer = Peer::start(&["--unsynced"]).unwrap();
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("not synchronised"), "{}", stderr(&output));
    let peer = Peer::start(&["--slow-start"]).unwrap();
    let output = peer.record(&["--key", peer.key()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("status 400"), "{}", stderr(&output));
}

#[test]
fn trap_s_a_meter_that_vanishes_while_it_signs_is_a_fault_with_its_name() {
    let Some(mut peer) = Peer::start(&["--sign-after", "1000"]) else { return };
    let url = peer.url("http");
    let mut program = Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(["meter", "record", "--link", &url, "--seconds", "0"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("the meter signs")), "it never waited");
    peer.child.kill().unwrap();
    let rest = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(program.wait().unwrap().code(), Some(3), "{rest}");
    assert!(rest.contains("127.0.0.1") && rest.contains("check cable"), "{rest}");
}

#[test]
fn a_transaction_that_a_person_ends_is_stopped_in_the_meter_too() {
    let Some(peer) = Peer::start(&[]) else { return };
    let mut program = Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(["meter", "record", "--link", &peer.url("http"), "--seconds", "1000"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("the transaction runs")), "it never ran");
    assert!(Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap().success());
    let rest = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(program.wait().unwrap().code(), Some(3), "{rest}");
    assert!(rest.contains("was stopped"), "{rest}");
    // The meter is free for the next.
    assert_eq!(peer.record(&["--key", peer.key()]).status.code(), Some(0));
}

#[test]
fn tls_is_spoken_to_the_known_certificate_only_also_to_a_meter_with_a_short_key() {
    for kind in ["ec", "rsa1024"] {
        let Some(peer) = Peer::start(&["--tls", kind]) else { return };
        let (url, pin) = (peer.url("https"), peer.told["fingerprint"].as_str().unwrap());
        let ask = |more: &[&str]| {
            let start = ["meter", "record", "--link", &url, "--seconds", "0", "--json", "--key", peer.key()];
            phantomload(&[&start, more].concat())
        };
        let output = ask(&["--fingerprint", pin]);
        assert_eq!(output.status.code(), Some(0), "{kind}: {}", stderr(&output));
        assert_eq!(json(&output)["result"], "valid");
        // Nothing is accepted unverified; what was shown is told.
        let output = ask(&[]);
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains(pin), "{}", stderr(&output));
        let output = ask(&["--fingerprint", &"ab".repeat(32)]);
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains("another certificate"), "{}", stderr(&output));
    }
}

#[test]
fn a_bench_file_pins_the_certificate_of_the_meter_and_accepts_no_other() {
    let Some(peer) = Peer::start(&["--tls", "ec"]) else { return };
    let bench = crate::served::Served::start(&["--meter", "signing"]);
    let text = std::fs::read_to_string(bench.path("bench.toml")).unwrap();
    let plain = text.lines().find(|line| line.starts_with("link = \"http://")).expect("its web server");
    let pin = peer.told["fingerprint"].as_str().unwrap();
    let check = |more: &str| {
        let line = format!("link = \"{}\"\n{more}", peer.url("https"));
        let file = bench.path("tls.toml");
        std::fs::write(&file, text.replace(plain, &line)).unwrap();
        let output = phantomload(&["bench", "check", file.to_str().unwrap()]);
        String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output)
    };
    let said = check(&format!("fingerprint = \"{pin}\""));
    assert!(said.contains("energy 188."), "{said}");
    // Nothing is accepted unverified; what was shown is told.
    let said = check("");
    assert!(said.contains(pin) && !said.contains("energy 188."), "{said}");
    let said = check(&format!("fingerprint = \"{}\"", "ab".repeat(32)));
    assert!(said.contains("another certificate"), "{said}");
    // A pin without TLS is a mistake, and said.
    let file = bench.path("no-tls.toml");
    std::fs::write(&file, text.replace(plain, &format!("{plain}\nfingerprint = \"{pin}\""))).unwrap();
    let output = phantomload(&["bench", "check", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert!(said.contains("no TLS"), "{said}");
}

#[test]
fn a_meter_is_read_over_its_web_server_as_over_any_line() {
    let Some(peer) = Peer::start(&["--tls", "ec"]) else { return };
    let (url, pin) = (peer.url("https"), peer.told["fingerprint"].as_str().unwrap());
    let output = phantomload(&["meter", "read", "--link", &url, "--fingerprint", pin, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = json(&output).to_string();
    assert!(said.contains("12024072805") && said.contains("lem-dcbm"), "{said}");
    let output = phantomload(&["meter", "read", "--link", &url]);
    assert!(stderr(&output).contains(pin), "{}", stderr(&output));
}
