//! What is done at the desk: papers signed, withdrawn and compared, those who sign, certificates of the standards, regulation
//! profiles; from prepared values, in both languages and on all of our screens.

mod support {
    pub mod desk;
    pub mod simulated;
    pub mod stage;
}

use phantomload::certificate::issue::{Role, Status};
use phantomload::regulation::{Profile, Provenance, house};
use phantomload::screen::Language;
use phantomload::screen::desk::port::{Act, Ask, ProfileSeen, Sheet, Standing, Told, Wanted};
use support::desk::{
    LANGUAGES, asked, desk, history, of, person, readable, rows, tell, tell_done, tell_paper, ticket, type_in,
};
use support::stage::{SIZES, Stage};

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
                tell_paper(&mut stage, "PL-2026-099999", status);
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
            let [Ask::Do { number, act: Act::Sign(Role::Verifier), by: Some(by), .. }] = &asks[..] else {
                panic!("{asks:?}")
            };
            assert_eq!(
                (number.as_str(), by.person.as_str(), by.pin.as_str()),
                ("PL-2026-099999", "王小明", "123456")
            );
            assert!(!format!("{asks:?}").contains("123456"), "the PIN is in {asks:?}");
            readable(&stage, &what("working"));
            tell_done(&mut stage, &asks, Ok("PL-2026-099999: signed"));
            readable(&stage, &what("signed"));
            // Back at the paper, it is read again.
            stage.press(of(language, "返回", "Back"));
            assert_eq!(asked(&mut stage), [Ask::Paper("PL-2026-099999".into())]);
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
        tell_paper(&mut stage, "PL-2026-100000", Status::Issued);
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
        tell_done(&mut stage, &asks, Err("wrong PIN: 4 tries are left"));
        readable(&stage, "refused");
    }
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
            let [Ask::Do { number, act: Act::AddPerson { name, roles, pin }, by: Some(by), .. }] = &asks[..]
            else {
                panic!("{asks:?}")
            };
            assert_eq!((number.as_str(), name.as_str(), pin.0.as_str()), ("", "Zhao He", "123456"));
            assert_eq!((roles.as_slice(), by.person.as_str()), ([Role::Verifier].as_slice(), "李批准"));
            assert!(!format!("{asks:?}").contains("123456") && !format!("{asks:?}").contains("999999"));
            tell_done(&mut stage, &asks, Ok("Zhao He: may sign, entry 9 of the chain"));
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
            tell_done(&mut stage, &asks, Err(why));
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
            tell_done(&mut stage, &asks, Ok("stored, entry 12 of the chain"));
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
            let [Ask::Change { profile, id, change, .. }] = &asks[..] else { panic!("{asks:?}") };
            assert_eq!((profile.as_str(), id.as_str()), ("dc-meter", "dc-meter-house-2"));
            assert_eq!((&change.path, &change.key), (&figure.path, key));
            assert_eq!(
                (change.to.as_str(), change.clause.as_str()),
                (format!("{value}5").as_str(), format!("{}, Table 1", figure.clause).as_str())
            );
            readable(&stage, &what("saving"));
            tell_done(&mut stage, &asks, Err("dc-meter: class: `x`; allowed is a number"));
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
            tell_paper(&mut stage, "PL-2026-099999", Status::Issued);
            asked(&mut stage);
            stage.reach(of(language, "与另一证书比较", "Compare with another paper"));
            assert_eq!(asked(&mut stage), [Ask::Register(Wanted::default())]);
            tell(&mut stage, Told::Found(Ok(3)));
            tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 3) });
            readable(&stage, "picking");
            asked(&mut stage);
            stage.press("PL-2026-099998");
            let pair = ("PL-2026-099999".to_owned(), "PL-2026-099998".to_owned());
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
            tell_paper(&mut stage, "PL-2026-099999", Status::Issued);
            asked(&mut stage);
            // The paper itself again, and what was done to it.
            stage.reach(of(language, "全部操作记录", "All that was done to it"));
            let of_it = Sheet::Trail("PL-2026-099999".into());
            assert_eq!(asked(&mut stage), [Ask::Sheet(of_it)]);
        }
    }
}

/// The desk with the register of three papers on it.
fn register(language: Language) -> Stage {
    let mut stage = desk(SIZES[0], language);
    stage.press(of(language, "证书登记", "Register"));
    tell(&mut stage, Told::Found(Ok(3)));
    tell(&mut stage, Told::Rows { from: 0, rows: rows(0, 3) });
    asked(&mut stage);
    stage
}

