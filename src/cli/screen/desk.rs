//! What the desk asks: looked up in the data folder, or done in it.

use crate::cli::refused;
use phantomload::archive::{self, Archive, Filter, Found, Index, PaperStanding, RegisterRow};
use phantomload::calibration::{Standard, builtin_simulated};
use phantomload::certificate::issue::{Role, Status};
use phantomload::certificate::record::{Attempt, Record, Unit};
use phantomload::history;
use phantomload::plan::Load;
use phantomload::regulation::{Item, Profile};
use phantomload::run::ErrorSeen;
use phantomload::screen::desk::port::{
    Act, Ask, Form, Line, PaperSeen, PointSeen, Row, Sheet, Signer, Told, Wanted, trace_line,
};
use phantomload::screen::values::State;
use phantomload::time::Stamp;
use phantomload::verdict::Verdict;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// So many of the newest entries of the chain are shown.
const TRAIL: usize = 2000;

/// The register as it was looked through last.
#[derive(Default)]
pub struct Desk {
    listed: Mutex<Option<(Index, Found)>>,
}

fn words<T>(done: Result<T, archive::Fault>) -> Result<T, String> {
    done.map_err(|fault| refused(fault).message)
}

impl Desk {
    /// Does what is asked; `tell` hears what comes of it.
    pub fn handle(&self, dir: &Path, ask: Ask, tell: &dyn Fn(Told)) {
        let told = match ask {
            Ask::Board => {
                Told::Board(history::board::board(dir, Stamp::now().date()).map_err(|f| f.to_string()))
            }
            Ask::History(wanted) => Told::History(history::of(dir, &wanted).map_err(|f| f.to_string())),
            Ask::Register(wanted) => Told::Found(words(self.look_through(dir, &wanted))),
            Ask::Rows { from, count } => Told::Rows { from, rows: self.rows(from, count) },
            Ask::Paper(number) => Told::Paper(words(paper(dir, &number).map(Box::new))),
            Ask::Sheet(sheet) => Told::Sheet(sheet, self::sheet(dir, sheet)),
            Ask::Do { number, act, by } => Told::Done(words(done(dir, &number, act, by.as_ref()))),
            Ask::Places => Told::Places(places(dir)),
            Ask::Export { form, to } => Told::Done(export(dir, &form, &to, tell)),
        };
        tell(told);
    }

    fn look_through(&self, dir: &Path, wanted: &Wanted) -> Result<usize, archive::Fault> {
        let index = Index::open(dir)?;
        let (_, found) = find(&index, wanted)?;
        let count = found.len();
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some((index, found));
        Ok(count)
    }

    fn rows(&self, from: usize, count: usize) -> Vec<Row> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((index, found)) = &*listed else { return vec![] };
        index.window(found, from, count).unwrap_or_default().iter().map(row).collect()
    }
}

/// Serial numbers by their begin; where none begins so, names by a part of them, one column after the other. What is exported
/// is what was listed.
fn find(index: &Index, wanted: &Wanted) -> Result<(Filter, Found), archive::Fault> {
    let all = Filter { verdict: wanted.verdict, status: wanted.status, ..Filter::default() };
    let text = wanted.text.trim();
    if text.is_empty() {
        let found = index.found(&all)?;
        return Ok((all, found));
    }
    let columns: [fn(&mut Filter, String); 4] = [
        |filter, text| filter.serial = Some(text),
        |filter, text| filter.site = Some(text),
        |filter, text| filter.customer = Some(text),
        |filter, text| filter.operator = Some(text),
    ];
    for column in columns {
        let mut filter = all.clone();
        column(&mut filter, text.to_owned());
        let found = index.found(&filter)?;
        if !found.is_empty() {
            return Ok((filter, found));
        }
    }
    Ok((Filter { serial: Some(text.to_owned()), ..all }, Found::default()))
}

