//! The seals: what the inspector found, and what the meter itself keeps of openings and interventions, held against the
//! last paper and against what was answered for. Whatever no paper and no person answers for stops a pass and fails nobody.

use super::{Judge, count, plain, undecided};
use crate::certificate::record::{ItemResult, Seals, Unit};
use crate::meter::{Answer, Query, Reading, Value};
use crate::plan::Work;
use crate::plan::seal::{Events, Kept, Seal, State};
use crate::regulation::Item;
use crate::verdict::Verdict;

/// What is asked of each kind: how often, and the last time.
const ASKED: [(Kept, Query, Query); 5] = [
    (Kept::Cover, Query::CoverOpenCount, Query::CoverOpenLast),
    (Kept::TerminalCover, Query::TerminalCoverOpenCount, Query::TerminalCoverOpenLast),
    (Kept::Programming, Query::ProgrammingCount, Query::ProgrammingLast),
    (Kept::ClockSet, Query::ClockSetCount, Query::ClockSetLast),
    (Kept::PowerLoss, Query::PowerLossCount, Query::PowerLossLast),
];

/// All that is asked, each count before its last time.
pub(in crate::run) fn seal_queries() -> Vec<Query> {
    ASKED.iter().flat_map(|(_, count, last)| [*count, *last]).collect()
}

/// The question for the last time of what `count` counts.
pub(in crate::run) fn last_of(count: Query) -> Option<Query> {
    ASKED.iter().find(|(_, asked, _)| *asked == count).map(|(.., last)| *last)
}

/// What was known of one kind, by the latest who knew it.
struct Known<'a> {
    before: &'a Events,
    count: u32,
    /// In words, for a sentence about what differs.
    by: String,
}

