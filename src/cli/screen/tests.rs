//! The program behind the screen, without a window, on data folders of its own.

use super::*;
use clap::Parser;
use phantomload::archive::Archive;
use phantomload::certificate::issue::Role;
use phantomload::certificate::record::Document;
use phantomload::regulation::house::Change;
use phantomload::screen::draft::Draft;
use phantomload::screen::port::Port;
use phantomload::screen::values::{End, Ended as Over, Leads};
use phantomload::sim::demo_meter;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn program(dir: &Path, more: &[&str]) -> (Program, Port, Receiver<Order>) {
    let line = ["screen", "--data", dir.to_str().unwrap(), "--pace", "max"];
    let Line { arguments } = Line::parse_from(line.iter().chain(more));
    let (port, backstage, orders) = pair();
    let program = Program {
        arguments,
        dir: dir.to_owned(),
        backstage,
        ending: Arc::new(AtomicBool::new(false)),
        busy: AtomicBool::new(false),
        desk: desk::Desk::default(),
        panel: Mutex::new(Panel::of_bench(None)),
    };
    (program, port, orders)
}

fn draft() -> Box<Draft> {
    let day = Stamp::now().date();
    let kind = phantomload::regulation::Kind::Subsequent;
    Box::new(Draft::new(demo_meter("good").unwrap(), kind, Entries::simulated(), day))
}

/// What the screen was told as the end.
fn end(port: &Port) -> Finished {
    let told: Vec<News> = port.news().collect();
    let ended =
        told.into_iter().find_map(|news| if let News::Ended(ended) = news { Some(ended) } else { None });
    *ended.expect("no end was told")
}

#[test]
fn what_breaks_down_at_the_bench_lets_go_of_it_and_says_that_nobody_has_seen_off() {
    let dir = tempfile::tempdir().unwrap();
    let (program, port, _orders) = program(dir.path(), &[]);
    program.end_with(|| panic!("on purpose"));
    let ended = end(&port);
    assert_eq!(ended.leads, Leads::NotSafe);
    let phantomload::screen::values::End::Failed(why) = &ended.end else { panic!("{ended:?}") };
    assert!(why.contains("on purpose"), "{why}");
    assert!(!program.busy.load(Ordering::SeqCst), "the bench is at work for ever");
    let again = program.alone(|| 3);
    assert!(matches!(again, Ok(3)), "{again:?}");
    // While it is at work nothing else is, and nothing is said of the source.
    let busy = program.alone(|| program.alone(|| ()).map_err(|not_done| not_done.ended().leads));
    assert_eq!(busy.unwrap(), Err(Leads::Unknown));
}

