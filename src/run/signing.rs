//! The transaction of a meter that signs: begun at rest before the load points, ended at rest behind them, its record
//! waited for when the load is off again. What does not come is a finding; it holds no load and fails no run.

use super::evidence::SignedEvidence;
use super::load_lane::Phase;
use super::{Action, Run};
use crate::certificate::record::Outcome;
use crate::meter::transaction::{Came, Order, Transacted};
use crate::plan::Work;
use crate::time::{self, Instant, Span};

/// The record is asked for this often; each question is kept, and a meter that signs has other things to do.
const ASK_EVERY: Span = Span::from_secs(5);
/// An order that is not answered in this time is not answered; the driver below gives up before.
const ORDER_TIME: Span = Span::from_secs(60);
/// The same where the run has failed or was stopped: the end of the transaction is tried, and soon let go.
const LEAVING_TIME: Span = Span::from_secs(20);
/// A transaction is not left running for want of one answer.
const END_TRIES: u32 = 3;

/// How far the transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Nothing was ordered.
    #[default]
    Before,
    /// The meter was told to begin.
    Beginning,
    /// It runs.
    Running,
    /// The meter was told to end it.
    Ending,
    /// It signs.
    Signing,
    /// Nothing more is to come.
    Done,
    /// One of before an interruption may run in the meter: it is ended before another begins.
    Clearing,
}

/// The lane's state.
#[derive(Debug, Clone, Default)]
pub(super) struct SigningLane {
    state: State,
    /// The order on the way, and since when.
    out: Option<(Order, Instant)>,
    /// When the record is asked for again.
    ask_at: Instant,
    /// Until when it is waited for.
    deadline: Instant,
    /// How often the end was tried.
    tries: u32,
    /// The run has failed or was stopped: no record is waited for.
    leaving: bool,
    /// Transactions of this run before it, that an interruption has spoiled.
    before: u32,
}

impl Run {
    /// The transaction's figures in the plan, where the meter signs.
    fn signing_work(&self) -> Option<(Span, Span)> {
        self.plan.steps.iter().find_map(|s| match s.work {
            Work::SignedRecord { shortest, within } => Some((shortest, within)),
            _ => None,
        })
    }

    /// The transaction's name: new for each run and after an interruption, and the same again from the record.
    fn transaction_id(&self) -> String {
        let digits: String = self.started.to_string().chars().filter(char::is_ascii_digit).collect();
        match self.signing.before {
            0 => format!("PL-{digits}"),
            before => format!("PL-{digits}-{}", before + 1),
        }
    }

    fn order(&mut self, now: Instant, order: Order) {
        self.signing.out = Some((order, now));
        let id = self.transaction_id();
        self.actions.push_back(Action::Transact { order, id });
    }

    fn signed(&mut self) -> &mut SignedEvidence {
        let id = self.transaction_id();
        self.evidence.signed.get_or_insert_with(|| SignedEvidence { id, ..SignedEvidence::default() })
    }

    /// No record comes; the first reason is the one that counts.
    fn no_record(&mut self, why: String) {
        self.signed().why_none.get_or_insert(why);
        self.signing.state = State::Done;
    }

    /// Begins the transaction at rest; done when it runs, or will not.
    pub(super) fn transaction_begun(&mut self, now: Instant) -> bool {
        if self.signing.state == State::Clearing && self.signing.out.is_none() {
            self.order(now, Order::End);
        }
        if self.signing.state == State::Before && self.signing_work().is_some() {
            self.signing.state = State::Beginning;
            self.order(now, Order::Begin);
        }
        !matches!(self.signing.state, State::Beginning | State::Clearing)
    }

    /// Ends the transaction at rest, once it has lasted as long as the meter asks; done when it has ended, or will not.
    pub(super) fn transaction_ended(&mut self, now: Instant) -> bool {
        if self.signing.state == State::Running && now >= self.may_end_at() {
            self.end_transaction(now);
        }
        !matches!(self.signing.state, State::Running | State::Ending)
    }

    fn may_end_at(&self) -> Instant {
        let shortest = self.signing_work().map_or(Span::ZERO, |(shortest, _)| shortest);
        let begun = self.evidence.signed.as_ref().and_then(|signed| signed.begun);
        // The meter counts from its own begin, which may lie as late as its answer.
        begun.map_or(self.now, |begun| begun.at + begun.half_width + shortest)
    }

    fn end_transaction(&mut self, now: Instant) {
        self.signing.state = State::Ending;
        self.signing.tries += 1;
        self.order(now, Order::End);
    }

