//! The parts of a paper that gather texts of the record: meter, regulation, standards, budgets, decision, scope.

use super::{
    Budget, BudgetLine, CrossLine, Decision, Meter, Regulation, Row, Standard, Words, coverage, said, words,
};
use crate::calibration::{self, CalibratedPoint, StandardKind};
use crate::certificate::cross_check::{Agreement, Said};
use crate::certificate::issue::Field;
use crate::certificate::number;
use crate::certificate::package::SIGNED_RECORD;
use crate::certificate::record::{Document, Record};
use crate::certificate::signed_record::{Answer, SignedRecord};
use crate::plan::{Method, Plan};
use crate::regulation::{Demand, Item, Profile, Provenance, Supply};
use crate::uncertainty::{Component, Kind, Shape};
use crate::verdict::{Rule, Verdict};
use std::fmt::Write;

pub(super) fn meter(record: &Record, corrected: &dyn Fn(Field, &str) -> String) -> Meter {
    let plate = &record.plan.nameplate;
    let class = record.plan.class.to_string();
    let currents = [
        ("Ist", plate.current.ist),
        ("Imin", plate.current.imin),
        ("Itr", plate.current.itr),
        ("Ib", plate.current.ib),
        ("In", plate.current.i_n),
    ];
    let currents = currents.into_iter().filter_map(|(name, current)| Some(format!("{name} {}", current?)));
    let currents: Vec<_> = currents.chain([format!("Imax {}", plate.current.imax)]).collect();
    Meter {
        name: match plate.supply {
            Supply::Dc => Words::new("直流电能表（电动汽车充电桩内）", "DC energy meter in an EV charger"),
            Supply::Ac => Words::new("交流电能表（电动汽车充电桩内）", "AC energy meter in an EV charger"),
        },
        maker: corrected(Field::Maker, &plate.maker),
        model: corrected(Field::Model, &plate.model),
        serial: corrected(Field::Serial, &plate.serial),
        charger: corrected(Field::Charger, &plate.charger),
        connector: corrected(Field::Connector, &plate.connector),
        class: if plate.class == class { class } else { format!("{class} ({})", plate.class) },
        ratings: format!("{}; {}; {}", plate.voltage_v, currents.join(", "), plate.current.connection),
        constant: plate.constant_imp_per_kwh.to_string(),
        register_step: format!("{} kWh", plate.register_resolution_kwh),
    }
}

/// The regulation as every form of the paper cites it: number and name, in Chinese between title marks.
pub fn cited(profile: &Profile) -> Words {
    let zh = || format!("《{} {}》", profile.document, profile.title_zh);
    let en = format!("{}, {}", profile.document, profile.title_en);
    Words::new(profile.cited_zh.clone().unwrap_or_else(zh), en)
}

/// That figures of the regulation, limits among them, are unconfirmed, and who answers for them: the one sentence that
/// stands in every form of the paper. None where all that the run leans on is confirmed.
pub fn unconfirmed(plan: &Plan) -> Option<Words> {
    let figures = plan.profile.figures(plan.kind, &plan.class);
    let unconfirmed: Vec<_> = figures.iter().filter(|f| f.provenance == Provenance::Unconfirmed).collect();
    if unconfirmed.is_empty() {
        return None;
    }
    let n = unconfirmed.len();
    let limits = unconfirmed.iter().filter(|figure| figure.what.contains(": limit at ")).count();
    let (mut zh, mut en) = (
        format!(
            "所用规程数据中有 {n} 项未经规程原文确认（其中误差限 {limits} 项，凭记忆录入或由其他规程移用）"
        ),
        format!(
            "{n} figures of the regulation that were used are unconfirmed, {limits} limits of error among them: from memory or carried over, not read in its text"
        ),
    );
    if let Some(by) = &plan.profile.approval {
        let _ = write!(zh, "；由 {}（{}，{}）负责", by.laboratory, by.person, by.date);
        let _ = write!(en, "; {} ({}, {}) answers for them", by.laboratory, by.person, by.date);
    }
    Some(Words::new(zh + "。", en + "."))
}

