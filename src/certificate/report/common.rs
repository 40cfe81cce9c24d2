//! What the points of a run have in common: the budget of each side by side, their correlations, and all at once.

use super::page::{COLUMNS, clean, left, right, wrap};
use crate::certificate::number;
use crate::certificate::record::{Measured, Record};
use crate::regulation::Item;

/// Columns of the names of components.
const LABEL: usize = 40;
/// Columns of a number.
const CELL: usize = 9;
/// What stands behind the coefficients.
const COMMON: &str = "Certificate, drift and temperature of a standard are taken as fully common to all points, which a certificate need not mean: a choice of this house 本程序的约定.";
/// Points side by side; a meter with more has them in the next table.
const POINTS: usize = (COLUMNS - LABEL) / CELL;

/// Heading and blocks; nothing where no error by pulses was measured.
pub(super) fn lines(record: &Record) -> Option<(&'static str, Vec<Vec<String>>)> {
    let results = &record.results;
    let errors = results.items.iter().enumerate().filter(|(_, i)| {
        matches!(i.item, Item::Start | Item::BasicError) && i.bound().is_none() && !i.attempts.is_empty()
    });
    let points: Vec<(usize, &Measured)> =
        errors.filter_map(|(at, i)| Some((at, i.measured.as_ref()?))).collect();
    if points.is_empty() {
        return None;
    }
    let mut blocks: Vec<Vec<String>> = points.chunks(POINTS).map(budgets).collect();
    blocks.push(wrap(
        "Standard uncertainties u of the errors by their No., in % of error, sensitivities included; a `*` marks what the points share. Evidence, sensitivity, shape and degrees of freedom of each are in the record.",
        COLUMNS,
    ));
    if !results.correlations.is_empty() {
        let r = |a: usize, b: usize| results.correlations.iter().find(|c| (c.a, c.b) == (a, b)).map(|c| c.r);
        let rows = points.iter().skip(1).map(|(b, _)| {
            let cells = points.iter().take_while(|(a, _)| a < b).take((COLUMNS - CELL) / CELL);
            let cells =
                cells.map(|(a, _)| right(&r(*a, *b).map_or(String::new(), |r| format!("{r:.3}")), CELL));
            cells.fold(right(&(b + 1).to_string(), CELL), |row, cell| row + &cell)
        });
        let head =
            points.iter().take((COLUMNS - CELL) / CELL).map(|(a, _)| right(&(a + 1).to_string(), CELL));
        let head = head.fold(left("  相关 r", CELL), |row, cell| row + &cell);
        blocks.push(std::iter::once(head).chain(rows).collect());
        blocks.push(wrap(COMMON, COLUMNS));
    }
    if let Some(joint) = results.joint_conformity {
        let words = format!(
            "Probability that the meter conforms at all these points at once 全部合格概率: {} (their greatest shared cause integrated over, the others taken as each point's own).{}",
            number::probability(joint),
            beside(&points)
        );
        blocks.push(wrap(&words, COLUMNS));
    }
    Some(("测量不确定度 Uncertainty", blocks))
}

/// The same probability without any claim on what the points share; nothing where a point has none.
fn beside(points: &[(usize, &Measured)]) -> String {
    let Some(each) = points.iter().map(|(_, m)| m.conformity).collect::<Option<Vec<f64>>>() else {
        return String::new();
    };
    let independent: f64 = each.iter().product();
    let least = (1.0 - each.iter().map(|p| 1.0 - p).sum::<f64>()).max(0.0);
    format!(
        " As if they were independent, the product of their probabilities: {}. Whatever they share, not below 1 - sum of (1 - p): {} (Bonferroni).",
        number::probability(independent),
        number::probability(least)
    )
}

/// Components down, points across, u of each; a component that a point does not have is left empty.
fn budgets(points: &[(usize, &Measured)]) -> Vec<String> {
    let mut labels: Vec<(&str, bool)> = vec![];
    for component in points.iter().flat_map(|(_, m)| &m.budget) {
        if !labels.iter().any(|(label, _)| *label == component.label) {
            labels.push((&component.label, component.shared.is_some()));
        }
    }
    let row = |name: String, cell: &dyn Fn(&Measured) -> String| {
        points.iter().fold(left(&name, LABEL), |row, (_, m)| row + &right(&cell(m), CELL))
    };
    let head =
        points.iter().fold(left("  No.", LABEL), |row, (at, _)| row + &right(&(at + 1).to_string(), CELL));
    let components = labels.iter().map(|(label, shared)| {
        let u = |m: &Measured| m.budget.iter().find(|c| c.label == *label).map(|c| c.u);
        row(format!("  {}{}", clean(label), if *shared { " *" } else { "" }), &|m| {
            u(m).map_or(String::new(), |u| number::fixed(u, 5))
        })
    });
    let sums = [
        row("  combined u".into(), &|m| number::fixed(m.estimate.u, 5)),
        row("  degrees of freedom".into(), &|m| {
            m.estimate.dof.filter(|dof| *dof < 1e4).map_or("inf".into(), |dof| number::fixed(dof.floor(), 0))
        }),
        row("  k".into(), &|m| number::coverage_factor(m.estimate.k)),
        row("  expanded U".into(), &|m| number::fixed(m.estimate.expanded, 5)),
    ];
    std::iter::once(head).chain(components).chain(sums).collect()
}
