//! The lab's desk and the operator's visit: the board of all chargers, the history of one, the register, papers with their
//! budgets, what is done to them, and lists that are read.
//!
//! It has a way of its own: its pages lie on one another, and the arrow at the top takes the uppermost away. What is asked goes by
//! [`port::Ask`], what comes back by [`port::Told`]; nothing here waits.

mod act;
mod board;
mod energy;
mod export;
mod history;
mod home;
mod import;
mod paper;
mod persons;
pub mod port;
mod profiles;
mod register;
mod sheet;
mod words;

use super::app::{Asked, Place, Screen};
use super::port::Order;
use super::token::Face;
use crate::history::{Board, Colour, Comparison, History};
use eframe::egui::{Rect, Ui};
use port::{
    Act, Ask, Form, Line, PaperSeen, PersonSeen, ProfileSeen, Row, Sheet, Signer, Ticket, Told, Wanted,
};
use std::path::PathBuf;

/// A page of the desk.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Page {
    /// All chargers.
    Board,
    /// The visits of one.
    History,
    /// Its energy by months and days.
    Energy,
    /// The register.
    Register,
    /// The paper of this number.
    Paper(String),
    /// Two papers.
    Compare,
    /// A list.
    Sheet(Sheet),
    /// Those who sign.
    Persons,
    /// One of them.
    Person(String),
    /// As what somebody new is to sign.
    Roles,
    /// Files from which a standard's certificate is taken.
    Files,
    /// The regulation profiles.
    Profiles,
    /// One, by its name.
    Profile(String),
    /// One of its figures.
    Figure(String, usize),
    /// Who answers for what is done, and to which paper; an empty number: to none.
    Who(String, Act),
    /// Where to take something along.
    Export(Form),
}

/// What is typed for the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// What is looked for in the register.
    Search,
    /// A charger, serial or certificate number.
    Number,
    /// Why a paper is taken back.
    Withdraw,
    /// What a paper should have said.
    Correct(crate::certificate::issue::Field),
    /// Why it is amended.
    Amend,
    /// The PIN of whoever answers.
    Pin,
    /// Of which the audit trail is to speak.
    Trail,
    /// The name of somebody new.
    Name,
    /// The PIN somebody is to have.
    NewPin,
    /// The same once more.
    NewPinAgain,
    /// What a figure is to be.
    Value,
    /// The clause in which it was found.
    Clause,
    /// The name of a profile of the house.
    Profile,
    /// The period of validity that a laboratory gives.
    Validity,
}

impl Field {
    /// What is not shown as it is typed.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Pin | Self::NewPin | Self::NewPinAgain)
    }
}

/// Rows of the register that are at hand.
#[derive(Debug, Default)]
struct Rows {
    /// The first of them.
    from: usize,
    list: Vec<Row>,
    /// What was asked for and has not come.
    waiting: Option<(usize, usize)>,
}

/// The desk.
pub(super) struct Desk {
    /// The pages on one another; none: the choice of them.
    pages: Vec<Page>,
    board: Asked<Result<Board, String>>,
    /// Only cards of this colour.
    colour: Option<Colour>,
    history: Asked<Result<Vec<History>, String>>,
    /// Which meter of a charger, and which of its load points.
    shown: (usize, usize),
    wanted: Wanted,
    found: Asked<Result<usize, String>>,
    rows: Rows,
    paper: Asked<Result<Box<PaperSeen>, String>>,
    /// Which load point of the paper.
    point: usize,
    /// The paper for which another is picked.
    picked: Option<String>,
    /// Two visits that are shown side by side.
    compared: Asked<Result<Box<Comparison>, String>>,
    sheet: Asked<Result<Vec<Line>, String>>,
    persons: Asked<Result<Vec<PersonSeen>, String>>,
    newcomer: persons::Newcomer,
    files: Asked<Vec<(String, PathBuf)>>,
    profiles: Asked<Vec<ProfileSeen>>,
    edit: profiles::Edit,
    /// What a paper should have said, until the reason is typed.
    correct: Option<(crate::certificate::issue::Field, String)>,
    /// Who answers, until the PIN is typed.
    person: Option<String>,
    places: Asked<Vec<(String, PathBuf)>>,
    progress: Option<(usize, usize)>,
    /// What came of what was done last.
    done: Asked<Result<String, String>>,
    /// Which that was.
    ticket: Ticket,
}

impl Default for Desk {
    /// Nothing was asked yet.
    fn default() -> Self {
        Self {
            pages: vec![],
            board: Asked::No,
            colour: None,
            history: Asked::No,
            shown: (0, 0),
            wanted: Wanted::default(),
            found: Asked::No,
            rows: Rows::default(),
            paper: Asked::No,
            point: 0,
            picked: None,
            compared: Asked::No,
            sheet: Asked::No,
            persons: Asked::No,
            newcomer: persons::Newcomer::default(),
            files: Asked::No,
            profiles: Asked::No,
            edit: profiles::Edit::default(),
            correct: None,
            person: None,
            places: Asked::No,
            progress: None,
            done: Asked::No,
            ticket: Ticket::default(),
        }
    }
}

