//! The two CSV forms, schema version 1: the results of a run and its row in the register.
//!
//! UTF-8 with byte-order mark (a spreadsheet in China reads GBK without it), CRLF, comma, quotes doubled (RFC 4180),
//! one header row with the unit as suffix, point as decimal separator, empty = not measured. A text cell that a
//! spreadsheet would take for a formula gets a leading `'`; numbers are exempt, so that a negative error stays a
//! number. Columns are never moved or renamed; new ones come at the end. `reports/` describes each column.

mod register;
mod results;

pub use register::{
    REGISTER_HEADER, Standing, document_word, register_header, register_row, valid_until, verdict_word,
};
pub use results::{RESULTS_HEADER, Said, results_csv, results_said};

use super::record::{Document, ItemResult, Record};
use crate::verdict::Verdict;

/// The version of both forms.
pub const SCHEMA: u32 = 1;

/// The byte-order mark at the begin of a file; the `csv` reader does not take it off.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing is certified that was not completed.
    #[error(
        "run {record_no} has no verdict or no certificate number; only a completed run has results and a row in the register"
    )]
    NotCompleted {
        /// The run.
        record_no: String,
    },
    /// The writer's own.
    #[error("CSV of run {record_no}: {what}")]
    Writer {
        /// The run.
        record_no: String,
        /// Its words.
        what: String,
    },
}

/// What stands in a cell.
enum Cell {
    /// Not measured, not known or not of this row.
    Empty,
    /// A number, a date or a word of ours: written as it is.
    Plain(String),
    /// Text from outside: guarded against being read as a formula.
    Text(String),
}

impl Cell {
    #[expect(clippy::needless_pass_by_value, reason = "each column then reads as one expression")]
    fn plain(value: impl ToString) -> Self {
        Self::Plain(value.to_string())
    }

    fn maybe(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Empty, Self::plain)
    }

    fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    fn written(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) if text.starts_with(FORMULA) => format!("'{text}"),
            Self::Plain(text) | Self::Text(text) => text,
        }
    }
}

/// What a spreadsheet takes for the begin of a formula; one set to Chinese or Japanese takes the wide signs as well.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The text behind a cell: without the guard against formulas.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(FORMULA) => text,
        _ => cell,
    }
}

