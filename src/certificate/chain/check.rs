//! Checking a chain: what was removed, changed, swapped or forked shows in the chain itself; a cut tail only against a
//! later head, such as the one in a QR code or a manifest.

mod continuity;

use super::{Entry, NONE_BEFORE};
use crate::certificate::sign::jws::{self, Checker};
use crate::certificate::sign::trust::{Standing, Trust};
use crate::certificate::sign::{Doubt, hex, key_id, sha256};
use continuity::Continuity;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// In `said` of a `key_change` entry: the new device certificate, DER in base64. So the chain brings the certificates of
/// its own keys with it.
pub const CERTIFICATE: &str = "certificate";

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Form, numbers and hashes: 100 000 entries in a second or so.
    Hashes,
    /// Every signature and its key as well: about a tenth of a millisecond each.
    Signatures,
}

/// A place that is known from elsewhere: entry `seq` stands behind an entry with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the entry.
    pub seq: u64,
    /// SHA-256 of the entry before it, in lower-case hexadecimal.
    pub prev: String,
    /// SHA-256 of the entry itself where it is known.
    pub sha256: Option<String>,
    /// Where this is known from, such as `QR`.
    pub from: String,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// The line is no entry.
    Unreadable {
        /// Why.
        what: String,
    },
    /// The last line is not complete: the power failed while it was written.
    Torn,
    /// Entries are missing.
    Removed {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The entry stands behind one with a higher number.
    Swapped,
    /// Two entries have the same number.
    Forked {
        /// The line of the other.
        other_line: usize,
    },
    /// The entry before is not the one that this one names.
    Changed {
        /// The number of the entry before.
        before: u64,
    },
    /// It is of another device than the first.
    OtherDevice {
        /// Which.
        device: String,
    },
    /// The signature is wrong.
    BadSignature {
        /// In words.
        what: String,
    },
    /// It is signed by another key than the one in use there: no `key_change` signed by that one leads to it.
    OtherKey {
        /// The key that has signed.
        key_id: String,
        /// The key in use.
        in_use: String,
    },
    /// An entry that means nothing without a signature has none, though the device had signed before.
    NotSigned {
        /// Of what kind.
        kind: String,
    },
    /// Its time is none.
    NoTime {
        /// What stands there.
        seen: String,
    },
    /// Its time is earlier than that of the entry before.
    BackInTime {
        /// The number of the entry before.
        before: u64,
        /// Whether the chain says that the clock was set there.
        clock_set: bool,
    },
    /// No authority answers for the key.
    UnknownKey {
        /// Which.
        key_id: String,
    },
    /// The certificate of the key did not hold at the time of the entry.
    OutOfTime {
        /// In words.
        what: String,
    },
    /// Entries without a signature; those before a signed one are held by it.
    Unsigned {
        /// How many.
        count: u64,
        /// Whether a later entry is signed.
        held: bool,
    },
    /// A later head is known that the chain does not reach, or that it contradicts.
    Cut {
        /// The number of the entry that is known.
        seq: u64,
        /// Where it is known from.
        from: String,
    },
    /// A head is known whose predecessor is not the one in the chain.
    Contradicted {
        /// The number of the entry that is known.
        seq: u64,
        /// Where it is known from.
        from: String,
    },
}

/// One finding and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line, from 1; 0 where it is of no line.
    pub line: usize,
    /// The number of the entry there; 0 where there is none.
    pub seq: u64,
    /// What.
    #[serde(flatten)]
    pub flaw: Flaw,
}

/// What checking a chain has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Entries that could be read.
    pub entries: u64,
    /// Whose chain it is.
    pub device: String,
    /// The number of the last entry.
    pub last_seq: u64,
    /// SHA-256 of the last entry, in lower-case hexadecimal.
    pub last_sha256: String,
    /// What is wrong or worth knowing, in the order of the lines.
    pub findings: Vec<Finding>,
}

impl ChainReport {
    /// Whether the chain is broken: something was removed, changed, swapped, forked, cut or falsely signed.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|f| {
            !matches!(
                f.flaw,
                Flaw::Torn
                    | Flaw::Unsigned { .. }
                    | Flaw::UnknownKey { .. }
                    | Flaw::OutOfTime { .. }
                    | Flaw::BackInTime { clock_set: true, .. }
            )
        })
    }
}

