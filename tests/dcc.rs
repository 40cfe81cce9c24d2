//! The DCC of each kind of paper before foreign judges: `xmllint` and Python's `xmlschema` for PTB's schema, PTB's own
//! schematron and unit parser, `xmllint` for the canonical form, a foreign reader for the numbers. Each judge also sees
//! files that it must refuse.
//!
//! Needs `xmllint`, the schema in `../shared/data/dcc`, and two Pythons as `.ci/run` makes them:
//! `PHANTOMLOAD_DCC_PYTHON` (dcclib) and `PHANTOMLOAD_UNITS_PYTHON` (dsiUnits, xmlschema). What is absent is said
//! loudly, and fails where nothing may be skipped.

#[path = "support/papers.rs"]
mod papers;
#[path = "support/simulated.rs"]
mod simulated;
#[path = "support/skip.rs"]
mod skip;

use papers::{Kept, each_kind};
use phantomload::certificate::csv::results_csv;
use phantomload::certificate::dcc::dcc;
use phantomload::certificate::record::Document;
use phantomload::verdict::Verdict;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/dcc/dcc.xsd");

fn schema() -> Option<&'static str> {
    if Path::new(SHARED).exists() {
        return Some(SHARED);
    }
    skip::skipped("no schema of the DCC in ../shared/data/dcc beside the checkout");
    None
}

fn xmllint(arguments: &[&str], files: &[PathBuf]) -> Option<Output> {
    let output = Command::new("xmllint").args(arguments).args(files).output();
    if output.is_err() {
        skip::skipped("no xmllint; Debian's package libxml2-utils has it (.ci/run installs it)");
    }
    output.ok()
}

