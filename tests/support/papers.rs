//! Papers of each kind, made from runs of the simulated bench: what a kind needs besides is changed in the record.

#![allow(dead_code, reason = "each test file uses its part")]

use super::simulated;
use phantomload::certificate::issue::{
    Amendment, Correction, Field, Issue, Laboratory, Link, Role, Seal, Signature, Status,
};
use phantomload::certificate::paper::Paper;
use phantomload::certificate::record::Record;
use phantomload::regulation::Kind;
use serde_json::{Value, json};

/// A record in which some fields were changed.
pub fn changed(record: &Record, change: impl FnOnce(&mut Value)) -> Record {
    let mut value: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
    change(&mut value);
    Record::from_json("changed", &value.to_string()).unwrap()
}

/// As if it had been a real bench.
pub fn real(record: &Record) -> Record {
    changed(record, |value| {
        value["simulated"] = json!(false);
        value["record_no"] = json!("PL-R-2026-000001");
        value["certificate_no"] = json!("PL-2026-000001");
        for standard in value["plan"]["standards"].as_object_mut().unwrap().values_mut() {
            if standard.get("simulated").is_some() {
                standard["simulated"] = json!(false);
            }
        }
        value["plan"]["entries"]["operator"] = json!("李工");
        value["plan"]["entries"]["customer"] = json!("某某充电运营有限公司 & Co. <\"quoted\">");
        value["plan"]["entries"]["site"] = json!("North car park, bay 7");
    })
}

/// The same where a laboratory answers for all figures.
pub fn approved(record: &Record) -> Record {
    changed(&real(record), |value| {
        value["plan"]["profile"]["approval"] =
            json!({"laboratory": "某某计量院", "person": "王工", "date": "2026-01-01"});
        for class in value["plan"]["profile"]["class"].as_array_mut().unwrap() {
            class["validity_years"] =
                json!({"value": 3, "clause": "of the laboratory", "provenance": "read"});
        }
        value["plan"]["entries"]["temperature_degc"] = json!(22.0);
        value["plan"]["entries"]["humidity_percent"] = json!(45.0);
    })
}

/// Nobody has signed.
pub fn draft(record: &Record) -> Issue {
    Issue {
        laboratory: Laboratory::default(),
        status: Status::Draft,
        certificate_no: record.certificate_no.clone().unwrap(),
        signatures: vec![],
        issued_at: None,
        amends: None,
        link: Link { device: "PL-0001".into(), seq: 2, prev: "ab".repeat(32) },
        seal: None,
    }
}

/// Signed by all three and sealed.
pub fn issued(record: &Record) -> Issue {
    let at = "2026-11-20T11:00:00.000+08:00".parse().unwrap();
    let people = ["李工", "Zoë O'Neill", "王工"];
    Issue {
        laboratory: Laboratory {
            name_zh: "某某市计量检测院".into(),
            name_en: "Some City Institute of Metrology".into(),
            address: "某某路 1 号".into(),
            postcode: "510000".into(),
            phone: "+86 20 0000 0000".into(),
            fax: String::new(),
            email: "lab@example.org".into(),
            authorisation_no: "（粤）法计（2026）0001".into(),
            standard_certificate_no: "[2026] 粤量标证字第 1 号".into(),
            standard_valid_until: Some("2030-01-31".parse().unwrap()),
        },
        status: Status::Issued,
        signatures: Role::ALL
            .into_iter()
            .zip(people)
            .zip(3..)
            .map(|((role, person), seq)| Signature { role, person: person.into(), at, seq })
            .collect(),
        issued_at: Some(at),
        link: Link { device: "PL-0001".into(), seq: 6, prev: "cd".repeat(32) },
        seal: Some(Seal {
            algorithm: "ES256".into(),
            key_id: "0123456789abcdef".into(),
            protection: "file".into(),
            subject: "CN=PL-0001".into(),
            issuer: "CN=Test CA".into(),
        }),
        ..draft(record)
    }
}

/// In place of an earlier one.
pub fn amended(record: &Record) -> Issue {
    Issue {
        certificate_no: "PL-2026-000002".into(),
        amends: Some(Amendment {
            replaces: "PL-2026-000001".into(),
            reason: "the serial number was mistyped".into(),
            corrections: vec![
                Correction { field: Field::Serial, from: "2026-1".into(), to: "2026-01".into() },
                Correction { field: Field::Customer, from: "甲".into(), to: "乙公司".into() },
            ],
        }),
        ..issued(record)
    }
}

/// A paper with the record behind it.
pub struct Kept {
    /// The kind, as the name of a file.
    pub name: &'static str,
    /// What it was made from.
    pub record: Record,
    /// The paper.
    pub paper: Paper,
}

fn run(meter: &str, regulation: &str) -> Record {
    simulated::record(meter, regulation, Kind::Subsequent, 7)
}

fn made(name: &'static str, record: Record, issue: fn(&Record) -> Issue) -> Kept {
    let paper = Paper::new(&record, issue(&record)).unwrap();
    Kept { name, record, paper }
}

/// The sample: nobody can take it for a certificate, and it has all that one has but its last day.
pub fn simulated_and_signed() -> Kept {
    made("sealed", run("good", "dc-meter"), issued)
}

/// The same, but nothing was decided at one point.
fn undecided(record: &Record) -> Record {
    changed(&real(record), |value| {
        let items = value["results"]["items"].as_array_mut().unwrap();
        let error = items.iter_mut().find(|item| item["item"] == "basic_error").unwrap();
        (error["verdict"], error["reason"]) = (json!("undecided"), json!("too close to the limit"));
        value["results"]["verdict"] = json!("undecided");
    })
}

/// One paper of each kind.
pub fn each_kind() -> Vec<Kept> {
    let good = run("good", "dc-meter");
    vec![
        made("simulated", good.clone(), draft),
        made("sealed", good.clone(), issued),
        made("report", real(&good), draft),
        made("pass", approved(&good), issued),
        made("fail", approved(&run("fast", "dc-meter")), issued),
        made("amended", approved(&good), amended),
        made("silent", approved(&run("not-starting", "dc-meter")), draft),
        made("undecided", undecided(&good), draft),
        made("other", run("good", "jjg596-2026"), draft),
    ]
}
