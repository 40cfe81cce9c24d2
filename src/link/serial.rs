//! Serial lines and pseudo-terminals, over the crate `serialport`.

use super::{Fault, Framing, Link, Parity, os_fault};
use crate::time::{Span, now};
use serialport::{DataBits, FlowControl, SerialPort, StopBits, TTYPort};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How long a line may refuse to take bytes, beside the time they need on the wire.
const SEND_PATIENCE: Span = Span::from_secs(2);

/// So many bytes go to the system at once: a full line is noticed by the clock and not by a blocked write.
const SEND_PIECE: usize = 256;

/// The serial devices of this machine, by path.
pub fn ports() -> Vec<String> {
    let ports = serialport::available_ports().unwrap_or_default();
    let mut paths: Vec<String> = ports.into_iter().map(|port| port.port_name).collect();
    paths.sort();
    paths
}

/// The system's words, and what they mean on a serial line.
fn why_closed(error: &serialport::Error) -> String {
    let meaning = match error.kind() {
        serialport::ErrorKind::NoDevice => "busy: another program holds it",
        serialport::ErrorKind::Io(ErrorKind::NotFound) => "there is no such device",
        serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => {
            "no permission: this user is not in the group that may use it (dialout, where nothing else was set up)"
        }
        _ => return error.to_string(),
    };
    format!("{meaning} ({error})")
}

const fn data_bits(framing: Framing) -> DataBits {
    if framing.data_bits() == 7 { DataBits::Seven } else { DataBits::Eight }
}

const fn parity(framing: Framing) -> serialport::Parity {
    match framing.parity() {
        Parity::None => serialport::Parity::None,
        Parity::Even => serialport::Parity::Even,
        Parity::Odd => serialport::Parity::Odd,
    }
}

const fn stop_bits(framing: Framing) -> StopBits {
    if framing.stop_bits() == 2 { StopBits::Two } else { StopBits::One }
}

/// Time on the wire for one character.
fn character(baud: u32, framing: Framing) -> Span {
    Span::from_nanos((1e9 * f64::from(framing.bits()) / f64::from(baud.max(1))).round() as i64)
}

/// An open serial line.
pub struct Serial {
    port: Box<dyn SerialPort>,
    peer: String,
    /// On the wire for one character; nothing on a pseudo-terminal.
    character: Span,
}

impl Serial {
    /// Opens the device at `path` with `baud` and `framing`, no flow control, for this program alone.
    ///
    /// Control lines that cannot be set and a parity that reads back as none (both happen on pseudo-terminals) are no
    /// faults.
    pub fn open(path: &str, baud: u32, framing: Framing) -> Result<Self, Fault> {
        let port = serialport::new(path, baud)
            .data_bits(data_bits(framing))
            .parity(parity(framing))
            .stop_bits(stop_bits(framing))
            .flow_control(FlowControl::None)
            .open()
            .map_err(|error| Fault::NotOpened { peer: path.to_owned(), why: why_closed(&error) })?;
        // A pseudo-terminal takes any speed and keeps none.
        let has_wire = !std::fs::canonicalize(path).is_ok_and(|real| real.starts_with("/dev/pts"));
        let character = if has_wire { character(baud, framing) } else { Span::ZERO };
        Ok(Self { port, peer: path.to_owned(), character })
    }

    fn set_patience(&mut self, patience: Span) -> Result<(), Fault> {
        let set = self.port.set_timeout(patience.to_std());
        set.map_err(|error| Fault::Line { peer: self.peer.clone(), what: error.to_string() })
    }
}

