//! The rows of results: the errors by pulses as one table of lists, every other row as a list of its own quantities.

use super::Fault;
use super::statements::{conformity_word, data};
use super::text::{
    AMPERE, KILOWATT_HOUR, ONE, PERCENT, VOLT, list, name, no_quantity, numbers, one, quantity, real,
    said_if, token, token_if, unit, words,
};
use super::xml::Element;
use crate::certificate::number;
use crate::certificate::paper::words::verdict;
use crate::certificate::paper::{Budget, Paper, Row, Words};
use crate::uncertainty::COVERAGE;

/// A column of numbers: its refType, its name in both languages, its unit, what a row says in it.
type Column = (&'static str, [&'static str; 2], &'static str, fn(&Row) -> &str);

/// The columns that every row of the table has and any other row may have.
const COLUMNS: [Column; 8] = [
    ("phantomload_nominalVoltage", ["标称电压", "nominal voltage"], VOLT, |r| &r.nominal_voltage),
    ("phantomload_nominalCurrent", ["标称电流", "nominal current"], AMPERE, |r| &r.nominal_current),
    ("phantomload_voltage", ["实测电压", "measured voltage"], VOLT, |r| &r.voltage),
    ("phantomload_current", ["实测电流", "measured current"], AMPERE, |r| &r.current),
    ("basic_referenceValue", ["标准电能", "energy of the reference"], KILOWATT_HOUR, |r| {
        &r.reference_energy
    }),
    ("basic_measuredValue", ["被检表电能", "energy that the meter indicated"], KILOWATT_HOUR, |r| {
        &r.indicated_energy
    }),
    ("phantomload_pulses", ["脉冲数", "pulses"], ONE, |r| &r.pulses),
    ("phantomload_repeats", ["读数次数", "readings"], ONE, |r| &r.repeats),
];

/// The error table: one quantity a column, one entry of each list a point. None where no point gave an error.
pub(super) fn error_table(paper: &Paper) -> Result<Option<Element>, Fault> {
    let rows: Vec<&Row> = paper.rows.iter().filter(|row| row.is_error).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let each = |text: fn(&Row) -> &str| rows.iter().map(move |row| text(row));
    let named = |ref_type, zh: &str, en: &str| quantity(ref_type, &Words::new(zh, en));
    let no: Vec<String> = rows.iter().map(|row| row.no.to_string()).collect();
    let mut table = Element::new("dcc:list")
        .attribute("refType", "gp_table1")
        .with([name("误差表", "table of errors")])
        .with([named("phantomload_row", "项号", "row").with([list(no.iter().map(String::as_str), ONE)?])]);
    for (ref_type, [zh, en], unit, text) in COLUMNS {
        let mut values = list(each(text), unit)?;
        if ref_type == "basic_referenceValue" && rows.iter().all(|row| !row.started_at.is_empty()) {
            let begun = each(|r| &r.started_at).collect::<Vec<_>>().join(" ");
            values = values.with([Element::text("si:dateTimeXMLList", begun)]);
        }
        table = table.with([named(ref_type, zh, en).with([values])]);
    }
    let error = list(each(|r| &r.value), PERCENT)?.with([uncertainties(&rows, &paper.budgets)?]);
    table = table.with([
        named("basic_measurementError", "误差", "error")
            .with([error, Element::new("dcc:measurementMetaData").with([verdicts(&rows, paper)?])]),
        named("phantomload_roundedError", "修约后误差", "rounded error")
            .with([list(each(|r| &r.rounded), PERCENT)?]),
    ]);
    let details = rows.iter().map(|row| details(row, paper));
    Ok(Some(result("phantomload_errorTable", &Words::new("基本误差与起动误差", "errors by pulses")).with([
        Element::new("dcc:data").with([table.with([Element::new("dcc:measurementMetaData").with(details)])]),
    ])))
}

