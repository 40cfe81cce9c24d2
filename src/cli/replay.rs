//! `phantomload replay`

use super::{Data, Ended, Stop, print_json, print_text};
use phantomload::archive;
use phantomload::bench::description;
use phantomload::certificate::record::{ItemResult, Program, Record};
use phantomload::run::recompute;
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
}

#[derive(Serialize)]
struct Told {
    identical: bool,
    record_no: String,
    made_by: Program,
    recomputed_by: Program,
    differences: Vec<String>,
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
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let mut seen = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(seen, "{byte:02x}");
    }
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
    if differences.is_empty() && results != record.results {
        differences.push("findings, decision rule or elapsed time".into());
    }
    let identical = differences.is_empty();
    let told = Told {
        identical,
        record_no: record.record_no.clone(),
        made_by: record.program.clone(),
        recomputed_by: Program::this(),
        differences,
    };
    if arguments.json {
        print_json(&told)?;
    } else if identical {
        let (events, simulated) = (record.raw.len(), if record.simulated { " SIMULATED" } else { "" });
        print_text(&format!(
            "identical: {}{simulated}, recomputed from {events} raw events by {} {}\n",
            told.record_no, told.recomputed_by.name, told.recomputed_by.version
        ))?;
    } else {
        print_text(&format!("DIFFERS: {}\n  {}\n", told.record_no, told.differences.join("\n  ")))?;
    }
    Ok(u8::from(!identical))
}

fn compare(stored: &ItemResult, recomputed: &ItemResult) -> Option<String> {
    if stored == recomputed {
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
