//! The measurement model f of Y = f(X₁, …, X_N) (GUM 4.1) as text: parsed once, evaluated often, differentiated exactly.
//!
//! Knows `+ - * / ^`, parentheses, numbers, the names of the inputs, `pi`, and the functions of [`FUNCTIONS`]. Powers
//! bind tighter than the sign, as on paper: `-x^2` is −(x²). Hand-made because the maintained crates read it as (−x)²,
//! or carry a licence that this program cannot.

use std::iter::Peekable;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::str::CharIndices;

/// The functions an expression may call; angles are in radian. `log` is left out because half the world means `ln`.
pub const FUNCTIONS: [&str; 9] = ["sqrt", "exp", "ln", "log10", "sin", "cos", "tan", "abs", "atan2"];
/// Parentheses, signs and powers may stand in one another this deep.
const DEPTH_MAX: usize = 100;

/// Why a text is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The text breaks off or goes on where it should not.
    #[error("expression `{text}`, column {column}: found {found}, expected {expected}")]
    Syntax {
        /// The expression.
        text: String,
        /// Where, counted from 1 in characters.
        column: usize,
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// A name that is no input.
    #[error("expression `{text}`: `{name}` is no input; there are {known}, and pi")]
    UnknownVariable {
        /// The expression.
        text: String,
        /// The name.
        name: String,
        /// The inputs.
        known: String,
    },
    /// A call of something that is no function.
    #[error("expression `{text}`: `{name}` is no function; there are {}", FUNCTIONS.join(", "))]
    UnknownFunction {
        /// The expression.
        text: String,
        /// The name.
        name: String,
    },
    /// Nested beyond reason.
    #[error("expression is nested deeper than {DEPTH_MAX} levels; write it flatter")]
    TooDeep,
    /// No finite value at the estimates of the inputs.
    #[error("expression `{text}` has no value at the estimates: {what}")]
    Undefined {
        /// The expression.
        text: String,
        /// What was asked of which number.
        what: String,
    },
    /// No finite sensitivity coefficient at the estimates.
    #[error("expression `{text}` has no finite derivative with respect to `{input}` at the estimates; the law of propagation does not apply")]
    NotDifferentiable {
        /// The expression.
        text: String,
        /// The input.
        input: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    Sqrt,
    Exp,
    Ln,
    Log10,
    Sin,
    Cos,
    Tan,
    Abs,
}

/// One step of the machine that computes the expression on a stack.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Input(usize),
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Atan2,
    Call(Function),
}

/// What the machine computes with: plain numbers, or numbers that carry their derivative along.
trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> {
    fn constant(value: f64) -> Self;
    fn power(self, exponent: Self) -> Self;
    fn atan2(self, x: Self) -> Self;
    fn call(self, function: Function) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }
    fn power(self, exponent: Self) -> Self {
        // A square is by far the commonest power and much cheaper so.
        if exponent == 2.0 { self * self } else { self.powf(exponent) }
    }
    fn atan2(self, x: Self) -> Self {
        f64::atan2(self, x)
    }
    fn call(self, function: Function) -> Self {
        match function {
            Function::Sqrt => self.sqrt(),
            Function::Exp => self.exp(),
            Function::Ln => self.ln(),
            Function::Log10 => self.log10(),
            Function::Sin => self.sin(),
            Function::Cos => self.cos(),
            Function::Tan => self.tan(),
            Function::Abs => self.abs(),
        }
    }
}

/// A value with its derivative with respect to one input: the chain rule in numbers, so sensitivities are exact.
#[derive(Debug, Clone, Copy)]
struct Dual {
    value: f64,
    slope: f64,
}

impl Dual {
    /// f(x) with f′(x) known; what does not depend on the input stays so even where f′ is infinite.
    fn chain(self, value: f64, derivative: f64) -> Self {
        Self { value, slope: if self.slope == 0.0 { 0.0 } else { self.slope * derivative } }
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Self { value: self.value + b.value, slope: self.slope + b.slope }
    }
}
impl Sub for Dual {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        Self { value: self.value - b.value, slope: self.slope - b.slope }
    }
}
impl Mul for Dual {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Self { value: self.value * b.value, slope: self.slope * b.value + self.value * b.slope }
    }
}
impl Div for Dual {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let value = self.value / b.value;
        Self { value, slope: (self.slope - value * b.slope) / b.value }
    }
}
impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }
}

