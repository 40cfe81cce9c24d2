//! Those who sign: who there is, somebody new with a role and a PIN typed twice, a new PIN, and who signs no more. An approver
//! answers for each of it; the first approver of a data folder has nobody to ask.

use super::act::choice_ui;
use super::paper::role;
use super::port::{Act, Line, PersonSeen, Pin, Standing};
use super::words::{self, Words};
use super::{Field, Page, sheet};
use crate::certificate::issue::Role;
use crate::screen::app::{Asked, Screen};
use crate::screen::keyboard::{Entry, Target};
use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::screen::widget::{self, Weight};
use crate::screen::words::fill;
use eframe::egui::{Rect, Ui, vec2};

/// What is being typed of somebody.
#[derive(Debug, Default)]
pub(super) struct Newcomer {
    name: String,
    roles: Vec<Role>,
    pin: Option<Pin>,
    /// The two PINs were not the same.
    differ: bool,
    /// The person is there already: it is about a new PIN.
    known: bool,
}

fn line(w: &Words, person: &PersonSeen) -> Line {
    let roles: Vec<&str> = person.roles.iter().map(|one| role(&w.paper, *one)).collect();
    let (word, state) = match person.standing {
        Standing::Active => (&w.persons.active, State::Good),
        Standing::Locked => (&w.persons.locked, State::Bad),
        Standing::Disabled => (&w.persons.disabled, State::Unknown),
    };
    Line { head: person.name.clone(), about: vec![roles.join(", "), word.clone()], state }
}

impl Screen {
    pub(super) fn persons_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let words = words::of(face.language);
        let w = &words.persons;
        let lines: Vec<Line> = match &self.desk.persons {
            Asked::Here(Ok(persons)) => persons.iter().map(|person| line(words, person)).collect(),
            Asked::Here(Err(why)) => return sheet::refuses(ui, face, room, &why.clone()),
            _ => return sheet::waits(ui, face, room, &words.sheet.reading),
        };
        if lines.is_empty() {
            sheet::waits(ui, face, room, &w.nobody);
        }
        let pressed = widget::part(ui, room, |ui| sheet::rows_ui(ui, face, "persons", &lines));
        if self.lead_ui(ui, face, &w.add, true) {
            self.desk.newcomer = Newcomer::default();
            self.entry = Some(Entry::new(Target::Desk(Field::Name), &w.name, "", false));
        } else if let Some(line) = pressed.and_then(|n| lines.get(n)) {
            self.lay(Page::Person(line.head.clone()));
        }
    }

    /// What can be done of somebody.
    pub(super) fn person_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect, name: &str) {
        let words = words::of(face.language);
        let w = &words.persons;
        let Asked::Here(Ok(persons)) = &self.desk.persons else { return };
        let Some(person) = persons.iter().find(|person| person.name == name).cloned() else { return };
        let differ = self.desk.newcomer.differ;
        let (new_pin, disable) = (w.new_pin.clone(), w.disable.clone());
        let choices = if person.standing == Standing::Disabled {
            vec![]
        } else {
            vec![new_pin.clone(), disable.clone()]
        };
        let pressed = widget::part(ui, room, |ui| {
            ui.label(widget::strong(name, token::BIG));
            ui.label(widget::strong(&line(words, &person).about.join("  ·  "), token::BODY));
            if differ {
                widget::note(ui, face, State::Care, &w.differ);
            }
            choice_ui(ui, face, &choices)
        });
        match pressed {
            Some(text) if text == new_pin => {
                self.desk.newcomer = Newcomer { name: name.to_owned(), known: true, ..Newcomer::default() };
                self.type_pin(Field::NewPin);
            }
            Some(_) => self.answer_for(Act::Disable { name: name.to_owned() }),
            None => {}
        }
    }

    /// As what somebody new is to sign.
    pub(super) fn roles_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let words = words::of(face.language);
        let w = &words.persons;
        let newcomer = &self.desk.newcomer;
        let (name, roles, differ) = (newcomer.name.clone(), newcomer.roles.clone(), newcomer.differ);
        let pressed = widget::part(ui, room, |ui| {
            ui.label(widget::strong(&name, token::BIG));
            ui.label(widget::strong(&w.roles, token::BODY));
            let mut pressed = None;
            for one in Role::ALL {
                let weight = if roles.contains(&one) { Weight::Chosen } else { Weight::Plain };
                let size = vec2(ui.available_width(), 62.0);
                if widget::button(ui, face, weight, role(&words.paper, one), size).clicked() {
                    pressed = Some(one);
                }
            }
            if differ {
                widget::note(ui, face, State::Care, &w.differ);
            }
            pressed
        });
        if let Some(one) = pressed {
            let roles = &mut self.desk.newcomer.roles;
            if roles.contains(&one) { roles.retain(|role| *role != one) } else { roles.push(one) }
        }
        if self.lead_ui(ui, face, &w.pin, !roles.is_empty()) {
            self.type_pin(Field::NewPin);
        }
    }

    fn type_pin(&mut self, field: Field) {
        let w = &words::of(self.language).persons;
        let title = if field == Field::NewPin { &w.type_pin } else { &w.type_again };
        let title = fill(title, &[&self.desk.newcomer.name]);
        self.entry = Some(Entry::new(Target::Desk(field), &title, "", true));
    }

    /// A text was typed that is about somebody.
    pub(super) fn person_accept(&mut self, field: Field, text: String) {
        let newcomer = &mut self.desk.newcomer;
        match field {
            Field::Name if !text.is_empty() => {
                newcomer.name = text;
                self.lay(Page::Roles);
            }
            Field::NewPin => {
                newcomer.differ = false;
                newcomer.pin = Some(Pin(text));
                self.type_pin(Field::NewPinAgain);
            }
            Field::NewPinAgain => {
                let pin = newcomer.pin.take();
                newcomer.differ = pin != Some(Pin(text));
                let (false, Some(pin)) = (newcomer.differ, pin) else { return };
                let name = newcomer.name.clone();
                let act = if newcomer.known {
                    Act::NewPin { name, pin }
                } else {
                    let mut roles = newcomer.roles.clone();
                    roles.sort();
                    Act::AddPerson { name, roles, pin }
                };
                self.answer_for(act);
            }
            _ => {}
        }
    }

    /// The page of the choice is left; an approver answers, where there is one.
    pub(super) fn answer_for(&mut self, act: Act) {
        let Asked::Here(Ok(persons)) = &self.desk.persons else { return };
        let is_first = !persons.iter().any(|person| person.roles.contains(&Role::Approver));
        self.desk.pages.pop();
        self.lay_who(act);
        if is_first {
            self.let_do(None);
        }
    }
}