/// The names of columns; each stands beside the function that fills it, so that none can be out of step.
const fn names<F, const N: usize>(columns: &[(&'static str, F); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut n = 0;
    while n < N {
        names[n] = columns[n].0;
        n += 1;
    }
    names
}

/// A writer of our dialect.
fn writer() -> ::csv::Writer<Vec<u8>> {
    ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(vec![])
}

fn bytes(writer: ::csv::Writer<Vec<u8>>, record_no: &str) -> Result<Vec<u8>, Fault> {
    writer.into_inner().map_err(|e| Fault::Writer { record_no: record_no.to_owned(), what: e.to_string() })
}

/// Number and verdict of a completed run.
fn completed(record: &Record) -> Result<(&str, Verdict, Document), Fault> {
    match (&record.certificate_no, record.results.verdict, record.document()) {
        (Some(number), Some(verdict), Some(document)) => Ok((number, verdict, document)),
        _ => Err(Fault::NotCompleted { record_no: record.record_no.clone() }),
    }
}

/// Whether a row gives an error by pulses against the reference; only these have the columns in percent.
fn is_pulse_error(item: &ItemResult) -> bool {
    use crate::regulation::Item;
    matches!(item.item, Item::BasicError | Item::Start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sample;

    /// Rows of a file of ours, by the names of its header.
    fn read(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
        let mut reader = ::csv::Reader::from_reader(bytes.strip_prefix(BOM).expect("a byte-order mark"));
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
        (header, rows)
    }

    fn cell<'a>(header: &[String], row: &'a [String], name: &str) -> &'a str {
        &row[header.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"))]
    }

    fn row(record: &Record) -> Result<Vec<u8>, Fault> {
        let (issue, manifest) = (sample::draft(record), sample::manifest(record));
        let status = issue.status;
        let manifest_sha256 = &"d".repeat(64);
        register_row(record, 1, &Standing { status, issue: &issue, manifest: &manifest, manifest_sha256 })
    }

    fn register(record: &Record) -> (Vec<String>, Vec<Vec<String>>) {
        read(&[register_header().unwrap(), row(record).unwrap()].concat())
    }

    #[test]
    fn a_formula_by_any_sign_is_text_and_comes_back() {
        for sign in FORMULA {
            let text = format!("{sign}1+1");
            let cell = Cell::text(text.as_str()).written();
            assert_eq!((cell.strip_prefix('\''), unguarded(&cell)), (Some(text.as_str()), text.as_str()));
        }
        assert_eq!(Cell::plain(-0.1).written(), "-0.1");
    }

    #[test]
    fn the_files_are_of_the_dialect_they_claim() {
        let bytes = results_csv(&sample::completed(0.3)).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(bytes.starts_with(BOM) && text.ends_with("\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(text[3..].starts_with(
            "schema_version,certificate_no,record_no,run_id,point_no,test_item,connector,load_method,mode,"
        ));
        let (header, rows) = read(&bytes);
        assert_eq!(header, RESULTS_HEADER);
        assert_eq!(rows.len(), sample::completed(0.3).results.items.len());
    }

    #[test]
    fn the_error_follows_from_the_energies_within_its_printed_resolution() {
        for error in [0.3, -0.3, 2.0, -47.123_456] {
            let (header, rows) = read(&results_csv(&sample::completed(error)).unwrap());
            let mut seen = 0;
            for row in rows.iter().filter(|row| !cell(&header, row, "error_percent").is_empty()) {
                let number = |name: &str| {
                    cell(&header, row, name).parse::<f64>().unwrap_or_else(|e| panic!("{name}: {e}"))
                };
                let (reference, indicated) = (number("reference_energy_kWh"), number("indicated_energy_kWh"));
                let from_energies = 100.0 * (indicated - reference) / reference;
                assert!((from_energies - number("error_percent")).abs() < 1e-4, "{row:?}");
                assert!(
                    (number("pulses") / number("meter_constant_imp_per_kWh") / indicated - 1.0).abs() < 1e-9,
                    "{row:?}"
                );
                assert!((from_energies - number("value")).abs() < 2e-7, "{row:?}");
                assert!(
                    (number("power_W") * number("duration_s") / 3.6e6 / reference - 1.0).abs() < 1e-3,
                    "{row:?}"
                );
                seen += 1;
            }
            assert!(seen >= 4, "{seen} rows with an error");
        }
    }

    #[test]
    fn a_negative_error_stays_a_number_and_a_name_never_becomes_a_formula() {
        let mut record = sample::completed(-0.3);
        record.plan.nameplate.serial = "-1+cmd|'/C calc'!A0".into();
        let (header, rows) = read(&results_csv(&record).unwrap());
        let row = rows.iter().find(|row| cell(&header, row, "test_item") == "working_error").unwrap();
        assert!(cell(&header, row, "error_percent").starts_with("-0."), "{row:?}");
        assert_eq!(cell(&header, row, "limit_low_percent"), "-1.0");
        let (header, rows) = register(&record);
        assert_eq!(cell(&header, &rows[0], "dut_serial"), "'-1+cmd|'/C calc'!A0");
        assert_eq!(unguarded(cell(&header, &rows[0], "dut_serial")), record.plan.nameplate.serial);
        assert_eq!((unguarded("'plain'"), unguarded("'=1")), ("'plain'", "=1"));
    }

    #[test]
    fn names_with_quotes_commas_newlines_and_every_script_come_back() {
        for name in [
            "a \"b\", c",
            "two\nlines",
            "two\r\nlines",
            "充电站 №7",
            "⚡🔌",
            "=1+1",
            "+86",
            "-",
            "@here",
            "\tx",
            "\rx",
            "'",
        ] {
            let mut record = sample::completed(0.3);
            name.clone_into(&mut record.plan.entries.customer);
            name.clone_into(&mut record.plan.entries.site);
            let (header, rows) = register(&record);
            assert_eq!(rows.len(), 1, "{name:?}");
            assert_eq!(unguarded(cell(&header, &rows[0], "customer")), name);
            assert_eq!(
                cell(&header, &rows[0], "customer").starts_with('\''),
                name.starts_with(FORMULA) || name == "'"
            );
        }
    }

    #[test]
    fn the_register_counts_the_rows_of_the_results() {
        for (error, verdict) in [(0.3, "pass"), (2.0, "fail")] {
            let record = sample::completed(error);
            let (points, rows) = read(&results_csv(&record).unwrap());
            let (header, register) = register(&record);
            let failed: Vec<_> = rows.iter().filter(|row| cell(&points, row, "result") == "fail").collect();
            let row = &register[0];
            assert_eq!(cell(&header, row, "points"), rows.len().to_string());
            assert_eq!(cell(&header, row, "verdict"), verdict);
            assert_eq!(verdict == "fail", !failed.is_empty());
            let numbers: Vec<_> = failed.iter().map(|row| cell(&points, row, "point_no")).collect();
            assert_eq!(cell(&header, row, "failed_points"), numbers.join(";"));
            let worst = rows
                .iter()
                .find(|r| cell(&points, r, "point_no") == cell(&header, row, "worst_point_no"))
                .unwrap();
            assert_eq!(cell(&header, row, "worst_error_percent"), cell(&points, worst, "error_percent"));
            assert_eq!(cell(&header, row, "status"), "draft");
        }
    }

    #[test]
    fn a_meter_that_gave_no_pulse_has_a_bound_and_no_error() {
        let (header, rows) = read(&results_csv(&sample::silent_at_start()).unwrap());
        let row = rows.iter().find(|row| cell(&header, row, "test_item") == "start").unwrap();
        assert_eq!(cell(&header, row, "result"), "fail");
        assert_eq!(
            (cell(&header, row, "error_percent"), cell(&header, row, "indicated_energy_kWh")),
            ("", "")
        );
        assert_eq!(
            (cell(&header, row, "pulses"), cell(&header, row, "upper_bound_percent")),
            ("0", "-50.0000")
        );
        assert!(!cell(&header, row, "reference_energy_kWh").is_empty());
    }

    #[test]
    fn a_simulated_run_says_so_in_every_row() {
        let record = sample::completed(0.3);
        assert!(record.simulated);
        let (header, rows) = read(&results_csv(&record).unwrap());
        for row in &rows {
            assert_eq!(cell(&header, row, "simulated"), "true");
            assert!(cell(&header, row, "remark").starts_with("SIMULATED"), "{row:?}");
        }
        let (header, rows) = register(&record);
        assert_eq!(cell(&header, &rows[0], "simulated"), "true");
        assert_eq!(cell(&header, &rows[0], "doc_type"), "test_report");
        let (header, rows) = read(&results_csv(&sample::real(0.3)).unwrap());
        assert!(
            rows.iter().all(|r| cell(&header, r, "simulated") == "false"
                && !cell(&header, r, "remark").contains("SIMULATED"))
        );
    }

    #[test]
    fn only_a_passed_certificate_has_a_last_day() {
        for (error, document, until) in
            [(0.3, "verification_certificate", "2029-11-19"), (2.0, "result_notice", "")]
        {
            let (header, rows) = register(&sample::approved(error));
            assert_eq!(cell(&header, &rows[0], "doc_type"), document);
            assert_eq!(cell(&header, &rows[0], "valid_until"), until);
        }
        let (header, rows) = register(&sample::completed(0.3));
        assert_eq!(cell(&header, &rows[0], "valid_until"), "");
    }

    #[test]
    fn a_run_that_was_not_completed_has_neither_file_nor_row() {
        let record = sample::aborted();
        assert!(results_csv(&record).unwrap_err().to_string().contains(&record.record_no));
        assert!(row(&record).is_err());
    }

    #[test]
    fn every_column_is_documented_in_order() {
        let documented = |text: &str| -> Vec<String> {
            let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
            rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
        };
        assert_eq!(documented(include_str!("../../reports/results_csv.md")), RESULTS_HEADER);
        assert_eq!(documented(include_str!("../../reports/register_csv.md")), REGISTER_HEADER);
    }
}
