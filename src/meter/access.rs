//! From protocol, model and address, as a nameplate or a person gives them, to a meter on a line.

use super::dlt645::{self, Patience};
use super::dlt698;
use super::iec62056;
use super::lem;
use super::modbus::{self, Transport};
use super::ocmf;
use super::sml;
use super::{Fault, Meter};
use crate::link::Link;
use crate::link::http::Server;
use crate::plan::nameplate::{DataOutput, Protocol};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The protocol.
    pub protocol: Protocol,
    /// Id of a model that comes with the program; protocols with one common table take their own name.
    pub profile: &'a str,
    /// In the protocol's own form, or `auto`.
    pub address: &'a str,
    /// A disputed energy, settled: digits behind the point in kWh.
    pub energy_decimals: Option<i32>,
}

/// Why there is no such meter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMeter {
    /// A model of DL/T 645.
    #[error(transparent)]
    Dlt645(#[from] dlt645::profile::Fault),
    /// A register map.
    #[error(transparent)]
    Modbus(#[from] modbus::map::Fault),
    /// A model of another protocol or edition.
    #[error("meter model `{profile}` is not one of {protocol}; there are {allowed}")]
    OtherProtocol {
        /// The model.
        profile: String,
        /// The protocol.
        protocol: &'static str,
        /// Models of the protocol.
        allowed: String,
    },
    /// An address of another form.
    #[error("`{seen}` is no address of {protocol}; allowed is {allowed}")]
    BadAddress {
        /// The address.
        seen: String,
        /// The protocol.
        protocol: &'static str,
        /// What would do.
        allowed: &'static str,
    },
    /// The key of its signed records.
    #[error("public_key: {0}")]
    Key(#[from] ocmf::NoKey),
    /// A protocol without signed records.
    #[error(
        "{key} is given, but {protocol} has no signed records; leave it out, or is the protocol another?"
    )]
    NoRecords {
        /// The key in the file.
        key: &'static str,
        /// The protocol.
        protocol: &'static str,
    },
    /// Energy decimals where nothing is disputed, or others than any source says.
    #[error("energy_decimals is {seen}, but for model `{profile}` {why}")]
    NoSuchDispute {
        /// What is given.
        seen: i32,
        /// The model.
        profile: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// A meter as described, before it has a line.
#[derive(Debug, Clone)]
pub struct Described(Form);

#[derive(Debug, Clone)]
enum Form {
    Dlt645(dlt645::Address, dlt645::Profile),
    Dlt698(Option<dlt698::ServerAddress>),
    Modbus(Transport, u8, modbus::Profile),
    Iec62056(String),
    Sml,
    /// With an entry of its cable table.
    Lem(u8),
}

/// A model's text that is no model of the program but a file's: id and text.
pub type ModelFile<'a> = Option<(&'a str, &'a str)>;

impl Described {
    /// The meter of a nameplate, with the key of its signed records seen to be one.
    pub fn of(output: &DataOutput) -> Result<Self, NoMeter> {
        for (key, given) in [
            ("public_key", output.public_key.is_some()),
            ("sign_within_secs", output.sign_within_secs.is_some()),
            ("cable", output.cable.is_some()),
        ] {
            if given && !output.signs() {
                return Err(NoMeter::NoRecords { key, protocol: output.protocol.name() });
            }
        }
        output.public_key.as_deref().map(ocmf::Key::from_text).transpose()?;
        let described = Self::new(&Wanted {
            protocol: output.protocol,
            profile: &output.profile,
            address: &output.address,
            energy_decimals: output.energy_decimals,
        })?;
        Ok(match described.0 {
            Form::Lem(_) => Self(Form::Lem(output.cable.unwrap_or_default())),
            form => Self(form),
        })
    }

    /// A meter of a model that comes with the program.
    pub fn new(wanted: &Wanted<'_>) -> Result<Self, NoMeter> {
        Self::with_file(wanted, None)
    }

    /// A meter whose model's text is given, or which comes with the program.
    pub fn with_file(wanted: &Wanted<'_>, file: ModelFile<'_>) -> Result<Self, NoMeter> {
        let protocol = wanted.protocol.name();
        let bad_address =
            |allowed| NoMeter::BadAddress { seen: wanted.address.to_owned(), protocol, allowed };
        if let (Some(seen), Protocol::ModbusRtu | Protocol::ModbusTcp) =
            (wanted.energy_decimals, wanted.protocol)
            && modbus_profile(wanted, file)?.settle_energy(seen)
        {
            // Settled below.
        } else if let Some(seen) = wanted.energy_decimals {
            let why = "no source disputes the unit of its energy so";
            return Err(NoMeter::NoSuchDispute { seen, profile: wanted.profile.to_owned(), why });
        }
        let form = match wanted.protocol {
            Protocol::Dlt645 | Protocol::Dlt645Of1997 => {
                let profile = match file {
                    Some((origin, text)) => dlt645::Profile::from_toml(origin, text)?,
                    None => dlt645::Profile::builtin(wanted.profile)?,
                };
                let old = profile.edition() == dlt645::Edition::Of1997;
                if old != (wanted.protocol == Protocol::Dlt645Of1997) {
                    let allowed = if old { "dlt645-2007" } else { "dlt645-1997" }.to_owned();
                    return Err(NoMeter::OtherProtocol {
                        profile: wanted.profile.to_owned(),
                        protocol,
                        allowed,
                    });
                }
                let address = wanted.address.parse();
                Form::Dlt645(
                    address.map_err(|_| bad_address("12 digits, leading zeros too, or auto"))?,
                    profile,
                )
            }
            Protocol::ModbusRtu | Protocol::ModbusTcp => {
                let mut profile = modbus_profile(wanted, file)?;
                if let Some(decimals) = wanted.energy_decimals {
                    profile.settle_energy(decimals);
                }
                let unit = match wanted.address {
                    "auto" => profile.unit(),
                    digits => digits
                        .parse()
                        .ok()
                        .filter(|unit| (1..=247).contains(unit))
                        .ok_or_else(|| bad_address("1 to 247, or auto for the model's own"))?,
                };
                let rtu = wanted.protocol == Protocol::ModbusRtu;
                Form::Modbus(if rtu { Transport::Rtu } else { Transport::Tcp }, unit, profile)
            }
            Protocol::Dlt698 => {
                only(wanted, "dlt698")?;
                Form::Dlt698(match wanted.address {
                    "auto" => None,
                    digits => Some(digits.parse().map_err(|_| bad_address("2 to 32 digits, or auto"))?),
                })
            }
            Protocol::Iec62056 => {
                only(wanted, "iec62056-21")?;
                let device = if wanted.address == "auto" { "" } else { wanted.address };
                if device.len() > 32 || !device.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(bad_address("up to 32 letters and digits, or auto"));
                }
                Form::Iec62056(device.to_owned())
            }
            Protocol::Sml => {
                only(wanted, "sml")?;
                if wanted.address != "auto" {
                    return Err(bad_address("auto: the meter speaks unasked"));
                }
                Form::Sml
            }
            Protocol::LemDcbm => {
                only(wanted, "lem-dcbm")?;
                if wanted.address != "auto" {
                    return Err(bad_address("auto: its web server's place says which one it is"));
                }
                Form::Lem(0)
            }
        };
        Ok(Self(form))
    }

    /// Whether the meter is a web server, to which each question opens a connection of its own.
    pub fn is_web(&self) -> bool {
        matches!(self.0, Form::Lem(_))
    }

    /// In the network; each connection is wrapped. None where the meter is no web server.
    pub fn at(&self, server: Server, wrap: lem::Wrap) -> Option<Box<dyn Meter>> {
        match self.0 {
            Form::Lem(cable) => Some(Box::new(lem::Client::noted(server, wrap).with_cable(cable))),
            _ => None,
        }
    }

    /// On a line.
    pub fn over(self, link: Box<dyn Link>) -> Box<dyn Meter> {
        self.with_patience(link, None)
    }

    /// On a line, with a patience of its own.
    pub fn with_patience(self, link: Box<dyn Link>, patience: Option<Patience>) -> Box<dyn Meter> {
        let patience = patience.unwrap_or_default();
        match self.0 {
            Form::Dlt645(address, profile) => {
                Box::new(dlt645::Client::new(link, address, profile).with_patience(patience))
            }
            Form::Dlt698(address) => Box::new(dlt698::Client::new(link, address).with_patience(patience)),
            Form::Modbus(transport, unit, profile) => {
                Box::new(modbus::Client::new(link, transport, unit, profile).with_patience(patience))
            }
            Form::Iec62056(device) => Box::new(iec62056::Client::new(link, device)),
            Form::Sml => Box::new(sml::Client::new(link)),
            Form::Lem(cable) => Box::new(lem::Client::over(link).with_cable(cable)),
        }
    }
}

fn modbus_profile(wanted: &Wanted<'_>, file: ModelFile<'_>) -> Result<modbus::Profile, NoMeter> {
    Ok(match file {
        Some((origin, text)) => modbus::Profile::from_toml(origin, text)?,
        None => modbus::Profile::builtin(wanted.profile)?,
    })
}

/// Protocols whose values name themselves have one table.
fn only(wanted: &Wanted<'_>, allowed: &str) -> Result<(), NoMeter> {
    if wanted.profile == allowed {
        return Ok(());
    }
    let (profile, protocol) = (wanted.profile.to_owned(), wanted.protocol.name());
    Err(NoMeter::OtherProtocol { profile, protocol, allowed: allowed.to_owned() })
}

/// The model that is meant where a person names only the protocol.
pub const fn usual_profile(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::ModbusRtu | Protocol::ModbusTcp => "eastron-sdm230",
        other => other.name(),
    }
}

