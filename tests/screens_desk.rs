//! The lab's desk and the operator's visit, from prepared values: pressed through by label, measured in both languages and on
//! all of our screens. What is asked is seen at the port; what the program behind it does is in `src/cli/screen/desk.rs`.

mod support {
    pub mod desk;
    pub mod simulated;
    pub mod stage;
}

use phantomload::history::{Board, Card, Colour, Meter, board::Why};
use phantomload::screen::desk::port::{Ask, Form, Line, Sheet, Told, Wanted};
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::{Connection, End, Ended, Sound, State};
use phantomload::screen::{Language, Place};
use phantomload::verdict::Verdict;
use support::desk::{LANGUAGES, asked, desk, history, of, readable, rows, tell, tell_done, type_in};
use support::stage::{SIZES, Stage, ended, job, live, pre_check, seen};

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
            simulated: n.is_multiple_of(2),
        },
        certificate_no: format!("PL-2026-{n:06}"),
        day: Some("2026-05-01".parse().unwrap()),
        status: "issued".into(),
        verdict: "pass".into(),
        valid_until: Some("2029-04-30".parse().unwrap()),
        findings: Some(0),
        visits: 3,
        energy: None,
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
                matches!(&asks[..], [Ask::Export { form: Form::Csv(_), to, .. }] if to.ends_with("STICK")),
                "{asks:?}"
            );
            tell(&mut stage, Told::Progress { done: 3, of: 9 });
            readable(&stage, &what("progress"));
            tell_done(&mut stage, &asks, Err("/media/STICK: No space left on device"));
            readable(&stage, &what("full"));
        }
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
                (of(language, "操作记录", "Audit trail"), Sheet::Trail(String::new()), 2000),
            ];
            let mut stage = desk(size, language);
            for (name, sheet, count) in pages {
                asked(&mut stage);
                stage.press(name);
                assert_eq!(asked(&mut stage), [Ask::Sheet(sheet.clone())]);
                tell(&mut stage, Told::Sheet(sheet.clone(), Ok(lines(count))));
                readable(&stage, &format!("{name}, {size:?}, {language:?}"));
                // An answer to what was left shows nothing.
                tell(&mut stage, Told::Sheet(Sheet::Trail("other".into()), Err("late".into())));
                assert!(!stage.has("late") && !stage.said("late"));
                stage.press(of(language, "返回", "Back"));
            }
            stage.press(of(language, "操作记录", "Audit trail"));
            stage.press(of(language, "证书号、记录号或人员", "Of a paper, record or person"));
            type_in(&mut stage, language, "4-2");
            let of_it = Sheet::Trail("4-2".into());
            assert_eq!(asked(&mut stage).last(), Some(&Ask::Sheet(of_it.clone())));
            tell(&mut stage, Told::Sheet(of_it, Ok(lines(2))));
            readable(&stage, "filtered");
            stage.press(of(language, "返回", "Back"));
            assert!(stage.has(of(language, "预检", "Pre-check")), "the desk is below, not the whole trail");
        }
    }
}

/// That it is a pre-check stands on the page, and nothing that a verification says.
fn certifies_nothing(stage: &Stage, language: Language, what: &str) {
    readable(stage, what);
    assert!(stage.has(of(language, "不是检定证书", "not a certificate")), "{what}");
    for word in ["PASS", "FAIL", "UNDECIDED", "合格", "检定中", "QR code of the paper", "文件二维码"]
    {
        assert!(!stage.has(word) && !stage.said(word), "{what} says {word}");
    }
}

#[test]
fn an_operators_pre_check_is_begun_here_and_no_page_of_it_looks_like_a_certificate() {
    let (plan, run) = pre_check("good");
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "预检", "Pre-check"));
            assert_eq!(stage.place(), Place::Start);
            stage.backstage.tell(News::Jobs(vec![job("good")]));
            stage.look();
            certifies_nothing(&stage, language, &what("start"));
            stage.press(&job("good").title);
            stage.backstage.tell(News::Planned(Ok(Box::new(seen(&plan)))));
            stage.look();
            certifies_nothing(&stage, language, &what("meter"));
            stage.press(of(language, "下一步", "Next"));
            assert_eq!(stage.place(), Place::Connect, "nobody is asked to look at the outside");
            certifies_nothing(&stage, language, &what("connect"));
            stage.press(of(language, "返回", "Back"));
            assert_eq!(stage.place(), Place::Meter);
            stage.press(of(language, "下一步", "Next"));
            stage.ordered();
            stage.press(of(language, "检查接线", "Check the wiring"));
            let ordered = stage.ordered();
            assert!(matches!(&ordered[..], [Order::Connect(draft)] if draft.pre_check), "{ordered:?}");
            stage.backstage.tell(News::Connected(Connection::Good));
            stage.look();
            certifies_nothing(&stage, language, &what("connected"));
            stage.press(of(language, "下一步", "Next"));
            stage.backstage.tell(News::Planned(Ok(Box::new(seen(&plan)))));
            stage.look();
            certifies_nothing(&stage, language, &what("plan"));
            assert!(stage.said(of(language, "可在 3:00 内完成", "Fits into 3:00")), "{}", what("plan"));
            stage.ordered();
            stage.press(of(language, "开始预检", "Begin pre-check"));
            let ordered = stage.ordered();
            assert!(matches!(&ordered[..], [Order::Verify(draft)] if draft.pre_check), "{ordered:?}");
            for snapshot in &run {
                stage.backstage.show(Some(live(snapshot.clone())));
                stage.look();
                certifies_nothing(&stage, language, &what(&format!("run, {:?}", snapshot.step)));
            }
            for (beyond, undecided, word) in [
                (0, 0, of(language, "未见异常", "nothing found")),
                (2, 1, of(language, "2 项超差，1 项未判定", "2 beyond the limit, 1 not decided")),
            ] {
                let end = End::Checked { beyond, undecided, left_out: plan.left_out() };
                let mut told =
                    Ended { end, qr: None, document: None, is_paper: false, ..ended(Verdict::Fail) };
                told.number = "SIM-R-2026-000001".into();
                stage.backstage.tell(News::Ended(Box::new(told)));
                stage.look();
                certifies_nothing(&stage, language, &what(word));
                assert!(stage.has(word), "{}", what(word));
                let heard = stage.ordered();
                let verdict = |order: &Order| matches!(order, Order::Play(Sound::Pass | Sound::Fail));
                assert!(!heard.iter().any(verdict), "{heard:?}");
            }
            stage.press(of(language, "下一块表", "Next meter"));
            certifies_nothing(&stage, language, &what("next meter"));
            // Pressed again, it is over, and the next one is a verification.
            stage.press(of(language, "预检", "Pre-check"));
            assert!(!stage.has(of(language, "不是检定证书", "not a certificate")));
            stage.ordered();
            stage.press(of(language, "录入新表", "New meter"));
            stage.press(of(language, "返回", "Back"));
            let ordered = stage.ordered();
            assert!(
                ordered.iter().all(|order| !matches!(order, Order::Plan(draft) if draft.pre_check)),
                "{ordered:?}"
            );
        }
    }
}
