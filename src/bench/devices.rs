//! The devices of a bench: opened, asked who they are, the source switched off. Nothing runs yet.

use super::Description;
use super::real::Real;
use crate::link;
use crate::link::reopening;
use crate::meter::{Meter, access};
use crate::plan::{Capability, Nameplate};
use crate::pulse::Input;
use crate::pulse::stream::{self, Counter};
use crate::{reference, source};

/// Why the devices are not ready.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The source.
    #[error("source: {0}")]
    Source(#[from] source::Fault),
    /// The reference.
    #[error("reference: {0}")]
    Reference(#[from] reference::Fault),
    /// A counter.
    #[error("pulse counter: {0}")]
    Pulse(#[from] stream::Fault),
    /// The line of the meter's data output.
    #[error("meter's data output: {0}")]
    Meter(#[from] link::Fault),
    /// The meter's address or model on the nameplate.
    #[error("nameplate, data_output: {0}")]
    MeterModel(String),
    /// The nameplate has a data output, the bench no line for it.
    #[error(
        "the nameplate has a data output, but the bench file has no [meter] line for it. Add one, or remove [data_output]"
    )]
    NoMeterLine,
}

/// The devices, ready.
pub struct Devices {
    pub(super) source: source::Guard<source::scpi::Scpi>,
    pub(super) reference: reference::scpi::Scpi,
    pub(super) reference_profile: reference::Profile,
    pub(super) pulse: Counter,
    pub(super) seconds: Option<Counter>,
    pub(super) meter: Option<Box<dyn Meter>>,
    capability: Capability,
}

impl Devices {
    /// Opens all lines, asks the instruments who they are, switches the source off.
    pub fn open(description: &Description, nameplate: &Nameplate) -> Result<Self, Fault> {
        let file = &description.file;
        let source = source::scpi::Scpi::open(
            link::open(&file.source.link).map_err(as_instrument)?,
            description.source.clone(),
        )?;
        let mut instruments = vec![format!("source: {}", source.identity())];
        let source = source::Guard::new(source)?;
        let reference_link = link::open(&file.reference.link)
            .map_err(|f| reference::Fault::from(link::scpi::Fault::from(f)))?;
        let reference = reference::scpi::Scpi::open(reference_link, description.reference.clone())?;
        instruments.push(format!("reference: {}", reference.identity()));
        let counter = |address, input| -> Result<Counter, Fault> {
            Ok(Counter::open(link::open(address).map_err(stream::Fault::from)?, input)?)
        };
        let pulse = counter(&file.pulse.link, Input::Meter)?;
        instruments.push(format!("pulse counter on {}", file.pulse.link));
        let seconds = file.seconds_pulse.as_ref().map(|c| counter(&c.link, Input::Seconds)).transpose()?;
        let meter = match (&nameplate.data_output, &file.meter) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::NoMeterLine),
            (Some(output), Some(line)) => {
                let wanted = access::Wanted {
                    protocol: output.protocol,
                    profile: &output.profile,
                    address: &output.address,
                    energy_decimals: output.energy_decimals,
                };
                let described =
                    access::Described::new(&wanted).map_err(|f| Fault::MeterModel(f.to_string()))?;
                let client = described.over(Box::new(reopening::open(&line.link)?));
                instruments.push(format!("meter's data output on {}: {}", line.link, client.model()));
                Some(client)
            }
        };
        let capability = Capability { instruments, ..description.capability() };
        Ok(Self {
            source,
            reference,
            reference_profile: description.reference.clone(),
            pulse,
            seconds,
            meter,
            capability,
        })
    }

    /// What the plan needs to know of them.
    pub fn capability(&self) -> Capability {
        self.capability.clone()
    }

    /// Starts a worker for each device.
    pub fn start(self) -> Real {
        Real::start(self)
    }
}

fn as_instrument(fault: link::Fault) -> source::Fault {
    source::Fault::Instrument(fault.into())
}
