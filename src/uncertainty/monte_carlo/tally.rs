//! What the model values of one output say: averages, spread between batches, coverage intervals (JCGM 101 7.5–7.9).

use super::{FINER, Sampled, tolerance};

/// The model values of one output, and what each whole batch of them said.
#[derive(Default)]
pub struct Tally {
    pub values: Vec<f64>,
    counted: usize,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    /// y, u, low, high of each batch (JCGM 101 7.9.4 e).
    batches: Vec<[f64; 4]>,
    room: Vec<f64>,
}

impl Tally {
    /// Takes the last `count` values in; what they say alone is kept if the batch is whole.
    pub fn close(&mut self, count: usize, whole: usize, p: f64) {
        let fresh = &self.values[self.values.len() - count..];
        let (n, m) = (self.counted as f64, count as f64);
        let mean = fresh.iter().sum::<f64>() / m;
        let squares: f64 = fresh.iter().map(|v| (v - mean).powi(2)).sum();
        let step = mean - self.mean;
        self.mean += step * m / (n + m);
        self.squares += squares + step * step * n * m / (n + m);
        self.counted += count;
        if count == whole {
            self.room.clear();
            self.room.extend_from_slice(fresh);
            self.room.sort_unstable_by(f64::total_cmp);
            let (low, high) = symmetric(&self.room, p);
            self.batches.push([mean, (squares / (m - 1.0)).sqrt(), low, high]);
        }
    }

    /// u(y) of all values so far (7.9.4 i).
    pub fn u(&self) -> f64 {
        (self.squares / (self.counted as f64 - 1.0)).sqrt()
    }

    /// 2·s of the batch averages, the largest of the four (7.9.4 g–k); infinite while there is one batch.
    pub fn spread(&self) -> f64 {
        let h = self.batches.len() as f64;
        if h < 2.0 {
            return f64::INFINITY;
        }
        let of = |which: usize| {
            let mean = self.batches.iter().map(|b| b[which]).sum::<f64>() / h;
            let squares: f64 = self.batches.iter().map(|b| (b[which] - mean).powi(2)).sum();
            2.0 * (squares / (h * (h - 1.0))).sqrt()
        };
        (0..4).map(of).fold(0.0, f64::max)
    }

    /// Correlation with the values of another output.
    pub fn correlation(&self, other: &Self) -> f64 {
        let both = self
            .values
            .iter()
            .zip(&other.values)
            .map(|(a, b)| (a - self.mean) * (b - other.mean))
            .sum::<f64>();
        let scale = (self.squares * other.squares).sqrt();
        if scale == 0.0 { 0.0 } else { (both / scale).clamp(-1.0, 1.0) }
    }

    /// What all values say.
    pub fn summary(mut self, name: &str, p: f64, digits: u8) -> Sampled {
        let (u, spread) = (self.u(), self.spread());
        let tolerance = tolerance(u, digits);
        self.values.sort_unstable_by(f64::total_cmp);
        let (low, high) = symmetric(&self.values, p);
        let (shortest_low, shortest_high) = shortest(&self.values, p);
        Sampled {
            name: name.to_owned(),
            value: self.mean,
            u,
            low,
            high,
            shortest_low,
            shortest_high,
            trials: self.counted,
            tolerance,
            spread,
            settled: spread <= tolerance / FINER,
        }
    }
}

/// q of 7.7.1: how many values a coverage interval spans.
fn span(count: usize, p: f64) -> usize {
    ((p * count as f64 + 0.5) as usize).min(count - 1)
}

/// The probabilistically symmetric coverage interval of sorted values (JCGM 101 7.7.2).
fn symmetric(sorted: &[f64], p: f64) -> (f64, f64) {
    let q = span(sorted.len(), p);
    let r = (sorted.len() - q).div_ceil(2);
    (sorted[r - 1], sorted[r - 1 + q])
}

/// The shortest coverage interval of sorted values (JCGM 101 7.7.3).
fn shortest(sorted: &[f64], p: f64) -> (f64, f64) {
    let q = span(sorted.len(), p);
    let ends = sorted.iter().zip(&sorted[q..]);
    let (low, high) =
        ends.min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0))).expect("q is less than the count");
    (*low, *high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_intervals_count_values() {
        let values: Vec<f64> = (1..=100).map(|i| f64::from(i * i)).collect();
        assert_eq!(symmetric(&values, 0.95), (9.0, 98.0 * 98.0));
        assert_eq!(shortest(&values, 0.95), (1.0, 96.0 * 96.0));
    }
}
