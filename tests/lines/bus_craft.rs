//! The craft of the bus, protocol by protocol: echoes, garbage, pieces, two meters on a line, speeds, a change of speed in
//! mid-session, a bus that falls silent while somebody watches. A pulled adapter, a meter that reboots and the traps of
//! others stand in `tests/wire_traps.rs`.

use crate::support::{json, phantomload, stderr};
use phantomload::link::fault_injector::{Echo, FaultInjector, Mischief, Odds};
use phantomload::link::{self, Link};
use phantomload::meter::access::{Described, Wanted};
use phantomload::meter::dlt645::{Address, Control, Event, Frame, Patience, Scanner};
use phantomload::meter::iec62056::{DataSet, Readout};
use phantomload::meter::{Fault, Query, Reading};
use phantomload::plan::nameplate::Protocol;
use phantomload::sim::{Rig, Slave, World, demo_meter};
use phantomload::time::{Instant, Span};
use serialport::{SerialPort, TTYPort};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A bus that is silent is silent at once.
const PATIENCE: Patience =
    Patience { first_byte: Span::from_millis(1), between_bytes: Span::from_millis(1), attempts: 2 };

/// The simulated meter on a line that never waits, with something before and behind each of its answers.
struct Bus {
    slave: Slave,
    world: World,
    waiting: VecDeque<u8>,
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl Link for Bus {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        let reply = self.slave.answer(bytes, &mut self.world);
        if !reply.is_empty() {
            self.waiting.extend(self.before.iter().chain(&reply).chain(&self.behind));
        }
        Ok(())
    }
    fn receive(&mut self, buffer: &mut [u8], _: Span) -> Result<usize, link::Fault> {
        if self.waiting.is_empty()
            && let Some(pushed) = self.slave.push(&self.world)
        {
            self.waiting.extend(self.before.iter().chain(&pushed).chain(&self.behind));
        }
        let count = buffer.len().min(self.waiting.len());
        for (place, byte) in buffer.iter_mut().zip(self.waiting.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
    fn discard_input(&mut self) -> Result<(), link::Fault> {
        self.waiting.clear();
        Ok(())
    }
    fn peer(&self) -> &'static str {
        "the bus"
    }
}

const WIRES: [(Protocol, &str, &str); 6] = [
    (Protocol::Dlt645, "simulated-dc", "202611210001"),
    (Protocol::ModbusRtu, "simulated-dc-modbus", "1"),
    (Protocol::ModbusTcp, "simulated-dc-modbus", "1"),
    (Protocol::Dlt698, "dlt698", "202611210001"),
    (Protocol::Iec62056, "iec62056-21", "auto"),
    (Protocol::Sml, "sml", "auto"),
];

/// The good demo meter by a protocol.
fn rig((protocol, profile, address): (Protocol, &str, &str)) -> Rig {
    let mut plate: toml::Table = demo_meter("good").unwrap().parse().unwrap();
    let output = plate["data_output"].as_table_mut().unwrap();
    for (key, value) in [("protocol", protocol.name()), ("profile", profile), ("address", address)] {
        output.insert(key.to_owned(), value.into());
    }
    Rig::new("good", &toml::to_string(&plate).unwrap()).unwrap()
}

/// What the meter says to a query over a line with this mischief and this garbage.
fn heard(
    wire: (Protocol, &str, &str),
    query: Query,
    mischief: Mischief,
    before: &[u8],
    behind: &[u8],
) -> Result<Reading, Fault> {
    let rig = rig(wire);
    let world = rig.world(1, Instant::ZERO, "2026-11-20T10:00:00.000+08:00".parse().unwrap());
    let slave = rig.slave().unwrap();
    let bus = Bus { slave, world, waiting: VecDeque::new(), before: before.into(), behind: behind.into() };
    let (protocol, profile, address) = wire;
    let described = Described::new(&Wanted { protocol, profile, address, energy_decimals: None }).unwrap();
    let line = Box::new(FaultInjector::new(bus, mischief));
    described.with_patience(line, Some(PATIENCE)).read(query).map(|answer| answer.reading)
}

#[test]
fn echo_whole_or_in_part_is_no_answer_by_any_protocol() {
    for wire in WIRES {
        let plain = heard(wire, Query::Energy, Mischief::default(), b"", b"").unwrap();
        assert!(matches!(plain, Reading::Value(_)), "{:?}: {plain:?}", wire.0);
        // There is no echo on TCP, and nothing to be echoed where nothing is asked.
        if matches!(wire.0, Protocol::ModbusTcp | Protocol::Sml) {
            continue;
        }
        for echo in [Echo::Whole, Echo::First(1), Echo::First(5), Echo::Last(1), Echo::Last(4)] {
            for split in [0.0, 1.0] {
                let receiving = Odds { split, ..Odds::default() };
                let mischief = Mischief { seed: 7, receiving, echo, ..Mischief::default() };
                let seen = heard(wire, Query::Energy, mischief, b"", b"");
                assert_eq!(seen.as_ref(), Ok(&plain), "{:?} {echo:?} split {split}", wire.0);
            }
        }
    }
}

#[test]
fn garbage_before_and_behind_an_answer_hides_it_by_no_protocol() {
    for wire in WIRES.into_iter().filter(|wire| wire.0 != Protocol::ModbusTcp) {
        let plain = heard(wire, Query::Energy, Mischief::default(), b"", b"").unwrap();
        // Noise, a lost start, the begin of a frame that never goes on.
        for garbage in
            [&[0x00, 0xFF, 0x00][..], &[0x68], &[0xFE, 0x68, 0x11, 0x00], &[0x1B, 0x1B, 0x01], &[0x16, 0x7F]]
        {
            let before = heard(wire, Query::Energy, Mischief::default(), garbage, b"");
            assert_eq!(before.as_ref(), Ok(&plain), "{:?}: {garbage:02X?} before", wire.0);
            let behind = heard(wire, Query::Energy, Mischief::default(), b"", garbage);
            assert_eq!(behind.as_ref(), Ok(&plain), "{:?}: {garbage:02X?} behind", wire.0);
        }
    }
}

#[test]
fn a_damaged_line_gives_the_true_number_or_none_by_every_protocol() {
    for wire in WIRES.into_iter().filter(|wire| wire.0 != Protocol::ModbusTcp) {
        let plain = heard(wire, Query::Energy, Mischief::default(), b"", b"").unwrap();
        let mut read = 0;
        for seed in 0..60 {
            let bad = Odds { drop_byte: 0.003, flip_bit: 0.003, split: 0.3, ..Odds::default() };
            let mischief = Mischief { seed, sending: bad, receiving: bad, ..Mischief::default() };
            if let Ok(seen @ Reading::Value(_)) = heard(wire, Query::Energy, mischief, b"", b"") {
                assert_eq!(seen, plain, "{:?} seed {seed}", wire.0);
                read += 1;
            }
        }
        assert!(read > 10, "{:?}: only {read} of 60 were read", wire.0);
    }
}

#[test]
fn two_devices_that_answer_are_said_and_no_value_is_taken_of_either() {
    // Who is there was asked, and two answer.
    let other = Frame {
        address: "000000000002".parse().unwrap(),
        control: Control::READ_ADDRESS.reply(),
        data: vec![0x02, 0, 0, 0, 0, 0],
    };
    let auto = (Protocol::Dlt645, "simulated-dc", "auto");
    let fault = heard(auto, Query::Energy, Mischief::default(), b"", &other.emit()).unwrap_err();
    assert!(matches!(fault, Fault::SeveralMeters { count: 2, .. }), "{fault}");
    assert!(fault.to_string().contains("000000000002"), "{fault}");
    // Two units of one address at the same time make bytes of neither.
    let both = (Protocol::ModbusRtu, "simulated-dc-modbus", "1");
    let crosswise = Odds { flip_bit: 0.3, ..Odds::default() };
    let fault =
        heard(both, Query::Energy, Mischief { receiving: crosswise, ..Mischief::default() }, b"", b"");
    assert!(matches!(fault, Err(Fault::Garbled { .. })), "{fault:?}");
}

#[test]
fn events_of_698_are_read_as_records() {
    let wire = (Protocol::Dlt698, "dlt698", "202611210001");
    for (query, said) in [
        (Query::CoverOpenLast, "never"),
        (Query::TerminalCoverOpenLast, "never"),
        (Query::ProgrammingLast, "never"),
        (Query::PowerLossLast, "never"),
        (Query::ReverseEnergy, "0.00 kWh"),
    ] {
        let heard = heard(wire, query, Mischief::default(), b"", b"").unwrap();
        let Reading::Value(value) = heard else { panic!("{query}: {heard:?}") };
        assert_eq!(value.to_string(), said, "{query}");
    }
    let wire = (Protocol::Dlt645, "simulated-dc", "202611210001");
    let words = heard(wire, Query::StatusWords, Mischief::default(), b"", b"").unwrap();
    assert!(
        matches!(&words, Reading::Value(value) if value.to_string() == ["0000"; 7].join(" ")),
        "{words:?}"
    );
}

/// The meter's end of a pseudo-terminal and the device for the program. The end sees what speed the device is set to.
fn terminal() -> (TTYPort, TTYPort, String) {
    let (mut ours, device) = TTYPort::pair().unwrap();
    ours.set_timeout(std::time::Duration::from_millis(20)).unwrap();
    let path = device.name().unwrap();
    (ours, device, path)
}

/// Bytes that came within a moment; none where nobody speaks.
fn taken(port: &mut TTYPort) -> Vec<u8> {
    let mut buffer = [0; 256];
    port.read(&mut buffer).map(|count| buffer[..count].to_vec()).unwrap_or_default()
}

#[test]
fn a_meter_that_hears_only_one_speed_is_found_by_trying() {
    const OWN: u32 = 2400;
    let (mut ours, _kept, path) = terminal();
    let ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&ended);
    let heard_at = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&heard_at);
    let address: Address = "000000000161".parse().unwrap();
    let far = thread::spawn(move || {
        let mut scanner = Scanner::default();
        while !stop.load(Ordering::SeqCst) {
            let bytes = taken(&mut ours);
            if bytes.is_empty() || ours.baud_rate().unwrap() != OWN {
                continue;
            }
            scanner.handle_bytes(&bytes);
            while let Some(event) = scanner.poll() {
                let Event::Frame { frame, .. } = event else { continue };
                heard.store(OWN as usize, Ordering::SeqCst);
                let (control, data) = match frame.control {
                    Control::READ_ADDRESS => (frame.control.reply(), vec![0x61, 0x01, 0, 0, 0, 0]),
                    Control::READ if frame.data == [0, 0, 1, 0] => {
                        (frame.control.reply(), vec![0, 0, 1, 0, 0x86, 0x01, 0, 0])
                    }
                    other => (other.refusal(), vec![0x02]),
                };
                ours.write_all(&Frame { address, control, data }.emit()).unwrap();
            }
        }
    });
    let output = phantomload(&["meter", "read", "--json", "--link", &path]);
    ended.store(true, Ordering::SeqCst);
    far.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = json(&output);
    assert!(told["link"].as_str().unwrap().contains(",2400,8E1"), "{}", told["link"]);
    assert_eq!(
        (told["protocol"].as_str(), told["address"].as_str()),
        (Some("dlt645-2007"), Some("000000000161"))
    );
    assert_eq!(heard_at.load(Ordering::SeqCst), OWN as usize);
}

