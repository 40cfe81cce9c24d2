//! Data bytes of one item and the value they stand for, both ways.

use super::frame::Di;
use crate::link::hex;
use crate::meter::{Provenance, Reading, Unit, Value};
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How an item's bytes hold its value. All go low byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Two decimal digits a byte; a number with a unit, or a count without.
    Bcd,
    /// An integer; a number with a unit, or a count without.
    Binary,
    /// Two decimal digits a byte, kept as text with its leading zeros.
    Digits,
    /// Characters, the last one first; blanks and NUL around them do not count.
    Ascii,
    /// `WW DD MM YY`, 4 bytes, WW 00 is Sunday.
    Date,
    /// `ss mm hh`, 3 bytes.
    Time,
    /// `ss mm hh WW DD MM YY`, 7 bytes.
    Datetime,
    /// Begin and end, each `ss mm hh DD MM YY`, then anything.
    CoverRecord,
    /// When, `ss mm hh DD MM YY`, then anything.
    EventRecord,
    /// Operator (4 bytes), clock before and after, each `ss mm hh DD MM YY`.
    ClockSetRecord,
    /// Seven words of 16 bits.
    StatusWords,
    /// `hh DD`, 2 bytes; 99 99: not set.
    DayHour,
    /// When, `mm hh DD MM YY`, 5 bytes.
    MinuteRecord,
    /// The total as [`Coding::Bcd`], then tariffs of as many bytes each.
    Block,
}

/// Where a number keeps its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// It has none.
    None,
    /// The top bit of the top byte; set is negative.
    TopBit,
}

/// One item of a meter: where it is and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub(super) di: Di,
    pub(super) bytes: usize,
    pub(super) coding: Coding,
    pub(super) decimals: u32,
    pub(super) sign: Sign,
    pub(super) unit: Option<Unit>,
    pub(super) source: String,
    pub(super) provenance: Provenance,
}

/// Why bytes are no value, or a value has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another number of bytes.
    #[error("{seen} data bytes came where {allowed} are expected")]
    Length {
        /// How many came.
        seen: usize,
        /// How many the item has.
        allowed: usize,
    },
    /// A half byte above nine.
    #[error("the bytes `{seen}` are no decimal digits")]
    NotDecimal {
        /// The bytes, as sent.
        seen: String,
    },
    /// Bytes outside printable ASCII.
    #[error("the bytes `{seen}` are no ASCII text")]
    NotText {
        /// The bytes, as sent.
        seen: String,
    },
    /// Digits that stand for no day or hour.
    #[error("the bytes `{seen}` are no date and time")]
    NoDate {
        /// The bytes, as sent.
        seen: String,
    },
    /// Encoding: another kind of value.
    #[error("`{seen}` cannot be written as {coding:?}")]
    WrongKind {
        /// The value.
        seen: String,
        /// What the item holds.
        coding: Coding,
    },
    /// Encoding: it does not fit.
    #[error("`{seen}` does not fit into {bytes} bytes with {decimals} decimals and sign {sign:?}")]
    DoesNotFit {
        /// The value.
        seen: String,
        /// Room.
        bytes: usize,
        /// Resolution.
        decimals: u32,
        /// Room for a sign.
        sign: Sign,
    },
}

const TOP_BIT: u8 = 0x80;

impl Item {
    /// Where it is.
    pub const fn di(&self) -> Di {
        self.di
    }

    /// How many data bytes it has behind the data identifier: 1..=200.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How its bytes hold the value.
    pub const fn coding(&self) -> Coding {
        self.coding
    }

    /// Digits behind the point: the resolution is one in the last of them.
    pub const fn decimals(&self) -> u32 {
        self.decimals
    }

    /// Where its sign is.
    pub const fn sign(&self) -> Sign {
        self.sign
    }

    /// The unit of a number.
    pub const fn unit(&self) -> Option<Unit> {
        self.unit
    }

