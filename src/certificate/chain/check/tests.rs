//! Chains that somebody tampered with, one way each.

use super::super::{Clock, Kind, VERSION};
use super::*;
use crate::certificate::sign::key::P256Key;
use crate::certificate::sign::{ES256, NONE, Signer, sample};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

fn entry(seq: u64, prev: &str, key: Option<&P256Key>) -> Entry {
    Entry {
        v: VERSION,
        seq,
        prev: prev.to_owned(),
        device: "PL-1".into(),
        kind: Kind::RunOpen,
        record: Some(format!("PL-R-2026-{seq:06}")),
        cert: None,
        time: "2026-11-20T10:02:00.000+08:00".into(),
        clock: Clock { source: "system".into(), age_s: None },
        verdict: None,
        said: BTreeMap::new(),
        files: BTreeMap::new(),
        alg: key.map_or(NONE, |_| ES256).into(),
        key_id: key.map(P256Key::key_id).unwrap_or_default(),
    }
}

/// A good chain: its lines.
fn chain(count: u64, key: Option<&P256Key>) -> Vec<String> {
    let mut prev = NONE_BEFORE.to_owned();
    let mut lines = vec![];
    for seq in 1..=count {
        let entry = entry(seq, &prev, key);
        prev = hex(&entry.sha256());
        lines.push(entry.line(key.map(|k| k as &dyn Signer)).unwrap());
    }
    lines
}

fn report(lines: &[String], heads: &[Head]) -> ChainReport {
    check(&(lines.join("\n") + "\n"), &sample::trust(), Depth::Signatures, heads)
}

fn flaws(lines: &[String]) -> Vec<(usize, Flaw)> {
    report(lines, &[]).findings.into_iter().map(|f| (f.line, f.flaw)).collect()
}

fn head(lines: &[String], seq: u64) -> Head {
    let before = Entry::from_line(&lines[seq as usize - 2]).unwrap();
    Head { seq, prev: hex(&before.sha256()), sha256: None, from: "QR".into() }
}

#[test]
fn an_untouched_chain_has_no_findings() {
    let lines = chain(6, Some(&sample::device()));
    let report = report(&lines, &[head(&lines, 4), head(&lines, 6)]);
    assert_eq!(report.findings, []);
    assert_eq!((report.entries, report.last_seq, report.device.as_str()), (6, 6, "PL-1"));
    assert_eq!(report.last_sha256, hex(&Entry::from_line(&lines[5]).unwrap().sha256()));
}

#[test]
fn a_removed_entry_is_found_wherever_it_stood() {
    let lines = chain(6, Some(&sample::device()));
    for at in 0..5 {
        let mut less = lines.clone();
        less.remove(at);
        let seq = at as u64 + 1;
        assert_eq!(flaws(&less), [(at + 1, Flaw::Removed { from: seq, to: seq })]);
    }
}

#[test]
fn swapped_entries_are_found() {
    let mut lines = chain(6, Some(&sample::device()));
    lines.swap(2, 3);
    assert_eq!(flaws(&lines), [(4, Flaw::Swapped)]);
}

#[test]
fn a_changed_entry_is_found_by_its_signature_and_without_it_by_its_successor() {
    let key = sample::device();
    let mut lines = chain(5, Some(&key));
    let mut changed = Entry::from_line(&lines[2]).unwrap();
    changed.verdict = Some("pass".into());
    let forged = changed.line(Some(&key)).unwrap();
    let (body, _) = forged.rsplit_once('.').unwrap();
    let (_, old_signature) = lines[2].rsplit_once('.').unwrap();
    lines[2] = format!("{body}.{old_signature}");
    let found = flaws(&lines);
    assert!(matches!(found[0], (3, Flaw::BadSignature { .. })), "{found:?}");
    assert_eq!(found[1], (4, Flaw::Changed { before: 3 }));
    // Whoever has the key cannot change the past either without all that follows.
    lines[2] = forged;
    assert_eq!(flaws(&lines), [(4, Flaw::Changed { before: 3 })]);
}

#[test]
fn a_fork_is_found_on_both_branches() {
    let key = sample::device();
    let mut lines = chain(4, Some(&key));
    let mut other = Entry::from_line(&lines[3]).unwrap();
    other.verdict = Some("pass".into());
    lines.push(other.line(Some(&key)).unwrap());
    assert_eq!(flaws(&lines), [(5, Flaw::Forked { other_line: 4 })]);
    let next = entry(5, &hex(&other.sha256()), Some(&key));
    lines.push(next.line(Some(&key)).unwrap());
    assert_eq!(flaws(&lines), [(5, Flaw::Forked { other_line: 4 })]);
}

