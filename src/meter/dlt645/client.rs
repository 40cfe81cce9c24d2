//! Asking a meter over DL/T 645-2007. Only the reading control codes stand here: a meter under test is never written to.

use super::codec::Item;
use super::exchange::{Heard, Line, Patience};
use super::frame::{Address, Control, Di, Frame, refusal_words};
use super::profile::{Edition, Profile, Slot};
use crate::link::{Link, hex};
use crate::meter::{Answer, Exchange, Fault, Meter, Provenance, Query, Reading, Value};
use crate::time::{Instant, now};
use jiff::civil::DateTime;

/// Frames that may follow a first one.
const FOLLOW_LIMIT: u8 = 32;
/// How often the clock is read until its date is the same before and after its time.
const CLOCK_ATTEMPTS: u32 = 3;

/// A meter at the end of a link.
pub struct Client {
    line: Line,
    address: Address,
    profile: Profile,
}

/// What the meter has for an item: its bytes or its refusal in words.
type Given = Result<Vec<u8>, String>;

/// A reading and the times of the frame it came in.
type Timed = (Reading, Instant, Instant);

impl Client {
    /// A meter of the model `profile` at `address`. With [`Address::WILDCARD`] the one meter on the line is asked for its
    /// address before the first reading.
    pub fn new(link: Box<dyn Link>, address: Address, profile: Profile) -> Self {
        Self { line: Line::new(link), address, profile }
    }