/// The data block of a small meter.
fn block() -> Vec<u8> {
    let set = |address: &str, value: &str, unit: &str| DataSet {
        address: address.to_owned(),
        value: value.to_owned(),
        unit: unit.to_owned(),
    };
    let sets =
        vec![set("C.1.0", "12345678", ""), set("1.8.0", "0001234.567", "kWh"), set("2.8.0", "3.1", "kWh")];
    Readout { sets }.emit()
}

/// Reads a meter under an optical head that offers `speed`, and gives what the program said and the speeds at which the
/// meter was spoken to: at the sign-on, and when the block was sent.
fn optical(speed: char) -> (serde_json::Value, Vec<u32>) {
    let (mut ours, _kept, path) = terminal();
    let ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&ended);
    let far = thread::spawn(move || {
        let (mut seen, mut speeds) = (vec![], vec![]);
        while !stop.load(Ordering::SeqCst) {
            seen.extend(taken(&mut ours));
            let Some(end) = seen.iter().position(|byte| *byte == b'\n') else { continue };
            let line: Vec<u8> = seen.drain(..=end).collect();
            if line.starts_with(b"/?") {
                speeds.push(ours.baud_rate().unwrap());
                ours.write_all(format!("/SIM{speed}METER\r\n").as_bytes()).unwrap();
                if !speed.is_ascii_digit() {
                    // Mode A: the block follows at the same speed.
                    speeds.push(ours.baud_rate().unwrap());
                    ours.write_all(&block()).unwrap();
                }
            } else if line == format!("\x060{speed}0\r\n").as_bytes() {
                // Nothing is sent before the other side has changed its speed; a wait is a read without bytes.
                for _ in 0..200 {
                    if ours.baud_rate().unwrap() != 300 {
                        break;
                    }
                    seen.extend(taken(&mut ours));
                }
                speeds.push(ours.baud_rate().unwrap());
                ours.write_all(&block()).unwrap();
            }
        }
        speeds
    });
    let output = phantomload(&[
        "meter",
        "read",
        "--json",
        "--protocol",
        "iec62056-21",
        "--link",
        &format!("{path},9600,8N1"),
    ]);
    ended.store(true, Ordering::SeqCst);
    let speeds = far.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (json(&output), speeds)
}

