//! The history of a charger: its visits, the drift at a load point with the day at which it would reach its limit, and two
//! visits side by side.

use super::words::{self, HistoryWords};
use super::{Page, sheet};
use crate::certificate::{number, paper};
use crate::history::compare::{Comparison, Pair};
use crate::history::drift::{SPAN_MIN, VISITS_MIN};
use crate::history::{Drift, History, Outlook, Visit};
use crate::screen::app::{Asked, Screen};
use crate::screen::curve::quiet;
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight, mark};
use crate::screen::words::fill;
use eframe::egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use egui_plot::{HLine, Line, LineStyle, MarkerShape, PlotBounds, Points};
use jiff::civil::Date;

/// Height of a visit's line.
const VISIT: f32 = 60.0;
/// Height of a pair's line.
const PAIR: f32 = 58.0;

/// An error with its sign.
fn signed(value: f64) -> String {
    let text = number::fixed(value, 3);
    if value > 0.0 && !text.trim_matches(['0', '.']).is_empty() { format!("+{text}") } else { text }
}

/// What is said of a drift.
fn outlook(w: &HistoryWords, outlook: &Outlook) -> (State, String) {
    match outlook {
        Outlook::TooFew { visits } => {
            (State::Unknown, fill(&w.too_few, &[&VISITS_MIN.to_string(), &visits.to_string()]))
        }
        Outlook::TooShort { days } => {
            (State::Unknown, fill(&w.too_short, &[&SPAN_MIN.to_string(), &days.to_string()]))
        }
        Outlook::Beyond => (State::Bad, w.beyond.clone()),
        Outlook::Steady => (State::Good, w.steady.clone()),
        Outlook::NotWithin { until } => (State::Good, fill(&w.not_within, &[&until.to_string()])),
        Outlook::Reaches { on, not_before, not_after } => {
            let after = not_after.map_or(w.later.clone(), |day| day.to_string());
            let between = fill(&w.between, &[&not_before.to_string(), &after]);
            (State::Care, format!("{}, {between}", fill(&w.reaches, &[&on.to_string()])))
        }
    }
}

impl Screen {
    pub(super) fn history_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).history;
        let Some(histories) = sheet::here(ui, face, room, &self.desk.history, &w.reading).cloned() else {
            return;
        };
        let (meter, point) = self.desk.shown;
        let Some(history) = histories.get(meter % histories.len().max(1)) else { return };
        let [left, right] = widget::split(room, face.upright, [1.0, 1.45]);
        let pressed = widget::part(ui, left, |ui| visits_ui(ui, face, history));
        let drift = history.drifts.get(point % history.drifts.len().max(1));
        widget::card_at(ui, face, right, |ui| drift_ui(ui, face, w, drift));
        let foot = self.foot(ui);
        let [energy, next_meter, next_point] = widget::split(foot, false, [1.0; 3]);
        let by_month = &words::of(face.language).energy.title;
        if widget::button_at(ui, face, Weight::Plain, by_month, energy).clicked() {
            self.lay(Page::Energy);
        }
        if histories.len() > 1
            && widget::button_at(ui, face, Weight::Plain, &w.next_meter, next_meter).clicked()
        {
            self.desk.shown = ((meter + 1) % histories.len(), 0);
        }
        if history.drifts.len() > 1
            && widget::button_at(ui, face, Weight::Plain, &w.next_point, next_point).clicked()
        {
            self.desk.shown.1 = (point + 1) % history.drifts.len();
        }
        let two = history.last_two.clone();
        if self.lead_ui(ui, face, &w.last_two, two.is_some())
            && let Some(two) = two
        {
            self.desk.compared = Asked::Here(Ok(Box::new(two)));
            self.lay(Page::Compare);
        }
        if let Some(number) = pressed {
            self.lay_paper(&number);
        }
    }

    pub(super) fn compare_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).history;
        if let Some(comparison) = sheet::here(ui, face, room, &self.desk.compared, &w.reading) {
            widget::part(ui, room, |ui| side_by_side(ui, face, w, comparison));
        }
    }
}