#[test]
fn a_cut_tail_is_found_against_a_later_head_only() {
    let lines = chain(6, Some(&sample::device()));
    let heads = [head(&lines, 6)];
    let cut = &lines[..4];
    assert_eq!(report(cut, &[]).findings, []);
    let found = report(cut, &heads);
    assert_eq!(found.findings[0].flaw, Flaw::Cut { seq: 6, from: "QR".into() });
    assert!(found.is_broken());
    // A tail written anew has the numbers and not the hashes.
    let key = sample::device();
    let mut anew = cut.to_vec();
    for seq in 5..=7 {
        let before = Entry::from_line(&anew[anew.len() - 1]).unwrap();
        let mut entry = entry(seq, &hex(&before.sha256()), Some(&key));
        entry.record = Some("PL-R-2026-000099".into());
        anew.push(entry.line(Some(&key)).unwrap());
    }
    let found = report(&anew, &heads);
    assert_eq!(found.findings[0].flaw, Flaw::Contradicted { seq: 6, from: "QR".into() });
}

#[test]
fn a_torn_last_line_is_told_from_a_changed_one() {
    let lines = chain(3, Some(&sample::device())).join("\n");
    for less in 1..60 {
        let report = check(&lines[..lines.len() - less], &sample::trust(), Depth::Signatures, &[]);
        assert_eq!(report.findings.iter().map(|f| &f.flaw).collect::<Vec<_>>(), [&Flaw::Torn], "{less}");
        assert!(!report.is_broken());
    }
    let whole = check(&lines, &sample::trust(), Depth::Signatures, &[]);
    assert_eq!(whole.findings, []);
    let mut bad = lines.clone() + "\n";
    bad.replace_range(5..6, "~");
    assert!(check(&bad, &sample::trust(), Depth::Hashes, &[]).is_broken());
}

#[test]
fn keys_that_nobody_answers_for_and_missing_signatures_are_told() {
    let other = sample::other_device();
    let lines = chain(2, Some(&other));
    let unknown = Flaw::UnknownKey { key_id: other.key_id() };
    assert_eq!(flaws(&lines), [(1, unknown.clone()), (2, unknown)]);
    let lines = chain(2, None);
    assert_eq!(flaws(&lines), [(1, Flaw::Unsigned { count: 2, held: false })]);
    // The first signed entry holds those before it; a key_change brings its certificate along.
    let mut lines = lines;
    let before = Entry::from_line(&lines[1]).unwrap();
    let mut change = entry(3, &hex(&before.sha256()), None);
    change.kind = Kind::KeyChange;
    change.said.insert(CERTIFICATE.into(), BASE64.encode(other.certificate()));
    lines.push(change.line(None).unwrap());
    lines.push(entry(4, &hex(&change.sha256()), Some(&other)).line(Some(&other)).unwrap());
    assert_eq!(flaws(&lines), [(1, Flaw::Unsigned { count: 3, held: true })]);
}

