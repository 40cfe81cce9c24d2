//! Checking by anybody: is a package, a QR text or a chain authentic, and if not, what exactly is wrong, in words.
//!
//! Nothing here can say that a measurement was right, only that what is read is what the device wrote and signed.

mod package;
mod paper;
mod words;

pub use package::package;

use super::chain::{self, ChainReport, Depth, Flaw, Head};
use super::report::page::clean;
use super::sign::qr::{self, Claims};
use super::sign::trust::{Standing, Trust};
use super::sign::{Doubt, Signed, hex, key_id, x509};
use paper::{Later, Paper};
use serde::Serialize;
use std::collections::BTreeSet;

/// What checking has shown. What stands first outweighs what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something was changed after it was signed; it is named.
    Altered,
    /// Something is missing, or there is something that the manifest does not name.
    Incomplete,
    /// The chain of the device does not hold, or not with this paper.
    ChainBroken,
    /// It is whole, but no authority at hand answers for the key.
    UnknownKey,
    /// It is whole, but the certificate of the key did not hold at the time of signing.
    Expired,
    /// It is whole as far as hashes can tell, but nobody has signed it.
    Unsigned,
    /// It is what the device has signed, and was taken back since.
    Withdrawn,
    /// It is what the device has signed, and another paper has taken its place since.
    Replaced,
    /// It is what the device has signed; whether that is a draft or issued, the words say.
    Authentic,
}

/// The same in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What checking has shown, for persons and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// In one word.
    pub result: Kind,
    /// The files that the word is about.
    pub files: Vec<String>,
    /// In one sentence.
    #[serde(rename = "words_zh")]
    pub zh: String,
    /// In one sentence.
    #[serde(rename = "words_en")]
    pub en: String,
    /// What was found, one by one.
    pub notes: Vec<Words>,
    /// Number of the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_no: Option<String>,
    /// `pass`, `fail` or `undecided`, as signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// What a QR code says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// What checking the chain has shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainReport>,
}

impl Checked {
    /// All of it as text, Chinese before English.
    pub fn text(&self) -> String {
        // Names of files and fields are a stranger's: nothing in them moves the cursor or begins a line of its own.
        let mut lines = vec![clean(&self.zh), clean(&self.en)];
        for note in &self.notes {
            lines.push(format!("  - {}", clean(&note.zh)));
            lines.push(format!("    {}", clean(&note.en)));
        }
        lines.join("\n") + "\n"
    }
}

/// Findings as they come, to be weighed at the end.
#[derive(Default)]
struct Findings {
    list: Vec<(Kind, Option<String>, Words)>,
    notes: Vec<Words>,
    certificate_no: Option<String>,
    verdict: Option<String>,
    key_id: Option<String>,
    claims: Option<Claims>,
    chain: Option<ChainReport>,
    paper: Option<Paper>,
}

impl Findings {
    fn add(&mut self, kind: Kind, file: Option<&str>, zh: &str, en: &str) {
        let words = Words { zh: zh.to_owned(), en: en.to_owned() };
        self.list.push((kind, file.map(str::to_owned), words));
    }

    fn altered(&mut self, file: &str, zh: &str, en: &str) {
        self.add(Kind::Altered, Some(file), &format!("{file}：{zh}"), &format!("{file}: {en}"));
    }

    fn note(&mut self, zh: String, en: String) {
        self.notes.push(Words { zh, en });
    }

    fn has(&self, file: &str) -> bool {
        self.list.iter().any(|(_, f, _)| f.as_deref() == Some(file))
    }

    /// What is to be thought of the key that has sealed a paper.
    fn judge(&mut self, trust: &Trust, signed: &Signed, at: Option<jiff::Timestamp>, paper: &mut Paper) {
        self.key_id = Some(key_id(&signed.certificate));
        paper.demo = x509::is_demo(&signed.certificate).unwrap_or(true);
        if paper.demo && !paper.wholly_simulated {
            self.add(
                Kind::UnknownKey,
                None,
                "由演示密钥（DEMO）签名，而文件不是模拟运行：演示密钥不能证明任何真实的检定",
                "it is signed by a DEMO key and not of a simulated run: a DEMO key answers for nothing real",
            );
        }
        if !x509::names(&signed.certificate, &paper.device).unwrap_or(false) {
            let device = &paper.device;
            self.add(
                Kind::UnknownKey,
                None,
                &format!("签名证书不是颁发给装置 {device} 的"),
                &format!("the certificate of the key does not name the device {device}"),
            );
        }
        match trust.judge(&signed.certificate, signed.at.or(at)) {
            Ok(Standing::Known { subject, issuer }) => self.note(
                format!("签名密钥：{subject}；颁发者：{issuer}"),
                format!("signed by {subject}, for whom {issuer} answers"),
            ),
            Ok(Standing::Unknown { subject, issuer }) => self.add(
                Kind::UnknownKey,
                None,
                &format!("没有已知机构为密钥 {subject} 担保（自称颁发者：{issuer}）"),
                &format!(
                    "no authority at hand answers for {subject}, said to be issued by {issuer}; give its certificate with --ca"
                ),
            ),
            Ok(Standing::Unfit { subject, why }) => self.add(
                Kind::UnknownKey,
                None,
                &format!("{subject} 的证书不能用于签署文件：{why}"),
                &format!("the certificate of {subject} signs no papers: {why}"),
            ),
            Ok(Standing::Expired { subject, ended }) => self.add(
                Kind::Expired,
                None,
                &format!("签名时 {subject} 的证书已过期（至 {ended}）"),
                &format!("the certificate of {subject} had ended at {ended}, before it was signed"),
            ),
            Ok(Standing::NotYetValid { subject, begins }) => self.add(
                Kind::Expired,
                None,
                &format!("签名时 {subject} 的证书尚未生效（自 {begins}）"),
                &format!("the certificate of {subject} begins at {begins}, after it was signed"),
            ),
            Err(fault) => {
                self.add(Kind::UnknownKey, None, &format!("证书无法读取：{fault}"), &fault.to_string());
            }
        }
    }

