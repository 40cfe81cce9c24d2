//! `phantomload seal`

use super::{Data, Ended, Pin, open, print_text, refused};

#[derive(clap::Subcommand)]
pub enum Which {
    /// Answer for what was found at a meter's seals in a run; the approver's PIN is asked
    ///
    /// An opening or programming that no certificate knows of, a broken, missing or exchanged seal leaves a run undecided. The
    /// answer stands in the chain, in the record of the next run and on its papers; it changes nothing that was measured.
    /// Verify the meter again then.
    Answer {
        /// Number of the record or paper in which it was found; also of a run that was stopped
        number: String,
        /// Why it may be so, in words
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
}

/// Answers.
pub fn run(which: &Which) -> Ended {
    let Which::Answer { number, reason, person, pin, data } = which;
    let pin = pin.ask(person)?;
    let entry = open(data)?.answer_seals(number, reason, (person, &pin)).map_err(refused)?;
    print_text(&format!(
        "{number}: what was found at its seals is answered for by {person}, entry {} of the chain; verify the meter again\n",
        entry.seq
    ))?;
    Ok(0)
}
