//! Tests of the data folder.

use super::*;
use crate::certificate::csv::register_header;
use crate::certificate::sample;
use std::fs;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a run and gives its numbers.
fn open_run(archive: &mut Archive, simulated: bool, year: i16) -> (String, String) {
    let numbers = archive.open_run(simulated, year, BTreeMap::new()).unwrap();
    (numbers.record_no, numbers.certificate_no)
}

/// The record under the numbers of a run that is opened for it.
fn next(archive: &mut Archive, record: Record) -> Record {
    let (record_no, certificate_no) = open_run(archive, record.simulated, 2026);
    sample::numbered(record, &record_no, &certificate_no)
}

fn store(archive: &mut Archive, record: Record) -> Stored {
    let record = next(archive, record);
    archive.store(&record).unwrap()
}

/// The kinds of the entries of a chain, each link of which holds.
fn kinds(dir: &Path) -> Vec<String> {
    let mut kinds = vec![];
    chain::read(dir, |entry, _| kinds.push(entry.kind.to_string())).unwrap();
    kinds
}

#[test]
fn a_package_holds_the_record_and_its_papers() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let record = next(&mut archive, sample::completed(0.3));
    let stored = archive.store(&record).unwrap();
    assert_eq!(stored.package, dir.path().join("packages/SIM-2026-000001"));
    let mut names: Vec<_> = stored.files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    names.sort_unstable();
    for name in [
        "SIM-2026-000001_report.txt",
        "SIM-2026-000001_results.csv",
        "datapackage.json",
        "issue.json",
        "manifest.json",
        "manifest.json.p7s",
        "manifest.jws",
        "record.json",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(disk::names(&stored.package).unwrap(), names);
    let manifest = fs::read(stored.package.join("manifest.json")).unwrap();
    let entry = Entry::from_json(&manifest).unwrap();
    assert_eq!(papers::altered(&stored.package, &entry).unwrap(), Vec::<String>::new());
    assert_eq!((entry.verdict.as_deref(), entry.alg.as_str()), (Some("pass"), "ES256"));
    // The key was made for the demonstration; the run was known before its end.
    assert_eq!(kinds(dir.path()), ["key_change", "run_open", "verdict"]);
    let line = fs::read_to_string(stored.package.join("manifest.jws")).unwrap();
    assert!(fs::read_to_string(dir.path().join("chain.jws")).unwrap().ends_with(&(line + "\n")));
    let json = fs::read_to_string(&stored.record).unwrap();
    assert_eq!(Record::from_json("x", &json).unwrap(), record);
    let rows = list(dir.path()).unwrap();
    assert_eq!((rows.len(), rows[0].line(), rows[0].get("seq")), (1, 2, "1"));
    assert_eq!(rows[0].get("record_json_sha256"), sha256(json.as_bytes()));
    let results = fs::read(stored.package.join("SIM-2026-000001_results.csv")).unwrap();
    assert_eq!(rows[0].get("results_csv_sha256"), sha256(&results));
    assert_eq!(rows[0].get("manifest_sha256"), sha256(&manifest));
    let clock = super::clock::clock().source;
    assert_eq!((rows[0].get("status"), rows[0].get("clock_sync")), ("draft", clock.as_str()));
    assert!(table(&rows).contains("PASS SIMULATED"));
    assert!(serde_json::to_string(&rows).unwrap().starts_with("[{\"schema_version\":\"1\",\"seq\":\"1\""));
    assert_eq!(archive.notices(), <[String; 0]>::default());
}

