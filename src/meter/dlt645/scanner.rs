//! Frames out of bytes that arrive in any pieces, with wake bytes, noise, echoes and damage between them.

use super::frame::{Frame, Refusal, START};

/// Finds frames in a stream. Never holds more than one frame's length beside what was last put in.
#[derive(Debug, Default)]
pub struct Scanner {
    waiting: Vec<u8>,
    /// Where the first waiting byte stands in the stream.
    offset: u64,
}

/// Something in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A sound frame.
    Frame {
        /// It.
        frame: Frame,
        /// Where its first 68 stands in the stream, counted from 0.
        at: u64,
    },
    /// What began like a frame, both 68 in their places, and was none. The search goes on at its second byte.
    Damaged {
        /// What is wrong.
        refusal: Refusal,
        /// Where its first 68 stands in the stream.
        at: u64,
    },
}

impl Scanner {
    /// Takes what has arrived; then ask [`Scanner::poll`] until it has nothing.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next frame or damage; `None` when more bytes are needed.
    pub fn poll(&mut self) -> Option<Event> {
        loop {
            let noise = self.waiting.iter().position(|byte| *byte == START).unwrap_or(self.waiting.len());
            self.forget(noise);
            let at = self.offset;
            match Frame::parse_front(&self.waiting) {
                Ok((frame, length)) => {
                    self.forget(length);
                    return Some(Event::Frame { frame, at });
                }
                Err(Refusal::Incomplete { .. }) => return None,
                Err(refusal @ (Refusal::Checksum { .. } | Refusal::NoEnd { .. })) => {
                    self.forget(1);
                    return Some(Event::Damaged { refusal, at });
                }
                // A 68 that was no start.
                Err(_) => self.forget(1),
            }
        }
    }

