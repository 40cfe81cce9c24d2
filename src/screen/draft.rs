//! What an inspector has gathered before a run: the meter's nameplate as typed, what was looked at, for whom.

use super::values::PhotoFile;
use crate::plan::seal::{Seal, State};
use crate::plan::{Entries, Look, Nameplate};
use crate::quantity::Temperature;
use crate::regulation::Kind;
use crate::verdict::Verdict;
use jiff::civil::Date;

/// Where a seal sits of which nobody says more.
const SOMEWHERE: &str = "meter";

/// A field of the nameplate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Who made it.
    Maker,
    /// Its type.
    Model,
    /// Its serial number.
    Serial,
    /// The charger.
    Charger,
    /// The connector.
    Connector,
    /// The class.
    Class,
    /// Nominal voltage.
    Voltage,
    /// Imp/kWh.
    Constant,
    /// One step of the register.
    Resolution,
    /// Starting current.
    Ist,
    /// Minimum current.
    Imin,
    /// Transitional current.
    Itr,
    /// Maximum current.
    Imax,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// A decimal text whose digits count.
    Decimal,
}

impl Field {
    /// All of them, in the order in which they stand on a nameplate.
    pub const ALL: [Self; 13] = [
        Self::Serial,
        Self::Charger,
        Self::Connector,
        Self::Maker,
        Self::Model,
        Self::Class,
        Self::Voltage,
        Self::Constant,
        Self::Resolution,
        Self::Ist,
        Self::Imin,
        Self::Itr,
        Self::Imax,
    ];

    /// Table and key in a nameplate file.
    const fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Maker => ("", "maker"),
            Self::Model => ("", "type"),
            Self::Serial => ("", "serial"),
            Self::Charger => ("", "charger"),
            Self::Connector => ("", "connector"),
            Self::Class => ("", "class"),
            Self::Voltage => ("", "voltage_v"),
            Self::Constant => ("", "constant_imp_per_kwh"),
            Self::Resolution => ("", "register_resolution_kwh"),
            Self::Ist => ("current", "ist_a"),
            Self::Imin => ("current", "imin_a"),
            Self::Itr => ("current", "itr_a"),
            Self::Imax => ("current", "imax_a"),
        }
    }

    /// Its key in a nameplate file, as messages name it.
    pub const fn name(self) -> &'static str {
        self.key().1
    }

    /// The unit of its number.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Voltage => "V",
            Self::Constant => "imp/kWh",
            Self::Resolution => "kWh",
            Self::Ist | Self::Imin | Self::Itr | Self::Imax => "A",
            _ => "",
        }
    }

    /// What may stand in it.
    pub const fn form(self) -> Form {
        match self {
            Self::Maker | Self::Model | Self::Serial | Self::Charger | Self::Connector | Self::Class => {
                Form::Text
            }
            Self::Resolution => Form::Decimal,
            _ => Form::Number,
        }
    }
}

/// The last time somebody was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// When.
    pub at: String,
    /// Number of the paper.
    pub number: String,
    /// What it said.
    pub verdict: Option<Verdict>,
}

/// Something that could be verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// In a line.
    pub title: String,
    /// Beside it.
    pub about: String,
    /// Its nameplate file.
    pub text: String,
    /// The last visit of this meter or charger.
    pub last: Option<Visit>,
}

/// What an inspector has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Housing, marks, display glass.
    Housing,
    /// What is printed on it can be read and is as in the order.
    Marks,
    /// Seals whole.
    Seals,
    /// The display shows.
    Display,
    /// The pulse output blinks.
    Pulse,
}

impl Check {
    /// All of them, in the order of looking.
    pub const ALL: [Self; 5] = [Self::Housing, Self::Marks, Self::Seals, Self::Display, Self::Pulse];

    /// Whether it is of the appearance; else of the function.
    pub const fn is_appearance(self) -> bool {
        matches!(self, Self::Housing | Self::Marks | Self::Seals)
    }

    /// In the record, which keeps English.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Housing => "housing",
            Self::Marks => "marks",
            Self::Seals => "seals",
            Self::Display => "display",
            Self::Pulse => "pulse output",
        }
    }
}

/// All that a run is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The nameplate file it began with.
    base: String,
    /// First, subsequent, in service.
    pub kind: Kind,
    /// Each check: in order, not in order, not looked at.
    pub checks: [Option<bool>; 5],
    /// What was seen, in the inspector's words.
    pub remark: String,
    /// Numbers of the seals, of which it is not said where they sit.
    pub seals: String,
    /// Where seals sat when the last paper was written, and the number that is read there now.
    pub placed: Vec<(String, String)>,
    /// A picture.
    pub photo: Option<PhotoFile>,
    /// Air temperature at the meter, as typed.
    pub temperature: String,
    /// Relative humidity, as typed.
    pub humidity: String,
    /// The inspector's name.
    pub operator: String,
    /// The site.
    pub site: String,
    /// The customer.
    pub customer: String,
    /// The tester's clock was compared with a time signal today.
    pub clock_checked: bool,
    /// The day on which temperature and humidity were read and the clock was compared: they hold on that day alone.
    read_on: Option<Date>,
    /// Three minutes that certify nothing, and no verification.
    pub pre_check: bool,
    /// A regulation profile, by the name under which it is listed; none: the one that the program was begun with.
    pub regulation: Option<String>,
    /// What was there before anybody typed: the simulated bench has a simulated operator.
    given: Entries,
    fields: Vec<(Field, String)>,
}