    /// The run ends, off is ordered already: what runs in the meter is ended too. `unsent`: orders that nobody has
    /// taken yet were dropped.
    pub(super) fn leave_transaction(&mut self, now: Instant, outcome: &Outcome, unsent: bool) {
        if *outcome != Outcome::Completed {
            self.signing.leaving = true;
        }
        match self.signing.state {
            State::Before if self.signing_work().is_some() => {
                self.no_record("the run ended before the transaction began".to_owned());
            }
            State::Beginning if unsent => {
                self.signing.out = None;
                self.no_record("the run ended before the transaction began".to_owned());
            }
            State::Beginning | State::Running | State::Clearing => self.end_transaction(now),
            State::Ending if unsent => self.end_transaction(now),
            State::Signing if self.signing.leaving => {
                self.no_record("the run ended while the meter signed; it keeps the record".to_owned());
            }
            // The question was dropped with the other actions; it is asked again.
            State::Signing if unsent => self.signing.out = None,
            _ => {}
        }
    }

    /// The run was interrupted and goes back to where a transaction begins: what came of the one before is no evidence any
    /// more. One that may still run is ended first.
    pub(super) fn transaction_again(&mut self) {
        if self.signing_work().is_none() {
            return;
        }
        let id = self.transaction_id();
        let lane = &mut self.signing;
        (lane.out, lane.tries, lane.leaving) = (None, 0, false);
        match lane.state {
            State::Before | State::Clearing => return,
            State::Beginning | State::Running | State::Ending => lane.state = State::Clearing,
            State::Signing | State::Done => (lane.state, lane.before) = (State::Before, lane.before + 1),
        }
        self.evidence.signed = None;
        self.evidence.note(format!(
            "signed record: the transaction {id} was interrupted with the run; another takes its place"
        ));
    }

    /// The transaction of before an interruption was ended, or not, and why not.
    fn transaction_is_cleared(&mut self, now: Instant, not: Option<&str>) {
        if let Some(why) = not {
            let id = self.transaction_id();
            self.evidence.note(format!(
                "signed record: the transaction {id} of before the interruption was not ended ({why}); if it still runs in the meter, end it there"
            ));
        }
        (self.signing.state, self.signing.before) = (State::Before, self.signing.before + 1);
        self.transaction_begun(now);
    }

    /// The run was interrupted when the load was off or on its way there: what is on its way is asked again, and the meter
    /// is given its time anew.
    pub(super) fn transaction_goes_on(&mut self, now: Instant) {
        self.signing.out = None;
        match self.signing.state {
            State::Ending => {
                self.signing.tries = 0;
                self.end_transaction(now);
            }
            State::Signing => {
                let within = self.signing_work().map_or(Span::ZERO, |(_, within)| within);
                (self.signing.ask_at, self.signing.deadline) = (now, now + within);
            }
            _ => {}
        }
    }

    /// The run was interrupted and nobody goes on with it: the meter is not asked any more.
    pub(super) fn leave_transaction_unasked(&mut self) {
        if self.signing_work().is_none() {
            return;
        }
        match self.signing.state {
            State::Before => {
                self.no_record("the run was interrupted before the transaction began".to_owned());
            }
            State::Signing => self.no_record(
                "the run was interrupted while the meter signed, and closed; the meter keeps it".to_owned(),
            ),
            State::Beginning | State::Running | State::Ending | State::Clearing => {
                let id = self.transaction_id();
                self.evidence.note(format!(
                    "signed record: the transaction {id} may still be running in the meter: end it there"
                ));
                self.no_record("the run was interrupted in the transaction, and closed".to_owned());
            }
            State::Done => {}
        }
    }

    /// Somebody does not want to wait any longer.
    pub(super) fn stop_waiting(&mut self, why: &str) {
        let why = format!("the waiting for it was ended: {why}; the meter keeps it");
        match self.signing.state {
            State::Signing => self.no_record(why),
            State::Ending => {
                self.signing.leaving = true;
                self.signed().why_none.get_or_insert(why);
            }
            _ => {}
        }
    }

    pub(super) fn handle_transacted(&mut self, now: Instant, told: &Transacted) {
        let awaited = self.signing.out.is_some_and(|(order, _)| order == told.order);
        if awaited {
            self.signing.out = None;
        }
        for remark in &told.remarks {
            self.evidence.note(format!("signed record: {remark}"));
        }
        match (told.order, &told.came) {
            (Order::End, came) if awaited && self.signing.state == State::Clearing => {
                let why = match came {
                    Came::Not(why) | Came::Unknown(why) => Some(why.as_str()),
                    Came::Done | Came::Record(_) => None,
                };
                self.transaction_is_cleared(now, why);
            }
            (Order::Begin, Came::Done) => {
                self.signed().begun = Some(told.into());
                if self.signing.state == State::Beginning {
                    self.signing.state = State::Running;
                } else {
                    // It came when nobody waited any more, or the run has ended: it is not left running.
                    self.signing.leaving |= self.signing.state == State::Done;
                    self.end_transaction(now);
                }
            }
            (Order::Begin, Came::Not(why)) => {
                if self.signing.state == State::Beginning {
                    self.no_record(format!("the meter did not begin a transaction: {why}"));
                }
            }
            (Order::Begin, Came::Unknown(why)) => self.begin_is_unknown(now, why),
            (Order::End, Came::Done) => self.transaction_has_ended(now, told),
            (Order::End, Came::Not(why) | Came::Unknown(why)) if awaited => {
                self.transaction_has_not_ended(now, why);
            }
            (Order::Record, Came::Record(bytes)) if self.signing.state == State::Signing => {
                let waited = self.evidence.signed.as_ref().and_then(|s| s.ended).map(|ended| now - ended.at);
                let signed = self.signed();
                signed.bytes = Some(bytes.clone());
                signed.waited = waited;
                self.signing.state = State::Done;
            }
            (Order::Record, Came::Not(why) | Came::Unknown(why)) if awaited => {
                self.signed().last_answer = Some(why.clone());
                self.signing.ask_at = now + ASK_EVERY;
            }
            _ => self.evidence.note(format!("an answer to `{}` came that was not asked for", told.order)),
        }
    }

