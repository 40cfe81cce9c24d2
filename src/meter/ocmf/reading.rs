//! The readings of a record: exact decimals, each with what it takes over from the reading before it.

use super::Deviation;
use super::object::{Object, string};
use crate::quantity::{Energy, Ratio};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::value::RawValue;

/// Letters of TX that end a transaction (table 7).
const ENDS: [&str; 5] = ["E", "L", "R", "A", "P"];

/// One reading. A field that is not written is that of the reading before; the value never is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reading {
    /// TM without its last letter.
    pub time: Option<String>,
    /// The last letter of TM: U unknown, I informative, S synchronised, R relative.
    pub time_status: Option<String>,
    /// TX: why it was read.
    pub reason: Option<String>,
    /// RV: exactly the digits the meter gave.
    pub value: Option<Decimal>,
    /// RI: the register.
    pub register: Option<String>,
    /// RU.
    pub unit: Option<String>,
    /// RT: AC or DC.
    pub current_type: Option<String>,
    /// EF: what the meter itself calls unusable.
    pub errors: Option<String>,
    /// ST: the meter's state.
    pub status: Option<String>,
}

/// Energy taken between begin and end of a transaction, as the record says it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The register.
    pub register: String,
    /// At the begin, kWh.
    pub from_kwh: Decimal,
    /// At the end, kWh.
    pub to_kwh: Decimal,
    /// The difference, kWh; its scale is the coarser one of the two.
    pub energy_kwh: Decimal,
    /// The step of the readings, kWh.
    pub resolution_kwh: Decimal,
}

/// The readings under RD.
pub(super) fn all(payload: &Object, deviations: &mut Vec<Deviation>) -> Vec<Reading> {
    let Some(list) = payload.get("RD") else {
        deviations.push(Deviation::new("RD", "the record has no readings"));
        return vec![];
    };
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(list) else {
        deviations.push(Deviation::new("RD", "it is no list of readings"));
        return vec![];
    };
    if list.is_empty() {
        deviations.push(Deviation::new("RD", "the record has no readings"));
    }
    let mut readings: Vec<Reading> = vec![];
    for (n, raw) in list.into_iter().enumerate() {
        let before = readings.last().cloned().unwrap_or_default();
        match Object::read(raw.get()) {
            Ok(object) => {
                super::conformance::reading(n, &object, deviations);
                readings.push(one(&object, before));
            }
            Err(fault) => deviations.push(Deviation::new(format!("RD[{n}]"), fault)),
        }
    }
    readings
}

fn one(object: &Object, before: Reading) -> Reading {
    let take = |name: &str, before: Option<String>| match object.get(name) {
        Some(text) => string(text),
        None => before,
    };
    let (time, time_status) = match object.string("TM") {
        Some(stamp) => match stamp.rsplit_once(' ') {
            Some((time, status)) => (Some(time.to_owned()), Some(status.to_owned())),
            None => (Some(stamp), None),
        },
        None => (before.time, before.time_status),
    };
    Reading {
        time,
        time_status,
        value: object.get("RV").and_then(number),
        reason: take("TX", before.reason),
        register: take("RI", before.register),
        unit: take("RU", before.unit),
        current_type: take("RT", before.current_type),
        errors: take("EF", before.errors),
        status: take("ST", before.status),
    }
}

/// A number as written: `57.584`, or in quotes and padded as some meters do, `"       9.038"`.
pub(super) fn number(text: &str) -> Option<Decimal> {
    let inside = string(text);
    let digits = inside.as_deref().unwrap_or(text).trim();
    Decimal::from_str_exact(digits).or_else(|_| Decimal::from_scientific(digits)).ok()
}

impl Reading {
    /// Its value in kWh, where it is an energy.
    pub fn kilowatt_hours(&self) -> Option<Decimal> {
        let value = self.value?;
        match self.unit.as_deref()? {
            "kWh" => Some(value),
            "Wh" => value.checked_mul(Decimal::new(1, 3)),
            _ => None,
        }
    }

