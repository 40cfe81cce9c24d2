//! What a paper is, by what was signed: how far it has come, which kind it is, whether its bench was simulated; and what
//! later entries of the chain say of it.

use super::{Findings, Kind, Words};
use crate::certificate::chain::{self, Entry};
use crate::certificate::sign::qr::Claims;

/// What a paper is.
#[derive(Debug, Clone, Default)]
pub(super) struct Paper {
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub device: String,
    /// `draft`, `issued` …
    pub status: String,
    /// The word of files for its kind; empty where nothing says it.
    pub document: String,
    /// The word of files for its verdict; empty where there is none.
    pub verdict: String,
    /// Whether its bench was simulated, or anything of it says so.
    pub simulated: bool,
    /// Whether all that says something of it says that it was simulated. Only such a paper a DEMO key may seal.
    pub wholly_simulated: bool,
    /// Whether a DEMO key has sealed it.
    pub demo: bool,
}

impl Paper {
    /// By the claims of its QR code.
    pub fn claimed(claims: &Claims) -> Self {
        let by_number = is_simulated(&claims.certificate_no);
        Self {
            number: claims.certificate_no.clone(),
            device: claims.device.clone(),
            status: claims.status.clone(),
            document: claims.document.clone(),
            verdict: claims.verdict.clone(),
            simulated: claims.simulated || by_number,
            wholly_simulated: claims.simulated && by_number,
            demo: false,
        }
    }
}

/// Whether a number is of the simulated bench.
pub(super) fn is_simulated(number: &str) -> bool {
    number.starts_with("SIM-")
}

/// What entries behind its own say of a paper.
pub(super) struct Later {
    number: String,
    seq: u64,
    device: String,
    found: Vec<(Option<Kind>, Words)>,
}

impl Later {
    pub fn of(number: &str, device: &str, seq: u64) -> Self {
        Self { number: number.to_owned(), device: device.to_owned(), seq, found: vec![] }
    }

    /// Looks at an entry of the chain.
    pub fn see(&mut self, entry: &Entry) {
        if entry.seq <= self.seq || entry.device != self.device {
            return;
        }
        let said = |key: &str| entry.said.get(key).map_or("", String::as_str);
        let is_own = entry.cert.as_ref() == Some(&self.number);
        let (seq, day) = (entry.seq, entry.time.split('T').next().unwrap_or_default());
        let reason = said("reason");
        let found = match entry.kind {
            chain::Kind::Withdraw if is_own => (
                Some(Kind::Withdrawn),
                format!("已于 {day} 撤销（链第 {seq} 条）：{reason}"),
                format!("withdrawn on {day}, entry {seq} of the chain: {reason}"),
            ),
            chain::Kind::Issue | chain::Kind::Amend if said("replaces") == self.number => {
                let by = entry.cert.as_deref().unwrap_or("-");
                (
                    Some(Kind::Replaced),
                    format!("已于 {day} 由 {by} 替代（链第 {seq} 条）：{reason}"),
                    format!("replaced by {by} on {day}, entry {seq} of the chain: {reason}"),
                )
            }
            chain::Kind::Issue | chain::Kind::Amend if is_own => (
                None,
                format!("此后已于 {day} 签发（链第 {seq} 条）；请查验签发的文件包"),
                format!(
                    "it was issued later, on {day}, entry {seq} of the chain: the issued package is the one that counts"
                ),
            ),
            _ => return,
        };
        self.found.push((found.0, Words { zh: found.1, en: found.2 }));
    }

    pub fn tell(self, found: &mut Findings) {
        for (kind, Words { zh, en }) in self.found {
            match kind {
                Some(kind) => found.add(kind, None, &zh, &en),
                None => found.note(zh, en),
            }
        }
    }
}
