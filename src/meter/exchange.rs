//! One request and its answer, whatever the protocol: repeated, timed, told apart from echoes, noise and other meters.

use super::{Exchange, Fault};
use crate::link::{self, Link};
use crate::time::{self, Instant, Span, now};

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

/// What a protocol makes of the bytes that come: without I/O, made anew for each attempt.
pub trait Listener {
    /// A whole, sound answer to the question.
    type Answer;

    /// Takes what has arrived; then ask [`Listener::poll`] until it has nothing.
    fn handle_bytes(&mut self, bytes: &[u8]);

    /// The next thing found; `None` when more bytes are needed.
    fn poll(&mut self) -> Option<Told<Self::Answer>>;

    /// The line has fallen silent: what is incomplete stays so, and what stands behind a false start is found.
    fn handle_silence(&mut self) {}
}

/// Something found in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<A> {
    /// The answer.
    Answer {
        /// It.
        answer: A,
        /// Where its first byte stands in the stream, counted from 0.
        at: u64,
    },
    /// Bytes that are no answer to this question, in words.
    Trouble(String),
    /// The meter wants to hear this before it goes on: that a part of its answer has come, say.
    Say(Vec<u8>),
}

/// A request as it goes over the wire.
pub struct Request<'a> {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The meter and its line, for messages.
    pub whom: String,
    /// What is asked, for messages.
    pub what: &'a str,
}

/// A link on which requests are made one at a time.
pub struct Line {
    /// The link.
    pub link: Box<dyn Link>,
    /// How long and how often.
    pub patience: Patience,
    /// Silence that must stand before a request, in characters of the line; protocols that know no such thing have none.
    pub gap_characters: f64,
    /// Bytes after which an attempt is given up although the line does not fall silent.
    pub limit: usize,
    /// Time after which it is given up all the same, beside the patience for its first byte.
    pub whole: Span,
    /// A request went unanswered: its answer may still be on the way.
    unsettled: bool,
    /// When the line was last heard or spoken on.
    busy_until: Option<Instant>,
}

/// An answer, and the time between which the meter took what is in it.
pub struct Heard<A> {
    /// It.
    pub answer: A,
    /// Not before the request was on the wire.
    pub not_before: Instant,
    /// Not after its first byte.
    pub not_after: Instant,
}

impl<A> Heard<A> {
    /// The same times with another content.
    pub fn map<B>(self, change: impl FnOnce(A) -> B) -> Heard<B> {
        Heard { answer: change(self.answer), not_before: self.not_before, not_after: self.not_after }
    }
}

/// What is to be done between sending and listening.
pub type After<'a> = &'a mut dyn FnMut(&mut Box<dyn Link>, Instant) -> Result<(), link::Fault>;

/// Whether another try may help: the adapter may have been pulled and put back.
const fn is_loss(fault: &link::Fault) -> bool {
    matches!(fault, link::Fault::HungUp { .. } | link::Fault::Line { .. } | link::Fault::NotOpened { .. })
}

impl Line {
    /// Over `link`.
    pub fn new(link: Box<dyn Link>) -> Self {
        Self {
            link,
            patience: Patience::default(),
            gap_characters: 0.0,
            limit: NOISE_LIMIT,
            whole: NOISE_PATIENCE,
            unsettled: false,
            busy_until: None,
        }
    }

    /// Sends the request until a listener finds its answer. Every attempt is noted, also one cut by the line itself.
    pub fn ask<L: Listener>(
        &mut self,
        request: &Request<'_>,
        exchanges: &mut Vec<Exchange>,
        listener: impl Fn() -> L,
    ) -> Result<Heard<L::Answer>, Fault> {
        self.ask_then(request, exchanges, listener, &mut |_, _| Ok(()))
    }

