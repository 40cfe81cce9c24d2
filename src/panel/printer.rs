//! A picture in the language of label printers: TSPL, which the small printers of the trade speak.
//!
//! The commands are SIZE, CLS, BITMAP and PRINT of TSC's programming manual for TSPL/TSPL2. Width and height of BITMAP
//! are bytes and dots, mode 0 overwrites, and *a cleared bit burns a dot* (`LPrint`'s driver `lprint-tspl.c` sends white as
//! set bits, too). GAP is left out: the printer keeps the gap it was calibrated to.

use super::bitmap::Bitmap;
use super::label::Size;

/// The bytes for the printer's raw port: one label.
pub fn tspl(bitmap: &Bitmap, size: Size) -> Vec<u8> {
    let head = format!(
        "\r\nSIZE {} mm,{} mm\r\nDIRECTION 0,0\r\nCLS\r\nBITMAP 0,0,{},{},0,",
        size.width_mm,
        size.height_mm,
        bitmap.stride(),
        bitmap.height(),
    );
    let mut bytes = head.into_bytes();
    bytes.extend(bitmap.rows().iter().map(|byte| !byte));
    bytes.extend(b"\r\nPRINT 1,1\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_a_cleared_bit_and_the_row_is_filled_with_paper() {
        let mut bitmap = Bitmap::new(12, 2, 203);
        bitmap.set(0, 0, true);
        bitmap.set(11, 1, true);
        let bytes = tspl(&bitmap, Size { width_mm: 40, height_mm: 30 });
        let head = b"\r\nSIZE 40 mm,30 mm\r\nDIRECTION 0,0\r\nCLS\r\nBITMAP 0,0,2,2,0,";
        assert!(bytes.starts_with(head));
        let tail = &bytes[head.len()..];
        assert_eq!(tail, [&[0x7F, 0xFF, 0xFF, 0xEF][..], b"\r\nPRINT 1,1\r\n"].concat());
    }
}
