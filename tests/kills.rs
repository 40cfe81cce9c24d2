//! The kill matrix: the program killed at any moment, the power cut under every write, the disk full at every write, clocks
//! that jump, two instances at once. After each: the source off, no reading lost that was shown, the chain whole, no half
//! package, and the program starts and says what happened.
//!
//! This is the short version. `PHANTOMLOAD_KILLS=1000 PHANTOMLOAD_FULL_STEPS=400 cargo test --release --test kills --
//! --nocapture` is the long one.

#[path = "support/kill.rs"]
mod kill;
#[path = "support/served.rs"]
mod served;
#[path = "support/skip.rs"]
mod skip;
mod support;

use kill::{Chance, copy, ended_within, look, only, open, papers_shown, program, shown, spawn};
use phantomload::archive::journal;
use phantomload::bench::{Description, resume};
use phantomload::certificate::chain::{Entry, Kind as EntryKind};
use phantomload::link::{self, lines::Lines};
use phantomload::time::{Span, now};
use served::Served;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{comes_true, short_regulation, stderr};

/// Benches that are served side by side.
const WORKERS: u64 = 5;
/// The served bench and its program live so many times as fast as we do.
const PACE: &str = "4";
/// The whole run on the served bench takes about so long; kills fall anywhere in it and a little beyond.
const RUN_SECS: f64 = 36.0 / 4.0;
/// Off must be seen this soon after a kill: the relay waits a second of its own for a beat, the terminals have to fall.
const OFF_WITHIN: Span = Span::from_secs(3);

