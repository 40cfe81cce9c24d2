//! `phantomload verify`

use super::inputs::{Chosen, Inputs};
use super::progress::Progress;
use super::{Data, Ended, Stop, Task, print_json, print_text, say};
use phantomload::archive::journal::{Book, Header, InStep, Keeper, Way, Writer};
use phantomload::archive::{self, Archive, Numbers, Stored};
use phantomload::bench::notify::Notify;
use phantomload::bench::{Bench, Description, Devices, conduct_kept, resume};
use phantomload::certificate::record::{Outcome, Program, Record, SecondOpinion, Unit};
use phantomload::certificate::report;
use phantomload::link::journal::Journal;
use phantomload::plan::Plan;
use phantomload::run::Run;
use phantomload::time::{Span, Stamp};
use phantomload::verdict::{Rule, Verdict, Zone};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    data: Data,
    /// Pace of the simulated bench: `max`, or a multiple of real time
    #[arg(long, value_name = "max|N", default_value = "max", value_parser = pace, allow_negative_numbers = true)]
    pace: Pace,
    /// Seed of the simulated bench's chances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the raw interface log of a real bench [default: `interface` in the data folder]
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How fast the simulated bench runs; none: as fast as it goes.
#[derive(Clone, Copy)]
struct Pace(Option<f64>);

fn pace(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace(None));
    }
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 && factor <= 1e6 => Ok(Pace(Some(factor))),
        _ => Err(format!(
            "`{text}` is no pace: write `max`, or a number above 0 and at most 1000000 (1 is real time)"
        )),
    }
}

/// Makes the verification.
pub fn run(arguments: &Arguments) -> Ended {
    let dir = arguments.data.dir()?;
    let inputs = Inputs::load(&arguments.task, Some(&dir))?;
    // Before any device is touched: from here on Ctrl-C means off, then a record.
    let stop = stop_flag()?;
    // A data folder that cannot be written, that another instance writes, or in which a run waits to be gone on with, is
    // told before a device is touched.
    let mut archive = super::run::open_free(&arguments.data)?;
    let started = Stamp::now();
    let mut journal: Option<Journal> = None;
    let (plan, bench, real_time): (Plan, Box<dyn Bench>, bool) = match &inputs.bench {
        Chosen::Simulated(rig) => {
            let plan = inputs.plan(rig.capability())?;
            let pace = arguments.pace.0;
            (plan, Box::new(rig.in_process(arguments.seed, started, pace)), pace.is_some())
        }
        Chosen::Real(description) => {
            // What cannot be planned is told before a device is touched.
            inputs.plan(description.capability())?;
            let log = arguments.log.clone().unwrap_or_else(|| dir.join("interface"));
            let opened = Journal::open(&log).map_err(Stop::fault)?;
            opened.opening();
            journal = Some(opened);
            let description = Description { journal: journal.clone(), ..(**description).clone() };
            if description.file.heartbeat.is_none() && !description.is_simulated() {
                say(
                    "this bench has no [heartbeat]: should this program die, nothing takes the load away but you",
                );
            }
            let devices = Devices::open(&description, &inputs.nameplate).map_err(Stop::input)?;
            (inputs.plan(devices.capability())?, Box::new(devices.start()), true)
        }
    };
    if matches!(inputs.bench, Chosen::Real(_)) {
        for light in super::selftest::before_run(&dir)? {
            say(&format!("self test: {}", light.line()));
        }
    }
    let plan_time = plan.total;
    if !arguments.json {
        say(&format!(
            "{}planned {}, {}",
            if inputs.simulated { "SIMULATED bench, " } else { "" },
            plan_time,
            plan.profile.id
        ));
        for doubt in &plan.doubts {
            say(doubt);
        }
        for why in plan.standards.check_dates(started.date()) {
            say(&format!("no certificate will come of this: {why}"));
        }
        // A demo key is made where there is none.
        if let Some(why) = archive.why_unsealed(inputs.simulated).filter(|_| !inputs.simulated) {
            say(&format!("nothing will be sealed: {why}. The papers can be made later"));
        }
        for advice in &plan.advice {
            say(&format!("does not fit into ten minutes: {advice}"));
        }
    }
    // On the disk before the first action: from here on the run cannot vanish.
    let about = archive::opening(&plan, &inputs.profile_sha256);
    let numbers = archive.open_run(inputs.simulated, started.date().year(), about).map_err(Stop::fault)?;
    let run = Run::new(Arc::new(plan.clone()), bench.now(), Stamp::now());
    let record_began = (run.started(), bench.now());
    let header = Header {
        record_no: numbers.record_no.clone(),
        certificate_no: numbers.certificate_no.clone(),
        simulated: inputs.simulated,
        program: Program::this(),
        started: record_began.0,
        began: record_began.1,
        way: arguments.way(&inputs)?,
        plan,
    };
    let (mut book, words) = archive.journal().map_err(Stop::fault)?;
    for words in words {
        say(&words);
    }
    book.begin(&header, &resume::boot()).map_err(Stop::fault)?;
    let is_real = matches!(inputs.bench, Chosen::Real(_));
    let conductor = Conductor {
        archive,
        book,
        numbers,
        simulated: inputs.simulated,
        interface: journal,
        planned: plan_time,
        json: arguments.json,
        real_time,
        is_real,
        stop,
    };
    conductor.bring_to_end(run, bench)
}

