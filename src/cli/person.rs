//! `phantomload person`

use super::approval::role;
use super::{By, Data, Ended, Pin, open, print_json, print_text, refused};
use phantomload::archive;
use phantomload::certificate::issue::Role;
use serde::Serialize;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Add a person who signs; the PIN (6 to 12 figures) comes from standard input or a file
    Add {
        /// The name as papers print it
        name: String,
        /// What the person signs as: verifier, checker, approver; several with commas
        #[arg(long = "role", value_delimiter = ',', required = true, value_parser = role)]
        roles: Vec<Role>,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// List the persons
    List {
        #[command(flatten)]
        data: Data,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a person a new PIN, by the old one or by an approver's; it also unlocks
    Pin {
        /// The name
        name: String,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// A person signs no more; what was signed stays signed
    Disable {
        /// The name
        name: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    roles: &'a [Role],
    state: &'static str,
}

/// Adds, lists or changes persons.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::Add { name, roles, pin, by, data } => {
            let by = by.ask()?;
            let pin = pin.ask_new(name)?;
            let by = by.as_ref().map(|(name, pin)| (name.as_str(), pin.as_str()));
            let entry = open(data)?.add_person(name, roles, &pin, by).map_err(refused)?;
            print_text(&format!("{name} was added: entry {} of the chain\n", entry.seq))?;
        }
        Which::List { data, json } => {
            let persons = archive::persons(&data.dir()?).map_err(refused)?;
            let rows = persons.iter().map(|person| Row {
                name: &person.name,
                roles: &person.roles,
                state: match (person.disabled, person.locked) {
                    (true, _) => "disabled",
                    (false, true) => "locked",
                    (false, false) => "active",
                },
            });
            let rows: Vec<Row> = rows.collect();
            if *json {
                print_json(&rows)?;
            } else if rows.is_empty() {
                print_text("nobody yet; `phantomload person add NAME --role verifier,checker,approver`\n")?;
            } else {
                let line = |row: &Row| {
                    let roles: Vec<_> = row.roles.iter().map(ToString::to_string).collect();
                    format!("{:<9} {}: {}\n", row.state, row.name, roles.join(", "))
                };
                print_text(&rows.iter().map(line).collect::<String>())?;
            }
        }
        Which::Pin { name, pin, by, data } => {
            let (who, old) = by.ask_or(name)?;
            let pin = pin.ask_new(name)?;
            let entry = open(data)?.set_pin(name, &pin, (&who, &old)).map_err(refused)?;
            print_text(&format!("{name} has a new PIN: entry {} of the chain\n", entry.seq))?;
        }
        Which::Disable { name, by, data } => {
            let by = by.ask()?;
            let by = by.as_ref().map(|(name, pin)| (name.as_str(), pin.as_str()));
            let entry = open(data)?.disable_person(name, by).map_err(refused)?;
            print_text(&format!("{name} signs no more: entry {} of the chain\n", entry.seq))?;
        }
    }
    Ok(0)
}
