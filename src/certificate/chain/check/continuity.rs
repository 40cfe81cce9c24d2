//! What must hold from one entry to the next besides hashes: one key goes on until it is changed by itself, what counts is
//! signed, and time does not go back.

use super::super::{Entry, Kind};
use super::{CERTIFICATE, Flaw};
use crate::certificate::sign::key_id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;

/// What is known after some entries.
#[derive(Default)]
pub(super) struct Continuity {
    /// The key that signs from here on; none before the first signature.
    in_use: Option<String>,
    /// The last entry: number, kind, time.
    last: Option<(u64, Kind, Timestamp)>,
}

/// The certificate that a `key_change` brings along, DER.
pub(super) fn certificate(entry: &Entry) -> Option<Vec<u8>> {
    let text = entry.said.get(CERTIFICATE).filter(|_| entry.kind == Kind::KeyChange)?;
    BASE64.decode(text).ok()
}

/// Whether an entry of this kind means nothing without a signature, once the device has signed anything. Runs and what
/// ends them go on without a fit key, and so does taking a paper back; who may sign is never changed
/// without one.
fn must_be_signed(kind: Kind) -> bool {
    match kind {
        Kind::Papers | Kind::Approval | Kind::Issue | Kind::Amend | Kind::KeyChange | Kind::ConfigChange => {
            true
        }
        Kind::RunOpen | Kind::Verdict | Kind::Aborted | Kind::Withdraw | Kind::ClockSet => false,
    }
}

impl Continuity {
    /// What of this entry does not follow on those before. They come in the order of their lines.
    pub fn follow(&mut self, entry: &Entry) -> Vec<Flaw> {
        let mut flaws: Vec<Flaw> = self.key(entry).into_iter().collect();
        let Ok(time) = entry.time.parse::<Timestamp>() else {
            flaws.push(Flaw::NoTime { seen: entry.time.clone() });
            return flaws;
        };
        match self.last {
            // Behind one with a higher number: that is told already.
            Some((seq, ..)) if entry.seq <= seq => return flaws,
            Some((before, kind, last)) if time < last => {
                let clock_set = entry.kind == Kind::ClockSet || kind == Kind::ClockSet;
                flaws.push(Flaw::BackInTime { before, clock_set });
            }
            _ => {}
        }
        self.last = Some((entry.seq, entry.kind, time));
        flaws
    }

    fn key(&mut self, entry: &Entry) -> Option<Flaw> {
        let said = |key: &str| entry.said.get(key).filter(|text| !text.is_empty()).cloned();
        let other = |expected: &str| {
            let [key_id, in_use] = [entry.key_id.as_str(), expected].map(str::to_owned);
            Some(Flaw::OtherKey { key_id, in_use })
        };
        let is_signed = !entry.key_id.is_empty();
        let mut flaw = match &self.in_use {
            Some(in_use) if is_signed && *in_use != entry.key_id => other(in_use),
            Some(_) if !is_signed && must_be_signed(entry.kind) => {
                Some(Flaw::NotSigned { kind: entry.kind.to_string() })
            }
            _ => None,
        };
        if entry.kind == Kind::KeyChange {
            let (named, brought) = (said("key_id"), certificate(entry).map(|der| key_id(&der)));
            if named.is_some() && brought.is_some() && named != brought {
                let what = "the certificate in it is not that of the key which it names".to_owned();
                flaw = flaw.or(Some(Flaw::BadSignature { what }));
            }
            let new = brought.or(named);
            // The first key that the chain knows: signed by itself, or by the one that it says to replace.
            let first = said("replaces").or_else(|| new.clone());
            if let Some(first) = first.filter(|first| is_signed && *first != entry.key_id)
                && self.in_use.is_none()
            {
                flaw = flaw.or_else(|| other(&first));
            }
            self.in_use = new.or(self.in_use.take());
        } else if is_signed && self.in_use.is_none() {
            self.in_use = Some(entry.key_id.clone());
        }
        flaw
    }
}