/// U, k, p and distribution of each error. A row without U has `NaN` for it.
fn uncertainties(rows: &[&Row], budgets: &[Budget]) -> Result<Element, Fault> {
    let p = number::plain(COVERAGE);
    let distribution = |row: &&Row| {
        let budget = budgets.iter().find(|budget| budget.no == row.no);
        // The factor is Student's where the degrees of freedom are finite.
        if budget.is_some_and(|budget| budget.dof != "∞") { "t" } else { "normal" }
    };
    let distributions = rows.iter().map(distribution).collect::<Vec<_>>().join(" ");
    Ok(Element::new("si:measurementUncertaintyUnivariateXMLList").with([Element::new(
        "si:expandedMUXMLList",
    )
    .with([
        Element::text("si:valueExpandedMUXMLList", numbers(rows.iter().map(|r| r.uncertainty.as_str()))?),
        Element::text("si:coverageFactorXMLList", numbers(rows.iter().map(|r| r.k.as_str()))?),
        Element::text("si:coverageProbabilityXMLList", numbers(rows.iter().map(|_| p.as_str()))?),
        Element::text("si:distributionXMLList", distributions),
    ])]))
}

/// The verdicts on all rows of the table with the limits that they were held against.
fn verdicts(rows: &[&Row], paper: &Paper) -> Result<Element, Fault> {
    let limits: Vec<_> = rows.iter().map(|row| limits(row)).collect();
    let lower = numbers(limits.iter().map(|(lower, _)| lower.as_deref().unwrap_or("")))?;
    let upper = numbers(limits.iter().map(|(_, upper)| upper.as_deref().unwrap_or("")))?;
    let bound = |ref_type, zh: &str, en: &str, values: String| {
        quantity(ref_type, &Words::new(zh, en)).with([Element::new("si:realListXMLList")
            .with([Element::text("si:valueXMLList", values), Element::text("si:unitXMLList", PERCENT)])])
    };
    let words_of_all = rows.iter().map(|row| conformity_word(row.verdict)).collect::<Vec<_>>().join(" ");
    Ok(Element::new("dcc:metaData").attribute("refType", "basic_conformity").with([
        name("各点的判定", "verdict on each point"),
        token("dcc:norm", &paper.regulation.document),
        words("dcc:declaration", &paper.decision.name),
        Element::text("dcc:conformityXMLList", words_of_all),
        Element::new("dcc:data").with([
            bound("basic_toleranceLimitLower", LOWER[0], LOWER[1], lower),
            bound("basic_toleranceLimitUpper", UPPER[0], UPPER[1], upper),
        ]),
    ]))
}

const LOWER: [&str; 2] = ["误差下限", "lower limit"];
const UPPER: [&str; 2] = ["误差上限", "upper limit"];

/// What is said of one row in words: reason, clause, limit, risk.
fn details(row: &Row, paper: &Paper) -> Element {
    let (zh, en) = (named(&row.name.zh, &row.point), named(&row.name.en, &row.point));
    let title = Words::new(format!("{}. {zh}", row.no), format!("{}. {en}", row.no));
    judged("phantomload_details", &title, row, paper).with(data(risk(row)))
}

/// Head of the metadata that judges a row, up to the declaration.
fn judged(ref_type: &'static str, title: &Words, row: &Row, paper: &Paper) -> Element {
    let verdict = verdict(row.verdict);
    let said = if row.reason.is_empty() {
        verdict
    } else {
        Words::new(format!("{}：{}", verdict.zh, row.reason), format!("{}: {}", verdict.en, row.reason))
    };
    Element::new("dcc:metaData")
        .attribute("refType", ref_type)
        .with([words("dcc:name", title), token("dcc:norm", &paper.regulation.document)])
        .with(token_if("dcc:reference", &row.clause))
        .with([words("dcc:declaration", &said)])
}

/// The limit as it is printed, the guarded verdict, probability of conformity and risks.
fn risk(row: &Row) -> Vec<Element> {
    let mut said: Vec<Element> =
        said_if("phantomload_limit", "误差限", "limit", &row.limit_words).into_iter().collect();
    let Some(risk) = &row.risk else { return said };
    let guarded =
        quantity("phantomload_guarded", &Words::new("以 U 为保护带的判定", "verdict with a guard band of U"));
    said.push(guarded.with([no_quantity(&verdict(risk.guarded))]));
    let texts = [
        ("phantomload_conformityProbability", ["合格概率", "probability of conformity"], &risk.conformity),
        (
            "phantomload_specificRisk",
            ["本判定的错误概率", "probability that this verdict is wrong"],
            &risk.specific,
        ),
        ("phantomload_falseAccept", ["误收风险（总体）", "global risk of false accept"], &risk.false_accept),
        ("phantomload_falseReject", ["误拒风险（总体）", "global risk of false reject"], &risk.false_reject),
    ];
    said.extend(texts.into_iter().filter_map(|(ref_type, [zh, en], text)| said_if(ref_type, zh, en, text)));
    said
}

