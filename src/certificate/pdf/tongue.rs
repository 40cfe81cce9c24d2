//! In one language or in both: the first in black, the second beside or below it in grey.

use super::text::{Ink, Paragraph, Span, Style};
use crate::certificate::paper::{Language, Words};

/// The second language is set smaller by this much.
const SECOND: f32 = 0.88;

/// Sets words of ours in the languages of a paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tongue(pub Language);

impl Tongue {
    /// One after the other.
    pub(super) fn words(self, words: &Words, style: Style) -> Paragraph {
        let second = style.size(style.size * SECOND).ink(second(style.ink));
        match self.0 {
            Language::Chinese => vec![Span::new(&words.zh, style)],
            Language::English => vec![Span::new(&words.en, style)],
            Language::Both if words.zh == words.en => vec![Span::new(&words.zh, style)],
            Language::Both => {
                vec![Span::new(&format!("{} ", words.zh), style), Span::new(&words.en, second)]
            }
        }
    }

    /// The same, of words that stand in the program.
    pub(super) fn say(self, zh: &str, en: &str, style: Style) -> Paragraph {
        self.words(&Words::new(zh, en), style)
    }

    /// One below the other.
    pub(super) fn stacked(self, words: &Words, style: Style) -> Vec<Paragraph> {
        let mut spans = self.words(words, style);
        // The space between them is not needed at the end of a line.
        if let [first, _] = &mut spans[..] {
            first.text.truncate(first.text.trim_end().len());
        }
        spans.into_iter().map(|span| vec![span]).collect()
    }

    /// As plain text: for titles, tags and alternative texts.
    pub(super) fn plain(self, zh: &str, en: &str) -> String {
        Words::new(zh, en).print(self.0)
    }
}

fn second(ink: Ink) -> Ink {
    if ink == Ink::Black { Ink::Grey } else { ink }
}
