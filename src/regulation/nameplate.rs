//! From the nameplate to the class and the four currents the regulation speaks of.

use super::current::compare;
use super::{ClassFigures, Currents, Fault, Profile, Symbol};
use crate::quantity::Current;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// An accuracy class as the regulation names it; made by [`Profile::class`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Class(String);

impl Class {
    /// The regulation's name of it.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the current gets to the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Straight through it.
    Direct,
    /// Through a transformer or a shunt outside.
    Transformer,
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Transformer => "transformer",
        })
    }
}

/// The currents on a nameplate, in whichever naming.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratings {
    /// How the meter is connected.
    pub connection: Connection,
    /// The starting current, if given.
    #[serde(rename = "ist_a", default, skip_serializing_if = "Option::is_none")]
    pub ist: Option<Current>,
    /// The minimum current, if given.
    #[serde(rename = "imin_a", default, skip_serializing_if = "Option::is_none")]
    pub imin: Option<Current>,
    /// The transitional current, if given.
    #[serde(rename = "itr_a", default, skip_serializing_if = "Option::is_none")]
    pub itr: Option<Current>,
    /// The basic current of the old naming, if given.
    #[serde(rename = "ib_a", default, skip_serializing_if = "Option::is_none")]
    pub ib: Option<Current>,
    /// The nominal current of the old naming, if given.
    #[serde(rename = "in_a", default, skip_serializing_if = "Option::is_none")]
    pub i_n: Option<Current>,
    /// The maximum current.
    #[serde(rename = "imax_a")]
    pub imax: Current,
}

impl Ratings {
    fn of(&self, symbol: Symbol) -> Option<Current> {
        match symbol {
            Symbol::Ist => self.ist,
            Symbol::Imin => self.imin,
            Symbol::Itr => self.itr,
            Symbol::Ib => self.ib,
            Symbol::In => self.i_n,
            Symbol::Imax => Some(self.imax),
        }
    }
}

impl Profile {
    /// The class behind what a nameplate says: its own name here, or one of its other names.
    pub fn class(&self, nameplate_class: &str) -> Result<Class, Fault> {
        let wanted = nameplate_class.trim();
        let found = self.classes.iter().find(|class| class.name == wanted || class.has_alias(wanted));
        found.map(|class| Class(class.name.clone())).ok_or_else(|| self.unknown_class(wanted))
    }

    /// The figures of a class.
    pub fn figures_of(&self, class: &Class) -> Result<&ClassFigures, Fault> {
        let found = self.classes.iter().find(|figures| figures.name == class.0);
        found.ok_or_else(|| self.unknown_class(&class.0))
    }

    fn unknown_class(&self, seen: &str) -> Fault {
        let names = self.classes.iter().map(|class| match &class.aliases {
            Some(aliases) => format!("{} ({})", class.name, aliases.value.join(", ")),
            None => class.name.clone(),
        });
        let allowed = names.collect::<Vec<_>>().join(", ");
        Fault::UnknownClass { document: self.document.clone(), seen: seen.to_owned(), allowed }
    }

    /// Ist, Imin, Itr and Imax of a meter.
    ///
    /// What the nameplate gives goes before; the rest is mapped from the old naming, Ist by the regulation's factor.
    /// A symbol the regulation does not speak of (`symbols` of the profile) takes the place of the next one it does:
    /// no limit or load point can refer to it.
    pub fn currents(&self, ratings: &Ratings, class: &Class) -> Result<Currents, Fault> {
        let figures = self.figures_of(class)?;
        for symbol in [Symbol::Ist, Symbol::Imin, Symbol::Itr, Symbol::Ib, Symbol::In, Symbol::Imax] {
            if let Some(current) = ratings.of(symbol).filter(|current| current.amperes() <= 0.0) {
                return Err(Fault::Nameplate { seen: format!("{symbol} {current} is not above zero") });
            }
        }
        let imin = match ratings.imin {
            Some(imin) => imin,
            None => self.mapped(ratings, class, Symbol::Imin)?,
        };
        let itr = match ratings.itr {
            Some(itr) => itr,
            None if !self.speaks_of(Symbol::Itr) => imin,
            None => self.mapped(ratings, class, Symbol::Itr)?,
        };
        let ist = match ratings.ist {
            Some(ist) => ist,
            None if !self.speaks_of(Symbol::Ist) => imin,
            None => {
                let row = figures.start_current.iter().find(|row| row.connection == ratings.connection);
                let known = |symbol| match symbol {
                    Symbol::Itr => Some(itr),
                    Symbol::Imin => Some(imin),
                    other => ratings.of(other),
                };
                row.and_then(|row| row.term.value(known))
                    .ok_or_else(|| self.missing(ratings, class, Symbol::Ist, "ist_a"))?
            }
        };
        let imax = ratings.imax;
        let mut given = vec![(Symbol::Ist, ist), (Symbol::Imin, imin), (Symbol::Itr, itr)];
        given.extend(ratings.ib.map(|ib| (Symbol::Ib, ib)));
        given.extend(ratings.i_n.map(|i_n| (Symbol::In, i_n)));
        let above = |low: (Symbol, Current), high: (Symbol, Current)| {
            (compare(low.1, high.1) == Ordering::Greater).then(|| Fault::Nameplate {
                seen: format!("{} {} is above {} {}", low.0, low.1, high.0, high.1),
            })
        };
        // Against Imax first: it is always of the nameplate itself.
        let to_imax = given.iter().find_map(|low| above(*low, (Symbol::Imax, imax)));
        let among = || given[..3].windows(2).find_map(|pair| above(pair[0], pair[1]));
        match to_imax.or_else(among) {
            Some(fault) => Err(fault),
            None => Ok(Currents { ist, imin, itr, imax }),
        }
    }

