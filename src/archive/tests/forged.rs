//! What somebody writes into a data folder who has no key and no PIN counts for nothing.

use super::*;
use crate::certificate::issue::{Role, Status};
use crate::certificate::sign::{authority, jws};

const PIN: &str = "314159";

/// A data folder with three persons and a draft, its number and its last entry.
fn desk() -> (TempDir, String) {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for (name, role) in [("Ann", Role::Verifier), ("Bob", Role::Checker), ("Cai", Role::Approver)] {
        archive.add_person(name, &[role], PIN, None).unwrap();
    }
    let stored = store(&mut archive, sample::completed(0.3));
    (dir, stored.package.file_name().unwrap().to_str().unwrap().to_owned())
}

fn state(dir: &Path) -> (State, Entry) {
    let mut last = None;
    let state = chain::read(dir, |entry, _| last = Some(entry.clone())).unwrap();
    (state, last.unwrap())
}

/// The next entry of a chain, as an attacker would make it.
fn next_entry(dir: &Path, kind: Kind, said: &[(&str, &str)]) -> Entry {
    let (state, last) = state(dir);
    Entry {
        seq: state.seq + 1,
        prev: state.head,
        kind,
        verdict: None,
        files: BTreeMap::new(),
        said: said.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect(),
        alg: sign::NONE.into(),
        key_id: String::new(),
        ..last
    }
}

fn append(dir: &Path, line: &str) {
    let path = dir.join("chain.jws");
    fs::write(&path, fs::read_to_string(&path).unwrap() + line + "\n").unwrap();
}

/// Signs anything with the same 64 bytes, under a certificate that is not its own.
struct Liar(Vec<u8>);

impl Signer for Liar {
    fn algorithm(&self) -> &'static str {
        sign::ES256
    }
    fn protection(&self) -> &'static str {
        "none"
    }
    fn certificate(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, sign::Fault> {
        Ok(vec![1; 64])
    }
}

/// The line of an entry that says to be signed by the key in use; the signature is made up.
fn made_up(dir: &Path, mut entry: Entry) -> String {
    let (state, _) = state(dir);
    entry.alg = sign::ES256.into();
    entry.key_id = state.key_id;
    let pem = fs::read_to_string(dir.join("key/device.pem")).unwrap();
    let certificate = sign::x509::der_from_pem(&pem).unwrap();
    jws::sign(Some(&Liar(certificate)), &entry.to_json()).unwrap()
}

/// A key and certificate of the attacker's own.
fn other_key() -> P256Key {
    let subject =
        |name: &str| authority::Subject { common_name: name.into(), ..authority::Subject::default() };
    let [from, to] = ["2026-01-01T00:00:00Z", "2049-01-01T00:00:00Z"].map(|time| time.parse().unwrap());
    let (ca, key) = (authority::new_key([8; 32]).unwrap(), authority::new_key([9; 32]).unwrap());
    let ca_pem = authority::authority(&ca, &subject("Other"), 1, from, to).unwrap();
    let request = authority::request(&key, &subject("Phantomload x")).unwrap();
    let pem = authority::issue(&ca, &ca_pem, &request, 2, from, to).unwrap();
    P256Key::from_pem(&key, &pem).unwrap()
}

#[test]
fn an_entry_that_the_key_in_use_has_not_signed_stops_the_folder() {
    let (dir, number) = desk();
    let good = fs::read(dir.path().join("chain.jws")).unwrap();
    let (state, _) = state(dir.path());
    let approval = |dir: &Path| {
        let said = [("person", "Ann"), ("role", "verifier"), ("manifest", state.head.as_str())];
        next_entry(dir, Kind::Approval, &said)
    };
    let profile = next_entry(
        dir.path(),
        Kind::Approval,
        &[("profile_sha256", "00"), ("laboratory", "L"), ("person", "Cai"), ("demo", "true")],
    );
    let persons = next_entry(dir.path(), Kind::ConfigChange, &[("persons", "00")]);
    let other = other_key();
    let mut of_other = approval(dir.path());
    (of_other.alg, of_other.key_id) = (sign::ES256.into(), other.key_id());
    let mut change = next_entry(dir.path(), Kind::KeyChange, &[("key_id", &other.key_id())]);
    (change.alg, change.key_id) = (sign::ES256.into(), other.key_id());
    for (line, words) in [
        (approval(dir.path()).line(None).unwrap(), "(approval) is not signed"),
        (profile.line(None).unwrap(), "(approval) is not signed"),
        (persons.line(None).unwrap(), "(config_change) is not signed"),
        (made_up(dir.path(), approval(dir.path())), "its signature does not hold"),
        (of_other.line(Some(&other)).unwrap(), "(approval) is signed by the key"),
        (change.line(Some(&other)).unwrap(), "(key_change) is signed by the key"),
    ] {
        append(dir.path(), &line);
        let fault = Archive::open(dir.path()).unwrap_err().to_string();
        assert!(fault.contains(words) && fault.contains("backup"), "{words}: {fault}");
        // Nor does it count for whoever only reads.
        assert!(standing(dir.path(), &number).is_err() && profile_approval(dir.path(), "00", true).is_err());
        fs::write(dir.path().join("chain.jws"), &good).unwrap();
    }
    // What the program has to write without a key passes.
    append(dir.path(), &next_entry(dir.path(), Kind::ClockSet, &[]).line(None).unwrap());
    Archive::open(dir.path()).unwrap();
}

