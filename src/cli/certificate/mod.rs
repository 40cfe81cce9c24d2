//! `phantomload certificate`

mod verify;

use super::{Data, Ended, Stop, print_json, print_text, replay};
use phantomload::archive;
use phantomload::certificate::report;

#[derive(clap::Subcommand)]
pub enum Which {
    /// List the register of certificates and test reports
    List {
        #[command(flatten)]
        data: Data,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
}

/// Lists, shows or checks.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::List { data, json } => {
            let rows = archive::list(&data.dir()?).map_err(Stop::input)?;
            if *json {
                print_json(&rows)?;
            } else if rows.is_empty() {
                print_text("no certificate in this data folder yet\n")?;
            } else {
                print_text(&archive::table(&rows))?;
            }
        }
        Which::Show { number, data, json } => {
            let mut record = replay::load(number, data)?;
            if *json {
                record.raw.clear();
                print_json(&record)?;
            } else {
                print_text(&report::text(&record))?;
            }
        }
        Which::Verify(arguments) => return verify::run(arguments),
    }
    Ok(0)
}
