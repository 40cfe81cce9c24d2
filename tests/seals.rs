//! Seals, clock output and disputed units at the program's front door and on the simulated bench: what stops a pass, who
//! lets it go on, and what papers say of it.

mod support;

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::certificate::paper::said;
use phantomload::certificate::record::{Outcome, Record};
use phantomload::plan::{self, Entries, Plan};
use phantomload::regulation::{Item, Kind, Profile};
use phantomload::run::{Action, Event, recompute};
use phantomload::sim::Rig;
use phantomload::verdict::Verdict;
use serde_json::Value;
use simulated::{Meddled, plan_of, record_of, record_with, rig, started};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{json, phantomload, stderr};

const PIN: &str = "314159";

fn run(data: &Path, arguments: &[&str]) -> Output {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--data", data.to_str().unwrap()]);
    phantomload(&arguments)
}

fn with_pin(data: &Path, pin: &str, arguments: &[&str]) -> Output {
    let file = data.join("pin.txt");
    fs::write(&file, format!("{pin}\n")).unwrap();
    let mut arguments = arguments.to_vec();
    arguments.extend(["--pin-file", file.to_str().unwrap()]);
    run(data, &arguments)
}

fn persons(data: &Path) {
    for (name, roles) in [("Ann", "verifier"), ("Cai", "checker,approver")] {
        let added = with_pin(data, PIN, &["person", "add", name, "--role", roles]);
        assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    }
}

fn verify(data: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["verify", "--json"];
    arguments.extend(more);
    json(&run(data, &arguments))
}

fn seal_row(told: &Value) -> &Value {
    told["items"].as_array().unwrap().iter().find(|row| row["item"] == "seal").expect("a seal item")
}

