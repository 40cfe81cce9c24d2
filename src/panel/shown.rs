//! The status panel behind a thread of its own: whatever it does, the run does not wait for it.

use super::bitmap::Bitmap;
use super::display::{Display, Fault};
use super::status::{Language, Status, draw_status};
use crate::time::Span;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;

/// How long the last picture may take before the program ends without it.
const LAST: Span = Span::from_secs(2);

/// A panel that shows the latest status it was given.
pub struct Shown {
    wanted: Option<Sender<Status>>,
    faults: Receiver<Fault>,
    gone: Receiver<()>,
}

impl Shown {
    /// Opens the panel on its thread. One that does not open, or goes away, is opened again with each new picture, so
    /// that it comes back when its plug does; it is told once.
    pub fn start(
        mut open: impl FnMut() -> Result<Box<dyn Display>, Fault> + Send + 'static,
        language: Language,
    ) -> Self {
        let (wanted, statuses) = mpsc::channel::<Status>();
        let (told, faults) = mpsc::channel();
        let (last, gone) = mpsc::channel();
        thread::spawn(move || {
            let mut panel: Option<Box<dyn Display>> = None;
            let mut shown: Option<Bitmap> = None;
            let mut is_told = false;
            while let Ok(first) = statuses.recv() {
                // Only the latest counts.
                let status = statuses.try_iter().last().unwrap_or(first);
                let picture = draw_status(&status, language);
                if shown.as_ref() == Some(&picture) {
                    continue;
                }
                let done = match &mut panel {
                    Some(panel) => panel.show(&picture),
                    None => open().and_then(|opened| panel.insert(opened).show(&picture)),
                };
                match done {
                    Ok(()) => shown = Some(picture),
                    Err(fault) => {
                        (panel, shown) = (None, None);
                        if !is_told {
                            is_told = true;
                            // Nobody may listen any more.
                            let _ = told.send(fault);
                        }
                    }
                }
            }
            drop(last);
        });
        Self { wanted: Some(wanted), faults, gone }
    }

    /// Shows it as soon as the panel can; never waits.
    pub fn show(&self, status: Status) {
        // A thread that has ended shows nothing more, and disturbs nobody.
        let _ = self.wanted.as_ref().map(|wanted| wanted.send(status));
    }

    /// What is wrong with the panel: told once.
    pub fn fault(&self) -> Option<Fault> {
        self.faults.try_recv().ok()
    }

    /// Waits until the last picture stands, not longer than two seconds; gives what was wrong and not yet told.
    pub fn end(mut self) -> Option<Fault> {
        self.wanted = None;
        match self.gone.recv_timeout(LAST.to_std()) {
            Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => self.fault(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::status::Stage;
    use std::sync::{Arc, Mutex};

    struct Wall {
        pictures: Arc<Mutex<Vec<Bitmap>>>,
        fails: bool,
    }

    impl Display for Wall {
        fn show(&mut self, picture: &Bitmap) -> Result<(), Fault> {
            if self.fails {
                return Err(Fault::Silent { address: 0x3C, what: "BusWriteError".into() });
            }
            self.pictures.lock().unwrap().push(picture.clone());
            Ok(())
        }
    }

    fn status(stage: Stage) -> Status {
        Status { stage, simulated: false, address: None }
    }

    #[test]
    fn the_last_status_is_shown_before_the_end_and_none_twice() {
        let pictures = Arc::new(Mutex::new(vec![]));
        let wall = Arc::clone(&pictures);
        let shown = Shown::start(
            move || Ok(Box::new(Wall { pictures: Arc::clone(&wall), fails: false })),
            Language::Chinese,
        );
        for stage in [Stage::Opening, Stage::Opening, Stage::Ready] {
            shown.show(status(stage));
        }
        assert_eq!(shown.end(), None);
        let pictures = pictures.lock().unwrap();
        assert!((1..=2).contains(&pictures.len()));
        assert_eq!(pictures.last(), Some(&draw_status(&status(Stage::Ready), Language::Chinese)));
    }

    #[test]
    fn a_panel_that_does_not_answer_is_told_once_and_comes_back() {
        let pictures = Arc::new(Mutex::new(vec![]));
        let (wall, tries) = (Arc::clone(&pictures), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&tries);
        let shown = Shown::start(
            move || {
                let mut tries = counted.lock().unwrap();
                *tries += 1;
                Ok(Box::new(Wall { pictures: Arc::clone(&wall), fails: *tries <= 2 }))
            },
            Language::English,
        );
        let wait_for = |n| {
            while *tries.lock().unwrap() < n {
                thread::yield_now();
            }
        };
        for (n, stage) in [(1, Stage::Opening), (2, Stage::Ready), (3, Stage::Opening)] {
            shown.show(status(stage));
            wait_for(n);
        }
        let fault = shown.end().unwrap();
        assert!(fault.to_string().contains("nothing answers"), "{fault}");
        assert_eq!(pictures.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_panel_that_hangs_holds_nobody_up() {
        let (hold, held) = mpsc::channel::<()>();
        let shown = Shown::start(
            move || {
                let _ = held.recv();
                Err(Fault::Bus { bus: 1, why: "late".into() })
            },
            Language::English,
        );
        for _ in 0..1000 {
            shown.show(status(Stage::Ready));
        }
        assert_eq!(shown.fault(), None);
        drop(hold);
        assert!(shown.end().is_some());
    }
}