impl Number for Dual {
    fn constant(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }
    fn power(self, b: Self) -> Self {
        let (a, value) = (self.value, self.value.power(b.value));
        let of_base = if b.value == 0.0 { 0.0 } else { b.value * a.powf(b.value - 1.0) };
        let of_exponent = b.chain(value, value * a.ln()).slope;
        Self { value, slope: self.chain(value, of_base).slope + of_exponent }
    }
    fn atan2(self, x: Self) -> Self {
        let square = self.value * self.value + x.value * x.value;
        Self { value: self.value.atan2(x.value), slope: (x.value * self.slope - self.value * x.slope) / square }
    }
    fn call(self, function: Function) -> Self {
        let (x, value) = (self.value, self.value.call(function));
        let derivative = match function {
            Function::Sqrt => 0.5 / value,
            Function::Exp => value,
            Function::Ln => 1.0 / x,
            Function::Log10 => 1.0 / (x * std::f64::consts::LN_10),
            Function::Sin => x.cos(),
            Function::Cos => -x.sin(),
            Function::Tan => 1.0 + value * value,
            Function::Abs if x == 0.0 => f64::NAN,
            Function::Abs => x.signum(),
        };
        self.chain(value, derivative)
    }
}

/// A model that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    steps: Vec<Step>,
}

impl Expression {
    /// Reads `text`; an input is known by its place in `names`.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, Fault> {
        let mut parser = Parser { text, rest: text.char_indices().peekable(), names, steps: vec![], depth: 0 };
        parser.sum()?;
        match parser.peek() {
            None => Ok(Self { text: text.to_owned(), steps: parser.steps }),
            Some(_) => Err(parser.syntax("an operator or the end")),
        }
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// f(x₁, …, x_N). `stack` is room to work in, given so that a million calls need it once.
    pub fn evaluate(&self, inputs: &[f64], stack: &mut Vec<f64>) -> f64 {
        self.run(inputs, stack)
    }

    fn run<N: Number>(&self, inputs: &[N], stack: &mut Vec<N>) -> N {
        stack.clear();
        for step in &self.steps {
            take(*step, inputs, stack);
        }
        stack[0]
    }

    /// f at the estimates, each step of it looked at: what is divided by zero or otherwise undefined is refused by name.
    pub fn evaluate_checked(&self, inputs: &[f64]) -> Result<f64, Fault> {
        let mut stack: Vec<f64> = vec![];
        for step in &self.steps {
            let top = stack.last().copied().unwrap_or(0.0);
            let below = stack.len().checked_sub(2).map_or(0.0, |at| stack[at]);
            take(*step, inputs, &mut stack);
            let what = match step {
                _ if stack.last().is_some_and(|v| v.is_finite()) => continue,
                Step::Divide if top == 0.0 => format!("division by zero ({below} / {top})"),
                Step::Power => format!("{below} ^ {top} is no finite number"),
                Step::Call(function) => format!("{}({top}) is no finite number", format!("{function:?}").to_lowercase()),
                _ => "it leaves the range of numbers".to_owned(),
            };
            return Err(Fault::Undefined { text: self.text.clone(), what });
        }
        Ok(stack[0])
    }

    /// The sensitivity coefficients cᵢ = ∂f/∂xᵢ at the estimates (GUM 5.1.3), exact but for rounding.
    pub fn sensitivities(&self, inputs: &[f64], names: &[&str]) -> Result<Vec<f64>, Fault> {
        let mut at: Vec<Dual> = inputs.iter().map(|x| Dual::constant(*x)).collect();
        let mut stack = vec![];
        let mut found = vec![];
        for (i, name) in names.iter().enumerate() {
            at[i].slope = 1.0;
            let slope = self.run(&at, &mut stack).slope;
            at[i].slope = 0.0;
            if !slope.is_finite() {
                return Err(Fault::NotDifferentiable { text: self.text.clone(), input: (*name).to_owned() });
            }
            found.push(slope);
        }
        Ok(found)
    }
}

