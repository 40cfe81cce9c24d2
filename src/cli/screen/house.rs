//! What the desk does besides papers: those who sign, certificates of the standards, regulation profiles.

use super::desk::{plugged, words};
use crate::cli::calibration::Folder;
use phantomload::archive::{self, Archive, CALIBRATION};
use phantomload::bench::description;
use phantomload::calibration::Standard;
use phantomload::certificate::issue::Role;
use phantomload::regulation::house::{self, Change};
use phantomload::regulation::{Profile, Provenance};
use phantomload::screen::desk::port::{Line, PersonSeen, ProfileSeen, Standing};
use phantomload::screen::values::State;
use phantomload::time::Stamp;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder in which files to be taken in are looked for.
const IMPORTS: &str = "imports";
/// The folder of the profiles of the house.
const REGULATIONS: &str = "regulations";
/// More files are not listed.
const FILES_MAX: usize = 300;
/// Due within so many days is to be seen to.
const SOON: i32 = 60;

/// Those who sign, or have signed.
pub fn persons(dir: &Path) -> Result<Vec<PersonSeen>, String> {
    let persons = words(archive::persons(dir))?.into_iter().map(|person| PersonSeen {
        standing: match (person.disabled, person.locked) {
            (true, _) => Standing::Disabled,
            (false, true) => Standing::Locked,
            (false, false) => Standing::Active,
        },
        name: person.name,
        roles: person.roles,
    });
    Ok(persons.collect())
}

/// The certificates in the data folder's `calibration`, else those that come with the program; those that need somebody first.
pub fn standards(dir: &Path) -> Vec<Line> {
    let folder = dir.join(CALIBRATION);
    let is_empty = toml_files(&folder).is_empty();
    let read = if is_empty { Ok(Folder::shipped()) } else { Folder::of(&folder) };
    let folder = match read {
        Ok(folder) => folder,
        Err(stop) => {
            return vec![Line { head: CALIBRATION.into(), about: vec![stop.message], state: State::Bad }];
        }
    };
    let imported = archive::imported(dir).unwrap_or_default();
    let lines = folder.lines(Stamp::now().date()).into_iter().map(|mut seen| {
        let known = imported.get(&seen.file).filter(|_| !is_empty);
        let bytes = fs::read(dir.join(CALIBRATION).join(&seen.file));
        let altered = known.is_some_and(|known| bytes.is_ok_and(|b| archive::sha256(&b) != known.sha256));
        if altered {
            seen.about.insert(0, "altered since it was imported; take it from a backup".into());
        } else if let Some(archive::Import { by, time, .. }) = known {
            let day = time.get(..10).unwrap_or_default();
            seen.about.push(match by {
                Some(by) => format!("imported by {by}, {day}"),
                None => format!("imported {day}"),
            });
        }
        Line {
            state: match seen.days_left {
                _ if altered => State::Bad,
                Some(_) if seen.superseded => State::Unknown,
                None | Some(..0) => State::Bad,
                Some(0..=SOON) => State::Care,
                Some(_) => State::Good,
            },
            head: seen.head,
            about: seen.about,
        }
    });
    let mut lines: Vec<Line> = lines.collect();
    lines.sort_by_key(|line| match line.state {
        State::Bad => 0,
        State::Care => 1,
        State::Good => 2,
        State::Unknown => 3,
    });
    lines
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).take(10_000).collect();
    found.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    found.sort();
    found
}

/// Files that could be certificates: in the folder `imports`, on what is plugged in, and there in a folder `calibration`.
pub fn files(dir: &Path) -> Vec<(String, PathBuf)> {
    let plugged = plugged().into_iter().flat_map(|(_, place)| [place.join(CALIBRATION), place]);
    let places = std::iter::once(dir.join(IMPORTS)).chain(plugged);
    let name = |path: PathBuf| {
        let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        (name, path)
    };
    places.flat_map(|place| toml_files(&place)).take(FILES_MAX).map(name).collect()
}

