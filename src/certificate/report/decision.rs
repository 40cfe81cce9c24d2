//! How it was decided and what that risks: the rule, what is assumed of meters, the risks beside each number.

use super::page::{left, right};
use super::table::name;
use super::{Paper, number};
use crate::certificate::paper::{Words, prior, rule, stopping};
use crate::certificate::record::{ItemResult, Outcome, Record};
use crate::verdict::Rule;

/// Columns of the table: title, width, whether it is set to the right.
const TABLE: [(&str, usize, bool); 8] = [
    ("No.", 3, true),
    ("item", 16, false),
    ("answer", 16, false),
    ("w = U", 9, false),
    ("conforms", 9, true),
    ("at risk", 9, true),
    ("false accept", 12, true),
    ("false reject", 12, true),
];

const EXPLAINED: &str = "w = U 保护带: the guarded verdict beside it (ILAC-G8:09/2019 4.2.2). conforms 符合概率: probability that the true value lies within the limit (JCGM 106 clause 7). at risk 特定风险: probability that this very answer is wrong; of a pass, that the meter does not conform; of a fail, that it does. false accept 误收, false reject 误拒: global risks 总体风险 (JCGM 106 9.5), the shares of all meters of the prior that this rule at this uncertainty would pass without their conforming, or fail although they conform.";

/// The section of the decision.
pub(super) fn decision(paper: &mut Paper, record: &Record) {
    paper.heading("判定 Decision");
    let name = match Rule::of(&record.plan.profile) {
        Rule::RoundedIfCapable { .. } => "修约值判定",
        Rule::Simple => "简单接受",
        Rule::Guarded { .. } => "保护带接受",
        Rule::NonBinary { .. } => "非二元判定",
    };
    paper.field("判定规则 decision rule", &format!("{name}. {}", both(&rule(record))));
    paper.field("先验假设 prior", &both(&prior(record)));
    // Older records do not say it.
    if !record.results.stopping_rule.is_empty() {
        paper.field("终止规则 stopping rule", &both(&stopping(record)));
    }
    // A run that was not completed says of nothing that it passed.
    if record.outcome != Outcome::Completed {
        return;
    }
    let head = vec![line(&TABLE.map(|(title, ..)| title.to_owned()))];
    let rows: Vec<String> = record
        .results
        .items
        .iter()
        .enumerate()
        .filter_map(|(n, item)| Some(line(&cells(n + 1, item)?)))
        .collect();
    if rows.is_empty() {
        return;
    }
    paper.line("");
    paper.block(head.clone(), vec![]);
    for row in rows {
        paper.block(vec![row], head.clone());
    }
    paper.line("");
    paper.line(EXPLAINED);
}

/// Chinese, then English.
fn both(words: &Words) -> String {
    format!("{} {}", words.zh, words.en)
}

/// One number with its risks; none for what has no probability, such as a plain count.
fn cells(no: usize, item: &ItemResult) -> Option<[String; 8]> {
    let measured = item.measured.as_ref()?;
    let (guarded, conformity) = (measured.guarded?, measured.conformity?);
    let zone = measured.zone.filter(|zone| zone.verdict() == item.verdict);
    let risk = |p: Option<f64>| p.map_or("-".into(), number::probability);
    Some([
        no.to_string(),
        name(item.item),
        zone.map_or(item.verdict.to_string(), |zone| zone.to_string()),
        guarded.to_string(),
        number::probability(conformity),
        risk(measured.specific_risk(item.verdict)),
        risk(measured.global.map(|global| global.consumer)),
        risk(measured.global.map(|global| global.producer)),
    ])
}

fn line(cells: &[String; 8]) -> String {
    let set = cells.iter().zip(TABLE).map(
        |(cell, (_, columns, to_right))| {
            if to_right { right(cell, columns) } else { left(cell, columns) }
        },
    );
    set.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
