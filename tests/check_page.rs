//! The checking page in a real Chromium: what a driver or an operator sees of a QR text and of a package.
//!
//! Needs `chromium` (Debian; `.ci/run` installs it). Without it the tests say loudly that they were skipped.

#[path = "support/skip.rs"]
mod skip;

use base64::Engine;
use phantomload::certificate::chain::{Clock, Entry, Kind, NONE_BEFORE, VERSION};
use phantomload::certificate::page::page;
use phantomload::certificate::sign::authority::{self, Subject};
use phantomload::certificate::sign::key::P256Key;
use phantomload::certificate::sign::qr::{self, Claims};
use phantomload::certificate::sign::{Signer, cms, hex, sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A laboratory with two devices; the page is told of the first. Made from fixed bytes, worth nothing.
struct Laboratory {
    ca: String,
    device: P256Key,
    device_pem: String,
    stranger: P256Key,
    demo: P256Key,
    demo_pem: String,
    outdated: P256Key,
    outdated_pem: String,
}

static LABORATORY: LazyLock<Laboratory> = LazyLock::new(|| {
    let subject = |name: &str| Subject {
        common_name: name.into(),
        serial: String::new(),
        organization: "某市计量检定测试所（示例）".into(),
        country: "CN".into(),
    };
    let key = |byte: u8| authority::new_key([byte; 32]).unwrap();
    let [from, to] = ["2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
    let ca = authority::authority(&key(1), &subject("Example authority"), 1, from, to).unwrap();
    let issued = |key_pem: &str, name: &str, serial: u64, [from, to]: [jiff::Timestamp; 2]| {
        let request = authority::request(key_pem, &subject(name)).unwrap();
        authority::issue(&key(1), &ca, &request, serial, from, to).unwrap()
    };
    let device_pem = issued(&key(2), "Tester PL-1", 2, [from, to]);
    let stranger_pem = authority::authority(&key(3), &subject("Stranger"), 3, from, to).unwrap();
    let short = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"].map(|t| t.parse().unwrap());
    let outdated_pem = issued(&key(4), "Tester PL-0", 4, short);
    let demo_pem = issued(&key(5), "DEMO PL-1 (no trust)", 5, [from, to]);
    Laboratory {
        demo: P256Key::from_pem(&key(5), &demo_pem).unwrap(),
        demo_pem,
        device: P256Key::from_pem(&key(2), &device_pem).unwrap(),
        stranger: P256Key::from_pem(&key(3), &stranger_pem).unwrap(),
        outdated: P256Key::from_pem(&key(4), &outdated_pem).unwrap(),
        ca,
        device_pem,
        outdated_pem,
    }
});

fn claims() -> Claims {
    Claims {
        certificate_no: "PL-2026-000123".into(),
        device: "PL-1".into(),
        item: "充电桩 DCM-0001 / A".into(),
        time: "2026-11-20T10:02:00.000+08:00".into(),
        valid_until: Some("2999-11-19".into()),
        verdict: "pass".into(),
        document: "verification_certificate".into(),
        status: "issued".into(),
        dcc_sha256: [1; 32],
        seq: 1234,
        prev: [2; 32],
        simulated: false,
        sealed: Some("2026-11-20T03:00:00Z".parse().unwrap()),
    }
}

fn text(claims: &Claims) -> String {
    qr::text(claims, &LABORATORY.device).unwrap()
}

/// What the page shows in the end.
struct Seen {
    result: String,
    files: String,
    tone: String,
    body: String,
}

/// The browser's program, where there is one.
fn chromium() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(|name| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file())
    });
    if found.is_none() {
        skip::skipped("no chromium; install the Debian package chromium (.ci/run does)");
    }
    found
}

