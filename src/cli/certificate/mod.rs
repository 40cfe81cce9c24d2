//! `phantomload certificate`

mod verify;

use super::{Data, Ended, approval, label, page, print_json, print_text, replay, selection};
use phantomload::archive;
use phantomload::certificate::record::Record;
use phantomload::certificate::{package, report};

#[derive(clap::Subcommand)]
pub enum Which {
    /// List the register of certificates and test reports
    List {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        selection: selection::Selection,
        /// At most so many, the newest
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write rows of the register to one CSV or XLSX file
    Export {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        selection: selection::Selection,
        #[command(flatten)]
        out: selection::Out,
    },
    /// Draw the label of an issued certificate that passed: number, serial, dates, QR code
    Label(label::Arguments),
    /// Write the page on which anybody checks a QR text or a package in a browser, without network
    Page(page::Arguments),
    /// Show a certificate or test report
    Show {
        /// Number of the certificate or record, package folder or record file
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        data: Data,
        /// Print the record as JSON, without its raw data
        #[arg(long)]
        json: bool,
    },
    /// Say whether a package, a QR text or a chain is authentic, and if not, what was changed
    ///
    /// Exit codes: 0 authentic, 1 anything else, 2 wrong input.
    Verify(verify::Arguments),
    #[command(flatten)]
    Approval(approval::Which),
}

/// The paper as it stands in the data folder, and its state below it; what is not there has no state.
fn shown(number: &str, data: &Data, record: &Record) -> (String, String) {
    use std::fmt::Write;
    let standing = data.dir().ok().and_then(|dir| archive::standing(&dir, number).ok());
    let Some(standing) = standing else { return (report::text(record), String::new()) };
    let paper = archive::issue_of(&standing).map_or_else(
        || report::text(record),
        |issue| report::paper(&package::corrected(record, &issue), &issue),
    );
    let mut state = format!("\n{number} is {} in the chain of {}\n", standing.status, standing.device);
    if let Some((by, reason)) = &standing.replaced_by {
        let _ = writeln!(state, "  replaced by {by}: {reason}");
    }
    if let Some(reason) = &standing.withdrawn {
        let _ = writeln!(state, "  withdrawn: {reason}");
    }
    if !standing.is_sealed && standing.record_sha256.is_some() {
        let _ = writeln!(state, "  not sealed; `phantomload certificate papers {number}` makes the papers");
    }
    for signature in &standing.signatures {
        let _ = writeln!(state, "  signed as {} by {}", signature.role, signature.person);
    }
    for (seq, kind, time) in &standing.entries {
        let _ = writeln!(state, "  entry {seq:>6}  {time}  {kind}");
    }
    (paper, state)
}

/// Lists, shows or checks.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::List { data, selection, limit, json } => {
            return selection::list(data, selection, *limit, *json);
        }
        Which::Export { data, selection, out } => return selection::export(data, selection, &out.out),
        Which::Label(arguments) => return label::run(arguments),
        Which::Page(arguments) => return page::run(arguments),
        Which::Show { number, data, json } => {
            let mut record = replay::load(number, data)?;
            if *json {
                record.raw.clear();
                print_json(&record)?;
            } else {
                let (paper, state) = shown(number, data, &record);
                print_text(&(paper + &state))?;
            }
        }
        Which::Approval(which) => return approval::run(which),
        Which::Verify(arguments) => return verify::run(arguments),
    }
    Ok(0)
}
