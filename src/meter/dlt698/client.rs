//! Asking a meter over DL/T 698.45. Only GET and CONNECT stand here: a meter under test is never written to.

use super::data::{self, Data, Oad, Refusal, Row, connect, connected, dar_words};
use super::frame::{Frame, Scanner, ServerAddress, WAKE};
use super::parts::Parts;
use crate::link::{Link, hex};
use crate::meter::exchange::{Heard, Line, Listener, Patience, Request, Told};
use crate::meter::obis::shifted;
use crate::meter::{Answer, Exchange, Fault, Meter, Query, Reading, Unit, Value};
use crate::time::{Instant, Stamp, now};
use rust_decimal::Decimal;

/// Wake bytes before a request.
const WAKE_BYTES: usize = 4;
/// Bytes heard at most behind the answer to the question who is there.
const REST_LIMIT: usize = 1024;
/// The communication address.
const ADDRESS: Oad = Oad(0x4001_0200);
/// Reasons that connecting may remove: reading denied, security does not match.
const UNCONNECTED: [u8; 2] = [3, NOT_CONNECTED];
/// DAR: security does not match.
const NOT_CONNECTED: u8 = 20;
/// The APDU of an error.
const ERROR: u8 = 0xEE;
/// Objects asked in turn where a meter may lack the finer one.
type Objects = &'static [(Oad, i32)];

/// The objects for a query and the power of ten of each in the unit of answers. Sources: facts, protocols, section 2.2.
pub(crate) fn objects(query: Query) -> Option<Objects> {
    Some(match query {
        // With four decimals where the meter has it, else with two.
        Query::Energy => &[(Oad(0x0010_0401), -4), (Oad(0x0010_0201), -2)],
        Query::Voltage => &[(Oad(0x2000_0201), -1)],
        Query::Current => &[(Oad(0x2001_0201), -3)],
        // 0.1 W.
        Query::Power => &[(Oad(0x2004_0201), -4)],
        Query::Clock => &[(Oad(0x4000_0200), 0)],
        Query::Address => &[(ADDRESS, 0)],
        Query::MeterNumber => &[(Oad(0x4002_0200), 0)],
        Query::Constant => &[(Oad(0x4109_0200), 0)],
        Query::ReverseEnergy => &[(Oad(0x0020_0201), -2)],
        Query::StatusWords => &[(Oad(0x2014_0200), 0)],
        _ => return None,
    })
}

/// The table of events for a query. Sources: facts, protocols, section 2.2 (M); 3011: `600888/dlt698`, guide to events.
pub(crate) fn events(query: Query) -> Option<Oad> {
    Some(Oad(match query {
        Query::CoverOpenLast => 0x301B_0200,
        Query::TerminalCoverOpenLast => 0x301C_0200,
        Query::ProgrammingLast => 0x3012_0200,
        Query::ClockSetLast => 0x3016_0200,
        Query::PowerLossLast => 0x3011_0200,
        _ => return None,
    }))
}

/// Columns of an event: when it began and when it ended.
pub(crate) const BEGUN: Oad = Oad(0x201E_0200);
pub(crate) const ENDED: Oad = Oad(0x2020_0200);

/// A meter at the end of a link.
pub struct Client {
    line: Line,
    server: Option<ServerAddress>,
    piid: u8,
    connected: bool,
}

impl Client {
    /// The meter at `server`; with none, the one meter on the line is asked for its address first.
    pub fn new(link: Box<dyn Link>, server: Option<ServerAddress>) -> Self {
        Self { line: Line::new(link), server, piid: 0, connected: false }
    }

