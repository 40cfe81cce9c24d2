//! The published examples of GUM (JCGM 100:2008) and of its Supplement 1 (JCGM 101:2008) with their printed numbers,
//! through the library and through the program. The models are the files of `tests/gum/`.
//!
//! A figure called *printed* stands in the document at the clause or table named beside it; the tolerance is half a
//! unit of its last digit and the stated sampling noise of our own Monte Carlo. Everything else is called what it is.

use phantomload::uncertainty::distribution::Distribution;
use phantomload::uncertainty::file::Request;
use phantomload::uncertainty::model::{Input, Model};
use phantomload::uncertainty::monte_carlo::{Fault, Sampled, Samples, Setup, Trials, sample};
use phantomload::uncertainty::propagation::{Propagation, propagate};
use phantomload::uncertainty::{Component, combine, coverage_factor_at, whole_dof};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

const SEED: u64 = 20_081;

fn path(case: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gum").join(format!("{case}.toml"))
}

fn request(case: &str) -> Request {
    let text = std::fs::read_to_string(path(case)).unwrap();
    Request::from_toml(case, &text).unwrap()
}

fn law(case: &str) -> Propagation {
    let request = request(case);
    propagate(&request.model, request.p.unwrap_or(0.95)).unwrap()
}

fn seeded(seed: u64) -> impl FnMut() -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    move || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn drawn(case: &str, trials: Trials) -> Samples {
    let request = request(case);
    let setup = Setup { p: request.p.unwrap_or(0.95), digits: request.digits.unwrap_or(2), trials };
    sample(&request.model, setup, seeded(SEED)).unwrap()
}

fn only(mut samples: Samples) -> Sampled {
    assert_eq!(samples.outputs.len(), 1);
    samples.outputs.remove(0)
}

#[track_caller]
fn near(seen: f64, wanted: f64, within: f64) {
    assert!((seen - wanted).abs() <= within, "{seen} is not within {within} of {wanted}");
}

#[test]
fn coverage_factors_are_those_of_gum_table_g2() {
    // Printed, Table G.2: columns 95 %, 95.45 %, 99 % at 4, 16 and infinitely many degrees of freedom.
    for (dof, printed) in
        [(Some(4.0), [2.78, 2.87, 4.60]), (Some(16.0), [2.12, 2.17, 2.92]), (None, [1.960, 2.000, 2.576])]
    {
        for (p, k) in [0.95, 0.9545, 0.99].into_iter().zip(printed) {
            near(coverage_factor_at(p, dof), k, 0.005);
        }
    }
}

#[test]
fn gum_h1_end_gauge() {
    let law = law("gum-h1");
    let estimate = &law.outputs[0].estimate;
    // Printed, H.1.4 to H.1.6: l = 50.000 838 mm, u_c = 32 nm, ν_eff = 16.7, t_99(16) = 2.92, U_99 = 93 nm.
    near(estimate.value, 50_000_838.0, 0.5);
    near(estimate.u, 32.0, 0.5);
    // 16.7 is printed from rounded contributions; the unrounded ones give 16.75.
    near(estimate.dof.unwrap(), 16.7, 0.1);
    assert_eq!(whole_dof(estimate.dof.unwrap()) as i64, 16);
    near(estimate.k, 2.92, 0.005);
    // U is printed from the rounded factors: 2.92 × 32 nm = 93 nm; from the unrounded it is half a nanometre less.
    near(estimate.expanded, 93.0, 1.0);
    // Printed, Table H.1: the contributions |cᵢ|u(xᵢ) 25, 2.9 and 16.6 nm; none of α_S and θ.
    for (input, contribution) in
        [("l_S", 25.0), ("da", 2.9), ("dtheta", 16.6), ("alpha_S", 0.0), ("theta", 0.0)]
    {
        let line = law.outputs[0].budget.iter().find(|c| c.input == input).unwrap();
        near(line.contribution.abs(), contribution, 0.05);
    }
}

