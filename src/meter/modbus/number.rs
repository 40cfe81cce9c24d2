//! Registers and the value they stand for: exact decimals, whatever width, sign, float and order.

use crate::link::hex;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How registers hold a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 16 bits without sign.
    U16,
    /// 16 bits, two's complement.
    I16,
    /// 32 bits without sign.
    U32,
    /// 32 bits, two's complement.
    I32,
    /// 64 bits without sign.
    U64,
    /// 64 bits, two's complement.
    I64,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
    /// Iskra T5: exponent of ten in the top byte (signed), 24 bits without sign.
    ExponentU24,
    /// Iskra T6: exponent of ten in the top byte (signed), 24 bits, two's complement.
    ExponentI24,
    /// Two characters a register.
    Ascii,
    /// `YY MM DD hh mm ss`, six bytes, binary.
    ClockBytes,
}

impl Kind {
    /// Registers it takes; none where the item says so itself.
    pub const fn registers(self) -> Option<u16> {
        match self {
            Self::U16 | Self::I16 => Some(1),
            Self::U32 | Self::I32 | Self::F32 | Self::ExponentU24 | Self::ExponentI24 => Some(2),
            Self::U64 | Self::I64 | Self::F64 => Some(4),
            Self::ClockBytes => Some(3),
            Self::Ascii => None,
        }
    }

    /// Whether it is a number with a unit.
    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Ascii | Self::ClockBytes)
    }
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The highest.
    HighFirst,
    /// The lowest.
    LowFirst,
}

/// Order of the registers of one value and of the two bytes of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Of registers.
    pub words: Order,
    /// Of bytes; the standard says high first.
    pub bytes: Order,
}

impl Places {
    /// As most meters have it: all high first.
    pub const BIG: Self = Self { words: Order::HighFirst, bytes: Order::HighFirst };
    /// All that occur.
    pub const ALL: [Self; 4] = [
        Self::BIG,
        Self { words: Order::LowFirst, bytes: Order::HighFirst },
        Self { words: Order::HighFirst, bytes: Order::LowFirst },
        Self { words: Order::LowFirst, bytes: Order::LowFirst },
    ];

    /// The bytes of these registers, highest first.
    fn bytes_of(self, registers: &[u16]) -> Vec<u8> {
        let pair = |word: &u16| match self.bytes {
            Order::HighFirst => word.to_be_bytes(),
            Order::LowFirst => word.to_le_bytes(),
        };
        match self.words {
            Order::HighFirst => registers.iter().flat_map(pair).collect(),
            Order::LowFirst => registers.iter().rev().flat_map(pair).collect(),
        }
    }

    /// The registers that hold these bytes, highest first.
    fn registers_of(self, bytes: &[u8]) -> Vec<u16> {
        let word = |pair: &[u8]| match self.bytes {
            Order::HighFirst => u16::from_be_bytes([pair[0], pair[1]]),
            Order::LowFirst => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let words = bytes.chunks(2).map(word);
        if self.words == Order::HighFirst { words.collect() } else { words.rev().collect() }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |order| if order == Order::HighFirst { "high-first" } else { "low-first" };
        write!(f, "words = \"{}\", bytes = \"{}\"", name(self.words), name(self.bytes))
    }
}

/// Why registers are no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another number of registers.
    #[error("{seen} registers came where {allowed} are expected")]
    Length {
        /// How many came.
        seen: usize,
        /// How many it takes.
        allowed: usize,
    },
    /// A float that is no number, or one outside every scale.
    #[error("`{seen}` is no number that a meter can mean")]
    NoNumber {
        /// It.
        seen: String,
    },
    /// Bytes outside printable ASCII.
    #[error("the bytes `{seen}` are no ASCII text")]
    NotText {
        /// They.
        seen: String,
    },
    /// Digits that stand for no day or hour.
    #[error("the bytes `{seen}` are no date and time")]
    NoDate {
        /// They.
        seen: String,
    },
}

/// Digits behind the point are believed up to here, both ways.
const DECIMALS_MAX: i32 = 20;

