//! What a paper says, once. PDF, DCC, label and QR code print these very texts; the rows of results are those of the
//! CSV, cell by cell, so that no two forms can round differently.

mod chinese;
pub mod font;
mod sections;
mod spoken;
pub mod words;

pub use chinese::{said, spoken};
pub use sections::{cited, prior, rule, scope, signature, stopping, unconfirmed};
pub use words::{Language, Words};

use super::csv::{self, Said, results_said, valid_until};
use super::issue::{Correction, Field, Issue};
use super::number;
use super::record::{Document, ItemResult, Measured, Record, Unit};
use crate::plan::seal::Closing;
use crate::regulation::Item;
use crate::time::Stamp;
use crate::uncertainty::COVERAGE;
use crate::verdict::Verdict;
use jiff::civil::Date;
use serde::Serialize;

/// A paper. All texts are final: whoever prints them adds layout only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paper {
    /// Certificate, notice or report.
    pub document: Document,
    /// Its title, with the word for amended and simulated ones.
    pub title: Words,
    /// Whether nothing of it says anything of a real meter.
    pub simulated: bool,
    /// Who makes, signs and seals it, its number, what it replaces, its place in the chain.
    pub issue: Issue,
    /// The number of the original record.
    pub record_no: String,
    /// On the meter.
    pub verdict: Verdict,
    /// The line of conclusion, with the class where the meter passed.
    pub conclusion: Words,
    /// The items that failed or stayed undecided: name, point, reason.
    pub not_passed: Vec<NotPassed>,
    /// Who asked for it; may be empty.
    pub customer: String,
    /// Their address; may be empty.
    pub customer_address: String,
    /// Where it was done; may be empty.
    pub site: String,
    /// The meter.
    pub meter: Meter,
    /// Begin of the run.
    pub performed_from: Stamp,
    /// Its end.
    pub performed_to: Stamp,
    /// The last day it holds; certificates alone have one.
    pub valid_until: Option<Date>,
    /// The regulation.
    pub regulation: Regulation,
    /// Our standards, with their certificates.
    pub standards: Vec<Standard>,
    /// The instruments as they named themselves.
    pub instruments: Vec<String>,
    /// Air temperature in °C; none where it was not entered.
    pub temperature_degc: Option<String>,
    /// Relative humidity in %; none where it was not entered.
    pub humidity_percent: Option<String>,
    /// The method in words.
    pub method: Words,
    /// The results, in the order of the record and of the CSV.
    pub rows: Vec<Row>,
    /// The uncertainty budgets of all errors by pulses.
    pub budgets: Vec<Budget>,
    /// The decision rule in words, its prior, when readings end.
    pub decision: Decision,
    /// The ways to one energy against one another; empty where there was no such check.
    pub cross_check: Vec<CrossLine>,
    /// Observations that are no verdict.
    pub findings: Vec<Words>,
    /// Why it is a report and no certificate; empty where it is none.
    pub why_no_certificate: Vec<Words>,
    /// What was tested and what was not, and what the results relate to.
    pub scope: Vec<Words>,
    /// Name and version of the program.
    pub program: String,
}

/// An item that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotPassed {
    /// Number of its row.
    pub no: usize,
    /// Its name.
    pub item: Words,
    /// Its load point.
    pub point: String,
    /// Fail or undecided.
    pub verdict: Verdict,
    /// The rounded value with its unit; empty where there is no number.
    pub value: String,
    /// The limit with its unit; empty where there is none.
    pub limit: String,
    /// Why.
    pub reason: Words,
}

/// The meter under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meter {
    /// What it is.
    pub name: Words,
    /// Who made it.
    pub maker: String,
    /// Its type.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// The charger it is built into.
    pub charger: String,
    /// The connector it bills.
    pub connector: String,
    /// Accuracy class in the regulation's words, and on the nameplate where that differs.
    pub class: String,
    /// Voltage and currents.
    pub ratings: String,
    /// Pulse constant with its unit.
    pub constant: String,
    /// Step of its register, with unit.
    pub register_step: String,
}

