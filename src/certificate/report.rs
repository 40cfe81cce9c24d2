//! The paper of a run as plain text, and the table of results for the terminal.

mod common;
mod cross_check;
mod decision;
mod issued;
pub(crate) mod page;
mod table;

pub use table::table;

use super::issue::{Issue, Role, Status};
use super::number;
use super::paper::{cited, scope, unconfirmed, words};
use super::record::{Document, Outcome, Record};
use crate::calibration::Standard;
use crate::regulation::{Item, Kind};
use crate::verdict::Verdict;
use page::{Block, COLUMNS, centred, lay, right, wrap};
pub use page::{clean, left, width};

/// Stands at the head and the foot of every page of a simulated run.
const BANNER: &str = "*** SIMULATED 模拟: no real meter was tested 未检测任何真实电能表 ***";
/// The same of a pre-check.
const PRE_CHECK: &str = "*** PRE-CHECK 预检: not a certificate 不是检定证书 ***";
/// Columns of the names of fields.
const LABEL: usize = 32;

/// The paper of a run: certificate, notice or test report; of a run that was not completed a plain account.
pub fn text(record: &Record) -> String {
    lay_out(record, None)
}

/// The paper with what is said besides the record: the institution, who has signed, what it replaces, its place in the
/// chain. `record` is the one that the paper shows ([`super::package::corrected`]).
pub fn paper(record: &Record, issue: &Issue) -> String {
    lay_out(record, Some(issue))
}

fn lay_out(record: &Record, issue: Option<&Issue>) -> String {
    let mut paper = Paper::default();
    conclusion(&mut paper, record);
    meter(&mut paper, record);
    order(&mut paper, record);
    regulation(&mut paper, record);
    standards(&mut paper, record);
    environment(&mut paper, record);
    results(&mut paper, record);
    if let Some((heading, blocks)) = common::lines(record) {
        paper.heading(heading);
        for lines in blocks {
            paper.block(lines, vec![]);
        }
    }
    cross_check::cross_check(&mut paper, record);
    decision::decision(&mut paper, record);
    statements(&mut paper, record);
    if let Some(issue) = issue {
        issued::issued(&mut paper, issue, record.document().unwrap_or(Document::TestReport));
    }
    ending(&mut paper, record, issue);
    let title = title(record);
    let number = match &record.certificate_no {
        Some(number) => {
            format!("No. {} {number}", record.document().map_or("证书编号".into(), |d| words::number(d).zh))
        }
        None => format!("Record 原始记录 {}", record.record_no),
    };
    let banners = [(record.simulated, BANNER), (record.plan.pre_check, PRE_CHECK)];
    let banner: Vec<String> =
        banners.iter().filter(|(is, _)| *is).map(|(_, words)| centred(words, COLUMNS)).collect();
    let head = |page: usize, of: usize| {
        let page = format!("page {page} of {of} 第{page}页 共{of}页");
        let line = format!("{}{}", left(&clean(&number), COLUMNS - 40), right(&page, 40));
        let rest = [centred(&title, COLUMNS), line, "=".repeat(COLUMNS)];
        banner.iter().cloned().chain(rest).collect()
    };
    let foot: Vec<String> = std::iter::once("=".repeat(COLUMNS)).chain(banner.iter().cloned()).collect();
    lay(&paper.blocks, head, &foot)
}

fn title(record: &Record) -> String {
    let simulated = if record.simulated { " (SIMULATED 模拟)" } else { "" };
    let title = match (&record.outcome, record.document()) {
        (Outcome::Completed, Some(document)) => document.to_string(),
        (Outcome::Completed, None) if record.plan.pre_check => "预检记录 PRE-CHECK".to_owned(),
        (Outcome::Completed, None) => "无结论 NO VERDICT".to_owned(),
        (Outcome::Aborted { .. }, _) => "检定中止 ABORTED".to_owned(),
        (Outcome::Faulted { .. }, _) => "装置故障 BENCH FAULT".to_owned(),
    };
    title + simulated
}

/// The blocks of a paper as they come.
#[derive(Default)]
struct Paper {
    blocks: Vec<Block>,
    /// A heading waits for what it heads.
    heading: Vec<String>,
}