fn texts(list: &Value) -> String {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn item(record: &Record, item: Item) -> Option<&phantomload::certificate::record::ItemResult> {
    record.results.items.iter().find(|result| result.item == item)
}

/// The report of a package, and its DCC and PDF where they are.
fn report(told: &Value) -> String {
    let package = PathBuf::from(told["package"].as_str().unwrap());
    let no = told["certificate_no"].as_str().unwrap();
    fs::read_to_string(package.join(format!("{no}_report.txt"))).unwrap()
}

#[test]
fn an_opened_cover_stays_undecided_until_the_approver_has_answered_and_then_the_answer_stands_on_every_paper()
{
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    persons(data);
    let first = verify(data, &["--meter", "cover-opened"]);
    assert_eq!((&first["verdict"], &seal_row(&first)["verdict"]), (&"undecided".into(), &"undecided".into()));
    let number = first["record_no"].as_str().unwrap();
    let answer = |person: &str, pin: &str, number: &str| {
        let arguments = [
            "seal",
            "answer",
            number,
            "--reason",
            "opened by the maker for repair, 修理",
            "--person",
            person,
        ];
        with_pin(data, pin, &arguments)
    };
    // Who only verifies, and who has the wrong PIN, lets nothing go on.
    for (person, pin, words) in [("Ann", PIN, "not as approver"), ("Cai", "000000", "wrong PIN")] {
        let refused = answer(person, pin, number);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    }
    assert_eq!(verify(data, &["--meter", "cover-opened"])["verdict"], "undecided");
    let answered = answer("Cai", PIN, number);
    assert_eq!(answered.status.code(), Some(0), "{}", stderr(&answered));
    assert!(stderr(&answer("Cai", PIN, number)).contains("answered already"));
    let second = verify(data, &["--meter", "cover-opened"]);
    assert_eq!(second["verdict"], "pass", "{second:#}");
    let words = texts(&second["findings"]);
    assert!(words.contains("answered by Cai, approver") && words.contains("opened by the maker for repair"));
    // What was measured before the answer stays as it was, and the text report says who answered.
    let kept = fs::read_to_string(first["record"].as_str().unwrap()).unwrap();
    assert!(Record::from_json("first", &kept).unwrap().results.verdict == Some(Verdict::Undecided));
    assert!(report(&second).contains("answered by Cai, approver"), "{}", report(&second));
    let package = PathBuf::from(second["package"].as_str().unwrap());
    let dcc = fs::read_to_string(package.join("certificate.dcc.xml")).unwrap();
    assert!(
        dcc.contains("answered by Cai") && dcc.contains("批准人") && dcc.contains("修理"),
        "both languages"
    );
    // From now on that paper knows of two openings; nobody has to answer again.
    let third = verify(data, &["--meter", "cover-opened"]);
    let reason = seal_row(&third)["reason"].as_str().unwrap();
    assert!(reason.contains(second["certificate_no"].as_str().unwrap()), "{reason}");
    let replayed = run(data, &["replay", second["record"].as_str().unwrap()]);
    assert_eq!(replayed.status.code(), Some(0), "{}", stderr(&replayed));
    let checked = run(data, &["certificate", "verify", second["certificate_no"].as_str().unwrap(), "--json"]);
    assert!(!["altered", "incomplete", "chain_broken"].contains(&json(&checked)["result"].as_str().unwrap()));
    assert_eq!(run(data, &["certificate", "list"]).status.code(), Some(0), "the chain still holds");
}

#[test]
fn an_opening_since_the_last_certificate_is_seen_and_an_answer_for_two_does_not_hold_for_three() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    persons(data);
    let opened = |n: u32| {
        let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/cover-opened.toml"))
            .unwrap();
        let path = data.join(format!("meter-{n}.toml"));
        fs::write(&path, text.replace("cover_openings = 2", &format!("cover_openings = {n}"))).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let clean = verify(data, &["--meter", &opened(0)]);
    assert_eq!(clean["verdict"], "pass");
    let since = verify(data, &["--meter", &opened(2)]);
    let reason = seal_row(&since)["reason"].as_str().unwrap();
    let last = clean["certificate_no"].as_str().unwrap();
    assert!(
        reason.contains(&format!("the last certificate, {last}")) && reason.contains("knows of 0"),
        "{reason}"
    );
    let number = since["record_no"].as_str().unwrap();
    let answered = with_pin(data, PIN, &["seal", "answer", number, "--reason", "battery", "--person", "Cai"]);
    assert_eq!(answered.status.code(), Some(0), "{}", stderr(&answered));
    assert_eq!(verify(data, &["--meter", &opened(3)])["verdict"], "undecided");
    assert_eq!(verify(data, &["--meter", &opened(2)])["verdict"], "pass");
    // A record that nobody's tester has made answers for nothing.
    let foreign = data.join("foreign.json");
    fs::copy(since["record"].as_str().unwrap(), &foreign).unwrap();
    let text = fs::read_to_string(&foreign).unwrap().replacen(
        "\"operator\":\"SIMULATED operator\"",
        "\"operator\":\"x\"",
        1,
    );
    fs::write(&foreign, text).unwrap();
    let refused = with_pin(
        data,
        PIN,
        &["seal", "answer", foreign.to_str().unwrap(), "--reason", "x", "--person", "Cai"],
    );
    assert!(stderr(&refused).contains("SHA-256"), "{}", stderr(&refused));
}

#[test]
fn a_lost_package_of_the_last_pass_stops_the_next_run_in_words_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let told = verify(data, &[]);
    assert_eq!(told["verdict"], "pass");
    let number = told["certificate_no"].as_str().unwrap();
    let (package, away) = (data.join("packages").join(number), data.join("away"));
    fs::rename(&package, &away).unwrap();
    let refused = run(data, &["verify"]);
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(said.contains(number) && said.contains("Take its package from a backup"), "{said}");
    let checked = run(data, &["data", "check"]);
    assert_eq!(checked.status.code(), Some(2), "{}", stderr(&checked));
    assert!(stderr(&checked).contains("is gone"), "{}", stderr(&checked));
    fs::rename(&away, &package).unwrap();
    assert_eq!(run(data, &["data", "check"]).status.code(), Some(0));
    assert_eq!(verify(data, &[])["verdict"], "pass");
}

/// The plan of a meter file with entries.
fn planned(rig: &Rig, kind: Kind, entries: Entries) -> Plan {
    let profile = Profile::builtin("dc-meter").unwrap();
    let (plate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    plan::make(plate, profile, kind, standards, rig.capability(), entries, started().date()).unwrap()
}

#[test]
fn all_event_records_are_read_with_their_last_times_and_never_fail_a_meter() {
    let text = phantomload::sim::demo_meter("cover-opened").unwrap();
    let rig = Rig::new(
        "x",
        &text.replace("cover_openings = 2", "cover_openings = 2\nprogrammings = 4\ncover_open = true"),
    );
    let rig = rig.unwrap();
    let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let seals = record.results.seals.clone().expect("the meter was asked");
    let told: Vec<String> = seals.events.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "cover opened 2 times, last 2026-11-17T09:30:00 and not closed since",
            "terminal cover opened 0 times",
            "programmed 4 times, last 2026-11-17T09:35:00",
            "clock set 0 times",
            "supply lost 0 times",
        ]
    );
    assert_eq!(seals.waiting.len(), 2, "{:?}", seals.waiting);
    assert_eq!(item(&record, Item::Seal).unwrap().verdict, Verdict::Undecided);
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
    for words in record.results.findings.iter().filter(|f| f.starts_with("seals:") || f.starts_with("event"))
    {
        assert!(!said(words).zh.contains("times"), "{}", said(words).zh);
    }
    assert_eq!(recompute(&record), (Some(Outcome::Completed), record.results.clone()));
}