/// Does one step on the stack. The parser emits operands before operators, so they are there.
fn take<N: Number>(step: Step, inputs: &[N], stack: &mut Vec<N>) {
    let mut pop = || stack.pop().expect("the parser puts operands before their operator");
    let result = match step {
        Step::Number(value) => N::constant(value),
        Step::Input(at) => inputs[at],
        Step::Negate => -pop(),
        Step::Call(function) => pop().call(function),
        Step::Add | Step::Subtract | Step::Multiply | Step::Divide | Step::Power | Step::Atan2 => {
            let (b, a) = (pop(), pop());
            match step {
                Step::Add => a + b,
                Step::Subtract => a - b,
                Step::Multiply => a * b,
                Step::Divide => a / b,
                Step::Power => a.power(b),
                _ => a.atan2(b),
            }
        }
    };
    stack.push(result);
}

/// Whether a name can stand in an expression: a letter or `_`, then letters, digits and `_`, and not a word of ours.
pub fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(is_start)
        && letters.all(|c| c.is_alphanumeric() || c == '_')
        && name != "pi"
        && name != "log"
        && !FUNCTIONS.contains(&name)
}

fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Recursive descent: sum → product → signed → power → atom.
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
        Fault::Syntax { text: self.text.to_owned(), column: self.text[..at].chars().count() + 1, found, expected }
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
                return Err(Fault::Syntax { found: format!("`{digits}`"), ..self.syntax(expected) });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        Expression::parse(text, &["x", "y"]).unwrap().evaluate_checked(&[2.0, 3.0]).unwrap()
    }

    fn fault(text: &str) -> String {
        Expression::parse(text, &["x", "y"]).and_then(|e| e.evaluate_checked(&[2.0, 0.0])).unwrap_err().to_string()
    }

    #[test]
    fn an_expression_is_read_as_on_paper() {
        assert_eq!(value("1 + x * y ^ 2"), 19.0);
        assert_eq!(value("-x^2"), -4.0);
        assert_eq!(value("2^3^2"), 512.0);
        assert_eq!(value("2^-1 * -x"), -1.0);
        assert_eq!(value("x - y - 1"), -2.0);
        assert_eq!(value("12 / x / y"), 2.0);
        assert_eq!(value("1.5e-3 * 2E+3 + .5"), 3.5);
        assert_eq!(value("sqrt(abs(-16)) + ln(exp(1)) + log10(100)"), 7.0);
        assert!((value("atan2(1, 1) * 4 - pi + sin(0) + cos(pi) + tan(0)") + 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (text, said) in [
            ("x +", "column 4: found the end"),
            ("(x", "expected an operator or `)`"),
            ("2x", "`2x`"),
            ("x y", "found `y`"),
            ("x ** y", "column 4: found `*`"),
            ("z + 1", "`z` is no input; there are x, y"),
            ("log(x)", "`log` is no function"),
            ("atan2(x)", "second argument"),
            ("", "found the end"),
            ("x / y", "division by zero (2 / 0)"),
            ("1 / (1 / y)", "division by zero"),
            ("sqrt(-x)", "sqrt(-2)"),
            ("ln(y)", "ln(0)"),
            ("y ^ -1", "0 ^ -1"),
        ] {
            assert!(fault(text).contains(said), "{text}: {}", fault(text));
        }
        assert_eq!(fault(&format!("{}x", "-".repeat(100_000))), Fault::TooDeep.to_string());
        assert_eq!(fault(&"(".repeat(100_000)), Fault::TooDeep.to_string());
    }

    #[test]
    fn sensitivities_agree_with_central_differences() {
        let at = [0.7, 1.3];
        for text in ["x*y", "x/y", "x^y", "y^3 - x^0.5", "sqrt(x)*exp(y)", "ln(x*y)", "log10(x+y)", "sin(x)*cos(y)", "tan(x)", "abs(-x)", "atan2(x, y)"] {
            let f = Expression::parse(text, &["x", "y"]).unwrap();
            let exact = f.sensitivities(&at, &["x", "y"]).unwrap();
            for i in 0..2 {
                let shifted = |by: f64| {
                    let mut there = at;
                    there[i] += by;
                    f.evaluate_checked(&there).unwrap()
                };
                let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((exact[i] - difference).abs() < 1e-8, "{text}: {exact:?} {difference}");
            }
        }
    }

    #[test]
    fn a_kink_has_no_sensitivity() {
        let f = Expression::parse("abs(x) + sqrt(y)", &["x", "y"]).unwrap();
        assert!(f.sensitivities(&[0.0, 1.0], &["x", "y"]).unwrap_err().to_string().contains("`x`"));
        assert!(f.sensitivities(&[1.0, 0.0], &["x", "y"]).unwrap_err().to_string().contains("`y`"));
    }
}