#[test]
fn no_number_is_used_twice_also_after_reopening() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    store(&mut archive, sample::completed(0.3));
    store(&mut archive, sample::aborted());
    drop(archive);
    let mut archive = Archive::open(dir.path()).unwrap();
    // The aborted run has used both its numbers; the chain says so.
    let stored = store(&mut archive, sample::completed(2.0));
    assert!(stored.package.ends_with("SIM-2026-000003"));
    // Other years and benches count by themselves; the register counts all.
    let (record_no, certificate_no) = open_run(&mut archive, true, 2027);
    assert_eq!((record_no.as_str(), certificate_no.as_str()), ("SIM-R-2027-000001", "SIM-2027-000001"));
    archive.store(&sample::numbered(sample::completed(0.3), &record_no, &certificate_no)).unwrap();
    store(&mut archive, sample::real(0.3));
    let seqs: Vec<_> = list(dir.path())
        .unwrap()
        .iter()
        .map(|r| format!("{} {}", r.get("seq"), r.get("record_no")))
        .collect();
    let expected =
        ["1 SIM-R-2026-000001", "2 SIM-R-2026-000003", "3 SIM-R-2027-000001", "4 PL-R-2026-000001"];
    assert_eq!(seqs, expected);
    // A folder that is gone leaves its numbers in the chain.
    fs::remove_dir_all(dir.path().join("packages/SIM-2026-000003")).unwrap();
    drop(archive);
    let mut archive = Archive::open(dir.path()).unwrap();
    assert_eq!(open_run(&mut archive, true, 2026).1, "SIM-2026-000004");
}

#[test]
fn only_the_run_that_is_open_is_stored() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let first = next(&mut archive, sample::completed(0.3));
    assert!(archive.open_run(true, 2026, BTreeMap::new()).unwrap_err().to_string().contains("still open"));
    archive.store(&first).unwrap();
    let fault = archive.store(&first).unwrap_err().to_string();
    assert!(fault.contains("SIM-R-2026-000001 was not opened"), "{fault}");
    let (record_no, _) = open_run(&mut archive, true, 2026);
    let fault =
        archive.store(&sample::numbered(sample::completed(0.3), &record_no, "SIM-2026-000001")).unwrap_err();
    assert!(fault.to_string().contains("the run was opened as SIM-2026-000002"), "{fault}");
    assert_eq!(
        (list(dir.path()).unwrap().len(), disk::names(&dir.path().join(PACKAGES)).unwrap().len()),
        (1, 1)
    );
}

#[test]
#[expect(clippy::useless_vec, reason = "so many records are too large for the stack")]
fn a_number_that_does_not_fit_the_run_is_refused() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let mut unmarked = sample::numbered(sample::completed(0.3), "PL-R-2026-000001", "PL-2026-000001");
    unmarked.simulated = false;
    let mut without = sample::completed(0.3);
    without.certificate_no = None;
    let mut early = sample::aborted();
    early.certificate_no = Some("SIM-2026-000001".into());
    for (record, words) in vec![
        (
            sample::numbered(sample::completed(0.3), "PL-R-2026-000001", "PL-2026-000001"),
            "the run is simulated",
        ),
        (sample::numbered(sample::completed(0.3), "SIM-R-2026-000001", "../../etc"), "is no number"),
        (sample::numbered(sample::completed(0.3), "SIM-2026-000001", "SIM-2026-000001"), "have an R"),
        (unmarked, "does not say SIMULATED"),
        (without, "has no certificate number"),
        (early, "was not completed"),
    ] {
        let fault = archive.store(&record).unwrap_err().to_string();
        assert!(fault.contains(words), "{fault}");
    }
    assert!(list(dir.path()).unwrap().is_empty());
}

#[test]
fn a_run_that_was_not_completed_is_kept_without_papers() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for record in [sample::aborted(), sample::faulted()] {
        let stored = store(&mut archive, record);
        assert!(stored.package.starts_with(dir.path().join("unfinished")));
        assert_eq!(stored.files.len(), 2);
    }
    assert!(!dir.path().join("register.csv").exists());
    assert_eq!(kinds(dir.path())[1..], ["run_open", "aborted", "run_open", "aborted"]);
    assert!(
        find(dir.path(), "SIM-R-2026-000002").unwrap().ends_with("unfinished/SIM-R-2026-000002/record.json")
    );
}

