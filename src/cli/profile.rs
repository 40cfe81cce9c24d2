//! `phantomload profile`

use super::approval::role;
use super::inputs::regulation;
use super::{Data, Ended, Pin, Stop, open, print_text, refused};
use phantomload::archive::Terms;
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
    let Which::Approve { regulation: id, role, person, laboratory, validity_years, pin, data } = which;
    let (profile, text) = regulation(id)?;
    if validity_years.is_some() && profile.states_validity() {
        return Err(Stop::input(format!(
            "{}: its period of validity was read in the regulation; leave --validity-years out",
            profile.id
        )));
    }
    let pin = pin.ask(person)?;
    let terms = Terms { laboratory: laboratory.clone(), validity_years: *validity_years };
    let (approval, next) =
        open(data)?.approve_profile((&profile.id, &text), terms, *role, (person, &pin)).map_err(refused)?;
    let Approval { laboratory, person, date, validity_years } = approval;
    if let Some(next) = next {
        print_text(&format!("{person} of {laboratory} has signed for {}; the {next} is next\n", profile.id))?;
        return Ok(0);
    }
    print_text(&format!(
        "{laboratory}, {person}, answers for {} of exactly this text since {date}\n",
        profile.id
    ))?;
    let has_validity = profile.classes.iter().all(|class| class.validity_years.is_some());
    match validity_years {
        Some(years) => print_text(&format!("a certificate holds for {years} years\n"))?,
        None if !has_validity => print_text(&format!(
            "{} has no period of validity: a meter that passes gets a test report until one is given with --validity-years\n",
            profile.id
        ))?,
        None => {}
    }
    Ok(0)
}
