//! `phantomload history`, `compare` and `board`: looking back.

use super::{Data, Ended, Stop, print_json, print_text};
use jiff::civil::Date;
use phantomload::certificate::energy_log::Used;
use phantomload::certificate::number;
use phantomload::certificate::report::{clean, left, width};
use phantomload::history::compare::{Comparison, Pair};
use phantomload::history::drift::{AHEAD, SPAN_MIN, VISITS_MIN};
use phantomload::history::{self, Board, Colour, Drift, Energy, Fault, History, Outlook, Visit};
use phantomload::time::Stamp;
use std::fmt::Write;

#[derive(clap::Args)]
pub struct OfWhat {
    /// A charger, a meter's serial number, or the number of one of its certificates
    wanted: String,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Two {
    /// A certificate number
    a: String,
    /// Another one
    b: String,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct OfAll {
    #[command(flatten)]
    data: Data,
    /// The day for which it is asked what is overdue [default: today]
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was asked for and is not there is wrong input; so is a paper that was never made.
fn refused(fault: Fault) -> Stop {
    match fault {
        Fault::NoVisit { .. } => Stop::input(fault),
        Fault::Archive(fault) => super::refused(fault),
    }
}

/// Prints the visits of a charger or meter, its drift, and the last two visits side by side.
pub fn history(arguments: &OfWhat) -> Ended {
    let found = history::of(&arguments.data.dir()?, &arguments.wanted).map_err(refused)?;
    if arguments.json {
        print_json(&found)?;
    } else {
        let pages: Vec<String> = found.iter().map(page).collect();
        print_text(&pages.join("\n"))?;
    }
    Ok(0)
}

/// Holds two visits against one another.
pub fn compare(arguments: &Two) -> Ended {
    let dir = arguments.data.dir()?;
    let visit = |number: &str| history::visit(&dir, number).map_err(refused);
    let comparison = history::compare(&visit(&arguments.a)?, &visit(&arguments.b)?).map_err(Stop::input)?;
    if arguments.json {
        print_json(&comparison)?;
    } else {
        print_text(&side_by_side(&comparison))?;
    }
    Ok(0)
}

/// Prints how all chargers stand.
pub fn board(arguments: &OfAll) -> Ended {
    let today = arguments.today.unwrap_or_else(|| Stamp::now().date());
    let board = history::board::board(&arguments.data.dir()?, today).map_err(refused)?;
    if arguments.json {
        print_json(&board)?;
    } else {
        print_text(&chargers(&board))?;
    }
    Ok(0)
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widths: Vec<usize> =
        (0..N).map(|n| rows.iter().map(|row| width(&row[n])).max().unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| left(cell, *width)).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// An error with its sign.
fn signed(value: f64) -> String {
    let text = number::fixed(value, 4);
    if value > 0.0 && !text.starts_with('-') { format!("+{text}") } else { text }
}

fn mark(simulated: bool) -> &'static str {
    if simulated { " SIMULATED" } else { "" }
}

fn page(history: &History) -> String {
    let meter = &history.meter;
    let mut text = format!(
        "{} {} of {}{}\n\n",
        clean(&meter.model),
        clean(&meter.serial),
        clean(&meter.maker),
        mark(meter.simulated)
    );
    text += &visits(&history.visits);
    for wrong in &history.unreadable {
        let _ = writeln!(text, "NOT READ: {}", clean(wrong));
    }
    if !history.drifts.is_empty() {
        text += "\ndrift: a straight line through the visits. An estimate, no finding\n";
        for drift in &history.drifts {
            let _ = writeln!(text, "  {}", drifting(drift));
        }
    }
    text += "\n";
    match &history.energy {
        None => text += "energy by month and day: absent; the meter was not asked for it\n",
        Some(energy) => text += &energies(energy),
    }
    if let Some(two) = &history.last_two {
        text += "\nthe last two visits\n";
        text += &side_by_side(two);
    }
    text
}

/// What the meter has told of its months and days.
fn energies(energy: &Energy) -> String {
    let mut text = format!("energy by month and day, as the meter told it (last on {})\n", energy.told);
    for (what, list) in [("month", &energy.months), ("day", &energy.days)] {
        let rows = list.iter().map(|used| {
            let name = used.label().unwrap_or_else(|| "no date is given".to_owned());
            let running = if used.running { "not over yet" } else { "" };
            [name, kwh(used), running.to_owned()]
        });
        if !list.is_empty() {
            text += &table([what, "kWh", ""], rows);
        }
    }
    for why in &energy.absent {
        let _ = writeln!(text, "absent: {}", clean(why));
    }
    for from in &energy.from {
        let _ = writeln!(text, "from {}", clean(from));
    }
    text
}

fn kwh(used: &Used) -> String {
    used.kwh.map_or("the register went back".to_owned(), |kwh| kwh.to_string())
}

fn visits(visits: &[Visit]) -> String {
    let head =
        ["date", "certificate", "state", "verdict", "charger", "regulation", "reference", "valid until"];
    let rows = visits.iter().map(|visit| {
        let verdict = visit.verdict.map_or("-".to_owned(), |verdict| verdict.to_string().to_uppercase());
        let findings = if visit.findings.is_empty() {
            String::new()
        } else {
            format!(", {} findings", visit.findings.len())
        };
        [
            visit.day().to_string(),
            visit.certificate_no.clone(),
            visit.status.clone(),
            verdict + &findings,
            format!("{} {}", visit.charger, visit.connector),
            visit.regulation.clone(),
            visit.reference_certificate_no.clone(),
            visit.valid_until.map_or("-".to_owned(), |day| day.to_string()),
        ]
        .map(|cell| clean(&cell))
    });
    table(head, rows)
}

/// What is said of a load point, in a line.
fn drifting(drift: &Drift) -> String {
    let unit = drift.unit;
    let at = match drift.current_a {
        Some(current) => format!("{} at {} ({} A)", drift.item, clean(&drift.at), number::plain(current)),
        None => drift.item.to_string(),
    };
    let slope = drift.line.map_or(String::new(), |line| {
        let (slope, u) = (signed(line.per_year), number::uncertainty(line.k * line.u_per_year));
        format!("{slope} {unit} a year, U = {u} {unit}; ")
    });
    let limit = number::plain(drift.limit);
    let says = match &drift.outlook {
        Outlook::TooFew { visits } => {
            format!("no day is stated: {visits} of {VISITS_MIN} visits that a line needs")
        }
        Outlook::TooShort { days } => {
            format!(
                "no day is stated: {days} of {SPAN_MIN} days that must lie between the first visit and the last"
            )
        }
        Outlook::Beyond => format!("the last error is beyond ±{limit} {unit} already"),
        Outlook::Steady => "no more than its uncertainty: no day follows from it".to_owned(),
        Outlook::NotWithin { until } => format!("±{limit} {unit} is not reached before {until}"),
        Outlook::Reaches { on, not_before, not_after } => {
            let after = not_after.map_or("later than can be said".to_owned(), |day| day.to_string());
            format!("it would reach ±{limit} {unit} on {on}, between {not_before} and {after}")
        }
    };
    format!("{at}: {slope}{says}")
}

fn side_by_side(comparison: &Comparison) -> String {
    let Comparison { before, after, same_meter, pairs, only_in_one } = comparison;
    let mut text = String::new();
    if !same_meter {
        let (a, b) = (clean(&before.serial), clean(&after.serial));
        let _ = writeln!(text, "*** TWO DIFFERENT METERS: {a} and {b}: what differs is no drift ***");
    }
    let state = |status: &str| match status {
        "withdrawn" | "amended" => format!(" ({})", status.to_uppercase()),
        _ => String::new(),
    };
    for head in [before, after] {
        let _ = writeln!(
            text,
            "{} {}{}, reference {}",
            head.day,
            head.certificate_no,
            state(&head.status),
            clean(&head.reference_certificate_no)
        );
    }
    let value = |value: f64, u: f64, pair: &Pair| {
        format!("{} ± {} {}", signed(value), number::uncertainty(u), pair.unit)
    };
    let rows = pairs.iter().map(|pair| {
        let at = pair.current_a.map_or(String::new(), |a| format!(" {} ({} A)", pair.at, number::plain(a)));
        let shared = pair.e_n_shared.map_or("-".to_owned(), |e_n| number::fixed(e_n, 2));
        [
            clean(&format!("{}{at}", pair.item)),
            value(pair.before, pair.before_u, pair),
            value(pair.after, pair.after_u, pair),
            format!("{} {}", signed(pair.change), pair.unit),
            number::fixed(pair.e_n, 2),
            shared,
            match (pair.is_change(), pair.is_hint()) {
                (true, _) => "CHANGED".to_owned(),
                (_, true) => "perhaps".to_owned(),
                _ => String::new(),
            },
        ]
    });
    let head = ["load point", "before", "after", "change", "E_n", "E_n shared", ""];
    text += &table(head, rows);
    text += "E_n above 1: more than both uncertainties explain. E_n shared: without what both owe to one certificate\n";
    for only in only_in_one {
        let _ = writeln!(text, "not in both: {}", clean(only));
    }
    text
}

fn chargers(board: &Board) -> String {
    if board.cards.is_empty() {
        return "no charger is known in this data folder yet\n".into();
    }
    let mut text = format!(
        "{}: {} red (failed or overdue), {} yellow (a finding or due soon), {} green (normal)\n\n",
        board.today, board.red, board.yellow, board.green
    );
    let rows = board.cards.iter().map(|card| {
        let colour = match card.colour {
            Colour::Red => "RED",
            Colour::Yellow => "yellow",
            Colour::Green => "green",
        };
        [
            colour.to_owned(),
            format!("{} {}{}", card.charger, card.connector, mark(card.meter.simulated)),
            card.site.clone(),
            card.meter.serial.clone(),
            card.day.map_or("-".to_owned(), |day| day.to_string()),
            card.verdict.to_uppercase(),
            card.valid_until.map_or("-".to_owned(), |day| day.to_string()),
            card.visits.to_string(),
            energy(card.energy.as_ref().and_then(|energy| energy.month.as_ref())),
            energy(card.energy.as_ref().and_then(|energy| energy.day.as_ref())),
            card.why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        ]
        .map(|cell| clean(&cell))
    });
    let head = [
        "",
        "charger",
        "site",
        "meter",
        "last visit",
        "verdict",
        "valid until",
        "visits",
        "last month",
        "last day",
        "why",
    ];
    text += &table(head, rows);
    if !board.cards.iter().any(|card| card.energy.as_ref().is_some_and(history::board::Latest::gives)) {
        text += "energy by day and month: absent; no meter gave it at its last visit\n";
    }
    text
}

/// A month or a day with its energy; a dash where the meter gave none.
fn energy(used: Option<&Used>) -> String {
    used.map_or("-".to_owned(), |used| {
        format!("{} {} kWh", used.label().unwrap_or_default(), kwh(used)).trim_start().to_owned()
    })
}

/// What the text of `history` means by its refusals, for its help.
pub const REFUSALS: &str = "A day is stated only for three visits or more over half a year, and no farther ahead than three times that.";

const _: () = assert!(VISITS_MIN == 3 && SPAN_MIN == 180 && AHEAD == 3, "REFUSALS says otherwise");
