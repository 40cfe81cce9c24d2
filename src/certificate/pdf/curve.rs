//! The error curve: errors with their uncertainty over the current, between their limits. Readable without colour.

use super::flow::{Align, Flow};
use super::sheet::{MARGIN, MEASURE, Mark, Node, Pen, Role};
use super::text::{Ink, Span, Style, lines};
use crate::certificate::number;
use crate::certificate::paper::{Drawn, Paper, Row, Words};
use crate::verdict::Verdict;

/// Height of the field.
const TALL: f32 = 150.0;
/// Room for the numbers of the error axis.
const LEFT: f32 = 40.0;
const RIGHT: f32 = 12.0;
const TICK: Style = Style::new(6.6).ink(Ink::Grey);
const NAME: Style = Style::new(7.2);
/// A limit wider than this many times the narrowest does not set the scale.
const WIDE: f64 = 3.0;

/// A point with its texts.
struct Point<'a> {
    row: &'a Row,
    drawn: Drawn,
}

/// The field and its two scales.
struct Field {
    x: f32,
    y: f32,
    width: f32,
    /// Decimal logarithms of the least and the greatest current.
    currents: (f64, f64),
    /// The greatest error; the least is its opposite.
    greatest: f64,
}

impl Field {
    fn x(&self, current: f64) -> f32 {
        let (low, high) = self.currents;
        self.x + self.width * ((current.log10() - low) / (high - low)) as f32
    }

    fn y(&self, error: f64) -> f32 {
        self.y + TALL * (0.5 - 0.5 * error / self.greatest) as f32
    }

    fn holds(&self, error: f64) -> bool {
        error.abs() <= self.greatest
    }
}

/// The curve, where there is an error to draw.
pub(super) fn curve(flow: &mut Flow, paper: &Paper) {
    let mut points: Vec<Point> = paper
        .rows
        .iter()
        .filter_map(|row| Some(Point { row, drawn: row.drawn? }))
        .filter(|point| point.drawn.current_a > 0.0 && point.drawn.error.is_finite())
        .collect();
    points.sort_by(|a, b| a.drawn.current_a.total_cmp(&b.drawn.current_a));
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let room = TALL + 70.0;
    flow.heading(&Words::new("误差曲线", "Error curve"), room);
    let field = Field {
        x: MARGIN + LEFT,
        y: flow.y + 13.0,
        width: MEASURE - LEFT - RIGHT,
        currents: (first.drawn.current_a.log10() - 0.18, last.drawn.current_a.log10() + 0.18),
        greatest: greatest(&points),
    };
    let mut marks = vec![];
    axes(&mut marks, &field, flow);
    let beyond = limits(&mut marks, &field, &points);
    errors(&mut marks, &field, &points);
    let y = legend(&mut marks, &field, flow, &beyond);
    let leaf = flow.leaf(marks);
    flow.push(Node::new(Role::Figure { alt: in_words(flow, &points) }, [leaf]));
    flow.y = y;
}

/// So much that every error stands inside with its uncertainty, and every limit that is not much wider than the narrowest.
fn greatest(points: &[Point]) -> f64 {
    let narrowest = points.iter().map(|point| point.drawn.limit).fold(f64::INFINITY, f64::min);
    let drawn = points.iter().flat_map(|Point { drawn, .. }| {
        let limit = Some(drawn.limit).filter(|limit| *limit <= narrowest * WIDE);
        [drawn.error.abs() + drawn.expanded, limit.unwrap_or(0.0)]
    });
    let greatest = drawn.fold(0.0, f64::max);
    if greatest > 0.0 && greatest.is_finite() { greatest * 1.22 } else { 1.0 }
}

/// The greatest of 1, 2, 5 times a power of ten that goes at least twice into the greatest value, and its decimals.
fn step(greatest: f64) -> (f64, usize) {
    let half = greatest / 2.0;
    let power = half.log10().floor();
    let unit = 10_f64.powf(power);
    let factor = [5.0, 2.0].into_iter().find(|factor| factor * unit <= half).unwrap_or(1.0);
    (factor * unit, (-power).max(0.0) as usize)
}

fn text(marks: &mut Vec<Mark>, spans: &[Span], x: f32, y: f32, align: Align) {
    for line in lines(spans, MEASURE) {
        marks.extend(Mark::line(&line, x + align.shift(&line, 0.0), y));
    }
}

