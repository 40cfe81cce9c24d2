//! Who is there? Asks lines in a safe order: listen first, then only questions, and one command that is an off. Nothing that
//! is sent here switches anything on.
//!
//! | step | sent | who answers |
//! |---|---|---|
//! | 1 | nothing (TCP) | a pulse counter greets by itself |
//! | 2 | `*IDN?` | SCPI instruments (IEEE 488.2) |
//! | 3 | 2BH/0EH, then 03H of one register, unit 1 | Modbus devices |
//! | 4 | 13H to the wildcard | a DL/T 645 meter alone on its line |
//! | – | 源停止 (UDP only) | an XL-9600, which it switches off |
//!
//! The port of Modbus/TCP is asked for nothing before Modbus: a device that speaks nothing else may hang up. Lines are asked at
//! the same time, so two ports on one RS-485 pair would talk into one another; they are for one call each.

use super::description::SHIPPED;
use crate::link::lines::Lines;
use crate::link::modbus::{self, Wrapping};
use crate::link::{self, Address, Framing, Link};
use crate::meter::dlt645::{self, Client, Patience};
use crate::pulse::stream::HELLO;
use crate::source::Profile;
use crate::source::profile::Output;
use crate::source::xl9600::Xl9600;
use crate::time::{Span, now};
use crate::{reference, source};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;

/// A counter says its first line at once.
const GREETING: Span = Span::from_millis(300);
/// So long a question may take to be answered.
const PATIENCE: Span = Span::from_millis(1000);
/// Modbus units that are asked: makers deliver 1.
const UNIT: u8 = 1;
/// The port of Modbus/TCP (Modbus Messaging on TCP/IP V1.0b, 3.1.1).
const MODBUS_PORT: u16 = 502;
/// The longest answer that is looked at, in bytes.
const ANSWER_MAX: usize = 512;

/// What a line was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A pulse counter of the edge stream.
    Counter,
    /// A SCPI instrument.
    Scpi {
        /// Its words.
        said: String,
        /// The shipped profile that knows it.
        profile: Option<&'static str>,
    },
    /// A Modbus device.
    Modbus {
        /// What it says of itself.
        said: String,
    },
    /// A DL/T 645 meter.
    Dlt645 {
        /// Its address.
        address: String,
    },
    /// An XL-9600 bench; it is off now.
    Xl9600,
    /// Nobody that we know how to ask.
    Nobody {
        /// What was seen.
        why: String,
    },
}

/// A line and who answered there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub at: Address,
    /// Who.
    pub who: Who,
}

/// The lines a serial device is asked on: the one that was written, or the usual ones.
pub fn serial_lines(port: &str) -> Result<Vec<Address>, link::Fault> {
    let given: Address = port.parse()?;
    let Address::Serial { path, .. } = &given else { return Ok(vec![given]) };
    if port.contains(',') {
        return Ok(vec![given]);
    }
    let line = |baud, framing| Address::Serial { path: path.clone(), baud, framing };
    Ok(vec![
        line(9600, Framing::EIGHT_NONE_ONE),
        line(9600, Framing::EIGHT_EVEN_ONE),
        line(2400, Framing::EIGHT_EVEN_ONE),
    ])
}

