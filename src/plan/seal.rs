//! Seals: those that a person sees, and what the meter itself keeps of openings and interventions. What was known before
//! a run comes in with the plan, so that nothing found out afterwards changes its verdict.

use super::nameplate::printable;
use crate::time::Stamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// More seals than this has no meter.
const SEALS_MAX: usize = 20;

/// What the inspector sees of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Whole, its number as it should be.
    #[default]
    Intact,
    /// Scratched, bent or loose, and not open.
    Damaged,
    /// Open, cut or torn.
    Broken,
    /// Not there.
    Missing,
    /// There, but its number cannot be read.
    Illegible,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intact => "intact",
            Self::Damaged => "damaged",
            Self::Broken => "broken",
            Self::Missing => "missing",
            Self::Illegible => "illegible",
        })
    }
}

/// A seal as a person has seen it, or has put it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Where it sits, in the inspector's words.
    pub place: String,
    /// Its number; empty where none can be read or it is missing.
    #[serde(default)]
    pub number: String,
    /// How it was found.
    #[serde(default)]
    pub state: State,
    /// What else was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Its photograph: in the entries a file (JPEG or PNG), in the record the name of its copy in the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photograph: Option<String>,
    /// SHA-256 of that copy; written by the program alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photograph_sha256: Option<String>,
}

impl Seal {
    /// Whether both sit at the same place, however it was typed.
    pub fn is_beside(&self, other: &Self) -> bool {
        let typed = |place: &str| place.split_whitespace().collect::<String>().to_lowercase();
        typed(&self.place) == typed(&other.place)
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.number.is_empty() { "without number" } else { &self.number };
        write!(f, "seal {number} at {}: {}", self.place, self.state)?;
        if self.remark.is_empty() { Ok(()) } else { write!(f, ", {}", self.remark) }
    }
}

/// What is written down at the end of a run, when the meter is closed again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The seals that were put on, or left as they were.
    #[serde(default)]
    pub seal: Vec<Seal>,
}

impl Closing {
    /// Reads it from TOML; the message names `origin`, line and key.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, super::nameplate::Fault> {
        let refuse =
            |what: String| super::nameplate::Fault::Form { origin: format!("closing {origin}"), what };
        let closing: Self = toml::from_str(text).map_err(|e| refuse(e.to_string()))?;
        check(&closing.seal).map_err(refuse)?;
        Ok(closing)
    }

    /// One line a seal, for papers.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.seal.iter().map(|seal| format!("at the end: {seal}"))
    }
}

/// Refuses what is no list of seals, in words.
pub(super) fn check(seals: &[Seal]) -> Result<(), String> {
    if seals.len() > SEALS_MAX {
        return Err(format!("{} seals are entered; at most {SEALS_MAX} are allowed", seals.len()));
    }
    for (n, seal) in seals.iter().enumerate() {
        let n = n + 1;
        if seal.place.trim().is_empty() {
            return Err(format!("seal {n}: place is empty; write where it sits, such as \"meter cover\""));
        }
        if seal.number.trim().is_empty() && !matches!(seal.state, State::Missing | State::Illegible) {
            return Err(format!(
                "seal {n} ({}): number is empty; only a seal whose state is \"missing\" or \"illegible\" has none",
                seal.place
            ));
        }
        for (key, text) in [("place", &seal.place), ("number", &seal.number), ("remark", &seal.remark)] {
            if !printable(text) {
                return Err(format!("seal {n}: {key} must be at most 200 printable characters, on one line"));
            }
        }
        let twin = |other: &&Seal| other.place == seal.place && other.number == seal.number;
        if seals[..n - 1].iter().any(|other| twin(&other)) {
            return Err(format!("seal {n}: {} at {} is entered twice", seal.number, seal.place));
        }
    }
    Ok(())
}

/// What a meter counts and keeps the last time of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Openings of the meter's cover.
    Cover,
    /// Openings of the terminal cover.
    TerminalCover,
    /// Programmings.
    Programming,
    /// Settings of the clock.
    ClockSet,
    /// Losses of the supply.
    PowerLoss,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Cover, Self::TerminalCover, Self::Programming, Self::ClockSet, Self::PowerLoss];

    /// Whether one that no paper knows of stops a pass until it is answered. A choice of this house: who opens the cover or
    /// programs the meter can change what it measures; whoever connects this tester opens the terminal cover and takes
    /// the supply away, and what the setting of the clock did is measured.
    pub const fn stops(self) -> bool {
        matches!(self, Self::Cover | Self::Programming)
    }
}

