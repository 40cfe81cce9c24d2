//! The run's samples in order, with their running integral: energy and means between any two moments.

use super::Sample;
use crate::plan::{Load, Method, Settle};
use crate::quantity::{Current, Energy, Power, Ratio, Voltage};
use crate::time::{Instant, Span};

/// Why the reference says nothing about a stretch of time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unsteady {
    /// No sample before or after.
    #[error("the reference has no sample around it")]
    NotCovered,
    /// Samples too far apart.
    #[error("the reference was silent for {gap}, more than {allowed}")]
    Gap {
        /// Between two samples.
        gap: Span,
        /// Allowed.
        allowed: Span,
    },
    /// A sample outside the band.
    #[error("the source left its band: {seen} at {load}")]
    OutOfBand {
        /// What was measured.
        seen: String,
        /// What was set.
        load: String,
    },
}

/// Means over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// Mean voltage of the samples.
    pub voltage: Voltage,
    /// Mean current of the samples.
    pub current: Current,
    /// Mean power by time.
    pub power: Power,
}

/// Samples in order of time.
#[derive(Debug, Clone, Default)]
pub struct Track {
    samples: Vec<Sample>,
    /// Energy from the first sample up to each, trapezoids, in joule.
    integral: Vec<f64>,
}

/// Energy by time between two samples: by the trapezoid of their powers, or evenly by their counts.
struct Stretch {
    from: Instant,
    /// Joules at its beginning.
    energy: f64,
    /// Joules per nanosecond there.
    power: f64,
    /// Half of what that rises by in a nanosecond.
    bend: f64,
}

impl Stretch {
    fn energy_until(&self, at: Instant) -> f64 {
        // Moments of one run are no overflow apart, and the plain difference is faster; those of a file that are have a
        // gap between their samples that no window may have.
        let nanos = at.nanos().wrapping_sub(self.from.nanos()) as f64;
        self.energy + (self.power + self.bend * nanos) * nanos
    }
}

impl Track {
    /// Adds a sample; one that is not later than the last is not new and is left out.
    pub fn push(&mut self, sample: Sample) {
        let energy = match self.samples.last() {
            None => 0.0,
            Some(last) if sample.taken <= last.taken => return,
            Some(last) => {
                let mean = (last.power + sample.power) * 0.5;
                self.integral[self.integral.len() - 1] + (mean * (sample.taken - last.taken)).joules()
            }
        };
        self.samples.push(sample);
        self.integral.push(energy);
    }

    /// The latest sample.
    pub fn last(&self) -> Option<&Sample> {
        self.samples.last()
    }

    /// The samples from a moment on.
    pub fn since(&self, from: Instant) -> &[Sample] {
        &self.samples[self.samples.partition_point(|s| s.taken < from)..]
    }

    /// Index of the last sample at or before `at`.
    fn before(&self, at: Instant) -> Option<usize> {
        // It is the newest ones that are asked for most, and a search goes through memory.
        match &self.samples[..] {
            [.., before, last] if before.taken <= at => {
                Some(self.samples.len() - if last.taken <= at { 1 } else { 2 })
            }
            samples => samples.partition_point(|s| s.taken <= at).checked_sub(1),
        }
    }

    /// The samples that speak for the stretch: those inside, and the neighbours outside.
    fn around(&self, from: Instant, to: Instant) -> Option<&[Sample]> {
        let first = self.before(from)?;
        let after = self.samples.partition_point(|s| s.taken < to);
        (after < self.samples.len()).then(|| &self.samples[first..=after])
    }

    /// Whether a sample at or after `at` has come.
    pub fn covers(&self, at: Instant) -> bool {
        self.samples.last().is_some_and(|s| s.taken >= at)
    }

    fn energy_until(&self, at: Instant, method: Method) -> Option<f64> {
        let index = self.before(at)?;
        let sample = &self.samples[index];
        if sample.taken < at {
            return Some(self.stretch(index, method)?.energy_until(at));
        }
        match method {
            Method::PowerTime => Some(self.integral[index]),
            Method::StandardMeter => Some(sample.energy?.joules()),
        }
    }

