//! Device and authority certificates (X.509, RFC 5280): read, and told in words.

use super::Fault;
use der::oid::db::rfc4519;
use der::{Decode, DecodePem, Encode, EncodePem};
use p256::ecdsa::VerifyingKey;
use p256::pkcs8::DecodePublicKey;
use x509_cert::Certificate;
use x509_cert::name::Name;

fn unreadable(what: impl std::fmt::Display) -> Fault {
    Fault::Unreadable { which: "the certificate", what: what.to_string() }
}

/// Reads a certificate, DER; one that would be written otherwise is refused.
pub fn read(der: &[u8]) -> Result<Certificate, Fault> {
    let certificate = Certificate::from_der(der).map_err(unreadable)?;
    if certificate.to_der().map_err(unreadable)? != der {
        return Err(unreadable("it is not in DER, the one form"));
    }
    Ok(certificate)
}

/// DER of the one certificate in a PEM text.
pub fn der_from_pem(pem: &str) -> Result<Vec<u8>, Fault> {
    Certificate::from_pem(pem).and_then(|c| c.to_der()).map_err(unreadable)
}

/// DER of each certificate in a PEM text, which may hold several.
pub fn ders_from_pem(pem: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let chain = Certificate::load_pem_chain(pem.as_bytes()).map_err(unreadable)?;
    if chain.is_empty() {
        return Err(unreadable("no certificate is in it; it begins with -----BEGIN CERTIFICATE-----"));
    }
    chain.iter().map(|c| c.to_der().map_err(unreadable)).collect()
}

/// The PEM text of a certificate.
pub fn to_pem(der: &[u8]) -> Result<String, Fault> {
    read(der)?.to_pem(der::pem::LineEnding::LF).map_err(unreadable)
}

/// The key in it; only P-256 is known here.
pub fn public_key(certificate: &Certificate) -> Result<VerifyingKey, Fault> {
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(unreadable)?;
    VerifyingKey::from_public_key_der(&spki).map_err(|_| unreadable("its key is not on P-256"))
}

/// `CN=…,O=…,C=…`, the most particular first (RFC 4514 2.1).
pub fn name(name: &Name) -> String {
    name.to_string()
}

/// Whose certificate this is, in words.
pub fn subject(der: &[u8]) -> Result<String, Fault> {
    Ok(name(read(der)?.tbs_certificate().subject()))
}

/// Who issued it, in words.
pub fn issuer(der: &[u8]) -> Result<String, Fault> {
    Ok(name(read(der)?.tbs_certificate().issuer()))
}

/// Whether its common name holds the name of this device as a word, as `Phantomload PL-1` does, or its serial number is
/// that name.
pub fn names(der: &[u8], device: &str) -> Result<bool, Fault> {
    let certificate = read(der)?;
    let found = certificate.tbs_certificate().subject().iter().any(|part| {
        let text = String::from_utf8_lossy(part.value.value());
        [rfc4519::CN, rfc4519::SERIAL_NUMBER].contains(&part.oid)
            && text.split_whitespace().any(|word| word == device)
    });
    Ok(found)
}

/// Whether subject or issuer says that it is for demonstration.
pub fn is_demo(der: &[u8]) -> Result<bool, Fault> {
    Ok(subject(der)?.contains("DEMO") || issuer(der)?.contains("DEMO"))
}
