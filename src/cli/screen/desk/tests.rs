//! What the desk does, on data folders of its own.

use super::*;
use phantomload::bench::conduct;
use phantomload::plan::{self, Entries};
use phantomload::regulation::{Kind, Profile};
use phantomload::run::Run;
use phantomload::screen::desk::port::{Pin, Standing, Ticket};
use phantomload::sim::{Rig, demo_meter};
use phantomload::time::Instant;
use std::sync::Arc;

const TICKET: Ticket = Ticket(7);

/// A data folder with one simulated paper, an approver and a verifier; and the paper's number.
pub fn folder() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new("good", demo_meter("good").unwrap()).unwrap();
    let started = Stamp::now();
    let plan = plan::make(
        rig.nameplate.clone(),
        Profile::builtin("dc-meter").unwrap(),
        Kind::Subsequent,
        rig.standards.clone(),
        rig.capability(),
        Entries::simulated(),
        started.date(),
    )
    .unwrap();
    let mut archive = Archive::open(dir.path()).unwrap();
    let about = archive::opening(&plan, "");
    let numbers = archive.open_run(true, started.date().year(), about).unwrap();
    let mut run = Run::new(Arc::new(plan), Instant::ZERO, started);
    let mut bench = rig.in_process(1, started, None);
    conduct(&mut run, &mut bench, &mut || None, &mut |_, _| {});
    let number = numbers.certificate_no.clone();
    let record = run.record(numbers.record_no, Some(numbers.certificate_no), true).unwrap();
    archive.store(&record).unwrap();
    archive.add_person("李批准", &[Role::Approver], "271828", None).unwrap();
    archive.add_person("王小明", &[Role::Verifier], "314159", Some(("李批准", "271828"))).unwrap();
    (dir, number)
}

fn ask(desk: &Desk, dir: &Path, ask: Ask) -> Vec<Told> {
    let told = std::cell::RefCell::new(vec![]);
    desk.handle(dir, ask, &|one| told.borrow_mut().push(one));
    told.into_inner()
}

#[test]
fn a_paper_is_found_read_signed_and_taken_along() {
    let (dir, number) = folder();
    let (desk, dir) = (Desk::default(), dir.path());
    let board = ask(&desk, dir, Ask::Board);
    assert!(matches!(&board[..], [Told::Board(Ok(board))] if board.cards.len() == 1), "{board:?}");
    let wanted = |text: &str| Ask::Register(Wanted { text: text.into(), ..Wanted::default() });
    assert_eq!(ask(&desk, dir, wanted("SIMULATED cust")), [Told::Found(Ok(1))]);
    let rows = ask(&desk, dir, Ask::Rows { from: 0, count: 50 });
    assert!(matches!(&rows[..], [Told::Rows { rows, .. }] if rows[0].number == number), "{rows:?}");
    assert_eq!(ask(&desk, dir, wanted("nobody")), [Told::Found(Ok(0))]);
    let sign = |pin: &str| Ask::Do {
        ticket: TICKET,
        number: number.clone(),
        act: Act::Sign(Role::Verifier),
        by: Some(Signer { person: "王小明".into(), pin: pin.into() }),
    };
    let wrong = ask(&desk, dir, sign("999999"));
    assert!(matches!(&wrong[..], [Told::Done(TICKET, Err(_))]), "{wrong:?}");
    let signed = ask(&desk, dir, sign("314159"));
    assert!(matches!(&signed[..], [Told::Done(TICKET, Ok(_))]), "{signed:?}");
    let told = ask(&desk, dir, Ask::Paper(number.clone()));
    let [Told::Paper(_, Ok(paper))] = &told[..] else { panic!("{told:?}") };
    assert_eq!((paper.signatures.len(), paper.next), (1, Some(Role::Checker)));
    assert!(paper.points.len() >= 4 && paper.points.iter().all(|point| !point.budget.is_empty()));
    assert!(paper.simulated && paper.may.contains(&(Role::Approver, "李批准".into())));
    let stick = tempfile::tempdir().unwrap();
    for (form, end) in [
        (Form::Package(number.clone()), "record.json"),
        (Form::Pdf(number.clone()), ".pdf"),
        (Form::Csv(Wanted::default()), ".csv"),
        (Form::Xlsx(Wanted::default()), ".xlsx"),
    ] {
        let told = ask(&desk, dir, Ask::Export { ticket: TICKET, form, to: stick.path().to_owned() });
        assert!(matches!(told.last(), Some(Told::Done(TICKET, Ok(_)))), "{told:?}");
        assert!(told.iter().any(|told| matches!(told, Told::Progress { .. })), "{told:?}");
        let mut places = vec![stick.path().to_owned(), stick.path().join(&number)];
        places.retain(|place| place.is_dir());
        let names = places.iter().flat_map(|place| fs::read_dir(place).unwrap());
        assert!(
            names.into_iter().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(end)),
            "{end}"
        );
    }
    let full = ask(
        &desk,
        dir,
        Ask::Export { ticket: TICKET, form: Form::Package(number.clone()), to: "/proc/nowhere".into() },
    );
    assert!(matches!(&full[..], [Told::Done(_, Err(why))] if why.contains("/proc/nowhere")), "{full:?}");
}

