//! `phantomload meter record`: a meter that signs is told to begin and end a transaction, and its record is checked.

use super::ocmf::{Row, code, given_key, row, text};
use super::{Ended, Stop, print_json, print_text, say};
use phantomload::archive;
use phantomload::link::http::Server;
use phantomload::link::tls::Fingerprint;
use phantomload::meter::lem::{self, Client, Live, Transaction, Waiting};
use phantomload::meter::ocmf::{self, Authenticity, Key};
use phantomload::quantity::{Energy, Ratio};
use phantomload::time::{Span, now};
use serde::Serialize;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Args)]
pub struct Arguments {
    /// The meter's web server: http://HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "URL")]
    link: String,
    /// SHA-256 of the meter's certificate, for https: without it nothing is accepted, but the fingerprint is told
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// The meter's public key, from its label or its maker's register: a file or the text itself
    #[arg(long, value_name = "FILE|TEXT")]
    key: Option<String>,
    /// How long the transaction lasts, in seconds; the meter takes none shorter than two minutes
    #[arg(long, value_name = "S", default_value_t = 125)]
    seconds: u32,
    /// How long the meter may take to sign, in seconds
    #[arg(long, value_name = "S", default_value_t = 600)]
    patience: u32,
    /// Entry of the meter's cable table; for a phantom load one whose resistance is 0
    #[arg(long, value_name = "0..7", default_value_t = 0)]
    cable: u8,
    /// Tariff number
    #[arg(long, value_name = "0..4", default_value_t = 0)]
    tariff: u8,
    /// Name of the charging point in the record
    #[arg(long, value_name = "NAME", default_value = "phantomload")]
    evse: String,
    /// What our reference measured over the transaction, in kWh: a record further from it than --limit is a finding
    #[arg(long, value_name = "KWH")]
    reference_kwh: Option<f64>,
    /// How far record and reference may be apart, in percent
    #[arg(long, value_name = "%", requires = "reference_kwh", default_value_t = 1.0)]
    limit: f64,
    /// Write the record to this file, exactly as the meter gave it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told {
    meter: String,
    /// The key that the meter names for itself; it was not used.
    key_named: Option<String>,
    transaction: String,
    before_kwh: String,
    /// Absent where it was not read.
    after_kwh: Option<String>,
    /// What an inspector has to look at: signature, deviations, cable compensation, tampering.
    findings: Vec<String>,
    #[serde(flatten)]
    row: Row,
    /// The record as the meter gave it.
    ocmf: String,
}

/// A countdown on the terminal; a line now and then where there is none.
fn countdown() -> impl FnMut(Waiting) {
    let terminal = std::io::stderr().is_terminal();
    let mut last = None;
    move |waiting| {
        let (word, left) = match waiting {
            Waiting::Running(left) => ("the transaction runs", left),
            Waiting::Signing(left) => ("the meter signs", left),
        };
        let every = if terminal { 1 } else { 30 };
        let due = (word, left.secs().ceil() as i64 / every);
        if last != Some(due) {
            last = Some(due);
            let line = format!("{word}; {:.0} s left", left.secs());
            if terminal {
                use std::io::Write;
                let _ = write!(std::io::stderr().lock(), "\r{line:<50}");
            } else {
                say(&line);
            }
        }
    }
}

