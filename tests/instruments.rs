//! Each instrument profile: the commands of a whole run as a golden file, to be read beside the maker's manual; and what
//! is said in words when an instrument is another one, refuses, is too small, is slow, or breaks off.

mod support {
    pub mod standin;
}

use insta::assert_snapshot;
use phantomload::bench::description::SHIPPED;
use phantomload::link::{self, Link, Provenance};
use phantomload::plan::Load;
use phantomload::quantity::{Current, Voltage};
use phantomload::reference;
use phantomload::reference::Reference;
use phantomload::source::profile::{Output, Range};
use phantomload::source::xl9600::Xl9600;
use phantomload::source::xl9600::message::Message;
use phantomload::source::{self, Guard, Role, Source};
use phantomload::time::Span;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use support::standin::StandIn;

/// The loads of a verification in their order: low level, the points, no current, small current (JJG 596 by way of the
/// shipped regulation; the figures of the good demo meter).
const LOADS: [(f64, f64); 7] =
    [(60.0, 5.0), (750.0, 250.0), (750.0, 10.0), (750.0, 5.0), (750.0, 0.4), (750.0, 0.0), (750.0, 10.0)];

fn load((volts, amperes): (f64, f64)) -> Load {
    Load { voltage_v: Voltage::from_volts(volts), current_a: Current::from_amperes(amperes) }
}

fn text(name: &str) -> &'static str {
    SHIPPED.iter().find(|(id, _)| *id == name).expect("a shipped profile").1
}

fn source_profile(name: &str) -> source::Profile {
    source::Profile::from_toml(name, text(name)).unwrap()
}

fn range(volts: f64, amperes: f64) -> Range {
    Range { voltage_max_v: Voltage::from_volts(volts), current_max_a: Current::from_amperes(amperes) }
}

/// A stand-in that knows a source profile's words, and is content.
fn standin(profile: &source::Profile) -> StandIn {
    let (command, back) = (&profile.command, &profile.readback);
    let standin = StandIn::new(&command.on, &command.off, back.output.as_deref());
    content(&standin, &profile.dialect);
    for question in [&back.voltage_max, &back.current_max].into_iter().flatten() {
        standin.answers(question, "2000");
    }
    if let Some(status) = &profile.status {
        standin.answers(&status.query, "0");
        if let Some(regulation) = &status.regulation {
            standin.answers(&regulation.query, "0");
        }
    }
    standin
}

fn content(standin: &StandIn, dialect: &phantomload::link::scpi::Dialect) {
    standin.answers(&dialect.identify, &dialect.identity.replace('*', " "));
    if let Some(question) = &dialect.error {
        standin.answers(question, &format!("{}\"No error\"", dialect.no_error));
    }
    if let Some(question) = &dialect.complete {
        standin.answers(question, "1");
    }
    if let Some(question) = &dialect.event_status {
        standin.answers(question, "0");
    }
}

/// Everything that was said, in the order of a run.
fn whole_run(name: &str, role: Role, range: Range) -> String {
    let profile = source_profile(name);
    let standin = standin(&profile);
    let mut page = String::new();
    let mut note = |what: &str| {
        writeln!(page, "# {what}").unwrap();
        for line in standin.state().talk.drain(..) {
            writeln!(page, "{}{line}", if line.starts_with("< ") { "" } else { "> " }).unwrap();
        }
    };
    let source = source::scpi::Scpi::open(Box::new(standin.clone()), profile, role, range).unwrap();
    note("opening: who are you; taking over; its own range");
    let mut guard = Guard::new(source).unwrap();
    note("off first: what it did before is unknown");
    for point in LOADS {
        guard.set(load(point)).unwrap();
        note(&format!("{} V, {} A", point.0, point.1));
    }
    guard.check().unwrap();
    note("a look while the load stands");
    drop(guard);
    note("off at the end");
    assert!(!standin.state().on, "{name} is off at the end");
    page
}

const AS_VOLTAGE: fn() -> Role = || Role::Voltage { limit: Current::from_amperes(0.1) };
const AS_CURRENT: fn() -> Role = || Role::Current { limit: Voltage::from_volts(5.0) };

#[test]
fn keysight_n8957a_as_voltage_source() {
    assert_snapshot!(whole_run("keysight-n8957a", AS_VOLTAGE(), range(1000.0, 5.0)));
}

