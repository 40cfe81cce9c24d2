//! With what and under what it was measured: methods, standards, conditions.

use super::text::{
    DEGREE_CELSIUS, ONE, PERCENT, chars, identification, lines, list, name, not_entered, one, quantity, real,
    said_if, token, words,
};
use super::xml::Element;
use super::{Fault, administrative};
use crate::certificate::paper::{Budget, BudgetLine, Paper, Standard, Words};

pub(super) fn used_methods(paper: &Paper) -> Element {
    let regulation = &paper.regulation;
    Element::new("dcc:usedMethods").with([
        Element::new("dcc:usedMethod").attribute("refType", "basic_calibrationMethod").with([
            words("dcc:name", &paper.method),
            words("dcc:description", &regulation.title),
            token("dcc:norm", &regulation.document),
        ]),
        Element::new("dcc:usedMethod").attribute("refType", "basic_methodMeasurementUncertainty").with([
            name("测量不确定度的评定", "evaluation of the measurement uncertainty"),
            token("dcc:norm", "JCGM 100:2008"),
        ]),
    ])
}

pub(super) fn used_software(paper: &Paper) -> Element {
    Element::new("dcc:usedSoftware").with([administrative::software(paper)])
}

/// Our standards with their certificates, then what else took part, as it named itself.
pub(super) fn measuring_equipments(paper: &Paper) -> Element {
    let standards = paper.standards.iter().map(|standard| self::standard(standard, paper));
    let instruments = paper.instruments.iter().map(|instrument| {
        Element::new("dcc:measuringEquipment").with([words("dcc:name", &Words::same(instrument))])
    });
    Element::new("dcc:measuringEquipments").with(standards).with(instruments)
}

fn standard(standard: &Standard, paper: &Paper) -> Element {
    let said = Words::new(
        format!("{}，{} 校准，有效期至 {}", standard.laboratory, standard.calibrated_on, standard.due_on),
        format!(
            "{}, calibrated on {}, due on {}",
            standard.laboratory, standard.calibrated_on, standard.due_on
        ),
    );
    let day = paper.performed_to.date();
    let is_in_force = standard.calibrated_on <= day && day <= standard.due_on;
    // A certificate on paper has no digest: the procedure says so and the value repeats its number.
    let certificate = Element::new("dcc:certificate")
        .with([
            words("dcc:referral", &Words::new("校准证书", "calibration certificate")),
            token("dcc:referralID", &standard.certificate_no),
            Element::text("dcc:procedure", "analogue"),
            token("dcc:value", &standard.certificate_no),
            words("dcc:description", &said),
            Element::text("dcc:inValidityRange", is_in_force.to_string()),
        ])
        .with(standard.simulated.then(|| Element::text("dcc:traceable", "false")));
    let quantities = [
        said_if("phantomload_range", "测量范围", "range of its certificate", &standard.range),
        said_if(
            "phantomload_standardUncertainty",
            "不确定度",
            "uncertainty of its certificate",
            &standard.uncertainty,
        ),
    ];
    let quantities: Vec<_> =
        quantities.into_iter().flatten().map(|q| q.renamed("dcc:measuringEquipmentQuantity")).collect();
    let simulated = Words::new("模拟，不可溯源", "simulated, not traceable");
    Element::new("dcc:measuringEquipment")
        .attribute("refType", "basic_normalUsed")
        .with([words("dcc:name", &standard.kind)])
        .with(standard.simulated.then(|| words("dcc:description", &simulated)))
        .with([
            certificate,
            token("dcc:model", &standard.model),
            Element::new("dcc:identifications").with([identification(
                "manufacturer",
                &standard.serial,
                "出厂编号",
                "serial number",
            )]),
        ])
        .with(
            (!quantities.is_empty())
                .then(|| Element::new("dcc:measuringEquipmentQuantities").with(quantities)),
        )
}

pub(super) fn influence_conditions(paper: &Paper) -> Result<Element, Fault> {
    Ok(Element::new("dcc:influenceConditions").with([
        condition(
            "basic_temperature",
            "环境温度",
            "ambient temperature",
            paper.temperature_degc.as_deref(),
            DEGREE_CELSIUS,
        )?,
        condition(
            "basic_humidityRelative",
            "相对湿度",
            "relative humidity",
            paper.humidity_percent.as_deref(),
            PERCENT,
        )?,
    ]))
}

/// What was not entered is said so in words; a number in its place would be made up.
fn condition(
    ref_type: &'static str,
    zh: &str,
    en: &str,
    value: Option<&str>,
    unit: &'static str,
) -> Result<Element, Fault> {
    let data = match value {
        Some(value) => quantity(ref_type, &Words::new(zh, en)).with([real(value, unit)?]),
        None => words("dcc:text", &not_entered()),
    };
    Ok(Element::new("dcc:influenceCondition")
        .attribute("refType", ref_type)
        .with([name(zh, en), Element::new("dcc:data").with([data])]))
}

/// The budgets of all errors by pulses, one metadata a point: lists of as many entries as the budget has lines.
pub(super) fn budgets(paper: &Paper) -> Result<Vec<Element>, Fault> {
    let of = |budget: &Budget| -> Result<Element, Fault> {
        let all = &budget.lines;
        let mut components = Element::new("dcc:list").with([name("不确定度分量", "components")]);
        if !all.is_empty() {
            let column = |text: fn(&BudgetLine) -> &str| all.iter().map(text);
            let shared: Vec<String> = all.iter().map(|line| line.shared.to_string()).collect();
            components = components.with([
                lines("phantomload_component", "来源", "source", column(|l| &l.label)),
                chars("phantomload_evaluation", "评定类别", "type of evaluation", column(|l| &l.kind)),
                chars("phantomload_distribution", "分布", "distribution", column(|l| &l.shape)),
                quantity(
                    "phantomload_contribution",
                    &Words::new("标准不确定度分量", "standard uncertainty times sensitivity"),
                )
                .with([list(column(|l| &l.u), PERCENT)?]),
                chars("phantomload_degreesOfFreedom", "自由度", "degrees of freedom", column(|l| &l.dof)),
                lines("phantomload_evidence", "依据", "evidence", column(|l| &l.evidence)),
                chars(
                    "phantomload_shared",
                    "与其他点共有",
                    "shared with other points",
                    shared.iter().map(String::as_str),
                ),
            ]);
        }
        let mut sum = vec![one(
            "phantomload_combined",
            "合成标准不确定度",
            "combined standard uncertainty",
            &budget.combined,
            PERCENT,
        )?];
        sum.extend(said_if(
            "phantomload_degreesOfFreedom",
            "有效自由度",
            "effective degrees of freedom",
            &budget.dof,
        ));
        if !budget.k.is_empty() {
            sum.push(one("phantomload_coverageFactor", "包含因子 k", "coverage factor k", &budget.k, ONE)?);
        }
        if !budget.expanded.is_empty() {
            let (zh, en) = ("扩展不确定度 U", "expanded uncertainty U");
            sum.push(one("phantomload_expanded", zh, en, &budget.expanded, PERCENT)?);
        }
        let title = Words::new(
            format!("不确定度评定，第 {} 项 {}", budget.no, budget.point),
            format!("uncertainty budget, row {} {}", budget.no, budget.point),
        );
        Ok(Element::new("dcc:metaData").attribute("refType", "phantomload_uncertaintyBudget").with([
            words("dcc:name", &title),
            token("dcc:norm", "JCGM 100:2008"),
            Element::new("dcc:data").with((!all.is_empty()).then_some(components)).with(sum),
        ]))
    };
    paper.budgets.iter().map(of).collect()
}
