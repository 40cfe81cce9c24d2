//! TLS over any [`Link`], to a device whose certificate is known by its fingerprint.
//!
//! Meters sign their own certificates, so no authority vouches for them: the SHA-256 of the certificate, read once at
//! the meter, stands in the bench file. Without it nothing is accepted; the fault tells the fingerprint that was shown.

use super::{Fault, Link};
use crate::time::{Span, now};
use ring::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring as provider};
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::str::FromStr;
use std::sync::Arc;

/// How long the handshake may take; a meter's small processor is slow at it.
const HANDSHAKE: Span = Span::from_secs(20);

/// SHA-256 of a certificate in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
        let mut bytes = [0; 32];
        let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
        let hex = digits.len() == 64 && digits.bytes().all(|c| c.is_ascii_hexdigit());
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        hex.then_some(Self(bytes)).ok_or_else(|| {
            format!("`{text}` is no fingerprint: the SHA-256 of the certificate, 64 hex digits, is wanted")
        })
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// RSA of 1024 bits, which the meter's maker uses (protocols.md §4.1): here the certificate is known as a whole, and the
/// signature only proves that the device has its key.
#[derive(Debug)]
struct ShortRsa;

impl SignatureVerificationAlgorithm for ShortRsa {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }
}

/// Accepts the one certificate.
#[derive(Debug)]
struct Pinned {
    fingerprint: Option<Fingerprint>,
    usual: WebPkiSupportedAlgorithms,
    /// The other side shall sign as a short RSA key can be checked: not by PSS.
    old: bool,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint(Sha256::digest(certificate).into());
        match self.fingerprint {
            Some(pinned) if pinned == shown => Ok(ServerCertVerified::assertion()),
            Some(pinned) => Err(Error::General(format!(
                "it shows another certificate (SHA-256 {shown}) than the one that is known ({pinned}): another device, or somebody between"
            ))),
            None => Err(Error::General(format!(
                "its certificate is not known yet; it shows SHA-256 {shown}. Compare that at the meter, then give it as the fingerprint"
            ))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let usual = rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.usual);
        if usual.is_ok() || signature.scheme != SignatureScheme::RSA_PKCS1_SHA256 {
            return usual;
        }
        let short = WebPkiSupportedAlgorithms {
            all: &[&ShortRsa],
            mapping: &[(SignatureScheme::RSA_PKCS1_SHA256, &[&ShortRsa])],
        };
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &short)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.usual)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as S;
        let old = [S::RSA_PKCS1_SHA256, S::ECDSA_NISTP256_SHA256, S::ECDSA_NISTP384_SHA384];
        let schemes = self.usual.supported_schemes();
        schemes.into_iter().filter(|scheme| !self.old || old.contains(scheme)).collect()
    }
}

/// A line that is enciphered, to a device that has proved that it holds the known certificate's key.
pub struct Tls {
    inner: Box<dyn Link>,
    connection: ClientConnection,
}

impl Tls {
    /// Opens TLS on a line just opened. With `old` only TLS 1.2, in which a device with a short RSA key can sign.
    pub fn open(
        inner: Box<dyn Link>,
        host: &str,
        fingerprint: Option<Fingerprint>,
        old: bool,
    ) -> Result<Self, Fault> {
        let peer = inner.peer().to_owned();
        let refuse = |what: String| Fault::NotOpened { peer: peer.clone(), why: format!("TLS: {what}") };
        let crypto: Arc<CryptoProvider> = Arc::new(provider::default_provider());
        let pinned = Pinned { fingerprint, usual: crypto.signature_verification_algorithms, old };
        let both = [&rustls::version::TLS13, &rustls::version::TLS12];
        let config = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(if old { &both[1..] } else { &both })
            .map_err(|fault| refuse(fault.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|fault| refuse(fault.to_string()))?;
        let connection = ClientConnection::new(Arc::new(config), name);
        let mut tls = Self { inner, connection: connection.map_err(|fault| refuse(fault.to_string()))? };
        let deadline = now() + HANDSHAKE;
        while tls.connection.is_handshaking() {
            tls.push_out()?;
            let left = deadline - now();
            if left <= Span::ZERO {
                return Err(refuse(format!("the handshake was not over within {HANDSHAKE}")));
            }
            if tls.connection.is_handshaking()
                && let Err(fault) = tls.take_in(left)
            {
                // The refusal is told to the other side as well; that this fails changes nothing.
                let _ = tls.push_out();
                return Err(match fault {
                    Fault::Line { what, .. } => refuse(what),
                    fault => fault,
                });
            }
        }
        tls.push_out()?;
        Ok(tls)
    }

    fn line(&self, what: impl fmt::Display) -> Fault {
        Fault::Line { peer: self.inner.peer().to_owned(), what: what.to_string() }
    }

    /// Sends what the cipher has made.
    fn push_out(&mut self) -> Result<(), Fault> {
        let mut bytes = vec![];
        while self.connection.wants_write() {
            self.connection.write_tls(&mut bytes).map_err(|fault| self.line(fault))?;
        }
        if bytes.is_empty() { Ok(()) } else { self.inner.send(&bytes) }
    }

    /// Takes in what has come; false after silence.
    fn take_in(&mut self, patience: Span) -> Result<bool, Fault> {
        let mut buffer = [0; 4096];
        let count = self.inner.receive(&mut buffer, patience)?;
        let mut bytes = &buffer[..count];
        while !bytes.is_empty() {
            self.connection.read_tls(&mut bytes).map_err(|fault| self.line(fault))?;
            self.connection.process_new_packets().map_err(|fault| match fault {
                // The words of our own refusal, without rustls' before them.
                Error::General(what) => self.line(what),
                fault => self.line(fault),
            })?;
        }
        Ok(count > 0)
    }
}

impl Link for Tls {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for part in bytes.chunks(4096) {
            self.connection.writer().write_all(part).map_err(|fault| self.line(fault))?;
            self.push_out()?;
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        let deadline = now() + patience;
        loop {
            match self.connection.reader().read(buffer) {
                // The other side has said that nothing more comes.
                Ok(0) if !buffer.is_empty() => {
                    return Err(Fault::HungUp { peer: self.inner.peer().to_owned() });
                }
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => {}
                Err(fault) => return Err(self.line(fault)),
            }
            let left = deadline - now();
            if left <= Span::ZERO || !self.take_in(left)? {
                return Ok(0);
            }
            self.push_out()?;
        }
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        let mut rest = vec![];
        match self.connection.reader().read_to_end(&mut rest) {
            Err(fault) if fault.kind() != ErrorKind::WouldBlock => Err(self.line(fault)),
            _ => Ok(()),
        }
    }

    fn peer(&self) -> &str {
        self.inner.peer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_sixty_four_hex_digits_with_or_without_colons() {
        let plain = "ab".repeat(32);
        let colons = ["AB"; 32].join(":");
        assert_eq!(plain.parse::<Fingerprint>(), colons.parse::<Fingerprint>());
        assert_eq!(plain.parse::<Fingerprint>().unwrap().to_string(), plain);
        for bad in ["", "ab", &plain[1..], &format!("{plain}00"), &"zz".repeat(32)] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
