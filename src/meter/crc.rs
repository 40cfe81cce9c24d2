//! CRC-16/X-25, the check value of DL/T 698.45 and of SML, and CRC-16/KERMIT, that of some meters instead.

/// Reflected 8408H, begins with FFFFH, inverted at the end; goes low byte first.
pub fn x25(bytes: &[u8]) -> u16 {
    !reflected(0xFFFF, bytes)
}

/// Reflected 8408H, begins with 0.
pub fn kermit(bytes: &[u8]) -> u16 {
    reflected(0, bytes)
}

fn reflected(begin: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(begin, |sum, byte| {
        (0..8)
            .fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0x8408 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_is_met() {
        assert_eq!(x25(b"123456789"), 0x906E);
        assert_eq!(kermit(b"123456789"), 0x2189);
    }
}
