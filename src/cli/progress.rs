//! Progress on the terminal: remaining time and the present step; plain lines where standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use phantomload::run::Run;
use phantomload::time::{self, Instant, Span};
use std::io::IsTerminal;

/// Where there is no terminal the countdown to a signature is told this often.
const SIGNING_LINE_SECS: f64 = 30.0;
/// Redrawn at most this often.
const REDRAW: Span = Span::from_millis(200);

/// What is shown while a run goes on.
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    step: usize,
    readings: usize,
    /// Part of the countdown to a signature that was told last.
    signing: Option<i64>,
    next: Instant,
}

impl Progress {
    /// `quiet` shows nothing; `real_time` says that somebody is waiting.
    pub fn new(total: Span, quiet: bool, real_time: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = terminal.then(|| {
            let bar = ProgressBar::new(total.nanos().unsigned_abs() / 1_000_000);
            let style = ProgressStyle::with_template("{bar:30} {prefix} left  {msg}");
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("█▌·"));
            }
            bar
        });
        Self {
            bar,
            lines: !terminal && !quiet && real_time,
            step: 0,
            readings: 0,
            signing: None,
            next: Instant::ZERO,
        }
    }

    /// Looks at the run.
    pub fn show(&mut self, run: &Run, now: Instant) {
        if self.bar.is_none() && !self.lines {
            return;
        }
        let real = time::now();
        if real < self.next {
            return;
        }
        self.next = real + REDRAW;
        let seen = run.snapshot(now);
        let (no, title) = seen.step.unwrap_or((0, String::new()));
        if let Some(bar) = &self.bar {
            let done = (seen.total - seen.remaining).nanos().max(0).unsigned_abs() / 1_000_000;
            bar.set_position(done);
            bar.set_prefix(seen.remaining.to_string());
            let sample = seen.sample.map_or(String::new(), |s| {
                format!("  {:.1} V  {:.3} A", s.voltage.volts(), s.current.amperes())
            });
            bar.set_message(match seen.signing_left {
                Some(left) => {
                    format!("off, safe to disconnect; the meter signs its record; {:.0} s left", left.secs())
                }
                None => format!("{title} ({}){sample}  {} pulses", seen.doing, seen.pulses),
            });
        } else if let Some(left) = seen.signing_left {
            let due = (left.secs() / SIGNING_LINE_SECS).ceil() as i64;
            if self.signing != Some(due) {
                self.signing = Some(due);
                super::say(&format!(
                    "{:>7.1} s  off, safe to disconnect; the meter signs its record; {:.0} s left",
                    seen.elapsed.secs(),
                    left.secs()
                ));
            }
        } else if no != self.step {
            (self.step, self.readings) = (no, 0);
            super::say(&format!("{:>7.1} s  {title}", seen.elapsed.secs()));
        }
        if self.bar.is_none() && seen.readings > self.readings {
            self.readings = seen.readings;
            super::say(&format!("{:>7.1} s  {title}: reading {}", seen.elapsed.secs(), seen.readings));
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
