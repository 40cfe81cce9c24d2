//! A signature inside a PDF: PAdES-B (EN 319 142-1), `ETSI.CAdES.detached`, as an incremental update (ISO 32000-1 7.5.6).
//!
//! The paper's own bytes stay as they are; behind them come a signature dictionary, an invisible field on the first page,
//! the page and the catalogue with a reference to it, and a table of these objects. `ByteRange` covers the whole file but
//! the signature itself. Nothing of PDF/A is touched: a widget of no size needs no appearance (ISO 19005-3 6.3.3).

mod object;

use super::{Doubt, Fault, Signed, Signer, cms, hex, unhex};
use crate::time::Stamp;
use object::{Document, entries};
use sha2::{Digest, Sha256};

const FORM: &str = "PDF signature";
/// What `/Contents` is kept open for besides the certificate: attributes and signature are below 500 bytes.
const ROOM: usize = 1024;
/// What `/ByteRange` is kept open for: three numbers of ten figures.
const RANGE: usize = "0 0000000000 0000000000 0000000000".len();
/// What an update takes besides: four objects and their table.
const GROWTH: usize = 1 << 16;
const BYTE_RANGE: &str = "/ByteRange [";
const CONTENTS: &str = "/Contents <";

/// What a PDF reader shows of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who signs, such as the device.
    pub name: String,
    /// What for.
    pub reason: String,
    /// When.
    pub at: Stamp,
}

/// A text string of PDF, UTF-16 with its mark: nothing needs to be escaped.
fn text(text: &str) -> String {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    format!("<feff{}>", hex(&units))
}

/// `D:20261120100200+08'00'` (ISO 32000-1 7.9.4).
fn date(at: Stamp) -> String {
    let text = at.to_string();
    let digits: String = text[..19].chars().filter(char::is_ascii_digit).collect();
    let offset = text[text.len() - 6..].replace(':', "'");
    format!("(D:{digits}{offset}')")
}

/// SHA-256 of what stands before the signature and behind it: megabytes, and never copied for that.
fn print(before: &[u8], behind: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(behind).finalize().into()
}

/// The PDF with its signature. It must be as krilla writes it: a plain table of objects, no object streams, no form yet.
pub fn sign(signer: &dyn Signer, pdf: &[u8], note: &Note) -> Result<Vec<u8>, Fault> {
    let (mut signed, contents) = prepare(pdf, note, signer.certificate().len() + ROOM)
        .map_err(|what| Fault::Form { form: FORM, what })?;
    let room = contents.1 - contents.0 - 2;
    let digest = print(&signed[..contents.0], &signed[contents.1..]);
    let cms = hex(&cms::sign_digest(signer, digest, None)?);
    if cms.len() > room {
        let what = format!("the signature has {} bytes, kept free are {}", cms.len() / 2, room / 2);
        return Err(Fault::Form { form: FORM, what });
    }
    signed[contents.0 + 1..contents.0 + 1 + cms.len()].copy_from_slice(cms.as_bytes());
    Ok(signed)
}

