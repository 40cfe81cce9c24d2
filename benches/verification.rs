//! How fast a whole verification goes in process, against the time it simulates and against reading its record.

use divan::Bencher;
use phantomload::bench::conduct;
use phantomload::certificate::record::Record;
use phantomload::plan::{self, Entries};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::{Run, recompute};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Stamp, now};
use std::sync::Arc;

fn main() {
    ratio();
    divan::main();
}

fn rig() -> Rig {
    Rig::new("good", demo_meter("good").expect("shipped")).expect("sound")
}

fn verification(rig: &Rig, seed: u64) -> Record {
    let profile = Profile::builtin("dc-meter").expect("shipped");
    let (nameplate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    let started: Stamp = "2026-11-20T10:00:00.000+08:00".parse().expect("a stamp");
    let (bench, entries) = (rig.capability(), Entries::simulated());
    let plan = plan::make(nameplate, profile, Kind::Subsequent, standards, bench, entries, started.date());
    let mut run = Run::new(Arc::new(plan.expect("planned")), Instant::ZERO, started);
    let mut bench = rig.in_process(seed, started, None);
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    run.record("R".into(), Some("C".into()), true).expect("ended")
}

/// The figure that is claimed: simulated time over computing time, both of this very run.
fn ratio() {
    let rig = rig();
    let begin = now();
    let runs = 20;
    let simulated: f64 = (0..runs).map(|seed| verification(&rig, seed).results.elapsed.secs()).sum();
    let took = (now() - begin).secs();
    let each = took / runs as f64 * 1e3;
    println!(
        "whole verification: {each:.1} ms each, {:.0} times faster than the time it simulates",
        simulated / took
    );
}

#[divan::bench]
fn whole_verification(bencher: Bencher) {
    let rig = rig();
    bencher.bench_local(|| verification(&rig, 1));
}

#[divan::bench]
fn recompute_from_raw(bencher: Bencher) {
    let record = verification(&rig(), 1);
    bencher.bench_local(|| recompute(&record));
}

#[divan::bench]
fn record_to_json_and_back(bencher: Bencher) {
    let record = verification(&rig(), 1);
    bencher.bench_local(|| {
        let text = record.to_json().expect("written");
        Record::from_json("bench", &text).expect("read")
    });
}