#[test]
fn a_paper_that_comes_late_is_never_signed_for_the_one_that_was_opened_after_it() {
    for language in LANGUAGES {
        let mut stage = register(language);
        stage.press("PL-2026-099999");
        stage.press(of(language, "返回", "Back"));
        stage.press("PL-2026-099998");
        assert_eq!(
            asked(&mut stage),
            [Ask::Paper("PL-2026-099999".into()), Ask::Paper("PL-2026-099998".into())]
        );
        tell_paper(&mut stage, "PL-2026-099999", Status::Draft);
        assert!(!stage.said("PL-2026-099999"), "the late one is shown");
        tell(&mut stage, Told::Paper("PL-2026-099999".into(), Err("late".into())));
        assert!(!stage.said("late"));
        tell_paper(&mut stage, "PL-2026-099998", Status::Draft);
        tell_paper(&mut stage, "PL-2026-099999", Status::Draft);
        stage.press(of(language, "签字: 检定员", "Sign: verifier"));
        assert!(stage.said("PL-2026-099998"), "what is signed stands there");
        // Nor while somebody chooses who signs.
        tell_paper(&mut stage, "PL-2026-099999", Status::Draft);
        readable(&stage, "who");
        stage.press("王小明");
        assert!(stage.said("PL-2026-099998"), "and where the PIN is typed");
        readable(&stage, "PIN");
        type_in(&mut stage, language, "123456");
        let asks = asked(&mut stage);
        assert!(matches!(&asks[..], [Ask::Do { number, .. }] if number == "PL-2026-099998"), "{asks:?}");
    }
}

#[test]
fn one_paper_over_another_is_left_for_that_other_one() {
    let mut stage = register(Language::English);
    stage.press("PL-2026-099999");
    tell_paper(&mut stage, "PL-2026-099999", Status::Issued);
    stage.press("History");
    tell(&mut stage, Told::History(Ok(vec![history(2)])));
    stage.press("SIM-2023-000001");
    tell_paper(&mut stage, "SIM-2023-000001", Status::Issued);
    asked(&mut stage);
    for _ in 0..2 {
        stage.press("Back");
    }
    assert_eq!(asked(&mut stage), [Ask::Paper("PL-2026-099999".into())]);
    tell_paper(&mut stage, "PL-2026-099999", Status::Issued);
    stage.press("Withdraw");
    type_in(&mut stage, Language::English, "no");
    stage.press("李批准");
    type_in(&mut stage, Language::English, "1");
    let asks = asked(&mut stage);
    assert!(matches!(&asks[..], [Ask::Do { number, .. }] if number == "PL-2026-099999"), "{asks:?}");
}

#[test]
fn what_came_of_one_thing_is_not_shown_as_another_and_is_waited_for() {
    for language in LANGUAGES {
        let back = of(language, "返回", "Back");
        let mut stage = register(language);
        stage.press("PL-2026-099999");
        tell_paper(&mut stage, "PL-2026-099999", Status::Draft);
        let sign = |stage: &mut Stage| {
            stage.press(of(language, "签字: 检定员", "Sign: verifier"));
            stage.press("王小明");
            type_in(stage, language, "123456");
            asked(stage)
        };
        let first = sign(&mut stage);
        assert!(!stage.has(back), "nobody leaves before it is told what came of it");
        tell_done(&mut stage, &first, Err("wrong PIN: 4 tries are left"));
        assert!(stage.said("wrong PIN") && stage.has(back));
        stage.press(back);
        tell_paper(&mut stage, "PL-2026-099999", Status::Draft);
        let second = sign(&mut stage);
        assert_ne!(ticket(&first), ticket(&second));
        tell_done(&mut stage, &first, Ok("told once more"));
        assert!(!stage.said("told once more") && !stage.has(back), "it is the other one");
        tell_done(&mut stage, &second, Ok("signed"));
        assert!(stage.said("signed") && stage.has(back));
        // Nothing is waited for: what comes now was asked by nobody.
        stage.press(back);
        stage.press(back);
        stage.press(of(language, "导出 CSV", "Export CSV"));
        tell(&mut stage, Told::Places(vec![("STICK".into(), "/media/STICK".into())]));
        tell_done(&mut stage, &second, Ok("signed"));
        assert!(stage.has("STICK  (/media/STICK)"));
    }
}
