//! `phantomload certificate sign | issue | amend | withdraw | papers`

use super::{Data, Ended, Pin, Stop, open, print_text, refused, say, say_notices};
use phantomload::archive::{self, Archive, Stored};
use phantomload::bench::description;
use phantomload::certificate::issue::{Field, Role};
use phantomload::certificate::likeness::Likeness;
use phantomload::certificate::number::Number;
use phantomload::certificate::record::Record;
use phantomload::run::recompute;
use std::path::Path;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Sign a draft with a PIN: verifier, then checker, then approver, three persons
    Sign {
        /// Number of the paper
        number: String,
        /// As what: verifier, checker, approver
        #[arg(long, value_parser = role)]
        role: Role,
        /// Who
        #[arg(long, value_name = "NAME")]
        person: String,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        data: Data,
    },
    /// Issue a paper that all three have signed
    Issue {
        /// Number of the paper
        number: String,
        #[command(flatten)]
        data: Data,
    },
    /// Draft a paper in place of an issued one, under a new number, to be signed and issued; an approver's PIN is asked
    Amend {
        /// Number of the issued paper
        number: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// What a person wrote down wrongly: customer, site, maker, model, serial, charger, connector
        #[arg(long, value_name = "FIELD=TEXT", value_parser = correction)]
        set: Vec<(Field, String)>,
        /// The approver
        #[arg(long, value_name = "NAME")]
        person: String,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        data: Data,
    },
    /// Take an issued paper back; the approver's PIN is asked
    Withdraw {
        /// Number of the issued paper
        number: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// The approver
        #[arg(long, value_name = "NAME")]
        person: String,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        data: Data,
    },
    /// Make the papers of a completed run later: once there is a key, or room on the disk
    Papers {
        /// Number of the paper, or the file in which the record was kept
        #[arg(value_name = "NUMBER|FILE")]
        run: String,
        #[command(flatten)]
        data: Data,
    },
}

/// A role by its word.
pub(super) fn role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| role.to_string() == text);
    found.ok_or_else(|| format!("`{text}` is no role; write verifier, checker or approver"))
}

/// `customer=Some name`.
fn correction(text: &str) -> Result<(Field, String), String> {
    let fields = Field::ALL.map(|field| field.to_string()).join(", ");
    let (name, to) = text.split_once('=').ok_or_else(|| format!("write FIELD=TEXT; fields are {fields}"))?;
    let found = Field::ALL.into_iter().find(|field| field.to_string() == name);
    let field = found.ok_or_else(|| format!("`{name}` cannot be corrected; what can: {fields}"))?;
    Ok((field, to.to_owned()))
}

fn wrote(words: &str, stored: &Stored) -> Ended {
    let files = stored.files.iter().map(|file| format!("wrote {}\n", file.display()));
    let notices = stored.notices.iter().map(|notice| format!("{notice}\n"));
    print_text(&(format!("{words}\n") + &notices.chain(files).collect::<String>()))?;
    Ok(0)
}

/// Signs, issues, amends, withdraws, or makes papers later.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::Sign { number, role, person, pin, data } => {
            let pin = pin.ask(person)?;
            let entry = open(data)?.sign(number, *role, person, &pin).map_err(refused)?;
            print_text(&format!(
                "{number}: signed by {person} as {role}, entry {} of the chain\n",
                entry.seq
            ))?;
            Ok(0)
        }
        Which::Issue { number, data } => {
            let stored = open(data)?.issue(number).map_err(refused)?;
            wrote(&format!("{number}: issued"), &stored)
        }
        Which::Amend { number, reason, set, person, pin, data } => {
            let pin = pin.ask(person)?;
            let (new, stored) = open(data)?.amend(number, reason, set, person, &pin).map_err(refused)?;
            wrote(
                &format!(
                    "{new}: draft in place of {number}, which holds until {new} is signed by three persons and issued"
                ),
                &stored,
            )
        }
        Which::Withdraw { number, reason, person, pin, data } => {
            let pin = pin.ask(person)?;
            let entry = open(data)?.withdraw(number, reason, person, &pin).map_err(refused)?;
            print_text(&format!("{number}: withdrawn, entry {} of the chain\n", entry.seq))?;
            Ok(0)
        }
        Which::Papers { run, data } if run.parse::<Number>().is_ok() => {
            wrote(&format!("{run}: papers made"), &open(data)?.make_papers(run).map_err(refused)?)
        }
        Which::Papers { run, data } => bring_in(Path::new(run), data),
    }
}

/// Papers from a record that was kept outside the data folder.
fn bring_in(path: &Path, data: &Data) -> Ended {
    let text = description::read_at_most(path, description::RECORD_MAX).map_err(Stop::input)?;
    let record = Record::from_json(&path.display().to_string(), &text).map_err(Stop::input)?;
    let (outcome, results) = recompute(&record);
    let likeness = Likeness::of((&record.outcome, &record.results), (outcome.as_ref(), &results));
    if likeness == Likeness::Different {
        let what = "its results do not follow from its raw data; `phantomload replay` says what differs";
        return Err(Stop::input(format!("{}: {what}", path.display())));
    }
    // The signed verdict beside it, where nothing could be written at the end of the run.
    let beside = path.with_extension("jws");
    let verdict =
        if beside.is_file() { Some(description::read(&beside).map_err(Stop::input)?) } else { None };
    let verdict = verdict.as_deref().map(str::trim_end);
    let mut archive = Archive::open_with(&data.dir()?, verdict).map_err(Stop::fault)?;
    say_notices(&archive);
    // Photographs of its seals: those that lie beside the file, and those that the journal has kept.
    let mut photographs = archive::photographs_beside(path, &record).map_err(Stop::input)?;
    if archive.has_journal() {
        let (book, words) = archive.journal().map_err(Stop::fault)?;
        for words in &words {
            say(words);
        }
        photographs.extend(book.beside(&record.record_no).map_err(Stop::fault)?.0);
    }
    let stored = archive.bring_in_with(&record, text.as_bytes(), &photographs).map_err(refused)?;
    wrote(&format!("{}: papers made", record.record_no), &stored)
}
