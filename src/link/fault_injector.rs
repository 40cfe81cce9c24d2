//! Damages what passes a link, by seed or by schedule, the same way every time.

use super::recorder::Direction;
use super::{Fault, Link};
use crate::time::Span;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;

/// How often bytes of one direction suffer; every figure is a probability, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Odds {
    /// For each byte, that it is lost.
    pub drop_byte: f64,
    /// For each byte, that one of its bits is turned over.
    pub flip_bit: f64,
    /// For each transfer, that it comes in two pieces.
    pub split: f64,
    /// For each transfer, that it comes one silence late.
    pub delay: f64,
}

/// One deed at one place. Bytes are counted from 0 within the transfer; places that do not exist do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The byte is lost.
    DropByte(usize),
    /// The bit (0..=7) of the byte is turned over.
    FlipBit(usize, u8),
    /// The transfer comes in two pieces, the second beginning at the byte.
    Split(usize),
    /// Received: one wait ends in silence first. Sent: it leaves only after the next wait, which ends in silence.
    Delay,
    /// The transfer is lost altogether.
    Lose,
}

/// Which transfer of a direction suffers what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointment {
    /// Which way.
    pub direction: Direction,
    /// Counted from 0 within the direction, as the link below made them.
    pub transfer: u64,
    /// What happens.
    pub deed: Deed,
}

/// Whether own bytes come back, as on a two-wire line whose receiver stays on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Echo {
    /// They do not.
    #[default]
    Off,
    /// All of them, before the answer.
    Whole,
    /// The first so many.
    First(usize),
    /// The last so many: the receiver was switched on late.
    Last(usize),
}

/// All that shall go wrong. The default is a sound line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mischief {
    /// Same seed and same transfers, same damage.
    pub seed: u64,
    /// On the way out.
    pub sending: Odds,
    /// On the way in.
    pub receiving: Odds,
    /// At fixed places besides.
    pub schedule: Vec<Appointment>,
    /// Own bytes that come back.
    pub echo: Echo,
    /// After so many bytes in both directions together the line is dead.
    pub hang_up_after: Option<u64>,
}

/// A link that damages what passes it.
pub struct FaultInjector<L: Link> {
    link: L,
    mischief: Mischief,
    rng: ChaCha8Rng,
    sent: u64,
    received: u64,
    bytes_passed: u64,
    /// Pieces to hand out before the link is asked; an empty one is a silence.
    ready: VecDeque<Vec<u8>>,
    /// To be sent after the next wait.
    held_back: Vec<u8>,
}

impl<L: Link> FaultInjector<L> {
    /// Puts `mischief` on `link`.
    pub fn new(link: L, mischief: Mischief) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(mischief.seed);
        let (ready, held_back) = (VecDeque::new(), Vec::new());
        Self { link, mischief, rng, sent: 0, received: 0, bytes_passed: 0, ready, held_back }
    }

    fn chance(&mut self, probability: f64) -> bool {
        // Drawn even where it cannot happen: one figure changed leaves the others' luck as it was.
        f64::from(self.rng.next_u32()) < probability * 4_294_967_296.0
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.next_u32() as usize % limit.max(1)
    }

    /// Cuts `bytes` where the line dies; a fault when it is dead already.
    fn budget(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(limit) = self.mischief.hang_up_after {
            let left = limit.saturating_sub(self.bytes_passed);
            if left == 0 {
                return Err(Fault::HungUp { peer: self.link.peer().to_owned() });
            }
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.bytes_passed += bytes.len() as u64;
        Ok(())
    }

    /// The damaged transfer in one or two pieces, and whether it is late.
    fn damage(&mut self, direction: Direction, transfer: u64, bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
        let odds = if direction == Direction::Sent { self.mischief.sending } else { self.mischief.receiving };
        let planned: Vec<Deed> = self
            .mischief
            .schedule
            .iter()
            .copied()
            .filter_map(|a| (a.direction == direction && a.transfer == transfer).then_some(a.deed))
            .collect();
        let mut kept = Vec::with_capacity(bytes.len());
        for (index, &byte) in bytes.iter().enumerate() {
            let mut byte = byte;
            if self.chance(odds.flip_bit) {
                byte ^= 1 << self.below(8);
            }
            for deed in &planned {
                match *deed {
                    Deed::FlipBit(place, bit) if place == index => byte ^= 1 << (bit % 8),
                    _ => {}
                }
            }
            if !(self.chance(odds.drop_byte) || planned.contains(&Deed::DropByte(index))) {
                kept.push(byte);
            }
        }
        let mut cut =
            planned.iter().find_map(|deed| if let Deed::Split(at) = deed { Some(*at) } else { None });
        if self.chance(odds.split) {
            cut = Some(self.below(kept.len()));
        }
        let late = self.chance(odds.delay) || planned.contains(&Deed::Delay);
        if planned.contains(&Deed::Lose) {
            kept.clear();
        }
        let tail = cut.map_or_else(Vec::new, |at| kept.split_off(at.min(kept.len())));
        (vec![kept, tail].into_iter().filter(|piece| !piece.is_empty()).collect(), late)
    }

    fn hand_out(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let piece = self.ready.front_mut()?;
        let count = buffer.len().min(piece.len());
        for (place, byte) in buffer.iter_mut().zip(piece.drain(..count)) {
            *place = byte;
        }
        if piece.is_empty() {
            self.ready.pop_front();
        }
        Some(count)
    }
}