fn axes(marks: &mut Vec<Mark>, field: &Field, flow: &Flow) {
    let hair = Pen::new(0.4, Ink::Pale);
    let (left, right, bottom) = (field.x, field.x + field.width, field.y + TALL);
    let (step, decimals) = step(field.greatest);
    let count = (field.greatest / step).floor() as i32;
    for n in -count..=count {
        let error = f64::from(n) * step;
        let y = field.y(error);
        if n != 0 {
            marks.push(Mark::rule(left, y, field.width, hair));
        }
        let sign = if n > 0 { "+" } else { "" };
        let words = format!("{sign}{}", number::fixed(error, decimals));
        text(marks, &[Span::new(&words, TICK)], left - 4.0, y - 4.6, Align::Right);
    }
    let decades = (field.currents.0.floor() as i32)..=(field.currents.1.ceil() as i32);
    for (factor, decade) in decades.flat_map(|decade| (1..10).map(move |factor| (factor, decade))) {
        let current = f64::from(factor) * 10_f64.powi(decade);
        let x = field.x(current);
        if x < left || x > right {
            continue;
        }
        let named = [1, 2, 5].contains(&factor);
        if named {
            marks.push(Mark::Line { points: vec![(x, field.y), (x, bottom)], pen: hair });
            let words = number::plain(current);
            text(marks, &[Span::new(&words, TICK)], x, bottom + 3.0, Align::Middle);
        }
        let tall = if named { 3.0 } else { 1.6 };
        marks.push(Mark::Line {
            points: vec![(x, bottom), (x, bottom - tall)],
            pen: Pen::new(0.5, Ink::Black),
        });
    }
    marks.push(Mark::rule(left, field.y(0.0), field.width, Pen::new(0.5, Ink::Grey)));
    let mut frame = Mark::rectangle(left, field.y, field.width, TALL);
    frame.push(frame[0]);
    marks.push(Mark::Line { points: frame, pen: Pen::new(0.7, Ink::Black) });
    let current = flow.tongue.say("电流 I/A（对数）", "current I/A (logarithmic)", NAME);
    text(marks, &current, left + field.width / 2.0, bottom + 13.0, Align::Middle);
    let error = flow.tongue.say("误差/%", "error/%", NAME);
    text(marks, &error, MARGIN, field.y - 11.0, Align::Left);
}

/// The limits in steps. Where two neighbours have different limits the wider one reaches to the point of the narrower,
/// dashed: the paper knows the limits at its points and no more. Gives the limits that lie beyond the scale.
fn limits(marks: &mut Vec<Mark>, field: &Field, points: &[Point]) -> Vec<String> {
    let strong = Pen::new(1.2, Ink::Black);
    let mut beyond = vec![];
    for sign in [1.0, -1.0] {
        let edge = if sign > 0.0 { field.y } else { field.y + TALL };
        let y = |limit: f64| if field.holds(limit) { field.y(sign * limit) } else { edge };
        for pair in points.windows(2) {
            let (a, b) = (pair[0].drawn, pair[1].drawn);
            let (xa, xb) = (field.x(a.current_a), field.x(b.current_a));
            if a.limit == b.limit {
                if field.holds(a.limit) {
                    marks.push(Mark::Line { points: vec![(xa, y(a.limit)), (xb, y(a.limit))], pen: strong });
                }
                continue;
            }
            let wide = y(a.limit.max(b.limit));
            let dashed = Pen::new(0.9, Ink::Black).dashed(3.0);
            let (from, to) = ((xa, y(a.limit)), (xb, y(b.limit)));
            let corner = if a.limit > b.limit { (xb, wide) } else { (xa, wide) };
            let level: Vec<_> = [from, corner, to].into();
            // Along the edge of the field nothing is drawn: that would look like a limit.
            let level = if field.holds(a.limit.max(b.limit)) {
                level
            } else if a.limit > b.limit {
                level[1..].to_vec()
            } else {
                level[..2].to_vec()
            };
            marks.push(Mark::Line { points: level, pen: dashed });
        }
        for Point { drawn, .. } in points {
            if field.holds(drawn.limit) {
                let (x, y) = (field.x(drawn.current_a), y(drawn.limit));
                marks.push(Mark::Line { points: vec![(x - 9.0, y), (x + 9.0, y)], pen: strong });
            }
        }
    }
    let mut last = None;
    for Point { row, drawn } in points {
        if last == Some(drawn.limit) {
            continue;
        }
        last = Some(drawn.limit);
        if field.holds(drawn.limit) {
            let at = (field.x(drawn.current_a) + 2.0, field.y(drawn.limit) - 9.8);
            text(marks, &[Span::new(&row.limit_words, TICK.ink(Ink::Black))], at.0, at.1, Align::Left);
        } else {
            beyond.push(format!("No. {}: {} %", row.no, row.limit_words));
        }
    }
    beyond
}

