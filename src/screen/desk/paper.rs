//! A paper: its verdict and state, who has signed, the errors as measured with their limits, the budget of each, and what may be
//! done to it.

use super::history::status;
use super::port::{Act, Form, PaperSeen, PointSeen, Sheet};
use super::words::{self, PaperWords};
use super::{Field, Page, sheet};
use crate::certificate::issue::{Field as Correctable, Role as Signing, Status};
use crate::certificate::{number, paper};
use crate::screen::app::Screen;
use crate::screen::curve;
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight, mark};
use crate::screen::words::fill;
use eframe::egui::{Align2, Rect, RichText, Sense, Ui, vec2};

/// As what somebody signs.
pub(super) fn role(w: &PaperWords, role: Signing) -> &str {
    match role {
        Signing::Verifier => &w.as_verifier,
        Signing::Checker => &w.as_checker,
        Signing::Approver => &w.as_approver,
    }
}

/// What may be done next that leads on.
#[derive(Clone, Copy, PartialEq)]
enum Lead {
    Sign(Signing),
    Issue,
    Nothing,
}

fn lead(paper: &PaperSeen) -> Lead {
    match (paper.next, paper.status) {
        (Some(role), _) => Lead::Sign(role),
        (None, Status::Draft | Status::Checked) if paper.signatures.len() == Signing::ALL.len() => {
            Lead::Issue
        }
        _ => Lead::Nothing,
    }
}

/// What stands beside a paper.
enum Beside {
    /// Another paper, to be picked.
    Compare,
    /// All that was done to it.
    Trail,
}

impl Screen {
    pub(super) fn paper_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).paper;
        let Some(paper) = sheet::here(ui, face, room, &self.desk.paper, &w.reading).cloned() else { return };
        let [left, right] = widget::split(room, face.upright, [1.0, 1.3]);
        let beside = widget::card_at(ui, face, left, |ui| {
            widget::scroll(ui, "paper", |ui| said_ui(ui, face, w, &paper))
        });
        let point = self.desk.point % paper.points.len().max(1);
        let chosen = widget::card_at(ui, face, right, |ui| points_ui(ui, face, w, &paper, point));
        self.desk.point = chosen;
        self.paper_foot_ui(ui, face, &paper);
        match beside {
            Some(Beside::Compare) => {
                self.desk.picked = Some(paper.number.clone());
                self.lay(Page::Register);
            }
            Some(Beside::Trail) => self.lay(Page::Sheet(Sheet::Trail(paper.number.clone()))),
            None => {}
        }
    }

    fn paper_foot_ui(&mut self, ui: &mut Ui, face: &Face, paper: &PaperSeen) {
        let w = &words::of(face.language).paper;
        let foot = self.foot(ui);
        let issued = paper.status == Status::Issued;
        let [history, export, amend, withdraw] = widget::split(foot, false, [1.0; 4]);
        let mut button = |place: Rect, text: &str, enabled: bool| {
            ui.add_enabled_ui(enabled, |ui| widget::button_at(ui, face, Weight::Plain, text, place).clicked())
                .inner
        };
        if button(history, &w.history, true) {
            self.lay_history(&paper.number);
        } else if button(export, &w.export, true) {
            self.lay(Page::Export(Form::Package(paper.number.clone())));
        } else if button(amend, &w.amend, issued) {
            self.lay_who(Act::Amend {
                field: Correctable::Customer,
                to: String::new(),
                reason: String::new(),
            });
        } else if button(withdraw, &w.withdraw, issued) {
            let title = format!("{}  {}: {}", w.withdraw, paper.number, w.reason);
            self.entry = Some(Entry::new(Target::Desk(Field::Withdraw), &title, "", false));
        }
        let (text, enabled) = match lead(paper) {
            Lead::Sign(as_what) => (format!("{}: {}", w.sign, role(w, as_what)), true),
            Lead::Issue => (w.issue.clone(), true),
            Lead::Nothing => (w.sign.clone(), false),
        };
        if self.lead_ui(ui, face, &text, enabled) {
            match lead(paper) {
                Lead::Sign(as_what) => self.lay_who(Act::Sign(as_what)),
                Lead::Issue => {
                    self.lay_who(Act::Issue);
                    self.let_do(None);
                }
                Lead::Nothing => {}
            }
        }
    }

    /// The reason for which a paper is amended.
    pub(super) fn type_reason(&mut self) {
        let w = &words::of(self.language).paper;
        self.entry = Some(Entry::new(Target::Desk(Field::Amend), &w.reason, "", false));
    }
}

