//! Conducts the engine on a bench: what came in is kept first, then done.
//!
//! Nothing is done because of an event, and no reading is shown as done, before that event is on the disk. Off alone waits
//! for nothing.

use super::{Bench, Stopper, Waited};
use crate::archive::journal::{Keeper, NotKept};
use crate::run::{Action, Event, Run};
use crate::time::{Instant, Span, pace};
use std::collections::VecDeque;

/// Between the source's off and giving up on an engine that does not end.
const ENDING_TIME: Span = Span::from_secs(60);
/// A disk that has not taken in for so long what somebody waits for does not work. Below the engine's own patience with a
/// command, so that the source is not blamed for it; a choice of this house.
const DISK_MAX: Span = Span::from_secs(5);
/// The disk lives in the day's time: where our clock is hastened it has as much longer by it, up to this, which is still below
/// the engine's patience.
const DISK_MAX_HASTENED: Span = Span::from_secs(9);
/// While something waits for the disk it is looked at this often.
const LOOK_EVERY: Span = Span::from_millis(2);

/// Conducts `run` on `bench` to its end. `stop` is asked again and again whether somebody wants to end it, and why;
/// `watch` sees the run after each event, and its end. Nothing is kept.
pub fn conduct(
    run: &mut Run,
    bench: &mut dyn Bench,
    stop: &mut dyn FnMut() -> Option<String>,
    watch: &mut dyn FnMut(&Run, Instant),
) {
    // What keeps nothing cannot fail.
    let _ = conduct_kept(run, bench, &mut NotKept, stop, watch);
}

/// The same; every event is kept before it is acted upon. A journal that takes no more ends the run. `Err`: what could not
/// be kept, and why; the run has ended all the same, and has its record.
pub fn conduct_kept(
    run: &mut Run,
    bench: &mut dyn Bench,
    keeper: &mut dyn Keeper,
    stop: &mut dyn FnMut() -> Option<String>,
    watch: &mut dyn FnMut(&Run, Instant),
) -> Result<(), String> {
    let mut stopped: Option<Instant> = None;
    let mut lost: Option<String> = None;
    // Actions, and how many events must be on the disk before each.
    let mut waiting: VecDeque<(Action, u64)> = VecDeque::new();
    // Of a run that is taken up again the events before are kept; what says so is the first that is new.
    let mut taken =
        usize::try_from(keeper.kept(false).unwrap_or(0)).unwrap_or(usize::MAX).min(run.log().len());
    let mut seen = run.milestone();
    let (mut shown, mut kept) = (taken as u64, taken as u64);
    let mut behind: Option<Instant> = None;
    loop {
        // Before anything is done: what was asked to end is not switched on first.
        if stopped.is_none()
            && let Some(why) = stop()
        {
            stopped = Some(bench.now());
            run.handle(bench.now(), Event::Abort { why });
        }
        keeper.take(&run.log()[taken..]);
        taken = run.log().len();
        while let Some(action) = run.poll_action() {
            match action {
                Action::SourceOff | Action::StopHeartbeat => {
                    waiting.clear();
                    bench.act(action);
                }
                action => waiting.push_back((action, taken as u64)),
            }
        }
        if run.milestone() != seen {
            (seen, shown) = (run.milestone(), taken as u64);
        }
        if lost.is_none() {
            let wanted = waiting.front().map_or(shown, |(_, needs)| shown.max(*needs));
            match keeper.kept(wanted > kept) {
                Ok(now) => kept = now,
                Err(why) => lost = Some(why),
            }
            behind = if wanted > kept { behind.or(Some(bench.now())) } else { None };
            if let Some(since) = behind {
                let patience = (DISK_MAX * pace()).min(DISK_MAX_HASTENED);
                if bench.now() - since > patience {
                    lost = Some(format!("the disk has taken nothing in for {patience}"));
                }
            }
            if let Some(why) = &lost {
                let why = format!("what came in could not be kept: {why}");
                run.handle(bench.now(), Event::Abort { why });
                stopped = stopped.or(Some(bench.now()));
                continue;
            }
        }
        while lost.is_none() && waiting.front().is_some_and(|(_, needs)| *needs <= kept) {
            if let Some((action, _)) = waiting.pop_front() {
                bench.act(action);
            }
        }
        if run.is_over() || stopped.is_some_and(|at| bench.now() - at > ENDING_TIME) {
            break;
        }
        let is_behind = behind.is_some() && lost.is_none();
        let due = run.poll_timeout();
        let look = is_behind.then(|| bench.now() + LOOK_EVERY);
        match bench.wait(due.into_iter().chain(look).min()) {
            Waited::Event(event) => run.handle(bench.now(), event),
            // It was the disk that was to be looked at.
            Waited::Due if is_behind && due.is_none_or(|due| due > bench.now()) => {}
            Waited::Due => run.handle(bench.now(), Event::Timeout),
            Waited::Nothing => {}
        }
        // What is kept nowhere is shown at once; where the disk takes no more, how the run ends all the same.
        if lost.is_some() || kept == u64::MAX || (kept >= shown && run.milestone() == seen) {
            watch(run, bench.now());
        }
    }
    bench.act(Action::SourceOff);
    keeper.take(&run.log()[taken..]);
    let finished = if lost.is_none() { keeper.finish() } else { Ok(()) };
    // Whatever the disk has taken: nobody stands before a run that is over and reads that it goes on.
    watch(run, bench.now());
    lost.map_or(finished, Err)
}

/// A bench whose time is so much later than it says: of a process that goes on with another's run.
pub struct Later<'a> {
    bench: Box<dyn Bench + 'a>,
    by: Span,
}

impl<'a> Later<'a> {
    /// This bench, `by` later.
    pub fn new(bench: Box<dyn Bench + 'a>, by: Span) -> Self {
        Self { bench, by }
    }
}

impl Bench for Later<'_> {
    fn now(&self) -> Instant {
        self.bench.now() + self.by
    }

    fn act(&mut self, action: Action) {
        self.bench.act(action);
    }

    fn stopper(&self) -> Option<Stopper> {
        self.bench.stopper()
    }

    fn wait(&mut self, until: Option<Instant>) -> Waited {
        match self.bench.wait(until.map(|until| until - self.by)) {
            Waited::Event(event) => Waited::Event(event.later(self.by)),
            other => other,
        }
    }
}
