//! Letters that were drawn as dots, for a picture so small that outlines would blur: Chinese of 16 by 16, Latin of the
//! X11 fonts that embedded-graphics brings.

use super::bitmap::Bitmap;
use embedded_graphics::mono_font::iso_8859_1::{FONT_5X8, FONT_6X12, FONT_8X13_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::text::Text;

/// All of GB 2312, rows 1 to 87 of 94 cells (`assets/fonts/README.md`).
static CHINESE: &[u8] = include_bytes!("../../assets/fonts/isas-fangsong-16.bin");
/// Dots of a Chinese letter, across and down.
pub const SQUARE: u32 = 16;
/// Dots above the baseline in that square.
const ASCENT: i32 = 14;
/// Bytes of a Chinese letter: two a row.
const CELL: usize = 32;
/// Cells in a row of the code.
const CELLS: usize = 94;

/// What stands for a letter that there is not (the geta mark of printers).
const MISSING: char = '〓';

/// How large the Latin letters are; the Chinese ones have one size, and may be doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Five dots wide: an address.
    Tiny,
    /// Six dots wide: reading.
    Small,
    /// Eight dots wide and bold: beside Chinese letters.
    Beside,
    /// Ten dots wide: a figure.
    Large,
}

impl Size {
    fn font(self) -> &'static MonoFont<'static> {
        match self {
            Self::Tiny => &FONT_5X8,
            Self::Small => &FONT_6X12,
            Self::Beside => &FONT_8X13_BOLD,
            Self::Large => &FONT_10X20,
        }
    }

    /// Dots of a line of Latin letters.
    pub fn height(self) -> u32 {
        self.font().character_size.height
    }
}

/// Whether a letter is one of the Latin fonts'.
fn is_latin(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{A0}'..='\u{FF}')
}

/// The dots of a Chinese letter; none where GB 2312 has no such letter.
fn chinese(letter: char) -> Option<&'static [u8]> {
    let mut bytes = [0; 4];
    let (coded, _, is_lost) = encoding_rs::GBK.encode(letter.encode_utf8(&mut bytes));
    let [row, cell] = coded[..] else { return None };
    // Below A1 are letters that GBK has beyond GB 2312.
    let place = |byte: u8| usize::from(byte).checked_sub(0xA1);
    let at = (place(row)? * CELLS + place(cell)?) * CELL;
    let dots = CHINESE.get(at..at + CELL).filter(|_| !is_lost)?;
    (letter == '\u{3000}' || dots.iter().any(|byte| *byte != 0)).then_some(dots)
}

/// Letters of a text that would be drawn as 〓.
pub fn missing(text: &str) -> Vec<char> {
    text.chars().filter(|c| !is_latin(*c) && !c.is_control() && chinese(*c).is_none()).collect()
}

/// The width of a letter.
fn step(letter: char, size: Size) -> u32 {
    if is_latin(letter) { size.font().character_size.width } else { SQUARE }
}

/// The width of a text.
pub fn width(text: &str, size: Size) -> u32 {
    text.chars().filter(|c| !c.is_control()).map(|c| step(c, size)).sum()
}

/// The height of a line of a text: of Chinese letters where it has any.
pub fn height(text: &str, size: Size) -> u32 {
    if text.chars().all(is_latin) { size.height() } else { size.height().max(SQUARE) }
}

/// Draws a text with the upper edge of its line at `y`; ink, or paper on ink. Gives the place behind it.
pub fn draw(bitmap: &mut Bitmap, text: &str, size: Size, x: i32, y: i32, ink: bool) -> i32 {
    let font = size.font();
    let (latin, style) = (
        font.baseline.cast_signed() + 1,
        MonoTextStyle::new(font, if ink { BinaryColor::On } else { BinaryColor::Off }),
    );
    let line = height(text, size);
    // Latin and Chinese letters of one line stand on one baseline.
    let baseline = if line > size.height() { y + ASCENT } else { y + latin };
    let mut at = x;
    for letter in text.chars().filter(|c| !c.is_control()) {
        if is_latin(letter) {
            let mut bytes = [0; 4];
            let text = Text::new(letter.encode_utf8(&mut bytes), Point::new(at, baseline - 1), style);
            // The picture takes every dot.
            let Ok(_) = text.draw(bitmap);
        } else if let Some(dots) = chinese(letter).or_else(|| chinese(MISSING)) {
            let top = baseline - ASCENT;
            for (row, two) in (top..).zip(dots.chunks_exact(2)) {
                let bits = u16::from_be_bytes([two[0], two[1]]);
                for column in (0..16).filter(|column| bits & (0x8000 >> column) != 0) {
                    bitmap.set(at + column, row, ink);
                }
            }
        }
        at += step(letter, size).cast_signed();
    }
    at
}

