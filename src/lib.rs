//! Phantomload (map to be drawn)
pub mod quantity;
pub mod time;