    /// The reference's energy between two moments, uncorrected. `None` where samples are missing at either end.
    pub fn energy(&self, from: Instant, to: Instant, method: Method) -> Option<Energy> {
        let joules = self.energy_until(to, method)? - self.energy_until(from, method)?;
        Energy::try_from_joules(joules).ok()
    }

    /// Of the energy between two moments that which passed between samples that both lie in the band around `load`,
    /// uncorrected: power times time, as only its share of the whole is of interest.
    pub fn energy_in_band(&self, from: Instant, to: Instant, load: Load, settle: &Settle) -> Energy {
        let pairs = self.samples.windows(2).filter(|pair| pair[0].taken >= from && pair[1].taken <= to);
        let within = pairs.filter(|pair| pair.iter().all(|sample| in_band(sample, load, settle)));
        within.fold(Energy::ZERO, |sum, pair| {
            sum + (pair[0].power + pair[1].power) * 0.5 * (pair[1].taken - pair[0].taken)
        })
    }

    /// The reference's energy from one moment up to each of these later ones, which come in order of time, uncorrected:
    /// one pass, however many. The same as [`energy`](Self::energy). `None` where samples are missing at either end.
    pub fn energies(&self, from: Instant, moments: &[Instant], method: Method) -> Option<Vec<Energy>> {
        let begin = self.energy_until(from, method)?;
        let mut joules = Vec::with_capacity(moments.len());
        let mut left = moments;
        let mut index = self.before(from)?;
        while let Some(first) = left.first() {
            while self.samples.get(index + 1).is_some_and(|next| next.taken <= *first) {
                index += 1;
            }
            let Some(next) = self.samples.get(index + 1) else {
                // Nothing is known behind the last sample.
                let at_last = self.energy_until(*left.last()?, method)? - begin;
                joules.resize(moments.len(), at_last);
                break;
            };
            let (here, later) = left.split_at(left.partition_point(|at| *at < next.taken));
            if here.iter().all(|at| *at == self.samples[index].taken) {
                // At a sample the one after it need not have counted.
                joules.resize(joules.len() + here.len(), self.energy_until(*first, method)? - begin);
            } else {
                let stretch = self.stretch(index, method)?;
                joules.extend(here.iter().map(|at| stretch.energy_until(*at) - begin));
            }
            left = later;
        }
        Energy::all_from_joules(joules).ok()
    }

    /// What stands between the sample at `index` and the next one.
    fn stretch(&self, index: usize, method: Method) -> Option<Stretch> {
        let (sample, next) = (&self.samples[index], self.samples.get(index + 1)?);
        let nanos = (next.taken - sample.taken).nanos() as f64;
        let (energy, power, bend) = match method {
            Method::PowerTime => {
                let (power, then) = (sample.power.watts() * 1e-9, next.power.watts() * 1e-9);
                (self.integral[index], power, (then - power) / nanos / 2.0)
            }
            Method::StandardMeter => {
                let counted = sample.energy?.joules();
                (counted, (next.energy?.joules() - counted) / nanos, 0.0)
            }
        };
        Some(Stretch { from: sample.taken, energy, power, bend })
    }

    /// The reference's own count from a moment before a change of load to a sample after it, uncorrected. Between two
    /// samples the power may have changed anyhow, so that only a count tells the energy; up to `from` the load was
    /// still that of the sample before. `None` where the reference does not count.
    pub fn energy_through_change(&self, from: Instant, to: Instant) -> Option<Energy> {
        let before = &self.samples[self.before(from)?];
        let after = &self.samples[self.before(to)?];
        let count = after.energy? - before.energy?;
        Some(count - before.power * (from - before.taken))
    }

