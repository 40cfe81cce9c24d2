//! Statements of the whole paper: what it is, how it was decided, what it says and what it does not say.

use super::text::{entered, is_blank, name, no_quantity, quantity, said, said_if, token, token_if, words};
use super::xml::Element;
use crate::certificate::issue::{Amendment, Field, Laboratory, Seal};
use crate::certificate::paper::words as trade;
use crate::certificate::paper::{Paper, Words};
use crate::verdict::Verdict;

pub(super) fn statements(paper: &Paper) -> Element {
    let issue = &paper.issue;
    let scope = paper.scope.iter().map(|scope| declared("phantomload_scope", "范围", "scope", scope));
    let no_certificate = paper.why_no_certificate.iter().map(|why| {
        let why = Words::same(why);
        declared("phantomload_noCertificate", "非检定证书的原因", "why it is no certificate", &why)
    });
    Element::new("dcc:statements")
        .with([document(paper)])
        .with(paper.simulated.then(|| simulated(paper)))
        .with([regulation(paper), decision_rule(paper), conformity(paper)])
        .with(recalibration(paper))
        .with(scope)
        .with(no_certificate)
        .with([place(paper)])
        .with(measurement_standard(&issue.laboratory))
        .with(issue.amends.as_ref().map(amendment))
        .with([key(issue.seal.as_ref())])
}

/// The head of a statement.
fn statement(ref_type: &'static str, zh: &str, en: &str) -> Element {
    Element::new("dcc:statement").attribute("refType", ref_type).with([name(zh, en)])
}

/// A statement that is words alone.
fn declared(ref_type: &'static str, zh: &str, en: &str, said: &Words) -> Element {
    statement(ref_type, zh, en).with([words("dcc:declaration", said)])
}

/// The data of a statement, where there are any.
pub(super) fn data(quantities: impl IntoIterator<Item = Element>) -> Option<Element> {
    let data = Element::new("dcc:data").with(quantities);
    (!data.is_empty()).then_some(data)
}

/// What a verdict is in the words of the schema. What is undecided was not shown to conform: `noPass`; the declaration
/// beside it says that it was not decided.
pub(super) fn conformity_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Undecided => "noPass",
    }
}

fn document(paper: &Paper) -> Element {
    let status = trade::status(paper.issue.status);
    let said = Words::new(
        format!("{}；状态：{}", paper.title.zh, status.zh),
        format!("{}; status: {}", paper.title.en, status.en),
    );
    declared("phantomload_document", "文件种类", "kind of document", &said)
}

/// Said by name besides the title and the scope, so that no reader can miss it.
fn simulated(paper: &Paper) -> Element {
    statement("phantomload_simulated", "模拟", "SIMULATED")
        .with([Element::text("dcc:traceable", "false"), words("dcc:declaration", &paper.title)])
}

fn regulation(paper: &Paper) -> Element {
    let regulation = &paper.regulation;
    let said = Words::new(
        format!("{}，{}", regulation.title.zh, regulation.kind.zh),
        format!("{}, {}", regulation.title.en, regulation.kind.en),
    );
    let approval = said_if(
        "phantomload_approval",
        "对未确认数据负责者",
        "who answers for unconfirmed figures",
        &regulation.approval,
    );
    statement("phantomload_regulation", "检定依据", "regulation")
        .with([
            token("dcc:norm", &regulation.document),
            token("dcc:reference", &regulation.profile),
            words("dcc:declaration", &said),
        ])
        .with(data(approval))
}

fn decision_rule(paper: &Paper) -> Element {
    let decision = &paper.decision;
    let said = Words::new(
        format!("{}：{}", decision.name.zh, decision.rule),
        format!("{}: {}", decision.name.en, decision.rule),
    );
    let risks = [
        said_if("phantomload_coverage", "包含概率", "coverage probability", &decision.coverage),
        said_if("phantomload_prior", "对电能表总体的假定", "what is assumed of meters", &decision.prior),
        said_if("phantomload_stopping", "读数的终止规则", "when readings end", &decision.stopping),
        said_if(
            "phantomload_jointConformity",
            "各点同时合格的概率",
            "probability of conformity at all points at once",
            &decision.joint,
        ),
    ];
    statement("basic_decisionRule", "判定规则", "decision rule")
        .with([
            token("dcc:norm", &paper.regulation.document),
            token("dcc:norm", "JCGM 106:2012"),
            words("dcc:declaration", &said),
        ])
        .with(data(risks.into_iter().flatten()))
}

