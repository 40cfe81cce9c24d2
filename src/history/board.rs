//! All chargers that the data folder knows, each with its last visit: green normal, yellow a finding or due soon, red failed or
//! overdue.

use super::energy::{self, Energy};
use super::visit::Meter;
use super::{Fault, recalled, remember};
use crate::archive::{self, Filter, Index, RegisterRow};
use crate::certificate::energy_log::{EnergyLog, Used};
use crate::time::Stamp;
use crate::verdict::Verdict;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;

/// A paper that ends within so many days is due soon; a choice of this house.
pub const SOON: i32 = 60;

/// How a charger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Failed, or overdue.
    Red,
    /// A finding, undecided, or due soon.
    Yellow,
    /// Normal.
    Green,
}

/// Why a charger is not normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Its paper was withdrawn, and none stands in its place.
    Withdrawn,
    /// It failed.
    Failed,
    /// Nothing was decided.
    Undecided,
    /// Its paper holds no more.
    Overdue {
        /// The last day on which it held.
        since: Date,
    },
    /// Its paper ends soon.
    Due {
        /// In so many days.
        days: i32,
        /// The last day on which it holds.
        after: Date,
    },
    /// Something was seen besides.
    Findings {
        /// So many.
        count: usize,
    },
}

impl Why {
    /// How bad it is.
    pub const fn colour(self) -> Colour {
        match self {
            Self::Failed | Self::Overdue { .. } => Colour::Red,
            _ => Colour::Yellow,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withdrawn => f.write_str("its paper was withdrawn, and none stands in its place"),
            Self::Failed => f.write_str("it failed"),
            Self::Undecided => f.write_str("nothing was decided"),
            Self::Overdue { since } => write!(f, "overdue since {since}"),
            Self::Due { days, after } => write!(f, "due in {days} days, after {after}"),
            Self::Findings { count } => write!(f, "{count} findings"),
        }
    }
}

/// A charger's connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// How it stands.
    pub colour: Colour,
    /// Why; empty where all is normal.
    pub why: Vec<Why>,
    /// The charger; where nobody entered one, the meter's serial number.
    pub charger: String,
    /// Its connector.
    pub connector: String,
    /// Where it stands.
    pub site: String,
    /// Who asked for it.
    pub customer: String,
    /// The meter of the last visit.
    pub meter: Meter,
    /// The last visit that stands, else the last.
    pub certificate_no: String,
    /// Its day; none where the register has none that can be read.
    pub day: Option<Date>,
    /// The state of its paper.
    pub status: String,
    /// Its verdict.
    pub verdict: String,
    /// The last day on which its paper holds.
    pub valid_until: Option<Date>,
    /// What was seen besides, in so many findings; none where the paper could not be read.
    pub findings: Option<usize>,
    /// How often somebody was there.
    pub visits: usize,
    /// What the meter told of its energy last; none where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Latest>,
}

/// The last whole month and day of a meter, as it told them last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latest {
    /// When it told it.
    pub told: Date,
    /// The month; none where the meter gives none.
    pub month: Option<Used>,
    /// The day.
    pub day: Option<Used>,
    /// What it does not give, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
}

impl Latest {
    fn of(energy: Energy) -> Self {
        let (month, day) = (energy.month().cloned(), energy.day().cloned());
        Self { told: energy.told, month, day, absent: energy.absent }
    }

    /// Whether the meter gave a month or a day.
    pub fn gives(&self) -> bool {
        self.month.is_some() || self.day.is_some()
    }
}

/// All chargers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    /// The day it is of.
    pub today: Date,
    /// Failed or overdue.
    pub red: usize,
    /// A finding, undecided or due soon.
    pub yellow: usize,
    /// Normal.
    pub green: usize,
    /// The cards, the worst first, then by their names.
    pub cards: Vec<Card>,
}

impl Card {
    fn of(row: &RegisterRow) -> Self {
        let cell = |name: &str| row.get(name).to_owned();
        let day = |name: &str| row.get(name).get(..10).and_then(|text| text.parse().ok());
        let charger = if row.get("charger").trim().is_empty() { "dut_serial" } else { "charger" };
        Self {
            colour: Colour::Green,
            why: vec![],
            charger: cell(charger),
            connector: cell("connector"),
            site: cell("site"),
            customer: cell("customer"),
            meter: Meter::of_row(row),
            certificate_no: cell("certificate_no"),
            day: day("performed_from"),
            status: cell("status"),
            verdict: cell("verdict"),
            valid_until: day("valid_until"),
            findings: None,
            visits: 0,
            energy: None,
        }
    }

