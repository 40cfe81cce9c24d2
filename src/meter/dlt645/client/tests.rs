//! The meters are played by `Script`: each request in turn gets the pieces written for it, without waiting.

use super::super::frame::WAKE;
use super::*;
use crate::link;
use crate::link::fault_injector::{Echo, FaultInjector, Mischief};
use crate::time::Span;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

const METER: &str = "000000000161";

/// What comes back after a request; an empty piece is a silence.
type Pieces = Vec<Vec<u8>>;

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Pieces>>>,
    arriving: Arc<Mutex<VecDeque<Vec<u8>>>>,
    requests: Arc<Mutex<Vec<Frame>>>,
}

impl Link for Script {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        assert!(bytes.starts_with(&[WAKE; 4]));
        self.requests.lock().unwrap().push(Frame::parse(bytes).unwrap());
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
    fn airtime(&self, bytes: usize) -> Span {
        Span::from_nanos(i64::try_from(bytes).unwrap())
    }
}

fn script(answers: Vec<Pieces>) -> Script {
    Script { answers: Arc::new(Mutex::new(answers.into())), ..Script::default() }
}

fn client_at(address: &str, script: &Script) -> Client {
    let profile = Profile::builtin("dlt645-2007").unwrap();
    Client::new(Box::new(script.clone()), address.parse().unwrap(), profile)
}

fn client(script: &Script) -> Client {
    client_at(METER, script)
}

fn reply(control: u8, data: &[u8]) -> Vec<u8> {
    let (address, control) = (METER.parse().unwrap(), Control::from_byte(control));
    Frame { address, control, data: data.to_vec() }.emit()
}

/// 00010000 = 1234.56 kWh.
fn energy() -> Vec<u8> {
    reply(0x91, &[0, 0, 1, 0, 0x56, 0x34, 0x12, 0])
}

fn number(answer: &Answer) -> String {
    let Reading::Value(value) = &answer.reading else { panic!("{answer:?}") };
    value.to_string()
}

#[test]
fn a_reading_comes_with_its_bytes_and_the_time_it_was_taken() {
    let script = script(vec![vec![energy()]]);
    let answer = client(&script).read(Query::Energy).unwrap();
    assert_eq!(number(&answer), "1234.56 kWh");
    assert_eq!(answer.exchanges.len(), 1);
    assert_eq!(answer.exchanges[0].reply, energy());
    assert!(answer.exchanges[0].request.starts_with(&[WAKE, WAKE, WAKE, WAKE, 0x68]));
    assert!(answer.taken - answer.taken_half_width >= answer.asked && answer.taken_half_width >= Span::ZERO);
    assert_eq!(*script.requests.lock().unwrap(), [Frame::read(METER.parse().unwrap(), Di::new(0x0001_0000))]);
}

#[test]
fn a_reply_in_single_bytes_after_wake_bytes_is_a_reply() {
    let bytes = [vec![WAKE; 9], energy()].concat();
    let script = script(vec![bytes.iter().map(|byte| vec![*byte]).collect()]);
    assert_eq!(number(&client(&script).read(Query::Energy).unwrap()), "1234.56 kWh");
}

#[test]
fn other_meters_and_late_replies_are_passed_over() {
    let other = Frame {
        address: "000000000162".parse().unwrap(),
        control: Control::READ.reply(),
        data: vec![0, 0, 1, 0, 0x99, 0x99, 0, 0],
    };
    let late = reply(0x91, &[0, 1, 1, 2, 0x01, 0x10]);
    let script = script(vec![vec![other.emit(), late, energy()]]);
    assert_eq!(number(&client(&script).read(Query::Energy).unwrap()), "1234.56 kWh");
}

#[test]
fn what_waits_from_before_is_no_answer() {
    let script = script(vec![vec![energy()]]);
    script.arriving.lock().unwrap().push_back(reply(0x91, &[0, 0, 1, 0, 0x99, 0x99, 0, 0]));
    assert_eq!(number(&client(&script).read(Query::Energy).unwrap()), "1234.56 kWh");
}

