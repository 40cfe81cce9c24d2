//! Frames out of bytes that arrive in any pieces, and the list of values in each.

use super::kermit;
use super::quirk;
use crate::link::hex;
use crate::meter::obis::Code;
use rust_decimal::Decimal;
use sml_rs::parser::common::Value;
use sml_rs::parser::complete::{MessageBody, parse};
use sml_rs::transport::{DecodeErr, Decoder};
use sml_rs::util::ArrayBuf;

/// Longest message part of a frame believed, in bytes.
const FRAME_LIMIT: usize = 4096;

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// The meter's own number, as bytes.
    pub server: Vec<u8>,
    /// In its order.
    pub entries: Vec<Entry>,
    /// Quirks without which there would be no list, as they stand in the record.
    pub quirks: Vec<String>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// All six groups.
    pub obis: [u8; 6],
    /// Its content.
    pub content: Content,
    /// Whether the meter wrote it without a sign.
    pub unsigned: bool,
    /// DLMS unit: 30 Wh, 27 W, 35 V, 33 A, 44 Hz.
    pub unit: Option<u8>,
    /// Power of ten.
    pub scaler: i8,
}

/// A value's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A number before its power of ten, and the bits it was written in.
    Number(i128, u32),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Something else: a truth value, a time.
    Other,
}

impl Entry {
    /// C.D.E of its code, where it is one of electricity.
    pub fn code(&self) -> Option<Code> {
        let [a, _, c, d, e, _] = self.obis;
        (a == 1).then_some(Code { c, d, e })
    }

    /// Its number with its power of ten, exactly.
    pub fn number(&self) -> Option<Decimal> {
        let Content::Number(mantissa, _) = self.content else { return None };
        let whole = Decimal::try_from_i128_with_scale(mantissa, 0).ok()?;
        crate::meter::obis::shifted(whole, i32::from(self.scaler))
    }

    /// The unit as text.
    pub const fn unit_text(&self) -> &'static str {
        match self.unit {
            Some(30) => "Wh",
            Some(27) => "W",
            Some(35) => "V",
            Some(33) => "A",
            Some(44) => "Hz",
            _ => "",
        }
    }
}

impl List {
    /// The list in the messages of a frame (transport taken off, both kinds of CRC checked).
    pub fn parse(messages: &[u8]) -> Result<Self, String> {
        let file = parse(messages).map_err(|why| format!("the frame is no SML: {why:?}"))?;
        let lists = file.messages.into_iter().filter_map(|message| match message.message_body {
            MessageBody::GetListResponse(list) => Some(list),
            _ => None,
        });
        let mut found = Self::default();
        for list in lists {
            found.server = list.server_id.to_vec();
            for entry in &list.val_list {
                let Ok(obis) = <[u8; 6]>::try_from(entry.obj_name) else { continue };
                let (content, unsigned) = content(&entry.value);
                let scaler = entry.scaler.unwrap_or(0);
                found.entries.push(Entry { obis, content, unsigned, unit: entry.unit, scaler });
            }
        }
        Ok(found)
    }

    /// The entry whose value groups are `code`.
    pub fn find(&self, code: Code) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.code() == Some(code))
    }

    /// The three letters of the maker: from the entry for it (1-0:96.50.1.1, 129-129:199.130.3), else from the number.
    pub fn maker(&self) -> Option<String> {
        let named = self
            .entries
            .iter()
            .find(|entry| matches!(entry.obis, [_, _, 96, 50, 1, _] | [129, 129, 199, 130, 3, _]));
        if let Some(Content::Bytes(bytes)) = named.map(|entry| &entry.content) {
            return String::from_utf8(bytes.clone()).ok();
        }
        // Server numbers by DIN 43863-5 hold the maker behind two leading bytes, or one.
        let letters = |from: usize| {
            let three = self.server.get(from..from + 3)?;
            three.iter().all(u8::is_ascii_uppercase).then(|| String::from_utf8_lossy(three).into_owned())
        };
        letters(2).or_else(|| letters(1))
    }

    /// The number behind the maker's letters and the block, by DIN 43863-5.
    pub fn number(&self) -> Option<u32> {
        let [0x0A, _, _, _, _, _, number @ ..] = &self.server[..] else { return None };
        number.try_into().ok().map(u32::from_be_bytes)
    }

    /// The meter's own number as people write it: hex.
    pub fn server_text(&self) -> String {
        hex::text(&self.server).replace(' ', "")
    }
}

fn content(value: &Value<'_>) -> (Content, bool) {
    let number = |number: i128, bits| Content::Number(number, bits);
    match value {
        Value::I8(n) => (number(i128::from(*n), 8), false),
        Value::I16(n) => (number(i128::from(*n), 16), false),
        Value::I32(n) => (number(i128::from(*n), 32), false),
        Value::I64(n) => (number(i128::from(*n), 64), false),
        Value::U8(n) => (number(i128::from(*n), 8), true),
        Value::U16(n) => (number(i128::from(*n), 16), true),
        Value::U32(n) => (number(i128::from(*n), 32), true),
        Value::U64(n) => (number(i128::from(*n), 64), true),
        Value::Bytes(bytes) => (Content::Bytes(bytes.to_vec()), false),
        Value::Bool(_) | Value::List(_) => (Content::Other, false),
    }
}

/// Finds frames in a stream; never holds more than one.
pub struct Scanner {
    decoder: Decoder<ArrayBuf<FRAME_LIMIT>>,
    /// Bytes taken so far.
    taken: u64,
    /// Where the frame in progress began.
    begun: u64,
    /// The last bytes, to see a start.
    tail: [u8; 8],
    /// The frame in progress as it came: what its check sum does not fit may be a quirk.
    raw: Vec<u8>,
}

/// The start of a frame.
const START: [u8; 8] = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];

impl Default for Scanner {
    fn default() -> Self {
        Self { decoder: Decoder::new(), taken: 0, begun: 0, tail: [0; 8], raw: vec![] }
    }
}

impl Scanner {
    /// Takes one byte; gives a whole frame's list and where it began, or what is wrong with what came.
    pub fn push(&mut self, byte: u8) -> Option<(u64, Result<List, String>)> {
        self.taken += 1;
        self.tail.rotate_left(1);
        self.tail[7] = byte;
        if self.tail == START {
            self.begun = self.taken - 8;
            self.raw.clear();
            self.raw.extend(&START[..7]);
        }
        if !self.raw.is_empty() && self.raw.len() < 2 * FRAME_LIMIT {
            self.raw.push(byte);
        }
        match self.decoder.push_byte(byte) {
            Ok(Some(messages)) => Some((self.begun, List::parse(messages))),
            // Bytes before a start are those of a frame that began before we listened.
            Ok(None) | Err(DecodeErr::DiscardedBytes(_)) => None,
            Err(why) => {
                let damaged = || format!("damaged SML frame: {why:?}");
                Some((self.begun, kermit::list(&self.raw, quirk::builtin()).ok_or_else(damaged)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = List::parse(&bytes);
            let mut scanner = Scanner::default();
            for byte in START.into_iter().chain(bytes) {
                let _ = scanner.push(byte);
            }
        }
    }

    #[test]
    fn a_start_in_the_middle_of_garbage_sets_the_beginning() {
        let mut scanner = Scanner::default();
        for byte in [0_u8; 5].into_iter().chain(START) {
            assert!(scanner.push(byte).is_none());
        }
        assert_eq!(scanner.begun, 5);
    }
}
