//! One frame of DL/T 645-2007: `68 A0..A5 68 C L DATA CS 16`, bytes to meaning and back.
//!
//! Every data byte has 33H added on the wire and never here. All numbers go low byte first.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The byte that wakes receivers; any number of them, also none, stands before a frame.
pub const WAKE: u8 = 0xFE;
/// The first and the eighth byte of a frame.
pub const START: u8 = 0x68;
/// The last byte of a frame.
pub const END: u8 = 0x16;
/// The longest data part, in bytes, as the standard allows when reading.
pub const DATA_LIMIT: usize = 200;
/// Bytes of a frame beside its data.
pub const OVERHEAD: usize = 12;

const OFFSET: u8 = 0x33;
const ADDRESS_BYTES: usize = 6;

/// A meter's address: 12 digits, kept as on the wire, lowest pair first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address([u8; ADDRESS_BYTES]);

/// A text that is no meter address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{seen}` is no meter address; write its 12 digits, leading zeros too, or `auto` where one meter is on the line"
)]
pub struct NoAddress {
    seen: String,
}

impl Address {
    /// Any meter answers; for a line with one meter.
    pub const WILDCARD: Self = Self([0xAA; ADDRESS_BYTES]);
    /// Every meter listens and none answers.
    pub const BROADCAST: Self = Self([0x99; ADDRESS_BYTES]);

    /// From the six bytes as they go over the wire.
    pub const fn from_wire(bytes: [u8; ADDRESS_BYTES]) -> Self {
        Self(bytes)
    }

    /// The six bytes as they go over the wire.
    pub const fn wire(self) -> [u8; ADDRESS_BYTES] {
        self.0
    }

    /// Whether a meter of address `own` is meant; AAH stands for any pair.
    pub fn means(self, own: Self) -> bool {
        self.0.iter().zip(own.0).all(|(asked, own)| *asked == 0xAA || *asked == own)
    }
}

impl fmt::Display for Address {
    /// Highest pair first: `000000000161`; the wildcard is `AAAAAAAAAAAA`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|pair| write!(f, "{pair:02X}"))
    }
}

impl FromStr for Address {
    type Err = NoAddress;
    /// 12 decimal digits; `auto` and `AAAAAAAAAAAA` are the wildcard.
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if text.eq_ignore_ascii_case("auto") || text.eq_ignore_ascii_case("aaaaaaaaaaaa") {
            return Ok(Self::WILDCARD);
        }
        if text.len() != 2 * ADDRESS_BYTES || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NoAddress { seen: text.to_owned() });
        }
        let mut wire = [0; ADDRESS_BYTES];
        for (place, pair) in wire.iter_mut().rev().zip(text.as_bytes().chunks(2)) {
            *place = (pair[0] - b'0') << 4 | (pair[1] - b'0');
        }
        Ok(Self(wire))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A data identifier: which item of the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Di(u32);

impl Di {
    /// From the number as the tables print it: `0x0001_0000`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number as the tables print it.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// As on the wire (before 33H is added), DI0 first.
    pub const fn wire(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// From the first four data bytes; `None` when there are fewer.
    pub fn from_data(data: &[u8]) -> Option<Self> {
        data.first_chunk().map(|bytes| Self(u32::from_le_bytes(*bytes)))
    }
}

impl fmt::Display for Di {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// The control byte C: who speaks and what about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Control(u8);

impl Control {
    /// Request: read an item.
    pub const READ: Self = Self(0x11);
    /// Request: read what follows.
    pub const READ_MORE: Self = Self(0x12);
    /// Request: read the address.
    pub const READ_ADDRESS: Self = Self(0x13);

    /// Request of the edition of 1997: read an item.
    pub const READ_1997: Self = Self(0x01);
    /// Request of the edition of 1997: read what follows.
    pub const READ_MORE_1997: Self = Self(0x02);

