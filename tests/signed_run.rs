//! A verification of a meter that signs its records: begun, ended, waited for, checked over the exact bytes, held
//! against the other ways; and what each broken twin does to the verdict.

#[path = "support/simulated.rs"]
mod simulated;
mod support;

use phantomload::bench::conduct;
use phantomload::certificate::cross_check::{Agreement, Said, Way};
use phantomload::certificate::record::{Outcome, Record};
use phantomload::certificate::signed_record::{Answer, Looked, bytes};
use phantomload::meter::ocmf::{self, Authenticity, Key};
use phantomload::meter::transaction::{Came, Order};
use phantomload::regulation::{Item, Kind};
use phantomload::run::{Action, Event, Logged, Run, recompute};
use phantomload::sim::{Rig, public_key};
use phantomload::time::{Instant, Span};
use phantomload::verdict::Verdict;
use simulated::{Meddled, plan_of, record, record_of, record_with, rig, started, table};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use support::{json, phantomload, stderr};

const SIGNING: [&str; 4] = ["signing", "slow-to-sign", "forged-record", "signed-energy-off"];

fn made(rig: &Rig, seed: u64) -> Record {
    record_of(rig, plan_of(rig, "dc-meter", Kind::Subsequent), seed)
}

fn demo(name: &str, seed: u64) -> Record {
    record(name, "dc-meter", Kind::Subsequent, seed)
}

fn looked(record: &Record) -> &Looked {
    let signed = record.results.signed_record.as_ref().expect("a meter that signs");
    signed.looked.as_ref().unwrap_or_else(|| panic!("no record: {:?}", signed.why_none))
}

fn why_none(record: &Record) -> &str {
    record.results.signed_record.as_ref().and_then(|signed| signed.why_none.as_deref()).unwrap_or("")
}

fn data_output(record: &Record) -> (Verdict, &str) {
    let item = record.results.items.iter().find(|i| i.item == Item::DataOutput).unwrap();
    (item.verdict, &item.reason)
}

fn about_it(record: &Record) -> Vec<&str> {
    let own = |finding: &&String| finding.contains("sign");
    record.results.findings.iter().filter(own).map(String::as_str).collect()
}

/// What the meter was told, in order, with the time of each.
fn orders(record: &Record) -> Vec<Order> {
    let told = record.raw.iter().filter_map(|Logged(_, event)| match event {
        Event::Transacted(told) => Some(told.order),
        _ => None,
    });
    told.collect()
}

#[test]
fn the_key_on_each_demo_meters_label_is_the_one_it_signs_with() {
    for name in SIGNING {
        let rig = rig(name);
        let output = rig.nameplate.data_output.as_ref().unwrap();
        assert_eq!(output.public_key.as_deref(), Some(public_key(&rig.nameplate.serial).as_str()), "{name}");
    }
}

#[test]
fn a_signed_record_is_a_fifth_way_to_the_energy_that_agrees_with_the_others() {
    for seed in 0..8 {
        let record = demo("signing", seed);
        assert_eq!(record.outcome, Outcome::Completed, "seed {seed}");
        assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", table(&record.results.items));
        assert_eq!(about_it(&record), [""; 0], "seed {seed}");
        let looked = looked(&record);
        assert_eq!(looked.result, Answer::Valid);
        assert_eq!(looked.deviations, [""; 0]);
        assert_eq!(looked.meter.as_deref(), Some(record.plan.nameplate.serial.as_str()));
        let waited = looked.waited.unwrap().secs();
        assert!((8.0..14.0).contains(&waited), "it signs in 8 s and is asked every 5 s: {waited}");
        let check = record.results.cross_check.as_ref().unwrap();
        // Five ways: ten pairs.
        assert_eq!((check.witnesses.len(), check.pairs.len()), (5, 10));
        assert!(check.pairs.iter().all(|p| p.agreement == Agreement::Agree), "{check:#?}");
        let signed = check.witnesses.iter().find(|w| w.way == Way::SignedRecord).unwrap();
        let Said::Energy { deviation, budget, .. } = &signed.said else { panic!("{signed:?}") };
        assert!(deviation.value.abs() < 0.5 && deviation.expanded > 0.0, "{deviation:?}");
        assert!(budget.iter().any(|c| c.label == "step of the signed readings"), "{budget:?}");
        assert!(data_output(&record).1.contains("signed record: valid"));
        // Its exact bytes are in the record, and nothing but the key is needed.
        let key = Key::from_text(&public_key(&record.plan.nameplate.serial)).unwrap();
        let checked = ocmf::check(bytes(&record).unwrap(), Some(&key));
        assert_eq!(checked.authenticity, Authenticity::Valid);
    }
}

