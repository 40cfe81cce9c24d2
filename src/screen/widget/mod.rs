//! The parts that screens are made of: buttons for gloves, cards, lines with a mark, drawings. Each says to `AccessKit` what it
//! is, and each fits its text into its room.

pub(super) mod drawing;
pub(super) mod mark;

use super::keyboard::printable;
use super::token::{self, Face, Pair};
use eframe::egui::text::LayoutJob;
use eframe::egui::{
    Align, Align2, Color32, Context, CornerRadius, FontId, Frame, Galley, Id, Layout, Margin, Rect, Response,
    RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, TextFormat, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};
use std::sync::Arc;

/// How much a button asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// One among others.
    Plain,
    /// The one that leads on.
    Lead,
    /// Chosen among others.
    Chosen,
    /// It switches off.
    Stop,
}

impl Weight {
    fn pair(self, face: &Face) -> Pair {
        match self {
            Self::Plain => face.tokens.button,
            Self::Lead | Self::Chosen => face.tokens.lead,
            Self::Stop => face.tokens.stop,
        }
    }
}

/// The largest size at which a text fits into a room, on several lines where that helps; never less than small print.
pub(super) fn fit(ui: &Ui, text: &str, font: FontId, ink: Color32, room: Vec2, align: Align) -> Arc<Galley> {
    let text = printable(text);
    let (galley, fits) = try_fit(ui, &text, font, ink, room, align);
    if !fits {
        note_overflow(ui.ctx(), &text);
    }
    galley
}

/// The same, and whether it fits.
fn try_fit(ui: &Ui, text: &str, font: FontId, ink: Color32, room: Vec2, align: Align) -> (Arc<Galley>, bool) {
    let FontId { mut size, family } = font;
    loop {
        let format = TextFormat::simple(FontId::new(size, family.clone()), ink);
        let mut job = LayoutJob::single_section(text.to_owned(), format);
        job.wrap.max_width = room.x;
        job.halign = align;
        let galley = ui.painter().layout_job(job);
        let fits = galley.size().y <= room.y + 1.0 && galley.size().x <= room.x + 1.0;
        if size <= token::LEAST || (fits && !is_torn(&galley)) {
            return (galley, fits);
        }
        size -= 1.0;
    }
}

/// Whether a line ends within a word.
fn is_torn(galley: &Galley) -> bool {
    let inside = |glyph: Option<&eframe::epaint::text::Glyph>| {
        glyph.is_some_and(|glyph| glyph.chr.is_ascii_alphanumeric())
    };
    galley.rows.windows(2).any(|two| inside(two[0].glyphs.last()) && inside(two[1].glyphs.first()))
}

/// Texts that did not fit into their room in the last frame, even in small print: for tests that measure.
pub(super) fn overflows(ctx: &Context) -> Vec<String> {
    let (frame, texts) = ctx.data_mut(|data| data.get_temp::<Overflows>(Id::NULL)).unwrap_or_default();
    if frame + 1 >= ctx.cumulative_pass_nr() { texts } else { vec![] }
}

/// The pass and the texts.
type Overflows = (u64, Vec<String>);

fn note_overflow(ctx: &Context, text: &str) {
    let pass = ctx.cumulative_pass_nr();
    ctx.data_mut(|data| {
        let noted = data.get_temp_mut_or_default::<Overflows>(Id::NULL);
        if noted.0 != pass {
            *noted = (pass, vec![]);
        }
        if noted.1.len() < 20 {
            noted.1.push(format!("does not fit: {text}"));
        }
    });
}

/// A button of a given size.
pub(super) fn button(ui: &mut Ui, face: &Face, weight: Weight, text: &str, size: Vec2) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    draw_button(ui, face, weight, text, rect, &response);
    response
}

/// A button in a given place.
pub(super) fn button_at(ui: &mut Ui, face: &Face, weight: Weight, text: &str, rect: Rect) -> Response {
    let response = ui.allocate_rect(rect, Sense::click());
    draw_button(ui, face, weight, text, rect, &response);
    response
}

fn draw_button(ui: &Ui, face: &Face, weight: Weight, text: &str, rect: Rect, response: &Response) {
    let enabled = ui.is_enabled();
    response.widget_info(|| {
        if weight == Weight::Chosen {
            WidgetInfo::selected(Role::Button, enabled, true, text)
        } else {
            WidgetInfo::labeled(Role::Button, enabled, text)
        }
    });
    let pair = weight.pair(face);
    plate(ui, face, rect, pair.field, response);
    let room = rect.size() - vec2(12.0, 6.0);
    let font = if weight == Weight::Plain { token::plain(token::BODY) } else { token::strong(token::BODY) };
    let size = if weight == Weight::Stop { token::strong(token::BIG) } else { font };
    let galley = fit(ui, text, size, pair.ink, room, Align::Center);
    let at = pos2(rect.center().x, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, pair.ink);
}

/// The field of a button, with the frame of focus and touch.
pub(super) fn plate(ui: &Ui, face: &Face, rect: Rect, field: Color32, response: &Response) {
    let t = face.tokens;
    let round = CornerRadius::same(token::ROUND);
    let field = if response.is_pointer_button_down_on() { field.lerp_to_gamma(t.ink, 0.2) } else { field };
    ui.painter().rect(rect, round, field, Stroke::new(t.frame, t.line), StrokeKind::Inside);
    if response.has_focus() {
        let ring = Stroke::new(token::THICK, t.ink);
        ui.painter().rect_stroke(rect.shrink(3.0), round, ring, StrokeKind::Inside);
    }
}

