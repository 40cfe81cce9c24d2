//! The bench file: which device hangs on which line, and whose certificates vouch for it.

use super::board::{self, Heartbeat, Interlocks, Panel, Pulses};
use super::sources::{self, Sources};
use crate::calibration::{Standard, Standards, builtin_simulated};
use crate::link::journal::Journal;
use crate::link::tls::Fingerprint;
use crate::link::{self, Address, Fault as LinkFault, Link, reopening};
use crate::meter::Meter;
use crate::meter::access::Described;
use crate::plan::{Capability, Load};
use crate::quantity::{Current, Energy, Voltage};
use crate::source::Limits;
use crate::time::Span;
use crate::{calibration, reference, source};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Why a bench file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file that cannot be read.
    #[error("{path}: {why}. Give the path of a text file (UTF-8) that can be read")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        why: String,
    },
    /// Not of the form.
    #[error("bench file {origin}: {what}")]
    Form {
        /// The file.
        origin: String,
        /// Key and reason.
        what: String,
    },
    /// A source profile.
    #[error(transparent)]
    Source(#[from] source::profile::NoProfile),
    /// A reference profile.
    #[error(transparent)]
    Reference(#[from] reference::profile::NoProfile),
    /// A certificate of a standard.
    #[error(transparent)]
    Calibration(#[from] calibration::Fault),
}

/// A bench file as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The form's version.
    pub schema: u32,
    /// Whether the bench is a stand-in; then everything made with it says SIMULATED.
    #[serde(default)]
    pub simulated: bool,
    /// The stand-in's clock runs so many times as fast as the day's, and the program's with it; for stand-ins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<f64>,
    /// Half-width of the current by which meter and reference may differ (leakage), in ampere; left out: not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_current_a: Option<f64>,
    /// Half-width of the voltage by which meter and reference may differ (drop along leads, thermal EMF), in volt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_voltage_v: Option<f64>,
    /// Nameplate of the meter that stands on it, where it is always the same; `--meter` goes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nameplate: Option<PathBuf>,
    /// The certificates; a simulated bench has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Certificates>,
    /// The source.
    pub source: sources::Entry,
    /// The reference.
    pub reference: Instrument,
    /// The counter of the meter's pulses.
    pub pulse: Counter,
    /// The counter of its seconds pulse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_pulse: Option<Counter>,
    /// The meter's data output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<MeterLine>,
    /// Contacts that must be safe, by name.
    #[serde(default, skip_serializing_if = "Interlocks::is_empty")]
    pub interlock: Interlocks,
    /// What the tester itself bears, beside its source.
    #[serde(default, skip_serializing_if = "is_unlimited")]
    pub limits: Limits,
    /// Where the heartbeat for a hardware watchdog goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// The status panel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<Panel>,
}

fn is_unlimited(limits: &Limits) -> bool {
    *limits == Limits::default()
}

/// Certificate files of the bench's standards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificates {
    /// Of the reference.
    pub reference: PathBuf,
    /// Of the counter's time base.
    pub time_base: PathBuf,
}

/// An instrument and its line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Name of a shipped profile, or the path of one.
    pub profile: String,
    /// The line.
    pub link: Address,
}

/// A pulse counter: on a line of its own, or the board's GPIO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    /// The line of a counter that speaks the form of [`crate::pulse::stream`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Address>,
    /// The lines of the board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpio: Option<Pulses>,
    /// Half-width of an edge's time stamp.
    #[serde(default = "edge_half_width_us")]
    pub edge_half_width_us: f64,
}

fn edge_half_width_us() -> f64 {
    // A counter that stamps in software under Linux; a hardware counter is better and its file says so.
    100.0
}

/// The line of the meter's data output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterLine {
    /// The line; or a meter's web server, `http://HOST:PORT` or `https://HOST:PORT`.
    pub link: Address,
    /// SHA-256 of the certificate that the meter shows over https, 64 hex digits, read once at the meter. Without it no
    /// certificate is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

impl MeterLine {
    /// A line without TLS.
    pub const fn plain(link: Address) -> Self {
        Self { link, fingerprint: None }
    }