#[test]
fn keysight_rp7900_as_voltage_source() {
    assert_snapshot!(whole_run("keysight-rp7900", AS_VOLTAGE(), range(900.0, 5.0)));
}

#[test]
fn keysight_rp7900_as_current_source() {
    assert_snapshot!(whole_run("keysight-rp7900", AS_CURRENT(), range(20.0, 400.0)));
}

#[test]
fn chroma_62000h_as_voltage_source() {
    assert_snapshot!(whole_run("chroma-62000h", AS_VOLTAGE(), range(1000.0, 15.0)));
}

#[test]
fn itech_it_m3905d_as_current_source() {
    let own = source_profile("itech-it-m3905d").range.unwrap();
    assert_snapshot!(whole_run("itech-it-m3905d", AS_CURRENT(), own));
}

#[test]
fn ea_psi_9000_as_current_source() {
    assert_snapshot!(whole_run("ea-psi-9000", AS_CURRENT(), range(80.0, 510.0)));
}

#[test]
fn simulated_source_as_both() {
    assert_snapshot!(whole_run("simulated-source", Role::Both, range(1000.0, 600.0)));
}

/// An XL-9600 as the protocol says: control commands are obeyed in silence, 源停止 and 误差读取 are answered.
#[derive(Clone, Default)]
struct Bench(Arc<Mutex<(String, VecDeque<Vec<u8>>)>>);

impl Link for Bench {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        let (talk, waiting) = &mut *self.0.lock().unwrap();
        let heard = Message::parse(bytes).unwrap();
        writeln!(talk, "> {heard}").unwrap();
        let items = match heard.name.as_str() {
            "源停止" => vec![],
            "误差读取" => vec![("均值".into(), "0.012".into()), ("原始值".into(), "0.011,0.013".into())],
            _ => return Ok(()),
        };
        let answer = Message { name: heard.name + "应答", items };
        writeln!(talk, "< {answer}").unwrap();
        waiting.push_back(answer.emit());
        Ok(())
    }
    fn receive(&mut self, buffer: &mut [u8], _: Span) -> Result<usize, link::Fault> {
        let Some(datagram) = self.0.lock().unwrap().1.pop_front() else { return Ok(0) };
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok(datagram.len())
    }
    fn discard_input(&mut self) -> Result<(), link::Fault> {
        self.0.lock().unwrap().1.clear();
        Ok(())
    }
    fn peer(&self) -> &'static str {
        "udp:stand-in"
    }
}

#[test]
fn xl9600_as_source_and_second_opinion() {
    let line = Bench::default();
    let setting = "rated_voltage_v = 750.0\nrated_current_a = 250.0\nconstant_imp_per_kwh = 4000.0";
    let mut bench = Xl9600::open(Box::new(line.clone()), toml::from_str(setting).unwrap()).unwrap();
    for point in LOADS {
        bench.set(load(point)).unwrap();
        if point.1 > 0.4 {
            bench.ask_opinion(2).unwrap();
            let opinion = bench.poll_opinion(Span::ZERO).unwrap().unwrap();
            assert_eq!((opinion.load, opinion.mean_percent), (load(point), 0.012));
        }
    }
    drop(Guard::new(bench).unwrap());
    let page = line.0.lock().unwrap().0.clone();
    assert!(page.trim_end().ends_with("< <源停止应答>"), "{page}");
    assert_snapshot!(page);
}

/// Opening and two samples.
fn samples(name: &str, answers: &[(&str, &str)]) -> String {
    let profile = reference::Profile::from_toml(name, text(name)).unwrap();
    let standin = StandIn::default();
    content(&standin, &profile.dialect);
    for (question, answer) in answers {
        standin.answers(question, answer);
    }
    let mut reference = reference::scpi::Scpi::open(Box::new(standin.clone()), profile).unwrap();
    let sample = reference.sample().unwrap();
    let _ = reference.sample().unwrap();
    let mut page = String::new();
    for line in &standin.state().talk {
        writeln!(page, "{}{line}", if line.starts_with("< ") { "" } else { "> " }).unwrap();
    }
    writeln!(page, "# {}, {}, {}", sample.voltage, sample.current, sample.power).unwrap();
    page
}

#[test]
fn yokogawa_wt5000_as_reference() {
    assert_snapshot!(samples(
        "yokogawa-wt5000",
        &[(":NUMERIC:NORMAL:VALUE?", "750.01E+00,10.002E+00,7.5016E+03")]
    ));
}

