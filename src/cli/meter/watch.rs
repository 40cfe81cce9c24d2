//! `phantomload meter watch`

use super::super::{Ended, Stop, print_text};
use super::place::{Found, Place};
use phantomload::meter::watch::Watch;
use phantomload::meter::{Fault, Query};
use phantomload::time::{self, Span};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads until Ctrl-C, or for so many rounds.
pub fn run(place: &Place, rounds: u32, every: f64) -> Ended {
    if !(0.0..=3600.0).contains(&every) {
        return Err(Stop::input(format!("--every is {every}; allowed is 0 to 3600 s")));
    }
    let Found { mut meter, link, .. } = place.find()?;
    let ended = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&ended);
    ctrlc::set_handler(move || set.store(true, Ordering::SeqCst)).map_err(Stop::fault)?;
    let mut watch = Watch::default();
    let mut lacking = vec![];
    let mut round = 0;
    let mut next = time::now();
    while !ended.load(Ordering::SeqCst) && (rounds == 0 || round < rounds) {
        round += 1;
        for query in [Query::Energy, Query::Voltage, Query::Current, Query::Power, Query::Clock] {
            if lacking.contains(&query) || ended.load(Ordering::SeqCst) {
                continue;
            }
            match meter.read(query) {
                Err(Fault::NotInProfile { .. }) => lacking.push(query),
                came => watch.handle(query, came),
            }
        }
        let now = time::now();
        print_text(&format!("meter {} at {link}, round {round}\n{}\n", meter.address(), watch.text(now)))?;
        next = (next + Span::from_secs_f64(every)).max(now);
        while time::now() < next && !ended.load(Ordering::SeqCst) && round != rounds {
            time::sleep((next - time::now()).min(Span::from_millis(100)).max(Span::ZERO));
        }
    }
    Ok(0)
}
