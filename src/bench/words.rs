//! The interface log in words: lines of text, DL/T 645 frames, XL-9600 messages, Modbus frames; what is none of these as
//! bytes.

use crate::link::journal::Entry;
use crate::link::recorder::Direction;
use crate::link::{hex, modbus};
use crate::meter::dlt645::frame::{Di, Frame, refusal_words};
use crate::meter::dlt645::{self, Control, Scanner};
use crate::source::xl9600::message::Message;
use std::collections::HashMap;
use std::fmt::Write;

/// The longest run of pieces that is put together before it is given out as it is, in bytes.
const JOIN_MAX: usize = 4096;

/// One line a message: time, device, direction, meaning. Text that came in pieces is put together and stands at the time
/// of its last piece.
pub fn page(entries: &[Entry]) -> String {
    let mut page = String::new();
    let mut open: HashMap<(String, bool), Vec<u8>> = HashMap::new();
    for entry in entries {
        let key = (entry.device.clone(), entry.direction == Direction::Sent);
        let waiting = open.entry(key).or_default();
        waiting.extend_from_slice(&entry.bytes);
        if !is_whole(waiting) && waiting.len() < JOIN_MAX {
            continue;
        }
        let bytes = std::mem::take(waiting);
        for said in words(&bytes) {
            line(&mut page, entry, &said);
        }
    }
    let mut left: Vec<_> = open.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    left.sort();
    for ((device, sent), bytes) in left {
        let arrow = if sent { '>' } else { '<' };
        let _ =
            writeln!(page, "{:<29} {device:<14} {arrow} (unfinished) {}", "at the end", hex::text(&bytes));
    }
    page
}

fn line(page: &mut String, entry: &Entry, said: &str) {
    let arrow = if entry.direction == Direction::Sent { '>' } else { '<' };
    let _ = writeln!(page, "{} {:<14} {arrow} {said}", entry.at, entry.device);
}

/// Whether bytes that came so far end where a message ends. What looks like no protocol is whole at once.
fn is_whole(bytes: &[u8]) -> bool {
    let looks_like_text = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\t' | 0x20..=0x7E));
    if looks_like_text {
        return bytes.ends_with(b"\n");
    }
    let core = wakeless(bytes);
    if core.first() == Some(&dlt645::frame::START) {
        return !matches!(Frame::parse_front(core), Err(dlt645::frame::Refusal::Incomplete { .. }));
    }
    // Only wake bytes so far.
    !core.is_empty()
}

fn wakeless(bytes: &[u8]) -> &[u8] {
    let wake = bytes.iter().take_while(|byte| **byte == dlt645::frame::WAKE).count();
    &bytes[wake..]
}

/// What bytes say: one text for each message in them.
pub fn words(bytes: &[u8]) -> Vec<String> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(|c| !c.is_control() || matches!(c, '\r' | '\n' | '\t'))
        && Message::parse(bytes).is_err()
    {
        return text.lines().map(|line| format!("`{}`", line.trim_end())).collect();
    }
    if let Ok(message) = Message::parse(bytes) {
        return vec![format!("XL-9600 {message}")];
    }
    if wakeless(bytes).first() == Some(&dlt645::frame::START) {
        return frames(bytes);
    }
    vec![modbus::words(bytes).unwrap_or_else(|| hex::text(bytes))]
}

fn frames(bytes: &[u8]) -> Vec<String> {
    let mut scanner = Scanner::default();
    scanner.handle_bytes(bytes);
    let said: Vec<String> = scanner
        .handle_silence()
        .into_iter()
        .map(|event| match event {
            dlt645::Event::Frame { frame, .. } => frame_words(&frame),
            dlt645::Event::Damaged { refusal, .. } => {
                format!("DL/T 645, damaged: {refusal} ({})", hex::text(bytes))
            }
        })
        .collect();
    if said.is_empty() { vec![hex::text(bytes)] } else { said }
}

fn frame_words(frame: &Frame) -> String {
    let what = match frame.control.function() {
        f if f == Control::READ.function() => "read",
        f if f == Control::READ_MORE.function() => "read more",
        f if f == Control::READ_ADDRESS.function() => "read address",
        _ => "function",
    };
    let control = hex::text(&[frame.control.byte()]);
    let head = format!("DL/T 645 {} {what} ({control}H)", frame.address);
    if frame.control.is_abnormal() {
        let why = frame.data.first().map_or_else(String::new, |err| refusal_words(*err));
        return format!("{head}, refused: {why}");
    }
    let side = if frame.control.is_reply() { "answer" } else { "request" };
    let item = match frame.control.function() {
        f if f == Control::READ_ADDRESS.function() => None,
        _ => Di::from_data(&frame.data),
    };
    match item {
        Some(di) if frame.data.len() > 4 => {
            format!("{head}, {side}: {di} = {}", hex::text(&frame.data[4..]))
        }
        Some(di) => format!("{head}, {side}: {di}"),
        None if frame.data.is_empty() => format!("{head}, {side}"),
        None => format!("{head}, {side}: {}", hex::text(&frame.data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Span, Stamp};

    fn entry(secs: i64, device: &str, direction: Direction, bytes: &[u8]) -> Entry {
        let at: Stamp = "2026-11-20T10:02:00.000+08:00".parse().unwrap();
        Entry { at: at.after(Span::from_secs(secs)), device: device.into(), direction, bytes: bytes.to_vec() }
    }

    #[test]
    fn a_session_reads_like_a_talk() {
        // The energy of meter 000000000161, as in src/meter/dlt645.
        let request = hex::bytes("FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16").unwrap();
        let page = page(&[
            entry(0, "source", Direction::Sent, b"*IDN?\n"),
            entry(1, "source", Direction::Received, b"MAKER,"),
            entry(2, "meter", Direction::Sent, &request),
            entry(3, "source", Direction::Received, b"X1\r\n"),
            entry(4, "bench", Direction::Sent, &Message::bare("源停止").emit()),
            entry(5, "meter", Direction::Received, &[0xFE, 0xFE]),
        ]);
        let lines: Vec<&str> = page.lines().map(|line| line.split_once(' ').unwrap().1.trim()).collect();
        assert!(lines[0].ends_with("> `*IDN?`"), "{page}");
        assert!(lines[1].contains("DL/T 645 000000000161 read (11H), request: 00010000"), "{page}");
        assert!(lines[2].ends_with("< `MAKER,X1`"), "{page}");
        assert!(lines[3].ends_with("> XL-9600 <源停止>"), "{page}");
        assert!(lines[4].contains("(unfinished) FE FE"), "{page}");
    }

    #[test]
    fn a_damaged_frame_says_what_is_wrong_and_shows_its_bytes() {
        let damaged = hex::bytes("68 61 01 00 00 00 00 68 11 04 33 33 34 33 15 16").unwrap();
        let said = words(&damaged);
        assert!(said[0].starts_with("DL/T 645, damaged") && said[0].contains("68 61 01"), "{said:?}");
        assert_eq!(words(&[0x00, 0x01]), ["00 01"]);
    }
}
