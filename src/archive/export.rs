//! A selection of the register as one file: CSV, row by row as it stands there, or XLSX, where text is text and numbers
//! are numbers.

use super::Fault;
use super::index::{Filter, Index};
use super::reader::Place;
use super::register;
use crate::certificate::csv::{REGISTER_HEADER, register_header, unguarded};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
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
/// Decimals that a number may be shown with.
const DECIMALS_MAX: usize = 12;
/// Rows that stand together are read together, in parts of this size.
const PART: u64 = 4 << 20;

/// Writes the rows that are wanted as CSV in the dialect of the register, in its order. Says how many.
pub fn export_csv(dir: &Path, filter: &Filter, out: &Path) -> Result<usize, Fault> {
    let index = Index::open(dir)?;
    let places = index.places(filter, None, false)?;
    let half = Half::new(out);
    let written = File::create(&half.path).map_err(|e| fault(out, &e)).and_then(|file| {
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
    let written = sheet(&index, &places, out, &half.path);
    half.done(written, out)?;
    Ok(places.len())
}

/// Writes a file of ours outside of the data folder: whole or not at all.
pub fn write_whole(out: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let half = Half::new(out);
    let written = File::create(&half.path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    half.done(written.map_err(|e| fault(out, &e)), out)
}

fn sheet(index: &Index, places: &[Place], out: &Path, half: &Path) -> Result<(), Fault> {
    let xlsx = |e: XlsxError| match e {
        XlsxError::IoError(e) => fault(out, &e),
        other => Fault::File { path: out.to_owned(), what: other.to_string() },
    };
    let mut workbook = Workbook::new();
    // Its rows wait on the disk that the file will be on, not in the memory.
    workbook
        .set_tempdir(half.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        .map_err(xlsx)?;
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(xlsx)?;
    sheet.set_name("register").map_err(xlsx)?;
    sheet.set_freeze_panes(1, 0).map_err(xlsx)?;
    let columns = REGISTER_HEADER.len() as u16;
    sheet.autofilter(0, 0, places.len() as u32, columns - 1).map_err(xlsx)?;
    for (column, name) in (0..).zip(REGISTER_HEADER) {
        sheet.set_column_width(column, name.len().clamp(10, 28) as f64).map_err(xlsx)?;
    }
    let head = Format::new().set_bold();
    for (column, name) in (0..).zip(REGISTER_HEADER) {
        sheet.write_string_with_format(0, column, name, &head).map_err(xlsx)?;
    }
    let decimals: Vec<Format> = (0..=DECIMALS_MAX).map(shown_with).collect();
    let mut row = 0;
    each_part(index, places, |bytes, rows| {
        let mut at = 0;
        for place in rows {
            let end = at + usize::try_from(place.length).unwrap_or(0);
            let cells = register::row(index.register(), place.line, &bytes[at..end])?;
            at = end;
            row += 1;
            for (column, (name, cell)) in (0..).zip(REGISTER_HEADER.iter().zip(cells.cells())) {
                write(sheet, row, column, name, cell, &decimals).map_err(xlsx)?;
            }
        }
        Ok(())
    })?;
    workbook.save(half).map_err(xlsx)?;
    File::open(half).and_then(|file| file.sync_all()).map_err(|e| fault(out, &e))
}

/// As many decimals as the register has, also where they are noughts.
fn shown_with(decimals: usize) -> Format {
    let shown = if decimals == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(decimals)) };
    Format::new().set_num_format(shown)
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    name: &str,
    cell: &str,
    decimals: &[Format],
) -> Result<(), XlsxError> {
    if cell.is_empty() {
        return Ok(());
    }
    if NUMBERS.contains(&name)
        && let Ok(number) = cell.parse::<f64>()
        && number.is_finite()
    {
        let places = cell.split_once('.').map_or(0, |(_, places)| places.len()).min(DECIMALS_MAX);
        sheet.write_number_with_format(row, column, number, &decimals[places])?;
    } else {
        // A sheet has texts, so that the guard against formulas is not needed in it.
        sheet.write_string(row, column, unguarded(cell))?;
    }
    Ok(())
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

    fn done(&self, written: Result<(), Fault>, out: &Path) -> Result<(), Fault> {
        let renamed = written.and_then(|()| fs::rename(&self.path, out).map_err(|e| fault(out, &e)));
        if renamed.is_err() {
            // Best effort: a full disk lets a file be deleted.
            let _ = fs::remove_file(&self.path);
        }
        renamed
    }
}

#[cfg(test)]
mod tests;
