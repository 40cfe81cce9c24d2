//! How long reading a meter takes, against 1.2 × the bytes' time on the wire plus the meter's own answer time.
//!
//! The wire is a stand-in that lets each byte arrive when a line of that speed would; the meter thinks for 50 ms. What is
//! asked again and again keeps the silence that a protocol wants between two frames: on Modbus RTU it is part of the
//! frame (Modbus over Serial Line V1.02, 2.5.1.1), and its 3.5 characters count as such.

use phantomload::link::{self, Framing, Link};
use phantomload::meter::access::{Described, Wanted};
use phantomload::meter::dlt645;
use phantomload::meter::dlt698::{self, Data, Oad};
use phantomload::meter::iec62056::{DataSet, Readout};
use phantomload::meter::modbus::{self, Read, Transport, frame::Reply};
use phantomload::meter::{Meter, Query};
use phantomload::plan::nameplate::Protocol;
use phantomload::time::{Instant, Span, now, sleep};
use std::collections::VecDeque;

/// The meter's own time.
const THINKS: Span = Span::from_millis(50);

/// A line of a speed, and a meter that gives the same replies in turn.
struct Wire {
    character: Span,
    /// Bits of a character, for a line that changes its speed.
    bits: u32,
    replies: Vec<Vec<u8>>,
    next: usize,
    /// Bytes on their way and when each is whole.
    arriving: VecDeque<(Instant, u8)>,
}

impl Link for Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        let begins = now() + self.airtime(bytes.len()) + THINKS;
        let reply = &self.replies[self.next % self.replies.len()];
        self.next += 1;
        // A reply that goes at another speed is told by its length alone: its time is set when the speed is.
        for (place, byte) in reply.iter().enumerate() {
            self.arriving.push_back((begins + self.airtime(place + 1), *byte));
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, link::Fault> {
        let Some((due, _)) = self.arriving.front() else {
            sleep(patience);
            return Ok(0);
        };
        let left = *due - now();
        if left > patience {
            sleep(patience);
            return Ok(0);
        }
        if left > Span::ZERO {
            sleep(left);
        }
        let mut count = 0;
        while count < buffer.len()
            && let Some((due, byte)) = self.arriving.front()
            && *due <= now()
        {
            buffer[count] = *byte;
            count += 1;
            self.arriving.pop_front();
        }
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), link::Fault> {
        self.arriving.clear();
        Ok(())
    }

    fn peer(&self) -> &'static str {
        "a wire of that speed"
    }

    fn airtime(&self, bytes: usize) -> Span {
        self.character * bytes as f64
    }

    fn set_line(&mut self, baud: u32, _: Framing) -> Result<(), link::Fault> {
        self.character = Span::from_secs_f64(f64::from(self.bits) / f64::from(baud));
        // The meter begins behind the change.
        let begins = now() + THINKS;
        for (place, (due, _)) in self.arriving.iter_mut().enumerate() {
            *due = begins + self.character * (place + 1) as f64;
        }
        Ok(())
    }
}

fn wire(baud: u32, bits: u32, reply: Vec<u8>) -> Wire {
    wire_of(baud, bits, vec![reply])
}

fn wire_of(baud: u32, bits: u32, replies: Vec<Vec<u8>>) -> Wire {
    let character = Span::from_secs_f64(f64::from(bits) / f64::from(baud));
    Wire { character, bits, replies, next: 0, arriving: VecDeque::new() }
}

/// A meter, what is asked, the time of all bytes on the wire, how often it thinks.
struct Case {
    name: &'static str,
    meter: Box<dyn Meter>,
    query: Query,
    on_wire: Span,
    thinks: f64,
}

fn described(protocol: Protocol, profile: &str, address: &str, line: Wire) -> Box<dyn Meter> {
    let wanted = Wanted { protocol, profile, address, energy_decimals: None };
    Described::new(&wanted).expect("shipped").over(Box::new(line))
}

fn dlt698(baud: u32) -> Case {
    let server: dlt698::ServerAddress = "000039200933".parse().expect("an address");
    let oad = Oad(0x2000_0201);
    let request = dlt698::Frame::request(server.clone(), dlt698::data::get_normal(1, oad));
    // The PIID counts up to 63; so many replies, each with its own.
    let replies = (0..63).map(|count| {
        let got = Ok(Data::Unsigned(0x12, 7501));
        let frame = dlt698::client::answer(&request, server.clone(), count + 1, oad, &got);
        [vec![0xFE; 4], frame.emit()].concat()
    });
    let replies: Vec<Vec<u8>> = replies.collect();
    let bytes = 4 + request.emit().len() + replies[0].len();
    let line = wire_of(baud, 11, replies);
    let on_wire = line.airtime(bytes);
    let meter = described(Protocol::Dlt698, "dlt698", "000039200933", line);
    Case { name: "DL/T 698.45", meter, query: Query::Voltage, on_wire, thinks: 1.0 }
}

