//! Listening to a meter that pushes SML; one that does not is asked once by the sign-on of IEC 62056-21.

use super::list::{Content, List, Scanner};
use super::quirk;
use crate::link::Link;
use crate::meter::exchange::{Heard, Line, Listener, Request, Told};
use crate::meter::obis::{self, Code};
use crate::meter::{Answer, Exchange, Fault, Meter, Query, Reading, Value};
use crate::time::{Instant, Span, now};
use std::collections::{BTreeSet, VecDeque};

/// Meters push every 1 to 4 s.
const PUSH: Span = Span::from_secs(6);
/// From byte to byte within a frame, and between a frame cut by our coming and the next one.
const BETWEEN_BYTES: Span = Span::from_secs(5);
/// The part of a frame that was not told yet is told within this time, with its age; then the next frame is waited for.
const FRESH: Span = Span::from_secs(2);
/// What makes a meter that waits to be asked send a frame.
const PULL: &[u8] = b"/?!\r\n";

/// A meter under an optical head.
pub struct Client {
    line: Line,
    number: Option<String>,
    last: Option<LastFrame>,
}

/// A frame and what of it was told.
struct LastFrame {
    list: List,
    came: Instant,
    not_after: Instant,
    exchanges: Vec<Exchange>,
    told: BTreeSet<Query>,
}

impl Client {
    /// The meter on `link`.
    pub fn new(link: Box<dyn Link>) -> Self {
        let mut line = Line::new(link);
        line.patience.first_byte = PUSH;
        line.patience.between_bytes = BETWEEN_BYTES;
        line.limit = 4 * 4096;
        line.whole = Span::from_secs(20);
        Self { line, number: None, last: None }
    }

    fn whom(&self) -> String {
        format!("SML at {}", self.line.link.peer())
    }

    fn next_frame(&mut self) -> Result<LastFrame, Fault> {
        // What has waited may be of any age.
        self.line.link.discard_input()?;
        let mut exchanges = vec![];
        let whom = self.whom();
        let heard = match self.line.listen(&whom, "a pushed frame", &mut exchanges, Frames::default) {
            Err(Fault::Silent { .. }) => {
                let request = Request { bytes: PULL.to_vec(), whom, what: "a frame (pull)" };
                self.line.ask(&request, &mut exchanges, Frames::default)?
            }
            other => other?,
        };
        let Heard { answer, not_before, not_after } = heard;
        self.number = Some(answer.server_text());
        Ok(LastFrame { list: answer, came: not_before, not_after, exchanges, told: BTreeSet::new() })
    }

    fn reading(query: Query, list: &List, remarks: &mut Vec<String>) -> Reading {
        if matches!(query, Query::Address | Query::MeterNumber) {
            let named = list.find(Code::new(96, 1, 0)).map(|entry| &entry.content);
            return Reading::Value(Value::Text(match named {
                // Letters and digits as they are, a number by DIN 43863-5 as hex.
                Some(Content::Bytes(bytes))
                    if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic) =>
                {
                    bytes.iter().map(|byte| char::from(*byte)).collect()
                }
                Some(Content::Bytes(bytes)) => crate::link::hex::text(bytes).replace(' ', ""),
                _ => list.server_text(),
            }));
        }
        let Some(entry) = obis::codes(query).into_iter().find_map(|code| list.find(code)) else {
            return Reading::Absent(format!("the meter pushes no {query}"));
        };
        let mut meant = entry.clone();
        for quirk in quirk::builtin().iter().filter(|quirk| quirk.is_of(list)) {
            if quirk.means(&meant) {
                meant = quirk.applied(&meant);
                remarks.push(quirk.words());
            }
        }
        // A power of ten of 3 in Wh is a resolution of whole kilowatt-hours, not of watt-hours.
        let number = meant.number().and_then(|number| {
            let (number, unit) = obis::in_unit_of_answers(query, number, meant.unit_text())?;
            let digits = if matches!(meant.unit, Some(30 | 27)) { 3 - i32::from(meant.scaler) } else { 0 };
            let coarse = number.scale() > u32::try_from(digits.max(0)).unwrap_or(0) && meant.scaler > 0;
            Some((if coarse { number.round_dp(digits.max(0).unsigned_abs()) } else { number }, unit))
        });
        match number {
            Some((number, unit)) => Reading::Value(Value::Number(number, unit)),
            None => Reading::Absent(format!("what the meter pushes for {query} is no such value")),
        }
    }
}

impl Meter for Client {
    fn read(&mut self, query: Query) -> Result<Answer, Fault> {
        let asked = now();
        let usable =
            self.last.take().filter(|last| !last.told.contains(&query) && asked - last.came <= FRESH);
        let mut last = match usable {
            Some(last) => last,
            None => self.next_frame()?,
        };
        last.told.insert(query);
        let mut remarks = last.list.quirks.clone();
        let reading = Self::reading(query, &last.list, &mut remarks);
        let between = (last.came, last.not_after);
        let answer = Answer::between(query, asked, between, last.exchanges.clone(), reading, remarks);
        self.last = Some(last);
        Ok(answer)
    }

    fn address(&self) -> String {
        self.number.clone().unwrap_or_else(|| "auto".to_owned())
    }

    fn forget(&mut self) {
        self.last = None;
    }

    fn model(&self) -> String {
        "SML, as the meter pushes it".to_owned()
    }
}

/// Waits for a whole frame.
#[derive(Default)]
struct Frames {
    scanner: Scanner,
    found: VecDeque<Told<List>>,
}

impl Listener for Frames {
    type Answer = List;
    fn handle_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.scanner.push(*byte) {
                None => {}
                Some((at, Ok(answer))) => self.found.push_back(Told::Answer { answer, at }),
                Some((_, Err(why))) => self.found.push_back(Told::Trouble(why)),
            }
        }
    }
    fn poll(&mut self) -> Option<Told<List>> {
        self.found.pop_front()
    }
}