impl Draft {
    /// From a nameplate file and what is known beforehand, since this day. A file that is none gives empty fields.
    pub fn new(text: &str, kind: Kind, given: Entries, on: Date) -> Self {
        let table: toml::Table = text.parse().unwrap_or_default();
        let read = |field: Field| {
            let (within, key) = field.key();
            let value = match within {
                "" => table.get(key),
                within => table.get(within).and_then(|inner| inner.get(key)),
            };
            match value {
                Some(toml::Value::String(text)) => text.clone(),
                Some(toml::Value::Float(number)) => number.to_string(),
                Some(toml::Value::Integer(number)) => number.to_string(),
                _ => String::new(),
            }
        };
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        Self {
            fields: Field::ALL.map(|field| (field, read(field))).to_vec(),
            base: text.to_owned(),
            kind,
            checks: [None; 5],
            remark: String::new(),
            seals: String::new(),
            placed: vec![],
            photo: None,
            temperature: number(given.temperature_degc.map(Temperature::degrees_celsius)),
            humidity: number(given.humidity_percent),
            operator: given.operator.clone(),
            site: given.site.clone(),
            customer: given.customer.clone(),
            clock_checked: given.tester_clock_checked,
            read_on: Some(on),
            pre_check: false,
            regulation: None,
            given,
        }
    }

    /// Takes over from the meter before: who stands here and for whom, and what was read today.
    pub fn carry(&mut self, before: &Self, today: Date) {
        self.operator.clone_from(&before.operator);
        self.site.clone_from(&before.site);
        self.customer.clone_from(&before.customer);
        if before.read_on == Some(today) {
            self.temperature.clone_from(&before.temperature);
            self.humidity.clone_from(&before.humidity);
            self.clock_checked = before.clock_checked;
            self.read_on = before.read_on;
        }
    }

    /// Drops temperature, humidity and the comparison of the clock where they are of another day. True where there was
    /// something to drop.
    pub fn drop_of_another_day(&mut self, today: Date) -> bool {
        if self.read_on.is_none_or(|day| day == today) {
            return false;
        }
        self.read_on = None;
        let was_there = self.clock_checked || !self.temperature.is_empty() || !self.humidity.is_empty();
        (self.temperature, self.humidity, self.clock_checked) = (String::new(), String::new(), false);
        was_there
    }

    /// One of these three is entered now.
    pub fn entered_on(&mut self, today: Date) {
        self.drop_of_another_day(today);
        self.read_on = Some(today);
    }

    /// Offers the places at which the last paper left seals; a number that was typed stays.
    pub fn offer_places(&mut self, places: &[String]) {
        let mut typed = std::mem::take(&mut self.placed);
        for place in places {
            let own = typed.iter().position(|(other, _)| other == place);
            let number = own.map_or(String::new(), |own| typed.remove(own).1);
            self.placed.push((place.clone(), number));
        }
        self.placed.extend(typed.into_iter().filter(|(_, number)| !number.is_empty()));
    }

    /// What stands in a field.
    pub fn field(&self, field: Field) -> &str {
        self.fields.iter().find(|(own, _)| *own == field).map_or("", |(_, text)| text.as_str())
    }

    /// What stands in a field, to be typed into.
    pub fn field_mut(&mut self, field: Field) -> &mut String {
        let place = self.fields.iter().position(|(own, _)| *own == field).unwrap_or(0);
        &mut self.fields[place].1
    }

    /// The nameplate file with what was typed. A number that is none stands as the text it is, and the nameplate's own check
    /// says so.
    pub fn text(&self) -> String {
        let mut table: toml::Table = self.base.parse().unwrap_or_default();
        table.entry("schema").or_insert(toml::Value::Integer(1));
        for (field, text) in &self.fields {
            let (within, key) = field.key();
            let inner = match within {
                "" => Some(&mut table),
                within => {
                    let inner = table.entry(within).or_insert_with(|| toml::Value::Table(toml::Table::new()));
                    inner.as_table_mut()
                }
            };
            let Some(inner) = inner else { continue };
            let text = text.trim();
            let value = match field.form() {
                Form::Number => text.parse::<f64>().map_or_else(|_| text.into(), toml::Value::Float),
                Form::Text | Form::Decimal => toml::Value::from(text),
            };
            if text.is_empty() && matches!(field, Field::Ist | Field::Imin | Field::Itr) {
                inner.remove(key);
            } else {
                inner.insert(key.to_owned(), value);
            }
        }
        if let Some(toml::Value::Table(current)) = table.get_mut("current") {
            current.entry("connection").or_insert_with(|| "direct".into());
        }
        table.to_string()
    }

