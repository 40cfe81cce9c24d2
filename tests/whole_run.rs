//! Each demo meter on the simulated bench, whole: what must come out, and that it comes out of the evidence alone.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::certificate::record::{Attempt, Outcome};
use phantomload::plan::Method;
use phantomload::quantity::Current;
use phantomload::regulation::{Item, Kind};
use phantomload::run::{Event, Logged, recompute};
use phantomload::sim::DEMO_METERS;
use phantomload::verdict::Verdict;
use simulated::{Meddled, plan_of, record, record_of, record_with, rig, table};

#[test]
fn the_good_meter_passes_item_by_item() {
    let record = record("good", "dc-meter", Kind::Subsequent, 1);
    assert_eq!(record.outcome, Outcome::Completed);
    assert_eq!(record.results.verdict, Some(Verdict::Pass));
    insta::assert_snapshot!(table(&record.results.items));
}

#[test]
fn each_faulty_meter_fails_its_own_item_and_no_other() {
    for (meter, item) in [
        ("fast", Item::BasicError),
        ("bad-at-imin", Item::BasicError),
        ("creeping", Item::Creep),
        ("not-starting", Item::Start),
        ("wrong-constant", Item::MeterConstant),
        ("clock-off", Item::ClockIndication),
        ("led-off", Item::MeterConstant),
    ] {
        let record = record(meter, "dc-meter", Kind::Subsequent, 1);
        let failed: Vec<_> = record.results.items.iter().filter(|i| i.verdict == Verdict::Fail).collect();
        assert_eq!(record.results.verdict, Some(Verdict::Fail), "{meter}");
        assert!(
            !failed.is_empty() && failed.iter().all(|i| i.item == item),
            "{meter}:\n{}",
            table(&record.results.items)
        );
        let points = if meter == "fast" { 4 } else { 1 };
        assert_eq!(failed.len(), points, "{meter}:\n{}", table(&record.results.items));
    }
}

#[test]
fn a_register_too_coarse_for_its_verdict_gives_no_pass() {
    let rig = rig("standard-register");
    let honest = plan_of(&rig, "dc-meter", Kind::Subsequent);
    assert!(honest.fits, "planned honestly, hundredths take nine of the ten minutes: {}", honest.total);
    assert_eq!(record_of(&rig, honest, 1).results.verdict, Some(Verdict::Pass));
    // The nameplate promises thousandths, the data output gives hundredths.
    let promised = plan_of(&simulated::rig("good"), "dc-meter", Kind::Subsequent);
    let mut plan = promised.clone();
    plan.nameplate.register_resolution_kwh = rig.nameplate.register_resolution_kwh;
    let record = record_of(&rig, plan, 1);
    let constant = record.results.items.iter().find(|i| i.item == Item::MeterConstant).unwrap();
    assert_eq!(constant.verdict, Verdict::Undecided, "{}", constant.reason);
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
}

#[test]
fn a_meter_that_cannot_be_done_in_ten_minutes_is_told_so() {
    let plan = plan_of(&rig("slow-pulses"), "dc-meter", Kind::Subsequent);
    assert!(!plan.fits && plan.lower_bound <= plan.total);
    let advice = plan.advice.join("\n");
    assert!(advice.contains("Creep") && advice.contains("1000 imp/kWh would bring the total to"), "{advice}");
}

#[test]
fn every_regulation_and_kind_runs_through() {
    for regulation in ["dc-meter", "jjg596-2026", "jjg1149-2022"] {
        for kind in Kind::ALL {
            let record = record("good", regulation, kind, 3);
            assert_eq!(
                record.results.verdict,
                Some(Verdict::Pass),
                "{regulation} {kind}:\n{}",
                table(&record.results.items)
            );
            let planned = record.plan.total - record.results.elapsed;
            assert!(
                planned.secs().abs() < 5.0,
                "{regulation} {kind}: planned {}, took {}",
                record.plan.total,
                record.results.elapsed
            );
        }
    }
}

