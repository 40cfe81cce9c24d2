//! Keys, requests and the laboratory's authority: a device certificate comes from here or from anybody else's PKI.
//!
//! Randomness, serial numbers and dates come from outside.

use super::{Fault, key, x509};
use der::asn1::{Any, BitString};
use der::oid::ObjectIdentifier;
use der::oid::db::rfc4519;
use der::{Decode, DecodePem, Encode, EncodePem, Tag};
use jiff::Timestamp;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePublicKey, EncodePrivateKey, LineEnding};
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use std::time::Duration;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::request::{CertReq, RequestBuilder};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate};

/// Whom a certificate names. What is empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Such as model and serial number of the tester.
    pub common_name: String,
    /// The serial number alone; letters, figures and `-./:` only.
    pub serial: String,
    /// The laboratory or maker.
    pub organization: String,
    /// Two letters (ISO 3166-1).
    pub country: String,
}

impl Subject {
    fn name(&self) -> Result<Name, Fault> {
        let bad = |what: String| Fault::Unreadable { which: "the subject", what };
        if self.common_name.trim().is_empty() {
            return Err(bad("it has no common name; give model and serial number".into()));
        }
        if self.common_name.chars().count() > 64 || self.organization.chars().count() > 64 {
            return Err(bad("a name has more than 64 characters (RFC 5280 upper bounds)".into()));
        }
        if !self.country.is_empty()
            && (self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(bad(format!("country `{}`; write two capital letters such as CN", self.country)));
        }
        let printable = |b: u8| b.is_ascii_alphanumeric() || b"-./: ".contains(&b);
        if !self.serial.bytes().all(printable) || self.serial.len() > 64 {
            return Err(bad(format!("serial number `{}`; letters, figures and -./: only", self.serial)));
        }
        let parts: [(ObjectIdentifier, Tag, &str); 4] = [
            (rfc4519::C, Tag::PrintableString, &self.country),
            (rfc4519::O, Tag::Utf8String, &self.organization),
            (rfc4519::CN, Tag::Utf8String, &self.common_name),
            (rfc4519::SERIAL_NUMBER, Tag::PrintableString, &self.serial),
        ];
        let mut names = RdnSequence::default();
        for (oid, tag, text) in parts {
            if text.is_empty() {
                continue;
            }
            let value = Any::new(tag, text.as_bytes()).map_err(|e| bad(e.to_string()))?;
            let mut name = RelativeDistinguishedName::default();
            name.insert(AttributeTypeAndValue { oid, value }).map_err(|e| bad(e.to_string()))?;
            names.push(name);
        }
        names.to_der().and_then(|der| Name::from_der(&der)).map_err(|e| bad(e.to_string()))
    }
}

/// What stands in the extensions of our two kinds of certificates.
enum Profile {
    Authority { subject: Name },
    Device { subject: Name, issuer: Name },
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, subject: &Name) -> Name {
        match self {
            Self::Authority { .. } => subject.clone(),
            Self::Device { issuer, .. } => issuer.clone(),
        }
    }

    fn get_subject(&self) -> Name {
        match self {
            Self::Authority { subject } | Self::Device { subject, .. } => subject.clone(),
        }
    }

    fn build_extensions(
        &self,
        spk: SubjectPublicKeyInfoRef<'_>,
        issuer_spk: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let (ca, path_len_constraint, usage) = match self {
            Self::Authority { .. } => (true, Some(0), KeyUsages::KeyCertSign | KeyUsages::CRLSign),
            Self::Device { .. } => (false, None, KeyUsages::DigitalSignature | KeyUsages::NonRepudiation),
        };
        Ok(vec![
            BasicConstraints { ca, path_len_constraint }.to_extension(tbs.subject(), &[])?,
            KeyUsage(usage).to_extension(tbs.subject(), &[])?,
            SubjectKeyIdentifier::try_from(spk)?.to_extension(tbs.subject(), &[])?,
            AuthorityKeyIdentifier::try_from(issuer_spk)?.to_extension(tbs.subject(), &[])?,
        ])
    }
}

fn form(form: &'static str) -> impl Fn(builder::Error) -> Fault {
    move |fault| Fault::Form { form, what: fault.to_string() }
}

