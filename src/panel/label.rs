//! The label on a meter that has passed: what a driver sees on the charger, with a code that says it again, signed.
//!
//! It is drawn for an issued verification certificate that passed. A simulated run gets one that cannot be taken for
//! it: other words in its head, a band across, no last day. A test report of a real meter, a fail, something undecided, a
//! draft and what was replaced or taken back get none (certificates.md §2.5, §4.3).

mod column;

use super::bitmap::Bitmap;
use super::typeface::{Typeface, Weight};
use crate::certificate::issue::{Role, Status};
use crate::certificate::matrix::{self, Correction, Matrix, QUIET_ZONE};
use crate::certificate::paper::Paper;
use crate::certificate::record::Document;
use crate::verdict::Verdict;
use column::{Field, Room, Typesetter};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use std::fmt;
use std::str::FromStr;

/// The printers of the trade: 8 dots a millimetre.
pub const DPI: u32 = 203;

/// The smallest module that phones read off a label reliably, in mm: three dots of a printer of 203 dpi.
const MODULE_MIN_MM: f64 = 0.33;
/// The smallest Chinese letter that can be read, in mm: 14 dots at 203 dpi.
const LETTER_MIN_MM: f64 = 1.7;
/// The largest one that still looks like a label.
const LETTER_MAX_MM: f64 = 3.4;
/// Paper left at the edges, in mm: labels are not cut more exactly than this.
const MARGIN_MM: f64 = 1.0;
/// The narrowest column of text, in mm: a day in the smallest letters.
const COLUMN_MIN_MM: f64 = 12.5;
/// The narrowest one where the code would not fit otherwise.
const COLUMN_LEAST_MM: f64 = 10.4;
/// The lowest head above a code.
const HEAD_MIN_MM: f64 = 3.0;
/// Beside a column at least this wide the code may take the whole height.
const COLUMN_WIDE_MM: f64 = 19.0;

/// A label's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Across.
    pub width_mm: u32,
    /// Down.
    pub height_mm: u32,
}

impl Default for Size {
    /// 40 × 30 mm.
    fn default() -> Self {
        Self { width_mm: 40, height_mm: 30 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width_mm, self.height_mm)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once(['x', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match sides {
            Some((width_mm, height_mm))
                if (20..=150).contains(&width_mm) && (15..=150).contains(&height_mm) =>
            {
                Ok(Self { width_mm, height_mm })
            }
            _ => Err(format!(
                "`{text}` is no label size: width x height in mm, such as 40x30; 20x15 to 150x150"
            )),
        }
    }
}

/// A label and what is to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The picture.
    pub bitmap: Bitmap,
    /// Dots a module of the code.
    pub module_dots: u32,
    /// The code's correction.
    pub correction: Correction,
    /// Letters that the font does not have; they are drawn as 〓.
    pub missing: Vec<char>,
}

/// Why there is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Only what passed and was issued is labelled.
    #[error(
        "{certificate_no}: no label: {why}. A label is printed only for an issued verification certificate that passed"
    )]
    Not {
        /// The paper.
        certificate_no: String,
        /// Why not.
        why: String,
    },
    /// The code.
    #[error(
        "a label of {size} mm at {dpi} dpi has no room for the QR code beside the text: {what}. Take a larger label"
    )]
    Code {
        /// The label.
        size: Size,
        /// Its resolution.
        dpi: u32,
        /// What the code takes.
        what: String,
    },
    /// The text.
    #[error("a label of {size} mm at {dpi} dpi has no room for `{text}`. Take a larger label")]
    Text {
        /// The label.
        size: Size,
        /// Its resolution.
        dpi: u32,
        /// What does not fit.
        text: String,
    },
    /// The resolution.
    #[error("{dpi} dpi: label printers have 152 to 1200 dots an inch")]
    Resolution {
        /// What was asked for.
        dpi: u32,
    },
}

/// A millimetre in dots.
#[derive(Clone, Copy)]
struct Scale(u32);

impl Scale {
    fn dots(self, mm: f64) -> u32 {
        (mm * f64::from(self.0) / 25.4).round() as u32
    }
}

