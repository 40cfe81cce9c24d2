//! The regulation profiles: each figure with its clause and how well it is known; a figure changed with its source makes a
//! profile of the house, which certifies when three persons of a laboratory have answered for it.

use super::port::{Act, Ask, Line, ProfileSeen};
use super::words::{self, ProfileWords};
use super::{Field, Page, sheet};
use crate::regulation::Provenance;
use crate::regulation::house::{Change, Entry as Figure};
use crate::screen::app::{Asked, Screen};
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight};
use crate::screen::words::fill;
use eframe::egui::{Align2, Rect, Ui, vec2};

/// What is being typed of a figure.
#[derive(Debug, Default)]
pub(super) struct Edit {
    /// Only figures that nobody has confirmed.
    unconfirmed: bool,
    /// The profile that is changed, or answered for.
    profile: String,
    change: Option<Change>,
}

fn provenance(w: &ProfileWords, provenance: Provenance) -> (&str, State) {
    match provenance {
        Provenance::Read => (&w.read, State::Good),
        Provenance::Secondary => (&w.secondary, State::Good),
        Provenance::House => (&w.own, State::Unknown),
        Provenance::Unconfirmed => (&w.unconfirmed, State::Care),
    }
}

fn values(figure: &Figure) -> String {
    let one = |(key, value): &(String, String)| {
        if key == "value" { value.clone() } else { format!("{key} = {value}") }
    };
    figure.values.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn line(w: &ProfileWords, figure: &Figure) -> Line {
    let (word, state) = provenance(w, figure.provenance);
    let about = vec![word.to_owned(), figure.clause.clone(), figure.note.clone()];
    let about = about.into_iter().filter(|text| !text.is_empty()).collect();
    Line { head: format!("{}: {}", figure.place, values(figure)), about, state }
}

fn profile_line(w: &ProfileWords, profile: &ProfileSeen) -> Line {
    let (said, state) = match &profile.approved {
        _ if profile.figures.is_empty() => (None, State::Bad),
        Some(by) => (Some(fill(&w.approved, &[by])), State::Good),
        None if profile.unconfirmed == 0 => (Some(w.confirmed.clone()), State::Good),
        None => (Some(fill(&w.not_approved, &[&profile.unconfirmed.to_string()])), State::Care),
    };
    let own = profile.file.as_ref().map(|_| w.house.clone());
    let about = own.into_iter().chain(said).chain(profile.about.iter().cloned()).collect();
    Line { head: profile.head.clone(), about, state }
}

impl Screen {
    fn profile_of(&self, id: &str) -> Option<ProfileSeen> {
        let Asked::Here(profiles) = &self.desk.profiles else { return None };
        profiles.iter().find(|profile| profile.id == id).cloned()
    }

    pub(super) fn profiles_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let words = words::of(face.language);
        let Asked::Here(profiles) = &self.desk.profiles else {
            return sheet::waits(ui, face, room, &words.sheet.reading);
        };
        let lines: Vec<Line> = profiles.iter().map(|profile| profile_line(&words.profile, profile)).collect();
        let ids: Vec<String> = profiles.iter().map(|profile| profile.id.clone()).collect();
        let pressed = widget::part(ui, room, |ui| sheet::rows_ui(ui, face, "profiles", &lines));
        if let Some(id) = pressed.and_then(|n| ids.get(n)) {
            self.lay(Page::Profile(id.clone()));
        }
    }

    /// Begins to choose another profile for the meter at hand.
    pub(in crate::screen) fn choose_regulation(&mut self) {
        self.choosing = true;
        self.desk.profiles = Asked::Waiting;
        self.ask(Ask::Profiles);
    }

    /// The profiles from which one is chosen for the meter at hand; the first line is the one that the program was begun with.
    pub(in crate::screen) fn regulations_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let words = words::of(face.language);
        let Asked::Here(profiles) = &self.desk.profiles else {
            return sheet::waits(ui, face, room, &words.sheet.reading);
        };
        let w = &face.language.words().meter;
        let begun = Line { head: w.regulation.clone(), about: vec![w.as_begun.clone()], state: State::Good };
        let lines = profiles.iter().map(|profile| profile_line(&words.profile, profile));
        let lines: Vec<Line> = std::iter::once(begun).chain(lines).collect();
        // What cannot be read is seen and cannot be chosen.
        let ids =
            profiles.iter().map(|profile| Some(profile.id.clone()).filter(|_| !profile.figures.is_empty()));
        let ids: Vec<Option<String>> = ids.collect();
        let pressed = widget::part(ui, room, |ui| sheet::rows_ui(ui, face, "regulations", &lines));
        let chosen = match pressed {
            None => return,
            Some(0) => None,
            Some(n) => match ids.get(n - 1) {
                Some(Some(id)) => Some(id.clone()),
                _ => return,
            },
        };
        self.choosing = false;
        if let Some(draft) = &mut self.draft {
            draft.regulation = chosen;
        }
        self.ask_plan();
    }

    /// The figures of a profile.
    pub(super) fn profile_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, id: &str) {
        let words = words::of(face.language);
        let w = &words.profile;
        let Some(profile) = self.profile_of(id) else {
            return sheet::waits(ui, face, room, &words.sheet.reading);
        };
        let only = self.desk.edit.unconfirmed;
        let shown: Vec<(usize, &Figure)> = profile
            .figures
            .iter()
            .enumerate()
            .filter(|(_, figure)| !only || figure.provenance == Provenance::Unconfirmed)
            .collect();
        let head = Rect::from_min_size(room.min, vec2(room.width(), 46.0));
        let below = Rect::from_min_max(head.left_bottom(), room.max);
        let said = profile_line(w, &profile);
        widget::part(ui, head, |ui| {
            let [upper, lower] = widget::split(ui.max_rect(), true, [1.2, 1.0]);
            let (bold, small) = (token::strong(token::BODY), token::plain(token::SMALL));
            widget::data_in(ui, upper, &said.head, bold, face.tokens.ink);
            widget::data_in(ui, lower, &said.about.join("  ·  "), small, face.tokens.weak);
        });
        let lines: Vec<Line> = shown.iter().map(|(_, figure)| line(w, figure)).collect();
        if lines.is_empty() {
            sheet::waits(ui, face, below, &words.sheet.empty);
        }
        let pressed = widget::part(ui, below, |ui| sheet::rows_ui(ui, face, "figures", &lines));
        let figure = pressed.and_then(|n| shown.get(n)).map(|(n, _)| *n);
        let foot = self.foot(ui);
        let choices = [(false, w.all.as_str()), (true, w.only_unconfirmed.as_str())];
        let chosen = widget::part(ui, foot, |ui| widget::choice(ui, face, foot.size(), only, &choices));
        if let Some(only) = chosen {
            self.desk.edit.unconfirmed = only;
        }
        let role = profile.next.filter(|_| profile.approved.is_none() && profile.unconfirmed > 0);
        let sign = match role {
            Some(role) => format!("{}: {}", words.paper.sign, super::paper::role(&words.paper, role)),
            None => words.paper.sign.clone(),
        };
        if self.lead_ui(ui, face, &sign, role.is_some()) {
            id.clone_into(&mut self.desk.edit.profile);
            if profile.wants_validity {
                self.entry = Some(Entry::new(Target::Desk(Field::Validity), &w.validity, "", true));
            } else {
                self.profile_accept(Field::Validity, String::new());
            }
        } else if let Some(n) = figure {
            self.lay(Page::Figure(id.to_owned(), n));
        }
    }

    /// One figure: what it is, where that stands, and each of its values to be changed.
    pub(super) fn figure_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, id: &str, n: usize) {
        let words = words::of(face.language);
        let w = &words.profile;
        if self.desk.done != Asked::No {
            return self.saved_ui(ui, face, room);
        }
        let Some(figure) = self.profile_of(id).and_then(|profile| profile.figures.get(n).cloned()) else {
            return sheet::waits(ui, face, room, &words.sheet.reading);
        };
        let (word, state) = provenance(w, figure.provenance);
        let pressed = widget::part(ui, room, |ui| {
            widget::scroll(ui, "figure", |ui| {
                ui.label(widget::strong(&figure.place, token::HEAD));
                widget::note(ui, face, state, &format!("{word}: {}", figure.clause));
                if !figure.note.is_empty() {
                    ui.label(widget::weak(&figure.note, face));
                }
                ui.label(widget::weak(&w.change, face));
                let mut pressed = None;
                for (key, value) in &figure.values {
                    let text = format!("{key} = {value}");
                    let size = vec2(ui.available_width() - 6.0, 62.0);
                    if widget::button(ui, face, Weight::Plain, &text, size).clicked() {
                        pressed = Some((key.clone(), value.clone()));
                    }
                }
                pressed
            })
        });
        let foot = self.foot(ui);
        let font = token::plain(token::SMALL);
        widget::text_in(ui, foot, Align2::LEFT_CENTER, &w.stays, font, face.tokens.weak);
        if let Some((key, value)) = pressed {
            let number = value.parse::<f64>().is_ok();
            let title = format!("{}: {key}", figure.place);
            id.clone_into(&mut self.desk.edit.profile);
            let (path, clause) = (figure.path.clone(), figure.clause.clone());
            self.desk.edit.change = Some(Change { path, key, to: String::new(), clause });
            self.entry = Some(Entry::new(Target::Desk(Field::Value), &title, &value, number));
        }
    }

    fn saved_ui(&self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).act;
        match &self.desk.done {
            Asked::Here(done) => sheet::came(ui, face, room, done, [&w.done, &w.refused]),
            _ => sheet::waits(ui, face, room, &w.working),
        }
    }

    /// A text was typed that is about a profile.
    pub(super) fn profile_accept(&mut self, field: Field, text: String) {
        let w = &words::of(self.language).profile;
        let edit = &mut self.desk.edit;
        let next = |field, title: &str, text: &str| Some(Entry::new(Target::Desk(field), title, text, false));
        match (field, &mut edit.change) {
            (Field::Value, Some(change)) if !text.is_empty() => {
                change.to = text;
                self.entry = next(Field::Clause, &w.clause, &change.clause);
            }
            (Field::Clause, Some(change)) if !text.is_empty() => {
                change.clause = text;
                let is_own = self.profile_of(&self.desk.edit.profile).is_some_and(|own| own.file.is_some());
                let id = &self.desk.edit.profile;
                let id = if is_own { id.clone() } else { format!("{id}-house") };
                self.entry = next(Field::Profile, &w.save_as, &id);
            }
            (Field::Profile, change) if !text.is_empty() => {
                if let Some(change) = change.take() {
                    let profile = edit.profile.clone();
                    self.order_done(|ticket| Ask::Change { ticket, profile, id: text, change });
                }
            }
            (Field::Validity, _) => {
                let profile = edit.profile.clone();
                let Some(role) = self.profile_of(&profile).and_then(|seen| seen.next) else { return };
                // What is no number is no period: the paper is then a test report, and says so.
                let validity_years = text.trim().parse().ok();
                self.lay_who(Act::Approve { profile, role, validity_years });
            }
            _ => {}
        }
    }
}
