//! Instruments that speak text lines: who they are, one command or question at a time, errors drained after each.

use super::lines::Lines;
use super::{Fault as LinkFault, Link};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Errors taken out of an instrument's queue after one command; an honest queue is shorter.
const QUEUE_LIMIT: usize = 16;

/// Our own stand-ins for instruments have this in their identity.
const STAND_IN: &str = "simulated";

/// Lines read at most until an instrument is in step again after a silence.
const RESYNC_LIMIT: usize = 8;

/// Error bits of the standard event status register and their names (IEEE 488.2-1992 11.5.1.1).
const EVENT_ERRORS: [(u8, &str); 4] =
    [(2, "query error"), (3, "device-dependent error"), (4, "execution error"), (5, "command error")];

/// How an instrument is talked to: part of its profile in `assets/instruments`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// The question who it is.
    pub identify: String,
    /// What its answer must contain, in capitals or not; `*` stands for any text between two parts.
    pub identity: String,
    /// Sent once after it has said who it is: remote control, formats of answers. Nothing here switches an output on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<String>,
    /// The question for the oldest entry of its error queue; absent where it has none.
    #[serde(default)]
    pub error: Option<String>,
    /// How the answer begins when the queue is empty.
    #[serde(default = "no_error")]
    pub no_error: String,
    /// The question whether everything told has been done; it answers `1` (IEEE 488.2 `*OPC?`). Absent: not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<String>,
    /// The question for the standard event status register (IEEE 488.2 `*ESR?`); its error bits refuse what was told.
    /// Absent: not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_status: Option<String>,
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

/// The longest patience with one answer that is believed, in seconds.
const ANSWER_MAX_SECS: f64 = 60.0;

impl Dialect {
    /// Whether a stand-in is meant: it says so of itself, whatever its profile is called and says.
    pub fn is_stand_in(&self) -> bool {
        self.identity.to_ascii_lowercase().contains(STAND_IN)
    }

    /// Whether `said` is the instrument that is meant. A stand-in is never taken for an instrument.
    pub fn knows(&self, said: &str) -> bool {
        let (said, identity) = (said.to_ascii_lowercase(), self.identity.to_ascii_lowercase());
        if said.contains(STAND_IN) && !self.is_stand_in() {
            return false;
        }
        let mut rest = said.as_str();
        !identity.trim_matches(['*', ' ']).is_empty()
            && identity.split('*').all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
    }

    /// A figure or a question that cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        if !(self.answer_secs > 0.0 && self.answer_secs <= ANSWER_MAX_SECS) {
            let seen = self.answer_secs;
            return Err(format!("dialect.answer_secs is {seen}; allowed is above 0 to {ANSWER_MAX_SECS}"));
        }
        if self.identify.trim().is_empty() || self.identity.trim_matches(['*', ' ']).is_empty() {
            return Err(
                "dialect.identify and dialect.identity must say what is asked and what is expected".into()
            );
        }
        Ok(())
    }
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
    /// It answered something else than a number, a bit field or `1`.
    #[error(
        "the instrument on {peer} answered `{seen}` to `{question}`; expected {expected}. Check its profile"
    )]
    Unexpected {
        /// The line.
        peer: String,
        /// What was asked.
        question: String,
        /// What came.
        seen: String,
        /// What should have come.
        expected: &'static str,
    },
    /// After a silence it did not come back into step.
    #[error(
        "the instrument on {peer} is out of step: after a silence it did not answer who it is. Check line and power"
    )]
    OutOfStep {
        /// The line.
        peer: String,
    },
}

/// An instrument that has said who it is.
pub struct Instrument {
    lines: Lines,
    dialect: Dialect,
    identity: String,
    /// A question went unanswered: its answer may still come, and would be taken for the next one's.
    unsettled: bool,
}

