//! Small drawings: arrows, the bolt, what is looked at on a meter, the wiring.

use crate::screen::draft::Check;
use crate::screen::token::{self, Face, Theme};
use crate::screen::values::Square;
use eframe::egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2,
};

/// A point of a square drawing, in shares of its side.
fn at(rect: Rect, x: f32, y: f32) -> Pos2 {
    let side = rect.width().min(rect.height());
    let square = Rect::from_center_size(rect.center(), vec2(side, side));
    pos2(square.left() + side * x, square.top() + side * y)
}

/// An arrow to the left.
pub(in crate::screen) fn arrow_left(painter: &Painter, rect: Rect, ink: Color32) {
    let pen = Stroke::new(token::THICK + 1.0, ink);
    painter.line(vec![at(rect, 0.6, 0.28), at(rect, 0.38, 0.5), at(rect, 0.6, 0.72)], pen);
}

/// The bolt of a live terminal.
pub(in crate::screen) fn bolt(painter: &Painter, rect: Rect, ink: Color32) {
    let upper = [(0.58, 0.0), (0.2, 0.58), (0.52, 0.58)];
    let lower = [(0.42, 1.0), (0.8, 0.42), (0.48, 0.42)];
    for points in [upper, lower] {
        let points = points.iter().map(|(x, y)| at(rect, *x, *y)).collect();
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
    }
}

/// Sun, moon, or sun with a thick rim: which light the screen is made for.
pub(in crate::screen) fn theme(painter: &Painter, rect: Rect, face: &Face, theme: Theme) {
    let ink = face.tokens.button.ink;
    let field = face.tokens.button.field;
    if theme == Theme::Dark {
        painter.circle_filled(at(rect, 0.48, 0.5), rect.width() * 0.24, ink);
        painter.circle_filled(at(rect, 0.58, 0.43), rect.width() * 0.2, field);
        return;
    }
    painter.circle_filled(rect.center(), rect.width() * 0.15, ink);
    let wide = if theme == Theme::Sun { 4.5 } else { 2.5 };
    for n in 0..8 {
        let angle = n as f32 * std::f32::consts::FRAC_PI_4;
        let ray = vec2(angle.cos(), angle.sin()) * rect.width();
        painter.line_segment([rect.center() + ray * 0.2, rect.center() + ray * 0.3], Stroke::new(wide, ink));
    }
}

/// What a check looks at.
pub(in crate::screen) fn check(painter: &Painter, rect: Rect, face: &Face, check: Check) {
    let t = face.tokens;
    let pen = Stroke::new(2.0, t.ink);
    let thin = Stroke::new(1.5, t.weak);
    let body = Rect::from_min_max(at(rect, 0.14, 0.04), at(rect, 0.86, 0.96));
    let round = CornerRadius::same(5);
    painter.rect(body, round, t.ground, pen, StrokeKind::Inside);
    let glass = Rect::from_min_max(at(rect, 0.24, 0.14), at(rect, 0.76, 0.4));
    let mark = Stroke::new(3.0, t.lead.field);
    let display = |pen: Stroke| {
        painter.rect(glass, CornerRadius::same(2), t.card, pen, StrokeKind::Inside);
    };
    match check {
        Check::Housing => {
            display(thin);
            painter.rect_stroke(body.expand(1.0), round, mark, StrokeKind::Outside);
            painter.line_segment([at(rect, 0.24, 0.8), at(rect, 0.76, 0.8)], thin);
        }
        Check::Marks => {
            display(thin);
            for (y, to) in [(0.54, 0.76), (0.66, 0.62), (0.78, 0.7)] {
                painter.line_segment([at(rect, 0.24, y), at(rect, to, y)], mark);
            }
        }
        Check::Seals => {
            display(thin);
            for x in [0.3, 0.7] {
                painter.line_segment([at(rect, x, 0.56), at(rect, x, 0.72)], Stroke::new(2.0, t.lead.field));
                painter.circle_filled(at(rect, x, 0.78), rect.height() * 0.085, t.lead.field);
                painter.circle_stroke(at(rect, x, 0.78), rect.height() * 0.045, Stroke::new(1.5, t.lead.ink));
            }
        }
        Check::Display => {
            display(mark);
            painter.text(
                glass.center(),
                Align2::CENTER_CENTER,
                "888",
                token::strong(rect.height() * 0.2),
                t.ink,
            );
        }
        Check::Pulse => {
            display(thin);
            let centre = at(rect, 0.5, 0.68);
            painter.circle_filled(centre, rect.height() * 0.07, t.lead.field);
            for n in 0..8 {
                let angle = n as f32 * std::f32::consts::FRAC_PI_4;
                let ray = vec2(angle.cos(), angle.sin()) * rect.height();
                painter
                    .line_segment([centre + ray * 0.11, centre + ray * 0.17], Stroke::new(2.0, t.lead.field));
            }
        }
    }
}