#[test]
fn the_own_echo_whole_or_in_part_is_no_answer() {
    for echo in [Echo::Whole, Echo::First(11), Echo::First(13), Echo::Last(5), Echo::Last(16)] {
        let script = script(vec![vec![energy()]]);
        let link = FaultInjector::new(script, Mischief { echo, ..Mischief::default() });
        let profile = Profile::builtin("dlt645-2007").unwrap();
        let mut client = Client::new(Box::new(link), METER.parse().unwrap(), profile);
        assert_eq!(number(&client.read(Query::Energy).unwrap()), "1234.56 kWh", "{echo:?}");
    }
}

#[test]
fn a_wrong_checksum_is_asked_again_and_kept() {
    let mut wrong = energy();
    wrong[18] ^= 1;
    let script = script(vec![vec![wrong.clone()], vec![], vec![energy()]]);
    let answer = client(&script).read(Query::Energy).unwrap();
    assert_eq!(number(&answer), "1234.56 kWh");
    let replies: Vec<_> = answer.exchanges.into_iter().map(|exchange| exchange.reply).collect();
    assert_eq!(replies, [wrong, vec![], energy()]);
}

#[test]
fn after_a_repeated_request_the_time_counts_from_the_first() {
    let script = script(vec![vec![], vec![energy()]]);
    let mut client = client(&script);
    let answer = client.read(Query::Energy).unwrap();
    let airtime = Span::from_nanos(20);
    assert!(answer.taken - answer.taken_half_width - answer.asked < Span::from_secs(1));
    assert!(answer.taken - answer.taken_half_width - answer.asked >= airtime);
    // The late answer of the first request must not be taken for the next one's.
    script.arriving.lock().unwrap().push_back(energy());
    script.answers.lock().unwrap().push_back(vec![reply(0x91, &[0, 0, 1, 0, 0x57, 0x34, 0x12, 0])]);
    assert_eq!(number(&client.read(Query::Energy).unwrap()), "1234.57 kWh");
}

#[test]
fn silence_is_a_fault_that_says_where_and_how_often() {
    let script = script(vec![]);
    let fault = client(&script).read(Query::Voltage).unwrap_err();
    let Fault::Silent { whom, what, attempts } = &fault else { panic!("{fault}") };
    assert_eq!((&whom[..], *attempts), ("000000000161 at script", 3));
    assert_eq!(what, "voltage (02010100)");
    assert_eq!(script.requests.lock().unwrap().len(), 3);
}

#[test]
fn only_the_own_echo_is_silence_and_noise_is_not() {
    let mischief = Mischief { echo: Echo::Whole, ..Mischief::default() };
    let link = FaultInjector::new(script(vec![]), mischief);
    let profile = Profile::builtin("dlt645-2007").unwrap();
    let mut client = Client::new(Box::new(link), METER.parse().unwrap(), profile);
    assert!(matches!(client.read(Query::Energy), Err(Fault::Silent { .. })));
    let noise = script(vec![vec![vec![0x55; 7]]; 3]);
    let fault = super::tests::client(&noise).read(Query::Energy).unwrap_err().to_string();
    assert!(fault.contains("7 bytes came and no frame"), "{fault}");
    let mut wrong = energy();
    wrong[18] ^= 1;
    let garbled = script(vec![vec![wrong]; 3]);
    let fault = super::tests::client(&garbled).read(Query::Energy).unwrap_err().to_string();
    assert!(fault.contains("wrong checksum"), "{fault}");
}

#[test]
fn a_line_full_of_noise_is_given_up() {
    let noise = script(vec![vec![vec![0x68; 200]; 100]; 3]);
    assert!(matches!(client(&noise).read(Query::Energy), Err(Fault::Garbled { attempts: 3, .. })));
}

#[test]
fn a_refusal_is_the_reason_for_no_value() {
    for (err, words) in [(0x02, "no requested data (ERR 02)"), (0x01, "other error (ERR 01)")] {
        let script = script(vec![vec![reply(0xD1, &[err])]]);
        let answer = client(&script).read(Query::Constant).unwrap();
        assert_eq!(answer.reading, Reading::Absent(format!("the meter answered: {words}")));
        assert_eq!(answer.exchanges.len(), 1);
    }
}

