//! Records for the tests of papers and archive: a real plan, results made by hand. No evidence stands behind them.

use super::chain::{self, Clock, Entry};
use super::cross_check::{Agreement, CrossCheck, Pair, Said, Way, Witness};
use super::issue::{Issue, Laboratory, Link, Status};
use super::record::{
    Attempt, ItemResult, Measured, Outcome, Point, Program, PulseReading, Record, Results, SCHEMA, Unit,
};
use crate::calibration::{Standard, Standards, builtin_simulated};
use crate::error::standard_meter;
use crate::plan::{self, Capability, Entries, Look, Method, Nameplate, Plan, Settle, Step, Windows, Work};
use crate::pulse::Window;
use crate::quantity::{Current, Energy, Ratio, Temperature, Voltage};
use crate::regulation::{self, Approval, Figure, Item, Profile, Provenance};
use crate::time::{Instant, Span};
use crate::uncertainty::{Component, Estimate, combine, type_a};
use crate::verdict::{Rule, Verdict, overall};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn capability() -> Capability {
    Capability {
        voltage_max_v: Voltage::from_volts(1000.0),
        current_max_a: Current::from_amperes(600.0),
        settle: Settle {
            voltage_band_percent: 0.5,
            current_band_percent: 0.5,
            current_floor_a: Current::from_amperes(0.01),
            hold_secs: 1.0,
            timeout_secs: 20.0,
            voltage_slew_v_per_s: 500.0,
            current_slew_a_per_s: 200.0,
        },
        sample_interval: Span::from_millis(200),
        sample_age_max: Span::from_millis(500),
        energy_step: crate::quantity::Energy::from_joules(1.0),
        reference_resolution: Ratio::from_ppm(10.0),
        edge_time_half_width: Span::from_millis(1).half(),
        method: Method::PowerTime,
        seconds_input: false,
        exchange: Span::from_millis(200),
        leads_current_a: None,
        leads_voltage_v: None,
        sample_scatter: None,
        second_opinion: None,
        instruments: vec![
            "source: Phantomload,SIM-SOURCE,1,1.0".into(),
            "reference: Phantomload,SIM-REF,1,1.0".into(),
        ],
    }
}

/// The same standards without their mark.
fn real_standards() -> Standards {
    let read = |text: &str| {
        let text = text.replace("simulated = true", "").replace("SIM", "").replace("imulated", "ested");
        Standard::from_toml("test.toml", &text).unwrap()
    };
    Standards::new(
        read(include_str!("../../calibration/simulated-reference.toml")),
        read(include_str!("../../calibration/simulated-time-base.toml")),
    )
    .unwrap()
}

fn plan(profile: Profile, standards: Standards, entries: Entries) -> Plan {
    let nameplate = Nameplate::from_toml("good.toml", include_str!("../../assets/demo/good.toml")).unwrap();
    plan::make(
        nameplate,
        profile,
        regulation::Kind::Subsequent,
        standards,
        capability(),
        entries,
        jiff::civil::date(2026, 11, 20),
    )
    .unwrap()
}

fn measured(
    plan: &Plan,
    value: f64,
    unit: Unit,
    interval: &str,
    limit: f64,
    budget: Vec<Component>,
) -> (Measured, Verdict, String) {
    let estimate = combine(value, &budget).unwrap();
    Measured::judged(&plan.profile, unit, estimate, interval.parse().unwrap(), limit, budget).unwrap()
}

fn item(item: Item, verdict: Verdict, reason: &str) -> ItemResult {
    let (reason, clause) = (reason.to_owned(), "7.3.2".to_owned());
    ItemResult { item, point: None, measured: None, verdict, reason, clause, stopped: None, attempts: vec![] }
}

/// A result by pulses with readings that scatter a little around `percent`.
fn by_pulses(plan: &Plan, step: &Step, windows: &Windows, percent: f64) -> ItemResult {
    let constant = plan.nameplate.constant_imp_per_kwh;
    let power = step.load.voltage_v * step.load.current_a;
    let mut at = Instant::ZERO + step.start;
    let readings: Vec<PulseReading> = [-0.002, 0.001, 0.004]
        .into_iter()
        .zip([7u64, 7, 8])
        .map(|(off, pulses)| {
            let indicated = constant.energy(pulses * 3);
            let reference = indicated / (1.0 + (percent + off) / 100.0);
            let opened = at;
            at = at + Span::from_secs_f64(reference.joules() / power.watts());
            PulseReading {
                window: Window { opened, closed: at, pulses: pulses * 3, first_seq: 0, last_seq: 1 },
                voltage_v: step.load.voltage_v,
                current_a: step.load.current_a,
                power_w: power,
                reference_energy_j: reference,
                indicated_energy_j: indicated,
                error: standard_meter(indicated, reference).unwrap(),
                line: None,
                lead_in: None,
                proof: None,
            }
        })
        .collect();
    let errors: Vec<f64> = readings.iter().map(|r| r.error.percent()).collect();
    let (mean, u, dof) = type_a(&errors).unwrap();
    let scatter = Component::a("repeatability", u, dof, "3 readings");
    let budget = vec![Component::b("reference certificate", 0.012, "certificate"), scatter];
    let (measured, verdict, reason) =
        measured(plan, mean, Unit::Percent, "0.1", windows.limit.percent(), budget);
    let spoiled = Attempt::Spoiled {
        from: Instant::ZERO,
        to: Instant::ZERO,
        why: "the source was not steady".into(),
        error: None,
    };
    ItemResult {
        point: Some(point(step, &windows.term)),
        measured: Some(measured),
        stopped: Some("3 readings of 2 to 5: more readings would not narrow the uncertainty".into()),
        attempts: std::iter::once(spoiled).chain(readings.into_iter().map(Attempt::Reading)).collect(),
        ..item(step.item, verdict, &reason)
    }
}