fn verdict(text: &str) -> Option<Verdict> {
    match text {
        "pass" => Some(Verdict::Pass),
        "fail" => Some(Verdict::Fail),
        "undecided" => Some(Verdict::Undecided),
        _ => None,
    }
}

fn row(row: &RegisterRow) -> Row {
    let cell = |name: &str| row.get(name).to_owned();
    let two = |a: &str, b: &str| format!("{} {}", row.get(a), row.get(b)).trim().to_owned();
    Row {
        number: cell("certificate_no"),
        day: row.get("performed_from").chars().take(10).collect(),
        status: cell("status"),
        verdict: verdict(row.get("verdict")),
        meter: two("dut_model", "dut_serial"),
        charger: two("charger", "site"),
        customer: cell("customer"),
        simulated: row.is_simulated(),
    }
}

fn point(step: usize, item: &phantomload::certificate::record::ItemResult) -> Option<PointSeen> {
    let point = item.point.as_ref()?;
    let measured = item.measured.as_ref().filter(|m| m.unit == Unit::Percent)?;
    if !matches!(item.item, Item::Start | Item::BasicError) {
        return None;
    }
    let readings: Vec<f64> = item
        .attempts
        .iter()
        .filter_map(|a| if let Attempt::Reading(r) = a { Some(r.error.percent()) } else { None })
        .collect();
    let below = item.bound().map(phantomload::quantity::Ratio::percent);
    Some(PointSeen {
        seen: ErrorSeen {
            step,
            item: item.item,
            term: point.term.clone(),
            load: Load { voltage_v: point.voltage_v, current_a: point.current_a },
            limit: measured.limit,
            wanted: readings.len() as u32,
            readings,
            mean: below.is_none().then_some((measured.estimate.value, measured.estimate.expanded)),
            below,
        },
        k: measured.estimate.k,
        verdict: item.verdict,
        budget: measured.budget.clone(),
    })
}

fn paper(dir: &Path, number: &str) -> Result<PaperSeen, archive::Fault> {
    let standing = archive::standing(dir, number)?;
    let record = archive::results_of(dir, number)?;
    let persons = archive::persons(dir).unwrap_or_default();
    let plate = &record.plan.nameplate;
    let may = persons
        .iter()
        .filter(|person| !person.disabled && !person.locked)
        .flat_map(|person| person.roles.iter().map(move |role| (*role, person.name.clone())));
    Ok(PaperSeen {
        number: number.to_owned(),
        status: standing.status,
        simulated: record.simulated,
        verdict: record.results.verdict,
        document: record.document(),
        meter: format!("{} {} {}", plate.maker, plate.model, plate.serial),
        charger: format!("{} {} {}", plate.charger, plate.connector, record.plan.entries.site),
        customer: record.plan.entries.customer.clone(),
        performed: record.started.to_string(),
        valid_until: phantomload::certificate::csv::valid_until(&record),
        regulation: format!("{}, {}", record.plan.profile.id, record.plan.class.name()),
        signatures: standing
            .signatures
            .iter()
            .map(|signed| (signed.role, signed.person.clone(), signed.at.to_string()))
            .collect(),
        next: next(&standing),
        may: may.collect(),
        against: against(&standing),
        points: record.results.items.iter().enumerate().filter_map(|(n, item)| point(n, item)).collect(),
        findings: findings(&record),
        entries: standing
            .entries
            .iter()
            .map(|(seq, kind, time)| (*seq, kind.to_string(), time.clone()))
            .collect(),
    })
}

fn findings(record: &Record) -> Vec<String> {
    let beside = record.results.items.iter().filter(|item| item.verdict != Verdict::Pass);
    let beside = beside.map(|item| format!("{}: {}: {}", item.verdict, item.item, item.reason));
    beside.chain(record.results.findings.iter().cloned()).collect()
}

