//! A line that is opened again after it was lost: an adapter pulled out and put back, a device server restarted.

use super::{Address, Fault, Framing, Link};
use crate::time::{self, Span, now};

/// How long a lost line is tried to be opened again before a sending fails.
pub const REOPEN_PATIENCE: Span = Span::from_secs(5);
/// Between two tries.
const REST: Span = Span::from_millis(100);

type Opener = Box<dyn FnMut() -> Result<Box<dyn Link>, Fault> + Send>;

/// A line and how to open it. What is lost with the line is lost: only the next sending opens it again.
pub struct Reopening {
    open: Opener,
    link: Option<Box<dyn Link>>,
    peer: String,
    /// Speed and framing set since it was opened.
    set: Option<(u32, Framing)>,
    patience: Span,
    reopened: u32,
}

/// Opens the line that `address` names, to be opened again whenever it is lost.
pub fn open(address: &Address) -> Result<Reopening, Fault> {
    let address = address.clone();
    Reopening::new(Box::new(move || super::open(&address)), REOPEN_PATIENCE)
}

impl Reopening {
    /// Opens with `open` now, and again after a loss, each time for `patience` at most.
    pub fn new(mut open: Opener, patience: Span) -> Result<Self, Fault> {
        let link = open()?;
        let peer = link.peer().to_owned();
        Ok(Self { open, link: Some(link), peer, set: None, patience, reopened: 0 })
    }

    /// How often it was opened again.
    pub const fn reopened(&self) -> u32 {
        self.reopened
    }

    fn opened(&mut self) -> Result<&mut Box<dyn Link>, Fault> {
        if self.link.is_none() {
            let give_up = now() + self.patience;
            loop {
                match (self.open)() {
                    Ok(mut link) => {
                        if let Some((baud, framing)) = self.set {
                            link.set_line(baud, framing)?;
                        }
                        self.reopened += 1;
                        self.link = Some(link);
                        break;
                    }
                    Err(fault) if now() >= give_up => return Err(fault),
                    Err(_) => time::sleep(REST),
                }
            }
        }
        self.link.as_mut().ok_or_else(|| Fault::HungUp { peer: self.peer.clone() })
    }

    /// Passes `result` on, and lets the line go where it was lost.
    fn noted<T>(&mut self, result: Result<T, Fault>) -> Result<T, Fault> {
        if matches!(result, Err(Fault::HungUp { .. } | Fault::Line { .. })) {
            self.link = None;
        }
        result
    }
}

impl Link for Reopening {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let sent = self.opened()?.send(bytes);
        self.noted(sent)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        let Some(link) = &mut self.link else { return Err(Fault::HungUp { peer: self.peer.clone() }) };
        let received = link.receive(buffer, patience);
        self.noted(received)
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        let Some(link) = &mut self.link else { return Ok(()) };
        // What goes wrong here goes wrong in the sending that follows, and is told there.
        if link.discard_input().is_err() {
            self.link = None;
        }
        Ok(())
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    fn airtime(&self, bytes: usize) -> Span {
        self.link.as_ref().map_or(Span::ZERO, |link| link.airtime(bytes))
    }

    fn set_line(&mut self, baud: u32, framing: Framing) -> Result<(), Fault> {
        self.set = Some((baud, framing));
        let set = self.opened()?.set_line(baud, framing);
        self.noted(set)
    }
}

#[cfg(test)]
mod tests {
    use super::super::loopback::{Loopback, pair};
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Opens a new pair each time and keeps the far end where the test finds it.
    fn opener(far: &Arc<Mutex<Option<Loopback>>>) -> Opener {
        let far = Arc::clone(far);
        Box::new(move || {
            let (here, there) = pair();
            *far.lock().unwrap() = Some(there);
            Ok(Box::new(here))
        })
    }

    #[test]
    fn a_lost_line_is_opened_again_at_the_next_sending_and_not_before() {
        let far = Arc::default();
        let mut link = Reopening::new(opener(&far), Span::ZERO).unwrap();
        link.send(b"1").unwrap();
        *far.lock().unwrap() = None;
        let mut buffer = [0; 4];
        assert!(matches!(link.receive(&mut buffer, Span::ZERO), Err(Fault::HungUp { .. })));
        assert!(matches!(link.receive(&mut buffer, Span::ZERO), Err(Fault::HungUp { .. })));
        assert_eq!(link.reopened(), 0);
        link.send(b"2").unwrap();
        assert_eq!(link.reopened(), 1);
        far.lock().unwrap().as_mut().unwrap().send(b"3").unwrap();
        assert_eq!(link.receive(&mut buffer, Span::ZERO), Ok(1));
    }

    #[test]
    fn a_line_that_is_gone_for_good_says_why_it_cannot_be_opened() {
        let gone = || Fault::NotOpened { peer: "adapter".to_owned(), why: "no such file".to_owned() };
        let mut first = true;
        let open: Opener = Box::new(move || {
            let (here, _) = pair();
            if std::mem::take(&mut first) { Ok(Box::new(here) as Box<dyn Link>) } else { Err(gone()) }
        });
        let mut link = Reopening::new(open, Span::ZERO).unwrap();
        assert!(link.send(b"1").is_err());
        assert_eq!(link.send(b"2"), Err(gone()));
    }
}
