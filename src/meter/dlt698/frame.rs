//! One frame: `68 L C SA CA HCS APDU FCS 16`. Both check sequences are CRC-16/X-25, low byte first.

use crate::meter::crc::x25;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// The byte that wakes receivers.
pub const WAKE: u8 = 0xFE;
const START: u8 = 0x68;
const END: u8 = 0x16;
/// Longest frame believed, in bytes between 68 and 16.
pub const LENGTH_MAX: usize = 2048;
/// The bit of C that says that the APDU has 33H added.
const SCRAMBLED: u8 = 0x08;
/// The bit of C that says that the APDU is only a part.
const SPLIT: u8 = 0x20;

/// A server's address: its kind and 1 to 16 bytes, low first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Kind (bits 7 and 6: 0 single, 1 wildcard, 2 group, 3 broadcast) and logical address (bits 5 and 4), length less one.
    flags: u8,
    bytes: Vec<u8>,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{seen}` is no server address; write its digits, an even number up to 32, leading zeros too")]
pub struct NoAddress {
    seen: String,
}

impl ServerAddress {
    /// Whoever is there.
    pub fn wildcard() -> Self {
        Self { flags: 0x45, bytes: vec![0xAA; 6] }
    }

    /// Whether a meter of address `own` is meant.
    pub fn means(&self, own: &Self) -> bool {
        self.flags >> 6 == 1 || self.bytes.iter().all(|byte| *byte == 0xAA) || self.bytes == own.bytes
    }

    /// Of the digits that an object of a meter holds, high first.
    pub fn from_high_first(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| (1..=16).contains(length))?;
        Some(Self { flags: length - 1, bytes: bytes.iter().rev().copied().collect() })
    }
}

impl fmt::Display for ServerAddress {
    /// High first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl FromStr for ServerAddress {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let refuse = || NoAddress { seen: text.to_owned() };
        let digits = text.bytes().all(|digit| digit.is_ascii_digit());
        if !digits || !text.len().is_multiple_of(2) {
            return Err(refuse());
        }
        let bytes: Vec<u8> =
            text.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect();
        Self::from_high_first(&bytes).ok_or_else(refuse)
    }
}

/// A whole, sound frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// C: 43H a client's request, C3H a server's reply.
    pub control: u8,
    /// The server.
    pub server: ServerAddress,
    /// The client's address.
    pub client: u8,
    /// The APDU, without the 33H that a scrambled one has on the line; of a split one a [`part`](Frame::part).
    pub apdu: Vec<u8>,
}

/// Which part of a split APDU (two upper bits of its head).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first.
    First,
    /// One between.
    Middle,
    /// The last.
    Last,
    /// None: the receiver's word that a part has come.
    Confirmed,
}

/// A part of an APDU: its head (two bytes, low first), then its data. Source: public implementations that cite the
/// standard's figures 16 and 17 (`600888/dlt698`), seen with `PyPI` `dlt698`; not on a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Which.
    pub place: Place,
    /// Counted from 0, modulo 4096.
    pub number: u16,
    /// What it carries.
    pub data: &'a [u8],
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first byte.
    #[error("the frame begins with {seen:02X} instead of 68")]
    NoStart {
        /// What stands there.
        seen: u8,
    },
    /// The length.
    #[error("the frame announces {seen} bytes; {LENGTH_MAX} at most and no kilobytes are allowed")]
    Length {
        /// What it says.
        seen: u16,
    },
    /// More must come.
    #[error("the frame ends after {seen} bytes; {needed} were announced")]
    Incomplete {
        /// Bytes that are there.
        seen: usize,
        /// Bytes it should have, as far as known.
        needed: usize,
    },
    /// A check sequence.
    #[error("wrong {which}: {seen:04X} received, {computed:04X} computed")]
    Check {
        /// HCS or FCS.
        which: &'static str,
        /// In the frame.
        seen: u16,
        /// Of what came.
        computed: u16,
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
    /// A client's request.
    pub fn request(server: ServerAddress, apdu: Vec<u8>) -> Self {
        Self { control: 0x43, server, client: 0, apdu }
    }

    /// Whether a server replies with user data.
    pub const fn is_reply(&self) -> bool {
        self.control & 0xC7 == 0xC3
    }

    /// Whether a server manages the link: it logs in, sends its heartbeat or takes its leave.
    pub const fn is_link_request(&self) -> bool {
        self.control & 0xC7 == 0x81
    }

    /// The answer to a server that manages the link.
    #[must_use]
    pub fn link_answer(&self, apdu: Vec<u8>) -> Self {
        Self { control: 0x01, server: self.server.clone(), client: self.client, apdu }
    }

    /// The part of a split APDU that this frame carries; `None`: it carries a whole one, or its head is none.
    pub fn part(&self) -> Option<Part<'_>> {
        let [low, high, data @ ..] = &self.apdu[..] else { return None };
        let head = u16::from_le_bytes([*low, *high]);
        let place = match head >> 14 {
            0 => Place::First,
            1 => Place::Last,
            2 => Place::Confirmed,
            _ => Place::Middle,
        };
        (self.control & SPLIT != 0).then_some(Part { place, number: head & 0x0FFF, data })
    }

    /// What a client answers to a part that is not the last: it has come.
    #[must_use]
    pub fn confirmation(&self, number: u16) -> Self {
        let apdu = (0x8000 | number & 0x0FFF).to_le_bytes().to_vec();
        Self { control: 0x43 | SPLIT, server: self.server.clone(), client: self.client, apdu }
    }

    /// The bytes on the line, without wake bytes.
    pub fn emit(&self) -> Vec<u8> {
        let length = 2 + 1 + 1 + self.server.bytes.len() + 1 + 2 + self.apdu.len() + 2;
        let mut bytes = vec![START];
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend([self.control, self.server.flags]);
        bytes.extend(&self.server.bytes);
        bytes.push(self.client);
        bytes.extend(x25(&bytes[1..]).to_le_bytes());
        let shift = if self.control & SCRAMBLED == 0 { 0 } else { 0x33 };
        bytes.extend(self.apdu.iter().map(|byte| byte.wrapping_add(shift)));
        bytes.extend(x25(&bytes[1..]).to_le_bytes());
        bytes.push(END);
        bytes
    }

    /// The frame that `bytes` are, wake bytes before it allowed, nothing behind it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let wake = bytes.iter().take_while(|byte| **byte == WAKE).count();
        let (frame, length) = Self::parse_front(&bytes[wake..])?;
        match bytes.len() - wake - length {
            0 => Ok(frame),
            seen => Err(Refusal::Trailing { seen }),
        }
    }

    /// The frame that `bytes` begin with, and its length.
    pub fn parse_front(bytes: &[u8]) -> Result<(Self, usize), Refusal> {
        let incomplete = |needed| Refusal::Incomplete { seen: bytes.len(), needed };
        match bytes.first() {
            None => return Err(incomplete(12)),
            Some(&START) => {}
            Some(&seen) => return Err(Refusal::NoStart { seen }),
        }
        let Some([l0, l1]) = bytes.get(1..3) else { return Err(incomplete(12)) };
        let announced = u16::from_le_bytes([*l0, *l1]);
        let length = usize::from(announced);
        if !(11..=LENGTH_MAX).contains(&length) {
            return Err(Refusal::Length { seen: announced });
        }
        let Some(flags) = bytes.get(4) else { return Err(incomplete(length + 2)) };
        let address = usize::from(flags & 0x0F) + 1;
        let header = 5 + address + 1;
        if header + 2 + 2 > length + 1 {
            return Err(Refusal::Length { seen: announced });
        }
        let check = |which, at: usize| match bytes.get(at..at + 2) {
            None => Err(incomplete(length + 2)),
            Some(pair) => {
                let (seen, computed) = (u16::from_le_bytes([pair[0], pair[1]]), x25(&bytes[1..at]));
                if seen == computed { Ok(()) } else { Err(Refusal::Check { which, seen, computed }) }
            }
        };
        // The head is checked as soon as it is there: a false start does not hide what stands behind it.
        check("head check sequence", header)?;
        check("frame check sequence", length - 1)?;
        let end = *bytes.get(length + 1).ok_or_else(|| incomplete(length + 2))?;
        if end != END {
            return Err(Refusal::NoEnd { seen: end });
        }
        let control = bytes[3];
        let shift = if control & SCRAMBLED == 0 { 0 } else { 0x33 };
        let apdu = bytes[header + 2..length - 1].iter().map(|byte| byte.wrapping_sub(shift)).collect();
        let server = ServerAddress { flags: *flags, bytes: bytes[5..5 + address].to_vec() };
        Ok((Self { control, server, client: bytes[5 + address], apdu }, length + 2))
    }
}

/// Finds frames in a stream of pieces.
#[derive(Debug, Default)]
pub struct Scanner {
    waiting: VecDeque<u8>,
    offset: u64,
}

impl Scanner {
    /// Takes what has arrived; then ask [`Scanner::poll`] until it has nothing.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
    }

    /// The next frame with its place, or damage; `None` when more bytes are needed.
    pub fn poll(&mut self) -> Option<Result<(u64, Frame), Refusal>> {
        loop {
            let noise = self.waiting.iter().position(|byte| *byte == START).unwrap_or(self.waiting.len());
            self.forget(noise);
            let at = self.offset;
            match Frame::parse_front(self.waiting.make_contiguous()) {
                Ok((frame, length)) => {
                    self.forget(length);
                    return Some(Ok((at, frame)));
                }
                Err(Refusal::Incomplete { .. }) => return None,
                Err(refusal @ Refusal::Check { which: "frame check sequence", .. }) => {
                    self.forget(1);
                    return Some(Err(refusal));
                }
                Err(_) => self.forget(1),
            }
        }
    }

    /// The line has fallen silent: gives up the frame in progress, so that the next [`Scanner::poll`] looks behind it.
    pub fn give_up(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        self.forget(1);
        true
    }

    fn forget(&mut self, count: usize) {
        self.waiting.drain(..count);
        self.offset += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_survives_its_text() {
        let address: ServerAddress = "000039200933".parse().unwrap();
        assert_eq!(address.to_string(), "000039200933");
        assert_eq!((address.flags, &address.bytes[..]), (5, &[0x33, 0x09, 0x20, 0x39, 0, 0][..]));
        assert!(ServerAddress::wildcard().means(&address) && address.means(&address));
        assert!(!address.means(&"000039200934".parse().unwrap()));
        for bad in ["", "1", "12x4", "123456789012345678901234567890123456"] {
            assert!(bad.parse::<ServerAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_has_a_head_and_is_confirmed_by_its_number() {
        let server: ServerAddress = "000039200933".parse().unwrap();
        let part =
            |control, apdu: &[u8]| Frame { control, server: server.clone(), client: 0, apdu: apdu.to_vec() };
        let middle = part(0xC3 | SPLIT, &[0x05, 0xC0, 0x85]);
        assert_eq!(middle.part(), Some(Part { place: Place::Middle, number: 5, data: &[0x85] }));
        let confirmation = middle.confirmation(5);
        assert_eq!((confirmation.control, &confirmation.apdu[..]), (0x63, &[0x05, 0x80][..]));
        assert_eq!(Frame::parse(&confirmation.emit()), Ok(confirmation.clone()));
        assert_eq!(confirmation.part().unwrap().place, Place::Confirmed);
        assert_eq!(part(0xC3, &[0x05, 0xC0, 0x85]).part(), None);
        assert_eq!(part(0xC3 | SPLIT, &[0x05]).part(), None);
    }

    proptest! {
        #[test]
        fn any_frame_survives_scrambled_too(
            scrambled: bool, address in proptest::collection::vec(any::<u8>(), 1..=16), client: u8,
            apdu in proptest::collection::vec(any::<u8>(), 1..300), cut: usize,
        ) {
            let server = ServerAddress::from_high_first(&address).unwrap();
            let control = if scrambled { 0xC3 | SCRAMBLED } else { 0xC3 };
            let frame = Frame { control, server, client, apdu };
            let bytes = frame.emit();
            prop_assert_eq!(Frame::parse(&bytes), Ok(frame.clone()));
            let cut = cut % bytes.len();
            prop_assert!(Frame::parse(&bytes[..cut]).is_err());
            let mut scanner = Scanner::default();
            scanner.handle_bytes(&[0x68, 0x01, 0x00, 0x68, 0xFE]);
            scanner.handle_bytes(&bytes[..cut]);
            let early = scanner.poll();
            prop_assert!(!matches!(early, Some(Ok(_))));
            scanner.handle_bytes(&bytes[cut..]);
            let mut found = vec![];
            loop {
                while let Some(event) = scanner.poll() {
                    found.extend(event.ok());
                }
                if !scanner.give_up() {
                    break;
                }
            }
            prop_assert!(found.iter().any(|(_, seen)| *seen == frame));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Frame::parse(&bytes);
            let mut scanner = Scanner::default();
            scanner.handle_bytes(&bytes);
            while scanner.poll().is_some() || scanner.give_up() {}
        }
    }
}
