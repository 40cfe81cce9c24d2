//! What the chain names and is not there, or not as it was, is told; and what follows from it is not guessed.

use super::*;
use crate::certificate::issue::{Field, Role};
use crate::certificate::record::Seals;
use crate::plan::seal::{Events, History, Kept as Counted};

const PIN: &str = "314159";
const SIGNERS: [(&str, Role); 3] = [("Ann", Role::Verifier), ("Bob", Role::Checker), ("Cai", Role::Approver)];

/// A data folder with three persons.
fn desk() -> (TempDir, Archive) {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for (name, role) in SIGNERS {
        archive.add_person(name, &[role], PIN, None).unwrap();
    }
    (dir, archive)
}

fn sign_and_issue(archive: &mut Archive, number: &str) {
    for (name, role) in SIGNERS {
        archive.sign(number, role, name, PIN).unwrap();
    }
    archive.issue(number).unwrap();
}

/// A run of the sample's meter that tells of so many openings, and passes.
fn passed(archive: &mut Archive, openings: Option<u32>) -> String {
    let mut record = sample::completed(0.3);
    let told = |kept| Events { kept, count: openings, last: None, lasts: false, absent: None };
    record.results.seals = Some(Seals { events: Counted::ALL.map(told).into(), waiting: vec![] });
    let numbers = archive.open_run(true, 2026, opening(&record.plan, "00")).unwrap();
    let record = sample::numbered(record, &numbers.record_no, &numbers.certificate_no);
    archive.store(&record).unwrap();
    numbers.certificate_no
}

fn history(dir: &Path) -> Result<History, Fault> {
    seal_history(dir, &sample::completed(0.3).plan.nameplate, true)
}

/// The paper that it goes by, and the openings that it knows of.
fn known(dir: &Path) -> Option<(String, Option<u32>)> {
    let last = history(dir).unwrap().last?;
    assert_eq!(last.status, standing(dir, &last.certificate_no).unwrap().status.to_string());
    Some((last.certificate_no, last.events[0].count))
}

/// The next entry of a chain as somebody would write it who has no key.
fn unsigned(dir: &Path, kind: Kind, of: &Entry) -> Entry {
    let mut last = None;
    let state = chain::read(dir, |entry, _| last = Some(entry.clone())).unwrap();
    let (alg, key_id) = (sign::NONE.to_owned(), String::new());
    Entry { seq: state.seq + 1, prev: state.head, kind, alg, key_id, time: last.unwrap().time, ..of.clone() }
}

fn append(dir: &Path, entry: &Entry) {
    let path = dir.join("chain.jws");
    let line = entry.line(None).unwrap();
    fs::write(&path, fs::read_to_string(&path).unwrap() + &line + "\n").unwrap();
}

#[test]
fn a_pass_that_nobody_has_signed_says_nothing_of_the_seals() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let first = passed(&mut archive, Some(0));
    drop(archive);
    assert_eq!(known(dir.path()), Some((first.clone(), Some(0))));
    // Somebody opens the meter three times, and writes himself a run that knew of it.
    let mut entries = vec![];
    chain::read(dir.path(), |entry, _| entries.push(entry.clone())).unwrap();
    let of = |kind| entries.iter().find(|entry: &&Entry| entry.kind == kind).unwrap().clone();
    let numbers = (Some("SIM-R-2026-000002".to_owned()), Some("SIM-2026-000002".to_owned()));
    let mut begun = unsigned(dir.path(), Kind::RunOpen, &of(Kind::RunOpen));
    (begun.record, begun.cert) = numbers.clone();
    append(dir.path(), &begun);
    let path = find(dir.path(), &first).unwrap();
    let text = fs::read_to_string(path).unwrap().replace("\"count\":0", "\"count\":3");
    let forged = dir.path().join(PACKAGES).join("SIM-2026-000002");
    fs::create_dir(&forged).unwrap();
    fs::write(forged.join(RECORD), &text).unwrap();
    let mut verdict = unsigned(dir.path(), Kind::Verdict, &of(Kind::Verdict));
    (verdict.record, verdict.cert) = numbers;
    verdict.files.insert(RECORD.into(), sha256(text.as_bytes()));
    append(dir.path(), &verdict);
    assert_eq!(known(dir.path()), Some((first.clone(), Some(0))));
    // Nor does he make the true one doubtful by its own number.
    let mut again = unsigned(dir.path(), Kind::Verdict, &of(Kind::Verdict));
    again.files.insert(RECORD.into(), sha256(text.as_bytes()));
    append(dir.path(), &again);
    assert_eq!(known(dir.path()), Some((first, Some(0))));
}

