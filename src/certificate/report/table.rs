//! The table of results, for paper and terminal. Its frame is ASCII; only what a regulation names may be wider.

use super::page::{COLUMNS, clean, left, right, width, wrap};
use crate::certificate::number;
use crate::certificate::record::{ItemResult, Measured, Results, Unit};
use crate::regulation::Item;
use std::fmt::Write;

/// Headers of the columns and whether they are set to the right.
const HEAD: [(&str, bool); 11] = [
    ("No.", true),
    ("item", false),
    ("point", false),
    ("U/V", true),
    ("I/A", true),
    ("error", true),
    ("unit", false),
    ("rounded", true),
    ("limit", true),
    ("U", true),
    ("k", true),
];

/// An item in words.
pub fn name(item: Item) -> String {
    item.to_string().replace('_', " ")
}

/// The final table of a run for the terminal, with a line for the whole.
pub fn table(results: &Results) -> String {
    let (head, rows) = lines(results);
    let mut text = head.into_iter().chain(rows).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let _ = match results.verdict {
        Some(verdict) => writeln!(text, "verdict on the meter: {verdict}"),
        // Ended before its time, or a pre-check.
        None => writeln!(text, "no verdict on the meter"),
    };
    text
}

/// Head (titles and rule) and one line for each result.
pub(super) fn lines(results: &Results) -> (Vec<String>, Vec<String>) {
    let decided = results.verdict.is_some();
    let rows: Vec<Vec<String>> =
        results.items.iter().enumerate().map(|(n, item)| cells(n + 1, item)).collect();
    let titles: Vec<String> = HEAD.iter().map(|(title, _)| (*title).to_owned()).collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| rows.iter().chain([&titles]).map(|row| width(&row[column])).max().unwrap_or(0))
        .collect();
    let columns = widths.iter().sum::<usize>() + "UNDECIDED".len();
    let gap = if columns + 2 * widths.len() <= COLUMNS { "  " } else { " " };
    let set = |row: &[String], last: &str| {
        let cells = row.iter().zip(&widths).zip(HEAD);
        let cells = cells.map(
            |((cell, columns), (_, to_right))| {
                if to_right { right(cell, *columns) } else { left(cell, *columns) }
            },
        );
        cells.chain([last.to_owned()]).collect::<Vec<_>>().join(gap).trim_end().to_owned()
    };
    let title = set(&titles, "verdict");
    let rule = "-".repeat(columns + gap.len() * widths.len());
    let rows = rows.iter().zip(&results.items);
    // A run that was not completed says of nothing that it passed.
    let rows = rows.map(|(row, item)| set(row, &if decided { item.verdict.to_string() } else { "-".into() }));
    (vec![title, rule], rows.collect())
}

fn cells(no: usize, item: &ItemResult) -> Vec<String> {
    let mut cells = vec![no.to_string(), name(item.item)];
    match &item.point {
        Some(point) => cells.extend([
            clip(&clean(&point.term)),
            number::plain(point.voltage_v.volts()),
            number::plain(point.current_a.amperes()),
        ]),
        None => cells.extend([String::new(), String::new(), String::new()]),
    }
    match (&item.measured, item.bound()) {
        (Some(measured), Some(bound)) => {
            let bound = format!("<{}", number::fixed(bound.percent(), 1));
            cells.extend([
                bound,
                measured.unit.to_string(),
                String::new(),
                limit(measured),
                String::new(),
                String::new(),
            ]);
        }
        (Some(measured), None) => {
            let uncertain = !measured.budget.is_empty();
            let u = if uncertain { number::uncertainty(measured.estimate.expanded) } else { String::new() };
            let k = if uncertain { number::coverage_factor(measured.estimate.k) } else { String::new() };
            let (value, rounded) = if is_count(measured) {
                (number::value(measured), number::rounded(measured.rounded))
            } else {
                let sign = if measured.estimate.value > 0.0 { "+" } else { "" };
                (format!("{sign}{}", number::value(measured)), number::signed(measured.rounded))
            };
            cells.extend([value, measured.unit.to_string(), rounded, limit(measured), u, k]);
        }
        (None, _) => cells.extend(std::iter::repeat_n(String::new(), 6)),
    }
    cells
}

/// The name of a point, cut where the table would become too wide for the page.
fn clip(term: &str) -> String {
    const TERM: usize = 12;
    if width(term) <= TERM {
        return term.to_owned();
    }
    wrap(term, TERM - 1).swap_remove(0) + "~"
}

fn is_count(measured: &Measured) -> bool {
    matches!(measured.unit, Unit::Pulse | Unit::One)
}

/// `+-1.0` for an error, `<=1` for pulses, `=0` for events that must be known.
fn limit(measured: &Measured) -> String {
    let limit = number::limit(measured.limit, measured.rounded.scale());
    match measured.unit {
        Unit::Pulse => format!("<={limit}"),
        Unit::One => format!("={limit}"),
        _ => format!("+-{limit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sample;

    #[test]
    fn the_table_is_aligned_and_plain() {
        let text = table(&sample::completed(-0.3).results);
        assert!(text.is_ascii(), "{text}");
        let lines: Vec<_> = text.lines().collect();
        let column = lines[0].find("verdict").unwrap();
        for line in &lines[2..lines.len() - 1] {
            assert!(line[column..].starts_with("PASS") && line[..column].ends_with(' '), "{text}");
        }
        assert!(text.contains("-0.2990  %") && text.contains("-0.3 ") && text.contains("+-1.0"), "{text}");
        assert_eq!(lines.last(), Some(&"verdict on the meter: PASS"));
    }

    #[test]
    fn a_positive_error_has_its_sign_and_a_bound_says_that_it_is_one() {
        let text = table(&sample::silent_at_start().results);
        assert!(
            text.contains("<-50.0  %") && text.contains("+0.3010  %") && text.contains("+0.3 "),
            "{text}"
        );
        assert!(text.ends_with("verdict on the meter: FAIL\n"));
    }

    #[test]
    fn without_a_verdict_no_item_has_one() {
        let text = table(&sample::aborted().results);
        assert!(!text.contains("PASS") && text.ends_with("no verdict on the meter\n"), "{text}");
    }
}