/// Opens the page, told of these certificates, and looks at it when nothing moves any more. None without a browser.
fn see(
    certificates: &[&str],
    fragment: &str,
    files: &BTreeMap<String, Vec<u8>>,
    language: &str,
) -> Option<Seen> {
    let chromium = chromium()?;
    let dir = tempfile::tempdir().unwrap();
    let certificates: Vec<_> =
        certificates.iter().map(|pem| ("a.pem".to_owned(), (*pem).to_owned())).collect();
    let mut html = String::from_utf8(page(&certificates).unwrap()).unwrap();
    let chosen = if files.is_empty() { String::new() } else { choose(files) };
    html = html.replace("</body>", &format!("<script>{chosen}{WAIT}</script></body>"));
    let path = dir.path().join("check.html");
    std::fs::write(&path, html).unwrap();
    let mut url = format!("file://{}#", path.display());
    for byte in fragment.bytes() {
        let _ = write!(url, "%{byte:02X}");
    }
    let said = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            // Nothing that a browser does on its own at its first start.
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-sync",
            "--virtual-time-budget=30000",
            "--dump-dom",
        ])
        .arg(format!("--accept-lang={language}"))
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(url)
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&said.stdout).into_owned();
    let body = dom.split_once("<body").map(|(_, rest)| rest.split_once("<script").map_or(rest, |(b, _)| b));
    let body =
        body.unwrap_or_else(|| panic!("no page: {}", String::from_utf8_lossy(&said.stderr))).to_owned();
    let said = |name: &str| {
        let (_, rest) = body.split_once(&format!("data-{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let result = said("result").unwrap_or_else(|| panic!("the page showed no result: {body}"));
    Some(Seen { result, files: said("files").unwrap(), tone: said("tone").unwrap(), body })
}

/// The browser's virtual time runs on where nothing waits for it, and reading a file is no such thing: a timer that also
/// takes real time keeps the page open until it has an answer.
const WAIT: &str = "(function tick() {
  for (let n = 0, sum = 0; n < 2e6; n++) sum += n;
  if (!document.body.dataset.result) setTimeout(tick, 5);
})();";

/// A script that does what a person does who chooses files.
fn choose(files: &BTreeMap<String, Vec<u8>>) -> String {
    let encoded: BTreeMap<&String, String> = files
        .iter()
        .map(|(name, bytes)| (name, base64::engine::general_purpose::STANDARD.encode(bytes)))
        .collect();
    format!(
        "{{ const chosen = new DataTransfer();
        for (const [name, text] of Object.entries({}))
          chosen.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
        const input = document.getElementById('files');
        input.files = chosen.files;
        input.dispatchEvent(new Event('change')); }}",
        serde_json::to_string(&encoded).unwrap()
    )
}

fn of_text(text: &str) -> Option<Seen> {
    let known = &*LABORATORY;
    see(&[&known.ca, &known.device_pem, &known.outdated_pem], text, &BTreeMap::new(), "en-US")
}

#[test]
fn a_driver_sees_that_a_code_is_authentic_and_what_it_says() {
    let Some(seen) = of_text(&text(&claims())) else { return };
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("authentic", "good"), "{}", seen.body);
    for said in [
        "Authentic",
        "Pass",
        "PL-2026-000123",
        "充电桩 DCM-0001 / A",
        "2026-11-20",
        "2999-11-19",
        "in force",
        "entry 1234",
        "Tester PL-1",
        "Example authority",
    ] {
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
    }
    assert!(seen.body.contains("id=\"simulated\" hidden"), "{}", seen.body);
    let chinese =
        see(&[&LABORATORY.ca, &LABORATORY.device_pem], &text(&claims()), &BTreeMap::new(), "zh-CN").unwrap();
    for said in ["真实", "合格", "有效期至", "检定证书"] {
        assert!(chinese.body.contains(said), "{said}: {}", chinese.body);
    }
}

