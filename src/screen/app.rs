//! The shell: which page is shown, what is above and below it, STOP, and what came from behind the screen.

use super::desk::Desk;
use super::draft::{Draft, Field, Job};
use super::hook::Frames;
use super::keyboard::{Entry, Target, Typed};
use super::lock::Lock;
use super::port::{Live, News, Order, Port};
use super::token::{self, Face, Theme};
use super::values::{Connection, Ended, Light, PhotoFile, PlanSeen, Sound, Waiting};
use super::words::Language;
use super::{Options, frame, input};
use crate::plan::Entries;
use crate::run::SourceState;
use crate::time::{Instant, Span, Stamp, now};
use eframe::egui::{Context, Frame, Rect, Ui, UiBuilder};
use jiff::civil::Date;
use std::sync::Arc;

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Self test and the choice of a meter.
    Start,
    /// The nameplate.
    Meter,
    /// What a person looks at.
    Look,
    /// The wiring.
    Connect,
    /// The plan.
    Plan,
    /// The run.
    Run,
    /// The result.
    Result,
    /// The lab's desk and the operator's visit, beside the inspector's way.
    Desk,
}

impl Place {
    /// The inspector's way.
    pub const WAY: [Self; 7] =
        [Self::Start, Self::Meter, Self::Look, Self::Connect, Self::Plan, Self::Run, Self::Result];
}

/// An answer that was asked for and has not come, or has.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Asked<T> {
    /// Nobody has asked.
    #[default]
    No,
    /// On its way.
    Waiting,
    /// Here.
    Here(T),
}

/// The button that begins a run stands where STOP stands then: a press within so many seconds is the second of a double tap.
/// A choice of this house; nothing is on the terminals yet.
const SECOND_TAP: f64 = 0.4;

/// The screen.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for itself: what was begun, of what kind, what is chosen"
)]
pub struct Screen {
    pub(super) port: Port,
    pub(super) options: Options,
    pub(super) language: Language,
    pub(super) theme: Theme,
    pub(super) place: Place,
    /// What is typed just now.
    pub(super) entry: Option<Entry>,
    pub(super) lock: Lock,
    /// What a scanner has typed since the last Enter.
    pub(super) scanned: String,
    pub(super) lights: Asked<Vec<Light>>,
    pub(super) jobs: Asked<Vec<Job>>,
    /// A run that was interrupted; no other begins before it is gone on with or closed.
    pub(super) waiting: Option<Box<Waiting>>,
    /// What a crash has left and was set right.
    pub(super) set_right: Vec<String>,
    /// Closing it was pressed once: only the second time it is meant.
    pub(super) closing: bool,
    /// What was looked up last, and what is known of it.
    pub(super) found: Option<(String, Asked<Option<Job>>)>,
    /// The chosen meter.
    pub(super) job: Option<Job>,
    pub(super) draft: Option<Draft>,
    /// The day on which the screen was opened, with what was known beforehand.
    opened_on: Date,
    /// The serial number of the first meter of which a run was begun.
    first: Option<String>,
    /// What is begun here is a pre-check.
    pub(super) pre_check: bool,
    /// Another regulation profile is being chosen for this meter.
    pub(super) choosing: bool,
    pub(super) meter_read: Asked<Result<Vec<String>, String>>,
    pub(super) plan: Asked<Result<Box<PlanSeen>, String>>,
    pub(super) connection: Asked<Connection>,
    pub(super) photos: Asked<Result<Vec<PhotoFile>, String>>,
    pub(super) live: Option<Arc<Live>>,
    /// A run was ordered, and what came of it was not told yet.
    pub(super) begun: bool,
    /// What is known of the source where no run is shown; none: nobody has measured.
    pub(super) at_rest: Option<SourceState>,
    pub(super) ended: Option<Box<Ended>>,
    pub(super) desk: Desk,
    /// Where STOP was drawn last.
    pub(super) stop_at: Option<Rect>,
    /// When it was pressed.
    pub(super) stopped: Option<Instant>,
    /// When what is opening was ordered, in seconds of egui's clock.
    opened: f64,
    /// What the shown colours and the scale were made for.
    dressed: Option<(Theme, u32)>,
    frames: Frames,
}

