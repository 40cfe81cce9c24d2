//! Signing and checking: one key a device, one trait, and the forms in which others can check a signature.

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
