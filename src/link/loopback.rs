//! Two ends of a line in memory.

use super::{Fault, Link};
use crate::time::Span;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One end; made by [`pair`]. Dropping it hangs up on the other.
pub struct Loopback {
    wire: Arc<Wire>,
    /// 0 or 1.
    end: usize,
    peer: String,
}

#[derive(Default)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// On the way to end 0 and to end 1.
    to: [VecDeque<u8>; 2],
    gone: [bool; 2],
}

/// Two joined ends: what one sends, the other receives. Bytes sent before a hang-up still arrive.
pub fn pair() -> (Loopback, Loopback) {
    let wire = Arc::new(Wire::default());
    let end = |end| Loopback { wire: Arc::clone(&wire), end, peer: format!("loopback {end}") };
    (end(0), end(1))
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loopback {
    fn hung_up(&self) -> Fault {
        Fault::HungUp { peer: self.peer.clone() }
    }
}

impl Link for Loopback {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut state = self.wire.state();
        if state.gone[1 - self.end] {
            return Err(self.hung_up());
        }
        state.to[1 - self.end].extend(bytes);
        drop(state);
        self.wire.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Span) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let nothing_yet = |state: &mut State| state.to[self.end].is_empty() && !state.gone[1 - self.end];
        let waited = self.wire.changed.wait_timeout_while(self.wire.state(), patience.to_std(), nothing_yet);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.to[self.end].is_empty() && state.gone[1 - self.end] {
            return Err(self.hung_up());
        }
        let count = buffer.len().min(state.to[self.end].len());
        for (place, byte) in buffer.iter_mut().zip(state.to[self.end].drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn discard_input(&mut self) -> Result<(), Fault> {
        self.wire.state().to[self.end].clear();
        Ok(())
    }

    fn peer(&self) -> &str {
        &self.peer
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.wire.state().gone[self.end] = true;
        self.wire.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Span = Span::from_secs(5);

    #[test]
    fn the_two_ends_hear_each_other() {
        let (mut here, mut there) = pair();
        here.send(b"question").unwrap();
        let mut buffer = [0; 4];
        assert_eq!(there.receive(&mut buffer, PATIENCE), Ok(4));
        assert_eq!(&buffer, b"ques");
        assert_eq!(there.receive(&mut buffer, PATIENCE), Ok(4));
        assert_eq!(there.receive(&mut buffer, Span::ZERO), Ok(0));
        there.send(b"stale").unwrap();
        here.discard_input().unwrap();
        assert_eq!(here.receive(&mut buffer, Span::ZERO), Ok(0));
    }

    #[test]
    fn the_last_words_arrive_before_the_hang_up() {
        let (mut here, mut there) = pair();
        there.send(b"bye").unwrap();
        drop(there);
        assert_eq!(here.receive(&mut [0; 8], PATIENCE), Ok(3));
        assert!(matches!(here.receive(&mut [0; 8], PATIENCE), Err(Fault::HungUp { .. })));
        assert!(matches!(here.send(b"?"), Err(Fault::HungUp { .. })));
    }

    #[test]
    fn a_waiting_end_is_woken_by_bytes_and_by_a_hang_up() {
        let (mut here, mut there) = pair();
        let waiting = std::thread::spawn(move || {
            let first = here.receive(&mut [0; 8], PATIENCE);
            (first, here.receive(&mut [0; 8], PATIENCE))
        });
        there.send(b"x").unwrap();
        drop(there);
        let (first, second) = waiting.join().unwrap();
        assert_eq!(first, Ok(1));
        assert!(matches!(second, Err(Fault::HungUp { .. })));
    }
}
