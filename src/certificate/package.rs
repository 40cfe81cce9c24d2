//! The files of a package: what the record, the issue and the key give, as bytes. Nothing here is signed as a whole;
//! `archive` adds the manifest over what is made here.

mod datapackage;
mod sealed;

pub use sealed::{DCC, PDF, QR};

use super::csv::{self, results_csv};
use super::issue::{Field, Issue};
use super::record::{self, Record};
use super::report;
use super::sign::{self, Signer};
use super::signed_record;
use crate::time::Stamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// The original record's name in a package.
pub const RECORD: &str = "record.json";
/// The name of the record that a meter signed, byte by byte as it gave it: for `phantomload ocmf verify`, or any other
/// transparency software.
pub const SIGNED_RECORD: &str = "signed-record.ocmf";
/// The name of what a paper says besides its record.
pub const ISSUE: &str = "issue.json";
/// The name of the description of the results file (Frictionless Data Package).
pub const DATAPACKAGE: &str = "datapackage.json";

/// Why a package cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The results.
    #[error(transparent)]
    Csv(#[from] csv::Fault),
    /// The record.
    #[error(transparent)]
    Record(#[from] record::Fault),
    /// The key.
    #[error(transparent)]
    Sign(#[from] sign::Fault),
    /// A file that cannot be written down.
    #[error("{file} cannot be made: {what}")]
    Form {
        /// The file.
        file: String,
        /// Why.
        what: String,
    },
    /// A file that is not what it should be.
    #[error("{file} is not of the form: {what}. Take the package from a backup")]
    Unreadable {
        /// The file.
        file: String,
        /// Where and what.
        what: String,
    },
}

/// What stands in `issue.json`.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Whether the bench was simulated.
    simulated: bool,
    #[serde(flatten)]
    issue: Issue,
}

/// All files of a paper's package but its manifest and the record itself. `record_json` are the bytes of the original record,
/// which stay as they are also where the paper was corrected, and are never copied. Without a signer the sealed papers are not among them.
pub fn files(
    record: &Record,
    record_json: &Arc<Vec<u8>>,
    issue: &Issue,
    signer: Option<&dyn Signer>,
    at: Stamp,
) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let no = &issue.certificate_no;
    let shown = corrected(record, issue);
    let results = (format!("{no}_results.csv"), results_csv(&shown)?);
    let described = (DATAPACKAGE.to_owned(), datapackage::json(&shown, issue, &results.0, &results.1)?);
    let papers = signer.map(|signer| sealed::papers(record, record_json, issue, &results, signer, at));
    let mut files = vec![
        issue_json(record.simulated, issue)?,
        results,
        described,
        (format!("{no}_report.txt"), report::paper(&shown, issue).into_bytes()),
    ];
    files.extend(papers.transpose()?.into_iter().flatten());
    files.extend(signed_record::bytes(record).map(|bytes| (SIGNED_RECORD.to_owned(), bytes.to_vec())));
    Ok(files)
}

/// The files beside the record of a run whose papers cannot be made yet: what they are made of later.
pub fn kept(record: &Record, issue: &Issue) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    Ok(vec![issue_json(record.simulated, issue)?])
}

fn issue_json(simulated: bool, issue: &Issue) -> Result<(String, Vec<u8>), Fault> {
    let form = |e: serde_json::Error| Fault::Form { file: ISSUE.into(), what: e.to_string() };
    let json = serde_json::to_string_pretty(&Written { simulated, issue: issue.clone() }).map_err(form)?;
    Ok((ISSUE.to_owned(), (json + "\n").into_bytes()))
}

/// What a paper says besides its record, from its `issue.json`.
pub fn read_issue(bytes: &[u8]) -> Result<Issue, Fault> {
    let written: Written = serde_json::from_slice(bytes)
        .map_err(|e| Fault::Unreadable { file: ISSUE.into(), what: e.to_string() })?;
    Ok(written.issue)
}

