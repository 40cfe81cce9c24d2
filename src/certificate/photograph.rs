//! Photographs that stand beside a record: what is one, by its content, and how large it may be.

/// No photograph is larger, in bytes.
pub const SIZE_MAX: u64 = 8 << 20;

/// How a picture begins, and the ending of its name.
const FORMS: [(&[u8], &str); 2] = [(b"\xFF\xD8\xFF", "jpg"), (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "png")];

/// The ending of its name where the bytes are a picture (JPEG or PNG), whatever the file was called.
pub fn ending(bytes: &[u8]) -> Option<&'static str> {
    FORMS.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, ending)| *ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes_and_nothing_else_is_one() {
        assert_eq!(ending(b"\xFF\xD8\xFF\xE0\0\x10JFIF"), Some("jpg"));
        assert_eq!(ending(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0"), Some("png"));
        for bytes in [&b""[..], b"\xFF\xD8", b"%PDF-1.7", b"<svg/>", b"#!/bin/sh"] {
            assert_eq!(ending(bytes), None);
        }
    }
}