/// The visits, the newest first. Gives the paper that was pressed.
fn visits_ui(ui: &mut Ui, face: &Face, history: &History) -> Option<String> {
    let t = face.tokens;
    let meter = &history.meter;
    let head = format!("{} {}", meter.model, meter.serial);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    widget::data_in(ui, rect, &head, token::strong(token::BODY), t.ink);
    let mut pressed = None;
    let visits: Vec<&Visit> = history.visits.iter().rev().collect();
    if !history.unreadable.is_empty() {
        // Packages that a backup took away may be many: the visits keep their room.
        let most = ui.available_height() * 0.4;
        ScrollArea::vertical().id_salt("unreadable").max_height(most).show(ui, |ui| {
            for wrong in &history.unreadable {
                widget::note(ui, face, State::Bad, wrong);
            }
        });
    }
    ScrollArea::vertical().id_salt("visits").auto_shrink([false, false]).show_rows(
        ui,
        VISIT,
        visits.len(),
        |ui, seen| {
            for visit in seen.filter_map(|n| visits.get(n)) {
                let (rect, response) =
                    ui.allocate_exact_size(vec2(ui.available_width(), VISIT), Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &visit.certificate_no));
                widget::plate(ui, face, rect, t.card, &response);
                let inner = rect.shrink2(vec2(10.0, 5.0));
                let sign = Rect::from_min_size(
                    pos2(inner.right() - 24.0, inner.center().y - 12.0),
                    vec2(24.0, 24.0),
                );
                let state = match visit.verdict {
                    Some(verdict) if visit.stands() => mark::of_verdict(verdict),
                    _ => State::Unknown,
                };
                mark::mark(ui.painter(), sign, face, state);
                let text = Rect::from_min_max(inner.min, pos2(sign.left() - 6.0, inner.bottom()));
                let [upper, lower] = widget::split(text, true, [1.1, 1.0]);
                let day = visit.day().to_string();
                widget::text_in(ui, upper, Align2::LEFT_CENTER, &day, token::strong(token::BODY), t.ink);
                let about = format!("{}  {}", visit.certificate_no, status(face, &visit.status));
                widget::data_in(ui, lower, &about, token::plain(token::SMALL), t.weak);
                if response.clicked() {
                    pressed = Some(visit.certificate_no.clone());
                }
            }
        },
    );
    pressed
}

/// The state of a paper in words.
pub(super) fn status<'a>(face: &Face, status: &'a str) -> &'a str {
    let w = &words::of(face.language).paper;
    match status {
        "draft" => &w.draft,
        "checked" => &w.checked,
        "issued" => &w.issued,
        "amended" => &w.amended,
        "withdrawn" => &w.withdrawn,
        other => other,
    }
}

fn drift_ui(ui: &mut Ui, face: &Face, w: &HistoryWords, drift: Option<&Drift>) {
    let t = face.tokens;
    let Some(drift) = drift else { return };
    let wide = ui.available_width();
    let current = drift.current_a.map_or(String::new(), |a| format!(" {} A", number::plain(a)));
    let item = face.language.of(paper::words::item(drift.item));
    let head = format!("{}: {item} {}{current}", w.drift, drift.at);
    let line = |ui: &mut Ui, text: &str, font, ink, high: f32| {
        let (rect, _) = ui.allocate_exact_size(vec2(wide, high), Sense::hover());
        widget::text_in(ui, rect, Align2::LEFT_CENTER, text, font, ink);
    };
    line(ui, &head, token::strong(token::BODY), t.ink, 24.0);
    let size = vec2(wide, (ui.available_height() - 90.0).max(80.0));
    plot_ui(ui, face, size, drift);
    if let Some(fit) = drift.line {
        let slope = signed(fit.per_year);
        let u = number::uncertainty(fit.k * fit.u_per_year);
        let said = format!("{}; {}", fill(&w.a_year, &[&slope, &u]), w.estimate);
        line(ui, &said, token::plain(token::SMALL), t.weak, 22.0);
    }
    let (state, said) = outlook(w, &drift.outlook);
    line(ui, &said, token::strong(token::SMALL), mark::color(face, state), 40.0);
}

/// Errors over the years with their uncertainties, the line through them and the limits.
fn plot_ui(ui: &mut Ui, face: &Face, size: Vec2, drift: &Drift) {
    let t = face.tokens;
    let (Some(first), Some(last)) = (drift.points.first(), drift.points.last()) else { return };
    let zero = first.0;
    let days = |day: Date| f64::from((day - zero).get_days());
    let until = match &drift.outlook {
        Outlook::Reaches { on, .. } => days(*on).max(days(last.0)),
        _ => days(last.0),
    };
    let width = until.max(30.0);
    let greatest =
        drift.points.iter().map(|(_, value, u)| value.abs() + u).fold(drift.limit, f64::max) * 1.15;
    ui.scope(|ui| {
        quiet(ui, face, "drift", size)
            .x_axis_formatter(move |mark, _| {
                let day =
                    zero.saturating_add(jiff::Span::new().days(mark.value.clamp(-36_500.0, 36_500.0) as i64));
                day.strftime("%Y-%m").to_string()
            })
            .show(ui, |plot| {
                plot.set_plot_bounds(PlotBounds::from_min_max(
                    [-0.06 * width, -greatest],
                    [1.06 * width, greatest],
                ));
                plot.hline(HLine::new("0", 0.0).color(t.weak).width(1.0));
                for limit in [drift.limit, -drift.limit] {
                    plot.hline(HLine::new("limit", limit).color(t.bad).width(2.0));
                }
                if let Some(fit) = &drift.line {
                    let ends = [zero, zero.saturating_add(jiff::Span::new().days(width as i64))];
                    let points: Vec<[f64; 2]> = ends.iter().map(|day| [days(*day), fit.at(*day).0]).collect();
                    plot.line(
                        Line::new("line", points)
                            .color(t.lead.field)
                            .width(2.0)
                            .style(LineStyle::dashed_loose()),
                    );
                }
                for (day, value, u) in &drift.points {
                    let x = days(*day);
                    plot.line(Line::new("U", vec![[x, value - u], [x, value + u]]).color(t.ink).width(2.0));
                    let shape =
                        if value.abs() > drift.limit { MarkerShape::Square } else { MarkerShape::Circle };
                    plot.points(
                        Points::new("error", vec![[x, *value]]).shape(shape).radius(5.0).color(t.ink),
                    );
                }
            });
    });
}

