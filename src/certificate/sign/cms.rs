//! Detached CMS (RFC 5652): the main form, since one command of OpenSSL checks it with its content and its certificate.
//!
//! Inside stand the certificate of the key and, signed: content type, SHA-256 of the content, the fingerprint of the
//! certificate (ESS signing-certificate-v2, RFC 5035) and, outside a PDF, the time of signing. There is one way to write
//! it, and anything else is refused when it is read.

use super::{Doubt, Fault, Signed, Signer, es256, holds, sha256, x509};
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5911, rfc5912};
use der::asn1::{Any, OctetString, SetOfVec};
use der::{Decode, Encode, Tag};
use jiff::Timestamp;
use p256::ecdsa::Signature;
use spki::AlgorithmIdentifierOwned;
use std::time::Duration;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::time::Time;

const FORM: &str = "CMS";

/// SEQUENCE { SEQUENCE OF { SEQUENCE { OCTET STRING of 32 bytes } } }: SHA-256 is the default (RFC 5035 5.4.1.1).
const SIGNING_CERTIFICATE_V2: [u8; 8] = [0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20];

fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    // Without parameters: RFC 5754 2 and 3.3.
    AlgorithmIdentifierOwned { oid, parameters: None }
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn attributes(certificate: &[u8], digest: [u8; 32], at: Option<Timestamp>) -> der::Result<Attributes> {
    let mut fingerprint = SIGNING_CERTIFICATE_V2.to_vec();
    fingerprint.extend(sha256(certificate));
    let mut list = vec![
        attribute(rfc5911::ID_CONTENT_TYPE, Any::encode_from(&rfc5911::ID_DATA)?)?,
        attribute(rfc5911::ID_MESSAGE_DIGEST, Any::new(Tag::OctetString, digest)?)?,
        attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, Any::from_der(&fingerprint)?)?,
    ];
    if let Some(at) = at {
        let seconds = u64::try_from(at.as_second()).map_err(|_| der::ErrorKind::DateTime)?;
        let time = Time::from(der::DateTime::from_unix_duration(Duration::from_secs(seconds))?);
        list.push(attribute(rfc5911::ID_SIGNING_TIME, Any::encode_from(&time)?)?);
    }
    SetOfVec::try_from(list)
}

fn assemble(certificate: &[u8], attributes: Attributes, signature: &Signature) -> Result<Vec<u8>, String> {
    let parsed = x509::read(certificate).map_err(|e| e.to_string())?;
    let write = || -> der::Result<Vec<u8>> {
        let tbs = parsed.tbs_certificate();
        let info = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: tbs.issuer().clone(),
                serial_number: tbs.serial_number().clone(),
            }),
            digest_alg: algorithm(rfc5912::ID_SHA_256),
            signed_attrs: Some(attributes),
            signature_algorithm: algorithm(rfc5912::ECDSA_WITH_SHA_256),
            signature: OctetString::new(signature.to_der().as_bytes())?,
            unsigned_attrs: None,
        };
        let data = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![algorithm(rfc5912::ID_SHA_256)])?,
            encap_content_info: EncapsulatedContentInfo { econtent_type: rfc5911::ID_DATA, econtent: None },
            certificates: Some(CertificateSet::try_from(vec![CertificateChoices::Certificate(
                parsed.clone(),
            )])?),
            crls: None,
            signer_infos: SignerInfos::try_from(vec![info])?,
        };
        ContentInfo { content_type: rfc5911::ID_SIGNED_DATA, content: Any::encode_from(&data)? }.to_der()
    };
    write().map_err(|e| e.to_string())
}

/// The signature (DER) of a content that is not inside, made at this time.
pub fn sign(signer: &dyn Signer, content: &[u8], at: Timestamp) -> Result<Vec<u8>, Fault> {
    sign_digest(signer, sha256(content), Some(at))
}

