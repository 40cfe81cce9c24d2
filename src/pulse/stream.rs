//! Edges from a counter on a serial line or TCP, in a text form that anybody can build a counter for.
//!
//! ```text
//! # phantomload edges 1            first line: who speaks, and the version of this form
//! 17 81234567890 R                 one line an edge: sequence number, nanoseconds, R(ising) or F(alling)
//! 18 81264567890 F
//! = 18 81300000000                 alive: nothing after number 18 until this time; at least every 500 ms
//! ! overflow                       the counter lost edges, in its own words
//! ```
//!
//! Lines end with LF. Numbers are decimal without sign. The sequence number counts every edge of the input from any
//! start, without a hole; a hole is taken for lost edges. Nanoseconds are the counter's own clock from any start and
//! must not run backwards. The alive line tells silence from a dead counter, and an edge lost at the end from none.

use super::{Edge, Input, Told};
use crate::link::lines::Lines;
use crate::link::{self, Link};
use crate::time::{Instant, Span, now};

/// The first line.
pub const HELLO: &str = "# phantomload edges 1";
/// A counter must say something at least this often; three alive lines may be late.
pub const SILENCE_MAX: Span = Span::from_millis(1500);
/// Lines that are looked at before the run to lay the counter's clock beside ours.
const ALIGNING_LINES: usize = 5;

/// Why a counter gives no edges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line.
    #[error(transparent)]
    Link(#[from] link::Fault),
    /// Something else speaks there.
    #[error(
        "on {peer} stands `{seen}` where a pulse counter says `{HELLO}`. Check the cables and the bench file"
    )]
    Stranger {
        /// The line.
        peer: String,
        /// What it said.
        seen: String,
    },
    /// Not even an alive line.
    #[error("the pulse counter on {peer} has said nothing for {SILENCE_MAX}. Check its power and cable")]
    Silent {
        /// The line.
        peer: String,
    },
    /// A line that is none of the form.
    #[error("the pulse counter on {peer} said `{seen}`, which is no edge line")]
    Garbage {
        /// The line.
        peer: String,
        /// What it said.
        seen: String,
    },
}

/// One line of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An edge: number, nanoseconds, rising.
    Edge(u64, i64, bool),
    /// Nothing after this number until this time.
    Alive(u64, i64),
    /// The counter lost edges.
    Lost(String),
}

impl Line {
    /// Reads a line; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end();
        if let Some(words) = text.strip_prefix('!') {
            let words: String = words.trim().chars().take(80).collect();
            return Some(Self::Lost(words.trim_end().to_owned()));
        }
        let fields: Vec<&str> = text.split(' ').collect();
        match fields[..] {
            ["=", seq, nanos] => Some(Self::Alive(count(seq)?, i64::try_from(count(nanos)?).ok()?)),
            [seq, nanos, edge @ ("R" | "F")] => {
                Some(Self::Edge(count(seq)?, i64::try_from(count(nanos)?).ok()?, edge == "R"))
            }
            _ => None,
        }
    }

    /// The line as text, without its end.
    pub fn emit(&self) -> String {
        match self {
            Self::Edge(seq, nanos, rising) => format!("{seq} {nanos} {}", if *rising { 'R' } else { 'F' }),
            Self::Alive(seq, nanos) => format!("= {seq} {nanos}"),
            Self::Lost(words) => format!("! {words}"),
        }
    }
}

