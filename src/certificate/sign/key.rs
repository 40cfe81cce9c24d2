//! A device key on P-256 from a file: ES256 with deterministic nonces (RFC 6979), so that no bad randomness can betray it.

use super::{ES256, Fault, Signer, key_id, x509};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use std::fmt;

/// The key and its certificate.
pub struct P256Key {
    key: SigningKey,
    certificate: Vec<u8>,
}

impl P256Key {
    /// From PEM texts: PKCS#8 (`PRIVATE KEY`) and the device certificate. A certificate of another key is refused.
    pub fn from_pem(key_pem: &str, certificate_pem: &str) -> Result<Self, Fault> {
        let key = read(key_pem)?;
        let certificate = x509::der_from_pem(certificate_pem)?;
        let parsed = x509::read(&certificate)?;
        if x509::public_key(&parsed)? != *key.verifying_key() {
            return Err(Fault::OtherKey {
                key_id: key_id(&certificate),
                subject: x509::name(parsed.tbs_certificate().subject()),
            });
        }
        Ok(Self { key, certificate })
    }

    /// The short name of the key.
    pub fn key_id(&self) -> String {
        key_id(&self.certificate)
    }
}

/// A private key, PKCS#8.
pub(super) fn read(key_pem: &str) -> Result<SigningKey, Fault> {
    SigningKey::from_pkcs8_pem(key_pem).map_err(|fault| Fault::Unreadable {
        which: "the private key",
        what: format!("{fault}; it must be a P-256 key in PKCS#8, -----BEGIN PRIVATE KEY-----"),
    })
}

impl fmt::Debug for P256Key {
    /// Never the key itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P256Key({})", self.key_id())
    }
}

impl Signer for P256Key {
    fn algorithm(&self) -> &'static str {
        ES256
    }

    fn protection(&self) -> &'static str {
        "file"
    }

    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let signature: Signature = self
            .key
            .try_sign(message)
            .map_err(|fault| Fault::Key { key_id: self.key_id(), what: fault.to_string() })?;
        Ok(signature.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let fault = P256Key::from_pem(&sample::device_key_pem(), &sample::other_device_pem()).unwrap_err();
        assert!(matches!(fault, Fault::OtherKey { .. }), "{fault}");
        let fault = P256Key::from_pem("nonsense", &sample::device_pem()).unwrap_err();
        assert!(fault.to_string().contains("PKCS#8"), "{fault}");
    }

    #[test]
    fn the_same_message_has_the_same_signature() {
        let key = sample::device();
        assert_eq!(key.sign(b"abc").unwrap(), key.sign(b"abc").unwrap());
        assert_ne!(key.sign(b"abc").unwrap(), key.sign(b"abd").unwrap());
        assert_eq!(key.key_id().len(), 16);
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
}
