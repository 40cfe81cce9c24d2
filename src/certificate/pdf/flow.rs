//! Text that flows down the pages of a paper and over to the next.

use super::sheet::{Child, MARGIN, MEASURE, Mark, Node, Pen, Piece, Place, Role, Sheet};
use super::text::{Ink, Line, Paragraph, Span, Style, lines};
use super::tongue::Tongue;
use crate::certificate::paper::{Language, Words};
use krilla::tagging::ArtifactType;

/// Running text.
pub(super) const BODY: Style = Style::new(8.5);
/// Cells of tables.
pub(super) const CELL: Style = Style::new(7.4);
/// Footnotes and captions.
pub(super) const NOTE: Style = Style::new(7.0);
/// Heading of a section.
const CHAPTER: Style = Style::new(14.0).bold().ink(Ink::Blue);
/// Heading of a part of one.
const HEADING: Style = Style::new(9.8).bold().ink(Ink::Blue);

/// Where a line stands in its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

impl Align {
    pub(super) fn shift(self, line: &Line, width: f32) -> f32 {
        match self {
            Self::Left => 0.0,
            Self::Middle => (width - line.width) / 2.0,
            Self::Right => width - line.width,
        }
    }
}

/// The pages of a paper as they are filled.
pub(super) struct Flow {
    pub sheets: Vec<Sheet>,
    /// The sections of the tree.
    pub sections: Vec<Node>,
    /// Headings of sections with their pages, for the outline.
    pub outline: Vec<(String, usize, f32)>,
    /// How far the page is filled.
    pub y: f32,
    /// In which languages.
    pub tongue: Tongue,
    /// Leaves so far.
    pub leaves: usize,
    /// Whether a character was replaced.
    pub lacking: bool,
    /// Where text begins on a page.
    pub top: f32,
    /// Where it ends.
    pub bottom: f32,
    /// Height of each spring.
    pub spring: f32,
    /// Springs so far.
    pub springs: usize,
}

impl Flow {
    pub(super) fn new(language: Language, top: f32, bottom: f32) -> Self {
        Self {
            sheets: vec![vec![]],
            sections: vec![],
            outline: vec![],
            y: top,
            tongue: Tongue(language),
            leaves: 0,
            lacking: false,
            top,
            bottom,
            spring: 0.0,
            springs: 0,
        }
    }

    /// A new page.
    pub(super) fn turn(&mut self) {
        self.sheets.push(vec![]);
        self.y = self.top;
    }

    /// A new page where less than this height is left.
    pub(super) fn need(&mut self, height: f32) {
        if self.y + height > self.bottom && self.y > self.top {
            self.turn();
        }
    }

