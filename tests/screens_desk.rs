//! The lab's desk and the operator's visit, from prepared values: pressed through by label, measured in both languages and on
//! all of our screens. What is asked is seen at the port; what the program behind it does is in `src/cli/screen/desk.rs`.

mod support {
    pub mod simulated;
    pub mod stage;
}

use phantomload::certificate::issue::{Role, Status};
use phantomload::history::{Board, Card, Colour, Meter};
use phantomload::history::{History, Visit, board::Why};
use phantomload::regulation::{Profile, Provenance, house};
use phantomload::screen::desk::port::{
    Act, Ask, Form, Line, PaperSeen, PersonSeen, PointSeen, ProfileSeen, Row, Sheet, Standing, Told, Wanted,
};
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::{Connection, End, Ended, Sound, State};
use phantomload::screen::{Language, Place};
use phantomload::verdict::Verdict;
use support::stage::{SIZES, Stage, ended, job, live, options, pre_check, seen, snapshots};

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
    stage.press(of(language, "实验室", "Lab"));
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

/// Types a text and takes it.
fn type_in(stage: &mut Stage, language: Language, text: &str) {
    stage.harness.event(eframe::egui::Event::Text(text.into()));
    stage.look();
    stage.press(of(language, "完成", "Done"));
}

fn person(name: &str, roles: &[Role], standing: Standing) -> PersonSeen {
    PersonSeen { name: name.into(), roles: roles.to_vec(), standing }
}

#[test]
fn somebody_is_added_with_a_pin_typed_twice_and_an_approver_answers_for_it() {
    let persons = vec![
        person("李批准", &[Role::Approver], Standing::Active),
        person("王小明", &[Role::Verifier, Role::Checker], Standing::Locked),
        person("Nobody Now", &[Role::Approver], Standing::Disabled),
    ];
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "人员", "Persons"));
            assert_eq!(asked(&mut stage), [Ask::Persons]);
            readable(&stage, &what("reading"));
            tell(&mut stage, Told::Persons(Ok(persons.clone())));
            readable(&stage, &what("persons"));
            stage.press(of(language, "添加人员", "Add person"));
            type_in(&mut stage, language, "Zhao He");
            readable(&stage, &what("roles"));
            // Without a role nothing goes on.
            stage.press(of(language, "设置 PIN", "Choose PIN"));
            assert!(!stage.has(of(language, "完成", "Done")));
            for role in [of(language, "批准人", "approver"), of(language, "检定员", "verifier")] {
                stage.press(role);
            }
            stage.press(of(language, "批准人", "approver"));
            stage.press(of(language, "设置 PIN", "Choose PIN"));
            type_in(&mut stage, language, "123456");
            type_in(&mut stage, language, "123457");
            assert!(stage.said(of(language, "两次输入不一致", "The two PINs were not the same")));
            readable(&stage, &what("differ"));
            stage.press(of(language, "设置 PIN", "Choose PIN"));
            stage.harness.event(eframe::egui::Event::Text("123456".into()));
            stage.look();
            assert!(!stage.said("123456"), "the PIN is shown");
            stage.press(of(language, "完成", "Done"));
            type_in(&mut stage, language, "123456");
            assert_eq!(asked(&mut stage), [Ask::Persons]);
            tell(&mut stage, Told::Persons(Ok(persons.clone())));
            readable(&stage, &what("who"));
            assert!(!stage.has("Nobody Now") && !stage.has("王小明"), "only an approver who may sign");
            stage.press("李批准");
            type_in(&mut stage, language, "999999");
            let asks = asked(&mut stage);
            let [Ask::Do { number, act: Act::AddPerson { name, roles, pin }, by: Some(by) }] = &asks[..]
            else {
                panic!("{asks:?}")
            };
            assert_eq!((number.as_str(), name.as_str(), pin.0.as_str()), ("", "Zhao He", "123456"));
            assert_eq!((roles.as_slice(), by.person.as_str()), ([Role::Verifier].as_slice(), "李批准"));
            assert!(!format!("{asks:?}").contains("123456") && !format!("{asks:?}").contains("999999"));
            tell(&mut stage, Told::Done(Ok("Zhao He: may sign, entry 9 of the chain".into())));
            readable(&stage, &what("added"));
            stage.press(of(language, "返回", "Back"));
            assert_eq!(asked(&mut stage), [Ask::Persons], "the list is read again");
            tell(&mut stage, Told::Persons(Ok(persons.clone())));
            // A locked person gets a new PIN.
            stage.press("王小明");
            readable(&stage, &what("person"));
            stage.press(of(language, "更换 PIN", "New PIN"));
            type_in(&mut stage, language, "654321");
            type_in(&mut stage, language, "654321");
            tell(&mut stage, Told::Persons(Ok(persons.clone())));
            stage.press("李批准");
            type_in(&mut stage, language, "999999");
            let asks = asked(&mut stage);
            assert!(
                matches!(asks.last(), Some(Ask::Do { act: Act::NewPin { name, .. }, .. }) if name == "王小明"),
                "{asks:?}"
            );
        }
    }
}

