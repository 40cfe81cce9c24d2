//! The record of a run and the papers made from it. Bytes are made here; files are written by `archive`.

pub mod chain;
pub mod cross_check;
pub mod csv;
pub mod dcc;
pub mod energy_log;
pub mod issue;
pub mod likeness;
pub mod matrix;
pub mod number;
pub mod package;
pub mod page;
pub mod paper;
pub mod pdf;
pub mod photograph;
pub mod raw;
pub mod record;
pub mod report;
#[cfg(test)]
pub(crate) mod sample;
pub mod second_opinion;
pub mod sign;
pub mod signed_record;
pub mod verify;
