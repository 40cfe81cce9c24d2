//! The digital calibration certificate: PTB DCC 3.3.0 (`https://ptb.de/dcc`) with units of D-SI 2.2.1, in Chinese and
//! English, in canonical form and not yet signed. `reports/dcc.md` says which element carries what.
//!
//! Its texts are those of the [`Paper`]; no number is written anew here. The seal is put in by `sign`, right before the
//! end tag of the root.

mod administrative;
mod conditions;
mod results;
mod statements;
mod table;
mod text;
pub mod xml;

use super::issue::Link;
use super::paper::Paper;
use xml::Element;

/// Version of the schema.
pub const SCHEMA_VERSION: &str = "3.3.0";

/// The name space of our own elements in the comment.
pub const OWN_NAMESPACE: &str = "urn:phantomload:chain:1";

/// Why there is no DCC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A text that must be a number and is none.
    #[error("`{seen}` stands where the DCC wants a number of digits and a point")]
    NoNumber {
        /// The text.
        seen: String,
    },
    /// A unit without a D-SI name.
    #[error("the unit `{seen}` has no D-SI name; known are %, s, s/d, kWh and imp")]
    NoUnit {
        /// The unit.
        seen: String,
    },
    /// Nothing to certify.
    #[error("paper {certificate_no} has no result; a DCC has at least one")]
    NoResult {
        /// The paper's number.
        certificate_no: String,
    },
}

/// The DCC of a paper: canonical, unsigned. The last bytes are the end tag of the root.
pub fn dcc(paper: &Paper) -> Result<Vec<u8>, Fault> {
    if paper.rows.is_empty() {
        return Err(Fault::NoResult { certificate_no: paper.issue.certificate_no.clone() });
    }
    let root = Element::new("dcc:digitalCalibrationCertificate")
        .attribute("xmlns:dcc", "https://ptb.de/dcc")
        .attribute("xmlns:si", "https://ptb.de/si")
        .attribute("schemaVersion", SCHEMA_VERSION)
        .with([
            administrative::administrative_data(paper),
            results::measurement_results(paper)?,
            Element::new("dcc:comment").with([link(&paper.issue.link)]),
        ]);
    Ok(root.canonical())
}

/// Where the paper stands in the device's chain.
fn link(link: &Link) -> Element {
    Element::new("pl:link")
        .attribute("xmlns:pl", OWN_NAMESPACE)
        .attribute("device", &link.device)
        .attribute("seq", link.seq.to_string())
        .attribute("prev", &link.prev)
}

#[cfg(test)]
mod tests;
