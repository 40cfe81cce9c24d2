//! `COSE_Sign1` (RFC 9052) with ES256: small enough for a QR code.
//!
//! Tag 18; the protected header has the algorithm (1: -7) and the first 8 bytes of SHA-256 of the certificate (4: kid).

use super::{Doubt, Fault, Signed, Signer, es256, holds, sha256};
use coset::iana::Algorithm;
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable};

const FORM: &str = "COSE";

fn unsigned(kid: &[u8], payload: &[u8]) -> CoseSign1Builder {
    let header = HeaderBuilder::new().algorithm(Algorithm::ES256).key_id(kid.to_vec()).build();
    CoseSign1Builder::new().protected(header).payload(payload.to_vec())
}

fn write(made: CoseSign1) -> Result<Vec<u8>, String> {
    made.to_tagged_vec().map_err(|e| e.to_string())
}

/// The signed bytes of a payload.
pub fn sign(signer: &dyn Signer, payload: &[u8]) -> Result<Vec<u8>, Fault> {
    let kid = sha256(signer.certificate());
    let made = unsigned(&kid[..8], payload)
        .try_create_signature(&[], |message| es256(signer, FORM, message).map(|raw| raw.to_vec()))?
        .build();
    write(made).map_err(|what| Fault::Form { form: FORM, what })
}

/// Reads the payload and checks its signature with that of these certificates (DER) which it names.
pub fn verify<'a>(
    cose: &[u8],
    certificates: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Signed), Doubt> {
    let bad = |what: String| Doubt::Form { form: FORM, what };
    let read = CoseSign1::from_tagged_slice(cose).map_err(|e| bad(e.to_string()))?;
    let kid = read.protected.header.key_id.clone();
    let payload = read.payload.clone().ok_or_else(|| bad("no payload".into()))?;
    let again = unsigned(&kid, &payload).signature(read.signature.clone()).build();
    let message = again.tbs_data(&[]);
    if write(again).map_err(bad)? != cose {
        return Err(bad("it would be written otherwise".into()));
    }
    let named = |der: &&[u8]| sha256(der)[..8] == kid;
    let Some(certificate) = certificates.into_iter().find(named) else {
        return Err(Doubt::UnknownKey { form: FORM, key_id: super::hex(&kid) });
    };
    holds(FORM, certificate, &message, &read.signature)?;
    Ok((payload, Signed { certificate: certificate.to_owned(), at: None }))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_flipped_byte_is_found() {
        let key = sample::device();
        let cose = sign(&key, b"abc").unwrap();
        let certificates = || [sample::other_device().certificate().to_vec(), key.certificate().to_vec()];
        let check = |bytes: &[u8]| {
            let certificates = certificates();
            verify(bytes, certificates.iter().map(Vec::as_slice))
        };
        assert_eq!(check(&cose).unwrap().0, b"abc");
        for at in 0..cose.len() {
            for mask in [1, 0x40, 0xff] {
                let mut changed = cose.clone();
                changed[at] ^= mask;
                assert!(check(&changed).is_err(), "byte {at}");
            }
        }
        let other = sample::other_device().certificate().to_vec();
        let doubt = verify(&cose, [other.as_slice()]).unwrap_err();
        assert!(matches!(doubt, Doubt::UnknownKey { .. }), "{doubt}");
    }
}