#[test]
fn every_list_can_be_read_also_of_an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::default();
    for sheet in [Sheet::Standards, Sheet::Trail(String::new())] {
        let told = ask(&desk, dir.path(), Ask::Sheet(sheet));
        assert!(matches!(&told[..], [Told::Sheet(_, Ok(_))]), "{told:?}");
    }
    assert_eq!(ask(&desk, dir.path(), Ask::Register(Wanted::default())), [Told::Found(Ok(0))]);
    let told = ask(&desk, dir.path(), Ask::History("x".into()));
    assert!(matches!(&told[..], [Told::History(Err(why))] if why.contains("no visit of `x`")), "{told:?}");
    assert!(matches!(&ask(&desk, dir.path(), Ask::Places)[..], [Told::Places(places)] if !places.is_empty()));
}

/// The certificate that comes with the program, under another number.
fn certificate(number: &str) -> String {
    let text = include_str!("../../../../calibration/simulated-reference.toml");
    let line = text.lines().find(|line| line.starts_with("certificate_no")).unwrap();
    text.replace(line, &format!("certificate_no = \"{number}\""))
}

#[test]
fn a_standards_certificate_is_taken_in_once_and_what_is_none_is_refused_in_words() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (desk, data) = (Desk::default(), dir.path());
    let import_by = |name: &str, text: &str, by: Option<Signer>| {
        let path = stick.path().join(name);
        fs::write(&path, text).unwrap();
        let act = Act::Import { path };
        let told = ask(&desk, data, Ask::Do { ticket: TICKET, number: String::new(), act, by });
        let [Told::Done(_, done)] = &told[..] else { panic!("{told:?}") };
        done.clone()
    };
    let import = |name: &str, text: &str| import_by(name, text, None);
    let said = import("a.toml", &certificate("CN-1")).unwrap();
    assert!(said.contains("CN-1") && said.contains("due") && said.contains("entry 1 of the chain"), "{said}");
    for (name, text, why) in [
        ("b.toml", certificate("CN-1"), "is there already"),
        ("a.toml", certificate("CN-2"), "a file of this name"),
        ("c.toml", "hello".into(), "c.toml"),
        ("d.toml", String::new(), "d.toml"),
        ("e.toml", "x".repeat(20_000_000), "e.toml"),
    ] {
        let refused = import(name, &text).unwrap_err();
        assert!(refused.contains(why), "{name}: {refused}");
    }
    assert!(import("c.toml", &certificate("CN-3")).is_ok());
    let lines = house::standards(data);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.about.iter().any(|about| about.contains("due "))), "{lines:?}");
    // What was refused left no file and no entry.
    let trail = || {
        let told = ask(&desk, data, Ask::Sheet(Sheet::Trail("standard imported".into())));
        let [Told::Sheet(_, Ok(lines))] = &told[..] else { panic!("{told:?}") };
        lines.clone()
    };
    assert_eq!(trail().len(), 2, "{:?}", trail());
    // Once there is an approver, one answers for it, by name and PIN, and the entry says who, when and which file.
    let approver = Signer { person: "Cai".into(), pin: "305612".into() };
    Archive::open(data).unwrap().add_person("Cai", &[Role::Approver], "305612", None).unwrap();
    let text = certificate("CN-4");
    let nobody = import_by("f.toml", &text, None).unwrap_err();
    assert!(nobody.contains("an approver answers"), "{nobody}");
    let wrong = Signer { pin: "999999".into(), ..approver.clone() };
    assert!(import_by("f.toml", &text, Some(wrong)).unwrap_err().contains("wrong PIN"));
    assert!(!data.join("calibration/f.toml").exists());
    import_by("f.toml", &text, Some(approver)).unwrap();
    let newest = trail().remove(0);
    let said = newest.about.join("; ");
    for words in [
        "by: Cai",
        "certificate: CN-4",
        "calibration_file: f.toml",
        &format!("calibration_sha256: {}…", &archive::sha256(text.as_bytes())[..8]),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(newest.head.contains("config_change"), "{newest:?}");
    let of = |number: &str| {
        let all = house::standards(data);
        all.into_iter().find(|line| line.about.iter().any(|about| about.contains(number))).unwrap()
    };
    assert!(of("CN-4").about.iter().any(|about| about.starts_with("imported by Cai, ")), "{:?}", of("CN-4"));
    // A file that is not what was taken in is told.
    fs::write(data.join("calibration/f.toml"), text + "\n# changed").unwrap();
    let altered = of("CN-4");
    assert_eq!((altered.state, altered.about[0].contains("altered")), (State::Bad, true), "{altered:?}");
    fs::create_dir(data.join("imports")).unwrap();
    fs::write(data.join("imports/x.toml"), "").unwrap();
    let told = ask(&desk, data, Ask::Files);
    assert!(
        matches!(&told[..], [Told::Files(files)] if files.iter().any(|(name, _)| name == "x.toml")),
        "{told:?}"
    );
}