    /// Says how it stands today.
    fn judge(&mut self, today: Date) {
        self.why.clear();
        if self.status == "withdrawn" {
            self.why.push(Why::Withdrawn);
        } else {
            match self.verdict.as_str() {
                "fail" => self.why.push(Why::Failed),
                "undecided" => self.why.push(Why::Undecided),
                _ => {}
            }
            if let Some(until) = self.valid_until {
                match (until - today).get_days() {
                    ..0 => self.why.push(Why::Overdue { since: until }),
                    days @ 0..=SOON => self.why.push(Why::Due { days, after: until }),
                    _ => {}
                }
            }
            self.why.extend(self.findings.filter(|count| *count > 0).map(|count| Why::Findings { count }));
        }
        self.colour = self.why.iter().map(|why| why.colour()).min().unwrap_or(Colour::Green);
    }
}

/// The last visit of a charger, as far as the rows were read.
struct Last {
    card: Card,
    /// SHA-256 of the manifest of its paper.
    manifest: String,
    /// When it began; none where the register has no time that can be read.
    at: Option<Timestamp>,
}

impl Last {
    fn of(row: &RegisterRow) -> Self {
        Self {
            card: Card::of(row),
            manifest: row.get("manifest_sha256").to_owned(),
            at: row.get("performed_from").parse().ok().map(Stamp::timestamp),
        }
    }

    /// The last visit counts, not the last paper, and one that stands before one that was withdrawn. Two of one day are told
    /// apart by the hour.
    fn rank(&self) -> (bool, Option<Timestamp>) {
        (self.card.status != "withdrawn", self.at)
    }
}

/// What is remembered of a paper between two looks, by the SHA-256 of its manifest.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    findings: usize,
    energy_log: Option<EnergyLog>,
}

/// The file it is kept in.
const REMEMBERED: &str = "board.cache";

/// The board of a data folder on a day.
pub fn board(dir: &Path, today: Date) -> Result<Board, Fault> {
    let mut cards: BTreeMap<(bool, String, String), Last> = BTreeMap::new();
    let index = Index::open(dir)?;
    index.each(&Filter::default(), |row| {
        // What was replaced stands with its new number.
        if row.get("status") == "amended" {
            return;
        }
        let last = Last::of(row);
        let card = &last.card;
        let key = (card.meter.simulated, card.charger.clone(), card.connector.clone());
        match cards.entry(key) {
            Entry::Vacant(place) => {
                place.insert(last).card.visits = 1;
            }
            Entry::Occupied(mut place) => {
                let visits = place.get().card.visits + 1;
                if last.rank() > place.get().rank() {
                    place.insert(last);
                }
                place.get_mut().card.visits = visits;
            }
        }
    })?;
    let mut cards: Vec<Last> = cards.into_values().collect();
    look_into(dir, &mut cards);
    let mut cards: Vec<Card> = cards.into_iter().map(|last| last.card).collect();
    for card in &mut cards {
        card.judge(today);
    }
    cards.sort_by(|a, b| (a.colour, &a.charger, &a.connector).cmp(&(b.colour, &b.charger, &b.connector)));
    let count = |colour| cards.iter().filter(|card| card.colour == colour).count();
    Ok(Board {
        today,
        red: count(Colour::Red),
        yellow: count(Colour::Yellow),
        green: count(Colour::Green),
        cards,
    })
}

