//! Modbus, reading only: [`frame`] bytes of RTU and TCP, [`map`] what a meter model keeps in which registers, [`number`]
//! registers and the value they stand for, [`order`] which word and byte order is plausible, [`client`] asking.
//!
//! The frames are ours and not a crate's: tokio-modbus brings its own executor and transport, and the client must see
//! every byte of every attempt, echo and noise included. Written from the public specification's figures (facts:
//! protocols, section 3).

pub mod client;
pub mod frame;
pub mod map;
pub mod number;
pub mod order;

pub use client::Client;
pub use frame::{Adu, Read, Transport};
pub use map::{Item, Profile};
pub use number::{Kind, Order, Places};
