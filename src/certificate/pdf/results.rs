//! The pages of results: errors point by point, their curve, the other items, what did not pass, and what must be known to
//! read them.

use super::cover::not_passed;
use super::flow::{Align, BODY, CELL, Flow, NOTE};
use super::table::{Cell, LEAD, Table, Width};
use super::text::{Ink, Paragraph, Span, Style};
use super::tongue::Tongue;
use super::{curve, risk};
use crate::certificate::issue::Amendment;
use crate::certificate::paper::{Paper, Row, Words, words};
use crate::certificate::record::Document;
use crate::verdict::Verdict;

/// The name of a column.
pub(super) fn named(tongue: Tongue, zh: &str, en: &str) -> Cell {
    Cell::new(tongue.stacked(&Words::new(zh, en), CELL.size(7.0).bold()))
}

/// A verdict in a cell: one that is no pass is not overlooked.
pub(super) fn verdict(tongue: Tongue, verdict: Verdict) -> Cell {
    let style = match verdict {
        Verdict::Pass => CELL,
        Verdict::Fail => CELL.bold().ink(Ink::Red),
        Verdict::Undecided => CELL.bold(),
    };
    Cell::new(tongue.stacked(&words::verdict(verdict), style))
}

/// The pages of results.
pub(super) fn results(flow: &mut Flow, paper: &Paper) {
    let title = match paper.document {
        Document::TestReport => ("检测结果", "Test results"),
        _ => ("检定结果", "Results of verification"),
    };
    flow.chapter(title.0, title.1);
    errors(flow, paper);
    curve::curve(flow, paper);
    items(flow, paper);
    if !paper.not_passed.is_empty() {
        flow.heading(&Words::new("不合格或未判定项目", "Items not passed"), 14.0);
        let items: Vec<Paragraph> =
            paper.not_passed.iter().map(|item| not_passed(flow, item, small())).collect();
        flow.list(&items);
    }
    risk::decision(flow, paper);
    risk::cross_check(flow, paper);
    remarks(flow, paper);
}

/// The style of lists and statements here.
pub(super) const fn small() -> Style {
    BODY.size(8.0)
}

/// Errors by pulses, point by point.
fn errors(flow: &mut Flow, paper: &Paper) {
    let tongue = flow.tongue;
    let rows: Vec<&Row> = paper.rows.iter().filter(|row| row.is_error).collect();
    if rows.is_empty() {
        return;
    }
    flow.heading(&Words::new("电能误差", "Errors of energy"), 60.0);
    let head = [
        ("序号", "No."),
        ("检定点", "Point"),
        ("U/V", "set, measured"),
        ("I/A", "set, measured"),
        ("标准电能/kWh", "reference"),
        ("被检示值/kWh", "indicated"),
        ("误差/%", "error"),
        ("修约/%", "rounded"),
        ("U/%", "k"),
        ("限值/%", "MPE"),
        ("结论", "verdict"),
    ];
    // The symbols stand in every language; below them stands what the two lines of a cell are.
    let symbols = [("U/V", "标称，实测"), ("I/A", "标称，实测")];
    let head = head.into_iter().map(|(zh, en)| {
        let symbol = symbols.iter().find(|(symbol, _)| *symbol == zh);
        let style = CELL.size(7.0).bold();
        match symbol {
            Some((symbol, in_zh)) => {
                let mut lines = vec![vec![Span::new(symbol, style)]];
                lines.extend(tongue.stacked(&Words::new(*in_zh, en), style.size(6.2).ink(Ink::Grey)));
                Cell::new(lines)
            }
            None if zh == "U/%" => {
                let k = vec![Span::new("k", style.size(6.2).ink(Ink::Grey))];
                Cell::new(vec![vec![Span::new("U/%", style)], k])
            }
            None => named(tongue, zh, &unit(zh, en)),
        }
    });
    let table = Table {
        columns: [Align::Left; 2]
            .into_iter()
            .chain([Align::Right; 8])
            .chain([Align::Left])
            .map(|align| (Width::Fit, align))
            .collect(),
        head: head.collect(),
        rows: rows.iter().map(|row| error(tongue, row)).collect(),
        summary: tongue.plain("电能误差逐点", "Errors of energy, point by point"),
        lead: LEAD,
    };
    flow.table(&table);
    let coverage = &paper.decision.coverage;
    flow.y += 2.0;
    let note = tongue.say(
        &format!("U 为扩展不确定度，包含概率约 {coverage}；k 为包含因子。误差未修约值与修约值并列。"),
        &format!("U: expanded uncertainty, coverage about {coverage}, with coverage factor k. Error as measured and rounded."),
        NOTE.ink(Ink::Grey),
    );
    flow.paragraph(&note, Align::Left);
}

/// The unit also stands beside the English name.
fn unit(zh: &str, en: &str) -> String {
    zh.split_once('/').map_or(en.to_owned(), |(_, unit)| format!("{en}/{unit}"))
}

fn error(tongue: Tongue, row: &Row) -> Vec<Cell> {
    let bold = CELL.bold();
    let mut point = tongue.stacked(&row.name, CELL);
    if !row.point.is_empty() {
        point[0].insert(0, Span::new(&format!("{}  ", row.point), bold));
    }
    let bound = if row.upper_bound.is_empty() { String::new() } else { format!("< {}", row.upper_bound) };
    let value = if row.value.is_empty() { &bound } else { &row.value };
    vec![
        Cell::text(&row.no.to_string()).beside(),
        Cell::new(point),
        Cell::texts(&[&row.nominal_voltage, &row.voltage]),
        Cell::texts(&[&row.nominal_current, &row.current]),
        Cell::text(&row.reference_energy),
        Cell::text(&row.indicated_energy),
        Cell::text(value),
        Cell::styled(&row.rounded, bold),
        Cell::texts(&[&row.uncertainty, &row.k]),
        Cell::text(&row.limit_words),
        verdict(tongue, row.verdict),
    ]
}

