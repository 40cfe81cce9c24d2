//! The identification line and the data block: `02 lines ! CR LF 03 BCC`, every line `OBIS(value*unit)`.

use crate::meter::obis::Code;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use std::fmt::Write;

/// Longest data block believed, in bytes.
pub const BLOCK_LIMIT: usize = 32 * 1024;
/// Longest identification line, in bytes.
const LINE_LIMIT: usize = 64;
/// Most data sets of a block.
const SETS_LIMIT: usize = 2048;

pub(super) const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// `/XXXZident CR LF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    /// Three letters.
    pub maker: String,
    /// The speed it offers.
    pub speed: char,
    /// Anything.
    pub ident: String,
}

/// Why bytes are no readout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The check value.
    #[error("wrong block check: {seen:02X} received, {computed:02X} computed")]
    Check {
        /// In the block.
        seen: u8,
        /// Of what came.
        computed: u8,
    },
    /// More than any meter has.
    #[error("the data block is longer than {BLOCK_LIMIT} bytes")]
    TooLong,
    /// The identification line.
    #[error("`{seen}` is no identification line")]
    NoIdentification {
        /// It.
        seen: String,
    },
    /// A line of the block.
    #[error("`{seen}` is no data set; it must be like 1.8.0(0001234.567*kWh)")]
    NoDataSet {
        /// It.
        seen: String,
    },
}

impl Identification {
    /// The identification in a line without its end.
    pub fn parse(line: &str) -> Result<Self, Refusal> {
        let refuse = || Refusal::NoIdentification { seen: line.chars().take(LINE_LIMIT).collect() };
        let rest = line.strip_prefix('/').filter(|rest| rest.len() <= LINE_LIMIT && rest.is_ascii());
        let rest = rest.ok_or_else(refuse)?;
        let (maker, rest) = rest.split_at_checked(3).ok_or_else(refuse)?;
        let speed = rest.chars().next().ok_or_else(refuse)?;
        if !maker.bytes().all(|byte| byte.is_ascii_alphabetic()) || rest.bytes().any(|b| b < b' ') {
            return Err(refuse());
        }
        Ok(Self { maker: maker.to_owned(), speed, ident: rest[1..].to_owned() })
    }

    /// The speed that mode C offers; `None`: another mode, which begins to send by itself.
    pub const fn baud(&self) -> Option<u32> {
        Some(match self.speed {
            '0' => 300,
            '1' => 600,
            '2' => 1200,
            '3' => 2400,
            '4' => 4800,
            '5' => 9600,
            '6' => 19200,
            _ => return None,
        })
    }
}

/// Text with the parity bit taken off, as 7E1 carries it.
pub fn seven_bits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte & 0x7F).collect()
}

/// The identification line in what came, behind the own echo; `None`: more must come.
pub fn find_identification(bytes: &[u8]) -> Option<Result<Identification, Refusal>> {
    let text: String = seven_bits(bytes).into_iter().map(char::from).collect();
    // The own request begins with a slash too, and a question mark behind it.
    let ended = text.rfind('\n').map(|end| &text[..end])?;
    let mut refused = None;
    for line in ended.split('\n').map(|line| line.trim_end_matches('\r')) {
        let Some(start) = line.rfind('/').filter(|start| !line[*start..].starts_with("/?")) else { continue };
        match Identification::parse(&line[start..]) {
            Ok(found) => return Some(Ok(found)),
            Err(why) => refused = Some(Err(why)),
        }
    }
    refused
}

/// One line of the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// As written: `1.8.0`, `1-0:1.8.0*255`, `C.1.0`.
    pub address: String,
    /// As written.
    pub value: String,
    /// As written; empty where there is none.
    pub unit: String,
}

/// All that a meter read out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readout {
    /// In its order.
    pub sets: Vec<DataSet>,
}