#[test]
fn seals_with_photographs_stand_in_record_and_package_and_a_broken_one_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";
    fs::write(data.join("before.png"), png).unwrap();
    fs::write(data.join("after.jpeg"), b"\xff\xd8\xff\xe0 picture").unwrap();
    fs::write(data.join("no.png"), b"GIF89a").unwrap();
    let entries = |seal: &str| {
        let path = data.join("entries.toml");
        let text = format!(
            "operator = \"Li\"\nappearance = {{ ok = true }}\nfunction = {{ ok = true }}\ntester_clock_checked = true\ntemperature_degc = 24.0\n{seal}"
        );
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let seal = "[[seal]]\nplace = \"meter cover\"\nnumber = \"A1\"\nstate = \"intact\"\nphotograph = \"before.png\"\n";
    fs::write(
        data.join("closing.toml"),
        "[[seal]]\nplace = \"meter cover\"\nnumber = \"B7\"\nphotograph = \"after.jpeg\"\n",
    )
    .unwrap();
    let closing = data.join("closing.toml");
    let told = verify(data, &["--entries", &entries(seal), "--closing", closing.to_str().unwrap()]);
    assert_eq!(told["verdict"], "pass", "{told:#}");
    let package = PathBuf::from(told["package"].as_str().unwrap());
    assert_eq!(fs::read(package.join("photograph-before-1.png")).unwrap(), png);
    let text = report(&told);
    assert!(text.contains("seal A1 at meter cover: intact"), "{text}");
    assert!(text.contains("at the end: seal B7 at meter cover: intact"), "{text}");
    // A photograph that was changed or taken away is named.
    let no = told["certificate_no"].as_str().unwrap();
    fs::write(package.join("photograph-after-1.jpg"), b"\xff\xd8\xff other").unwrap();
    let checked = run(data, &["certificate", "verify", no, "--json"]);
    let checked = json(&checked);
    assert_eq!(
        (&checked["result"], &checked["files"][0]),
        (&"altered".into(), &"photograph-after-1.jpg".into())
    );
    fs::write(package.join("photograph-after-1.jpg"), b"\xff\xd8\xff\xe0 picture").unwrap();
    // The next visit finds another seal than was left.
    let other = verify(data, &["--entries", &entries(seal)]);
    let reason = seal_row(&other)["reason"].as_str().unwrap();
    assert!(other["verdict"] == "undecided" && reason.contains("left seal B7"), "{reason}");
    let broken = seal.replace("A1", "B7").replace("intact", "broken");
    let broken = verify(data, &["--entries", &entries(&broken)]);
    assert!(
        broken["verdict"] == "undecided"
            && texts(&broken["findings"]).contains("seal B7 at meter cover: broken")
    );
    // What is no picture is refused before anything is switched on.
    for (from, to, words) in [("before.png", "no.png", "no picture"), ("before.png", "none.png", "none.png")]
    {
        let refused = run(data, &["verify", "--entries", &entries(&seal.replace(from, to))]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    }
}

/// A run of a demo meter at first verification, and how often the meter was told to give its seconds pulse.
fn first(meter: &str) -> (Record, u32) {
    let rig = rig(meter);
    let told = Cell::new(0);
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::First), 1, |bench| {
        Box::new(Meddled {
            bench,
            meddle: Box::new(|_, event| vec![event]),
            waiting: VecDeque::new(),
            order: Box::new(|action| told.set(told.get() + u32::from(*action == Action::SwitchSecondsPulse))),
            count: 0,
        })
    });
    (record, told.get())
}

#[test]
fn the_seconds_pulse_is_switched_on_only_where_none_comes_of_itself_and_the_frame_is_kept() {
    let (record, told) = first("good");
    assert_eq!((told, item(&record, Item::DailyRate).unwrap().verdict), (0, Verdict::Pass));
    let (record, told) = first("seconds-told");
    assert_eq!(told, 1);
    assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", simulated::table(&record.results.items));
    let rate = item(&record, Item::DailyRate).unwrap();
    assert!((rate.measured.as_ref().unwrap().estimate.value - 0.1).abs() < 0.05, "{rate:?}");
    let switched = record.raw.iter().find_map(|logged| match &logged.1 {
        Event::Switched(switched) => Some(switched.clone()),
        _ => None,
    });
    let switched = switched.expect("the answer is in the record");
    assert!(switched.refused.is_none());
    // FE FE FE FE 68 A0..A5 68 1D 01 33 CS 16.
    assert_eq!(switched.exchanges[0].request[12..15], [0x1D, 0x01, 0x33]);
    assert!(record.results.findings.iter().any(|finding| finding.contains("1DH")));
    assert_eq!(recompute(&record), (Some(Outcome::Completed), record.results.clone()));
    // At an occasion that asks for no daily rate nothing is written to the meter.
    let rig = rig("seconds-told");
    let plain = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    assert!(!plain.raw.iter().any(|logged| matches!(logged.1, Event::Switched(_))));
}