#[test]
fn a_second_instance_is_told_who_holds_the_lock() {
    let dir = folder();
    let archive = Archive::open(dir.path()).unwrap();
    let fault = Archive::open(dir.path()).unwrap_err().to_string();
    assert!(
        fault.contains("another instance") && fault.contains(&dir.path().display().to_string()),
        "{fault}"
    );
    // Reading needs no lock.
    assert!(list(dir.path()).unwrap().is_empty());
    drop(archive);
    Archive::open(dir.path()).unwrap();
}

#[test]
fn every_torn_tail_is_moved_away_and_its_row_made_anew() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    store(&mut archive, sample::completed(0.3));
    let register = dir.path().join("register.csv");
    let one = fs::read(&register).unwrap();
    let mut record = next(&mut archive, sample::completed(2.0));
    record.plan.entries.customer = "two\r\nlines, \"quoted\"".into();
    archive.store(&record).unwrap();
    drop(archive);
    let two = fs::read(&register).unwrap();
    let mut torn = 0;
    for length in (0..two.len()).step_by(67).chain([one.len() - 1, two.len() - 1, two.len() - 2]) {
        fs::write(&register, &two[..length]).unwrap();
        let is_whole = length == 0 || length == one.len() || two[..length] == register_header().unwrap();
        if !is_whole {
            let fault = list(dir.path()).unwrap_err().to_string();
            assert!(fault.contains("line ") && fault.contains("breaks off"), "{fault}");
        }
        let archive = Archive::open(dir.path()).unwrap();
        torn += usize::from(!is_whole);
        let tails = disk::names(dir.path())
            .unwrap()
            .into_iter()
            .filter(|n| n.starts_with("register.csv.torn-"))
            .count();
        assert_eq!(tails, torn, "{length}: {:?}", archive.notices());
        assert_eq!(archive.notices().iter().any(|n| n.contains("torn")), !is_whole);
        drop(archive);
        assert_eq!(fs::read(&register).unwrap(), two, "cut at {length}");
    }
}

#[test]
fn a_quote_lost_in_an_editor_is_no_torn_row() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..3 {
        store(&mut archive, sample::completed(0.3));
    }
    drop(archive);
    let register = dir.path().join("register.csv");
    let text = fs::read_to_string(&register).unwrap().replacen("SIM-DC1", "\"SIM-DC1", 1);
    fs::write(&register, &text).unwrap();
    let fault = Archive::open(dir.path()).unwrap_err().to_string();
    assert!(fault.contains("line 2: a quote is missing"), "{fault}");
    assert_eq!(fs::read_to_string(&register).unwrap(), text);
}

#[test]
fn a_broken_row_is_named_by_its_line() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..2 {
        store(&mut archive, sample::completed(0.3));
    }
    let register = dir.path().join("register.csv");
    let good = fs::read_to_string(&register).unwrap();
    let second = good.match_indices("\r\n1,").nth(1).unwrap().0;
    let (head, tail) = good.split_at(second);
    let columns = crate::certificate::csv::REGISTER_HEADER.len();
    let cells = format!("line 3: {} cells, there must be {columns}", columns - 1);
    for (from, to, words) in [
        ("1,2,SIM", "1,two,SIM", "line 3: seq is `two`"),
        ("draft,pass", "draft,PASS", "line 3: verdict is `PASS`"),
        ("draft,", "", cells.as_str()),
    ] {
        fs::write(&register, head.to_owned() + &tail.replacen(from, to, 1)).unwrap();
        let fault = list(dir.path()).unwrap_err().to_string();
        assert!(fault.contains(words), "{fault}");
    }
    fs::write(&register, good.replacen("schema_version", "version", 1)).unwrap();
    assert!(list(dir.path()).unwrap_err().to_string().contains("line 1: this is not the header"));
    assert!(archive.store(&next_blind()).is_err(), "nothing is appended to a register of another form");
    assert_eq!(disk::names(&dir.path().join(PACKAGES)).unwrap().len(), 2);
}