#[test]
fn the_transaction_lies_around_the_load_points_and_lengthens_the_run_to_the_meters_two_minutes_at_most() {
    let record = demo("signing", 1);
    assert_eq!(orders(&record)[..2], [Order::Begin, Order::End]);
    let signed = record.results.signed_record.as_ref().unwrap();
    let (begun, ended) = (signed.begun.unwrap(), signed.ended.unwrap());
    assert!((ended - begun).secs() >= 120.0, "the shortest that the meter takes");
    // No current flows when it begins and when it ends.
    for at in [begun, ended] {
        let near = record.raw.iter().filter_map(|Logged(_, event)| match event {
            Event::Sample(sample) if (-0.3..=0.06).contains(&(sample.taken - at).secs()) => {
                Some(sample.current.amperes())
            }
            _ => None,
        });
        let near: Vec<f64> = near.collect();
        assert!(!near.is_empty() && near.iter().all(|amperes| amperes.abs() < 0.01), "{near:?}");
    }
    let plain = demo("good", 1);
    let longer = record.results.elapsed - plain.results.elapsed;
    // Its load points take less than two minutes: the rest of the meter's shortest transaction is waited for at rest.
    assert!((120.0..122.0).contains(&(ended - begun).secs()), "{}", ended - begun);
    assert!(longer.secs() < 20.0, "{longer}");
    // Where they take longer it runs beside, and the run is longer by its begin and end alone.
    let longer = ["signing", "good"].map(|name| {
        let mut rig = rig(name);
        rig.nameplate.register_resolution_kwh = "0.01".parse().unwrap();
        made(&rig, 1).results.elapsed
    });
    assert!((longer[0] - longer[1]).secs() < 3.0, "{longer:?}");
    assert!(record.results.elapsed.secs() < 600.0);
    assert!((record.plan.total - record.results.elapsed).secs().abs() < 5.0, "{}", record.plan.total);
}

#[test]
fn every_regulation_and_kind_has_room_for_the_transaction() {
    let rig = rig("signing");
    for regulation in ["dc-meter", "jjg596-2026", "jjg1149-2022"] {
        for kind in Kind::ALL {
            let record = record_of(&rig, plan_of(&rig, regulation, kind), 3);
            let items = table(&record.results.items);
            assert_eq!(record.results.verdict, Some(Verdict::Pass), "{regulation} {kind}:\n{items}");
            assert_eq!(looked(&record).result, Answer::Valid, "{regulation} {kind}");
            assert_eq!(looked(&record).against, [""; 0], "{regulation} {kind}");
            let late = record.results.elapsed - record.plan.total;
            assert!(late.secs().abs() < 5.0, "{regulation} {kind}: planned {}, {late}", record.plan.total);
        }
    }
}

