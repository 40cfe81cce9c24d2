//! What could be verified: nameplate files in the folder `work`, the bench's own meter, the demo meters of the simulated bench;
//! and what is known of a number from earlier visits.

use super::Program;
use crate::cli::inputs::read;
use phantomload::archive::{self, Index, RegisterRow};
use phantomload::bench::{Description, description};
use phantomload::certificate::record::Record;
use phantomload::plan::Nameplate;
use phantomload::screen::draft::{Job, Visit};
use phantomload::sim::DEMO_METERS;
use phantomload::verdict::Verdict;
use std::path::{Path, PathBuf};

/// The folder of the work list in the data folder.
const WORK: &str = "work";
/// More are not listed.
const JOBS_MAX: usize = 300;

impl Program {
    /// All that could be verified.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let index = self.dir.exists().then(|| Index::open(&self.dir).ok()).flatten();
        let mut texts: Vec<String> =
            files(&self.dir.join(WORK)).iter().filter_map(|path| read(path).ok()).collect();
        let task = &self.arguments.task;
        let mut demos = vec![];
        texts.extend(
            task.meter.as_deref().and_then(|meter| super::super::inputs::meter_text(meter).ok()).map(|m| m.1),
        );
        if task.bench == "simulated" {
            demos = DEMO_METERS.iter().filter_map(|(name, text)| demo(name, text, index.as_ref())).collect();
        } else if let Ok(Description { nameplate: Some(path), .. }) =
            Description::load(Path::new(&task.bench))
        {
            texts.extend(read(&path).ok());
        }
        texts.truncate(JOBS_MAX);
        let own = texts.into_iter().filter_map(|text| job(text, index.as_ref()));
        own.chain(demos).collect()
    }

    /// The meter or charger of a number: from the work list, else from an earlier visit.
    pub(super) fn find(&self, wanted: &str) -> Option<Job> {
        let wanted = wanted.trim();
        let is_it = |job: &Job| {
            Nameplate::from_toml("", &job.text)
                .is_ok_and(|plate| plate.serial == wanted || plate.charger == wanted)
        };
        if let Some(job) = self.jobs().into_iter().find(is_it) {
            return Some(job);
        }
        let index = Index::open(&self.dir).ok()?;
        let of_charger = || index.last_where(|row| row.get("charger") == wanted).ok().flatten();
        let last = last_row(&index, wanted).or_else(of_charger)?;
        let path = archive::find(&self.dir, last.get("certificate_no")).ok()?;
        let text = description::read_at_most(&path, description::RECORD_MAX).ok()?;
        let record = Record::from_json(&path.display().to_string(), &text).ok()?;
        let text = toml::to_string(&record.plan.nameplate).ok()?;
        job(text, Some(&index))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files.truncate(JOBS_MAX);
    files
}

/// A nameplate that is none is not listed; `phantomload plan --meter FILE` says what is wrong with it.
fn job(text: String, index: Option<&Index>) -> Option<Job> {
    let plate = Nameplate::from_toml("", &text).ok()?;
    let last = index.and_then(|index| last_row(index, &plate.serial));
    let last = last.map(|row| Visit {
        at: row.get("performed_from").chars().take(10).collect(),
        number: row.get("certificate_no").to_owned(),
        verdict: match row.get("verdict") {
            "pass" => Some(Verdict::Pass),
            "fail" => Some(Verdict::Fail),
            "undecided" => Some(Verdict::Undecided),
            _ => None,
        },
    });
    Some(Job {
        title: format!("{} / {}", plate.charger, plate.serial),
        about: format!("{} {}, {}", plate.maker, plate.model, plate.class),
        text,
        last,
    })
}

/// A demo meter, with what it shows.
fn demo(name: &str, text: &str, index: Option<&Index>) -> Option<Job> {
    let job = job(text.to_owned(), index)?;
    Some(Job { title: format!("{name}: {}", job.title), ..job })
}

/// The last row of exactly this serial number.
fn last_row(index: &Index, serial: &str) -> Option<RegisterRow> {
    index.last_of_serial(serial).ok().flatten()
}
