//! Hooks for rigs that look at the real program: a screen whose thread hangs, and how long its frames take. Without a file
//! named for them they do nothing.

use crate::time::{Instant, Span, Stamp, now, sleep};
use eframe::egui::Context;
use std::fmt::Write;
use std::path::PathBuf;

/// Frames that are kept at most.
const FRAMES_MAX: usize = 1_000_000;

/// What a rig asks for.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// The thread of the screen hangs in a run as long as this file is there.
    pub freeze_while: Option<PathBuf>,
    /// When the first frame was there, and how long all took, go into this file at the end.
    pub frame_times: Option<PathBuf>,
    /// It is painted without a pause as long as this file is there: from frame to frame is then what one takes on the whole, the
    /// pixels of a processor that draws them included, which `frame_times` alone does not hold.
    pub paint_while: Option<PathBuf>,
}

/// Frames as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    first: Option<Stamp>,
    millis: Vec<f32>,
    /// The last one began then, where it is painted without a pause.
    began: Option<Instant>,
    whole: Vec<f32>,
}

impl Hooks {
    /// Hangs, where it is to hang.
    pub(super) fn hang(&self, live: bool) {
        let Some(file) = self.freeze_while.as_ref().filter(|_| live) else { return };
        while file.exists() {
            sleep(Span::from_millis(50));
        }
    }

    /// A frame was drawn; `took` is the time of the one before, in seconds.
    pub(super) fn frame(&self, frames: &mut Frames, took: Option<f32>, ctx: &Context) {
        if self.frame_times.is_none() {
            return;
        }
        let before = frames.began.take();
        if self.paint_while.as_ref().is_some_and(|file| file.exists()) {
            ctx.request_repaint();
            let began = now();
            if let Some(before) = before.filter(|_| frames.whole.len() < FRAMES_MAX) {
                frames.whole.push((began - before).secs() as f32 * 1000.0);
            }
            frames.began = Some(began);
        }
        frames.first.get_or_insert_with(Stamp::now);
        if let Some(took) = took.filter(|_| frames.millis.len() < FRAMES_MAX) {
            frames.millis.push(took * 1000.0);
        }
    }

    /// Writes what was seen.
    pub(super) fn write(&self, frames: &mut Frames) {
        let (Some(file), Some(first)) = (&self.frame_times, frames.first) else { return };
        let mut text = format!("first {first}\n");
        for (what, millis) in [("frames", &mut frames.millis), ("whole", &mut frames.whole)] {
            millis.sort_by(f32::total_cmp);
            let count = millis.len();
            let _ = writeln!(text, "{what} {count}");
            for (name, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
                let place = ((count as f64 * part) as usize).min(count.saturating_sub(1));
                let _ = millis.get(place).map(|millis| writeln!(text, "{name} {millis:.2} ms"));
            }
        }
        // A rig that finds no file says so itself.
        let _ = std::fs::write(file, text);
    }
}