    /// Where this line of the table was taken from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How sure it is.
    pub const fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// The value in `data` (behind the data identifier, without 33H). All FF is a meter's way to say that it has none.
    ///
    /// A [`Coding::Date`] comes as that day at midnight, a [`Coding::Time`] as that hour of 2000-01-01.
    pub fn decode(&self, data: &[u8]) -> Result<Reading, Refusal> {
        let whole = match self.coding {
            Coding::Block => data.len() >= self.bytes && data.len().is_multiple_of(self.bytes),
            _ => data.len() == self.bytes,
        };
        if !whole {
            return Err(Refusal::Length { seen: data.len(), allowed: self.bytes });
        }
        if data.iter().all(|byte| *byte == 0xFF) {
            return Ok(Reading::Absent("no value (all bytes FF)".to_owned()));
        }
        Ok(Reading::Value(match self.coding {
            Coding::Bcd | Coding::Binary => self.decode_number(data)?,
            Coding::Block => self.decode_number(&data[..self.bytes])?,
            Coding::DayHour if data == [0x99; 2] => {
                return Ok(Reading::Absent("it is not set (99 99)".to_owned()));
            }
            Coding::DayHour => day_hour(data)?,
            Coding::MinuteRecord => Value::Event { at: moment(&[&[0], data].concat())? },
            Coding::Digits => Value::Text(digits(data)?),
            Coding::Ascii => Value::Text(ascii(data)?),
            Coding::Date => Value::Clock(date(data, &data[1..4])?.to_datetime(Time::midnight())),
            Coding::Time => Value::Clock(EPOCH.to_datetime(time(data, &data[..3])?)),
            Coding::Datetime => Value::Clock(date(data, &data[4..7])?.to_datetime(time(data, &data[..3])?)),
            Coding::CoverRecord => Value::CoverOpen { from: moment(&data[..6])?, to: moment(&data[6..12])? },
            Coding::EventRecord => Value::Event { at: moment(&data[..6])? },
            Coding::ClockSetRecord => {
                Value::ClockSet { before: moment(&data[4..10])?, after: moment(&data[10..16])? }
            }
            Coding::StatusWords => Value::Text(status(data)),
        }))
    }

    fn decode_number(&self, data: &[u8]) -> Result<Value, Refusal> {
        let mut bytes = data.to_vec();
        let mut negative = false;
        if let (Sign::TopBit, Some(top)) = (self.sign, bytes.last_mut()) {
            negative = *top & TOP_BIT != 0;
            *top &= !TOP_BIT;
        }
        let magnitude = match self.coding {
            Coding::Binary => bytes.iter().rev().fold(0, |sum: i128, byte| sum << 8 | i128::from(*byte)),
            _ => bytes
                .iter()
                .rev()
                .try_fold(0, |sum: i128, byte| Some(sum * 100 + i128::from(pair(*byte)?)))
                .ok_or_else(|| Refusal::NotDecimal { seen: hex::text(data) })?,
        };
        let signed = if negative { -magnitude } else { magnitude };
        let does_not_fit = |_| self.does_not_fit(&signed.to_string());
        match self.unit {
            Some(unit) => {
                let number = Decimal::try_from_i128_with_scale(signed, self.decimals);
                number
                    .map(|number| Value::Number(number, unit))
                    .map_err(|_| self.does_not_fit(&signed.to_string()))
            }
            None => u32::try_from(signed).map(Value::Count).map_err(does_not_fit),
        }
    }

