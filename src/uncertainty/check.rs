//! Whether the interval that a budget states by the law of propagation is the one its distributions give: the validation
//! by a Monte Carlo method of JCGM 101:2008, clause 8, for a budget of independent components that add.

use super::distribution::Distribution;
use super::model::{self, Input, Model};
use super::monte_carlo::{self, Sampled, Setup, Trials, sample};
use super::{COVERAGE, Component, Estimate, Shape, combine};

/// Digits of u that are regarded as meaningful (JCGM 101 7.9.2): as many as the papers print.
const DIGITS: u8 = 2;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A component that is no number.
    #[error(transparent)]
    Budget(#[from] super::Fault),
    /// A component that makes no distribution.
    #[error(transparent)]
    Model(#[from] model::Fault),
    /// The draws.
    #[error(transparent)]
    MonteCarlo(#[from] monte_carlo::Fault),
}

/// What the Monte Carlo says of a stated interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What was held against the Monte Carlo: the stated estimate, or, where components were taken as normal, that
    /// without their degrees of freedom.
    pub law: Estimate,
    /// What the Monte Carlo found, with its tolerance δ and number of trials.
    pub sampled: Sampled,
    /// Whether both ends agree within δ (JCGM 101 8.1). None where the trials ran out before it was clear.
    pub agree: Option<bool>,
    /// Components of so few degrees of freedom that t has no standard deviation, and JCGM 101 (6.4.9.4) no answer. They
    /// are taken as normal on both sides: what is checked then is everything but what those few readings add to k.
    pub taken_as_normal: Vec<String>,
}

/// Holds `stated`, an estimate for the coverage probability [`COVERAGE`], against the distributions of its budget.
/// `uniform` gives independent numbers in [0, 1); the same ones give the same answer.
pub fn check(
    stated: &Estimate,
    budget: &[Component],
    uniform: impl FnMut() -> f64,
) -> Result<Checked, Fault> {
    // A component that is none is refused under its own name, not under the model's.
    combine(stated.value, budget)?;
    let mut taken = vec![];
    let mut drawn = budget.to_vec();
    for component in drawn.iter_mut().filter(|c| has_no_deviation(c)) {
        component.dof = None;
        taken.push(component.label.clone());
    }
    let law = if taken.is_empty() { stated.clone() } else { combine(stated.value, &drawn)? };
    let mut builder = Model::builder().input(Input::new("y", stated.value, Distribution::Constant));
    let (mut sum, mut normal) = ("y + normal".to_owned(), 0f64);
    for (n, component) in drawn.iter().enumerate() {
        match distribution(component) {
            // Normal quantities that add are one normal quantity: exact, and one draw in place of many.
            Distribution::Normal { u } => normal = normal.hypot(u),
            other => {
                let name = format!("c{n}");
                sum = format!("{sum} + {name}");
                builder = builder.input(Input::new(&name, 0.0, other));
            }
        }
    }
    builder = builder.input(Input::new("normal", 0.0, Distribution::Normal { u: normal }));
    let model = builder.output("sum", &sum).build()?;
    let setup = Setup { p: COVERAGE, digits: DIGITS, trials: Trials::Adaptive };
    let mut samples = sample(&model, setup, uniform)?;
    let sampled = samples.outputs.swap_remove(0);
    let agree = sampled.agrees(&law, setup.trials);
    Ok(Checked { law, sampled, agree, taken_as_normal: taken })
}

/// Few readings: Student's t (JCGM 101 6.4.9.2), whose standard deviation exists above two degrees of freedom.
fn has_no_deviation(component: &Component) -> bool {
    component.shape == Shape::Normal && component.dof.is_some_and(|dof| dof <= 2.0)
}

/// What a component is drawn from.
fn distribution(component: &Component) -> Distribution {
    let u = component.u;
    match (component.shape, component.dof) {
        // Half-widths of the standard deviation u: √3·u (GUM 4.3.7) and √6·u (GUM 4.3.9).
        (Shape::Rectangular, _) => Distribution::Rectangular { half_width: u * 3f64.sqrt() },
        (Shape::Triangular, _) => Distribution::Triangular { half_width: u * 6f64.sqrt() },
        (Shape::Normal, Some(dof)) => Distribution::T { u, dof },
        (Shape::Normal, None) => Distribution::Normal { u },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mixer of `distribution`'s tests: uniform enough, and the same for ever.
    fn uniform() -> impl FnMut() -> f64 {
        let mut state = 1u64;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn readings(u: f64, dof: f64) -> Component {
        Component::a("readings", u, dof, "")
    }

    fn answer(budget: &[Component]) -> Checked {
        check(&combine(0.3, budget).unwrap(), budget, uniform()).unwrap()
    }

    #[test]
    fn many_normal_components_agree() {
        let checked = answer(&[Component::b("certificate", 0.012, ""), Component::b("drift", 0.005, "")]);
        assert_eq!(checked.agree, Some(true), "{checked:?}");
        assert!(checked.sampled.settled && checked.taken_as_normal.is_empty());
    }

    #[test]
    fn two_scatters_of_few_readings_are_wider_than_welch_and_satterthwaite_say() {
        let checked = answer(&[readings(0.011, 3.0), readings(0.011, 3.0)]);
        assert_eq!(checked.agree, Some(false), "{checked:?}");
        assert!(checked.sampled.high > checked.law.value + checked.law.expanded);
    }

    #[test]
    fn a_single_rectangle_is_narrower_than_the_law_says() {
        // ±1.96·u by the law, ±0.95 of its half-width, 1.65·u, by the rectangle itself.
        let checked = answer(&[Component::rectangular("last digit", 0.01, "")]);
        assert_eq!(checked.agree, Some(false), "{checked:?}");
        assert!((checked.sampled.high - 0.3095).abs() < checked.sampled.tolerance, "{checked:?}");
    }

    #[test]
    fn an_interval_that_does_not_follow_from_its_budget_is_found() {
        let budget = [Component::b("certificate", 0.012, "")];
        let mut stated = combine(0.3, &budget).unwrap();
        stated.expanded *= 0.8;
        assert_eq!(check(&stated, &budget, uniform()).unwrap().agree, Some(false));
    }

    #[test]
    fn two_readings_are_taken_as_normal_and_said_to_be() {
        let checked = answer(&[Component::b("certificate", 0.012, ""), readings(0.004, 1.0)]);
        assert_eq!((checked.agree, checked.law.dof), (Some(true), None));
        assert_eq!(checked.taken_as_normal, ["readings"]);
    }

    #[test]
    fn a_component_that_is_no_number_is_refused_by_name() {
        let budget = [Component::b("drift", f64::NAN, "")];
        let stated = combine(0.0, &[]).unwrap();
        assert!(
            check(&stated, &budget, uniform()).unwrap_err().to_string().contains("component `drift` is NaN")
        );
    }
}
