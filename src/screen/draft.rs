//! What an inspector has gathered before a run: the meter's nameplate as typed, what was looked at, for whom.

use super::values::PhotoFile;
use crate::plan::seal::{Seal, State};
use crate::plan::{Entries, Look, Nameplate};
use crate::quantity::Temperature;
use crate::regulation::Kind;
use crate::verdict::Verdict;

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
    /// Numbers of the seals.
    pub seals: String,
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
    /// Three minutes that certify nothing, and no verification.
    pub pre_check: bool,
    /// A regulation profile, by the name under which it is listed; none: the one that the program was begun with.
    pub regulation: Option<String>,
    /// What was there before anybody typed: the simulated bench has a simulated operator.
    given: Entries,
    fields: Vec<(Field, String)>,
}

impl Draft {
    /// From a nameplate file and what is known beforehand. A file that is none gives empty fields.
    pub fn new(text: &str, kind: Kind, given: Entries) -> Self {
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
            photo: None,
            temperature: number(given.temperature_degc.map(Temperature::degrees_celsius)),
            humidity: number(given.humidity_percent),
            operator: given.operator.clone(),
            site: given.site.clone(),
            customer: given.customer.clone(),
            clock_checked: given.tester_clock_checked,
            pre_check: false,
            regulation: None,
            given,
        }
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
            appearance: self.look(true).or_else(|| self.given.appearance.clone()),
            function: self.look(false).or_else(|| self.given.function.clone()),
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
        let numbers = self.seals.split([',', ';', '、', '，', '；']).map(str::trim).filter(|n| !n.is_empty());
        let seal = |number: &str, state| Seal {
            place: "meter".into(),
            number: number.into(),
            state,
            remark: String::new(),
            photograph: None,
            photograph_sha256: None,
        };
        let state = if broken { State::Broken } else { State::Intact };
        let mut seen: Vec<Seal> = numbers.map(|number| seal(number, state)).collect();
        if seen.is_empty() && broken {
            seen.push(seal("", State::Missing));
        } else if seen.is_empty() && self.photo.is_some() {
            seen.push(seal("", State::Illegible));
        }
        if let (Some(first), Some(photo)) = (seen.first_mut(), &self.photo) {
            first.photograph = Some(photo.name.clone());
        }
        (!seen.is_empty()).then_some(seen)
    }

    /// What was seen of the appearance or the function; none where something of it was not looked at.
    fn look(&self, appearance: bool) -> Option<Look> {
        let own = || Check::ALL.into_iter().filter(|check| check.is_appearance() == appearance);
        let answers: Option<Vec<(Check, bool)>> =
            own().map(|check| Some((check, self.answered(check)?))).collect();
        let answers = answers?;
        let wrong: Vec<&str> = answers.iter().filter(|(_, ok)| !ok).map(|(check, _)| check.word()).collect();
        let mut remarks = vec![];
        if !wrong.is_empty() {
            remarks.push(wrong.join(", "));
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