    /// What is wrong with the nameplate, in words; none where it is plausible by itself.
    pub fn implausible(&self) -> Option<String> {
        let empty = |field: &&Field| self.field(**field).trim().is_empty();
        let needed =
            [Field::Serial, Field::Model, Field::Class, Field::Voltage, Field::Constant, Field::Imax];
        if needed.iter().any(|field| empty(&field)) {
            return Some(String::new());
        }
        Nameplate::from_toml("nameplate", &self.text()).err().map(|fault| {
            let text = fault.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        })
    }

    /// A check was answered.
    pub fn answer(&mut self, check: Check, ok: bool) {
        if let Some(place) = Check::ALL.iter().position(|own| *own == check) {
            self.checks[place] = Some(ok);
        }
    }

    /// How a check stands.
    pub fn answered(&self, check: Check) -> Option<bool> {
        Check::ALL.iter().position(|own| *own == check).and_then(|place| self.checks[place])
    }

    /// The entries of the run. Typed numbers that are none are left out: what was not entered was not seen.
    pub fn entries(&self) -> Entries {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let temperature = number(&self.temperature).filter(|t| (-60.0..=100.0).contains(t));
        Entries {
            operator: self.operator.trim().to_owned(),
            site: self.site.trim().to_owned(),
            customer: self.customer.trim().to_owned(),
            appearance: self.look(true),
            function: self.look(false),
            temperature_degc: temperature.map(Temperature::from_degrees_celsius),
            humidity_percent: number(&self.humidity).filter(|h| (0.0..=100.0).contains(h)),
            tester_clock_checked: self.clock_checked,
            seal: self.seals_seen().unwrap_or_else(|| self.given.seal.clone()),
            ..self.given.clone()
        }
    }

    /// The seals, one a typed number, with the photograph at the first; none where nothing was said of them.
    fn seals_seen(&self) -> Option<Vec<Seal>> {
        let broken = self.answered(Check::Seals) == Some(false);
        let numbers = |text: &str| -> Vec<String> {
            let typed = text.split([',', ';', '、', '，', '；']).map(str::trim);
            typed.filter(|number| !number.is_empty()).map(str::to_owned).collect()
        };
        let seal = |place: &str, number: &str, state| Seal {
            place: place.into(),
            number: number.into(),
            state,
            remark: String::new(),
            photograph: None,
            photograph_sha256: None,
        };
        let state = if broken { State::Broken } else { State::Intact };
        let at = |place: &str, typed: &str| -> Vec<Seal> {
            numbers(typed).iter().map(|number| seal(place, number, state)).collect()
        };
        let mut seen: Vec<Seal> = self.placed.iter().flat_map(|(place, typed)| at(place, typed)).collect();
        seen.extend(at(SOMEWHERE, &self.seals));
        if seen.is_empty() && broken {
            seen.push(seal(SOMEWHERE, "", State::Missing));
        } else if seen.is_empty() && self.photo.is_some() {
            seen.push(seal(SOMEWHERE, "", State::Illegible));
        }
        if let (Some(first), Some(photo)) = (seen.first_mut(), &self.photo) {
            first.photograph = Some(photo.name.clone());
        }
        (!seen.is_empty()).then_some(seen)
    }

    /// What was seen of the appearance or the function. One thing that is not in order is enough for that; where nothing is
    /// wrong and something was not looked at, nothing is said. What was known beforehand stands as long as nobody has
    /// looked.
    fn look(&self, appearance: bool) -> Option<Look> {
        let own = || Check::ALL.into_iter().filter(|check| check.is_appearance() == appearance);
        let words = |answer: Option<bool>| -> Vec<&str> {
            own().filter(|check| self.answered(*check) == answer).map(Check::word).collect()
        };
        let (wrong, open) = (words(Some(false)), words(None));
        if open.len() == own().count() {
            let given = if appearance { &self.given.appearance } else { &self.given.function };
            return given.clone();
        }
        let mut remarks = vec![];
        match (wrong.is_empty(), open.is_empty()) {
            (true, true) => {}
            (true, false) => return None,
            (false, true) => remarks.push(wrong.join(", ")),
            (false, false) => {
                remarks.push(format!("{}; not looked at: {}", wrong.join(", "), open.join(", ")));
            }
        }
        if appearance {
            remarks.extend([self.remark.trim()].into_iter().filter(|t| !t.is_empty()).map(str::to_owned));
        }
        Some(Look { ok: wrong.is_empty(), remark: remarks.join("; ") })
    }

    /// Everything was looked at.
    pub fn is_looked_at(&self) -> bool {
        self.checks.iter().all(Option::is_some)
    }
}

#[cfg(test)]
mod tests;
