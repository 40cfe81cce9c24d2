//! Checking a package: the manifest and its two signatures, then every file against it, then what the files say.

use super::paper::{Later, Paper, is_simulated};
use super::{Checked, Findings, Kind};
use crate::certificate::chain::{self, Depth, Entry, Head};
use crate::certificate::csv::document_word;
use crate::certificate::package::{DATAPACKAGE, ISSUE, QR};
use crate::certificate::record;
use crate::certificate::sign::jws::{self, Checker};
use crate::certificate::sign::qr::{self, Claims};
use crate::certificate::sign::trust::Trust;
use crate::certificate::sign::{Doubt, Signed, cms, hex, key_id, pdf, sha256, xml};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The manifest: an entry of the chain.
pub const MANIFEST: &str = "manifest.json";
/// Its detached CMS.
pub const CMS: &str = "manifest.json.p7s";
/// Its JWS: the line in the chain.
pub const JWS: &str = "manifest.jws";
/// The DCC, signed inside.
pub const DCC: &str = "certificate.dcc.xml";
/// The paper, signed inside.
pub const PDF: &str = "certificate.pdf";
/// The record.
pub const RECORD: &str = "record.json";

/// Checks the files of a package by name. With the lines of the device's chain, also the manifest's place in it.
pub fn package(files: &BTreeMap<String, Vec<u8>>, trust: &Trust, chain: Option<&str>) -> Checked {
    let mut found = Findings::default();
    let manifest = manifest(&mut found, files, trust);
    if let Some((entry, signed)) = &manifest {
        found.certificate_no.clone_from(&entry.cert);
        found.verdict.clone_from(&entry.verdict);
        hashes(&mut found, files, entry);
        inside(&mut found, files, signed.as_ref());
        says(&mut found, files, entry);
        let claims = claims(&mut found, files, entry, signed.as_ref());
        let mut paper = paper(files, entry, claims.as_ref());
        if signed.is_some() {
            whole(&mut found, entry);
        }
        match signed {
            Some(signed) => found.judge(trust, signed, entry.time.parse().ok(), &mut paper),
            None => found.add(
                Kind::Unsigned,
                None,
                "清单未签名：设备当时没有密钥",
                "the manifest is not signed: the device had no key",
            ),
        }
        if let Some(lines) = chain {
            let head = Head {
                seq: entry.seq,
                prev: entry.prev.clone(),
                sha256: Some(hex(&entry.sha256())),
                from: MANIFEST.to_owned(),
            };
            let mut trust = trust.clone();
            if let Some(signed) = signed {
                trust.add_device_der(&signed.certificate);
            }
            let mut later = Later::of(&paper.number, &paper.device, entry.seq);
            let report = chain::check_each(lines, &trust, Depth::Signatures, &[head], |e| later.see(e));
            found.chain(report, true);
            later.tell(&mut found);
        }
        found.paper = Some(paper);
    }
    found.checked()
}

fn missing(found: &mut Findings, file: &str) {
    let (zh, en) = (format!("缺少 {file}"), format!("{file} is missing"));
    found.add(Kind::Incomplete, Some(file), &zh, &en);
}

/// What the two signatures say about the manifest.
enum Signature {
    /// It holds in itself: over bytes with this hash.
    Over([u8; 32]),
    /// It does not, and was named.
    Broken,
}

