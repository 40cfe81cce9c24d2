//! Verifications one after another on the served bench, with journal, chain, register and packages: memory and handles stay
//! flat, and each file grows by as much a run as it did at first.
//!
//! Two short runs in `cargo test`. Twelve hours of simulated time are `PHANTOMLOAD_SOAK_HOURS=12 cargo test --release --test
//! soak -- --nocapture`: some forty minutes, as bench and program live twenty times as fast as the clock. A busy machine is
//! too slow for that: the watchdog relay of the bench then waits fifty milliseconds for a beat (`chrt -r 5` before it helps).

#[path = "support/holds.rs"]
mod holds;
#[path = "support/served.rs"]
mod served;
mod support;

use holds::{Holds, holds, is_flat};
use phantomload::archive::journal::{Header, Way, Writer};
use phantomload::archive::{Archive, opening};
use phantomload::bench::{Description, Devices, conduct_kept, resume};
use phantomload::certificate::record::{Outcome, Program};
use phantomload::plan::{self, Entries, Nameplate};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::Run;
use phantomload::time::{Span, Stamp};
use phantomload::verdict::Verdict;
use served::Served;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// One verification as the program does it: chain, journal, run, package. How long it took by the bench's clock, and whether it
/// came to its verdict: on a busy machine the hastened bench misses a beat now and then, and that run makes safe.
fn verify(bench_file: &Path, profile: &Profile, kind: Kind, data: &Path) -> (Span, bool) {
    let description = Description::load(bench_file).unwrap();
    let text = fs::read_to_string(description.nameplate.as_ref().unwrap()).unwrap();
    let nameplate = Nameplate::from_toml("meter.toml", &text).unwrap();
    let mut archive = Archive::open(data).unwrap();
    assert!(resume::settle(&mut archive).unwrap().left.is_none());
    let devices = Devices::open(&description, &nameplate).unwrap();
    let (standards, capability) = (description.standards.clone(), devices.capability());
    let day = Stamp::now();
    let plan =
        plan::make(nameplate, profile.clone(), kind, standards, capability, Entries::simulated(), day.date());
    let plan = plan.unwrap();
    let mut bench = devices.start();
    let numbers = archive.open_run(true, day.date().year(), opening(&plan, "no text")).unwrap();
    let mut run = Run::new(Arc::new(plan.clone()), phantomload::bench::Bench::now(&bench), day);
    let (mut book, words) = archive.journal().unwrap();
    assert_eq!(words, <[String; 0]>::default());
    let way = Way { bench: bench_file.display().to_string(), meter: None, text: None, seed: 1, pace: None };
    let header = Header {
        record_no: numbers.record_no.clone(),
        certificate_no: numbers.certificate_no.clone(),
        simulated: true,
        program: Program::this(),
        started: run.started(),
        began: phantomload::bench::Bench::now(&bench),
        way,
        plan,
    };
    book.begin(&header, &resume::boot(), &[]).unwrap();
    let mut writer = Writer::start(book);
    if let Err(why) = conduct_kept(&mut run, &mut bench, &mut writer, &mut || None, &mut |_, _| {}) {
        println!("{}: journal: {why}", numbers.record_no);
    }
    let took = phantomload::bench::Bench::now(&bench) - header.began;
    drop(bench);
    let mut book = writer.into_book().unwrap();
    let completed = run.outcome() == Some(&Outcome::Completed);
    let number = completed.then_some(numbers.certificate_no);
    let record = run.record(numbers.record_no.clone(), number, true).unwrap();
    if completed {
        assert_eq!(record.results.verdict, Some(Verdict::Pass));
    } else {
        println!("{}: {:?}", numbers.record_no, record.outcome);
    }
    archive.store(&record).unwrap();
    book.stored(&numbers.record_no).unwrap();
    (took, completed)
}

/// The clock of a program that was hastened stays so: a bench that lives with the day's is none for it any more.
fn refuses_a_bench_at_another_pace(bench_file: &Path) {
    let mut description = Description::load(bench_file).unwrap();
    let text = fs::read_to_string(description.nameplate.as_ref().unwrap()).unwrap();
    description.file.pace = None;
    let nameplate = Nameplate::from_toml("meter.toml", &text).unwrap();
    let refused = Devices::open(&description, &nameplate).err().expect("it is refused").to_string();
    assert!(refused.contains("runs at another pace already"), "{refused}");
}

/// Bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    if !path.is_dir() {
        return fs::metadata(path).map_or(0, |metadata| metadata.len());
    }
    fs::read_dir(path).unwrap().flatten().map(|entry| size(&entry.path())).sum()
}

/// What a run leaves in the data folder, in the order of `LEFT`.
const LEFT: [&str; 4] = ["chain.jws", "register.csv", "packages", "journal.sqlite"];

#[test]
fn verifications_back_to_back_hold_no_more_and_write_as_much_as_at_first() {
    let hours: f64 =
        std::env::var("PHANTOMLOAD_SOAK_HOURS").map_or(0.0, |text| text.parse().expect("a number of hours"));
    let served = Served::start(&["--pace", if hours > 0.0 { "20" } else { "5" }]);
    let data = served.path("data");
    let (profile, kind) = if hours > 0.0 {
        (Profile::builtin("dc-meter").unwrap(), Kind::Subsequent)
    } else {
        let text = fs::read_to_string(support::short_regulation(served.dir())).unwrap();
        (Profile::from_toml("short.toml", &text).unwrap(), Kind::InService)
    };
    let mut faulted = 0;
    let (mut taken, mut looks, mut sizes) = (Span::ZERO, Vec::<Holds>::new(), Vec::<[u64; 4]>::new());
    while looks.len() < 2 || taken.secs() < hours * 3600.0 {
        let (took, completed) = verify(&served.path("bench.toml"), &profile, kind, &data);
        (taken, faulted) = (taken + took, faulted + usize::from(!completed));
        looks.push(holds());
        sizes.push(LEFT.map(|name| size(&data.join(name))));
        if looks.len().is_power_of_two() || looks.len().is_multiple_of(25) {
            println!(
                "{} runs, {taken} simulated: {:?}, bytes {:?}",
                looks.len(),
                looks.last().unwrap(),
                sizes.last().unwrap()
            );
        }
    }
    refuses_a_bench_at_another_pace(&served.path("bench.toml"));
    let runs = looks.len();
    println!("{runs} runs in {taken} simulated: {LEFT:?} {:?}", sizes.last().unwrap());
    println!("{faulted} made safe without a verdict");
    assert!(faulted * 50 <= runs, "{faulted} of {runs} runs faulted");
    assert_eq!(fs::read_dir(data.join("packages")).unwrap().count(), runs - faulted);
    if runs < 30 {
        // Too few to tell flat from not.
        return;
    }
    is_flat(&looks);
    // The first run makes the key, the heads and the tables; what each of the next ten added is what each one adds.
    for (n, name) in LEFT.iter().enumerate() {
        let of = |run: usize| sizes[run - 1][n] as f64;
        let (early, late) = ((of(11) - of(1)) / 10.0, (of(runs) - of(11)) / (runs - 11) as f64);
        println!("{name}: {early:.0} bytes a run at first, {late:.0} later");
        assert!(late <= early * 1.05 + 4096.0, "{name} grows by {late:.0} bytes a run, {early:.0} at first");
    }
}
