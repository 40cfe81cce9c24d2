//! Cuts a register into its rows, one at a time, so that a large one need not fit the memory.

use super::Fault;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A row is no longer: many times what its texts may take.
const ROW_MAX: u64 = 1 << 20;

/// Where a row stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes, with the line end.
    pub length: u64,
    /// The line it begins in, from 1.
    pub line: u64,
}

/// The rows from some place on.
pub(super) struct Rows<R> {
    source: BufReader<R>,
    row: Vec<u8>,
    offset: u64,
    line: u64,
}

impl<R: Read> Rows<R> {
    /// `source` stands at a row's begin, at this offset and line of the file.
    pub fn new(source: R, offset: u64, line: u64) -> Self {
        Self { source: BufReader::with_capacity(1 << 20, source), row: vec![], offset, line }
    }

    /// The next row with its place. One that breaks off is a fault.
    pub fn next(&mut self, path: &Path) -> Result<Option<(Place, &[u8])>, Fault> {
        self.row.clear();
        let (mut quotes, mut lines, mut counted) = (0_usize, 0, 0);
        loop {
            let left = ROW_MAX.saturating_sub(self.row.len() as u64);
            let read = (&mut self.source).take(left).read_until(b'\n', &mut self.row);
            let read = read.map_err(|e| Fault::read(path, &e))?;
            if self.row.len() as u64 == ROW_MAX {
                let what =
                    format!("the row is longer than {ROW_MAX} bytes: a line end or a quote is missing");
                return Err(Fault::Row { path: path.to_owned(), line: self.line, what });
            }
            quotes += self.row[counted..].split(|byte| *byte == b'"').count() - 1;
            counted = self.row.len();
            lines += 1;
            if read == 0 && self.row.is_empty() {
                return Ok(None);
            }
            if read == 0 {
                let what = "the row breaks off; it is set right when a run is next stored".into();
                return Err(Fault::Row { path: path.to_owned(), line: self.line, what });
            }
            // A line end inside quotes belongs to a name.
            if quotes.is_multiple_of(2) && self.row.ends_with(b"\r\n") {
                break;
            }
        }
        let place = Place { offset: self.offset, length: self.row.len() as u64, line: self.line };
        self.offset += place.length;
        self.line += lines;
        Ok(Some((place, &self.row)))
    }

    /// Offset and line behind the last row.
    pub fn end(&self) -> (u64, u64) {
        (self.offset, self.line)
    }
}

/// The cells of a row (RFC 4180): quotes taken off, doubled ones single.
pub(super) fn cells(row: &[u8]) -> Vec<String> {
    let row = row.strip_suffix(b"\r\n").unwrap_or(row);
    let (mut cells, mut begin, mut quoted) = (Vec::with_capacity(64), 0, false);
    for (n, byte) in row.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                cells.push(cell(&row[begin..n]));
                begin = n + 1;
            }
            _ => {}
        }
    }
    cells.push(cell(&row[begin..]));
    cells
}

fn cell(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_cells_come_back_as_the_csv_crate_wrote_them() {
        let names =
            ["plain", "a \"b\", c", "two\nlines", "two\r\nlines", "", "\"", "充电站", "a,b", "'=1", "\r"];
        let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(vec![]);
        for n in 0..names.len() {
            let turned: Vec<&str> = names.iter().cycle().skip(n).take(names.len()).copied().collect();
            writer.write_record(&turned).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let mut rows = Rows::new(&bytes[..], 100, 7);
        let (mut n, mut whole) = (0, vec![]);
        while let Some((place, row)) = rows.next(Path::new("r")).unwrap() {
            assert_eq!((place.offset, place.length), (100 + whole.len() as u64, row.len() as u64));
            let before = bytes[..whole.len()].split(|b| *b == b'\n').count() as u64 - 1;
            assert_eq!(place.line, 7 + before);
            let turned: Vec<&str> = names.iter().cycle().skip(n).take(names.len()).copied().collect();
            assert_eq!(cells(row), turned);
            whole.extend_from_slice(row);
            n += 1;
        }
        assert_eq!((n, &whole), (names.len(), &bytes));
        let torn = &bytes[..bytes.len() - 1];
        let mut rows = Rows::new(torn, 0, 1);
        let fault = loop {
            match rows.next(Path::new("r")) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a torn row passed"),
                Err(fault) => break fault,
            }
        };
        assert!(fault.to_string().contains("breaks off"), "{fault}");
    }
}