    /// Whether its register counts energy drawn by the vehicle: group C of the OBIS code is 1 (import), B0 to B3
    /// (import at mains or device, total or of the transaction, as OCMF meters write it) or 98 (as seen in records of
    /// one maker).
    pub fn is_import(&self) -> bool {
        let group = self.register.as_deref().and_then(group_c).unwrap_or_default();
        matches!(group.as_str(), "1" | "B0" | "B1" | "B2" | "B3" | "98")
    }
}

impl Imported {
    /// Whether its register counts one transaction only (OBIS B2, B3) and begins each with 0.
    pub fn is_of_transaction(&self) -> bool {
        matches!(group_c(&self.register).as_deref(), Some("B2" | "B3"))
    }

    /// Where its energy is further from what was measured beside it than is allowed.
    pub fn against(&self, reference: Energy, allowed: Ratio) -> Option<Deviation> {
        let own = self.energy_kwh.to_f64().and_then(|kwh| Energy::try_from_kilowatt_hours(kwh).ok())?;
        let apart = match own.ratio_to(reference) {
            Ok(ratio) => (ratio.fraction() - 1.0) * 100.0,
            Err(fault) => return Some(Deviation::new("energy", format!("no comparison: {fault}"))),
        };
        (apart.abs() > allowed.percent()).then(|| {
            let what = format!(
                "the record says {} kWh, the reference measured {:.6} kWh: {apart:+.3} %, allowed {} %",
                self.energy_kwh,
                reference.kilowatt_hours(),
                allowed.percent()
            );
            Deviation::new("energy", what)
        })
    }

    /// Where its readings do not lie between what the same register showed before and after: it is the record of
    /// another transaction, or the register was set.
    pub fn between(&self, before_kwh: Decimal, after_kwh: Decimal) -> Option<Deviation> {
        let digit = self.resolution_kwh;
        let below = |low: Decimal, high: Decimal| high.checked_add(digit).is_some_and(|high| low <= high);
        let inside = below(before_kwh, self.from_kwh)
            && below(self.from_kwh, self.to_kwh)
            && below(self.to_kwh, after_kwh);
        (!inside).then(|| {
            let Self { from_kwh, to_kwh, .. } = self;
            let what = format!(
                "the record goes from {from_kwh} to {to_kwh} kWh, but the meter showed {before_kwh} kWh before and {after_kwh} kWh after it: it is another transaction's"
            );
            Deviation::new("energy", what)
        })
    }
}

/// Group C of an OBIS code without leading zeros: `1` of `01-00:01.08.00.FF`.
fn group_c(code: &str) -> Option<String> {
    let (_, rest) = code.split_once(':')?;
    let (group, _) = rest.split_once('.')?;
    Some(group.trim_start_matches('0').to_ascii_uppercase())
}

/// Begin and end of the first import register that has both.
pub(super) fn imported(readings: &[Reading]) -> Result<Imported, String> {
    let energy = |reading: &&Reading| reading.is_import() && reading.kilowatt_hours().is_some();
    let mut begins = readings.iter().filter(energy).filter(|r| r.reason.as_deref() == Some("B")).peekable();
    if begins.peek().is_none() {
        return Err("the record has no reading of an import register at the begin of a transaction".into());
    }
    let pair = begins.find_map(|begin| {
        let same = readings.iter().rev().filter(energy).find(|end| {
            end.register == begin.register
                && end.reason.as_deref().is_some_and(|reason| ENDS.contains(&reason))
        });
        Some((begin, same?))
    });
    let (begin, end) = pair.ok_or("the record has no reading at the end of its transaction")?;
    let (from, to) = (begin.kilowatt_hours(), end.kilowatt_hours());
    let (from, to) = from.zip(to).ok_or("the readings have no energy")?;
    let moved = to.checked_sub(from).ok_or("the readings are beyond any register")?;
    let scale = from.scale().min(to.scale());
    Ok(Imported {
        register: begin.register.clone().unwrap_or_default(),
        from_kwh: from,
        to_kwh: to,
        energy_kwh: moved,
        resolution_kwh: Decimal::new(1, scale),
    })
}
