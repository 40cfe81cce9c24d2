//! Run: how long it still takes, what is done, what flows, the errors as they come, and every step before.

use super::app::{Asked, Screen};
use super::curve;
use super::frame;
use super::port::Live;
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, mark};
use super::words;
use crate::plan::Lane;
use crate::run::{SourceState, Stage, StepSeen};
use crate::time::{Span, now};
use eframe::egui::{
    Align, Align2, CornerRadius, Id, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// Nothing was heard from whoever conducts the run for so long.
const SILENT_AFTER: Span = Span::from_secs(1);

impl Screen {
    /// The page.
    pub(super) fn run_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        let Some(live) = self.live.clone() else {
            let words = if self.stopped.is_some() { &w.run.going_off } else { &w.run.opening };
            widget::part(ui, room, |ui| ui.label(widget::strong(words, token::HEAD)));
            return;
        };
        let banner = self.banner(face, &live);
        let mut room = room;
        if let Some((state, text)) = banner {
            let place = Rect::from_min_size(room.min, vec2(room.width(), 44.0));
            widget::part(ui, place, |ui| widget::note(ui, face, state, &text));
            room.min.y = place.bottom() + token::GAP;
        }
        if face.upright {
            let [head, tiles, plot, steps] = widget::split(room, true, [0.85, 0.62, 2.0, 1.6]);
            head_ui(ui, face, head, &live);
            tiles_ui(ui, face, tiles, &live);
            plot_ui(ui, face, plot, &live);
            steps_ui(ui, face, steps, &live);
        } else {
            let [left, right] = widget::split(room, false, [1.45, 1.0]);
            let [plot, tiles] = widget::split(left, true, [3.0, 1.0]);
            let [head, steps] = widget::split(right, true, [1.0, 2.0]);
            plot_ui(ui, face, plot, &live);
            tiles_ui(ui, face, tiles, &live);
            head_ui(ui, face, head, &live);
            steps_ui(ui, face, steps, &live);
        }
        let foot = self.foot(ui);
        let [upper, lower] = widget::split(foot, true, [1.2, 1.0]);
        let t = face.tokens;
        let doing = doing(face, &live);
        widget::data_in(ui, upper, &doing, token::strong(token::BODY), t.ink);
        let beside = if self.options.simulated { &w.frame.simulated } else { &w.run.stop_by };
        let regulation = match &self.plan {
            Asked::Here(Ok(plan)) => format!("{beside}  ·  {}", plan.regulation),
            _ => beside.clone(),
        };
        widget::data_in(ui, lower, &regulation, token::plain(token::SMALL), t.weak);
    }

    /// What everybody must see at once.
    fn banner(&self, face: &Face, live: &Live) -> Option<(State, String)> {
        let w = face.language.words();
        let seen = &live.snapshot;
        let danger = seen.findings.iter().find(|finding| finding.starts_with("DANGER"));
        if let Some(danger) = danger {
            return Some((State::Bad, face.language.said(danger)));
        }
        let silent = now() - live.looked;
        if seen.outcome.is_none() && silent > SILENT_AFTER {
            return Some((State::Bad, words::fill(&w.run.conductor_silent, &[&silent.to_string()])));
        }
        if let Some((device, since)) = seen.lost {
            let device = face.language.said(&device.to_string());
            return Some((State::Bad, words::fill(&w.run.lost, &[&device, &since.to_string()])));
        }
        if self.stopped.is_some() && seen.source == SourceState::GoingOff {
            return Some((State::Care, w.run.going_off.clone()));
        }
        let last = seen.findings.last()?;
        Some((State::Care, face.language.said(last)))
    }
}

fn doing(face: &Face, live: &Live) -> String {
    let w = face.language.words();
    let seen = &live.snapshot;
    let doing = match seen.doing {
        "setting" => &w.run.setting,
        "settling" => &w.run.settling,
        "measuring" => &w.run.measuring,
        "switching off" => &w.run.switching_off,
        "waiting for the meter's signature" => &w.run.signing,
        _ => &w.run.writing,
    };
    match &seen.step {
        Some((_, title)) if seen.outcome.is_none() => format!("{}: {doing}", face.language.said(title)),
        _ => doing.clone(),
    }
}

