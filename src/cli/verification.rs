//! A verification from inputs to a stored record: the same for `verify` and for the screen.

use super::inputs::{Chosen, Inputs};
use super::{Stop, selftest};
use phantomload::archive::{self, Archive, Numbers};
use phantomload::bench::{Bench, Description, Devices, Stopper, conduct};
use phantomload::certificate::record::{Outcome, Record};
use phantomload::link::journal::Journal;
use phantomload::plan::Plan;
use phantomload::run::Run;
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
    journal: Option<Journal>,
}

/// Opens the bench, as far as nothing is switched on.
pub fn open(inputs: &Inputs, how: &How<'_>, started: Stamp, say: &dyn Fn(&str)) -> Result<Opened, Stop> {
    match &inputs.bench {
        Chosen::Simulated(rig) => {
            let plan = inputs.plan(rig.capability())?;
            let bench = Box::new(rig.in_process(how.seed, started, how.pace));
            Ok(Opened { plan, bench, real_time: how.pace.is_some(), journal: None })
        }
        Chosen::Real(description) => {
            // What cannot be planned is told before a device is touched.
            inputs.plan(description.capability())?;
            let log = how.log.clone().unwrap_or_else(|| how.dir.join("interface"));
            let journal = Journal::open(&log).map_err(Stop::fault)?;
            journal.opening();
            let description = Description { journal: Some(journal.clone()), ..(**description).clone() };
            if description.file.heartbeat.is_none() && !description.is_simulated() {
                say(
                    "this bench has no [heartbeat]: should this program die, nothing takes the load away but you",
                );
            }
            let devices = Devices::open(&description, &inputs.nameplate).map_err(Stop::input)?;
            let plan = inputs.plan(devices.capability())?;
            Ok(Opened { plan, bench: Box::new(devices.start()), real_time: true, journal: Some(journal) })
        }
    }
}

/// A run that stands in the chain and has not begun.
pub struct Ready {
    pub plan_time: Span,
    pub real_time: bool,
    run: Run,
    bench: Box<dyn Bench>,
    journal: Option<Journal>,
    archive: Archive,
    numbers: Numbers,
    simulated: bool,
}

/// Opens bench and data folder, and enters the run in the chain. `planned` hears of the plan before that.
pub fn prepare(
    inputs: &Inputs,
    how: &How<'_>,
    say: &dyn Fn(&str),
    planned: &dyn Fn(&Plan, &Archive),
) -> Result<Ready, Stop> {
    let started = Stamp::now();
    let Opened { plan, bench, real_time, journal } = open(inputs, how, started, say)?;
    if matches!(inputs.bench, Chosen::Real(_)) {
        for light in selftest::before_run(how.dir)? {
            say(&format!("self test: {}", light.line()));
        }
    }
    // A data folder that cannot be written is told before the run, not after it.
    let mut archive = Archive::open(how.dir).map_err(Stop::fault)?;
    for notice in archive.notices() {
        say(&format!("data folder: {notice}"));
    }
    planned(&plan, &archive);
    let plan_time = plan.total;
    // On the disk before the first action: from here on the run cannot vanish.
    let about = archive::opening(&plan, &inputs.profile_sha256);
    let numbers = archive.open_run(inputs.simulated, started.date().year(), about).map_err(Stop::fault)?;
    if let Some(journal) = &journal {
        journal.run_begins(&numbers.record_no);
    }
    let run = Run::new(Arc::new(plan), bench.now(), Stamp::now());
    Ok(Ready { plan_time, real_time, run, bench, journal, archive, numbers, simulated: inputs.simulated })
}

impl Ready {
    /// The bench's fast way to the end.
    pub fn stopper(&self) -> Option<Stopper> {
        self.bench.stopper()
    }

    /// Conducts it to its end; the devices are let go. What is to be stored comes with the folder it goes to.
    pub fn conduct(
        mut self,
        stop: &mut dyn FnMut() -> Option<String>,
        watch: &mut dyn FnMut(&Run, Instant),
    ) -> Result<(Record, Archive), Stop> {
        conduct(&mut self.run, self.bench.as_mut(), stop, watch);
        drop(self.bench);
        if let Some(journal) = &self.journal {
            journal.run_ended(&self.numbers.record_no);
        }
        let completed = self.run.outcome() == Some(&Outcome::Completed);
        let certificate_no = completed.then_some(self.numbers.certificate_no);
        let record =
            self.run.record(self.numbers.record_no, certificate_no, self.simulated).ok_or_else(|| {
                Stop::fault("the run did not end: a bug in this program; the source was switched off")
            })?;
        Ok((record, self.archive))
    }
}