#[test]
fn trap_p_a_record_is_checked_over_its_exact_bytes() {
    let mut record = demo("signing", 1);
    let exact = bytes(&record).unwrap().to_vec();
    let change = |record: &mut Record, with: &[u8]| {
        for Logged(_, event) in &mut record.raw {
            if let Event::Transacted(told) = event
                && let Came::Record(bytes) = &mut told.came
            {
                *bytes = with.to_vec();
            }
        }
    };
    // The same JSON, written anew with one space more, is another record.
    let text = String::from_utf8(exact.clone()).unwrap();
    change(&mut record, text.replacen("{\"FV\":", "{ \"FV\":", 1).as_bytes());
    let (outcome, results) = recompute(&record);
    assert_eq!(outcome, Some(Outcome::Completed));
    assert_eq!(results.signed_record.unwrap().looked.unwrap().result, Answer::NotAuthentic);
    assert_eq!(results.verdict, Some(Verdict::Undecided));
    // Every bit of the payload counts.
    let at = text.find("\"RV\":").unwrap() + 6;
    for bit in 0..8 {
        let mut flipped = exact.clone();
        flipped[at] ^= 1 << bit;
        change(&mut record, &flipped);
        let looked = recompute(&record).1.signed_record.unwrap().looked.unwrap();
        assert!(matches!(looked.result, Answer::NotAuthentic | Answer::Malformed), "bit {bit}: {looked:?}");
    }
    change(&mut record, &exact);
    assert_eq!(recompute(&record).1, record.results);
}

#[test]
fn trap_q_a_meter_that_needs_minutes_to_sign_is_waited_for_with_the_load_off_and_a_countdown() {
    let rig = rig("slow-to-sign");
    let mut run = Run::new(Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent)), Instant::ZERO, started());
    let mut bench = rig.in_process(1, started(), None);
    let mut countdown = vec![];
    conduct(&mut run, &mut bench, &mut || None, &mut |run, now| {
        let seen = run.snapshot(now);
        if let Some(left) = seen.signing_left {
            assert!(seen.safe_to_disconnect && !run.is_over(), "the leads may be taken off meanwhile");
            countdown.push(left);
        }
    });
    let record = run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).unwrap();
    assert!(countdown.len() > 100 && countdown.windows(2).all(|pair| pair[1] <= pair[0]));
    assert!(countdown[0] > Span::from_secs(590) && *countdown.last().unwrap() < Span::from_secs(370));
    assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", table(&record.results.items));
    let waited = looked(&record).waited.unwrap().secs();
    assert!((240.0..250.0).contains(&waited), "{waited}");
    // The ten minutes end with the load; the waiting is told beside them.
    assert!(record.results.elapsed.secs() < 600.0);
    assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
}

#[test]
fn trap_q_a_signature_that_does_not_come_is_a_finding_with_its_deadline_and_no_hang() {
    let mut rig = rig("slow-to-sign");
    rig.truth.signing.sign_secs = 1e6;
    rig.nameplate.data_output.as_mut().unwrap().sign_within_secs = Some(90.0);
    let record = made(&rig, 1);
    assert_eq!(record.outcome, Outcome::Completed);
    assert_eq!(record.results.verdict, Some(Verdict::Pass), "the other ways decide");
    let why = why_none(&record);
    assert!(why.starts_with("the meter gave no signed record within 1 min 30.0 s"), "{why}");
    assert!(why.contains("not signed yet") && why.contains("ask again later"), "{why}");
    assert!(about_it(&record).iter().any(|finding| finding.starts_with("signed record: none: ")));
}

#[test]
fn who_stops_the_waiting_for_a_signature_loses_the_signature_only() {
    let rig = rig("slow-to-sign");
    let mut run = Run::new(Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent)), Instant::ZERO, started());
    let mut bench = rig.in_process(1, started(), None);
    let waits = RefCell::new(false);
    let mut stop = || waits.borrow().then(|| "the inspector has no time".to_owned());
    conduct(&mut run, &mut bench, &mut stop, &mut |run, now| {
        *waits.borrow_mut() = run.snapshot(now).signing_left.is_some_and(|left| left.secs() < 550.0);
    });
    let record = run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).unwrap();
    assert_eq!(record.outcome, Outcome::Completed);
    assert_eq!(record.results.verdict, Some(Verdict::Pass));
    assert!(why_none(&record).contains("the inspector has no time"), "{}", why_none(&record));
    assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
}

