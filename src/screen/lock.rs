//! The lock: after a time without a touch a PIN is asked. STOP works all the same, and a run is never hidden.

use super::app::Screen;
use super::keyboard::{Entry, Target, Typed};
use super::port::Order;
use super::token::{self, Face};
use super::values::State;
use super::widget::{self, mark};
use super::{frame, words};
use crate::time::{Instant, Span};
use eframe::egui::{Align2, Rect, Ui, pos2, vec2};

/// The lock's state.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    after: Option<Span>,
    touched: Instant,
    locked: bool,
    refused: Option<String>,
    entry: Option<Entry>,
}

impl Lock {
    /// Open; it locks `after` so long.
    pub fn new(after: Option<Span>, now: Instant) -> Self {
        Self { after, touched: now, locked: false, refused: None, entry: None }
    }

    /// Whether a PIN is asked.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Somebody is there.
    pub fn touched(&mut self, now: Instant) {
        self.touched = now;
    }

    /// Looks whether it is time. True where it has locked just now: whether anybody can open it is asked anew each time.
    pub fn look(&mut self, now: Instant) -> bool {
        let locks = !self.locked && self.after.is_some_and(|after| now - self.touched >= after);
        self.locked |= locks;
        locks
    }

    /// Until it locks.
    pub fn due(&self, now: Instant) -> Option<Span> {
        (!self.locked)
            .then_some(self.after?)
            .map(|after| (self.touched + after - now).max(Span::from_millis(50)))
    }

    /// Whether the PIN was right.
    pub fn handle_answer(&mut self, answer: Result<(), String>, now: Instant) {
        match answer {
            Ok(()) => {
                self.locked = false;
                self.refused = None;
                self.touched = now;
            }
            Err(why) => self.refused = Some(why),
        }
        self.entry = None;
    }
}

impl Screen {
    /// The locked screen: what the run does, STOP, and the keys of the PIN.
    pub(super) fn lock_ui(&mut self, ui: &mut Ui, face: &Face, whole: Rect) {
        let w = face.language.words();
        self.top_ui(ui, face, whole);
        let live = self.is_under_way();
        let mut room = frame::below_top(whole).shrink(token::EDGE);
        if live {
            let stop = frame::stop_place(whole);
            self.stop_ui(ui, face, stop);
            let said = self.live.as_ref().map_or(String::new(), |live| {
                words::fill(&w.run.left, &[&words::clock(live.snapshot.remaining)])
            });
            let beside = Rect::from_min_max(
                pos2(room.left(), stop.top()),
                pos2(stop.left() - token::GAP, stop.bottom()),
            );
            widget::text_in(
                ui,
                beside,
                Align2::LEFT_CENTER,
                &said,
                token::strong(token::BIG),
                face.tokens.ink,
            );
            room.max.y = stop.top() - token::GAP;
        }
        if let Some(why) = &self.lock.refused {
            let place = Rect::from_min_size(room.min, vec2(room.width(), 26.0));
            let sign = Rect::from_min_size(place.min, vec2(24.0, 24.0));
            mark::mark(ui.painter(), sign, face, State::Bad);
            let text = Rect::from_min_max(pos2(sign.right() + token::GAP, place.top()), place.max);
            let said = face.language.said(why);
            widget::text_in(ui, text, Align2::LEFT_CENTER, &said, token::plain(token::BODY), face.tokens.bad);
            room.min.y = place.bottom() + token::GAP;
        }
        let events = ui.input(|input| input.events.clone());
        let entry = self.lock.entry.get_or_insert_with(|| Entry::new(Target::Pin, &w.lock.pin, "", true));
        let typed = match entry.handle(&events) {
            Typed::More => entry.ui(ui, face, room),
            typed => typed,
        };
        match typed {
            Typed::Done => {
                let pin = entry.text.trim().to_owned();
                entry.text.clear();
                self.port.order(Order::Unlock { pin });
            }
            Typed::Cancelled => entry.text.clear(),
            Typed::More => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_anybody_can_open_it_is_asked_each_time_it_locks() {
        let at = |secs| Instant::ZERO + Span::from_secs(secs);
        let mut lock = Lock::new(Some(Span::from_secs(60)), at(0));
        assert_eq!([59, 60, 61].map(|secs| lock.look(at(secs))), [false, true, false]);
        assert!(lock.is_locked());
        lock.handle_answer(Err("wrong PIN".into()), at(62));
        assert!(lock.is_locked());
        lock.handle_answer(Ok(()), at(63));
        assert!(!lock.is_locked() && !lock.look(at(64)));
        assert!(lock.look(at(123)), "asked anew");
        assert!(!Lock::new(None, at(0)).look(at(1_000_000)));
    }
}