/// A card in a place.
pub(super) fn card_at<R>(ui: &mut Ui, face: &Face, rect: Rect, inside: impl FnOnce(&mut Ui) -> R) -> R {
    let t = face.tokens;
    let frame = Stroke::new(t.frame, t.line);
    ui.painter().rect(rect, CornerRadius::same(token::ROUND), t.card, frame, StrokeKind::Inside);
    let inner = rect.shrink(f32::from(token::INSIDE));
    let mut child = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Min)));
    child.shrink_clip_rect(rect.shrink(1.0));
    child.set_max_size(inner.size());
    inside(&mut child)
}

/// What is scrolled where it does not fit.
pub(super) fn scroll<R>(ui: &mut Ui, name: &str, inside: impl FnOnce(&mut Ui) -> R) -> R {
    ScrollArea::vertical().id_salt(name).auto_shrink([false, false]).show(ui, inside).inner
}

/// A part of the screen by itself.
pub(super) fn part<R>(ui: &mut Ui, rect: Rect, inside: impl FnOnce(&mut Ui) -> R) -> R {
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::Min)));
    child.set_max_size(rect.size());
    inside(&mut child)
}

/// A rectangle in parts of these shares, side by side or one below the other, with a gap between.
pub(super) fn split<const N: usize>(rect: Rect, below: bool, shares: [f32; N]) -> [Rect; N] {
    let all: f32 = shares.iter().sum();
    let length = if below { rect.height() } else { rect.width() } - token::GAP * (N as f32 - 1.0);
    let mut at = if below { rect.top() } else { rect.left() };
    shares.map(|share| {
        let long = length * share / all;
        let from = at;
        at += long + token::GAP;
        if below {
            Rect::from_min_max(pos2(rect.left(), from), pos2(rect.right(), from + long))
        } else {
            Rect::from_min_max(pos2(from, rect.top()), pos2(from + long, rect.bottom()))
        }
    })
}

/// Text in the bold face.
pub(super) fn strong(text: &str, size: f32) -> RichText {
    RichText::new(printable(text)).font(token::strong(size))
}

/// Text that stands beside.
pub(super) fn weak(text: &str, face: &Face) -> RichText {
    RichText::new(printable(text)).size(token::SMALL).color(face.tokens.weak)
}

/// A text that says what is wrong, or what to mind, in a field of its own.
pub(super) fn note(ui: &mut Ui, face: &Face, state: super::values::State, text: &str) {
    let color = mark::color(face, state);
    Frame::new()
        .fill(face.tokens.card)
        .stroke(Stroke::new(token::THICK, color))
        .corner_radius(CornerRadius::same(token::ROUND))
        .inner_margin(Margin::same(8))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(token::MARK), Sense::hover());
                mark::mark(ui.painter(), rect, face, state);
                ui.add_space(4.0);
                let width = ui.available_width();
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.label(RichText::new(printable(text)).size(token::SMALL + 1.0));
                });
            });
        });
}

/// Text in a place, as large as it fits.
pub(super) fn text_in(ui: &Ui, rect: Rect, align: Align2, text: &str, font: FontId, ink: Color32) {
    let galley = fit(ui, text, font, ink, rect.size(), Align::Min);
    let at = align.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(at.min, galley, ink);
}

/// What somebody has typed or a file says, in a place: of a text that is too long its begin, and dots.
pub(super) fn data_in(ui: &Ui, rect: Rect, text: &str, font: FontId, ink: Color32) {
    let FontId { size, family } = font;
    let laid =
        |text: &str| try_fit(ui, text, FontId::new(size, family.clone()), ink, rect.size(), Align::Min);
    let text = printable(text);
    let (mut galley, mut fits) = laid(&text);
    let mut count = text.chars().count();
    while !fits && count > 1 {
        count = count * 4 / 5;
        let begin: String = text.chars().take(count).chain(['…']).collect();
        (galley, fits) = laid(&begin);
    }
    let at = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(at.min, galley, ink);
}

/// One of several, side by side. Gives the one that was pressed.
pub(super) fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    face: &Face,
    size: Vec2,
    now: T,
    all: &[(T, &str)],
) -> Option<T> {
    let mut pressed = None;
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let wide = (rect.width() - token::GAP * (all.len() as f32 - 1.0)) / all.len() as f32;
    for (index, (value, text)) in all.iter().enumerate() {
        let left = rect.left() + index as f32 * (wide + token::GAP);
        let place = Rect::from_min_size(pos2(left, rect.top()), vec2(wide, rect.height()));
        let weight = if *value == now { Weight::Chosen } else { Weight::Plain };
        if button_at(ui, face, weight, text, place).clicked() {
            pressed = Some(*value);
        }
    }
    pressed
}

/// A field: its name, what stands in it, and a tap opens the keyboard. `wrong` gives it the colour of what is not in order.
pub(super) fn entry(ui: &mut Ui, face: &Face, size: Vec2, name: &str, text: &str, wrong: bool) -> Response {
    let t = face.tokens;
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    plate(ui, face, rect, t.entry, &response);
    if wrong {
        let frame = Stroke::new(token::THICK, t.bad);
        ui.painter().rect_stroke(rect, CornerRadius::same(token::ROUND), frame, StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(10.0, 5.0));
    let upper = Rect::from_min_max(inner.min, pos2(inner.right(), inner.top() + 20.0));
    let lower = Rect::from_min_max(pos2(inner.left(), upper.bottom()), inner.max);
    text_in(ui, upper, Align2::LEFT_TOP, name, token::plain(token::SMALL), t.weak);
    let shown = if text.trim().is_empty() { "—" } else { text };
    data_in(ui, lower, shown, token::strong(token::BODY), t.ink);
    response
}