/// Draws the label of a paper. `qr_text` is the signed text of its code.
pub fn label(paper: &Paper, qr_text: &str, size: Size, dpi: u32) -> Result<Label, Fault> {
    refuse(paper)?;
    if !(152..=1200).contains(&dpi) {
        return Err(Fault::Resolution { dpi });
    }
    Draft::new(paper, size, dpi).drawn(qr_text)
}

/// What gets no label, and why.
fn refuse(paper: &Paper) -> Result<(), Fault> {
    let not =
        |why: &str| Err(Fault::Not { certificate_no: paper.issue.certificate_no.clone(), why: why.into() });
    match paper.verdict {
        Verdict::Pass => {}
        Verdict::Fail => return not("the meter failed"),
        Verdict::Undecided => return not("nothing was decided"),
    }
    match paper.issue.status {
        Status::Amended => return not("it was replaced by a later one"),
        Status::Withdrawn => return not("it was withdrawn"),
        _ if paper.simulated => return Ok(()),
        Status::Draft | Status::Checked => return not("it is not issued yet"),
        Status::Issued => {}
    }
    if paper.document != Document::VerificationCertificate {
        return not("it is a test report, which certifies nothing");
    }
    if paper.valid_until.is_none() {
        return not("the regulation profile states no period of validity, and a label must say until when");
    }
    Ok(())
}

/// Where everything stands.
struct Draft {
    size: Size,
    dpi: u32,
    scale: Scale,
    width: u32,
    height: u32,
    head: &'static str,
    number: String,
    fields: Vec<Field>,
    simulated: bool,
    setter: Typesetter,
}

/// The code and its place.
struct Code {
    matrix: Matrix,
    dots: u32,
    /// Left and upper edge of the quiet zone.
    at: (u32, u32),
    /// Whether the head runs above it, or ends beside it.
    below_head: bool,
}

impl Code {
    fn side(matrix: &Matrix, dots: u32) -> u32 {
        (matrix.size + 2 * QUIET_ZONE) as u32 * dots
    }
}

impl Draft {
    fn new(paper: &Paper, size: Size, dpi: u32) -> Self {
        let scale = Scale(dpi);
        let signed = |role: Role| {
            let signature = paper.issue.signatures.iter().find(|s| s.role == role);
            signature.map_or("", |s| s.person.as_str()).to_owned()
        };
        let laboratory = &paper.issue.laboratory;
        let laboratory =
            if laboratory.name_zh.is_empty() { &laboratory.name_en } else { &laboratory.name_zh };
        let weight = Weight::Bold;
        let field = |name, text: String, beside, lines_max| Field { name, text, weight, beside, lines_max };
        let mut fields = vec![
            field("出厂编号", paper.meter.serial.clone(), false, 2),
            field("接口", paper.meter.connector.clone(), true, 2),
            field(if paper.simulated { "模拟日期" } else { "检定日期" }, paper.date().to_string(), false, 1),
        ];
        if let Some(day) = paper.valid_until.filter(|_| !paper.simulated) {
            fields.push(field("有效期至", day.to_string(), false, 1));
        }
        fields.push(field("检定员", signed(Role::Verifier), true, 2));
        fields.push(Field { weight: Weight::Regular, ..field("", laboratory.clone(), true, 3) });
        fields.retain(|field| !field.text.trim().is_empty());
        Self {
            size,
            dpi,
            scale,
            width: scale.dots(f64::from(size.width_mm)),
            height: scale.dots(f64::from(size.height_mm)),
            head: if paper.simulated { "模拟 无效" } else { "检定合格" },
            number: paper.issue.certificate_no.clone(),
            fields,
            simulated: paper.simulated,
            setter: Typesetter {
                regular: Typeface::new(Weight::Regular),
                bold: Typeface::new(Weight::Bold),
                em_min: scale.dots(LETTER_MIN_MM),
                em_max: scale.dots(LETTER_MAX_MM),
            },
        }
    }

