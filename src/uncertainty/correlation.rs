//! Correlation coefficients as a matrix: from observations, and whether quantities can be correlated so.

/// r(q̄, r̄) of the means of simultaneous observations (GUM 5.2.3): that of the observations themselves.
pub fn of_observations(a: &[f64], b: &[f64]) -> f64 {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum =
        |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum::<f64>();
    let scatter = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    // What does not scatter depends on nothing.
    if scatter == 0.0 { 0.0 } else { (sum(&|a, b| a * b) / scatter).clamp(-1.0, 1.0) }
}

/// No correlation between `n` quantities.
pub fn identity(n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

/// L with L·Lᵀ = `matrix`, which may be singular but not indefinite; otherwise the row at which that shows. Rounded
/// coefficients are forgiven 10⁻⁹ (JCGM 101 6.4.8.2, C.5).
pub fn cholesky(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, usize> {
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