    /// As [`Line::ask`]; once the request was given to the line, `after` is called with the link and the moment at which
    /// the request will have left it.
    pub fn ask_then<L: Listener>(
        &mut self,
        request: &Request<'_>,
        exchanges: &mut Vec<Exchange>,
        listener: impl Fn() -> L,
        after: After<'_>,
    ) -> Result<Heard<L::Answer>, Fault> {
        self.settle();
        let attempts = self.patience.attempts.max(1);
        let mut first_sent: Option<(Instant, Instant)> = None;
        let mut trouble = None;
        let mut lost = None;
        for _ in 0..attempts {
            let mut heard = Exchange { request: request.bytes.clone(), reply: vec![] };
            let collected = self.attempt(request, &mut first_sent, listener(), &mut heard, after);
            self.busy_until = Some(now());
            let only_echo = heard.reply.is_empty() || heard.reply == request.bytes;
            exchanges.push(heard);
            match collected {
                Ok(Ok((answer, begun))) => {
                    let (sent, on_wire) = first_sent.unwrap_or((begun, begun));
                    // An answer before the request can have been on the wire: the line is faster than it says.
                    let not_before = if begun < on_wire { sent } else { on_wire };
                    return Ok(Heard { answer, not_before, not_after: begun.max(not_before) });
                }
                Ok(Err(seen)) => {
                    lost = None;
                    self.unsettled = true;
                    if !only_echo {
                        trouble = Some(seen);
                    }
                }
                Err(fault) if is_loss(&fault) => {
                    self.unsettled = true;
                    // The first says how it was lost, the later ones only that it is still away.
                    lost = lost.or(Some(fault));
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        let (whom, what) = (request.whom.clone(), request.what.to_owned());
        Err(match (lost, trouble) {
            (Some(fault), _) => fault.into(),
            (None, None) => Fault::Silent { whom, what, attempts },
            (None, Some(seen)) => Fault::Garbled { whom, what, attempts, seen },
        })
    }

    /// Hears what a meter sends unasked, for one patience. What must not be old is thrown away
    /// by the caller first.
    pub fn listen<L: Listener>(
        &mut self,
        whom: &str,
        what: &str,
        exchanges: &mut Vec<Exchange>,
        listener: impl Fn() -> L,
    ) -> Result<Heard<L::Answer>, Fault> {
        let begun = now();
        let mut heard = Exchange { request: vec![], reply: vec![] };
        let collected = self.collect(begun, listener(), &mut heard);
        let nothing = heard.reply.is_empty();
        exchanges.push(heard);
        match collected? {
            Ok((answer, came)) => {
                let came = came.max(begun);
                Ok(Heard { answer, not_before: came, not_after: came })
            }
            Err(_) if nothing => {
                Err(Fault::Silent { whom: whom.to_owned(), what: what.to_owned(), attempts: 1 })
            }
            Err(seen) => {
                Err(Fault::Garbled { whom: whom.to_owned(), what: what.to_owned(), attempts: 1, seen })
            }
        }
    }

    fn attempt<L: Listener>(
        &mut self,
        request: &Request<'_>,
        first_sent: &mut Option<(Instant, Instant)>,
        listener: L,
        heard: &mut Exchange,
        after: After<'_>,
    ) -> Result<Result<(L::Answer, Instant), String>, link::Fault> {
        self.keep_gap();
        self.link.discard_input()?;
        let sent = now();
        self.link.send(&request.bytes)?;
        let on_wire = sent + self.link.airtime(request.bytes.len());
        first_sent.get_or_insert((sent, on_wire));
        after(&mut self.link, on_wire)?;
        self.collect(on_wire, listener, heard)
    }

    /// Collects what comes until the listener has its answer, and the time at which its first byte began at the latest;
    /// else, after silence, what was wrong with what came. What is said meanwhile stands behind the request.
    fn collect<L: Listener>(
        &mut self,
        on_wire: Instant,
        mut listener: L,
        heard: &mut Exchange,
    ) -> Result<Result<(L::Answer, Instant), String>, link::Fault> {
        // Where each piece ended in the stream, and when it came.
        let mut pieces: Vec<(u64, Instant)> = Vec::new();
        let mut trouble = None;
        let mut deadline = on_wire + self.patience.first_byte;
        let give_up = deadline + self.whole;
        let mut buffer = [0; 256];
        loop {
            let left = deadline - now();
            let count = self.link.receive(&mut buffer, left.max(Span::ZERO))?;
            let came = now();
            let over = count == 0 || came > give_up || heard.reply.len() > self.limit;
            heard.reply.extend(&buffer[..count]);
            pieces.push((heard.reply.len() as u64, came));
            listener.handle_bytes(&buffer[..count]);
            if over {
                listener.handle_silence();
            }
            while let Some(told) = listener.poll() {
                match told {
                    Told::Answer { answer, at } => {
                        let (end, came) =
                            pieces.iter().copied().find(|(end, _)| *end > at).unwrap_or((at, came));
                        let begun = came - self.link.airtime((end - at) as usize);
                        return Ok(Ok((answer, begun)));
                    }
                    Told::Trouble(seen) => trouble = Some(seen),
                    // What is said behind the end of patience is said to nobody.
                    Told::Say(_) if over => {}
                    Told::Say(bytes) => {
                        self.link.send(&bytes)?;
                        let gone = now() + self.link.airtime(bytes.len());
                        heard.request.extend(bytes);
                        deadline = deadline.max(gone + self.patience.first_byte).min(give_up);
                    }
                }
            }
            if over {
                let none = || format!("{} bytes came and no frame", heard.reply.len());
                return Ok(Err(trouble.unwrap_or_else(none)));
            }
            deadline = deadline.max(came + self.patience.between_bytes);
        }
    }

    /// After an unanswered request, waits until the line is silent: a late answer must not be taken for the next one's.
    /// A line that is lost is silent; the next sending finds out.
    fn settle(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            let give_up = now() + NOISE_PATIENCE;
            let mut waste = [0; 256];
            while self.link.receive(&mut waste, self.patience.between_bytes).is_ok_and(|count| count > 0)
                && now() < give_up
            {}
        }
    }

    /// Waits for the silence that the protocol wants before a request.
    fn keep_gap(&mut self) {
        let gap = self.gap();
        if let Some(busy) = self.busy_until {
            let left = busy + gap - now();
            if left > Span::ZERO {
                time::sleep(left);
            }
        }
    }

    /// The silence before a request; nothing on a line without a speed.
    pub fn gap(&self) -> Span {
        let character = self.link.airtime(1);
        if self.gap_characters <= 0.0 || character <= Span::ZERO {
            return Span::ZERO;
        }
        (character * self.gap_characters).max(GAP_MIN)
    }

    /// Hears what else comes until the line is silent, at most `limit` bytes: the reply of a second meter, say.
    pub fn hear_out(&mut self, limit: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        let mut buffer = [0; 256];
        while heard.len() < limit {
            match self.link.receive(&mut buffer, self.patience.between_bytes) {
                Ok(count) if count > 0 => heard.extend(&buffer[..count]),
                _ => break,
            }
        }
        heard
    }
}

/// Above 19200 Bd the gap of Modbus stays at 1.75 ms, however short a character gets.
const GAP_MIN: Span = Span::from_nanos(1_750_000);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::loopback;

    /// Takes the byte 16H for an answer.
    #[derive(Default)]
    struct Sixteen {
        seen: Vec<u8>,
    }

    impl Listener for Sixteen {
        type Answer = Vec<u8>;
        fn handle_bytes(&mut self, bytes: &[u8]) {
            self.seen.extend(bytes);
        }
        fn poll(&mut self) -> Option<Told<Vec<u8>>> {
            let end = self.seen.iter().position(|byte| *byte == 0x16)?;
            Some(Told::Answer { answer: self.seen.drain(..=end).collect(), at: 0 })
        }
    }

    /// Is pulled out at the first sending and put back for the next one.
    struct Pulled {
        out: bool,
        sent: u32,
    }

    impl Link for Pulled {
        fn send(&mut self, _: &[u8]) -> Result<(), link::Fault> {
            self.sent += 1;
            self.out = self.sent == 1;
            Ok(())
        }
        fn receive(&mut self, buffer: &mut [u8], _: Span) -> Result<usize, link::Fault> {
            if self.out {
                return Err(link::Fault::HungUp { peer: "adapter".to_owned() });
            }
            buffer[..2].copy_from_slice(&[0x91, 0x16]);
            Ok(2)
        }
        fn discard_input(&mut self) -> Result<(), link::Fault> {
            Ok(())
        }
        fn peer(&self) -> &'static str {
            "adapter"
        }
    }

