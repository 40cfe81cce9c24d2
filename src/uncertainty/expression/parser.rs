//! Recursive descent over the text of an expression: sum → product → signed → power → atom.

use super::number::Function;
use super::{DEPTH_MAX, Fault, Step};
use std::iter::Peekable;
use std::str::CharIndices;

/// The steps of `text`; an input is known by its place in `names`.
pub fn read(text: &str, names: &[&str]) -> Result<Vec<Step>, Fault> {
    let mut parser = Parser { text, rest: text.char_indices().peekable(), names, steps: vec![], depth: 0 };
    parser.sum()?;
    match parser.peek() {
        None => Ok(parser.steps),
        Some(_) => Err(parser.syntax("an operator or the end")),
    }
}

/// What is left of the text, and the steps read so far.
struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    names: &'a [&'a str],
    steps: Vec<Step>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, c)| *c)
    }

    fn next_is(&mut self, wanted: char) -> bool {
        self.peek() == Some(wanted) && self.rest.next().is_some()
    }

    fn syntax(&mut self, expected: &'static str) -> Fault {
        let found = self.peek().map_or("the end".to_owned(), |c| format!("`{c}`"));
        self.syntax_at(found, expected)
    }

    fn syntax_at(&mut self, found: String, expected: &'static str) -> Fault {
        let at = self.rest.peek().map_or(self.text.len(), |(at, _)| *at);
        Fault::Syntax {
            text: self.text.to_owned(),
            column: self.text[..at].chars().count() + 1,
            found,
            expected,
        }
    }

    fn sum(&mut self) -> Result<(), Fault> {
        self.product()?;
        loop {
            let step = match self.peek() {
                Some('+') => Step::Add,
                Some('-') => Step::Subtract,
                _ => return Ok(()),
            };
            self.rest.next();
            self.product()?;
            self.steps.push(step);
        }
    }

    fn product(&mut self) -> Result<(), Fault> {
        self.signed()?;
        loop {
            let step = match self.peek() {
                Some('*') => Step::Multiply,
                Some('/') => Step::Divide,
                _ => return Ok(()),
            };
            self.rest.next();
            self.signed()?;
            self.steps.push(step);
        }
    }

    fn signed(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        if self.next_is('-') {
            self.signed()?;
            self.steps.push(Step::Negate);
        } else if self.next_is('+') {
            self.signed()?;
        } else {
            self.atom()?;
            if self.next_is('^') {
                self.signed()?;
                self.steps.push(Step::Power);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn atom(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some('(') => {
                self.rest.next();
                self.sum()?;
                if self.next_is(')') { Ok(()) } else { Err(self.syntax("an operator or `)`")) }
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_start(c) => self.name(),
            _ => Err(self.syntax("a number, an input, a function or `(`")),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        let mut digits = String::new();
        while let Some((_, c)) = self.rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '.') {
            digits.push(c);
            if matches!(c, 'e' | 'E')
                && let Some((_, sign)) = self.rest.next_if(|(_, c)| matches!(c, '+' | '-'))
            {
                digits.push(sign);
            }
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => self.steps.push(Step::Number(value)),
            _ => {
                let expected = "a number such as 12.5 or 1e-3, and * between factors";
                return Err(self.syntax_at(format!("`{digits}`"), expected));
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), Fault> {
        let mut name = String::new();
        while let Some((_, c)) = self.rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
            name.push(c);
        }
        if self.next_is('(') {
            return self.call(&name);
        }
        match self.names.iter().position(|known| *known == name) {
            Some(at) => self.steps.push(Step::Input(at)),
            None if name == "pi" => self.steps.push(Step::Number(std::f64::consts::PI)),
            None => {
                let known = self.names.join(", ");
                return Err(Fault::UnknownVariable { text: self.text.to_owned(), name, known });
            }
        }
        Ok(())
    }

    fn call(&mut self, name: &str) -> Result<(), Fault> {
        let step = match name {
            "sqrt" => Step::Call(Function::Sqrt),
            "exp" => Step::Call(Function::Exp),
            "ln" => Step::Call(Function::Ln),
            "log10" => Step::Call(Function::Log10),
            "sin" => Step::Call(Function::Sin),
            "cos" => Step::Call(Function::Cos),
            "tan" => Step::Call(Function::Tan),
            "abs" => Step::Call(Function::Abs),
            "atan2" => Step::Atan2,
            _ => return Err(Fault::UnknownFunction { text: self.text.to_owned(), name: name.to_owned() }),
        };
        self.sum()?;
        if step == Step::Atan2 {
            if !self.next_is(',') {
                return Err(self.syntax("`,` and the second argument of atan2(y, x)"));
            }
            self.sum()?;
        }
        if !self.next_is(')') {
            return Err(self.syntax("an operator or `)`"));
        }
        self.steps.push(step);
        Ok(())
    }
}

/// Whether a name may begin so.
pub fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}