#[test]
fn stop_while_the_bench_is_opened_ends_the_run_before_anything_is_switched_on() {
    let dir = tempfile::tempdir().unwrap();
    let (program, port, orders) = program(dir.path(), &[]);
    assert!(port.begin(Order::Verify(draft())));
    port.command(Command::Stop { why: "stopped by the operator (STOP key)".into() });
    // Only now somebody takes the order.
    program.handle(orders.try_recv().unwrap());
    let ended = end(&port);
    let phantomload::screen::values::End::Aborted(why) = &ended.end else { panic!("{ended:?}") };
    assert!(why.contains("STOP key"), "{why}");
    let folder = std::fs::read_dir(dir.path().join("unfinished")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(folder.join("record.json")).unwrap();
    let record = phantomload::certificate::record::Record::from_json("record.json", &text).unwrap();
    let is_set =
        |logged: &phantomload::run::Logged| matches!(logged.1, phantomload::run::Event::SourceSet(_));
    assert!(!record.raw.is_empty() && !record.raw.iter().any(is_set), "a load was set");
    // The next order is not stopped by it.
    port.begin(Order::Connect(draft()));
    program.handle(orders.try_recv().unwrap());
    let told: Vec<News> = port.news().collect();
    assert!(told.contains(&News::Connected(Connection::Good)), "{told:?}");
    // A screen that was closed stops an order that still waits in the queue.
    port.begin(Order::Connect(draft()));
    program.backstage.put_command(Command::Stop { why: "the screen was closed".into() });
    program.handle(orders.try_recv().unwrap());
    let told: Vec<News> = port.news().collect();
    assert!(
        matches!(&told[..], [.., News::Connected(Connection::Stopped(why))] if why.contains("was closed")),
        "{told:?}"
    );
}

#[test]
fn a_bench_that_cannot_be_opened_says_nothing_of_the_leads() {
    let dir = tempfile::tempdir().unwrap();
    let (program, port, _orders) = program(dir.path(), &["--bench", "/nowhere/bench.toml"]);
    program.handle(Order::Verify(draft()));
    assert_eq!(end(&port).leads, Leads::Unknown);
    program.handle(Order::GoOn { serial: None });
    assert_eq!(end(&port).leads, Leads::Unknown);
    program.handle(Order::Connect(draft()));
    let told: Vec<News> = port.news().collect();
    assert!(matches!(&told[..], [.., News::Connected(Connection::NotOpened(_))]), "{told:?}");
}

#[test]
fn a_locked_screen_is_open_to_nobody_but_where_nobody_has_a_pin() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!is_somebody(&dir.path().join("not-made-yet")) && !is_somebody(dir.path()));
    let (folder, _) = desk::tests::folder();
    assert!(is_somebody(folder.path()), "asked anew, and not when the program began");
    // Whoever spoils the list of persons opens nothing by it.
    for name in ["persons.json", "chain.jws"] {
        let (folder, _) = desk::tests::folder();
        let path = folder.path().join(name);
        assert!(path.exists(), "{name}");
        std::fs::write(&path, "{").unwrap();
        assert!(is_somebody(folder.path()), "{name}");
    }
}

#[test]
fn a_charger_or_meter_of_an_earlier_visit_is_found_by_its_number() {
    let (folder, number) = desk::tests::folder();
    // Another bench: its work list has no demo meters.
    let (program, ..) = program(folder.path(), &["--bench", "/nowhere/bench.toml"]);
    assert!(program.jobs().is_empty());
    let plate = phantomload::plan::Nameplate::from_toml("good", demo_meter("good").unwrap()).unwrap();
    for wanted in [&plate.serial, &plate.charger] {
        let job = program.find(wanted).unwrap_or_else(|| panic!("{wanted} is not found"));
        assert_eq!(job.last.map(|visit| visit.number), Some(number.clone()), "{wanted}");
        assert!(job.title.contains(&plate.serial), "{}", job.title);
    }
    // The begin of a serial number is another number.
    let (begin, _) = plate.serial.split_at(plate.serial.len() - 1);
    assert!(program.find(begin).is_none() && program.find("").is_none());
}

fn chosen(regulation: Option<&str>) -> Draft {
    let mut draft = *draft();
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
    let (program, ..) = program(dir.path(), &[]);
    let id = house_profile(dir.path());
    // Without a choice it is the one that the program was begun with.
    let begun = program.plan(&chosen(None)).unwrap();
    assert_eq!(begun.regulation, "dc-meter");
    let own = program.plan(&chosen(Some(&id))).unwrap();
    assert_eq!(own.regulation, "dc-own");
    assert!(own.no_certificate.iter().any(|why| why.contains("dc-own are unconfirmed")), "{own:?}");
    let over = program.verify(&chosen(Some(&id)));
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
    let own = program.plan(&chosen(Some(&id))).unwrap();
    assert!(own.no_certificate.iter().all(|why| !why.contains("unconfirmed")), "{:?}", own.no_certificate);
    // One that is gone, or is none, is told in words, and nothing begins.
    let gone = program.plan(&chosen(Some("dc-gone"))).unwrap_err();
    assert!(gone.contains("no regulation profile `dc-gone`"), "{gone}");
    std::fs::write(dir.path().join("regulations/spoilt.toml"), "id = 3").unwrap();
    assert!(program.plan(&chosen(Some("spoilt"))).unwrap_err().contains("spoilt"));
    assert!(matches!(program.verify(&chosen(Some("spoilt"))).end, End::Failed(_)), "nothing begins");
}