/// The number in `registers` times ten to the power of `exponent`. Its scale is the meter's resolution: for a float, that
/// of one step of its last bit, rounded to the coarser decimal digit.
pub fn number(kind: Kind, places: Places, registers: &[u16], exponent: i32) -> Result<Decimal, Refusal> {
    let allowed = usize::from(kind.registers().unwrap_or(0));
    if registers.len() != allowed {
        return Err(Refusal::Length { seen: registers.len(), allowed });
    }
    let bytes = places.bytes_of(registers);
    let unsigned = bytes.iter().fold(0_i128, |sum, byte| sum << 8 | i128::from(*byte));
    let signed = |bits: u32| if unsigned >> (bits - 1) == 1 { unsigned - (1 << bits) } else { unsigned };
    match kind {
        Kind::U16 | Kind::U32 | Kind::U64 => scaled(unsigned, exponent),
        Kind::I16 => scaled(signed(16), exponent),
        Kind::I32 => scaled(signed(32), exponent),
        Kind::I64 => scaled(signed(64), exponent),
        Kind::ExponentU24 | Kind::ExponentI24 => {
            let ten = i32::from(bytes[0].cast_signed());
            let low = unsigned & 0xFF_FFFF;
            let negative = kind == Kind::ExponentI24 && low >> 23 == 1;
            scaled(if negative { low - (1 << 24) } else { low }, exponent + ten)
        }
        Kind::F32 => {
            let value = f32::from_bits(unsigned as u32);
            let step = f64::from(f32::EPSILON) * power_of_two(f64::from(value).abs());
            float(f64::from(value), step, exponent)
        }
        Kind::F64 => {
            let value = f64::from_bits(unsigned as u64);
            float(value, f64::EPSILON * power_of_two(value.abs()), exponent)
        }
        Kind::Ascii | Kind::ClockBytes => Err(Refusal::NoNumber { seen: hex::text(&bytes) }),
    }
}

/// The power of two at or below `magnitude`; that of the smallest step for zero.
fn power_of_two(magnitude: f64) -> f64 {
    if magnitude > 0.0 && magnitude.is_finite() { magnitude.log2().floor().exp2() } else { 1.0 }
}

/// `mantissa` × 10^`exponent`, exactly.
fn scaled(mantissa: i128, exponent: i32) -> Result<Decimal, Refusal> {
    let refuse = || Refusal::NoNumber { seen: format!("{mantissa} × 10^{exponent}") };
    if !(-DECIMALS_MAX..=DECIMALS_MAX).contains(&exponent) {
        return Err(refuse());
    }
    let (digits, scale) = if exponent <= 0 {
        (Some(mantissa), exponent.unsigned_abs())
    } else {
        (mantissa.checked_mul(10_i128.pow(exponent.unsigned_abs())), 0)
    };
    Decimal::try_from_i128_with_scale(digits.ok_or_else(refuse)?, scale).map_err(|_| refuse())
}

/// `value` with as many digits as one step of its last bit has a right to, times 10^`exponent`.
fn float(value: f64, step: f64, exponent: i32) -> Result<Decimal, Refusal> {
    let refuse = || Refusal::NoNumber { seen: value.to_string() };
    if !value.is_finite() || value.abs() > 1e15 {
        return Err(refuse());
    }
    let digits = (-step.log10()).floor().clamp(0.0, 12.0) as i32;
    let text = format!("{value:.*}", digits as usize);
    let number: Decimal = text.parse().map_err(|_| refuse())?;
    scaled(number.mantissa(), exponent - digits)
}

/// The text in `registers`; blanks and NUL around it do not count.
pub fn text(places: Places, registers: &[u16]) -> Result<String, Refusal> {
    // Words of a text stand in reading order whatever the order of numbers.
    let bytes = Places { words: Order::HighFirst, ..places }.bytes_of(registers);
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = text.trim_matches(['\0', ' ']);
    let sound = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if sound && text.is_ascii() {
        Ok(text.to_owned())
    } else {
        Err(Refusal::NotText { seen: hex::text(&bytes) })
    }
}

/// The clock in three registers; the two digits of the year stand for 2000 to 2099.
pub fn clock(registers: &[u16]) -> Result<DateTime, Refusal> {
    let bytes = Places::BIG.bytes_of(registers);
    let [year, month, day, hour, minute, second] = bytes[..] else {
        return Err(Refusal::Length { seen: registers.len(), allowed: 3 });
    };
    let small = |byte: u8| i8::try_from(byte).ok();
    small(month)
        .zip(small(day))
        .zip(small(hour))
        .zip(small(minute))
        .zip(small(second))
        .filter(|_| year < 100)
        .and_then(|((((month, day), hour), minute), second)| {
            DateTime::new(2000 + i16::from(year), month, day, hour, minute, second, 0).ok()
        })
        .ok_or_else(|| Refusal::NoDate { seen: hex::text(&bytes) })
}

