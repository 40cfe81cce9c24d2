//! A model as a TOML file, so that a laboratory can check this program with its own cases.
//!
//! ```toml
//! title = "Voltage divider"       # optional, for people
//! p = 0.95                        # coverage probability, optional
//! digits = 2                      # meaningful digits of u: 1 or 2, optional
//! expression = "U * R1 / R2"      # or several outputs: [output.ratio] with expression = "…"
//!
//! [input.U]                       # unit and evidence may be said, for people
//! value = 10.0
//! u = 0.002                       # distribution left out: normal, or t where dof is given
//! dof = 12
//!
//! [input.R1]                      # a and b, or value with half_width, or value with u
//! distribution = "rectangular"    # normal t rectangular trapezoidal triangular arcsine curvilinear-trapezoidal constant
//! a = 99.9
//! b = 100.1
//!
//! [[correlation]]
//! between = ["U", "R1"]
//! r = 0.3
//!
//! [[series]]                      # simultaneous observations: one list an input, of equal length
//! R2 = [10.01, 10.02, 10.00, 10.01]
//! ```

use super::distribution::Distribution;
use super::model::{self, Input, Model};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why a file is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It is no TOML, or has a key that nobody knows.
    #[error("{origin}: {why}")]
    Form {
        /// The file.
        origin: String,
        /// What the parser said.
        why: String,
    },
    /// What is said of an input does not say what is known of it.
    #[error("{origin}: input `{input}`: {why}")]
    Input {
        /// The file.
        origin: String,
        /// The input.
        input: String,
        /// What is missing or too much.
        why: String,
    },
    /// Neither `expression` nor `[output.…]`, or both.
    #[error("{origin}: give either `expression`, or [output.NAME] with an expression each")]
    Outputs {
        /// The file.
        origin: String,
    },
    /// It describes what cannot be a model.
    #[error("{origin}: {fault}")]
    Model {
        /// The file.
        origin: String,
        /// What is wrong.
        fault: Box<model::Fault>,
    },
}

/// What a file asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// For people.
    pub title: Option<String>,
    /// The model.
    pub model: Model,
    /// Coverage probability p, where the file says it.
    pub p: Option<f64>,
    /// Meaningful digits of u, where the file says them.
    pub digits: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    title: Option<String>,
    p: Option<f64>,
    digits: Option<u8>,
    expression: Option<String>,
    #[serde(default)]
    input: BTreeMap<String, Known>,
    #[serde(default)]
    output: BTreeMap<String, Wanted>,
    #[serde(default)]
    correlation: Vec<Pair>,
    #[serde(default)]
    series: Vec<BTreeMap<String, Vec<f64>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    expression: String,
    #[serde(rename = "unit")]
    _unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    between: [String; 2],
    r: f64,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Shape {
    Constant,
    #[serde(alias = "gaussian")]
    Normal,
    #[serde(alias = "student-t")]
    T,
    #[serde(alias = "uniform")]
    Rectangular,
    Trapezoidal,
    Triangular,
    #[serde(alias = "u-shaped")]
    Arcsine,
    #[serde(alias = "curvilinear_trapezoidal", alias = "ctrap")]
    CurvilinearTrapezoidal,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Known {
    value: Option<f64>,
    distribution: Option<Shape>,
    u: Option<f64>,
    half_width: Option<f64>,
    a: Option<f64>,
    b: Option<f64>,
    beta: Option<f64>,
    d: Option<f64>,
    dof: Option<f64>,
    #[serde(rename = "unit")]
    _unit: Option<String>,
    #[serde(rename = "evidence")]
    _evidence: Option<String>,
}

impl Request {
    /// Reads a file's text; `origin` names it in messages.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Fault> {
        let sheet: Sheet = toml::from_str(text).map_err(|e| Fault::Form {
            origin: origin.to_owned(),
            why: e.to_string().trim_end().to_owned(),
        })?;
        let outputs: Vec<(&str, &str)> = match &sheet.expression {
            Some(expression) if sheet.output.is_empty() => vec![("y", expression)],
            None if !sheet.output.is_empty() => sheet
                .output
                .iter()
                .map(|(name, wanted)| (name.as_str(), wanted.expression.as_str()))
                .collect(),
            _ => return Err(Fault::Outputs { origin: origin.to_owned() }),
        };
        let mut builder = Model::builder();
        for (name, known) in &sheet.input {
            let wrong = |why: String| Fault::Input { origin: origin.to_owned(), input: name.clone(), why };
            builder = builder.input(known.input(name).map_err(wrong)?);
        }
        for observations in &sheet.series {
            let lists: Vec<(&str, &[f64])> =
                observations.iter().map(|(n, seen)| (n.as_str(), seen.as_slice())).collect();
            builder = builder.series(&lists);
        }
        for pair in &sheet.correlation {
            builder = builder.correlation(&pair.between[0], &pair.between[1], pair.r);
        }
        for (name, expression) in outputs {
            builder = builder.output(name, expression);
        }
        let model = builder
            .build()
            .map_err(|fault| Fault::Model { origin: origin.to_owned(), fault: Box::new(fault) })?;
        Ok(Self { title: sheet.title, model, p: sheet.p, digits: sheet.digits })
    }
}

