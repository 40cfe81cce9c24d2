//! Reading a meter out over an optical head: sign on at 300 Bd, take the speed it offers, read the block.

use super::readout::{BLOCK_LIMIT, Identification, Readout, STX, find_block, find_identification};
use crate::link::{Framing, Link};
use crate::meter::exchange::{Line, Listener, Request, Told};
use crate::meter::obis::{self, Code};
use crate::meter::{Answer, Exchange, Fault, Meter, Query, Reading, Value};
use crate::time::{self, Instant, Span, now};
use std::collections::BTreeSet;

/// Speed of the sign-on.
const SIGN_ON_BAUD: u32 = 300;
/// A meter takes 200 to 1500 ms to answer; a head and its adapter some more.
const FIRST_BYTE: Span = Span::from_millis(2500);
/// Between two characters of a block.
const BETWEEN_BYTES: Span = Span::from_millis(1500);
/// A whole block at 300 Bd takes minutes.
const BLOCK_TIME: Span = Span::from_secs(300);
/// The part of a readout that was not told yet is told within this time, with its age; then the meter is read again.
const FRESH: Span = Span::from_secs(2);

/// A meter under an optical head.
pub struct Client {
    line: Line,
    /// The device address of the sign-on; usually none.
    device: String,
    identified: Option<Identification>,
    last: Option<LastReadout>,
}

/// A readout and what of it was told.
struct LastReadout {
    readout: Readout,
    not_before: Instant,
    not_after: Instant,
    exchanges: Vec<Exchange>,
    told: BTreeSet<Query>,
}

impl Client {
    /// The meter under the head on `link`; `device` is its device address, empty for whoever is there.
    pub fn new(link: Box<dyn Link>, device: String) -> Self {
        let mut line = Line::new(link);
        line.patience.first_byte = FIRST_BYTE;
        line.patience.between_bytes = BETWEEN_BYTES;
        line.limit = BLOCK_LIMIT;
        line.whole = BLOCK_TIME;
        Self { line, device, identified: None, last: None }
    }

    /// Who answered the sign-on last.
    pub const fn identified(&self) -> Option<&Identification> {
        self.identified.as_ref()
    }

    fn whom(&self) -> String {
        let name = if self.device.is_empty() { "under the head" } else { &self.device };
        format!("{name} at {}", self.line.link.peer())
    }

    fn read_out(&mut self, exchanges: &mut Vec<Exchange>) -> Result<LastReadout, Fault> {
        let attempts = self.line.patience.attempts.max(1);
        let mut last = None;
        for _ in 0..attempts {
            match self.read_out_once(exchanges) {
                Err(fault @ (Fault::Silent { .. } | Fault::Garbled { .. })) => last = Some(fault),
                done => return done,
            }
        }
        Err(last.unwrap_or(Fault::Silent { whom: self.whom(), what: "readout".to_owned(), attempts }))
    }

    fn read_out_once(&mut self, exchanges: &mut Vec<Exchange>) -> Result<LastReadout, Fault> {
        let framing: Framing = SEVEN_EVEN_ONE.parse().map_err(Fault::Line)?;
        let patience = self.line.patience;
        // Repetition begins anew with the sign-on: the meter has gone back to 300 Bd meanwhile.
        self.line.patience.attempts = 1;
        let result = self.session(framing, exchanges);
        self.line.patience = patience;
        result
    }

    fn session(&mut self, framing: Framing, exchanges: &mut Vec<Exchange>) -> Result<LastReadout, Fault> {
        self.line.link.set_line(SIGN_ON_BAUD, framing)?;
        let sign_on = format!("/?{}!\r\n", self.device);
        let request =
            Request { bytes: sign_on.into_bytes(), whom: self.whom(), what: "identification (sign-on)" };
        let identified = self.line.ask(&request, exchanges, SignOn::default)?;
        let (identification, behind) = identified.answer;
        self.identified = Some(identification.clone());
        let heard = match identification.baud() {
            // Mode A: the block follows by itself, at the same speed; its begin may have come with the identification.
            None => {
                self.line.listen(&self.whom(), "readout", exchanges, || Block::begun_with(behind.clone()))?
            }
            Some(baud) => {
                let option = format!("\x060{}0\r\n", identification.speed);
                let request =
                    Request { bytes: option.into_bytes(), whom: self.whom(), what: "readout (mode C)" };
                self.line.ask_then(&request, exchanges, Block::default, &mut |link, on_wire| {
                    // The speed changes only after the last character has left.
                    let left = on_wire - now();
                    if left > Span::ZERO {
                        time::sleep(left);
                    }
                    link.set_line(baud, framing)
                })?
            }
        };
        let exchanges = std::mem::take(exchanges);
        Ok(LastReadout {
            readout: heard.answer,
            not_before: heard.not_before,
            not_after: heard.not_after,
            exchanges,
            told: BTreeSet::new(),
        })
    }

