//! The simulated bench in real time, over pseudo-terminals and TCP on loopback: the very same world, real lines.

mod xl9600;

use super::slave::{SharedWorld, Slave, hold};
use super::world::Sight;
use super::{Fault, Rig};
use crate::bench::board::{Heartbeat, Interlocks};
use crate::bench::description::{Counter, File, Instrument, MeterLine};
use crate::bench::sources::Entry;
use crate::link::lines::Lines;
use crate::link::{Address, Link, serial, tcp};
use crate::plan::Load;
use crate::plan::nameplate::Protocol;
use crate::pulse::stream::{HELLO, Line};
use crate::pulse::{Edge, Input};
use crate::quantity::{Current, Energy, Voltage};
use crate::source::Limits;
use crate::source::profile::Range;
use crate::source::xl9600::Setting;
use crate::time::{self, Span, Stamp, now};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// The world is moved on this often.
const TICK: Span = Span::from_millis(5);
/// The counters say that they live this often.
const ALIVE_EVERY: Span = Span::from_millis(100);
/// What the bench file says of the stand-in's error calculator; the simulated bench has no certificate for it.
const XL9600_EXPANDED_PERCENT: f64 = 0.05;
/// The simulated meter thinks this long before it answers; real ones take 20 to 500 ms.
const METER_DELAY: Span = Span::from_millis(30);
/// A simulated meter that speaks unasked does so this often; real ones push every 1 to 4 s.
const PUSH_EVERY: Span = Span::from_millis(1000);
/// The watchdog relay waits so long for a change of level.
const BEAT_PATIENCE: Span = Span::from_millis(1000);
/// How long a device waits for a line before it looks again.
const PATIENCE: Span = Span::from_millis(200);

/// A device of the served bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The source.
    Source,
    /// The reference.
    Reference,
    /// The pulse counter.
    Pulse,
    /// The meter's data output.
    Meter,
}

/// What a device does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Closes its line.
    HangUp,
    /// Says nothing more.
    Silence,
    /// Says nonsense.
    Garbage,
    /// Its output drifts away (source).
    Drift,
    /// Says that it is somebody else, from the start.
    Stranger,
    /// Loses an edge now and then (pulse counter).
    LoseEdges,
}

/// A device that goes wrong a while after the source was first set: `source:hang-up@5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mishap {
    part: Part,
    wrong: Wrong,
    after_secs: f64,
}