#[test]
fn nothing_beside_the_chain_says_who_may_sign() {
    let (dir, _) = desk();
    let before = state(dir.path()).0;
    let planted = r#"{"length":0,"seq":0,"head":"","device":"","run":null,"key_id":"00","replaced_key_id":"","persons":"00","laboratory":"","rows":0,"numbers":[],"profiles":{}}"#;
    fs::write(dir.path().join("chain.checkpoint"), planted).unwrap();
    assert_eq!(state(dir.path()).0, before);
}

#[test]
fn a_record_without_its_sha256_in_the_chain_gets_no_papers() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let late = next(&mut archive, sample::completed(0.3));
    let json = record_bytes(&late).unwrap();
    let fault = archive.bring_in(&late, &json).unwrap_err().to_string();
    assert!(fault.contains("no paper follows from a record alone"), "{fault}");
    drop(archive);
    // An end written in by hand is no verdict, since the key could have signed it.
    let mut verdict = next_entry(dir.path(), Kind::Verdict, &[(SIMULATED, "true"), (rows::KEPT, "x")]);
    verdict.verdict = Some("pass".into());
    verdict.files.insert(RECORD.into(), sha256(&json));
    append(dir.path(), &verdict.line(None).unwrap());
    let mut archive = Archive::open(dir.path()).unwrap();
    let fault = archive.bring_in(&late, &json).unwrap_err().to_string();
    assert!(fault.contains("its verdict is not signed"), "{fault}");
}

#[test]
fn a_verdict_that_was_kept_outside_counts_by_its_signature() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let record = next(&mut archive, sample::completed(0.3));
    let chain_file = dir.path().join("chain.jws");
    let before = fs::read(&chain_file).unwrap();
    // Somebody else writes: nothing can be appended, nor is there a place for the package.
    fs::remove_dir(dir.path().join(PACKAGES)).unwrap();
    fs::write(dir.path().join(PACKAGES), "x").unwrap();
    fs::write(&chain_file, [&before[..], b"x"].concat()).unwrap();
    let Err(Fault::NotWritten { verdict, .. }) = archive.store(&record) else { panic!("it was written") };
    drop(archive);
    fs::remove_file(dir.path().join(PACKAGES)).unwrap();
    let json = record_bytes(&record).unwrap();
    let unsigned = Entry::from_line(&verdict).map(|mut entry| {
        (entry.alg, entry.key_id) = (sign::NONE.into(), String::new());
        entry.line(None).unwrap()
    });
    for (line, papers) in [(unsigned.unwrap(), false), (verdict, true)] {
        fs::write(&chain_file, &before).unwrap();
        let mut archive = Archive::open_with(dir.path(), Some(&line)).unwrap();
        assert_eq!(archive.bring_in(&record, &json).is_ok(), papers);
    }
}

#[test]
fn only_the_run_that_was_opened_is_stored() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    let record = sample::completed(0.3);
    let numbers = archive.open_run(true, 2026, opening(&record.plan, "00")).unwrap();
    let record = sample::numbered(record, &numbers.record_no, &numbers.certificate_no);
    let mut other = record.clone();
    other.plan.nameplate.serial = "another".into();
    let fault = archive.store(&other).unwrap_err().to_string();
    assert!(fault.contains("opened with serial") && fault.contains("another"), "{fault}");
    let mut other = record.clone();
    other.plan.profile.approval = sample::approved(0.3).plan.profile.approval;
    let fault = archive.store(&other).unwrap_err().to_string();
    assert!(fault.contains("the chain knows nothing of that"), "{fault}");
    archive.store(&record).unwrap();
}