    /// With another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.line.patience = patience;
        self
    }

    fn whom(&self, server: &ServerAddress) -> String {
        format!("{server} at {}", self.line.link.peer())
    }

    fn ask<A>(
        &mut self,
        server: &ServerAddress,
        apdu: Vec<u8>,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        find: &dyn Fn(&Frame) -> Option<A>,
    ) -> Result<Heard<A>, Fault> {
        let request = Frame::request(server.clone(), apdu);
        let request = Request { bytes: woken(&request), whom: self.whom(server), what };
        self.line.ask(&request, exchanges, || Replies {
            scanner: Scanner::default(),
            parts: Parts::default(),
            silent: false,
            server,
            find,
        })
    }

    /// Asks with `ask` made for a PIID until `find` sees the answer in an APDU.
    fn fetch<A>(
        &mut self,
        server: &ServerAddress,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        ask: &dyn Fn(u8) -> Vec<u8>,
        find: Find<'_, A>,
    ) -> Result<Fetched<A>, Fault> {
        self.piid = (self.piid + 1) & 0x3F;
        let piid = self.piid;
        let heard = self.ask(server, ask(piid), what, exchanges, &|frame| {
            // An error instead of an answer is that of a meter that wants to be connected to first.
            let refused = (frame.apdu.first() == Some(&ERROR)).then_some(Ok(Err(NOT_CONNECTED)));
            let got = refused.or_else(|| find(&frame.apdu, piid))?;
            Some((got, frame.server.clone(), frame.apdu.clone()))
        })?;
        let Heard { answer: (got, replier, apdu), not_before, not_after } = heard;
        match got {
            Ok(got) => Ok(Heard { answer: (got, replier), not_before, not_after }),
            Err(refusal) => Err(self.unreadable(server, what, &apdu, refusal.to_string())),
        }
    }

    /// As [`Client::fetch`]; a meter that refuses for want of a connection is connected to, once.
    fn fetch_connected<A>(
        &mut self,
        server: &ServerAddress,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        ask: &dyn Fn(u8) -> Vec<u8>,
        find: Find<'_, A>,
    ) -> Result<Heard<Result<A, u8>>, Fault> {
        let mut heard = self.fetch(server, what, exchanges, ask, find)?;
        if matches!(heard.answer.0, Err(dar) if UNCONNECTED.contains(&dar))
            && !self.connected
            && self.connect(server, exchanges)?
        {
            heard = self.fetch(server, what, exchanges, ask, find)?;
        }
        Ok(heard.map(|(got, _)| got))
    }

    /// The last record of a table of events.
    fn last_event(
        &mut self,
        server: &ServerAddress,
        query: Query,
        table: Oad,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<(Reading, Between), Fault> {
        let what = format!("{query} ({table})");
        let heard = self.fetch_connected(
            server,
            &what,
            exchanges,
            &|piid| data::get_last_record(piid, table, &[BEGUN, ENDED]),
            &|apdu, piid| data::got_record(apdu, piid, table),
        )?;
        let reading = match &heard.answer {
            Err(dar) => Reading::Absent(format!("the meter answered: {}", dar_words(*dar))),
            Ok(row) => Reading::Value(event(query, row)),
        };
        Ok((reading, (heard.not_before, heard.not_after)))
    }

    /// CONNECT without security, once.
    fn connect(&mut self, server: &ServerAddress, exchanges: &mut Vec<Exchange>) -> Result<bool, Fault> {
        self.connected = true;
        self.piid = (self.piid + 1) & 0x3F;
        let asked =
            self.ask(server, connect(self.piid), "connection", exchanges, &|frame| connected(&frame.apdu));
        match asked {
            Ok(heard) => Ok(heard.answer == 0),
            // A meter that does not know CONNECT has shown already what it shows without.
            Err(Fault::Silent { .. } | Fault::Garbled { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The address of the one meter on the line.
    fn discover(&mut self, exchanges: &mut Vec<Exchange>) -> Result<ServerAddress, Fault> {
        if let Some(known) = &self.server {
            return Ok(known.clone());
        }
        let wildcard = ServerAddress::wildcard();
        let what = format!("communication address ({ADDRESS})");
        let heard = self.fetch(
            &wildcard,
            &what,
            exchanges,
            &|piid| data::get_normal(piid, ADDRESS),
            &|apdu, piid| data::got_normal(apdu, piid, ADDRESS),
        )?;
        let (got, replier) = heard.answer;
        let told = match got {
            Ok(Data::Octets(bytes)) => ServerAddress::from_high_first(&bytes),
            _ => None,
        };
        let rest = self.line.hear_out(REST_LIMIT);
        let mut scanner = Scanner::default();
        if let Some(last) = exchanges.last_mut() {
            last.reply.extend(rest);
            // All of it: an adapter may hand over both replies at once.
            scanner.handle_bytes(&last.reply);
        }
        let mut who = vec![replier.to_string()];
        while let Some(found) = scanner.poll() {
            if let Ok((_, frame)) = found
                && frame.is_reply()
                && !who.contains(&frame.server.to_string())
            {
                who.push(frame.server.to_string());
            }
        }
        if who.len() > 1 {
            let line = self.line.link.peer().to_owned();
            return Err(Fault::SeveralMeters { line, count: who.len(), who: who.join(", ") });
        }
        // The frame says who sent it, also where the meter does not tell its address.
        let server = told.unwrap_or(replier);
        self.server = Some(server.clone());
        Ok(server)
    }

    fn value(query: Query, exponent: i32, data: &Data) -> Result<Reading, String> {
        let not = || format!("it is no {query}");
        let number = |unit: Unit| {
            let whole = data.number().and_then(|n| Decimal::try_from_i128_with_scale(n, 0).ok());
            let exact = whole.and_then(|number| shifted(number, exponent)).ok_or_else(not)?;
            Ok(Reading::Value(Value::Number(exact, unit)))
        };
        match (query, data) {
            (_, Data::Null) => Ok(Reading::Absent("no value (null)".to_owned())),
            // The order of their bits is not confirmed: the words stand as they came.
            (Query::StatusWords, Data::Array(words)) => {
                let words: Option<Vec<String>> = words
                    .iter()
                    .map(|word| {
                        if let Data::Bits(_, held) = word {
                            Some(hex::text(held).replace(' ', ""))
                        } else {
                            None
                        }
                    })
                    .collect();
                words.map(|words| Reading::Value(Value::Text(words.join(" ")))).ok_or_else(not)
            }
            (Query::Clock, _) => data.moment().map(|at| Reading::Value(Value::Clock(at))).ok_or_else(not),
            (Query::Address | Query::MeterNumber, Data::Octets(bytes)) => {
                Ok(Reading::Value(Value::Text(hex::text(bytes).replace(' ', ""))))
            }
            (Query::Address | Query::MeterNumber, Data::Text(text)) => {
                Ok(Reading::Value(Value::Text(text.trim_matches(['\0', ' ']).to_owned())))
            }
            _ => number(query.unit().ok_or_else(not)?),
        }
    }

    fn unreadable(&self, server: &ServerAddress, what: &str, data: &[u8], why: String) -> Fault {
        let (whom, profile) = (self.whom(server), "dlt698".to_owned());
        Fault::Unreadable { whom, what: what.to_owned(), data: hex::text(data), why, profile }
    }
}

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        let asked = now();
        let mut exchanges = Vec::new();
        if let Some(table) = events(query) {
            let server = self.discover(&mut exchanges)?;
            let (reading, between) = self.last_event(&server, query, table, &mut exchanges)?;
            return Ok(Answer::between(query, asked, between, exchanges, reading, remarks(query)));
        }
        let tariff;
        let objects: &[(Oad, i32)] = match query {
            Query::TariffEnergy(n @ 1..=63) => {
                tariff = [(Oad(0x0010_0201 + u32::from(n)), -2)];
                &tariff
            }
            _ => objects(query).ok_or(Fault::NotInProfile { profile: "dlt698".to_owned(), query })?,
        };
        let server = self.discover(&mut exchanges)?;
        let mut last = None;
        for (oad, exponent) in objects {
            let what = format!("{query} ({oad})");
            let heard = self.fetch_connected(
                &server,
                &what,
                &mut exchanges,
                &|piid| data::get_normal(piid, *oad),
                &|apdu, piid| data::got_normal(apdu, piid, *oad),
            )?;
            let between = (heard.not_before, heard.not_after);
            match heard.answer {
                Ok(data) => {
                    let reading = Self::value(query, *exponent, &data).map_err(|why| {
                        let mut bytes = vec![];
                        data.emit(&mut bytes);
                        self.unreadable(&server, &what, &bytes, why)
                    })?;
                    return Ok(Answer::between(query, asked, between, exchanges, reading, remarks(query)));
                }
                Err(dar) => last = Some((dar, between)),
            }
        }
        let (dar, between) = last.unwrap_or((255, (asked, asked)));
        let reading = Reading::Absent(format!("the meter answered: {}", dar_words(dar)));
        Ok(Answer::between(query, asked, between, exchanges, reading, vec![]))
    }

    fn address(&self) -> String {
        self.server.as_ref().map_or_else(|| "auto".to_owned(), ToString::to_string)
    }

    fn model(&self) -> String {
        "DL/T 698.45, common objects, without security".to_owned()
    }
}

/// Not before and not after.
type Between = (Instant, Instant);

/// What was asked for or the meter's reason for none (DAR), and who said it.
type Fetched<A> = Heard<(Result<A, u8>, ServerAddress)>;

/// Sees the answer in an APDU to the request of that PIID.
type Find<'a, A> = &'a dyn Fn(&[u8], u8) -> Option<Result<Result<A, u8>, Refusal>>;

/// What a record says; none where there is no record.
fn event(query: Query, row: &[(Oad, Data)]) -> Value {
    let moment =
        |wanted: Oad| row.iter().find(|(column, _)| *column == wanted).and_then(|(_, data)| data.moment());
    let (from, to) = (moment(BEGUN), moment(ENDED));
    match query {
        Query::ProgrammingLast => Value::Event { at: from },
        Query::ClockSetLast => Value::ClockSet { before: from, after: to },
        _ => Value::CoverOpen { from, to },
    }
}

fn remarks(query: Query) -> Vec<String> {
    let doubtful = match query {
        Query::Constant => "41090200: not confirmed: one weak source for the constant".to_owned(),
        Query::StatusWords => "20140200: not confirmed: the order of the bits in each word".to_owned(),
        _ => match events(query) {
            Some(table) => format!("{table}: not confirmed on a meter: sources are implementations"),
            None => return vec![],
        },
    };
    vec![doubtful]
}

/// Waits for the frame that answers.
struct Replies<'a, A> {
    scanner: Scanner,
    parts: Parts,
    silent: bool,
    server: &'a ServerAddress,
    find: &'a dyn Fn(&Frame) -> Option<A>,
}

impl<A> Replies<'_, A> {
    fn told(&mut self, at: u64, frame: &Frame) -> Option<Told<A>> {
        if frame.is_link_request() {
            let answer = data::link_answer(&frame.apdu, moment())?;
            return Some(Told::Say(woken(&frame.link_answer(answer))));
        }
        if !frame.is_reply() {
            return None;
        }
        let mine = self.server.means(&frame.server);
        let whole;
        let (at, frame) = match frame.part() {
            Some(part) if mine => match self.parts.take(at, &part) {
                Ok(None) => return Some(Told::Say(woken(&frame.confirmation(part.number)))),
                Ok(Some((begun, apdu))) => {
                    whole = Frame { apdu, ..frame.clone() };
                    (begun, &whole)
                }
                Err(why) => return Some(Told::Trouble(why)),
            },
            _ => (at, frame),
        };
        let answer = mine.then(|| (self.find)(frame)).flatten();
        Some(match answer {
            Some(answer) => Told::Answer { answer, at },
            None => Told::Trouble(format!("a reply of {} to another question came", frame.server)),
        })
    }
}

