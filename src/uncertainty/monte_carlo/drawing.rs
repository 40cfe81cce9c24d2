//! Draws from the joint distribution of the inputs, and the model values there (JCGM 101 7.3, 7.4).

use super::super::correlation::cholesky;
use super::super::distribution::{Distribution, Random};
use super::super::model::Model;
use super::Fault;
use super::tally::Tally;

/// A group of inputs that are drawn together.
enum Group {
    Single(usize),
    /// x + L·z, the rows of L times u: multivariate normal (JCGM 101 6.4.8), or t when all share √(`ν/χ²_ν`).
    Joint {
        members: Vec<usize>,
        rows: Vec<Vec<f64>>,
        dof: Option<f64>,
    },
}

/// A model with all that its trials need.
pub struct Drawing<'a, F> {
    model: &'a Model,
    random: Random<F>,
    groups: Vec<Group>,
    inputs: Vec<f64>,
    normals: Vec<f64>,
    stack: Vec<f64>,
}

impl<'a, F: FnMut() -> f64> Drawing<'a, F> {
    /// Refuses inputs of which no joint distribution is known.
    pub fn new(model: &'a Model, random: Random<F>) -> Result<Self, Fault> {
        for input in &model.inputs {
            if let Distribution::T { u, dof } = input.distribution()
                && dof <= 2.0
                && u > 0.0
            {
                return Err(Fault::NoDeviation { input: input.name().to_owned(), dof });
            }
        }
        let groups = model.groups.iter().map(|members| group(model, members)).collect::<Result<_, _>>()?;
        Ok(Self { model, random, groups, inputs: model.estimates(), normals: vec![], stack: vec![] })
    }

    /// One trial: a draw from the joint distribution of the inputs (JCGM 101 7.3) and the model values there (7.4).
    pub fn trial(&mut self, number: usize, found: &mut [Tally]) -> Result<(), Fault> {
        for group in &self.groups {
            match group {
                Group::Single(at) => {
                    let input = &self.model.inputs[*at];
                    self.inputs[*at] = input.value() + input.distribution().draw(&mut self.random);
                }
                Group::Joint { members, rows, dof } => {
                    self.normals.clear();
                    self.normals.extend(members.iter().map(|_| self.random.normal()));
                    let stretch = dof.map_or(1.0, |dof| self.random.t_stretch(dof));
                    for (at, row) in members.iter().zip(rows) {
                        let shift: f64 = row.iter().zip(&self.normals).map(|(l, z)| l * z).sum();
                        self.inputs[*at] = self.model.inputs[*at].value() + stretch * shift;
                    }
                }
            }
        }
        for (output, tally) in self.model.outputs.iter().zip(found) {
            let value = output.expression.evaluate(&self.inputs, &mut self.stack);
            if !value.is_finite() {
                let drawn = self.model.inputs.iter().zip(&self.inputs);
                let at: Vec<String> = drawn.map(|(input, x)| format!("{} = {x:.6}", input.name())).collect();
                return Err(Fault::Undefined {
                    output: output.name.clone(),
                    trial: number,
                    at: at.join(", "),
                });
            }
            tally.values.push(value);
        }
        Ok(())
    }
}

fn group(model: &Model, members: &[usize]) -> Result<Group, Fault> {
    let [first, ..] = members else { unreachable!("a group has a member") };
    if members.len() == 1 {
        return Ok(Group::Single(*first));
    }
    let kind = |at: usize| match model.inputs[at].distribution() {
        Distribution::Normal { .. } => Some(None),
        Distribution::T { dof, .. } => Some(Some(dof)),
        _ => None,
    };
    let wanted = kind(*first);
    if let Some(odd) = members.iter().find(|at| kind(**at).is_none() || kind(**at) != wanted) {
        let input = &model.inputs[*odd];
        let dof = input.dof().map_or(String::new(), |dof| format!(" with dof {dof}"));
        return Err(Fault::NotJoint {
            input: input.name().to_owned(),
            seen: format!("{}{dof}", input.distribution()),
        });
    }
    let part: Vec<Vec<f64>> =
        members.iter().map(|i| members.iter().map(|j| model.correlation(*i, *j)).collect()).collect();
    let mut rows = cholesky(&part).expect("a part of a positive semi-definite matrix is one");
    for (at, row) in members.iter().zip(&mut rows) {
        for l in row {
            *l *= model.inputs[*at].u();
        }
    }
    Ok(Group::Joint { members: members.to_vec(), rows, dof: wanted.flatten() })
}
