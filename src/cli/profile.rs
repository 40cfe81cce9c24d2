//! `phantomload profile`

use super::approval::role;
use super::inputs::regulation;
use super::{Data, Ended, Pin, open, print_text, refused};
use phantomload::certificate::issue::Role;
use phantomload::regulation::Approval;

#[derive(clap::Subcommand)]
pub enum Which {
    /// A laboratory answers for the unconfirmed figures of a profile of exactly this text: verifier, checker and approver
    /// sign, three persons; each one's PIN is asked
    Approve {
        /// Regulation profile that comes with the program, or a file
        #[arg(value_name = "ID|FILE")]
        regulation: String,
        /// Who signs: first the verifier, then the checker, then the approver
        #[arg(long, value_parser = role)]
        role: Role,
        /// The person's name
        #[arg(long, value_name = "NAME")]
        person: String,
        /// The laboratory [default: as in laboratory.toml]
        #[arg(long, value_name = "NAME", default_value = "", num_args = 0..=1, default_missing_value = "")]
        laboratory: String,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        data: Data,
    },
}

/// Approves a profile.
pub fn run(which: &Which) -> Ended {
    let Which::Approve { regulation: id, role, person, laboratory, pin, data } = which;
    let (profile, text) = regulation(id)?;
    let pin = pin.ask(person)?;
    let (Approval { laboratory, person, date }, next) = open(data)?
        .approve_profile((&profile.id, &text), laboratory, *role, person, &pin)
        .map_err(refused)?;
    print_text(&match next {
        Some(next) => format!("{person} of {laboratory} has signed for {}; the {next} is next\n", profile.id),
        None => {
            format!("{laboratory}, {person}, answers for {} of exactly this text since {date}\n", profile.id)
        }
    })?;
    Ok(0)
}