fn next_blind() -> Record {
    sample::numbered(sample::completed(0.3), "SIM-R-2026-000009", "SIM-2026-000009")
}

#[test]
fn what_a_crash_left_is_removed_and_told() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let stored = store(&mut archive, sample::completed(0.3));
    drop(archive);
    let half = dir.path().join("packages/.tmp-SIM-2026-000002");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("record.json"), "{").unwrap();
    fs::write(dir.path().join(".tmp-register.csv.torn-1"), "x").unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    assert_eq!(archive.notices().len(), 2, "{:?}", archive.notices());
    assert!(!half.exists() && stored.record.exists());
    assert_eq!(open_run(&mut archive, true, 2026).1, "SIM-2026-000002");
}

#[test]
fn a_damaged_package_without_row_is_told_and_its_number_stays_used() {
    let dir = folder();
    let broken = dir.path().join("packages/SIM-2026-000007");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("record.json"), "{\"record_no\":\"SIM-R-2026-000009\"}").unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    assert!(archive.notices()[0].contains("none can be made"), "{:?}", archive.notices());
    let numbers = open_run(&mut archive, true, 2026);
    assert_eq!(numbers, ("SIM-R-2026-000010".to_owned(), "SIM-2026-000008".to_owned()));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let fault = Archive::open(&file.join("data")).unwrap_err().to_string();
    assert!(
        fault.contains("file/data") && fault.contains("the data folder") && fault.contains("--data"),
        "{fault}"
    );
    let full = Fault::write(Path::new("/x/record.json"), "a file", &std::io::ErrorKind::StorageFull.into())
        .to_string();
    assert!(full.contains("Free some space"), "{full}");
}

#[test]
fn a_package_that_cannot_be_written_leaves_nothing_behind() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    // With a photograph of a seal, which its papers must have with them.
    let (name, picture) = ("photograph-before-1.png".to_owned(), b"a picture".to_vec());
    let mut photographed = sample::completed(0.3);
    let seal = |name: &str| crate::plan::seal::Seal {
        place: "meter cover".into(),
        number: "A1".into(),
        state: crate::plan::seal::State::Intact,
        remark: String::new(),
        photograph: Some(name.into()),
        photograph_sha256: Some(sha256(b"a picture")),
    };
    photographed.plan.entries.seal.push(seal(&name));
    let record = next(&mut archive, photographed);
    // A file stands where the packages should be.
    fs::remove_dir(dir.path().join(PACKAGES)).unwrap();
    fs::write(dir.path().join(PACKAGES), "x").unwrap();
    let fault = archive.store_with(&record, &[(name.clone(), picture.clone())]).unwrap_err();
    assert!(matches!(fault, Fault::NotStored { .. }), "{fault}");
    fs::remove_file(dir.path().join(PACKAGES)).unwrap();
    fs::create_dir(dir.path().join(PACKAGES)).unwrap();
    // A file whose name is too long for any file system fails after the first one was written.
    let files = [("a".to_owned(), vec![1]), ("b".repeat(5000), vec![2])];
    assert!(disk::store_folder(&dir.path().join(PACKAGES), "SIM-2026-000001", &files).is_err());
    assert!(fs::read_dir(dir.path().join(PACKAGES)).unwrap().next().is_none());
    // The verdict stands in the chain; the papers come later, of that very record only.
    drop(archive);
    let mut archive = Archive::open(dir.path()).unwrap();
    assert_eq!(kinds(dir.path())[1..], ["run_open", "verdict"]);
    let mut other = record.clone();
    other.plan.entries.customer = "somebody else".into();
    let fault = archive.bring_in(&other, &record_bytes(&other).unwrap()).unwrap_err().to_string();
    assert!(fault.contains("it was altered"), "{fault}");
    let fault = archive.bring_in(&record, &record_bytes(&record).unwrap()).unwrap_err().to_string();
    assert!(
        fault.contains("the photograph photograph-before-1.png") && fault.contains("put it beside"),
        "{fault}"
    );
    // It lies beside the file in which the record was kept.
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join(&name), &picture).unwrap();
    let beside = photographs_beside(&kept.join("record.json"), &record).unwrap();
    let stored = archive.bring_in_with(&record, &record_bytes(&record).unwrap(), &beside).unwrap();
    assert!(stored.package.ends_with("papers/SIM-2026-000001"));
    assert_eq!(fs::read(stored.package.join(&name)).unwrap(), picture);
    assert_eq!(list(dir.path()).unwrap()[0].get("status"), "draft");
    let fault = archive.bring_in(&record, &record_bytes(&record).unwrap()).unwrap_err().to_string();
    assert!(fault.contains("made already"), "{fault}");
}

