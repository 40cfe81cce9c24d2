//! The rounding that the regulation prescribes for an error before it meets its limit.

use rust_decimal::prelude::FromPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// Rounds to the interval, an exact half to the even multiple (JJG 596-2026 7.4.1): value/n → integer → × n.
///
/// Exact decimals throughout: 0.15 at 0.1 is a half, although binary arithmetic says it is a little less. A value
/// too large for a decimal (beyond 10²⁸) gives `None`.
pub fn round_to_interval(value: f64, interval: Decimal) -> Option<Decimal> {
    let exact = Decimal::from_f64(value)?;
    let steps = exact.checked_div(interval)?.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    let mut rounded = steps.checked_mul(interval)?;
    rounded.rescale(interval.scale());
    // There is no negative nothing on paper.
    Some(if rounded.is_zero() { rounded.abs() } else { rounded })
}

/// A limit as a person would write it: binary residue below 10⁻⁹ is no part of it.
pub(super) fn as_written(limit: f64) -> Option<Decimal> {
    Some(Decimal::from_f64(limit)?.round_dp(9).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_half_goes_to_the_even_multiple() {
        for (value, interval, printed) in [
            (0.15, "0.1", "0.2"),
            (0.25, "0.1", "0.2"),
            (-0.25, "0.1", "-0.2"),
            (0.35, "0.1", "0.4"),
            (0.049, "0.1", "0.0"),
            (-0.049, "0.1", "0.0"),
            (0.3, "0.2", "0.4"),
            (0.1, "0.2", "0.0"),
            (1.0249, "0.05", "1.00"),
            (0.025, "0.05", "0.00"),
        ] {
            let rounded = round_to_interval(value, interval.parse().unwrap()).unwrap();
            assert_eq!(rounded.to_string(), printed, "{value} at {interval}");
        }
    }

    #[test]
    fn what_has_no_decimal_is_not_rounded() {
        let interval = "0.1".parse().unwrap();
        assert_eq!(round_to_interval(f64::NAN, interval), None);
        assert_eq!(round_to_interval(1e30, interval), None);
        assert_eq!(round_to_interval(1.0, Decimal::ZERO), None);
        assert_eq!(as_written(0.1 + 0.2).unwrap().to_string(), "0.3");
    }
}
