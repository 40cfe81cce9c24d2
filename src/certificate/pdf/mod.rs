//! A paper as PDF: A4, PDF/A-3b as checked by krilla, tagged, with its fonts and with the files that say the same.
//!
//! The texts are those of [`Paper`]; nothing is rounded or worded again. Text is measured and flows over pages, so that
//! names of any length stand whole. The same paper gives the same bytes.

mod annex;
mod basis;
mod cover;
mod curve;
mod face;
mod flow;
mod frame;
mod press;
mod results;
mod risk;
mod sheet;
mod table;
mod text;
mod tongue;

use super::matrix;
use super::paper::{Language, Paper};
use flow::Flow;
use frame::Frame;
use press::{About, press};
use std::sync::Arc;

/// What a file inside the PDF is to it (ISO 19005-3 `AFRelationship`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    /// The paper was made from it: the record.
    Source,
    /// The data behind its tables: the CSV.
    Data,
    /// It says the same in another form: the DCC.
    Alternative,
}

/// A file inside the PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its media type, such as `text/csv`.
    pub mime: &'a str,
    /// Its bytes; a record has tens of megabytes, and is not copied.
    pub bytes: Arc<Vec<u8>>,
    /// What it is to the paper.
    pub relationship: Relationship,
    /// What it is, in words.
    pub description: &'a str,
}

/// Why there is no PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text of the QR code is too long.
    #[error("QR code of the certificate: {0}")]
    Matrix(#[from] matrix::Fault),
    /// Two attachments of one name.
    #[error("attachment {name}: the name is given twice; each attachment needs its own")]
    Twice {
        /// The name.
        name: String,
    },
    /// An attachment's media type is none.
    #[error("attachment {name}: `{mime}` is no media type; write it like text/csv")]
    Mime {
        /// The attachment.
        name: String,
        /// What was given.
        mime: String,
    },
    /// What was drawn is no PDF/A-3b.
    #[error(
        "certificate.pdf: it would be no PDF/A-3b: {what}. This is a fault of the program; keep the record"
    )]
    Refused {
        /// As krilla says it.
        what: String,
    },
}

/// The paper as PDF. `qr_text` stands on the cover as QR code; without it there is none.
pub fn pdf(
    paper: &Paper,
    qr_text: Option<&str>,
    attachments: &[Attachment],
    language: Language,
) -> Result<Vec<u8>, Fault> {
    let qr = qr_text.map(matrix::matrix).transpose()?;
    let frame = Frame::new(paper, language);
    let blank = || Flow::new(language, frame.top, frame.bottom);
    // Once to see how much of the page is left over, once to spread it.
    let spread = |lead| {
        let mut trial = blank();
        cover::cover(&mut trial, paper, qr.as_ref(), lead);
        (trial, lead)
    };
    let mut trial = spread(cover::ROOMY);
    if trial.0.sheets.len() > 1 {
        trial = spread(table::LEAD);
    }
    let (trial, lead) = trial;
    let mut flow = blank();
    if trial.sheets.len() == 1 {
        // A point stays for the rounding of sums.
        flow.spring = ((frame.bottom - trial.y - 1.0) / trial.springs as f32).max(0.0);
    }
    cover::cover(&mut flow, paper, qr.as_ref(), lead);
    basis::basis(&mut flow, paper);
    results::results(&mut flow, paper);
    basis::trust(&mut flow, paper, attachments);
    annex::annex(&mut flow, paper);
    frame.onto(&mut flow);
    let about = About {
        title: paper.title.print(language),
        number: paper.issue.certificate_no.clone(),
        subject: format!("{} {} {}", paper.meter.maker, paper.meter.model, paper.meter.serial),
        institution: cover::institution(paper).print(language),
        program: paper.program.clone(),
        language: if language == Language::English { "en" } else { "zh-CN" },
        at: paper.issue.issued_at.unwrap_or(paper.performed_to),
    };
    press(about, &flow.sheets, &flow.sections, &flow.outline, attachments)
}