/// The countdown.
fn head_ui(ui: &mut Ui, face: &Face, rect: Rect, live: &Live) {
    let w = face.language.words();
    let t = face.tokens;
    let seen = &live.snapshot;
    widget::card_at(ui, face, rect, |ui| {
        let inner = ui.max_rect();
        let bar = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 10.0), inner.max);
        let text = Rect::from_min_max(inner.min, pos2(inner.right(), bar.top() - 2.0));
        let [number, word] = widget::split(text, false, [1.25, 1.0]);
        let left = frame::time(seen.remaining);
        widget::text_in(ui, number, Align2::LEFT_CENTER, &left, token::strong(56.0), t.ink);
        let [upper, lower] = widget::split(word, true, [1.0, 1.0]);
        widget::text_in(
            ui,
            upper,
            Align2::RIGHT_CENTER,
            &w.run.remaining,
            token::plain(token::SMALL),
            t.weak,
        );
        let of = words::fill(&w.run.of, &[&frame::time(seen.elapsed), &frame::time(seen.total)]);
        widget::text_in(ui, lower, Align2::RIGHT_CENTER, &of, token::plain(token::SMALL), t.weak);
        let share = 1.0 - (seen.remaining.secs() / seen.total.secs().max(1.0)).clamp(0.0, 1.0);
        let round = CornerRadius::same(5);
        ui.painter().rect_filled(bar, round, t.line);
        let done = Rect::from_min_size(bar.min, vec2(bar.width() * share as f32, bar.height()));
        ui.painter().rect_filled(done, round, t.lead.field);
    });
}

/// U, I, P and the pulses.
fn tiles_ui(ui: &mut Ui, face: &Face, rect: Rect, live: &Live) {
    let w = face.language.words();
    let seen = &live.snapshot;
    let (voltage, current, power, age) = match seen.sample {
        Some(sample) => (
            format!("{:.1}", sample.voltage.volts()),
            frame::amperes(sample.current.amperes()),
            kilowatts(sample.power.watts()),
            Some(seen.now - sample.taken),
        ),
        None => ("—".into(), "—".into(), "—".into(), None),
    };
    let aged = |age: Option<Span>| age.map_or(String::new(), |age| words::fill(&w.run.ago, &[&short(age)]));
    let measured = aged(age);
    // Its name leaves no room for more.
    let pulse = seen.pulse_age.map_or(String::new(), short);
    let tiles = [
        ("U", voltage, "V", measured.clone()),
        ("I", current, "A", measured.clone()),
        ("P", power, "kW", measured),
        (w.run.pulses.as_str(), seen.pulses.to_string(), "", pulse),
    ];
    for ((name, number, unit, beside), place) in tiles.into_iter().zip(widget::split(rect, false, [1.0; 4])) {
        tile_ui(ui, face, place, name, &number, unit, &beside);
    }
}

fn tile_ui(ui: &mut Ui, face: &Face, rect: Rect, name: &str, number: &str, unit: &str, beside: &str) {
    let t = face.tokens;
    let pen = Stroke::new(t.frame, t.line);
    ui.painter().rect(rect, CornerRadius::same(token::ROUND), t.card, pen, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(8.0, 4.0));
    let [upper, middle] = widget::split(inner, true, [1.0, 1.7]);
    let head = format!("{name} {unit}");
    let named =
        widget::fit(ui, head.trim(), token::strong(token::SMALL), t.weak, upper.size(), Align::Min).size().x;
    let left = Rect::from_min_size(upper.min, vec2(named + 2.0, upper.height()));
    let right = Rect::from_min_max(pos2(left.right() + 2.0, upper.top()), upper.max);
    widget::text_in(ui, left, Align2::LEFT_CENTER, head.trim(), token::strong(token::SMALL), t.weak);
    widget::text_in(ui, right, Align2::RIGHT_CENTER, beside, token::plain(token::SMALL - 2.0), t.weak);
    widget::text_in(ui, middle, Align2::LEFT_CENTER, number, token::strong(token::BIG), t.ink);
    let response = ui.allocate_rect(rect, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {number} {unit}")));
}

fn plot_ui(ui: &mut Ui, face: &Face, rect: Rect, live: &Live) {
    let w = face.language.words();
    let t = face.tokens;
    let active = live.snapshot.step.as_ref().map(|(no, _)| *no);
    widget::card_at(ui, face, rect, |ui| {
        let inner = ui.max_rect();
        let head = Rect::from_min_size(inner.min, vec2(inner.width(), 20.0));
        widget::text_in(ui, head, Align2::LEFT_CENTER, &w.run.curve, token::plain(token::SMALL), t.weak);
        let plot = Rect::from_min_max(pos2(inner.left(), head.bottom()), inner.max);
        widget::part(ui, plot, |ui| curve::curve(ui, face, plot.size(), &live.snapshot.errors, active));
    });
}

fn steps_ui(ui: &mut Ui, face: &Face, rect: Rect, live: &Live) {
    widget::card_at(ui, face, rect, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        widget::scroll(ui, "steps", |ui| {
            for step in &live.snapshot.steps {
                step_ui(ui, face, step);
            }
        });
    });
}

