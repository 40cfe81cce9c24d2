//! What a meter said last, value by value, with ages: what is not fresh never looks fresh.

use super::{Answer, Fault, Query, Reading};
use crate::time::{Instant, Span};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Older than this a value is stale, although nothing went wrong.
pub const FRESH: Span = Span::from_secs(10);

/// The last word on each query.
#[derive(Debug, Default)]
pub struct Watch {
    rows: BTreeMap<Query, Row>,
}

#[derive(Debug, Default)]
struct Row {
    /// The last answer that came, however long ago.
    last: Option<Answer>,
    /// Why there is none after it.
    trouble: Option<String>,
}

/// How much a value is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Taken a moment ago.
    Fresh,
    /// Taken long ago, or asked for in vain since.
    Stale,
    /// There is none.
    None,
}

impl Watch {
    /// Takes what came of one query. A fault keeps the last answer with the time at which it was really taken.
    pub fn handle(&mut self, query: Query, came: Result<Answer, Fault>) {
        let row = self.rows.entry(query).or_default();
        match came {
            Ok(answer) => *row = Row { last: Some(answer), trouble: None },
            Err(fault) => row.trouble = Some(fault.to_string()),
        }
    }

    /// What the last value of `query` is worth at `now`.
    pub fn standing(&self, query: Query, now: Instant) -> Standing {
        match self.rows.get(&query) {
            Some(Row { last: Some(Answer { reading: Reading::Absent(_), .. }) | None, .. }) | None => {
                Standing::None
            }
            Some(Row { last: Some(answer), trouble }) => {
                let old = answer.age(now) > FRESH;
                if old || trouble.is_some() { Standing::Stale } else { Standing::Fresh }
            }
        }
    }

    /// The table at `now`.
    pub fn text(&self, now: Instant) -> String {
        let mut text = String::new();
        for (query, row) in &self.rows {
            let standing = self.standing(*query, now);
            let said = match &row.last {
                None => "-".to_owned(),
                Some(answer) => match (&answer.reading, standing) {
                    (Reading::Absent(why), _) => format!("-  ({why})"),
                    (Reading::Value(value), Standing::Fresh) => {
                        format!("{value}  ({:.1} s old)", answer.age(now).secs())
                    }
                    (Reading::Value(value), _) => {
                        format!("STALE: {value} was read {:.1} s ago", answer.age(now).secs())
                    }
                },
            };
            let _ = writeln!(text, "  {:<34} {said}", query.to_string());
            if let Some(trouble) = &row.trouble {
                let _ = writeln!(text, "      {trouble}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Unit, Value};

    fn answer(secs: i64) -> Answer {
        let at = Instant::ZERO + Span::from_secs(secs);
        let reading = Reading::Value(Value::Number("1.860".parse().unwrap(), Unit::KilowattHour));
        Answer { reading, ..Answer::absent(Query::Energy, at, String::new()) }
    }

    fn silent() -> Fault {
        Fault::Silent { whom: "a meter".to_owned(), what: "energy".to_owned(), attempts: 3 }
    }

    #[test]
    fn f_a_silent_bus_shows_the_old_value_as_stale_with_its_true_age_and_never_stamps_it_anew() {
        let mut watch = Watch::default();
        let at = |secs| Instant::ZERO + Span::from_secs(secs);
        watch.handle(Query::Energy, Ok(answer(100)));
        assert_eq!(watch.standing(Query::Energy, at(101)), Standing::Fresh);
        assert!(watch.text(at(101)).contains("1.860 kWh  (1.0 s old)"));
        for now in [103, 104, 130] {
            watch.handle(Query::Energy, Err(silent()));
            assert_eq!(watch.standing(Query::Energy, at(now)), Standing::Stale);
            let text = watch.text(at(now));
            let expected = format!("STALE: 1.860 kWh was read {}.0 s ago", now - 100);
            assert!(text.contains(&expected) && text.contains("no answer from meter"), "{text}");
        }
        watch.handle(Query::Energy, Ok(answer(131)));
        assert_eq!(watch.standing(Query::Energy, at(131)), Standing::Fresh);
        // Nobody asks any more: it grows old without any fault.
        assert_eq!(watch.standing(Query::Energy, at(142)), Standing::Stale);
        assert_eq!(watch.standing(Query::Voltage, at(142)), Standing::None);
    }
}
