//! `phantomload study`

use super::inputs::{Chosen, Inputs};
use super::verify::stop_flag;
use super::{Ended, Stop, Task, print_json, print_text, say};
use indicatif::{ProgressBar, ProgressStyle};
use phantomload::sim::study::report::{Coverage, RUNS_TO_TELL, Risks};
use phantomload::sim::study::{Law, RUNS_MAX, Report, Study, picture};
use phantomload::time::{self, Span};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// What the counts are worth.
macro_rules! worth {
    () => {
        "The simulated bench draws its own faults from the distributions that the budget states: coverage shows that arithmetic, shapes and rules are right, not that the budget of a real bench is."
    };
}

#[derive(clap::Args)]
#[command(
    after_help = concat!(worth!(), "\n\nExit codes: 0 every 99 % interval of a coverage contains the promise and false accepts are within theirs (below 100 runs: too few to tell), 1 not so, or more than 1 % of runs faulted (it is said where; each check fails one time in a hundred by chance), 2 wrong input, 3 ended by Ctrl-C, or the picture could not be written: what was counted so far is printed all the same.")
)]
pub struct Arguments {
    /// How many simulated verifications, 1 to 1000000; 10000 make a study with coverage to ±0.6 %
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=RUNS_MAX))]
    runs: u64,
    /// Seed of all chances: the same seed gives the same study, whatever the number of cores
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Nameplate of the simulated meters: a file or a demo meter; their true errors are drawn around the limits
    #[arg(long, value_name = "FILE|DEMO", default_value = "good")]
    meter: String,
    /// Regulation profile that comes with the program (dc-meter, jjg596-2026, jjg1149-2022), or a file
    #[arg(long, value_name = "ID|FILE", default_value = "dc-meter")]
    regulation: String,
    /// Kind of verification: first, subsequent or in-service
    #[arg(long, default_value = "subsequent")]
    kind: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Draw coverage and operating characteristic into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
}

/// The report with what depends on the machine.
#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    report: &'a Report,
    seconds: f64,
    runs_per_second: f64,
    threads: usize,
}

/// Makes the study. Ctrl-C ends it with what was counted so far, which is said, and exit code 3.
pub fn run(arguments: &Arguments) -> Ended {
    let task = Task {
        meter: Some(arguments.meter.clone()),
        bench: "simulated".into(),
        regulation: arguments.regulation.clone(),
        kind: arguments.kind.clone(),
        entries: None,
    };
    // What a laboratory has approved makes no difference here.
    let inputs = Inputs::load(&task, None)?;
    let plan = inputs.plan(inputs.capability())?;
    let Chosen::Simulated(rig) = inputs.bench else {
        return Err(Stop::fault("a study runs on the simulated bench only: a bug in this program"));
    };
    let study = Study::new(*rig, plan, Law::HOUSE, arguments.seed);
    // A picture that cannot be written is told before the runs, not after them.
    let canvas = arguments.picture.as_deref().map(Canvas::beside).transpose()?;
    let stop = stop_flag()?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let bar = progress_bar(arguments);
    let began = time::now();
    let tally = study.conduct(arguments.runs, threads, &|| {
        bar.inc(1);
        !stop.load(Ordering::Relaxed)
    });
    let took = time::now() - began;
    bar.finish_and_clear();
    let report = Report::of(&study, &arguments.meter, arguments.runs, &tally)
        .map_err(|fault| Stop::fault(format!("no risk follows from what the runs stated: {fault}")))?;
    let runs_per_second = report.runs as f64 / took.secs().max(1e-9);
    if arguments.json {
        let (seconds, threads) = (took.secs(), threads.get());
        print_json(&Page { report: &report, seconds, runs_per_second, threads })?;
    } else {
        print_text(&text(&report))?;
        let cores = threads.get();
        print_text(&format!(
            "{} runs in {took} on {cores} cores: {runs_per_second:.0} a second\n",
            report.runs
        ))?;
    }
    if report.interrupted {
        say(&format!("interrupted: {} of {} runs were made and counted", report.runs, report.runs_asked));
    }
    // Last, when no count can be lost by it any more.
    if let Some(canvas) = canvas {
        let target = canvas.target.display().to_string();
        canvas.finish(&picture(&report)).map_err(|e| {
            Stop::fault(format!("{target} could not be written: {e}; the counts stand above"))
        })?;
        if !arguments.json {
            print_text(&format!("wrote {target}\n"))?;
        }
    }
    Ok(if report.interrupted { 3 } else { u8::from(!report.problems.is_empty()) })
}

/// A picture in the making: a file beside its target, which takes the target's place when it is whole.
struct Canvas<'a> {
    target: &'a Path,
    part: PathBuf,
    file: File,
}

impl<'a> Canvas<'a> {
    fn beside(target: &'a Path) -> Result<Self, Stop> {
        let refuse = |why: String| {
            let path = target.display();
            Stop::input(format!(
                "--picture {path}: {why}; give a file in a folder that exists and may be written"
            ))
        };
        let name = target.file_name().filter(|_| !target.is_dir());
        let name = name.ok_or_else(|| refuse("it is a folder".into()))?.to_string_lossy();
        let part = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create_new(&part).map_err(|e| refuse(e.to_string()))?;
        Ok(Self { target, part, file })
    }

    fn finish(mut self, picture: &str) -> std::io::Result<()> {
        self.file.write_all(picture.as_bytes())?;
        self.file.sync_all()?;
        std::fs::rename(&self.part, self.target)
    }
}

impl Drop for Canvas<'_> {
    fn drop(&mut self) {
        // Nothing is there any more once it has taken the target's place.
        let _ = std::fs::remove_file(&self.part);
    }
}