fn conformity(paper: &Paper) -> Element {
    let not_passed = paper.not_passed.iter().map(|item| {
        let verdict = trade::verdict(item.verdict);
        let name = Words::new(
            format!("{}. {} {}：{}", item.no, item.item.zh, item.point, verdict.zh),
            format!("{}. {} {}: {}", item.no, item.item.en, item.point, verdict.en),
        );
        quantity("phantomload_notPassed", &name).with([no_quantity(&Words::same(&item.reason))])
    });
    statement("basic_conformity", "检定结论", "conclusion")
        .with([
            token("dcc:norm", &paper.regulation.document),
            words("dcc:declaration", &paper.conclusion),
            Element::text("dcc:conformity", conformity_word(paper.verdict)),
        ])
        .with(data(not_passed))
}

/// Until when it holds: certificates alone.
fn recalibration(paper: &Paper) -> Option<Element> {
    let until = paper.valid_until?;
    Some(
        statement("basic_recalibration", "有效期至", "valid until")
            .with([Element::text("dcc:date", until.to_string())]),
    )
}

fn place(paper: &Paper) -> Element {
    declared("phantomload_place", "检定地点", "place of verification", &entered(&paper.site))
}

/// The certificate of the laboratory's measurement standard, where it was entered.
fn measurement_standard(laboratory: &Laboratory) -> Option<Element> {
    if is_blank(&laboratory.standard_certificate_no) {
        return None;
    }
    let until = laboratory.standard_valid_until.map(|until| Element::text("dcc:date", until.to_string()));
    Some(
        statement(
            "phantomload_measurementStandard",
            "计量标准考核证书",
            "certificate of the measurement standard, valid until",
        )
        .with(token_if("dcc:reference", &laboratory.standard_certificate_no))
        .with(until),
    )
}

fn amendment(amends: &Amendment) -> Element {
    let corrections = amends.corrections.iter().map(|correction| {
        let (zh, en) = field(correction.field);
        let change = Words::new(
            format!("原为“{}”，现为“{}”", correction.from, correction.to),
            format!("from “{}” to “{}”", correction.from, correction.to),
        );
        said("phantomload_correction", zh, en, &change)
    });
    statement("phantomload_amendment", "更改", "amendment")
        .with([
            token("dcc:reference", &amends.replaces),
            words(
                "dcc:declaration",
                &Words::new(
                    format!("代替 {}。原因：{}", amends.replaces, amends.reason),
                    format!("replaces {}; reason: {}", amends.replaces, amends.reason),
                ),
            ),
        ])
        .with(data(corrections))
}

fn field(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Customer => ("委托方", "customer"),
        Field::Site => ("检定地点", "place of verification"),
        Field::Maker => ("制造单位", "manufacturer"),
        Field::Model => ("型号", "type"),
        Field::Serial => ("出厂编号", "serial number"),
        Field::Charger => ("充电桩", "charger"),
        Field::Connector => ("充电接口", "connector"),
    }
}

/// Who seals, and how that key is kept: a key in a file can be copied by whoever has the device.
fn key(seal: Option<&Seal>) -> Element {
    let Some(seal) = seal else {
        let nobody =
            Words::new("本设备无密钥，文件未加封。", "The device has no key; this document is not sealed.");
        return declared("phantomload_seal", "设备电子封印", "seal of the device", &nobody);
    };
    let said = Words::new(
        format!("{} 封印，密钥保护方式：{}", seal.algorithm, seal.protection),
        format!("sealed with {}, key protection: {}", seal.algorithm, seal.protection),
    );
    let whose = [
        said_if("phantomload_keyId", "密钥标识", "key identifier", &seal.key_id),
        said_if("phantomload_keySubject", "设备证书主体", "subject of the device certificate", &seal.subject),
        said_if("phantomload_keyIssuer", "设备证书签发者", "issuer of the device certificate", &seal.issuer),
    ];
    declared("phantomload_seal", "设备电子封印", "seal of the device", &said)
        .with(data(whose.into_iter().flatten()))
}
