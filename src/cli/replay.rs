//! `phantomload replay`

use super::uncertainty::uniform;
use super::{Data, Ended, Stop, print_json, print_text};
use phantomload::archive;
use phantomload::bench::description;
use phantomload::certificate::likeness::{Likeness, same_but_last_bits};
use phantomload::certificate::record::{ItemResult, Measured, Program, Record, Unit};
use phantomload::run::recompute;
use phantomload::uncertainty::COVERAGE;
use phantomload::uncertainty::check::check;
use serde::Serialize;
use std::path::Path;

#[derive(clap::Args)]
pub struct Arguments {
    /// A record file, a package folder, or the number of a certificate or record in the data folder
    #[arg(value_name = "RECORD")]
    record: String,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Seed of the Monte Carlo that checks the budgets: the same seed gives the same figures
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only recompute; leave out the Monte Carlo that checks the budgets
    #[arg(long)]
    no_monte_carlo: bool,
}

/// The budget of one stored number, held against the distributions of its components (JCGM 101 clause 8).
#[derive(Serialize)]
struct Budget {
    item: String,
    point: Option<String>,
    unit: Unit,
    /// Absent where there is no answer; `reason` says why.
    agree: Option<bool>,
    reason: Option<String>,
    /// Coverage probability of both intervals.
    p: f64,
    /// The interval by the law of propagation.
    law_low: Option<f64>,
    law_high: Option<f64>,
    monte_carlo_low: Option<f64>,
    monte_carlo_high: Option<f64>,
    /// Numerical tolerance of u, by which agreement is judged (JCGM 101 7.9.2).
    tolerance: Option<f64>,
    trials: Option<usize>,
    taken_as_normal: Vec<String>,
}

#[derive(Serialize)]
struct Told {
    identical: bool,
    /// Rules the exit code: 1 where it is `different`.
    likeness: Likeness,
    record_no: String,
    made_by: Program,
    recomputed_by: Program,
    differences: Vec<String>,
    /// Absent where it was left out.
    budgets: Option<Vec<Budget>>,
}

/// Reads a record by path or number.
pub fn load(record: &str, data: &Data) -> Result<Record, Stop> {
    let path = Path::new(record);
    let (path, by_number) = if path.is_dir() {
        (path.join("record.json"), false)
    } else if path.is_file() {
        (path.to_owned(), false)
    } else {
        (archive::find(&data.dir()?, record).map_err(Stop::input)?, true)
    };
    let text = description::read_at_most(&path, description::RECORD_MAX).map_err(Stop::input)?;
    if by_number {
        is_registered(record, data, &path, &text)?;
    }
    Record::from_json(&path.display().to_string(), &text).map_err(Stop::input)
}

/// A record that is found by its number must be the one that was registered under it.
fn is_registered(number: &str, data: &Data, path: &Path, text: &str) -> Result<(), Stop> {
    let seen = archive::sha256(text.as_bytes());
    let rows = archive::list(&data.dir()?).map_err(Stop::input)?;
    let row = rows.iter().find(|row| row.get("certificate_no") == number || row.get("record_no") == number);
    match row.map(|row| row.get("record_json_sha256")) {
        Some(registered) if !registered.is_empty() && registered != seen => {
            let path = path.display();
            let message = format!(
                "{path} is not the file that was registered as {number}: it was altered (SHA-256 is {seen}, registered is {registered})"
            );
            Err(Stop { code: 1, message })
        }
        // Unfinished runs have no row; their record stands for itself.
        _ => Ok(()),
    }
}

/// Recomputes and compares.
pub fn run(arguments: &Arguments) -> Ended {
    let record = load(&arguments.record, &arguments.data)?;
    let (outcome, results) = recompute(&record);
    let mut differences = vec![];
    if outcome.as_ref() != Some(&record.outcome) {
        differences.push(format!("outcome: stored {:?}, recomputed {:?}", record.outcome, outcome));
    }
    if results.verdict != record.results.verdict {
        differences
            .push(format!("verdict: stored {:?}, recomputed {:?}", record.results.verdict, results.verdict));
    }
    if results.items.len() != record.results.items.len() {
        differences.push(format!(
            "items: stored {}, recomputed {}",
            record.results.items.len(),
            results.items.len()
        ));
    }
    for (stored, recomputed) in record.results.items.iter().zip(&results.items) {
        differences.extend(compare(stored, recomputed));
    }
    let likeness = Likeness::of((&record.outcome, &record.results), (outcome.as_ref(), &results));
    if differences.is_empty() && likeness == Likeness::Different {
        differences.push("findings, cross-check, decision rule or elapsed time".into());
    }
    let budgets = (!arguments.no_monte_carlo).then(|| budgets(&record, arguments.seed));
    let told = Told {
        identical: likeness == Likeness::Identical,
        likeness,
        record_no: record.record_no.clone(),
        made_by: record.program.clone(),
        recomputed_by: Program::this(),
        differences,
        budgets,
    };
    if arguments.json {
        print_json(&told)?;
    } else if likeness != Likeness::Different {
        let (events, simulated) = (record.raw.len(), if record.simulated { " SIMULATED" } else { "" });
        let how = match likeness {
            Likeness::Identical => "identical",
            _ => "the same but for the last bits of some numbers, as by an earlier order of the same sums",
        };
        print_text(&format!(
            "{how}: {}{simulated}, recomputed from {events} raw events by {} {}\n",
            told.record_no, told.recomputed_by.name, told.recomputed_by.version
        ))?;
    } else {
        print_text(&format!("DIFFERS: {}\n  {}\n", told.record_no, told.differences.join("\n  ")))?;
    }
    if let (Some(budgets), false) = (&told.budgets, arguments.json) {
        print_text(&words(budgets, arguments.seed))?;
    }
    Ok(u8::from(likeness == Likeness::Different))
}

