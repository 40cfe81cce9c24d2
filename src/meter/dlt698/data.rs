//! Values of DL/T 698.45 (a tag, then big-endian content), and the APDUs that carry them.

use jiff::civil::DateTime;
use std::fmt;

/// Deepest nesting believed.
const DEPTH_MAX: usize = 8;
/// Most columns of a record.
const COLUMNS_MAX: usize = 16;
/// Most elements of one array or structure.
const ELEMENTS_MAX: usize = 256;

/// An object attribute descriptor: object, attribute, index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Oad(pub u32);

impl fmt::Display for Oad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// 00
    Null,
    /// 01
    Array(Vec<Data>),
    /// 02
    Structure(Vec<Data>),
    /// 03
    Bool(bool),
    /// 04: how many bits, and the bytes that hold them, the first bit on top.
    Bits(u16, Vec<u8>),
    /// 05, 0F, 10, 14 (the tag is kept).
    Signed(u8, i64),
    /// 06, 11, 12, 15, 16 (the tag is kept).
    Unsigned(u8, u64),
    /// 09
    Octets(Vec<u8>),
    /// 0A
    Text(String),
    /// 1C: year 2, month, day, hour, minute, second.
    DateTimeS([u8; 7]),
    /// 51
    Oad(Oad),
}

/// Why bytes are no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They end too early.
    #[error("the value ends too early")]
    Short,
    /// A tag that is not read.
    #[error("the value has tag {seen:02X}, which is not read")]
    Tag {
        /// It.
        seen: u8,
    },
    /// Too deep or too many.
    #[error("the value is nested deeper than {DEPTH_MAX} or has more than {ELEMENTS_MAX} elements")]
    TooMuch,
    /// Text that is none.
    #[error("the text in the value is no ASCII")]
    NoText,
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Refusal> {
    let (front, rest) = bytes.split_at_checked(count).ok_or(Refusal::Short)?;
    *bytes = rest;
    Ok(front)
}

fn byte(bytes: &mut &[u8]) -> Result<u8, Refusal> {
    take(bytes, 1).map(|one| one[0])
}

/// One byte below 80H, or 81H and one, or 82H and two.
fn length(bytes: &mut &[u8]) -> Result<usize, Refusal> {
    match byte(bytes)? {
        short @ 0..=0x7F => Ok(usize::from(short)),
        0x81 => byte(bytes).map(usize::from),
        0x82 => Ok(usize::from(byte(bytes)?) << 8 | usize::from(byte(bytes)?)),
        _ => Err(Refusal::TooMuch),
    }
}

/// Bytes of a number, by tag.
const fn width(tag: u8) -> usize {
    match tag {
        0x0F | 0x11 | 0x16 => 1,
        0x10 | 0x12 => 2,
        0x05 | 0x06 => 4,
        _ => 8,
    }
}

impl Data {
    /// The value that `bytes` begin with; what follows it stays.
    pub fn parse(bytes: &mut &[u8]) -> Result<Self, Refusal> {
        Self::parse_at(bytes, 0)
    }

