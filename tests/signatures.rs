//! Judges that this project did not write: OpenSSL, xmlsec1, pdfsig, qpdf, jose, and in Python cwt, zxing-cpp and joserfc.
//!
//! Needs these programs (Debian: openssl xmlsec1 poppler-utils qpdf jose) and a Python with the packages, named by
//! `PHANTOMLOAD_JUDGES_PYTHON`, as `.ci/run` makes them. Where one is absent, the test says loudly that it was skipped.

#[allow(dead_code)]
#[path = "support/signed.rs"]
mod signed;
#[path = "support/skip.rs"]
mod skip;

use phantomload::certificate::sign::authority::{self, Subject};
use phantomload::certificate::sign::qr;
use signed::device;
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder with a signed package, the authority's and the device's certificate.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in signed::package(Some(&device(2))).0 {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    std::fs::write(dir.path().join("ca.pem"), signed::ca_pem()).unwrap();
    std::fs::write(dir.path().join("device.pem"), &signed::device_pem(2, signed::PERIOD)[1]).unwrap();
    dir
}

/// Runs a judge in a folder; `None` where it is not installed.
fn judge(dir: &Path, command: &str) -> Option<(bool, String)> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap();
    let out = Command::new(program).args(words).current_dir(dir).stdin(Stdio::null()).output();
    let Ok(out) = out else {
        skip::skipped(&format!("{program} is not installed (.ci/run installs it)"));
        return None;
    };
    let text = [out.stdout, out.stderr].concat();
    Some((out.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Changes one byte in a file of the folder.
fn spoil(dir: &Path, name: &str, find: &str) {
    let path = dir.join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(find.len()).position(|w| w == find.as_bytes()).expect("the place to change");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

const CMS: &str = "openssl cms -verify -binary -inform DER -in manifest.json.p7s -content manifest.json -CAfile ca.pem -purpose any -out out";

#[test]
fn openssl_takes_the_cms_and_the_certificates() {
    let dir = folder();
    let Some((good, text)) = judge(dir.path(), CMS) else { return };
    assert!(good && text.contains("Verification successful"), "{text}");
    let (_, text) = judge(dir.path(), "openssl x509 -in device.pem -noout -text").unwrap();
    for part in [
        "CA:FALSE",
        "Digital Signature, Non Repudiation",
        "Subject Key Identifier",
        "Authority Key Identifier",
        "CN = Phantomload PL-1",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let (good, text) = judge(dir.path(), "openssl verify -x509_strict -CAfile ca.pem device.pem").unwrap();
    assert!(good, "{text}");
    let (_, text) =
        judge(dir.path(), "openssl cms -cmsout -print -inform DER -in manifest.json.p7s").unwrap();
    for part in ["signingTime", "id-smime-aa-signingCertificateV2", "sha256"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    spoil(dir.path(), "manifest.json", "pass");
    assert!(!judge(dir.path(), CMS).unwrap().0, "OpenSSL takes a changed manifest");
}

#[test]
fn openssl_takes_the_request() {
    let dir = folder();
    let key = authority::new_key([7; 32]).unwrap();
    let subject = Subject { common_name: "虚负荷 7".into(), ..Subject::default() };
    let csr = authority::request(&key, &subject).unwrap();
    std::fs::write(dir.path().join("csr.pem"), csr).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    let Some((good, text)) = judge(dir.path(), "openssl req -in csr.pem -noout -verify") else { return };
    assert!(good && text.contains("verify OK"), "{text}");
    let (good, text) = judge(dir.path(), "openssl pkey -in key.pem -noout -check").unwrap();
    assert!(good, "{text}");
}

#[test]
fn xmlsec_takes_the_dcc() {
    let dir = folder();
    let command = "xmlsec1 --verify --trusted-pem ca.pem certificate.dcc.xml";
    let Some((good, text)) = judge(dir.path(), command) else { return };
    assert!(good, "{text}");
    spoil(dir.path(), "certificate.dcc.xml", "pass");
    assert!(!judge(dir.path(), command).unwrap().0, "xmlsec1 takes a changed document");
}

#[test]
fn pdfsig_takes_the_paper_and_it_is_still_a_sound_pdf() {
    let dir = folder();
    let Some((_, text)) = judge(dir.path(), "pdfsig -nocert certificate.pdf") else { return };
    for part in ["Signature is Valid", "Total document signed", "ETSI.CAdES.detached", "Phantomload PL-1"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    if let Some((good, text)) = judge(dir.path(), "qpdf --check certificate.pdf") {
        assert!(good && !text.contains("WARNING"), "{text}");
        let (_, text) = judge(dir.path(), "qpdf --qdf --object-streams=disable certificate.pdf -").unwrap();
        for part in ["/AF ", "/OutputIntents", "/Metadata", "/AcroForm", "/Annots"] {
            assert!(text.contains(part), "{part} is not in the catalogue");
        }
    }
    let (good, text) = judge(dir.path(), "pdfdetach -list certificate.pdf").unwrap();
    assert!(good && text.contains("1 embedded files"), "{text}");
    spoil(dir.path(), "certificate.pdf", "/MediaBox");
    let (_, text) = judge(dir.path(), "pdfsig -nocert certificate.pdf").unwrap();
    assert!(!text.contains("Signature is Valid"), "{text}");
}

/// A public key in JWK form, from OpenSSL's words.
fn jwk(dir: &Path) -> Option<()> {
    use base64::Engine;
    let (good, text) = judge(dir, "openssl x509 -in device.pem -noout -pubkey")?;
    assert!(good, "{text}");
    let body: String = text.lines().filter(|l| !l.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    let point = &der[der.len() - 64..];
    let code = |bytes| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let jwk = format!(
        r#"{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{}","y":"{}"}}"#,
        code(&point[..32]),
        code(&point[32..])
    );
    std::fs::write(dir.join("pub.jwk"), jwk).unwrap();
    Some(())
}

#[test]
fn jose_takes_the_jws() {
    let dir = folder();
    if jwk(dir.path()).is_none() {
        return;
    }
    let command = "jose jws ver -i manifest.jws -k pub.jwk -O out.json";
    let Some((good, text)) = judge(dir.path(), command) else { return };
    assert!(good, "{text}");
    let [out, manifest] = ["out.json", "manifest.json"].map(|f| std::fs::read(dir.path().join(f)).unwrap());
    assert_eq!(out, manifest);
    spoil(dir.path(), "manifest.jws", ".ey");
    assert!(!judge(dir.path(), command).unwrap().0, "jose takes a changed line");
}

const PYTHON: &str = r#"
import sys, json, datetime
import base64, cbor2, cwt, zxingcpp
from PIL import Image
from joserfc import jws
from joserfc.jwk import ECKey

found = zxingcpp.read_barcodes(Image.open("qr.png"))
assert len(found) == 1, found
text = found[0].text
assert text == open("qr.txt").read(), text

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
def base45(text):
    out = bytearray()
    for at in range(0, len(text), 3):
        part = [ALPHABET.index(c) for c in text[at:at + 3]]
        value = sum(d * 45 ** i for i, d in enumerate(part))
        out += value.to_bytes(2 if len(part) == 3 else 1, "big")
    return bytes(out)

data = base45(text.removeprefix("EVV1:"))
tag = cbor2.loads(data)
kid = cbor2.loads(tag.value[0])[4]
key = cwt.COSEKey.from_pem(open("device.pem").read(), kid=kid)
cose = cwt.COSE.new()
claims = cbor2.loads(cose.decode(data, key))
assert claims[1] == "PL-2026-000001" and claims[6] == "pass" and claims[10] == 2, claims
assert len(claims[7]) == 32 and len(claims[11]) == 32 and claims[12] is False, claims
broken = bytearray(data)
broken[60] ^= 1
try:
    cose.decode(bytes(broken), key)
except Exception:
    pass
else:
    raise SystemExit("cwt takes a changed QR code")

line = open("manifest.jws").read()
key = ECKey.import_key(json.load(open("pub.jwk")))
taken = jws.deserialize_compact(line, key)
assert taken.payload == open("manifest.json", "rb").read()
print("taken")
"#;

#[test]
fn a_foreign_reader_and_a_foreign_cose_library_take_the_qr_code() {
    let python = std::env::var("PHANTOMLOAD_JUDGES_PYTHON").unwrap_or("python3".into());
    let has = Command::new(&python)
        .args(["-c", "import cwt, zxingcpp, joserfc, cbor2, PIL"])
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        skip::skipped("no Python with cwt, zxing-cpp, joserfc; set PHANTOMLOAD_JUDGES_PYTHON (.ci/run does)");
        return;
    }
    let dir = folder();
    if jwk(dir.path()).is_none() {
        return;
    }
    let text = qr::text(&signed::claims(), &device(2)).unwrap();
    std::fs::write(dir.path().join("qr.txt"), &text).unwrap();
    std::fs::write(dir.path().join("qr.png"), picture(&text)).unwrap();
    let out = Command::new(&python).args(["-c", PYTHON]).current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.success() && said.contains("taken"), "{said}");
}

/// The QR code as a picture, 4 dots a module with its quiet zone.
fn picture(text: &str) -> Vec<u8> {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
    let (width, colors) = (code.width(), code.to_colors());
    let side = (width + 8) * 4;
    let mut dots = vec![255u8; side * side];
    for (at, dot) in dots.iter_mut().enumerate() {
        let (x, y) = (at % side / 4, at / side / 4);
        let inside = (4..4 + width).contains(&x) && (4..4 + width).contains(&y);
        if inside && colors[(y - 4) * width + x - 4] == qrcode::Color::Dark {
            *dot = 0;
        }
    }
    let mut bytes = vec![];
    let mut encoder = png::Encoder::new(&mut bytes, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&dots).unwrap();
    writer.finish().unwrap();
    bytes
}
