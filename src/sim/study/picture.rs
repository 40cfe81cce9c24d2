//! A study as one picture (SVG): coverage at each load point, and the operating characteristic near both limits.

use super::Report;
use super::report::{Coverage, mean_characteristic};
use std::fmt::Write;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 690.0;
/// Of both panels.
const TOP: f64 = 150.0;
/// See top.
const BOTTOM: f64 = 500.0;
/// Colours that people with any colour vision tell apart (Okabe and Ito 2008); shape says the same as colour.
const SEEN: &str = "#0072B2";
/// See seen.
const PROMISED: &str = "#D55E00";
const INK: &str = "#1a1a1a";
const QUIET: &str = "#595959";
const GRID: &str = "#d9d9d9";
const FAINT: &str = "#8c8c8c";
/// Points of a computed curve.
const CURVE: usize = 160;

/// The picture, an SVG document of 1200 × 690 px that needs no other file.
pub fn picture(report: &Report) -> String {
    let mut svg = Svg::default();
    heading(&mut svg, report);
    coverage_panel(&mut svg, report);
    characteristic_panel(&mut svg, report);
    svg.document(report)
}

fn heading(svg: &mut Svg, report: &Report) {
    svg.text(40.0, 44.0, "start", 24.0, INK, "bold", "What the stated intervals and verdicts are worth");
    svg.rect(WIDTH - 190.0, 20.0, 150.0, 32.0, PROMISED);
    svg.text(WIDTH - 115.0, 42.0, "middle", 17.0, "#ffffff", "bold", "SIMULATED");
    let made = if report.interrupted {
        format!("{} of {} runs (interrupted)", report.runs, report.runs_asked)
    } else {
        format!("{} runs", report.runs)
    };
    let faulted = if report.faulted > 0 { format!(", {} faulted", report.faulted) } else { String::new() };
    let what = format!(
        "{made}{faulted}, seed {} · meter {} · {} ({} verification)",
        report.seed, report.meter, report.regulation, report.kind
    );
    svg.text(40.0, 72.0, "start", 15.0, INK, "normal", &what);
    svg.text(
        40.0,
        94.0,
        "start",
        13.0,
        QUIET,
        "normal",
        &format!("Population: {}.", report.population.words),
    );
}

/// A straight scale from values to pixels.
#[derive(Clone, Copy)]
struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        self.to.0 + (value - self.from.0) / (self.from.1 - self.from.0) * (self.to.1 - self.to.0)
    }
}

/// Round steps that divide a range into some four to eight.
fn step_of(range: f64) -> f64 {
    let raw = range / 6.0;
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw).unwrap_or(raw)
}

/// The multiples of `step` within a range.
fn ticks(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    let (first, last) = ((from / step - 1e-9).ceil() as i64, (to / step + 1e-9).floor() as i64);
    (first..=last).map(move |no| no as f64 * step)
}

/// Decimals that a step needs.
fn decimals(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).max(0.0) as usize
}