impl Judge<'_> {
    pub(super) fn seal(&mut self) -> Vec<ItemResult> {
        if self.step(|w| *w == Work::Seal).is_some() {
            return self.cover_record();
        }
        let Some(seals) = self.seals() else { return vec![] };
        let events = seals.events.iter().filter(|events| events.count.is_some_and(|count| count > 0));
        let mut findings: Vec<String> = events.map(|events| format!("event record: {events}")).collect();
        let mut absent =
            seals.events.iter().filter_map(|events| Some((events.kept, events.absent.as_ref()?)));
        if let Some((kept, why)) = absent.next() {
            let more = absent.count();
            let more = if more > 0 { format!(" and {more} others") } else { String::new() };
            findings.push(format!("event records that the meter does not give: {kept}{more}: {why}"));
        }
        findings.extend(self.plan.entries.seal.iter().map(Seal::to_string));
        findings.extend(seals.waiting.iter().map(|words| format!("seals: {words}")));
        findings.extend(self.plan.seals_before.answers_since().map(ToString::to_string));
        self.findings.extend(findings);
        let counted = seals.events.iter().any(|events| events.count.is_some());
        if !counted && self.plan.entries.seal.is_empty() && seals.waiting.is_empty() {
            return vec![];
        }
        let clause = "rule of this house";
        let measured = Some(count(Unit::One, seals.waiting.len() as u64, 0.0));
        let result = match seals.waiting.as_slice() {
            [] => {
                let since = self.plan.seals_before.last.as_ref();
                let reason = match since {
                    Some(last) => {
                        format!("nothing unanswered since {} of {}", last.certificate_no, last.on())
                    }
                    None => "nothing unanswered; no earlier certificate of this meter is known".to_owned(),
                };
                plain(Item::Seal, Verdict::Pass, reason, clause)
            }
            [first, others @ ..] => {
                let more = match others.len() {
                    0 => String::new(),
                    n => format!(" (and {n} more)"),
                };
                let reason = format!(
                    "waits for the answer of an approver, by `phantomload seal answer` with the number of this record: {first}{more}"
                );
                plain(Item::Seal, Verdict::Undecided, reason, clause)
            }
        };
        vec![ItemResult { measured, ..result }]
    }

    /// What was seen; none where there was nothing to look at, or nothing was read yet.
    pub(super) fn seals(&self) -> Option<Seals> {
        let (events, seen) = (self.events(), &self.plan.entries.seal);
        let of_meter = events.iter().filter_map(|events| self.unanswered(events));
        let untold = Kept::ALL.into_iter().filter_map(|kept| self.untold(kept, &events));
        let of_eyes = seen.iter().filter_map(|seal| self.unanswered_seal(seal));
        let waiting: Vec<_> = of_meter.chain(untold).chain(of_eyes).chain(self.overlooked()).collect();
        let nothing = events.is_empty() && seen.is_empty() && waiting.is_empty();
        (!nothing).then_some(Seals { events, waiting })
    }

    /// What the meter said of each kind that it was asked for.
    fn events(&self) -> Vec<Events> {
        let Some(step) = self.step(|w| *w == Work::SealRecords) else { return vec![] };
        let answer = |query| self.evidence.answer(step.no, query);
        let said =
            ASKED.iter().filter_map(|(kept, count, last)| Some(said(*kept, answer(*count)?, answer(*last))));
        said.collect()
    }

    /// The latest answer since the last paper that tells of this kind, or that paper. What the operator enters of papers
    /// from elsewhere is no answer: that is an approver's.
    fn known(&self, kept: Kept) -> Option<Known<'_>> {
        let before = &self.plan.seals_before;
        let of =
            |list: &'_ [Events]| list.iter().position(|events| events.kept == kept && events.count.is_some());
        let answers = before.answers_since().rev().filter_map(|answer| {
            let by = format!("what {} has answered for in {}", answer.person, answer.record_no);
            Some((&answer.events[of(&answer.events)?], by))
        });
        let papers = before.last.iter().filter_map(|last| {
            let by = format!("the last certificate, {} of {},", last.certificate_no, last.on());
            Some((&last.events[of(&last.events)?], by))
        });
        let (before, by) = answers.chain(papers).next()?;
        Some(Known { before, count: before.count.unwrap_or(0), by })
    }

    /// A kind that stops a pass and was counted before, of which nothing is told now: silence clears no record.
    fn untold(&self, kept: Kept, events: &[Events]) -> Option<String> {
        let told = |list: &[Events]| list.iter().any(|events| events.kept == kept && events.count.is_some());
        if !kept.stops() || told(events) {
            return None;
        }
        let Known { count, by, .. } = self.known(kept)?;
        // An approver has answered for a run in which it was as silent.
        let silent = |answer: &crate::plan::seal::Answer| !told(&answer.events);
        let answered = self.plan.seals_before.answers_since().next_back().is_some_and(silent);
        (!answered).then(|| format!("no count any more of: {kept}; {by} knows of {count}"))
    }

    /// What of this kind stops a pass, in words.
    fn unanswered(&self, events: &Events) -> Option<String> {
        let seen = events.count.filter(|_| events.kept.stops())?;
        let Some(known) = self.known(events.kept) else {
            return (seen > 0).then(|| {
                format!("{events}; no earlier certificate of this meter is known, and nobody has answered it")
            });
        };
        let Known { before, count, by } = known;
        if seen < count {
            return Some(format!(
                "{events}, fewer than the {count} that {by} knows of: the records were cleared, or it is another meter"
            ));
        }
        if seen > count {
            return Some(format!("{events}; {by} knows of {count}"));
        }
        if events.lasts && !before.lasts {
            return Some(format!("{events}: it is open now"));
        }
        let last = before.last;
        let moved = last.is_some() && events.last.is_some() && last != events.last;
        moved.then(|| {
            let last = last.map_or(String::new(), |last| last.to_string());
            format!("{events}; {by} knows of as many, but the last was at {last}: the records were cleared, or the clock was set")
        })
    }

    /// What of a seal stops a pass, in words: its state, or another number than was left there.
    fn unanswered_seal(&self, seal: &Seal) -> Option<String> {
        let before = &self.plan.seals_before;
        let same = |other: &Seal| {
            (&other.place, &other.number, other.state) == (&seal.place, &seal.number, seal.state)
        };
        if before.answers_since().any(|answer| answer.seals.iter().any(same)) {
            return None;
        }
        if matches!(seal.state, State::Broken | State::Missing) {
            return Some(seal.to_string());
        }
        let last = before.last.as_ref()?;
        // There may be several at one place.
        let mut left = last.seals.iter().filter(|left| left.is_beside(seal)).peekable();
        left.peek()?;
        let numbers: Vec<&str> = left.map(number_of).collect();
        (!numbers.contains(&number_of(seal))).then(|| {
            format!(
                "{seal}; the last certificate, {} of {}, left seal {} there",
                last.certificate_no,
                last.on(),
                numbers.join(", ")
            )
        })
    }

    /// Seals that the last paper left and nobody has looked at now.
    fn overlooked(&self) -> impl Iterator<Item = String> {
        let before = &self.plan.seals_before;
        before.last.iter().flat_map(move |last| {
            // An approver has answered for a run in which it was not looked at either.
            let answered =
                before.answers_since().next_back().map(|answer| unseen(&last.seals, &answer.seals));
            let missing = unseen(&last.seals, &self.plan.entries.seal).into_iter();
            let missing =
                missing.filter(move |left| !answered.as_ref().is_some_and(|known| known.contains(left)));
            missing.map(|left| {
                format!(
                    "seal {} at {} was not looked at; the last certificate, {} of {}, left it there",
                    number_of(left),
                    left.place,
                    last.certificate_no,
                    last.on()
                )
            })
        })
    }

    /// As plans older than the event records had it: the count of cover openings alone.
    fn cover_record(&mut self) -> Vec<ItemResult> {
        let asked = |w: &Work| *w == Work::Seal;
        let Some((Value::Count(openings), _)) = self.value(asked, Query::CoverOpenCount) else {
            return vec![];
        };
        let Some(known) = self.plan.entries.known_cover_openings.or((openings == 0).then_some(0)) else {
            let reason =
                format!("cover opened {openings} times; how many earlier papers know of was not entered");
            return vec![undecided(Item::Seal, reason)];
        };
        let last = (openings > 0).then(|| self.value(asked, Query::CoverOpenLast)).flatten();
        let last = last.map_or(String::new(), |(value, _)| format!(", last {value}"));
        let verdict = if openings == known { Verdict::Pass } else { Verdict::Fail };
        let reason = format!("cover opened {openings} times{last}; {known} known from earlier papers");
        let measured = Some(count(Unit::One, u64::from(openings), f64::from(known)));
        vec![ItemResult { measured, ..plain(Item::Seal, verdict, reason, "rule of this house") }]
    }
}

