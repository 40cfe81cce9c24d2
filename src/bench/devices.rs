//! The devices of a bench: opened, asked who they are, the source switched off. Nothing runs yet.

use super::board::{self, Role};
use super::heartbeat::{Beat, Relay};
use super::real::Real;
use super::sources::{Part, Sources};
use super::{Description, watch};
use crate::link::{self, Provenance};
use crate::meter::{Meter, access};
use crate::plan::{Capability, Nameplate};
use crate::pulse::Input;
use crate::pulse::gpio::{self, Board};
use crate::pulse::stream::{self, Counter};
use crate::pulse::tally::Tally;
use crate::source::interlock::{Chain, Open};
use crate::source::pair::Pair;
use crate::source::scpi::Scpi;
use crate::source::xl9600::Xl9600;
use crate::{reference, source};
use std::sync::Arc;

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
    /// The board's lines.
    #[error(transparent)]
    Board(#[from] gpio::Fault),
    /// An interlock that is not safe: nothing is switched on.
    #[error("interlock: {0}")]
    Interlock(#[from] Open),
    /// The line to the hardware watchdog.
    #[error("heartbeat: {0}")]
    Heartbeat(link::Fault),
    /// The line of the meter's data output.
    #[error("meter's data output: {0}")]
    Meter(#[from] link::Fault),
    /// The meter's address or model on the nameplate.
    #[error("nameplate, data_output: {0}")]
    MeterModel(String),
    /// Two paces in one program.
    #[error(
        "pace = {pace}: the clock of this program runs at another pace already; start the program anew for this bench"
    )]
    Pace {
        /// Of the bench file; 1 where it names none.
        pace: f64,
    },
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
    pub(super) pulse: Option<Counter>,
    pub(super) seconds: Option<Counter>,
    pub(super) meter: Option<Box<dyn Meter>>,
    pub(super) board: Option<(Board, Vec<Role>)>,
    pub(super) tally: Option<Arc<Tally>>,
    pub(super) heartbeat: Option<Box<dyn Beat>>,
    capability: Capability,
}

