//! What is done with bytes from outside, one function for each parser: the fuzzer invents the bytes, `tests/corpus.rs`
//! plays the kept ones again on every build. A function returns, whatever comes; what must hold besides is asserted.

use phantomload::bench::description::File as BenchFile;
use phantomload::calibration::{Standard, tester};
use phantomload::certificate::chain::Entry;
use phantomload::certificate::record::Record;
use phantomload::certificate::sign::trust::Trust;
use phantomload::certificate::{package, sign, verify};
use phantomload::link::{self, Address, Framing, Link, http, journal};
use phantomload::meter::access::{Described, Wanted, usual_profile};
use phantomload::meter::dlt645::{self, Edition};
use phantomload::meter::dlt698::{self, Data, Oad};
use phantomload::meter::iec62056::readout;
use phantomload::meter::modbus::number::{self, Kind, Order, Places};
use phantomload::meter::modbus::{self, Adu, Read};
use phantomload::meter::ocmf::{self, Key, envelope};
use phantomload::meter::{Query, lem, sml};
use phantomload::plan::conventional::Assumptions;
use phantomload::plan::entries::Entries;
use phantomload::plan::nameplate::{Nameplate, Protocol, is_code};
use phantomload::plan::seal::Closing;
use phantomload::pulse::stream;
use phantomload::sim::Rig;
use phantomload::source::xl9600::message::Message;
use phantomload::time::Span;
use phantomload::{reference, regulation, source, uncertainty};
use std::collections::VecDeque;
use std::sync::OnceLock;

/// A parser under attack.
pub type Body = fn(&[u8]);

/// Every one by its name: that of its target, and of the folder of its corpus.
pub const BODIES: [(&str, Body); 17] = [
    ("dlt645", dlt645_frames),
    ("dlt645_values", dlt645_values),
    ("dlt698", dlt698_frames),
    ("modbus", modbus_frames),
    ("iec62056", iec62056_readout),
    ("sml", sml_frames),
    ("meters", meters),
    ("http", http_answers),
    ("lem", lem_answers),
    ("ocmf", ocmf_records),
    ("ocmf_envelope", ocmf_envelope),
    ("instruments", instruments),
    ("settings", settings),
    ("record", record_json),
    ("papers", papers),
    ("packages", packages),
    ("forms", forms),
];

/// The body of that name.
#[allow(dead_code, reason = "the fuzzer asks by name, the tests take all")]
pub fn body(name: &str) -> Option<Body> {
    BODIES.iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}

/// The bytes in two pieces, cut where the first byte says: what a line may do to any frame.
fn pieces(data: &[u8]) -> [&[u8]; 2] {
    let Some((cut, rest)) = data.split_first() else { return [&[], &[]] };
    let (front, back) = rest.split_at(usize::from(*cut).min(rest.len()));
    [front, back]
}

fn dlt645_frames(data: &[u8]) {
    let mut scanner = dlt645::Scanner::default();
    let mut found = vec![];
    for piece in pieces(data) {
        scanner.handle_bytes(piece);
        found.extend(std::iter::from_fn(|| scanner.poll()));
    }
    found.extend(scanner.handle_silence());
    for event in found {
        let dlt645::Event::Frame { frame, at } = event else { continue };
        // A frame is the bytes that stand in the stream at its place, and nothing else.
        let bytes = frame.emit();
        let stream = data.get(1..).unwrap_or_default();
        let begin = usize::try_from(at).expect("within the input");
        assert_eq!(stream.get(begin..begin + bytes.len()), Some(&bytes[..]));
        assert_eq!(dlt645::Frame::parse(&bytes), Ok(frame));
    }
}

fn dlt645_profiles() -> &'static [dlt645::Profile] {
    static PROFILES: OnceLock<Vec<dlt645::Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let shipped = dlt645::Profile::BUILTIN.map(|id| dlt645::Profile::builtin(id).expect("shipped"));
        shipped.to_vec()
    })
}

