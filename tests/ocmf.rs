//! Signed records: every one of the data gets the answer it must, by our judge and by a foreign one, and no damage is
//! ever valid.

#[path = "support/skip.rs"]
mod skip;
mod support;

use phantomload::meter::ocmf::{self, Authenticity, Key, Record};
use phantomload::quantity::{Energy, Ratio};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{json, phantomload, stderr};

/// One line of the data.
struct Line {
    id: String,
    expect: String,
    key: Key,
    key_hex: String,
    record: String,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/ocmf/records.jsonl")
}

/// The records, which are not part of the project; none, loudly, where they are absent.
fn lines() -> Vec<Line> {
    let Ok(text) = std::fs::read_to_string(path()) else {
        skip::skipped(&format!("{} is absent, no signed record was looked at", path().display()));
        return vec![];
    };
    let lines = text.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        Line {
            id: text("id"),
            expect: text("expect"),
            key: Key::from_text(&text("public_key_hex")).unwrap(),
            key_hex: text("public_key_hex"),
            record: text("ocmf"),
        }
    });
    let lines: Vec<Line> = lines.collect();
    assert_eq!(lines.len(), 29, "the data have 29 records");
    lines
}

/// What a line of the data has to be answered with. secp192k1 is on no list of what this program checks.
fn expected(line: &Line) -> &'static str {
    match line.expect.as_str() {
        _ if line.id.starts_with("secp192k1") => "unsupported",
        "invalid" => "not_authentic",
        _ => "valid",
    }
}

fn valid() -> Vec<Line> {
    lines().into_iter().filter(|line| expected(line) == "valid").collect()
}

#[test]
fn every_record_of_the_data_gets_the_answer_it_must() {
    for line in lines() {
        let checked = ocmf::check(line.record.as_bytes(), Some(&line.key));
        assert_eq!(checked.authenticity.word(), expected(&line), "{}: {}", line.id, checked.authenticity);
        // Without a key nothing is said for it, and nothing against it.
        let without = ocmf::check(line.record.as_bytes(), None).authenticity.word();
        assert_eq!(without == "key_unknown", expected(&line) != "unsupported", "{}", line.id);
    }
}

#[test]
fn what_departs_from_the_specification_is_named_for_each_known_quirk() {
    let lines = lines();
    for (id, at, word) in [
        ("ebz-secp192r1-2", "SD", "read as unsigned"),
        ("isabellenhuette-bare-key-1", "SD", "bare r‖s"),
        ("isabellenhuette-bare-key-1", "key", "bare point"),
        ("isabellenhuette-bare-key-1", "RD[0].EF", "energy unusable"),
        ("isabellenhuette-bare-key-1", "RD[0].RV", "written as a text"),
        ("dzg-secp256k1-1", "RD[0].RV", "with spaces"),
        ("dzg-secp256k1-2", "RD[1].RU", "`sec`"),
        ("keba-kcp30-1", "MS", "missing"),
        ("brainpoolP256r1-1", "SA", "brainpool256r1"),
        ("bauer-bsm-1", "RD[0].ST", "other error"),
    ] {
        let Some(line) = lines.iter().find(|line| line.id == id) else { continue };
        let deviations = ocmf::check(line.record.as_bytes(), Some(&line.key)).deviations;
        let found = deviations.iter().any(|d| d.at == at && d.what.contains(word));
        assert!(found, "{id}: no `{word}` at {at} in {deviations:#?}");
    }
    let lem = lines.iter().find(|line| line.id == "lem-dcbm-1");
    assert!(
        lem.is_none_or(|line| ocmf::check(line.record.as_bytes(), Some(&line.key)).deviations.is_empty())
    );
}

#[test]
fn readings_take_over_what_is_left_out_and_keep_every_digit() {
    let Some(line) = lines().into_iter().find(|line| line.id == "lem-dcbm-1") else { return };
    let record = Record::parse(line.record.as_bytes()).unwrap();
    let third = &record.readings()[3];
    assert_eq!((third.reason.as_deref(), third.current_type.as_deref()), (Some("E"), Some("DC")));
    let imported = record.imported().unwrap();
    assert_eq!(imported.energy_kwh.to_string(), "1.101");
    assert_eq!(imported.resolution_kwh.to_string(), "0.001");
    let one_percent = Ratio::from_percent(1.0);
    assert_eq!(imported.against(Energy::from_kilowatt_hours(1.1), one_percent), None);
    let apart = imported.against(Energy::from_kilowatt_hours(1.0), one_percent).unwrap();
    assert!(apart.what.contains("+10.100 %"), "{apart}");
}