#[test]
fn both_methods_of_the_reference_give_the_same_verdicts() {
    let rig = rig("bad-at-imin");
    let tables = [Method::PowerTime, Method::StandardMeter].map(|method| {
        let mut plan = plan_of(&rig, "jjg596-2026", Kind::Subsequent);
        plan.capability.method = method;
        let record = record_of(&rig, plan, 5);
        record.results.items.iter().map(|i| (i.item, i.verdict)).collect::<Vec<_>>()
    });
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn results_follow_from_the_raw_events_alone() {
    for (meter, _) in DEMO_METERS {
        let record = record(meter, "dc-meter", Kind::Subsequent, 2);
        let text = record.to_json().unwrap();
        let read = phantomload::certificate::record::Record::from_json("test", &text).unwrap();
        assert_eq!(read, record, "{meter}: the record survives its own text");
        assert_eq!(recompute(&read), (Some(record.outcome.clone()), record.results.clone()), "{meter}");
        assert_eq!(read.to_json().unwrap(), text, "{meter}: bit for bit");
    }
}

#[test]
fn a_changed_sample_changes_the_recomputed_results() {
    let mut record = record("good", "dc-meter", Kind::Subsequent, 1);
    let end = record.raw.len() / 2;
    for Logged(_, event) in &mut record.raw[end..end + 2000] {
        if let Event::Sample(sample) = event {
            sample.power = sample.power * 1.002;
        }
    }
    assert_ne!(recompute(&record).1, record.results);
}

#[test]
fn limits_changed_after_the_run_change_no_stored_verdict() {
    let record = record("good", "dc-meter", Kind::Subsequent, 1);
    let text = record.to_json().unwrap();
    let read = phantomload::certificate::record::Record::from_json("test", &text).unwrap();
    assert_eq!(read.results.verdict, Some(Verdict::Pass), "the stored verdict is read, not made anew");
    assert_eq!(read.plan.profile, record.plan.profile, "and the limits are frozen beside it");
}

#[test]
fn a_lost_edge_spoils_its_window_and_the_attempt_is_kept() {
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    let mut edges = 0;
    let record = record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, move |_, event| {
            edges += usize::from(matches!(event, Event::Edge(_)));
            if matches!(event, Event::Edge(_)) && edges == 2000 { None } else { Some(event) }
        })
    });
    let imax = record.results.items.iter().find(|i| i.item == Item::BasicError).unwrap();
    assert_eq!(imax.verdict, Verdict::Pass);
    assert_eq!(imax.attempts.len(), 3);
    assert!(
        matches!(&imax.attempts[0], Attempt::Spoiled { why, .. } if why.contains("lost")),
        "{:?}",
        imax.attempts[0]
    );
    // Pulses against register count over the whole run: with an edge lost there is no number.
    let constant = record.results.items.iter().find(|i| i.item == Item::MeterConstant).unwrap();
    assert_eq!(constant.verdict, Verdict::Undecided);
}

#[test]
fn a_source_that_drifts_away_ends_the_run_without_a_verdict() {
    let mut rig = rig("good");
    rig.bench.drift_from = Some((30.0, 0.002));
    let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    assert!(
        matches!(&record.outcome, Outcome::Faulted { why } if why.contains("source")),
        "{:?}",
        record.outcome
    );
    assert_eq!(record.results.verdict, None);
}

#[test]
fn a_meter_without_any_pulse_is_a_fault_of_the_bench_not_a_verdict() {
    let mut rig = rig("good");
    rig.truth.start_current_a = Current::from_amperes(1000.0);
    let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    assert!(
        matches!(&record.outcome, Outcome::Faulted { why } if why.contains("no pulse in")),
        "{:?}",
        record.outcome
    );
    assert!(record.results.elapsed.secs() < 10.0, "and it is found before minutes are spent");
}

#[test]
fn reversed_or_open_leads_are_found_at_low_load() {
    for (factor, words) in [(-1.0, "reversed"), (0.0, "open")] {
        let rig = rig("good");
        let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
        let record = record_with(&rig, plan, 1, |bench| {
            Meddled::events(bench, move |_, event| Some(with_current(event, factor)))
        });
        assert!(
            matches!(&record.outcome, Outcome::Faulted { why } if why.contains(words)),
            "{:?}",
            record.outcome
        );
    }
}

fn with_current(event: Event, factor: f64) -> Event {
    use phantomload::meter::{Query, Reading, Value};
    let Event::Answer(mut answer) = event else { return event };
    if let (Query::Current, Reading::Value(Value::Number(number, _))) = (answer.query, &mut answer.reading) {
        *number *= rust_decimal::Decimal::try_from(factor).unwrap();
    }
    Event::Answer(answer)
}