#[test]
fn zera_mt310s2_as_reference() {
    assert_snapshot!(samples(
        "zera-mt310s2",
        &[
            ("MEASURE:POW4:P1?", "POW4:P1:[W]:2300;"),
            ("MEASURE:FFT1:UAUX_DC?", "FFT1:UAUX_DC:[V]:230;"),
            ("MEASURE:FFT1:IAUX_DC?", "FFT1:IAUX_DC:[A]:10;"),
        ]
    ));
}

#[test]
fn every_profile_names_its_source_and_none_claims_to_be_confirmed() {
    for (name, text) in SHIPPED {
        let (origin, provenance, simulated) = match source::Profile::from_toml(name, text) {
            Ok(profile) => (profile.origin, profile.provenance, profile.simulated),
            Err(as_source) => {
                let profile = reference::Profile::from_toml(name, text)
                    .unwrap_or_else(|as_reference| panic!("{name}: {as_source}; {as_reference}"));
                (profile.origin, profile.provenance, profile.simulated)
            }
        };
        assert!(origin.len() > 20, "{name} names its source");
        let expected = if simulated { Provenance::StandIn } else { Provenance::Unconfirmed };
        assert_eq!(provenance, expected, "{name}");
    }
}

// What goes wrong, in words.

fn n8957a(standin: &StandIn) -> Result<source::scpi::Scpi, source::Fault> {
    let profile = source_profile("keysight-n8957a");
    source::scpi::Scpi::open(Box::new(standin.clone()), profile, AS_VOLTAGE(), range(1000.0, 5.0))
}

fn ready() -> (StandIn, source::scpi::Scpi) {
    let standin = standin(&source_profile("keysight-n8957a"));
    let source = n8957a(&standin).unwrap();
    standin.state().talk.clear();
    (standin, source)
}

fn words(fault: impl std::fmt::Display, parts: &[&str]) {
    let fault = fault.to_string();
    for part in parts {
        assert!(fault.contains(part), "`{part}` is not in `{fault}`");
    }
}

#[test]
fn another_instrument_is_refused_before_anything_is_told() {
    let standin = standin(&source_profile("keysight-n8957a"));
    standin.answers("*IDN?", "ACME,TOASTER,1,1");
    words(n8957a(&standin).err().unwrap(), &["ACME,TOASTER", "N8957A", "Check the cables"]);
    assert_eq!(standin.heard(), ["*IDN?"]);
}

#[test]
fn an_entry_in_the_error_queue_names_the_command_and_leaves_the_output_off() {
    let (standin, mut source) = ready();
    standin.once("SYST:ERR?", "-222,\"Data out of range\"\n", Span::ZERO);
    words(source.set(load(LOADS[1])).unwrap_err(), &["VOLT 750.000000", "-222,\"Data out of range\""]);
    assert!(!standin.state().on);
}

#[test]
fn a_load_beyond_the_range_is_refused_and_nothing_is_sent() {
    let (standin, mut source) = ready();
    words(source.set(load((1000.1, 1.0))).unwrap_err(), &["1000.1 V", "0 V to 1000 V", "Nothing was sent"]);
    words(source.set(load((-1.0, 1.0))).unwrap_err(), &["-1 V", "Nothing was sent"]);
    assert!(standin.heard().is_empty());
}

#[test]
fn an_instrument_that_is_smaller_than_said_is_found_at_once() {
    let standin = standin(&source_profile("keysight-n8957a"));
    standin.answers("VOLT? MAX", "+5.00000000E+02");
    words(n8957a(&standin).err().unwrap(), &["500 V", "1000 V", "by its own words"]);
}

#[test]
fn a_value_that_was_not_taken_over_is_seen_before_the_output_is_on() {
    let (standin, mut source) = ready();
    standin.once("VOLT?", "500.0\n", Span::ZERO);
    words(source.set(load(LOADS[1])).unwrap_err(), &["told a voltage of 750 V", "says 500 V", "±0.75 V"]);
    assert!(!standin.state().on && !standin.heard().contains(&"OUTP ON".to_owned()));
}

#[test]
fn an_answer_that_is_no_number_is_shown_as_it_came() {
    let (standin, mut source) = ready();
    standin.once("VOLT?", "@@ nonsense @@\n", Span::ZERO);
    words(source.set(load(LOADS[1])).unwrap_err(), &["@@ nonsense @@", "VOLT?", "a finite number"]);
}

