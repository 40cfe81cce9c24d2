//! Plan: the steps over time against ten minutes, the lower bound, and what cannot be done and why.

use super::app::{Asked, Place, Screen};
use super::frame;
use super::token::{self, Face};
use super::values::{PlanSeen, State};
use super::widget;
use super::words;
use crate::certificate::paper;
use crate::plan::Lane;
use crate::regulation::Item;
use crate::time::Span;
use eframe::egui::{Align2, CornerRadius, Rect, Sense, Stroke, Ui, pos2, vec2};

/// The least height of a row of the chart.
const ROW: f32 = 18.0;
/// Room for the minutes.
const AXIS: f32 = 22.0;

impl Screen {
    /// The page.
    pub(super) fn plan_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        let plan = self.plan.clone();
        let mut may = false;
        match &plan {
            Asked::Here(Ok(plan)) => {
                may = true;
                let [chart, beside] =
                    widget::split(room, face.upright, if face.upright { [1.5, 1.0] } else { [1.55, 1.0] });
                widget::card_at(ui, face, chart, |ui| {
                    widget::scroll(ui, "chart", |ui| chart_ui(ui, face, plan));
                });
                widget::card_at(ui, face, beside, |ui| {
                    widget::scroll(ui, "plan", |ui| said_ui(ui, face, plan));
                });
                let t = face.tokens;
                let foot = self.foot(ui);
                let total = words::fill(&w.plan.total, &[&frame::time(plan.total)]);
                let [upper, lower] = widget::split(foot, true, [1.3, 1.0]);
                let ink = if plan.fits { t.good } else { t.care };
                widget::text_in(ui, upper, Align2::LEFT_CENTER, &total, token::strong(token::HEAD), ink);
                let of = words::fill(&w.plan.at_most, &[&frame::time(plan.total_max), &plan.regulation]);
                widget::text_in(ui, lower, Align2::LEFT_CENTER, &of, token::plain(token::SMALL), t.weak);
            }
            Asked::Here(Err(why)) => {
                widget::part(ui, room, |ui| {
                    widget::note(ui, face, State::Bad, &face.language.said(why));
                });
            }
            _ => {
                widget::part(ui, room, |ui| {
                    ui.label(widget::strong(&w.plan.planning, token::HEAD));
                });
            }
        }
        let begin = if self.pre_check { &w.plan.begin_check } else { &w.plan.begin };
        if self.lead_ui(ui, face, begin, may) {
            self.go(Place::Run);
        }
    }
}

fn said_ui(ui: &mut Ui, face: &Face, plan: &PlanSeen) {
    let w = face.language.words();
    if plan.simulated {
        widget::note(ui, face, State::Care, &w.frame.simulated);
    }
    ui.label(format!("{}: {}", w.meter.regulation, plan.regulation));
    let (state, text) = if plan.fits {
        (State::Good, words::fill(&w.plan.fits, &[&frame::time(plan.most)]))
    } else {
        (State::Care, words::fill(&w.plan.does_not_fit, &[&frame::time(plan.most)]))
    };
    widget::note(ui, face, state, &text);
    ui.label(words::fill(&w.plan.lower_bound, &[&frame::time(plan.lower_bound)]));
    if let Some(by_hand) = plan.by_hand {
        ui.label(words::fill(&w.plan.by_hand, &[&frame::time(by_hand)]));
    }
    for advice in &plan.advice {
        ui.label(widget::weak(&face.language.said(advice), face));
    }
    for (item, why) in &plan.cannot {
        let item = face.language.of(paper::words::item(*item));
        widget::note(ui, face, State::Care, &format!("{item}: {}", face.language.said(why)));
    }
    for doubt in &plan.doubts {
        widget::note(ui, face, State::Care, &face.language.said(doubt));
    }
    if let Some(left_out) = &plan.left_out {
        ui.label(widget::strong(&w.plan.left_out, token::BODY));
        left_out_ui(ui, face, left_out);
    } else if !plan.no_certificate.is_empty() {
        ui.label(widget::strong(&w.plan.test_report, token::BODY));
        for why in &plan.no_certificate {
            ui.label(widget::weak(&face.language.said(why), face));
        }
    }
}

/// What a pre-check leaves out, in one paragraph.
pub(super) fn left_out_ui(ui: &mut Ui, face: &Face, left_out: &[String]) {
    let item = |item| face.language.of(paper::words::item(item));
    let said = |what: &String| {
        if let Some(known) = Item::ALL.into_iter().find(|item| item.to_string() == *what) {
            return item(known);
        }
        match what.strip_prefix("basic_error at ") {
            Some(term) => format!("{} {term}", item(Item::BasicError)),
            None => face.language.said(what),
        }
    };
    let all: Vec<String> = left_out.iter().map(said).collect();
    ui.label(widget::weak(&all.join("  ·  "), face));
}

fn chart_ui(ui: &mut Ui, face: &Face, plan: &PlanSeen) {
    let t = face.tokens;
    let rows = plan.bars.len().max(1) as f32;
    let least = rows * ROW + AXIS;
    let size = vec2(ui.available_width(), ui.available_height().max(least));
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let names = (rect.width() * 0.4).min(190.0);
    let left = rect.left() + names;
    let wide = rect.width() - names - 4.0;
    let end = plan.total.max(Span::from_secs(60));
    let x = |at: Span| left + wide * (at.secs() / end.secs()) as f32;
    let whole_minutes = (end.secs() / 60.0).floor() as i64;
    let every = (whole_minutes / 8).max(1);
    let bottom = rect.bottom() - AXIS;
    for minute in (0..=whole_minutes).step_by(usize::try_from(every).unwrap_or(1)) {
        let at = x(Span::from_secs(minute * 60));
        ui.painter().vline(at, rect.top()..=bottom, Stroke::new(token::THIN, t.line));
        let font = token::plain(token::SMALL - 1.0);
        ui.painter().text(pos2(at, rect.bottom()), Align2::CENTER_BOTTOM, format!("{minute}′"), font, t.weak);
    }
    if plan.total > plan.most {
        ui.painter().vline(x(plan.most), rect.top()..=bottom, Stroke::new(token::THICK, t.bad));
    }
    let tall = ((bottom - rect.top()) / rows).min(30.0);
    let size = (tall * 0.78).clamp(9.0, token::SMALL);
    for (row, bar) in plan.bars.iter().enumerate() {
        let y = rect.top() + row as f32 * tall;
        let name = Rect::from_min_size(pos2(rect.left(), y), vec2(names - 8.0, tall));
        let title = face.language.said(&bar.title);
        let galley =
            widget::fit(ui, &title, token::plain(size), t.ink, name.size(), eframe::egui::Align::Min);
        let at = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), name);
        ui.painter().galley(at.min, galley, t.ink);
        let from = x(bar.start);
        let to = x(bar.start + bar.duration).max(from + 3.0);
        let place = Rect::from_min_max(pos2(from, y + tall * 0.16), pos2(to, y + tall * 0.84));
        match bar.lane {
            Lane::Load => ui.painter().rect_filled(place, CornerRadius::same(3), t.lead.field),
            // What runs beside is hollow: told apart without colour.
            Lane::Data => ui.painter().rect(
                place,
                CornerRadius::same(3),
                t.card,
                Stroke::new(1.5, t.lead.field),
                eframe::egui::StrokeKind::Inside,
            ),
        };
    }
}
