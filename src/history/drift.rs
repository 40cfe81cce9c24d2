//! The drift of a load point over the visits, and the day at which it would reach its limit: an estimate, no finding.
//!
//! A straight line is laid through the errors, each weighted with its standard uncertainty. Where they lie about the line
//! farther than their uncertainties explain, these are widened by the Birge ratio √(χ²/(n − 2)) and k is Student's; else k is
//! that of infinite degrees of freedom. What all visits owe to the same certificate is not taken out: the uncertainty stated
//! is on the safe side.
//!
//! What is refused, each a choice of this house: fewer than [`VISITS_MIN`] visits (two always lie on a line, and nothing says
//! whether the meter does), less than [`SPAN_MIN`] days between the first and the last, and a day that lies farther ahead than
//! [`AHEAD`] times the time seen so far.

use super::visit::{Figure, Visit};
use crate::certificate::record::Unit;
use crate::regulation::Item;
use crate::uncertainty::coverage_factor;
use jiff::{ToSpan, civil::Date};
use serde::Serialize;

/// Visits that a line needs before it says anything of a day.
pub const VISITS_MIN: usize = 3;
/// Days between the first and the last of them.
pub const SPAN_MIN: i32 = 180;
/// Nothing is said of a time that lies farther ahead than so many times the time between the first and the last visit.
pub const AHEAD: i32 = 3;
/// Days of a year.
const YEAR: f64 = 365.25;

/// What the visits say of the time to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Outlook {
    /// The visits are fewer than [`VISITS_MIN`].
    TooFew {
        /// So many.
        visits: usize,
    },
    /// Less than [`SPAN_MIN`] days lie between the first visit and the last.
    TooShort {
        /// So many.
        days: i32,
    },
    /// The last error lies beyond its limit already.
    Beyond,
    /// The slope is not larger than its expanded uncertainty: no day follows from it.
    Steady,
    /// The line reaches the limit, but later than anything can be said of.
    NotWithin {
        /// So far is looked ahead.
        until: Date,
    },
    /// The line reaches its limit.
    Reaches {
        /// On this day.
        on: Date,
        /// The first day on which it may have: the line with its expanded uncertainty.
        not_before: Date,
        /// The last day; none where it lies farther ahead than anything can be said of.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_after: Option<Date>,
    },
}

/// The drift of a load point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The item.
    pub item: Item,
    /// The load point in the last visit's words.
    pub at: String,
    /// Its current, in A.
    pub current_a: Option<f64>,
    /// The unit of all numbers here.
    pub unit: Unit,
    /// The limit of the last visit.
    pub limit: f64,
    /// Day, value and expanded uncertainty of each visit, the oldest first.
    pub points: Vec<(Date, f64, f64)>,
    /// The line; none of fewer than two days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// What follows.
    pub outlook: Outlook,
}

/// A straight line through the errors of a load point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Line {
    /// The middle of the visits, weighted; value and slope are independent there.
    pub middle: Date,
    /// The value there.
    pub value: f64,
    /// Its standard uncertainty.
    pub u_value: f64,
    /// The change a year.
    pub per_year: f64,
    /// Its standard uncertainty.
    pub u_per_year: f64,
    /// The coverage factor of both.
    pub k: f64,
    /// √(χ²/(n − 2)): above 1 the visits scatter more than their uncertainties explain. None of two visits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birge: Option<f64>,
}

