//! A run that was interrupted: taken up again it gives what it would have given, and its record says what happened; another
//! meter, unheard silence and a bad reading that somebody wanted to be rid of do not slip through.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::bench::{Bench, Later, conduct};
use phantomload::certificate::record::{Attempt, Outcome, Record};
use phantomload::certificate::signed_record::Answer;
use phantomload::meter::transaction::{Came, Order, Transacted};
use phantomload::regulation::{Item, Kind};
use phantomload::run::{Action, Event, Interruption, Logged, Run, rebuilt, recompute};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Span};
use phantomload::verdict::Verdict;
use simulated::{plan_of, record_of, rig, started};
use std::sync::Arc;

fn interruption(closed: Option<&str>) -> Interruption {
    Interruption {
        last: started().after(Span::from_secs(200)),
        again: started().after(Span::from_secs(290)),
        why: "the power failed".into(),
        closed: closed.map(str::to_owned),
    }
}

/// The run as it was after so many events of a record.
fn cut(record: &Record, events: usize) -> Run {
    rebuilt(Arc::new(record.plan.clone()), record.began, record.started, record.raw[..events].to_vec())
}

/// Goes on with a run on a bench that was set up anew, whose clock begins anew.
fn go_on(run: Run, rig: &Rig, seed: u64) -> Record {
    go_on_after(run, rig, seed, interruption(None))
}

fn go_on_after(mut run: Run, rig: &Rig, seed: u64, interruption: Interruption) -> Record {
    let by = run.told_at() + Span::from_secs(60) - Instant::ZERO;
    let mut bench = Later::new(Box::new(rig.in_process(seed, started(), None)), by);
    run.handle(bench.now(), Event::Interrupted(interruption.into()));
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).expect("it has ended")
}

fn verdicts(record: &Record) -> Vec<(Item, String, Verdict)> {
    let items = record.results.items.iter();
    items.map(|i| (i.item, i.point.as_ref().map_or(String::new(), |p| p.term.clone()), i.verdict)).collect()
}

/// Moments all over a run, the same each time.
fn moments(events: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |n| (n * 2 + 1) * events / (count * 2))
}

#[test]
fn wherever_a_run_is_interrupted_it_comes_to_the_same_verdicts_and_its_record_says_so() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let expected = verdicts(&whole);
    for at in moments(whole.raw.len(), 60) {
        let record = go_on(cut(&whole, at), &rig, 7);
        let seen = (&record.outcome, record.results.verdict);
        assert_eq!(
            seen,
            (&Outcome::Completed, Some(Verdict::Pass)),
            "at {at}: {:?}",
            record.results.findings
        );
        assert_eq!(verdicts(&record), expected, "at {at}");
        let finding = record.results.findings.iter().find(|f| f.starts_with("interrupted at"));
        let finding = finding.unwrap_or_else(|| panic!("at {at}: {:?}", record.results.findings));
        assert!(finding.contains("the power failed") && finding.contains("10:03:20"), "{finding}");
        let json = record.to_json().unwrap();
        let read = Record::from_json("the record", &json).unwrap();
        assert_eq!(recompute(&read), (Some(record.outcome.clone()), record.results.clone()), "at {at}");
    }
}

#[test]
fn a_faulty_meter_fails_as_it_would_have() {
    for meter in [
        "fast",
        "bad-at-imin",
        "creeping",
        "not-starting",
        "wrong-constant",
        "clock-off",
        "cover-opened",
        "disputed-unit",
        "seconds-told",
        "seconds-refused",
        "forged-record",
        "signed-energy-off",
    ] {
        let rig = rig(meter);
        let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
        // A meter that signs is another one afterwards on this bench, and knows nothing of what it was to sign.
        let ended = told(&whole.raw).position(|(_, told)| told.order == Order::End);
        let until = ended.and_then(|nth| told(&whole.raw).nth(nth)).map_or(whole.raw.len(), |(at, _)| at);
        for at in moments(until, 5) {
            let record = go_on(cut(&whole, at), &rig, 3);
            assert_eq!(
                record.results.verdict, whole.results.verdict,
                "{meter} at {at}: {:?}",
                record.outcome
            );
        }
    }
}

/// What the meter was told of transactions, and at which event.
fn told(raw: &[Logged]) -> impl Iterator<Item = (usize, &Transacted)> {
    raw.iter().enumerate().filter_map(|(index, Logged(_, event))| match event {
        Event::Transacted(told) => Some((index, &**told)),
        _ => None,
    })
}

