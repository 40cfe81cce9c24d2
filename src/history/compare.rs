//! Two visits of a meter held against one another, load point by load point.
//!
//! `E_n` is the change by its expanded uncertainty (ISO 13528 9.7): above 1 it is more than both uncertainties explain. Where
//! both visits were made with the same certificate of a standard, its deviation is the same in both and cancels in the change
//! (GUM 5.2.2); that `E_n` stands beside the first as a hint: it is sharper, and leans on the standard being what its
//! certificate says. Each simulated run makes up a standard of its own, so there is none for those.

use super::visit::{Figure, Visit};
use crate::certificate::record::Unit;
use crate::regulation::Item;
use serde::Serialize;

/// Why two visits are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// One is made up.
    #[error(
        "{simulated} is SIMULATED and {real} is not: nothing of a simulated meter says anything of a real one. Compare two of the same kind"
    )]
    Simulated {
        /// The simulated one.
        simulated: String,
        /// The real one.
        real: String,
    },
    /// There is nothing to compare.
    #[error("{a} and {b} have no load point in common with a number and its uncertainty")]
    NothingCommon {
        /// The one.
        a: String,
        /// The other.
        b: String,
    },
}

/// The head of a visit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// Its paper.
    pub certificate_no: String,
    /// Its day.
    pub day: jiff::civil::Date,
    /// The state of its paper.
    pub status: String,
    /// The meter's serial number.
    pub serial: String,
    /// The certificate of the reference.
    pub reference_certificate_no: String,
}

impl Head {
    fn of(visit: &Visit) -> Self {
        Self {
            certificate_no: visit.certificate_no.clone(),
            day: visit.day(),
            status: visit.status.clone(),
            serial: visit.meter.serial.clone(),
            reference_certificate_no: visit.reference_certificate_no.clone(),
        }
    }
}

/// A load point in both visits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The item.
    pub item: Item,
    /// The load point in the later one's words.
    pub at: String,
    /// Its current, in A.
    pub current_a: Option<f64>,
    /// The unit of all numbers here.
    pub unit: Unit,
    /// The earlier value.
    pub before: f64,
    /// Its expanded uncertainty.
    pub before_u: f64,
    /// The later value.
    pub after: f64,
    /// Its expanded uncertainty.
    pub after_u: f64,
    /// The change.
    pub change: f64,
    /// By both expanded uncertainties together.
    pub e_n: f64,
    /// The same without what both owe to the same certificate; none where they share none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e_n_shared: Option<f64>,
    /// The limit in the later visit.
    pub limit: f64,
}

impl Pair {
    fn of(before: &Figure, after: &Figure, simulated: bool) -> Self {
        let change = after.value - before.value;
        let shared = before.covariance(after);
        let variance = before.u.powi(2) + after.u.powi(2) - 2.0 * shared;
        // What is left of a variance cannot be less than the part that is no certificate's.
        let rest = (shared > 0.0 && variance > 0.0).then(|| variance.sqrt());
        Self {
            item: after.item,
            at: after.at.clone(),
            current_a: after.current_a,
            unit: after.unit,
            before: before.value,
            before_u: before.expanded,
            after: after.value,
            after_u: after.expanded,
            change,
            e_n: change.abs() / before.expanded.hypot(after.expanded),
            e_n_shared: rest.filter(|_| !simulated).map(|u| change.abs() / (before.k.max(after.k) * u)),
            limit: after.limit,
        }
    }

    /// Whether the change is more than both uncertainties explain.
    pub fn is_change(&self) -> bool {
        self.e_n > 1.0
    }

    /// Whether it may be one: more than is left when the common certificate is taken out.
    pub fn is_hint(&self) -> bool {
        !self.is_change() && self.e_n_shared.is_some_and(|e_n| e_n > 1.0)
    }
}

/// Two visits held against one another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The earlier one.
    pub before: Head,
    /// The later one.
    pub after: Head,
    /// Whether both are of one meter.
    pub same_meter: bool,
    /// Load points in both.
    pub pairs: Vec<Pair>,
    /// Those that only one of them has.
    pub only_in_one: Vec<String>,
}

