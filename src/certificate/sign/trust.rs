//! Which keys are to be trusted: certificates of authorities, and whether one of them answers for a device.
//!
//! One step: the authority issues the device certificates itself. Validity is asked at the time of signing, as far as
//! anybody knows it: a paper does not become false because the certificate of its key ends later.

use super::{Fault, authority, key_id, x509};
use der::Encode;
use der::oid::db::rfc5280;
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

/// The certificates of authorities and devices that are at hand, and the time of checking.
#[derive(Debug, Clone)]
pub struct Trust {
    authorities: Vec<Certificate>,
    devices: Vec<Vec<u8>>,
    at: Timestamp,
}

/// What is to be thought of the certificate of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// One of the authorities answers for it, at that time.
    Known {
        /// Whose key it is.
        subject: String,
        /// Who answers for it.
        issuer: String,
    },
    /// No authority at hand answers for it.
    Unknown {
        /// Whose key it says to be.
        subject: String,
        /// Who is said to have issued it.
        issuer: String,
    },
    /// It was signed after the certificate (or its authority's) had ended.
    Expired {
        /// Whose key it is.
        subject: String,
        /// When it ended.
        ended: Timestamp,
    },
    /// It was signed before the certificate (or its authority's) began.
    NotYetValid {
        /// Whose key it is.
        subject: String,
        /// When it begins.
        begins: Timestamp,
    },
    /// An authority answers for it, but not that it may sign papers.
    Unfit {
        /// Whose key it is.
        subject: String,
        /// What it is for instead.
        why: String,
    },
}

/// Why this is no certificate of a key that signs papers; nothing where it is one.
fn unfit(certificate: &Certificate) -> Option<String> {
    let tbs = certificate.tbs_certificate();
    if matches!(tbs.get_extension::<BasicConstraints>(), Ok(Some((_, basic))) if basic.ca) {
        return Some("it is the certificate of an authority (CA), not of a device".into());
    }
    match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) if !usage.0.contains(KeyUsages::DigitalSignature) => {
            return Some("its key usage does not allow digital signatures (digitalSignature)".into());
        }
        Err(fault) => return Some(format!("its key usage cannot be read: {fault}")),
        Ok(_) => {}
    }
    let of_connections = [rfc5280::ID_KP_SERVER_AUTH, rfc5280::ID_KP_CLIENT_AUTH];
    match tbs.get_extension::<ExtendedKeyUsage>() {
        Ok(Some((_, usage))) if usage.0.iter().all(|purpose| of_connections.contains(purpose)) => {
            Some("it is for TLS connections only (extended key usage)".into())
        }
        Err(fault) => Some(format!("its extended key usage cannot be read: {fault}")),
        Ok(_) => None,
    }
}

fn period(certificate: &Certificate) -> [Timestamp; 2] {
    let validity = certificate.tbs_certificate().validity();
    let read = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    };
    [read(validity.not_before), read(validity.not_after)]
}

impl Trust {
    /// Trusts nobody yet; `at` is the time of checking where a signature does not say its own.
    pub fn new(at: Timestamp) -> Self {
        Self { authorities: vec![], devices: vec![], at }
    }

    /// Trusts these authorities (PEM, one or several).
    pub fn add_authorities(&mut self, pem: &str) -> Result<(), Fault> {
        for der in x509::ders_from_pem(pem)? {
            let certificate = x509::read(&der)?;
            if !authority::is_authority(&certificate) {
                let subject = x509::name(certificate.tbs_certificate().subject());
                let what = format!("{subject} is the certificate of no authority (CA)");
                return Err(Fault::Unreadable { which: "the authority's certificate", what });
            }
            self.authorities.push(certificate);
        }
        Ok(())
    }

    /// Has these device certificates (PEM, one or several) at hand: a QR code and an entry of the chain only name their
    /// key. Being at hand is not being trusted.
    pub fn add_devices(&mut self, pem: &str) -> Result<(), Fault> {
        self.devices.extend(x509::ders_from_pem(pem)?);
        Ok(())
    }

    /// Takes certificates (PEM, one or several) as what they are: an authority's is trusted, a device's is at hand.
    pub fn add(&mut self, pem: &str) -> Result<(), Fault> {
        for der in x509::ders_from_pem(pem)? {
            let certificate = x509::read(&der)?;
            if authority::is_authority(&certificate) {
                self.authorities.push(certificate);
            } else {
                self.devices.push(der);
            }
        }
        Ok(())
    }