/// Lower and upper limit of a row, as its limit is meant: `±` both ways, `≤` upwards only, `=` no way.
fn limits(row: &Row) -> (Option<String>, Option<String>) {
    if row.limit.is_empty() {
        return (None, None);
    }
    let limit = row.limit.clone();
    match row.limit_words.chars().next() {
        Some('≤') => (None, Some(limit)),
        Some('=') => (Some(limit.clone()), Some(limit)),
        _ => (Some(format!("-{limit}")), Some(limit)),
    }
}

/// A row that is no point of the table: an event, a count, a time, or an error of which only a bound is known.
pub(super) fn other(row: &Row, paper: &Paper) -> Result<Element, Fault> {
    let title = Words::new(named(&row.name.zh, &row.point), named(&row.name.en, &row.point));
    let mut all = Element::new("dcc:list").with([words("dcc:name", &title)]);
    if !row.started_at.is_empty() {
        all = all.with([Element::text("dcc:dateTime", &row.started_at)]);
    }
    all = all.with([one("phantomload_row", "项号", "row", &row.no.to_string(), ONE)?]);
    for (ref_type, [zh, en], unit, text) in COLUMNS {
        if !text(row).is_empty() {
            all = all.with([one(ref_type, zh, en, text(row), unit)?]);
        }
    }
    all = all.with(value(row)?);
    let (lower, upper) = limits(row);
    let unit = unit(&row.unit)?;
    let mut limits = vec![];
    for (ref_type, [zh, en], limit) in
        [("basic_toleranceLimitLower", LOWER, lower), ("basic_toleranceLimitUpper", UPPER, upper)]
    {
        limits.extend(limit.map(|limit| one(ref_type, zh, en, &limit, unit)).transpose()?);
    }
    let verdict = judged("basic_conformity", &Words::new("判定", "verdict"), row, paper)
        .with([Element::text("dcc:conformity", conformity_word(row.verdict))])
        .with(data(limits.into_iter().chain(risk(row))));
    let all = all.with([Element::new("dcc:measurementMetaData").with([verdict])]);
    Ok(result("phantomload_item", &title).with([Element::new("dcc:data").with([all])]))
}

/// What was found: a number with its uncertainty, a bound, or the verdict alone.
fn value(row: &Row) -> Result<Vec<Element>, Fault> {
    let unit = unit(&row.unit)?;
    let result = |zh, en| quantity("phantomload_value", &Words::new(zh, en));
    if !row.upper_bound.is_empty() {
        let said = Words::new(
            format!("无脉冲；误差低于 {} %", row.upper_bound),
            format!("no pulse; the error lies below {} %", row.upper_bound),
        );
        return Ok(vec![
            result("结果", "result").with([no_quantity(&said)]),
            one(
                "phantomload_upperBound",
                "误差的上界",
                "upper bound of the error",
                &row.upper_bound,
                PERCENT,
            )?,
        ]);
    }
    if row.value.is_empty() {
        return Ok(vec![result("结果", "result").with([no_quantity(&verdict(row.verdict))])]);
    }
    let mut value = real(&row.value, unit)?;
    if !row.uncertainty.is_empty() && !row.k.is_empty() {
        value = value.with([Element::new("si:measurementUncertaintyUnivariate").with([Element::new(
            "si:expandedMU",
        )
        .with([
            Element::text("si:valueExpandedMU", numbers(std::iter::once(row.uncertainty.as_str()))?),
            Element::text("si:coverageFactor", numbers(std::iter::once(row.k.as_str()))?),
            Element::text("si:coverageProbability", number::plain(COVERAGE)),
        ])])]);
    }
    let rounded = if row.rounded.is_empty() {
        None
    } else {
        Some(one("phantomload_roundedValue", "修约后的结果", "rounded result", &row.rounded, unit)?)
    };
    Ok(std::iter::once(result("结果", "result").with([value])).chain(rounded).collect())
}

/// The head of a result.
pub(super) fn result(ref_type: &'static str, title: &Words) -> Element {
    Element::new("dcc:result").attribute("refType", ref_type).with([words("dcc:name", title)])
}

/// An item with its load point, where it has one.
fn named(item: &str, point: &str) -> String {
    if point.is_empty() { item.to_owned() } else { format!("{item} {point}") }
}