/// Findings and energy stand in the records only, and reading those of all chargers takes long: what was read is remembered.
fn look_into(dir: &Path, cards: &mut [Last]) {
    let known: BTreeMap<String, Remembered> = recalled(dir, REMEMBERED);
    let heard = energy::heard(dir);
    let mut now = BTreeMap::new();
    for Last { card, manifest, .. } in cards {
        let seen = known.get(manifest).cloned().or_else(|| {
            let record = archive::results_of(dir, &card.certificate_no).ok()?;
            // What is said of every simulated run is no finding of a charger.
            let undecided = record.results.items.iter().filter(|item| item.verdict == Verdict::Undecided);
            let findings = record.results.findings.len() + undecided.count();
            Some(Remembered { findings, energy_log: record.results.energy_log })
        });
        card.findings = seen.as_ref().map(|seen| seen.findings);
        let checked = heard.iter().filter(|heard| heard.meter == card.meter).map(|heard| &heard.log);
        let told = seen.iter().filter_map(|seen| seen.energy_log.as_ref());
        card.energy = Energy::of(told.chain(checked)).map(Latest::of);
        now.extend(seen.filter(|_| !manifest.is_empty()).map(|seen| (manifest.clone(), seen)));
    }
    if now != known {
        remember(dir, REMEMBERED, &now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::csv::{REGISTER_HEADER, register_header};
    use jiff::civil::date;

    type Cells<'a> = [(&'a str, &'a str)];

    fn folder(rows: &[&Cells<'_>]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(vec![]);
        for (n, cells) in rows.iter().enumerate() {
            let row = REGISTER_HEADER.map(|column| {
                let given =
                    cells.iter().find(|(name, _)| *name == column).map(|(_, text)| (*text).to_owned());
                given.unwrap_or_else(|| match column {
                    "seq" => (n + 1).to_string(),
                    "certificate_no" => format!("PL-2026-{:06}", n + 1),
                    "record_no" => format!("PL-R-2026-{:06}", n + 1),
                    "status" => "issued".into(),
                    "verdict" => "pass".into(),
                    "simulated" => "false".into(),
                    "charger" => "C-1".into(),
                    "connector" => "A".into(),
                    "performed_from" => format!("2026-01-{:02}T10:00:00.000+08:00", n + 1),
                    _ => String::new(),
                })
            });
            writer.write_record(&row).unwrap();
        }
        let bytes = [register_header().unwrap(), writer.into_inner().unwrap()].concat();
        std::fs::write(dir.path().join("register.csv"), bytes).unwrap();
        dir
    }

    fn of(rows: &[&Cells<'_>]) -> Board {
        board(folder(rows).path(), date(2026, 11, 21)).unwrap()
    }

    const MORNING: (&str, &str) = ("performed_from", "2026-01-01T10:00:00.000+08:00");
    const AFTERNOON: (&str, &str) = ("performed_from", "2026-01-01T15:00:00.000+08:00");

    #[test]
    fn a_charger_is_as_its_last_visit_that_stands() {
        let fail = ("verdict", "fail");
        for (rows, colour, words) in [
            (vec![&[][..]], Colour::Green, ""),
            (vec![&[fail][..], &[][..]], Colour::Green, ""),
            (vec![&[][..], &[fail][..]], Colour::Red, "it failed"),
            // Two visits of one day, whichever paper came later.
            (vec![&[fail, AFTERNOON][..], &[MORNING][..]], Colour::Red, "it failed"),
            (vec![&[fail, MORNING][..], &[AFTERNOON][..]], Colour::Green, ""),
            (vec![&[MORNING][..], &[fail, AFTERNOON][..]], Colour::Red, "it failed"),
            (vec![&[("verdict", "undecided")][..]], Colour::Yellow, "nothing was decided"),
            (vec![&[("valid_until", "2026-11-20")][..]], Colour::Red, "overdue since 2026-11-20"),
            (vec![&[("valid_until", "2026-11-21")][..]], Colour::Yellow, "due in 0 days"),
            (vec![&[("valid_until", "2027-01-20")][..]], Colour::Yellow, "due in 60 days"),
            (vec![&[("valid_until", "2027-01-21")][..]], Colour::Green, ""),
            (vec![&[][..], &[fail, ("status", "withdrawn")][..]], Colour::Green, ""),
            (vec![&[("status", "withdrawn")][..]], Colour::Yellow, "withdrawn"),
            (vec![&[][..], &[fail, ("status", "amended")][..]], Colour::Green, ""),
        ] {
            let board = of(&rows);
            assert_eq!(board.cards.len(), 1);
            let card = &board.cards[0];
            assert_eq!(card.colour, colour, "{rows:?}: {:?}", card.why);
            let said: Vec<_> = card.why.iter().map(ToString::to_string).collect();
            assert!(said.join("; ").contains(words), "{rows:?}: {said:?}");
            let counts = [board.red, board.yellow, board.green];
            assert_eq!(counts[colour as usize], 1, "{counts:?}");
        }
    }

    #[test]
    fn the_worst_stand_first_and_what_is_simulated_stands_alone() {
        let board = of(&[
            &[("charger", "C-3")],
            &[("charger", "C-2"), ("verdict", "fail")],
            &[("charger", "C-1"), ("verdict", "undecided")],
            &[("charger", "C-1"), ("connector", "B")],
            &[
                ("charger", "C-3"),
                ("certificate_no", "SIM-2026-000001"),
                ("record_no", "SIM-R-2026-000001"),
                ("simulated", "true"),
                ("verdict", "fail"),
            ],
            &[("charger", ""), ("dut_serial", "4711")],
        ]);
        let seen: Vec<_> = board
            .cards
            .iter()
            .map(|c| (c.charger.as_str(), c.connector.as_str(), c.meter.simulated))
            .collect();
        let (real, made_up) = (false, true);
        assert_eq!(
            seen,
            [
                ("C-2", "A", real),
                ("C-3", "A", made_up),
                ("C-1", "A", real),
                ("4711", "A", real),
                ("C-1", "B", real),
                ("C-3", "A", real)
            ]
        );
        assert_eq!((board.red, board.yellow, board.green), (2, 1, 3));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_what_is_remembered_or_of_the_register_keeps_nobody_waiting() {
        let dir = folder(&[&[]]);
        let pipe = |name: &str| {
            let path = dir.path().join(name);
            let _ = std::fs::remove_file(&path);
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        };
        pipe(REMEMBERED);
        assert_eq!(board(dir.path(), date(2026, 11, 21)).unwrap().cards.len(), 1);
        pipe("register.csv");
        let fault = board(dir.path(), date(2026, 11, 21)).unwrap_err().to_string();
        assert!(fault.contains("no regular file"), "{fault}");
    }

    #[test]
    fn an_empty_folder_is_an_empty_board() {
        let dir = tempfile::tempdir().unwrap();
        let board = board(dir.path(), date(2026, 11, 21)).unwrap();
        assert!(board.cards.is_empty() && board.red + board.yellow + board.green == 0);
    }
}