#[test]
fn a_package_laid_into_the_folder_is_not_taken_for_an_issued_one() {
    let (dir, number) = desk();
    let draft = dir.path().join(PACKAGES).join(&number);
    let issued = dir.path().join(ISSUED).join(&number);
    fs::create_dir(&issued).unwrap();
    let mut entry = Entry::from_json(&fs::read(draft.join(rows::MANIFEST)).unwrap()).unwrap();
    for name in disk::names(&draft).unwrap() {
        fs::copy(draft.join(&name), issued.join(&name)).unwrap();
    }
    fs::remove_file(issued.join(rows::MANIFEST_P7S)).unwrap();
    let (state, _) = state(dir.path());
    entry = Entry { kind: Kind::Issue, ..entry };
    (entry.seq, entry.prev) = (state.seq + 1, state.head.clone());
    let before = fs::read(dir.path().join("chain.jws")).unwrap();
    let lay = |entry: &Entry, line: &str| {
        fs::write(issued.join(rows::MANIFEST), entry.to_json()).unwrap();
        fs::write(issued.join(rows::MANIFEST_JWS), line).unwrap();
        let archive = Archive::open(dir.path()).unwrap();
        assert_eq!(fs::read(dir.path().join("chain.jws")).unwrap(), before);
        assert!(list(dir.path()).unwrap().iter().all(|row| row.get("status") == "draft"));
        archive.notices().join("\n")
    };
    let mut unsigned = entry.clone();
    (unsigned.alg, unsigned.key_id) = (sign::NONE.into(), String::new());
    let said = lay(&unsigned, &unsigned.line(None).unwrap());
    assert!(said.contains("not signed by the key in use"), "{said}");
    let said = lay(&entry, &made_up(dir.path(), entry.clone()));
    assert!(said.contains("does not fit") || said.contains("signature"), "{said}");
    // Also what the key has signed is issued by three signatures only, and stands where its kind belongs.
    let (key, certificate) = ["device.key", "device.pem"]
        .map(|name| fs::read_to_string(dir.path().join("key").join(name)).unwrap())
        .into();
    let key = P256Key::from_pem(&key, &certificate).unwrap();
    let said = lay(&entry, &entry.line(Some(&key)).unwrap());
    assert!(said.contains("three persons have not signed"), "{said}");
    let verdict = Entry { kind: Kind::Verdict, ..entry };
    let said = lay(&verdict, &verdict.line(Some(&key)).unwrap());
    assert!(said.contains("does not stand in issued/"), "{said}");
}

#[test]
fn a_chain_goes_on_with_its_own_key_only() {
    let (dir, _) = desk();
    fs::rename(dir.path().join("key"), dir.path().join("away")).unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    for fault in [
        archive.key_init(None, "", true).unwrap_err().to_string(),
        archive.make_demo_key().unwrap_err().to_string(),
        archive.disable_person("Ann", Some(("Cai", PIN))).unwrap_err().to_string(),
    ] {
        assert!(fault.contains("from a backup") || fault.contains("is there already"), "{fault}");
    }
    // A run whose verdict would be doubted for ever is not begun.
    let refused = archive.open_run(true, 2026, std::collections::BTreeMap::new()).unwrap_err().to_string();
    assert!(refused.contains("from a backup"), "{refused}");
    drop(archive);
    fs::remove_dir_all(dir.path().join("key")).unwrap();
    fs::rename(dir.path().join("away"), dir.path().join("key")).unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    archive.disable_person("Ann", Some(("Cai", PIN))).unwrap();
}

#[test]
fn a_chain_cut_behind_an_issue_is_found_by_the_register() {
    let (dir, number) = desk();
    let mut archive = Archive::open(dir.path()).unwrap();
    for (name, role) in [("Ann", Role::Verifier), ("Bob", Role::Checker), ("Cai", Role::Approver)] {
        archive.sign(&number, role, name, PIN).unwrap();
    }
    archive.issue(&number).unwrap();
    archive.withdraw(&number, "wrong meter", "Cai", PIN).unwrap();
    drop(archive);
    Archive::open(dir.path()).unwrap();
    let path = dir.path().join("chain.jws");
    let whole = fs::read_to_string(&path).unwrap();
    let cut = whole.trim_end().rfind('\n').unwrap() + 1;
    fs::write(&path, &whole[..cut]).unwrap();
    let fault = Archive::open(dir.path()).unwrap_err().to_string();
    let rows = list(dir.path()).unwrap();
    let withdrawn = rows.iter().find(|row| row.get("status") == "withdrawn").unwrap();
    assert!(
        fault.contains(&format!("line {}", withdrawn.line())) && fault.contains("was cut off"),
        "{fault}"
    );
    fs::write(&path, whole).unwrap();
    Archive::open(dir.path()).unwrap();
}

