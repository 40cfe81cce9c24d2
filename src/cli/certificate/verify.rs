//! `phantomload certificate verify`

use super::super::{Data, Ended, Stop, print_json, print_text};
use phantomload::archive;
use phantomload::certificate::sign::qr;
use phantomload::certificate::sign::trust::Trust;
use phantomload::certificate::verify::{self, Checked, Kind};
use phantomload::time::Stamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The chain in a data folder.
const CHAIN: &str = "chain.jws";

#[derive(clap::Args)]
pub struct Arguments {
    /// Package folder, its number, chain file, the text of a QR code (EVV1:…) or a file with such a text
    #[arg(value_name = "PATH|NUMBER|QR-TEXT")]
    what: String,
    /// Certificate of an authority or of a device, PEM; may be given several times [default: key/ca.pem,
    /// key/device.pem and trust/*.pem of the data folder]
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks, prints what was found, and ends with 0 where it is authentic.
pub fn run(arguments: &Arguments) -> Ended {
    let trust = trust(arguments)?;
    let checked = check(arguments, &trust)?;
    if arguments.json {
        print_json(&checked)?;
    } else {
        print_text(&checked.text())?;
    }
    Ok(u8::from(checked.result != Kind::Authentic))
}

fn check(arguments: &Arguments, trust: &Trust) -> Result<Checked, Stop> {
    let what = arguments.what.trim();
    if what.starts_with(qr::PREFIX) {
        return Ok(verify::qr_text(what, trust));
    }
    let mut path = PathBuf::from(what);
    // A number is looked for in the data folder; a path that exists goes first.
    if !path.exists() && !what.contains(['/', '\\']) && !what.is_empty() {
        path = archive::package_folder(&arguments.data.dir()?, what).map_err(Stop::input)?;
    }
    if path.is_dir() {
        let chain = chain_beside(&path, arguments)?;
        return Ok(verify::package(&files(&path)?, trust, chain.as_deref()));
    }
    if !path.is_file() {
        return Err(Stop::input(format!(
            "`{what}` is no folder, no file, no number of a package in the data folder and no QR text ({}…)",
            qr::PREFIX
        )));
    }
    let text = String::from_utf8(read(&path)?)
        .map_err(|_| Stop::input(format!("{}: neither a chain nor a QR text", path.display())))?;
    if text.trim_start().starts_with(qr::PREFIX) {
        Ok(verify::qr_text(&text, trust))
    } else if text.starts_with("eyJ") {
        Ok(verify::chain(&text, trust, &[]))
    } else {
        let hint = "give the package folder, a chain file or a file with a QR text";
        Err(Stop::input(format!("{}: neither a chain nor a QR text; {hint}", path.display())))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    fs::read(path).map_err(|e| Stop::input(format!("{}: {e}", path.display())))
}

fn text(path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|e| Stop::input(format!("{}: {e}", path.display())))
}

/// All files of a package; a folder inside it does not belong there and is named as such.
fn files(package: &Path) -> Result<BTreeMap<String, Vec<u8>>, Stop> {
    let list = fs::read_dir(package).map_err(|e| Stop::input(format!("{}: {e}", package.display())))?;
    let mut files = BTreeMap::new();
    for entry in list {
        let path = entry.map_err(|e| Stop::input(format!("{}: {e}", package.display())))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, if path.is_dir() { vec![] } else { read(&path)? });
    }
    Ok(files)
}

/// The chain of the data folder that the package stands in, or of the one that was named.
fn chain_beside(package: &Path, arguments: &Arguments) -> Result<Option<String>, Stop> {
    let own = fs::canonicalize(package).ok().and_then(|p| Some(p.parent()?.parent()?.join(CHAIN)));
    let named = arguments.data.data.as_ref().map(|dir| dir.join(CHAIN));
    let found = named.into_iter().chain(own).find(|path| path.is_file());
    found.map(|path| text(&path)).transpose()
}

/// The certificates at hand. One that is no authority's is a device's: it is known, not trusted.
fn trust(arguments: &Arguments) -> Result<Trust, Stop> {
    let mut trust = Trust::new(Stamp::now().timestamp());
    let mut paths = arguments.ca.clone();
    if let Ok(dir) = arguments.data.dir() {
        let old = fs::read_dir(dir.join("key/old")).into_iter().flatten().flatten().map(|e| e.path());
        // What an earlier key sealed stays sealed.
        for folder in std::iter::once(dir.join("key")).chain(old) {
            let own = ["ca.pem", "device.pem"].map(|file| folder.join(file));
            paths.extend(own.into_iter().filter(|path| path.is_file()));
        }
        let more = fs::read_dir(dir.join("trust")).into_iter().flatten().flatten().map(|e| e.path());
        let mut more: Vec<_> = more.filter(|p| p.extension().is_some_and(|e| e == "pem")).collect();
        more.sort();
        paths.extend(more);
    }
    for path in paths {
        trust.add(&text(&path)?).map_err(|fault| Stop::input(format!("{}: {fault}", path.display())))?;
    }
    Ok(trust)
}