/// Draws a text at twice its size: each dot is four.
pub fn draw_double(bitmap: &mut Bitmap, text: &str, size: Size, x: i32, y: i32, ink: bool) -> i32 {
    let (wide, high) = (width(text, size), height(text, size));
    let mut small = Bitmap::new(wide, high, bitmap.dpi());
    draw(&mut small, text, size, 0, 0, true);
    for row in 0..high {
        for column in (0..wide).filter(|column| small.is_ink(*column, row)) {
            for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                bitmap.set(x + column.cast_signed() * 2 + right, y + row.cast_signed() * 2 + down, ink);
            }
        }
    }
    x + wide.cast_signed() * 2
}

/// Breaks a text into at most `lines` lines of this width: Latin between words, Chinese anywhere. What does not fit ends
/// with two dots.
pub fn wrap(text: &str, size: Size, across: u32, lines: usize) -> Vec<String> {
    let mut pieces: Vec<String> = vec![];
    let mut glued = false;
    for letter in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        let breaks = !is_latin(letter) || letter == ' ';
        match pieces.last_mut() {
            Some(last) if glued && !breaks => last.push(letter),
            _ => pieces.push(letter.into()),
        }
        glued = !breaks;
    }
    let mut broken = vec![String::new()];
    for piece in pieces {
        let last = broken.last_mut().expect("there is a line");
        if width(last, size) + width(&piece, size) <= across {
            last.push_str(if last.is_empty() && piece == " " { "" } else { &piece });
            continue;
        }
        // A word longer than a line is cut.
        let mut line = String::new();
        for letter in piece.trim_start().chars() {
            if width(&line, size) + step(letter, size) > across {
                broken.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
        broken.push(line);
    }
    broken.retain(|line| !line.trim().is_empty());
    if broken.len() > lines {
        broken.truncate(lines);
        if let Some(last) = broken.last_mut() {
            while (last.ends_with(' ') || width(last, size) + width("..", size) > across)
                && last.pop().is_some()
            {}
            last.push_str("..");
        }
    }
    broken.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(text: &str, size: Size) -> Vec<(u32, u32)> {
        let mut bitmap = Bitmap::new(200, 40, 90);
        draw(&mut bitmap, text, size, 10, 10, true);
        (0..40).flat_map(|y| (0..200).map(move |x| (x, y))).filter(|(x, y)| bitmap.is_ink(*x, *y)).collect()
    }

    #[test]
    fn a_letter_is_drawn_inside_its_square() {
        for text in ["电", "表", "检定", "Ag", "电 A"] {
            for size in [Size::Small, Size::Beside] {
                let dots = ink(text, size);
                assert!(dots.len() > 20, "{text}");
                let right = 10 + width(text, size);
                let low = 10 + height(text, size);
                assert!(
                    dots.iter().all(|(x, y)| (10..right).contains(x) && (10..low).contains(y)),
                    "{text} {dots:?}"
                );
            }
        }
    }

    #[test]
    fn one_stroke_is_one_dot_thick() {
        // 一 of this font is drawn within two rows; 十 has a stroke down the middle.
        let rows: std::collections::BTreeSet<u32> = ink("一", Size::Small).iter().map(|(_, y)| *y).collect();
        assert!(rows.len() <= 3, "{rows:?}");
        assert!(ink("十", Size::Small).iter().filter(|(x, _)| *x == 17).count() >= 10);
    }

    #[test]
    fn what_is_not_in_gb_2312_is_told_and_marked() {
        assert!(missing("充电桩 3 号 A±").is_empty());
        assert_eq!(missing("龘⚡"), ['龘', '⚡']);
        assert_eq!(ink("⚡", Size::Small), ink("〓", Size::Small));
    }

    #[test]
    fn lines_break_between_words_and_end_with_dots() {
        let lines = wrap("pulse counter: the line was closed by the device", Size::Small, 128, 2);
        assert_eq!(lines, ["pulse counter: the", "line was closed by.."]);
        assert_eq!(
            wrap("电源没有应答 at /dev/ttyUSB0", Size::Small, 96, 3),
            ["电源没有应答", "at /dev/ttyUSB0"]
        );
        assert_eq!(
            wrap("x".repeat(50).as_str(), Size::Small, 120, 9),
            ["x".repeat(20), "x".repeat(20), "x".repeat(10)]
        );
        assert_eq!(wrap("", Size::Small, 120, 9), Vec::<String>::new());
        for text in
            ["a b c d e f g h i j k l m n", "检定合格检定合格检定合格 x", "aaaaaaaaaaaaaaaaaaaaaaaaaaa bb"]
        {
            for line in wrap(text, Size::Small, 60, 2) {
                assert!(width(&line, Size::Small) <= 60, "{line}");
            }
        }
    }
}
