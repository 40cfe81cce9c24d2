//! Asking a meter over DL/T 645-2007. Only the reading control codes stand here; the one that switches an output stands in
//! [`super::output`].

use super::codec::Item;
use super::exchange::{Heard, Line, Patience};
use super::frame::{Address, Control, Di, Frame, refusal_words};
use super::profile::{Edition, Profile, Slot};
use super::scanner::{Event, Scanner};
use crate::link::{Link, hex};
use crate::meter::output::Outputs;
use crate::meter::{Answer, Exchange, Fault, Meter, Provenance, Query, Reading, Value};
use crate::time::{Instant, now};
use jiff::civil::DateTime;

/// Frames that may follow a first one.
const FOLLOW_LIMIT: u8 = 32;
/// Bytes heard at most behind the answer to the question who is there.
const REST_LIMIT: usize = 1024;
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
        self.be_alone(&heard.answer, exchanges)?;
        Ok((given, heard))
    }

    /// Whoever is asked who is there may not be the only one: hears the line out for another meter's address.
    fn be_alone(&mut self, first: &Frame, exchanges: &mut [Exchange]) -> Result<(), Fault> {
        let rest = self.line.line.hear_out(REST_LIMIT);
        let mut scanner = Scanner::default();
        if let Some(last) = exchanges.last_mut() {
            last.reply.extend(rest);
            // All of it: an adapter may hand over both replies at once.
            scanner.handle_bytes(&last.reply);
        }
        let mut who = vec![first.address.to_string()];
        while let Some(event) = scanner.poll() {
            if let Event::Frame { frame, .. } = event
                && frame.control == first.control
                && !who.contains(&frame.address.to_string())
            {
                who.push(frame.address.to_string());
            }
        }
        if who.len() == 1 {
            return Ok(());
        }
        let line = self.line.line.link.peer().to_owned();
        Err(Fault::SeveralMeters { line, count: who.len(), who: who.join(", ") })
    }

    /// Asks the meter for its address where nobody has given it.
    fn find_address(&mut self, exchanges: &mut Vec<Exchange>) -> Result<(), Fault> {
        // The edition of 1997 has no question for the address: the wildcard itself is asked.
        if self.address == Address::WILDCARD && self.profile.edition() == Edition::Of2007 {
            let (given, _) = self.ask_address(exchanges)?;
            self.address = given.map_err(|why| self.unreadable(&Query::Address.to_string(), &[], why))?;
        }
        Ok(())
    }

    /// The line, and the address to speak to.
    pub(super) fn spoken(&mut self, exchanges: &mut Vec<Exchange>) -> Result<(Address, &mut Line), Fault> {
        self.find_address(exchanges)?;
        Ok((self.address, &mut self.line))
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
        self.find_address(exchanges)?;
        match (item, parts) {
            (Some(item), _) => self.read_item(&item, &query.to_string(), exchanges),
            (None, Some((date, time))) => self.read_clock(&date, &time, exchanges),
            (None, None) => unreachable!("refused above"),
        }
    }

    /// What must be known of the answer to `query`.
    fn remarks(&self, query: Query) -> Vec<String> {
        let Some(item) = self.profile.item(query) else { return vec![] };
        let (di, source) = (item.di(), item.source());
        match (item.provenance(), query) {
            // Of a series it is told once.
            (
                _,
                Query::SettlementDay(2..)
                | Query::SettledEnergy(2..)
                | Query::DayKeptAt(2..)
                | Query::DayEnergy(2..),
            ) => vec![],
            (Provenance::Unconfirmed, _) => vec![format!("{di}: not confirmed: {source}")],
            (_, Query::SettledEnergy(_)) => vec![format!("{di}: {source}")],
            _ => vec![],
        }
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

    fn outputs(&mut self) -> Option<&mut dyn Outputs> {
        (self.profile.edition() == Edition::Of2007).then_some(self)
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
mod tests;