#[test]
fn a_profile_of_the_house_stays_unapproved_until_three_have_answered_for_its_very_text() {
    let (dir, _) = folder();
    let (desk, data) = (Desk::default(), dir.path());
    fs::write(data.join("laboratory.toml"), "name_en = \"Lab\"\n").unwrap();
    let seen = |id: &str| {
        let told = ask(&desk, data, Ask::Profiles);
        let [Told::Profiles(profiles)] = &told[..] else { panic!("{told:?}") };
        profiles.iter().find(|profile| profile.id == id).cloned()
    };
    let base = seen("dc-meter").unwrap();
    let figure = base.figures.iter().find(|figure| figure.place.ends_with("Itr <= I <= Imax")).unwrap();
    let change = |of: &str, id: &str, to: &str| {
        let change = phantomload::regulation::house::Change {
            path: figure.path.clone(),
            key: "percent".into(),
            to: to.into(),
            clause: "JJG 842-2017 Table 1".into(),
        };
        let told =
            ask(&desk, data, Ask::Change { ticket: TICKET, profile: of.into(), id: id.into(), change });
        let [Told::Done(_, done)] = &told[..] else { panic!("{told:?}") };
        done.clone()
    };
    assert!(change("dc-meter", "dc-own", "much").unwrap_err().contains("much"));
    assert!(change("dc-meter", "dc-meter", "0.4").unwrap_err().contains("name of its own"));
    change("dc-meter", "dc-own", "0.4").unwrap();
    assert!(change("dc-meter", "dc-own", "0.4").unwrap_err().contains("already"));
    change("dc-own", "dc-own", "0.3").unwrap();
    let own = seen("dc-own").unwrap();
    assert!(own.file.is_some() && own.approved.is_none() && own.next == Some(Role::Verifier), "{own:?}");
    // It is what a run takes by its file.
    let path = own.file.unwrap();
    let read = crate::cli::inputs::regulation(path.to_str().unwrap());
    assert!(read.is_ok_and(|(profile, _)| profile.id == "dc-own"));
    let sign = |role: Role, person: &str, pin: &str| {
        let act = Act::Approve { profile: "dc-own".into(), role, validity_years: Some(6) };
        let by = Some(Signer { person: person.into(), pin: pin.into() });
        let told = ask(&desk, data, Ask::Do { ticket: TICKET, number: String::new(), act, by });
        let [Told::Done(_, done)] = &told[..] else { panic!("{told:?}") };
        done.clone()
    };
    assert!(sign(Role::Checker, "王小明", "314159").is_err(), "the verifier is first");
    let signed = sign(Role::Verifier, "王小明", "314159").unwrap();
    assert!(signed.contains("checker is next"), "{signed}");
    assert!(
        change("dc-own", "dc-own", "0.2").unwrap_err().contains("somebody has signed"),
        "not written over"
    );
    assert_eq!(seen("dc-own").unwrap().next, Some(Role::Checker));
    // A file that somebody has spoilt is listed and says why.
    fs::write(data.join("regulations/spoilt.toml"), "id = 3").unwrap();
    let spoilt = seen("spoilt").unwrap();
    assert!(spoilt.figures.is_empty() && spoilt.about[0].contains("spoilt"), "{spoilt:?}");
}