/// Asks several devices at the same time, each on its [lines](serial_lines); what was found, in their order. One that stays
/// silent takes some seconds, and the others do not wait for it. Those that share a port take turns.
pub fn ask_all(devices: &[Vec<Address>]) -> Vec<Found> {
    let mut ports: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (place, lines) in devices.iter().enumerate() {
        ports.entry(port(lines)).or_default().push(place);
    }
    let mut found: Vec<(usize, Found)> = std::thread::scope(|scope| {
        let ask_port = |places: &[usize]| {
            let found = places.iter().filter_map(|place| Some((*place, ask(&devices[*place])?)));
            found.collect::<Vec<_>>()
        };
        let asked: Vec<_> = ports.values().map(|places| scope.spawn(move || ask_port(places))).collect();
        let answers = asked.into_iter().map(|answer| answer.join().unwrap_or_else(|e| resume_unwind(e)));
        answers.flatten().collect()
    });
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

/// What only one can hold at a time: a serial port under whichever of its names, or the address itself.
fn port(lines: &[Address]) -> PathBuf {
    match lines.first() {
        Some(Address::Serial { path, .. }) => std::fs::canonicalize(path).unwrap_or_else(|_| path.into()),
        Some(address) => address.to_string().into(),
        None => PathBuf::new(),
    }
}

/// Asks one device, on each of its lines until somebody answers.
fn ask(lines: &[Address]) -> Option<Found> {
    let mut seen = vec![];
    for at in lines {
        match who(at) {
            Who::Nobody { why } => seen.push((at.clone(), why)),
            who => return Some(Found { at: at.clone(), who }),
        }
    }
    let (at, why) = seen.into_iter().next()?;
    Some(Found { at, who: Who::Nobody { why } })
}

fn who(at: &Address) -> Who {
    let mut link = match link::open(at) {
        Ok(link) => link,
        Err(fault) => return Who::Nobody { why: fault.to_string() },
    };
    if matches!(at, Address::Udp { .. }) {
        return match Xl9600::probe(&mut *link) {
            Ok(Some(_)) => Who::Xl9600,
            Ok(None) => nobody("silence, or no message of an XL-9600"),
            Err(fault) => Who::Nobody { why: fault.to_string() },
        };
    }
    if matches!(at, Address::Tcp { .. })
        && let Some(greeting) = heard(&mut *link, GREETING)
    {
        let text = String::from_utf8_lossy(&greeting).into_owned();
        if text.starts_with(HELLO) {
            return Who::Counter;
        }
    }
    let is_modbus = matches!(at, Address::Tcp { port: MODBUS_PORT, .. });
    let mut lines = Lines::new(link, PATIENCE);
    let said = if is_modbus { Ok(String::new()) } else { lines.ask("*IDN?") };
    match said {
        // An echo is no answer.
        Ok(said) if said.trim().len() > 2 && !said.contains("*IDN?") => {
            let profile = shipped_for(&said);
            return Who::Scpi { said, profile };
        }
        Ok(_)
        | Err(link::Fault::Silent { .. } | link::Fault::NotText { .. } | link::Fault::LineTooLong { .. }) => {
        }
        Err(fault) => return Who::Nobody { why: fault.to_string() },
    }
    let mut link = lines.into_link();
    // A serial server carries the serial form over TCP; Modbus/TCP has its own, and its own port.
    let wrappings: &[Wrapping] = match at {
        Address::Tcp { .. } if is_modbus => &[Wrapping::Tcp],
        Address::Tcp { .. } => &[Wrapping::Rtu, Wrapping::Tcp],
        _ => &[Wrapping::Rtu],
    };
    for wrapping in wrappings.iter().copied() {
        for question in [modbus::ask_identity(wrapping, UNIT), modbus::ask_register(wrapping, UNIT)] {
            if let Some(answer) = exchange(&mut *link, &question)
                && let Some(said) = modbus::who(wrapping, UNIT, &answer)
            {
                return Who::Modbus { said };
            }
        }
    }
    let Ok(profile) = dlt645::Profile::builtin("dlt645-2007") else { return nobody("silence") };
    let patience = Patience { first_byte: PATIENCE, attempts: 1, ..Patience::default() };
    let mut client = Client::new(link, dlt645::Address::WILDCARD, profile).with_patience(patience);
    match client.read_address() {
        Ok(address) => Who::Dlt645 { address: address.to_string() },
        Err(fault) => Who::Nobody { why: fault.to_string() },
    }
}

fn nobody(why: &str) -> Who {
    Who::Nobody { why: why.to_owned() }
}

fn exchange(link: &mut dyn Link, question: &[u8]) -> Option<Vec<u8>> {
    link.discard_input().ok()?;
    link.send(question).ok()?;
    heard(link, PATIENCE)
}

/// What comes until the line has been silent for a moment; nothing where it stays silent.
fn heard(link: &mut dyn Link, patience: Span) -> Option<Vec<u8>> {
    let mut heard = vec![];
    let mut buffer = [0; 256];
    let end = now() + patience + PATIENCE;
    let mut wait = patience;
    while heard.len() < ANSWER_MAX && now() < end {
        match link.receive(&mut buffer, wait) {
            Ok(0) | Err(_) => break,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
        // Longer than 3.5 characters at 1200 Bd, the pause that ends a Modbus frame.
        wait = Span::from_millis(50);
    }
    (!heard.is_empty()).then_some(heard)
}

/// The shipped profile whose identity an instrument gave.
fn shipped_for(said: &str) -> Option<&'static str> {
    let knows = |text: &str| {
        let dialect = source::Profile::from_toml("shipped", text)
            .map(|p| p.dialect)
            .or_else(|_| reference::Profile::from_toml("shipped", text).map(|p| p.dialect));
        dialect.is_ok_and(|dialect| dialect.knows(said))
    };
    let real = SHIPPED.iter().filter(|(name, _)| !name.starts_with("template"));
    real.filter(|(_, text)| knows(text)).map(|(name, _)| *name).next()
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counter => f.write_str("pulse counter"),
            Self::Scpi { said, profile: Some(profile) } => write!(f, "SCPI `{said}`: profile {profile}"),
            Self::Scpi { said, profile: None } => write!(
                f,
                "SCPI `{said}`: no shipped profile; copy assets/instruments/template-source.toml or -reference"
            ),
            Self::Modbus { said } => write!(f, "Modbus, {said}"),
            Self::Dlt645 { address } => write!(f, "DL/T 645 meter {address}"),
            Self::Xl9600 => f.write_str("XL-9600 bench, switched off by the question"),
            Self::Nobody { why } => write!(f, "-  ({why})"),
        }
    }
}