/// A point's sign: a full disc where it passed, an open square where not.
fn sign(marks: &mut Vec<Mark>, verdict: Verdict, x: f32, y: f32) {
    if verdict == Verdict::Pass {
        let corners = (0..16).map(|n| {
            let angle = n as f32 * std::f32::consts::TAU / 16.0;
            (x + 2.3 * angle.cos(), y + 2.3 * angle.sin())
        });
        marks.push(Mark::Area { corners: vec![corners.collect()], ink: Ink::Blue });
    } else {
        let mut square = Mark::rectangle(x - 3.2, y - 3.2, 6.4, 6.4);
        square.push(square[0]);
        square.push(square[1]);
        marks.push(Mark::Line { points: square, pen: Pen::new(1.2, Ink::Red) });
    }
}

fn bar(marks: &mut Vec<Mark>, x: f32, top: f32, bottom: f32) {
    let pen = Pen::new(0.8, Ink::Black);
    marks.push(Mark::Line { points: vec![(x, top), (x, bottom)], pen });
    marks.push(Mark::rule(x - 3.5, top, 7.0, pen));
    marks.push(Mark::rule(x - 3.5, bottom, 7.0, pen));
}

fn errors(marks: &mut Vec<Mark>, field: &Field, points: &[Point]) {
    let mut before: Option<(f64, u8)> = None;
    let mut line = vec![];
    for Point { row, drawn } in points {
        // Points of one current stand side by side.
        let beside = before.filter(|(current, _)| *current == drawn.current_a).map_or(0, |(_, n)| n + 1);
        before = Some((drawn.current_a, beside));
        let x = field.x(drawn.current_a) + 8.0 * f32::from(beside);
        let y = field.y(drawn.error);
        line.push((x, y));
        bar(marks, x, field.y(drawn.error + drawn.expanded), field.y(drawn.error - drawn.expanded));
        sign(marks, row.verdict, x, y);
        let words = Span::new(&row.no.to_string(), Style::new(7.0).bold());
        text(marks, &[words], x + 5.5, y - 10.0, Align::Left);
    }
    marks.insert(0, Mark::Line { points: line, pen: Pen::new(0.6, Ink::Blue) });
}

fn legend(marks: &mut Vec<Mark>, field: &Field, flow: &Flow, beyond: &[String]) -> f32 {
    let y = field.y + TALL + 27.0;
    let tongue = flow.tongue;
    let entries = [
        tongue.say("合格点", "passed", TICK.ink(Ink::Black)),
        tongue.say("未通过点", "not passed", TICK.ink(Ink::Black)),
        tongue.say("±U", "±U", TICK.ink(Ink::Black)),
        tongue.say(
            "限值；虚线：两点间限值不同",
            "limit; dashed: it differs between two points",
            TICK.ink(Ink::Black),
        ),
    ];
    let mut x = field.x;
    for (n, words) in entries.iter().enumerate() {
        let middle = y + 4.6;
        match n {
            0 => sign(marks, Verdict::Pass, x + 4.0, middle),
            1 => sign(marks, Verdict::Fail, x + 4.0, middle),
            2 => bar(marks, x + 4.0, middle - 4.0, middle + 4.0),
            _ => {
                let pen = Pen::new(1.2, Ink::Black);
                marks.push(Mark::rule(x - 4.0, middle, 14.0, pen));
            }
        }
        let start = if n == 3 { x + 14.0 } else { x + 11.0 };
        text(marks, words, start, y, Align::Left);
        x = start + super::text::natural_width(words) + 18.0;
    }
    if beyond.is_empty() {
        return y + 14.0;
    }
    let said = beyond.join("; ");
    let words = tongue.say(
        &format!("限值超出图幅：{said}"),
        &format!("limit beyond the scale: {said}"),
        TICK.ink(Ink::Black),
    );
    let mut below = y + 10.0;
    for line in lines(&words, field.width) {
        marks.extend(Mark::line(&line, field.x, below));
        below += line.height;
    }
    below + 4.0
}

/// The curve for those who hear it.
fn in_words(flow: &Flow, points: &[Point]) -> String {
    let points = points.iter().map(|Point { row, .. }| {
        format!(
            "{} A: {} % (U {} %, MPE {} %)",
            row.nominal_current, row.value, row.uncertainty, row.limit_words
        )
    });
    let points = points.collect::<Vec<_>>().join("; ");
    format!("{}: {points}", flow.tongue.plain("误差曲线", "Error curve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_axis_are_round_and_neither_few_nor_many() {
        for greatest in [0.013, 0.2, 0.61, 1.22, 1.83, 3.67, 9.9, 47.0, 1234.0] {
            let (step, decimals) = step(greatest);
            let count = (greatest / step).floor();
            assert!((2.0..=5.0).contains(&count), "{count} steps of {step} to {greatest}");
            let printed: f64 = number::fixed(step, decimals).parse().unwrap();
            assert!((printed - step).abs() < 1e-9 * step, "{step} is printed {printed}");
        }
    }
}
