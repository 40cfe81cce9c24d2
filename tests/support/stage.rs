//! The screen without a window, and a program behind it that answers from prepared values.

#![allow(dead_code, reason = "each test file uses its part")]

use super::simulated::{plan_of, rig, started};
use eframe::egui::epaint::{ClippedShape, Shape};
use eframe::egui::{Rect, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use phantomload::bench::conduct;
use phantomload::plan::{Entries, Plan, TEN_MINUTES, THREE_MINUTES};
use phantomload::regulation::Kind;
use phantomload::run::{Run, Snapshot};
use phantomload::screen::draft::Job;
use phantomload::screen::port::{Backstage, Live, Order, pair};
use phantomload::screen::token::Theme;
use phantomload::screen::values::{Bar, End, Ended, Leads, Light, PlanSeen, ResultLine, Square, State};
use phantomload::screen::{Hooks, Language, Options, Place, Screen};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::{Instant, Span, now};
use phantomload::verdict::Verdict;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Our screens in points: the short side is always 480.
pub const SIZES: [(f32, f32); 3] = [(800.0, 480.0), (853.0, 480.0), (480.0, 853.0)];

/// The screen, and what stands behind it.
pub struct Stage {
    pub harness: Harness<'static, Screen>,
    pub backstage: Backstage,
    pub orders: Receiver<Order>,
}

/// How the screen of a test is opened.
pub fn options(language: Language) -> Options {
    Options {
        size: None,
        language,
        theme: Theme::Light,
        lock_after: None,
        kind: Kind::Subsequent,
        entries: Entries::default(),
        later: Entries::default(),
        bench: "test".into(),
        simulated: true,
        hooks: Hooks::default(),
    }
}

impl Stage {
    /// Opens the screen.
    pub fn new(size: (f32, f32), options: Options) -> Self {
        let (port, backstage, orders) = pair();
        let harness = Harness::builder()
            .with_size(Vec2::new(size.0, size.1))
            .with_max_steps(8)
            .build_eframe(move |made| Screen::new(&made.egui_ctx, options, port));
        let mut stage = Self { harness, backstage, orders };
        stage.look();
        stage
    }

    /// Draws until what was told is shown.
    pub fn look(&mut self) {
        self.harness.step();
        self.harness.step();
    }

    /// What was ordered since the last time.
    pub fn ordered(&mut self) -> Vec<Order> {
        self.orders.try_iter().collect()
    }

    /// Presses what has this label.
    pub fn press(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.look();
        self.look();
    }

    /// Presses what has this label, after it was scrolled into sight.
    pub fn reach(&mut self, label: &str) {
        self.harness.get_by_label(label).scroll_to_me();
        for _ in 0..6 {
            self.look();
        }
        self.press(label);
    }

    /// Whether something has this label.
    pub fn has(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    pub fn place(&self) -> Place {
        self.harness.state().place()
    }

    /// Whether a text is painted, or a part of one.
    pub fn said(&self, wanted: &str) -> bool {
        let mut texts = vec![];
        for ClippedShape { clip_rect, shape, .. } in &self.harness.output().shapes {
            collect(shape, *clip_rect, &mut texts);
        }
        texts.iter().any(|(text, ..)| text.contains(wanted))
    }

    /// What is shown and cannot be read: text outside of its room, of the screen, or over other text.
    pub fn unreadable(&self) -> Vec<String> {
        let screen = self.harness.ctx.content_rect();
        let mut texts = vec![];
        for ClippedShape { clip_rect, shape, .. } in &self.harness.output().shapes {
            collect(shape, *clip_rect, &mut texts);
        }
        let mut wrong: Vec<String> = phantomload::screen::overflows(&self.harness.ctx);
        for (text, rect, clip, elided) in &texts {
            if *elided {
                wrong.push(format!("cut off: {text}"));
            }
            let clip = clip.intersect(screen);
            // What is scrolled away is no fault; what is cut at its side is.
            let seen_rows = rect.bottom() > clip.top() + 2.0 && rect.top() < clip.bottom() - 2.0;
            if seen_rows && (rect.left() < clip.left() - 1.0 || rect.right() > clip.right() + 1.0) {
                wrong.push(format!("outside at its side: {text} {rect:?} in {clip:?}"));
            }
            let at_screen = clip.top() <= screen.top() + 1.0 || clip.bottom() >= screen.bottom() - 1.0;
            if at_screen && (rect.top() < screen.top() - 1.0 || rect.bottom() > screen.bottom() + 1.0) {
                wrong.push(format!("off the screen: {text} {rect:?}"));
            }
        }
        for (index, (a, one, one_clip, _)) in texts.iter().enumerate() {
            for (b, other, other_clip, _) in &texts[index + 1..] {
                let (one, other) = (one.intersect(*one_clip), other.intersect(*other_clip));
                let common = one.intersect(other);
                if common.width() > 2.0 && common.height() > 4.0 {
                    wrong.push(format!("over one another: {a} and {b} at {common:?}"));
                }
            }
        }
        wrong
    }
}

fn collect(shape: &Shape, clip: Rect, texts: &mut Vec<(String, Rect, Rect, bool)>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, texts)),
        Shape::Text(text) => {
            let said = text.galley.text().to_owned();
            if !said.trim().is_empty() {
                texts.push((said, text.visual_bounding_rect(), clip, text.galley.elided));
            }
        }
        _ => {}
    }
}

