//! A measurement model: inputs with what is known of them, how they depend on one another, and the outputs.
//!
//! Built through a [`Builder`] that refuses, by name, what cannot be a model; what was built is sound, so the law of
//! [`propagation`](super::propagation) and the [`monte_carlo`](super::monte_carlo) need not ask again.

mod builder;

pub use builder::Builder;

use super::distribution::{self, Distribution, check_dof};
use super::expression::{self, Expression, is_name};

/// Why inputs and expressions make no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A name that an expression could not use.
    #[error("`{name}` cannot be a name; use a letter, then letters, digits and _, and no name of a function")]
    Name {
        /// The name.
        name: String,
    },
    /// Two of one name.
    #[error("`{name}` is given twice; each input and each output needs its own name")]
    Twice {
        /// The name.
        name: String,
    },
    /// An estimate that is no number.
    #[error("value of input `{name}` is {seen}; it must be a finite number")]
    Value {
        /// The input.
        name: String,
        /// What was given.
        seen: f64,
    },
    /// Parameters that make no distribution.
    #[error("input `{name}`: {fault}")]
    Distribution {
        /// The input.
        name: String,
        /// What is wrong.
        fault: distribution::Fault,
    },
    /// Observations of unequal number are not simultaneous.
    #[error(
        "series: `{name}` has {seen} observations where `{first}` has {wanted}; simultaneous ones come in equal number"
    )]
    Uneven {
        /// The input.
        name: String,
        /// Its observations.
        seen: usize,
        /// The first input of the series.
        first: String,
        /// Its observations.
        wanted: usize,
    },
    /// One observation has no scatter.
    #[error(
        "series: `{name}` has {seen} observations; at least 2 are needed for a standard uncertainty of type A"
    )]
    TooFew {
        /// The input.
        name: String,
        /// Its observations.
        seen: usize,
    },
    /// A correlation with something unknown, with itself, or with a constant.
    #[error("correlation between `{a}` and `{b}`: {why}")]
    Correlation {
        /// One side.
        a: String,
        /// The other.
        b: String,
        /// What is wrong.
        why: String,
    },
    /// Correlations that contradict one another.
    #[error(
        "the correlation matrix is not positive semi-definite: what is said of `{name}` contradicts what is said of the inputs before it; no quantities can be correlated so"
    )]
    Indefinite {
        /// The input at which it shows.
        name: String,
    },
    /// Nothing asked for.
    #[error("there is no output; give an expression")]
    NoOutput,
    /// An expression that is none, or has no value.
    #[error("output `{name}`: {fault}")]
    Expression {
        /// The output.
        name: String,
        /// What is wrong.
        fault: expression::Fault,
    },
    /// A coverage probability that is none.
    #[error("coverage probability is {seen}; it must lie between 0 and 1, such as 0.95")]
    Probability {
        /// What was given.
        seen: f64,
    },
}

/// An input quantity Xᵢ: its estimate xᵢ and what is known about it (GUM 4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    name: String,
    value: f64,
    distribution: Distribution,
    dof: Option<f64>,
}

impl Input {
    /// An input with this estimate and distribution; [`Builder::build`] checks it.
    pub fn new(name: &str, value: f64, distribution: Distribution) -> Self {
        let dof = if let Distribution::T { dof, .. } = distribution { Some(dof) } else { None };
        Self { name: name.to_owned(), value, distribution, dof }
    }

    /// How reliable u(x) is, as degrees of freedom (GUM G.4.2). The law of propagation uses it; of the distributions
    /// only t changes its draws with it.
    #[must_use]
    pub fn with_dof(mut self, reliable: f64) -> Self {
        self.dof = Some(reliable);
        if let Distribution::T { dof, .. } = &mut self.distribution {
            *dof = reliable;
        }
        self
    }

    /// Its name in expressions.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The estimate xᵢ.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// What is known about it.
    pub fn distribution(&self) -> Distribution {
        self.distribution
    }

    /// Standard uncertainty u(xᵢ).
    pub fn u(&self) -> f64 {
        self.distribution.u()
    }

    /// Degrees of freedom νᵢ of u(xᵢ); absent: infinite.
    pub fn dof(&self) -> Option<f64> {
        self.dof
    }

    fn check(&self) -> Result<(), Fault> {
        let name = self.name.clone();
        if !is_name(&name) {
            return Err(Fault::Name { name });
        }
        if !self.value.is_finite() {
            return Err(Fault::Value { name, seen: self.value });
        }
        let sound = self.distribution.check().and_then(|()| self.dof.map_or(Ok(()), check_dof));
        sound.map_err(|fault| Fault::Distribution { name, fault })
    }
}

/// An output quantity with its expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub(super) name: String,
    pub(super) expression: Expression,
}

impl Output {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its model f.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }
}

/// A sound model: every check of [`Builder::build`] passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(super) inputs: Vec<Input>,
    pub(super) correlation: Vec<Vec<f64>>,
    /// Inputs that depend on one another, by place; most groups hold one.
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) outputs: Vec<Output>,
}

impl Model {
    /// Begins one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The outputs.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Correlation coefficient r(xᵢ, xⱼ) of two inputs by place.
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        self.correlation[i][j]
    }

    pub(super) fn estimates(&self) -> Vec<f64> {
        self.inputs.iter().map(|i| i.value).collect()
    }
}
