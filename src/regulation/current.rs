//! Currents in the words of a regulation: `Itr`, `0.5 Imax`, `Imin < I < Itr`, `Imax >= 40 Itr`.

use crate::quantity::Current;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A current of the nameplate, in rising order of what it usually is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Symbol {
    /// The starting current.
    Ist,
    /// The minimum current.
    Imin,
    /// The transitional current.
    Itr,
    /// The basic current, old naming, direct connection.
    Ib,
    /// The nominal current, old naming, connection through transformer or shunt.
    In,
    /// The maximum current.
    Imax,
}

impl Symbol {
    const ALL: [Self; 6] = [Self::Ist, Self::Imin, Self::Itr, Self::Ib, Self::In, Self::Imax];

    /// Whether a limit or load point may be written in it; Ib and In are only mapped from.
    pub(super) fn is_new_naming(self) -> bool {
        !matches!(self, Self::Ib | Self::In)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ist => "Ist",
            Self::Imin => "Imin",
            Self::Itr => "Itr",
            Self::Ib => "Ib",
            Self::In => "In",
            Self::Imax => "Imax",
        })
    }
}

/// A text that is no current, range or condition of a regulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{seen}` is no {what}; write it like `{example}`")]
pub struct NoCurrent {
    seen: String,
    what: &'static str,
    example: &'static str,
}

impl NoCurrent {
    fn term(seen: &str) -> Self {
        Self { seen: seen.to_owned(), what: "current", example: "0.5 Imax` or `Itr" }
    }
    fn range(seen: &str) -> Self {
        Self { seen: seen.to_owned(), what: "range of currents", example: "Imin < I <= Itr" }
    }
    fn condition(seen: &str) -> Self {
        Self { seen: seen.to_owned(), what: "condition", example: "Imax >= 40 Itr" }
    }
}

/// The four currents of a meter that a regulation of the new naming speaks of; in rising order, positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currents {
    /// The starting current.
    #[serde(rename = "ist_a")]
    pub ist: Current,
    /// The minimum current.
    #[serde(rename = "imin_a")]
    pub imin: Current,
    /// The transitional current.
    #[serde(rename = "itr_a")]
    pub itr: Current,
    /// The maximum current.
    #[serde(rename = "imax_a")]
    pub imax: Current,
}

impl Currents {
    /// The current behind a symbol; none for the old naming.
    pub fn of(&self, symbol: Symbol) -> Option<Current> {
        match symbol {
            Symbol::Ist => Some(self.ist),
            Symbol::Imin => Some(self.imin),
            Symbol::Itr => Some(self.itr),
            Symbol::Imax => Some(self.imax),
            Symbol::Ib | Symbol::In => None,
        }
    }
}

/// Compares two currents; what differs by arithmetic only is equal.
pub(super) fn compare(a: Current, b: Current) -> Ordering {
    let (a, b) = (a.amperes(), b.amperes());
    if (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) { Ordering::Equal } else { a.total_cmp(&b) }
}

/// A multiple of a nameplate current: `0.5 Imax`, `10 Itr`, `Imax`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentTerm {
    /// How many times; positive and finite.
    pub factor: f64,
    /// Of which current.
    pub symbol: Symbol,
}

impl CurrentTerm {
    /// The current where `of` gives the nameplate's.
    pub fn value(self, of: impl Fn(Symbol) -> Option<Current>) -> Option<Current> {
        of(self.symbol).map(|current| current * self.factor)
    }
}

impl From<Symbol> for CurrentTerm {
    fn from(symbol: Symbol) -> Self {
        Self { factor: 1.0, symbol }
    }
}

impl fmt::Display for CurrentTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if (self.factor - 1.0).abs() < f64::EPSILON {
            write!(f, "{}", self.symbol)
        } else {
            write!(f, "{} {}", self.factor, self.symbol)
        }
    }
}

impl FromStr for CurrentTerm {
    type Err = NoCurrent;
    fn from_str(text: &str) -> Result<Self, NoCurrent> {
        let trimmed = text.trim();
        let found = Symbol::ALL.into_iter().find_map(|symbol| {
            trimmed.strip_suffix(&symbol.to_string()).map(|factor| (symbol, factor.trim()))
        });
        let (symbol, factor) = found.ok_or_else(|| NoCurrent::term(text))?;
        let factor: f64 =
            if factor.is_empty() { Ok(1.0) } else { factor.parse() }.map_err(|_| NoCurrent::term(text))?;
        if !factor.is_finite() || factor <= 0.0 {
            return Err(NoCurrent::term(text));
        }
        Ok(Self { factor, symbol })
    }
}

/// Splits `left <= right` at the first of `<=`, `>=`, `<`, `>`.
fn split_relation(text: &str) -> Option<(&str, Relation, &str)> {
    let at = text.find(['<', '>'])?;
    let (left, rest) = text.split_at(at);
    for (sign, relation) in
        [("<=", Relation::AtMost), (">=", Relation::AtLeast), ("<", Relation::Below), (">", Relation::Above)]
    {
        if let Some(right) = rest.strip_prefix(sign) {
            return Some((left.trim(), relation, right.trim()));
        }
    }
    None
}

