//! Tests of the budget.

use super::*;
use crate::calibration::builtin_simulated;
use crate::plan::Settle;
use crate::quantity::{Current, Energy, Voltage};
use crate::uncertainty::{Shape, combine, correlation_by_causes};
use jiff::civil::date;

fn bench(method: Method) -> Capability {
    Capability {
        voltage_max_v: Voltage::from_volts(1000.0),
        current_max_a: Current::from_amperes(600.0),
        settle: Settle {
            voltage_band_percent: 0.5,
            current_band_percent: 0.5,
            current_floor_a: Current::from_amperes(0.002),
            hold_secs: 1.0,
            timeout_secs: 10.0,
            voltage_slew_v_per_s: 1000.0,
            current_slew_a_per_s: 200.0,
        },
        sample_interval: Span::from_millis(100),
        sample_age_max: Span::from_millis(500),
        reference_resolution: Ratio::from_percent(0.001),
        energy_step: Energy::from_joules(0.01),
        edge_time_half_width: Span::from_secs_f64(50e-6),
        method,
        seconds_input: true,
        exchange: Span::from_millis(200),
        leads_current_a: Some(Current::from_amperes(20e-6)),
        leads_voltage_v: Some(Voltage::from_volts(0.01)),
        sample_scatter: Some(Ratio::from_ppm(30.0)),
        second_opinion: None,
        instruments: vec![],
    }
}

fn with<T>(method: Method, amperes: f64, ask: impl FnOnce(Setting) -> T) -> T {
    let (standards, bench) = (builtin_simulated(), bench(method));
    let load = Load { voltage_v: Voltage::from_volts(750.0), current_a: Current::from_amperes(amperes) };
    ask(Setting {
        standards: &standards,
        bench: &bench,
        load,
        day: date(2027, 1, 5),
        surroundings: &Surroundings::Entered(Temperature::from_degrees_celsius(25.0)),
        window: Span::from_secs(10),
        readings: 4,
        error: Ratio::ZERO,
        seen: Seen::default(),
    })
}

fn u(budget: &[Component], label: &str) -> f64 {
    budget.iter().find(|c| c.label == label).unwrap_or_else(|| panic!("no {label} in {budget:?}")).u
}

fn near(seen: f64, expected: f64) {
    assert!((seen / expected - 1.0).abs() < 1e-6, "{seen}, expected {expected}");
}

#[test]
fn each_row_is_what_one_reckons_by_hand() {
    with(Method::PowerTime, 0.4, |setting| {
        let budget = setting.components().unwrap();
        let third = 3f64.sqrt();
        near(u(&budget, "reference certificate"), 0.025);
        near(u(&budget, "reference drift"), 0.005 * 365.0 / 365.25 / third);
        near(u(&budget, "reference temperature"), 0.0005 * 2.0 / third);
        near(u(&budget, "time base certificate"), 0.5e-4);
        near(u(&budget, "time base drift"), 1e-4 * 365.0 / 365.25 / third);
        near(u(&budget, "time base temperature"), 0.05e-4 * 2.0 / third);
        near(u(&budget, "resolution of the reference"), 0.0005 / third);
        near(u(&budget, "current leads"), 20e-6 / 0.4 * 100.0 / third);
        near(u(&budget, "voltage leads"), 0.01 / 750.0 * 100.0 / third);
        // Two ends in 40 s, a hundred samples in each of four windows.
        near(u(&budget, "edge time stamps"), 50e-6 / third * 2f64.sqrt() / 40.0 * 100.0);
        near(u(&budget, "sampling and source instability"), 0.003 / 400f64.sqrt());
        assert_eq!(budget.len(), 11, "and nothing else: {budget:?}");
    });
}

#[test]
fn a_reference_that_counts_has_no_time_base_but_a_step_and_a_moment() {
    with(Method::StandardMeter, 0.4, |setting| {
        let seen = Seen { moment: Span::from_millis(3), ..Seen::default() };
        let budget = Setting { seen, ..setting }.components().unwrap();
        assert!(budget.iter().all(|c| !c.label.starts_with("time base")), "{budget:?}");
        near(u(&budget, "resolution of the reference"), 0.01 / 6f64.sqrt() / 3000.0 * 100.0 / 4.0);
        near(
            u(&budget, "moment of the reference's energy count"),
            0.003 * (2.0f64 / 3.0).sqrt() / 40.0 * 100.0,
        );
        // 30 ppm of power over half an interval of 0.1 s.
        near(u(&budget, "sampling and source instability"), 30e-6 * 0.05 * 2f64.sqrt() / 40.0 * 100.0);
    });
}

#[test]
fn a_counter_that_moves_against_our_clock_is_a_component_once_it_shows() {
    for method in [Method::PowerTime, Method::StandardMeter] {
        with(method, 10.0, |setting| {
            let moved = |millis| {
                let counter = Some((Span::from_millis(millis), Span::from_secs(150)));
                Setting { seen: Seen { counter, ..Seen::default() }, ..setting.clone() }.components().unwrap()
            };
            let budget = moved(30);
            near(u(&budget, COUNTER), 0.02 / 3f64.sqrt());
            let row = budget.iter().find(|row| row.label == COUNTER).unwrap();
            assert_eq!(row.evidence, "±0.02 %: its stamps moved 30 ms against our clock in 2 min 30.0 s");
            assert_eq!(moved(0), setting.components().unwrap());
        });
    }
}

