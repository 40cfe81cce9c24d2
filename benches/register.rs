//! How fast a register of a million rows answers and exports, beside copying its bytes.

use divan::Bencher;
use phantomload::archive::{Filter, Index, export_csv};
use phantomload::certificate::csv::{REGISTER_HEADER, register_header};
use phantomload::time::now;
use phantomload::verdict::Verdict;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

const ROWS: usize = 1_000_000;

/// The register of this run; it lives in the temporary folder and goes with the program.
static FOLDER: LazyLock<TempDir> = LazyLock::new(made);

fn main() {
    ratio();
    divan::main();
}

/// A register as many years of work give: 400 sites, 60 customers, 12 verifiers, one meter in fifty fails.
fn made() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut file = BufWriter::new(File::create(dir.path().join("register.csv")).expect("a file"));
    file.write_all(&register_header().expect("a header")).expect("room");
    let mut text = String::new();
    for n in 1..=ROWS {
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