impl Arguments {
    /// How the bench of this run is found again.
    fn way(&self, inputs: &Inputs) -> Result<Way, Stop> {
        let whole = |path: &str| {
            let whole = std::path::absolute(path).map_err(Stop::input)?;
            Ok::<_, Stop>(whole.display().to_string())
        };
        let is_file = |name: &String| std::path::Path::new(name).is_file();
        let bench = match &inputs.bench {
            Chosen::Simulated(_) => self.task.bench.clone(),
            Chosen::Real(_) => whole(&self.task.bench)?,
        };
        let meter = match &self.task.meter {
            Some(meter) if is_file(meter) => Some(whole(meter)?),
            meter => meter.clone(),
        };
        Ok(Way { bench, meter, seed: self.seed, pace: self.pace.0 })
    }
}

/// A run that stands in the chain and has its header in the journal, and all that is needed to bring it to its end.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer to its own question")]
pub(super) struct Conductor {
    pub archive: Archive,
    pub book: Book,
    pub numbers: Numbers,
    pub simulated: bool,
    /// The raw interface log of a real bench.
    pub interface: Option<Journal>,
    pub planned: Span,
    pub json: bool,
    pub real_time: bool,
    /// By a bench file, over real lines.
    pub is_real: bool,
    pub stop: Arc<AtomicBool>,
}

impl Conductor {
    /// Conducts the run, stores what comes of it, and tells it.
    pub(super) fn bring_to_end(mut self, mut run: Run, mut bench: Box<dyn Bench + '_>) -> Ended {
        if let Some(journal) = &self.interface {
            journal.run_begins(&self.numbers.record_no);
        }
        let mut progress = Progress::new(self.planned, self.json, self.real_time);
        // Where systemd has started this program it hears of it; a socket that it named and is not there is said, no more.
        let mut notify = Notify::from_environment()
            .or_else(|fault| {
                say(&format!("{fault}"));
                Notify::to(None, None)
            })
            .map_err(Stop::fault)?;
        notify.ready();
        let stop = Arc::clone(&self.stop);
        let asked = || {
            stop.load(Ordering::SeqCst)
                .then(|| "stopped by the operator (Ctrl-C, SIGTERM or hang-up)".to_owned())
        };
        let mut watch = |run: &Run, now| {
            progress.show(run, now);
            notify.alive(phantomload::time::now());
        };
        let mut keep = |keeper: &mut dyn Keeper| {
            conduct_kept(&mut run, bench.as_mut(), keeper, &mut { asked }, &mut watch)
        };
        // A real bench does not wait for the disk; the clock of the one in process jumps, and nobody waits.
        let (kept, book) = if self.is_real {
            let mut writer = Writer::start(self.book);
            (keep(&mut writer), writer.into_book())
        } else {
            let mut keeper = InStep::new(self.book);
            (keep(&mut keeper), Some(keeper.into_book()))
        };
        drop(bench);
        if let Some(journal) = &self.interface {
            journal.run_ended(&self.numbers.record_no);
        }
        notify.stopping();
        progress.end();
        if let Err(why) = kept {
            say(&format!("journal: {why}"));
        }
        let completed = run.outcome() == Some(&Outcome::Completed);
        let certificate_no = completed.then_some(self.numbers.certificate_no);
        let record = run.record(self.numbers.record_no, certificate_no, self.simulated).ok_or_else(|| {
            Stop::fault("the run did not end: a bug in this program; the source was switched off")
        })?;
        let stored = match self.archive.store(&record) {
            Ok(stored) => stored,
            Err(fault) => {
                // What was measured is shown and kept, although it could not be stored.
                say(&report::table(&record.results));
                return Err(match fault {
                    // The package is whole.
                    archive::Fault::NotRegistered { .. } => Stop::fault(fault),
                    fault => keep_elsewhere(&record, &fault),
                });
            }
        };
        // The record has it all; where that cannot be noted now it is when the data folder is opened the next time.
        if let Some(Err(why)) = book.map(|mut book| book.stored(&record.record_no)) {
            say(&why.to_string());
        }
        tell(&record, &stored, self.planned, self.json)?;
        Ok(exit_code(&record))
    }
}

