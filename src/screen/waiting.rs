//! A run that a crash or a power failure has left, on the first page: go on with it, or close it.

use super::app::Screen;
use super::keyboard::{Entry, Target};
use super::port::Order;
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, Weight, mark};
use super::words;
use eframe::egui::{Rect, RichText, Sense, Ui, vec2};

impl Screen {
    /// What is known of it, and the way to close it.
    pub(super) fn waiting_ui(&mut self, ui: &mut Ui, face: &Face, rect: Rect) {
        let Some(waiting) = self.waiting.clone() else { return };
        let w = &face.language.words().waiting;
        let [card, close] = widget::split(rect, true, [1.0, 0.22]);
        widget::card_at(ui, face, card, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::hover());
                mark::mark(ui.painter(), rect, face, State::Care);
                let width = ui.available_width();
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.label(widget::strong(&w.interrupted, token::HEAD));
                });
            });
            widget::scroll(ui, "waiting", |ui| {
                ui.label(widget::strong(&waiting.meter, token::BODY));
                if !waiting.at.is_empty() {
                    let at = words::fill(&w.at, &[&face.language.said(&waiting.at)]);
                    ui.label(RichText::new(at).size(token::BODY));
                }
                let last = waiting.last.map_or(String::new(), |last| face.language.stamp(last));
                ui.label(widget::weak(&words::fill(&w.number, &[&waiting.number, &last]), face));
                ui.label(RichText::new(face.language.said(&waiting.why)).size(token::BODY));
                let about = if waiting.may_go_on { &w.about } else { &w.only_close };
                ui.label(widget::weak(about, face));
                for words in &self.set_right {
                    widget::note(ui, face, State::Care, &face.language.said(words));
                }
            });
        });
        let text = if self.closing { &w.close_again } else { &w.close };
        if widget::button_at(ui, face, Weight::Plain, text, close.shrink2(vec2(0.0, 4.0))).clicked() {
            if self.closing {
                self.begin(Order::CloseWaiting);
            } else {
                self.closing = true;
            }
        }
    }

    /// The button that goes on.
    pub(super) fn go_on_ui(&mut self, ui: &mut Ui, face: &Face) {
        let Some(waiting) = self.waiting.clone() else { return };
        let w = &face.language.words().waiting;
        if !self.lead_ui(ui, face, &w.go_on, waiting.may_go_on) {
            return;
        }
        if waiting.asks_serial {
            self.entry = Some(Entry::new(Target::GoOn, &w.serial, "", true));
        } else {
            self.begin(Order::GoOn { serial: None });
        }
    }
}
