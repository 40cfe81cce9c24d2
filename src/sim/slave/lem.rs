//! The simulated meter's web server: a LEM DCBM as far as a verification asks it (sources: `meter::lem`), that signs
//! with a key made from its serial number. What it does wrong stands in its file under `[truth.signing]`.

use super::super::truth::Signing;
use super::super::world::World;
use crate::meter::{Query, Unit, Value};
use crate::time::Instant;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A request that is longer than this is none; the buffer is dropped.
const REQUEST_MAX: usize = 16 * 1024;
/// Fields of a request's head.
const FIELDS_MAX: usize = 32;
/// What the meter calls itself.
const FIRMWARE: &str = "1.0.0-simulated";

/// The meter behind one connection; what it has in mind it shares with those of the others.
pub(super) struct Lem {
    mind: Arc<Mutex<Mind>>,
    waiting: Vec<u8>,
}

/// What the meter keeps between connections.
#[derive(Default)]
struct Mind {
    page: u32,
    running: Option<Running>,
    /// Records by transaction, each with the moment from which it is given.
    signed: BTreeMap<String, (Instant, String)>,
}

struct Running {
    id: String,
    begin: Decimal,
    began: String,
    asked: Json,
}

impl Lem {
    pub(super) fn new() -> Self {
        Self { mind: Arc::default(), waiting: vec![] }
    }

    /// The same meter behind a further connection.
    pub(super) fn another(&self) -> Self {
        Self { mind: Arc::clone(&self.mind), waiting: vec![] }
    }

    pub(super) fn answer(&mut self, bytes: &[u8], world: &World) -> Vec<u8> {
        self.waiting.extend(bytes);
        if self.waiting.len() > REQUEST_MAX {
            self.waiting.clear();
            return reply(413, "{}");
        }
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut head = httparse::Request::new(&mut fields);
        let begin = match head.parse(&self.waiting) {
            Ok(httparse::Status::Complete(begin)) => begin,
            Ok(httparse::Status::Partial) => return vec![],
            Err(_) => {
                self.waiting.clear();
                return reply(400, "{}");
            }
        };
        let length = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|field| std::str::from_utf8(field.value).ok()?.trim().parse().ok());
        let Some(body) = self.waiting.get(begin..begin + length.unwrap_or(0usize).min(REQUEST_MAX)) else {
            return vec![];
        };
        let (method, target) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
        let (path, id) = target.split_once("?transactionId=").unwrap_or((target, ""));
        let mut mind = self.mind.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = match (method, path) {
            ("GET", "/v1/status") => status(&mind, world),
            ("GET", "/v1/livemeasure") => live(world),
            ("POST", "/v1/legal") => mind.begin(body, world),
            ("PUT", "/v1/legal") => mind.end(id, body, world),
            ("GET", "/v1/ocmf") => mind.record(id, world),
            _ => reply(404, "{}"),
        };
        drop(mind);
        self.waiting.clear();
        reply
    }
}