impl Paper {
    fn heading(&mut self, heading: &str) {
        self.heading =
            vec![String::new(), format!("-- {heading} {}", "-".repeat(COLUMNS - 4 - page::width(heading)))];
    }

    fn block(&mut self, lines: Vec<String>, again: Vec<String>) {
        let lines = std::mem::take(&mut self.heading).into_iter().chain(lines).collect();
        self.blocks.push(Block { lines, again });
    }

    fn line(&mut self, text: &str) {
        self.block(wrap(text, COLUMNS), vec![]);
    }

    fn entry(&mut self, text: &str) {
        self.block(hanging("  - ", text), vec![]);
    }

    /// A named field; what was not entered is said to be so.
    fn field(&mut self, label: &str, value: &str) {
        let value = if value.trim().is_empty() { "not entered 未录入" } else { value };
        self.block(hanging(&left(&format!("  {label}"), LABEL), value), vec![]);
    }
}

/// Text whose further lines begin below its first.
fn hanging(begin: &str, text: &str) -> Vec<String> {
    let indent = page::width(begin);
    let lines = wrap(text, COLUMNS - indent).into_iter().enumerate();
    lines
        .map(|(n, line)| if n == 0 { format!("{begin}{line}") } else { " ".repeat(indent) + &line })
        .collect()
}

fn conclusion(paper: &mut Paper, record: &Record) {
    paper.heading("结论 Verdict");
    let simulated = if record.simulated { " (SIMULATED 模拟)" } else { "" };
    match (&record.outcome, record.results.verdict) {
        (Outcome::Completed, Some(verdict)) => {
            let words = match verdict {
                Verdict::Pass => "合格 PASS",
                Verdict::Fail => "不合格 FAIL",
                Verdict::Undecided => "未判定 UNDECIDED",
            };
            paper.field(&format!("{}结论 verdict", act(record)), &format!("{words}{simulated}"));
            for item in record.results.items.iter().filter(|item| item.verdict != Verdict::Pass) {
                let at = item.point.as_ref().map_or(String::new(), |p| format!(" at {}", p.term));
                let found = item.measured.as_ref().map_or(String::new(), |m| {
                    let (value, limit) =
                        (number::rounded(m.rounded), number::limit(m.limit, m.rounded.scale()));
                    format!("{value} {unit}, limit {limit} {unit}; ", unit = m.unit)
                });
                let name = table::name(item.item);
                paper.entry(&format!("{}: {name}{at}: {found}{}", item.verdict, item.reason));
            }
        }
        (Outcome::Aborted { why }, _) => paper.field("检定中止 ABORTED", why),
        (Outcome::Faulted { why }, _) => paper.field("装置故障 BENCH FAULT", why),
        (Outcome::Completed, None) => {}
    }
    if record.plan.pre_check {
        pre_check(paper, record);
    }
    if record.results.verdict.is_none() {
        paper.block(vec!["  No verdict, no certificate. 无结论，不出具证书。".into()], vec![]);
    }
    if record.document() == Some(Document::TestReport) {
        paper.block(
            vec!["  This is a test report and no verification certificate. 本报告不是检定证书。".into()],
            vec![],
        );
    }
    paper.field("日期 date", &format!("{} to {}", record.started, record.ended()));
    paper.field("原始记录号 original record", &record.record_no);
}

/// What was seen, and what nobody has looked at.
fn pre_check(paper: &mut Paper, record: &Record) {
    let of = |verdict| record.results.items.iter().filter(move |item| item.verdict == verdict).count();
    let (beyond, undecided) = (of(Verdict::Fail), of(Verdict::Undecided));
    let seen = match (beyond, undecided) {
        (0, 0) => "未见异常 nothing found".to_owned(),
        _ => format!("有异常 findings: {beyond} beyond the limit 超差, {undecided} undecided 未判定"),
    };
    paper.field("预检所见 seen in the pre-check", &seen);
    paper.field("未检项目 left out", &record.plan.left_out().join(", "));
}