impl Instrument {
    /// Asks who is there, and refuses a stranger; then sends what the profile says for setting up. Nothing is switched
    /// by that.
    pub fn open(link: Box<dyn Link>, dialect: Dialect) -> Result<Self, Fault> {
        let mut lines = Lines::new(link, Span::from_secs_f64(dialect.answer_secs));
        let seen = lines.ask(&dialect.identify)?;
        if !dialect.knows(&seen) {
            return Err(Fault::Stranger { peer: lines.peer().to_owned(), seen, expected: dialect.identity });
        }
        let setup = dialect.setup.clone();
        let mut instrument = Self { lines, dialect, identity: seen, unsettled: false };
        if !setup.is_empty() {
            // What went wrong before us is not ours.
            instrument.first_error()?;
            instrument.event_errors()?;
        }
        for command in &setup {
            instrument.tell(command)?;
        }
        Ok(instrument)
    }

    /// What it said it is.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Its line.
    pub fn peer(&self) -> &str {
        self.lines.peer()
    }

    /// One question, one answer. After a silence it is first brought back into step, so that no late answer is taken
    /// for another question's.
    pub fn ask(&mut self, question: &str) -> Result<String, Fault> {
        if self.unsettled {
            self.come_into_step()?;
        }
        let answer = self.lines.ask(question);
        self.unsettled = matches!(answer, Err(LinkFault::Silent { .. }));
        Ok(answer?)
    }

    /// As [`Instrument::ask`], for a number; a unit behind it (`12.5 V`) is passed over.
    pub fn ask_number(&mut self, question: &str) -> Result<f64, Fault> {
        let seen = self.ask(question)?;
        number(&seen).ok_or_else(|| self.unexpected(question, &seen, "a finite number"))
    }

    /// As [`Instrument::ask`], for a register of at most 32 bits.
    pub fn ask_bits(&mut self, question: &str) -> Result<u32, Fault> {
        let seen = self.ask(question)?;
        let bits = seen.trim().trim_start_matches('+').parse();
        bits.map_err(|_| self.unexpected(question, &seen, "a register as a whole number"))
    }

    /// Sends a command and drains the error queue: an error there is a refusal of this command.
    pub fn tell(&mut self, command: &str) -> Result<(), Fault> {
        self.lines.send(command)?;
        match self.first_error()? {
            None => Ok(()),
            Some(said) => Err(self.refused(command, said)),
        }
    }

    /// Sends a command and asks for nothing: for off, which is asked after as soon as everybody has heard it.
    pub fn send_only(&mut self, command: &str) -> Result<(), Fault> {
        Ok(self.lines.send(command)?)
    }

    /// Closes a group of commands: waits until all is done, and looks whether the event status tells of an error that
    /// the queue did not. `what` names the group in messages.
    pub fn finish(&mut self, what: &str) -> Result<(), Fault> {
        if let Some(question) = self.dialect.complete.clone() {
            let seen = self.ask(&question)?;
            if seen.trim().trim_start_matches('+') != "1" {
                return Err(self.unexpected(&question, &seen, "1, everything done"));
            }
        }
        match self.event_errors()? {
            None => Ok(()),
            Some(said) => Err(self.refused(what, said)),
        }
    }

    /// Empties the error queue and gives its first entry. An instrument without a queue has no errors to tell; it is
    /// asked who it is instead, so that a dead line is noticed all the same.
    pub fn first_error(&mut self) -> Result<Option<String>, Fault> {
        let Some(question) = self.dialect.error.clone() else {
            let identify = self.dialect.identify.clone();
            self.ask(&identify)?;
            return Ok(None);
        };
        let mut first = None;
        for _ in 0..QUEUE_LIMIT {
            let said = self.ask(&question)?;
            // Some write `+0,No error`.
            if said.trim_start_matches('+').starts_with(&self.dialect.no_error) {
                break;
            }
            first.get_or_insert(said);
        }
        Ok(first)
    }

