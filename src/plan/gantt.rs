//! The plan as text: steps, a Gantt chart of two lanes, the total.

use super::conventional::Assumptions;
use super::{Lane, Plan, TEN_MINUTES};
use std::fmt::Write;

/// Columns of the chart.
const WIDTH: usize = 60;

/// The plan as a page of text.
pub fn text(plan: &Plan) -> String {
    let mut page = String::new();
    let total = plan.total.secs().max(1.0);
    let column = |secs: f64| ((secs / total * WIDTH as f64).round() as usize).min(WIDTH);
    let _ = writeln!(
        page,
        "Plan: {} {} no. {}, class {}, {}, {} verification",
        plan.nameplate.maker,
        plan.nameplate.model,
        plan.nameplate.serial,
        plan.class,
        plan.profile.id,
        plan.kind
    );
    if plan.standards.is_simulated() {
        let _ = writeln!(page, "SIMULATED bench: nothing here is said of a real one.");
    }
    let titles = plan.steps.iter().map(|s| s.title.chars().count()).max().unwrap_or(0);
    let mut steps: Vec<_> = plan.steps.iter().collect();
    steps.sort_by_key(|s| (s.start, s.no));
    for step in steps {
        let from = column(step.start.secs()).min(WIDTH - 1);
        let to = column(step.end().secs()).max(from + 1);
        let mark = if step.lane == Lane::Load { '█' } else { '░' };
        let bar: String = (0..WIDTH).map(|c| if c >= from && c < to { mark } else { '·' }).collect();
        let _ = writeln!(
            page,
            "{:>3}  {:<titles$}  {:>8.1} s {:>8.1} s  {bar}",
            step.no,
            step.title,
            step.start.secs(),
            step.duration.secs()
        );
    }
    let _ = writeln!(page, "     (begin, duration; █ needs its load, ░ runs beside it)");
    let _ = writeln!(
        page,
        "Total {}; with a perfect bench, regulation, pulse rate and the meter's register demand {} ({:.2} times that).",
        plan.total,
        plan.lower_bound,
        plan.over_lower_bound()
    );
    if plan.total_max > plan.total {
        let _ = writeln!(page, "At most {}, where readings scatter and more are taken.", plan.total_max);
    }
    for doubt in &plan.doubts {
        let _ = writeln!(page, "  - {doubt}");
    }
    if let Ok(assumptions) = Assumptions::builtin() {
        let by_hand = assumptions.time(plan);
        let ratio = by_hand.total.secs() / total;
        let _ = writeln!(
            page,
            "The same items by hand, one after another: {} ({ratio:.1} times).",
            by_hand.total
        );
        for line in &by_hand.assumptions {
            let _ = writeln!(page, "  - assumed: {line}");
        }
        for line in &by_hand.reported {
            let _ = writeln!(page, "  - told of other verifications: {line}");
        }
    }
    if plan.fits {
        let _ = writeln!(page, "Fits into {TEN_MINUTES}.");
    } else {
        let _ = writeln!(page, "Does NOT fit into {TEN_MINUTES}:");
        for advice in &plan.advice {
            let _ = writeln!(page, "  - {advice}");
        }
    }
    let unconfirmed = plan.unconfirmed();
    if !plan.profile.may_certify(plan.kind, &plan.class) {
        let _ = writeln!(
            page,
            "{} figures of {} are unconfirmed and not approved by a laboratory: the result will be a test report, not a certificate.",
            unconfirmed.len(),
            plan.profile.id
        );
    }
    page
}
