//! Letters as dots: the outlines of the font of the papers, rasterised and cut at a threshold.

use super::bitmap::Bitmap;
use crate::certificate::paper::font::{BOLD, REGULAR};
use ab_glyph::{Font, FontRef, Glyph, PxScale, point};

/// What stands for a letter that the font does not have (the geta mark of printers).
pub const MISSING: char = '〓';

/// How strong the strokes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For names of fields.
    Regular,
    /// For what is read.
    Bold,
}

/// A font at a weight.
pub struct Typeface {
    font: FontRef<'static>,
    /// The share of a dot that an outline must cover for the dot to be ink.
    coverage_min: f32,
}

impl Typeface {
    /// The font of a weight.
    pub fn new(weight: Weight) -> Self {
        // Less than a half: a stroke of a regular letter on a label is about one dot, and where it falls between two dots
        // neither would be burnt.
        let (file, coverage_min) = match weight {
            Weight::Regular => (REGULAR, 0.36),
            Weight::Bold => (BOLD, 0.44),
        };
        Self { font: FontRef::try_from_slice(file).expect("the font in the program is a font"), coverage_min }
    }

    /// Letters of a text that the font does not have, each once.
    pub fn missing(&self, text: &str) -> Vec<char> {
        let mut missing: Vec<char> =
            text.chars().filter(|c| !c.is_control() && self.font.glyph_id(*c).0 == 0).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// The width of a text in dots at `em` dots a square.
    pub fn width(&self, text: &str, em: u32) -> u32 {
        self.glyphs(text, em).1
    }

    /// Draws a text with its baseline at `y`; ink, or paper on ink.
    pub fn draw(&self, bitmap: &mut Bitmap, text: &str, em: u32, x: i32, y: i32, ink: bool) {
        for glyph in self.glyphs(text, em).0 {
            let Some(outlined) = self.font.outline_glyph(glyph) else { continue };
            let bounds = outlined.px_bounds();
            let (left, top) = (bounds.min.x as i32 + x, bounds.min.y as i32 + y);
            outlined.draw(|column, row, coverage| {
                if coverage >= self.coverage_min {
                    bitmap.set(left + column.cast_signed(), top + row.cast_signed(), ink);
                }
            });
        }
    }

    /// The letters at their places on a baseline at 0, and the width of them all. Each begins at a whole dot, so that the
    /// same letter always looks the same.
    fn glyphs(&self, text: &str, em: u32) -> (Vec<Glyph>, u32) {
        let units = self.font.units_per_em().expect("a scalable font");
        // The crate's scale is the height of a line, ours the square of a Chinese letter.
        let scale = PxScale::from(em as f32 * self.font.height_unscaled() / units);
        let mut at = 0.0_f32;
        let mut glyphs = vec![];
        for letter in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
            let id = match self.font.glyph_id(letter) {
                id if id.0 == 0 => self.font.glyph_id(MISSING),
                id => id,
            };
            glyphs.push(id.with_scale_and_position(scale, point(at.round(), 0.0)));
            at += self.font.h_advance_unscaled(id) / units * em as f32;
        }
        (glyphs, at.ceil() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(text: &str, em: u32) -> usize {
        let mut bitmap = Bitmap::new(400, 60, 203);
        Typeface::new(Weight::Regular).draw(&mut bitmap, text, em, 2, 44, true);
        bitmap.rows().iter().map(|byte| byte.count_ones() as usize).sum()
    }

    #[test]
    fn chinese_and_latin_letters_are_drawn_within_their_width() {
        for weight in [Weight::Regular, Weight::Bold] {
            let face = Typeface::new(weight);
            for text in ["检定合格", "PL-2026-000001", "有效期至 2029-11-20"] {
                let mut bitmap = Bitmap::new(400, 60, 203);
                face.draw(&mut bitmap, text, 20, 10, 40, true);
                let width = face.width(text, 20);
                let columns: Vec<u32> = (0..400).filter(|x| (0..60).any(|y| bitmap.is_ink(*x, y))).collect();
                assert!(columns[0] >= 9 && columns[columns.len() - 1] <= 11 + width, "{text} {columns:?}");
                assert!(columns[columns.len() - 1] + 4 >= width, "{text}");
            }
            assert_eq!(face.width("检定", 20), 40);
        }
    }

    #[test]
    fn no_thin_stroke_is_lost_at_the_sizes_of_a_label() {
        // 一 is one stroke over four fifths of the square, 十 has two of them; each is at least a dot thick.
        for em in 14..30 {
            assert!(ink("一", em) >= em as usize * 3 / 4, "{em}");
            assert!(ink("十", em) >= em as usize * 3 / 2, "{em}");
        }
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_told_and_marked() {
        let face = Typeface::new(Weight::Bold);
        assert_eq!(face.missing("A⚡检🔌⚡"), ['⚡', '🔌']);
        assert!(face.missing("检定 PL-1\n").is_empty());
        assert_eq!(ink("⚡", 20), ink("〓", 20));
        assert!(ink("〓", 20) > 40);
    }
}