#[test]
fn wrong_pins_are_known_without_their_file_and_persons_are_private() {
    let (dir, number) = desk();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..TRIES_MAX {
        assert!(archive.sign(&number, Role::Verifier, "Ann", "000000").is_err());
        fs::remove_file(dir.path().join("persons.tries.json")).unwrap();
    }
    let fault = archive.sign(&number, Role::Verifier, "Ann", PIN).unwrap_err().to_string();
    assert!(fault.contains("locked after 5 wrong PINs"), "{fault}");
    assert!(persons(dir.path()).unwrap()[0].locked);
    // Neither nobody, nor oneself by a PIN that is locked, nor who is no approver unlocks.
    for by in [("Ann", "000000"), ("Ann", PIN), ("Bob", PIN), ("Cai", "000000")] {
        assert!(archive.set_pin("Ann", "271828", by).is_err(), "{by:?}");
    }
    archive.set_pin("Ann", "271828", ("Cai", PIN)).unwrap();
    archive.set_pin("Ann", "161803", ("Ann", "271828")).unwrap();
    archive.sign(&number, Role::Verifier, "Ann", "161803").unwrap();
    // Once there is an approver, nobody is added or disabled without one.
    assert!(archive.add_person("Dan", &[Role::Approver], PIN, None).is_err());
    assert!(archive.disable_person("Ann", None).is_err());
    let fault = archive.disable_person("Cai", Some(("Cai", PIN))).unwrap_err().to_string();
    assert!(fault.contains("the only approver"), "{fault}");
    archive.add_person("Dan", &[Role::Approver], PIN, Some(("Cai", PIN))).unwrap();
    // A name that reads like another one's is that one's.
    for name in ["dan", "D an", "DAN ", "D\u{200B}an"] {
        assert!(archive.add_person(name, &[Role::Checker], PIN, Some(("Cai", PIN))).is_err(), "{name:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("persons.json")), 0o600);
        let new = dir.path().join("new/data");
        drop(Archive::open(&new).unwrap());
        assert_eq!(mode(&new), 0o700);
    }
}

#[test]
fn the_only_approver_gets_a_new_pin_a_day_after_the_wrong_ones() {
    let (dir, _) = desk();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..TRIES_MAX {
        assert!(archive.add_person("Dan", &[Role::Checker], PIN, Some(("Cai", "000000"))).is_err());
    }
    assert!(archive.set_pin("Cai", "271828", ("Cai", PIN)).is_err());
    let yesterday = clock::now().after(crate::time::Span::from_secs(-86_401));
    archive.chain.state.tries.get_mut("Cai").unwrap().last = Some(yesterday);
    // One try, then another day.
    assert!(archive.set_pin("Cai", "271828", ("Cai", "000000")).is_err());
    assert!(archive.set_pin("Cai", "271828", ("Cai", PIN)).is_err());
    archive.chain.state.tries.get_mut("Cai").unwrap().last = Some(yesterday);
    archive.set_pin("Cai", "271828", ("Cai", PIN)).unwrap();
    archive.add_person("Dan", &[Role::Checker], PIN, Some(("Cai", "271828"))).unwrap();
}

#[test]
fn a_clock_that_was_set_back_is_said_before_anything_else() {
    let (dir, number) = desk();
    let mut archive = Archive::open(dir.path()).unwrap();
    archive.chain.state.time = Some(clock::now().after(crate::time::Span::from_secs(3600)));
    archive.sign(&number, Role::Verifier, "Ann", PIN).unwrap();
    let kinds = kinds(dir.path());
    assert_eq!(kinds[kinds.len() - 2..], ["clock_set", "approval"]);
    assert!(
        archive.notices().iter().any(|notice| notice.contains("it was set back")),
        "{:?}",
        archive.notices()
    );
    // Once.
    archive.sign(&number, Role::Checker, "Bob", PIN).unwrap();
    let kinds = super::kinds(dir.path());
    assert_eq!(kinds.iter().filter(|kind| *kind == "clock_set").count(), 1);
}

#[test]
fn a_fail_that_was_edited_into_a_pass_in_the_register_is_found() {
    let (dir, number) = desk();
    let path = dir.path().join("register.csv");
    let good = fs::read_to_string(&path).unwrap();
    let (from, to) = if good.contains(",pass,") { (",pass,", ",fail,") } else { (",fail,", ",pass,") };
    assert!(check_register(dir.path()).is_ok());
    fs::write(&path, good.replacen(from, to, 1)).unwrap();
    for fault in [Archive::open(dir.path()).map(|_| ()), check_register(dir.path())] {
        let fault = fault.unwrap_err().to_string();
        assert!(fault.contains("line 2") && fault.contains("not the one that the chain holds"), "{fault}");
    }
    // As it says: without the file it is made again.
    fs::remove_file(&path).unwrap();
    drop(Archive::open(dir.path()).unwrap());
    let row = list(dir.path()).unwrap().remove(0);
    assert_eq!((row.get("certificate_no"), row.get("verdict")), (number.as_str(), from.trim_matches(',')));
}

#[test]
fn nobody_takes_a_paper_back_by_a_line_without_signature() {
    let (dir, number) = desk();
    let before = fs::read(dir.path().join("chain.jws")).unwrap();
    let said = [("reason", "typo"), (SIMULATED, "true")];
    let mut entry = next_entry(dir.path(), Kind::Withdraw, &said);
    (entry.cert, entry.record) = (Some(number.clone()), None);
    append(dir.path(), &entry.line(None).unwrap());
    let fault = Archive::open(dir.path()).unwrap_err().to_string();
    assert!(fault.contains("(withdraw) is not signed, and the key"), "{fault}");
    assert!(standing(dir.path(), &number).is_err());
    // Where the certificate has ended nothing can be signed any more, and a wrong paper can still be taken back.
    fs::write(dir.path().join("chain.jws"), &before).unwrap();
    entry.time = "2099-01-01T00:00:00+00:00".into();
    append(dir.path(), &entry.line(None).unwrap());
    assert_eq!(standing(dir.path(), &number).unwrap().status, Status::Withdrawn);
    // A time before what was signed already, and a text that is no time, are no such reason.
    for (time, why) in
        [("1970-01-01T00:00:10+00:00", "is not signed"), ("x", "has the time `x`, which is none")]
    {
        fs::write(dir.path().join("chain.jws"), &before).unwrap();
        entry.time = time.into();
        append(dir.path(), &entry.line(None).unwrap());
        let fault = Archive::open(dir.path()).unwrap_err().to_string();
        assert!(fault.contains(why), "{time}: {fault}");
    }
}

#[test]
fn a_verdict_whose_time_is_belied_by_what_follows_gets_no_papers() {
    let (dir, _) = desk();
    let key_in_use = fs::read(dir.path().join("chain.jws")).unwrap();
    for (time, later) in [("1970-01-01T00:00:10+00:00", false), ("2099-01-01T00:00:00+00:00", true)] {
        fs::write(dir.path().join("chain.jws"), &key_in_use).unwrap();
        let mut opened = next_entry(dir.path(), Kind::RunOpen, &[(SIMULATED, "true")]);
        let (paper, record) = ("SIM-2026-000900".to_owned(), "SIM-R-2026-000900".to_owned());
        (opened.cert, opened.record) = (Some(paper.clone()), Some(record.clone()));
        append(dir.path(), &opened.line(None).unwrap());
        let mut verdict = next_entry(dir.path(), Kind::Verdict, &[("verdict", "pass"), (SIMULATED, "true")]);
        (verdict.cert, verdict.record, verdict.time) = (Some(paper.clone()), Some(record), time.into());
        append(dir.path(), &verdict.line(None).unwrap());
        assert_eq!(state(dir.path()).0.doubtful.contains(&paper), !later, "{time}");
        if later {
            // The device's own clock, in the next entry that it writes.
            let mut next = next_entry(dir.path(), Kind::ClockSet, &[]);
            next.time = "2026-11-21T10:00:00+00:00".into();
            append(dir.path(), &next.line(None).unwrap());
            assert!(state(dir.path()).0.doubtful.contains(&paper), "{time}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_data_folder_into_which_anybody_may_write_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    drop(Archive::open(dir.path()).unwrap());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let archive = Archive::open(dir.path()).unwrap();
    assert!(archive.notices()[0].contains("anybody on this machine may write"), "{:?}", archive.notices());
}

#[test]
fn a_kept_file_follows_no_link_and_is_private() {
    let dir = folder();
    let path = dir.path().join("kept.json");
    disk::keep(&path, b"x").unwrap();
    assert!(disk::keep(&path, b"y").is_err());
    assert_eq!(fs::read(&path).unwrap(), b"x");
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        symlink(dir.path().join("target"), dir.path().join("link")).unwrap();
        assert!(disk::keep(&dir.path().join("link"), b"y").is_err() && !dir.path().join("target").exists());
    }
}
