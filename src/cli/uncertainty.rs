//! `phantomload uncertainty`

use super::inputs::read;
use super::{Ended, Stop, print_json, print_text};
use phantomload::uncertainty::file::Request;
use phantomload::uncertainty::monte_carlo::{Fault, Sampled, Samples, Setup, TRIALS_MAX, Trials, sample};
use phantomload::uncertainty::propagation::{Propagated, Propagation, propagate};
use phantomload::uncertainty::whole_dof;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    /// The model: inputs, correlations or series of observations, and expressions (TOML)
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Coverage probability [default: the file's, else 0.95]
    #[arg(long, value_name = "P")]
    p: Option<f64>,
    /// Significant digits of u that count, 1 or 2; the tolerance follows from them [default: the file's, else 2]
    #[arg(long, value_name = "1|2")]
    digits: Option<u8>,
    /// Seed of the Monte Carlo: the same seed gives the same figures
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Monte Carlo trials: a number, or until the result is stable (JCGM 101 7.9)
    #[arg(long, value_name = "N|adaptive", default_value = "adaptive")]
    trials: String,
}

/// What is printed: everything, and for a single output its fields at the top as well.
#[derive(Serialize)]
struct Page {
    outputs: Vec<Row>,
    correlations: Vec<Correlation>,
    #[serde(flatten)]
    single: Option<Row>,
}

#[derive(Serialize, Clone)]
struct Row {
    name: String,
    gum: Method,
    /// Absent where the inputs have no joint distribution to draw from; the reason is said on standard error.
    monte_carlo: Option<Drawn>,
    /// Absent where the Monte Carlo is, or did not settle closely enough to tell.
    agree: Option<bool>,
    tolerance: Option<f64>,
}

#[derive(Serialize, Clone)]
struct Method {
    value: f64,
    u: f64,
    /// As the coverage factor takes them, cut to a whole number (GUM G.4.1 note); absent: infinite.
    dof: Option<f64>,
    /// Absent where u is zero.
    k: Option<f64>,
    expanded: f64,
    interval_low: f64,
    interval_high: f64,
}

#[derive(Serialize, Clone)]
struct Drawn {
    #[serde(flatten)]
    method: Method,
    shortest_low: f64,
    shortest_high: f64,
    trials: usize,
}

#[derive(Serialize)]
struct Correlation {
    between: [String; 2],
    r: f64,
    r_monte_carlo: Option<f64>,
}

/// Computes the file's model by both methods.
pub fn run(arguments: &Arguments) -> Ended {
    let origin = arguments.file.display().to_string();
    let request = Request::from_toml(&origin, &read(&arguments.file)?).map_err(Stop::input)?;
    let setup = Setup {
        p: arguments.p.or(request.p).unwrap_or(0.95),
        digits: arguments.digits.or(request.digits).unwrap_or(2),
        trials: trials(&arguments.trials)?,
    };
    let law =
        propagate(&request.model, setup.p).map_err(|fault| Stop::input(format!("{origin}: {fault}")))?;
    let drawn = match sample(&request.model, setup, uniform(arguments.seed)) {
        Ok(drawn) => Some(drawn),
        Err(fault @ (Fault::Digits { .. } | Fault::Probability { .. } | Fault::Trials { .. })) => {
            return Err(Stop::input(fault));
        }
        Err(fault) => {
            super::say(&format!("phantomload: {origin}: {fault}"));
            None
        }
    };
    let page = page(&law, drawn.as_ref(), setup);
    if arguments.json {
        print_json(&page)?;
    } else {
        print_text(&text(&request, &law, drawn.as_ref(), &page, setup, arguments.seed))?;
    }
    Ok(0)
}

/// Independent numbers in [0, 1), the same for the same seed.
pub fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // The upper 53 bits fill the mantissa.
    move || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn trials(text: &str) -> Result<Trials, Stop> {
    match text.parse() {
        _ if text == "adaptive" => Ok(Trials::Adaptive),
        Ok(n) => Ok(Trials::Fixed(n)),
        Err(_) => Err(Stop::input(format!("--trials {text} is neither a whole number nor `adaptive`"))),
    }
}

fn page(law: &Propagation, drawn: Option<&Samples>, setup: Setup) -> Page {
    let mut correlations = vec![];
    for (i, a) in law.outputs.iter().enumerate() {
        for (j, b) in law.outputs.iter().enumerate().skip(i + 1) {
            correlations.push(Correlation {
                between: [a.name.clone(), b.name.clone()],
                r: law.correlation[i][j],
                r_monte_carlo: drawn.map(|d| d.correlation[i][j]),
            });
        }
    }
    let rows =
        law.outputs.iter().enumerate().map(|(i, output)| row(output, drawn.map(|d| &d.outputs[i]), setup));
    let outputs: Vec<Row> = rows.collect();
    let single = if let [only] = outputs.as_slice() { Some(only.clone()) } else { None };
    Page { outputs, correlations, single }
}

