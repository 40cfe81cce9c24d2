//! `phantomload certificate verify`

use super::super::{Data, Ended, Stop, print_json, print_text};
use phantomload::archive;
use phantomload::certificate::chain::{Entry, Head};
use phantomload::certificate::sign::trust::Trust;
use phantomload::certificate::sign::{hex, qr};
use phantomload::certificate::verify::{self, Checked, Kind};
use phantomload::time::Stamp;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The chain in a data folder.
const CHAIN: &str = "chain.jws";
/// The folders of packages beside it.
const PACKAGES: [&str; 3] = ["packages", "papers", "issued"];
/// The longest file that is read: many times the longest package or chain.
const LONGEST: u64 = 256 << 20;

/// A package has some fifteen files, and the photographs of seals.
const FILES_MAX: usize = 1000;

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

/// Checks, prints what was found, and ends with 0 where it is authentic and was neither withdrawn nor replaced as far as
/// the chain at hand says. A draft ends with 0 too, since every run leaves one and it is what the device has signed; its
/// first words are AUTHENTIC DRAFT, not issued, of no legal value.
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
        return Ok(verify::qr_text(what, trust, chain_at_hand(arguments)?.as_deref()));
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
        Ok(verify::qr_text(&text, trust, chain_at_hand(arguments)?.as_deref()))
    } else if text.starts_with("eyJ") {
        Ok(verify::chain(&text, trust, &heads(&path)))
    } else {
        let hint = "give the package folder, a chain file or a file with a QR text";
        Err(Stop::input(format!("{}: neither a chain nor a QR text; {hint}", path.display())))
    }
}

/// The bytes of a regular file of sensible length: what is checked comes from strangers.
fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let fault = |e: std::io::Error| Stop::input(format!("{}: {e}", path.display()));
    let file = fs::metadata(path).map_err(fault)?;
    if !file.is_file() {
        return Err(irregular(path));
    }
    if file.len() > LONGEST {
        return Err(Stop::input(format!(
            "{}: {} bytes; no more than {LONGEST} (256 MiB) are read. No package or chain of this program is so long",
            path.display(),
            file.len()
        )));
    }
    let mut bytes = vec![];
    fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).map_err(fault)?;
    Ok(bytes)
}

fn irregular(path: &Path) -> Stop {
    Stop::input(format!(
        "{}: no regular file but a link, a pipe or a device. Copy the package's own files into a folder of their own and check that",
        path.display()
    ))
}

fn text(path: &Path) -> Result<String, Stop> {
    String::from_utf8(read(path)?).map_err(|_| Stop::input(format!("{}: it is not text", path.display())))
}

/// All files of a package; a folder inside it does not belong there and is named as such. No link is followed.
fn files(package: &Path) -> Result<BTreeMap<String, Vec<u8>>, Stop> {
    let list = fs::read_dir(package).map_err(|e| Stop::input(format!("{}: {e}", package.display())))?;
    let mut files = BTreeMap::new();
    let mut left = LONGEST;
    for entry in list {
        let path = entry.map_err(|e| Stop::input(format!("{}: {e}", package.display())))?.path();
        let kind =
            fs::symlink_metadata(&path).map_err(|e| Stop::input(format!("{}: {e}", path.display())))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = match kind.file_type() {
            kind if kind.is_dir() => vec![],
            kind if kind.is_file() => read(&path)?,
            _ => return Err(irregular(&path)),
        };
        let length = bytes.len() as u64;
        files.insert(name, bytes);
        if length > left || files.len() > FILES_MAX {
            return Err(Stop::input(format!(
                "{}: more than {FILES_MAX} files or {LONGEST} bytes (256 MiB) are in it; no package of this program is so large",
                package.display()
            )));
        }
        left -= length;
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

/// The chain of the data folder that was named, or of the usual one.
fn chain_at_hand(arguments: &Arguments) -> Result<Option<String>, Stop> {
    let path = arguments.data.dir().ok().map(|dir| dir.join(CHAIN)).filter(|path| path.is_file());
    path.map(|path| text(&path)).transpose()
}

/// What the packages beside a chain know of it: a tail that was cut off shows against them. What cannot be read there
/// says nothing; checking that package tells it.
fn heads(chain: &Path) -> Vec<Head> {
    let Some(dir) = fs::canonicalize(chain).ok().and_then(|path| Some(path.parent()?.to_owned())) else {
        return vec![];
    };
    let mut heads = vec![];
    for folder in PACKAGES {
        for package in fs::read_dir(dir.join(folder)).into_iter().flatten().flatten() {
            let path = package.path().join("manifest.json");
            let is_file = fs::symlink_metadata(&path).is_ok_and(|kind| kind.is_file());
            let entry = is_file.then(|| read(&path).ok()).flatten().map(|bytes| Entry::from_json(&bytes));
            if let Some(Ok(entry)) = entry {
                let from = format!("{folder}/{}/manifest.json", package.file_name().to_string_lossy());
                let sha256 = Some(hex(&entry.sha256()));
                heads.push(Head { seq: entry.seq, prev: entry.prev, sha256, from });
            }
        }
    }
    heads.sort_by_key(|head| head.seq);
    heads
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
