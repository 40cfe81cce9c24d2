//! What a meter model keeps where: a table of items, read from `assets/meters/*.toml`.

use super::codec::{Coding, Item, Sign};
use super::frame::{Control, DATA_LIMIT, Di};
use crate::meter::{Provenance, Query, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an item of a meter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// It answers the query by itself.
    Query(Query),
    /// The date of a clock that comes in two parts.
    ClockDate,
    /// The time of a clock that comes in two parts.
    ClockTime,
}

/// Names in files, and what they are for.
const SLOTS: [(&str, Slot); 27] = [
    ("address", Slot::Query(Query::Address)),
    ("meter_number", Slot::Query(Query::MeterNumber)),
    ("energy", Slot::Query(Query::Energy)),
    ("reverse_energy", Slot::Query(Query::ReverseEnergy)),
    ("tariff_energy", Slot::Query(Query::TariffEnergy(0))),
    ("voltage", Slot::Query(Query::Voltage)),
    ("current", Slot::Query(Query::Current)),
    ("power", Slot::Query(Query::Power)),
    ("clock", Slot::Query(Query::Clock)),
    ("clock_date", Slot::ClockDate),
    ("clock_time", Slot::ClockTime),
    ("constant", Slot::Query(Query::Constant)),
    ("cover_open_count", Slot::Query(Query::CoverOpenCount)),
    ("cover_open_last", Slot::Query(Query::CoverOpenLast)),
    ("terminal_cover_open_count", Slot::Query(Query::TerminalCoverOpenCount)),
    ("terminal_cover_open_last", Slot::Query(Query::TerminalCoverOpenLast)),
    ("programming_count", Slot::Query(Query::ProgrammingCount)),
    ("programming_last", Slot::Query(Query::ProgrammingLast)),
    ("clock_set_count", Slot::Query(Query::ClockSetCount)),
    ("clock_set_last", Slot::Query(Query::ClockSetLast)),
    ("power_loss_count", Slot::Query(Query::PowerLossCount)),
    ("power_loss_last", Slot::Query(Query::PowerLossLast)),
    ("status_words", Slot::Query(Query::StatusWords)),
    ("settlement_day", Slot::Query(Query::SettlementDay(0))),
    ("settled_energy", Slot::Query(Query::SettledEnergy(0))),
    ("day_kept_at", Slot::Query(Query::DayKeptAt(0))),
    ("day_energy", Slot::Query(Query::DayEnergy(0))),
];

/// Items with a number in their data identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Series {
    /// How the number is written in a file.
    mark: &'static str,
    /// At which digit of eight.
    digit: usize,
    /// The numbers go from 1 to this one.
    last: u8,
}

impl Series {
    /// DI1, as tariffs are numbered.
    const TARIFF: Self = Self { mark: "xx", digit: 4, last: 63 };

    /// DI0, as what was kept is numbered, backward from now.
    const fn kept(last: u8) -> Self {
        Self { mark: "nn", digit: 6, last }
    }

    /// How far the number stands from the last bit of the data identifier.
    const fn shift(self) -> u32 {
        24 - 4 * self.digit as u32
    }

    /// The data identifier with the number in it.
    const fn with(self, di: Di, number: u8) -> Di {
        Di::new(di.number() & !(0xFF << self.shift()) | (number as u32) << self.shift())
    }

    /// The number in a data identifier.
    const fn of(self, di: Di) -> u8 {
        (di.number() >> self.shift()) as u8
    }

    /// All numbers.
    const fn numbers(self) -> std::ops::RangeInclusive<u8> {
        1..=self.last
    }
}

/// Which edition of the standard a meter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Edition {
    /// 2007: data identifiers of four bytes, control codes 11H, 12H, 13H.
    #[default]
    #[serde(rename = "2007")]
    Of2007,
    /// 1997: data identifiers of two bytes, control codes 01H and 02H, no question for the address.
    #[serde(rename = "1997")]
    Of1997,
}

impl Edition {
    /// The control code of a request to read.
    pub const fn read(self) -> Control {
        if matches!(self, Self::Of1997) { Control::READ_1997 } else { Control::READ }
    }

    /// The control code of a request to read what follows.
    pub const fn read_more(self) -> Control {
        if matches!(self, Self::Of1997) { Control::READ_MORE_1997 } else { Control::READ_MORE }
    }

    /// Bytes of a data identifier on the wire.
    pub const fn di_bytes(self) -> usize {
        if matches!(self, Self::Of1997) { 2 } else { 4 }
    }
}

