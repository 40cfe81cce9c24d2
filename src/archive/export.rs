//! A selection of the register as one file: CSV, row by row as it stands there, or XLSX, where text is text and numbers
//! are numbers.

use super::index::{Filter, Index};
use super::reader::Place;
use super::register;
use super::sheet::{Cell, Sheet, TEXT_MAX};
use super::{Fault, disk};
use crate::certificate::csv::{REGISTER_HEADER, register_header, unguarded};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Rows of a sheet (ECMA-376: 2²⁰), less the header.
const SHEET_ROWS: usize = 1_048_575;
/// Columns whose cells are numbers; all others are text, also where they look like numbers.
const NUMBERS: [&str; 9] = [
    "schema_version",
    "seq",
    "latitude_deg",
    "longitude_deg",
    "points",
    "worst_point_no",
    "worst_error_percent",
    "worst_limit_percent",
    "max_expanded_uncertainty_percent",
];
/// Rows that stand together are read together, in parts of this size.
const PART: u64 = 4 << 20;

/// Writes the rows that are wanted as CSV in the dialect of the register, in its order. Says how many.
pub fn export_csv(dir: &Path, filter: &Filter, out: &Path) -> Result<usize, Fault> {
    let index = Index::open(dir)?;
    let places = index.places(filter, None, false)?;
    let half = Half::new(out);
    let written = half.create().map_err(|e| fault(out, &e)).and_then(|file| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&register_header()?).map_err(|e| fault(out, &e))?;
        each_part(&index, &places, |bytes, _| file.write_all(bytes).map_err(|e| fault(out, &e)))?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(|e| fault(out, &e))
    });
    half.done(written, out)?;
    Ok(places.len())
}

/// Writes the rows that are wanted as a sheet, in the register's order. Says how many.
pub fn export_xlsx(dir: &Path, filter: &Filter, out: &Path) -> Result<usize, Fault> {
    let index = Index::open(dir)?;
    let places = index.places(filter, None, false)?;
    if places.len() > SHEET_ROWS {
        return Err(Fault::TooManyRows { rows: places.len(), allowed: SHEET_ROWS });
    }
    let half = Half::new(out);
    let written =
        half.create().map_err(|e| fault(out, &e)).and_then(|file| sheet(&index, &places, out, file));
    half.done(written, out)?;
    Ok(places.len())
}

/// Writes a file of ours outside of the data folder: whole or not at all.
pub fn write_whole(out: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let half = Half::new(out);
    let written = half.create().and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    half.done(written.map_err(|e| fault(out, &e)), out)
}

fn sheet(index: &Index, places: &[Place], out: &Path, file: File) -> Result<(), Fault> {
    let on_disk = |e: io::Error| fault(out, &e);
    let text = places.iter().map(|place| place.length).sum();
    let mut sheet = Sheet::new(file, "register", &REGISTER_HEADER, places.len(), text).map_err(on_disk)?;
    each_part(index, places, |bytes, rows| {
        let mut at = 0;
        for place in rows {
            let end = at + usize::try_from(place.length).unwrap_or(0);
            let row = register::row(index.register(), place.line, &bytes[at..end])?;
            at = end;
            if let Some(long) = row.cells().iter().find(|cell| cell.chars().count() > TEXT_MAX) {
                let (line, what) = (
                    place.line,
                    format!(
                        "a cell of {} characters; a sheet holds {TEXT_MAX}. Export CSV",
                        long.chars().count()
                    ),
                );
                return Err(Fault::Row { path: index.register().to_owned(), line, what });
            }
            let cells = REGISTER_HEADER.iter().zip(row.cells()).map(|(name, cell)| match cell.as_str() {
                "" => Cell::Empty,
                digits if NUMBERS.contains(name) => Cell::number(digits),
                // A sheet has texts, so that the guard against formulas is not needed in it.
                text => Cell::Text(unguarded(text)),
            });
            sheet.push(cells).map_err(on_disk)?;
        }
        Ok(())
    })?;
    sheet.finish().and_then(|file| file.sync_all()).map_err(on_disk)
}

/// Reads rows from the register, those that stand together in one go, and hands them on with their places. A register that
/// is no longer as the index says is a fault, not a wrong row.
fn each_part(
    index: &Index,
    places: &[Place],
    mut take: impl FnMut(&[u8], &[Place]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let path = index.register();
    let Some(first) = places.first() else { return Ok(()) };
    let mut file = File::open(path).map_err(|e| Fault::read(path, &e))?;
    let (mut from, mut length, mut bytes, mut begin) = (first.offset, 0, vec![], 0);
    for n in 0..=places.len() {
        let joins = places.get(n).is_some_and(|place| place.offset == from + length && length < PART);
        if !joins {
            bytes.resize(usize::try_from(length).unwrap_or(0), 0);
            file.seek(SeekFrom::Start(from))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|e| Fault::read(path, &e))?;
            if !bytes.ends_with(b"\r\n") {
                let what = "the register was changed while it was read; try again".into();
                return Err(Fault::Row { path: path.to_owned(), line: places[begin].line, what });
            }
            take(&bytes, &places[begin..n])?;
            let Some(place) = places.get(n) else { return Ok(()) };
            (from, length, begin) = (place.offset, 0, n);
        }
        length += places[n].length;
    }
    Ok(())
}

fn fault(out: &Path, error: &io::Error) -> Fault {
    Fault::write(out, "the file", error)
}

/// The file under a temporary name in the folder where it will be; it goes when the export fails.
struct Half {
    path: PathBuf,
}

impl Half {
    fn new(out: &Path) -> Self {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        Self { path: out.with_file_name(format!(".{name}.{}.half", std::process::id())) }
    }

    /// A new file. A link that waits there under its name leads nowhere: it is taken away.
    fn create(&self) -> io::Result<File> {
        let _ = fs::remove_file(&self.path);
        File::options().write(true).create_new(true).open(&self.path)
    }

    /// Gives it its name, and forces that to the disk too: without it a stick that is pulled has an empty folder.
    fn done(&self, written: Result<(), Fault>, out: &Path) -> Result<(), Fault> {
        let renamed = written.and_then(|()| fs::rename(&self.path, out).map_err(|e| fault(out, &e)));
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let renamed = renamed.and_then(|()| disk::sync_folder(folder));
        if renamed.is_err() {
            // Best effort: a full disk lets a file be deleted.
            let _ = fs::remove_file(&self.path);
        }
        renamed
    }
}

#[cfg(test)]
mod tests;