#[test]
fn trap_p_the_signature_is_checked_over_the_exact_bytes() {
    for line in lines().into_iter().filter(|line| line.id.starts_with("lem-tamper")) {
        let answer = ocmf::check(line.record.as_bytes(), Some(&line.key)).authenticity;
        assert!(matches!(answer, Authenticity::NotAuthentic { .. }), "{}: {answer}", line.id);
    }
    // The same meaning, written anew, is another record.
    let Some(line) = valid().into_iter().find(|line| line.id.starts_with("em580")) else { return };
    let compact = line.record.replace("\"LI\": 99", "\"LI\":99");
    assert_ne!(compact, line.record);
    assert!(!ocmf::check(compact.as_bytes(), Some(&line.key)).authenticity.is_valid());
}

#[test]
fn every_truncation_is_malformed() {
    for line in valid() {
        let bytes = line.record.as_bytes();
        for length in 0..bytes.len() {
            let answer = ocmf::check(&bytes[..length], Some(&line.key)).authenticity;
            assert!(matches!(answer, Authenticity::Malformed(_)), "{} at {length}: {answer}", line.id);
        }
    }
}

/// Records whose every signed bit is flipped; the others' signatures and keys only, since a verification on a wide curve
/// takes its time.
const IN_FULL: [&str; 2] = ["lem-dcbm-1", "base64-sig-1"];

#[test]
fn no_single_bit_flip_in_the_signed_bytes_or_the_signature_is_valid() {
    for line in valid() {
        let bytes = line.record.as_bytes();
        let record = Record::parse(bytes).unwrap();
        let payload = "OCMF|".len().."OCMF|".len() + record.payload().len();
        let at = line.record.rfind("\"SD\"").unwrap() + 4;
        let begin = at + line.record[at..].find('"').unwrap() + 1;
        let signature = begin..begin + line.record[begin..].find('"').unwrap();
        let signed = payload.clone().filter(|at| IN_FULL.contains(&line.id.as_str()) || at % 61 == 0);
        for place in signed.chain(signature.clone()) {
            for bit in 0..8 {
                let mut flipped = bytes.to_vec();
                flipped[place] ^= 1 << bit;
                let answer = ocmf::check(&flipped, Some(&line.key)).authenticity;
                // `A` and `a` are the same hex digit: the signature is the same one then.
                let same_digit = signature.contains(&place)
                    && line.id != "base64-sig-1"
                    && flipped[place].eq_ignore_ascii_case(&bytes[place]);
                assert_eq!(answer.is_valid(), same_digit, "{} byte {place} bit {bit}: {answer}", line.id);
            }
        }
    }
}

#[test]
fn no_single_bit_flip_in_the_key_is_valid() {
    for line in valid() {
        let digits = line.key_hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let key: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        for place in 0..key.len() {
            for bit in 0..8 {
                let mut flipped = key.clone();
                flipped[place] ^= 1 << bit;
                let Ok(flipped) = Key::from_binary(&flipped) else { continue };
                let answer = ocmf::check(line.record.as_bytes(), Some(&flipped)).authenticity;
                assert!(!answer.is_valid(), "{} byte {place} bit {bit}", line.id);
            }
        }
    }
}