#[test]
fn an_authentic_code_is_green_only_for_a_meter_that_passed_and_a_paper_in_force() {
    let cases = [
        (
            Claims {
                verdict: "fail".into(),
                valid_until: None,
                document: "result_notice".into(),
                ..claims()
            },
            "bad",
            "the meter failed",
        ),
        (
            Claims { simulated: true, valid_until: None, document: "test_report".into(), ..claims() },
            "care",
            "SIMULATED",
        ),
        (Claims { valid_until: Some("2001-01-01".into()), ..claims() }, "care", "but expired"),
        (Claims { status: "draft".into(), ..claims() }, "care", "a draft"),
        (Claims { verdict: "undecided".into(), ..claims() }, "care", "undecided"),
        (Claims { document: "test_report".into(), ..claims() }, "care", "test report"),
    ];
    for (claims, tone, words) in cases {
        let Some(seen) = of_text(&text(&claims)) else { return };
        assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("authentic", tone), "{claims:?}");
        assert!(seen.body.contains(words), "{words}: {}", seen.body);
        assert_eq!(seen.body.contains("id=\"simulated\" hidden"), !claims.simulated);
    }
}

#[test]
fn a_changed_foreign_or_broken_code_is_never_authentic() {
    let good = text(&claims());
    let mut changed = good.clone().into_bytes();
    changed[60] = if changed[60] == b'7' { b'8' } else { b'7' };
    let foreign = qr::text(&claims(), &LABORATORY.stranger).unwrap();
    let outdated = qr::text(&claims(), &LABORATORY.outdated).unwrap();
    for (text, results) in [
        (String::from_utf8(changed).unwrap(), &["altered", "unknown_key"][..]),
        (good[..good.len() - 3].to_owned(), &["altered"]),
        (good.replacen("EVV1", "EVV2", 1), &["unreadable"]),
        (foreign, &["unknown_key"]),
        (outdated, &["expired"]),
    ] {
        let Some(seen) = of_text(&text) else { return };
        assert!(results.contains(&seen.result.as_str()), "{}: {}", seen.result, seen.body);
        assert_ne!(seen.tone, "good");
    }
    // The device's certificate at hand and nobody to answer for it.
    let Some(seen) = see(&[&LABORATORY.device_pem], &good, &BTreeMap::new(), "en-US") else { return };
    assert_eq!(seen.result, "unknown_key");
}

/// A small package as `archive` makes it.
fn package() -> BTreeMap<String, Vec<u8>> {
    package_with(&claims(), &LABORATORY.device)
}

fn package_with(claims: &Claims, key: &P256Key) -> BTreeMap<String, Vec<u8>> {
    let record = r#"{"simulated":false,"started":"2026-11-20T10:02:00.000+08:00","plan":{"nameplate":{"serial":"DCM-0001","connector":"A"}}}"#;
    let issue = r#"{"simulated":false,"status":"issued","laboratory":{"name_zh":"某市计量检定测试所（示例）","name_en":""},"signatures":[{"person":"李工"}]}"#;
    let qr_text = qr::text(claims, key).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = [
        ("record.json", record),
        ("issue.json", issue),
        ("qr.txt", qr_text.as_str()),
        ("certificate.pdf", "%PDF"),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into();
    let entry = Entry {
        v: VERSION,
        seq: 1,
        prev: NONE_BEFORE.into(),
        device: "PL-1".into(),
        kind: Kind::Issue,
        record: Some("PL-R-2026-000123".into()),
        cert: Some("PL-2026-000123".into()),
        time: "2026-11-20T11:00:00.000+08:00".into(),
        clock: Clock { source: "system".into(), age_s: None },
        verdict: Some("pass".into()),
        said: [("reason".to_owned(), "引号 \" \\ \u{1} é ⚡".to_owned())].into(),
        files: files.iter().map(|(name, bytes)| (name.clone(), hex(&sha256(bytes)))).collect(),
        alg: key.algorithm().into(),
        key_id: key.key_id(),
    };
    let manifest = entry.to_json();
    let at = "2026-11-20T03:00:00Z".parse().unwrap();
    files.insert("manifest.json.p7s".into(), cms::sign(key, &manifest, at).unwrap());
    files.insert("manifest.jws".into(), entry.line(Some(key)).unwrap().into_bytes());
    files.insert("manifest.json".into(), manifest);
    files
}

fn of_package(files: &BTreeMap<String, Vec<u8>>) -> Option<Seen> {
    see(&[&LABORATORY.ca], "", files, "en-US")
}

#[test]
fn a_package_is_authentic_and_says_what_it_is() {
    let Some(seen) = of_package(&package()) else { return };
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("authentic", "good"), "{}", seen.body);
    for said in [
        "PL-2026-000123",
        "DCM-0001 / A",
        "2999-11-19",
        "李工",
        "All 4 files",
        "Verification certificate",
        "某市计量检定测试所（示例）",
    ] {
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
    }
    let mut with_chain = package();
    let line = [&with_chain["manifest.jws"][..], b"\n"].concat();
    with_chain.insert("chain.jws".into(), line.clone());
    let seen = of_package(&with_chain).unwrap();
    assert_eq!(seen.result, "authentic");
    assert!(seen.body.contains("The chain is whole, 1 entries"), "{}", seen.body);
    with_chain.insert("chain.jws".into(), [&line[..], &line[..]].concat());
    assert_eq!(of_package(&with_chain).unwrap().result, "chain_broken");
}