/// The regulation a run followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Regulation {
    /// Its number.
    pub document: String,
    /// Its name.
    pub title: Words,
    /// Number and name as every form of the paper cites it.
    pub cited: Words,
    /// That figures of it, limits among them, are not confirmed; none where all are.
    pub unconfirmed: Option<Words>,
    /// The data file.
    pub profile: String,
    /// The occasion.
    pub kind: Words,
    /// Who answers for its unconfirmed figures; empty where nobody does or none is needed.
    pub approval: String,
}

/// A standard of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standard {
    /// Reference meter, time base …
    pub kind: Words,
    /// Its type.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// Range of its certificate.
    pub range: String,
    /// Least to greatest expanded uncertainty of its certificate.
    pub uncertainty: String,
    /// Its certificate.
    pub certificate_no: String,
    /// Who calibrated it.
    pub laboratory: String,
    /// When.
    pub calibrated_on: Date,
    /// Until when that holds.
    pub due_on: Date,
    /// Whether it is made up.
    pub simulated: bool,
}

/// One result. Numbers are texts as the CSV has them; empty: not measured or not of this row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// From 1.
    pub no: usize,
    /// The item.
    pub item: Item,
    /// Its name.
    pub name: Words,
    /// Its load point as the regulation names it.
    pub point: String,
    /// Nominal voltage in V.
    pub nominal_voltage: String,
    /// Nominal current in A.
    pub nominal_current: String,
    /// Measured voltage in V.
    pub voltage: String,
    /// Measured current in A.
    pub current: String,
    /// Energy of the reference in kWh.
    pub reference_energy: String,
    /// Energy that the meter indicated, in kWh.
    pub indicated_energy: String,
    /// Pulses that were counted.
    pub pulses: String,
    /// Readings behind the mean.
    pub repeats: String,
    /// Unit of value, rounded value, limit and U.
    pub unit: String,
    /// The unrounded value.
    pub value: String,
    /// The rounded value.
    pub rounded: String,
    /// U, two digits.
    pub uncertainty: String,
    /// k.
    pub k: String,
    /// The symmetric limit.
    pub limit: String,
    /// The limit as it is printed: `±1.0`, `≤1`, `=0`.
    pub limit_words: String,
    /// Where no pulse came: the error lies below this.
    pub upper_bound: String,
    /// When its first reading began.
    pub started_at: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Words,
    /// The clause of its limit.
    pub clause: String,
    /// Whether it is an error by pulses in percent: a point of the error curve.
    pub is_error: bool,
    /// The numbers behind the texts, for drawing: nominal current, value, U, limit.
    pub drawn: Option<Drawn>,
    /// Guarded verdict, probability of conformity, risks.
    pub risk: Option<Risk>,
}

/// A point of the error curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drawn {
    /// Nominal current in A.
    pub current_a: f64,
    /// Error in percent.
    pub error: f64,
    /// Expanded uncertainty in percent.
    pub expanded: f64,
    /// Limit in percent.
    pub limit: f64,
}

/// What stands beside a verdict, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// The verdict with a guard band of U.
    pub guarded: Verdict,
    /// Probability that the true value lies within the limit.
    pub conformity: String,
    /// Probability that this verdict is wrong; `-` where nothing was decided.
    pub specific: String,
    /// Global risk of false accept; `-` where nothing is assumed of meters.
    pub false_accept: String,
    /// Global risk of false reject.
    pub false_reject: String,
}

/// The budget of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Number of its row.
    pub no: usize,
    /// The point's name.
    pub point: String,
    /// Unit of its figures.
    pub unit: String,
    /// Its lines.
    pub lines: Vec<BudgetLine>,
    /// Combined standard uncertainty.
    pub combined: String,
    /// Effective degrees of freedom, or `∞`.
    pub dof: String,
    /// Coverage factor.
    pub k: String,
    /// Expanded uncertainty as it is stated.
    pub expanded: String,
}

/// A line of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetLine {
    /// What it is.
    pub label: Words,
    /// A or B.
    pub kind: String,
    /// The shape of its distribution.
    pub shape: Words,
    /// Standard uncertainty times sensitivity.
    pub u: String,
    /// Degrees of freedom, or `∞`.
    pub dof: String,
    /// Where it is known from.
    pub evidence: Words,
    /// Whether other points share it.
    pub shared: bool,
}