/// A row of the table.
#[derive(Debug, Default)]
struct Row {
    kills: u64,
    faults: u64,
    lost: usize,
    /// Verdicts that were shown and whose papers are not there.
    verdicts: usize,
    halves: usize,
    left_on: usize,
    not_started: usize,
    /// Whole runs and resumed runs that came to their end.
    ended: u64,
    resumed: u64,
    closed: u64,
    /// Runs that the bench ended safely, with a record and in words: killed again and again at one point, or hastened on a
    /// machine so busy that a beat came late.
    faulted: u64,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.faults += other.faults;
        self.lost += other.lost;
        self.verdicts += other.verdicts;
        self.halves += other.halves;
        self.left_on += other.left_on;
        self.not_started += other.not_started;
        self.ended += other.ended;
        self.resumed += other.resumed;
        self.closed += other.closed;
        self.faulted += other.faulted;
    }

    /// Prints itself, and fails where anything is there that must not be.
    fn told(&self, what: &str) {
        println!(
            "| {what:<34} | kills {:>5} | faults injected {:>6} | readings lost {} | verdicts lost {} | halves found {} | source left on {} | failures to start {} | ended {} | resumed {} | closed {} | ended by the bench {} |",
            self.kills,
            self.faults,
            self.lost,
            self.verdicts,
            self.halves,
            self.left_on,
            self.not_started,
            self.ended,
            self.resumed,
            self.closed,
            self.faulted
        );
        assert!(self.faulted * 4 <= self.kills + 20, "{what}: {self:?}");
        assert_eq!(
            (self.lost, self.verdicts, self.halves, self.left_on, self.not_started),
            (0, 0, 0, 0, 0),
            "{what}: {self:?}"
        );
    }

    /// What a folder says after a kill or a cut; whether a run waits there.
    fn look(&mut self, dir: &Path, readings: &[(String, usize)], case: &str) -> bool {
        let looked = look(dir, readings);
        if let Some(why) = &looked.failed {
            eprintln!("{case}: {why}");
            self.not_started += 1;
        }
        if looked.lost + looked.halves > 0 {
            eprintln!("{case}: {} readings lost of {readings:?}, {} halves", looked.lost, looked.halves);
        }
        self.lost += looked.lost;
        self.halves += looked.halves;
        looked.waits
    }

    /// Looks for the papers of every verdict that was shown.
    fn look_for_verdicts(&mut self, dir: &Path, words: &Path, case: &str) {
        for number in papers_shown(words) {
            let there =
                ["packages", "papers"].map(|folder| dir.join(folder).join(&number).join("record.json"));
            if !there.iter().any(|record| record.is_file()) {
                eprintln!("{case}: the verdict {number} was shown, and is not there");
                self.verdicts += 1;
            }
        }
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Whether the served bench's own reference says, soon enough, that there is no voltage at the terminals.
fn goes_off(bench: &Path) -> bool {
    let begin = now();
    while now() - begin < OFF_WITHIN {
        let description = Description::load(bench).unwrap();
        let volts = link::open(&description.file.reference.link).ok().and_then(|link| {
            let answer = Lines::new(link, Span::from_secs(2)).ask("MEAS:ALL?").ok()?;
            answer.split(',').next()?.parse::<f64>().ok()
        });
        if volts.is_some_and(|volts| volts < 1.0) {
            return true;
        }
    }
    false
}

/// Kills whole runs on a bench of its own, so many times.
fn kill_on_a_served_bench(seed: u64, kills: u64) -> Row {
    let served = Served::start(&["--pace", PACE]);
    let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (bench, regulation) = (text(served.path("bench.toml")), text(short_regulation(served.dir())));
    let (mut chance, mut row) = (Chance(seed), Row::default());
    let (data, words) = (served.path("data"), served.path("words"));
    let folder = text(data.clone());
    let fresh =
        ["verify", "--bench", &bench, "--data", &folder, "--regulation", &regulation, "--kind", "in-service"];
    let resume = ["run", "resume", "--data", &folder];
    let mut waits = false;
    while row.kills < kills {
        let closes = waits && chance.share() < 0.2;
        if closes {
            let closed = program(&["run", "close", "--data", &folder]);
            row.closed += 1;
            if closed.status.code() != Some(0) {
                eprintln!("seed {seed}: close: {}", stderr(&closed));
                row.not_started += 1;
            }
            waits = row.look(&data, &[], "after close");
            continue;
        }
        row.resumed += u64::from(waits);
        let mut child = spawn(if waits { &resume } else { &fresh }, &words);
        let after = Span::from_secs_f64(0.1 + chance.share() * RUN_SECS);
        let case = format!("seed {seed}, kill {} after {after}, resumed {waits}", row.kills);
        if let Some(code) = ended_within(&mut child, after) {
            row.ended += 1;
            let said = fs::read_to_string(&words).unwrap();
            if code == 3 && said.contains("BENCH FAULT") && said.contains("safe to disconnect") {
                row.faulted += 1;
            } else if code != 0 {
                eprintln!("{case}: ended with {code}: {said}");
                row.not_started += 1;
            }
            waits = row.look(&data, &[], &case);
            row.look_for_verdicts(&data, &words, &case);
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        row.kills += 1;
        if !goes_off(Path::new(&bench)) {
            eprintln!("{case}: the source was left on");
            row.left_on += 1;
        }
        waits = row.look(&data, &shown(&words), &case);
        row.look_for_verdicts(&data, &words, &case);
    }
    row
}

#[test]
fn a_run_on_the_served_bench_is_killed_at_any_moment() {
    let kills = number("PHANTOMLOAD_KILLS", 20);
    let seed = number("PHANTOMLOAD_KILL_SEED", 20_261_121);
    println!("seed {seed}");
    let mut all = Row::default();
    std::thread::scope(|scope| {
        let workers = number("PHANTOMLOAD_KILL_WORKERS", WORKERS);
        let share = kills.div_ceil(workers);
        let workers: Vec<_> =
            (0..workers).map(|n| scope.spawn(move || kill_on_a_served_bench(seed + n, share))).collect();
        for worker in workers {
            all.add(&worker.join().expect("the worker's own words say why not"));
        }
    });
    all.told("kill -9, served bench");
}

#[test]
fn a_run_in_process_is_killed_at_any_moment_up_to_its_package() {
    let kills = number("PHANTOMLOAD_KILLS", 24);
    let seed = number("PHANTOMLOAD_KILL_SEED", 20_261_121);
    let dir = tempfile::tempdir().unwrap();
    let (data, words) = (dir.path().join("data"), dir.path().join("words"));
    let folder = data.to_str().unwrap();
    // How long a whole one takes here: the kills fall mostly into its last part, where the package is written.
    let begin = now();
    assert_eq!(program(&["verify", "--data", folder]).status.code(), Some(0));
    let mut whole = now() - begin;
    let (mut chance, mut row, mut waits) = (Chance(seed), Row::default(), false);
    while row.kills < kills {
        let arguments: &[&str] =
            if waits { &["run", "resume", "--data", folder] } else { &["verify", "--data", folder] };
        row.resumed += u64::from(waits);
        let (mut child, begin) = (spawn(arguments, &words), now());
        let after = whole * chance.share().sqrt() * 1.2;
        let case = format!("in process, seed {seed}, kill {} after {after}", row.kills);
        if let Some(code) = ended_within(&mut child, after) {
            row.ended += 1;
            if !waits && code == 0 {
                // The machine may have been busier before.
                whole = (whole + (now() - begin)).half();
            }
            if code != 0 {
                eprintln!("{case}: ended with {code}: {}", fs::read_to_string(&words).unwrap());
                row.not_started += 1;
            }
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
            row.kills += 1;
            if !waits {
                // Or less busy: it lived longer than a whole one was thought to take.
                whole = whole.max(after);
            }
        }
        waits = row.look(&data, &[], &case);
        row.look_for_verdicts(&data, &words, &case);
    }
    row.told("kill -9, in process");
}

/// Waits until the journal of a folder holds so many events.
fn has_kept(dir: &Path, events: u64) -> bool {
    let kept = || journal::list(dir).unwrap_or_default().first().is_some_and(|line| line.events >= events);
    comes_true(Span::from_secs(60), kept)
}

/// A folder in which a run was killed in its middle.
fn killed_in_the_middle(killed: &Path) {
    let (folder, words) = (killed.to_str().unwrap(), killed.with_extension("words"));
    let mut child = spawn(&["verify", "--pace", "200", "--data", folder], &words);
    assert!(has_kept(killed, 8_000), "{}", fs::read_to_string(&words).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Events of the run that waits in a folder.
fn events(dir: &Path) -> Option<usize> {
    let mut archive = open(dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    let found = resume::settle(&mut archive).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    if found.left.is_none() {
        eprintln!("no run waits: {:?} {:?} {:?}", archive.notices(), found.unread, found.words);
    }
    found.left.map(|left| left.run.log().len())
}

/// A page in `SQLite`'s log, with its head.
const FRAME: usize = 24 + 4096;

#[test]
fn the_power_is_cut_under_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (killed, cut) = (dir.path().join("killed"), dir.path().join("cut"));
    killed_in_the_middle(&killed);
    let mut row = Row::default();
    // The journal's log as long as it had become on the disk: up to the middle of each page, torn in it, or garbled there.
    let wal = fs::read(killed.join("journal.sqlite-wal")).unwrap();
    copy(&killed, &cut);
    let whole = events(&cut).expect("a run waits");
    fs::remove_dir_all(&cut).unwrap();
    let frames = (wal.len() - 32) / FRAME;
    let mut before = 0;
    for n in 0..=frames {
        for (torn, garble) in [(0, false), (2_000, false), (2_000, true), (FRAME - 1, true)] {
            // Every frame of a short log; of a long one some, and all of its end.
            if n % 7 != 0 && n + 12 < frames {
                continue;
            }
            copy(&killed, &cut);
            let mut bytes = wal[..(32 + n * FRAME + torn).min(wal.len())].to_vec();
            if garble {
                bytes.resize(wal.len(), 0x5A);
            }
            fs::write(cut.join("journal.sqlite-wal"), bytes).unwrap();
            let _ = fs::remove_file(cut.join("journal.sqlite-shm"));
            row.faults += 1;
            let case = format!("journal's log cut in frame {n} of {frames} at {torn}, garbled {garble}");
            row.look(&cut, &[], &case);
            // What is there is a beginning, and never shorter for a longer log.
            let there = events(&cut).unwrap_or(0);
            assert!(there <= whole && there >= before, "{case}: {there} events, {before} before");
            if torn == 0 {
                before = there;
            }
            fs::remove_dir_all(&cut).unwrap();
        }
    }
    assert_eq!(before, whole, "the whole log has every event");
    // The database itself is written from the log, which is forced to the disk before: whatever becomes of those pages, the
    // log has them.
    let database = fs::read(killed.join("journal.sqlite")).unwrap();
    for page in 0..database.len() / 4096 {
        copy(&killed, &cut);
        let mut bytes = database.clone();
        let in_log = (0..frames).any(|n| {
            let at = 32 + n * FRAME;
            u32::from_be_bytes(wal[at..at + 4].try_into().unwrap()) as usize == page + 1
        });
        bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
        fs::write(cut.join("journal.sqlite"), bytes).unwrap();
        row.faults += 1;
        if in_log {
            row.look(&cut, &[], &format!("page {page} torn"));
            assert_eq!(events(&cut), Some(whole), "page {page}");
        }
        fs::remove_dir_all(&cut).unwrap();
    }
    row.told("power cut, journal");
}

#[test]
fn the_power_is_cut_under_the_package_its_entry_and_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let (ended, cut) = (dir.path().join("ended"), dir.path().join("cut"));
    assert_eq!(program(&["verify", "--data", ended.to_str().unwrap()]).status.code(), Some(0));
    let mut row = Row::default();
    // The package: made under a temporary name, then renamed, then its entry, then its row. Each state between.
    let package = only(&ended.join("packages"));
    let name = package.file_name().unwrap().to_str().unwrap().to_owned();
    let chain = fs::read(ended.join("chain.jws")).unwrap();
    let begun = chain[..chain.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let state = |cut: &Path, chain_length: usize, register: Option<usize>| {
        copy(&ended, cut);
        fs::write(cut.join("chain.jws"), &chain[..chain_length]).unwrap();
        let rows = fs::read(ended.join("register.csv")).unwrap();
        match register {
            None => fs::remove_file(cut.join("register.csv")).unwrap(),
            Some(length) => fs::write(cut.join("register.csv"), &rows[..length.min(rows.len())]).unwrap(),
        }
    };
    let files: Vec<_> = fs::read_dir(&package).unwrap().flatten().map(|entry| entry.file_name()).collect();
    for (n, torn) in files.iter().enumerate().flat_map(|(n, _)| [(n, false), (n, true)]) {
        state(&cut, begun, None);
        let half = cut.join("packages").join(format!(".tmp-{name}"));
        fs::rename(cut.join("packages").join(&name), &half).unwrap();
        for (index, file) in files.iter().enumerate() {
            match index {
                index if index > n => fs::remove_file(half.join(file)).unwrap(),
                index if index == n && torn => {
                    let bytes = fs::read(half.join(file)).unwrap();
                    fs::write(half.join(file), &bytes[..bytes.len() / 2]).unwrap();
                }
                _ => {}
            }
        }
        row.faults += 1;
        row.look(&cut, &[], &format!("package written up to file {n}, torn {torn}"));
        assert_eq!(fs::read_dir(cut.join("packages")).unwrap().count(), 0, "nothing half is left");
        fs::remove_dir_all(&cut).unwrap();
    }
    for length in (begun..=chain.len()).step_by(97).chain([chain.len() - 1, chain.len()]) {
        state(&cut, length, None);
        row.faults += 1;
        row.look(&cut, &[], &format!("chain torn at {length}"));
        // The package was whole: its entry follows, and its row.
        let rows = phantomload::archive::list(&cut).unwrap();
        assert_eq!(rows.len(), 1, "chain torn at {length}");
        fs::remove_dir_all(&cut).unwrap();
    }
    let register = fs::read(ended.join("register.csv")).unwrap().len();
    for length in (0..=register).step_by(53) {
        state(&cut, chain.len(), Some(length));
        row.faults += 1;
        let case = format!("register torn at {length}");
        // Half a header is moved away like half a row, and the register made again from the chain.
        row.look(&cut, &[], &case);
        assert_eq!(phantomload::archive::list(&cut).unwrap().len(), 1, "{case}");
        fs::remove_dir_all(&cut).unwrap();
    }
    row.told("power cut, package");
}

/// A command of the shell on a disk of its own that holds so much, `$1`; what it has left there is taken to `out`. `None`:
/// this machine mounts nothing for us.
fn on_a_small_disk(kib: u64, command: &str, out: &Path) -> Option<Output> {
    let disk = tempfile::tempdir().unwrap();
    let line = format!(
        "mount -t tmpfs -o size={kib}k tmpfs \"$1\" || exit 77; {command}; code=$?; cp -a \"$1/.\" \"$2\"; exit $code"
    );
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &line, env!("CARGO_BIN_EXE_phantomload")])
        .args([disk.path(), out])
        .env("TMPDIR", disk.path())
        .output()
        .ok()?;
    (output.status.code() != Some(77) && !stderr(&output).contains("unshare:")).then_some(output)
}

/// Bytes of all files in a folder.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|e| if e.path().is_dir() { size(&e.path()) } else { e.metadata().unwrap().len() }).sum()
}

#[test]
fn the_disk_is_full_at_every_write() {
    let mut row = Row::default();
    // How much a whole run needs; then disks of every size up to that, so that each write is once the first that fails.
    let whole = tempfile::tempdir().unwrap();
    let verify = "\"$0\" verify --json --data \"$1/data\"";
    if on_a_small_disk(64 * 1024, verify, whole.path()).is_none() {
        skip::skipped("this machine mounts no tmpfs for us: full disks were not tried");
        return;
    }
    let most = size(&whole.path().join("data")) / 1024 * 3 / 2;
    let steps = number("PHANTOMLOAD_FULL_STEPS", 24);
    for step in 0..=steps {
        let kib = (8 + most * step / steps) / 4 * 4;
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let full = on_a_small_disk(kib, verify, dir.path()).expect("it could a moment ago");
        row.faults += 1;
        let (said, code) = (stderr(&full), full.status.code());
        assert!(matches!(code, Some(0 | 3)), "{kib} KiB: {code:?}: {said}");
        println!("{kib:>6} KiB: exit {code:?}: {}", said.lines().last().unwrap_or_default());
        let case = format!("{kib} KiB");
        let waits = row.look(&data, &[], &case);
        // With room again it starts, and a new run can be made.
        if waits {
            assert_eq!(program(&["run", "close", "--data", data.to_str().unwrap()]).status.code(), Some(0));
        }
        let next = program(&["verify", "--json", "--data", data.to_str().unwrap()]);
        if next.status.code() != Some(0) {
            eprintln!("{case}: {}", stderr(&next));
            row.not_started += 1;
        }
    }
    row.told("disk full");
}

#[test]
fn clocks_that_jump_lose_nothing() {
    if Command::new("faketime").arg("--version").output().is_err() {
        skip::skipped("faketime is not here: clocks that jump were not tried");
        return;
    }
    let mut row = Row::default();
    let dir = tempfile::tempdir().unwrap();
    killed_in_the_middle(&dir.path().join("killed"));
    for clock in ["-1d", "-10y", "+10y", "@1970-01-01 00:00:10"] {
        let data = dir.path().join("jumped");
        copy(&dir.path().join("killed"), &data);
        let folder = data.to_str().unwrap();
        let output = Command::new("faketime")
            .args([
                "-f",
                clock,
                env!("CARGO_BIN_EXE_phantomload"),
                "run",
                "resume",
                "--json",
                "--data",
                folder,
            ])
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .output()
            .unwrap();
        row.faults += 1;
        row.resumed += 1;
        let said = stderr(&output);
        // A meter that shows two digits of the year cannot be compared with 1970: undecided, never a pass for want of a clock.
        let (code, verdict) = if clock.starts_with('@') { (4, "undecided") } else { (0, "pass") };
        assert_eq!(output.status.code(), Some(code), "{clock}: {said}");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["verdict"], verdict, "{clock}: {told:#}");
        assert!(told["findings"].to_string().contains("interrupted at"), "{clock}");
        // The chain says that the clock was set back, and of one that is ahead nothing; the record recomputes.
        let chain = fs::read_to_string(data.join("chain.jws")).unwrap();
        let set = chain.lines().filter(|line| Entry::from_line(line).unwrap().kind == EntryKind::ClockSet);
        assert_eq!(set.count() > 0, clock != "+10y", "{clock}");
        let replay = program(&["replay", "--no-monte-carlo", told["record"].as_str().unwrap()]);
        assert_eq!(replay.status.code(), Some(0), "{clock}: {}", String::from_utf8_lossy(&replay.stdout));
        row.look(&data, &[], clock);
        fs::remove_dir_all(&data).unwrap();
    }
    row.told("clock jumps");
}