fn value(told: &serde_json::Value, item: &str) -> String {
    let row = told["items"].as_array().unwrap().iter().find(|row| row["item"] == item).unwrap();
    row["value"].as_str().unwrap_or_else(|| panic!("{row:#}")).to_owned()
}

#[test]
fn an_optical_meter_is_signed_on_at_300_baud_and_read_at_the_speed_it_offers() {
    let (told, speeds) = optical('5');
    assert_eq!((value(&told, "energy"), value(&told, "reverse_energy")), ("1234.567".into(), "3.1".into()));
    assert_eq!(speeds.len() % 2, 0, "{speeds:?}");
    assert!(speeds.chunks(2).all(|pair| pair == [300, 9600]), "{speeds:?}");
}

#[test]
fn an_optical_meter_of_mode_a_is_read_at_300_baud_without_being_told_to_go_on() {
    let (told, speeds) = optical('Z');
    assert_eq!(value(&told, "energy"), "1234.567");
    assert!(!speeds.is_empty() && speeds.iter().all(|speed| *speed == 300), "{speeds:?}");
}

#[test]
fn f_who_watches_a_bus_that_falls_silent_sees_the_old_value_grow_old_and_a_new_one_when_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("one.toml");
    std::fs::write(
        &model,
        "id = \"one\"\ntitle = \"One item\"\n[item.energy]\ndi = \"00010000\"\nbytes = 4\ncoding = \"bcd\"\ndecimals = 2\nunit = \"kWh\"\nsource = \"this test\"\nprovenance = \"invented\"\n",
    )
    .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let address: Address = "000000000161".parse().unwrap();
    let far = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut scanner = Scanner::default();
        let mut buffer = [0; 256];
        let mut asked = 0_u8;
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            scanner.handle_bytes(&buffer[..count]);
            while let Some(event) = scanner.poll() {
                let Event::Frame { frame, .. } = event else { continue };
                asked += 1;
                // The second and third round, three requests each, are not answered.
                if (2..=7).contains(&asked) {
                    continue;
                }
                let low = if asked == 1 { 0x86 } else { 0x87 };
                let data = [&frame.data[..4], &[low, 0x01, 0, 0]].concat();
                let reply = Frame { address, control: Control::READ.reply(), data };
                let _ = stream.write_all(&reply.emit());
            }
        }
    });
    let output = Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(["meter", "watch", "--protocol", "dlt645", "--rounds", "4", "--every", "0"])
        .args(["--link", &format!("tcp:127.0.0.1:{port}"), "--address", "000000000161"])
        .args(["--profile", model.to_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", stderr(&output));
    far.join().unwrap();
    let rounds: Vec<&str> = said.split(", round ").skip(1).collect();
    assert_eq!(rounds.len(), 4, "{said}");
    assert!(rounds[0].contains("1.86 kWh  (") && !rounds[0].contains("STALE"), "{said}");
    let age = |round: &str| -> f64 {
        let (_, rest) = round.split_once("STALE: 1.86 kWh was read ").unwrap_or_else(|| panic!("{said}"));
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    // Three attempts of a second each: it is older every round, and the reason stands below it.
    assert!(age(rounds[1]) > 2.0 && age(rounds[2]) > age(rounds[1]) + 2.0, "{said}");
    assert!(rounds[1..3].iter().all(|round| round.contains("no answer from meter 000000000161")), "{said}");
    assert!(rounds[3].contains("1.87 kWh  (") && !rounds[3].contains("STALE"), "{said}");
}