fn dlt645_values(data: &[u8]) {
    for profile in dlt645_profiles() {
        assert!(matches!(profile.edition(), Edition::Of2007 | Edition::Of1997));
        let tariffs = [1, 63].map(Query::TariffEnergy);
        for item in Query::all().into_iter().chain(tariffs).filter_map(|query| profile.item(query)) {
            // As many bytes as it has, so that the length alone refuses nothing.
            let mut bytes = data.to_vec();
            bytes.resize(item.bytes(), data.first().copied().unwrap_or(0));
            let Ok(phantomload::meter::Reading::Value(value)) = item.decode(&bytes) else { continue };
            // What it means has bytes that mean the same.
            if let Ok(again) = item.encode(&value) {
                assert_eq!(
                    item.decode(&again),
                    Ok(phantomload::meter::Reading::Value(value)),
                    "{}",
                    item.di()
                );
            }
        }
    }
}

fn dlt698_frames(data: &[u8]) {
    let mut scanner = dlt698::Scanner::default();
    let mut frames = vec![];
    for piece in pieces(data) {
        scanner.handle_bytes(piece);
        while let Some(found) = scanner.poll() {
            frames.extend(found.ok());
        }
    }
    loop {
        while let Some(found) = scanner.poll() {
            frames.extend(found.ok());
        }
        if !scanner.give_up() {
            break;
        }
    }
    for (_, frame) in frames {
        assert_eq!(dlt698::Frame::parse(&frame.emit()), Ok(frame.clone()));
        apdu(&frame.apdu);
    }
    apdu(data);
}

fn apdu(bytes: &[u8]) {
    let _ = dlt698::data::connected(bytes);
    if let [_, _, piid, o3, o2, o1, o0, ..] = *bytes {
        let oad = Oad(u32::from_be_bytes([o3, o2, o1, o0]));
        let _ = dlt698::data::got_normal(bytes, piid, oad);
        let _ = dlt698::data::got_record(bytes, piid, oad);
    }
    let _ = dlt698::data::link_answer(bytes, [0; 8]);
    let mut rest = bytes;
    if let Ok(value) = Data::parse(&mut rest) {
        let mut again = vec![];
        value.emit(&mut again);
        assert_eq!(Data::parse(&mut &again[..]), Ok(value.clone()));
        let _ = (value.number(), value.moment());
    }
}

fn modbus_frames(data: &[u8]) {
    if let Ok(adu) = Adu::parse_rtu(data) {
        assert_eq!(adu.emit_rtu(), data);
    }
    let mut stream = data;
    while let Ok(Some((transaction, adu, length))) = Adu::parse_tcp_front(stream) {
        assert_eq!(adu.emit_tcp(transaction), stream[..length]);
        stream = &stream[length..];
    }
    let [unit, function, count, rest @ ..] = data else { return };
    let read = Read { unit: *unit, function: *function, register: 0, count: u16::from(*count) };
    let _ = read.reply(&Adu { unit: *unit, pdu: rest.to_vec() });
    let registers: Vec<u16> =
        rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let _ = (number::clock(&registers), number::text(Places::BIG, &registers));
    for kind in [
        Kind::U16,
        Kind::I16,
        Kind::U32,
        Kind::I32,
        Kind::U64,
        Kind::I64,
        Kind::F32,
        Kind::F64,
        Kind::ExponentU24,
        Kind::ExponentI24,
        Kind::ClockBytes,
    ] {
        let held = &registers[..usize::from(kind.registers().unwrap_or(0)).min(registers.len())];
        for places in Places::ALL {
            let _ = number::number(kind, places, held, i32::from(unit.cast_signed()));
        }
        let _ = modbus::order::probe(kind, 0, held, 750.0, 0.1);
    }
    assert_eq!(Places::BIG.words, Order::HighFirst);
    for wrapping in [link::modbus::Wrapping::Rtu, link::modbus::Wrapping::Tcp] {
        let _ = (link::modbus::who(wrapping, *unit, data), link::modbus::words(data));
    }
}

fn iec62056_readout(data: &[u8]) {
    let _ = readout::find_identification(data);
    let Some((_, Ok(read))) = readout::find_block(data) else { return };
    for set in &read.sets {
        let _ = (set.code(), set.number(), set.date(), set.time());
    }
    let _ = readout::find_block(&read.emit());
}

