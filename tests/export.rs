//! Selections of the register as CSV and XLSX, read by foreign programs: `LibreOffice`, and openpyxl in the Python that
//! `PHANTOMLOAD_SHEET_PYTHON` names (`.ci/run` makes it). What is absent is said loudly.

#[path = "support/skip.rs"]
mod skip;

use phantomload::certificate::csv::{BOM, REGISTER_HEADER, register_header};
use std::path::Path;
use std::process::{Command, Output};

/// What names may hold (issue 4, "Shown by" 4).
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a \"b\", c & <d>",
        "tab\there",
        "⚡🔌 emoji",
        "充电站（№7）",
        "=1+1",
        "+86 10",
        "-5",
        "@here",
        "two\nlines",
        "'quoted'",
        "0012",
        "12345678901234567890",
        "_x0041_",
        "2026-01-02",
    ]
    .map(str::to_owned)
    .into();
    names.push("长".repeat(200));
    names
}

/// A data folder whose register has these names as customers, as the program writes them.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    for (n, name) in names().iter().enumerate() {
        let guarded = if name.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            format!("'{name}")
        } else {
            name.clone()
        };
        let row = REGISTER_HEADER.map(|column| match column {
            "schema_version" => "1".to_owned(),
            "seq" => (n + 1).to_string(),
            "certificate_no" => format!("PL-2026-{:06}", n + 1),
            "record_no" => format!("PL-R-2026-{:06}", n + 1),
            "status" => "issued".into(),
            "verdict" => if n % 2 == 0 { "pass" } else { "fail" }.into(),
            "performed_from" => "2026-11-20T10:00:00.000+08:00".into(),
            "simulated" => "false".into(),
            "customer" | "dut_serial" => guarded.clone(),
            "worst_error_percent" => "-0.3000".into(),
            _ => String::new(),
        });
        writer.write_record(&row).unwrap();
    }
    let bytes = [register_header().unwrap(), writer.into_inner().unwrap()].concat();
    std::fs::write(dir.path().join("register.csv"), bytes).unwrap();
    dir
}

fn export(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(["certificate", "export", "--data", dir.to_str().unwrap()])
        .args(arguments)
        .output()
        .unwrap()
}

