//! Exercises each device of a bench at safe levels, and says what it saw. Nothing is live unless the low level is asked for.

use super::devices::{open_heartbeat, open_lines, open_source};
use super::heartbeat::{self, Beat, Vital};
use super::sources::{Part, Sources};
use super::{Description, board};
use crate::meter::access::Described;
use crate::meter::dlt645::{self, Client};
use crate::meter::{Meter, Query, Reading};
use crate::plan::nameplate::Protocol;
use crate::plan::{Load, Nameplate};
use crate::pulse::gpio::Board;
use crate::pulse::stream::Counter;
use crate::pulse::{Input, Told};
use crate::quantity::{Current, Voltage};
use crate::reference::{self, Reference};
use crate::source::scpi::Scpi;
use crate::source::xl9600::Xl9600;
use crate::source::{Guard, Source};
use crate::time::{self, now};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The low level: a voltage that no one can feel and a current that no lead minds. A house rule.
pub const LOW_VOLTAGE: f64 = 5.0;
/// Its current, in ampere.
pub const LOW_CURRENT: f64 = 0.1;
/// How near the reference must see the low level, relative; it only shows that the wires are the right ones.
const NEAR: f64 = 0.2;

/// One look at one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The device.
    pub device: String,
    /// What was looked at.
    pub what: &'static str,
    /// What was seen; or the fault in words.
    pub seen: Result<String, String>,
}

/// Looks at every device. One that does not answer does not keep the others from being looked at.
/// At the low level `stop` is asked again and again: an answer means off at once.
pub fn all(
    description: &Description,
    nameplate: Option<&Nameplate>,
    low_level: bool,
    stop: &dyn Fn() -> bool,
) -> Vec<Look> {
    let mut looks = Looks(vec![]);
    let lines = own_lines(&mut looks, description);
    match &description.source {
        Sources::Xl9600 { link, setting } => {
            let opened = description
                .open("source", link)
                .map_err(|f| f.to_string())
                .and_then(|line| Xl9600::open(line, (**setting).clone()).map_err(|f| f.to_string()));
            looks.add("source", "源停止 and 参数配置", opened.map(|_| "answered; it is off".into()));
        }
        sources => {
            for (name, part) in sources.parts() {
                source(&mut looks, description, name, part);
            }
        }
    }
    let reference = open_reference(&mut looks, description);
    let counters = std::iter::once(("pulse counter", &description.file.pulse, Input::Meter)).chain(
        description.file.seconds_pulse.iter().map(|counter| ("seconds counter", counter, Input::Seconds)),
    );
    for (name, counter, input) in counters {
        let Some(link) = &counter.link else { continue };
        let opened = description.open(name, link).map_err(|f| f.to_string());
        let said = opened.and_then(|link| {
            let mut counter = Counter::open(link, input).map_err(|f| f.to_string())?;
            match counter.listen().map_err(|f| f.to_string())? {
                Told::Lost(what) => Err(what),
                Told::Alive | Told::Edge(_) => Ok("greets and counts".to_owned()),
            }
        });
        looks.add(name, "stream", said);
    }
    meter(&mut looks, description, nameplate);
    if low_level && looks.0.iter().all(|look| look.seen.is_ok()) {
        let said = reference.ok_or_else(|| "no reference to see it".to_owned());
        let said = said.and_then(|reference| at_low_level(description, reference, lines.as_ref(), stop));
        looks.add("source", "low level", said);
    } else if low_level {
        let why = "not tried: something above did not answer as it should".to_owned();
        looks.add("source", "low level", Err(why));
    }
    looks.0
}

struct Looks(Vec<Look>);

impl Looks {
    fn add(&mut self, device: &str, what: &'static str, seen: Result<String, String>) {
        self.0.push(Look { device: device.into(), what, seen });
    }
}