#[test]
fn an_output_that_does_not_go_off_is_a_danger() {
    let (standin, mut source) = ready();
    source.set(load(LOADS[1])).unwrap();
    assert!(standin.state().on);
    standin.answers("OUTP?", "1");
    words(source.off().unwrap_err(), &["told OFF", "answers `1` to `OUTP?`", "DANGER"]);
}

#[test]
fn an_answer_that_takes_five_seconds_is_taken_where_the_profile_waits_and_said_where_it_does_not() {
    let five = Span::from_secs(5);
    let (standin, mut source) = ready();
    standin.once("VOLT?", "750.0\n", five);
    source.set(load(LOADS[1])).unwrap();
    source.off().unwrap();
    // The same with less patience.
    let mut profile = source_profile("keysight-n8957a");
    profile.dialect.answer_secs = 2.0;
    let standin = self::standin(&profile);
    let mut source =
        source::scpi::Scpi::open(Box::new(standin.clone()), profile, AS_VOLTAGE(), range(1000.0, 5.0))
            .unwrap();
    standin.once("VOLT?", "749.9\n", five);
    words(
        source.set(load(LOADS[1])).unwrap_err(),
        &["no whole line within 2.0 s after `VOLT?`", "check power"],
    );
    // Off is sent before anything else is asked, and the late 749.9 is no answer to any question after it.
    standin.state().talk.clear();
    standin.once("*IDN?", "N8957A\n", Span::from_secs(1));
    let fault = source.off();
    assert_eq!(standin.heard()[..2], ["OUTP OFF", "*IDN?"], "{fault:?}");
    assert!(!standin.state().on);
    source.off().unwrap();
    source.set(load(LOADS[1])).unwrap();
}

#[test]
fn an_answer_that_breaks_off_shows_what_came() {
    let (standin, mut source) = ready();
    standin.once("VOLT?", "+7.500", Span::ZERO);
    words(source.set(load(LOADS[1])).unwrap_err(), &["no whole line within 5.0 s", "(seen: `+7.500`)"]);
}

#[test]
fn a_protection_and_an_open_current_path_are_said_in_words() {
    let profile = source_profile("keysight-rp7900");
    let standin = standin(&profile);
    let mut source =
        source::scpi::Scpi::open(Box::new(standin.clone()), profile, AS_CURRENT(), range(20.0, 400.0))
            .unwrap();
    source.set(load((0.0, 5.0))).unwrap();
    standin.answers("STAT:OPER:COND?", "1");
    words(source.check().unwrap_err(), &["current source", "at its limit of 5 V", "current path open"]);
    standin.answers("STAT:QUES:COND?", "17");
    words(source.check().unwrap_err(), &["over-voltage protection, over-temperature protection", "gives 17"]);
}

#[test]
fn a_reference_that_has_no_number_says_so() {
    let profile = reference::Profile::from_toml("w", text("yokogawa-wt5000")).unwrap();
    let standin = StandIn::default();
    content(&standin, &profile.dialect);
    standin.answers(":NUMERIC:NORMAL:VALUE?", "NAN,NAN,NAN");
    let mut reference = reference::scpi::Scpi::open(Box::new(standin.clone()), profile).unwrap();
    words(reference.sample().unwrap_err(), &["NAN,NAN,NAN", "3 finite numbers with `,` between"]);
    standin.answers(":NUMERIC:NORMAL:VALUE?", "750.0,10.0");
    words(reference.sample().unwrap_err(), &["750.0,10.0"]);
}

#[test]
fn a_profile_that_cannot_be_is_refused_with_its_key() {
    let good = text("template-source");
    for (from, to, part) in [
        ("off = [\"OUTP OFF\"]", "off = []", "`off` must not be empty"),
        ("setup = []", "setup = [\"OUTP ON\"]", "switches on"),
        ("\"CURR {current_a}\"]\n#", "\"CURR 1\"]\n#", "{current_a}"),
        ("answer_secs = 5.0", "answer_secs = 0.0", "answer_secs"),
        ("within_percent = 0.1\nwithin_v = 0.05", "within_percent = -1", "within_percent"),
        ("identity = \"MAKER*MODEL\"", "identity = \"*\"", "identity"),
    ] {
        assert!(good.contains(from), "{from}");
        let fault = source::Profile::from_toml("mine.toml", &good.replace(from, to)).unwrap_err();
        words(fault, &["mine.toml", part]);
    }
    assert_eq!(source_profile("template-source").output, Output::Single);
}
