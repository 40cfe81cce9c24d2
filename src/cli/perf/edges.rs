//! Edges through window and estimator, as the engine does it, against plain loops over the same edges.

use super::{Asked, Curve, Row, shortest};
use phantomload::error::edge_fit::{Even, Fit, rhythm};
use phantomload::plan::Method;
use phantomload::pulse::proof::Seen;
use phantomload::pulse::{Edge, Input};
use phantomload::quantity::{Current, Power, PulseConstant, Voltage};
use phantomload::reference::{Sample, Track};
use phantomload::time::{Instant, Span};

/// Pulses come so often: 10 kHz, the most that the counters of this program take.
const PERIOD: Span = Span::from_nanos(100_000);
/// A sample of the reference each 100 ms, as on the simulated bench.
const SAMPLES: Span = Span::from_millis(100);
/// Edges of one window of the stream: some ten seconds at 10 kHz, as the regulation's shortest window is.
const WINDOW: u64 = 200_000;
/// The power of the load.
const WATTS: f64 = 187_500.0;

/// The constant with which pulses of this load come each period.
fn constant() -> PulseConstant {
    PulseConstant::from_impulses_per_kilowatt_hour(3.6e6 / (WATTS * PERIOD.secs()))
}

/// The moment of edge number `n`, rising ones even, with some jitter that needs no memory. The square spreads also what is
/// between two edges, the widths of the pulses.
fn edge(n: u64) -> Edge {
    let rising = n.is_multiple_of(2);
    let width = if rising { 0 } else { PERIOD.nanos() / 3 };
    let jitter = (n.wrapping_mul(n).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54).cast_signed() - 512;
    let at = (n / 2).cast_signed() * PERIOD.nanos() + width + jitter;
    Edge { input: Input::Meter, seq: n, at: Instant::from_nanos(at), rising }
}

/// Samples of the reference from before one moment until after another.
fn track(from: Instant, to: Instant) -> Track {
    let mut track = Track::default();
    let mut at =
        Instant::from_nanos((from - Instant::ZERO).nanos() / SAMPLES.nanos() * SAMPLES.nanos()) - SAMPLES;
    while at <= to + SAMPLES {
        let voltage = Voltage::from_volts(750.0);
        let (current, power) = (Current::from_amperes(250.0), Power::from_watts(WATTS));
        track.push(Sample { taken: at, taken_half_width: Span::ZERO, voltage, current, power, energy: None });
        at = at + SAMPLES;
    }
    track
}

/// What the engine does with the edges of a window: its proof, its rhythm, the line through every edge. The error by the
/// line.
fn estimate(edges: &[Edge], track: &Track) -> Option<f64> {
    let seen = Seen::of(edges, None).ok()?;
    if seen.proof().ok()?.odd_width(edges, seen.window.opened).is_some() {
        return None;
    }
    let energies = track.energies(seen.window.opened, seen.rising(), Method::PowerTime)?;
    let line = Even::through(&energies).ok()?;
    let pulses = rhythm::Pulses { at: seen.rising(), energy: &energies, edges };
    if !rhythm::examine(&pulses, &line, constant()).ok()?.findings.is_empty() {
        return None;
    }
    Some(Fit::of(&line, constant()).ok()?.error.fraction())
}

/// The plainest loop that gives the same number: a line by five sums, the energy between two samples by the rule of
/// three. It proves nothing, and its sums lose digits.
fn plain(edges: &[Edge], samples: &[Sample]) -> f64 {
    let (mut n, mut x, mut y, mut xy, mut xx) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut sample, mut energy, mut last) = (0, 0.0, edges.first().map_or(0, |edge| edge.seq));
    let mut holes = 0_u64;
    for edge in edges {
        holes += u64::from(edge.seq != last);
        last = edge.seq + 1;
        if !edge.rising {
            continue;
        }
        while samples[sample + 1].taken <= edge.at {
            let (a, b) = (&samples[sample], &samples[sample + 1]);
            energy += (a.power.watts() + b.power.watts()) * 0.5 * (b.taken - a.taken).secs();
            sample += 1;
        }
        let joules = energy + samples[sample].power.watts() * (edge.at - samples[sample].taken).secs();
        xy += n * joules;
        xx += n * n;
        x += n;
        y += joules;
        n += 1.0;
    }
    let slope = (n * xy - x * y) / (n * xx - x * x);
    constant().energy(1).joules() / slope - 1.0 + holes.min(1) as f64 * 1e-300
}