/// As what it is to be signed next.
fn next(standing: &PaperStanding) -> Option<Role> {
    let open = matches!(standing.status, Status::Draft | Status::Checked);
    Role::ALL.get(standing.signatures.len()).copied().filter(|_| open && standing.is_sealed)
}

fn against(standing: &PaperStanding) -> Vec<String> {
    let replaced = standing.replaced_by.as_ref().map(|(by, why)| format!("replaced by {by}: {why}"));
    let withdrawn = standing.withdrawn.as_ref().map(|why| format!("withdrawn: {why}"));
    let unsealed = (!standing.is_sealed && standing.withdrawn.is_none())
        .then(|| "its papers are not sealed: there was no fit key".to_owned());
    replaced.into_iter().chain(withdrawn).chain(unsealed).chain(standing.altered()).collect()
}

fn done(dir: &Path, number: &str, act: Act, by: Option<&Signer>) -> Result<String, archive::Fault> {
    let nobody = Signer { person: String::new(), pin: String::new() };
    let Signer { person, pin } = by.unwrap_or(&nobody);
    let mut archive = Archive::open(dir)?;
    Ok(match act {
        Act::Sign(role) => {
            let entry = archive.sign(number, role, person, pin)?;
            format!("{number}: {role}, {person}, entry {} of the chain", entry.seq)
        }
        Act::Issue => {
            let stored = archive.issue(number)?;
            format!("{number}: issued, {}", stored.package.display())
        }
        Act::Amend { field, to, reason } => {
            let (new, _) = archive.amend(number, &reason, &[(field, to)], person, pin)?;
            format!("{new}: draft in place of {number}")
        }
        Act::Withdraw { reason } => {
            let entry = archive.withdraw(number, &reason, person, pin)?;
            format!("{number}: withdrawn, entry {} of the chain", entry.seq)
        }
    })
}

fn sheet(dir: &Path, sheet: Sheet) -> Result<Vec<Line>, String> {
    match sheet {
        Sheet::Standards => Ok(standards(dir)),
        Sheet::Profiles => Ok(Profile::builtin_ids().map(|id| profile(dir, id)).collect()),
        Sheet::Trail => {
            let (newest, count) = words(archive::trail(dir, TRAIL))?;
            let mut lines: Vec<Line> = newest.iter().map(trace_line).collect();
            if count > newest.len() as u64 {
                let about = vec![format!("{} older entries are in chain.jws", count - newest.len() as u64)];
                lines.push(Line { head: "…".into(), about, state: State::Unknown });
            }
            Ok(lines)
        }
        Sheet::Persons => Ok(words(archive::persons(dir))?
            .iter()
            .map(|person| {
                let roles: Vec<_> = person.roles.iter().map(ToString::to_string).collect();
                let (word, state) = match (person.disabled, person.locked) {
                    (true, _) => ("disabled", State::Unknown),
                    (false, true) => ("locked", State::Bad),
                    (false, false) => ("active", State::Good),
                };
                Line { head: person.name.clone(), about: vec![roles.join(", "), word.to_owned()], state }
            })
            .collect()),
    }
}