    /// White space; none at the top of a page.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > self.top {
            self.y += height;
        }
    }

    /// White space that takes what the page has left over.
    pub(super) fn spring(&mut self) {
        self.springs += 1;
        self.y += self.spring;
    }

    fn put(&mut self, place: Place, marks: Vec<Mark>) {
        self.sheets.last_mut().expect("there is a page").push(Piece { place, marks });
    }

    /// Something that is said: a leaf of the tree.
    pub(super) fn leaf(&mut self, marks: Vec<Mark>) -> usize {
        let leaf = self.leaves;
        self.leaves += 1;
        self.put(Place::Leaf(leaf), marks);
        leaf
    }

    /// An ornament.
    pub(super) fn ornament(&mut self, marks: Vec<Mark>) {
        self.put(Place::Ornament(ArtifactType::Layout), marks);
    }

    /// A rule over the whole measure.
    pub(super) fn rule(&mut self, pen: Pen) {
        self.ornament(vec![Mark::rule(MARGIN, self.y, MEASURE, pen)]);
    }

    /// Into the section that is open.
    pub(super) fn push(&mut self, node: Node) {
        if self.sections.is_empty() {
            self.sections.push(Node::new(Role::Section, []));
        }
        self.sections.last_mut().expect("one is open").children.push(Child::Node(node));
    }

    /// Notes whether a character was replaced.
    pub(super) fn heed(&mut self, paragraph: &[Span]) {
        self.lacking |= paragraph.iter().any(|span| span.lacking);
    }

    /// Lines at a place of this page, whatever room there is; their leaf and their height.
    pub(super) fn set(
        &mut self,
        paragraphs: &[Paragraph],
        (x, y): (f32, f32),
        width: f32,
        align: Align,
    ) -> (usize, f32) {
        let (mut marks, mut height) = (vec![], 0.0);
        for paragraph in paragraphs {
            self.heed(paragraph);
            for line in lines(paragraph, width) {
                marks.extend(Mark::line(&line, x + align.shift(&line, width), y + height));
                height += line.height;
            }
        }
        (self.leaf(marks), height)
    }

    /// Lines that flow over pages; their leaves, one a page.
    fn pour(&mut self, paragraph: &[Span], x: f32, width: f32, align: Align) -> Vec<usize> {
        self.heed(paragraph);
        let (mut leaves, mut marks) = (vec![], vec![]);
        for line in lines(paragraph, width) {
            if self.y + line.height > self.bottom && self.y > self.top {
                if !marks.is_empty() {
                    leaves.push(self.leaf(std::mem::take(&mut marks)));
                }
                self.turn();
            }
            marks.extend(Mark::line(&line, x + align.shift(&line, width), self.y));
            self.y += line.height;
        }
        if !marks.is_empty() {
            leaves.push(self.leaf(marks));
        }
        leaves
    }

    /// The heading of a section on a page of its own.
    pub(super) fn chapter(&mut self, zh: &str, en: &str) {
        self.turn();
        self.sections.push(Node::new(Role::Section, []));
        let title = self.tongue.plain(zh, en);
        self.outline.push((title.clone(), self.sheets.len() - 1, self.y));
        let spans = self.tongue.say(zh, en, CHAPTER);
        let leaves = self.pour(&spans, MARGIN, MEASURE, Align::Left);
        self.push(Node::new(Role::Heading { level: 2, title }, leaves));
        self.y += 2.0;
        self.rule(Pen::new(1.1, Ink::Blue));
        self.y += 6.0;
    }

    /// The heading of a part; it stays with what follows, which takes at least `follows`.
    pub(super) fn heading(&mut self, words: &Words, follows: f32) {
        self.need(9.0 + 14.0 + follows);
        self.gap(9.0);
        let spans = self.tongue.words(words, HEADING);
        let leaves = self.pour(&spans, MARGIN, MEASURE, Align::Left);
        let title = words.print(self.tongue.0);
        self.push(Node::new(Role::Heading { level: 3, title }, leaves));
        self.y += 2.5;
    }

    /// A paragraph over the whole measure.
    pub(super) fn paragraph(&mut self, paragraph: &[Span], align: Align) {
        let leaves = self.pour(paragraph, MARGIN, MEASURE, align);
        self.push(Node::new(Role::Paragraph, leaves));
    }

    /// The mark before an item whose first line begins here.
    fn dot(&mut self, x: f32, y: f32, item: &[Span]) {
        let size = item.first().map_or(0.0, |span| span.style.size);
        let dot = Mark::rectangle(x + 3.0, y + size * 0.72 - 1.0, 2.0, 2.0);
        self.ornament(vec![Mark::Area { corners: vec![dot], ink: Ink::Blue }]);
    }

    /// A list with a mark before each item.
    pub(super) fn list(&mut self, items: &[Paragraph]) {
        const INDENT: f32 = 10.0;
        let mut nodes = vec![];
        for item in items {
            let Some(first) = lines(item, MEASURE - INDENT).into_iter().next() else { continue };
            self.need(first.height);
            self.dot(MARGIN, self.y, item);
            let leaves = self.pour(item, MARGIN + INDENT, MEASURE - INDENT, Align::Left);
            nodes.push(Node::of(Role::Item, vec![Node::new(Role::Body, leaves)]));
            self.y += 1.5;
        }
        if !nodes.is_empty() {
            self.push(Node::of(Role::List, nodes));
        }
    }
}
