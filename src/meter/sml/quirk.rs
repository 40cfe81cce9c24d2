//! What the meters of certain makers do otherwise, as data: applied only when the meter has said that it is one of them,
//! and named in every answer it has touched.

use super::list::{Content, Entry};
use serde::Deserialize;

/// One quirk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// Its name, as it stands in the record.
    pub id: String,
    /// The maker's three letters as the meter gives them.
    pub maker: String,
    /// C.D.E of the value.
    pub code: [u8; 3],
    /// What is otherwise.
    pub effect: Effect,
    /// Where this was learnt.
    pub source: String,
}

/// What a value is otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is written without a sign and meant with one.
    Signed,
    /// Without the PIN it counts whole kilowatt-hours, although its power of ten says otherwise: the resolution of a value
    /// that is a whole number of them is one.
    WholeKilowattHours,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quirk: Vec<Quirk>,
}

/// The quirks that come with the program.
pub fn builtin() -> Vec<Quirk> {
    // A test holds that the file can be read.
    toml::from_str::<File>(include_str!("../../../assets/meters/sml-quirks.toml"))
        .map_or_else(|_| vec![], |file| file.quirk)
}

impl Quirk {
    /// Whether this value of that maker's meter is meant.
    pub fn means(&self, maker: Option<&str>, entry: &Entry) -> bool {
        let [_, _, c, d, e, _] = entry.obis;
        maker == Some(&self.maker) && self.code == [c, d, e] && self.applies(entry)
    }

    fn applies(&self, entry: &Entry) -> bool {
        let Content::Number(number, _) = entry.content else { return false };
        match self.effect {
            Effect::Signed => entry.unsigned,
            Effect::WholeKilowattHours => {
                // Steps of the value to a kilowatt-hour.
                let steps = 10_i128.pow(u32::from((3 - entry.scaler.clamp(-9, 3)).unsigned_abs()));
                entry.unit == Some(30) && steps > 1 && number != 0 && number % steps == 0
            }
        }
    }

    /// The entry as it is meant.
    pub fn applied(&self, entry: &Entry) -> Entry {
        let mut meant = entry.clone();
        let Content::Number(number, bits) = entry.content else { return meant };
        match self.effect {
            Effect::Signed => {
                let negative = bits < 127 && number >> (bits - 1) == 1;
                let number = if negative { number - (1 << bits) } else { number };
                meant.content = Content::Number(number, bits);
                meant.unsigned = false;
            }
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

    #[test]
    fn a_quirk_touches_only_its_makers_meter_and_is_named() {
        let quirks = builtin();
        let find = |effect| quirks.iter().find(|quirk| quirk.effect == effect).unwrap();
        let signed = find(Effect::Signed);
        let minus_one = entry([16, 7, 0], 0xFFFF_FFFF, 27, 0);
        assert!(signed.means(Some(&signed.maker), &minus_one));
        assert!(!signed.means(Some("XXX"), &minus_one) && !signed.means(None, &minus_one));
        assert_eq!(signed.applied(&minus_one).number().unwrap().to_string(), "-1");
        assert!(signed.words().contains(&signed.id));
    }

    #[test]
    fn i_without_pin_the_resolution_is_a_kilowatt_hour_and_with_pin_a_tenth_of_a_watt_hour() {
        // Seen on an ISKRA MT631: 2043000 Wh without PIN, 2043104.7 Wh with it (facts: features and traps, 5).
        let quirks = builtin();
        let coarse = quirks.iter().find(|quirk| quirk.effect == Effect::WholeKilowattHours).unwrap();
        let without = entry([1, 8, 0], 20_430_000, 30, -1);
        assert!(coarse.means(Some("ISK"), &without));
        assert_eq!(coarse.applied(&without).number().unwrap().to_string(), "2043000");
        assert_eq!(coarse.applied(&without).scaler, 3);
        assert!(!coarse.means(Some("ISK"), &entry([1, 8, 0], 20_431_047, 30, -1)));
    }
}
