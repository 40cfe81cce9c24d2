//! The lab's desk and the operator's visit, from prepared values: pressed through by label, measured in both languages and on
//! all of our screens. What is asked is seen at the port; what the program behind it does is in `src/cli/screen/desk.rs`.

mod support {
    pub mod simulated;
    pub mod stage;
}

use phantomload::certificate::issue::{Role, Status};
use phantomload::history::{Board, Card, Colour, Meter};
use phantomload::history::{History, Visit, board::Why};
use phantomload::screen::desk::port::{Act, Ask, Form, Line, PaperSeen, PointSeen, Row, Sheet, Told, Wanted};
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::State;
use phantomload::screen::{Language, Place};
use phantomload::verdict::Verdict;
use support::stage::{SIZES, Stage, options, snapshots};

const LANGUAGES: [Language; 2] = [Language::Chinese, Language::English];

fn readable(stage: &Stage, what: &str) {
    let wrong = stage.unreadable();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// One of two words.
fn of(language: Language, zh: &'static str, en: &'static str) -> &'static str {
    if language == Language::Chinese { zh } else { en }
}

fn desk(size: (f32, f32), language: Language) -> Stage {
    let mut stage = Stage::new(size, options(language));
    stage.ordered();
    stage.press(of(language, "实验室", "Laboratory"));
    assert_eq!(stage.place(), Place::Desk);
    stage
}

/// What the desk asked since the last time.
fn asked(stage: &mut Stage) -> Vec<Ask> {
    let orders = stage.ordered().into_iter();
    orders.filter_map(|order| if let Order::Desk(ask) = order { Some(ask) } else { None }).collect()
}

fn tell(stage: &mut Stage, told: Told) {
    stage.backstage.tell(News::Desk(told));
    stage.look();
    stage.look();
}

fn card(n: usize, colour: Colour, why: Vec<Why>) -> Card {
    Card {
        colour,
        why,
        charger: format!("沪A-充电桩-{n:03}"),
        connector: "A".into(),
        site: "某市某区示例路 8 号 地下停车场 B2".into(),
        customer: "某市充电服务有限公司".into(),
        meter: Meter {
            maker: "M".into(),
            model: "DC1".into(),
            serial: format!("{n:012}"),
            simulated: n % 2 == 0,
        },
        certificate_no: format!("PL-2026-{n:06}"),
        day: Some("2026-05-01".parse().unwrap()),
        status: "issued".into(),
        verdict: "pass".into(),
        valid_until: Some("2029-04-30".parse().unwrap()),
        findings: Some(0),
        visits: 3,
    }
}

fn board(count: usize) -> Board {
    let since = "2026-04-30".parse().unwrap();
    let mut cards = vec![
        card(1, Colour::Red, vec![Why::Failed, Why::Overdue { since }]),
        card(2, Colour::Yellow, vec![Why::Due { days: 12, after: since }, Why::Findings { count: 2 }]),
        card(3, Colour::Yellow, vec![Why::Withdrawn]),
        card(4, Colour::Yellow, vec![Why::Undecided]),
    ];
    cards.extend((5..=count).map(|n| card(n, Colour::Green, vec![])));
    Board { today: "2026-11-21".parse().unwrap(), red: 1, yellow: 3, green: count - 4, cards }
}

