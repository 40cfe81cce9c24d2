//! All words of the screen, from `assets/words/{en,zh}.toml`. A key that is missing or too many in a file keeps the program
//! from being tested; one that nobody uses, the compiler tells.

use crate::time::{Span, Stamp};
use serde::Deserialize;
use std::sync::LazyLock;

const CHINESE: &str = include_str!("../../assets/words/zh.toml");
const ENGLISH: &str = include_str!("../../assets/words/en.toml");

/// The language of the screen, at a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    /// Its words.
    pub(super) fn words(self) -> &'static Words {
        static CHINESE_WORDS: LazyLock<Words> = LazyLock::new(|| read(CHINESE));
        static ENGLISH_WORDS: LazyLock<Words> = LazyLock::new(|| read(ENGLISH));
        match self {
            Self::Chinese => &CHINESE_WORDS,
            Self::English => &ENGLISH_WORDS,
        }
    }

    /// A text of the program, which the record keeps in English, in this language as far as it is known.
    pub(super) fn said(self, english: &str) -> String {
        super::keyboard::printable(&self.of(crate::certificate::paper::spoken(english))).into_owned()
    }

    /// One of two.
    pub(super) fn of(self, words: crate::certificate::paper::Words) -> String {
        match self {
            Self::Chinese => words.zh,
            Self::English => words.en,
        }
    }

    /// The same of a text, which is left as it is where it is none.
    pub(super) fn stamp_of(self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |at| self.stamp(at))
    }

    /// A day and hour as people write it.
    pub(super) fn stamp(self, at: Stamp) -> String {
        let form = match self {
            Self::Chinese => "%Y年%-m月%-d日 %H:%M",
            Self::English => "%-d %b %Y %H:%M",
        };
        at.civil().strftime(form).to_string()
    }
}

fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_else(|fault| panic!("the words in the program are whole: {fault}"))
}

/// A length of time as a stopwatch shows it: `9:58`.
pub(super) fn clock(span: Span) -> String {
    let secs = span.secs().max(0.0).ceil() as u64;
    format!("{}:{:02}", secs / 60, secs % 60)
}

/// A text with its places `{}` filled in order.
pub(super) fn fill(text: &str, parts: &[&str]) -> String {
    let mut pieces = text.split("{}");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.zip(parts).fold(first, |text, (piece, part)| text + part + piece)
}

macro_rules! words {
    ($($group:ident : $name:ident { $($key:ident),+ $(,)? })+) => {
        /// The words, by the place where they stand.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Words { $(pub(super) $group: $name),+ }
        $(
            /// The words of one place.
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name { $(pub(super) $key: String),+ }
        )+
    };
}
pub(super) use words;

words! {
    frame: Frame {
        start, meter, look, connect, plan, run, result, next, back, light, stop, stopping, simulated,
        pre_check, certifies_nothing,
    }
    source: Source {
        off, on, changing, going_off, not_safe, unknown, no_load, do_not_touch, measure_first,
    }
    key: Key {
        done, cancel, letters, numbers, capitals, space, back, unknown,
    }
    lock: Lock {
        pin,
    }
    start: Start {
        testing, fit, care, not_fit, scan, looking, not_known, work_list, nothing_to_do, reading_list,
        last_visit, first_visit, new_meter, bench, simulated_bench,
    }
    waiting: Left {
        interrupted, at, number, about, only_close, go_on, close, close_again, serial,
    }
    meter: Meter {
        plausible, incomplete, read, reading, regulation, as_begun,
    }
    field: Field {
        serial, charger, connector, maker, model, class, voltage, constant, resolution, ist, imin, itr,
        imax,
    }
    look: Look {
        good, bad, housing, housing_about, marks, marks_about, seal, seal_about, display, display_about,
        pulse, pulse_about, all_good, what_was_not_seen, seals, remark, temperature, humidity, operator,
        site, customer, clock_checked, photograph, camera, looking_for_photos, no_photos,
    }
    connect: Connect {
        voltage, current, reference, meter, head, not_yet, how, looking, low_level, good, good_about, wrong,
        stopped, measured, voltage_circuit, current_circuit, check, again,
    }
    plan: Plan {
        planning, total, at_most, begin, fits, does_not_fit, lower_bound, by_hand, test_report,
        begin_check, left_out,
    }
    run: Run {
        opening, left, remaining, of, curve, pulses, ago, setting, settling, measuring, signing, switching_off,
        writing, stop_by, lost, conductor_silent, going_off, readings, spoiled, waiting, active, done,
        not_reached,
    }
    result: Result {
        pass, fail, undecided, aborted, faulted, failed, no_verdict, safe, not_safe, not_measured, took, next_meter,
        number, items, qr, qr_about, draft, written,
        nothing_found, found, left_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_missing_in_either_language_and_places_are_the_same() {
        let (zh, en) = (read(CHINESE), read(ENGLISH));
        assert_ne!(zh.frame.start, en.frame.start);
        let tables: [toml::Table; 2] = [CHINESE, ENGLISH].map(|text| text.parse().unwrap());
        for (group, keys) in &tables[0] {
            for (key, word) in keys.as_table().unwrap() {
                let [zh, en] = [word, &tables[1][group][key]].map(|word| word.as_str().unwrap());
                assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{group}.{key}");
                assert_eq!(zh.matches("{}").count(), en.matches("{}").count(), "{group}.{key}");
                let lacking = super::super::keyboard::unknown_letters(&format!("{zh}{en}"));
                assert!(lacking.is_empty(), "{group}.{key}: the font has no {lacking:?}");
            }
        }
    }

    #[test]
    fn times_read_like_a_stopwatch() {
        assert_eq!(clock(Span::from_millis(598_000)), "9:58");
        assert_eq!((clock(Span::from_millis(59_100)), clock(Span::ZERO)), ("1:00".into(), "0:00".into()));
        assert_eq!(fill("{} of {}", &["1", "2"]), "1 of 2");
    }
}