/// Reads the manifest that was signed, names what of the three files is wrong, and gives the key.
fn manifest(
    found: &mut Findings,
    files: &BTreeMap<String, Vec<u8>>,
    trust: &Trust,
) -> Option<(Entry, Option<Signed>)> {
    for file in [MANIFEST, JWS] {
        if !files.contains_key(file) {
            missing(found, file);
        }
    }
    let (bytes, line) = (files.get(MANIFEST)?, files.get(JWS)?);
    let p7s = files.get(CMS).map(|p7s| cms::open(p7s));
    if let Some(Err(doubt)) = &p7s {
        broken(found, CMS, doubt);
    }
    let (p7s_signed, p7s) = match p7s {
        Some(Ok((signed, digest))) => (Some(signed), Some(Signature::Over(digest))),
        Some(Err(_)) => (None, Some(Signature::Broken)),
        None => (None, None),
    };
    let (payload, signed) = read_jws(found, line, p7s_signed, trust);
    if signed.is_some() && p7s.is_none() {
        missing(found, CMS);
    }
    // Two signatures over something else, or one where the other says nothing: the manifest was changed. One against the
    // other: the one that differs was.
    let same = sha256(bytes);
    let jws_same = payload.as_ref().map(|payload| sha256(payload) == same);
    let p7s_same = match p7s {
        Some(Signature::Over(digest)) => Some(digest == same),
        Some(Signature::Broken) | None => None,
    };
    let other = ["不是这份清单的签名", "it signs another manifest"];
    match (p7s_same, jws_same) {
        (Some(false), Some(false)) => changed_manifest(found),
        (Some(false), Some(true)) => found.altered(CMS, other[0], other[1]),
        (Some(true), Some(false)) => found.altered(JWS, other[0], other[1]),
        (Some(false), None) | (None, Some(false)) => {
            changed_manifest(found);
            if signed.is_none() {
                found.altered(
                    JWS,
                    "与清单不一致，未签名，无法分辨哪一个被改动",
                    "it differs from the manifest; without a signature nobody can say which was changed",
                );
            }
        }
        _ => {}
    }
    let truth = payload.filter(|_| found.has(MANIFEST) && signed.is_some()).unwrap_or_else(|| bytes.clone());
    match Entry::from_json(&truth) {
        Ok(entry) => {
            let names = signed.as_ref().map(|s| key_id(&s.certificate)).unwrap_or_default();
            if entry.key_id != names && !found.has(JWS) && !found.has(CMS) && !found.has(MANIFEST) {
                let (own, names) = (or_none(&entry.key_id), or_none(&names));
                let (zh, en) = (
                    format!("清单写明由密钥 {own} 签名，实际为 {names}"),
                    format!("the manifest names the key {own}, it is signed by {names}"),
                );
                found.altered(JWS, &zh, &en);
            }
            Some((entry, signed))
        }
        Err(fault) => {
            found.altered(MANIFEST, &format!("无法读取：{fault}"), &fault.to_string());
            None
        }
    }
}

fn or_none(key_id: &str) -> &str {
    if key_id.is_empty() { "(none)" } else { key_id }
}

fn changed_manifest(found: &mut Findings) {
    found.altered(MANIFEST, "不是被签名的那份清单", "it is not the manifest that was signed");
}

fn broken(found: &mut Findings, file: &str, doubt: &Doubt) {
    match doubt {
        Doubt::Content { .. } => {
            found.altered(file, "内容在签名后被改动", "it was changed after it was signed");
        }
        doubt => found.altered(file, &format!("签名无效：{doubt}"), &doubt.to_string()),
    }
}

/// The payload of the JWS where it is to be believed or there is no key at all, and the key of the package.
fn read_jws(
    found: &mut Findings,
    line: &[u8],
    p7s: Option<Signed>,
    trust: &Trust,
) -> (Option<Vec<u8>>, Option<Signed>) {
    let parts = str::from_utf8(line)
        .map_err(|_| Doubt::Form { form: "JWS", what: "it is not text".into() })
        .and_then(jws::parts);
    let parts = match parts {
        Ok(parts) => parts,
        Err(doubt) => {
            broken(found, JWS, &doubt);
            return (None, p7s);
        }
    };
    let Some(id) = &parts.key_id else {
        if p7s.is_some() {
            found.altered(JWS, "未签名，而清单有签名", "it is not signed, and the manifest is");
            return (None, p7s);
        }
        return (Some(parts.payload), None);
    };
    let own = p7s.as_ref().filter(|signed| key_id(&signed.certificate) == *id);
    let certificate = own.map(|signed| signed.certificate.as_slice()).or_else(|| trust.device(id));
    let Some(certificate) = certificate.map(<[u8]>::to_vec) else {
        if p7s.is_some() {
            let (zh, en) = (format!("由另一密钥 {id} 签名"), format!("it is signed by another key, {id}"));
            found.altered(JWS, &zh, &en);
        } else {
            let zh = format!("此处没有密钥 {id} 的证书");
            found.add(
                Kind::UnknownKey,
                None,
                &zh,
                &format!("the certificate of the key {id} is not at hand"),
            );
        }
        return (None, p7s);
    };
    let checked = Checker::new(&certificate)
        .map_err(|fault| Doubt::Form { form: "JWS", what: fault.to_string() })
        .and_then(|checker| parts.check(&checker));
    if let Err(doubt) = checked {
        broken(found, JWS, &doubt);
        return (None, p7s);
    }
    if let Some(p7s) = &p7s
        && p7s.certificate != certificate
    {
        found.altered(
            JWS,
            "由与 CMS 不同的密钥签名",
            "it is signed by another key than the CMS; one key signs a package",
        );
        return (None, Some(p7s.clone()));
    }
    let signed = p7s.unwrap_or(Signed { certificate, at: None });
    (Some(parts.payload), Some(signed))
}

