//! DL/T 645-2007 and the reading of 1997, the serial protocol of Chinese meters: [`frame`] bytes and their meaning, [`scanner`] frames out of
//! what arrives, [`profile`] what a meter model keeps where, [`codec`] data bytes and values, [`exchange`] one
//! request and its answer, [`client`] asking, [`output`] the one command that switches something.
//!
//! Written from real captures and public implementations, not from the standard's text (facts: protocols, section 1).

pub mod client;
pub mod codec;
pub mod exchange;
pub mod frame;
pub mod output;
pub mod profile;
pub mod scanner;

pub use client::Client;
pub use codec::{Coding, Item, Sign};
pub use exchange::Patience;
pub use frame::{Address, Control, Di, Frame};
pub use profile::{Edition, Profile, Slot};
pub use scanner::{Event, Scanner};