/// A frame with wake bytes before it.
fn woken(frame: &Frame) -> Vec<u8> {
    [&[WAKE; WAKE_BYTES][..], &frame.emit()].concat()
}

/// Our date and hour as the protocol writes them: year, month, day, weekday from Sunday, hour, minute, second.
fn moment() -> [u8; 8] {
    let at = Stamp::now().civil();
    let [y1, y0] = at.year().to_be_bytes();
    let weekday = at.weekday().to_sunday_zero_offset();
    let [month, day, weekday] = [at.month(), at.day(), weekday].map(i8::cast_unsigned);
    let [hour, minute, second] = [at.hour(), at.minute(), at.second()].map(i8::cast_unsigned);
    [y1, y0, month, day, weekday, hour, minute, second]
}

impl<A> Listener for Replies<'_, A> {
    type Answer = A;

    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.scanner.handle_bytes(bytes);
    }

    fn poll(&mut self) -> Option<Told<A>> {
        loop {
            match self.scanner.poll() {
                None if self.silent && self.scanner.give_up() => {}
                None => return None,
                Some(Err(refusal)) => return Some(Told::Trouble(refusal.to_string())),
                Some(Ok((at, frame))) => {
                    if let Some(told) = self.told(at, &frame) {
                        return Some(told);
                    }
                }
            }
        }
    }

    fn handle_silence(&mut self) {
        self.silent = true;
    }
}