#[test]
fn the_record_of_the_last_pass_is_needed_and_any_copy_of_it_will_do() {
    let (dir, mut archive) = desk();
    let first = passed(&mut archive, Some(0));
    let second = passed(&mut archive, Some(2));
    assert_eq!(known(dir.path()), Some((second.clone(), Some(2))));
    let package = |folder: &str, number: &str| dir.path().join(folder).join(number);
    let away = dir.path().join("away");
    // Everything was told by the newest: what is older is not even looked at.
    fs::rename(package(PACKAGES, &first), &away).unwrap();
    assert_eq!(known(dir.path()), Some((second.clone(), Some(2))));
    fs::rename(&away, package(PACKAGES, &first)).unwrap();
    // Gone, or one bit of it.
    let told = || history(dir.path()).unwrap_err().to_string();
    fs::rename(package(PACKAGES, &second), &away).unwrap();
    assert!(told().contains(&second) && told().contains("from a backup"), "{}", told());
    fs::rename(&away, package(PACKAGES, &second)).unwrap();
    let record = package(PACKAGES, &second).join(RECORD);
    let good = fs::read(&record).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(&record, bad).unwrap();
    assert!(told().contains(&second), "{}", told());
    fs::write(&record, good).unwrap();
    // Its status, and its number where it was amended; then the record lies there three times.
    assert_eq!(history(dir.path()).unwrap().last.unwrap().status, "draft");
    for (name, role) in &SIGNERS[..2] {
        archive.sign(&second, *role, name, PIN).unwrap();
    }
    assert_eq!(history(dir.path()).unwrap().last.unwrap().status, "checked");
    archive.sign(&second, Role::Approver, "Cai", PIN).unwrap();
    archive.issue(&second).unwrap();
    let set = [(Field::Customer, "another".to_owned())];
    let (amended, _) = archive.amend(&second, "a misprint", &set, "Cai", PIN).unwrap();
    assert_eq!(known(dir.path()), Some((second.clone(), Some(2))));
    sign_and_issue(&mut archive, &amended);
    assert_eq!(known(dir.path()), Some((amended.clone(), Some(2))));
    for folder in [ISSUED, PAPERS] {
        fs::remove_dir_all(package(folder, &amended)).unwrap();
        assert_eq!(known(dir.path()), Some((amended.clone(), Some(2))), "{folder}");
    }
    fs::remove_dir_all(package(ISSUED, &second)).unwrap();
    assert_eq!(known(dir.path()), Some((amended, Some(2))));
}

#[test]
fn a_withdrawn_paper_and_one_that_never_came_into_the_folder_stop_no_run() {
    let (dir, mut archive) = desk();
    let first = passed(&mut archive, Some(1));
    let second = passed(&mut archive, None);
    // Silence of the newer one is filled from the older one, as long as that is here.
    assert_eq!(known(dir.path()), Some((second.clone(), Some(1))));
    sign_and_issue(&mut archive, &second);
    archive.withdraw(&second, "wrong meter", "Cai", PIN).unwrap();
    fs::remove_dir_all(dir.path().join(ISSUED).join(&second)).unwrap();
    fs::remove_dir_all(dir.path().join(PACKAGES).join(&second)).unwrap();
    assert_eq!(known(dir.path()), Some((first.clone(), Some(1))));
    // A third one, whose package could not be stored: its record is kept elsewhere, or lost with the machine.
    fs::rename(dir.path().join(PACKAGES), dir.path().join("away")).unwrap();
    fs::write(dir.path().join(PACKAGES), "x").unwrap();
    let mut record = sample::completed(0.3);
    record.results.seals = Some(Seals { events: vec![], waiting: vec![] });
    let numbers = archive.open_run(true, 2026, opening(&record.plan, "00")).unwrap();
    let record = sample::numbered(record, &numbers.record_no, &numbers.certificate_no);
    assert!(matches!(archive.store(&record), Err(Fault::NotStored { .. })));
    fs::remove_file(dir.path().join(PACKAGES)).unwrap();
    fs::rename(dir.path().join("away"), dir.path().join(PACKAGES)).unwrap();
    assert_eq!(known(dir.path()), Some((first, Some(1))));
    // Brought in, it counts; and from then on it has to be there.
    archive.bring_in(&record, &record_bytes(&record).unwrap()).unwrap();
    assert_eq!(history(dir.path()).unwrap().last.unwrap().certificate_no, numbers.certificate_no);
    fs::remove_dir_all(dir.path().join(PAPERS).join(&numbers.certificate_no)).unwrap();
    assert!(history(dir.path()).unwrap_err().to_string().contains(&numbers.certificate_no));
}