/// The PDF with an empty signature of `size` bytes, and where `<` … `>` of it stand.
fn prepare(pdf: &[u8], note: &Note, size: usize) -> Result<(Vec<u8>, (usize, usize)), String> {
    let document = Document::read(pdf)?;
    let [signature, field] = [document.size, document.size + 1];
    let catalog = document.root;
    let catalog_dict = document.dict(catalog)?;
    if entries(catalog_dict)?.iter().any(|(key, _)| *key == "AcroForm") {
        return Err("it already has a form or a signature".into());
    }
    let page = document.first_page()?;
    let page_dict = document.dict(page)?;

    let mut out = Vec::with_capacity(pdf.len() + 2 * size + GROWTH);
    out.extend_from_slice(pdf);
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    let mut places = vec![];
    let mut object = |out: &mut Vec<u8>, number: usize, body: &str| {
        places.push((number, out.len()));
        out.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    };
    let start = out.len();
    let mut body = format!(
        "<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M {} /Name {} /Reason {} {BYTE_RANGE}",
        date(note.at),
        text(&note.name),
        text(&note.reason)
    );
    let before = format!("{signature} 0 obj\n").len();
    let range_at = start + before + body.len();
    body += &" ".repeat(RANGE);
    body += "] ";
    body += CONTENTS;
    let contents_at = start + before + body.len() - 1;
    body += &"0".repeat(2 * size);
    body += ">>>";
    object(&mut out, signature, &body);
    let contents = (contents_at, contents_at + 2 * size + 2);
    object(
        &mut out,
        field,
        &format!(
            "<</Type /Annot /Subtype /Widget /FT /Sig /T {} /F 132 /Rect [0 0 0 0] /P {page} 0 R /V {signature} 0 R>>",
            text("Signature1")
        ),
    );
    let mut changed = [(catalog, with_form(catalog_dict, field)), (page, with_annotation(page_dict, field)?)];
    changed.sort_by_key(|(number, _)| *number);
    for (number, body) in &changed {
        object(&mut out, *number, body);
    }
    document.finish(&mut out, &mut places, document.size + 2);

    let range = format!("0 {} {} {}", contents.0, contents.1, out.len() - contents.1);
    if range.len() > RANGE {
        return Err("it is larger than 10 GB".into());
    }
    out[range_at..range_at + range.len()].copy_from_slice(range.as_bytes());
    Ok((out, contents))
}

/// A dictionary with one more entry at its end.
fn with(dict: &str, entry: &str) -> String {
    let inside = dict.trim_end().strip_suffix(">>").unwrap_or(dict);
    format!("{} {entry}>>", inside.trim_end())
}

fn with_form(catalog: &str, field: usize) -> String {
    // SigFlags 3: signatures exist, append only (ISO 32000-1 table 219).
    with(catalog, &format!("/AcroForm <</Fields [{field} 0 R] /SigFlags 3>>"))
}

fn with_annotation(page: &str, field: usize) -> Result<String, String> {
    let found = entries(page)?;
    let Some((_, range)) = found.iter().find(|(key, _)| *key == "Annots") else {
        return Ok(with(page, &format!("/Annots [{field} 0 R]")));
    };
    let list = &page[range.clone()];
    let inside = list
        .trim_end()
        .strip_suffix(']')
        .ok_or("the annotations of its first page stand in an object of their own")?;
    Ok(format!("{}{inside} {field} 0 R]{}", &page[..range.start], &page[range.end..]))
}

