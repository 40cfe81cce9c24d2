//! How fast a register of a million rows answers and exports: beside copying its bytes, beside the same rows in a plain
//! `SQLite` table with the same indexes, beside Python's csv; and how it grows from a thousand rows to a million.
//!
//! `--years DIR PAPERS WHOLE` makes a data folder instead, whose register follows from a signed chain: for `tests/rigs/desk-cost.sh`.

#[path = "register/years.rs"]
mod years;

use divan::Bencher;
use phantomload::archive::{Filter, Index, export_csv};
use phantomload::certificate::csv::{REGISTER_HEADER, register_header};
use phantomload::time::now;
use phantomload::verdict::Verdict;
use rusqlite::Connection;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

const ROWS: usize = 1_000_000;

/// The register of this run; it lives in the temporary folder and goes with the program.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| made(ROWS));

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "--years") {
        let number = |n: usize| arguments.get(at + n).and_then(|word| word.parse().ok());
        let (Some(dir), Some(papers), Some(whole)) = (arguments.get(at + 1), number(2), number(3)) else {
            panic!(
                "--years DIR PAPERS WHOLE: a folder, how many papers, and of how many the package is there"
            );
        };
        return years::make(Path::new(dir), papers, whole);
    }
    ratio();
    beside_sqlite();
    beside_python();
    growth();
    divan::main();
}

/// A register as many years of work give: 400 sites, 60 customers, 12 verifiers, one meter in fifty fails.
fn made(rows: usize) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut file = BufWriter::new(File::create(dir.path().join("register.csv")).expect("a file"));
    file.write_all(&register_header().expect("a header")).expect("room");
    let mut text = String::new();
    for n in 1..=rows {
        text.clear();
        for (at, column) in REGISTER_HEADER.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            let _ = match *column {
                "schema_version" => write!(text, "1"),
                "seq" => write!(text, "{n}"),
                "certificate_no" => write!(text, "PL-{}-{:06}", 2000 + n / 500_000, n % 500_000 + 1),
                "record_no" => write!(text, "PL-R-{}-{:06}", 2000 + n / 500_000, n % 500_000 + 1),
                "doc_type" => write!(text, "verification_certificate"),
                "status" => write!(text, "issued"),
                "verdict" => write!(text, "{}", if n % 50 == 0 { "fail" } else { "pass" }),
                "performed_from" => {
                    write!(
                        text,
                        "20{:02}-{:02}-{:02}T10:00:00.000+08:00",
                        10 + n / 100_000,
                        n / 8_400 % 12 + 1,
                        n / 300 % 28 + 1
                    )
                }
                "dut_serial" => write!(text, "{:012}", (n * 7919) % 1_000_000),
                "customer" => write!(text, "第{}充电运营有限公司", n % 60),
                "site" => write!(text, "\"Site {}, bay {}\"", n % 400, n % 8),
                "verifier" => write!(text, "检定员{}", n % 12),
                "decision_rule" => {
                    write!(text, "\"rounded error against the limit, as the regulation says\"")
                }
                "worst_error_percent" => write!(text, "-0.{:04}", n % 10_000),
                "simulated" => write!(text, "false"),
                name if name.ends_with("_sha256") => {
                    write!(text, "{:064x}", n as u128 * 0x9E37_79B9_7F4A_7C15)
                }
                _ => Ok(()),
            };
        }
        text.push_str("\r\n");
        file.write_all(text.as_bytes()).expect("room");
    }
    file.into_inner().expect("room").sync_all().expect("room");
    dir
}

fn fails_of_a_site() -> Filter {
    Filter { site: Some("Site 150,".into()), verdict: Some(Verdict::Fail), ..Filter::default() }
}

/// The figures that are claimed: making the index, asking it, rows a second against bytes copied, all of this very run.
fn ratio() {
    let dir = FOLDER.path();
    let register = dir.join("register.csv");
    let bytes = fs::metadata(&register).expect("a register").len();
    let begin = now();
    let index = Index::open(dir).expect("an index");
    println!(
        "register of {ROWS} rows, {} MB; index made in {:.1} s",
        bytes / 1_000_000,
        (now() - begin).secs()
    );
    drop(index);
    for (what, filter) in queries() {
        let begin = now();
        let rows = Index::open(dir).expect("an index").rows(&filter, Some(200)).expect("rows");
        println!(
            "  {what}: {} rows in {:.1} ms, the index opened anew",
            rows.len(),
            (now() - begin).secs() * 1e3
        );
    }
    scrolling(dir);
    let begin = now();
    let mut copy = File::create(dir.join("copy.csv")).expect("a file");
    io::copy(&mut File::open(&register).expect("a register").take(bytes), &mut copy).expect("room");
    copy.sync_all().expect("room");
    let copied = (now() - begin).secs();
    let begin = now();
    let rows = export_csv(dir, &Filter { all_states: true, ..Filter::default() }, &dir.join("out.csv"));
    let exported = (now() - begin).secs();
    let rows = rows.expect("an export");
    println!(
        "export of {rows} rows: {:.0} rows/s, {:.2} times the time of copying the file ({exported:.2} s, {copied:.2} s)",
        rows as f64 / exported,
        exported / copied
    );
    let _ = (fs::remove_file(dir.join("copy.csv")), fs::remove_file(dir.join("out.csv")));
}