/// The board's lines: opened, its interlocks looked at. The heartbeat is left alone: it may close a contactor.
fn own_lines(looks: &mut Looks, description: &Description) -> Option<Board> {
    let file = &description.file;
    let used = board::lines(file.pulse.gpio.as_ref(), &file.interlock).len();
    let beaten = file.heartbeat.as_ref().is_some_and(|heart| heart.gpio.is_some());
    if used == 0 && !beaten {
        return None;
    }
    match open_lines(description) {
        Ok(board) => {
            let said =
                format!("{used} lines of the board are ours, {} interlocks safe", file.interlock.len());
            looks.add("board", "lines", Ok(said));
            board.map(|(board, _)| board)
        }
        Err(fault) => {
            looks.add("board", "lines", Err(fault.to_string()));
            None
        }
    }
}

fn source(looks: &mut Looks, description: &Description, name: &str, part: &Part) {
    let opened = description.open(name, &part.link).map_err(|f| f.to_string());
    let opened = opened.and_then(|link| {
        Scpi::open(link, part.profile.clone(), part.role, part.range).map_err(|f| f.to_string())
    });
    let mut source = match opened {
        Ok(source) => source,
        Err(why) => return looks.add(name, "identity", Err(why)),
    };
    let remark = part.profile.provenance.remark(&part.name);
    looks.add(name, "identity", Ok(format!("{}{remark}", source.identity())));
    let off = source.off().map_err(|f| f.to_string());
    let confirmed = off.and_then(|()| match source.says_off().map_err(|f| f.to_string())? {
        Some(true) => Ok("off, and it says so".to_owned()),
        Some(false) => Err("told off, and it says that it is on. DANGER: take its supply away".to_owned()),
        None => Ok("told off without an error; its profile knows no question for its output".to_owned()),
    });
    looks.add(name, "off", confirmed);
    let queue = match source.first_error() {
        Ok(None) => Ok("empty".to_owned()),
        Ok(Some(said)) => Err(said),
        Err(fault) => Err(fault.to_string()),
    };
    looks.add(name, "error queue", queue);
    let range = part.range;
    let said = source.own_range().map_err(|f| f.to_string()).map(|own| match own {
        (None, None) => {
            format!("{}, {} by its profile or the bench file", range.voltage_max_v, range.current_max_a)
        }
        (voltage, current) => {
            let said = |most: Option<f64>, unit| most.map_or("?".to_owned(), |most| format!("{most} {unit}"));
            format!("{}, {} by its own words", said(voltage, "V"), said(current, "A"))
        }
    });
    looks.add(name, "range", said);
    looks.add(
        name,
        "protections",
        source.check().map_err(|f| f.to_string()).map(|()| "none has tripped".into()),
    );
}

fn open_reference(looks: &mut Looks, description: &Description) -> Option<reference::scpi::Scpi> {
    let opened = description.open("reference", &description.file.reference.link).map_err(|f| f.to_string());
    let opened = opened.and_then(|link| {
        reference::scpi::Scpi::open(link, description.reference.clone()).map_err(|f| f.to_string())
    });
    match opened {
        Err(why) => {
            looks.add("reference", "identity", Err(why));
            None
        }
        Ok(mut reference) => {
            let remark = description.reference.provenance.remark(&description.file.reference.profile);
            looks.add("reference", "identity", Ok(format!("{}{remark}", reference.identity())));
            let sample = reference.sample().map_err(|f| f.to_string());
            let said = sample.map(|s| format!("{}, {}, {}", s.voltage, s.current, s.power));
            looks.add("reference", "sample", said);
            Some(reference)
        }
    }
}

fn meter(looks: &mut Looks, description: &Description, nameplate: Option<&Nameplate>) {
    let Some(line) = &description.file.meter else { return };
    let output = nameplate.and_then(|plate| plate.data_output.as_ref());
    if let Some(output) = output.filter(|output| output.protocol == Protocol::LemDcbm) {
        let said = Described::of(output).map_err(|f| f.to_string()).and_then(|described| {
            let meter = line.meter(described, description.journal.as_ref()).map_err(|f| f.to_string())?;
            energy(meter)
        });
        return looks.add("meter's data output", "read", said);
    }
    let said = description.open("meter", &line.link).map_err(|f| f.to_string()).and_then(|link| {
        let model = output.map_or("dlt645-2007", |output| output.profile.as_str());
        let profile = dlt645::Profile::builtin(model).map_err(|f| f.to_string())?;
        let wildcard = dlt645::Address::WILDCARD;
        let address = output.map_or(Ok(wildcard), |o| o.address.parse()).map_err(|f| f.to_string())?;
        let mut client = Client::new(link, address, profile);
        if output.is_none() {
            return client
                .read_address()
                .map_err(|f| f.to_string())
                .map(|address| format!("meter {address}"));
        }
        energy(client)
    });
    looks.add("meter's data output", "read", said);
}

