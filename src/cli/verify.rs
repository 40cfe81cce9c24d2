//! `phantomload verify`

use super::inputs::Inputs;
use super::panel::Panel;
use super::progress::Progress;
use super::verification::{self, Conducted, How, Ready};
use super::{Data, Ended, Stop, Task, print_json, print_text, say};
use phantomload::archive::{self, Archive, Photograph, Stored};
use phantomload::bench::notify::Notify;
use phantomload::certificate::record::{Outcome, Record, SecondOpinion, Unit};
use phantomload::certificate::report;
use phantomload::certificate::signed_record::SignedRecord;
use phantomload::plan::Plan;
use phantomload::plan::seal::Closing;
use phantomload::run::Run;
use phantomload::time::{Span, Stamp};
use phantomload::verdict::{Rule, Verdict, Zone};
use rust_decimal::Decimal;
use serde::Serialize;
use std::path::{Path, PathBuf};
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
    /// What the meter's display shows as its energy before the run, with all its digits: settles a disputed unit
    #[arg(long, value_name = "KWH")]
    display_energy: Option<Decimal>,
    /// The seals at the end (TOML, `[[seal]]` with place, number, photograph): read once the run has ended
    #[arg(long, value_name = "FILE")]
    closing: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How fast the simulated bench runs; none: as fast as it goes.
#[derive(Clone, Copy)]
pub(super) struct Pace(pub(super) Option<f64>);