impl Screen {
    /// The screen on this port.
    pub fn new(ctx: &Context, options: Options, port: Port) -> Self {
        ctx.set_fonts(token::fonts());
        port.attach(ctx);
        let screen = Self {
            language: options.language,
            theme: options.theme,
            lock: Lock::new(options.lock_after, now()),
            options,
            port,
            place: Place::Start,
            entry: None,
            scanned: String::new(),
            lights: Asked::Waiting,
            jobs: Asked::Waiting,
            waiting: None,
            set_right: vec![],
            closing: false,
            found: None,
            job: None,
            draft: None,
            opened_on: Stamp::now().date(),
            first: None,
            pre_check: false,
            choosing: false,
            meter_read: Asked::No,
            plan: Asked::No,
            connection: Asked::No,
            photos: Asked::No,
            live: None,
            begun: false,
            // Nothing that was begun here has switched anything on.
            at_rest: Some(SourceState::Off),
            ended: None,
            desk: Desk::default(),
            stop_at: None,
            stopped: None,
            opened: 0.0,
            dressed: None,
            frames: Frames::default(),
        };
        screen.port.order(Order::TestSelf);
        screen.port.order(Order::ListJobs);
        screen.port.order(Order::FindWaiting);
        screen
    }

    /// The page that is shown.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What every part is drawn with.
    pub(super) fn face(&self, rect: Rect) -> Face {
        Face { tokens: self.theme.tokens(), language: self.language, upright: rect.height() > rect.width() }
    }

    /// The way that is gone: a pre-check has no look at the outside.
    pub(super) fn way(&self) -> impl Iterator<Item = Place> + use<> {
        let pre_check = self.pre_check;
        Place::WAY.into_iter().filter(move |place| !(pre_check && *place == Place::Look))
    }

    /// The page before, where one may go back.
    pub(super) fn before(&self) -> Option<Place> {
        match self.place {
            Place::Start | Place::Run | Place::Result => None,
            // What came of something that is done is read where it was asked for.
            Place::Desk if self.desk.is_waiting() => None,
            Place::Desk => Some(Place::Start),
            place => self.way().take_while(|own| *own != place).last(),
        }
    }

    /// Whether what is shown belongs to a pre-check.
    pub(super) fn is_pre_check(&self) -> bool {
        self.pre_check && self.place != Place::Desk
    }

    /// Begins with pre-checks, or with verifications again.
    pub(super) fn set_pre_check(&mut self, pre_check: bool) {
        self.pre_check = pre_check;
        self.place = Place::Start;
    }

    /// Goes to a page; what it needs is asked for.
    pub(super) fn go(&mut self, place: Place) {
        let day = Stamp::now().date();
        let is_of_yesterday = self.draft.as_mut().is_some_and(|draft| draft.drop_of_another_day(day));
        // What was entered yesterday is entered again, and no run is begun with less than its plan has shown.
        let place = match place {
            Place::Run if is_of_yesterday && !self.pre_check => Place::Look,
            place => place,
        };
        self.place = place;
        self.entry = None;
        self.choosing = false;
        let Some(draft) = self.draft.clone().map(Box::new) else { return };
        match place {
            Place::Meter if self.plan == Asked::No => self.ask_plan(),
            Place::Plan => self.ask_plan(),
            Place::Look => {
                self.photos = Asked::Waiting;
                self.port.order(Order::ListPhotos);
            }
            Place::Connect => self.connection = Asked::No,
            Place::Run => {
                self.first.get_or_insert_with(|| draft.field(Field::Serial).to_owned());
                self.begin(Order::Verify(draft));
            }
            _ => {}
        }
    }

    /// The page of the run, and the order that begins it or ends it.
    pub(super) fn begin(&mut self, order: Order) {
        self.place = Place::Run;
        self.entry = None;
        self.ended = None;
        self.live = None;
        self.stopped = None;
        self.waiting = None;
        self.set_right.clear();
        self.begun = self.port.begin(order);
    }

    /// Asks for a plan of what was gathered.
    pub(super) fn ask_plan(&mut self) {
        if let Some(draft) = &self.draft {
            self.plan = Asked::Waiting;
            self.port.order(Order::Plan(Box::new(draft.clone())));
        }
    }

    /// Takes a meter.
    pub(super) fn choose(&mut self, job: Job) {
        let day = Stamp::now().date();
        let of = |given: &Entries, on| Draft::new(&job.text, self.options.kind, given.clone(), on);
        let mut draft = of(&self.options.entries, self.opened_on);
        if self.first.as_ref().is_some_and(|first| first != draft.field(Field::Serial)) {
            draft = of(&self.options.later, day);
        }
        draft.pre_check = self.pre_check;
        if let Some(before) = &self.draft {
            draft.carry(before, day);
        }
        draft.drop_of_another_day(day);
        self.draft = Some(draft);
        self.job = Some(job);
        self.found = None;
        self.plan = Asked::No;
        self.meter_read = Asked::No;
        self.go(Place::Meter);
    }

