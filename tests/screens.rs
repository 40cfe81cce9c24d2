//! Each page of the screen from prepared values: found by its label, pressed, and measured: nothing is cut off, nothing lies
//! over anything else, in both languages and on all of our screens.

mod support {
    pub mod simulated;
    pub mod stage;
    pub mod way;
}

use eframe::egui::{Key, Modifiers, PointerButton, Pos2, pos2};
use phantomload::run::{Command, SourceState, Stage as StepStage};
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::{Connection, End, Ended, Waiting};
use phantomload::screen::{Language, Place};
use phantomload::time::Span;
use phantomload::verdict::Verdict;
use support::stage::{SIZES, Stage, ended, job, live, options, plan, snapshots};
use support::way::{WAYS, left, opened, readable, running, waiting};

#[test]
fn the_inspectors_whole_way_is_pressed_through_in_both_languages_on_all_screens() {
    let run = snapshots("good", None);
    for size in SIZES {
        for way in &WAYS {
            let what = |page: &str| format!("{page}, {size:?}, {:?}", way.language);
            let mut stage = opened(size, way.language);
            readable(&stage, &what("start"));
            let good = job("good");
            stage.press(&good.title);
            assert_eq!(stage.place(), Place::Meter);
            let ordered = stage.ordered();
            assert!(matches!(ordered.as_slice(), [Order::Plan(_)]), "{ordered:?}");
            stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
            stage.look();
            readable(&stage, &what("meter"));
            stage.press(way.next);
            assert_eq!(stage.place(), Place::Look);
            readable(&stage, &what("look"));
            stage.press(way.all_good);
            readable(&stage, &what("looked"));
            stage.press(way.next);
            assert_eq!(stage.place(), Place::Connect);
            readable(&stage, &what("connect"));
            stage.ordered();
            stage.press(way.check);
            let ordered = stage.ordered();
            let [Order::Connect(draft)] = ordered.as_slice() else { panic!("{ordered:?}") };
            let entries = draft.entries();
            assert!(
                entries.appearance.is_some_and(|look| look.ok)
                    && entries.function.is_some_and(|look| look.ok)
            );
            readable(&stage, &what("connecting"));
            stage.backstage.tell(News::Connected(Connection::Good));
            stage.look();
            readable(&stage, &what("connected"));
            stage.press(way.next);
            assert_eq!(stage.place(), Place::Plan);
            stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
            stage.look();
            readable(&stage, &what("plan"));
            stage.ordered();
            stage.press(way.begin);
            assert_eq!(stage.place(), Place::Run);
            let ordered = stage.ordered();
            assert!(matches!(ordered.as_slice(), [Order::Verify(_)]), "{ordered:?}");
            readable(&stage, &what("opening"));
            for snapshot in &run {
                let over = snapshot.outcome.is_some();
                stage.backstage.show(Some(live(snapshot.clone())));
                stage.look();
                assert_eq!(stage.has(way.stop), !over, "{}", what("STOP is there as long as the run"));
                readable(&stage, &what(&format!("run, {:?} {}", snapshot.step, snapshot.doing)));
            }
            stage.backstage.tell(News::Ended(Box::new(ended(Verdict::Pass))));
            stage.look();
            assert_eq!(stage.place(), Place::Result);
            assert!(stage.has(way.pass));
            readable(&stage, &what("result"));
            stage.press(way.next_meter);
            assert_eq!(stage.place(), Place::Start);
        }
    }
}

