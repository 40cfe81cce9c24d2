//! Physical quantities as types: named by quantity, with the unit at the doors.
//!
//! Each holds one finite `f64` in its base unit (V, A, W, J, 1, imp/kWh, °C). There is no public field and no
//! `Deref`: who wants a number says in which unit. In files a quantity is a bare number in its base unit and the
//! key carries the unit (`voltage_v`, `energy_j`).

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Why a number is no quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Not a number or infinite.
    #[error("{quantity} must be a finite number, not {seen}; give a plain decimal number")]
    NotFinite {
        /// The quantity asked for.
        quantity: &'static str,
        /// What was given instead.
        seen: f64,
    },
    /// A ratio to nothing.
    #[error("a ratio of {quantity} to zero does not exist")]
    RatioToZero {
        /// The quantity of both sides.
        quantity: &'static str,
    },
}

/// A number with so many significant digits, to be written in words.
pub(crate) fn shown(number: f64, digits: usize) -> f64 {
    format!("{number:.*e}", digits.saturating_sub(1)).parse().unwrap_or(number)
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $($(#[$door_doc:meta])* $from:ident, $try_from:ident, $to:ident, $factor:expr);+ $(;)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            fn checked(base: f64) -> Result<Self, Fault> {
                if base.is_finite() { Ok(Self(base)) } else { Err(Fault::NotFinite { quantity: stringify!($name), seen: base }) }
            }

            fn sound(base: f64) -> Self {
                assert!(base.is_finite(), concat!(stringify!($name), " left the finite numbers: a bug in the arithmetic"));
                Self(base)
            }

            $(
                $(#[$door_doc])*
                ///
                /// For numbers of our own making: panics where the number is not finite.
                pub fn $from(value: f64) -> Self { Self::sound(value * $factor) }

                /// The same door for numbers from outside: refuses NaN and infinity.
                pub fn $try_from(value: f64) -> Result<Self, Fault> { Self::checked(value * $factor) }

                /// The number in the unit of the name.
                pub fn $to(self) -> f64 { self.0 / $factor }
            )+

            /// The magnitude.
            #[must_use]
            pub fn abs(self) -> Self { Self(self.0.abs()) }

            /// How many times `other` this is.
            pub fn ratio_to(self, other: Self) -> Result<Ratio, Fault> {
                if other.0 == 0.0 { return Err(Fault::RatioToZero { quantity: stringify!($name) }); }
                Ratio::checked(self.0 / other.0)
            }

            /// The smaller of two.
            #[must_use]
            pub fn min(self, other: Self) -> Self { Self(self.0.min(other.0)) }

            /// The larger of two.
            #[must_use]
            pub fn max(self, other: Self) -> Self { Self(self.0.max(other.0)) }
        }

        impl Add for $name { type Output = Self; fn add(self, other: Self) -> Self { Self::sound(self.0 + other.0) } }
        impl Sub for $name { type Output = Self; fn sub(self, other: Self) -> Self { Self::sound(self.0 - other.0) } }
        impl Neg for $name { type Output = Self; fn neg(self) -> Self { Self(-self.0) } }
        impl Mul<f64> for $name { type Output = Self; fn mul(self, factor: f64) -> Self { Self::sound(self.0 * factor) } }
        impl Div<f64> for $name { type Output = Self; fn div(self, divisor: f64) -> Self { Self::sound(self.0 / divisor) } }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Ten significant digits hide the last bits of binary arithmetic and nothing a bench can resolve.
                write!(f, concat!("{} ", $unit), shown(self.0, 10))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::checked(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

quantity!(
    /// Electric voltage, base volt.
    Voltage, "V",
    /// From volts.
    from_volts, try_from_volts, volts, 1.0
);
quantity!(
    /// Electric current, base ampere.
    Current, "A",
    /// From amperes.
    from_amperes, try_from_amperes, amperes, 1.0
);
quantity!(
    /// Active power, base watt.
    Power, "W",
    /// From watts.
    from_watts, try_from_watts, watts, 1.0;
    /// From kilowatts.
    from_kilowatts, try_from_kilowatts, kilowatts, 1000.0
);
quantity!(
    /// Active energy, base joule.
    Energy, "J",
    /// From joules.
    from_joules, try_from_joules, joules, 1.0;
    /// From kilowatt-hours.
    from_kilowatt_hours, try_from_kilowatt_hours, kilowatt_hours, 3.6e6
);
quantity!(
    /// A quantity of dimension one, base 1.
    Ratio, "",
    /// From the plain fraction: 0.01 is one percent.
    from_fraction, try_from_fraction, fraction, 1.0;
    /// From percent.
    from_percent, try_from_percent, percent, 0.01;
    /// From parts per million.
    from_ppm, try_from_ppm, ppm, 1e-6
);
quantity!(
    /// The meter constant C, base imp/kWh: the nameplate's own exact number.
    PulseConstant, "imp/kWh",
    /// From impulses per kilowatt-hour.
    from_impulses_per_kilowatt_hour, try_from_impulses_per_kilowatt_hour, impulses_per_kilowatt_hour, 1.0
);
quantity!(
    /// Celsius temperature, base degree Celsius.
    Temperature, "°C",
    /// From degrees Celsius.
    from_degrees_celsius, try_from_degrees_celsius, degrees_celsius, 1.0
);

impl Energy {
    /// [`try_from_joules`](Self::try_from_joules) for a long row: looked through at once and not copied.
    pub fn all_from_joules(row: Vec<f64>) -> Result<Vec<Self>, Fault> {
        if !row.iter().fold(true, |all, joules| all & joules.is_finite()) {
            return row.into_iter().map(Self::try_from_joules).collect();
        }
        Ok(row.into_iter().map(Self).collect())
    }
}

impl Mul<Current> for Voltage {
    type Output = Power;
    fn mul(self, current: Current) -> Power {
        Power::sound(self.0 * current.0)
    }
}

impl PulseConstant {
    /// The energy that `pulses` pulses stand for: N/C.
    pub fn energy(self, pulses: u64) -> Energy {
        Energy::from_kilowatt_hours(pulses as f64 / self.0)
    }

    /// The (fractional) number of pulses due for `energy`: E·C.
    pub fn pulses(self, energy: Energy) -> f64 {
        energy.kilowatt_hours() * self.0
    }

    /// Pulses per second due at `power`.
    pub fn rate(self, power: Power) -> f64 {
        power.kilowatts() * self.0 / 3600.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stands_at_the_door() {
        assert_eq!(Energy::from_kilowatt_hours(1.0).joules(), 3.6e6);
        assert_eq!(Power::from_kilowatts(2.5).watts(), 2500.0);
        assert_eq!((Voltage::from_volts(750.0) * Current::from_amperes(4.0)).watts(), 3000.0);
        assert!((Ratio::from_percent(1.0).fraction() - 0.01).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        let fault = Voltage::try_from_volts(f64::NAN).unwrap_err();
        assert!(fault.to_string().starts_with("Voltage must be a finite number"), "{fault}");
        assert!(Current::try_from_amperes(f64::INFINITY).is_err());
        assert_eq!(Energy::all_from_joules(vec![1.0, 2.0]).unwrap()[1], Energy::from_joules(2.0));
        let fault = Energy::all_from_joules(vec![1.0, f64::NEG_INFINITY]).unwrap_err();
        assert_eq!(fault, Fault::NotFinite { quantity: "Energy", seen: f64::NEG_INFINITY });
        assert!(toml::from_str::<std::collections::BTreeMap<String, Voltage>>("u = nan").is_err());
    }

    #[test]
    fn a_ratio_to_nothing_does_not_exist() {
        assert!(Energy::from_joules(1.0).ratio_to(Energy::ZERO).is_err());
        assert_eq!(Energy::from_joules(3.0).ratio_to(Energy::from_joules(2.0)).unwrap().fraction(), 1.5);
    }

    #[test]
    fn pulses_and_energy_are_two_words_for_one_thing() {
        let c = PulseConstant::from_impulses_per_kilowatt_hour(1000.0);
        assert_eq!(c.energy(1000), Energy::from_kilowatt_hours(1.0));
        assert_eq!(c.pulses(Energy::from_kilowatt_hours(0.5)), 500.0);
        assert_eq!(c.rate(Power::from_kilowatts(3.6)), 1.0);
    }
}
