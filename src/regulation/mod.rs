//! What a regulation asks for: limits, load points and procedures as versioned data, each figure with its clause and
//! provenance.
//!
//! A [`Profile`] is one TOML file of `assets/regulations/`. No figure of a regulation stands in the code; the code
//! knows only the forms figures come in. A figure nobody has seen in the text shows as *unconfirmed* wherever it is
//! used, and stands in the way of a certificate until a laboratory answers for it ([`Approval`]).

mod check;
mod citation;
mod current;
mod decision;
pub mod house;
mod limit;
mod nameplate;
mod procedure;
mod profile;

pub use citation::Cited;
pub use current::{Condition, CurrentRange, CurrentTerm, Currents, Relation, Symbol};
pub use decision::{NoRule, Prior, Rule};
pub use limit::{Limit, LoadPoint};
pub use nameplate::{Class, Connection, Ratings};
pub use procedure::{
    BasicError, Bench, ByClass, ByKind, Clock, Conditions, Creep, CreepDwell, DailyRate, MeterConstant,
    Start, StartMethod, TariffRegisters, TariffRun,
};
pub use profile::{
    Approval, ClassFigures, DemandRow, LoadPointRow, MapRow, Profile, RangeLimit, Scale, StartCurrent,
};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a profile cannot be used, or has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The text is no regulation profile.
    #[error("{origin} is no regulation profile: {message}")]
    Text {
        /// The file.
        origin: String,
        /// What the parser met, with its line.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{origin}: {place}: {seen}; {allowed}")]
    Sense {
        /// The file.
        origin: String,
        /// The key, class or range.
        place: String,
        /// What stands there.
        seen: String,
        /// What may stand there.
        allowed: String,
    },
    /// No profile of this name is shipped.
    #[error("there is no regulation profile `{seen}`; there are {allowed}")]
    UnknownProfile {
        /// The name asked for.
        seen: String,
        /// The names there are.
        allowed: String,
    },
    /// The regulation knows no such accuracy class.
    #[error("{document} knows no class `{seen}`; it knows {allowed}")]
    UnknownClass {
        /// The regulation.
        document: String,
        /// The class asked for.
        seen: String,
        /// The classes there are, with their other names.
        allowed: String,
    },
    /// The nameplate does not say enough.
    #[error("{document} needs {wanted} of a {connection} meter of class {class}; give {give}")]
    MissingRating {
        /// The regulation.
        document: String,
        /// What was needed.
        wanted: Symbol,
        /// The connection of the meter.
        connection: Connection,
        /// Its class.
        class: String,
        /// The keys that would help.
        give: String,
    },
    /// The nameplate contradicts itself.
    #[error("{seen}; check the nameplate")]
    Nameplate {
        /// The contradiction.
        seen: String,
    },
    /// The regulation has no figure for what was asked.
    #[error("{document} has no {what} for {seen}; {allowed}")]
    NoFigure {
        /// The regulation.
        document: String,
        /// What was asked for.
        what: &'static str,
        /// The case in question.
        seen: String,
        /// What it has, or what to do.
        allowed: String,
    },
    /// Not one of the kinds of verification.
    #[error("`{seen}` is no kind of verification; write first, subsequent or in-service")]
    UnknownKind {
        /// What was written.
        seen: String,
    },
}

/// How well a figure is known; the better known is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Read in the regulation's own text.
    Read,
    /// From at least two independent sources, not from the text.
    Secondary,
    /// Chosen by this house where no regulation says anything; only what no verdict leans on may be so ([`Prior`]).
    House,
    /// From memory, from one source or carried over: not confirmed.
    Unconfirmed,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Secondary => "secondary",
            Self::House => "a choice of this house",
            Self::Unconfirmed => "unconfirmed",
        })
    }
}

/// A figure of a regulation with where it stands and how well it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure<T> {
    /// The figure.
    pub value: T,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The occasion of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Before first use.
    First,
    /// At the end of a period of validity or after repair.
    Subsequent,
    /// A check while in service.
    InService,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Subsequent, Self::InService];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Subsequent => "subsequent",
            Self::InService => "in-service",
        })
    }
}

impl FromStr for Kind {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|kind| kind.to_string() == text);
        found.ok_or_else(|| Fault::UnknownKind { seen: text.to_owned() })
    }
}

/// An item of verification. [`Item::Identity`], [`Item::Seal`] and [`Item::DataOutput`] are of the house, not of a
/// regulation's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The meter is the one of the order.
    Identity,
    /// Appearance and function.
    Appearance,
    /// Withstand voltage.
    Withstand,
    /// No pulses without current.
    Creep,
    /// The error at the starting current.
    Start,
    /// Intrinsic error; of a charger the working error.
    BasicError,
    /// Pulses against the register.
    MeterConstant,
    /// The hour the meter shows.
    #[serde(rename = "clock")]
    ClockIndication,
    /// The daily rate of its clock.
    DailyRate,
    /// The tariff registers against the total.
    TariffRegisters,
    /// The seals.
    Seal,
    /// The registers read over the data output.
    DataOutput,
}

impl Item {
    /// All of them, in the order of work.
    pub const ALL: [Self; 12] = [
        Self::Identity,
        Self::Appearance,
        Self::Withstand,
        Self::Creep,
        Self::Start,
        Self::BasicError,
        Self::MeterConstant,
        Self::ClockIndication,
        Self::DailyRate,
        Self::TariffRegisters,
        Self::Seal,
        Self::DataOutput,
    ];
}

impl fmt::Display for Item {
    /// The name it has in files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Appearance => "appearance",
            Self::Withstand => "withstand",
            Self::Creep => "creep",
            Self::Start => "start",
            Self::BasicError => "basic_error",
            Self::MeterConstant => "meter_constant",
            Self::ClockIndication => "clock",
            Self::DailyRate => "daily_rate",
            Self::TariffRegisters => "tariff_registers",
            Self::Seal => "seal",
            Self::DataOutput => "data_output",
        })
    }
}

/// What a regulation is about, and what a meter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Supply {
    /// Alternating current.
    Ac,
    /// Direct current.
    Dc,
}

/// Whether an item is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// It must be done.
    Required,
    /// It must be done where the meter has the function.
    IfPresent,
    /// It is not asked for.
    No,
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::IfPresent => "if-present",
            Self::No => "no",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_survives_its_own_text() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        let fault = "yearly".parse::<Kind>().unwrap_err().to_string();
        assert_eq!(fault, "`yearly` is no kind of verification; write first, subsequent or in-service");
    }

    #[test]
    fn an_item_has_one_name() {
        for item in Item::ALL {
            assert_eq!(serde_json::to_string(&item).unwrap(), format!("\"{item}\""));
        }
    }

    #[test]
    fn a_figure_without_its_provenance_is_refused_by_name() {
        let fault = toml::from_str::<Figure<f64>>("value = 1.0\nclause = \"5\"").unwrap_err();
        assert!(fault.to_string().contains("missing field `provenance`"), "{fault}");
        let fault = toml::from_str::<Figure<f64>>("value = 1.0\nprovenance = \"read\"").unwrap_err();
        assert!(fault.to_string().contains("missing field `clause`"), "{fault}");
    }
}
