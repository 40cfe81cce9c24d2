//! `phantomload calibration`

mod page;

use super::{Data, Ended, Stop, print_json, print_text};
use jiff::civil::Date;
use page::{Page, Seen};
use phantomload::bench::description;
use phantomload::calibration::{Standard, builtin_simulated};
use phantomload::time::Stamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Which {
    /// Show the certificates with their points, and the drift where a standard has several
    Show(Arguments),
    /// Say whether every standard is in date: exit code 0 all are, 1 past due or unreadable, 2 a wrong file
    Check(Arguments),
}

#[derive(clap::Args)]
pub struct Arguments {
    /// Calibration folder: every *.toml in it [default: `calibration` in --data; without either the simulated
    /// standards that come with the program]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Shows or checks.
pub fn run(which: &Which) -> Ended {
    let (Which::Show(arguments) | Which::Check(arguments)) = which;
    let checks = matches!(which, Which::Check(_));
    let folder = Folder::read(arguments)?;
    let page = folder.page(Stamp::now().date());
    if arguments.json {
        print_json(&page)?;
    } else {
        print_text(&if checks { page.findings() } else { page.text() })?;
    }
    for problem in page.problems() {
        super::say(&format!("phantomload: {}", problem.what));
    }
    Ok(page.code(checks))
}

/// What a calibration folder holds.
pub(super) struct Folder {
    name: String,
    certificates: Vec<(String, Standard)>,
    problems: Vec<Problem>,
}

/// A file that gives no certificate.
#[derive(Debug, Clone, Serialize)]
struct Problem {
    file: String,
    what: String,
    /// It was read and is no calibration file; otherwise it could not even be read.
    wrong: bool,
}

impl Folder {
    fn read(arguments: &Arguments) -> Result<Self, Stop> {
        let dir = match (&arguments.dir, &arguments.data.data) {
            (Some(dir), _) => dir.clone(),
            (None, Some(data)) => data.join("calibration"),
            (None, None) => return Ok(Self::shipped()),
        };
        Self::of(&dir)
    }

    pub(super) fn shipped() -> Self {
        let standards = builtin_simulated();
        let certificates = [
            ("simulated-reference.toml", standards.reference()),
            ("simulated-time-base.toml", standards.time_base()),
        ];
        Self {
            name: "shipped with the program".into(),
            certificates: certificates.map(|(file, standard)| (file.to_owned(), standard.clone())).into(),
            problems: vec![],
        }
    }

    pub(super) fn of(dir: &Path) -> Result<Self, Stop> {
        let no_folder =
            |e| Stop::input(format!("{}: {e}; give --dir DIR, a folder of calibration files", dir.display()));
        let mut paths = vec![];
        for entry in std::fs::read_dir(dir).map_err(no_folder)? {
            paths.push(entry.map_err(no_folder)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
        paths.sort();
        if paths.is_empty() {
            return Err(Stop::input(format!(
                "{} holds no *.toml: no certificate, so no standard is in date",
                dir.display()
            )));
        }
        let mut folder = Self { name: dir.display().to_string(), certificates: vec![], problems: vec![] };
        for path in paths {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = match description::read(&path) {
                Ok(text) => text,
                Err(fault) => {
                    folder.problems.push(Problem { file, what: fault.to_string(), wrong: false });
                    continue;
                }
            };
            match Standard::from_toml(&path.display().to_string(), &text) {
                Ok(standard) => folder.certificates.push((file, standard)),
                Err(fault) => folder.problems.push(Problem { file, what: fault.to_string(), wrong: true }),
            }
        }
        Ok(folder)
    }

    /// Its certificates and what gives none, each in lines.
    pub(super) fn lines(self, today: Date) -> Vec<Seen> {
        self.page(today).lines()
    }

    fn page(self, today: Date) -> Page {
        Page::of(self.name, self.certificates, self.problems, today)
    }
}

#[cfg(test)]
mod tests;