/// A range of the current I: `Imin < I <= Itr`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentRange {
    /// The lower end.
    pub low: CurrentTerm,
    /// Whether the lower end belongs to it.
    pub low_belongs: bool,
    /// The upper end.
    pub high: CurrentTerm,
    /// Whether the upper end belongs to it.
    pub high_belongs: bool,
}

impl CurrentRange {
    /// Whether a current lies in it.
    pub fn holds(&self, current: Current, currents: &Currents) -> bool {
        let side = |term: CurrentTerm, belongs: bool, inside: Ordering| {
            term.value(|symbol| currents.of(symbol)).is_some_and(|end| {
                let found = compare(current, end);
                found == inside || (belongs && found == Ordering::Equal)
            })
        };
        side(self.low, self.low_belongs, Ordering::Greater)
            && side(self.high, self.high_belongs, Ordering::Less)
    }
}

impl fmt::Display for CurrentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |belongs| if belongs { "<=" } else { "<" };
        write!(f, "{} {} I {} {}", self.low, sign(self.low_belongs), sign(self.high_belongs), self.high)
    }
}

impl FromStr for CurrentRange {
    type Err = NoCurrent;
    fn from_str(text: &str) -> Result<Self, NoCurrent> {
        let none = || NoCurrent::range(text);
        let (low, first, rest) = split_relation(text).ok_or_else(none)?;
        let (middle, second, high) = split_relation(rest).ok_or_else(none)?;
        let belongs = |relation| match relation {
            Relation::AtMost => Ok(true),
            Relation::Below => Ok(false),
            Relation::AtLeast | Relation::Above => Err(none()),
        };
        if middle != "I" {
            return Err(none());
        }
        Ok(Self {
            low: low.parse()?,
            low_belongs: belongs(first)?,
            high: high.parse()?,
            high_belongs: belongs(second)?,
        })
    }
}

/// How two currents must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `>`
    Above,
}

/// A condition between nameplate currents: `Imax >= 40 Itr`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// The left side.
    pub left: CurrentTerm,
    /// How it must stand to the right side.
    pub relation: Relation,
    /// The right side.
    pub right: CurrentTerm,
}

impl Condition {
    /// Whether a meter of these currents fulfils it.
    pub fn holds(&self, currents: &Currents) -> bool {
        let of = |term: CurrentTerm| term.value(|symbol| currents.of(symbol));
        of(self.left).zip(of(self.right)).is_some_and(|(left, right)| {
            let found = compare(left, right);
            match self.relation {
                Relation::AtMost => found != Ordering::Greater,
                Relation::AtLeast => found != Ordering::Less,
                Relation::Below => found == Ordering::Less,
                Relation::Above => found == Ordering::Greater,
            }
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.relation {
            Relation::AtMost => "<=",
            Relation::AtLeast => ">=",
            Relation::Below => "<",
            Relation::Above => ">",
        };
        write!(f, "{} {sign} {}", self.left, self.right)
    }
}

impl FromStr for Condition {
    type Err = NoCurrent;
    fn from_str(text: &str) -> Result<Self, NoCurrent> {
        let (left, relation, right) = split_relation(text).ok_or_else(|| NoCurrent::condition(text))?;
        Ok(Self { left: left.parse()?, relation, right: right.parse()? })
    }
}

macro_rules! as_text {
    ($($name:ident)+) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}
as_text!(CurrentTerm CurrentRange Condition);

#[cfg(test)]
mod tests {
    use super::*;

    fn currents() -> Currents {
        let a = Current::from_amperes;
        Currents { ist: a(0.4), imin: a(5.0), itr: a(10.0), imax: a(400.0) }
    }

    #[test]
    fn a_current_survives_its_own_text() {
        for text in ["Imax", "0.5 Imax", "10 Itr", "Ist", "0.05 Ib", "0.01 In"] {
            assert_eq!(text.parse::<CurrentTerm>().unwrap().to_string(), text);
        }
        assert_eq!("10Itr".parse::<CurrentTerm>().unwrap().to_string(), "10 Itr");
        for text in ["Iref", "-1 Imax", "0 Imax", "nan Imax", "0.5", "", "two Itr"] {
            assert!(text.parse::<CurrentTerm>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_survives_its_own_text() {
        for text in ["Imin < I < Itr", "Ist <= I <= Imin", "Itr <= I < 0.5 Imax"] {
            assert_eq!(text.parse::<CurrentRange>().unwrap().to_string(), text);
        }
        for text in ["Imin < Itr", "Imin < J < Itr", "Imax > I > Itr", "Imin I Itr", "Imin < I <"] {
            assert!(text.parse::<CurrentRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_ends_of_a_range_belong_to_it_or_not() {
        let range: CurrentRange = "Imin < I <= Itr".parse().unwrap();
        let holds = |amperes| range.holds(Current::from_amperes(amperes), &currents());
        assert_eq!([holds(5.0), holds(5.1), holds(10.0), holds(10.1)], [false, true, true, false]);
        assert!(holds(10.000_000_000_000_002), "arithmetic does not move a current out of its range");
    }

    #[test]
    fn a_condition_is_data() {
        let condition: Condition = "Imax >= 40 Itr".parse().unwrap();
        assert_eq!(condition.to_string(), "Imax >= 40 Itr");
        assert!(condition.holds(&currents()));
        assert!(!condition.holds(&Currents { imax: Current::from_amperes(399.0), ..currents() }));
    }
}
