//! What the desk asks: looked up in the data folder, or done in it.

use super::house;
use crate::cli::refused;
use phantomload::archive::{self, Archive, Filter, Found, Index, PaperStanding, RegisterRow};
use phantomload::certificate::issue::{Role, Status};
use phantomload::certificate::record::{Attempt, Record, Unit};
use phantomload::history;
use phantomload::plan::Load;
use phantomload::regulation::Item;
use phantomload::run::ErrorSeen;
use phantomload::screen::desk::port::{
    Act, Ask, Form, Line, PaperSeen, PointSeen, Row, Sheet, Signer, Told, Wanted, trace_line,
};
use phantomload::screen::values::State;
use phantomload::time::Stamp;
use phantomload::verdict::Verdict;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where the system puts what is plugged in.
const ROOTS: [&str; 3] = ["/media/", "/run/media/", "/mnt/"];
/// So many of the newest entries of the chain are shown.
const TRAIL: usize = 2000;

/// The register as it was looked through last.
#[derive(Default)]
pub struct Desk {
    listed: Mutex<Option<(Index, Found)>>,
}

/// What was done, or why not, in words.
pub(super) fn words<T>(done: Result<T, archive::Fault>) -> Result<T, String> {
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
            Ask::Sheet(sheet) => {
                let lines = self::sheet(dir, &sheet);
                Told::Sheet(sheet, lines)
            }
            Ask::Compare(a, b) => Told::Compared(compare(dir, &a, &b).map(Box::new)),
            Ask::Persons => Told::Persons(house::persons(dir)),
            Ask::Files => Told::Files(house::files(dir)),
            Ask::Import(path) => Told::Done(house::import(dir, &path)),
            Ask::Profiles => Told::Profiles(house::profiles(dir)),
            Ask::Change { profile, id, change } => Told::Done(house::change(dir, &profile, &id, &change)),
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

/// Two papers against one another.
fn compare(dir: &Path, a: &str, b: &str) -> Result<history::Comparison, String> {
    let visit = |number: &str| history::visit(dir, number).map_err(|fault| fault.to_string());
    history::compare(&visit(a)?, &visit(b)?).map_err(|fault| fault.to_string())
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
        Act::AddPerson { name, roles, pin: new } => {
            let by = by.map(|by| (by.person.as_str(), by.pin.as_str()));
            let entry = archive.add_person(&name, &roles, &new.0, by)?;
            format!("{name}: may sign, entry {} of the chain", entry.seq)
        }
        Act::NewPin { name, pin: new } => {
            let entry = archive.set_pin(&name, &new.0, (person, pin))?;
            format!("{name}: has a new PIN, entry {} of the chain", entry.seq)
        }
        Act::Disable { name } => {
            let by = by.map(|by| (by.person.as_str(), by.pin.as_str()));
            let entry = archive.disable_person(&name, by)?;
            format!("{name}: signs no more, entry {} of the chain", entry.seq)
        }
        Act::Approve { profile, role, validity_years } => {
            house::approve(dir, &mut archive, &profile, role, validity_years, (person, pin))?
        }
    })
}

fn sheet(dir: &Path, sheet: &Sheet) -> Result<Vec<Line>, String> {
    let of = match sheet {
        Sheet::Standards => return Ok(house::standards(dir)),
        Sheet::Trail(of) => of,
    };
    let (newest, count) = words(archive::trail(dir, TRAIL, of))?;
    let mut lines: Vec<Line> = newest.iter().map(trace_line).collect();
    if count > newest.len() as u64 {
        let about = vec![format!("{} older entries are in chain.jws", count - newest.len() as u64)];
        lines.push(Line { head: "…".into(), about, state: State::Unknown });
    }
    Ok(lines)
}

/// Where something may be taken along to: a folder of the data folder, and what is plugged in.
fn places(dir: &Path) -> Vec<(String, PathBuf)> {
    std::iter::once(("exports".to_owned(), dir.join("exports"))).chain(plugged()).collect()
}

