//! Compact JWS (RFC 7515): one line of text with its payload inside. ES256, or unsecured (`none`) where there is no key.
//!
//! The header has one form: `{"alg":"ES256","kid":"<key id>","x5t#S256":"<SHA-256 of the certificate>"}`, in this order;
//! without a key `{"alg":"none"}` and an empty signature (RFC 7515 appendix A.5).

use super::{Doubt, ES256, Fault, NONE, Signed, Signer, es256, holds_for, key_id, sha256, x509};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::VerifyingKey;
use serde::Deserialize;

const FORM: &str = "JWS";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
    #[serde(default, rename = "x5t#S256")]
    thumbprint: String,
}

fn header(certificate: Option<&[u8]>) -> String {
    match certificate {
        None => format!(r#"{{"alg":"{NONE}"}}"#),
        Some(der) => format!(
            r#"{{"alg":"{ES256}","kid":"{}","x5t#S256":"{}"}}"#,
            key_id(der),
            BASE64.encode(sha256(der))
        ),
    }
}

/// The line for a payload.
pub fn sign(signer: Option<&dyn Signer>, payload: &[u8]) -> Result<String, Fault> {
    let header = header(signer.map(Signer::certificate));
    let input = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    let signature = match signer {
        Some(signer) => BASE64.encode(es256(signer, FORM, input.as_bytes())?),
        None => String::new(),
    };
    Ok(format!("{input}.{signature}"))
}

/// A line taken apart; nothing is checked yet but its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The key that is said to have signed; none for an unsecured line.
    pub key_id: Option<String>,
    /// What was signed.
    pub payload: Vec<u8>,
    thumbprint: String,
    input: &'a str,
    signature: Vec<u8>,
}

/// Takes a line apart. What would be written otherwise is refused.
pub fn parts(line: &str) -> Result<Parts<'_>, Doubt> {
    let bad = |what: String| Doubt::Form { form: FORM, what };
    // No more are taken apart than one too many: a stranger's line may be all points.
    let fields: Vec<&str> = line.splitn(4, '.').collect();
    let [head, body, tail] = fields[..] else {
        return Err(bad(format!("{} parts or more, there must be 3", fields.len())));
    };
    // The engine refuses white space, padding and bits that are left over.
    let decode = |text: &str, which: &str| BASE64.decode(text).map_err(|e| bad(format!("{which}: {e}")));
    let head = decode(head, "header")?;
    let parsed: Header = serde_json::from_slice(&head).map_err(|e| bad(format!("header: {e}")))?;
    let unsecured = parsed.alg == NONE;
    let expected = match parsed.alg.as_str() {
        NONE => header(None),
        ES256 => {
            format!(r#"{{"alg":"{ES256}","kid":"{}","x5t#S256":"{}"}}"#, parsed.kid, parsed.thumbprint)
        }
        other => return Err(bad(format!("algorithm `{other}`; known are {ES256} and {NONE}"))),
    };
    if expected.as_bytes() != head {
        return Err(bad("the header is not written in the one form".into()));
    }
    let signature = decode(tail, "signature")?;
    if signature.len() != if unsecured { 0 } else { 64 } {
        return Err(bad(format!("algorithm {} with a signature of {} bytes", parsed.alg, signature.len())));
    }
    Ok(Parts {
        key_id: (!unsecured).then_some(parsed.kid),
        payload: decode(body, "payload")?,
        thumbprint: parsed.thumbprint,
        input: &line[..line.len() - tail.len() - 1],
        signature,
    })
}

/// A key for many lines: the certificate is read once.
#[derive(Debug, Clone)]
pub struct Checker {
    key: VerifyingKey,
    key_id: String,
    thumbprint: String,
}

impl Checker {
    /// For the key of this certificate, DER.
    pub fn new(certificate: &[u8]) -> Result<Self, Fault> {
        Ok(Self {
            key: x509::public_key(&x509::read(certificate)?)?,
            key_id: key_id(certificate),
            thumbprint: BASE64.encode(sha256(certificate)),
        })
    }
}

impl Parts<'_> {
    /// Whether the key of this certificate has signed the line.
    pub fn check(&self, checker: &Checker) -> Result<(), Doubt> {
        if self.key_id.as_ref() != Some(&checker.key_id) || self.thumbprint != checker.thumbprint {
            let key_id = self.key_id.clone().unwrap_or_else(|| NONE.to_owned());
            return Err(Doubt::UnknownKey { form: FORM, key_id });
        }
        holds_for(FORM, &checker.key, self.input.as_bytes(), &self.signature)
    }
}

/// Reads and checks one line with the certificate (DER) of its key. An unsecured line is no signature.
pub fn verify(line: &str, certificate: &[u8]) -> Result<(Vec<u8>, Signed), Doubt> {
    let parts = parts(line)?;
    let checker =
        Checker::new(certificate).map_err(|fault| Doubt::Form { form: FORM, what: fault.to_string() })?;
    parts.check(&checker)?;
    Ok((parts.payload, Signed { certificate: certificate.to_owned(), at: None }))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_line_of_points_is_not_taken_apart() {
        let fault = parts(&".".repeat(1 << 20)).unwrap_err().to_string();
        assert!(fault.contains("4 parts or more"), "{fault}");
    }

    #[test]
    fn every_changed_character_of_a_line_is_found() {
        let key = sample::device();
        let line = sign(Some(&key), br#"{"a":1}"#).unwrap();
        assert_eq!(verify(&line, key.certificate()).unwrap().0, br#"{"a":1}"#);
        for at in 0..line.len() {
            for bit in [at % 7, 6] {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let text = String::from_utf8(bytes).unwrap();
                assert!(verify(&text, key.certificate()).is_err(), "byte {at} bit {bit}");
            }
        }
        assert!(verify(&line, sample::other_device().certificate()).is_err());
    }

    #[test]
    fn an_unsecured_line_says_that_it_is_one() {
        let line = sign(None, b"{}").unwrap();
        let parts = parts(&line).unwrap();
        assert_eq!((parts.key_id.as_ref(), parts.payload.as_slice()), (None, &b"{}"[..]));
        assert!(verify(&line, sample::device().certificate()).is_err());
        assert!(super::parts(&(line + "AA")).is_err());
    }
}
