//! `phantomload bench probe | check | log` on the simulated bench over real lines, through the program's front door.

mod support;

use phantomload::time::{Span, now};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use support::{phantomload, short_regulation, stderr};

/// `phantomload sim --serve`, ended when dropped.
struct Served {
    child: Child,
    dir: tempfile::TempDir,
}

impl Served {
    fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_phantomload"))
            .args(["sim", "--serve", dir.path().to_str().unwrap()])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The links in its bench file, in their order: source, reference, pulse, seconds pulse, meter.
    fn links(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("bench.toml")).unwrap();
        let file: toml::Table = text.parse().unwrap();
        let link = |table: &str| file[table]["link"].as_str().unwrap().to_owned();
        ["source", "reference", "pulse", "seconds_pulse", "meter"].map(link).to_vec()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_probe_finds_every_device_and_its_bench_file_can_be_checked() {
    let served = Served::start(&[]);
    let links = served.links();
    let found = served.path("found.toml");
    let mut arguments = vec!["bench", "probe", "--out", text(&found)];
    for link in &links {
        arguments.extend([if link.starts_with('/') { "--serial" } else { "--host" }, link.as_str()]);
    }
    let output = phantomload(&arguments);
    let table = out(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    for part in [
        "profile simulated-source",
        "profile simulated-reference",
        "DL/T 645 meter 202611210001",
        "pulse counter",
    ] {
        assert!(table.contains(part), "`{part}` is not in\n{table}");
    }
    assert_eq!(table.matches("pulse counter").count(), 2, "{table}");
    // Nothing is overwritten.
    let again = phantomload(&["bench", "probe", "--out", text(&found), "--host", "127.0.0.1:9"]);
    assert_eq!(again.status.code(), Some(2));
    // What it wrote is a bench file.
    let check = phantomload(&["bench", "check", text(&found)]);
    assert_eq!(check.status.code(), Some(0), "{}{}", out(&check), stderr(&check));
    assert!(out(&check).contains("off, and it says so") || out(&check).contains("told off without an error"));
}

#[test]
fn the_check_brings_the_low_level_only_where_it_is_asked_to() {
    let served = Served::start(&[]);
    let bench = served.path("bench.toml");
    let quiet = phantomload(&["bench", "check", text(&bench)]);
    assert_eq!(quiet.status.code(), Some(0), "{}{}", out(&quiet), stderr(&quiet));
    assert!(!out(&quiet).contains("low level"), "{}", out(&quiet));
    let low = phantomload(&["bench", "check", text(&bench), "--low-level"]);
    assert_eq!(low.status.code(), Some(0), "{}{}", out(&low), stderr(&low));
    assert!(out(&low).contains("5 V, 0.1 A asked, the reference sees") && out(&low).contains("off again"));
}

#[test]
fn a_device_that_is_another_one_is_one_fault_among_the_looks() {
    let served = Served::start(&["--mishap", "reference:stranger"]);
    let check = phantomload(&["bench", "check", text(&served.path("bench.toml"))]);
    assert_eq!(check.status.code(), Some(3));
    let page = out(&check);
    assert!(page.contains("FAULT reference") && page.contains("ACME,TOASTER"), "{page}");
    assert!(page.contains("ok    source"), "{page}");
}

#[test]
fn nobody_there_is_said_for_each_line() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = phantomload(&["bench", "probe", "--host", &closed, "--serial", "/dev/no-such-line"]);
    assert_eq!(output.status.code(), Some(3));
    let table = out(&output);
    assert!(table.contains(&closed) && table.contains("/dev/no-such-line could not be opened"), "{table}");
}

#[test]
fn a_run_leaves_every_byte_in_the_log_and_it_reads_in_words() {
    let served = Served::start(&[]);
    let (data, log) = (served.path("data"), served.path("log"));
    let regulation = short_regulation(served.dir.path());
    let began = now();
    let output = phantomload(&[
        "verify",
        "--json",
        "--bench",
        text(&served.path("bench.toml")),
        "--data",
        text(&data),
        "--log",
        text(&log),
        "--regulation",
        text(&regulation),
        "--kind",
        "in-service",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(now() - began < Span::from_secs(600));
    let page = out(&phantomload(&["bench", "log", text(&log)]));
    for part in ["> `*IDN?`", "< `PHANTOMLOAD,SIMULATED SOURCE", "> `OUTP ON`", "DL/T 645 202611210001 read"]
    {
        assert!(page.contains(part), "`{part}` is not in the log");
    }
    let source = out(&phantomload(&["bench", "log", text(&log), "--device", "source"]));
    let last = source.lines().filter(|line| line.contains("`OUTP ")).next_back().unwrap_or_default();
    assert!(last.contains("`OUTP OFF`"), "{last}");
    assert!(!source.contains("MEAS:ALL?"));
    let wrong = phantomload(&["bench", "log", text(&log), "--device", "toaster"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("there are:") && stderr(&wrong).contains("reference"),
        "{}",
        stderr(&wrong)
    );
}