fn exported(dir: &Path, name: &str) -> std::path::PathBuf {
    let out = dir.join(name);
    let done = export(dir, &["--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

/// Rows of a CSV by `LibreOffice` or by us, as cells.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.strip_prefix(BOM).unwrap_or(bytes));
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn column(name: &str) -> usize {
    REGISTER_HEADER.iter().position(|column| *column == name).unwrap()
}

#[test]
fn a_foreign_reader_of_xlsx_sees_text_as_text_and_numbers_as_numbers() {
    let dir = folder();
    let out = exported(dir.path(), "out.xlsx");
    let python = std::env::var("PHANTOMLOAD_SHEET_PYTHON").unwrap_or("python3".into());
    let script = "
import sys, json, openpyxl
from openpyxl.utils.escape import unescape
plain = lambda value: unescape(value) if isinstance(value, str) else value
sheet = openpyxl.load_workbook(sys.argv[1]).active
rows = [[[cell.data_type, plain(cell.value)] for cell in row] for row in sheet.iter_rows()]
print(json.dumps({'rows': rows, 'freeze': sheet.freeze_panes, 'filter': sheet.auto_filter.ref,
                  'format': sheet.cell(2, int(sys.argv[2]) + 1).number_format}))
";
    let error = column("worst_error_percent");
    let said = Command::new(python).args(["-c", script]).arg(&out).arg(error.to_string()).output();
    let Ok(said) = said else {
        return skip::skipped("no Python; set PHANTOMLOAD_SHEET_PYTHON (.ci/run does)");
    };
    let words = String::from_utf8_lossy(&said.stderr);
    if words.contains("No module named 'openpyxl'") {
        return skip::skipped("no Python with openpyxl; set PHANTOMLOAD_SHEET_PYTHON (.ci/run does)");
    }
    assert!(said.status.success(), "{words}");
    let sheet: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((sheet["freeze"].as_str(), sheet["format"].as_str()), (Some("A2"), Some("0.0000")));
    assert_eq!(sheet["filter"], format!("A1:BD{}", names().len() + 1));
    let rows = sheet["rows"].as_array().unwrap();
    assert_eq!(rows.len(), names().len() + 1);
    for (row, name) in rows[1..].iter().zip(names()) {
        for column in [column("customer"), column("dut_serial")] {
            assert_eq!(row[column], serde_json::json!(["s", name]));
        }
        assert_eq!(row[error], serde_json::json!(["n", -0.3]));
        assert_eq!(row[column("worst_limit_percent")][1], serde_json::Value::Null);
        assert!(row.as_array().unwrap().iter().all(|cell| cell[0] != "f"), "{row}");
    }
}

#[test]
fn libreoffice_opens_both_and_finds_no_formula() {
    let dir = folder();
    for (name, is_csv) in [("out.csv", true), ("out.xlsx", false)] {
        let out = exported(dir.path(), name);
        let into = dir.path().join(format!("from-{name}"));
        // 76: UTF-8; 44,34: comma and double quote; the last true: save cell contents as shown is off.
        // 44,34,76: comma, double quote, UTF-8.
        let filter = "Text - txt - csv (StarCalc):44,34,76";
        let done = Command::new("soffice")
            .arg(format!("-env:UserInstallation=file://{}", dir.path().join("office").display()))
            .arg("--headless")
            .args(is_csv.then(|| format!("--infilter={filter}")))
            .args(["--convert-to", &format!("csv:{filter}"), "--outdir"])
            .arg(&into)
            .arg(&out)
            .output();
        let Ok(done) = done else {
            return skip::skipped("no soffice; install libreoffice-calc-nogui (.ci/run does)");
        };
        let converted = std::fs::read(into.join("out.csv"));
        let converted =
            converted.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&done.stderr)));
        let rows = rows(&converted);
        assert_eq!(rows[0], REGISTER_HEADER, "{name}");
        assert_eq!(rows.len(), names().len() + 1, "{name}");
        for (row, wanted) in rows[1..].iter().zip(names()) {
            let seen = &row[column("customer")];
            let guarded = is_csv && wanted.starts_with(['=', '+', '-', '@']);
            let as_number = is_csv && wanted.starts_with(|c: char| c.is_ascii_digit());
            if guarded {
                assert_eq!(seen.trim_start_matches('\''), wanted, "{name}: the text, never its value");
            } else if !as_number {
                // A spreadsheet reads digits in a CSV as a number; this is why there is XLSX (reports/register_csv.md).
                assert_eq!(*seen, wanted, "{name}");
            }
            let error: f64 = row[column("worst_error_percent")].parse().unwrap();
            assert!((error + 0.3).abs() < 1e-12, "{name}");
        }
    }
}

#[test]
fn only_what_is_asked_for_is_exported_and_wrong_requests_are_told() {
    let dir = folder();
    let out = dir.path().join("fails.csv");
    let done =
        export(dir.path(), &["--verdict", "fail", "--customer", "充电", "--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let found = rows(&std::fs::read(&out).unwrap());
    assert_eq!((found.len(), found[1][column("customer")].as_str()), (2, "充电站（№7）"));
    let list = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_phantomload"))
            .args(["certificate", "list", "--json", "--data", dir.path().to_str().unwrap()])
            .args(arguments)
            .output()
            .unwrap();
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&done.stdout).unwrap();
        rows.iter().map(|row| row["seq"].as_str().unwrap().parse().unwrap()).collect::<Vec<usize>>()
    };
    assert_eq!(list(&["--serial", "=1"]), [5]);
    assert_eq!(list(&["--limit", "2"]), [names().len(), names().len() - 1]);
    assert_eq!(list(&["--to", "2026-11-19"]), [0_usize; 0]);
    for (arguments, words) in
        [(["--out", "x.pdf"], ".csv or .xlsx"), (["--out", "/no such folder/x.csv"], "could not be written")]
    {
        let done = export(dir.path(), &arguments);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let dir = folder();
    // The index first, while there is room.
    exported(dir.path(), "fits.csv");
    for name in ["out.csv", "out.xlsx"] {
        // A file may have 512 bytes: what a full disk does to a program that writes on.
        let script = format!(
            "ulimit -f 1; trap '' XFSZ; exec \"$0\" certificate export --data \"$1\" --out \"$1/{name}\""
        );
        let done = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_phantomload")])
            .arg(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(3), "{name}: {said}");
        assert!(said.contains("Free some space") && !said.contains("panicked"), "{name}: {said}");
        let mut left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["fits.csv", "register.csv", "register.index"], "{name}");
    }
}
