//! The command line: arguments, exit codes, and one file a command.

mod approval;
mod bench;
mod calibration;
mod certificate;
mod data;
mod history;
mod inputs;
mod key;
mod label;
mod meter;
mod ocmf;
mod page;
mod panel;
mod perf;
mod person;
mod photographs;
mod plan;
mod profile;
mod progress;
mod record;
mod replay;
mod run;
mod screen;
mod seal;
mod selection;
mod selftest;
mod sim;
mod study;
mod tester;
mod uncertainty;
mod verification;
mod verify;

use clap::{Args, Parser, Subcommand};
use phantomload::archive::{self, Archive};
use phantomload::bench::description;
use phantomload::plan::nameplate::is_code;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Verifies the energy meters inside EV chargers: phantom load, pulses, uncertainty, certificate.
#[derive(Parser)]
#[command(
    version,
    about,
    args_conflicts_with_subcommands = true,
    after_help = "Without a subcommand the touchscreen opens.\n\nExit codes: 0 pass or done, 1 the meter failed (replay: results differ; study: a promise was not kept), 2 wrong input, 3 the bench faulted or the run was aborted, 4 undecided."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    screen: screen::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Open the touchscreen; the same as without a subcommand
    Screen(screen::Arguments),
    /// Verify a meter, from nameplate to verdict; without arguments the good demo meter on the simulated bench
    Verify(verify::Arguments),
    /// Look at a meter in three minutes, at fewer points: no verdict, no number, no certificate
    Precheck(verify::Arguments),
    /// Runs that a crash or a power failure has left open: go on with one, or close it
    #[command(subcommand)]
    Run(run::Which),
    /// The data folder: back it up, bring a backup back, check it
    #[command(subcommand)]
    Data(data::Which),
    /// Print the plan: steps, Gantt chart, total against ten minutes
    Plan(plan::Arguments),
    /// Serve the simulated bench in real time over pseudo-terminals and TCP on loopback
    Sim(sim::Arguments),
    /// Make many simulated verifications of meters of known error: what intervals and verdicts are worth
    Study(study::Arguments),
    /// Recompute all results of a record from its raw data, and say identical, the same but for last bits, or what differs
    Replay(replay::Arguments),
    /// Compute a measurement model by the law of propagation (GUM) and by Monte Carlo (JCGM 101), and compare
    Uncertainty(uncertainty::Arguments),
    /// Certificates of the tester's own standards: points, due dates, drift
    #[command(subcommand)]
    Calibration(calibration::Which),
    /// Certificates and test reports in the data folder
    #[command(subcommand)]
    Certificate(certificate::Which),
    /// Look back: the visits of a charger or meter, its drift, and when it would reach its limit
    #[command(after_help = history::REFUSALS)]
    History(history::OfWhat),
    /// Hold two visits of a meter against one another, load point by load point (`E_n`)
    Compare(history::Two),
    /// All known chargers: green normal, yellow a finding or due soon, red failed or overdue
    Board(history::OfAll),
    /// The device's key: make it, have it certified, replace it
    #[command(subcommand)]
    Key(key::Which),
    /// Persons who sign: verifier, checker, approver
    #[command(subcommand)]
    Person(person::Which),
    /// Seals: an approver answers for what was found at them
    #[command(subcommand)]
    Seal(seal::Which),
    /// Regulation profiles: a laboratory answers for unconfirmed figures
    #[command(subcommand)]
    Profile(profile::Which),
    /// Is the tester fit for work: clock, disk, supply, key, standards, devices; exit code 1 where it is not
    Selftest(selftest::Arguments),
    /// The verification of the tester itself: its items, what a laboratory found, the drift over the years
    #[command(subcommand)]
    Tester(tester::Which),
    /// The devices: who is there, do they do what they should, what went over their lines
    #[command(subcommand)]
    Bench(bench::Which),
    /// Talk to a meter's data output: read it; have it sign a transaction
    #[command(subcommand)]
    Meter(meter::Which),
    /// Signed records of meters (OCMF), checked offline
    #[command(subcommand)]
    Ocmf(ocmf::Which),
}

