//! The simulated bench in real time over pseudo-terminals and TCP, through the program's front door: every way a bench can
//! fail in the middle of a run. What is killed or stopped lives at the pace of the clock.

use crate::all_the_way::{PACE, verify};
use crate::served::Served;
use crate::support::{comes_true, json, stderr};
use std::path::Path;
use std::process::{Command, Stdio};

/// A bench that goes wrong: exit 3, the reason in words, the record kept, nobody left with a live terminal.
fn goes_wrong(mishap: &str, words: &str) {
    let served = Served::start(&["--pace", PACE, "--mishap", mishap]);
    let output = verify(&served, &[]);
    assert_eq!(
        output.status.code(),
        Some(3),
        "{mishap}: {}\n{}",
        stderr(&output),
        String::from_utf8_lossy(&output.stdout)
    );
    let told = json(&output);
    let why = told["outcome"]["why"].as_str().unwrap_or_default();
    println!("{mishap}: {why}\n  findings {}", told["findings"]);
    assert!(why.contains(words), "{mishap}: `{words}` is not in `{why}`");
    assert!(told["verdict"].is_null() && told["certificate_no"].is_null());
    let record = std::fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    assert!(
        record.contains("\"faulted\"") && record.contains("source_off"),
        "{mishap}: the record says how it ended"
    );
}

#[test]
fn a_reference_that_hangs_up() {
    goes_wrong("reference:hang-up@4", "reference: ");
}

#[test]
fn a_reference_that_falls_silent() {
    goes_wrong("reference:silence@4", "reference: ");
}

#[test]
fn a_reference_that_answers_garbage() {
    goes_wrong("reference:garbage@4", "nonsense");
}

#[test]
fn a_pulse_counter_that_hangs_up() {
    goes_wrong("pulse:hang-up@4", "pulse counter: ");
}

#[test]
fn a_pulse_counter_that_falls_silent() {
    goes_wrong("pulse:silence@4", "has said nothing");
}

#[test]
fn a_pulse_counter_that_says_garbage() {
    goes_wrong("pulse:garbage@4", "no edge line");
}

#[test]
fn a_meter_that_falls_silent() {
    goes_wrong("meter:silence@1", "meter's data output: ");
}

#[test]
fn a_source_that_drifts_away() {
    goes_wrong("source:drift@4", "source");
}

#[test]
fn a_counter_that_loses_edges_spoils_its_windows() {
    goes_wrong("pulse:lose-edges@3", "no sound window");
}

#[test]
fn a_source_that_answers_garbage_is_sent_off_all_the_same() {
    let served = Served::start(&["--mishap", "source:garbage@4"]);
    let output = verify(&served, &[]);
    assert_eq!(output.status.code(), Some(3));
    let told = json(&output);
    assert!(told["outcome"]["why"].as_str().unwrap().contains("nonsense"), "{told:#}");
    // The stand-in took OFF over although it answered nonsense: the reference saw the voltage fall.
    assert!(!told["findings"].to_string().contains("below 60 V was not seen"), "{}", told["findings"]);
}

#[test]
fn an_instrument_that_says_it_is_somebody_else_is_refused() {
    let served = Served::start(&["--mishap", "source:stranger"]);
    let output = verify(&served, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("ACME,TOASTER"), "{}", stderr(&output));
}

#[test]
fn ctrl_c_switches_off_first_and_leaves_a_record_that_says_aborted() {
    let served = Served::start(&[]);
    let (bench, data) = (served.path("bench.toml"), served.path("data"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(["verify", "--json", "--bench", bench.to_str().unwrap(), "--data", data.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The run has begun when its data folder is locked; a moment later the source is up.
    let lock = data.join("lock");
    assert!(comes_true(phantomload::time::Span::from_secs(20), || lock.exists()), "no run has begun");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(3));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["outcome"]["ended"], "aborted", "{told:#}");
    let record = std::fs::read_to_string(told["record"].as_str().unwrap()).unwrap();
    assert!(record.contains("stopped by the operator"));
}

/// The voltage at the terminals, as the served bench's own reference says to anybody who asks.
fn voltage_at_terminals(bench: &Path) -> f64 {
    use phantomload::bench::Description;
    use phantomload::link::{self, lines::Lines};
    use phantomload::time::Span;
    let description = Description::load(bench).unwrap();
    let link = link::open(&description.file.reference.link).unwrap();
    let answer = Lines::new(link, Span::from_secs(2)).ask("MEAS:ALL?").unwrap();
    answer.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_program_that_is_killed_loses_its_heartbeat_and_with_it_the_load() {
    use phantomload::time::{Span, now};
    let served = Served::start(&[]);
    let bench = served.path("bench.toml");
    let wait_until = |what: &str, is: &dyn Fn(f64) -> bool| {
        let began = now();
        let came = comes_true(Span::from_secs(30), || is(voltage_at_terminals(&bench)));
        assert!(came, "{what} did not come");
        (now() - began).secs()
    };
    for round in 0..3 {
        // A run that was killed waits in its data folder, and no other begins there.
        let data = served.path(&format!("data-{round}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_phantomload"))
            .args(["verify", "--json", "--bench", bench.to_str().unwrap(), "--data", data.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At three heights of the first rise, from the low level of the connection to the full voltage.
        wait_until("the load", &|volts| volts > [20.0, 60.0, 300.0][round]);
        child.kill().unwrap();
        child.wait().unwrap();
        let took = wait_until("the end of the load", &|volts| volts < 1.0);
        println!("round {round}: no voltage {took:.2} s after SIGKILL");
        assert!(took < 5.0, "round {round}: {took} s");
    }
}
