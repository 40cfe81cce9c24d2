//! An APDU that comes in parts, put together.

use super::frame::{Part, Place};

/// Longest APDU put together, in bytes.
const APDU_MAX: usize = 4096;

/// The parts so far.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Where the first one began in the stream.
    begun: u64,
    /// What they carried.
    apdu: Vec<u8>,
    /// The number of the next one; none before the first.
    next: Option<u16>,
}

impl Parts {
    /// Takes a part that began at `at`; gives the whole with the place of its begin, none while more must come. A part
    /// that is said again was not heard to be confirmed: it is confirmed again.
    pub(super) fn take(&mut self, at: u64, part: &Part<'_>) -> Result<Option<(u64, Vec<u8>)>, String> {
        let again = self.next.is_some_and(|next| next == part.number.wrapping_add(1) & 0x0FFF);
        match (part.place, self.next) {
            (Place::First, None) if part.number == 0 => self.begun = at,
            (Place::First | Place::Middle, Some(_)) if again => return Ok(None),
            (Place::Middle | Place::Last, Some(next)) if next == part.number => {}
            (place, next) => {
                let due = next.map_or("the first".to_owned(), |next| format!("number {next}"));
                let number = part.number;
                return Err(format!("part {number} ({place:?}) of a split answer came where {due} was due"));
            }
        }
        if self.apdu.len() + part.data.len() > APDU_MAX {
            return Err(format!("a split answer is longer than {APDU_MAX} bytes"));
        }
        self.apdu.extend(part.data);
        self.next = Some(part.number.wrapping_add(1) & 0x0FFF);
        Ok((part.place == Place::Last).then(|| (self.begun, std::mem::take(&mut self.apdu))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(place: Place, number: u16, data: &[u8]) -> Part<'_> {
        Part { place, number, data }
    }

    #[test]
    fn parts_in_their_order_make_the_whole_and_one_said_again_changes_nothing() {
        let mut parts = Parts::default();
        assert_eq!(parts.take(7, &part(Place::First, 0, b"ab")), Ok(None));
        assert_eq!(parts.take(20, &part(Place::First, 0, b"ab")), Ok(None));
        assert_eq!(parts.take(30, &part(Place::Middle, 1, b"cd")), Ok(None));
        assert_eq!(parts.take(40, &part(Place::Last, 2, b"e")), Ok(Some((7, b"abcde".to_vec()))));
    }

    #[test]
    fn parts_out_of_order_and_endless_ones_are_refused() {
        let mut parts = Parts::default();
        assert!(parts.take(0, &part(Place::Middle, 1, b"x")).is_err());
        assert!(parts.take(0, &part(Place::First, 1, b"x")).is_err());
        assert!(parts.take(0, &part(Place::Confirmed, 0, b"")).is_err());
        assert_eq!(parts.take(0, &part(Place::First, 0, b"x")), Ok(None));
        assert!(parts.take(0, &part(Place::Last, 2, b"x")).is_err());
        let long = [0; 1000];
        let end = (1..10).find(|n| parts.take(0, &part(Place::Middle, *n, &long)).is_err());
        assert_eq!(end, Some(5));
    }
}