#[test]
fn a_package_whose_row_was_never_written_is_registered_at_the_next_open() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    store(&mut archive, sample::completed(0.3));
    let register = dir.path().join("register.csv");
    let one = fs::read(&register).unwrap();
    store(&mut archive, sample::completed(2.0));
    let two = fs::read(&register).unwrap();
    drop(archive);
    for length in [0, one.len()] {
        fs::write(&register, &two[..length]).unwrap();
        let archive = Archive::open(dir.path()).unwrap();
        assert!(archive.notices().iter().all(|n| n.contains("it was added")), "{:?}", archive.notices());
        assert_eq!(archive.notices().len(), if length == 0 { 2 } else { 1 });
        assert_eq!(fs::read(&register).unwrap(), two);
    }
}

#[test]
fn a_full_disk_is_told_with_what_to_do() {
    let full = Path::new("/dev/full");
    if full.exists() {
        let fault = disk::append(full, "a row of the register", b"x").unwrap_err().to_string();
        assert!(
            fault.contains("/dev/full: a row of the register") && fault.contains("Free some space"),
            "{fault}"
        );
    }
}

#[test]
fn a_record_is_found_by_every_name_it_has() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let stored = store(&mut archive, sample::completed(0.3));
    for name in [
        "SIM-2026-000001",
        "SIM-R-2026-000001",
        stored.package.to_str().unwrap(),
        stored.record.to_str().unwrap(),
    ] {
        assert_eq!(find(dir.path(), name).unwrap(), stored.record, "{name}");
    }
    for name in ["SIM-2026-000002", "..", "nonsense"] {
        assert!(find(dir.path(), name).unwrap_err().to_string().contains("certificate list"), "{name}");
    }
}

#[test]
fn names_of_every_script_come_back_from_the_register() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let names = [
        "a \"b\", c",
        "two\nlines",
        "two\r\nlines",
        "充电站",
        "⚡🔌",
        "=1+1",
        "+86",
        "-5",
        "@x",
        "\tx",
        "\rx",
    ];
    for name in names {
        let mut record = next(&mut archive, sample::completed(-0.3));
        name.clone_into(&mut record.plan.entries.customer);
        archive.store(&record).unwrap();
    }
    let rows = list(dir.path()).unwrap();
    assert_eq!(rows.iter().map(|row| row.get("customer")).collect::<Vec<_>>(), names);
    assert!(rows.iter().all(|row| row.get("worst_error_percent").starts_with("-0.")));
    let raw = fs::read_to_string(dir.path().join("register.csv")).unwrap();
    assert!(raw.contains(",-0.2990,1.0,") && raw.contains(",'=1+1,") && !raw.contains(",'-0."), "{raw}");
    for line in table(&rows).lines() {
        assert!(!line.contains(char::is_control));
    }
}