    /// The error bits of the event status register in words; reading clears them.
    fn event_errors(&mut self) -> Result<Option<String>, Fault> {
        let Some(question) = self.dialect.event_status.clone() else { return Ok(None) };
        let bits = self.ask_bits(&question)?;
        let names: Vec<&str> =
            EVENT_ERRORS.iter().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name).collect();
        Ok((!names.is_empty()).then(|| format!("{} (event status {bits})", names.join(", "))))
    }

    /// Asks who it is until the answer is that, and not one that was on its way from before.
    fn come_into_step(&mut self) -> Result<(), Fault> {
        let identify = self.dialect.identify.clone();
        let mut seen = self.lines.ask(&identify)?;
        for _ in 0..RESYNC_LIMIT {
            if self.dialect.knows(&seen) {
                self.unsettled = false;
                return Ok(());
            }
            match self.lines.receive()? {
                Some(line) => seen = line,
                None => break,
            }
        }
        Err(Fault::OutOfStep { peer: self.lines.peer().to_owned() })
    }

    fn refused(&self, command: &str, said: String) -> Fault {
        Fault::Refused { peer: self.lines.peer().to_owned(), command: command.to_owned(), said }
    }

    fn unexpected(&self, question: &str, seen: &str, expected: &'static str) -> Fault {
        let seen = seen.chars().take(80).collect();
        Fault::Unexpected {
            peer: self.lines.peer().to_owned(),
            question: question.to_owned(),
            seen,
            expected,
        }
    }
}

/// The number at the beginning of an answer; behind it nothing but a unit may stand.
pub fn number(answer: &str) -> Option<f64> {
    let text = answer.trim();
    let unit = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let bare = if unit.is_empty() { text } else { unit };
    bare.parse().ok().filter(|number: &f64| number.is_finite())
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

    #[test]
    fn a_stand_in_behind_a_profile_that_says_nothing_of_it_is_a_stranger() {
        let said = "PHANTOMLOAD,SIMULATED SOURCE,0,0.1.0";
        let mut dialect = dialect();
        for (identity, is_stand_in) in [
            ("PHANTOMLOAD", false),
            ("PHANTOMLOAD*SOURCE", false),
            ("ulated", false),
            ("PHANTOMLOAD,SIMULATED SOURCE", true),
            ("simulated", true),
        ] {
            identity.clone_into(&mut dialect.identity);
            assert_eq!(
                (dialect.knows(said), dialect.is_stand_in()),
                (is_stand_in, is_stand_in),
                "{identity}"
            );
        }
    }

    #[test]
    fn an_identity_may_leave_a_gap() {
        let mut gap = dialect();
        gap.identity = "MAKER*X1".into();
        assert!(gap.knows("Maker Inc.,X1-100,7") && !gap.knows("X1,MAKER") && !gap.knows("MAKER,Y1"));
        gap.identity = "*".into();
        assert!(!gap.knows("anything") && gap.check().is_err());
    }

    #[test]
    fn the_event_status_refuses_what_the_queue_did_not() {
        let mut dialect = dialect();
        dialect.event_status = Some("*ESR?".into());
        dialect.complete = Some("*OPC?".into());
        let answers = &["MAKER,X1", "1", "0", "1", "48", "0"];
        let mut instrument = Instrument::open(with_script(answers), dialect).unwrap();
        instrument.finish("10 V").unwrap();
        let fault = instrument.finish("10 V").unwrap_err().to_string();
        assert!(fault.contains("execution error, command error") && fault.contains("10 V"), "{fault}");
        let fault = instrument.finish("10 V").unwrap_err().to_string();
        assert!(fault.contains("answered `0` to `*OPC?`"), "{fault}");
    }

    #[test]
    fn a_number_may_carry_its_unit_and_nothing_else() {
        assert_eq!(number("+1.25E+01 V"), Some(12.5));
        assert_eq!(number(" -3A"), Some(-3.0));
        for bad in ["", "V", "nan", "inf", "1,2", "1.2 V 3"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