#[test]
fn gum_h2_simultaneous_resistance_and_reactance() {
    let request = request("gum-h2");
    let place = |name: &str| request.model.inputs().iter().position(|i| i.name() == name).unwrap();
    // Printed, Table H.2: means, standard uncertainties and correlation coefficients of the observations.
    for (name, value, u, digit) in
        [("V", 4.9990, 0.0032, 5e-5), ("I", 19.6610, 0.0095, 5e-5), ("phi", 1.044_46, 0.000_75, 5e-6)]
    {
        let input = &request.model.inputs()[place(name)];
        near(input.value(), value, digit);
        near(input.u(), u, digit);
        assert_eq!(input.dof(), Some(4.0));
    }
    for (a, b, r) in [("V", "I", -0.36), ("V", "phi", 0.86), ("I", "phi", -0.65)] {
        near(request.model.correlation(place(a), place(b)), r, 0.006);
    }
    // Printed, Table H.3: values, standard uncertainties, correlations. u(X) is printed 0.295 and is 0.2956 from the
    // unrounded observations: hence a whole unit of the last digit.
    let law = law("gum-h2");
    for (i, (name, value, u)) in
        [("R", 127.732, 0.071), ("X", 219.847, 0.295), ("Z", 254.260, 0.236)].into_iter().enumerate()
    {
        assert_eq!(law.outputs[i].name, name);
        near(law.outputs[i].estimate.value, value, 0.0005);
        near(law.outputs[i].estimate.u, u, 0.001);
    }
    for (i, j, r) in [(0, 1, -0.588), (0, 2, -0.485), (1, 2, 0.993)] {
        near(law.correlation[i][j], r, 0.0005);
    }
    // Not printed: simultaneous observations are drawn together, so the Monte Carlo sees the same correlations.
    let drawn = drawn("gum-h2", Trials::Fixed(200_000));
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        near(drawn.correlation[i][j], law.correlation[i][j], 0.02);
    }
}

#[test]
fn gum_h2_by_the_coefficients_of_its_table() {
    // The same with the printed, rounded inputs and coefficients of Table H.2, as most programs are given them.
    let normal = |name: &str, value: f64, u: f64| Input::new(name, value, Distribution::Normal { u });
    let model = Model::builder()
        .input(normal("V", 4.9990, 0.0032))
        .input(normal("I", 0.019_661_0, 0.000_009_5))
        .input(normal("phi", 1.044_46, 0.000_75))
        .correlation("V", "I", -0.36)
        .correlation("V", "phi", 0.86)
        .correlation("I", "phi", -0.65)
        .output("R", "V / I * cos(phi)")
        .output("X", "V / I * sin(phi)")
        .output("Z", "V / I");
    let law = propagate(&model.build().unwrap(), 0.95).unwrap();
    for (i, (value, u)) in [(127.732, 0.071), (219.847, 0.295), (254.260, 0.236)].into_iter().enumerate() {
        near(law.outputs[i].estimate.value, value, 0.0005);
        near(law.outputs[i].estimate.u, u, 0.002);
    }
}

#[test]
fn jcgm_101_9_2_2_four_normal_quantities() {
    let (law, drawn) = (law("jcgm101-9.2.2"), only(drawn("jcgm101-9.2.2", Trials::Adaptive)));
    // Printed, Table 2: y = 0.00, u = 2.00, [−3.92, 3.92] by both, δ = 0.05, validated.
    near(law.outputs[0].estimate.u, 2.0, 1e-12);
    near(law.outputs[0].estimate.expanded, 3.92, 0.005);
    assert!(drawn.settled && drawn.trials < 3_000_000);
    near(drawn.value, 0.0, 0.01);
    near(drawn.u, 2.0, 0.01);
    near(drawn.low, -3.92, 0.015);
    near(drawn.high, 3.92, 0.015);
    near(drawn.tolerance, 0.05, 1e-12);
    assert_eq!(drawn.agrees(&law.outputs[0].estimate, Trials::Adaptive), Some(true));
}

#[test]
fn jcgm_101_9_2_3_four_rectangular_quantities() {
    let (law, drawn) = (law("jcgm101-9.2.3"), only(drawn("jcgm101-9.2.3", Trials::Fixed(1_000_000))));
    // Printed, Table 3: [−3.92, 3.92] by propagation, [−3.88, 3.88] by Monte Carlo, δ = 0.05, validated; and the exact
    // ends ±2√3(2 − (3/5)^¼).
    near(law.outputs[0].estimate.expanded, 3.92, 0.005);
    near(2.0 * 3f64.sqrt() * (2.0 - 0.6f64.powf(0.25)), 3.88, 0.005);
    near(drawn.low, -3.88, 0.015);
    near(drawn.high, 3.88, 0.015);
    assert_eq!(drawn.agrees(&law.outputs[0].estimate, Trials::Fixed(1_000_000)), Some(true));
}