#[test]
fn a_forged_record_lets_no_pass_through() {
    let record = demo("forged-record", 1);
    assert_eq!(looked(&record).result, Answer::NotAuthentic);
    let (verdict, reason) = data_output(&record);
    assert_eq!(verdict, Verdict::Undecided);
    assert!(reason.contains("the signed record is not authentic"), "{reason}");
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
    assert!(record.results.items.iter().all(|i| i.item == Item::DataOutput || i.verdict == Verdict::Pass));
    assert!(
        about_it(&record).iter().any(|finding| finding.starts_with("the signed record is not authentic"))
    );
    // What nobody has signed is no evidence of an energy.
    let check = record.results.cross_check.unwrap();
    let signed = check.witnesses.iter().find(|w| w.way == Way::SignedRecord).unwrap();
    assert!(matches!(&signed.said, Said::Nothing { why } if why.starts_with("not authentic")), "{signed:?}");
}

#[test]
fn a_signed_energy_that_contradicts_lets_no_pass_through_although_its_signature_is_right() {
    let record = demo("signed-energy-off", 1);
    assert_eq!(looked(&record).result, Answer::Valid);
    let (verdict, reason) = data_output(&record);
    assert_eq!(verdict, Verdict::Undecided);
    assert!(reason.contains("the signed energy contradicts the register: +"), "{reason}");
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
    let findings = about_it(&record).join("\n");
    for part in [
        "cross-check: reference and signed record are",
        "cross-check: pulses and signed record are",
        "cross-check: register and signed record are",
        "the signed record takes +",
        "it is another transaction's",
    ] {
        assert!(findings.contains(part), "{part}:\n{findings}");
    }
    // A little off is off as well: there is no metering error between a register and its own signature.
    let mut rig = rig("signed-energy-off");
    rig.truth.signing.energy_factor = 0.9985;
    let record = made(&rig, 1);
    assert_eq!(record.results.verdict, Some(Verdict::Undecided), "{:#?}", about_it(&record));
    assert!(data_output(&record).1.contains("contradicts the register: -"), "{}", data_output(&record).1);
}

#[test]
fn a_bad_meter_that_signs_honestly_is_bad_by_the_same_items() {
    let mut signing = rig("signing");
    let mut plain = rig("fast");
    signing.truth.error_curve.clone_from(&plain.truth.error_curve);
    plain.truth.signing = signing.truth.signing.clone();
    let verdicts = |rig: &Rig| {
        let items = made(rig, 1).results.items;
        items
            .iter()
            .filter(|i| ![Item::Seal, Item::TariffRegisters].contains(&i.item))
            .map(|i| (i.item, i.verdict))
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&signing), verdicts(&plain));
}

#[test]
fn without_the_key_nothing_is_said_of_who_signed_and_that_is_a_finding() {
    let mut rig = rig("signing");
    let output = rig.nameplate.data_output.as_mut().unwrap();
    output.public_key = None;
    let record = made(&rig, 1);
    assert_eq!(looked(&record).result, Answer::KeyUnknown);
    assert_eq!(record.results.verdict, Some(Verdict::Pass));
    assert!(
        about_it(&record).iter().any(|f| f.starts_with("signed record: key unknown")),
        "{:?}",
        about_it(&record)
    );
    // Another meter's key: not this one's record.
    rig.nameplate.data_output.as_mut().unwrap().public_key = Some(public_key("another"));
    let record = made(&rig, 1);
    assert_eq!(looked(&record).result, Answer::NotAuthentic);
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
}

#[test]
fn trap_r_a_meter_without_records_or_whose_clock_is_not_set_fails_no_run() {
    for (records, synced, part) in
        [(false, None, "transaction not possible"), (true, Some(false), "its clock is not synchronised")]
    {
        let mut rig = rig("signing");
        rig.truth.signing.records = records;
        rig.truth.signing.clock_synced = synced;
        let record = made(&rig, 1);
        assert_eq!(record.outcome, Outcome::Completed, "{part}");
        assert_eq!(record.results.verdict, Some(Verdict::Pass), "{part}:\n{}", table(&record.results.items));
        let why = why_none(&record);
        assert!(why.starts_with("the meter did not begin a transaction") && why.contains(part), "{why}");
        assert_eq!(about_it(&record).len(), 1, "{:?}", about_it(&record));
    }
    // One that tells nothing of its clock is believed to have it set.
    let mut rig = rig("signing");
    rig.truth.signing.clock_synced = None;
    assert_eq!(looked(&made(&rig, 1)).result, Answer::Valid);
}

