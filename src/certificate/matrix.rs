//! The modules of a QR code (ISO/IEC 18004), dark or light. Paper, label and screen draw them each in their own way.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules that must surround a code on every side (ISO/IEC 18004 §6.3.8).
pub const QUIET_ZONE: usize = 4;

/// How much of a code may be spoiled before it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// About 15 %: what a paper has where it can.
    Medium,
    /// About 7 %: where the code would be too large otherwise.
    Low,
}

/// A text that no code holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a text of {characters} characters does not fit a QR code of at most {allowed}×{allowed} modules{}. Shorten the \
     text, or give the code more room",
    needed.map_or(String::new(), |n| format!(" (it takes {n}×{n} at the least correction)"))
)]
pub struct Fault {
    /// Length of the text.
    pub characters: usize,
    /// The largest size allowed, in modules without the quiet zone.
    pub allowed: usize,
    /// The size it takes at the least correction; none where no code holds it.
    pub needed: Option<usize>,
}

/// A square of modules, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// Modules a side.
    pub size: usize,
    /// Row by row from the top left.
    pub dark: Vec<bool>,
    /// Which correction it has.
    pub correction: Correction,
}

impl Matrix {
    /// Whether a module is dark; outside of the square all is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    /// The dark modules as horizontal bars: x, y, length. A drawing of bars has no hairlines between modules.
    pub fn bars(&self) -> Vec<(usize, usize, usize)> {
        let mut bars: Vec<(usize, usize, usize)> = vec![];
        for y in 0..self.size {
            for x in (0..self.size).filter(|x| self.is_dark(*x, y)) {
                match bars.last_mut() {
                    Some((from, row, length)) if *row == y && *from + *length == x => *length += 1,
                    _ => bars.push((x, y, 1)),
                }
            }
        }
        bars
    }
}

/// The smallest code that holds a text with medium correction; with low where a code of the largest size (177 × 177)
/// needs it.
pub fn matrix(text: &str) -> Result<Matrix, Fault> {
    within(text, 177)
}

/// The smallest code of at most `allowed` × `allowed` modules that holds a text: with medium correction where it fits,
/// else with low.
pub fn within(text: &str, allowed: usize) -> Result<Matrix, Fault> {
    let mut needed = None;
    for (level, correction) in [(EcLevel::M, Correction::Medium), (EcLevel::L, Correction::Low)] {
        // The crate refuses for one reason only: the text is too long.
        let Ok(code) = QrCode::with_error_correction_level(text, level) else { continue };
        let size = code.width();
        if size <= allowed {
            let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
            return Ok(Matrix { size, dark, correction });
        }
        needed = Some(size);
    }
    Err(Fault { characters: text.chars().count(), allowed, needed })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a foreign reader sees in a matrix drawn with 4 dots a module.
    fn read(matrix: &Matrix) -> String {
        let side = (matrix.size + 2 * QUIET_ZONE) * 4;
        let module = |dot: usize| (dot / 4).wrapping_sub(QUIET_ZONE);
        let grey = |x: usize, y: usize| if matrix.is_dark(module(x), module(y)) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        grids[0].decode().expect("it is read").1
    }

    #[test]
    fn a_foreign_reader_reads_the_text_back() {
        let texts =
            ["EVV1:ABC".to_owned(), format!("EVV1:{}", "6BF9A:$%*+-./ Z".repeat(21)), "中文 & ümlaut".into()];
        for text in texts {
            let matrix = matrix(&text).unwrap();
            assert_eq!(matrix.correction, Correction::Medium);
            assert_eq!(read(&matrix), text);
        }
    }

    #[test]
    fn a_text_of_base45_takes_the_alphanumeric_form() {
        // certificates.md §4.3: 325 characters, 61 × 61 modules at medium correction.
        let text = format!("EVV1:{}", "6BF9A:$%*+".repeat(32));
        assert_eq!((text.len(), matrix(&text).unwrap().size), (325, 61));
        assert!(matrix(&text.to_lowercase()).unwrap().size > 61);
    }

    #[test]
    fn a_smaller_room_costs_correction_and_then_the_code() {
        let text = format!("EVV1:{}", "6BF9A:$%*+".repeat(32));
        let low = within(&text, 57).unwrap();
        assert_eq!((low.size, low.correction), (53, Correction::Low));
        assert_eq!(read(&low), text);
        let fault = within(&text, 49).unwrap_err();
        assert_eq!(fault, Fault { characters: 325, allowed: 49, needed: Some(53) });
        assert!(fault.to_string().contains("it takes 53×53"), "{fault}");
        assert_eq!(matrix(&"A".repeat(5000)).unwrap_err().needed, None);
    }

    #[test]
    fn bars_are_the_dark_modules_and_none_other() {
        let matrix = matrix("EVV1:BARS").unwrap();
        let mut seen = vec![false; matrix.dark.len()];
        for (x, y, length) in matrix.bars() {
            for n in 0..length {
                assert!(!std::mem::replace(&mut seen[y * matrix.size + x + n], true));
            }
            assert!(!matrix.is_dark(x + length, y), "a bar ends where a light module stands");
        }
        assert_eq!(seen, matrix.dark);
    }
}
