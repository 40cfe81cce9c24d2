//! Devices that speak in datagrams: each send is one datagram, each receive gives at most one.

use super::{Address, Fault, Link, os_fault};
use crate::time::{Span, now};
use std::io::ErrorKind;
use std::net::{ToSocketAddrs, UdpSocket};

/// The longest datagram that is taken, in bytes; UDP has no longer ones.
const DATAGRAM_MAX: usize = 65_507;
/// Stale datagrams that are thrown away at once; an honest device has fewer on the way.
const STALE_MAX: usize = 64;

/// A socket that hears one device alone.
pub struct Udp {
    socket: UdpSocket,
    peer: String,
    /// What of a datagram did not fit into the buffer it was asked into.
    rest: Vec<u8>,
}

impl Udp {
    /// Names the device at `host` and `port`. Nothing is sent: whether it is there shows with the first answer.
    pub fn open(host: &str, port: u16) -> Result<Self, Fault> {
        let peer = Address::Udp { host: host.to_owned(), port }.to_string();
        let not_opened = |why: String| Fault::NotOpened { peer: peer.clone(), why };
        let places = (host, port).to_socket_addrs().map_err(|error| not_opened(error.to_string()))?;
        let mut why = "the name stands for no address".to_owned();
        for place in places {
            let own = if place.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            // A device on this machine is asked from this machine's loopback alone.
            let own = match (place.ip().is_loopback(), place.is_ipv4()) {
                (true, true) => "127.0.0.1:0",
                (true, false) => "[::1]:0",
                _ => own,
            };
            let socket = UdpSocket::bind(own).and_then(|socket| socket.connect(place).map(|()| socket));
            match socket {
                Ok(socket) => return Ok(Self { socket, peer, rest: vec![] }),
                Err(error) => why = error.to_string(),
            }
        }
        Err(not_opened(why))
    }

    fn line(&self, error: &std::io::Error) -> Fault {
        Fault::Line { peer: self.peer.clone(), what: error.to_string() }
    }
}

impl Link for Udp {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self.socket.send(bytes) {
            Ok(sent) if sent == bytes.len() => Ok(()),
            Ok(sent) => {
                let what = format!("only {sent} of {} bytes went into the datagram", bytes.len());
                Err(Fault::Line { peer: self.peer.clone(), what })
            }
            Err(error) => Err(self.line(&error)),
        }
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let deadline = now() + patience;
        while self.rest.is_empty() {
            let left = deadline - now();
            self.socket.set_nonblocking(left <= Span::ZERO).map_err(|error| self.line(&error))?;
            if left > Span::ZERO {
                self.socket.set_read_timeout(Some(left.to_std())).map_err(|error| self.line(&error))?;
            }
            let mut datagram = vec![0; DATAGRAM_MAX];
            match self.socket.recv(&mut datagram) {
                Ok(count) => {
                    datagram.truncate(count);
                    self.rest = datagram;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The other machine says that nobody listens at this port.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    return Err(Fault::HungUp { peer: self.peer.clone() });
                }
                Err(error) => return os_fault(&self.peer, &error).map_or(Ok(0), Err),
            }
        }
        let count = buffer.len().min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        self.rest.clear();
        for _ in 0..STALE_MAX {
            match self.receive(&mut [0; 1], Span::ZERO) {
                Ok(0) => return Ok(()),
                Ok(_) | Err(Fault::HungUp { .. }) => self.rest.clear(),
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    fn peer(&self) -> &str {
        &self.peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Span = Span::from_secs(5);

    fn joined() -> (Udp, UdpSocket) {
        let device = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut link = Udp::open("127.0.0.1", device.local_addr().unwrap().port()).unwrap();
        link.send(b"hello").unwrap();
        let (_, from) = device.recv_from(&mut [0; 8]).unwrap();
        device.connect(from).unwrap();
        (link, device)
    }

    #[test]
    fn datagrams_come_one_by_one_and_a_small_buffer_loses_nothing() {
        let (mut link, device) = joined();
        device.send(b"abcdef").unwrap();
        device.send(b"gh").unwrap();
        let mut buffer = [0; 4];
        assert_eq!(link.receive(&mut buffer, PATIENCE), Ok(4));
        assert_eq!(&buffer, b"abcd");
        assert_eq!(link.receive(&mut buffer, PATIENCE), Ok(2));
        assert_eq!(&buffer[..2], b"ef");
        assert_eq!(link.receive(&mut buffer, PATIENCE), Ok(2));
        assert_eq!(link.receive(&mut buffer, Span::from_millis(1)), Ok(0));
    }

    #[test]
    fn stale_datagrams_can_be_thrown_away() {
        let (mut link, device) = joined();
        for _ in 0..3 {
            device.send(b"stale").unwrap();
        }
        assert_eq!(link.receive(&mut [0; 2], PATIENCE), Ok(2));
        link.discard_input().unwrap();
        assert_eq!(link.receive(&mut [0; 8], Span::ZERO), Ok(0));
    }
}
