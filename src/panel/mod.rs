//! Pictures of one bit a dot: the label on a meter that has passed, and the status panel of 128 by 64 dots.

pub mod bitmap;
pub mod display;
pub mod label;
pub mod letters;
pub mod printer;
pub mod shown;
pub mod status;
pub mod typeface;
mod words;

pub use bitmap::Bitmap;
pub use label::{Fault, Label, Size, label};
pub use shown::Shown;
pub use status::{Language, Status};