#[test]
fn a_run_that_is_stopped_or_fails_ends_the_transaction_after_off_and_says_so() {
    for fault in [false, true] {
        let rig = rig("signing");
        let mut run =
            Run::new(Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent)), Instant::ZERO, started());
        let actions = RefCell::new(vec![]);
        let begun = RefCell::new(None);
        let mut bench = Meddled {
            bench: Box::new(rig.in_process(1, started(), None)),
            order: Box::new(|action| actions.borrow_mut().push(action.clone())),
            count: 0,
            waiting: VecDeque::new(),
            meddle: Box::new(|count, event| {
                if matches!(&event, Event::Transacted(told) if told.order == Order::Begin) {
                    *begun.borrow_mut() = Some(count);
                }
                let late = begun.borrow().is_some_and(|begun| count == begun + 3000);
                match (late, fault) {
                    (true, true) => vec![Event::Fault {
                        device: phantomload::run::Device::Reference,
                        what: "on purpose".into(),
                    }],
                    (true, false) => vec![Event::Abort { why: "on purpose".into() }],
                    _ => vec![event],
                }
            }),
        };
        conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
        drop(bench);
        let actions = actions.into_inner();
        let off = actions.iter().position(|a| *a == Action::SourceOff).unwrap();
        let ended = actions.iter().position(|a| matches!(a, Action::Transact { order: Order::End, .. }));
        assert!(ended.is_some_and(|ended| ended > off), "off goes first: {:?}", &actions[off..]);
        assert!(actions[off..].iter().all(|a| !matches!(a, Action::SetSource(_))));
        assert!(!actions.iter().any(|a| matches!(a, Action::Transact { order: Order::Record, .. })));
        let record = run.record("SIM-R-2026-000001".into(), None, true).unwrap();
        assert_ne!(record.outcome, Outcome::Completed);
        assert_eq!(record.results.verdict, None);
        let findings = about_it(&record).join("\n");
        assert!(findings.contains("in the meter was ended with the run"), "{findings}");
        assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
    }
}

#[test]
fn a_meter_that_does_not_answer_at_the_end_is_tried_again_and_then_named() {
    let rig = rig("signing");
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(bench, |_, event| match event {
            Event::Transacted(mut told) if told.order == Order::End => {
                told.came = Came::Not("it is busy".into());
                Some(Event::Transacted(told))
            }
            other => Some(other),
        })
    });
    assert_eq!(record.outcome, Outcome::Completed);
    assert_eq!(orders(&record).iter().filter(|order| **order == Order::End).count(), 3);
    let findings = about_it(&record).join("\n");
    assert!(findings.contains("may still be running in the meter: end it there (it is busy)"), "{findings}");
    // Nothing comes at all: the run goes on without it.
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(
            bench,
            |_, event| if matches!(event, Event::Transacted(_)) { None } else { Some(event) },
        )
    });
    assert_eq!(record.outcome, Outcome::Completed);
    assert!(why_none(&record).contains("no answer within"), "{}", why_none(&record));
    assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", table(&record.results.items));
}