pub(super) fn regulation(record: &Record) -> Regulation {
    let profile = &record.plan.profile;
    let approval = profile.approval.as_ref();
    Regulation {
        document: profile.document.clone(),
        title: Words::new(&profile.title_zh, &profile.title_en),
        cited: cited(profile),
        unconfirmed: unconfirmed(&record.plan),
        profile: profile.id.clone(),
        kind: words::kind(record.plan.kind),
        approval: approval.map_or(String::new(), |a| format!("{}, {}, {}", a.laboratory, a.person, a.date)),
    }
}

pub(super) fn standards(record: &Record) -> Vec<Standard> {
    let standards = &record.plan.standards;
    [standards.reference(), standards.time_base()].map(standard).into()
}

fn standard(standard: &calibration::Standard) -> Standard {
    let points = standard.points();
    Standard {
        kind: match standard.kind() {
            StandardKind::Reference => Words::new("标准电能表", "reference meter"),
            StandardKind::Source => Words::new("虚负荷源", "source"),
            StandardKind::TimeBase => Words::new("时基", "time base"),
            StandardKind::TemperatureSensor => Words::new("温度传感器", "temperature sensor"),
        },
        model: standard.model().to_owned(),
        serial: standard.serial().to_owned(),
        range: range(&points),
        uncertainty: uncertainty(&points),
        certificate_no: standard.certificate_no().to_owned(),
        laboratory: standard.laboratory().to_owned(),
        calibrated_on: standard.calibrated_on(),
        due_on: standard.due_on(),
        simulated: standard.is_simulated(),
    }
}