/// For a simulated meter: the request in a frame, its PIID and object; and whether it asks for a record.
pub fn asked(frame: &Frame) -> Option<(u8, Oad, bool)> {
    let [0x05, kind @ (1 | 3), piid, o3, o2, o1, o0, ..] = frame.apdu[..] else { return None };
    Some((piid, Oad(u32::from_be_bytes([o3, o2, o1, o0])), kind == 3))
}

/// For a simulated meter: the reply to a GET.
pub fn answer(request: &Frame, server: ServerAddress, piid: u8, oad: Oad, got: &data::Got) -> Frame {
    let mut apdu = vec![0x85, 0x01, piid];
    apdu.extend(oad.0.to_be_bytes());
    match got {
        Ok(data) => {
            apdu.push(1);
            data.emit(&mut apdu);
        }
        Err(dar) => apdu.extend([0, *dar]),
    }
    apdu.extend([0, 0]);
    Frame { control: 0xC3, server, client: request.client, apdu }
}

/// For a simulated meter: the reply to a GET of a record.
pub fn answer_record(request: &Frame, server: ServerAddress, piid: u8, oad: Oad, row: &Row) -> Frame {
    let mut apdu = vec![0x85, 0x03, piid];
    apdu.extend(oad.0.to_be_bytes());
    let columns = row.as_deref().unwrap_or_default();
    apdu.push(columns.len() as u8);
    for (column, _) in columns {
        apdu.push(0);
        apdu.extend(column.0.to_be_bytes());
    }
    match row {
        Ok(columns) if columns.is_empty() => apdu.extend([1, 0]),
        Ok(columns) => {
            apdu.extend([1, 1]);
            for (_, data) in columns {
                data.emit(&mut apdu);
            }
        }
        Err(dar) => apdu.extend([0, *dar]),
    }
    apdu.extend([0, 0]);
    Frame { control: 0xC3, server, client: request.client, apdu }
}
