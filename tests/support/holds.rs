//! What this process holds, and whether it stays so.

use crate::support::comes_true;
use phantomload::time::Span;

/// What the process holds: resident memory of its own in kB, open files, threads. Pages of the program's file come and go
/// as the kernel likes.
#[derive(Debug, Clone, Copy)]
pub struct Holds {
    /// Of the process's own, in kB.
    pub memory: u64,
    /// Files that are open.
    pub files: usize,
    /// Threads.
    pub threads: u64,
}

/// Now.
pub fn holds() -> Holds {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Holds { memory: field("RssAnon:"), files, threads: field("Threads:") }
}

/// The most that was held after each of some runs. One look alone says little: the allocator keeps now ten megabytes of what
/// was freed and now twenty-five.
fn most(of: &[Holds]) -> Holds {
    Holds {
        memory: of.iter().map(|held| held.memory).max().unwrap(),
        files: of.iter().map(|held| held.files).min().unwrap(),
        threads: of.iter().map(|held| held.threads).min().unwrap(),
    }
}

/// A hundred runs hold no more than the first thirty did, but for a tenth and eight megabytes; files and threads no more than
/// after the first of them that held fewest.
pub fn is_flat(looks: &[Holds]) {
    let (first, rest) = looks.split_at(looks.len() * 3 / 10);
    let (early, memory) = (most(first), most(rest).memory);
    // Workers that were told to end may still be on their way out.
    let mut late = holds();
    comes_true(Span::from_secs(10), || {
        late = holds();
        late.files <= early.files && late.threads <= early.threads
    });
    println!("early {early:?}, late {late:?}");
    assert!(late.files <= early.files, "files were left open: {early:?}, {late:?}");
    assert!(late.threads <= early.threads, "threads were left running: {early:?}, {late:?}");
    assert!(
        memory <= early.memory + early.memory / 10 + 8_192,
        "memory grows: {early:?}, {memory} kB: {looks:?}"
    );
}