/// What the touchscreen fetches as the list of all rows scrolls.
fn scrolling(dir: &Path) {
    const SEEN: usize = 90;
    let index = Index::open(dir).expect("an index");
    let found = index.found(&Filter::default()).expect("a list");
    let places = found.len() - SEEN;
    let fetch = |n: usize| {
        let begin = now();
        let rows = index.window(&found, n * 104_729 % places, SEEN).expect("rows");
        assert_eq!(rows.len(), SEEN);
        (now() - begin).secs() * 1e3
    };
    let mut took: Vec<f64> = (0..1000).map(fetch).collect();
    took.sort_by(f64::total_cmp);
    println!("  {SEEN} rows anywhere in the list: {:.2} ms, p99 {:.2} ms", took[500], took[990]);
}

/// Seconds that a piece of work takes: the shortest of three times.
fn shortest<T>(mut work: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let begin = now();
        divan::black_box(work());
        (now() - begin).secs()
    };
    (0..3).map(once).fold(f64::INFINITY, f64::min)
}

/// The same rows in a plain table of text, with an index on each column that lists ask for.
fn beside_sqlite() {
    let dir = FOLDER.path();
    let path = dir.join("plain.sqlite");
    let columns: Vec<String> = REGISTER_HEADER.iter().map(|name| format!("\"{name}\" TEXT")).collect();
    let marks = vec!["?"; REGISTER_HEADER.len()].join(",");
    let begin = now();
    let mut plain = Connection::open(&path).expect("a database");
    plain.pragma_update(None, "synchronous", "OFF").expect("speed before safety, as the index");
    plain.execute_batch(&format!("CREATE TABLE paper ({})", columns.join(","))).expect("a table");
    let transaction = plain.transaction().expect("a transaction");
    let mut insert = transaction.prepare(&format!("INSERT INTO paper VALUES ({marks})")).expect("prepared");
    let mut register = csv::Reader::from_path(dir.join("register.csv")).expect("a register");
    let mut row = csv::StringRecord::new();
    while register.read_record(&mut row).expect("a row") {
        insert.execute(rusqlite::params_from_iter(row.iter())).expect("room");
    }
    drop(insert);
    transaction.commit().expect("room");
    for name in ["site", "customer", "verifier", "dut_serial", "certificate_no", "verdict"] {
        plain.execute_batch(&format!("CREATE INDEX by_{name} ON paper ({name})")).expect("room");
    }
    let made = (now() - begin).secs();
    println!("beside a plain SQLite table, made with its indexes in {made:.1} s:");
    let asked = [
        ("the newest", "1 = 1", Filter::default()),
        ("fails of a site", "site LIKE '%Site 150,%' AND verdict = 'fail'", fails_of_a_site()),
        (
            "a serial number",
            "dut_serial = '000000123456'",
            Filter { serial: Some("000000123456".into()), ..Filter::default() },
        ),
    ];
    for (what, clause, filter) in asked {
        let ours =
            shortest(|| Index::open(dir).expect("an index").rows(&filter, Some(200)).expect("rows").len());
        let theirs = shortest(|| {
            let connection = Connection::open(&path).expect("a database");
            let select = format!("SELECT * FROM paper WHERE {clause} ORDER BY rowid DESC LIMIT 200");
            let mut select = connection.prepare(&select).expect("prepared");
            let row = |row: &rusqlite::Row| {
                (0..REGISTER_HEADER.len()).map(|n| row.get::<_, String>(n)).collect::<Result<Vec<_>, _>>()
            };
            select.query_map([], row).expect("rows").map(|row| row.expect("a row").len()).sum::<usize>()
        });
        println!("  {what}: {:.1} ms, SQLite {:.1} ms, ratio {:.2}", ours * 1e3, theirs * 1e3, ours / theirs);
    }
    let ours = exported(dir);
    let begin = now();
    let mut out = csv::Writer::from_path(dir.join("sqlite.csv")).expect("a file");
    let mut select = plain.prepare("SELECT * FROM paper").expect("prepared");
    let mut rows = select.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        for n in 0..REGISTER_HEADER.len() {
            let text = row.get_ref(n).expect("a column").as_str().expect("text");
            out.write_field(text).expect("room");
        }
        out.write_record(None::<&[u8]>).expect("room");
    }
    out.into_inner().expect("room").sync_all().expect("room");
    let theirs = (now() - begin).secs();
    println!("  export of all: {ours:.2} s, SQLite {theirs:.2} s, ratio {:.2}", ours / theirs);
    let _ = (fs::remove_file(dir.join("sqlite.csv")), fs::remove_file(&path));
}

