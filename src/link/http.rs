//! One question to a device that speaks HTTP/1.1 (RFC 9112), over any [`Link`]; every byte is kept.
//!
//! A connection serves one question: small devices are not sure to keep it open. The head is read by `httparse`.

use super::tls::{Fingerprint, Tls};
use super::{CONNECT_PATIENCE, Fault, Link, tcp};
use crate::time::{Span, now};
use std::fmt::{self, Write};
use std::str::FromStr;

/// The longest head that is read.
const HEAD_MAX: usize = 16 * 1024;
/// The longest body that is read; a device's answer is some kilobytes.
const BODY_MAX: usize = 1 << 20;
/// Fields of a head.
const FIELDS_MAX: usize = 64;

/// Where a web server is: `http://192.168.1.2`, `https://192.168.1.2:443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    host: String,
    port: u16,
    tls: bool,
    fingerprint: Option<Fingerprint>,
}

impl FromStr for Server {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let refuse = |why: &str| Fault::BadAddress { seen: text.to_owned(), why: why.to_owned() };
        let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(refuse("a web server is written http://HOST:PORT or https://HOST:PORT")),
        };
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| refuse("the port is no number to 65535"))?),
            None => (rest, if tls { 443 } else { 80 }),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if host.is_empty() || port == 0 || !host.chars().all(plain) {
            return Err(refuse("host and port are all that stands there"));
        }
        Ok(Self { host: host.to_owned(), port, tls, fingerprint: None })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl Server {
    /// The same one, known by the fingerprint of its certificate. A fingerprint where nothing is enciphered is refused:
    /// who gives one wants to be sure.
    pub fn pinned(self, fingerprint: Option<Fingerprint>) -> Result<Self, Fault> {
        if fingerprint.is_some() && !self.tls {
            let why = "a fingerprint of a certificate is given, but no TLS (https://)".to_owned();
            return Err(Fault::BadAddress { seen: self.to_string(), why });
        }
        Ok(Self { fingerprint, ..self })
    }

    /// Opens a connection.
    pub fn open(&self) -> Result<Box<dyn Link>, Fault> {
        let line = || Ok(Box::new(tcp::Tcp::connect(&self.host, self.port, CONNECT_PATIENCE)?));
        if !self.tls {
            return Ok(line()?);
        }
        match Tls::open(line()?, &self.host, self.fingerprint, false) {
            Ok(tls) => Ok(Box::new(tls)),
            // A device with a short RSA key cannot sign in TLS 1.3. The certificate is the pinned one either way.
            Err(_) if self.fingerprint.is_some() => {
                Ok(Box::new(Tls::open(line()?, &self.host, self.fingerprint, true)?))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Host and port, as a question names them.
    pub fn host(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens a connection, asks, and waits for the whole answer.
    pub fn ask(&self, request: &Request, patience: Span) -> Result<Exchanged, Fault> {
        let mut line = self.open()?;
        exchange(&mut *line, &self.host(), request, patience)
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// GET, POST, PUT.
    pub method: &'static str,
    /// Path and query: `/v1/status`.
    pub target: &'a str,
    /// JSON that goes with it.
    pub body: Option<String>,
}

impl Request<'_> {
    /// Its bytes, to the device of this name.
    pub fn emit(&self, host: &str) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        text.push_str("Accept: */*\r\nConnection: close\r\n");
        if let Some(body) = &self.body {
            let _ = write!(text, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        text.push_str("\r\n");
        text.push_str(self.body.as_deref().unwrap_or_default());
        text.into_bytes()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 200, 404 …
    pub status: u16,
    /// Its body, taken out of what carried it.
    pub body: Vec<u8>,
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    After(usize),
    Chunked,
    WithTheLine,
}

/// What can be said of the bytes so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// More must come.
    Partial,
    /// The answer is whole.
    Whole(Response),
}

/// Reads an answer; `closed` says that no more will come. What is no HTTP is refused with the reason.
pub fn parse(bytes: &[u8], closed: bool) -> Result<Parsed, String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let begin = match head.parse(bytes) {
        Ok(httparse::Status::Complete(begin)) => begin,
        Ok(httparse::Status::Partial) if bytes.len() > HEAD_MAX => {
            return Err(format!("its head is longer than {HEAD_MAX} bytes"));
        }
        Ok(httparse::Status::Partial) if closed => return Err("its head was cut off".into()),
        Ok(httparse::Status::Partial) => return Ok(Parsed::Partial),
        Err(fault) => return Err(format!("no HTTP: {fault}")),
    };
    let status = head.code.ok_or("no status")?;
    if status < 200 && status != 101 {
        // 100 Continue and its like stand before the answer.
        return parse(&bytes[begin..], closed);
    }
    let mut ends = Ends::WithTheLine;
    for field in head.headers.iter() {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(format!("a transfer encoding `{value}` that is not read"));
            }
            ends = Ends::Chunked;
        } else if field.name.eq_ignore_ascii_case("content-length") && ends != Ends::Chunked {
            let length: usize = value.parse().map_err(|_| format!("a length of `{value}`"))?;
            if ends != Ends::WithTheLine && ends != Ends::After(length) {
                return Err("two lengths that differ".into());
            }
            if length > BODY_MAX {
                return Err(format!("a body of {length} bytes; at most {BODY_MAX} are read"));
            }
            ends = Ends::After(length);
        }
    }
    let rest = &bytes[begin..];
    if rest.len() > BODY_MAX * 2 {
        return Err(format!("a body beyond {BODY_MAX} bytes"));
    }
    let body = match ends {
        _ if status == 204 || status == 304 => Some(vec![]),
        Ends::After(length) => rest.get(..length).map(<[u8]>::to_vec),
        Ends::Chunked => chunks(rest)?,
        Ends::WithTheLine => closed.then(|| rest.to_vec()),
    };
    match body {
        Some(body) => Ok(Parsed::Whole(Response { status, body })),
        None if closed => Err("its body was cut off".into()),
        None => Ok(Parsed::Partial),
    }
}

/// The body out of its chunks; `None` while the last is not there.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut body = vec![];
    loop {
        let (begin, length) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err("a chunk without a size".into()),
        };
        if length == 0 {
            return Ok(Some(body));
        }
        let length = usize::try_from(length).ok().filter(|length| body.len() + length <= BODY_MAX);
        let length = length.ok_or_else(|| format!("a body beyond {BODY_MAX} bytes"))?;
        let Some(chunk) = rest.get(begin..begin + length) else { return Ok(None) };
        body.extend_from_slice(chunk);
        match rest.get(begin + length..begin + length + 2) {
            Some(b"\r\n") => rest = &rest[begin + length + 2..],
            Some(_) => return Err("a chunk that is longer than its size".into()),
            None => return Ok(None),
        }
    }
}