fn point(step: &Step, term: &str) -> Point {
    Point { term: term.to_owned(), voltage_v: step.load.voltage_v, current_a: step.load.current_a }
}

fn record(plan: Plan, simulated: bool, percent: f64) -> Record {
    let mut items = vec![item(Item::Appearance, Verdict::Pass, "appearance in order; function in order")];
    let estimate = Estimate { value: 0.0, u: 0.0, dof: None, k: 2.0, expanded: 0.0 };
    let none = Measured {
        unit: Unit::Pulse,
        estimate,
        rounded: Decimal::ZERO,
        limit: 1.0,
        budget: vec![],
        guarded: None,
        conformity: None,
        zone: None,
        global: None,
    };
    items.push(ItemResult {
        measured: Some(none),
        ..item(Item::Creep, Verdict::Pass, "0 pulses in 1 min 12.0 s, 1 allowed")
    });
    for step in &plan.steps {
        if let Work::Start(windows) | Work::BasicError(windows) = &step.work {
            items.push(by_pulses(&plan, step, windows, percent));
        }
    }
    let clock = vec![Component::rectangular("our clock", 1.0, "taken to be")];
    let (measured, verdict, reason) = measured(&plan, -2.4, Unit::Second, "1", 5.0, clock);
    items.push(ItemResult { measured: Some(measured), ..item(Item::ClockIndication, verdict, &reason) });
    let verdict = Some(overall(items.iter().map(|i| i.verdict)));
    let prefix = if simulated { "SIM" } else { "PL" };
    Record {
        schema: SCHEMA,
        simulated,
        record_no: format!("{prefix}-R-2026-000001"),
        certificate_no: Some(format!("{prefix}-2026-000001")),
        program: Program::this(),
        started: "2026-11-20T10:02:00.123+08:00".parse().unwrap(),
        began: Instant::ZERO,
        outcome: Outcome::Completed,
        results: Results {
            items,
            cross_check: Some(cross_check()),
            signed_record: None,
            opinions: vec![],
            verdict,
            correlations: vec![],
            joint_conformity: None,
            findings: vec!["the meter has no tariff registers".into()],
            decision_rule: Rule::of(&plan.profile).words(),
            rule: Some(Rule::of(&plan.profile)),
            stopping_rule: plan.early_stop.words(),
            elapsed: Span::from_secs(431),
            seals: None,
            switched_off: None,
            energy_log: None,
        },
        plan,
        raw: vec![],
        closing: None,
    }
}

/// Two ways that disagree and one that says nothing, in many words.
fn cross_check() -> CrossCheck {
    let energy = |way, percent: f64, u: f64| {
        let budget = vec![Component::b("made up", u, "nothing")];
        let energy_j = Energy::from_kilowatt_hours(2.5 * (1.0 + percent / 100.0));
        Witness {
            way,
            said: Said::Energy { energy_j, deviation: combine(percent, &budget).unwrap(), budget },
        }
    };
    let why = "none: the meter signs no records by this protocol ".repeat(4);
    let pair = Pair {
        ways: [Way::Pulses, Way::Register],
        difference: -900.0,
        expanded: 0.03,
        allowed: 0.1,
        agreement: Agreement::Disagree,
        cause: Some("wrong constant: the register takes 10 times the energy of the pulses ".repeat(4)),
    };
    let (voltage_v, current_a) = (Voltage::from_volts(750.0), Current::from_amperes(250.0));
    CrossCheck {
        point: Point { term: "Imax".into(), voltage_v, current_a },
        from: Instant::ZERO + Span::from_secs(20),
        to: Instant::ZERO + Span::from_secs(400),
        witnesses: vec![
            energy(Way::Reference, 0.0, 0.01),
            energy(Way::Pulses, -0.25, 0.002),
            energy(Way::Register, 899.75, 0.014),
            Witness { way: Way::SignedRecord, said: Said::Nothing { why } },
        ],
        pairs: vec![pair],
    }
}

