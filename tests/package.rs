//! Packages when something is not in order: no key, an expired certificate, a disk that is full or read-only, a program
//! that was killed, a number that is used. The run's raw data are kept, nothing is half-written, papers come later.

mod support;
#[path = "support/skip.rs"]
mod skip;

use phantomload::certificate::chain::{Entry, Kind};
use phantomload::certificate::sign::authority::{self, Subject};
use phantomload::time::{self, Span};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::{json, phantomload, stderr};

fn data() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn at(dir: &Path, arguments: &[&str]) -> Output {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--data", dir.to_str().unwrap()]);
    phantomload(&arguments)
}

fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn chain(dir: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(dir.join("chain.jws")).unwrap_or_default();
    text.lines().map(|line| Entry::from_line(line).unwrap()).collect()
}

fn kinds(dir: &Path) -> Vec<Kind> {
    chain(dir).iter().map(|entry| entry.kind).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An authority of the tests, and the certificate that it gives for a request.
struct Authority {
    key: String,
    pem: String,
}

fn moment(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

impl Authority {
    fn new() -> Self {
        let key = authority::new_key([7; 32]).unwrap();
        let subject = Subject { common_name: "Test authority".into(), ..Subject::default() };
        let [from, to] = ["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"].map(moment);
        let pem = authority::authority(&key, &subject, 1, from, to).unwrap();
        Self { key, pem }
    }

    /// Files with a device certificate of this validity and the authority's.
    fn certify(&self, dir: &Path, csr: &str, from: &str, to: &str) -> [String; 2] {
        let pem = authority::issue(&self.key, &self.pem, csr, 2, moment(from), moment(to)).unwrap();
        let files = [dir.join("device.crt"), dir.join("authority.crt")];
        fs::write(&files[0], pem).unwrap();
        fs::write(&files[1], &self.pem).unwrap();
        files.map(|file| file.to_str().unwrap().to_owned())
    }
}

#[test]
fn without_a_certificate_the_run_is_kept_and_its_papers_are_made_later() {
    let dir = data();
    let authority = Authority::new();
    good(&at(dir.path(), &["key", "init", "--device", "PL-0007"]));
    let told = json(&at(dir.path(), &["verify", "--json"]));
    let number = told["certificate_no"].as_str().unwrap();
    let notice = told["notices"][0].as_str().unwrap();
    assert!(notice.contains("waits for its certificate") && notice.contains(number), "{notice}");
    let package = PathBuf::from(told["package"].as_str().unwrap());
    let before = names(&package);
    assert!(!before.contains(&"manifest.json.p7s".to_owned()) && before.contains(&"record.json".to_owned()));
    assert_eq!(chain(dir.path()).last().unwrap().alg, "none");
    let early = at(dir.path(), &["certificate", "papers", number]);
    assert_eq!(early.status.code(), Some(2), "{}", stderr(&early));

    let csr = good(&at(dir.path(), &["key", "csr"]));
    let [certificate, ca] =
        authority.certify(dir.path(), &csr, "2021-01-01T00:00:00Z", "2080-01-01T00:00:00Z");
    let words = good(&at(dir.path(), &["key", "install", &certificate, &ca]));
    assert!(words.contains("Phantomload PL-0007"), "{words}");
    good(&at(dir.path(), &["certificate", "papers", number]));
    let made = names(&dir.path().join("papers").join(number));
    assert!(made.contains(&"manifest.json.p7s".to_owned()), "{made:?}");
    assert_eq!(names(&package), before, "what was stored stays as it was");
    let last = chain(dir.path()).pop().unwrap();
    assert_eq!((last.kind, last.alg.as_str(), last.device.as_str()), (Kind::Papers, "ES256", "PL-0007"));
    let again = at(dir.path(), &["certificate", "papers", number]);
    assert!(stderr(&again).contains("made already"), "{}", stderr(&again));
    let rows = json(&at(dir.path(), &["certificate", "list", "--json"]));
    assert_eq!(rows[0]["key_id"], last.key_id.as_str());
    let verified = json(&at(dir.path(), &["certificate", "verify", number, "--json"]));
    assert_eq!(verified["result"], "authentic", "{verified:#}");
    let unsealed = json(&at(dir.path(), &["certificate", "verify", package.to_str().unwrap(), "--json"]));
    assert_eq!(unsealed["result"], "unsigned", "{unsealed:#}");
    // The record is the same in both, and replays.
    good(&at(dir.path(), &["replay", number]));
}

#[test]
fn an_expired_certificate_seals_nothing_until_it_is_renewed_and_the_old_key_signs_the_change() {
    let dir = data();
    let authority = Authority::new();
    good(&at(dir.path(), &["key", "init", "--device", "PL-0008"]));
    let csr = good(&at(dir.path(), &["key", "csr"]));
    let key = fs::read_to_string(dir.path().join("key/next/device.key")).unwrap();
    fs::remove_dir_all(dir.path().join("key/next")).unwrap();
    let [certificate, ca] =
        authority.certify(dir.path(), &csr, "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z");
    let install = |key_pem: &str| {
        fs::create_dir_all(dir.path().join("key")).unwrap();
        let path = dir.path().join("key/device.key");
        fs::write(&path, key_pem).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        fs::copy(&certificate, dir.path().join("key/device.pem")).unwrap();
        fs::copy(&ca, dir.path().join("key/ca.pem")).unwrap();
    };
    // A key that does not match its certificate is told as well.
    install(&authority::new_key([5; 32]).unwrap());
    assert!(good(&at(dir.path(), &["key", "show"])).contains("belongs to another key"));
    install(&key);
    assert!(good(&at(dir.path(), &["key", "show"])).contains("ended on 2022-01-01"));
    let told = json(&at(dir.path(), &["verify", "--json"]));
    assert!(told["notices"][0].as_str().unwrap().contains("ended on 2022-01-01"), "{}", told["notices"]);
    let number = told["certificate_no"].as_str().unwrap();

    let csr = good(&at(dir.path(), &["key", "csr"]));
    let old = [certificate.clone(), ca.clone()];
    let refused = at(dir.path(), &["key", "install", &old[0], &old[1]]);
    assert!(stderr(&refused).contains("cannot be installed"), "{}", stderr(&refused));
    let soon = time::Stamp::now().after(Span::from_secs(20 * 86_400)).timestamp().to_string();
    let [certificate, ca] = authority.certify(dir.path(), &csr, "2021-01-01T00:00:00Z", &soon);
    let words = good(&at(dir.path(), &["key", "install", &certificate, &ca]));
    assert!(words.contains("no longer valid"), "{words}");
    let change = chain(dir.path()).pop().unwrap();
    assert_eq!(change.kind, Kind::KeyChange);
    assert_eq!(change.said["replaces"], change.key_id, "the old key signs the change");
    assert_ne!(change.said["key_id"], change.key_id);
    assert!(change.said["note"].contains("ended on 2022-01-01"));
    let papers = good(&at(dir.path(), &["certificate", "papers", number]));
    assert!(papers.contains("within 30 days"), "{papers}");
    assert!(dir.path().join("key/old").join(&change.key_id).join("device.pem").is_file());
    let verified = json(&at(dir.path(), &["certificate", "verify", number, "--json"]));
    assert_eq!(verified["result"], "authentic", "{verified:#}");
}

#[test]
fn a_key_is_its_users_alone_and_a_rotation_keeps_the_old_one() {
    let dir = data();
    good(&at(dir.path(), &["key", "init", "--laboratory-ca", "--organization", "Some laboratory"]));
    let shown = json(&at(dir.path(), &["key", "show", "--json"]));
    assert!(shown["problem"].is_null() && shown["demo"] == false, "{shown}");
    assert!(shown["issuer"].as_str().unwrap().contains("O=Some laboratory"), "{shown}");
    let again = at(dir.path(), &["key", "init"]);
    assert!(stderr(&again).contains("key rotate"), "{}", stderr(&again));
    assert!(stderr(&at(dir.path(), &["key", "demo-ca"])).contains("there already"));
    let first = fs::read(dir.path().join("key/device.key")).unwrap();
    let old = shown["key_id"].as_str().unwrap();
    let told = json(&at(dir.path(), &["verify", "--json"]));
    good(&at(dir.path(), &["key", "rotate"]));
    // What the old key sealed stays authentic.
    let number = told["certificate_no"].as_str().unwrap();
    let verified = json(&at(dir.path(), &["certificate", "verify", number, "--json"]));
    assert_eq!(verified["result"], "authentic", "{verified:#}");
    let new = json(&at(dir.path(), &["key", "show", "--json"]))["key_id"].clone();
    let change = chain(dir.path()).pop().unwrap();
    assert_eq!((change.key_id.as_str(), &change.said["key_id"]), (old, &new.as_str().unwrap().to_owned()));
    assert_eq!(fs::read(dir.path().join("key/old").join(old).join("device.key")).unwrap(), first);
    assert_ne!(fs::read(dir.path().join("key/device.key")).unwrap(), first);
    #[cfg(unix)]
    for file in ["key/device.key", "key/laboratory-ca.key", &format!("key/old/{old}/device.key")] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // A change that the power interrupted after its entry is finished.
    let key = dir.path().join("key");
    for name in ["device.key", "device.pem", "ca.pem"] {
        fs::rename(key.join(name), key.join("next").join(name)).unwrap();
        fs::rename(key.join("old").join(old).join(name), key.join(name)).unwrap();
    }
    // Refused, but the data folder was opened on the way.
    assert_eq!(at(dir.path(), &["person", "disable", "nobody"]).status.code(), Some(2));
    assert_eq!(json(&at(dir.path(), &["key", "show", "--json"]))["key_id"], new);
}

/// A run in (hastened) real time; it is on when its entry is in the chain.
fn started(dir: &Path, program: &mut Command) -> std::process::Child {
    program.args(["verify", "--pace", "60", "--data", dir.to_str().unwrap()]);
    let runs = kinds(dir).len();
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..600 {
        if kinds(dir).len() > runs && kinds(dir).last() == Some(&Kind::RunOpen) {
            break;
        }
        time::sleep(Span::from_millis(20));
    }
    if kinds(dir).last() != Some(&Kind::RunOpen) {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("no run was opened: {:?}", kinds(dir));
    }
    // And its header in the journal: from then on it is not forgotten.
    let journal = || phantomload::archive::journal::list(dir).unwrap_or_default();
    for _ in 0..600 {
        if journal().last().is_some_and(|line| line.stored.is_none()) {
            return child;
        }
        time::sleep(Span::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("no run has begun in the journal: {:?}", journal());
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_phantomload"))
}

#[test]
fn a_program_that_was_killed_leaves_a_run_that_waits_and_no_package() {
    let dir = data();
    let mut child = started(dir.path(), &mut program());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(kinds(dir.path()), [Kind::KeyChange, Kind::RunOpen]);
    // Nobody forgets it: no other run begins before it is gone on with or closed.
    let told = at(dir.path(), &["verify", "--json"]);
    assert_eq!(told.status.code(), Some(2));
    for words in ["the program ended in it", "run resume", "run close"] {
        assert!(stderr(&told).contains(words), "{}", stderr(&told));
    }
    good(&at(dir.path(), &["run", "close", "--why", "enough"]));
    let told = at(dir.path(), &["verify", "--json"]);
    let expected = [Kind::KeyChange, Kind::RunOpen, Kind::Aborted, Kind::RunOpen, Kind::Verdict];
    assert_eq!(kinds(dir.path()), expected);
    assert!(json(&told)["certificate_no"].as_str().unwrap().ends_with("000002"));
    assert_eq!(names(&dir.path().join("packages")).len(), 1);
    let reason = &chain(dir.path())[2].said["reason"];
    assert!(reason.contains("the program ended in it") && reason.ends_with("enough"), "{reason}");
    assert_eq!(names(&dir.path().join("unfinished")).len(), 1);
}

#[test]
fn ctrl_c_ends_a_run_as_aborted_with_its_record() {
    let dir = data();
    let child = started(dir.path(), &mut program());
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let last = chain(dir.path()).pop().unwrap();
    assert_eq!((last.kind, last.said["ended"].as_str()), (Kind::Aborted, "aborted"));
    assert!(
        last.files.contains_key("record.json") && last.said["reason"].contains("stopped by the operator")
    );
    assert_eq!(names(&dir.path().join("unfinished")), [last.record.unwrap()]);
}

/// The program as a user whom a folder's mode binds; none where this cannot be had.
fn ordinary() -> Option<Command> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return Some(program());
    }
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let mut probe = Command::new("setpriv");
    probe.args(["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x"]);
    if !probe.arg(env!("CARGO_BIN_EXE_phantomload")).status().ok()?.success() {
        return None;
    }
    setpriv.arg(env!("CARGO_BIN_EXE_phantomload"));
    Some(setpriv)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
#[cfg(unix)]
fn a_folder_that_turns_read_only_in_the_run_loses_no_record() {
    let Some(mut program) = ordinary() else {
        skip::skipped("setpriv is not here, and root is bound by no mode");
        return;
    };
    let (dir, kept) = (data(), data());
    set_mode(dir.path(), 0o777);
    set_mode(kept.path(), 0o777);
    let folder = dir.path().join("data");
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o777);
    program.env("TMPDIR", kept.path());
    let child = started(&folder, &mut program);
    set_mode(&folder, 0o555);
    for name in ["packages", "chain.jws"] {
        set_mode(&folder.join(name), 0o555);
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("Give this user the right to write there"), "{said}");
    assert!(said.contains("phantomload certificate papers"), "{said}");
    assert_eq!(names(&folder.join("packages")), <[String; 0]>::default());
    let file = kept.path().join(&names(kept.path())[0]);

    // A new run is refused before anything is switched on.
    let Some(mut early) = ordinary() else { return };
    let output = early.args(["verify", "--data", folder.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    // In order again: one command makes the papers.
    for path in [folder.clone(), folder.join("packages"), folder.join("chain.jws")] {
        set_mode(&path, 0o777);
    }
    good(&at(&folder, &["certificate", "papers", file.to_str().unwrap()]));
    assert_eq!(kinds(&folder), [Kind::KeyChange, Kind::RunOpen, Kind::Verdict, Kind::Papers]);
    let rows = json(&at(&folder, &["certificate", "list", "--json"]));
    assert_eq!((&rows[0]["status"], &rows[0]["verdict"]), (&"draft".into(), &"pass".into()));
}

/// The program where no file may become longer: 512-byte blocks of a POSIX shell.
fn limited(dir: &Path, blocks: u32) -> Output {
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" verify --json --data \"$1\"");
    let program = env!("CARGO_BIN_EXE_phantomload");
    Command::new("sh").args(["-c", &line, program, dir.to_str().unwrap()]).output().unwrap()
}

#[test]
fn a_disk_that_fills_up_leaves_nothing_half_written() {
    // Before the run: there must be room for its end.
    let dir = data();
    let early = limited(dir.path(), 64);
    assert_eq!(early.status.code(), Some(3), "{}", stderr(&early));
    assert!(stderr(&early).contains("chain.reserve") && stderr(&early).contains("Free some space"));
    assert!(!kinds(dir.path()).contains(&Kind::RunOpen), "nothing was begun");

    // In the run: what the journal does not take is not acted upon, and the run ends.
    let dir = data();
    let late = limited(dir.path(), 512);
    assert_eq!(late.status.code(), Some(3), "{}", stderr(&late));
    assert!(stderr(&late).contains("journal: "), "{}", stderr(&late));
    assert_eq!(names(&dir.path().join("packages")), <[String; 0]>::default());
    let last = chain(dir.path()).pop().unwrap();
    assert_eq!(last.kind, Kind::Aborted);
    // The next run goes on as if nothing had been.
    let next = json(&at(dir.path(), &["verify", "--json"]));
    assert!(next["certificate_no"].as_str().unwrap().ends_with("000002"));
}

#[test]
fn a_package_that_could_not_be_stored_is_made_from_the_journal_at_the_next_start() {
    let dir = data();
    let child = started(dir.path(), &mut program());
    // Something stands in its way.
    let number = chain(dir.path()).pop().unwrap().cert.unwrap();
    let way = dir.path().join("packages").join(&number);
    fs::create_dir(&way).unwrap();
    fs::write(way.join("mine.txt"), "x").unwrap();
    let late = child.wait_with_output().unwrap();
    assert_eq!(late.status.code(), Some(3), "{}", stderr(&late));
    assert!(stderr(&late).contains("the verdict stands in the chain"), "{}", stderr(&late));
    let last = chain(dir.path()).pop().unwrap();
    assert_eq!((last.kind, last.verdict.as_deref()), (Kind::Verdict, Some("pass")));
    assert_eq!(last.files.keys().collect::<Vec<_>>(), ["record.json"]);
    let next = at(dir.path(), &["verify", "--json"]);
    assert!(stderr(&next).contains("they were made now"), "{}", stderr(&next));
    assert!(json(&next)["certificate_no"].as_str().unwrap().ends_with("000002"));
    let record = fs::read(dir.path().join("papers").join(&number).join("record.json")).unwrap();
    assert_eq!(phantomload::archive::sha256(&record), last.files["record.json"]);
}

#[test]
fn a_number_that_a_folder_has_already_is_never_given_again() {
    let dir = data();
    let told = json(&at(dir.path(), &["verify", "--json"]));
    let number = told["certificate_no"].as_str().unwrap().to_owned();
    let used = number.replace("000001", "000002");
    fs::create_dir(dir.path().join("packages").join(&used)).unwrap();
    fs::write(dir.path().join("packages").join(&used).join("mine.txt"), "x").unwrap();
    let told = json(&at(dir.path(), &["verify", "--json"]));
    assert_eq!(told["certificate_no"], number.replace("000001", "000003"));
    assert_eq!(names(&dir.path().join("packages").join(&used)), ["mine.txt"]);
    // The folder is gone, the number stays used: the chain knows it. That meter waits for its package to come back, since
    // nobody knows what it said of its seals; another one does not.
    fs::remove_dir_all(dir.path().join("packages").join(number.replace("000001", "000003"))).unwrap();
    fs::remove_file(dir.path().join("register.csv")).unwrap();
    let refused = at(dir.path(), &["verify", "--json"]);
    assert!(stderr(&refused).contains("its record is gone or was altered"), "{}", stderr(&refused));
    let other = dir.path().join("other.toml");
    let text = phantomload::sim::demo_meter("good").unwrap().replace("202611210001", "202611210009");
    fs::write(&other, text).unwrap();
    let told = json(&at(dir.path(), &["verify", "--json", "--meter", other.to_str().unwrap()]));
    assert_eq!(told["certificate_no"], number.replace("000001", "000004"));
}
