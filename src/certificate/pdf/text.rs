//! Text that is measured and broken into lines: between words, between Chinese characters, and inside a word where nothing
//! else helps.

use super::face::{Weight, printable};
use krilla::text::{Font, GlyphId, KrillaGlyph};

/// Height of a line in parts of its size.
const LEADING: f32 = 1.38;
/// Must not begin a line.
const NOT_FIRST: &str = "，。、；：！？）》」』】〉”’…·%％‰℃°,.;:!?)]}";
/// Must not end a line.
const NOT_LAST: &str = "（《「『【〈“‘([{";

/// Shades of the paper. All is readable in black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// What is said.
    Black,
    /// What it is called: labels, the second language.
    Grey,
    /// Hairlines.
    Light,
    /// Marks across a page and the grid of a curve, under the text.
    Pale,
    /// What a code stands on.
    White,
    /// Title, headings, strong rules.
    Blue,
    /// What did not pass.
    Red,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// In points.
    pub size: f32,
    /// Regular or bold.
    pub weight: Weight,
    /// Its shade.
    pub ink: Ink,
    /// Space after each character, in parts of the size.
    pub tracking: f32,
}

impl Style {
    /// Regular and black.
    pub(super) const fn new(size: f32) -> Self {
        Self { size, weight: Weight::Regular, ink: Ink::Black, tracking: 0.0 }
    }

    pub(super) const fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    pub(super) const fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    pub(super) const fn tracking(self, tracking: f32) -> Self {
        Self { tracking, ..self }
    }

    pub(super) const fn size(self, size: f32) -> Self {
        Self { size, ..self }
    }

    fn advance(self, c: char) -> f32 {
        self.weight.face().glyph(c).map_or(0.0, |(_, width)| (width + self.tracking) * self.size)
    }
}

/// A stretch of text of one style. Every character of it has a glyph.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub text: String,
    pub style: Style,
    /// Whether a character of it was replaced.
    pub lacking: bool,
}

impl Span {
    pub(super) fn new(text: &str, style: Style) -> Self {
        let (text, lacking) = printable(text);
        Self { text, style, lacking }
    }
}

/// A paragraph: spans that flow into lines.
pub(super) type Paragraph = Vec<Span>;

/// A part of a line in one style.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// From the begin of the line.
    pub x: f32,
    pub text: String,
    pub style: Style,
}

/// A line that was set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub runs: Vec<Run>,
    /// Without the spaces at its end.
    pub width: f32,
    /// From the line above to the line below.
    pub height: f32,
    /// From its upper edge to the base line.
    pub ascent: f32,
}

/// The glyphs of a run, and its text to be found and copied.
pub(super) fn glyphs(run: &Run) -> (&'static Font, Vec<KrillaGlyph>) {
    let face = run.style.weight.face();
    let glyphs = run.text.char_indices().map(|(at, c)| {
        let (glyph_id, width) = face.glyph(c).unwrap_or((GlyphId::new(0), 0.0));
        KrillaGlyph {
            glyph_id,
            text_range: at..at + c.len_utf8(),
            x_advance: width + run.style.tracking,
            x_offset: 0.0,
            y_offset: 0.0,
            y_advance: 0.0,
            location: None,
        }
    });
    (&face.font, glyphs.collect())
}

/// A character with its style and width.
#[derive(Clone, Copy)]
struct Placed {
    c: char,
    style: Style,
    width: f32,
}

fn place(paragraph: &[Span]) -> Vec<Placed> {
    let characters = paragraph.iter().flat_map(|span| {
        span.text.chars().map(|c| Placed { c, style: span.style, width: span.style.advance(c) })
    });
    characters.collect()
}

/// The width of a paragraph on one line.
pub(super) fn natural_width(paragraph: &[Span]) -> f32 {
    place(paragraph).iter().map(|placed| placed.width).sum()
}

/// The width of the widest part that should not be broken.
pub(super) fn least_width(paragraph: &[Span]) -> f32 {
    let characters = place(paragraph);
    let (mut widest, mut width) = (0.0_f32, 0.0);
    for (n, placed) in characters.iter().enumerate() {
        if placed.c != ' ' {
            width += placed.width;
        }
        widest = widest.max(width);
        if may_break(&characters, n) {
            width = 0.0;
        }
    }
    widest
}

/// Chinese, and the marks that are as wide.
fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

