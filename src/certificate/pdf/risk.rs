//! How it was decided, at which risk, and what the other ways to the energy say.

use super::flow::{Align, CELL, Flow, NOTE};
use super::results::{named, small, verdict};
use super::table::{Cell, LEAD, Table, Width};
use super::text::{Ink, Span};
use super::tongue::Tongue;
use crate::certificate::issue::Field;
use crate::certificate::paper::{Paper, Risk, Row, Words};
use crate::verdict::Verdict;

/// What of a paper was corrected.
pub(super) fn field(field: Field) -> Words {
    let (zh, en) = match field {
        Field::Customer => ("委托方", "customer"),
        Field::Site => ("地点", "place"),
        Field::Maker => ("制造单位", "manufacturer"),
        Field::Model => ("型号/规格", "type"),
        Field::Serial => ("出厂编号", "serial number"),
        Field::Charger => ("充电桩", "charger"),
        Field::Connector => ("枪", "connector"),
    };
    Words::new(zh, en)
}

/// The decision rule in words, what it costs, item by item.
pub(super) fn decision(flow: &mut Flow, paper: &Paper) {
    let tongue = flow.tongue;
    let decision = &paper.decision;
    flow.heading(&Words::new("判定规则与风险", "Decision rule and risk"), 60.0);
    let entries = [
        (tongue.words(&decision.name, small().bold()), &decision.rule),
        (tongue.say("先验假设", "Assumed of meters", small().bold()), &decision.prior),
        (tongue.say("读数终止", "When readings end", small().bold()), &decision.stopping),
        (
            tongue.say(
                "全部检定点同时符合的概率",
                "Probability that all points conform at once",
                small().bold(),
            ),
            &decision.joint,
        ),
    ];
    for (mut name, text) in entries.into_iter().filter(|(_, text)| !text.is_empty()) {
        name.push(Span::new(&format!("  {text}"), small()));
        flow.paragraph(&name, Align::Left);
        flow.y += 2.0;
    }
    let rows: Vec<(&Row, &Risk)> =
        paper.rows.iter().filter_map(|row| Some((row, row.risk.as_ref()?))).collect();
    if rows.is_empty() {
        return;
    }
    flow.y += 3.0;
    let head = [
        ("序号", "No."),
        ("项目", "Item"),
        ("检定点", "Point"),
        ("结论", "Verdict"),
        ("保护带判定", "Guarded, w = U"),
        ("符合概率", "Conformity"),
        ("误判风险", "Specific risk"),
        ("误合格风险", "False accept"),
        ("误不合格风险", "False reject"),
    ];
    let columns = [
        (Width::Fit, Align::Left),
        (Width::Fit, Align::Left),
        (Width::Fit, Align::Left),
        (Width::Fit, Align::Left),
        (Width::Fit, Align::Left),
        (Width::Fit, Align::Right),
        (Width::Fit, Align::Right),
        (Width::Fit, Align::Right),
        (Width::Fit, Align::Right),
    ];
    let cells = rows.into_iter().map(|(row, risk)| {
        vec![
            Cell::text(&row.no.to_string()).beside(),
            Cell::new(vec![tongue.words(&row.name, CELL)]),
            Cell::text(&row.point),
            verdict_in_line(tongue, row.verdict),
            verdict_in_line(tongue, risk.guarded),
            Cell::text(&risk.conformity),
            Cell::text(&risk.specific),
            Cell::text(&risk.false_accept),
            Cell::text(&risk.false_reject),
        ]
    });
    let table = Table {
        columns: columns.into(),
        head: head.map(|(zh, en)| named(tongue, zh, en)).into(),
        rows: cells.collect(),
        summary: tongue.plain("判定风险", "Risks of the decisions"),
        lead: LEAD,
    };
    flow.table(&table);
    flow.y += 2.0;
    let note = tongue.say(
        "符合概率、误判风险：给定测得值（JCGM 106 第 7 章）。误合格、误不合格风险：对先验假设的全体电能表（9.5）。",
        "Conformity and specific risk: given this value (JCGM 106 clause 7). False accept and false reject: over all meters as assumed (9.5).",
        NOTE.ink(Ink::Grey),
    );
    flow.paragraph(&note, Align::Left);
}

/// Both languages on one line.
fn verdict_in_line(tongue: Tongue, of: Verdict) -> Cell {
    let cell = verdict(tongue, of);
    let mut line = vec![];
    for (n, paragraph) in cell.paragraphs.into_iter().enumerate() {
        if n > 0 {
            line.push(Span::new(" ", CELL));
        }
        line.extend(paragraph);
    }
    Cell::new(vec![line])
}

/// The ways to one energy held against one another.
pub(super) fn cross_check(flow: &mut Flow, paper: &Paper) {
    if paper.cross_check.is_empty() {
        return;
    }
    let tongue = flow.tongue;
    flow.heading(&Words::new("交叉核对", "Cross-check of the ways to the energy"), 60.0);
    let head = [
        ("途径", "Way"),
        ("电能/kWh", "Energy/kWh"),
        ("偏差/%", "Deviation/%"),
        ("U/%", "U/%"),
        ("说明", "Said"),
    ];
    let rows = paper.cross_check.iter().map(|line| {
        let numbers = line.numbers.clone().unwrap_or_default();
        let [energy, deviation, expanded] = numbers.each_ref().map(|text| Cell::text(text));
        vec![Cell::text(&line.way).beside(), energy, deviation, expanded, Cell::text(&line.words)]
    });
    let table = Table {
        columns: vec![
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Right),
            (Width::Fit, Align::Right),
            (Width::Fit, Align::Right),
            (Width::Share(1.0), Align::Left),
        ],
        head: head.map(|(zh, en)| named(tongue, zh, en)).into(),
        rows: rows.collect(),
        summary: tongue.plain("交叉核对", "Cross-check"),
        lead: LEAD,
    };
    flow.table(&table);
}
