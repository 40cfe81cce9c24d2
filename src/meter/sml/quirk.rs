//! What the meters of certain makers do otherwise, as data: applied only when the meter has said that it is one of them,
//! and named in every answer it has touched.

use super::list::{Content, Entry, List};
use serde::Deserialize;
use std::sync::OnceLock;

/// One quirk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// Its name, as it stands in the record.
    pub id: String,
    /// The maker's three letters as the meter gives them.
    pub maker: String,
    /// Ranges of the meter's number behind them, both ends in; none: all.
    #[serde(default)]
    pub numbers: Vec<(u32, u32)>,
    /// C.D.E of the value; none: the whole frame.
    pub code: Option<[u8; 3]>,
    /// What is otherwise.
    pub effect: Effect,
    /// Where this was learnt.
    pub source: String,
}

/// What a value is otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is written with a sign in one or two bytes and meant without.
    Unsigned,
    /// Without the PIN it counts whole kilowatt-hours, although its power of ten says otherwise: the resolution of a value
    /// that is a whole number of them is one.
    WholeKilowattHours,
    /// The frame and its messages are checked by CRC-16/KERMIT.
    CheckKermit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quirk: Vec<Quirk>,
}

/// The quirks that come with the program.
pub fn builtin() -> &'static [Quirk] {
    static QUIRKS: OnceLock<Vec<Quirk>> = OnceLock::new();
    // A test holds that the file can be read.
    QUIRKS.get_or_init(|| {
        toml::from_str::<File>(include_str!("../../../assets/meters/sml-quirks.toml"))
            .map_or_else(|_| vec![], |file| file.quirk)
    })
}

impl Quirk {
    /// Whether it is a quirk of the meter that pushed this list.
    pub fn is_of(&self, list: &List) -> bool {
        let numbered = |number: u32| self.numbers.iter().any(|(from, to)| (*from..=*to).contains(&number));
        list.maker().as_deref() == Some(&self.maker)
            && (self.numbers.is_empty() || list.number().is_some_and(numbered))
    }

    /// Whether this value of such a meter is meant.
    pub fn means(&self, entry: &Entry) -> bool {
        let [_, _, c, d, e, _] = entry.obis;
        self.code == Some([c, d, e]) && self.applies(entry)
    }

    fn applies(&self, entry: &Entry) -> bool {
        let Content::Number(number, bits) = entry.content else { return false };
        match self.effect {
            Effect::Unsigned => !entry.unsigned && bits <= 16 && number < 0,
            Effect::WholeKilowattHours => {
                // Steps of the value to a kilowatt-hour.
                let steps = 10_i128.pow(u32::from((3 - entry.scaler.clamp(-9, 3)).unsigned_abs()));
                entry.unit == Some(30) && steps > 1 && number != 0 && number % steps == 0
            }
            Effect::CheckKermit => false,
        }
    }

    /// The entry as it is meant.
    pub fn applied(&self, entry: &Entry) -> Entry {
        let mut meant = entry.clone();
        let Content::Number(number, bits) = entry.content else { return meant };
        match self.effect {
            Effect::Unsigned => {
                meant.content = Content::Number(number + (1 << bits), bits);
                meant.unsigned = true;
            }
            // It touches no value.
            Effect::CheckKermit => {}
            Effect::WholeKilowattHours => {
                let steps = 10_i128.pow(u32::from((3 - entry.scaler.clamp(-9, 3)).unsigned_abs()));
                meant.content = Content::Number(number / steps, bits);
                meant.scaler = 3;
            }
        }
        meant
    }

    /// As it stands in the record.
    pub fn words(&self) -> String {
        format!("quirk {} of {} was applied: {}", self.id, self.maker, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: [u8; 3], number: i128, unit: u8, scaler: i8) -> Entry {
        let [c, d, e] = code;
        let content = Content::Number(number, 32);
        Entry { obis: [1, 0, c, d, e, 255], content, unsigned: true, unit: Some(unit), scaler }
    }

    #[test]
    fn the_quirks_of_the_program_can_be_read_and_name_their_source() {
        assert!(!builtin().is_empty());
        assert!(builtin().iter().all(|quirk| !quirk.source.trim().is_empty() && quirk.maker.len() == 3));
    }

    /// A meter by DIN 43863-5.
    fn of(maker: [u8; 3], number: u32) -> List {
        let [m0, m1, m2] = maker;
        let [n0, n1, n2, n3] = number.to_be_bytes();
        List { server: vec![0x0A, 0x01, m0, m1, m2, 0, n0, n1, n2, n3], ..List::default() }
    }

    fn quirk(effect: Effect) -> Quirk {
        builtin().iter().find(|quirk| quirk.effect == effect).unwrap().clone()
    }

    #[test]
    fn a_quirk_touches_only_its_makers_meters_of_the_named_numbers_and_is_named() {
        let unsigned = quirk(Effect::Unsigned);
        assert!(unsigned.is_of(&of(*b"DZG", 42_000_000)) && unsigned.is_of(&of(*b"DZG", 58_999_999)));
        // The number of the captured DVS-7420, which does it right.
        for sound in
            [of(*b"DZG", 60_694_613), of(*b"DZG", 41_999_999), of(*b"ISK", 42_000_000), List::default()]
        {
            assert!(!unsigned.is_of(&sound), "{sound:?}");
        }
        // 328.05 W, as 8025H with a sign.
        let power = |number, bits| Entry {
            content: Content::Number(number, bits),
            unsigned: false,
            ..entry([16, 7, 0], 0, 27, -2)
        };
        assert!(unsigned.means(&power(-32731, 16)));
        assert_eq!(unsigned.applied(&power(-32731, 16)).number().unwrap().to_string(), "328.05");
        assert!(!unsigned.means(&power(32731, 16)) && !unsigned.means(&power(-32731, 32)));
        assert!(unsigned.words().contains(&unsigned.id));
    }

    #[test]
    fn i_without_pin_the_resolution_is_a_kilowatt_hour_and_with_pin_a_tenth_of_a_watt_hour() {
        // Seen on an ISKRA MT631: 2043000 Wh without PIN, 2043104.7 Wh with it (facts: features and traps, 5).
        let coarse = quirk(Effect::WholeKilowattHours);
        assert!(coarse.is_of(&of(*b"ISK", 1)));
        let without = entry([1, 8, 0], 20_430_000, 30, -1);
        assert!(coarse.means(&without));
        assert_eq!(coarse.applied(&without).number().unwrap().to_string(), "2043000");
        assert_eq!(coarse.applied(&without).scaler, 3);
        assert!(!coarse.means(&entry([1, 8, 0], 20_431_047, 30, -1)));
    }
}