/// The certificates in the data folder's `calibration`, else those that come with the program.
fn standards(dir: &Path) -> Vec<Line> {
    let today = Stamp::now().date();
    let line = |standard: &Standard| {
        let left = history::days_until(standard.due_on(), today);
        let state = match left {
            ..0 => State::Bad,
            0..=60 => State::Care,
            _ => State::Good,
        };
        let simulated = if standard.is_simulated() { " SIMULATED" } else { "" };
        Line {
            head: format!("{}{simulated}", standard.name()),
            about: vec![
                format!("{}: {} by {}", standard.kind(), standard.certificate_no(), standard.laboratory()),
                format!("calibrated {}, due {} ({left} days)", standard.calibrated_on(), standard.due_on()),
            ],
            state,
        }
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(dir.join("calibration"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        let shipped = builtin_simulated();
        return [shipped.reference(), shipped.time_base()].map(line).into();
    }
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let text = phantomload::bench::description::read(path).map_err(|fault| fault.to_string());
        match text.and_then(|text| Standard::from_toml(&name, &text).map_err(|fault| fault.to_string())) {
            Ok(standard) => line(&standard),
            Err(why) => Line { head: name, about: vec![why], state: State::Bad },
        }
    };
    paths.iter().map(read).collect()
}

/// A regulation profile: what nobody has confirmed of it, and who answers for that.
fn profile(dir: &Path, id: &str) -> Line {
    let wrong = |why: String| Line { head: id.to_owned(), about: vec![why], state: State::Bad };
    let (profile, text) = match (Profile::builtin(id), Profile::builtin_text(id)) {
        (Ok(profile), Ok(text)) => (profile, text),
        (Err(fault), _) | (_, Err(fault)) => return wrong(fault.to_string()),
    };
    let approval = archive::profile_approval(dir, &archive::sha256(text.as_bytes()), false).ok().flatten();
    let mut unconfirmed = BTreeSet::new();
    for class in &profile.classes {
        if let Ok(class) = profile.class(&class.name) {
            for kind in phantomload::regulation::Kind::ALL {
                unconfirmed.extend(profile.unconfirmed_figures(kind, &class));
            }
        }
    }
    let mut about = vec![format!("{} {}", profile.title_zh, profile.title_en), profile.scope.clone()];
    about.extend(approval.iter().map(|a| format!("approved: {}, {}, {}", a.laboratory, a.person, a.date)));
    let state = match (unconfirmed.is_empty(), approval.is_some()) {
        (true, _) => State::Good,
        (false, true) => State::Good,
        (false, false) => State::Care,
    };
    about.push(format!("unconfirmed figures: {}", unconfirmed.len()));
    about.extend(unconfirmed.into_iter().map(|figure| format!("· {figure}")));
    Line { head: format!("{} ({id})", profile.document), about, state }
}

/// Where something may be taken along to: a folder of the data folder, and what is plugged in.
fn places(dir: &Path) -> Vec<(String, PathBuf)> {
    let own = dir.join("exports");
    let mut found = vec![("exports".to_owned(), own)];
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    for line in mounts.lines() {
        let Some(place) = line.split_whitespace().nth(1) else { continue };
        // A blank in a name is written \040 there (proc(5), fstab(5)).
        let place = PathBuf::from(place.replace("\\040", " "));
        let plugged = ["/media/", "/run/media/", "/mnt/"].iter().any(|root| place.starts_with(root));
        if plugged && place.is_dir() {
            let name = place.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
            found.push((name, place));
        }
    }
    found
}

fn export(dir: &Path, form: &Form, to: &Path, tell: &dyn Fn(Told)) -> Result<String, String> {
    let failed = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    fs::create_dir_all(to).map_err(|e| failed(to, &e))?;
    let stamp = Stamp::now().civil().strftime("%Y%m%d-%H%M%S").to_string();
    match form {
        Form::Csv(wanted) | Form::Xlsx(wanted) => {
            let (filter, _) = words(Index::open(dir).and_then(|index| find(&index, wanted)))?;
            tell(Told::Progress { done: 0, of: 1 });
            let (out, rows) = if matches!(form, Form::Csv(_)) {
                let out = to.join(format!("register-{stamp}.csv"));
                (out.clone(), archive::export_csv(dir, &filter, &out))
            } else {
                let out = to.join(format!("register-{stamp}.xlsx"));
                (out.clone(), archive::export_xlsx(dir, &filter, &out))
            };
            let rows = words(rows)?;
            Ok(format!("{rows}: {}", out.display()))
        }
        Form::Pdf(number) | Form::Package(number) => {
            let folder = words(archive::package_folder(dir, number))?;
            let whole = matches!(form, Form::Package(_));
            let mut names: Vec<PathBuf> = fs::read_dir(&folder)
                .map_err(|e| failed(&folder, &e))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| whole || path.extension().is_some_and(|end| end == "pdf"))
                .collect();
            names.sort();
            if names.is_empty() {
                return Err(format!("{number}: there is no PDF; its papers were not sealed"));
            }
            let place = if whole { to.join(number) } else { to.to_owned() };
            fs::create_dir_all(&place).map_err(|e| failed(&place, &e))?;
            let of = names.len();
            for (done, path) in names.iter().enumerate() {
                tell(Told::Progress { done, of });
                let bytes = fs::read(path).map_err(|e| failed(path, &e))?;
                let out = place.join(path.file_name().unwrap_or_default());
                // Forced to the stick: it may be pulled as soon as this is told.
                words(archive::write_whole(&out, &bytes))?;
            }
            tell(Told::Progress { done: of, of });
            Ok(place.display().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phantomload::bench::conduct;
    use phantomload::plan::{self, Entries};
    use phantomload::regulation::Kind;
    use phantomload::run::Run;
    use phantomload::sim::{Rig, demo_meter};
    use phantomload::time::Instant;
    use std::sync::Arc;

    /// A data folder with one simulated paper, an approver and a verifier; and the paper's number.
    fn folder() -> (tempfile::TempDir, String) {
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
        archive.add_person("李批准", &[Role::Approver], "111111", None).unwrap();
        archive.add_person("王小明", &[Role::Verifier], "222222", Some(("李批准", "111111"))).unwrap();
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
            number: number.clone(),
            act: Act::Sign(Role::Verifier),
            by: Some(Signer { person: "王小明".into(), pin: pin.into() }),
        };
        let wrong = ask(&desk, dir, sign("999999"));
        assert!(matches!(&wrong[..], [Told::Done(Err(_))]), "{wrong:?}");
        let signed = ask(&desk, dir, sign("222222"));
        assert!(matches!(&signed[..], [Told::Done(Ok(_))]), "{signed:?}");
        let told = ask(&desk, dir, Ask::Paper(number.clone()));
        let [Told::Paper(Ok(paper))] = &told[..] else { panic!("{told:?}") };
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
            let told = ask(&desk, dir, Ask::Export { form, to: stick.path().to_owned() });
            assert!(matches!(told.last(), Some(Told::Done(Ok(_)))), "{told:?}");
            assert!(told.iter().any(|told| matches!(told, Told::Progress { .. })), "{told:?}");
            let mut places = vec![stick.path().to_owned(), stick.path().join(&number)];
            places.retain(|place| place.is_dir());
            let names = places.iter().flat_map(|place| fs::read_dir(place).unwrap());
            assert!(
                names.into_iter().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(end)),
                "{end}"
            );
        }
        let full =
            ask(&desk, dir, Ask::Export { form: Form::Package(number.clone()), to: "/proc/nowhere".into() });
        assert!(matches!(&full[..], [Told::Done(Err(why))] if why.contains("/proc/nowhere")), "{full:?}");
    }

    #[test]
    fn every_list_can_be_read_also_of_an_empty_folder() {
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk::default();
        for sheet in [Sheet::Standards, Sheet::Profiles, Sheet::Trail, Sheet::Persons] {
            let told = ask(&desk, dir.path(), Ask::Sheet(sheet));
            assert!(matches!(&told[..], [Told::Sheet(_, Ok(_))]), "{told:?}");
        }
        assert_eq!(ask(&desk, dir.path(), Ask::Register(Wanted::default())), [Told::Found(Ok(0))]);
        let told = ask(&desk, dir.path(), Ask::History("x".into()));
        assert!(
            matches!(&told[..], [Told::History(Err(why))] if why.contains("no visit of `x`")),
            "{told:?}"
        );
        assert!(
            matches!(&ask(&desk, dir.path(), Ask::Places)[..], [Told::Places(places)] if !places.is_empty())
        );
    }
}
