//! A verification from inputs to a stored record: the same for `verify`, for `run resume` and for the screen.

use super::inputs::{Chosen, Inputs, meter_text};
use super::{Stop, selftest};
use phantomload::archive::journal::{Book, Header, InStep, Keeper, Way, Writer};
use phantomload::archive::{self, Archive, Numbers, Photograph, Stored};
use phantomload::bench::resume::{self, Found, Left};
use phantomload::bench::{Bench, Description, Devices, Stopper, conduct_kept};
use phantomload::certificate::record::{Outcome, Program, Record};
use phantomload::link::journal::Journal;
use phantomload::plan::Plan;
use phantomload::run::Run;
use phantomload::sim::Rig;
use phantomload::time::{Instant, Span, Stamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How it is made.
pub struct How<'a> {
    /// The data folder.
    pub dir: &'a Path,
    /// Pace of the simulated bench; none: as fast as it goes.
    pub pace: Option<f64>,
    /// Seed of its chances.
    pub seed: u64,
    /// Folder of the raw interface log of a real bench; none: in the data folder.
    pub log: Option<PathBuf>,
}

/// A bench with its devices open, and the plan for it.
pub struct Opened {
    pub plan: Plan,
    pub bench: Box<dyn Bench>,
    /// Somebody is waiting.
    pub real_time: bool,
    /// The raw interface log of a bench by a bench file, over real lines.
    interface: Option<Journal>,
}

/// Opens the bench, as far as nothing is switched on.
pub fn open(inputs: &Inputs, how: &How<'_>, started: Stamp, say: &dyn Fn(&str)) -> Result<Opened, Stop> {
    match &inputs.bench {
        Chosen::Simulated(rig) => {
            let plan = inputs.plan(rig.capability())?;
            let bench = Box::new(rig.in_process(how.seed, started, how.pace));
            Ok(Opened { plan, bench, real_time: how.pace.is_some(), interface: None })
        }
        Chosen::Real(description) => {
            // What cannot be planned is told before a device is touched.
            inputs.plan(description.capability())?;
            let interface = interface(how.dir, how.log.as_deref())?;
            let description = Description { journal: Some(interface.clone()), ..(**description).clone() };
            if description.file.heartbeat.is_none() && !description.is_simulated() {
                say(
                    "this bench has no [heartbeat]: should this program die, nothing takes the load away but you",
                );
            }
            let devices = Devices::open(&description, &inputs.nameplate).map_err(Stop::input)?;
            let plan = inputs.plan(devices.capability())?;
            Ok(Opened { plan, bench: Box::new(devices.start()), real_time: true, interface: Some(interface) })
        }
    }
}

fn interface(dir: &Path, log: Option<&Path>) -> Result<Journal, Stop> {
    let log = log.map_or_else(|| dir.join("interface"), Path::to_owned);
    let interface = Journal::open(&log).map_err(Stop::fault)?;
    interface.opening();
    Ok(interface)
}

/// Opens a data folder for writing, says what was set right in it, and what a crash has left.
pub fn settled(dir: &Path, say: &dyn Fn(&str)) -> Result<(Archive, Found), Stop> {
    let mut archive = Archive::open(dir).map_err(Stop::fault)?;
    let found = resume::settle(&mut archive).map_err(Stop::fault)?;
    for words in archive.notices().iter().chain(&found.words) {
        say(&format!("data folder: {words}"));
    }
    Ok((archive, found))
}

/// What waits, and what can be done with it.
pub fn waits(found: &Found) -> Option<String> {
    if let Some(left) = &found.left {
        return Some(format!(
            "{} ({}). `phantomload run resume` goes on with it, `phantomload run close` ends it as it is",
            left.words(),
            left.why(&resume::boot())
        ));
    }
    found.unread.clone()
}

/// A run that stands in the chain and has its header in the journal, and all that is needed to bring it to its end.
pub struct Ready {
    pub plan_time: Span,
    pub real_time: bool,
    run: Run,
    bench: Box<dyn Bench>,
    interface: Option<Journal>,
    archive: Archive,
    book: Book,
    numbers: Numbers,
    simulated: bool,
    photographs: Vec<Photograph>,
}

