//! Runs that a crash or a power failure has left open: what is known of them, and how they go on.

use super::{Bench, Devices, Later};
use crate::archive::journal::{Book, Kept};
use crate::archive::{Archive, Fault, Numbers, Stored, record_bytes};
use crate::calibration::Standards;
use crate::certificate::record::{Outcome, Record};
use crate::machine::Machine;
use crate::meter::{Query, Reading};
use crate::plan::seal::Closing;
use crate::plan::{Capability, Nameplate};
use crate::run::{Event, Interruption, Run, rebuilt};
use crate::time::{Span, Stamp};
use std::sync::Arc;

/// Between the last event before an interruption and the begin of the process that goes on lies at least so much on the
/// time of the run, so that no two moments of the two are mixed; and at most a day, whatever the clocks say.
const REST_MIN: Span = Span::from_secs(1);
const REST_MAX: Span = Span::from_secs(86_400);

/// A run that was interrupted.
pub struct Left {
    /// As the journal has it.
    pub kept: Kept,
    /// As it was.
    pub run: Run,
}

impl Left {
    fn new(mut kept: Kept) -> Self {
        let log = std::mem::take(&mut kept.log);
        let run = rebuilt(Arc::new(kept.header.plan.clone()), kept.header.began, kept.header.started, log);
        Self { kept, run }
    }

    /// Why it was interrupted, as far as is known.
    pub fn why(&self, boot: &str) -> &'static str {
        match (self.kept.boot.as_str(), boot) {
            ("", _) | (_, "") => "the program ended in it",
            (then, now) if then == now => "the program ended in it; the computer ran on",
            _ => "the computer was started anew in it: the power failed, or somebody switched it off",
        }
    }

    /// What is known of it, in one line.
    pub fn words(&self) -> String {
        let plate = &self.kept.header.plan.nameplate;
        format!(
            "run {} of {} {} no. {} was interrupted at {}, {}",
            self.kept.header.record_no,
            plate.maker,
            plate.model,
            plate.serial,
            self.at(),
            self.kept.last
        )
    }

    /// Where it was.
    pub fn at(&self) -> String {
        let seen = self.run.snapshot(self.run.told_at());
        seen.step.map_or("its end".to_owned(), |(no, title)| {
            format!("step {no} of {}, {title}", self.kept.header.plan.steps.len())
        })
    }

    /// Why this program on this bench does not go on with it, before anything is touched.
    pub fn unfit(&self, plate: &Nameplate, standards: &Standards, bench: &Capability) -> Option<String> {
        let (was, program) = (&self.kept.header, crate::certificate::record::Program::this());
        let differs = |what: &str| Some(format!("{what} than when the run began; it can only be closed"));
        if was.program != program {
            return differs(&format!(
                "the program is another ({} {}, then {} {})",
                program.name, program.version, was.program.name, was.program.version
            ));
        }
        if *plate != was.plan.nameplate {
            return differs("the nameplate is another");
        }
        if *standards != was.plan.standards {
            return differs("the certificates of the standards are others");
        }
        if *bench != was.plan.capability {
            return differs("the bench is another");
        }
        None
    }

    /// How it goes on: the run, told of its interruption, and its bench on its own time. `now`: the clock of the day.
    /// `seen`: what a person has looked at meanwhile.
    pub fn again<'a>(
        mut self,
        bench: Box<dyn Bench + 'a>,
        boot: &str,
        now: Stamp,
        seen: Option<&str>,
    ) -> (Run, Later<'a>) {
        let since_begin = bench.now() - crate::time::Instant::ZERO;
        let rest = now.since(self.kept.last) - since_begin;
        let rest = if rest > REST_MAX { REST_MAX } else { rest.max(REST_MIN) };
        let by = self.run.told_at() + rest - crate::time::Instant::ZERO;
        let bench = Later::new(bench, by);
        let mut interruption = self.interruption(boot, now, None);
        if let Some(seen) = seen {
            interruption.why = format!("{}; {seen}", interruption.why);
        }
        self.run.handle(bench.now(), Event::Interrupted(interruption.into()));
        (self.run, bench)
    }

    fn interruption(&self, boot: &str, now: Stamp, closed: Option<String>) -> Interruption {
        Interruption { last: self.kept.last, again: now, why: self.why(boot).to_owned(), closed }
    }

    /// Ends it as it is, with its record. `why`: what the person said.
    pub fn close(
        mut self,
        archive: &mut Archive,
        boot: &str,
        now: Stamp,
        why: &str,
    ) -> Result<Stored, Fault> {
        let at = self.run.told_at() + REST_MIN;
        let interruption = self.interruption(boot, now, Some(why.to_owned()));
        self.run.handle(at, Event::Interrupted(interruption.into()));
        store(archive, &self.kept, self.run)
    }
}

/// What was found of runs that a crash has left.
#[derive(Default)]
pub struct Found {
    /// The run that waits to be gone on with or closed.
    pub left: Option<Left>,
    /// It cannot be read, and why.
    pub unread: Option<String>,
    /// What was set right, in words.
    pub words: Vec<String>,
}

