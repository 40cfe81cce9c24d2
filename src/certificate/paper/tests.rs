//! What a paper says of records made by hand.

use super::*;
use crate::certificate::issue::{Amendment, Laboratory, Link, Status};
use crate::certificate::sample;

fn issue(record: &Record) -> Issue {
    Issue {
        laboratory: Laboratory::default(),
        status: Status::Draft,
        certificate_no: record.certificate_no.clone().unwrap_or_default(),
        signatures: vec![],
        issued_at: None,
        amends: None,
        link: Link { device: "D".into(), seq: 2, prev: "0".repeat(64) },
        seal: None,
    }
}

fn paper(record: &Record) -> Paper {
    Paper::new(record, issue(record)).unwrap()
}

#[test]
fn a_row_prints_what_the_csv_prints() {
    let records: [fn() -> Record; 3] =
        [|| sample::completed(-0.3), || sample::approved(2.0), sample::silent_at_start];
    for record in records.map(|make| Box::new(make())) {
        let bytes = csv::results_csv(&record).unwrap();
        let mut reader = ::csv::Reader::from_reader(&bytes[csv::BOM.len()..]);
        let header = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let paper = paper(&record);
        assert_eq!(rows.len(), paper.rows.len());
        for (printed, row) in paper.rows.iter().zip(&rows) {
            let cell = |name: &str| &row[header.iter().position(|h| h == name).unwrap()];
            assert_eq!(printed.rounded, cell("value_rounded"));
            assert_eq!(printed.uncertainty, cell("expanded_uncertainty"));
            assert_eq!(printed.k, cell("coverage_factor"));
            assert_eq!(printed.reference_energy, cell("reference_energy_kWh"));
            if printed.is_error {
                assert_eq!((printed.value.as_str(), printed.unit.as_str()), (cell("error_percent"), "%"));
                assert_eq!(printed.limit, cell("limit_high_percent"));
            }
        }
    }
}

/// A record of a kind of run.
type Recorded = fn() -> Record;

#[test]
fn each_document_has_its_title_and_only_a_certificate_a_last_day() {
    let cases: [(Recorded, &str, bool); 4] = [
        (|| sample::approved(0.3), "检定证书", true),
        (|| sample::approved(2.0), "检定结果通知书", false),
        (|| sample::real(0.3), "检测报告", false),
        (|| sample::completed(0.3), "检测报告（模拟）", false),
    ];
    for (record, title, until) in cases {
        let paper = paper(&record());
        assert_eq!((paper.title.zh.as_str(), paper.valid_until.is_some()), (title, until));
        assert_eq!(paper.why_no_certificate.is_empty(), paper.document != Document::TestReport);
        assert_eq!(paper.not_passed.is_empty(), paper.verdict == Verdict::Pass);
    }
}

#[test]
fn a_correction_changes_the_text_and_nothing_that_was_measured() {
    let record = sample::approved(0.3);
    let mut issue = issue(&record);
    issue.amends = Some(Amendment {
        replaces: "PL-2026-000001".into(),
        reason: "typing error".into(),
        corrections: vec![Correction { field: Field::Customer, from: String::new(), to: "某公司".into() }],
    });
    let (plain, amended) = (paper(&record), Paper::new(&record, issue).unwrap());
    assert_eq!((amended.customer.as_str(), amended.site.as_str()), ("某公司", plain.site.as_str()));
    assert_eq!((&amended.rows, amended.title.zh.as_str()), (&plain.rows, "检定证书（更改）"));
}

#[test]
fn a_run_without_a_verdict_has_no_paper() {
    let record = sample::aborted();
    assert!(Paper::new(&record, issue(&record)).unwrap_err().to_string().contains(&record.record_no));
}

#[test]
fn words_that_are_the_same_stand_once() {
    let words = Words::new("合格", "pass");
    assert_eq!(words.print(Language::Both), "合格 pass");
    assert_eq!(
        (words.print(Language::Chinese), words.print(Language::English)),
        ("合格".into(), "pass".into())
    );
    assert_eq!(Words::same("PL-1").print(Language::Both), "PL-1");
}