    /// The data bytes (behind the data identifier, without 33H) that stand for `value`: what a simulated meter answers.
    /// A number must already have no more decimals than the item. The part of a cover record behind its times is zero.
    pub fn encode(&self, value: &Value) -> Result<Vec<u8>, Refusal> {
        let wrong_kind = || Refusal::WrongKind { seen: value.to_string(), coding: self.coding };
        match (self.coding, value) {
            (Coding::Bcd | Coding::Binary, Value::Number(number, unit)) if self.unit == Some(*unit) => {
                self.encode_number(*number)
            }
            // One tariff, which has all of it.
            (Coding::Block, Value::Number(number, unit)) if self.unit == Some(*unit) => {
                Ok(self.encode_number(*number)?.repeat(2))
            }
            (Coding::DayHour, Value::MonthDay { day, hour }) => Ok(vec![packed(*hour), packed(*day)]),
            (Coding::MinuteRecord, Value::Event { at }) => {
                let wide = Self { bytes: self.bytes + 1, ..self.clone() };
                Ok(wide.encode_moments(&[], &[*at])?.split_off(1))
            }
            (Coding::Bcd | Coding::Binary, Value::Count(count)) if self.unit.is_none() => {
                self.encode_number(Decimal::from(*count))
            }
            (Coding::Digits, Value::Text(text)) => {
                let all_digits =
                    text.len() == 2 * self.bytes && text.bytes().all(|digit| digit.is_ascii_digit());
                if !all_digits {
                    return Err(self.does_not_fit(text));
                }
                Ok(text
                    .as_bytes()
                    .chunks(2)
                    .rev()
                    .map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0'))
                    .collect())
            }
            (Coding::Ascii, Value::Text(text)) => {
                if text.len() > self.bytes || !text.bytes().all(printable) {
                    return Err(self.does_not_fit(text));
                }
                Ok(format!("{text:<width$}", width = self.bytes).bytes().rev().collect())
            }
            (Coding::Date, Value::Clock(clock)) => self.encode_date(clock.date()),
            (Coding::Time, Value::Clock(clock)) => Ok(time_bytes(clock.time()).to_vec()),
            (Coding::Datetime, Value::Clock(clock)) => {
                Ok([&time_bytes(clock.time())[..], &self.encode_date(clock.date())?].concat())
            }
            (Coding::CoverRecord, Value::CoverOpen { from, to }) => self.encode_moments(&[], &[*from, *to]),
            (Coding::EventRecord, Value::Event { at }) => self.encode_moments(&[], &[*at]),
            (Coding::StatusWords, Value::Text(text)) => {
                let words = text.split_once(':').map_or(text.as_str(), |(words, _)| words).split(' ');
                let words: Result<Vec<u16>, _> = words.map(|word| u16::from_str_radix(word, 16)).collect();
                let words = words.ok().filter(|words| words.len() * 2 == self.bytes);
                Ok(words.ok_or_else(wrong_kind)?.into_iter().flat_map(u16::to_le_bytes).collect())
            }
            (Coding::ClockSetRecord, Value::ClockSet { before, after }) => {
                self.encode_moments(&[0; 4], &[*before, *after])
            }
            _ => Err(wrong_kind()),
        }
    }

    fn encode_number(&self, number: Decimal) -> Result<Vec<u8>, Refusal> {
        let does_not_fit = || self.does_not_fit(&number.to_string());
        let mut exact = number;
        exact.rescale(self.decimals);
        if exact.scale() != self.decimals || exact != number {
            return Err(does_not_fit());
        }
        let mantissa = exact.mantissa();
        if mantissa < 0 && self.sign == Sign::None {
            return Err(does_not_fit());
        }
        let mut rest = mantissa.unsigned_abs();
        let base = if self.coding == Coding::Binary { 256 } else { 100 };
        let mut bytes = Vec::with_capacity(self.bytes);
        for _ in 0..self.bytes {
            let low = (rest % base) as u8;
            bytes.push(if base == 100 { packed(low) } else { low });
            rest /= base;
        }
        if let (Sign::TopBit, Some(top)) = (self.sign, bytes.last_mut()) {
            if *top & TOP_BIT != 0 {
                return Err(does_not_fit());
            }
            *top |= if mantissa < 0 { TOP_BIT } else { 0 };
        }
        // All FF would be read as no value.
        if rest != 0 || bytes.iter().all(|byte| *byte == 0xFF) { Err(does_not_fit()) } else { Ok(bytes) }
    }

    fn encode_moments(&self, front: &[u8], moments: &[Option<DateTime>]) -> Result<Vec<u8>, Refusal> {
        let mut bytes = front.to_vec();
        for moment in moments {
            match moment {
                None => bytes.extend([0; 6]),
                Some(at) => {
                    bytes.extend(time_bytes(at.time()));
                    bytes.extend(&self.encode_date(at.date())?[1..]);
                }
            }
        }
        bytes.resize(self.bytes, 0);
        Ok(bytes)
    }

