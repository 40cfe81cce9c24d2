//! Whatever is changed in a package, a chain or a QR text is found, and the right file is named.

#[allow(dead_code)]
#[path = "support/signed.rs"]
mod signed;

use phantomload::certificate::chain::{Entry, Kind as EntryKind};
use phantomload::certificate::sign::{cms, hex, jws, key::P256Key, qr, sha256, trust::Trust, xml};
use phantomload::certificate::verify::{self, Checked, Kind};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};
use signed::{Files, device, trust};
use std::process::Command;
use std::sync::LazyLock;

static SIGNED: LazyLock<(Files, String)> = LazyLock::new(|| signed::package(Some(&device(2))));

fn check(files: &Files) -> Checked {
    verify::package(files, &trust(), Some(&SIGNED.1))
}

#[test]
fn an_untouched_package_is_authentic() {
    let checked = check(&SIGNED.0);
    assert_eq!(checked.result, Kind::Authentic, "{}", checked.text());
    assert_eq!(
        (checked.certificate_no.as_deref(), checked.verdict.as_deref()),
        (Some("PL-2026-000001"), Some("pass"))
    );
    assert!(checked.zh.contains("真实") && checked.text().contains("Test CA"), "{}", checked.text());
}

fn found_in(name: &str, at: usize, mask: u8) {
    let mut files = SIGNED.0.clone();
    files.get_mut(name).unwrap()[at] ^= mask;
    let checked = check(&files);
    assert_eq!(
        (checked.result, checked.files.as_slice()),
        (Kind::Altered, &[name.to_owned()][..]),
        "{name} byte {at} ^ {mask:#x}: {}",
        checked.text()
    );
}

/// The three files that are not held by a hash. Every byte of a CMS and a JWS is tried where these are made.
#[test]
fn a_flipped_byte_of_the_manifest_and_its_signatures_is_found_and_the_file_named() {
    for name in ["manifest.json", "manifest.json.p7s", "manifest.jws"] {
        for at in (0..SIGNED.0[name].len()).step_by(5) {
            found_in(name, at, if at % 9 == 8 { 0xff } else { 1 << (at % 9) });
        }
    }
}

