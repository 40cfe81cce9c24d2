//! The choice of what is looked at, and the lists.

use super::port::Sheet;
use super::words;
use super::{Field, Page};
use crate::screen::app::Screen;
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::widget;
use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

impl Screen {
    pub(super) fn home_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).home;
        let tiles = [
            (&w.board, &w.board_about),
            (&w.register, &w.register_about),
            (&w.history, &w.history_about),
            (&w.standards, &w.standards_about),
            (&w.profiles, &w.profiles_about),
            (&w.trail, &w.trail_about),
            (&w.persons, &w.persons_about),
            (&w.pre_check, &w.pre_check_about),
        ];
        let columns = if face.upright { 2 } else { 4 };
        let lines = tiles.len().div_ceil(columns);
        let size = vec2(
            (room.width() - token::GAP * (columns as f32 - 1.0)) / columns as f32,
            ((room.height() - token::GAP * (lines as f32 - 1.0)) / lines as f32).min(190.0),
        );
        let mut pressed = None;
        for (index, (head, about)) in tiles.into_iter().enumerate() {
            let (column, line) = (index % columns, index / columns);
            let at = pos2(
                room.left() + column as f32 * (size.x + token::GAP),
                room.top() + line as f32 * (size.y + token::GAP),
            );
            if tile(ui, face, Rect::from_min_size(at, size), head, about) {
                pressed = Some(index);
            }
        }
        let page = match pressed {
            Some(0) => Page::Board,
            Some(1) => Page::Register,
            Some(2) => {
                let target = Target::Desk(Field::Number);
                self.entry = Some(Entry::new(target, &w.number, "", false));
                return;
            }
            Some(3) => Page::Sheet(Sheet::Standards),
            Some(4) => Page::Profiles,
            Some(5) => Page::Sheet(Sheet::Trail(String::new())),
            Some(6) => Page::Persons,
            Some(7) => return self.set_pre_check(true),
            _ => return,
        };
        self.lay(page);
    }
}

fn tile(ui: &mut Ui, face: &Face, rect: Rect, head: &str, about: &str) -> bool {
    let t = face.tokens;
    let response = ui.allocate_rect(rect, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, head));
    widget::plate(ui, face, rect, t.card, &response);
    let inner = rect.shrink(token::EDGE);
    let [upper, lower] = widget::split(inner, true, [1.2, 1.0]);
    widget::text_in(ui, upper, Align2::LEFT_CENTER, head, token::strong(token::HEAD), t.ink);
    widget::text_in(ui, lower, Align2::LEFT_TOP, about, token::plain(token::SMALL), t.weak);
    response.clicked()
}