    /// The meter on it, with every byte noted where there is a journal.
    pub fn meter(
        &self,
        described: Described,
        journal: Option<&Journal>,
    ) -> Result<Box<dyn Meter>, LinkFault> {
        let bad = |why: &str| LinkFault::BadAddress { seen: self.link.to_string(), why: why.to_owned() };
        let journal = journal.cloned();
        let noted = move |link: Box<dyn Link>| match &journal {
            Some(journal) => journal.wrap("meter", link),
            None => link,
        };
        match &self.link {
            Address::Web(server) => {
                let server = server.clone().pinned(self.fingerprint)?;
                let meter = described.at(server, Box::new(noted));
                meter.ok_or_else(|| bad("the nameplate's protocol is on a line, not on a web server"))
            }
            _ if described.is_web() => {
                Err(bad("the nameplate's protocol is on a web server, http://HOST:PORT or https://HOST:PORT"))
            }
            _ if self.fingerprint.is_some() => Err(bad("a fingerprint is given, but no TLS (https://)")),
            line => Ok(described.over(noted(Box::new(reopening::open(line)?)))),
        }
    }
}

/// A bench file with all that it refers to.
#[derive(Debug, Clone)]
pub struct Description {
    /// The file.
    pub file: File,
    /// What makes the load.
    pub source: Sources,
    /// Profile of the reference.
    pub reference: reference::Profile,
    /// Certificates.
    pub standards: Standards,
    /// The nameplate named in the file, as path.
    pub nameplate: Option<PathBuf>,
    /// Where every byte to and from the devices is noted, if anywhere.
    pub journal: Option<Journal>,
}

/// How many times as fast as the day's clock that of a stand-in may run: beyond, the waits on real lines weigh too much.
pub const PACES: std::ops::RangeInclusive<f64> = 1.0..=60.0;
/// Leads that lose more than this are no phantom load with a reference beside it, but a fault of the wiring.
const LEADS_CURRENT_MAX: f64 = 0.1;
/// The same of the voltage.
const LEADS_VOLTAGE_MAX: f64 = 10.0;

/// Instrument profiles that come with the program.
pub const SHIPPED: [(&str, &str); 11] = [
    ("simulated-source", include_str!("../../assets/instruments/simulated-source.toml")),
    ("simulated-reference", include_str!("../../assets/instruments/simulated-reference.toml")),
    ("keysight-n8957a", include_str!("../../assets/instruments/keysight-n8957a.toml")),
    ("keysight-rp7900", include_str!("../../assets/instruments/keysight-rp7900.toml")),
    ("chroma-62000h", include_str!("../../assets/instruments/chroma-62000h.toml")),
    ("itech-it-m3905d", include_str!("../../assets/instruments/itech-it-m3905d.toml")),
    ("ea-psi-9000", include_str!("../../assets/instruments/ea-psi-9000.toml")),
    ("yokogawa-wt5000", include_str!("../../assets/instruments/yokogawa-wt5000.toml")),
    ("zera-mt310s2", include_str!("../../assets/instruments/zera-mt310s2.toml")),
    ("template-source", include_str!("../../assets/instruments/template-source.toml")),
    ("template-reference", include_str!("../../assets/instruments/template-reference.toml")),
];

/// The largest file of settings that is read; a megabyte is some twenty thousand lines.
pub const SETTINGS_MAX: u64 = 1 << 20;
/// The largest record that is read: some days of edges.
pub const RECORD_MAX: u64 = 1 << 30;

/// Reads a file of settings, or says which and why not.
pub fn read(path: &Path) -> Result<String, Fault> {
    read_at_most(path, SETTINGS_MAX)
}