impl Known {
    fn input(&self, name: &str) -> Result<Input, String> {
        let shape = self.distribution.unwrap_or(if self.dof.is_some() { Shape::T } else { Shape::Normal });
        for (key, given, wanted) in [
            ("beta", self.beta.is_some(), shape == Shape::Trapezoidal),
            ("d", self.d.is_some(), shape == Shape::CurvilinearTrapezoidal),
        ] {
            match (given, wanted) {
                (true, false) => return Err(format!("`{key}` does not belong to this distribution")),
                (false, true) => return Err(format!("this distribution needs `{key}`")),
                _ => {}
            }
        }
        let (value, distribution) = match shape {
            Shape::Constant | Shape::Normal | Shape::T => (self.value, self.by_u(shape)?),
            _ => self.by_limits(shape)?,
        };
        let value = value.ok_or("`value` is missing")?;
        let input = Input::new(name, value, distribution);
        Ok(match self.dof {
            Some(dof) => input.with_dof(dof),
            None => input,
        })
    }

    /// Constant, normal and t.
    fn by_u(&self, shape: Shape) -> Result<Distribution, String> {
        if self.a.or(self.b).or(self.half_width).is_some() {
            return Err("`a`, `b` and `half_width` belong to a distribution with limits; name it, such as distribution = \"rectangular\"".into());
        }
        match (shape, self.u) {
            (Shape::Constant, None) => Ok(Distribution::Constant),
            (Shape::Constant, Some(_)) => Err("a constant has no `u`".into()),
            (_, None) => {
                Err("`u` is missing; say distribution = \"constant\" for a number known exactly".into())
            }
            (Shape::T, Some(u)) => {
                let dof = self.dof.ok_or("distribution t needs `dof`")?;
                Ok(Distribution::T { u, dof })
            }
            (_, Some(u)) => Ok(Distribution::Normal { u }),
        }
    }

