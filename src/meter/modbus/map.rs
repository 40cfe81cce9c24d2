//! What a meter model keeps in which registers: a table of items, read from `assets/meters/*.toml`.

use super::frame::REGISTERS_MAX;
use super::number::{Kind, Order, Places};
use crate::meter::{Provenance, Query, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Names in files, and what they answer.
const SLOTS: [(&str, Query); 10] = [
    ("address", Query::Address),
    ("meter_number", Query::MeterNumber),
    ("energy", Query::Energy),
    ("reverse_energy", Query::ReverseEnergy),
    ("voltage", Query::Voltage),
    ("current", Query::Current),
    ("power", Query::Power),
    ("clock", Query::Clock),
    ("constant", Query::Constant),
    ("cover_open_count", Query::CoverOpenCount),
];

/// A meter model's register map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    id: String,
    title: String,
    unit: u8,
    items: BTreeMap<Query, Item>,
}

/// One quantity and its registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// 3 (holding) or 4 (input).
    pub function: u8,
    /// First register, counted from 0.
    pub register: u16,
    /// How many.
    pub count: u16,
    /// How they hold the value.
    pub kind: Kind,
    /// Their order.
    pub places: Places,
    /// The number is times ten to this power, in the unit of [`Query::unit`].
    pub exponent: i32,
    /// A register that holds a further exponent, and what to add to it.
    pub point: Option<(u16, i32)>,
    /// Exponents that sources disagree about, with their words; none once it is settled.
    pub disputed: Vec<(i32, String)>,
    /// Where the line was taken from.
    pub source: String,
    /// How sure it is.
    pub provenance: Provenance,
}

