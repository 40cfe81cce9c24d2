//! OBIS codes (IEC 62056-61) of what is asked: values of IEC 62056-21 and SML name themselves by them.

use super::{Query, Unit};
use rust_decimal::Decimal;

/// Value groups C, D, E of an OBIS code: the medium and channel before them and the period behind them differ by meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    /// C.
    pub c: u8,
    /// D.
    pub d: u8,
    /// E.
    pub e: u8,
}

impl Code {
    /// C.D.E.
    pub const fn new(c: u8, d: u8, e: u8) -> Self {
        Self { c, d, e }
    }
}

/// Codes that answer `query`, the first that a meter has counts. Sources: facts, protocols, sections 6 and 7.
pub fn codes(query: Query) -> Vec<Code> {
    let code = Code::new;
    match query {
        Query::Energy => vec![code(1, 8, 0)],
        Query::TariffEnergy(tariff) => vec![code(1, 8, tariff)],
        Query::ReverseEnergy => vec![code(2, 8, 0)],
        Query::Voltage => vec![code(32, 7, 0)],
        Query::Current => vec![code(31, 7, 0)],
        Query::Power => vec![code(16, 7, 0)],
        _ => vec![],
    }
}

/// `number` in `unit` as written (`kWh`, `Wh`, `W` …) in the unit of answers; `None` where it is another quantity.
pub fn in_unit_of_answers(query: Query, number: Decimal, unit: &str) -> Option<(Decimal, Unit)> {
    let (of, thousandths) = match unit {
        "kWh" => (Unit::KilowattHour, false),
        "Wh" => (Unit::KilowattHour, true),
        "kW" => (Unit::Kilowatt, false),
        "W" => (Unit::Kilowatt, true),
        "V" => (Unit::Volt, false),
        "A" => (Unit::Ampere, false),
        _ => return None,
    };
    let number = if thousandths { shifted(number, -3)? } else { number };
    (query.unit() == Some(of)).then_some((number, of))
}

/// `number` × 10^`exponent`, exactly; its scale says what it resolves.
pub fn shifted(number: Decimal, exponent: i32) -> Option<Decimal> {
    let scale = i64::from(number.scale()) - i64::from(exponent);
    if scale >= 0 {
        return Decimal::try_from_i128_with_scale(number.mantissa(), u32::try_from(scale).ok()?).ok();
    }
    let factor = 10_i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(number.mantissa().checked_mul(factor)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_keeps_every_digit() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(shifted(number("20431047"), -1).unwrap().to_string(), "2043104.7");
        assert_eq!(shifted(number("13024"), 3).unwrap().to_string(), "13024000");
        assert_eq!(shifted(number("1.20"), -3).unwrap().to_string(), "0.00120");
        assert_eq!(shifted(number("1"), 40), None);
        assert_eq!(shifted(number("1"), -40), None);
        let (energy, unit) = in_unit_of_answers(Query::Energy, number("2043104.7"), "Wh").unwrap();
        assert_eq!((energy.to_string(), unit), ("2043.1047".to_owned(), Unit::KilowattHour));
        assert_eq!(in_unit_of_answers(Query::Energy, number("1"), "kW"), None);
    }
}
