//! `phantomload certificate page`

use super::{Data, Ended, Stop, print_text};
use phantomload::archive;
use phantomload::certificate::page::page;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    /// Certificates to believe (PEM): authorities, and the devices that a QR code only names [default: those of the data
    /// folder: key/ca.pem, key/device.pem, trust/*.pem]
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "check.html")]
    out: PathBuf,
    #[command(flatten)]
    data: Data,
}

/// Writes the page on which anybody checks a QR text or a package.
pub fn run(arguments: &Arguments) -> Ended {
    let files = if arguments.ca.is_empty() { believed(&arguments.data.dir()?) } else { arguments.ca.clone() };
    let mut certificates = vec![];
    for path in &files {
        certificates.push((path.display().to_string(), super::inputs::read(path)?));
    }
    let bytes = page(&certificates).map_err(Stop::input)?;
    archive::write_whole(&arguments.out, &bytes).map_err(Stop::fault)?;
    let note = match certificates.len() {
        0 => {
            "nobody is believed on it yet: give --ca FILE, or add certificates on the page itself".to_owned()
        }
        n => format!("with the certificates of {n} files"),
    };
    print_text(&format!("{}: {note}\n", arguments.out.display()))?;
    Ok(0)
}

/// The certificates of a data folder: authority, device, and those that were laid into `trust`.
fn believed(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["key/ca.pem", "key/device.pem"].iter().map(|name| dir.join(name)).collect();
    // What an earlier key sealed stays sealed.
    let old = fs::read_dir(dir.join("key/old")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut old: Vec<PathBuf> =
        old.flat_map(|key| ["ca.pem", "device.pem"].map(|name| key.join(name))).collect();
    old.sort();
    files.append(&mut old);
    files.retain(|path| path.is_file());
    let inside = fs::read_dir(dir.join("trust")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut trusted: Vec<PathBuf> =
        inside.filter(|path| path.extension().is_some_and(|e| e == "pem")).collect();
    trusted.sort();
    files.append(&mut trusted);
    files
}