/// How it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The rule's name.
    pub name: Words,
    /// The rule.
    pub rule: Words,
    /// What is assumed of meters.
    pub prior: Words,
    /// When readings end; may be empty.
    pub stopping: Words,
    /// Probability that the meter conforms at all points at once; may be empty.
    pub joint: String,
    /// Coverage of every stated interval, such as `95 %`.
    pub coverage: String,
}

/// One way to the energy of a stretch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrossLine {
    /// The way, or the two ways held against one another.
    pub way: Words,
    /// Energy in kWh, deviation in %, U in %; empty for what says nothing.
    pub numbers: Option<[String; 3]>,
    /// What is said: why nothing, or whether the two agree.
    pub words: Words,
}

/// Why there is no paper.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing is certified that was not completed.
    #[error(transparent)]
    Record(#[from] csv::Fault),
}

impl Paper {
    /// What is said of a completed run.
    pub fn new(record: &Record, issue: Issue) -> Result<Self, Fault> {
        let cells = results_said(record)?;
        let (Some(document), Some(verdict)) = (record.document(), record.results.verdict) else {
            let record_no = record.record_no.clone();
            return Err(csv::Fault::NotCompleted { record_no }.into());
        };
        let items = record.results.items.iter().enumerate();
        let rows: Vec<Row> =
            items.zip(&cells).map(|((n, item), cells)| row(n + 1, item, cells, record)).collect();
        let corrected = |field: Field, as_recorded: &str| corrected(&issue, field, as_recorded);
        let entries = &record.plan.entries;
        let not_passed = rows.iter().filter(|row| row.verdict != Verdict::Pass);
        Ok(Self {
            document,
            title: title(record, document, &issue),
            simulated: record.simulated,
            record_no: record.record_no.clone(),
            verdict,
            conclusion: conclusion(record, document, verdict),
            not_passed: not_passed
                .map(|row| NotPassed {
                    no: row.no,
                    item: row.name.clone(),
                    point: row.point.clone(),
                    verdict: row.verdict,
                    value: with_unit(&row.rounded, &row.unit),
                    limit: with_unit(&row.limit_words, &row.unit),
                    reason: row.reason.clone(),
                })
                .collect(),
            customer: corrected(Field::Customer, &entries.customer),
            customer_address: entries.customer_address.clone(),
            site: corrected(Field::Site, &entries.site),
            meter: sections::meter(record, &corrected),
            performed_from: record.started,
            performed_to: record.ended(),
            valid_until: valid_until(record),
            regulation: sections::regulation(record),
            standards: sections::standards(record),
            instruments: record.plan.capability.instruments.clone(),
            temperature_degc: entries.temperature_degc.map(|t| number::plain(t.degrees_celsius())),
            humidity_percent: entries.humidity_percent.map(number::plain),
            method: sections::method(record),
            budgets: sections::budgets(record, &rows),
            rows,
            decision: sections::decision(record),
            cross_check: sections::cross_check(record),
            findings: record
                .results
                .findings
                .iter()
                .map(|finding| said(finding))
                .chain(record.closing.iter().flat_map(Closing::lines).map(|line| said(&line)))
                .collect(),
            why_no_certificate: why_no_certificate(record, document),
            scope: sections::scope(record, document),
            program: format!("{} {}", record.program.name, record.program.version),
            issue,
        })
    }

    /// The day of the verification.
    pub fn date(&self) -> Date {
        self.performed_from.date()
    }
}

/// What a paper says in place of what was recorded.
fn corrected(issue: &Issue, field: Field, as_recorded: &str) -> String {
    let corrections = issue.amends.iter().flat_map(|amends| &amends.corrections);
    let last = corrections.rev().find(|correction| correction.field == field);
    last.map_or(as_recorded, |Correction { to, .. }| to).to_owned()
}

fn title(record: &Record, document: Document, issue: &Issue) -> Words {
    let mut title = words::document(document);
    if issue.amends.is_some() {
        title = Words::new(format!("{}（更改）", title.zh), format!("{} (amended)", title.en));
    }
    if record.simulated {
        title = Words::new(format!("{}（模拟）", title.zh), format!("{} (SIMULATED)", title.en));
    }
    title
}

