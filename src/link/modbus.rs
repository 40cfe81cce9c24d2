//! As much of Modbus as asks who is there: read device identification (2BH/0EH) and one register (03H), over a serial line
//! (RTU) or TCP.
//!
//! Source: Modbus Application Protocol V1.1b3, 6.3 and 6.21, 7 (exceptions); Modbus over Serial Line V1.02, 2.5.1 (CRC);
//! Modbus Messaging on TCP/IP V1.0b, 3.1.3 (MBAP header). Reading only.

use super::hex;

/// Read holding registers.
const READ_HOLDING: u8 = 0x03;
/// Encapsulated interface transport.
const ENCAPSULATED: u8 = 0x2B;
/// MEI type: read device identification.
const DEVICE_ID: u8 = 0x0E;
/// Set in the function of an answer that is a refusal.
const EXCEPTION: u8 = 0x80;
/// Bytes of the MBAP header before the unit.
const MBAP: usize = 6;

/// How a frame is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// Serial line: unit, function, data, CRC.
    Rtu,
    /// TCP: transaction, protocol 0, length, then unit, function, data.
    Tcp,
}

/// CRC of the serial line, low byte first on the wire.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

fn wrapped(wrapping: Wrapping, core: &[u8]) -> Vec<u8> {
    match wrapping {
        Wrapping::Rtu => [core, &crc(core).to_le_bytes()].concat(),
        Wrapping::Tcp => {
            let length = u16::try_from(core.len()).unwrap_or(u16::MAX).to_be_bytes();
            [&[0, 1, 0, 0], length.as_slice(), core].concat()
        }
    }
}

/// Asks a unit who it is: its basic identification, from the first object.
pub fn ask_identity(wrapping: Wrapping, unit: u8) -> Vec<u8> {
    wrapped(wrapping, &[unit, ENCAPSULATED, DEVICE_ID, 0x01, 0x00])
}

/// Asks for its first register; a unit that does not have it refuses, and that is an answer too.
pub fn ask_register(wrapping: Wrapping, unit: u8) -> Vec<u8> {
    wrapped(wrapping, &[unit, READ_HOLDING, 0x00, 0x00, 0x00, 0x01])
}

/// An answer without its wrapping: unit, function, data; `None` where it is none.
pub fn core(wrapping: Wrapping, bytes: &[u8]) -> Option<&[u8]> {
    match wrapping {
        Wrapping::Rtu => {
            let (core, sum) = bytes.split_last_chunk::<2>()?;
            (core.len() >= 3 && crc(core) == u16::from_le_bytes(*sum)).then_some(core)
        }
        Wrapping::Tcp => {
            let (head, core) = bytes.split_first_chunk::<MBAP>()?;
            let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
            (head[2..4] == [0, 0] && core.len() == length && core.len() >= 3).then_some(core)
        }
    }
}

/// What an answer of `unit` says of it, in words; `None` where it is no answer to the two questions.
pub fn who(wrapping: Wrapping, unit: u8, bytes: &[u8]) -> Option<String> {
    let core = core(wrapping, bytes)?;
    match core {
        [own, ENCAPSULATED, DEVICE_ID, _, _, _, _, count, objects @ ..] if *own == unit => {
            Some(format!("unit {unit}: {}", texts(*count, objects).join(", ")))
        }
        [own, READ_HOLDING, 2, high, low] if *own == unit => {
            Some(format!("unit {unit}: register 0 is {}", u16::from_be_bytes([*high, *low])))
        }
        [own, function, code]
            if *own == unit && matches!(function & !EXCEPTION, ENCAPSULATED | READ_HOLDING) =>
        {
            (function & EXCEPTION != 0).then(|| format!("unit {unit}: {}", exception(*code)))
        }
        _ => None,
    }
}

/// The texts of a device identification: vendor, product, revision.
fn texts(count: u8, mut objects: &[u8]) -> Vec<String> {
    let mut texts = vec![];
    for _ in 0..count {
        let [_, length, rest @ ..] = objects else { break };
        let Some((text, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        texts.push(String::from_utf8_lossy(text).trim().to_owned());
        objects = rest;
    }
    texts
}

fn exception(code: u8) -> String {
    let name = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        6 => "server device busy",
        _ => "exception",
    };
    format!("refused with {code:02}, {name}")
}

/// A frame of a serial line in words; `None` where its CRC does not fit.
pub fn words(bytes: &[u8]) -> Option<String> {
    let core = core(Wrapping::Rtu, bytes)?;
    let (unit, function, data) = (core[0], core[1], &core[2..]);
    if function & EXCEPTION != 0 {
        return Some(format!(
            "Modbus unit {unit} function {:02X}H {}",
            function & !EXCEPTION,
            exception(data[0])
        ));
    }
    Some(format!("Modbus unit {unit} function {function:02X}H: {}", hex::text(data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_frames_of_a_real_meter_check_out() {
        // Acrel DJSF1352-RN, captured (facts: instruments).
        for frame in [
            "01 03 00 00 00 06 C5 C8",
            "01 03 04 00 00 00 05 3A 30",
            "01 03 02 01 03 F9 D5",
            "01 10 00 1E 00 03 E0 0E",
        ] {
            let bytes = hex::bytes(frame).unwrap();
            assert!(core(Wrapping::Rtu, &bytes).is_some(), "{frame}");
            for index in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[index] ^= 0x10;
                assert_eq!(core(Wrapping::Rtu, &damaged), None, "{frame}, byte {index}");
            }
        }
        let said = words(&hex::bytes("01 03 02 01 03 F9 D5").unwrap());
        assert_eq!(said.as_deref(), Some("Modbus unit 1 function 03H: 02 01 03"));
    }

    #[test]
    fn an_identity_a_register_and_a_refusal_are_answers_and_an_echo_is_none() {
        let answer = wrapped(Wrapping::Rtu, b"\x01\x2B\x0E\x01\x01\x00\x00\x02\x00\x05Acrel\x01\x03DCM");
        assert_eq!(who(Wrapping::Rtu, 1, &answer).as_deref(), Some("unit 1: Acrel, DCM"));
        assert_eq!(who(Wrapping::Rtu, 2, &answer), None);
        let refusal = wrapped(Wrapping::Tcp, &[1, 0xAB, 1]);
        let said = who(Wrapping::Tcp, 1, &refusal);
        assert_eq!(said.as_deref(), Some("unit 1: refused with 01, illegal function"));
        let register = wrapped(Wrapping::Rtu, &[1, 3, 2, 0x08, 0x00]);
        assert_eq!(who(Wrapping::Rtu, 1, &register).as_deref(), Some("unit 1: register 0 is 2048"));
        for request in [ask_identity(Wrapping::Rtu, 1), ask_register(Wrapping::Rtu, 1)] {
            assert_eq!(who(Wrapping::Rtu, 1, &request), None, "an echo is no answer");
        }
        // A cut list of texts ends where it is cut.
        assert_eq!(texts(3, b"\x00\x02AB\x01\x09C"), ["AB"]);
    }
}