/// Why a text is no register map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not of the form.
    #[error("{origin} is no register map: {why}")]
    Unreadable {
        /// File or other place.
        origin: String,
        /// Line and what is wrong.
        why: String,
    },
    /// An item that cannot be so.
    #[error("{origin}, item `{item}`: {key} is {seen}, but it must be {allowed}")]
    BadItem {
        /// File or other place.
        origin: String,
        /// Its name.
        item: String,
        /// The key in it.
        key: &'static str,
        /// What is written.
        seen: String,
        /// What would do.
        allowed: String,
    },
    /// A model that does not come with the program.
    #[error("no register map `{seen}` comes with this program; there are {allowed}")]
    NoSuchModel {
        /// The name.
        seen: String,
        /// All names.
        allowed: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    title: String,
    protocol: Marker,
    /// Speed and framing it is usually set to: for people.
    #[serde(default)]
    #[expect(dead_code, reason = "for people who read the file; the line is the bench's")]
    line: Option<String>,
    #[serde(default = "one")]
    unit: u8,
    function: u8,
    #[serde(default = "high")]
    words: Order,
    #[serde(default = "high")]
    bytes: Order,
    item: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
enum Marker {
    #[serde(rename = "modbus")]
    Modbus,
}

fn one() -> u8 {
    1
}

fn high() -> Order {
    Order::HighFirst
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    register: u16,
    registers: Option<u16>,
    function: Option<u8>,
    kind: Kind,
    words: Option<Order>,
    bytes: Option<Order>,
    #[serde(default)]
    decimals: i32,
    point: Option<Point>,
    unit: Option<MeterUnit>,
    #[serde(default)]
    disputed: Vec<Dispute>,
    source: String,
    provenance: Provenance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    register: u16,
    #[serde(default)]
    offset: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispute {
    /// Digits behind the point of the value in kWh.
    decimals: i32,
    source: String,
}

/// The unit a register is in.
#[derive(Debug, Clone, Copy, Deserialize)]
enum MeterUnit {
    #[serde(rename = "Wh")]
    WattHour,
    #[serde(rename = "kWh")]
    KilowattHour,
    #[serde(rename = "V")]
    Volt,
    #[serde(rename = "A")]
    Ampere,
    #[serde(rename = "W")]
    Watt,
    #[serde(rename = "kW")]
    Kilowatt,
    #[serde(rename = "imp/kWh")]
    ImpulsesPerKilowattHour,
}

impl MeterUnit {
    /// The unit of answers, and the power of ten to it.
    const fn of_answers(self) -> (Unit, i32) {
        match self {
            Self::WattHour => (Unit::KilowattHour, -3),
            Self::KilowattHour => (Unit::KilowattHour, 0),
            Self::Volt => (Unit::Volt, 0),
            Self::Ampere => (Unit::Ampere, 0),
            Self::Watt => (Unit::Kilowatt, -3),
            Self::Kilowatt => (Unit::Kilowatt, 0),
            Self::ImpulsesPerKilowattHour => (Unit::ImpulsesPerKilowattHour, 0),
        }
    }
}

/// Maps that come with the program.
const SHIPPED: [(&str, &str); 8] = [
    ("acrel-djsf1352", include_str!("../../../assets/meters/acrel-djsf1352.toml")),
    ("yada-dcm3366", include_str!("../../../assets/meters/yada-dcm3366.toml")),
    ("eastron-sdm230", include_str!("../../../assets/meters/eastron-sdm230.toml")),
    ("eastron-sdm630", include_str!("../../../assets/meters/eastron-sdm630.toml")),
    ("gavazzi-em580", include_str!("../../../assets/meters/gavazzi-em580.toml")),
    ("iskra-wm3m4", include_str!("../../../assets/meters/iskra-wm3m4.toml")),
    ("pzem-017", include_str!("../../../assets/meters/pzem-017.toml")),
    ("simulated-dc-modbus", include_str!("../../../assets/meters/simulated-dc-modbus.toml")),
];

impl Profile {
    /// Ids of the maps that come with the program.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(id, _)| *id)
    }

    /// A map that comes with the program.
    pub fn builtin(id: &str) -> Result<Self, Fault> {
        let found = SHIPPED.iter().find(|(known, _)| *known == id);
        let allowed = || Self::builtin_ids().collect::<Vec<_>>().join(", ");
        let (_, text) =
            found.ok_or_else(|| Fault::NoSuchModel { seen: id.to_owned(), allowed: allowed() })?;
        Self::from_toml(&format!("assets/meters/{id}.toml"), text)
    }

    /// A map from its file's text; `origin` names the file in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let unreadable = |why: String| Fault::Unreadable { origin: origin.to_owned(), why };
        let file: File = toml::from_str(text).map_err(|why| unreadable(why.to_string()))?;
        let Marker::Modbus = file.protocol;
        if !(1..=247).contains(&file.unit) {
            return Err(unreadable(format!("unit is {}; allowed is 1 to 247", file.unit)));
        }
        let mut items = BTreeMap::new();
        for (name, row) in &file.item {
            let Some((_, query)) = SLOTS.iter().find(|(known, _)| known == name) else {
                let allowed = SLOTS.map(|(name, _)| name).join(", ");
                return Err(unreadable(format!("there is no item `{name}`; allowed are {allowed}")));
            };
            let item = row.item(*query, &file).map_err(|(key, seen, allowed)| Fault::BadItem {
                origin: origin.to_owned(),
                item: name.clone(),
                key,
                seen,
                allowed: allowed.to_owned(),
            })?;
            items.insert(*query, item);
        }
        Ok(Self { id: file.id, title: file.title, unit: file.unit, items })
    }

    /// Its short name, as bench files give it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The meter's address as it leaves the factory.
    pub const fn unit(&self) -> u8 {
        self.unit
    }

    /// The registers that answer `query`.
    pub fn item(&self, query: Query) -> Option<&Item> {
        self.items.get(&query)
    }

    /// All of them.
    pub fn items(&self) -> impl Iterator<Item = (Query, &Item)> {
        self.items.iter().map(|(query, item)| (*query, item))
    }

    /// Settles a disputed energy: the operator has compared the display, and the register counts in kWh with so many
    /// digits behind the point. Gives whether there was a dispute with such an answer.
    pub fn settle_energy(&mut self, decimals: i32) -> bool {
        let Some(item) = self.items.get_mut(&Query::Energy) else { return false };
        let known = item.disputed.iter().any(|(exponent, _)| *exponent == -decimals);
        if known {
            item.exponent = -decimals;
            item.disputed.clear();
        }
        known
    }

    /// Names of the items that no meter has confirmed yet.
    pub fn unconfirmed(&self) -> Vec<&'static str> {
        let doubtful = |query: &&(&str, Query)| {
            self.items.get(&query.1).is_some_and(|item| item.provenance == Provenance::Unconfirmed)
        };
        SLOTS.iter().filter(doubtful).map(|(name, _)| *name).collect()
    }
}

/// The key, what is written there and what would do.
type Complaint = (&'static str, String, &'static str);