/// What happens to the edges from `from` to `to` (in seconds of the run), as a bench that is meddled with.
fn edges_between(
    record_of: &str,
    from: f64,
    to: f64,
    change: impl Fn(phantomload::pulse::Edge) -> Option<Event> + 'static,
) -> phantomload::certificate::record::Record {
    let rig = rig(record_of);
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, move |_, event| match event {
            Event::Edge(edge) if (from..to).contains(&(edge.at.nanos() as f64 / 1e9)) => change(edge),
            other => Some(other),
        })
    })
}

fn verdict_of(record: &phantomload::certificate::record::Record, item: Item) -> Verdict {
    record.results.items.iter().filter(|i| i.item == item).map(|i| i.verdict).max().unwrap()
}

#[test]
fn a_creeping_meter_whose_edges_were_lost_does_not_pass_creep() {
    let record = edges_between("creeping", 4.5, 19.0, |_| None);
    assert_eq!(verdict_of(&record, Item::Creep), Verdict::Undecided, "{}", table(&record.results.items));
}

#[test]
fn a_head_that_falls_off_in_mid_run_fails_nobody() {
    let record = edges_between("good", 100.0, 1e6, |_| None);
    assert!(record.results.verdict != Some(Verdict::Pass));
    assert!(
        record.results.items.iter().all(|i| i.verdict != Verdict::Fail),
        "{}",
        table(&record.results.items)
    );
}

#[test]
fn a_counter_that_restarts_or_whose_clock_jumps_is_a_fault_of_the_bench() {
    let restarted = edges_between("good", 100.0, 1e6, |mut edge| {
        edge.seq = edge.seq.saturating_sub(1000);
        Some(Event::Edge(edge))
    });
    assert!(
        matches!(&restarted.outcome, Outcome::Faulted { why } if why.contains("restarted")),
        "{:?}",
        restarted.outcome
    );
    let jumped = edges_between("good", 100.0, 1e6, |mut edge| {
        edge.at = edge.at + phantomload::time::Span::from_secs(86_400);
        Some(Event::Edge(edge))
    });
    assert!(
        matches!(&jumped.outcome, Outcome::Faulted { why } if why.contains("jumped")),
        "{:?}",
        jumped.outcome
    );
}

#[test]
fn a_reference_whose_power_is_not_its_voltage_times_current_measures_nothing() {
    let rig = rig("good");
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(bench, |_, event| {
            Some(match event {
                Event::Sample(mut sample) => {
                    sample.power = sample.power * 1.03;
                    Event::Sample(sample)
                }
                other => other,
            })
        })
    });
    assert!(matches!(record.outcome, Outcome::Faulted { .. }), "{:?}", record.outcome);
}

#[test]
fn one_overload_word_of_the_reference_changes_no_number() {
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    let clean = record_of(&rig, plan.clone(), 1);
    let record = record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, |count, event| {
            Some(match event {
                Event::Sample(mut sample) if (30..40).contains(&count) => {
                    sample.power = phantomload::quantity::Power::from_watts(9.91e37);
                    Event::Sample(sample)
                }
                other => other,
            })
        })
    });
    assert_eq!(record.results.verdict, Some(Verdict::Pass));
    assert!(record.results.findings.iter().any(|f| f.contains("left out")), "{:?}", record.results.findings);
    let errors = |r: &phantomload::certificate::record::Record| -> Vec<String> {
        r.results
            .items
            .iter()
            .filter(|i| i.item == Item::BasicError)
            .map(|i| i.measured.as_ref().unwrap().rounded.to_string())
            .collect()
    };
    assert_eq!(errors(&record), errors(&clean));
}

#[test]
fn a_meter_that_drops_pulses_now_and_then_never_passes() {
    // The meter itself leaves out a pulse: the counter's numbers have no hole, only the intervals tell.
    for seed in 0..20u64 {
        let rig = rig("good");
        let mut profile_plan = plan_of(&rig, "jjg596-2026", Kind::InService);
        profile_plan.nameplate.data_output = None;
        let (mut skipped, mut state) = (0u64, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let record = record_with(&rig, profile_plan, seed, |bench| {
            Meddled::events(bench, move |_, event| match event {
                Event::Edge(mut edge) if edge.input == phantomload::pulse::Input::Meter => {
                    if edge.rising {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                    }
                    // Three of a hundred pulses at every load, both edges of each.
                    if state % 100 < 3 {
                        skipped += 1;
                        return None;
                    }
                    edge.seq -= skipped;
                    Some(Event::Edge(edge))
                }
                other => Some(other),
            })
        });
        assert_ne!(
            record.results.verdict,
            Some(Verdict::Pass),
            "seed {seed}:\n{}",
            table(&record.results.items)
        );
    }
}

#[test]
fn a_seconds_counter_that_tells_of_a_loss_gives_no_daily_rate() {
    let rig = rig("good");
    let plan = plan_of(&rig, "jjg596-2026", Kind::First);
    let record = record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, |count, event| {
            if count == 5000 {
                let (input, what) = (phantomload::pulse::Input::Seconds, "overflow".to_owned());
                return Some(Event::Lost { input, what });
            }
            Some(event)
        })
    });
    assert_eq!(verdict_of(&record, Item::DailyRate), Verdict::Undecided, "{}", table(&record.results.items));
}

