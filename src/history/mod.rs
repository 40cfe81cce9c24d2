//! Looking back: what the visits of years say of a meter, and how all chargers stand today.
//!
//! Everything here follows from papers that stand; nothing of it is entered anywhere, and no verdict rests on it. A
//! simulated visit is never held against a real one.

pub mod board;
pub mod compare;
pub mod drift;
pub mod energy;
mod visit;

pub use board::{Board, Card, Colour};
pub use compare::{Comparison, compare};
pub use drift::{Drift, Outlook, drifts};
pub use energy::Energy;
pub use visit::{Figure, Meter, Visit};

use crate::archive::{self, Filter, Index, RegisterRow};
use crate::certificate::number::Number;
use energy::Heard;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;

/// So many visits of one meter are looked at, the newest; a charger that is verified each year has them in fifty years.
pub const VISITS_MAX: usize = 50;

/// Why there is nothing to look back at.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nobody was there.
    #[error(
        "no visit of `{wanted}` is in this data folder{near}. Give a charger, a meter's serial number or a certificate number as `phantomload board` lists them"
    )]
    NoVisit {
        /// What was asked for.
        wanted: String,
        /// What is written nearly so.
        near: String,
    },
    /// The data folder.
    #[error(transparent)]
    Archive(#[from] archive::Fault),
}

/// A meter with its visits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The meter.
    pub meter: Meter,
    /// Its visits, the oldest first; withdrawn ones are listed and enter nothing.
    pub visits: Vec<Visit>,
    /// The last two that stand, held against one another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_two: Option<Comparison>,
    /// The drift at each load point.
    pub drifts: Vec<Drift>,
    /// Energy by months and days, where the meter was asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// Papers that could not be read, and why.
    pub unreadable: Vec<String>,
}

impl History {
    /// Of a meter's visits, in any order.
    pub fn of(meter: Meter, mut visits: Vec<Visit>, unreadable: Vec<String>) -> Self {
        visits.sort_by(|a, b| {
            (a.performed.timestamp(), &a.record_no).cmp(&(b.performed.timestamp(), &b.record_no))
        });
        let standing: Vec<&Visit> = visits.iter().filter(|visit| visit.stands()).collect();
        let last_two = match standing[..] {
            [.., before, last] => compare(before, last).ok(),
            _ => None,
        };
        let drifts = drifts(&standing);
        let energy = Energy::of(visits.iter().filter_map(|visit| visit.energy_log.as_ref()));
        Self { meter, visits, last_two, drifts, energy, unreadable }
    }
}

/// What a row of the register says of a visit, as far as looking back needs it.
struct Row {
    certificate_no: String,
    record_no: String,
    status: String,
    meter: Meter,
    charger: String,
}

impl Row {
    fn of(row: &RegisterRow) -> Self {
        let cell = |name: &str| row.get(name).to_owned();
        Self {
            certificate_no: cell("certificate_no"),
            record_no: cell("record_no"),
            status: cell("status"),
            meter: Meter::of_row(row),
            charger: cell("charger"),
        }
    }
}

/// The meters of a charger, or the meter of a serial or certificate number, with their visits.
pub fn of(dir: &Path, wanted: &str) -> Result<Vec<History>, Fault> {
    let index = Index::open(dir)?;
    let wanted = wanted.trim();
    let mut rows: Vec<Row> = vec![];
    // Papers that were replaced are no visits of their own: the one in their place is of the same record.
    let by_serial = Filter { serial: Some(wanted.to_owned()), ..Filter::default() };
    index.each(&by_serial, |row| {
        if row.get("dut_serial") == wanted && row.get("status") != "amended" {
            rows.push(Row::of(row));
        }
    })?;
    let mut near = BTreeSet::new();
    if rows.is_empty() {
        let is_number = wanted.parse::<Number>().is_ok();
        let folded = wanted.to_lowercase();
        let mut meter: Option<Meter> = None;
        index.each(&Filter::default(), |row| {
            let charger = row.get("charger");
            if is_number && [row.get("certificate_no"), row.get("record_no")].contains(&wanted) {
                meter = Some(Meter::of_row(row));
            } else if charger == wanted && row.get("status") != "amended" {
                rows.push(Row::of(row));
            } else if !folded.is_empty() && near.len() < 5 {
                let names = [charger, row.get("dut_serial")];
                near.extend(
                    names.iter().filter(|n| n.to_lowercase().contains(&folded)).map(|n| (*n).to_owned()),
                );
            }
        })?;
        if let Some(meter) = meter {
            let same = Filter { serial: Some(meter.serial.clone()), ..Filter::default() };
            index.each(&same, |row| {
                if Meter::of_row(row) == meter && row.get("status") != "amended" {
                    rows.push(Row::of(row));
                }
            })?;
        }
    }
    let heard = energy::heard(dir);
    let checked = heard.iter().filter(|heard| heard.meter.serial == wanted || heard.charger == wanted);
    let mut meters: Vec<Meter> = vec![];
    for meter in rows.iter().map(|row| &row.meter).chain(checked.map(|heard| &heard.meter)) {
        if !meters.contains(meter) {
            meters.push(meter.clone());
        }
    }
    if meters.is_empty() {
        let near: Vec<_> = near.into_iter().map(|name| format!("`{name}`")).collect();
        let near = if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
        return Err(Fault::NoVisit { wanted: wanted.to_owned(), near });
    }
    Ok(meters.into_iter().map(|meter| history(dir, meter, &rows, &heard)).collect())
}

fn history(dir: &Path, meter: Meter, rows: &[Row], heard: &[Heard]) -> History {
    let (mut visits, mut unreadable) = (vec![], vec![]);
    for row in rows.iter().filter(|row| row.meter == meter).take(VISITS_MAX) {
        match archive::results_of(dir, &row.certificate_no) {
            Ok(record) => visits.push(Visit::of(&record, &row.certificate_no, &row.status)),
            Err(fault) => unreadable
                .push(format!("{} of {} ({}): {fault}", row.certificate_no, row.record_no, row.charger)),
        }
    }
    let mut history = History::of(meter, visits, unreadable);
    let told = history.visits.iter().filter_map(|visit| visit.energy_log.as_ref());
    let checked = heard.iter().filter(|heard| heard.meter == history.meter).map(|heard| &heard.log);
    history.energy = Energy::of(told.chain(checked));
    history
}

/// What was remembered between two looks, in a file of the data folder that holds nothing of its own: nothing where it is
/// lost, or of another form.
fn recalled<T: DeserializeOwned + Default>(dir: &Path, name: &str) -> T {
    let bytes = archive::read_regular(&dir.join(name)).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Remembers it. A folder that cannot be written is only slower.
fn remember<T: Serialize>(dir: &Path, name: &str, what: &T) {
    if let Ok(bytes) = serde_json::to_vec(what) {
        let _ = archive::replace_private(dir, name, &bytes);
    }
}

/// The visit of a paper, by its number.
pub fn visit(dir: &Path, number: &str) -> Result<Visit, Fault> {
    let standing = archive::standing(dir, number)?;
    let record = archive::results_of(dir, number)?;
    Ok(Visit::of(&record, number, &standing.status.to_string()))
}
