//! The inner page: on what the paper rests. Regulation, standards, instruments, place, air, method, chain, key.

use super::Attachment;
use super::flow::{Align, BODY, CELL, Flow};
use super::table::{Cell, LEAD, Table, Width};
use super::text::{Ink, Paragraph, Span};
use crate::certificate::paper::{Language, Paper, Regulation, Standard, Words};

/// The regulation's number, then its name; the number stands once.
pub(super) fn cited(regulation: &Regulation, language: Language) -> Words {
    let (document, title) = (&regulation.document, &regulation.title);
    let zh = format!("{document}《{}》", title.zh);
    match language {
        Language::Both => Words::new(zh, &title.en),
        _ => Words::new(zh, format!("{document}, {}", title.en)),
    }
}

/// Width of the names of fields.
const LABELS: f32 = 158.0;

/// The inner page.
pub(super) fn basis(flow: &mut Flow, paper: &Paper, attachments: &[Attachment]) {
    flow.chapter("依据与条件", "Basis and conditions");
    let (lab, regulation, meter) = (&paper.issue.laboratory, &paper.regulation, &paper.meter);
    let until = lab.standard_valid_until.map_or(String::new(), |date| format!(" ({date})"));
    let standard = format!("{}{until}", lab.standard_certificate_no);
    let mut rows = Fields::new(flow);
    rows.text("证书编号", "Certificate No.", &paper.issue.certificate_no);
    rows.text("原始记录号", "Original record No.", &paper.record_no);
    rows.text("授权证书号", "Authorisation No.", &lab.authorisation_no);
    rows.text("计量标准考核证书号", "Standard's certificate No.", standard.trim());
    rows.words("检定依据", "Regulation", &cited(regulation, rows.flow.tongue.0));
    rows.words("检定类别", "Occasion", &regulation.kind);
    rows.text("规程数据文件", "Regulation profile", &regulation.profile);
    if !regulation.approval.is_empty() {
        rows.text("规程数据批准", "Profile approved by", &regulation.approval);
    }
    rows.words("检定方法", "Method", &paper.method);
    rows.text("规格", "Ratings", &meter.ratings);
    rows.text("脉冲常数", "Pulse constant", &meter.constant);
    rows.text("计度器分辨力", "Register step", &meter.register_step);
    rows.done("依据", "Basis");

    flow.heading(&Words::new("地点与环境", "Place and conditions"), 60.0);
    let mut rows = Fields::new(flow);
    rows.text("地点", "Place", &paper.site);
    rows.text("时间", "Time", &format!("{} – {}", paper.performed_from, paper.performed_to));
    let unit =
        |value: &Option<String>, unit: &str| value.as_ref().map_or(String::new(), |v| format!("{v} {unit}"));
    rows.text("温度", "Air temperature", &unit(&paper.temperature_degc, "°C"));
    rows.text("相对湿度", "Relative humidity", &unit(&paper.humidity_percent, "%"));
    rows.done("地点与环境", "Place and conditions");

    standards(flow, &paper.standards);
    flow.heading(&Words::new("所用仪器", "Instruments"), 20.0);
    let instruments: Vec<Paragraph> =
        paper.instruments.iter().map(|text| vec![Span::new(text, BODY.size(8.0))]).collect();
    flow.list(&instruments);
    trust(flow, paper, attachments);
}

fn standards(flow: &mut Flow, standards: &[Standard]) {
    let tongue = flow.tongue;
    flow.heading(&Words::new("计量标准及其溯源", "Standards and their traceability"), 60.0);
    let head = [
        ("名称、型号、编号", "Name, type, serial"),
        ("测量范围", "Range"),
        ("不确定度", "Uncertainty"),
        ("证书编号、机构", "Certificate, laboratory"),
        ("校准日期", "Calibrated"),
        ("有效期至", "Valid until"),
    ];
    let rows = standards.iter().map(|standard| {
        let mut name = tongue.words(&standard.kind, CELL.bold());
        if standard.simulated {
            name.extend(tongue.say(" 模拟", " SIMULATED", CELL.bold().ink(Ink::Red)));
        }
        let mut first = vec![name];
        first.extend(Cell::texts(&[&standard.model, &standard.serial]).paragraphs);
        vec![
            Cell::new(first).beside(),
            Cell::text(&standard.range),
            Cell::text(&standard.uncertainty),
            Cell::texts(&[&standard.certificate_no, &standard.laboratory]),
            Cell::text(&standard.calibrated_on.to_string()),
            Cell::text(&standard.due_on.to_string()),
        ]
    });
    let table = Table {
        columns: vec![
            (Width::Share(1.25), Align::Left),
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Left),
            (Width::Share(1.0), Align::Left),
            (Width::Fit, Align::Left),
            (Width::Fit, Align::Left),
        ],
        head: head.map(|(zh, en)| super::results::named(tongue, zh, en)).into(),
        rows: rows.collect(),
        summary: tongue.plain("计量标准", "Standards"),
        lead: LEAD,
    };
    flow.table(&table);
}