/// What a judge in Python says of each file.
fn judged(judge: &str, before: &[&str], files: &[PathBuf]) -> Option<Vec<Vec<String>>> {
    let (variable, needs) = match judge {
        "schematron" => ("PHANTOMLOAD_DCC_PYTHON", "dcclib, saxonche"),
        _ => ("PHANTOMLOAD_UNITS_PYTHON", "dsi_unit, xmlschema"),
    };
    let python = std::env::var(variable).unwrap_or("python3".into());
    let has = Command::new(&python).args(["-c", &format!("import {needs}")]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        skip::skipped(&format!("no Python with {needs}; set {variable} (.ci/run does)"));
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judges/dcc.py");
    let output = Command::new(python).arg(script).arg(judge).args(before).args(files).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Vec<String>> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.len(), files.len(), "{judge}: {}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

/// All kinds on the disk: the DCC, and the results as CSV beside it.
fn written(dir: &Path) -> (Vec<Kept>, Vec<PathBuf>) {
    let kinds = each_kind();
    let files = kinds.iter().map(|kept| {
        let path = dir.join(format!("{}.xml", kept.name));
        fs::write(&path, dcc(&kept.paper).unwrap()).unwrap();
        fs::write(path.with_extension("csv"), results_csv(&kept.record).unwrap()).unwrap();
        path
    });
    let files = files.collect();
    (kinds, files)
}

/// A file of `dir` with one text replaced at its first place; it must be there. The CSV goes with it.
fn spoiled(dir: &Path, from: &str, name: &str, old: &str, new: &str) -> PathBuf {
    let text = fs::read_to_string(dir.join(format!("{from}.xml"))).unwrap();
    assert!(text.contains(old), "{from} does not hold {old}");
    let path = dir.join(format!("spoiled-{name}.xml"));
    fs::write(&path, text.replacen(old, new, 1)).unwrap();
    fs::copy(dir.join(format!("{from}.csv")), path.with_extension("csv")).unwrap();
    path
}

#[test]
fn the_kinds_are_what_they_are_called() {
    for kept in each_kind() {
        let paper = &kept.paper;
        let is = (paper.document, paper.simulated, paper.verdict);
        let expected = match kept.name {
            "simulated" | "sealed" | "other" => (Document::TestReport, true, Verdict::Pass),
            "undecided" => (Document::TestReport, false, Verdict::Undecided),
            "report" => (Document::TestReport, false, Verdict::Pass),
            "pass" | "amended" | "horrible" => (Document::VerificationCertificate, false, Verdict::Pass),
            _ => (Document::ResultNotice, false, Verdict::Fail),
        };
        assert_eq!(is, expected, "{}: {:?} {:?}", kept.name, paper.why_no_certificate, paper.not_passed);
        assert_eq!(paper.rows.iter().any(|row| !row.upper_bound.is_empty()), kept.name == "silent");
    }
}

#[test]
fn two_engines_find_every_kind_valid_against_the_schema() {
    let Some(schema) = schema() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (_, files) = written(dir.path());
    let bad = [
        spoiled(dir.path(), "pass", "version", "schemaVersion=\"3.3.0\"", "schemaVersion=\"3.2.1\""),
        spoiled(dir.path(), "pass", "word", "<dcc:conformity>pass", "<dcc:conformity>good"),
        spoiled(dir.path(), "pass", "country", ">CN<", ">cn<"),
        spoiled(dir.path(), "pass", "k", "<si:coverageFactorXMLList>", "<si:coverageFactorXMLList>0.5 "),
    ];
    if let Some(output) = xmllint(&["--noout", "--nonet", "--schema", schema], &files) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for file in &bad {
            let output =
                xmllint(&["--noout", "--nonet", "--schema", schema], std::slice::from_ref(file)).unwrap();
            assert_eq!(output.status.code(), Some(3), "{} was taken", file.display());
        }
    }
    let all: Vec<PathBuf> = files.iter().chain(&bad).cloned().collect();
    let Some(said) = judged("schema", &[schema], &all) else { return };
    for (file, complaints) in all.iter().zip(said) {
        assert_eq!(complaints.is_empty(), !bad.contains(file), "{}: {complaints:?}", file.display());
    }
}

#[test]
fn the_rules_of_ptb_have_no_error_and_no_warning() {
    let dir = tempfile::tempdir().unwrap();
    let (_, files) = written(dir.path());
    let bad = [
        spoiled(dir.path(), "pass", "language", "<dcc:content lang=\"en\">", "<dcc:content lang=\"de\">"),
        spoiled(dir.path(), "pass", "release", "<dcc:release>v", "<dcc:release>"),
        spoiled(dir.path(), "pass", "space", "<si:valueXMLList>", "<si:valueXMLList> "),
        spoiled(dir.path(), "pass", "id", "<dcc:item>", "<dcc:item id=\"nobody\">"),
        spoiled(dir.path(), "pass", "reference", "<dcc:item>", "<dcc:item refId=\"nothing\">"),
    ];
    let without = |name: &str, tag: &str| {
        let text = fs::read_to_string(dir.path().join("pass.xml")).unwrap();
        let (from, to) = (text.find(&format!("<dcc:{tag}>")).unwrap(), format!("</dcc:{tag}>"));
        let until = text.find(&to).unwrap() + to.len();
        let path = dir.path().join(format!("spoiled-{name}.xml"));
        fs::write(&path, format!("{}{}", &text[..from], &text[until..])).unwrap();
        path
    };
    let bad: Vec<PathBuf> = bad
        .into_iter()
        .chain([without("methods", "usedMethods"), without("conditions", "influenceConditions")])
        .collect();
    let all: Vec<PathBuf> = files.iter().chain(&bad).cloned().collect();
    let Some(said) = judged("schematron", &[], &all) else { return };
    for (file, complaints) in all.iter().zip(said) {
        assert_eq!(complaints.is_empty(), !bad.contains(file), "{}: {complaints:#?}", file.display());
    }
}

#[test]
fn every_unit_is_one_of_d_si() {
    let dir = tempfile::tempdir().unwrap();
    let (_, files) = written(dir.path());
    let bad = [
        spoiled(dir.path(), "pass", "unit", r">\kilo\watt\hour<", r">\kilowatthour<"),
        spoiled(dir.path(), "pass", "own", r">\percent<", r">|percent<"),
    ];
    let all: Vec<PathBuf> = files.iter().chain(&bad).cloned().collect();
    let Some(said) = judged("units", &[], &all) else { return };
    for (file, complaints) in all.iter().zip(said) {
        assert_eq!(complaints.is_empty(), !bad.contains(file), "{}: {complaints:?}", file.display());
    }
}

#[test]
fn the_numbers_are_those_of_the_results_file() {
    let dir = tempfile::tempdir().unwrap();
    let (kinds, files) = written(dir.path());
    let pass = &kinds.iter().find(|kept| kept.name == "pass").unwrap().paper;
    let row = pass.rows.iter().find(|row| row.is_error).unwrap();
    let count = pass.rows.iter().filter(|row| row.is_error).count();
    let bad = [
        spoiled(dir.path(), "pass", "energy", &row.reference_energy, "0.123"),
        spoiled(dir.path(), "pass", "verdict", "<dcc:conformityXMLList>pass", "<dcc:conformityXMLList>fail"),
        spoiled(dir.path(), "pass", "limit", &format!("-{} ", row.limit), "-9.9 "),
        spoiled(dir.path(), "pass", "time", &row.started_at, "2020-01-01T00:00:00Z"),
        spoiled(
            dir.path(),
            "pass",
            "column",
            "refType=\"phantomload_pulses\"",
            "refType=\"phantomload_repeats\"",
        ),
    ];
    assert!(count > 1, "one point is no table");
    let all: Vec<PathBuf> = files.iter().chain(&bad).cloned().collect();
    let Some(said) = judged("numbers", &[], &all) else { return };
    for (file, complaints) in all.iter().zip(said) {
        assert_eq!(complaints.is_empty(), !bad.contains(file), "{}: {complaints:#?}", file.display());
    }
}

/// Texts as nobody should enter them: what XML escapes, what it cannot say, what other forms stumble over.
fn any_text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        4 => prop::sample::select("&<>\"'\t\n\r ;=+-@]".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("中文，\u{3000}\u{1F600}é\u{301}\u{200D}\u{FEFF}\u{85}\u{2028}".chars().collect::<Vec<_>>()),
        1 => prop::sample::select("\0\u{1}\u{B}\u{1B}\u{1F}\u{7F}\u{FFFD}\u{FFFE}\u{FFFF}".chars().collect::<Vec<_>>()),
        2 => any::<char>(),
        2 => prop::char::range('a', 'z'),
    ];
    prop::collection::vec(char, 0..40).prop_map(|chars| chars.into_iter().collect())
}