/// Holds two visits against one another; the earlier one is the first, in whatever order they come.
pub fn compare(a: &Visit, b: &Visit) -> Result<Comparison, Fault> {
    if a.meter.simulated != b.meter.simulated {
        let (simulated, real) = if a.meter.simulated { (a, b) } else { (b, a) };
        let number = |visit: &Visit| visit.certificate_no.clone();
        return Err(Fault::Simulated { simulated: number(simulated), real: number(real) });
    }
    let (before, after) = if b.performed.timestamp() < a.performed.timestamp() { (b, a) } else { (a, b) };
    let mut pairs = vec![];
    let mut only_in_one = vec![];
    for figure in &after.figures {
        match before.figures.iter().find(|other| other.is_same_point(figure)) {
            Some(other) => pairs.push(Pair::of(other, figure, after.meter.simulated)),
            None => only_in_one.push(format!("{}: {} only", figure.place(), after.certificate_no)),
        }
    }
    for figure in &before.figures {
        if !after.figures.iter().any(|other| other.is_same_point(figure)) {
            only_in_one.push(format!("{}: {} only", figure.place(), before.certificate_no));
        }
    }
    if pairs.is_empty() {
        let (a, b) = (before.certificate_no.clone(), after.certificate_no.clone());
        return Err(Fault::NothingCommon { a, b });
    }
    Ok(Comparison {
        before: Head::of(before),
        after: Head::of(after),
        same_meter: before.meter == after.meter,
        pairs,
        only_in_one,
    })
}

#[cfg(test)]
mod tests {
    use super::super::visit::samples::visit;
    use super::*;

    #[test]
    fn e_n_is_the_change_by_both_uncertainties() {
        // U = 0.06 each: √2·0.06 = 0.0849; a change of 0.10 is 1.18 times that.
        let (a, b) = (visit("2025-11-20", &[0.10], 0.03), visit("2026-11-20", &[0.20], 0.03));
        let both = compare(&a, &b).unwrap();
        let pair = &both.pairs[0];
        assert!((pair.change - 0.10).abs() < 1e-12 && pair.is_change(), "{pair:?}");
        assert!((pair.e_n - 0.10 / (0.06 * 2f64.sqrt())).abs() < 1e-9, "{pair:?}");
        assert_eq!(pair.e_n_shared, None);
        // The order does not matter.
        assert_eq!(compare(&b, &a).unwrap(), both);
    }

    #[test]
    fn what_both_owe_to_one_certificate_cancels() {
        let shared = |day, value| {
            let mut visit = visit(day, &[value], 0.05);
            visit.figures[0].certificates = vec![("reference certificate C-1".into(), -0.04)];
            visit
        };
        let (a, mut b) = (shared("2025-11-20", 0.10), shared("2026-11-20", 0.20));
        let pair = compare(&a, &b).unwrap().pairs.remove(0);
        // u² = 2·(0.05² − 0.04²) = 2·0.03².
        assert!((pair.e_n_shared.unwrap() - 0.10 / (2.0 * 0.03 * 2f64.sqrt())).abs() < 1e-9, "{pair:?}");
        assert!(pair.e_n < 1.0 && !pair.is_change() && pair.is_hint());
        b.figures[0].certificates[0].0 = "reference certificate C-2".into();
        assert_eq!(compare(&a, &b).unwrap().pairs[0].e_n_shared, None);
        // A simulated standard is made up anew for each run.
        let (mut a, mut b) = (shared("2025-11-20", 0.10), shared("2026-11-20", 0.20));
        (a.meter.simulated, b.meter.simulated) = (true, true);
        assert_eq!(compare(&a, &b).unwrap().pairs[0].e_n_shared, None);
    }

    #[test]
    fn what_cannot_be_compared_is_refused_in_words() {
        let a = visit("2025-11-20", &[0.1], 0.03);
        let mut b = visit("2026-11-20", &[0.2], 0.03);
        b.meter.simulated = true;
        assert!(compare(&a, &b).unwrap_err().to_string().contains("is SIMULATED and"));
        b.meter.simulated = false;
        b.meter.serial = "other".into();
        assert!(!compare(&a, &b).unwrap().same_meter);
        b.figures[0].current_a = Some(7.0);
        assert!(compare(&a, &b).unwrap_err().to_string().contains("no load point in common"));
    }
}
