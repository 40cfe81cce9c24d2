//! Instruments that speak text lines: who they are, one command or question at a time, errors drained after each.

use super::lines::Lines;
use super::{Fault as LinkFault, Link};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Errors taken out of an instrument's queue after one command; an honest queue is shorter.
const QUEUE_LIMIT: usize = 16;

/// How an instrument is talked to: part of its profile in `assets/instruments`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// The question who it is.
    pub identify: String,
    /// What its answer must contain.
    pub identity: String,
    /// The question for the oldest entry of its error queue; absent where it has none.
    #[serde(default)]
    pub error: Option<String>,
    /// How the answer begins when the queue is empty.
    #[serde(default = "no_error")]
    pub no_error: String,
    /// How long an answer may take.
    #[serde(default = "answer_secs")]
    pub answer_secs: f64,
}

fn no_error() -> String {
    "0,".into()
}

fn answer_secs() -> f64 {
    2.0
}

/// Why an instrument did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// Another instrument answers.
    #[error(
        "the instrument on {peer} says it is `{seen}`, but `{expected}` is expected there. Check the cables and the bench file"
    )]
    Stranger {
        /// The line.
        peer: String,
        /// What it says.
        seen: String,
        /// What its profile expects.
        expected: String,
    },
    /// It put an error into its queue.
    #[error("the instrument on {peer} refused `{command}`: {said}")]
    Refused {
        /// The line.
        peer: String,
        /// What was sent.
        command: String,
        /// Its own words.
        said: String,
    },
}

/// An instrument that has said who it is.
pub struct Instrument {
    lines: Lines,
    dialect: Dialect,
    identity: String,
}

impl Instrument {
    /// Asks who is there, and refuses a stranger. Nothing is switched by that.
    pub fn open(link: Box<dyn Link>, dialect: Dialect) -> Result<Self, Fault> {
        let mut lines = Lines::new(link, Span::from_secs_f64(dialect.answer_secs));
        let seen = lines.ask(&dialect.identify)?;
        if dialect.identity.trim().is_empty() || !seen.contains(&dialect.identity) {
            return Err(Fault::Stranger { peer: lines.peer().to_owned(), seen, expected: dialect.identity });
        }
        Ok(Self { lines, dialect, identity: seen })
    }

    /// What it said it is.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Its line.
    pub fn peer(&self) -> &str {
        self.lines.peer()
    }

    /// One question, one answer.
    pub fn ask(&mut self, question: &str) -> Result<String, Fault> {
        Ok(self.lines.ask(question)?)
    }

    /// Sends a command and drains the error queue: an error there is a refusal of this command.
    pub fn tell(&mut self, command: &str) -> Result<(), Fault> {
        self.lines.send(command)?;
        match self.first_error()? {
            None => Ok(()),
            Some(said) => {
                Err(Fault::Refused { peer: self.lines.peer().to_owned(), command: command.to_owned(), said })
            }
        }
    }

    /// Empties the error queue and gives its first entry. An instrument without a queue has no errors to tell; it is
    /// asked who it is instead, so that a dead line is noticed all the same.
    pub fn first_error(&mut self) -> Result<Option<String>, Fault> {
        let Some(question) = self.dialect.error.clone() else {
            self.lines.ask(&self.dialect.identify)?;
            return Ok(None);
        };
        let mut first = None;
        for _ in 0..QUEUE_LIMIT {
            let said = self.lines.ask(&question)?;
            // Some write `+0,No error`.
            if said.trim_start_matches('+').starts_with(&self.dialect.no_error) {
                break;
            }
            first.get_or_insert(said);
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::loopback;

    fn dialect() -> Dialect {
        toml::from_str("identify = \"*IDN?\"\nidentity = \"MAKER,X1\"\nerror = \"SYST:ERR?\"").unwrap()
    }

    /// Answers each question with the next line of the script.
    fn with_script(answers: &'static [&'static str]) -> Box<dyn Link> {
        let (ours, theirs) = loopback::pair();
        std::thread::spawn(move || {
            let mut lines = Lines::new(Box::new(theirs) as Box<dyn Link>, Span::from_secs(5));
            let mut answers = answers.iter();
            while let Ok(Some(line)) = lines.receive() {
                if line.ends_with('?') {
                    let Some(answer) = answers.next() else { return };
                    if lines.send(answer).is_err() {
                        return;
                    }
                }
            }
        });
        Box::new(ours)
    }

    #[test]
    fn a_stranger_is_refused_by_name() {
        let fault = Instrument::open(with_script(&["OTHER,Y2,1,1"]), dialect()).err().unwrap();
        assert!(fault.to_string().contains("OTHER,Y2") && fault.to_string().contains("MAKER,X1"), "{fault}");
    }

    #[test]
    fn an_entry_in_the_error_queue_refuses_the_command() {
        let answers = &[
            "MAKER,X1,7,1.0",
            "+0,No error",
            "-222,\"Data out of range\"",
            "-1,\"second\"",
            "0,\"No error\"",
        ];
        let mut instrument = Instrument::open(with_script(answers), dialect()).unwrap();
        instrument.tell("VOLT 1").unwrap();
        let fault = instrument.tell("VOLT 9999").unwrap_err();
        assert!(fault.to_string().contains("VOLT 9999") && fault.to_string().contains("-222"), "{fault}");
    }
}
