//! Index and exports over small registers.

use super::*;
use crate::archive::Fault;
use crate::certificate::csv::BOM;
use crate::certificate::issue::Status;
use crate::verdict::Verdict;
use std::collections::HashMap;

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
        "two\r\nlines",
        "'quoted'",
        "0012",
        "_x0041_",
    ]
    .map(str::to_owned)
    .into();
    names.push("长".repeat(200));
    names
}

/// Rows of a register: number, state, verdict, day, site, verifier, customer, serial, error.
fn line(seq: usize, cells: &HashMap<&str, String>) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(vec![]);
    let given = |column: &str| cells.get(column).cloned();
    let guarded = |text: String| {
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
    };
    let row = REGISTER_HEADER.map(|column| match column {
        "schema_version" => "1".into(),
        "seq" => seq.to_string(),
        "certificate_no" => given(column).unwrap_or(format!("PL-2026-{seq:06}")),
        "record_no" => format!("PL-R-2026-{seq:06}"),
        "status" => given(column).unwrap_or("draft".into()),
        "verdict" => given(column).unwrap_or("pass".into()),
        "simulated" => "false".into(),
        "performed_from" => given(column).unwrap_or("2026-11-20T10:00:00.000+08:00".into()),
        "worst_error_percent" => given(column).unwrap_or_default(),
        other => guarded(given(other).unwrap_or_default()),
    });
    writer.write_record(&row).unwrap();
    writer.into_inner().unwrap()
}

