//! The error curve as it grows: readings, mean with its uncertainty, limits, over the current on a logarithmic axis.

use super::frame;
use super::token::{self, Face};
use crate::run::ErrorSeen;
use eframe::egui::{Color32, TextStyle, Ui, Vec2, Vec2b};
use egui_plot::{GridInput, GridMark, HLine, Line, LineStyle, MarkerShape, Plot, PlotBounds, Points};

/// A limit so many times as wide as the narrowest does not set the scale.
const WIDE: f64 = 3.0;

/// A point that has a place on the axis.
struct Point<'a> {
    x: f64,
    seen: &'a ErrorSeen,
}

/// A plot that is looked at: no finger moves it, and it shows what it is told to. The letters of `ui` are those of its axes.
pub(super) fn quiet<'a>(ui: &mut Ui, face: &Face, name: &str, size: Vec2) -> Plot<'a> {
    ui.visuals_mut().extreme_bg_color = face.tokens.card;
    ui.style_mut().text_styles.insert(TextStyle::Body, token::plain(token::SMALL - 2.0));
    Plot::new(name)
        .width(size.x)
        .height(size.y)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_x(false)
        .show_y(false)
        .auto_bounds(Vec2b::FALSE)
        .set_margin_fraction(Vec2::ZERO)
}

/// Draws it into what room there is. `active` is the step at work.
pub(super) fn curve(ui: &mut Ui, face: &Face, size: Vec2, errors: &[ErrorSeen], active: Option<usize>) {
    let t = face.tokens;
    let mut points: Vec<Point> = errors
        .iter()
        .map(|seen| Point { x: seen.load.current_a.amperes().log10(), seen })
        .filter(|point| point.x.is_finite())
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let (left, right) = (first.x - 0.25, last.x + 0.25);
    let greatest = greatest(&points);
    let marks: Vec<f64> = points.iter().map(|point| point.x).collect();
    let named = apart(&marks, (right - left) / f64::from(size.x / 46.0));
    let name = |x: f64| frame::amperes(10_f64.powf(x));
    let grid =
        move |_: GridInput| named.iter().map(|x| GridMark { value: *x, step_size: 1.0 }).collect::<Vec<_>>();
    let step = step(greatest);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let errors_grid = move |_: GridInput| {
        let count = (greatest / step).floor() as i32;
        (-count..=count).map(|n| GridMark { value: f64::from(n) * step, step_size: step }).collect::<Vec<_>>()
    };
    ui.scope(|ui| {
        quiet(ui, face, "errors", size)
            .grid_color(t.line)
            .x_grid_spacer(grid)
            .y_grid_spacer(errors_grid)
            .x_axis_formatter(move |mark, _| name(mark.value))
            .y_axis_formatter(move |mark, _| {
                let value = if mark.value.abs() < 1e-9 { 0.0 } else { mark.value };
                if value > 0.0 { format!("+{value:.decimals$}") } else { format!("{value:.decimals$}") }
            })
            .show(ui, |plot| {
                plot.set_plot_bounds(PlotBounds::from_min_max([left, -greatest], [right, greatest]));
                plot.hline(HLine::new("0", 0.0).color(t.weak).width(1.0));
                for line in limits(&points, left, right, greatest) {
                    plot.line(line.color(t.bad).width(2.0));
                }
                for point in &points {
                    draw(plot, point, t.ink, t.weak, t.lead.field, active == Some(point.seen.step), t);
                }
            });
    });
}

