//! A sheet of a spreadsheet (ECMA-376, Office Open XML), written row by row: a million rows need no memory, and a disk that
//! fills up is an answer, not a panic.
//!
//! Text is inline and only ever text; a number is only ever a number; there is no formula in it. The first row is the
//! header: it stays in sight, and one can filter by it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Decimals that a number may be shown with; each has its style.
const DECIMALS_MAX: usize = 12;
/// The style of the header; those of numbers follow it.
const HEADER: usize = 1;
/// What a cell takes at the most beside its text.
const CELL_BYTES: usize = 64;
/// A cell holds so many characters of text.
pub const TEXT_MAX: usize = 32_767;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// A cell as it is to be.
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text, whatever it looks like.
    Text(&'a str),
    /// A number, written as these digits and shown with so many decimals.
    Number(&'a str, usize),
}

impl<'a> Cell<'a> {
    /// A number if it is one, written as a spreadsheet takes it; else text.
    pub fn number(digits: &'a str) -> Self {
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        let (whole, part) = plain.split_once('.').unwrap_or((plain, "0"));
        let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            Self::Empty
        } else if all(whole) && all(part) && plain.len() <= 17 {
            let decimals = plain.split_once('.').map_or(0, |(_, part)| part.len());
            Self::Number(digits, decimals.min(DECIMALS_MAX))
        } else {
            Self::Text(digits)
        }
    }
}

/// A sheet that is being written.
pub struct Sheet {
    archive: ZipWriter<BufWriter<File>>,
    row: usize,
    text: String,
}

impl Sheet {
    /// Begins a sheet of this name with its header, for so many rows below it that have so many bytes of text.
    pub fn new(file: File, name: &str, header: &[&str], rows: usize, bytes: u64) -> io::Result<Self> {
        let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
        // The same register gives the same bytes: no clock is asked.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(3))
            .last_modified_time(DateTime::default());
        // Beyond 4 GiB the archive must have its large form, which LibreOffice 7.4 does not load: only where it is needed.
        let largest = bytes * 6 / 5 + (rows * header.len() * CELL_BYTES) as u64;
        let sheet_options = options.large_file(largest > u64::from(u32::MAX));
        let last = format!("{}{}", column(header.len() - 1), rows + 1);
        let workbook = format!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">{name}!$A$1:${}${}</definedName></definedNames></workbook>"#,
            column(header.len() - 1),
            rows + 1
        );
        for (path, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", PARTS),
            ("xl/styles.xml", &styles()),
        ] {
            archive.start_file(path, options)?;
            archive.write_all(text.as_bytes())?;
        }
        archive.start_file("xl/worksheets/sheet1.xml", sheet_options)?;
        let mut text = format!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="{MAIN}"><dimension ref="A1:{last}"/><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>"#
        );
        for (n, name) in header.iter().enumerate() {
            let (n, width) = (n + 1, name.len().clamp(10, 28));
            let _ = write!(text, r#"<col min="{n}" max="{n}" width="{width}" customWidth="1"/>"#);
        }
        text += "</cols><sheetData>";
        let mut sheet = Self { archive, row: 0, text };
        sheet.line(header.iter().map(|name| Cell::Text(name)), HEADER)?;
        // The header's end is kept for the filter that is told at the end.
        sheet.text = format!(r#"</sheetData><autoFilter ref="A1:{last}"/></worksheet>"#);
        Ok(sheet)
    }

    /// Writes a row.
    pub fn push<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
        let end = std::mem::take(&mut self.text);
        let written = self.line(cells, 0);
        self.text = end;
        written
    }

    /// Ends the sheet and hands its file back.
    pub fn finish(mut self) -> io::Result<File> {
        self.archive.write_all(self.text.as_bytes())?;
        self.archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>, style: usize) -> io::Result<()> {
        use std::fmt::Write as _;
        self.row += 1;
        let row = self.row;
        let mut text = std::mem::take(&mut self.text);
        let _ = write!(text, r#"<row r="{row}">"#);
        for (n, cell) in cells.enumerate() {
            let _ = match cell {
                Cell::Empty => Ok(()),
                Cell::Number(digits, decimals) => {
                    write!(
                        text,
                        r#"<c r="{}{row}" s="{}"><v>{digits}</v></c>"#,
                        column(n),
                        HEADER + 1 + decimals
                    )
                }
                Cell::Text(inside) => {
                    let _ = write!(
                        text,
                        r#"<c r="{}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">"#,
                        column(n)
                    );
                    escape(inside, &mut text);
                    write!(text, "</t></is></c>")
                }
            };
        }
        text += "</row>";
        self.archive.write_all(text.as_bytes())
    }
}

/// `A` for 0, `AA` for 26.
fn column(n: usize) -> String {
    let letter = char::from(b'A' + (n % 26) as u8);
    match n / 26 {
        0 => letter.to_string(),
        more => column(more - 1) + &letter.to_string(),
    }
}

/// The styles: none, the header, and numbers with 0, 1, 2 … decimals.
fn styles() -> String {
    let shown = |n: usize| if n == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(n)) };
    let (mut formats, mut numbers) = (String::new(), String::new());
    for n in 0..=DECIMALS_MAX {
        let id = 164 + n;
        let _ = write!(formats, r#"<numFmt numFmtId="{id}" formatCode="{}"/>"#, shown(n));
        let _ = write!(
            numbers,
            r#"<xf numFmtId="{id}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#
        );
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="{MAIN}"><numFmts count="{}">{formats}</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="{}"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>{numbers}</cellXfs></styleSheet>"#,
        DECIMALS_MAX + 1,
        DECIMALS_MAX + 3
    )
}

/// Text as XML has it. Control characters, and what looks like one that was escaped, take the form `_x0008_` (ECMA-376
/// 22.4.2.4).
fn escape(text: &str, into: &mut String) {
    use std::fmt::Write as _;
    for (at, letter) in text.char_indices() {
        let rest = &text.as_bytes()[at + letter.len_utf8()..];
        let looks_escaped = letter == '_'
            && rest.len() >= 6
            && rest[0] == b'x'
            && rest[5] == b'_'
            && rest[1..5].iter().all(u8::is_ascii_hexdigit);
        match letter {
            '&' => *into += "&amp;",
            '<' => *into += "&lt;",
            '>' => *into += "&gt;",
            '_' if looks_escaped => *into += "_x005F_",
            '\t' | '\n' => into.push(letter),
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                let _ = write!(into, "_x{:04X}_", u32::from(letter));
            }
            _ => into.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_a_spreadsheet_does() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(column), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn only_digits_are_a_number_and_no_text_is_taken_for_markup() {
        let is_number = |text: &str| matches!(Cell::number(text), Cell::Number(..));
        assert!(["0", "-0.3000", "12", "1.0"].into_iter().all(is_number));
        assert!(
            !["", "-", ".", "1.", ".5", "1e9", "NaN", "+1", "=1", "±1.0", "1 2", "123456789012345678"]
                .into_iter()
                .any(is_number)
        );
        assert!(matches!(Cell::number("-0.3000"), Cell::Number("-0.3000", 4)));
        let mut text = String::new();
        escape("<a> & \"b\"\r\n\t_x0041_ _x004_\u{8}", &mut text);
        assert_eq!(text, "&lt;a&gt; &amp; \"b\"_x000D_\n\t_x005F_x0041_ _x004__x0008_");
    }
}
