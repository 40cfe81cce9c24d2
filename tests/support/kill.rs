//! What the kill matrix needs: programs that are killed at chosen moments, folders that are looked at afterwards.

#![allow(dead_code, reason = "each test file uses its part")]

use crate::support::comes_true;
use phantomload::archive::{Archive, Fault};
use phantomload::bench::resume;
use phantomload::certificate::number::Number;
use phantomload::time::Span;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Numbers that look like chance and are the same each time (`splitmix64`).
pub struct Chance(pub u64);

impl Chance {
    /// The next one.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The program with these arguments, its words going to a file.
pub fn spawn(arguments: &[&str], words: &Path) -> Child {
    let out = fs::File::create(words).unwrap();
    Command::new(env!("CARGO_BIN_EXE_phantomload"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap()
}

/// Waits for its end so long; `None`: it goes on.
pub fn ended_within(child: &mut Child, span: Span) -> Option<i32> {
    let mut ended = None;
    comes_true(span, || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    ended.map(|status| status.code().unwrap_or(-1))
}

/// Readings that the program has shown as done: the step's title, and how many.
pub fn shown(words: &Path) -> Vec<(String, usize)> {
    let text = fs::read_to_string(words).unwrap_or_default();
    let line = |line: &str| {
        let (head, count) = line.rsplit_once(": reading ")?;
        let (_, title) = head.split_once(" s  ")?;
        Some((title.to_owned(), count.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Numbers of papers that the program has named: it names them when it shows their verdict.
pub fn papers_shown(words: &Path) -> Vec<String> {
    let text = fs::read_to_string(words).unwrap_or_default();
    let tokens = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_paper = |token: &&str| token.parse::<Number>().is_ok_and(|number| !number.original_record);
    tokens.filter(is_paper).map(str::to_owned).collect()
}

/// What a data folder says after a kill. It is opened for writing, as the program does at its next start.
pub struct Looked {
    /// Readings that were shown and are not there.
    pub lost: usize,
    /// Packages that are not whole.
    pub halves: usize,
    /// Whether a run waits.
    pub waits: bool,
    /// Why it could not be opened.
    pub failed: Option<String>,
}

/// Opens a data folder. A program that another test starts has our files open for a moment, between its `fork` and its
/// `exec`, and with them the lock of a folder that was just let go: that is waited for.
pub fn open(dir: &Path) -> Result<Archive, Fault> {
    let mut opened = Archive::open(dir);
    comes_true(Span::from_secs(10), || {
        let is_held = matches!(&opened, Err(fault) if fault.to_string().contains("another instance"));
        if is_held {
            opened = Archive::open(dir);
        }
        !is_held
    });
    opened
}

/// Looks at a folder.
pub fn look(dir: &Path, shown: &[(String, usize)]) -> Looked {
    let mut looked = Looked { lost: 0, halves: halves(dir), waits: false, failed: None };
    let mut archive = match open(dir) {
        Ok(archive) => archive,
        Err(fault) => return Looked { failed: Some(fault.to_string()), ..looked },
    };
    match resume::settle(&mut archive) {
        Err(fault) => looked.failed = Some(fault.to_string()),
        Ok(found) => {
            looked.failed = found.unread;
            looked.waits = found.left.is_some();
            if let Some(left) = found.left {
                let results = left.run.results();
                for (title, count) in shown {
                    let step = left.kept.header.plan.steps.iter().find(|step| step.title == *title);
                    let Some(step) = step else { continue };
                    let item = results.items.iter().find(|item| {
                        let at = item.point.as_ref().map(|point| (point.voltage_v, point.current_a));
                        item.item == step.item && at == Some((step.load.voltage_v, step.load.current_a))
                    });
                    let kept = item.map_or(0, |item| item.readings().count());
                    looked.lost += count.saturating_sub(kept);
                }
            }
        }
    }
    looked.halves += halves(dir);
    looked
}

/// Packages without a manifest, or whose files are not those of it.
pub fn halves(dir: &Path) -> usize {
    let mut halves = 0;
    for folder in ["packages", "papers", "issued"] {
        let Ok(entries) = fs::read_dir(dir.join(folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(".tmp-") {
                continue;
            }
            let manifest = fs::read_to_string(entry.path().join("manifest.json")).unwrap_or_default();
            let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
            let is_whole = manifest["files"].as_object().is_some_and(|files| {
                files.iter().all(|(file, print)| {
                    fs::read(entry.path().join(file))
                        .is_ok_and(|b| *print == phantomload::archive::sha256(&b))
                })
            });
            halves += usize::from(!is_whole);
        }
    }
    halves
}

/// A copy of a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// The program with these arguments, to its end.
pub fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phantomload")).args(arguments).output().unwrap()
}

/// The only folder in a folder.
pub fn only(folder: &Path) -> PathBuf {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}