/// Whether a line may end after this character.
fn may_break(characters: &[Placed], n: usize) -> bool {
    let Some(next) = characters.get(n + 1).map(|placed| placed.c) else { return false };
    let c = characters[n].c;
    if next == ' ' || NOT_FIRST.contains(next) || NOT_LAST.contains(c) {
        return false;
    }
    let before = n.checked_sub(1).map(|n| characters[n].c);
    match c {
        ' ' => true,
        // Never inside a date, a number or behind its sign.
        '-' | '/' => before.is_some_and(char::is_alphabetic) && next.is_alphabetic(),
        _ => is_wide(c) || is_wide(next),
    }
}

/// Lines of at most this width; one character at least stands on each.
pub(super) fn lines(paragraph: &[Span], width: f32) -> Vec<Line> {
    let characters = place(paragraph);
    let mut lines = vec![];
    let (mut start, mut filled, mut chance) = (0, 0.0, None);
    let mut n = 0;
    while n < characters.len() {
        let placed = characters[n];
        // A tenth of a point for the rounding of sums.
        if placed.c != ' ' && filled + placed.width > width + 0.1 && n > start {
            let end = chance.unwrap_or(n);
            lines.push(line(&characters[start..end]));
            (start, n, filled, chance) = (end, end, 0.0, None);
            continue;
        }
        filled += placed.width;
        if may_break(&characters, n) {
            chance = Some(n + 1);
        }
        n += 1;
    }
    if start < characters.len() {
        lines.push(line(&characters[start..]));
    }
    lines
}

fn line(characters: &[Placed]) -> Line {
    let mut runs: Vec<Run> = vec![];
    let (mut x, mut width) = (0.0, 0.0);
    for placed in characters {
        match runs.last_mut() {
            Some(run) if run.style == placed.style => run.text.push(placed.c),
            _ => runs.push(Run { x, text: placed.c.into(), style: placed.style }),
        }
        x += placed.width;
        if placed.c != ' ' {
            width = x - placed.style.tracking * placed.style.size;
        }
    }
    let size = characters.iter().map(|placed| placed.style.size).fold(0.0, f32::max);
    Line { runs, width, height: size * LEADING, ascent: size * 1.06 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style::new(10.0);

    fn broken(text: &str, width: f32) -> Vec<String> {
        let lines = lines(&[Span::new(text, STYLE)], width);
        for line in &lines {
            assert!(line.width <= width + 0.1 || line.runs[0].text.chars().count() == 1, "{line:?}");
        }
        lines.iter().map(|line| line.runs.iter().map(|run| run.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_break_between_words_and_nothing_is_lost() {
        let text = "Phantom load: the meter was tested, not connector, display or payment.";
        let lines = broken(text, 120.0);
        assert!(lines.len() > 2 && lines[..lines.len() - 1].iter().all(|l| l.ends_with(' ')), "{lines:?}");
        assert_eq!(lines.concat(), text);
    }

    #[test]
    fn a_chinese_line_begins_with_no_closing_mark() {
        let text = "检定结果，仅对被检电能表（在检定时）有效。";
        for width in [25.0, 45.0, 55.0, 65.0, 75.0] {
            let lines = broken(text, width);
            assert_eq!(lines.concat(), text);
            assert!(
                lines.iter().all(|l| !l.starts_with(['，', '）', '。']) && !l.ends_with('（')),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn dates_and_numbers_stay_whole_where_there_is_room() {
        let lines = broken("valid until 2026-11-20 at -0.2043 % of it", 60.0);
        assert!(
            lines.iter().any(|l| l.contains("2026-11-20")) && lines.iter().any(|l| l.contains("-0.2043 %"))
        );
    }

    #[test]
    fn a_word_of_any_length_is_broken_rather_than_cut_off() {
        let text = "W".repeat(200);
        let lines = broken(&text, 100.0);
        assert!(lines.len() > 15);
        assert_eq!(lines.concat(), text);
        assert_eq!(broken("检W", 1.0).len(), 2);
    }

    #[test]
    fn the_least_width_is_that_of_the_longest_word() {
        let width = |text| least_width(&[Span::new(text, STYLE)]);
        assert_eq!(width("a certificate no"), natural_width(&[Span::new("certificate", STYLE)]));
        assert_eq!(width("检定证书"), 10.0);
    }
}
