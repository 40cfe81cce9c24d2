//! The signature of a record: which curve, how it is written, and whether the key made it over the exact bytes.

use super::key::{Key, On, unhex};
use super::record::{Malformed, Record};
use super::{Authenticity, Deviation};
use base64::Engine as _;
use const_oid::ObjectIdentifier;
use ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256};
use std::fmt;

/// SA where a record has none.
pub(super) const DEFAULT: &str = "ECDSA-secp256r1-SHA256";

/// The curves that are checked, all with SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp192r1, NIST P-192, in older records.
    P192,
    /// secp256r1, NIST P-256, prime256v1.
    P256,
    /// secp384r1, NIST P-384.
    P384,
    /// secp256k1.
    K256,
    /// brainpoolP256r1.
    BrainpoolP256,
    /// brainpoolP384r1.
    BrainpoolP384,
}

impl Curve {
    /// Each with its name in SA (table 22), its usual name and its number (RFC 5480, SEC 2, RFC 5639).
    const ALL: [(Self, &str, &str, &str); 6] = [
        (Self::P192, "secp192r1", "secp192r1", "1.2.840.10045.3.1.1"),
        (Self::P256, "secp256r1", "secp256r1", "1.2.840.10045.3.1.7"),
        (Self::P384, "secp384r1", "secp384r1", "1.3.132.0.34"),
        (Self::K256, "secp256k1", "secp256k1", "1.3.132.0.10"),
        (Self::BrainpoolP256, "brainpool256r1", "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7"),
        (Self::BrainpoolP384, "brainpool384r1", "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11"),
    ];

    /// The curve of this number.
    pub(super) fn of(number: ObjectIdentifier) -> Option<Self> {
        let number = number.to_string();
        Self::ALL.iter().find(|(.., oid)| *oid == number).map(|(curve, ..)| *curve)
    }

    /// Bytes of a coordinate.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::P192 => 24,
            Self::P256 | Self::K256 | Self::BrainpoolP256 => 32,
            Self::P384 | Self::BrainpoolP384 => 48,
        }
    }

    /// Whether the point is on it.
    pub(super) fn holds(self, point: &[u8]) -> bool {
        self.verifies(point, &[0; 32], None).is_some()
    }

    /// Whether the key made this signature (r, s) of the hash; `None` where the point is no key.
    fn verifies(self, point: &[u8], hash: &[u8; 32], signature: Option<(&[u8], &[u8])>) -> Option<bool> {
        macro_rules! on {
            ($curve:ty) => {{
                let key = ecdsa::VerifyingKey::<$curve>::from_sec1_bytes(point).ok()?;
                let Some((r, s)) = signature else { return Some(true) };
                let mut fields = [ecdsa::elliptic_curve::FieldBytes::<$curve>::default(), Default::default()];
                for (field, number) in fields.iter_mut().zip([r, s]) {
                    let Some(at) = field.len().checked_sub(number.len()) else { return Some(false) };
                    field[at..].copy_from_slice(number);
                }
                let [r, s] = fields;
                // Zero, or beyond the order, is no signature. Both halves of s are the same signature; secp256k1's
                // library takes the lower one only, which is a rule of coins, not of meters.
                ecdsa::Signature::<$curve>::from_scalars(r, s)
                    .is_ok_and(|signature| key.verify_prehash(hash, &signature.normalize_s()).is_ok())
            }};
        }
        Some(match self {
            Self::P192 => on!(p192::NistP192),
            Self::P256 => on!(p256::NistP256),
            Self::P384 => on!(p384::NistP384),
            Self::K256 => on!(k256::Secp256k1),
            Self::BrainpoolP256 => on!(bp256::BrainpoolP256r1),
            Self::BrainpoolP384 => on!(bp384::BrainpoolP384r1),
        })
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(curve, ..)| curve == self).map_or("?", |(_, _, name, _)| name);
        f.write_str(name)
    }
}

/// Whether the key has signed the payload of this record. What departs from the specification goes among the deviations.
pub(super) fn verify(record: &Record, key: Option<&Key>, deviations: &mut Vec<Deviation>) -> Authenticity {
    let algorithm = record.algorithm();
    let Some(curve) = named(algorithm, deviations) else {
        return Authenticity::Unsupported { algorithm: algorithm.to_owned() };
    };
    let (r, s) = match numbers(record, curve, deviations) {
        Ok(signature) => signature,
        Err(why) => return Authenticity::Malformed(why),
    };
    let Some(key) = key else { return Authenticity::KeyUnknown };
    match &key.on {
        On::Other(name) => return Authenticity::Unsupported { algorithm: name.clone() },
        On::Known(other) if *other != curve => {
            let why =
                format!("the record is signed on {curve}, the key is on {other}: it is another meter's");
            return Authenticity::NotAuthentic { why };
        }
        On::Known(_) | On::Unsaid => {}
    }
    if key.on == On::Unsaid {
        deviations.push(Deviation::new("key", "a bare point; the specification has an SPKI (RFC 5480)"));
    }
    let hash = Sha256::digest(record.payload()).into();
    let why = match curve.verifies(&key.point, &hash, Some((&r, &s))) {
        Some(true) => return Authenticity::Valid,
        Some(false) => {
            "this key has not signed these bytes; they were changed, or another meter signed them".into()
        }
        None => format!("the key's point is not on {curve}, on which the record is signed"),
    };
    Authenticity::NotAuthentic { why }
}

