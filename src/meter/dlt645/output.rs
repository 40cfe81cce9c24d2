//! Switching the multi-function terminal of a DL/T 645-2007 meter (1DH): the one writing command that this program has for
//! such a meter, apart from the [`Client`]'s reading. It needs no password and changes nothing that is measured.

use super::client::Client;
use super::frame::{Control, Frame, refusal_words};
use crate::meter::Fault;
use crate::meter::output::{Outputs, Switched};
use crate::time::now;

/// Request: put this signal on the multi-function terminal (facts: protocols 1.1; tables of several implementations, not
/// run on a meter).
pub const SWITCH: Control = Control::from_byte(0x1D);
/// The signal: seconds pulse of the clock (01H demand period, 02H tariff switch are never sent).
pub const SECONDS_PULSE: u8 = 0x00;

impl Outputs for Client {
    fn seconds_pulse(&mut self) -> Result<Switched, Fault> {
        let asked = now();
        let mut exchanges = Vec::new();
        let (address, line) = self.spoken(&mut exchanges)?;
        let request = Frame { address, control: SWITCH, data: vec![SECONDS_PULSE] };
        let heard = line.ask(&request, "the seconds pulse (1DH)", &mut exchanges, &|frame| {
            (frame.control == SWITCH.reply() && frame.data == [SECONDS_PULSE])
                || (frame.control == SWITCH.refusal() && frame.data.len() == 1)
        })?;
        let answer = heard.answer;
        let refused = answer
            .control
            .is_abnormal()
            .then(|| format!("the meter answered: {}", refusal_words(answer.data[0])));
        Ok(Switched { asked, done: now(), exchanges, refused })
    }
}