impl Desk {
    /// The page on top.
    pub(super) fn page(&self) -> Option<&Page> {
        self.pages.last()
    }

    /// Something is done, and what comes of it was not told yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.done == Asked::Waiting
    }

    /// The paper that the uppermost page of one is about.
    fn paper_number(&self) -> Option<&String> {
        self.pages
            .iter()
            .rev()
            .find_map(|page| if let Page::Paper(number) = page { Some(number) } else { None })
    }

    /// The paper of this number, where it is the one at hand.
    fn paper_of(&self, number: &str) -> Option<&PaperSeen> {
        match &self.paper {
            Asked::Here(Ok(paper)) if paper.number == number => Some(paper),
            _ => None,
        }
    }

    /// Takes in what was told.
    pub(super) fn handle(&mut self, told: Told) {
        match told {
            Told::Board(board) => self.board = Asked::Here(board),
            Told::History(history) => self.history = Asked::Here(history),
            Told::Found(found) => {
                self.found = Asked::Here(found);
                self.rows = Rows::default();
            }
            Told::Rows { from, rows } => self.rows = Rows { from, list: rows, waiting: None },
            // What was asked before something else is of no use any more: nobody signs a paper that came late for another.
            Told::Paper(number, paper) => {
                if self.paper_number() == Some(&number) {
                    self.paper = Asked::Here(paper);
                }
            }
            Told::Sheet(sheet, lines) => {
                if self.page() == Some(&Page::Sheet(sheet)) {
                    self.sheet = Asked::Here(lines);
                }
            }
            Told::Compared(compared) => self.compared = Asked::Here(compared),
            Told::Persons(persons) => self.persons = Asked::Here(persons),
            Told::Files(files) => self.files = Asked::Here(files),
            Told::Profiles(profiles) => self.profiles = Asked::Here(profiles),
            Told::Done(ticket, done) => {
                if ticket == self.ticket && self.is_waiting() {
                    self.progress = None;
                    self.done = Asked::Here(done);
                }
            }
            Told::Places(places) => self.places = Asked::Here(places),
            Told::Progress { done, of } => self.progress = Some((done, of)),
        }
    }
}

/// What it is called where it is entered.
pub(super) fn name(language: super::Language) -> &'static str {
    &words::of(language).home.desk
}

impl Screen {
    fn ask(&self, ask: Ask) {
        self.port.order(Order::Desk(ask));
    }

    /// Lays a page on the others and asks for what it shows.
    fn lay(&mut self, page: Page) {
        self.ask_for(&page);
        self.desk.pages.push(page);
    }