#[test]
fn the_first_approver_has_nobody_to_ask() {
    for language in LANGUAGES {
        let mut stage = desk(SIZES[0], language);
        stage.press(of(language, "人员", "Persons"));
        tell(&mut stage, Told::Persons(Ok(vec![])));
        readable(&stage, "nobody");
        stage.press(of(language, "添加人员", "Add person"));
        type_in(&mut stage, language, "Li");
        stage.press(of(language, "批准人", "approver"));
        stage.press(of(language, "设置 PIN", "Choose PIN"));
        type_in(&mut stage, language, "111111");
        asked(&mut stage);
        type_in(&mut stage, language, "111111");
        let asks = asked(&mut stage);
        assert!(matches!(&asks[..], [Ask::Persons, Ask::Do { by: None, .. }]), "{asks:?}");
    }
}

#[test]
fn a_standards_certificate_is_taken_from_a_stick_or_refused_in_words() {
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "计量标准", "Standards"));
            tell(&mut stage, Told::Sheet(Sheet::Standards, Ok(vec![])));
            asked(&mut stage);
            stage.press(of(language, "导入证书", "Import"));
            assert_eq!(asked(&mut stage), [Ask::Files, Ask::Persons]);
            readable(&stage, &what("looking"));
            tell(&mut stage, Told::Persons(Ok(vec![])));
            readable(&stage, &what("still looking"));
            tell(&mut stage, Told::Files(vec![]));
            readable(&stage, &what("no file"));
            let file =
                |n: usize| (format!("reference-{n}.toml"), format!("/media/STICK/reference-{n}.toml").into());
            tell(&mut stage, Told::Files((0..40).map(file).collect()));
            readable(&stage, &what("files"));
            stage.press("reference-1.toml");
            let asks = asked(&mut stage);
            // Without an approver nobody is asked.
            assert!(
                matches!(&asks[..], [Ask::Persons, Ask::Do { act: Act::Import { path }, by: None, .. }]
                    if path.ends_with("reference-1.toml")),
                "{asks:?}"
            );
            readable(&stage, &what("working"));
            let why = "/media/STICK/reference-1.toml: line 3: it is no certificate of a standard";
            tell(&mut stage, Told::Done(Err(why.into())));
            assert!(stage.said("it is no certificate"));
            readable(&stage, &what("refused"));
            stage.press(of(language, "返回", "Back"));
            assert_eq!(asked(&mut stage), [Ask::Sheet(Sheet::Standards)], "the list is read again");
            // With one, he answers for it.
            stage.press(of(language, "导入证书", "Import"));
            let approver = person("李批准", &[Role::Approver], Standing::Active);
            tell(&mut stage, Told::Persons(Ok(vec![approver.clone()])));
            tell(&mut stage, Told::Files((0..40).map(file).collect()));
            asked(&mut stage);
            stage.press("reference-1.toml");
            tell(&mut stage, Told::Persons(Ok(vec![approver])));
            readable(&stage, &what("who"));
            stage.press("李批准");
            type_in(&mut stage, language, "305612");
            let asks = asked(&mut stage);
            assert!(
                matches!(&asks[..], [Ask::Persons, Ask::Do { act: Act::Import { .. }, by: Some(by), .. }]
                    if by.person == "李批准" && by.pin == "305612"),
                "{asks:?}"
            );
            tell(&mut stage, Told::Done(Ok("stored, entry 12 of the chain".into())));
            readable(&stage, &what("taken in"));
        }
    }
}

fn profiles() -> Vec<ProfileSeen> {
    let seen = |id: &str| {
        let figures = house::entries(id, Profile::builtin_text(id).unwrap()).unwrap();
        ProfileSeen {
            id: id.into(),
            head: format!("{} ({id})", Profile::builtin(id).unwrap().document),
            about: vec![Profile::builtin(id).unwrap().scope],
            file: None,
            unconfirmed: figures.iter().filter(|f| f.provenance == Provenance::Unconfirmed).count(),
            figures,
            approved: None,
            next: Some(Role::Verifier),
            wants_validity: true,
        }
    };
    let broken = ProfileSeen { head: "own".into(), figures: vec![], ..seen("dc-meter") };
    ["dc-meter", "jjg596-2026"]
        .map(seen)
        .into_iter()
        .chain([ProfileSeen { id: "own".into(), about: vec!["own: line 3".into()], ..broken }])
        .collect()
}

