//! The form of a record: three parts, of which the middle one is kept byte by byte.

use super::object::{Object, string};
use super::reading::{self, Imported, Reading};
use super::{Deviation, conformance};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// The longest record that is read, in bytes. Meters' largest known is some 4 kB (EM580: 2031 words).
pub const RECORD_MAX: usize = 64 * 1024;
const HEADER: &str = "OCMF|";

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Malformed {
    /// Which part.
    #[serde(rename = "where")]
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

impl Malformed {
    pub(super) fn new(at: &str, what: impl fmt::Display) -> Self {
        Self { at: at.to_owned(), what: what.to_string() }
    }
}

/// The signature part as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// SA.
    pub algorithm: Option<String>,
    /// SE.
    pub encoding: Option<String>,
    /// SM.
    pub mime: Option<String>,
    /// SD.
    pub data: String,
}

/// A record: its text, where the signed bytes stand in it, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    text: String,
    payload: Range<usize>,
    pub(super) section: Section,
    readings: Vec<Reading>,
    deviations: Vec<Deviation>,
    /// Fields of the payload that are strings.
    fields: Vec<(String, String)>,
}

impl Record {
    /// Reads a record. White space around it belongs to the file, not to the record.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > RECORD_MAX {
            let seen = format!("{} bytes long; allowed are {RECORD_MAX}", bytes.len());
            return Err(Malformed::new("record", seen));
        }
        let text = std::str::from_utf8(bytes).map_err(|fault| Malformed::new("record", fault))?.trim();
        let rest = text
            .strip_prefix(HEADER)
            .ok_or_else(|| Malformed::new("header", format!("a record begins with `{HEADER}`")))?;
        // A `|` may stand inside a string: the payload ends where its JSON value ends.
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let json = match values.next() {
            Some(Ok(json)) => json.get(),
            Some(Err(fault)) => return Err(Malformed::new("payload", fault)),
            None => return Err(Malformed::new("payload", "it is missing")),
        };
        let after = values.byte_offset();
        let gap = rest[after..].len() - rest[after..].trim_start().len();
        let signature = rest[after + gap..]
            .strip_prefix('|')
            .ok_or_else(|| Malformed::new("payload", "no `|` and no signature follow it"))?;
        let payload = HEADER.len()..HEADER.len() + after + gap;

        let fields = Object::read(json).map_err(|fault| Malformed::new("payload", fault))?;
        let section = Object::read(signature).map_err(|fault| Malformed::new("signature", fault))?;
        let data = match section.get("SD") {
            Some(value) => {
                string(value).ok_or_else(|| Malformed::new("SD", "the signature is no text in quotes"))?
            }
            None => return Err(Malformed::new("SD", "the signature is missing")),
        };
        let optional = |name: &str| match section.get(name) {
            Some(value) => {
                string(value).map(Some).ok_or_else(|| Malformed::new(name, "it is no text in quotes"))
            }
            None => Ok(None),
        };
        let parts =
            Section { algorithm: optional("SA")?, encoding: optional("SE")?, mime: optional("SM")?, data };
        let mut deviations = vec![];
        conformance::payload(&fields, &mut deviations);
        let readings = reading::all(&fields, &mut deviations);
        conformance::readings(&readings, &mut deviations);
        conformance::signature(&section, &mut deviations);
        let strings = fields.0.iter().filter_map(|(key, value)| Some((key.clone(), string(value)?)));
        Ok(Self {
            payload,
            section: parts,
            readings,
            deviations,
            fields: strings.collect(),
            text: text.to_owned(),
        })
    }

    /// The record as it came, without the white space around it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signed bytes.
    pub fn payload(&self) -> &[u8] {
        self.text[self.payload.clone()].as_bytes()
    }

    /// A field of the payload that is a text: `MS`, the meter's serial number; `PG`, its page.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its readings, each with what it takes over from the one before.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Where it departs from the specification.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// The energy that was taken between begin and end of the record's transaction, or why there is none.
    pub fn imported(&self) -> Result<Imported, String> {
        reading::imported(&self.readings)
    }

    /// The algorithm, named or by default.
    pub fn algorithm(&self) -> &str {
        self.section.algorithm.as_deref().unwrap_or(super::signature::DEFAULT)
    }
}