fn time(at: Timestamp) -> Result<Time, Fault> {
    let bad = |what: String| Fault::Form { form: "a date of a certificate", what };
    let seconds = u64::try_from(at.as_second()).map_err(|_| bad(format!("{at} is before 1970")))?;
    let at =
        der::DateTime::from_unix_duration(Duration::from_secs(seconds)).map_err(|e| bad(e.to_string()))?;
    Ok(Time::from(at))
}

fn validity(from: Timestamp, to: Timestamp) -> Result<Validity, Fault> {
    if to <= from {
        let what = format!("it would end at {to}, not after its beginning at {from}");
        return Err(Fault::Form { form: "the certificate", what });
    }
    Ok(Validity::new(time(from)?, time(to)?))
}

fn serial_number(serial: u64) -> Result<SerialNumber, Fault> {
    let form = "a serial number";
    if serial == 0 {
        return Err(Fault::Form { form, what: "it must be greater than 0 (RFC 5280 4.1.2.2)".into() });
    }
    Ok(SerialNumber::from(serial))
}

fn pem<T: EncodePem>(made: &T) -> Result<String, Fault> {
    made.to_pem(LineEnding::LF).map_err(|e| Fault::Form { form: "PEM", what: e.to_string() })
}

/// A new key as PKCS#8 PEM, from 32 random bytes.
pub fn new_key(random: [u8; 32]) -> Result<String, Fault> {
    let bad = |what: String| Fault::Form { form: "a key", what };
    let key = SigningKey::from_slice(&random)
        .map_err(|_| bad("these 32 bytes are no key on P-256; draw others".into()))?;
    Ok(key.to_pkcs8_pem(LineEnding::LF).map_err(|e| bad(e.to_string()))?.to_string())
}

/// A request for a certificate (PKCS#10, RFC 2986) as PEM.
pub fn request(key_pem: &str, subject: &Subject) -> Result<String, Fault> {
    let key = key::read(key_pem)?;
    let builder = RequestBuilder::new(subject.name()?).map_err(form("the request"))?;
    let made = builder.build::<_, DerSignature>(&key).map_err(form("the request"))?;
    pem(&made)
}

/// A laboratory's own authority: a certificate signed by its own key, as PEM.
pub fn authority(
    key_pem: &str,
    subject: &Subject,
    serial: u64,
    from: Timestamp,
    to: Timestamp,
) -> Result<String, Fault> {
    let key = key::read(key_pem)?;
    let public = SubjectPublicKeyInfoOwned::from_key(key.verifying_key())
        .map_err(|e| Fault::Form { form: "the certificate", what: e.to_string() })?;
    let profile = Profile::Authority { subject: subject.name()? };
    let made = CertificateBuilder::new(profile, serial_number(serial)?, validity(from, to)?, public)
        .and_then(|b| b.build::<_, DerSignature>(&key))
        .map_err(form("the certificate"))?;
    pem(&made)
}

/// The certificate of a device from its request, issued by a laboratory's authority, as PEM.
pub fn issue(
    ca_key_pem: &str,
    ca_pem: &str,
    csr_pem: &str,
    serial: u64,
    from: Timestamp,
    to: Timestamp,
) -> Result<String, Fault> {
    let key = key::read(ca_key_pem)?;
    let ca = x509::read(&x509::der_from_pem(ca_pem)?)?;
    if x509::public_key(&ca)? != *key.verifying_key() {
        let name = x509::name(ca.tbs_certificate().subject());
        let key_id = super::key_id(&x509::der_from_pem(ca_pem)?);
        return Err(Fault::OtherKey { key_id, subject: name });
    }
    if !is_authority(&ca) {
        let what = format!("{} is no authority", x509::name(ca.tbs_certificate().subject()));
        return Err(Fault::Form { form: "the certificate", what });
    }
    let bad = |what: String| Fault::Unreadable { which: "the request", what };
    let request = CertReq::from_pem(csr_pem).map_err(|e| bad(e.to_string()))?;
    check(&request)?;
    let profile = Profile::Device {
        subject: request.info.subject.clone(),
        issuer: ca.tbs_certificate().subject().clone(),
    };
    let made = CertificateBuilder::new(
        profile,
        serial_number(serial)?,
        validity(from, to)?,
        request.info.public_key,
    )
    .and_then(|b| b.build::<_, DerSignature>(&key))
    .map_err(form("the certificate"))?;
    pem(&made)
}

