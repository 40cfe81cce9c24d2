//! `phantomload profile`

use super::inputs::regulation;
use super::{Data, Ended, Pin, open, print_text, refused};

#[derive(clap::Subcommand)]
pub enum Which {
    /// A laboratory answers for the unconfirmed figures of a profile of exactly this text; the approver's PIN is asked
    Approve {
        /// Regulation profile that comes with the program, or a file
        #[arg(value_name = "ID|FILE")]
        regulation: String,
        /// The approver
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
    let Which::Approve { regulation: id, person, laboratory, pin, data } = which;
    let (profile, text) = regulation(id)?;
    let pin = pin.ask(person)?;
    let approval =
        open(data)?.approve_profile(&profile.id, &text, laboratory, person, &pin).map_err(refused)?;
    print_text(&format!(
        "{}, {}, answers for {} of exactly this text since {}\n",
        approval.laboratory, approval.person, profile.id, approval.date
    ))?;
    Ok(0)
}