/// What is plugged in, by its name.
pub(super) fn plugged() -> Vec<(String, PathBuf)> {
    let mut found = vec![];
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    for line in mounts.lines() {
        let Some(place) = line.split_whitespace().nth(1) else { continue };
        // A blank in a name is written \040 there (proc(5), fstab(5)).
        let place = PathBuf::from(place.replace("\\040", " "));
        let plugged = ROOTS.iter().any(|root| place.starts_with(root));
        if plugged && place.is_dir() {
            let name = place.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
            found.push((name, place));
        }
    }
    found
}

/// What is plugged in is there as long as it is mounted. Its folder stays when it is pulled, and whatever is written there then
/// lies on our own disk.
fn is_there(to: &Path) -> Result<(), String> {
    let pulled = ROOTS.iter().any(|root| to.starts_with(root))
        && !plugged().iter().any(|(_, place)| to.starts_with(place));
    if pulled {
        return Err(format!("{}: it is not plugged in any more; plug it in and export again", to.display()));
    }
    Ok(())
}

fn export(dir: &Path, form: &Form, to: &Path, tell: &dyn Fn(Told)) -> Result<String, String> {
    is_there(to)?;
    let mut made = vec![];
    let written = take_along(dir, form, to, &mut made, tell);
    // Pulled meanwhile, that is why nothing went any more; and what was written lies on our own disk, where nobody looks.
    is_there(to).inspect_err(|_| {
        for path in made {
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    })?;
    written
}

/// Writes it; `made` is what stands in the folder then, as a whole.
fn take_along(
    dir: &Path,
    form: &Form,
    to: &Path,
    made: &mut Vec<PathBuf>,
    tell: &dyn Fn(Told),
) -> Result<String, String> {
    fs::create_dir_all(to).map_err(|e| failed(to, &e))?;
    let stamp = Stamp::now().civil().strftime("%Y%m%d-%H%M%S").to_string();
    let said = match form {
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
            made.push(out.clone());
            let rows = words(rows)?;
            format!("{rows}: {}", out.display())
        }
        Form::Pdf(number) => {
            let folder = words(archive::package_folder(dir, number))?;
            let names: Vec<PathBuf> = files_of(&folder)?
                .into_iter()
                .filter(|p| p.extension().is_some_and(|end| end == "pdf"))
                .collect();
            if names.is_empty() {
                return Err(format!("{number}: there is no PDF; its papers were not sealed"));
            }
            made.extend(names.iter().filter_map(|path| Some(to.join(path.file_name()?))));
            copy(&names, to, tell)?;
            to.display().to_string()
        }
        Form::Package(number) => {
            let whole = package(dir, number, to, &stamp, tell)?;
            made.push(whole.clone());
            whole.display().to_string()
        }
    };
    Ok(said)
}

fn failed(path: &Path, fault: &dyn std::fmt::Display) -> String {
    format!("{}: {fault}", path.display())
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|e| failed(folder, &e))?;
    let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    Ok(names)
}

/// The whole package, or nothing of it: it gets its name when its last file is on the stick.
fn package(dir: &Path, number: &str, to: &Path, stamp: &str, tell: &dyn Fn(Told)) -> Result<PathBuf, String> {
    let names = files_of(&words(archive::package_folder(dir, number))?)?;
    let half = to.join(format!(".{number}-{stamp}.part"));
    let whole = to.join(number);
    // What was taken along before stays.
    let whole = if whole.exists() { to.join(format!("{number}-{stamp}")) } else { whole };
    let made = fs::create_dir(&half)
        .map_err(|e| failed(&half, &e))
        .and_then(|()| copy(&names, &half, tell))
        .and_then(|()| fs::rename(&half, &whole).map_err(|e| failed(&whole, &e)));
    if let Err(why) = made {
        // Where the stick is gone there is nothing to take away either.
        let _ = fs::remove_dir_all(&half);
        return Err(why);
    }
    Ok(whole)
}

fn copy(names: &[PathBuf], place: &Path, tell: &dyn Fn(Told)) -> Result<(), String> {
    let of = names.len();
    for (done, path) in names.iter().enumerate() {
        tell(Told::Progress { done, of });
        let bytes = fs::read(path).map_err(|e| failed(path, &e))?;
        // Forced to the stick: it may be pulled as soon as this is told.
        words(archive::write_whole(&place.join(path.file_name().unwrap_or_default()), &bytes))?;
    }
    tell(Told::Progress { done: of, of });
    Ok(())
}

#[cfg(test)]
mod tests;