#[test]
fn r_a_meter_without_an_optional_feature_does_not_fail_the_test() {
    let (record, told) = first("seconds-refused");
    assert_eq!((told, &record.outcome), (1, &Outcome::Completed));
    assert!(item(&record, Item::DailyRate).is_none(), "absent, with its reason among the findings");
    let reason = "did not put the seconds pulse on its multi-function output (1DH): the meter answered";
    assert!(
        record.results.findings.iter().any(|finding| finding.contains(reason)),
        "{:?}",
        record.results.findings
    );
    assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", simulated::table(&record.results.items));
    // And it is not waited for: the run takes no longer than that of the good meter.
    assert!(record.results.elapsed <= first("good").0.results.elapsed);
}

#[test]
fn i_a_coarse_register_is_inconclusive() {
    let record = simulated::record("coarse-register", "dc-meter", Kind::Subsequent, 1);
    let constant = item(&record, Item::MeterConstant).unwrap();
    assert_eq!((constant.verdict, record.results.verdict), (Verdict::Undecided, Some(Verdict::Undecided)));
    assert!(constant.reason.contains("a register step of 0.1 kWh"), "{}", constant.reason);
}

#[test]
fn the_transport_delay_of_the_clock_is_taken_out_and_stated_in_both_languages() {
    for (meter, verdict) in [("good", Verdict::Pass), ("clock-off", Verdict::Fail)] {
        let record = simulated::record(meter, "dc-meter", Kind::Subsequent, 1);
        let clock = item(&record, Item::ClockIndication).unwrap();
        assert_eq!(clock.verdict, verdict);
        assert!(
            clock.reason.contains("from the question to that moment are taken out, ±0.060 s"),
            "{}",
            clock.reason
        );
        assert!(said(&clock.reason).zh.contains("传输延时"), "{}", said(&clock.reason).zh);
    }
}

#[test]
fn a_disputed_unit_gives_no_energy_verdict_before_the_display_was_read_and_the_factor_that_it_shows_is_named()
{
    let rig = rig("disputed-unit");
    let with = |shown: Option<&str>| {
        let entries =
            Entries { display_energy_kwh: shown.map(|text| text.parse().unwrap()), ..Entries::simulated() };
        record_of(&rig, planned(&rig, Kind::Subsequent, entries), 1)
    };
    let open = with(None);
    let constant = item(&open, Item::MeterConstant).unwrap();
    assert_eq!((constant.verdict, open.results.verdict), (Verdict::Undecided, Some(Verdict::Undecided)));
    assert!(
        constant.reason.contains("disputed") && constant.reason.contains("--display-energy"),
        "{}",
        constant.reason
    );
    let settled = with(Some("12345.6"));
    let constant = item(&settled, Item::MeterConstant).unwrap();
    assert_eq!(constant.verdict, Verdict::Pass, "{}", constant.reason);
    let named = "unit of the register: 4 digits behind the point in kWh (0.0001 kWh: EN+ driver)";
    assert!(settled.results.findings.iter().any(|f| f.starts_with(named)), "{:#?}", settled.results.findings);
    assert_eq!(recompute(&settled), (Some(Outcome::Completed), settled.results.clone()));
    // Ten times as much fits another source; the pulses contradict it, and a slip of the pen fails no meter.
    let tenfold = with(Some("123456.7"));
    let constant = item(&tenfold, Item::MeterConstant).unwrap();
    assert_eq!(constant.verdict, Verdict::Undecided);
    assert!(constant.reason.contains("the pulses contradict"), "{}", constant.reason);
    let contradicted = with(Some("777.7"));
    let constant = item(&contradicted, Item::MeterConstant).unwrap();
    assert_eq!(constant.verdict, Verdict::Undecided);
    assert!(constant.reason.contains("contradicts the register by every source"), "{}", constant.reason);
}

#[test]
fn the_display_is_entered_at_the_command_line_and_a_contradiction_to_a_plain_register_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let told = verify(data, &["--meter", "disputed-unit", "--display-energy", "12345.67"]);
    let constant = |told: &Value| {
        let rows = told["items"].as_array().unwrap();
        rows.iter().find(|row| row["item"] == "meter_constant").unwrap_or_else(|| panic!("{told:#}")).clone()
    };
    assert_eq!(constant(&told)["verdict"], "pass", "{told:#}");
    assert!(texts(&told["findings"]).contains("since the display shows 12345.67 kWh"));
    let wrong = verify(data, &["--display-energy", "1234.5"]);
    assert_eq!(constant(&wrong)["verdict"], "undecided");
    assert!(constant(&wrong)["reason"].as_str().unwrap().contains("Read the display again"));
    assert_eq!(verify(data, &["--display-energy", "12345.67"])["verdict"], "pass");
}
