//! Frames that are checked by CRC-16/KERMIT, as old meters of one maker send them: read only where the frame itself says
//! that it is such a meter's.

use super::list::List;
use super::quirk::{Effect, Quirk};
use crate::meter::crc::{kermit, x25};

/// Deepest nesting walked through; SML's own messages have seven.
const DEPTH_MAX: usize = 16;
const ESCAPE: [u8; 4] = [0x1B; 4];
/// A message: a list of six.
const MESSAGE: u8 = 0x76;
/// A check value of two bytes.
const CHECK: u8 = 0x63;

/// The list in a whole frame, from its first escape to its check value, if that value is KERMIT's and a quirk names the
/// meter.
pub(super) fn list(frame: &[u8], quirks: &[Quirk]) -> Option<List> {
    let (checked, check) = frame.split_last_chunk::<2>()?;
    if u16::from_be_bytes(*check) != kermit(checked) {
        return None;
    }
    // Behind the start, before `1B 1B 1B 1B 1A` and the number of filling bytes.
    let (inside, end) = checked.get(8..)?.split_last_chunk::<6>()?;
    let [0x1B, 0x1B, 0x1B, 0x1B, 0x1A, pad @ 0..=3] = *end else { return None };
    let mut messages = unescaped(inside);
    messages.truncate(messages.len().checked_sub(usize::from(pad))?);
    rechecked(&mut messages)?;
    let mut list = List::parse(&messages).ok()?;
    let quirk = quirks.iter().find(|quirk| quirk.effect == Effect::CheckKermit && quirk.is_of(&list))?;
    list.quirks.push(quirk.words());
    Some(list)
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = vec![];
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(&[0x1B; 8]) {
            plain.extend(ESCAPE);
            rest = behind;
        } else {
            plain.push(*first);
            rest = behind;
        }
    }
    plain
}

/// Puts the usual check value into each message whose own is KERMIT's; `None` where one is neither.
fn rechecked(messages: &mut [u8]) -> Option<()> {
    let mut begin = 0;
    while begin < messages.len() {
        let rest = &messages[begin..];
        if rest[0] != MESSAGE {
            return None;
        }
        // Transaction, group, what to do on errors, body.
        let length = (0..4).try_fold(1, |at, _| Some(at + skipped(rest.get(at..)?, 0)?))?;
        let [CHECK, first, second, 0x00] = *rest.get(length..length + 4)? else { return None };
        let (seen, usual) = (u16::from_le_bytes([first, second]), x25(&rest[..length]));
        let own = kermit(&rest[..length]);
        if seen != usual && seen != own && seen != own.swap_bytes() {
            return None;
        }
        messages[begin + length + 1..begin + length + 3].copy_from_slice(&usual.to_le_bytes());
        begin += length + 4;
    }
    Some(())
}

/// How many bytes the field at the front takes, with all that is in it.
fn skipped(bytes: &[u8], depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut own = 0;
    let mut length = 0_usize;
    loop {
        let byte = *bytes.get(own)?;
        own += 1;
        length = length << 4 | usize::from(byte & 0x0F);
        if byte & 0x80 == 0 {
            break;
        }
        if own > 3 {
            return None;
        }
    }
    if bytes[0] & 0x70 == 0x70 {
        return (0..length).try_fold(own, |at, _| Some(at + skipped(bytes.get(at..)?, depth + 1)?));
    }
    (length >= own && length <= bytes.len()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;
    use super::super::list::{Content, Entry};
    use super::super::quirk::builtin;
    use super::*;
    use proptest::prelude::*;

    fn meter(maker: [u8; 3]) -> List {
        let server = [&[0x0A, 0x01][..], &maker, &[0, 0, 0, 0, 1]].concat();
        let content = Content::Number(23_559_290, 32);
        let energy =
            Entry { obis: [1, 0, 1, 8, 0, 255], content, unsigned: false, unit: Some(30), scaler: -1 };
        List { server, entries: vec![energy], quirks: vec![] }
    }

    /// Its frame as such a meter checks it.
    fn frame(list: &List) -> Vec<u8> {
        let mut frame = list.emit();
        let end = frame.len() - 8;
        let pad = usize::from(frame[end + 5]);
        let mut begin = 8;
        while begin < end - pad {
            let rest = &frame[begin..end - pad];
            let length = (0..4).try_fold(1, |at, _| Some(at + skipped(&rest[at..], 0)?)).unwrap();
            let check = kermit(&rest[..length]);
            frame[begin + length + 1..begin + length + 3].copy_from_slice(&check.to_le_bytes());
            begin += length + 4;
        }
        let place = frame.len() - 2;
        let check = kermit(&frame[..place]);
        frame[place..].copy_from_slice(&check.to_be_bytes());
        frame
    }

    fn heard(bytes: &[u8]) -> Vec<Result<List, String>> {
        let mut scanner = Scanner::default();
        bytes.iter().filter_map(|byte| scanner.push(*byte)).map(|(_, list)| list).collect()
    }

    #[test]
    fn the_makers_frame_is_read_with_the_quirk_named_and_anybody_elses_is_damaged() {
        let own = meter(*b"HLY");
        let lists = heard(&frame(&own));
        let [Ok(list)] = &lists[..] else { panic!("{lists:?}") };
        assert_eq!((&list.server, &list.entries), (&own.server, &own.entries));
        assert!(
            list.quirks.len() == 1 && list.quirks[0].contains("holley-dtz541-check"),
            "{:?}",
            list.quirks
        );
        let foreign = heard(&frame(&meter(*b"ISK")));
        assert!(matches!(foreign[..], [Err(_)]), "{foreign:?}");
        // The same maker's newer meters check as everybody does.
        assert!(matches!(&heard(&own.emit())[..], [Ok(list)] if list.quirks.is_empty()));
    }

    #[test]
    fn every_single_bit_flip_of_such_a_frame_is_refused() {
        let whole = frame(&meter(*b"HLY"));
        for place in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[place / 8] ^= 1 << (place % 8);
            assert!(heard(&damaged).iter().all(Result::is_err), "bit {place}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = skipped(&bytes, 0);
            let _ = rechecked(&mut bytes.clone());
            // Behind a check value that fits.
            let mut frame = [&[0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1][..], &bytes, &[0x1B, 0x1B, 0x1B, 0x1B, 0x1A, 0]].concat();
            let check = kermit(&frame);
            frame.extend(check.to_be_bytes());
            let _ = list(&frame, builtin());
        }
    }
}
