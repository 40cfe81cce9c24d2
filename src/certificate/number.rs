//! The one way numbers are written on paper: results file, register, report and terminal all ask here.
//!
//! A rounded value keeps its trailing zeros. An unrounded one is written to a fixed resolution of its unit, finer than
//! any regulation rounds to. An expanded uncertainty has two significant digits, see [`uncertainty`]. Nothing is ever
//! written with an exponent or a negative zero.

use super::record::{Measured, Unit};
use crate::quantity::{Current, Energy, Power, Voltage};
use crate::time::Span;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use std::fmt;
use std::str::FromStr;

/// A probability in percent: two decimals, and words for what two decimals would call certain.
pub fn probability(p: f64) -> String {
    match p {
        p if p > 0.9999 => "> 99.99 %".into(),
        p if p < 0.0001 => "< 0.01 %".into(),
        p => format!("{} %", fixed(p * 100.0, 2)),
    }
}

/// A rounded value: trailing zeros kept, minus where negative. The form of files: a number for every reader.
pub fn rounded(value: Decimal) -> String {
    if value.is_zero() { value.abs().to_string() } else { value.to_string() }
}

/// A rounded value with its sign, plus too: the form of papers, where an error without a sign invites a question.
pub fn signed(value: Decimal) -> String {
    if value.is_zero() || value.is_sign_negative() { rounded(value) } else { format!("+{value}") }
}

/// With this many decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_nothing = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_nothing { text.trim_start_matches('-').to_owned() } else { text }
}

/// With this many significant digits (at least one), and all digits before the point.
pub fn significant(value: f64, digits: usize) -> String {
    let after_first = digits.max(1) - 1;
    let exponent = exponent(&format!("{value:.after_first$e}"));
    fixed(value, usize::try_from(i64::try_from(after_first).unwrap_or(0) - exponent).unwrap_or(0))
}

/// As a person would write it: without the residue of binary arithmetic and without trailing zeros.
pub fn plain(value: f64) -> String {
    let shown: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    if shown == 0.0 { "0".into() } else { shown.to_string() }
}

/// An unrounded error in percent: to 0.0001 %, hundreds of times finer than the finest
/// rounding interval of the regulations shipped.
pub fn error_percent(value: f64) -> String {
    fixed(value, 4)
}

/// The unrounded value of a result, at the resolution of its unit.
pub fn value(measured: &Measured) -> String {
    let value = measured.estimate.value;
    match measured.unit {
        Unit::Percent => error_percent(value),
        Unit::Second | Unit::SecondPerDay => fixed(value, 3),
        Unit::KilowattHour => plain(value),
        Unit::Pulse | Unit::One => fixed(value, 0),
    }
}

/// An expanded uncertainty to two significant digits, rounded up, unless what is cut off is at most a tenth of the last
/// digit kept: 10.47 → 11, but 28.05 → 28 (both examples of GUM 7.2.6). So a stated uncertainty is never too small
/// by more than one percent of itself.
pub fn uncertainty(expanded: f64) -> String {
    if expanded == 0.0 || !expanded.is_finite() {
        return plain(expanded);
    }
    // Seven digits are kept, so that 0.028 is 28 and not 28.000000000000004.
    let text = format!("{:.6e}", expanded.abs());
    let mut exponent = exponent(&text);
    let mantissa = text.split('e').next().and_then(|m| m.parse::<Decimal>().ok()).unwrap_or_default();
    let mut two = (mantissa * Decimal::TEN - Decimal::new(1, 1)).ceil();
    if two == Decimal::ONE_HUNDRED {
        two = Decimal::TEN;
        exponent += 1;
    }
    let digits = two.to_string();
    match exponent {
        0 => format!("{}.{}", &digits[..1], &digits[1..]),
        1.. => digits + &"0".repeat(exponent.unsigned_abs() as usize - 1),
        _ => format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
    }
}

fn exponent(text: &str) -> i64 {
    text.split('e').nth(1).and_then(|e| e.parse().ok()).unwrap_or(0)
}

/// A limit, with no fewer decimals than the value that is held against it.
pub fn limit(limit: f64, decimals: u32) -> String {
    let Some(exact) = Decimal::from_f64(limit) else { return plain(limit) };
    let mut exact = exact.round_dp(9).normalize();
    if exact.scale() < decimals {
        exact.rescale(decimals);
    }
    rounded(exact)
}

/// A coverage factor k.
pub fn coverage_factor(k: f64) -> String {
    fixed(k, 2)
}

/// A measured voltage in V, to 0.001 V.
pub fn volts(voltage: Voltage) -> String {
    fixed(voltage.volts(), 3)
}

/// A measured current in A, to 0.0001 A.
pub fn amperes(current: Current) -> String {
    fixed(current.amperes(), 4)
}

/// A measured power in W, to 0.01 W.
pub fn watts(power: Power) -> String {
    fixed(power.watts(), 2)
}

