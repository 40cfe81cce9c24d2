//! A data folder as twenty years of work leave it: a chain whose every entry is signed and names the one before it, and the
//! register that follows from it. What opens it holds it for real: nothing in it is forged but the years.
//!
//! The oldest papers are appended in one stream, without a sync for each: their entries are those of real runs, their packages
//! are not there, as after a backup took them away. The newest are made and stored by the archive itself, with all their
//! papers. The bench is simulated and the key is a DEMO key.

use phantomload::archive::{Archive, opening};
use phantomload::bench::conduct;
use phantomload::certificate::chain::{Clock, Entry};
use phantomload::certificate::csv::{Standing, register_row, verdict_word};
use phantomload::certificate::issue::Status;
use phantomload::certificate::package::{RECORD, read_issue};
use phantomload::certificate::record::Record;
use phantomload::certificate::sign::key::P256Key;
use phantomload::certificate::sign::{Signer, hex, sha256};
use phantomload::plan::{self, Entries, Plan};
use phantomload::regulation::{self, Profile};
use phantomload::run::Run;
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Span, Stamp, now};
use phantomload::verdict::Verdict;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// Chargers that are visited in turn.
const CHARGERS: usize = 300;
/// Papers of a year.
const YEARLY: usize = 5_000;
/// One meter in so many fails.
const FAILS: usize = 50;

/// Makes the folder: so many papers, of which the newest are whole; and says what it took.
pub fn make(dir: &Path, papers: usize, whole: usize) {
    let begin = now();
    let first = stored(&mut opened(dir), 0);
    appended(dir, &first, papers.saturating_sub(whole + 1));
    println!("appended after {:.1} s", (now() - begin).secs());
    let mut archive = opened(dir);
    for n in 1..=whole {
        stored(&mut archive, n);
    }
    drop(archive);
    println!("whole papers after {:.1} s", (now() - begin).secs());
    let begin = now();
    let archive = opened(dir);
    assert_eq!(archive.notices(), <[String; 0]>::default(), "nothing had to be set right");
    println!("opened in {:.2} s", (now() - begin).secs());
}

fn opened(dir: &Path) -> Archive {
    Archive::open(dir).expect("a chain that holds, and a register that follows from it")
}

/// The bench with the meter of a charger.
fn rig(charger: usize) -> Rig {
    let text = demo_meter("good").expect("shipped");
    let text = text
        .replace("DEMO-CHARGER-01", &format!("DEMO-CHARGER-{:03}", charger + 1))
        .replace("serial = \"202611210001\"", &format!("serial = \"{}\"", serial(charger)));
    Rig::new("good", &text).expect("sound")
}

fn serial(charger: usize) -> String {
    format!("2026{:08}", charger * 7919 % 100_000_000)
}

/// Where the charger stands, and for whom it is verified.
fn entries(charger: usize) -> Entries {
    Entries {
        customer: format!("第{}充电运营有限公司", charger % 60),
        site: format!("Site {}, bay {}", charger % 40, charger % 8),
        ..Entries::simulated()
    }
}