impl FromStr for Mishap {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{text}` is no mishap; write DEVICE:WHAT@SECONDS with source|reference|pulse|meter and hang-up|silence|garbage|drift|stranger|lose-edges, such as reference:silence@5"
            )
        };
        let (part, rest) = text.split_once(':').ok_or_else(refuse)?;
        let (wrong, secs) = rest.split_once('@').unwrap_or((rest, "0"));
        let part = match part {
            "source" => Part::Source,
            "reference" => Part::Reference,
            "pulse" => Part::Pulse,
            "meter" => Part::Meter,
            _ => return Err(refuse()),
        };
        let wrong = match wrong {
            "hang-up" => Wrong::HangUp,
            "silence" => Wrong::Silence,
            "garbage" => Wrong::Garbage,
            "drift" => Wrong::Drift,
            "stranger" => Wrong::Stranger,
            "lose-edges" => Wrong::LoseEdges,
            _ => return Err(refuse()),
        };
        let exists = match wrong {
            Wrong::HangUp | Wrong::Silence | Wrong::Garbage => true,
            Wrong::Drift => part == Part::Source,
            Wrong::Stranger => matches!(part, Part::Source | Part::Reference),
            Wrong::LoseEdges => part == Part::Pulse,
        };
        if !exists {
            return Err(refuse());
        }
        let after_secs: f64 = secs.parse().map_err(|_| refuse())?;
        if !(after_secs.is_finite() && after_secs >= 0.0) {
            return Err(refuse());
        }
        Ok(Self { part, wrong, after_secs })
    }
}

/// What all devices of the served bench share.
#[derive(Clone)]
struct Stage {
    world: SharedWorld,
    mishap: Option<Mishap>,
    /// When the source was first set.
    begun: Arc<Mutex<Option<time::Instant>>>,
    /// The watchdog relay has opened the contactor.
    cut: Arc<AtomicBool>,
}

impl Stage {
    /// What `part` does wrong now, if its time has come.
    fn wrong(&self, part: Part) -> Option<Wrong> {
        let mishap = self.mishap.filter(|m| m.part == part)?;
        if mishap.wrong == Wrong::Stranger {
            return Some(Wrong::Stranger);
        }
        let begun = (*self.begun.lock().unwrap_or_else(PoisonError::into_inner))?;
        ((now() - begun).secs() >= mishap.after_secs).then_some(mishap.wrong)
    }

    fn begin(&self) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(now);
    }
}

/// A bench being served; it ends with the program.
pub struct Served {
    /// The bench file to give to `verify --bench`.
    pub bench_file: PathBuf,
    _kept: Vec<serial::KeptOpen>,
}

/// What the served bench is made of and what goes wrong on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cast {
    /// A device that goes wrong.
    pub mishap: Option<Mishap>,
    /// Its source is an XL-9600, whose error calculator says so many percent more than the truth.
    pub xl9600_off_percent: Option<f64>,
    /// How many times as fast as the day's its clock runs, and with it that of the program that uses it; none: alike.
    pub pace: Option<f64>,
}

fn hasten(pace: Option<f64>) -> Result<(), Fault> {
    let Some(pace) = pace.filter(|pace| !time::hasten(*pace)) else { return Ok(()) };
    let why = "the clock of this program runs at another pace already".to_owned();
    Err(Fault::Serve { what: format!("pace {pace}"), why })
}

/// Serves the bench of `rig` and writes `bench.toml` and `meter.toml` into `dir`.
pub fn serve(rig: &Rig, meter: &str, dir: &Path, seed: u64, cast: Cast) -> Result<Served, Fault> {
    let mishap = cast.mishap;
    let io = |what: String| move |e: std::io::Error| Fault::Serve { what, why: e.to_string() };
    std::fs::create_dir_all(dir).map_err(io(format!("making the folder {}", dir.display())))?;
    hasten(cast.pace)?;
    let mut rig = rig.clone();
    if let Some(Mishap { part: Part::Source, wrong: Wrong::Drift, after_secs }) = mishap {
        rig.bench.drift_from = Some((after_secs, 0.002));
    }
    let world: SharedWorld = Arc::new(Mutex::new(rig.world(seed, now(), Stamp::now())));
    let stage = Stage { world, mishap, begun: Arc::default(), cut: Arc::default() };
    let mut kept = vec![];
    let source_entry = if let Some(off_percent) = cast.xl9600_off_percent {
        let constant = rig.nameplate.constant_imp_per_kwh.impulses_per_kilowatt_hour();
        xl9600_entry(rig.range, constant, xl9600::serve(&stage, off_percent)?)
    } else {
        let (link, path, keep) = serial::pseudo_terminal()?;
        let device = stage.clone();
        spawn(move || source(&device, link));
        kept.push(keep);
        Entry::one("simulated-source", serial_address(&path)?)
    };
    let reference_port = listen(&stage, reference)?;
    let relay_port = listen(&stage, relay)?;
    let (edges, visitors) = (Subscribers::default(), Subscribers::default());
    let meter_pulses = edges.clone();
    let pulse_port = listen(&stage, move |_, stream| meter_pulses.add(stream))?;
    let seconds_pulses = visitors.clone();
    let seconds_port = listen(&stage, move |_, stream| seconds_pulses.add(stream))?;
    let clockwork = stage.clone();
    spawn(move || run_world(&clockwork, &edges, &visitors));
    let mut meter_line = None;
    let over_tcp =
        rig.nameplate.data_output.as_ref().is_some_and(|output| output.protocol == Protocol::ModbusTcp);
    if over_tcp {
        let twin = rig.clone();
        let port = listen(&stage, move |stage, stream| {
            if let (Some(slave), Ok(link)) = (twin.slave(), tcp::Tcp::from_stream(stream)) {
                data_output(stage, slave, Box::new(link));
            }
        })?;
        meter_line = Some(MeterLine::plain(Address::Tcp { host: "127.0.0.1".into(), port }));
    } else if let Some(web) = rig.slave().as_ref().and_then(Slave::another) {
        // Every connection reaches the same meter.
        let web = Mutex::new(web);
        let port = listen(&stage, move |stage, stream| {
            let slave = web.lock().unwrap_or_else(PoisonError::into_inner).another();
            if let (Some(slave), Ok(link)) = (slave, tcp::Tcp::from_stream(stream)) {
                data_output(stage, slave, Box::new(link));
            }
        })?;
        meter_line = Some(MeterLine::plain(format!("http://127.0.0.1:{port}").parse()?));
    } else if let Some(slave) = rig.slave() {
        let (link, path, keep) = serial::pseudo_terminal()?;
        let device = stage.clone();
        spawn(move || data_output(&device, slave, link));
        kept.push(keep);
        meter_line = Some(MeterLine::plain(serial_address(&path)?));
    }
    let tcp = |port| Address::Tcp { host: "127.0.0.1".into(), port };
    let file = File {
        schema: 1,
        simulated: true,
        pace: cast.pace,
        nameplate: Some("meter.toml".into()),
        calibration: None,
        source: source_entry,
        reference: Instrument { profile: "simulated-reference".into(), link: tcp(reference_port) },
        leads_current_a: Some(super::LEADS_CURRENT_A),
        leads_voltage_v: Some(super::LEADS_VOLTAGE_V),
        pulse: Counter {
            link: Some(tcp(pulse_port)),
            gpio: None,
            edge_half_width_us: super::EDGE_HALF_WIDTH_US,
        },
        seconds_pulse: Some(Counter {
            link: Some(tcp(seconds_port)),
            gpio: None,
            edge_half_width_us: super::EDGE_HALF_WIDTH_US,
        }),
        meter: meter_line,
        interlock: Interlocks::new(),
        limits: Limits::default(),
        heartbeat: Some(Heartbeat { gpio: None, link: Some(tcp(relay_port)) }),
        panel: None,
    };
    let text = toml::to_string(&file)
        .map_err(|e| Fault::Serve { what: "writing bench.toml".into(), why: e.to_string() })?;
    let bench_file = dir.join("bench.toml");
    for (path, text) in [(dir.join("meter.toml"), meter), (bench_file.clone(), text.as_str())] {
        let written = dir.join(".tmp-serve");
        // A link that waits there under its name leads nowhere.
        let _ = std::fs::remove_file(&written);
        let new = std::fs::File::options().write(true).create_new(true).open(&written);
        new.and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| std::fs::rename(&written, &path))
            .map_err(io(format!("writing {}", path.display())))?;
    }
    Ok(Served { bench_file, _kept: kept })
}

/// `[source]` of a bench file for the XL-9600 at a port.
fn xl9600_entry(range: Range, constant_imp_per_kwh: f64, port: u16) -> Entry {
    let setting = Setting {
        rated_voltage_v: range.voltage_max_v,
        rated_current_a: range.current_max_a,
        constant_imp_per_kwh,
        expanded_percent: Some(XL9600_EXPANDED_PERCENT),
        reading_secs: 1,
        ..Setting::default()
    };
    let link = Address::Udp { host: "127.0.0.1".into(), port };
    Entry { profile: None, xl9600: Some(setting), ..Entry::one("", link) }
}

fn serial_address(path: &Path) -> Result<Address, Fault> {
    Ok(format!("{},9600,8E1", path.display()).parse()?)
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work);
}

/// Listens on a loopback port of the system's choice and gives every visitor a thread.
fn listen(stage: &Stage, visit: impl Fn(&Stage, TcpStream) + Send + Sync + 'static) -> Result<u16, Fault> {
    let refused =
        |e: std::io::Error| Fault::Serve { what: "listening on 127.0.0.1".into(), why: e.to_string() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(refused)?;
    let port = listener.local_addr().map_err(refused)?.port();
    let (stage, visit) = (stage.clone(), Arc::new(visit));
    spawn(move || {
        for stream in listener.incoming().flatten() {
            let (stage, visit) = (stage.clone(), Arc::clone(&visit));
            spawn(move || visit(&stage, stream));
        }
    });
    Ok(port)
}

/// Visitors of a counter: each has a queue of lines.
#[derive(Clone, Default)]
struct Subscribers(Arc<Mutex<Vec<Sender<String>>>>);

impl Subscribers {
    /// Writes to a visitor what the world shows, until it goes.
    fn add(&self, stream: TcpStream) {
        let Ok(mut link) = tcp::Tcp::from_stream(stream) else { return };
        let (lines, queue): (_, Receiver<String>) = channel();
        let _ = lines.send(format!("{HELLO}\n"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lines);
        while let Ok(line) = queue.recv() {
            if link.send(line.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn say(&self, line: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|visitor| visitor.send(line.to_owned()).is_ok());
    }

    fn hang_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Moves the world on with the clock and tells the counters' visitors.
fn run_world(stage: &Stage, meter: &Subscribers, seconds: &Subscribers) {
    let mut sights = vec![];
    let mut alive_at = now();
    let mut counted = 0u64;
    loop {
        time::sleep(TICK);
        let wrong = stage.wrong(Part::Pulse);
        let until = now();
        {
            let mut world = hold(&stage.world);
            while world.now() < until {
                world.tick(until, &mut sights);
            }
        }
        let edges: Vec<Edge> =
            sights.drain(..).filter_map(|s| if let Sight::Edge(e, _) = s { Some(e) } else { None }).collect();
        match wrong {
            Some(Wrong::HangUp) => meter.hang_up(),
            Some(Wrong::Garbage) => meter.say("\u{fffd}#?\n"),
            _ => {}
        }
        for edge in edges {
            let line = Line::Edge(edge.seq, edge.at.nanos(), edge.rising).emit() + "\n";
            if edge.input == Input::Seconds {
                seconds.say(&line);
                continue;
            }
            counted += 1;
            let lost = wrong == Some(Wrong::LoseEdges) && counted.is_multiple_of(400);
            if !lost && !matches!(wrong, Some(Wrong::Silence | Wrong::HangUp)) {
                meter.say(&line);
            }
        }
        if until >= alive_at {
            alive_at = until + ALIVE_EVERY;
            let world = hold(&stage.world);
            let alive =
                |input| Line::Alive(world.edges_shown(input).saturating_sub(1), until.nanos()).emit() + "\n";
            // A counter that loses edges does not know it: its alive lines go on.
            if !matches!(wrong, Some(Wrong::Silence | Wrong::HangUp)) {
                meter.say(&alive(Input::Meter));
            }
            seconds.say(&alive(Input::Seconds));
        }
    }
}

/// Answers text lines until the visitor goes or the device goes wrong.
fn instrument(
    stage: &Stage,
    part: Part,
    name: &str,
    link: Box<dyn Link>,
    mut answer: impl FnMut(&str) -> Option<String>,
) {
    let mut lines = Lines::new(link, PATIENCE);
    loop {
        let asked = match lines.receive() {
            Ok(Some(line)) => line,
            Ok(None) if stage.wrong(part) == Some(Wrong::HangUp) => return,
            // A line that is no text, or too long, is not answered.
            Ok(None) => continue,
            Err(crate::link::Fault::HungUp { .. } | crate::link::Fault::Line { .. })
                if part == Part::Reference =>
            {
                return;
            }
            Err(_) => {
                time::sleep(PATIENCE);
                continue;
            }
        };
        let reply = match asked.trim() {
            "*IDN?" => Some(format!("PHANTOMLOAD,SIMULATED {name},0,{}", env!("CARGO_PKG_VERSION"))),
            command => answer(command),
        };
        let reply = match stage.wrong(part) {
            Some(Wrong::HangUp) => return,
            Some(Wrong::Silence) => None,
            Some(Wrong::Garbage) => reply.map(|_| "@@ nonsense @@".to_owned()),
            Some(Wrong::Stranger) => reply.map(|_| "ACME,TOASTER,1,1".to_owned()),
            _ => reply,
        };
        if let Some(reply) = reply
            && lines.send(&reply).is_err()
        {
            return;
        }
    }
}

fn source(stage: &Stage, link: Box<dyn Link>) {
    let mut set = Load::OFF;
    let mut errors: Vec<String> = vec![];
    instrument(stage, Part::Source, "SOURCE", link, |command| {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        match command.split_once(' ') {
            Some(("VOLT", value)) => match number(value) {
                Some(volts) => set.voltage_v = Voltage::from_volts(volts),
                None => errors.push("-104,\"Data type error\"".into()),
            },
            Some(("CURR", value)) => match number(value) {
                Some(amperes) => set.current_a = Current::from_amperes(amperes),
                None => errors.push("-104,\"Data type error\"".into()),
            },
            // Behind an open contactor the source may say what it likes.
            Some(("OUTP", "ON")) if stage.cut.load(Ordering::SeqCst) => {}
            Some(("OUTP", "ON")) => {
                stage.begin();
                hold(&stage.world).set_source(set);
            }
            Some(("OUTP", "OFF")) => hold(&stage.world).set_source(Load::OFF),
            _ if command == "SYST:ERR?" => {
                let first = if errors.is_empty() { "0,\"No error\"".into() } else { errors.remove(0) };
                return Some(first);
            }
            _ => errors.push(format!("-113,\"Undefined header;{command}\"")),
        }
        None
    });
    // A source that has lost its line switches off, as one with a watchdog does.
    hold(&stage.world).set_source(Load::OFF);
}

/// The watchdog relay: closed by the first beat, it opens the contactor when the level has not changed for a while.
fn relay(stage: &Stage, stream: TcpStream) {
    let Ok(mut link) = tcp::Tcp::from_stream(stream) else { return };
    let (mut level, mut changes, mut changed, mut buffer) = (None, 0u64, now(), [0; 64]);
    loop {
        let beats = link.receive(&mut buffer, BEAT_PATIENCE.half());
        let latest = beats.as_ref().ok().and_then(|count| buffer[..*count].last().copied());
        if latest.is_some() && latest != level {
            if level.is_none() {
                stage.cut.store(false, Ordering::SeqCst);
            }
            (level, changes, changed) = (latest, changes + 1, now());
        }
        // The first level closes the contactor; from the second on it must go on changing.
        let stopped = changes > 1 && now() - changed > BEAT_PATIENCE;
        if level.is_some() && (beats.is_err() || stopped) {
            stage.cut.store(true, Ordering::SeqCst);
            hold(&stage.world).set_source(Load::OFF);
            return;
        }
        if beats.is_err() {
            return;
        }
    }
}

fn reference(stage: &Stage, stream: TcpStream) {
    let Ok(link) = tcp::Tcp::from_stream(stream) else { return };
    instrument(stage, Part::Reference, "REFERENCE", Box::new(link), |command| match command {
        "MEAS:ALL?" => {
            let sample = hold(&stage.world).sample();
            let (u, i, p) = (sample.voltage.volts(), sample.current.amperes(), sample.power.watts());
            let energy = sample.energy.map_or(0.0, Energy::joules);
            Some(format!("{u:.6},{i:.7},{p:.4},{energy:.3}"))
        }
        "SYST:ERR?" => Some("0,\"No error\"".into()),
        _ => None,
    });
}

fn data_output(stage: &Stage, mut slave: Slave, mut link: Box<dyn Link>) {
    let mut buffer = [0; 512];
    let mut push_at = now();
    loop {
        let count = match link.receive(&mut buffer, PATIENCE) {
            Ok(count) => count,
            // A visitor of a TCP port who has gone does not come back on the same line.
            Err(crate::link::Fault::HungUp { .. }) if link.peer().starts_with("tcp:") => return,
            Err(_) => {
                time::sleep(PATIENCE);
                continue;
            }
        };
        let wrong = stage.wrong(Part::Meter);
        if wrong == Some(Wrong::HangUp) {
            return;
        }
        let unasked = if now() >= push_at { slave.push(&hold(&stage.world)) } else { None };
        let reply = match unasked {
            Some(pushed) => {
                push_at = now() + PUSH_EVERY;
                pushed
            }
            None if count == 0 => continue,
            None => {
                time::sleep(METER_DELAY);
                slave.answer(&buffer[..count], &mut hold(&stage.world))
            }
        };
        let reply = match wrong {
            Some(Wrong::Silence) => vec![],
            Some(Wrong::Garbage) => reply.iter().map(|b| b ^ 0x5A).collect(),
            _ => reply,
        };
        if !reply.is_empty() && link.send(&reply).is_err() {
            time::sleep(PATIENCE);
        }
    }
}