    fn parse_at(bytes: &mut &[u8], depth: usize) -> Result<Self, Refusal> {
        if depth > DEPTH_MAX {
            return Err(Refusal::TooMuch);
        }
        Ok(match byte(bytes)? {
            0x00 => Self::Null,
            tag @ (0x01 | 0x02) => {
                let count = length(bytes)?;
                if count > ELEMENTS_MAX {
                    return Err(Refusal::TooMuch);
                }
                let all: Result<Vec<Self>, Refusal> =
                    (0..count).map(|_| Self::parse_at(bytes, depth + 1)).collect();
                if tag == 0x01 { Self::Array(all?) } else { Self::Structure(all?) }
            }
            0x03 => Self::Bool(byte(bytes)? != 0),
            0x04 => {
                let count = length(bytes)?;
                let held = take(bytes, count.div_ceil(8))?;
                Self::Bits(u16::try_from(count).map_err(|_| Refusal::TooMuch)?, held.to_vec())
            }
            tag @ (0x05 | 0x0F | 0x10 | 0x14) => {
                let held = take(bytes, width(tag))?;
                let start = if held[0] & 0x80 == 0 { 0 } else { -1 };
                Self::Signed(tag, held.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
            }
            tag @ (0x06 | 0x11 | 0x12 | 0x15 | 0x16) => {
                let held = take(bytes, width(tag))?;
                Self::Unsigned(tag, held.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            0x09 => {
                let count = length(bytes)?;
                Self::Octets(take(bytes, count)?.to_vec())
            }
            0x0A => {
                let count = length(bytes)?;
                let held = take(bytes, count)?;
                let ascii = held.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == 0);
                if !ascii {
                    return Err(Refusal::NoText);
                }
                Self::Text(held.iter().map(|byte| char::from(*byte)).collect())
            }
            0x1C => Self::DateTimeS(take(bytes, 7)?.try_into().map_err(|_| Refusal::Short)?),
            0x51 => {
                let held = take(bytes, 4)?;
                Self::Oad(Oad(u32::from_be_bytes([held[0], held[1], held[2], held[3]])))
            }
            seen => return Err(Refusal::Tag { seen }),
        })
    }

    /// Its bytes: what a simulated meter sends.
    pub fn emit(&self, bytes: &mut Vec<u8>) {
        let with_length = |bytes: &mut Vec<u8>, tag: u8, count: usize| {
            bytes.push(tag);
            match count {
                0..=0x7F => bytes.push(count as u8),
                0x80..=0xFF => bytes.extend([0x81, count as u8]),
                _ => bytes.extend([0x82, (count >> 8) as u8, count as u8]),
            }
        };
        match self {
            Self::Null => bytes.push(0),
            Self::Array(all) | Self::Structure(all) => {
                let tag = if matches!(self, Self::Array(_)) { 1 } else { 2 };
                with_length(bytes, tag, all.len());
                for one in all {
                    one.emit(bytes);
                }
            }
            Self::Bool(yes) => bytes.extend([3, u8::from(*yes)]),
            Self::Bits(count, held) => {
                with_length(bytes, 0x04, usize::from(*count));
                bytes.extend(held);
            }
            Self::Signed(tag, number) => {
                bytes.push(*tag);
                bytes.extend(&number.to_be_bytes()[8 - width(*tag)..]);
            }
            Self::Unsigned(tag, number) => {
                bytes.push(*tag);
                bytes.extend(&number.to_be_bytes()[8 - width(*tag)..]);
            }
            Self::Octets(held) => {
                with_length(bytes, 0x09, held.len());
                bytes.extend(held);
            }
            Self::Text(text) => {
                with_length(bytes, 0x0A, text.len());
                bytes.extend(text.bytes());
            }
            Self::DateTimeS(held) => {
                bytes.push(0x1C);
                bytes.extend(held);
            }
            Self::Oad(oad) => {
                bytes.push(0x51);
                bytes.extend(oad.0.to_be_bytes());
            }
        }
    }

    /// Its whole number; the first of an array.
    pub fn number(&self) -> Option<i128> {
        match self {
            Self::Signed(_, number) => Some(i128::from(*number)),
            Self::Unsigned(_, number) => Some(i128::from(*number)),
            Self::Array(all) => all.first().filter(|first| !matches!(first, Self::Array(_)))?.number(),
            _ => None,
        }
    }

    /// Its moment; FF in any part is no moment.
    pub fn moment(&self) -> Option<DateTime> {
        let Self::DateTimeS([y1, y0, month, day, hour, minute, second]) = self else { return None };
        let small = |byte: &u8| i8::try_from(*byte).ok();
        let year = i16::from_be_bytes([*y1, *y0]);
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()
    }
}

/// `05 01 PIID OAD 00`.
pub fn get_normal(piid: u8, oad: Oad) -> Vec<u8> {
    let mut apdu = vec![0x05, 0x01, piid];
    apdu.extend(oad.0.to_be_bytes());
    apdu.push(0);
    apdu
}

/// What answers a GET: the value or the meter's reason for none (DAR).
pub type Got = Result<Data, u8>;

/// The answer in an APDU to a GET of `oad` with this PIID; `None`: it answers something else.
pub fn got_normal(apdu: &[u8], piid: u8, oad: Oad) -> Option<Result<Got, Refusal>> {
    let mut rest = apdu;
    let head = take(&mut rest, 7).ok()?;
    // The two upper bits are the server's own.
    if head[..2] != [0x85, 0x01] || (head[2] ^ piid) & 0x3F != 0 || head[3..] != oad.0.to_be_bytes() {
        return None;
    }
    Some(match byte(&mut rest) {
        Ok(0x01) => Data::parse(&mut rest).map(Ok),
        Ok(0x00) => byte(&mut rest).map(Err),
        Ok(seen) => Err(Refusal::Tag { seen }),
        Err(refusal) => Err(refusal),
    })
}

/// The last record of a table, these columns of it: `05 03 PIID OAD RSD RCSD 00`. RSD is selector 9 with 1, the last one;
/// RCSD a list of `00 OAD`. Form: annex vector of `600888/dlt698` (`get_record_request`) and `PyPI` `dlt698`.
pub fn get_last_record(piid: u8, oad: Oad, columns: &[Oad]) -> Vec<u8> {
    let mut apdu = vec![0x05, 0x03, piid];
    apdu.extend(oad.0.to_be_bytes());
    apdu.extend([0x09, 0x01, columns.len() as u8]);
    for column in columns {
        apdu.push(0);
        apdu.extend(column.0.to_be_bytes());
    }
    apdu.push(0);
    apdu
}

/// What a GET of records has brought: the first row as columns and values, none where there is no record; or the meter's
/// reason for none (DAR).
pub type Row = Result<Vec<(Oad, Data)>, u8>;

/// The answer in an APDU to a GET of the records of `oad` with this PIID: `85 03 PIID OAD RCSD 01 rows {data …}` or
/// `… 00 DAR`; `None`: it answers something else.
pub fn got_record(apdu: &[u8], piid: u8, oad: Oad) -> Option<Result<Row, Refusal>> {
    let mut rest = apdu;
    let head = take(&mut rest, 7).ok()?;
    let fits = head[..2] == [0x85, 0x03] && head[2] & 0x3F == piid & 0x3F && head[3..] == oad.0.to_be_bytes();
    fits.then(|| row(&mut rest))
}

fn row(rest: &mut &[u8]) -> Result<Row, Refusal> {
    let count = length(rest)?;
    if count > COLUMNS_MAX {
        return Err(Refusal::TooMuch);
    }
    let mut columns = vec![];
    for _ in 0..count {
        match byte(rest)? {
            0 => {}
            // A column of columns was not asked for.
            seen => return Err(Refusal::Tag { seen }),
        }
        let held = take(rest, 4)?;
        columns.push(Oad(u32::from_be_bytes([held[0], held[1], held[2], held[3]])));
    }
    match byte(rest)? {
        0 => return byte(rest).map(Err),
        1 => {}
        seen => return Err(Refusal::Tag { seen }),
    }
    if length(rest)? == 0 {
        return Ok(Ok(vec![]));
    }
    let values: Result<Vec<_>, Refusal> =
        columns.into_iter().map(|column| Data::parse(rest).map(|value| (column, value))).collect();
    values.map(Ok)
}

/// The answer to a server's login, heartbeat or leave at `now`, which is year, month, day, weekday, hour, minute, second:
/// `81 PIID result`, then the server's own moment, and twice ours. The result 00 is success by a clock not vouched for.
/// `None`: the APDU is no such request. Form: annex vectors of `600888/dlt698` (`link-login-…`).
pub fn link_answer(apdu: &[u8], now: [u8; 8]) -> Option<Vec<u8>> {
    // 01 PIID kind, two bytes of interval, ten of date and time.
    let [0x01, piid, 0..=2, _, _, moment @ ..] = apdu else { return None };
    let moment = moment.first_chunk::<10>()?;
    let mut answer = vec![0x81, *piid, 0x00];
    answer.extend(moment);
    for _ in 0..2 {
        answer.extend(now);
        answer.extend([0, 0]);
    }
    Some(answer)
}

/// `02 PIID …`: CONNECT without security, with everything we could wish for. Field sizes and result as the
/// independent server of `PyPI` `dlt698` takes and gives them; not confirmed on a meter.
pub fn connect(piid: u8) -> Vec<u8> {
    let mut apdu = vec![0x02, piid, 0x00, 0x10];
    apdu.extend([0xFF; 8]);
    apdu.extend([0xFF; 16]);
    // Longest frame sent 1024 and received 1024, window 1, longest APDU 1024, time-out 100 s, no security, no time tag.
    apdu.extend([0x04, 0x00, 0x04, 0x00, 0x01, 0x04, 0x00, 0, 0, 0, 0x64, 0x00, 0x00]);
    apdu
}

/// Where the result stands in the answer to CONNECT: behind version of the maker (32), protocol (2), two conformances
/// (8, 16), four sizes (2, 2, 1, 2) and time-out (4).
const CONNECT_RESULT_AT: usize = 2 + 32 + 2 + 8 + 16 + 2 + 2 + 1 + 2 + 4;

/// The result in the answer to CONNECT: 0 is allowed; `None`: it answers something else.
pub fn connected(apdu: &[u8]) -> Option<u8> {
    (apdu.first() == Some(&0x82)).then(|| apdu.get(CONNECT_RESULT_AT).copied()).flatten()
}

/// What a DAR says.
pub fn dar_words(dar: u8) -> String {
    let words = match dar {
        1 => "hardware failure",
        2 => "temporarily not possible",
        3 => "reading denied",
        4 => "object not defined",
        5 => "object class does not fit",
        6 => "object not there",
        7 => "type does not fit",
        8 => "out of range",
        9 => "data block not available",
        15 => "wrong password or not authorised",
        16 => "baud rate cannot be changed",
        20 => "security does not match",
        22 => "security module",
        33 => "time-out",
        255 => "other",
        _ => "unknown reason",
    };
    format!("{words} (DAR {dar})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_data() -> impl Strategy<Value = Data> {
        let leaf = prop_oneof![
            Just(Data::Null),
            any::<bool>().prop_map(Data::Bool),
            any::<i32>().prop_map(|n| Data::Signed(0x05, i64::from(n))),
            any::<i8>().prop_map(|n| Data::Signed(0x0F, i64::from(n))),
            any::<u16>().prop_map(|n| Data::Unsigned(0x12, u64::from(n))),
            any::<u64>().prop_map(|n| Data::Unsigned(0x15, n)),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Data::Octets),
            "[ -~]{0,40}".prop_map(Data::Text),
            any::<[u8; 7]>().prop_map(Data::DateTimeS),
            (0..40_u16, any::<[u8; 5]>())
                .prop_map(|(bits, held)| Data::Bits(bits, held[..usize::from(bits).div_ceil(8)].to_vec())),
            any::<u32>().prop_map(|n| Data::Oad(Oad(n))),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Data::Array))
    }

