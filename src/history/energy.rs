//! Energy by months and days, as a meter has told it at visits and pre-checks. A pre-check certifies nothing; what the meter
//! says of its months is worth as much there.

use super::visit::Meter;
use super::{recalled, remember};
use crate::archive;
use crate::certificate::energy_log::{EnergyLog, Used};
use crate::certificate::record::Record;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a meter has used, as far as it has told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Energy {
    /// When it told it last, by its own clock.
    pub told: Date,
    /// By months, the newest first.
    pub months: Vec<Used>,
    /// By days, the newest first.
    pub days: Vec<Used>,
    /// Where it comes from.
    pub from: Vec<String>,
    /// What it did not give when it was asked last, in words.
    pub absent: Vec<String>,
}

impl Energy {
    /// What all readings of a meter say together; where two speak of one month, the later one counts. None where it was
    /// never asked.
    pub fn of<'a>(logs: impl IntoIterator<Item = &'a EnergyLog>) -> Option<Self> {
        let mut logs: Vec<&EnergyLog> = logs.into_iter().collect();
        logs.sort_by_key(|log| log.asked);
        let last = logs.last()?;
        Some(Self {
            told: last.asked.date(),
            months: together(&logs, EnergyLog::by_month),
            days: together(&logs, EnergyLog::by_day),
            from: last.from.clone(),
            absent: last.absent.clone(),
        })
    }

    /// The last whole month.
    pub fn month(&self) -> Option<&Used> {
        self.months.iter().find(|used| !used.running)
    }

    /// The last whole day.
    pub fn day(&self) -> Option<&Used> {
        self.days.iter().find(|used| !used.running)
    }
}

/// What is still running, or has no date, is told by the last reading alone.
fn together(logs: &[&EnergyLog], by: fn(&EnergyLog) -> Vec<Used>) -> Vec<Used> {
    let mut dated: BTreeMap<(DateTime, DateTime), Option<Decimal>> = BTreeMap::new();
    let (mut running, mut undated) = (None, vec![]);
    for (n, log) in logs.iter().enumerate() {
        let is_last = n + 1 == logs.len();
        for used in by(log) {
            match (used.to, used.from) {
                (Some(to), Some(from)) if !used.running => {
                    dated.insert((to, from), used.kwh);
                }
                _ if is_last && used.running => running = Some(used),
                _ if is_last => undated.push(used),
                _ => {}
            }
        }
    }
    let dated = dated.into_iter().rev();
    let dated = dated.map(|((to, from), kwh)| Used { from: Some(from), to: Some(to), kwh, running: false });
    running.into_iter().chain(undated).chain(dated).collect()
}

/// What a pre-check has heard of a meter's energy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// The meter.
    pub meter: Meter,
    /// The charger it sat in.
    pub charger: String,
    /// What it said.
    pub log: EnergyLog,
}

impl Heard {
    fn of(record: Record) -> Option<Self> {
        let meter = Meter::of_record(&record);
        let log = record.results.energy_log.filter(|_| record.plan.pre_check)?;
        Some(Self { meter, charger: record.plan.nameplate.charger, log })
    }
}

/// The file in which is remembered what was read of records that never change; it is made again if it is lost.
const REMEMBERED: &str = "energy.cache";
/// So many records that are not remembered are read at one look, the newest: reading one takes some hundredths of a second.
const READ_MAX: usize = 200;

/// What the pre-checks of a data folder have heard, the oldest first.
pub(super) fn heard(dir: &Path) -> Vec<Heard> {
    let known: BTreeMap<String, Option<Heard>> = recalled(dir, REMEMBERED);
    let mut now = BTreeMap::new();
    let mut left = READ_MAX;
    // Numbers count upward: the newest stand last.
    for number in archive::unfinished(dir).unwrap_or_default().into_iter().rev() {
        if let Some(heard) = known.get(&number) {
            now.insert(number, heard.clone());
        } else if left > 0 {
            left -= 1;
            if let Ok(record) = archive::unfinished_results(dir, &number) {
                now.insert(number, Heard::of(record));
            }
        }
    }
    if now != known {
        remember(dir, REMEMBERED, &now);
    }
    now.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::energy_log::Kept;

    fn log(asked: &str, months: &[(&str, i64)], absent: &[&str]) -> EnergyLog {
        let kept = |(at, kwh): &(&str, i64)| Kept { at: at.parse().ok(), kwh: Decimal::from(*kwh) };
        let asked: DateTime = asked.parse().unwrap();
        EnergyLog {
            asked,
            now: Some(Kept { at: Some(asked), kwh: Decimal::from(1000) }),
            months: months.iter().map(kept).collect(),
            days: vec![],
            from: vec![],
            absent: absent.iter().map(|&why| why.to_owned()).collect(),
        }
    }

    #[test]
    fn months_of_several_visits_stand_once_each_and_the_running_one_is_the_last_visits() {
        let may = log("2026-05-10T08:00", &[("2026-05-01T00:00", 500), ("2026-04-01T00:00", 450)], &[]);
        let june =
            log("2026-06-10T08:00", &[("2026-06-01T00:00", 580), ("2026-05-01T00:00", 500)], &["no days"]);
        // In whatever order they come.
        let energy = Energy::of([&june, &may]).unwrap();
        let said: Vec<_> = energy
            .months
            .iter()
            .map(|used| (used.label().unwrap(), used.kwh.unwrap().to_string(), used.running))
            .collect();
        assert_eq!(
            said,
            [
                ("2026-06-01 – 2026-06-10".to_owned(), "420".to_owned(), true),
                ("2026-05".to_owned(), "80".to_owned(), false),
                ("2026-04".to_owned(), "50".to_owned(), false),
            ]
        );
        assert_eq!(energy.month().unwrap().label().unwrap(), "2026-05");
        assert_eq!((energy.day(), energy.absent.as_slice()), (None, &["no days".to_owned()][..]));
        assert_eq!(Energy::of([]), None);
    }

    #[test]
    fn months_without_a_date_are_those_of_the_last_visit() {
        let may = log("2026-05-10T08:00", &[("", 500), ("", 450)], &[]);
        let june = log("2026-06-10T08:00", &[("", 580), ("", 500), ("", 450)], &[]);
        let energy = Energy::of([&may, &june]).unwrap();
        let kwh: Vec<_> = energy.months.iter().map(|used| used.kwh.unwrap().to_string()).collect();
        assert_eq!(kwh, ["420", "80", "50"]);
    }
}
