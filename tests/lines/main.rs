//! What lives on lines, in the time of the day: instruments, meters and buses in processes and threads of their own. One
//! program, since nearly all of it is waiting, and its tests wait side by side; the longest comes first by its name. A line that
//! is pulled has a program of its own (`tests/wire_traps.rs`): another test's child would hold its other end.

mod all_the_way;
mod bench_tools;
mod bus_craft;
mod independent_wires;
mod second_opinion;
#[path = "../support/served.rs"]
mod served;
mod served_bench;
mod signing_meter;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/mod.rs"]
mod support;