fn numbers(text: &str) -> Option<[usize; 4]> {
    let numbers: Vec<usize> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn last(bytes: &[u8], needle: &str) -> Option<usize> {
    bytes.windows(needle.len()).rposition(|w| w == needle.as_bytes())
}

/// Checks the signature in a PDF, with the certificate inside it; it must cover the whole file.
pub fn verify(pdf: &[u8]) -> Result<Signed, Doubt> {
    let bad = |what: &str| Doubt::Form { form: FORM, what: what.to_owned() };
    let at = last(pdf, BYTE_RANGE).ok_or_else(|| bad("no signature is in it"))? + BYTE_RANGE.len();
    let text = pdf.get(at..at + RANGE).and_then(|b| str::from_utf8(b).ok());
    let [zero, first, second, rest] =
        text.and_then(numbers).ok_or_else(|| bad("its ByteRange is no four numbers"))?;
    let whole = zero == 0 && second.checked_add(rest) == Some(pdf.len()) && first > at && second > first + 2;
    if !whole {
        return Err(bad("its ByteRange does not cover the whole file"));
    }
    let hex_text = &pdf[first..second];
    let [b'<', digits @ .., b'>'] = hex_text else {
        return Err(bad("what its ByteRange leaves out is not the signature"));
    };
    let cms = unhex(digits).ok_or_else(|| bad("the signature is not in lower-case hexadecimal"))?;
    let length = der_length(&cms).filter(|l| *l <= cms.len()).ok_or_else(|| bad("no CMS is in it"))?;
    if cms[length..].iter().any(|b| *b != 0) {
        return Err(bad("something stands behind the signature"));
    }
    let (signed, digest) = cms::open(&cms[..length])?;
    if signed.at.is_some() {
        return Err(bad("a time stands in the CMS; in a PDF it stands in the dictionary"));
    }
    if print(&pdf[..first], &pdf[second..]) != digest {
        return Err(Doubt::Content { form: FORM });
    }
    Ok(signed)
}

/// Whether a PDF has a signature in it at all.
pub fn is_signed(pdf: &[u8]) -> bool {
    last(pdf, BYTE_RANGE).is_some()
}

/// Bytes of the DER object at the beginning.
fn der_length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x30, short, ..] if short < 0x80 => Some(2 + usize::from(short)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(length)),
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::sample;
    use super::*;

    /// As our papers are made: PDF/A-3b, with an attachment.
    pub(crate) fn paper() -> Vec<u8> {
        use krilla::configure::{Archival, ConfigurationBuilder};
        let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B).finish();
        let settings = krilla::SerializeSettings {
            configuration: configuration.unwrap(),
            ..krilla::SerializeSettings::default()
        };
        let mut document = krilla::Document::new_with(settings);
        document.start_page().finish();
        document.start_page().finish();
        let date = krilla::metadata::DateTime::new(2026).month(11).day(20);
        document.set_metadata(
            krilla::metadata::Metadata::new().title("检定证书 (a \\ b)".into()).creation_date(date),
        );
        document.finish().unwrap()
    }

    pub(crate) fn note() -> Note {
        Note {
            name: "Phantomload PL-1".into(),
            reason: "检定证书 PL-2026-000001".into(),
            at: "2026-11-20T10:02:00.123+08:00".parse().unwrap(),
        }
    }

    #[test]
    fn a_paper_is_held_by_its_signature_and_every_flipped_byte_is_found() {
        let key = sample::device();
        let paper = paper();
        let signed = sign(&key, &paper, &note()).unwrap();
        assert!(signed.starts_with(&paper));
        assert_eq!(verify(&signed).unwrap().certificate, key.certificate());
        assert_eq!(sign(&key, &paper, &note()).unwrap(), signed, "the same paper, the same bytes");
        // The paper itself is one digest; of what was put behind it every byte is tried.
        for at in (0..paper.len()).step_by(37).chain(paper.len()..signed.len()) {
            let mut changed = signed.clone();
            changed[at] ^= 0x11;
            assert!(verify(&changed).is_err(), "byte {at}");
        }
        assert!(verify(&[signed.as_slice(), b"\n"].concat()).is_err());
        assert!(verify(&paper).is_err());
    }

    #[test]
    fn a_paper_is_signed_once() {
        let signed = sign(&sample::device(), &paper(), &note()).unwrap();
        let fault = sign(&sample::device(), &signed, &note()).unwrap_err();
        assert!(fault.to_string().contains("already has a form or a signature"), "{fault}");
        assert!(sign(&sample::device(), b"no PDF", &note()).is_err());
    }

    #[test]
    fn an_annotation_that_is_already_there_stays() {
        assert_eq!(with_annotation("<</A 1>>", 7).unwrap(), "<</A 1 /Annots [7 0 R]>>");
        let page = with_annotation("<</Annots [3 0 R] /A (Annots >> ])>>", 7).unwrap();
        assert_eq!(page, "<</Annots [3 0 R 7 0 R] /A (Annots >> ])>>");
        assert!(with_annotation("<</Annots 3 0 R>>", 7).is_err());
        assert_eq!(date(note().at), "(D:20261120100200+08'00')");
    }
}