fn energy(mut meter: impl Meter) -> Result<String, String> {
    let answer = meter.read(Query::Energy).map_err(|f| f.to_string())?;
    match answer.reading {
        Reading::Value(value) => Ok(format!("energy {value}")),
        Reading::Absent(why) => Err(why),
    }
}

/// Brings the low level and asks the reference whether it sees it. The guard switches off, whatever happens.
fn at_low_level(
    description: &Description,
    mut reference: reference::scpi::Scpi,
    lines: Option<&Board>,
    stop: &dyn Fn() -> bool,
) -> Result<String, String> {
    let (mut source, _) = open_source(description).map_err(|f| f.to_string())?;
    // Off is certain by now; a hardware watchdog may close its contactor.
    let beat = open_heartbeat(description, lines).map_err(|f| f.to_string())?;
    let (vital, ended) = (Arc::new(Vital::new(now())), Arc::new(AtomicBool::new(false)));
    let heart = beat.map(|beat| beating(beat, &vital, &ended));
    let seen = see_low_level(description, &mut source, &mut reference, &vital, stop);
    let off = source.off().map_err(|f| f.to_string());
    drop(source);
    ended.store(true, Ordering::SeqCst);
    let stopped = heart.map(std::thread::JoinHandle::join);
    off?;
    match stopped {
        Some(Ok(Err(why))) => return Err(format!("heartbeat: {why}. It is off again")),
        Some(Err(_)) => return Err("heartbeat: its worker broke down: a bug in this program".into()),
        _ => {}
    }
    seen
}

fn beating(
    mut beat: Box<dyn Beat>,
    vital: &Arc<Vital>,
    ended: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<Result<(), String>> {
    let (vital, ended) = (Arc::clone(vital), Arc::clone(ended));
    std::thread::spawn(move || heartbeat::run(beat.as_mut(), &vital, &ended))
}

fn see_low_level(
    description: &Description,
    source: &mut Guard<Box<dyn Source>>,
    reference: &mut reference::scpi::Scpi,
    vital: &Vital,
    stop: &dyn Fn() -> bool,
) -> Result<String, String> {
    let capability = description.capability();
    let load = Load {
        voltage_v: Voltage::from_volts(LOW_VOLTAGE).min(capability.voltage_max_v),
        current_a: Current::from_amperes(LOW_CURRENT).min(capability.current_max_a),
    };
    if stop() {
        return Err("stopped before anything was on".into());
    }
    source.set(load).map_err(|f| f.to_string())?;
    let settle = capability.settle;
    let end = now() + settle.ramp(Load::OFF, load) + time::Span::from_secs_f64(settle.timeout_secs);
    let near = |seen: f64, set: f64| (seen - set).abs() <= NEAR * set;
    let asked = format!("{}, {}", load.voltage_v, load.current_a);
    loop {
        if stop() {
            return Err("stopped by the operator; it is off again".into());
        }
        vital.conductor_looked(now());
        vital.source_ready(now());
        let sample = reference.sample().map_err(|f| f.to_string())?;
        let seen = format!("{}, {}", sample.voltage, sample.current);
        if near(sample.voltage.volts(), load.voltage_v.volts())
            && near(sample.current.amperes(), load.current_a.amperes())
        {
            return Ok(format!("{asked} asked, the reference sees {seen}; off again"));
        }
        if now() > end {
            return Err(format!(
                "{asked} asked, but the reference sees {seen}. Do source and reference hang on the same circuits, the right way round? It is off again"
            ));
        }
        time::sleep(description.reference.interval());
    }
}