impl Line {
    /// Through days, values and standard uncertainties; none where all are of one day.
    fn through(points: &[(Date, f64, f64)]) -> Option<Self> {
        let first = points.first()?.0;
        let years = |day: Date| f64::from((day - first).get_days()) / YEAR;
        let weighted: Vec<(f64, f64, f64)> =
            points.iter().map(|(day, value, u)| (years(*day), *value, u.powi(-2))).collect();
        let sum = |of: &dyn Fn(&(f64, f64, f64)) -> f64| weighted.iter().map(of).sum::<f64>();
        let weights = sum(&|(_, _, w)| *w);
        let middle = sum(&|(x, _, w)| w * x) / weights;
        let value = sum(&|(_, y, w)| w * y) / weights;
        let spread = sum(&|(x, _, w)| w * (x - middle).powi(2));
        if !(spread > 0.0 && spread.is_finite() && weights.is_finite()) {
            return None;
        }
        let per_year = sum(&|(x, y, w)| w * (x - middle) * (y - value)) / spread;
        let chi2 = sum(&|(x, y, w)| w * (y - value - per_year * (x - middle)).powi(2));
        let dof = points.len().saturating_sub(2) as f64;
        let birge = (dof > 0.0).then(|| (chi2 / dof).sqrt());
        let wider = birge.unwrap_or(1.0).max(1.0);
        Some(Self {
            middle: first.saturating_add(((middle * YEAR).round() as i64).days()),
            value,
            u_value: wider / weights.sqrt(),
            per_year,
            u_per_year: wider / spread.sqrt(),
            k: coverage_factor(birge.filter(|birge| *birge > 1.0).map(|_| dof)),
            birge,
        })
    }

    /// The value on a day, and its expanded uncertainty.
    pub fn at(&self, day: Date) -> (f64, f64) {
        let years = f64::from((day - self.middle).get_days()) / YEAR;
        let value = self.value + self.per_year * years;
        (value, self.k * self.u_value.hypot(self.u_per_year * years))
    }

    /// Whether the slope is more than its expanded uncertainty.
    pub fn is_drift(&self) -> bool {
        self.per_year.abs() > self.k * self.u_per_year
    }
}

/// The drift at each load point that the last visit has, over visits that stand, the oldest first.
pub fn drifts(visits: &[&Visit]) -> Vec<Drift> {
    let Some(last) = visits.last() else { return vec![] };
    last.figures.iter().map(|figure| drift(visits, figure)).collect()
}

fn drift(visits: &[&Visit], last: &Figure) -> Drift {
    let mut seen: Vec<(Date, &Figure)> = vec![];
    for visit in visits {
        seen.extend(visit.figures.iter().find(|other| other.is_same_point(last)).map(|f| (visit.day(), f)));
    }
    let points: Vec<(Date, f64, f64)> = seen.iter().map(|(day, f)| (*day, f.value, f.u)).collect();
    let line = Line::through(&points);
    Drift {
        item: last.item,
        at: last.at.clone(),
        current_a: last.current_a,
        unit: last.unit,
        limit: last.limit,
        outlook: outlook(&points, line.as_ref(), last.limit),
        line,
        points: seen.iter().map(|(day, f)| (*day, f.value, f.expanded)).collect(),
    }
}