    /// Back to the start, for the next meter.
    pub(super) fn next_meter(&mut self) {
        self.ended = None;
        self.live = None;
        self.job = None;
        self.place = Place::Start;
        self.lights = Asked::Waiting;
        self.jobs = Asked::Waiting;
        self.port.order(Order::TestSelf);
        self.port.order(Order::ListJobs);
        self.port.order(Order::FindWaiting);
    }

    /// Looks a number up.
    pub(super) fn find(&mut self, number: &str) {
        let number = number.trim();
        if !number.is_empty() {
            self.found = Some((number.to_owned(), Asked::Waiting));
            self.port.order(Order::Find(number.to_owned()));
        }
    }

    /// Takes in what came from behind.
    fn handle_news(&mut self) {
        let all: Vec<News> = self.port.news().collect();
        for news in all {
            match news {
                News::Lights(lights) => self.lights = Asked::Here(lights),
                News::Jobs(jobs) => self.jobs = Asked::Here(jobs),
                News::Left { waiting, words, is_known } => {
                    (self.waiting, self.set_right, self.closing) = (waiting, words, false);
                    if self.waiting.is_some() || !is_known {
                        // Whoever was at work when it was interrupted has told nobody whether the source went off.
                        self.nobody_measured();
                    }
                    if self.waiting.is_some() && !self.is_under_way() {
                        // It stands before everything else.
                        self.place = Place::Start;
                        self.entry = None;
                    }
                }
                News::Found { number, job } => {
                    if self.found.as_ref().is_some_and(|(asked, _)| *asked == number) {
                        self.found = Some((number, Asked::Here(job.map(|job| *job))));
                    }
                }
                News::MeterRead(read) => {
                    if let (Ok((Some(serial), _)), Some(draft)) = (&read, &mut self.draft) {
                        draft.field_mut(Field::Serial).clone_from(serial);
                    }
                    self.meter_read = Asked::Here(read.map(|(_, lines)| lines));
                    self.ask_plan();
                }
                News::Planned(plan) => {
                    if let (Ok(plan), Some(draft)) = (&plan, &mut self.draft) {
                        draft.offer_places(&plan.seal_places);
                    }
                    self.plan = Asked::Here(plan);
                }
                News::Connected(connection) => self.wiring_ended(connection),
                News::Ended(ended) => {
                    self.port.order(Order::Play(sound(&ended)));
                    self.run_ended(ended);
                }
                News::Photos(photos) => self.photos = Asked::Here(photos),
                News::Photo(photo) => {
                    if let (Ok(photo), Some(draft)) = (&photo, &mut self.draft) {
                        draft.photo = Some(photo.clone());
                    }
                    self.photos = Asked::Here(photo.map(|photo| vec![photo]));
                }
                News::Desk(told) => self.desk.handle(told),
                News::Unlocked(answer) => self.lock.handle_answer(answer, now()),
            }
        }
        self.look_at_run();
    }

    /// A text was typed.
    fn accept(&mut self, entry: &Entry) {
        let text = entry.text.trim().to_owned();
        match entry.target {
            Target::Find => return self.find(&text),
            Target::Desk(field) => return self.desk_accept(field, text),
            Target::GoOn => return self.begin(Order::GoOn { serial: Some(text) }),
            Target::Pin => {
                self.port.order(Order::Unlock { pin: text });
                return;
            }
            _ => {}
        }
        let Some(draft) = &mut self.draft else { return };
        if matches!(entry.target, Target::Temperature | Target::Humidity) {
            draft.entered_on(Stamp::now().date());
        }
        let place = match entry.target {
            Target::Nameplate(field) => draft.field_mut(field),
            Target::Remark => &mut draft.remark,
            Target::Seals => &mut draft.seals,
            Target::SealAt(n) => match draft.placed.get_mut(n) {
                Some((_, number)) => number,
                None => return,
            },
            Target::Temperature => &mut draft.temperature,
            Target::Humidity => &mut draft.humidity,
            Target::Operator => &mut draft.operator,
            Target::Site => &mut draft.site,
            Target::Customer => &mut draft.customer,
            Target::Find | Target::GoOn | Target::Pin | Target::Desk(_) => return,
        };
        *place = text;
        if matches!(entry.target, Target::Nameplate(_)) {
            self.ask_plan();
        }
    }

