//! What is known of the source, and STOP: what stands in the corner of every page, and whether there is something to stop.

use super::app::{Asked, Place, Screen};
use super::values::{Connection, Ended, Leads};
use crate::run::{Command, SourceState};
use crate::time::now;

impl Screen {
    /// A run is under way, or its source is not known to be off.
    pub(super) fn is_live(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.snapshot.outcome.is_none())
    }

    /// A run or a look at the wiring is under way, or its bench is being opened: there is something to stop, and no way
    /// leads anywhere else.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_live() || (self.live.is_none() && (self.begun || self.connection == Asked::Waiting))
    }

    /// A run or the look at the wiring was ordered, and nothing was seen of it yet.
    pub(super) fn is_opening(&self) -> bool {
        self.live.is_none() && self.is_under_way()
    }

    /// Where what is under way is shown.
    pub(super) fn under_way(&self) -> Option<Place> {
        let only_wiring = match &self.live {
            Some(live) => live.only_wiring,
            None => !self.begun,
        };
        self.is_under_way().then_some(if only_wiring { Place::Connect } else { Place::Run })
    }

    /// The source as it is known; none: nobody has measured what stands on the terminals.
    pub(super) fn source(&self) -> Option<SourceState> {
        self.live.as_ref().map_or(self.at_rest, |live| Some(live.snapshot.source))
    }

    /// Looks at the run under way, and remembers what will be known of the source when its picture is gone.
    pub(super) fn look_at_run(&mut self) {
        self.live = self.port.live();
        match self.live.as_ref().map(|live| live.snapshot.source) {
            Some(state @ (SourceState::Off | SourceState::NotSafe)) => self.at_rest = Some(state),
            Some(SourceState::On | SourceState::Changing | SourceState::GoingOff) => self.at_rest = None,
            None => {}
        }
        if !self.is_under_way() {
            self.stopped = None;
        }
    }

    /// Nothing was measured. Off is not known any more; that it was not safe still is.
    pub(super) fn nobody_measured(&mut self) {
        self.at_rest = self.at_rest.filter(|state| *state == SourceState::NotSafe);
    }

    /// A look at the wiring has ended; its picture is not shown any more.
    pub(super) fn wiring_ended(&mut self, connection: Connection) {
        self.look_at_run();
        self.port.forget();
        match connection {
            Connection::Good | Connection::Wrong(_) | Connection::Stopped(_) => {
                self.at_rest = Some(SourceState::Off);
            }
            Connection::NotOpened(_) => self.nobody_measured(),
            Connection::NotSafe { .. } => self.at_rest = Some(SourceState::NotSafe),
        }
        self.connection = Asked::Here(connection);
    }

    /// A run has ended. A picture of it that never got its outcome is not shown any more: nothing will move on in it.
    pub(super) fn run_ended(&mut self, ended: Box<Ended>) {
        self.look_at_run();
        if self.is_live() {
            self.port.forget();
        }
        match ended.leads {
            Leads::Safe => self.at_rest = Some(SourceState::Off),
            Leads::NotSafe => self.at_rest = Some(SourceState::NotSafe),
            Leads::Unknown => self.nobody_measured(),
        }
        self.begun = false;
        self.ended = Some(ended);
        self.place = Place::Result;
        self.entry = None;
    }

    /// The red button.
    pub(super) fn stop(&mut self, by: &str) {
        if self.is_under_way() {
            self.port.command(Command::Stop { why: format!("stopped by the operator ({by})") });
            self.stopped.get_or_insert(now());
        }
    }
}