#[test]
fn what_are_no_digits_is_a_fault_and_all_ff_no_value() {
    let bad = script(vec![vec![reply(0x91, &[0, 0, 1, 0, 0x5A, 0x34, 0x12, 0])]]);
    let fault = client(&bad).read(Query::Energy).unwrap_err().to_string();
    assert!(fault.contains("`5A 34 12 00`") && fault.contains("dlt645-2007"), "{fault}");
    let none = script(vec![vec![reply(0x91, &[0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF])]]);
    assert!(matches!(client(&none).read(Query::Energy).unwrap().reading, Reading::Absent(_)));
}

#[test]
fn frames_that_follow_are_joined() {
    let di = [0x01, 0x0D, 0x30, 0x03];
    let mut record = [0; 60];
    record[..6].copy_from_slice(&[0x30, 0x15, 0x08, 0x20, 0x11, 0x26]);
    record[6..12].copy_from_slice(&[0x01, 0x20, 0x08, 0x20, 0x11, 0x26]);
    let first = reply(0xB1, &[&di[..], &record[..20]].concat());
    let second = reply(0xB2, &[&di[..], &record[20..40], &[1]].concat());
    let third = reply(0x92, &[&di[..], &record[40..], &[2]].concat());
    let script = script(vec![vec![first], vec![second.clone()], vec![second, third]]);
    let answer = client(&script).read(Query::CoverOpenLast).unwrap();
    assert_eq!(number(&answer), "2026-11-20T08:15:30 to 2026-11-20T08:20:01");
    let requests = script.requests.lock().unwrap();
    let asked: Vec<_> = requests.iter().map(|frame| (frame.control, frame.data.last().copied())).collect();
    assert_eq!(
        asked,
        [(Control::READ, Some(3)), (Control::READ_MORE, Some(1)), (Control::READ_MORE, Some(2))]
    );
}

#[test]
fn frames_that_follow_without_end_are_a_fault() {
    let di = [0x01, 0x0D, 0x30, 0x03];
    let mut answers = vec![vec![reply(0xB1, &di)]];
    answers.extend((1..=255).map(|sequence| vec![reply(0xB2, &[&di[..], &[0, sequence]].concat())]));
    let script = script(answers);
    assert!(matches!(client(&script).read(Query::CoverOpenLast), Err(Fault::Unreadable { .. })));
}

#[test]
fn the_date_is_read_again_until_it_belongs_to_the_time() {
    let date = |day| vec![reply(0x91, &[1, 1, 0, 4, 0x05, day, 0x11, 0x26])];
    let time = |hour| vec![reply(0x91, &[2, 1, 0, 4, 0x30, 0x15, hour])];
    // Midnight passes between the first date and the second.
    let script = script(vec![date(0x20), time(0x23), date(0x21), time(0x00), date(0x21)]);
    let answer = client(&script).read(Query::Clock).unwrap();
    assert_eq!(number(&answer), "2026-11-21T00:15:30");
    assert_eq!(answer.exchanges.len(), 5);
    let days = [0x20, 0x21, 0x22, 0x23].map(date);
    let [a, b, c, d] = days;
    let script = super::tests::script(vec![a, time(0), b, time(0), c, time(0), d]);
    assert!(matches!(client(&script).read(Query::Clock), Err(Fault::ClockUnsteady { .. })));
}

#[test]
fn an_unknown_address_is_asked_for_first() {
    let address = reply(0x93, &[0x61, 1, 0, 0, 0, 0]);
    let script = script(vec![vec![address.clone()], vec![energy()], vec![energy()]]);
    let mut client = client_at("auto", &script);
    let answer = client.read(Query::Energy).unwrap();
    assert_eq!(number(&answer), "1234.56 kWh");
    assert_eq!(answer.exchanges[0].reply, address);
    assert_eq!(client.address().to_string(), METER);
    assert_eq!(client.read(Query::Energy).unwrap().exchanges.len(), 1);
    let requests = script.requests.lock().unwrap();
    assert_eq!((requests[0].address, requests[0].control), (Address::WILDCARD, Control::READ_ADDRESS));
    assert_eq!(requests[1].address, METER.parse().unwrap());
}