/// Mode C: signed on at 300 Bd whatever the speed of the block.
fn iec62056(letter: char, baud: u32) -> Case {
    let sets = (0..20).map(|n| DataSet {
        address: format!("1.8.{n}"),
        value: "0001234.567".to_owned(),
        unit: "kWh".to_owned(),
    });
    let block = Readout { sets: sets.collect() }.emit();
    let identification = format!("/SIM{letter}METER\r\n").into_bytes();
    let slow = wire(300, 10, vec![]).airtime("/?!\r\n".len() + identification.len() + "\x06050\r\n".len());
    let on_wire = slow + wire(baud, 10, vec![]).airtime(block.len());
    let line = wire_of(300, 10, vec![identification, block]);
    let meter = described(Protocol::Iec62056, "iec62056-21", "auto", line);
    Case { name: "IEC 62056-21", meter, query: Query::Energy, on_wire, thinks: 2.0 }
}

fn meters(baud: u32) -> Vec<Case> {
    let address: dlt645::Address = "000000000161".parse().expect("an address");
    let frame = dlt645::Frame {
        address,
        control: dlt645::Control::READ.reply(),
        data: vec![0, 0, 1, 0, 0x56, 0x34, 0x12, 0],
    };
    let reply = [vec![0xFE; 4], frame.emit()].concat();
    let profile = dlt645::Profile::builtin("dlt645-2007").expect("shipped");
    let line = wire(baud, 11, reply.clone());
    // 4 wake bytes and 16 of the request.
    let on_wire = line.airtime(20 + reply.len());
    let meter = Box::new(dlt645::Client::new(Box::new(line), address, profile));
    let mut all = vec![Case { name: "DL/T 645", meter, query: Query::Energy, on_wire, thinks: 1.0 }];
    let read = Read { unit: 1, function: 4, register: 72, count: 2 };
    let reply = read.answer(&Reply::Registers(vec![0x449A, 0x5000])).emit_rtu();
    let profile = modbus::Profile::builtin("eastron-sdm230").expect("shipped");
    let line = wire(baud, 10, reply.clone());
    let silence = (line.airtime(1) * 3.5).max(Span::from_nanos(1_750_000));
    let on_wire = line.airtime(8 + reply.len()) + silence;
    let meter = Box::new(modbus::Client::new(Box::new(line), Transport::Rtu, 1, profile));
    all.push(Case { name: "Modbus RTU", meter, query: Query::Energy, on_wire, thinks: 1.0 });
    all.push(dlt698(baud));
    all
}

fn main() {
    let mut worst: f64 = 0.0;
    for baud in [1200, 2400, 9600, 19200] {
        for case in meters(baud) {
            worst = worst.max(ratio(baud, 20, case));
        }
    }
    for (letter, baud) in [('0', 300), ('3', 2400), ('5', 9600)] {
        worst = worst.max(ratio(baud, 2, iec62056(letter, baud)));
    }
    println!("worst ratio {worst:.3} ({})", if worst <= 1.0 { "kept" } else { "NOT KEPT" });
}

/// What a reading takes of what it may take.
fn ratio(baud: u32, rounds: u32, case: Case) -> f64 {
    let Case { name, mut meter, query, on_wire, thinks } = case;
    let begin = now();
    for _ in 0..rounds {
        // Nothing that was read before is told again.
        meter.forget();
        meter.read(query).expect("it answers");
    }
    let took = (now() - begin).secs() / f64::from(rounds);
    let thinks = THINKS.secs() * thinks;
    let allowed = 1.2 * on_wire.secs() + thinks;
    let ratio = took / allowed;
    println!(
        "{name:<12} {baud:>5} Bd: read {:8.2} ms, allowed {:8.2} ms (1.2 × {:.2} ms + {:.0} ms), ratio {ratio:.3}",
        took * 1e3,
        allowed * 1e3,
        on_wire.secs() * 1e3,
        thinks * 1e3,
    );
    ratio
}
