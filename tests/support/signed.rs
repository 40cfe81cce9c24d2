//! A small signed package for tests: keys made from fixed bytes, stand-in files in the forms of the real ones.

use phantomload::certificate::chain::{Clock, Entry, Kind, NONE_BEFORE, VERSION};
use phantomload::certificate::sign::authority::{self, Subject};
use phantomload::certificate::sign::key::P256Key;
use phantomload::certificate::sign::pdf::Note;
use phantomload::certificate::sign::qr::{self, Claims};
use phantomload::certificate::sign::trust::Trust;
use phantomload::certificate::sign::{Signer, cms, hex, pdf, sha256, unhex, xml};
use phantomload::time::Stamp;
use std::collections::BTreeMap;

pub const TIME: &str = "2026-11-20T10:02:00.123+08:00";
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn at() -> Stamp {
    TIME.parse().unwrap()
}

fn subject(name: &str) -> Subject {
    Subject {
        common_name: name.into(),
        serial: "PL-1".into(),
        organization: "某某检定所 Test".into(),
        country: "CN".into(),
    }
}

pub fn ca_pem() -> String {
    let [from, to] = ["2026-01-01T00:00:00Z", "2049-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
    authority::authority(&authority::new_key([1; 32]).unwrap(), &subject("Test CA"), 1, from, to).unwrap()
}

/// PEM of key and certificate number `n`, issued by the test authority for this period.
pub fn device_pem(n: u8, period: [&str; 2]) -> [String; 2] {
    named_pem(n, "Phantomload PL-1", period)
}

/// The same with another common name.
pub fn named_pem(n: u8, common_name: &str, period: [&str; 2]) -> [String; 2] {
    let key = authority::new_key([n; 32]).unwrap();
    let named = Subject { serial: String::new(), ..subject(common_name) };
    let request = authority::request(&key, &named).unwrap();
    let [from, to] = period.map(|t| t.parse().unwrap());
    let ca_key = authority::new_key([1; 32]).unwrap();
    let pem = authority::issue(&ca_key, &ca_pem(), &request, u64::from(n), from, to).unwrap();
    [key, pem]
}

pub const PERIOD: [&str; 2] = ["2026-01-01T00:00:00Z", "2049-01-01T00:00:00Z"];

pub fn device(n: u8) -> P256Key {
    let [key, pem] = device_pem(n, PERIOD);
    P256Key::from_pem(&key, &pem).unwrap()
}

pub fn trust() -> Trust {
    let mut trust = Trust::new(at().timestamp());
    trust.add(&ca_pem()).unwrap();
    trust.add(&device_pem(2, PERIOD)[1]).unwrap();
    trust
}

/// A PDF as the papers are made: PDF/A-3b with an attachment.
pub fn paper() -> Vec<u8> {
    use krilla::configure::{Archival, ConfigurationBuilder};
    use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
    use krilla::metadata::{DateTime, Metadata};
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B).finish().unwrap();
    let mut document = krilla::Document::new_with(krilla::SerializeSettings {
        configuration,
        ..krilla::SerializeSettings::default()
    });
    document.start_page().finish();
    document.start_page().finish();
    let date = DateTime::new(2026).month(11).day(20);
    let file = EmbeddedFile {
        path: "results.csv".into(),
        mime_type: MimeType::new("text/csv"),
        description: Some("results".into()),
        association_kind: AssociationKind::Data,
        data: b"item,error\n1,-0.10\n".to_vec().into(),
        modification_date: Some(date),
        compress: None,
        location: None,
    };
    document.embed_file(file).unwrap();
    document.set_metadata(Metadata::new().title("检定证书".into()).creation_date(date));
    document.finish().unwrap()
}

pub const DCC: &str = "<dcc:digitalCalibrationCertificate xmlns:dcc=\"https://ptb.de/dcc\" schemaVersion=\"3.3.0\"><dcc:uniqueIdentifier>PL-2026-000001</dcc:uniqueIdentifier><dcc:name>电能表 &amp; \"A\"</dcc:name><dcc:conformity>pass</dcc:conformity></dcc:digitalCalibrationCertificate>";

pub fn note() -> Note {
    Note { name: "Phantomload PL-1".into(), reason: "检定证书 PL-2026-000001".into(), at: at() }
}

