//! What an attacker tries at the program's front door, each test named by the attack; `reports/attacks.md` tells of all.

mod support;

use phantomload::time::{Span, now, sleep};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use support::{json, phantomload, stderr};

/// A data folder after one run.
fn data() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = phantomload(&["verify", "--data", dir.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let packages = dir.path().join("packages");
    let number = fs::read_dir(packages).unwrap().next().unwrap().unwrap().file_name();
    (dir, number.into_string().unwrap())
}

fn at(dir: &Path, arguments: &[&str]) -> Output {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--data", dir.to_str().unwrap()]);
    phantomload(&arguments)
}

/// A program that must end by itself within a minute: it would wait for a pipe for ever.
fn ends(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_phantomload");
    let mut child: Child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let since = now();
    while child.try_wait().unwrap().is_none() {
        if now() - since > Span::from_secs(60) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it waits for ever: {arguments:?}");
        }
        sleep(Span::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn refused(output: &Output, why: &str) {
    let said = stderr(output);
    assert!(!output.status.success() && said.contains(why), "{:?}: {said}", output.status);
}

/// Nothing that moves a terminal's cursor or turns writing, but line ends and tabs.
fn tame(output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = str::from_utf8(bytes).unwrap();
        let odd =
            text.chars().find(|c| !matches!(c, '\n' | '\t') && phantomload::plan::nameplate::is_code(*c));
        assert_eq!(odd, None, "{text:?}");
    }
}

#[test]
fn a_key_that_others_may_read_signs_nothing_until_it_is_private_again() {
    let (dir, _) = data();
    let key = dir.path().join("key/device.key");
    for mode in [0o644, 0o660, 0o602] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        // No run is begun whose verdict it could not sign.
        refused(&at(dir.path(), &["verify"]), "allowed is 0600");
        assert_eq!(fs::read_dir(dir.path().join("packages")).unwrap().count(), 1);
        let shown = json(&at(dir.path(), &["key", "show", "--json"]));
        assert!(shown["problem"].as_str().unwrap().contains("allowed is 0600"), "{shown}");
        refused(&at(dir.path(), &["key", "rotate"]), "");
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = String::from_utf8(at(dir.path(), &["verify"]).stdout).unwrap();
    assert!(said.contains("manifest.json.p7s") && !said.contains("nothing is sealed"), "{said}");
}

#[test]
fn pipes_and_devices_in_place_of_files_are_refused_at_once() {
    let (dir, number) = data();
    let stick = tempfile::tempdir().unwrap();
    let fifo = stick.path().join("nameplate.toml");
    pipe(&fifo);
    let fifo = fifo.to_str().unwrap();
    for option in ["--meter", "--bench", "--entries"] {
        refused(&ends(&["plan", option, fifo]), "no regular file");
    }
    refused(&ends(&["certificate", "verify", fifo]), "is no folder, no file");
    let out = stick.path().join("check.html");
    let page = ["certificate", "page", "--ca", "/dev/zero", "--out", out.to_str().unwrap()];
    refused(&ends(&page), "the most that is read");
    // In the data folder itself.
    let folder = dir.path().to_str().unwrap();
    for name in ["laboratory.toml", "persons.json"] {
        let path = dir.path().join(name);
        pipe(&path);
        refused(
            &ends(&[
                "person",
                "add",
                "Ann",
                "--role",
                "verifier",
                "--pin-file",
                "/dev/null",
                "--data",
                folder,
            ]),
            "",
        );
        fs::remove_file(&path).unwrap();
    }
    for (name, arguments) in [
        ("register.csv", &["board"][..]),
        ("register.csv", &["verify"][..]),
        ("lock", &["verify"][..]),
        ("journal.sqlite", &["verify"][..]),
        ("journal.sqlite", &["run", "list"][..]),
    ] {
        let (path, away) = (dir.path().join(name), dir.path().join("away"));
        fs::rename(&path, &away).unwrap();
        pipe(&path);
        let output = ends(&[arguments, &["--data", folder]].concat());
        assert!(matches!(output.status.code(), Some(2 | 3)), "{name} {arguments:?}: {:?}", output.status);
        assert!(stderr(&output).contains("no regular file"), "{name} {arguments:?}: {}", stderr(&output));
        fs::remove_file(&path).unwrap();
        fs::rename(&away, &path).unwrap();
    }
    let record = dir.path().join("packages").join(&number).join("record.json");
    fs::remove_file(&record).unwrap();
    symlink("/dev/zero", &record).unwrap();
    let package = record.parent().unwrap().to_str().unwrap();
    refused(&ends(&["certificate", "verify", package, "--data", folder]), "no regular file");
    refused(&ends(&["certificate", "papers", &number, "--data", folder]), "");
}

#[test]
fn a_chain_that_is_a_link_or_one_line_without_end_is_not_written_on() {
    let (dir, _) = data();
    let chain = dir.path().join("chain.jws");
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&chain, &elsewhere).unwrap();
    symlink(&elsewhere, &chain).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    refused(&at(dir.path(), &["verify"]), "it is a link");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    fs::remove_file(&chain).unwrap();
    fs::write(&chain, "e".repeat(3 << 20) + "\n").unwrap();
    refused(&at(dir.path(), &["verify"]), "it is longer than");
}

#[test]
fn escapes_in_names_of_files_in_manifests_and_in_settings_reach_no_terminal() {
    let (dir, number) = data();
    let package = dir.path().join("packages").join(&number);
    fs::write(package.join("x\u{1b}]0;owned\u{7}\u{1b}[2J\nAUTHENTIC\u{202e}.txt"), "").unwrap();
    let output = at(dir.path(), &["certificate", "verify", &number]);
    tame(&output);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.lines().any(|line| line.starts_with("AUTHENTIC")), "{said}");
    let file = dir.path().join("a\u{1b}[31mb.toml");
    fs::write(&file, "\"\\u001b[31mfoo\" = 1\n").unwrap();
    for option in ["--meter", "--bench", "--entries", "--regulation"] {
        let output = phantomload(&["plan", option, file.to_str().unwrap()]);
        tame(&output);
        refused(&output, r"\u001b[31mfoo");
    }
    let record = dir.path().join("o.ocmf");
    fs::write(&record, "OCMF|{\"FV\":\"1.0\\u001b[31m\",\"GI\":\"\\u009b31m\",\"RD\":[]}|{\"SD\":\"00\"}")
        .unwrap();
    for json in [&["--json"][..], &[]] {
        let arguments = [&["ocmf", "verify", record.to_str().unwrap()], json].concat();
        tame(&phantomload(&arguments));
    }
}