    fn drawn(&self, qr_text: &str) -> Result<Label, Fault> {
        let code = self.code(qr_text)?;
        let mut bitmap = Bitmap::new(self.width, self.height, self.dpi);
        self.draw_code(&mut bitmap, &code);
        self.draw_head(&mut bitmap, &code)?;
        self.draw_column(&mut bitmap, &code)?;
        let mut missing = self.setter.bold.missing(&self.number);
        for field in &self.fields {
            missing.extend(self.setter.bold.missing(&field.text));
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(Label { bitmap, module_dots: code.dots, correction: code.matrix.correction, missing })
    }

    fn margin(&self) -> u32 {
        self.scale.dots(MARGIN_MM)
    }

    /// The height of a head that looks well.
    fn head_most(&self) -> u32 {
        self.scale.dots((f64::from(self.size.height_mm) * 0.14).clamp(4.2, 7.0))
    }

    /// The head's height: what the code leaves, if it runs above it.
    fn head_height(&self, code: &Code) -> u32 {
        // Beside a narrow column the word is small anyway, and every line is needed.
        let narrow = self.scale.dots(COLUMN_MIN_MM);
        match code.below_head {
            true => self.head_most().min(code.at.1 - self.margin()),
            false if Self::column_right(code) - self.margin() < narrow => self.scale.dots(HEAD_MIN_MM),
            false => self.head_most(),
        }
    }

    fn too_small(&self, what: String) -> Fault {
        Fault::Code { size: self.size, dpi: self.dpi, what }
    }

    /// The code at the right, as many whole dots a module as fit: over the whole height with medium correction where that
    /// leaves a wide column; else below the head; else over the whole height beside a column as narrow as can be.
    fn code(&self, text: &str) -> Result<Code, Fault> {
        let below = self.height.saturating_sub(self.margin() + self.scale.dots(HEAD_MIN_MM));
        let whole = self.fitted(text, self.height, COLUMN_WIDE_MM);
        let whole = whole.ok().filter(|(matrix, _)| matrix.correction == Correction::Medium);
        let (below_head, (matrix, dots)) = match (whole, self.fitted(text, below, COLUMN_MIN_MM)) {
            (Some(whole), _) => (false, whole),
            (None, Ok(fitted)) => (true, fitted),
            (None, Err(_)) => {
                let fitted = self.fitted(text, self.height, COLUMN_LEAST_MM);
                (false, fitted.map_err(|e| self.too_small(e.to_string()))?)
            }
        };
        let side = Code::side(&matrix, dots);
        // Below the head it stands at the foot, where its own quiet zone is the margin.
        let free = self.height - side;
        let spare = free.saturating_sub(self.margin() + self.head_most());
        let top = if below_head { free - spare / 2 } else { free / 2 };
        Ok(Code { matrix, dots, at: (self.width - side, top), below_head })
    }

    /// The code in a room of this height that leaves a column of this width.
    fn fitted(&self, text: &str, room: u32, column_mm: f64) -> Result<(Matrix, u32), matrix::Fault> {
        let dots_min = (MODULE_MIN_MM * f64::from(self.dpi) / 25.4).ceil() as u32;
        let across = self.width.saturating_sub(self.margin() + self.scale.dots(column_mm));
        let side = room.min(across);
        let allowed = (side / dots_min).saturating_sub(2 * QUIET_ZONE as u32) as usize;
        let matrix = matrix::within(text, allowed)?;
        let dots = side / (matrix.size + 2 * QUIET_ZONE) as u32;
        Ok((matrix, dots))
    }

    fn draw_code(&self, bitmap: &mut Bitmap, code: &Code) {
        let place =
            |module: usize, from: u32| ((module + QUIET_ZONE) as u32 * code.dots + from).cast_signed();
        for (x, y, length) in code.matrix.bars() {
            let corner = Point::new(place(x, code.at.0), place(y, code.at.1));
            fill(bitmap, corner, (length as u32 * code.dots, code.dots));
        }
        debug_assert!(code.at.0 + Code::side(&code.matrix, code.dots) <= self.width);
    }

    /// The right edge of the column of text: where the code's quiet zone begins.
    fn column_right(code: &Code) -> u32 {
        code.at.0
    }

    /// The word, white on black, with the number beside it or below it.
    fn draw_head(&self, bitmap: &mut Bitmap, code: &Code) -> Result<(), Fault> {
        let (margin, height) = (self.margin(), self.head_height(code));
        let right = if code.below_head { self.width - margin } else { Self::column_right(code) };
        fill(bitmap, Point::new(margin.cast_signed(), margin.cast_signed()), (right - margin, height));
        let pad = height / 5;
        let mut em = height * 4 / 5;
        if !code.below_head {
            while self.setter.bold.width(self.head, em) + 2 * pad > right - margin && em > 8 {
                em -= 1;
            }
        }
        let baseline = |em: u32| (margin + u32::midpoint(height, em * 3 / 4)).cast_signed();
        let word = self.setter.bold.width(self.head, em);
        if code.below_head {
            self.setter.bold.draw(bitmap, self.head, em, (margin + pad).cast_signed(), baseline(em), false);
            let room = (right - margin).saturating_sub(word + 3 * pad);
            let small = self.fitting(&self.number, room, em * 4 / 5)?;
            let at = right - pad - self.setter.bold.width(&self.number, small);
            self.setter.bold.draw(bitmap, &self.number, small, at.cast_signed(), baseline(small), false);
        } else {
            let at = margin + (right - margin - word) / 2;
            self.setter.bold.draw(bitmap, self.head, em, at.cast_signed(), baseline(em), false);
        }
        Ok(())
    }

    /// The largest size at which a text fits on one line.
    fn fitting(&self, text: &str, room: u32, em_max: u32) -> Result<u32, Fault> {
        let sizes = (self.setter.em_min..=em_max).rev();
        sizes
            .into_iter()
            .find(|em| self.setter.bold.width(text, *em) <= room)
            .ok_or_else(|| self.no_room(text))
    }

    fn no_room(&self, text: &str) -> Fault {
        Fault::Text { size: self.size, dpi: self.dpi, text: text.to_owned() }
    }

    /// The fields below the head, in the largest letters in which all of them fit.
    fn draw_column(&self, bitmap: &mut Bitmap, code: &Code) -> Result<(), Fault> {
        let margin = self.margin();
        let top = margin + self.head_height(code) + margin / 2;
        let bottom = self.height - margin - if self.simulated { self.band() + margin / 2 } else { 0 };
        let room = Room { width: Self::column_right(code) - margin, height: bottom - top };
        // Where the head leaves no room for the number it is the first field; its form tells what it is.
        let (name, text) = ("", self.number.clone());
        let number = Field { name, text, weight: Weight::Bold, beside: true, lines_max: 2 };
        let fields: Vec<&Field> =
            (!code.below_head).then_some(&number).into_iter().chain(&self.fields).collect();
        let column = self.setter.set(&fields, room).map_err(|text| self.no_room(&text))?;
        self.setter.draw(bitmap, &column, margin, top);
        if self.simulated {
            self.draw_band(bitmap, code);
        }
        Ok(())
    }

    fn band(&self) -> u32 {
        self.scale.dots(f64::from(self.size.height_mm) * 0.11)
    }

    /// White on black under the column, so that no part of a simulated label looks like a legal one.
    fn draw_band(&self, bitmap: &mut Bitmap, code: &Code) {
        const WORD: &str = "SIMULATED";
        let (margin, height) = (self.margin(), self.band());
        let (top, width) = (self.height - margin - height, Self::column_right(code) - margin);
        fill(bitmap, Point::new(margin.cast_signed(), top.cast_signed()), (width, height));
        let mut em = height;
        while self.setter.bold.width(WORD, em) + 4 > width && em > 8 {
            em -= 1;
        }
        let x = margin + width.saturating_sub(self.setter.bold.width(WORD, em)) / 2;
        let baseline = top + u32::midpoint(height, em * 3 / 4);
        self.setter.bold.draw(bitmap, WORD, em, x.cast_signed(), baseline.cast_signed(), false);
    }
}

/// Blackens a rectangle.
fn fill(bitmap: &mut Bitmap, corner: Point, size: (u32, u32)) {
    let shape = Rectangle::new(corner, embedded_graphics::geometry::Size::new(size.0, size.1));
    let Ok(()) = shape.into_styled(PrimitiveStyle::with_fill(BinaryColor::On)).draw(bitmap);
}

#[cfg(test)]
mod tests;