/// From the least to the greatest calibrated point of each quantity that the certificate has.
fn range(points: &[CalibratedPoint]) -> String {
    let span = |of: &dyn Fn(&CalibratedPoint) -> Option<f64>, unit: &str| {
        let values: Vec<f64> = points.iter().filter_map(of).collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        let low = if low < high { format!("{}–", number::plain(low)) } else { String::new() };
        Some(format!("{low}{} {unit}", number::plain(high)))
    };
    let spans = [
        span(&|p| Some(p.voltage?.volts()), "V"),
        span(&|p| Some(p.current?.amperes()), "A"),
        span(&|p| Some(p.temperature?.degrees_celsius()), "°C"),
    ];
    spans.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// U of the certificate, least to greatest where it differs.
fn uncertainty(points: &[CalibratedPoint]) -> String {
    let least = points.iter().min_by(|a, b| a.expanded.total_cmp(&b.expanded));
    let greatest = points.iter().max_by(|a, b| a.expanded.total_cmp(&b.expanded));
    let Some((least, greatest)) = least.zip(greatest) else { return String::new() };
    let (low, high) = (number::uncertainty(least.expanded), number::uncertainty(greatest.expanded));
    let low = if low == high { String::new() } else { format!("{low}–") };
    format!("U = {low}{high} {}, k = {}", greatest.unit, number::coverage_factor(greatest.k))
}

pub(super) fn method(record: &Record) -> Words {
    let (zh, en) = match record.plan.capability.method {
        Method::PowerTime => ("标准功率–时间法", "reference power and time"),
        Method::StandardMeter => ("标准电能表法", "reference meter"),
    };
    Words::new(
        format!("虚负荷法，{zh}：电压与电流由两个独立电源供给，以脉冲计数"),
        format!("phantom load, {en}: voltage and current from two separate sources, pulses counted"),
    )
}

pub(super) fn budgets(record: &Record, rows: &[Row]) -> Vec<Budget> {
    let items = record.results.items.iter().zip(rows).filter(|(item, _)| item.bound().is_none());
    let budgets = items.filter_map(|(item, row)| {
        let measured = item.measured.as_ref().filter(|measured| !measured.budget.is_empty())?;
        Some(Budget {
            no: row.no,
            point: row.point.clone(),
            unit: row.unit.clone(),
            lines: measured.budget.iter().map(budget_line).collect(),
            combined: number::significant(measured.estimate.u, 3),
            dof: dof(measured.estimate.dof),
            k: row.k.clone(),
            expanded: row.uncertainty.clone(),
        })
    });
    budgets.collect()
}

fn budget_line(component: &Component) -> BudgetLine {
    BudgetLine {
        label: said(&component.label),
        kind: match component.kind {
            Kind::A => "A".into(),
            Kind::B => "B".into(),
        },
        shape: match component.shape {
            Shape::Normal => said("normal"),
            Shape::Rectangular => said("rectangular"),
            Shape::Triangular => said("triangular"),
        },
        u: number::significant(component.u, 3),
        dof: dof(component.dof),
        evidence: said(&component.evidence),
        shared: component.shared.is_some(),
    }
}

/// Degrees of freedom, cut to a whole number as the coverage factor takes them.
fn dof(dof: Option<f64>) -> String {
    dof.filter(|dof| *dof < 1e4).map_or("∞".into(), |dof| number::fixed(dof.floor(), 0))
}

pub(super) fn decision(record: &Record) -> Decision {
    let joint = record.results.joint_conformity;
    Decision {
        name: match Rule::of(&record.plan.profile) {
            Rule::RoundedIfCapable { .. } => Words::new("修约值判定", "rounded value against the limit"),
            Rule::Simple => Words::new("简单接受", "simple acceptance"),
            Rule::Guarded { .. } => Words::new("保护带接受", "guarded acceptance"),
            Rule::NonBinary { .. } => Words::new("非二元判定", "non-binary rule"),
        },
        rule: rule(record),
        prior: prior(record),
        stopping: stopping(record),
        joint: joint.map_or(String::new(), number::probability),
        coverage: coverage(),
    }
}

/// The decision rule in words.
pub fn rule(record: &Record) -> Words {
    let zh = match record.results.rule.unwrap_or_else(|| Rule::of(&record.plan.profile)) {
        Rule::RoundedIfCapable { ratio } => format!(
            "U ≤ MPE × {ratio:.3} 时，以修约值与限值比较（简单接受）；否则仅当 |误差| ≤ MPE − U 时判合格，仅当 |误差| ≥ MPE + U 时判不合格，其余不作判定。"
        ),
        Rule::Simple => "简单接受（ILAC-G8:09/2019 4.2.1）：|误差| ≤ MPE 判合格，否则判不合格；以未修约测得值判定，不计不确定度。".into(),
        Rule::Guarded { r } => format!(
            "保护带接受（ILAC-G8:09/2019 4.2.2），保护带 w = {r} × U：|误差| ≤ MPE − w 判合格，否则判不合格；以未修约测得值判定。"
        ),
        Rule::NonBinary { r } => format!(
            "非二元判定（ILAC-G8:09/2019 4.2.3），保护带 w = {r} × U：|误差| ≤ MPE − w 合格，至 MPE 为有条件合格，至 MPE + w 为有条件不合格，超过为不合格；有条件的结果视为未判定；以未修约测得值判定。"
        ),
    };
    Words::new(zh, &record.results.decision_rule)
}

/// When readings at a point end; empty in records older than it.
pub fn stopping(record: &Record) -> Words {
    let en = &record.results.stopping_rule;
    if en.is_empty() {
        return Words::same("");
    }
    let risk = number::plain((record.plan.early_stop.risk * 1e8).round() / 1e6);
    let zh = format!(
        "每点读数不少于规程次数、不多于计划最多次数；当误差连同 U 完全在限值一侧时终止（此处随机分量取 t 分布，总风险 {risk} % 均分于各次可能的判断），或当重复性小于其余分量合成的三分之一时终止。"
    );
    Words::new(zh, en)
}

/// What is assumed of meters, by whom, and what stands behind it.
pub fn prior(record: &Record) -> Words {
    let Some(prior) = &record.plan.profile.prior else {
        return Words::new("未作假设，故不给出总体风险", "none stated, so no global risk");
    };
    let (mean, sd) = (&prior.mean_over_limit, &prior.sd_over_limit);
    let note = sd.note.as_ref().map_or(String::new(), |note| format!("; {note}"));
    let (middle, wide) = (number::plain(mean.value), number::plain(sd.value));
    let basis = match sd.provenance {
        Provenance::Read => "规程原文",
        Provenance::Secondary => "间接来源",
        Provenance::House => "本程序的约定，无电能表普查数据支持",
        Provenance::Unconfirmed => "未确认",
    };
    Words::new(
        format!(
            "假定全体电能表的误差服从正态分布，均值为限值的 {middle} 倍，标准偏差为限值的 {wide} 倍（{basis}）"
        ),
        format!(
            "errors of meters normal about {middle} x limit, standard deviation {wide} x limit{note} ({}; {})",
            sd.provenance, sd.clause
        ),
    )
}

pub(super) fn cross_check(record: &Record) -> Vec<CrossLine> {
    let Some(check) = &record.results.cross_check else { return vec![] };
    let signed = |value: f64| {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", number::error_percent(value))
    };
    let witnesses = check.witnesses.iter().map(|witness| match &witness.said {
        Said::Energy { energy_j, deviation, .. } => CrossLine {
            way: said(&witness.way.to_string()),
            numbers: Some([
                number::significant(energy_j.kilowatt_hours(), 6),
                signed(deviation.value),
                number::uncertainty(deviation.expanded),
            ]),
            words: Words::same(""),
        },
        Said::Nothing { why } => {
            CrossLine { way: said(&witness.way.to_string()), numbers: None, words: said(why) }
        }
    });
    let pairs = check.pairs.iter().map(|pair| {
        let outcome = match pair.agreement {
            Agreement::Agree => ("一致", "agree"),
            Agreement::TooCoarse => ("分辨力不足，不能判断", "too coarse to tell"),
            Agreement::Disagree => ("不一致", "DISAGREE"),
        };
        let cause = pair.cause.as_ref().map(|cause| said(cause));
        let [zh, en] = cause.map_or([String::new(), String::new()], |cause| {
            [format!("：{}", cause.zh), format!(": {}", cause.en)]
        });
        let allowed = number::plain(pair.allowed);
        let ways = pair.ways.map(|way| said(&way.to_string()));
        CrossLine {
            way: Words::new(
                format!("{} - {}", ways[0].zh, ways[1].zh),
                format!("{} - {}", ways[0].en, ways[1].en),
            ),
            numbers: Some([String::new(), signed(pair.difference), number::uncertainty(pair.expanded)]),
            words: Words::new(
                format!("{}，允许 {allowed} %{zh}", outcome.0),
                format!("{}, allowed {allowed} %{en}", outcome.1),
            ),
        }
    });
    let signature = record.results.signed_record.as_ref().map(|signed| CrossLine {
        way: Words::new("电能表签名", "the meter's signature"),
        numbers: None,
        words: signature(signed),
    });
    witnesses.chain(pairs).chain(signature).collect()
}

/// A fingerprint in groups of 16 digits: it can be compared by eye, and a line can end between them.
fn in_groups(text: &str) -> String {
    let grouped = |word: &str| {
        let digits: Vec<char> = word.chars().collect();
        digits.chunks(16).map(String::from_iter).collect::<Vec<_>>().join(" ")
    };
    text.split(' ')
        .map(|word| if word.len() == 64 { grouped(word) } else { word.to_owned() })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a signed record is the meter's, and what stands against it.
pub fn signature(signed: &SignedRecord) -> Words {
    let Some(looked) = &signed.looked else {
        let why = signed.why_none.as_deref().unwrap_or_default();
        return Words::new(format!("无签名数据：{}", said(why).zh), format!("none: {why}"));
    };
    let zh = match looked.result {
        Answer::Valid => "有效：密钥确已签署这些字节",
        Answer::NotAuthentic => "不真实：签名与数据或密钥不符",
        Answer::KeyUnknown => "密钥未知：无电能表公钥，不能判断",
        Answer::Unsupported => "签名算法不支持，不能判断",
        Answer::Malformed => "格式损坏，不能判断",
    };
    let mut words = Words::new(zh, &looked.words);
    let mut add = |zh: String, en: String| {
        words.zh.push('；');
        words.zh.push_str(&zh);
        words.en.push_str("; ");
        words.en.push_str(&en);
    };
    if let Some(key) = &looked.key {
        let key = in_groups(key);
        let zh = key.replace("SHA-256 of the point", "公钥点 SHA-256");
        add(format!("公钥 {zh}"), format!("key {key}"));
    }
    let print = in_groups(&looked.sha256);
    add(format!("文件 {SIGNED_RECORD}，SHA-256 {print}"), format!("file {SIGNED_RECORD}, SHA-256 {print}"));
    if let Some(waited) = looked.waited {
        add(format!("事务结束后 {waited} 取得"), format!("given {waited} after the end of the transaction"));
    }
    if !looked.deviations.is_empty() {
        let count = looked.deviations.len();
        add(
            format!("与 OCMF 规范有 {count} 处不符"),
            format!("{count} departures from the OCMF specification"),
        );
    }
    for against in &looked.against {
        add(said(against).zh, against.clone());
    }
    words
}

/// What was tested and what was not, what the results relate to, and what may be done with the paper.
pub fn scope(record: &Record, document: Document) -> Vec<Words> {
    let act = words::act(document).zh;
    let mut scope = vec![
        untested(record, &act),
        Words::new(
            "虚负荷法：对象仅为电能表，不含枪头、显示及付费金额。",
            "Phantom load: the meter was tested, not connector, display or payment.",
        ),
        Words::new(
            format!("结果仅对被检电能表在{act}时有效。"),
            "The results are of this meter at this time only.",
        ),
        traceability(record),
        Words::new(
            "未经本机构书面批准，不得部分复制本文件（全文复制除外）。",
            "This paper may not be copied in part without the institution's written permission; only as a whole.",
        ),
    ];
    scope.extend(unconfirmed(&record.plan));
    if document != Document::TestReport {
        scope.push(Words::new(
            "未经三人签字并盖章无效。",
            "Valid only with three signatures and the institution's seal.",
        ));
    }
    if record.simulated {
        scope.push(Words::new("模拟：未检测任何真实电能表。", "SIMULATED: no real meter was tested."));
    }
    scope
}

/// Which items of the regulation were not tested, and where deviations stand (ISO/IEC 17025:2017 7.8.2.1 n, 7.8.6.2).
fn untested(record: &Record, act: &str) -> Words {
    let plan = &record.plan;
    let tested = |item: Item| {
        record.results.items.iter().any(|result| result.item == item && result.verdict != Verdict::Undecided)
    };
    let asked = plan.profile.demand.keys().copied();
    let left: Vec<Words> = asked
        .filter(|item| plan.profile.demand(plan.kind, *item) != Demand::No && !tested(*item))
        .map(words::item)
        .collect();
    let join = |of: fn(&Words) -> &str, gap: &str| left.iter().map(of).collect::<Vec<_>>().join(gap);
    let (zh, en) = if left.is_empty() {
        (
            format!("规程数据对此类{act}所列的项目均已{act}并作出结论。"),
            "All items that the regulation's data list for this occasion were tested and decided.".to_owned(),
        )
    } else {
        (
            format!("规程数据对此类{act}所列的项目中，未{act}或未作结论的有：{}。", join(|w| &w.zh, "、")),
            format!(
                "Of the items that the regulation's data list for this occasion, these were not tested or not decided: {}.",
                join(|w| &w.en, "; ")
            ),
        )
    };
    Words::new(
        format!("{zh}与规程的偏离（如有）列于观察结果及未出证原因（ISO/IEC 17025:2017 7.8）。"),
        format!(
            "{en} Deviations from the regulation, if any, are listed with the findings and the reasons (ISO/IEC 17025:2017 7.8)."
        ),
    )
}

/// The statement of metrological traceability (ISO/IEC 17025:2017 7.8.4.1 c).
fn traceability(record: &Record) -> Words {
    if record.plan.standards.is_simulated() {
        return Words::new(
            "标准器为模拟，结果不具有计量溯源性。",
            "The standards are simulated: the results are not traceable.",
        );
    }
    Words::new(
        "结果经上列标准器及其校准证书溯源；校准证书由所列机构出具。",
        "The results are traceable through the standards above and their calibration certificates, issued by the laboratories named there.",
    )
}
