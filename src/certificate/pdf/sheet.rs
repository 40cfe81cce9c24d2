//! What stands on a page before it becomes PDF: marks at places, each a leaf of the tree of tags or an ornament.

use super::text::{Ink, Line, Run};
use krilla::tagging::ArtifactType;

/// A4 in points.
pub(super) const WIDTH: f32 = 595.28;
/// A4 in points.
pub(super) const HEIGHT: f32 = 841.89;
/// Left and right of the text.
pub(super) const MARGIN: f32 = 48.0;
/// Of the text.
pub(super) const MEASURE: f32 = WIDTH - 2.0 * MARGIN;

/// Points of a millimetre.
pub(super) const fn mm(millimetres: f32) -> f32 {
    millimetres * 72.0 / 25.4
}

/// A pen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub width: f32,
    pub ink: Ink,
    /// Length of dashes and gaps; none for a whole line.
    pub dash: Option<f32>,
}

impl Pen {
    pub(super) const fn new(width: f32, ink: Ink) -> Self {
        Self { width, ink, dash: None }
    }

    pub(super) const fn dashed(self, dash: f32) -> Self {
        Self { dash: Some(dash), ..self }
    }
}

/// Something that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// Text from a point on its base line.
    Text { x: f32, y: f32, run: Run },
    /// Straight lines from point to point.
    Line { points: Vec<(f32, f32)>, pen: Pen },
    /// Areas, each from corner to corner.
    Area { corners: Vec<Vec<(f32, f32)>>, ink: Ink },
    /// A circle: centre, radius.
    Circle { x: f32, y: f32, radius: f32, pen: Pen },
    /// Large slanting words over the middle of the page, drawn as outlines: nobody selects them by accident.
    Across { run: Run, width: f32 },
}

impl Mark {
    /// A horizontal rule.
    pub(super) fn rule(x: f32, y: f32, width: f32, pen: Pen) -> Self {
        Self::Line { points: vec![(x, y), (x + width, y)], pen }
    }

    /// A rectangle.
    pub(super) fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Vec<(f32, f32)> {
        vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    }

    /// The runs of a line whose upper left corner stands here.
    pub(super) fn line(line: &Line, x: f32, y: f32) -> Vec<Self> {
        let runs = line.runs.iter();
        runs.map(|run| Self::Text { x: x + run.x, y: y + line.ascent, run: run.clone() }).collect()
    }
}

/// What a piece of a page is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// A leaf of the tree.
    Leaf(usize),
    /// No part of what is said.
    Ornament(ArtifactType),
}

/// Marks that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub place: Place,
    pub marks: Vec<Mark>,
}

/// A page.
pub(super) type Sheet = Vec<Piece>;

/// What a group of the tree is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    Section,
    Heading {
        level: u16,
        title: String,
    },
    Paragraph,
    List,
    Item,
    Body,
    Table {
        summary: String,
    },
    Row,
    /// Names a column.
    Above,
    /// Names a row.
    Beside,
    Cell,
    Figure {
        alt: String,
    },
}

/// A group of the tree of tags.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub role: Role,
    pub children: Vec<Child>,
}

/// What a group holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Child {
    Node(Node),
    Leaf(usize),
}

impl Node {
    pub(super) fn new(role: Role, leaves: impl IntoIterator<Item = usize>) -> Self {
        Self { role, children: leaves.into_iter().map(Child::Leaf).collect() }
    }

    pub(super) fn of(role: Role, nodes: Vec<Node>) -> Self {
        Self { role, children: nodes.into_iter().map(Child::Node).collect() }
    }
}
