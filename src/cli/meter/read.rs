//! `phantomload meter read`

use super::super::{Ended, Stop, print_json, print_text};
use super::place::{Found, Place};
use phantomload::link;
use phantomload::meter::{Answer, Exchange, Fault, Meter, Query, Reading, Value};
use phantomload::time;
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct Told {
    link: String,
    protocol: &'static str,
    address: String,
    profile: String,
    /// The model in words, with what of it is not confirmed.
    model: String,
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
    /// Half-width of the moment at which it was taken.
    taken_within_ms: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<Exchange>,
}

/// Reads everything the meter says.
pub fn run(place: &Place, raw: bool, json: bool) -> Ended {
    let Found { mut meter, link, protocol, profile } = place.find()?;
    let answers = all(meter.as_mut())?;
    let now = time::now();
    let items: Vec<Row> = answers.into_iter().map(|(query, answer)| row(query, answer, now, raw)).collect();
    let (link, address, model) = (link.to_string(), meter.address(), meter.model());
    let told = Told { link, protocol: protocol.name(), address, profile, model, items };
    let said = told.items.iter().filter(|row| row.value.is_some()).count();
    if json {
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

type Answers = Vec<(Query, Result<Answer, Fault>)>;

fn all(meter: &mut dyn Meter) -> Result<Answers, Stop> {
    let mut answers: Answers = vec![];
    // A question that this meter has answered before.
    let mut known = None;
    // Asking for the address is a question to every meter on the line: whoever answers says it anyway.
    for query in Query::all().into_iter().filter(|query| *query != Query::Address) {
        let answer = match meter.read(query) {
            Ok(answer) => {
                known = known.or(Some(query));
                Ok(answer)
            }
            // Many meters are silent to what they do not have; one that still answers what it knew lacks this item.
            Err(fault @ Fault::Silent { .. }) if known.is_some_and(|known| meter.read(known).is_ok()) => {
                Ok(Answer::absent(query, time::now(), format!("the meter is silent to it: {fault}")))
            }
            // A dead line answers no other question either.
            Err(fault @ (Fault::Silent { .. } | Fault::Line(_) | Fault::SeveralMeters { .. })) => {
                return Err(Stop::fault(fault));
            }
            // What the model has no item for is no fault of the meter.
            Err(fault @ Fault::NotInProfile { .. }) => {
                Ok(Answer::absent(query, time::now(), fault.to_string()))
            }
            Err(fault) => Err(fault),
        };
        answers.push((query, answer));
    }
    Ok(answers)
}

fn row(query: Query, answer: Result<Answer, Fault>, now: time::Instant, raw: bool) -> Row {
    let mut row = Row {
        item: query,
        value: None,
        unit: None,
        absent: None,
        fault: None,
        age_ms: None,
        taken_within_ms: None,
        remarks: vec![],
        exchanges: vec![],
    };
    match answer {
        Err(fault) => row.fault = Some(fault.to_string()),
        Ok(answer) => {
            row.age_ms = Some((answer.age(now).secs() * 1e3).round());
            row.taken_within_ms = Some((answer.taken_half_width.secs() * 1e4).round() / 10.0);
            row.remarks = answer.remarks;
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
    let mut text = format!(
        "meter {} at {} ({}, model {}: {})\n",
        told.address, told.link, told.protocol, told.profile, told.model
    );
    for row in &told.items {
        let said = match (&row.value, &row.absent, &row.fault) {
            (Some(value), ..) => format!("{value} {}", row.unit.as_deref().unwrap_or("")),
            (_, Some(why), _) => format!("-  ({why})"),
            (_, _, Some(fault)) => format!("NOT READ: {fault}"),
            _ => String::new(),
        };
        let age = row.age_ms.filter(|_| row.value.is_some());
        let age = age.map_or_else(String::new, |ms| format!("  ({:.1} s old)", ms / 1e3));
        let _ = writeln!(text, "  {:<34} {}{age}", row.item.to_string(), said.trim_end());
        for remark in &row.remarks {
            let _ = writeln!(text, "      {remark}");
        }
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