fn planned(rig: &Rig, charger: usize, started: Stamp) -> Plan {
    let profile = Profile::builtin("dc-meter").expect("shipped");
    let (nameplate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    let (bench, day) = (rig.capability(), started.date());
    plan::make(nameplate, profile, regulation::Kind::Subsequent, standards, bench, entries(charger), day)
        .expect("planned")
}

/// A run on the simulated bench, stored by the archive.
fn stored(archive: &mut Archive, n: usize) -> Record {
    let (rig, started) = (rig(n % CHARGERS), Stamp::now());
    let plan = planned(&rig, n % CHARGERS, started);
    let numbers =
        archive.open_run(true, started.date().year(), opening(&plan, "no text")).expect("a run that begins");
    let mut run = Run::new(Arc::new(plan), Instant::ZERO, started);
    let mut bench = rig.in_process(n as u64, started, None);
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    let record = run.record(numbers.record_no, Some(numbers.certificate_no), true).expect("ended");
    archive.store(&record).expect("room");
    record
}

/// Appends papers of the years before to chain and register, behind the first.
fn appended(dir: &Path, first: &Record, count: usize) {
    let package = dir.join("packages").join(first.certificate_no.as_deref().expect("completed"));
    let text = |name: &str| fs::read_to_string(dir.join("key").join(name)).expect("the DEMO key");
    let key = P256Key::from_pem(&text("device.key"), &text("device.pem")).expect("the DEMO key");
    let chain = fs::read_to_string(dir.join("chain.jws")).expect("a chain");
    let mut last = Entry::from_line(chain.lines().last().expect("entries")).expect("an entry");
    let manifest = last.clone();
    let opened = chain.lines().rev().nth(1).map(|line| Entry::from_line(line).expect("an entry"));
    let opened = opened.expect("the begin of the run");
    let mut issue = read_issue(&fs::read(package.join("issue.json")).expect("a package")).expect("an issue");
    let mut record = Record { raw: vec![], ..first.clone() };
    let append =
        |name: &str| BufWriter::new(File::options().append(true).open(dir.join(name)).expect("a file"));
    let (mut lines, mut rows) = (append("chain.jws"), append("register.csv"));
    let mut write = |entry: &mut Entry, last: &Entry| {
        (entry.seq, entry.prev, entry.time) = (last.seq + 1, hex(&last.sha256()), Stamp::now().to_string());
        let line = entry.line(Some(&key as &dyn Signer)).expect("signed");
        writeln!(lines, "{line}").expect("room");
    };
    let begun: Stamp = "2006-01-02T08:00:00.000+08:00".parse().expect("a stamp");
    for n in 0..count {
        let (year, no, charger) = (2006 + n / YEARLY, n % YEARLY + 1, n % CHARGERS);
        let (cert, of) = (format!("SIM-{year}-{no:06}"), format!("SIM-R-{year}-{no:06}"));
        let verdict = if n % FAILS == 0 { Verdict::Fail } else { Verdict::Pass };
        record.certificate_no = Some(cert.clone());
        record.record_no.clone_from(&of);
        record.results.verdict = Some(verdict);
        record.started = begun.after(Span::from_secs(6_300) * n as f64);
        record.plan.nameplate.serial = serial(charger);
        record.plan.nameplate.charger = format!("DEMO-CHARGER-{:03}", charger + 1);
        record.plan.entries = entries(charger);
        let clock = Clock { ..opened.clock.clone() };
        let mut begin = Entry { record: Some(of.clone()), cert: Some(cert.clone()), clock, ..opened.clone() };
        begin.said.insert("serial".into(), serial(charger));
        write(&mut begin, &last);
        let mut ended = Entry {
            record: Some(of),
            cert: Some(cert.clone()),
            verdict: Some(verdict_word(verdict).to_owned()),
            files: renamed(&manifest.files, manifest.cert.as_deref(), &cert),
            ..manifest.clone()
        };
        write(&mut ended, &begin);
        issue.certificate_no.clone_from(&cert);
        let print = hex(&ended.sha256());
        let standing =
            Standing { status: Status::Draft, issue: &issue, manifest: &ended, manifest_sha256: &print };
        rows.write_all(&register_row(&record, n as u64 + 2, &standing).expect("a row")).expect("room");
        last = ended;
    }
    for file in [lines, rows] {
        file.into_inner().expect("room").sync_all().expect("room");
    }
}

/// The files of a package of the same kind: their names with its number, each print of its own.
fn renamed(files: &BTreeMap<String, String>, from: Option<&str>, to: &str) -> BTreeMap<String, String> {
    let from = from.unwrap_or(RECORD);
    let own = |name: &String| {
        let name = name.replace(from, to);
        let print = hex(&sha256(format!("{to} {name}").as_bytes()));
        (name, print)
    };
    files.keys().map(own).collect()
}