/// All other items.
fn items(flow: &mut Flow, paper: &Paper) {
    let tongue = flow.tongue;
    let rows: Vec<&Row> = paper.rows.iter().filter(|row| !row.is_error).collect();
    if rows.is_empty() {
        return;
    }
    flow.heading(&Words::new("其他项目", "Other items"), 60.0);
    let head = [
        ("序号", "No."),
        ("项目", "Item"),
        ("值", "value"),
        ("修约", "rounded"),
        ("U (k)", "U (k)"),
        ("限值", "limit"),
        ("单位", "unit"),
        ("结论", "verdict"),
        ("依据", "Findings"),
    ];
    let head = head.into_iter().map(|(zh, en)| match zh {
        "依据" => named(tongue, "观察结果及条款", "Observed, clause"),
        _ => named(tongue, zh, en),
    });
    let aligns = [
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
        Align::Left,
    ];
    let columns =
        aligns.map(|align| (Width::Fit, align)).into_iter().chain([(Width::Share(1.0), Align::Left)]);
    let table = Table {
        columns: columns.collect(),
        head: head.collect(),
        rows: rows.iter().map(|row| item(tongue, row)).collect(),
        summary: tongue.plain("其他项目", "Other items"),
        lead: 1.6,
    };
    flow.table(&table);
}

fn item(tongue: Tongue, row: &Row) -> Vec<Cell> {
    let bound = if row.upper_bound.is_empty() { String::new() } else { format!("< {}", row.upper_bound) };
    let value = if row.value.is_empty() { &bound } else { &row.value };
    let mut uncertainty = Cell::text(&row.uncertainty).paragraphs;
    if !row.k.is_empty() {
        uncertainty.push(vec![Span::new(&row.k, CELL.size(6.4).ink(Ink::Grey))]);
    }
    let mut name = tongue.stacked(&row.name, CELL);
    // Where a load belongs to it: creep at no current.
    if !row.nominal_voltage.is_empty() {
        let load = format!("{} V, {} A", row.nominal_voltage, row.nominal_current);
        name.push(vec![Span::new(&load, CELL.size(6.4).ink(Ink::Grey))]);
    }
    vec![
        Cell::text(&row.no.to_string()).beside(),
        Cell::new(name),
        Cell::text(value),
        Cell::styled(&row.rounded, CELL.bold()),
        Cell::new(uncertainty),
        Cell::text(&row.limit_words),
        Cell::text(&row.unit),
        verdict(tongue, row.verdict),
        Cell::new(vec![
            vec![Span::new(&row.reason, CELL)],
            vec![Span::new(&row.clause, CELL.size(6.4).ink(Ink::Grey))],
        ]),
    ]
}

/// Findings, why it is no certificate, what was changed, what it says nothing of.
fn remarks(flow: &mut Flow, paper: &Paper) {
    let tongue = flow.tongue;
    let plain = |texts: &[String]| -> Vec<Paragraph> {
        texts.iter().map(|text| vec![Span::new(text, small())]).collect()
    };
    if !paper.findings.is_empty() {
        flow.heading(&Words::new("其他观察（非判定）", "Findings (no verdict)"), 14.0);
        flow.list(&plain(&paper.findings));
    }
    if !paper.why_no_certificate.is_empty() {
        flow.heading(&Words::new("为何不是检定证书", "Why this is no verification certificate"), 14.0);
        let items: Vec<Paragraph> =
            paper.why_no_certificate.iter().map(|text| vec![Span::new(text, CELL.size(7.0))]).collect();
        flow.list(&items);
    }
    if let Some(amends) = &paper.issue.amends {
        amendment(flow, amends);
    }
    flow.heading(&Words::new("说明", "Scope and statements"), 14.0);
    let scope: Vec<Paragraph> = paper.scope.iter().map(|words| tongue.words(words, small())).collect();
    flow.list(&scope);
}

/// What was replaced, why, and what changed (ISO/IEC 17025:2017 7.8.8).
fn amendment(flow: &mut Flow, amends: &Amendment) {
    let tongue = flow.tongue;
    flow.heading(&Words::new("更改", "Amendment"), 40.0);
    let mut text = tongue.say("本文件替代", "This paper replaces", small());
    text.push(Span::new(&format!(" {}  ", amends.replaces), small().bold()));
    text.extend(tongue.say("原因：", "Reason:", small()));
    text.push(Span::new(&format!(" {}", amends.reason), small()));
    flow.paragraph(&text, Align::Left);
    flow.y += 3.0;
    let rows = amends.corrections.iter().map(|correction| {
        vec![
            Cell::new(vec![tongue.words(&risk::field(correction.field), CELL)]).beside(),
            Cell::text(&correction.from),
            Cell::text(&correction.to),
        ]
    });
    let table = Table {
        columns: vec![
            (Width::Points(120.0), Align::Left),
            (Width::Share(1.0), Align::Left),
            (Width::Share(1.0), Align::Left),
        ],
        head: [("内容", "What"), ("原为", "Before"), ("改为", "Now")]
            .map(|(zh, en)| named(tongue, zh, en))
            .into(),
        rows: rows.collect(),
        summary: tongue.plain("更改内容", "What was changed"),
        lead: LEAD,
    };
    flow.table(&table);
}
