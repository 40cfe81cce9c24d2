//! A run that a crash or a power failure has left, behind the screen.

use super::Program;
use super::result;
use crate::cli::run::{left, record_of};
use crate::cli::verification::{Again, settled};
use crate::cli::{Stop, say};
use phantomload::archive::Stored;
use phantomload::bench::resume::{self, Left};
use phantomload::screen::port::News;
use phantomload::screen::values::{Ended, Waiting};
use phantomload::time::Stamp;
use std::sync::atomic::Ordering;

/// What stands in the chain of a run that was closed by the screen.
const WHY: &str = "closed by the operator on the screen";

impl Program {
    /// Looks for it, and tells the screen.
    pub(super) fn find_waiting(&self) {
        // While the bench is at work the folder is its own.
        if self.busy.load(Ordering::SeqCst) || !self.dir.exists() {
            return;
        }
        let (archive, found) = match settled(&self.dir, &say) {
            Ok(settled) => settled,
            // The self test's light of the data folder says so too, and no run begins.
            Err(stop) => {
                let words = vec![stop.message];
                return self.backstage.tell(News::Left { waiting: None, words, is_known: false });
            }
        };
        let words = archive.notices().iter().chain(&found.words).cloned().collect();
        let waiting = match (&found.left, found.unread) {
            (Some(left), _) => Some(waiting(left)),
            (None, Some(why)) => Some(Waiting {
                number: archive.open_numbers().map_or(String::new(), |numbers| numbers.record_no),
                meter: String::new(),
                at: String::new(),
                last: None,
                why,
                may_go_on: false,
                asks_serial: false,
            }),
            (None, None) => None,
        };
        drop(archive);
        if let Some(waiting) = &waiting {
            self.panel().interrupted(&waiting.number, &waiting.why);
        }
        self.backstage.tell(News::Left { waiting: waiting.map(Box::new), words, is_known: true });
    }

    /// Goes on with it.
    pub(super) fn go_on(&self, serial: Option<&str>) -> Ended {
        let again = Again { dir: &self.dir, bench: None, serial, log: None };
        let ready =
            settled(&self.dir, &say).and_then(|(archive, found)| again.prepare(archive, left(found)?, &say));
        match ready {
            Ok(ready) => {
                self.panel().begins(ready.plan());
                self.bring_to_end(ready)
            }
            Err(stop) => result::not_begun(stop.message),
        }
    }

    /// Ends it as it is.
    pub(super) fn close_waiting(&self) -> Ended {
        let closed = || -> Result<Ended, Stop> {
            let (mut archive, found) = settled(&self.dir, &say)?;
            if let Some(unread) = &found.unread {
                archive
                    .close_unread(&format!("{WHY}; its events could not be read: {unread}"))
                    .map_err(Stop::fault)?;
                return Ok(result::not_begun("closed without a record; the chain says so".into()));
            }
            let stored =
                left(found)?.close(&mut archive, &resume::boot(), Stamp::now(), WHY).map_err(Stop::fault)?;
            ended(&stored)
        };
        closed().unwrap_or_else(|stop| result::not_begun(stop.message))
    }
}

fn waiting(left: &Left) -> Waiting {
    let header = &left.kept.header;
    let plate = &header.plan.nameplate;
    Waiting {
        number: header.record_no.clone(),
        meter: format!("{} {} {}", plate.maker, plate.model, plate.serial),
        at: left.at(),
        last: Some(left.kept.last),
        why: left.why(&resume::boot()).to_owned(),
        may_go_on: true,
        asks_serial: plate.data_output.is_none(),
    }
}

fn ended(stored: &Stored) -> Result<Ended, Stop> {
    Ok(result::of(&record_of(stored)?, stored))
}
