//! All colours, sizes and spacings of the screen, and the fonts. Nothing else in `screen` says a colour or a size of text.
//!
//! Sizes are points of a screen whose short side has [`SHORT_SIDE`] of them, whatever its pixels: 800 × 480, 1280 × 720 and
//! 720 × 1280 show the same, the last one upright.

use super::words::Language;
use crate::certificate::paper::font;
use eframe::egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use eframe::egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style,
    TextStyle, Vec2, Visuals, vec2,
};
use std::sync::Arc;

/// Points of the short side of any screen.
pub const SHORT_SIDE: f32 = 480.0;
/// The least a finger in a glove hits: 12 mm on the smallest of our screens.
pub const TARGET: f32 = 56.0;
/// Height of the bar at the top.
pub const TOP: f32 = 60.0;
/// Height of the bar at the bottom.
pub const BOTTOM: f32 = 76.0;
/// Between two things.
pub const GAP: f32 = 8.0;
/// Between a card's edge and what is in it.
pub const INSIDE: i8 = 12;
/// Between the screen's edge and what is on it.
pub const EDGE: f32 = 12.0;
/// Rounding of cards and buttons.
pub const ROUND: u8 = 10;
/// Width of a thick line.
pub const THICK: f32 = 2.5;
/// Width of a thin line.
pub const THIN: f32 = 1.0;
/// Sides of the red STOP.
pub const STOP: Vec2 = vec2(176.0, 60.0);
/// Side of the mark before a line of a list.
pub const MARK: f32 = 22.0;

/// The least size: what does not fit its room is made smaller, down to this.
pub const LEAST: f32 = 12.0;
/// Size of what stands beside: units, times, remarks.
pub const SMALL: f32 = 15.0;
/// Size of what is read.
pub const BODY: f32 = 18.0;
/// Size of a heading.
pub const HEAD: f32 = 22.0;
/// Size of a number that is watched.
pub const BIG: f32 = 30.0;
/// Size of what is read from across a room.
pub const HUGE: f32 = 84.0;

/// The family of the bold face.
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// A size of the bold face.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, bold())
}

/// A size of the regular face.
pub fn plain(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// How the screen is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Indoors.
    #[default]
    Light,
    /// At night.
    Dark,
    /// High contrast for sun.
    Sun,
}

impl Theme {
    /// All of them, in the order in which a tap goes on.
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Sun];

    /// The one after a tap.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::Sun,
            Self::Sun => Self::Light,
        }
    }

    /// Its colours.
    pub const fn tokens(self) -> &'static Tokens {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
            Self::Sun => &SUN,
        }
    }
}

/// A colour and what is written on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The field.
    pub field: Color32,
    /// The ink on it.
    pub ink: Color32,
}

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// Whether it is dark.
    pub dark: bool,
    /// Behind everything.
    pub ground: Color32,
    /// A card, a bar.
    pub card: Color32,
    /// What is written on both.
    pub ink: Color32,
    /// What stands beside.
    pub weak: Color32,
    /// Lines and frames.
    pub line: Color32,
    /// A button that may be pressed.
    pub button: Pair,
    /// The button that leads on.
    pub lead: Pair,
    /// STOP, and nothing else.
    pub stop: Pair,
    /// A pre-check, which certifies nothing: this colour and no other thing has it.
    pub check: Pair,
    /// In order, passed, off.
    pub good: Color32,
    /// Not in order, failed.
    pub bad: Color32,
    /// Somebody should see to it; undecided.
    pub care: Color32,
    /// Nothing is known.
    pub unknown: Color32,
    /// Live: voltage stands on the terminals.
    pub live: Pair,
    /// Written on good, bad, care.
    pub on_state: Color32,
    /// A field in which something is typed.
    pub entry: Color32,
    /// Width of frames.
    pub frame: f32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const fn pair(field: u32, ink: u32) -> Pair {
    Pair { field: rgb(field), ink: rgb(ink) }
}

/// Indoors.
pub const LIGHT: Tokens = Tokens {
    dark: false,
    ground: rgb(0x00EE_F2F5),
    card: rgb(0x00FF_FFFF),
    ink: rgb(0x0010_202E),
    weak: rgb(0x004F_6070),
    line: rgb(0x00C9_D3DB),
    button: pair(0x00DD_E7EF, 0x0010_202E),
    lead: pair(0x000B_5FB0, 0x00FF_FFFF),
    stop: pair(0x00C4_0C24, 0x00FF_FFFF),
    check: pair(0x005E_2C91, 0x00FF_FFFF),
    good: rgb(0x000E_7A3C),
    bad: rgb(0x00B3_1A20),
    care: rgb(0x0096_5200),
    unknown: rgb(0x005C_6B78),
    live: pair(0x00FF_C400, 0x0020_1600),
    on_state: rgb(0x00FF_FFFF),
    entry: rgb(0x00F7_FAFC),
    frame: THIN,
};

/// At night.
pub const DARK: Tokens = Tokens {
    dark: true,
    ground: rgb(0x000C_1319),
    card: rgb(0x0018_232C),
    ink: rgb(0x00EA_F1F6),
    weak: rgb(0x00A3_B5C3),
    line: rgb(0x0034_4652),
    button: pair(0x0028_3843, 0x00EA_F1F6),
    lead: pair(0x003F_96EE, 0x0002_101E),
    stop: pair(0x00DC_1F38, 0x00FF_FFFF),
    check: pair(0x00C3_9BF5, 0x0016_0626),
    good: rgb(0x003F_CF84),
    bad: rgb(0x00FF_7A72),
    care: rgb(0x00FF_B74D),
    unknown: rgb(0x0093_A6B4),
    live: pair(0x00FF_C400, 0x0020_1600),
    on_state: rgb(0x0008_1016),
    entry: rgb(0x0010_1A21),
    frame: THIN,
};