impl Link for Serial {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.set_patience(SEND_PATIENCE + self.airtime(bytes.len()))?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.port.write(&rest[..rest.len().min(SEND_PIECE)]) {
                Ok(0) => return Err(Fault::HungUp { peer: self.peer.clone() }),
                Ok(taken) => rest = &rest[taken..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let stuck = || Fault::Line {
                        peer: self.peer.clone(),
                        what: "the line takes no bytes".to_owned(),
                    };
                    return Err(os_fault(&self.peer, &error).unwrap_or_else(stuck));
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let deadline = now() + patience;
        let mut left = patience;
        loop {
            self.set_patience(left)?;
            match self.port.read(buffer) {
                Ok(0) => return Err(Fault::HungUp { peer: self.peer.clone() }),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => left = deadline - now(),
                Err(error) => return os_fault(&self.peer, &error).map_or(Ok(0), Err),
            }
        }
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        // Reading it away also takes what the kernel has not yet passed on to the terminal; bounded, should it never end.
        let mut waste = [0; 1024];
        for _ in 0..64 {
            if self.receive(&mut waste, Span::ZERO)? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    fn airtime(&self, bytes: usize) -> Span {
        Span::from_nanos(self.character.nanos().saturating_mul(i64::try_from(bytes).unwrap_or(i64::MAX)))
    }

    fn set_line(&mut self, baud: u32, framing: Framing) -> Result<(), Fault> {
        let port = &mut self.port;
        let set = port
            .set_baud_rate(baud)
            .and_then(|()| port.set_data_bits(data_bits(framing)))
            .and_then(|()| port.set_stop_bits(stop_bits(framing)))
            .and_then(|()| port.set_parity(parity(framing)));
        if self.character > Span::ZERO {
            self.character = character(baud, framing);
            return set.map_err(|error| Fault::Line { peer: self.peer.clone(), what: error.to_string() });
        }
        // A pseudo-terminal takes any speed and keeps none; what it refuses it does not need.
        Ok(())
    }
}

/// Holds the device side of a [`pseudo_terminal`] open, so that the other side does not hang up between two visitors.
pub struct KeptOpen {
    _device: TTYPort,
}

/// A serial line made of nothing, in raw mode: our side as a link, the device file others open, and what keeps it open.
pub fn pseudo_terminal() -> Result<(Box<dyn Link>, PathBuf, KeptOpen), Fault> {
    let not_opened = |why: String| Fault::NotOpened { peer: "pseudo-terminal".to_owned(), why };
    let (ours, device) = TTYPort::pair().map_err(|error| not_opened(error.to_string()))?;
    let path = device.name().ok_or_else(|| not_opened("the system gave it no name".to_owned()))?;
    let link = Serial { port: Box::new(ours), peer: format!("behind {path}"), character: Span::ZERO };
    Ok((Box::new(link), Path::new(&path).to_owned(), KeptOpen { _device: device }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Span = Span::from_secs(5);

    fn opened() -> (Box<dyn Link>, Serial, KeptOpen) {
        let (ours, path, kept) = pseudo_terminal().unwrap();
        let theirs = Serial::open(path.to_str().unwrap(), 9600, Framing::EIGHT_EVEN_ONE).unwrap();
        (ours, theirs, kept)
    }

    #[test]
    fn every_byte_passes_a_pseudo_terminal_unchanged() {
        let (mut ours, mut theirs, _kept) = opened();
        let all: Vec<u8> = (0..=255).collect();
        ours.send(&all).unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 64];
        while seen.len() < all.len() {
            let count = theirs.receive(&mut buffer, PATIENCE).unwrap();
            assert_ne!(count, 0);
            seen.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(seen, all);
        theirs.send(b"\x68\x0A\x0D\x16").unwrap();
        let count = ours.receive(&mut buffer, PATIENCE).unwrap();
        assert_eq!(&buffer[..count], b"\x68\x0A\x0D\x16");
    }

    #[test]
    fn silence_is_no_fault() {
        let (_ours, mut theirs, _kept) = opened();
        assert_eq!(theirs.receive(&mut [0; 8], Span::from_millis(1)), Ok(0));
        assert_eq!(theirs.receive(&mut [0; 8], Span::ZERO), Ok(0));
    }

    #[test]
    fn a_closed_pseudo_terminal_has_hung_up() {
        let (ours, mut theirs, kept) = opened();
        drop((ours, kept));
        let peer = theirs.peer().to_owned();
        assert_eq!(theirs.receive(&mut [0; 8], PATIENCE), Err(Fault::HungUp { peer: peer.clone() }));
        assert_eq!(theirs.send(b"x"), Err(Fault::HungUp { peer }));
    }

    #[test]
    fn a_visitor_may_leave_and_another_come() {
        let (mut ours, theirs, _kept) = opened();
        let path = theirs.peer().to_owned();
        drop(theirs);
        assert_eq!(ours.receive(&mut [0; 8], Span::from_millis(1)), Ok(0));
        let mut next = Serial::open(&path, 2400, Framing::EIGHT_NONE_ONE).unwrap();
        next.send(b"here").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(ours.receive(&mut buffer, PATIENCE), Ok(4));
    }

    #[test]
    fn what_was_waiting_can_be_thrown_away() {
        let (mut ours, mut theirs, _kept) = opened();
        ours.send(b"stale").unwrap();
        let mut first = [0; 1];
        assert_eq!(theirs.receive(&mut first, PATIENCE), Ok(1));
        theirs.discard_input().unwrap();
        assert_eq!(theirs.receive(&mut [0; 8], Span::ZERO), Ok(0));
    }
}
