//! The results of a paper, quickly: its record without the raw data, in the words of the paper.

use super::{Fault, UNFINISHED, disk, standing::package_folder};
use crate::certificate::package::{self, RECORD};
use crate::certificate::raw::Logged;
use crate::certificate::record::{self, Outcome, Program, Record, Results, SCHEMA};
use crate::plan::Plan;
use crate::plan::seal::Closing;
use crate::time::{Instant, Stamp};
use serde::Deserialize;
use std::path::Path;

/// A record but for its raw data, which are most of it and are skipped.
#[derive(Deserialize)]
#[serde(remote = "Record")]
struct WithoutRaw {
    schema: u32,
    simulated: bool,
    record_no: String,
    #[serde(default)]
    certificate_no: Option<String>,
    program: Program,
    started: Stamp,
    began: Instant,
    outcome: Outcome,
    results: Results,
    plan: Plan,
    #[serde(skip)]
    raw: Vec<Logged>,
    #[serde(default)]
    closing: Option<Closing>,
}

#[derive(Deserialize)]
struct Slim(#[serde(with = "WithoutRaw")] Record);

/// A record without its raw data. It is for looking back; what is checked or made anew is read whole.
pub(super) fn without_raw(origin: &str, json: &[u8]) -> Result<Record, Fault> {
    let origin = origin.to_owned();
    let Slim(record) = serde_json::from_slice(json)
        .map_err(|e| record::Fault::Form { origin: origin.clone(), what: e.to_string() })?;
    if record.schema != SCHEMA {
        return Err(record::Fault::Schema { origin, seen: u64::from(record.schema) }.into());
    }
    Ok(record)
}

/// The record of a folder, without its raw data.
fn slim(folder: &Path) -> Result<Record, Fault> {
    let path = folder.join(RECORD);
    without_raw(&path.display().to_string(), &disk::read(&path)?)
}

/// The record of a paper in a data folder, without its raw data, corrected where the paper was amended.
pub fn results_of(dir: &Path, certificate_no: &str) -> Result<Record, Fault> {
    let folder = package_folder(dir, certificate_no)?;
    let record = slim(&folder)?;
    let issue = package::read_issue(&disk::read(&folder.join(package::ISSUE))?)?;
    Ok(package::corrected(&record, &issue).into_owned())
}

/// The numbers of the runs that have no paper: pre-checks, and what was broken off.
pub fn unfinished(dir: &Path) -> Result<Vec<String>, Fault> {
    let folder = dir.join(UNFINISHED);
    if folder.is_dir() { disk::names(&folder) } else { Ok(vec![]) }
}

/// The record of one of them, without its raw data.
pub fn unfinished_results(dir: &Path, record_no: &str) -> Result<Record, Fault> {
    slim(&dir.join(UNFINISHED).join(record_no))
}
