//! The text of a QR code: what the paper says, short enough to be checked from the paper without a network.
//!
//! `EVV1:` and base45 (RFC 9285) of a `COSE_Sign1` whose payload is a CBOR map. Its keys, never to be given a new
//! meaning:
//!
//! | key | type | what |
//! |---|---|---|
//! | 1 | text | number of the paper |
//! | 2 | text | serial number of the tester |
//! | 3 | text | the item: serial number / connector |
//! | 4 | text | time, RFC 3339 with offset |
//! | 5 | text | valid until (date); absent where the paper has no such date |
//! | 6 | text | verdict: `pass`, `fail`, `undecided` |
//! | 7 | 32 bytes | SHA-256 of the signed DCC (`certificate.dcc.xml`) |
//! | 8 | text | kind of document |
//! | 9 | text | status: `draft`, `issued` … |
//! | 10 | unsigned | the entry of the chain that the paper belongs to |
//! | 11 | 32 bytes | SHA-256 of the entry before it: anchors the chain on paper |
//! | 12 | bool | whether the bench was simulated |
//! | 13 | unsigned | when it was sealed, seconds since 1970-01-01 UTC; absent in papers of earlier programs |
//!
//! Nothing is compressed: deflate makes so few bytes more.

use super::{Doubt, Fault, Signed, Signer, cose, hex};
use ciborium::Value;
use jiff::Timestamp;
use serde::Serialize;

const FORM: &str = "QR text";
/// How a text begins; the figure is the version of the map.
pub const PREFIX: &str = "EVV1:";

/// What the QR code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Number of the paper.
    pub certificate_no: String,
    /// Serial number of the tester.
    pub device: String,
    /// The item: serial number / connector.
    pub item: String,
    /// When, with offset.
    pub time: String,
    /// Until when, where the paper has such a date.
    pub valid_until: Option<String>,
    /// `pass`, `fail` or `undecided`.
    pub verdict: String,
    /// Kind of document.
    pub document: String,
    /// `draft`, `issued` …
    pub status: String,
    /// SHA-256 of the signed DCC.
    #[serde(serialize_with = "in_hex")]
    pub dcc_sha256: [u8; 32],
    /// The entry of the chain that the paper belongs to.
    pub seq: u64,
    /// SHA-256 of the entry before it.
    #[serde(serialize_with = "in_hex")]
    pub prev: [u8; 32],
    /// Whether the bench was simulated.
    pub simulated: bool,
    /// When it was sealed; the certificate of the key is judged at this time. The run may be older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Timestamp>,
}

fn in_hex<S: serde::Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

impl Claims {
    /// The CBOR map, keys in ascending order (RFC 8949 4.2).
    pub fn to_cbor(&self) -> Result<Vec<u8>, Fault> {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut map = vec![
            (1, text(&self.certificate_no)),
            (2, text(&self.device)),
            (3, text(&self.item)),
            (4, text(&self.time)),
        ];
        map.extend(self.valid_until.as_deref().map(|until| (5, text(until))));
        map.extend([
            (6, text(&self.verdict)),
            (7, Value::Bytes(self.dcc_sha256.to_vec())),
            (8, text(&self.document)),
            (9, text(&self.status)),
            (10, Value::from(self.seq)),
            (11, Value::Bytes(self.prev.to_vec())),
            (12, Value::Bool(self.simulated)),
        ]);
        map.extend(self.sealed.map(|at| (13, Value::from(at.as_second()))));
        let map = Value::Map(map.into_iter().map(|(key, value)| (Value::from(key), value)).collect());
        let mut bytes = vec![];
        ciborium::into_writer(&map, &mut bytes)
            .map_err(|e| Fault::Form { form: FORM, what: e.to_string() })?;
        Ok(bytes)
    }