#[test]
fn an_entry_has_one_form_and_names_its_key() {
    let key = sample::device();
    let good = entry(1, NONE_BEFORE, Some(&key));
    let json = String::from_utf8(good.to_json()).unwrap();
    assert_eq!(Entry::from_json(json.as_bytes()).unwrap(), good);
    for wrong in [format!("{json}\n"), json.replacen(':', ": ", 1), json.replace("\"v\":1", "\"v\":2")] {
        assert!(Entry::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert!(good.line(None).is_err());
    assert!(good.line(Some(&sample::other_device())).is_err());
    assert!(entry(1, NONE_BEFORE, None).line(Some(&key)).is_err());
}

#[test]
fn a_chain_of_many_entries_takes_a_time_that_grows_with_its_length_alone() {
    let lines = chain(20_000, None);
    let report = check(&(lines.join("\n") + "\n"), &sample::trust(), Depth::Hashes, &[head(&lines, 20_000)]);
    assert_eq!((report.entries, report.findings.len(), report.is_broken()), (20_000, 1, false));
}

/// Appends an entry that is like the others but for what is done to it.
fn append(lines: &mut Vec<String>, key: Option<&P256Key>, with: impl FnOnce(&mut Entry)) {
    let before = Entry::from_line(&lines[lines.len() - 1]).unwrap();
    let mut next = entry(before.seq + 1, &hex(&before.sha256()), key);
    with(&mut next);
    lines.push(next.line(key.map(|k| k as &dyn Signer)).unwrap());
}

fn change_to(key: &P256Key, replaces: &str) -> impl FnOnce(&mut Entry) {
    let said = [
        (CERTIFICATE, BASE64.encode(key.certificate())),
        ("key_id", key.key_id()),
        ("replaces", replaces.to_owned()),
    ];
    let said = said.map(|(key, text)| (key.to_owned(), text));
    move |entry| {
        entry.kind = Kind::KeyChange;
        entry.said = said.into();
    }
}

fn broken_at(lines: &[String]) -> Vec<(usize, Flaw)> {
    let mut trust = sample::trust();
    trust.add_device_der(sample::other_device().certificate());
    let report = check(&(lines.join("\n") + "\n"), &trust, Depth::Hashes, &[]);
    let found: Vec<_> = report.findings.iter().map(|f| (f.line, f.flaw.clone())).collect();
    assert_eq!(report.is_broken(), !found.is_empty(), "{found:?}");
    found
}

#[test]
fn a_key_is_followed_only_by_one_that_it_has_signed() {
    let (old, new) = (sample::device(), sample::other_device());
    // The old key signs the change, the new one what follows.
    let mut lines = chain(2, Some(&old));
    append(&mut lines, Some(&old), change_to(&new, &old.key_id()));
    append(&mut lines, Some(&new), |_| {});
    assert_eq!(broken_at(&lines), []);
    // The old key has ended.
    append(&mut lines, Some(&old), |_| {});
    let back = Flaw::OtherKey { key_id: old.key_id(), in_use: new.key_id() };
    assert_eq!(broken_at(&lines), [(5, back)]);
    // The new key brings itself in, with and without saying what it replaces; or it just signs.
    for with in [Some(String::new()), Some(old.key_id()), None] {
        let mut lines = chain(2, Some(&old));
        match with {
            Some(replaces) => append(&mut lines, Some(&new), change_to(&new, &replaces)),
            None => append(&mut lines, Some(&new), |_| {}),
        }
        let flaw = Flaw::OtherKey { key_id: new.key_id(), in_use: old.key_id() };
        assert_eq!(broken_at(&lines), [(3, flaw)]);
    }
    // The first key of a chain may bring itself in, but not in the place of one that it names.
    for (replaces, found) in [(String::new(), 0), (old.key_id(), 1)] {
        let mut lines = chain(1, None);
        append(&mut lines, Some(&new), change_to(&new, &replaces));
        let others = report(&lines, &[]).findings.into_iter();
        assert_eq!(others.filter(|f| matches!(f.flaw, Flaw::OtherKey { .. })).count(), found);
    }
    // It names one key and brings another.
    let mut lines = chain(1, Some(&old));
    append(&mut lines, Some(&old), |entry| {
        change_to(&new, &old.key_id())(entry);
        entry.said.insert("key_id".into(), old.key_id());
    });
    assert!(matches!(broken_at(&lines)[..], [(2, Flaw::BadSignature { .. })]));
}

#[test]
fn what_counts_is_signed_once_the_device_has_signed_anything() {
    let key = sample::device();
    for (kind, is_broken) in [
        (Kind::Approval, true),
        (Kind::Issue, true),
        (Kind::Amend, true),
        (Kind::Papers, true),
        (Kind::KeyChange, true),
        (Kind::RunOpen, false),
        (Kind::Withdraw, false),
        (Kind::ConfigChange, true),
        (Kind::Verdict, false),
        (Kind::ClockSet, false),
    ] {
        for first in [Some(&key), None] {
            let mut lines = chain(1, first);
            append(&mut lines, None, |entry| entry.kind = kind);
            // A later signature does not make up for it.
            append(&mut lines, Some(&key), |_| {});
            let report = report(&lines, &[]);
            let expected = is_broken && first.is_some();
            assert_eq!(report.is_broken(), expected, "{kind}: {:?}", report.findings);
            assert!(report.findings.iter().any(|f| matches!(f.flaw, Flaw::Unsigned { .. })));
        }
    }
}

#[test]
fn time_goes_back_only_where_the_clock_was_set() {
    let key = sample::device();
    let early = "2026-11-19T10:02:00.000+08:00";
    let mut lines = chain(2, Some(&key));
    append(&mut lines, Some(&key), |entry| entry.time = early.into());
    assert_eq!(flaws(&lines), [(3, Flaw::BackInTime { before: 2, clock_set: false })]);
    assert!(report(&lines, &[]).is_broken());
    let mut lines = chain(2, Some(&key));
    append(&mut lines, Some(&key), |entry| (entry.kind, entry.time) = (Kind::ClockSet, early.into()));
    append(&mut lines, Some(&key), |entry| entry.time = early.into());
    assert_eq!(flaws(&lines), [(3, Flaw::BackInTime { before: 2, clock_set: true })]);
    assert!(!report(&lines, &[]).is_broken());
    // The same moment in another zone is no step.
    let mut lines = chain(2, Some(&key));
    append(&mut lines, Some(&key), |entry| entry.time = "2026-11-20T02:02:00.000Z".into());
    assert_eq!(flaws(&lines), []);
}

#[test]
fn the_certificates_of_a_chain_come_with_it() {
    let (old, new) = (sample::device(), sample::other_device());
    let mut lines = chain(2, Some(&old));
    append(&mut lines, Some(&old), change_to(&new, &old.key_id()));
    assert_eq!(certificates(&(lines.join("\n") + "\n")), [new.certificate().to_vec()]);
}