fn cells(pairs: &[(&'static str, &str)]) -> HashMap<&'static str, String> {
    pairs.iter().map(|(column, text)| (*column, (*text).to_owned())).collect()
}

fn folder(rows: &[HashMap<&'static str, String>]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = register_header().unwrap();
    for (n, row) in rows.iter().enumerate() {
        bytes.extend(line(n + 1, row));
    }
    fs::write(dir.path().join("register.csv"), bytes).unwrap();
    dir
}

fn append(dir: &Path, seq: usize, row: &HashMap<&'static str, String>) {
    let mut file = File::options().append(true).open(dir.join("register.csv")).unwrap();
    file.write_all(&line(seq, row)).unwrap();
}

fn seqs(dir: &Path, filter: &Filter) -> Vec<u32> {
    let rows = Index::open(dir).unwrap().rows(filter, None).unwrap();
    rows.iter().map(|row| row.get("seq").parse().unwrap()).collect()
}

fn every() -> Filter {
    Filter { all_states: true, ..Filter::default() }
}

#[test]
fn each_filter_finds_its_rows_the_newest_first() {
    let dir = folder(&[
        cells(&[("site", "North park"), ("verifier", "李工"), ("dut_serial", "SN100")]),
        cells(&[("site", "South_park"), ("verdict", "fail"), ("dut_serial", "SN200"), ("customer", "100%")]),
        cells(&[
            ("site", "North yard"),
            ("performed_from", "2026-12-01T09:00:00.000+08:00"),
            ("status", "issued"),
        ]),
        cells(&[("certificate_no", "PL-2026-000001"), ("status", "withdrawn"), ("site", "North park")]),
    ]);
    let found = |filter: Filter| seqs(dir.path(), &filter);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(every()), [4, 3, 2, 1]);
    assert_eq!(found(Filter::default()), [4, 3, 2], "the last row of each paper");
    assert_eq!(found(Filter { site: text("north"), ..every() }), [4, 3, 1]);
    assert_eq!(found(Filter { site: text("h_p"), ..every() }), [2], "an underscore is one");
    assert_eq!(found(Filter { customer: text("%"), ..every() }), [2], "a percent sign is one");
    assert_eq!(found(Filter { operator: text("李"), ..every() }), [1]);
    assert_eq!(found(Filter { serial: text("SN"), ..every() }), [2, 1]);
    assert_eq!(found(Filter { serial: text("SN2"), ..every() }), [2]);
    assert_eq!(found(Filter { verdict: Some(Verdict::Fail), ..every() }), [2]);
    assert_eq!(found(Filter { status: Some(Status::Issued), ..every() }), [3]);
    let day = |day: &str| Some(day.parse().unwrap());
    assert_eq!(found(Filter { from: day("2026-11-21"), ..every() }), [3]);
    assert_eq!(found(Filter { to: day("2026-11-20"), ..every() }), [4, 2, 1]);
    let some = Index::open(dir.path()).unwrap().rows(&every(), Some(2)).unwrap();
    assert_eq!(some.len(), 2);
    assert_eq!((some[0].get("seq"), some[0].line()), ("4", 5));
}

#[test]
fn the_index_follows_the_register_and_is_made_anew_where_it_does_not_fit() {
    let dir = folder(&[cells(&[("site", "A")]), cells(&[("site", "B")])]);
    assert_eq!(seqs(dir.path(), &every()), [2, 1]);
    // Appended to: taken in, and the older row of the paper is no longer the last.
    append(
        dir.path(),
        3,
        &cells(&[("certificate_no", "PL-2026-000001"), ("status", "issued"), ("site", "C")]),
    );
    assert_eq!(seqs(dir.path(), &Filter::default()), [3, 2]);
    // Edited at the same length.
    let register = dir.path().join("register.csv");
    let text = fs::read_to_string(&register).unwrap().replace(",B,", ",X,");
    fs::write(&register, &text).unwrap();
    assert_eq!(seqs(dir.path(), &Filter { site: Some("X".into()), ..every() }), [2]);
    // Shorter than before.
    let cut = text.rfind("\r\n1,3,").unwrap() + 2;
    fs::write(&register, &text[..cut]).unwrap();
    assert_eq!(seqs(dir.path(), &every()), [2, 1]);
    assert_eq!(seqs(dir.path(), &Filter::default()), [2, 1]);
    // No index at all, or rubbish in its place.
    fs::write(dir.path().join("register.index"), "rubbish".repeat(1000)).unwrap();
    assert_eq!(seqs(dir.path(), &every()), [2, 1]);
    fs::remove_file(dir.path().join("register.index")).unwrap();
    assert_eq!(seqs(dir.path(), &every()), [2, 1]);
    // No register.
    fs::remove_file(&register).unwrap();
    assert!(seqs(dir.path(), &every()).is_empty());
    assert!(seqs(tempfile::tempdir().unwrap().path(), &every()).is_empty());
}

#[test]
fn a_broken_row_is_named_by_its_line() {
    let dir = folder(&[cells(&[("customer", "two\r\nlines")]), cells(&[("verdict", "perhaps")])]);
    let Err(fault) = Index::open(dir.path()) else { panic!("it was taken in") };
    assert!(fault.to_string().contains("line 4: verdict is `perhaps`"), "{fault}");
    let dir = folder(&[cells(&[])]);
    let register = dir.path().join("register.csv");
    let bytes = fs::read(&register).unwrap();
    fs::write(&register, &bytes[..bytes.len() - 2]).unwrap();
    let Err(fault) = Index::open(dir.path()) else { panic!("it was taken in") };
    assert!(fault.to_string().contains("line 2: the row breaks off"), "{fault}");
    fs::write(&register, "a,b,c\r\n").unwrap();
    assert!(matches!(Index::open(dir.path()), Err(Fault::Row { line: 1, .. })));
}

#[test]
fn an_exported_csv_has_the_rows_byte_by_byte() {
    let rows: Vec<_> = names()
        .iter()
        .enumerate()
        .map(|(n, name)| {
            cells(&[
                ("customer", name),
                ("site", name),
                ("verdict", if n % 3 == 0 { "fail" } else { "pass" }),
            ])
        })
        .collect();
    let dir = folder(&rows);
    let out = dir.path().join("out.csv");
    assert_eq!(export_csv(dir.path(), &every(), &out).unwrap(), rows.len());
    assert_eq!(fs::read(&out).unwrap(), fs::read(dir.path().join("register.csv")).unwrap());
    let fails = Filter { verdict: Some(Verdict::Fail), ..Filter::default() };
    let wanted: Vec<u8> =
        rows.iter().enumerate().filter(|(n, _)| n % 3 == 0).flat_map(|(n, row)| line(n + 1, row)).collect();
    assert_eq!(export_csv(dir.path(), &fails, &out).unwrap(), rows.len().div_ceil(3));
    assert_eq!(fs::read(&out).unwrap(), [register_header().unwrap(), wanted].concat());
    assert!(fs::read(&out).unwrap().starts_with(BOM));
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        3,
        "register, index, export, and nothing half-written"
    );
}

#[test]
fn an_export_that_cannot_be_written_leaves_nothing() {
    let dir = folder(&[cells(&[])]);
    let out = dir.path().join("no such folder/out.csv");
    for done in [export_csv(dir.path(), &every(), &out), export_xlsx(dir.path(), &every(), &out)] {
        assert!(done.unwrap_err().to_string().contains("no such folder"));
    }
    // A folder stands where the file should be: the file was whole and could not be renamed.
    let out = dir.path().join("taken.csv");
    fs::create_dir_all(out.join("inside")).unwrap();
    assert!(export_csv(dir.path(), &every(), &out).is_err());
    assert!(export_xlsx(dir.path(), &every(), &out).is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "register, index and that folder");
}

#[test]
fn several_that_bring_the_index_up_to_date_at_once_take_each_row_in_once() {
    let dir = folder(&[cells(&[]), cells(&[])]);
    let mut count = 2;
    for _ in 0..12 {
        for _ in 0..40 {
            count += 1;
            append(dir.path(), count, &cells(&[]));
        }
        let begin = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    begin.wait();
                    Index::open(dir.path()).unwrap();
                });
            }
        });
        assert_eq!(seqs(dir.path(), &every()).len(), count);
    }
}

#[test]
fn a_record_is_found_by_its_number_and_its_row_read_from_the_register() {
    let rows = [cells(&[]), cells(&[("certificate_no", "PL-2026-000009")]), cells(&[])];
    let dir = folder(&rows);
    let index = Index::open(dir.path()).unwrap();
    let paper = |record: &str| {
        let row = index.of_record(record).unwrap();
        row.map(|row| row.get("certificate_no").to_owned())
    };
    assert_eq!(paper("PL-R-2026-000002").as_deref(), Some("PL-2026-000009"));
    assert_eq!(paper("PL-R-2026-000003").as_deref(), Some("PL-2026-000003"));
    assert_eq!(paper("PL-R-2026-000004"), None);
    // An index that says otherwise than the register leads nowhere.
    let other = rusqlite::Connection::open(dir.path().join("register.index")).unwrap();
    other.execute("UPDATE mark SET record = 'PL-R-2026-000004' WHERE n = 1", []).unwrap();
    assert_eq!(paper("PL-R-2026-000004"), None);
}