    /// Means between two moments.
    pub fn mean(&self, from: Instant, to: Instant) -> Option<Mean> {
        let samples = self.around(from, to)?;
        let n = samples.len() as f64;
        let volts = samples.iter().map(|s| s.voltage.volts()).sum::<f64>() / n;
        let amperes = samples.iter().map(|s| s.current.amperes()).sum::<f64>() / n;
        let energy = self.energy(from, to, Method::PowerTime)?;
        let watts = if to > from { energy.joules() / (to - from).secs() } else { samples[0].power.watts() };
        Some(Mean {
            voltage: Voltage::from_volts(volts),
            current: Current::from_amperes(amperes),
            power: Power::from_watts(watts),
        })
    }

    /// Relative standard deviation of one power sample of the stretch, and their number: from the differences of
    /// neighbours, Σ(Pᵢ₊₁ − Pᵢ)²/2(n − 1) (von Neumann 1941), so that a slow wander of the source, which the reference
    /// follows, is no scatter. `None` with fewer than three samples or no power.
    pub fn scatter(&self, from: Instant, to: Instant) -> Option<(Ratio, usize)> {
        let samples = self.around(from, to)?;
        let n = samples.len();
        let mean = samples.iter().map(|s| s.power.watts()).sum::<f64>() / n as f64;
        let square: f64 =
            samples.windows(2).map(|pair| (pair[1].power - pair[0].power).watts().powi(2)).sum();
        let relative = Ratio::try_from_fraction((square / (2.0 * (n as f64 - 1.0))).sqrt() / mean.abs());
        relative.ok().filter(|_| n >= 3).map(|scatter| (scatter, n))
    }

    /// Largest half-width of a sample's moment in the stretch.
    pub fn taken_half_width(&self, from: Instant, to: Instant) -> Span {
        self.around(from, to).and_then(|s| s.iter().map(|s| s.taken_half_width).max()).unwrap_or_default()
    }

    /// Holds the source-stable gate over a stretch: every sample in the band, none too far from the next.
    pub fn steady(
        &self,
        from: Instant,
        to: Instant,
        load: Load,
        settle: &Settle,
        gap_max: Span,
    ) -> Result<(), Unsteady> {
        let samples = self.around(from, to).ok_or(Unsteady::NotCovered)?;
        for pair in samples.windows(2) {
            let gap = pair[1].taken - pair[0].taken;
            if gap > gap_max {
                return Err(Unsteady::Gap { gap, allowed: gap_max });
            }
        }
        match samples.iter().find(|s| !in_band(s, load, settle)) {
            None => Ok(()),
            Some(out) => Err(Unsteady::OutOfBand {
                seen: format!("{}, {}", out.voltage, out.current),
                load: format!("{}, {}", load.voltage_v, load.current_a),
            }),
        }
    }

    /// Since when every sample lies in the band around `load`, without a gap; `None` if the last does not.
    pub fn steady_since(&self, load: Load, settle: &Settle, gap_max: Span) -> Option<Instant> {
        let mut since: Option<Instant> = None;
        for sample in self.samples.iter().rev() {
            if !in_band(sample, load, settle) || since.is_some_and(|next| next - sample.taken > gap_max) {
                break;
            }
            since = Some(sample.taken);
            // More than any hold asks for is not looked at, so that this stays cheap in a long run.
            if self.samples.last().is_some_and(|last| (last.taken - sample.taken).secs() > settle.hold_secs) {
                break;
            }
        }
        since
    }
}