#[test]
fn a_key_is_read_in_every_form_it_comes_in() {
    use base64::Engine as _;
    let Some(line) = valid().into_iter().find(|line| line.id == "lem-dcbm-1") else { return };
    let digits = line.key_hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let der: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &base64[..64],
        &base64[64..]
    );
    let bare = line.key_hex[line.key_hex.len() - 128..].to_owned();
    let blanks = line.key_hex.to_uppercase().replace("CE3D", "CE 3D\n");
    for text in [&base64, &pem, &bare, &format!("04{bare}"), &blanks] {
        let key = Key::from_text(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert!(ocmf::check(line.record.as_bytes(), Some(&key)).authenticity.is_valid(), "{text}");
        assert_eq!(key.fingerprint(), line.key.fingerprint());
    }
    assert!(
        ocmf::check(line.record.as_bytes(), Some(&Key::from_bytes(&der).unwrap())).authenticity.is_valid()
    );
    for bad in ["", "zz", "04", &bare[1..], "-----BEGIN PUBLIC KEY-----\n", &"ab".repeat(5000)] {
        assert!(Key::from_text(bad).is_err(), "{bad}");
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

#[test]
fn records_damaged_in_many_ways_never_panic_and_are_valid_only_where_nothing_signed_has_changed() {
    let mut dice = Dice(20_261_121);
    for line in valid() {
        let original = Record::parse(line.record.as_bytes()).unwrap();
        for _ in 0..60 {
            let mut bytes = line.record.clone().into_bytes();
            for _ in 0..=dice.below(4) {
                let (at, length) = (dice.below(bytes.len()), dice.below(40));
                match dice.below(4) {
                    0 => bytes[at] = b"|{}[]\",:0aZ\\ \xff"[dice.below(14)],
                    1 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
                    2 => {
                        let part = bytes[at..(at + length).min(bytes.len())].to_vec();
                        let to = dice.below(bytes.len());
                        bytes.splice(to..to, part);
                    }
                    _ => bytes.insert(at, dice.below(256) as u8),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let checked = ocmf::check(&bytes, Some(&line.key));
            if checked.authenticity.is_valid() {
                assert_eq!(checked.record.unwrap().payload(), original.payload(), "{}", line.id);
            }
            let _ = ocmf::envelope::open(&bytes);
        }
    }
}

#[test]
fn garbage_of_any_kind_is_malformed_and_nothing_else() {
    let deep = format!("OCMF|{{\"RD\":{}1{}}}|{{\"SD\":\"00\"}}", "[".repeat(20_000), "]".repeat(20_000));
    let long = format!("OCMF|{{\"ID\":\"{}\"}}|{{\"SD\":\"00\"}}", "x".repeat(ocmf::RECORD_MAX));
    for bad in [
        "",
        "OCMF",
        "OCMF|",
        "OCMF||",
        "OCMF|{}|",
        "OCMF|{}|{}",
        "OCMF|1|{\"SD\":\"00\"}",
        "OCMF|{}|{\"SD\":1}",
        "OCMF|{}|{\"SD\":\"xyz\"}",
        "OCMF|{}|{\"SD\":\"00\"}x",
        "OCMF|{}{\"SD\":\"00\"}",
        "ocmf|{}|{\"SD\":\"00\"}",
        "OCMF|{}|{\"SD\":\"00\",\"SE\":\"rot13\"}",
        &deep,
        &long,
    ] {
        let answer = ocmf::check(bad.as_bytes(), None).authenticity;
        assert!(matches!(answer, Authenticity::Malformed(_)), "{}: {answer}", &bad[..bad.len().min(80)]);
    }
}

#[test]
fn a_foreign_library_gives_the_same_answers() {
    let (lines, python) = (lines(), std::env::var("PHANTOMLOAD_OCMF_PYTHON").unwrap_or("python3".into()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ocmf_judge.py");
    let output = Command::new(python).arg(script).arg(path()).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return skip::skipped(
            "no Python with the package cryptography; set PHANTOMLOAD_OCMF_PYTHON (.ci/run does)",
        );
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let foreign: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    assert_eq!(foreign.len(), lines.len());
    for (line, (id, answer)) in lines.iter().zip(foreign) {
        assert_eq!(line.id, id);
        let ours = ocmf::check(line.record.as_bytes(), Some(&line.key)).authenticity.word();
        assert_eq!(ours, answer, "{id}");
    }
}

#[test]
fn the_command_says_it_in_a_word_and_ends_with_0_only_for_valid() {
    let lines = lines();
    let Some(lem) = lines.iter().find(|line| line.id == "lem-dcbm-1") else { return };
    let tampered = lines.iter().find(|line| line.id == "lem-tamper-energy").unwrap();
    let k192 = lines.iter().find(|line| line.id == "secp192k1-1").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("record.txt");
    for (record, key, result, code) in [
        (lem.record.as_str(), Some(&lem.key_hex), "valid", 0),
        (&tampered.record, Some(&tampered.key_hex), "not_authentic", 1),
        (&lem.record, None, "key_unknown", 4),
        (&k192.record, Some(&k192.key_hex), "unsupported", 4),
        ("OCMF|{", Some(&lem.key_hex), "malformed", 2),
        ("", Some(&lem.key_hex), "malformed", 2),
        (&format!("{}\n{}\n", lem.record, tampered.record), Some(&lem.key_hex), "not_authentic", 1),
        (&format!("{}\r\n{}\r\n", lem.record, lem.record), Some(&lem.key_hex), "valid", 0),
    ] {
        std::fs::File::create(&file).unwrap().write_all(record.as_bytes()).unwrap();
        let mut arguments = vec!["ocmf", "verify", file.to_str().unwrap(), "--json"];
        arguments.extend(key.iter().flat_map(|key| ["--key", key.as_str()]));
        let output = phantomload(&arguments);
        assert_eq!(output.status.code(), Some(code), "{result}: {}", stderr(&output));
        let told = json(&output);
        assert_eq!(told["result"], result);
        assert!(told["deviations"].is_array());
    }
    // A key that comes with the records proves nothing unless somebody says that it shall.
    let wrapped = path();
    let told = phantomload(&["ocmf", "verify", wrapped.to_str().unwrap()]);
    assert!(!told.status.success());
    let told = phantomload(&["ocmf", "verify", wrapped.to_str().unwrap(), "--enclosed-key", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let told = json(&told);
    let valid = told["records"].as_array().unwrap().iter().filter(|row| row["result"] == "valid").count();
    assert_eq!(valid, lines.iter().filter(|line| expected(line) == "valid").count());
}