/// The same for SHA-256 of a content. Inside a PDF the time stands in the PDF (EN 319 142-1 6.3), not here.
pub(super) fn sign_digest(
    signer: &dyn Signer,
    digest: [u8; 32],
    at: Option<Timestamp>,
) -> Result<Vec<u8>, Fault> {
    let bad = |what: String| Fault::Form { form: FORM, what };
    let attributes = attributes(signer.certificate(), digest, at).map_err(|e| bad(e.to_string()))?;
    let message = attributes.to_der().map_err(|e| bad(e.to_string()))?;
    let raw = es256(signer, FORM, &message)?;
    let signature = Signature::from_slice(&raw).map_err(|e| bad(e.to_string()))?;
    assemble(signer.certificate(), attributes, &signature).map_err(bad)
}

/// Checks a signature over a content with the certificate inside it.
pub fn verify(p7s: &[u8], content: &[u8]) -> Result<Signed, Doubt> {
    let (signed, digest) = open(p7s)?;
    if digest != sha256(content) {
        return Err(Doubt::Content { form: FORM });
    }
    Ok(signed)
}

/// Checks that the signature holds in itself, and gives SHA-256 of the content it was made for.
pub(in crate::certificate) fn open(p7s: &[u8]) -> Result<(Signed, [u8; 32]), Doubt> {
    let bad = |what: String| Doubt::Form { form: FORM, what };
    let read = |e: der::Error| bad(e.to_string());
    let outer = ContentInfo::from_der(p7s).map_err(read)?;
    let data: SignedData = outer.content.decode_as().map_err(read)?;
    let certificates = data.certificates.as_ref().map_or(&[][..], |set| set.0.as_slice());
    let [CertificateChoices::Certificate(certificate)] = certificates else {
        return Err(bad(format!("{} certificates inside, there must be one", certificates.len())));
    };
    let certificate = certificate.to_der().map_err(read)?;
    let infos = data.signer_infos.0.as_slice();
    let [info] = infos else {
        return Err(bad(format!("{} signatures, there must be one", infos.len())));
    };
    let found = info.signed_attrs.as_ref().ok_or_else(|| bad("nothing is signed in it".into()))?;
    let value =
        |oid: ObjectIdentifier| found.iter().find(|a| a.oid == oid).and_then(|a| a.values.as_slice().first());
    let digest = value(rfc5911::ID_MESSAGE_DIGEST).map_or(&[][..], Any::value);
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| bad("no SHA-256 of the content".into()))?;
    let at = value(rfc5911::ID_SIGNING_TIME).map(Any::decode_as::<Time>).transpose().map_err(read)?;
    let at = at.and_then(|t| Timestamp::from_second(t.to_unix_duration().as_secs().cast_signed()).ok());
    let signature = Signature::from_der(info.signature.as_bytes())
        .map_err(|_| bad("the signature is no ECDSA signature".into()))?;
    let attributes = attributes(&certificate, digest, at).map_err(read)?;
    let message = attributes.to_der().map_err(read)?;
    if assemble(&certificate, attributes, &signature).map_err(bad)? != p7s {
        return Err(bad("it would be written otherwise".into()));
    }
    holds(FORM, &certificate, &message, &signature.to_bytes())?;
    Ok((Signed { certificate, at }, digest))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_content_is_held_by_its_signature() {
        let key = sample::device();
        let p7s = sign(&key, b"abc", sample::at()).unwrap();
        let signed = verify(&p7s, b"abc").unwrap();
        assert_eq!((signed.certificate.as_slice(), signed.at), (key.certificate(), Some(sample::at())));
        assert_eq!(verify(&p7s, b"abd").unwrap_err(), Doubt::Content { form: "CMS" });
    }

    #[test]
    fn every_flipped_byte_of_the_signature_is_found_in_itself() {
        let p7s = sign(&sample::device(), b"abc", sample::at()).unwrap();
        for at in 0..p7s.len() {
            let mut changed = p7s.clone();
            changed[at] ^= 1 << (at % 8);
            let doubt = verify(&changed, b"abc").expect_err(&format!("byte {at}"));
            assert_ne!(doubt, Doubt::Content { form: "CMS" }, "byte {at}");
        }
        assert!(verify(&p7s[..p7s.len() - 1], b"abc").is_err());
        assert!(verify(&[p7s.as_slice(), b"\0"].concat(), b"abc").is_err());
    }
}