#[test]
fn every_end_is_said_in_its_own_word_and_stays_until_dismissed() {
    let ends = [
        (End::Decided(Verdict::Pass), "合格", "PASS"),
        (End::Decided(Verdict::Fail), "不合格", "FAIL"),
        (End::Decided(Verdict::Undecided), "未判定", "UNDECIDED"),
        (End::Aborted("stopped by the operator (STOP on the screen)".into()), "已停止", "STOPPED"),
        (End::Faulted("reference: no sample for 10.0 s".into()), "装置故障", "BENCH FAULT"),
        (End::Failed("the data folder is full".into()), "未完成", "NOT DONE"),
    ];
    for size in SIZES {
        for (end, zh, en) in &ends {
            for (language, word) in [(Language::Chinese, zh), (Language::English, en)] {
                let mut stage = opened(size, language);
                let verdict = if let End::Decided(verdict) = end { *verdict } else { Verdict::Undecided };
                let told = Ended { end: end.clone(), ..ended(verdict) };
                stage.backstage.tell(News::Ended(Box::new(told)));
                stage.look();
                assert!(stage.has(word), "{word}");
                readable(&stage, &format!("{word} {size:?}"));
                for _ in 0..20 {
                    stage.look();
                }
                assert_eq!(stage.place(), Place::Result);
                assert!(stage.ordered().iter().any(|order| matches!(order, Order::Play(_))), "it is heard");
            }
        }
    }
}

#[test]
fn stop_works_by_finger_and_by_key_from_every_page_and_also_where_the_screen_is_locked() {
    let press = |stage: &mut Stage, pos: Pos2| {
        stage.harness.event(eframe::egui::Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed: true,
            modifiers: Modifiers::NONE,
        });
        // One frame, no release: STOP acts on the press.
        stage.harness.step();
    };
    let stop_at = pos2(700.0, 442.0);
    let mut stage = running(Language::English);
    assert_eq!(stage.backstage.command(), None);
    press(&mut stage, stop_at);
    let Some(Command::Stop { why }) = stage.backstage.command() else { panic!("no command") };
    assert_eq!(why, "stopped by the operator (STOP on the screen)");
    for key in [Key::Escape, Key::F12] {
        let mut stage = running(Language::Chinese);
        stage.harness.key_press(key);
        stage.look();
        assert!(matches!(stage.backstage.command(), Some(Command::Stop { .. })), "{key:?}");
    }
    // Two fingers at once: one of them is on STOP.
    let mut stage = running(Language::English);
    for pos in [pos2(30.0, 30.0), stop_at] {
        press(&mut stage, pos);
    }
    assert!(stage.backstage.command().is_some());
    let mut options = options(Language::English);
    options.lock_after = Some(Span::ZERO);
    let mut stage = Stage::new((800.0, 480.0), options);
    let middle =
        snapshots("good", Some(12)).into_iter().rfind(|seen| seen.source == SourceState::On).unwrap();
    stage.backstage.show(Some(live(middle)));
    stage.look();
    assert!(stage.has("Locked: type a PIN") || stage.has("Done"), "it is locked");
    readable(&stage, "locked in a run");
    press(&mut stage, stop_at);
    assert!(stage.backstage.command().is_some(), "STOP works where the screen is locked");
}

#[test]
fn the_locked_screen_asks_whether_anybody_can_open_it() {
    let mut options = options(Language::English);
    options.lock_after = Some(Span::ZERO);
    let mut stage = Stage::new((800.0, 480.0), options);
    assert!(stage.has("Done"), "it is locked");
    assert_eq!(stage.ordered().iter().filter(|order| **order == Order::Locked).count(), 1);
    stage.look();
    assert!(!stage.ordered().contains(&Order::Locked), "asked once");
    stage.backstage.tell(News::Unlocked(Ok(())));
    stage.look();
    assert!(stage.ordered().contains(&Order::Locked), "it has opened, and this one locks again at once");
}

