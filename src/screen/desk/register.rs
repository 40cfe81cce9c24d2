//! The register: looked through by serial number, site, customer or verifier, by verdict and state. Only what is seen of it is
//! read, so that a hundred thousand rows scroll as ten do.

use super::history::status;
use super::port::{Ask, Form, Row};
use super::words;
use super::{Field, Page};
use crate::certificate::issue::Status;
use crate::certificate::paper;
use crate::screen::app::{Asked, Screen};
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight, mark};
use crate::screen::words::fill;
use crate::verdict::Verdict;
use eframe::egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// Height of a row.
const ROW: f32 = 60.0;
/// Rows that are fetched at once, beside what is seen.
const AROUND: usize = 40;
/// States in the order in which a tap goes on.
const STATES: [Option<Status>; 6] = [
    None,
    Some(Status::Draft),
    Some(Status::Checked),
    Some(Status::Issued),
    Some(Status::Amended),
    Some(Status::Withdrawn),
];

impl Screen {
    pub(super) fn register_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).register;
        let t = face.tokens;
        let mut top = Rect::from_min_max(room.min, pos2(room.right(), room.top() + 58.0));
        let filters = if face.upright {
            let below = top.translate(vec2(0.0, 58.0 + token::GAP));
            let search = std::mem::replace(&mut top, below);
            self.search_ui(ui, face, search);
            below
        } else {
            let [search, filters] = widget::split(top, false, [1.0, 1.35]);
            self.search_ui(ui, face, search);
            filters
        };
        self.filters_ui(ui, face, filters);
        let below = Rect::from_min_max(pos2(room.left(), top.bottom() + token::GAP), room.max);
        let pressed = match &self.desk.found {
            Asked::Here(Ok(0)) => {
                widget::text_in(ui, below, Align2::CENTER_CENTER, &w.none, token::plain(token::HEAD), t.weak);
                None
            }
            Asked::Here(Ok(count)) => {
                let count = *count;
                widget::part(ui, below, |ui| self.rows_ui(ui, face, count))
            }
            Asked::Here(Err(why)) => {
                let why = why.clone();
                widget::part(ui, below, |ui| widget::note(ui, face, State::Bad, &why));
                None
            }
            _ => {
                widget::text_in(
                    ui,
                    below,
                    Align2::CENTER_CENTER,
                    &w.looking,
                    token::plain(token::HEAD),
                    t.weak,
                );
                None
            }
        };
        let foot = self.foot(ui);
        let [count, csv] = widget::split(foot, false, [1.0, 1.0]);
        if let Asked::Here(Ok(found)) = &self.desk.found {
            let text = match &self.desk.picked {
                Some(first) => fill(&w.pick, &[first]),
                None => fill(&w.count, &[&found.to_string()]),
            };
            widget::text_in(ui, count, Align2::LEFT_CENTER, &text, token::strong(token::BODY), t.ink);
        }
        let wanted = self.desk.wanted.clone();
        if widget::button_at(ui, face, Weight::Plain, &w.csv, csv).clicked() {
            self.lay(Page::Export(Form::Csv(wanted)));
        } else if self.lead_ui(ui, face, &w.xlsx, true) {
            self.lay(Page::Export(Form::Xlsx(wanted)));
        } else if let Some(number) = pressed {
            match self.desk.picked.clone() {
                Some(first) => {
                    self.desk.compared = Asked::Waiting;
                    self.ask(Ask::Compare(first, number));
                    self.lay(Page::Compare);
                }
                None => self.lay_paper(&number),
            }
        }
    }

    fn search_ui(&mut self, ui: &mut Ui, face: &Face, rect: Rect) {
        let w = &words::of(face.language).register;
        let text = self.desk.wanted.text.clone();
        let pressed = widget::part(ui, rect, |ui| {
            widget::entry(ui, face, rect.size(), &w.search, &text, false).clicked()
        });
        if pressed {
            self.entry = Some(Entry::new(Target::Desk(Field::Search), &w.search, &text, false));
        }
    }

    fn filters_ui(&mut self, ui: &mut Ui, face: &Face, rect: Rect) {
        let w = &words::of(face.language).register;
        let verdicts = [None, Some(Verdict::Pass), Some(Verdict::Fail), Some(Verdict::Undecided)];
        let names = verdicts.map(|verdict| match verdict {
            None => w.all.clone(),
            Some(verdict) => face.language.of(paper::words::verdict(verdict)),
        });
        let choices: Vec<(Option<Verdict>, &str)> =
            verdicts.into_iter().zip(names.iter().map(String::as_str)).collect();
        let [verdict, state] = widget::split(rect, false, [3.4, 1.0]);
        let now = self.desk.wanted.verdict;
        let chosen = widget::part(ui, verdict, |ui| widget::choice(ui, face, verdict.size(), now, &choices));
        let word = match self.desk.wanted.status {
            None => w.all.clone(),
            Some(state) => status(face, &state.to_string()).to_owned(),
        };
        if let Some(verdict) = chosen {
            self.desk.wanted.verdict = verdict;
            self.look_through();
        } else if widget::button_at(ui, face, Weight::Plain, &word, state).clicked() {
            let place = STATES.iter().position(|state| *state == self.desk.wanted.status).unwrap_or(0);
            self.desk.wanted.status = STATES[(place + 1) % STATES.len()];
            self.look_through();
        }
    }

    /// The rows, as many as are seen. Gives the paper that was pressed.
    fn rows_ui(&mut self, ui: &mut Ui, face: &Face, count: usize) -> Option<String> {
        let mut pressed = None;
        let mut shown = 0..0;
        ScrollArea::vertical().id_salt("register").auto_shrink([false, false]).show_rows(
            ui,
            ROW,
            count,
            |ui, seen| {
                for n in seen.clone() {
                    let (rect, response) =
                        ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
                    let row = n.checked_sub(self.desk.rows.from).and_then(|n| self.desk.rows.list.get(n));
                    let Some(row) = row else { continue };
                    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &row.number));
                    widget::plate(ui, face, rect, face.tokens.card, &response);
                    row_ui(ui, face, rect, row);
                    if response.clicked() {
                        pressed = Some(row.number.clone());
                    }
                }
                shown = seen;
            },
        );
        let rows = &mut self.desk.rows;
        let has = rows.from..rows.from + rows.list.len();
        let lacks = shown.start < has.start || shown.end > has.end;
        if lacks {
            let from = shown.start.saturating_sub(AROUND);
            let wanted = (from, shown.end - from + AROUND);
            if rows.waiting != Some(wanted) {
                rows.waiting = Some(wanted);
                self.ask(Ask::Rows { from: wanted.0, count: wanted.1 });
            }
        }
        pressed
    }
}