/// The curve that SA names.
fn named(algorithm: &str, deviations: &mut Vec<Deviation>) -> Option<Curve> {
    let lower = algorithm.to_ascii_lowercase();
    let name = lower.strip_prefix("ecdsa-")?.strip_suffix("-sha256")?;
    let known = Curve::ALL.iter().find(|(_, sa, usual, _)| *sa == name || usual.to_ascii_lowercase() == name);
    let (curve, sa, ..) = known?;
    let right = format!("ECDSA-{sa}-SHA256");
    if algorithm != right {
        deviations.push(Deviation::new("SA", format!("`{algorithm}`; the specification writes {right}")));
    }
    Some(*curve)
}

/// r and s without leading zeros.
type Numbers = (Vec<u8>, Vec<u8>);

/// r and s as the record has them.
fn numbers(record: &Record, curve: Curve, deviations: &mut Vec<Deviation>) -> Result<Numbers, Malformed> {
    let section = &record.section;
    let bytes = match section.encoding.as_deref() {
        None | Some("hex") => {
            let digits = section.data.as_bytes();
            if digits.iter().any(u8::is_ascii_uppercase) && digits.iter().any(u8::is_ascii_lowercase) {
                deviations.push(Deviation::new("SD", "hex digits in upper and lower case mixed"));
            }
            unhex(&section.data).ok_or_else(|| Malformed::new("SD", "the signature is not in hex digits"))?
        }
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(&section.data)
            .map_err(|fault| Malformed::new("SD", format!("the signature is no base64: {fault}")))?,
        Some(other) => return Err(Malformed::new("SE", format!("`{other}`; allowed is hex or base64"))),
    };
    if section.mime.as_deref().is_some_and(|mime| mime != "application/x-der") {
        deviations.push(Deviation::new("SM", "it has to be application/x-der"));
    }
    let mut lenient = vec![];
    match der(&bytes, &mut lenient) {
        Ok(numbers) => {
            deviations.append(&mut lenient);
            Ok(numbers)
        }
        Err(_) if bytes.len() == 2 * curve.width() => {
            deviations.push(Deviation::new("SD", "bare r‖s; the specification has them in DER"));
            let (r, s) = bytes.split_at(curve.width());
            Ok((stripped(r).to_vec(), stripped(s).to_vec()))
        }
        Err(why) => Err(Malformed::new("SD", why)),
    }
}

fn stripped(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// `SEQUENCE { INTEGER r, INTEGER s }`. Meters are known that write both numbers in their full width, whatever their top
/// bit: a 00 is missing then, or one stands there too many. That is read as what it must have been, and said. Everything
/// else has to be DER.
fn der(bytes: &[u8], deviations: &mut Vec<Deviation>) -> Result<Numbers, &'static str> {
    let (content, rest) = element(bytes, 0x30)?;
    if !rest.is_empty() {
        return Err("bytes follow the signature's DER");
    }
    let (r, rest) = element(content, 0x02)?;
    let (s, rest) = element(rest, 0x02)?;
    if !rest.is_empty() {
        return Err("the signature's DER has more than r and s");
    }
    for (name, number) in [("r", r), ("s", s)] {
        match number {
            [] => return Err("r or s of the signature is empty"),
            [0, next, ..] if *next < 0x80 => {
                let what = format!("{name} has a leading 00 too many; read as unsigned");
                deviations.push(Deviation::new("SD", what));
            }
            [first, ..] if *first >= 0x80 => {
                let what = format!("{name} lacks its leading 00 and would be negative; read as unsigned");
                deviations.push(Deviation::new("SD", what));
            }
            _ => {}
        }
    }
    Ok((stripped(r).to_vec(), stripped(s).to_vec()))
}

/// The content of a DER element of this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Result<(&[u8], &[u8]), &'static str> {
    const CUT: &str = "the signature's DER is cut off or damaged";
    let (length, content) = match bytes {
        [seen, ..] if *seen != tag => return Err("the signature is no DER of two numbers"),
        [_, length, rest @ ..] if *length < 0x80 => (*length, rest),
        [_, 0x81, length, rest @ ..] if *length >= 0x80 => (*length, rest),
        _ => return Err(CUT),
    };
    content.split_at_checked(usize::from(length)).ok_or(CUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_strict_but_for_numbers_in_their_full_width_as_meters_are_known_to_write_them() {
        let mut deviations = vec![];
        assert_eq!(der(&[0x30, 6, 2, 1, 5, 2, 1, 9], &mut deviations), Ok((vec![5], vec![9])));
        assert_eq!(der(&[0x30, 7, 2, 2, 0, 0x85, 2, 1, 9], &mut deviations), Ok((vec![0x85], vec![9])));
        assert!(deviations.is_empty());
        assert_eq!(der(&[0x30, 6, 2, 1, 0x85, 2, 1, 9], &mut deviations), Ok((vec![0x85], vec![9])));
        assert_eq!(der(&[0x30, 7, 2, 2, 0, 5, 2, 1, 9], &mut deviations), Ok((vec![5], vec![9])));
        assert!(deviations[0].what.contains("lacks its leading 00"), "{deviations:?}");
        assert!(deviations[1].what.contains("too many"), "{deviations:?}");
        for damaged in [
            &[0x30, 6, 2, 1, 5, 2, 1, 9, 0][..],
            &[0x30, 0x81, 6, 2, 1, 5, 2, 1, 9],
            &[0x30, 6, 2, 1, 5, 2, 1],
            &[0x31, 6, 2, 1, 5, 2, 1, 9],
            &[0x30, 5, 2, 0, 2, 1, 9],
            &[0x30],
            &[],
        ] {
            assert!(der(damaged, &mut deviations).is_err(), "{damaged:?}");
        }
    }
}
