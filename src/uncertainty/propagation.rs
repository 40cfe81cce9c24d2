//! The law of propagation of uncertainty with correlations (GUM 5.2.2), for one output or several at once (GUM H.2).

use super::Estimate;
use super::coverage_factor_at;
use super::model::{Fault, Input, Model};

/// One line of a budget: cᵢ, u(xᵢ) and what they give together (GUM Table H.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The input Xᵢ.
    pub input: String,
    /// Sensitivity coefficient cᵢ = ∂f/∂xᵢ (GUM 5.1.3).
    pub sensitivity: f64,
    /// Standard uncertainty u(xᵢ).
    pub u: f64,
    /// Degrees of freedom νᵢ of u(xᵢ); absent: infinite.
    pub dof: Option<f64>,
    /// cᵢ·u(xᵢ), in the unit of the output, with its sign: correlated ones may cancel.
    pub contribution: f64,
}

/// What the law of propagation says of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Propagated {
    /// The output.
    pub name: String,
    /// y, `u_c(y)`, `ν_eff`, `k_p` and `U_p`.
    pub estimate: Estimate,
    /// The budget that it was combined from.
    pub budget: Vec<Contribution>,
}

/// What the law of propagation says of all outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Propagation {
    /// Each output, in the model's order.
    pub outputs: Vec<Propagated>,
    /// `r(y_l`, `y_m`) between outputs (GUM H.2.3, Equation (H.9)); 0 where an output has no uncertainty.
    pub correlation: Vec<Vec<f64>>,
}

/// Propagates the uncertainties of the inputs for coverage probability `p`.
///
/// Effective degrees of freedom are Welch–Satterthwaite's (GUM G.4.1), taken over groups of inputs that depend on one
/// another: for simultaneous observations this is exact, u of any linear combination having n − 1 (GUM H.2, approach
/// 2). A group by declared coefficients gets the smallest finite νᵢ among its members, the cautious choice where the
/// GUM has no formula.
pub fn propagate(model: &Model, p: f64) -> Result<Propagation, Fault> {
    if !(p > 0.0 && p < 1.0) {
        return Err(Fault::Probability { seen: p });
    }
    let estimates = model.estimates();
    let names: Vec<&str> = model.inputs.iter().map(Input::name).collect();
    let mut outputs: Vec<Propagated> = vec![];
    for output in &model.outputs {
        let named = |fault| Fault::Expression { name: output.name.clone(), fault };
        let value = output.expression.evaluate_checked(&estimates).map_err(named)?;
        let sensitivities = output.expression.sensitivities(&estimates, &names).map_err(named)?;
        let budget = model.inputs.iter().zip(sensitivities).map(|(input, sensitivity)| Contribution {
            input: input.name().to_owned(),
            sensitivity,
            u: input.u(),
            dof: input.dof(),
            contribution: sensitivity * input.u(),
        });
        let budget: Vec<Contribution> = budget.collect();
        let u = covariance(model, &budget, &budget).max(0.0).sqrt();
        let dof = effective_dof(model, &budget, u);
        let k = coverage_factor_at(p, dof);
        let estimate = Estimate { value, u, dof, k, expanded: k * u };
        outputs.push(Propagated { name: output.name.clone(), estimate, budget });
    }
    let correlation =
        outputs.iter().map(|a| outputs.iter().map(|b| correlation(model, a, b)).collect()).collect();
    Ok(Propagation { outputs, correlation })
}

/// `u(y_l`, `y_m`) = ΣΣ cᵢ u(xᵢ) r(xᵢ, xⱼ) cⱼ u(xⱼ), over the groups outside which r is zero.
fn covariance(model: &Model, a: &[Contribution], b: &[Contribution]) -> f64 {
    model.groups.iter().map(|group| covariance_within(model, group, a, b)).sum()
}

fn covariance_within(model: &Model, group: &[usize], a: &[Contribution], b: &[Contribution]) -> f64 {
    let with_all =
        |i: usize| group.iter().map(|j| model.correlation[i][*j] * b[*j].contribution).sum::<f64>();
    group.iter().map(|i| a[*i].contribution * with_all(*i)).sum()
}

fn correlation(model: &Model, a: &Propagated, b: &Propagated) -> f64 {
    let scale = a.estimate.u * b.estimate.u;
    if scale == 0.0 { 0.0 } else { (covariance(model, &a.budget, &b.budget) / scale).clamp(-1.0, 1.0) }
}

/// `ν_eff` of Welch and Satterthwaite (GUM G.4.1, Equation (G.2b)); absent: infinite.
fn effective_dof(model: &Model, budget: &[Contribution], u: f64) -> Option<f64> {
    let spread = model.groups.iter().filter_map(|group| {
        let dof = group.iter().filter(|i| budget[**i].contribution != 0.0).filter_map(|i| budget[*i].dof);
        let dof = dof.reduce(f64::min)?;
        // As shares of u², so that neither tiny nor huge units leave the range of numbers.
        let share = covariance_within(model, group, budget, budget).max(0.0) / (u * u);
        Some(share * share / dof)
    });
    let spread: f64 = spread.filter(|s| s.is_finite()).sum();
    (spread > 0.0).then(|| 1.0 / spread)
}

#[cfg(test)]
mod tests {
    use super::super::distribution::Distribution;
    use super::*;

    fn one(expression: &str, r: f64) -> Estimate {
        let a = Input::new("a", 2.0, Distribution::T { u: 3.0, dof: 4.0 });
        let b = Input::new("b", 1.0, Distribution::Normal { u: 4.0 });
        let model =
            Model::builder().input(a).input(b).correlation("a", "b", r).output("y", expression).build();
        propagate(&model.unwrap(), 0.95).unwrap().outputs.remove(0).estimate
    }

    #[test]
    fn correlated_contributions_add_or_cancel() {
        assert!((one("a + b", 0.0).u - 5.0).abs() < 1e-12);
        assert!((one("a + b", 1.0).u - 7.0).abs() < 1e-12);
        assert!((one("a - b", 1.0).u - 1.0).abs() < 1e-12);
        assert!((one("4*a - 3*b", 1.0).u).abs() < 1e-7);
    }

    #[test]
    fn degrees_of_freedom_follow_welch_and_satterthwaite() {
        // u_c⁴/(u_a⁴/ν_a) = 5⁴/(3⁴/4).
        assert!((one("a + b", 0.0).dof.unwrap() - 2500.0 / 81.0).abs() < 1e-9);
        assert_eq!(one("b", 0.0).dof, None);
        // t with exactly 4, not with 3 by a rounding: GUM Table G.2, p = 95 %.
        assert!((one("a", 0.0).k - 2.78).abs() < 0.005);
    }

    #[test]
    fn a_probability_that_is_none_is_refused() {
        let model = Model::builder().output("y", "1").build().unwrap();
        for p in [0.0, 1.0, f64::NAN, -1.0, 95.0] {
            assert!(propagate(&model, p).unwrap_err().to_string().contains("coverage probability"));
        }
        assert!(propagate(&model, 0.95).unwrap().outputs[0].estimate.u.abs() < f64::MIN_POSITIVE);
    }
}