#[test]
fn a_photograph_that_leads_out_of_its_folder_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, secret) = (dir.path().join("stick"), dir.path().join("secret.jpg"));
    fs::create_dir(&inside).unwrap();
    fs::write(&secret, b"\xff\xd8\xff\xe0 secret").unwrap();
    symlink(&secret, inside.join("link.jpg")).unwrap();
    pipe(&inside.join("pipe.jpg"));
    fs::copy(&secret, inside.join("own.jpg")).unwrap();
    let entries = inside.join("entries.toml");
    let plan = |photograph: &str| {
        let seal = "[[seal]]\nplace = \"cover\"\nnumber = \"A1\"\nstate = \"intact\"\nphotograph = ";
        fs::write(&entries, format!("{seal}\"{photograph}\"\n")).unwrap();
        ends(&["plan", "--entries", entries.to_str().unwrap()])
    };
    for out in ["../secret.jpg", secret.to_str().unwrap(), "link.jpg"] {
        refused(&plan(out), "it leads out of the folder");
    }
    refused(&plan("pipe.jpg"), "it is no regular file");
    assert!(plan("own.jpg").status.success());
}

#[test]
fn a_link_that_waits_for_an_export_is_not_written_through() {
    let (dir, _) = data();
    let victim = dir.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let out = dir.path().join("register.xlsx");
    symlink(&victim, &out).unwrap();
    let output = at(dir.path(), &["certificate", "export", "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert!(fs::symlink_metadata(&out).unwrap().is_file());
}

#[test]
fn pins_that_anybody_tries_first_are_refused() {
    let (dir, _) = data();
    let pin = dir.path().join("pin.txt");
    for weak in ["111111", "000000000000", "123456", "654321", "890123", "0987654321"] {
        fs::write(&pin, weak).unwrap();
        let add = ["person", "add", "Ann", "--role", "verifier", "--pin-file", pin.to_str().unwrap()];
        refused(&at(dir.path(), &add), "among the first that anybody tries");
    }
}

#[test]
fn a_copy_of_the_stand_ins_profile_that_does_not_say_simulated_makes_no_real_run() {
    let dir = tempfile::tempdir().unwrap();
    let copy = |name: &str, file: &str, replace: &[(&str, &str)]| {
        support::altered(dir.path(), name, file, replace);
    };
    let bare = [("simulated = true\n", "")];
    copy("source.toml", "assets/instruments/simulated-source.toml", &bare);
    copy("reference.toml", "assets/instruments/simulated-reference.toml", &bare);
    copy("standard.toml", "calibration/simulated-reference.toml", &bare);
    copy("clock.toml", "calibration/simulated-time-base.toml", &bare);
    let bench = dir.path().join("bench.toml");
    fs::write(
        &bench,
        "schema = 1\n[calibration]\nreference = \"standard.toml\"\ntime_base = \"clock.toml\"\n\
         [source]\nprofile = \"source.toml\"\nlink = \"tcp:127.0.0.1:9\"\n\
         [reference]\nprofile = \"reference.toml\"\nlink = \"tcp:127.0.0.1:9\"\n\
         [pulse]\nlink = \"tcp:127.0.0.1:9\"\n",
    )
    .unwrap();
    let bench = phantomload::bench::Description::load(&bench).unwrap();
    assert!(bench.is_simulated());
}
