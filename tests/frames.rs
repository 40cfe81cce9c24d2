//! Every captured DL/T 645 frame reads as its captor said, `emit(parse(x)) == x`, and no damage passes.

#[path = "support/skip.rs"]
mod skip;

use phantomload::link::hex;
use phantomload::meter::dlt645::frame::WAKE;
use phantomload::meter::dlt645::{Di, Event, Frame, Profile, Scanner};
use phantomload::meter::{Query, Reading};
use std::path::Path;

/// One line of the table.
struct Line {
    id: String,
    bytes: Vec<u8>,
    address: String,
    control: u8,
    data: Vec<u8>,
    sound: bool,
}

/// The table of frames, which is not part of the project; `None`, loudly, where it is absent.
fn table() -> Option<Vec<Line>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/dlt645/frames.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        skip::skipped(&format!("{} is absent, no captured frame was looked at", path.display()));
        return None;
    };
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        Line {
            id: columns[0].to_owned(),
            bytes: hex::bytes(columns[2]).unwrap(),
            address: columns[3].to_uppercase(),
            control: u8::from_str_radix(columns[4], 16).unwrap(),
            data: hex::bytes(columns[5]).unwrap(),
            sound: columns[6] == "ok",
        }
    });
    let lines: Vec<Line> = lines.collect();
    assert_eq!(lines.len(), 33, "the table has 33 frames");
    Some(lines)
}

fn sound() -> Vec<Line> {
    table().unwrap_or_default().into_iter().filter(|line| line.sound).collect()
}

fn scanned(bytes: &[u8]) -> Vec<Event> {
    let mut scanner = Scanner::default();
    scanner.handle_bytes(bytes);
    let mut events: Vec<Event> = std::iter::from_fn(|| scanner.poll()).collect();
    events.extend(scanner.handle_silence());
    events
}

#[test]
fn every_captured_frame_reads_as_its_captor_said_and_writes_itself_again() {
    for line in sound() {
        let frame = Frame::parse(&line.bytes).unwrap_or_else(|refusal| panic!("{}: {refusal}", line.id));
        assert_eq!(frame.address.to_string(), line.address, "{}", line.id);
        assert_eq!(frame.control.byte(), line.control, "{}", line.id);
        assert_eq!(frame.data, line.data, "{}", line.id);
        let wake = line.bytes.iter().take_while(|byte| **byte == WAKE).count();
        assert_eq!(frame.emit(), line.bytes[wake..], "{}", line.id);
        assert_eq!(scanned(&line.bytes), [Event::Frame { frame, at: wake as u64 }], "{}", line.id);
    }
}

#[test]
fn every_captured_value_means_what_its_captor_said() {
    let profile = Profile::builtin("dlt645-2007").unwrap();
    let mut seen = 0;
    for (id, query, value) in [
        ("real-energy-rsp-1", Query::Energy, "0.26 kWh"),
        ("real-volt-rsp-1", Query::Voltage, "100.1 V"),
        ("real-curr-rsp-1", Query::Current, "4.999 A"),
        ("real-pow-rsp-1", Query::Power, "0.2512 kW"),
        ("real-energy-rsp-2", Query::Energy, "1.86 kWh"),
        ("real-volt-rsp-2", Query::Voltage, "231.9 V"),
        ("real-volt-rsp-3", Query::Voltage, "221.6 V"),
        ("real-volt-rsp-4", Query::Voltage, "223.3 V"),
        ("real-volt-rsp-5", Query::Voltage, "224.4 V"),
        ("doc-energy", Query::Energy, "1234.56 kWh"),
        ("cp-cover-count", Query::CoverOpenCount, "3"),
        ("cp-cover-last1", Query::CoverOpenLast, "2026-11-20T08:15:30 to 2026-11-20T08:20:01"),
        ("cp-const", Query::Constant, "1200 imp/kWh"),
    ] {
        let Some(line) = sound().into_iter().find(|line| line.id == id) else { continue };
        let frame = Frame::parse(&line.bytes).unwrap();
        let item = profile.item(query).unwrap();
        assert_eq!(frame.di(), Some(item.di()), "{id}");
        let Ok(Reading::Value(read)) = item.decode(&frame.data[4..]) else { panic!("{id} has no value") };
        assert_eq!(read.to_string(), value, "{id}");
        if query != Query::CoverOpenLast {
            assert_eq!(item.encode(&read).as_deref(), Ok(&frame.data[4..]), "{id}");
        }
        seen += 1;
    }
    assert!(seen == 13 || table().is_none());
}

#[test]
fn damaged_frames_are_refused() {
    let bad = table().unwrap_or_default().into_iter().filter(|line| !line.sound);
    for line in bad {
        assert!(Frame::parse(&line.bytes).is_err(), "{}", line.id);
        let events = scanned(&line.bytes);
        assert!(matches!(events[..], [Event::Damaged { .. }]), "{}: {events:?}", line.id);
    }
}

#[test]
fn every_truncation_is_refused() {
    for line in sound() {
        for length in 0..line.bytes.len() {
            assert!(Frame::parse(&line.bytes[..length]).is_err(), "{} at {length}", line.id);
            let events = scanned(&line.bytes[..length]);
            assert!(
                !events.iter().any(|event| matches!(event, Event::Frame { .. })),
                "{} at {length}",
                line.id
            );
        }
    }
}

#[test]
fn every_single_bit_flip_is_refused() {
    for line in sound() {
        let whole = Frame::parse(&line.bytes).unwrap();
        let wake = line.bytes.iter().take_while(|byte| **byte == WAKE).count();
        for place in 0..line.bytes.len() {
            for bit in 0..8 {
                let mut bytes = line.bytes.clone();
                bytes[place] ^= 1 << bit;
                assert!(Frame::parse(&bytes).is_err(), "{} byte {place} bit {bit}", line.id);
                // On a line, a damaged wake byte is noise before a sound frame.
                let events = scanned(&bytes);
                let frames: Vec<&Frame> = events
                    .iter()
                    .filter_map(
                        |event| if let Event::Frame { frame, .. } = event { Some(frame) } else { None },
                    )
                    .collect();
                let expected = if place < wake { vec![&whole] } else { vec![] };
                assert_eq!(frames, expected, "{} byte {place} bit {bit}", line.id);
            }
        }
    }
}

#[test]
fn a_frame_put_together_by_hand_equals_the_captured_request() {
    let Some(line) = sound().into_iter().find(|line| line.id == "real-energy-req-1") else { return };
    let request = Frame::read("000000000161".parse().unwrap(), Di::new(0x0001_0000));
    assert_eq!(request.emit(), line.bytes[4..]);
}
