//! The column of text: fields under one another, in the largest letters in which all of them fit.

use super::super::bitmap::Bitmap;
use super::super::typeface::{Typeface, Weight};

/// A field: its name, small, and what stands in it.
pub struct Field {
    /// Its name; may be empty.
    pub name: &'static str,
    /// What stands in it.
    pub text: String,
    /// How strong that is.
    pub weight: Weight,
    /// Whether name and text share a line also where the text then takes several.
    pub beside: bool,
    /// Lines it may take at most.
    pub lines_max: usize,
}

/// Both weights of the font and the sizes that may be used.
pub struct Typesetter {
    /// For names of fields.
    pub regular: Typeface,
    /// For what stands in them.
    pub bold: Typeface,
    /// The smallest letter, in dots.
    pub em_min: u32,
    /// The largest letter, in dots.
    pub em_max: u32,
}

/// Where fields may be set.
#[derive(Clone, Copy)]
pub struct Room {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// How closely it is set.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    em: u32,
    /// Whether a number may be broken in its middle.
    breaks_words: bool,
    /// Lines as close as they can be read.
    is_tight: bool,
}

/// Fields as they are set.
pub struct Column {
    blocks: Vec<Vec<Line>>,
    gap: u32,
}

struct Line {
    height: u32,
    /// Weight, text, size, distance from the left.
    parts: Vec<(Weight, String, u32, u32)>,
}

fn height(blocks: &[Vec<Line>]) -> u32 {
    blocks.iter().flatten().map(|line| line.height).sum()
}

impl Typesetter {
    /// Sets fields; the text of one that does not fit, where they do not. Whole numbers in small letters come before broken
    /// ones in large letters, and close lines come last.
    pub fn set(&self, fields: &[&Field], room: Room) -> Result<Column, String> {
        let mut does_not_fit = fields.last().map_or(String::new(), |field| field.text.clone());
        for (breaks_words, is_tight) in [(false, false), (true, false), (false, true), (true, true)] {
            for em in (self.em_min..=self.em_max).rev() {
                let style = Style { em, breaks_words, is_tight };
                let set = fields.iter().map(|field| self.block(field, style, room.width));
                match set.collect::<Result<Vec<_>, String>>() {
                    Ok(blocks) if height(&blocks) <= room.height => {
                        let free = room.height - height(&blocks);
                        let gap = (free / blocks.len().max(1) as u32).min(em / 2);
                        return Ok(Column { blocks, gap });
                    }
                    Ok(_) => {}
                    Err(text) => does_not_fit = text,
                }
            }
        }
        Err(does_not_fit)
    }

    /// Draws a column from its upper left corner.
    pub fn draw(&self, bitmap: &mut Bitmap, column: &Column, left: u32, top: u32) {
        let mut y = top + column.gap / 2;
        for block in &column.blocks {
            for line in block {
                y += line.height;
                for (weight, text, em, x) in &line.parts {
                    // Noto's letters reach 12 % of the square below the baseline, Latin descenders a little more.
                    let baseline = (y - em / 5).cast_signed();
                    self.face(*weight).draw(bitmap, text, *em, (left + x).cast_signed(), baseline, true);
                }
            }
            y += column.gap;
        }
    }

    fn face(&self, weight: Weight) -> &Typeface {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    fn block(&self, field: &Field, style: Style, width: u32) -> Result<Vec<Line>, String> {
        let em = style.em;
        let name_em = self.em_min.max(em * 4 / 5);
        let spaced = |em: u32| if style.is_tight { em } else { em * 23 / 20 };
        let weight = field.weight;
        let face = self.face(weight);
        let name_width = match field.name {
            "" => 0,
            name => self.regular.width(name, name_em) + em / 3,
        };
        let beside = field.beside || name_width + face.width(&field.text, em) <= width;
        let indent = if beside { name_width } else { 0 };
        let name = (Weight::Regular, field.name.to_owned(), name_em, 0);
        let mut lines = vec![];
        if !beside {
            lines.push(Line { height: spaced(name_em), parts: vec![name.clone()] });
        }
        let room = width.saturating_sub(indent);
        let texts =
            balanced(face, &field.text, em, room, style.breaks_words).filter(|t| t.len() <= field.lines_max);
        for (n, text) in texts.ok_or_else(|| field.text.clone())?.into_iter().enumerate() {
            let mut parts = vec![(weight, text, em, indent)];
            if n == 0 && indent > 0 {
                parts.insert(0, name.clone());
            }
            lines.push(Line { height: spaced(em), parts });
        }
        Ok(lines)
    }
}

/// As many lines as a width needs, of about the same length: no letter stands alone in the last one.
fn balanced(face: &Typeface, text: &str, em: u32, width: u32, breaks_words: bool) -> Option<Vec<String>> {
    let mut lines = wrapped(face, text, em, width, breaks_words)?;
    for narrower in (width / 2..width).rev() {
        match wrapped(face, text, em, narrower, breaks_words) {
            Some(other) if other.len() == lines.len() => lines = other,
            _ => break,
        }
    }
    Some(lines)
}

/// A text in lines of at most `width` dots, broken after a space, a mark or a Chinese letter; none where that does not do
/// and words may not be broken.
fn wrapped(face: &Typeface, text: &str, em: u32, width: u32, breaks_words: bool) -> Option<Vec<String>> {
    let is_break = |c: char| c == ' ' || "-_/.,;".contains(c) || c > '\u{2E80}';
    let mut lines = vec![];
    let mut rest: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    while face.width(&rest, em) > width {
        let ends = rest.char_indices().map(|(at, c)| (at + c.len_utf8(), c));
        let fitting: Vec<(usize, char)> =
            ends.take_while(|(end, _)| face.width(rest[..*end].trim_end(), em) <= width).collect();
        // A word that may be broken anyway is not broken so early that a line is lost by it.
        let early = fitting.last().map_or(0, |(end, _)| end / 2);
        let soft = fitting.iter().rev().find(|(_, c)| is_break(*c));
        let soft = soft.filter(|(end, _)| !breaks_words || *end > early);
        let cut = soft.or(fitting.last().filter(|_| breaks_words))?.0;
        lines.push(rest[..cut].trim_end().to_owned());
        rest.replace_range(..cut + (rest[cut..].len() - rest[cut..].trim_start().len()), "");
    }
    lines.push(rest);
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_where_a_reader_would() {
        let face = Typeface::new(Weight::Bold);
        let lines = |text: &str, width: u32, breaks: bool| balanced(&face, text, 14, width, breaks);
        assert_eq!(lines("某某市计量测试研究院", 130, false).unwrap(), ["某某市计量", "测试研究院"]);
        assert_eq!(lines("SN-0123456789-ABC", 120, false).unwrap(), ["SN-0123456789-", "ABC"]);
        assert_eq!(lines("202611210001", 80, false), None);
        assert_eq!(lines("202611210001", 80, true).unwrap().concat(), "202611210001");
        assert_eq!(lines("one  two", 400, false).unwrap(), ["one two"]);
        assert_eq!(lines("检", 5, true), None);
    }
}
