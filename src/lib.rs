//! Phantomload (map to be drawn)
pub mod quantity;
pub mod time;
pub mod link;
pub mod calibration;
pub mod regulation;
pub mod plan;
pub mod source;
pub mod reference;
pub mod pulse;
pub mod meter;
pub mod error;
pub mod uncertainty;
pub mod verdict;
pub mod certificate;
pub mod run;
