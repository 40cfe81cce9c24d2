//! Tells systemd that the program is ready and alive (`man 3 sd_notify`): a datagram to the socket that it names.
//!
//! `WATCHDOG=1` must come before `WATCHDOG_USEC` is over, and systemd advises half of it; it is told by the conductor
//! itself, so that a conductor that hangs is killed and started anew, and the heartbeat has stopped long before.

use crate::time::{Instant, Span};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Why systemd cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The socket.
    #[error("systemd named the socket {socket} in NOTIFY_SOCKET, but it cannot be reached: {why}")]
    Socket {
        /// Its name.
        socket: String,
        /// The system's words.
        why: String,
    },
}

/// The line to systemd, if it started this program.
#[derive(Debug)]
pub struct Notify {
    socket: Option<UnixDatagram>,
    /// How often it wants to hear of us.
    every: Option<Span>,
    next: Instant,
}

impl Notify {
    /// By the variables that systemd sets; without them nobody wants to know.
    pub fn from_environment() -> Result<Self, Fault> {
        let variable = |name: &str| std::env::var(name).ok();
        // A watchdog that is meant for another process is not ours.
        let ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let micros = variable("WATCHDOG_USEC").filter(|_| ours).and_then(|usec| usec.parse::<i64>().ok());
        Self::to(variable("NOTIFY_SOCKET").as_deref(), micros)
    }

    /// To a socket: a path, or an abstract name with `@` before it.
    pub fn to(socket: Option<&str>, watchdog_micros: Option<i64>) -> Result<Self, Fault> {
        let connected = |name: &str| -> std::io::Result<UnixDatagram> {
            let socket = UnixDatagram::unbound()?;
            match name.strip_prefix('@') {
                Some(name) => {
                    use std::os::linux::net::SocketAddrExt;
                    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                    socket.connect_addr(&address)?;
                }
                None => socket.connect(PathBuf::from(name))?,
            }
            // A systemd that does not read must not hold the conductor up.
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let socket = match socket {
            None => None,
            Some(name) => Some(
                connected(name).map_err(|e| Fault::Socket { socket: name.to_owned(), why: e.to_string() })?,
            ),
        };
        let every = watchdog_micros.filter(|micros| *micros > 0).map(|micros| Span::from_nanos(micros * 500));
        Ok(Self { socket, every, next: Instant::ZERO })
    }

    fn tell(&self, words: &str) {
        // One that is lost is followed by the next.
        let _ = self.socket.as_ref().map(|socket| socket.send(words.as_bytes()));
    }

    /// The run begins.
    pub fn ready(&self) {
        self.tell("READY=1\nSTATUS=verification under way");
    }

    /// A sign of life, as often as it is wanted.
    pub fn alive(&mut self, at: Instant) {
        let Some(every) = self.every else { return };
        if at >= self.next {
            self.next = at + every;
            self.tell("WATCHDOG=1");
        }
    }

    /// The run is over; what is left is writing. `STOPPING=1` alone does not end systemd's watch (seen with systemd
    /// 252: it kills a process that says so and writes on), a period of 0 does.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nWATCHDOG_USEC=0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_hears_ready_then_a_sign_of_life_twice_a_watchdog_period() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        systemd.set_nonblocking(true).unwrap();
        let heard = || {
            let mut buffer = [0; 200];
            systemd.recv(&mut buffer).map(|n| String::from_utf8_lossy(&buffer[..n]).into_owned()).ok()
        };
        let mut notify = Notify::to(path.to_str(), Some(2_000_000)).unwrap();
        let at = |millis| Instant::ZERO + Span::from_millis(millis);
        notify.ready();
        notify.alive(at(10));
        notify.alive(at(1009));
        notify.alive(at(1010));
        notify.stopping();
        assert!(heard().unwrap().starts_with("READY=1\n"));
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1"));
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1"));
        assert_eq!(heard().as_deref(), Some("STOPPING=1\nWATCHDOG_USEC=0"));
        assert_eq!(heard(), None);
    }

    #[test]
    fn without_systemd_nobody_is_told_and_a_socket_that_is_not_there_is_a_fault() {
        let mut notify = Notify::to(None, None).unwrap();
        notify.ready();
        notify.alive(Instant::ZERO);
        let fault = Notify::to(Some("/nowhere/notify"), None).unwrap_err();
        assert!(fault.to_string().contains("/nowhere/notify"), "{fault}");
    }
}