/// Shown on a terminal only.
fn progress_bar(arguments: &Arguments) -> ProgressBar {
    if arguments.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(arguments.runs);
    match ProgressStyle::with_template("{bar:30} {pos} of {len} runs  {eta} left") {
        Ok(style) => bar.with_style(style.progress_chars("█▌·")),
        Err(_) => bar,
    }
}

/// The study for people.
fn text(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "STUDY  SIMULATED  {} runs, seed {}; meter {}, {} ({})",
        report.runs, report.seed, report.meter, report.regulation, report.kind
    );
    let _ = writeln!(text, "population: {} (a choice of this house)", report.population.words);
    let _ = writeln!(text, "rule: {}\n", report.decision_rule);
    let _ = writeln!(
        text,
        "{:<12} {:<9} {:>9} {:>8} {:>9} {:>7}  {:<26}  {:<22}  {:<22}",
        "item",
        "point",
        "current",
        "limit %",
        "U %",
        "runs",
        "coverage % (99 %)",
        "false accepts",
        "false rejects"
    );
    for point in &report.points {
        let expanded = point.expanded_u_median_percent.map_or("–".into(), |u| format!("{u:.4}"));
        let _ = writeln!(
            text,
            "{:<12} {:<9} {:>9} {:>8} {:>9} {:>7}  {:<26}  {:<22}  {:<22}",
            point.item.to_string(),
            point.point,
            format!("{} A", point.current_a),
            format!("{:.4}", point.limit_percent).trim_end_matches('0').trim_end_matches('.'),
            expanded,
            point.runs,
            coverage(&point.coverage),
            accepts(&point.risks),
            rejects(&point.risks),
        );
    }
    let _ = writeln!(
        text,
        "{:<59}  {:<26}  {:<22}  {:<22}",
        "all points together; verdict on the meter",
        coverage(&report.coverage),
        accepts(&report.risks),
        rejects(&report.risks),
    );
    let _ = writeln!(
        text,
        "{:<59}  {:<26}  {:<22}  {:<22}",
        "the same against the limit with its rounding",
        "",
        accepts(&report.beyond_rounding),
        rejects(&report.beyond_rounding),
    );
    let _ = writeln!(
        text,
        "  promised coverage {:.2} %; false ones: seen / expected (promised: at most, 99 %)\n",
        report.coverage.coverage_promised * 100.0
    );
    let _ = writeln!(
        text,
        "verdicts: {} pass, {} fail, {} undecided; {} runs faulted",
        report.passed, report.failed, report.undecided, report.faulted
    );
    let secs = |secs: Option<f64>| secs.map_or("–".into(), |s| Span::from_secs_f64(s).to_string());
    let _ = writeln!(
        text,
        "duration: median {}, 95 % within {}, longest {}",
        secs(report.duration_median_secs),
        secs(report.duration_p95_secs),
        secs(report.duration_max_secs)
    );
    let _ = writeln!(
        text,
        "plan: {} against a physical lower bound of {}{}",
        secs(Some(report.plan_secs)),
        secs(Some(report.lower_bound_secs)),
        report.plan_over_lower_bound.map_or(String::new(), |ratio| format!(": {ratio:.3} times"))
    );
    for problem in &report.problems {
        let _ = writeln!(text, "NOT AS PROMISED  {problem}");
    }
    if report.as_promised {
        text.push_str(
            "as promised: every coverage interval contains the promise, and no false accepts beyond it\n",
        );
    } else if report.problems.is_empty() {
        let _ = writeln!(text, "too few runs to tell: {RUNS_TO_TELL} at least");
    }
    let _ = writeln!(text, "{}", worth!());
    text
}

fn coverage(coverage: &Coverage) -> String {
    match (coverage.coverage, coverage.coverage_low, coverage.coverage_high) {
        (Some(share), Some(low), Some(high)) => {
            let mark = if coverage.coverage_as_promised { "" } else { " !" };
            format!("{:.2} ({:.2} to {:.2}){mark}", share * 100.0, low * 100.0, high * 100.0)
        }
        _ => "no interval !".into(),
    }
}

fn accepts(risks: &Risks) -> String {
    wrong(
        risks.false_accepts,
        risks.false_accepts_expected,
        risks.false_accepts_promised,
        risks.false_accepts_within_promise,
    )
}

fn rejects(risks: &Risks) -> String {
    wrong(
        risks.false_rejects,
        risks.false_rejects_expected,
        risks.false_rejects_promised,
        risks.false_rejects_within_promise,
    )
}

fn wrong(seen: u64, promised: Option<f64>, high: Option<u64>, within: bool) -> String {
    match (promised, high) {
        (Some(promised), Some(high)) => {
            format!("{seen} / {promised:.1} ({high}){}", if within { "" } else { " !" })
        }
        _ => format!("{seen}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_picture_stays_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("study.svg");
        std::fs::write(&target, "old").unwrap();
        let read = || std::fs::read_to_string(&target).unwrap();
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        let canvas = Canvas::beside(&target).ok().unwrap();
        assert_eq!((read().as_str(), files()), ("old", 2));
        drop(canvas);
        assert_eq!((read().as_str(), files()), ("old", 1), "given up");
        Canvas::beside(&target).ok().unwrap().finish("new").unwrap();
        assert_eq!((read().as_str(), files()), ("new", 1));
        let canvas = Canvas::beside(&target).ok().unwrap();
        std::fs::remove_file(&target).unwrap();
        std::fs::create_dir(&target).unwrap();
        assert!(canvas.finish("newer").is_err(), "a folder has come in its place");
        assert_eq!(files(), 1, "and nothing is left behind");
    }
}
