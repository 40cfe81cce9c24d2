//! The meter's side of Modbus, DL/T 698.45, IEC 62056-21 and SML.

use super::super::world::World;
use super::fitted;
use crate::link::hex;
use crate::meter::dlt698::client::{BEGUN, ENDED, answer, answer_record, asked, events, objects};
use crate::meter::dlt698::{Data, Oad, Scanner, ServerAddress};
use crate::meter::iec62056::{DataSet, Readout};
use crate::meter::modbus::frame::Reply;
use crate::meter::modbus::number::{Kind, registers};
use crate::meter::modbus::{Adu, Item, Profile, Read};
use crate::meter::sml::list::Content;
use crate::meter::sml::{Entry, List};
use crate::meter::{Query, Value};
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Exception for registers that the meter does not have.
const NO_SUCH_REGISTER: u8 = 2;
/// DAR for objects that the meter does not have.
const NOT_DEFINED: u8 = 4;

pub(super) struct Modbus {
    unit: u8,
    profile: Profile,
    tcp: bool,
    waiting: Vec<u8>,
}

impl Modbus {
    pub(super) fn new(unit: u8, profile: Profile, tcp: bool) -> Self {
        Self { unit, profile, tcp, waiting: vec![] }
    }

    pub(super) fn answer(&mut self, bytes: &[u8], world: &World) -> Vec<u8> {
        self.waiting.extend(bytes);
        let mut reply = vec![];
        if self.tcp {
            while let Ok(Some((transaction, adu, length))) = Adu::parse_tcp_front(&self.waiting) {
                self.waiting.drain(..length);
                reply.extend(self.reply(&adu, world).map_or(vec![], |adu| adu.emit_tcp(transaction)));
            }
        } else {
            // A request to read has eight bytes; what is none, a master's silence would part, is passed over.
            while self.waiting.len() >= 8 {
                match Adu::parse_rtu(&self.waiting[..8]) {
                    Ok(adu) => {
                        self.waiting.drain(..8);
                        reply.extend(self.reply(&adu, world).map_or(vec![], |adu| adu.emit_rtu()));
                    }
                    Err(_) => drop(self.waiting.drain(..1)),
                }
            }
        }
        reply
    }

    fn reply(&self, adu: &Adu, world: &World) -> Option<Adu> {
        let read = Read::from_adu(adu).filter(|read| read.unit == self.unit)?;
        let held = (read.count <= 125).then(|| self.held(read, world)).flatten();
        Some(read.answer(&held.map_or(Reply::Exception(NO_SUCH_REGISTER), Reply::Registers)))
    }

    /// The registers asked for: those of every item that lies in them whole; `None` where none does.
    fn held(&self, read: Read, world: &World) -> Option<Vec<u16>> {
        let mut held = vec![0; usize::from(read.count)];
        let mut any = false;
        for (query, item) in self.profile.items() {
            let place = item.register.checked_sub(read.register).map(usize::from);
            let Some(place) = place.filter(|place| place + usize::from(item.count) <= held.len()) else {
                continue;
            };
            let Some((mut words, point)) = world.told(query).and_then(|value| pointed(item, value)) else {
                continue;
            };
            if world.swaps_words() && !matches!(item.kind, Kind::Ascii | Kind::ClockBytes) {
                words.reverse();
            }
            if item.function == read.function {
                held[place..place + words.len()].copy_from_slice(&words);
                any = true;
                if let Some((register, point)) = point
                    && let Some(word) =
                        register.checked_sub(read.register).and_then(|at| held.get_mut(usize::from(at)))
                {
                    *word = point;
                }
            }
        }
        any.then_some(held)
    }
}

/// The register of a point, and what it holds.
type Point = (u16, u16);

/// The registers of a value, and its point's register where it has one: the smallest point with which it fits.
fn pointed(item: &Item, value: Value) -> Option<(Vec<u16>, Option<Point>)> {
    let Some((register, offset)) = item.point else { return Some((encoded(item, value)?, None)) };
    (0..=6).find_map(|point| {
        let shifted = Item { exponent: item.exponent + offset + i32::from(point), ..item.clone() };
        Some((encoded(&shifted, value.clone())?, Some((register, point))))
    })
}

