//! What the screen says of the source, and STOP where no run is shown yet: in both languages and on all of our screens.

mod support {
    pub mod simulated;
    pub mod stage;
    pub mod way;
}

use eframe::egui::Key;
use egui_kittest::kittest::Queryable;
use phantomload::run::Command;
use phantomload::screen::port::News;
use phantomload::screen::values::{Connection, End, Ended, Leads};
use phantomload::screen::{Language, Place};
use phantomload::verdict::Verdict;
use support::stage::Stage;
use support::stage::{SIZES, ended, job, plan};
use support::way::{WAYS, before_the_wiring, left, opened, readable, running, waiting};

#[test]
fn stop_is_there_and_is_kept_while_the_bench_is_being_opened() {
    for way in &WAYS {
        for key in [Some(Key::Escape), Some(Key::F12), None] {
            let mut stage = before_the_wiring(way);
            let stop = |stage: &mut Stage, what: &str| {
                assert!(stage.has(way.stop), "{what}: STOP is not there");
                readable(stage, what);
                match key {
                    Some(key) => stage.harness.key_press(key),
                    None => stage.harness.get_by_label(way.stop).click(),
                }
                stage.look();
                assert!(matches!(stage.backstage.command(), Some(Command::Stop { .. })), "{what}: {key:?}");
                readable(stage, what);
            };
            stage.press(way.check);
            stop(&mut stage, "opening for the wiring");
            let told = Connection::Stopped("stopped by the operator (STOP key)".into());
            stage.backstage.tell(News::Connected(told));
            stage.look();
            assert!(!stage.has(way.stop));
            stage.press(if way.language == Language::Chinese { "重新检查" } else { "Check again" });
            assert_eq!(stage.backstage.command(), None, "the next order is not stopped by it");
            stage.backstage.tell(News::Connected(Connection::Good));
            stage.look();
            stage.press(way.next);
            stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
            stage.look();
            stage.press(way.begin);
            assert_eq!(stage.place(), Place::Run);
            stop(&mut stage, "opening for the run");
            stage.backstage.tell(News::Ended(Box::new(ended(Verdict::Pass))));
            stage.look();
            assert_eq!(stage.place(), Place::Result);
            assert!(!stage.has(way.stop));
        }
    }
}

#[test]
fn a_run_whose_picture_never_got_its_outcome_ends_on_the_page_of_the_result() {
    let why = "no space left on the disk. The record was kept in /tmp/phantomload-1";
    for (leads, corner, foot) in [
        (Leads::Safe, "OFF", "Safe to disconnect"),
        (Leads::NotSafe, "NOT SAFE", "Do NOT disconnect: mains off"),
        (Leads::Unknown, "UNKNOWN", "Not measured: test for voltage first"),
    ] {
        let mut stage = running(Language::English);
        let end = End::Failed(why.into());
        let told = Ended { end, leads, lines: vec![], qr: None, ..ended(Verdict::Pass) };
        stage.backstage.tell(News::Ended(Box::new(told)));
        for _ in 0..5 {
            stage.look();
        }
        assert_eq!(stage.place(), Place::Result, "{leads:?}");
        assert!(stage.said("The record was kept in"), "{leads:?}");
        assert!(stage.said(corner) && stage.said(foot) && !stage.said("LIVE"), "{leads:?}");
        assert_eq!(stage.said("Safe to disconnect"), leads == Leads::Safe);
        readable(&stage, foot);
        // What is known of the source does not change by going on.
        stage.press("Next meter");
        assert!(stage.said(corner), "{leads:?}");
    }
}

#[test]
fn off_is_said_of_the_source_only_where_it_was_seen() {
    for size in SIZES {
        for (language, unknown, measure, off, not_safe, check, check_again) in [
            (Language::Chinese, "状态不明", "请先验电", "电源已断", "未确认断电", "检查接线", "重新检查"),
            (
                Language::English,
                "UNKNOWN",
                "measure first",
                "OFF",
                "NOT SAFE",
                "Check the wiring",
                "Check again",
            ),
        ] {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            // A run that a crash has left: its source may still be on.
            let mut stage = opened(size, language);
            assert!(stage.said(off), "{}", what("nothing was begun"));
            stage.backstage.tell(left(waiting(), &[]));
            stage.look();
            assert!(
                stage.said(unknown) && stage.said(measure) && !stage.said(off),
                "{}",
                what("interrupted")
            );
            readable(&stage, &what("interrupted"));
            // Closed without a record it is as little known.
            let told =
                Ended { end: End::Failed("closed".into()), leads: Leads::Unknown, ..ended(Verdict::Pass) };
            stage.backstage.tell(News::Ended(Box::new(told)));
            stage.look();
            readable(&stage, &what("closed"));
            assert!(stage.said(unknown), "{}", what("closed"));
            stage.press(if language == Language::Chinese { "下一块表" } else { "Next meter" });
            stage.backstage.tell(News::Left { waiting: None, words: vec![], is_known: true });
            stage.look();
            assert!(stage.said(unknown), "{}", what("nobody has measured since"));
            // A data folder that does not tell whether a run waits.
            let mut stage = opened(size, language);
            stage.backstage.tell(News::Left { waiting: None, words: vec!["x".into()], is_known: false });
            stage.look();
            assert!(stage.said(unknown), "{}", what("not known"));
            // The wiring, whose source did not go off; and a bench that does not open.
            stage.press(&job("good").title);
            stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
            stage.look();
            let next = if language == Language::Chinese { "下一步" } else { "Next" };
            stage.press(next);
            stage.press(next);
            let danger = "DANGER: 5.00 A still flow after off. Do not touch the terminals; switch the tester off at its mains switch";
            for (button, connection, corner) in [
                (check, Connection::NotOpened("reference: no answer on /dev/ttyUSB0".into()), unknown),
                (check_again, Connection::Wrong("connection: the voltage leads are reversed".into()), off),
                (check_again, Connection::NotSafe { why: "stopped".into(), danger: danger.into() }, not_safe),
                (check_again, Connection::NotOpened("reference: no answer on /dev/ttyUSB0".into()), not_safe),
                (check_again, Connection::Good, off),
            ] {
                stage.press(button);
                let is_danger = matches!(connection, Connection::NotSafe { .. });
                stage.backstage.tell(News::Connected(connection.clone()));
                stage.look();
                assert!(stage.said(corner), "{}", what(&format!("{connection:?}")));
                readable(&stage, &what(&format!("{connection:?}")));
                let danger =
                    if language == Language::Chinese { "总开关" } else { "DANGER: 5.00 A still flow" };
                assert!(!is_danger || stage.said(danger), "{}", what("DANGER"));
            }
        }
    }
}

#[test]
fn without_a_run_there_is_no_stop_and_nothing_to_stop() {
    let mut stage = opened((800.0, 480.0), Language::English);
    assert!(!stage.has("STOP"));
    stage.harness.key_press(Key::Escape);
    stage.look();
    assert_eq!(stage.backstage.command(), None);
}
