//! `phantomload sim --serve`

use super::inputs::meter_text;
use super::{Ended, Stop, print_text};
use phantomload::bench::description::PACES;
use phantomload::sim::Rig;
use phantomload::sim::serve::{Cast, Mishap, serve};
use phantomload::time::{self, Span};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder for bench.toml and meter.toml
    #[arg(long, value_name = "DIR")]
    serve: PathBuf,
    /// Nameplate file (with a [truth] table), or the name of a demo meter
    #[arg(long, value_name = "FILE|DEMO", default_value = "good")]
    meter: String,
    /// Seed of the chances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let a device go wrong so many seconds after the source was first set, such as reference:silence@5
    #[arg(long, value_name = "DEVICE:WHAT@SECONDS")]
    mishap: Option<Mishap>,
    /// Serve an XL-9600 as the source, whose error calculator says so many percent more than the truth
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_negative_numbers = true)]
    xl9600: Option<f64>,
    /// Let its clock run so many times as fast as the day's; bench.toml says so to the program that uses it
    #[arg(long, value_name = "N", value_parser = pace, allow_negative_numbers = true)]
    pace: Option<f64>,
}

fn pace(text: &str) -> Result<f64, String> {
    let (from, to) = (PACES.start(), PACES.end());
    let pace = text.parse::<f64>().ok().filter(|pace| PACES.contains(pace));
    pace.ok_or_else(|| format!("`{text}` is no pace; write a number from {from} to {to}"))
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent.abs() <= 100.0 => Ok(percent),
        _ => Err(format!("`{text}` is no percentage; write a number from -100 to 100, such as 0.3")),
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub fn run(arguments: &Arguments) -> Ended {
    let (origin, text) = meter_text(&arguments.meter)?;
    let rig = Rig::new(&origin, &text).map_err(Stop::input)?;
    let cast = Cast { mishap: arguments.mishap, xl9600_off_percent: arguments.xl9600, pace: arguments.pace };
    let served = serve(&rig, &text, &arguments.serve, arguments.seed, cast).map_err(Stop::fault)?;
    let ended = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&ended);
    ctrlc::set_handler(move || set.store(true, Ordering::SeqCst)).map_err(Stop::fault)?;
    print_text(&format!(
        "SIMULATED bench: {}\nIn another terminal: phantomload verify --bench {}\nCtrl-C ends it.\n",
        rig.truth.about,
        served.bench_file.display()
    ))?;
    while !ended.load(Ordering::SeqCst) {
        time::sleep(Span::from_millis(100));
    }
    Ok(0)
}
