//! The inspector's way without a window: opened, pressed up to a page, put into the middle of a run.

#![allow(dead_code, reason = "each test file uses its part")]

use super::stage::{Stage, job, lights, live, options, plan, snapshots};
use phantomload::run::SourceState;
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::Waiting;
use phantomload::screen::{Language, Place};

/// Fails where something cannot be read.
pub fn readable(stage: &Stage, what: &str) {
    let wrong = stage.unreadable();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// Words of the way, in both languages.
pub struct Way {
    pub language: Language,
    pub next: &'static str,
    pub check: &'static str,
    pub begin: &'static str,
    pub all_good: &'static str,
    pub next_meter: &'static str,
    pub stop: &'static str,
    pub pass: &'static str,
}

pub const WAYS: [Way; 2] = [
    Way {
        language: Language::Chinese,
        next: "下一步",
        check: "检查接线",
        begin: "开始检定",
        all_good: "其余全部正常",
        next_meter: "下一块表",
        stop: "停止",
        pass: "合格",
    },
    Way {
        language: Language::English,
        next: "Next",
        check: "Check the wiring",
        begin: "Begin",
        all_good: "All others in order",
        next_meter: "Next meter",
        stop: "STOP",
        pass: "PASS",
    },
];

/// Opens the screen with lights and a work list.
pub fn opened(size: (f32, f32), language: Language) -> Stage {
    let mut stage = Stage::new(size, options(language));
    assert_eq!(stage.ordered(), [Order::TestSelf, Order::ListJobs, Order::FindWaiting]);
    stage.backstage.tell(News::Lights(lights()));
    stage.backstage.tell(News::Jobs(vec![job("good"), job("bad-at-imin"), job("creeping")]));
    stage.look();
    stage
}

/// A stage in the middle of a run.
pub fn running(language: Language) -> Stage {
    let middle =
        snapshots("good", Some(12)).into_iter().rfind(|seen| seen.source == SourceState::On).unwrap();
    let mut stage = opened((800.0, 480.0), language);
    stage.backstage.show(Some(live(middle)));
    stage.look();
    assert_eq!(stage.place(), Place::Run);
    stage
}

/// A run that a crash has left.
pub fn left(waiting: Waiting, words: &[&str]) -> News {
    let words = words.iter().map(|words| (*words).to_owned()).collect();
    News::Left { waiting: Some(Box::new(waiting)), words, is_known: true }
}

pub fn waiting() -> Waiting {
    Waiting {
        number: "SIM-R-2026-000012".into(),
        meter: "Wonder Electric DC-Meter 250 202611210001".into(),
        at: "step 9 of 17, Basic error at Itr".into(),
        last: Some("2026-11-20T10:03:20+08:00".parse().unwrap()),
        why: "the computer was started anew in it: the power failed, or somebody switched it off".into(),
        may_go_on: true,
        asks_serial: false,
    }
}

/// Opens the way up to the page of the wiring.
pub fn before_the_wiring(way: &Way) -> Stage {
    let mut stage = opened((800.0, 480.0), way.language);
    stage.press(&job("good").title);
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    stage.press(way.next);
    stage.press(way.next);
    assert_eq!(stage.place(), Place::Connect);
    stage.ordered();
    stage
}
