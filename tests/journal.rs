//! The journal by itself: what it refuses, what it sets aside, what it costs; and the data folder's backup.

#[path = "support/kill.rs"]
mod kill;
#[path = "support/simulated.rs"]
mod simulated;
mod support;

use kill::{Chance, copy, ended_within, spawn};
use phantomload::archive::journal::{FILE, Header, InStep, Keeper, Way, Writer};
use phantomload::archive::{Archive, opening};
use phantomload::bench::resume;
use phantomload::certificate::chain::Entry;
use phantomload::certificate::record::{Program, Record};
use phantomload::regulation::Kind;
use phantomload::run::rebuilt;
use phantomload::time::{Span, Stamp, now};
use phantomload::verdict::Verdict;
use rusqlite::Connection;
use simulated::{plan_of, record_of, rig};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::{phantomload, stderr};

/// A run's record, of which nothing is stored.
fn a_record() -> Record {
    let rig = rig("good");
    record_of(&rig, plan_of(&rig, "dc-meter", Kind::InService), 1)
}

/// Begins a run in a data folder.
fn begin(archive: &mut Archive, record: &Record) -> phantomload::archive::journal::Book {
    let numbers = archive.open_run(true, 2026, opening(&record.plan, "no text")).unwrap();
    let (mut book, words) = archive.journal().unwrap();
    assert!(words.is_empty(), "{words:?}");
    let header = Header {
        record_no: numbers.record_no,
        certificate_no: numbers.certificate_no,
        simulated: true,
        program: Program::this(),
        started: record.started,
        began: record.began,
        way: Way { bench: "simulated".into(), meter: None, text: None, seed: 1, pace: None },
        plan: record.plan.clone(),
    };
    book.begin(&header, "boot", &[]).unwrap();
    book
}

/// A folder whose run has so many events and was left.
fn left_with(dir: &Path, record: &Record, events: usize) {
    let mut archive = Archive::open(dir).unwrap();
    let mut book = begin(&mut archive, record);
    for part in record.raw[..events].chunks(200) {
        book.append(part).unwrap();
    }
}

fn unread(dir: &Path) -> String {
    let mut archive = Archive::open(dir).unwrap();
    resume::settle(&mut archive).unwrap().unread.expect("it is not believed")
}

