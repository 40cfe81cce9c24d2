//! A measurement model: inputs with what is known of them, how they depend on one another, and the outputs.
//!
//! Built through a [`Builder`] that refuses, by name, what cannot be a model; what was built is sound, so the law of
//! [`propagation`](super::propagation) and the [`monte_carlo`](super::monte_carlo) need not ask again.

use super::distribution::{self, Distribution, check_dof};
use super::expression::{self, Expression, is_name};
use super::type_a;

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
    #[error("series: `{name}` has {seen} observations where `{first}` has {wanted}; simultaneous ones come in equal number")]
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
    #[error("series: `{name}` has {seen} observations; at least 2 are needed for a standard uncertainty of type A")]
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
    #[error("the correlation matrix is not positive semi-definite: what is said of `{name}` contradicts what is said of the inputs before it; no quantities can be correlated so")]
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

/// Collects a model.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    inputs: Vec<Input>,
    correlations: Vec<(String, String, f64)>,
    series: Vec<Vec<(String, Vec<f64>)>>,
    outputs: Vec<(String, String)>,
}

impl Builder {
    /// Adds an input.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.inputs.push(input);
        self
    }

    /// Adds simultaneous observations of several inputs: means, u, n − 1 degrees of freedom and the correlations of the
    /// means follow from them (GUM 4.2, 5.2.3, H.2).
    #[must_use]
    pub fn series(mut self, observations: &[(&str, &[f64])]) -> Self {
        self.series.push(observations.iter().map(|(name, seen)| ((*name).to_owned(), seen.to_vec())).collect());
        self
    }

    /// Says that two inputs are correlated with coefficient r(xᵢ, xⱼ) (GUM 5.2.2).
    #[must_use]
    pub fn correlation(mut self, a: &str, b: &str, r: f64) -> Self {
        self.correlations.push((a.to_owned(), b.to_owned(), r));
        self
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, name: &str, expression: &str) -> Self {
        self.outputs.push((name.to_owned(), expression.to_owned()));
        self
    }

    /// The model, or what is wrong with it.
    pub fn build(self) -> Result<Model, Fault> {
        let Self { mut inputs, correlations, series, outputs } = self;
        let mut together = vec![];
        for observations in &series {
            together.push((inputs.len(), observations));
            for (name, seen) in observations {
                let (first, wanted) = (&observations[0].0, observations[0].1.len());
                inputs.push(observed(name, seen, first, wanted)?);
            }
        }
        let names: Vec<String> = inputs.iter().map(|i| i.name.clone()).collect();
        for (i, input) in inputs.iter().enumerate() {
            input.check()?;
            if names[..i].contains(&input.name) {
                return Err(Fault::Twice { name: input.name.clone() });
            }
        }
        let n = inputs.len();
        let mut r = identity(n);
        let mut root: Vec<usize> = (0..n).collect();
        for (start, observations) in together {
            for (i, (_, a)) in observations.iter().enumerate() {
                join(&mut root, start, start + i);
                for (j, (_, b)) in observations[..i].iter().enumerate() {
                    let both = correlation_of(a, b);
                    (r[start + i][start + j], r[start + j][start + i]) = (both, both);
                }
            }
        }
        let mut said: Vec<(usize, usize)> = vec![];
        for (a, b, coefficient) in correlations {
            let (i, j) = pair(&inputs, &a, &b, coefficient)?;
            if root[i] == root[j] && said.contains(&(i.min(j), i.max(j))) || r[i][j] != 0.0 {
                return Err(Fault::Correlation { a, b, why: "it is given twice".into() });
            }
            said.push((i.min(j), i.max(j)));
            (r[i][j], r[j][i]) = (coefficient, coefficient);
            if coefficient != 0.0 {
                join(&mut root, i, j);
            }
        }
        if let Err(at) = cholesky(&r) {
            return Err(Fault::Indefinite { name: names[at].clone() });
        }
        let mut groups: Vec<Vec<usize>> = vec![];
        for i in 0..n {
            match groups.iter_mut().find(|g| root[g[0]] == root[i]) {
                Some(group) => group.push(i),
                None => groups.push(vec![i]),
            }
        }
        let outputs = read_outputs(outputs, &inputs)?;
        Ok(Model { inputs, correlation: r, groups, outputs })
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

/// An input by its observations: mean, s/√n, n − 1 (GUM 4.2.1, 4.2.3), as t (JCGM 101 6.4.9.2).
fn observed(name: &str, seen: &[f64], first: &str, wanted: usize) -> Result<Input, Fault> {
    if seen.len() != wanted {
        return Err(Fault::Uneven { name: name.to_owned(), seen: seen.len(), first: first.to_owned(), wanted });
    }
    let too_few = || Fault::TooFew { name: name.to_owned(), seen: seen.len() };
    let (mean, u, dof) = type_a(seen).ok_or_else(too_few)?;
    Ok(Input::new(name, mean, Distribution::T { u, dof }))
}

/// r(q̄, r̄) of the means of simultaneous observations (GUM 5.2.3): that of the observations themselves.
fn correlation_of(a: &[f64], b: &[f64]) -> f64 {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum::<f64>();
    let scatter = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    // What does not scatter depends on nothing.
    if scatter == 0.0 { 0.0 } else { (sum(&|a, b| a * b) / scatter).clamp(-1.0, 1.0) }
}

fn pair(inputs: &[Input], a: &str, b: &str, r: f64) -> Result<(usize, usize), Fault> {
    let wrong = |why: String| Fault::Correlation { a: a.to_owned(), b: b.to_owned(), why };
    let place = |name: &str| {
        let at = inputs.iter().position(|i| i.name == name).ok_or_else(|| wrong(format!("`{name}` is no input")))?;
        if inputs[at].u() == 0.0 { Err(wrong(format!("`{name}` has no uncertainty"))) } else { Ok(at) }
    };
    if !(-1.0..=1.0).contains(&r) {
        return Err(wrong(format!("r is {r}; a correlation coefficient lies between -1 and 1")));
    }
    let (i, j) = (place(a)?, place(b)?);
    if i == j { Err(wrong("an input is not correlated with itself".into())) } else { Ok((i, j)) }
}

fn read_outputs(outputs: Vec<(String, String)>, inputs: &[Input]) -> Result<Vec<Output>, Fault> {
    if outputs.is_empty() {
        return Err(Fault::NoOutput);
    }
    let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
    let estimates: Vec<f64> = inputs.iter().map(|i| i.value).collect();
    let mut read: Vec<Output> = vec![];
    for (name, text) in outputs {
        if read.iter().any(|o| o.name == name) {
            return Err(Fault::Twice { name });
        }
        let parsed = Expression::parse(&text, &names);
        match parsed.and_then(|f| f.evaluate_checked(&estimates).map(|_| f)) {
            Ok(expression) => read.push(Output { name, expression }),
            Err(fault) => return Err(Fault::Expression { name, fault }),
        }
    }
    Ok(read)
}

fn identity(n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

/// Puts two inputs into one group: every input carries the place of its group's root.
fn join(root: &mut [usize], i: usize, j: usize) {
    let (from, to) = (root[j], root[i]);
    root.iter_mut().filter(|r| **r == from).for_each(|r| *r = to);
}

/// L with L·Lᵀ = `matrix`, which may be singular but not indefinite; otherwise the row at which that shows. Rounded
/// coefficients are forgiven 10⁻⁹ (JCGM 101 6.4.8.2, C.5).
pub(super) fn cholesky(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, usize> {
    const FORGIVEN: f64 = 1e-9;
    let n = matrix.len();
    let mut l = vec![vec![0.0; n]; n];
    for j in 0..n {
        let dot = |a: &[f64], b: &[f64]| a[..j].iter().zip(&b[..j]).map(|(a, b)| a * b).sum::<f64>();
        let pivot = matrix[j][j] - dot(&l[j], &l[j]);
        if pivot < -FORGIVEN {
            return Err(j);
        }
        for i in j + 1..n {
            let rest = matrix[i][j] - dot(&l[i], &l[j]);
            if pivot > FORGIVEN {
                l[i][j] = rest / pivot.sqrt();
            } else if rest * rest > FORGIVEN {
                return Err(i);
            }
        }
        l[j][j] = if pivot > FORGIVEN { pivot.sqrt() } else { 0.0 };
    }
    Ok(l)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(name: &str, u: f64) -> Input {
        Input::new(name, 1.0, Distribution::Normal { u })
    }

    fn three() -> Builder {
        Model::builder().input(normal("a", 1.0)).input(normal("b", 1.0)).input(normal("c", 1.0)).output("y", "a+b+c")
    }

    #[test]
    fn what_cannot_be_a_model_is_refused_by_name() {
        let constant = Input::new("e", 1.0, Distribution::Constant);
        for (builder, said) in [
            (three().input(normal("a", 1.0)), "`a` is given twice"),
            (three().input(normal("sqrt", 1.0)), "`sqrt` cannot be a name"),
            (three().input(normal("d", -1.0)), "input `d`: u is -1"),
            (three().input(normal("d", 1.0).with_dof(0.0)), "input `d`: dof is 0"),
            (three().input(Input::new("d", f64::NAN, Distribution::Constant)), "value of input `d` is NaN"),
            (three().correlation("a", "b", 1.2), "between `a` and `b`: r is 1.2"),
            (three().correlation("a", "b", f64::NAN), "r is NaN"),
            (three().correlation("a", "z", 0.5), "`z` is no input"),
            (three().correlation("a", "a", 0.5), "not correlated with itself"),
            (three().correlation("a", "b", 0.5).correlation("b", "a", 0.5), "given twice"),
            (three().input(constant).correlation("a", "e", 0.5), "`e` has no uncertainty"),
            (three().series(&[("d", &[1.0, 2.0]), ("e", &[1.0])]), "`e` has 1 observations where `d` has 2"),
            (three().series(&[("d", &[1.0])]), "at least 2"),
            (three().output("z", "a / (b - c)"), "output `z`: expression `a / (b - c)` has no value"),
            (three().output("y", "a"), "`y` is given twice"),
            (Model::builder(), "no output"),
        ] {
            let fault = builder.build().unwrap_err().to_string();
            assert!(fault.contains(said), "{said}: {fault}");
        }
    }

    #[test]
    fn correlations_that_contradict_one_another_are_refused() {
        let fault = three().correlation("a", "b", 0.9).correlation("b", "c", 0.9).correlation("a", "c", -0.9).build();
        assert_eq!(fault, Err(Fault::Indefinite { name: "c".into() }));
        assert!(three().correlation("a", "b", 1.0).correlation("b", "c", -1.0).correlation("a", "c", -1.0).build().is_ok());
        assert!(three().correlation("a", "b", 1.0).correlation("b", "c", -1.0).correlation("a", "c", 1.0).build().is_err());
    }

    #[test]
    fn a_series_gives_means_scatter_and_correlation() {
        let model = Model::builder().series(&[("p", &[1.0, 2.0, 3.0]), ("q", &[2.0, 4.0, 6.0])]).output("y", "p*q");
        let model = model.build().unwrap();
        assert_eq!((model.inputs[0].value(), model.inputs[1].dof()), (2.0, Some(2.0)));
        assert!((model.inputs[0].u() - 1.0 / 3f64.sqrt()).abs() < 1e-15);
        assert!((model.correlation(0, 1) - 1.0).abs() < 1e-15);
        assert_eq!(model.groups, [[0, 1]]);
    }
}
