//! `phantomload certificate list | export`: which rows of the register.

use super::{Data, Ended, Stop, print_json, print_text};
use jiff::civil::Date;
use phantomload::archive::{self, Filter, Index};
use phantomload::certificate::issue::Status;
use phantomload::verdict::Verdict;
use std::path::{Path, PathBuf};

/// Which rows of the register.
#[derive(clap::Args)]
pub struct Selection {
    /// Verified on this day or later
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Verified on this day or earlier
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// pass, fail or undecided
    #[arg(long, value_parser = verdict)]
    verdict: Option<Verdict>,
    /// draft, checked, issued, amended or withdrawn
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// A part of the site's name
    #[arg(long, value_name = "TEXT")]
    site: Option<String>,
    /// A part of the name of the verifier
    #[arg(long, value_name = "TEXT")]
    operator: Option<String>,
    /// A part of the customer's name
    #[arg(long, value_name = "TEXT")]
    customer: Option<String>,
    /// The begin of the meter's serial number
    #[arg(long, value_name = "TEXT")]
    serial: Option<String>,
    /// Every row, not only the last of each paper
    #[arg(long)]
    all: bool,
}

impl Selection {
    fn filter(&self) -> Filter {
        Filter {
            from: self.from,
            to: self.to,
            verdict: self.verdict,
            status: self.status,
            site: self.site.clone(),
            operator: self.operator.clone(),
            customer: self.customer.clone(),
            serial: self.serial.clone(),
            all_states: self.all,
        }
    }
}

fn verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "pass" => Ok(Verdict::Pass),
        "fail" => Ok(Verdict::Fail),
        "undecided" => Ok(Verdict::Undecided),
        _ => Err("pass, fail or undecided".into()),
    }
}

fn status(text: &str) -> Result<Status, String> {
    let all = [Status::Draft, Status::Checked, Status::Issued, Status::Amended, Status::Withdrawn];
    let found = all.into_iter().find(|status| status.to_string() == text);
    found.ok_or_else(|| "draft, checked, issued, amended or withdrawn".into())
}

/// Prints the newest rows that are wanted.
pub fn list(data: &Data, selection: &Selection, limit: usize, json: bool) -> Ended {
    let filter = selection.filter();
    let index = Index::open(&data.dir()?).map_err(Stop::input)?;
    let rows = index.rows(&filter, Some(limit)).map_err(Stop::input)?;
    if json {
        print_json(&rows)?;
    } else if rows.is_empty() && filter == (Filter { all_states: filter.all_states, ..Filter::default() }) {
        print_text("no certificate in this data folder yet\n")?;
    } else if rows.is_empty() {
        print_text("no certificate is as asked for\n")?;
    } else {
        print_text(&archive::table(&rows))?;
        if rows.len() == limit {
            print_text(&format!(
                "the newest {limit}; --limit N shows more, `phantomload certificate export` all\n"
            ))?;
        }
    }
    Ok(0)
}

/// Writes all rows that are wanted to one file.
pub fn export(data: &Data, selection: &Selection, out: &Path) -> Ended {
    let (dir, filter) = (data.dir()?, selection.filter());
    let rows = match out.extension().and_then(|end| end.to_str()) {
        Some("csv") => archive::export_csv(&dir, &filter, out),
        Some("xlsx") => archive::export_xlsx(&dir, &filter, out),
        _ => {
            let what = "the name of the file says its form: it must end in .csv or .xlsx";
            return Err(Stop::input(format!("{}: {what}", out.display())));
        }
    };
    let rows = rows.map_err(Stop::fault)?;
    print_text(&format!("{rows} rows in {}\n", out.display()))?;
    Ok(0)
}

/// Where an export goes.
#[derive(clap::Args)]
pub struct Out {
    /// The file: .csv or .xlsx
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