#[test]
fn events_that_somebody_else_wrote_are_not_believed() {
    let record = a_record();
    for (what, change) in [
        ("an event changed", "UPDATE batch SET events = replace(events, '1', '2') WHERE first = 400"),
        ("a batch left out", "DELETE FROM batch WHERE first = 200"),
        (
            "a batch twice",
            "INSERT INTO batch SELECT NULL, record_no, 1000, count, stamp, events, seal FROM batch WHERE first = 0",
        ),
        (
            "two batches exchanged",
            "UPDATE batch SET first = CASE first WHEN 200 THEN 400 WHEN 400 THEN 200 ELSE first END",
        ),
        ("the plan changed", "UPDATE run SET header = replace(header, '202611210001', '202611210002')"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        left_with(dir.path(), &record, 1000);
        let changed = Connection::open(dir.path().join(FILE)).unwrap().execute(change, []).unwrap();
        assert!(changed > 0, "{what}");
        let said = unread(dir.path());
        assert!(said.contains("was changed") && said.contains("run close --unread"), "{what}: {said}");
        let folder = dir.path().to_str().unwrap();
        let refused = phantomload(&["run", "resume", "--data", folder]);
        assert_eq!(refused.status.code(), Some(2), "{what}: {}", stderr(&refused));
        let closed = phantomload(&["run", "close", "--unread", "--data", folder]);
        assert_eq!(closed.status.code(), Some(0), "{what}: {}", stderr(&closed));
        // It is asked for no more, and what was kept stays.
        let next = phantomload(&["verify", "--data", folder]);
        assert_eq!(next.status.code(), Some(0), "{what}");
        assert!(!stderr(&next).contains("was changed"), "{what}: {}", stderr(&next));
        let list = phantomload(&["run", "list", "--data", folder]);
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        let line = list.lines().next().unwrap();
        assert!(line.contains("ended without a record") && !line.contains(": 0 events"), "{what}: {list}");
    }
}

#[test]
fn another_plan_is_found_by_the_chain_although_no_event_was_kept() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, 1000);
    let journal = Connection::open(dir.path().join(FILE)).unwrap();
    // What an attacker does who wants wider limits: the events go, which looks like a crash, and the plan is another.
    journal.execute("DELETE FROM batch", []).unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    assert!(resume::settle(&mut archive).unwrap().left.is_some(), "a run without events is gone on with");
    drop(archive);
    let change = "UPDATE run SET header = replace(header, '\"class\":\"1\"', '\"class\":\"2\"')";
    assert_eq!(journal.execute(change, []).unwrap(), 1);
    drop(journal);
    let said = unread(dir.path());
    assert!(said.contains("the plan in the journal is not the one"), "{said}");
    let refused = phantomload(&["run", "resume", "--data", dir.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
}

#[test]
fn a_damaged_journal_is_put_aside_and_the_program_starts() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, 1000);
    fs::write(
        dir.path().join(FILE),
        b"this is no database, but something that a broken card gave".repeat(200),
    )
    .unwrap();
    let _ = fs::remove_file(dir.path().join("journal.sqlite-wal"));
    let verified = phantomload(&["verify", "--data", dir.path().to_str().unwrap()]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
    let said = stderr(&verified);
    assert!(said.contains("put aside") && said.contains("was not ended"), "{said}");
    assert!(dir.path().join("journal.sqlite.damaged-1").is_file());
}

#[test]
fn whatever_a_card_does_to_the_journal_the_program_starts_in_words_and_the_chain_is_whole() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    let (left, cut) = (dir.path().join("left"), dir.path().join("cut"));
    left_with(&left, &record, 1000);
    let whole = fs::read(left.join(FILE)).unwrap();
    let chain = fs::read(left.join("chain.jws")).unwrap();
    let mut chance = Chance(8);
    let mut damages: Vec<(String, Vec<u8>)> = vec![("empty".into(), vec![])];
    // Every byte of the head, each bit of it somewhere; then anywhere; pages gone; the end gone; zeros behind.
    let anywhere: Vec<usize> = (0..80).map(|_| chance.draw() as usize % whole.len()).collect();
    for at in (0..100).chain(anywhere) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (chance.draw() % 8);
        damages.push((format!("a bit of byte {at}"), bytes));
    }
    for _ in 0..20 {
        let mut bytes = whole.clone();
        let page = chance.draw() as usize % (whole.len() / 4096) * 4096;
        bytes[page..page + 4096].fill(0);
        damages.push((format!("zeros in the page at {page}"), bytes));
        let end = chance.draw() as usize % whole.len();
        damages.push((format!("cut off at {end}"), whole[..end].to_vec()));
    }
    damages.push(("zeros behind".into(), [whole.clone(), vec![0; 8192]].concat()));
    let (mut waits, mut unread, mut gone, mut newer) = (0, 0, 0, 0);
    for (what, bytes) in &damages {
        copy(&left, &cut);
        fs::write(cut.join(FILE), bytes).unwrap();
        let mut archive = match Archive::open(&cut) {
            Ok(archive) => archive,
            // A bit of the version's number: nobody can tell that from a newer program's journal, which is left alone.
            Err(why) if why.to_string().contains("use the program that wrote it") => {
                assert!((60..64).any(|at| *what == format!("a bit of byte {at}")), "{what}: {why}");
                newer += 1;
                fs::remove_dir_all(&cut).unwrap();
                continue;
            }
            Err(why) => panic!("{what}: {why}"),
        };
        let found = resume::settle(&mut archive).unwrap_or_else(|why| panic!("{what}: {why}"));
        match (found.left, found.unread) {
            (Some(left), None) => {
                waits += 1;
                assert_eq!(left.run.log(), &record.raw[..left.run.log().len()], "{what}");
                left.close(&mut archive, "", Stamp::now(), "the test is over")
                    .unwrap_or_else(|why| panic!("{what}: {why}"));
            }
            (None, Some(why)) => {
                unread += 1;
                assert!(why.contains("SIM-R-2026-000001"), "{what}: {why}");
                archive.close_unread("the test is over").unwrap();
            }
            (None, None) => {
                gone += 1;
                let told = [archive.notices().to_vec(), found.words].concat().join("; ");
                assert!(told.contains("was not ended") || told.contains("put aside"), "{what}: {told}");
            }
            (Some(_), Some(_)) => panic!("{what}: read and not read"),
        }
        // The next run begins, and every entry that was there is there.
        let next = archive.open_run(true, 2026, opening(&record.plan, "no text"));
        assert!(next.is_ok(), "{what}: {next:?}");
        drop(archive);
        assert!(fs::read(cut.join("chain.jws")).unwrap().starts_with(&chain), "{what}");
        fs::remove_dir_all(&cut).unwrap();
    }
    println!(
        "{} damages: {waits} runs wait, {unread} are not believed, {gone} have no journal any more, {newer} seem of a newer program",
        damages.len()
    );
    assert!(waits > 0 && unread > 0 && gone > 0);
}

