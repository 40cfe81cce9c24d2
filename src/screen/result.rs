//! Result: read from across the yard, by shape, word, colour and sound. It stays until somebody goes on.

use super::app::Screen;
use super::frame;
use super::token::{self, Face};
use super::values::{End, Ended, Leads, ResultLine, State};
use super::widget::{self, drawing, mark};
use super::words;
use crate::certificate::paper;
use crate::verdict::Verdict;
use eframe::egui::{Align2, CornerRadius, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

impl Screen {
    /// The page.
    pub(super) fn result_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        let Some(ended) = self.ended.clone() else { return self.next_meter() };
        let [sign, said] =
            widget::split(room, face.upright, if face.upright { [1.0, 1.25] } else { [1.0, 1.3] });
        verdict_ui(ui, face, sign, &ended);
        widget::card_at(ui, face, said, |ui| widget::scroll(ui, "result", |ui| said_ui(ui, face, &ended)));
        let foot = self.foot(ui);
        let t = face.tokens;
        let [upper, lower] = widget::split(foot, true, [1.2, 1.0]);
        let (state, text) = match ended.leads {
            Leads::Safe => (State::Good, &w.result.safe),
            Leads::NotSafe => (State::Bad, &w.result.not_safe),
            Leads::Unknown => (State::Care, &w.result.not_measured),
        };
        let place = Rect::from_min_size(upper.min, vec2(upper.height(), upper.height()));
        mark::mark(ui.painter(), place, face, state);
        let text_place = Rect::from_min_max(pos2(place.right() + 8.0, upper.top()), upper.max);
        let color = mark::color(face, state);
        widget::text_in(ui, text_place, Align2::LEFT_CENTER, text, token::strong(token::BODY), color);
        let took = words::fill(&w.result.took, &[&frame::time(ended.elapsed)]);
        widget::text_in(ui, lower, Align2::LEFT_CENTER, &took, token::plain(token::SMALL), t.weak);
        if self.lead_ui(ui, face, &w.result.next_meter, true) {
            self.next_meter();
        }
    }
}

/// The state that an end looks like, and its word.
fn end(face: &Face, end: &End) -> (State, &'static str) {
    let w = &face.language.words().result;
    match end {
        End::Decided(Verdict::Pass) => (State::Good, &w.pass),
        End::Decided(Verdict::Fail) => (State::Bad, &w.fail),
        End::Decided(Verdict::Undecided) => (State::Care, &w.undecided),
        End::Checked { beyond: 0, undecided: 0, .. } => (State::Good, &w.nothing_found),
        End::Checked { .. } => (State::Care, &w.found),
        End::Aborted(_) => (State::Unknown, &w.aborted),
        End::Faulted(_) => (State::Unknown, &w.faulted),
        End::Failed(_) => (State::Unknown, &w.failed),
    }
}