/// A meter model's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    id: String,
    title: String,
    edition: Edition,
    /// The tariff's own number is left out of its key.
    items: BTreeMap<Slot, Item>,
}

/// Why a text is no meter model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not of the form.
    #[error("{origin} is no meter model: {why}")]
    Unreadable {
        /// File or other place.
        origin: String,
        /// Line and what is wrong.
        why: String,
    },
    /// An item nobody asks for.
    #[error("{origin}: there is no item `{item}`; allowed are {allowed}")]
    NoSuchItem {
        /// File or other place.
        origin: String,
        /// Its name.
        item: String,
        /// All names.
        allowed: String,
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
    #[error("{origin}: no meter model `{seen}` comes with this program; there are {allowed}")]
    NoSuchModel {
        /// Who asked.
        origin: String,
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
    edition: Option<Edition>,
    based_on: Option<String>,
    #[serde(default)]
    item: BTreeMap<String, Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    di: String,
    bytes: usize,
    coding: Coding,
    #[serde(default)]
    decimals: u32,
    #[serde(default = "no_sign")]
    sign: Sign,
    unit: Option<Unit>,
    source: String,
    provenance: Provenance,
}

fn no_sign() -> Sign {
    Sign::None
}

impl Profile {
    /// The models that come with the program.
    pub const BUILTIN: [&str; 5] =
        ["dlt645-2007", "dlt645-1997", "yada-dcm3366q", "acrel-djsf1352-dlt645", "simulated-dc"];

    /// A model that comes with the program, by its id.
    pub fn builtin(id: &str) -> Result<Self, Fault> {
        Self::builtin_for(id, "meter model")
    }

    fn builtin_for(id: &str, origin: &str) -> Result<Self, Fault> {
        let text = match id {
            "dlt645-2007" => include_str!("../../../assets/meters/dlt645-2007.toml"),
            "dlt645-1997" => include_str!("../../../assets/meters/dlt645-1997.toml"),
            "acrel-djsf1352-dlt645" => include_str!("../../../assets/meters/acrel-djsf1352-dlt645.toml"),
            "yada-dcm3366q" => include_str!("../../../assets/meters/yada-dcm3366q.toml"),
            "simulated-dc" => include_str!("../../../assets/meters/simulated-dc.toml"),
            _ => {
                return Err(Fault::NoSuchModel {
                    origin: origin.to_owned(),
                    seen: id.to_owned(),
                    allowed: Self::BUILTIN.join(", "),
                });
            }
        };
        Self::from_toml(&format!("assets/meters/{id}.toml"), text)
    }

    /// A model from its file's text; `origin` names the file in messages. With `based_on`, every item that is not
    /// written is that of the model of the program so named.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let file: File = toml::from_str(text)
            .map_err(|why| Fault::Unreadable { origin: origin.to_owned(), why: why.to_string() })?;
        let (base_edition, mut items) = match &file.based_on {
            Some(base) => {
                let base = Self::builtin_for(base, origin)?;
                (base.edition, base.items)
            }
            None => (Edition::default(), BTreeMap::new()),
        };
        let edition = file.edition.unwrap_or(base_edition);
        for (name, line) in file.item {
            let Some((_, slot)) = SLOTS.iter().find(|(known, _)| *known == name) else {
                let allowed = SLOTS.map(|(name, _)| name).join(", ");
                return Err(Fault::NoSuchItem { origin: origin.to_owned(), item: name, allowed });
            };
            let item = line.item(*slot, edition).map_err(|(key, seen, allowed)| {
                let (origin, item, allowed) = (origin.to_owned(), name.clone(), allowed.to_owned());
                Fault::BadItem { origin, item, key, seen, allowed }
            })?;
            items.insert(*slot, item);
        }
        for (slot, item) in &items {
            let same = |other: &Slot, twin: &Item| match (slot.series(), other.series()) {
                (None, None) => twin.di == item.di,
                (Some(series), None) => series.numbers().any(|n| series.with(item.di, n) == twin.di),
                (_, Some(_)) => false,
            };
            if let Some((other, _)) = items.iter().find(|(other, twin)| *other != slot && same(other, twin)) {
                return Err(Fault::BadItem {
                    origin: origin.to_owned(),
                    item: slot.name().to_owned(),
                    key: "di",
                    seen: item.di.to_string(),
                    allowed: format!("another than that of `{}`", other.name()),
                });
            }
        }
        Ok(Self { id: file.id, title: file.title, edition, items })
    }

    /// Its short name, as bench files give it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The edition of the standard it speaks.
    pub const fn edition(&self) -> Edition {
        self.edition
    }

    /// Names of the items that no meter has confirmed yet.
    pub fn unconfirmed(&self) -> Vec<&'static str> {
        let doubtful = self.items.iter().filter(|(_, item)| item.provenance == Provenance::Unconfirmed);
        doubtful.map(|(slot, _)| slot.name()).collect()
    }

    /// The item that answers `query` by itself; the clock may come in two parts instead, see [`Slot`].
    pub fn item(&self, query: Query) -> Option<Item> {
        self.item_of(Slot::Query(query))
    }

    /// The item for `slot`; one with a number has it in its data identifier.
    pub fn item_of(&self, slot: Slot) -> Option<Item> {
        let Some(series) = slot.series() else { return self.items.get(&slot).cloned() };
        let (item, number) = (self.items.get(&slot.with(0))?, slot.number());
        series.numbers().contains(&number).then(|| Item { di: series.with(item.di, number), ..item.clone() })
    }

    /// What `di` is for: what a simulated meter asks before it answers.
    pub fn slot_of(&self, di: Di) -> Option<Slot> {
        let plain = self.items.iter().find(|(slot, item)| slot.series().is_none() && item.di == di);
        if let Some((slot, _)) = plain {
            return Some(*slot);
        }
        self.items.keys().find_map(|slot| {
            let slot = slot.with(slot.series()?.of(di));
            self.item_of(slot).filter(|item| item.di == di).map(|_| slot)
        })
    }
}

