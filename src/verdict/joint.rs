//! The probability that a meter conforms at several points at once, whose measurements share one cause of uncertainty.

use super::{Bounds, Conformity, Fault};

/// One point: what is known of it, and how much of that it shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shared {
    /// The measured value.
    pub value: f64,
    /// Its standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Its degrees of freedom; none: infinite.
    pub dof: Option<f64>,
    /// The tolerance interval.
    pub bounds: Bounds,
    /// λ, the part of `u` that comes from the shared cause, with its sign: −1 to 1. Two points are correlated by λ·λ'.
    pub share: f64,
}

/// From here on the shared cause is integrated to both sides, in its standard deviations: 2·10⁻⁹ lies beyond.
const REACH: f64 = 6.0;
/// Steps a standard deviation.
const STEPS: i32 = 16;
/// No point is without anything of its own; less than this share would be finer than the steps.
const OWN_LEAST: f64 = 0.05;
/// Risks below this are added and not integrated.
const NEGLIGIBLE: f64 = 1e-9;

/// P(all points conform) = ∫ φ(z) Π P(point conforms | z) dz over the shared cause z, a standard normal, by the
/// trapezoid rule (JCGM 106 clause 7 for each point; 10⁻⁸ and better).
///
/// What is approximate: only one cause is shared. What other causes two points have in common besides counts as each
/// point's own, which takes them to be less alike than they are; where all are near their limits on the same side the
/// stated probability is then a little too low. The shared part is normal, the rest has the degrees of freedom of the
/// whole. Points whose own risk is below 10⁻⁹ enter by that risk alone (Bonferroni). With no share this is the product
/// of the single probabilities.
pub fn joint_conformity(points: &[Shared]) -> Result<f64, Fault> {
    let mut near = vec![];
    let mut negligible = 0.0;
    for point in points {
        let alone = Conformity::of(point.value, point.u, point.dof, point.bounds)?;
        if alone.complement < NEGLIGIBLE {
            negligible += alone.complement;
        } else {
            near.push(point);
        }
    }
    let (mut sum, mut weights) = (0.0, 0.0);
    let most = (REACH * f64::from(STEPS)) as i32;
    for step in if near.is_empty() { 0..=0 } else { -most..=most } {
        let z = f64::from(step) / f64::from(STEPS);
        let weight = (-z * z / 2.0).exp();
        let mut product = 1.0;
        for point in &near {
            let share = point.share.clamp(-1.0, 1.0);
            let own = (1.0 - share * share).sqrt().max(OWN_LEAST);
            let value = point.value + share * point.u * z;
            product *= Conformity::of(value, point.u * own, point.dof, point.bounds)?.probability;
        }
        sum += weight * product;
        weights += weight;
    }
    Ok((sum / weights - negligible).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: f64, share: f64) -> Shared {
        let bounds = Bounds::symmetric(1.0).unwrap();
        Shared { value, u: 0.1, dof: None, bounds, share }
    }

    fn alone(value: f64) -> f64 {
        Conformity::of(value, 0.1, None, Bounds::symmetric(1.0).unwrap()).unwrap().probability
    }

    #[test]
    fn without_anything_shared_it_is_the_product() {
        let joint = joint_conformity(&[at(0.95, 0.0), at(-0.9, 0.0)]).unwrap();
        assert!((joint - alone(0.95) * alone(-0.9)).abs() < 1e-8, "{joint}");
        assert!((joint_conformity(&[at(0.3, 0.5); 5]).unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn two_points_at_their_limit_follow_sheppards_formula() {
        // P(both below) = 1/4 + asin(ρ)/2π for two standard normals (Sheppard 1899), here with ρ = λ².
        for share in [0.2f64, 0.5, 0.9, 0.99] {
            let joint = joint_conformity(&[at(1.0, share), at(1.0, share)]).unwrap();
            let sheppard = 0.25 + (share * share).asin() / std::f64::consts::TAU;
            assert!((joint - sheppard).abs() < 1e-7, "{share}: {joint} {sheppard}");
            let opposite = joint_conformity(&[at(1.0, share), at(1.0, -share)]).unwrap();
            assert!((opposite - (0.5 - sheppard)).abs() < 1e-7, "{share}: {opposite}");
        }
    }

    #[test]
    fn one_point_alone_keeps_its_own_probability() {
        for share in [0.0, 0.7, 0.99] {
            assert!((joint_conformity(&[at(0.9, share)]).unwrap() - alone(0.9)).abs() < 1e-7, "{share}");
        }
        assert!(joint_conformity(&[at(f64::NAN, 0.1)]).is_err());
    }
}
