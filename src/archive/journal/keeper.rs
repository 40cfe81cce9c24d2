//! Who puts the events of a run into the journal, and when.
//!
//! A commit waits for the disk, 5 to 50 ms on an SD card. So a real bench has a [`Writer`] on a thread of its own: what
//! came in is gathered, one commit for many events, and the conductor goes on looking at its bench; what is to be done
//! because of them waits until they are on the disk, off excepted. The simulated bench in process, whose clock jumps while
//! nobody waits, is kept [`InStep`].

use super::Book;
use crate::certificate::raw::Logged;
use crate::time::{Instant, Span, now};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Events that nobody waits for are gathered so long: what a crash may take of what nobody was shown. A choice of this
/// house, between that and the wear of a flash memory.
pub const GATHER: Span = Span::from_millis(500);

/// Where the events of a run are kept.
pub trait Keeper {
    /// Takes these in, in the order in which they came. It does not wait for the disk.
    fn take(&mut self, events: &[Logged]);
    /// How many events of the run are on the disk. `hurry`: somebody waits for all of them.
    fn kept(&mut self, hurry: bool) -> Result<u64, String>;
    /// Waits until all are.
    fn finish(&mut self) -> Result<(), String>;
}

/// Nothing is kept: studies, tests, the tester's own checks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotKept;

impl Keeper for NotKept {
    fn take(&mut self, _: &[Logged]) {}
    fn kept(&mut self, _: bool) -> Result<u64, String> {
        Ok(u64::MAX)
    }
    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Keeps on the conductor's own thread, when it is waited for.
#[derive(Debug)]
pub struct InStep {
    book: Book,
    gathered: Vec<Logged>,
    kept: u64,
    since: Instant,
}

impl InStep {
    /// Of a run that was begun in this journal, or gone on with.
    pub fn new(book: Book) -> Self {
        let kept = book.page.as_ref().map_or(0, |page| page.count);
        Self { book, gathered: vec![], kept, since: now() }
    }

    /// The journal.
    pub fn into_book(self) -> Book {
        self.book
    }
}

impl Keeper for InStep {
    fn take(&mut self, events: &[Logged]) {
        self.gathered.extend_from_slice(events);
    }

    fn kept(&mut self, hurry: bool) -> Result<u64, String> {
        if hurry || now() - self.since > GATHER {
            self.finish()?;
        }
        Ok(self.kept)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.kept = self.book.append(&self.gathered).map_err(|fault| fault.to_string())?;
        self.gathered.clear();
        self.since = now();
        Ok(())
    }
}

/// What the writer's thread has done.
#[derive(Debug)]
struct Done {
    kept: u64,
    commits: u64,
    failed: Option<String>,
}

enum Order {
    Take(Vec<Logged>),
    Hurry,
}

/// Keeps on a thread of its own.
#[derive(Debug)]
pub struct Writer {
    orders: Option<Sender<Order>>,
    done: Arc<Mutex<Done>>,
    thread: Option<JoinHandle<Book>>,
    /// Back from the thread.
    book: Option<Book>,
    /// Somebody was told to hurry since events were last taken.
    hurried: bool,
}

impl Writer {
    /// Of a run that was begun in this journal, or gone on with.
    pub fn start(book: Book) -> Self {
        let kept = book.page.as_ref().map_or(0, |page| page.count);
        let done = Arc::new(Mutex::new(Done { kept, commits: 0, failed: None }));
        let (orders, queue) = channel();
        let told = Arc::clone(&done);
        let thread = std::thread::spawn(move || write(book, &queue, &told));
        Self { orders: Some(orders), done, thread: Some(thread), book: None, hurried: false }
    }

    /// How often the disk was waited for.
    pub fn commits(&self) -> u64 {
        lock(&self.done).commits
    }

    /// Ends the thread and gives the journal back; none where the thread broke down.
    pub fn into_book(mut self) -> Option<Book> {
        // What failed was told by `finish` already.
        let _ = self.finish();
        self.book.take()
    }

    fn order(&self, order: Order) {
        let gone = self.orders.as_ref().is_none_or(|orders| orders.send(order).is_err());
        if gone {
            let mut done = lock(&self.done);
            done.failed.get_or_insert_with(|| "its writer broke down: a bug in this program".to_owned());
        }
    }
}

impl Keeper for Writer {
    fn take(&mut self, events: &[Logged]) {
        if !events.is_empty() {
            self.hurried = false;
            self.order(Order::Take(events.to_vec()));
        }
    }

    fn kept(&mut self, hurry: bool) -> Result<u64, String> {
        if hurry && !self.hurried {
            self.hurried = true;
            self.order(Order::Hurry);
        }
        let done = lock(&self.done);
        done.failed.clone().map_or(Ok(done.kept), Err)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.orders = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.book = thread.join().ok();
        match (&self.book, lock(&self.done).failed.clone()) {
            (_, Some(why)) => Err(why),
            (None, None) => Err("its writer broke down: a bug in this program".to_owned()),
            (Some(_), None) => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(done: &Mutex<Done>) -> MutexGuard<'_, Done> {
    done.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gathers and writes until the orders end.
fn write(mut book: Book, queue: &Receiver<Order>, done: &Mutex<Done>) -> Book {
    let mut gathered: Vec<Logged> = vec![];
    let mut since = now();
    loop {
        let left = if gathered.is_empty() { GATHER } else { GATHER - (now() - since) };
        let mut hurry = false;
        let mut ended = false;
        let mut next = queue.recv_timeout(left.to_std());
        loop {
            match next {
                Ok(Order::Take(events)) => {
                    if gathered.is_empty() {
                        since = now();
                    }
                    gathered.extend(events);
                }
                Ok(Order::Hurry) => hurry = true,
                Err(RecvTimeoutError::Disconnected) => ended = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // What has come meanwhile goes with it: one commit for all.
            match queue.try_recv() {
                Ok(order) => next = Ok(order),
                Err(_) => break,
            }
        }
        let is_due = hurry || ended || now() - since >= GATHER;
        if is_due && !gathered.is_empty() && lock(done).failed.is_none() {
            let written = book.append(&gathered);
            let mut done = lock(done);
            match written {
                Ok(kept) => (done.kept, done.commits) = (kept, done.commits + 1),
                Err(fault) => done.failed = Some(fault.to_string()),
            }
            gathered.clear();
        }
        if ended {
            return book;
        }
    }
}