fn row(law: &Propagated, drawn: Option<&Sampled>, setup: Setup) -> Row {
    let estimate = &law.estimate;
    let gum = Method {
        value: estimate.value,
        u: estimate.u,
        dof: estimate.dof.map(whole_dof),
        k: Some(estimate.k),
        expanded: estimate.expanded,
        interval_low: estimate.value - estimate.expanded,
        interval_high: estimate.value + estimate.expanded,
    };
    Row {
        name: law.name.clone(),
        gum,
        monte_carlo: drawn.map(|s| {
            let expanded = (s.high - s.low) / 2.0;
            let method = Method {
                value: s.value,
                u: s.u,
                dof: None,
                k: (s.u > 0.0).then(|| expanded / s.u),
                expanded,
                interval_low: s.low,
                interval_high: s.high,
            };
            Drawn { method, shortest_low: s.shortest_low, shortest_high: s.shortest_high, trials: s.trials }
        }),
        agree: drawn.and_then(|s| s.agrees(estimate, setup.trials)),
        tolerance: drawn.map(|s| s.tolerance),
    }
}

/// Six significant digits: more than a u of two digits can need, and a column of equal width.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-4..1e9).contains(&value.abs()) {
        let whole = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
        return format!("{value:.*}", usize::try_from(5 - whole).unwrap_or(0));
    }
    format!("{value:.5e}")
}

/// An estimate beside its uncertainty: as many decimals as the third digit of u needs.
fn beside(value: f64, u: f64) -> String {
    let place = if u > 0.0 { u.log10().floor() as i32 - 2 } else { return format!("{value}") };
    if !(-12..=0).contains(&place) {
        return number(value);
    }
    let text = format!("{value:.*}", -place as usize);
    // A mean that rounds to zero has no sign.
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
        _ => text,
    }
}

fn line(text: &mut String, columns: &[String]) {
    for column in columns {
        let _ = write!(text, " {column:>14}");
    }
    text.push('\n');
}

fn text(
    request: &Request,
    law: &Propagation,
    drawn: Option<&Samples>,
    page: &Page,
    setup: Setup,
    seed: u64,
) -> String {
    let mut text = String::new();
    if let Some(title) = &request.title {
        let _ = writeln!(text, "{title}\n");
    }
    for (i, (output, row)) in law.outputs.iter().zip(&page.outputs).enumerate() {
        let _ = writeln!(text, "{} = {}", output.name, request.model.outputs()[i].expression().text());
        line(
            &mut text,
            &["input", "distribution", "value", "u", "dof", "sensitivity", "contribution"].map(str::to_owned),
        );
        for (input, part) in request.model.inputs().iter().zip(&output.budget) {
            let shape = input.distribution().to_string().replace("-trapezoidal", "");
            let dof = part.dof.map_or("inf".into(), |dof| {
                format!("{dof:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
            });
            let value = beside(input.value(), part.u);
            line(
                &mut text,
                &[
                    part.input.clone(),
                    shape,
                    value,
                    number(part.u),
                    dof,
                    number(part.sensitivity),
                    number(part.contribution),
                ],
            );
        }
        text.push('\n');
        line(
            &mut text,
            &["method", "value", "u", "dof", "k", "expanded", "interval_low", "interval_high"]
                .map(str::to_owned),
        );
        let methods = [Some(("gum", &row.gum)), row.monte_carlo.as_ref().map(|d| ("monte_carlo", &d.method))];
        for (name, m) in methods.into_iter().flatten() {
            let dof =
                m.dof.map_or(if name == "gum" { "inf" } else { "-" }.to_owned(), |dof| format!("{dof}"));
            let k = m.k.map_or("-".to_owned(), |k| format!("{k:.3}"));
            let [value, low, high] = [m.value, m.interval_low, m.interval_high].map(|v| beside(v, m.u));
            line(&mut text, &[name.to_owned(), value, number(m.u), dof, k, number(m.expanded), low, high]);
        }
        match drawn.map(|d| &d.outputs[i]) {
            Some(sampled) => verdict(&mut text, sampled, output, row, setup, seed),
            None => text.push_str("agree: not known, there is no Monte Carlo result\n"),
        }
        text.push('\n');
    }
    for c in &page.correlations {
        let drawn = c.r_monte_carlo.map_or(String::new(), |r| format!(" (Monte Carlo {r:.3})"));
        let _ = writeln!(text, "r({}, {}) = {:.3}{drawn}", c.between[0], c.between[1], c.r);
    }
    let _ = writeln!(text, "coverage probability {}", setup.p);
    text
}

fn verdict(text: &mut String, sampled: &Sampled, output: &Propagated, row: &Row, setup: Setup, seed: u64) {
    let (low, high) = (beside(sampled.shortest_low, sampled.u), beside(sampled.shortest_high, sampled.u));
    let _ = writeln!(text, "shortest interval {low} to {high}; {} trials, seed {seed}", sampled.trials);
    let agree = match row.agree {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known, the Monte Carlo did not settle closely enough",
    };
    let (d_low, d_high) = sampled.differences(&output.estimate);
    let (d_low, d_high, delta) = (number(d_low), number(d_high), number(sampled.tolerance));
    let _ = writeln!(
        text,
        "agree: {agree}; ends differ by {d_low} and {d_high}, tolerance {delta} (JCGM 101 8.1)"
    );
    if !sampled.settled && setup.trials == Trials::Adaptive {
        let _ = writeln!(
            text,
            "not settled within {TRIALS_MAX} trials: the ends are known to {}",
            number(sampled.spread)
        );
    }
}