/// `1级合格` of a certificate; of a report what was found, with the word that nothing was certified.
fn conclusion(record: &Record, document: Document, verdict: Verdict) -> Words {
    let class = record.plan.class.name();
    let found = words::verdict(verdict);
    match (document, verdict) {
        (Document::VerificationCertificate, _) => {
            Words::new(format!("{class} 级合格"), format!("class {class}: pass"))
        }
        (Document::TestReport, _) => Words::new(
            format!("检测结论：{}（本报告不是检定证书）", found.zh),
            format!("found: {} (this is a test report and no verification certificate)", found.en),
        ),
        (Document::ResultNotice, _) => found,
    }
}

fn why_no_certificate(record: &Record, document: Document) -> Vec<Words> {
    if document != Document::TestReport {
        return vec![];
    }
    let mut why = record.why_no_certificate();
    if why.is_empty() {
        why.push("the evidence does not suffice for a verdict".into());
    }
    why.iter().map(|why| said(why)).collect()
}

/// A number with its unit; a count of events has none.
fn with_unit(number: &str, unit: &str) -> String {
    if number.is_empty() { String::new() } else { format!("{number} {unit}").trim_end().to_owned() }
}

fn row(no: usize, item: &ItemResult, cells: &Said, record: &Record) -> Row {
    let text = |column: &str| cells.get(column).to_owned();
    let measured = item.measured.as_ref();
    let is_error = !cells.get("error_percent").is_empty();
    Row {
        no,
        item: item.item,
        name: words::item(item.item),
        point: text("point"),
        nominal_voltage: text("nominal_voltage_V"),
        nominal_current: text("nominal_current_A"),
        voltage: text("voltage_V"),
        current: text("current_A"),
        reference_energy: text("reference_energy_kWh"),
        indicated_energy: text("indicated_energy_kWh"),
        pulses: text("pulses"),
        repeats: text("repeats"),
        unit: measured.map_or(String::new(), |m| m.unit.to_string()),
        value: measured.filter(|_| item.bound().is_none()).map_or(String::new(), number::value),
        rounded: text("value_rounded"),
        uncertainty: text("expanded_uncertainty"),
        k: text("coverage_factor"),
        limit: measured.map_or(String::new(), |m| number::limit(m.limit, m.rounded.scale())),
        limit_words: measured.map_or(String::new(), limit_words),
        upper_bound: text("upper_bound_percent"),
        started_at: text("started_at"),
        verdict: item.verdict,
        reason: said(&item.reason),
        clause: item.clause.clone(),
        is_error,
        drawn: item.point.as_ref().zip(measured).filter(|_| is_error).map(|(point, m)| Drawn {
            current_a: point.current_a.amperes(),
            error: m.estimate.value,
            expanded: m.estimate.expanded,
            limit: m.limit,
        }),
        risk: measured.and_then(|m| risk(item, m, record)),
    }
}

/// `±` for an error, `≤` for pulses, `=` for events that must be known.
fn limit_words(measured: &Measured) -> String {
    let limit = number::limit(measured.limit, measured.rounded.scale());
    let sign = match measured.unit {
        Unit::Pulse => "≤",
        Unit::One => "=",
        _ => "±",
    };
    format!("{sign}{limit}")
}

fn risk(item: &ItemResult, measured: &Measured, record: &Record) -> Option<Risk> {
    let (guarded, conformity) = (measured.guarded?, measured.conformity?);
    let print = |p: Option<f64>| p.map_or("-".into(), number::probability);
    let decided = record.results.verdict.is_some();
    Some(Risk {
        guarded,
        conformity: number::probability(conformity),
        specific: print(measured.specific_risk(item.verdict).filter(|_| decided)),
        false_accept: print(measured.global.map(|global| global.consumer)),
        false_reject: print(measured.global.map(|global| global.producer)),
    })
}

/// Coverage as it is printed.
fn coverage() -> String {
    format!("{} %", number::plain(COVERAGE * 100.0))
}

#[cfg(test)]
mod tests;
