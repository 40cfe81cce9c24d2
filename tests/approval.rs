//! From the draft to the issued paper and beyond, at the program's front door: three persons sign, then it is issued,
//! amended, withdrawn. Nothing that is there is ever changed.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{altered, json, phantomload, stderr};

const PIN: &str = "314159";

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--data", self.path().to_str().unwrap()]);
        phantomload(&arguments)
    }

    /// With a PIN, by file.
    fn with_pin(&self, pin: &str, arguments: &[&str]) -> Output {
        let file = self.path().join("pin.txt");
        fs::write(&file, format!("{pin}\n")).unwrap();
        let mut arguments = arguments.to_vec();
        let file = file.to_str().unwrap().to_owned();
        arguments.extend(["--pin-file", &file]);
        self.run(&arguments)
    }

    /// By the approver Cai.
    fn by_cai(&self, pin: &str, arguments: &[&str]) -> Output {
        let file = self.path().join("by.txt");
        fs::write(&file, PIN).unwrap();
        let mut arguments = arguments.to_vec();
        let file = file.to_str().unwrap().to_owned();
        arguments.extend(["--by", "Cai", "--by-pin-file", &file]);
        if arguments.contains(&"disable") { self.run(&arguments) } else { self.with_pin(pin, &arguments) }
    }

    fn persons(&self) {
        for (name, roles) in [("Ann", "verifier"), ("Bob", "verifier,checker"), ("Cai", "checker,approver")] {
            good(&self.with_pin(PIN, &["person", "add", name, "--role", roles]));
        }
    }

    /// A completed run; its paper's number.
    fn draft(&self) -> String {
        let told = json(&self.run(&["verify", "--json"]));
        told["certificate_no"].as_str().unwrap().to_owned()
    }

    fn sign(&self, number: &str, role: &str, person: &str, pin: &str) -> Output {
        self.with_pin(pin, &["certificate", "sign", number, "--role", role, "--person", person])
    }

    fn issue(&self) -> String {
        let number = self.draft();
        self.sign_and_issue(&number);
        number
    }

    fn sign_and_issue(&self, number: &str) {
        for (role, person) in [("verifier", "Ann"), ("checker", "Bob"), ("approver", "Cai")] {
            good(&self.sign(number, role, person, PIN));
        }
        good(&self.run(&["certificate", "issue", number]));
    }

    fn amend(&self, number: &str, set: &str) -> Output {
        let arguments =
            ["certificate", "amend", number, "--reason", "a misprint", "--set", set, "--person", "Cai"];
        self.with_pin(PIN, &arguments)
    }

    fn withdraw(&self, number: &str) -> Output {
        let arguments = ["certificate", "withdraw", number, "--reason", "a wrong seal", "--person", "Cai"];
        self.with_pin(PIN, &arguments)
    }

    fn list(&self, more: &[&str]) -> Vec<Value> {
        let mut arguments = vec!["certificate", "list", "--json"];
        arguments.extend(more);
        json(&self.run(&arguments)).as_array().unwrap().clone()
    }

    /// Each file of the packages with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    walk(&entry.path(), files);
                } else {
                    files.insert(entry.path(), fs::read(entry.path()).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        for folder in ["packages", "issued", "papers"] {
            walk(&self.path().join(folder), &mut files);
        }
        files
    }
}

fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output, words: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{words}: {said}");
    assert!(said.contains(words), "`{words}` is not in: {said}");
}

