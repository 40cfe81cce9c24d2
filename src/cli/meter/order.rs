//! `phantomload meter order`

use super::super::{Ended, Stop, print_text};
use super::place::Place;
use phantomload::link::{Address, reopening};
use phantomload::meter::Query;
use phantomload::meter::modbus::order::{Finding, probe};
use phantomload::meter::modbus::{Client, Profile, Transport};
use std::fmt::Write;

/// Reads each quantity that the reference shows and holds all orders against it.
pub fn run(place: &Place, shown: [Option<f64>; 3], tolerance: f64) -> Ended {
    let line: Address = place.link.parse().map_err(Stop::input)?;
    let given = place.profile.as_deref().unwrap_or("");
    let profile = Profile::builtin(given).map_err(Stop::input)?;
    let transport = if matches!(line, Address::Tcp { .. }) { Transport::Tcp } else { Transport::Rtu };
    let unit = if place.address == "auto" { Ok(profile.unit()) } else { place.address.parse() };
    let unit =
        unit.map_err(|_| Stop::input(format!("`{}` is no unit; allowed is 1 to 247", place.address)))?;
    let mut client =
        Client::new(Box::new(reopening::open(&line).map_err(Stop::input)?), transport, unit, profile.clone());
    let queries = [Query::Voltage, Query::Current, Query::Power];
    let mut text = String::new();
    let mut proposed = vec![];
    for (query, expected) in queries.into_iter().zip(shown) {
        let (Some(expected), Some(item)) = (expected, profile.item(query)) else { continue };
        let registers = client.raw(item).map_err(Stop::fault)?.map_err(Stop::fault)?;
        let (candidates, finding) = probe(item.kind, item.exponent, &registers, expected, tolerance / 100.0);
        let _ = writeln!(text, "{query}: registers {registers:04X?}, the reference shows {expected}");
        for candidate in candidates {
            let value = candidate.value.map_or("no number".to_owned(), |value| value.to_string());
            let mark = if candidate.plausible { "<- plausible" } else { "" };
            let _ = writeln!(text, "  {}: {value} {mark}", candidate.places);
        }
        match finding {
            Finding::Proposed(places) => {
                let so =
                    if places == item.places { "as the model has it" } else { "OTHER than the model has it" };
                let _ = writeln!(text, "  proposed: {places}, {so}; confirm against the display");
                proposed.push(places);
            }
            Finding::Ambiguous => {
                let _ = writeln!(text, "  several orders are plausible: ask at another load");
            }
            Finding::NonePlausible => {
                let _ = writeln!(text, "  no order is plausible: another register, kind, scale or quantity");
            }
        }
    }
    if text.is_empty() {
        let needed =
            "give what the reference shows: --voltage, --current or --power, and a --profile that has it";
        return Err(Stop::input(needed));
    }
    print_text(&text)?;
    if proposed.is_empty() {
        return Err(Stop::fault("no order could be proposed"));
    }
    Ok(0)
}
