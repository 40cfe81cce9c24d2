//! The metering error and its kin, each by the formula of its clause. Pure arithmetic: no judgement, no rounding.

pub mod edge_fit;

use crate::quantity::{Energy, Fault, Power, PulseConstant, Ratio};
use crate::time::{Span, Stamp};
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Standard-meter method, γ = (m₀ − m)/m, in energies: indicated N/C against reference (JJG 596-2026 7.3.2.5 b1).
pub fn standard_meter(indicated: Energy, reference: Energy) -> Result<Ratio, Fault> {
    (indicated - reference).ratio_to(reference)
}

/// Power–time method, γ = (T − t)/t with T = 3.6·10⁶·N/(C·P) (JJG 596-2026 7.3.2.5 b2).
pub fn power_time(pulses: u64, constant: PulseConstant, power: Power, elapsed: Span) -> Result<Ratio, Fault> {
    if power == Power::ZERO || elapsed == Span::ZERO {
        return Err(Fault::RatioToZero { quantity: "Energy" });
    }
    let due = 3.6e6 * pulses as f64 / (constant.impulses_per_kilowatt_hour() * power.watts());
    Ratio::try_from_fraction((due - elapsed.secs()) / elapsed.secs())
}

/// The greatest error a meter can have that gave `pulses` pulses (not one more) while `reference` energy passed.
pub fn upper_bound(pulses: u64, constant: PulseConstant, reference: Energy) -> Result<Ratio, Fault> {
    standard_meter(constant.energy(pulses + 1), reference)
}

/// Meter constant, `e_c` = (N/C − E)/E, register difference E against pulses N (JJG 596-2026 7.3.2.6 a).
pub fn meter_constant(pulses: u64, constant: PulseConstant, register: Energy) -> Result<Ratio, Fault> {
    (constant.energy(pulses) - register).ratio_to(register)
}

/// Indication error of the clock: what the meter shows minus our time at that moment (JJG 596-2026 5.5, 7.3.2.7).
///
/// A clock that shows whole seconds is on average half a second behind its own time; that half is given back.
pub fn clock_indication(shown: DateTime, ours: Stamp) -> Option<f64> {
    Some(ours.with_civil(shown)?.since(ours).secs() + 0.5)
}

/// Daily rate in s/d from `seconds` seconds pulses that took `elapsed` of our time (JJG 596-2026 5.5, 7.3.2.7).
/// Positive: the meter's clock gains.
pub fn daily_rate(seconds: u64, elapsed: Span) -> f64 {
    (seconds as f64 - elapsed.secs()) / elapsed.secs() * 86_400.0
}

/// Register-combination error `W − ΣWᵢ` in kWh, exact (JJG 596-2026 5.6). `None` where the numbers are too large to add.
pub fn register_combination(total: Decimal, tariffs: &[Decimal]) -> Option<Decimal> {
    total.checked_sub(tariffs.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(*part))?)
}

/// A register reading or difference in kWh as an energy.
pub fn register_energy(kilowatt_hours: Decimal) -> Result<Energy, Fault> {
    Energy::try_from_kilowatt_hours(kilowatt_hours.to_f64().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    const C: f64 = 1000.0;

    #[test]
    fn both_methods_are_the_same_number_at_constant_power() {
        let constant = PulseConstant::from_impulses_per_kilowatt_hour(C);
        let (power, elapsed, pulses) = (Power::from_kilowatts(3.6), Span::from_secs(100), 101);
        let by_time = power_time(pulses, constant, power, elapsed).unwrap();
        let by_meter = standard_meter(constant.energy(pulses), power * elapsed).unwrap();
        assert!((by_time.percent() - 1.0).abs() < 1e-9 && (by_meter - by_time).abs().fraction() < 1e-12);
    }

    #[test]
    fn a_meter_without_pulses_has_an_upper_bound_and_no_value() {
        let constant = PulseConstant::from_impulses_per_kilowatt_hour(C);
        let bound = upper_bound(0, constant, Energy::from_kilowatt_hours(0.002)).unwrap();
        assert!((bound.percent() + 50.0).abs() < 1e-9);
        assert!(standard_meter(Energy::ZERO, Energy::ZERO).is_err());
    }

    #[test]
    fn the_constant_compares_pulses_with_the_register() {
        let constant = PulseConstant::from_impulses_per_kilowatt_hour(C);
        let e = meter_constant(1001, constant, Energy::from_kilowatt_hours(1.0)).unwrap();
        assert!((e.percent() - 0.1).abs() < 1e-9);
        assert!(meter_constant(5, constant, Energy::ZERO).is_err(), "a register that stands still");
    }

    #[test]
    fn the_clock_error_is_shown_minus_ours() {
        let ours: Stamp = "2026-11-20T10:00:00.500+08:00".parse().unwrap();
        let shown = "2026-11-20T10:00:07".parse().unwrap();
        assert!((clock_indication(shown, ours).unwrap() - 7.0).abs() < 1e-9);
        let ten_past = ours.after(Span::from_secs(600));
        assert!((clock_indication(shown, ten_past).unwrap() + 593.0).abs() < 1e-9);
        assert!((daily_rate(60, Instant::from_nanos(60_000_600_000) - Instant::ZERO) + 0.864).abs() < 1e-3);
    }

    #[test]
    fn registers_are_compared_exactly() {
        let kwh = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(register_combination(kwh("100.01"), &[kwh("60.00"), kwh("40.00")]), Some(kwh("0.01")));
        assert_eq!(register_combination(Decimal::MIN, &[Decimal::MAX, Decimal::MAX]), None);
    }
}