fn meter(paper: &mut Paper, record: &Record) {
    let plate = &record.plan.nameplate;
    let currents = &plate.current;
    paper.heading("被检电能表 Meter under test");
    paper.field("制造单位 maker", &plate.maker);
    paper.field("型号 type", &plate.model);
    paper.field("出厂编号 serial number", &plate.serial);
    paper.field(
        "准确度等级 accuracy class",
        &format!("{} (nameplate 铭牌: {})", record.plan.class, plate.class),
    );
    let ratings = [
        ("Ist", currents.ist),
        ("Imin", currents.imin),
        ("Itr", currents.itr),
        ("Ib", currents.ib),
        ("In", currents.i_n),
    ];
    let ratings = ratings.into_iter().filter_map(|(name, current)| Some(format!("{name} {}", current?)));
    let ratings: Vec<_> = ratings.chain([format!("Imax {}", currents.imax)]).collect();
    paper.field(
        "电压 电流 ratings",
        &format!("{}; {}; {}", plate.voltage_v, ratings.join(", "), currents.connection),
    );
    paper.field("脉冲常数 meter constant", &plate.constant_imp_per_kwh.to_string());
    paper.field("计度器分辨力 register step", &format!("{} kWh", plate.register_resolution_kwh));
    paper.field("充电桩 charger", &format!("{}, connector 枪 {}", plate.charger, plate.connector));
}

fn order(paper: &mut Paper, record: &Record) {
    let entries = &record.plan.entries;
    paper.heading("委托 Order");
    paper.field("委托方 customer", &entries.customer);
    paper.field("委托方地址 customer's address", &entries.customer_address);
    paper.field(&format!("{}地点 place", act(record)), &entries.site);
    paper.field(&format!("{}员 verifier", act(record)), &entries.operator);
}

fn regulation(paper: &mut Paper, record: &Record) {
    let profile = &record.plan.profile;
    let kind = match record.plan.kind {
        Kind::First => "首次检定 first verification",
        Kind::Subsequent => "后续检定 subsequent verification",
        Kind::InService => "使用中检查 in-service inspection",
    };
    let cited = cited(profile);
    paper.heading(&format!("{}依据 Regulation", act(record)));
    paper.field("规程 document", &format!("{} {}", cited.zh, cited.en));
    if let Some(said) = unconfirmed(&record.plan) {
        paper.field("规程数据 its figures", &format!("{} {}", said.zh, said.en));
    }
    paper.field("数据文件 profile", &format!("{}: {}", profile.id, profile.scope));
    paper.field(&format!("{}类别 kind", act(record)), kind);
    if let Some(approval) = &profile.approval {
        let words = format!("{}, {}, {}", approval.laboratory, approval.person, approval.date);
        paper.field("未确认数据负责 answers for", &words);
    }
}

fn standards(paper: &mut Paper, record: &Record) {
    let standard = |paper: &mut Paper, standard: &Standard| {
        let simulated = if standard.is_simulated() { "SIMULATED 模拟; " } else { "" };
        let words = format!(
            "{}; {simulated}certificate {} by {}; calibrated {}, due {}",
            standard.name(),
            standard.certificate_no(),
            standard.laboratory(),
            standard.calibrated_on(),
            standard.due_on()
        );
        paper.field(&standard.kind().to_string(), &words);
    };
    paper.heading("计量标准 Measurement standards (traceability)");
    standard(paper, record.plan.standards.reference());
    standard(paper, record.plan.standards.time_base());
    for instrument in &record.plan.capability.instruments {
        paper.field("仪器 instrument", instrument);
    }
}

fn environment(paper: &mut Paper, record: &Record) {
    let entries = &record.plan.entries;
    paper.heading("环境条件 Environment");
    let temperature = entries.temperature_degc.map(|t| format!("{} °C", number::plain(t.degrees_celsius())));
    paper.field("温度 temperature", &temperature.unwrap_or_default());
    let humidity = entries.humidity_percent.map(|h| format!("{} %", number::plain(h)));
    paper.field("相对湿度 humidity", &humidity.unwrap_or_default());
}

