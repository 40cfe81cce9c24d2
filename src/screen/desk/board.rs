//! The board: every charger as a card, the worst first, counted by colour, shape and word.

use super::words::{self, BoardWords};
use super::{energy, sheet};
use crate::history::board::{Latest, Why};
use crate::history::{Board, Card, Colour};
use crate::screen::app::Screen;
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, mark};
use crate::screen::words::fill;
use eframe::egui::{
    Align2, CornerRadius, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// Height of a card; with a line for its energy.
const CARD: [f32; 2] = [92.0, 116.0];
/// Height of the row of counts; upright the words stand below the numbers.
const COUNTS: [f32; 2] = [62.0, 92.0];

/// What a colour looks like.
fn state(colour: Colour) -> State {
    match colour {
        Colour::Red => State::Bad,
        Colour::Yellow => State::Care,
        Colour::Green => State::Good,
    }
}

fn why(w: &BoardWords, why: Why) -> String {
    match why {
        Why::Withdrawn => w.withdrawn.clone(),
        Why::Failed => w.failed.clone(),
        Why::Undecided => w.undecided.clone(),
        Why::Overdue { since } => fill(&w.overdue, &[&since.to_string()]),
        Why::Due { days, .. } => fill(&w.due, &[&days.to_string()]),
        Why::Findings { count } => fill(&w.findings, &[&count.to_string()]),
    }
}

impl Screen {
    pub(super) fn board_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).board;
        let t = face.tokens;
        let foot = self.foot(ui);
        let Some(board) = sheet::here(ui, face, room, &self.desk.board, &w.reading) else { return };
        let gives = board.cards.iter().any(|card| card.energy.as_ref().is_some_and(Latest::gives));
        let about = if gives { &w.energy_told } else { &w.energy_absent };
        widget::text_in(ui, foot, Align2::LEFT_CENTER, about, token::plain(token::SMALL), t.weak);
        if board.cards.is_empty() {
            widget::text_in(ui, room, Align2::CENTER_CENTER, &w.nobody, token::plain(token::HEAD), t.weak);
            return;
        }
        let top =
            Rect::from_min_max(room.min, pos2(room.right(), room.top() + COUNTS[usize::from(face.upright)]));
        let colour = counts_ui(ui, face, top, board, self.desk.colour);
        let below = Rect::from_min_max(pos2(room.left(), top.bottom() + token::GAP), room.max);
        let shown: Vec<&Card> =
            board.cards.iter().filter(|card| colour.is_none_or(|colour| card.colour == colour)).collect();
        let pressed = widget::part(ui, below, |ui| cards_ui(ui, face, w, &shown, gives));
        self.desk.colour = colour;
        if let Some(wanted) = pressed {
            self.lay_history(&wanted);
        }
    }
}

/// The three counts; each shows only its own when it is pressed, and all again when pressed once more.
fn counts_ui(ui: &mut Ui, face: &Face, rect: Rect, board: &Board, now: Option<Colour>) -> Option<Colour> {
    let w = &words::of(face.language).board;
    let t = face.tokens;
    let mut chosen = now;
    let counts = [
        (Colour::Red, board.red, &w.red),
        (Colour::Yellow, board.yellow, &w.yellow),
        (Colour::Green, board.green, &w.green),
    ];
    for (place, (colour, count, word)) in widget::split(rect, false, [1.0, 1.0, 1.0]).into_iter().zip(counts)
    {
        let response = ui.allocate_rect(place, Sense::click());
        let name = format!("{count} {word}");
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, now == Some(colour), &name));
        widget::plate(ui, face, place, t.card, &response);
        if now == Some(colour) {
            let pen = Stroke::new(token::THICK, t.lead.field);
            ui.painter().rect_stroke(place, CornerRadius::same(token::ROUND), pen, StrokeKind::Inside);
        }
        let inner = place.shrink2(vec2(10.0, 6.0));
        let (upper, rest) = if face.upright {
            let [upper, lower] = widget::split(inner, true, [1.0, 1.0]);
            (upper, lower)
        } else {
            let [left, right] = widget::split(inner, false, [1.0, 1.2]);
            (left, right)
        };
        let sign = Rect::from_min_size(pos2(upper.left(), upper.center().y - 16.0), vec2(32.0, 32.0));
        mark::mark(ui.painter(), sign, face, state(colour));
        let number = Rect::from_min_max(pos2(sign.right() + 8.0, upper.top()), upper.max);
        widget::text_in(
            ui,
            number,
            Align2::LEFT_CENTER,
            &count.to_string(),
            token::strong(token::BIG),
            t.ink,
        );
        widget::text_in(ui, rest, Align2::LEFT_CENTER, word, token::plain(token::SMALL), t.weak);
        if response.clicked() {
            chosen = if now == Some(colour) { None } else { Some(colour) };
        }
    }
    chosen
}

