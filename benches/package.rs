//! How fast the package of a whole run is made, with every paper and signature, beside writing its bytes to the disk.

use phantomload::archive::{Archive, opening};
use phantomload::bench::conduct;
use phantomload::plan::{self, Entries};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::Run;
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Stamp, now};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const RUNS: u64 = 20;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut times: Vec<(f64, f64)> = (0..RUNS).map(|seed| package(dir.path(), seed)).collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = times[times.len() / 2];
    let (least, most) = (times[0].0, times[times.len() - 1].0);
    println!(
        "package of a whole run: {:.0} ms (median of {RUNS}; {:.0} to {:.0} ms), {:.1} times what writing its bytes takes",
        median.0 * 1e3,
        least * 1e3,
        most * 1e3,
        median.0 / median.1
    );
}

/// Seconds for one package, and for writing and forcing to the disk the bytes that are in it.
fn package(dir: &Path, seed: u64) -> (f64, f64) {
    let rig = Rig::new("good", demo_meter("good").expect("shipped")).expect("sound");
    let profile = Profile::builtin("dc-meter").expect("shipped");
    let (nameplate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    let started = Stamp::now();
    let (bench, entries) = (rig.capability(), Entries::simulated());
    let plan = plan::make(nameplate, profile, Kind::Subsequent, standards, bench, entries, started.date());
    let plan = Arc::new(plan.expect("planned"));
    let mut archive = Archive::open(&dir.join("data")).expect("a data folder");
    let about = opening(&plan, "no text");
    let numbers = archive.open_run(true, started.date().year(), about).expect("opened");
    let mut run = Run::new(plan, Instant::ZERO, started);
    let mut bench = rig.in_process(seed, started, None);
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    let record = run.record(numbers.record_no, Some(numbers.certificate_no), true).expect("ended");

    let begin = now();
    let stored = archive.store(&record).expect("stored");
    let took = (now() - begin).secs();

    let files: Vec<Vec<u8>> = fs::read_dir(&stored.package)
        .expect("the package")
        .map(|entry| fs::read(entry.expect("an entry").path()).expect("a file"))
        .collect();
    let copy = dir.join(format!("copy-{seed}"));
    fs::create_dir(&copy).expect("a folder");
    let begin = now();
    for (n, bytes) in files.iter().enumerate() {
        let mut file = File::create(copy.join(n.to_string())).expect("a file");
        file.write_all(bytes).and_then(|()| file.sync_all()).expect("room");
    }
    (took, (now() - begin).secs())
}
