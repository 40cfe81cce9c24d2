//! `phantomload run`

use super::panel::Panel;
use super::verification::{Again, settled};
use super::verify::{bring_to_end, exit_code, stop_flag, tell};
use super::{Data, Ended, Stop, print_json, print_text, say};
use phantomload::archive::{Stored, journal};
use phantomload::bench::description::{RECORD_MAX, read_at_most};
use phantomload::bench::resume::{self, Found, Left};
use phantomload::certificate::record::{Outcome, Record};
use phantomload::time::Stamp;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Which {
    /// The runs of the journal: which one waits to be gone on with or closed
    List(List),
    /// Go on with the run that was interrupted: the connection is checked anew, the meter asked who it is, and the interrupted
    /// point repeated whole
    Resume(Resume),
    /// End the run that was interrupted; its record is kept. It has a verdict only where all was measured and nothing but the
    /// meter's signature was waited for: it is told then, with the exit code of `verify`
    Close(Close),
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    data: Data,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Resume {
    #[command(flatten)]
    data: Data,
    /// Bench file, where it has moved since [default: the one with which the run was begun]
    #[arg(long, value_name = "FILE")]
    bench: Option<PathBuf>,
    /// The meter's serial number, read from its nameplate again: asked for where the meter has no data output
    #[arg(long, value_name = "SERIAL")]
    serial: Option<String>,
    /// Folder of the raw interface log of a real bench [default: `interface` in the data folder]
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// The seals at the end (TOML, `[[seal]]` with place, number, photograph): read once the run has ended
    #[arg(long, value_name = "FILE")]
    closing: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Close {
    #[command(flatten)]
    data: Data,
    /// Why, in words, for the record
    #[arg(long, value_name = "TEXT", default_value = "closed by the operator")]
    why: String,
    /// Also where its journal cannot be read: it then ends without a record
    #[arg(long)]
    unread: bool,
}

/// Does it.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::List(arguments) => list(arguments),
        Which::Resume(arguments) => go_on(arguments),
        Which::Close(arguments) => close(arguments),
    }
}

fn list(arguments: &List) -> Ended {
    let lines = journal::list(&arguments.data.dir()?).map_err(Stop::fault)?;
    if arguments.json {
        print_json(&lines)?;
        return Ok(0);
    }
    let mut text = String::new();
    for line in &lines {
        let state = match (&line.stored, &line.given_up) {
            (Some(stored), _) => format!("record stored {stored}"),
            (None, Some(at)) => format!("ended without a record {at}: {} events kept", line.events),
            (None, None) => format!("not stored: {} events kept", line.events),
        };
        let again = if line.sittings > 1 {
            format!(", interrupted {} times", line.sittings - 1)
        } else {
            String::new()
        };
        text.extend([line.record_no.as_str(), "  ", &state, &again, "\n"]);
    }
    if lines.is_empty() {
        text.push_str("no run was begun with a journal in this data folder\n");
    }
    print_text(&text)?;
    Ok(0)
}

/// The run that waits, or that there is none.
pub(super) fn left(found: Found) -> Result<Left, Stop> {
    match found {
        Found { left: Some(left), .. } => Ok(left),
        Found { unread: Some(unread), .. } => Err(Stop::input(unread)),
        Found { .. } => Err(Stop::input("no run waits: none was interrupted in this data folder")),
    }
}

fn close(arguments: &Close) -> Ended {
    let (mut archive, found) = settled(&arguments.data.dir()?, &say)?;
    if let (Some(unread), true) = (&found.unread, arguments.unread) {
        let why = format!("{}; its events could not be read: {unread}", arguments.why);
        archive.close_unread(&why).map_err(Stop::fault)?;
        print_text("closed without a record; the chain says so\n")?;
        return Ok(0);
    }
    let left = left(found)?;
    let words = left.words();
    let stored =
        left.close(&mut archive, &resume::boot(), Stamp::now(), &arguments.why).map_err(Stop::fault)?;
    let record = record_of(&stored)?;
    if record.outcome == Outcome::Completed {
        print_text(&format!("{words}: closed\n"))?;
        tell(&record, &stored, record.plan.total, false)?;
        return Ok(exit_code(&record));
    }
    print_text(&format!("{words}: closed. No verdict.\nwrote {}\n", stored.record.display()))?;
    Ok(0)
}

/// The record that was stored.
pub(super) fn record_of(stored: &Stored) -> Result<Record, Stop> {
    let text = read_at_most(&stored.record, RECORD_MAX).map_err(Stop::fault)?;
    Record::from_json(&stored.record.display().to_string(), &text).map_err(Stop::fault)
}

fn go_on(arguments: &Resume) -> Ended {
    let stop = stop_flag()?;
    let dir = arguments.data.dir()?;
    let (archive, found) = settled(&dir, &say)?;
    let left = left(found)?;
    let words = left.words();
    let again = Again {
        dir: &dir,
        bench: arguments.bench.as_deref(),
        serial: arguments.serial.as_deref(),
        log: arguments.log.as_deref(),
    };
    let mut panel = Panel::of_bench(again.described(&left)?.as_ref());
    panel.opening();
    let ready = again.prepare(archive, left, &say).inspect_err(|stop| panel.not_opened(&stop.message))?;
    if !arguments.json {
        say(&format!("{words}; it goes on"));
    }
    panel.begins(ready.plan());
    bring_to_end(ready, &mut panel, &stop, arguments.closing.as_deref(), arguments.json)
}