/// Digits only: no sign, no space.
fn count(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A counter on a line, its clock laid beside ours.
pub struct Counter {
    lines: Lines,
    input: Input,
    /// Our time minus the counter's: the least seen before the run, when the line delayed least; then left alone, so
    /// that intervals stay exactly the counter's.
    offset: i64,
    last_seq: Option<u64>,
}

impl Counter {
    /// Listens for the first line and lays the clocks side by side.
    pub fn open(link: Box<dyn Link>, input: Input) -> Result<Self, Fault> {
        let mut counter =
            Self { lines: Lines::new(link, SILENCE_MAX), input, offset: i64::MAX, last_seq: None };
        let hello = counter.line()?;
        if hello.trim_end() != HELLO {
            return Err(Fault::Stranger {
                peer: counter.lines.peer().to_owned(),
                seen: hello.chars().take(80).collect(),
            });
        }
        let mut aligned = 0;
        while aligned < ALIGNING_LINES {
            let text = counter.line()?;
            match Line::parse(&text) {
                Some(Line::Edge(seq, nanos, _) | Line::Alive(seq, nanos)) => {
                    counter.offset = counter.offset.min(now().nanos().saturating_sub(nanos));
                    counter.last_seq = Some(seq);
                    aligned += 1;
                }
                // A counter that loses edges with no load on it is no counter to begin with.
                Some(Line::Lost(_)) | None => return Err(counter.garbage(&text)),
            }
        }
        Ok(counter)
    }

    /// Waits for the next line. Garbage is told, not passed over: an edge may have been in it.
    pub fn listen(&mut self) -> Result<Told, Fault> {
        let text = self.line()?;
        match Line::parse(&text) {
            Some(Line::Edge(seq, nanos, rising)) => {
                // A hole in the numbers is seen by the engine; this one says what the next alive line is held against.
                self.last_seq = Some(seq);
                let at = Instant::from_nanos(nanos.saturating_add(self.offset));
                Ok(Told::Edge(Edge { input: self.input, seq, at, rising }))
            }
            Some(Line::Alive(seq, _)) => {
                let seen = self.last_seq.replace(seq);
                if seen.is_some_and(|seen| seen != seq) {
                    return Ok(Told::Lost(format!(
                        "it counted up to {seq}, but {} was the last that arrived",
                        seen.unwrap_or(0)
                    )));
                }
                Ok(Told::Alive)
            }
            Some(Line::Lost(words)) => Ok(Told::Lost(words)),
            None => Err(self.garbage(&text)),
        }
    }

    fn line(&mut self) -> Result<String, Fault> {
        self.lines.receive()?.ok_or_else(|| Fault::Silent { peer: self.lines.peer().to_owned() })
    }

    fn garbage(&self, text: &str) -> Fault {
        Fault::Garbage { peer: self.lines.peer().to_owned(), seen: text.chars().take(80).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::loopback;
    use proptest::prelude::*;

    #[test]
    fn the_form_is_read_as_it_is_written() {
        for line in [Line::Edge(17, 81_234_567_890, true), Line::Alive(18, 0), Line::Lost("overflow".into())]
        {
            assert_eq!(Line::parse(&line.emit()), Some(line));
        }
        for bad in [
            "",
            "17",
            "17 5",
            "17 5 X",
            "-1 5 R",
            "+1 5 R",
            "1 5 R R",
            "1  5 R",
            "= 1",
            "99999999999999999999 1 R",
        ] {
            assert_eq!(Line::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_alive_line_tells_of_an_edge_lost_at_the_end() {
        let (ours, mut theirs) = loopback::pair();
        let mut text = format!("{HELLO}\n");
        text += &"= 4 1000\n".repeat(ALIGNING_LINES);
        text += "5 2000 R\n= 5 3000\n= 7 4000\n! overflow\nwhat\n";
        theirs.send(text.as_bytes()).unwrap();
        let mut counter = Counter::open(Box::new(ours), Input::Meter).unwrap();
        assert!(matches!(counter.listen(), Ok(Told::Edge(Edge { seq: 5, rising: true, .. }))));
        assert_eq!(counter.listen(), Ok(Told::Alive));
        assert!(matches!(counter.listen(), Ok(Told::Lost(_))));
        assert_eq!(counter.listen(), Ok(Told::Lost("overflow".into())));
        assert!(matches!(counter.listen(), Err(Fault::Garbage { .. })));
        drop(theirs);
        assert!(matches!(counter.listen(), Err(Fault::Link(_))));
    }

    proptest! {
        #[test]
        fn no_line_panics(text in "\\PC*") {
            let _ = Line::parse(&text);
        }
    }
}