/// Visits of the simulated meter, its errors moved a little each year.
fn history(visits: usize) -> History {
    let record = support::simulated::record("good", "dc-meter", phantomload::regulation::Kind::Subsequent, 1);
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

fn paper(status: Status) -> PaperSeen {
    let errors = snapshots("good", None).pop().unwrap().errors;
    let record = support::simulated::record("good", "dc-meter", phantomload::regulation::Kind::Subsequent, 1);
    let budget = record.results.items.iter().find_map(|item| item.measured.as_ref()).unwrap().budget.clone();
    let person = |role: Role, name: &str| (role, name.to_owned());
    let signed = match status {
        Status::Draft => 0,
        Status::Checked => 2,
        _ => 3,
    };
    PaperSeen {
        number: "PL-2026-000042".into(),
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
            .into_iter()
            .map(|seen| PointSeen { seen, k: 1.96, verdict: Verdict::Pass, budget: budget.clone() })
            .collect(),
        findings: vec!["the meter has no seconds pulse: its daily rate was not measured".into()],
        entries: vec![(12, "run_open".into(), "2026-11-20T10:02:00.123+08:00".into())],
    }
}

fn rows(from: usize, count: usize) -> Vec<Row> {
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

#[test]
fn the_operators_visit_goes_from_the_board_to_a_charger_and_its_drift() {
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            readable(&stage, &what("home"));
            stage.press(of(language, "充电桩看板", "Board"));
            assert_eq!(asked(&mut stage), [Ask::Board]);
            readable(&stage, &what("reading"));
            tell(&mut stage, Told::Board(Ok(board(300))));
            readable(&stage, &what("board"));
            // Counted in words; pressed, only those are shown.
            stage.press(of(language, "3 有异常或将到期", "3 finding or due soon"));
            assert!(stage.has("沪A-充电桩-002 A") && !stage.has("沪A-充电桩-001 A"), "{}", what("filter"));
            readable(&stage, &what("yellow"));
            stage.press("沪A-充电桩-002 A");
            assert_eq!(asked(&mut stage), [Ask::History("沪A-充电桩-002".into())]);
            tell(&mut stage, Told::History(Ok(vec![history(4)])));
            readable(&stage, &what("history"));
            stage.press(of(language, "下一负载点", "Next point"));
            readable(&stage, &what("next point"));
            stage.press(of(language, "比较最近两次", "Compare the last two"));
            readable(&stage, &what("compare"));
            stage.press(of(language, "返回", "Back"));
            stage.press("SIM-2026-000001");
            assert_eq!(asked(&mut stage), [Ask::Paper("SIM-2026-000001".into())]);
            for _ in 0..3 {
                stage.press(of(language, "返回", "Back"));
            }
            assert_eq!(stage.place(), Place::Desk);
            stage.press(of(language, "返回", "Back"));
            assert_eq!(stage.place(), Place::Start);
        }
    }
}

#[test]
fn a_charger_of_two_visits_states_no_day_and_one_that_nobody_knows_is_said() {
    for language in LANGUAGES {
        let mut stage = desk(SIZES[0], language);
        stage.press(of(language, "充电桩看板", "Board"));
        tell(&mut stage, Told::Board(Ok(board(5))));
        stage.press("沪A-充电桩-001 A");
        tell(&mut stage, Told::History(Ok(vec![history(2)])));
        readable(&stage, "two visits");
        tell(&mut stage, Told::History(Err("no visit of `x` is in this data folder".into())));
        readable(&stage, "nobody");
        tell(&mut stage, Told::Board(Err("register.csv cannot be read".into())));
        for _ in 0..2 {
            stage.press(of(language, "返回", "Back"));
        }
    }
}

#[test]
fn a_register_of_a_hundred_thousand_asks_only_for_what_is_seen() {
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "证书登记", "Register"));
            assert_eq!(asked(&mut stage), [Ask::Register(Wanted::default())]);
            tell(&mut stage, Told::Found(Ok(100_000)));
            let asks = asked(&mut stage);
            let [Ask::Rows { from: 0, count }] = asks[..] else { panic!("{asks:?}") };
            assert!(count < 100, "{count}");
            tell(&mut stage, Told::Rows { from: 0, rows: rows(0, count) });
            readable(&stage, &what("register"));
            assert!(stage.has("PL-2026-100000"));
            stage.press(of(language, "不合格", "fail"));
            let asks = asked(&mut stage);
            assert_eq!(asks, [Ask::Register(Wanted { verdict: Some(Verdict::Fail), ..Wanted::default() })]);
            tell(&mut stage, Told::Found(Ok(0)));
            readable(&stage, &what("none"));
            stage.press(of(language, "导出 CSV", "Export CSV"));
            assert_eq!(asked(&mut stage), [Ask::Places]);
            tell(
                &mut stage,
                Told::Places(vec![
                    ("exports".into(), "/data/exports".into()),
                    ("STICK".into(), "/media/STICK".into()),
                ]),
            );
            readable(&stage, &what("places"));
            stage.press("STICK  (/media/STICK)");
            let asks = asked(&mut stage);
            assert!(
                matches!(&asks[..], [Ask::Export { form: Form::Csv(_), to }] if to.ends_with("STICK")),
                "{asks:?}"
            );
            tell(&mut stage, Told::Progress { done: 3, of: 9 });
            readable(&stage, &what("progress"));
            tell(&mut stage, Told::Done(Err("/media/STICK: No space left on device".into())));
            readable(&stage, &what("full"));
        }
    }
}

