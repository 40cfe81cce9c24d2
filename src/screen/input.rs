//! What comes from fingers, keys and scanners before any page sees it: STOP, the signs of a person, a scanned number.

use eframe::egui::{Event, Key, PointerButton, Rect, TouchPhase};

/// The longest number that a scanner gives; a QR code of a paper is longer.
const SCAN_LONGEST: usize = 2000;

/// STOP by a finger.
pub(super) const ON_SCREEN: &str = "STOP on the screen";

/// Who asked for STOP in these events, if anybody did. It acts on the press, not on the release.
pub(super) fn stop(events: &[Event], stop_at: Option<Rect>) -> Option<&'static str> {
    events.iter().find_map(|event| match event {
        Event::Key { key: Key::Escape | Key::F12, pressed: true, .. } => Some("STOP key"),
        Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, .. }
        | Event::Touch { pos, phase: TouchPhase::Start, .. }
            if stop_at.is_some_and(|rect| rect.contains(*pos)) =>
        {
            Some(ON_SCREEN)
        }
        _ => None,
    })
}

/// Whether somebody is there.
pub(super) fn is_sign_of_a_person(events: &[Event]) -> bool {
    events.iter().any(|event| {
        matches!(
            event,
            Event::Key { .. }
                | Event::Text(_)
                | Event::PointerButton { .. }
                | Event::Touch { .. }
                | Event::MouseWheel { .. }
        )
    })
}

/// Numbers that a scanner has typed: text up to Enter. What is not ended yet stays in `begun`.
pub(super) fn scan(events: &[Event], begun: &mut String) -> Vec<String> {
    let mut numbers = vec![];
    for event in events {
        match event {
            Event::Text(text) => {
                begun.extend(text.chars().filter(|c| !c.is_control()));
                if begun.chars().count() > SCAN_LONGEST {
                    begun.clear();
                }
            }
            // Moving the focus by keys is no scan.
            Event::Key { key: Key::Tab, pressed: true, .. } => begun.clear(),
            Event::Key { key: Key::Enter, pressed: true, .. } => {
                let number = std::mem::take(begun).trim().to_owned();
                if number.chars().count() >= 4 {
                    numbers.push(number);
                }
            }
            _ => {}
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Modifiers, pos2, vec2};

    fn key(key: Key) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
    }

    #[test]
    fn stop_acts_on_the_press_by_finger_and_by_key_and_nowhere_else() {
        let rect = Rect::from_min_size(pos2(600.0, 400.0), vec2(180.0, 60.0));
        let press = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        assert!(stop(&[press(rect.center(), true)], Some(rect)).is_some());
        assert!(stop(&[key(Key::Escape)], None).is_some());
        assert!(stop(&[key(Key::F12)], None).is_some());
        for events in
            [vec![press(rect.center(), false)], vec![press(pos2(10.0, 10.0), true)], vec![key(Key::A)]]
        {
            assert_eq!(stop(&events, Some(rect)), None);
        }
        assert_eq!(stop(&[press(rect.center(), true)], None), None, "there is no button");
    }

    #[test]
    fn a_scanner_is_a_keyboard_that_ends_with_enter() {
        let mut begun = String::new();
        let text = |text: &str| Event::Text(text.into());
        assert!(scan(&[text("2026"), text("1121")], &mut begun).is_empty());
        assert_eq!(scan(&[text("0001"), key(Key::Enter)], &mut begun), ["202611210001"]);
        assert!(scan(&[key(Key::Enter), text("x"), key(Key::Enter)], &mut begun).is_empty());
        for _ in 0..1000 {
            scan(&[text("nonsense without an end")], &mut begun);
            assert!(begun.chars().count() <= SCAN_LONGEST);
        }
    }
}
