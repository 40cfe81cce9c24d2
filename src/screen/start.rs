//! Start: is the tester fit for work, and which meter is it.

use super::app::{Asked, Screen};
use super::draft::Job;
use super::keyboard::{Entry, Target};
use super::token::{self, Face};
use super::values::{Light, State};
use super::widget::{self, Weight, mark};
use super::words;
use crate::certificate::paper;
use crate::time::Stamp;
use eframe::egui::{
    Align2, CornerRadius, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

impl Screen {
    /// The page.
    pub(super) fn start_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let [lights, work] =
            widget::split(room, face.upright, if face.upright { [1.0, 1.5] } else { [1.0, 1.35] });
        widget::card_at(ui, face, lights, |ui| self.lights_ui(ui, face));
        if self.waiting.is_some() {
            self.waiting_ui(ui, face, work);
        } else {
            widget::part(ui, work, |ui| self.work_ui(ui, face));
        }
        let w = face.language.words();
        let foot = self.foot(ui);
        let now = face.language.stamp(Stamp::now());
        let [said, desk] = widget::split(foot, false, [2.0, 1.0]);
        let [upper, lower] = widget::split(said, true, [1.0, 1.0]);
        let t = face.tokens;
        if widget::button_at(ui, face, Weight::Plain, super::desk::name(face.language), desk).clicked() {
            self.go(super::Place::Desk);
        }
        widget::text_in(ui, upper, Align2::LEFT_CENTER, &now, token::strong(token::BODY), t.ink);
        let name = if self.options.simulated { &w.start.simulated_bench } else { &w.start.bench };
        let bench = words::fill(name, &[&self.options.bench]);
        widget::data_in(ui, lower, &bench, token::plain(token::SMALL), t.weak);
        if self.waiting.is_some() {
            self.go_on_ui(ui, face);
        } else if self.lead_ui(ui, face, &w.start.new_meter, true) {
            self.choose(Job { title: String::new(), about: String::new(), text: String::new(), last: None });
        }
    }

    fn lights_ui(&mut self, ui: &mut Ui, face: &Face) {
        let w = face.language.words();
        let Asked::Here(lights) = &self.lights else {
            ui.label(widget::strong(&w.start.testing, token::HEAD));
            return;
        };
        let worst = lights.iter().map(|light| light.state).max().unwrap_or(State::Unknown);
        let headline = match worst {
            State::Bad => &w.start.not_fit,
            State::Care => &w.start.care,
            _ => &w.start.fit,
        };
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::hover());
            mark::mark(ui.painter(), rect, face, if worst == State::Unknown { State::Good } else { worst });
            ui.label(widget::strong(headline, token::HEAD));
        });
        // What needs somebody stands above.
        let mut lights: Vec<&Light> = lights.iter().collect();
        lights.sort_by_key(|light| {
            std::cmp::Reverse(match light.state {
                State::Bad => 3,
                State::Care => 2,
                State::Good | State::Unknown => 0,
            })
        });
        widget::scroll(ui, "lights", |ui| {
            for light in lights {
                light_ui(ui, face, light);
            }
        });
    }

    fn work_ui(&mut self, ui: &mut Ui, face: &Face) {
        let w = face.language.words();
        let wide = ui.available_width();
        for words in &self.set_right {
            widget::note(ui, face, State::Care, &face.language.said(words));
        }
        let check = (wide * 0.34).min(170.0);
        ui.horizontal(|ui| {
            let scan = vec2(wide - check - token::GAP, 60.0);
            if widget::entry(ui, face, scan, &w.start.scan, &self.scanned, false).clicked() {
                self.entry = Some(Entry::new(Target::Find, &w.start.scan, "", true));
            }
            let weight = if self.pre_check { Weight::Chosen } else { Weight::Plain };
            if widget::button(ui, face, weight, &w.frame.pre_check, vec2(check, 60.0)).clicked() {
                self.set_pre_check(!self.pre_check);
            }
        });
        let mut chosen = None;
        match &self.found {
            Some((number, Asked::Waiting)) => {
                widget::note(ui, face, State::Unknown, &words::fill(&w.start.looking, &[number]));
            }
            Some((number, Asked::Here(None))) => {
                widget::note(ui, face, State::Care, &words::fill(&w.start.not_known, &[number]));
            }
            Some((_, Asked::Here(Some(job)))) if job_ui(ui, face, job, true) => chosen = Some(job.clone()),
            _ => {}
        }
        ui.label(widget::strong(&w.start.work_list, token::BODY));
        match &self.jobs {
            Asked::Here(jobs) if jobs.is_empty() => {
                ui.label(widget::weak(&w.start.nothing_to_do, face));
            }
            Asked::Here(jobs) => widget::scroll(ui, "jobs", |ui| {
                for job in jobs {
                    if job_ui(ui, face, job, false) {
                        chosen = Some(job.clone());
                    }
                }
            }),
            _ => {
                ui.label(widget::weak(&w.start.reading_list, face));
            }
        }
        if let Some(job) = chosen {
            self.choose(job);
        }
    }
}

fn light_ui(ui: &mut Ui, face: &Face, light: &Light) {
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(token::MARK, token::MARK), Sense::hover());
        mark::mark(ui.painter(), rect, face, light.state);
        let width = ui.available_width();
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(widget::strong(&face.language.said(&light.what), token::BODY));
            ui.label(widget::weak(&face.language.said(&light.seen), face));
            if !light.todo.is_empty() {
                let color = mark::color(face, light.state);
                ui.label(RichText::new(face.language.said(&light.todo)).size(token::SMALL).color(color));
            }
        });
    });
}

/// A line of the work list. True where it was pressed.
fn job_ui(ui: &mut Ui, face: &Face, job: &Job, found: bool) -> bool {
    let t = face.tokens;
    let w = face.language.words();
    let size = vec2(ui.available_width(), 64.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &job.title));
    widget::plate(ui, face, rect, t.card, &response);
    if found {
        let pen = Stroke::new(token::THICK, t.lead.field);
        ui.painter().rect_stroke(rect, CornerRadius::same(token::ROUND), pen, StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(12.0, 6.0));
    let last = match &job.last {
        Some(visit) => {
            let verdict = visit.verdict.map_or(String::new(), |v| face.language.of(paper::words::verdict(v)));
            words::fill(&w.start.last_visit, &[&visit.at, &verdict])
        }
        None => w.start.first_visit.clone(),
    };
    let sign = Rect::from_min_size(pos2(inner.right() - 26.0, inner.center().y - 13.0), vec2(26.0, 26.0));
    if let Some(verdict) = job.last.as_ref().and_then(|visit| visit.verdict) {
        mark::mark(ui.painter(), sign, face, mark::of_verdict(verdict));
    }
    let text = Rect::from_min_max(inner.min, pos2(sign.left() - 8.0, inner.bottom()));
    let [upper, lower] = widget::split(text, true, [1.15, 1.0]);
    widget::data_in(ui, upper, &job.title, token::strong(token::BODY), t.ink);
    let beside = format!("{}   {last}", job.about);
    widget::data_in(ui, lower, beside.trim(), token::plain(token::SMALL), t.weak);
    response.clicked()
}