#[test]
fn a_transaction_that_was_interrupted_is_ended_and_another_one_is_signed() {
    let rig = rig("signing");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let done = |order| told(&whole.raw).find(|(_, told)| told.order == order && told.came == Came::Done);
    let (begun, ended) = (done(Order::Begin).unwrap().0, done(Order::End).unwrap().0);
    let mut spoiled = 0;
    for at in moments(whole.raw.len(), 30) {
        let record = go_on(cut(&whole, at), &rig, 7);
        let findings = &record.results.findings;
        assert_eq!(record.results.verdict, Some(Verdict::Pass), "at {at}: {findings:?}");
        let read = Record::from_json("the record", &record.to_json().unwrap()).unwrap();
        assert_eq!(recompute(&read), (Some(record.outcome.clone()), record.results.clone()), "at {at}");
        if at > ended {
            continue;
        }
        let signed = record.results.signed_record.as_ref().expect("it signs");
        assert_eq!(signed.looked.as_ref().map(|looked| looked.result), Some(Answer::Valid), "at {at}");
        let orders: Vec<_> =
            told(&record.raw[at..]).map(|(_, told)| (told.order, told.id.clone())).take(2).collect();
        if at > begun {
            spoiled += 1;
            let old = told(&whole.raw).next().unwrap().1.id.clone();
            let expected = [(Order::End, old.clone()), (Order::Begin, format!("{old}-2"))];
            assert_eq!(orders, expected, "at {at}");
            assert_eq!(signed.transaction, format!("{old}-2"));
            assert!(findings.iter().any(|f| f.contains("was interrupted with the run")), "{findings:?}");
        } else {
            assert_eq!(orders[0].0, Order::Begin, "at {at}");
        }
    }
    assert!(spoiled > 5, "{spoiled}");
}

#[test]
fn closing_a_run_of_which_only_the_signature_is_waited_for_keeps_its_verdict() {
    let rig = rig("slow-to-sign");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let ended = told(&whole.raw).find(|(_, told)| told.order == Order::End).unwrap().0;
    let signs = |events: &usize| {
        let run = cut(&whole, *events);
        run.snapshot(run.told_at()).signing_left.is_some()
    };
    let at = (ended..whole.raw.len()).step_by(20).find(signs).expect("off, and the meter signs");
    let mut run = cut(&whole, at);
    run.handle(run.told_at() + Span::from_secs(1), Event::Interrupted(interruption(Some("no time")).into()));
    let record = run.record("SIM-R-2026-000001".into(), Some("SIM-2026-000001".into()), true).unwrap();
    assert_eq!((&record.outcome, record.results.verdict), (&Outcome::Completed, whole.results.verdict));
    assert!(record.results.verdict.is_some());
    let none = record.results.signed_record.as_ref().unwrap().why_none.clone().unwrap();
    assert!(none.contains("interrupted while the meter signed"), "{none}");
    assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
}

#[test]
fn three_interruptions_at_three_places_are_all_in_the_record() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let first = go_on(cut(&whole, whole.raw.len() / 3), &rig, 2);
    let second = go_on(cut(&first, first.raw.len() * 2 / 3), &rig, 3);
    let third = go_on(cut(&second, second.raw.len() * 9 / 10), &rig, 4);
    assert_eq!(third.results.verdict, Some(Verdict::Pass), "{:?}", third.results.findings);
    let told = third.raw.iter().filter(|Logged(_, event)| matches!(event, Event::Interrupted(_)));
    assert_eq!(told.count(), 3);
    assert_eq!(recompute(&third).1, third.results);
}

#[test]
fn no_moment_of_the_new_clock_lies_before_one_of_the_old() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let at = whole.raw.len() / 2;
    let record = go_on(cut(&whole, at), &rig, 7);
    let boundary = record.raw[at].0;
    let moment = |event: &Event| match event {
        Event::Sample(sample) => Some(sample.taken),
        Event::Edge(edge) => Some(edge.at),
        Event::Answer(answer) => Some(answer.taken),
        _ => None,
    };
    for (index, Logged(told, event)) in record.raw.iter().enumerate() {
        for moment in [Some(*told), moment(event)].into_iter().flatten() {
            let is_new = index > at;
            assert_eq!(moment > boundary - Span::from_secs(60) && index != at, is_new, "{index}: {event:?}");
        }
    }
    // By the clock of the day it goes on when it went on.
    assert_eq!(record.stamp(boundary), started().after(Span::from_secs(290)));
}

