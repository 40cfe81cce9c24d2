//! The first page: who says what of which meter, who signs for it, until when it holds, how to check it.

use super::basis;
use super::flow::{Align, Flow, NOTE};
use super::sheet::{MARGIN, MEASURE, Mark, Node, Pen, Role, WIDTH, mm};
use super::table::{Cell, Table, Width};
use super::text::{Ink, Paragraph, Span, Style};
use crate::certificate::issue::{Role as Part, Status};
use crate::certificate::matrix::{Matrix, QUIET_ZONE};
use crate::certificate::paper::{Language, NotPassed, Paper, Words, words};
use crate::certificate::record::Document;
use crate::verdict::Verdict;

/// Side of the QR code with its quiet zone; 30 mm at least are asked for.
const QR: f32 = mm(38.0);
/// Height of what stands at the foot of the page: code, signatures, seal.
const BLOCK: f32 = 158.0;
/// White space in its table where the page has room for it.
pub(super) const ROOMY: f32 = 4.4;
/// Items that did not pass and are named on the cover; all are named with the results.
const NAMED: usize = 6;
const VALUE: Style = Style::new(10.0);
const LABEL: Style = Style::new(9.2);

/// The institution's name, or that it has none.
pub(super) fn institution(paper: &Paper) -> Words {
    let lab = &paper.issue.laboratory;
    match (lab.name_zh.trim().is_empty(), lab.name_en.trim().is_empty()) {
        (false, false) => Words::new(&lab.name_zh, &lab.name_en),
        (false, true) => Words::same(&lab.name_zh),
        (true, false) => Words::same(&lab.name_en),
        (true, true) => Words::new("（机构名称未录入）", "(institution not entered)"),
    }
}

/// The first page. `lead` is the white space in its table.
pub(super) fn cover(flow: &mut Flow, paper: &Paper, qr: Option<&Matrix>, lead: f32) {
    let tongue = flow.tongue;
    flow.gap(0.0);
    flow.y += 8.0;
    for (n, mut paragraph) in
        tongue.stacked(&institution(paper), Style::new(15.0).bold()).into_iter().enumerate()
    {
        if n == 1 {
            paragraph = restyled(paragraph, Style::new(10.5));
        }
        flow.paragraph(&paragraph, Align::Middle);
    }
    flow.spring();
    title(flow, paper);
    flow.spring();
    fields(flow, paper, lead);
    conclusion(flow, paper, lead);
    flow.spring();
    block(flow, paper, qr);
    flow.spring();
    contact(flow, paper);
}

/// The second language of a large line, in a style of its own.
fn restyled(paragraph: Paragraph, style: Style) -> Paragraph {
    paragraph.into_iter().map(|span| Span { style, ..span }).collect()
}

fn title(flow: &mut Flow, paper: &Paper) {
    // Chinese titles are set apart, Latin ones are not.
    let style = Style::new(30.0).bold().ink(Ink::Blue);
    let style = if flow.tongue.0 == Language::English { style.size(26.0) } else { style.tracking(0.08) };
    let lines = flow.tongue.stacked(&paper.title, style);
    let mut leaves = vec![];
    for (n, mut paragraph) in lines.into_iter().enumerate() {
        if n == 1 {
            paragraph = restyled(paragraph, Style::new(13.5).ink(Ink::Blue));
        }
        let (leaf, height) = flow.set(&[paragraph], (MARGIN, flow.y), MEASURE, Align::Middle);
        leaves.push(leaf);
        flow.y += height;
    }
    let title = paper.title.print(flow.tongue.0);
    flow.outline.push((title.clone(), 0, flow.top));
    flow.push(Node::new(Role::Heading { level: 1, title }, leaves));
    flow.y += 6.0;
    let mut number = flow.tongue.say("证书编号", "Certificate No.", LABEL.ink(Ink::Grey));
    number.push(Span::new(&format!("  {}", paper.issue.certificate_no), Style::new(12.0).bold()));
    flow.paragraph(&number, Align::Middle);
    if let Some(words) = state(paper) {
        flow.y += 4.0;
        let words = flow.tongue.words(&words, Style::new(9.0).bold().ink(Ink::Red));
        flow.paragraph(&words, Align::Middle);
    }
    if let Some(amends) = &paper.issue.amends {
        flow.y += 3.0;
        let (zh, en) = (format!("替代证书 {}", amends.replaces), format!("replaces {}", amends.replaces));
        let words = flow.tongue.say(&zh, &en, Style::new(9.0).bold());
        flow.paragraph(&words, Align::Middle);
    }
}

