//! Numbers that an expression is computed with: plain ones, or ones that carry their derivative along.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A function of one argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    Sqrt,
    Exp,
    Ln,
    Log10,
    Sin,
    Cos,
    Tan,
    Abs,
}

/// What the machine computes with: plain numbers, or numbers that carry their derivative along.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
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
        // A square is by far the commonest power and much cheaper so; within rounding of 2 both ways agree.
        if (exponent - 2.0).abs() < f64::EPSILON { self * self } else { self.powf(exponent) }
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
pub struct Dual {
    pub value: f64,
    pub slope: f64,
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
        Self {
            value: self.value.atan2(x.value),
            slope: (x.value * self.slope - self.value * x.slope) / square,
        }
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
