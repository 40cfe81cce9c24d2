//! The chain as people read it: who did what, and when.

use super::{Fault, chain};
use crate::certificate::chain::Kind;
use std::collections::VecDeque;
use std::path::Path;

/// An entry of the chain, for reading. The chain itself is the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its number.
    pub seq: u64,
    /// When.
    pub time: String,
    /// What.
    pub kind: Kind,
    /// The paper, else the record; none where it is of neither.
    pub number: Option<String>,
    /// What it says besides, `key text`, without what is long and for programs (certificates, hashes).
    pub said: Vec<(String, String)>,
    /// Whether it was signed by the device.
    pub is_signed: bool,
}

/// Longer texts of an entry are for programs.
const LONG: usize = 120;

/// The newest entries of a data folder's chain, the newest first, so many at most; and how many there are. With `of` only those
/// that are of this paper or record, or speak of it or of a person. Every one is read and checked on the way.
pub fn trail(dir: &Path, most: usize, of: &str) -> Result<(Vec<Trace>, u64), Fault> {
    let of = of.trim().to_lowercase();
    let speaks = |text: &str| text.to_lowercase().contains(&of);
    let mut newest: VecDeque<Trace> = VecDeque::new();
    let mut count = 0;
    chain::read(dir, |entry, _| {
        let mut texts = entry.cert.iter().chain(&entry.record).chain(entry.said.values());
        if !of.is_empty() && !texts.any(|text| speaks(text)) {
            return;
        }
        count += 1;
        newest.push_front(Trace {
            seq: entry.seq,
            time: entry.time.clone(),
            kind: entry.kind,
            number: entry.cert.clone().or_else(|| entry.record.clone()),
            said: entry
                .said
                .iter()
                .filter(|(_, text)| text.chars().count() <= LONG)
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect(),
            is_signed: entry.alg != crate::certificate::sign::NONE,
        });
        newest.truncate(most);
    })?;
    Ok((newest.into(), count))
}