fn exit_code(record: &Record) -> u8 {
    match (&record.outcome, record.results.verdict) {
        (Outcome::Completed, Some(Verdict::Pass)) => 0,
        (Outcome::Completed, Some(Verdict::Fail)) => 1,
        (Outcome::Completed, _) => 4,
        _ => 3,
    }
}

/// Set by the first Ctrl-C or SIGTERM. A second one changes nothing: the source is already on its way off.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, Stop> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || set.store(true, Ordering::SeqCst)).map_err(Stop::fault)?;
    Ok(flag)
}

/// The data folder failed after the run: the raw data must not be lost with it, nor who signed what came of it.
fn keep_elsewhere(record: &Record, fault: &archive::Fault) -> Stop {
    let path =
        std::env::temp_dir().join(format!("phantomload-{}-{}.json", record.record_no, std::process::id()));
    // The very bytes whose SHA-256 stands in the chain, or in the signed verdict beside them.
    let kept = archive::record_bytes(record).map_err(|e| e.to_string()).and_then(|bytes| {
        archive::keep_private(&path, &bytes).map_err(|e| e.to_string())?;
        let archive::Fault::NotWritten { verdict, .. } = fault else { return Ok(()) };
        archive::keep_private(&path.with_extension("jws"), verdict.as_bytes()).map_err(|e| e.to_string())
    });
    let next = if record.certificate_no.is_some() {
        match fault {
            archive::Fault::NotWritten { .. } => {
                ", with the .jws of the same name, and when the data folder is in order again, first of all: `phantomload certificate papers` with that file"
            }
            archive::Fault::NotStored { .. } => {
                ", and when the data folder is in order again: `phantomload certificate papers` with that file"
            }
            _ => {
                ". The chain does not know it, and no key could sign it: it is evidence, and no paper follows from it"
            }
        }
    } else {
        ""
    };
    match kept {
        Ok(()) => Stop::fault(format!(
            "{fault}. The record was kept in {}: move it to a safe place{next}",
            path.display()
        )),
        Err(why) => {
            Stop::fault(format!("{fault}. The record could not be kept in {} either: {why}", path.display()))
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    verdict: Option<Verdict>,
    outcome: &'a Outcome,
    certificate_no: Option<&'a str>,
    record_no: &'a str,
    simulated: bool,
    document: Option<phantomload::certificate::record::Document>,
    regulation: &'a str,
    decision_rule: &'a str,
    rule: Option<Rule>,
    plan_secs: f64,
    elapsed_secs: f64,
    record: PathBuf,
    package: PathBuf,
    findings: &'a [String],
    /// What another error calculator on the bench said.
    opinions: &'a [SecondOpinion],
    why_no_certificate: Vec<String>,
    /// Why nothing was sealed, that a certificate soon ends.
    notices: &'a [String],
    items: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    item: String,
    point: Option<&'a str>,
    current_a: Option<f64>,
    voltage_v: Option<f64>,
    error_percent: Option<f64>,
    rounded_percent: Option<String>,
    limit_percent: Option<f64>,
    expanded_u_percent: Option<f64>,
    unit: Option<Unit>,
    value: Option<f64>,
    rounded: Option<String>,
    limit: Option<f64>,
    expanded_u: Option<f64>,
    coverage_factor: Option<f64>,
    guarded_verdict: Option<Verdict>,
    probability_of_conformity: Option<f64>,
    /// Which of four answers, by the non-binary rule.
    zone: Option<Zone>,
    /// That this verdict is wrong.
    specific_risk: Option<f64>,
    /// Of the population that the regulation profile assumes.
    global_false_accept: Option<f64>,
    global_false_reject: Option<f64>,
    verdict: Option<Verdict>,
    reason: &'a str,
    attempts: usize,
}

fn tell(record: &Record, stored: &Stored, planned: Span, json: bool) -> Result<(), Stop> {
    if !json {
        print_text(&report::table(&record.results))?;
        print_text(&ending(record, stored, planned))?;
        return Ok(());
    }
    let items = record.results.items.iter().map(|item| {
        let measured = item.measured.as_ref();
        let percent = measured.filter(|m| m.unit == Unit::Percent);
        Row {
            item: item.item.to_string(),
            point: item.point.as_ref().map(|p| p.term.as_str()),
            current_a: item.point.as_ref().map(|p| p.current_a.amperes()),
            voltage_v: item.point.as_ref().map(|p| p.voltage_v.volts()),
            error_percent: percent.map(|m| m.estimate.value),
            rounded_percent: percent.map(|m| m.rounded.to_string()),
            limit_percent: percent.map(|m| m.limit),
            expanded_u_percent: percent.map(|m| m.estimate.expanded),
            unit: measured.map(|m| m.unit),
            value: measured.map(|m| m.estimate.value),
            rounded: measured.map(|m| m.rounded.to_string()),
            limit: measured.map(|m| m.limit),
            expanded_u: measured.map(|m| m.estimate.expanded),
            coverage_factor: measured.map(|m| m.estimate.k),
            guarded_verdict: measured.and_then(|m| m.guarded),
            probability_of_conformity: measured.and_then(|m| m.conformity),
            zone: measured.and_then(|m| m.zone),
            specific_risk: measured
                .filter(|_| record.results.verdict.is_some())
                .and_then(|m| m.specific_risk(item.verdict)),
            global_false_accept: measured.and_then(|m| Some(m.global?.consumer)),
            global_false_reject: measured.and_then(|m| Some(m.global?.producer)),
            // Only a run that was completed yields verdicts.
            verdict: record.results.verdict.map(|_| item.verdict),
            reason: &item.reason,
            attempts: item.attempts.len(),
        }
    });
    print_json(&Told {
        verdict: record.results.verdict,
        outcome: &record.outcome,
        certificate_no: record.certificate_no.as_deref(),
        record_no: &record.record_no,
        simulated: record.simulated,
        document: record.document(),
        regulation: &record.plan.profile.id,
        decision_rule: &record.results.decision_rule,
        rule: record.results.rule,
        plan_secs: planned.secs(),
        elapsed_secs: record.results.elapsed.secs(),
        record: stored.record.clone(),
        package: stored.package.clone(),
        findings: &record.results.findings,
        opinions: &record.results.opinions,
        why_no_certificate: record.why_no_certificate(),
        notices: &stored.notices,
        items: items.collect(),
    })
}

/// The lines below the table: findings, verdict, what was written.
fn ending(record: &Record, stored: &Stored, planned: Span) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let (danger, findings): (Vec<_>, Vec<_>) =
        record.results.findings.iter().partition(|finding| finding.starts_with("DANGER"));
    for danger in danger {
        say(&format!("\n*** {danger} ***\n"));
    }
    for finding in findings {
        let _ = writeln!(text, "finding: {finding}");
    }
    let simulated = if record.simulated { "  SIMULATED" } else { "" };
    match (&record.outcome, record.results.verdict) {
        (Outcome::Completed, Some(verdict)) => {
            let _ = writeln!(text, "\n{verdict}{simulated}   {} (planned {planned})", record.results.elapsed);
            for item in record.results.items.iter().filter(|item| item.verdict != Verdict::Pass) {
                let point = item
                    .point
                    .as_ref()
                    .map_or(String::new(), |p| format!(" at {} ({})", p.term, p.current_a));
                let _ = writeln!(text, "  {}: {}{point}: {}", item.verdict, item.item, item.reason);
            }
        }
        (Outcome::Aborted { why }, _) => {
            let _ = writeln!(text, "\nABORTED{simulated}: {why}. No verdict.");
        }
        (Outcome::Faulted { why }, _) => {
            let _ = writeln!(text, "\nBENCH FAULT{simulated}: {why}. No verdict.");
        }
        (Outcome::Completed, None) => {}
    }
    for opinion in &record.results.opinions {
        let _ = writeln!(text, "second opinion: {opinion}");
    }
    if let Some(off) = &record.results.switched_off {
        let ms = |span: Span| span.secs() * 1e3;
        let _ = match off.zero() {
            Some(zero) => writeln!(
                text,
                "safe to disconnect: no current and below 60 V seen {:.0} ms after off was decided",
                ms(zero)
            ),
            None => writeln!(text, "NOT safe to disconnect: that the load is gone was not seen"),
        };
        if let Some(cut) = off.cut {
            let _ = writeln!(
                text,
                "the heartbeat was stopped {:.0} ms after off was decided, for a hardware watchdog",
                ms(cut)
            );
        }
    }
    if let (Some(document), Some(number)) = (record.document(), &record.certificate_no) {
        let _ = writeln!(text, "{document}, no. {number}{simulated}");
        let unconfirmed = record.plan.unconfirmed().len();
        if unconfirmed > 0 && !record.plan.profile.may_certify(record.plan.kind, &record.plan.class) {
            let _ = writeln!(
                text,
                "  a test report: {unconfirmed} figures of {} are unconfirmed and not approved by a laboratory (listed in the report)",
                record.plan.profile.id
            );
        }
    }
    for notice in &stored.notices {
        let _ = writeln!(text, "{notice}");
    }
    for file in &stored.files {
        let _ = writeln!(text, "wrote {}", file.display());
    }
    text
}