#[test]
fn a_transaction_whose_begin_was_not_answered_is_ended_all_the_same() {
    let rig = rig("signing");
    for timeout in [false, true] {
        let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
            Meddled::events(bench, move |_, event| match event {
                Event::Transacted(told) if told.order == Order::Begin && timeout => {
                    drop(told);
                    None
                }
                Event::Transacted(mut told) if told.order == Order::Begin => {
                    told.came = Came::Unknown("the line broke".into());
                    Some(Event::Transacted(told))
                }
                other => Some(other),
            })
        });
        assert_eq!(record.outcome, Outcome::Completed, "timeout {timeout}");
        assert_eq!(
            orders(&record).iter().filter(|order| **order == Order::End).count(),
            1,
            "timeout {timeout}"
        );
        let why = why_none(&record);
        assert!(why.contains("whether the meter has begun a transaction is not known"), "{why}");
        let findings = about_it(&record).join("\n");
        assert!(findings.contains("in the meter was ended with the run"), "{findings}");
        assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
    }
}

/// A verification by the program: its JSON and the data folder.
fn verified(dir: &Path, meter: &str) -> (i32, serde_json::Value) {
    let data = dir.join(meter);
    let output = phantomload(&["verify", "--json", "--meter", meter, "--data", data.to_str().unwrap()]);
    (output.status.code().unwrap_or_else(|| panic!("{}", stderr(&output))), json(&output))
}

#[test]
fn the_record_lies_in_the_package_for_any_transparency_software_and_stands_in_every_paper() {
    let dir = tempfile::tempdir().unwrap();
    for (meter, code, word, exit) in [
        ("signing", 0, "valid", 0),
        ("forged-record", 4, "not_authentic", 1),
        ("signed-energy-off", 4, "valid", 0),
    ] {
        let (seen, told) = verified(dir.path(), meter);
        assert_eq!(seen, code, "{meter}: {told:#}");
        assert_eq!(told["signed_record"]["looked"]["result"], word);
        let package = Path::new(told["package"].as_str().unwrap());
        let file = package.join("signed-record.ocmf");
        let serial = rig(meter).nameplate.serial;
        let output =
            phantomload(&["ocmf", "verify", file.to_str().unwrap(), "--key", &public_key(&serial), "--json"]);
        assert_eq!(output.status.code(), Some(exit), "{}", stderr(&output));
        assert_eq!(json(&output)["result"], word);
        let output = phantomload(&["certificate", "verify", package.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(!said.contains("was altered") && !said.contains("missing"), "{said}");

        let number = told["certificate_no"].as_str().unwrap();
        let read = |name: &str| std::fs::read_to_string(package.join(name)).unwrap();
        let (csv, report) = (read(&format!("{number}_results.csv")), read(&format!("{number}_report.txt")));
        let dcc = read("certificate.dcc.xml");
        let (en, zh) = match meter {
            "signing" => ("valid: the key has signed exactly these bytes", "有效：密钥确已签署这些字节"),
            "forged-record" => ("the signed record is not authentic", "签名数据不真实"),
            _ => ("the signed energy contradicts the register", "签名电能与计度器不符"),
        };
        assert!(csv.contains(en), "{meter}: {csv}");
        for (name, text) in [("report", &report), ("DCC", &dcc)] {
            // A line of the report is broken where it is full.
            let flat = |text: &str| text.split_whitespace().collect::<String>();
            assert!(flat(text).contains(&flat(en)), "{meter}: {name} lacks {en}");
            assert!(flat(text).contains(&flat(zh)), "{meter}: {name} lacks {zh}");
        }
    }
}

#[test]
fn a_key_or_limit_that_cannot_be_is_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to, part) in [
        ("public_key = \"3059", "public_key = \"30", "no public key of a meter"),
        ("address = \"auto\"", "address = \"auto\"\nsign_within_secs = 0.0", "sign_within_secs"),
        ("address = \"auto\"", "address = \"auto\"\ncable = 8", "data_output.cable"),
        ("address = \"auto\"", "address = \"1\"", "auto"),
        ("profile = \"lem-dcbm\"", "profile = \"dlt698\"", "lem-dcbm"),
    ] {
        let file = support::altered(dir.path(), "meter.toml", "assets/demo/signing.toml", &[(from, to)]);
        let data = dir.path().join("data");
        let output =
            phantomload(&["verify", "--meter", file.to_str().unwrap(), "--data", data.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{to}: {}", stderr(&output));
    }
}