impl Row {
    fn item(&self, query: Query, file: &File) -> Result<Item, Complaint> {
        let function = self.function.unwrap_or(file.function);
        if !matches!(function, 3 | 4) {
            return Err(("function", function.to_string(), "3 (holding) or 4 (input)"));
        }
        let count = match (self.kind.registers(), self.registers) {
            (Some(count), None) => count,
            (None, Some(count)) if (1..=REGISTERS_MAX).contains(&count) => count,
            (Some(_), Some(seen)) => return Err(("registers", seen.to_string(), "left out for this kind")),
            (None, seen) => {
                return Err(("registers", format!("{seen:?}"), "1 to 125 for a text"));
            }
        };
        if self.register.checked_add(count).is_none() {
            return Err(("register", self.register.to_string(), "0 to 65535, its last one too"));
        }
        if let Some(point) = &self.point {
            if point.register == u16::MAX {
                return Err(("point", point.register.to_string(), "a register from 0 to 65534"));
            }
            if !(-9..=9).contains(&point.offset) {
                return Err(("point", point.offset.to_string(), "an offset from -9 to 9"));
            }
        }
        let fits = match query {
            Query::Address | Query::MeterNumber => self.kind == Kind::Ascii || self.kind.is_number(),
            Query::Clock => self.kind == Kind::ClockBytes,
            _ => self.kind.is_number(),
        };
        if !fits {
            return Err(("kind", format!("{:?}", self.kind), "one that can hold this quantity"));
        }
        let to_answers = match (self.unit.map(MeterUnit::of_answers), query.unit()) {
            (Some((unit, exponent)), Some(wanted)) if unit == wanted => exponent,
            (None, None) => 0,
            (seen, _) => return Err(("unit", format!("{seen:?}"), "a unit of this quantity, or none")),
        };
        if !(0..=9).contains(&self.decimals) {
            return Err(("decimals", self.decimals.to_string(), "0 to 9"));
        }
        if let Some(bad) = self.disputed.iter().find(|d| !(0..=9).contains(&d.decimals)) {
            return Err(("disputed", bad.decimals.to_string(), "0 to 9 decimals"));
        }
        if !self.disputed.is_empty() && query != Query::Energy {
            return Err(("disputed", query.to_string(), "only energy"));
        }
        if self.source.trim().is_empty() {
            return Err(("source", "empty".to_owned(), "where the line was taken from"));
        }
        Ok(Item {
            function,
            register: self.register,
            count,
            kind: self.kind,
            places: Places {
                words: self.words.unwrap_or(file.words),
                bytes: self.bytes.unwrap_or(file.bytes),
            },
            exponent: to_answers - self.decimals,
            point: self.point.as_ref().map(|point| (point.register, point.offset)),
            disputed: self.disputed.iter().map(|d| (-d.decimals, d.source.clone())).collect(),
            source: self.source.clone(),
            provenance: self.provenance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_of_the_program_is_sound_and_has_what_a_verification_asks() {
        for id in Profile::builtin_ids() {
            let profile = Profile::builtin(id).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(profile.id(), id);
            for query in [Query::Energy, Query::Voltage, Query::Current, Query::Power] {
                assert!(profile.item(query).is_some(), "{id} {query}");
            }
        }
        assert!(Profile::builtin_ids().count() >= 7);
        assert!(Profile::builtin("abacus").unwrap_err().to_string().contains("eastron-sdm230"));
    }

    #[test]
    fn what_a_map_may_not_say_is_refused_by_name() {
        const LINE: &str = r#"
            id = "mine"
            title = "Mine"
            protocol = "modbus"
            function = 3
            [item.voltage]
            register = 0
            kind = "u16"
            decimals = 1
            unit = "V"
            source = "display"
            provenance = "unconfirmed"
        "#;
        assert!(Profile::from_toml("mine.toml", LINE).is_ok());
        for (from, to, parts) in [
            ("\"modbus\"", "\"dlt645\"", &["mine.toml"][..]),
            ("function = 3", "function = 6", &["function is 6", "3 (holding)"]),
            ("item.voltage", "item.volts", &["`volts`", "voltage"]),
            ("\"u16\"", "\"ascii\"", &["registers"]),
            ("\"V\"", "\"A\"", &["unit"]),
            ("decimals = 1", "decimals = 10", &["decimals is 10"]),
            ("register = 0", "register = 65535", &["register is 65535"]),
            ("\"display\"", "\" \"", &["source is empty"]),
            ("register = 0", "register = 0\nregisters = 2", &["registers is 2"]),
            ("decimals = 1", "point = { register = 65535 }", &["point is 65535"]),
            ("decimals = 1", "point = { register = 1, offset = 2147483647 }", &["point is 2147483647"]),
        ] {
            let fault = Profile::from_toml("mine.toml", &LINE.replace(from, to)).unwrap_err().to_string();
            assert!(parts.iter().all(|part| fault.contains(part)), "{from} -> {to}: {fault}");
        }
    }

    #[test]
    fn a_disputed_energy_is_settled_only_by_what_a_source_says() {
        let mut acrel = Profile::builtin("acrel-djsf1352").unwrap();
        assert!(acrel.item(Query::Energy).unwrap().disputed.len() >= 2);
        assert!(!acrel.settle_energy(7));
        assert!(acrel.settle_energy(4));
        let energy = acrel.item(Query::Energy).unwrap();
        assert!(energy.disputed.is_empty());
        assert_eq!(energy.exponent, -4);
    }
}