/// What of a text XML can say.
fn sayable(text: &str) -> String {
    let lost =
        |c| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    text.chars().map(|c| if lost(c) { '\u{FFFD}' } else { c }).collect()
}

#[test]
fn any_text_stays_canonical_valid_and_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let mut text = move || any_text().new_tree(&mut runner).unwrap().current();
    let kinds = each_kind();
    let mut files = vec![];
    let mut expected = vec![];
    for n in 0..60 {
        let mut paper = kinds[n % kinds.len()].paper.clone();
        (paper.customer, paper.site) = (format!("c{}", text()), text());
        (paper.meter.maker, paper.meter.model, paper.meter.serial) = (format!("m{}", text()), text(), text());
        (paper.meter.charger, paper.meter.connector, paper.meter.class) = (text(), text(), text());
        (paper.record_no, paper.issue.certificate_no) = (text(), text());
        paper.issue.link.device = text();
        let laboratory = &mut paper.issue.laboratory;
        (laboratory.name_zh, laboratory.name_en, laboratory.email) = (text(), text(), text());
        (laboratory.address, laboratory.postcode, laboratory.standard_certificate_no) =
            (text(), text(), text());
        for signature in &mut paper.issue.signatures {
            signature.person = text();
        }
        if let Some(amends) = &mut paper.issue.amends {
            (amends.replaces, amends.reason, amends.corrections[0].to) = (text(), text(), text());
        }
        for row in &mut paper.rows {
            (row.reason, row.clause, row.point) = (text(), text(), text());
        }
        paper.findings.push(text());
        paper.instruments.push(text());
        paper.standards[0].certificate_no = text();
        let path = dir.path().join(format!("{n}.xml"));
        fs::write(&path, dcc(&paper).unwrap()).unwrap();
        files.push(path);
        expected.push([paper.customer, paper.meter.maker, paper.issue.link.device].map(|t| sayable(&t)));
    }
    for file in &files {
        let bytes = fs::read(file).unwrap();
        for form in ["--c14n", "--c14n11"] {
            let Some(output) = xmllint(&[form], std::slice::from_ref(file)) else { return };
            assert!(output.stdout == bytes, "{form}: {}", String::from_utf8_lossy(&bytes));
        }
    }
    if let Some(schema) = schema() {
        let output = xmllint(&["--noout", "--nonet", "--schema", schema], &files).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let Some(read) = judged("texts", &[], &files) else { return };
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
}

#[test]
fn what_is_not_canonical_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    for (n, (old, new)) in [
        ("xmlns:dcc=", " xmlns:dcc="),
        ("</dcc:comment>", "<empty/></dcc:comment>"),
        ("\n", "\r\n"),
        ("&lt;", "&#60;"),
        ("zh", "z&#x68;"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = spoiled(dir.path(), "horrible", &n.to_string(), old, new);
        let Some(output) = xmllint(&["--c14n"], std::slice::from_ref(&file)) else { return };
        assert!(output.status.success() && output.stdout != fs::read(&file).unwrap(), "{old:?} to {new:?}");
    }
}

/// The sample that `reports/dcc.md` explains. Where the form was meant to change: `PHANTOMLOAD_GOLDEN=write`.
#[test]
fn the_golden_sample_is_what_the_program_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/golden/certificate.dcc.xml");
    let made = dcc(&papers::simulated_and_signed().paper).unwrap();
    if std::env::var_os("PHANTOMLOAD_GOLDEN").is_some_and(|what| what == "write") {
        fs::write(path, &made).unwrap();
    }
    let (made, golden) = (String::from_utf8(made).unwrap(), fs::read_to_string(path).unwrap());
    let differs = made.lines().zip(golden.lines()).enumerate().find(|(_, (made, golden))| made != golden);
    assert!(differs.is_none() && made == golden, "{differs:?}");
}

#[test]
fn every_own_ref_type_is_explained_and_every_explained_one_is_used() {
    let explained = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/reports/dcc.md")).unwrap();
    let (_, explained) = explained.split_once("## Words in `refType`").unwrap();
    let mut used = std::collections::BTreeSet::new();
    for kept in each_kind() {
        let text = String::from_utf8(dcc(&kept.paper).unwrap()).unwrap();
        let found =
            text.split("refType=\"").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned));
        used.extend(found);
    }
    assert!(used.len() > 30, "{used:?}");
    let rows: std::collections::BTreeSet<_> = explained
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect();
    let missing: Vec<_> = used.difference(&rows).collect();
    let unused: Vec<_> = rows.difference(&used).collect();
    assert!(missing.is_empty() && unused.is_empty(), "not explained: {missing:?}; never used: {unused:?}");
}
