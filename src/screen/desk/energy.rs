//! Energy by months and days, as the meter told it, each with a bar as long as its share of the greatest.

use super::sheet;
use super::words::{self, EnergyWords};
use crate::certificate::energy_log::Used;
use crate::history::Energy;
use crate::screen::app::{Asked, Screen};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget;
use crate::screen::words::fill;
use eframe::egui::{Align2, CornerRadius, Rect, ScrollArea, Sense, Ui, vec2};
use rust_decimal::prelude::ToPrimitive;

/// Height of a line.
const LINE: f32 = 34.0;

/// What of it is said before the number.
pub(super) fn label(w: &EnergyWords, used: &Used) -> String {
    let label = used.label().unwrap_or_else(|| w.no_date.clone());
    if used.running { format!("{label} {}", w.running) } else { label }
}

/// The number.
pub(super) fn kwh(w: &EnergyWords, used: &Used) -> String {
    used.kwh.map_or(w.went_back.clone(), |kwh| format!("{kwh} kWh"))
}

impl Screen {
    pub(super) fn energy_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).energy;
        let t = face.tokens;
        let Asked::Here(Ok(histories)) = &self.desk.history else { return };
        let Some(history) = histories.get(self.desk.shown.0 % histories.len().max(1)) else { return };
        let foot = self.foot(ui);
        let Some(energy) = &history.energy else {
            return sheet::waits(ui, face, room, &w.not_asked);
        };
        let told = fill(&w.told, &[&energy.told.to_string()]);
        widget::text_in(ui, foot, Align2::LEFT_CENTER, &told, token::plain(token::SMALL), t.weak);
        if energy.months.is_empty() && energy.days.is_empty() {
            widget::part(ui, room, |ui| absent_ui(ui, face, w, energy));
            return;
        }
        let [left, right] = widget::split(room, face.upright, [1.0, 1.0]);
        widget::card_at(ui, face, left, |ui| list_ui(ui, face, w, &w.months, &energy.months));
        widget::card_at(ui, face, right, |ui| {
            if !energy.days.is_empty() {
                return list_ui(ui, face, w, &w.days, &energy.days);
            }
            absent_ui(ui, face, w, energy);
        });
    }
}

/// What the meter does not give, in its own words.
fn absent_ui(ui: &mut Ui, face: &Face, w: &EnergyWords, energy: &Energy) {
    widget::scroll(ui, "absent", |ui| {
        widget::note(ui, face, State::Unknown, &w.absent);
        for why in &energy.absent {
            ui.label(widget::weak(&face.language.said(why), face));
        }
    });
}

fn list_ui(ui: &mut Ui, face: &Face, w: &EnergyWords, name: &str, list: &[Used]) {
    let t = face.tokens;
    let (head, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    widget::text_in(ui, head, Align2::LEFT_CENTER, name, token::strong(token::BODY), t.ink);
    let number = |used: &Used| used.kwh.and_then(|kwh| kwh.to_f32()).unwrap_or(0.0);
    let greatest = list.iter().map(number).fold(f32::MIN_POSITIVE, f32::max);
    ScrollArea::vertical().id_salt(name).auto_shrink([false, false]).show_rows(
        ui,
        LINE,
        list.len(),
        |ui, seen| {
            for used in seen.filter_map(|n| list.get(n)) {
                let (rect, _) =
                    ui.allocate_exact_size(vec2(ui.available_width() - 6.0, LINE), Sense::hover());
                let long = (rect.width() * number(used) / greatest).max(1.0);
                let bar = Rect::from_min_size(rect.left_bottom() - vec2(0.0, 6.0), vec2(long, 5.0));
                let field = if used.running { t.line } else { t.lead.field };
                ui.painter().rect_filled(bar, CornerRadius::ZERO, field);
                let text = Rect::from_min_max(rect.min, rect.max - vec2(0.0, 7.0));
                let [left, right] = widget::split(text, false, [1.25, 1.0]);
                widget::data_in(ui, left, &label(w, used), token::plain(token::SMALL), t.ink);
                widget::text_in(
                    ui,
                    right,
                    Align2::RIGHT_CENTER,
                    &kwh(w, used),
                    token::strong(token::SMALL),
                    t.ink,
                );
            }
        },
    );
}