/// What a reader must know before all else; nothing of a paper that was issued and still holds.
fn state(paper: &Paper) -> Option<Words> {
    match paper.issue.status {
        Status::Draft => Some(Words::new("草稿，未签发，无效", "DRAFT — not issued, not valid")),
        Status::Checked => Some(Words::new("已核验，未批准，无效", "CHECKED — not approved, not valid")),
        Status::Amended => Some(Words::new("已更改，本文件不再有效", "REPLACED — no longer valid")),
        Status::Withdrawn => Some(Words::new("已撤销，本文件不再有效", "WITHDRAWN — no longer valid")),
        Status::Issued => None,
    }
}

fn fields(flow: &mut Flow, paper: &Paper, lead: f32) {
    let meter = &paper.meter;
    let charger = [meter.charger.trim(), meter.connector.trim()];
    let charger = charger.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" / ");
    let cited = basis::cited(&paper.regulation, flow.tongue.0);
    let named = |label: &str, en: &str, value: Vec<Paragraph>| {
        vec![Cell::new(vec![flow.tongue.say(label, en, LABEL)]).beside(), Cell::new(value)]
    };
    let entered = |text: &str| vec![value(flow, text)];
    let rows = vec![
        named("委托方", "Customer", entered(&paper.customer)),
        named("器具名称", "Item", vec![flow.tongue.words(&meter.name, VALUE)]),
        named("型号/规格", "Type", entered(&meter.model)),
        named("出厂编号", "Serial No.", entered(&meter.serial)),
        named("制造单位", "Manufacturer", entered(&meter.maker)),
        named("准确度等级", "Accuracy class", entered(&meter.class)),
        named("充电桩/枪", "Charger / connector", entered(&charger)),
        named("检定依据", "Regulation", flow.tongue.stacked(&cited, VALUE)),
    ];
    let columns = vec![(Width::Points(148.0), Align::Left), (Width::Share(1.0), Align::Left)];
    let summary = flow.tongue.plain("被检器具", "The item");
    flow.table(&Table { columns, head: vec![], rows, summary, lead });
}

/// What was entered; that nothing was, where it is empty.
fn value(flow: &Flow, text: &str) -> Paragraph {
    if text.trim().is_empty() {
        flow.tongue.say("未录入", "not entered", VALUE.ink(Ink::Grey))
    } else {
        vec![Span::new(text, VALUE)]
    }
}

fn conclusion(flow: &mut Flow, paper: &Paper, lead: f32) {
    let tongue = flow.tongue;
    let ink = match paper.verdict {
        Verdict::Pass => Ink::Blue,
        Verdict::Fail => Ink::Red,
        Verdict::Undecided => Ink::Black,
    };
    flow.need(48.0);
    let label = match paper.document {
        Document::TestReport => tongue.say("检测结论", "Conclusion", LABEL),
        _ => tongue.say("检定结论", "Conclusion", LABEL),
    };
    // A report's conclusion is a sentence, a certificate's one word.
    // The label stands on the line of the large word beside it.
    let drop = if paper.document == Document::TestReport { 4.0 } else { 10.4 };
    let mut said = match paper.document {
        Document::TestReport => tongue.stacked(&paper.conclusion, Style::new(13.0).bold().ink(ink)),
        _ => vec![tongue.words(&paper.conclusion, Style::new(19.0).bold().ink(ink))],
    };
    if !paper.not_passed.is_empty() {
        for item in paper.not_passed.iter().take(NAMED) {
            said.push(not_passed(flow, item, Style::new(8.0)));
        }
        if let Some(more) = paper.not_passed.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let (zh, en) =
                (format!("另有 {more} 项，见检定结果"), format!("and {more} more, see the results"));
            said.push(tongue.say(&zh, &en, Style::new(8.0)));
        }
    }
    let rows = vec![vec![Cell::new(vec![label]).beside().lower(drop), Cell::new(said)]];
    let columns = vec![(Width::Points(148.0), Align::Left), (Width::Share(1.0), Align::Left)];
    flow.table(&Table { columns, head: vec![], rows, summary: tongue.plain("结论", "Conclusion"), lead });
}

