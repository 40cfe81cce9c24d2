//! What `phantomload calibration` prints: certificates with their points, due dates and drift.

use super::Problem;
use jiff::civil::Date;
use phantomload::calibration::{CalibratedPoint, Standard, StandardKind};
use phantomload::quantity::{Current, Temperature, Voltage};
use serde::Serialize;
use std::fmt::Write;

/// All that is printed.
#[derive(Serialize)]
pub struct Page {
    today: Date,
    folder: String,
    pub(super) standards: Vec<Instrument>,
    problems: Vec<Problem>,
}

/// One standard with all its certificates.
#[derive(Serialize)]
pub(super) struct Instrument {
    standard: StandardKind,
    model: String,
    serial: String,
    pub(super) simulated: bool,
    /// Oldest first.
    pub(super) certificates: Vec<Certificate>,
    /// From each certificate to the next.
    pub(super) drift: Vec<Drift>,
}

/// What today makes of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    InDate,
    PastDue,
    /// Its date lies after today: the clock of this machine or the file is wrong.
    NotYet,
    /// A newer one of the same standard has taken its place.
    Superseded,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::InDate => "in date",
            Self::PastDue => "PAST DUE",
            Self::NotYet => "NOT YET VALID",
            Self::Superseded => "superseded",
        }
    }
}

#[derive(Serialize)]
pub(super) struct Certificate {
    file: String,
    #[serde(rename = "certificate_no")]
    number: String,
    laboratory: String,
    calibrated_on: Date,
    due_on: Date,
    pub(super) days_left: i32,
    pub(super) state: State,
    simulated: bool,
    points: Vec<Row>,
}

impl Certificate {
    fn of(file: &str, standard: &Standard, newest: &Standard, today: Date) -> Self {
        let state = if standard != newest {
            State::Superseded
        } else if standard.is_due(today) {
            State::PastDue
        } else if today < standard.calibrated_on() {
            State::NotYet
        } else {
            State::InDate
        };
        Self {
            file: file.to_owned(),
            number: standard.certificate_no().to_owned(),
            laboratory: standard.laboratory().to_owned(),
            calibrated_on: standard.calibrated_on(),
            due_on: standard.due_on(),
            days_left: days(today, standard.due_on()),
            state,
            simulated: standard.is_simulated(),
            points: standard.points().iter().map(Row::of).collect(),
        }
    }
}

/// A calibrated point; which keys it has depends on the kind of standard.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    at: At,
    error: f64,
    /// What is added to a reading: the error's opposite.
    correction: f64,
    expanded_u: f64,
    k: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dof: Option<f64>,
    unit: &'static str,
}

/// Where a point lies.
#[derive(Clone, Copy, Serialize)]
struct At {
    #[serde(skip_serializing_if = "Option::is_none")]
    voltage_v: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_a: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature_c: Option<f64>,
}

impl At {
    fn of(point: &CalibratedPoint) -> Self {
        Self {
            voltage_v: point.voltage.map(Voltage::volts),
            current_a: point.current.map(Current::amperes),
            temperature_c: point.temperature.map(Temperature::degrees_celsius),
        }
    }

    fn is(&self, other: &Self) -> bool {
        let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs(),
            (a, b) => a.is_none() && b.is_none(),
        };
        same(self.voltage_v, other.voltage_v)
            && same(self.current_a, other.current_a)
            && same(self.temperature_c, other.temperature_c)
    }

    fn text(&self) -> String {
        let parts = [(self.voltage_v, "V"), (self.current_a, "A"), (self.temperature_c, "°C")];
        let text: Vec<String> =
            parts.iter().filter_map(|(x, unit)| x.map(|x| format!("{x} {unit}"))).collect();
        if text.is_empty() { "rate".into() } else { text.join(", ") }
    }
}

impl Row {
    fn of(point: &CalibratedPoint) -> Self {
        // No negative nothing on paper.
        let correction = if point.error == 0.0 { 0.0 } else { -point.error };
        let (error, expanded_u, unit) = (point.error, point.expanded, point.unit);
        Self { at: At::of(point), error, correction, expanded_u, k: point.k, dof: point.dof, unit }
    }
}

