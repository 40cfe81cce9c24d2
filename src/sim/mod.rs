//! A bench that knows the truth, and its broken twins. Whatever comes from here is marked simulated.

mod in_process;
mod mishap;
pub mod serve;
mod slave;
pub mod study;
mod truth;
mod world;

pub use in_process::InProcess;
pub use mishap::{Mishap, What};
pub use slave::{Slave, hold};
pub use truth::{BenchTruth, Luck, SecondsPulse, Signing, Truth};
pub use world::{Sight, World};

use crate::bench::description::EXCHANGE;
use crate::calibration::{Standards, builtin_simulated};
use crate::meter::access::Described;
use crate::plan::nameplate::DataOutput;
use crate::plan::{Capability, Nameplate, Settle, nameplate};
use crate::quantity::{Current, Voltage};
use crate::source::profile::Range;
use crate::time::{Instant, Span, Stamp};
use crate::{reference, source};

macro_rules! demo {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../assets/demo/", $name, ".toml")))),+] };
}

/// Half-width of a time stamp of the simulated counters.
const EDGE_HALF_WIDTH_US: f64 = 50.0;
/// What may leak past the simulated reference: 1000 V over 50 MΩ. Set by this project, like all of the simulated bench.
const LEADS_CURRENT_A: f64 = 20e-6;
/// What its voltage leads may differ by: a milliampere over 10 Ω and some thermal EMF.
const LEADS_VOLTAGE_V: f64 = 0.01;

/// The demo meters that come with the program: name and file.
pub const DEMO_METERS: &[(&str, &str)] = demo![
    "good",
    "fast",
    "bad-at-imin",
    "creeping",
    "not-starting",
    "wrong-constant",
    "clock-off",
    "cover-opened",
    "standard-register",
    "coarse-register",
    "led-off",
    "stale-power",
    "slow-pulses",
    "seconds-told",
    "seconds-refused",
    "disputed-unit",
    "signing",
    "slow-to-sign",
    "forged-record",
    "signed-energy-off",
];

/// The text of a demo meter's file.
pub fn demo_meter(name: &str) -> Option<&'static str> {
    DEMO_METERS.iter().find(|(demo, _)| *demo == name).map(|(_, text)| *text)
}

/// Why the simulated bench cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The meter file.
    #[error(transparent)]
    Nameplate(#[from] nameplate::Fault),
    /// Its data output.
    #[error("nameplate {origin}: data_output: {why}")]
    DataOutput {
        /// The file.
        origin: String,
        /// In words.
        why: String,
    },
    /// A line of the served bench.
    #[error(transparent)]
    Link(#[from] crate::link::Fault),
    /// A file or listener of the served bench.
    #[error("{what}: {why}")]
    Serve {
        /// What was tried.
        what: String,
        /// The system's words.
        why: String,
    },
}

/// A simulated bench before a world is made of it.
#[derive(Debug, Clone)]
pub struct Rig {
    /// The meter.
    pub nameplate: Nameplate,
    /// What is really so with it.
    pub truth: Truth,
    /// What is really so with the bench.
    pub bench: BenchTruth,
    /// Certificates.
    pub standards: Standards,
    settle: Settle,
    range: Range,
    reference: reference::Profile,
    output: Option<DataOutput>,
}

impl Rig {
    /// The bench with the meter of a file; `origin` names it in messages.
    pub fn new(origin: &str, meter: &str) -> Result<Self, Fault> {
        let nameplate = Nameplate::from_toml(origin, meter)?;
        let truth = Truth::from_toml(origin, meter)?;
        let refuse = |why: String| Fault::DataOutput { origin: origin.to_owned(), why };
        let output = nameplate.data_output.clone();
        if let Some(output) = &output {
            Described::of(output).map_err(|e| refuse(e.to_string()))?;
            Slave::new(output).map_err(|e| refuse(e.to_string()))?;
        }
        let shipped = |text: &str| toml::from_str::<source::Profile>(text);
        let source = shipped(include_str!("../../assets/instruments/simulated-source.toml"));
        let reference = reference::Profile::from_toml(
            "simulated-reference",
            include_str!("../../assets/instruments/simulated-reference.toml"),
        );
        let (Ok(source), Ok(reference)) = (source, reference) else {
            return Err(refuse("the shipped instrument profiles are broken: reinstall the program".into()));
        };
        let Some(range) = source.range else {
            return Err(refuse("the shipped profile of the simulated source has no range".into()));
        };
        Ok(Self {
            nameplate,
            truth,
            bench: BenchTruth::default(),
            standards: builtin_simulated(),
            settle: source.settle,
            range,
            reference,
            output,
        })
    }

    /// What the plan needs to know of the bench.
    pub fn capability(&self) -> Capability {
        Capability {
            voltage_max_v: self.range.voltage_max_v,
            current_max_a: self.range.current_max_a,
            settle: self.settle,
            sample_interval: world::SAMPLE_INTERVAL,
            sample_age_max: self.reference.age_max(),
            reference_resolution: self.reference.resolution(),
            energy_step: self.reference.energy_step(),
            edge_time_half_width: Span::from_secs_f64(EDGE_HALF_WIDTH_US * 1e-6),
            method: self.reference.sample.method,
            seconds_input: true,
            exchange: EXCHANGE,
            leads_current_a: Some(Current::from_amperes(LEADS_CURRENT_A)),
            leads_voltage_v: Some(Voltage::from_volts(LEADS_VOLTAGE_V)),
            sample_scatter: self.reference.scatter(),
            second_opinion: None,
            instruments: vec!["SIMULATED bench in process".into()],
        }
    }

    /// A world of it.
    pub fn world(&self, seed: u64, now: Instant, started: Stamp) -> World {
        World::new(self, seed, now, started)
    }

    /// The meter on its data output, where it has one.
    pub fn slave(&self) -> Option<Slave> {
        let output = self.output.clone()?;
        Slave::new(&DataOutput { energy_decimals: self.truth.register_decimals, ..output }).ok()
    }

    /// The bench in process.
    pub fn in_process(&self, seed: u64, started: Stamp, pace: Option<f64>) -> InProcess {
        let world = self.world(seed, Instant::ZERO, started);
        let described = self.output.as_ref().and_then(|output| Described::of(output).ok());
        let meter = self.slave().zip(described);
        InProcess::new(world, meter, pace)
    }
}

/// The public key of the simulated meter with this serial number, as it would stand on its label.
pub fn public_key(serial: &str) -> String {
    slave::lem::public_key(serial)
}