/// An item that did not pass, in one line.
pub(super) fn not_passed(flow: &Flow, item: &NotPassed, style: Style) -> Paragraph {
    let ink = if item.verdict == Verdict::Fail { Ink::Red } else { Ink::Black };
    let mut spans = vec![Span::new(&format!("{}  ", item.no), style.ink(Ink::Grey))];
    spans.extend(flow.tongue.words(&words::verdict(item.verdict), style.bold().ink(ink)));
    spans.push(Span::new("  ", style));
    spans.extend(flow.tongue.words(&item.item, style));
    let point = if item.point.is_empty() { String::new() } else { format!("  {}", item.point) };
    spans.push(Span::new(&format!("{point}: {}", item.reason), style));
    spans
}

/// Code, signatures and dates, place of the seal: side by side, never torn apart.
fn block(flow: &mut Flow, paper: &Paper, qr: Option<&Matrix>) {
    flow.need(BLOCK);
    flow.gap(0.0);
    let y = flow.y;
    let mut x = MARGIN;
    if let Some(matrix) = qr {
        code(flow, paper, matrix, x, y);
        x += QR + 22.0;
    }
    signatures(flow, paper, x, y);
    seal(flow, paper, y);
    flow.y = y + BLOCK;
}

fn code(flow: &mut Flow, paper: &Paper, matrix: &Matrix, x: f32, y: f32) {
    let module = QR / (matrix.size + 2 * QUIET_ZONE) as f32;
    let at = |n: usize| (n + QUIET_ZONE) as f32 * module;
    let bars = matrix.bars().into_iter();
    let corners: Vec<_> = bars
        .map(|(across, down, length)| {
            Mark::rectangle(x + at(across), y + at(down), length as f32 * module, module)
        })
        .collect();
    let alt = flow.tongue.plain(
        &format!("证书 {} 的二维码", paper.issue.certificate_no),
        &format!("QR code of {}", paper.issue.certificate_no),
    );
    // A mark across the page must not stand in its quiet zone.
    let ground = Mark::Area { corners: vec![Mark::rectangle(x, y, QR, QR)], ink: Ink::White };
    let leaf = flow.leaf(vec![ground, Mark::Area { corners, ink: Ink::Black }]);
    flow.push(Node::new(Role::Figure { alt }, [leaf]));
    let caption = flow.tongue.stacked(
        &Words::new(
            "扫码可离线核验：phantomload certificate verify，或打开核验网页",
            "Check offline: phantomload certificate verify, or the page that comes with it",
        ),
        Style::new(6.4),
    );
    let (leaf, _) = flow.set(&caption, (x + 4.0, y + QR), QR - 4.0, Align::Left);
    flow.push(Node::new(Role::Paragraph, [leaf]));
}

