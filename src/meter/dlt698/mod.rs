//! DL/T 698.45, the object protocol of newer Chinese meters: [`frame`] bytes with both check sequences, [`data`] the
//! values in them, [`client`] asking (GET only; connecting where a meter wants it, taking answers in parts). No security: what a meter shows only
//! behind its security module is absent.
//!
//! Written from captures and public implementations, not from the standard's text (facts: protocols, section 2).

pub mod client;
pub mod data;
pub mod frame;
mod parts;

pub use client::Client;
pub use data::{Data, Oad};
pub use frame::{Frame, Scanner, ServerAddress};