/// What is done to one pulse of the meter in the middle of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Prank {
    Removed,
    Doubled,
    Injected,
}

/// A run in which one pulse after `from` seconds is played with; `consistent`: the counter's numbers have no hole.
fn with_prank(prank: Prank, from: f64, consistent: bool) -> phantomload::certificate::record::Record {
    use phantomload::pulse::{Edge, Input};
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    let (mut last_rise, mut played, mut shift) = (None::<Edge>, 0, 0i64);
    record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, move |_, event| {
            let Event::Edge(edge) = event else { return vec![event] };
            if edge.input != Input::Meter {
                return vec![event];
            }
            let renumbered = |edge: Edge, shift: i64| {
                Event::Edge(Edge { seq: edge.seq.checked_add_signed(shift).unwrap(), ..edge })
            };
            let before = last_rise;
            if edge.rising {
                last_rise = Some(edge);
            }
            let begun = edge.at.nanos() as f64 / 1e9 >= from;
            let hole = if consistent { 0 } else { 4 };
            match prank {
                Prank::Removed if begun && played < 2 && (edge.rising || played == 1) => {
                    played += 1;
                    shift -= i64::from(consistent);
                    vec![]
                }
                Prank::Doubled | Prank::Injected if begun && played == 0 && !edge.rising => {
                    let Some(before) = before else { return vec![event] };
                    played = 1;
                    let width = edge.at - before.at;
                    let later = width * if prank == Prank::Doubled { 0.1 } else { 1.3 };
                    let rise = Edge { seq: edge.seq + 1 + hole, at: edge.at + later, rising: true, ..edge };
                    let fall = Edge { seq: rise.seq + 1, at: rise.at + width * 0.1, rising: false, ..edge };
                    shift = 2 + hole.cast_signed();
                    vec![event, Event::Edge(rise), Event::Edge(fall)]
                }
                _ => vec![renumbered(edge, shift)],
            }
        })
    })
}

#[test]
fn one_pulse_missing_doubled_or_too_many_spoils_exactly_its_window() {
    // At 10 A a pulse comes every 120 ms, at 250 A every 4.8 ms; the places are found in an honest run.
    let honest = record("good", "dc-meter", Kind::Subsequent, 1);
    let points: Vec<_> = honest.results.items.iter().filter(|i| i.item == Item::BasicError).collect();
    for (point, item) in points.iter().enumerate() {
        let window = item.readings().nth(1).unwrap().window;
        let middle = (window.opened + (window.closed - window.opened).half()).nanos() as f64 / 1e9;
        for prank in [Prank::Removed, Prank::Doubled, Prank::Injected] {
            for consistent in [true, false] {
                let record = with_prank(prank, middle, consistent);
                let spoiled = |i: &phantomload::certificate::record::ItemResult| -> Vec<String> {
                    let why = |a: &Attempt| {
                        if let Attempt::Spoiled { why, .. } = a { Some(why.clone()) } else { None }
                    };
                    i.attempts.iter().filter_map(why).collect()
                };
                let items: Vec<_> =
                    record.results.items.iter().filter(|i| i.item == Item::BasicError).collect();
                let case = format!("{prank:?} at {middle} s, consistent: {consistent}");
                for (n, item) in items.iter().enumerate() {
                    assert_eq!(spoiled(item).len(), usize::from(n == point), "{case}: {:?}", spoiled(item));
                    // One pulse of few is an error beyond the limit, and a repetition must not hide that.
                    let doubted = n == point && item.reason.contains("but a spoiled attempt had");
                    assert!(item.verdict == Verdict::Pass || doubted, "{case}: {}", item.reason);
                }
                let why = spoiled(items[point]).remove(0);
                let words = match prank {
                    _ if !consistent => "edges lost",
                    Prank::Removed => "pulses 1 missing: a pulse is missing before edge number",
                    Prank::Doubled | Prank::Injected => "pulses 1 ",
                };
                assert!(why.starts_with(words), "{case}: {why}");
            }
        }
    }
}

