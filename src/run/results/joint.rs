//! What the points of one run have in common: correlations by shared causes, and the probability that all conform.

use crate::certificate::record::{Correlation, ItemResult, Measured};
use crate::regulation::Item;
use crate::uncertainty::{Component, correlation_by_causes, share_of_cause};
use crate::verdict::{Bounds, Shared, joint_conformity};

/// Correlations between each two measured errors by pulses, and their joint probability of conformity. A bound of a
/// silent meter is no error and stands aside.
pub(super) fn of(items: &[ItemResult]) -> (Vec<Correlation>, Option<f64>) {
    let points: Vec<(usize, &Measured)> = items
        .iter()
        .enumerate()
        .filter(|(_, i)| matches!(i.item, Item::Start | Item::BasicError) && i.bound().is_none())
        .filter_map(|(at, i)| Some((at, i.measured.as_ref()?)))
        .collect();
    if points.len() < 2 {
        return (vec![], None);
    }
    let mut correlations = vec![];
    for (n, (a, one)) in points.iter().enumerate() {
        for (b, other) in &points[n + 1..] {
            let r = correlation_by_causes(&one.budget, &other.budget);
            correlations.push(Correlation { a: *a, b: *b, r });
        }
    }
    let cause = greatest_cause(&points.iter().map(|(_, m)| m.budget.as_slice()));
    let shared = points.iter().map(|(_, m)| {
        Some(Shared {
            value: m.estimate.value,
            u: m.estimate.u,
            dof: m.estimate.dof,
            bounds: Bounds::symmetric(m.limit).ok()?,
            share: cause.map_or(0.0, |cause| share_of_cause(&m.budget, cause)),
        })
    });
    let joint = shared.collect::<Option<Vec<_>>>().and_then(|shared| joint_conformity(&shared).ok());
    (correlations, joint)
}

/// The shared cause that makes the largest part of the variances, taken as shares of each point's own.
fn greatest_cause<'a>(budgets: &(impl Iterator<Item = &'a [Component]> + Clone)) -> Option<&'a str> {
    let weight = |cause: &str| budgets.clone().map(|b| share_of_cause(b, cause).powi(2)).sum::<f64>();
    let mut greatest: Option<(&str, f64)> = None;
    for cause in budgets.clone().flatten().filter_map(|c| c.shared.as_deref()) {
        let weight = weight(cause);
        if greatest.is_none_or(|(_, most)| weight > most) {
            greatest = Some((cause, weight));
        }
    }
    greatest.map(|(cause, _)| cause)
}