    /// Whether the regulation refers to the symbol at all.
    pub fn speaks_of(&self, symbol: Symbol) -> bool {
        self.symbols.contains(&symbol)
    }

    fn mapped(&self, ratings: &Ratings, class: &Class, wanted: Symbol) -> Result<Current, Fault> {
        let rows = self.naming.iter().filter(|row| {
            row.to == wanted && row.connection == ratings.connection && row.classes.contains(&class.0)
        });
        let found = rows.clone().find_map(|row| row.from.value(|symbol| ratings.of(symbol)));
        found.ok_or_else(|| {
            let own = match wanted {
                Symbol::Imin => "imin_a",
                _ => "itr_a",
            };
            let old = rows.map(|row| match row.from.symbol {
                Symbol::In => "in_a",
                _ => "ib_a",
            });
            let mut keys = vec![own];
            keys.extend(old);
            self.missing(ratings, class, wanted, &keys.join(" or "))
        })
    }

    fn missing(&self, ratings: &Ratings, class: &Class, wanted: Symbol, give: &str) -> Fault {
        Fault::MissingRating {
            document: self.document.clone(),
            wanted,
            connection: ratings.connection,
            class: class.0.clone(),
            give: give.to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers compared are rounded to decimals first")]
mod tests {
    use super::*;

    fn ratings(text: &str) -> Ratings {
        toml::from_str(text).unwrap()
    }

    fn currents(profile: &str, class: &str, text: &str) -> Result<Currents, Fault> {
        let profile = Profile::builtin(profile)?;
        profile.currents(&ratings(text), &profile.class(class)?)
    }

    fn amperes(found: &Currents) -> [f64; 4] {
        [found.ist, found.imin, found.itr, found.imax].map(|i| (i.amperes() * 1e9).round() / 1e9)
    }

    #[test]
    fn a_nameplate_class_is_found_by_its_old_name() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        for (plate, name) in [("2", "A"), ("1", "B"), ("0.5", "C"), ("0.5S", "C"), ("0.2S", "D"), ("E", "E")]
        {
            assert_eq!(profile.class(plate).unwrap().name(), name);
        }
        let fault = profile.class("3").unwrap_err().to_string();
        assert_eq!(
            fault,
            "JJG 596-2026 knows no class `3`; it knows A (2), B (1), C (0.5, 0.5S), D (0.2S), E"
        );
    }

    #[test]
    fn the_old_naming_is_mapped_as_appendix_e_says() {
        let found = currents("jjg596-2026", "1", "connection = 'direct'\nib_a = 100\nimax_a = 600").unwrap();
        assert_eq!(amperes(&found), [0.4, 5.0, 10.0, 600.0]);
        let found =
            currents("jjg596-2026", "0.2S", "connection = 'transformer'\nin_a = 5\nimax_a = 6").unwrap();
        assert_eq!(amperes(&found), [0.005, 0.05, 0.25, 6.0]);
        let found = currents("dc-meter", "2", "connection = 'direct'\nib_a = 100\nimax_a = 600").unwrap();
        assert_eq!(amperes(&found), [0.5, 5.0, 10.0, 600.0]);
    }

    #[test]
    fn the_nameplate_goes_before_the_map() {
        let text = "connection = 'direct'\nist_a = 0.2\nimin_a = 2.5\nitr_a = 10\nib_a = 50\nimax_a = 300";
        assert_eq!(amperes(&currents("jjg596-2026", "B", text).unwrap()), [0.2, 2.5, 10.0, 300.0]);
    }

    #[test]
    fn a_map_that_is_not_in_the_text_is_not_made_up() {
        let fault =
            currents("jjg596-2026", "C", "connection = 'direct'\nib_a = 100\nimax_a = 600").unwrap_err();
        assert_eq!(fault.to_string(), "JJG 596-2026 needs Imin of a direct meter of class C; give imin_a");
        let fault = currents("jjg596-2026", "B", "connection = 'direct'\nimax_a = 600").unwrap_err();
        assert!(fault.to_string().ends_with("give imin_a or ib_a"), "{fault}");
    }

    #[test]
    fn a_nameplate_that_contradicts_itself_is_refused() {
        let seen = |text: &str| {
            currents("jjg596-2026", "B", &format!("connection = 'direct'\n{text}")).unwrap_err().to_string()
        };
        assert_eq!(
            seen("imin_a = 20\nitr_a = 5\nimax_a = 10"),
            "Imin 20 A is above Imax 10 A; check the nameplate"
        );
        assert_eq!(
            seen("imin_a = 6\nitr_a = 5\nimax_a = 10"),
            "Imin 6 A is above Itr 5 A; check the nameplate"
        );
        assert_eq!(seen("ib_a = 20\nimax_a = 10"), "Ib 20 A is above Imax 10 A; check the nameplate");
        assert_eq!(seen("ib_a = -20\nimax_a = 10"), "Ib -20 A is not above zero; check the nameplate");
        assert!(toml::from_str::<Ratings>("connection = 'direct'\nimax_a = nan").is_err());
        assert!(toml::from_str::<Ratings>("connection = 'direct'\nimax_a = 10\nimaks_a = 5").is_err());
    }

    #[test]
    fn a_charger_has_imin_and_imax_only() {
        let found = currents("jjg1149-2022", "1", "connection = 'direct'\nimax_a = 250").unwrap();
        assert_eq!(amperes(&found), [25.0, 25.0, 25.0, 250.0]);
    }
}