fn said_ui(ui: &mut Ui, face: &Face, w: &PaperWords, paper: &PaperSeen) -> Option<Beside> {
    let mut pressed = None;
    let size = vec2(ui.available_width() - 6.0, token::TARGET);
    let t = face.tokens;
    let verdict = paper.verdict.map_or(State::Unknown, mark::of_verdict);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::hover());
        mark::mark(ui.painter(), rect, face, verdict);
        let word = paper.verdict.map_or(String::new(), |v| face.language.of(paper::words::verdict(v)));
        ui.label(widget::strong(&word, token::HEAD));
        ui.label(widget::strong(status(face, &paper.status.to_string()), token::BODY));
    });
    if paper.simulated {
        ui.label(widget::strong(&face.language.words().frame.simulated, token::BODY));
    }
    ui.label(widget::strong(&paper.number, token::BODY));
    if let Some(document) = paper.document {
        ui.label(widget::weak(&face.language.of(paper::words::document(document)), face));
    }
    for against in &paper.against {
        widget::note(ui, face, State::Care, &face.language.said(against));
    }
    ui.label(RichText::new(&paper.meter).size(token::SMALL).color(t.ink));
    let performed = face.language.stamp_of(&paper.performed);
    for text in [&paper.charger, &paper.customer, &paper.regulation, &performed] {
        ui.label(widget::weak(text, face));
    }
    if let Some(day) = paper.valid_until {
        ui.label(widget::strong(&fill(&w.valid_until, &[&day.to_string()]), token::SMALL));
    }
    for finding in &paper.findings {
        widget::note(ui, face, State::Care, &face.language.said(finding));
    }
    if !paper.signatures.is_empty() {
        ui.label(widget::strong(&w.signed, token::BODY));
    }
    for (as_what, person, at) in &paper.signatures {
        ui.label(widget::weak(
            &format!("{}: {person}, {}", role(w, *as_what), face.language.stamp_of(at)),
            face,
        ));
    }
    if widget::button(ui, face, Weight::Plain, &w.compare, size).clicked() {
        pressed = Some(Beside::Compare);
    }
    ui.label(widget::strong(&w.entries, token::BODY));
    for (seq, kind, time) in &paper.entries {
        ui.label(widget::weak(&format!("{seq}  {kind}  {}", face.language.stamp_of(time)), face));
    }
    if widget::button(ui, face, Weight::Plain, &w.trail, size).clicked() {
        pressed = Some(Beside::Trail);
    }
    pressed
}

/// The curve, and below it the budget of one point, which a tap changes. Gives the point.
fn points_ui(ui: &mut Ui, face: &Face, w: &PaperWords, paper: &PaperSeen, point: usize) -> usize {
    let Some(chosen) = paper.points.get(point) else {
        ui.label(widget::weak(&w.no_points, face));
        return 0;
    };
    let wide = ui.available_width();
    let errors: Vec<_> = paper.points.iter().map(|point| point.seen.clone()).collect();
    let high = (ui.available_height() * 0.5).max(90.0);
    curve::curve(ui, face, vec2(wide, high), &errors, Some(chosen.seen.step));
    let current = crate::screen::frame::amperes(chosen.seen.load.current_a.amperes());
    let text = match chosen.seen.mean {
        Some((error, expanded)) => format!(
            "{current} A: {} % ± {} % (k = {})",
            number::fixed(error, 3),
            number::uncertainty(expanded),
            number::coverage_factor(chosen.k)
        ),
        None => format!("{current} A"),
    };
    let next = widget::button(ui, face, Weight::Plain, &text, vec2(wide, token::TARGET)).clicked();
    ui.label(widget::weak(&w.budget, face));
    widget::scroll(ui, "budget", |ui| budget_ui(ui, face, chosen, wide));
    if next { (point + 1) % paper.points.len() } else { point }
}

/// The components, the largest first, each with its share as a bar.
fn budget_ui(ui: &mut Ui, face: &Face, point: &PointSeen, wide: f32) {
    let t = face.tokens;
    let all: f64 = point.budget.iter().map(|c| c.u * c.u).sum();
    let mut budget: Vec<_> = point.budget.iter().collect();
    budget.sort_by(|a, b| b.u.total_cmp(&a.u));
    for component in budget {
        let (rect, _) = ui.allocate_exact_size(vec2(wide - 16.0, 24.0), Sense::hover());
        let share = if all > 0.0 { (component.u * component.u / all) as f32 } else { 0.0 };
        let bar = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
        ui.painter().rect_filled(bar, 3.0, t.line);
        let [label, value] = widget::split(rect, false, [3.0, 1.0]);
        let label = label.shrink2(vec2(4.0, 0.0));
        let name = face.language.said(&component.label);
        widget::text_in(ui, label, Align2::LEFT_CENTER, &name, token::plain(token::SMALL), t.ink);
        let u = format!("{} %", number::uncertainty(component.u));
        widget::text_in(ui, value, Align2::RIGHT_CENTER, &u, token::plain(token::SMALL), t.ink);
    }
}