/// Whether a sample lies in the settle band around `load`, its power included: the error is judged by the power alone,
/// so it must be the product of a voltage and a current that are what they should be.
pub fn in_band(sample: &Sample, load: Load, settle: &Settle) -> bool {
    let (voltage, current) = settle.bands(load);
    let product = sample.voltage * sample.current;
    let power = voltage * load.current_a.abs().max(current) + load.voltage_v.abs().max(voltage) * current;
    (sample.power - product).abs() <= power
        && (sample.voltage - load.voltage_v).abs() <= voltage
        && (sample.current - load.current_a).abs() <= current
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: i64, watts: f64) -> Sample {
        Sample {
            taken: Instant::from_nanos(at_ms * 1_000_000),
            taken_half_width: Span::ZERO,
            voltage: Voltage::from_volts(100.0),
            current: Current::from_amperes(watts / 100.0),
            power: Power::from_watts(watts),
            energy: None,
        }
    }

    fn settle() -> Settle {
        Settle {
            voltage_band_percent: 1.0,
            current_band_percent: 1.0,
            current_floor_a: Current::from_amperes(0.001),
            hold_secs: 0.2,
            timeout_secs: 5.0,
            voltage_slew_v_per_s: 100.0,
            current_slew_a_per_s: 100.0,
        }
    }

    #[test]
    fn energy_between_samples_is_the_area_under_the_power() {
        let mut track = Track::default();
        for (at, watts) in [(0, 100.0), (1000, 100.0), (2000, 300.0), (3000, 300.0)] {
            track.push(sample(at, watts));
        }
        let at = |ms: i64| Instant::from_nanos(ms * 1_000_000);
        let energy = |a, b| track.energy(at(a), at(b), Method::PowerTime).unwrap().joules();
        assert!((energy(0, 3000) - 600.0).abs() < 1e-9);
        assert!((energy(500, 1500) - (50.0 + 75.0)).abs() < 1e-9);
        assert!(track.energy(at(500), at(3500), Method::PowerTime).is_none(), "nothing is extrapolated");
        let moments = [500, 700, 2100, 2500].map(at);
        let one_by_one = moments.map(|to| track.energy(moments[0], to, Method::PowerTime).unwrap());
        assert_eq!(track.energies(moments[0], &moments, Method::PowerTime).unwrap(), one_by_one);
        let to_the_end = track.energies(at(500), &[at(3000), at(3000)], Method::PowerTime).unwrap();
        assert_eq!(to_the_end, [track.energy(at(500), at(3000), Method::PowerTime).unwrap(); 2]);
        assert!(track.energies(at(500), &[at(3500)], Method::PowerTime).is_none());
        assert!(track.energies(at(-1), &[at(500)], Method::PowerTime).is_none());
        assert!(
            track.energy(at(0), at(1000), Method::StandardMeter).is_none(),
            "a reference that does not count"
        );
    }

    #[test]
    fn a_slow_wander_is_no_scatter_and_a_quick_one_is() {
        let at = |ms: i64| Instant::from_nanos(ms * 1_000_000);
        let scatter = |watts: &dyn Fn(i64) -> f64| {
            let mut track = Track::default();
            (0..=100).for_each(|n| track.push(sample(n * 100, watts(n))));
            track.scatter(at(0), at(10_000)).unwrap()
        };
        let (slow, n) = scatter(&|n| 100.0 + 0.1 * n as f64);
        assert!(n == 101 && slow.percent() < 0.08, "{slow:?}");
        let (quick, _) = scatter(&|n| if n % 2 == 0 { 99.0 } else { 101.0 });
        assert!((quick.percent() - 2f64.sqrt()).abs() < 0.01, "{quick:?}");
        assert!(Track::default().scatter(at(0), at(1)).is_none());
    }

    #[test]
    fn a_gap_or_a_sample_out_of_band_is_not_steady() {
        let mut track = Track::default();
        let load = Load { voltage_v: Voltage::from_volts(100.0), current_a: Current::from_amperes(1.0) };
        for (at, watts) in [(0, 100.0), (100, 100.5), (200, 99.5), (900, 100.0), (1000, 150.0)] {
            track.push(sample(at, watts));
        }
        let at = |ms: i64| Instant::from_nanos(ms * 1_000_000);
        let steady = |a, b| track.steady(at(a), at(b), load, &settle(), Span::from_millis(500));
        assert_eq!(steady(0, 200), Ok(()));
        assert!(matches!(steady(0, 900), Err(Unsteady::Gap { .. })));
        assert!(matches!(steady(900, 1000), Err(Unsteady::OutOfBand { .. })));
        assert_eq!(steady(1000, 1100), Err(Unsteady::NotCovered));
    }
}