/// Left: the share of intervals that hold the truth, at each point and together.
fn coverage_panel(svg: &mut Svg, report: &Report) {
    let (left, right) = (100.0, 575.0);
    svg.text(left, TOP - 22.0, "start", 16.0, INK, "bold", "Coverage of the stated intervals, value ± U");
    let promised = report.coverage.coverage_promised;
    let all = report.points.iter().map(|p| &p.coverage).chain([&report.coverage]);
    let ends = all.flat_map(|c| [c.coverage_low, c.coverage_high]).flatten();
    let (low, high) = ends.fold((promised, promised), |(low, high), end| (low.min(end), high.max(end)));
    let step = step_of((high - low).max(0.01) * 1.3);
    let bottom = ((low - 0.4 * step) / step).floor() * step;
    let top = (((high + 0.4 * step) / step).ceil() * step).min(1.0);
    let y = Scale { from: (bottom, top), to: (BOTTOM, TOP) };
    for tick in ticks(bottom, top, step) {
        svg.line(left, y.at(tick), right, y.at(tick), GRID, "");
        let label = format!("{:.*} %", decimals(step * 100.0), tick * 100.0);
        svg.text(left - 10.0, y.at(tick) + 5.0, "end", 14.0, INK, "normal", &label);
    }
    svg.turned(32.0, f64::midpoint(TOP, BOTTOM), "share that holds the true error");
    svg.line(left, BOTTOM, right, BOTTOM, INK, "");
    svg.line(
        left,
        y.at(promised),
        right,
        y.at(promised),
        PROMISED,
        r#" class="promised" stroke-width="2.5" stroke-dasharray="9 5""#,
    );
    let slot = (right - left) / (report.points.len() + 1) as f64;
    let middle = |no: usize| left + (no as f64 + 0.5) * slot;
    for (no, point) in report.points.iter().enumerate() {
        let x = middle(no);
        interval(svg, x, y, &point.coverage, false);
        svg.text(x, BOTTOM + 22.0, "middle", 14.0, INK, "normal", &format!("{} A", point.current_a));
        svg.text(x, BOTTOM + 40.0, "middle", 13.0, QUIET, "normal", &point.point);
    }
    let x = middle(report.points.len());
    svg.line(x - slot / 2.0, TOP, x - slot / 2.0, BOTTOM, GRID, "");
    interval(svg, x, y, &report.coverage, true);
    svg.text(x, BOTTOM + 22.0, "middle", 14.0, INK, "normal", "all");
    svg.text(x, BOTTOM + 40.0, "middle", 13.0, QUIET, "normal", "together");
    svg.text(
        f64::midpoint(left, right),
        BOTTOM + 66.0,
        "middle",
        14.0,
        INK,
        "normal",
        "load point: current in A, name in the regulation",
    );
    let legend = BOTTOM + 104.0;
    svg.line(left, legend - 9.0, left, legend + 9.0, SEEN, r#" stroke-width="2""#);
    svg.dot(left, legend, 5.0);
    let seen = format!("seen, with {:.0} % interval (Clopper–Pearson)", report.confidence * 100.0);
    svg.text(left + 16.0, legend + 5.0, "start", 14.0, INK, "normal", &seen);
    let (x, words) = (left + 335.0, format!("promised {:.2} %", promised * 100.0));
    svg.line(x, legend, x + 34.0, legend, PROMISED, r#" stroke-width="2.5" stroke-dasharray="9 5""#);
    svg.text(x + 42.0, legend + 5.0, "start", 14.0, INK, "normal", &words);
    let worth = [
        format!(
            "All together: {} intervals, worth {:.0} independent ones,",
            report.intervals, report.intervals_effective
        ),
        "for those of one run share a reference.".into(),
    ];
    for (words, below) in worth.iter().zip([34.0, 52.0]) {
        svg.text(left, legend + below, "start", 13.0, QUIET, "normal", words);
    }
}

/// A share with its interval; all points together as a square.
fn interval(svg: &mut Svg, x: f64, y: Scale, coverage: &Coverage, square: bool) {
    let (Some(share), Some(low), Some(high)) =
        (coverage.coverage, coverage.coverage_low, coverage.coverage_high)
    else {
        return svg.text(x, f64::midpoint(TOP, BOTTOM), "middle", 13.0, QUIET, "normal", "none stated");
    };
    svg.whisker(x, y.at(low), y.at(high), 7.0);
    if square {
        svg.rect(x - 6.0, y.at(share) - 6.0, 12.0, 12.0, SEEN);
    } else {
        svg.dot(x, y.at(share), 6.0);
    }
}

/// Right: probability of pass over the true error, near the lower and near the upper limit.
fn characteristic_panel(svg: &mut Svg, report: &Report) {
    let (left, right, gap) = (690.0, 1160.0, 30.0);
    svg.text(left, TOP - 22.0, "start", 16.0, INK, "bold", "Operating characteristic near both limits");
    let y = Scale { from: (0.0, 1.0), to: (BOTTOM, TOP) };
    svg.turned(635.0, f64::midpoint(TOP, BOTTOM), "probability of pass");
    let half = report.operating_characteristic.iter().map(|bin| (bin.from.abs() - 1.0).abs());
    let half = half.chain(report.operating_characteristic.iter().map(|b| (b.to.abs() - 1.0).abs()));
    let half = half.fold(0.05, f64::max);
    let width = (right - left - gap) / 2.0;
    for (limit, from) in [(-1.0, left), (1.0, left + width + gap)] {
        let x = Scale { from: (limit - half, limit + half), to: (from, from + width) };
        for tick in ticks(0.0, 1.0, 0.2) {
            svg.line(from, y.at(tick), from + width, y.at(tick), GRID, "");
            if limit < 0.0 {
                let label = format!("{tick:.1}");
                svg.text(from - 10.0, y.at(tick) + 5.0, "end", 14.0, INK, "normal", &label);
            }
        }
        let step = step_of(2.0 * half * 1.5);
        // Not at the ends, where the labels of the two halves would meet.
        for tick in ticks(limit - 0.9 * half, limit + 0.9 * half, step) {
            svg.line(x.at(tick), BOTTOM, x.at(tick), BOTTOM + 6.0, INK, "");
            let label = format!("{:+.*}", decimals(step), tick).replace('-', "−");
            svg.text(x.at(tick), BOTTOM + 22.0, "middle", 14.0, INK, "normal", &label);
        }
        svg.line(from, BOTTOM, from + width, BOTTOM, INK, "");
        let more = r#" class="limit" stroke-width="2" stroke-dasharray="2 4""#;
        svg.line(x.at(limit), TOP - 4.0, x.at(limit), BOTTOM, INK, more);
        let (side, name) =
            if limit < 0.0 { ("start", "lower limit −1") } else { ("end", "upper limit +1") };
        svg.text(x.at(limit) + 7.0 * -limit, BOTTOM - 14.0, side, 14.0, INK, "normal", name);
        curves(svg, report, x, y);
        for bin in report.operating_characteristic.iter().filter(|bin| bin.from * limit > 0.0) {
            let at = x.at(f64::midpoint(bin.from, bin.to));
            svg.whisker(at, y.at(bin.low), y.at(bin.high), 3.0);
            svg.dot(at, y.at(bin.passed as f64 / bin.judged as f64), 3.5);
        }
    }
    svg.text(
        f64::midpoint(left, right),
        BOTTOM + 52.0,
        "middle",
        14.0,
        INK,
        "normal",
        "true error in units of the limit at its load point (the middle is left out)",
    );
    let legend = BOTTOM + 104.0;
    svg.line(left, legend - 9.0, left, legend + 9.0, SEEN, r#" stroke-width="2""#);
    svg.dot(left, legend, 4.0);
    svg.text(left + 12.0, legend + 5.0, "start", 14.0, INK, "normal", "seen, 99 % interval");
    let x = left + 172.0;
    svg.line(x, legend, x + 26.0, legend, PROMISED, r#" stroke-width="3""#);
    svg.text(x + 33.0, legend + 5.0, "start", 14.0, INK, "normal", "computed, mean");
    let x = left + 335.0;
    svg.line(x, legend, x + 26.0, legend, FAINT, r#" stroke-width="1.2""#);
    svg.text(x + 33.0, legend + 5.0, "start", 14.0, INK, "normal", "each load point");
    let edges = report.points.iter().map(|p| p.edge_percent / p.limit_percent);
    let farthest = edges.fold(1.0, f64::max);
    if farthest > 1.0 + 1e-9 {
        let words = format!("By the regulation's rounding values up to {farthest:.3} limits pass.");
        svg.text(left, legend + 34.0, "start", 13.0, QUIET, "normal", &words);
    }
}

/// The computed curve of each point, and their mean on top.
fn curves(svg: &mut Svg, report: &Report, x: Scale, y: Scale) {
    let at = |no: usize| x.from.0 + (x.from.1 - x.from.0) * no as f64 / CURVE as f64;
    let pixels = |computed: &dyn Fn(f64) -> Option<f64>| -> Vec<(f64, f64)> {
        (0..=CURVE).filter_map(|no| Some((x.at(at(no)), y.at(computed(at(no))?)))).collect()
    };
    for point in &report.points {
        let curve = pixels(&|limits| point.pass_probability(limits).ok().flatten());
        svg.curve(&curve, FAINT, 1.2);
    }
    svg.curve(&pixels(&|limits| mean_characteristic(&report.points, limits).ok().flatten()), PROMISED, 3.0);
}

/// Shapes written one after another; the later lies on top.
#[derive(Default)]
struct Svg(String);

impl Svg {
    fn document(self, report: &Report) -> String {
        let title = escaped(&format!(
            "SIMULATED study, {} runs, seed {}: coverage and operating characteristic",
            report.runs, report.seed
        ));
        let points = report.points.iter().map(|p| {
            let share = p.coverage.coverage.map_or("no interval".into(), |c| format!("{:.2} %", c * 100.0));
            format!("{} A {share}", p.current_a)
        });
        let told = escaped(&format!(
            "Coverage at each load point, promised {:.2} %: {}. {} of {} meters passed; {} of them falsely.",
            report.coverage.coverage_promised * 100.0,
            points.collect::<Vec<_>>().join(", "),
            report.passed,
            report.completed,
            report.risks.false_accepts
        ));
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title told" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
<title id="title">{title}</title>
<desc id="told">{told}</desc>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
{}</svg>
"##,
            self.0
        )
    }

    fn push(&mut self, element: std::fmt::Arguments) {
        let _ = self.0.write_fmt(element);
        self.0.push('\n');
    }

    #[expect(clippy::too_many_arguments, reason = "place, anchor, size, colour, weight, words")]
    fn text(&mut self, x: f64, y: f64, anchor: &str, size: f64, fill: &str, weight: &str, words: &str) {
        let words = escaped(words);
        self.push(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{fill}">{words}</text>"#
        ));
    }

    /// The title of an axis that stands.
    fn turned(&mut self, x: f64, y: f64, words: &str) {
        let words = escaped(words);
        self.push(format_args!(
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle" font-size="14" fill="{INK}">{words}</text>"#
        ));
    }

    fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, stroke: &str, more: &str) {
        self.push(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"{more}/>"#
        ));
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        self.push(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        ));
    }

    fn dot(&mut self, x: f64, y: f64, radius: f64) {
        self.push(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{SEEN}"/>"#));
    }

    /// The ends of an interval, with caps.
    fn whisker(&mut self, x: f64, low: f64, high: f64, cap: f64) {
        let (left, right) = (x - cap, x + cap);
        self.push(format_args!(
            r#"<path d="M{left:.1} {low:.1}H{right:.1}M{x:.1} {low:.1}V{high:.1}M{left:.1} {high:.1}H{right:.1}" stroke="{SEEN}" stroke-width="1.6" fill="none"/>"#
        ));
    }

    fn curve(&mut self, points: &[(f64, f64)], stroke: &str, width: f64) {
        let words: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = words.join(" ");
        self.push(format_args!(
            r#"<polyline points="{points}" stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round" fill="none"/>"#
        ));
    }
}

/// Words as XML text: a meter's file may have any name. What XML cannot carry at all becomes a blank.
fn escaped(words: &str) -> String {
    words.chars().fold(String::new(), |mut text, c| {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => text.push(' '),
            c => text.push(c),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for range in [0.003, 0.012, 0.05, 0.3, 1.0] {
            let step = step_of(range);
            assert!((2.0..=8.0).contains(&(range / step)), "{range}: {step}");
        }
        assert_eq!(ticks(-1.2, -0.8, 0.1).count(), 5);
        assert_eq!((decimals(0.1), decimals(0.05), decimals(2.0)), (1, 2, 0));
    }

    #[test]
    fn a_name_cannot_break_the_picture() {
        assert_eq!(escaped("<a & \"b\">\n"), "&lt;a &amp; &quot;b&quot;&gt; ");
    }
}
