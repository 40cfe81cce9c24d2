//! Asks the meter, starts and stops a transaction, and waits for the record that it signs.

use super::{Fault, Live, Status, Stopped, Transaction};
use crate::link::http::{self, Exchanged, Request, Response, Server};
use crate::link::{self, Link};
use crate::meter::transaction::Transactions;
use crate::meter::{self, Answer, Exchange, Meter, Query, Reading, Unit, Value};
use crate::time::{self, Instant, Span, now};

/// How long an answer may take; a meter that signs is slow.
const PATIENCE: Span = Span::from_secs(15);
/// A record that is being signed is asked for this often.
const ASK_EVERY: Span = Span::from_secs(2);
/// Answers of the meter are quoted up to so many characters.
const QUOTED: usize = 120;

/// What is done to each connection that is opened.
pub type Wrap = Box<dyn Fn(Box<dyn Link>) -> Box<dyn Link> + Send>;

/// What is being waited for, for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The transaction has to last so much longer.
    Running(Span),
    /// The meter signs; so much patience is left.
    Signing(Span),
}

/// How a question gets to the meter.
enum Way {
    /// Each by a connection of its own: small devices are not sure to keep one open.
    Each(Box<dyn Fn() -> Result<Box<dyn Link>, link::Fault> + Send>),
    /// All by the same line.
    Kept(Box<dyn Link>),
}

/// A meter in the network.
pub struct Client {
    way: Way,
    /// Its name in messages and in the head of a question.
    place: String,
    host: String,
    /// Entry of the meter's cable table.
    pub(super) cable: u8,
    /// `v1` or `v2`, once its firmware is known.
    version: Option<&'static str>,
    /// All that went to and fro since it was last taken.
    exchanges: Vec<Exchange>,
}

impl Client {
    /// A meter at this place; nothing is asked yet.
    pub fn new(server: Server) -> Self {
        Self::noted(server, Box::new(|line| line))
    }

    /// The same where each connection is wrapped, such as by a log.
    pub fn noted(server: Server, wrap: Wrap) -> Self {
        let (place, host) = (server.to_string(), server.host());
        let way = Way::Each(Box::new(move || Ok(wrap(server.open()?))));
        Self { way, place, host, cable: 0, version: None, exchanges: vec![] }
    }

    /// A meter behind one line that stays open.
    pub fn over(line: Box<dyn Link>) -> Self {
        let place = line.peer().to_owned();
        let host = "meter".to_owned();
        Self { way: Way::Kept(line), place, host, cable: 0, version: None, exchanges: vec![] }
    }

    /// Transactions of a verification take this entry of the meter's cable table.
    #[must_use]
    pub fn with_cable(self, cable: u8) -> Self {
        Self { cable, ..self }
    }

    /// Every byte that went to and fro since this was last asked.
    pub fn take_exchanges(&mut self) -> Vec<Exchange> {
        std::mem::take(&mut self.exchanges)
    }

    fn ask(&mut self, method: &'static str, target: &str, body: Option<String>) -> Result<Response, Fault> {
        let request = Request { method, target, body };
        let asked = match &mut self.way {
            Way::Each(open) => http::exchange(&mut *open()?, &self.host, &request, PATIENCE),
            Way::Kept(line) => http::exchange(&mut **line, &self.host, &request, PATIENCE),
        };
        let Exchanged { request, reply, response } = asked?;
        self.exchanges.push(Exchange { request, reply });
        Ok(response)
    }

