//! Asking a meter over Modbus. Only the functions that read stand here: a meter under test is never written to.

use super::frame::{Adu, Read, Refusal, Reply, Transport, exception_words};
use super::map::{Item, Profile};
use super::number::{self, Kind};
use crate::link::{Link, hex};
use crate::meter::exchange::{Heard, Line, Listener, Patience, Request, Told};
use crate::meter::{Answer, Disputed, Exchange, Fault, Meter, Provenance, Query, Reading, Value};
use crate::time::now;
use rust_decimal::prelude::ToPrimitive;

/// Silence before a request of RTU, in characters.
const GAP_CHARACTERS: f64 = 3.5;
/// A value and its point this near together are read at once.
const NEAR: u16 = 32;

/// A meter at the end of a link.
pub struct Client {
    line: Line,
    transport: Transport,
    unit: u8,
    transaction: u16,
    profile: Profile,
}

/// The registers of an item and the exponent of its point, or the meter's refusal in words.
type Held = Result<(Vec<u16>, i32), String>;

impl Client {
    /// A meter of the model `profile` at the address `unit`, 1..=247.
    pub fn new(link: Box<dyn Link>, transport: Transport, unit: u8, profile: Profile) -> Self {
        let mut line = Line::new(link);
        if transport == Transport::Rtu {
            line.gap_characters = GAP_CHARACTERS;
        }
        Self { line, transport, unit, transaction: 0, profile }
    }

