//! From marks on sheets to the bytes of a PDF/A-3b, which krilla checks as it writes.

use super::sheet::{Child, HEIGHT, Mark, Node, Pen, Place, Role, Sheet, WIDTH};
use super::text::{Ink, Run, glyphs};
use super::{Attachment, Fault, Relationship};
use crate::time::Stamp;
use krilla::color::rgb::Color;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Path, PathBuilder, Point, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ContentTag, Identifier, ListNumbering, SpanTag, TableHeaderScope, Tag, TagGroup, TagTree,
};
use krilla::{Document, SerializeSettings};
use std::num::NonZeroU16;
use std::sync::Arc;

/// What the document says of itself.
pub(super) struct About {
    pub title: String,
    pub number: String,
    pub subject: String,
    pub institution: String,
    pub program: String,
    pub language: &'static str,
    /// Issued, or performed where it is not.
    pub at: Stamp,
}

/// The bytes.
pub(super) fn press(
    about: About,
    sheets: &[Sheet],
    sections: &[Node],
    outline: &[(String, usize, f32)],
    attachments: &[Attachment],
) -> Result<Vec<u8>, Fault> {
    let refused = |what: String| Fault::Refused { what };
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B).finish();
    let configuration = configuration.map_err(|error| refused(format!("{error:?}")))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: true,
        ..SerializeSettings::default()
    });
    let at = moment(about.at);
    let mut leaves = vec![];
    for sheet in sheets {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).expect("A4 is a page");
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for piece in sheet {
            let tag = match piece.place {
                Place::Leaf(_) => ContentTag::Span(SpanTag::empty()),
                Place::Ornament(kind) => ContentTag::Artifact(Artifact::with_kind(kind)),
            };
            let identifier = surface.start_tagged(tag);
            piece.marks.iter().for_each(|mark| draw(&mut surface, mark));
            surface.end_tagged();
            if let Place::Leaf(leaf) = piece.place {
                leaves.push((leaf, identifier));
            }
        }
        surface.finish();
        page.finish();
    }
    // Leaves are counted as they are set, page by page.
    leaves.sort_by_key(|(leaf, _)| *leaf);
    let mut tree = TagTree::new().with_lang(Some(about.language.into()));
    for section in sections {
        tree.push(group(section, &leaves));
    }
    document.set_tag_tree(tree);
    let mut contents = Outline::new();
    for (title, page, y) in outline {
        contents
            .push_child(OutlineNode::new(title.clone(), XyzDestination::new(*page, Point::from_xy(0.0, *y))));
    }
    document.set_outline(contents);
    for attachment in attachments {
        let (name, mime) = (attachment.name.to_owned(), attachment.mime.to_owned());
        let file = EmbeddedFile {
            path: name.clone(),
            mime_type: Some(MimeType::new(&mime).ok_or(Fault::Mime { name: name.clone(), mime })?),
            description: Some(attachment.description.to_owned()),
            association_kind: match attachment.relationship {
                Relationship::Source => AssociationKind::Source,
                Relationship::Data => AssociationKind::Data,
                Relationship::Alternative => AssociationKind::Alternative,
            },
            data: (Arc::clone(&attachment.bytes) as Arc<dyn AsRef<[u8]> + Send + Sync>).into(),
            modification_date: Some(at),
            compress: Some(true),
            location: None,
        };
        document.embed_file(file).ok_or(Fault::Twice { name })?;
    }
    document.set_metadata(
        Metadata::new()
            .title(format!("{} {}", about.title, about.number))
            .description(about.subject)
            .keywords(vec![about.number.clone()])
            .authors(vec![about.institution])
            .creator(about.program)
            .producer("krilla".into())
            .document_id(about.number)
            .language(about.language.into())
            .creation_date(at),
    );
    document.finish().map_err(|error| refused(format!("{error}: {error:?}")))
}

fn moment(at: Stamp) -> DateTime {
    let civil = at.civil();
    let minutes = at.offset_minutes();
    DateTime::new(civil.year().unsigned_abs())
        .month(civil.month().unsigned_abs())
        .day(civil.day().unsigned_abs())
        .hour(civil.hour().unsigned_abs())
        .minute(civil.minute().unsigned_abs())
        .second(civil.second().unsigned_abs())
        .utc_offset_hour((minutes / 60) as i8)
        .utc_offset_minute((minutes % 60).unsigned_abs() as u8)
}