/// What two answers say of a kind.
fn said(kept: Kept, count: &Answer, last: Option<&Answer>) -> Events {
    let mut events = Events { kept, count: None, last: None, lasts: false, absent: None };
    match &count.reading {
        Reading::Value(Value::Count(count)) => events.count = Some(*count),
        Reading::Value(other) => events.absent = Some(format!("it said {other}, which is no count")),
        Reading::Absent(why) => events.absent = Some(why.clone()),
    }
    match last.map(|last| &last.reading) {
        Some(Reading::Value(Value::CoverOpen { from, to })) => {
            events.last = *from;
            events.lasts = from.is_some() && to.is_none() && kept != Kept::PowerLoss;
        }
        Some(Reading::Value(Value::Event { at })) => events.last = *at,
        Some(Reading::Value(Value::ClockSet { after, .. })) => events.last = *after,
        _ => {}
    }
    events
}

fn number_of(seal: &Seal) -> &str {
    if seal.number.is_empty() { "without number" } else { &seal.number }
}

/// Of the seals that were left, those that nobody has looked at. Another number at the same place is the one that stands in
/// the place of one of them; it is told as that.
fn unseen<'a>(left: &'a [Seal], seen: &[Seal]) -> Vec<&'a Seal> {
    let is_same = |a: &Seal, b: &Seal| a.is_beside(b) && number_of(a) == number_of(b);
    let gone = |seal: &&Seal| !seen.iter().any(|seen| is_same(seen, seal));
    let mut unseen: Vec<&Seal> = left.iter().filter(gone).collect();
    for other in seen.iter().filter(|seen| !left.iter().any(|left| is_same(left, seen))) {
        if let Some(at) = unseen.iter().position(|gone| gone.is_beside(other)) {
            unseen.remove(at);
        }
    }
    unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sample;
    use crate::plan::Plan;
    use crate::plan::seal::{Answer as Answered, Earlier};
    use crate::run::evidence::Evidence;

    fn seals(numbers: &[&str]) -> Vec<Seal> {
        let at = |text: &&str| {
            let (place, number) = text.split_once(' ').unwrap();
            Seal {
                place: place.into(),
                number: number.into(),
                state: State::Intact,
                remark: String::new(),
                photograph: None,
                photograph_sha256: None,
            }
        };
        numbers.iter().map(at).collect()
    }

    #[test]
    fn of_several_seals_at_one_place_each_is_looked_for() {
        let left = seals(&["meter A1", "meter A2", "cover B1"]);
        let gone = |seen: &[&str]| -> Vec<String> {
            unseen(&left, &seals(seen)).iter().map(|seal| seal.number.clone()).collect()
        };
        assert_eq!(gone(&["meter A2", "Meter A1", "cover B1"]), <[String; 0]>::default());
        assert_eq!(gone(&["meter A1"]), ["A2", "B1"]);
        // One that was replaced is told as that, and the other one is still missing.
        assert_eq!(gone(&["meter X9", "cover B1"]), ["A2"]);
        assert_eq!(gone(&["meter A1", "meter X9", "cover B1"]), <[String; 0]>::default());
    }

    fn events(kept: Kept, count: u32, last: &str) -> Events {
        let last = (!last.is_empty()).then(|| last.parse().unwrap());
        Events { kept, count: Some(count), last, lasts: false, absent: None }
    }

    fn with<T>(change: impl FnOnce(&mut Plan), look: impl FnOnce(&Judge<'_>) -> T) -> T {
        let record = sample::completed(0.3);
        let mut plan = record.plan.clone();
        plan.entries.known_cover_openings = None;
        change(&mut plan);
        let evidence = Evidence::default();
        look(&Judge {
            plan: &plan,
            evidence: &evidence,
            began: record.began,
            started: record.started,
            findings: vec![],
        })
    }

    fn last(list: Vec<Events>) -> Earlier {
        Earlier {
            certificate_no: "PL-2026-000001".into(),
            at: "2026-06-01T10:00:00+08:00".parse().unwrap(),
            status: "issued".into(),
            entry: 5,
            events: list,
            seals: vec![seal("meter cover", "A1", State::Intact)],
        }
    }

    fn answered(at: &str, list: Vec<Events>, seals: Vec<Seal>) -> Answered {
        Answered {
            person: "Cai".into(),
            role: "approver".into(),
            at: at.parse().unwrap(),
            why: "repaired by the maker".into(),
            record_no: "PL-R-2026-000002".into(),
            entry: 9,
            events: list,
            seals,
        }
    }

    fn seal(place: &str, number: &str, state: State) -> Seal {
        Seal {
            place: place.into(),
            number: number.into(),
            state,
            remark: String::new(),
            photograph: None,
            photograph_sha256: None,
        }
    }

    #[test]
    fn only_what_neither_paper_nor_person_knows_of_stops_a_pass() {
        let opened = |n| events(Kept::Cover, n, "2026-05-01T10:00:00");
        let plain = |_: &mut Plan| {};
        assert_eq!(with(plain, |j| j.unanswered(&events(Kept::Cover, 0, ""))), None);
        assert!(with(plain, |j| j.unanswered(&opened(2))).unwrap().contains("no earlier certificate"));
        assert!(with(plain, |j| j.unanswered(&events(Kept::Programming, 1, ""))).is_some());
        for kept in [Kept::TerminalCover, Kept::ClockSet, Kept::PowerLoss] {
            assert_eq!(with(plain, |j| j.unanswered(&events(kept, 7, ""))), None, "{kept}");
        }
        let paper = |plan: &mut Plan| plan.seals_before.last = Some(last(vec![opened(2)]));
        assert_eq!(with(paper, |j| j.unanswered(&opened(2))), None);
        let more = with(paper, |j| j.unanswered(&opened(3))).unwrap();
        assert!(more.contains("PL-2026-000001 of 2026-06-01, knows of 2"), "{more}");
        assert!(with(paper, |j| j.unanswered(&opened(1))).unwrap().contains("cleared"));
        let again = events(Kept::Cover, 2, "2026-07-07T07:00:00");
        assert!(with(paper, |j| j.unanswered(&again)).unwrap().contains("as many"));
        let open = Events { lasts: true, ..opened(2) };
        assert!(with(paper, |j| j.unanswered(&open)).unwrap().contains("open now"));
    }

    #[test]
    fn the_youngest_answer_counts_and_only_for_what_it_was_given_for() {
        let both = |plan: &mut Plan| {
            plan.seals_before.last = Some(last(vec![events(Kept::Cover, 2, "")]));
            let three = vec![events(Kept::Cover, 3, "2026-08-01T10:00:00")];
            plan.seals_before.answers = vec![answered("2026-09-01T10:00:00+08:00", three, vec![])];
        };
        assert_eq!(with(both, |j| j.unanswered(&events(Kept::Cover, 3, "2026-08-01T10:00:00"))), None);
        let four = with(both, |j| j.unanswered(&events(Kept::Cover, 4, "2026-09-09T10:00:00"))).unwrap();
        assert!(four.contains("Cai") && four.contains("knows of 3"), "{four}");
        assert!(with(both, |j| j.unanswered(&events(Kept::Programming, 1, ""))).is_some());
    }

    #[test]
    fn what_was_answered_before_the_last_paper_answers_for_nothing_after_it() {
        let missing = seal("meter cover", "", State::Missing);
        let old = |plan: &mut Plan| {
            plan.seals_before.last = Some(last(vec![events(Kept::Cover, 2, "")]));
            let answer = answered(
                "2027-01-01T10:00:00+08:00",
                vec![events(Kept::Cover, 7, "")],
                vec![missing.clone()],
            );
            plan.seals_before.answers = vec![Answered { entry: 3, ..answer }];
        };
        assert!(with(old, |j| j.unanswered_seal(&missing)).is_some());
        let seven = with(old, |j| j.unanswered(&events(Kept::Cover, 7, ""))).unwrap();
        assert!(seven.contains("knows of 2"), "{seven}");
    }

    #[test]
    fn a_count_that_is_not_told_any_more_waits_until_somebody_has_answered_for_the_silence() {
        let paper = |plan: &mut Plan| plan.seals_before.last = Some(last(vec![events(Kept::Cover, 2, "")]));
        let others = [events(Kept::Programming, 0, "")];
        let words = with(paper, |j| j.untold(Kept::Cover, &others)).unwrap();
        assert!(
            words.contains("no count any more of: cover opened") && words.contains("knows of 2"),
            "{words}"
        );
        assert_eq!(with(paper, |j| j.untold(Kept::Cover, &[events(Kept::Cover, 2, "")])), None);
        assert_eq!(with(paper, |j| j.untold(Kept::Programming, &[])), None);
        // With the seal that nobody looked at.
        assert_eq!(with(paper, |j| j.seals().map(|seals| seals.waiting.len())), Some(2));
        let answer = |plan: &mut Plan| {
            paper(plan);
            plan.seals_before.answers = vec![answered("2026-09-01T10:00:00+08:00", others.to_vec(), vec![])];
        };
        assert_eq!(with(answer, |j| j.untold(Kept::Cover, &others)), None);
    }

    #[test]
    fn a_seal_that_the_last_paper_left_must_be_looked_at_however_its_place_is_typed() {
        let paper = |plan: &mut Plan| plan.seals_before.last = Some(last(vec![]));
        let overlooked = |plan: &mut Plan| paper(plan);
        let words = with(overlooked, |j| j.overlooked().collect::<Vec<_>>());
        assert!(words[0].contains("seal A1 at meter cover was not looked at"), "{words:?}");
        for (found, waits) in [
            (seal("Meter  Cover", "A1", State::Intact), false),
            (seal("Meter  Cover", "X9", State::Intact), true),
            (seal("meter cover", "", State::Illegible), true),
        ] {
            let looked = |plan: &mut Plan| {
                paper(plan);
                plan.entries.seal = vec![found.clone()];
            };
            assert_eq!(with(looked, |j| j.overlooked().count()), 0, "{found}");
            assert_eq!(with(looked, |j| j.unanswered_seal(&found)).is_some(), waits, "{found}");
        }
    }

    #[test]
    fn a_broken_a_missing_and_an_exchanged_seal_wait_for_an_answer_and_a_scratched_one_does_not() {
        let paper = |plan: &mut Plan| plan.seals_before.last = Some(last(vec![]));
        for (found, waits) in [
            (seal("meter cover", "A1", State::Intact), false),
            (seal("meter cover", "A1", State::Damaged), false),
            (seal("meter cover", "A1", State::Broken), true),
            (seal("meter cover", "", State::Missing), true),
            (seal("meter cover", "A2", State::Intact), true),
            (seal("elsewhere", "A2", State::Intact), false),
        ] {
            assert_eq!(with(paper, |j| j.unanswered_seal(&found)).is_some(), waits, "{found}");
            let answer = |plan: &mut Plan| {
                paper(plan);
                plan.seals_before.answers =
                    vec![answered("2026-09-01T10:00:00+08:00", vec![], vec![found.clone()])];
            };
            assert_eq!(with(answer, |j| j.unanswered_seal(&found)), None, "{found}");
        }
    }
}