    /// With another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.line.patience = patience;
        self
    }

    /// The meter model in use.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The registers as they are: for the probe of their order.
    pub fn raw(&mut self, item: &Item) -> Result<Result<Vec<u16>, String>, Fault> {
        let heard = self.ask(item.function, item.register, item.count, "registers", &mut Vec::new())?;
        Ok(match heard.answer {
            Reply::Registers(registers) => Ok(registers),
            Reply::Exception(code) => Err(exception_words(code)),
        })
    }

    fn whom(&self) -> String {
        format!("{} at {}", self.unit, self.line.link.peer())
    }

    fn ask(
        &mut self,
        function: u8,
        register: u16,
        count: u16,
        what: &str,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<Heard<Reply>, Fault> {
        let read = Read { unit: self.unit, function, register, count };
        self.transaction = self.transaction.wrapping_add(1);
        let transaction = self.transaction;
        let bytes = match self.transport {
            Transport::Rtu => read.adu().emit_rtu(),
            Transport::Tcp => read.adu().emit_tcp(transaction),
        };
        let what = format!("{what} (registers {register} + {count})");
        let request = Request { bytes: bytes.clone(), whom: self.whom(), what: &what };
        match self.transport {
            Transport::Rtu => self.line.ask(&request, exchanges, || RtuReplies {
                read,
                echo: bytes.clone(),
                seen: vec![],
                offset: 0,
                silent: false,
            }),
            Transport::Tcp => self.line.ask(&request, exchanges, || TcpReplies {
                read,
                transaction,
                seen: vec![],
                offset: 0,
            }),
        }
    }

    /// The registers of `item`, its point's value where it has one, and the times.
    fn ask_item(
        &mut self,
        item: &Item,
        what: &str,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<Heard<Held>, Fault> {
        let Some((point, offset)) = item.point else {
            let heard = self.ask(item.function, item.register, item.count, what, exchanges)?;
            return Ok(heard.map(|reply| registers(reply).map(|registers| (registers, 0))));
        };
        let first = item.register.min(point);
        let behind = (item.register + item.count).max(point + 1);
        if behind - first <= NEAR {
            let heard = self.ask(item.function, first, behind - first, what, exchanges)?;
            let place = usize::from(item.register - first);
            return Ok(heard.map(|reply| {
                let all = registers(reply)?;
                let shift = i32::from(all[usize::from(point - first)].cast_signed());
                Ok((all[place..place + usize::from(item.count)].to_vec(), shift + offset))
            }));
        }
        let shift = self.ask(item.function, point, 1, what, exchanges)?;
        let heard = self.ask(item.function, item.register, item.count, what, exchanges)?;
        Ok(heard.map(|reply| {
            let shift = i32::from(registers(shift.answer)?[0].cast_signed());
            Ok((registers(reply)?, shift + offset))
        }))
    }

    fn value(&self, query: Query, item: &Item, held: &[u16], shift: i32) -> Result<Reading, Fault> {
        let unreadable = |why: String| {
            let data: Vec<u8> = held.iter().flat_map(|register| register.to_be_bytes()).collect();
            let (whom, what) = (self.whom(), format!("{query} (register {})", item.register));
            let profile = self.profile.id().to_owned();
            Fault::Unreadable { whom, what, data: hex::text(&data), why, profile }
        };
        let refuse = |refusal: number::Refusal| unreadable(refusal.to_string());
        let integer = !matches!(item.kind, Kind::Ascii | Kind::F32 | Kind::F64);
        if integer && held.iter().all(|register| *register == 0xFFFF) && item.count > 1 {
            return Ok(Reading::Absent("no value (all registers FFFF)".to_owned()));
        }
        Ok(Reading::Value(match item.kind {
            Kind::Ascii => Value::Text(number::text(item.places, held).map_err(refuse)?),
            Kind::ClockBytes => Value::Clock(number::clock(held).map_err(refuse)?),
            _ => {
                let number =
                    number::number(item.kind, item.places, held, item.exponent + shift).map_err(refuse)?;
                match (query, query.unit()) {
                    (_, Some(unit)) => Value::Number(number, unit),
                    (Query::Address | Query::MeterNumber, None) => Value::Text(number.to_string()),
                    (_, None) => {
                        let count = number.to_u32().filter(|_| number.scale() == 0);
                        Value::Count(count.ok_or_else(|| unreadable(format!("`{number}` is no count")))?)
                    }
                }
            }
        }))
    }

    /// All digits of a disputed item, and where each source puts its point.
    fn digits(item: &Item, held: &[u16]) -> Option<Disputed> {
        let digits = number::number(item.kind, item.places, held, 0).ok()?;
        let by_source = item
            .disputed
            .iter()
            .filter_map(|(exponent, source)| Some((u32::try_from(-exponent).ok()?, source.clone())));
        Some(Disputed { digits, by_source: by_source.collect() })
    }

    /// What a disputed item is by each source; no number is one of them before a person has looked at the display.
    fn dispute(item: &Item, held: &[u16]) -> String {
        let by_source = item.disputed.iter().map(|(exponent, source)| {
            let value = number::number(item.kind, item.places, held, *exponent);
            let value = value.map_or_else(|refusal| refusal.to_string(), |value| format!("{value} kWh"));
            format!("{value} with {} decimals ({source})", -exponent)
        });
        format!(
            "its unit is disputed: {}; say what the display shows (entry display_energy_kwh of a verification), or give the decimals",
            by_source.collect::<Vec<_>>().join(", ")
        )
    }
}

fn registers(reply: Reply) -> Result<Vec<u16>, String> {
    match reply {
        Reply::Registers(registers) => Ok(registers),
        Reply::Exception(code) => Err(format!("the meter answered: {}", exception_words(code))),
    }
}

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        let asked = now();
        let Some(item) = self.profile.item(query).cloned() else {
            return Err(Fault::NotInProfile { profile: self.profile.id().to_owned(), query });
        };
        let mut exchanges = Vec::new();
        let heard = self.ask_item(&item, &query.to_string(), &mut exchanges)?;
        let mut disputed = None;
        let reading = match heard.answer {
            Err(why) => Reading::Absent(why),
            Ok((held, _)) if !item.disputed.is_empty() => {
                disputed = Self::digits(&item, &held);
                Reading::Absent(Self::dispute(&item, &held))
            }
            Ok((held, shift)) => self.value(query, &item, &held, shift)?,
        };
        let mut remarks = vec![];
        if item.provenance == Provenance::Unconfirmed {
            remarks.push(format!("register {}: not confirmed: {}", item.register, item.source));
        }
        let times = (heard.not_before, heard.not_after);
        Ok(Answer { disputed, ..Answer::between(query, asked, times, exchanges, reading, remarks) })
    }

    fn address(&self) -> String {
        self.unit.to_string()
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

/// Finds the reply on a serial line: behind the own echo, whole or in part, and noise.
struct RtuReplies {
    read: Read,
    echo: Vec<u8>,
    seen: Vec<u8>,
    /// Where the first byte of `seen` stands in the stream.
    offset: u64,
    silent: bool,
}

impl RtuReplies {
    fn forget(&mut self, count: usize) {
        self.seen.drain(..count);
        self.offset += count as u64;
    }
}

impl Listener for RtuReplies {
    type Answer = Reply;

    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
    }

    fn poll(&mut self) -> Option<Told<Reply>> {
        loop {
            if self.seen.is_empty() {
                return None;
            }
            if self.seen.starts_with(&self.echo) {
                self.forget(self.echo.len());
                continue;
            }
            if !self.silent && self.echo.starts_with(&self.seen) {
                return None;
            }
            let Some(length) = self.read.rtu_length(&self.seen) else {
                self.forget(1);
                continue;
            };
            if self.seen.len() < length {
                if !self.silent {
                    return None;
                }
                self.forget(1);
                continue;
            }
            match Adu::parse_rtu(&self.seen[..length]).and_then(|adu| self.read.reply(&adu)) {
                Ok(answer) => return Some(Told::Answer { answer, at: self.offset }),
                Err(refusal) => {
                    self.forget(1);
                    return Some(Told::Trouble(refusal.to_string()));
                }
            }
        }
    }

    fn handle_silence(&mut self) {
        self.silent = true;
    }
}

/// Finds the reply in a TCP stream by its transaction; replies to earlier ones are passed over.
struct TcpReplies {
    read: Read,
    transaction: u16,
    seen: Vec<u8>,
    offset: u64,
}

impl Listener for TcpReplies {
    type Answer = Reply;

    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
    }

    fn poll(&mut self) -> Option<Told<Reply>> {
        let at = self.offset;
        match Adu::parse_tcp_front(&self.seen) {
            Ok(None) => None,
            Ok(Some((transaction, adu, length))) => {
                self.seen.drain(..length);
                self.offset += length as u64;
                if transaction != self.transaction {
                    let seen = format!("a reply to transaction {transaction} came");
                    return Some(Told::Trouble(seen));
                }
                Some(match self.read.reply(&adu) {
                    Ok(answer) => Told::Answer { answer, at },
                    Err(refusal) => Told::Trouble(refusal.to_string()),
                })
            }
            Err(refusal @ Refusal::Header { .. }) => {
                // A stream that lost its frames cannot be found again.
                self.offset += self.seen.len() as u64;
                self.seen.clear();
                Some(Told::Trouble(refusal.to_string()))
            }
            Err(refusal) => Some(Told::Trouble(refusal.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
