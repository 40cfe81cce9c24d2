//! Text lines over a link, as instruments speak: LF or CR LF at the end, one question at a time.

use super::{Fault, Link, hex};
use crate::time::{Span, now};

/// The longest line believed where nothing else is said, in bytes.
pub const DEFAULT_LIMIT: usize = 4096;

/// Reads and writes text lines. Patience is for a whole line.
pub struct Lines<L: Link = Box<dyn Link>> {
    link: L,
    patience: Span,
    limit: usize,
    /// Arrived and not yet given away: at most one line's limit and one read.
    waiting: Vec<u8>,
}

impl<L: Link> Lines<L> {
    /// Over `link`; a line is waited for `patience` long.
    pub fn new(link: L, patience: Span) -> Self {
        Self { link, patience, limit: DEFAULT_LIMIT, waiting: Vec::new() }
    }

    /// With another longest line, in bytes without its end.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The other side, for messages.
    pub fn peer(&self) -> &str {
        self.link.peer()
    }

    /// The link itself, for another protocol on it; what was waiting is lost.
    pub fn into_link(self) -> L {
        self.link
    }

    /// Sends `text` and LF.
    pub fn send(&mut self, text: &str) -> Result<(), Fault> {
        self.link.send(format!("{text}\n").as_bytes())
    }

    /// The next line without its end; `None` is silence, and the part of a line that came is kept for the next time.
    pub fn receive(&mut self) -> Result<Option<String>, Fault> {
        self.receive_within(self.patience)
    }

    /// As [`Lines::receive`], with a patience of its own.
    pub fn receive_within(&mut self, patience: Span) -> Result<Option<String>, Fault> {
        let deadline = now() + patience;
        let mut left = patience;
        let mut searched = 0;
        loop {
            if let Some(end) = self.waiting[searched..].iter().position(|byte| *byte == b'\n') {
                return self.take_line(searched + end).map(Some);
            }
            searched = self.waiting.len();
            // One more for the CR that may stand before the LF.
            if searched > self.limit + 1 {
                return Err(self.too_long());
            }
            let mut buffer = [0; 512];
            let count = self.link.receive(&mut buffer, left)?;
            self.waiting.extend_from_slice(&buffer[..count]);
            left = deadline - now();
            if count == 0 {
                return Ok(None);
            }
        }
    }

    /// Asks one question and gives the one line that answers it. What was still on the line from before is thrown away.
    pub fn ask(&mut self, question: &str) -> Result<String, Fault> {
        self.ask_within(question, self.patience)
    }

    /// As [`Lines::ask`], with a patience of its own.
    pub fn ask_within(&mut self, question: &str, patience: Span) -> Result<String, Fault> {
        self.waiting.clear();
        self.link.discard_input()?;
        self.send(question)?;
        self.receive_within(patience)?.ok_or_else(|| Fault::Silent {
            peer: self.link.peer().to_owned(),
            asked: question.to_owned(),
            seen: String::from_utf8_lossy(&self.waiting).into_owned(),
            patience,
        })
    }

    fn take_line(&mut self, end: usize) -> Result<String, Fault> {
        let length = if end > 0 && self.waiting[end - 1] == b'\r' { end - 1 } else { end };
        if length > self.limit {
            let fault = self.too_long_beginning();
            self.waiting.drain(..=end);
            return Err(fault);
        }
        let mut line: Vec<u8> = self.waiting.drain(..=end).collect();
        line.truncate(length);
        String::from_utf8(line).map_err(|bad| Fault::NotText {
            peer: self.link.peer().to_owned(),
            seen: hex::text(bad.as_bytes()),
        })
    }

    fn too_long(&mut self) -> Fault {
        let fault = self.too_long_beginning();
        self.waiting.clear();
        fault
    }

    fn too_long_beginning(&self) -> Fault {
        let seen = String::from_utf8_lossy(&self.waiting[..self.waiting.len().min(40)]).into_owned();
        Fault::LineTooLong { peer: self.link.peer().to_owned(), limit: self.limit, seen }
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback::{self, Loopback};
    use super::super::replay::Replay;
    use super::*;

    fn joined() -> (Lines<Loopback>, Loopback) {
        let (here, there) = loopback::pair();
        (Lines::new(here, Span::ZERO), there)
    }

    #[test]
    fn lf_and_cr_lf_both_end_a_line() {
        let (mut lines, mut there) = joined();
        there.send(b"one\ntwo\r\n\nthr").unwrap();
        assert_eq!(lines.receive(), Ok(Some("one".to_owned())));
        assert_eq!(lines.receive(), Ok(Some("two".to_owned())));
        assert_eq!(lines.receive(), Ok(Some(String::new())));
        assert_eq!(lines.receive(), Ok(None));
        there.send(b"ee\n").unwrap();
        assert_eq!(lines.receive(), Ok(Some("three".to_owned())));
    }

    #[test]
    fn a_question_gets_its_own_answer_and_not_a_stale_one() {
        // "*IDN?\n" answered "ME\r\n" in two pieces.
        let log = "1 > 2A 49 44 4E 3F 0A\n2 < 4D\n3 < 45 0D 0A\n4 > 3F 0A\n5 < 31\n".parse().unwrap();
        let mut lines = Lines::new(Replay::new(&log, "source"), Span::from_secs(1));
        assert_eq!(lines.ask("*IDN?"), Ok("ME".to_owned()));
        let fault = lines.ask("?").unwrap_err().to_string();
        assert!(fault.contains("within 1.0 s after `?` (seen: `1`)"), "{fault}");
    }

    #[test]
    fn a_stale_line_is_no_answer() {
        let (mut lines, mut there) = joined();
        there.send(b"stale\nlate").unwrap();
        assert!(matches!(lines.ask("?"), Err(Fault::Silent { .. })));
    }

    #[test]
    fn a_line_without_end_is_a_fault_and_not_a_full_memory() {
        let (lines, mut there) = joined();
        let mut lines = lines.with_limit(8);
        there.send(b"12345678\r\n123456789\nnext\n").unwrap();
        assert_eq!(lines.receive(), Ok(Some("12345678".to_owned())));
        assert!(matches!(lines.receive(), Err(Fault::LineTooLong { limit: 8, .. })));
        assert_eq!(lines.receive(), Ok(Some("next".to_owned())));
        there.send(&[b'x'; 600]).unwrap();
        assert!(matches!(lines.receive(), Err(Fault::LineTooLong { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let (mut lines, mut there) = joined();
        there.send(b"\xFF\xFE\nnext\n").unwrap();
        assert_eq!(
            lines.receive(),
            Err(Fault::NotText { peer: "loopback 0".to_owned(), seen: "FF FE".to_owned() })
        );
        assert_eq!(lines.receive(), Ok(Some("next".to_owned())));
    }
}