/// What became of a standard from one certificate to the next, at the points that both have.
#[derive(Serialize)]
pub(super) struct Drift {
    from: String,
    to: String,
    pub(super) days: i32,
    pub(super) points: Vec<Move>,
}

#[derive(Serialize)]
pub(super) struct Move {
    #[serde(flatten)]
    at: At,
    pub(super) change: f64,
    /// None between two certificates of the same day.
    pub(super) change_per_year: Option<f64>,
    /// √(U₁² + U₂²).
    pub(super) combined_u: f64,
    /// |change|/combined U: above 1 the standard moved by more than both certificates can explain. None without U.
    pub(super) e_n: Option<f64>,
    unit: &'static str,
}

impl Drift {
    fn between(older: &Standard, newer: &Standard) -> Self {
        let days = days(older.calibrated_on(), newer.calibrated_on());
        let (before, after) = (older.points(), newer.points());
        let points = after.iter().filter_map(|now| {
            let then = before.iter().find(|then| At::of(then).is(&At::of(now)))?;
            let change = now.error - then.error;
            let combined_u = now.expanded.hypot(then.expanded);
            Some(Move {
                at: At::of(now),
                change,
                change_per_year: (days > 0).then(|| change / f64::from(days) * 365.25),
                combined_u,
                e_n: (combined_u > 0.0).then(|| change.abs() / combined_u),
                unit: now.unit,
            })
        });
        let points = points.collect();
        Self { from: older.certificate_no().to_owned(), to: newer.certificate_no().to_owned(), days, points }
    }

    fn worst(&self) -> Option<&Move> {
        self.points
            .iter()
            .filter(|c| c.e_n.is_some())
            .max_by(|a, b| a.e_n.unwrap_or(0.0).total_cmp(&b.e_n.unwrap_or(0.0)))
    }

    pub(super) fn words(&self) -> String {
        let step = format!("{} → {} ({} days)", self.from, self.to, self.days);
        match self.worst().map(|worst| (worst, worst.e_n.unwrap_or(0.0))) {
            None => format!("{step}: no common point to compare"),
            Some((worst, e_n)) => {
                let says = if e_n > 1.0 {
                    "MORE than both certificates explain"
                } else {
                    "within both certificates"
                };
                format!("{step}: greatest E_n = {e_n:.2} at {}, {says}", worst.at.text())
            }
        }
    }
}

fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// A certificate, or a file that gives none, in lines.
pub struct Seen {
    /// The standard.
    pub head: String,
    /// What is to be known of it.
    pub about: Vec<String>,
    /// Until it is due; none where there is no certificate.
    pub days_left: Option<i32>,
    /// A newer one has taken its place.
    pub superseded: bool,
    /// Its file.
    pub file: String,
}

impl Page {
    /// Certificates by standard, then what gives none.
    pub(super) fn lines(&self) -> Vec<Seen> {
        let certificates = self.standards.iter().flat_map(|standard| {
            standard.certificates.iter().map(move |certificate| {
                let simulated = if certificate.simulated { " SIMULATED" } else { "" };
                let Certificate { number, laboratory, calibrated_on, due_on, days_left, state, file, .. } =
                    certificate;
                Seen {
                    head: format!("{} {}{simulated}", standard.model, standard.serial),
                    about: vec![
                        format!("{}: {number} by {laboratory}", standard.standard),
                        format!("calibrated {calibrated_on}, due {due_on} ({days_left} days)"),
                        format!("{} ({file})", state.word()),
                    ],
                    days_left: Some(*days_left).filter(|_| *state != State::NotYet),
                    superseded: *state == State::Superseded,
                    file: file.clone(),
                }
            })
        });
        let wrong = self.problems.iter().map(|problem| Seen {
            head: problem.file.clone(),
            about: vec![problem.what.clone()],
            days_left: None,
            superseded: false,
            file: problem.file.clone(),
        });
        certificates.chain(wrong).collect()
    }