#[test]
fn a_run_that_was_never_ended_is_aborted_at_the_next_open() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let numbers = open_run(&mut archive, true, 2026);
    drop(archive);
    let mut archive = Archive::open(dir.path()).unwrap();
    assert!(archive.notices()[0].contains("the program ended in it"), "{:?}", archive.notices());
    assert_eq!(kinds(dir.path()), ["key_change", "run_open", "aborted"]);
    // It is too late for its record, and its numbers stay used.
    let late = sample::numbered(sample::completed(0.3), &numbers.0, &numbers.1);
    assert!(matches!(archive.store(&late), Err(Fault::NotOpened { .. })));
    let fault = archive.bring_in(&late, &record_bytes(&late).unwrap()).unwrap_err().to_string();
    assert!(fault.contains("knows no completed run"), "{fault}");
    assert_eq!(open_run(&mut archive, true, 2026).1, "SIM-2026-000002");
}

#[test]
fn the_power_may_fail_at_each_step_of_storing() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    store(&mut archive, sample::completed(0.3));
    let (chain_file, register) = (dir.path().join("chain.jws"), dir.path().join("register.csv"));
    let record = next(&mut archive, sample::completed(2.0));
    let before = (fs::read(&chain_file).unwrap(), fs::read(&register).unwrap());
    archive.store(&record).unwrap();
    drop(archive);
    let after = (fs::read(&chain_file).unwrap(), fs::read(&register).unwrap());
    // After the package: neither entry nor row. After the entry: no row. In the middle of either.
    let half = |before: &[u8], after: &[u8]| after[..usize::midpoint(before.len(), after.len())].to_vec();
    for (chain_now, register_now) in [
        (before.0.clone(), before.1.clone()),
        (half(&before.0, &after.0), before.1.clone()),
        (after.0.clone(), before.1.clone()),
        (after.0.clone(), half(&before.1, &after.1)),
    ] {
        fs::write(&chain_file, chain_now).unwrap();
        fs::write(&register, register_now).unwrap();
        let archive = Archive::open(dir.path()).unwrap();
        assert!(!archive.notices().is_empty());
        drop(archive);
        assert_eq!(Archive::open(dir.path()).unwrap().notices(), <[String; 0]>::default());
        assert_eq!((fs::read(&chain_file).unwrap(), fs::read(&register).unwrap()), after);
    }
    // Before the package: the run is aborted, and no package is without a verdict.
    fs::remove_dir_all(dir.path().join("packages/SIM-2026-000002")).unwrap();
    fs::write(&chain_file, &before.0).unwrap();
    fs::write(&register, &before.1).unwrap();
    drop(Archive::open(dir.path()).unwrap());
    assert_eq!(kinds(dir.path()).last().unwrap(), "aborted");
    assert_eq!(fs::read(&register).unwrap(), before.1);
}

#[test]
fn nothing_is_written_on_a_chain_that_was_changed() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..3 {
        store(&mut archive, sample::completed(0.3));
    }
    drop(archive);
    let path = dir.path().join("chain.jws");
    let good = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().concat();
    let swapped = {
        let mut lines = lines.clone();
        lines.swap(3, 4);
        lines.concat()
    };
    for (changed, line) in [
        (without(2), 3),
        (swapped, 4),
        (good.replacen(lines[4], "nonsense\n", 1), 5),
        (good.clone() + lines[6], 8),
    ] {
        fs::write(&path, &changed).unwrap();
        let fault = Archive::open(dir.path()).unwrap_err().to_string();
        assert!(fault.contains(&format!("line {line}:")) && fault.contains("backup"), "{fault}");
        assert_eq!(fs::read_to_string(&path).unwrap(), changed, "nothing was mended");
    }
    fs::write(&path, &good).unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    let record = next(&mut archive, sample::completed(0.3));
    fs::write(&path, &good).unwrap();
    let fault = archive.store(&record).unwrap_err().to_string();
    assert!(fault.contains("bytes where it had"), "{fault}");
}

mod forged;
mod left;
mod missing;
mod reread;