/// The cards, as many as are seen. Gives the charger that was pressed.
fn cards_ui(ui: &mut Ui, face: &Face, w: &BoardWords, cards: &[&Card], gives: bool) -> Option<String> {
    let high = CARD[usize::from(gives)];
    let columns = if face.upright { 2 } else { 3 };
    let mut pressed = None;
    let lines = cards.len().div_ceil(columns);
    ScrollArea::vertical().id_salt("board").auto_shrink([false, false]).show_rows(
        ui,
        high,
        lines,
        |ui, seen| {
            let wide = (ui.available_width() - token::GAP * (columns as f32 - 1.0)) / columns as f32;
            for line in seen {
                let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), high), Sense::hover());
                for (column, card) in cards.iter().skip(line * columns).take(columns).enumerate() {
                    let left = row.left() + column as f32 * (wide + token::GAP);
                    let place = Rect::from_min_size(pos2(left, row.top()), vec2(wide, high));
                    if card_ui(ui, face, w, place, card) {
                        pressed = Some(card.charger.clone());
                    }
                }
            }
        },
    );
    pressed
}

fn card_ui(ui: &mut Ui, face: &Face, w: &BoardWords, rect: Rect, card: &Card) -> bool {
    let t = face.tokens;
    let name = format!("{} {}", card.charger, card.connector);
    let response = ui.allocate_rect(rect, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.trim()));
    widget::plate(ui, face, rect, t.card, &response);
    let color = mark::color(face, state(card.colour));
    let edge = Rect::from_min_size(rect.min, vec2(8.0, rect.height()));
    ui.painter().rect_filled(edge, CornerRadius { nw: token::ROUND, sw: token::ROUND, ne: 0, se: 0 }, color);
    let inner = Rect::from_min_max(rect.min + vec2(16.0, 6.0), rect.max - vec2(8.0, 6.0));
    let sign = Rect::from_min_size(pos2(inner.right() - 24.0, inner.top()), vec2(24.0, 24.0));
    mark::mark(ui.painter(), sign, face, state(card.colour));
    let used = card.energy.iter().flat_map(|energy| [&energy.month, &energy.day]).flatten();
    let used: Vec<String> = used
        .map(|used| {
            let w = &words::of(face.language).energy;
            format!("{}: {}", energy::label(w, used), energy::kwh(w, used))
        })
        .collect();
    let high = inner.height() - if rect.height() > CARD[0] { CARD[1] - CARD[0] } else { 0.0 };
    let lowest = Rect::from_min_max(pos2(inner.left(), inner.top() + high), inner.max);
    widget::data_in(ui, lowest, &used.join("  "), token::plain(token::SMALL), t.ink);
    let inner = Rect::from_min_max(inner.min, pos2(inner.right(), inner.top() + high));
    let [head, middle, foot] = widget::split(inner, true, [1.3, 1.0, 1.0]);
    let head = Rect::from_min_max(head.min, pos2(sign.left() - 6.0, head.bottom()));
    widget::data_in(ui, head, name.trim(), token::strong(token::BODY), t.ink);
    let simulated = if card.meter.simulated { &*w.simulated } else { "" };
    let about = format!("{} {simulated}", card.site);
    widget::data_in(ui, middle, about.trim(), token::plain(token::SMALL), t.weak);
    let reasons: Vec<String> = card.why.iter().map(|reason| why(w, *reason)).collect();
    let (text, ink) = if reasons.is_empty() {
        let day = card.day.map_or(String::new(), |day| day.to_string());
        (format!("{day}  {}", fill(&w.visits, &[&card.visits.to_string()])), t.weak)
    } else {
        (reasons.join("; "), color)
    };
    widget::data_in(ui, foot, &text, token::plain(token::SMALL), ink);
    response.clicked()
}
