//! A list that is read: the standards, and the audit trail with what it is to speak of; and what other lists are made of.

use super::port::{Line, Sheet};
use super::{Field, Page, words};
use crate::screen::app::{Asked, Screen};
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, mark};
use eframe::egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// Height of a row that is pressed.
const PRESSED: f32 = 62.0;
/// Height of a line of the trail, of which there are thousands.
const TRACE: f32 = 54.0;

/// Says what is waited for.
pub(super) fn waits(ui: &Ui, face: &Face, room: Rect, text: &str) {
    widget::text_in(ui, room, Align2::CENTER_CENTER, text, token::plain(token::HEAD), face.tokens.weak);
}

/// Says why there is nothing to show.
pub(super) fn refuses(ui: &mut Ui, face: &Face, room: Rect, why: &str) {
    widget::part(ui, room, |ui| widget::note(ui, face, State::Bad, &face.language.said(why)));
}

/// What came of something that was done, below a word for it.
pub(super) fn came(ui: &mut Ui, face: &Face, room: Rect, done: &Result<String, String>, words: [&str; 2]) {
    let (state, head, said) = match done {
        Ok(said) => (State::Good, words[0], said),
        Err(why) => (State::Bad, words[1], why),
    };
    widget::part(ui, room, |ui| {
        ui.label(widget::strong(head, token::BIG));
        widget::note(ui, face, state, &face.language.said(said));
    });
}

/// What was asked for, once it is here; until then it says what is waited for, or why it does not come.
pub(super) fn here<'a, T>(
    ui: &mut Ui,
    face: &Face,
    room: Rect,
    asked: &'a Asked<Result<T, String>>,
    waits_for: &str,
) -> Option<&'a T> {
    match asked {
        Asked::Here(Ok(what)) => return Some(what),
        Asked::Here(Err(why)) => refuses(ui, face, room, why),
        Asked::No | Asked::Waiting => waits(ui, face, room, waits_for),
    }
    None
}

impl Screen {
    pub(super) fn sheet_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, sheet: &Sheet) {
        let words = words::of(face.language);
        let w = &words.sheet;
        let mut room = room;
        match sheet {
            Sheet::Trail(of) => {
                let search = Rect::from_min_max(room.min, pos2(room.right(), room.top() + 58.0));
                let pressed = widget::part(ui, search, |ui| {
                    widget::entry(ui, face, search.size(), &w.of, of, false).clicked()
                });
                if pressed {
                    self.entry = Some(Entry::new(Target::Desk(Field::Trail), &w.of, of, false));
                }
                room.min.y = search.bottom() + token::GAP;
                room.max.y += token::BOTTOM - token::EDGE;
            }
            Sheet::Standards => {
                let import = self.lead_ui(ui, face, &words.standards.import, true);
                let foot = self.foot(ui);
                let about = &words.standards.about;
                widget::text_in(
                    ui,
                    foot,
                    Align2::LEFT_CENTER,
                    about,
                    token::plain(token::SMALL),
                    face.tokens.weak,
                );
                if import {
                    return self.lay(Page::Files);
                }
            }
        }
        let Some(lines) = here(ui, face, room, &self.desk.sheet, &w.reading) else { return };
        if lines.is_empty() {
            return waits(ui, face, room, &w.empty);
        }
        widget::card_at(ui, face, room, |ui| match sheet {
            Sheet::Trail(_) => traces_ui(ui, face, lines),
            Sheet::Standards => widget::scroll(ui, "sheet", |ui| {
                for (n, line) in lines.iter().enumerate() {
                    seen_ui(ui, face, n, |ui| line_ui(ui, face, line));
                }
            }),
        });
    }
}

