//! A chain that was read once in this process is believed no more than one that was not.

use super::*;
use crate::certificate::issue::Status;

/// A chain that is known, with a draft; its number.
fn read_once() -> (TempDir, String) {
    let dir = folder();
    let stored = store(&mut Archive::open(dir.path()).unwrap(), sample::completed(0.3));
    let number = stored.package.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(standing(dir.path(), &number).unwrap().status, Status::Draft);
    (dir, number)
}

#[test]
fn what_was_appended_since_is_seen() {
    let (dir, first) = read_once();
    let mut archive = Archive::open(dir.path()).unwrap();
    let stored = store(&mut archive, sample::completed(0.2));
    let second = stored.package.file_name().unwrap().to_str().unwrap().to_owned();
    let entries = |number: &str| {
        standing(dir.path(), number).unwrap().entries.iter().map(|entry| entry.0).collect::<Vec<_>>()
    };
    assert_eq!((entries(&first), entries(&second)), (vec![2, 3], vec![4, 5]));
    // Read from its first line it is the same.
    assert_eq!(known::state(dir.path()).unwrap(), chain::read(dir.path(), |_, _| ()).unwrap());
}

#[test]
fn what_was_changed_since_is_refused_as_if_it_were_read_for_the_first_time() {
    let (dir, number) = read_once();
    let path = dir.path().join(chain::FILE);
    let good = fs::read(&path).unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    for at in [good.len() / 4, good.len() / 2, good.len() - 40] {
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, &bad).unwrap();
        // As long as before and of the same hour: the bytes tell.
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let first = chain::read(dir.path(), |_, _| ()).unwrap_err().to_string();
        assert_eq!(standing(dir.path(), &number).unwrap_err().to_string(), first, "byte {at}");
        assert_eq!(check_register(dir.path()).unwrap_err().to_string(), first, "byte {at}");
        fs::write(&path, &good).unwrap();
        assert_eq!(standing(dir.path(), &number).unwrap().status, Status::Draft);
    }
}

#[test]
fn a_chain_whose_end_was_cut_off_since_is_as_long_as_it_is() {
    let (dir, _) = read_once();
    let path = dir.path().join(chain::FILE);
    let good = fs::read_to_string(&path).unwrap();
    let cut = good.lines().take(2).fold(String::new(), |text, line| text + line + "\n");
    fs::write(&path, cut).unwrap();
    let fault = check_register(dir.path()).unwrap_err().to_string();
    assert!(fault.contains("line 2") && fault.contains("end of chain.jws was cut off"), "{fault}");
    fs::remove_file(&path).unwrap();
    assert_eq!(known::state(dir.path()).unwrap(), State::default());
}

#[test]
fn the_row_of_an_edited_verdict_is_named_by_its_line_behind_names_of_two_lines() {
    let dir = folder();
    let mut archive = Archive::open(dir.path()).unwrap();
    for _ in 0..3 {
        let mut record = sample::completed(0.3);
        record.plan.entries.customer = "two\r\nlines".into();
        store(&mut archive, record);
    }
    drop(archive);
    let path = dir.path().join("register.csv");
    let good = fs::read_to_string(&path).unwrap();
    let begin = good.rfind("SIM-2026-000003").unwrap();
    let edited = format!("{}{}", &good[..begin], good[begin..].replacen(",pass,", ",fail,", 1));
    fs::write(&path, edited).unwrap();
    let fault = check_register(dir.path()).unwrap_err().to_string();
    // The header, two rows of two lines each.
    assert!(fault.contains("line 6") && fault.contains("changed by hand"), "{fault}");
}