#[test]
fn a_paper_goes_from_draft_to_issue_to_amendment_to_withdrawal_and_no_file_changes() {
    let desk = Desk::new();
    fs::write(
        desk.path().join("laboratory.toml"),
        "name_zh = \"某某计量院\"\nauthorisation_no = \"(某)法计2026001\"\n",
    )
    .unwrap();
    desk.persons();
    let number = desk.issue();
    let issued = desk.list(&[]);
    let row = &issued[0];
    assert_eq!(row["status"], "issued");
    assert_eq!(
        [&row["verifier"], &row["checker"], &row["approver"], &row["lab_name"], &row["clock_sync"]],
        ["Ann", "Bob", "Cai", "某某计量院", "system"].map(Value::from).each_ref()
    );
    assert_eq!(row["lab_authorisation_no"], "(某)法计2026001");
    for column in ["issued_at", "prev_sha256", "manifest_sha256", "key_id"] {
        assert!(!row[column].as_str().unwrap().is_empty(), "{column}");
    }
    let statuses: Vec<_> = desk.list(&["--all"]).iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, ["issued", "checked", "draft"]);
    let report =
        fs::read_to_string(desk.path().join(format!("issued/{number}/{number}_report.txt"))).unwrap();
    assert!(report.contains("verified Ann    核验员 checked Bob    批准人 approved Cai"), "{report}");
    assert!(!report.contains("DRAFT 草稿") && report.contains("SIMULATED"));

    // Amended, and the amended one amended again: what was corrected first stays corrected.
    let mut files = desk.files();
    let year = &number[4..8];
    let second = format!("SIM-{year}-000002");
    let said = good(&desk.amend(&number, "customer==1+1"));
    assert!(said.contains(&format!("{second}: draft in place of {number}")), "{said}");
    // One person alone amends nothing: until three have signed anew, the old paper holds.
    let states: Vec<_> = desk.list(&[]).iter().map(|row| row["status"].clone()).collect();
    assert_eq!(states, ["draft", "issued"]);
    refused(&desk.run(&["certificate", "issue", &second]), "the verifier has not signed");
    refused(&desk.sign(&second, "approver", "Cai", PIN), "the verifier signs before");
    refused(&desk.amend(&second, "site=x"), "it is a draft");
    desk.sign_and_issue(&second);
    let row = desk.list(&[]).into_iter().find(|row| row["certificate_no"] == second.as_str()).unwrap();
    assert_eq!(
        [&row["verifier"], &row["checker"], &row["approver"], &row["replaces"]],
        ["Ann", "Bob", "Cai", number.as_str()].map(Value::from).each_ref()
    );
    good(&desk.amend(&second, "site=Beside the \"road\""));
    desk.sign_and_issue(&format!("SIM-{year}-000003"));
    let last = format!("SIM-{year}-000003");
    let row = desk.list(&[]).into_iter().find(|row| row["certificate_no"] == last.as_str()).unwrap();
    assert_eq!(
        (&row["customer"], &row["site"], &row["replaces"]),
        (&"=1+1".into(), &"Beside the \"road\"".into(), &format!("SIM-{year}-000002").into())
    );
    let states: Vec<_> = desk.list(&[]).iter().map(|row| row["status"].clone()).collect();
    assert_eq!(states, ["issued", "amended", "amended"]);
    let results = fs::read_to_string(desk.path().join(format!("issued/{last}/{last}_results.csv"))).unwrap();
    assert!(results.lines().skip(1).all(|line| line.starts_with(&format!("1,{last},SIM-R-"))));
    let records: Vec<_> =
        desk.files().into_iter().filter(|(path, _)| path.ends_with("record.json")).collect();
    assert!(records.len() == 6 && records.iter().all(|(_, bytes)| *bytes == records[0].1));

    // Withdrawn: neither amended nor withdrawn again.
    good(&desk.withdraw(&last));
    refused(&desk.withdraw(&last), "withdrawn already: a wrong seal");
    refused(&desk.amend(&last, "site=x"), "withdrawn already");
    refused(&desk.amend(&number, "site=x"), &format!("replaced by SIM-{year}-000002 already"));
    refused(&desk.withdraw(&number), "replaced by");
    refused(&desk.sign(&number, "verifier", "Ann", PIN), "replaced by");
    // Two drafts in place of one paper: the second is never issued.
    let paper = desk.issue();
    let drafts = [5, 6].map(|n| format!("SIM-{year}-{n:06}"));
    for site in ["site=y", "site=z"] {
        good(&desk.amend(&paper, site));
    }
    desk.sign_and_issue(&drafts[0]);
    refused(&desk.sign(&drafts[1], "verifier", "Ann", PIN), &format!("replaced by {} already", drafts[0]));
    let shown = good(&desk.run(&["certificate", "show", &last]));
    assert!(shown.contains(&format!("{last} is withdrawn")) && shown.contains("a wrong seal"), "{shown}");
    assert!(shown.contains("entry") && shown.contains("替代 replaces"), "{shown}");

    // Each package is whole and has its place in the chain, which says what became of it; so is the chain.
    for (folder, result) in [
        (format!("packages/{number}"), "replaced"),
        (format!("issued/{number}"), "replaced"),
        (format!("issued/{last}"), "withdrawn"),
    ] {
        let checked =
            desk.run(&["certificate", "verify", desk.path().join(folder).to_str().unwrap(), "--json"]);
        assert_eq!((checked.status.code(), &json(&checked)["result"]), (Some(1), &result.into()));
    }
    good(&desk.run(&["certificate", "verify", desk.path().join("chain.jws").to_str().unwrap()]));

    // What was there is there, unchanged.
    let after = desk.files();
    files.retain(|path, bytes| after.get(path) != Some(bytes));
    assert!(files.is_empty(), "{:?}", files.keys());
    // The next run takes the next number.
    assert_eq!(desk.draft(), format!("SIM-{year}-000007"));
}