/// What says which verification is made; the same for `verify` and `plan`.
#[derive(Args, Clone)]
struct Task {
    /// Nameplate file, or the name of a demo meter: good, fast, bad-at-imin, creeping, not-starting, wrong-constant,
    /// clock-off, cover-opened, standard-register, coarse-register, led-off, stale-power, slow-pulses, seconds-told,
    /// seconds-refused, disputed-unit, signing, slow-to-sign, forged-record, signed-energy-off [default: the bench
    /// file's, else good]
    #[arg(long, value_name = "FILE|DEMO")]
    meter: Option<String>,
    /// Bench file, or `simulated`
    #[arg(long, value_name = "FILE|simulated", default_value = "simulated")]
    bench: String,
    /// Regulation profile that comes with the program (dc-meter, jjg596-2026, jjg1149-2022), or a file
    #[arg(long, value_name = "ID|FILE", default_value = "dc-meter")]
    regulation: String,
    /// Kind of verification: first, subsequent or in-service
    #[arg(long, default_value = "subsequent")]
    kind: String,
    /// The operator's entries (TOML); the simulated bench has a simulated operator
    #[arg(long, value_name = "FILE")]
    entries: Option<PathBuf>,
}

/// Where records and certificates are kept.
#[derive(Args)]
struct Data {
    /// Data folder [default: this platform's, such as ~/.local/share/phantomload]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Data {
    fn dir(&self) -> Result<PathBuf, Stop> {
        if let Some(dir) = &self.data {
            return Ok(dir.clone());
        }
        let dirs = directories::ProjectDirs::from("", "", "phantomload");
        dirs.map(|d| d.data_dir().to_owned())
            .ok_or_else(|| Stop::input("this user has no home folder; give --data DIR"))
    }
}

/// Where a PIN comes from: never from the command line, which others can read.
#[derive(Args)]
// `person pin` is a group of this name too.
#[group(skip)]
struct Pin {
    /// File whose first line is the PIN [default: one line is read from standard input]
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

impl Pin {
    /// The PIN of this person.
    fn ask(&self, person: &str) -> Result<String, Stop> {
        pin_of(self.pin_file.as_deref(), &format!("PIN of {person}:"))
    }

    /// The new PIN of this person.
    fn ask_new(&self, person: &str) -> Result<String, Stop> {
        pin_of(self.pin_file.as_deref(), &format!("new PIN of {person}:"))
    }
}

fn pin_of(file: Option<&Path>, question: &str) -> Result<String, Stop> {
    let text = if let Some(path) = file {
        description::read(path).map_err(Stop::input)?
    } else {
        say(question);
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(Stop::input)?;
        line
    };
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Who answers for a change of persons.
#[derive(Args)]
#[group(skip)]
struct By {
    /// The approver who answers for it; the PIN is asked first
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// File whose first line is that person's PIN (for `person pin` without --by: the old PIN) [default: standard input]
    #[arg(long, value_name = "FILE")]
    by_pin_file: Option<PathBuf>,
}

impl By {
    /// The name with the PIN, if somebody answers.
    fn ask(&self) -> Result<Option<(String, String)>, Stop> {
        self.by.as_ref().map(|_| self.ask_or("")).transpose()
    }

    /// The same; without `--by` this person.
    fn ask_or(&self, person: &str) -> Result<(String, String), Stop> {
        let (who, which) = self.by.as_deref().map_or((person, "old PIN"), |by| (by, "PIN"));
        Ok((who.to_owned(), pin_of(self.by_pin_file.as_deref(), &format!("{which} of {who}:"))?))
    }
}

/// Opens the data folder for writing, and says what was set right in it.
fn open(data: &Data) -> Result<Archive, Stop> {
    let (archive, found) = verification::settled(&data.dir()?, &say)?;
    if let Some(waits) = verification::waits(&found) {
        say(&format!("data folder: {waits}"));
    }
    Ok(archive)
}

fn say_notices(archive: &Archive) {
    for notice in archive.notices() {
        say(&format!("data folder: {notice}"));
    }
}

/// A fault of the data folder: what was asked for wrongly is wrong input, the rest is the disk's.
fn refused(fault: archive::Fault) -> Stop {
    use archive::Fault::{File, Key, NotFound, Number, Person, State};
    match fault {
        File { .. } | Key { .. } | NotFound { .. } | Number { .. } | Person { .. } | State { .. } => {
            Stop::input(fault)
        }
        fault => Stop::fault(fault),
    }
}

/// Why the program ends otherwise than well.
struct Stop {
    code: u8,
    message: String,
}

impl Stop {
    /// The input was wrong.
    fn input(message: impl fmt::Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// The bench, the line or the disk did not work.
    fn fault(message: impl fmt::Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }
}

/// Ends with the code of a command's outcome.
type Ended = Result<u8, Stop>;

/// Reads the command line and does it.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command.unwrap_or(Command::Screen(cli.screen)) {
        Command::Screen(arguments) => screen::run(arguments),
        Command::Verify(arguments) => verify::run(&arguments, false),
        Command::Precheck(arguments) => verify::run(&arguments, true),
        Command::Run(which) => run::run(&which),
        Command::Data(which) => data::run(&which),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Study(arguments) => study::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Uncertainty(arguments) => uncertainty::run(&arguments),
        Command::Calibration(which) => calibration::run(&which),
        Command::Certificate(which) => certificate::run(&which),
        Command::History(arguments) => history::history(&arguments),
        Command::Compare(arguments) => history::compare(&arguments),
        Command::Board(arguments) => history::board(&arguments),
        Command::Key(which) => key::run(&which),
        Command::Person(which) => person::run(&which),
        Command::Profile(which) => profile::run(&which),
        Command::Seal(which) => seal::run(&which),
        Command::Selftest(arguments) => selftest::run(&arguments),
        Command::Tester(which) => tester::run(&which),
        Command::Bench(which) => bench::run(&which),
        Command::Meter(which) => meter::run(&which),
        Command::Ocmf(which) => ocmf::run(&which),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            say(&format!("phantomload: {}", stop.message));
            ExitCode::from(stop.code)
        }
    }
}

