//! What a crash or a power failure leaves between two steps is finished or cleared up by whoever holds the lock, and left
//! alone by whoever only reads.

use super::*;
use crate::archive::persons::{For, Persons};
use crate::certificate::issue::Role;

const PIN: &str = "314159";

/// Lays a change ready in which this person is added, and gives its SHA-256.
fn lay_ready(archive: &Archive, name: &str) -> (Persons, String) {
    let mut persons = Persons::load(&archive.dir, &archive.chain.state).unwrap();
    persons.add(name, &[Role::Checker], PIN).unwrap();
    let sha256 = persons.lay_ready().unwrap();
    (persons, sha256)
}

fn enter(archive: &mut Archive, sha256: &str) {
    archive.write(Kind::ConfigChange, About::default().say("persons", sha256)).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    persons(dir).unwrap().into_iter().map(|person| person.name).collect()
}

#[test]
fn a_change_of_persons_is_whole_whoever_reads_between_its_steps() {
    let dir = folder();
    let next = dir.path().join("persons.next.json");
    let mut archive = Archive::open(dir.path()).unwrap();
    archive.add_person("Ann", &[Role::Verifier], PIN, None).unwrap();
    // Laid ready, its entry not written: what readers see is the old list, and they leave the new one there.
    let (change, sha256) = lay_ready(&archive, "Bob");
    assert_eq!(names(dir.path()), ["Ann"]);
    assert_eq!(who_has_pin(dir.path(), PIN).unwrap().as_deref(), Some("Ann"));
    assert!(next.exists());
    // Its entry written, its name not given.
    enter(&mut archive, &sha256);
    assert_eq!(names(dir.path()), ["Ann", "Bob"]);
    archive.identify("Bob", For::Role(Role::Checker), PIN).unwrap();
    change.settle().unwrap();
    assert_eq!(names(dir.path()), ["Ann", "Bob"]);
    assert!(!next.exists());
    // The power fails after the entry: the next change does not overwrite it.
    let (_, sha256) = lay_ready(&archive, "Cai");
    enter(&mut archive, &sha256);
    archive.add_person("Dan", &[Role::Verifier], PIN, None).unwrap();
    assert_eq!(names(dir.path()), ["Ann", "Bob", "Cai", "Dan"]);
    // Or the program starts again; and before the entry nothing has changed.
    let (_, sha256) = lay_ready(&archive, "Eve");
    enter(&mut archive, &sha256);
    drop(archive);
    let archive = Archive::open(dir.path()).unwrap();
    assert!(!next.exists());
    assert_eq!(names(dir.path()).len(), 5);
    lay_ready(&archive, "Fay");
    drop(archive);
    Archive::open(dir.path()).unwrap();
    assert!(!next.exists());
    assert_eq!(names(dir.path()).len(), 5);
}

/// The last entry of a chain.
fn last(dir: &Path) -> Entry {
    let mut last = None;
    chain::read(dir, |entry, _| last = Some(entry.clone())).unwrap();
    last.unwrap()
}

#[test]
fn a_pre_check_whose_record_was_stored_before_its_entry_ends_with_that_record() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let mut record = sample::completed(0.3);
    record.plan.pre_check = true;
    (record.certificate_no, record.results.verdict) = (None, None);
    let record = next(&mut archive, record);
    let chain_file = dir.path().join("chain.jws");
    let before = fs::read(&chain_file).unwrap();
    archive.store(&record).unwrap();
    let stored = last(dir.path());
    drop(archive);
    fs::write(&chain_file, before).unwrap();
    drop(Archive::open(dir.path()).unwrap());
    let again = last(dir.path());
    assert_eq!((again.kind, &again.files), (Kind::Aborted, &stored.files));
    assert!(again.files.contains_key(RECORD));
    assert_eq!(
        (again.said.get("ended"), again.said.get("reason")),
        (stored.said.get("ended"), stored.said.get("reason"))
    );
    assert_eq!(again.said["ended"], "pre_check");
    check_folder(dir.path()).unwrap();
}

#[test]
fn a_lock_that_is_about_to_go_is_waited_for() {
    let dir = folder();
    let archive = Archive::open(dir.path()).unwrap();
    let both = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| {
            both.wait();
            Archive::open(dir.path()).map(drop)
        });
        both.wait();
        drop(archive);
        next.join().unwrap().unwrap();
    });
}
