//! Traps of others that lie on the wire, by their letters (facts: features and traps). H stands beside
//! `modbus::order`, F beside `meter::watch`, I beside `sml::quirk`, R in `tests/protocols.rs`, Q with the signing meters.

use phantomload::link::fault_injector::{Echo, FaultInjector, Mischief, Odds};
use phantomload::link::reopening::Reopening;
use phantomload::link::{self, Framing, Link, loopback, serial};
use phantomload::meter::dlt645::{Address, Client, Control, Frame, Patience, Profile, Scanner};
use phantomload::meter::{Meter, Query, Reading};
use phantomload::time::Span;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;

/// Long enough for any machine, short enough for a failing test.
const PATIENCE: Patience =
    Patience { first_byte: Span::from_secs(5), between_bytes: Span::from_millis(50), attempts: 4 };

/// Answers every request for energy but the first `silent` ones with `energy`, until `requests` were heard; gives its end
/// of the line back, which is gone when dropped.
fn meter(
    mut line: Box<dyn Link>,
    address: Address,
    energy: [u8; 4],
    requests: usize,
    silent: usize,
) -> Box<dyn Link> {
    let mut scanner = Scanner::default();
    let mut heard = 0;
    let mut buffer = [0; 256];
    while heard < requests {
        let Ok(count) = line.receive(&mut buffer, Span::from_secs(10)) else { return line };
        if count == 0 {
            return line;
        }
        scanner.handle_bytes(&buffer[..count]);
        while let Some(event) = scanner.poll() {
            let phantomload::meter::dlt645::Event::Frame { frame, .. } = event else { continue };
            if frame.control != Control::READ {
                continue;
            }
            heard += 1;
            if heard > silent {
                let data = [&frame.data[..4], &energy].concat();
                let reply = Frame { address, control: Control::READ.reply(), data };
                let _ = line.send(&reply.emit());
            }
        }
    }
    line
}

fn said(client: &mut Client) -> (String, usize) {
    let answer = client.read(Query::Energy).unwrap();
    let Reading::Value(value) = answer.reading else { panic!("{answer:?}") };
    (value.to_string(), answer.exchanges.len())
}

#[test]
fn g_a_checksum_of_16_and_68_16_in_the_address_pass_echo_and_split_chunks() {
    // The address on the wire is 68 16 68 16 68 16; the sum over the reply ends in 16H for one of these readings.
    let address: Address = "166816681668".parse().unwrap();
    let mut sums = vec![];
    for low in 0..100_u8 {
        let energy = [((low / 10) << 4) | (low % 10), 0x16, 0x68, 0x16];
        let data = [&[0, 0, 1, 0][..], &energy].concat();
        let reply = Frame { address, control: Control::READ.reply(), data }.emit();
        sums.push(reply[reply.len() - 2]);
        let (here, there) = loopback::pair();
        let far = thread::spawn(move || meter(Box::new(there), address, energy, 1, 0));
        let receiving = Odds { split: 1.0, ..Odds::default() };
        let echo = if low % 2 == 0 { Echo::Whole } else { Echo::Last(9) };
        let mischief = Mischief { seed: u64::from(low), receiving, echo, ..Mischief::default() };
        let line = Box::new(FaultInjector::new(here, mischief));
        let profile = Profile::builtin("dlt645-2007").unwrap();
        let mut client = Client::new(line, address, profile).with_patience(PATIENCE);
        assert_eq!(said(&mut client), (format!("166816.{low:02} kWh"), 1), "seed {low}");
        far.join().unwrap();
    }
    assert!(sums.contains(&0x16), "one of them must have the checksum 16");
}

/// A pseudo-terminal under a name that stays, as an adapter's device file does.
fn plug(at: &Path) -> (Box<dyn Link>, serial::KeptOpen) {
    let (link, device, kept) = serial::pseudo_terminal().unwrap();
    let fresh = at.with_extension("new");
    std::os::unix::fs::symlink(device, &fresh).unwrap();
    std::fs::rename(fresh, at).unwrap();
    (link, kept)
}

#[test]
fn s_a_serial_adapter_pulled_and_put_back_in_mid_read_costs_one_attempt_that_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let at: PathBuf = dir.path().join("ttyUSB0");
    let address: Address = "000000000161".parse().unwrap();
    let (first, kept) = plug(&at);
    let place = at.clone();
    let (ready, plugged) = channel();
    let far = thread::spawn(move || {
        // Hears the request, answers nothing, and is pulled out; then another is put in its place.
        drop(meter(first, address, [0; 4], 1, 1));
        drop(kept);
        let (second, kept) = plug(&place);
        ready.send(()).unwrap();
        // Held until the answer has been read: what a line still carries is lost with it.
        (meter(second, address, [0x86, 0x01, 0, 0], 1, 0), kept)
    });
    let name = at.to_str().unwrap().to_owned();
    let open = move || -> Result<Box<dyn Link>, link::Fault> {
        Ok(Box::new(serial::Serial::open(&name, 9600, Framing::EIGHT_EVEN_ONE)?))
    };
    let line = Reopening::new(Box::new(open), Span::from_secs(10)).unwrap();
    let profile = Profile::builtin("dlt645-2007").unwrap();
    let mut client = Client::new(Box::new(line), address, profile).with_patience(PATIENCE);
    let (value, attempts) = said(&mut client);
    assert_eq!(value, "1.86 kWh");
    assert!(attempts >= 2, "{attempts}");
    plugged.recv().unwrap();
    drop(far.join().unwrap());
}

#[test]
fn a_meter_that_reboots_is_silent_for_some_attempts_and_then_read_with_all_of_them_kept() {
    let address: Address = "000000000161".parse().unwrap();
    let (here, there) = loopback::pair();
    let far = thread::spawn(move || meter(Box::new(there), address, [0x86, 0x01, 0, 0], 3, 2));
    let profile = Profile::builtin("dlt645-2007").unwrap();
    let short = Patience { first_byte: Span::from_millis(100), ..PATIENCE };
    let mut client = Client::new(Box::new(here), address, profile).with_patience(short);
    assert_eq!(said(&mut client), ("1.86 kWh".to_owned(), 3));
    far.join().unwrap();
}

#[test]
fn noise_in_every_transfer_never_makes_a_number_that_was_not_sent() {
    let address: Address = "000000000161".parse().unwrap();
    for seed in 0..40 {
        let (here, there) = loopback::pair();
        let far = thread::spawn(move || meter(Box::new(there), address, [0x86, 0x01, 0, 0], 4, 0));
        let bad = Odds { drop_byte: 0.02, flip_bit: 0.03, ..Odds::default() };
        let mischief = Mischief { seed, sending: bad, receiving: bad, ..Mischief::default() };
        let profile = Profile::builtin("dlt645-2007").unwrap();
        let short =
            Patience { first_byte: Span::from_millis(30), between_bytes: Span::from_millis(5), attempts: 4 };
        let line = Box::new(FaultInjector::new(here, mischief));
        let mut client = Client::new(line, address, profile).with_patience(short);
        if let Ok(answer) = client.read(Query::Energy) {
            let Reading::Value(value) = answer.reading else { continue };
            assert_eq!(value.to_string(), "1.86 kWh", "seed {seed}");
        }
        drop(client);
        far.join().unwrap();
    }
}