impl<L: Link> Link for FaultInjector<L> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut bytes = bytes.to_vec();
        self.budget(&mut bytes)?;
        let echo = match self.mischief.echo {
            Echo::Off => &[],
            Echo::Whole => &bytes[..],
            Echo::First(count) => &bytes[..count.min(bytes.len())],
            Echo::Last(count) => &bytes[bytes.len() - count.min(bytes.len())..],
        };
        if !echo.is_empty() {
            self.ready.push_back(echo.to_vec());
        }
        let (pieces, late) = self.damage(Direction::Sent, self.sent, &bytes);
        self.sent += 1;
        for piece in pieces {
            if late {
                self.held_back.extend(piece);
            } else {
                self.link.send(&piece)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(count) = self.hand_out(buffer) {
                return Ok(count);
            }
            if !self.held_back.is_empty() {
                let held_back = std::mem::take(&mut self.held_back);
                self.link.send(&held_back)?;
                return Ok(0);
            }
            self.budget(&mut Vec::new())?;
            let mut raw = vec![0; buffer.len()];
            let count = self.link.receive(&mut raw, patience)?;
            if count == 0 {
                return Ok(0);
            }
            raw.truncate(count);
            self.budget(&mut raw)?;
            let (pieces, late) = self.damage(Direction::Received, self.received, &raw);
            self.received += 1;
            if late {
                self.ready.push_back(Vec::new());
            }
            self.ready.extend(pieces);
        }
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        self.ready.clear();
        self.link.discard_input()
    }

    fn peer(&self) -> &str {
        self.link.peer()
    }

    fn airtime(&self, bytes: usize) -> Span {
        self.link.airtime(bytes)
    }

    fn set_line(&mut self, baud: u32, framing: super::Framing) -> Result<(), Fault> {
        self.link.set_line(baud, framing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback;
    use super::*;

    fn pieces(mischief: Mischief, sent: &[u8]) -> Vec<Vec<u8>> {
        let (here, mut there) = loopback::pair();
        let mut here = FaultInjector::new(here, mischief);
        there.send(sent).unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 256];
        for _ in 0..4 {
            match here.receive(&mut buffer, Span::ZERO) {
                Ok(count) => seen.push(buffer[..count].to_vec()),
                Err(_) => break,
            }
        }
        seen
    }

    fn planned(deed: Deed) -> Mischief {
        let schedule = vec![Appointment { direction: Direction::Received, transfer: 0, deed }];
        Mischief { schedule, ..Mischief::default() }
    }

    #[test]
    fn a_sound_line_changes_nothing() {
        assert_eq!(pieces(Mischief::default(), b"abc")[..2], [b"abc".to_vec(), vec![]]);
    }

    #[test]
    fn scheduled_deeds_happen_where_they_are_planned() {
        assert_eq!(pieces(planned(Deed::DropByte(1)), b"abc")[0], b"ac");
        assert_eq!(pieces(planned(Deed::FlipBit(0, 1)), b"abc")[0], b"cbc");
        assert_eq!(pieces(planned(Deed::Split(1)), b"abc")[..2], [b"a".to_vec(), b"bc".to_vec()]);
        assert_eq!(pieces(planned(Deed::Delay), b"abc")[..2], [vec![], b"abc".to_vec()]);
        assert_eq!(pieces(planned(Deed::Lose), b"abc")[0], b"");
    }

    #[test]
    fn the_same_seed_does_the_same_damage() {
        let odds = Odds { drop_byte: 0.1, flip_bit: 0.1, split: 0.5, delay: 0.5 };
        let mischief = |seed| Mischief { seed, receiving: odds, ..Mischief::default() };
        let sent = [0x55; 100];
        assert_eq!(pieces(mischief(7), &sent), pieces(mischief(7), &sent));
        assert_ne!(pieces(mischief(7), &sent), pieces(mischief(8), &sent));
    }

    #[test]
    fn own_bytes_come_back_whole_or_in_part() {
        for (echo, expected) in [(Echo::Whole, &b"ask"[..]), (Echo::First(1), b"a"), (Echo::Last(2), b"sk")] {
            let (here, mut there) = loopback::pair();
            let mut here = FaultInjector::new(here, Mischief { echo, ..Mischief::default() });
            here.send(b"ask").unwrap();
            let mut buffer = [0; 8];
            assert_eq!(there.receive(&mut buffer, Span::ZERO), Ok(3));
            let count = here.receive(&mut buffer, Span::ZERO).unwrap();
            assert_eq!(&buffer[..count], expected);
        }
    }

    #[test]
    fn a_late_request_leaves_after_one_silence() {
        let (here, mut there) = loopback::pair();
        let schedule = vec![Appointment { direction: Direction::Sent, transfer: 0, deed: Deed::Delay }];
        let mut here = FaultInjector::new(here, Mischief { schedule, ..Mischief::default() });
        here.send(b"ask").unwrap();
        assert_eq!(there.receive(&mut [0; 8], Span::ZERO), Ok(0));
        assert_eq!(here.receive(&mut [0; 8], Span::ZERO), Ok(0));
        assert_eq!(there.receive(&mut [0; 8], Span::ZERO), Ok(3));
    }

    #[test]
    fn after_so_many_bytes_the_line_is_dead() {
        let (here, mut there) = loopback::pair();
        let mut here = FaultInjector::new(here, Mischief { hang_up_after: Some(4), ..Mischief::default() });
        here.send(b"ask").unwrap();
        there.send(b"answer").unwrap();
        assert_eq!(here.receive(&mut [0; 8], Span::ZERO), Ok(1));
        assert!(matches!(here.receive(&mut [0; 8], Span::ZERO), Err(Fault::HungUp { .. })));
        assert!(matches!(here.send(b"?"), Err(Fault::HungUp { .. })));
    }
}
