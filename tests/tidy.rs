//! The house rules that a compiler does not hold: order of modules, bans, file length, a first sentence everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each module may use what stands before it.
const ORDER: [&str; 23] = [
    "quantity",
    "time",
    "machine",
    "link",
    "calibration",
    "uncertainty",
    "regulation",
    "plan",
    "source",
    "reference",
    "pulse",
    "meter",
    "error",
    "verdict",
    "certificate",
    "archive",
    "history",
    "run",
    "bench",
    "sim",
    "screen",
    "panel",
    "cli",
];
/// Modules without I/O, clock, thread or randomness.
const PURE: [&str; 9] = [
    "quantity",
    "calibration",
    "regulation",
    "plan",
    "error",
    "uncertainty",
    "verdict",
    "certificate",
    "run",
];
/// What a pure module must not name.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::sync::mpsc",
    "rand_chacha",
    "time::now",
    "time::sleep",
    "Stamp::now",
    "serialport",
];
/// Driver modules, and who alone may name them.
const DRIVERS: [(&str, &[&str]); 11] = [
    ("pulse::gpio", &["pulse", "bench", "cli"]),
    ("source::scpi", &["source", "bench", "cli"]),
    ("source::xl9600", &["source", "bench", "sim", "cli"]),
    ("reference::scpi", &["reference", "bench", "cli"]),
    ("dlt645::Client", &["meter", "cli"]),
    ("modbus::Client", &["meter", "cli"]),
    ("dlt698::Client", &["meter"]),
    ("iec62056::Client", &["meter"]),
    ("sml::Client", &["meter"]),
    ("lem::Client", &["meter", "bench", "sim", "cli"]),
    ("link::serial", &["link", "bench", "sim", "cli"]),
];
/// The only file that asks a clock; `.clippy.toml` holds the same by name.
const CLOCKS: [&str; 5] =
    ["Instant::now", "SystemTime::now", "thread::sleep", "Zoned::now", "Timestamp::now"];
const LINES_MAX: usize = 600;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = vec![];
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 40, "the sources were not found");
    found
}

/// The module a file belongs to: `meter` for `src/meter/dlt645/frame.rs`.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code without comments and without the tests at its foot.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end].lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Modules named by `crate::x`, also in `use crate::{a, b::c}`.
fn used(code: &str) -> Vec<String> {
    let mut found = vec![];
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| {
            text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        };
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = list.find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let mut depth = 0;
            for part in list[..end.unwrap()].split(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ',' && depth == 0
            }) {
                found.push(word(part));
            }
        } else {
            found.push(word(rest));
        }
    }
    found
}

#[test]
fn a_module_imports_only_what_stands_before_it() {
    let place = |name: &str| ORDER.iter().position(|m| *m == name);
    let mut wrong = vec![];
    for (path, text) in sources() {
        let own = module(&path);
        let Some(own_place) = place(&own) else { continue };
        for other in used(&code(&text)) {
            if let Some(other_place) = place(&other)
                && other_place > own_place
            {
                wrong.push(format!("{} uses {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place_in_the_order_and_on_the_map() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (path, _) in sources() {
        let own = module(&path);
        assert!(
            own == "lib" || own == "main" || ORDER.contains(&own.as_str()),
            "{own} has no place in the order"
        );
        if !["lib", "main", "cli"].contains(&own.as_str()) {
            assert!(map.contains(&format!("| [`{own}`]")), "src/lib.rs does not describe {own}");
        }
    }
}

#[test]
fn pure_modules_ask_nothing_of_the_world() {
    let mut wrong = vec![];
    for (path, text) in sources() {
        if !PURE.contains(&module(&path).as_str()) {
            continue;
        }
        let code = code(&text);
        for word in IMPURE {
            if code.contains(word) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
        if code.contains("time::{") && code.lines().any(|l| l.contains("time::{") && l.contains("now")) {
            wrong.push(format!("{} imports the clock", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn drivers_and_clocks_are_named_in_their_places_only() {
    let mut wrong = vec![];
    for (path, text) in sources() {
        let (own, code) = (module(&path), code(&text));
        for (driver, allowed) in DRIVERS {
            if code.contains(driver) && !allowed.contains(&own.as_str()) {
                wrong.push(format!("{} names {driver}", path.display()));
            }
        }
        for clock in CLOCKS {
            if code.contains(clock) && own != "time" {
                // Our own stamp is asked by name in its places; the standard library's clocks nowhere else.
                let ours = code.matches(clock).count() == code.matches(&format!("time::{clock}")).count();
                if !ours {
                    wrong.push(format!("{} asks a clock: {clock}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = vec![];
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!("{} has {lines} lines, allowed are {LINES_MAX}", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not begin with a //! sentence", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_why() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut inside = false;
    let mut reason = false;
    let mut without = vec![];
    for line in manifest.lines() {
        if line.starts_with('[') {
            (inside, reason) = (line.contains("dependencies"), false);
        } else if line.starts_with('#') {
            reason = true;
        } else if inside && !line.trim().is_empty() {
            if !reason {
                without.push(line.to_owned());
            }
            reason = false;
        }
    }
    // serde, thiserror and tempfile explain themselves by their names.
    without.retain(|l| !["serde =", "thiserror =", "tempfile ="].iter().any(|known| l.starts_with(known)));
    assert!(without.is_empty(), "no reason beside {without:?}");
}

/// Crates with the features they are built with, along such edges.
fn built_with(edges: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--locked",
            "--prefix=none",
            "--no-dedupe",
            "--format={p} {f}",
            "--edges",
        ])
        .arg(edges)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8(tree.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn tests_and_benches_add_no_feature_to_a_crate_of_the_program() {
    let (program, all) = (built_with("normal"), built_with("normal,dev"));
    assert!(program.len() > 200 && all.len() > program.len(), "cargo tree told nothing");
    let built_twice: Vec<_> = program.difference(&all).collect();
    assert!(built_twice.is_empty(), "see above [dev-dependencies] in Cargo.toml: {built_twice:#?}");
}