fn sml_frames(data: &[u8]) {
    let mut scanner = sml::Scanner::default();
    for byte in data {
        if let Some((_, Ok(list))) = scanner.push(*byte) {
            sml_list(&list);
        }
    }
    // Check sums are a wall that few inventions pass: the messages behind it are attacked by themselves.
    if let Ok(list) = sml::List::parse(data) {
        sml_list(&list);
    }
}

fn sml_list(list: &sml::List) {
    let _ = (list.maker(), list.number(), list.server_text());
    for entry in &list.entries {
        let _ = (entry.code(), entry.number(), entry.unit_text());
        for quirk in sml::quirk::builtin() {
            let _ = quirk.is_of(list);
            if quirk.means(entry) {
                let _ = quirk.applied(entry).number();
            }
        }
    }
}

/// A line on which the fuzzer has written what the meter says. It never waits.
struct Script(VecDeque<u8>);

impl Link for Script {
    fn send(&mut self, _: &[u8]) -> Result<(), link::Fault> {
        Ok(())
    }
    /// A byte says how many follow at once; 0 is silence.
    fn receive(&mut self, buffer: &mut [u8], _: Span) -> Result<usize, link::Fault> {
        let Some(count) = self.0.pop_front() else { return Ok(0) };
        let count = usize::from(count).min(buffer.len()).min(self.0.len());
        for (place, byte) in buffer.iter_mut().zip(self.0.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
    fn discard_input(&mut self) -> Result<(), link::Fault> {
        Ok(())
    }
    fn peer(&self) -> &'static str {
        "the fuzzer"
    }
}

/// The meters' clients whole: the protocol, two queries, then all that the meter says.
fn meters(data: &[u8]) {
    static DESCRIBED: OnceLock<Vec<Described>> = OnceLock::new();
    let described = DESCRIBED.get_or_init(|| {
        let all = Protocol::ALL.into_iter().flat_map(|protocol| {
            [
                "auto",
                if matches!(protocol, Protocol::ModbusRtu | Protocol::ModbusTcp) {
                    "1"
                } else {
                    "000000000161"
                },
            ]
            .into_iter()
            .filter_map(move |address| {
                let wanted =
                    Wanted { protocol, profile: usual_profile(protocol), address, energy_decimals: None };
                Described::new(&wanted).ok()
            })
        });
        all.collect()
    });
    let [which, first, second, said @ ..] = data else { return };
    let script = Box::new(Script(said.iter().copied().collect()));
    let patience = dlt645::Patience {
        first_byte: Span::from_millis(1),
        between_bytes: Span::from_millis(1),
        attempts: 2,
    };
    let chosen = described[usize::from(*which) % described.len()].clone();
    let mut meter = chosen.with_patience(script, Some(patience));
    for query in [first, second] {
        let all = Query::all();
        let _ = meter.read(all[usize::from(*query) % all.len()]);
    }
    let _ = (meter.address(), meter.model());
}

fn http_answers(data: &[u8]) {
    for closed in [false, true] {
        if let Ok(http::Parsed::Whole(response)) = http::parse(data, closed) {
            assert!(response.body.len() <= data.len());
        }
    }
}

fn lem_answers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(status) = lem::status(text) {
        let _ = status.hindrance();
    }
    let _ = (lem::live(text), lem::stopped(text));
}

/// A key made for this file alone, so that signatures are looked at; the seeds are signed with it.
const KEY: &str = "3059301306072A8648CE3D020106082A8648CE3D030107034200040A7A1696D33DA5FD0450851CF6B436A254065D60E57CC9C21DB5C0D8DC2E46CA34C3802036C726E965BA97B7501E7798005AB06DFA2941E2C23C3F5B74FEDDF0";

fn ocmf_records(data: &[u8]) {
    let key = Key::from_text(KEY).ok();
    let checked = ocmf::check(data, key.as_ref());
    if let Some(record) = checked.record {
        let _ = (record.imported(), record.algorithm().len(), record.text().len());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Key::from_text(text);
    }
    if let Ok(key) = Key::from_bytes(data) {
        let record = br#"OCMF|{"FV":"1.0","RD":[]}|{"SA":"ECDSA-secp256r1-SHA256","SD":"3006020101020101"}"#;
        let _ = ocmf::check(record, Some(&key));
    }
}

