//! Keys and certificates for tests: made from fixed bytes, worth nothing.

use super::authority::{self, Subject};
use super::key::P256Key;
use super::trust::Trust;
use jiff::Timestamp;

pub fn validity() -> [Timestamp; 2] {
    ["2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"].map(|t| t.parse().unwrap())
}

fn key(byte: u8) -> String {
    authority::new_key([byte; 32]).unwrap()
}

fn subject(name: &str) -> Subject {
    Subject {
        common_name: name.to_owned(),
        serial: String::new(),
        organization: "Some laboratory".into(),
        country: "CN".into(),
    }
}

pub fn ca_key_pem() -> String {
    key(1)
}

pub fn ca_pem() -> String {
    let [from, to] = validity();
    authority::authority(&ca_key_pem(), &subject("Test authority"), 1, from, to).unwrap()
}

pub fn device_key_pem() -> String {
    key(2)
}

fn issued(key_pem: &str, name: &str, serial: u64) -> String {
    let [from, to] = validity();
    let csr = authority::request(key_pem, &subject(name)).unwrap();
    authority::issue(&ca_key_pem(), &ca_pem(), &csr, serial, from, to).unwrap()
}

pub fn device_pem() -> String {
    issued(&device_key_pem(), "Phantomload PL-1", 2)
}

pub fn other_device_pem() -> String {
    issued(&key(3), "Phantomload PL-2", 3)
}

pub fn device() -> P256Key {
    P256Key::from_pem(&device_key_pem(), &device_pem()).unwrap()
}

pub fn other_device() -> P256Key {
    P256Key::from_pem(&key(3), &other_device_pem()).unwrap()
}

pub fn at() -> Timestamp {
    "2026-11-20T02:02:00Z".parse().unwrap()
}

pub fn trust() -> Trust {
    let mut trust = Trust::new(at());
    trust.add_authorities(&ca_pem()).unwrap();
    trust.add_devices(&device_pem()).unwrap();
    trust
}
