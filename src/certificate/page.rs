//! The page on which anybody checks a paper in a browser: one file without network, `assets/check.html`, with the
//! certificates that it is to believe written into it.

/// The page without anybody to believe.
const PAGE: &str = include_str!("../../assets/check.html");
/// Where the certificates go.
const PLACE: &str = r#"<script type="application/json" id="trust">[]</script>"#;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a certificate.
    #[error("{origin}: there is no certificate in it; a PEM file with BEGIN CERTIFICATE is wanted")]
    NoCertificate {
        /// The file.
        origin: String,
    },
    /// A secret has no place on a page.
    #[error(
        "{origin}: this file holds a private key, which never leaves the device. Give the certificate alone"
    )]
    PrivateKey {
        /// The file.
        origin: String,
    },
}

/// The page with the certificates of authorities and devices, each PEM with the name of its file. A QR code only names
/// its key, so that the devices' own certificates belong in it, too.
pub fn page(certificates: &[(String, String)]) -> Result<Vec<u8>, Fault> {
    for (origin, pem) in certificates {
        if pem.contains("PRIVATE KEY-----") {
            return Err(Fault::PrivateKey { origin: origin.clone() });
        }
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(Fault::NoCertificate { origin: origin.clone() });
        }
    }
    let pems: Vec<&str> = certificates.iter().map(|(_, pem)| pem.as_str()).collect();
    // No `<` inside, so that nothing in a file can end the script.
    let json = serde_json::Value::from(pems).to_string().replace('<', "\\u003c");
    Ok(PAGE.replacen(PLACE, &PLACE.replace("[]", &json), 1).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(comment: &str) -> (String, String) {
        let pem = format!("{comment}\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
        ("ca.pem".into(), pem)
    }

    #[test]
    fn the_certificates_stand_in_the_page_and_cannot_break_out_of_their_place() {
        assert_eq!(PAGE.matches(PLACE).count(), 1);
        let page = String::from_utf8(page(&[pem("A"), pem("</script><script>alert(1)")]).unwrap()).unwrap();
        assert_eq!(page.matches("</script>").count(), PAGE.matches("</script>").count());
        let json = page.split_once(r#"id="trust">"#).unwrap().1.split_once("</script>").unwrap().0;
        let read: Vec<String> = serde_json::from_str(json).unwrap();
        assert_eq!(read, [pem("A").1, pem("</script><script>alert(1)").1]);
    }

    #[test]
    fn nothing_but_certificates_gets_in() {
        let key = ("device.key".to_owned(), "-----BEGIN PRIVATE KEY-----\nMAA=\n".to_owned());
        assert!(matches!(page(&[pem(""), key]), Err(Fault::PrivateKey { origin }) if origin == "device.key"));
        let none = ("notes.txt".to_owned(), "hello".to_owned());
        assert!(page(&[none]).unwrap_err().to_string().contains("notes.txt"));
    }

    #[test]
    fn the_page_names_no_other_address_and_allows_none() {
        assert!(PAGE.contains("default-src 'none'"));
        for foreign in
            ["http://", "src=\"", "href=", "@import", "fetch(", "XMLHttpRequest", "WebSocket", "eval("]
        {
            assert!(!PAGE.contains(foreign), "{foreign}");
        }
        let style = PAGE.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(!style.contains("url("));
    }
}