fn ocmf_envelope(data: &[u8]) {
    for enclosed in envelope::open(data).unwrap_or_default() {
        let key = enclosed.key.and_then(|text| Key::from_text(&text).ok());
        let _ = ocmf::check(&enclosed.record, key.as_ref());
    }
}

/// What instruments, counters and people at a keyboard send in short texts.
fn instruments(data: &[u8]) {
    if let Ok(message) = Message::parse(data) {
        let _ = (message.refusal(), message.to_string());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(line) = stream::Line::parse(text) {
        assert_eq!(stream::Line::parse(&line.emit()), Some(line));
    }
    let _ = (text.parse::<Address>(), text.parse::<Framing>(), text.parse::<http::Server>());
    let _ = (text.parse::<link::recorder::Log>(), link::hex::bytes(text));
    let _ = journal::Read::from_text(text, "fuzz");
    let _ = (text.parse::<dlt645::Address>(), text.parse::<dlt698::ServerAddress>());
}

/// Files that people write: the first byte says which.
fn settings(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match which % 9 {
        0 => drop(Nameplate::from_toml("fuzz", text)),
        1 => drop(dlt645::Profile::from_toml("fuzz", text)),
        2 => drop(modbus::Profile::from_toml("fuzz", text)),
        3 => drop(regulation::Profile::from_toml("fuzz", text)),
        4 => drop(Standard::from_toml("fuzz", text)),
        5 => drop(source::Profile::from_toml("fuzz", text)),
        6 => drop(reference::Profile::from_toml("fuzz", text)),
        7 => drop(toml::from_str::<BenchFile>(text)),
        _ => drop(Rig::new("fuzz", text)),
    }
}

fn record_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Record::from_json("fuzz", text);
}

/// What stands on paper or in a package, one by one: the first byte says which.
fn papers(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let trust = Trust::new(jiff_zero());
    let text = std::str::from_utf8(rest).unwrap_or_default();
    match which % 9 {
        0 => drop(sign::pdf::verify(rest)),
        1 => drop(sign::xml::verify(rest)),
        2 => drop(sign::cms::verify(rest, b"")),
        3 => drop(sign::jws::parts(text)),
        4 => drop(verify::qr_text(text, &trust, None)),
        5 => drop(verify::chain(text, &trust, &[]).text()),
        6 => {
            // What was read is what would be written.
            if let Ok(entry) = Entry::from_json(rest) {
                assert_eq!(entry.to_json(), rest);
            }
        }
        7 => drop(package::read_issue(rest)),
        _ => {
            let mut trust = trust;
            let _ = trust.add(text);
            let _ = trust.judge(rest, None);
        }
    }
}

/// A whole package of a stranger: files of the usual names, cut where a line says so. What nobody has signed is never
/// authentic.
fn packages(data: &[u8]) {
    const NAMES: [&str; 8] = [
        "manifest.json",
        "manifest.jws",
        "manifest.json.p7s",
        "record.json",
        "issue.json",
        "certificate.dcc.xml",
        "certificate.pdf",
        "qr.txt",
    ];
    let trust = Trust::new(jiff_zero());
    let text = String::from_utf8_lossy(data);
    let files = NAMES.iter().zip(text.split("\n--\n"));
    let files = files.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let checked = verify::package(&files, &trust, None);
    assert_ne!(checked.result, verify::Kind::Authentic);
    assert!(checked.text().chars().all(|c| c == '\n' || !is_code(c)));
}

fn jiff_zero() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

/// Further files that people write: the first byte says which.
fn forms(data: &[u8]) {
    static PLAN: OnceLock<tester::Plan> = OnceLock::new();
    let Some((which, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match which % 5 {
        0 => drop(Entries::from_toml("fuzz", text)),
        1 => drop(Closing::from_toml("fuzz", text)),
        2 => drop(Assumptions::from_toml("fuzz", text)),
        3 => {
            let plan = PLAN.get_or_init(|| tester::Plan::builtin().expect("shipped"));
            drop(tester::Sheet::from_toml("fuzz", text, plan));
        }
        _ => drop(uncertainty::file::Request::from_toml("fuzz", text)),
    }
}