#[test]
fn two_meters_that_answer_one_after_the_other_are_told_and_none_is_taken() {
    let mine = reply(0x93, &[0x61, 1, 0, 0, 0, 0]);
    let (address, control) = ("000000000162".parse().unwrap(), Control::from_byte(0x93));
    let other = Frame { address, control, data: vec![0x62, 1, 0, 0, 0, 0] }.emit();
    let script = script(vec![vec![mine.clone(), mine, other]]);
    let fault = client_at("auto", &script).read(Query::Energy).unwrap_err();
    let Fault::SeveralMeters { count: 2, who, .. } = &fault else { panic!("{fault}") };
    assert_eq!(who, "000000000161, 000000000162");
}

#[test]
fn the_edition_of_1997_is_read_with_its_own_control_code() {
    let energy = reply(0x81, &[0x10, 0x90, 0x56, 0x34, 0x12, 0]);
    let refused = reply(0xC1, &[0x02]);
    let script = script(vec![vec![energy], vec![refused]]);
    let profile = Profile::builtin("dlt645-1997").unwrap();
    let mut client = Client::new(Box::new(script.clone()), METER.parse().unwrap(), profile);
    let answer = client.read(Query::Energy).unwrap();
    assert_eq!(number(&answer), "1234.56 kWh");
    assert!(answer.remarks[0].contains("not confirmed"), "{:?}", answer.remarks);
    assert!(matches!(client.read(Query::Voltage).unwrap().reading, Reading::Absent(_)));
    let requests = script.requests.lock().unwrap();
    assert_eq!((requests[0].control.byte(), &requests[0].data[..]), (0x01, &[0x10, 0x90][..]));
}

#[test]
fn the_address_itself_can_be_asked() {
    let script = script(vec![vec![reply(0x93, &[0x61, 1, 0, 0, 0, 0])]]);
    let answer = client(&script).read(Query::Address).unwrap();
    assert_eq!(answer.reading, Reading::Value(Value::Text(METER.to_owned())));
    let script = super::tests::script(vec![vec![reply(0x93, &[0xAB, 1, 0, 0, 0, 0])]]);
    assert!(matches!(client(&script).read_address(), Err(Fault::Unreadable { .. })));
}

#[test]
fn what_a_model_lacks_is_said_before_anything_is_sent() {
    let profile = Profile::from_toml("bare.toml", "id = \"bare\"\ntitle = \"Bare\"").unwrap();
    let script = script(vec![]);
    let mut client = Client::new(Box::new(script.clone()), Address::WILDCARD, profile);
    for query in [Query::Energy, Query::Clock, Query::TariffEnergy(1)] {
        assert_eq!(client.read(query), Err(Fault::NotInProfile { profile: "bare".to_owned(), query }));
    }
    assert!(script.requests.lock().unwrap().is_empty());
}

#[test]
fn nothing_but_reading_is_ever_sent() {
    let script = script(vec![]);
    let mut client = client(&script);
    for query in Query::all() {
        assert!(client.read(query).is_err());
    }
    let requests = script.requests.lock().unwrap();
    let reading = [Control::READ, Control::READ_MORE, Control::READ_ADDRESS];
    assert!(requests.iter().all(|frame| reading.contains(&frame.control)));
}

#[test]
fn the_seconds_pulse_is_switched_on_by_one_frame_and_a_refusal_is_told_in_words() {
    use crate::meter::output::Outputs;
    let done = script(vec![vec![reply(0x9D, &[0])]]);
    let switched = client(&done).seconds_pulse().unwrap();
    assert_eq!((switched.refused, switched.exchanges.len()), (None, 1));
    let sent = done.requests.lock().unwrap().clone();
    assert_eq!(sent.len(), 1);
    // 68 address 68 1D 01 33 CS 16: function 1DH with NN = 00, and 33H added.
    assert_eq!(sent[0].emit()[8..11], [0x1D, 0x01, 0x33]);
    let refusing = script(vec![vec![reply(0xDD, &[0x01])]]);
    let switched = client(&refusing).seconds_pulse().unwrap();
    assert!(switched.refused.unwrap().contains("the meter answered"));
    // Another answer is none: the tariff switch is not the seconds pulse.
    let other = script(vec![vec![reply(0x9D, &[2])], vec![reply(0x9D, &[2])], vec![reply(0x9D, &[2])]]);
    assert!(client(&other).seconds_pulse().is_err());
}

