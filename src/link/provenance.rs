//! How sure it is that an instrument is driven by the right commands.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a driver profile's commands come from, carried to the record and its papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Somebody has run the whole sequence on the instrument itself and stands by it.
    Confirmed,
    /// Read in documents or in other people's drivers; never run on the instrument by us.
    #[default]
    Unconfirmed,
    /// No instrument: a stand-in of ours, whose commands are our own.
    StandIn,
}

impl Provenance {
    /// What stands behind an instrument's identity in the record; nothing where there is nothing to warn of.
    pub fn remark(self, profile: &str) -> String {
        match self {
            Self::Confirmed => format!(" (driver profile {profile})"),
            Self::Unconfirmed => format!(" (unconfirmed driver profile {profile})"),
            Self::StandIn => String::new(),
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
            Self::StandIn => "stand-in",
        })
    }
}