fn outlook(points: &[(Date, f64, f64)], line: Option<&Line>, limit: f64) -> Outlook {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Outlook::TooFew { visits: 0 };
    };
    if last.1.abs() > limit {
        return Outlook::Beyond;
    }
    let (span, n) = ((last.0 - first.0).get_days(), points.len());
    let Some(line) = line.filter(|_| n >= VISITS_MIN && span >= SPAN_MIN) else {
        return if n < VISITS_MIN { Outlook::TooFew { visits: n } } else { Outlook::TooShort { days: span } };
    };
    if !line.is_drift() {
        return Outlook::Steady;
    }
    let until = last.0.saturating_add(i64::from(span * AHEAD).days());
    // Towards the limit on the side to which it drifts.
    let side = line.per_year.signum();
    let reaches = |with: f64| {
        let mut day = last.0;
        while day <= until {
            let (value, expanded) = line.at(day);
            if side * value + with * expanded >= limit {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
        None
    };
    match reaches(0.0) {
        None => Outlook::NotWithin { until },
        Some(on) => Outlook::Reaches { on, not_before: reaches(1.0).unwrap_or(on), not_after: reaches(-1.0) },
    }
}

#[cfg(test)]
mod tests {
    use super::super::visit::samples::visit;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn seen(visits: &[(&str, f64)], u: f64) -> Drift {
        let visits: Vec<Visit> = visits.iter().map(|(day, value)| visit(day, &[*value], u)).collect();
        drifts(&visits.iter().collect::<Vec<_>>()).remove(0)
    }

    #[test]
    fn a_meter_that_drifts_a_fifth_a_year_reaches_its_limit_on_a_day() {
        let drift =
            seen(&[("2023-01-01", 0.0), ("2024-01-01", 0.2), ("2025-01-01", 0.4), ("2026-01-01", 0.6)], 0.01);
        let line = drift.line.unwrap();
        assert!((line.per_year - 0.2).abs() < 0.001, "{line:?}");
        assert_eq!(line.k, coverage_factor(None));
        // u(slope) of equal weights: u/√Σ(x − x̄)² = 0.01/√5.
        assert!((line.u_per_year - 0.01 / 5f64.sqrt()).abs() < 1e-4, "{line:?}");
        let Outlook::Reaches { on, not_before, not_after } = drift.outlook else {
            panic!("{:?}", drift.outlook)
        };
        // 0.6 % at the begin of 2026; 1 % two years later.
        assert!((on - date(2028, 1, 1)).get_days().abs() <= 3, "{on}");
        assert!(not_before < on && not_after.is_some_and(|after| after > on), "{not_before} {not_after:?}");
        let down = seen(&[("2023-01-01", 0.0), ("2024-01-01", -0.2), ("2025-01-01", -0.4)], 0.01);
        assert!(matches!(down.outlook, Outlook::Reaches { .. }), "{:?}", down.outlook);
    }

    #[test]
    fn two_visits_and_a_few_weeks_say_nothing_of_the_time_to_come() {
        let two = seen(&[("2024-01-01", 0.1), ("2026-01-01", 0.9)], 0.001);
        assert_eq!(two.outlook, Outlook::TooFew { visits: 2 });
        assert!(two.line.unwrap().birge.is_none());
        let weeks = seen(&[("2026-01-01", 0.1), ("2026-01-08", 0.3), ("2026-01-15", 0.5)], 0.001);
        assert_eq!(weeks.outlook, Outlook::TooShort { days: 14 });
        let one_day = seen(&[("2026-01-01", 0.1), ("2026-01-01", 0.3), ("2026-01-01", 0.5)], 0.001);
        assert!(one_day.line.is_none() && one_day.outlook == Outlook::TooShort { days: 0 });
    }

    #[test]
    fn what_the_uncertainty_explains_is_no_drift_and_what_is_beyond_is_beyond() {
        let steady = [("2023-01-01", 0.10), ("2024-01-01", 0.12), ("2025-01-01", 0.11)];
        assert_eq!(seen(&steady, 0.05).outlook, Outlook::Steady);
        let beyond = [("2023-01-01", 0.8), ("2024-01-01", 0.9), ("2025-01-01", 1.01)];
        assert_eq!(seen(&beyond, 0.01).outlook, Outlook::Beyond);
        let slow = [("2023-01-01", 0.0), ("2024-01-01", 0.01), ("2025-01-01", 0.02)];
        assert_eq!(seen(&slow, 0.0001).outlook, Outlook::NotWithin { until: date(2031, 1, 3) });
    }

    #[test]
    fn visits_that_scatter_widen_their_uncertainty() {
        let wild =
            seen(&[("2022-01-01", 0.0), ("2023-01-01", 0.3), ("2024-01-01", 0.1), ("2025-01-01", 0.4)], 0.01);
        let line = wild.line.unwrap();
        assert!(line.birge.unwrap() > 5.0 && line.k > 4.0, "{line:?}");
        assert_eq!(wild.outlook, Outlook::Steady);
    }

    proptest! {
        /// A line of known slope is found again whatever the days, and its day lies between the other two.
        #[test]
        fn a_line_is_found_again(slope in -0.4f64..0.4, days in prop::collection::btree_set(0i64..2000, 3..8)) {
            let first = date(2020, 1, 1);
            let points: Vec<(Date, f64, f64)> = days.iter().map(|day| {
                let value = 0.05 + slope * (*day as f64) / YEAR;
                (first.saturating_add(day.days()), value, 0.02)
            }).collect();
            let line = Line::through(&points).unwrap();
            prop_assert!((line.per_year - slope).abs() < 1e-6, "{line:?}");
            if let Outlook::Reaches { on, not_before, not_after } = outlook(&points, Some(&line), 1.0) {
                prop_assert!(not_before <= on && not_after.is_none_or(|after| after >= on));
                prop_assert!((line.at(on).0.abs() - 1.0).abs() <= slope.abs() / YEAR * 2.0 + 1e-9);
            }
        }
    }
}
