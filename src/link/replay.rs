//! Plays a recorded log back: the device as it once answered.

use super::recorder::{Direction, Log, Transfer};
use super::{Fault, Link, hex};
use crate::time::Span;
use std::collections::VecDeque;

/// A link that answers from a log, without waiting. Where the recorded session went on sending, and at the end of the
/// log, there is silence. Something else sent than was recorded is a fault.
pub struct Replay {
    transfers: VecDeque<Transfer>,
    /// Transfers done.
    done: usize,
    peer: String,
}

impl Replay {
    /// Plays `log` from its beginning; `peer` names it in messages.
    pub fn new(log: &Log, peer: &str) -> Self {
        Self { transfers: log.transfers().into(), done: 0, peer: format!("replay of {peer}") }
    }

    /// Whether all of the log has been played.
    pub fn is_over(&self) -> bool {
        self.transfers.is_empty()
    }
}

impl Link for Replay {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let fits = self.transfers.front_mut().filter(|next| {
                next.direction == Direction::Sent && {
                    let common = next.bytes.len().min(rest.len());
                    next.bytes[..common] == rest[..common]
                }
            });
            let Some(next) = fits else {
                let recorded = self
                    .transfers
                    .front()
                    .map_or_else(|| "the end of the log".to_owned(), Transfer::to_string);
                let (peer, seen) = (self.peer.clone(), hex::text(bytes));
                return Err(Fault::NotAsRecorded { peer, transfer: self.done + 1, recorded, seen });
            };
            let common = next.bytes.len().min(rest.len());
            next.bytes.drain(..common);
            rest = &rest[common..];
            if next.bytes.is_empty() {
                self.transfers.pop_front();
                self.done += 1;
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _patience: Span) -> Result<usize, Fault> {
        let Some(next) = self.transfers.front_mut().filter(|next| next.direction == Direction::Received)
        else {
            return Ok(0);
        };
        let count = buffer.len().min(next.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(next.bytes.drain(..count)) {
            *place = byte;
        }
        if next.bytes.is_empty() {
            self.transfers.pop_front();
            self.done += 1;
        }
        Ok(count)
    }

    /// What was thrown away in the recorded session is not in the log: nothing to do.
    fn discard_input(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn peer(&self) -> &str {
        &self.peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay() -> Replay {
        Replay::new(&"1 > 68 11 16\n2 < 68\n3 < 91 16\n4 > AA\n".parse().unwrap(), "meter")
    }

    #[test]
    fn the_device_answers_as_it_once_did() {
        let mut link = replay();
        let mut buffer = [0; 8];
        assert_eq!(link.receive(&mut buffer, Span::ZERO), Ok(0));
        link.send(&[0x68, 0x11]).unwrap();
        link.send(&[0x16]).unwrap();
        link.discard_input().unwrap();
        assert_eq!(link.receive(&mut buffer, Span::ZERO), Ok(1));
        assert_eq!(link.receive(&mut buffer[..1], Span::ZERO), Ok(1));
        assert_eq!(buffer[0], 0x91);
        assert_eq!(link.receive(&mut buffer, Span::ZERO), Ok(1));
        assert_eq!(link.receive(&mut buffer, Span::ZERO), Ok(0));
        assert!(!link.is_over());
        link.send(&[0xAA]).unwrap();
        assert!(link.is_over());
        assert!(link.send(&[0xAA]).unwrap_err().to_string().contains("the end of the log"));
    }

    #[test]
    fn another_request_than_recorded_names_both() {
        let fault = replay().send(&[0x68, 0x12, 0x16]).unwrap_err().to_string();
        assert!(fault.contains("1 > 68 11 16") && fault.contains("68 12 16"), "{fault}");
        let mut link = replay();
        link.send(&[0x68, 0x11, 0x16]).unwrap();
        assert!(link.send(&[0xAA]).unwrap_err().to_string().contains("transfer 2 of the log is `2 < 68`"));
    }
}