    fn quoted(body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED).collect()
    }

    /// Asks; another status than the wanted one is a refusal.
    fn told(
        &mut self,
        method: &'static str,
        target: &str,
        body: Option<String>,
        wanted: u16,
        advice: &'static str,
    ) -> Result<String, Fault> {
        let response = self.ask(method, target, body)?;
        if response.status == wanted {
            return Ok(String::from_utf8_lossy(&response.body).into_owned());
        }
        Err(Fault::Refused {
            whom: self.place.clone(),
            asked: format!("{method} {target}"),
            status: response.status,
            said: Self::quoted(&response.body),
            advice,
        })
    }

    fn unreadable(&self, asked: &str, body: &str, why: String) -> Fault {
        Fault::Unreadable {
            whom: self.place.clone(),
            asked: asked.to_owned(),
            said: Self::quoted(body.as_bytes()),
            why,
        }
    }

    /// Who it is and how it is.
    pub fn status(&mut self) -> Result<Status, Fault> {
        let body = self.told("GET", "/v1/status", None, 200, "is it a LEM DCBM, and its web server on?")?;
        let status = super::status(&body).map_err(|why| self.unreadable("GET /v1/status", &body, why))?;
        self.version = Some(if status.major() > 1 { "v2" } else { "v1" });
        Ok(status)
    }

    fn version(&mut self) -> Result<&'static str, Fault> {
        if self.version.is_none() {
            self.status()?;
        }
        Ok(self.version.unwrap_or("v1"))
    }

    /// What it measures now.
    pub fn live(&mut self) -> Result<Live, Fault> {
        let target = format!("/{}/livemeasure", self.version()?);
        let body = self.told("GET", &target, None, 200, "does its sensor unit work?")?;
        super::live(&body).map_err(|why| self.unreadable(&target, &body, why))
    }

    /// Starts a transaction, if the meter says of itself that it can.
    pub fn start(&mut self, transaction: &Transaction) -> Result<Instant, Fault> {
        let status = self.status()?;
        self.start_as(&status, transaction)?;
        Ok(now())
    }

    /// The same of a meter that has just said how it is.
    pub(super) fn start_as(&mut self, status: &Status, transaction: &Transaction) -> Result<(), Fault> {
        transaction.check()?;
        if let Some(why) = status.hindrance() {
            return Err(Fault::NotReady { whom: self.place.clone(), why: why.to_owned() });
        }
        let target = format!("/{}/legal", self.version()?);
        let advice = "look at its status: sensor link, errors, clock, a running transaction";
        self.told("POST", &target, Some(transaction.body()), 201, advice)?;
        Ok(())
    }

    /// Waits until a transaction has lasted so long, and shows that; earlier where somebody wants to end it, and then
    /// says false.
    pub fn last(
        &self,
        started: Instant,
        length: Span,
        ended: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Waiting),
    ) -> bool {
        let end = started + length;
        while now() < end {
            if ended() {
                return false;
            }
            show(Waiting::Running(end - now()));
            time::sleep(Span::from_millis(200).min(end - now()));
        }
        true
    }

    /// Stops it.
    pub fn stop(&mut self, id: &str) -> Result<Stopped, Fault> {
        let target = format!("/{}/legal?transactionId={id}", self.version()?);
        let body = Some(r#"{"running":false}"#.to_owned());
        let advice = "a transaction lasts two minutes at least; it goes on until it is stopped";
        let body = self.told("PUT", &target, body, 200, advice)?;
        super::stopped(&body).map_err(|why| self.unreadable(&target, &body, why))
    }

    /// Asks for the signed record once: its bytes as they came, or the answer in its place.
    pub(super) fn record_once(&mut self, id: &str) -> Result<Result<Vec<u8>, String>, Fault> {
        let target = format!("/{}/ocmf?transactionId={id}", self.version()?);
        let Response { status, body } = self.ask("GET", &target, None)?;
        if status == 200 && body.trim_ascii_start().starts_with(b"OCMF|") {
            return Ok(Ok(body));
        }
        Ok(Err(format!("status {status}, `{}`", Self::quoted(&body))))
    }

    /// Waits for the signed record: asks again and again, `patience` in all or until somebody wants to end it, and shows
    /// what is left of it.
    pub fn record(
        &mut self,
        id: &str,
        patience: Span,
        ended: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Waiting),
    ) -> Result<Vec<u8>, Fault> {
        let deadline = now() + patience;
        loop {
            let said = match self.record_once(id)? {
                Ok(record) => return Ok(record),
                Err(said) => said,
            };
            let next = now() + ASK_EVERY;
            if next > deadline || ended() {
                let (whom, transaction) = (self.place.clone(), id.to_owned());
                return Err(Fault::NoRecord { whom, transaction, patience, said });
            }
            while now() < next && !ended() {
                show(Waiting::Signing(deadline - now()));
                time::sleep(Span::from_millis(200).min(next - now()));
            }
        }
    }

    fn value(&mut self, query: Query) -> Result<Reading, Fault> {
        let number = |value, unit| Reading::Value(Value::Number(value, unit));
        let missing = |what: &str| Reading::Absent(format!("the meter tells no {what}"));
        Ok(match query {
            Query::Voltage => number(self.live()?.voltage_v, Unit::Volt),
            Query::Current => number(self.live()?.current_a, Unit::Ampere),
            Query::Power => number(self.live()?.power_kw, Unit::Kilowatt),
            Query::Energy => number(self.live()?.import_kwh, Unit::KilowattHour),
            Query::ReverseEnergy => number(self.live()?.export_kwh, Unit::KilowattHour),
            Query::MeterNumber | Query::Address => match self.status()?.meter_id {
                Some(id) => Reading::Value(Value::Text(id)),
                None => missing("number"),
            },
            Query::Clock => match self.status()?.time.as_deref().and_then(clock) {
                Some(clock) => Reading::Value(Value::Clock(clock)),
                None => missing("readable time"),
            },
            _ => missing(&query.to_string()),
        })
    }
}

/// `2020-12-10T16:39:15+01:00`, in the meter's own zone.
fn clock(text: &str) -> Option<jiff::civil::DateTime> {
    text.get(..19)?.parse().ok()
}

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, meter::Fault> {
        // The firmware decides the paths, and is asked before the clock of this answer runs.
        let unread = |fault: Fault, whom: String| match fault {
            Fault::Line(fault) => meter::Fault::Line(fault),
            fault => {
                meter::Fault::Garbled { whom, what: query.to_string(), attempts: 1, seen: fault.to_string() }
            }
        };
        self.version().map_err(|fault| unread(fault, self.place.clone()))?;
        self.exchanges.clear();
        let asked = now();
        let reading = self.value(query).map_err(|fault| unread(fault, self.place.clone()))?;
        let half = Span::from_nanos((now() - asked).nanos() / 2);
        let exchanges = self.take_exchanges();
        Ok(Answer {
            query,
            asked,
            taken: asked + half,
            taken_half_width: half,
            exchanges,
            reading,
            remarks: vec![],
            disputed: None,
        })
    }

    fn address(&self) -> String {
        self.place.clone()
    }

    fn model(&self) -> String {
        "LEM DCBM 400/600 by HTTP".into()
    }

    fn transactions(&mut self) -> Option<&mut dyn Transactions> {
        Some(self)
    }
}
