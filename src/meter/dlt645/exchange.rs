//! One request and its answer: repeated, timed, told apart from echoes, noise and other meters' frames.

use super::frame::{Address, Frame, WAKE};
use super::scanner::{Event, Scanner};
use crate::link::Link;
use crate::meter::{Exchange, Fault};
use crate::time::{Instant, Span, now};

/// Wake bytes before a request.
const WAKE_BYTES: usize = 4;
/// Bytes after which an attempt is given up although the line does not fall silent.
const NOISE_LIMIT: usize = 4096;
/// Time after which an attempt is given up although the line does not fall silent, beside the patience for its first byte.
const NOISE_PATIENCE: Span = Span::from_secs(5);
/// How long and how often a meter is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the request on the wire to the first byte; meters take 20 to 500 ms.
    pub first_byte: Span,
    /// From byte to byte.
    pub between_bytes: Span,
    /// Requests before a query is given up; at least one is made.
    pub attempts: u32,
}

impl Default for Patience {
    /// 1 s, 500 ms, 3 attempts.
    fn default() -> Self {
        Self { first_byte: Span::from_secs(1), between_bytes: Span::from_millis(500), attempts: 3 }
    }
}

/// A link on which requests are made one at a time.
pub(super) struct Line {
    pub(super) link: Box<dyn Link>,
    pub(super) patience: Patience,
    /// A request went unanswered: its answer may still be on the way.
    unsettled: bool,
}

/// An answering frame, and the time between which the meter took what is in it.
pub(super) struct Heard {
    pub(super) frame: Frame,
    pub(super) not_before: Instant,
    pub(super) not_after: Instant,
}

impl Line {
    pub(super) fn new(link: Box<dyn Link>) -> Self {
        Self { link, patience: Patience::default(), unsettled: false }
    }

    /// Sends `request` until a frame that `accepts` takes comes from the address asked. Every attempt is noted.
    pub(super) fn ask(
        &mut self,
        request: &Frame,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        accepts: &dyn Fn(&Frame) -> bool,
    ) -> Result<Heard, Fault> {
        self.settle()?;
        let accepts = |frame: &Frame| {
            frame.control.is_reply() && request.address.means(frame.address) && accepts(frame)
        };
        let bytes = [&[WAKE; WAKE_BYTES][..], &request.emit()].concat();
        let attempts = self.patience.attempts.max(1);
        let mut first_sent: Option<(Instant, Instant)> = None;
        let mut trouble = None;
        for _ in 0..attempts {
            self.link.discard_input()?;
            let sent = now();
            self.link.send(&bytes)?;
            let on_wire = sent + self.link.airtime(bytes.len());
            let (sent, not_before) = *first_sent.get_or_insert((sent, on_wire));
            let mut reply = Vec::new();
            let collected = self.collect(on_wire, &accepts, &mut reply);
            let only_echo = reply.is_empty() || reply == bytes;
            exchanges.push(Exchange { request: bytes.clone(), reply });
            match collected? {
                Ok((frame, begun)) => {
                    // An answer before the request can have been on the wire: the line is faster than it says.
                    let not_before = if begun < not_before { sent } else { not_before };
                    return Ok(Heard { frame, not_before, not_after: begun.max(not_before) });
                }
                Err(seen) => {
                    self.unsettled = true;
                    if !only_echo {
                        trouble = Some(seen);
                    }
                }
            }
        }
        let whom = self.whom(request.address);
        let what = what.to_owned();
        Err(match trouble {
            None => Fault::Silent { whom, what, attempts },
            Some(seen) => Fault::Garbled { whom, what, attempts, seen },
        })
    }

    /// Collects what comes until a frame that `accepts` takes, and the time at which its first byte began at the latest;
    /// else, after silence, what was wrong with what came.
    fn collect(
        &mut self,
        on_wire: Instant,
        accepts: &dyn Fn(&Frame) -> bool,
        reply: &mut Vec<u8>,
    ) -> Result<Result<(Frame, Instant), String>, Fault> {
        let mut scanner = Scanner::default();
        // Where each piece ended in the stream, and when it came.
        let mut pieces: Vec<(u64, Instant)> = Vec::new();
        let mut trouble = None;
        let mut deadline = on_wire + self.patience.first_byte;
        let give_up = deadline + NOISE_PATIENCE;
        let mut buffer = [0; 256];
        loop {
            let left = deadline - now();
            let count = self.link.receive(&mut buffer, left.max(Span::ZERO))?;
            let came = now();
            let over = count == 0 || came > give_up || reply.len() > NOISE_LIMIT;
            reply.extend(&buffer[..count]);
            pieces.push((reply.len() as u64, came));
            scanner.handle_bytes(&buffer[..count]);
            let mut events: Vec<Event> = std::iter::from_fn(|| scanner.poll()).collect();
            if over {
                events.extend(scanner.handle_silence());
            }
            for event in events {
                match event {
                    Event::Frame { frame, at } if accepts(&frame) => {
                        let (end, came) =
                            pieces.iter().copied().find(|(end, _)| *end > at).unwrap_or((at, came));
                        let begun = came - self.link.airtime((end - at) as usize);
                        return Ok(Ok((frame, begun)));
                    }
                    Event::Frame { frame, .. } if frame.control.is_reply() => {
                        let (address, control) = (frame.address, frame.control.byte());
                        trouble =
                            Some(format!("a reply {control:02X} of {address} to another question came"));
                    }
                    Event::Frame { .. } => {}
                    Event::Damaged { refusal, .. } => trouble = Some(refusal.to_string()),
                }
            }
            if over {
                return Ok(
                    Err(trouble.unwrap_or_else(|| format!("{} bytes came and no frame", reply.len()))),
                );
            }
            deadline = deadline.max(came + self.patience.between_bytes);
        }
    }

    /// After an unanswered request, waits until the line is silent: a late answer must not be taken for the next one's.
    fn settle(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.unsettled) {
            let give_up = now() + NOISE_PATIENCE;
            let mut waste = [0; 256];
            while self.link.receive(&mut waste, self.patience.between_bytes)? > 0 && now() < give_up {}
        }
        Ok(())
    }

    /// The meter at `address`, for messages.
    pub(super) fn whom(&self, address: Address) -> String {
        format!("{address} at {}", self.link.peer())
    }
}