#[test]
fn whatever_the_chain_names_is_looked_for_when_a_folder_is_checked() {
    let (dir, mut archive) = desk();
    let number = passed(&mut archive, None);
    sign_and_issue(&mut archive, &number);
    store(&mut archive, sample::aborted());
    drop(archive);
    let dir = dir.path();
    let words = check_folder(dir).unwrap().join("\n");
    assert!(words.contains("2 packages and 1 records of unfinished runs were read"), "{words}");
    let (packages, issued) = (format!("packages/{number}"), format!("issued/{number}"));
    let unfinished = "unfinished/SIM-R-2026-000002".to_owned();
    let away = dir.join("away");
    for path in [
        packages.clone(),
        issued.clone(),
        unfinished.clone(),
        format!("{packages}/manifest.json"),
        format!("{issued}/manifest.jws"),
        format!("{issued}/manifest.json.p7s"),
        format!("{unfinished}/record.json"),
    ] {
        fs::rename(dir.join(&path), &away).unwrap();
        let fault = check_folder(dir).unwrap_err().to_string();
        let folder = path.split('/').nth(1).unwrap();
        assert!(fault.contains(folder) && fault.contains("from a backup"), "{path}: {fault}");
        fs::rename(&away, dir.join(&path)).unwrap();
    }
    for path in [
        format!("{packages}/manifest.json"),
        format!("{issued}/manifest.jws"),
        format!("{unfinished}/record.json"),
    ] {
        let path = dir.join(path);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        fs::write(&path, bad).unwrap();
        let fault = check_folder(dir).unwrap_err().to_string();
        assert!(fault.contains("was altered"), "{}: {fault}", path.display());
        fs::write(&path, good).unwrap();
    }
    // A row that says another verdict; one that is gone is made again, and only told.
    let register = dir.join("register.csv");
    let good = fs::read_to_string(&register).unwrap();
    fs::write(&register, good.replace(",pass,", ",fail,")).unwrap();
    let fault = check_folder(dir).unwrap_err().to_string();
    assert!(fault.contains("its verdict is not the one that the chain holds"), "{fault}");
    let cut = good.trim_end().rfind('\n').unwrap() + 1;
    fs::write(&register, &good[..cut]).unwrap();
    let words = check_folder(dir).unwrap().join("\n");
    assert!(words.contains("1 entries of the chain have no row in the register"), "{words}");
    fs::write(&register, good).unwrap();
    // One whose package was never stored is missed by nobody.
    let mut archive = Archive::open(dir).unwrap();
    let record = next(&mut archive, sample::completed(0.3));
    fs::rename(dir.join(PACKAGES), &away).unwrap();
    fs::write(dir.join(PACKAGES), "x").unwrap();
    assert!(matches!(archive.store(&record), Err(Fault::NotStored { .. })));
    fs::remove_file(dir.join(PACKAGES)).unwrap();
    fs::rename(&away, dir.join(PACKAGES)).unwrap();
    check_folder(dir).unwrap();
}

#[test]
fn a_paper_is_taken_back_with_the_key_as_long_as_its_certificate_holds() {
    let (dir, mut archive) = desk();
    let number = passed(&mut archive, None);
    sign_and_issue(&mut archive, &number);
    drop(archive);
    fs::rename(dir.path().join("key"), dir.path().join("away")).unwrap();
    let before = fs::read(dir.path().join("chain.jws")).unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    let fault = archive.withdraw(&number, "wrong meter", "Cai", PIN).unwrap_err();
    assert!(matches!(fault, Fault::Key { .. }), "{fault}");
    assert_eq!(fs::read(dir.path().join("chain.jws")).unwrap(), before);
    drop(archive);
    fs::rename(dir.path().join("away"), dir.path().join("key")).unwrap();
    Archive::open(dir.path()).unwrap().withdraw(&number, "wrong meter", "Cai", PIN).unwrap();
}