#[test]
fn jcgm_101_9_2_4_one_rectangular_quantity_rules() {
    let (law, drawn) = (law("jcgm101-9.2.4"), only(drawn("jcgm101-9.2.4", Trials::Fixed(500_000))));
    // Printed, Table 4: u = 10.1 by both, [−19.9, 19.9] by propagation, [−17.0, 17.0] by Monte Carlo, not validated.
    near(law.outputs[0].estimate.u, 10.1, 0.05);
    near(law.outputs[0].estimate.expanded, 19.9, 0.05);
    near(drawn.u, 10.1, 0.06);
    near(drawn.low, -17.0, 0.08);
    near(drawn.high, 17.0, 0.08);
    near(drawn.tolerance, 0.5, 1e-12);
    assert_eq!(drawn.agrees(&law.outputs[0].estimate, Trials::Fixed(500_000)), Some(false));
}

#[test]
fn jcgm_101_9_3_mass_calibration() {
    let (law, drawn) = (law("jcgm101-9.3"), only(drawn("jcgm101-9.3", Trials::Adaptive)));
    // Printed, Table 6, row GUF1 (first order): 1.2340, 0.0539, [1.1285, 1.3395] mg.
    let estimate = &law.outputs[0].estimate;
    near(estimate.value, 1.2340, 5e-5);
    near(estimate.u, 0.0539, 5e-5);
    near(estimate.value - estimate.expanded, 1.1285, 5e-5);
    near(estimate.value + estimate.expanded, 1.3395, 5e-5);
    // Printed, same table, row MCM: 1.2340, 0.0754, shortest interval [1.0834, 1.3825] mg; δ = 0.005, GUF1 not
    // validated. Both samples are settled to δ/5 = 0.001 only.
    near(drawn.value, 1.2340, 0.001);
    near(drawn.u, 0.0754, 0.001);
    near(drawn.shortest_low, 1.0834, 0.004);
    near(drawn.shortest_high, 1.3825, 0.004);
    near(drawn.low, 1.0834, 0.002);
    near(drawn.high, 1.3825, 0.002);
    near(drawn.tolerance, 0.005, 1e-12);
    assert_eq!(drawn.agrees(estimate, Trials::Adaptive), Some(false));
}

#[test]
fn jcgm_101_9_4_comparison_loss() {
    let (law, drawn) = (law("jcgm101-9.4"), only(drawn("jcgm101-9.4", Trials::Fixed(1_000_000))));
    // Printed, 9.4.2 for zero covariance, x₁ = 0.010, in 10⁻⁶: by propagation 100, 100, [−96, 296]; the distributions give 150, 112 and
    // the shortest interval [0, 367].
    let estimate = &law.outputs[0].estimate;
    near(estimate.value, 100e-6, 1e-9);
    near(estimate.u, 100e-6, 1e-9);
    near(estimate.value - estimate.expanded, -96e-6, 0.5e-6);
    near(estimate.value + estimate.expanded, 296e-6, 0.5e-6);
    near(drawn.value, 150e-6, 1e-6);
    near(drawn.u, 112e-6, 1e-6);
    near(drawn.shortest_low, 0.0, 1e-6);
    near(drawn.shortest_high, 367e-6, 3e-6);
    assert_eq!(drawn.agrees(estimate, Trials::Fixed(1_000_000)), Some(false));
}

#[test]
fn jcgm_101_9_5_gauge_block() {
    let drawn = only(drawn("jcgm101-9.5", Trials::Fixed(500_000)));
    // Printed, 9.5, results by Monte Carlo: 838 nm, 36 nm, shortest 99 % interval [745, 932] nm.
    near(drawn.value, 838.0, 0.5);
    near(drawn.u, 36.0, 0.5);
    near(drawn.shortest_low, 745.0, 2.0);
    near(drawn.shortest_high, 932.0, 2.0);
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let first = drawn("jcgm101-9.5", Trials::Fixed(20_000));
    assert_eq!(first, drawn("jcgm101-9.5", Trials::Fixed(20_000)));
    let request = request("jcgm101-9.5");
    let setup = Setup { p: 0.99, digits: 2, trials: Trials::Fixed(20_000) };
    assert_ne!(first, sample(&request.model, setup, seeded(SEED + 1)).unwrap());
}

