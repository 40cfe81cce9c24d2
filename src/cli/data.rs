//! `phantomload data`

use super::{Data, Ended, print_json, print_text, refused};
use phantomload::archive::{self, Copied};
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Copy the data folder, also while a run writes, and check the copy. The device's private key is in it: lock it away
    Backup(Backup),
    /// Make a data folder of a backup, after checking it; what is there is never overwritten
    Restore(Restore),
    /// Check chain, register, every package and the journal
    Check(Check),
}

#[derive(clap::Args)]
pub struct Backup {
    /// New folder for the copy, best on another disk
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Check {
    #[command(flatten)]
    data: Data,
}

/// Does it.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::Backup(arguments) => {
            let copied = archive::back_up(&arguments.data.dir()?, &arguments.to).map_err(refused)?;
            tell(&copied, "backup", arguments.json)
        }
        Which::Restore(arguments) => {
            let copied = archive::restore(&arguments.from, &arguments.data.dir()?).map_err(refused)?;
            tell(&copied, "data folder", arguments.json)
        }
        Which::Check(arguments) => {
            let words = archive::check_folder(&arguments.data.dir()?).map_err(refused)?;
            print_text(&(words.join("\n") + "\n"))?;
            Ok(0)
        }
    }
}

fn tell(copied: &Copied, what: &str, json: bool) -> Ended {
    if json {
        print_json(copied)?;
        return Ok(0);
    }
    let in_use = if copied.in_use { ", made while a run was writing" } else { "" };
    let mut text = format!(
        "{what} {}: {} files, {} bytes, of {}{in_use}\n",
        copied.to.display(),
        copied.files,
        copied.bytes,
        copied.made
    );
    for notice in &copied.notices {
        text.push_str(notice);
        text.push('\n');
    }
    text += "The device's private key is in it: whoever has it can sign as this device\n";
    print_text(&text)?;
    Ok(0)
}
