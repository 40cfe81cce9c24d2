//! The PDF.

#[path = "support/papers.rs"]
mod papers;
#[path = "support/simulated.rs"]
mod simulated;

use papers::{amended, approved, draft, horrible, issued, paper, real, simulated as simulated_run};
use phantomload::certificate::paper::{Language, Paper};
use phantomload::certificate::pdf::{Attachment, Relationship, pdf};
use phantomload::time::now;
use std::path::PathBuf;
use std::sync::LazyLock;

/// As long as the text of a real one (certificates.md §4.3).
static QR: LazyLock<String> = LazyLock::new(|| format!("EVV1:{}", "6BF9A:$%*+".repeat(32)));
const CSV: &[u8] = "\u{feff}schema_version,point_no\r\n1,1\r\n".as_bytes();
const XML: &[u8] = b"<dcc/>";
const JSON: &[u8] = b"{}";

fn attachments() -> [Attachment<'static>; 3] {
    [
        Attachment {
            name: "record.json",
            mime: "application/json",
            bytes: JSON,
            relationship: Relationship::Source,
            description: "原始记录 original record",
        },
        Attachment {
            name: "results.csv",
            mime: "text/csv",
            bytes: CSV,
            relationship: Relationship::Data,
            description: "检定结果 results",
        },
        Attachment {
            name: "certificate.dcc.xml",
            mime: "application/xml",
            bytes: XML,
            relationship: Relationship::Alternative,
            description: "数字校准证书 digital calibration certificate (DCC)",
        },
    ]
}

/// One of each kind.
fn kinds() -> Vec<(&'static str, Paper, Language)> {
    let (pass, fail, report, sim) =
        (approved("good"), approved("bad-at-imin"), real("good"), simulated_run("bad-at-imin"));
    let long = horrible("good");
    vec![
        ("pass", paper(&pass, issued(&pass)), Language::Both),
        ("fail", paper(&fail, issued(&fail)), Language::Both),
        ("report", paper(&report, draft(&report)), Language::Both),
        ("simulated", paper(&sim, draft(&sim)), Language::Both),
        ("amended", paper(&pass, amended(&pass)), Language::Both),
        ("english", paper(&pass, issued(&pass)), Language::English),
        ("chinese", paper(&fail, issued(&fail)), Language::Chinese),
        ("horrible", paper(&long, issued(&long)), Language::Both),
    ]
}

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pdf");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn dump() {
    for (name, paper, language) in kinds() {
        let began = now();
        let bytes = pdf(&paper, Some(&QR), &attachments(), language).unwrap();
        println!("{name}: {} bytes in {}", bytes.len(), now() - began);
        std::fs::write(folder().join(format!("{name}.pdf")), bytes).unwrap();
    }
}