/// What is kept of an entry.
struct Seen {
    line: usize,
    seq: u64,
    prev: String,
    sha256: String,
    signed: bool,
}

/// Checks the lines of a chain file, each ended by a line feed, and against heads that are known from elsewhere.
pub fn check(lines: &str, trust: &Trust, depth: Depth, heads: &[Head]) -> ChainReport {
    check_each(lines, trust, depth, heads, |_| {})
}

/// The same; each entry that could be read is told, in the order of the lines.
pub fn check_each(
    lines: &str,
    trust: &Trust,
    depth: Depth,
    heads: &[Head],
    mut tell: impl FnMut(&Entry),
) -> ChainReport {
    let mut report = ChainReport::default();
    let mut keys = Keys { trust, known: HashMap::new(), certificates: BTreeMap::new() };
    for der in trust.devices() {
        keys.add(der);
    }
    let mut seen: Vec<Seen> = vec![];
    let mut continuity = Continuity::default();
    let total = lines.lines().count();
    for (index, text) in lines.lines().enumerate() {
        let line = index + 1;
        let read = jws::parts(text).map_err(super::Fault::Line).and_then(|parts| {
            let entry = Entry::from_json(&parts.payload)?;
            entry.names(parts.key_id.as_deref())?;
            Ok((parts, entry))
        });
        let (parts, entry) = match read {
            Ok(read) => read,
            Err(fault) => {
                let torn = line == total && !lines.ends_with('\n');
                let flaw = if torn { Flaw::Torn } else { Flaw::Unreadable { what: fault.to_string() } };
                report.findings.push(Finding { line, seq: 0, flaw });
                continue;
            }
        };
        let mut find = |flaw| report.findings.push(Finding { line, seq: entry.seq, flaw });
        if seen.is_empty() {
            report.device.clone_from(&entry.device);
        } else if entry.device != report.device {
            find(Flaw::OtherDevice { device: entry.device.clone() });
        }
        // Being brought along is not being trusted: an authority must answer for it all the same.
        if let Some(der) = continuity::certificate(&entry) {
            keys.add(&der);
        }
        continuity.follow(&entry).into_iter().for_each(&mut find);
        if depth == Depth::Signatures
            && parts.key_id.is_some()
            && let Some(flaw) = keys.flaw(&parts, &entry)
        {
            find(flaw);
        }
        tell(&entry);
        let sha256 = hex(&sha256(&parts.payload));
        let signed = parts.key_id.is_some();
        seen.push(Seen { line, seq: entry.seq, prev: entry.prev, sha256, signed });
    }
    report.entries = seen.len() as u64;
    unsigned(&mut report, &seen);
    order(&mut report, &seen);
    links(&mut report, seen, heads);
    report.findings.sort_by_key(|f| f.line);
    report
}

/// The certificates of its own keys that a chain brings along, DER. Nothing is checked.
pub fn certificates(lines: &str) -> Vec<Vec<u8>> {
    lines.lines().filter_map(|line| continuity::certificate(&Entry::from_line(line).ok()?)).collect()
}

/// The certificates at hand, each read and judged once.
struct Keys<'a> {
    trust: &'a Trust,
    known: HashMap<String, Option<Checker>>,
    certificates: BTreeMap<String, Vec<u8>>,
}

