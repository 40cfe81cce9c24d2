//! Which line: a serial device, a TCP or UDP port or a web server, as one text.

use super::Fault;
use super::http::Server;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The speed where none is written, in baud: what chargers' meters are usually set to.
pub const DEFAULT_BAUD: u32 = 9600;

/// Slowest and fastest speed that is believed, in baud.
const BAUD_RANGE: std::ops::RangeInclusive<u32> = 50..=4_000_000;

/// Where a device is reached. Written `/dev/ttyUSB0,9600,8E1` (speed and framing may be left out),
/// `tcp:HOST:PORT` or `http://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// RS-485, RS-232, an optical head or a pseudo-terminal.
    Serial {
        /// The device file.
        path: String,
        /// Speed in baud.
        baud: u32,
        /// Bits of a character.
        framing: Framing,
    },
    /// A device, or a serial device server, in the network.
    Tcp {
        /// Name or number; an IPv6 number stands without its brackets here.
        host: String,
        /// 1..=65535.
        port: u16,
    },
    /// A device that speaks in datagrams.
    Udp {
        /// Name or number; an IPv6 number stands without its brackets here.
        host: String,
        /// 1..=65535.
        port: u16,
    },
    /// A device with a web server; each question opens a connection of its own.
    Web(Server),
}

/// The bits of a character: `8E1` is eight data bits, even parity, one stop bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Framing {
    data_bits: u8,
    parity: Parity,
    stop_bits: u8,
}

/// The parity bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parity {
    /// N: there is none.
    None,
    /// E.
    Even,
    /// O.
    Odd,
}

impl Framing {
    /// DL/T 645 and most Chinese meters.
    pub const EIGHT_EVEN_ONE: Self = Self { data_bits: 8, parity: Parity::Even, stop_bits: 1 };
    /// Most instruments.
    pub const EIGHT_NONE_ONE: Self = Self { data_bits: 8, parity: Parity::None, stop_bits: 1 };

    /// 7 or 8.
    pub const fn data_bits(self) -> u8 {
        self.data_bits
    }

    /// The parity bit.
    pub const fn parity(self) -> Parity {
        self.parity
    }

    /// 1 or 2.
    pub const fn stop_bits(self) -> u8 {
        self.stop_bits
    }

    /// Bits on the wire for one character, start bit included: 9..=12.
    pub const fn bits(self) -> u8 {
        let parity = if matches!(self.parity, Parity::None) { 0 } else { 1 };
        1 + self.data_bits + parity + self.stop_bits
    }
}

impl Default for Framing {
    /// 8E1.
    fn default() -> Self {
        Self::EIGHT_EVEN_ONE
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{}{parity}{}", self.data_bits, self.stop_bits)
    }
}

impl FromStr for Framing {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = || bad(text, "the framing is 7 or 8, then N, E or O, then 1 or 2, such as 8E1");
        let [data, parity, stop] = text.as_bytes() else { return Err(wrong()) };
        Ok(Self {
            data_bits: match data {
                b'7' => 7,
                b'8' => 8,
                _ => return Err(wrong()),
            },
            parity: match parity {
                b'N' | b'n' => Parity::None,
                b'E' | b'e' => Parity::Even,
                b'O' | b'o' => Parity::Odd,
                _ => return Err(wrong()),
            },
            stop_bits: match stop {
                b'1' => 1,
                b'2' => 2,
                _ => return Err(wrong()),
            },
        })
    }
}

fn bad(seen: &str, why: &str) -> Fault {
    Fault::BadAddress { seen: seen.to_owned(), why: why.to_owned() }
}

impl FromStr for Address {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("tcp:") {
            return place(text, rest).map(|(host, port)| Self::Tcp { host, port });
        }
        if let Some(rest) = text.strip_prefix("udp:") {
            return place(text, rest).map(|(host, port)| Self::Udp { host, port });
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return text.parse().map(Self::Web);
        }
        let mut parts = text.split(',').map(str::trim);
        let path = parts.next().unwrap_or_default();
        if !(path.starts_with('/') || path.starts_with("COM")) {
            return Err(bad(text, "a serial device begins with / and a network device with tcp: or udp:"));
        }
        let baud = match parts.next() {
            None | Some("") => DEFAULT_BAUD,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|baud| BAUD_RANGE.contains(baud))
                .ok_or_else(|| bad(text, "the speed is a whole number of baud, 50 to 4000000"))?,
        };
        let framing = match parts.next() {
            None | Some("") => Framing::default(),
            Some(framing) => framing.parse().map_err(|fault| match fault {
                Fault::BadAddress { why, .. } => Fault::BadAddress { seen: text.to_owned(), why },
                other => other,
            })?,
        };
        match parts.next() {
            None => Ok(Self::Serial { path: path.to_owned(), baud, framing }),
            Some(_) => Err(bad(text, "there are at most three parts: device, speed, framing")),
        }
    }
}

/// Host and port.
fn place(text: &str, rest: &str) -> Result<(String, u16), Fault> {
    let (host, port) = rest.rsplit_once(':').ok_or_else(|| bad(text, "the port is missing"))?;
    let port = port.parse().ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| bad(text, "the port is a number from 1 to 65535"))?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(bad(text, "the host is missing"));
    }
    if bare.is_none() && host.contains(':') {
        return Err(bad(text, "an IPv6 number stands in brackets, tcp:[::1]:5025"));
    }
    Ok((host.to_owned(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { path, baud, framing } => write!(f, "{path},{baud},{framing}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Udp { host, port } if host.contains(':') => write!(f, "udp:[{host}]:{port}"),
            Self::Udp { host, port } => write!(f, "udp:{host}:{port}"),
            Self::Web(server) => write!(f, "{server}"),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_its_own_text() {
        for text in [
            "/dev/ttyUSB0,9600,8E1",
            "/dev/ttyAMA0,2400,7O2",
            "tcp:127.0.0.1:5025",
            "tcp:[::1]:6320",
            "udp:192.168.1.105:24433",
            "https://192.168.1.2:443",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let by_path = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0";
        assert_eq!(by_path.parse::<Address>().unwrap().to_string(), format!("{by_path},9600,8E1"));
        assert_eq!("/dev/ttyUSB0,19200".parse::<Address>().unwrap().to_string(), "/dev/ttyUSB0,19200,8E1");
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        for (text, part) in [
            ("ttyUSB0", "begins with /"),
            ("/dev/ttyUSB0,fast", "number of baud"),
            ("/dev/ttyUSB0,9600,9E1", "8E1"),
            ("/dev/ttyUSB0,9600,8E1,x", "three parts"),
            ("tcp:5025", "port is missing"),
            ("tcp:host:0", "1 to 65535"),
            ("tcp:host:70000", "1 to 65535"),
            ("tcp::5025", "host is missing"),
            ("tcp:::1:5025", "brackets"),
        ] {
            let fault = text.parse::<Address>().unwrap_err().to_string();
            assert!(fault.contains(part) && fault.contains(text), "{fault}");
        }
    }

    #[test]
    fn a_character_of_8e1_is_eleven_bits() {
        assert_eq!(Framing::EIGHT_EVEN_ONE.bits(), 11);
        assert_eq!(Framing::EIGHT_NONE_ONE.bits(), 10);
    }
}