#[test]
fn a_run_that_went_on_outside_of_the_time_of_a_calibration_gives_no_certificate() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let outside = |record: &Record| {
        record.why_no_certificate().iter().any(|why| why.contains("check the date of this machine"))
    };
    assert!(!outside(&whole), "{:?}", whole.why_no_certificate());
    let half = cut(&whole, whole.raw.len() / 2);
    let again = started().after(Span::from_secs(-20 * 365 * 86_400));
    let record = go_on_after(half, &rig, 7, Interruption { again, ..interruption(None) });
    assert_eq!(record.outcome, Outcome::Completed);
    assert!(outside(&record), "{:?}", record.why_no_certificate());
    assert!(record.ended().since(again) > Span::ZERO);
}

#[test]
fn another_meter_is_refused() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    let text = demo_meter("good").unwrap().replace("serial = \"202611210001\"", "serial = \"202611210002\"");
    let text = text.replace("address = \"202611210001\"", "address = \"202611210002\"");
    // Its plan still says the first one's address, so that a bus with the other meter on it is silent; the stand-in answers.
    let other = Rig::new("other", &text).unwrap();
    let half = cut(&whole, whole.raw.len() / 2);
    assert!(half.meter_known_as().iter().any(|(_, name)| name.contains("202611210001")));
    let record = go_on(half, &other, 7);
    let Outcome::Faulted { why } = &record.outcome else { panic!("{:?}", record.outcome) };
    assert!(why.contains("another than before the interruption") && why.contains("202611210002"), "{why}");
    assert_eq!(record.results.verdict, None);
    assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
}

#[test]
fn pulling_the_plug_does_not_get_rid_of_a_bad_reading() {
    // A meter that is bad at Imin only; interrupted there after its first reading, and a good one is connected that says
    // that it is the same.
    let bad = rig("bad-at-imin");
    let whole = record_of(&bad, plan_of(&bad, "dc-meter", Kind::Subsequent), 1);
    let at = (0..whole.raw.len())
        .step_by(50)
        .find(|events| {
            let run = cut(&whole, *events);
            let snapshot = run.snapshot(run.told_at());
            snapshot.readings >= 1
                && snapshot.load.current_a.amperes() < 6.0
                && snapshot.load.current_a.amperes() > 4.0
        })
        .expect("a reading at Imin");
    let good = demo_meter("bad-at-imin").unwrap();
    let curve = good.lines().find(|line| line.starts_with("error_curve")).expect("its errors");
    let good = Rig::new("swapped", &good.replace(curve, "error_curve = [[0.4, 0.1], [250.0, 0.1]]")).unwrap();
    let record = go_on(cut(&whole, at), &good, 7);
    assert_ne!(record.results.verdict, Some(Verdict::Pass));
    let kept = record.results.items.iter().flat_map(|item| &item.attempts);
    let kept: Vec<_> = kept
        .filter(|a| matches!(a, Attempt::Spoiled { error: Some(_), why, .. } if why.contains("do not count")))
        .collect();
    assert_eq!(kept.len(), 1, "the readings before are kept");
}

#[test]
fn a_run_that_is_closed_has_a_record_and_no_verdict() {
    let rig = rig("good");
    let whole = record_of(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1);
    for at in moments(whole.raw.len(), 10) {
        let mut run = cut(&whole, at);
        run.handle(
            run.told_at() + Span::from_secs(1),
            Event::Interrupted(interruption(Some("enough for today")).into()),
        );
        assert!(
            run.is_over() && run.poll_action().is_none_or(|action| action == Action::SourceOff),
            "at {at}"
        );
        let record = run.record("SIM-R-2026-000001".into(), None, true).unwrap();
        assert!(matches!(&record.outcome, Outcome::Aborted { why } if why.contains("enough for today")));
        assert_eq!(record.results.verdict, None);
        let findings = record.results.findings.join("\n");
        assert!(findings.contains("that the load went away was not seen"), "{findings}");
        assert_eq!(recompute(&record), (Some(record.outcome.clone()), record.results.clone()));
    }
}
