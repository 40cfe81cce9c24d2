//! Published figures of conformity assessment, computed by our own code and compared with what is printed.
//!
//! Only figures that could be confirmed in a public source stand here, each with that source. JCGM 106:2012's examples
//! of clauses 7 to 9.5.3 (metal containers, Zener diodes, motor oil, speedometer, resistors) are left out: no public
//! source with their printed numbers could be read.

use phantomload::verdict::{Bounds, Conformity, Global, Prior, Rule, Verdict, Zones};
use rust_decimal::Decimal;

/// JCGM 106:2012 9.5.4, precision ball bearings: radial error motion at most 2 µm, prior a gamma density with shape 4
/// and rate 4 per µm, measured with u = 0.25 µm. The inputs and the results in percent are printed in Sandia's worked
/// copy of the example (sandialabs/suncal, `doc/API Examples/Risk - Ball Bearing.ipynb`), which computes 0.04238011
/// and 0.00801911.
#[test]
fn the_ball_bearings_of_clause_9_5_4_carry_the_printed_risks() {
    let prior = Prior::Gamma { shape: 4.0, rate: 4.0 };
    let tolerance = Bounds::between(0.0, 2.0).unwrap();
    let global = Global::of(prior, 0.25, tolerance, Zones::binary(tolerance)).unwrap();
    assert_eq!(
        format!("{:.1}", (1.0 - global.conforming) * 100.0),
        "4.2",
        "not conforming without inspection"
    );
    assert!((1.0 - global.conforming - 0.042_380_112).abs() < 1e-8, "{global:?}");
    assert_eq!(format!("{:.1}", global.consumer * 100.0), "0.8", "global consumer's risk");
    assert!((global.consumer - 0.008_019_1).abs() < 1e-7, "{global:?}");
}

/// The same example: a consumer's risk of 0.1 % asks for the acceptance limit 1.67 µm (1.671829 in the source).
#[test]
fn the_acceptance_limit_of_clause_9_5_4_brings_the_risk_to_a_tenth_of_a_percent() {
    let prior = Prior::Gamma { shape: 4.0, rate: 4.0 };
    let tolerance = Bounds::between(0.0, 2.0).unwrap();
    let accept = Bounds::between(0.0, 1.671_828_8).unwrap();
    let global = Global::of(prior, 0.25, tolerance, Zones::binary(accept)).unwrap();
    assert!((global.consumer - 0.001).abs() < 1e-6, "{global:?}");
}

/// D. Deaver, page 7 and page 10, as quoted with tolerances in Sandia's own tests (sandialabs/suncal,
/// `test/test_risk.py`): normal population of standard deviation 1, limits ±SL in it, and its ratio to the standard deviation of the measurement.
#[test]
fn deavers_false_accepts_and_rejects_are_found() {
    for (limit, ratio, guard, accepts, rejects) in [
        (2.0, 4.0, 1.0, Some((0.008, 1e-4)), Some((0.015, 5e-4))),
        (2.5, 4.0, 1.0, Some((0.0025, 1e-4)), None),
        (2.5, 1.0, 1.0, Some((0.005, 1e-3)), None),
        (2.0, 2.0, 0.91, Some((0.008, 5e-4)), Some((0.066, 1e-3))),
    ] {
        let u = 1.0 / ratio;
        let tolerance = Bounds::symmetric(limit).unwrap();
        let accept = Bounds::symmetric(limit * guard).unwrap();
        let global =
            Global::of(Prior::Normal { mean: 0.0, sd: 1.0 }, u, tolerance, Zones::binary(accept)).unwrap();
        for (seen, printed) in [(global.consumer, accepts), (global.producer, rejects)] {
            if let Some((printed, within)) = printed {
                let difference: f64 = seen - printed;
                assert!(difference.abs() <= within, "SL {limit} ratio {ratio}: {seen} against {printed}");
            }
        }
    }
}

/// ILAC-G8:09/2019 4.2.1 and 4.2.2: up to 50 % false acceptance without a guard band, at most 2.5 % with w = U.
#[test]
fn ilac_g8s_two_risks_at_the_acceptance_limit_are_found() {
    let (limit, u) = (1.0, 0.05);
    let tolerance = Bounds::symmetric(limit).unwrap();
    for (rule, low, high) in [(Rule::Simple, 0.4999, 0.5001), (Rule::Guarded { r: 1.0 }, 0.022, 0.025)] {
        let at = rule.zones(2.0 * u, limit, Decimal::new(1, 1)).unwrap().accept.unwrap().upper();
        let risk = Conformity::of(at, u, None, tolerance).unwrap().specific_risk(Verdict::Pass).unwrap();
        assert!((low..=high).contains(&risk), "{rule:?}: {risk}");
    }
}
