//! IEC 62056-21, the text protocol of optical heads, modes A and C: [`readout`] bytes and their meaning, [`client`]
//! signing on at 300 Bd, switching speed, reading out. Nothing is written and programming mode is never entered.

pub mod client;
pub mod readout;

pub use client::Client;
pub use readout::{DataSet, Identification, Readout};
