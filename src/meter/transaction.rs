//! Transactions of a meter that signs: begun, ended, their record fetched. Apart from reading, since they change a
//! meter's state: its log will show each one. No setting, clock or register is written.

use super::Exchange;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a meter that signs is told or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Begin a transaction.
    Begin,
    /// End it.
    End,
    /// Give its signed record, once; whether to ask again is another's business.
    Record,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "begin a transaction",
            Self::End => "end the transaction",
            Self::Record => "give the signed record",
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// The meter did it.
    Done,
    /// The record, byte by byte as the meter gave it.
    Record(#[serde(serialize_with = "super::to_hex", deserialize_with = "super::from_hex")] Vec<u8>),
    /// It did not, or not yet, and why.
    Not(String),
    /// Its answer was lost, and why: it may have done it.
    Unknown(String),
}

/// An order with all that came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transacted {
    /// What it was told.
    pub order: Order,
    /// The transaction's name.
    pub id: String,
    /// When the question went out.
    pub asked: Instant,
    /// Best estimate of the moment the meter did it.
    pub taken: Instant,
    /// The moment lies within `taken` ± this.
    pub taken_half_width: Span,
    /// Every byte, oldest question first.
    pub exchanges: Vec<Exchange>,
    /// What came of it.
    pub came: Came,
    /// What an inspector has to know of it: tampering that the meter reports, a cable that it makes up for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A meter that can be told to begin and end a transaction. It never fails the bench: what did not work is told.
pub trait Transactions {
    /// Does one order and tells what came of it.
    fn transact(&mut self, order: Order, id: &str) -> Transacted;
}

impl Transacted {
    /// An order to a meter that knows no transactions, without a byte on the line.
    pub fn refused(order: Order, id: &str, at: Instant, why: String) -> Self {
        Self {
            order,
            id: id.to_owned(),
            asked: at,
            taken: at,
            taken_half_width: Span::ZERO,
            exchanges: vec![],
            came: Came::Not(why),
            remarks: vec![],
        }
    }
}