#[test]
fn any_flipped_byte_of_any_file_is_found_and_the_file_named() {
    let config =
        Config { cases: 300, rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[4; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let names: Vec<&String> = SIGNED.0.keys().collect();
    runner
        .run(&(0..names.len(), any::<prop::sample::Index>(), 1..=255u8), |(file, at, mask)| {
            let name = names[file];
            found_in(name, at.index(SIGNED.0[name].len()), mask);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_missing_or_does_not_belong_is_named() {
    for name in SIGNED.0.keys() {
        let mut files = SIGNED.0.clone();
        files.remove(name);
        let checked = check(&files);
        assert_eq!((checked.result, &checked.files[..]), (Kind::Incomplete, &[name.clone()][..]), "{name}");
    }
    let mut files = SIGNED.0.clone();
    files.insert("notes.txt".into(), vec![]);
    let checked = check(&files);
    assert_eq!((checked.result, &checked.files[..]), (Kind::Incomplete, &["notes.txt".to_owned()][..]));
    assert_eq!(check(&Files::new()).result, Kind::Incomplete);
}

#[test]
fn a_package_signed_anew_by_another_device_is_of_another_chain_and_by_nobody_of_an_unknown_key() {
    let mut nobody = Trust::new(signed::at().timestamp());
    let checked = verify::package(&SIGNED.0, &nobody, None);
    assert_eq!(checked.result, Kind::UnknownKey, "{}", checked.text());
    nobody.add(&signed::device_pem(2, signed::PERIOD)[1]).unwrap();
    assert_eq!(verify::package(&SIGNED.0, &nobody, None).result, Kind::UnknownKey, "at hand is not trusted");
    let (other, _) = signed::package(Some(&device(3)));
    assert_eq!(verify::package(&other, &trust(), None).result, Kind::Authentic);
    assert_eq!(check(&other).result, Kind::ChainBroken);
    // One part from another package: named, though its own signature is good.
    for (name, of) in [("manifest.json.p7s", &other), ("manifest.jws", &other), ("certificate.pdf", &other)] {
        let mut files = SIGNED.0.clone();
        files.insert(name.into(), of[name].clone());
        let checked = check(&files);
        assert_eq!(checked.result, Kind::Altered, "{name}: {}", checked.text());
    }
}

#[test]
fn no_key_and_an_expired_certificate_are_told_in_words() {
    let (files, chain) = signed::package(None);
    let checked = verify::package(&files, &trust(), Some(&chain));
    assert_eq!(checked.result, Kind::Unsigned, "{}", checked.text());
    let mut changed = files.clone();
    changed.get_mut("results.csv").unwrap()[3] ^= 1;
    let checked = verify::package(&changed, &trust(), None);
    assert_eq!((checked.result, &checked.files[..]), (Kind::Altered, &["results.csv".to_owned()][..]));
    let [key, pem] = signed::device_pem(5, ["2026-01-01T00:00:00Z", "2026-11-20T02:00:00Z"]);
    let late = P256Key::from_pem(&key, &pem).unwrap();
    let checked = verify::package(&signed::package(Some(&late)).0, &trust(), None);
    assert_eq!(checked.result, Kind::Expired, "{}", checked.text());
    // Signatures taken off a signed package: the manifest still says that it was signed.
    let mut stripped = SIGNED.0.clone();
    stripped.remove("manifest.json.p7s");
    let line = jws::sign(None, &stripped["manifest.json"]).unwrap();
    stripped.insert("manifest.jws".into(), line.into_bytes());
    let checked = check(&stripped);
    assert_eq!(checked.result, Kind::Altered, "{}", checked.text());
}

#[test]
fn files_that_say_another_verdict_or_number_than_the_manifest_are_named() {
    let key = device(2);
    for (name, from, to) in [
        ("record.json", "\"pass\"", "\"fail\""),
        ("record.json", "PL-R-2026-000001", "PL-R-2026-000002"),
        ("certificate.dcc.xml", "<dcc:conformity>pass", "<dcc:conformity>fail"),
        ("certificate.dcc.xml", ">PL-2026-000001<", ">PL-2026-000002<"),
    ] {
        let mut files = SIGNED.0.clone();
        let text = String::from_utf8(files[name].clone()).unwrap();
        let mut text = if name == "record.json" { text } else { signed::DCC.to_owned() };
        text = text.replace(from, to);
        let bytes =
            if name == "record.json" { text.into_bytes() } else { xml::sign(&key, text.as_bytes()).unwrap() };
        let mut manifest = Entry::from_json(&files["manifest.json"]).unwrap();
        manifest.files.insert(name.into(), hex(&sha256(&bytes)));
        files.insert(name.into(), bytes);
        files.insert("manifest.json".into(), manifest.to_json());
        files.insert("manifest.jws".into(), manifest.line(Some(&key)).unwrap().into_bytes());
        let p7s = cms::sign(&key, &manifest.to_json(), signed::at().timestamp());
        files.insert("manifest.json.p7s".into(), p7s.unwrap());
        let checked = verify::package(&files, &trust(), None);
        assert_eq!((checked.result, &checked.files[..]), (Kind::Altered, &[name.to_owned()][..]), "{to}");
    }
}

#[test]
fn a_qr_text_is_told_in_both_languages() {
    let text = qr::text(&signed::claims(), &device(2)).unwrap();
    let checked = verify::qr_text(&text, &trust(), None);
    assert_eq!(checked.result, Kind::Authentic, "{}", checked.text());
    assert!(
        checked.text().contains("结论 合格") && checked.text().contains("verdict pass"),
        "{}",
        checked.text()
    );
    let foreign = qr::text(&signed::claims(), &device(3)).unwrap();
    assert_eq!(verify::qr_text(&foreign, &trust(), None).result, Kind::UnknownKey);
    // A chain that says nothing, or that begins with somebody else's line, hides no withdrawal.
    let first = Entry::from_line(SIGNED.1.lines().next().unwrap()).unwrap();
    let other = Entry { device: "PL-OTHER".into(), alg: "none".into(), key_id: String::new(), ..first };
    let other = other.line(None).unwrap();
    for lines in ["{}\n{}\n".to_owned(), format!("{other}\n{}", SIGNED.1)] {
        let checked = verify::qr_text(&text, &trust(), Some(&lines));
        assert_eq!(checked.result, Kind::ChainBroken, "{}", checked.text());
    }
    // One that is wholly another device's has nothing to say.
    let checked = verify::qr_text(&text, &trust(), Some(&format!("{other}\n")));
    assert_eq!(checked.result, Kind::Authentic, "{}", checked.text());
    let mut changed = text.clone();
    changed.replace_range(100..101, if &text[100..101] == "7" { "8" } else { "7" });
    assert_eq!(verify::qr_text(&changed, &trust(), None).result, Kind::Altered);
}

#[test]
fn the_program_says_it_with_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let package = data.join("packages/PL-2026-000001");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::create_dir_all(data.join("key")).unwrap();
    std::fs::write(data.join("key/ca.pem"), signed::ca_pem()).unwrap();
    std::fs::write(data.join("chain.jws"), &SIGNED.1).unwrap();
    for (name, bytes) in &SIGNED.0 {
        std::fs::write(package.join(name), bytes).unwrap();
    }
    let run = |what: &str, more: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_phantomload"))
            .args(["certificate", "verify", what, "--json", "--data"])
            .arg(&data)
            .args(more)
            .output()
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        (out.status.code().unwrap(), json["result"].as_str().unwrap_or_default().to_owned(), json)
    };
    assert_eq!(run("PL-2026-000001", &[]).0, 0);
    assert_eq!(run(package.to_str().unwrap(), &[]).1, "authentic");
    let text = String::from_utf8(SIGNED.0["qr.txt"].clone()).unwrap();
    assert_eq!(run(&text, &[]).1, "unknown_key");
    std::fs::create_dir_all(data.join("trust")).unwrap();
    std::fs::write(data.join("trust/device.pem"), &signed::device_pem(2, signed::PERIOD)[1]).unwrap();
    assert_eq!(run(&text, &[]).0, 0);
    assert_eq!(run(data.join("chain.jws").to_str().unwrap(), &[]).1, "authentic");
    let cut: String = SIGNED.1.lines().take(1).map(|l| l.to_owned() + "\n").collect();
    std::fs::write(data.join("chain.jws"), cut).unwrap();
    assert_eq!(run("PL-2026-000001", &[]).1, "chain_broken");
    // The packages beside a chain know its tail.
    let (code, result, json) = run(data.join("chain.jws").to_str().unwrap(), &[]);
    assert_eq!((code, result.as_str()), (1, "chain_broken"), "{json}");
    assert!(json["chain"]["findings"][0]["from"].as_str().unwrap().starts_with("packages/PL-2026-000001/"));
    let withdrawn = signed::appended(&SIGNED.1, Some(&device(2)), |entry| {
        (entry.kind, entry.cert) = (EntryKind::Withdraw, Some("PL-2026-000001".into()));
    });
    std::fs::write(data.join("chain.jws"), withdrawn).unwrap();
    for what in ["PL-2026-000001", &text] {
        let (code, result, _) = run(what, &[]);
        assert_eq!((code, result.as_str()), (1, "withdrawn"));
    }
    std::fs::write(data.join("chain.jws"), &SIGNED.1).unwrap();
    #[cfg(unix)]
    {
        // Neither a pipe nor a link is read.
        let strange = package.join("strange");
        assert!(Command::new("mkfifo").arg(&strange).status().unwrap().success());
        assert_eq!(run("PL-2026-000001", &[]).0, 2);
        std::fs::remove_file(&strange).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &strange).unwrap();
        assert_eq!(run("PL-2026-000001", &[]).0, 2);
        std::fs::remove_file(&strange).unwrap();
        // Nor what is longer than any package.
        let long = std::fs::File::create(&strange).unwrap();
        long.set_len((256 << 20) + 1).unwrap();
        assert_eq!(run("PL-2026-000001", &[]).0, 2);
        std::fs::remove_file(&strange).unwrap();
    }
    std::fs::write(package.join("results.csv"), "item,error\n1,+0.10\n").unwrap();
    let (code, result, json) = run("PL-2026-000001", &[]);
    assert_eq!((code, result.as_str(), json["files"][0].as_str()), (1, "altered", Some("results.csv")));
    assert!(json["words_zh"].as_str().unwrap().contains("改动"), "{json}");
    assert_eq!(run("no-such-thing", &[]).0, 2);
    assert_eq!(run("PL-2026-000001", &["--ca", "no-such-file"]).0, 2);
}

#[test]
fn what_was_withdrawn_or_replaced_later_is_not_authentic_and_a_draft_says_that_it_is_one() {
    let checked = check(&SIGNED.0);
    assert!(checked.en.starts_with("AUTHENTIC DRAFT, not issued, of no legal value"), "{}", checked.en);
    assert!(
        checked.en.contains("verification certificate") && checked.zh.contains("草稿"),
        "{}",
        checked.text()
    );
    let key = device(2);
    let qr_text = String::from_utf8(SIGNED.0["qr.txt"].clone()).unwrap();
    let later = |kind: EntryKind, cert: &str, replaces: &str, key: Option<&P256Key>| {
        signed::appended(&SIGNED.1, key, |entry| {
            (entry.kind, entry.cert) = (kind, Some(cert.to_owned()));
            entry.said.insert("reason".into(), "a wrong seal".into());
            if !replaces.is_empty() {
                entry.said.insert("replaces".into(), replaces.into());
            }
        })
    };
    let own = "PL-2026-000001";
    for (lines, kind, words) in [
        (later(EntryKind::Withdraw, own, "", Some(&key)), Kind::Withdrawn, "WITHDRAWN"),
        // A paper is taken back without a key as well.
        (later(EntryKind::Withdraw, own, "", None), Kind::Withdrawn, "a wrong seal"),
        (later(EntryKind::Amend, "PL-2026-000002", own, Some(&key)), Kind::Replaced, "PL-2026-000002"),
        (later(EntryKind::Withdraw, "PL-2026-000002", "", Some(&key)), Kind::Authentic, "DRAFT"),
        (later(EntryKind::Issue, own, "", Some(&key)), Kind::Authentic, "issued later"),
        // Another entry that nobody has signed, or with another's signature.
        (later(EntryKind::RunOpen, "PL-2026-000002", "", None), Kind::Authentic, "DRAFT"),
        (later(EntryKind::Approval, own, "", None), Kind::ChainBroken, "not signed"),
        (later(EntryKind::Approval, own, "", Some(&device(3))), Kind::ChainBroken, "in use"),
    ] {
        for checked in [
            verify::package(&SIGNED.0, &trust(), Some(&lines)),
            verify::qr_text(&qr_text, &trust(), Some(&lines)),
        ] {
            assert_eq!(checked.result, kind, "{}", checked.text());
            assert!(checked.text().contains(words), "{words}: {}", checked.text());
        }
    }
    // A chain of another device says nothing of a QR code.
    let first = signed::entry(1, phantomload::certificate::chain::NONE_BEFORE, None);
    let other = Entry { device: "PL-2".into(), ..first };
    let checked = verify::qr_text(&qr_text, &trust(), Some(&(other.line(None).unwrap() + "\n")));
    assert_eq!(checked.result, Kind::Authentic, "{}", checked.text());
}

#[test]
fn a_demo_key_answers_for_nothing_real_and_a_key_for_its_own_device_alone() {
    for (name, words) in
        [("DEMO PL-1 (no trust)", "DEMO"), ("Phantomload PL-9", "does not name the device PL-1")]
    {
        let [key, pem] = signed::named_pem(6, name, signed::PERIOD);
        let key = P256Key::from_pem(&key, &pem).unwrap();
        let (files, _) = signed::package(Some(&key));
        let checked = verify::package(&files, &trust(), None);
        assert_eq!(checked.result, Kind::UnknownKey, "{}", checked.text());
        assert!(checked.text().contains(words), "{}", checked.text());
        let mut with_key = trust();
        with_key.add(&pem).unwrap();
        let mut claims = signed::claims();
        let text = |claims: &qr::Claims| qr::text(claims, &key).unwrap();
        assert_eq!(verify::qr_text(&text(&claims), &with_key, None).result, Kind::UnknownKey);
        // The number alone makes nothing simulated; number and bench do.
        claims.certificate_no = "SIM-2026-000001".into();
        assert_eq!(verify::qr_text(&text(&claims), &with_key, None).result, Kind::UnknownKey);
        claims.simulated = true;
        let checked = verify::qr_text(&text(&claims), &with_key, None);
        let expected = if name.contains("DEMO") { Kind::Authentic } else { Kind::UnknownKey };
        assert_eq!(checked.result, expected, "{}", checked.text());
        if expected == Kind::Authentic {
            assert!(checked.en.contains("SIMULATED") && checked.en.contains("DEMO key"), "{}", checked.en);
        }
    }
}

#[test]
fn a_signed_manifest_that_leaves_a_file_out_is_of_no_whole_paper() {
    let key = device(2);
    for name in SIGNED.0.keys().filter(|name| !name.starts_with("manifest.")) {
        let mut less = SIGNED.0.clone();
        less.remove(name);
        let less = signed::resigned(&less, &key, |manifest| {
            manifest.files.remove(name);
        });
        let checked = verify::package(&less, &trust(), None);
        assert_eq!((checked.result, &checked.files[..]), (Kind::Incomplete, &[name.clone()][..]), "{name}");
    }
}

#[test]
fn a_paper_that_is_sealed_long_after_its_run_is_judged_at_its_sealing() {
    let [key, pem] = signed::device_pem(7, ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]);
    let key = P256Key::from_pem(&key, &pem).unwrap();
    let mut trust = trust();
    trust.add(&pem).unwrap();
    let sealed = |sealed: Option<&str>| {
        let sealed = sealed.map(|at| at.parse().unwrap());
        let text = qr::text(&qr::Claims { sealed, ..signed::claims() }, &key).unwrap();
        verify::qr_text(&text, &trust, None).result
    };
    assert_eq!(sealed(Some("2027-06-01T00:00:00Z")), Kind::Authentic);
    assert_eq!(sealed(Some("2028-06-01T00:00:00Z")), Kind::Expired);
    assert_eq!(sealed(None), Kind::Expired, "the run was before the certificate began");
}