#[test]
fn a_paper_is_signed_with_a_pin_that_is_never_shown() {
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "证书登记", "Register"));
            tell(&mut stage, Told::Found(Ok(3)));
            tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 3) });
            asked(&mut stage);
            stage.press("PL-2026-099999");
            assert_eq!(asked(&mut stage), [Ask::Paper("PL-2026-099999".into())]);
            readable(&stage, &what("reading"));
            for status in [Status::Issued, Status::Checked, Status::Draft] {
                tell(&mut stage, Told::Paper(Ok(Box::new(paper(status)))));
                readable(&stage, &what(&format!("paper {status}")));
            }
            stage.press(of(language, "签字: 检定员", "Sign: verifier"));
            readable(&stage, &what("who"));
            stage.press("王小明");
            for figure in ["1", "2", "3", "4", "5", "6"] {
                stage.press(figure);
            }
            assert!(!stage.has("123456"), "the PIN is shown");
            stage.press(of(language, "完成", "Done"));
            let asks = asked(&mut stage);
            let [Ask::Do { number, act: Act::Sign(Role::Verifier), by: Some(by) }] = &asks[..] else {
                panic!("{asks:?}")
            };
            assert_eq!(
                (number.as_str(), by.person.as_str(), by.pin.as_str()),
                ("PL-2026-000042", "王小明", "123456")
            );
            assert!(!format!("{asks:?}").contains("123456"), "the PIN is in {asks:?}");
            readable(&stage, &what("working"));
            tell(&mut stage, Told::Done(Ok("PL-2026-000042: signed".into())));
            readable(&stage, &what("signed"));
            // Back at the paper, it is read again.
            stage.press(of(language, "返回", "Back"));
            assert_eq!(asked(&mut stage), [Ask::Paper("PL-2026-000042".into())]);
        }
    }
}

#[test]
fn an_issued_paper_is_taken_back_with_a_reason_by_an_approver() {
    for language in LANGUAGES {
        let mut stage = desk(SIZES[0], language);
        stage.press(of(language, "证书登记", "Register"));
        tell(&mut stage, Told::Found(Ok(1)));
        tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 1) });
        stage.press("PL-2026-100000");
        tell(&mut stage, Told::Paper(Ok(Box::new(paper(Status::Issued)))));
        asked(&mut stage);
        stage.press(of(language, "撤销", "Withdraw"));
        for key in ["n", "o"] {
            stage.press(key);
        }
        stage.press(of(language, "完成", "Done"));
        assert!(stage.has("李批准") && !stage.has("王小明"));
        stage.press("李批准");
        stage.press("1");
        stage.press(of(language, "完成", "Done"));
        let asks = asked(&mut stage);
        assert!(
            matches!(&asks[..], [Ask::Do { act: Act::Withdraw { reason }, .. }] if reason == "no"),
            "{asks:?}"
        );
        tell(&mut stage, Told::Done(Err("wrong PIN: 4 tries are left".into())));
        readable(&stage, "refused");
    }
}

#[test]
fn lists_are_read_whatever_stands_in_them() {
    let lines = |count: usize| -> Vec<Line> {
        let line = |n: usize| Line {
            head: format!("{n}  verdict  PL-2026-000042"),
            about: vec![
                "2026-11-20T10:02:00.123+08:00".into(),
                "reason: ".to_owned() + &"a long reason ".repeat(9),
            ],
            state: [State::Good, State::Care, State::Bad, State::Unknown][n % 4],
        };
        (0..count).map(line).collect()
    };
    for size in SIZES {
        for language in LANGUAGES {
            let pages = [
                (of(language, "计量标准", "Standards"), Sheet::Standards, 4),
                (of(language, "检定规程", "Regulations"), Sheet::Profiles, 3),
                (of(language, "操作记录", "Audit trail"), Sheet::Trail, 2000),
                (of(language, "人员", "Persons"), Sheet::Persons, 0),
            ];
            let mut stage = desk(size, language);
            for (name, sheet, count) in pages {
                asked(&mut stage);
                stage.press(name);
                assert_eq!(asked(&mut stage), [Ask::Sheet(sheet)]);
                tell(&mut stage, Told::Sheet(sheet, Ok(lines(count))));
                readable(&stage, &format!("{name}, {size:?}, {language:?}"));
                // An answer to what was left shows nothing.
                let other = if sheet == Sheet::Trail { Sheet::Persons } else { Sheet::Trail };
                tell(&mut stage, Told::Sheet(other, Err("late".into())));
                assert!(!stage.has("late"));
                stage.press(of(language, "返回", "Back"));
            }
        }
    }
}