    /// Everything of one frame.
    pub(super) fn show(&mut self, ui: &mut Ui) {
        let whole = ui.max_rect();
        let face = self.face(whole);
        self.dress(ui.ctx(), &face);
        ui.painter().rect_filled(whole, 0.0, face.tokens.ground);
        self.stop_at = None;
        let mut inside = ui.new_child(UiBuilder::new().max_rect(whole));
        let ui = &mut inside;
        if self.lock.is_locked() {
            self.lock_ui(ui, &face, whole);
            return;
        }
        if let Some(mut entry) = self.entry.take() {
            let events = ui.input(|input| input.events.clone());
            let typed = entry.handle(&events);
            let room = frame::below_top(whole).shrink(token::EDGE);
            let typed = if typed == Typed::More { entry.ui(ui, &face, room) } else { typed };
            match typed {
                Typed::More => self.entry = Some(entry),
                Typed::Done => self.accept(&entry),
                Typed::Cancelled => {}
            }
            self.top_ui(ui, &face, whole);
            return;
        }
        let room = self.frame_ui(ui, &face, whole);
        match self.place {
            Place::Start => self.start_ui(ui, &face, room),
            Place::Meter => self.meter_ui(ui, &face, room),
            Place::Look => self.look_ui(ui, &face, room),
            Place::Connect => self.connect_ui(ui, &face, room),
            Place::Plan => self.plan_ui(ui, &face, room),
            Place::Run => self.run_ui(ui, &face, room),
            Place::Result => self.result_ui(ui, &face, room),
            Place::Desk => self.desk_ui(ui, &face, room),
        }
    }

    fn dress(&mut self, ctx: &Context, face: &Face) {
        let pixels = ctx.content_rect().size().min_elem() * ctx.pixels_per_point();
        let wanted = (self.theme, pixels.to_bits());
        if self.dressed == Some(wanted) {
            return;
        }
        face.tokens.dress(ctx);
        let native = ctx.native_pixels_per_point().unwrap_or(1.0);
        let scale = (pixels / token::SHORT_SIDE / native).clamp(0.5, 4.0);
        if (ctx.zoom_factor() - scale).abs() > 1e-3 {
            ctx.set_zoom_factor(scale);
        }
        self.dressed = Some(wanted);
    }

    /// When the screen has to be drawn again although nothing came: contacts get old in a run; else the minute of the clock.
    fn wake_later(&self, ctx: &Context) {
        let later = if self.live.is_some() || self.is_under_way() {
            Span::from_millis(250)
        } else {
            let second = i64::from(Stamp::now().civil().second());
            let minute = Span::from_secs(60 - second.min(59));
            self.lock.due(now()).map_or(minute, |due| due.min(minute))
        };
        ctx.request_repaint_after(later.to_std());
    }
}

/// What an end sounds like.
fn sound(ended: &Ended) -> Sound {
    use super::values::End;
    use crate::verdict::Verdict;
    match ended.end {
        End::Decided(Verdict::Pass) => Sound::Pass,
        End::Decided(Verdict::Fail) => Sound::Fail,
        End::Checked { beyond: 0, undecided: 0, .. } => Sound::Tick,
        _ => Sound::Look,
    }
}

impl eframe::App for Screen {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.port.drawn();
        self.handle_news();
        // Before anything is drawn: a frame that takes long does not keep STOP waiting.
        let (events, time) = ctx.input(|input| (input.events.clone(), input.time));
        if let Some(by) = input::stop(&events, self.stop_at)
            && !(self.is_opening() && by == input::ON_SCREEN && time < self.opened + SECOND_TAP)
        {
            self.stop(by);
        }
        if input::is_sign_of_a_person(&events) {
            self.lock.touched(now());
        }
        if self.lock.look(now()) {
            self.port.order(Order::Locked);
        }
        let may_scan = self.entry.is_none() && self.waiting.is_none() && !self.lock.is_locked();
        if may_scan && matches!(self.place, Place::Start | Place::Meter) {
            for number in input::scan(&events, &mut self.scanned) {
                self.find(&number);
                self.place = Place::Start;
            }
        }
        if let Some(place) = self.under_way() {
            // Nothing may stand over STOP.
            self.entry = None;
            self.place = place;
        }
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        self.options.hooks.hang(self.is_live());
        self.options.hooks.frame(&mut self.frames, frame.info().cpu_usage, ui.ctx());
        let before = self.is_opening();
        Frame::NONE.show(ui, |ui| self.show(ui));
        if !before && self.is_opening() {
            // Whoever begins and stops in one frame has stopped.
            let (time, key) = ui.input(|input| (input.time, input::stop(&input.events, None)));
            self.opened = time;
            if let Some(by) = key {
                self.stop(by);
            }
        }
        self.wake_later(ui.ctx());
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.options.hooks.write(&mut self.frames);
    }

    fn clear_color(&self, _: &eframe::egui::Visuals) -> [f32; 4] {
        self.theme.tokens().ground.to_normalized_gamma_f32()
    }
}
