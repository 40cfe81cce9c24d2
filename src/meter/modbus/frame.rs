//! Requests to read registers and their replies: `unit function … CRC` on a serial line, with a header over TCP.
//!
//! CRC-16/MODBUS: reflected A001H, begins with FFFFH, goes low byte first. Registers go high byte first.

/// Registers that one request may ask for.
pub const REGISTERS_MAX: u16 = 125;
/// Bytes of the header over TCP: transaction 2, protocol 2, length 2, unit 1.
const HEADER: usize = 7;
/// Longest PDU.
const PDU_MAX: usize = 253;

/// How frames go over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RTU: unit, PDU, CRC; silence between frames.
    Rtu,
    /// TCP: header with transaction and length, PDU.
    Tcp,
}

/// Unit and PDU, whatever carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adu {
    /// The meter's address, 1..=247; 0 is broadcast and never answered.
    pub unit: u8,
    /// Function and data, 1..=253 bytes.
    pub pdu: Vec<u8>,
}

/// Why bytes are no frame, or a frame no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few or too many bytes.
    #[error("{seen} bytes came where {allowed} are expected")]
    Length {
        /// How many came.
        seen: usize,
        /// How many there must be.
        allowed: usize,
    },
    /// The check value.
    #[error("wrong CRC: {seen:04X} received, {computed:04X} computed")]
    Crc {
        /// In the frame.
        seen: u16,
        /// Of what came.
        computed: u16,
    },
    /// The header over TCP.
    #[error("the TCP header is no Modbus header: {seen}")]
    Header {
        /// What is wrong.
        seen: String,
    },
    /// A reply to another question.
    #[error("a reply of unit {unit}, function {function:02X} came")]
    Another {
        /// Whose.
        unit: u8,
        /// To what.
        function: u8,
    },
}

/// CRC-16/MODBUS of `bytes`.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8)
            .fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xA001 } else { sum >> 1 })
    })
}

impl Adu {
    /// The bytes on a serial line.
    pub fn emit_rtu(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.pdu.len() + 3);
        bytes.push(self.unit);
        bytes.extend(&self.pdu);
        let check = crc(&bytes);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// The frame that `bytes` are, from the first to the last.
    pub fn parse_rtu(bytes: &[u8]) -> Result<Self, Refusal> {
        if !(4..=PDU_MAX + 3).contains(&bytes.len()) {
            return Err(Refusal::Length { seen: bytes.len(), allowed: 4 });
        }
        let (body, check) = bytes.split_at(bytes.len() - 2);
        let (seen, computed) = (u16::from_le_bytes([check[0], check[1]]), crc(body));
        if seen != computed {
            return Err(Refusal::Crc { seen, computed });
        }
        Ok(Self { unit: body[0], pdu: body[1..].to_vec() })
    }

    /// The bytes over TCP. Panics when the PDU is longer than 253 bytes.
    pub fn emit_tcp(&self, transaction: u16) -> Vec<u8> {
        assert!(self.pdu.len() <= PDU_MAX, "a PDU has at most {PDU_MAX} bytes");
        let mut bytes = transaction.to_be_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend((self.pdu.len() as u16 + 1).to_be_bytes());
        bytes.push(self.unit);
        bytes.extend(&self.pdu);
        bytes
    }

    /// The frame at the front of a TCP stream with its transaction and length in bytes; `Ok(None)`: more must come.
    pub fn parse_tcp_front(bytes: &[u8]) -> Result<Option<(u16, Self, usize)>, Refusal> {
        let Some(header) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
        let [t0, t1, p0, p1, l0, l1, unit] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if [p0, p1] != [0, 0] || !(2..=PDU_MAX + 1).contains(&length) {
            let seen = format!("protocol {p0:02X}{p1:02X}, length {length}");
            return Err(Refusal::Header { seen });
        }
        let whole = HEADER - 1 + length;
        let Some(pdu) = bytes.get(HEADER..whole) else { return Ok(None) };
        Ok(Some((u16::from_be_bytes([t0, t1]), Self { unit, pdu: pdu.to_vec() }, whole)))
    }
}

/// A request to read registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Whom.
    pub unit: u8,
    /// 3 (holding registers) or 4 (input registers).
    pub function: u8,
    /// First register, counted from 0.
    pub register: u16,
    /// How many, 1..=125.
    pub count: u16,
}

/// What a meter replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The registers.
    Registers(Vec<u16>),
    /// Its refusal.
    Exception(u8),
}

impl Read {
    /// As a frame.
    pub fn adu(self) -> Adu {
        let mut pdu = vec![self.function];
        pdu.extend(self.register.to_be_bytes());
        pdu.extend(self.count.to_be_bytes());
        Adu { unit: self.unit, pdu }
    }

    /// The request in a frame: what a simulated meter asks; `None` where it is none.
    pub fn from_adu(adu: &Adu) -> Option<Self> {
        let [function @ (3 | 4), r0, r1, c0, c1] = adu.pdu[..] else { return None };
        let (register, count) = (u16::from_be_bytes([r0, r1]), u16::from_be_bytes([c0, c1]));
        Some(Self { unit: adu.unit, function, register, count })
    }