#[test]
fn what_may_not_be_signed_issued_amended_or_withdrawn_is_told_why() {
    let desk = Desk::new();
    desk.persons();
    let number = &desk.draft();
    refused(&desk.run(&["certificate", "issue", number]), "the verifier has not signed");
    refused(&desk.sign(number, "checker", "Bob", PIN), "the verifier signs before the checker");
    refused(&desk.sign(number, "verifier", "Cai", PIN), "may sign as checker, approver, not as verifier");
    refused(&desk.sign(number, "verifier", "Dan", PIN), "nobody of this data folder");
    refused(&desk.amend(number, "site=x"), "it is a draft");
    refused(&desk.withdraw(number), "it is a draft");
    good(&desk.sign(number, "verifier", "Bob", PIN));
    refused(&desk.sign(number, "checker", "Bob", PIN), "three persons");
    refused(&desk.sign(number, "verifier", "Ann", PIN), "Bob, has signed already; the checker is next");
    good(&desk.sign(number, "checker", "Cai", PIN));
    refused(&desk.sign(number, "approver", "Cai", PIN), "three persons");
    refused(&desk.run(&["certificate", "issue", number]), "the approver has not signed");
    let eve = ["person", "add", "Eve", "--role", "approver"];
    refused(&desk.with_pin(PIN, &eve), "an approver answers for changes of persons");
    good(&desk.by_cai(PIN, &eve));
    good(&desk.sign(number, "approver", "Eve", PIN));
    good(&desk.run(&["certificate", "issue", number]));
    refused(&desk.run(&["certificate", "issue", number]), "issued already");
    refused(&desk.sign(number, "approver", "Eve", PIN), "issued already");
    refused(&desk.amend(number, "verdict=pass"), "cannot be corrected; what can: customer, site");
    refused(&desk.amend(number, "site=SIMULATED site"), "already; nothing would be corrected");
    refused(&desk.withdraw("SIM-2026-000099"), "certificate list");
    refused(&desk.sign("nonsense", "verifier", "Ann", PIN), "certificate list");
    let reasonless = ["certificate", "withdraw", number, "--reason", " ", "--person", "Eve"];
    refused(&desk.with_pin(PIN, &reasonless), "a reason must be given");
    for reason in ["two\nlines", "a \u{202E}turn", &"x".repeat(201)] {
        let unfit = ["certificate", "withdraw", number, "--reason", reason, "--person", "Eve"];
        refused(&desk.with_pin(PIN, &unfit), "at most 200 characters");
    }
}

