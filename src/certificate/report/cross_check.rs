//! The cross-check as a small table: each way against the reference, then every two against one another.

use super::page::{left, right};
use super::{Paper, hanging};
use crate::certificate::cross_check::{Agreement, CrossCheck, Said, Way};
use crate::certificate::number;
use crate::certificate::record::Record;

/// Columns of the table: name of the way, energy, deviation, uncertainty.
const WIDTHS: [usize; 4] = [32, 14, 14, 12];

pub(super) fn cross_check(paper: &mut Paper, record: &Record) {
    let Some(check) = &record.results.cross_check else { return };
    let CrossCheck { point, from, to, .. } = check;
    paper.heading("交叉核对 Cross-check of the ways to one energy");
    paper.line(&format!(
        "From {} to {}; power and limit of {} = {}.",
        record.stamp(*from),
        record.stamp(*to),
        point.term,
        point.current_a
    ));
    let row = |cells: [&str; 4]| {
        let numbers = cells[1..].iter().zip(&WIDTHS[1..]).map(|(cell, width)| right(cell, *width));
        left(&format!("  {}", cells[0]), WIDTHS[0]) + &numbers.collect::<String>()
    };
    paper.block(vec![row(["way 途径", "energy/kWh", "deviation/%", "U/%"])], vec![]);
    for witness in &check.witnesses {
        let name = name(witness.way);
        match &witness.said {
            Said::Energy { energy_j, deviation, .. } => {
                let sign = if deviation.value > 0.0 { "+" } else { "" };
                let energy = number::significant(energy_j.kilowatt_hours(), 6);
                let apart = format!("{sign}{}", number::error_percent(deviation.value));
                let u = number::uncertainty(deviation.expanded);
                paper.block(vec![row([&name, &energy, &apart, &u])], vec![]);
            }
            Said::Nothing { why } => {
                paper.block(hanging(&left(&format!("  {name}"), WIDTHS[0] + 2), why), vec![]);
            }
        }
    }
    for pair in &check.pairs {
        let [a, b] = pair.ways;
        let outcome = match pair.agreement {
            Agreement::Agree => "agree 一致",
            Agreement::TooCoarse => "too coarse to tell 分辨力不足",
            Agreement::Disagree => "DISAGREE 不一致",
        };
        let sign = if pair.difference > 0.0 { "+" } else { "" };
        let difference = number::error_percent(pair.difference);
        let (u, allowed) = (number::uncertainty(pair.expanded), number::plain(pair.allowed));
        let cause = pair.cause.as_ref().map_or(String::new(), |cause| format!(": {cause}"));
        paper.entry(&format!(
            "{a} - {b}: {sign}{difference} %, U {u} %, allowed {allowed} %: {outcome}{cause}"
        ));
    }
    signature(paper, record);
}

fn signature(paper: &mut Paper, record: &Record) {
    let Some(signed) = &record.results.signed_record else { return };
    let words = crate::certificate::paper::signature(signed);
    paper.entry(&format!("{} {}: {}", "电能表签名", "the meter's signature", words.en));
    paper.entry(&words.zh);
}

fn name(way: Way) -> String {
    let chinese = match way {
        Way::Reference => "标准",
        Way::Pulses => "脉冲",
        Way::Register => "计度器",
        Way::Power => "功率",
        Way::SignedRecord => "签名数据",
    };
    format!("{way} {chinese}")
}
