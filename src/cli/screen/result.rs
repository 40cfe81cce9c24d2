//! From a record to what the result page shows.

use phantomload::archive::Stored;
use phantomload::bench::description;
use phantomload::certificate::record::{ItemResult, Outcome, Record};
use phantomload::certificate::{matrix, number, package};
use phantomload::screen::values::{End, Ended, Leads, ResultLine, Square};
use phantomload::time::{Span, Stamp};
use phantomload::verdict::Verdict;

/// A run that did not begin, or has no record, and why. Nothing was measured: nobody knows what stands on the terminals.
pub(super) fn not_begun(why: String) -> Ended {
    without_record(why, Leads::Unknown)
}

/// A run whose end was not seen, and why.
pub(super) fn not_ended(why: String) -> Ended {
    without_record(why, Leads::NotSafe)
}

fn without_record(why: String, leads: Leads) -> Ended {
    Ended {
        end: End::Failed(why),
        document: None,
        number: String::new(),
        is_paper: false,
        at: None,
        elapsed: Span::ZERO,
        lines: vec![],
        findings: vec![],
        notices: vec![],
        folder: String::new(),
        qr: None,
        leads,
        simulated: false,
    }
}

/// A record that is stored.
pub(super) fn of(record: &Record, stored: &Stored) -> Ended {
    let qr = description::read(&stored.package.join(package::QR)).ok();
    let qr = qr.and_then(|text| matrix::matrix(text.trim_end_matches('\n')).ok());
    Ended {
        notices: stored.notices.clone(),
        folder: stored.package.display().to_string(),
        qr: qr.map(|matrix| Square { size: matrix.size, dark: matrix.dark }),
        ..ended(record)
    }
}

/// A record that could not be stored where it belongs; `why` says where it is. No verdict is shown: nothing vouches for it.
pub(super) fn not_stored(record: &Record, why: &str) -> Ended {
    Ended { end: End::Failed(why.to_owned()), ..ended(record) }
}

fn ended(record: &Record) -> Ended {
    let results = &record.results;
    let end = match (&record.outcome, results.verdict) {
        (Outcome::Completed, Some(verdict)) => End::Decided(verdict),
        (Outcome::Completed, None) if record.plan.pre_check => {
            let of = |verdict| results.items.iter().filter(|item| item.verdict == verdict).count();
            let (beyond, undecided) = (of(Verdict::Fail), of(Verdict::Undecided));
            End::Checked { beyond, undecided, left_out: record.plan.left_out() }
        }
        (Outcome::Completed, None) => End::Failed("the run gave no verdict".into()),
        (Outcome::Aborted { why }, _) => End::Aborted(why.clone()),
        (Outcome::Faulted { why }, _) => End::Faulted(why.clone()),
    };
    let is_judged = results.verdict.is_some() || matches!(end, End::Checked { .. });
    Ended {
        end,
        document: record.document(),
        number: record.certificate_no.clone().unwrap_or_else(|| record.record_no.clone()),
        is_paper: record.certificate_no.is_some(),
        at: Some(Stamp::now()),
        elapsed: results.elapsed,
        lines: if is_judged { results.items.iter().map(line).collect() } else { vec![] },
        findings: results.findings.clone(),
        notices: vec![],
        folder: String::new(),
        qr: None,
        leads: if results.switched_off.is_some_and(|off| off.is_safe()) {
            Leads::Safe
        } else {
            Leads::NotSafe
        },
        simulated: record.simulated,
    }
}

fn line(item: &ItemResult) -> ResultLine {
    let measured = item.measured.as_ref();
    let point = item.point.as_ref().filter(|point| point.current_a.amperes() > 0.0);
    let with_unit = |text: String, unit: &str| format!("{text} {unit}").trim().to_owned();
    let unit = measured.map_or(String::new(), |m| m.unit.to_string());
    ResultLine {
        item: item.item,
        point: point.map_or(String::new(), |p| format!("{}  {} A", p.term, number::amperes(p.current_a))),
        value: measured.map_or(String::new(), |m| with_unit(number::value(m), &unit)),
        limit: measured.map_or(String::new(), |m| number::limit(m.limit, m.rounded.scale())),
        expanded: measured.map_or(String::new(), |m| number::uncertainty(m.estimate.expanded)),
        verdict: item.verdict,
        reason: item.reason.clone(),
    }
}