fn row_ui(ui: &Ui, face: &Face, rect: Rect, row: &Row) {
    let t = face.tokens;
    let inner = rect.shrink2(vec2(10.0, 4.0));
    let sign = Rect::from_min_size(pos2(inner.left(), inner.center().y - 12.0), vec2(24.0, 24.0));
    mark::mark(ui.painter(), sign, face, row.verdict.map_or(State::Unknown, mark::of_verdict));
    let text = Rect::from_min_max(pos2(sign.right() + 10.0, inner.top()), inner.max);
    let [upper, lower] = widget::split(text, true, [1.1, 1.0]);
    let [number, meter] = widget::split(upper, false, [1.0, 1.2]);
    let [day, place] = widget::split(lower, false, [1.0, 1.2]);
    widget::text_in(ui, number, Align2::LEFT_CENTER, &row.number, token::strong(token::BODY), t.ink);
    widget::data_in(ui, meter, &row.meter, token::plain(token::BODY), t.ink);
    let simulated = if row.simulated { &*words::of(face.language).board.simulated } else { "" };
    let about = format!("{}  {}  {simulated}", row.day, status(face, &row.status));
    widget::text_in(ui, day, Align2::LEFT_CENTER, about.trim(), token::plain(token::SMALL), t.weak);
    let place_text = format!("{}  {}", row.charger, row.customer);
    widget::data_in(ui, place, place_text.trim(), token::plain(token::SMALL), t.weak);
}
