//! The devices of a bench: opened, asked who they are, the source switched off. Nothing runs yet.

use super::Description;
use super::real::Real;
use crate::link;
use crate::meter::dlt645;
use crate::plan::nameplate::Protocol;
use crate::plan::{Capability, Nameplate};
use crate::pulse::Input;
use crate::pulse::stream::{self, Counter};
use crate::time::Span;
use crate::{meter, reference, source};

/// Planned time of one exchange with a meter: its frames at 9600 Bd (some 45 ms) and the delay of a usual meter.
pub const EXCHANGE: Span = Span::from_millis(200);

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
    /// The meter's address or profile.
    #[error("meter's data output: {0}")]
    MeterProfile(String),
    /// The nameplate has a data output, the bench no line for it.
    #[error("the nameplate has a data output, but the bench file has no [meter] line for it. Add one, or remove [data_output]")]
    NoMeterLine,
}

/// A device's line that could not be opened, named by the device.
fn named<T>(device: &str, opened: Result<T, link::Fault>) -> Result<T, Fault> {
    opened.map_err(|fault| Fault::MeterProfile(format!("{device}: {fault}")))
}

/// The devices, ready.
pub struct Devices {
    pub(super) source: source::Guard<source::scpi::Scpi>,
    pub(super) reference: reference::scpi::Scpi,
    pub(super) reference_profile: reference::Profile,
    pub(super) pulse: Counter,
    pub(super) seconds: Option<Counter>,
    pub(super) meter: Option<dlt645::Client>,
    capability: Capability,
}

/// The client for a meter with this data output, over `link`.
pub fn meter_client(
    link: Box<dyn link::Link>,
    address: &str,
    profile: &str,
) -> Result<dlt645::Client, meter::dlt645::profile::Fault> {
    let profile = dlt645::Profile::builtin(profile)?;
    let address = match address {
        "auto" => dlt645::Address::WILDCARD,
        text => text.parse().map_err(|e: dlt645::frame::NoAddress| meter::dlt645::profile::Fault::from(e))?,
    };
    Ok(dlt645::Client::new(link, address, profile))
}

impl Devices {
    /// Opens all lines, asks the instruments who they are, switches the source off.
    pub fn open(description: &Description, nameplate: &Nameplate) -> Result<Self, Fault> {
        let file = &description.file;
        let source = source::scpi::Scpi::open(link::open(&file.source.link).map_err(as_instrument)?, description.source.clone())?;
        let mut instruments = vec![format!("source: {}", source.identity())];
        let source = source::Guard::new(source)?;
        let reference_link = link::open(&file.reference.link).map_err(|f| reference::Fault::from(link::scpi::Fault::from(f)))?;
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
                let Protocol::Dlt645 = output.protocol;
                let link = link::open(&line.link)?;
                let client = meter_client(link, &output.address, &output.profile)
                    .map_err(|fault| Fault::MeterProfile(fault.to_string()))?;
                instruments.push(format!("meter's data output on {}", line.link));
                Some(client)
            }
        };
        let profile = &description.reference;
        let capability = Capability {
            voltage_max_v: description.source.range.voltage_max_v,
            current_max_a: description.source.range.current_max_a,
            settle: description.source.settle,
            sample_interval: profile.interval(),
            sample_age_max: profile.age_max(),
            reference_resolution: profile.resolution(),
            edge_time_half_width: description.edge_half_width(),
            method: profile.sample.method,
            seconds_input: seconds.is_some(),
            exchange: EXCHANGE,
            instruments,
        };
        Ok(Self { source, reference, reference_profile: profile.clone(), pulse, seconds, meter, capability })
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
