//! `phantomload bench perf`: how fast the program is, each figure beside one of this very run that it is held against.
//!
//! Where nothing is waited for, the processor's time is taken and not that on the wall: other programs on the machine
//! then change little. What waits for the disk or for another program is taken by the clock.
//!
//! | part | what it measures |
//! |---|---|
//! | here | the table and its JSON |
//! | [`edges`] | edges through window and estimator, against a plain loop; ten million of them in bounded memory |
//! | [`runs`] | whole verifications, studies, packages, the start of the program |

mod edges;
mod runs;

use super::{Ended, Stop, print_json, print_text};
use phantomload::time::{self, Span};
use serde::Serialize;
use std::fmt::Write;

/// How a figure is held against what is asked of it.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    /// The ratio is this or more.
    AtLeast(f64),
    /// The ratio is this or less.
    AtMost(f64),
    /// Nothing is asked; it is told.
    Nothing,
}

/// One line of the table.
#[derive(Serialize)]
struct Row {
    what: &'static str,
    /// What was measured, in words with its unit.
    measured: String,
    /// What it is held against, measured in the same run.
    against: String,
    ratio: f64,
    asked: Asked,
    kept: bool,
}

impl Row {
    fn new(what: &'static str, measured: String, against: String, ratio: f64, asked: Asked) -> Self {
        let kept = match asked {
            Asked::AtLeast(least) => ratio >= least,
            Asked::AtMost(most) => ratio <= most,
            Asked::Nothing => true,
        };
        Self { what, measured, against, ratio, asked, kept }
    }
}

/// What something costs as it grows.
#[derive(Serialize)]
struct Curve {
    what: &'static str,
    unit: &'static str,
    /// How many, and seconds.
    points: Vec<(u64, f64)>,
    /// The exponent p of seconds ∝ nᵖ, by least squares over the logarithms.
    exponent: f64,
    /// The same of n·log n between the same ends, and room for scatter: more is not kept.
    allowed: f64,
    kept: bool,
}

/// What the scatter of a busy machine may add to an exponent; a choice of this house.
const SCATTER: f64 = 0.1;

impl Curve {
    fn new(what: &'static str, unit: &'static str, points: Vec<(u64, f64)>) -> Self {
        let slope = |of: &dyn Fn(u64, f64) -> f64| {
            let logs: Vec<(f64, f64)> =
                points.iter().map(|(n, secs)| ((*n as f64).ln(), of(*n, *secs).ln())).collect();
            let mean = |of: &dyn Fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / logs.len() as f64;
            let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
            let spread: f64 = logs.iter().map(|p| (p.0 - x).powi(2)).sum();
            logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread
        };
        let exponent = slope(&|_, secs| secs);
        let allowed = slope(&|n, _| n as f64 * (n as f64).ln()) + SCATTER;
        Self { what, unit, exponent, allowed, kept: exponent <= allowed, points }
    }
}

/// The whole table.
#[derive(Serialize)]
struct Page {
    program: &'static str,
    cores: usize,
    quick: bool,
    rows: Vec<Row>,
    curves: Vec<Curve>,
}

/// Seconds of the processor that a piece of work takes: the shortest of so many times.
fn shortest<T>(times: u32, mut work: impl FnMut() -> T) -> f64 {
    (0..times.max(1)).map(|_| worked(&mut work).1).fold(f64::INFINITY, f64::min)
}

/// What came of a piece of work, and the seconds that the processor worked on it; those of the clock where the kernel does
/// not say.
fn worked<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begin = time::processor();
    let (came, took) = timed(work);
    let worked = begin.zip(time::processor()).map(|(begin, end)| end - begin);
    (came, worked.unwrap_or(took).secs())
}

/// What came of a piece of work, and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Span) {
    let begin = time::now();
    let came = std::hint::black_box(work());
    (came, time::now() - begin)
}