impl Slot {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        SLOTS.iter().find(|(_, slot)| *slot == self.with(0)).map_or("", |(name, _)| name)
    }

    /// How its items are numbered; `None` where there is but one.
    const fn series(self) -> Option<Series> {
        let Self::Query(query) = self else { return None };
        Some(match query {
            Query::TariffEnergy(_) => Series::TARIFF,
            Query::SettlementDay(_) => Series::kept(3),
            Query::SettledEnergy(_) => Series::kept(12),
            Query::DayKeptAt(_) | Query::DayEnergy(_) => Series::kept(62),
            _ => return None,
        })
    }

    /// Its number; 0 where it has none.
    const fn number(self) -> u8 {
        match self {
            Self::Query(
                Query::TariffEnergy(n)
                | Query::SettlementDay(n)
                | Query::SettledEnergy(n)
                | Query::DayKeptAt(n)
                | Query::DayEnergy(n),
            ) => n,
            _ => 0,
        }
    }

    /// The same with another number; 0 is the key of them all.
    const fn with(self, number: u8) -> Self {
        let Self::Query(query) = self else { return self };
        Self::Query(match query {
            Query::TariffEnergy(_) => Query::TariffEnergy(number),
            Query::SettlementDay(_) => Query::SettlementDay(number),
            Query::SettledEnergy(_) => Query::SettledEnergy(number),
            Query::DayKeptAt(_) => Query::DayKeptAt(number),
            Query::DayEnergy(_) => Query::DayEnergy(number),
            other => other,
        })
    }
}

/// The key, what is written there and what would do.
type Complaint = (&'static str, String, &'static str);

