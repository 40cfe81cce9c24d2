//! Strays in a row of pulses: found, told apart and located; jitter and constant errors left alone.

use super::*;
use crate::error::edge_fit::tests::Random;
use crate::pulse::Input;

const CONSTANT: f64 = 1000.0;

fn constant() -> PulseConstant {
    PulseConstant::from_impulses_per_kilowatt_hour(CONSTANT)
}

/// The rising edges of a window, each with its moment and energy.
#[derive(Default)]
struct Ticks {
    at: Vec<Instant>,
    energy: Vec<Energy>,
    edges: Vec<Edge>,
}

impl Ticks {
    fn push(&mut self, at: Instant, energy: Energy) {
        self.edges.push(Edge { input: Input::Meter, seq: self.at.len() as u64, at, rising: true });
        self.at.push(at);
        self.energy.push(energy);
    }

    fn examine(&self) -> Result<Rhythm, Fault> {
        self.examine_by(constant())
    }

    fn examine_by(&self, constant: PulseConstant) -> Result<Rhythm, Fault> {
        let pulses = Pulses { at: &self.at, energy: &self.energy, edges: &self.edges };
        examine(&pulses, &Even::through(&self.energy).unwrap(), constant)
    }
}

/// Edges at these positions, in pulses due at 3.6 kW: one a second.
fn ticks(positions: &[f64]) -> Ticks {
    let mut ticks = Ticks::default();
    for x in positions {
        ticks.push(Instant::from_nanos((x * 1e9).round() as i64), constant().energy(1) * *x);
    }
    ticks
}

fn found(positions: &[f64]) -> Vec<(u64, Stray)> {
    ticks(positions).examine().unwrap().findings.iter().map(|f| (f.edge, f.stray)).collect()
}

fn jittered(seed: u64, edges: u64, jitter: f64, interval: f64) -> Vec<f64> {
    let mut random = Random(seed);
    (0..edges).map(|k| interval * (k as f64 + jitter * (2.0 * random.unit() - 1.0))).collect()
}

#[test]
fn an_even_row_of_pulses_has_no_finding() {
    let positions: Vec<f64> = (0..100).map(f64::from).collect();
    let rhythm = ticks(&positions).examine().unwrap();
    assert!(
        rhythm.findings.is_empty()
            && !rhythm.irregular
            && rhythm.spoils().is_none()
            && rhythm.hint().is_none()
    );
    assert!((rhythm.usual_over_nominal - 1.0).abs() < 1e-9);
}

#[test]
fn a_missing_pulse_in_the_middle_is_found_and_located() {
    let positions: Vec<f64> = (0..100).filter(|k| *k != 50).map(f64::from).collect();
    assert_eq!(found(&positions), [(50, Stray::Missing { pulses: 1 })]);
    let spoils = ticks(&positions).examine().unwrap().spoils().unwrap();
    assert_eq!(
        spoils,
        "pulses 1 missing: a pulse is missing before edge number 50, 51.0000 s into the window, after an interval of 2.0000 s where 1.0000 s are usual and 1/(P·C) is 1.0000 s"
    );
    let positions: Vec<f64> = (0..100).filter(|k| !(50..53).contains(k)).map(f64::from).collect();
    assert_eq!(found(&positions), [(50, Stray::Missing { pulses: 3 })]);
}

#[test]
fn a_doubled_pulse_is_the_later_of_the_two() {
    let mut positions: Vec<f64> = (0..60).map(f64::from).collect();
    positions.insert(31, 30.004);
    assert_eq!(found(&positions), [(31, Stray::Doubled)]);
}

#[test]
fn a_spurious_pulse_is_found_wherever_it_falls() {
    for part in [0.3, 0.5, 0.7] {
        let mut positions: Vec<f64> = (0..60).map(f64::from).collect();
        positions.insert(31, 30.0 + part);
        assert_eq!(found(&positions), [(31, Stray::Spurious)], "{part}");
    }
}

#[test]
fn several_strays_in_one_window_are_told_apart() {
    let mut positions: Vec<f64> = (0..200).filter(|k| *k != 150).map(f64::from).collect();
    positions.splice(101..101, [100.3, 100.5, 100.7]);
    positions.insert(21, 20.01);
    let found = found(&positions);
    assert_eq!(found[0], (21, Stray::Doubled));
    let burst: Vec<u64> = found[1..4].iter().map(|f| f.0).collect();
    assert_eq!((burst, found.len()), (vec![102, 103, 104], 5), "{found:?}");
    assert_eq!(found[4], (154, Stray::Missing { pulses: 1 }));
}

#[test]
fn a_constant_error_is_a_rhythm_of_its_own() {
    for interval in [0.1, 0.5, 0.7, 0.99, 1.0, 1.4, 2.0, 10.0] {
        let rhythm = ticks(&jittered(5, 80, 0.2, interval)).examine().unwrap();
        assert!(rhythm.findings.is_empty(), "{interval}: {rhythm:?}");
        assert!((rhythm.usual_over_nominal / interval - 1.0).abs() < 0.02, "{interval}: {rhythm:?}");
        assert_eq!(
            rhythm.hint().is_some(),
            !(0.6667..1.5).contains(&interval),
            "{interval}: {:?}",
            rhythm.hint()
        );
    }
    let rhythm = ticks(&jittered(5, 80, 0.0, 10.0)).examine().unwrap();
    assert!(rhythm.hint().unwrap().contains("10.00 times longer"), "{:?}", rhythm.hint());
}