    proptest! {
        #[test]
        fn any_value_survives(data in any_data()) {
            let mut bytes = vec![];
            data.emit(&mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(Data::parse(&mut rest), Ok(data));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Data::parse(&mut &bytes[..]);
            let _ = got_normal(&bytes, 1, Oad(0));
            let _ = connected(&bytes);
            let _ = got_record(&bytes, 1, Oad(0));
            let _ = link_answer(&bytes, [0; 8]);
        }
    }

    #[test]
    fn nesting_and_counts_are_bounded() {
        let deep = [0x01, 0x01].repeat(1000);
        assert_eq!(Data::parse(&mut &deep[..]), Err(Refusal::TooMuch));
        assert_eq!(Data::parse(&mut &[0x01, 0x82, 0xFF, 0xFF, 0][..]), Err(Refusal::TooMuch));
        assert_eq!(Data::parse(&mut &[0x09, 0x82, 0xFF, 0xFF, 0][..]), Err(Refusal::Short));
    }

    #[test]
    fn the_last_record_is_asked_for_and_read_column_by_column() {
        let begin = Oad(0x201E_0200);
        let asked = get_last_record(5, Oad(0x301B_0200), &[begin]);
        assert_eq!(asked, [0x05, 0x03, 5, 0x30, 0x1B, 0x02, 0, 0x09, 1, 1, 0, 0x20, 0x1E, 0x02, 0, 0]);
        // The annex's own record of a daily freeze: its moment and five energies.
        let apdu = [
            0x85, 0x03, 0x03, 0x50, 0x04, 0x02, 0x00, 0x02, 0x00, 0x20, 0x21, 0x02, 0x00, 0x00, 0x00, 0x10,
            0x02, 0x00, 0x01, 0x01, 0x1C, 0x07, 0xE0, 0x01, 0x14, 0x00, 0x00, 0x00, 0x01, 0x01, 0x06, 0x00,
            0x00, 0x00, 0x07, 0x00, 0x00,
        ];
        let row = got_record(&apdu, 3, Oad(0x5004_0200)).unwrap().unwrap().unwrap();
        assert_eq!(row[0].0, Oad(0x2021_0200));
        assert_eq!(row[0].1.moment().unwrap().to_string(), "2016-01-20T00:00:00");
        assert_eq!((row[1].0, row[1].1.number()), (Oad(0x0010_0200), Some(7)));
        assert_eq!(got_record(&apdu, 4, Oad(0x5004_0200)), None);
        assert_eq!(got_record(&apdu[..30], 3, Oad(0x5004_0200)), Some(Err(Refusal::Short)));
        let none = [0x85, 0x03, 0x03, 0x50, 0x04, 0x02, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00];
        assert_eq!(got_record(&none, 3, Oad(0x5004_0200)), Some(Ok(Err(4))));
    }

    #[test]
    fn a_login_is_answered_with_its_own_moment_and_ours() {
        // The annex's own: 2016-05-19 08:05:00.164, every 180 s.
        let login = [0x01, 0, 0, 0, 0xB4, 0x07, 0xE0, 0x05, 0x13, 0x04, 0x08, 0x05, 0x00, 0x00, 0xA4];
        let now = [0x07, 0xE0, 0x05, 0x13, 0x04, 0x08, 0x05, 0x01];
        let answer = link_answer(&login, now).unwrap();
        assert_eq!(answer.len(), 33);
        assert_eq!((&answer[..3], &answer[3..13]), (&[0x81, 0, 0][..], &login[5..]));
        assert_eq!(link_answer(&login[..14], now), None);
        assert_eq!(link_answer(&[0x85; 20], now), None);
    }

    #[test]
    fn an_answer_belongs_to_its_question() {
        let apdu = [0x85, 0x01, 0x81, 0x20, 0x00, 0x02, 0x01, 0x01, 0x12, 0x09, 0x6D, 0x00, 0x00];
        let oad = Oad(0x2000_0201);
        assert_eq!(got_normal(&apdu, 1, oad), Some(Ok(Ok(Data::Unsigned(0x12, 2413)))));
        assert_eq!(got_normal(&apdu, 2, oad), None);
        assert_eq!(got_normal(&apdu, 1, Oad(0x2000_0202)), None);
        assert_eq!(got_normal(&apdu[..9], 1, oad), Some(Err(Refusal::Short)));
        let refused = [0x85, 0x01, 0x01, 0x20, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00, 0x00];
        assert_eq!(got_normal(&refused, 1, oad), Some(Ok(Err(4))));
    }
}
