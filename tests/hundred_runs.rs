//! One verification after another in one process: memory stays flat, and no file handle or thread is left behind.
//!
//! On the served bench, at four times the day's pace, each run is broken off after two of its seconds, since a whole one
//! takes its time; `PHANTOMLOAD_RUNS=100` and `PHANTOMLOAD_RUN_SECS=600` make a hundred whole ones of it.

#[path = "support/holds.rs"]
mod holds;
#[path = "support/served.rs"]
mod served;
mod support;

use holds::{holds, is_flat};

use phantomload::archive::{Archive, opening};
use phantomload::bench::{Bench, Description, Devices, conduct};
use phantomload::certificate::record::Outcome;
use phantomload::plan::{self, Entries, Nameplate};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::Run;
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Span, Stamp, now};
use served::Served;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The tests count what the whole process holds: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn number(variable: &str, otherwise: i64) -> i64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Runs of the whole program's core: plan, run, package.
fn verify(dir: &Path, bench: &mut dyn Bench, plan: plan::Plan, stop_after: Option<Span>) -> bool {
    let plan = Arc::new(plan);
    let mut archive = Archive::open(dir).unwrap();
    let numbers = archive.open_run(true, Stamp::now().date().year(), opening(&plan, "no text")).unwrap();
    let mut run = Run::new(plan, bench.now(), Stamp::now());
    let begin = now();
    let mut stop = || {
        let is_enough = stop_after.is_some_and(|span| now() - begin > span);
        is_enough.then(|| "long enough".to_owned())
    };
    conduct(&mut run, bench, &mut stop, &mut |_, _| {});
    let completed = run.outcome() == Some(&Outcome::Completed);
    let record = run.record(numbers.record_no, completed.then_some(numbers.certificate_no), true).unwrap();
    archive.store(&record).unwrap();
    completed
}

#[test]
fn a_hundred_verifications_with_their_packages_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new("good", demo_meter("good").unwrap()).unwrap();
    let profile = Profile::builtin("dc-meter").unwrap();
    let mut looks = Vec::new();
    for n in 0..100_u64 {
        let today = Stamp::now().date();
        let (nameplate, standards) = (rig.nameplate.clone(), rig.standards.clone());
        let (capability, entries) = (rig.capability(), Entries::simulated());
        let plan =
            plan::make(nameplate, profile.clone(), Kind::Subsequent, standards, capability, entries, today);
        let mut bench = rig.in_process(n, Stamp::now(), None);
        assert!(verify(dir.path(), &mut bench, plan.unwrap(), None), "run {n}");
        drop(bench);
        looks.push(holds());
    }
    is_flat(&looks);
}

#[test]
fn a_bench_file_that_is_run_again_and_again_leaves_no_line_open() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let served = Served::start(&["--pace", "4"]);
    let dir = served.dir();
    let (runs, secs) = (number("PHANTOMLOAD_RUNS", 10), number("PHANTOMLOAD_RUN_SECS", 2));
    let text = std::fs::read_to_string(dir.join("meter.toml")).unwrap();
    let nameplate = Nameplate::from_toml("meter.toml", &text).unwrap();
    let regulation = std::fs::read_to_string(support::short_regulation(dir)).unwrap();
    let profile = Profile::from_toml("short.toml", &regulation).unwrap();
    let mut looks = Vec::new();
    let mut completed = 0;
    for _ in 0..runs {
        let description = Description::load(&dir.join("bench.toml")).unwrap();
        let devices = Devices::open(&description, &nameplate).unwrap();
        let (standards, capability) = (description.standards.clone(), devices.capability());
        let entries = Entries::simulated();
        let today = Stamp::now().date();
        let kind = Kind::InService;
        let plan =
            plan::make(nameplate.clone(), profile.clone(), kind, standards, capability, entries, today);
        let mut bench = devices.start();
        let data = dir.join("data");
        completed += i64::from(verify(&data, &mut bench, plan.unwrap(), Some(Span::from_secs(secs))));
        drop(bench);
        looks.push(holds());
    }
    println!("{completed} of {runs} runs were completed, the others broken off after {secs} s");
    is_flat(&looks);
}
