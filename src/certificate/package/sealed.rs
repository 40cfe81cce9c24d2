//! The papers that the key seals: DCC, the text of the QR code, PDF. Each names what was made before it.

use super::{Fault, RECORD};
use crate::certificate::csv::{document_word, verdict_word};
use crate::certificate::dcc;
use crate::certificate::issue::Issue;
use crate::certificate::paper::Paper;
use crate::certificate::pdf::{Attachment, Relationship, pdf};
use crate::certificate::record::Record;
use crate::certificate::sign::qr::{self, Claims};
use crate::certificate::sign::{self, Signer, sha256, xml};
use crate::time::Stamp;
use std::sync::Arc;

/// The certificate as PDF.
pub const PDF: &str = "certificate.pdf";
/// The certificate as DCC.
pub const DCC: &str = "certificate.dcc.xml";
/// The text of its QR code.
pub const QR: &str = "qr.txt";

/// DCC, QR text and PDF of a paper. `results` are name and bytes of its CSV.
pub(super) fn papers(
    record: &Record,
    record_json: &Arc<Vec<u8>>,
    issue: &Issue,
    results: &(String, Vec<u8>),
    signer: &dyn Signer,
    at: Stamp,
) -> Result<[(String, Vec<u8>); 3], Fault> {
    let form = |file: &str, what: String| Fault::Form { file: file.to_owned(), what };
    let paper = Paper::new(record, issue.clone()).map_err(|e| form("the paper", e.to_string()))?;
    let unsigned = dcc::dcc(&paper).map_err(|e| form(DCC, e.to_string()))?;
    let dcc = xml::sign(signer, &unsigned)?;
    let text = qr::text(&claims(&paper, &dcc, at)?, signer)?;
    let attachments = [
        Attachment {
            name: RECORD,
            mime: "application/json",
            bytes: Arc::clone(record_json),
            relationship: Relationship::Source,
            description: "Original record 原始记录",
        },
        Attachment {
            name: &results.0,
            mime: "text/csv",
            bytes: Arc::new(results.1.clone()),
            relationship: Relationship::Data,
            description: "Results 检定结果",
        },
        Attachment {
            name: DCC,
            mime: "application/xml",
            bytes: Arc::new(dcc.clone()),
            relationship: Relationship::Alternative,
            description: "Digital calibration certificate 数字证书",
        },
    ];
    let unsigned = pdf(&paper, Some(&text), &attachments, issue.laboratory.language)
        .map_err(|e| form(PDF, e.to_string()))?;
    let note = sign::pdf::Note {
        name: issue.link.device.clone(),
        reason: format!("{} {}", paper.title.en, issue.certificate_no),
        at,
    };
    let pdf = sign::pdf::sign(signer, &unsigned, &note)?;
    Ok([(DCC.to_owned(), dcc), (PDF.to_owned(), pdf), (QR.to_owned(), text.into_bytes())])
}

fn claims(paper: &Paper, dcc: &[u8], at: Stamp) -> Result<Claims, Fault> {
    let issue = &paper.issue;
    let prev =
        sign::unhex(issue.link.prev.as_bytes()).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
            Fault::Form { file: QR.into(), what: format!("`{}` is no SHA-256", issue.link.prev) }
        })?;
    Ok(Claims {
        certificate_no: issue.certificate_no.clone(),
        device: issue.link.device.clone(),
        item: format!("{} / {}", paper.meter.serial, paper.meter.connector),
        time: paper.performed_from.to_string(),
        valid_until: paper.valid_until.map(|date| date.to_string()),
        verdict: verdict_word(paper.verdict).to_owned(),
        document: document_word(paper.document).to_owned(),
        status: issue.status.to_string(),
        dcc_sha256: sha256(dcc),
        seq: issue.link.seq,
        prev,
        simulated: paper.simulated,
        sealed: Some(at.timestamp()),
    })
}
