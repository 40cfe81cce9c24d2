//! The program's own pulse code on the kernel's own GPIO. Run inside the rig `tests/rigs/gpio-sim.sh`, where the board is
//! one that rppal takes for a Raspberry Pi 4 and its lines are moved by the kernel's gpio-sim. Everywhere else ignored.
//!
//! `PHANTOMLOAD_GPIO_SIM` names the folder of the simulated lines (`…/sim_gpio17/pull` and so on).

use phantomload::pulse::gpio::{Board, Fault, Line, Pull, Sight};
use phantomload::pulse::{Edge, Flaw, Input, Window, whole};
use phantomload::time::{Span, sleep};
use std::path::PathBuf;

const METER: u8 = 17;
const SECONDS: u8 = 27;

fn lines(numbers: &[u8]) -> Vec<Line> {
    let line = |number: &u8| Line {
        number: *number,
        role: format!("line {number}"),
        pull: Pull::Off,
        debounce: None,
    };
    numbers.iter().map(line).collect()
}

/// Moves a line, as its wire would.
fn pull(number: u8, high: bool) {
    let dir =
        PathBuf::from(std::env::var_os("PHANTOMLOAD_GPIO_SIM").expect("the rig names the simulated lines"));
    let file = dir.join(format!("sim_gpio{number}/pull"));
    std::fs::write(&file, if high { "pull-up" } else { "pull-down" })
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

fn next(board: &mut Board) -> Sight {
    board.wait(Span::from_secs(5)).unwrap().expect("an edge that the kernel saw")
}

fn edge(sight: Sight) -> Edge {
    Edge { input: Input::Meter, seq: sight.seq, at: sight.at, rising: sight.high }
}

#[test]
#[ignore = "needs the rig tests/rigs/gpio-sim.sh"]
fn lock_step_edges_on_two_lines_are_counted_one_by_one() {
    const PULSES: usize = 200;
    for number in [METER, SECONDS] {
        pull(number, false);
    }
    let mut board = Board::open(&lines(&[METER, SECONDS])).unwrap();
    let mut seen = [vec![], vec![]];
    for _ in 0..PULSES {
        for (index, number) in [METER, SECONDS].into_iter().enumerate() {
            for high in [true, false] {
                pull(number, high);
                let sight = next(&mut board);
                assert_eq!((sight.line, sight.high), (index, high));
                seen[index].push(edge(sight));
            }
        }
    }
    for edges in &seen {
        let window = Window::over(edges).unwrap();
        println!(
            "RIG {} pulses, numbers {} to {}, {}",
            window.pulses,
            window.first_seq,
            window.last_seq,
            window.elapsed()
        );
        assert_eq!(window.pulses as usize, PULSES - 1);
        let now = phantomload::time::now();
        assert!((now - edges[edges.len() - 1].at).secs() < 60.0, "stamped on our own clock");
    }
}

#[test]
#[ignore = "needs the rig tests/rigs/gpio-sim.sh"]
fn an_overflow_of_the_kernels_buffer_is_a_hole_in_the_numbers() {
    pull(METER, false);
    let mut board = Board::open(&lines(&[METER])).unwrap();
    // More than the 1024 edges of the buffer, without reading. The simulator's interrupt is a thread of the kernel, and a
    // toggle that comes before it has run is none: it gets a moment.
    for n in 0..3000 {
        pull(METER, n % 2 == 0);
        sleep(Span::from_nanos(200_000));
    }
    let mut edges = vec![];
    while let Some(sight) = board.wait(Span::from_millis(500)).unwrap() {
        edges.push(edge(sight));
    }
    // The kernel drops the oldest: what is left is whole, and begins behind the hole.
    let (first, last) = (edges[0].seq, edges[edges.len() - 1].seq);
    println!("RIG overflow: {} edges left, numbers {first} to {last}", edges.len());
    assert!(edges.len() <= 1100 && last > 1100, "{} edges up to number {last}", edges.len());
    let before = Edge { seq: 0, at: edges[0].at - Span::from_secs(1), rising: !edges[0].rising, ..edges[0] };
    let spoiled = [&[before][..], &edges].concat();
    assert!(matches!(whole(&spoiled), Err(Flaw::Lost { .. })));
}

#[test]
#[ignore = "needs the rig tests/rigs/gpio-sim.sh"]
fn a_line_that_somebody_else_holds_is_busy() {
    // The rig's other process holds line 22; our own board holds line 17.
    let fault = Board::open(&lines(&[22])).err().unwrap();
    println!("RIG busy: {fault}");
    assert!(matches!(fault, Fault::Busy { line: 22, .. }), "{fault}");
    let board = Board::open(&lines(&[METER])).unwrap();
    let fault = board.output(22, "heartbeat").err().unwrap();
    assert!(matches!(fault, Fault::Busy { line: 22, .. }), "{fault}");
    let fault = Board::open(&lines(&[METER])).err().unwrap();
    assert!(matches!(fault, Fault::Busy { line: METER, .. }), "{fault}");
    let fault = Board::open(&lines(&[60])).err().unwrap();
    assert!(matches!(fault, Fault::NoLine { line: 60, .. }), "{fault}");
}

#[test]
#[ignore = "needs the rig tests/rigs/gpio-sim.sh"]
fn a_chip_that_vanishes_is_a_fault_within_a_second() {
    let mut board = Board::open(&lines(&[METER])).unwrap();
    let live = std::env::var("PHANTOMLOAD_GPIO_LIVE").expect("the rig names the switch of its chip");
    assert_eq!(board.wait(Span::from_millis(100)), Ok(None));
    // The simulator waits for our line to be given back before it has taken the chip away wholly.
    let gone = std::thread::spawn(move || std::fs::write(live, "0"));
    let began = phantomload::time::now();
    let fault = loop {
        match board.wait(Span::from_millis(100)) {
            Err(fault) => break fault,
            Ok(_) => assert!((phantomload::time::now() - began).secs() < 10.0, "nobody noticed"),
        }
    };
    println!("RIG vanished: {fault} after {:.2} s", (phantomload::time::now() - began).secs());
    assert!(matches!(fault, Fault::Vanished { .. }), "{fault}");
    drop(board);
    let _ = gone.join();
}

/// Holds line 22 until standard input ends; the rig starts it beside the others.
#[test]
#[ignore = "needs the rig tests/rigs/gpio-sim.sh"]
fn holder_of_line_22() {
    let _board = Board::open(&lines(&[22])).unwrap();
    println!("RIG holding line 22");
    let _ = std::io::stdin().read_line(&mut String::new());
}