/// A QR code with its quiet zone, dark on white whatever the theme: a camera reads it.
pub(in crate::screen) fn square(painter: &Painter, rect: Rect, square: &Square) {
    let modules = square.size + 2 * crate::certificate::matrix::QUIET_ZONE;
    let each = (rect.width().min(rect.height()) / modules as f32).max(1.0);
    let side = each * modules as f32;
    let field = Rect::from_center_size(rect.center(), vec2(side, side));
    painter.rect_filled(field, 0.0, Color32::WHITE);
    let quiet = crate::certificate::matrix::QUIET_ZONE as f32 * each;
    for y in 0..square.size {
        let mut x = 0;
        while x < square.size {
            let dark = |x: usize| square.dark.get(y * square.size + x).copied().unwrap_or(false);
            if !dark(x) {
                x += 1;
                continue;
            }
            let from = x;
            while x < square.size && dark(x) {
                x += 1;
            }
            let min = field.min + vec2(quiet + from as f32 * each, quiet + y as f32 * each);
            painter.rect_filled(
                Rect::from_min_size(min, vec2((x - from) as f32 * each, each)),
                0.0,
                Color32::BLACK,
            );
        }
    }
}

/// What of the wiring is drawn as wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::screen) enum Wire {
    /// Nobody has looked.
    Unknown,
    /// As it should be.
    Good,
    /// Not so.
    Wrong,
}

/// The terminals of a meter in a phantom load: the voltage from one output, the current from the other, the reference beside
/// the meter on both, the head on the pulse output.
pub(in crate::screen) fn wiring(
    painter: &Painter,
    rect: Rect,
    face: &Face,
    names: [&str; 4],
    voltage: Wire,
    current: Wire,
) {
    let t = face.tokens;
    let color = |wire: Wire| match wire {
        Wire::Unknown => t.weak,
        Wire::Good => t.good,
        Wire::Wrong => t.bad,
    };
    let room = |x0: f32, y0: f32, x1: f32, y1: f32| {
        Rect::from_min_max(
            pos2(rect.left() + rect.width() * x0, rect.top() + rect.height() * y0),
            pos2(rect.left() + rect.width() * x1, rect.top() + rect.height() * y1),
        )
    };
    let boxes = [
        room(0.0, 0.02, 0.26, 0.42),
        room(0.0, 0.56, 0.26, 0.98),
        room(0.4, 0.44, 0.63, 0.84),
        room(0.76, 0.02, 1.0, 0.98),
    ];
    let pen = Stroke::new(2.0, t.ink);
    for (place, name) in boxes.iter().zip(names) {
        painter.rect(*place, CornerRadius::same(8), t.ground, pen, StrokeKind::Inside);
        let font = token::strong(token::SMALL);
        let galley = painter.layout(name.to_owned(), font, t.ink, place.width() - 10.0);
        painter.galley(place.center() - galley.size() / 2.0, galley, t.ink);
    }
    // The voltage stands on the meter and beside it on the reference; the current flows through the reference to the meter.
    let lines = [(voltage, 0.12, "U+"), (voltage, 0.3, "U-"), (current, 0.66, "I+"), (current, 0.92, "I-")];
    for (index, (wire, y, name)) in lines.into_iter().enumerate() {
        let y = rect.top() + rect.height() * y;
        let pen = Stroke::new(if wire == Wire::Wrong { 4.0 } else { 3.0 }, color(wire));
        let (from, to, mid) = (boxes[0].right(), boxes[3].left(), boxes[2]);
        if name == "I+" {
            painter.hline(from..=mid.left(), y, pen);
            painter.hline(mid.right()..=to, y, pen);
        } else {
            painter.hline(from..=to, y, pen);
        }
        if name.starts_with('U') {
            let x = mid.left() + mid.width() * if index == 0 { 0.3 } else { 0.7 };
            painter.vline(x, y..=mid.top(), pen);
            painter.circle_filled(pos2(x, y), 5.0, color(wire));
        }
        painter.circle_filled(pos2(to, y), 6.0, color(wire));
        painter.circle_filled(pos2(from, y), 6.0, color(wire));
        let font = token::strong(token::SMALL);
        painter.text(pos2(to - 10.0, y - 1.0), Align2::RIGHT_BOTTOM, name, font, color(wire));
        if wire == Wire::Wrong {
            let centre = pos2(f32::midpoint(from, mid.left()), y);
            let arm = 8.0;
            painter.line_segment([centre - vec2(arm, arm), centre + vec2(arm, arm)], pen);
            painter.line_segment([centre + vec2(-arm, arm), centre + vec2(arm, -arm)], pen);
        }
    }
}