/// Seconds for the export of every row.
fn exported(dir: &Path) -> f64 {
    let all = Filter { all_states: true, ..Filter::default() };
    shortest(|| export_csv(dir, &all, &dir.join("out.csv")).expect("an export"))
}

/// Python's csv: the fails of a site, found and written; every row, read and written.
fn beside_python() {
    const PROGRAM: &str = "
import csv, sys, time
def once(keep):
    begin = time.monotonic()
    with open(sys.argv[1], encoding='utf-8-sig', newline='') as source, open(sys.argv[2], 'w', encoding='utf-8', newline='') as out:
        rows, written = csv.reader(source), csv.writer(out)
        head = next(rows)
        site, verdict = head.index('site'), head.index('verdict')
        written.writerow(head)
        written.writerows(row for row in rows if keep is None or (keep in row[site] and row[verdict] == 'fail'))
    return time.monotonic() - begin
print(once('Site 150,'), once(None))
";
    let dir = FOLDER.path();
    let python = Command::new("python3")
        .args(["-c", PROGRAM])
        .args([dir.join("register.csv"), dir.join("python.csv")])
        .output();
    let said = python.ok().filter(|output| output.status.success());
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let times: Option<Vec<f64>> =
        said.and_then(|text| text.split_whitespace().map(|word| word.parse().ok()).collect());
    let Some(&[some, all]) = times.as_deref() else {
        println!("beside Python's csv: SKIPPED, there is no python3 on this machine");
        return;
    };
    let begin = now();
    export_csv(dir, &fails_of_a_site(), &dir.join("out.csv")).expect("an export");
    let (few, many) = ((now() - begin).secs(), exported(dir));
    println!("beside Python's csv:");
    println!("  export of the fails of a site: {few:.3} s, Python {some:.2} s, ratio {:.3}", few / some);
    println!("  export of all: {many:.2} s, Python {all:.2} s, ratio {:.2}", many / all);
    let _ = (fs::remove_file(dir.join("python.csv")), fs::remove_file(dir.join("out.csv")));
}

/// What index, question and export cost from a thousand rows to a million, and the exponent of each.
fn growth() {
    let mut points: Vec<[f64; 4]> = vec![];
    for rows in [1_000, 10_000, 100_000, ROWS] {
        let own = (rows != ROWS).then(|| made(rows));
        let dir = own.as_ref().map_or(FOLDER.path(), TempDir::path);
        let _ = fs::remove_file(dir.join("register.index"));
        let begin = now();
        drop(Index::open(dir).expect("an index"));
        let index = (now() - begin).secs();
        let question = shortest(|| Index::open(dir).expect("an index").rows(&fails_of_a_site(), Some(200)));
        points.push([rows as f64, index, question, exported(dir)]);
    }
    println!("growth: seconds by number of rows, and the exponent p of rows^p (n log n: {:.2})", {
        exponent(&points.iter().map(|p| (p[0], p[0] * p[0].ln())).collect::<Vec<_>>())
    });
    for (at, what) in [(1, "index made"), (2, "fails of a site"), (3, "export of all")] {
        let curve: Vec<(f64, f64)> = points.iter().map(|point| (point[0], point[at])).collect();
        let told: Vec<String> = curve.iter().map(|(n, secs)| format!("{n}: {secs:.4}")).collect();
        println!("  {what}: p = {:.2} ({})", exponent(&curve), told.join(", "));
    }
}

/// The slope of the logarithms, by least squares.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let (x, y) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
        / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

fn queries() -> [(&'static str, Filter); 6] {
    let text = |text: &str| Some(text.to_owned());
    [
        ("the newest", Filter::default()),
        ("fails of a site", fails_of_a_site()),
        ("a serial number", Filter { serial: text("000000123456"), ..Filter::default() }),
        (
            "a verifier in a year",
            Filter {
                operator: text("检定员7"),
                from: Some(jiff::civil::date(2015, 1, 1)),
                to: Some(jiff::civil::date(2015, 12, 31)),
                ..Filter::default()
            },
        ),
        (
            "a customer's fails",
            Filter { customer: text("第15充电"), verdict: Some(Verdict::Fail), ..Filter::default() },
        ),
        ("nothing", Filter { site: text("Site 150,"), customer: text("第1充电"), ..Filter::default() }),
    ]
}

#[divan::bench]
fn a_filtered_list(bencher: Bencher) {
    bencher.bench(|| Index::open(FOLDER.path()).expect("an index").rows(&fails_of_a_site(), Some(200)));
}

#[divan::bench]
fn the_newest_two_hundred(bencher: Bencher) {
    bencher.bench(|| Index::open(FOLDER.path()).expect("an index").rows(&Filter::default(), Some(200)));
}
