//! Taking something along: to a folder of the tester or a USB stick, with how far it is, and what came of it.

use super::port::{Ask, Form};
use super::words;
use super::{Page, sheet};
use crate::screen::app::{Asked, Screen};
use crate::screen::token::{self, Face};
use crate::screen::widget::{self, Weight};
use crate::screen::words::fill;
use eframe::egui::{CornerRadius, Rect, Sense, Ui, vec2};
use std::path::PathBuf;

impl Screen {
    pub(super) fn export_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, form: &Form) {
        let w = &words::of(face.language).export;
        if let Asked::Here(done) = &self.desk.done {
            return sheet::came(ui, face, room, done, [&w.done, &w.refused]);
        }
        if self.desk.done == Asked::Waiting {
            let (done, of) = self.desk.progress.unwrap_or((0, 1));
            widget::part(ui, room, |ui| {
                progress_ui(ui, face, &fill(&w.working, &[&done.to_string(), &of.to_string()]), done, of);
            });
            return;
        }
        let Asked::Here(places) = &self.desk.places else {
            return sheet::waits(ui, face, room, &w.looking);
        };
        let places = places.clone();
        let pressed = widget::part(ui, room, |ui| {
            ui.label(widget::strong(&w.where_to, token::BODY));
            places_ui(ui, face, &w.exports, &places)
        });
        self.form_ui(ui, face, form);
        if let Some(to) = pressed {
            let form = form.clone();
            self.order_done(|ticket| Ask::Export { ticket, form, to });
        }
    }

    /// A paper goes along as a whole or as its PDF.
    fn form_ui(&mut self, ui: &mut Ui, face: &Face, form: &Form) {
        let w = &words::of(face.language).export;
        let (Form::Pdf(number) | Form::Package(number)) = form else { return };
        let foot = self.foot(ui);
        let whole = matches!(form, Form::Package(_));
        let choices = [(true, w.package.as_str()), (false, w.pdf.as_str())];
        let chosen = widget::part(ui, foot, |ui| widget::choice(ui, face, foot.size(), whole, &choices));
        if let (Some(whole), Some(page)) = (chosen, self.desk.pages.last_mut()) {
            let number = number.clone();
            *page = Page::Export(if whole { Form::Package(number) } else { Form::Pdf(number) });
        }
    }
}

fn progress_ui(ui: &mut Ui, face: &Face, text: &str, done: usize, of: usize) {
    let t = face.tokens;
    ui.label(widget::strong(text, token::HEAD));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let round = CornerRadius::same(token::ROUND);
    ui.painter().rect_filled(rect, round, t.line);
    let share = done as f32 / of.max(1) as f32;
    let filled = Rect::from_min_size(rect.min, vec2(rect.width() * share.min(1.0), rect.height()));
    ui.painter().rect_filled(filled, round, t.lead.field);
}

/// The places as large buttons.
fn places_ui(ui: &mut Ui, face: &Face, own: &str, places: &[(String, PathBuf)]) -> Option<PathBuf> {
    let mut pressed = None;
    widget::scroll(ui, "places", |ui| {
        for (name, path) in places {
            let text =
                if name == "exports" { own.to_owned() } else { format!("{name}  ({})", path.display()) };
            let size = vec2(ui.available_width() - 14.0, 64.0);
            if widget::button(ui, face, Weight::Plain, &text, size).clicked() {
                pressed = Some(path.clone());
            }
        }
    });
    pressed
}