fn reply(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

fn number(world: &World, query: Query, decimals: u32) -> Decimal {
    match world.told(query) {
        Some(Value::Number(number, _)) => number.trunc_with_scale(decimals),
        _ => Decimal::ZERO,
    }
}

fn text(world: &World, query: Query) -> String {
    world.told(query).map_or(String::new(), |value| value.to_string())
}

fn status(mind: &Mind, world: &World) -> Vec<u8> {
    let signing = world.signing();
    let mut bits = json!({
        "suLinkStatusIsOk": true, "muFatalErrorOccured": false,
        "transactionIsOnGoing": mind.running.is_some(), "tamperingIsDetected": false,
    });
    if let Some(synced) = signing.clock_synced {
        bits["timeSyncStatusIsOk"] = synced.into();
    }
    let told = json!({
        "status": { "bits": bits },
        "version": { "applicationFirmwareVersion": FIRMWARE },
        "time": text(world, Query::Clock),
        "meterId": text(world, Query::MeterNumber),
        "publicKeyOcmf": public_key(&world_serial(world)),
    });
    reply(200, &told.to_string())
}

/// The digits stay as they are counted: 4.200 is no 4.2 here.
fn live(world: &World) -> Vec<u8> {
    let body = format!(
        r#"{{"voltage":{},"current":{},"power":{},"energyImportTotal":{},"energyExportTotal":0.000,"timestamp":"{}"}}"#,
        number(world, Query::Voltage, 3),
        number(world, Query::Current, 4),
        number(world, Query::Power, 4),
        number(world, Query::Energy, 9),
        text(world, Query::Clock),
    );
    reply(200, &body)
}

/// `2026-11-20T10:00:00,000+0000 R`: the meter's own zone is not told.
fn stamp(world: &World) -> String {
    match world.told(Query::Clock) {
        Some(Value::Clock(clock)) => clock.strftime("%Y-%m-%dT%H:%M:%S,000+0000 R").to_string(),
        _ => "2000-01-01T00:00:00,000+0000 U".to_owned(),
    }
}

fn world_serial(world: &World) -> String {
    text(world, Query::MeterNumber)
}

impl Mind {
    fn begin(&mut self, body: &[u8], world: &World) -> Vec<u8> {
        let asked: Json = serde_json::from_slice(body).unwrap_or_default();
        let id = asked["transactionId"].as_str().unwrap_or_default().to_owned();
        if !world.signing().records || self.running.is_some() || id.is_empty() {
            return reply(400, r#"{"error":"transaction not possible"}"#);
        }
        let mut told = asked.clone();
        told["running"] = true.into();
        let begin = number(world, Query::Energy, 9);
        self.running = Some(Running { id, begin, began: stamp(world), asked });
        reply(201, &told.to_string())
    }

    fn end(&mut self, id: &str, body: &[u8], world: &World) -> Vec<u8> {
        let stops = serde_json::from_slice::<Json>(body).is_ok_and(|body| body["running"] == false);
        let Some(running) = self.running.take_if(|running| stops && running.id == id) else {
            return reply(400, r#"{"error":"no such transaction"}"#);
        };
        self.page += 1;
        let signing = world.signing();
        let end = number(world, Query::Energy, 9);
        let record = record(&running, end, self.page, world, &signing);
        let ready = world.now() + crate::time::Span::from_secs_f64(signing.sign_secs);
        self.signed.insert(running.id.clone(), (ready, record));
        let told = json!({
            "transactionId": running.id, "evseId": running.asked["evseId"], "clientId": running.asked["clientId"],
            "paginationCounter": self.page,
            "cableSp": { "cableSpName": "No_Comp", "cableSpId": running.asked["cableId"], "cableSpRes": 0 },
            "meterId": world_serial(world),
        });
        reply(200, &told.to_string())
    }

    fn record(&self, id: &str, world: &World) -> Vec<u8> {
        match self.signed.get(id) {
            Some((ready, record)) if world.now() >= *ready => reply(200, record),
            Some(_) => reply(404, r#"{"error":"not signed yet"}"#),
            None => reply(404, r#"{"error":"unknown transaction"}"#),
        }
    }
}

/// The record of a transaction, signed; what its truth makes wrong is wrong in it.
fn record(running: &Running, end: Decimal, page: u32, world: &World, signing: &Signing) -> String {
    let factor = Decimal::from_f64(signing.energy_factor).unwrap_or(Decimal::ONE);
    let moved = (end - running.begin) * factor;
    let to = (running.begin + moved).trunc_with_scale(end.scale());
    let serial = world_serial(world);
    let unit = Unit::KilowattHour;
    let payload = format!(
        r#"{{"FV":"1.0","GI":"PHANTOMLOAD SIMULATED","GS":"{serial}","GV":"{FIRMWARE}","PG":"T{page}","MV":"Phantomload","MS":"{serial}","MF":"{FIRMWARE}","IS":false,"IL":"NONE","IF":[],"IT":"NONE","ID":"","CT":"EVSEID","CI":"phantomload","RD":[{{"TM":"{}","TX":"B","RV":{},"RI":"1-0:1.8.0","RU":"{unit}","RT":"DC","EF":"","ST":"G"}},{{"TM":"{}","TX":"E","RV":{to},"RI":"1-0:1.8.0","RU":"{unit}","ST":"G"}}]}}"#,
        running.began,
        running.begin,
        stamp(world),
    );
    let signature: DerSignature = key(&serial).sign(payload.as_bytes());
    let signature = signature.as_bytes().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
    // A digit of the money is changed when it was signed already.
    let shown =
        if signing.forged { payload.replacen(&format!("\"RV\":{to}"), &forged(to), 1) } else { payload };
    format!(r#"OCMF|{shown}|{{"SA":"ECDSA-secp256r1-SHA256","SD":"{signature}"}}"#)
}

fn forged(to: Decimal) -> String {
    format!("\"RV\":{}", to + Decimal::new(1, to.scale()))
}

/// The simulated meter's own key: anybody can make it, and it signs nothing but simulated records.
fn key(serial: &str) -> SigningKey {
    // A hash that is no scalar of the curve does not come in the life of this program; the next one would do.
    let mut seed = Sha256::digest(format!("phantomload simulated meter {serial}"));
    loop {
        match SigningKey::from_slice(&seed) {
            Ok(key) => return key,
            Err(_) => seed = Sha256::digest(seed),
        }
    }
}

/// Its public key: SPKI in hex, as the meter tells it and as its label has it.
pub(in crate::sim) fn public_key(serial: &str) -> String {
    const HEAD: &str = "3059301306072A8648CE3D020106082A8648CE3D030107034200";
    let point = key(serial).verifying_key().to_sec1_point(false);
    point.as_bytes().iter().fold(HEAD.to_owned(), |text, byte| format!("{text}{byte:02X}"))
}
