//! What a meter has kept of its energy by months and days: its register at moments that are over, as it told them. Nothing
//! is judged by it.

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The register at a moment that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When, by the meter's own clock; none where the meter does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
    /// The register then, in kWh.
    #[serde(with = "rust_decimal::serde::str")]
    pub kwh: Decimal,
}

/// What a meter has kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnergyLog {
    /// When it was asked, by the meter's clock; by ours where it has none.
    pub asked: DateTime,
    /// The register then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Kept>,
    /// At the ends of months, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<Kept>,
    /// At the ends of days, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Kept>,
    /// Where it comes from: registers with their source, and what of that is not confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What the meter does not give, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
}

/// The energy between two moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// From; none where the meter does not say it.
    pub from: Option<DateTime>,
    /// To.
    pub to: Option<DateTime>,
    /// So much, in kWh; none where the register went back: it was cleared, or has gone round.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub kwh: Option<Decimal>,
    /// It is not over yet.
    pub running: bool,
}

impl Used {
    /// What of it is said before the number: a month, a day, or from when to when.
    pub fn label(&self) -> Option<String> {
        let (from, to) = (self.from?, self.to?);
        let midnight = |at: DateTime| at.time() == jiff::civil::Time::midnight();
        let whole = !self.running && midnight(from) && midnight(to);
        let day = from.date();
        Some(match (day.tomorrow(), day.last_of_month().tomorrow()) {
            (Ok(next), _) if whole && to.date() == next => day.to_string(),
            (_, Ok(next)) if whole && day.day() == 1 && to.date() == next => {
                day.strftime("%Y-%m").to_string()
            }
            _ if midnight(from) && (self.running || midnight(to)) => format!("{day} – {}", to.date()),
            _ => format!("{} – {}", from.strftime("%Y-%m-%d %H:%M"), to.strftime("%Y-%m-%d %H:%M")),
        })
    }
}

impl EnergyLog {
    /// The energy of each month, the newest first; before them what has come since the last one, where that is known.
    pub fn by_month(&self) -> Vec<Used> {
        used(self.now.as_ref(), &self.months)
    }

    /// The same of each day.
    pub fn by_day(&self) -> Vec<Used> {
        used(self.now.as_ref(), &self.days)
    }
}

fn used(now: Option<&Kept>, kept: &[Kept]) -> Vec<Used> {
    let between = |from: &Kept, to: &Kept, running| Used {
        from: from.at,
        to: to.at,
        kwh: to.kwh.checked_sub(from.kwh).filter(|kwh| *kwh >= Decimal::ZERO),
        running,
    };
    let running = now.zip(kept.first()).map(|(now, last)| between(last, now, true));
    running.into_iter().chain(kept.windows(2).map(|pair| between(&pair[1], &pair[0], false))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(at: &str, kwh: &str) -> Kept {
        Kept { at: at.parse().ok(), kwh: kwh.parse().unwrap() }
    }

    fn log(months: Vec<Kept>) -> EnergyLog {
        let now = kept("2026-11-20T10:02:00", "130.00");
        let asked = now.at.unwrap();
        EnergyLog { asked, now: Some(now), months, days: vec![], from: vec![], absent: vec![] }
    }

    #[test]
    fn a_month_is_the_difference_of_two_settlements() {
        let log = log(vec![
            kept("2026-11-01T00:00:00", "120.50"),
            kept("2026-10-01T00:00:00", "100.25"),
            kept("2026-09-10T12:00:00", "100.25"),
            kept("", "400.00"),
        ]);
        let said: Vec<_> = log
            .by_month()
            .iter()
            .map(|used| (used.label(), used.kwh.map(|kwh| kwh.to_string()), used.running))
            .collect();
        let words = |text: &str| Some(text.to_owned());
        assert_eq!(
            said,
            [
                (words("2026-11-01 – 2026-11-20"), words("9.50"), true),
                (words("2026-10"), words("20.25"), false),
                (words("2026-09-10 12:00 – 2026-10-01 00:00"), words("0.00"), false),
                // The register went back, and nobody says when.
                (None, None, false),
            ]
        );
        assert!(log.by_day().is_empty());
    }

    #[test]
    fn a_day_and_a_month_of_another_settlement_day_have_their_names() {
        let used = |from: &str, to: &str| {
            let (from, to) = (from.parse().ok(), to.parse().ok());
            Used { from, to, kwh: None, running: false }.label().unwrap()
        };
        assert_eq!(used("2026-02-28T00:00", "2026-03-01T00:00"), "2026-02-28");
        assert_eq!(used("2026-12-01T00:00", "2027-01-01T00:00"), "2026-12");
        assert_eq!(used("2026-10-15T00:00", "2026-11-15T00:00"), "2026-10-15 – 2026-11-15");
    }
}