impl fmt::Display for Kept {
    /// Goes before `3 times`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cover => "cover opened",
            Self::TerminalCover => "terminal cover opened",
            Self::Programming => "programmed",
            Self::ClockSet => "clock set",
            Self::PowerLoss => "supply lost",
        })
    }
}

/// What a meter says of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// Of what.
    pub kept: Kept,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// When it began last, by the meter's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DateTime>,
    /// Whether the last one still lasts: the cover is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
    /// Why it gives no count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} times", self.kept, self.count.unwrap_or(0))?;
        if let Some(last) = self.last {
            write!(f, ", last {last}{}", if self.lasts { " and not closed since" } else { "" })?;
        }
        Ok(())
    }
}

/// The last paper of this meter with which it passed, and what the meter said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Its number.
    pub certificate_no: String,
    /// When its run began.
    pub at: Stamp,
    /// `draft`, `checked` or `issued`, when this plan was made.
    pub status: String,
    /// The entry of its verdict in the chain: what was answered before it answers for nothing after it.
    #[serde(default)]
    pub entry: u64,
    /// What the meter said of itself; of a kind that it did not tell then, what it told last.
    pub events: Vec<Events>,
    /// The seals that were left on it.
    #[serde(default)]
    pub seals: Vec<Seal>,
}

impl Earlier {
    /// The day of its run.
    pub fn on(&self) -> Date {
        self.at.date()
    }
}

/// What a person has answered for, in words: an entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The person.
    pub person: String,
    /// As what.
    pub role: String,
    /// When.
    pub at: Stamp,
    /// Why it may be so.
    pub why: String,
    /// The record in which it was found.
    pub record_no: String,
    /// The entry of the chain.
    pub entry: u64,
    /// What the meter said there.
    pub events: Vec<Events>,
    /// The seals as they were found there.
    #[serde(default)]
    pub seals: Vec<Seal>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, role, at, why, record_no, entry, .. } = self;
        write!(
            f,
            "seals: what was found in {record_no} was answered by {person}, {role}, at {at} (entry {entry} of the chain): {why}"
        )
    }
}

/// What was known of a meter's seals before the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The last paper with which it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Earlier>,
    /// What was answered for, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

impl History {
    /// What was answered for since the last paper: what came before stands on that paper already. By the chain's order, not
    /// by clocks.
    pub fn answers_since(&self) -> impl DoubleEndedIterator<Item = &Answer> {
        let paper = self.last.as_ref().map_or(0, |last| last.entry);
        self.answers.iter().filter(move |answer| answer.entry > paper)
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_without_place_or_number_is_refused_by_its_place_in_the_list() {
        let seal = "[[seal]]\nplace = \"meter cover\"\nnumber = \"A1\"\n";
        let closing = Closing::from_toml("c.toml", seal).unwrap();
        assert_eq!(closing.lines().collect::<Vec<_>>(), ["at the end: seal A1 at meter cover: intact"]);
        for (text, words) in [
            (format!("{seal}{seal}"), "entered twice"),
            ("[[seal]]\nplace = \" \"\nnumber = \"1\"".into(), "place is empty"),
            ("[[seal]]\nplace = \"door\"".into(), "number is empty"),
            ("[[seal]]\nplace = \"door\"\nnumber = \"1\\n2\"".into(), "on one line"),
            ("[[seal]]\nplace = \"door\"\nnumber = \"1\"\nstate = \"fine\"".into(), "intact"),
            (seal.repeat(SEALS_MAX + 1), "at most 20"),
        ] {
            let fault = Closing::from_toml("c.toml", &text).unwrap_err().to_string();
            assert!(fault.contains("c.toml") && fault.contains(words), "{fault}");
        }
        assert!(Closing::from_toml("c", "[[seal]]\nplace = \"door\"\nstate = \"missing\"").is_ok());
    }
}
