//! What the meter has kept of its energy by months and days, put together from its answers.

use super::Judge;
use crate::certificate::energy_log::{EnergyLog, Kept};
use crate::meter::{Answer, Query, Reading, Value};
use crate::plan::Work;
use jiff::civil::DateTime;
use jiff::{Span, ToSpan};
use rust_decimal::Decimal;

/// Settlement days that a month may have (DL/T 645-2007, 04000B01 to 03).
const SETTLEMENT_DAYS: u8 = 3;
/// Settlements that a meter keeps (000100nn, nn = 01 to 0C).
const SETTLEMENTS: u8 = 12;
/// So many days backward are asked for, of 62 that a meter may keep; a choice of this house.
const DAYS: u8 = 31;

/// What is asked, the most telling first: it is asked as far as there is time for it beside the rest.
pub(in crate::run) fn energy_queries() -> Vec<Query> {
    let mut queries = vec![Query::Clock, Query::Energy];
    queries.extend((1..=SETTLEMENTS).map(Query::SettledEnergy));
    queries.extend((1..=SETTLEMENT_DAYS).map(Query::SettlementDay));
    queries.extend((1..=DAYS).flat_map(|n| [Query::DayKeptAt(n), Query::DayEnergy(n)]));
    queries
}

impl Judge<'_> {
    /// None where it was not asked for, or the run ended before.
    pub(super) fn energy_log(&self) -> Option<EnergyLog> {
        let step = self.step(|work| *work == Work::EnergyLog)?.no;
        let told = |query| self.evidence.answer(step, query);
        let first = told(Query::SettledEnergy(1))?;
        // How long an interruption lasted is known by the clock of the day alone: it counts from its end.
        let (from, stamp) = self.evidence.again.unwrap_or((self.began, self.started));
        let ours = stamp.after(first.taken - from).civil();
        let clock = told(Query::Clock).and_then(|answer| match answer.reading {
            Reading::Value(Value::Clock(shown)) => Some(shown),
            _ => None,
        });
        let asked = clock.unwrap_or_else(|| ours.with().subsec_nanosecond(0).build().unwrap_or(ours));
        let settles: Vec<(i8, i8)> =
            (1..=SETTLEMENT_DAYS).filter_map(|n| month_day(told(Query::SettlementDay(n))?)).collect();
        let mut ends = ends(asked, &settles).into_iter();
        let settled = (1..=SETTLEMENTS).map_while(|n| number(told(Query::SettledEnergy(n))?));
        let months: Vec<Kept> = settled.map(|kwh| Kept { at: ends.next(), kwh }).collect();
        let days: Vec<Kept> = (1..=DAYS)
            .map_while(|n| {
                let kwh = number(told(Query::DayEnergy(n))?)?;
                match told(Query::DayKeptAt(n))?.reading {
                    Reading::Value(Value::Event { at: Some(at) }) => Some(Kept { at: Some(at), kwh }),
                    _ => None,
                }
            })
            .collect();
        let now = told(Query::Energy).and_then(number).map(|kwh| Kept { at: Some(asked), kwh });
        let mut absent = vec![];
        let mut lacks = |is: bool, queries: &[Query]| {
            let said = queries.iter().filter_map(|query| Some((query, told(*query)?)));
            let why = said.filter_map(|(query, answer)| match &answer.reading {
                Reading::Absent(why) => Some(format!("{query}: {why}")),
                Reading::Value(_) => None,
            });
            absent.extend(why.take(usize::from(is)));
        };
        lacks(months.is_empty(), &[Query::SettledEnergy(1)]);
        lacks(!months.is_empty() && settles.is_empty(), &[Query::SettlementDay(1)]);
        lacks(days.is_empty(), &[Query::DayKeptAt(1), Query::DayEnergy(1)]);
        let sources =
            [Query::SettledEnergy(1), Query::SettlementDay(1), Query::DayKeptAt(1), Query::DayEnergy(1)];
        let given = sources.into_iter().filter_map(told);
        let given = given.filter(|answer| matches!(answer.reading, Reading::Value(_)));
        let from = given.flat_map(|answer| answer.remarks.clone()).collect();
        Some(EnergyLog { asked, now, months, days, from, absent })
    }
}

fn number(answer: &Answer) -> Option<Decimal> {
    match answer.reading {
        Reading::Value(Value::Number(number, _)) => Some(number),
        _ => None,
    }
}

fn month_day(answer: &Answer) -> Option<(i8, i8)> {
    match answer.reading {
        Reading::Value(Value::MonthDay { day, hour }) => Some((day.try_into().ok()?, hour.try_into().ok()?)),
        _ => None,
    }
}

/// The last settlements before a moment, the newest first; none where no settlement day is known.
fn ends(asked: DateTime, settles: &[(i8, i8)]) -> Vec<DateTime> {
    let mut ends: Vec<DateTime> = (0..=i64::from(SETTLEMENTS))
        .filter_map(|back| asked.date().first_of_month().checked_sub(Span::new().months(back)).ok())
        .flat_map(|month| settles.iter().map(move |(day, hour)| (month, *day, *hour)))
        .filter_map(|(month, day, hour)| {
            Some(month.checked_add((i64::from(day) - 1).days()).ok()?.at(hour, 0, 0, 0))
        })
        .filter(|end| *end <= asked)
        .collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    ends.dedup();
    ends.truncate(usize::from(SETTLEMENTS));
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlements_are_dated_backward_from_the_meters_clock() {
        let asked: DateTime = "2026-03-01T00:30:00".parse().unwrap();
        let said = |settles: &[(i8, i8)]| -> Vec<String> {
            ends(asked, settles).iter().map(|end| end.strftime("%Y-%m-%d %H").to_string()).collect()
        };
        assert_eq!(said(&[(1, 0)])[..3], ["2026-03-01 00", "2026-02-01 00", "2026-01-01 00"]);
        // The hour has not come yet.
        assert_eq!(said(&[(1, 1)])[..2], ["2026-02-01 01", "2026-01-01 01"]);
        assert_eq!(said(&[(1, 0), (15, 12)])[..3], ["2026-03-01 00", "2026-02-15 12", "2026-02-01 00"]);
        assert_eq!(said(&[(28, 23)])[..2], ["2026-02-28 23", "2026-01-28 23"]);
        for settles in [&[(1, 0)][..], &[(1, 0), (10, 0), (20, 0)]] {
            assert_eq!(said(settles).len(), usize::from(SETTLEMENTS));
        }
        assert!(said(&[]).is_empty());
    }

    #[test]
    fn months_come_before_days_and_nothing_is_asked_twice() {
        let queries = energy_queries();
        let mut once = queries.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), queries.len());
        let place = |query| queries.iter().position(|asked| *asked == query).unwrap();
        assert!(place(Query::SettledEnergy(12)) < place(Query::DayKeptAt(1)));
    }
}