    /// The meter was told to begin and its answer did not come: what may run there is not left running.
    fn begin_is_unknown(&mut self, now: Instant, why: &str) {
        if self.signing.state == State::Beginning {
            self.no_record(format!("whether the meter has begun a transaction is not known: {why}"));
            self.signing.leaving = true;
            self.end_transaction(now);
        }
    }

    fn transaction_has_ended(&mut self, now: Instant, told: &Transacted) {
        self.signed().ended = Some(told.into());
        if self.signing.leaving {
            let id = &told.id;
            self.evidence
                .note(format!("signed record: the transaction {id} in the meter was ended with the run"));
            return self.no_record("the run ended before its time".to_owned());
        }
        let within = self.signing_work().map_or(Span::ZERO, |(_, within)| within);
        self.signing.state = State::Signing;
        self.signing.ask_at = now;
        self.signing.deadline = now + within;
    }

    fn transaction_has_not_ended(&mut self, now: Instant, why: &str) {
        if self.signing.tries < END_TRIES {
            return self.end_transaction(now);
        }
        let id = self.transaction_id();
        self.evidence.note(format!(
            "signed record: the transaction {id} may still be running in the meter: end it there ({why})"
        ));
        self.no_record(format!("the meter did not end the transaction: {why}"));
    }

    /// Moves on with time: asks for the record again, gives up what does not come.
    pub(super) fn advance_signing(&mut self, now: Instant) {
        if let Some((order, since)) = self.signing.out
            && now >= since + self.order_time()
        {
            self.signing.out = None;
            let why = format!("no answer within {}", self.order_time());
            match order {
                Order::Begin => self.begin_is_unknown(now, &why),
                Order::End if self.signing.state == State::Clearing => {
                    self.transaction_is_cleared(now, Some(&why));
                }
                Order::End => {
                    self.signing.tries = END_TRIES;
                    self.transaction_has_not_ended(now, &why);
                }
                Order::Record => {
                    self.signed().last_answer = Some(why);
                    self.signing.ask_at = now;
                }
            }
        }
        if self.signing.state != State::Signing {
            return;
        }
        if now >= self.signing.deadline {
            let within = self.signing_work().map_or(Span::ZERO, |(_, within)| within);
            let last = self.evidence.signed.as_ref().and_then(|s| s.last_answer.clone());
            let last = last.map_or(String::new(), |last| format!(" (its last answer: {last})"));
            return self.no_record(format!(
                "the meter gave no signed record within {within}{last}; it keeps it, ask again later"
            ));
        }
        if self.signing.out.is_none() && now >= self.signing.ask_at {
            self.order(now, Order::Record);
        }
    }

    fn order_time(&self) -> Span {
        if self.signing.leaving { LEAVING_TIME } else { ORDER_TIME }
    }

    /// When the lane wants to be woken.
    pub(super) fn signing_deadline(&self) -> Option<Instant> {
        let lane = &self.signing;
        let out = lane.out.map(|(_, since)| since + self.order_time());
        let may_end = (lane.state == State::Running).then(|| self.may_end_at());
        let signing = (lane.state == State::Signing).then_some(lane.deadline);
        let ask = signing.filter(|_| lane.out.is_none()).map(|_| lane.ask_at);
        time::earliest(&[out, may_end, signing, ask])
    }

    /// Until when a step that waits for the transaction may last.
    pub(super) fn transaction_end_limit(&self) -> Option<Instant> {
        let here = self.step().is_some_and(|step| matches!(step.work, Work::RegisterEnd));
        let waits = match self.signing.state {
            State::Beginning | State::Ending => true,
            State::Clearing => self.signing.out.is_some(),
            State::Running => here,
            State::Before | State::Signing | State::Done => false,
        };
        waits.then(|| self.may_end_at() + ORDER_TIME * END_TRIES)
    }

    /// Whether the end of the run has something of the transaction to wait for.
    pub(super) fn is_signing(&self) -> bool {
        matches!(self.signing.state, State::Ending | State::Signing)
    }

    /// How long the meter may still take to sign, while it is waited for.
    pub(super) fn signing_left(&self, now: Instant) -> Option<Span> {
        let waits =
            self.signing.state == State::Signing && matches!(self.load_lane.phase, Phase::Signing { .. });
        waits.then(|| (self.signing.deadline - now).max(Span::ZERO))
    }
}
