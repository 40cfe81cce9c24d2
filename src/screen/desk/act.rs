//! Who answers for what is done to a paper or to those who sign: what is corrected, the person, then the PIN; and what came of
//! it.

use super::Field;
use super::port::{Act, Standing};
use super::{sheet, words};
use crate::certificate::issue::{Field as Correctable, Role};
use crate::screen::app::{Asked, Screen};
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight};
use crate::screen::words::fill;
use eframe::egui::{Align2, Rect, Ui, vec2};

/// As what one answers for it; none where nobody is asked.
fn role_for(act: &Act) -> Option<Role> {
    match act {
        Act::Sign(role) | Act::Approve { role, .. } => Some(*role),
        Act::Issue => None,
        Act::Amend { .. }
        | Act::Withdraw { .. }
        | Act::AddPerson { .. }
        | Act::NewPin { .. }
        | Act::Import { .. }
        | Act::Disable { .. } => Some(Role::Approver),
    }
}

/// Height of what says what is done.
const HEAD: f32 = 30.0;

/// What is done to a paper, in words.
fn name(face: &Face, act: &Act) -> String {
    let w = &words::of(face.language).paper;
    match act {
        Act::Sign(as_what) => format!("{}: {}", w.sign, super::paper::role(w, *as_what)),
        Act::Issue => w.issue.clone(),
        Act::Amend { .. } => w.amend.clone(),
        Act::Withdraw { .. } => w.withdraw.clone(),
        Act::AddPerson { .. }
        | Act::NewPin { .. }
        | Act::Disable { .. }
        | Act::Approve { .. }
        | Act::Import { .. } => String::new(),
    }
}

impl Screen {
    pub(super) fn who_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, number: &str, act: &Act) {
        let w = &words::of(face.language).act;
        let t = face.tokens;
        let mut room = room;
        if act.is_of_paper() {
            // What is done, and to which paper: nobody types a PIN for anything else.
            let head = Rect::from_min_size(room.min, vec2(room.width(), HEAD));
            let text = format!("{}  {number}", name(face, act));
            widget::text_in(ui, head, Align2::LEFT_CENTER, text.trim(), token::strong(token::HEAD), t.ink);
            room.min.y = head.bottom() + token::GAP;
        }
        match &self.desk.done {
            Asked::Here(done) => return sheet::came(ui, face, room, done, [&w.done, &w.refused]),
            Asked::Waiting => return sheet::waits(ui, face, room, &w.working),
            Asked::No => {}
        }
        // What is wrong comes before who says so.
        if let Act::Amend { to, .. } = act
            && to.is_empty()
        {
            return self.what_ui(ui, face, room);
        }
        let Asked::Here(names) = self.who_may(number, act) else {
            return sheet::waits(ui, face, room, &w.working);
        };
        if names.is_empty() {
            widget::part(ui, room, |ui| widget::note(ui, face, State::Care, &w.nobody));
            return;
        }
        let pressed = widget::part(ui, room, |ui| choice_ui(ui, face, &names));
        if let Some(name) = pressed {
            let title = format!("{}  {number}", fill(&w.pin, &[&name]));
            let title = title.trim();
            self.desk.person = Some(name);
            self.entry = Some(Entry::new(Target::Desk(Field::Pin), title, "", true));
        }
    }

    /// Who may answer for it.
    fn who_may(&self, number: &str, act: &Act) -> Asked<Vec<String>> {
        let role = role_for(act);
        let mut names: Vec<String> = match (self.desk.paper_of(number), &self.desk.persons) {
            (Some(paper), _) if act.is_of_paper() => {
                let may = paper.may.iter().filter(|(as_what, _)| Some(*as_what) == role);
                may.map(|(_, name)| name.clone()).collect()
            }
            (_, Asked::Here(persons)) if !act.is_of_paper() => {
                let may = persons.iter().flatten().filter(|person| {
                    let own_pin = matches!(act, Act::NewPin { name, .. } if *name == person.name);
                    let is_able = person.standing == Standing::Active;
                    own_pin || (is_able && role.is_some_and(|role| person.roles.contains(&role)))
                });
                may.map(|person| person.name.clone()).collect()
            }
            _ => return Asked::Waiting,
        };
        names.dedup();
        Asked::Here(names)
    }

    /// What of a paper is wrong.
    fn what_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = &words::of(face.language).paper;
        let names: Vec<String> = Correctable::ALL.iter().map(|field| field_name(face, *field)).collect();
        let pressed = widget::part(ui, room, |ui| {
            ui.label(widget::strong(&w.what_wrong, token::BODY));
            choice_ui(ui, face, &names)
        });
        let field = pressed
            .and_then(|name| names.iter().position(|other| *other == name))
            .map(|n| Correctable::ALL[n]);
        if let Some(field) = field {
            // The page of the choice is left; the next one is laid when all is typed.
            self.desk.pages.pop();
            let title = format!("{}: {}", field_name(face, field), w.should_say);
            self.entry = Some(Entry::new(Target::Desk(Field::Correct(field)), &title, "", false));
        }
    }
}

/// A field of a paper in words.
fn field_name(face: &Face, field: Correctable) -> String {
    let w = face.language.words();
    match field {
        Correctable::Customer => w.look.customer.clone(),
        Correctable::Site => w.look.site.clone(),
        Correctable::Maker => w.field.maker.clone(),
        Correctable::Model => w.field.model.clone(),
        Correctable::Serial => w.field.serial.clone(),
        Correctable::Charger => w.field.charger.clone(),
        Correctable::Connector => w.field.connector.clone(),
    }
}

/// One of several names as large buttons.
pub(super) fn choice_ui(ui: &mut Ui, face: &Face, names: &[String]) -> Option<String> {
    let mut pressed = None;
    let columns = if face.upright { 1 } else { 2 };
    widget::scroll(ui, "choice", |ui| {
        let wide = (ui.available_width() - token::GAP * (columns as f32 - 1.0)) / columns as f32;
        for names in names.chunks(columns) {
            ui.horizontal(|ui| {
                for name in names {
                    if widget::button(ui, face, Weight::Plain, name, vec2(wide, 64.0)).clicked() {
                        pressed = Some(name.clone());
                    }
                }
            });
        }
    });
    pressed
}
