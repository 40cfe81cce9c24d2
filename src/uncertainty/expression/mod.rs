//! The measurement model f of Y = f(X₁, …, `X_N`) (GUM 4.1) as text: parsed once, evaluated often, differentiated exactly.
//!
//! Knows `+ - * / ^`, parentheses, numbers, the names of the inputs, `pi`, and the functions of [`FUNCTIONS`]. Powers
//! bind tighter than the sign, as on paper: `-x^2` is −(x²). Hand-made because the maintained crates read it as (−x)²,
//! or carry a licence that this program cannot.

mod number;
mod parser;

use number::{Dual, Function, Number};
use parser::is_start;

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
    #[error(
        "expression `{text}` has no finite derivative with respect to `{input}` at the estimates; the law of propagation does not apply"
    )]
    NotDifferentiable {
        /// The expression.
        text: String,
        /// The input.
        input: String,
    },
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

/// A model that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    steps: Vec<Step>,
}

impl Expression {
    /// Reads `text`; an input is known by its place in `names`.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, Fault> {
        Ok(Self { text: text.to_owned(), steps: parser::read(text, names)? })
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// f(x₁, …, `x_N`). `stack` is room to work in, given so that a million calls need it once.
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
                Step::Call(function) => {
                    format!("{}({top}) is no finite number", format!("{function:?}").to_lowercase())
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        Expression::parse(text, &["x", "y"]).unwrap().evaluate_checked(&[2.0, 3.0]).unwrap()
    }

    fn fault(text: &str) -> String {
        Expression::parse(text, &["x", "y"])
            .and_then(|e| e.evaluate_checked(&[2.0, 0.0]))
            .unwrap_err()
            .to_string()
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
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
        for text in [
            "x*y",
            "x/y",
            "x^y",
            "y^3 - x^0.5",
            "sqrt(x)*exp(y)",
            "ln(x*y)",
            "log10(x+y)",
            "sin(x)*cos(y)",
            "tan(x)",
            "abs(-x)",
            "atan2(x, y)",
        ] {
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
