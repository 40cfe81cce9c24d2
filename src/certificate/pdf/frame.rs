//! What stands on every page: number and title above, how far the paper has come below, large words across it.

use super::flow::{Align, Flow};
use super::sheet::{HEIGHT, MARGIN, MEASURE, Mark, Pen, Piece, Place, WIDTH};
use super::text::{Ink, Paragraph, Run, Span, Style, lines, natural_width};
use super::tongue::Tongue;
use crate::certificate::issue::Status;
use crate::certificate::paper::{Language, Paper, words};
use krilla::tagging::ArtifactType;

/// Upper edge of the first line of the head.
const HEAD: f32 = 30.0;
/// Rule of the foot.
const FOOT: f32 = HEIGHT - 40.0;
const STYLE: Style = Style::new(7.4);

/// What of the frame is the same on every page.
pub(super) struct Frame {
    title: Paragraph,
    number: Paragraph,
    left: Paragraph,
    right: Paragraph,
    across: Option<&'static str>,
    tongue: Tongue,
    /// Where the text of a page begins.
    pub top: f32,
    /// Where it ends.
    pub bottom: f32,
}

impl Frame {
    pub(super) fn new(paper: &Paper, language: Language) -> Self {
        let tongue = Tongue(language);
        let title = tongue.words(&paper.title, STYLE.bold());
        let mut number = tongue.say("证书编号", "Certificate No.", STYLE.ink(Ink::Grey));
        number.push(Span::new(&format!(" {}", paper.issue.certificate_no), STYLE.bold()));
        let head = height(&title, MEASURE * 0.66) + height(&number, MEASURE);
        let top = HEAD + head + 3.0 + 9.0;
        let right = vec![Span::new(&paper.program, STYLE.size(6.6).ink(Ink::Grey))];
        let across = match paper.issue.status {
            _ if paper.simulated => Some("模拟 SIMULATED"),
            Status::Withdrawn => Some("已撤销 WITHDRAWN"),
            Status::Amended => Some("已更改 REPLACED"),
            _ => None,
        };
        let left = foot(paper, tongue);
        Self { title, number, left, right, across, tongue, top, bottom: FOOT - 6.0 }
    }

    /// Puts it onto every page, now that their number is known.
    pub(super) fn onto(&self, flow: &mut Flow) {
        let of = flow.sheets.len();
        for (n, sheet) in flow.sheets.iter_mut().enumerate() {
            let piece = |kind, marks| Piece { place: Place::Ornament(kind), marks };
            let mut pieces = vec![];
            pieces.extend(self.across.map(|words| piece(ArtifactType::Watermark, vec![across(words)])));
            pieces.push(piece(ArtifactType::Header, self.head()));
            pieces.push(piece(ArtifactType::PageNumber, self.page(n + 1, of)));
            pieces.push(piece(ArtifactType::Footer, self.foot()));
            sheet.splice(0..0, pieces);
        }
        flow.heed(&self.number);
        flow.heed(&self.title);
    }

    fn head(&self) -> Vec<Mark> {
        let (mut marks, y) = block(&self.title, MARGIN, HEAD, MEASURE * 0.66, Align::Left);
        let (number, y) = block(&self.number, MARGIN, y, MEASURE, Align::Left);
        marks.extend(number);
        marks.push(Mark::rule(MARGIN, y + 3.0, MEASURE, Pen::new(0.5, Ink::Blue)));
        marks
    }

    fn page(&self, n: usize, of: usize) -> Vec<Mark> {
        let words = self.tongue.say(&format!("第 {n} 页 共 {of} 页"), &format!("Page {n} of {of}"), STYLE);
        block(&words, WIDTH - MARGIN - 180.0, HEAD, 180.0, Align::Right).0
    }

    fn foot(&self) -> Vec<Mark> {
        let mut marks = vec![Mark::rule(MARGIN, FOOT, MEASURE, Pen::new(0.5, Ink::Blue))];
        marks.extend(block(&self.left, MARGIN, FOOT + 3.5, MEASURE - 90.0, Align::Left).0);
        marks.extend(block(&self.right, WIDTH - MARGIN - 90.0, FOOT + 3.5, 90.0, Align::Right).0);
        marks
    }
}

fn height(paragraph: &[Span], width: f32) -> f32 {
    lines(paragraph, width).iter().map(|line| line.height).sum()
}

fn block(paragraph: &[Span], x: f32, mut y: f32, width: f32, align: Align) -> (Vec<Mark>, f32) {
    let mut marks = vec![];
    for line in lines(paragraph, width) {
        marks.extend(Mark::line(&line, x + align.shift(&line, width), y));
        y += line.height;
    }
    (marks, y)
}

/// How far the paper has come, in words.
fn foot(paper: &Paper, tongue: Tongue) -> Paragraph {
    let style = STYLE.size(7.0);
    let loud = style.bold().ink(Ink::Red);
    let mut spans = match paper.issue.status {
        Status::Draft => tongue.say("草稿，未签发", "DRAFT — not issued", loud),
        Status::Checked => tongue.say("已核验，未签发", "CHECKED — not issued", loud),
        Status::Issued => {
            let at = paper.issue.issued_at.map_or(String::new(), |at| at.date().to_string());
            tongue.say(&format!("已签发 {at}"), &format!("issued {at}"), style)
        }
        status @ (Status::Amended | Status::Withdrawn) => {
            let words = words::status(status);
            let (zh, en) = (format!("{}，不再有效", words.zh), format!("{} — no longer valid", words.en));
            tongue.say(&zh, &en, loud)
        }
    };
    if paper.simulated {
        let words = tongue.say("模拟：未检测任何真实电能表", "SIMULATED: no real meter was tested", loud);
        spans.push(Span::new("  ·  ", style));
        spans.extend(words);
    }
    spans
}

fn across(words: &'static str) -> Mark {
    let style = Style::new(74.0).bold().ink(Ink::Pale);
    let span = Span::new(words, style);
    let width = natural_width(std::slice::from_ref(&span));
    Mark::Across { run: Run { x: 0.0, text: span.text, style }, width }
}
