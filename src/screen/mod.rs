//! The touchscreen: it reads [`run::Snapshot`](crate::run::Snapshot) and plain values, sends
//! [`run::Command`](crate::run::Command) and orders, and never sees a device.
//!
//! [`port`] is the only way in and out. [`Screen`] holds which page is shown ([`Place`]) and what was gathered; a page is one
//! file with one `…_ui`. All colours and sizes are in [`token`], all words in `assets/words`. A page is drawn only when
//! something has come in: a touch, news, a run that moved on, the minute of the clock.

mod app;
mod connect;
mod curve;
pub mod desk;
pub mod draft;
mod frame;
mod hook;
mod input;
mod keyboard;
mod lock;
mod look;
mod meter;
mod plan;
pub mod port;
mod result;
mod run;
mod source;
mod start;
pub mod token;
pub mod values;
mod waiting;
mod widget;
mod words;

pub use app::{Place, Screen};
pub use hook::Hooks;
pub use words::Language;

use crate::plan::Entries;
use crate::regulation::Kind;
use crate::time::Span;
use eframe::egui::{ViewportBuilder, vec2};
use port::Port;

/// How the screen is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Width and height in pixels; none: the whole display.
    pub size: Option<(u32, u32)>,
    /// The first language.
    pub language: Language,
    /// The first theme.
    pub theme: token::Theme,
    /// Locked after so long without a touch, where somebody has a PIN; none: never.
    pub lock_after: Option<Span>,
    /// First, subsequent, in service, until somebody says otherwise.
    pub kind: Kind,
    /// What is known of the first meter before anybody types.
    pub entries: Entries,
    /// What is known of every further one: who stands there and for whom, and nothing that was seen of another meter.
    pub later: Entries,
    /// The bench, in a word.
    pub bench: String,
    /// Whether it is simulated.
    pub simulated: bool,
    /// For rigs.
    pub hooks: Hooks,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
#[error(
    "no screen: {0}. A display is needed (DISPLAY or WAYLAND_DISPLAY); without one use `phantomload verify`"
)]
pub struct NoScreen(String);

/// Texts that did not fit into their room in the last frame, even in the smallest print: for tests that measure.
pub fn overflows(ctx: &eframe::egui::Context) -> Vec<String> {
    widget::overflows(ctx)
}

/// Opens the screen and stays in it until its window is closed.
pub fn open(options: Options, port: Port) -> Result<(), NoScreen> {
    let (width, height) = options.size.unwrap_or((800, 480));
    let viewport = ViewportBuilder::default()
        .with_title("Phantomload")
        .with_app_id("phantomload")
        .with_inner_size(vec2(width as f32, height as f32))
        .with_fullscreen(options.size.is_none());
    let native = eframe::NativeOptions { viewport, ..Default::default() };
    eframe::run_native(
        "Phantomload",
        native,
        Box::new(move |made| Ok(Box::new(Screen::new(&made.egui_ctx, options, port)))),
    )
    .map_err(|fault| NoScreen(fault.to_string()))
}