#[test]
fn persons_are_added_locked_and_unlocked_by_an_approver() {
    let (dir, _) = folder();
    let (desk, data) = (Desk::default(), dir.path());
    let act = |act: Act, by: Option<(&str, &str)>| {
        let by = by.map(|(person, pin)| Signer { person: person.into(), pin: pin.into() });
        let told = ask(&desk, data, Ask::Do { ticket: TICKET, number: String::new(), act, by });
        let [Told::Done(_, done)] = &told[..] else { panic!("{told:?}") };
        done.clone()
    };
    let add =
        || Act::AddPerson { name: "赵核验".into(), roles: vec![Role::Checker], pin: Pin("161803".into()) };
    assert!(act(add(), None).is_err(), "nobody answers");
    assert!(act(add(), Some(("王小明", "314159"))).is_err(), "no approver");
    act(add(), Some(("李批准", "271828"))).unwrap();
    let new = Act::NewPin { name: "赵核验".into(), pin: Pin("141421".into()) };
    act(new, Some(("赵核验", "161803"))).unwrap();
    act(Act::Disable { name: "赵核验".into() }, Some(("李批准", "271828"))).unwrap();
    let told = ask(&desk, data, Ask::Persons);
    let [Told::Persons(Ok(persons))] = &told[..] else { panic!("{told:?}") };
    let one = persons.iter().find(|person| person.name == "赵核验").unwrap();
    assert_eq!((one.standing, persons.len()), (Standing::Disabled, 3));
    let told = ask(&desk, data, Ask::Sheet(Sheet::Trail("赵核验".into())));
    let [Told::Sheet(_, Ok(lines))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn a_package_is_taken_along_whole_or_not_at_all() {
    let (dir, number) = folder();
    let (desk, data) = (Desk::default(), dir.path());
    let stick = tempfile::tempdir().unwrap();
    let export = |to: &Path| {
        let told = ask(
            &desk,
            data,
            Ask::Export { ticket: TICKET, form: Form::Package(number.clone()), to: to.to_owned() },
        );
        let Some(Told::Done(_, done)) = told.last() else { panic!("{told:?}") };
        done.clone()
    };
    // A stick that was pulled: its folder is still there, and is not written to.
    for gone in ["/media/nobody/STICK", "/mnt/nobody"] {
        assert!(export(Path::new(gone)).unwrap_err().contains("not plugged in any more"), "{gone}");
        assert!(!Path::new(gone).exists());
    }
    let first = export(stick.path()).unwrap();
    let second = export(stick.path()).unwrap();
    assert_ne!(first, second, "what was taken along before stays");
    let (first, second) = (files_of(Path::new(&first)).unwrap(), files_of(Path::new(&second)).unwrap());
    assert!(first.len() > 3 && first.len() == second.len());
    // One file cannot be read: nothing of it is left over there.
    let broken = data.join("packages").join(&number).join("zz-broken");
    std::os::unix::fs::symlink("/nowhere", &broken).unwrap();
    let other = tempfile::tempdir().unwrap();
    assert!(export(other.path()).unwrap_err().contains("zz-broken"));
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn a_pdf_is_taken_along_under_its_number_beside_what_is_there() {
    let (dir, number) = folder();
    let desk = Desk::default();
    let stick = tempfile::tempdir().unwrap();
    let export = |form: Form| {
        let told = ask(&desk, dir.path(), Ask::Export { ticket: TICKET, form, to: stick.path().to_owned() });
        let Some(Told::Done(TICKET, done)) = told.last() else { panic!("{told:?}") };
        done.clone().unwrap()
    };
    // The paper of another charger, taken along before; and one by hand under our number.
    fs::write(stick.path().join("certificate.pdf"), "another").unwrap();
    let first = export(Form::Pdf(number.clone()));
    assert_eq!(Path::new(&first), stick.path().join(format!("{number}.pdf")));
    let bytes = fs::read(&first).unwrap();
    assert!(bytes.starts_with(b"%PDF"));
    fs::write(&first, "by hand").unwrap();
    let more: Vec<String> = (0..3).map(|_| export(Form::Pdf(number.clone()))).collect();
    assert_eq!(fs::read(&first).unwrap(), b"by hand", "what is there stays");
    assert_eq!(fs::read(stick.path().join("certificate.pdf")).unwrap(), b"another");
    for path in &more {
        assert_eq!(fs::read(path).unwrap(), bytes, "{path}");
    }
    // Within one second nothing replaces anything either.
    for _ in 0..3 {
        export(Form::Csv(Wanted::default()));
    }
    assert_eq!(fs::read_dir(stick.path()).unwrap().count(), 1 + 1 + 3 + 3);
}