    /// With another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.line.line.patience = patience;
        self
    }

    /// The meter's address as far as known: the wildcard until the meter was asked.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The meter model in use.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Asks the one meter on the line for its address (13H to the wildcard).
    pub fn read_address(&mut self) -> Result<Address, Fault> {
        let mut exchanges = Vec::new();
        let (given, _) = self.ask_address(&mut exchanges)?;
        given.map_err(|why| self.unreadable(&Query::Address.to_string(), &[], why))
    }

    fn ask_address(
        &mut self,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<(Result<Address, String>, Heard), Fault> {
        let request = Frame { address: Address::WILDCARD, control: Control::READ_ADDRESS, data: Vec::new() };
        let reply = Control::READ_ADDRESS.reply();
        let refusal = Control::READ_ADDRESS.refusal();
        let what = Query::Address.to_string();
        let heard = self.line.ask(&request, &what, exchanges, &|frame| {
            frame.control == reply && frame.data.len() == 6
                || frame.control == refusal && frame.data.len() == 1
        })?;
        let given = match *heard.answer.data {
            [a0, a1, a2, a3, a4, a5] => {
                let address = Address::from_wire([a0, a1, a2, a3, a4, a5]);
                // Twelve digits, or it is no address that can be asked.
                if address.to_string().bytes().any(|digit| !digit.is_ascii_digit()) {
                    let why = "an address is 12 decimal digits".to_owned();
                    return Err(self.unreadable(&what, &heard.answer.data, why));
                }
                Ok(address)
            }
            [err] => Err(refused(err)),
            _ => unreachable!("only six bytes or one were accepted"),
        };
        Ok((given, heard))
    }

    /// The data behind the data identifier, follow-up frames joined, and the first frame with its times.
    fn ask_item(
        &mut self,
        di: Di,
        what: &str,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<(Given, Heard), Fault> {
        let edition = self.profile.edition();
        let (read, read_more) = (edition.read(), edition.read_more());
        let wire = &di.wire()[..edition.di_bytes()];
        let front = wire.len();
        let request = Frame { address: self.address, control: read, data: wire.to_vec() };
        let first = self.line.ask(&request, what, exchanges, &|frame| {
            answers(frame, read, wire, front) || refuses(frame, read)
        })?;
        if first.answer.control.is_abnormal() {
            return Ok((Err(refused(first.answer.data[0])), first));
        }
        let mut data = first.answer.data[front..].to_vec();
        let mut more = first.answer.control.more_follows();
        let mut sequence = 0;
        while more {
            sequence += 1;
            if sequence > FOLLOW_LIMIT {
                let why = format!("more than {FOLLOW_LIMIT} frames followed");
                return Err(self.unreadable(what, &data[..data.len().min(16)], why));
            }
            let request_data = [wire, &[sequence]].concat();
            let request = Frame { address: self.address, control: read_more, data: request_data };
            let next = self.line.ask(&request, what, exchanges, &|frame| {
                answers(frame, read_more, wire, front + 1) && frame.data.last() == Some(&sequence)
                    || refuses(frame, read_more)
            })?;
            if next.answer.control.is_abnormal() {
                return Ok((Err(refused(next.answer.data[0])), first));
            }
            data.extend(&next.answer.data[front..next.answer.data.len() - 1]);
            more = next.answer.control.more_follows();
        }
        Ok((Ok(data), first))
    }

    fn read_item(&mut self, item: &Item, what: &str, exchanges: &mut Vec<Exchange>) -> Result<Timed, Fault> {
        let what = format!("{what} ({})", item.di());
        let (given, heard) = self.ask_item(item.di(), &what, exchanges)?;
        let reading = match given {
            Err(why) => Reading::Absent(why),
            Ok(data) => item.decode(&data).map_err(|why| self.unreadable(&what, &data, why.to_string()))?,
        };
        Ok((reading, heard.not_before, heard.not_after))
    }

    /// Date and time of a clock that comes in two parts: the date is read again until it has not changed meanwhile.
    fn read_clock(
        &mut self,
        date: &Item,
        time: &Item,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<Timed, Fault> {
        let mut before = self.read_item(date, "date", exchanges)?;
        for _ in 0..CLOCK_ATTEMPTS {
            let hour = self.read_item(time, "time", exchanges)?;
            let after = self.read_item(date, "date", exchanges)?;
            let parts = (clock(&before.0), clock(&hour.0), clock(&after.0));
            match parts {
                (Some(first), Some(hour_shown), Some(second)) if first == second => {
                    let shown = first.date().to_datetime(hour_shown.time());
                    return Ok((Reading::Value(Value::Clock(shown)), hour.1, hour.2));
                }
                (Some(_), Some(_), Some(_)) => before = after,
                (None, ..) => return Ok(before),
                (_, None, _) => return Ok(hour),
                (.., None) => return Ok(after),
            }
        }
        let whom = self.line.whom(self.address);
        Err(Fault::ClockUnsteady { whom, attempts: CLOCK_ATTEMPTS })
    }

    fn read_query(&mut self, query: Query, exchanges: &mut Vec<Exchange>) -> Result<Timed, Fault> {
        if query == Query::Address && self.profile.edition() == Edition::Of2007 {
            let (given, heard) = self.ask_address(exchanges)?;
            let reading = match given {
                Ok(address) => Reading::Value(Value::Text(address.to_string())),
                Err(why) => Reading::Absent(why),
            };
            return Ok((reading, heard.not_before, heard.not_after));
        }
        let item = self.profile.item(query);
        let parts = self.profile.item_of(Slot::ClockDate).zip(self.profile.item_of(Slot::ClockTime));
        if item.is_none() && (query != Query::Clock || parts.is_none()) {
            return Err(Fault::NotInProfile { profile: self.profile.id().to_owned(), query });
        }
        // The edition of 1997 has no question for the address: the wildcard itself is asked.
        if self.address == Address::WILDCARD && self.profile.edition() == Edition::Of2007 {
            let (given, _) = self.ask_address(exchanges)?;
            self.address = given.map_err(|why| self.unreadable(&Query::Address.to_string(), &[], why))?;
        }
        match (item, parts) {
            (Some(item), _) => self.read_item(&item, &query.to_string(), exchanges),
            (None, Some((date, time))) => self.read_clock(&date, &time, exchanges),
            (None, None) => unreachable!("refused above"),
        }
    }

    /// What must be known of the answer to `query`.
    fn remarks(&self, query: Query) -> Vec<String> {
        let item = self.profile.item(query).filter(|item| item.provenance() == Provenance::Unconfirmed);
        item.map(|item| format!("{}: not confirmed: {}", item.di(), item.source())).into_iter().collect()
    }

    fn unreadable(&self, what: &str, data: &[u8], why: String) -> Fault {
        let whom = self.line.whom(self.address);
        let profile = self.profile.id().to_owned();
        Fault::Unreadable { whom, what: what.to_owned(), data: hex::text(data), why, profile }
    }
}

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        let asked = now();
        let mut exchanges = Vec::new();
        let (reading, not_before, not_after) = self.read_query(query, &mut exchanges)?;
        let remarks = self.remarks(query);
        Ok(Answer::between(query, asked, (not_before, not_after), exchanges, reading, remarks))
    }

    fn address(&self) -> String {
        self.address.to_string()
    }

    fn model(&self) -> String {
        let doubtful = self.profile.unconfirmed();
        let note = if doubtful.is_empty() {
            String::new()
        } else {
            format!(" (not confirmed on a meter: {})", doubtful.join(", "))
        };
        format!("{}{note}", self.profile.title())
    }
}

/// Whether `frame` is a meter's normal reply to `request` for `di`, with at least so many data bytes.
fn answers(frame: &Frame, request: Control, di: &[u8], at_least: usize) -> bool {
    let control = frame.control;
    (control == request.reply() || control == request.reply_with_more())
        && frame.data.starts_with(di)
        && frame.data.len() >= at_least
}

fn refuses(frame: &Frame, request: Control) -> bool {
    frame.control == request.refusal() && frame.data.len() == 1
}

fn refused(err: u8) -> String {
    format!("the meter answered: {}", refusal_words(err))
}

fn clock(reading: &Reading) -> Option<DateTime> {
    if let Reading::Value(Value::Clock(clock)) = reading { Some(*clock) } else { None }
}

#[cfg(test)]
mod tests {
    // The meters are played by `Script`: each request in turn gets the pieces written for it, without waiting.

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
        assert!(
            answer.taken - answer.taken_half_width >= answer.asked && answer.taken_half_width >= Span::ZERO
        );
        assert_eq!(
            *script.requests.lock().unwrap(),
            [Frame::read(METER.parse().unwrap(), Di::new(0x0001_0000))]
        );
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
        let asked: Vec<_> =
            requests.iter().map(|frame| (frame.control, frame.data.last().copied())).collect();
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
}