/// Measures all and prints it; exit code 1 where something asked is not kept.
pub fn run(quick: bool, json: bool) -> Ended {
    if cfg!(debug_assertions) {
        super::say("not a release build: these figures say nothing (cargo run --release -- bench perf)");
    }
    // The memory of ten million edges first: what comes after it would be counted with it.
    let mut rows = vec![edges::memory(if quick { 1_000_000 } else { 10_000_000 })];
    rows.extend(edges::against_plain_loops(if quick { 1 } else { 5 }));
    rows.push(runs::verification(if quick { 5 } else { 40 })?);
    rows.extend(runs::study(if quick { 20 } else { 400 })?);
    rows.push(runs::package(if quick { 3 } else { 15 })?);
    rows.extend(runs::start_up(if quick { 5 } else { 30 })?);
    let mut curves = edges::curves(quick);
    curves.extend(runs::curves(quick)?);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let page = Page { program: env!("CARGO_PKG_VERSION"), cores, quick, rows, curves };
    if json {
        print_json(&page)?;
    } else {
        print_text(&text(&page))?;
    }
    let kept = page.rows.iter().all(|row| row.kept) && page.curves.iter().all(|curve| curve.kept);
    Ok(u8::from(!kept))
}

fn text(page: &Page) -> String {
    let mut text = format!(
        "Phantomload {}, {} cores{}\n\n",
        page.program,
        page.cores,
        if page.quick { ", quick: fewer and shorter, for a look only" } else { "" }
    );
    for row in &page.rows {
        let asked = match row.asked {
            Asked::AtLeast(least) => format!(" (asked at least {least})"),
            Asked::AtMost(most) => format!(" (asked at most {most})"),
            Asked::Nothing => String::new(),
        };
        let mark = if row.kept { "ok " } else { "NOT" };
        let ratio =
            if row.ratio >= 100.0 { format!("{:.0}", row.ratio) } else { format!("{:.2}", row.ratio) };
        let _ = writeln!(
            text,
            "{mark} {:<34} {ratio:>8}{asked}\n      {}; against {}",
            row.what, row.measured, row.against
        );
    }
    text.push_str("\nGrowth: seconds by number, and the exponent p of number^p\n");
    for curve in &page.curves {
        let mark = if curve.kept { "ok " } else { "NOT" };
        let points = curve.points.iter().map(|(n, secs)| format!("{n}: {secs:.4}")).collect::<Vec<_>>();
        let _ = writeln!(
            text,
            "{mark} {} ({}): p = {:.2}, allowed {:.2} (n log n, and {SCATTER} for scatter)\n      {}",
            curve.what,
            curve.unit,
            curve.exponent,
            curve.allowed,
            points.join(", ")
        );
    }
    text
}

/// A fault of the machine or a bug, in words.
fn fault(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Stop {
    move |why| Stop::fault(format!("{what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_told_and_more_than_n_log_n_is_not_kept() {
        let grown = |of: fn(f64) -> f64| {
            let points = [10_000_u64, 100_000, 1_000_000].map(|n| (n, of(n as f64) * 1e-9));
            Curve::new("test", "things", points.to_vec())
        };
        let linear = grown(|n| n);
        assert!((linear.exponent - 1.0).abs() < 1e-9 && linear.kept);
        assert!(grown(|n| n * n.ln()).kept);
        let square = grown(|n| n * n);
        assert!((square.exponent - 2.0).abs() < 1e-9 && !square.kept);
        assert!(!grown(|n| n.powf(1.3)).kept);
    }

    #[test]
    fn a_ratio_is_held_against_what_is_asked() {
        let row = |ratio, asked| Row::new("test", String::new(), String::new(), ratio, asked).kept;
        assert!(row(10.0, Asked::AtLeast(10.0)) && !row(9.9, Asked::AtLeast(10.0)));
        assert!(row(3.0, Asked::AtMost(3.0)) && !row(3.1, Asked::AtMost(3.0)));
        assert!(row(0.0, Asked::Nothing));
    }
}