    /// The distributions with limits, by a and b, by value and half-width, or by value and u.
    fn by_limits(&self, shape: Shape) -> Result<(Option<f64>, Distribution), String> {
        // u of the same shape with half-width 1; nothing for the curvilinear trapezoid, whose d must be known apart.
        let beta = self.beta.unwrap_or(0.0);
        let shaped = |half_width: f64| match shape {
            Shape::Rectangular => Distribution::Rectangular { half_width },
            Shape::Trapezoidal => Distribution::Trapezoidal { half_width, beta },
            Shape::Triangular => Distribution::Triangular { half_width },
            Shape::Arcsine => Distribution::Arcsine { half_width },
            _ => Distribution::Curvilinear { half_width, d: self.d.unwrap_or(0.0) },
        };
        let (value, half_width) = match (self.a, self.b, self.half_width, self.u) {
            (Some(a), Some(b), None, None) if self.value.is_none() => {
                if !(a.is_finite() && b.is_finite() && a <= b) {
                    return Err(format!("a = {a} and b = {b} are no limits; a must not be above b"));
                }
                (Some(f64::midpoint(a, b)), (b - a) / 2.0)
            }
            (None, None, Some(half_width), None) => (self.value, half_width),
            (None, None, None, Some(u)) if shape != Shape::CurvilinearTrapezoidal => {
                (self.value, u / shaped(1.0).u())
            }
            _ => return Err("give `a` and `b`, or `value` with `half_width`, or `value` with `u`, and no more than one of these".into()),
        };
        Ok((value, shaped(half_width)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Request::from_toml("case.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn limits_half_width_and_u_say_the_same() {
        let u = 0.2 / 3f64.sqrt();
        for known in [
            "a = 0.8\nb = 1.2".to_owned(),
            "value = 1\nhalf_width = 0.2".to_owned(),
            format!("value = 1\nu = {u}"),
        ] {
            let text = format!("expression = \"x\"\n[input.x]\ndistribution = \"rectangular\"\n{known}");
            let input = Request::from_toml("case.toml", &text).unwrap().model.inputs()[0].clone();
            assert!((input.value() - 1.0).abs() < 1e-15 && (input.u() - u).abs() < 1e-15, "{known}");
        }
    }

    #[test]
    fn dof_alone_means_t() {
        let text = "expression = \"x\"\n[input.x]\nvalue = 1\nu = 1\ndof = 5";
        let request = Request::from_toml("case.toml", text).unwrap();
        assert_eq!(request.model.inputs()[0].distribution(), Distribution::T { u: 1.0, dof: 5.0 });
    }

    #[test]
    fn what_is_no_file_of_this_kind_is_refused_by_name() {
        for (text, said) in [
            ("expresion = \"x\"", "unknown field `expresion`"),
            ("", "either `expression`, or [output.NAME]"),
            ("expression = \"x\"\n[input.x]\nvalue = 1", "input `x`: `u` is missing"),
            ("expression = \"x\"\n[input.x]\nu = 1", "input `x`: `value` is missing"),
            ("expression = \"x\"\n[input.x]\nvalue = 1\nuu = 1", "unknown field `uu`"),
            ("expression = \"x\"\n[input.x]\nvalue = nan\nu = 1", "value of input `x` is NaN"),
            ("expression = \"x\"\n[input.x]\nvalue = 1\nu = nan", "input `x`: u is NaN"),
            ("expression = \"x\"\n[input.x]\nvalue = 1\nu = -1", "input `x`: u is -1"),
            (
                "expression = \"x\"\n[input.x]\nvalue = 1\nhalf_width = 1",
                "input `x`: `a`, `b` and `half_width`",
            ),
            (
                "expression = \"x\"\n[input.x]\nvalue = 1\nu = 1\ndistribution = \"flat\"",
                "unknown variant `flat`",
            ),
            ("expression = \"x\"\n[input.x]\na = 2\nb = 1\ndistribution = \"uniform\"", "a = 2 and b = 1"),
            (
                "expression = \"x\"\n[input.x]\nvalue = 1\nu = 1\ndistribution = \"trapezoidal\"",
                "needs `beta`",
            ),
            ("expression = \"x\"\n[input.x]\nvalue = 1\nu = 1\nd = 1", "`d` does not belong"),
            ("expression = \"x\"\n[input.x]\nvalue = 1\nu = 1\ndistribution = \"t\"", "t needs `dof`"),
            ("expression = \"x + z\"\n[input.x]\nvalue = 1\nu = 1", "`z` is no input"),
            ("expression = \"foo(x)\"\n[input.x]\nvalue = 1\nu = 1", "`foo` is no function"),
            ("expression = \"1 / x\"\n[input.x]\nvalue = 0\nu = 1", "division by zero"),
        ] {
            assert!(
                fault(text).contains(said) && fault(text).starts_with("case.toml: "),
                "{said}: {}",
                fault(text)
            );
        }
    }
}