#[test]
fn entries_of_a_file_are_of_the_first_meter_and_of_no_other() {
    let mut given = phantomload::plan::Entries::simulated();
    given.display_energy_kwh = Some("12.34".parse().unwrap());
    let later = phantomload::plan::Entries { operator: given.operator.clone(), ..Default::default() };
    let mut stage = Stage::new(
        (800.0, 480.0),
        phantomload::screen::Options { entries: given.clone(), later, ..options(Language::English) },
    );
    stage.ordered();
    let planned = |stage: &mut Stage, job: &phantomload::screen::draft::Job| {
        stage.backstage.tell(News::Jobs(vec![job.clone()]));
        stage.look();
        stage.press(&job.title);
        let drafts = stage.ordered().into_iter();
        drafts
            .filter_map(|order| if let Order::Plan(draft) = order { Some(draft) } else { None })
            .next_back()
            .unwrap()
    };
    let first = job("good");
    let other = phantomload::screen::draft::Job {
        text: first.text.replace("202611210001", "202611219999"),
        title: "another".into(),
        ..first.clone()
    };
    assert_ne!(other.text, first.text);
    let entries = planned(&mut stage, &first).entries();
    assert_eq!(
        (entries.withstand, entries.display_energy_kwh),
        (given.withstand.clone(), given.display_energy_kwh)
    );
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    for _ in 0..2 {
        stage.press("Next");
    }
    stage.press("Check the wiring");
    stage.backstage.tell(News::Connected(Connection::Good));
    stage.look();
    stage.press("Next");
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    stage.press("Begin");
    stage.backstage.tell(News::Ended(Box::new(ended(Verdict::Pass))));
    stage.look();
    stage.press("Next meter");
    stage.ordered();
    let entries = planned(&mut stage, &other).entries();
    assert_eq!((entries.appearance, entries.function, entries.withstand), (None, None, None));
    assert_eq!((entries.display_energy_kwh, entries.known_cover_openings), (None, None));
    assert_eq!(entries.operator, given.operator, "who stands there is still the same");
    // The first one once more, after a run that was spoiled.
    stage.press("Back");
    assert!(planned(&mut stage, &first).entries().withstand.is_some());
}

#[test]
fn seals_are_typed_where_the_last_paper_has_left_them() {
    for size in SIZES {
        for way in &WAYS {
            let mut stage = opened(size, way.language);
            stage.press(&job("good").title);
            let mut seen = plan();
            seen.seal_places = vec!["terminal cover".into(), "电能表上盖左侧封印螺钉处，第二道".into()];
            stage.backstage.tell(News::Planned(Ok(Box::new(seen))));
            stage.look();
            stage.press(way.next);
            readable(&stage, "places");
            let name = if way.language == Language::Chinese { "封印编号" } else { "Seal numbers" };
            stage.press(&format!("{name}: terminal cover"));
            stage.harness.event(eframe::egui::Event::Text("A-1".into()));
            stage.look();
            stage.press(if way.language == Language::Chinese { "完成" } else { "Done" });
            readable(&stage, "typed");
            stage.press(way.next);
            stage.press(way.check);
            let drafts = stage.ordered().into_iter();
            let mut drafts =
                drafts.filter_map(|order| if let Order::Connect(draft) = order { Some(draft) } else { None });
            let seals = drafts.next().unwrap().entries().seal;
            let seals: Vec<_> =
                seals.iter().map(|seal| (seal.place.as_str(), seal.number.as_str())).collect();
            assert_eq!(seals, [("terminal cover", "A-1")]);
        }
    }
}

#[test]
fn a_lost_contact_is_said_and_the_source_stays_in_its_corner() {
    let mut stage = running(Language::English);
    let mut seen =
        snapshots("good", Some(12)).into_iter().rfind(|seen| seen.source == SourceState::On).unwrap();
    seen.lost = Some((phantomload::run::Device::Reference, Span::from_millis(1400)));
    stage.backstage.show(Some(live(seen.clone())));
    stage.look();
    readable(&stage, "lost contact");
    assert!(stage.said("No contact with the reference for 1.4 s"));
    for (source, word) in [
        (SourceState::On, "LIVE"),
        (SourceState::Changing, "CHANGING"),
        (SourceState::GoingOff, "GOING OFF"),
        (SourceState::NotSafe, "NOT SAFE"),
        (SourceState::Off, "OFF"),
    ] {
        seen.source = source;
        stage.backstage.show(Some(live(seen.clone())));
        stage.look();
        assert!(stage.said(word), "{word}");
        readable(&stage, word);
    }
}