    /// From the byte on the wire.
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// Whether a meter speaks (D7).
    pub const fn is_reply(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Whether the meter refuses (D6).
    pub const fn is_abnormal(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Whether more frames follow (D5).
    pub const fn more_follows(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// What it is about (D4..D0).
    pub const fn function(self) -> u8 {
        self.0 & 0x1F
    }

    /// The meter's normal reply to this request.
    #[must_use]
    pub const fn reply(self) -> Self {
        Self(self.0 | 0x80)
    }

    /// The meter's normal reply to this request when more frames follow.
    #[must_use]
    pub const fn reply_with_more(self) -> Self {
        Self(self.0 | 0xA0)
    }

    /// The meter's refusal of this request.
    #[must_use]
    pub const fn refusal(self) -> Self {
        Self(self.0 | 0xC0)
    }
}

/// What the ERR byte of a refusal says.
pub fn refusal_words(err: u8) -> String {
    const WORDS: [&str; 8] = [
        "other error",
        "no requested data",
        "wrong password or not authorised",
        "baud rate cannot be changed",
        "number of year zones exceeded",
        "number of day slots exceeded",
        "number of tariffs exceeded",
        "reserved bit 7",
    ];
    let said: Vec<&str> = (0..8).filter(|bit| err >> bit & 1 == 1).map(|bit: usize| WORDS[bit]).collect();
    let said = if said.is_empty() { "no reason".to_owned() } else { said.join(", ") };
    format!("{said} (ERR {err:02X})")
}

/// A whole, sound frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whom it is for, or who replies.
    pub address: Address,
    /// What it is.
    pub control: Control,
    /// Its data without the 33H of the wire; at most [`DATA_LIMIT`] bytes.
    pub data: Vec<u8>,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first byte after the wake bytes.
    #[error("the frame begins with {seen:02X} instead of 68")]
    NoStart {
        /// What stands there.
        seen: u8,
    },
    /// The eighth byte.
    #[error("the second start byte is {seen:02X} instead of 68")]
    NoSecondStart {
        /// What stands there.
        seen: u8,
    },
    /// The length byte.
    #[error("the frame announces {seen} data bytes; {DATA_LIMIT} are allowed")]
    TooLong {
        /// What it says.
        seen: u8,
    },
    /// The end is missing.
    #[error("the frame ends after {seen} bytes; {needed} were announced")]
    Incomplete {
        /// Bytes from the first 68 on.
        seen: usize,
        /// Bytes it should have, as far as known.
        needed: usize,
    },
    /// The checksum.
    #[error("wrong checksum: {seen:02X} received, {computed:02X} computed")]
    Checksum {
        /// The byte in the frame.
        seen: u8,
        /// The sum of what came.
        computed: u8,
    },
    /// The last byte.
    #[error("the frame ends with {seen:02X} instead of 16")]
    NoEnd {
        /// What stands there.
        seen: u8,
    },
    /// More than a frame.
    #[error("{seen} bytes stand behind the frame")]
    Trailing {
        /// How many.
        seen: usize,
    },
}

impl Frame {
    /// A request to read the item `di` of the meter at `address`.
    pub fn read(address: Address, di: Di) -> Self {
        Self { address, control: Control::READ, data: di.wire().to_vec() }
    }

    /// The data identifier its data begin with.
    pub fn di(&self) -> Option<Di> {
        Di::from_data(&self.data)
    }

    /// The bytes on the wire, without wake bytes. Panics when the data are longer than [`DATA_LIMIT`].
    pub fn emit(&self) -> Vec<u8> {
        assert!(self.data.len() <= DATA_LIMIT, "a frame holds at most {DATA_LIMIT} data bytes");
        let mut bytes = Vec::with_capacity(OVERHEAD + self.data.len());
        bytes.push(START);
        bytes.extend(self.address.0);
        bytes.extend([START, self.control.0, self.data.len() as u8]);
        bytes.extend(self.data.iter().map(|byte| byte.wrapping_add(OFFSET)));
        bytes.push(checksum(&bytes));
        bytes.push(END);
        bytes
    }

    /// Exactly one frame, with any number of wake bytes before it and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let begin = bytes.iter().position(|byte| *byte != WAKE).unwrap_or(bytes.len());
        let (frame, length) = Self::parse_front(&bytes[begin..])?;
        match bytes.len() - begin - length {
            0 => Ok(frame),
            seen => Err(Refusal::Trailing { seen }),
        }
    }

    /// The frame at the very beginning of `bytes`, and its length in bytes. Refusals are found as early as possible:
    /// [`Refusal::Incomplete`] means that more bytes may make it a frame.
    pub fn parse_front(bytes: &[u8]) -> Result<(Self, usize), Refusal> {
        match bytes.first() {
            Some(&START) => {}
            Some(&seen) => return Err(Refusal::NoStart { seen }),
            None => return Err(Refusal::Incomplete { seen: 0, needed: OVERHEAD }),
        }
        match bytes.get(7) {
            Some(&START) | None => {}
            Some(&seen) => return Err(Refusal::NoSecondStart { seen }),
        }
        let needed = match bytes.get(9) {
            Some(&seen) if usize::from(seen) > DATA_LIMIT => return Err(Refusal::TooLong { seen }),
            Some(&length) => OVERHEAD + usize::from(length),
            None => OVERHEAD,
        };
        let Some((body, [check, end])) = bytes.get(..needed).and_then(<[u8]>::split_last_chunk) else {
            return Err(Refusal::Incomplete { seen: bytes.len(), needed });
        };
        if *end != END {
            return Err(Refusal::NoEnd { seen: *end });
        }
        let computed = checksum(body);
        if *check != computed {
            return Err(Refusal::Checksum { seen: *check, computed });
        }
        let mut wire = [0; ADDRESS_BYTES];
        wire.copy_from_slice(&body[1..7]);
        let data = body[10..].iter().map(|byte| byte.wrapping_sub(OFFSET)).collect();
        Ok((Self { address: Address(wire), control: Control(body[8]), data }, needed))
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::hex;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::bytes(text).unwrap()
    }

    #[test]
    fn a_captured_request_and_its_reply_read_as_they_were_meant() {
        let request =
            Frame::parse(&bytes("FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16")).unwrap();
        assert_eq!(request, Frame::read("000000000161".parse().unwrap(), Di::new(0x0001_0000)));
        let reply = bytes("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16");
        let frame = Frame::parse(&reply).unwrap();
        assert_eq!((frame.control, frame.di()), (Control::READ.reply(), Some(Di::new(0x0001_0000))));
        assert_eq!(frame.data[4..], [0x26, 0, 0, 0]);
        assert_eq!(frame.emit(), reply);
    }

    #[test]
    fn an_address_reads_highest_pair_first() {
        let address: Address = "201709320072".parse().unwrap();
        assert_eq!(address.wire(), [0x72, 0x00, 0x32, 0x09, 0x17, 0x20]);
        assert_eq!(address.to_string(), "201709320072");
        assert_eq!("auto".parse(), Ok(Address::WILDCARD));
        assert_eq!(Address::WILDCARD.to_string().parse(), Ok(Address::WILDCARD));
        for wrong in ["161", "00000000016x", "0000000001611", "", "＋0000000"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_wildcard_means_every_meter_and_a_short_address_those_that_end_so() {
        let own: Address = "000000000161".parse().unwrap();
        assert!(Address::WILDCARD.means(own) && own.means(own));
        assert!(Address::from_wire([0x61, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA]).means(own));
        assert!(!Address::from_wire([0x62, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA]).means(own));
    }

    #[test]
    fn a_control_byte_says_who_speaks_and_whether_more_follows() {
        let control = Control::from_byte(0xB1);
        assert!(control.is_reply() && control.more_follows() && !control.is_abnormal());
        assert_eq!(control.function(), 0x11);
        assert_eq!(control, Control::READ.reply_with_more());
        let refusal = Control::from_byte(0xD1);
        assert!(refusal.is_reply() && refusal.is_abnormal());
        assert_eq!(refusal, Control::READ.refusal());
        assert!(!Control::READ.is_reply());
    }

    #[test]
    fn a_refusal_is_said_in_words() {
        assert_eq!(refusal_words(0x02), "no requested data (ERR 02)");
        assert_eq!(refusal_words(0x05), "other error, wrong password or not authorised (ERR 05)");
        assert_eq!(refusal_words(0), "no reason (ERR 00)");
    }

    #[test]
    fn each_damage_is_named() {
        let sound = bytes("68 12 90 78 56 34 12 68 D1 01 35 8D 16");
        let with = |place: usize, byte: u8| {
            let mut bytes = sound.clone();
            bytes[place] = byte;
            Frame::parse(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 0x67), Refusal::NoStart { seen: 0x67 });
        assert_eq!(with(7, 0x69), Refusal::NoSecondStart { seen: 0x69 });
        assert_eq!(with(9, 201), Refusal::TooLong { seen: 201 });
        assert_eq!(with(9, 2), Refusal::Incomplete { seen: 13, needed: 14 });
        assert_eq!(with(11, 0x8E), Refusal::Checksum { seen: 0x8E, computed: 0x8D });
        assert_eq!(with(12, 0x17), Refusal::NoEnd { seen: 0x17 });
        let mut longer = sound.clone();
        longer.push(0x16);
        assert_eq!(Frame::parse(&longer), Err(Refusal::Trailing { seen: 1 }));
        assert_eq!(Frame::parse(&[0xFE, 0xFE]), Err(Refusal::Incomplete { seen: 0, needed: 12 }));
    }

    #[test]
    fn a_checksum_of_16_is_a_checksum() {
        // Captured: the reply whose checksum is 16.
        let reply = bytes("68 61 01 00 00 00 00 68 91 07 33 34 35 35 CC 7C 33 16 16");
        assert_eq!(Frame::parse(&reply).unwrap().data[4..], [0x99, 0x49, 0x00]);
        assert!(Frame::parse(&reply[..18]).is_err());
    }

    proptest! {
        #[test]
        fn a_frame_survives_its_own_bytes(
            address: [u8; 6], control: u8, data in proptest::collection::vec(any::<u8>(), 0..=DATA_LIMIT), wake in 0..6_usize
        ) {
            let frame = Frame { address: Address::from_wire(address), control: Control::from_byte(control), data };
            let mut bytes = vec![WAKE; wake];
            bytes.extend(frame.emit());
            prop_assert_eq!(Frame::parse(&bytes), Ok(frame));
        }

        #[test]
        fn garbage_is_refused_or_exactly_a_frame(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(frame) = Frame::parse(&bytes) {
                prop_assert!(bytes.ends_with(&frame.emit()));
            }
        }
    }
}
