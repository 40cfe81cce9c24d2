//! Every captured frame and dump of Modbus, DL/T 698.45, IEC 62056-21 and SML reads as its captor said, writes itself
//! again where we write it at all, and no damage passes. Those of DL/T 645 stand in `tests/frames.rs`.

#[path = "support/skip.rs"]
mod skip;

use phantomload::link::hex;
use phantomload::meter::Query;
use phantomload::meter::dlt698::data::{get_normal, got_normal};
use phantomload::meter::dlt698::{Data, Frame, Oad, Scanner};
use phantomload::meter::iec62056::readout::find_block;
use phantomload::meter::modbus::frame::Reply;
use phantomload::meter::modbus::number::number;
use phantomload::meter::modbus::{Adu, Profile, Read};
use phantomload::meter::sml;
use phantomload::meter::sml::list::Content;
use std::path::{Path, PathBuf};

/// A file of the data, which is not part of the project; `None`, loudly, where it is absent.
fn data(name: &str) -> Option<String> {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        skip::skipped(&format!("{} is absent, nothing of it was looked at", path.display()));
    }
    text
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

/// Lines that are no remarks, by columns.
fn table(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('\t').collect()).collect()
}

/// All texts with one bit turned over.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len() * 8).map(|place| {
        let mut damaged = bytes.to_vec();
        damaged[place / 8] ^= 1 << (place % 8);
        (place, damaged)
    })
}

// Modbus.

/// id, request, response.
fn modbus() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let Some(text) = data("modbus/acrel_djsf1352_rtu.tsv") else { return vec![] };
    let lines: Vec<_> = table(&text)
        .into_iter()
        .map(|columns| {
            (columns[0].to_owned(), hex::bytes(columns[1]).unwrap(), hex::bytes(columns[2]).unwrap())
        })
        .collect();
    assert_eq!(lines.len(), 6, "the table has 6 pairs");
    lines
}

#[test]
fn every_captured_modbus_frame_writes_itself_again_and_no_damage_passes() {
    for (id, request, response) in modbus() {
        for bytes in [&request, &response] {
            assert_eq!(Adu::parse_rtu(bytes).unwrap().emit_rtu(), *bytes, "{id}");
            for (place, damaged) in flipped(bytes) {
                assert!(Adu::parse_rtu(&damaged).is_err(), "{id} bit {place}");
            }
            for length in 0..bytes.len() {
                assert!(Adu::parse_rtu(&bytes[..length]).is_err(), "{id} at {length}");
            }
        }
    }
}

#[test]
fn every_captured_modbus_value_means_what_its_captor_said() {
    let acrel = Profile::builtin("acrel-djsf1352").unwrap();
    let held = |id: &str| {
        let (_, request, response) = modbus().into_iter().find(|(seen, ..)| seen == id)?;
        let read = Read::from_adu(&Adu::parse_rtu(&request).unwrap()).unwrap();
        match read.reply(&Adu::parse_rtu(&response).unwrap()).unwrap() {
            Reply::Registers(registers) => Some((read, registers)),
            Reply::Exception(code) => panic!("{id}: exception {code}"),
        }
    };
    let Some((read, registers)) = held("acrel-uidc") else { return };
    for (query, value) in [(Query::Voltage, "0"), (Query::Current, "0.0")] {
        let item = acrel.item(query).unwrap();
        let place = |register: u16| usize::from(register - read.register);
        let (point, offset) = item.point.unwrap();
        let shift = i32::from(registers[place(point)].cast_signed()) + offset;
        let held = &registers[place(item.register)..][..usize::from(item.count)];
        assert_eq!(number(item.kind, item.places, held, shift).unwrap().to_string(), value, "{query}");
    }
    let (_, registers) = held("acrel-energy").unwrap();
    let energy = acrel.item(Query::Energy).unwrap();
    let by_source: Vec<String> = energy
        .disputed
        .iter()
        .map(|(exponent, _)| {
            number(energy.kind, energy.places, &registers[..2], *exponent).unwrap().to_string()
        })
        .collect();
    assert_eq!(by_source, ["21.018", "2.1018", "0.21018"]);
    let (_, registers) = held("acrel-time").unwrap();
    let clock = phantomload::meter::modbus::number::clock(&registers[..3]).unwrap();
    assert_eq!(clock.to_string(), "2024-03-19T14:20:09");
}

// DL/T 698.45.

struct Line698 {
    id: String,
    bytes: Vec<u8>,
    server: String,
    apdu: Vec<u8>,
    sound: bool,
}