    /// The same for one certificate of a device, DER.
    pub fn add_device_der(&mut self, der: &[u8]) {
        self.devices.push(der.to_owned());
    }

    /// The certificate of a key, if at hand.
    pub fn device(&self, id: &str) -> Option<&[u8]> {
        self.devices.iter().map(Vec::as_slice).find(|der| key_id(der) == id)
    }

    /// Device certificates at hand.
    pub fn devices(&self) -> &[Vec<u8>] {
        &self.devices
    }

    /// The time of checking.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What is to be thought of this certificate (DER), for something signed at this time.
    pub fn judge(&self, certificate_der: &[u8], signed_at: Option<Timestamp>) -> Result<Standing, Fault> {
        let certificate = x509::read(certificate_der)?;
        let tbs = certificate.tbs_certificate();
        let (subject, issuer) = (x509::name(tbs.subject()), x509::name(tbs.issuer()));
        let bytes =
            tbs.to_der().map_err(|e| Fault::Unreadable { which: "the certificate", what: e.to_string() })?;
        let answers = |ca: &&Certificate| {
            ca.tbs_certificate().subject() == tbs.issuer()
                && x509::public_key(ca)
                    .is_ok_and(|key| authority::signed_by(&key, &bytes, certificate.signature()))
        };
        let Some(ca) = self.authorities.iter().find(answers) else {
            return Ok(Standing::Unknown { subject, issuer });
        };
        if let Some(why) = unfit(&certificate) {
            return Ok(Standing::Unfit { subject, why });
        }
        let at = signed_at.unwrap_or(self.at);
        for [begins, ended] in [period(&certificate), period(ca)] {
            if at < begins {
                return Ok(Standing::NotYetValid { subject, begins });
            }
            if at > ended {
                return Ok(Standing::Expired { subject, ended });
            }
        }
        Ok(Standing::Known { subject, issuer })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Signer, sample};
    use super::*;

    #[test]
    fn a_device_is_known_by_its_authority_and_its_time() {
        let (device, trust) = (sample::device(), sample::trust());
        let judge = |at: &str| trust.judge(device.certificate(), Some(at.parse().unwrap())).unwrap();
        let known = judge("2026-11-20T10:02:00+08:00");
        assert!(
            matches!(&known, Standing::Known { subject, issuer }
            if subject.contains("Phantomload PL-1") && issuer.contains("Test authority")),
            "{known:?}"
        );
        assert!(matches!(judge("2025-12-31T23:59:59Z"), Standing::NotYetValid { .. }));
        assert!(matches!(judge("2036-01-01T00:00:01Z"), Standing::Expired { .. }));
        let nobody = Trust::new(sample::at());
        assert!(matches!(nobody.judge(device.certificate(), None).unwrap(), Standing::Unknown { .. }));
    }

    #[test]
    fn an_authority_signs_no_papers_itself() {
        let ca = x509::der_from_pem(&sample::ca_pem()).unwrap();
        let standing = sample::trust().judge(&ca, Some(sample::at())).unwrap();
        assert!(matches!(&standing, Standing::Unfit { why, .. } if why.contains("CA")), "{standing:?}");
    }

    #[test]
    fn a_certificate_names_one_device() {
        let device = sample::device();
        assert!(x509::names(device.certificate(), "PL-1").unwrap());
        for other in ["PL-2", "PL-", "PL-11", "1", "", "laboratory"] {
            assert!(!x509::names(device.certificate(), other).unwrap(), "{other}");
        }
    }

    #[test]
    fn an_authority_of_the_same_name_with_another_key_does_not_answer_for_it() {
        let [from, to] = sample::validity();
        let subject = authority::Subject {
            common_name: "Test authority".into(),
            organization: "Some laboratory".into(),
            country: "CN".into(),
            serial: String::new(),
        };
        let false_ca =
            authority::authority(&authority::new_key([9; 32]).unwrap(), &subject, 1, from, to).unwrap();
        let mut trust = Trust::new(sample::at());
        trust.add_authorities(&false_ca).unwrap();
        let device = sample::device();
        assert!(matches!(trust.judge(device.certificate(), None).unwrap(), Standing::Unknown { .. }));
        assert!(trust.add_authorities(&sample::device_pem()).is_err());
    }
}
