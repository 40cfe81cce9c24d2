//! Pictures of one bit a dot: the label on a meter that has passed.

pub mod bitmap;
pub mod label;
pub mod printer;
pub mod typeface;

pub use bitmap::Bitmap;
pub use label::{Fault, Label, Size, label};