/// Takes a certificate in, with an entry in the chain. What is there already stays: a certificate is superseded by another one,
/// and never edited.
pub fn import(
    dir: &Path,
    archive: &mut Archive,
    path: &Path,
    by: Option<(&str, &str)>,
) -> Result<String, archive::Fault> {
    let wrong = |what: String| archive::Fault::State { number: path.display().to_string(), what };
    let text = description::read(path).map_err(|fault| wrong(fault.to_string()))?;
    let standard = Standard::from_toml("certificate", &text).map_err(|fault| wrong(fault.to_string()))?;
    let folder = dir.join(CALIBRATION);
    for there in toml_files(&folder) {
        let Ok(other) = description::read(&there) else { continue };
        let Ok(other) = Standard::from_toml(&there.display().to_string(), &other) else { continue };
        if other.certificate_no() == standard.certificate_no() && other.kind() == standard.kind() {
            return Err(wrong(format!(
                "the certificate {} is there already, as {}; a certificate is superseded by a new one, never replaced",
                standard.certificate_no(),
                there.display()
            )));
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let entry = archive.import_calibration(&name, &standard, &text, by)?;
    Ok(format!(
        "{}, certificate {}, due {}: stored as {}, entry {} of the chain",
        standard.name(),
        standard.certificate_no(),
        standard.due_on(),
        folder.join(&*name).display(),
        entry.seq
    ))
}

/// A profile by the name under which it is listed: its file, none where it comes with the program, and its text.
fn find(dir: &Path, id: &str) -> Result<(Option<PathBuf>, String), String> {
    if let Ok(text) = Profile::builtin_text(id) {
        return Ok((None, text.to_owned()));
    }
    let path =
        toml_files(&dir.join(REGULATIONS)).into_iter().find(|path| path.file_stem().is_some_and(|s| s == id));
    let path = path.ok_or_else(|| format!("there is no regulation profile `{id}`"))?;
    let text = description::read(&path).map_err(|fault| fault.to_string())?;
    Ok((Some(path), text))
}

/// A profile as the command line names it, by the name under which it is listed: its id, or its file.
pub(super) fn named(dir: &Path, id: &str) -> Result<String, String> {
    let (file, _) = find(dir, id)?;
    Ok(file.map_or(id.to_owned(), |file| file.display().to_string()))
}

/// The profiles that come with the program, and those of the house.
pub fn profiles(dir: &Path) -> Vec<ProfileSeen> {
    let own = toml_files(&dir.join(REGULATIONS)).into_iter().take(FILES_MAX);
    let own = own.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let ids: Vec<String> = Profile::builtin_ids().map(str::to_owned).chain(own).collect();
    ids.iter().map(|id| profile(dir, id)).collect()
}

fn profile(dir: &Path, id: &str) -> ProfileSeen {
    let read = find(dir, id).and_then(|(file, text)| {
        let profile = Profile::from_toml(id, &text).map_err(|fault| fault.to_string())?;
        let figures = house::entries(id, &text).map_err(|fault| fault.to_string())?;
        Ok((file, text, profile, figures))
    });
    let (file, text, profile, figures) = match read {
        Ok(read) => read,
        Err(why) => {
            return ProfileSeen {
                id: id.to_owned(),
                head: id.to_owned(),
                about: vec![why],
                file: Some(dir.join(REGULATIONS)),
                figures: vec![],
                unconfirmed: 0,
                approved: None,
                next: None,
                wants_validity: false,
            };
        }
    };
    let sha256 = archive::sha256(text.as_bytes());
    let approval = archive::profile_approval(dir, &sha256, false).ok().flatten();
    let by = |a: phantomload::regulation::Approval| format!("{}, {}, {}", a.laboratory, a.person, a.date);
    ProfileSeen {
        id: id.to_owned(),
        head: format!("{} ({id})", profile.document),
        about: vec![format!("{} {}", profile.title_zh, profile.title_en), profile.scope.clone()],
        unconfirmed: figures.iter().filter(|f| f.provenance == Provenance::Unconfirmed).count(),
        file,
        figures,
        next: archive::profile_next(dir, &sha256).unwrap_or(Some(Role::Verifier)).or(Some(Role::Verifier)),
        approved: approval.map(by),
        wants_validity: !profile.states_validity(),
    }
}

/// Saves a profile of the house. What a laboratory answers for is not written over.
pub fn change(dir: &Path, of: &str, id: &str, change: &Change) -> Result<String, String> {
    let (_, text) = find(dir, of)?;
    let made =
        house::changed(of, &text, id, change, Stamp::now().date()).map_err(|fault| fault.to_string())?;
    let folder = dir.join(REGULATIONS);
    let path = folder.join(format!("{id}.toml"));
    if path.exists() {
        let (_, before) = find(dir, id)?;
        let sha256 = archive::sha256(before.as_bytes());
        let signed = words(archive::profile_next(dir, &sha256))?.is_none_or(|next| next != Role::Verifier);
        if signed || of != id {
            return Err(format!(
                "{}: it is there already{}; save under another name",
                path.display(),
                if signed { ", and somebody has signed for it" } else { "" }
            ));
        }
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    words(archive::write_whole(&path, made.as_bytes()))?;
    Ok(format!("{id}: saved as {}; nobody answers for it yet", path.display()))
}

/// A person of a laboratory signs for a profile.
pub fn approve(
    dir: &Path,
    archive: &mut Archive,
    id: &str,
    role: Role,
    validity_years: Option<u32>,
    by: (&str, &str),
) -> Result<String, archive::Fault> {
    let wrong = |what| archive::Fault::State { number: id.to_owned(), what };
    let (_, text) = find(dir, id).map_err(wrong)?;
    let profile = Profile::from_toml(id, &text).map_err(|fault| wrong(fault.to_string()))?;
    let terms = archive::Terms {
        laboratory: String::new(),
        validity_years: validity_years.filter(|_| !profile.states_validity()),
    };
    let (approval, next) = archive.approve_profile((&profile.id, &text), terms, role, by)?;
    Ok(match next {
        Some(next) => format!("{id}: {} has signed; the {next} is next", by.0),
        None => format!("{id}: {}, {}, answers for it", approval.laboratory, approval.person),
    })
}