/// For sun: black on white, thick lines, no greys.
pub const SUN: Tokens = Tokens {
    dark: false,
    ground: rgb(0x00FF_FFFF),
    card: rgb(0x00FF_FFFF),
    ink: rgb(0x0000_0000),
    weak: rgb(0x0000_0000),
    line: rgb(0x0000_0000),
    button: pair(0x00FF_FFFF, 0x0000_0000),
    lead: pair(0x0000_0000, 0x00FF_FFFF),
    stop: pair(0x00B0_0018, 0x00FF_FFFF),
    check: pair(0x0046_1078, 0x00FF_FFFF),
    good: rgb(0x0000_5A28),
    bad: rgb(0x0096_0010),
    care: rgb(0x006A_3900),
    unknown: rgb(0x0030_3030),
    live: pair(0x00FF_D200, 0x0000_0000),
    on_state: rgb(0x00FF_FFFF),
    entry: rgb(0x00FF_FFFF),
    frame: 2.0,
};

impl Tokens {
    /// The look of egui's own widgets in these colours.
    fn style(&self) -> Style {
        let text_styles = [
            (TextStyle::Small, plain(SMALL)),
            (TextStyle::Body, plain(BODY)),
            (TextStyle::Button, plain(BODY)),
            (TextStyle::Heading, strong(HEAD)),
            (TextStyle::Monospace, plain(BODY)),
        ];
        let mut style = Style {
            text_styles: text_styles.into(),
            animation_time: 0.0,
            visuals: self.visuals(),
            ..Style::default()
        };
        style.spacing.item_spacing = vec2(GAP, GAP);
        // Our own buttons have their sizes; a line of text is as high as it is.
        style.spacing.interact_size = vec2(TARGET, 0.0);
        style.spacing.button_padding = vec2(16.0, 8.0);
        style.spacing.window_margin = Margin::same(INSIDE);
        style.spacing.scroll = ScrollStyle { bar_width: 12.0, floating: false, ..ScrollStyle::solid() };
        style.interaction.selectable_labels = false;
        style
    }

    fn visuals(&self) -> Visuals {
        let mut visuals = if self.dark { Visuals::dark() } else { Visuals::light() };
        let corner_radius = CornerRadius::same(ROUND);
        let state = |field: Color32, ink: Color32, frame: f32| WidgetVisuals {
            // Handles of scroll bars have this colour.
            bg_fill: self.line,
            weak_bg_fill: field,
            bg_stroke: Stroke::new(frame, self.line),
            corner_radius,
            fg_stroke: Stroke::new(THIN, ink),
            expansion: 0.0,
        };
        let button = self.button;
        visuals.widgets = Widgets {
            noninteractive: state(self.card, self.ink, self.frame),
            inactive: state(button.field, button.ink, self.frame),
            hovered: state(button.field, button.ink, THICK),
            active: state(self.line, self.ink, THICK),
            open: state(button.field, button.ink, THICK),
        };
        visuals.override_text_color = Some(self.ink);
        visuals.selection =
            Selection { bg_fill: self.lead.field.gamma_multiply(0.4), stroke: Stroke::new(THIN, self.ink) };
        visuals.panel_fill = self.ground;
        visuals.window_fill = self.card;
        visuals.window_stroke = Stroke::new(self.frame, self.line);
        visuals.window_corner_radius = corner_radius;
        visuals.extreme_bg_color = self.entry;
        visuals.faint_bg_color = self.ground;
        visuals.warn_fg_color = self.care;
        visuals.error_fg_color = self.bad;
        visuals
    }

    /// Puts these colours on everything that egui draws.
    pub fn dress(&self, ctx: &Context) {
        let style = self.style();
        ctx.all_styles_mut(|each| *each = style.clone());
    }
}

/// The faces of the papers are those of the screen: what is typed here can be printed there.
pub fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, family, bytes) in
        [("regular", FontFamily::Proportional, font::REGULAR), ("bold", bold(), font::BOLD)]
    {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
        fonts.families.insert(family, vec![name.into()]);
    }
    fonts.families.insert(FontFamily::Monospace, vec!["regular".into()]);
    fonts
}

/// What every part of a screen is drawn with.
#[derive(Clone, Copy)]
pub struct Face {
    /// Colours.
    pub tokens: &'static Tokens,
    /// The language.
    pub language: Language,
    /// Higher than wide.
    pub upright: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance and contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let light = |c: Color32| {
            let part = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
        };
        let (high, low) = (light(a).max(light(b)), light(a).min(light(b)));
        (high + 0.05) / (low + 0.05)
    }

    #[test]
    fn everything_written_can_be_read_and_in_the_sun_better_still() {
        for theme in Theme::ALL {
            let t = theme.tokens();
            let least = if theme == Theme::Sun { 7.0 } else { 4.5 };
            let mut pairs = vec![(t.ink, t.ground), (t.ink, t.card), (t.weak, t.card), (t.weak, t.ground)];
            pairs.extend([t.button, t.lead, t.stop, t.live, t.check].map(|p| (p.ink, p.field)));
            for state in [t.good, t.bad, t.care, t.unknown] {
                pairs.extend([(state, t.card), (t.on_state, state)]);
            }
            for (ink, field) in pairs {
                let seen = contrast(ink, field);
                assert!(seen >= least, "{theme:?}: {ink:?} on {field:?} is {seen:.2}, at least {least}");
            }
        }
    }
}