/// What a record says in a field that may be corrected.
pub fn text_of(record: &Record, field: Field) -> &str {
    let (plate, entries) = (&record.plan.nameplate, &record.plan.entries);
    match field {
        Field::Customer => &entries.customer,
        Field::Site => &entries.site,
        Field::Maker => &plate.maker,
        Field::Model => &plate.model,
        Field::Serial => &plate.serial,
        Field::Charger => &plate.charger,
        Field::Connector => &plate.connector,
    }
}

/// The record as its paper shows it: under the paper's own number, with what was corrected. Whatever was measured or
/// judged stays as it is.
pub fn corrected<'a>(record: &'a Record, issue: &Issue) -> Cow<'a, Record> {
    let is_its_own = record.certificate_no.as_ref().is_none_or(|number| *number == issue.certificate_no);
    if is_its_own && issue.amends.is_none() {
        return Cow::Borrowed(record);
    }
    let mut shown = record.clone();
    if shown.certificate_no.is_some() {
        shown.certificate_no = Some(issue.certificate_no.clone());
    }
    let (plate, entries) = (&mut shown.plan.nameplate, &mut shown.plan.entries);
    for correction in issue.amends.iter().flat_map(|amendment| &amendment.corrections) {
        let text = match correction.field {
            Field::Customer => &mut entries.customer,
            Field::Site => &mut entries.site,
            Field::Maker => &mut plate.maker,
            Field::Model => &mut plate.model,
            Field::Serial => &mut plate.serial,
            Field::Charger => &mut plate.charger,
            Field::Connector => &mut plate.connector,
        };
        text.clone_from(&correction.to);
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::issue::{Amendment, Correction};
    use crate::certificate::sample;

    fn made(record: &Record, issue: &Issue) -> Vec<(String, Vec<u8>)> {
        let json = record.to_json().unwrap();
        let json = Arc::new(json.into_bytes());
        let mut files = files(record, &json, issue, None, record.started).unwrap();
        files.push((RECORD.to_owned(), Arc::unwrap_or_clone(json)));
        files.sort();
        files
    }

    fn text<'a>(files: &'a [(String, Vec<u8>)], end: &str) -> &'a str {
        let (_, bytes) = files.iter().find(|(name, _)| name.ends_with(end)).unwrap();
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_files_of_a_simulated_run_say_so_each() {
        let record = sample::completed(0.3);
        let files = made(&record, &sample::draft(&record));
        let no = record.certificate_no.as_deref().unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            &format!("{no}_report.txt"),
            &format!("{no}_results.csv"),
            "datapackage.json",
            "issue.json",
            "record.json",
        ];
        assert_eq!(names, expected);
        for (name, bytes) in &files {
            assert!(String::from_utf8_lossy(bytes).to_lowercase().contains("simulated"), "{name}");
        }
        assert_eq!(text(&files, RECORD), record.to_json().unwrap());
    }

    #[test]
    fn an_amended_paper_says_what_was_corrected_and_leaves_the_record_alone() {
        let record = sample::completed(0.3);
        let mut issue = sample::draft(&record);
        issue.certificate_no = "SIM-2026-000009".into();
        issue.amends = Some(Amendment {
            replaces: "SIM-2026-000001".into(),
            reason: "the customer was misspelt".into(),
            corrections: Field::ALL
                .map(|field| Correction {
                    field,
                    from: text_of(&record, field).into(),
                    to: format!("=new {field}"),
                })
                .into(),
        });
        let files = made(&record, &issue);
        assert_eq!(text(&files, RECORD), record.to_json().unwrap());
        let shown = corrected(&record, &issue);
        for field in Field::ALL {
            assert_eq!(text_of(&shown, field), format!("=new {field}"));
        }
        assert_eq!(shown.results, record.results);
        assert!(text(&files, "SIM-2026-000009_results.csv").contains(",SIM-2026-000009,"));
        assert_eq!(read_issue(text(&files, ISSUE).as_bytes()).unwrap(), issue);
    }

    #[test]
    fn an_issue_that_was_edited_into_nonsense_is_told() {
        let fault = read_issue(b"{\"simulated\":true}").unwrap_err().to_string();
        assert!(fault.contains("issue.json") && fault.contains("laboratory"), "{fault}");
    }
}