/// Ends as `ocmf verify` does, and with 4 where the record is valid but something stands against it.
pub fn run(arguments: &Arguments) -> Ended {
    let fingerprint: Option<Fingerprint> =
        arguments.fingerprint.as_deref().map(str::parse).transpose().map_err(Stop::input)?;
    let server: Server = arguments.link.parse().map_err(Stop::input)?;
    let server = server.pinned(fingerprint).map_err(Stop::input)?;
    let key = arguments.key.as_deref().map(given_key).transpose()?;
    let reference = arguments.reference_kwh.map(Energy::try_from_kilowatt_hours).transpose();
    let reference = reference.map_err(|fault| Stop::input(format!("--reference-kwh: {fault}")))?;
    let limit = Ratio::try_from_fraction(arguments.limit / 100.0).map_err(Stop::input)?;
    let transaction = Transaction {
        id: new_name()?,
        evse: arguments.evse.clone(),
        client: "phantomload".to_owned(),
        tariff: arguments.tariff,
        cable: arguments.cable,
    };
    transaction.check().map_err(Stop::input)?;

    // A transaction is not left running because somebody has had enough.
    let enough = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&enough);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(Stop::fault)?;
    let enough = || enough.load(Ordering::Relaxed);
    let mut client = Client::new(server);
    let status = client.status().map_err(Stop::fault)?;
    let before = client.live().map_err(Stop::fault)?;
    let mut show = countdown();
    say(&format!("transaction {}", transaction.id));
    let started = client.start(&transaction).map_err(|fault| {
        let id = &transaction.id;
        // The meter may have heard it although its answer did not come.
        match client.stop(id) {
            Ok(_) => {
                Stop::fault(format!("{fault}. The transaction {id} had begun all the same, and was ended"))
            }
            Err(_) => Stop::fault(format!(
                "{fault}. Look whether a transaction {id} runs in the meter; if so, end it there"
            )),
        }
    })?;
    let length = Span::from_secs(i64::from(arguments.seconds));
    let whole = client.last(started, length, &enough, &mut show);
    let stopped = stop(&mut client, &transaction.id)?;
    if !whole {
        return Err(Stop::fault(format!(
            "ended by a person; the transaction {} was stopped",
            transaction.id
        )));
    }
    // What is missing here is missed by a comparison; the record is what counts.
    let after = client.live();
    let patience = Span::from_secs(i64::from(arguments.patience));
    let asked = now();
    let record = client.record(&transaction.id, patience, &enough, &mut show).map_err(Stop::fault)?;
    say(&format!("the record came {:.1} s after the end of the transaction", (now() - asked).secs()));
    let checked = ocmf::check(&record, key.as_ref());
    let mut findings = findings(&checked, &status, &before, after.as_ref().ok(), &stopped);
    if let Err(fault) = &after {
        findings.push(format!("the meter's display values after the transaction were not read: {fault}"));
    }
    if let (Some(reference), Some(record)) = (reference, &checked.record) {
        match record.imported() {
            Ok(imported) => findings.extend(imported.against(reference, limit).map(|d| d.to_string())),
            Err(why) => findings.push(format!("energy: {why}")),
        }
    }
    let (result, valid) = (code(&checked.authenticity), checked.authenticity.is_valid());
    let told = Told {
        meter: status.meter_id.unwrap_or_else(|| "?".to_owned()),
        key_named: status.public_key,
        transaction: transaction.id.clone(),
        before_kwh: before.import_kwh.to_string(),
        after_kwh: after.ok().map(|after| after.import_kwh.to_string()),
        row: row(format!("transaction {}", transaction.id), checked, key.as_ref().map(Key::to_string)),
        ocmf: String::from_utf8_lossy(&record).into_owned(),
        findings,
    };
    if arguments.json {
        print_json(&told)?;
    } else {
        let lines = told.findings.iter().fold(String::new(), |all, one| format!("{all}  FINDING: {one}\n"));
        print_text(&(text(&told.row) + &lines))?;
    }
    // Last, as the record was printed already where this goes wrong.
    if let Some(path) = &arguments.out {
        archive::write_whole(path, &record).map_err(Stop::fault)?;
    }
    Ok(if valid && !told.findings.is_empty() { 4 } else { result })
}

/// A transaction is not left running for want of one answer.
fn stop(client: &mut Client, id: &str) -> Result<lem::Stopped, Stop> {
    let mut last = client.stop(id);
    for _ in 0..2 {
        if last.is_ok() {
            break;
        }
        last = client.stop(id);
    }
    last.map_err(|fault| {
        Stop::fault(format!("{fault}. The transaction {id} may still be running: end it at the meter"))
    })
}

/// What stands against the record, besides its signature.
fn findings(
    checked: &ocmf::Checked,
    status: &lem::Status,
    before: &Live,
    after: Option<&Live>,
    stopped: &lem::Stopped,
) -> Vec<String> {
    let mut findings = vec![];
    if let Authenticity::NotAuthentic { .. } | Authenticity::Malformed(_) = checked.authenticity {
        findings.push(format!("signed record: {}", checked.authenticity));
    }
    if status.bits.tampering_is_detected == Some(true) {
        findings.push("the meter reports tampering; read its log".to_owned());
    }
    if let Some(resistance) = stopped.cable_resistance.filter(|resistance| !resistance.is_zero()) {
        findings.push(format!(
            "cable compensation: the meter took off the loss in a cable of {resistance} (unit of its table); a phantom load has none: choose the entry whose resistance is 0"
        ));
    }
    let Some(record) = &checked.record else { return findings };
    if let (Some(own), Some(told)) = (record.field("MS"), &status.meter_id)
        && own != told
    {
        findings.push(format!("the record is of meter {own}, asked was meter {told}"));
    }
    match record.imported() {
        Ok(imported) => findings.extend(
            after
                .and_then(|after| imported.between(before.import_kwh, after.import_kwh))
                .map(|d| d.to_string()),
        ),
        Err(why) => findings.push(format!("energy: {why}")),
    }
    findings
}

/// A name that no transaction had before.
fn new_name() -> Result<String, Stop> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|fault| Stop::fault(format!("no randomness from the system: {fault}")))?;
    Ok(format!("PL-{:016X}", u64::from_be_bytes(bytes)))
}
