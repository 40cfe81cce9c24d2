//! The files in which records are handed out: records as they are, JSON around them, or the XML of SAFE e.V.'s
//! transparency software.
//!
//! The XML form is `<values><value><signedData>…</signedData><publicKey>…</publicKey></value></values>`, as the test
//! files of SAFE-eV/transparenzsoftware have it; `encoding` is `plain` or missing there, and no other was seen.

use super::Malformed;
use serde_json::Value;

/// The longest file that is looked through.
pub const FILE_MAX: usize = 4 << 20;
/// So many records are taken out of one file.
const RECORDS_MAX: usize = 10_000;
const MARK: &str = "OCMF|";
/// Names under which a key stands beside a record: the house's data, SAFE's XML, LEM's status, IEM-DCR.
const KEY_NAMES: [&str; 5] = ["public_key_hex", "publicKeyOcmf", "publicKey", "public_key", "PK"];

/// A record in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// Where it stands: `record 3`, `lem-dcbm-1`.
    pub at: String,
    /// Its bytes.
    pub record: Vec<u8>,
    /// A key that stands beside it. It proves nothing by itself: who changes a record changes its key too.
    pub key: Option<String>,
}

/// Every record in a file, in order.
pub fn open(bytes: &[u8]) -> Result<Vec<Enclosed>, Malformed> {
    let wrong = |what: String| Malformed::new("file", what);
    if bytes.len() > FILE_MAX {
        return Err(wrong(format!("{} bytes long; allowed are {FILE_MAX}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|fault| wrong(fault.to_string()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut found = vec![];
    match text.bytes().next() {
        Some(b'<') => xml(text, &mut found)?,
        Some(b'{' | b'[' | b'"') => {
            for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
                json(&value.map_err(|fault| wrong(fault.to_string()))?, &mut found);
            }
        }
        _ => plain(text, &mut found),
    }
    match found.len() {
        0 => Err(wrong(format!("no record in it; one begins with `{MARK}`"))),
        n if n > RECORDS_MAX => Err(wrong(format!("{n} records; allowed are {RECORDS_MAX}"))),
        _ => Ok(found),
    }
}

fn push(found: &mut Vec<Enclosed>, name: Option<String>, record: &str, key: Option<String>) {
    let at = name.unwrap_or_else(|| format!("record {}", found.len() + 1));
    found.push(Enclosed { at, record: record.trim().as_bytes().to_vec(), key });
}

/// Each record begins a line; it may run over several.
fn plain(text: &str, found: &mut Vec<Enclosed>) {
    let mut begin = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        // What stands before the first one is shown as what it is: no record.
        if (begin.is_none() || line.trim_start().starts_with(MARK))
            && let Some(begin) = begin.replace(at)
        {
            push(found, None, &text[begin..at], None);
        }
        at += line.len();
    }
    if let Some(begin) = begin {
        push(found, None, &text[begin..], None);
    }
}

/// Every string that is a record, however deep; its object may name it and hold a key.
fn json(value: &Value, found: &mut Vec<Enclosed>) {
    match value {
        Value::String(text) if text.trim_start().starts_with(MARK) => push(found, None, text, None),
        Value::Array(list) => list.iter().for_each(|inner| json(inner, found)),
        Value::Object(fields) => {
            let text = |name: &&str| fields.get(*name).and_then(Value::as_str).map(str::to_owned);
            let key = KEY_NAMES.iter().find_map(text);
            for inner in fields.values() {
                match inner {
                    Value::String(record) if record.trim_start().starts_with(MARK) => {
                        push(found, text(&"id"), record, key.clone());
                    }
                    other => json(other, found),
                }
            }
        }
        _ => {}
    }
}

fn xml(text: &str, found: &mut Vec<Enclosed>) -> Result<(), Malformed> {
    let wrong = |what: String| Malformed::new("file", what);
    let document = roxmltree::Document::parse(text).map_err(|fault| wrong(fault.to_string()))?;
    for node in document.descendants().filter(|node| node.has_tag_name("signedData")) {
        if node.attribute("format").is_some_and(|format| format != "OCMF") {
            continue;
        }
        if let Some(encoding) = node.attribute("encoding").filter(|encoding| *encoding != "plain") {
            return Err(wrong(format!("a record in the encoding `{encoding}`; only `plain` is read")));
        }
        let content = |node: roxmltree::Node| node.children().filter_map(|c| c.text()).collect::<String>();
        let beside = node.parent().into_iter().flat_map(|parent| parent.children());
        let key = beside.filter(|n| n.has_tag_name("publicKey")).map(content).next();
        push(found, None, &content(node), key.map(|key| key.trim().to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(file: &str) -> Vec<(String, String, Option<String>)> {
        let found = open(file.as_bytes()).unwrap();
        found.into_iter().map(|e| (e.at, String::from_utf8(e.record).unwrap(), e.key)).collect()
    }

    #[test]
    fn a_file_holds_one_record_or_many_on_lines_of_their_own_or_over_several() {
        let one = ("record 1".to_owned(), "OCMF|{}|{}".to_owned(), None);
        let two = ("record 2".to_owned(), "OCMF|{\n}|{}".to_owned(), None);
        assert_eq!(records("  OCMF|{}|{}\r\n"), std::slice::from_ref(&one));
        assert_eq!(records("OCMF|{}|{}\nOCMF|{\n}|{}\n"), [one, two]);
        assert_eq!(records("garbage\nOCMF|{}|{}")[0].1, "garbage");
        assert!(open(b" \n").unwrap_err().what.contains("no record"));
        assert!(open(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn json_and_xml_around_a_record_are_taken_away_and_the_key_beside_it_is_told() {
        let lines =
            "{\"id\":\"a\",\"ocmf\":\"OCMF|{\\\"x\\\":1}|{}\",\"public_key_hex\":\"04\"}\n[\"OCMF|{}|{}\"]";
        let found = records(lines);
        assert_eq!(found[0], ("a".into(), "OCMF|{\"x\":1}|{}".into(), Some("04".into())));
        assert_eq!(found[1], ("record 2".into(), "OCMF|{}|{}".into(), None));
        let xml = "<values><value><signedData format=\"OCMF\">\nOCMF|{&quot;x&quot;:1}|{}\n</signedData>\
                   <publicKey encoding=\"plain\"> 3059 </publicKey></value></values>";
        assert_eq!(records(xml), [("record 1".into(), "OCMF|{\"x\":1}|{}".into(), Some("3059".into()))]);
        assert!(open(b"<values><value>").is_err());
        let swelling = "<!DOCTYPE a [<!ENTITY b \"c\">]><values><signedData>&b;</signedData></values>";
        assert!(open(swelling.as_bytes()).is_err());
    }
}