#[test]
fn a_figure_is_changed_with_its_clause_into_a_profile_of_the_house_and_answered_for() {
    let profiles = profiles();
    for size in SIZES {
        for language in LANGUAGES {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let mut stage = desk(size, language);
            stage.press(of(language, "检定规程", "Regulations"));
            assert_eq!(asked(&mut stage), [Ask::Profiles]);
            tell(&mut stage, Told::Profiles(profiles.clone()));
            readable(&stage, &what("profiles"));
            stage.press(&profiles[0].head);
            readable(&stage, &what("figures"));
            stage.press(of(language, "仅未确认", "Unconfirmed only"));
            readable(&stage, &what("unconfirmed"));
            let figure = &profiles[0].figures[0];
            let (key, value) = &figure.values[0];
            let values: Vec<String> = figure
                .values
                .iter()
                .map(|(key, value)| if key == "value" { value.clone() } else { format!("{key} = {value}") })
                .collect();
            stage.press(&format!("{}: {}", figure.place, values.join(", ")));
            readable(&stage, &what("figure"));
            stage.press(&format!("{key} = {value}"));
            type_in(&mut stage, language, "5");
            type_in(&mut stage, language, ", Table 1");
            type_in(&mut stage, language, "-2");
            let asks = asked(&mut stage);
            let [Ask::Change { profile, id, change }] = &asks[..] else { panic!("{asks:?}") };
            assert_eq!((profile.as_str(), id.as_str()), ("dc-meter", "dc-meter-house-2"));
            assert_eq!((&change.path, &change.key), (&figure.path, key));
            assert_eq!(
                (change.to.as_str(), change.clause.as_str()),
                (format!("{value}5").as_str(), format!("{}, Table 1", figure.clause).as_str())
            );
            readable(&stage, &what("saving"));
            tell(&mut stage, Told::Done(Err("dc-meter: class: `x`; allowed is a number".into())));
            readable(&stage, &what("refused"));
            for _ in 0..1 {
                stage.press(of(language, "返回", "Back"));
            }
            stage.press(of(language, "签字: 检定员", "Sign: verifier"));
            type_in(&mut stage, language, "6");
            assert_eq!(asked(&mut stage), [Ask::Persons]);
            tell(&mut stage, Told::Persons(Ok(vec![person("Wang", &[Role::Verifier], Standing::Active)])));
            stage.press("Wang");
            type_in(&mut stage, language, "123456");
            let asks = asked(&mut stage);
            let [Ask::Do { act, .. }] = &asks[..] else { panic!("{asks:?}") };
            let (profile, role) = ("dc-meter".to_owned(), Role::Verifier);
            assert_eq!(*act, Act::Approve { profile, role, validity_years: Some(6) });
        }
    }
}

#[test]
fn any_two_papers_of_the_register_are_held_against_one_another() {
    let one = history(4);
    let comparison = one.last_two.clone().unwrap();
    for size in SIZES {
        for language in LANGUAGES {
            let mut stage = desk(size, language);
            stage.press(of(language, "证书登记", "Register"));
            tell(&mut stage, Told::Found(Ok(3)));
            tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 3) });
            stage.press("PL-2026-099999");
            tell(&mut stage, Told::Paper(Ok(Box::new(paper(Status::Issued)))));
            asked(&mut stage);
            stage.reach(of(language, "与另一证书比较", "Compare with another paper"));
            assert_eq!(asked(&mut stage), [Ask::Register(Wanted::default())]);
            tell(&mut stage, Told::Found(Ok(3)));
            tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 3) });
            readable(&stage, "picking");
            asked(&mut stage);
            stage.press("PL-2026-099998");
            let pair = ("PL-2026-000042".to_owned(), "PL-2026-099998".to_owned());
            assert_eq!(asked(&mut stage), [Ask::Compare(pair.0, pair.1)]);
            readable(&stage, "waiting");
            tell(&mut stage, Told::Compared(Ok(Box::new(comparison.clone()))));
            assert!(stage.said("E_n"));
            readable(&stage, "compared");
            tell(&mut stage, Told::Compared(Err("one of them is simulated, the other is not".into())));
            readable(&stage, "not compared");
            for _ in 0..2 {
                stage.press(of(language, "返回", "Back"));
            }
            tell(&mut stage, Told::Paper(Ok(Box::new(paper(Status::Issued)))));
            asked(&mut stage);
            // The paper itself again, and what was done to it.
            stage.reach(of(language, "全部操作记录", "All that was done to it"));
            let of_it = Sheet::Trail("PL-2026-000042".into());
            assert_eq!(asked(&mut stage), [Ask::Sheet(of_it)]);
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
