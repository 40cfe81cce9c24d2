//! Taking in the certificate of a standard: a file on a USB stick or in the folder `imports`, looked at before it is taken, and
//! refused in words where it is none.

use super::port::Ask;
use super::{sheet, words};
use crate::screen::app::{Asked, Screen};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget;
use crate::screen::words::fill;
use eframe::egui::{Rect, Ui};

impl Screen {
    pub(super) fn files_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let words = words::of(face.language);
        let w = &words.standards;
        if let Asked::Here(done) = &self.desk.done {
            let (state, head, said) = match done {
                Ok(said) => (State::Good, &words.act.done, said),
                Err(why) => (State::Bad, &words.act.refused, why),
            };
            let said = face.language.said(said);
            widget::part(ui, room, |ui| {
                ui.label(widget::strong(head, token::BIG));
                widget::note(ui, face, state, &said);
            });
            return;
        }
        let Asked::Here(files) = &self.desk.files else {
            return sheet::waits(ui, face, room, &w.looking);
        };
        if self.desk.done == Asked::Waiting {
            return sheet::waits(ui, face, room, &words.act.working);
        }
        if files.is_empty() {
            return widget::part(ui, room, |ui| widget::note(ui, face, State::Care, &w.no_file));
        }
        let line = |(name, path): &(String, std::path::PathBuf)| super::port::Line {
            head: name.clone(),
            about: vec![path.display().to_string()],
            state: State::Unknown,
        };
        let lines: Vec<_> = files.iter().map(line).collect();
        let pressed = widget::part(ui, room, |ui| sheet::rows_ui(ui, face, "files", &lines));
        let path = pressed.and_then(|n| files.get(n)).map(|(_, path)| path.clone());
        let foot = self.foot(ui);
        let count = fill(&w.files, &[&lines.len().to_string()]);
        let ink = face.tokens.weak;
        let align = eframe::egui::Align2::LEFT_CENTER;
        widget::text_in(ui, foot, align, &count, token::plain(token::SMALL), ink);
        if let Some(path) = path {
            self.order_done(|ticket| Ask::Import { ticket, path });
        }
    }
}