fn hashes(found: &mut Findings, files: &BTreeMap<String, Vec<u8>>, entry: &Entry) {
    for (name, expected) in &entry.files {
        match files.get(name) {
            None => missing(found, name),
            Some(bytes) if hex(&sha256(bytes)) != *expected => {
                found.altered(name, "与清单中的 SHA-256 不符", "its SHA-256 is not the one in the manifest");
            }
            Some(_) => {}
        }
    }
    for name in files.keys() {
        if !entry.files.contains_key(name) && ![MANIFEST, CMS, JWS].contains(&name.as_str()) {
            let (zh, en) = (format!("{name} 不在清单中"), format!("{name} is not named in the manifest"));
            found.add(Kind::Incomplete, Some(name), &zh, &en);
        }
    }
}

/// What a sealed package always holds; a manifest that names less is not one of a whole paper.
fn whole(found: &mut Findings, entry: &Entry) {
    let is_paper = matches!(
        entry.kind,
        chain::Kind::Verdict | chain::Kind::Papers | chain::Kind::Issue | chain::Kind::Amend
    );
    if !is_paper {
        let (zh, en) = (
            format!("清单是 {} 记录，不是证书文件包", entry.kind),
            format!("the manifest is an entry of kind {}, of no paper", entry.kind),
        );
        found.add(Kind::Incomplete, Some(MANIFEST), &zh, &en);
    }
    for name in [RECORD, ISSUE, DATAPACKAGE, DCC, PDF, QR] {
        if !entry.files.contains_key(name) && !found.has(name) {
            not_named(found, name);
        }
    }
    for end in ["results.csv", "report.txt"] {
        if !entry.files.keys().any(|name| name.ends_with(end)) {
            not_named(found, end);
        }
    }
}

fn not_named(found: &mut Findings, name: &str) {
    found.add(
        Kind::Incomplete,
        Some(name),
        &format!("清单未列入 {name}：文件尚未制作，或已被去除"),
        &format!("{name} is not in the manifest: the papers were not made yet, or it was left out"),
    );
}

/// What the QR code of the package says. It must be signed by the same key, and say what the manifest says.
fn claims(
    found: &mut Findings,
    files: &BTreeMap<String, Vec<u8>>,
    entry: &Entry,
    key: Option<&Signed>,
) -> Option<Claims> {
    let bytes = files.get(QR).filter(|_| entry.files.contains_key(QR) && !found.has(QR))?;
    let text = String::from_utf8_lossy(bytes);
    let claims = match qr::read(text.trim(), key.map(|key| key.certificate.as_slice())) {
        Ok((claims, _)) => claims,
        Err(doubt) => {
            broken(found, QR, &doubt);
            return None;
        }
    };
    let says = [
        (claims.certificate_no.clone(), entry.cert.clone()),
        (claims.device.clone(), Some(entry.device.clone())),
        (claims.verdict.clone(), entry.verdict.clone()),
        (claims.seq.to_string(), Some(entry.seq.to_string())),
        (hex(&claims.prev), Some(entry.prev.clone())),
    ];
    for (own, signed) in says {
        if Some(&own) != signed.as_ref() {
            let signed = signed.as_deref().unwrap_or("-");
            let (zh, en) = (
                format!("写有 {own}，清单写有 {signed}"),
                format!("it says {own}, the manifest says {signed}"),
            );
            found.altered(QR, &zh, &en);
        }
    }
    Some(claims)
}

/// What a paper is, by files whose hashes stand in the manifest.
fn paper(files: &BTreeMap<String, Vec<u8>>, entry: &Entry, claims: Option<&Claims>) -> Paper {
    #[derive(Deserialize)]
    struct Issue {
        status: String,
    }
    #[derive(Deserialize)]
    struct Bench {
        simulated: Option<bool>,
    }
    let file = |name: &str| files.get(name).filter(|_| entry.files.contains_key(name));
    let record = file(RECORD);
    let document = claims.map(|claims| claims.document.clone()).or_else(|| {
        let record: record::Record = serde_json::from_slice(record?).ok()?;
        record.document().map(|document| document_word(document).to_owned())
    });
    let issue = file(ISSUE).and_then(|bytes| serde_json::from_slice::<Issue>(bytes).ok());
    let status = match (entry.kind, issue) {
        (chain::Kind::Verdict | chain::Kind::Papers, _) => "draft".to_owned(),
        (_, Some(issue)) => issue.status,
        (_, None) => claims.map_or_else(String::new, |claims| claims.status.clone()),
    };
    let number = entry.cert.clone().unwrap_or_default();
    let bench = record.and_then(|bytes| serde_json::from_slice::<Bench>(bytes).ok());
    let said = [
        Some(is_simulated(&number)),
        Some(entry.said.get("simulated").is_some_and(|said| said == "true")),
        bench.and_then(|bench| bench.simulated),
        claims.map(|claims| claims.simulated),
    ];
    let mut said = said.into_iter().flatten();
    Paper {
        simulated: said.clone().any(|simulated| simulated),
        wholly_simulated: said.all(|simulated| simulated),
        device: entry.device.clone(),
        status,
        document: document.unwrap_or_default(),
        verdict: entry.verdict.clone().unwrap_or_default(),
        demo: false,
        number,
    }
}

