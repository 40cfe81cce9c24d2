//! Orders about a transaction, one by one, with every byte and what an inspector has to know.

use super::{Client, Fault, Transaction};
use crate::meter::transaction::{Came, Order, Transacted, Transactions};
use crate::time::{Span, now};

/// Entry of the meter's tariff table.
const TARIFF: u8 = 0;

/// A transaction of a verification: nobody is billed.
fn of(id: &str, cable: u8) -> Transaction {
    let house = || "phantomload".to_owned();
    Transaction { id: id.to_owned(), evse: house(), client: house(), tariff: TARIFF, cable }
}

impl Client {
    fn do_it(&mut self, order: Order, id: &str, remarks: &mut Vec<String>) -> Result<Came, Fault> {
        match order {
            Order::Begin => {
                let status = self.status()?;
                if status.bits.tampering_is_detected == Some(true) {
                    remarks.push("the meter reports tampering; read its log".to_owned());
                }
                match self.start_as(&status, &of(id, self.cable)) {
                    // Behind the question, so that the meter may have heard it.
                    Err(fault @ (Fault::Line(_) | Fault::Unreadable { .. })) => {
                        Ok(Came::Unknown(fault.to_string()))
                    }
                    begun => begun.map(|()| Came::Done),
                }
            }
            Order::End => {
                let stopped = self.stop(id)?;
                if let Some(resistance) = stopped.cable_resistance.filter(|r| !r.is_zero()) {
                    remarks.push(format!(
                        "cable compensation: the meter took off the loss in a cable of {resistance} (unit of its table); a phantom load has none: entry {} of the table is none whose resistance is 0, choose another (`cable` of the nameplate)",
                        self.cable
                    ));
                }
                Ok(Came::Done)
            }
            Order::Record => self.record_once(id).map(|given| given.map_or_else(Came::Not, Came::Record)),
        }
    }
}

impl Transactions for Client {
    fn transact(&mut self, order: Order, id: &str) -> Transacted {
        self.take_exchanges();
        let asked = now();
        let mut remarks = vec![];
        let came = self.do_it(order, id, &mut remarks).unwrap_or_else(|fault| Came::Not(fault.to_string()));
        let taken_half_width = Span::from_nanos((now() - asked).nanos() / 2);
        let exchanges = self.take_exchanges();
        let (id, taken) = (id.to_owned(), asked + taken_half_width);
        Transacted { order, id, asked, taken, taken_half_width, exchanges, came, remarks }
    }
}