fn step_ui(ui: &mut Ui, face: &Face, step: &StepSeen) {
    let t = face.tokens;
    let w = face.language.words();
    let size = vec2(ui.available_width(), 30.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let sign = Rect::from_min_size(pos2(rect.left() + 2.0, rect.center().y - 10.0), vec2(20.0, 20.0));
    let ink = match step.stage {
        Stage::Waiting | Stage::NotReached => t.weak,
        _ => t.ink,
    };
    match step.stage {
        Stage::Done => mark::mark(ui.painter(), sign, face, State::Good),
        Stage::Waiting => {
            ui.painter().circle_stroke(sign.center(), 7.0, Stroke::new(2.0, t.line));
        }
        Stage::NotReached => {
            let y = sign.center().y;
            ui.painter().hline(sign.x_range(), y, Stroke::new(3.0, t.weak));
        }
        Stage::Active => {
            if step.lane == Lane::Load {
                let back = rect.expand2(vec2(2.0, 0.0));
                ui.painter().rect_filled(back, CornerRadius::same(6), t.lead.field.gamma_multiply(0.22));
                follow(ui, rect, step.no);
            }
            let tip = [(0.2, 0.05), (0.95, 0.5), (0.2, 0.95)];
            let points = tip
                .map(|(x, y)| pos2(sign.left() + sign.width() * x, sign.top() + sign.height() * y))
                .to_vec();
            ui.painter().add(eframe::egui::Shape::convex_polygon(points, t.lead.field, Stroke::NONE));
        }
    }
    let beside = match (step.readings, step.spoiled) {
        (0, 0) => frame::time(step.duration),
        (readings, 0) => words::fill(&w.run.readings, &[&readings.to_string()]),
        (readings, spoiled) => words::fill(&w.run.spoiled, &[&readings.to_string(), &spoiled.to_string()]),
    };
    let right = Rect::from_min_max(pos2(rect.right() - 78.0, rect.top()), rect.max);
    widget::text_in(ui, right, Align2::RIGHT_CENTER, &beside, token::plain(token::SMALL), t.weak);
    let title = face.language.said(&step.title);
    let text =
        Rect::from_min_max(pos2(sign.right() + 8.0, rect.top()), pos2(right.left() - 4.0, rect.bottom()));
    let font =
        if step.stage == Stage::Active { token::strong(token::BODY) } else { token::plain(token::BODY) };
    widget::data_in(ui, text, &title, font, ink);
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, format!("{title}: {}", stage(face, step.stage)))
    });
}

/// Brings a step that has just begun into sight; afterwards the list stays where a finger has put it.
fn follow(ui: &Ui, rect: Rect, no: usize) {
    let id = Id::unique("followed step");
    let before = ui.data_mut(|data| data.get_temp::<usize>(id));
    if before != Some(no) {
        ui.data_mut(|data| data.insert_temp(id, no));
        ui.scroll_to_rect(rect, Some(Align::Center));
    }
}

fn stage(face: &Face, stage: Stage) -> &'static str {
    let w = &face.language.words().run;
    match stage {
        Stage::Waiting => &w.waiting,
        Stage::Active => &w.active,
        Stage::Done => &w.done,
        Stage::NotReached => &w.not_reached,
    }
}

fn kilowatts(watts: f64) -> String {
    let text = format!("{:.3}", watts / 1000.0);
    if text == "-0.000" { "0.000".into() } else { text }
}

/// An age: seconds with a tenth, later minutes.
fn short(span: Span) -> String {
    if span < Span::from_secs(60) { format!("{:.1} s", span.secs().max(0.0)) } else { frame::time(span) }
}
