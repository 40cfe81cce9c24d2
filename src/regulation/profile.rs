//! The regulation profile, key by key as its file has it.

use super::{
    BasicError, Bench, Clock, Condition, Conditions, Connection, Creep, CurrentRange, CurrentTerm, Demand,
    Fault, Figure, Item, Kind, MeterConstant, Prior, Provenance, Rule, Start, Supply, Symbol,
    TariffRegisters,
};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A regulation as data; frozen into every record that was judged by it.
///
/// However it is read, from TOML or out of a record, it is checked before it exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Profile {
    /// The version of the file's form.
    pub schema: u32,
    /// The profile's name: `jjg596-2026`.
    pub id: String,
    /// The document's number: `JJG 596-2026`.
    pub document: String,
    /// The document's title in Chinese.
    pub title_zh: String,
    /// The document's title in English.
    pub title_en: String,
    /// What the profile covers and what it leaves out.
    pub scope: String,
    /// The currents the regulation refers to.
    pub symbols: Vec<Symbol>,
    /// Which meters it is about; a certificate for others does not follow from it.
    pub supply: Supply,
    /// How an error is judged.
    pub rule: Figure<Rule>,
    /// The accuracy classes, from the widest.
    #[serde(rename = "class")]
    pub classes: Vec<ClassFigures>,
    /// The map from the old naming of currents, or from Imax.
    #[serde(default)]
    pub naming: Vec<MapRow>,
    /// The items of the regulation's table; what is not there is not asked for.
    pub demand: BTreeMap<Item, DemandRow>,
    /// The load points of the basic error.
    #[serde(rename = "load_point")]
    pub load_points: Vec<LoadPointRow>,
    /// How the basic error is measured.
    pub basic_error: BasicError,
    /// How creep is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creep: Option<Creep>,
    /// How the start is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// How the register is compared with the pulses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_constant: Option<MeterConstant>,
    /// How the clock is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// How the tariff registers are tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff_registers: Option<TariffRegisters>,
    /// The reference conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// What is asked of the tester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench: Option<Bench>,
    /// What is assumed of meters before they are measured; without it no global risk is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// A laboratory's own answer for the unconfirmed figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// What belongs to one accuracy class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassFigures {
    /// The class as the regulation names it.
    pub name: String,
    /// Its names in other regulations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Figure<Vec<String>>>,
    /// The limits of error, from Imax downward without gap or overlap.
    pub limits: Vec<RangeLimit>,
    /// The starting current by connection.
    #[serde(default)]
    pub start_current: Vec<StartCurrent>,
    /// The rounding interval of the error, in %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding_percent: Option<Figure<f64>>,
    /// The period of validity, in years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_years: Option<Figure<u32>>,
    /// The warm-up, in minutes, where the manual of the meter gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up_minutes: Option<Figure<f64>>,
    /// The accuracy class of the tester this class of meter calls for, in %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench_class_percent: Option<Figure<f64>>,
}

impl ClassFigures {
    /// Whether the class is called so elsewhere.
    pub(super) fn has_alias(&self, name: &str) -> bool {
        self.aliases.iter().any(|aliases| aliases.value.iter().any(|alias| alias == name))
    }
}

/// A limit of error over a range of currents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeLimit {
    /// The range.
    pub range: CurrentRange,
    /// The limit ±, in %.
    pub percent: f64,
    /// Whether it grows inside the range.
    #[serde(default)]
    pub scale: Scale,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a limit changes inside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Not at all.
    #[default]
    None,
    /// Times Imin/I.
    IminOverI,
}

