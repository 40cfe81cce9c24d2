//! A line of bytes to a device: serial, TCP, UDP, or a stand-in for one; whoever speaks a protocol sees only [`Link`].
//!
//! The stand-ins are peers of the real thing: [`loopback`] joins two ends in memory, [`recorder`] notes every transfer,
//! [`journal`] keeps the notes on disk, [`replay`] plays such notes back, [`reopening`] opens a lost line again,
//! [`fault_injector`] damages what passes. [`lines`] reads text lines over any of them, [`http`] asks a web server's
//! questions, [`tls`] enciphers.

pub mod address;
pub mod fault_injector;
pub mod hex;
pub mod http;
pub mod journal;
pub mod lines;
pub mod loopback;
pub mod modbus;
pub mod provenance;
pub mod recorder;
pub mod reopening;
pub mod replay;
pub mod scpi;
pub mod serial;
pub mod tcp;
pub mod tls;
pub mod udp;

pub use address::{Address, Framing, Parity};
pub use lines::Lines;
pub use provenance::Provenance;

use crate::time::Span;

/// How long a TCP device may take to accept a connection.
pub const CONNECT_PATIENCE: Span = Span::from_secs(5);

/// One end of a line of bytes.
pub trait Link: Send {
    /// Sends all of `bytes`. May return before they have left the machine.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault>;

    /// Waits for at least one byte, `patience` at most, and gives the number of bytes put at the front of `buffer`;
    /// `Ok(0)` is silence for `patience` (or a buffer without room).
    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault>;

    /// Throws away what has arrived and was not read yet.
    fn discard_input(&mut self) -> Result<(), Fault>;

    /// The other side, for messages: `/dev/ttyUSB0`, `tcp:127.0.0.1:5025`.
    fn peer(&self) -> &str;

    /// How long `bytes` bytes are on the wire at the speed of the line; nothing where there is no such speed.
    fn airtime(&self, bytes: usize) -> Span {
        let _ = bytes;
        Span::ZERO
    }

    /// Sets speed and framing of an open line; a line that has neither takes it as done.
    fn set_line(&mut self, baud: u32, framing: Framing) -> Result<(), Fault> {
        let _ = (baud, framing);
        Ok(())
    }
}

impl<L: Link + ?Sized> Link for Box<L> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        (**self).send(bytes)
    }
    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        (**self).receive(buffer, patience)
    }
    fn discard_input(&mut self) -> Result<(), Fault> {
        (**self).discard_input()
    }
    fn peer(&self) -> &str {
        (**self).peer()
    }
    fn airtime(&self, bytes: usize) -> Span {
        (**self).airtime(bytes)
    }
    fn set_line(&mut self, baud: u32, framing: Framing) -> Result<(), Fault> {
        (**self).set_line(baud, framing)
    }
}

/// Opens the line that `address` names.
pub fn open(address: &Address) -> Result<Box<dyn Link>, Fault> {
    Ok(match address {
        Address::Serial { path, baud, framing } => Box::new(serial::Serial::open(path, *baud, *framing)?),
        Address::Tcp { host, port } => Box::new(tcp::Tcp::connect(host, *port, CONNECT_PATIENCE)?),
        Address::Udp { host, port } => Box::new(udp::Udp::open(host, *port)?),
        Address::Web(server) => server.open()?,
    })
}

/// Why a line did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A text that names no line.
    #[error("`{seen}` names no line: {why}; write /dev/ttyUSB0,9600,8E1 or tcp:HOST:PORT or udp:HOST:PORT")]
    BadAddress {
        /// What was written.
        seen: String,
        /// What is wrong with it.
        why: String,
    },
    /// The line could not be opened.
    #[error(
        "{peer} could not be opened: {why}; check cable, name, rights and that no other program holds it"
    )]
    NotOpened {
        /// The line.
        peer: String,
        /// The system's own words.
        why: String,
    },
    /// The other side closed the line.
    #[error("{peer} hung up: the other side closed the line; check cable and power, then open it again")]
    HungUp {
        /// The line.
        peer: String,
    },
    /// The system refused a transfer.
    #[error("{peer} failed: {what}; check cable and adapter, then open it again")]
    Line {
        /// The line.
        peer: String,
        /// The system's own words.
        what: String,
    },
    /// A question in text got no answer.
    #[error(
        "{peer} gave no whole line within {patience} after `{asked}` (seen: `{seen}`); check power and address"
    )]
    Silent {
        /// The line.
        peer: String,
        /// What was asked.
        asked: String,
        /// The part of a line that came.
        seen: String,
        /// How long was waited.
        patience: Span,
    },
    /// A text line without end.
    #[error(
        "{peer} sent a line longer than the {limit} bytes allowed, beginning `{seen}`; is it another device?"
    )]
    LineTooLong {
        /// The line.
        peer: String,
        /// The longest allowed, in bytes.
        limit: usize,
        /// How it begins.
        seen: String,
    },
    /// A text line that is no text.
    #[error("{peer} sent bytes that are no UTF-8 text: {seen}; check baud rate and framing")]
    NotText {
        /// The line.
        peer: String,
        /// The bytes.
        seen: String,
    },
    /// A line of a recorded log that cannot be read.
    #[error(
        "line {number} of the log is `{seen}`; it must be `<nanoseconds> > 68 AA …` (sent) or `<` (received)"
    )]
    LogUnreadable {
        /// Counted from 1.
        number: usize,
        /// The line.
        seen: String,
    },
    /// A replayed session went another way than the recorded one.
    #[error(
        "{peer}: transfer {transfer} of the log is `{recorded}`, but `{seen}` was sent; replay with the program and settings of the recording"
    )]
    NotAsRecorded {
        /// The line.
        peer: String,
        /// Counted from 1.
        transfer: usize,
        /// What the log holds there.
        recorded: String,
        /// What was sent instead.
        seen: String,
    },
}

/// The errors of the operating system in this module's words; what is no fault but a wait without bytes is `None`.
fn os_fault(peer: &str, error: &std::io::Error) -> Option<Fault> {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::TimedOut | K::WouldBlock => None,
        K::BrokenPipe | K::ConnectionReset | K::ConnectionAborted | K::UnexpectedEof | K::NotConnected => {
            Some(Fault::HungUp { peer: peer.to_owned() })
        }
        _ => Some(Fault::Line { peer: peer.to_owned(), what: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_said_with_its_name() {
        let address: Address = "/dev/no-such-line,9600,8E1".parse().unwrap();
        let fault = open(&address).err().unwrap();
        assert!(matches!(fault, Fault::NotOpened { .. }));
        assert!(fault.to_string().starts_with("/dev/no-such-line could not be opened"), "{fault}");
    }
}
