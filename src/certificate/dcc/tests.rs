//! What must hold of every DCC, on records made by hand; foreign judges look at it in `tests/dcc.rs`.

use super::text::not_entered;
use super::*;
use crate::certificate::issue::{
    Amendment, Correction, Field, Issue, Laboratory, Role, Seal, Signature, Status,
};
use crate::certificate::record::Record;
use crate::certificate::sample;
use crate::verdict::Verdict;
use serde_json::Value;

fn issue(record: &Record) -> Issue {
    Issue {
        laboratory: Laboratory::default(),
        status: Status::Draft,
        certificate_no: record.certificate_no.clone().unwrap_or_default(),
        signatures: vec![],
        issued_at: None,
        amends: None,
        link: Link { device: "D-1".into(), seq: 2, prev: "ab".repeat(32) },
        seal: None,
    }
}

fn paper(record: &Record) -> Paper {
    Paper::new(record, issue(record)).unwrap()
}

/// A paper with all that a paper can say besides its record.
fn signed(record: &Record) -> Paper {
    let at = "2026-11-20T11:00:00.000+08:00".parse().unwrap();
    let people = ["李工", "Zoë", "王工"];
    let signatures = Role::ALL.into_iter().zip(people).zip(3..);
    let issue = Issue {
        laboratory: Laboratory {
            name_zh: "某所".into(),
            name_en: "Some institute".into(),
            address: "1 Road".into(),
            postcode: "510000".into(),
            phone: "+86 1".into(),
            fax: "+86 2".into(),
            email: "a@b.example".into(),
            authorisation_no: "A-1".into(),
            standard_certificate_no: "S-1".into(),
            standard_valid_until: Some("2030-01-31".parse().unwrap()),
            ..Laboratory::default()
        },
        status: Status::Issued,
        signatures: signatures
            .map(|((role, person), seq)| Signature { role, person: person.into(), at, seq })
            .collect(),
        issued_at: Some(at),
        amends: Some(Amendment {
            replaces: "PL-2026-000000".into(),
            reason: "mistyped".into(),
            corrections: vec![Correction { field: Field::Serial, from: "S/N 1".into(), to: "S/N 2".into() }],
        }),
        seal: Some(Seal {
            algorithm: "ES256".into(),
            key_id: "0123456789abcdef".into(),
            protection: "file".into(),
            subject: "CN=D-1".into(),
            issuer: "CN=CA".into(),
        }),
        ..issue(record)
    };
    Paper::new(record, issue).unwrap()
}

fn text(paper: &Paper) -> String {
    String::from_utf8(dcc(paper).unwrap()).unwrap()
}

/// All texts of a value with the path to each.
fn texts(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(all) => all.iter().for_each(|one| texts(one, path, found)),
        Value::Object(all) => all.iter().for_each(|(name, one)| texts(one, &format!("{path}.{name}"), found)),
        _ => {}
    }
}

/// What stands in words of its own: verdicts, parts, states, the hour of a date, kinds of items.
const IN_OTHER_WORDS: [&str; 13] = [
    ".issue.laboratory.language",
    ".document",
    ".verdict",
    ".issue.status",
    ".issue.signatures.role",
    ".issue.issued_at",
    ".issue.amends.corrections.field",
    ".not_passed.verdict",
    ".performed_from",
    ".performed_to",
    ".rows.item",
    ".rows.verdict",
    ".rows.risk.guarded",
];

#[test]
fn every_text_of_the_paper_stands_in_the_dcc() {
    let records: [fn() -> Record; 4] =
        [|| sample::completed(-0.3), || sample::approved(2.0), || sample::real(0.3), sample::silent_at_start];
    for record in records {
        let record = record();
        let paper = signed(&record);
        let dcc = text(&paper);
        let mut found = vec![];
        texts(&serde_json::to_value(&paper).unwrap(), "", &mut found);
        assert!(found.len() > 200, "{} texts are no paper", found.len());
        let words: Vec<&str> = dcc.split(['<', '>']).collect();
        for (path, said) in found {
            // A unit is a D-SI unit, and a number must stand alone or in a list.
            if IN_OTHER_WORDS.contains(&path.as_str()) || path == ".rows.unit" || said.is_empty() {
                continue;
            }
            let escaped = said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let is_number = said.parse::<f64>().is_ok();
            let stands = if is_number {
                words.iter().any(|word| word.split(' ').any(|one| one == said))
            } else {
                dcc.contains(&escaped)
            };
            assert!(stands, "{path}: {said:?} does not stand in the DCC");
        }
    }
}