impl Line {
    fn item(self, slot: Slot, edition: Edition) -> Result<Item, Complaint> {
        if edition == Edition::Of1997 {
            let four = self.di.len() == 4 && self.di.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !four || slot.series().is_some() {
                return Err((
                    "di",
                    self.di.clone(),
                    "four hex digits, and nothing that is numbered, in the edition of 1997",
                ));
            }
            let wide = Self { di: format!("0000{}", self.di), ..self };
            return wide.item(slot, Edition::Of2007);
        }
        let series = slot.series();
        let plain = series.map_or(self.di.clone(), |series| self.di.replacen(series.mark, "00", 1));
        let has_gap = series.is_none_or(|s| self.di.get(s.digit..s.digit + 2) == Some(s.mark));
        let eight = plain.len() == 8 && plain.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = if eight && has_gap { u32::from_str_radix(&plain, 16).ok() } else { None };
        let form = match series {
            Some(Series::TARIFF) => "eight hex digits with xx for the tariff",
            Some(_) => "eight hex digits, the last two nn for the number",
            None => "eight hex digits",
        };
        let number = number.ok_or(("di", self.di.clone(), form))?;
        let (codings, expected): (&[Coding], _) = match slot {
            Slot::ClockDate => (&[Coding::Date], "date"),
            Slot::ClockTime => (&[Coding::Time], "time"),
            Slot::Query(Query::Clock) => (&[Coding::Datetime], "datetime"),
            Slot::Query(Query::CoverOpenLast | Query::TerminalCoverOpenLast | Query::PowerLossLast) => {
                (&[Coding::CoverRecord], "cover_record")
            }
            Slot::Query(Query::ProgrammingLast) => (&[Coding::EventRecord], "event_record"),
            Slot::Query(Query::ClockSetLast) => (&[Coding::ClockSetRecord], "clock_set_record"),
            Slot::Query(Query::StatusWords) => (&[Coding::StatusWords], "status_words"),
            Slot::Query(Query::SettlementDay(_)) => (&[Coding::DayHour], "day_hour"),
            Slot::Query(Query::DayKeptAt(_)) => (&[Coding::MinuteRecord], "minute_record"),
            Slot::Query(Query::DayEnergy(_)) => (&[Coding::Block, Coding::Bcd], "block or bcd"),
            Slot::Query(Query::Address | Query::MeterNumber) => {
                (&[Coding::Digits, Coding::Ascii], "digits or ascii")
            }
            Slot::Query(_) => (&[Coding::Bcd, Coding::Binary], "bcd or binary"),
        };
        if !codings.contains(&self.coding) {
            return Err(("coding", format!("{:?}", self.coding), expected));
        }
        let (lengths, expected) = match self.coding {
            Coding::Bcd | Coding::Binary | Coding::Block => (1..=8, "1 to 8"),
            Coding::DayHour => (2..=2, "2"),
            Coding::MinuteRecord => (5..=5, "5"),
            Coding::Digits | Coding::Ascii => (1..=DATA_LIMIT - 4, "1 to 196"),
            Coding::Date => (4..=4, "4"),
            Coding::Time => (3..=3, "3"),
            Coding::Datetime => (7..=7, "7"),
            Coding::CoverRecord => (12..=DATA_LIMIT - 4, "12 to 196"),
            Coding::EventRecord => (6..=DATA_LIMIT - 4, "6 to 196"),
            Coding::ClockSetRecord => (16..=16, "16"),
            Coding::StatusWords => (14..=14, "14"),
        };
        if !lengths.contains(&self.bytes) {
            return Err(("bytes", self.bytes.to_string(), expected));
        }
        let unit = if let Slot::Query(query) = slot { query.unit() } else { None };
        if self.unit != unit {
            let written = self.unit.map_or_else(|| "missing".to_owned(), |unit| unit.to_string());
            let allowed = match unit {
                Some(Unit::KilowattHour) => "kWh",
                Some(Unit::Volt) => "V",
                Some(Unit::Ampere) => "A",
                Some(Unit::Kilowatt) => "kW",
                Some(Unit::ImpulsesPerKilowattHour) => "imp/kWh",
                None => "left out",
            };
            return Err(("unit", written, allowed));
        }
        if self.decimals > 9 || unit.is_none() && self.decimals > 0 {
            return Err(("decimals", self.decimals.to_string(), "0 to 9, and 0 where there is no unit"));
        }
        if unit.is_none() && self.sign != Sign::None {
            return Err(("sign", "top-bit".to_owned(), "none where there is no unit"));
        }
        if self.source.trim().is_empty() {
            return Err(("source", "empty".to_owned(), "where the line was taken from"));
        }
        let Self { bytes, coding, decimals, sign, source, provenance, .. } = self;
        Ok(Item { di: Di::new(number), bytes, coding, decimals, sign, unit, source, provenance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Reading, Value};

    const LINE: &str = r#"
        id = "mine"
        title = "Mine"
        [item.voltage]
        di = "02010100"
        bytes = 2
        coding = "bcd"
        decimals = 1
        unit = "V"
        source = "display"
        provenance = "unconfirmed"
    "#;

    #[test]
    fn every_model_of_the_program_answers_every_query() {
        for id in Profile::BUILTIN {
            let profile = Profile::builtin(id).unwrap();
            assert_eq!(profile.id(), id);
            for query in Query::all() {
                let two_parts =
                    profile.item_of(Slot::ClockDate).is_some() && profile.item_of(Slot::ClockTime).is_some();
                let old = profile.edition() == Edition::Of1997;
                let has = profile.item(query).is_some() || query == Query::Clock && two_parts;
                assert!(has || old, "{id} {query}");
            }
        }
        assert!(Profile::builtin("abacus").unwrap_err().to_string().contains("dlt645-2007"));
    }

    #[test]
    fn a_tariff_stands_in_its_data_identifier() {
        let profile = Profile::builtin("dlt645-2007").unwrap();
        let third = profile.item(Query::TariffEnergy(3)).unwrap();
        assert_eq!(third.di(), Di::new(0x0001_0300));
        assert_eq!(profile.slot_of(third.di()), Some(Slot::Query(Query::TariffEnergy(3))));
        assert_eq!(profile.slot_of(Di::new(0x0001_0000)), Some(Slot::Query(Query::Energy)));
        assert_eq!(profile.slot_of(Di::new(0x0001_FF00)), None);
        assert_eq!(profile.item(Query::TariffEnergy(0)), None);
        assert_eq!(profile.item(Query::TariffEnergy(64)), None);
    }

    #[test]
    fn what_is_numbered_backward_stands_in_the_last_byte() {
        let profile = Profile::builtin("dlt645-2007").unwrap();
        for (query, di, last) in [
            (Query::SettledEnergy as fn(u8) -> Query, 0x0001_0000, 12),
            (Query::SettlementDay, 0x0400_0B00, 3),
            (Query::DayKeptAt, 0x0506_0000, 62),
            (Query::DayEnergy, 0x0506_0100, 62),
        ] {
            for n in 1..=last {
                let item = profile.item(query(n)).unwrap();
                assert_eq!(item.di(), Di::new(di + u32::from(n)));
                assert_eq!(profile.slot_of(item.di()), Some(Slot::Query(query(n))));
            }
            assert_eq!((profile.item(query(0)), profile.item(query(last + 1))), (None, None));
        }
        let text = LINE
            .replace("item.voltage", "item.settled_energy")
            .replace("\"V\"", "\"kWh\"")
            .replace("02010100", "000100xx");
        let fault = Profile::from_toml("mine.toml", &text).unwrap_err().to_string();
        assert!(fault.contains("the last two nn for the number"), "{fault}");
        assert!(Profile::from_toml("mine.toml", &text.replace("xx", "nn")).is_ok());
    }

    #[test]
    fn a_model_differs_from_its_base_only_where_it_says_so() {
        let standard = Profile::builtin("dlt645-2007").unwrap();
        let yada = Profile::builtin("yada-dcm3366q").unwrap();
        assert_eq!(yada.item(Query::Power), standard.item(Query::Power));
        let energy = yada.item(Query::Energy).unwrap();
        assert_eq!((energy.di(), energy.coding()), (Di::new(0x00D1_0000), Coding::Binary));
        assert_eq!(energy.provenance(), Provenance::Unconfirmed);
        let reading = yada.item(Query::Voltage).unwrap().decode(&[0x50, 0x34, 0x12, 0x80]).unwrap();
        assert_eq!(reading, Reading::Value(Value::Number("-123.450".parse().unwrap(), Unit::Volt)));
        let simulated = Profile::builtin("simulated-dc").unwrap();
        assert_eq!(simulated.item(Query::Power).unwrap().provenance(), Provenance::Invented);
    }

    #[test]
    fn what_a_model_may_not_say_is_refused_by_name() {
        assert!(Profile::from_toml("mine.toml", LINE).is_ok());
        for (from, to, parts) in [
            ("bytes", "byts", &["mine.toml", "byts"][..]),
            ("provenance = \"unconfirmed\"", "", &["provenance"]),
            ("\"unconfirmed\"", "\"sure\"", &["sure", "confirmed"]),
            ("item.voltage", "item.volts", &["`volts`", "voltage"]),
            ("02010100", "0201010", &["di is 0201010", "eight hex digits"]),
            ("02010100", "+2010100", &["di is +2010100"]),
            ("\"bcd\"", "\"date\"", &["coding is Date", "bcd or binary"]),
            ("bytes = 2", "bytes = 9", &["bytes is 9", "1 to 8"]),
            ("\"V\"", "\"A\"", &["unit is A", "must be V"]),
            ("decimals = 1", "decimals = 10", &["decimals is 10"]),
            ("\"display\"", "\" \"", &["source is empty"]),
            ("title", "based_on = \"abacus\"\ntitle", &["`abacus`"]),
        ] {
            let fault = Profile::from_toml("mine.toml", &LINE.replace(from, to)).unwrap_err().to_string();
            assert!(parts.iter().all(|part| fault.contains(part)), "{from} -> {to}: {fault}");
        }
        let twin = LINE.replace("title", "based_on = \"dlt645-2007\"\ntitle").replace("02010100", "00010000");
        let fault = Profile::from_toml("mine.toml", &twin).unwrap_err().to_string();
        assert!(fault.contains("another than that of"), "{fault}");
    }
}
