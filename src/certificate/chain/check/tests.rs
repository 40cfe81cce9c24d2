//! Chains that somebody tampered with, one way each.

use super::super::{Clock, VERSION};
use super::*;
use crate::certificate::sign::key::P256Key;
use crate::certificate::sign::{ES256, NONE, Signer, sample};

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