#[test]
fn a_journal_of_another_device_is_not_believed() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    let (own, other) = (dir.path().join("own"), dir.path().join("other"));
    left_with(&own, &record, 400);
    left_with(&other, &record, 1000);
    fs::copy(other.join(FILE), own.join(FILE)).unwrap();
    let said = unread(&own);
    assert!(said.contains("was changed") && said.contains("SIM-R-2026-000001"), "{said}");
}

#[test]
fn photographs_and_the_seals_at_the_end_outlive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (data, words) = (path("data"), dir.path().join("words"));
    let (png, jpg) = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01", b"\xff\xd8\xff\xe0 picture");
    fs::write(path("before.png"), png).unwrap();
    fs::write(path("after.jpeg"), jpg).unwrap();
    let entries = "operator = \"Li\"\nappearance = { ok = true }\nfunction = { ok = true }\ntester_clock_checked = true\ntemperature_degc = 24.0\n[[seal]]\nplace = \"meter cover\"\nnumber = \"A1\"\nstate = \"intact\"\nphotograph = \"before.png\"\n";
    fs::write(path("entries.toml"), entries).unwrap();
    let closing = "[[seal]]\nplace = \"meter cover\"\nnumber = \"B7\"\nphotograph = \"after.jpeg\"\n";
    fs::write(path("closing.toml"), closing).unwrap();
    let killed = || {
        let entries = path("entries.toml");
        let arguments = ["verify", "--pace", "100", "--data", &data, "--entries", &entries];
        let mut child = spawn(&arguments, &words);
        let begin = now();
        let kept = || phantomload::archive::journal::list(Path::new(&data)).unwrap_or_default();
        while kept().last().is_none_or(|line| line.stored.is_some() || line.events < 3_000) {
            assert!(now() - begin < Span::from_secs(60), "{}", fs::read_to_string(&words).unwrap());
            assert_eq!(ended_within(&mut child, Span::from_millis(20)), None);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // The picture that was taken is not needed any more: the journal has it.
        fs::remove_file(path("before.png")).unwrap();
    };
    killed();
    let resumed =
        phantomload(&["run", "resume", "--json", "--data", &data, "--closing", &path("closing.toml")]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    let package = kill::only(&dir.path().join("data/packages"));
    assert_eq!(fs::read(package.join("photograph-before-1.png")).unwrap(), png);
    assert_eq!(fs::read(package.join("photograph-after-1.jpg")).unwrap(), jpg);
    fs::write(path("before.png"), png).unwrap();
    killed();
    let closed = phantomload(&["run", "close", "--data", &data]);
    assert_eq!(closed.status.code(), Some(0), "{}", stderr(&closed));
    let unfinished = kill::only(&dir.path().join("data/unfinished"));
    assert_eq!(fs::read(unfinished.join("photograph-before-1.png")).unwrap(), png);
}

#[test]
fn a_journal_of_a_newer_program_is_left_alone() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, 400);
    Connection::open(dir.path().join(FILE)).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = phantomload(&["verify", "--data", dir.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        stderr(&refused).contains("version 99") && stderr(&refused).contains("use the program that wrote it")
    );
}

