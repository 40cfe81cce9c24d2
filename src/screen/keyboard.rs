//! Typing without a keyboard: one field at a time fills the screen, numbers first; a real keyboard or a scanner types into the
//! same field.

use super::draft::Field;
use super::token::{self, Face};
use super::widget::{self, Weight};
use crate::certificate::paper::font;
use ab_glyph::{Font, FontRef};
use eframe::egui::{Align2, CornerRadius, Event, Key, Rect, Stroke, StrokeKind, Ui, pos2, vec2};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The longest text that is typed; nameplates take no more.
const LONGEST: usize = 200;

/// So much of its end is seen while it is typed.
const SEEN: usize = 50;

/// What a typed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A number to look up.
    Find,
    /// The serial number of the meter whose run goes on.
    GoOn,
    /// A field of the nameplate.
    Nameplate(Field),
    /// What was seen of the meter.
    Remark,
    /// Numbers of seals.
    Seals,
    /// The number of the seal at one of the places that the last paper names.
    SealAt(usize),
    /// Air temperature.
    Temperature,
    /// Humidity.
    Humidity,
    /// The inspector.
    Operator,
    /// The site.
    Site,
    /// The customer.
    Customer,
    /// The PIN of the locked screen.
    Pin,
    /// Something of the desk.
    Desk(super::desk::Field),
}

impl Target {
    /// What is not shown as it is typed.
    const fn is_secret(self) -> bool {
        match self {
            Self::Desk(field) => field.is_secret(),
            target => matches!(target, Self::Pin),
        }
    }
}

/// Which keys are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Numbers,
    Letters,
}

/// A field being typed into.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What it is for.
    pub target: Target,
    /// Its name.
    pub title: String,
    /// What stands in it.
    pub text: String,
    page: Page,
    capitals: bool,
}

/// What came of a frame of typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// It goes on.
    More,
    /// Taken.
    Done,
    /// Left as it was.
    Cancelled,
}

const NUMBERS: [&[&str]; 4] = [&["1", "2", "3"], &["4", "5", "6"], &["7", "8", "9"], &[".", "0", "-"]];
const LETTERS: [&[&str]; 4] = [
    &["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"],
    &["q", "w", "e", "r", "t", "y", "u", "i", "o", "p"],
    &["a", "s", "d", "f", "g", "h", "j", "k", "l", "-"],
    &["z", "x", "c", "v", "b", "n", "m", ".", "/", "_"],
];

/// What stands for a letter that the font lacks: the same as on papers.
const LACKING: char = '〓';

/// The font, to ask it what it has.
fn face() -> Option<&'static FontRef<'static>> {
    static FACE: LazyLock<Option<FontRef<'static>>> =
        LazyLock::new(|| FontRef::try_from_slice(font::REGULAR).ok());
    FACE.as_ref()
}

