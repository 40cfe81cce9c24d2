//! Marks that are told apart without colour: a tick in a disc, a cross in a square, an exclamation mark in a triangle, a
//! question mark in a ring.

use crate::screen::token::{self, Face};
use crate::screen::values::State;
use crate::verdict::Verdict;
use eframe::egui::{Align2, Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

/// The colour of a state.
pub(in crate::screen) fn color(face: &Face, state: State) -> Color32 {
    let t = face.tokens;
    match state {
        State::Good => t.good,
        State::Unknown => t.unknown,
        State::Care => t.care,
        State::Bad => t.bad,
    }
}

/// The state that a verdict looks like.
pub(in crate::screen) fn of_verdict(verdict: Verdict) -> State {
    match verdict {
        Verdict::Pass => State::Good,
        Verdict::Fail => State::Bad,
        Verdict::Undecided => State::Care,
    }
}

/// Draws the mark of a state.
pub(in crate::screen) fn mark(painter: &Painter, rect: Rect, face: &Face, state: State) {
    shape(painter, rect, state, color(face, state), face.tokens.on_state);
}

fn shape(painter: &Painter, rect: Rect, state: State, field: Color32, ink: Color32) {
    let side = rect.width().min(rect.height());
    let rect = Rect::from_center_size(rect.center(), vec2(side, side));
    let at = |x: f32, y: f32| pos2(rect.left() + side * x, rect.top() + side * y);
    let pen = Stroke::new((side * 0.11).max(1.5), ink);
    match state {
        State::Good => {
            painter.circle_filled(rect.center(), side / 2.0, field);
            painter.line(vec![at(0.27, 0.52), at(0.44, 0.69), at(0.75, 0.34)], pen);
        }
        State::Bad => {
            painter.rect_filled(rect.shrink(side * 0.04), side * 0.1, field);
            painter.line_segment([at(0.3, 0.3), at(0.7, 0.7)], pen);
            painter.line_segment([at(0.7, 0.3), at(0.3, 0.7)], pen);
        }
        State::Care => {
            let corners: Vec<Pos2> = vec![at(0.5, 0.04), at(0.99, 0.94), at(0.01, 0.94)];
            painter.add(Shape::convex_polygon(corners, field, Stroke::NONE));
            painter.line_segment([at(0.5, 0.36), at(0.5, 0.66)], pen);
            painter.circle_filled(at(0.5, 0.8), (side * 0.06).max(1.2), ink);
        }
        State::Unknown => {
            painter.circle_stroke(rect.center(), side * 0.44, Stroke::new((side * 0.09).max(1.5), field));
            painter.text(rect.center(), Align2::CENTER_CENTER, "?", token::strong(side * 0.62), field);
        }
    }
}

/// Tick or cross alone, where the field has its colour already.
pub(in crate::screen) fn ink(painter: &Painter, rect: Rect, ink: Color32, good: bool) {
    let at = |x: f32, y: f32| pos2(rect.left() + rect.width() * x, rect.top() + rect.height() * y);
    let pen = Stroke::new(4.0, ink);
    if good {
        painter.line(vec![at(0.1, 0.52), at(0.4, 0.84), at(0.92, 0.2)], pen);
    } else {
        painter.line_segment([at(0.14, 0.14), at(0.86, 0.86)], pen);
        painter.line_segment([at(0.86, 0.14), at(0.14, 0.86)], pen);
    }
}

/// The mark turned over: its body in the ink, its sign in the colour of the state, for a field of that colour.
pub(in crate::screen) fn mark_inverse(painter: &Painter, rect: Rect, face: &Face, state: State) {
    let (body, sign) = (face.tokens.on_state, color(face, state));
    shape(painter, rect, state, body, sign);
}