/// An energy in kWh, to ten significant digits: enough to recompute an error to 0.0001 %.
pub fn kilowatt_hours(energy: Energy) -> String {
    significant(energy.kilowatt_hours(), 10)
}

/// A length of time in s, to the microsecond.
pub fn secs(span: Span) -> String {
    fixed(span.secs(), 6)
}

/// The number of a paper: `PL-2026-000001`, of an original record: `PL-R-2026-000001`; with `SIM` in place of `PL`
/// where it was simulated. One count a year for papers of every kind and one for records; no number is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// Whether it numbers something simulated.
    pub simulated: bool,
    /// Whether it numbers an original record; a paper otherwise.
    pub original_record: bool,
    /// The year of the run.
    pub year: i16,
    /// The count in that year, from 1.
    pub seq: u32,
}

/// A text that is no number of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{seen}` is no number of a certificate or record; they look like PL-2026-000001 and PL-R-2026-000001, or SIM-… where simulated"
)]
pub struct NoNumber {
    seen: String,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.simulated { "SIM" } else { "PL" };
        let record = if self.original_record { "R-" } else { "" };
        write!(f, "{prefix}-{record}{:04}-{:06}", self.year, self.seq)
    }
}

impl FromStr for Number {
    type Err = NoNumber;
    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let parsed = || {
            let (prefix, rest) = text.split_once('-')?;
            let simulated = match prefix {
                "SIM" => true,
                "PL" => false,
                _ => return None,
            };
            let (original_record, rest) = rest.strip_prefix("R-").map_or((false, rest), |rest| (true, rest));
            let (year, seq) = rest.split_once('-')?;
            let number =
                Self { simulated, original_record, year: year.parse().ok()?, seq: seq.parse().ok()? };
            // Only the one way of writing it: a number is also the name of a folder.
            (number.year >= 0 && number.seq > 0 && number.to_string() == text).then_some(number)
        };
        parsed().ok_or_else(|| NoNumber { seen: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn trailing_zeros_stay_and_nothing_is_never_negative() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(
            (rounded(d("0.30")), signed(d("0.30")), signed(d("-0.30"))),
            ("0.30".into(), "+0.30".into(), "-0.30".into())
        );
        assert_eq!((rounded(d("-0.0")), signed(d("0.0"))), ("0.0".into(), "0.0".into()));
        assert_eq!((fixed(-0.000_04, 4), fixed(-0.000_06, 4)), ("0.0000".into(), "-0.0001".into()));
        assert_eq!(
            (limit(1.0, 1), limit(1.25, 1), limit(0.1 + 0.2, 0)),
            ("1.0".into(), "1.25".into(), "0.3".into())
        );
    }

    #[test]
    fn an_uncertainty_has_two_digits_and_is_rounded_up_like_the_gum() {
        for (u, printed) in [
            (10.47, "11"),
            (28.05, "28"),
            (0.028, "0.028"),
            (0.0281, "0.028"),
            (0.0282, "0.029"),
            (0.035_01, "0.035"),
            (0.0995, "0.10"),
            (9.96, "10"),
            (99.9, "100"),
            (1.0, "1.0"),
            (123.4, "130"),
            (0.5, "0.50"),
            (0.0, "0"),
            (1.2e-12, "0.0000000000012"),
        ] {
            assert_eq!(uncertainty(u), printed, "{u}");
        }
        assert_eq!(uncertainty(f64::NAN), "NaN");
    }

    #[test]
    fn significant_digits_are_counted_from_the_first() {
        assert_eq!(significant(0.001_666_666_666_666, 10), "0.001666666667");
        assert_eq!(significant(1234.5, 10), "1234.500000");
        assert_eq!((significant(9.999_999, 3), significant(0.0, 3)), ("10.0".into(), "0.00".into()));
        assert_eq!((plain(0.1 + 0.2), plain(750.0), plain(-0.0)), ("0.3".into(), "750".into(), "0".into()));
    }

    #[test]
    fn a_number_has_one_way_to_be_written() {
        for text in ["PL-2026-000001", "SIM-2026-000042", "PL-R-2026-000001", "SIM-R-2027-1234567"] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "PL-2026-1",
            "PL-2026-000000",
            "pl-2026-000001",
            "../2026-000001",
            "PL-2026-+00001",
            "SIM-R-2026",
            "PL--001-000001",
        ] {
            assert!(
                text.parse::<Number>().unwrap_err().to_string().contains("look like PL-2026-000001"),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_printed_uncertainty_is_hardly_ever_smaller_and_never_much_larger(u in 1e-9f64..1e6) {
            let printed: f64 = uncertainty(u).parse().unwrap();
            prop_assert!(printed >= u * 0.99 && printed <= u * 1.1, "{u} → {printed}");
        }

        #[test]
        fn an_energy_keeps_ten_digits(kwh in 1e-6f64..1e4) {
            let printed: f64 = significant(kwh, 10).parse().unwrap();
            prop_assert!((printed / kwh - 1.0).abs() <= 5e-10, "{kwh} → {printed}");
        }
    }
}
