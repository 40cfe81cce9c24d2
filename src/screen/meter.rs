//! Meter: the nameplate, from the work list, a scan, the data output or typed; what cannot be is said at once.

use super::app::{Asked, Place, Screen};
use super::draft::{Field, Form};
use super::keyboard::{Entry, Target};
use super::port::Order;
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, Weight};
use super::words;
use crate::certificate::paper;
use crate::regulation::Kind;
use eframe::egui::{Rect, Ui, vec2};

/// Height of a field.
const TALL: f32 = 58.0;

impl Screen {
    /// The page.
    pub(super) fn meter_ui(&mut self, ui: &mut Ui, face: &Face, room: Rect) {
        let w = face.language.words();
        let Some(draft) = self.draft.clone() else { return self.next_meter() };
        if self.choosing {
            return self.regulations_ui(ui, face, room);
        }
        let implausible = draft.implausible();
        let planned = match &self.plan {
            Asked::Here(Err(why)) => Some(why.clone()),
            _ => None,
        };
        let mut pressed = None;
        widget::part(ui, room, |ui| {
            widget::scroll(ui, "nameplate", |ui| {
                let kinds = [Kind::First, Kind::Subsequent, Kind::InService];
                let names = kinds.map(|kind| face.language.of(paper::words::kind(kind)));
                let all = [
                    (kinds[0], names[0].as_str()),
                    (kinds[1], names[1].as_str()),
                    (kinds[2], names[2].as_str()),
                ];
                let wide = ui.available_width();
                if let Some(kind) = widget::choice(ui, face, vec2(wide, token::TARGET), draft.kind, &all) {
                    pressed = Some(Pressed::Kind(kind));
                }
                match (&implausible, &planned) {
                    (Some(why), _) if why.is_empty() => {
                        widget::note(ui, face, State::Care, &w.meter.incomplete);
                    }
                    (Some(why), _) | (None, Some(why)) => {
                        widget::note(ui, face, State::Bad, &face.language.said(why));
                    }
                    (None, None) => widget::note(ui, face, State::Good, &w.meter.plausible),
                }
                match &self.meter_read {
                    Asked::Here(Ok(lines)) => widget::note(ui, face, State::Good, &lines.join("  ·  ")),
                    Asked::Here(Err(why)) => widget::note(ui, face, State::Care, &face.language.said(why)),
                    Asked::Waiting => widget::note(ui, face, State::Unknown, &w.meter.reading),
                    Asked::No => {}
                }
                // That of the plan, which is the one that counts.
                let shown = match &self.plan {
                    Asked::Here(Ok(plan)) => plan.regulation.clone(),
                    _ => draft.regulation.clone().unwrap_or_default(),
                };
                let as_begun = if draft.regulation.is_none() { w.meter.as_begun.as_str() } else { "" };
                let shown = format!("{shown} {as_begun}");
                if widget::entry(ui, face, vec2(wide, TALL), &w.meter.regulation, shown.trim(), false)
                    .clicked()
                {
                    pressed = Some(Pressed::Regulation);
                }
                if let Some(field) = fields_ui(ui, face, &draft, implausible.as_deref()) {
                    pressed = Some(Pressed::Field(field));
                }
            });
        });
        let foot = self.foot(ui);
        let [read, _] = widget::split(foot, false, if face.upright { [1.0, 0.01] } else { [1.0, 1.0] });
        let waiting = self.meter_read == Asked::Waiting;
        let read = ui.add_enabled_ui(!waiting, |ui| {
            widget::button_at(ui, face, Weight::Plain, &w.meter.read, read).clicked()
        });
        if read.inner {
            self.meter_read = Asked::Waiting;
            self.port.order(Order::ReadMeter(Box::new(draft.clone())));
        }
        if self.lead_ui(ui, face, &w.frame.next, implausible.is_none() && planned.is_none()) {
            self.go(if self.pre_check { Place::Connect } else { Place::Look });
        }
        match pressed {
            Some(Pressed::Kind(kind)) => {
                if let Some(draft) = &mut self.draft {
                    draft.kind = kind;
                }
                self.ask_plan();
            }
            Some(Pressed::Regulation) => self.choose_regulation(),
            Some(Pressed::Field(field)) => {
                let number = field.form() != Form::Text || field == Field::Serial;
                let entry =
                    Entry::new(Target::Nameplate(field), name(face, field), draft.field(field), number);
                self.entry = Some(entry);
            }
            None => {}
        }
    }
}

/// What was pressed.
enum Pressed {
    Kind(Kind),
    Regulation,
    Field(Field),
}

fn fields_ui(ui: &mut Ui, face: &Face, draft: &super::draft::Draft, wrong: Option<&str>) -> Option<Field> {
    let mut pressed = None;
    let columns: usize = if face.upright { 2 } else { 3 };
    let wide = (ui.available_width() - token::GAP * (columns as f32 - 1.0)) / columns as f32;
    for row in Field::ALL.chunks(columns) {
        ui.horizontal(|ui| {
            for field in row {
                let text = draft.field(*field);
                let bad = wrong.is_some_and(|why| {
                    if why.is_empty() {
                        is_needed(*field) && text.trim().is_empty()
                    } else {
                        why.contains(field.name())
                    }
                });
                let shown = words::fill("{} {}", &[text, field.unit()]);
                let shown = if text.trim().is_empty() { "" } else { shown.trim() };
                if widget::entry(ui, face, vec2(wide, TALL), name(face, *field), shown, bad).clicked() {
                    pressed = Some(*field);
                }
            }
        });
    }
    pressed
}

fn is_needed(field: Field) -> bool {
    matches!(
        field,
        Field::Serial | Field::Model | Field::Class | Field::Voltage | Field::Constant | Field::Imax
    )
}

/// The name of a field.
fn name(face: &Face, field: Field) -> &'static str {
    let w = &face.language.words().field;
    match field {
        Field::Maker => &w.maker,
        Field::Model => &w.model,
        Field::Serial => &w.serial,
        Field::Charger => &w.charger,
        Field::Connector => &w.connector,
        Field::Class => &w.class,
        Field::Voltage => &w.voltage,
        Field::Constant => &w.constant,
        Field::Resolution => &w.resolution,
        Field::Ist => &w.ist,
        Field::Imin => &w.imin,
        Field::Itr => &w.itr,
        Field::Imax => &w.imax,
    }
}