/// A text as the screen can show it: what the font lacks stands as on papers.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let Some(face) = face() else { return Cow::Borrowed(text) };
    let lacks = |c: char| c != '\n' && face.glyph_id(c).0 == 0;
    if text.chars().any(lacks) {
        Cow::Owned(text.chars().map(|c| if lacks(c) { LACKING } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Characters of a text that papers and screen cannot show, each once.
pub(super) fn unknown_letters(text: &str) -> Vec<char> {
    let Some(face) = face() else { return vec![] };
    let mut letters: Vec<char> =
        text.chars().filter(|c| !c.is_control() && face.glyph_id(*c).0 == 0).collect();
    letters.sort_unstable();
    letters.dedup();
    letters
}

impl Entry {
    /// Begins to type; `number` shows the numbers first.
    pub fn new(target: Target, title: &str, text: &str, number: bool) -> Self {
        let page = if number { Page::Numbers } else { Page::Letters };
        Self { target, title: title.to_owned(), text: text.to_owned(), page, capitals: false }
    }

    /// Takes in what a real keyboard or a scanner says.
    pub fn handle(&mut self, events: &[Event]) -> Typed {
        for event in events {
            match event {
                Event::Text(text) | Event::Paste(text) => self.push(text),
                Event::Key { key: Key::Backspace, pressed: true, .. } => {
                    self.text.pop();
                }
                Event::Key { key: Key::Enter, pressed: true, .. } => return Typed::Done,
                Event::Key { key: Key::Escape, pressed: true, .. } => return Typed::Cancelled,
                _ => {}
            }
        }
        Typed::More
    }

    fn push(&mut self, text: &str) {
        for letter in text.chars().filter(|c| !c.is_control()) {
            if self.text.chars().count() < LONGEST {
                self.text.push(letter);
            }
        }
    }

    /// The field and its keys.
    pub fn ui(&mut self, ui: &mut Ui, face: &Face, rect: Rect) -> Typed {
        let w = face.language.words();
        let unknown = unknown_letters(&self.text);
        let mut typed = Typed::More;
        let top = if face.upright { 190.0 } else { 76.0 };
        let head = Rect::from_min_size(rect.min, vec2(rect.width(), top));
        let keys = Rect::from_min_max(pos2(rect.left(), head.bottom() + token::GAP), rect.max);
        let tall = 68.0;
        let button = 116.0;
        let done = Rect::from_min_size(pos2(head.right() - button, head.top()), vec2(button, tall));
        let away = done.translate(vec2(-button - token::GAP, 0.0));
        let shown = if face.upright {
            Rect::from_min_max(pos2(head.left(), done.bottom() + token::GAP), head.max)
        } else {
            Rect::from_min_max(head.min, pos2(away.left() - token::GAP, head.bottom()))
        };
        self.show(ui, face, shown, &unknown);
        if widget::button_at(ui, face, Weight::Plain, &w.key.cancel, away).clicked() {
            typed = Typed::Cancelled;
        }
        if widget::button_at(ui, face, Weight::Lead, &w.key.done, done).clicked() {
            typed = Typed::Done;
        }
        self.keys(ui, face, keys);
        typed
    }

    fn show(&self, ui: &mut Ui, face: &Face, rect: Rect, unknown: &[char]) {
        let t = face.tokens;
        let frame = if unknown.is_empty() { t.lead.field } else { t.care };
        ui.painter().rect(
            rect,
            CornerRadius::same(token::ROUND),
            t.entry,
            Stroke::new(token::THICK, frame),
            StrokeKind::Inside,
        );
        let inner = rect.shrink2(vec2(12.0, 8.0));
        let upper = Rect::from_min_max(inner.min, pos2(inner.right(), inner.top() + 22.0));
        let lower = Rect::from_min_max(pos2(inner.left(), upper.bottom()), inner.max);
        let w = face.language.words();
        let (title, ink) = if unknown.is_empty() {
            (self.title.clone(), t.weak)
        } else {
            let letters: Vec<String> = unknown.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
            (super::words::fill(&w.key.unknown, &[&letters.join(" ")]), t.care)
        };
        widget::text_in(ui, upper, Align2::LEFT_CENTER, &title, token::plain(token::SMALL), ink);
        let mut text: String = if self.target.is_secret() {
            self.text.chars().map(|_| '•').collect()
        } else {
            // What was typed last is seen, however long it has become.
            let count = self.text.chars().count();
            let cut = count > SEEN;
            let tail = self.text.chars().skip(count.saturating_sub(SEEN));
            cut.then_some('…').into_iter().chain(tail).collect()
        };
        text.push('|');
        widget::text_in(ui, lower, Align2::LEFT_CENTER, &text, token::strong(token::BIG), t.ink);
    }

    fn keys(&mut self, ui: &mut Ui, face: &Face, rect: Rect) {
        let w = face.language.words();
        let rows = if self.page == Page::Numbers { NUMBERS } else { LETTERS };
        let places = widget::split(rect, true, [1.0; 5]);
        let narrow = self.page == Page::Numbers && !face.upright;
        for (row, place) in rows.iter().zip(places) {
            let wide = if narrow { place.width() * 0.5 } else { place.width() };
            let each = (wide - token::GAP * (row.len() as f32 - 1.0)) / row.len() as f32;
            let left = place.left() + (place.width() - wide) / 2.0;
            for (index, key) in row.iter().enumerate() {
                let at = pos2(left + index as f32 * (each + token::GAP), place.top());
                let key = if self.capitals { key.to_uppercase() } else { (*key).to_owned() };
                let place = Rect::from_min_size(at, vec2(each, place.height()));
                if widget::button_at(ui, face, Weight::Plain, &key, place).clicked() {
                    self.push(&key);
                    self.capitals = false;
                }
            }
        }
        let [other, capitals, space, back] = widget::split(places[4], false, [1.4, 1.0, 3.0, 1.4]);
        let name = if self.page == Page::Numbers { &w.key.letters } else { &w.key.numbers };
        if widget::button_at(ui, face, Weight::Plain, name, other).clicked() {
            self.page = if self.page == Page::Numbers { Page::Letters } else { Page::Numbers };
        }
        let weight = if self.capitals { Weight::Chosen } else { Weight::Plain };
        if widget::button_at(ui, face, weight, &w.key.capitals, capitals).clicked() {
            self.capitals = !self.capitals;
        }
        if widget::button_at(ui, face, Weight::Plain, &w.key.space, space).clicked() {
            self.push(" ");
        }
        if widget::button_at(ui, face, Weight::Plain, &w.key.back, back).clicked() {
            self.text.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_no_paper_can_print_are_told_when_they_are_typed() {
        assert!(unknown_letters("张伟 Li No. 42 ±℃").is_empty());
        // A rarer character of names, outside GB 2312.
        assert_eq!(unknown_letters("王㛃㛃"), ['㛃']);
        let mut entry = Entry::new(Target::Operator, "who", "", false);
        assert_eq!(entry.handle(&[Event::Text("王㛃".into())]), Typed::More);
        assert_eq!(unknown_letters(&entry.text), ['㛃']);
    }

    #[test]
    fn nonsense_from_a_scanner_is_bounded_and_ends_with_its_enter() {
        let mut entry = Entry::new(Target::Find, "no.", "", true);
        let long = "7\u{7}".repeat(10_000);
        let enter = Event::Key {
            key: Key::Enter,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: eframe::egui::Modifiers::NONE,
        };
        assert_eq!(entry.handle(&[Event::Text(long), enter]), Typed::Done);
        assert_eq!(entry.text, "7".repeat(LONGEST));
    }
}