    /// Reads the map. Keys above 13 are of a later program and are passed over.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, Doubt> {
        let bad = |what: String| Doubt::Form { form: FORM, what };
        let value: Value = ciborium::from_reader(bytes).map_err(|e| bad(e.to_string()))?;
        let map = value.into_map().map_err(|_| bad("the payload is no map".into()))?;
        let find = |key: u64| map.iter().find(|(k, _)| *k == Value::from(key)).map(|(_, value)| value);
        let missing = |key: u64| bad(format!("key {key} is missing or of another type"));
        let text = |key| find(key).and_then(Value::as_text).map(str::to_owned).ok_or_else(|| missing(key));
        let hash = |key| {
            let bytes = find(key).and_then(Value::as_bytes).ok_or_else(|| missing(key))?;
            <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| missing(key))
        };
        let sealed = || {
            let seconds = find(13).and_then(Value::as_integer).and_then(|i| i64::try_from(i).ok());
            seconds.and_then(|s| Timestamp::from_second(s).ok()).ok_or_else(|| missing(13))
        };
        let seq = find(10).and_then(Value::as_integer).and_then(|i| u64::try_from(i).ok());
        Ok(Self {
            certificate_no: text(1)?,
            device: text(2)?,
            item: text(3)?,
            time: text(4)?,
            valid_until: find(5).is_some().then(|| text(5)).transpose()?,
            verdict: text(6)?,
            dcc_sha256: hash(7)?,
            document: text(8)?,
            status: text(9)?,
            seq: seq.ok_or_else(|| missing(10))?,
            prev: hash(11)?,
            simulated: find(12).and_then(Value::as_bool).ok_or_else(|| missing(12))?,
            sealed: find(13).is_some().then(sealed).transpose()?,
        })
    }
}

/// The text for a paper's QR code. It is always signed: a QR code without a key would say nothing that could be checked.
pub fn text(claims: &Claims, signer: &dyn Signer) -> Result<String, Fault> {
    Ok(format!("{PREFIX}{}", base45::encode(cose::sign(signer, &claims.to_cbor()?)?)))
}

/// Reads a text and checks its signature with that of these certificates (DER) which it names.
pub fn read<'a>(
    text: &str,
    certificates: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Claims, Signed), Doubt> {
    let bad = |what: String| Doubt::Form { form: FORM, what };
    let inside = text.strip_prefix(PREFIX).ok_or_else(|| bad(format!("it does not begin with {PREFIX}")))?;
    let bytes = base45::decode(inside).map_err(|_| bad("it is not base45".into()))?;
    if base45::encode(&bytes) != inside {
        return Err(bad("it would be written otherwise".into()));
    }
    let (payload, signed) = cose::verify(&bytes, certificates)?;
    Ok((Claims::from_cbor(&payload)?, signed))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::sample;
    use super::*;

    pub(crate) fn claims() -> Claims {
        Claims {
            certificate_no: "PL-2026-000001".into(),
            device: "PL-1".into(),
            item: "DCM-0001 / A".into(),
            time: "2026-11-20T10:02:00+08:00".into(),
            valid_until: Some("2029-11-19".into()),
            verdict: "pass".into(),
            document: "certificate".into(),
            status: "issued".into(),
            dcc_sha256: [1; 32],
            seq: 1234,
            prev: [2; 32],
            simulated: false,
            sealed: Some("2026-11-20T03:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn claims_come_back_and_every_changed_character_is_found() {
        let key = sample::device();
        for claims in [claims(), Claims { valid_until: None, simulated: true, sealed: None, ..claims() }] {
            let text = text(&claims, &key).unwrap();
            assert_eq!(read(&text, [key.certificate()]).unwrap().0, claims);
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
                let changed = String::from_utf8(changed).unwrap();
                assert!(read(&changed, [key.certificate()]).is_err(), "character {at}");
            }
        }
    }

    #[test]
    fn the_text_is_short_enough_for_a_label() {
        let text = text(&claims(), &sample::device()).unwrap();
        let bits = qrcode::QrCode::with_error_correction_level(&text, qrcode::EcLevel::M).unwrap();
        // 30 mm / 77 modules of 0.39 mm; a label printer of 203 dpi draws 3 dots a module.
        assert!(bits.width() <= 77, "{} characters, {} modules", text.len(), bits.width());
    }
}
