//! One parser under attack: the one whose name the program has.

#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let body = bodies::body(env!("CARGO_BIN_NAME")).expect("a target has the name of a parser");
    body(data);
});