/// Checks the budget of each stored number that has one. A bound (no pulse came) is no estimate and has no interval.
fn budgets(record: &Record, seed: u64) -> Vec<Budget> {
    let items = record.results.items.iter().filter(|item| item.bound().is_none());
    let measured = items.filter_map(|item| Some((item, item.measured.as_ref()?)));
    measured.filter(|(_, m)| !m.budget.is_empty()).map(|(item, m)| budget(item, m, seed)).collect()
}

fn budget(item: &ItemResult, measured: &Measured, seed: u64) -> Budget {
    let checked = check(&measured.estimate, &measured.budget, uniform(seed));
    let reason = match &checked {
        Err(fault) => Some(fault.to_string()),
        Ok(checked) if checked.agree.is_none() => Some("the trials ran out before it was clear".into()),
        Ok(_) => None,
    };
    let checked = checked.ok();
    let of = |side: f64| checked.as_ref().map(|c| c.law.value + side * c.law.expanded);
    Budget {
        item: item.item.to_string(),
        point: item.point.as_ref().map(|p| p.term.clone()),
        unit: measured.unit,
        agree: checked.as_ref().and_then(|c| c.agree),
        reason,
        p: COVERAGE,
        law_low: of(-1.0),
        law_high: of(1.0),
        monte_carlo_low: checked.as_ref().map(|c| c.sampled.low),
        monte_carlo_high: checked.as_ref().map(|c| c.sampled.high),
        tolerance: checked.as_ref().map(|c| c.sampled.tolerance),
        trials: checked.as_ref().map(|c| c.sampled.trials),
        taken_as_normal: checked.map(|c| c.taken_as_normal).unwrap_or_default(),
    }
}

/// The same in words, a line a number.
fn words(budgets: &[Budget], seed: u64) -> String {
    use std::fmt::Write;
    let mut text = format!(
        "law of propagation against Monte Carlo (JCGM 101 clause 8, coverage {:.2} %, seed {seed}):\n",
        COVERAGE * 100.0
    );
    for b in budgets {
        let point = b.point.as_ref().map_or(String::new(), |p| format!(" at {p}"));
        let ends = b.law_low.zip(b.law_high).zip(b.monte_carlo_low.zip(b.monte_carlo_high));
        let too_narrow =
            ends.is_some_and(|((low, high), (drawn_low, drawn_high))| high - low < drawn_high - drawn_low);
        let answer = match b.agree {
            Some(true) => "agree",
            Some(false) if too_narrow => {
                "DISAGREE: the stated interval is narrower than its distributions give"
            }
            Some(false) => {
                "DISAGREE: the stated interval is wider than its distributions give, on the safe side"
            }
            None => "no answer",
        };
        let _ = write!(text, "  {}{point}: {answer}", b.item);
        if let Some(reason) = &b.reason {
            let _ = write!(text, ": {reason}");
        }
        if let (Some(((law_low, law_high), (low, high))), Some(tolerance), Some(trials)) =
            (ends, b.tolerance, b.trials)
        {
            // One digit beyond the tolerance shows what was compared.
            let digits = (1.0 - tolerance.log10()).ceil().clamp(0.0, 12.0) as usize;
            let _ = write!(
                text,
                "; {law_low:.digits$} to {law_high:.digits$} against {low:.digits$} to {high:.digits$} {}, tolerance {tolerance:.1e}, {trials} trials",
                b.unit
            );
        }
        if !b.taken_as_normal.is_empty() {
            let which = b.taken_as_normal.join(", ");
            let _ = write!(text, "; {which} taken as normal: too few readings for t (JCGM 101 6.4.9.4)");
        }
        text.push('\n');
    }
    text
}

fn compare(stored: &ItemResult, recomputed: &ItemResult) -> Option<String> {
    if same_but_last_bits(stored, recomputed) {
        return None;
    }
    let point = stored.point.as_ref().map_or(String::new(), |p| format!(" at {}", p.term));
    let value = |item: &ItemResult| {
        let measured = item.measured.as_ref();
        measured.map_or("no value".into(), |m| {
            format!("{} {} (U {})", m.estimate.value, m.unit, m.estimate.expanded)
        })
    };
    let say =
        |item: &ItemResult| format!("{} {}, {} attempts", value(item), item.verdict, item.attempts.len());
    Some(format!("{}{point}: stored {}, recomputed {}", stored.item, say(stored), say(recomputed)))
}