/// What was found, as a table.
pub fn table(found: &[Found]) -> String {
    let mut text = String::new();
    for Found { at, who } in found {
        let _ = writeln!(text, "{:<36} {who}", at.to_string());
    }
    text
}

/// A bench file of what was found. What nobody can know by asking is left as a comment, and the program refuses the file
/// until it is filled in.
pub fn bench_file(found: &[Found]) -> String {
    let mut text = String::from(
        "# Written by `phantomload bench probe`. Look through it: who stands where is known, what hangs on it is not.\nschema = 1\n",
    );
    let (sources, references): (Vec<_>, Vec<_>) = found
        .iter()
        .filter_map(|f| match &f.who {
            Who::Scpi { profile: Some(name), .. } => Some((*name, &f.at)),
            _ => None,
        })
        .partition(|(name, _)| shipped_source(name).is_some());
    let simulated = sources.iter().chain(&references).any(|(name, _)| name.starts_with("simulated"));
    if simulated {
        text += "simulated = true\n";
    } else {
        text += "\n[calibration]\n# reference = \"…\"   the certificate file of the reference standard\n# time_base = \"…\"   that of the counter's time base\n";
    }
    source_entry(&mut text, &sources, found);
    match references.as_slice() {
        [(name, at), ..] => {
            let _ = write!(text, "\n[reference]\nprofile = \"{name}\"\nlink = \"{at}\"\n");
        }
        [] => text += "\n[reference]\n# profile = \"…\"   none was found\n# link = \"…\"\n",
    }
    let counters: Vec<&Address> = found.iter().filter(|f| f.who == Who::Counter).map(|f| &f.at).collect();
    match counters.as_slice() {
        [] => text += "\n[pulse]\n# link = \"…\"   no counter was found\n",
        [first, rest @ ..] => {
            let _ = write!(text, "\n[pulse]\nlink = \"{first}\"\n");
            for other in rest.iter().take(1) {
                let _ = write!(
                    text,
                    "# Which of the two hears the meter's pulses is not known.\n\n[seconds_pulse]\nlink = \"{other}\"\n"
                );
            }
        }
    }
    let meters = found.iter().filter_map(|f| match &f.who {
        Who::Dlt645 { address } => Some((address, &f.at)),
        _ => None,
    });
    for (address, at) in meters.take(1) {
        let _ = write!(text, "\n# DL/T 645 meter {address}\n[meter]\nlink = \"{at}\"\n");
    }
    // Whatever has no place above, or came after what took it.
    let used = text.clone();
    let others = found.iter().filter(|f| !matches!(f.who, Who::Nobody { .. }));
    for Found { at, who } in others.filter(|f| !used.contains(&format!("\"{}\"", f.at))) {
        let _ = write!(text, "\n# not used: {at}: {}\n", who.to_string().replace(['\r', '\n'], " "));
    }
    text
}

fn shipped_source(name: &str) -> Option<Profile> {
    let (_, text) = SHIPPED.iter().find(|(id, _)| *id == name)?;
    Profile::from_toml(name, text).ok()
}

fn source_entry(text: &mut String, sources: &[(&'static str, &Address)], found: &[Found]) {
    let pair =
        sources.iter().find(|(name, _)| shipped_source(name).is_some_and(|p| p.output == Output::Pair));
    if let Some((name, at)) = pair {
        let _ = write!(text, "\n[source]\nprofile = \"{name}\"\nlink = \"{at}\"\n");
        return;
    }
    if let Some(bench) = found.iter().find(|f| f.who == Who::Xl9600) {
        let _ = write!(
            text,
            "\n[source]\nlink = \"{}\"\n\n[source.xl9600]\n# rated_voltage_v = …\n# rated_current_a = …\n# constant_imp_per_kwh = …   of the meter under test\n",
            bench.at
        );
        return;
    }
    if sources.is_empty() {
        *text += "\n[source]\n# profile = \"…\"   none was found\n# link = \"…\"\n";
        return;
    }
    let keys = [
        ("voltage", "# limit_a = …   the most current that it may give"),
        ("current", "# limit_v = …   the highest voltage that it may make"),
    ];
    for ((key, limit), (name, at)) in keys.iter().zip(sources) {
        let range = match shipped_source(name).and_then(|profile| profile.range) {
            Some(_) => "",
            None => "# range = { voltage_max_v = …, current_max_a = … }   from its nameplate\n",
        };
        let _ = write!(
            text,
            "\n# Which source makes which quantity is not known: look.\n[source.{key}]\nprofile = \"{name}\"\nlink = \"{at}\"\n{limit}\n{range}"
        );
    }
}
