//! Whole verifications, studies, packages, the start of the program, and what they cost as they grow.

use super::{Asked, Curve, Row, fault, shortest, timed, worked};
use crate::cli::Stop;
use phantomload::archive::{Archive, opening};
use phantomload::bench::conduct;
use phantomload::certificate::record::Record;
use phantomload::link::journal::Read;
use phantomload::plan::{self, Entries, Plan};
use phantomload::quantity::PulseConstant;
use phantomload::regulation::{Kind, Profile};
use phantomload::run::{Run, recompute};
use phantomload::sim::study::{Law, Study};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{self, Instant, Stamp};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

fn rig() -> Result<Rig, Stop> {
    let broken = fault("the demo meter");
    let text = demo_meter("good").ok_or_else(|| broken(&"is not in this program"))?;
    Rig::new("good", text).map_err(|e| broken(&e))
}

fn planned(rig: &Rig, started: Stamp) -> Result<Plan, Stop> {
    let broken = fault("the plan");
    let profile = Profile::builtin("dc-meter").map_err(|e| broken(&e))?;
    let (nameplate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    let (bench, entries) = (rig.capability(), Entries::simulated());
    plan::make(nameplate, profile, Kind::Subsequent, standards, bench, entries, started.date())
        .map_err(|e| broken(&e))
}

/// A whole verification: plan, run, results, record.
fn verified(rig: &Rig, seed: u64) -> Result<Record, Stop> {
    let started = Stamp::now();
    let plan = planned(rig, started)?;
    let mut run = Run::new(Arc::new(plan), Instant::ZERO, started);
    let mut bench = rig.in_process(seed, started, None);
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    run.record("SIM-R".into(), Some("SIM".into()), true)
        .ok_or_else(|| fault("the run")(&"did not end: a bug in this program"))
}

/// Simulated time over computing time.
pub(super) fn verification(runs: u64) -> Result<Row, Stop> {
    let rig = rig()?;
    verified(&rig, 0)?;
    let (mut shortest, mut simulated) = (f64::INFINITY, 0.0);
    for seed in 0..runs {
        let (record, secs) = worked(|| verified(&rig, seed));
        simulated = record?.results.elapsed.secs();
        shortest = shortest.min(secs);
    }
    Ok(Row::new(
        "whole verification in process",
        format!("{:.2} ms of the processor, the shortest of {runs}", shortest * 1e3),
        format!("{simulated:.1} s of the run that it simulates"),
        simulated / shortest,
        Asked::AtLeast(10_000.0),
    ))
}

/// Runs of a study a second, on one core and on all.
pub(super) fn study(runs: u64) -> Result<Vec<Row>, Stop> {
    let started = "2026-11-20T10:00:00.000+08:00".parse().map_err(|e| fault("a stamp")(&e))?;
    let rig = rig()?;
    let study = Study::new(rig.clone(), planned(&rig, started)?, Law::HOUSE, 1);
    let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let two = NonZero::new(2).unwrap_or(cores).min(cores);
    let mut rows = vec![];
    let mut alone = 0.0;
    study.conduct(runs / 4, NonZero::<usize>::MIN, &|| true);
    for (what, threads) in [("study on one core", NonZero::<usize>::MIN), ("study on two cores", two)] {
        let runs = runs * threads.get() as u64;
        // Of the processor on all cores: what one core does in a second.
        let ((_, took), secs) = worked(|| timed(|| study.conduct(runs, threads, &|| true)));
        let (rate, each) = (runs as f64 / took.secs(), runs as f64 / secs);
        let against = if alone > 0.0 {
            format!("100 a second and core; by the clock {:.2} times the one core", rate / alone)
        } else {
            "100 a second and core".to_owned()
        };
        alone = rate;
        let measured = format!(
            "{each:.0} runs a second of each core's work, {rate:.0} a second by the clock on {threads}"
        );
        rows.push(Row::new(what, measured, against, each, Asked::AtLeast(100.0)));
        if cores.get() < 2 {
            break;
        }
    }
    Ok(rows)
}

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Stop> {
        let name = format!("phantomload-perf-{}-{}", std::process::id(), time::now().nanos());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).map_err(|e| fault("the temporary folder")(&e))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder, and goes with it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The package of a run with all its papers, against writing its bytes and forcing them to the disk.
pub(super) fn package(runs: u64) -> Result<Row, Stop> {
    let (folder, rig) = (Folder::new()?, rig()?);
    let disk = fault("the temporary folder");
    let mut times = vec![];
    for seed in 0..runs {
        let started = Stamp::now();
        let plan = planned(&rig, started)?;
        let mut archive = Archive::open(&folder.path().join("data")).map_err(|e| disk(&e))?;
        let about = opening(&plan, "no text");
        let numbers = archive.open_run(true, started.date().year(), about).map_err(|e| disk(&e))?;
        let mut record = verified(&rig, seed)?;
        record.record_no = numbers.record_no;
        record.certificate_no = Some(numbers.certificate_no);
        let (stored, took) = timed(|| archive.store(&record));
        let stored = stored.map_err(|e| disk(&e))?;
        let copied =
            copied(&stored.package, &folder.path().join(format!("copy-{seed}"))).map_err(|e| disk(&e))?;
        times.push((took.secs(), copied));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (secs, copied) = times[times.len() / 2];
    Ok(Row::new(
        "package: papers, signatures, chain",
        format!("{:.0} ms, the median of {runs}", secs * 1e3),
        format!("writing its bytes and forcing them to the disk, {:.1} ms", copied * 1e3),
        secs / copied,
        Asked::Nothing,
    ))
}

/// Seconds for writing the files of a folder again, each forced to the disk.
fn copied(from: &Path, to: &Path) -> std::io::Result<f64> {
    let files = fs::read_dir(from)?.map(|entry| fs::read(entry?.path())).collect::<Result<Vec<_>, _>>()?;
    fs::create_dir(to)?;
    let begin = time::now();
    for (n, bytes) in files.iter().enumerate() {
        let mut file = File::create(to.join(n.to_string()))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok((time::now() - begin).secs())
}

/// From the call to the answer, against a program that does nothing.
pub(super) fn start_up(times: u32) -> Result<Vec<Row>, Stop> {
    let own = std::env::current_exe().map_err(|e| fault("the path of this program")(&e))?;
    let ends = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        (0..times).map(|_| timed(|| command.status()).1.secs()).fold(f64::INFINITY, f64::min)
    };
    let nothing = Path::new("/bin/true");
    if !nothing.exists() {
        return Ok(vec![]);
    }
    let floor = ends(nothing, &[]);
    let against = format!("/bin/true, {:.2} ms", floor * 1e3);
    let row = |what, arguments: &[&str]| {
        let secs = ends(&own, arguments);
        Row::new(what, format!("{:.2} ms", secs * 1e3), against.clone(), secs / floor, Asked::Nothing)
    };
    Ok(vec![
        row("start-up: --version", &["--version"]),
        row("start-up: plan of the demo meter", &["plan", "--json"]),
    ])
}

/// What a run costs as its edges grow, its record as its events do, and the interface log.
pub(super) fn curves(quick: bool) -> Result<Vec<Curve>, Stop> {
    let constants: &[f64] = if quick { &[4e3, 4e4] } else { &[4e3, 2e4, 8e4, 1.9e5] };
    let (mut whole, mut again, mut text) = (vec![], vec![], vec![]);
    for constant in constants {
        let mut rig = rig()?;
        rig.nameplate.constant_imp_per_kwh = PulseConstant::from_impulses_per_kilowatt_hour(*constant);
        verified(&rig, 1)?;
        let (record, secs) = worked(|| verified(&rig, 1));
        let record = record?;
        let events = record.raw.len() as u64;
        whole.push((events, secs));
        again.push((events, shortest(2, || recompute(&record))));
        let json = record.to_json().map_err(|e| fault("the record")(&e))?;
        text.push((json.len() as u64, shortest(2, || Record::from_json("perf", &json).is_ok())));
    }
    let lines: &[u64] = if quick { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    let log = lines.iter().map(|count| {
        let log = interface_log(*count);
        (
            *count,
            shortest(2, || {
                Read::from_text(&log, "perf").is_ok_and(|read| read.entries.len() as u64 == *count)
            }),
        )
    });
    let log = log.collect();
    Ok(vec![
        Curve::new("whole verification", "events", whole),
        Curve::new("record: results recomputed", "events", again),
        Curve::new("record: read from its text", "bytes", text),
        Curve::new("interface log: read from its text", "transfers", log),
        Curve::new("data folder: opened", "runs in its chain", folder_opened(quick)?),
    ])
}

/// What opening a data folder costs a program that has just started: all of its chain is read and each entry held against the
/// one before. This process keeps the chain that it has read by its path, so each look is at another one. The runs in it
/// were begun and broken off.
fn folder_opened(quick: bool) -> Result<Vec<(u64, f64)>, Stop> {
    let (folder, rig, started) = (Folder::new()?, rig()?, Stamp::now());
    let disk = fault("the temporary folder");
    let about = opening(&planned(&rig, started)?, "no text");
    let mut dir = folder.path().join("data");
    let points: &[u64] = if quick { &[10, 40] } else { &[30, 100, 300, 1_000] };
    let (mut runs, mut came) = (0, vec![]);
    for point in points {
        while runs < *point {
            // Opening it ends the run that was left open.
            let mut archive = Archive::open(&dir).map_err(|e| disk(&e))?;
            archive.open_run(true, started.date().year(), about.clone()).map_err(|e| disk(&e))?;
            runs += 1;
        }
        Archive::open(&dir).map_err(|e| disk(&e))?;
        let mut looks = 0;
        let secs = shortest(5, || {
            looks += 1;
            let other = folder.path().join(format!("data-{point}-{looks}"));
            let moved = std::fs::rename(&dir, &other);
            dir = other;
            moved.is_ok() && Archive::open(&dir).is_ok()
        });
        came.push((*point, secs));
    }
    Ok(came)
}

/// An interface log of so many transfers.
fn interface_log(transfers: u64) -> String {
    let mut text = String::from("# phantomload interface log 1; dropped before: 0 transfers\n");
    for n in 0..transfers {
        let (ms, way) = (n % 1000, if n.is_multiple_of(2) { '>' } else { '<' });
        let secs = n / 1000 % 60;
        let _ = writeln!(
            text,
            "2026-11-20T10:02:{secs:02}.{ms:03}+08:00 reference {way} 4D 45 41 53 3A 41 4C 4C 3F 0A"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_up_log_is_one() {
        let read = Read::from_text(&interface_log(100), "test").unwrap();
        assert_eq!((read.entries.len(), read.remarks.len()), (100, 0), "{:?}", read.remarks);
    }
}