impl Keys<'_> {
    fn add(&mut self, der: &[u8]) {
        self.known.entry(key_id(der)).or_insert_with(|| Checker::new(der).ok());
        self.certificates.insert(key_id(der), der.to_owned());
    }

    fn flaw(&self, parts: &jws::Parts, entry: &Entry) -> Option<Flaw> {
        let unknown = || Some(Flaw::UnknownKey { key_id: entry.key_id.clone() });
        let (Some(Some(checker)), Some(der)) =
            (self.known.get(&entry.key_id), self.certificates.get(&entry.key_id))
        else {
            return unknown();
        };
        match parts.check(checker) {
            Ok(()) => {}
            Err(Doubt::UnknownKey { .. }) => return unknown(),
            Err(doubt) => return Some(Flaw::BadSignature { what: doubt.to_string() }),
        }
        let at: Option<Timestamp> = entry.time.parse().ok();
        match self.trust.judge(der, at) {
            Ok(Standing::Known { .. }) => None,
            Ok(Standing::Unknown { .. } | Standing::Unfit { .. }) | Err(_) => unknown(),
            Ok(Standing::Expired { ended, .. }) => {
                Some(Flaw::OutOfTime { what: format!("the certificate ended at {ended}") })
            }
            Ok(Standing::NotYetValid { begins, .. }) => {
                Some(Flaw::OutOfTime { what: format!("the certificate begins at {begins}") })
            }
        }
    }
}

fn unsigned(report: &mut ChainReport, seen: &[Seen]) {
    let last = seen.iter().rposition(|s| s.signed).map_or(0, |at| at + 1);
    for (part, held) in [(&seen[..last], true), (&seen[last..], false)] {
        let mut without = part.iter().filter(|s| !s.signed);
        if let Some(first) = without.next() {
            let count = 1 + without.count() as u64;
            let flaw = Flaw::Unsigned { count, held };
            report.findings.push(Finding { line: first.line, seq: first.seq, flaw });
        }
    }
}

/// Entries that stand behind one with a higher number. Of a removed and later added one only that one is named.
fn order(report: &mut ChainReport, seen: &[Seen]) {
    let mut highest = 0;
    for entry in seen {
        if entry.seq < highest {
            report.findings.push(Finding { line: entry.line, seq: entry.seq, flaw: Flaw::Swapped });
        }
        highest = highest.max(entry.seq);
    }
}

/// Numbers and hashes, by number: gaps, forks, entries that name another predecessor.
fn links(report: &mut ChainReport, mut seen: Vec<Seen>, heads: &[Head]) {
    seen.sort_by_key(|s| s.seq);
    let mut before: Option<&Seen> = None;
    for entry in &seen {
        let (seq, prev, line) = before.map_or((0, NONE_BEFORE, 0), |b| (b.seq, b.sha256.as_str(), b.line));
        let mut find = |flaw| report.findings.push(Finding { line: entry.line, seq: entry.seq, flaw });
        if before.is_some() && entry.seq == seq {
            find(Flaw::Forked { other_line: line });
            // What follows may be of either branch; it is held to the one that it names.
            continue;
        }
        if entry.seq > seq + 1 {
            find(Flaw::Removed { from: seq + 1, to: entry.seq - 1 });
        } else if entry.prev != prev && !branch(&seen, seq, &entry.prev) {
            find(Flaw::Changed { before: seq });
        }
        before = Some(entry);
    }
    if let Some(last) = before {
        report.last_seq = last.seq;
        report.last_sha256.clone_from(&last.sha256);
    }
    for head in heads {
        against(report, &seen, head);
    }
}

/// Whether one of several entries with this number has this hash. `seen` is sorted.
fn branch(seen: &[Seen], seq: u64, sha256: &str) -> bool {
    let from = seen.partition_point(|s| s.seq < seq);
    seen[from..].iter().take_while(|s| s.seq == seq).any(|s| s.sha256 == sha256)
}

fn against(report: &mut ChainReport, seen: &[Seen], head: &Head) {
    let (seq, from) = (head.seq, head.from.clone());
    let named = if seq <= 1 { head.prev == NONE_BEFORE } else { branch(seen, seq - 1, &head.prev) };
    let at = seen.partition_point(|s| s.seq < seq);
    let own = seen.get(at).filter(|s| s.seq == seq);
    let flaw = if report.last_seq < seq {
        Flaw::Cut { seq, from }
    } else if !named
        || own.is_none_or(|own| own.prev != head.prev)
        || head.sha256.as_ref().is_some_and(|sha256| !branch(seen, seq, sha256))
    {
        Flaw::Contradicted { seq, from }
    } else {
        return;
    };
    report.findings.push(Finding { line: own.map_or(0, |own| own.line), seq, flaw });
}

#[cfg(test)]
mod tests;