fn dlt698() -> Vec<Line698> {
    let Some(text) = data("dlt698/frames.tsv") else { return vec![] };
    let lines: Vec<Line698> = table(&text)
        .into_iter()
        .map(|columns| Line698 {
            id: columns[0].to_owned(),
            bytes: hex::bytes(columns[2]).unwrap(),
            server: columns[3].to_uppercase(),
            apdu: hex::bytes(columns[4]).unwrap(),
            sound: columns[5] == "ok",
        })
        .collect();
    assert_eq!(lines.len(), 19, "the table has 19 frames");
    lines
}

#[test]
fn every_captured_698_frame_reads_as_its_captor_said_and_writes_itself_again() {
    for line in dlt698() {
        let parsed = Frame::parse(&line.bytes);
        if !line.sound {
            assert!(parsed.is_err(), "{}", line.id);
            continue;
        }
        let frame = parsed.unwrap_or_else(|refusal| panic!("{}: {refusal}", line.id));
        assert_eq!(frame.server.to_string(), line.server, "{}", line.id);
        assert_eq!(frame.apdu, line.apdu, "{}", line.id);
        assert_eq!(frame.emit(), line.bytes, "{}", line.id);
        let mut scanner = Scanner::default();
        scanner.handle_bytes(&line.bytes);
        assert_eq!(scanner.poll(), Some(Ok((0, frame))), "{}", line.id);
    }
}

#[test]
fn every_captured_698_value_means_what_its_captor_said() {
    let lines = dlt698();
    for (id, oad, number) in [
        ("doc-energy-tot-rsp", 0x0010_0201, 123_456),
        ("doc-energy-hi-rsp", 0x0010_0401, 12_345_678),
        ("doc-volt-rsp", 0x2000_0201, 2413),
        ("cp-energy-rsp", 0x0010_0200, 123_456),
        ("cp-volt-rsp", 0x2000_0200, 7501),
        ("cp-curr-rsp", 0x2001_0200, 200_123),
    ] {
        let Some(line) = lines.iter().find(|line| line.id == id) else { continue };
        let got = got_normal(&line.apdu, line.apdu[2], Oad(oad)).unwrap().unwrap().unwrap();
        assert_eq!(got.number(), Some(number), "{id}");
        let mut again = vec![];
        got.emit(&mut again);
        assert_eq!(again, line.apdu[8..line.apdu.len() - 2], "{id}");
    }
    let Some(clock) = lines.iter().find(|line| line.id == "doc-clock-rsp") else { return };
    let got = got_normal(&clock.apdu, clock.apdu[2], Oad(0x4000_0200)).unwrap().unwrap().unwrap();
    assert_eq!(got.moment().unwrap().to_string(), "2026-10-07T14:16:26");
    let refused = lines.iter().find(|line| line.id == "cp-dar-rsp").unwrap();
    assert_eq!(got_normal(&refused.apdu, 8, Oad(0x200F_0200)), Some(Ok(Err(4))));
    let asked = lines.iter().find(|line| line.id == "std-addr-req").unwrap();
    assert_eq!(get_normal(0x25, Oad(0x4001_0200)), asked.apdu);
    // The APDUs of annex D.3.
    let annex = data("dlt698/standard_annexD_apdus.txt").unwrap_or_default();
    let response = annex.lines().find_map(|line| line.strip_prefix("get-normal-response")).unwrap();
    let apdu = hex::bytes(response).unwrap();
    let expected = Data::Octets(vec![0x12, 0x34, 0x56, 0x78, 0x90, 0x12]);
    assert_eq!(got_normal(&apdu, 1, Oad(0x4001_0200)), Some(Ok(Ok(expected))));
}

#[test]
fn no_damage_of_a_698_frame_passes() {
    for line in dlt698().into_iter().filter(|line| line.sound) {
        for (place, damaged) in flipped(&line.bytes) {
            assert!(Frame::parse(&damaged).is_err(), "{} bit {place}", line.id);
        }
        for length in 0..line.bytes.len() {
            assert!(Frame::parse(&line.bytes[..length]).is_err(), "{} at {length}", line.id);
        }
    }
}

// IEC 62056-21.