    /// `WW DD MM YY`; the two digits stand for 2000 to 2099.
    fn encode_date(&self, date: Date) -> Result<Vec<u8>, Refusal> {
        let year = u8::try_from(date.year() - 2000).ok().filter(|year| *year < 100);
        let year = year.ok_or_else(|| self.does_not_fit(&date.to_string()))?;
        let weekday = date.weekday().to_sunday_zero_offset();
        Ok([weekday as u8, date.day() as u8, date.month() as u8, year].map(packed).to_vec())
    }

    fn does_not_fit(&self, seen: &str) -> Refusal {
        Refusal::DoesNotFit {
            seen: seen.to_owned(),
            bytes: self.bytes,
            decimals: self.decimals,
            sign: self.sign,
        }
    }
}

/// The day of an hour without a day.
const EPOCH: Date = Date::constant(2000, 1, 1);

/// Bits of the status words whose meaning is known: word from 1, bit from 0. Source: facts, protocols, section 1.3 (M).
const STATUS_BITS: [(usize, u32, &str); 4] = [
    (1, 2, "clock battery low"),
    (1, 4, "active power reversed"),
    (3, 3, "programming allowed"),
    (3, 4, "relay bit set"),
];

/// Words in hex, and what is known of the bits that are set.
fn status(data: &[u8]) -> String {
    let words: Vec<u16> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let set = |(word, bit, _): &&(usize, u32, &str)| words.get(word - 1).is_some_and(|w| w >> bit & 1 == 1);
    let known: Vec<&str> = STATUS_BITS.iter().filter(set).map(|(_, _, name)| *name).collect();
    let hex: Vec<String> = words.iter().map(|word| format!("{word:04X}")).collect();
    let colon = if known.is_empty() { "" } else { ": " };
    format!("{}{colon}{}", hex.join(" "), known.join(", "))
}

/// 0..=99 as two decimal digits.
fn packed(number: u8) -> u8 {
    ((number / 10) << 4) | (number % 10)
}

/// A day of a month, 1 to 28 so that every month has it, and an hour.
fn day_hour(data: &[u8]) -> Result<Value, Refusal> {
    let (hour, day) = (pair(data[0]), pair(data[1]));
    match (day, hour) {
        (Some(day @ 1..=28), Some(hour @ 0..=23)) => Ok(Value::MonthDay { day, hour }),
        _ => Err(Refusal::NoDate { seen: hex::text(data) }),
    }
}

