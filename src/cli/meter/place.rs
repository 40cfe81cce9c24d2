//! Where a meter is and how it speaks: as given, or found by asking.

use super::super::Stop;
use phantomload::bench::description::{self, MeterLine};
use phantomload::link::{Address, Framing, reopening};
use phantomload::meter::access::{self, Described, Wanted};
use phantomload::meter::dlt645::Patience;
use phantomload::meter::modbus;
use phantomload::meter::{Fault, Meter, Query, Reading};
use phantomload::plan::nameplate::Protocol;
use phantomload::time::Span;
use std::path::Path;

#[derive(clap::Args)]
pub struct Place {
    /// The line: /dev/ttyUSB0, /dev/ttyUSB0,2400,8E1, tcp:HOST:PORT or http://HOST:PORT; a serial line without speed is
    /// probed
    #[arg(long, value_name = "PORT")]
    pub link: String,
    /// Address in the protocol's own form; `auto` asks the one meter on the line
    #[arg(long, default_value = "auto")]
    pub address: String,
    /// auto, dlt645-2007, dlt645-1997, dlt698, modbus-rtu, modbus-tcp, iec62056-21, sml or lem-dcbm (dlt645 is dlt645-2007)
    #[arg(long, default_value = "auto")]
    pub protocol: String,
    /// Meter model (its id, or a TOML file); left out: the protocol's common table
    #[arg(long, value_name = "ID|FILE")]
    pub profile: Option<String>,
    /// Where sources disagree about the unit of the energy register: digits behind the point in kWh, as the display shows
    #[arg(long, value_name = "N")]
    pub energy_decimals: Option<i32>,
    /// SHA-256 of the certificate of a meter's web server, for https: without it nothing is accepted
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Option<String>,
}

/// A meter that has been found.
pub struct Found {
    pub meter: Box<dyn Meter>,
    pub link: Address,
    pub protocol: Protocol,
    pub profile: String,
}

/// Speeds at which DL/T 645 meters are found, the likeliest first (facts: protocols, section 1.2).
const SPEEDS: [u32; 5] = [9600, 2400, 4800, 1200, 19200];
/// How long a protocol is tried on an unknown line.
const TRY: Patience =
    Patience { first_byte: Span::from_millis(700), between_bytes: Span::from_millis(200), attempts: 1 };

impl Place {
    /// Opens the line and finds the meter.
    pub fn find(&self) -> Result<Found, Stop> {
        let line: Address = self.link.parse().map_err(Stop::input)?;
        match self.protocol()? {
            Some(protocol) => {
                let profile =
                    self.profile.clone().unwrap_or_else(|| access::usual_profile(protocol).to_owned());
                let meter = self.open(&line, protocol, &profile, None)?;
                Ok(Found { meter, link: line, protocol, profile })
            }
            None => self.search(&line),
        }
    }

    /// The protocol as given, or as the model says; `None` where neither does.
    fn protocol(&self) -> Result<Option<Protocol>, Stop> {
        let name = if self.protocol == "dlt645" { "dlt645-2007" } else { &self.protocol };
        if name != "auto" {
            let known = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
            let allowed = || Protocol::ALL.map(Protocol::name).join(", ");
            return known.map(Some).ok_or_else(|| {
                Stop::input(format!("there is no protocol `{name}`; allowed are auto, {}", allowed()))
            });
        }
        if self.link.trim().starts_with("http") {
            return Ok(Some(Protocol::LemDcbm));
        }
        let Some(profile) = &self.profile else { return Ok(None) };
        let over_tcp = self.link.trim().starts_with("tcp:");
        let modbus = if over_tcp { Protocol::ModbusTcp } else { Protocol::ModbusRtu };
        if modbus::Profile::builtin_ids().any(|id| id == profile) {
            return Ok(Some(modbus));
        }
        if let Some(text) = file(profile)? {
            let old = text.contains("edition = \"1997\"");
            let of_modbus = text.contains("protocol = \"modbus\"");
            let dlt645 = if old { Protocol::Dlt645Of1997 } else { Protocol::Dlt645 };
            return Ok(Some(if of_modbus { modbus } else { dlt645 }));
        }
        let named = Protocol::ALL.into_iter().find(|protocol| protocol.name() == profile);
        Ok(Some(named.unwrap_or(Protocol::Dlt645)))
    }

