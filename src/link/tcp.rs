//! Devices in the network: bytes over TCP.

use super::{Address, Fault, Link, os_fault};
use crate::time::{Span, now};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

/// How long the other side may refuse to take bytes.
const SEND_PATIENCE: Span = Span::from_secs(5);

/// An open connection.
pub struct Tcp {
    stream: TcpStream,
    peer: String,
}

impl Tcp {
    /// Connects to `host` (name or number) and `port`, waiting `limit` at most for each address the name stands for.
    pub fn connect(host: &str, port: u16, limit: Span) -> Result<Self, Fault> {
        let peer = Address::Tcp { host: host.to_owned(), port }.to_string();
        let not_opened = |why: String| Fault::NotOpened { peer: peer.clone(), why };
        let places = (host, port).to_socket_addrs().map_err(|error| not_opened(error.to_string()))?;
        let mut why = "the name stands for no address".to_owned();
        for place in places {
            match TcpStream::connect_timeout(&place, limit.to_std().max(Span::from_millis(1).to_std())) {
                Ok(stream) => return Self::over(stream, peer),
                Err(error) => why = why_closed(&error),
            }
        }
        Err(not_opened(why))
    }

    /// Takes a connection that somebody else made, as a server does.
    pub fn from_stream(stream: TcpStream) -> Result<Self, Fault> {
        let peer = stream.peer_addr().map_or_else(|_| "tcp:?".to_owned(), |place| format!("tcp:{place}"));
        Self::over(stream, peer)
    }

    fn over(stream: TcpStream, peer: String) -> Result<Self, Fault> {
        let set = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_nodelay(true))
            .and_then(|()| stream.set_write_timeout(Some(SEND_PATIENCE.to_std())));
        match set {
            Ok(()) => Ok(Self { stream, peer }),
            Err(error) => Err(Fault::NotOpened { peer, why: error.to_string() }),
        }
    }

    fn hung_up(&self) -> Fault {
        Fault::HungUp { peer: self.peer.clone() }
    }

    fn line(&self, error: &std::io::Error) -> Fault {
        Fault::Line { peer: self.peer.clone(), what: error.to_string() }
    }

    /// What is there now, without waiting; 0 when nothing is.
    fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.stream.set_nonblocking(true).map_err(|error| self.line(&error))?;
        let read = self.stream.read(buffer);
        self.stream.set_nonblocking(false).map_err(|error| self.line(&error))?;
        match read {
            Ok(0) => Err(self.hung_up()),
            Ok(count) => Ok(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => os_fault(&self.peer, &error).map_or(Ok(0), Err),
        }
    }
}

/// The system's words, and what they mean in a network.
fn why_closed(error: &std::io::Error) -> String {
    let meaning = match error.kind() {
        ErrorKind::ConnectionRefused => "the host is there, but nobody listens at this port",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "the host does not answer",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to this host",
        _ => return error.to_string(),
    };
    format!("{meaning} ({error})")
}

impl Link for Tcp {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).map_err(|error| {
            let stuck =
                || Fault::Line { peer: self.peer.clone(), what: "the other side takes no bytes".to_owned() };
            os_fault(&self.peer, &error).unwrap_or_else(stuck)
        })
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let deadline = now() + patience;
        let mut left = patience;
        loop {
            if left <= Span::ZERO {
                return self.take(buffer);
            }
            self.stream.set_read_timeout(Some(left.to_std())).map_err(|error| self.line(&error))?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(self.hung_up()),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => left = deadline - now(),
                Err(error) => return os_fault(&self.peer, &error).map_or(Ok(0), Err),
            }
        }
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        let mut waste = [0; 1024];
        for _ in 0..64 {
            if self.take(&mut waste)? == 0 {
                break;
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
    use std::net::TcpListener;

    const PATIENCE: Span = Span::from_secs(5);

    fn joined() -> (Tcp, Tcp) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = Tcp::connect("127.0.0.1", port, PATIENCE).unwrap();
        (client, Tcp::from_stream(listener.accept().unwrap().0).unwrap())
    }

    #[test]
    fn bytes_go_both_ways_and_silence_is_no_fault() {
        let (mut client, mut server) = joined();
        client.send(b"*IDN?\n").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.receive(&mut buffer, PATIENCE), Ok(6));
        assert_eq!(&buffer[..6], b"*IDN?\n");
        assert_eq!(client.receive(&mut buffer, Span::from_millis(1)), Ok(0));
        assert_eq!(client.receive(&mut buffer, Span::ZERO), Ok(0));
        assert!(client.discard_input().is_ok());
    }

    #[test]
    fn the_end_of_the_stream_is_a_hang_up() {
        let (mut client, server) = joined();
        let peer = client.peer().to_owned();
        drop(server);
        assert_eq!(client.receive(&mut [0; 8], PATIENCE), Err(Fault::HungUp { peer }));
    }

    #[test]
    fn what_was_waiting_can_be_thrown_away() {
        let (mut client, mut server) = joined();
        server.send(b"stale").unwrap();
        assert_eq!(client.receive(&mut [0; 1], PATIENCE), Ok(1));
        client.discard_input().unwrap();
        assert_eq!(client.receive(&mut [0; 8], Span::ZERO), Ok(0));
    }

    #[test]
    fn nobody_there_is_said_with_the_address() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let fault = Tcp::connect("127.0.0.1", port, PATIENCE).err().unwrap();
        assert!(
            fault.to_string().starts_with(&format!("tcp:127.0.0.1:{port} could not be opened")),
            "{fault}"
        );
    }
}
