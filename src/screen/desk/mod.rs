//! The lab's desk and the operator's visit: the board of all chargers, the history of one, the register, papers with their
//! budgets, what is done to them, and lists that are read.
//!
//! It has a way of its own: [`Page`]s lie on one another, and the arrow at the top takes the uppermost away. What is asked goes by
//! [`port::Ask`], what comes back by [`port::Told`]; nothing here waits.

mod act;
mod board;
mod export;
mod history;
mod home;
mod paper;
pub mod port;
mod register;
mod sheet;
mod words;

use super::app::{Asked, Place, Screen};
use super::port::Order;
use super::token::Face;
use crate::history::{Board, Colour, Comparison, History};
use eframe::egui::{Rect, Ui};
use port::{Act, Ask, Form, Line, PaperSeen, Row, Sheet, Signer, Told, Wanted};
use std::path::PathBuf;

/// A page of the desk.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Page {
    /// All chargers.
    Board,
    /// The visits of one.
    History,
    /// The register.
    Register,
    /// A paper.
    Paper,
    /// Two papers.
    Compare,
    /// A list.
    Sheet(Sheet),
    /// Who answers for what is done to the paper.
    Who(Act),
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
}

impl Field {
    /// What is not shown as it is typed.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Pin)
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
    /// Two visits that are shown side by side.
    compared: Option<Box<Comparison>>,
    sheet: Asked<Result<Vec<Line>, String>>,
    /// What a paper should have said, until the reason is typed.
    correct: Option<(crate::certificate::issue::Field, String)>,
    /// Who answers, until the PIN is typed.
    person: Option<String>,
    places: Asked<Vec<(String, PathBuf)>>,
    progress: Option<(usize, usize)>,
    /// What came of what was done last.
    done: Asked<Result<String, String>>,
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
            compared: None,
            sheet: Asked::No,
            correct: None,
            person: None,
            places: Asked::No,
            progress: None,
            done: Asked::No,
        }
    }
}

impl Desk {
    /// The page on top.
    pub(super) fn page(&self) -> Option<&Page> {
        self.pages.last()
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
            Told::Paper(paper) => self.paper = Asked::Here(paper),
            // What was asked before something else is of no use any more.
            Told::Sheet(sheet, lines) if self.page() == Some(&Page::Sheet(sheet)) => {
                self.sheet = Asked::Here(lines);
            }
            Told::Sheet(..) => {}
            Told::Done(done) => {
                self.progress = None;
                self.done = Asked::Here(done);
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
        let desk = &mut self.desk;
        desk.done = Asked::No;
        match &page {
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
                self.port.order(Order::Desk(Ask::Sheet(*sheet)));
            }
            Page::Export(_) => {
                desk.places = Asked::Waiting;
                desk.progress = None;
                self.port.order(Order::Desk(Ask::Places));
            }
            _ => {}
        }
        self.desk.pages.push(page);
    }

    fn lay_history(&mut self, wanted: &str) {
        self.desk.history = Asked::Waiting;
        self.desk.shown = (0, 0);
        self.ask(Ask::History(wanted.to_owned()));
        self.lay(Page::History);
    }

    fn lay_paper(&mut self, number: &str) {
        self.desk.paper = Asked::Waiting;
        self.desk.point = 0;
        self.ask(Ask::Paper(number.to_owned()));
        self.lay(Page::Paper);
    }

    /// Takes the uppermost page away; without one the desk is left.
    pub(super) fn desk_back(&mut self) {
        if self.desk.pages.pop().is_none() {
            self.place = Place::Start;
            return;
        }
        self.desk.done = Asked::No;
        // What was done has changed what lies below.
        if let (Some(Page::Paper), Asked::Here(Ok(paper))) = (self.desk.page(), &self.desk.paper) {
            let number = paper.number.clone();
            self.desk.paper = Asked::Waiting;
            self.ask(Ask::Paper(number));
        }
    }

    /// The page.
    pub(super) fn desk_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        match self.desk.page().cloned() {
            None => self.home_ui(ui, face, room),
            Some(Page::Board) => self.board_ui(ui, face, room),
            Some(Page::History) => self.history_ui(ui, face, room),
            Some(Page::Register) => self.register_ui(ui, face, room),
            Some(Page::Paper) => self.paper_ui(ui, face, room),
            Some(Page::Compare) => self.compare_ui(ui, face, room),
            Some(Page::Sheet(sheet)) => self.sheet_ui(ui, face, room, sheet),
            Some(Page::Who(act)) => self.who_ui(ui, face, room, &act),
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
            Some(Page::Register) => &w.home.register,
            Some(Page::Paper) => &w.paper.title,
            Some(Page::Compare) => &w.history.compare,
            Some(Page::Sheet(sheet)) => home::name(w, *sheet),
            Some(Page::Who(_)) => &w.act.who,
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
            Field::Withdraw if !text.is_empty() => self.lay(Page::Who(Act::Withdraw { reason: text })),
            Field::Correct(field) if !text.is_empty() => {
                self.desk.correct = Some((field, text));
                self.type_reason();
            }
            Field::Amend if !text.is_empty() => {
                if let Some((field, to)) = self.desk.correct.take() {
                    self.lay(Page::Who(Act::Amend { field, to, reason: text }));
                }
            }
            Field::Pin => self.answer(text),
            _ => {}
        }
    }

    fn look_through(&mut self) {
        self.desk.found = Asked::Waiting;
        self.ask(Ask::Register(self.desk.wanted.clone()));
    }

    fn answer(&mut self, pin: String) {
        let (Some(Page::Who(act)), Some(person)) = (self.desk.page().cloned(), self.desk.person.take())
        else {
            return;
        };
        let Asked::Here(Ok(paper)) = &self.desk.paper else { return };
        let number = paper.number.clone();
        self.desk.done = Asked::Waiting;
        self.ask(Ask::Do { number, act, by: Some(Signer { person, pin }) });
    }
}
