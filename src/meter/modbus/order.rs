//! Which order of registers and bytes is plausible: a value read in all of them against what the reference shows.
//!
//! A float whose words are swapped is still a float, only not this one; makers differ, and manuals err. The probe proposes
//! and says why; a person writes the order into the model's file.

use super::number::{Kind, Places, number};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// One way to read the registers.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The order.
    pub places: Places,
    /// What the registers are then; none: no number.
    pub value: Option<Decimal>,
    /// Whether it is near what the reference shows.
    pub plausible: bool,
}

/// What came of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Exactly one order is plausible.
    Proposed(Places),
    /// Several are: the value looks alike in them. Ask for one with all digits in use.
    Ambiguous,
    /// None is: it is another register, kind, scale or quantity.
    NonePlausible,
}

/// Reads `registers` in all orders. `expected` is the reference's value in the unit of the answer; `tolerance` the
/// relative deviation that is still plausible. With one register only the bytes have an order.
pub fn probe(
    kind: Kind,
    exponent: i32,
    registers: &[u16],
    expected: f64,
    tolerance: f64,
) -> (Vec<Candidate>, Finding) {
    let orders =
        if registers.len() == 1 { vec![Places::ALL[0], Places::ALL[2]] } else { Places::ALL.to_vec() };
    let candidates: Vec<Candidate> = orders
        .into_iter()
        .map(|places| {
            let value = number(kind, places, registers, exponent).ok();
            let near = |value: Decimal| {
                let value = value.to_f64().unwrap_or(f64::NAN);
                expected != 0.0 && (value - expected).abs() <= tolerance * expected.abs()
            };
            Candidate { places, value, plausible: value.is_some_and(near) }
        })
        .collect();
    let mut plausible = candidates.iter().filter(|candidate| candidate.plausible);
    let finding = match (plausible.next(), plausible.next()) {
        (Some(one), None) => Finding::Proposed(one.places),
        (None, _) => Finding::NonePlausible,
        (Some(_), Some(_)) => Finding::Ambiguous,
    };
    (candidates, finding)
}

#[cfg(test)]
mod tests {
    use super::super::number::{Order, registers};
    use super::*;

    #[test]
    fn h_a_word_swapped_float_is_not_plausible_and_its_right_order_is_proposed() {
        for places in Places::ALL {
            let held = registers(Kind::F32, places, "750.123".parse().unwrap(), 0).unwrap();
            let (candidates, finding) = probe(Kind::F32, 0, &held, 750.0, 0.05);
            assert_eq!(finding, Finding::Proposed(places));
            assert_eq!(candidates.iter().filter(|candidate| candidate.plausible).count(), 1);
        }
    }

    #[test]
    fn what_looks_alike_or_like_nothing_is_said_so() {
        // 257 = 0101H reads the same with its bytes swapped.
        assert_eq!(probe(Kind::U16, 0, &[0x0101], 257.0, 0.01).1, Finding::Ambiguous);
        let (candidates, finding) = probe(Kind::F32, 0, &[0x7FC0, 0], 750.0, 0.05);
        assert_eq!(finding, Finding::NonePlausible);
        assert!(candidates[0].value.is_none() && candidates[0].places.words == Order::HighFirst);
        // Nothing can be told from a reference that shows zero.
        assert_eq!(probe(Kind::U32, 0, &[0, 0], 0.0, 0.1).1, Finding::NonePlausible);
    }
}