/// The registers that hold `value` × 10^-`exponent`: what a simulated meter answers; `None` where it does not fit.
pub fn registers(kind: Kind, places: Places, value: Decimal, exponent: i32) -> Option<Vec<u16>> {
    let plain = value.normalize();
    let shift = i32::try_from(plain.scale()).ok()? + exponent;
    let whole = match kind {
        Kind::F32 | Kind::F64 => 0,
        // Digits that the register has no room for are cut, as a mechanical counter does.
        _ if shift > 0 => plain.mantissa() / 10_i128.checked_pow(shift.unsigned_abs())?,
        _ => plain.mantissa().checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?,
    };
    let scaled = value.to_string().parse::<f64>().ok()? / 10_f64.powi(exponent);
    let bytes = match kind {
        Kind::U16 => u16::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::I16 => i16::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::U32 => u32::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::I32 => i32::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::U64 => u64::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::I64 => i64::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Kind::F32 => (scaled as f32).to_be_bytes().to_vec(),
        Kind::F64 => scaled.to_be_bytes().to_vec(),
        _ => return None,
    };
    Some(places.registers_of(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(kind: Kind, registers: &[u16], exponent: i32) -> String {
        number(kind, Places::BIG, registers, exponent).unwrap().to_string()
    }

    #[test]
    fn integers_keep_sign_and_resolution() {
        assert_eq!(read(Kind::U16, &[0xFFFF], 0), "65535");
        assert_eq!(read(Kind::I16, &[0xFFFF], -1), "-0.1");
        assert_eq!(read(Kind::U32, &[0x0000, 0x521A], -4), "2.1018");
        assert_eq!(read(Kind::I32, &[0xFFFF, 0xFFFE], -2), "-0.02");
        assert_eq!(read(Kind::U64, &[0, 0, 0, 100], -3), "0.100");
        assert_eq!(read(Kind::U16, &[7], 2), "700");
        assert!(number(Kind::U16, Places::BIG, &[1], 30).is_err());
        assert!(number(Kind::U64, Places::BIG, &[0xFFFF; 4], 20).is_err());
        assert!(number(Kind::U32, Places::BIG, &[1], 0).is_err());
    }

    #[test]
    fn a_float_says_no_more_digits_than_its_bits_hold() {
        let bits = 750.123_f32.to_bits();
        let registers = [(bits >> 16) as u16, bits as u16];
        // One step at 750 is 6.1e-5: four decimals.
        assert_eq!(read(Kind::F32, &registers, 0), "750.1230");
        assert_eq!(read(Kind::F32, &registers, -3), "0.7501230");
        for bits in [f32::NAN.to_bits(), f32::INFINITY.to_bits(), f32::MAX.to_bits()] {
            assert!(number(Kind::F32, Places::BIG, &[(bits >> 16) as u16, bits as u16], 0).is_err());
        }
        assert_eq!(read(Kind::F32, &[0, 0], 0), "0.000000");
    }

    #[test]
    fn iskra_numbers_carry_their_exponent() {
        // 230.12 V as 23012 × 10^-2; -1234 × 10^-1 W.
        assert_eq!(read(Kind::ExponentU24, &[0xFE00, 23012], 0), "230.12");
        assert_eq!(read(Kind::ExponentI24, &[0xFFFF, 0xFB2E], 0), "-123.4");
    }

    #[test]
    fn a_clock_of_binary_bytes_is_read_and_nonsense_refused() {
        assert_eq!(clock(&[0x1803, 0x130E, 0x1409]).unwrap().to_string(), "2024-03-19T14:20:09");
        assert!(clock(&[0x180D, 0x130E, 0x1409]).is_err());
        assert!(clock(&[0xFFFF; 3]).is_err());
        assert_eq!(text(Places::BIG, &[0x4142, 0x4300]), Ok("ABC".to_owned()));
        assert!(text(Places::BIG, &[0xFFFF]).is_err());
    }

    proptest! {
        #[test]
        fn every_integer_survives_in_every_order(value: u32, exponent in -9..=0_i32) {
            for places in Places::ALL {
                for kind in [Kind::U32, Kind::U64, Kind::I64] {
                    let decimal = Decimal::try_from_i128_with_scale(i128::from(value), exponent.unsigned_abs());
                    let decimal = decimal.unwrap();
                    let held = registers(kind, places, decimal, exponent).unwrap();
                    prop_assert_eq!(number(kind, places, &held, exponent), Ok(decimal));
                }
            }
        }

        #[test]
        fn no_registers_make_a_number_panic(held in proptest::collection::vec(any::<u16>(), 0..5), exponent in -40..40_i32) {
            for kind in [Kind::I16, Kind::U32, Kind::I64, Kind::F32, Kind::F64, Kind::ExponentI24] {
                for places in Places::ALL {
                    let _ = number(kind, places, &held, exponent);
                }
            }
        }
    }
}