pub(super) fn pace(text: &str) -> Result<Pace, String> {
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

/// Makes the verification, or a pre-check.
pub fn run(arguments: &Arguments, pre_check: bool) -> Ended {
    let dir = arguments.data.dir()?;
    let mut inputs = Inputs::load(&arguments.task, Some(&dir))?;
    inputs.pre_check = pre_check;
    inputs.show_display(arguments.display_energy)?;
    // Before any device is touched: from here on Ctrl-C means off, then a record.
    let stop = stop_flag()?;
    let how = How { dir: &dir, pace: arguments.pace.0, seed: arguments.seed, log: arguments.log.clone() };
    let mut panel = Panel::of(&inputs);
    panel.opening();
    let ready = verification::prepare(&inputs, &how, &say, &|plan, archive| {
        panel.begins(plan);
        if !arguments.json {
            tell_plan(&inputs, plan, archive);
        }
    });
    let ready = ready.inspect_err(|stop| panel.not_opened(&stop.message))?;
    bring_to_end(ready, &mut panel, &stop, arguments.closing.as_deref(), arguments.json)
}

/// Conducts the run, stores what comes of it, and tells it.
pub(super) fn bring_to_end(
    ready: Ready,
    panel: &mut Panel,
    stop: &AtomicBool,
    closing: Option<&Path>,
    json: bool,
) -> Ended {
    let plan_time = ready.plan_time;
    let mut progress = Progress::new(plan_time, json, ready.real_time);
    let mut notify = notifier()?;
    notify.ready();
    let mut asked = || {
        stop.load(Ordering::SeqCst).then(|| "stopped by the operator (Ctrl-C, SIGTERM or hang-up)".to_owned())
    };
    let mut seals = Seals::default();
    let mut watch = |run: &Run, now| {
        progress.show(run, now);
        panel.watch(run, now);
        seals.tell(run);
        notify.alive(phantomload::time::now());
    };
    let mut conducted = ready.conduct(&mut asked, &mut watch, &say)?;
    notify.stopping();
    progress.end();
    panel.ended(&conducted.record);
    photographed(&mut conducted, closing);
    let stored = conducted.store();
    let record = &conducted.record;
    let stored = match stored {
        Ok(stored) => stored,
        Err(fault) => {
            // What was measured is shown and kept, although it could not be stored.
            say(&report::table(&record.results));
            return Err(match fault {
                // The package is whole.
                archive::Fault::NotRegistered { .. } => Stop::fault(fault),
                fault => keep_elsewhere(record, &fault),
            });
        }
    };
    tell(record, &stored, plan_time, json)?;
    Ok(exit_code(record))
}

/// Where systemd has started this program it hears of it; a socket that it named and is not there is said, no more.
fn notifier() -> Result<Notify, Stop> {
    Notify::from_environment()
        .or_else(|fault| {
            say(&format!("{fault}"));
            Notify::to(None, None)
        })
        .map_err(Stop::fault)
}

/// Takes what was written down at the end into the record, with its photographs.
fn photographed(conducted: &mut Conducted, path: Option<&Path>) {
    match path.map(closing).transpose() {
        Ok(Some((closing, more))) => {
            conducted.record.closing = Some(closing);
            conducted.photographs.extend(more);
        }
        Ok(None) => {}
        // What was measured is not lost for it.
        Err(stop) => say(&format!("the seals at the end are not in the record: {}", stop.message)),
    }
}

/// What is written down when the meter is closed again, and its photographs.
fn closing(path: &Path) -> Result<(Closing, Vec<Photograph>), Stop> {
    let text = super::inputs::read(path)?;
    let mut closing = Closing::from_toml(&path.display().to_string(), &text).map_err(Stop::input)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let photographs = super::photographs::take(&mut closing.seal, folder, "after")?;
    Ok((closing, photographs))
}

/// Says at once what was found at the seals: whoever can answer it may be called before the ten minutes are over.
#[derive(Default)]
struct Seals {
    step: Option<usize>,
    told: bool,
}

impl Seals {
    fn tell(&mut self, run: &Run) {
        let step = run.step_no();
        // At the begin of a step is early enough.
        if self.told || self.step == step {
            return;
        }
        self.step = step;
        for words in run.waiting_seals() {
            self.told = true;
            say(&format!("seals: {words}"));
        }
        if self.told {
            say(
                "the run goes on and stays undecided. To lose no time: stop it (Ctrl-C), have an approver answer (`phantomload seal answer` with the number of the record), begin again",
            );
        }
    }
}

/// What somebody should know before it begins.
fn tell_plan(inputs: &Inputs, plan: &Plan, archive: &Archive) {
    say(&format!(
        "{}planned {}, {}",
        if inputs.simulated { "SIMULATED bench, " } else { "" },
        plan.total,
        plan.profile.id
    ));
    for doubt in &plan.doubts {
        say(doubt);
    }
    if plan.pre_check {
        say("PRE-CHECK 预检: not a certificate 不是检定证书");
    }
    for why in plan.standards.check_dates(Stamp::now().date()) {
        say(&format!("no certificate will come of this: {why}"));
    }
    // A demo key is made where there is none.
    if let Some(why) = archive.why_unsealed(inputs.simulated).filter(|_| !inputs.simulated) {
        say(&format!("nothing will be sealed: {why}. The papers can be made later"));
    }
    for advice in &plan.advice {
        say(&format!("does not fit into ten minutes: {advice}"));
    }
    if plan.pre_check && !plan.fits {
        let total = plan.total;
        say(&format!(
            "it does not fit into three minutes: this meter's pulses are slow, {total} are planned"
        ));
    }
}

pub(super) fn exit_code(record: &Record) -> u8 {
    let any = |verdict| record.results.items.iter().any(|item| item.verdict == verdict);
    if record.plan.pre_check && record.outcome == Outcome::Completed {
        return if any(Verdict::Fail) { 1 } else { u8::from(any(Verdict::Undecided)) * 4 };
    }
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
pub(super) fn keep_elsewhere(record: &Record, fault: &archive::Fault) -> Stop {
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
    /// A pre-check: there is no verdict and no certificate, whatever its items say.
    pre_check: bool,
    /// What the regulation asks for and a pre-check leaves out.
    left_out: Vec<String>,
    document: Option<phantomload::certificate::record::Document>,
    regulation: &'a str,
    decision_rule: &'a str,
    rule: Option<Rule>,
    plan_secs: f64,
    elapsed_secs: f64,
    record: PathBuf,
    package: PathBuf,
    findings: &'a [String],
    /// What a meter that signs gave of the run's transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_record: Option<&'a SignedRecord>,
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

pub(super) fn tell(record: &Record, stored: &Stored, planned: Span, json: bool) -> Result<(), Stop> {
    if !json {
        print_text(&report::table(&record.results))?;
        print_text(&ending(record, stored, planned))?;
        return Ok(());
    }
    let is_checked = record.plan.pre_check && record.outcome == Outcome::Completed;
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
            verdict: (record.results.verdict.is_some() || is_checked).then_some(item.verdict),
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
        pre_check: record.plan.pre_check,
        left_out: record.plan.left_out(),
        document: record.document(),
        regulation: &record.plan.profile.id,
        decision_rule: &record.results.decision_rule,
        rule: record.results.rule,
        plan_secs: planned.secs(),
        elapsed_secs: record.results.elapsed.secs(),
        record: stored.record.clone(),
        package: stored.package.clone(),
        findings: &record.results.findings,
        signed_record: record.results.signed_record.as_ref(),
        opinions: &record.results.opinions,
        why_no_certificate: record.why_no_certificate(),
        notices: &stored.notices,
        items: items.collect(),
    })
}

/// What a pre-check has seen.
fn pre_checked(text: &mut String, record: &Record) {
    use std::fmt::Write;
    let simulated = if record.simulated { "  SIMULATED" } else { "" };
    let found: Vec<_> = record.results.items.iter().filter(|item| item.verdict != Verdict::Pass).collect();
    let seen = if found.is_empty() { "未见异常 NOTHING FOUND" } else { "有异常 FINDINGS" };
    let _ = writeln!(text, "\nPRE-CHECK 预检{simulated}: {seen}   {}", record.results.elapsed);
    for item in found {
        let at = item.point.as_ref().map_or(String::new(), |p| format!(" at {} ({})", p.term, p.current_a));
        let what = if item.verdict == Verdict::Fail { "beyond the limit" } else { "undecided" };
        let _ = writeln!(text, "  {what}: {}{at}: {}", item.item, item.reason);
    }
    let _ = writeln!(text, "not a certificate 不是检定证书; left out: {}", record.plan.left_out().join(", "));
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
        (Outcome::Completed, None) => pre_checked(&mut text, record),
    }
    if let Some(looked) = record.results.signed_record.as_ref().and_then(|signed| signed.looked.as_ref()) {
        let _ = writeln!(text, "signed record: {}", looked.words);
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
