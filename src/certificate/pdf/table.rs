//! Tables: columns as wide as their texts want, rows that break over pages, a head that is repeated on each.

use super::flow::{Align, CELL, Flow};
use super::sheet::{Child, MARGIN, MEASURE, Mark, Node, Pen, Role};
use super::text::{Ink, Line, Paragraph, Span, Style, least_width, lines, natural_width};

/// White space left and right of a cell's text.
const PAD: f32 = 2.6;
/// White space above and below it.
pub(super) const LEAD: f32 = 2.2;
/// The same where much must stand on a page.
pub(super) const TIGHT: f32 = 1.1;

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Width {
    /// As its texts want.
    Fit,
    /// So many points.
    Points(f32),
    /// Its part of what is left over.
    Share(f32),
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cell {
    pub paragraphs: Vec<Paragraph>,
    /// Whether it names its row.
    pub beside: bool,
    /// How much lower than the others its text begins.
    pub drop: f32,
}

impl Cell {
    pub(super) fn new(paragraphs: Vec<Paragraph>) -> Self {
        Self { paragraphs, ..Self::default() }
    }

    /// One text in the usual style.
    pub(super) fn text(text: &str) -> Self {
        Self::styled(text, CELL)
    }

    /// One text; a dash where nothing was measured or nothing is of this row.
    pub(super) fn styled(text: &str, style: Style) -> Self {
        let empty = text.trim().is_empty();
        let span = if empty { Span::new("–", style.ink(Ink::Grey)) } else { Span::new(text, style) };
        Self::new(vec![vec![span]])
    }

    /// Texts one below the other.
    pub(super) fn texts(texts: &[&str]) -> Self {
        Self::new(texts.iter().flat_map(|text| Self::text(text).paragraphs).collect())
    }

    /// It names its row.
    pub(super) fn beside(self) -> Self {
        Self { beside: true, ..self }
    }

    /// Its text begins lower by this much.
    pub(super) fn lower(self, drop: f32) -> Self {
        Self { drop, ..self }
    }

    fn measure(&self, of: fn(&[Span]) -> f32) -> f32 {
        self.paragraphs.iter().map(|paragraph| of(paragraph)).fold(0.0, f32::max)
    }
}

/// A table.
pub(super) struct Table {
    /// Width and place of the text, column by column.
    pub columns: Vec<(Width, Align)>,
    /// Names of the columns; empty for a table of named rows.
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// What it shows, for those who hear it.
    pub summary: String,
    /// White space above and below the text of a cell.
    pub lead: f32,
}

impl Table {
    /// The widths of the columns: together the whole measure.
    fn widths(&self) -> Vec<f32> {
        let cells =
            |n: usize| std::iter::once(&self.head).chain(&self.rows).filter_map(move |row| row.get(n));
        let widest = |n: usize, of: fn(&[Span]) -> f32| {
            cells(n).map(|cell| cell.measure(of)).fold(0.0, f32::max) + 2.0 * PAD
        };
        let columns = self.columns.iter().enumerate();
        let mut widths: Vec<f32> = columns
            .map(|(n, (width, _))| match width {
                Width::Fit => widest(n, natural_width),
                Width::Points(points) => *points,
                Width::Share(_) => 0.0,
            })
            .collect();
        let shares: f32 = self.columns.iter().map(|(width, _)| share(*width)).sum();
        // What the sharing columns must keep: a quarter of the measure.
        let room = MEASURE - if shares > 0.0 { MEASURE * 0.25 } else { 0.0 };
        let taken: f32 = widths.iter().sum();
        if taken > room {
            let columns = self.columns.iter().zip(&widths).enumerate();
            let least = columns.map(|(n, ((kind, _), width))| match kind {
                Width::Fit => widest(n, least_width),
                _ => *width,
            });
            let least: Vec<f32> = least.collect();
            Self::squeeze(&mut widths, room, &least);
        }
        let left: f32 = MEASURE - widths.iter().sum::<f32>();
        let count = widths.len() as f32;
        for (width, (kind, _)) in widths.iter_mut().zip(&self.columns) {
            *width += if shares > 0.0 { left * share(*kind) / shares } else { left / count };
        }
        widths
    }

    /// Fitting columns give up what their texts do not need to stay whole words, the widest first; where that does not
    /// suffice, all give in equal parts and words are broken.
    fn squeeze(widths: &mut [f32], room: f32, least: &[f32]) {
        let taken: f32 = widths.iter().sum();
        let needed: f32 = least.iter().sum();
        if needed < room {
            let given = (taken - room) / (taken - needed);
            for (width, least) in widths.iter_mut().zip(least) {
                *width -= (*width - least) * given;
            }
        } else {
            // A long word alone must not press the others flat: each keeps what an equal part would be.
            let equal = room / widths.len() as f32;
            let small: f32 = least.iter().filter(|width| **width <= equal).sum();
            let large: f32 = least.iter().filter(|width| **width > equal).sum();
            for (width, least) in widths.iter_mut().zip(least) {
                *width = if *least <= equal { *least } else { least * (room - small) / large };
            }
        }
    }
}

fn share(width: Width) -> f32 {
    if let Width::Share(share) = width { share } else { 0.0 }
}

/// A cell whose lines were set, and how many of them already stand on a page.
struct Set {
    lines: Vec<Line>,
    done: usize,
    leaves: Vec<usize>,
    beside: bool,
    drop: f32,
}

fn set(row: &[Cell], widths: &[f32]) -> Vec<Set> {
    let cells = row.iter().zip(widths).map(|(cell, width)| Set {
        lines: cell.paragraphs.iter().flat_map(|p| lines(p, width - 2.0 * PAD)).collect(),
        done: 0,
        leaves: vec![],
        beside: cell.beside,
        drop: cell.drop,
    });
    cells.collect()
}

fn height(row: &[Set], lead: f32) -> f32 {
    let cell = |cell: &Set| cell.drop + cell.lines[cell.done..].iter().map(|line| line.height).sum::<f32>();
    row.iter().map(cell).fold(0.0, f32::max) + 2.0 * lead
}

impl Flow {
    /// A table over the whole measure.
    pub(super) fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        let widths = table.widths();
        let head = set(&table.head, &widths);
        let head_height = if head.is_empty() { 0.0 } else { height(&head, table.lead) };
        let first = height(&set(&table.rows[0], &widths), table.lead);
        self.need((head_height + first).min(self.bottom - self.top));
        for row in std::iter::once(&table.head).chain(&table.rows) {
            row.iter().flat_map(|cell| &cell.paragraphs).for_each(|paragraph| self.heed(paragraph));
        }
        let mut nodes = vec![];
        nodes.extend(self.head(table, &widths, true));
        for row in &table.rows {
            let mut row = set(row, &widths);
            let room = self.bottom - self.top - head_height;
            let tall = height(&row, table.lead);
            if self.y + tall > self.bottom && tall <= room {
                self.again(table, &widths);
            }
            loop {
                self.part(&mut row, table, &widths);
                if row.iter().all(|cell| cell.done == cell.lines.len()) {
                    break;
                }
                self.again(table, &widths);
            }
            self.rule(Pen::new(0.35, Ink::Light));
            let cells = row
                .into_iter()
                .map(|cell| Node::new(if cell.beside { Role::Beside } else { Role::Cell }, cell.leaves));
            nodes.push(Node::of(Role::Row, cells.collect()));
        }
        self.close(table);
        self.push(Node::of(Role::Table { summary: table.summary.clone() }, nodes));
    }

    /// The rule at the end of a table, or of its part on a page.
    fn close(&mut self, table: &Table) {
        let pen = if table.head.is_empty() { Pen::new(0.35, Ink::Light) } else { Pen::new(0.9, Ink::Black) };
        self.rule(pen);
    }

    /// Ends the page and begins the next with the head.
    fn again(&mut self, table: &Table, widths: &[f32]) {
        self.close(table);
        self.turn();
        self.head(table, widths, false);
    }

    /// The head; on further pages it is an ornament, since the tree has it already.
    fn head(&mut self, table: &Table, widths: &[f32], first: bool) -> Option<Node> {
        if table.head.is_empty() {
            self.rule(Pen::new(0.35, Ink::Light));
            return None;
        }
        self.rule(Pen::new(0.9, Ink::Black));
        let row = set(&table.head, widths);
        let (mut x, mut cells) = (MARGIN, vec![]);
        let tall = height(&row, table.lead);
        for ((cell, width), (_, align)) in row.iter().zip(widths).zip(&table.columns) {
            let (mut y, mut marks) = (self.y + table.lead, vec![]);
            for line in &cell.lines {
                marks.extend(Mark::line(line, x + PAD + align.shift(line, width - 2.0 * PAD), y));
                y += line.height;
            }
            if first {
                let leaves = if marks.is_empty() { vec![] } else { vec![self.leaf(marks)] };
                cells.push(Node::new(Role::Above, leaves));
            } else {
                self.ornament(marks);
            }
            x += width;
        }
        self.y += tall;
        self.rule(Pen::new(0.5, Ink::Black));
        first.then(|| Node { role: Role::Row, children: cells.into_iter().map(Child::Node).collect() })
    }

    /// As many lines of a row as the page has room for; one of each cell at least.
    fn part(&mut self, row: &mut [Set], table: &Table, widths: &[f32]) {
        let (mut x, mut lowest) = (MARGIN, self.y);
        for ((cell, width), (_, align)) in row.iter_mut().zip(widths).zip(&table.columns) {
            let (mut y, mut marks) = (self.y + table.lead + cell.drop, vec![]);
            while let Some(line) = cell.lines.get(cell.done) {
                if y + line.height + table.lead > self.bottom + 0.1 && !marks.is_empty() {
                    break;
                }
                marks.extend(Mark::line(line, x + PAD + align.shift(line, width - 2.0 * PAD), y));
                y += line.height;
                cell.done += 1;
            }
            if !marks.is_empty() {
                let leaf = self.leaf(marks);
                cell.leaves.push(leaf);
            }
            lowest = lowest.max(y + table.lead);
            x += width;
        }
        self.y = lowest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::paper::Language;

    fn table(texts: &[&str], rows: usize) -> Table {
        let row = || texts.iter().map(|text| Cell::text(text)).collect::<Vec<_>>();
        Table {
            columns: texts.iter().map(|_| (Width::Fit, Align::Left)).collect(),
            head: row(),
            rows: (0..rows).map(|_| row()).collect(),
            summary: "t".into(),
            lead: LEAD,
        }
    }

    #[test]
    fn columns_fill_the_measure_whatever_they_hold() {
        let (word, words) = ("W".repeat(300), "several words ".repeat(40));
        for texts in [vec!["1", "2"], vec!["1", &word, "0.0020"], vec![&words, "0.1", &word], vec![&word; 12]]
        {
            let mut table = table(&texts, 2);
            for shared in [false, true] {
                if shared {
                    table.columns[0].0 = Width::Share(1.0);
                }
                let widths = table.widths();
                assert!((widths.iter().sum::<f32>() - MEASURE).abs() < 0.01, "{widths:?}");
                assert!(widths.iter().all(|width| *width > 2.0 * PAD + 3.0), "{widths:?}");
            }
        }
        let widths = table(&["0.0020", &word], 1).widths();
        let number = natural_width(&[Span::new("0.0020", CELL)]) + 2.0 * PAD;
        assert!(widths[0] > number - 0.01, "a long word beside it must not break a number: {widths:?}");
    }

    #[test]
    fn a_long_table_has_its_head_on_every_page_and_in_the_tree_once() {
        let mut flow = Flow::new(Language::Both, 50.0, 250.0);
        flow.table(&table(&["head", "b"], 40));
        assert!(flow.sheets.len() > 2, "{}", flow.sheets.len());
        for sheet in &flow.sheets {
            let texts = sheet.iter().flat_map(|piece| &piece.marks);
            let first = texts
                .clone()
                .find_map(|mark| if let Mark::Text { run, .. } = mark { Some(&run.text) } else { None });
            assert_eq!(first.unwrap(), "head");
            let lowest = texts
                .filter_map(|mark| if let Mark::Text { y, .. } = mark { Some(*y) } else { None })
                .fold(0.0, f32::max);
            assert!(lowest < 250.0, "{lowest}");
        }
        let Child::Node(node) = &flow.sections[0].children[0] else { panic!("a table is a node") };
        assert_eq!(node.children.len(), 41);
    }

    #[test]
    fn a_row_taller_than_a_page_goes_on_over_the_next() {
        let mut flow = Flow::new(Language::Both, 50.0, 250.0);
        let long = "长".repeat(4000);
        let mut table = table(&["1", &long], 1);
        table.head = ["a", "b"].map(Cell::text).into();
        flow.table(&table);
        let printed: usize = flow
            .sheets
            .iter()
            .flatten()
            .flat_map(|piece| &piece.marks)
            .map(|mark| if let Mark::Text { run, .. } = mark { run.text.matches('长').count() } else { 0 })
            .sum();
        assert!(flow.sheets.len() > 3 && printed == 4000, "{} pages, {printed}", flow.sheets.len());
    }
}
