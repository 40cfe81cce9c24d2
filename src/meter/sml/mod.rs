//! SML, which German meters push over their optical head: [`list`] frames and what they say (over the crate `sml-rs`),
//! [`quirk`] what certain makers' meters do otherwise, [`client`] listening. Pushing is the simulator's.

pub mod client;
mod emit;
mod kermit;
pub mod list;
pub mod quirk;

pub use client::Client;
pub use list::{Entry, List, Scanner};
