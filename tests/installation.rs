//! What the Debian package brings: it must fit the program and the words about it.

use phantomload::bench::board;
use phantomload::bench::description::File;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn proposed() -> File {
    toml::from_str(&read("assets/system/bench-raspberry-pi.toml")).unwrap()
}

#[test]
fn the_proposed_bench_is_one_that_the_program_takes() {
    let file = proposed();
    let half = file.pulse.edge_half_width_us;
    board::check(file.pulse.gpio.as_ref(), half, &file.interlock, file.heartbeat.as_ref()).unwrap();
    file.limits.check().unwrap();
}

#[test]
fn the_wiring_table_and_the_proposed_bench_name_the_same_lines() {
    let file = proposed();
    let readme = read("README.md");
    let mut lines: Vec<(String, u8)> = board::lines(file.pulse.gpio.as_ref(), &file.interlock)
        .into_iter()
        .map(|(line, _)| (line.role, line.number))
        .collect();
    lines.push(("heartbeat".into(), file.heartbeat.and_then(|heartbeat| heartbeat.gpio).unwrap()));
    assert_eq!(lines.len(), 8);
    for (role, number) in lines {
        let row = readme.lines().find(|row| row.starts_with(&format!("| {role}")));
        let row = row.unwrap_or_else(|| panic!("README's wiring table has no row for {role}"));
        let cell = row.split('|').nth(2).map(str::trim);
        assert_eq!(cell, Some(number.to_string().as_str()), "{role}");
    }
}

#[test]
fn each_file_that_the_package_names_is_there() {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        if source.starts_with("target/") {
            continue;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source.trim_end_matches("*.toml"));
        assert!(path.exists(), "{source}");
    }
}
