//! How long reading a meter takes, against 1.2 × the bytes' time on the wire plus the meter's own answer time.
//!
//! The wire is a stand-in that lets each byte arrive when a line of that speed would; the meter thinks for 50 ms.

use phantomload::link::{self, Link};
use phantomload::meter::dlt645;
use phantomload::meter::modbus::{self, Read, Transport, frame::Reply};
use phantomload::meter::{Meter, Query};
use phantomload::time::{Instant, Span, now, sleep};
use std::collections::VecDeque;

/// The meter's own time.
const THINKS: Span = Span::from_millis(50);

/// A line of a speed, and a meter that always gives the same reply.
struct Wire {
    character: Span,
    reply: Vec<u8>,
    /// Bytes on their way and when each is whole.
    arriving: VecDeque<(Instant, u8)>,
}

impl Link for Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        let begins = now() + self.airtime(bytes.len()) + THINKS;
        for (place, byte) in self.reply.iter().enumerate() {
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
}

fn wire(baud: u32, bits: u32, reply: Vec<u8>) -> Wire {
    let character = Span::from_secs_f64(f64::from(bits) / f64::from(baud));
    Wire { character, reply, arriving: VecDeque::new() }
}

fn meters(baud: u32) -> Vec<(&'static str, Box<dyn Meter>, Query, Span)> {
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
    let mut all: Vec<(_, Box<dyn Meter>, _, _)> = vec![(
        "DL/T 645",
        Box::new(dlt645::Client::new(Box::new(line), address, profile)),
        Query::Energy,
        on_wire,
    )];
    let read = Read { unit: 1, function: 4, register: 72, count: 2 };
    let reply = read.answer(&Reply::Registers(vec![0x449A, 0x5000])).emit_rtu();
    let profile = modbus::Profile::builtin("eastron-sdm230").expect("shipped");
    let line = wire(baud, 10, reply.clone());
    let on_wire = line.airtime(8 + reply.len());
    let client = modbus::Client::new(Box::new(line), Transport::Rtu, 1, profile);
    all.push(("Modbus RTU", Box::new(client), Query::Energy, on_wire));
    all
}

fn main() {
    const ROUNDS: u32 = 20;
    let mut worst: f64 = 0.0;
    for baud in [1200, 2400, 9600, 19200] {
        for (name, mut meter, query, on_wire) in meters(baud) {
            let begin = now();
            for _ in 0..ROUNDS {
                meter.read(query).expect("it answers");
            }
            let took = (now() - begin).secs() / f64::from(ROUNDS);
            let allowed = 1.2 * on_wire.secs() + THINKS.secs();
            let ratio = took / allowed;
            worst = worst.max(ratio);
            println!(
                "{name:<11} {baud:>5} Bd: read {:7.2} ms, allowed {:7.2} ms (1.2 × {:.2} ms + {THINKS}), ratio {ratio:.3}",
                took * 1e3,
                allowed * 1e3,
                on_wire.secs() * 1e3,
            );
        }
    }
    println!("worst ratio {worst:.3} ({})", if worst <= 1.0 { "kept" } else { "NOT KEPT" });
}
