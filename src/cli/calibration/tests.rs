//! Certificates in a folder: dates, drift, wrong files.

use super::page::State;
use super::*;
use jiff::civil::date;
use std::fs;

fn certificate(number: &str, on: &str, due: &str, errors: [f64; 2]) -> String {
    let [low, high] = errors;
    format!(
        r#"
schema = 1
standard = "reference"
model = "R"
serial = "7"
certificate_no = "{number}"
laboratory = "L"
calibrated_on = "{on}"
due_on = "{due}"
point = [
  {{ voltage_v = 100, current_a = 1, error_percent = {low}, expanded_u_percent = 0.03, k = 2 }},
  {{ voltage_v = 100, current_a = 10, error_percent = {high}, expanded_u_percent = 0.04, k = 2, dof = 20 }},
]
"#
    )
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn page(dir: &Path, today: Date) -> Page {
    Folder::of(dir).unwrap_or_else(|stop| panic!("{}", stop.message)).page(today)
}

#[test]
fn the_shipped_standards_are_simulated_and_in_date() {
    let page = Folder::shipped().page(date(2026, 11, 20));
    assert_eq!((page.standards.len(), page.code(true)), (2, 0));
    assert!(page.standards.iter().all(|s| s.simulated));
    let text = page.text();
    for word in [
        "SIMULATED",
        "SIM-REF-1",
        "in date",
        "750 V, 5 A",
        "+0.01 %",
        "-0.01 %",
        "rate",
        "+2 ppm",
        "2099-12-31",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_certificate_past_due_ends_the_check_with_one() {
    let dir = folder(&[("a.toml", &certificate("A", "2024-01-10", "2025-01-09", [0.0, 0.0]))]);
    for (today, code, state, left) in [
        (date(2025, 1, 9), 0, State::InDate, 0),
        (date(2025, 1, 10), 1, State::PastDue, -1),
        (date(2024, 1, 9), 1, State::NotYet, 366),
    ] {
        let page = page(dir.path(), today);
        let shown = &page.standards[0].certificates[0];
        assert_eq!((page.code(true), shown.state, shown.days_left), (code, state, left), "{today}");
        assert_eq!(page.code(false), 0, "showing is no judgement");
    }
}

#[test]
fn a_newer_certificate_takes_the_place_of_the_older_and_shows_the_drift() {
    let dir = folder(&[
        ("a.toml", &certificate("A", "2024-01-10", "2025-01-09", [0.010, 0.02])),
        ("b.toml", &certificate("B", "2025-01-10", "2026-01-09", [0.015, 0.09])),
    ]);
    let page = page(dir.path(), date(2025, 6, 1));
    assert_eq!((page.standards.len(), page.code(true)), (1, 0));
    let of_one = &page.standards[0];
    assert_eq!(
        of_one.certificates.iter().map(|c| c.state).collect::<Vec<_>>(),
        [State::Superseded, State::InDate]
    );
    let drift = &of_one.drift[0];
    assert_eq!((drift.days, drift.points.len()), (366, 2));
    let (low, high) = (&drift.points[0], &drift.points[1]);
    assert!(
        (low.change - 0.005).abs() < 1e-12 && (low.e_n.unwrap() - 0.005 / 0.03 / 2f64.sqrt()).abs() < 1e-9
    );
    assert!((high.change_per_year.unwrap() - 0.07 / 366.0 * 365.25).abs() < 1e-12);
    assert!((high.combined_u - 0.04 * 2f64.sqrt()).abs() < 1e-12);
    let words = drift.words();
    assert!(words.contains("E_n = 1.24 at 100 V, 10 A, MORE than both certificates explain"), "{words}");
    assert!(
        page.text().contains("+0.0699 %") && page.findings().contains("A → B (366 days)"),
        "{}",
        page.text()
    );
}

#[test]
fn a_wrong_file_is_named_and_ends_with_two() {
    let good = certificate("A", "2024-01-10", "2030-01-09", [0.0, 0.0]);
    let dir = folder(&[("a.toml", &good), ("b.toml", "model = 3"), ("notes.txt", "not looked at")]);
    let page = page(dir.path(), date(2025, 6, 1));
    assert_eq!(
        (page.standards.len(), page.problems().len(), page.code(true), page.code(false)),
        (1, 1, 2, 2)
    );
    assert!(page.problems()[0].what.contains("b.toml is no calibration file"), "{:?}", page.problems());
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_ends_with_one() {
    let dir = folder(&[("a.toml", &certificate("A", "2024-01-10", "2030-01-09", [0.0, 0.0]))]);
    fs::create_dir(dir.path().join("b.toml")).unwrap();
    let page = page(dir.path(), date(2025, 6, 1));
    assert_eq!(
        (page.code(true), page.problems()[0].file.as_str(), page.problems()[0].wrong),
        (1, "b.toml", false)
    );
}

#[test]
fn a_folder_without_certificates_is_wrong_input() {
    let dir = folder(&[]);
    assert!(
        Folder::of(dir.path()).is_err_and(|stop| stop.code == 2 && stop.message.contains("holds no *.toml"))
    );
    assert!(Folder::of(&dir.path().join("none")).is_err_and(|stop| stop.code == 2));
}

#[test]
fn the_json_gives_every_figure() {
    let dir = folder(&[
        ("a.toml", &certificate("A", "2024-01-10", "2025-01-09", [0.010, 0.02])),
        ("b.toml", &certificate("B", "2025-01-10", "2026-01-09", [0.015, 0.09])),
    ]);
    let json = serde_json::to_value(page(dir.path(), date(2025, 6, 1))).unwrap();
    let standard = &json["standards"][0];
    assert_eq!(standard["standard"], "reference");
    assert_eq!(standard["certificates"][1]["state"], "in_date");
    assert_eq!(standard["certificates"][1]["days_left"], 222);
    assert_eq!(standard["certificates"][1]["points"][1]["correction"], -0.09);
    assert_eq!(standard["certificates"][1]["points"][1]["current_a"], 10.0);
    assert_eq!(standard["drift"][0]["points"][1]["unit"], "%");
}
