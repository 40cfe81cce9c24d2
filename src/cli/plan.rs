//! `phantomload plan`

use super::inputs::Inputs;
use super::{Data, Ended, Stop, Task, print_json, print_text};
use phantomload::plan::conventional::Assumptions;
use phantomload::plan::{Lane, gantt};
use phantomload::time::Stamp;
use serde::Serialize;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Page<'a> {
    total_secs: f64,
    total_max_secs: f64,
    lower_bound_secs: f64,
    over_lower_bound: f64,
    conventional: Conventional,
    conventional_over_total: f64,
    fits: bool,
    simulated: bool,
    regulation: &'a str,
    kind: String,
    class: &'a str,
    advice: &'a [String],
    doubts: &'a [String],
    unconfirmed_figures: Vec<String>,
    /// Certificates of our standards that do not hold today.
    calibration_problems: Vec<String>,
    steps: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Conventional {
    parts: Vec<(String, f64)>,
    total_secs: f64,
    assumptions: Vec<String>,
    reported: Vec<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    no: usize,
    title: &'a str,
    item: String,
    lane: Lane,
    voltage_v: f64,
    current_a: f64,
    start_secs: f64,
    settle_secs: f64,
    duration_secs: f64,
    lower_bound_secs: f64,
}

/// Prints the plan.
pub fn run(arguments: &Arguments) -> Ended {
    // Without a data folder no laboratory has answered for anything.
    let dir = arguments.data.dir().ok();
    let inputs = Inputs::load(&arguments.task, dir.as_deref())?;
    let plan = inputs.plan(inputs.capability())?;
    let problems = plan.standards.check_dates(Stamp::now().date());
    if !arguments.json {
        let problems: Vec<_> = problems.iter().map(|why| format!("No certificate today: {why}\n")).collect();
        print_text(&(gantt::text(&plan) + &problems.concat()))?;
        return Ok(0);
    }
    let steps = plan.steps.iter().map(|step| Row {
        no: step.no,
        title: &step.title,
        item: step.item.to_string(),
        lane: step.lane,
        voltage_v: step.load.voltage_v.volts(),
        current_a: step.load.current_a.amperes(),
        start_secs: step.start.secs(),
        settle_secs: step.settle.secs(),
        duration_secs: step.duration.secs(),
        lower_bound_secs: step.floor.secs(),
    });
    let by_hand = Assumptions::builtin().map_err(Stop::fault)?.time(&plan);
    print_json(&Page {
        total_secs: plan.total.secs(),
        total_max_secs: plan.total_max.secs(),
        lower_bound_secs: plan.lower_bound.secs(),
        over_lower_bound: plan.over_lower_bound(),
        conventional_over_total: by_hand.total.secs() / plan.total.secs(),
        conventional: Conventional {
            parts: by_hand.parts.iter().map(|(title, time)| (title.clone(), time.secs())).collect(),
            total_secs: by_hand.total.secs(),
            assumptions: by_hand.assumptions,
            reported: by_hand.reported,
        },
        fits: plan.fits,
        simulated: inputs.simulated,
        regulation: &plan.profile.id,
        kind: plan.kind.to_string(),
        class: plan.class.name(),
        advice: &plan.advice,
        doubts: &plan.doubts,
        unconfirmed_figures: plan.unconfirmed(),
        calibration_problems: problems,
        steps: steps.collect(),
    })?;
    Ok(0)
}