#[test]
fn a_point_without_a_pulse_has_a_bound_and_no_number() {
    let paper = paper(&sample::silent_at_start());
    let silent = paper.rows.iter().find(|row| !row.upper_bound.is_empty()).unwrap();
    let dcc = text(&paper);
    assert!(dcc.contains(&format!("no pulse; the error lies below {} %", silent.upper_bound)));
    assert_eq!(dcc.matches("refType=\"phantomload_upperBound\"").count(), 1);
    assert!(!dcc.contains("NaN"));
    let (_, table) = dcc.split_once("refType=\"phantomload_row\"").unwrap();
    let (_, rows) = table.split_once("<si:valueXMLList>").unwrap();
    let in_table: Vec<&str> = rows.split('<').next().unwrap().split(' ').collect();
    assert!(!in_table.contains(&silent.no.to_string().as_str()), "{in_table:?}");
}

#[test]
fn only_a_certificate_has_a_last_day() {
    let records: [(fn() -> Record, bool); 3] =
        [(|| sample::approved(0.3), true), (|| sample::approved(2.0), false), (|| sample::real(0.3), false)];
    for (record, has) in records {
        let record = record();
        assert_eq!(text(&paper(&record)).contains("basic_recalibration"), has);
    }
}

#[test]
fn what_is_undecided_is_no_pass() {
    let mut paper = paper(&sample::approved(0.3));
    paper.verdict = Verdict::Undecided;
    paper.rows.iter_mut().find(|row| row.is_error).unwrap().verdict = Verdict::Undecided;
    let dcc = text(&paper);
    assert!(dcc.contains("<dcc:conformity>noPass</dcc:conformity>"));
    assert!(dcc.contains("<dcc:conformityXMLList>noPass pass"));
}

#[test]
fn nobody_s_name_is_made_up() {
    let draft = text(&paper(&sample::real(0.3)));
    assert_eq!(draft.matches("<dcc:content lang=\"en\">not signed</dcc:content>").count(), 3);
    assert!(!draft.contains("<dcc:mainSigner>true") && !draft.contains("<dcc:cryptElectronicSeal>true"));
    assert!(!draft.contains("dcc:issueDate") && draft.contains(&not_entered().zh));
    let signed = text(&signed(&sample::approved(0.3)));
    assert_eq!(signed.matches("<dcc:mainSigner>true").count(), 1);
    assert_eq!(signed.matches("<dcc:cryptElectronicSeal>true").count(), 1);
    assert!(signed.contains("<dcc:issueDate>2026-11-20</dcc:issueDate>") && !signed.contains("not signed"));
}

#[test]
fn a_new_form_substitutes_and_a_correction_amends() {
    let mut paper = signed(&sample::approved(0.3));
    assert!(text(&paper).contains("<dcc:typeOfChange>amended<"));
    paper.issue.amends.as_mut().unwrap().corrections.clear();
    assert!(text(&paper).contains("<dcc:typeOfChange>substituted<"));
}

#[test]
fn what_is_no_number_is_refused_and_not_written() {
    let mut paper = paper(&sample::approved(0.3));
    let row = paper.rows.iter_mut().find(|row| row.is_error).unwrap();
    row.value = "about 1".into();
    assert!(dcc(&paper).unwrap_err().to_string().contains("`about 1`"));
    let last = paper.rows.iter_mut().find(|row| row.is_error).unwrap();
    last.value = "1.0".into();
    paper.rows.last_mut().unwrap().unit = "furlong".into();
    assert!(dcc(&paper).unwrap_err().to_string().contains("`furlong`"));
    paper.rows.clear();
    assert!(matches!(dcc(&paper), Err(Fault::NoResult { .. })));
}

#[test]
fn the_last_bytes_are_the_end_of_the_root() {
    assert!(text(&paper(&sample::real(0.3))).ends_with("\n</dcc:digitalCalibrationCertificate>"));
}
