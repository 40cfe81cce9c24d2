//! What is made of what an inspector has gathered.

use super::*;
use jiff::civil::date;

const DAY: Date = date(2026, 11, 20);

fn draft(given: Entries) -> Draft {
    Draft::new("serial = \"1\"", Kind::Subsequent, given, DAY)
}

/// Entries of a file: everything in order.
fn given() -> Entries {
    Entries { tester_clock_checked: true, ..Entries::simulated() }
}

#[test]
fn one_thing_that_is_not_in_order_is_entered_whatever_else_was_looked_at_or_given() {
    for given in [Entries::default(), given()] {
        let mut draft = draft(given);
        draft.answer(Check::Housing, true);
        draft.answer(Check::Seals, false);
        draft.answer(Check::Display, false);
        draft.remark = "lid bent".into();
        let entries = draft.entries();
        let look = |ok, remark: &str| Some(Look { ok, remark: remark.into() });
        assert_eq!(entries.appearance, look(false, "seals; not looked at: marks; lid bent"));
        assert_eq!(entries.function, look(false, "display; not looked at: pulse output"));
    }
}

#[test]
fn what_was_given_stands_only_where_nobody_has_looked() {
    let mut draft = draft(given());
    assert_eq!(draft.entries().appearance, given().appearance);
    draft.answer(Check::Housing, true);
    let entries = draft.entries();
    assert_eq!((entries.appearance, entries.function), (None, given().function), "half a look is no look");
    for check in Check::ALL {
        draft.answer(check, true);
    }
    let entries = draft.entries();
    let good = Some(Look { ok: true, remark: String::new() });
    assert_eq!((entries.appearance, entries.function), (good.clone(), good));
}

#[test]
fn air_and_clock_hold_on_their_own_day_and_who_stands_there_longer() {
    let mut first = draft(Entries::default());
    let next_day = DAY.tomorrow().unwrap();
    first.entered_on(DAY);
    (first.temperature, first.humidity, first.clock_checked) = ("23.1".into(), "41".into(), true);
    first.operator = "王小明".into();
    let carried = |today| {
        let mut next = Draft::new("serial = \"2\"", Kind::Subsequent, Entries::default(), today);
        next.carry(&first, today);
        (next.operator.clone(), next.temperature.clone(), next.humidity.clone(), next.clock_checked)
    };
    assert_eq!(carried(DAY), ("王小明".into(), "23.1".into(), "41".into(), true));
    assert_eq!(carried(next_day), ("王小明".into(), String::new(), String::new(), false));
    // A draft that lay overnight.
    assert!(!first.drop_of_another_day(DAY));
    assert!(first.drop_of_another_day(next_day));
    let entries = first.entries();
    assert_eq!((entries.temperature_degc, entries.humidity_percent), (None, None));
    assert!(!entries.tester_clock_checked && !first.drop_of_another_day(next_day));
    // Entered in the morning: what else is of yesterday goes with it.
    (first.temperature, first.read_on) = ("23.1".into(), Some(DAY));
    first.entered_on(next_day);
    assert!(first.temperature.is_empty() && !first.drop_of_another_day(next_day));
}

#[test]
fn a_seal_keeps_the_place_that_the_last_paper_gives_it() {
    let mut draft = draft(Entries::default());
    let places = ["terminal cover", "meter cover", "meter cover"].map(str::to_owned);
    draft.offer_places(&places);
    draft.placed[0].1 = "A-1".into();
    draft.placed[2].1 = "C-3".into();
    draft.seals = "X-9".into();
    // Planned again, nothing that was typed is lost.
    draft.offer_places(&places);
    let seals = |draft: &Draft| -> Vec<(String, String)> {
        draft.entries().seal.into_iter().map(|seal| (seal.place, seal.number)).collect()
    };
    let mut seen = seals(&draft);
    seen.sort();
    let is = |place: &str, number: &str| (place.to_owned(), number.to_owned());
    assert_eq!(seen, [is("meter", "X-9"), is("meter cover", "C-3"), is("terminal cover", "A-1")]);
    // Of another meter's places only those with a number stay.
    draft.offer_places(&["elsewhere".to_owned()]);
    assert_eq!(draft.placed.iter().filter(|(_, number)| number.is_empty()).count(), 1);
    assert_eq!(seals(&draft).len(), 3);
}