/// Two decimal digits as 0..=99.
fn pair(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

fn digits(data: &[u8]) -> Result<String, Refusal> {
    let pairs: Option<Vec<u8>> = data.iter().rev().map(|byte| pair(*byte)).collect();
    let pairs = pairs.ok_or_else(|| Refusal::NotDecimal { seen: hex::text(data) })?;
    Ok(pairs.iter().flat_map(|pair| [pair / 10, pair % 10]).map(|digit| char::from(b'0' + digit)).collect())
}

fn printable(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

fn ascii(data: &[u8]) -> Result<String, Refusal> {
    let text: String = data.iter().rev().map(|byte| char::from(*byte)).collect();
    let text = text.trim_matches(['\0', ' ']);
    let sound = text.bytes().all(printable);
    if sound { Ok(text.to_owned()) } else { Err(Refusal::NotText { seen: hex::text(data) }) }
}

/// From `DD MM YY`; `whole` are the bytes for the message.
fn date(whole: &[u8], bytes: &[u8]) -> Result<Date, Refusal> {
    let number = |byte| pair(byte).and_then(|pair| i8::try_from(pair).ok());
    number(bytes[0])
        .zip(number(bytes[1]))
        .zip(number(bytes[2]))
        .and_then(|((day, month), year)| Date::new(2000 + i16::from(year), month, day).ok())
        .ok_or_else(|| Refusal::NoDate { seen: hex::text(whole) })
}

/// From `ss mm hh`; `whole` are the bytes for the message.
fn time(whole: &[u8], bytes: &[u8]) -> Result<Time, Refusal> {
    let number = |byte| pair(byte).and_then(|pair| i8::try_from(pair).ok());
    number(bytes[0])
        .zip(number(bytes[1]))
        .zip(number(bytes[2]))
        .and_then(|((second, minute), hour)| Time::new(hour, minute, second, 0).ok())
        .ok_or_else(|| Refusal::NoDate { seen: hex::text(whole) })
}

fn time_bytes(time: Time) -> [u8; 3] {
    [time.second() as u8, time.minute() as u8, time.hour() as u8].map(packed)
}

/// From `ss mm hh DD MM YY`; all zero or all FF is no moment.
fn moment(bytes: &[u8]) -> Result<Option<DateTime>, Refusal> {
    if bytes.iter().all(|byte| *byte == 0) || bytes.iter().all(|byte| *byte == 0xFF) {
        return Ok(None);
    }
    Ok(Some(date(bytes, &bytes[3..6])?.to_datetime(time(bytes, &bytes[..3])?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(coding: Coding, bytes: usize, decimals: u32, sign: Sign, unit: Option<Unit>) -> Item {
        let (di, source) = (Di::new(0), String::new());
        Item { di, bytes, coding, decimals, sign, unit, source, provenance: Provenance::Invented }
    }

    fn number(text: &str, unit: Unit) -> Value {
        Value::Number(text.parse().unwrap(), unit)
    }

    fn both_ways(item: &Item, data: &[u8], value: &Value) {
        assert_eq!(item.decode(data), Ok(Reading::Value(value.clone())));
        assert_eq!(item.encode(value).as_deref(), Ok(data));
    }

    #[test]
    fn decimal_digits_keep_their_resolution() {
        let energy = item(Coding::Bcd, 4, 2, Sign::None, Some(Unit::KilowattHour));
        both_ways(&energy, &[0x56, 0x34, 0x12, 0x00], &number("1234.56", Unit::KilowattHour));
        let Ok(Reading::Value(value)) = energy.decode(&[0, 0, 0, 0]) else { panic!() };
        assert_eq!(value.to_string(), "0.00 kWh");
        both_ways(&energy, &[0x99, 0x99, 0x99, 0x99], &number("999999.99", Unit::KilowattHour));
    }

    #[test]
    fn the_sign_bit_is_taken_off_before_the_digits_are_checked() {
        let current = item(Coding::Bcd, 3, 3, Sign::TopBit, Some(Unit::Ampere));
        both_ways(&current, &[0x99, 0x49, 0x80], &number("-4.999", Unit::Ampere));
        both_ways(&current, &[0x99, 0x99, 0xF9], &number("-799.999", Unit::Ampere));
        assert!(current.encode(&number("800.000", Unit::Ampere)).is_err());
        let unsigned = item(Coding::Bcd, 3, 3, Sign::None, Some(Unit::Ampere));
        assert!(matches!(unsigned.decode(&[0, 0, 0xF9]), Err(Refusal::NotDecimal { .. })));
        assert!(unsigned.encode(&number("-1.000", Unit::Ampere)).is_err());
    }

    #[test]
    fn what_are_no_digits_is_never_a_number() {
        let energy = item(Coding::Bcd, 4, 2, Sign::TopBit, Some(Unit::KilowattHour));
        assert_eq!(
            energy.decode(&[0x0A, 0, 0, 0]),
            Err(Refusal::NotDecimal { seen: "0A 00 00 00".to_owned() })
        );
        assert!(energy.decode(&[0xA0, 0, 0, 0]).is_err());
        assert_eq!(energy.decode(&[0; 3]), Err(Refusal::Length { seen: 3, allowed: 4 }));
        assert_eq!(energy.decode(&[]), Err(Refusal::Length { seen: 0, allowed: 4 }));
    }

    #[test]
    fn all_ff_is_no_value() {
        for coding in [Coding::Bcd, Coding::Binary] {
            let energy = item(coding, 4, 3, Sign::None, Some(Unit::KilowattHour));
            assert!(matches!(energy.decode(&[0xFF; 4]), Ok(Reading::Absent(_))));
        }
        let count = item(Coding::Binary, 4, 0, Sign::None, None);
        assert!(count.encode(&Value::Count(u32::MAX)).is_err());
    }

    #[test]
    fn binary_energy_goes_low_byte_first() {
        let energy = item(Coding::Binary, 4, 3, Sign::None, Some(Unit::KilowattHour));
        both_ways(&energy, &[0x40, 0xE2, 0x01, 0x00], &number("123.456", Unit::KilowattHour));
        assert!(energy.encode(&number("0.0001", Unit::KilowattHour)).is_err());
        assert!(energy.encode(&number("4294967.296", Unit::KilowattHour)).is_err());
        assert!(energy.encode(&number("1", Unit::Volt)).is_err());
        // Fewer decimals than the item are no loss.
        assert_eq!(energy.encode(&number("1", Unit::KilowattHour)), Ok(vec![0xE8, 3, 0, 0]));
    }

    #[test]
    fn names_keep_their_leading_zeros() {
        let address = item(Coding::Digits, 6, 0, Sign::None, None);
        both_ways(&address, &[0x61, 1, 0, 0, 0, 0], &Value::Text("000000000161".to_owned()));
        assert!(address.decode(&[0xAA; 6]).is_err());
        let model = item(Coding::Ascii, 6, 0, Sign::None, None);
        both_ways(&model, b"  B5-A", &Value::Text("A-5B".to_owned()));
        assert_eq!(model.decode(b"\0\0B5-A"), Ok(Reading::Value(Value::Text("A-5B".to_owned()))));
        assert!(model.decode(b"\xC3\x28B5-A").is_err());
    }

    #[test]
    fn a_date_starts_with_its_day_of_the_week() {
        // 2026-11-20 is a Friday.
        let clock = |text: &str| Value::Clock(text.parse().unwrap());
        let day = item(Coding::Date, 4, 0, Sign::None, None);
        both_ways(&day, &[0x05, 0x20, 0x11, 0x26], &clock("2026-11-20T00:00:00"));
        let hour = item(Coding::Time, 3, 0, Sign::None, None);
        both_ways(&hour, &[0x30, 0x15, 0x08], &clock("2000-01-01T08:15:30"));
        let both = item(Coding::Datetime, 7, 0, Sign::None, None);
        both_ways(&both, &[0x30, 0x15, 0x08, 0x05, 0x20, 0x11, 0x26], &clock("2026-11-20T08:15:30"));
        assert!(day.decode(&[0x05, 0x30, 0x02, 0x26]).is_err());
        assert!(hour.decode(&[0x60, 0x15, 0x08]).is_err());
        assert!(day.encode(&clock("1999-01-01T00:00:00")).is_err());
    }

    #[test]
    fn a_cover_record_may_be_empty_or_still_open() {
        let record = item(Coding::CoverRecord, 60, 0, Sign::None, None);
        both_ways(&record, &[0; 60], &Value::CoverOpen { from: None, to: None });
        let from = Some("2026-11-20T08:15:30".parse().unwrap());
        let mut data = [0; 60];
        data[..6].copy_from_slice(&[0x30, 0x15, 0x08, 0x20, 0x11, 0x26]);
        both_ways(&record, &data, &Value::CoverOpen { from, to: None });
    }

    proptest! {
        #[test]
        fn every_reading_has_its_bytes(data: [u8; 4], decimals in 0..6_u32, binary: bool, signed: bool) {
            let coding = if binary { Coding::Binary } else { Coding::Bcd };
            let sign = if signed { Sign::TopBit } else { Sign::None };
            let item = item(coding, 4, decimals, sign, Some(Unit::Volt));
            if let Ok(Reading::Value(value)) = item.decode(&data) {
                // Minus zero is zero.
                let again = item.encode(&value).unwrap();
                prop_assert!(again == data || (data == [0, 0, 0, TOP_BIT] && again == [0; 4]));
            }
        }
    }
}