#[test]
fn a_package_is_green_only_where_it_is_a_certificate() {
    let report = package_with(&Claims { document: "test_report".into(), ..claims() }, &LABORATORY.device);
    let Some(seen) = of_package(&report) else { return };
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("authentic", "care"), "{}", seen.body);
    assert!(seen.body.contains("Authentic test report"), "{}", seen.body);
    // A kind that nobody knows, such as of a code that says none.
    let strange = package_with(&Claims { document: "diploma".into(), ..claims() }, &LABORATORY.device);
    let seen = of_package(&strange).unwrap();
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("authentic", "care"), "{}", seen.body);
    let seen = of_package(&package_with(&claims(), &LABORATORY.demo)).unwrap();
    assert_eq!(seen.result, "unknown_key", "{}", seen.body);
    assert!(seen.body.contains("is a DEMO key"), "{}", seen.body);
}

#[test]
fn a_demo_key_and_anothers_key_answer_for_no_code_of_this_tester() {
    let known = &*LABORATORY;
    let certificates = [known.ca.as_str(), &known.device_pem, &known.demo_pem];
    let demo = qr::text(&claims(), &known.demo).unwrap();
    let Some(seen) = see(&certificates, &demo, &BTreeMap::new(), "en-US") else { return };
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("unknown_key", "care"), "{}", seen.body);
    let other = text(&Claims { device: "PL-2".into(), ..claims() });
    let seen = of_text(&other).unwrap();
    assert_eq!(seen.result, "unknown_key", "{}", seen.body);
    assert!(seen.body.contains("does not name the tester PL-2"), "{}", seen.body);
    // Sealed when the certificate had begun, of a run before that; and the other way round.
    for (sealed, result) in [("2026-01-15T00:00:00Z", "authentic"), ("2026-11-20T03:00:00Z", "expired")] {
        let claims = Claims { device: "PL-0".into(), sealed: Some(sealed.parse().unwrap()), ..claims() };
        let seen = of_text(&qr::text(&claims, &known.outdated).unwrap()).unwrap();
        assert_eq!(seen.result, result, "{}", seen.body);
    }
}