fn encoded(item: &Item, value: Value) -> Option<Vec<u16>> {
    match (value, item.kind) {
        (Value::Text(text), Kind::Ascii) => {
            let mut bytes = text.into_bytes();
            bytes.resize(usize::from(item.count) * 2, 0);
            Some(bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
        }
        (Value::Clock(at), Kind::ClockBytes) => {
            let [year, month, day, hour, minute, second] = parts(at)?;
            let pair = |high, low| u16::from_be_bytes([high, low]);
            Some(vec![pair(year, month), pair(day, hour), pair(minute, second)])
        }
        (Value::Number(number, _), kind) => registers(kind, item.places, number, item.exponent),
        (Value::Count(count), kind) => registers(kind, item.places, Decimal::from(count), 0),
        _ => None,
    }
}

/// Year in the century, month, day, hour, minute, second.
fn parts(at: DateTime) -> Option<[u8; 6]> {
    let year = u8::try_from(at.year() - 2000).ok()?;
    let [month, day, hour] = [at.month(), at.day(), at.hour()].map(i8::cast_unsigned);
    Some([year, month, day, hour, at.minute().cast_unsigned(), at.second().cast_unsigned()])
}

pub(super) struct Dlt698 {
    server: ServerAddress,
    scanner: Scanner,
}

impl Dlt698 {
    pub(super) fn new(server: ServerAddress) -> Self {
        Self { server, scanner: Scanner::default() }
    }

    pub(super) fn answer(&mut self, bytes: &[u8], world: &World) -> Vec<u8> {
        self.scanner.handle_bytes(bytes);
        let mut reply = vec![];
        while let Some(found) = self.scanner.poll() {
            let Ok((_, frame)) = found else { continue };
            if frame.is_reply() || !frame.server.means(&self.server) {
                continue;
            }
            let Some((piid, oad, record)) = asked(&frame) else { continue };
            if record {
                let row = row(oad, world).ok_or(NOT_DEFINED);
                reply.extend(answer_record(&frame, self.server.clone(), piid, oad, &row).emit());
                continue;
            }
            let got = self.data(oad, world).ok_or(NOT_DEFINED);
            reply.extend(answer(&frame, self.server.clone(), piid, oad, &got).emit());
        }
        reply
    }

    fn data(&self, oad: Oad, world: &World) -> Option<Data> {
        let tables = Query::all().into_iter().filter_map(|query| Some((query, objects(query)?)));
        let mut entries =
            tables.flat_map(|(query, table)| table.iter().map(move |(at, exponent)| (query, *at, *exponent)));
        let (query, _, exponent) = entries.find(|(_, at, _)| *at == oad)?;
        if query == Query::Address {
            let digits = self.server.to_string();
            return Some(Data::Octets(octets(&digits)));
        }
        let decimals = exponent.unsigned_abs();
        Some(match fitted(world.told(query)?, decimals) {
            Value::Number(mut number, _) => {
                number.rescale(decimals);
                let whole = number.mantissa();
                let unsigned = || u64::try_from(whole).ok();
                match query {
                    Query::Energy if decimals == 4 => Data::Unsigned(0x15, unsigned()?),
                    Query::Energy | Query::ReverseEnergy | Query::Constant => {
                        Data::Unsigned(0x06, unsigned()?)
                    }
                    Query::Voltage => Data::Unsigned(0x12, unsigned()?),
                    _ => Data::Signed(0x05, whole.to_i64()?),
                }
            }
            // Words that are no number of a meter are bit strings, which it has none of.
            Value::Text(text) if query == Query::MeterNumber => Data::Octets(octets(&text)),
            Value::Clock(at) => moment(at)?,
            _ => return None,
        })
    }
}

fn moment(at: DateTime) -> Option<Data> {
    let [_, month, day, hour, minute, second] = parts(at)?;
    let [y1, y0] = at.year().to_be_bytes();
    Some(Data::DateTimeS([y1, y0, month, day, hour, minute, second]))
}

/// The last event of a table; no columns where there never was one, none where the meter has no such table.
fn row(table: Oad, world: &World) -> Option<Vec<(Oad, Data)>> {
    let query = Query::all().into_iter().find(|query| events(*query) == Some(table))?;
    let (from, to) = match world.told(query) {
        None => (None, None),
        Some(Value::CoverOpen { from, to }) => (from, to),
        Some(Value::Event { at }) => (at, None),
        Some(Value::ClockSet { before, after }) => (before, after),
        Some(_) => return None,
    };
    let columns = [(BEGUN, from), (ENDED, to)].into_iter();
    Some(columns.filter_map(|(column, at)| Some((column, moment(at?)?))).collect())
}

/// Two digits a byte.
fn octets(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| byte.wrapping_sub(b'0') & 0x0F;
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0, |b| digit(*b)))
        .collect()
}

