//! `phantomload profile`

use super::inputs::regulation;
use super::{Data, Ended, Pin, Stop, open, print_text, refused};

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
        /// Period of validity of the certificates, where the profile has none that was read; without one a meter that
        /// passes gets a test report
        #[arg(long, value_name = "YEARS")]
        validity_years: Option<u32>,
        #[command(flatten)]
        pin: Pin,
        #[command(flatten)]
        data: Data,
    },
}

/// Approves a profile.
pub fn run(which: &Which) -> Ended {
    let Which::Approve { regulation: id, person, laboratory, validity_years, pin, data } = which;
    let (profile, text) = regulation(id)?;
    if validity_years.is_some() && profile.states_validity() {
        return Err(Stop::input(format!(
            "{}: its period of validity was read in the regulation; leave --validity-years out",
            profile.id
        )));
    }
    let pin = pin.ask(person)?;
    let approval = open(data)?
        .approve_profile(&profile.id, &text, laboratory, *validity_years, (person, &pin))
        .map_err(refused)?;
    print_text(&format!(
        "{}, {}, answers for {} of exactly this text since {}\n",
        approval.laboratory, approval.person, profile.id, approval.date
    ))?;
    let has_validity = profile.classes.iter().all(|class| class.validity_years.is_some());
    match approval.validity_years {
        Some(years) => print_text(&format!("a certificate holds for {years} years\n"))?,
        None if !has_validity => print_text(&format!(
            "{} has no period of validity: a meter that passes gets a test report until one is given with --validity-years\n",
            profile.id
        ))?,
        None => {}
    }
    Ok(0)
}