#[test]
fn a_broken_row_of_windows_has_more_ends() {
    with(Method::PowerTime, 10.0, |setting| {
        let whole = setting.components().unwrap();
        let seen = Seen { stretches: 2, ..Seen::default() };
        let broken = Setting { seen, ..setting }.components().unwrap();
        near(u(&broken, "edge time stamps"), u(&whole, "edge time stamps") * 2f64.sqrt());
        let shape =
            |budget: &[Component]| budget.iter().find(|c| c.label == "edge time stamps").unwrap().shape;
        assert_eq!((shape(&whole), shape(&broken)), (Shape::Triangular, Shape::Normal));
    });
}

#[test]
fn jitter_is_what_the_edges_scatter_by_beyond_their_stamps() {
    with(Method::PowerTime, 10.0, |setting| {
        let stamp = 50e-6 / 3f64.sqrt();
        let seen = |scatter: f64| Seen { edges: Some((scatter, 98.0)), ..Seen::default() };
        let jitter = |scatter| {
            let budget = Setting { seen: seen(scatter), ..setting.clone() }.components().unwrap();
            u(&budget, "pulse jitter of the meter")
        };
        near(jitter(stamp.hypot(1e-3)), 1e-3 * 2f64.sqrt() / 40.0 * 100.0);
        assert_eq!(jitter(20e-6), 0.0);
    });
}

#[test]
fn the_same_scatter_is_not_counted_twice() {
    with(Method::PowerTime, 10.0, |setting| {
        let expected = setting.random().iter().map(|r| r.single.powi(2)).sum::<f64>().sqrt();
        let repeatability = |scatter: f64| {
            // Two pairs at ± d have s = d·√(4/3).
            let d = scatter * 0.75f64.sqrt();
            setting.repeatability(&[0.1 + d, 0.1 - d, 0.1 + d, 0.1 - d]).unwrap()
        };
        assert_eq!(repeatability(0.9 * expected).u, 0.0);
        near(repeatability(expected.hypot(0.02)).u, 0.01);
        assert_eq!(repeatability(0.02).dof, Some(3.0));
        assert!(setting.repeatability(&[0.1]).is_none(), "one reading has no scatter");
        let none = setting.repeatability(&[0.1, f64::NAN]).unwrap();
        assert!(combine(0.0, &[none]).unwrap_err().to_string().contains("repeatability"));
    });
}

#[test]
fn before_the_run_the_settle_band_stands_for_a_scatter_that_nobody_states() {
    with(Method::PowerTime, 10.0, |setting| {
        let bench = Capability { sample_scatter: None, ..setting.bench.clone() };
        let budget = Setting { bench: &bench, ..setting }.components().unwrap();
        // The voltage's floor of 0.5 V is within its 0.5 %; both bands together are 1 %.
        near(u(&budget, "sampling and source instability"), 1.0 / 3f64.sqrt() / 400f64.sqrt());
    });
}

#[test]
fn a_figure_that_is_missing_is_refused_by_name() {
    let text = include_str!("../../../calibration/simulated-reference.toml");
    for key in ["drift_percent_per_year", "temperature_coefficient_percent_per_k", "calibrated_at_c"] {
        let without: String = text.lines().filter(|l| !l.starts_with(key)).collect::<Vec<_>>().join("\n");
        let reference = Standard::from_toml("r.toml", &without).unwrap();
        let standards = Standards::new(reference, builtin_simulated().time_base().clone()).unwrap();
        with(Method::PowerTime, 10.0, |setting| {
            let fault = Setting { standards: &standards, ..setting }.components().unwrap_err().to_string();
            assert!(fault.contains(key) && fault.contains("SIM-REF-1"), "{fault}");
        });
    }
}

#[test]
fn a_temperature_that_was_not_entered_is_assumed_within_the_regulation() {
    let profile = Profile::builtin("jjg596-2026").unwrap();
    let class = profile.class("B").unwrap();
    let assumed = Surroundings::of(&Entries::default(), &profile, &class).unwrap();
    with(Method::PowerTime, 10.0, |setting| {
        let budget = Setting { surroundings: &assumed, ..setting }.components().unwrap();
        let row = budget.iter().find(|c| c.label == "reference temperature").unwrap();
        // Class B may be tested at 23 °C ± 5 K.
        near(row.u, 0.0005 * 5.0 / 3f64.sqrt());
        assert!(
            row.evidence.contains("not entered") && row.evidence.contains("18 °C and 28 °C"),
            "{}",
            row.evidence
        );
    });
    let without = Profile { conditions: None, ..profile };
    let fault = Surroundings::of(&Entries::default(), &without, &class).unwrap_err().to_string();
    assert!(fault.contains("enter temperature_degc"), "{fault}");
}

#[test]
fn the_lower_the_load_the_more_the_leads_matter_and_the_less_points_have_in_common() {
    let budget = |amperes| with(Method::PowerTime, amperes, |setting| setting.components().unwrap());
    let (low, high, higher) = (budget(0.4), budget(100.0), budget(250.0));
    assert!(u(&low, "current leads") > 100.0 * u(&high, "current leads"));
    assert!(correlation_by_causes(&high, &higher) > 0.99);
    assert!(correlation_by_causes(&low, &high) < correlation_by_causes(&high, &higher));
}

#[test]
fn a_slow_meter_feels_its_reference_less() {
    with(Method::PowerTime, 10.0, |setting| {
        let slow = Setting { error: Ratio::from_percent(-50.0), ..setting }.components().unwrap();
        near(u(&slow, "reference certificate"), 0.005);
    });
}