impl Devices {
    /// Opens all lines, asks the instruments who they are, switches the source off.
    pub fn open(description: &Description, nameplate: &Nameplate) -> Result<Self, Fault> {
        let file = &description.file;
        // A bench that names no pace lives at that of the day's clock: never at what a stand-in before it has hastened.
        let pace = file.pace.unwrap_or(1.0);
        if !crate::time::hasten(pace) {
            return Err(Fault::Pace { pace });
        }
        // What guards the load comes first: nothing is opened behind an interlock that is not safe.
        let board = open_lines(description)?;
        let (source, mut instruments) = open_source(description)?;
        // The meter's own maximum current holds as well, whatever the plan says.
        let source = source.within(description.file.limits.narrowed(nameplate.current.imax));
        // Off is certain by now: a first beat may close a contactor, and a run before may have left a source on.
        let heartbeat = open_heartbeat(description, board.as_ref().map(|(board, _)| board))?;
        // A board of which only the heartbeat's line is used has nothing to be watched.
        let board = board.filter(|(_, roles)| !roles.is_empty());
        let reference_link = description
            .open("reference", &file.reference.link)
            .map_err(|f| reference::Fault::from(link::scpi::Fault::from(f)))?;
        let reference = reference::scpi::Scpi::open(reference_link, description.reference.clone())?;
        let remark = description.reference.provenance.remark(&file.reference.profile);
        instruments.push(format!("reference: {}{remark}", reference.identity()));
        let counter = |device, address, input| -> Result<Counter, Fault> {
            Ok(Counter::open(description.open(device, address).map_err(stream::Fault::from)?, input)?)
        };
        let pulse = file.pulse.link.as_ref().map(|link| counter("pulse", link, Input::Meter)).transpose()?;
        match (&file.pulse.link, &file.pulse.gpio) {
            (Some(link), _) => instruments.push(format!("pulse counter on {link}")),
            (None, Some(gpio)) => {
                instruments.push(format!("pulse counter: GPIO {} of this board", gpio.meter));
            }
            (None, None) => {}
        }
        let seconds = file.seconds_pulse.as_ref().and_then(|c| c.link.as_ref());
        let seconds = seconds.map(|link| counter("seconds", link, Input::Seconds)).transpose()?;
        let constant = file.pulse.gpio.as_ref().and_then(|gpio| gpio.reference_constant_imp_per_kwh);
        let tally = constant.map(|constant| Arc::new(Tally::new(constant)));
        let meter = match (&nameplate.data_output, &file.meter) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::NoMeterLine),
            (Some(output), Some(line)) => {
                let described =
                    access::Described::of(output).map_err(|f| Fault::MeterModel(f.to_string()))?;
                let client = line.meter(described, description.journal.as_ref())?;
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
            board,
            tally,
            heartbeat,
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

/// The board with its roles, where any line of it is used, its interlocks seen to be safe.
pub(super) fn open_lines(description: &Description) -> Result<Option<(Board, Vec<Role>)>, Fault> {
    let file = &description.file;
    let (lines, roles): (Vec<_>, Vec<_>) =
        board::lines(file.pulse.gpio.as_ref(), &file.interlock).into_iter().unzip();
    let beaten = file.heartbeat.as_ref().and_then(|heart| heart.gpio);
    if lines.is_empty() && beaten.is_none() {
        return Ok(None);
    }
    let board = Board::open(&lines)?;
    watch::look(&board, &roles, &mut Chain::default()).first().map_or(Ok(()), |open| Err(*open))?;
    Ok(Some((board, roles)))
}

/// The heartbeat, on a line of the board or on a relay's; nothing beats yet.
pub(super) fn open_heartbeat(
    description: &Description,
    board: Option<&Board>,
) -> Result<Option<Box<dyn Beat>>, Fault> {
    let heart = description.file.heartbeat.as_ref();
    Ok(match (heart.and_then(|heart| heart.gpio), board, heart.and_then(|heart| heart.link.as_ref())) {
        (Some(number), Some(board), _) => Some(Box::new(board.output(number, "heartbeat")?)),
        (_, _, Some(address)) => {
            let mut line = description.open("heartbeat", address).map_err(Fault::Heartbeat)?;
            // The first level closes the relay; it counts from the next one on.
            line.send(b"-").map_err(Fault::Heartbeat)?;
            Some(Box::new(Relay(line)))
        }
        _ => None,
    })
}

/// A source that is off when it is dropped.
type Guarded = source::Guard<Box<dyn source::Source>>;

/// Opens what makes the load and switches it off; beside it what each instrument said it is, for the record. One that
/// cannot be opened does not keep the other from being switched off.
pub(super) fn open_source(description: &Description) -> Result<(Guarded, Vec<String>), Fault> {
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
            // What they did before is unknown: one that opens is not left to that because the other does not.
            match (open("current source", current), open("voltage source", voltage)) {
                (Ok((current, says_current)), Ok((voltage, says_voltage))) => {
                    (Box::new(Pair::new(voltage, current)), vec![says_voltage, says_current])
                }
                (Ok((one, _)), Err(fault)) | (Err(fault), Ok((one, _))) => {
                    drop(source::Guard::new(one)?);
                    return Err(fault);
                }
                (Err(fault), Err(_)) => return Err(fault),
            }
        }
        Sources::Xl9600 { link, setting } => {
            let opened = description.open("source", link).map_err(as_instrument)?;
            let bench = Xl9600::open(opened, (**setting).clone()).map_err(source::Fault::from)?;
            let remark = Provenance::Unconfirmed.remark("xl-9600");
            (Box::new(bench), vec![format!("source: XL-9600 on {link}{remark}")])
        }
    };
    Ok((source::Guard::new(source)?.within(description.file.limits), said))
}

fn as_instrument(fault: link::Fault) -> source::Fault {
    source::Fault::Instrument(fault.into())
}
