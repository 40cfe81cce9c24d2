//! Connect: where the leads belong, and a look at low level that says in words what is wrong and turns green.

use super::app::{Asked, Place, Screen};
use super::frame;
use super::port::Order;
use super::token::{self, Face};
use super::values::{Connection, State};
use super::widget::{self, Weight, drawing, mark};
use drawing::Wire;
use eframe::egui::{Align2, Rect, RichText, Sense, Ui, pos2, vec2};

impl Screen {
    /// The page.
    pub(super) fn connect_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        let Some(draft) = self.draft.clone() else { return self.next_meter() };
        let live = self.is_live();
        let (voltage, current) = self.wires();
        let [picture, said] =
            widget::split(room, face.upright, if face.upright { [1.25, 1.0] } else { [1.5, 1.0] });
        widget::card_at(ui, face, picture, |ui| {
            let rect = ui.max_rect();
            let wires = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - 30.0));
            let names = [&w.connect.voltage, &w.connect.current, &w.connect.reference, &w.connect.meter];
            let names = names.map(String::as_str);
            drawing::wiring(ui.painter(), wires, face, names, voltage, current);
            let head = Rect::from_min_max(pos2(rect.left(), wires.bottom() + 6.0), rect.max);
            let hint = &w.connect.head;
            widget::text_in(
                ui,
                head,
                Align2::LEFT_CENTER,
                hint,
                token::plain(token::SMALL),
                face.tokens.weak,
            );
        });
        widget::card_at(ui, face, said, |ui| widget::scroll(ui, "wiring", |ui| self.said_ui(ui, face, live)));
        let foot = self.foot(ui);
        let asking = self.is_under_way();
        let good = self.connection == Asked::Here(Connection::Good);
        if !asking {
            let [check, _] = widget::split(foot, false, if face.upright { [1.0, 0.01] } else { [1.0, 0.8] });
            let weight = if good { Weight::Plain } else { Weight::Lead };
            let word = if self.connection == Asked::No { &w.connect.check } else { &w.connect.again };
            if widget::button_at(ui, face, weight, word, check).clicked() {
                self.connection = Asked::Waiting;
                self.stopped = None;
                self.live = None;
                self.port.begin(Order::Connect(Box::new(draft)));
            }
        }
        if !asking && self.lead_ui(ui, face, &w.frame.next, good) {
            self.go(Place::Plan);
        }
    }

    /// How the two circuits are, as far as is known.
    fn wires(&self) -> (Wire, Wire) {
        match &self.connection {
            Asked::Here(Connection::Good) => (Wire::Good, Wire::Good),
            Asked::Here(Connection::Wrong(why) | Connection::NotSafe { why, .. }) => wrong(why),
            _ => (Wire::Unknown, Wire::Unknown),
        }
    }

    fn said_ui(&self, ui: &mut Ui, face: &Face, live: bool) {
        let w = face.language.words();
        let (state, headline, text) = match &self.connection {
            Asked::No => (State::Unknown, &w.connect.not_yet, w.connect.how.clone()),
            Asked::Waiting => (State::Unknown, &w.connect.looking, w.connect.low_level.clone()),
            Asked::Here(Connection::Good) => (State::Good, &w.connect.good, w.connect.good_about.clone()),
            Asked::Here(Connection::Wrong(why)) => (State::Bad, &w.connect.wrong, face.language.said(why)),
            Asked::Here(Connection::Stopped(why)) => {
                (State::Care, &w.connect.stopped, face.language.said(why))
            }
            Asked::Here(Connection::NotOpened(why)) => (
                State::Bad,
                &w.result.faulted,
                format!("{}. {}", face.language.said(why), w.result.not_measured),
            ),
            Asked::Here(Connection::NotSafe { why, danger }) => {
                let said = [danger, why].into_iter().filter(|words| !words.is_empty());
                let said: Vec<String> = said.map(|words| face.language.said(words)).collect();
                (State::Bad, &w.result.not_safe, said.join("\n"))
            }
        };
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(34.0, 34.0), Sense::hover());
            mark::mark(ui.painter(), rect, face, state);
            let width = ui.available_width();
            ui.vertical(|ui| {
                ui.set_width(width);
                ui.label(widget::strong(headline, token::HEAD));
            });
        });
        ui.label(RichText::new(text).size(token::BODY));
        let (voltage, current) = self.wires();
        for (wire, name) in [(voltage, &w.connect.voltage_circuit), (current, &w.connect.current_circuit)] {
            let state = match wire {
                Wire::Unknown => State::Unknown,
                Wire::Good => State::Good,
                Wire::Wrong => State::Bad,
            };
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(token::MARK, token::MARK), Sense::hover());
                mark::mark(ui.painter(), rect, face, state);
                ui.label(widget::strong(name, token::BODY));
            });
        }
        if let Some(sample) = self.live.as_ref().filter(|_| live).and_then(|live| live.snapshot.sample) {
            ui.add_space(4.0);
            let (volts, amperes) = (sample.voltage.volts(), frame::amperes(sample.current.amperes()));
            ui.label(widget::strong(&format!("{volts:.2} V    {amperes} A"), token::BIG));
            ui.label(widget::weak(&w.connect.measured, face));
        }
    }
}

/// Which wires a message is about. The engine's words name the circuit.
fn wrong(why: &str) -> (Wire, Wire) {
    let voltage = ["voltage lead", "no voltage", "neither", "the voltage source", "a voltage of"];
    let current = ["current lead", "current circuit", "neither", "the current source", "a current of"];
    let says = |texts: &[&str]| texts.iter().any(|text| why.contains(text));
    match (says(&voltage), says(&current)) {
        (true, false) => (Wire::Wrong, Wire::Good),
        (false, true) => (Wire::Good, Wire::Wrong),
        (false, false) => (Wire::Unknown, Wire::Unknown),
        (true, true) => (Wire::Wrong, Wire::Wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_that_a_message_names_is_drawn_as_wrong() {
        let said = "connection: the voltage leads are reversed: swap them (…)";
        assert_eq!(wrong(said), (Wire::Wrong, Wire::Good));
        assert_eq!(
            wrong("connection: the current circuit is open: check its leads"),
            (Wire::Good, Wire::Wrong)
        );
        assert_eq!(
            wrong("connection: neither voltage nor current reaches the reference"),
            (Wire::Wrong, Wire::Wrong)
        );
        assert_eq!(wrong("pulse counter: gone"), (Wire::Unknown, Wire::Unknown));
    }
}
