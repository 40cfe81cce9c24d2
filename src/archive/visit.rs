//! The results of a paper, quickly: its record without the raw data, in the words of the paper.

use super::{Fault, disk, standing::package_folder};
use crate::certificate::package::{self, RECORD};
use crate::certificate::record::{self, Outcome, Program, Record, Results, SCHEMA};
use crate::plan::Plan;
use crate::plan::seal::Closing;
use crate::time::{Instant, Stamp};
use serde::Deserialize;
use std::path::Path;

/// A record but for its raw data, which are most of it and are skipped.
#[derive(Deserialize)]
struct Slim {
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
    #[serde(default)]
    closing: Option<Closing>,
}

/// A record without its raw data. It is for looking back; what is checked or made anew is read whole.
pub(super) fn without_raw(origin: &str, json: &[u8]) -> Result<Record, Fault> {
    let origin = origin.to_owned();
    let slim: Slim = serde_json::from_slice(json)
        .map_err(|e| record::Fault::Form { origin: origin.clone(), what: e.to_string() })?;
    if slim.schema != SCHEMA {
        return Err(record::Fault::Schema { origin, seen: u64::from(slim.schema) }.into());
    }
    let Slim {
        schema,
        simulated,
        record_no,
        certificate_no,
        program,
        started,
        began,
        outcome,
        results,
        plan,
        closing,
    } = slim;
    let raw = vec![];
    Ok(Record {
        schema,
        simulated,
        record_no,
        certificate_no,
        program,
        started,
        began,
        outcome,
        results,
        plan,
        raw,
        closing,
    })
}

/// The record of a paper in a data folder, without its raw data, corrected where the paper was amended.
pub fn results_of(dir: &Path, certificate_no: &str) -> Result<Record, Fault> {
    let folder = package_folder(dir, certificate_no)?;
    let path = folder.join(RECORD);
    let record = without_raw(&path.display().to_string(), &disk::read(&path)?)?;
    let issue = package::read_issue(&disk::read(&folder.join(package::ISSUE))?)?;
    Ok(package::corrected(&record, &issue).into_owned())
}
