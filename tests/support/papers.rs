//! Papers of each kind, made from whole runs on the simulated bench. Where a test needs a certificate the run is said to be
//! of real devices and the profile to be approved: no laboratory stands behind it.

#![allow(dead_code, reason = "each test file uses its part")]

use super::simulated;
use phantomload::certificate::issue::{
    Amendment, Correction, Field, Issue, Laboratory, Link, Role, Seal, Signature, Status,
};
use phantomload::certificate::paper::Paper;
use phantomload::certificate::record::Record;
use phantomload::regulation::Kind;
use serde_json::{Value, json};

/// The institution of all these papers. There is none of this name.
pub fn laboratory() -> Laboratory {
    Laboratory {
        name_zh: "某市计量检定测试所（示例）".into(),
        name_en: "Example Municipal Institute of Metrology".into(),
        address: "某市某区示例路 1 号".into(),
        postcode: "100000".into(),
        phone: "010-0000 0000".into(),
        fax: String::new(),
        email: "lab@example.org".into(),
        authorisation_no: "（示例）法计 00000".into(),
        standard_name: "直流电能表标准装置（示例）".into(),
        standard_range: "(10–1000) V, (0.1–600) A".into(),
        standard_uncertainty: "0.05 级".into(),
        public_standard_certificate_no: "[示例] 社量标证字第 000 号".into(),
        standard_certificate_no: "[示例] 量标 0000 证字第 000 号".into(),
        standard_valid_until: Some("2029-12-31".parse().unwrap()),
        ..Laboratory::default()
    }
}

/// A run of a simulated meter.
pub fn simulated(meter: &str) -> Record {
    simulated::record(meter, "dc-meter", Kind::Subsequent, 1)
}

/// The same with some of its JSON changed.
pub fn changed(record: &Record, change: impl FnOnce(&mut Value)) -> Record {
    let mut value = serde_json::to_value(record).unwrap();
    change(&mut value);
    Record::from_json("changed", &value.to_string()).unwrap()
}

/// As if the devices had been real; the profile stays unapproved.
pub fn real(meter: &str) -> Record {
    real_of(&simulated(meter))
}

fn real_of(record: &Record) -> Record {
    changed(record, |record| {
        record["simulated"] = false.into();
        record["record_no"] = "PL-R-2026-000001".into();
        record["certificate_no"] = "PL-2026-000001".into();
        let plan = &mut record["plan"];
        let standards = &mut plan["standards"];
        for (kind, model, no) in [
            ("reference", "Reference meter RM-1 (example)", "DLdn2026-00001"),
            ("time_base", "Time base TB-1 (example)", "DLsp2026-00002"),
        ] {
            let standard = &mut standards[kind];
            assert_eq!(standard["simulated"], true, "{kind} is a standard of the record");
            standard["simulated"] = false.into();
            standard["model"] = model.into();
            standard["serial"] = format!("EX-{no}").into();
            standard["certificate_no"] = no.into();
            standard["laboratory"] = "Example national laboratory".into();
            standard["due_on"] = "2027-01-04".into();
        }
        plan["capability"]["instruments"] =
            json!(["source: EXAMPLE,PS-1000,0001,1.2", "reference: EXAMPLE,RM-1,0002,3.4"]);
        let entries = &mut plan["entries"];
        entries["operator"] = "王小明".into();
        entries["customer"] = "某市充电服务有限公司".into();
        entries["customer_address"] = "某市某区示例路 6 号".into();
        entries["site"] = "某市某区示例路 8 号 地下停车场 B2".into();
        entries["temperature_degc"] = 22.5.into();
    })
}

/// As if a laboratory also answered for the profile: certificate or notice.
pub fn approved(meter: &str) -> Record {
    approved_of(&simulated(meter))
}

fn approved_of(record: &Record) -> Record {
    changed(&real_of(record), |record| {
        let profile = &mut record["plan"]["profile"];
        profile["approval"] =
            json!({"laboratory": "某市计量检定测试所（示例）", "person": "李批准", "date": "2026-01-01"});
        for class in profile["class"].as_array_mut().unwrap() {
            class["validity_years"] =
                json!({"value": 3, "clause": "of the laboratory", "provenance": "read"});
        }
    })
}