fn profile() -> Profile {
    Profile::builtin("dc-meter").unwrap()
}

/// A completed simulated run with this error in percent at every point.
pub fn completed(percent: f64) -> Record {
    record(plan(profile(), builtin_simulated(), Entries::simulated()), true, percent)
}

/// The same on a real bench.
pub fn real(percent: f64) -> Record {
    let look = Some(Look { ok: true, remark: String::new() });
    let entries = Entries {
        operator: "李工".into(),
        customer: "某某充电运营有限公司".into(),
        site: "North car park, bay 7".into(),
        appearance: look.clone(),
        function: look,
        temperature_degc: Some(Temperature::from_degrees_celsius(21.5)),
        humidity_percent: None,
        ..Entries::default()
    };
    record(plan(profile(), real_standards(), entries), false, percent)
}

/// The same where a laboratory answers for the figures and knows a period of validity.
pub fn approved(percent: f64) -> Record {
    let mut profile = profile();
    profile.approval = Some(Approval {
        laboratory: "Some laboratory".into(),
        person: "Somebody".into(),
        date: jiff::civil::date(2026, 1, 1),
        validity_years: None,
    });
    for class in &mut profile.classes {
        let (clause, note) = ("of the laboratory".into(), None);
        class.validity_years = Some(Figure { value: 3, clause, provenance: Provenance::Read, note });
    }
    let temperature_degc = Some(crate::quantity::Temperature::from_degrees_celsius(22.0));
    record(
        plan(profile, real_standards(), Entries { temperature_degc, ..Entries::default() }),
        false,
        percent,
    )
}

/// A completed run of a meter that does not start.
pub fn silent_at_start() -> Record {
    let mut record = completed(0.3);
    let start = record.results.items.iter_mut().find(|i| i.item == Item::Start).unwrap();
    let bound = Ratio::from_percent(-50.0);
    let (measured, verdict, _) = measured(&record.plan, -50.0, Unit::Percent, "0.1", 18.75, vec![]);
    start.attempts = vec![Attempt::Silent {
        from: Instant::ZERO,
        to: Instant::ZERO + Span::from_secs(6),
        reference_energy_j: Energy::from_kilowatt_hours(0.0005),
        due: 2.0,
        bound,
    }];
    start.measured = Some(measured);
    start.verdict = verdict;
    start.reason = "no pulse in 6.0 s while 2.0 were due: the error is below -50 %".into();
    record.results.verdict = Some(verdict);
    record
}

/// A simulated run that somebody ended half-way.
pub fn aborted() -> Record {
    let mut record = completed(0.3);
    record.certificate_no = None;
    record.results.verdict = None;
    record.results.items.truncate(4);
    record.outcome = Outcome::Aborted { why: "stopped by the operator".into() };
    record
}

/// A simulated run whose bench failed.
pub fn faulted() -> Record {
    Record { outcome: Outcome::Faulted { why: "reference: no answer in 2.0 s".into() }, ..aborted() }
}

/// The same record under other numbers.
pub fn numbered(mut record: Record, record_no: &str, certificate_no: &str) -> Record {
    record_no.clone_into(&mut record.record_no);
    record.certificate_no = record.certificate_no.map(|_| certificate_no.to_owned());
    record
}

/// What a draft of the record says besides it.
pub fn draft(record: &Record) -> Issue {
    Issue {
        laboratory: Laboratory {
            name_zh: "示例计量所".into(),
            authorisation_no: "(示)法计2026001".into(),
            ..Laboratory::default()
        },
        status: Status::Draft,
        certificate_no: record.certificate_no.clone().unwrap_or_default(),
        signatures: vec![],
        issued_at: None,
        amends: None,
        link: Link { device: "DEMO-1".into(), seq: 2, prev: "a".repeat(64) },
        seal: None,
    }
}

/// The manifest of the record's package; its fingerprints are no hashes of anything.
pub fn manifest(record: &Record) -> Entry {
    let no = record.certificate_no.clone().unwrap_or_default();
    let names = [
        "record.json".to_owned(),
        format!("{no}_results.csv"),
        format!("{no}_report.txt"),
        "certificate.pdf".to_owned(),
        "certificate.dcc.xml".to_owned(),
    ];
    Entry {
        v: chain::VERSION,
        seq: 2,
        prev: "a".repeat(64),
        device: "DEMO-1".into(),
        kind: chain::Kind::Verdict,
        record: Some(record.record_no.clone()),
        cert: record.certificate_no.clone(),
        time: record.started.to_string(),
        clock: Clock { source: "system".into(), age_s: None },
        verdict: record.results.verdict.map(|verdict| verdict.to_string().to_lowercase()),
        said: BTreeMap::new(),
        files: names.into_iter().zip(["1", "2", "3", "4", "5"].map(|digit| digit.repeat(64))).collect(),
        alg: "ES256".into(),
        key_id: "0011223344556677".into(),
    }
}
