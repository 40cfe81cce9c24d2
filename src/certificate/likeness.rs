//! Whether results that were computed again are those that were stored.

use super::record::{Outcome, Results};
use serde::Serialize;
use serde_json::Value;

/// How results that were computed again stand to those that were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Bit for bit the same.
    Identical,
    /// The same words, and no number off by more than rounding: by an earlier order of the same sums.
    LastBits,
    /// Others.
    Different,
}

/// What the order of sums can make of a number, relative; fewer digits than any paper prints.
const LAST_BITS: f64 = 1e-10;
/// And of one that is the small difference of large ones, in whatever unit: errors and scatters near nothing.
const NOTHING: f64 = 1e-12;

impl Likeness {
    /// Of an outcome and its results as stored to those computed again.
    pub fn of(stored: (&Outcome, &Results), again: (Option<&Outcome>, &Results)) -> Self {
        if again.0 != Some(stored.0) {
            return Self::Different;
        }
        if stored.1 == again.1 {
            return Self::Identical;
        }
        if same_but_last_bits(stored.1, again.1) { Self::LastBits } else { Self::Different }
    }
}

/// Whether two values of a record are the same but for the last bits of their numbers.
pub fn same_but_last_bits<T: Serialize>(a: &T, b: &T) -> bool {
    serde_json::to_value(a).ok().zip(serde_json::to_value(b).ok()).is_some_and(|(a, b)| alike(&a, &b))
}

/// The same of what was written down.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        // A count or a moment is a whole number, and whole numbers are exact.
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= LAST_BITS * a.abs().max(b.abs()) + NOTHING
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn last_bits_are_no_other_number_and_everything_else_is() {
        let stored = json!({"u": [0.020_316_248_452_058_767, 3], "words": "passes", "none": null});
        assert!(alike(
            &stored,
            &json!({"u": [0.020_316_248_452_058_76, 3], "words": "passes", "none": null})
        ));
        assert!(alike(&json!([0.0, 1e-7]), &json!([1e-14, 1.000_000_01e-7])));
        for other in [
            json!({"u": [0.020_316_248_46, 3], "words": "passes", "none": null}),
            json!({"u": [-0.020_316_248_452_058_767, 3], "words": "passes", "none": null}),
            json!({"u": [0.020_316_248_452_058_767, 4], "words": "passes", "none": null}),
            json!({"u": [0.020_316_248_452_058_767, 3], "words": "passed", "none": null}),
            json!({"u": [0.020_316_248_452_058_767, 3, 0.0], "words": "passes", "none": null}),
            json!({"u": [0.020_316_248_452_058_767, 3], "words": "passes"}),
            json!({"u": [0.020_316_248_452_058_767, 3], "words": "passes", "none": 0.0}),
        ] {
            assert!(!alike(&stored, &other), "{other}");
        }
    }
}
