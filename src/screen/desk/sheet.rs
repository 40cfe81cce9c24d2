//! A list that is read: standards, regulation profiles with the provenance of their figures, the audit trail, persons.

use super::port::{Line, Sheet};
use super::words;
use crate::screen::app::{Asked, Screen};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, mark};
use eframe::egui::{Align2, Rect, ScrollArea, Sense, Ui, pos2, vec2};

/// Height of a line of the trail, of which there are thousands.
const TRACE: f32 = 54.0;

impl Screen {
    pub(super) fn sheet_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, sheet: Sheet) {
        let w = &words::of(face.language).sheet;
        let t = face.tokens;
        let room =
            Rect::from_min_max(room.min, pos2(room.right(), room.bottom() + token::BOTTOM - token::EDGE));
        match &self.desk.sheet {
            Asked::Here(Ok(lines)) if lines.is_empty() => {
                widget::text_in(ui, room, Align2::CENTER_CENTER, &w.empty, token::plain(token::HEAD), t.weak);
            }
            Asked::Here(Ok(lines)) => {
                let many = sheet == Sheet::Trail;
                widget::card_at(ui, face, room, |ui| {
                    if many {
                        traces_ui(ui, face, lines);
                    } else {
                        widget::scroll(ui, "sheet", |ui| {
                            for line in lines {
                                line_ui(ui, face, line);
                            }
                        });
                    }
                });
            }
            Asked::Here(Err(why)) => {
                let why = why.clone();
                widget::part(ui, room, |ui| widget::note(ui, face, State::Bad, &why));
            }
            _ => widget::text_in(
                ui,
                room,
                Align2::CENTER_CENTER,
                &w.reading,
                token::plain(token::HEAD),
                t.weak,
            ),
        }
    }
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
                widget::text_in(
                    ui,
                    upper,
                    Align2::LEFT_CENTER,
                    &line.head,
                    token::strong(token::SMALL),
                    t.ink,
                );
                // One line of it: the whole entry is in the chain.
                let about = line.about.join("; ");
                widget::data_in(ui, lower, &about, token::plain(token::SMALL), t.weak);
            }
        },
    );
}
