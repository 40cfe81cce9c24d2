//! What is known about one input, as a distribution about its estimate: its standard uncertainty, and draws from it
//! (JCGM 101:2008, 6.4). Randomness comes from outside, as a function that gives uniform numbers.

use std::fmt;

/// Uniform numbers made into those that the distributions need (JCGM 101 Annex C).
pub struct Random<F> {
    uniform: F,
    spare: Option<f64>,
}

impl<F: FnMut() -> f64> Random<F> {
    /// From a function whose values are uniform in [0, 1) and independent.
    pub fn new(uniform: F) -> Self {
        Self { uniform, spare: None }
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.uniform)()
    }

    /// Standard normal, by Box and Muller (JCGM 101 C.4).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − r lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// χ² with `dof` ≥ 2 degrees of freedom, by the method of Marsaglia and Tsang for the gamma distribution.
    pub fn chi_square(&mut self, dof: f64) -> f64 {
        let d = dof / 2.0 - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
                return 2.0 * d * v;
            }
        }
    }

    /// √(`ν/χ²_ν)`: what makes a normal draw one of Student's t (JCGM 101 6.4.9).
    pub fn t_stretch(&mut self, dof: f64) -> f64 {
        (dof / self.chi_square(dof)).sqrt()
    }
}

/// Why parameters make no distribution.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A width or uncertainty below zero or no number.
    #[error("{parameter} is {seen}; it must be a finite number not below zero")]
    Width {
        /// Its name.
        parameter: &'static str,
        /// Its value.
        seen: f64,
    },
    /// Degrees of freedom below one or no number.
    #[error("dof is {seen}; it must be a finite number not below 1 (leave it out for infinite)")]
    Dof {
        /// Its value.
        seen: f64,
    },
    /// The top of a trapezoid is not between a point and the whole base.
    #[error("beta is {seen}; the top of a trapezoid is between 0 and 1 of its base (JCGM 101 6.4.4)")]
    Beta {
        /// Its value.
        seen: f64,
    },
    /// The limits are less exact than the interval is wide.
    #[error(
        "d is {d}, more than the half-width {half_width}; the limits would change places (JCGM 101 6.4.3)"
    )]
    Limits {
        /// How inexact a limit is.
        d: f64,
        /// Half the width.
        half_width: f64,
    },
}

/// A distribution about an estimate: all are symmetric, so the estimate is the expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Known exactly.
    Constant,
    /// N(x, u²) (JCGM 101 6.4.7).
    Normal {
        /// Standard uncertainty u(x).
        u: f64,
    },
    /// Scaled and shifted t, `t_ν(x`, u²): a mean of few readings, or a certificate with U and ν (JCGM 101 6.4.9).
    /// Its standard deviation is u·√(ν/(ν−2)), which the Monte Carlo sees and the law of propagation does not.
    T {
        /// Standard uncertainty in GUM's sense, s/√n: the scale.
        u: f64,
        /// Degrees of freedom ν.
        dof: f64,
    },
    /// R(a, b): between limits, every value as likely (JCGM 101 6.4.2).
    Rectangular {
        /// (b − a)/2.
        half_width: f64,
    },
    /// Trap(a, b, β): the sum of two rectangular quantities (JCGM 101 6.4.4).
    Trapezoidal {
        /// Half the base.
        half_width: f64,
        /// Top over base β: 0 a triangle, 1 a rectangle.
        beta: f64,
    },
    /// T(a, b): the sum of two equal rectangular quantities (JCGM 101 6.4.5).
    Triangular {
        /// Half the base.
        half_width: f64,
    },
    /// U(a, b), U-shaped: a sinusoidal quantity at an unknown phase (JCGM 101 6.4.6).
    Arcsine {
        /// The amplitude.
        half_width: f64,
    },
    /// CTrap(a, b, d), curvilinear trapezoid: a rectangle whose limits are known to ±d only (JCGM 101 6.4.3).
    Curvilinear {
        /// (b − a)/2.
        half_width: f64,
        /// Half-width of what is known of each limit.
        d: f64,
    },
}

