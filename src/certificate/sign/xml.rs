//! Enveloped XML signature (W3C `XMLDSig` core) in a document that is already written in canonical form (C14N 1.1).
//!
//! Because the document *is* its canonical form, its digest is SHA-256 of its bytes, and the signature is put in by
//! inserting text before the closing tag of the root. `SignedInfo` is canonicalised exclusively, so that of the
//! namespaces around it only its own is in what is signed.

use super::{Doubt, Fault, Signed, Signer, es256, holds, sha256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

const FORM: &str = "XML signature";
const START: &str = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">";
const END: &str = "</ds:Signature>";

fn signed_info(digest: [u8; 32]) -> String {
    let element = |name: &str, algorithm: &str| format!("<ds:{name} Algorithm=\"{algorithm}\"></ds:{name}>");
    [
        "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
        &element("CanonicalizationMethod", "http://www.w3.org/2001/10/xml-exc-c14n#"),
        &element("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
        "<ds:Reference URI=\"\"><ds:Transforms>",
        &element("Transform", "http://www.w3.org/2000/09/xmldsig#enveloped-signature"),
        &element("Transform", "http://www.w3.org/2006/12/xml-c14n11"),
        "</ds:Transforms>",
        &element("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256"),
        "<ds:DigestValue>",
        &BASE64.encode(digest),
        "</ds:DigestValue></ds:Reference></ds:SignedInfo>",
    ]
    .concat()
}

fn element(info: &str, raw: &[u8], certificate: &[u8]) -> String {
    [
        START,
        info,
        "<ds:SignatureValue>",
        &BASE64.encode(raw),
        "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>",
        &BASE64.encode(certificate),
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        END,
    ]
    .concat()
}

/// Where the closing tag of the root begins.
fn closing_tag(document: &str) -> Result<usize, String> {
    let at = document.rfind("</").ok_or("it has no closing tag")?;
    if !document.ends_with('>') || document[at..].matches('>').count() != 1 {
        return Err("it must end with the closing tag of its root, without white space".into());
    }
    Ok(at)
}

/// The document with its signature. It must be in canonical form: what of that is cheap to see is looked at.
pub fn sign(signer: &dyn Signer, document: &[u8]) -> Result<Vec<u8>, Fault> {
    let bad = |what: &str| Fault::Form { form: FORM, what: what.to_owned() };
    let text = str::from_utf8(document).map_err(|_| bad("the document is not UTF-8"))?;
    if text.starts_with("<?xml") || text.contains("/>") || text.contains('\r') {
        return Err(bad("the document is not canonical: an XML declaration, `/>` or a CR is in it"));
    }
    if text.contains(START) {
        return Err(bad("the document is already signed"));
    }
    let at = closing_tag(text).map_err(|what| bad(&what))?;
    let info = signed_info(sha256(document));
    let raw = es256(signer, FORM, info.as_bytes())?;
    let signature = element(&info, &raw, signer.certificate());
    Ok([&text[..at], &signature, &text[at..]].concat().into_bytes())
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}

/// Checks the signature in a document, with the certificate inside it. The certificate itself is not part of what is signed:
/// whether it is whole, [`super::trust::Trust::judge`] tells.
pub fn verify(document: &[u8]) -> Result<Signed, Doubt> {
    let bad = |what: &str| Doubt::Form { form: FORM, what: what.to_owned() };
    let text = str::from_utf8(document).map_err(|_| bad("the document is not UTF-8"))?;
    let end = closing_tag(text).map_err(|what| bad(&what))?;
    let start = text.find(START).ok_or_else(|| bad("no signature is in it"))?;
    let inside = text.get(start..end).ok_or_else(|| bad("the signature is not at the end of the root"))?;
    let decode = |from, to| {
        between(inside, from, to).and_then(|t| BASE64.decode(t).ok()).ok_or_else(|| bad("it has a gap"))
    };
    let digest = decode("<ds:DigestValue>", "</ds:DigestValue>")?;
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| bad("the digest is not SHA-256"))?;
    let raw = decode("<ds:SignatureValue>", "</ds:SignatureValue>")?;
    let certificate = decode("<ds:X509Certificate>", "</ds:X509Certificate>")?;
    let info = signed_info(digest);
    if element(&info, &raw, &certificate) != inside {
        return Err(bad("it would be written otherwise"));
    }
    holds(FORM, &certificate, info.as_bytes(), &raw)?;
    if sha256(&[&text[..start], &text[end..]].concat().into_bytes()) != digest {
        return Err(Doubt::Content { form: FORM });
    }
    Ok(Signed { certificate, at: None })
}

/// Whether a document has a signature in it at all.
pub fn is_signed(document: &[u8]) -> bool {
    document.windows(START.len()).any(|w| w == START.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    const DOCUMENT: &str = "<a xmlns=\"urn:x\"><b c=\"d\">检定 &amp;</b></a>";

    #[test]
    fn a_document_is_held_by_its_signature_and_every_flipped_byte_is_found() {
        let key = sample::device();
        let signed = sign(&key, DOCUMENT.as_bytes()).unwrap();
        assert_eq!(verify(&signed).unwrap().certificate, key.certificate());
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            // The certificate is not signed here: its authority answers for it, and a changed one is of nobody.
            let same = verify(&changed).is_ok_and(|s| s.certificate == key.certificate());
            assert!(!same, "byte {at}");
        }
        assert!(is_signed(&signed) && !is_signed(DOCUMENT.as_bytes()));
    }

    #[test]
    fn what_is_not_canonical_is_not_signed() {
        for wrong in ["<?xml version=\"1.0\"?><a></a>", "<a><b/></a>", "<a>\r</a>", "<a></a>\n", "abc", "<a>"]
        {
            assert!(sign(&sample::device(), wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
