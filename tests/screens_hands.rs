//! Two taps at once, and lists of hundreds: what is done is done once, STOP wins, nothing is stuck and nothing is cut off.

mod support {
    pub mod simulated;
    pub mod stage;
}

use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, TouchDeviceId, TouchId, TouchPhase};
use egui_kittest::kittest::Queryable;
use phantomload::certificate::issue::{Role, Status};
use phantomload::run::{Command, SourceState};
use phantomload::screen::desk::port::{Act, Ask, Form, Line, PersonSeen, ProfileSeen, Sheet, Standing, Told};
use phantomload::screen::port::{News, Order};
use phantomload::screen::values::State;
use phantomload::screen::{Language, Place};
use support::stage::{SIZES, Stage, job, lights, live, options, plan, snapshots};

fn readable(stage: &Stage, what: &str) {
    let wrong = stage.unreadable();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// Where something with this label is.
fn place(stage: &Stage, label: &str) -> Pos2 {
    stage.harness.get_by_label(label).rect().center()
}

fn button(pos: Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
}

/// A finger that is laid down or lifted; the first finger is the pointer too, as the window system tells it.
fn finger(number: u64, pos: Pos2, down: bool) -> Vec<Event> {
    let phase = if down { TouchPhase::Start } else { TouchPhase::End };
    let (device_id, id) = (TouchDeviceId(1), TouchId(number));
    let mut events = vec![Event::Touch { device_id, id, phase, pos, force: None }];
    if number == 1 {
        events.extend([Event::PointerMoved(pos), button(pos, down)]);
    }
    events
}

/// One frame with all of these events.
fn frame(stage: &mut Stage, events: impl IntoIterator<Item = Event>) {
    stage.harness.input_mut().events.extend(events);
    stage.harness.step();
}

/// Two whole taps in one frame, and a third in the next.
fn tap_thrice(stage: &mut Stage, label: &str) {
    let pos = place(stage, label);
    frame(stage, [Event::PointerMoved(pos)]);
    frame(stage, [true, false, true, false].map(|pressed| button(pos, pressed)));
    frame(stage, [true, false].map(|pressed| button(pos, pressed)));
    stage.look();
}

fn asked(stage: &mut Stage) -> Vec<Ask> {
    let orders = stage.ordered().into_iter();
    orders.filter_map(|order| if let Order::Desk(ask) = order { Some(ask) } else { None }).collect()
}

fn tell(stage: &mut Stage, told: Told) {
    stage.backstage.tell(News::Desk(told));
    stage.look();
    stage.look();
}

fn opened(size: (f32, f32)) -> Stage {
    let mut stage = Stage::new(size, options(Language::English));
    stage.backstage.tell(News::Lights(lights()));
    stage.backstage.tell(News::Jobs(vec![job("good")]));
    stage.look();
    stage
}

/// At the plan, with its button to begin.
fn at_the_plan() -> Stage {
    let mut stage = opened(SIZES[0]);
    stage.press(&job("good").title);
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    for page in ["Next", "Next"] {
        stage.press(page);
    }
    stage.press("Check the wiring");
    stage.backstage.tell(News::Connected(phantomload::screen::values::Connection::Good));
    stage.look();
    stage.press("Next");
    stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
    stage.look();
    assert_eq!(stage.place(), Place::Plan);
    stage.ordered();
    stage
}

fn is_verify(order: &Order) -> bool {
    matches!(order, Order::Verify(_))
}

#[test]
fn a_double_tap_on_begin_begins_once_and_does_not_stop_it_again() {
    let mut stage = at_the_plan();
    tap_thrice(&mut stage, "Begin");
    assert_eq!(stage.ordered().iter().filter(|order| is_verify(order)).count(), 1);
    assert_eq!((stage.place(), stage.backstage.command()), (Place::Run, None));
    // A later tap at the same place is STOP, also before anything of the run is seen.
    assert!(stage.has("STOP"));
    stage.look();
    stage.press("STOP");
    assert!(matches!(stage.backstage.command(), Some(Command::Stop { .. })));
    readable(&stage, "stopped while it opens");
}

#[test]
fn begin_and_stop_in_one_frame_is_stop() {
    for stop_first in [false, true] {
        let mut stage = at_the_plan();
        let begin = place(&stage, "Begin");
        frame(&mut stage, [Event::PointerMoved(begin)]);
        frame(&mut stage, [button(begin, true)]);
        let key = Event::Key {
            key: Key::Escape,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        let mut events = vec![button(begin, false), key];
        if stop_first {
            events.reverse();
        }
        frame(&mut stage, events);
        assert_eq!(stage.ordered().iter().filter(|order| is_verify(order)).count(), 1);
        let Some(Command::Stop { why }) = stage.backstage.command() else {
            panic!("it was begun and not stopped")
        };
        assert!(why.contains("STOP key"), "{why}");
        // The next run does not begin with it.
        stage
            .backstage
            .tell(News::Ended(Box::new(support::stage::ended(phantomload::verdict::Verdict::Pass))));
        stage.look();
        stage.press("Next meter");
        stage.backstage.tell(News::Jobs(vec![job("good")]));
        stage.look();
        stage.press(&job("good").title);
        stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
        stage.look();
        for page in ["Next", "Next", "Check the wiring"] {
            stage.press(page);
        }
        assert_eq!(stage.backstage.command(), None);
    }
}

#[test]
fn of_two_fingers_one_on_stop_and_one_elsewhere_stop_counts_whichever_was_first() {
    let middle =
        snapshots("good", Some(12)).into_iter().rfind(|seen| seen.source == SourceState::On).unwrap();
    for stop_is in [1, 2] {
        // In a run, and in the look at the wiring: what else is touched is where a page's own button was.
        for only_wiring in [false, true] {
            let mut stage = opened(SIZES[0]);
            let mut seen = live(middle.clone());
            seen.only_wiring = only_wiring;
            stage.backstage.show(Some(seen));
            stage.look();
            stage.ordered();
            let (stop, other) = (place(&stage, "STOP"), Pos2::new(120.0, 442.0));
            let (first, second) = if stop_is == 1 { (stop, other) } else { (other, stop) };
            frame(&mut stage, [finger(1, first, true), finger(2, second, true)].concat());
            assert!(
                stage.backstage.command().is_some(),
                "finger {stop_is}, wiring {only_wiring}: on the press"
            );
            frame(&mut stage, [finger(2, second, false), finger(1, first, false)].concat());
            stage.look();
            let orders = stage.ordered();
            let idle =
                |order: &Order| matches!(order, Order::TestSelf | Order::ListJobs | Order::FindWaiting);
            assert!(orders.iter().all(idle), "finger {stop_is}, wiring {only_wiring}: {orders:?}");
        }
    }
}

fn approver() -> Vec<PersonSeen> {
    vec![PersonSeen {
        name: "Li".into(),
        roles: vec![Role::Verifier, Role::Checker, Role::Approver],
        standing: Standing::Active,
    }]
}

fn desk() -> Stage {
    let mut stage = opened(SIZES[0]);
    stage.press("Lab");
    stage.ordered();
    stage
}

fn done(asks: &[Ask]) -> usize {
    asks.iter().filter(|ask| matches!(ask, Ask::Do { .. } | Ask::Export { .. })).count()
}

/// Types a PIN and taps its "done" thrice.
fn type_pin(stage: &mut Stage) {
    for key in ["3", "0", "5", "6", "1", "2"] {
        stage.press(key);
    }
    tap_thrice(stage, "Done");
}

/// A paper at this state on the desk.
fn at_a_paper(status: Status, signed: usize) -> Stage {
    let mut stage = desk();
    stage.press("Register");
    tell(&mut stage, Told::Found(Ok(1)));
    tell(&mut stage, Told::Rows { from: 0, rows: vec![support_row()] });
    stage.press("PL-2026-000042");
    tell(&mut stage, Told::Paper("PL-2026-000042".into(), Ok(Box::new(paper(status, signed)))));
    stage.ordered();
    stage
}

fn support_row() -> phantomload::screen::desk::port::Row {
    phantomload::screen::desk::port::Row {
        number: "PL-2026-000042".into(),
        day: "2026-11-20".into(),
        status: "issued".into(),
        verdict: Some(phantomload::verdict::Verdict::Pass),
        meter: "DC1 42".into(),
        charger: "C".into(),
        customer: "K".into(),
        simulated: false,
    }
}

fn paper(status: Status, signed: usize) -> phantomload::screen::desk::port::PaperSeen {
    phantomload::screen::desk::port::PaperSeen {
        number: "PL-2026-000042".into(),
        status,
        simulated: false,
        verdict: Some(phantomload::verdict::Verdict::Pass),
        document: None,
        meter: "Maker DC1 42".into(),
        charger: "C".into(),
        customer: "K".into(),
        performed: "2026-11-20T10:02:00.123+08:00".into(),
        valid_until: None,
        regulation: "dc-meter, 1".into(),
        signatures: Role::ALL.iter().take(signed).map(|role| (*role, "Li".into(), "now".into())).collect(),
        next: Role::ALL.get(signed).copied(),
        may: Role::ALL.map(|role| (role, "Li".into())).into(),
        against: vec![],
        points: vec![],
        findings: vec![],
        entries: vec![],
    }
}

#[test]
fn a_double_tap_on_sign_issue_and_export_does_it_once() {
    // Signed: the second tap opens nothing more, and the PIN is taken once.
    let mut stage = at_a_paper(Status::Draft, 0);
    tap_thrice(&mut stage, "Sign: verifier");
    assert_eq!(done(&asked(&mut stage)), 0, "nobody has answered for it");
    stage.press("Li");
    type_pin(&mut stage);
    let asks = asked(&mut stage);
    assert!(
        matches!(&asks[..], [Ask::Do { act: Act::Sign(Role::Verifier), by: Some(by), .. }] if by.pin == "305612"),
        "{asks:?}"
    );
    // Issued, for which nobody's PIN is asked.
    let mut stage = at_a_paper(Status::Checked, 3);
    tap_thrice(&mut stage, "Issue");
    let asks = asked(&mut stage);
    assert_eq!(done(&asks), 1, "{asks:?}");
    assert!(matches!(asks.last(), Some(Ask::Do { act: Act::Issue, by: None, .. })), "{asks:?}");
    // Taken along.
    let mut stage = at_a_paper(Status::Issued, 3);
    tap_thrice(&mut stage, "Export");
    let places = vec![("exports".into(), "/data/exports".into()), ("STICK".into(), "/media/STICK".into())];
    tell(&mut stage, Told::Places(places));
    asked(&mut stage);
    tap_thrice(&mut stage, "STICK  (/media/STICK)");
    let asks = asked(&mut stage);
    assert!(matches!(&asks[..], [Ask::Export { form: Form::Package(_), .. }]), "{asks:?}");
    readable(&stage, "exporting");
}

fn profile(n: usize, approved: Option<&str>) -> ProfileSeen {
    let text = phantomload::regulation::Profile::builtin_text("dc-meter").unwrap();
    ProfileSeen {
        id: format!("house-{n:03}"),
        head: format!("JJG 842-2017 (house-{n:03})"),
        about: vec!["直流电能表 DC meters".into()],
        file: Some(format!("/data/regulations/house-{n:03}.toml").into()),
        figures: phantomload::regulation::house::entries("dc-meter", text).unwrap(),
        unconfirmed: 7,
        approved: approved.map(str::to_owned),
        next: Some(Role::Verifier),
        wants_validity: false,
    }
}

#[test]
fn a_double_tap_on_approve_answers_once() {
    let mut stage = desk();
    stage.press("Regulations");
    tell(&mut stage, Told::Profiles(vec![profile(1, None)]));
    stage.press("JJG 842-2017 (house-001)");
    asked(&mut stage);
    tap_thrice(&mut stage, "Sign: verifier");
    tell(&mut stage, Told::Persons(Ok(approver())));
    assert_eq!(done(&asked(&mut stage)), 0);
    stage.press("Li");
    type_pin(&mut stage);
    let asks = asked(&mut stage);
    assert!(matches!(&asks[..], [Ask::Do { act: Act::Approve { .. }, .. }]), "{asks:?}");
    // Back at once is the profile: no page of the second tap lies between.
    tell(&mut stage, Told::Done(asks[0].ticket().unwrap(), Ok("signed".into())));
    stage.press("Back");
    assert_eq!(asked(&mut stage), [Ask::Profiles], "what was signed has changed it");
    tell(&mut stage, Told::Profiles(vec![profile(1, None)]));
    assert!(stage.has("Sign: verifier"));
}

#[test]
fn another_regulation_is_chosen_for_the_meter_at_hand_among_hundreds_and_left_again() {
    for size in SIZES {
        for language in [Language::Chinese, Language::English] {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let of = |zh: &'static str, en: &'static str| if language == Language::Chinese { zh } else { en };
            let mut stage = Stage::new(size, options(language));
            stage.backstage.tell(News::Jobs(vec![job("good")]));
            stage.look();
            stage.press(&job("good").title);
            stage.backstage.tell(News::Planned(Ok(Box::new(plan()))));
            stage.look();
            readable(&stage, &what("as begun"));
            assert!(stage.said(of("（启动时设定）", "(as this tester was started)")), "{}", what("as begun"));
            stage.ordered();
            stage.press(of("检定依据", "Regulation"));
            assert_eq!(asked(&mut stage), [Ask::Profiles]);
            readable(&stage, &what("reading"));
            let mut profiles: Vec<ProfileSeen> =
                (0..300).map(|n| profile(n, (n % 2 == 0).then_some("Lab, Li, 2026-11-20"))).collect();
            profiles[1].figures.clear();
            tell(&mut stage, Told::Profiles(profiles));
            readable(&stage, &what("list"));
            // What cannot be read cannot be chosen.
            stage.press("JJG 842-2017 (house-001)");
            assert_eq!(stage.ordered(), []);
            stage.press("JJG 842-2017 (house-002)");
            let orders = stage.ordered();
            assert!(
                matches!(&orders[..], [Order::Plan(draft)] if draft.regulation.as_deref() == Some("house-002")),
                "{orders:?}"
            );
            let mut own = plan();
            own.regulation = "house-002".into();
            stage.backstage.tell(News::Planned(Ok(Box::new(own))));
            stage.look();
            assert!(
                stage.said("house-002") && !stage.said(of("启动时设定", "as this tester")),
                "{}",
                what("chosen")
            );
            readable(&stage, &what("chosen"));
            // The arrow leaves the list and changes nothing.
            stage.press(of("检定依据", "Regulation"));
            stage.press(of("返回", "Back"));
            assert_eq!(stage.place(), Place::Meter);
            assert!(asked(&mut stage) == [Ask::Profiles] && stage.said("house-002"));
            // The first line takes it back.
            stage.press(of("检定依据", "Regulation"));
            tell(&mut stage, Told::Profiles(vec![profile(1, None)]));
            stage.ordered();
            stage.press(of("检定依据", "Regulation"));
            let orders = stage.ordered();
            assert!(matches!(&orders[..], [Order::Plan(draft)] if draft.regulation.is_none()), "{orders:?}");
        }
    }
}

#[test]
fn three_hundred_certificates_of_standards_are_read_to_the_last_and_none_is_cut_off() {
    let line = |n: usize| Line {
        head: format!("计量标准 Reference standard ZERA MT310s2 {n:04} SIMULATED"),
        about: vec![
            format!(
                "reference standard: CN-2026-{n:04} by 某省计量科学研究院 Provincial Institute of Metrology"
            ),
            "calibrated 2026-01-10, due 2027-01-09 (48 days)".into(),
            format!("in force (reference-of-the-third-tester-{n:04}.toml)"),
            "imported by 李批准, 2026-11-20".into(),
        ],
        state: [State::Good, State::Care, State::Bad, State::Unknown][n % 4],
    };
    for size in SIZES {
        for language in [Language::Chinese, Language::English] {
            let what = |page: &str| format!("{page}, {size:?}, {language:?}");
            let of = |zh: &'static str, en: &'static str| if language == Language::Chinese { zh } else { en };
            let mut stage = Stage::new(size, options(language));
            stage.press(of("实验室", "Lab"));
            stage.press(of("计量标准", "Standards"));
            tell(&mut stage, Told::Sheet(Sheet::Standards, Ok((0..300).map(line).collect())));
            readable(&stage, &what("begin"));
            assert!(stage.said("0000 SIMULATED") && !stage.said("0299 SIMULATED"), "{}", what("begin"));
            // Scrolled to the end: every page of it can be read, and the last is there.
            let middle = stage.harness.ctx.content_rect().center();
            let mut turns = 0;
            while !stage.said("0299 SIMULATED") {
                turns += 1;
                assert!(turns < 200, "{}: the last does not come", what("scrolled"));
                let wheel = Event::MouseWheel {
                    source: eframe::egui::MouseWheelSource::Wheel,
                    unit: eframe::egui::MouseWheelUnit::Point,
                    delta: eframe::egui::vec2(0.0, -2000.0),
                    phase: TouchPhase::Move,
                    modifiers: Modifiers::NONE,
                };
                frame(&mut stage, [Event::PointerMoved(middle), wheel]);
                stage.look();
                if turns % 10 == 0 {
                    readable(&stage, &what("scrolled"));
                }
            }
            for _ in 0..8 {
                stage.look();
            }
            readable(&stage, &what("end"));
            // Not stuck: the way back and to the import is open.
            stage.press(of("导入证书", "Import"));
            stage.press(of("返回", "Back"));
            stage.press(of("返回", "Back"));
            assert_eq!(stage.place(), Place::Desk);
        }
    }
}