#[test]
fn jitter_of_a_fifth_of_an_interval_is_no_finding() {
    for seed in 0..3000 {
        let positions = jittered(seed, 5 + seed % 120, 0.2, 1.0);
        let rhythm = ticks(&positions).examine().unwrap();
        assert!(rhythm.findings.is_empty(), "seed {seed}, {} edges: {rhythm:?}", positions.len());
    }
}

#[test]
fn strays_are_found_through_jitter() {
    let (mut missing, mut spurious) = (0, 0);
    for seed in 0..500 {
        let edges = 20 + seed % 100;
        let mut positions = jittered(seed, edges, 0.2, 1.3);
        positions.remove(10);
        let one = found(&positions);
        missing += u32::from(one == [(10, Stray::Missing { pulses: 1 })]);
        let mut positions = jittered(seed, edges, 0.2, 0.7);
        let middle = f64::midpoint(positions[9], positions[10]);
        positions.insert(10, middle);
        let one = found(&positions);
        spurious += u32::from(
            one.len() == 1 && (9..=11).contains(&one[0].0) && !matches!(one[0].1, Stray::Missing { .. }),
        );
    }
    assert!(missing >= 495 && spurious >= 495, "{missing} {spurious} of 500");
}

#[test]
fn a_change_of_load_is_no_change_of_rhythm() {
    // Ten pulses at 3.6 kW, then ten at 7.2 kW: half the interval, the same energy.
    let mut ticks = Ticks::default();
    for edge in 0..=20_u64 {
        let secs = if edge <= 10 { edge as f64 } else { 10.0 + (edge - 10) as f64 / 2.0 };
        ticks.push(Instant::from_nanos((secs * 1e9) as i64), constant().energy(edge));
    }
    let rhythm = ticks.examine().unwrap();
    assert!(rhythm.findings.is_empty() && !rhythm.irregular, "{rhythm:?}");
}

#[test]
fn of_two_or_three_intervals_the_nameplate_says_which_is_wrong() {
    assert_eq!(found(&[0.0, 1.0, 3.0]), [(2, Stray::Missing { pulses: 1 })]);
    assert_eq!(found(&[0.0, 1.1, 2.0, 5.0]), [(3, Stray::Missing { pulses: 2 })]);
    assert_eq!(found(&[0.0, 0.4, 1.0, 2.0]), [(1, Stray::Spurious)]);
    assert_eq!(found(&[0.0, 1.0, 1.1, 2.0]), [(2, Stray::Doubled)]);
    for even in [&[0.0, 7.0][..], &[0.0, 1.0, 2.3], &[0.0, 0.5, 1.1, 1.6], &[0.0, 2.0, 4.1, 6.0]] {
        assert_eq!(found(even), [], "{even:?}");
    }
}

#[test]
fn a_long_window_may_wander_off_the_grid() {
    let mut random = Random(9);
    let mut at = 0.0;
    let positions: Vec<f64> = (0..20_000)
        .map(|_| {
            at += 0.9 + 0.2 * random.unit();
            at
        })
        .collect();
    assert_eq!(found(&positions), []);
}

#[test]
fn where_every_pulse_is_doubled_the_nameplate_decides() {
    let positions: Vec<f64> = (0..40).flat_map(|k| [f64::from(k), f64::from(k) + 0.05]).collect();
    let rhythm = ticks(&positions).examine().unwrap();
    assert!(rhythm.irregular && rhythm.findings.len() >= 39, "{rhythm:?}");
    assert!(rhythm.findings.iter().all(|f| f.stray == Stray::Doubled), "{:?}", rhythm.findings);
    assert!(rhythm.spoils().unwrap().starts_with("the pulses have no steady rhythm; pulses 40 doubled"));
}

#[test]
fn what_has_no_rhythm_is_refused_by_name() {
    let one = Ticks { energy: vec![Energy::ZERO; 2], ..ticks(&[0.0]) };
    assert_eq!(one.examine(), Err(Fault::TooFew { seen: 1, needed: 2 }));
    assert_eq!(ticks(&[0.0, 1.0, 1.0, 2.0, 3.0]).examine(), Err(Fault::Backwards { edge: 2 }));
    let by_nothing = ticks(&[0.0, 1.0, 2.0, 3.0, 4.0]).examine_by(PulseConstant::ZERO);
    assert!(matches!(by_nothing, Err(Fault::NoConstant { .. })));
    let mut dead = ticks(&[0.0, 1.0, 2.0, 3.0, 4.0]);
    dead.energy[3] = dead.energy[2];
    assert_eq!(dead.examine(), Err(Fault::NoEnergy { edge: 3 }));
}
