//! The meters are played by `Script`: each request in turn gets the pieces written for it, without waiting.

use super::*;
use crate::link::fault_injector::{Echo, FaultInjector, Mischief};
use crate::link::{self};
use crate::time::Span;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Vec<Vec<u8>>>>>,
    arriving: Arc<Mutex<VecDeque<Vec<u8>>>>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Link for Script {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        self.requests.lock().unwrap().push(bytes.to_vec());
        let pieces = self.answers.lock().unwrap().pop_front().unwrap_or_default();
        self.arriving.lock().unwrap().extend(pieces);
        Ok(())
    }
    fn receive(&mut self, buffer: &mut [u8], _patience: Span) -> Result<usize, link::Fault> {
        let Some(piece) = self.arriving.lock().unwrap().pop_front() else { return Ok(0) };
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
    fn discard_input(&mut self) -> Result<(), link::Fault> {
        self.arriving.lock().unwrap().clear();
        Ok(())
    }
    fn peer(&self) -> &'static str {
        "script"
    }
}

fn script(answers: Vec<Vec<Vec<u8>>>) -> Script {
    Script { answers: Arc::new(Mutex::new(answers.into())), ..Script::default() }
}

fn client(link: impl Link + 'static, model: &str) -> Client {
    Client::new(Box::new(link), Transport::Rtu, 1, Profile::builtin(model).unwrap())
}

fn bytes(text: &str) -> Vec<u8> {
    hex::bytes(text).unwrap()
}

fn said(answer: &Answer) -> String {
    match &answer.reading {
        Reading::Value(value) => value.to_string(),
        Reading::Absent(why) => format!("absent: {why}"),
    }
}

/// U of an SDM230: 230.2 V.
const FLOAT: &str = "01 04 04 43 66 33 33 5A FA";

#[test]
fn a_float_is_read_with_its_bytes_and_its_resolution() {
    let script = script(vec![vec![bytes(FLOAT)]]);
    let answer = client(script.clone(), "eastron-sdm230").read(Query::Voltage).unwrap();
    assert_eq!(said(&answer), "230.2000 V");
    assert_eq!(answer.exchanges[0].reply, bytes(FLOAT));
    assert_eq!(*script.requests.lock().unwrap(), [bytes("01 04 00 00 00 02 71 CB")]);
    assert!(answer.remarks.is_empty());
}

#[test]
fn the_own_echo_whole_or_in_part_and_garbage_around_hide_no_reply() {
    for echo in [Echo::Whole, Echo::First(1), Echo::First(3), Echo::First(7), Echo::Last(1), Echo::Last(5)] {
        let link =
            FaultInjector::new(script(vec![vec![bytes(FLOAT)]]), Mischief { echo, ..Mischief::default() });
        assert_eq!(
            said(&client(link, "eastron-sdm230").read(Query::Voltage).unwrap()),
            "230.2000 V",
            "{echo:?}"
        );
    }
    let noisy = [bytes("00 FF 01 04 04 01"), bytes(FLOAT), bytes("55 AA")].concat();
    let link = script(vec![vec![noisy]]);
    assert_eq!(said(&client(link, "eastron-sdm230").read(Query::Voltage).unwrap()), "230.2000 V");
    let single: Vec<Vec<u8>> = bytes(FLOAT).into_iter().map(|byte| vec![byte]).collect();
    assert_eq!(
        said(&client(script(vec![single]), "eastron-sdm230").read(Query::Voltage).unwrap()),
        "230.2000 V"
    );
}

#[test]
fn a_damaged_reply_is_asked_again_and_kept() {
    let mut wrong = bytes(FLOAT);
    wrong[4] ^= 1;
    let script = script(vec![vec![wrong.clone()], vec![], vec![bytes(FLOAT)]]);
    let answer = client(script, "eastron-sdm230").read(Query::Voltage).unwrap();
    assert_eq!(said(&answer), "230.2000 V");
    let replies: Vec<_> = answer.exchanges.into_iter().map(|exchange| exchange.reply).collect();
    assert_eq!(replies, [wrong, vec![], bytes(FLOAT)]);
}