/// Whoever asks holds the key: the request is signed with it.
fn check(request: &CertReq) -> Result<(), Fault> {
    let bad = |what: &str| Fault::Unreadable { which: "the request", what: what.to_owned() };
    let public = request.info.public_key.to_der().map_err(|e| bad(&e.to_string()))?;
    let public = VerifyingKey::from_public_key_der(&public)
        .map_err(|_| bad("its key is not on P-256; make another"))?;
    let info = request.info.to_der().map_err(|e| bad(&e.to_string()))?;
    signed_by(&public, &info, &request.signature)
        .then_some(())
        .ok_or_else(|| bad("its signature is wrong; it was changed on the way"))
}

/// Whether a key has signed these bytes of an X.509 object.
pub(super) fn signed_by(key: &VerifyingKey, bytes: &[u8], signature: &BitString) -> bool {
    signature
        .as_bytes()
        .and_then(|s| DerSignature::from_bytes(s).ok())
        .is_some_and(|s| key.verify(bytes, &s).is_ok())
}

/// Whether a certificate may issue others (basicConstraints CA, keyUsage keyCertSign where it is stated).
pub(super) fn is_authority(certificate: &Certificate) -> bool {
    let tbs = certificate.tbs_certificate();
    let ca = matches!(tbs.get_extension::<BasicConstraints>(), Ok(Some((_, b))) if b.ca);
    let usage = match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.0.contains(KeyUsages::KeyCertSign),
        Ok(None) => true,
        Err(_) => false,
    };
    ca && usage
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_request_that_was_changed_is_refused() {
        let key = new_key([7; 32]).unwrap();
        let subject = Subject { common_name: "Phantomload 7".into(), ..Subject::default() };
        let request = request(&key, &subject).unwrap();
        let mut der = CertReq::from_pem(&request).unwrap().to_der().unwrap();
        let at = der.windows(9).position(|w| w == b"Phantomlo").unwrap();
        der[at] = b'F';
        let changed = CertReq::from_der(&der).unwrap().to_pem(LineEnding::LF).unwrap();
        let [from, to] = sample::validity();
        let issue = |csr: &str| issue(&sample::ca_key_pem(), &sample::ca_pem(), csr, 9, from, to);
        assert!(issue(&request).is_ok());
        assert!(issue(&changed).unwrap_err().to_string().contains("changed on the way"));
    }

    #[test]
    fn a_device_issues_no_certificate() {
        let key = new_key([7; 32]).unwrap();
        let subject = Subject { common_name: "x".into(), ..Subject::default() };
        let csr = request(&key, &subject).unwrap();
        let [from, to] = sample::validity();
        let fault = issue(&sample::device_key_pem(), &sample::device_pem(), &csr, 9, from, to).unwrap_err();
        assert!(fault.to_string().contains("no authority"), "{fault}");
        let fault = issue(&sample::device_key_pem(), &sample::ca_pem(), &csr, 9, from, to).unwrap_err();
        assert!(matches!(fault, Fault::OtherKey { .. }), "{fault}");
        assert!(issue(&sample::ca_key_pem(), &sample::ca_pem(), &csr, 9, to, from).is_err());
        assert!(issue(&sample::ca_key_pem(), &sample::ca_pem(), &csr, 0, from, to).is_err());
    }

    #[test]
    fn a_subject_that_cannot_stand_in_a_certificate_is_refused_in_words() {
        let key = new_key([7; 32]).unwrap();
        let subject = |common_name: &str, serial: &str, country: &str| {
            let [common_name, serial, country] = [common_name, serial, country].map(str::to_owned);
            request(&key, &Subject { common_name, serial, organization: "某某检定所".into(), country })
        };
        assert!(subject("虚负荷 7", "PL-7", "CN").is_ok());
        assert!(subject(" ", "PL-7", "CN").unwrap_err().to_string().contains("no common name"));
        assert!(subject("x", "七", "CN").unwrap_err().to_string().contains("letters, figures"));
        assert!(subject("x", "", "cn").unwrap_err().to_string().contains("two capital letters"));
        assert!(new_key([0; 32]).is_err());
    }
}