pub fn entry(seq: u64, prev: &str, key: Option<&P256Key>) -> Entry {
    Entry {
        v: VERSION,
        seq,
        prev: prev.to_owned(),
        device: "PL-1".into(),
        kind: Kind::RunOpen,
        record: Some("PL-R-2026-000001".into()),
        cert: None,
        time: TIME.into(),
        clock: Clock { source: "system".into(), age_s: None },
        verdict: None,
        said: BTreeMap::new(),
        files: BTreeMap::new(),
        alg: if key.is_some() { "ES256" } else { "none" }.into(),
        key_id: key.map(P256Key::key_id).unwrap_or_default(),
    }
}

/// The package with another manifest, signed anew.
pub fn resigned(files: &Files, key: &P256Key, change: impl FnOnce(&mut Entry)) -> Files {
    let mut files = files.clone();
    let mut manifest = Entry::from_json(&files["manifest.json"]).unwrap();
    change(&mut manifest);
    files.insert("manifest.json".into(), manifest.to_json());
    files.insert("manifest.jws".into(), manifest.line(Some(key)).unwrap().into_bytes());
    let p7s = cms::sign(key, &manifest.to_json(), at().timestamp()).unwrap();
    files.insert("manifest.json.p7s".into(), p7s);
    files
}

/// The lines of a chain with one entry more, which is like the others but for what is done to it.
pub fn appended(lines: &str, key: Option<&P256Key>, with: impl FnOnce(&mut Entry)) -> String {
    let before = Entry::from_line(lines.lines().last().unwrap()).unwrap();
    let mut next = entry(before.seq + 1, &hex(&before.sha256()), key);
    with(&mut next);
    format!("{lines}{}\n", next.line(key.map(|k| k as &dyn Signer)).unwrap())
}

/// A package and the lines of the chain that it stands in, as entry 2 of 3.
pub fn package(key: Option<&P256Key>) -> (Files, String) {
    let signer = key.map(|k| k as &dyn Signer);
    let record = r#"{"record_no":"PL-R-2026-000001","results":{"verdict":"pass","items":[]}}"#;
    let (mut dcc, mut paper) = (DCC.as_bytes().to_vec(), paper());
    if let Some(signer) = signer {
        dcc = xml::sign(signer, &dcc).unwrap();
        paper = pdf::sign(signer, &paper, &note()).unwrap();
    }
    let mut files = Files::from([
        ("record.json".to_owned(), format!("{record}\n").into_bytes()),
        ("issue.json".to_owned(), br#"{"simulated":false,"status":"draft"}"#.to_vec()),
        ("datapackage.json".to_owned(), b"{}".to_vec()),
        ("report.txt".to_owned(), b"pass\n".to_vec()),
        ("results.csv".to_owned(), b"item,error\n1,-0.10\n".to_vec()),
        ("certificate.dcc.xml".to_owned(), dcc),
        ("certificate.pdf".to_owned(), paper),
    ]);
    let first = entry(1, NONE_BEFORE, key);
    if let Some(signer) = signer {
        let prev = unhex(hex(&first.sha256()).as_bytes()).unwrap().try_into().unwrap();
        let text = qr::text(&Claims { prev, ..claims() }, signer).unwrap();
        files.insert("qr.txt".into(), text.into_bytes());
    }
    let mut manifest = entry(2, &hex(&first.sha256()), key);
    manifest.kind = Kind::Verdict;
    manifest.cert = Some("PL-2026-000001".into());
    manifest.verdict = Some("pass".into());
    manifest.files = files.iter().map(|(name, bytes)| (name.clone(), hex(&sha256(bytes)))).collect();
    let last = entry(3, &hex(&manifest.sha256()), key);
    let lines = [&first, &manifest, &last].map(|e| e.line(signer).unwrap() + "\n");
    files.insert("manifest.json".into(), manifest.to_json());
    files.insert("manifest.jws".into(), lines[1].trim_end().into());
    if let Some(signer) = signer {
        let p7s = cms::sign(signer, &manifest.to_json(), at().timestamp()).unwrap();
        files.insert("manifest.json.p7s".into(), p7s);
    }
    (files, lines.concat())
}

pub fn claims() -> Claims {
    Claims {
        certificate_no: "PL-2026-000001".into(),
        device: "PL-1".into(),
        item: "DCM-0001 / A".into(),
        time: TIME.into(),
        valid_until: Some("2029-11-19".into()),
        verdict: "pass".into(),
        document: "verification_certificate".into(),
        status: "draft".into(),
        dcc_sha256: sha256(DCC.as_bytes()),
        seq: 2,
        prev: [2; 32],
        simulated: false,
        sealed: Some(at().timestamp()),
    }
}