fn group(node: &Node, leaves: &[(usize, Identifier)]) -> TagGroup {
    let mut group = match &node.role {
        Role::Section => TagGroup::new(Tag::Section),
        Role::Heading { level, title } => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            TagGroup::new(Tag::Hn(level, Some(title.clone())))
        }
        Role::Paragraph => TagGroup::new(Tag::P),
        Role::List => TagGroup::new(Tag::L(ListNumbering::Square)),
        Role::Item => TagGroup::new(Tag::LI),
        Role::Body => TagGroup::new(Tag::LBody),
        Role::Table { summary } => TagGroup::new(Tag::Table.with_summary(Some(summary.clone()))),
        Role::Row => TagGroup::new(Tag::TR),
        Role::Above => TagGroup::new(Tag::TH(TableHeaderScope::Column)),
        Role::Beside => TagGroup::new(Tag::TH(TableHeaderScope::Row)),
        Role::Cell => TagGroup::new(Tag::TD),
        Role::Figure { alt } => TagGroup::new(Tag::Figure(Some(alt.clone()))),
    };
    for child in &node.children {
        match child {
            Child::Node(node) => group.push(self::group(node, leaves)),
            Child::Leaf(leaf) => group.push(leaves[*leaf].1),
        }
    }
    group
}

fn color(ink: Ink) -> Color {
    match ink {
        Ink::Black => Color::new(17, 17, 17),
        Ink::Grey => Color::new(92, 92, 92),
        Ink::Light => Color::new(190, 190, 190),
        Ink::Pale => Color::new(232, 232, 232),
        Ink::White => Color::new(255, 255, 255),
        Ink::Blue => Color::new(20, 52, 98),
        Ink::Red => Color::new(164, 16, 16),
    }
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: color(ink).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn stroke(pen: Pen) -> Stroke {
    let dash = pen.dash.map(|dash| StrokeDash { array: vec![dash, dash * 0.7], offset: 0.0 });
    Stroke { paint: color(pen.ink).into(), width: pen.width, dash, ..Stroke::default() }
}

fn draw(surface: &mut Surface, mark: &Mark) {
    match mark {
        Mark::Text { x, y, run } => text(surface, *x, *y, run, false),
        Mark::Line { points, pen } => trace(surface, path(points, false), *pen),
        Mark::Area { corners, ink } => {
            let mut builder = PathBuilder::new();
            for corners in corners {
                outline(&mut builder, corners, true);
            }
            surface.set_stroke(None);
            surface.set_fill(Some(fill(*ink)));
            if let Some(path) = builder.finish() {
                surface.draw_path(&path);
            }
        }
        Mark::Circle { x, y, radius, pen } => trace(surface, circle(*x, *y, *radius), *pen),
        Mark::Across { run, width } => {
            surface.push_transform(&Transform::from_translate(WIDTH / 2.0, HEIGHT / 2.0));
            surface.push_transform(&Transform::from_rotate(-52.0));
            text(surface, -width / 2.0, run.style.size * 0.36, run, true);
            surface.pop();
            surface.pop();
        }
    }
}

fn text(surface: &mut Surface, x: f32, y: f32, run: &Run, outlined: bool) {
    let (font, glyphs) = glyphs(run);
    surface.set_stroke(None);
    surface.set_fill(Some(fill(run.style.ink)));
    surface.draw_glyphs(Point::from_xy(x, y), &glyphs, font.clone(), &run.text, run.style.size, outlined);
}

fn trace(surface: &mut Surface, path: Option<Path>, pen: Pen) {
    surface.set_fill(None);
    surface.set_stroke(Some(stroke(pen)));
    if let Some(path) = path {
        surface.draw_path(&path);
    }
    surface.set_stroke(None);
}

fn outline(builder: &mut PathBuilder, points: &[(f32, f32)], closed: bool) {
    for (n, (x, y)) in points.iter().enumerate() {
        if n == 0 { builder.move_to(*x, *y) } else { builder.line_to(*x, *y) }
    }
    if closed {
        builder.close();
    }
}

fn path(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    outline(&mut builder, points, closed);
    builder.finish()
}

/// Four Bézier arcs; 0.5523 makes them round to a thousandth of the radius.
fn circle(x: f32, y: f32, r: f32) -> Option<Path> {
    let c = 0.5523 * r;
    let mut builder = PathBuilder::new();
    builder.move_to(x + r, y);
    builder.cubic_to(x + r, y + c, x + c, y + r, x, y + r);
    builder.cubic_to(x - c, y + r, x - r, y + c, x - r, y);
    builder.cubic_to(x - r, y - c, x - c, y - r, x, y - r);
    builder.cubic_to(x + c, y - r, x + r, y - c, x + r, y);
    builder.close();
    builder.finish()
}
