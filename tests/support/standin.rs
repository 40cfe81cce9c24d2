//! A scripted stand-in for an instrument on a line whose clock jumps: an answer that takes five seconds takes none here.

#![allow(dead_code, reason = "each test file uses its part")]

use phantomload::link::{Fault, Link};
use phantomload::time::Span;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the stand-in knows and has heard.
#[derive(Default)]
pub struct State {
    /// Every line that it heard and, with `< ` before it, every line that it said.
    pub talk: Vec<String>,
    /// What it says to a question, until told otherwise.
    pub answers: HashMap<String, String>,
    /// What it says once to a question, before `answers` counts: the text without LF, and its delay.
    pub once: VecDeque<(String, String, Span)>,
    /// The last number told behind a command's header.
    set: HashMap<String, String>,
    /// Whether its output is on.
    pub on: bool,
    on_words: Vec<String>,
    off_words: Vec<String>,
    /// The question for its output.
    output: Option<String>,
    waiting: Vec<u8>,
    said: VecDeque<(Span, Vec<u8>)>,
}

/// The instrument's end of the line, seen from the program.
#[derive(Clone, Default)]
pub struct StandIn(Arc<Mutex<State>>);

impl StandIn {
    /// Knows these words for on and off, and the question for the output.
    pub fn new(on: &[String], off: &[String], output: Option<&str>) -> Self {
        let standin = Self::default();
        let mut state = standin.state();
        (state.on_words, state.off_words) = (on.to_vec(), off.to_vec());
        state.output = output.map(str::to_owned);
        drop(state);
        standin
    }

    /// Says `answer` to `question` from now on.
    pub fn answers(&self, question: &str, answer: &str) {
        self.state().answers.insert(question.into(), answer.into());
    }

    /// Says `answer` to the next `question`, after `delay`.
    pub fn once(&self, question: &str, answer: &str, delay: Span) {
        self.state().once.push_back((question.into(), answer.into(), delay));
    }

    /// What it knows.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What it heard, without its answers.
    pub fn heard(&self) -> Vec<String> {
        self.state().talk.iter().filter(|line| !line.starts_with("< ")).cloned().collect()
    }
}

impl State {
    fn hear(&mut self, line: &str) {
        self.talk.push(line.to_owned());
        if !line.contains('?') {
            if self.on_words.iter().any(|word| word == line) {
                self.on = true;
            } else if self.off_words.iter().any(|word| word == line) {
                self.on = false;
            } else if let Some((header, value)) = line.rsplit_once(' ') {
                self.set.insert(header.to_owned(), value.to_owned());
            }
            return;
        }
        let once = self.once.iter().position(|(question, ..)| question == line);
        let (answer, delay) = if let Some((_, answer, delay)) = once.and_then(|at| self.once.remove(at)) {
            (answer, delay)
        } else if let Some(answer) = self.answers.get(line) {
            (answer.clone() + "\n", Span::ZERO)
        } else if self.output.as_deref() == Some(line) {
            ((if self.on { "1" } else { "0" }).to_owned() + "\n", Span::ZERO)
        } else if let Some(value) = line.strip_suffix('?').and_then(|header| self.set.get(header)) {
            (value.clone() + "\n", Span::ZERO)
        } else {
            return;
        };
        self.talk.push(format!("< {}", answer.trim_end()));
        self.said.push_back((delay, answer.into_bytes()));
    }
}

impl Link for StandIn {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut state = self.state();
        state.waiting.extend_from_slice(bytes);
        while let Some(end) = state.waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = state.waiting.drain(..=end).collect();
            state.hear(String::from_utf8_lossy(&line).trim_end());
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        let mut state = self.state();
        let Some((delay, bytes)) = state.said.front_mut() else { return Ok(0) };
        if *delay > patience {
            *delay = Span::from_nanos(delay.nanos() - patience.nanos());
            return Ok(0);
        }
        *delay = Span::ZERO;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        bytes.drain(..count);
        if bytes.is_empty() {
            state.said.pop_front();
        }
        Ok(count)
    }

    /// What is still on its way stays on its way.
    fn discard_input(&mut self) -> Result<(), Fault> {
        self.state().said.retain(|(delay, _)| *delay > Span::ZERO);
        Ok(())
    }

    fn peer(&self) -> &'static str {
        "the stand-in"
    }
}