/// The starting current of a class for one connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartCurrent {
    /// The connection.
    pub connection: Connection,
    /// The current.
    pub term: CurrentTerm,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One line of the map between the namings: `to` is `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapRow {
    /// Imin or Itr.
    pub to: Symbol,
    /// What it is a multiple of: Ib, In or Imax.
    pub from: CurrentTerm,
    /// The connection it is for.
    pub connection: Connection,
    /// The classes it is for.
    pub classes: Vec<String>,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether an item is asked for, by kind of verification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DemandRow {
    /// At first verification.
    pub first: Demand,
    /// At subsequent verification.
    pub subsequent: Demand,
    /// At a check in service.
    pub in_service: Demand,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl DemandRow {
    /// The demand of one kind of verification.
    pub fn of(&self, kind: Kind) -> Demand {
        match kind {
            Kind::First => self.first,
            Kind::Subsequent => self.subsequent,
            Kind::InService => self.in_service,
        }
    }
}

/// A load point as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadPointRow {
    /// The current.
    pub current: CurrentTerm,
    /// Only for meters of which this is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Only for these kinds of verification; without it for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<Kind>>,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl LoadPointRow {
    /// Whether the point is asked for at this kind of verification.
    pub(super) fn is_for(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// Who answers for the figures of a profile that are unconfirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The laboratory.
    pub laboratory: String,
    /// The person.
    pub person: String,
    /// The day.
    pub date: Date,
}

/// The shipped profiles: name and text.
const BUILTIN: [(&str, &str); 3] = [
    ("dc-meter", include_str!("../../assets/regulations/dc-meter.toml")),
    ("jjg596-2026", include_str!("../../assets/regulations/jjg596-2026.toml")),
    ("jjg1149-2022", include_str!("../../assets/regulations/jjg1149-2022.toml")),
];

impl Profile {
    /// Reads a profile and checks it; `origin` is the file's name for messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let text_fault =
            |fault: toml::de::Error| Fault::Text { origin: origin.to_owned(), message: fault.to_string() };
        let parser = toml::Deserializer::parse(text).map_err(text_fault)?;
        // The parser does not know the text any more; its line is put back into the message here.
        let profile = Self::deserialize(parser).map_err(|mut fault| {
            fault.set_input(Some(text));
            text_fault(fault)
        })?;
        profile.check_as(origin)?;
        Ok(profile)
    }

    /// A shipped profile.
    pub fn builtin(id: &str) -> Result<Self, Fault> {
        Self::from_toml(&format!("assets/regulations/{id}.toml"), Self::builtin_text(id)?)
    }

    /// The text of a shipped profile, which a laboratory's answer is for.
    pub fn builtin_text(id: &str) -> Result<&'static str, Fault> {
        let found = BUILTIN.iter().find(|(name, _)| *name == id);
        let (_, text) = found.ok_or_else(|| Fault::UnknownProfile {
            seen: id.to_owned(),
            allowed: Self::builtin_ids().collect::<Vec<_>>().join(", "),
        })?;
        Ok(text)
    }

    /// The names of the shipped profiles.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// Whether an item is asked for.
    pub fn demand(&self, kind: Kind, item: Item) -> Demand {
        self.demand.get(&item).map_or(Demand::No, |row| row.of(kind))
    }
}

// `remote = "Self"` makes the derived functions inherent, so that the check stands between them and the world.
impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let profile = Self::deserialize(deserializer)?;
        profile.check().map_err(serde::de::Error::custom)?;
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_load_and_survive_the_record() {
        for id in Profile::builtin_ids() {
            let profile = Profile::builtin(id).unwrap();
            assert_eq!(profile.id, id);
            let json = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile, "{id}");
        }
        let fault = Profile::builtin("jjg842").unwrap_err().to_string();
        assert_eq!(
            fault,
            "there is no regulation profile `jjg842`; there are dc-meter, jjg596-2026, jjg1149-2022"
        );
    }

    #[test]
    fn a_profile_out_of_a_record_is_checked_again() {
        let json = serde_json::to_string(&Profile::builtin("jjg596-2026").unwrap()).unwrap();
        let spoilt = json.replacen("\"percent\":2.0", "\"percent\":-2.0", 1);
        assert_ne!(json, spoilt);
        assert!(serde_json::from_str::<Profile>(&spoilt).unwrap_err().to_string().contains("-2"));
    }

    #[test]
    fn items_are_asked_for_by_kind() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        let row = |item| Kind::ALL.map(|kind| profile.demand(kind, item));
        assert_eq!(row(Item::Withstand), [Demand::Required, Demand::No, Demand::No]);
        assert_eq!(row(Item::Creep), [Demand::Required, Demand::Required, Demand::No]);
        assert_eq!(row(Item::BasicError), [Demand::Required; 3]);
        assert_eq!(row(Item::ClockIndication), [Demand::IfPresent; 3]);
        assert_eq!(row(Item::Seal), [Demand::No; 3]);
    }
}
