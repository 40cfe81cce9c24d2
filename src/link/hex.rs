//! Bytes as people read them: `68 AA 16`.

/// Upper-case pairs with a blank between: `68 AA 16`; nothing for no bytes.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

/// The bytes of such a text (either case, any white space between pairs); `None` where it is none.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    text.split_whitespace()
        .map(|pair| {
            let hex = pair.len() == 2 && pair.bytes().all(|c| c.is_ascii_hexdigit());
            hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_their_text() {
        assert_eq!(text(&[0x68, 0xAA, 0x06]), "68 AA 06");
        assert_eq!(bytes("68 aa 06"), Some(vec![0x68, 0xAA, 0x06]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!(bytes("68A"), None);
        assert_eq!(bytes("+1"), None);
    }
}
