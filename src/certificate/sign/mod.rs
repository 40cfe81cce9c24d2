//! Signing and checking: one key a device, one trait, and the forms in which others can check a signature.
//!
//! | form | of what | others check it with |
//! |---|---|---|
//! | [`jws`] | the manifest, every entry of the chain | `jose`, `joserfc` |
//! | [`cms`] | the manifest | `openssl cms -verify` |
//! | [`xml`] | the DCC | `xmlsec1 --verify` |
//! | [`pdf`] | the paper | `pdfsig` |
//! | [`qr`] | the claims in the QR code (COSE) | Python `cwt` |
//!
//! What a signature says is checked in the exact form that is written here: what can be read back and written again with
//! other bytes is refused. So no byte of a signature can be changed without being seen.

pub mod authority;
pub mod cms;
pub mod cose;
pub mod jws;
pub mod key;
pub mod pdf;
pub mod qr;
pub mod trust;
pub mod x509;
pub mod xml;

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// The algorithm's name where nothing is signed (RFC 7518 3.6).
pub const NONE: &str = "none";
/// ECDSA on P-256 with SHA-256 (RFC 7518 3.4).
pub const ES256: &str = "ES256";

/// Why something cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The key does not do it.
    #[error("the key {key_id} does not sign: {what}")]
    Key {
        /// The key.
        key_id: String,
        /// Its words.
        what: String,
    },
    /// A form that cannot be made.
    #[error("{form} cannot be made: {what}")]
    Form {
        /// Such as `CMS`.
        form: &'static str,
        /// Why.
        what: String,
    },
    /// A key, certificate or request that cannot be read.
    #[error("{which} cannot be read: {what}")]
    Unreadable {
        /// Such as `the device certificate`.
        which: &'static str,
        /// Why.
        what: String,
    },
    /// A certificate of another key.
    #[error(
        "the certificate {key_id} ({subject}) belongs to another key; install the certificate that was issued for this device's request"
    )]
    OtherKey {
        /// The certificate.
        key_id: String,
        /// Whose it is.
        subject: String,
    },
}

/// Why a signature does not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The bytes are not in the form that is written here.
    #[error("{form}: not in the form that this program writes: {what}")]
    Form {
        /// Such as `CMS`.
        form: &'static str,
        /// What was seen.
        what: String,
    },
    /// The signature itself holds, and was made over other bytes.
    #[error("{form}: the signature is good, but of other content")]
    Content {
        /// Such as `CMS`.
        form: &'static str,
    },
    /// The signature is not of this key.
    #[error("{form}: the signature is wrong")]
    Signature {
        /// Such as `CMS`.
        form: &'static str,
    },
    /// No certificate with this key is at hand.
    #[error("{form}: nobody here knows the key {key_id}")]
    UnknownKey {
        /// Such as `COSE`.
        form: &'static str,
        /// The key that the signature names.
        key_id: String,
    },
}

/// A signature that holds. Whether its key is to be trusted is another question: [`trust::Trust::judge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The certificate of the key, DER.
    pub certificate: Vec<u8>,
    /// When, as the signer says; none where the form has no time.
    pub at: Option<jiff::Timestamp>,
}

/// Who can sign: a file's key now, a secure element later.
pub trait Signer {
    /// The algorithm's name as in JOSE, such as `ES256`; another one (SM2) may stand beside it.
    fn algorithm(&self) -> &'static str;
    /// How the key is kept: `file`.
    fn protection(&self) -> &'static str;
    /// The device certificate, DER.
    fn certificate(&self) -> &[u8];
    /// The signature of `message` (hashed by the algorithm), raw r‖s.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

/// The bytes behind lower-case hexadecimal; none where it is not that.
pub fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The short name of a key: the first 8 bytes of SHA-256 of its certificate, in lower-case hexadecimal. The same bytes are
/// `kid` in COSE.
pub fn key_id(certificate_der: &[u8]) -> String {
    hex(&sha256(certificate_der)[..8])
}

/// Signs with an algorithm that the form can name; today that is ES256 alone.
fn es256(signer: &dyn Signer, form: &'static str, message: &[u8]) -> Result<[u8; 64], Fault> {
    if signer.algorithm() != ES256 {
        let what = format!("the key signs with {}, this form is written for {ES256}", signer.algorithm());
        return Err(Fault::Form { form, what });
    }
    let raw = signer.sign(message)?;
    let length = raw.len();
    raw.try_into().map_err(|_| Fault::Key {
        key_id: key_id(signer.certificate()),
        what: format!("it gave {length} bytes, ES256 has 64"),
    })
}

/// Whether `raw` (r‖s) is the signature of `message` by the key of this certificate.
fn holds(form: &'static str, certificate: &[u8], message: &[u8], raw: &[u8]) -> Result<(), Doubt> {
    let certificate =
        x509::read(certificate).map_err(|fault| Doubt::Form { form, what: fault.to_string() })?;
    let key =
        x509::public_key(&certificate).map_err(|fault| Doubt::Form { form, what: fault.to_string() })?;
    holds_for(form, &key, message, raw)
}

fn holds_for(form: &'static str, key: &VerifyingKey, message: &[u8], raw: &[u8]) -> Result<(), Doubt> {
    let signature = Signature::from_slice(raw).map_err(|_| Doubt::Signature { form })?;
    key.verify(message, &signature).map_err(|_| Doubt::Signature { form })
}

#[cfg(test)]
pub(crate) mod sample;