/// Lights of a tester that is fit, with one remark.
pub fn lights() -> Vec<Light> {
    let light = |what: &str, state, seen: &str, todo: &str| Light {
        what: what.into(),
        state,
        seen: seen.into(),
        todo: todo.into(),
    };
    vec![
        light("program", State::Good, "0.1.0 on Raspberry Pi 5 Model B", ""),
        light("clock", State::Good, "2026-11-21T09:00:00+08:00, set by time servers 12.0 s ago", ""),
        light(
            "supply",
            State::Care,
            "its voltage was too low since the start",
            "Charge the battery, or take a better supply and a shorter cable",
        ),
        light("flash memory", State::Unknown, "it does not tell its life (an SD card)", ""),
        light("standards", State::Good, "in date; the first is due on 2027-01-05", ""),
    ]
}

/// A job of a demo meter.
pub fn job(name: &str) -> Job {
    let text = demo_meter(name).unwrap().to_owned();
    let plate = phantomload::plan::Nameplate::from_toml(name, &text).unwrap();
    Job {
        title: format!("{name}: {} / {}", plate.charger, plate.serial),
        about: format!("{} {}, {}", plate.maker, plate.model, plate.class),
        text,
        last: None,
    }
}

/// The plan of the good demo meter.
pub fn plan() -> PlanSeen {
    seen(&plan_of(&rig("good"), "dc-meter", Kind::Subsequent))
}

/// A plan as the screen sees it.
pub fn seen(plan: &Plan) -> PlanSeen {
    let bar = |step: &phantomload::plan::Step| Bar {
        no: step.no,
        title: step.title.clone(),
        item: step.item,
        lane: step.lane,
        start: step.start,
        duration: step.duration,
    };
    PlanSeen {
        bars: plan.steps.iter().map(bar).collect(),
        total: plan.total,
        total_max: plan.total_max,
        lower_bound: plan.lower_bound,
        by_hand: Some(Span::from_secs(2400)),
        fits: plan.fits,
        most: if plan.pre_check { THREE_MINUTES } else { TEN_MINUTES },
        advice: vec![],
        doubts: plan.doubts.clone(),
        cannot: vec![(phantomload::regulation::Item::Withstand, "not entered by the operator".into())],
        no_certificate: vec![
            "12 figures of dc-meter are unconfirmed and not approved by a laboratory".into(),
        ],
        left_out: plan.pre_check.then(|| plan.left_out()),
        seal_places: vec![],
        regulation: plan.profile.id.clone(),
        simulated: true,
    }
}

/// Snapshots of a run of a demo meter: one for each step and state on its way, and the last.
pub fn snapshots(meter: &str, stop_after: Option<usize>) -> Vec<Snapshot> {
    let rig = rig(meter);
    let plan = plan_of(&rig, "dc-meter", Kind::Subsequent);
    looks(&rig, plan, stop_after)
}

/// The same of a pre-check.
pub fn pre_check(meter: &str) -> (phantomload::plan::Plan, Vec<Snapshot>) {
    let rig = rig(meter);
    let profile = phantomload::regulation::Profile::builtin("dc-meter").unwrap();
    let (plate, standards) = (rig.nameplate.clone(), rig.standards.clone());
    let (entries, day) = (Entries::simulated(), started().date());
    let capability = rig.capability();
    let plan =
        phantomload::plan::pre_check(plate, profile, Kind::Subsequent, standards, capability, entries, day)
            .unwrap();
    (plan.clone(), looks(&rig, plan, None))
}

fn looks(rig: &Rig, plan: Plan, stop_after: Option<usize>) -> Vec<Snapshot> {
    let mut run = Run::new(Arc::new(plan), Instant::ZERO, started());
    let mut bench = rig.in_process(1, started(), None);
    let mut kept: Vec<Snapshot> = vec![run.snapshot(Instant::ZERO)];
    let count = std::cell::Cell::new(0);
    conduct(
        &mut run,
        &mut bench,
        &mut || {
            stop_after
                .is_some_and(|steps| count.get() > steps)
                .then(|| "stopped by the operator (STOP on the screen)".to_owned())
        },
        &mut |run, at| {
            let last = kept.last().unwrap();
            // A look at each event would be slow, and nothing changes between most of them.
            if at - last.now < Span::from_millis(200) && !run.is_over() {
                return;
            }
            let seen = run.snapshot(at);
            if seen.step != last.step || seen.doing != last.doing {
                kept.push(seen);
                count.set(count.get() + 1);
            }
        },
    );
    kept
}

/// A run under way, looked at just now.
pub fn live(snapshot: Snapshot) -> Live {
    Live { snapshot, looked: now(), only_wiring: false }
}

/// An end with this verdict.
pub fn ended(verdict: Verdict) -> Ended {
    use phantomload::regulation::Item;
    let line = |item, point: &str, verdict, reason: &str| ResultLine {
        item,
        point: point.into(),
        value: "+0.12 %".into(),
        limit: "1.0".into(),
        expanded: "0.031".into(),
        verdict,
        reason: reason.into(),
    };
    let worst = if verdict == Verdict::Pass { Verdict::Pass } else { verdict };
    Ended {
        end: End::Decided(verdict),
        document: Some(phantomload::certificate::record::Document::TestReport),
        number: "SIM-2026-000001".into(),
        is_paper: true,
        at: None,
        elapsed: Span::from_secs(412),
        lines: vec![
            line(Item::Start, "Ist  0.4 A", Verdict::Pass, "|0.12| ≤ 1.0"),
            line(Item::BasicError, "Imax  250 A", worst, "the evidence does not suffice for a verdict"),
        ],
        findings: vec!["the meter gives no voltage: nothing".into()],
        notices: vec![],
        folder: "/var/lib/phantomload/packages/SIM-2026-000001".into(),
        qr: Some(Square { size: 21, dark: (0..441).map(|n| n % 3 == 0).collect() }),
        leads: Leads::Safe,
        simulated: true,
    }
}