#[test]
fn a_chain_beside_a_package_is_held_to_its_key_and_says_what_became_of_the_paper() {
    let known = &*LABORATORY;
    let files = package();
    let manifest = Entry::from_json(&files["manifest.json"]).unwrap();
    let line = String::from_utf8(files["manifest.jws"].clone()).unwrap();
    let next = |kind: Kind, key: Option<&P256Key>, cert: &str, replaces: &str| {
        let entry = Entry {
            seq: 2,
            prev: hex(&manifest.sha256()),
            kind,
            cert: Some(cert.into()),
            verdict: None,
            said: [
                ("reason".to_owned(), "a wrong seal".to_owned()),
                ("replaces".to_owned(), replaces.to_owned()),
            ]
            .into(),
            files: BTreeMap::new(),
            alg: if key.is_some() { "ES256" } else { "none" }.into(),
            key_id: key.map(P256Key::key_id).unwrap_or_default(),
            ..manifest.clone()
        };
        format!("{line}\n{}\n", entry.line(key.map(|k| k as &dyn Signer)).unwrap())
    };
    let (own, device) = ("PL-2026-000123", Some(&known.device));
    for (chain, result, words) in [
        (next(Kind::RunOpen, device, "PL-2026-000124", ""), "authentic", "2 entries"),
        (next(Kind::RunOpen, None, "PL-2026-000124", ""), "authentic", "2 entries"),
        (next(Kind::Withdraw, device, own, ""), "withdrawn", "a wrong seal"),
        (next(Kind::Amend, device, "PL-2026-000124", own), "replaced", "PL-2026-000124"),
        (next(Kind::Approval, None, own, ""), "chain_broken", "unsigned"),
        (next(Kind::Approval, Some(&known.stranger), own, ""), "chain_broken", "line 2"),
    ] {
        let mut files = files.clone();
        files.insert("chain.jws".into(), chain.into_bytes());
        let Some(seen) = of_package(&files) else { return };
        assert_eq!(seen.result, result, "{words}: {}", seen.body);
        assert!(seen.body.contains(words), "{words}: {}", seen.body);
        assert_eq!(seen.tone == "good", result == "authentic");
    }
}

#[test]
fn one_changed_byte_of_a_package_is_found_and_the_file_named() {
    for name in package().keys() {
        let mut files = package();
        let bytes = files.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let Some(seen) = of_package(&files) else { return };
        assert_eq!((seen.result.as_str(), seen.files.as_str()), ("altered", name.as_str()), "{}", seen.body);
        assert_eq!(seen.tone, "bad");
    }
}

#[test]
fn a_file_too_few_or_too_many_and_an_unknown_key_are_told() {
    for name in ["certificate.pdf", "manifest.jws", "manifest.json.p7s", "manifest.json"] {
        let mut files = package();
        files.remove(name);
        let Some(seen) = of_package(&files) else { return };
        assert_eq!((seen.result.as_str(), seen.files.as_str()), ("incomplete", name), "{}", seen.body);
    }
    let mut files = package();
    files.insert("toString".into(), b"x".to_vec());
    let seen = of_package(&files).unwrap();
    assert_eq!((seen.result.as_str(), seen.files.as_str()), ("incomplete", "toString"));
    let seen = see(&[], "", &package(), "en-US").unwrap();
    assert_eq!((seen.result.as_str(), seen.tone.as_str()), ("unknown_key", "care"));
}

#[test]
fn the_program_writes_the_page_of_a_data_folder() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("key")).unwrap();
    std::fs::write(dir.path().join("key/ca.pem"), &LABORATORY.ca).unwrap();
    std::fs::write(dir.path().join("key/device.pem"), &LABORATORY.device_pem).unwrap();
    let run = |arguments: &[&str]| {
        let program = Command::new(env!("CARGO_BIN_EXE_phantomload"))
            .args(["certificate", "page", "--data", dir.path().to_str().unwrap()])
            .args(arguments)
            .output()
            .unwrap();
        (program.status.code(), String::from_utf8_lossy(&program.stderr).into_owned())
    };
    let out = dir.path().join("check.html");
    assert_eq!(run(&["--out", out.to_str().unwrap()]).0, Some(0));
    let named = |pem: &str| ("x".to_owned(), pem.to_owned());
    let expected = page(&[named(&LABORATORY.ca), named(&LABORATORY.device_pem)]).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), expected);
    let secret = dir.path().join("device.key");
    std::fs::write(&secret, authority::new_key([2; 32]).unwrap()).unwrap();
    let (code, words) = run(&["--ca", secret.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(code == Some(2) && words.contains("private key"), "{words}");
    assert_eq!(run(&["--ca", "/nowhere.pem"]).0, Some(2));
    assert!(!Path::new("check.html").exists());
}