#[test]
fn a_run_that_had_ended_gets_its_package_at_the_next_start_with_the_same_record() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, record.raw.len());
    let folder = dir.path().to_str().unwrap();
    let list = phantomload(&["person", "disable", "nobody", "--data", folder]);
    assert!(stderr(&list).contains("had ended when the program did"), "{}", stderr(&list));
    let package = kill::only(&dir.path().join("packages"));
    assert_eq!(kill::halves(dir.path()), 0);
    let kept = fs::read_to_string(package.join("record.json")).unwrap();
    assert_eq!(Record::from_json("kept", &kept).unwrap().raw, record.raw);
    assert_eq!(
        phantomload(&["replay", "--no-monte-carlo", package.to_str().unwrap()]).status.code(),
        Some(0)
    );
    let list = phantomload(&["run", "list", "--data", folder]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("record stored"));
}

#[test]
fn a_pre_check_that_had_ended_is_stored_at_the_next_start_and_has_no_paper() {
    let rig = rig("good");
    let plan = phantomload::plan::pre_check(
        rig.nameplate.clone(),
        phantomload::regulation::Profile::builtin("dc-meter").unwrap(),
        Kind::Subsequent,
        rig.standards.clone(),
        rig.capability(),
        phantomload::plan::Entries::simulated(),
        simulated::started().date(),
    )
    .unwrap();
    let record = record_of(&rig, plan, 1);
    let dir = tempfile::tempdir().unwrap();
    let (whole, begun) = (dir.path().join("whole"), dir.path().join("begun"));
    left_with(&whole, &record, record.raw.len());
    copy(&whole, &begun);
    let dir = whole.as_path();
    let mut archive = Archive::open(dir).unwrap();
    let found = resume::settle(&mut archive).unwrap();
    assert!(found.left.is_none() && found.unread.is_none());
    assert!(found.words.iter().any(|words| words.contains("had ended when the program did")));
    let folder = kill::only(&dir.join("unfinished"));
    let kept = fs::read_to_string(folder.join("record.json")).unwrap();
    assert_eq!(Record::from_json("kept", &kept).unwrap().certificate_no, None);
    assert_eq!(fs::read_dir(dir.join("packages")).map_or(0, Iterator::count), 0);
    drop(archive);
    // The power failed when the record was stored and its entry was not: nothing is refused, and the entry names it.
    copy(&dir.join("unfinished"), &begun.join("unfinished"));
    let mut archive = Archive::open(&begun).unwrap();
    let found = resume::settle(&mut archive).unwrap();
    assert!(found.left.is_none() && found.unread.is_none());
    drop(archive);
    let chain = fs::read_to_string(begun.join("chain.jws")).unwrap();
    let last = Entry::from_line(chain.lines().last().unwrap()).unwrap();
    assert!(last.files.contains_key("record.json") && !last.said.contains_key("kept"), "{last:?}");
    assert_eq!(last.said["ended"], "pre_check");
    assert!(phantomload::archive::journal::list(&begun).unwrap()[0].stored.is_some());
    phantomload::archive::check_folder(&begun).unwrap();
}