#[test]
fn a_meter_that_drops_every_fiftieth_pulse_never_passes_and_blames_no_bench() {
    let rig = rig("good");
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    let (mut pulses, mut skipped) = (0u64, 0u64);
    let record = record_with(&rig, plan, 1, |bench| {
        Meddled::events(bench, move |_, event| match event {
            Event::Edge(mut edge) if edge.input == phantomload::pulse::Input::Meter => {
                pulses += u64::from(edge.rising);
                if pulses.is_multiple_of(50) {
                    skipped += 1;
                    return None;
                }
                edge.seq -= skipped;
                Some(Event::Edge(edge))
            }
            other => Some(other),
        })
    });
    assert_eq!(record.outcome, Outcome::Completed);
    let table = table(&record.results.items);
    for item in record.results.items.iter().filter(|i| i.item == Item::BasicError) {
        assert_ne!(item.verdict, Verdict::Pass, "{table}");
    }
    let imax = record.results.items.iter().find(|i| i.item == Item::BasicError).unwrap();
    assert!(
        imax.reason.contains("0 of 2 readings; 4 attempts spoiled") && imax.reason.contains("missing"),
        "{}",
        imax.reason
    );
    assert_eq!(verdict_of(&record, Item::MeterConstant), Verdict::Fail, "{table}");
    assert_eq!(record.results.verdict, Some(Verdict::Fail));
}

fn spoiled_windows(record: &phantomload::certificate::record::Record) -> Vec<String> {
    let attempts = record.results.items.iter().flat_map(|i| &i.attempts);
    attempts
        .filter_map(|a| if let Attempt::Spoiled { why, .. } = a { Some(why.clone()) } else { None })
        .collect()
}

#[test]
fn honest_jitter_and_any_constant_error_spoil_no_window() {
    for jitter_us in [20.0, 2000.0] {
        for seed in 0..10 {
            let mut rig = rig("good");
            rig.truth.pulse_jitter_us = jitter_us;
            let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), seed);
            assert_eq!(spoiled_windows(&record), [""; 0], "{jitter_us} µs, seed {seed}");
            assert_eq!(record.outcome, Outcome::Completed);
        }
    }
    for percent in [-50.0, -33.0, 50.0, 99.0] {
        let mut rig = rig("good");
        rig.truth.error_curve = vec![(Current::from_amperes(1.0), percent)];
        let record = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
        assert_eq!(spoiled_windows(&record), [""; 0], "{percent} %");
        assert_eq!(record.results.verdict, Some(Verdict::Fail), "{percent} %");
    }
}

#[test]
fn a_source_that_wanders_within_its_band_spoils_no_window() {
    for method in [Method::PowerTime, Method::StandardMeter] {
        let mut rig = rig("good");
        rig.bench.wander = 0.004;
        let mut plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
        plan.capability.method = method;
        let record = record_of(&rig, plan, 1);
        assert_eq!(spoiled_windows(&record), [""; 0]);
        assert_eq!(record.results.verdict, Some(Verdict::Pass), "{}", table(&record.results.items));
    }
}

/// The cross-check of a run, with the words of its pairs and of the findings that came of it.
fn crossed(meter: &str, seed: u64) -> (phantomload::certificate::record::Record, Vec<String>) {
    let record = record(meter, "dc-meter", Kind::Subsequent, seed);
    let words = ["cross-check", "coarse register", "stale value"];
    let own = |finding: &&String| words.iter().any(|word| finding.starts_with(word));
    let findings = record.results.findings.iter().filter(own).cloned().collect();
    (record, findings)
}