    fn open(
        &self,
        line: &Address,
        protocol: Protocol,
        profile: &str,
        patience: Option<Patience>,
    ) -> Result<Box<dyn Meter>, Stop> {
        let (address, energy_decimals) = (&self.address, self.energy_decimals);
        let wanted = Wanted { protocol, profile, address, energy_decimals };
        let text = file(profile)?;
        let described = Described::with_file(&wanted, text.as_deref().map(|text| (profile, text)));
        let described = described.map_err(Stop::input)?;
        if described.is_web() || matches!(line, Address::Web(_)) {
            let pin = self.fingerprint.as_deref().map(str::parse).transpose().map_err(Stop::input)?;
            let line = MeterLine { link: line.clone(), fingerprint: pin };
            return line.meter(described, None).map_err(Stop::input);
        }
        let link = reopening::open(line).map_err(Stop::input)?;
        Ok(described.with_patience(Box::new(link), patience))
    }

    /// Tries protocol after protocol, on a serial line without a speed also speed after speed.
    fn search(&self, line: &Address) -> Result<Found, Stop> {
        let mut tried = vec![];
        for (place, protocol) in candidates(line, self.link.contains(',')) {
            let profile = access::usual_profile(protocol).to_owned();
            // An address that another protocol writes so is none of this one's.
            let Ok(mut meter) = self.open(&place, protocol, &profile, Some(TRY)) else {
                // A line that cannot be opened says so itself.
                drop(reopening::open(&place).map_err(Stop::input)?);
                continue;
            };
            let modbus = matches!(protocol, Protocol::ModbusRtu | Protocol::ModbusTcp);
            match meter.read(if modbus { Query::Voltage } else { Query::Energy }) {
                Ok(_) if modbus => {
                    return Err(Stop::input(format!(
                        "a meter answers {} at {place}, but registers say nothing without a map: give --profile, one of {}",
                        protocol.name(),
                        modbus::Profile::builtin_ids().collect::<Vec<_>>().join(", ")
                    )));
                }
                Ok(answer) if protocol == Protocol::Sml && matches!(answer.reading, Reading::Absent(_)) => {}
                Ok(_) | Err(Fault::Unreadable { .. }) => {
                    drop(meter);
                    let meter = self.open(&place, protocol, &profile, None)?;
                    return Ok(Found { meter, link: place, protocol, profile });
                }
                Err(fault) if access::nobody(&fault) => {
                    tried.push(format!("{} at {place}", protocol.name()));
                }
                Err(Fault::Line(_)) if protocol == Protocol::ModbusTcp => {
                    tried.push(format!("{} at {place}", protocol.name()));
                }
                Err(fault) => return Err(Stop::fault(fault)),
            }
        }
        Err(Stop::fault(format!(
            "no meter answers at {line}; tried {}. Check wiring (A/B), power and address, or give --protocol",
            tried.join(", ")
        )))
    }
}

/// What is tried, in order.
fn candidates(line: &Address, speed_given: bool) -> Vec<(Address, Protocol)> {
    let Address::Serial { path, .. } = line else {
        let over_tcp = [Protocol::Dlt645, Protocol::Dlt698, Protocol::ModbusTcp, Protocol::Sml];
        return over_tcp.map(|protocol| (line.clone(), protocol)).to_vec();
    };
    let on_wire = [Protocol::Dlt645, Protocol::Dlt698, Protocol::ModbusRtu];
    let heads = [Protocol::Sml, Protocol::Iec62056];
    if speed_given {
        let all = on_wire.into_iter().chain(heads).chain([Protocol::Dlt645Of1997]);
        return all.map(|protocol| (line.clone(), protocol)).collect();
    }
    let at = |baud, framing| Address::Serial { path: path.clone(), baud, framing };
    let framings = [Framing::EIGHT_EVEN_ONE, Framing::EIGHT_NONE_ONE];
    let mut all = vec![];
    for baud in SPEEDS {
        for framing in framings {
            all.extend(on_wire.map(|protocol| (at(baud, framing), protocol)));
        }
    }
    all.push((at(9600, Framing::EIGHT_NONE_ONE), Protocol::Sml));
    all.push((at(300, Framing::EIGHT_EVEN_ONE), Protocol::Iec62056));
    all.extend([9600, 2400, 1200].map(|b| (at(b, Framing::EIGHT_EVEN_ONE), Protocol::Dlt645Of1997)));
    all
}

/// The text of a model that is a file; `None` where it is the id of one.
fn file(profile: &str) -> Result<Option<String>, Stop> {
    let is_file = profile.contains('/') || Path::new(profile).extension().is_some_and(|e| e == "toml");
    is_file.then(|| description::read(Path::new(profile)).map_err(Stop::input)).transpose()
}
