//! A meter's public key in the forms in which labels, registers and meters give it.

use super::signature::Curve;
use base64::Engine as _;
use const_oid::ObjectIdentifier;
use der::Decode;
use der::pem::PemLabel;
use sha2::{Digest, Sha256};
use spki::SubjectPublicKeyInfoRef;
use std::fmt;

/// Keys on elliptic curves (RFC 5480).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The longest text that is looked at; a key on the widest curve is some 300 characters long.
const TEXT_MAX: usize = 4096;

/// Why something is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no public key of a meter: {what}. Give its SPKI (hex, base64, PEM or DER) or the bare point X‖Y, as on the meter's label"
)]
pub struct NoKey {
    what: String,
}

fn refuse<T>(what: impl Into<String>) -> Result<T, NoKey> {
    Err(NoKey { what: what.into() })
}

/// Which curve a key is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum On {
    /// One that is checked.
    Known(Curve),
    /// A bare point does not say; the record has to.
    Unsaid,
    /// Another, by its name or number.
    Other(String),
}

/// A meter's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub(super) on: On,
    /// The point, SEC 1.
    pub(super) point: Vec<u8>,
}

impl Key {
    /// From a file: text, or DER.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoKey> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from_text(text),
            Err(_) => Self::from_binary(bytes),
        }
    }

    /// From a text: PEM, hex (with or without blanks or colons) or base64.
    pub fn from_text(text: &str) -> Result<Self, NoKey> {
        let text = text.trim().trim_start_matches('\u{feff}');
        if text.len() > TEXT_MAX {
            return refuse(format!("{} characters are too many for one", text.len()));
        }
        if text.starts_with("-----BEGIN") {
            return match der::pem::decode_vec(text.as_bytes()) {
                Ok((SubjectPublicKeyInfoRef::PEM_LABEL, bytes)) => Self::from_binary(&bytes),
                Ok((label, _)) => refuse(format!("the PEM holds a `{label}`, not a `PUBLIC KEY`")),
                Err(fault) => refuse(format!("the PEM is damaged: {fault}")),
            };
        }
        let dense: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        if let Some(bytes) = unhex(&dense) {
            return Self::from_binary(&bytes);
        }
        match base64::engine::general_purpose::STANDARD.decode(&dense) {
            Ok(bytes) => Self::from_binary(&bytes),
            Err(_) => refuse("the text is neither PEM nor hex nor base64"),
        }
    }

    /// From DER (SPKI) or a bare point: X‖Y, or with the leading 04, 02 or 03 of SEC 1.
    pub fn from_binary(bytes: &[u8]) -> Result<Self, NoKey> {
        // A bare point may begin with 30H too; its length and content are no SPKI then.
        if let Ok(info) = SubjectPublicKeyInfoRef::from_der(bytes) {
            return Self::from_spki(&info);
        }
        let on = On::Unsaid;
        match (bytes.len(), bytes.first()) {
            (48 | 64 | 96, _) => Ok(Self { on, point: [&[4], bytes].concat() }),
            (49 | 65 | 97, Some(4)) | (25 | 33 | 49, Some(2 | 3)) => Ok(Self { on, point: bytes.to_vec() }),
            (length, _) => refuse(format!("{length} bytes are neither an SPKI nor a point")),
        }
    }

    fn from_spki(info: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, NoKey> {
        let Some(point) = info.subject_public_key.as_bytes() else {
            return refuse("the bits of its point do not fill bytes");
        };
        let parameters = info.algorithm.parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let on = match parameters {
            Some(curve) if info.algorithm.oid == EC => {
                Curve::of(curve).map_or_else(|| On::Other(format!("curve {curve}")), On::Known)
            }
            _ => On::Other(format!("key type {}", info.algorithm.oid)),
        };
        if let On::Known(curve) = on
            && !curve.holds(point)
        {
            return refuse(format!("its point is not on {curve}"));
        }
        Ok(Self { on, point: point.to_vec() })
    }

    /// SHA-256 of the key in its plainest form (the point), to be compared by eye.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&self.point);
        digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// The curve where the key names one.
    pub fn curve(&self) -> Option<Curve> {
        match self.on {
            On::Known(curve) => Some(curve),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let curve = match &self.on {
            On::Known(curve) => curve.to_string(),
            On::Unsaid => "bare point".to_owned(),
            On::Other(name) => name.clone(),
        };
        write!(f, "{curve}, SHA-256 of the point {}", self.fingerprint())
    }
}

/// The bytes of dense hex digits, either case.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks(2).map(|pair| Some((value(pair[0])? * 16 + value(pair[1])?) as u8)).collect()
}