#[test]
fn a_wrong_pin_is_counted_and_locks() {
    let desk = Desk::new();
    desk.persons();
    let number = &desk.draft();
    for left in ["4 tries are left", "3 tries", "2 tries", "one try is left", "locked now"] {
        refused(&desk.sign(number, "verifier", "Ann", "000000"), left);
    }
    // The right PIN no longer helps.
    refused(&desk.sign(number, "verifier", "Ann", PIN), "is locked after 5 wrong PINs");
    assert!(good(&desk.run(&["person", "list"])).contains("locked    Ann"));
    let nobody = ["person", "pin", "Ann", "--by-pin-file", "/dev/null"];
    refused(&desk.with_pin("271828", &nobody), "is locked after 5 wrong PINs");
    good(&desk.by_cai("271828", &["person", "pin", "Ann"]));
    refused(&desk.sign(number, "verifier", "Ann", PIN), "4 tries are left");
    good(&desk.sign(number, "verifier", "Ann", "271828"));
    for pin in ["", "12345", "1234567890123", "12345a"] {
        refused(&desk.by_cai(pin, &["person", "add", "Fay", "--role", "checker"]), "6 to 12 figures");
    }
    refused(&desk.by_cai(PIN, &["person", "add", "Ann", "--role", "checker"]), "is there already");
    good(&desk.by_cai("", &["person", "disable", "Bob"]));
    refused(&desk.sign(number, "checker", "Bob", PIN), "is disabled");
    // The hash is argon2id, and no PIN stands anywhere.
    let persons = fs::read_to_string(desk.path().join("persons.json")).unwrap();
    assert!(persons.contains("$argon2id$v=19$") && !persons.contains(PIN) && !persons.contains("271828"));
    assert!(!good(&desk.run(&["person", "list", "--json"])).contains("argon2"));
    // A person written in by hand is seen.
    fs::write(desk.path().join("persons.json"), persons.replace("\"verifier\"", "\"approver\"")).unwrap();
    refused(&desk.sign(number, "checker", "Cai", PIN), "changed or removed past this program");
    fs::write(desk.path().join("persons.json"), persons).unwrap();
    good(&desk.sign(number, "checker", "Cai", PIN));
}

#[test]
fn a_package_that_was_altered_is_neither_signed_nor_issued() {
    let desk = Desk::new();
    desk.persons();
    let number = &desk.draft();
    let folder = desk.path().join("packages").join(number);
    let results = folder.join(format!("{number}_results.csv"));
    let good_results = fs::read(&results).unwrap();
    fs::write(&results, String::from_utf8_lossy(&good_results).replacen("pass", "fail", 1)).unwrap();
    refused(&desk.sign(number, "verifier", "Ann", PIN), &format!("{number}_results.csv was altered"));
    fs::write(&results, &good_results).unwrap();
    fs::write(folder.join("note.txt"), "x").unwrap();
    refused(&desk.sign(number, "verifier", "Ann", PIN), "note.txt was added");
    fs::remove_file(folder.join("note.txt")).unwrap();
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    fs::write(folder.join("manifest.json"), manifest.replacen("pass", "fail", 1)).unwrap();
    refused(&desk.sign(number, "verifier", "Ann", PIN), "its manifest was altered");
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    good(&desk.sign(number, "verifier", "Ann", PIN));
    fs::remove_file(folder.join("issue.json")).unwrap();
    refused(&desk.sign(number, "checker", "Bob", PIN), "issue.json is missing");
}

#[test]
fn a_laboratory_answers_for_a_profile_of_exactly_one_text() {
    let desk = Desk::new();
    desk.persons();
    let document = |regulation: &str| {
        json(&desk.run(&["verify", "--json", "--regulation", regulation]))["document"].clone()
    };
    assert_eq!(document("dc-meter"), "test_report");
    let approve = |laboratory: &[&str], person: &str| {
        let mut arguments = vec!["profile", "approve", "dc-meter", "--person", person];
        arguments.extend(laboratory);
        desk.with_pin(PIN, &arguments)
    };
    refused(&approve(&[], "Cai"), "no laboratory answers for it");
    refused(&approve(&["--laboratory", "Some laboratory"], "Ann"), "not as approver");
    let said = good(&approve(&["--laboratory", "Some laboratory"], "Cai"));
    assert!(said.contains("Some laboratory, Cai, answers for dc-meter"), "{said}");
    assert_eq!(document("dc-meter"), "verification_certificate");
    let planned = json(&desk.run(&["plan", "--json"]));
    assert!(planned["unconfirmed_figures"].as_array().is_some());
    // One byte more is another text.
    let other = altered(
        desk.path(),
        "other.toml",
        "assets/regulations/dc-meter.toml",
        &[("schema = 1", "schema = 1\n")],
    );
    assert_eq!(document(other.to_str().unwrap()), "test_report");
    let paper =
        good(&desk.run(&["certificate", "show", desk.list(&[])[1]["certificate_no"].as_str().unwrap()]));
    assert!(paper.contains("Some laboratory, Cai,"), "{paper}");
}