#[test]
fn whoever_only_reads_has_no_way_to_write_by_accident() {
    let script = script(vec![vec![energy()]]);
    let mut client = client(&script);
    client.read(Query::Energy).unwrap();
    assert!(script.requests.lock().unwrap().iter().all(|frame| matches!(frame.control.byte(), 0x11..=0x13)));
    let old = Profile::builtin("dlt645-1997").unwrap();
    let mut old = Client::new(Box::new(script.clone()), METER.parse().unwrap(), old);
    assert!(old.outputs().is_none(), "the edition of 1997 has no such command");
}

#[test]
fn what_was_kept_is_asked_by_its_number_and_a_block_gives_its_total() {
    // 120 kWh in all, of four tariffs.
    let block = [[0x00, 0x20, 0x01, 0x00], [0x00, 0x20, 0x01, 0x00], [0; 4], [0; 4], [0; 4]].concat();
    let script = script(vec![
        vec![reply(0x91, &[0x03, 0, 1, 0, 0x40, 0x11, 0x20, 0x01])],
        vec![reply(0x91, &[0x01, 0x0B, 0, 4, 0x00, 0x01])],
        vec![reply(0x91, &[0x02, 0x0B, 0, 4, 0x99, 0x99])],
        vec![reply(0x91, &[0x3E, 0, 6, 5, 0x00, 0x00, 0x21, 0x11, 0x26])],
        vec![reply(0x91, &[&[0x3E, 1, 6, 5][..], &block].concat())],
        vec![reply(0x91, &[0x01, 0, 6, 5, 0, 0, 0, 0, 0])],
    ]);
    let mut client = client(&script);
    let mut read = |query| client.read(query).unwrap();
    assert_eq!(number(&read(Query::SettledEnergy(3))), "12011.40 kWh");
    assert_eq!(number(&read(Query::SettlementDay(1))), "day 1, 0 h");
    assert_eq!(read(Query::SettlementDay(2)).reading, Reading::Absent("it is not set (99 99)".into()));
    assert_eq!(number(&read(Query::DayKeptAt(62))), "2026-11-21T00:00:00");
    assert_eq!(number(&read(Query::DayEnergy(62))), "120.00 kWh");
    // Not kept yet.
    assert_eq!(read(Query::DayKeptAt(1)).reading, Reading::Value(Value::Event { at: None }));
    let asked: Vec<String> =
        script.requests.lock().unwrap().iter().map(|frame| frame.di().unwrap().to_string()).collect();
    assert_eq!(asked, ["00010003", "04000B01", "04000B02", "0506003E", "0506013E", "05060001"]);
    // Beyond the last there is no item, and nothing is sent.
    for query in
        [Query::SettledEnergy(13), Query::SettledEnergy(0), Query::SettlementDay(4), Query::DayEnergy(63)]
    {
        assert!(matches!(client.read(query), Err(Fault::NotInProfile { .. })), "{query}");
    }
    assert_eq!(script.requests.lock().unwrap().len(), 6);
}

#[test]
fn what_was_kept_in_another_form_is_a_fault_and_no_number() {
    for (query, data) in [
        (Query::SettledEnergy(1), &[1, 0, 1, 0, 0x40, 0x11, 0x20][..]),
        (Query::SettlementDay(1), &[1, 0x0B, 0, 4, 0x24, 0x01]),
        (Query::SettlementDay(1), &[1, 0x0B, 0, 4, 0x00, 0x31]),
        (Query::SettlementDay(1), &[1, 0x0B, 0, 4, 0x0A, 0x01]),
        (Query::DayKeptAt(1), &[1, 0, 6, 5, 0x60, 0x00, 0x21, 0x11, 0x26]),
        (Query::DayEnergy(1), &[1, 1, 6, 5, 0x40, 0x11, 0x20, 0x01, 0x00]),
        (Query::DayEnergy(1), &[1, 1, 6, 5]),
    ] {
        let script = script(vec![vec![reply(0x91, data)]]);
        let fault = client(&script).read(query).unwrap_err();
        assert!(matches!(fault, Fault::Unreadable { .. }), "{query}: {fault}");
    }
}
