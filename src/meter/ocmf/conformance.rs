//! Where a record departs from the specification. None of it touches authenticity; an inspector wants to know it.

use super::Deviation;
use super::object::{Object, string};
use super::reading::{Reading, number};

/// What a field has to be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Truth,
    List,
    Thing,
}

/// Fields of the payload (tables 1 to 7 of revision 1.2; CF by the house's notes on 1.4.1). Names that begin with U to Z
/// are the makers'.
const FIELDS: [(&str, Kind); 21] = [
    ("FV", Kind::Text),
    ("GI", Kind::Text),
    ("GS", Kind::Text),
    ("GV", Kind::Text),
    ("PG", Kind::Text),
    ("MV", Kind::Text),
    ("MM", Kind::Text),
    ("MS", Kind::Text),
    ("MF", Kind::Text),
    ("IS", Kind::Truth),
    ("IL", Kind::Text),
    ("IF", Kind::List),
    ("IT", Kind::Text),
    ("ID", Kind::Text),
    ("TT", Kind::Text),
    ("CF", Kind::Text),
    ("CCV", Kind::Text),
    ("CT", Kind::Text),
    ("CI", Kind::Text),
    ("LC", Kind::Thing),
    ("RD", Kind::List),
];
/// Fields of a reading (table 7).
const OF_READING: [&str; 9] = ["TM", "TX", "RV", "RI", "RU", "RT", "CL", "EF", "ST"];
/// Fields of the signature part (table 8). A to F and U to Z are reserved for others.
const OF_SIGNATURE: [&str; 4] = ["SA", "SE", "SM", "SD"];
/// TX (table 7).
const REASONS: [&str; 10] = ["B", "C", "X", "E", "L", "R", "A", "P", "S", "T"];
/// RU (table 20).
const UNITS: [&str; 4] = ["kWh", "Wh", "mOhm", "uOhm"];
/// ST (table 10).
const STATES: [(&str, &str); 12] = [
    ("G", "good"),
    ("N", "meter not present"),
    ("T", "timeout"),
    ("D", "meter disconnected"),
    ("R", "meter no longer found"),
    ("M", "MANIPULATION detected"),
    ("X", "meter exchanged"),
    ("I", "meter incompatible"),
    ("O", "value out of range"),
    ("S", "substitute value"),
    ("E", "other error"),
    ("F", "register not read correctly"),
];

/// So many are listed; a record with more is no record of a meter.
const MOST: usize = 200;

/// A name that makers may use as they like.
fn is_makers(name: &str) -> bool {
    name.starts_with(|first: char| ('U'..='Z').contains(&first))
}

fn note(deviations: &mut Vec<Deviation>, at: impl Into<String>, what: impl Into<String>) {
    if deviations.len() < MOST {
        deviations.push(Deviation::new(at, what));
    }
}