    fn checked(self) -> Checked {
        let result = self.list.iter().map(|(kind, ..)| *kind).min().unwrap_or(Kind::Authentic);
        let files: BTreeSet<String> =
            self.list.iter().filter(|(kind, ..)| *kind == result).filter_map(|(_, f, _)| f.clone()).collect();
        let files: Vec<String> = files.into_iter().collect();
        let Words { zh, en } = words::headline(result, &files, self.paper.as_ref());
        let mut list = self.list;
        list.sort_by_key(|(kind, ..)| *kind);
        let notes = list.into_iter().map(|(.., words)| words).chain(self.notes).collect();
        Checked {
            result,
            files,
            zh,
            en,
            notes,
            certificate_no: self.certificate_no,
            verdict: self.verdict,
            key_id: self.key_id,
            claims: self.claims,
            chain: self.chain,
        }
    }

    /// What a chain shows. Beside a paper, it need only hold: whether other entries are signed, and by whom, does not
    /// touch that paper.
    fn chain(&mut self, report: ChainReport, beside_paper: bool) {
        self.note(
            format!("链：设备 {}，{} 条记录，末条序号 {}", report.device, report.entries, report.last_seq),
            format!(
                "chain of {}: {} entries, the last is no. {}",
                report.device, report.entries, report.last_seq
            ),
        );
        for finding in &report.findings {
            let Words { zh, en } = words::flaw(finding);
            let kind = match finding.flaw {
                Flaw::UnknownKey { .. } | Flaw::OutOfTime { .. } | Flaw::Unsigned { .. } if beside_paper => {
                    self.note(zh, en);
                    continue;
                }
                Flaw::UnknownKey { .. } => Kind::UnknownKey,
                Flaw::OutOfTime { .. } => Kind::Expired,
                Flaw::Unsigned { held: false, .. } => Kind::Unsigned,
                Flaw::Unsigned { held: true, .. } | Flaw::Torn | Flaw::BackInTime { clock_set: true, .. } => {
                    self.note(zh, en);
                    continue;
                }
                _ => Kind::ChainBroken,
            };
            self.add(kind, None, &zh, &en);
        }
        self.chain = Some(report);
    }

    /// Where the paper of a QR code stands in a chain, and what later entries say of it.
    fn place(&mut self, lines: &str, trust: &Trust, claims: &Claims) {
        let head = Head { seq: claims.seq, prev: hex(&claims.prev), sha256: None, from: "QR".to_owned() };
        let mut later = Later::of(&claims.certificate_no, &claims.device, claims.seq);
        let mut is_own = false;
        let report = chain::check_each(lines, trust, Depth::Signatures, &[head], |entry| {
            is_own |= entry.device == claims.device;
            later.see(entry);
        });
        // A chain of which nothing can be read is no chain of another device.
        if is_own || report.entries == 0 && !lines.trim().is_empty() {
            self.chain(report, true);
            later.tell(self);
        } else if report.entries > 0 {
            self.note(
                format!("此处的记录链属于另一台设备 {}，未作核对", report.device),
                format!("the chain at hand is of another device, {}; it was not asked", report.device),
            );
        }
    }
}

/// Checks the lines of a chain file, every signature as well.
pub fn chain(lines: &str, trust: &Trust, heads: &[super::chain::Head]) -> Checked {
    let mut found = Findings::default();
    found.chain(chain::check(lines, trust, Depth::Signatures, heads), false);
    found.checked()
}

/// Checks the text of a QR code; the certificate of its key must be at hand ([`Trust::add_devices`]), or come with the
/// lines of the device's chain. With these, also whether the paper was withdrawn or replaced; a chain of another device
/// is passed over.
pub fn qr_text(text: &str, trust: &Trust, lines: Option<&str>) -> Checked {
    let mut found = Findings::default();
    let mut trust = trust.clone();
    for der in lines.map(chain::certificates).unwrap_or_default() {
        trust.add_device_der(&der);
    }
    match qr::read(text.trim(), trust.devices().iter().map(Vec::as_slice)) {
        Ok((claims, signed)) => {
            let mut paper = Paper::claimed(&claims);
            found.judge(&trust, &signed, claims.sealed.or_else(|| claims.time.parse().ok()), &mut paper);
            if let Some(lines) = lines {
                found.place(lines, &trust, &claims);
            }
            found.paper = Some(paper);
            found.certificate_no = Some(claims.certificate_no.clone());
            found.verdict = Some(claims.verdict.clone());
            let Words { zh, en } = words::claims(&claims);
            found.notes.insert(0, Words { zh, en });
            found.claims = Some(claims);
        }
        Err(Doubt::UnknownKey { key_id, .. }) => {
            found.add(
                Kind::UnknownKey,
                None,
                &format!("此处没有密钥 {key_id} 的证书，无法核对；其内容不可采信"),
                &format!(
                    "the certificate of the key {key_id} is not at hand, so nothing in it can be believed; put it among the trusted ones"
                ),
            );
            found.key_id = Some(key_id);
        }
        Err(doubt) => {
            found.add(Kind::Altered, None, &format!("二维码内容已被改动：{doubt}"), &doubt.to_string());
        }
    }
    found.checked()
}