#[test]
fn two_meters_at_once_are_garbled_and_never_a_number() {
    // Two replies on one wire: where either says 0 the line is 0.
    let one = bytes(FLOAT);
    let both: Vec<u8> = one.iter().zip(bytes("01 04 04 44 1C 00 00 2E B2")).map(|(a, b)| a & b).collect();
    let link = script(vec![vec![both.clone()], vec![both.clone()], vec![both]]);
    let fault = client(link, "eastron-sdm230").read(Query::Voltage).unwrap_err();
    assert!(matches!(fault, Fault::Garbled { attempts: 3, .. }), "{fault}");
}

#[test]
fn a_refusal_is_the_reason_for_no_value_and_silence_a_fault() {
    let refused =
        Read { unit: 1, function: 4, register: 0, count: 2 }.answer(&Reply::Exception(2)).emit_rtu();
    let answer = client(script(vec![vec![refused]]), "eastron-sdm230").read(Query::Voltage).unwrap();
    assert_eq!(said(&answer), "absent: the meter answered: no such register (exception 02)");
    let fault = client(script(vec![]), "eastron-sdm230").read(Query::Voltage).unwrap_err().to_string();
    assert!(fault.contains("1 at script") && fault.contains("registers 0 + 2"), "{fault}");
}

#[test]
fn what_a_model_lacks_is_said_before_anything_is_sent() {
    let script = script(vec![]);
    let fault = client(script.clone(), "eastron-sdm230").read(Query::CoverOpenCount).unwrap_err();
    assert!(matches!(fault, Fault::NotInProfile { .. }));
    assert!(script.requests.lock().unwrap().is_empty());
}

#[test]
fn a_disputed_energy_is_no_number_until_a_person_has_settled_it() {
    let read = Read { unit: 1, function: 3, register: 12, count: 2 };
    let reply = read.answer(&Reply::Registers(vec![0, 0x521A])).emit_rtu();
    let open =
        said(&client(script(vec![vec![reply.clone()]]), "acrel-djsf1352").read(Query::Energy).unwrap());
    assert!(
        open.contains("21.018 kWh with 3 decimals") && open.contains("2.1018 kWh with 4 decimals"),
        "{open}"
    );
    let mut profile = Profile::builtin("acrel-djsf1352").unwrap();
    assert!(profile.settle_energy(4));
    let mut settled = Client::new(Box::new(script(vec![vec![reply]])), Transport::Rtu, 1, profile);
    assert_eq!(said(&settled.read(Query::Energy).unwrap()), "2.1018 kWh");
}

#[test]
fn mantissa_and_point_are_read_at_once() {
    let read = Read { unit: 1, function: 3, register: 0, count: 2 };
    let reply = read.answer(&Reply::Registers(vec![7501, 2])).emit_rtu();
    let script = script(vec![vec![reply]]);
    let answer = client(script.clone(), "acrel-djsf1352").read(Query::Voltage).unwrap();
    assert_eq!(said(&answer), "750.1 V");
    assert_eq!(script.requests.lock().unwrap().len(), 1);
}

#[test]
fn over_tcp_a_late_reply_is_told_by_its_transaction() {
    let read = Read { unit: 1, function: 4, register: 0, count: 2 };
    let reply = |transaction, high| read.answer(&Reply::Registers(vec![high, 0])).emit_tcp(transaction);
    let script = script(vec![vec![reply(9, 0x4300), reply(1, 0x4366)]]);
    let profile = Profile::builtin("eastron-sdm230").unwrap();
    let mut client = Client::new(Box::new(script), Transport::Tcp, 1, profile);
    assert_eq!(said(&client.read(Query::Voltage).unwrap()), "230.0000 V");
}

#[test]
fn nothing_but_reading_is_ever_sent() {
    let script = script(vec![]);
    for model in Profile::builtin_ids() {
        let mut client = client(script.clone(), model);
        for query in Query::all() {
            assert!(client.read(query).is_err());
        }
    }
    assert!(script.requests.lock().unwrap().iter().all(|request| matches!(request[1], 3 | 4)));
}
