//! What the fuzzer has found worth keeping, played again through the same functions on every build: no panic, no hang.
//!
//! `tests/fuzz/run SECONDS` lets it go on inventing; `tests/fuzz/README.md` says what was run.

#[path = "fuzz/bodies.rs"]
mod bodies;

use bodies::BODIES;
use std::path::{Path, PathBuf};

fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_kept_input_of_every_parser_is_borne() {
    for (name, body) in BODIES {
        let files = corpus(name);
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            // Said before, so that a panic shows which.
            println!("{}", file.display());
            body(&std::fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_kept_input_is_borne_cut_off_and_with_a_byte_turned_over() {
    // Whole clients wait as they would on a line: their inputs are played as they are, above.
    for (name, body) in BODIES.into_iter().filter(|(name, _)| *name != "meters") {
        for (n, file) in corpus(name).into_iter().enumerate() {
            println!("{}", file.display());
            let bytes = std::fs::read(&file).unwrap();
            // Two places of each file, others in the next: the fuzzer itself tries them all.
            for place in
                [n * 7, n * 131].map(|at| at % bytes.len().max(1)).into_iter().filter(|_| !bytes.is_empty())
            {
                body(&bytes[..place]);
                let mut damaged = bytes.clone();
                damaged[place] ^= 0xFF;
                body(&damaged);
            }
        }
    }
}

#[test]
fn every_parser_is_a_target_of_the_fuzzer_and_the_kept_inputs_stay_small() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let targets: toml::Table = std::fs::read_to_string(here.join("Cargo.toml")).unwrap().parse().unwrap();
    let targets = targets["bin"].as_array().unwrap();
    let targets: Vec<&str> = targets.iter().filter_map(|target| target["name"].as_str()).collect();
    assert_eq!(targets, BODIES.map(|(name, _)| name));
    let sizes = BODIES.iter().flat_map(|(name, _)| corpus(name)).map(|file| file.metadata().unwrap().len());
    assert!(sizes.sum::<u64>() < 1_000_000);
}