/// Opens data folder and bench, and enters the run in chain and journal. `planned` hears of the plan before that.
pub fn prepare(
    inputs: &Inputs,
    how: &How<'_>,
    say: &dyn Fn(&str),
    planned: &dyn Fn(&Plan, &Archive),
) -> Result<Ready, Stop> {
    // A data folder that cannot be written, that another instance writes, or in which a run waits to be gone on with, is
    // told before a device is touched.
    let (mut archive, found) = settled(how.dir, say)?;
    if let Some(waits) = waits(&found) {
        return Err(Stop::input(format!("{waits}. Only then another run begins")));
    }
    let day = Stamp::now();
    let Opened { plan, bench, real_time, interface } = open(inputs, how, day, say)?;
    if matches!(inputs.bench, Chosen::Real(_)) {
        for light in selftest::before_run(how.dir)? {
            say(&format!("self test: {}", light.line()));
        }
    }
    planned(&plan, &archive);
    let plan_time = plan.total;
    // On the disk before the first action: from here on the run cannot vanish.
    let about = archive::opening(&plan, &inputs.profile_sha256);
    let numbers = archive.open_run(inputs.simulated, day.date().year(), about).map_err(Stop::fault)?;
    let began = bench.now();
    let run = Run::new(Arc::new(plan.clone()), began, Stamp::now());
    let header = Header {
        record_no: numbers.record_no.clone(),
        certificate_no: numbers.certificate_no.clone(),
        simulated: inputs.simulated,
        program: Program::this(),
        started: run.started(),
        began,
        way: way(inputs, how)?,
        plan,
    };
    let mut book = book(&archive, say)?;
    book.begin(&header, &resume::boot(), &inputs.photographs).map_err(Stop::fault)?;
    Ok(Ready {
        plan_time,
        real_time,
        run,
        bench,
        interface,
        archive,
        book,
        numbers,
        simulated: inputs.simulated,
        photographs: inputs.photographs.clone(),
    })
}

fn book(archive: &Archive, say: &dyn Fn(&str)) -> Result<Book, Stop> {
    let (book, words) = archive.journal().map_err(Stop::fault)?;
    for words in &words {
        say(words);
    }
    Ok(book)
}

/// How the bench of this run is found again.
fn way(inputs: &Inputs, how: &How<'_>) -> Result<Way, Stop> {
    let (name, text) = inputs.meter.clone();
    let (bench, text) = match &inputs.bench {
        Chosen::Simulated(_) => (inputs.bench_name.clone(), Some(text)),
        // A real meter needs no file beside the nameplate in the plan.
        Chosen::Real(_) => {
            let whole = std::path::absolute(&inputs.bench_name).map_err(Stop::input)?;
            (whole.display().to_string(), None)
        }
    };
    Ok(Way { bench, meter: Some(name), text, seed: how.seed, pace: how.pace })
}

/// How a run is taken up again.
pub struct Again<'a> {
    /// The data folder.
    pub dir: &'a Path,
    /// The bench file, where it has moved since.
    pub bench: Option<&'a Path>,
    /// The serial number, read from the nameplate again.
    pub serial: Option<&'a str>,
    /// Folder of the raw interface log of a real bench; none: in the data folder.
    pub log: Option<&'a Path>,
}

