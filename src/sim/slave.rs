//! The simulated meter's side of DL/T 645: it answers from the world with the same tables the client reads by.

use super::world::World;
use crate::link::{self, Link};
use crate::meter::dlt645::{Address, Control, Event, Frame, Item, Profile, Scanner, Slot};
use crate::meter::{Query, Value};
use crate::time::Span;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// ERR byte for data that the meter does not have.
const NO_SUCH_DATA: u8 = 0x02;

/// A world that several hold.
pub type SharedWorld = Arc<Mutex<World>>;

/// Takes hold of the world; a holder that panicked has left it in no worse state than a power cut would.
pub fn hold(world: &SharedWorld) -> std::sync::MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A meter on the line.
pub struct Slave {
    address: Address,
    profile: Profile,
    scanner: Scanner,
}

impl Slave {
    /// A meter of this model at this address.
    pub fn new(address: Address, profile: Profile) -> Self {
        Self { address, profile, scanner: Scanner::default() }
    }

    /// What the meter sends back when these bytes arrive; nothing while a request is not whole.
    pub fn answer(&mut self, bytes: &[u8], world: &World) -> Vec<u8> {
        self.scanner.handle_bytes(bytes);
        let mut reply = vec![];
        while let Some(event) = self.scanner.poll() {
            if let Event::Frame { frame, .. } = event
                && let Some(answer) = self.reply(&frame, world)
            {
                reply.extend([0xFE; 4]);
                reply.extend(answer.emit());
            }
        }
        reply
    }

    fn reply(&self, request: &Frame, world: &World) -> Option<Frame> {
        if request.control.is_reply() || !request.address.means(self.address) {
            return None;
        }
        let answer = |control, data| Some(Frame { address: self.address, control, data });
        match request.control {
            Control::READ_ADDRESS => answer(request.control.reply(), self.address.wire().to_vec()),
            Control::READ => match self.data(request, world) {
                Some(data) => answer(request.control.reply(), [&request.data[..4], &data].concat()),
                None => answer(request.control.refusal(), vec![NO_SUCH_DATA]),
            },
            other => answer(other.refusal(), vec![NO_SUCH_DATA]),
        }
    }

    fn data(&self, request: &Frame, world: &World) -> Option<Vec<u8>> {
        let slot = self.profile.slot_of(request.di()?)?;
        let item = self.profile.item_of(slot)?;
        let query = match slot {
            Slot::Query(query) => query,
            Slot::ClockDate | Slot::ClockTime => Query::Clock,
        };
        item.encode(&fitted(world.told(query)?, &item)).ok()
    }
}

/// A register that is too small for a number counts round, as a mechanical one does; digits beyond the last are cut.
fn fitted(value: Value, item: &Item) -> Value {
    match value {
        Value::Number(number, unit) => Value::Number(number.trunc_with_scale(item.decimals()), unit),
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
        self.waiting.extend(self.slave.answer(bytes, &hold(&self.world)));
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _patience: Span) -> Result<usize, link::Fault> {
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