/// The parts of [`estimate`], each by itself, with the nanoseconds that it takes of each edge.
fn parts(edges: &[Edge], track: &Track) -> Option<[(&'static str, f64); 4]> {
    let each = |secs: f64| secs / edges.len() as f64 * 1e9;
    let proven = shortest(7, || Seen::of(edges, None).is_ok_and(|seen| seen.proof().is_ok()));
    let seen = Seen::of(edges, None).ok()?;
    let energies = || track.energies(seen.window.opened, seen.rising(), Method::PowerTime);
    let energy = shortest(7, || energies().is_some());
    let energies = energies()?;
    let lined = shortest(7, || Even::through(&energies).is_ok());
    let line = Even::through(&energies).ok()?;
    let pulses = rhythm::Pulses { at: seen.rising(), energy: &energies, edges };
    let regular = shortest(7, || rhythm::examine(&pulses, &line, constant()).is_ok());
    Some(
        [("proof", proven), ("energy at each", energy), ("line", lined), ("rhythm", regular)]
            .map(|(what, secs)| (what, each(secs))),
    )
}

/// What the memory gives: every edge looked at once.
fn touched(edges: &[Edge]) -> u64 {
    edges.iter().fold(0, |sum, edge| sum.wrapping_add(edge.at.nanos().cast_unsigned()).wrapping_add(edge.seq))
}

/// Edges a second through the estimator, beside the plain loop and beside the mere reading of them: window by window.
pub(super) fn against_plain_loops(windows: u64) -> [Row; 2] {
    let count = windows * WINDOW;
    let edges: Vec<Edge> = (0..=count).map(edge).collect();
    let (from, to) = (edges[0].at, edges[edges.len() - 1].at);
    let track = track(from, to);
    let samples = track.since(Instant::ZERO - SAMPLES - SAMPLES);
    // The edge that closes a window opens the next one.
    let size = WINDOW as usize;
    let each_of = |of: &dyn Fn(&[Edge]) -> f64| -> f64 {
        (0..edges.len() - 1).step_by(size).map(|open| of(&edges[open..=open + size])).sum()
    };
    // Both must come to the same error, or their speed says nothing.
    let found = each_of(&|edges| estimate(edges, &track).unwrap_or(f64::NAN));
    let plainly = each_of(&|edges| plain(edges, samples));
    let agree = (found - plainly).abs() < 1e-6 * windows as f64;
    // In turn, so that a processor that changes its pace changes it for all three.
    let [mut ours, mut loops, mut reading] = [f64::INFINITY; 3];
    for _ in 0..15 {
        ours = ours.min(shortest(1, || each_of(&|edges| estimate(edges, &track).unwrap_or(f64::NAN))));
        loops = loops.min(shortest(1, || each_of(&|edges| plain(edges, samples))));
        reading = reading.min(shortest(1, || each_of(&|edges| touched(edges) as f64)));
    }
    let told: Vec<String> = parts(&edges[..=size], &track)
        .into_iter()
        .flatten()
        .map(|(what, nanos)| format!("{what} {nanos:.1}"))
        .collect();
    let each = |secs: f64| format!("{:.1} ns an edge", secs / count as f64 * 1e9);
    [
        Row::new(
            "edges: window and estimator",
            format!(
                "{} ({:.1} million edges a second): {}",
                each(ours),
                count as f64 / ours * 1e-6,
                told.join(", ")
            ),
            format!("a plain loop over the same {windows} windows of {WINDOW} edges, {}", each(loops)),
            if agree { ours / loops } else { f64::INFINITY },
            Asked::AtMost(3.0),
        ),
        Row::new(
            "edges: beside reading them",
            each(ours),
            format!("adding up number and moment of each, {}", each(reading)),
            ours / reading,
            Asked::Nothing,
        ),
    ]
}

/// A stream of so many edges in windows, one after another; the sum of their errors, which nobody needs.
fn stream(count: u64) -> f64 {
    let mut edges = Vec::with_capacity(WINDOW as usize + 1);
    let mut sum = 0.0;
    let mut from = 0;
    while from < count {
        edges.clear();
        edges.extend((from..=(from + WINDOW).min(count)).map(edge));
        let track = track(edges[0].at, edges[edges.len() - 1].at);
        sum += estimate(&edges, &track).unwrap_or(f64::NAN);
        from += WINDOW;
    }
    sum
}

/// Ten million edges through window and estimator, and the most memory that the process has held by then.
pub(super) fn memory(count: u64) -> Row {
    let sum = stream(count);
    let held = peak_mb();
    let measured = match held {
        Some(held) => format!("{held:.0} MB at most after {count} edges in windows of {WINDOW}"),
        None => "this machine does not say how much memory was held".to_owned(),
    };
    // A window that was not sound makes the sum no number, and the row is not kept.
    let ratio = if sum.is_finite() { held.unwrap_or(f64::INFINITY) / 100.0 } else { f64::INFINITY };
    Row::new("edges: memory of ten million", measured, "100 MB".to_owned(), ratio, Asked::AtMost(1.0))
}

/// The most memory that this process has held, in MB (`VmHWM` of proc(5)).
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
}

/// What edges cost as they grow: in one window, and as a stream of windows.
pub(super) fn curves(quick: bool) -> Vec<Curve> {
    let most = |whole: u64| if quick { whole / 10 } else { whole };
    let numbers = |from: u64, to: u64| {
        std::iter::successors(Some(from), |n| Some(n * 10)).take_while(move |n| *n <= to)
    };
    let window = numbers(10_000, most(1_000_000)).map(|count| {
        let edges: Vec<Edge> = (0..=count).map(edge).collect();
        let track = track(edges[0].at, edges[edges.len() - 1].at);
        (count, shortest(3, || estimate(&edges, &track)))
    });
    let one = Curve::new("edges in one window", "edges", window.collect());
    let streamed = numbers(10_000, most(10_000_000)).map(|count| (count, shortest(2, || stream(count))));
    vec![one, Curve::new("edges as a stream of windows", "edges", streamed.collect())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimator_and_the_plain_loop_find_the_same_error() {
        let edges: Vec<Edge> = (0..20_001).map(edge).collect();
        let track = track(edges[0].at, edges[edges.len() - 1].at);
        let ours = estimate(&edges, &track).expect("a sound window");
        let plain = plain(&edges, track.since(Instant::ZERO - SAMPLES - SAMPLES));
        assert!((ours - plain).abs() < 1e-9, "{ours} {plain}");
        assert!(ours.abs() < 1e-6, "{ours}");
        // A window with a lost edge is no figure of speed.
        let mut lost = edges;
        lost.remove(5000);
        assert_eq!(estimate(&lost, &track), None);
    }
}