/// Looks for what a crash has left. A run that had ended gets its record and, where it was completed, its package.
pub fn settle(archive: &mut Archive) -> Result<Found, Fault> {
    let mut found = Found::default();
    if !archive.has_journal() {
        return Ok(found);
    }
    let words = &mut found.words;
    let (mut book, damaged) = archive.journal()?;
    words.extend(damaged);
    let open = archive.open_numbers();
    let open_no = open.as_ref().map(|numbers| numbers.record_no.as_str());
    let unstored = book.unstored().unwrap_or_else(|why| {
        words.push(why.to_string());
        vec![]
    });
    for record_no in unstored {
        if open_no != Some(record_no.as_str()) {
            match settle_ended(archive, &mut book, &record_no) {
                Ok(told) => words.extend(told),
                // Of a run that has ended nothing more is at stake here, but for the papers of one that was completed.
                Err(why) => {
                    words.push(why.to_string());
                    if archive.ended_with_nothing(&record_no).unwrap_or(false) {
                        let _ = book.give_up(&record_no);
                    }
                }
            }
        }
    }
    let Some(record_no) = open_no else { return Ok(found) };
    let kept = match book.read(record_no) {
        Ok(Some(kept)) => kept,
        Ok(None) => return Ok(found),
        Err(why) => {
            found.unread = Some(format!("run {record_no} is open: {why}"));
            return Ok(found);
        }
    };
    if !archive.is_open_with(&kept.header.plan) {
        found.unread = Some(format!(
            "run {record_no} is open: the plan in the journal is not the one that the chain was told when it began: it was changed. `phantomload run close --unread` ends the run without a verdict"
        ));
        return Ok(found);
    }
    let left = Left::new(kept);
    if !left.run.is_over() {
        found.left = Some(left);
        return Ok(found);
    }
    drop(book);
    let stored = store(archive, &left.kept, left.run)?;
    words.push(format!(
        "run {} had ended when the program did; its record was stored now: {}",
        left.kept.header.record_no,
        stored.package.display()
    ));
    words.extend(stored.notices);
    Ok(found)
}

/// A run that has ended in the chain. Where its record is here, its events are not needed any more; where the disk failed at
/// the end of the run, they are what its papers are made from.
fn settle_ended(archive: &mut Archive, book: &mut Book, record_no: &str) -> Result<Option<String>, Fault> {
    let Some(kept) = book.read(record_no)? else { return Ok(None) };
    let left = Left::new(kept);
    let header = &left.kept.header;
    let numbers =
        Numbers { record_no: header.record_no.clone(), certificate_no: header.certificate_no.clone() };
    if archive.has_record(&numbers) {
        book.stored(record_no)?;
        return Ok(None);
    }
    if left.run.outcome() != Some(&Outcome::Completed) || left.run.plan().pre_check {
        // Nothing more follows from it; it stays for whoever asks.
        book.give_up(record_no)?;
        return Ok(None);
    }
    let (photographs, closing) = book.beside(record_no)?;
    let Some(record) = record(&left.kept, left.run, closing) else { return Ok(None) };
    Ok(Some(match archive.bring_in_with(&record, &record_bytes(&record)?, &photographs) {
        Ok(stored) => {
            book.stored(record_no)?;
            format!(
                "{record_no}: its papers could not be stored when it ended; they were made now: {}",
                stored.package.display()
            )
        }
        Err(why) => format!("{record_no}: its papers could not be stored when it ended, and not now: {why}"),
    }))
}

/// The record of a run that has ended.
fn record(kept: &Kept, run: Run, closing: Option<Closing>) -> Option<Record> {
    let header = &kept.header;
    // A pre-check has no paper, however it ends.
    let completed = run.outcome() == Some(&Outcome::Completed) && !run.plan().pre_check;
    let certificate_no = completed.then(|| header.certificate_no.clone());
    let record = run.record(header.record_no.clone(), certificate_no, header.simulated)?;
    Some(Record { closing, ..record })
}

fn store(archive: &mut Archive, kept: &Kept, run: Run) -> Result<Stored, Fault> {
    let (mut book, _) = archive.journal()?;
    let (photographs, closing) = book.beside(&kept.header.record_no)?;
    let record = record(kept, run, closing).ok_or_else(|| Fault::State {
        number: kept.header.record_no.clone(),
        what: "the run did not end: a bug in this program".into(),
    })?;
    let stored = archive.store_left(&record, &photographs)?;
    book.stored(&kept.header.record_no)?;
    Ok(stored)
}

/// What the kernel calls the time since it was started.
pub fn boot() -> String {
    Machine::this().boot()
}

/// Asks the meter who it is before anything is switched on, and says if it is another than the one of the run. One that
/// gives no answer without a load is asked again by the run itself.
pub fn other_meter(devices: &mut Devices, run: &Run) -> Option<String> {
    let known = run.meter_known_as();
    let meter = devices.meter.as_mut()?;
    known.into_iter().filter(|(query, _)| *query == Query::MeterNumber).find_map(|(query, was)| {
        match meter.read(query).ok()?.reading {
            Reading::Value(is) if is.to_string() != was => Some(format!(
                "the meter says its {query} is {is}; the run was begun on {was}. Connect that one, or close the run"
            )),
            _ => None,
        }
    })
}