fn draw(
    plot: &mut egui_plot::PlotUi<'_>,
    point: &Point<'_>,
    ink: Color32,
    weak: Color32,
    lead: Color32,
    active: bool,
    t: &token::Tokens,
) {
    let seen = point.seen;
    let readings: Vec<[f64; 2]> = seen.readings.iter().map(|error| [point.x, *error]).collect();
    if active {
        let line = vec![[point.x, -seen.limit], [point.x, seen.limit]];
        plot.line(Line::new("now", line).color(lead).width(1.5).style(LineStyle::dotted_loose()));
    }
    plot.points(Points::new("readings", readings).shape(MarkerShape::Circle).radius(2.5).color(weak));
    if let Some((mean, expanded)) = seen.mean {
        let bar = vec![[point.x, mean - expanded], [point.x, mean + expanded]];
        let color = if (mean.abs() + expanded) <= seen.limit {
            t.good
        } else if (mean.abs() - expanded) > seen.limit {
            t.bad
        } else {
            t.care
        };
        plot.line(Line::new("U", bar.clone()).color(ink).width(2.0));
        for end in bar {
            let cap = vec![[end[0] - 0.03, end[1]], [end[0] + 0.03, end[1]]];
            plot.line(Line::new("U", cap).color(ink).width(2.0));
        }
        // A point that has failed has another shape, not only another colour.
        let shape = if color == t.bad { MarkerShape::Square } else { MarkerShape::Circle };
        plot.points(Points::new("mean", vec![[point.x, mean]]).shape(shape).radius(5.0).color(color));
    }
}

/// The limits as two staircases, each step and each riser a line of its own.
fn limits(points: &[Point<'_>], left: f64, right: f64, greatest: f64) -> Vec<Line<'static>> {
    let mut lines = vec![];
    for sign in [1.0, -1.0] {
        let mut before: Option<f64> = None;
        for (index, point) in points.iter().enumerate() {
            let from = index.checked_sub(1).map_or(left, |before| f64::midpoint(points[before].x, point.x));
            let to = points.get(index + 1).map_or(right, |next| f64::midpoint(next.x, point.x));
            let limit = sign * point.seen.limit.min(greatest * 1.5);
            lines.push(vec![[from, limit], [to, limit]]);
            if let Some(before) = before.filter(|before| (before - limit).abs() > 1e-12) {
                lines.push(vec![[from, before], [from, limit]]);
            }
            before = Some(limit);
        }
    }
    lines.into_iter().map(|line| Line::new("limit", line)).collect()
}

/// So much that everything measured stands inside, and every limit that is not much wider than the narrowest.
fn greatest(points: &[Point<'_>]) -> f64 {
    let narrowest = points.iter().map(|point| point.seen.limit).fold(f64::INFINITY, f64::min);
    let drawn = points.iter().flat_map(|Point { seen, .. }| {
        let limit = if seen.limit <= narrowest * WIDE { seen.limit } else { 0.0 };
        let mean = seen.mean.map_or(0.0, |(mean, expanded)| mean.abs() + expanded);
        let readings = seen.readings.iter().fold(0.0, |most: f64, error| most.max(error.abs()));
        [limit, mean, readings]
    });
    let greatest = drawn.filter(|value| value.is_finite()).fold(0.0, f64::max);
    // What lies far outside is cut off: the scale of the rest must stay readable.
    let most = if narrowest.is_finite() { narrowest * 12.0 } else { 100.0 };
    if greatest > 0.0 { (greatest * 1.2).min(most) } else { 1.0 }
}

/// The greatest of 1, 2, 5 times a power of ten that goes at least twice into the greatest value.
fn step(greatest: f64) -> f64 {
    let half = greatest / 2.0;
    let unit = 10_f64.powf(half.log10().floor());
    [5.0, 2.0].into_iter().map(|factor| factor * unit).find(|step| *step <= half).unwrap_or(unit)
}

/// Marks that stand at least so far apart, the last one always.
fn apart(marks: &[f64], least: f64) -> Vec<f64> {
    let mut kept: Vec<f64> = vec![];
    for mark in marks.iter().rev() {
        if kept.last().is_none_or(|last| last - mark >= least) {
            kept.push(*mark);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_round_and_names_do_not_run_into_one_another() {
        assert_eq!((step(1.2), step(0.3), step(12.0)), (0.5, 0.1, 5.0));
        assert_eq!(apart(&[0.0, 0.1, 0.2, 1.0], 0.15), [1.0, 0.2, 0.0]);
    }
}
