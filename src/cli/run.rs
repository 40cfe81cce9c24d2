//! `phantomload run`

use super::inputs::{Chosen, meter_text};
use super::verify::{Conductor, stop_flag};
use super::{Data, Ended, Stop, print_json, print_text, say, say_notices};
use phantomload::archive::{Archive, Numbers, journal};
use phantomload::bench::resume::{self, Found, Left};
use phantomload::bench::{Bench, Description, Devices};
use phantomload::link::journal::Journal;
use phantomload::sim::Rig;
use phantomload::time::Stamp;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Which {
    /// The runs of the journal: which one waits to be gone on with or closed
    List(List),
    /// Go on with the run that was interrupted: the connection is checked anew, the meter asked who it is, and the interrupted
    /// point repeated whole
    Resume(Resume),
    /// End the run that was interrupted, without a verdict; its record is kept
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

/// Opens the data folder for writing, says what was set right in it, and what a crash has left.
pub fn open(data: &Data) -> Result<(Archive, Found), Stop> {
    let mut archive = Archive::open(&data.dir()?).map_err(Stop::fault)?;
    say_notices(&archive);
    let found = resume::settle(&mut archive).map_err(Stop::fault)?;
    for words in &found.words {
        say(&format!("data folder: {words}"));
    }
    Ok((archive, found))
}

/// What waits, and what can be done with it.
pub fn waits(found: &Found) -> Option<String> {
    if let Some(left) = &found.left {
        return Some(format!(
            "{} ({}). `phantomload run resume` goes on with it, `phantomload run close` ends it without a verdict",
            left.words(),
            left.why(&resume::boot())
        ));
    }
    found.unread.clone()
}

/// The same for a new run: none begins while another waits.
pub fn open_free(data: &Data) -> Result<Archive, Stop> {
    let (archive, found) = open(data)?;
    match waits(&found) {
        Some(waits) => Err(Stop::input(format!("{waits}. Only then another run begins"))),
        None => Ok(archive),
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
        let state = line.stored.as_ref().map_or_else(
            || format!("not stored: {} events kept", line.events),
            |stored| format!("record stored {stored}"),
        );
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
fn left(found: Found) -> Result<Left, Stop> {
    match found {
        Found { left: Some(left), .. } => Ok(left),
        Found { unread: Some(unread), .. } => Err(Stop::input(unread)),
        Found { .. } => Err(Stop::input("no run waits: none was interrupted in this data folder")),
    }
}

fn close(arguments: &Close) -> Ended {
    let (mut archive, found) = open(&arguments.data)?;
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
    print_text(&format!("{words}: closed. No verdict.\nwrote {}\n", stored.record.display()))?;
    Ok(0)
}

/// The bench of the run that waits, and what differs from the run's.
struct Again {
    bench: Box<dyn Bench>,
    interface: Option<Journal>,
    is_real: bool,
}

impl Resume {
    /// Opens the bench again. Nothing is switched on where it is not the run's.
    fn bench(&self, left: &Left) -> Result<Again, Stop> {
        let header = &left.kept.header;
        let way = &header.way;
        let refuse = |why: Option<String>| why.map_or(Ok(()), |why| Err(Stop::input(why)));
        let chosen = match &self.bench {
            Some(file) => Chosen::Real(Box::new(Description::load(file).map_err(Stop::input)?)),
            None if way.bench == "simulated" => {
                let (origin, text) = meter_text(way.meter.as_deref().unwrap_or("good"))?;
                Chosen::Simulated(Box::new(Rig::new(&origin, &text).map_err(Stop::input)?))
            }
            None => Chosen::Real(Box::new(Description::load(Path::new(&way.bench)).map_err(Stop::input)?)),
        };
        match chosen {
            Chosen::Simulated(rig) => {
                refuse(left.unfit(&rig.nameplate, &rig.standards, &rig.capability()))?;
                let bench = Box::new(rig.in_process(way.seed, Stamp::now(), way.pace));
                Ok(Again { bench, interface: None, is_real: false })
            }
            Chosen::Real(description) => {
                let plate = &header.plan.nameplate;
                let log =
                    self.log.clone().map_or_else(|| Ok(self.data.dir()?.join("interface")), Ok::<_, Stop>)?;
                let interface = Journal::open(&log).map_err(Stop::fault)?;
                interface.opening();
                let description = Description { journal: Some(interface.clone()), ..*description };
                let mut devices = Devices::open(&description, plate).map_err(Stop::input)?;
                refuse(left.unfit(plate, &description.standards, &devices.capability()))?;
                refuse(resume::other_meter(&mut devices, &left.run))?;
                Ok(Again { bench: Box::new(devices.start()), interface: Some(interface), is_real: true })
            }
        }
    }

    /// What a person has to say of the meter where it cannot speak for itself.
    fn looked(&self, left: &Left) -> Result<Option<String>, Stop> {
        let plate = &left.kept.header.plan.nameplate;
        match &self.serial {
            Some(serial) if *serial == plate.serial => {
                Ok(Some(format!("the serial number {serial} was read from the nameplate again")))
            }
            Some(serial) => Err(Stop::input(format!(
                "the run was begun on the meter no. {}, not {serial}. Connect that one, or close the run",
                plate.serial
            ))),
            None if plate.data_output.is_none() => Err(Stop::input(format!(
                "this meter cannot be asked who it is. Read its serial number from the nameplate and give it by --serial; the run was begun on {} {}",
                plate.maker, plate.model
            ))),
            None => Ok(None),
        }
    }
}

fn go_on(arguments: &Resume) -> Ended {
    let stop = stop_flag()?;
    let (archive, found) = open(&arguments.data)?;
    let left = left(found)?;
    let looked = arguments.looked(&left)?;
    let again = arguments.bench(&left)?;
    if !arguments.json {
        say(&format!("{}; it goes on", left.words()));
    }
    let header = left.kept.header.clone();
    let numbers =
        Numbers { record_no: header.record_no.clone(), certificate_no: header.certificate_no.clone() };
    let boot = resume::boot();
    let (mut book, words) = archive.journal().map_err(Stop::fault)?;
    for words in words {
        say(&words);
    }
    book.go_on(&numbers.record_no, left.run.log().len(), &boot).map_err(Stop::fault)?;
    let (run, bench) = left.again(again.bench, &boot, Stamp::now(), looked.as_deref());
    let conductor = Conductor {
        archive,
        book,
        numbers,
        simulated: header.simulated,
        interface: again.interface,
        planned: header.plan.total,
        json: arguments.json,
        real_time: again.is_real || header.way.pace.is_some(),
        is_real: again.is_real,
        stop,
    };
    conductor.bring_to_end(run, Box::new(bench))
}
