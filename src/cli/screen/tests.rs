//! The inspector's way behind the screen, on data folders of its own: which regulation a plan and a run are made by.

use super::*;
use clap::Parser;
use phantomload::archive::Archive;
use phantomload::certificate::issue::Role;
use phantomload::certificate::record::Document;
use phantomload::regulation::{Kind, house::Change};
use phantomload::screen::draft::Draft;
use phantomload::screen::values::{End, Ended as Over};
use phantomload::sim::demo_meter;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// The program behind a screen with the simulated bench at its fastest.
fn program(dir: &Path) -> Program {
    let data = dir.to_str().unwrap();
    let Line { arguments } = Line::parse_from(["screen", "--data", data, "--pace", "max"]);
    let (_, backstage, _) = pair();
    Program {
        arguments,
        dir: dir.to_owned(),
        backstage,
        ending: Arc::default(),
        busy: AtomicBool::new(false),
        desk: desk::Desk::default(),
        panel: Mutex::new(Panel::of_bench(None)),
    }
}

fn draft(regulation: Option<&str>) -> Draft {
    let mut draft = Draft::new(demo_meter("good").unwrap(), Kind::Subsequent, Entries::simulated());
    draft.regulation = regulation.map(str::to_owned);
    draft
}

/// A profile of the house: the limit at Itr changed.
fn house_profile(dir: &Path) -> String {
    let seen = house::profiles(dir).into_iter().find(|profile| profile.id == "dc-meter").unwrap();
    let figure = seen.figures.iter().find(|figure| figure.place.ends_with("Itr <= I <= Imax")).unwrap();
    let change = Change {
        path: figure.path.clone(),
        key: "percent".into(),
        to: "0.7".into(),
        clause: "the house's own sheet 3".into(),
    };
    house::change(dir, "dc-meter", "dc-own", &change).unwrap();
    "dc-own".into()
}

fn report(over: &Over) -> String {
    let mut files = std::fs::read_dir(&over.folder).unwrap().map(|entry| entry.unwrap().path());
    let report = files.find(|path| path.to_string_lossy().ends_with("_report.txt"));
    std::fs::read_to_string(report.expect("there is a report")).unwrap()
}

#[test]
fn a_profile_of_the_house_is_planned_run_and_printed_and_unapproved_it_gives_a_test_report() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("laboratory.toml"), "name_en = \"Lab\"\n").unwrap();
    let program = program(dir.path());
    let id = house_profile(dir.path());
    // Without a choice it is the one that the program was begun with.
    let begun = program.plan(&draft(None)).unwrap();
    assert_eq!(begun.regulation, "dc-meter");
    let own = program.plan(&draft(Some(&id))).unwrap();
    assert_eq!(own.regulation, "dc-own");
    assert!(own.no_certificate.iter().any(|why| why.contains("dc-own are unconfirmed")), "{own:?}");
    let over = program.verify(&draft(Some(&id)));
    assert!(matches!(over.end, End::Decided(_)), "{over:?}");
    assert_eq!(over.document, Some(Document::TestReport));
    let paper = report(&over);
    assert!(paper.contains("dc-own: "), "{paper}");
    // Answered for by three persons, it is no more said of it that nobody does.
    let mut archive = Archive::open(dir.path()).unwrap();
    for (person, role, pin) in
        [("Li", Role::Approver, "305612"), ("Wu", Role::Checker, "305613"), ("An", Role::Verifier, "305614")]
    {
        let by = (person != "Li").then_some(("Li", "305612"));
        archive.add_person(person, &[role], pin, by).unwrap();
    }
    for (person, role, pin) in
        [("An", Role::Verifier, "305614"), ("Wu", Role::Checker, "305613"), ("Li", Role::Approver, "305612")]
    {
        house::approve(dir.path(), &mut archive, &id, role, Some(6), (person, pin)).unwrap();
    }
    drop(archive);
    let own = program.plan(&draft(Some(&id))).unwrap();
    assert!(own.no_certificate.iter().all(|why| !why.contains("unconfirmed")), "{:?}", own.no_certificate);
    // One that is gone, or is none, is told in words, and nothing begins.
    let gone = program.plan(&draft(Some("dc-gone"))).unwrap_err();
    assert!(gone.contains("no regulation profile `dc-gone`"), "{gone}");
    std::fs::write(dir.path().join("regulations/spoilt.toml"), "id = 3").unwrap();
    assert!(program.plan(&draft(Some("spoilt"))).unwrap_err().contains("spoilt"));
    assert!(matches!(program.verify(&draft(Some("spoilt"))).end, End::Failed(_)), "nothing begins");
}