#[derive(Default)]
pub(super) struct Iec62056 {
    waiting: Vec<u8>,
}

/// What the simulated meter calls itself; 5 offers 9600 Bd.
const IDENTIFICATION: &[u8] = b"/SIM5PHANTOMLOAD\r\n";

impl Iec62056 {
    pub(super) fn answer(&mut self, bytes: &[u8], world: &World) -> Vec<u8> {
        self.waiting.extend(bytes);
        let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') else { return vec![] };
        let line: Vec<u8> = self.waiting.drain(..=end).collect();
        if line.starts_with(b"/?") {
            return IDENTIFICATION.to_vec();
        }
        if line.first() == Some(&0x06) { readout(world).emit() } else { vec![] }
    }
}

fn readout(world: &World) -> Readout {
    let set = |address: &str, value: String, unit: &str| DataSet {
        address: address.to_owned(),
        value,
        unit: unit.to_owned(),
    };
    let mut sets = vec![];
    for (query, address) in [
        (Query::MeterNumber, "C.1.0"),
        (Query::Clock, "0.9.1"),
        (Query::Energy, "1.8.0"),
        (Query::TariffEnergy(1), "1.8.1"),
        (Query::Power, "16.7.0"),
        (Query::Voltage, "32.7.0"),
        (Query::Current, "31.7.0"),
    ] {
        match world.told(query) {
            Some(Value::Text(text)) => sets.push(set(address, text, "")),
            Some(Value::Number(number, unit)) => {
                sets.push(set(address, number.to_string(), &unit.to_string()));
            }
            Some(Value::Clock(at)) => {
                sets.push(set("0.9.1", at.strftime("%H:%M:%S").to_string(), ""));
                sets.push(set("0.9.2", at.strftime("%y-%m-%d").to_string(), ""));
            }
            _ => {}
        }
    }
    Readout { sets }
}

/// A meter that pushes SML.
pub(super) struct Sml {
    server: Vec<u8>,
}

/// The simulator's number by DIN 43863-5: medium electricity, the maker's letters, block 0.
const SERVER: [u8; 10] = [0x0A, 0x01, b'S', b'I', b'M', 0, 0, 0, 0, 1];

impl Sml {
    pub(super) fn new() -> Self {
        Self { server: SERVER.to_vec() }
    }

    pub(super) fn push(&self, world: &World) -> Vec<u8> {
        let mut entries = vec![];
        for (query, [c, d, e], unit) in [
            (Query::MeterNumber, [96, 1, 0], None),
            (Query::Energy, [1, 8, 0], Some(30)),
            (Query::TariffEnergy(1), [1, 8, 1], Some(30)),
            (Query::Power, [16, 7, 0], Some(27)),
            (Query::Voltage, [32, 7, 0], Some(35)),
            (Query::Current, [31, 7, 0], Some(33)),
        ] {
            let (content, scaler) = match world.told(query) {
                Some(Value::Text(text)) => (Content::Bytes(text.into_bytes()), 0),
                Some(Value::Number(number, _)) => {
                    // In Wh and W, with the digits that the register has.
                    let thousandths = if matches!(unit, Some(27 | 30)) { 3 } else { 0 };
                    let scaler = i8::try_from(thousandths - i64::from(number.scale())).unwrap_or(0);
                    (Content::Number(number.mantissa(), 64), scaler)
                }
                _ => continue,
            };
            entries.push(Entry { obis: [1, 0, c, d, e, 255], content, unsigned: false, unit, scaler });
        }
        let server = world.sml_server().and_then(hex::bytes).unwrap_or_else(|| self.server.clone());
        List { server, entries, quirks: vec![] }.emit()
    }
}
