//! One request of DL/T 645 and its answer on a [`Line`](crate::meter::exchange::Line).

use super::frame::{Address, Frame, WAKE};
use super::scanner::{Event, Scanner};
use crate::link::Link;
use crate::meter::exchange::{self, Listener, Request, Told};
use crate::meter::{Exchange, Fault};
use std::collections::VecDeque;

pub use crate::meter::exchange::Patience;

/// Wake bytes before a request.
const WAKE_BYTES: usize = 4;

/// A line of DL/T 645 meters.
pub(super) struct Line {
    pub(super) line: exchange::Line,
}

/// An answering frame, and the time between which the meter took what is in it.
pub(super) type Heard = exchange::Heard<Frame>;

impl Line {
    pub(super) fn new(link: Box<dyn Link>) -> Self {
        Self { line: exchange::Line::new(link) }
    }

    /// Sends `request` until a frame that `accepts` takes comes from the address asked. Every attempt is noted.
    pub(super) fn ask(
        &mut self,
        request: &Frame,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        accepts: &dyn Fn(&Frame) -> bool,
    ) -> Result<Heard, Fault> {
        let bytes = [&[WAKE; WAKE_BYTES][..], &request.emit()].concat();
        let whom = self.whom(request.address);
        let accepts = |frame: &Frame| {
            frame.control.is_reply() && request.address.means(frame.address) && accepts(frame)
        };
        let listener = || Replies { scanner: Scanner::default(), late: VecDeque::new(), accepts: &accepts };
        self.line.ask(&Request { bytes, whom, what }, exchanges, listener)
    }

    /// The meter at `address`, for messages.
    pub(super) fn whom(&self, address: Address) -> String {
        format!("{address} at {}", self.line.link.peer())
    }
}

/// Waits for the frame that answers.
struct Replies<'a> {
    scanner: Scanner,
    /// What silence brought to light.
    late: VecDeque<Event>,
    accepts: &'a dyn Fn(&Frame) -> bool,
}

impl Listener for Replies<'_> {
    type Answer = Frame;

    fn handle_bytes(&mut self, bytes: &[u8]) {
        self.scanner.handle_bytes(bytes);
    }

    fn poll(&mut self) -> Option<Told<Frame>> {
        loop {
            match self.late.pop_front().or_else(|| self.scanner.poll())? {
                Event::Frame { frame, at } if (self.accepts)(&frame) => {
                    return Some(Told::Answer { answer: frame, at });
                }
                Event::Frame { frame, .. } if frame.control.is_reply() => {
                    let (address, control) = (frame.address, frame.control.byte());
                    let seen = format!("a reply {control:02X} of {address} to another question came");
                    return Some(Told::Trouble(seen));
                }
                Event::Frame { .. } => {}
                Event::Damaged { refusal, .. } => return Some(Told::Trouble(refusal.to_string())),
            }
        }
    }

    fn handle_silence(&mut self) {
        self.late.extend(std::iter::from_fn(|| self.scanner.poll()));
        self.late.extend(self.scanner.handle_silence());
    }
}