    fn reading(query: Query, readout: &Readout) -> Reading {
        let absent = |why: &str| Reading::Absent(format!("the readout has no {why}"));
        match query {
            Query::Address | Query::MeterNumber => {
                let number = ["C.1.0", "0.0.0", "0.0.9", "96.1.0"];
                let set = number.iter().find_map(|name| readout.named(name));
                set.map_or_else(
                    || absent("C.1.0 or 0.0.0 (number)"),
                    |set| Reading::Value(Value::Text(set.value.clone())),
                )
            }
            Query::Clock => {
                let day = readout.find(Code::new(0, 9, 2)).and_then(super::DataSet::date);
                let hour = readout.find(Code::new(0, 9, 1)).and_then(super::DataSet::time);
                day.zip(hour).map_or_else(
                    || absent("0.9.2 and 0.9.1 (date and time) that can be read"),
                    |(day, hour)| Reading::Value(Value::Clock(day.to_datetime(hour))),
                )
            }
            _ => {
                let Some(set) = obis::codes(query).into_iter().find_map(|code| readout.find(code)) else {
                    return absent(&query.to_string());
                };
                let number = set.number();
                match number.and_then(|number| obis::in_unit_of_answers(query, number, &set.unit)) {
                    Some((number, unit)) => Reading::Value(Value::Number(number, unit)),
                    None => Reading::Absent(format!(
                        "`{}({}*{})` is no {query} that can be read",
                        set.address, set.value, set.unit
                    )),
                }
            }
        }
    }
}

/// The framing of the protocol.
const SEVEN_EVEN_ONE: &str = "7E1";

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        let asked = now();
        let usable =
            self.last.take().filter(|last| !last.told.contains(&query) && asked - last.not_before <= FRESH);
        let mut last = match usable {
            Some(last) => last,
            None => self.read_out(&mut vec![])?,
        };
        last.told.insert(query);
        let reading = Self::reading(query, &last.readout);
        let between = (last.not_before, last.not_after);
        let answer = Answer::between(query, asked, between, last.exchanges.clone(), reading, vec![]);
        self.last = Some(last);
        Ok(answer)
    }

    fn address(&self) -> String {
        self.identified.as_ref().map_or_else(
            || "auto".to_owned(),
            |known| format!("/{}{}{}", known.maker, known.speed, known.ident),
        )
    }

    fn forget(&mut self) {
        self.last = None;
    }

    fn model(&self) -> String {
        "IEC 62056-21, mode A or C".to_owned()
    }
}

/// Waits for the identification line.
#[derive(Default)]
struct SignOn {
    seen: Vec<u8>,
}

impl Listener for SignOn {
    /// What identifies the meter, and what came behind it of a block that follows unasked.
    type Answer = (Identification, Vec<u8>);
    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
    }
    fn poll(&mut self) -> Option<Told<Self::Answer>> {
        let found = find_identification(&self.seen)?;
        let at = self.seen.iter().rposition(|byte| byte & 0x7F == b'/').unwrap_or(0) as u64;
        Some(match found {
            Ok(identification) => {
                let block = self.seen.iter().position(|byte| byte & 0x7F == STX).unwrap_or(self.seen.len());
                Told::Answer { answer: (identification, self.seen.split_off(block)), at }
            }
            Err(refusal) => {
                self.seen.clear();
                Told::Trouble(refusal.to_string())
            }
        })
    }
}

/// Waits for the data block.
#[derive(Default)]
struct Block {
    seen: Vec<u8>,
    looked_at: usize,
    /// Bytes of it that came before it was waited for.
    before: usize,
}

impl Block {
    fn begun_with(seen: Vec<u8>) -> Self {
        Self { before: seen.len(), looked_at: 0, seen }
    }
}

impl Listener for Block {
    type Answer = Readout;
    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
    }
    fn poll(&mut self) -> Option<Told<Readout>> {
        // Only an end makes a difference; looking at every byte again would cost the square of the length.
        let fresh = &self.seen[self.looked_at.saturating_sub(1)..];
        if self.seen.len() < BLOCK_LIMIT && !fresh.iter().any(|byte| byte & 0x7F == 0x03) {
            self.looked_at = self.seen.len();
            return None;
        }
        let (at, found) = find_block(&self.seen)?;
        Some(match found {
            Ok(answer) => Told::Answer { answer, at: at.saturating_sub(self.before) as u64 },
            Err(refusal) => {
                self.seen.clear();
                self.looked_at = 0;
                Told::Trouble(refusal.to_string())
            }
        })
    }
}