fn verdict_ui(ui: &mut Ui, face: &Face, rect: Rect, ended: &Ended) {
    let t = face.tokens;
    let w = face.language.words();
    if let End::Checked { beyond, undecided, .. } = ended.end {
        return checked_ui(ui, face, rect, ended, (beyond, undecided));
    }
    let (state, word) = end(face, &ended.end);
    let field = mark::color(face, state);
    ui.painter().rect_filled(rect, CornerRadius::same(token::ROUND), field);
    let inner = rect.shrink(14.0);
    let [shape, text, number] = if face.upright {
        let [upper, number] = widget::split(inner, true, [1.0, 0.28]);
        let [shape, text] = widget::split(upper, false, [0.8, 1.3]);
        [shape, text, number]
    } else {
        widget::split(inner, true, [1.15, 0.9, 0.45])
    };
    let side = shape.width().min(shape.height()) * 0.96;
    let sign = Rect::from_center_size(shape.center(), vec2(side, side));
    // The mark in the ink of the field, its inside in the field's colour: seen against sun and dark alike.
    mark::mark_inverse(ui.painter(), sign, face, state);
    widget::text_in(ui, text, Align2::CENTER_CENTER, word, token::strong(token::HUGE), t.on_state);
    let said = if ended.number.is_empty() { String::new() } else { ended.number.clone() };
    let [upper, lower] = widget::split(number, true, [1.0, 1.0]);
    widget::text_in(ui, upper, Align2::CENTER_CENTER, &said, token::strong(token::HEAD), t.on_state);
    let document = if ended.simulated { w.frame.simulated.clone() } else { document(face, ended) };
    widget::text_in(ui, lower, Align2::CENTER_CENTER, &document, token::plain(token::BODY), t.on_state);
    let response = ui.allocate_rect(rect, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
}

/// A pre-check: neither the colours nor the marks nor the words of a verdict.
fn checked_ui(ui: &mut Ui, face: &Face, rect: Rect, ended: &Ended, (beyond, undecided): (usize, usize)) {
    let t = face.tokens.check;
    let w = face.language.words();
    ui.painter().rect_filled(rect, CornerRadius::same(token::ROUND), t.field);
    let [name, seen, nothing, number] = widget::split(rect.shrink(14.0), true, [1.2, 1.1, 0.5, 0.4]);
    let said = words::fill(end(face, &ended.end).1, &[&beyond.to_string(), &undecided.to_string()]);
    let lines = [
        (name, w.frame.pre_check.as_str(), token::strong(token::HUGE)),
        (seen, said.as_str(), token::strong(token::BIG * 1.3)),
        (nothing, w.frame.certifies_nothing.as_str(), token::strong(token::HEAD)),
    ];
    for (place, text, font) in lines {
        widget::text_in(ui, place, Align2::CENTER_CENTER, text, font, t.ink);
    }
    let last = if ended.simulated { &w.frame.simulated } else { &ended.number };
    widget::text_in(ui, number, Align2::CENTER_CENTER, last, token::plain(token::BODY), t.ink);
    let response = ui.allocate_rect(rect, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
}

/// The kind of paper.
fn document(face: &Face, ended: &Ended) -> String {
    ended.document.map_or(String::new(), |document| face.language.of(paper::words::document(document)))
}

fn said_ui(ui: &mut Ui, face: &Face, ended: &Ended) {
    let w = face.language.words();
    match &ended.end {
        End::Aborted(why) | End::Faulted(why) | End::Failed(why) => {
            ui.label(RichText::new(face.language.said(why)).size(token::BODY));
            ui.label(widget::weak(&w.result.no_verdict, face));
        }
        End::Decided(_) | End::Checked { .. } => {}
    }
    let not_passed: Vec<&ResultLine> =
        ended.lines.iter().filter(|line| line.verdict != Verdict::Pass).collect();
    if matches!(ended.end, End::Decided(_) | End::Checked { .. }) {
        for line in &not_passed {
            line_ui(ui, face, line, &ended.end);
        }
    }
    if let End::Checked { left_out, .. } = &ended.end {
        ui.label(widget::strong(&w.result.left_out, token::BODY));
        super::plan::left_out_ui(ui, face, left_out);
    }
    for finding in &ended.findings {
        let state = if finding.starts_with("DANGER") { State::Bad } else { State::Care };
        widget::note(ui, face, state, &face.language.said(finding));
    }
    if let Some(qr) = &ended.qr {
        let wide = ui.available_width();
        let side = wide.min(230.0);
        ui.horizontal(|ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &w.result.qr));
            drawing::square(ui.painter(), rect, qr);
            if wide - side > 90.0 {
                ui.vertical(|ui| {
                    ui.set_width(wide - side - token::GAP * 2.0);
                    ui.label(widget::strong(&document(face, ended), token::BODY));
                    ui.label(widget::weak(&w.result.qr_about, face));
                    ui.label(widget::weak(&w.result.draft, face));
                });
            }
        });
    }
    if !ended.lines.is_empty() {
        ui.label(widget::strong(&w.result.items, token::BODY));
        for line in &ended.lines {
            line_ui(ui, face, line, &ended.end);
        }
    }
    for notice in &ended.notices {
        ui.label(widget::weak(&face.language.said(notice), face));
    }
    if !ended.folder.is_empty() {
        ui.label(widget::weak(&words::fill(&w.result.written, &[&ended.folder]), face));
    }
}

fn line_ui(ui: &mut Ui, face: &Face, line: &ResultLine, end: &End) {
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(token::MARK, token::MARK), Sense::hover());
        let state = match (end, line.verdict) {
            // A pre-check fails nothing: somebody should see to it.
            (End::Checked { .. }, Verdict::Fail) => State::Care,
            (_, verdict) => mark::of_verdict(verdict),
        };
        mark::mark(ui.painter(), rect, face, state);
        let width = ui.available_width();
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 1.0;
            let item = face.language.of(paper::words::item(line.item));
            let head = if line.point.is_empty() { item } else { format!("{item}  {}", line.point) };
            ui.label(widget::strong(&head, token::BODY));
            let mut about = vec![];
            if !line.value.is_empty() {
                let w = &face.language.words().result;
                about.push(words::fill(&w.number, &[&line.value, &line.expanded, &line.limit]));
            }
            if line.verdict != Verdict::Pass || line.value.is_empty() {
                about.push(face.language.said(&line.reason));
            }
            ui.label(widget::weak(&about.join("  ·  "), face));
        });
    });
}
