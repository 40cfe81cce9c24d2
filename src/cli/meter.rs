//! `phantomload meter`: reading; and `record`, the one command that starts something in a meter: a transaction.

use super::{Ended, Stop, print_json, print_text};
use phantomload::link::{self, Address};
use phantomload::meter::dlt645::{self, Client};
use phantomload::meter::{Answer, Exchange, Fault, Meter, Query, Reading, Value};
use phantomload::time;
use serde::Serialize;
use std::fmt::Write;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Read number, energy, U, I, P, clock, constant and cover record from a DL/T 645-2007 meter
    Read {
        /// The line: /dev/ttyUSB0, /dev/ttyUSB0,2400,8E1 or tcp:HOST:PORT (serial default 9600,8E1)
        #[arg(long, value_name = "PORT")]
        link: String,
        /// Communication address, 12 digits; `auto` asks the one meter on the line
        #[arg(long, default_value = "auto")]
        address: String,
        /// Meter model: dlt645-2007, yada-dcm3366q, simulated-dc
        #[arg(long, default_value = "dlt645-2007")]
        profile: String,
        /// Print the bytes of each exchange
        #[arg(long)]
        raw: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Have a LEM DCBM sign a transaction: start it, let it run, stop it, fetch the record, check it
    Record(super::record::Arguments),
}

#[derive(Serialize)]
struct Told {
    link: String,
    address: String,
    profile: String,
    items: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    item: Query,
    value: Option<String>,
    unit: Option<String>,
    /// Why the meter has none.
    absent: Option<String>,
    /// Why it could not be read.
    fault: Option<String>,
    age_ms: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<Exchange>,
}

/// Reads everything the meter says.
pub fn run(which: &Which) -> Ended {
    let (link, address, profile, raw, json) = match which {
        Which::Read { link, address, profile, raw, json } => (link, address, profile, raw, json),
        Which::Record(arguments) => return super::record::run(arguments),
    };
    let line: Address = link.parse().map_err(Stop::input)?;
    let address: dlt645::Address = address.parse().map_err(Stop::input)?;
    let model = dlt645::Profile::builtin(profile).map_err(Stop::input)?;
    let opened = link::open(&line).map_err(Stop::input)?;
    let mut client = Client::new(opened, address, model);
    let address = if address == dlt645::Address::WILDCARD {
        client.read_address().map_err(Stop::fault)?
    } else {
        address
    };
    let mut answers = vec![];
    // The address is known by now, and asking for it is a question to every meter on the line.
    for query in Query::all().into_iter().filter(|query| *query != Query::Address) {
        let answer = client.read(query);
        // A dead line answers no other question either.
        if let Err(fault @ (Fault::Silent { .. } | Fault::Line(_))) = &answer {
            return Err(Stop::fault(fault));
        }
        answers.push((query, answer));
    }
    let now = time::now();
    let items: Vec<Row> = answers.into_iter().map(|(query, answer)| row(query, answer, now, *raw)).collect();
    let told = Told { link: line.to_string(), address: address.to_string(), profile: profile.clone(), items };
    let said = told.items.iter().filter(|row| row.value.is_some()).count();
    if *json {
        print_json(&told)?;
    } else {
        print_text(&table(&told))?;
    }
    if said == 0 {
        let why = "gave no value at all: wrong address, wrong model, or a meter that refuses to be read";
        return Err(Stop::fault(format!("meter {} at {} {why}", told.address, told.link)));
    }
    Ok(0)
}

fn row(query: Query, answer: Result<Answer, Fault>, now: time::Instant, raw: bool) -> Row {
    let mut row = Row {
        item: query,
        value: None,
        unit: None,
        absent: None,
        fault: None,
        age_ms: None,
        exchanges: vec![],
    };
    match answer {
        Err(fault) => row.fault = Some(fault.to_string()),
        Ok(answer) => {
            row.age_ms = Some(((now - answer.taken).secs() * 1e3).round());
            if raw {
                row.exchanges = answer.exchanges;
            }
            match answer.reading {
                Reading::Absent(why) => row.absent = Some(why),
                Reading::Value(Value::Number(number, unit)) => {
                    row.value = Some(number.to_string());
                    row.unit = Some(unit.to_string());
                }
                Reading::Value(value) => row.value = Some(value.to_string()),
            }
        }
    }
    row
}

fn table(told: &Told) -> String {
    let mut text = format!("meter {} at {} (model {})\n", told.address, told.link, told.profile);
    for row in &told.items {
        let said = match (&row.value, &row.absent, &row.fault) {
            (Some(value), ..) => format!("{value} {}", row.unit.as_deref().unwrap_or("")),
            (_, Some(why), _) => format!("-  ({why})"),
            (_, _, Some(fault)) => format!("NOT READ: {fault}"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {:<26} {}", row.item.to_string(), said.trim_end());
        for exchange in &row.exchanges {
            let _ = writeln!(
                text,
                "      > {}\n      < {}",
                link::hex::text(&exchange.request),
                link::hex::text(&exchange.reply)
            );
        }
    }
    text
}
