//! Look: what only a person can see. Each check has its drawing and two answers; a photograph and the seals stand beside.

use super::app::{Asked, Place, Screen};
use super::draft::Check;
use super::keyboard::{Entry, Target};
use super::port::Order;
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, Weight, drawing, mark};
use crate::time::Stamp;
use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// Letters of a seal's place that are shown.
const PLACE: usize = 16;

impl Screen {
    /// The page.
    pub(super) fn look_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        if self.draft.is_none() {
            return self.next_meter();
        }
        let [checks, beside] =
            widget::split(room, face.upright, if face.upright { [1.0, 1.0] } else { [1.35, 1.0] });
        widget::part(ui, checks, |ui| {
            widget::scroll(ui, "checks", |ui| {
                for check in Check::ALL {
                    self.check_ui(ui, face, check);
                }
            });
        });
        widget::part(ui, beside, |ui| widget::scroll(ui, "beside", |ui| self.beside_ui(ui, face)));
        let foot = self.foot(ui);
        let [all, said] = widget::split(foot, false, if face.upright { [1.0, 0.01] } else { [1.0, 1.2] });
        if widget::button_at(ui, face, Weight::Plain, &w.look.all_good, all).clicked()
            && let Some(draft) = &mut self.draft
        {
            for check in Check::ALL {
                if draft.answered(check).is_none() {
                    draft.answer(check, true);
                }
            }
        }
        let done = self.draft.as_ref().is_some_and(super::draft::Draft::is_looked_at);
        if !done && !face.upright {
            let text = &w.look.what_was_not_seen;
            widget::text_in(
                ui,
                said,
                Align2::LEFT_CENTER,
                text,
                token::plain(token::SMALL),
                face.tokens.weak,
            );
        }
        if self.lead_ui(ui, face, &w.frame.next, true) {
            self.go(Place::Connect);
        }
    }

    fn check_ui(&mut self, ui: &mut Ui, face: &Face, check: Check) {
        let w = face.language.words();
        let t = face.tokens;
        let Some(draft) = &mut self.draft else { return };
        let now = draft.answered(check);
        let size = vec2(ui.available_width(), 64.0);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        widget::card_at(ui, face, rect, |_| ());
        let inner = rect.shrink(4.0);
        let picture = Rect::from_min_size(inner.min, vec2(inner.height(), inner.height()));
        drawing::check(ui.painter(), picture, face, check);
        let name = name(face, check);
        let wide = token::TARGET + 6.0;
        for (index, (ok, state, word)) in
            [(true, State::Good, &w.look.good), (false, State::Bad, &w.look.bad)].into_iter().enumerate()
        {
            let left = inner.right() - (2.0 - index as f32) * (wide + 4.0) + 4.0;
            let place = Rect::from_min_size(pos2(left, inner.top()), vec2(wide, inner.height()));
            let response = ui.allocate_rect(place, Sense::click());
            response.widget_info(|| {
                let label = format!("{name}: {word}");
                WidgetInfo::selected(Role::Button, true, now == Some(ok), label)
            });
            let chosen = now == Some(ok);
            let field = if chosen { mark::color(face, state) } else { t.button.field };
            widget::plate(ui, face, place, field, &response);
            let sign = Rect::from_center_size(place.center(), vec2(30.0, 30.0));
            if chosen {
                // On its own colour only the ink of the mark is drawn.
                mark::ink(ui.painter(), sign, t.on_state, ok);
            } else {
                mark::mark(ui.painter(), sign, face, state);
            }
            if response.clicked() {
                draft.answer(check, ok);
            }
        }
        let text = Rect::from_min_max(
            pos2(picture.right() + 10.0, inner.top()),
            pos2(inner.right() - 2.0 * (wide + 4.0), inner.bottom()),
        );
        let [upper, lower] = widget::split(text, true, [1.0, 1.0]);
        widget::text_in(ui, upper, Align2::LEFT_CENTER, name, token::strong(token::BODY), t.ink);
        widget::text_in(
            ui,
            lower,
            Align2::LEFT_CENTER,
            about(face, check),
            token::plain(token::SMALL),
            t.weak,
        );
    }

    fn beside_ui(&mut self, ui: &mut Ui, face: &Face) {
        let w = face.language.words();
        let Some(draft) = self.draft.clone() else { return };
        let wide = ui.available_width();
        let half = (wide - token::GAP) / 2.0;
        let mut typed = None;
        let mut field = |ui: &mut Ui, wide: f32, target, name: &str, text: &str, number| {
            if widget::entry(ui, face, vec2(wide, token::TARGET), name, text, false).clicked() {
                typed = Some(Entry::new(target, name, text, number));
            }
        };
        for (n, (place, number)) in draft.placed.iter().enumerate() {
            // What fits beside it on any of our screens; the paper says it whole.
            let place: String = place.chars().take(PLACE).collect();
            field(ui, wide, Target::SealAt(n), &format!("{}: {place}", w.look.seals), number, true);
        }
        field(ui, wide, Target::Seals, &w.look.seals, &draft.seals, true);
        field(ui, wide, Target::Remark, &w.look.remark, &draft.remark, false);
        ui.horizontal(|ui| {
            field(ui, half, Target::Temperature, &w.look.temperature, &draft.temperature, true);
            field(ui, half, Target::Humidity, &w.look.humidity, &draft.humidity, true);
        });
        field(ui, wide, Target::Operator, &w.look.operator, &draft.operator, false);
        ui.horizontal(|ui| {
            field(ui, half, Target::Site, &w.look.site, &draft.site, false);
            field(ui, half, Target::Customer, &w.look.customer, &draft.customer, false);
        });
        let weight = if draft.clock_checked { Weight::Chosen } else { Weight::Plain };
        if widget::button(ui, face, weight, &w.look.clock_checked, vec2(wide, token::TARGET)).clicked()
            && let Some(draft) = &mut self.draft
        {
            draft.entered_on(Stamp::now().date());
            draft.clock_checked = !draft.clock_checked;
        }
        self.photo_ui(ui, face, draft.photo.as_ref().map(|photo| photo.name.as_str()));
        if let Some(entry) = typed {
            self.entry = Some(entry);
        }
    }

    fn photo_ui(&mut self, ui: &mut Ui, face: &Face, taken: Option<&str>) {
        let w = face.language.words();
        let wide = ui.available_width();
        ui.label(widget::strong(&w.look.photograph, token::BODY));
        if let Some(name) = taken {
            widget::note(ui, face, State::Good, name);
        }
        if widget::button(ui, face, Weight::Plain, &w.look.camera, vec2(wide, token::TARGET)).clicked() {
            self.photos = Asked::Waiting;
            self.port.order(Order::TakePhoto);
        }
        let mut chosen = None;
        match &self.photos {
            Asked::Waiting => {
                ui.label(widget::weak(&w.look.looking_for_photos, face));
            }
            Asked::Here(Err(why)) => widget::note(ui, face, State::Care, &face.language.said(why)),
            Asked::Here(Ok(files)) if files.is_empty() => {
                ui.label(widget::weak(&w.look.no_photos, face));
            }
            Asked::Here(Ok(files)) => {
                for file in files {
                    let is_it = taken == Some(file.name.as_str());
                    let weight = if is_it { Weight::Chosen } else { Weight::Plain };
                    if widget::button(ui, face, weight, &file.name, vec2(wide, token::TARGET)).clicked() {
                        chosen = Some(file.clone());
                    }
                }
            }
            Asked::No => {}
        }
        if let (Some(file), Some(draft)) = (chosen, &mut self.draft) {
            draft.photo = Some(file);
        }
    }
}

fn name(face: &Face, check: Check) -> &'static str {
    let w = &face.language.words().look;
    match check {
        Check::Housing => &w.housing,
        Check::Marks => &w.marks,
        Check::Seals => &w.seal,
        Check::Display => &w.display,
        Check::Pulse => &w.pulse,
    }
}

fn about(face: &Face, check: Check) -> &'static str {
    let w = &face.language.words().look;
    match check {
        Check::Housing => &w.housing_about,
        Check::Marks => &w.marks_about,
        Check::Seals => &w.seal_about,
        Check::Display => &w.display_about,
        Check::Pulse => &w.pulse_about,
    }
}