    /// The line has fallen silent: what is incomplete stays so. Gives it up and finds the frames that stood behind a false start.
    pub fn handle_silence(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            while let Some(event) = self.poll() {
                events.push(event);
            }
            let Err(refusal @ Refusal::Incomplete { seen, .. }) = Frame::parse_front(&self.waiting) else {
                return events;
            };
            if seen == 0 {
                return events;
            }
            if seen > 7 {
                events.push(Event::Damaged { refusal, at: self.offset });
            }
            self.forget(1);
        }
    }

    fn forget(&mut self, count: usize) {
        self.waiting.drain(..count);
        self.offset += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Address, Control, WAKE};
    use super::*;
    use crate::link::hex;
    use proptest::prelude::*;

    const REQUEST: &str = "FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16";
    const REPLY: &str = "FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16";

    fn bytes(text: &str) -> Vec<u8> {
        hex::bytes(text).unwrap()
    }

    fn scanned(pieces: &[&[u8]]) -> Vec<Event> {
        let mut scanner = Scanner::default();
        let mut events = Vec::new();
        for piece in pieces {
            scanner.handle_bytes(piece);
            events.extend(std::iter::from_fn(|| scanner.poll()));
        }
        events.extend(scanner.handle_silence());
        assert!(scanner.waiting.is_empty());
        events
    }

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let sound = |event| if let Event::Frame { frame, .. } = event { Some(frame) } else { None };
        scanned(pieces).into_iter().filter_map(sound).collect()
    }

    fn frame(address: [u8; 6], data: &[u8]) -> Frame {
        Frame { address: Address::from_wire(address), control: Control::READ.reply(), data: data.to_vec() }
    }

    #[test]
    fn a_frame_with_68_and_16_inside_is_one_frame() {
        // 35H and E3H are 68H and 16H on the wire.
        for inside in [
            frame([0x68, 0x16, 0x68, 0x16, 0x68, 0x68], &[0x35, 0xE3, 0x35, 0x35, 0xE3, 0xE3]),
            frame([0x16; 6], &[0xE3; 12]),
            frame([0x68; 6], &[0x35; 60]),
        ] {
            assert_eq!(frames(&[&inside.emit()]), [inside]);
        }
    }

    #[test]
    fn a_checksum_of_16_does_not_end_the_frame_early() {
        let reply = bytes("68 61 01 00 00 00 00 68 91 07 33 34 35 35 CC 7C 33 16 16");
        let twice = [reply.clone(), reply.clone()].concat();
        assert_eq!(frames(&[&twice]).len(), 2);
    }

    #[test]
    fn a_frame_may_be_split_anywhere() {
        let reply = bytes(REPLY);
        let whole = Frame::parse(&reply).unwrap();
        for first in 0..=reply.len() {
            for second in first..=reply.len() {
                let pieces = [&reply[..first], &reply[first..second], &reply[second..]];
                assert_eq!(
                    scanned(&pieces),
                    [Event::Frame { frame: whole.clone(), at: 2 }],
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn the_own_echo_whole_or_in_part_does_not_hide_the_reply() {
        let (request, reply) = (bytes(REQUEST), bytes(REPLY));
        let answer = Frame::parse(&reply).unwrap();
        for begin in 0..request.len() {
            for end in begin..=request.len() {
                // Also with no wake bytes between the two.
                for reply in [&reply[..], &reply[2..]] {
                    let seen = frames(&[&request[begin..end], reply]);
                    assert_eq!(seen.last(), Some(&answer), "{begin} {end}");
                }
            }
        }
    }

    #[test]
    fn two_start_bytes_are_one_start() {
        let reply = &bytes(REPLY)[2..];
        let answer = Frame::parse(reply).unwrap();
        assert_eq!(frames(&[&[START], reply]), std::slice::from_ref(&answer));
        assert_eq!(frames(&[&[START, START, START], reply]), [answer]);
        // The stray one stands where a first 68 would stand, seven bytes before another.
        let tricky = frame([0x01, 0x02, 0x03, 0x04, 0x05, 0x68], &[0, 0, 1, 0, 1]);
        assert_eq!(frames(&[&[START], &tricky.emit()]), [tricky]);
    }

    #[test]
    fn leading_wake_bytes_and_noise_are_passed_over() {
        let reply = bytes(REPLY);
        let answer = Frame::parse(&reply).unwrap();
        assert_eq!(frames(&[&[WAKE; 40], &reply]), std::slice::from_ref(&answer));
        assert_eq!(frames(&[&[0x00, 0xFF, 0x16, 0x68, 0x00], &reply, &[0x16, 0xFE]]), [answer]);
    }

    #[test]
    fn a_wrong_checksum_is_told_and_the_next_frame_found() {
        let mut wrong = bytes("68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 55 16");
        let events = scanned(&[&wrong]);
        let refusal = Refusal::Checksum { seen: 0x55, computed: 0x54 };
        assert_eq!(events, [Event::Damaged { refusal, at: 0 }]);
        let reply = bytes(REPLY);
        wrong.extend(&reply);
        assert_eq!(frames(&[&wrong]), [Frame::parse(&reply).unwrap()]);
    }

    #[test]
    fn a_frame_cut_short_is_told_after_silence_and_the_next_one_found() {
        let reply = bytes(REPLY);
        let events = scanned(&[&reply[..20]]);
        assert_eq!(events, [Event::Damaged { refusal: Refusal::Incomplete { seen: 18, needed: 20 }, at: 2 }]);
        for lost in 2..reply.len() - 1 {
            let mut damaged = reply.clone();
            damaged.remove(lost);
            assert_eq!(frames(&[&damaged, &reply]).last(), Some(&Frame::parse(&reply).unwrap()), "{lost}");
        }
    }

    proptest! {
        #[test]
        fn no_garbage_yields_a_frame_that_was_not_there(
            pieces in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![Just(START), Just(0x16), Just(0x00), any::<u8>()], 0..40), 0..8)
        ) {
            let stream = pieces.concat();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            for event in scanned(&pieces) {
                if let Event::Frame { frame, at } = event {
                    prop_assert!(stream[at as usize..].starts_with(&frame.emit()));
                }
            }
        }

        #[test]
        fn a_frame_after_garbage_without_a_start_is_always_found(
            mut noise in proptest::collection::vec(any::<u8>(), 0..40), address: [u8; 6],
            data in proptest::collection::vec(any::<u8>(), 0..=200)
        ) {
            noise.retain(|byte| *byte != START);
            let sound = frame(address, &data);
            prop_assert_eq!(frames(&[&noise, &sound.emit()]), [sound]);
        }
    }
}