impl Again<'_> {
    /// The bench file; none: the run was on the simulated bench in process.
    pub fn described(&self, left: &Left) -> Result<Option<Description>, Stop> {
        let named = &left.kept.header.way.bench;
        if self.bench.is_none() && named == "simulated" {
            return Ok(None);
        }
        Description::load(self.bench.unwrap_or(Path::new(named))).map(Some).map_err(Stop::input)
    }

    /// Opens the bench again. Nothing is switched on where it is not the run's.
    fn open(&self, left: &Left) -> Result<(Box<dyn Bench>, Option<Journal>), Stop> {
        let header = &left.kept.header;
        let way = &header.way;
        let refuse = |why: Option<String>| why.map_or(Ok(()), |why| Err(Stop::input(why)));
        let Some(description) = self.described(left)? else {
            let name = way.meter.clone().unwrap_or_else(|| "good".to_owned());
            let (origin, text) =
                way.text.clone().map_or_else(|| meter_text(&name), |text| Ok((name.clone(), text)))?;
            let rig = Rig::new(&origin, &text).map_err(Stop::input)?;
            refuse(left.unfit(&rig.nameplate, &rig.standards, &rig.capability()))?;
            return Ok((Box::new(rig.in_process(way.seed, Stamp::now(), way.pace)), None));
        };
        if description.is_simulated() != header.simulated {
            return Err(Stop::input(format!(
                "{}: the run was begun on another bench: real and simulated differ",
                self.bench.unwrap_or(Path::new(&way.bench)).display()
            )));
        }
        let plate = &header.plan.nameplate;
        let interface = interface(self.dir, self.log)?;
        let description = Description { journal: Some(interface.clone()), ..description };
        let mut devices = Devices::open(&description, plate).map_err(Stop::input)?;
        refuse(left.unfit(plate, &description.standards, &devices.capability()))?;
        refuse(resume::other_meter(&mut devices, &left.run))?;
        Ok((Box::new(devices.start()), Some(interface)))
    }

    /// What a person has to say of the meter where it cannot speak for itself.
    fn looked(&self, left: &Left) -> Result<Option<String>, Stop> {
        let plate = &left.kept.header.plan.nameplate;
        match self.serial {
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

    /// Opens the bench again, and tells the run that it was interrupted and goes on.
    pub fn prepare(&self, archive: Archive, left: Left, say: &dyn Fn(&str)) -> Result<Ready, Stop> {
        let looked = self.looked(&left)?;
        let (bench, interface) = self.open(&left)?;
        let header = left.kept.header.clone();
        let numbers =
            Numbers { record_no: header.record_no.clone(), certificate_no: header.certificate_no.clone() };
        let boot = resume::boot();
        let mut book = book(&archive, say)?;
        let (photographs, _) = book.beside(&numbers.record_no).map_err(Stop::fault)?;
        book.go_on(&numbers.record_no, left.run.log().len(), &boot).map_err(Stop::fault)?;
        let (run, bench) = left.again(bench, &boot, Stamp::now(), looked.as_deref());
        Ok(Ready {
            plan_time: header.plan.total,
            real_time: interface.is_some() || header.way.pace.is_some(),
            run,
            bench: Box::new(bench),
            interface,
            archive,
            book,
            numbers,
            simulated: header.simulated,
            photographs,
        })
    }
}

impl Ready {
    /// What is to be done.
    pub fn plan(&self) -> &Plan {
        self.run.plan()
    }

    /// The bench's fast way to the end.
    pub fn stopper(&self) -> Option<Stopper> {
        self.bench.stopper()
    }

    /// Conducts it to its end, every event kept before it is acted upon; the devices are let go.
    pub fn conduct(
        mut self,
        stop: &mut dyn FnMut() -> Option<String>,
        watch: &mut dyn FnMut(&Run, Instant),
        say: &dyn Fn(&str),
    ) -> Result<Conducted, Stop> {
        if let Some(interface) = &self.interface {
            interface.run_begins(&self.numbers.record_no);
        }
        let (run, bench) = (&mut self.run, self.bench.as_mut());
        let mut keep = |keeper: &mut dyn Keeper| conduct_kept(run, bench, keeper, stop, watch);
        // A real bench does not wait for the disk; the clock of the one in process jumps, and nobody waits.
        let (kept, book) = if self.interface.is_some() {
            let mut writer = Writer::start(self.book);
            (keep(&mut writer), writer.into_book())
        } else {
            let mut keeper = InStep::new(self.book);
            (keep(&mut keeper), Some(keeper.into_book()))
        };
        drop(self.bench);
        if let Some(interface) = &self.interface {
            interface.run_ended(&self.numbers.record_no);
        }
        if let Err(why) = kept {
            say(&format!("journal: {why}"));
        }
        let completed = self.run.outcome() == Some(&Outcome::Completed) && !self.run.plan().pre_check;
        let certificate_no = completed.then_some(self.numbers.certificate_no);
        let record =
            self.run.record(self.numbers.record_no, certificate_no, self.simulated).ok_or_else(|| {
                Stop::fault("the run did not end: a bug in this program; the source was switched off")
            })?;
        Ok(Conducted { record, photographs: self.photographs, archive: self.archive, book })
    }
}

/// A run that has ended, and the folder that it goes to.
pub struct Conducted {
    pub record: Record,
    /// Those that the record names.
    pub photographs: Vec<Photograph>,
    archive: Archive,
    /// None where its writer broke down.
    book: Option<Book>,
}

impl Conducted {
    /// Stores it; its events are not needed in the journal any more.
    pub fn store(&mut self) -> Result<Stored, archive::Fault> {
        let record_no = &self.record.record_no;
        if let (Some(book), Some(closing)) = (&mut self.book, &self.record.closing) {
            // Where this fails the next does too, or it was not needed.
            let _ = book.close_meter(record_no, closing, &self.photographs);
        }
        let mut stored = self.archive.store_with(&self.record, &self.photographs)?;
        // The record has it all; where that cannot be noted now it is when the data folder is opened the next time.
        if let Some(Err(why)) = self.book.take().map(|mut book| book.stored(record_no)) {
            stored.notices.push(why.to_string());
        }
        Ok(stored)
    }
}