    /// Asks for what a page shows.
    fn ask_for(&mut self, page: &Page) {
        let desk = &mut self.desk;
        desk.done = Asked::No;
        match page {
            Page::Board => {
                desk.board = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Board));
            }
            Page::Register => {
                desk.found = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Register(desk.wanted.clone())));
            }
            Page::Sheet(sheet) => {
                desk.sheet = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Sheet(sheet.clone())));
            }
            Page::Persons => {
                desk.persons = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Persons));
            }
            Page::Who(_, act) if !act.is_of_paper() => {
                desk.persons = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Persons));
            }
            Page::Files => {
                (desk.files, desk.persons) = (Asked::Waiting, Asked::Waiting);
                self.port.order(Order::Desk(Ask::Files));
                self.port.order(Order::Desk(Ask::Persons));
            }
            Page::Profiles => {
                desk.profiles = Asked::Waiting;
                self.port.order(Order::Desk(Ask::Profiles));
            }
            Page::Export(_) => {
                desk.places = Asked::Waiting;
                desk.progress = None;
                self.port.order(Order::Desk(Ask::Places));
            }
            _ => {}
        }
    }

    fn lay_history(&mut self, wanted: &str) {
        self.desk.history = Asked::Waiting;
        self.desk.shown = (0, 0);
        self.ask(Ask::History(wanted.to_owned()));
        self.lay(Page::History);
    }

    fn lay_paper(&mut self, number: &str) {
        self.desk.point = 0;
        self.ask_paper(number.to_owned());
        self.lay(Page::Paper(number.to_owned()));
    }

    fn ask_paper(&mut self, number: String) {
        self.desk.paper = Asked::Waiting;
        self.ask(Ask::Paper(number));
    }

    /// Has something done, and waits for what comes of it.
    fn order_done(&mut self, ask: impl FnOnce(Ticket) -> Ask) {
        self.desk.ticket.0 += 1;
        self.desk.done = Asked::Waiting;
        self.desk.progress = None;
        self.ask(ask(self.desk.ticket));
    }

    /// Takes the uppermost page away; without one the desk is left.
    pub(super) fn desk_back(&mut self) {
        let Some(left) = self.desk.pages.pop() else {
            self.place = Place::Start;
            return;
        };
        self.desk.done = Asked::No;
        // What was done has changed what lies below.
        match self.desk.page().cloned() {
            Some(Page::Paper(number)) => {
                self.desk.picked = None;
                self.ask_paper(number);
            }
            Some(page @ (Page::Persons | Page::Profiles | Page::Sheet(_))) => self.ask_for(&page),
            Some(Page::Profile(_) | Page::Figure(..)) if matches!(left, Page::Who(..)) => {
                self.ask_for(&Page::Profiles);
            }
            _ => {}
        }
    }

    /// The page.
    pub(super) fn desk_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        match self.desk.page().cloned() {
            None => self.home_ui(ui, face, room),
            Some(Page::Board) => self.board_ui(ui, face, room),
            Some(Page::History) => self.history_ui(ui, face, room),
            Some(Page::Energy) => self.energy_ui(ui, face, room),
            Some(Page::Register) => self.register_ui(ui, face, room),
            Some(Page::Paper(_)) => self.paper_ui(ui, face, room),
            Some(Page::Compare) => self.compare_ui(ui, face, room),
            Some(Page::Sheet(sheet)) => self.sheet_ui(ui, face, room, &sheet),
            Some(Page::Persons) => self.persons_ui(ui, face, room),
            Some(Page::Person(name)) => self.person_ui(ui, face, room, &name),
            Some(Page::Roles) => self.roles_ui(ui, face, room),
            Some(Page::Files) => self.files_ui(ui, face, room),
            Some(Page::Profiles) => self.profiles_ui(ui, face, room),
            Some(Page::Profile(id)) => self.profile_ui(ui, face, room, &id),
            Some(Page::Figure(id, n)) => self.figure_ui(ui, face, room, &id, n),
            Some(Page::Who(number, act)) => self.who_ui(ui, face, room, &number, &act),
            Some(Page::Export(form)) => self.export_ui(ui, face, room, &form),
        }
    }

    /// The name of the page.
    pub(super) fn desk_title(&self, face: &Face) -> &'static str {
        let w = words::of(face.language);
        match self.desk.page() {
            None => &w.home.desk,
            Some(Page::Board) => &w.home.board,
            Some(Page::History) => &w.home.history,
            Some(Page::Energy) => &w.energy.title,
            Some(Page::Register) => &w.home.register,
            Some(Page::Paper(_)) => &w.paper.title,
            Some(Page::Compare) => &w.history.compare,
            Some(Page::Sheet(Sheet::Standards)) => &w.home.standards,
            Some(Page::Sheet(Sheet::Trail(_))) => &w.home.trail,
            Some(Page::Persons | Page::Person(_)) => &w.home.persons,
            Some(Page::Roles) => &w.persons.add,
            Some(Page::Files) => &w.standards.import,
            Some(Page::Profiles | Page::Profile(_) | Page::Figure(..)) => &w.home.profiles,
            Some(Page::Who(..)) => &w.act.who,
            Some(Page::Export(_)) => &w.export.title,
        }
    }

    /// A text was typed.
    pub(super) fn desk_accept(&mut self, field: Field, text: String) {
        match field {
            Field::Search => {
                self.desk.wanted.text = text;
                self.look_through();
            }
            Field::Number if !text.is_empty() => self.lay_history(&text),
            Field::Withdraw if !text.is_empty() => self.lay_who(Act::Withdraw { reason: text }),
            Field::Correct(field) if !text.is_empty() => {
                self.desk.correct = Some((field, text));
                self.type_reason();
            }
            Field::Amend if !text.is_empty() => {
                if let Some((field, to)) = self.desk.correct.take() {
                    self.lay_who(Act::Amend { field, to, reason: text });
                }
            }
            Field::Pin => self.answer(text),
            Field::Trail => {
                let page = Page::Sheet(Sheet::Trail(text));
                self.ask_for(&page);
                self.desk.pages.pop();
                self.desk.pages.push(page);
            }
            Field::Name | Field::NewPin | Field::NewPinAgain => self.person_accept(field, text),
            Field::Value | Field::Clause | Field::Profile | Field::Validity => {
                self.profile_accept(field, text);
            }
            _ => {}
        }
    }

    fn look_through(&mut self) {
        self.desk.found = Asked::Waiting;
        self.ask(Ask::Register(self.desk.wanted.clone()));
    }

    fn answer(&mut self, pin: String) {
        if let Some(person) = self.desk.person.take() {
            self.let_do(Some(Signer { person, pin }));
        }
    }

    /// Asks who answers for what is done to the paper that is shown, or to none.
    fn lay_who(&mut self, act: Act) {
        let number = match (act.is_of_paper(), self.desk.paper_number()) {
            (false, _) => String::new(),
            (true, Some(number)) => number.clone(),
            (true, None) => return,
        };
        self.lay(Page::Who(number, act));
    }

    /// Has done what the page says, to the paper whose number stands on it.
    fn let_do(&mut self, by: Option<Signer>) {
        if let Some(Page::Who(number, act)) = self.desk.page().cloned() {
            self.order_done(|ticket| Ask::Do { ticket, number, act, by });
        }
    }
}