/// Whether the fault says that nobody speaks this protocol here, rather than that the line is broken.
pub const fn nobody(fault: &Fault) -> bool {
    matches!(fault, Fault::Silent { .. } | Fault::Garbled { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted<'a>(protocol: Protocol, profile: &'a str, address: &'a str) -> Wanted<'a> {
        Wanted { protocol, profile, address, energy_decimals: None }
    }

    #[test]
    fn every_protocol_has_a_meter_and_refuses_the_models_of_others() {
        for protocol in Protocol::ALL {
            let usual = usual_profile(protocol);
            assert!(Described::new(&wanted(protocol, usual, "auto")).is_ok(), "{protocol:?}");
            let foreign = if usual == "eastron-sdm230" { "dlt645-2007" } else { "eastron-sdm230" };
            assert!(Described::new(&wanted(protocol, foreign, "auto")).is_err(), "{protocol:?}");
        }
        let old = Described::new(&wanted(Protocol::Dlt645, "dlt645-1997", "auto")).unwrap_err();
        assert!(old.to_string().contains("dlt645-2007"), "{old}");
    }

    #[test]
    fn an_address_of_another_form_is_refused_with_what_would_do() {
        for (protocol, address) in [
            (Protocol::Dlt645, "161"),
            (Protocol::ModbusRtu, "248"),
            (Protocol::ModbusTcp, "x"),
            (Protocol::Dlt698, "12x"),
            (Protocol::Iec62056, "a!"),
            (Protocol::Sml, "1"),
            (Protocol::LemDcbm, "1"),
        ] {
            let refused = Described::new(&wanted(protocol, usual_profile(protocol), address)).unwrap_err();
            assert!(matches!(refused, NoMeter::BadAddress { .. }), "{refused}");
        }
    }

    #[test]
    fn a_dispute_is_settled_only_where_there_is_one() {
        let settle = |profile, decimals| {
            let plain = wanted(Protocol::ModbusRtu, profile, "1");
            Described::new(&Wanted { energy_decimals: Some(decimals), ..plain })
        };
        assert!(settle("acrel-djsf1352", 4).is_ok());
        assert!(matches!(settle("acrel-djsf1352", 7), Err(NoMeter::NoSuchDispute { .. })));
        assert!(matches!(settle("eastron-sdm230", 4), Err(NoMeter::NoSuchDispute { .. })));
    }
}