#[test]
fn all_ways_to_the_energy_of_a_good_meter_agree_and_the_one_that_is_not_there_is_said() {
    use phantomload::certificate::cross_check::{Agreement, Said, Way};
    for (meter, seeds) in [("good", 30), ("standard-register", 10), ("clock-off", 3)] {
        for seed in 0..seeds {
            let (record, findings) = crossed(meter, seed);
            let check = record.results.cross_check.unwrap();
            assert_eq!(findings, [""; 0], "{meter}, seed {seed}");
            assert_eq!(check.witnesses.len(), 5);
            // Reference, pulses, register, power: every two of them.
            assert_eq!(check.pairs.len(), 6);
            assert!(check.pairs.iter().all(|p| p.agreement == Agreement::Agree), "{check:?}");
            let signed = check.witnesses.iter().find(|w| w.way == Way::SignedRecord).unwrap();
            assert!(matches!(&signed.said, Said::Nothing { why } if why.starts_with("none")));
        }
    }
}

#[test]
fn each_disagreement_of_two_ways_is_its_own_finding_with_its_likely_cause() {
    let pairs = |findings: &[String], words: &str| findings.iter().filter(|f| f.contains(words)).count();
    let (_, findings) = crossed("wrong-constant", 1);
    assert_eq!(pairs(&findings, "wrong constant: the register takes "), 3, "{findings:#?}");
    assert!(findings.iter().all(|f| f.contains("the meter itself says 400 imp/kWh")), "{findings:#?}");

    let (record, findings) = crossed("led-off", 1);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(
        findings[0].contains("pulses and register are +0.9")
            && findings[0].contains("LED and register differ")
    );
    assert!(findings[0].contains("reference and active power are nearer to the register"), "{findings:#?}");
    assert_eq!(
        verdict_of(&record, Item::BasicError),
        Verdict::Pass,
        "by its pulses alone it is within its limits"
    );
    assert_eq!(verdict_of(&record, Item::MeterConstant), Verdict::Fail);

    let (_, findings) = crossed("fast", 1);
    assert_eq!(findings.len(), 3, "{findings:#?}");
    assert!(findings.iter().all(|f| f.contains("the metering error itself")), "{findings:#?}");
}

#[test]
fn a_power_that_does_not_follow_the_load_is_stale_and_leaves_the_data_output_undecided() {
    let (record, findings) = crossed("stale-power", 1);
    assert_eq!(verdict_of(&record, Item::DataOutput), Verdict::Undecided, "{}", table(&record.results.items));
    assert_eq!(record.results.verdict, Some(Verdict::Undecided));
    assert!(
        findings.iter().any(|f| f.starts_with("stale value") && f.contains("still that of the load before")),
        "{findings:#?}"
    );
    assert_eq!(
        findings.iter().filter(|f| f.contains("active power") && f.starts_with("cross-check")).count(),
        3,
        "{findings:#?}"
    );
    // A power that stands still from the cross-check on is right there, and found at the next load.
    let rig = rig("good");
    let mut frozen = None;
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(bench, move |_, event| {
            let Event::Answer(mut answer) = event else { return Some(event) };
            if answer.query == phantomload::meter::Query::Power {
                answer.reading = frozen.get_or_insert(answer.reading).clone();
            }
            Some(Event::Answer(answer))
        })
    });
    let data = record.results.items.iter().find(|i| i.item == Item::DataOutput).unwrap();
    assert_eq!(data.verdict, Verdict::Undecided);
    assert!(data.reason.contains("stale value: at"), "{}", data.reason);
}

#[test]
fn a_register_coarser_than_it_promises_is_found_and_says_nothing_of_the_constant() {
    use phantomload::certificate::cross_check::{Agreement, Way};
    for seed in 0..20 {
        let (record, findings) = crossed("coarse-register", seed);
        assert!(
            findings.iter().any(|f| f.starts_with("coarse register: it moves in steps of 0.1 kWh")),
            "seed {seed}: {findings:#?}"
        );
        let constant = record.results.items.iter().find(|i| i.item == Item::MeterConstant).unwrap();
        assert_eq!(constant.verdict, Verdict::Undecided, "seed {seed}: {}", constant.reason);
        assert!(constant.reason.contains("a register step of 0.1 kWh"), "{}", constant.reason);
        assert_eq!(record.results.verdict, Some(Verdict::Undecided));
        let coarse = "cross-check: the register is too coarse to say anything";
        assert_eq!(findings.iter().filter(|f| f.starts_with(coarse)).count(), 1, "{findings:#?}");
        let check = record.results.cross_check.unwrap();
        let with_register = check.pairs.iter().filter(|p| p.ways.contains(&Way::Register));
        assert!(with_register.clone().all(|p| p.agreement == Agreement::TooCoarse), "{check:?}");
        assert_eq!(with_register.count(), 3);
    }
}