fn results(paper: &mut Paper, record: &Record) {
    let so_far = if record.outcome == Outcome::Completed { "" } else { " so far (no verdict) 至中止时" };
    paper.heading(&format!("{}结果 Results{so_far}", act(record)));
    let (head, rows) = table::lines(&record.results);
    paper.block(head.clone(), vec![]);
    for (row, item) in rows.into_iter().zip(&record.results.items) {
        let spoiled = item.attempts.len() - item.readings().count() - usize::from(item.bound().is_some());
        let readings = item.readings().count();
        let mut reason = vec![item.reason.clone()];
        // Why no more were taken; it begins with how many there are.
        reason.extend(match &item.stopped {
            Some(stopped) => Some(format!("; mean of {stopped}")),
            None => (readings > 0).then(|| format!("; mean of {readings} readings")),
        });
        reason.extend((spoiled > 0).then(|| format!("; spoiled attempts, kept in the record: {spoiled}")));
        reason.extend((!item.clause.is_empty()).then(|| format!(" [{}]", item.clause)));
        let reason = reason.concat();
        let lines = std::iter::once(row).chain(hanging("     ", &reason));
        paper.block(
            lines
                .flat_map(|line| if page::width(&line) > COLUMNS { wrap(&line, COLUMNS) } else { vec![line] })
                .collect(),
            head.clone(),
        );
    }
    let mut named: Vec<Item> = record.results.items.iter().map(|item| item.item).collect();
    named.dedup();
    let named: Vec<_> =
        named.into_iter().map(|item| format!("{} {}", table::name(item), chinese(item))).collect();
    paper.line("");
    paper.line(&format!("Items 项目: {}.", named.join("; ")));
    paper.line(
        "Error: unrounded mean; rounded: as the regulation says; U: expanded uncertainty with factor k, coverage 95 %, two digits, rounded up. A `<` is an upper bound: no pulse came.",
    );
}

/// What is done, in Chinese: a report, and what has no verdict, tells of a test.
fn act(record: &Record) -> String {
    words::act(record.document().unwrap_or(Document::TestReport)).zh
}

fn chinese(item: Item) -> &'static str {
    match item {
        Item::Identity => "身份核对",
        Item::Appearance => "外观及功能",
        Item::Withstand => "耐压试验",
        Item::Creep => "潜动",
        Item::Start => "起动",
        Item::BasicError => "基本误差",
        Item::MeterConstant => "仪表常数",
        Item::ClockIndication => "时钟示值误差",
        Item::DailyRate => "日计时误差",
        Item::TariffRegisters => "费率计度器",
        Item::Seal => "开盖记录",
        Item::DataOutput => "数据接口",
    }
}

fn statements(paper: &mut Paper, record: &Record) {
    if !record.results.findings.is_empty() {
        paper.heading("检查所见 Findings");
        for finding in &record.results.findings {
            paper.entry(finding);
        }
    }
    if let Some(closing) = &record.closing {
        paper.heading("检毕封印 Seals at the end");
        for line in closing.lines() {
            paper.entry(&line);
        }
    }
    if record.document() == Some(Document::TestReport) {
        let why = record.why_no_certificate();
        paper.heading("未出证原因 Why this is a test report and no certificate");
        if why.is_empty() {
            paper.entry("the evidence does not suffice for a verdict");
        }
        for reason in why {
            paper.entry(&reason);
        }
    }
    paper.heading("说明 Scope");
    let document = record.document().unwrap_or(Document::TestReport);
    for words in scope(record, document) {
        paper.line(&format!("{} {}", words.en, words.zh));
    }
}

/// What makes the paper valid, and its end.
fn ending(paper: &mut Paper, record: &Record, issue: Option<&Issue>) {
    let signed = |role: Role| {
        let by = issue.and_then(|issue| issue.signatures.iter().find(|signature| signature.role == role));
        by.map_or_else(|| "____________".to_owned(), |signature| clean(&signature.person))
    };
    if record.document().is_some() {
        if issue.is_none_or(|issue| issue.status != Status::Issued) {
            paper
                .line("DRAFT 草稿: valid only when signed and sealed by the institution. 未经签字盖章无效。");
        }
        let persons = [
            (
                if record.document() == Some(Document::TestReport) {
                    "检测员 tested"
                } else {
                    "检定员 verified"
                },
                Role::Verifier,
            ),
            ("核验员 checked", Role::Checker),
            ("批准人 approved", Role::Approver),
        ];
        let persons = persons.map(|(words, role)| format!("{words} {}", signed(role))).join("    ");
        paper.block(std::iter::once(String::new()).chain(hanging("  ", &persons)).collect(), vec![]);
    }
    paper.line("");
    paper.line(&format!("Made by {} {}.", record.program.name, record.program.version));
    paper.block(vec![centred("-- end 以下空白 --", COLUMNS)], vec![]);
}

#[cfg(test)]
mod tests;
