//! What several tests share.

#![allow(dead_code, reason = "each test file uses its part")]

use phantomload::time::{Span, now};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program.
pub fn phantomload(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phantomload")).args(arguments).output().expect("the program starts")
}

/// Looks again and again, at most so long, whether it is so: a few milliseconds apart, since who looks without a pause takes
/// the processor from what is looked at.
pub fn comes_true(at_most: Span, mut is_so: impl FnMut() -> bool) -> bool {
    let begin = now();
    loop {
        if is_so() {
            return true;
        }
        if now() - begin >= at_most {
            return false;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as JSON.
pub fn json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("no JSON ({e}): {text}\n{}", stderr(output)))
}

/// Writes a file of the repository with some text replaced, and gives its path. Each replacement must find its text.
pub fn altered(dir: &Path, name: &str, file: &str, replace: &[(&str, &str)]) -> PathBuf {
    let mut text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    for (from, to) in replace {
        assert!(text.contains(from), "{file} does not hold `{from}`");
        text = text.replace(from, to);
    }
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A regulation of two-second windows, for runs in real time that must not take long. It is no regulation.
pub fn short_regulation(dir: &Path) -> PathBuf {
    regulation_of_windows(dir, 2)
}

/// The same with windows of so many seconds.
pub fn regulation_of_windows(dir: &Path, secs: u32) -> PathBuf {
    let windows = format!("min_seconds = {{ value = {secs},");
    let replace = [("min_seconds = { value = 10,", windows.as_str())];
    altered(dir, "short.toml", "assets/regulations/dc-meter.toml", &replace)
}
