//! The simulated meter's data output: it answers from the world by the same tables the clients read by.

mod dlt645;
pub(super) mod lem;
mod others;

use super::world::World;
use crate::link::{self, Link};
use crate::meter::access::NoMeter;
use crate::meter::{Value, dlt645 as protocol645, modbus};
use crate::plan::nameplate::{DataOutput, Protocol};
use crate::time::Span;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// A world that several hold.
pub type SharedWorld = Arc<Mutex<World>>;

/// Takes hold of the world; a holder that panicked has left it in no worse state than a power cut would.
pub fn hold(world: &SharedWorld) -> std::sync::MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address of a simulated meter whose nameplate asks for whoever is there.
const ADDRESS_645: &str = "000000000001";

/// A meter on the line.
pub struct Slave(Tongue);

enum Tongue {
    Dlt645(dlt645::Dlt645),
    Modbus(others::Modbus),
    Dlt698(others::Dlt698),
    Iec62056(others::Iec62056),
    Lem(lem::Lem),
    Sml(others::Sml),
}

impl Slave {
    /// A meter with this data output.
    pub fn new(output: &DataOutput) -> Result<Self, NoMeter> {
        let auto = output.address == "auto";
        let address = if auto { ADDRESS_645 } else { &output.address };
        let bad_address = || NoMeter::BadAddress {
            seen: output.address.clone(),
            protocol: output.protocol.name(),
            allowed: "as the protocol writes it, or auto",
        };
        Ok(Self(match output.protocol {
            Protocol::Dlt645 | Protocol::Dlt645Of1997 => {
                let profile = protocol645::Profile::builtin(&output.profile)?;
                Tongue::Dlt645(dlt645::Dlt645::new(address.parse().map_err(|_| bad_address())?, profile))
            }
            Protocol::ModbusRtu | Protocol::ModbusTcp => {
                let mut profile = modbus::Profile::builtin(&output.profile)?;
                if let Some(decimals) = output.energy_decimals {
                    profile.settle_energy(decimals);
                }
                let unit = if auto { Ok(profile.unit()) } else { output.address.parse() };
                let tcp = output.protocol == Protocol::ModbusTcp;
                Tongue::Modbus(others::Modbus::new(unit.map_err(|_| bad_address())?, profile, tcp))
            }
            Protocol::Dlt698 => {
                Tongue::Dlt698(others::Dlt698::new(address.parse().map_err(|_| bad_address())?))
            }
            Protocol::Iec62056 => Tongue::Iec62056(others::Iec62056::default()),
            Protocol::LemDcbm => Tongue::Lem(lem::Lem::new()),
            Protocol::Sml => Tongue::Sml(others::Sml::new()),
        }))
    }

    /// What the meter sends back when these bytes arrive; nothing while a request is not whole.
    pub fn answer(&mut self, bytes: &[u8], world: &mut World) -> Vec<u8> {
        if world.is_mute() {
            return vec![];
        }
        match &mut self.0 {
            Tongue::Dlt645(meter) => meter.answer(bytes, world),
            Tongue::Modbus(meter) => meter.answer(bytes, world),
            Tongue::Dlt698(meter) => meter.answer(bytes, world),
            Tongue::Iec62056(meter) => meter.answer(bytes, world),
            Tongue::Lem(meter) => meter.answer(bytes, world),
            // It hears nothing.
            Tongue::Sml(_) => vec![],
        }
    }

    /// The same meter behind a further connection to its web server; none where it has none.
    pub fn another(&self) -> Option<Self> {
        match &self.0 {
            Tongue::Lem(meter) => Some(Self(Tongue::Lem(meter.another()))),
            _ => None,
        }
    }

    /// What the meter sends unasked, again and again; `None` where it speaks only when it is asked.
    pub fn push(&self, world: &World) -> Option<Vec<u8>> {
        match &self.0 {
            Tongue::Sml(meter) if !world.is_mute() => Some(meter.push(world)),
            _ => None,
        }
    }
}

/// A register that is too small for a number counts round, as a mechanical one does; digits beyond the last are cut.
fn fitted(value: Value, decimals: u32) -> Value {
    match value {
        Value::Number(number, unit) => Value::Number(number.trunc_with_scale(decimals), unit),
        other => other,
    }
}

/// A line to the simulated meter in process: what is sent is answered before the next read, without any waiting.
pub struct SlaveLink {
    slave: Slave,
    world: SharedWorld,
    waiting: VecDeque<u8>,
}

impl SlaveLink {
    /// A line to `slave` in `world`.
    pub fn new(slave: Slave, world: SharedWorld) -> Self {
        Self { slave, world, waiting: VecDeque::new() }
    }
}

impl Link for SlaveLink {
    fn send(&mut self, bytes: &[u8]) -> Result<(), link::Fault> {
        self.waiting.extend(self.slave.answer(bytes, &mut hold(&self.world)));
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _patience: Span) -> Result<usize, link::Fault> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.slave.push(&hold(&self.world)).unwrap_or_default());
        }
        let count = buffer.len().min(self.waiting.len());
        for (place, byte) in buffer.iter_mut().zip(self.waiting.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), link::Fault> {
        self.waiting.clear();
        Ok(())
    }

    fn peer(&self) -> &'static str {
        "the simulated meter"
    }
}
