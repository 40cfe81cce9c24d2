//! The annex: the uncertainty budgets; and the mark behind which nothing may be added.

use super::face::LACKING;
use super::flow::{Align, CELL, Flow, NOTE};
use super::results::named;
use super::table::{Cell, TIGHT, Table, Width};
use super::text::{Ink, Span, Style};
use crate::certificate::paper::{Budget, BudgetLine, Language, Paper, Words};

const LINE: Style = CELL.size(6.9);

/// The annex and the end.
pub(super) fn annex(flow: &mut Flow, paper: &Paper) {
    let tongue = flow.tongue;
    if !paper.budgets.is_empty() {
        flow.chapter("附录：不确定度评定", "Annex: uncertainty budgets");
        let note = tongue.say(
            "u 为标准不确定度乘以灵敏系数，以 % 表示；ν 为自由度；* 为各检定点共有的分量。",
            "u: standard uncertainty times sensitivity, in %; ν: degrees of freedom; *: shared with other points.",
            NOTE.ink(Ink::Grey),
        );
        flow.paragraph(&note, Align::Left);
        paper.budgets.iter().for_each(|one| budget(flow, one));
    }
    if flow.lacking {
        flow.gap(8.0);
        let note = tongue.say(
            &format!("{LACKING}：本文件字库没有的字符；所附记录中有原文。"),
            &format!("{LACKING}: a character that this paper's font lacks; the attached record has it."),
            NOTE,
        );
        flow.paragraph(&note, Align::Left);
    }
    flow.need(24.0);
    flow.gap(8.0);
    let end = tongue.say("—— 以下空白 ——", "End of document", Style::new(9.0).bold());
    flow.paragraph(&end, Align::Middle);
}

fn budget(flow: &mut Flow, budget: &Budget) {
    let tongue = flow.tongue;
    let words = Words::new(
        format!("序号 {}：{}", budget.no, budget.point),
        format!("No. {}: {}", budget.no, budget.point),
    );
    let title = match tongue.0 {
        Language::Both => Words::same(format!("序号 No. {}:  {}", budget.no, budget.point)),
        _ => words,
    };
    // A small budget is not torn apart.
    let tall = 30.0 + 14.0 * (budget.lines.len() + 1) as f32;
    flow.heading(&title, tall.min(260.0));
    let head = [
        ("分量", "Component"),
        ("类", "Type"),
        ("分布", "Distribution"),
        ("u/%", "u/%"),
        ("ν", "ν"),
        ("依据", "Evidence"),
    ];
    let mut rows: Vec<Vec<Cell>> = budget.lines.iter().map(line).collect();
    let bold = LINE.bold();
    let combined = tongue.say("合成", "combined", bold);
    let stated = format!("U = {} %, k = {}", budget.expanded, budget.k);
    rows.push(vec![
        Cell::new(vec![combined]).beside(),
        Cell::new(vec![vec![Span::new(" ", LINE)]]),
        Cell::new(vec![vec![Span::new(" ", LINE)]]),
        Cell::styled(&budget.combined, bold),
        Cell::styled(&budget.dof, bold),
        Cell::styled(&stated, bold),
    ]);
    let table = Table {
        columns: vec![
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Right),
            (Width::Fit, Align::Right),
            (Width::Share(1.0), Align::Left),
        ],
        head: head.map(|(zh, en)| named(tongue, zh, en)).into(),
        rows,
        summary: title.print(tongue.0),
        lead: TIGHT,
    };
    flow.table(&table);
}

fn line(line: &BudgetLine) -> Vec<Cell> {
    let shared = if line.shared { "*" } else { "" };
    vec![
        Cell::styled(&format!("{}{shared}", line.label), LINE).beside(),
        Cell::styled(&line.kind, LINE),
        Cell::styled(&line.shape, LINE),
        Cell::styled(&line.u, LINE),
        Cell::styled(&line.dof, LINE),
        Cell::styled(&line.evidence, LINE),
    ]
}