    /// Certificates by standard (kind, model and serial number), each in order of date.
    pub fn of(
        folder: String,
        mut certificates: Vec<(String, Standard)>,
        problems: Vec<Problem>,
        today: Date,
    ) -> Self {
        certificates.sort_by(|(_, a), (_, b)| {
            let key = |s: &Standard| {
                (s.kind() as u8, s.model().to_owned(), s.serial().to_owned(), s.calibrated_on(), s.due_on())
            };
            key(a).cmp(&key(b))
        });
        let same = |a: &(String, Standard), b: &(String, Standard)| {
            (a.1.kind(), a.1.model(), a.1.serial()) == (b.1.kind(), b.1.model(), b.1.serial())
        };
        let standards = certificates.chunk_by(same).map(|of_one| {
            let (_, newest) = &of_one[of_one.len() - 1];
            Instrument {
                standard: newest.kind(),
                model: newest.model().to_owned(),
                serial: newest.serial().to_owned(),
                simulated: of_one.iter().any(|(_, s)| s.is_simulated()),
                certificates: of_one
                    .iter()
                    .map(|(file, s)| Certificate::of(file, s, newest, today))
                    .collect(),
                drift: of_one.windows(2).map(|pair| Drift::between(&pair[0].1, &pair[1].1)).collect(),
            }
        });
        let standards = standards.collect();
        Self { today, folder, standards, problems }
    }
    /// Files that gave no certificate.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The exit code of showing or of checking.
    pub fn code(&self, checks: bool) -> u8 {
        let mut newest = self.standards.iter().filter_map(|s| s.certificates.last());
        if self.problems.iter().any(|p| p.wrong) {
            return 2;
        }
        let late = checks && newest.any(|c| c.state != State::InDate);
        u8::from(late || !self.problems.is_empty())
    }

    fn overview(&self) -> String {
        let head = [
            "standard",
            "model",
            "serial",
            "certificate",
            "laboratory",
            "calibrated",
            "due",
            "days left",
            "simulated",
            "",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        for standard in &self.standards {
            for c in &standard.certificates {
                rows.push([
                    standard.standard.to_string(),
                    standard.model.clone(),
                    standard.serial.clone(),
                    c.number.clone(),
                    c.laboratory.clone(),
                    c.calibrated_on.to_string(),
                    c.due_on.to_string(),
                    c.days_left.to_string(),
                    if c.simulated { "SIMULATED" } else { "no" }.into(),
                    c.state.word().into(),
                ]);
            }
        }
        format!("Calibration certificates ({}) on {}\n\n{}", self.folder, self.today, table(&rows))
    }

    /// The overview with what is to be done.
    pub fn findings(&self) -> String {
        let mut text = self.overview() + "\n";
        for drift in self.standards.iter().flat_map(|s| &s.drift) {
            let _ = writeln!(text, "{}", drift.words());
        }
        let verdict = match self.code(true) {
            0 => "all standards are in date",
            1 => "not every standard is in date: have it calibrated, or put its newer certificate here",
            _ => "a file here is no calibration file",
        };
        let _ = writeln!(text, "{verdict}");
        text
    }

    /// The overview with all points and the drift.
    pub fn text(&self) -> String {
        let mut text = self.overview();
        for standard in &self.standards {
            for c in &standard.certificates {
                let _ = writeln!(
                    text,
                    "\n{} {} no. {}, certificate {}",
                    standard.standard, standard.model, standard.serial, c.number
                );
                let mut rows = vec![["at", "error", "correction", "U", "k"].map(str::to_owned)];
                rows.extend(c.points.iter().map(|p| {
                    [
                        p.at.text(),
                        format!("{:+} {}", p.error, p.unit),
                        format!("{:+} {}", p.correction, p.unit),
                        format!("{} {}", p.expanded_u, p.unit),
                        p.k.to_string(),
                    ]
                }));
                text += &table(&rows);
            }
            for drift in &standard.drift {
                let _ = writeln!(text, "\ndrift {}", drift.words());
                let mut rows = vec![["at", "change", "per year", "√(U₁²+U₂²)", "E_n"].map(str::to_owned)];
                rows.extend(drift.points.iter().map(|c| {
                    let per_year = c.change_per_year.map_or("-".into(), |x| format!("{x:+.4} {}", c.unit));
                    let e_n = c.e_n.map_or("-".into(), |e| format!("{e:.2}"));
                    [
                        c.at.text(),
                        format!("{:+.4} {}", c.change, c.unit),
                        per_year,
                        format!("{:.4} {}", c.combined_u, c.unit),
                        e_n,
                    ]
                }));
                text += &table(&rows);
            }
        }
        text
    }
}

/// Columns side by side, each as wide as its widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