#[test]
fn two_instances_at_once_are_one_and_a_refusal_in_words() {
    // At the pace of the clock: this run must come to its end.
    let served = Served::start(&[]);
    let (data, words) = (served.path("data"), served.path("words"));
    let (bench, folder) = (served.path("bench.toml"), data.to_str().unwrap());
    let regulation = short_regulation(served.dir());
    let arguments = [
        "verify",
        "--bench",
        bench.to_str().unwrap(),
        "--data",
        folder,
        "--regulation",
        regulation.to_str().unwrap(),
        "--kind",
        "in-service",
    ];
    let mut first = spawn(&arguments, &words);
    assert!(has_kept(&data, 500), "{}", fs::read_to_string(&words).unwrap());
    for second in [&arguments[..], &["run", "resume", "--data", folder], &["run", "close", "--data", folder]]
    {
        let second = program(second);
        assert_eq!(second.status.code(), Some(3), "{}", stderr(&second));
        assert!(stderr(&second).contains("another instance of this program"), "{}", stderr(&second));
    }
    // The list may be read meanwhile, and the first was not disturbed.
    let list = program(&["run", "list", "--data", folder]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("not stored"), "{}", stderr(&list));
    let code = ended_within(&mut first, Span::from_secs(120));
    assert_eq!(code, Some(0), "{}", fs::read_to_string(&words).unwrap());
    let row = Row { faults: 3, ended: 1, ..Row::default() };
    row.told("two instances");
}