/// A block found in a stream: where its STX stands, and it; `None`: more must come.
pub fn find_block(bytes: &[u8]) -> Option<(usize, Result<Readout, Refusal>)> {
    let bytes = seven_bits(bytes);
    let start = bytes.iter().position(|byte| *byte == STX)?;
    let Some(length) = bytes[start..].iter().position(|byte| *byte == ETX) else {
        return (bytes.len() - start > BLOCK_LIMIT).then_some((start, Err(Refusal::TooLong)));
    };
    let seen = *bytes.get(start + length + 1)?;
    Some((start, Readout::parse(&bytes[start + 1..start + length], seen)))
}

/// XOR of all bytes behind STX, ETX included.
pub fn check(body: &[u8]) -> u8 {
    body.iter().fold(ETX, |sum, byte| sum ^ byte)
}

impl Readout {
    /// The readout in a block's bytes between STX and ETX.
    pub fn parse(body: &[u8], seen: u8) -> Result<Self, Refusal> {
        if body.len() > BLOCK_LIMIT {
            return Err(Refusal::TooLong);
        }
        let computed = check(body);
        if seen != computed {
            return Err(Refusal::Check { seen, computed });
        }
        let text: String = body.iter().map(|byte| char::from(*byte)).collect();
        let mut sets = vec![];
        for line in text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty() && *line != "!") {
            let mut rest = line;
            let mut address = "";
            while !rest.is_empty() {
                let refuse = || Refusal::NoDataSet { seen: line.chars().take(80).collect() };
                let (name, behind) = rest.split_once('(').ok_or_else(refuse)?;
                let (inside, behind) = behind.split_once(')').ok_or_else(refuse)?;
                // A second pair of brackets without a name of its own belongs to the same address.
                if !name.is_empty() {
                    address = name;
                }
                let (value, unit) = inside.split_once('*').unwrap_or((inside, ""));
                if sets.len() >= SETS_LIMIT {
                    return Err(Refusal::TooLong);
                }
                let (address, value, unit) = (address.to_owned(), value.to_owned(), unit.to_owned());
                sets.push(DataSet { address, value, unit });
                rest = behind;
            }
        }
        Ok(Self { sets })
    }

    /// STX, the lines, `!`, ETX and check: what a simulated meter sends. One set a line.
    pub fn emit(&self) -> Vec<u8> {
        let mut body = String::new();
        for set in &self.sets {
            let star = if set.unit.is_empty() { "" } else { "*" };
            let _ = write!(body, "{}({}{star}{})\r\n", set.address, set.value, set.unit);
        }
        body += "!\r\n";
        let mut bytes = vec![STX];
        bytes.extend(body.bytes());
        bytes.push(ETX);
        bytes.push(check(body.as_bytes()));
        bytes
    }

    /// The set whose value groups are `code`, the current period's.
    pub fn find(&self, code: Code) -> Option<&DataSet> {
        self.sets.iter().find(|set| set.code() == Some(code))
    }

    /// The set of exactly this address.
    pub fn named(&self, address: &str) -> Option<&DataSet> {
        let bare = |set: &&DataSet| set.address.rsplit(':').next() == Some(address);
        self.sets.iter().find(bare)
    }
}

impl DataSet {
    /// C.D.E of its address; `None` where it has letters, belongs to an earlier period or to another medium.
    pub fn code(&self) -> Option<Code> {
        let (front, rest) = self.address.split_once(':').unwrap_or(("1-0", &self.address));
        if !front.starts_with("1-") {
            return None;
        }
        let rest = match rest.split_once(['*', '&']) {
            None => rest,
            Some((rest, "255")) => rest,
            Some(_) => return None,
        };
        let mut parts = rest.split('.').map(|part| part.parse::<u8>().ok());
        let (c, d) = (parts.next()??, parts.next()??);
        let e = parts.next().unwrap_or(Some(0))?;
        parts.next().is_none().then_some(Code { c, d, e })
    }

    /// Its exact number.
    pub fn number(&self) -> Option<Decimal> {
        let text = self.value.trim();
        let sound = text.len() <= 24 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        sound.then(|| text.parse().ok()).flatten()
    }

