//! The two faces of the papers: which glyph a character has, how wide it is, and what stands for one they lack.

use crate::certificate::paper::font;
use krilla::text::{Font, GlyphId};
use std::sync::LazyLock;

/// Stands for a character that the faces lack: the geta of Chinese and Japanese printers.
pub(super) const LACKING: char = '〓';

static REGULAR: LazyLock<Face> = LazyLock::new(|| Face::new(font::REGULAR));
static BOLD: LazyLock<Face> = LazyLock::new(|| Face::new(font::BOLD));

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Running text.
    Regular,
    /// Headings and verdicts.
    Bold,
}

impl Weight {
    /// Read once in the life of the program.
    pub(super) fn face(self) -> &'static Face {
        match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        }
    }
}

/// A face that was read.
pub(super) struct Face {
    /// As krilla embeds it.
    pub(super) font: Font,
    parsed: ttf_parser::Face<'static>,
    units_per_em: f32,
}

impl Face {
    fn new(bytes: &'static [u8]) -> Self {
        let parsed = ttf_parser::Face::parse(bytes, 0).expect("the papers' font is an OpenType font");
        let font = Font::new(bytes.into(), 0).expect("krilla reads the papers' font");
        let units_per_em = f32::from(parsed.units_per_em());
        Self { font, parsed, units_per_em }
    }

    /// The glyph and its width in parts of the size.
    pub(super) fn glyph(&self, c: char) -> Option<(GlyphId, f32)> {
        let glyph = self.parsed.glyph_index(c)?;
        let advance = self.parsed.glyph_hor_advance(glyph)?;
        Some((GlyphId::new(glyph.0.into()), f32::from(advance) / self.units_per_em))
    }
}

/// A text of which every character has a glyph, and whether one had to be replaced. White space of any kind becomes a
/// space; what is invisible by nature (joiners, selectors of variants, marks of direction) is left out.
pub(super) fn printable(text: &str) -> (String, bool) {
    let face = Weight::Regular.face();
    let mut replaced = false;
    let printable = text.chars().filter(|c| !is_invisible(*c)).map(|c| {
        if c.is_whitespace() {
            ' '
        } else if face.glyph(c).is_some() {
            c
        } else {
            replaced = true;
            LACKING
        }
    });
    (printable.collect(), replaced)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_have_the_words_and_marks_of_the_papers() {
        let text = "检定结果通知书 vérifié ±≤≥∞μΩ°−–—‘’“”…×·〓，。：（）% 0123456789 ①";
        for weight in [Weight::Regular, Weight::Bold] {
            let lacking: Vec<char> = text.chars().filter(|c| weight.face().glyph(*c).is_none()).collect();
            assert!(lacking.is_empty(), "{weight:?} lacks {lacking:?}");
        }
    }

    #[test]
    fn digits_are_of_one_width_so_that_columns_stand() {
        for weight in [Weight::Regular, Weight::Bold] {
            let widths: Vec<f32> = ('0'..='9').map(|c| weight.face().glyph(c).unwrap().1).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
        }
    }

    #[test]
    fn what_the_faces_lack_is_shown_as_lacking() {
        assert_eq!(printable("桩 A\t1\n"), ("桩 A 1 ".into(), false));
        assert_eq!(printable("a👍🏽b\u{200d}c\u{1}"), ("a〓〓bc〓".into(), true));
    }
}
