//! After any beginning of a run and any way it ends, the last thing the source was told is off.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::bench::conduct;
use phantomload::certificate::record::Outcome;
use phantomload::regulation::Kind;
use phantomload::run::{Action, Device, Event, Run};
use phantomload::time::Instant;
use proptest::prelude::*;
use simulated::{Meddled, plan_of, rig, started};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// How a run is disturbed.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Fault(Device),
    Abort,
    /// Nothing comes from the reference any more.
    Silence,
    /// The source never says that it is off.
    MuteSource,
}

fn disturbances() -> impl Strategy<Value = Disturbance> {
    prop_oneof![
        Just(Disturbance::Fault(Device::Source)),
        Just(Disturbance::Fault(Device::Reference)),
        Just(Disturbance::Fault(Device::Pulse)),
        Just(Disturbance::Fault(Device::Meter)),
        Just(Disturbance::Abort),
        Just(Disturbance::Silence),
        Just(Disturbance::MuteSource),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_end_is_off(at in 0usize..22_000, disturbance in disturbances()) {
        let rig = rig("good");
        let mut run = Run::new(Arc::new(plan_of(&rig, "dc-meter", Kind::Subsequent)), Instant::ZERO, started());
        let orders = RefCell::new(vec![]);
        let mut bench = Meddled {
            bench: Box::new(rig.in_process(1, started(), None)),
            order: Box::new(|action| if !matches!(action, Action::Ask(_)) { orders.borrow_mut().push(action.clone()) }),
            count: 0,
            waiting: VecDeque::new(),
            meddle: Box::new(move |count, event| match disturbance {
                Disturbance::Fault(device) if count == at => vec![Event::Fault { device, what: "on purpose".into() }],
                Disturbance::Abort if count == at => vec![Event::Abort { why: "on purpose".into() }],
                Disturbance::Silence if count >= at && matches!(event, Event::Sample(_)) => vec![],
                Disturbance::MuteSource if event == Event::SourceOff => vec![],
                _ => vec![event],
            }),
        };
        conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
        drop(bench);
        prop_assert!(run.is_over(), "{disturbance:?} at {at}: the run did not end");
        let orders = orders.into_inner();
        prop_assert_eq!(orders.last(), Some(&Action::SourceOff));
        // No load is set after the first off.
        let first_off = orders.iter().position(|o| *o == Action::SourceOff).unwrap();
        prop_assert!(orders[first_off..].iter().all(|o| *o == Action::SourceOff));
        if run.outcome() != Some(&Outcome::Completed) {
            prop_assert_eq!(run.results().verdict, None);
        }
    }
}
