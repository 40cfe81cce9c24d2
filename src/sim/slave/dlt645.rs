//! The meter's side of DL/T 645, both editions.

use super::super::world::World;
use super::fitted;
use crate::meter::Query;
use crate::meter::dlt645::{Address, Control, Di, Edition, Event, Frame, Profile, Scanner, Slot, output};

/// ERR byte for what has no byte of its own.
const OTHER: u8 = 0x01;
/// ERR byte for data that the meter does not have.
const NO_SUCH_DATA: u8 = 0x02;

pub(super) struct Dlt645 {
    address: Address,
    profile: Profile,
    scanner: Scanner,
}

impl Dlt645 {
    pub(super) fn new(address: Address, profile: Profile) -> Self {
        Self { address, profile, scanner: Scanner::default() }
    }

    pub(super) fn answer(&mut self, bytes: &[u8], world: &mut World) -> Vec<u8> {
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

    fn reply(&self, request: &Frame, world: &mut World) -> Option<Frame> {
        if request.control.is_reply() || !request.address.means(self.address) {
            return None;
        }
        let edition = self.profile.edition();
        let answer = |control, data| Some(Frame { address: self.address, control, data });
        match request.control {
            Control::READ_ADDRESS if edition == Edition::Of2007 => {
                answer(request.control.reply(), self.address.wire().to_vec())
            }
            control if control == edition.read() => match self.data(request, world) {
                Some(data) => {
                    let di = &request.data[..edition.di_bytes()];
                    answer(request.control.reply(), [di, &data].concat())
                }
                None => answer(request.control.refusal(), vec![NO_SUCH_DATA]),
            },
            output::SWITCH if edition == Edition::Of2007 => {
                if request.data == [output::SECONDS_PULSE] && world.give_seconds() {
                    answer(request.control.reply(), vec![output::SECONDS_PULSE])
                } else {
                    answer(request.control.refusal(), vec![OTHER])
                }
            }
            other => answer(other.refusal(), vec![NO_SUCH_DATA]),
        }
    }

    fn data(&self, request: &Frame, world: &World) -> Option<Vec<u8>> {
        let di = match self.profile.edition() {
            Edition::Of2007 => request.di()?,
            Edition::Of1997 => Di::new(u32::from(u16::from_le_bytes(*request.data.first_chunk()?))),
        };
        let slot = self.profile.slot_of(di)?;
        let item = self.profile.item_of(slot)?;
        let query = match slot {
            Slot::Query(query) => query,
            Slot::ClockDate | Slot::ClockTime => Query::Clock,
        };
        item.encode(&fitted(world.told(query)?, item.decimals())).ok()
    }
}