    /// A date written `YY-MM-DD` or `YYMMDD`, also with a digit for the season before it.
    pub fn date(&self) -> Option<Date> {
        let digits = self.digits(6)?;
        Date::new(2000 + i16::from(digits[0]), digits[1], digits[2]).ok()
    }

    /// An hour written `hh:mm:ss` or `hhmmss`, also with a digit for the season before it.
    pub fn time(&self) -> Option<Time> {
        let digits = self.digits(6)?;
        Time::new(digits[0], digits[1], digits[2], 0).ok()
    }

    /// The last `count` digits, in pairs.
    fn digits(&self, count: usize) -> Option<[i8; 3]> {
        let digits: Vec<i8> =
            self.value.bytes().filter(u8::is_ascii_digit).map(|b| (b - b'0').cast_signed()).collect();
        if digits.len() < count || digits.len() > count + 1 {
            return None;
        }
        let pairs = &digits[digits.len() - count..];
        Some([pairs[0] * 10 + pairs[1], pairs[2] * 10 + pairs[3], pairs[4] * 10 + pairs[5]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(address: &str, value: &str, unit: &str) -> DataSet {
        DataSet { address: address.to_owned(), value: value.to_owned(), unit: unit.to_owned() }
    }

    #[test]
    fn the_identification_is_found_behind_the_own_echo_and_noise() {
        let found = |bytes: &[u8]| find_identification(bytes).map(Result::unwrap);
        let expected = Identification { maker: "ISk".into(), speed: '5', ident: r"\2MT382-1000".into() };
        assert_eq!(found(b"/ISk5\\2MT382-1000\r\n"), Some(expected.clone()));
        assert_eq!(found(b"/?!\r\n/ISk5\\2MT382-1000\r\n"), Some(expected.clone()));
        assert_eq!(found(b"\x7f?!\r\nx/ISk5\\2MT382-1000\r\n"), Some(expected.clone()));
        // With parity bits set, as a port set to 8N1 sees them.
        let odd: Vec<u8> = b"/ISk5\\2MT382-1000\r\n".iter().map(|b| b | 0x80).collect();
        assert_eq!(found(&odd), Some(expected.clone()));
        assert_eq!(expected.baud(), Some(9600));
        assert_eq!(find_identification(b"/?!\r\n"), None);
        assert_eq!(find_identification(b"/ISk5"), None);
        assert!(find_identification(b"/12\r\n").unwrap().is_err());
    }

    #[test]
    fn addresses_are_written_in_several_ways() {
        let code = |address| set(address, "", "").code();
        for address in ["1.8.0", "1-0:1.8.0", "1-1:1.8.0*255", "1.8"] {
            assert_eq!(code(address), Some(Code::new(1, 8, 0)), "{address}");
        }
        for address in ["1.8.0*03", "C.1.0", "7-0:1.8.0", "1.8.0.0", "F.F", "300.8.0"] {
            assert_eq!(code(address), None, "{address}");
        }
        assert_eq!(set("", "0001234.567", "kWh").number().unwrap().to_string(), "1234.567");
        assert_eq!(set("", "12E3", "kWh").number(), None);
        assert_eq!(set("0.9.1", "101530", "").time().unwrap().to_string(), "10:15:30");
        assert_eq!(set("0.9.2", "26-11-20", "").date().unwrap().to_string(), "2026-11-20");
        assert_eq!(set("0.9.2", "1261120", "").date().unwrap().to_string(), "2026-11-20");
        assert_eq!(set("0.9.2", "2026-11-20", "").date(), None);
    }

    proptest! {
        #[test]
        fn any_readout_survives(values in proptest::collection::vec("[0-9.]{1,12}", 0..20)) {
            let sets = values.iter().enumerate().map(|(n, value)| set(&format!("1.8.{n}"), value, "kWh"));
            let readout = Readout { sets: sets.collect() };
            let bytes = readout.emit();
            prop_assert_eq!(find_block(&bytes), Some((0, Ok(readout))));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = find_block(&bytes);
            let _ = find_identification(&bytes);
        }
    }
}