/// The signatures inside the DCC and the PDF.
fn inside(found: &mut Findings, files: &BTreeMap<String, Vec<u8>>, key: Option<&Signed>) {
    type Verify = fn(&[u8]) -> Result<Signed, Doubt>;
    type IsSigned = fn(&[u8]) -> bool;
    let forms: [(&str, Verify, IsSigned); 2] =
        [(DCC, xml::verify, xml::is_signed), (PDF, pdf::verify, pdf::is_signed)];
    for (name, verify, is_signed) in forms {
        let Some(bytes) = files.get(name) else { continue };
        if found.has(name) || (key.is_none() && !is_signed(bytes)) {
            continue;
        }
        match (verify(bytes), key) {
            (Ok(signed), Some(key)) if signed.certificate != key.certificate => {
                found.altered(
                    name,
                    "由与清单不同的密钥签名",
                    "it is signed by another key than the manifest",
                );
            }
            (Ok(_), _) => {}
            (Err(doubt), _) => broken(found, name, &doubt),
        }
    }
}

/// As much of a record as is compared.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "record_no")]
    no: String,
    results: Results,
    #[serde(default)]
    plan: Planned,
    #[serde(default)]
    closing: Sealed,
}

#[derive(Default, Deserialize)]
struct Planned {
    #[serde(default)]
    entries: Sealed,
}

#[derive(Default, Deserialize)]
struct Sealed {
    #[serde(default)]
    seal: Vec<Photographed>,
}

/// A seal, as far as its photograph is looked at.
#[derive(Deserialize)]
struct Photographed {
    photograph: Option<String>,
    photograph_sha256: Option<String>,
}

#[derive(Deserialize)]
struct Results {
    verdict: Option<String>,
}

/// Whether record, DCC and manifest say the same number and verdict.
fn says(found: &mut Findings, files: &BTreeMap<String, Vec<u8>>, entry: &Entry) {
    let differs = |found: &mut Findings, name: &str, own: &str, signed: Option<&str>| {
        let signed = signed.unwrap_or("-");
        let (zh, en) =
            (format!("写有 {own}，清单写有 {signed}"), format!("it says {own}, the manifest says {signed}"));
        found.altered(name, &zh, &en);
    };
    if let Some(bytes) = files.get(RECORD).filter(|_| !found.has(RECORD)) {
        match serde_json::from_slice::<Record>(bytes) {
            Ok(record) => {
                if entry.record.as_ref().is_some_and(|no| *no != record.no) {
                    differs(found, RECORD, &record.no, entry.record.as_deref());
                }
                if entry.verdict.is_some() && record.results.verdict != entry.verdict {
                    let own = record.results.verdict.as_deref().unwrap_or("-");
                    differs(found, RECORD, own, entry.verdict.as_deref());
                }
                for seal in record.plan.entries.seal.iter().chain(&record.closing.seal) {
                    let Some(name) = &seal.photograph else { continue };
                    match files.get(name) {
                        None => missing(found, name),
                        Some(bytes) if seal.photograph_sha256 != Some(hex(&sha256(bytes))) => {
                            found.altered(
                                name,
                                "与记录中的 SHA-256 不符",
                                "its SHA-256 is not the one in the record",
                            );
                        }
                        Some(_) => {}
                    }
                }
            }
            Err(fault) => {
                found.altered(RECORD, &format!("无法读取：{fault}"), &format!("it cannot be read: {fault}"));
            }
        }
    }
    if let Some(bytes) = files.get(DCC).filter(|_| !found.has(DCC)) {
        let text = String::from_utf8_lossy(bytes);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<dcc:{name}>"))?;
            Some(rest.split_once("</")?.0.to_owned())
        };
        if let Some(own) = element("uniqueIdentifier").filter(|own| entry.cert.as_ref() != Some(own)) {
            differs(found, DCC, &own, entry.cert.as_deref());
        }
        // The words of the DCC for pass and fail are ours; an undecided one has others.
        let decided = |word: &str| ["pass", "fail"].contains(&word).then(|| word.to_owned());
        if let Some(own) = element("conformity")
            && decided(&own) != entry.verdict.as_deref().and_then(decided)
        {
            differs(found, DCC, &own, entry.verdict.as_deref());
        }
    }
}