/// Approver first, as on the certificates that people know.
fn signatures(flow: &mut Flow, paper: &Paper, x: f32, top: f32) {
    const LABELS: f32 = 84.0;
    let width = WIDTH - MARGIN - mm(34.0) - x;
    let mut y = top + 4.0;
    for part in Part::ALL.into_iter().rev() {
        let label = flow.tongue.stacked(&words::role(part), LABEL);
        let (label, height) = flow.set(&label, (x, y), LABELS, Align::Left);
        let mut leaves = vec![label];
        let mut tall = height;
        let signed = paper.issue.signatures.iter().rfind(|signature| signature.role == part);
        if let Some(signature) = signed {
            let at = format!("{} · {} {}", signature.at, flow.tongue.plain("链", "entry"), signature.seq);
            let said = [
                vec![Span::new(&signature.person, VALUE.bold())],
                vec![Span::new(&at, Style::new(6.2).ink(Ink::Grey))],
            ];
            let (leaf, height) = flow.set(&said, (x + LABELS, y), width - LABELS, Align::Left);
            leaves.push(leaf);
            tall = tall.max(height);
        } else {
            flow.ornament(vec![Mark::rule(
                x + LABELS,
                y + 17.0,
                width - LABELS - 8.0,
                Pen::new(0.5, Ink::Grey),
            )]);
        }
        flow.push(Node::new(Role::Paragraph, leaves));
        y += tall.max(25.0) + 3.0;
    }
    y += 3.0;
    for (words, date) in dates(paper) {
        let mut spans = flow.tongue.words(&words, LABEL);
        spans.push(Span::new(&format!("  {date}"), VALUE.bold()));
        let (leaf, height) = flow.set(&[spans], (x, y), width, Align::Left);
        flow.push(Node::new(Role::Paragraph, [leaf]));
        y += height + 3.0;
    }
}

fn dates(paper: &Paper) -> Vec<(Words, String)> {
    let performed = match paper.document {
        Document::TestReport => Words::new("检测日期", "Date of test"),
        _ => Words::new("检定日期", "Date of verification"),
    };
    let mut dates = vec![(performed, paper.date().to_string())];
    if let Some(until) = paper.valid_until {
        dates.push((Words::new("有效期至", "Valid until"), until.to_string()));
    }
    if let Some(at) = paper.issue.issued_at {
        dates.push((Words::new("签发日期", "Date of issue"), at.date().to_string()));
    }
    dates
}

/// Where the institution's seal goes; nobody seals what is simulated.
fn seal(flow: &mut Flow, paper: &Paper, y: f32) {
    if paper.simulated {
        return;
    }
    let radius = mm(15.5);
    let centre = (WIDTH - MARGIN - radius - 2.0, y + 62.0);
    flow.ornament(vec![Mark::Circle {
        x: centre.0,
        y: centre.1,
        radius,
        pen: Pen::new(0.6, Ink::Light).dashed(3.0),
    }]);
    let words = Words::new("（专用章）", "(seal)");
    let words = flow.tongue.stacked(&words, Style::new(7.0).ink(Ink::Grey));
    let at = (centre.0 - radius, centre.1 - 9.0);
    let (leaf, _) = flow.set(&words, at, 2.0 * radius, Align::Middle);
    flow.push(Node::new(Role::Paragraph, [leaf]));
}

/// How to reach the institution, in two lines; what was not entered is left out.
fn contact(flow: &mut Flow, paper: &Paper) {
    let lab = &paper.issue.laboratory;
    let lines = [
        [
            ("授权证书号", "Authorisation No.", &lab.authorisation_no),
            ("地址", "Address", &lab.address),
            ("邮编", "Postcode", &lab.postcode),
        ],
        [("电话", "Phone", &lab.phone), ("传真", "Fax", &lab.fax), ("电子邮件", "E-mail", &lab.email)],
    ];
    let mut said = false;
    for line in lines {
        let mut spans: Paragraph = vec![];
        for (zh, en, text) in line.into_iter().filter(|(_, _, text)| !text.trim().is_empty()) {
            if !spans.is_empty() {
                spans.push(Span::new("    ", NOTE));
            }
            spans.extend(flow.tongue.say(zh, en, NOTE.ink(Ink::Grey)));
            spans.push(Span::new(&format!(" {text}"), NOTE));
        }
        if !spans.is_empty() {
            said = true;
            flow.paragraph(&spans, Align::Middle);
        }
    }
    if !said {
        let words = ("授权证书号、地址未录入", "authorisation and address not entered");
        let spans = flow.tongue.say(words.0, words.1, NOTE.ink(Ink::Grey));
        flow.paragraph(&spans, Align::Middle);
    }
}