#[test]
fn closing_a_run_that_only_waits_for_the_meters_signature_tells_its_verdict() {
    let rig = rig("slow-to-sign");
    let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let signs = |events: &usize| {
        let log = record.raw[..*events].to_vec();
        let run = rebuilt(Arc::new(record.plan.clone()), record.began, record.started, log);
        run.snapshot(run.told_at()).signing_left.is_some()
    };
    let at = (0..record.raw.len()).rev().step_by(20).find(signs).expect("the meter signs at the end");
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, at);
    let closed = phantomload(&["run", "close", "--data", dir.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&closed.stdout).into_owned();
    let package = kill::only(&dir.path().join("packages"));
    let kept = fs::read_to_string(package.join("record.json")).unwrap();
    let verdict = Record::from_json("kept", &kept).unwrap().results.verdict.expect("all was measured");
    assert!(said.contains(&format!("\n{verdict}  SIMULATED")) && !said.contains("No verdict"), "{said}");
    let code = match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Undecided => 4,
    };
    assert_eq!(closed.status.code(), Some(code), "{}", stderr(&closed));
}

#[test]
fn a_stored_run_keeps_one_line_and_the_journal_is_read_whole_once() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    left_with(dir.path(), &record, 600);
    let mut archive = Archive::open(dir.path()).unwrap();
    let left = resume::settle(&mut archive).unwrap().left.unwrap();
    left.close(&mut archive, "", Stamp::now(), "the test is over").unwrap();
    let (book, _) = archive.journal().unwrap();
    assert!(book.unstored().unwrap().is_empty() && book.read("SIM-R-2026-000001").unwrap().is_none());
    drop(book);
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    let header: String = other.query_row("SELECT header FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(header, "");
    let plan = |of: &str| {
        let mut asked = other.prepare(&format!("EXPLAIN QUERY PLAN {of}")).unwrap();
        let steps = asked.query_map([], |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let sittings = plan("SELECT count(*) FROM sitting WHERE record_no = 'x'");
    assert!(sittings.contains("sitting_of_run"), "{sittings}");
    // A row that no index has: only who reads everything sees it.
    other.pragma_update(None, "writable_schema", true).unwrap();
    let named = "FROM sqlite_schema WHERE name = 'sitting_of_run'";
    other.execute_batch(&format!("CREATE TABLE aside AS SELECT * {named}; DELETE {named};")).unwrap();
    drop(other);
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    other.execute("INSERT INTO sitting (record_no, began, boot) VALUES ('x', 'x', 'x')", []).unwrap();
    other.pragma_update(None, "writable_schema", true).unwrap();
    other.execute_batch("INSERT INTO sqlite_schema SELECT * FROM aside; DROP TABLE aside;").unwrap();
    drop(other);
    assert!(archive.journal().unwrap().1.is_empty(), "the lock is held, and it was read");
    drop(archive);
    let words = Archive::open(dir.path()).unwrap().journal().unwrap().1;
    assert!(words.iter().any(|words| words.contains("put aside")), "{words:?}");
}

#[test]
fn what_it_costs() {
    let record = a_record();
    let dir = tempfile::tempdir().unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    let mut keeper = InStep::new(begin(&mut archive, &record));
    let turns = 200;
    let begun = now();
    for part in record.raw.chunks(record.raw.len() / turns) {
        keeper.take(part);
        keeper.finish().unwrap();
    }
    let took = (now() - begun).secs();
    let count = record.raw.len() as f64;
    println!(
        "in step: {} events in {took:.3} s: {:.0} a second, {:.2} ms a commit of {:.0} events",
        record.raw.len(),
        count / took,
        took * 1e3 / turns as f64,
        count / turns as f64
    );
    assert_eq!(keeper.kept(false), Ok(record.raw.len() as u64));
    let size = fs::metadata(dir.path().join(FILE)).unwrap().len();
    let log = fs::metadata(dir.path().join("journal.sqlite-wal")).unwrap().len();
    println!(
        "on the disk: {size} bytes and {log} of its log, {:.0} bytes an event",
        (size + log) as f64 / count
    );
    keeper.into_book().stored("SIM-R-2026-000001").unwrap();

    // On a thread of its own: the conductor does not wait, and many events go into one commit.
    let other = tempfile::tempdir().unwrap();
    let mut archive = Archive::open(other.path()).unwrap();
    let mut writer = Writer::start(begin(&mut archive, &record));
    let begun = now();
    let mut longest = 0.0_f64;
    for event in &record.raw {
        let turn = now();
        writer.take(std::slice::from_ref(event));
        writer.kept(true).unwrap();
        longest = longest.max((now() - turn).secs());
    }
    writer.finish().unwrap();
    let took = (now() - begun).secs();
    println!(
        "own thread, somebody waiting for each: {:.0} events a second in {} commits; the conductor's longest turn {:.2} ms",
        count / took,
        writer.commits(),
        longest * 1e3
    );
    assert_eq!(writer.kept(false), Ok(record.raw.len() as u64));
    assert!(writer.commits() < record.raw.len() as u64);
}

#[test]
fn a_backup_is_the_data_folder_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let [data, copy, back] = ["data", "copy", "back"].map(|name| dir.path().join(name));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (data_text, copy_text, back_text) = (text(&data), text(&copy), text(&back));
    assert_eq!(phantomload(&["verify", "--data", &data_text]).status.code(), Some(0));
    left_with(&data, &a_record(), 1000);
    let made = phantomload(&["data", "backup", &copy_text, "--data", &data_text]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(String::from_utf8_lossy(&made.stdout).contains("are as they were written"));
    // Never over something.
    for (command, more) in
        [(["data", "backup", &copy_text], &data_text), (["data", "restore", &copy_text], &data_text)]
    {
        let [a, b, c] = command;
        let refused = phantomload(&[a, b, c, "--data", more]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("nothing is overwritten"), "{}", stderr(&refused));
    }
    let inside = text(&data.join("packages/backup"));
    assert!(stderr(&phantomload(&["data", "backup", &inside, "--data", &data_text])).contains("inside"));
    // And back: the same chain, the run still waits, and comes to its end.
    let restored = phantomload(&["data", "restore", &copy_text, "--data", &back_text]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    assert_eq!(fs::read(back.join("chain.jws")).unwrap(), fs::read(data.join("chain.jws")).unwrap());
    let resumed = phantomload(&["run", "resume", "--json", "--data", &back_text]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&copy), mode(&copy.join("key/device.key"))), (0o700, 0o600));
    }
    // A stick that lost a bit is told by the file's name, and nothing comes of it.
    let package = kill::only(&copy.join("packages"));
    let record = package.join("record.json");
    let mut bytes = fs::read(&record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&record, bytes).unwrap();
    let third = text(&dir.path().join("third"));
    let refused = phantomload(&["data", "restore", &copy_text, "--data", &third]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("record.json") && !Path::new(&third).exists(), "{}", stderr(&refused));
    // A list that leads elsewhere.
    let list = copy.join("backup.json");
    let evil = fs::read_to_string(&list).unwrap().replace("\"chain.jws\"", "\"../chain.jws\"");
    fs::write(&list, evil).unwrap();
    let refused = phantomload(&["data", "restore", &copy_text, "--data", &third]);
    assert!(stderr(&refused).contains("leads out of the folder"), "{}", stderr(&refused));
}

#[test]
fn a_backup_while_a_run_writes_opens_as_after_a_power_failure() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let record = a_record();
    // Held as a run holds it.
    let mut archive = Archive::open(&data).unwrap();
    let mut book = begin(&mut archive, &record);
    book.append(&record.raw[..500]).unwrap();
    let made = phantomload(&["data", "backup", copy.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(said.contains("while a run was writing") && said.contains("is open in it"), "{said}");
    book.append(&record.raw[500..600]).unwrap();
    let mut there = Archive::open(&copy).unwrap();
    let left = resume::settle(&mut there).unwrap().left.expect("its run waits");
    assert_eq!(left.run.log().len(), 500);
}