/// Reads a text file of at most so many bytes.
pub fn read_at_most(path: &Path, most: u64) -> Result<String, Fault> {
    use std::io::Read;
    let refuse = |why: String| Fault::File { path: path.display().to_string(), why };
    // A pipe among files is waited for, for ever; one that the shell made for this program stands in /dev/fd.
    let is_of_shell = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    if !is_of_shell && std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(refuse("it is no regular file, but a folder, a pipe or a device".into()));
    }
    let file = std::fs::File::open(path).map_err(|e| refuse(e.to_string()))?;
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).map_err(|e| refuse(e.to_string()))?;
    if text.len() as u64 > most {
        return Err(refuse(format!("it is larger than {most} bytes, the most that is read")));
    }
    // Some editors put a mark before the text.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn profile_text(name: &str, beside: &Path) -> Result<String, Fault> {
    match SHIPPED.iter().find(|(id, _)| *id == name) {
        Some((_, text)) => Ok((*text).to_owned()),
        None => read(&beside.join(name)),
    }
}

/// Planned time of one exchange with a meter: its frames at 9600 Bd (some 45 ms) and the delay of a usual meter.
pub const EXCHANGE: Span = Span::from_millis(200);

impl Description {
    /// Reads a bench file and the files it names; relative paths count from its folder.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let origin = path.display().to_string();
        let form = |what: String| Fault::Form { origin: origin.clone(), what };
        let mut file: File = toml::from_str(&read(path)?).map_err(|e| form(e.to_string()))?;
        if file.schema != 1 {
            return Err(form(format!("schema is {}; this program reads 1", file.schema)));
        }
        for counter in std::iter::once(&file.pulse).chain(&file.seconds_pulse) {
            let half = counter.edge_half_width_us;
            if !(half.is_finite() && half > 0.0 && half <= 1e5) {
                return Err(form(format!(
                    "edge_half_width_us is {half}; allowed is above 0 and at most 100000"
                )));
            }
        }
        if file.pulse.link.is_some() == file.pulse.gpio.is_some() {
            return Err(form(
                "[pulse]: give `link`, the line of a pulse counter, or `gpio`, the lines of this board"
                    .into(),
            ));
        }
        if let Some(counter) = &file.seconds_pulse
            && (counter.link.is_none() || counter.gpio.is_some())
        {
            return Err(form(
                "[seconds_pulse]: give `link`; on this board it is `seconds` in `[pulse] gpio`".into(),
            ));
        }
        let gpio = file.pulse.gpio.as_ref();
        if gpio.is_some_and(|gpio| gpio.seconds.is_some()) && file.seconds_pulse.is_some() {
            return Err(form("the seconds pulse is given twice: by [seconds_pulse] and by `gpio`".into()));
        }
        board::check(gpio, file.pulse.edge_half_width_us, &file.interlock, file.heartbeat.as_ref())
            .map_err(form)?;
        file.limits.check().map_err(form)?;
        file.panel.iter().try_for_each(Panel::check).map_err(form)?;
        // What an open path or a short puts on the terminals is a load as well.
        let halves = [("source.voltage", &file.source.voltage), ("source.current", &file.source.current)];
        for (key, half) in halves.into_iter().filter_map(|(key, half)| Some((key, half.as_ref()?))) {
            let load = Load {
                voltage_v: half.limit_v.unwrap_or(Voltage::ZERO),
                current_a: half.limit_a.unwrap_or(Current::ZERO),
            };
            if let Some(why) = file.limits.refuses(load) {
                return Err(form(format!("{key}: limit_v or limit_a: {why}")));
            }
        }
        for (key, half, most, unit) in [
            ("leads_current_a", file.leads_current_a, LEADS_CURRENT_MAX, "A"),
            ("leads_voltage_v", file.leads_voltage_v, LEADS_VOLTAGE_MAX, "V"),
        ] {
            if half.is_some_and(|half| !(0.0..=most).contains(&half)) {
                let seen = half.unwrap_or_default();
                return Err(form(format!(
                    "{key} is {seen}; allowed is 0 to {most} {unit}, or nothing where it is not known"
                )));
            }
        }
        let beside = path.parent().unwrap_or(Path::new("."));
        if let Some(png) = file.panel.as_mut().and_then(|panel| panel.png.as_mut()) {
            *png = beside.join(&*png);
        }
        let source = Sources::read(&file.source, &form, &|name| profile_text(name, beside))?;
        let reference_text = profile_text(&file.reference.profile, beside)?;
        let reference = reference::Profile::from_toml(&file.reference.profile, &reference_text)?;
        let simulated = file.simulated || source.is_simulated() || reference.simulated;
        if let Some(pace) = file.pace {
            if !(file.simulated && reference.simulated) {
                return Err(form("pace: the clock of a real bench is not hastened; remove `pace`".into()));
            }
            if !PACES.contains(&pace) {
                let (from, to) = (PACES.start(), PACES.end());
                return Err(form(format!("pace is {pace}; allowed is {from} to {to}")));
            }
        }
        let standards = match &file.calibration {
            Some(files) => {
                let standard = |path: &Path| -> Result<Standard, Fault> {
                    let path = beside.join(path);
                    Ok(Standard::from_toml(&path.display().to_string(), &read(&path)?)?)
                };
                Standards::new(standard(&files.reference)?, standard(&files.time_base)?)?
            }
            None if simulated => builtin_simulated(),
            None => {
                return Err(form(
                    "no [calibration]: give `reference` and `time_base`, the certificate files of the standards".into(),
                ));
            }
        };
        let nameplate = file.nameplate.as_ref().map(|plate| beside.join(plate));
        Ok(Self { file, source, reference, standards, nameplate, journal: None })
    }

    /// Opens a line and notes what goes over it, where there is a journal.
    pub fn open(&self, device: &str, address: &Address) -> Result<Box<dyn Link>, link::Fault> {
        Ok(self.noted(device, link::open(address)?))
    }

    /// The same for a line that is open already.
    pub fn noted(&self, device: &str, link: Box<dyn Link>) -> Box<dyn Link> {
        match &self.journal {
            Some(journal) => journal.wrap(device, link),
            None => link,
        }
    }

    /// Whether anything on it is a stand-in.
    pub fn is_simulated(&self) -> bool {
        self.file.simulated
            || self.source.is_simulated()
            || self.reference.simulated
            || self.standards.is_simulated()
    }

    /// The step of the reference's energy: one of its own pulses where those are counted.
    fn energy_step(&self) -> Energy {
        let constant = self.file.pulse.gpio.as_ref().and_then(|gpio| gpio.reference_constant_imp_per_kwh);
        constant.map_or(self.reference.energy_step(), |constant| constant.energy(1))
    }

    /// What the plan needs to know of it; the identities are asked when the devices are opened.
    pub fn capability(&self) -> Capability {
        // The smallest of tester and source wins; the plan holds the nameplate's beside it.
        let (range, limits, mut settle) = (self.source.range(), &self.file.limits, self.source.settle());
        let slower = |slew: f64, ramp: Option<f64>| ramp.map_or(slew, |ramp| ramp.min(slew));
        settle.voltage_slew_v_per_s = slower(settle.voltage_slew_v_per_s, limits.ramp_v_per_s);
        settle.current_slew_a_per_s = slower(settle.current_slew_a_per_s, limits.ramp_a_per_s);
        Capability {
            voltage_max_v: limits.voltage_max_v.map_or(range.voltage_max_v, |v| v.min(range.voltage_max_v)),
            current_max_a: limits.current_max_a.map_or(range.current_max_a, |a| a.min(range.current_max_a)),
            settle,
            sample_interval: self.reference.interval(),
            sample_age_max: self.reference.age_max(),
            reference_resolution: self.reference.resolution(),
            energy_step: self.energy_step(),
            edge_time_half_width: Span::from_secs_f64(self.file.pulse.edge_half_width_us * 1e-6),
            method: self.reference.sample.method,
            seconds_input: self.file.seconds_pulse.is_some()
                || self.file.pulse.gpio.as_ref().is_some_and(|gpio| gpio.seconds.is_some()),
            exchange: EXCHANGE,
            leads_current_a: self.file.leads_current_a.map(Current::from_amperes),
            leads_voltage_v: self.file.leads_voltage_v.map(Voltage::from_volts),
            sample_scatter: self.reference.scatter(),
            second_opinion: self.source.second_opinion(),
            instruments: vec![],
        }
    }
}