/// What no person writes and some do.
pub fn horrible(meter: &str) -> Record {
    changed(&approved(meter), |record| {
        let plan = &mut record["plan"];
        plan["entries"]["customer"] =
            format!("{}\t\r\n\"A & B\" <c> 🚗⚡ 龘靐", "某某充电".repeat(50)).into();
        plan["entries"]["site"] = format!("=HYPERLINK(\"x\") {}", "W".repeat(200)).into();
        plan["nameplate"]["maker"] = "-@+,;'`\\/|~^°§ Ünïcödé ſ ﬁ مرحبا नमस्ते 👍🏽x".into();
        plan["nameplate"]["type"] = "a-very-long-type/".repeat(11).into();
        plan["nameplate"]["charger"] = "充".repeat(200).into();
        plan["nameplate"]["connector"] = "connector  of　many words ".repeat(6).into();
        record["results"]["findings"] = json!(["finding ".repeat(60), "x".repeat(3000), "长".repeat(1500)]);
    })
}

/// A draft of the device.
pub fn draft(record: &Record) -> Issue {
    Issue {
        laboratory: laboratory(),
        status: Status::Draft,
        certificate_no: record.certificate_no.clone().unwrap(),
        signatures: vec![],
        issued_at: None,
        amends: None,
        link: Link { device: "PL-0001".into(), seq: 12, prev: "0123456789abcdef".repeat(4) },
        seal: Some(Seal {
            algorithm: "ES256".into(),
            key_id: "0011223344556677".into(),
            protection: "file".into(),
            subject: "CN=PL-0001, O=Example Municipal Institute of Metrology, C=CN".into(),
            issuer: "CN=Example Laboratory CA, O=Example, C=CN".into(),
        }),
    }
}

/// Signed by three.
pub fn issued(record: &Record) -> Issue {
    let signed = |role, person: &str, at: &str, seq| Signature {
        role,
        person: person.into(),
        at: at.parse().unwrap(),
        seq,
    };
    Issue {
        status: Status::Issued,
        signatures: vec![
            signed(Role::Verifier, "王小明", "2026-11-20T10:15:00.000+08:00", 13),
            signed(Role::Checker, "赵核验", "2026-11-20T14:02:11.000+08:00", 14),
            signed(Role::Approver, "李批准", "2026-11-20T16:40:59.000+08:00", 15),
        ],
        issued_at: Some("2026-11-20T16:41:00.000+08:00".parse().unwrap()),
        ..draft(record)
    }
}

/// In place of an earlier one.
pub fn amended(record: &Record) -> Issue {
    let correction = |field, from: &str, to: &str| Correction { field, from: from.into(), to: to.into() };
    Issue {
        certificate_no: "PL-2026-000002".into(),
        amends: Some(Amendment {
            replaces: "PL-2026-000001".into(),
            reason: "委托方名称录入错误 the customer's name was misspelt".into(),
            corrections: vec![
                correction(Field::Customer, "某市充电服务有限公司", "某市新能源充电服务有限公司"),
                correction(Field::Serial, "202611210001", "202611210007"),
            ],
        }),
        ..issued(record)
    }
}

/// The paper of a record.
pub fn paper(record: &Record, issue: Issue) -> Paper {
    Paper::new(record, issue).unwrap()
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
    changed(&real_of(record), |value| {
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
        made("report", real_of(&good), draft),
        made("pass", approved_of(&good), issued),
        made("fail", approved_of(&run("fast", "dc-meter")), issued),
        made("amended", approved_of(&good), amended),
        made("horrible", horrible("good"), issued),
        made("silent", approved_of(&run("not-starting", "dc-meter")), draft),
        made("undecided", undecided(&good), draft),
        made("other", run("good", "jjg596-2026"), draft),
    ]
}
