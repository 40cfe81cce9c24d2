//! A list as a frame: what a simulated meter pushes.

use super::list::{Content, Entry, List};
use crate::meter::crc::x25;

/// Kinds of fields, in the upper half of their first byte (TR-03109-1, SML 1.04: TL field).
const OCTETS: u8 = 0x00;
const SIGNED: u8 = 0x50;
const UNSIGNED: u8 = 0x60;
const LIST: u8 = 0x70;
/// A field that is left out.
const ABSENT: u8 = 0x01;
/// Message bodies.
const OPEN: u32 = 0x0000_0101;
const GET_LIST_RESPONSE: u32 = 0x0000_0701;
const CLOSE: u32 = 0x0000_0201;
const ESCAPE: [u8; 4] = [0x1B; 4];

impl List {
    /// A whole frame that says this, with transport and both kinds of check sums.
    pub fn emit(&self) -> Vec<u8> {
        let server = octets(&self.server);
        let absent = || vec![ABSENT];
        let entries: Vec<Vec<u8>> = self.entries.iter().map(entry).collect();
        let values = list(&entries);
        let mut messages = vec![];
        messages.extend(message(
            0,
            OPEN,
            &list(&[absent(), absent(), octets(&[0]), server.clone(), absent(), absent()]),
        ));
        let said = list(&[absent(), server, absent(), absent(), values, absent(), absent()]);
        messages.extend(message(1, GET_LIST_RESPONSE, &said));
        messages.extend(message(2, CLOSE, &list(&[absent()])));
        frame(&messages)
    }
}

/// Messages in their transport.
fn frame(messages: &[u8]) -> Vec<u8> {
    let mut bytes = ESCAPE.to_vec();
    bytes.extend([1; 4]);
    let mut rest = messages;
    while let Some((first, behind)) = rest.split_first() {
        if rest.starts_with(&ESCAPE) {
            bytes.extend(ESCAPE);
            bytes.extend(ESCAPE);
            rest = &rest[ESCAPE.len()..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    // Filled up to whole groups of four.
    let pad = (4 - messages.len() % 4) % 4;
    bytes.extend(std::iter::repeat_n(0, pad));
    bytes.extend(ESCAPE);
    bytes.extend([0x1A, pad as u8]);
    let check = x25(&bytes);
    bytes.extend(check.to_le_bytes());
    bytes
}

fn message(number: u8, kind: u32, body: &[u8]) -> Vec<u8> {
    let choice = [&field(LIST, 2, &[])[..], &unsigned(u64::from(kind), 4), body].concat();
    let mut bytes =
        [&field(LIST, 6, &[])[..], &octets(&[number]), &unsigned(0, 1), &unsigned(0, 1), &choice].concat();
    // The check value's own bytes go low byte first, unlike every other number.
    let check = x25(&bytes).swap_bytes();
    bytes.extend(unsigned(u64::from(check), 2));
    bytes.push(0);
    bytes
}

fn entry(entry: &Entry) -> Vec<u8> {
    let value = match &entry.content {
        Content::Number(number, bits) => {
            let width = (*bits as usize / 8).clamp(1, 8);
            let kind = if entry.unsigned { UNSIGNED } else { SIGNED };
            field(kind, 0, &number.to_be_bytes()[16 - width..])
        }
        Content::Bytes(bytes) => octets(bytes),
        Content::Other => vec![ABSENT],
    };
    let unit = entry.unit.map_or(vec![ABSENT], |unit| unsigned(u64::from(unit), 1));
    let scaler = field(SIGNED, 0, &entry.scaler.to_be_bytes());
    let absent = || vec![ABSENT];
    list(&[octets(&entry.obis), absent(), absent(), unit, scaler, value, absent()])
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    field(OCTETS, 0, bytes)
}

fn unsigned(number: u64, width: usize) -> Vec<u8> {
    field(UNSIGNED, 0, &number.to_be_bytes()[8 - width..])
}

fn list(fields: &[Vec<u8>]) -> Vec<u8> {
    [field(LIST, fields.len(), &[]), fields.concat()].concat()
}

/// A TL field and its content. The length of a list counts its elements, that of anything else its bytes with the TL
/// field's own.
fn field(kind: u8, elements: usize, content: &[u8]) -> Vec<u8> {
    let counted = |own: usize| if kind == LIST { elements } else { content.len() + own };
    let mut own = 1;
    while counted(own) >= 1 << (4 * own) {
        own += 1;
    }
    let length = counted(own);
    let mut bytes = vec![];
    for place in (0..own).rev() {
        let more = if place == 0 { 0 } else { 0x80 };
        let kind = if place == own - 1 { kind } else { 0 };
        bytes.push(more | kind | (length >> (4 * place)) as u8 & 0x0F);
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;
    use super::*;
    use proptest::prelude::*;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let number = (any::<i64>(), prop_oneof![Just(8_u32), Just(16), Just(32), Just(64)], any::<bool>());
        let content = prop_oneof![
            number.prop_map(|(number, bits, unsigned)| {
                let cut = i128::from(number) & ((1 << bits) - 1);
                let negative = !unsigned && cut >> (bits - 1) == 1;
                (Content::Number(if negative { cut - (1 << bits) } else { cut }, bits), unsigned)
            }),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| (Content::Bytes(bytes), false)),
        ];
        (any::<[u8; 6]>(), content, any::<Option<u8>>(), any::<i8>()).prop_map(
            |(obis, (content, unsigned), unit, scaler)| Entry { obis, content, unsigned, unit, scaler },
        )
    }

    proptest! {
        #[test]
        fn any_list_that_is_pushed_is_read_as_it_was(
            server in proptest::collection::vec(any::<u8>(), 1..12),
            entries in proptest::collection::vec(any_entry(), 0..20),
        ) {
            let said = List { server, entries, quirks: vec![] };
            let bytes = said.emit();
            prop_assume!(bytes.len() < 4000);
            let mut scanner = Scanner::default();
            let heard: Vec<_> = bytes.iter().filter_map(|byte| scanner.push(*byte)).collect();
            prop_assert_eq!(heard, vec![(0, Ok(said))]);
        }
    }
}