    fn request() -> Request<'static> {
        Request { bytes: vec![0x11], whom: "a meter".to_owned(), what: "energy" }
    }

    #[test]
    fn an_adapter_pulled_and_put_back_costs_an_attempt_that_is_kept() {
        let mut line = Line::new(Box::new(Pulled { out: false, sent: 0 }));
        let mut exchanges = vec![];
        let heard = line.ask(&request(), &mut exchanges, Sixteen::default).unwrap();
        assert_eq!(heard.answer, [0x91, 0x16]);
        let replies: Vec<_> = exchanges.into_iter().map(|exchange| exchange.reply).collect();
        assert_eq!(replies, [vec![], vec![0x91, 0x16]]);
    }

    #[test]
    fn a_line_that_stays_away_is_the_lines_fault_and_not_the_meters() {
        let (here, there) = loopback::pair();
        drop(there);
        let mut line = Line::new(Box::new(here));
        let mut exchanges = vec![];
        let fault = line.ask(&request(), &mut exchanges, Sixteen::default).err().unwrap();
        assert!(matches!(fault, Fault::Line(link::Fault::HungUp { .. })), "{fault}");
        assert_eq!(exchanges.len(), 3);
    }

    #[test]
    fn the_gap_is_three_and_a_half_characters_and_never_below_its_floor() {
        struct At(i64);
        impl Link for At {
            fn send(&mut self, _: &[u8]) -> Result<(), link::Fault> {
                Ok(())
            }
            fn receive(&mut self, _: &mut [u8], _: Span) -> Result<usize, link::Fault> {
                Ok(0)
            }
            fn discard_input(&mut self) -> Result<(), link::Fault> {
                Ok(())
            }
            fn peer(&self) -> &'static str {
                "wire"
            }
            fn airtime(&self, bytes: usize) -> Span {
                Span::from_nanos(self.0) * bytes as f64
            }
        }
        let gap = |character| {
            let mut line = Line::new(Box::new(At(character)));
            line.gap_characters = 3.5;
            line.gap()
        };
        assert_eq!(gap(1_000_000), Span::from_nanos(3_500_000));
        assert_eq!(gap(100_000), GAP_MIN);
        assert_eq!(gap(0), Span::ZERO);
    }
}