/// How the paper can be checked: its place in the chain, its key, the files it carries.
fn trust(flow: &mut Flow, paper: &Paper, attachments: &[Attachment]) {
    flow.heading(&Words::new("链与密钥", "Chain and key"), 60.0);
    let link = &paper.issue.link;
    let mut rows = Fields::new(flow);
    rows.text("装置", "Device", &link.device);
    rows.text("链中条目", "Entry of the chain", &link.seq.to_string());
    rows.text("前一条目 SHA-256", "SHA-256 of the entry before", &link.prev);
    match &paper.issue.seal {
        Some(seal) => {
            rows.text("签名算法", "Algorithm", &seal.algorithm);
            rows.text("密钥标识", "Key", &seal.key_id);
            rows.words("密钥保护", "Protection of the key", &protection(&seal.protection));
            rows.text("装置证书", "Device certificate", &seal.subject);
            rows.text("颁发者", "Issued by", &seal.issuer);
        }
        None => rows.words(
            "密钥",
            "Key",
            &Words::new("装置无密钥，本文件未经电子签名", "the device has no key: this paper is not signed"),
        ),
    }
    rows.done("链与密钥", "Chain and key");
    if attachments.is_empty() {
        return;
    }
    flow.heading(&Words::new("附件（嵌入本文件）", "Attachments (inside this file)"), 30.0);
    let items: Vec<Paragraph> = attachments
        .iter()
        .map(|file| {
            let name = Span::new(&format!("{}  ", file.name), BODY.size(8.0).bold());
            vec![name, Span::new(file.description, BODY.size(8.0))]
        })
        .collect();
    flow.list(&items);
}

/// How a key is kept, plainly.
fn protection(kind: &str) -> Words {
    match kind {
        "file" => Words::new(
            "文件（存于装置内，仅属主可读；无硬件保护）",
            "file (on the device, readable by its owner alone; no hardware protects it)",
        ),
        other => Words::same(other),
    }
}

/// A table of named values.
struct Fields<'a> {
    flow: &'a mut Flow,
    rows: Vec<Vec<Cell>>,
}

impl<'a> Fields<'a> {
    fn new(flow: &'a mut Flow) -> Self {
        Self { flow, rows: vec![] }
    }

    fn row(&mut self, zh: &str, en: &str, value: Vec<Paragraph>) {
        let label = self.flow.tongue.say(zh, en, CELL.ink(Ink::Grey));
        self.rows.push(vec![Cell::new(vec![label]).beside(), Cell::new(value)]);
    }

    fn text(&mut self, zh: &str, en: &str, value: &str) {
        let said = if value.trim().is_empty() {
            self.flow.tongue.say("未录入", "not entered", BODY.size(8.0).ink(Ink::Grey))
        } else {
            vec![Span::new(value, BODY.size(8.0))]
        };
        self.row(zh, en, vec![said]);
    }

    fn words(&mut self, zh: &str, en: &str, value: &Words) {
        let value = self.flow.tongue.words(value, BODY.size(8.0));
        self.row(zh, en, vec![value]);
    }

    fn done(self, zh: &str, en: &str) {
        let columns = vec![(Width::Points(LABELS), Align::Left), (Width::Share(1.0), Align::Left)];
        let summary = self.flow.tongue.plain(zh, en);
        self.flow.table(&Table { columns, head: vec![], rows: self.rows, summary, lead: LEAD });
    }
}
