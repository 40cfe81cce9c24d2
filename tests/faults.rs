//! The fault matrix: each defect of `tests/faults.toml` put into a meter or its bench, verified whole, and the verdict that
//! must come of it; and good meters under ordinary noise, a thousand of each kind, none of which may fail.
//!
//! The tables stand in `reports/faults.md`, made by `PHANTOMLOAD_GOLDEN=1 cargo test --test faults`; without it the file is
//! compared. `PHANTOMLOAD_SEEDS=50` makes the good meters fewer, for a quick look; then their figures are not compared.

use phantomload::bench::conduct;
use phantomload::certificate::record::{Attempt, Outcome, Record};

use phantomload::plan::{self, Entries, Method, Plan};
use phantomload::regulation::{Item, Kind, Profile};
use phantomload::run::{Run, recompute};
use phantomload::sim::{DEMO_METERS, Rig, demo_meter};
use phantomload::time::{Instant, Stamp};
use phantomload::verdict::Verdict;
use serde::Deserialize;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Every defect is verified with so many seeds.
const SEEDS: u64 = 3;
/// The moment at which all runs begin that do not say otherwise.
const STARTED: &str = "2026-11-20T10:00:00.000+08:00";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    /// Who is wrong, in which order the tables come.
    part: Vec<Part>,
    fault: Vec<Row>,
    elsewhere: Vec<Elsewhere>,
    good: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    id: String,
    title: String,
}

/// A defect, or a kind of good meter.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Row {
    part: String,
    name: String,
    what: String,
    /// The letter in the facts.
    trap: Option<String>,
    /// `fail`, `undecided`, `none` (no verdict), `refused` (no run), `no certificate` (a test report at most) or, where the
    /// row says why, `pass`.
    verdict: String,
    /// What must be named, word for word.
    finds: Vec<String>,
    /// Why a pass is right.
    harmless: Option<String>,
    /// Why a pass comes that should not.
    open: Option<String>,
    /// The demo meter that it begins with; none: good.
    meter: Option<String>,
    /// What its nameplate says otherwise.
    plate: toml::Table,
    /// What is really otherwise with it.
    truth: toml::Table,
    /// What happens: rows of `[[truth.mishap]]`.
    mishap: Vec<toml::Value>,
    /// What the operator enters otherwise.
    entries: toml::Table,
    regulation: Option<String>,
    kind: Option<Kind>,
    method: Option<Method>,
    started: Option<Stamp>,
    /// The operator stops the run in this second.
    abort_secs: Option<f64>,
    /// Runs of a good meter; none: a thousand.
    seeds: Option<usize>,
}

/// A trap that is no defect of a meter or bench, and the test that holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    trap: String,
    what: String,
    file: String,
    test: String,
}

fn matrix() -> Matrix {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|e| panic!("tests/faults.toml: {e}"))
}

/// Puts what is otherwise over a table, tables within tables likewise.
fn overlay(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => overlay(under, over),
            // An empty text takes the key away.
            (_, toml::Value::String(text)) if text.is_empty() => drop(under.remove(key)),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}

impl Row {
    fn meter(&self) -> &str {
        self.meter.as_deref().unwrap_or("good")
    }

    fn regulation(&self) -> &str {
        self.regulation.as_deref().unwrap_or("dc-meter")
    }

    /// Bench and plan, or why there is none.
    fn ready(&self) -> Result<(Rig, Plan, Stamp), String> {
        let text = demo_meter(self.meter()).unwrap_or_else(|| panic!("no demo meter {}", self.meter()));
        let mut file: toml::Table = text.parse().unwrap();
        overlay(&mut file, &self.plate);
        let truth = file.get_mut("truth").and_then(toml::Value::as_table_mut).unwrap();
        overlay(truth, &self.truth);
        if !self.mishap.is_empty() {
            truth.insert("mishap".into(), self.mishap.clone().into());
        }
        let rig = Rig::new("meter.toml", &toml::to_string(&file).unwrap()).map_err(|e| e.to_string())?;
        let mut entries = toml::Table::try_from(Entries::simulated()).unwrap();
        overlay(&mut entries, &self.entries);
        let entries = Entries::from_toml("entries.toml", &toml::to_string(&entries).unwrap())
            .map_err(|e| e.to_string())?;
        let started = self.started.unwrap_or_else(|| STARTED.parse().unwrap());
        let mut capability = rig.capability();
        if let Some(method) = self.method {
            capability.method = method;
        }
        let plan = plan::make(
            rig.nameplate.clone(),
            Profile::builtin(self.regulation()).unwrap(),
            self.kind.unwrap_or(Kind::Subsequent),
            rig.standards.clone(),
            capability,
            entries,
            started.date(),
        );
        Ok((rig, plan.map_err(|e| e.to_string())?, started))
    }

