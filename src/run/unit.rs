//! The unit of the energy register: where sources dispute it, what the operator has read on the display settles it, once
//! and for the whole run; where it is not disputed, the display must not contradict it.

use super::Run;
use crate::meter::{Answer, Disputed, Query, Reading, Unit, Value};
use rust_decimal::Decimal;

/// A register and a display that show the same energy differ by less than this part of it: the display was read before the
/// run, and the two need not be rounded alike. Readings of a disputed unit lie a factor of ten apart. A choice of this
/// house.
const SAME: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RegisterUnit {
    /// It is what the meter model says; nobody has looked at the display, or the display agrees.
    Plain {
        /// What the display shows.
        shown: Option<Decimal>,
    },
    /// Disputed, and settled by the display.
    Settled {
        /// Digits behind the point, in kWh.
        decimals: u32,
        /// Which source says so.
        source: String,
        /// What the display showed.
        shown: Decimal,
    },
    /// No energy may be judged; why, and what to do.
    Open(String),
}

impl RegisterUnit {
    /// From the first energy that the meter gave.
    fn of(answer: &Answer, shown: Option<Decimal>) -> Option<Self> {
        match (&answer.disputed, &answer.reading, shown) {
            (Some(disputed), _, None) => Some(Self::Open(format!(
                "the unit of its energy register is disputed ({}): read the display and enter what it shows (entry display_energy_kwh, or verify --display-energy KWH)",
                readings(disputed)
            ))),
            (Some(disputed), _, Some(shown)) => Some(Self::settle(disputed, shown)),
            (None, Reading::Value(Value::Number(read, Unit::KilowattHour)), Some(shown)) => {
                Some(if agree(*read, shown) {
                    Self::Plain { shown: Some(shown) }
                } else {
                    Self::Open(format!(
                        "the display was entered as {shown} kWh, and the register says {read} kWh: one of the two is not this meter's total energy. Read the display again, with its point"
                    ))
                })
            }
            (None, Reading::Value(_), _) => Some(Self::Plain { shown: None }),
            (None, Reading::Absent(_), _) => None,
        }
    }

    fn settle(disputed: &Disputed, shown: Decimal) -> Self {
        let fits =
            |(decimals, _): &&(u32, String)| disputed.with(*decimals).is_some_and(|read| agree(read, shown));
        let fitting: Vec<&(u32, String)> = disputed.by_source.iter().filter(fits).collect();
        match fitting.as_slice() {
            [(decimals, source)] => Self::Settled { decimals: *decimals, source: source.clone(), shown },
            [] => Self::Open(format!(
                "the display was entered as {shown} kWh, which contradicts the register by every source ({}): read the display again, with its point",
                readings(disputed)
            )),
            _ => Self::Open(format!(
                "the display shows {shown} kWh, which fits more than one source ({}): enter it with all its digits",
                readings(disputed)
            )),
        }
    }
}

/// The energy of a register by each source.
fn readings(disputed: &Disputed) -> String {
    let by_source = disputed.by_source.iter().map(|(decimals, source)| match disputed.with(*decimals) {
        Some(read) => format!("{read} kWh by {source}"),
        None => format!("no number by {source}"),
    });
    by_source.collect::<Vec<_>>().join(", ")
}

/// Within a step of the display, or a hundredth of the energy.
fn agree(read: Decimal, shown: Decimal) -> bool {
    let step = Decimal::new(1, shown.scale());
    let room = shown.checked_mul(SAME).unwrap_or(step).max(step);
    read.checked_sub(shown).is_some_and(|difference| difference.abs() <= room)
}

impl Run {
    /// The answer with its disputed unit settled, or with the reason why it is not.
    pub(super) fn settled(&mut self, answer: Answer) -> Answer {
        if !matches!(answer.query, Query::Energy | Query::TariffEnergy(_)) {
            return answer;
        }
        if self.evidence.unit.is_none() && answer.query == Query::Energy {
            self.evidence.unit = RegisterUnit::of(&answer, self.plan.entries.display_energy_kwh);
        }
        let Some(disputed) = &answer.disputed else { return answer };
        let reading = match &self.evidence.unit {
            Some(RegisterUnit::Settled { decimals, .. }) => {
                disputed.with(*decimals).map(|read| Reading::Value(Value::Number(read, Unit::KilowattHour)))
            }
            Some(RegisterUnit::Open(why)) => Some(Reading::Absent(why.clone())),
            _ => None,
        };
        Answer { reading: reading.unwrap_or_else(|| answer.reading.clone()), ..answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(digits: i64, shown: &str) -> RegisterUnit {
        let source = |name: &str| name.to_owned();
        let by_source = vec![(3, source("Wh")), (4, source("0.0001 kWh")), (5, source("0.01 Wh"))];
        RegisterUnit::settle(&Disputed { digits: Decimal::from(digits), by_source }, shown.parse().unwrap())
    }

    #[test]
    fn the_display_settles_the_factor_and_what_fits_none_or_several_is_refused_in_words() {
        for (shown, expected) in [("2101.8", 4), ("21018.0", 3), ("210.18", 5), ("2102", 4)] {
            let RegisterUnit::Settled { decimals, .. } = unit(21_018_000, shown) else { panic!("{shown}") };
            assert_eq!(decimals, expected, "{shown}");
        }
        for (digits, shown, words) in [
            (21_018_000, "1234.5", "contradicts"),
            (21_018_000, "0", "contradicts"),
            (5, "0.0", "more than one"),
        ] {
            let RegisterUnit::Open(why) = unit(digits, shown) else { panic!("{shown}") };
            assert!(why.contains(words) && why.contains("display"), "{why}");
        }
    }
}
