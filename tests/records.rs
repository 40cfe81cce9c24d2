//! Records, journals and data folders of every released version open for ever.
//!
//! If this test fails, do not change the file: somebody's evidence is in the same form. A new version gets a new file
//! beside the old ones (`cargo test --test records -- --ignored` makes those of the present version under other names).

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::archive::journal::{self, Header, Way};
use phantomload::archive::{Archive, opening, persons};
use phantomload::bench::resume;
use phantomload::certificate::likeness::same_but_last_bits;
use phantomload::certificate::record::{Outcome, Program, Record};
use phantomload::regulation::Kind;
use phantomload::run::recompute;
use phantomload::verdict::Verdict;
use rusqlite::Connection;
use simulated::{plan_of, record_of, rig, started};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records")
}

/// Takes a kept file out of its archive.
fn unpack(name: &str, to: &Path) {
    let mut archive = zip::ZipArchive::new(File::open(folder().join(name)).unwrap()).unwrap();
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).unwrap();
        let path = to.join(file.enclosed_name().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).unwrap();
        fs::write(&path, bytes).unwrap();
        // As the program leaves them: nobody else reads its secrets.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_record_of_version_1_opens_and_recomputes_to_the_last_bits() {
    let dir = tempfile::tempdir().unwrap();
    unpack("record-1.zip", dir.path());
    let text = fs::read_to_string(dir.path().join("record.json")).unwrap();
    let record = Record::from_json("record-1", &text).unwrap();
    assert_eq!((&record.outcome, record.results.verdict), (&Outcome::Completed, Some(Verdict::Pass)));
    let (outcome, results) = recompute(&record);
    assert_eq!(outcome.as_ref(), Some(&record.outcome));
    // What a later version says beside it may be more; every number is the same.
    let numbers = |results: &phantomload::certificate::record::Results| -> Vec<_> {
        let items = results.items.iter();
        items
            .map(|i| {
                (i.item, i.verdict, i.measured.as_ref().map(|m| (m.estimate.value.to_bits(), m.rounded)))
            })
            .collect()
    };
    assert_eq!(numbers(&results), numbers(&record.results));
    assert!(
        same_but_last_bits(&results.items, &record.results.items),
        "by an earlier order of the same sums"
    );
    assert_eq!(results.verdict, record.results.verdict);
    // Nothing of it is lost on the way through this version.
    let again = Record::from_json("again", &record.to_json().unwrap()).unwrap();
    assert_eq!(again.raw, record.raw);
}

#[test]
fn a_data_folder_of_version_1_opens_with_its_interrupted_run() {
    let dir = tempfile::tempdir().unwrap();
    unpack("data-1.zip", dir.path());
    // Its journal is listed as it is, before anybody opens it for writing.
    let listed = journal::list(dir.path()).unwrap();
    assert_eq!((listed.len(), listed[0].events, listed[0].given_up.as_ref()), (1, 1500, None));
    let mut archive = Archive::open(dir.path()).unwrap();
    assert_eq!(archive.notices(), <[String; 0]>::default());
    let left = resume::settle(&mut archive).unwrap().left.expect("its run waits");
    assert_eq!(left.kept.header.record_no, "SIM-R-2026-000001");
    assert_eq!(left.run.log().len(), 1500);
    assert!(left.words().contains("202611210001"), "{}", left.words());
    let stored = left.close(&mut archive, "", started(), "the test is over").unwrap();
    let record = fs::read_to_string(stored.record).unwrap();
    let record = Record::from_json("closed", &record).unwrap();
    assert!(matches!(record.outcome, Outcome::Aborted { .. }));
    assert_eq!(record.raw.len(), 1501);
    assert!(persons(dir.path()).unwrap().is_empty());
}

#[test]
fn a_journal_of_version_1_is_taken_on_with_what_had_ended_in_it() {
    let dir = tempfile::tempdir().unwrap();
    unpack("data-1.zip", dir.path());
    let asked = |what: &str| -> String {
        let journal = Connection::open(dir.path().join(journal::FILE)).unwrap();
        journal.query_row(what, [], |row| row.get(0)).unwrap()
    };
    assert!(asked("SELECT header FROM run").len() > 10_000);
    // As the program of then left it when the record was stored: with its header.
    let journal = Connection::open(dir.path().join(journal::FILE)).unwrap();
    journal
        .execute_batch("UPDATE run SET ended = '2026-11-21T10:00:00.000+08:00'; DELETE FROM batch;")
        .unwrap();
    drop(journal);
    let stored = journal::list(dir.path()).unwrap()[0].stored.clone();
    assert!(stored.is_some());
    drop(Archive::open(dir.path()).unwrap());
    assert_eq!(asked("SELECT header FROM run"), "");
    assert_eq!(journal::list(dir.path()).unwrap()[0].stored, stored);
}

fn pack(name: &str, from: &Path) {
    let mut files = vec![];
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    fs::create_dir_all(folder()).unwrap();
    let mut archive = zip::ZipWriter::new(File::create_new(folder().join(name)).unwrap());
    for file in files {
        let inside = file.strip_prefix(from).unwrap().to_str().unwrap().to_owned();
        if ["lock", "chain.reserve"].contains(&inside.as_str()) {
            continue;
        }
        archive.start_file(inside, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&fs::read(file).unwrap()).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
#[ignore = "makes the kept files of a new version; those that are there are never overwritten"]
fn make_the_files_of_this_version() {
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::InService);
    let record = record_of(&rig, plan.clone(), 1);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("record.json"), record.to_json().unwrap() + "\n").unwrap();
    pack("record-new.zip", dir.path());

    let dir = tempfile::tempdir().unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    let numbers = archive.open_run(true, 2026, opening(&plan, "no text")).unwrap();
    let (mut book, _) = archive.journal().unwrap();
    let header = Header {
        record_no: numbers.record_no,
        certificate_no: numbers.certificate_no,
        simulated: true,
        program: Program::this(),
        started: record.started,
        began: record.began,
        way: Way { bench: "simulated".into(), meter: Some("good".into()), text: None, seed: 1, pace: None },
        plan,
    };
    book.begin(&header, "boot", &[]).unwrap();
    for events in record.raw[..1500].chunks(100) {
        book.append(events).unwrap();
    }
    drop((book, archive));
    pack("data-new.zip", dir.path());
}
