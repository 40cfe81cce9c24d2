//! `phantomload meter`: reading; and `record`, the one command that starts something in a meter: a transaction.

mod order;
mod place;
mod read;
mod watch;

use super::Ended;
use place::Place;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Read everything a meter says: number, energy, U, I, P, clock, constant, covers, programming, clock settings
    Read {
        #[command(flatten)]
        place: Place,
        /// Print the bytes of each exchange
        #[arg(long)]
        raw: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read energy, U, I and P again and again, each with its age, until Ctrl-C
    Watch {
        #[command(flatten)]
        place: Place,
        /// Rounds after which it ends; 0: never
        #[arg(long, default_value_t = 0)]
        rounds: u32,
        /// Seconds from round to round
        #[arg(long, default_value_t = 1.0)]
        every: f64,
    },
    /// Have a LEM DCBM sign a transaction: start it, let it run, stop it, fetch the record, check it
    Record(super::record::Arguments),
    /// Find the order of words and bytes of a Modbus meter that fits what the reference shows
    Order {
        #[command(flatten)]
        place: Place,
        /// What the reference shows, in volt
        #[arg(long)]
        voltage: Option<f64>,
        /// What the reference shows, in ampere
        #[arg(long)]
        current: Option<f64>,
        /// What the reference shows, in kilowatt
        #[arg(long)]
        power: Option<f64>,
        /// Deviation that is still plausible, in percent
        #[arg(long, default_value_t = 10.0)]
        tolerance: f64,
    },
}

pub fn run(which: &Which) -> Ended {
    match which {
        Which::Read { place, raw, json } => read::run(place, *raw, *json),
        Which::Record(arguments) => super::record::run(arguments),
        Which::Watch { place, rounds, every } => watch::run(place, *rounds, *every),
        Which::Order { place, voltage, current, power, tolerance } => {
            order::run(place, [*voltage, *current, *power], *tolerance)
        }
    }
}
