//! A profile's text figure by figure, as it stands there with its source; and a profile of the house, which is a shipped one
//! with a figure changed.
//!
//! A changed figure names its clause and is unconfirmed, whoever has changed it: a certificate follows from it when a
//! laboratory has answered for exactly the new text, and not before.

use super::{Fault, Profile, Provenance};
use jiff::civil::Date;
use toml::{Table, Value};

/// Keys of a figure that are no value of it.
const BESIDE: [&str; 3] = ["clause", "provenance", "note"];
/// Keys by which a row of several is called.
const NAMES: [&str; 5] = ["name", "range", "term", "to", "current"];
/// More steps lead to no figure.
const DEEP: usize = 8;
/// The longest text that is taken.
const LONGEST: usize = 200;

/// A step on the way to a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Of a table.
    Key(String),
    /// Of a list.
    No(usize),
}

/// A figure as the text of a profile has it: one value or several with one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The way to it.
    pub path: Vec<Step>,
    /// The way in words.
    pub place: String,
    /// Its values: key and what stands there.
    pub values: Vec<(String, String)>,
    /// The clause or table of the regulation.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    pub note: String,
}

/// A value of a figure, and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The figure.
    pub path: Vec<Step>,
    /// Which of its values.
    pub key: String,
    /// What it is to be.
    pub to: String,
    /// The clause or table of the regulation in which that was found.
    pub clause: String,
}

fn parse(origin: &str, text: &str) -> Result<Table, Fault> {
    // A profile that is none has no figures.
    Profile::from_toml(origin, text)?;
    text.parse::<Table>()
        .map_err(|fault| Fault::Text { origin: origin.to_owned(), message: fault.to_string() })
}

/// The figures of a profile's text, in its order of tables.
pub fn entries(origin: &str, text: &str) -> Result<Vec<Entry>, Fault> {
    let mut found = vec![];
    walk(&Value::Table(parse(origin, text)?), &mut vec![], &mut vec![], &mut found);
    Ok(found)
}

fn walk(value: &Value, path: &mut Vec<Step>, place: &mut Vec<String>, found: &mut Vec<Entry>) {
    if path.len() > DEEP {
        return;
    }
    match value {
        Value::Table(table) => {
            found.extend(entry(table, path, place));
            for (key, inner) in table {
                path.push(Step::Key(key.clone()));
                place.push(key.clone());
                walk(inner, path, place, found);
                place.pop();
                path.pop();
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate().filter(|(_, inner)| inner.is_table()) {
                path.push(Step::No(n));
                place.push(name(inner).unwrap_or_else(|| (n + 1).to_string()));
                walk(inner, path, place, found);
                place.pop();
                path.pop();
            }
        }
        _ => {}
    }
}

fn name(row: &Value) -> Option<String> {
    NAMES.iter().find_map(|key| row.get(key)?.as_str()).map(str::to_owned)
}

/// A table that says where it is from and how well it is known is a figure.
fn entry(table: &Table, path: &[Step], place: &[String]) -> Option<Entry> {
    let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let provenance = table.get("provenance")?.clone().try_into().ok()?;
    let values = table.iter().filter(|(key, _)| !BESIDE.contains(&key.as_str()));
    let values = values.filter_map(|(key, value)| Some((key.clone(), shown(value)?)));
    Some(Entry {
        path: path.to_vec(),
        place: place.join(" / "),
        values: values.collect(),
        clause: text("clause"),
        provenance,
        note: text("note"),
    })
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let all: Option<Vec<String>> = list.iter().map(shown).collect();
            Some(all?.join(", "))
        }
        Value::Table(_) => None,
        other => Some(other.to_string()),
    }
}

