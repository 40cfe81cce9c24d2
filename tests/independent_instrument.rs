//! Driving SCPI instruments whose parser this project did not write (`PyPI` `sinstruments` and `scpi-protocol`), over TCP and
//! over a pseudo-terminal: the commands of our profiles are commands to somebody else too.
//!
//! Needs a Python with those packages: `PHANTOMLOAD_SCPI_PYTHON`, as `.ci/run` makes it. Without one the test says loudly
//! that it was skipped, and fails where nothing may be skipped.

#[path = "support/skip.rs"]
mod skip;
mod support;

use phantomload::bench::description::SHIPPED;
use phantomload::link;
use phantomload::plan::Load;
use phantomload::quantity::{Current, Voltage};
use phantomload::source::pair::Pair;
use phantomload::source::profile::Range;
use phantomload::source::scpi::Scpi;
use phantomload::source::{Fault, Guard, Profile, Role, Source};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use support::{phantomload, stderr};

/// The instruments, ended when dropped.
struct Peer {
    child: Child,
    voltage: String,
    voltage_device: String,
    current: String,
    _dir: tempfile::TempDir,
}

impl Peer {
    fn start() -> Option<Self> {
        let python = std::env::var("PHANTOMLOAD_SCPI_PYTHON").unwrap_or("python3".into());
        let has =
            Command::new(&python).args(["-c", "import sinstruments, scpi"]).stderr(Stdio::null()).status();
        if !has.is_ok_and(|status| status.success()) {
            skip::skipped(
                "no Python with the packages sinstruments and scpi-protocol; set PHANTOMLOAD_SCPI_PYTHON (.ci/run does)",
            );
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent_instrument.py"))
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut places = line.split_whitespace().map(str::to_owned);
        let mut next = || places.next().expect("the instruments say where they are");
        let (voltage, voltage_device, current) = (next(), next(), next());
        Some(Self { child, voltage, voltage_device, current, _dir: dir })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open(profile: &str, at: &str, role: Role, volts: f64, amperes: f64) -> Result<Scpi, Fault> {
    let text = SHIPPED.iter().find(|(name, _)| *name == profile).unwrap().1;
    let profile = Profile::from_toml(profile, text).unwrap();
    let range =
        Range { voltage_max_v: Voltage::from_volts(volts), current_max_a: Current::from_amperes(amperes) };
    Scpi::open(link::open(&at.parse().unwrap()).unwrap(), profile, role, range)
}

fn load(volts: f64, amperes: f64) -> Load {
    Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) }
}

const AS_VOLTAGE: fn() -> Role = || Role::Voltage { limit: Current::from_amperes(0.1) };
const AS_CURRENT: fn() -> Role = || Role::Current { limit: Voltage::from_volts(5.0) };

#[test]
fn a_pair_of_foreign_instruments_makes_a_load_and_is_off_at_the_end() {
    let Some(peer) = Peer::start() else { return };
    // The same instrument over TCP and over its pseudo-terminal.
    for at in [peer.voltage.clone(), format!("{},9600,8N1", peer.voltage_device)] {
        let voltage = open("keysight-n8957a", &at, AS_VOLTAGE(), 1000.0, 5.0).unwrap();
        let current = open("itech-it-m3905d", &peer.current, AS_CURRENT(), 10.0, 510.0).unwrap();
        let mut guard = Guard::new(Pair::new(voltage, current)).unwrap();
        for (volts, amperes) in [(60.0, 5.0), (750.0, 250.0), (750.0, 0.0), (750.0, 0.4)] {
            guard.set(load(volts, amperes)).unwrap_or_else(|fault| panic!("{at}: {fault}"));
            guard.check().unwrap();
        }
        drop(guard);
        // Who comes next finds it off; its own measurement says so too.
        let mut voltage = open("keysight-n8957a", &at, AS_VOLTAGE(), 1000.0, 5.0).unwrap();
        assert_eq!(voltage.says_off().unwrap(), Some(true), "{at}");
        assert_eq!(voltage.measured().unwrap(), (Some(0.0), Some(0.0)), "{at}");
    }
}

#[test]
fn a_foreign_instrument_that_is_smaller_than_said_or_another_one_is_refused() {
    let Some(peer) = Peer::start() else { return };
    let words = |fault: Fault, part: &str| {
        let fault = fault.to_string();
        assert!(fault.contains(part), "`{part}` is not in `{fault}`");
    };
    words(open("keysight-n8957a", &peer.voltage, AS_VOLTAGE(), 2000.0, 5.0).err().unwrap(), "1500 V");
    words(
        open("keysight-n8957a", &peer.current, AS_VOLTAGE(), 1000.0, 5.0).err().unwrap(),
        "IT-M3905D-10-510",
    );
    // Its own refusal: a limit beyond its range, which a wrong profile would send.
    let role = Role::Current { limit: Voltage::from_volts(11.0) };
    let mut wrong = open("itech-it-m3905d", &peer.current, role, 20.0, 510.0).unwrap();
    words(wrong.set(load(0.0, 5.0)).unwrap_err(), "-222,\"Data out of range;VOLT:LIM 11.000000\"");
}

#[test]
fn the_probe_finds_foreign_instruments_and_switches_nothing_on() {
    let Some(peer) = Peer::start() else { return };
    let output = phantomload(&[
        "bench",
        "probe",
        "--host",
        &peer.voltage,
        "--host",
        &peer.current,
        "--serial",
        &format!("{},9600,8N1", peer.voltage_device),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table.matches("profile keysight-n8957a").count(), 2, "{table}");
    assert_eq!(table.matches("profile itech-it-m3905d").count(), 1, "{table}");
    let mut voltage = open("keysight-n8957a", &peer.voltage, AS_VOLTAGE(), 1000.0, 5.0).unwrap();
    assert_eq!(voltage.says_off().unwrap(), Some(true));
    assert_eq!(voltage.first_error().unwrap(), None, "the probe asked nothing that it does not know");
}