#[test]
fn what_cannot_be_drawn_is_said_and_not_made_up() {
    let normal = Input::new("n", 1.0, Distribution::Normal { u: 0.5 });
    let flat = Input::new("f", 1.0, Distribution::Rectangular { half_width: 0.5 });
    let few: &[f64] = &[1.0, 1.1, 1.2];
    let draw = |model: Model| {
        let setup = Setup { p: 0.95, digits: 2, trials: Trials::Fixed(10_000) };
        sample(&model, setup, seeded(SEED)).unwrap_err()
    };
    let three = Model::builder().series(&[("x", few)]).output("y", "x").build().unwrap();
    assert_eq!(draw(three), Fault::NoDeviation { input: "x".into(), dof: 2.0 });
    let mixed =
        Model::builder().input(normal.clone()).input(flat).correlation("n", "f", 0.5).output("y", "n + f");
    assert!(matches!(draw(mixed.build().unwrap()), Fault::NotJoint { input, .. } if input == "f"));
    let root = Model::builder().input(normal).output("y", "sqrt(n)").build().unwrap();
    assert!(matches!(draw(root), Fault::Undefined { output, .. } if output == "y"));
}

#[test]
fn a_component_that_is_no_number_is_refused_by_name() {
    let drift = Component::b("drift of the reference", f64::NAN, "nowhere");
    assert!(combine(0.0, &[drift]).unwrap_err().to_string().contains("drift of the reference"));
    let model = Model::builder().input(Input::new("drift", 0.0, Distribution::Normal { u: f64::NAN }));
    assert!(model.output("y", "drift").build().unwrap_err().to_string().contains("`drift`"));
}

/// Sum of cᵢ·xᵢ with cᵢ ≥ 0, some inputs with few degrees of freedom.
fn linear(parts: &[(f64, f64, Option<f64>)], order: impl Iterator<Item = usize>) -> Model {
    let mut builder = Model::builder();
    for i in order {
        let input = Input::new(&format!("x{i}"), 1.0, Distribution::Normal { u: parts[i].1 });
        builder = builder.input(match parts[i].2 {
            Some(dof) => input.with_dof(dof),
            None => input,
        });
    }
    let terms: Vec<String> = parts.iter().enumerate().map(|(i, (c, ..))| format!("{c} * x{i}")).collect();
    builder.output("y", &terms.join(" + ")).build().unwrap()
}