    /// A whole verification in process.
    fn verify(&self, rig: &Rig, plan: Plan, started: Stamp, seed: u64) -> Record {
        let mut run = Run::new(Arc::new(plan), Instant::ZERO, started);
        let mut bench = rig.in_process(seed, started, None);
        let now = Cell::new(0.0);
        let mut stop = || {
            let due = self.abort_secs.is_some_and(|secs| now.get() >= secs);
            due.then(|| "stopped by the operator".to_owned())
        };
        conduct(&mut run, &mut bench, &mut stop, &mut |_, at| now.set((at - Instant::ZERO).secs()));
        assert!(run.is_over(), "the run did not end");
        run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).unwrap()
    }
}

/// The load points whose stated interval, widened to twice itself, does not hold the meter's true error. A pass beside one
/// is harmless to nobody.
fn untrue(rig: &Rig, record: &Record) -> Vec<String> {
    let points =
        record.results.items.iter().filter(|item| matches!(item.item, Item::Start | Item::BasicError));
    let said = points.filter_map(|item| Some((item.point.as_ref()?, &item.measured.as_ref()?.estimate)));
    said.filter_map(|(point, estimate)| {
        let truth = rig.truth.error_at(point.current_a).percent();
        let off = estimate.value - truth;
        (off.abs() > 2.0 * estimate.expanded).then(|| {
            format!("UNTRUE: {} is {off:+.3} % off the truth, U = {:.3} %", point.term, estimate.expanded)
        })
    })
    .collect()
}

/// What came of a row with one seed: the verdict's word, and all that was named.
fn came(row: &Row, seed: u64) -> (String, Vec<String>) {
    let (rig, plan, started) = match row.ready() {
        Ok(ready) => ready,
        Err(why) => return ("refused".into(), vec![why]),
    };
    let record = row.verify(&rig, plan, started, seed);
    assert_eq!(
        recompute(&record),
        (Some(record.outcome.clone()), record.results.clone()),
        "the record tells it again"
    );
    let mut named: Vec<String> = vec![];
    for item in record.results.items.iter().filter(|item| item.verdict != Verdict::Pass) {
        let point = item.point.as_ref().map_or(String::new(), |point| format!(" {}", point.term));
        named.push(format!("{}{point} {}: {}", item.item, item.verdict, item.reason));
    }
    // What was spoiled is kept beside what was read.
    for attempt in record.results.items.iter().flat_map(|item| &item.attempts) {
        if let Attempt::Spoiled { why, .. } = attempt {
            named.push(why.clone());
        }
    }
    if let Outcome::Faulted { why } | Outcome::Aborted { why } = &record.outcome {
        named.push(why.clone());
    }
    named.extend(record.results.findings.iter().cloned());
    named.extend(untrue(&rig, &record));
    let dates = record.plan.standards.check_dates(record.started.date());
    let verdict = match record.results.verdict {
        None => "none".to_owned(),
        Some(Verdict::Pass) if !dates.is_empty() => "no certificate".to_owned(),
        Some(verdict) => verdict.to_string().to_lowercase(),
    };
    named.extend(dates);
    (verdict, named)
}

/// Does something with every place of a list on every core; the answers in their order.
fn on_every_core<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count {
                        return;
                    }
                    let answer = work(place);
                    done.lock().unwrap().push((place, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, answer)| answer).collect()
}

fn report() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/faults.md")
}

/// Compares a part of the report with what it must be, or writes it.
fn golden(begin: &str, end: &str, must: &str) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap();
    let path = report();
    let text = std::fs::read_to_string(&path).unwrap();
    let (from, to) = (text.find(begin).unwrap() + begin.len(), text.find(end).unwrap());
    if std::env::var_os("PHANTOMLOAD_GOLDEN").is_some() {
        std::fs::write(&path, format!("{}\n\n{must}\n{}", &text[..from], &text[to..])).unwrap();
    } else {
        let advice = "reports/faults.md is not what the program does now: PHANTOMLOAD_GOLDEN=1 cargo test --test faults, and look at the change";
        assert_eq!(text[from..to].trim(), must.trim(), "{advice}");
    }
}

