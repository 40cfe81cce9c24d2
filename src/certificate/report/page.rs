//! Text on pages of fixed width and length; Chinese characters take two columns.

use crate::plan::nameplate::is_code;

/// Columns of a page.
pub const COLUMNS: usize = 100;
/// Lines of a page.
const LINES: usize = 64;

/// Columns that a character takes: two where East Asian scripts and pictures make it wide, none where it combines.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD
        | 0x231A..=0x231B
        | 0x23E9..=0x23F3
        | 0x26A1
        | 0x2705
        | 0x274C
        | 0x2728
        | 0x2753..=0x2757
        | 0x2B50 => 2,
        _ => 1,
    }
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Text from outside as it may stand on paper and terminal: no line ends, no control codes, no reversed writing.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_code(c) { ' ' } else { c }).collect()
}

/// Filled with spaces on the right.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Filled with spaces on the left.
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// In the middle.
pub fn centred(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text)) / 2))
}

/// Lines of at most so many columns, broken at spaces and between wide characters; a word too long is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![];
    let mut line = String::new();
    let mut breakable = None;
    for c in clean(text).trim().chars() {
        let wide = char_width(c);
        if wide == 2 && !line.is_empty() {
            breakable = Some(line.len());
        }
        if width(&line) + wide > columns {
            let at = if c == ' ' { line.len() } else { breakable.unwrap_or(line.len()) };
            let rest = line.split_off(at);
            lines.push(std::mem::replace(&mut line, rest.trim_start().to_owned()).trim_end().to_owned());
            breakable = None;
        }
        if c == ' ' && line.is_empty() {
            continue;
        }
        line.push(c);
        if wide == 2 || c == ' ' {
            breakable = Some(line.len());
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Lines that stay together on a page where they can.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Block {
    /// The lines.
    pub lines: Vec<String>,
    /// What is said again above them where they begin a new page.
    pub again: Vec<String>,
}

/// Lays blocks on pages between a head (which is told page and number of pages) and a foot. Pages but the last are
/// followed by a form feed.
pub fn lay(blocks: &[Block], head: impl Fn(usize, usize) -> Vec<String>, foot: &[String]) -> String {
    let room = LINES.saturating_sub(head(1, 1).len() + foot.len()).max(8);
    let mut pages: Vec<Vec<&str>> = vec![vec![]];
    for block in blocks {
        let (mut used, fits) =
            (pages.last().map_or(0, Vec::len), block.lines.len() <= room - block.again.len());
        for (n, line) in block.lines.iter().enumerate() {
            let left = if n == 0 && fits { block.lines.len() } else { 1 };
            if used > 0 && used + left > room {
                pages.push(block.again.iter().map(String::as_str).collect());
            }
            if let Some(page) = pages.last_mut() {
                page.push(line);
                used = page.len();
            }
        }
    }
    let of = pages.len();
    let laid = pages.into_iter().enumerate().map(|(n, body)| {
        let body = body.into_iter().map(str::to_owned);
        let lines = head(n + 1, of).into_iter().chain(body).chain(foot.iter().cloned());
        lines.fold(String::new(), |page, line| page + line.trim_end() + "\n")
    });
    laid.collect::<Vec<_>>().join("\u{c}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!((width("检定 ab"), left("检定", 6), right("检", 4)), (7, "检定  ".into(), "  检".into()));
        assert_eq!(width("⚡±1.0 °C"), 10 - 1);
    }

    #[test]
    fn no_line_is_wider_than_asked_and_no_word_is_lost() {
        let texts = [
            "a word after the other, and averyveryverylongwordthatdoesnotfit in it",
            "检定结果通知书检定结果通知书 mixed 检定结果",
            "",
            "   ",
            "two\nlines\tand \u{1b}[31mcolour\u{202e}",
            "x                                            y",
        ];
        for text in texts {
            for columns in [2, 3, 7, 20] {
                let lines = wrap(text, columns);
                assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
                let letters = |text: &str| clean(text).split_whitespace().collect::<String>();
                assert_eq!(letters(&lines.concat()), letters(text));
            }
        }
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one two", 3), ["one", "two"]);
    }

    #[test]
    fn blocks_stay_together_and_every_page_has_head_and_foot() {
        let block = |n: usize| Block {
            lines: (0..10).map(|l| format!("{n}.{l}")).collect(),
            again: vec!["again".into()],
        };
        let blocks: Vec<_> = (0..20).map(block).collect();
        let text = lay(&blocks, |page, of| vec![format!("head {page}/{of}")], &["foot".into()]);
        let pages: Vec<_> = text.split('\u{c}').collect();
        assert_eq!(pages.len(), 4);
        for (n, page) in pages.iter().enumerate() {
            assert!(page.starts_with(&format!("head {}/4\n", n + 1)) && page.ends_with("foot\n"));
            assert!(page.lines().count() <= LINES);
            assert_eq!(page.lines().nth(1), Some(if n == 0 { "0.0" } else { "again" }));
        }
        let long = Block { lines: (0..200).map(|n| n.to_string()).collect(), again: vec![] };
        let text = lay(&[long], |_, _| vec![], &[]);
        assert_eq!(text.replace('\u{c}', "").lines().count(), 200);
    }
}