#[test]
fn the_captured_readout_reads_and_writes_itself_again_and_no_damage_passes() {
    let Some(text) = data("iec62056-21/modec_readout.txt") else { return };
    let packed = text.lines().find_map(|line| line.strip_prefix("hex of the block: ")).unwrap();
    let pairs: Vec<String> =
        packed.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
    let block = hex::bytes(&pairs.join(" ")).unwrap();
    let (at, readout) = find_block(&block).unwrap();
    let readout = readout.unwrap();
    assert_eq!(at, 0);
    let energy = readout.named("1.8.0").unwrap();
    assert_eq!((energy.number().unwrap().to_string(), &energy.unit[..]), ("1234.567".to_owned(), "kWh"));
    assert_eq!(readout.named("0.0.0").unwrap().value, "12345678");
    assert_eq!(readout.emit(), block);
    for (place, damaged) in flipped(&block) {
        // The parity bit is taken off on any line; the rest is refused, or waits for an end that never comes.
        let same = place % 8 == 7;
        match find_block(&damaged) {
            Some((_, Ok(seen))) => assert!(same && seen == readout, "bit {place}"),
            Some((_, Err(_))) | None => assert!(!same, "bit {place}"),
        }
    }
    for length in 0..block.len() {
        assert_eq!(find_block(&block[..length]), None, "at {length}");
    }
}

// SML.

/// Lists and damage in a stream.
fn listed(bytes: &[u8]) -> (Vec<sml::List>, usize) {
    let mut scanner = sml::Scanner::default();
    let found: Vec<_> = bytes.iter().filter_map(|byte| scanner.push(*byte)).collect();
    let damaged = found.iter().filter(|(_, list)| list.is_err()).count();
    (found.into_iter().filter_map(|(_, list)| list.ok()).collect(), damaged)
}

fn dump(path: &Path) -> Vec<u8> {
    let packed: String = std::fs::read_to_string(path).unwrap().split_whitespace().collect();
    let pairs: Vec<String> =
        packed.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
    hex::bytes(&pairs.join(" ")).unwrap()
}

/// The dumps with what is expected of them.
fn dumps() -> Vec<(PathBuf, String)> {
    let Ok(files) = std::fs::read_dir(folder().join("sml")) else {
        skip::skipped("the SML dumps are absent, none was looked at");
        return vec![];
    };
    let expects =
        files.map(|file| file.unwrap().path()).filter(|path| path.to_string_lossy().ends_with(".expect.tsv"));
    let all: Vec<_> = expects
        .map(|path| {
            let hex = PathBuf::from(path.to_string_lossy().replace(".expect.tsv", ".hex"));
            (hex, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    assert_eq!(all.len(), 7, "there are 7 dumps");
    all
}

#[test]
fn every_sml_dump_says_what_an_independent_reader_made_of_it() {
    for (path, expected) in dumps() {
        let (lists, damaged) = listed(&dump(&path));
        let [list] = &lists[..] else { panic!("{}: {} lists", path.display(), lists.len()) };
        assert_eq!(damaged, 0);
        for columns in table(&expected) {
            let place = |n: usize| u8::from_str_radix(&columns[0][2 * n..2 * n + 2], 16).unwrap();
            let obis = [0, 1, 2, 3, 4, 5].map(place);
            let entry = list.entries.iter().find(|entry| entry.obis == obis);
            let entry = entry.unwrap_or_else(|| panic!("{}: no {}", path.display(), columns[0]));
            match &entry.content {
                Content::Number(number, _) => {
                    assert_eq!(number.to_string(), columns[1], "{}", path.display());
                }
                Content::Bytes(bytes) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let packed = hex::text(bytes).replace(' ', "").to_lowercase();
                    assert!(columns[1] == text || columns[1] == packed, "{}: {columns:?}", path.display());
                }
                Content::Other => panic!("{}: {columns:?}", path.display()),
            }
            if let Some(unit) = columns[2].strip_prefix("unit=").and_then(|unit| unit.parse::<u8>().ok()) {
                assert_eq!(entry.unit.unwrap_or(0), unit, "{}", path.display());
            }
            if let Some(scaler) = columns[3].strip_prefix("scaler=").and_then(|s| s.parse::<i8>().ok()) {
                assert_eq!(entry.scaler, scaler, "{}", path.display());
            }
        }
    }
}

#[test]
fn no_damage_of_an_sml_frame_passes() {
    for (path, _) in dumps() {
        let bytes = dump(&path);
        let (whole, _) = listed(&bytes);
        for (place, damaged) in flipped(&bytes) {
            let (lists, _) = listed(&damaged);
            assert!(lists.is_empty() || lists == whole, "{} bit {place}", path.display());
        }
        for length in 0..bytes.len() {
            assert!(listed(&bytes[..length]).0.is_empty(), "{} at {length}", path.display());
        }
    }
    let bad = folder().join("sml/emh_ehz361l5r.bad_crc.hex");
    if bad.exists() {
        let (lists, damaged) = listed(&dump(&bad));
        assert!(lists.is_empty() && damaged >= 1);
    }
}
