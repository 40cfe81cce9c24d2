//! `phantomload tester`: the verification of the tester itself.

use super::{Data, Ended, Stop, open, print_json, print_text, refused, say};
use phantomload::archive::{self, Kept};
use phantomload::bench::description;
use phantomload::calibration::tester::{Against, Kind, Plan, Sheet, drift};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Print the items, by the headings of JJG 1192-2023, and the form of the file for `record`
    Plan {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Keep what a laboratory found with a higher standard; the file enters the chain
    Record {
        /// What was found (TOML); `tester plan` prints the form
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Print what was found over the years, with the drift at each point: exit code 1 where a file was lost or altered
    History {
        #[command(flatten)]
        data: Data,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// The form of the file, in words.
const FORM: &str = r#"
The file for `phantomload tester record`:
  schema = 1
  tester = "PL-0007"                        # the tester's number
  performed_on = "2026-11-20"
  laboratory = "…"
  standard = "…, certificate …"             # the higher standard
  class_percent = 0.05                      # of the tester's nameplate
  [[point]]                                 # one an item and point; the same words for `at` in each year
  item = "energy_error"
  at = "500 V, 100 A"
  errors = [0.010, 0.012]                   # % of the standard, one a reading; seconds for the clock
  expanded_u = 0.010                        # of their mean, k = 2, in the same unit
  [[check]]
  item = "ports_display"
  good = true
  seen = "…"
"#;

/// Shows or keeps.
pub fn run(which: &Which) -> Ended {
    let plan = Plan::builtin().map_err(Stop::fault)?;
    match which {
        Which::Plan { json: true } => print_json(&plan)?,
        Which::Plan { json: false } => print_text(&items(&plan))?,
        Which::Record { file, data } => {
            let text = description::read(file).map_err(Stop::input)?;
            let sheet = Sheet::from_toml(&file.display().to_string(), &text, &plan).map_err(Stop::input)?;
            let name = open(data)?.keep_tester(&sheet, &text).map_err(refused)?;
            print_text(&format!("{}kept as tester/{name}\n", found(&sheet, &plan)))?;
        }
        Which::History { data, json } => return history(data, *json, &plan),
    }
    Ok(0)
}

fn items(plan: &Plan) -> String {
    let mut text = format!(
        "{}: headings only were seen ({}); no limit of it is known here\n\n",
        plan.document, plan.source
    );
    for item in &plan.item {
        let _ = writeln!(text, "{:<22} {} {}\n{:<22} {}", item.id, item.zh, item.en, "", item.how);
    }
    text + FORM
}

fn unit(plan: &Plan, item: &str) -> &'static str {
    let kind = plan.item.iter().find(|i| i.id == item).map(|i| i.kind);
    if kind == Some(Kind::Seconds) { "s" } else { "%" }
}

fn found(sheet: &Sheet, plan: &Plan) -> String {
    let mut text = format!(
        "{}, {}, by {} with {}; class {} % (as its nameplate says)\n",
        sheet.performed_on, sheet.tester, sheet.laboratory, sheet.standard, sheet.class_percent
    );
    for point in &sheet.point {
        let unit = unit(plan, &point.item);
        let deviation = point.deviation().map_or(String::new(), |s| format!(", s = {s:.4} {unit}"));
        let against = match sheet.against(point) {
            Against::Within => "within ± its class (unconfirmed as a limit)",
            Against::Unclear => "its uncertainty spans ± its class (unconfirmed as a limit)",
            Against::Beyond => "BEYOND ± its class (unconfirmed as a limit)",
            Against::NoLimit => "no limit is known",
        };
        let (n, mean, u) = (point.errors.len(), point.mean(), point.expanded_u);
        let _ = writeln!(
            text,
            "  {} at {}: {mean:+.4} {unit}, U = {u:.4} {unit} (k = 2), n = {n}{deviation}; {against}",
            point.item, point.at
        );
    }
    for check in &sheet.check {
        let good = if check.good { "good" } else { "NOT GOOD" };
        let _ = writeln!(text, "  {}: {good} {}", check.item, check.seen);
    }
    let missing: Vec<_> = sheet.missing(plan).iter().map(|item| item.id.as_str()).collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "  not recorded: {}", missing.join(", "));
    }
    text
}

fn history(data: &Data, json: bool, plan: &Plan) -> Ended {
    let kept = archive::kept(&data.dir()?, plan).map_err(refused)?;
    let sheets: Vec<Sheet> = kept.iter().filter_map(|kept| kept.sheet.clone().ok()).collect();
    let drift = drift(&sheets);
    let wrong: Vec<_> = kept
        .iter()
        .filter_map(|Kept { file, sheet }| Some(format!("tester/{file}: {}", sheet.as_ref().err()?)))
        .collect();
    if json {
        let drift: Vec<_> = drift
            .iter()
            .map(|((item, at), steps)| serde_json::json!({ "item": item, "at": at, "steps": steps }))
            .collect();
        print_json(&serde_json::json!({ "found": sheets, "drift": drift, "wrong": wrong }))?;
    } else if kept.is_empty() {
        print_text(
            "no verification of the tester was recorded; `phantomload tester record FILE` keeps one\n",
        )?;
    } else {
        let mut text = sheets.iter().map(|sheet| found(sheet, plan)).collect::<String>();
        for ((item, at), steps) in &drift {
            let unit = unit(plan, item);
            for step in steps {
                let more = if step.e_n > 1.0 { ", MORE than both uncertainties explain" } else { "" };
                let _ = writeln!(
                    text,
                    "drift of {item} at {at}, {} to {}: {:+.4} {unit}, {:+.4} {unit} a year, E_n = {:.2}{more}",
                    step.from, step.to, step.change, step.per_year, step.e_n
                );
            }
        }
        print_text(&text)?;
    }
    for wrong in &wrong {
        say(&format!("phantomload: {wrong}"));
    }
    Ok(u8::from(!wrong.is_empty()))
}