#[test]
fn the_language_and_the_light_change_in_the_middle_of_a_run() {
    let mut stage = running(Language::Chinese);
    assert!(stage.has("停止"));
    stage.press("EN");
    assert!(stage.has("STOP") && stage.place() == Place::Run);
    readable(&stage, "in English");
    for _ in 0..3 {
        stage.press("Light");
        readable(&stage, "in another light");
    }
    stage.harness.set_size(eframe::egui::Vec2::new(480.0, 853.0));
    stage.look();
    assert!(stage.has("STOP") && stage.place() == Place::Run, "turned upright in a run");
    readable(&stage, "turned");
}

#[test]
fn a_scanned_number_finds_its_meter_and_an_unknown_one_says_so() {
    let mut stage = opened((800.0, 480.0), Language::English);
    stage.harness.event(eframe::egui::Event::Text("202611210001".into()));
    stage.harness.key_press(Key::Enter);
    stage.look();
    assert!(stage.ordered().contains(&Order::Find("202611210001".into())));
    stage.backstage.tell(News::Found { number: "other".into(), job: None });
    stage.look();
    assert!(stage.said("Looking up 202611210001"), "an answer to another question is not taken");
    stage.backstage.tell(News::Found { number: "202611210001".into(), job: None });
    stage.look();
    assert!(stage.said("Nothing is known of 202611210001"));
    readable(&stage, "unknown number");
}

#[test]
fn a_run_that_was_interrupted_stands_before_everything_and_is_gone_on_with_or_closed() {
    let words = [
        (Language::Chinese, "上次检定被中断", "继续检定", "结束，不出结论", "再按一次：结束且不出结论"),
        (
            Language::English,
            "A verification was interrupted",
            "Go on",
            "Close without a verdict",
            "Press again: it ends without a verdict",
        ),
    ];
    for size in SIZES {
        for (language, interrupted, go_on, close, close_again) in words {
            let what = format!("{size:?}, {language:?}");
            let mut stage = opened(size, language);
            stage.backstage.tell(left(waiting(), &[]));
            stage.look();
            readable(&stage, &what);
            assert!(stage.said(interrupted), "{what}");
            assert!(!stage.has(&job("good").title), "nothing else is begun: {what}");
            stage.press(go_on);
            assert_eq!((stage.ordered(), stage.place()), (vec![Order::GoOn { serial: None }], Place::Run));
            readable(&stage, &what);

            let mut stage = opened(size, language);
            stage.backstage.tell(left(waiting(), &["what was set right"]));
            stage.look();
            stage.press(close);
            assert_eq!(stage.ordered(), [], "a slip of the finger closes nothing: {what}");
            readable(&stage, &what);
            stage.press(close_again);
            assert_eq!(stage.ordered(), [Order::CloseWaiting]);

            // A meter that cannot say who it is: somebody reads its number again.
            let mut stage = opened(size, language);
            stage.backstage.tell(left(Waiting { asks_serial: true, ..waiting() }, &[]));
            stage.look();
            stage.press(go_on);
            assert_eq!(stage.ordered(), []);
            stage.harness.event(eframe::egui::Event::Text("202611210001".into()));
            stage.look();
            readable(&stage, &what);
            stage.harness.key_press(Key::Enter);
            stage.look();
            stage.look();
            assert_eq!(stage.ordered(), [Order::GoOn { serial: Some("202611210001".into()) }], "{what}");

            // One that cannot be read can only be closed.
            let mut stage = opened(size, language);
            let unread = Waiting { at: String::new(), last: None, may_go_on: false, ..waiting() };
            stage.backstage.tell(left(unread, &[]));
            stage.look();
            readable(&stage, &what);
            stage.press(go_on);
            assert_eq!((stage.ordered(), stage.place()), (vec![], Place::Start), "{what}");
        }
    }
}

