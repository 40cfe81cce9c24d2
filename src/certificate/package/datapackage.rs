//! `datapackage.json`: the results file described for programs (Frictionless Data Package, Table Schema, CSV Dialect).

use super::Fault;
use crate::certificate::csv::{RESULTS_HEADER, SCHEMA};
use crate::certificate::issue::Issue;
use crate::certificate::record::Record;
use crate::certificate::sign;
use serde_json::{Value, json};

/// The name of a column's type in Table Schema.
fn kind(column: &str) -> &'static str {
    match column {
        "schema_version" | "point_no" | "pulses" | "repeats" | "attempts" | "spoiled_attempts" => "integer",
        "started_at" => "datetime",
        "simulated" => "boolean",
        "certificate_no" | "record_no" | "run_id" | "test_item" | "connector" | "load_method" | "mode"
        | "result" | "remark" | "item" | "point" | "unit" | "clause" | "verdict_rule" | "regulation"
        | "regulation_note" => "string",
        _ => "number",
    }
}

/// The words a column may hold, where they are few and never change.
fn words(column: &str) -> &'static [&'static str] {
    match column {
        "load_method" => &["virtual"],
        "mode" => &["dc"],
        "result" => &["pass", "fail", "not_assessed"],
        "unit" => &["%", "s", "s/d", "kWh", "imp", "1"],
        _ => &[],
    }
}

fn field(column: &str) -> Value {
    let mut field = json!({ "name": column, "type": kind(column) });
    let mut constraints = json!({});
    match kind(column) {
        // Milliseconds and an offset from UTC, which the default form has not.
        "datetime" => field["format"] = "any".into(),
        "boolean" => {
            field["trueValues"] = json!(["true"]);
            field["falseValues"] = json!(["false"]);
        }
        _ => {}
    }
    if !words(column).is_empty() {
        constraints["enum"] = json!(words(column));
    }
    if ["schema_version", "certificate_no", "record_no", "point_no", "result", "simulated"].contains(&column)
    {
        constraints["required"] = true.into();
    }
    if constraints != json!({}) {
        field["constraints"] = constraints;
    }
    field
}

/// The description of the results file `name` that holds `bytes`.
pub(super) fn json(record: &Record, issue: &Issue, name: &str, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let hash = format!("sha256:{}", sign::hex(&sign::sha256(bytes)));
    let simulated = if record.simulated { "SIMULATED: " } else { "" };
    let described = json!({
        "profile": "tabular-data-package",
        "name": issue.certificate_no.to_lowercase(),
        "title": format!("{simulated}results of {}", issue.certificate_no),
        "description": "A text that a spreadsheet would take for a formula begins with an apostrophe.",
        "simulated": record.simulated,
        "resources": [{
            "profile": "tabular-data-resource",
            "name": "results",
            "path": name,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": bytes.len(),
            "hash": hash,
            "dialect": {
                "delimiter": ",",
                "lineTerminator": "\r\n",
                "quoteChar": "\"",
                "doubleQuote": true,
                "header": true,
                "skipInitialSpace": false
            },
            "schema": {
                "fields": RESULTS_HEADER.map(field).to_vec(),
                "missingValues": [""],
                "primaryKey": ["certificate_no", "point_no"],
                "version": SCHEMA
            }
        }]
    });
    let form = |e: serde_json::Error| Fault::Form { file: super::DATAPACKAGE.into(), what: e.to_string() };
    Ok((serde_json::to_string_pretty(&described).map_err(form)? + "\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::csv::results_csv;
    use crate::certificate::sample;

    #[test]
    fn each_column_has_the_type_that_its_description_gives() {
        let table = include_str!("../../../reports/results_csv.md");
        let mut seen = 0;
        for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
            let mut cells = row.split('|').map(str::trim);
            let (column, documented) = (cells.next().unwrap().trim_end_matches('`'), cells.next().unwrap());
            let expected = match documented {
                "integer" | "number" => documented,
                "date and hour" => "datetime",
                "enumeration" if column == "simulated" => "boolean",
                "text" | "enumeration" => "string",
                other => panic!("{column}: {other}"),
            };
            assert_eq!(kind(column), expected, "{column}");
            seen += 1;
        }
        assert_eq!(seen, RESULTS_HEADER.len());
    }

    #[test]
    fn every_cell_is_of_its_type_and_words_are_the_ones_allowed() {
        // Made one by one: three records are too much for the stack.
        let makes: [fn() -> Record; 3] =
            [|| sample::completed(-0.3), || sample::completed(2.0), sample::silent_at_start];
        for record in makes.into_iter().map(|make| make()) {
            let bytes = results_csv(&record).unwrap();
            let described: Value =
                serde_json::from_slice(&json(&record, &sample::draft(&record), "x.csv", &bytes).unwrap())
                    .unwrap();
            let resource = &described["resources"][0];
            assert_eq!(resource["bytes"], bytes.len());
            let mut reader = ::csv::Reader::from_reader(&bytes[3..]);
            for row in reader.records().map(Result::unwrap) {
                for (cell, field) in row.iter().zip(resource["schema"]["fields"].as_array().unwrap()) {
                    let required = field["constraints"]["required"] == true;
                    assert!(!(required && cell.is_empty()), "{field}");
                    if cell.is_empty() {
                        continue;
                    }
                    let fits = match field["type"].as_str().unwrap() {
                        "integer" => cell.parse::<i64>().is_ok(),
                        "number" => cell.parse::<f64>().is_ok(),
                        "boolean" => cell == "true" || cell == "false",
                        "datetime" => cell.parse::<crate::time::Stamp>().is_ok(),
                        _ => true,
                    };
                    let words = field["constraints"]["enum"].as_array();
                    assert!(
                        fits && words.is_none_or(|words| words.contains(&cell.into())),
                        "{field}: {cell}"
                    );
                }
            }
        }
    }
}
