//! A model being put together, and every check that it is one.

use super::super::correlation::{cholesky, identity, of_observations};
use super::super::distribution::Distribution;
use super::super::expression::Expression;
use super::super::type_a;
use super::{Fault, Input, Model, Output};

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
        self.series
            .push(observations.iter().map(|(name, seen)| ((*name).to_owned(), seen.to_vec())).collect());
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
        let mut said: Vec<(usize, usize)> = vec![];
        for (start, observations) in together {
            for (i, (_, a)) in observations.iter().enumerate() {
                join(&mut root, start, start + i);
                for (j, (_, b)) in observations[..i].iter().enumerate() {
                    let both = of_observations(a, b);
                    said.push((start + j, start + i));
                    (r[start + i][start + j], r[start + j][start + i]) = (both, both);
                }
            }
        }
        for (a, b, coefficient) in correlations {
            let (i, j) = pair(&inputs, &a, &b, coefficient)?;
            if said.contains(&(i.min(j), i.max(j))) {
                return Err(Fault::Correlation {
                    a,
                    b,
                    why: "it is given twice, or follows from a series already".into(),
                });
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

/// An input by its observations: mean, s/√n, n − 1 (GUM 4.2.1, 4.2.3), as t (JCGM 101 6.4.9.2).
fn observed(name: &str, seen: &[f64], first: &str, wanted: usize) -> Result<Input, Fault> {
    if seen.len() != wanted {
        return Err(Fault::Uneven {
            name: name.to_owned(),
            seen: seen.len(),
            first: first.to_owned(),
            wanted,
        });
    }
    let too_few = || Fault::TooFew { name: name.to_owned(), seen: seen.len() };
    let (mean, u, dof) = type_a(seen).ok_or_else(too_few)?;
    Ok(Input::new(name, mean, Distribution::T { u, dof }))
}

fn pair(inputs: &[Input], a: &str, b: &str, r: f64) -> Result<(usize, usize), Fault> {
    let wrong = |why: String| Fault::Correlation { a: a.to_owned(), b: b.to_owned(), why };
    let place = |name: &str| {
        let at = inputs
            .iter()
            .position(|i| i.name == name)
            .ok_or_else(|| wrong(format!("`{name}` is no input")))?;
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

/// Puts two inputs into one group: every input carries the place of its group's root.
fn join(root: &mut [usize], i: usize, j: usize) {
    let (from, to) = (root[j], root[i]);
    root.iter_mut().filter(|r| **r == from).for_each(|r| *r = to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(name: &str, u: f64) -> Input {
        Input::new(name, 1.0, Distribution::Normal { u })
    }

    fn three() -> Builder {
        Model::builder()
            .input(normal("a", 1.0))
            .input(normal("b", 1.0))
            .input(normal("c", 1.0))
            .output("y", "a+b+c")
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
            (three().correlation("a", "b", 0.5).correlation("b", "a", 0.5), "it is given twice"),
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
        let fault =
            three().correlation("a", "b", 0.9).correlation("b", "c", 0.9).correlation("a", "c", -0.9).build();
        assert_eq!(fault, Err(Fault::Indefinite { name: "c".into() }));
        assert!(
            three()
                .correlation("a", "b", 1.0)
                .correlation("b", "c", -1.0)
                .correlation("a", "c", -1.0)
                .build()
                .is_ok()
        );
        assert!(
            three()
                .correlation("a", "b", 1.0)
                .correlation("b", "c", -1.0)
                .correlation("a", "c", 1.0)
                .build()
                .is_err()
        );
    }

    #[test]
    fn a_series_gives_means_scatter_and_correlation() {
        let model =
            Model::builder().series(&[("p", &[1.0, 2.0, 3.0]), ("q", &[2.0, 4.0, 6.0])]).output("y", "p*q");
        let model = model.build().unwrap();
        assert_eq!((model.inputs[0].value(), model.inputs[1].dof()), (2.0, Some(2.0)));
        assert!((model.inputs[0].u() - 1.0 / 3f64.sqrt()).abs() < 1e-15);
        assert!((model.correlation(0, 1) - 1.0).abs() < 1e-15);
        assert_eq!(model.groups, [[0, 1]]);
    }
}