fn side_by_side(ui: &mut Ui, face: &Face, w: &HistoryWords, comparison: &Comparison) {
    let t = face.tokens;
    let wide = ui.available_width();
    if !comparison.same_meter {
        widget::note(ui, face, State::Care, &w.different);
    }
    let (head, _) = ui.allocate_exact_size(vec2(wide, 46.0), Sense::hover());
    let [left, right] = widget::split(head, false, [1.0, 1.0]);
    for (rect, name, one) in [(left, &w.before, &comparison.before), (right, &w.after, &comparison.after)] {
        let [upper, lower] = widget::split(rect, true, [1.0, 1.0]);
        let text = format!("{name}: {} {}", one.day, one.certificate_no);
        widget::text_in(ui, upper, Align2::LEFT_CENTER, &text, token::strong(token::SMALL), t.ink);
        let about = format!("{}  {}", one.reference_certificate_no, status(face, &one.status));
        widget::data_in(ui, lower, &about, token::plain(token::SMALL), t.weak);
    }
    let lines = comparison.pairs.len() + comparison.only_in_one.len();
    ScrollArea::vertical().id_salt("pairs").auto_shrink([false, false]).show_rows(
        ui,
        PAIR,
        lines,
        |ui, seen| {
            for n in seen {
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), PAIR), Sense::hover());
                if let Some(pair) = comparison.pairs.get(n) {
                    pair_ui(ui, face, w, rect, pair);
                } else {
                    let only = comparison.only_in_one.get(n - comparison.pairs.len());
                    let text = format!("{}: {}", w.not_both, only.map_or("", String::as_str));
                    widget::data_in(ui, rect, &text, token::plain(token::SMALL), t.weak);
                }
            }
        },
    );
}

fn pair_ui(ui: &Ui, face: &Face, w: &HistoryWords, rect: Rect, pair: &Pair) {
    let t = face.tokens;
    let state = if pair.is_change() || pair.is_hint() { State::Care } else { State::Good };
    let sign = Rect::from_min_size(pos2(rect.left(), rect.center().y - 11.0), vec2(token::MARK, token::MARK));
    mark::mark(ui.painter(), sign, face, state);
    let inner = Rect::from_min_max(pos2(sign.right() + 8.0, rect.top() + 3.0), rect.max - vec2(0.0, 3.0));
    let [upper, lower] = widget::split(inner, true, [1.0, 1.0]);
    let current = pair.current_a.map_or(String::new(), |a| format!(" {} A", number::plain(a)));
    let changed = match (pair.is_change(), pair.is_hint()) {
        (true, _) => &*w.changed,
        (_, true) => &*w.perhaps,
        _ => "",
    };
    let head = format!("{} {}{current}  {changed}", pair.item, pair.at);
    widget::text_in(ui, upper, Align2::LEFT_CENTER, head.trim(), token::strong(token::SMALL), t.ink);
    let value = |value: f64, u: f64| format!("{} ± {}", signed(value), number::uncertainty(u));
    let shared = pair
        .e_n_shared
        .map_or(String::new(), |e_n| format!("   {} = {}", w.e_n_shared, number::fixed(e_n, 2)));
    let said = format!(
        "{} → {} {}   {} {}   {} = {}{shared}",
        value(pair.before, pair.before_u),
        value(pair.after, pair.after_u),
        pair.unit,
        w.change,
        signed(pair.change),
        w.e_n,
        number::fixed(pair.e_n, 2)
    );
    widget::text_in(ui, lower, Align2::LEFT_CENTER, &said, token::plain(token::SMALL), t.ink);
}