/// Prints JSON on standard output; a reader that has gone away is no fault of the run.
fn print_json(value: &impl serde::Serialize) -> Result<(), Stop> {
    let text = serde_json::to_string_pretty(value).map_err(Stop::fault)?;
    print_text(&(text + "\n"))
}

/// Prints text on standard output; a reader that has gone away is no fault, a full disk behind it is.
fn print_text(text: &str) -> Result<(), Stop> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(tame(text).as_bytes()).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::fault(format!("standard output could not be written: {fault}")))
        }
        _ => Ok(()),
    }
}

/// Says a line on standard error. Nobody may be there to read it: a run goes on all the same.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{}", tame(line));
}

/// What files, meters and papers say comes from strangers: nothing in it moves the terminal's cursor or turns the direction
/// of writing. The way in which it is shown is JSON's, so that JSON stays what it is.
fn tame(text: &str) -> Cow<'_, str> {
    use std::fmt::Write;
    let is_harmless = |c: char| matches!(c, '\n' | '\t') || !is_code(c);
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().enumerate().peekable();
    while let Some((at, letter)) = letters.next() {
        let ends_line = letter == '\r' && letters.peek().is_some_and(|(_, next)| *next == '\n');
        let is_mark = letter == '\u{FEFF}' && at == 0;
        if is_harmless(letter) || ends_line || is_mark {
            shown.push(letter);
        } else {
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn what_strangers_write_moves_no_cursor_and_turns_no_writing() {
        assert_eq!(tame("plain 检定\n\tline\r\n"), "plain 检定\n\tline\r\n");
        assert_eq!(tame("\u{FEFF}a,b\r\n"), "\u{FEFF}a,b\r\n");
        assert_eq!(
            tame("a\u{1b}[2J\rb\u{9b}31m\u{202e}c\u{7f}\u{feff}"),
            r"a\u001b[2J\u000db\u009b31m\u202ec\u007f\ufeff"
        );
        let json = serde_json::to_string("\u{9b}31m \u{202e}").unwrap();
        let back: String = serde_json::from_str(&tame(&json)).unwrap();
        assert_eq!(back, "\u{9b}31m \u{202e}");
    }
}