    /// What `adu` replies to this request.
    pub fn reply(self, adu: &Adu) -> Result<Reply, Refusal> {
        let another = Refusal::Another { unit: adu.unit, function: adu.pdu.first().copied().unwrap_or(0) };
        if adu.unit != self.unit {
            return Err(another);
        }
        match adu.pdu[..] {
            [function, code] if function == self.function | 0x80 => Ok(Reply::Exception(code)),
            [function, length, ref data @ ..] if function == self.function => {
                let allowed = usize::from(self.count) * 2;
                if usize::from(length) != allowed || data.len() != allowed {
                    return Err(Refusal::Length { seen: data.len(), allowed });
                }
                let registers = data.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                Ok(Reply::Registers(registers.collect()))
            }
            _ => Err(another),
        }
    }

    /// A meter's frame with these registers, or with its refusal.
    pub fn answer(self, reply: &Reply) -> Adu {
        let pdu = match reply {
            Reply::Exception(code) => vec![self.function | 0x80, *code],
            Reply::Registers(registers) => {
                let mut pdu = vec![self.function, (registers.len() * 2) as u8];
                pdu.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
                pdu
            }
        };
        Adu { unit: self.unit, pdu }
    }

    /// Bytes of a whole RTU reply that begins with `front` (unit, function, length), as far as it can be one to this
    /// request; `None` where it cannot.
    pub(super) fn rtu_length(self, front: &[u8]) -> Option<usize> {
        if front.first().is_some_and(|unit| *unit != self.unit) {
            return None;
        }
        match front.get(1).copied() {
            None => Some(5),
            Some(function) if function == self.function | 0x80 => Some(5),
            Some(function) if function == self.function => {
                let length = front.get(2).is_none_or(|length| u16::from(*length) == self.count * 2);
                length.then_some(usize::from(self.count) * 2 + 5)
            }
            Some(_) => None,
        }
    }
}

/// What an exception code says.
pub fn exception_words(code: u8) -> String {
    let words = match code {
        1 => "function not supported",
        2 => "no such register",
        3 => "value not allowed",
        4 => "device failure",
        5 => "accepted, takes long",
        6 => "busy",
        8 => "memory parity error",
        10 => "gateway path not available",
        11 => "gateway: the device does not answer",
        _ => "unknown reason",
    };
    format!("{words} (exception {code:02})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_of_the_catalogue_is_met() {
        // CRC-16/MODBUS of "123456789" is 4B37H in every catalogue of CRCs.
        assert_eq!(crc(b"123456789"), 0x4B37);
    }

    #[test]
    fn a_tcp_stream_gives_whole_frames_only() {
        let read = Read { unit: 1, function: 4, register: 72, count: 2 };
        let bytes = read.adu().emit_tcp(0x1234);
        assert_eq!(bytes, [0x12, 0x34, 0, 0, 0, 6, 1, 4, 0, 72, 0, 2]);
        for cut in 0..bytes.len() {
            assert_eq!(Adu::parse_tcp_front(&bytes[..cut]), Ok(None));
        }
        let (transaction, adu, length) = Adu::parse_tcp_front(&[&bytes[..], &[9]].concat()).unwrap().unwrap();
        assert_eq!((transaction, length), (0x1234, bytes.len()));
        assert_eq!(Read::from_adu(&adu), Some(read));
        for (place, byte) in [(2, 1), (4, 2), (5, 1)] {
            let mut wrong = bytes.clone();
            wrong[place] = byte;
            assert!(Adu::parse_tcp_front(&wrong).is_err(), "{place}");
        }
    }

    #[test]
    fn a_reply_to_another_question_is_no_reply() {
        let read = Read { unit: 1, function: 3, register: 0, count: 2 };
        let reply = Reply::Registers(vec![1, 2]);
        let adu = read.answer(&reply);
        assert_eq!(read.reply(&adu), Ok(reply));
        assert!(Read { unit: 2, ..read }.reply(&adu).is_err());
        assert!(Read { function: 4, ..read }.reply(&adu).is_err());
        assert!(Read { count: 3, ..read }.reply(&adu).is_err());
        let refused = read.answer(&Reply::Exception(2));
        assert_eq!(read.reply(&refused), Ok(Reply::Exception(2)));
    }

    proptest! {
        #[test]
        fn any_frame_survives_and_any_single_bit_flip_is_refused(
            unit: u8, pdu in proptest::collection::vec(any::<u8>(), 1..=253), place: usize, bit in 0..8_u8,
        ) {
            let adu = Adu { unit, pdu };
            let mut bytes = adu.emit_rtu();
            prop_assert_eq!(Adu::parse_rtu(&bytes), Ok(adu));
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert!(Adu::parse_rtu(&bytes).is_err());
        }

        #[test]
        fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Adu::parse_rtu(&bytes);
            let _ = Adu::parse_tcp_front(&bytes);
        }
    }
}