/// Rows that are pressed, as many as are seen: of each its head and in small print what is to be known of it. Gives the one.
pub(super) fn rows_ui(ui: &mut Ui, face: &Face, name: &str, lines: &[Line]) -> Option<usize> {
    let t = face.tokens;
    let mut pressed = None;
    ScrollArea::vertical().id_salt(name).auto_shrink([false, false]).show_rows(
        ui,
        PRESSED,
        lines.len(),
        |ui, seen| {
            for n in seen {
                let Some(line) = lines.get(n) else { continue };
                let size = vec2(ui.available_width() - 6.0, PRESSED);
                let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &line.head));
                widget::plate(ui, face, rect, t.card, &response);
                let inner = rect.shrink2(vec2(10.0, 4.0));
                let sign = Rect::from_min_size(
                    pos2(inner.left(), inner.center().y - token::MARK / 2.0),
                    vec2(token::MARK, token::MARK),
                );
                mark::mark(ui.painter(), sign, face, line.state);
                let text = Rect::from_min_max(pos2(sign.right() + 10.0, inner.top()), inner.max);
                let [upper, lower] = widget::split(text, true, [1.1, 1.0]);
                widget::data_in(ui, upper, &line.head, token::strong(token::BODY), t.ink);
                let about = line.about.join("  ·  ");
                widget::data_in(ui, lower, &about, token::plain(token::SMALL), t.weak);
                if response.clicked() {
                    pressed = Some(n);
                }
            }
        },
    );
    pressed
}

/// One of many of which each is as high as its text: what is not seen keeps the room that it took, and is not laid out.
fn seen_ui(ui: &mut Ui, face: &Face, n: usize, inside: impl FnOnce(&mut Ui)) {
    let wide = ui.available_width();
    let id = ui.scope_id().with((n, wide.to_bits(), face.language as u8));
    let known: Option<f32> = ui.data(|data| data.get_temp(id));
    let at = ui.cursor().min;
    if let Some(high) = known
        && !ui.is_rect_visible(Rect::from_min_size(at, vec2(wide, high)))
    {
        ui.allocate_space(vec2(wide, high));
        return;
    }
    let high = ui.scope(inside).response.rect.height();
    ui.data_mut(|data| data.insert_temp(id, high));
}

fn line_ui(ui: &mut Ui, face: &Face, line: &Line) {
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(token::MARK, token::MARK), Sense::hover());
        mark::mark(ui.painter(), rect, face, line.state);
        let width = ui.available_width();
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(widget::strong(&line.head, token::BODY));
            for about in &line.about {
                ui.label(widget::weak(&face.language.said(about), face));
            }
        });
    });
}

/// The trail, as many lines as are seen.
fn traces_ui(ui: &mut Ui, face: &Face, lines: &[Line]) {
    let t = face.tokens;
    ScrollArea::vertical().id_salt("trail").auto_shrink([false, false]).show_rows(
        ui,
        TRACE,
        lines.len(),
        |ui, seen| {
            for line in seen.filter_map(|n| lines.get(n)) {
                let (rect, _) =
                    ui.allocate_exact_size(vec2(ui.available_width() - 6.0, TRACE), Sense::hover());
                let sign =
                    Rect::from_min_size(pos2(rect.left(), rect.top() + 4.0), vec2(token::MARK, token::MARK));
                mark::mark(ui.painter(), sign, face, line.state);
                let text = Rect::from_min_max(pos2(sign.right() + 8.0, rect.top()), rect.max);
                let [upper, lower] = widget::split(text, true, [1.0, 1.0]);
                let said = |text: &str| face.language.said(text);
                let head = line.head.split("  ").map(said).collect::<Vec<_>>().join("  ");
                widget::data_in(ui, upper, &head, token::strong(token::SMALL), t.ink);
                // One line of it: the whole entry is in the chain.
                let about = line.about.iter().map(|text| face.language.stamp_of(&said(text)));
                let about = about.collect::<Vec<_>>().join("; ");
                widget::data_in(ui, lower, &about, token::plain(token::SMALL), t.weak);
            }
        },
    );
}
