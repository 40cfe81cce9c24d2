//! The devices of a bench: opened, asked who they are, the source switched off. Nothing runs yet.

use super::Description;
use super::real::Real;
use super::sources::{Part, Sources};
use crate::link::{self, Provenance};
use crate::meter::dlt645;
use crate::plan::nameplate::Protocol;
use crate::plan::{Capability, Nameplate};
use crate::pulse::Input;
use crate::pulse::stream::{self, Counter};
use crate::source::pair::Pair;
use crate::source::scpi::Scpi;
use crate::source::xl9600::Xl9600;
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
    pub(super) source: source::Guard<Box<dyn source::Source>>,
    pub(super) reference: reference::scpi::Scpi,
    pub(super) reference_profile: reference::Profile,
    pub(super) pulse: Counter,
    pub(super) seconds: Option<Counter>,
    pub(super) meter: Option<dlt645::Client>,
    capability: Capability,
}

impl Devices {
    /// Opens all lines, asks the instruments who they are, switches the source off.
    pub fn open(description: &Description, nameplate: &Nameplate) -> Result<Self, Fault> {
        let file = &description.file;
        let (source, mut instruments) = open_source(description)?;
        let reference_link = description
            .open("reference", &file.reference.link)
            .map_err(|f| reference::Fault::from(link::scpi::Fault::from(f)))?;
        let reference = reference::scpi::Scpi::open(reference_link, description.reference.clone())?;
        let remark = description.reference.provenance.remark(&file.reference.profile);
        instruments.push(format!("reference: {}{remark}", reference.identity()));
        let counter = |device, address, input| -> Result<Counter, Fault> {
            Ok(Counter::open(description.open(device, address).map_err(stream::Fault::from)?, input)?)
        };
        let pulse = counter("pulse", &file.pulse.link, Input::Meter)?;
        instruments.push(format!("pulse counter on {}", file.pulse.link));
        let seconds =
            file.seconds_pulse.as_ref().map(|c| counter("seconds", &c.link, Input::Seconds)).transpose()?;
        let meter = match (&nameplate.data_output, &file.meter) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::NoMeterLine),
            (Some(output), Some(line)) => {
                let Protocol::Dlt645 = output.protocol;
                let profile = dlt645::Profile::builtin(&output.profile)
                    .map_err(|f| Fault::MeterModel(f.to_string()))?;
                let address = output
                    .address
                    .parse()
                    .map_err(|f: dlt645::frame::NoAddress| Fault::MeterModel(f.to_string()))?;
                let client = dlt645::Client::new(description.open("meter", &line.link)?, address, profile);
                instruments.push(format!("meter's data output on {}", line.link));
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

/// Opens what makes the load and switches it off; beside it what each instrument said it is, for the record. One that
/// cannot be opened does not keep the other from being switched off.
pub(super) fn open_source(
    description: &Description,
) -> Result<(source::Guard<Box<dyn source::Source>>, Vec<String>), Fault> {
    let open = |what: &str, part: &Part| -> Result<(Scpi, String), Fault> {
        let link = description.open(what, &part.link).map_err(as_instrument)?;
        let source = Scpi::open(link, part.profile.clone(), part.role, part.range)?;
        let remark = part.profile.provenance.remark(&part.name);
        let said = format!("{what}: {}{remark}", source.identity());
        Ok((source, said))
    };
    let (source, said): (Box<dyn source::Source>, Vec<String>) = match &description.source {
        Sources::One(part) => {
            let (source, said) = open("source", part)?;
            (Box::new(source), vec![said])
        }
        Sources::Two { voltage, current } => {
            let (current, says_current) = open("current source", current)?;
            let (voltage, says_voltage) = match open("voltage source", voltage) {
                Ok(opened) => opened,
                Err(fault) => {
                    // What it did before is unknown; it is not left to that.
                    drop(source::Guard::new(current)?);
                    return Err(fault);
                }
            };
            (Box::new(Pair::new(voltage, current)), vec![says_voltage, says_current])
        }
        Sources::Xl9600 { link, setting } => {
            let opened = description.open("source", link).map_err(as_instrument)?;
            let bench = Xl9600::open(opened, (**setting).clone()).map_err(source::Fault::from)?;
            let remark = Provenance::Unconfirmed.remark("xl-9600");
            (Box::new(bench), vec![format!("source: XL-9600 on {link}{remark}")])
        }
    };
    Ok((source::Guard::new(source)?, said))
}

fn as_instrument(fault: link::Fault) -> source::Fault {
    source::Fault::Instrument(fault.into())
}