/// What of a text can stand in a message.
fn shown(text: &str) -> String {
    let short: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// The payload without its readings.
pub(super) fn payload(object: &Object, deviations: &mut Vec<Deviation>) {
    for name in object.twice() {
        note(deviations, shown(name), "written more than once; the first counts");
    }
    for (name, value) in &object.0 {
        let Some((_, kind)) = FIELDS.iter().find(|(known, _)| known == name) else {
            if !is_makers(name) {
                note(deviations, shown(name), "no field of this name is known");
            }
            continue;
        };
        let (right, wanted) = match kind {
            Kind::Text => (value.starts_with('"'), "a text"),
            Kind::Truth => (["true", "false"].contains(value), "true or false"),
            Kind::List => (value.starts_with('['), "a list"),
            Kind::Thing => (value.starts_with('{'), "an object"),
        };
        if !right {
            note(deviations, name, format!("it is {}; it has to be {wanted}", shown(value)));
        }
    }
    let page = object.string("PG");
    match page.as_deref() {
        None => note(deviations, "PG", "the record has no page"),
        Some(page) if !is_page(page) => {
            note(deviations, "PG", format!("`{}`; it has to be T or F and a number", shown(page)));
        }
        Some(_) => {}
    }
    if object.string("MS").is_none_or(|serial| serial.is_empty()) {
        note(deviations, "MS", "the meter's serial number is missing");
    }
    // User assignment is there exactly where a transaction is.
    if page.is_some_and(|page| page.starts_with('T')) {
        for name in ["IS", "IT"] {
            if object.get(name).is_none() {
                note(deviations, name, "missing; a transaction has it");
            }
        }
    }
    if let Some(loss) = object.get("LC").and_then(|text| Object::read(text).ok()) {
        for name in ["LR", "LU"] {
            if loss.get(name).is_none() {
                note(deviations, format!("LC.{name}"), "missing; loss compensation has it");
            }
        }
    }
}

fn is_page(text: &str) -> bool {
    let digits = text.strip_prefix(['T', 'F']).unwrap_or_default();
    !digits.is_empty()
        && digits.bytes().all(|c| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// The fields of one reading as they are written.
pub(super) fn reading(n: usize, object: &Object, deviations: &mut Vec<Deviation>) {
    let at = |name: &str| format!("RD[{n}].{name}");
    for name in object.twice() {
        note(deviations, at(&shown(name)), "written more than once; the first counts");
    }
    for (name, value) in &object.0 {
        if !OF_READING.contains(&name.as_str()) {
            if !is_makers(name) {
                note(deviations, at(&shown(name)), "no field of this name is known");
            }
            continue;
        }
        let text = string(value);
        if matches!(name.as_str(), "RV" | "CL") {
            match (number(value), text) {
                (None, _) => note(deviations, at(name), format!("{} is no number", shown(value))),
                (Some(_), Some(text)) => {
                    let padded = if text.trim() == text { "" } else { " with spaces" };
                    note(deviations, at(name), format!("the number is written as a text{padded}"));
                }
                (Some(_), None) => {}
            }
            continue;
        }
        let Some(text) = text else {
            note(deviations, at(name), format!("{} is no text", shown(value)));
            continue;
        };
        let wanted = match name.as_str() {
            "TM" if !is_time(&text) => "2018-07-24T13:22:04,000+0200 and U, I, S or R",
            "TX" if !REASONS.contains(&text.as_str()) => "B C X E L R A P S or T",
            "RI" if !is_obis(&text) => "an OBIS code",
            "RU" if !UNITS.contains(&text.as_str()) => "kWh, Wh, mOhm or uOhm",
            "RT" if !["AC", "DC"].contains(&text.as_str()) => "AC or DC",
            "EF" if !text.chars().all(|c| c == 'E' || c == 't') => "E, t or nothing",
            "ST" if !STATES.iter().any(|(state, _)| *state == text) => "G N T D R M X I O S E or F",
            _ => continue,
        };
        note(deviations, at(name), format!("`{}`; allowed is {wanted}", shown(&text)));
    }
    if n == 0 {
        for name in ["TM", "ST"] {
            if object.get(name).is_none() {
                note(deviations, at(name), "missing in the first reading");
            }
        }
    }
    if object.get("RI").is_some() != object.get("RU").is_some() {
        note(deviations, format!("RD[{n}]"), "RI and RU belong together; one of them is missing");
    }
}

/// `2018-07-24T13:22:04,000+0200 S`
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00,000+0000 S";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(seen, form)| match form {
            b'0' => seen.is_ascii_digit(),
            b'+' => seen == b'+' || seen == b'-',
            b'S' => b"UISR".contains(&seen),
            other => seen == *other,
        })
}

/// `1-b:1.8.0`, `01-00:B2.08.00*FF`: groups of up to three characters with their separators.
fn is_obis(text: &str) -> bool {
    let group = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric());
    let Some((medium, value)) = text.split_once(':') else { return false };
    let Some((a, b)) = medium.split_once('-') else { return false };
    let parts: Vec<&str> = value.split(['.', '*', '&']).collect();
    group(a) && group(b) && (3..=4).contains(&parts.len()) && parts.iter().all(|part| group(part))
}

/// What the readings say of themselves, and whether they go forward.
pub(super) fn readings(readings: &[Reading], deviations: &mut Vec<Deviation>) {
    for (n, reading) in readings.iter().enumerate() {
        if let Some((state, meaning)) =
            STATES.iter().find(|(state, _)| reading.status.as_deref() == Some(*state))
            && *state != "G"
        {
            note(deviations, format!("RD[{n}].ST"), format!("the meter says {state}: {meaning}"));
        }
        for (letter, quantity) in [('E', "energy"), ('t', "time")] {
            if reading.errors.as_ref().is_some_and(|errors| errors.contains(letter)) {
                let what = format!("the meter calls its {quantity} unusable");
                note(deviations, format!("RD[{n}].EF"), what);
            }
        }
        let same = |before: &&Reading| before.register == reading.register && before.unit == reading.unit;
        if let Some(before) = readings[..n].iter().rev().find(same) {
            if before.value.zip(reading.value).is_some_and(|(before, now)| now < before) {
                note(deviations, format!("RD[{n}].RV"), "less than the reading before of the same register");
            }
            let zones = |r: &Reading| {
                r.time.as_ref().and_then(|t| Some((t.get(..23)?.to_owned(), t.get(23..)?.to_owned())))
            };
            if zones(before).zip(zones(reading)).is_some_and(|((t0, z0), (t1, z1))| z0 == z1 && t1 < t0) {
                note(deviations, format!("RD[{n}].TM"), "earlier than the reading before");
            }
        }
    }
}

/// The signature part.
pub(super) fn signature(object: &Object, deviations: &mut Vec<Deviation>) {
    for name in object.twice() {
        note(deviations, shown(name), "written more than once; the first counts");
    }
    for (name, _) in &object.0 {
        let reserved = name.starts_with(|first: char| ('A'..='F').contains(&first)) || is_makers(name);
        if !OF_SIGNATURE.contains(&name.as_str()) && !reserved {
            note(deviations, shown(name), "no field of this name is known in the signature");
        }
    }
}