fn parts() -> impl Strategy<Value = Vec<(f64, f64, Option<f64>)>> {
    prop::collection::vec((0.0..10.0f64, 0.0..10.0f64, prop::option::of(1.0..50.0f64)), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_uncertainty_in_an_input_never_lowers_that_of_the_output(
        parts in parts(), which in any::<prop::sample::Index>(), more in 0.0..5.0f64
    ) {
        let mut worse = parts.clone();
        worse[which.index(parts.len())].1 += more;
        let u = |parts: &[_]| propagate(&linear(parts, 0..parts.len()), 0.95).unwrap().outputs[0].estimate.u;
        prop_assert!(u(&worse) >= u(&parts));
    }

    #[test]
    fn the_order_of_inputs_changes_nothing(parts in parts()) {
        let n = parts.len();
        let of = |model: &Model| propagate(model, 0.95).unwrap().outputs.remove(0).estimate;
        let (there, back) = (of(&linear(&parts, 0..n)), of(&linear(&parts, (0..n).rev())));
        prop_assert!((there.u - back.u).abs() <= 1e-12 * there.u);
        prop_assert!((there.expanded - back.expanded).abs() <= 1e-9 * there.expanded);
        // Not the whole ν: a sum in another order may fall on the other side of a whole number.
        match (there.dof, back.dof) {
            (Some(there), Some(back)) => prop_assert!((there - back).abs() <= 1e-9 * there),
            (there, back) => prop_assert_eq!(there, back),
        }
    }
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phantomload")).arg("uncertainty").args(arguments).output().unwrap()
}

fn json(case: &str, trials: &str) -> Value {
    let file = path(case);
    let output = program(&[file.to_str().unwrap(), "--json", "--trials", trials]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_program_prints_gum_h1() {
    let page = json("gum-h1", "100000");
    near(page["gum"]["u"].as_f64().unwrap(), 32.0, 0.5);
    near(page["gum"]["dof"].as_f64().unwrap(), 16.0, 0.0);
    near(page["gum"]["interval_low"].as_f64().unwrap(), 50_000_745.0, 1.0);
    assert_eq!(page["gum"], page["outputs"][0]["gum"]);
    assert_eq!(page["monte_carlo"], page["outputs"][0]["monte_carlo"]);
    assert_eq!(page["agree"], page["outputs"][0]["agree"]);
    let both = ["dof", "expanded", "interval_high", "interval_low", "k", "u", "value"];
    assert_eq!(keys(&page["gum"]), both);
    let mut more = [&both[..], &["shortest_low", "shortest_high", "trials"]].concat();
    more.sort_unstable();
    assert_eq!(keys(&page["monte_carlo"]), more);
    assert_eq!(keys(&page["outputs"][0]), ["agree", "gum", "monte_carlo", "name", "tolerance"]);
}

#[test]
fn the_program_prints_gum_h2_with_its_correlations() {
    let page = json("gum-h2", "50000");
    assert_eq!(keys(&page), ["correlations", "outputs"]);
    for (i, (name, value, u)) in
        [("R", 127.732, 0.071), ("X", 219.847, 0.295), ("Z", 254.260, 0.236)].into_iter().enumerate()
    {
        assert_eq!(page["outputs"][i]["name"], name);
        near(page["outputs"][i]["gum"]["value"].as_f64().unwrap(), value, 0.0005);
        near(page["outputs"][i]["gum"]["u"].as_f64().unwrap(), u, 0.001);
    }
    for (i, r) in [-0.588, -0.485, 0.993].into_iter().enumerate() {
        near(page["correlations"][i]["r"].as_f64().unwrap(), r, 0.0005);
    }
}

#[test]
fn the_program_says_where_propagation_and_monte_carlo_disagree() {
    let page = json("jcgm101-9.2.4", "adaptive");
    assert_eq!((&page["agree"], &page["tolerance"]), (&Value::Bool(false), &Value::from(0.5)));
    near(page["gum"]["interval_high"].as_f64().unwrap(), 19.9, 0.05);
    near(page["monte_carlo"]["interval_high"].as_f64().unwrap(), 17.0, 0.15);
    let file = path("jcgm101-9.2.4");
    let text =
        String::from_utf8(program(&[file.to_str().unwrap(), "--trials", "20000", "--seed", "7"]).stdout)
            .unwrap();
    for word in ["gum", "monte_carlo", "agree: no", "tolerance 0.5", "interval_low", "seed 7"] {
        assert!(text.contains(word), "{word} in\n{text}");
    }
}

#[test]
fn the_program_refuses_bad_input_by_name_with_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("case.toml");
    let good = "[input.a]\nvalue = 1\nu = 1\n[input.b]\nvalue = 0\nu = 1\n[input.c]\nvalue = 1\nu = 1\n";
    let r = |a: &str, b: &str, r: f64| format!("[[correlation]]\nbetween = [\"{a}\", \"{b}\"]\nr = {r}\n");
    for (text, said) in [
        (format!("expression = \"a\"\nspeed = 1\n{good}"), "speed"),
        (format!("expression = \"a\"\n{good}[input.d]\nvalue = nan\nu = 1"), "`d`"),
        (format!("expression = \"a\"\n{good}[input.d]\nvalue = 1\nu = -1"), "`d`"),
        (format!("expression = \"a\"\n{good}{}", r("a", "b", 1.5)), "`a` and `b`"),
        (
            format!(
                "expression = \"a\"\n{good}{}{}{}",
                r("a", "b", 0.9),
                r("b", "c", 0.9),
                r("a", "c", -0.9)
            ),
            "positive semi-definite",
        ),
        (format!("expression = \"a + z\"\n{good}"), "`z` is no input"),
        (format!("expression = \"gamma(a)\"\n{good}"), "`gamma` is no function"),
        (format!("expression = \"a / b\"\n{good}"), "division by zero"),
        (format!("expression = \"a\"\np = 1.5\n{good}"), "coverage probability is 1.5"),
        (format!("expression = \"a\"\ndigits = 3\n{good}"), "digits of u are 3"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = program(&[file.to_str().unwrap(), "--json", "--trials", "10000"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}: {message}");
        assert!(message.contains(said) && output.stdout.is_empty(), "{said}: {message}");
    }
    let file = path("gum-h1");
    for arguments in [["--trials", "many"], ["--trials", "100"], ["--p", "0"], ["--digits", "0"]] {
        let output = program(&[file.to_str().unwrap(), arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(program(&["no-such-file.toml"]).status.code(), Some(2));
}
