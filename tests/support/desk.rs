//! The desk without a window: pressed through by label, and what it asks.

#![allow(dead_code, reason = "each test file uses its part")]

use super::simulated;
use super::stage::{Stage, options, snapshots};
use phantomload::certificate::issue::{Role, Status};
use phantomload::history::{History, Visit};
use phantomload::run::ErrorSeen;
use phantomload::screen::desk::port::{Ask, PaperSeen, PersonSeen, PointSeen, Row, Standing, Ticket, Told};
use phantomload::screen::port::{News, Order};
use phantomload::screen::{Language, Place};
use phantomload::uncertainty::Component;
use phantomload::verdict::Verdict;
use std::sync::LazyLock;

pub const LANGUAGES: [Language; 2] = [Language::Chinese, Language::English];

/// Fails where something cannot be read.
pub fn readable(stage: &Stage, what: &str) {
    let wrong = stage.unreadable();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// One of two words.
pub fn of(language: Language, zh: &'static str, en: &'static str) -> &'static str {
    if language == Language::Chinese { zh } else { en }
}

pub fn desk(size: (f32, f32), language: Language) -> Stage {
    let mut stage = Stage::new(size, options(language));
    stage.ordered();
    stage.press(of(language, "实验室", "Lab"));
    assert_eq!(stage.place(), Place::Desk);
    stage
}

/// What the desk asked since the last time.
pub fn asked(stage: &mut Stage) -> Vec<Ask> {
    let orders = stage.ordered().into_iter();
    orders.filter_map(|order| if let Order::Desk(ask) = order { Some(ask) } else { None }).collect()
}

pub fn tell(stage: &mut Stage, told: Told) {
    stage.backstage.tell(News::Desk(told));
    stage.look();
    stage.look();
}

/// Types a text and takes it.
pub fn type_in(stage: &mut Stage, language: Language, text: &str) {
    stage.harness.event(eframe::egui::Event::Text(text.into()));
    stage.look();
    stage.press(of(language, "完成", "Done"));
}

pub fn person(name: &str, roles: &[Role], standing: Standing) -> PersonSeen {
    PersonSeen { name: name.into(), roles: roles.to_vec(), standing }
}

pub fn rows(from: usize, count: usize) -> Vec<Row> {
    let row = |n: usize| Row {
        number: format!("PL-2026-{:06}", 100_000 - n),
        day: "2026-11-20".into(),
        status: "issued".into(),
        verdict: Some(if n.is_multiple_of(7) { Verdict::Fail } else { Verdict::Pass }),
        meter: format!("DC1 {n:012}"),
        charger: "沪A-充电桩-001 某市某区示例路 8 号 地下停车场 B2".into(),
        customer: "某市充电服务有限公司".into(),
        simulated: false,
    };
    (from..from + count).map(row).collect()
}

/// Which of the things that are done was asked for last.
pub fn ticket(asks: &[Ask]) -> Ticket {
    asks.iter().rev().find_map(Ask::ticket).expect("nothing is done")
}

/// Tells what came of it.
pub fn tell_done(stage: &mut Stage, asks: &[Ask], done: Result<&str, &str>) {
    tell(stage, Told::Done(ticket(asks), done.map(str::to_owned).map_err(str::to_owned)));
}

/// Tells a paper.
pub fn tell_paper(stage: &mut Stage, number: &str, status: Status) {
    tell(stage, Told::Paper(number.to_owned(), Ok(Box::new(paper(number, status)))));
}

/// What a run of the good meter has measured: gone through once, since it takes its time.
static MEASURED: LazyLock<(Vec<ErrorSeen>, Vec<Component>)> = LazyLock::new(|| {
    let errors = snapshots("good", None).pop().unwrap().errors;
    let record = simulated::record("good", "dc-meter", phantomload::regulation::Kind::Subsequent, 1);
    let budget = record.results.items.iter().find_map(|item| item.measured.as_ref()).unwrap().budget.clone();
    (errors, budget)
});

pub fn paper(number: &str, status: Status) -> PaperSeen {
    let (errors, budget) = &*MEASURED;
    let person = |role: Role, name: &str| (role, name.to_owned());
    let signed = match status {
        Status::Draft => 0,
        Status::Checked => 2,
        _ => 3,
    };
    PaperSeen {
        number: number.into(),
        status,
        simulated: false,
        verdict: Some(Verdict::Pass),
        document: Some(phantomload::certificate::record::Document::VerificationCertificate),
        meter: "Maker DC1 202611210001".into(),
        charger: "沪A-充电桩-001 A 某市某区示例路 8 号".into(),
        customer: "某市充电服务有限公司".into(),
        performed: "2026-11-20T10:02:00.123+08:00".into(),
        valid_until: Some("2029-11-19".parse().unwrap()),
        regulation: "dc-meter, 1".into(),
        signatures: Role::ALL
            .iter()
            .take(signed)
            .map(|role| (*role, "王小明".into(), "2026-11-20".into()))
            .collect(),
        next: Role::ALL.get(signed).copied(),
        may: vec![
            person(Role::Verifier, "王小明"),
            person(Role::Checker, "赵核验"),
            person(Role::Approver, "李批准"),
        ],
        against: vec![],
        points: errors
            .iter()
            .map(|seen| PointSeen {
                seen: seen.clone(),
                k: 1.96,
                verdict: Verdict::Pass,
                budget: budget.clone(),
            })
            .collect(),
        findings: vec!["the meter has no seconds pulse: its daily rate was not measured".into()],
        entries: vec![(12, "run_open".into(), "2026-11-20T10:02:00.123+08:00".into())],
    }
}

/// Visits of the simulated meter, its errors moved a little each year.
pub fn history(visits: usize) -> History {
    let record = simulated::record("good", "dc-meter", phantomload::regulation::Kind::Subsequent, 1);
    let visits: Vec<Visit> = (0..visits)
        .map(|n| {
            let mut visit = Visit::of(&record, &format!("SIM-{}-000001", 2023 + n), "issued");
            visit.performed = format!("{}-11-20T10:00:00.000+08:00", 2023 + n).parse().unwrap();
            for figure in &mut visit.figures {
                figure.value += 0.2 * n as f64;
            }
            visit
        })
        .collect();
    History::of(visits[0].meter.clone(), visits, vec![])
}