#[test]
fn nonsense_in_the_fields_is_said_at_once_and_leads_nowhere() {
    let mut stage = opened((800.0, 480.0), Language::English);
    stage.press("New meter");
    assert_eq!(stage.place(), Place::Meter);
    assert!(stage.said("Fill in what is framed in red"));
    readable(&stage, "an empty nameplate");
    stage.press("Next");
    assert_eq!(stage.place(), Place::Meter, "an empty nameplate leads nowhere");
    for (field, nonsense) in [
        ("Serial no.", "㛃㛃㛃"),
        ("Nominal voltage", "-7e999"),
        ("Constant", "nan"),
        ("Class", "'; DROP TABLE"),
        ("Type", &"x".repeat(5000)),
        ("Imax", "\u{202e}12"),
    ] {
        stage.reach(field);
        assert!(stage.has("Done"), "{field} is typed into");
        stage.harness.event(eframe::egui::Event::Text(nonsense.into()));
        stage.look();
        readable(&stage, field);
        stage.press("Done");
        readable(&stage, field);
    }
    stage.press("Next");
    assert_eq!(stage.place(), Place::Meter);
}

#[test]
fn what_was_not_looked_at_is_not_entered_and_what_is_wrong_is_said() {
    let mut stage = opened((800.0, 480.0), Language::English);
    stage.press(&job("good").title);
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    stage.press("Next");
    stage.press("Housing: in order");
    stage.press("Seals: not in order");
    stage.press("Next");
    stage.press("Check the wiring");
    let drafts: Vec<_> = stage
        .ordered()
        .into_iter()
        .filter_map(|order| if let Order::Connect(draft) = order { Some(draft) } else { None })
        .collect();
    let entries = drafts[0].entries();
    assert_eq!(entries.function, None, "what was not looked at is not entered");
    let appearance = entries.appearance.expect("a seal that is not in order is enough");
    assert!(!appearance.ok && appearance.remark.starts_with("seals"), "{appearance:?}");
}

#[test]
fn a_wrong_wiring_keeps_the_way_shut_and_is_said_in_words() {
    for way in &WAYS {
        let mut stage = opened((800.0, 480.0), way.language);
        stage.press(&job("good").title);
        stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
        stage.look();
        stage.press(way.next);
        stage.press(way.next);
        stage.press(way.check);
        let why = "connection: the current leads are reversed: swap them (150.00 V, -5.00 A and -750.0 W were measured where 150 V, 5 A are set)";
        stage.backstage.tell(News::Connected(Connection::Wrong(why.into())));
        stage.look();
        readable(&stage, "wrong wiring");
        stage.press(way.next);
        assert_eq!(stage.place(), Place::Connect);
        let words = if way.language == Language::Chinese {
            "电流引线接反"
        } else {
            "the current leads are reversed"
        };
        assert!(stage.said(words));
    }
}

#[test]
fn a_hundred_looks_at_a_run_leave_every_step_in_its_state() {
    let all = snapshots("bad-at-imin", None);
    let last = all.last().unwrap();
    assert!(last.steps.iter().all(|step| step.stage == StepStage::Done), "{:#?}", last.steps);
    assert_eq!(last.verdict, Some(Verdict::Fail));
    let stopped = snapshots("good", Some(8));
    let last = stopped.last().unwrap();
    assert!(last.steps.iter().any(|step| step.stage == StepStage::NotReached));
    assert!(last.steps.iter().any(|step| step.stage == StepStage::Done));
    assert_eq!((last.verdict, last.safe_to_disconnect), (None, true));
    let errors = all.iter().rev().find(|seen| seen.outcome.is_none()).unwrap();
    assert!(errors.errors.iter().filter(|error| error.mean.is_some()).count() > 3, "the curve has grown");
}
