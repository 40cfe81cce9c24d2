//! The program `phantomload`: the command line and the wiring, nothing else.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