/// A cell of a table in Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn every_defect_ends_in_the_verdict_of_its_row_and_is_named() {
    let matrix = matrix();
    let runs = on_every_core(matrix.fault.len() * SEEDS as usize, |n| {
        let row = &matrix.fault[n / SEEDS as usize];
        let seen = std::panic::catch_unwind(|| came(row, n as u64 % SEEDS + 1));
        seen.unwrap_or_else(|_| ("panic".into(), vec![]))
    });
    let mut wrong = String::new();
    for (row, seen) in matrix.fault.iter().zip(runs.chunks(SEEDS as usize)) {
        for (seed, (verdict, named)) in (1..).zip(seen) {
            let missing: Vec<_> =
                row.finds.iter().filter(|words| !named.iter().any(|said| said.contains(*words))).collect();
            let untrue = named.iter().any(|said| said.starts_with("UNTRUE"));
            let allowed = match (row.verdict.as_str(), &row.harmless, &row.open) {
                ("pass", Some(_), None) => !untrue,
                ("pass", None, Some(_)) => true,
                ("pass", ..) => false,
                (_, None, None) => !row.finds.is_empty(),
                _ => false,
            };
            if *verdict != row.verdict || !missing.is_empty() || !allowed {
                let _ = writeln!(
                    wrong,
                    "\n{} (seed {seed}): {verdict}, must be {}; not named: {missing:?}; named:",
                    row.name, row.verdict
                );
                for said in named {
                    let _ = writeln!(wrong, "    {said}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let names: BTreeSet<_> = matrix.fault.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), matrix.fault.len(), "each name once");
    golden("<!-- defects -->", "<!-- end of defects -->", &defects(&matrix));
}

/// The tables of the defects.
fn defects(matrix: &Matrix) -> String {
    let count = |of: &dyn Fn(&Row) -> bool| matrix.fault.iter().filter(|row| of(row)).count();
    let (harmless, open) = (count(&|row| row.harmless.is_some()), count(&|row| row.open.is_some()));
    let stopped = matrix.fault.len() - harmless - open;
    let mut text = format!(
        "{} defects, each verified whole with {SEEDS} seeds: {stopped} end in no pass, {harmless} pass and are harmless, {open} pass and are OPEN.\n",
        matrix.fault.len()
    );
    let mut at = 0;
    for part in &matrix.part {
        let _ = writeln!(
            text,
            "\n### {}\n\n| # | defect | trap | verdict | named in the record |\n|---|---|---|---|---|",
            part.title
        );
        for row in matrix.fault.iter().filter(|row| row.part == part.id) {
            at += 1;
            let verdict = match (&row.harmless, &row.open) {
                (Some(_), _) => "pass (harmless)",
                (_, Some(_)) => "**pass: OPEN**",
                _ if row.verdict == "none" => "no verdict",
                _ => &row.verdict,
            };
            let why = row.harmless.as_ref().or(row.open.as_ref());
            let named = row.finds.iter().map(|words| format!("“{words}”")).collect::<Vec<_>>().join("; ");
            let named = why.map_or(named.clone(), |why| {
                if named.is_empty() { why.clone() } else { format!("{named}. {why}") }
            });
            let trap = row.trap.as_deref().unwrap_or("");
            let _ = writeln!(text, "| {at} | {} | {trap} | {verdict} | {} |", cell(&row.what), cell(&named));
        }
    }
    assert_eq!(at, matrix.fault.len(), "each row is of a part that has a title");
    text
}

#[test]
fn the_matrix_holds_sixty_defects_every_demo_meter_and_every_trap() {
    let matrix = matrix();
    assert!(matrix.fault.len() >= 60, "{}", matrix.fault.len());
    let meters: BTreeSet<&str> =
        matrix.fault.iter().map(Row::meter).chain(matrix.good.iter().map(Row::meter)).collect();
    for (demo, _) in DEMO_METERS {
        assert!(meters.contains(demo), "the demo meter {demo} has no row");
    }
    let traps = matrix.fault.iter().filter_map(|row| row.trap.as_deref());
    let traps: BTreeSet<&str> = traps.chain(matrix.elsewhere.iter().map(|row| row.trap.as_str())).collect();
    for letter in 'A'..='T' {
        assert!(traps.contains(letter.to_string().as_str()), "trap {letter} has no row");
    }
    let mut text = String::from("| trap | what | held by |\n|---|---|---|\n");
    for row in &matrix.elsewhere {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&row.file);
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", row.file));
        assert!(source.contains(&format!("fn {}(", row.test)), "{} has no test {}", row.file, row.test);
        let _ = writeln!(text, "| {} | {} | `{}`: `{}` |", row.trap, cell(&row.what), row.file, row.test);
    }
    golden("<!-- elsewhere -->", "<!-- end of elsewhere -->", &text);
}

#[test]
fn no_good_meter_fails_in_a_thousand_seeds() {
    let matrix = matrix();
    let fewer: Option<usize> = std::env::var("PHANTOMLOAD_SEEDS").ok().map(|text| text.parse().unwrap());
    let mut text = String::from(
        "| good meter | runs | pass | undecided | fail | no verdict |\n|---|---|---|---|---|---|\n",
    );
    for good in &matrix.good {
        let seeds = fewer.or(good.seeds).unwrap_or(1000);
        let (rig, plan, started) = good.ready().unwrap_or_else(|why| panic!("{}: {why}", good.name));
        let runs = on_every_core(seeds, |seed| {
            good.verify(&rig, plan.clone(), started, seed as u64).results.verdict
        });
        let count = |verdict| runs.iter().filter(|seen| **seen == verdict).count();
        let [pass, undecided, fail, none] =
            [Some(Verdict::Pass), Some(Verdict::Undecided), Some(Verdict::Fail), None].map(count);
        let _ = writeln!(text, "| {} | {seeds} | {pass} | {undecided} | {fail} | {none} |", cell(&good.name));
        println!("{}: {pass} pass, {undecided} undecided, {fail} fail, {none} none", good.name);
        let first = |wanted| runs.iter().position(|seen| *seen == wanted);
        assert_eq!(fail, 0, "{} fails with seed {:?}", good.name, first(Some(Verdict::Fail)));
        assert_eq!(none, 0, "{} gives no verdict with seed {:?}", good.name, first(None));
    }
    if fewer.is_none() {
        golden("<!-- good -->", "<!-- end of good -->", &text);
    }
}