/// The text of a profile of the house: `text` under its own `id`, with one figure changed on `day`. It is read again before it is
/// given: what makes no sense is refused.
pub fn changed(origin: &str, text: &str, id: &str, change: &Change, day: Date) -> Result<String, Fault> {
    let senseless = |place: &str, seen: &str, allowed: &str| Fault::Sense {
        origin: origin.to_owned(),
        place: place.to_owned(),
        seen: format!("`{seen}`"),
        allowed: format!("allowed is {allowed}"),
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 40 || !id.chars().all(fits) || Profile::builtin_ids().any(|own| own == id)
    {
        let allowed = "a name of its own, of 1 to 40 small letters, figures and `-`";
        return Err(senseless("id", id, allowed));
    }
    let clause = change.clause.trim();
    if clause.is_empty() || clause.chars().count() > LONGEST || clause.chars().any(char::is_control) {
        return Err(senseless("clause", clause, "the clause or table in which the figure was found"));
    }
    let mut table = parse(origin, text)?;
    let before = table.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    table.insert("id".into(), id.into());
    // What a file says of itself is nobody's answer.
    table.remove("approval");
    let mut whole = Value::Table(table);
    let mut figure = &mut whole;
    for step in &change.path {
        let next = match step {
            Step::Key(key) => figure.get_mut(key.as_str()),
            Step::No(n) => figure.get_mut(*n),
        };
        figure = next.ok_or_else(|| senseless(&change.key, &change.to, "a figure that is there"))?;
    }
    let figure = figure.as_table_mut().filter(|table| table.contains_key("provenance"));
    let figure = figure.ok_or_else(|| senseless(&change.key, &change.to, "a figure with its source"))?;
    let old = figure.get(&change.key).filter(|_| !BESIDE.contains(&change.key.as_str()));
    let old = old.ok_or_else(|| senseless(&change.key, &change.to, "a value that is there"))?.clone();
    let to = change.to.trim();
    let new = match &old {
        Value::Integer(_) | Value::Float(_) => match (to.parse::<i64>(), to.parse::<f64>()) {
            (Ok(whole), _) if old.is_integer() => Value::Integer(whole),
            (_, Ok(number)) if number.is_finite() => Value::Float(number),
            _ => return Err(senseless(&change.key, to, "a number")),
        },
        Value::String(_) if to.chars().count() <= LONGEST => Value::String(to.to_owned()),
        _ => return Err(senseless(&change.key, to, "a number or a word; lists are changed in the file")),
    };
    let was = shown(&old).unwrap_or_default();
    figure.insert(change.key.clone(), new);
    figure.insert("clause".into(), clause.into());
    figure.insert("provenance".into(), "unconfirmed".into());
    figure.insert("note".into(), format!("{day}: {} was {was} in {before}", change.key).into());
    let head = "# A profile of the house, made on the touchscreen. What was changed is unconfirmed until a laboratory\n\
                # answers for exactly this text.\n";
    // A table is written with its headings, a value in one line that is no file.
    let made = format!("{head}{}", whole.as_table().map_or(String::new(), Table::to_string));
    Profile::from_toml(id, &made)?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> &'static str {
        Profile::builtin_text("dc-meter").unwrap()
    }

    fn day() -> Date {
        "2026-11-22".parse().unwrap()
    }

    #[test]
    fn every_figure_of_every_shipped_profile_is_there_with_its_source() {
        for id in Profile::builtin_ids() {
            let text = Profile::builtin_text(id).unwrap();
            let entries = entries(id, text).unwrap();
            let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            let sources: usize = lines.map(|line| line.matches("provenance = ").count()).sum();
            assert_eq!(entries.len(), sources, "{id}");
            for entry in entries {
                assert!(!entry.clause.is_empty() && !entry.place.is_empty(), "{id}: {entry:?}");
            }
        }
    }

    #[test]
    fn a_changed_figure_has_its_clause_and_is_unconfirmed_in_a_profile_of_another_name() {
        let all = entries("dc-meter", text()).unwrap();
        let figure =
            all.iter().find(|entry| entry.place == "class / 0.5 / limits / Itr <= I <= Imax").unwrap();
        assert!(figure.values.contains(&("percent".into(), "0.5".into())), "{figure:?}");
        let change = |key: &str, to: &str, clause: &str| Change {
            path: figure.path.clone(),
            key: key.into(),
            to: to.into(),
            clause: clause.into(),
        };
        let made =
            changed("dc-meter", text(), "dc-own", &change("percent", "0.4", "JJG 842-2017 Table 1"), day());
        let made = made.unwrap();
        let again = entries("dc-own", &made).unwrap();
        assert_eq!(again.len(), all.len());
        let differs: Vec<&Entry> = again.iter().filter(|entry| !all.contains(entry)).collect();
        let [one] = differs[..] else { panic!("{differs:?}") };
        assert!(one.values.contains(&("percent".into(), "0.4".into())), "{one:?}");
        assert_eq!((one.clause.as_str(), one.provenance), ("JJG 842-2017 Table 1", Provenance::Unconfirmed));
        assert_eq!(one.note, "2026-11-22: percent was 0.5 in dc-meter");
        assert_eq!(Profile::from_toml("dc-own", &made).unwrap().id, "dc-own");
        for (id, key, to, clause) in [
            ("dc-meter", "percent", "0.4", "Table 1"),
            ("Big Name", "percent", "0.4", "Table 1"),
            ("../x", "percent", "0.4", "Table 1"),
            ("dc-own", "percent", "0.4", " "),
            ("dc-own", "percent", "much", "Table 1"),
            ("dc-own", "percent", "nan", "Table 1"),
            ("dc-own", "percent", "-1", "Table 1"),
            ("dc-own", "nothing", "1", "Table 1"),
            ("dc-own", "provenance", "read", "Table 1"),
            ("dc-own", "scale", "my own", "Table 1"),
        ] {
            let refused = changed("dc-meter", text(), id, &change(key, to, clause), day());
            assert!(refused.is_err(), "{id} {key} {to} {clause}");
        }
    }
}
