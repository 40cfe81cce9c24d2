//! `phantomload ocmf`: signed records of meters, checked offline.

use super::{Ended, Stop, print_json, print_text};
use phantomload::certificate::report::clean;
use phantomload::meter::ocmf::envelope::{self, Enclosed};
use phantomload::meter::ocmf::{self, Authenticity, Checked, Deviation, Imported, Key, Reading};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Which {
    /// Check signed records with the meter's public key; ends with 0 only where every one is valid
    #[command(
        after_help = "Exit codes: 0 every record is valid, 1 one is not authentic, 2 one is malformed or the input is wrong, 4 nothing can be said (key unknown, algorithm unsupported)."
    )]
    Verify {
        /// File with records: as they are, in JSON, or the XML of the transparency software; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The meter's public key, from its label or its maker's register: a file or the text itself (SPKI in hex,
        /// base64, PEM, DER, or the bare point)
        #[arg(long, value_name = "FILE|TEXT")]
        key: Option<String>,
        /// Without --key, use the key that stands beside each record. It proves only that the two belong together
        #[arg(long, conflicts_with = "key")]
        enclosed_key: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// The answer for a file: the worst of its records' answers stands at the top.
#[derive(Serialize)]
struct Told {
    result: &'static str,
    deviations: Vec<String>,
    records: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    at: String,
    #[serde(flatten)]
    pub authenticity: Authenticity,
    deviations: Vec<Deviation>,
    /// Whose: the meter's serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    meter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    /// With which key, and where from.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings: Vec<Reading>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

pub fn run(which: &Which) -> Ended {
    let Which::Verify { file, key, enclosed_key, json } = which;
    let key = key.as_deref().map(given_key).transpose()?;
    let bytes = read(file)?;
    let rows: Vec<Row> = match envelope::open(&bytes) {
        Ok(found) => found.iter().map(|one| checked(one, key.as_ref(), *enclosed_key)).collect(),
        Err(why) => vec![row(
            "file".into(),
            Checked { authenticity: Authenticity::Malformed(why), deviations: vec![], record: None },
            None,
        )],
    };
    let worst = rows.iter().max_by_key(|row| rank(&row.authenticity)).map(|row| &row.authenticity);
    let (code, result) = worst.map_or((2, "malformed"), |worst| (code(worst), worst.word()));
    if *json {
        let several = rows.len() > 1;
        let told = rows.iter().flat_map(|row| row.deviations.iter().map(move |deviation| (row, deviation)));
        let deviations = told
            .map(
                |(row, deviation)| {
                    if several { format!("{}: {deviation}", row.at) } else { deviation.to_string() }
                },
            )
            .collect();
        print_json(&Told { result, deviations, records: rows })?;
    } else {
        print_text(&rows.iter().map(text).collect::<String>())?;
    }
    Ok(code)
}

/// A key from a file of that name, or from the text itself.
pub(super) fn given_key(given: &str) -> Result<Key, Stop> {
    let path = Path::new(given);
    let key = if path.is_file() { Key::from_bytes(&read(path)?) } else { Key::from_text(given) };
    key.map_err(|fault| Stop::input(format!("--key: {fault}")))
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    use std::io::Read;
    let refuse = |fault: std::io::Error| Stop::input(format!("{}: {fault}", path.display()));
    let mut bytes = vec![];
    // One byte more than is allowed, so that the fault names itself.
    let most = envelope::FILE_MAX as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(refuse)?;
    } else {
        std::fs::File::open(path).map_err(refuse)?.take(most).read_to_end(&mut bytes).map_err(refuse)?;
    }
    Ok(bytes)
}

fn checked(one: &Enclosed, key: Option<&Key>, trust_enclosed: bool) -> Row {
    if let Some(key) = key {
        return row(one.at.clone(), ocmf::check(&one.record, Some(key)), Some(format!("given: {key}")));
    }
    let beside = one.key.as_deref().map(Key::from_text);
    match beside {
        Some(Ok(key)) if trust_enclosed => {
            let from = format!("beside the record, which proves only that they belong together: {key}");
            row(one.at.clone(), ocmf::check(&one.record, Some(&key)), Some(from))
        }
        beside => {
            let note = match beside {
                Some(Ok(key)) => Some(format!("not used, it stands beside the record: {key}")),
                Some(Err(fault)) => Some(format!("beside the record: {fault}")),
                None => None,
            };
            row(one.at.clone(), ocmf::check(&one.record, None), note)
        }
    }
}

/// What is told of a checked record.
pub(super) fn row(at: String, checked: Checked, key: Option<String>) -> Row {
    let Checked { authenticity, deviations, record } = checked;
    let field = |name: &str| record.as_ref().and_then(|record| record.field(name)).map(str::to_owned);
    Row {
        at,
        authenticity,
        deviations,
        meter: field("MS").or_else(|| field("GS")),
        page: field("PG"),
        algorithm: record.as_ref().map(|record| record.algorithm().to_owned()),
        key,
        imported: record.as_ref().and_then(|record| record.imported().ok()),
        readings: record.map(|record| record.readings().to_vec()).unwrap_or_default(),
    }
}

/// The worst answer is the one that says most against a record.
fn rank(authenticity: &Authenticity) -> u8 {
    match authenticity {
        Authenticity::Valid => 0,
        Authenticity::KeyUnknown => 1,
        Authenticity::Unsupported { .. } => 2,
        Authenticity::Malformed(_) => 3,
        Authenticity::NotAuthentic { .. } => 4,
    }
}

/// 0 only for valid.
pub(super) fn code(authenticity: &Authenticity) -> u8 {
    match authenticity {
        Authenticity::Valid => 0,
        Authenticity::NotAuthentic { .. } => 1,
        Authenticity::Malformed(_) => 2,
        Authenticity::KeyUnknown | Authenticity::Unsupported { .. } => 4,
    }
}

/// A row in plain words.
pub(super) fn text(row: &Row) -> String {
    let mut text = format!("{}: {}\n", row.at, row.authenticity);
    if let Some(meter) = &row.meter {
        let page = row.page.as_deref().unwrap_or("?");
        let algorithm = row.algorithm.as_deref().unwrap_or("?");
        let _ = writeln!(text, "  meter {}, page {}, {}", clean(meter), clean(page), clean(algorithm));
    }
    if let Some(key) = &row.key {
        let _ = writeln!(text, "  key {key}");
    }
    if let Some(imported) = &row.imported {
        let Imported { register, from_kwh, to_kwh, energy_kwh, .. } = imported;
        let register = clean(register);
        let _ = writeln!(text, "  {energy_kwh} kWh (register {register} from {from_kwh} to {to_kwh} kWh)");
    }
    for deviation in &row.deviations {
        let _ = writeln!(text, "  deviation: {}", clean(&deviation.to_string()));
    }
    text
}
