//! Pictures of every state in both languages, held against `reports/panel`.

use super::*;
use crate::plan::{self, Entries};
use crate::regulation::{Kind, Profile};
use crate::sim::{Rig, demo_meter};
use crate::time::Span;
use std::path::Path;

const LANGUAGES: [(Language, &str); 2] = [(Language::Chinese, "zh"), (Language::English, "en")];

fn status(stage: Stage, simulated: bool) -> Status {
    Status { stage, simulated, address: Some("192.168.100.123".into()) }
}

fn running(no: usize, title: &str, doing: &'static str, remaining: i64) -> Stage {
    Stage::Running(Progress {
        step: Some((no, title.into())),
        steps: 18,
        doing,
        remaining: Span::from_secs(remaining),
        total: Span::from_secs(540),
        live: doing != "over",
        pre_check: false,
    })
}

fn ended(how: How, safe: bool) -> Stage {
    Stage::Ended(Ending { how, number: "PL-2026-000042".into(), safe })
}

/// Every state that the panel can be in.
fn states() -> Vec<(&'static str, Status)> {
    let long = "meter's data output: meter 000000000161 at /dev/ttyUSB0 gave no sound answer to 3 requests";
    let pre_check = |stage| match stage {
        Stage::Running(progress) => Stage::Running(Progress { pre_check: true, ..progress }),
        other => other,
    };
    vec![
        ("ready", status(Stage::Ready, false)),
        ("no-network", Status { address: None, ..status(Stage::Ready, true) }),
        ("opening", status(Stage::Opening, true)),
        ("running", status(running(6, "Basic error at 250 A", "measuring", 207), false)),
        ("running-simulated", status(running(4, "Start at 0.04 A", "settling", 533), true)),
        ("running-long", status(running(2, "Connection and polarity", "setting", 3700), true)),
        ("pre-check", status(pre_check(running(3, "Clock", "measuring", 61)), false)),
        ("pass", status(ended(How::Verdict(Verdict::Pass), true), false)),
        ("pass-simulated", status(ended(How::Verdict(Verdict::Pass), true), true)),
        ("pass-not-safe", status(ended(How::Verdict(Verdict::Pass), false), false)),
        ("fail", status(ended(How::Verdict(Verdict::Fail), true), false)),
        ("fail-simulated", status(ended(How::Verdict(Verdict::Fail), true), true)),
        ("undecided", status(ended(How::Verdict(Verdict::Undecided), true), false)),
        ("pre-check-good", status(ended(How::PreCheck { beyond: 0, undecided: 0 }, true), false)),
        ("pre-check-beyond", status(ended(How::PreCheck { beyond: 2, undecided: 1 }, true), true)),
        ("stopped", status(ended(How::Aborted("stopped by the operator (Ctrl-C)".into()), true), false)),
        (
            "emergency",
            status(ended(How::Aborted("interlock: the emergency stop is pressed".into()), false), false),
        ),
        ("fault", status(ended(How::Faulted(long.into()), true), true)),
    ]
}

#[test]
fn every_state_looks_as_it_was_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/panel");
    let mut different = vec![];
    for (name, status) in states() {
        for (language, code) in LANGUAGES {
            let picture = draw_status(&status, language);
            let path = folder.join(format!("{name}-{code}.png"));
            if std::env::var_os("PHANTOMLOAD_WRITE_GOLDEN").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, picture.png()).unwrap();
            }
            if std::fs::read(&path).ok() != Some(picture.png()) {
                different.push(path.display().to_string());
            }
        }
    }
    assert!(
        different.is_empty(),
        "look at them, then run this test once with PHANTOMLOAD_WRITE_GOLDEN=1: {different:?}"
    );
}

#[test]
fn what_differs_looks_different() {
    let mut pictures: Vec<Bitmap> = vec![];
    for (name, status) in states() {
        for (language, _) in LANGUAGES {
            let picture = draw_status(&status, language);
            assert!(!pictures.contains(&picture), "{name}");
            pictures.push(picture);
        }
    }
}

#[test]
fn every_step_of_every_plan_has_words_that_fit_and_letters_that_there_are() {
    let day = jiff::civil::date(2026, 11, 20);
    let mut count = 0;
    for meter in ["good", "standard-register", "slow-pulses", "clock-off"] {
        let rig = Rig::new(meter, demo_meter(meter).unwrap()).unwrap();
        for (id, kind) in Profile::builtin_ids().flat_map(|id| Kind::ALL.map(|kind| (id, kind))) {
            let profile = Profile::builtin(id).unwrap();
            let (plate, standards) = (rig.nameplate.clone(), rig.standards.clone());
            let plan =
                plan::make(plate, profile, kind, standards, rig.capability(), Entries::simulated(), day);
            // Not every demo meter is one of every regulation.
            let Ok(plan) = plan else { continue };
            for step in &plan.steps {
                for (language, _) in LANGUAGES {
                    let words = words::step(&step.title, language);
                    let words = words.unwrap_or_else(|| panic!("no words for `{}`", step.title));
                    assert!(width(&words, Size::Small) <= WIDTH, "`{words}` is too wide");
                    assert!(letters::missing(&words).is_empty(), "{words}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_fault_says_where_in_chinese_and_keeps_its_words() {
    let words = |why: &str| words::fault(why, Language::Chinese);
    assert_eq!(words("source: `*IDN?` was not answered"), "电源 `*IDN?` was not answered");
    assert_eq!(words("interlock: the lid over the terminals is open. Close it"), "端子盖打开");
    assert_eq!(words("no window came off"), "no window came off");
    for device in ["source", "reference", "pulse counter", "meter's data output", "interlock", "heartbeat"] {
        assert!(!words(&format!("{device}: gone")).starts_with(device), "{device}");
    }
}

#[test]
fn a_countdown_ends_at_nought_and_never_before() {
    // The last second shows 0:01, the end 0:00; nothing below it.
    let picture = |millis| {
        let Stage::Running(progress) = running(1, "Creep", "measuring", 0) else { unreachable!() };
        let stage = Stage::Running(Progress { remaining: Span::from_millis(millis), ..progress });
        draw_status(&status(stage, false), Language::English)
    };
    let digits = |picture: &Bitmap| {
        let dots = (17..43).flat_map(|y| (0..64).map(move |x| (x, y)));
        dots.filter(|(x, y)| picture.is_ink(*x, *y)).collect::<Vec<_>>()
    };
    assert_eq!(digits(&picture(200)), digits(&picture(1000)));
    assert_ne!(digits(&picture(0)), digits(&picture(200)));
    assert_eq!(digits(&picture(0)), digits(&picture(-5000)));
}

#[test]
fn any_text_is_borne() {
    for why in ["", "\n\t", "龘龘龘龘龘龘龘龘龘龘龘龘龘", &"x".repeat(5000), &"故障".repeat(500), "🔌⚡ a"]
    {
        for safe in [true, false] {
            for (language, _) in LANGUAGES {
                let mut status = status(ended(How::Faulted(why.into()), safe), true);
                status.address = Some("2001:0db8:85a3:0000:0000:8a2e:0370:7334".into());
                let picture = draw_status(&status, language);
                assert!((0..WIDTH).any(|x| (52..HEIGHT).any(|y| picture.is_ink(x, y))), "{why}");
                status.stage = Stage::Ready;
                draw_status(&status, language);
            }
        }
    }
}