/// What a question brought: the bytes both ways, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// Sent.
    pub request: Vec<u8>,
    /// Received.
    pub reply: Vec<u8>,
    /// The answer.
    pub response: Response,
}

/// Asks and waits for the whole answer, `patience` at most.
pub fn exchange(
    link: &mut dyn Link,
    host: &str,
    request: &Request,
    patience: Span,
) -> Result<Exchanged, Fault> {
    let asked = || format!("{} {}", request.method, request.target);
    let sent = request.emit(host);
    link.send(&sent)?;
    let deadline = now() + patience;
    let mut reply = vec![];
    let mut buffer = [0; 4096];
    loop {
        let left = deadline - now();
        let seen = |reply: &[u8]| String::from_utf8_lossy(&reply[..reply.len().min(60)]).into_owned();
        if left <= Span::ZERO {
            let (peer, seen) = (link.peer().to_owned(), seen(&reply));
            return Err(Fault::Silent { peer, asked: asked(), seen, patience });
        }
        let closed = match link.receive(&mut buffer, left) {
            Ok(count) => {
                reply.extend_from_slice(&buffer[..count]);
                false
            }
            Err(Fault::HungUp { .. }) if !reply.is_empty() => true,
            Err(fault) => return Err(fault),
        };
        match parse(&reply, closed) {
            Ok(Parsed::Whole(response)) => return Ok(Exchanged { request: sent, reply, response }),
            Ok(Parsed::Partial) => {}
            Err(why) => {
                let what = format!("it answered {} with {why}; is it the right device and port?", asked());
                return Err(Fault::Line { peer: link.peer().to_owned(), what });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &str, closed: bool) -> Result<Option<(u16, String)>, String> {
        parse(bytes.as_bytes(), closed).map(|parsed| match parsed {
            Parsed::Partial => None,
            Parsed::Whole(response) => Some((response.status, String::from_utf8(response.body).unwrap())),
        })
    }

    #[test]
    fn a_body_ends_after_its_length_with_its_last_chunk_or_with_the_line() {
        let counted = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(whole(counted, false), Ok(Some((200, "hello".into()))));
        let chunked =
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        assert_eq!(whole(chunked, false), Ok(Some((201, "hello".into()))));
        let open = "HTTP/1.0 200 OK\r\n\r\nhello";
        assert_eq!(whole(open, false), Ok(None));
        assert_eq!(whole(open, true), Ok(Some((200, "hello".into()))));
        let continued = format!("HTTP/1.1 100 Continue\r\n\r\n{counted}");
        assert_eq!(whole(&continued, false), Ok(Some((200, "hello".into()))));
        // Cut off at any place it is not whole, and refused once the line is closed.
        for text in [counted, chunked] {
            for end in 0..text.len() - 5 {
                assert_eq!(whole(&text[..end], false), Ok(None), "{end}");
                assert!(whole(&text[..end], true).is_err(), "{end}");
            }
        }
    }

    #[test]
    fn a_server_is_named_like_in_a_browser_and_nothing_is_pinned_without_tls() {
        let server: Server = "http://192.168.1.2/".parse().unwrap();
        assert_eq!(server.to_string(), "http://192.168.1.2:80");
        assert_eq!("https://m:4443".parse::<Server>().unwrap().to_string(), "https://m:4443");
        for bad in ["tcp:a:1", "http://", "http://a:0", "http://a:99999", "http://a/b", "http://a\r\nb"] {
            assert!(bad.parse::<Server>().is_err(), "{bad}");
        }
        let fingerprint = "ab".repeat(32).parse().unwrap();
        assert!(server.pinned(Some(fingerprint)).is_err());
    }

    #[test]
    fn what_is_no_answer_or_has_no_end_is_refused() {
        for bad in [
            "SSH-2.0-x\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ] {
            assert!(whole(bad, false).is_err(), "{bad}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(HEAD_MAX));
        assert!(whole(&endless, false).is_err());
    }
}
