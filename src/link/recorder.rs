//! Notes every transfer of a link in a log that is plain text: `<nanoseconds> > 68 AA …` sent, `<` received.

use super::{Fault, Link, hex};
use crate::time::{Instant, Span, now};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From us, `>`.
    Sent,
    /// To us, `<`.
    Received,
}

/// Bytes that went over the line at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Sent: just before; received: just after.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// What, one byte at least.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Transfer {
    /// `1200000 > 68 AA`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.direction == Direction::Sent { '>' } else { '<' };
        write!(f, "{} {arrow} {}", self.at.nanos(), hex::text(&self.bytes))
    }
}

impl Transfer {
    fn read(line: &str) -> Option<Self> {
        let (at, rest) = line.trim().split_once(' ')?;
        let (arrow, bytes) = rest.split_once(' ')?;
        let direction = match arrow {
            ">" => Direction::Sent,
            "<" => Direction::Received,
            _ => return None,
        };
        let bytes = hex::bytes(bytes).filter(|bytes| !bytes.is_empty())?;
        Some(Self { at: Instant::from_nanos(at.parse().ok()?), direction, bytes })
    }
}

/// What went over one or several lines, oldest first. Copies share the same notes.
#[derive(Debug, Clone, Default)]
pub struct Log {
    transfers: Arc<Mutex<Vec<Transfer>>>,
}

impl Log {
    /// The notes so far.
    pub fn transfers(&self) -> Vec<Transfer> {
        self.transfers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, at: Instant, direction: Direction, bytes: &[u8]) {
        let transfer = Transfer { at, direction, bytes: bytes.to_vec() };
        self.transfers.lock().unwrap_or_else(PoisonError::into_inner).push(transfer);
    }
}

impl fmt::Display for Log {
    /// One line a transfer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transfers().iter().try_for_each(|transfer| writeln!(f, "{transfer}"))
    }
}

impl FromStr for Log {
    type Err = Fault;
    /// Empty lines and lines that begin with `#` are passed over.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let mut transfers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let unreadable = || Fault::LogUnreadable { number: index + 1, seen: line.to_owned() };
            transfers.push(Transfer::read(line).ok_or_else(unreadable)?);
        }
        Ok(Self { transfers: Arc::new(Mutex::new(transfers)) })
    }
}

/// A link whose transfers are noted. Silence and thrown-away input are no transfers.
pub struct Recorder<L: Link> {
    link: L,
    log: Log,
}

impl<L: Link> Recorder<L> {
    /// Notes what goes over `link` in `log`.
    pub fn new(link: L, log: Log) -> Self {
        Self { link, log }
    }
}

impl<L: Link> Link for Recorder<L> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if !bytes.is_empty() {
            self.log.note(now(), Direction::Sent, bytes);
        }
        self.link.send(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        let count = self.link.receive(buffer, patience)?;
        if count > 0 {
            self.log.note(now(), Direction::Received, &buffer[..count]);
        }
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        self.link.discard_input()
    }

    fn peer(&self) -> &str {
        self.link.peer()
    }

    fn airtime(&self, bytes: usize) -> Span {
        self.link.airtime(bytes)
    }

    fn set_line(&mut self, baud: u32, framing: super::Framing) -> Result<(), Fault> {
        self.link.set_line(baud, framing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback;
    use super::*;

    #[test]
    fn every_transfer_is_noted_and_the_notes_survive_their_text() {
        let (here, mut there) = loopback::pair();
        let log = Log::default();
        let mut here = Recorder::new(here, log.clone());
        here.send(&[0x68, 0xAA]).unwrap();
        there.send(&[0x16]).unwrap();
        assert_eq!(here.receive(&mut [0; 8], Span::ZERO), Ok(1));
        assert_eq!(here.receive(&mut [0; 8], Span::ZERO), Ok(0));
        let seen: Vec<_> = log.transfers().into_iter().map(|t| (t.direction, t.bytes)).collect();
        assert_eq!(seen, [(Direction::Sent, vec![0x68, 0xAA]), (Direction::Received, vec![0x16])]);
        let read: Log = format!("# a session\n\n{log}").parse().unwrap();
        assert_eq!(read.transfers(), log.transfers());
    }

    #[test]
    fn a_line_that_is_no_transfer_is_named() {
        for line in ["12 = 68", "12 >", "x > 68", "12 < 6", "12 > "] {
            let fault = format!("1 > 68\n{line}\n").parse::<Log>().unwrap_err();
            assert_eq!(fault, Fault::LogUnreadable { number: 2, seen: line.to_owned() });
        }
    }
}
