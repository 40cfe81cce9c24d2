//! `measurementResults`: one result of verification with its table, the other rows, the cross-check, findings and
//! budgets.

use super::conditions::{budgets, influence_conditions, measuring_equipments, used_methods, used_software};
use super::text::{KILOWATT_HOUR, PERCENT, name, no_quantity, one, quantity, words};
use super::xml::Element;
use super::{Fault, table};
use crate::certificate::paper::{CrossLine, Paper, Words};

pub(super) fn measurement_results(paper: &Paper) -> Result<Element, Fault> {
    let others = paper.rows.iter().filter(|row| !row.is_error).map(|row| table::other(row, paper));
    let results = Element::new("dcc:results")
        .with(table::error_table(paper)?)
        .with(others.collect::<Result<Vec<_>, _>>()?)
        .with(cross_check(&paper.cross_check)?);
    let remarks = Element::new("dcc:measurementMetaData").with(findings(paper)).with(budgets(paper)?);
    Ok(Element::new("dcc:measurementResults").with([Element::new("dcc:measurementResult")
        .with([
            name("检定结果", "results of verification"),
            used_methods(paper),
            used_software(paper),
            measuring_equipments(paper),
            influence_conditions(paper)?,
            results,
        ])
        .with((!remarks.is_empty()).then_some(remarks))]))
}

/// The ways to one energy against one another. Energies where a way gave one, in words where it gave none.
fn cross_check(lines: &[CrossLine]) -> Result<Option<Element>, Fault> {
    if lines.is_empty() {
        return Ok(None);
    }
    let lines = lines.iter().map(|line| -> Result<Element, Fault> {
        let mut list = Element::new("dcc:list").with([words("dcc:name", &Words::same(&line.way))]);
        if let Some([energy, deviation, expanded]) = &line.numbers {
            for (ref_type, zh, en, text, unit) in [
                ("phantomload_energy", "电能", "energy", energy, KILOWATT_HOUR),
                ("phantomload_deviation", "偏差", "deviation", deviation, PERCENT),
                ("phantomload_expanded", "扩展不确定度 U", "expanded uncertainty U", expanded, PERCENT),
            ] {
                if !text.is_empty() {
                    list = list.with([one(ref_type, zh, en, text, unit)?]);
                }
            }
        }
        if line.words.is_empty() && line.numbers.is_some() {
            return Ok(list);
        }
        let said = quantity("phantomload_outcome", &Words::new("说明", "outcome"));
        Ok(list.with([said.with([no_quantity(&Words::same(&line.words))])]))
    });
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let title = Words::new("电能各测量途径的核对", "ways to one energy against one another");
    Ok(Some(table::result("phantomload_crossCheck", &title).with([Element::new("dcc:data").with(lines)])))
}

/// Observations that are no verdict.
fn findings(paper: &Paper) -> impl Iterator<Item = Element> {
    paper.findings.iter().map(|finding| {
        Element::new("dcc:metaData")
            .attribute("refType", "phantomload_finding")
            .with([name("发现", "finding"), words("dcc:declaration", &Words::same(finding))])
    })
}
