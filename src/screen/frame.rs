//! What stands around every page: above it the way and the source's real state, below it the way on and, in a run, STOP.

use super::app::{Place, Screen};
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, Weight, drawing, mark};
use super::words;
use crate::run::SourceState;
use eframe::egui::{
    Align2, CornerRadius, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// Room below the bar at the top.
pub(super) fn below_top(whole: Rect) -> Rect {
    Rect::from_min_max(pos2(whole.left(), whole.top() + token::TOP), whole.max)
}

/// Where STOP is: the same place on every page.
pub(super) fn stop_place(whole: Rect) -> Rect {
    let size = token::STOP;
    Rect::from_min_size(
        pos2(
            whole.right() - token::EDGE - size.x,
            whole.bottom() - token::BOTTOM + (token::BOTTOM - size.y) / 2.0,
        ),
        size,
    )
}

/// Where the button that leads on is: where STOP is in a run, so that it never moves.
pub(super) fn lead_place(whole: Rect) -> Rect {
    stop_place(whole)
}

/// Not the second tap of a double one, which may have been meant for what stood in this place before.
fn is_first(response: &Response) -> bool {
    response.clicked() && !response.double_clicked() && !response.triple_clicked()
}

impl Screen {
    /// The bars; gives the room between them.
    pub(super) fn frame_ui(&mut self, ui: &mut Ui, face: &Face, whole: Rect) -> Rect {
        self.top_ui(ui, face, whole);
        if self.is_under_way() {
            self.stop_ui(ui, face, stop_place(whole));
        }
        let mut room = below_top(whole);
        room.max.y -= token::BOTTOM;
        room.shrink2(vec2(token::EDGE, 0.0)).with_min_y(room.top() + token::GAP)
    }

    /// The bar at the top.
    pub(super) fn top_ui(&mut self, ui: &mut Ui, face: &Face, whole: Rect) {
        let t = face.tokens;
        let w = face.language.words();
        let bar = Rect::from_min_size(whole.min, vec2(whole.width(), token::TOP));
        let field = if self.is_pre_check() { t.check.field } else { t.card };
        ui.painter().rect_filled(bar, 0.0, field);
        ui.painter().hline(bar.x_range(), bar.bottom(), Stroke::new(t.frame, t.line));
        let side = token::TARGET;
        let inner = bar.shrink2(vec2(token::EDGE, 2.0));
        let mut left = inner.left();
        if let Some(before) =
            self.before().filter(|_| !self.is_under_way() && self.entry.is_none() && !self.lock.is_locked())
        {
            let place = Rect::from_min_size(pos2(left, inner.top()), vec2(side, side));
            let response = ui.allocate_rect(place, Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &w.frame.back));
            widget::plate(ui, face, place, t.button.field, &response);
            drawing::arrow_left(ui.painter(), place, t.button.ink);
            if response.clicked() {
                if self.place == Place::Desk {
                    self.desk_back();
                } else if !std::mem::take(&mut self.choosing) {
                    self.go(before);
                }
            }
            left = place.right() + token::GAP;
        }
        let state = self.source_ui(ui, face, inner);
        let mut right = state.left() - token::GAP;
        for which in [0, 1] {
            let place = Rect::from_min_size(pos2(right - side, inner.top()), vec2(side, side));
            if which == 0 {
                let name = if face.language == super::Language::Chinese { "EN" } else { "中文" };
                if is_first(&widget::button_at(ui, face, Weight::Plain, name, place)) {
                    self.language = self.language.other();
                }
            } else {
                let response = ui.allocate_rect(place, Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &w.frame.light));
                widget::plate(ui, face, place, t.button.field, &response);
                drawing::theme(ui.painter(), place, face, self.theme);
                if is_first(&response) {
                    self.theme = self.theme.next();
                }
            }
            right = place.left() - token::GAP;
        }
        let title = Rect::from_min_max(pos2(left, inner.top()), pos2(right, inner.bottom()));
        self.title_ui(ui, face, title);
    }

    /// The page's name, and where on the way it is.
    fn title_ui(&self, ui: &mut Ui, face: &Face, rect: Rect) {
        let t = face.tokens;
        let name =
            if self.place == Place::Desk { self.desk_title(face) } else { page_name(face, self.place) };
        let upper = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - 20.0));
        if self.is_pre_check() {
            return self.pre_check_ui(ui, face, [upper, rect], name);
        }
        widget::text_in(ui, upper, Align2::LEFT_CENTER, name, token::strong(token::HEAD), t.ink);
        let Some(here) = Place::WAY.iter().position(|place| *place == self.place) else { return };
        let long = ((rect.width() - 6.0 * 4.0) / 7.0).min(40.0);
        for index in 0..Place::WAY.len() {
            let left = rect.left() + index as f32 * (long + 4.0);
            let bar = Rect::from_min_size(pos2(left, rect.bottom() - 13.0), vec2(long, 7.0));
            let round = CornerRadius::same(3);
            // What is still to come is hollow: told apart without colour.
            match index {
                i if i < here => ui.painter().rect_filled(bar, round, t.good),
                i if i == here => ui.painter().rect_filled(bar, round, t.lead.field),
                _ => ui.painter().rect_stroke(bar, round, Stroke::new(1.5, t.line), StrokeKind::Inside),
            };
        }
    }

    /// In place of the way: that nothing is certified.
    fn pre_check_ui(&self, ui: &mut Ui, face: &Face, [upper, whole]: [Rect; 2], name: &str) {
        let w = &face.language.words().frame;
        let ink = face.tokens.check.ink;
        let name = match self.place {
            // Their own names speak of a verification.
            Place::Run | Place::Result => w.pre_check.clone(),
            _ => format!("{} · {name}", w.pre_check),
        };
        widget::text_in(ui, upper, Align2::LEFT_CENTER, &name, token::strong(token::HEAD), ink);
        let lower = Rect::from_min_max(pos2(whole.left(), upper.bottom()), whole.max);
        widget::text_in(
            ui,
            lower,
            Align2::LEFT_CENTER,
            &w.certifies_nothing,
            token::strong(token::SMALL),
            ink,
        );
        let response = ui.allocate_rect(whole, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &w.certifies_nothing));
    }

    /// The source's real state, or that nobody knows it, always in the upper right corner. Gives its place.
    fn source_ui(&self, ui: &mut Ui, face: &Face, bar: Rect) -> Rect {
        let t = face.tokens;
        let w = face.language.words();
        let wide = if face.upright { 128.0 } else { 184.0 };
        let rect = Rect::from_min_max(pos2(bar.right() - wide, bar.top()), bar.max);
        let state = self.source();
        let seen = self.live.as_ref().and_then(|live| live.snapshot.sample);
        let (word, beside) = match state {
            None => (&w.source.unknown, w.source.measure_first.clone()),
            Some(SourceState::Off) => (&w.source.off, w.source.no_load.clone()),
            Some(SourceState::NotSafe) => (&w.source.not_safe, w.source.do_not_touch.clone()),
            Some(SourceState::Changing) => (&w.source.changing, String::new()),
            Some(SourceState::On) => (&w.source.on, String::new()),
            Some(SourceState::GoingOff) => (&w.source.going_off, String::new()),
        };
        let beside = match seen {
            Some(sample) if beside.is_empty() => {
                format!("{:.0} V {} A", sample.voltage.volts(), glance(sample.current.amperes()))
            }
            _ => beside,
        };
        let round = CornerRadius::same(token::ROUND);
        let (field, ink, frame) = match state {
            None => (t.unknown, t.on_state, t.unknown),
            Some(SourceState::Off) => (t.card, t.good, t.good),
            Some(SourceState::NotSafe) => (t.stop.field, t.stop.ink, t.stop.field),
            Some(_) => (t.live.field, t.live.ink, t.live.ink),
        };
        ui.painter().rect(rect, round, field, Stroke::new(token::THICK, frame), StrokeKind::Inside);
        let sign = Rect::from_min_size(pos2(rect.left() + 8.0, rect.center().y - 14.0), vec2(28.0, 28.0));
        match state {
            None => mark::mark_inverse(ui.painter(), sign, face, State::Unknown),
            Some(SourceState::Off) => mark::mark(ui.painter(), sign, face, State::Good),
            Some(_) => drawing::bolt(ui.painter(), sign, ink),
        }
        let text = Rect::from_min_max(pos2(sign.right() + 6.0, rect.top() + 4.0), rect.max - vec2(6.0, 4.0));
        let upper = Rect::from_min_size(text.min - vec2(0.0, 1.0), vec2(text.width(), 27.0));
        let lower = Rect::from_min_max(pos2(text.left(), upper.bottom()), text.max);
        widget::text_in(ui, upper, Align2::LEFT_CENTER, word, token::strong(token::BODY), ink);
        widget::text_in(ui, lower, Align2::LEFT_CENTER, &beside, token::plain(token::SMALL), ink);
        let response = ui.allocate_rect(rect, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{word} {beside}")));
        rect
    }

    /// The red STOP.
    pub(super) fn stop_ui(&mut self, ui: &mut Ui, face: &Face, rect: Rect) {
        let w = face.language.words();
        let text = if self.stopped.is_some() { &w.frame.stopping } else { &w.frame.stop };
        self.stop_at = Some(rect);
        if widget::button_at(ui, face, Weight::Stop, text, rect).clicked() {
            // By the keyboard's focus or a screen reader; a finger has been seen before.
            self.stop("STOP on the screen");
        }
    }

    /// The button that leads on, at the foot of a page. True where it was pressed.
    pub(super) fn lead_ui(&mut self, ui: &mut Ui, face: &Face, text: &str, enabled: bool) -> bool {
        if self.is_under_way() {
            return false;
        }
        let place = lead_place(self.whole(ui));
        ui.add_enabled_ui(enabled, |ui| widget::button_at(ui, face, Weight::Lead, text, place).clicked())
            .inner
    }

    /// Room at the foot of a page, left of the button that leads on.
    pub(super) fn foot(&self, ui: &Ui) -> Rect {
        let whole = self.whole(ui);
        let lead = lead_place(whole);
        Rect::from_min_max(
            pos2(whole.left() + token::EDGE, lead.top()),
            pos2(lead.left() - token::GAP, lead.bottom()),
        )
    }

    /// The whole screen.
    #[expect(clippy::unused_self, reason = "a question to the screen")]
    pub(super) fn whole(&self, ui: &Ui) -> Rect {
        ui.ctx().content_rect()
    }
}

/// The name of a page.
fn page_name(face: &Face, place: Place) -> &'static str {
    let w = face.language.words();
    match place {
        Place::Start => &w.frame.start,
        Place::Meter => &w.frame.meter,
        Place::Look => &w.frame.look,
        Place::Connect => &w.frame.connect,
        Place::Plan => &w.frame.plan,
        Place::Run => &w.frame.run,
        // The desk names its own pages.
        Place::Result | Place::Desk => &w.frame.result,
    }
}

/// A current: four figures, at most three of them behind the point.
pub(super) fn amperes(current: f64) -> String {
    let decimals = match current.abs() {
        100.0.. => 1,
        10.0..100.0 => 2,
        _ => 3,
    };
    without_sign(format!("{current:.decimals$}"))
}

/// A current at a glance: three figures.
fn glance(current: f64) -> String {
    let decimals = match current.abs() {
        100.0.. => 0,
        10.0..100.0 => 1,
        _ => 2,
    };
    without_sign(format!("{current:.decimals$}"))
}

/// What rounds to nothing has no sign.
fn without_sign(text: String) -> String {
    if text.trim_start_matches(['-', '0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// A length of time for a line: `9:58`.
pub(super) fn time(span: crate::time::Span) -> String {
    words::clock(span)
}