impl Distribution {
    /// u(x) in GUM's sense (JCGM 100 4.3.7, 4.3.9; JCGM 101 6.4).
    pub fn u(self) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Normal { u } | Self::T { u, .. } => u,
            Self::Rectangular { half_width } => half_width / 3f64.sqrt(),
            Self::Trapezoidal { half_width, beta } => half_width * ((1.0 + beta * beta) / 6.0).sqrt(),
            Self::Triangular { half_width } => half_width / 6f64.sqrt(),
            Self::Arcsine { half_width } => half_width / 2f64.sqrt(),
            Self::Curvilinear { half_width, d } => (half_width * half_width / 3.0 + d * d / 9.0).sqrt(),
        }
    }

    /// Refuses what is no distribution.
    pub fn check(self) -> Result<(), Fault> {
        let width = |parameter, seen: f64| {
            if seen.is_finite() && seen >= 0.0 { Ok(()) } else { Err(Fault::Width { parameter, seen }) }
        };
        match self {
            Self::Constant => Ok(()),
            Self::Normal { u } => width("u", u),
            Self::T { u, dof } => width("u", u).and(check_dof(dof)),
            Self::Rectangular { half_width }
            | Self::Triangular { half_width }
            | Self::Arcsine { half_width } => width("half_width", half_width),
            Self::Trapezoidal { half_width, beta } => {
                width("half_width", half_width)?;
                if (0.0..=1.0).contains(&beta) { Ok(()) } else { Err(Fault::Beta { seen: beta }) }
            }
            Self::Curvilinear { half_width, d } => {
                width("half_width", half_width).and(width("d", d))?;
                if d <= half_width { Ok(()) } else { Err(Fault::Limits { d, half_width }) }
            }
        }
    }

    /// One draw of X − x. For t the degrees of freedom must be 2 or more.
    pub fn draw<F: FnMut() -> f64>(self, random: &mut Random<F>) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Normal { u } => u * random.normal(),
            Self::T { u, dof } => u * random.normal() * random.t_stretch(dof),
            Self::Rectangular { half_width } => half_width * (2.0 * random.uniform() - 1.0),
            Self::Trapezoidal { half_width, beta } => {
                // JCGM 101 6.4.4.4.
                let (first, second) = (random.uniform(), random.uniform());
                half_width * ((1.0 + beta) * first + (1.0 - beta) * second - 1.0)
            }
            Self::Triangular { half_width } => half_width * (random.uniform() + random.uniform() - 1.0),
            Self::Arcsine { half_width } => half_width * (std::f64::consts::TAU * random.uniform()).sin(),
            Self::Curvilinear { half_width, d } => {
                // JCGM 101 6.4.3.4: first the limits, which move apart or together, then a value between them.
                let limit = half_width + d * (2.0 * random.uniform() - 1.0);
                limit * (2.0 * random.uniform() - 1.0)
            }
        }
    }
}

/// Refuses what are no degrees of freedom.
pub fn check_dof(dof: f64) -> Result<(), Fault> {
    if dof.is_finite() && dof >= 1.0 { Ok(()) } else { Err(Fault::Dof { seen: dof }) }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Normal { .. } => "normal",
            Self::T { .. } => "t",
            Self::Rectangular { .. } => "rectangular",
            Self::Trapezoidal { .. } => "trapezoidal",
            Self::Triangular { .. } => "triangular",
            Self::Arcsine { .. } => "arcsine",
            Self::Curvilinear { .. } => "curvilinear-trapezoidal",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weyl's sequence through a mixer: uniform enough for these tests and the same for ever.
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

    #[test]
    fn draws_have_the_expectation_and_the_standard_deviation_of_their_distribution() {
        let t = Distribution::T { u: 2.0, dof: 10.0 };
        for (distribution, deviation) in [
            (Distribution::Constant, 0.0),
            (Distribution::Normal { u: 2.0 }, 2.0),
            (t, 2.0 * (10f64 / 8.0).sqrt()),
            (Distribution::Rectangular { half_width: 3.0 }, 3f64.sqrt()),
            (Distribution::Trapezoidal { half_width: 3.0, beta: 0.0 }, 1.5f64.sqrt()),
            (Distribution::Trapezoidal { half_width: 3.0, beta: 1.0 }, 3f64.sqrt()),
            (Distribution::Trapezoidal { half_width: 3.0, beta: 0.5 }, (9.0 * 1.25 / 6.0f64).sqrt()),
            (Distribution::Triangular { half_width: 3.0 }, 1.5f64.sqrt()),
            (Distribution::Arcsine { half_width: 2.0 }, 2f64.sqrt()),
            (Distribution::Curvilinear { half_width: 3.0, d: 1.5 }, 3.25f64.sqrt()),
        ] {
            let (mut random, n) = (Random::new(uniform()), 200_000);
            let draws: Vec<f64> = (0..n).map(|_| distribution.draw(&mut random)).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let seen = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n)).sqrt();
            assert!(mean.abs() < 0.02 && (seen - deviation).abs() < 0.02, "{distribution:?}: {mean} {seen}");
            if distribution != t {
                assert!((distribution.u() - deviation).abs() < 1e-12, "{distribution:?}");
            }
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused_by_name() {
        for (distribution, said) in [
            (Distribution::Normal { u: -1.0 }, "u is -1"),
            (Distribution::Normal { u: f64::NAN }, "u is NaN"),
            (Distribution::T { u: 1.0, dof: 0.5 }, "dof is 0.5"),
            (Distribution::Trapezoidal { half_width: 1.0, beta: 1.5 }, "beta is 1.5"),
            (Distribution::Curvilinear { half_width: 1.0, d: 2.0 }, "d is 2"),
        ] {
            assert!(distribution.check().unwrap_err().to_string().starts_with(said));
        }
    }
}
